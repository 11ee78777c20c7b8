package concert

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

// ReportPayloadType names what an envelope of an after-action report holds.
const ReportPayloadType = "application/vnd.concert.report.v1+json"

// ReportPayload is the after-action report as it is signed, in RFC 8785 form:
// what it is of, the log's head that it can be checked against, and its tables.
type ReportPayload struct {
	Type     string        `json:"type"` // "report"
	Version  int           `json:"version"`
	Action   string        `json:"action"`
	Name     string        `json:"name"`
	Mandate  string        `json:"mandate"`
	Phase    Phase         `json:"phase"`
	AsOf     string        `json:"as_of"`
	Exercise bool          `json:"exercise"`
	Origin   string        `json:"log_origin"`
	Size     int64         `json:"log_size"`
	Root     string        `json:"log_root"` // hex
	Head     string        `json:"log_checkpoint,omitempty"`
	Waiting  int64         `json:"log_waiting,omitempty"` // events counted here that have no place in the log yet
	Method   string        `json:"method"`
	Tables   []ReportTable `json:"tables"`
}

// ReportMethod says how a report's numbers are made, in one sentence for each
// question that is asked of them.
const ReportMethod = "The unit is the item: one piece of content at one place. All counts are sums over the log's events; what a provider says and what we saw are two numbers. " +
	"Times are case time, from the moment an item's referral was made. A median is the value at place n/2 of the sorted ones, counted from 0 and rounded down, a p90 that at place 9n/10. " +
	"The survival curve is that of Kaplan and Meier; an item that we never saw down counts until our last look. A deadline is missed where a referral has silent items 48 hours after it was made, which is when the first reminder falls due."

// ReportTable is one table of a report. Cells are text for machines: whole
// numbers, seconds, shares with four digits, codes and names.
type ReportTable struct {
	Name    string     `json:"name"`
	Columns []string   `json:"columns"`
	Rows    [][]string `json:"rows"`
}

// Course is what became of one referred item, taken from the tables or from an
// export's events: both give the same.
type Course struct {
	Provider  ProviderID
	Category  ContentType // type of Art. 2(7)
	Language  string
	SentAt    time.Time
	AckedAt   time.Time // of its referral
	Answered  time.Time // the first last word
	Claim     AnswerCode
	Contested bool // the provider passed on a contest, or restored the item
	Restored  bool
	DownAt    time.Time // first seen down
	LookedAt  time.Time // our last look
	Seen      Observed
	WasDown   bool
	Withdrawn bool
}

// Chase is one referral as far as deadlines go.
type Chase struct {
	Provider  ProviderID
	SentAt    time.Time
	AckedAt   time.Time
	Reminders int
}

// DeadlineAnswer is after how long silence is a missed deadline: when the first
// reminder falls due.
const DeadlineAnswer = 48 * time.Hour

// MissedReason is why a deadline was missed, as far as the log shows.
type MissedReason string

// The reasons.
const (
	MissedUnread     MissedReason = "not_acknowledged" // nobody had confirmed it by then
	MissedUnanswered MissedReason = "acknowledged_not_answered"
)

// Why is the reason of a chase that was reminded; ok is false where none was.
func (c Chase) Why() (reason MissedReason, ok bool) {
	switch due := c.SentAt.Add(DeadlineAnswer); {
	case c.Reminders == 0:
		return "", false
	case c.AckedAt.IsZero() || c.AckedAt.After(due):
		return MissedUnread, true
	}
	return MissedUnanswered, true
}

// ReportFacts is all that a report's tables are made of.
type ReportFacts struct {
	Totals      Counts
	Authorities map[AuthorityID]Counts
	Providers   map[ProviderID]Counts
	Courses     []Course
	Chases      []Chase
	Partner     bool // for others: nothing that tells of fewer than FewLeast
}

// Lifespan is how long the item stood; ok is false where we never looked.
func (c Course) Lifespan() (Lifespan, bool) {
	switch {
	case !c.DownAt.IsZero():
		return Lifespan{c.DownAt.Sub(c.SentAt), true}, true
	case !c.LookedAt.IsZero():
		return Lifespan{c.LookedAt.Sub(c.SentAt), false}, true
	}
	return Lifespan{}, false
}

// Lifespans are those of the courses that were looked at.
func Lifespans(cs []Course) []Lifespan {
	var out []Lifespan
	for _, c := range cs {
		if l, ok := c.Lifespan(); ok {
			out = append(out, l)
		}
	}
	return out
}

// courseColumns are what is said of a group of courses.
var courseColumns = []string{"referred", "acknowledged", "answered", "removed", "refused", "looked_at", "seen_down", "returned", "withdrawn",
	"ack_median_s", "ack_p90_s", "answer_median_s", "answer_p90_s", "down_median_s", "down_p90_s"}

func courseCells(cs []Course) []string {
	var acked, answered, removed, refused, looked, down, returned, withdrawn int
	var ack, ans, gone []time.Duration
	count := func(n *int, is bool) {
		if is {
			*n++
		}
	}
	since := func(ds *[]time.Duration, c Course, at time.Time) bool {
		if at.IsZero() {
			return false
		}
		*ds = append(*ds, at.Sub(c.SentAt))
		return true
	}
	for _, c := range cs {
		count(&acked, since(&ack, c, c.AckedAt))
		count(&answered, since(&ans, c, c.Answered))
		since(&gone, c, c.DownAt)
		count(&removed, c.Claim.Effect())
		count(&refused, c.Claim.Refusal())
		count(&looked, c.Seen != ObservedNot)
		count(&down, c.Seen == ObservedDown)
		count(&returned, c.WasDown && c.Seen == ObservedUp)
		count(&withdrawn, c.Withdrawn)
	}
	var cells []string
	for _, n := range []int{len(cs), acked, answered, removed, refused, looked, down, returned, withdrawn} {
		cells = append(cells, strconv.Itoa(n))
	}
	for _, ds := range [][]time.Duration{ack, ans, gone} {
		m, p := Quantiles(ds)
		if len(ds) == 0 {
			cells = append(cells, "", "")
			continue
		}
		cells = append(cells, seconds(m), seconds(p))
	}
	return cells
}

func seconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }

// Tables are the report's tables. name puts a name to an authority or provider;
// rows are ordered by it.
func (f ReportFacts) Tables(name func(id string) string) []ReportTable {
	return []ReportTable{
		f.stages(), f.parties("providers", "provider", stringKeys(f.Providers), name), f.parties("authorities", "authority", stringKeys(f.Authorities), name),
		f.courses("times_by_provider", "provider", func(c Course) string { return string(c.Provider) }, name),
		f.courses("times_by_category", "category", func(c Course) string { return string(c.Category) }, nil),
		f.courses("times_by_language", "language", func(c Course) string { return c.Language }, nil),
		f.missed(name), f.redress(), f.survival(),
	}
}

// cell is a number for machines, "<5" where it is not shown.
func cell(n int64) string {
	if n == Few {
		return "<" + strconv.Itoa(FewLeast)
	}
	return strconv.FormatInt(n, 10)
}

// few is the number as others may see it.
func (f ReportFacts) few(n int64) int64 {
	if f.Partner && n > 0 && n < FewLeast {
		return Few
	}
	return n
}

func (f ReportFacts) cell(n int64) string { return cell(f.few(n)) }

func (f ReportFacts) stages() ReportTable {
	t := ReportTable{Name: "stages", Columns: []string{"metric", "value", "of", "share", "definition"}}
	before := map[Metric]Metric{}
	for i, m := range FunnelMetrics[1:] {
		before[m] = FunnelMetrics[i]
	}
	for _, m := range append(slices.Clone(Metrics), Deconflicted) {
		row := []string{string(m), cell(f.Totals.Of(m)), string(before[m]), "", m.Definition()}
		if of := f.Totals.Of(before[m]); before[m] != "" && of > 0 && f.Totals.Of(m) != Few {
			row[3] = strconv.FormatFloat(float64(f.Totals.Of(m))/float64(of), 'f', 4, 64)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func stringKeys[K ~string](m map[K]Counts) map[string]Counts {
	out := make(map[string]Counts, len(m))
	for k, c := range m {
		out[string(k)] = c
	}
	return out
}

func (f ReportFacts) parties(table, party string, rows map[string]Counts, name func(string) string) ReportTable {
	t := ReportTable{Name: table, Columns: []string{party}}
	for _, m := range Metrics {
		t.Columns = append(t.Columns, string(m))
	}
	for _, id := range slices.Sorted(maps.Keys(rows)) {
		row := []string{name(id)}
		for _, m := range Metrics {
			row = append(row, cell(rows[id][m]))
		}
		t.Rows = append(t.Rows, row)
	}
	slices.SortStableFunc(t.Rows, func(a, b []string) int { return cmp.Compare(a[0], b[0]) })
	return t
}

func (f ReportFacts) courses(table, by string, of func(Course) string, name func(string) string) ReportTable {
	t := ReportTable{Name: table, Columns: append([]string{by}, courseColumns...)}
	groups := map[string][]Course{}
	for _, c := range f.Courses {
		groups[of(c)] = append(groups[of(c)], c)
	}
	if f.Partner {
		groups = joined(groups)
	}
	say := func(label string, cs []Course) {
		cells := courseCells(cs)
		if f.Partner {
			// Counts within a group tell of few; how many it is, and how long they took, do not.
			for i := range cells[1:9] {
				cells[1+i] = ""
			}
		}
		t.Rows = append(t.Rows, append([]string{label}, cells...))
	}
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		label := key
		if name != nil && key != otherGroup {
			label = name(key)
		}
		say(label, groups[key])
	}
	slices.SortStableFunc(t.Rows, func(a, b []string) int { return cmp.Compare(a[0], b[0]) })
	if !f.Partner || len(f.Courses) >= FewLeast {
		say("all", f.Courses)
	}
	return t
}

// otherGroup joins groups too small to be shown.
const otherGroup = "other"

// joined are the groups with those of fewer than FewLeast in one; where that one
// would still be small, the smallest of the others goes with them.
func joined(groups map[string][]Course) map[string][]Course {
	keys := slices.SortedFunc(maps.Keys(groups), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(groups[a]), len(groups[b])), cmp.Compare(a, b))
	})
	out := map[string][]Course{}
	for _, k := range keys {
		if n := len(out[otherGroup]); len(groups[k]) < FewLeast || n > 0 && n < FewLeast {
			out[otherGroup] = append(out[otherGroup], groups[k]...)
			continue
		}
		out[k] = groups[k]
	}
	if len(out[otherGroup]) < FewLeast {
		delete(out, otherGroup)
	}
	return out
}

func (f ReportFacts) missed(name func(string) string) ReportTable {
	t := ReportTable{Name: "missed_deadlines", Columns: []string{"provider", "deadline", "reason", "referrals"}}
	type key struct {
		provider string
		reason   MissedReason
	}
	n := map[key]int{}
	for _, c := range f.Chases {
		if why, ok := c.Why(); ok {
			n[key{name(string(c.Provider)), why}]++
		}
	}
	for k, v := range n {
		t.Rows = append(t.Rows, []string{k.provider, "answer_48h", string(k.reason), f.cell(int64(v))})
	}
	slices.SortFunc(t.Rows, slices.Compare)
	return t
}

func (f ReportFacts) redress() ReportTable {
	var contested, restored int
	for _, c := range f.Courses {
		if c.Contested {
			contested++
		}
		if c.Restored {
			restored++
		}
	}
	row := func(what string, n int64, text string) []string {
		return []string{what, cell(n), text}
	}
	return ReportTable{Name: "redress", Columns: []string{"what", "value", "definition"}, Rows: [][]string{
		row("withdrawn", f.Totals[WithdrawnN], WithdrawnN.Definition()),
		row("corrected", f.Totals[Corrected], Corrected.Definition()),
		row("contested", f.few(int64(contested)), "items of which the provider passed on that its author contests the removal"),
		row("restored", f.few(int64(restored)), "items that the provider put back"),
		row("refused", f.Totals[Refused], Refused.Definition()),
		row("rejected_here", f.Totals[Rejected], Rejected.Definition()),
		row("second_disagreed", f.Totals[SecondDisagreed], SecondDisagreed.Definition()),
		row("returned", f.Totals[Returned], Returned.Definition()),
		row("duplicates_avoided", f.Totals[Duplicates], Duplicates.Definition()+": each would have been a second referral of one place"),
	}}
}

func (f ReportFacts) survival() ReportTable {
	t := ReportTable{Name: "survival", Columns: []string{"after_s", "share_standing", "at_risk", "seen_down"}}
	if f.Partner {
		return t // each step tells of one item
	}
	for _, s := range SurvivalOf(Lifespans(f.Courses)) {
		t.Rows = append(t.Rows, []string{seconds(s.After), strconv.FormatFloat(s.Share, 'f', 4, 64), strconv.Itoa(s.AtRisk), strconv.Itoa(s.Removed)})
	}
	return t
}

// Following makes a report's facts from an export's events, in the log's order.
// It keeps what it needs of each item; use NewFollowing.
type Following struct {
	action  ActionID
	deltas  Deltas
	judged  map[string]ItemBody // by item: category and language
	courses map[string]*Course  // by item
	chases  map[string]*Chase   // by referral's reference
	within  map[string]string   // item → referral's reference
}

// NewFollowing follows one action's events.
func NewFollowing(a ActionID) *Following {
	return &Following{action: a, deltas: Deltas{}, judged: map[string]ItemBody{}, courses: map[string]*Course{}, chases: map[string]*Chase{}, within: map[string]string{}}
}

// Follow takes one more event; those of other actions change nothing. An
// unreadable body is an error.
func (f *Following) Follow(e RecordedEvent) error {
	if err := f.deltas.CountRecorded(e); err != nil {
		return fmt.Errorf("event %s: %w", e.ID, err)
	}
	at := FromMicros(e.At)
	switch e.Kind {
	case EventReferralSent, EventReferralAcknowledged, EventReferralReminded:
		var b ReferralBody
		if err := json.Unmarshal(e.Body, &b); err != nil {
			return fmt.Errorf("event %s: %w", e.ID, err)
		}
		if b.Action == f.action {
			f.chase(e.Kind, b, at)
		}
	case EventItemAssessed, EventItemReferred, EventItemAnswered, EventItemRechecked, EventItemWithdrawn:
		var b ItemBody
		if err := json.Unmarshal(e.Body, &b); err != nil {
			return fmt.Errorf("event %s: %w", e.ID, err)
		}
		if b.Action == f.action {
			f.item(e, b, at)
		}
	}
	return nil
}

func (f *Following) chase(kind EventKind, b ReferralBody, at time.Time) {
	c := f.chases[b.Ref]
	if c == nil {
		c = &Chase{Provider: b.Provider}
		f.chases[b.Ref] = c
	}
	switch kind {
	case EventReferralSent:
		c.SentAt = at
	case EventReferralAcknowledged:
		c.AckedAt = at
	case EventReferralReminded:
		c.Reminders++
	}
}

func (f *Following) item(e RecordedEvent, b ItemBody, at time.Time) {
	if e.Kind == EventItemAssessed {
		f.judged[e.Subject] = b
		return
	}
	c := f.courses[e.Subject]
	if e.Kind == EventItemReferred {
		j := f.judged[e.Subject]
		c = &Course{Provider: b.Provider, Category: j.ContentType, Language: j.Language, SentAt: at}
		f.courses[e.Subject], f.within[e.Subject] = c, b.Referral
	}
	if c == nil { // withdrawn before it was referred
		return
	}
	switch e.Kind {
	case EventItemAnswered:
		if b.Code.Final() && c.Answered.IsZero() {
			c.Answered = at
		}
		c.Contested, c.Restored = c.Contested || b.Code == AnswerContested, c.Restored || b.Code == AnswerRestored
	case EventItemRechecked:
		c.LookedAt = at
		if b.To != nil && b.To.Seen == ObservedDown && c.DownAt.IsZero() {
			c.DownAt = at
		}
	case EventItemWithdrawn:
		c.Withdrawn = true
	}
	if b.To != nil {
		c.Claim, c.Seen, c.WasDown = b.To.Claim, b.To.Seen, b.To.Down
	}
}

// Facts are what was followed so far.
func (f *Following) Facts() ReportFacts {
	out := ReportFacts{Totals: f.deltas.Totals(f.action), Authorities: map[AuthorityID]Counts{}, Providers: map[ProviderID]Counts{}}
	for id, c := range f.deltas.BySide(f.action, 'a') {
		out.Authorities[AuthorityID(id)] = c
	}
	for id, c := range f.deltas.BySide(f.action, 'p') {
		out.Providers[ProviderID(id)] = c
	}
	for _, c := range f.chases {
		out.Chases = append(out.Chases, *c)
	}
	for item, c := range f.courses {
		if by := f.chases[f.within[item]]; by != nil {
			c.AckedAt = by.AckedAt
		}
		out.Courses = append(out.Courses, *c)
	}
	return out
}
