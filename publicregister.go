package concert

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"
)

// PublicKind is what a public record is about.
type PublicKind string

// The kinds of request.
const (
	PublicOrder    PublicKind = "order"
	PublicReferral PublicKind = "referral"
)

// PublicKinds lists them.
var PublicKinds = []PublicKind{PublicOrder, PublicReferral}

// ReferralTakenBack is the public status of a referral all of whose items its author
// withdrew.
const ReferralTakenBack = "withdrawn"

// PublicRules say what is held back, and how long. The same rules make what is
// published and what is recounted from an export.
type PublicRules struct {
	Delay   time.Duration // nothing younger is shown
	Silence time.Duration // length of a non-disclosure (Art. 11(3))
	Hour    time.Duration // the time to remove (Art. 3(3))
}

// PublicDelay is how old something is before it is shown, where nobody sets another.
const PublicDelay = 24 * time.Hour

// PublicRulesBy are the rules with the terms of the law. A non-disclosure is taken as
// one day longer than it is, since it ends with a day in the authority's zone.
func PublicRulesBy(delay time.Duration, silence, removal Term) PublicRules {
	return PublicRules{Delay: delay, Silence: time.Duration(silence.Length.hours()+24) * time.Hour, Hour: time.Duration(removal.Length.hours()) * time.Hour}
}

// Cutoff is the moment up to which the register speaks: as old as the delay asks, and
// the beginning of a day, so that every node shows the same all day and nobody learns
// from hour to hour what came in. Where the delay is less than a day, it is the period.
func (r PublicRules) Cutoff(now time.Time) time.Time {
	period := min(24*time.Hour, max(time.Second, r.Delay))
	return now.Add(-r.Delay).UTC().Truncate(period)
}

// publicRequest is one order or referral with all that the log says of it in the
// clear. It is exact and never leaves the process: PublicRecord does.
type publicRequest struct {
	index     int64 // of the event with which it went out
	kind      PublicKind
	ref       string
	authority AuthorityID
	provider  ProviderID
	state     string // of the addressee
	at        time.Time
	changed   time.Time
	types     []ContentType
	contents  []ItemType
	units     []Metric
	counts    Counts
	article16 bool
	acked     bool
	answers   []string
	seen      []Observed
	checked   time.Time
	errors    int

	status     OrderStatus // of an order
	silent     bool        // its record is held back for a while
	until      time.Time   // until then, where the log says it; else for the law's term
	hour       time.Time   // until then it is inside its hour
	received   time.Time
	executed   time.Time
	copied     bool
	emergency  bool
	missed     bool
	why        []ImpossibleReason
	scrutinies int
	complaints map[ComplaintOutcome]int // by outcome; "" for filed
}

// publicItem is what the fold keeps of an item until it is referred, and then while it
// is.
type publicItem struct {
	kind    ItemType
	content ContentType
	facet   Facet
	request int // place in requests, -1 for none
}

// PublicError is one entry of the error register: something that went out and was
// wrong. Entries are never changed and never taken away (G17).
type PublicError struct {
	Index     int64 // of the event that put it right, of several on one day the first
	Kind      ErrorCause
	Category  RemedyCategory
	Request   PublicKind
	Ref       string // of the request
	Authority AuthorityID
	Provider  ProviderID
	SentOn    time.Time
	RightOn   time.Time
	Items     int
	request   int
}

// PublicParty is an authority or a provider as the log knows it.
type PublicParty struct {
	Ref   string
	Kind  string
	State string
}

// PublicFold goes through the events of the log, in its order, and keeps what the
// register says. It reads bodies in the clear and nothing else: never a sealed part,
// a subject's place or a text. The zero value is not ready: NewPublicFold.
type PublicFold struct {
	Size        int64 // events taken
	requests    []*publicRequest
	byRef       map[string]int
	items       map[string]publicItem
	errors      []PublicError
	unsettled   []unsettledError
	authorities map[AuthorityID]PublicParty
	providers   map[ProviderID]PublicParty
}

// NewPublicFold is a fold that has seen nothing.
func NewPublicFold() *PublicFold {
	return &PublicFold{byRef: map[string]int{}, items: map[string]publicItem{}, authorities: map[AuthorityID]PublicParty{}, providers: map[ProviderID]PublicParty{}}
}

// Add takes the next event. An event whose body cannot be read is an error: a register
// with a gap would be wrong without saying so.
func (f *PublicFold) Add(e RecordedEvent) error {
	if err := f.add(e); err != nil {
		return Refuse(Conflict, "register.event", "", "event %d (%s) has a body that cannot be read: %v", e.Index, e.Kind, err)
	}
	f.Size++
	return nil
}

func (f *PublicFold) add(e RecordedEvent) error {
	f.settle(e.At)
	family, _, _ := strings.Cut(string(e.Kind), ".")
	switch family {
	case "item":
		var b ItemBody
		if err := json.Unmarshal(e.Body, &b); err != nil {
			return err
		}
		f.addItem(e, b)
	case "referral":
		var b ReferralBody
		if err := json.Unmarshal(e.Body, &b); err != nil {
			return err
		}
		f.addReferral(e, b)
	case "order":
		var b OrderBody
		if err := json.Unmarshal(e.Body, &b); err != nil {
			return err
		}
		f.addOrder(e, b)
	case "authority", "provider":
		var b RegisterBody
		if err := json.Unmarshal(e.Body, &b); err != nil {
			return err
		}
		f.addParty(e, b)
	case "complaint":
		var b ComplaintBody
		if err := json.Unmarshal(e.Body, &b); err != nil {
			return err
		}
		f.addComplaint(e, b)
	case "error":
		var b ErrorBody
		if err := json.Unmarshal(e.Body, &b); err != nil {
			return err
		}
		f.addError(e, b)
	}
	return nil
}

// unsettledError is an item's withdrawal or correction whose own line of the error
// register, of the same act, may follow: older logs have none.
type unsettledError struct {
	event    RecordedEvent
	request  int
	cause    ErrorCause
	category RemedyCategory
}

// oneAct is how far apart events of one act may lie at most.
const oneAct = time.Minute

// settle takes the withdrawals and corrections as errors whose act is over by the
// moment, in microseconds: no line of the error register followed them.
func (f *PublicFold) settle(at int64) {
	f.unsettled = slices.DeleteFunc(f.unsettled, func(u unsettledError) bool {
		if at-u.event.At < oneAct.Microseconds() {
			return false
		}
		f.wrong(u.event, u.request, u.cause, u.category, 1)
		return true
	})
}

// addError takes a line of the error register, which says why the act of the same
// moment put its subject right.
func (f *PublicFold) addError(e RecordedEvent, b ErrorBody) {
	f.unsettled = slices.DeleteFunc(f.unsettled, func(u unsettledError) bool { return u.event.Subject == e.Subject })
	if !slices.Contains(ErrorCauses, b.Cause) {
		return
	}
	if it, ok := f.items[e.Subject]; ok && b.Kind == AboutReferral && it.request >= 0 {
		f.wrong(e, it.request, b.Cause, b.Category, 1)
	}
	if i, ok := f.byRef[b.Ref]; ok && b.Kind == AboutOrder {
		f.wrong(e, i, b.Cause, b.Category, int(f.requests[i].counts[Ordered]))
	}
}

func (f *PublicFold) addParty(e RecordedEvent, b RegisterBody) {
	switch e.Kind {
	case EventAuthorityAdded:
		f.authorities[b.Authority] = PublicParty{Ref: b.Ref, Kind: b.Kind, State: b.Country}
	case EventProviderAdded:
		f.providers[b.Provider] = PublicParty{Ref: b.Ref, Kind: b.Kind}
	case EventProviderSeated:
		p := f.providers[b.Provider]
		p.Ref, p.State = b.Ref, b.Kind
		f.providers[b.Provider] = p
	}
}

// request is the one with the reference, nil for none.
func (f *PublicFold) request(ref string) *publicRequest {
	i, ok := f.byRef[ref]
	if !ok || ref == "" {
		return nil
	}
	return f.requests[i]
}

func (f *PublicFold) open(r *publicRequest) {
	r.counts, r.complaints, r.changed = Counts{}, map[ComplaintOutcome]int{}, r.at
	f.byRef[r.ref] = len(f.requests)
	f.requests = append(f.requests, r)
}

func (f *PublicFold) addReferral(e RecordedEvent, b ReferralBody) {
	switch e.Kind {
	case EventReferralSent:
		f.open(&publicRequest{index: e.Index, kind: PublicReferral, ref: b.Ref, authority: b.Authority, provider: b.Provider, state: f.providers[b.Provider].State, at: FromMicros(e.At), article16: b.Article16})
	case EventReferralAcknowledged:
		if r := f.request(b.Ref); r != nil {
			r.acked, r.changed = true, FromMicros(e.At)
		}
	}
}

// publicItemMetrics are those of an item's numbers that are published: what became of
// it after it went out. What happened before is the authorities' inner business, and
// holds tell of investigations.
var publicItemMetrics = []Metric{ReferredN, AnsweredN, Silent, Removed, Refused, OtherAnswer, RecheckedN, Down, StillUp, PartialN, UnknownN, Returned, WithdrawnN}

func (r *publicRequest) count(f Facet, n int64) {
	if !f.Sent {
		return
	}
	looked := false
	for _, m := range f.metrics() {
		if slices.Contains(publicItemMetrics, m) {
			r.counts[m] += n
			looked = looked || m == RecheckedN
		}
	}
	if !looked {
		r.counts[Unchecked] += n
	}
}

func (f *PublicFold) addItem(e RecordedEvent, b ItemBody) {
	it, known := f.items[e.Subject]
	if !known {
		it.request = -1
	}
	if slices.Contains(ItemTypes, b.Type) {
		it.kind = b.Type
	}
	if slices.Contains(ContentTypes, b.ContentType) {
		it.content = b.ContentType
	}
	if e.Kind == EventItemReferred && b.Referral != "" {
		it = f.refer(e, it, b)
	}
	if it.request >= 0 {
		f.follow(e, &it, b)
	}
	f.items[e.Subject] = it
}

// refer begins to count the item in its referral.
func (f *PublicFold) refer(e RecordedEvent, it publicItem, b ItemBody) publicItem {
	i, ok := f.byRef[b.Referral]
	if !ok {
		return it
	}
	r := f.requests[i]
	it.request, it.facet = i, Facet{}
	unit := UnitOf(b.Kind)
	r.counts[unit]++
	r.units = with(r.units, unit)
	if it.kind != "" {
		r.contents = with(r.contents, it.kind)
	}
	if it.content != "" {
		r.types = with(r.types, it.content)
	}
	return it
}

// follow keeps up with what becomes of an item that went out.
func (f *PublicFold) follow(e RecordedEvent, it *publicItem, b ItemBody) {
	r := f.requests[it.request]
	if b.To != nil {
		r.count(it.facet, -1)
		it.facet = *b.To
		r.count(it.facet, 1)
	}
	at := FromMicros(e.At)
	switch e.Kind {
	case EventItemAnswered:
		if slices.Contains(AnswerCodes, b.Code) {
			r.answers = with(r.answers, string(b.Code))
		}
		r.changed = at
	case EventItemRechecked:
		if b.To != nil && slices.Contains(ObservedStates, b.To.Seen) {
			r.seen, r.checked, r.changed = with(r.seen, b.To.Seen), at, at
		}
	case EventItemWithdrawn:
		if b.To != nil && b.To.Sent {
			f.unsettled = append(f.unsettled, unsettledError{e, it.request, ErrorWithdrawal, b.Category})
		}
	case EventItemCorrected:
		r.counts[Corrected]++
		f.unsettled = append(f.unsettled, unsettledError{e, it.request, ErrorCorrection, b.Category})
	}
}

// with is the list with v in it, once, in the order in which they came.
func with[T comparable](list []T, v T) []T {
	if slices.Contains(list, v) {
		return list
	}
	return append(list, v)
}

// wrong adds to the error register. What one authority puts right of one request on
// one day for one reason is one entry.
func (f *PublicFold) wrong(e RecordedEvent, request int, kind ErrorCause, category RemedyCategory, items int) {
	r := f.requests[request]
	at := FromMicros(e.At)
	r.errors, r.changed = r.errors+1, at
	if !slices.Contains(RemedyCategories, category) {
		category = ""
	}
	day := at.UTC().Truncate(24 * time.Hour)
	for i := len(f.errors) - 1; i >= 0; i-- {
		x := &f.errors[i]
		if !x.RightOn.Equal(day) {
			break
		}
		if x.request == request && x.Kind == kind && x.Category == category {
			x.Items += items
			return
		}
	}
	f.errors = append(f.errors, PublicError{Index: e.Index, Kind: kind, Category: category, Request: r.kind, Ref: r.ref, Authority: r.authority, Provider: r.provider, SentOn: r.at, RightOn: day, Items: items, request: request})
}

func (f *PublicFold) addOrder(e RecordedEvent, b OrderBody) {
	at := FromMicros(e.At)
	if e.Kind == EventOrderIssued {
		f.issue(e, b, at)
		return
	}
	r := f.request(b.Ref)
	if r == nil || r.kind != PublicOrder {
		return // not issued: nobody outside is to learn of it
	}
	if slices.Contains(OrderStatuses, b.To) {
		r.status = b.To
	}
	// A non-disclosure that is prolonged says until when.
	if due := FromMicros(b.DueAt); b.DueAt != 0 && (b.Term == TermSilence || strings.Contains(string(e.Kind), "silence") || strings.Contains(string(e.Kind), "disclosure")) && due.After(r.until) {
		r.until = due
	}
	switch e.Kind {
	case EventOrderReceived:
		r.received, r.hour = at, at
	case EventOrderClarified:
		r.hour = at
	case EventOrderExecuted:
		r.execute(b, at)
	case EventOrderImpossible:
		if slices.Contains(ImpossibleReasons, b.Why) {
			r.why = with(r.why, b.Why)
		}
	case EventOrderLooked:
		r.checked = at
		for _, l := range []struct {
			items int
			seen  Observed
		}{{b.Down, ObservedDown}, {b.Up, ObservedUp}, {b.Items - b.Down - b.Up, ObservedUnknown}} {
			if l.items > 0 {
				r.seen = with(r.seen, l.seen)
			}
		}
	case EventOrderMissed:
		r.missed = r.missed || b.Term == TermRemoval
	case EventScrutinised:
		r.scrutinies++
	case EventOrderVoided, EventOrderWithdrawn:
		r.end(OrderedBack)
	case EventOrderAlarmed:
		return // the house's own clock: nothing happened
	}
	r.changed = at
}

func (f *PublicFold) issue(e RecordedEvent, b OrderBody, at time.Time) {
	r := &publicRequest{index: e.Index, kind: PublicOrder, ref: b.Ref, authority: b.Authority, provider: b.Provider, state: b.State, at: at, status: OrderIssued, silent: b.Silent, copied: b.Copied != "", emergency: b.Emergency}
	for _, t := range b.Reasons {
		if slices.Contains(ContentTypes, t) {
			r.types = with(r.types, t)
		}
	}
	if b.Silent && b.Term == TermSilence && b.DueAt != 0 {
		r.until = FromMicros(b.DueAt)
	}
	f.open(r)
	r.counts[Ordered], r.counts[OrderedOpen] = int64(b.Items), int64(b.Items)
	for m, n := range map[Metric]int{OrderedURLs: b.URLs, OrderedAccounts: b.Accounts, OrderedOthers: b.Items - b.URLs - b.Accounts} {
		r.counts[m] = int64(n)
	}
	for _, u := range []struct{ of, unit Metric }{{OrderedURLs, ReferredURLs}, {OrderedAccounts, ReferredAccounts}, {OrderedOthers, ReferredOthers}} {
		if r.counts[u.of] > 0 {
			r.units = with(r.units, u.unit)
		}
	}
}

func (r *publicRequest) execute(b OrderBody, at time.Time) {
	m := OrderedRemoved
	if b.Measure == MeasureDisabled {
		m = OrderedDisabled
	}
	n := min(int64(b.Items), r.counts[OrderedOpen])
	r.counts[m] += n
	r.counts[OrderedOpen] -= n
	if slices.Contains(OrderMeasures, b.Measure) {
		r.answers = with(r.answers, string(b.Measure))
	}
	if b.To == OrderExecuted && r.executed.IsZero() {
		r.executed = at
	}
}

// end counts what an order that lost its effect had made go: it is reinstated.
func (r *publicRequest) end(m Metric) {
	r.counts[m] = r.counts[OrderedRemoved] + r.counts[OrderedDisabled]
}

func (f *PublicFold) addComplaint(e RecordedEvent, b ComplaintBody) {
	i, ok := f.byRef[b.For]
	if !ok {
		return
	}
	r := f.requests[i]
	switch {
	case e.Kind == EventComplaintFiled:
		r.complaints[""]++
	case e.Kind == EventComplaintDecided && slices.Contains(ComplaintOutcomes, b.Outcome):
		r.complaints[b.Outcome]++
	default:
		return // an alarm is the house's own clock: nothing happened
	}
	r.changed = FromMicros(e.At)
}

// publicState is a code of a state as it may be published.
var publicState = regexp.MustCompile(`^[A-Z]{2}$`)

// muted reports whether a non-disclosure stands: where the log does not say until
// when, for the law's term.
func (r *publicRequest) muted(rules PublicRules, cutoff time.Time) bool {
	until := r.until
	if until.IsZero() {
		until = r.at.Add(rules.Silence)
	}
	return r.silent && cutoff.Before(until)
}

// withheld reports whether nothing but the number of such orders is published.
func (r *publicRequest) withheld(rules PublicRules, cutoff time.Time) bool {
	open := r.status == OrderReceived || r.status == OrderClarified
	return r.muted(rules, cutoff) || r.kind == PublicOrder && open && cutoff.Before(r.hour.Add(rules.Hour))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Told is the event of the order's issue with what the public register counts by: of
// what kind its places are, and until when a non-disclosure stands.
func (p OrderPayload) Told(e Event) Event {
	b, ok := e.Body.(OrderBody)
	if !ok {
		return e
	}
	for _, pl := range p.Places {
		switch UnitOf(pl.Location.Kind) {
		case ReferredURLs:
			b.URLs++
		case ReferredAccounts:
			b.Accounts++
		}
	}
	if s := p.NonDisclosure; s != nil {
		if until, err := time.Parse(TimeFormat, s.Until); err == nil {
			b.Term, b.DueAt = TermSilence, Micros(until)
		}
	}
	e.Body = b
	return e
}
