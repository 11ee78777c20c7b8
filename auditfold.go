package concert

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// AuditFold goes through the events of the log, in its order, and keeps what an
// auditor's workbench shows: accesses by kind, what was acted upon, draws with their
// findings, and how long things stood where they stood. It reads bodies in the clear
// and nothing else, so that the same numbers come of the log inside and of an export
// anywhere. The zero value is not ready: NewAuditFold. It is not safe for two at once.
type AuditFold struct {
	Size    int64     // events taken
	At      time.Time // of the newest event
	words   words
	rules   map[EventKind][]AccessKind
	access  map[accessCell]int64
	given   map[recipientCell]int64
	things  map[string]*auditThing // items, orders and complaints, by id
	refs    map[string]*auditReferral
	cells   map[frameCell]int // how many acted upon, by what a frame may ask
	erased  int               // acted upon and erased: in no frame
	draws   []*AuditSample
	drawnIn map[string][]*drawnPlace // by subject
	asked   []*AuditAdvice
	dwell   *dwellFold
	parties map[string]PublicParty // authorities and providers, by id
}

// words keeps each text once, as a number.
type words struct {
	of   map[string]uint32
	list []string
}

func (w *words) number(s string) uint32 {
	n, ok := w.of[s]
	if !ok {
		n = uint32(len(w.list))
		s = strings.Clone(s)
		w.of[s], w.list = n, append(w.list, s)
	}
	return n
}

// month counts months since the year 0, UTC.
func monthOf(micros int64) int32 {
	at := FromMicros(micros).UTC()
	return int32(at.Year()*12 + int(at.Month()) - 1)
}

// monthText is the month as people write it: 2026-01.
func monthText(m int32) string {
	return time.Date(int(m)/12, time.Month(m%12+1), 1, 0, 0, 0, 0, time.UTC).Format(monthForm)
}

// monthNumber is the other way round, 0 for none.
func monthNumber(text string) int32 {
	at, err := time.Parse(monthForm, text)
	if err != nil {
		return 0
	}
	return monthOf(Micros(at))
}

// auditThing is what is kept of an item, an order or a complaint.
type auditThing struct {
	ref       string
	kind      DwellKind
	about     AboutKind // "" until it is acted upon
	authority uint32
	provider  uint32
	content   uint32
	outcome   AuditOutcome
	month     int32 // in which it was acted upon
	erased    bool
	state     uint32
	since     int64
	entered   dwellKey // under which it waits
}

// auditReferral is what is kept of a referral.
type auditReferral struct {
	thing    auditThing
	items    int
	answered int
}

// frameCell is what a frame may ask of something acted upon.
type frameCell struct {
	about     AboutKind
	outcome   AuditOutcome
	authority uint32
	provider  uint32
	content   uint32
	month     int32
}

// NewAuditFold is a fold that has seen nothing.
func NewAuditFold() *AuditFold {
	f := &AuditFold{
		words: words{of: map[string]uint32{}}, rules: accessTable(), access: map[accessCell]int64{}, given: map[recipientCell]int64{}, things: map[string]*auditThing{}, refs: map[string]*auditReferral{},
		cells: map[frameCell]int{}, drawnIn: map[string][]*drawnPlace{}, dwell: newDwellFold(), parties: map[string]PublicParty{},
	}
	f.words.number("")
	return f
}

// Add takes the next event. An event whose body cannot be read is an error: numbers
// with a gap would be wrong without saying so.
func (f *AuditFold) Add(e RecordedEvent) error {
	f.countAccess(e)
	if err := f.add(e); err != nil {
		return Refuse(Conflict, "audit.event", "", "event %d (%s) has a body that cannot be read: %v", e.Index, e.Kind, err)
	}
	f.Size++
	if at := FromMicros(e.At); at.After(f.At) {
		f.At = at
	}
	return nil
}

// bodyOf reads a body and hands it on.
func bodyOf[T any](e RecordedEvent, take func(RecordedEvent, T)) error {
	var b T
	if err := json.Unmarshal(e.Body, &b); err != nil {
		return err
	}
	take(e, b)
	return nil
}

func (f *AuditFold) add(e RecordedEvent) error {
	switch family, _, _ := strings.Cut(string(e.Kind), "."); family {
	case "item":
		return bodyOf(e, f.addItem)
	case "referral":
		return bodyOf(e, f.addReferral)
	case "order":
		return bodyOf(e, f.addOrder)
	case "complaint":
		return bodyOf(e, f.addComplaint)
	case "authority", "provider":
		return bodyOf(e, f.addParty)
	case "consulted":
		return bodyOf(e, f.addReading)
	case "audit":
		return f.addAudit(e)
	}
	return nil
}

func (f *AuditFold) addAudit(e RecordedEvent) error {
	switch e.Kind {
	case EventAuditDrawn:
		return bodyOf(e, f.addDraw)
	case EventAuditReassessed:
		return bodyOf(e, f.addFinding)
	}
	return bodyOf(e, f.addAdvice)
}

func (f *AuditFold) addParty(e RecordedEvent, b RegisterBody) {
	switch e.Kind {
	case EventAuthorityAdded:
		f.parties[string(b.Authority)] = PublicParty{Ref: b.Ref, Kind: b.Kind, State: b.Country}
	case EventProviderAdded:
		f.parties[string(b.Provider)] = PublicParty{Ref: b.Ref, Kind: b.Kind}
	}
}

// Party is the reference of an authority or a provider, by its id.
func (f *AuditFold) Party(id string) string { return f.parties[id].Ref }

func (f *AuditFold) thing(subject string, kind DwellKind) *auditThing {
	t := f.things[subject]
	if t == nil {
		t = &auditThing{kind: kind}
		f.things[strings.Clone(subject)] = t
	}
	return t
}

// cell is where the thing is counted.
func (t *auditThing) cell() frameCell {
	return frameCell{t.about, t.outcome, t.authority, t.provider, t.content, t.month}
}

// counted changes a thing, and keeps the number of what was acted upon with it.
func (f *AuditFold) counted(t *auditThing, change func()) {
	if t.about != "" && !t.erased {
		f.bump(t.cell(), -1)
	}
	change()
	if t.about != "" && !t.erased {
		f.bump(t.cell(), 1)
	}
}

func (f *AuditFold) bump(c frameCell, n int) {
	if f.cells[c] += n; f.cells[c] == 0 {
		delete(f.cells, c)
	}
}

func (f *AuditFold) addItem(e RecordedEvent, b ItemBody) {
	if e.Kind == EventItemErased {
		f.erase(e.Subject, FromMicros(e.At), e.At)
		return
	}
	t := f.thing(e.Subject, DwellItem)
	f.counted(t, func() {
		if b.Ref != "" && t.ref == "" {
			t.ref = b.Ref
		}
		f.place(t, b.Author, b.Authority, b.Provider)
		if slices.Contains(ContentTypes, b.ContentType) && e.Kind != EventItemSecondLook {
			t.content = f.words.number(string(b.ContentType))
		}
		if e.Kind == EventItemReferred {
			t.about, t.month, t.outcome = AboutReferral, monthOf(e.At), OutcomeWaiting
		}
		if b.To != nil && t.about == AboutReferral {
			t.outcome = outcomeOf(*b.To)
		}
	})
	if b.To != nil {
		f.move(t, string(b.To.Status), e.At)
	}
	if e.Kind == EventItemAnswered && b.To != nil && b.From != nil && b.To.Claim.Final() && !b.From.Claim.Final() {
		f.answered(b.Referral, e.At)
	}
}

// place says whose a thing is: the author's, else who found it first.
func (f *AuditFold) place(t *auditThing, author, finder AuthorityID, provider ProviderID) {
	switch {
	case author != "":
		t.authority = f.words.number(string(author))
	case t.authority == 0 && finder != "":
		t.authority = f.words.number(string(finder))
	}
	if provider != "" {
		t.provider = f.words.number(string(provider))
	}
}

// outcomeOf is what became of a referred item.
func outcomeOf(f Facet) AuditOutcome {
	switch {
	case f.Claim.Effect() || f.Down:
		return OutcomeRemoved
	case f.Claim.Final():
		return OutcomeKept
	}
	return OutcomeWaiting
}

func (f *AuditFold) erase(subject string, at time.Time, micros int64) {
	t := f.things[subject]
	if t == nil || t.erased {
		return
	}
	f.counted(t, func() { t.erased = true })
	f.leave(t, micros)
	t.state = 0
	if t.about != "" {
		f.erased++
	}
	for _, p := range f.drawnIn[subject] {
		p.sample.Units[p.unit].ErasedAt = at
	}
}

func (f *AuditFold) addReferral(e RecordedEvent, b ReferralBody) {
	switch e.Kind {
	case EventReferralSent:
		r := &auditReferral{items: b.Items, thing: auditThing{ref: b.Ref, kind: DwellReferral}}
		f.place(&r.thing, b.Authority, "", b.Provider)
		f.refs[b.Ref] = r
		f.move(&r.thing, string(ReferralSent), e.At)
	case EventReferralAcknowledged:
		if r := f.refs[b.Ref]; r != nil && r.answered == 0 {
			f.move(&r.thing, string(ReferralAcknowledged), e.At)
		}
	}
}

// answered counts a final answer to one item of a referral.
func (f *AuditFold) answered(ref string, at int64) {
	r := f.refs[ref]
	if r == nil {
		return
	}
	r.answered++
	to := ReferralPartly
	if r.answered >= r.items {
		to = ReferralAnswered
	}
	f.move(&r.thing, string(to), at)
}

func (f *AuditFold) addOrder(e RecordedEvent, b OrderBody) {
	t := f.thing(e.Subject, DwellOrder)
	f.counted(t, func() {
		if b.Ref != "" {
			t.ref = b.Ref
		}
		f.place(t, b.Authority, "", b.Provider)
		if len(b.Reasons) > 0 && slices.Contains(ContentTypes, b.Reasons[0]) {
			t.content = f.words.number(string(b.Reasons[0]))
		}
		switch e.Kind {
		case EventOrderIssued:
			t.about, t.month, t.outcome = AboutOrder, monthOf(e.At), OutcomeWaiting
		case EventOrderExecuted:
			t.outcome = OutcomeRemoved
		case EventOrderImpossible:
			t.outcome = OutcomeKept
		case EventOrderClarified:
			t.outcome = OutcomeWaiting
		}
	})
	if slices.Contains(OrderStatuses, b.To) {
		f.move(t, string(b.To), e.At)
	}
}

func (f *AuditFold) addComplaint(e RecordedEvent, b ComplaintBody) {
	t := f.thing(e.Subject, DwellComplaint)
	t.ref = b.Ref
	f.place(t, b.Authority, "", b.Provider)
	switch e.Kind {
	case EventComplaintFiled:
		f.move(t, ComplaintWaits, e.At)
	case EventComplaintDecided:
		f.move(t, ComplaintOver, e.At)
	}
}

// addReading keeps that an auditor opened something that is drawn: a finding after
// that is not blind.
func (f *AuditFold) addReading(e RecordedEvent, b ConsultedBody) {
	if b.What != ReadOneItem && b.What != ReadOrder && b.What != ReadErasure {
		return
	}
	for _, s := range f.draws {
		if u, ok := s.byRef[b.Ref]; ok && !slices.Contains(s.Units[u].opened, e.Actor) {
			s.Units[u].opened = append(s.Units[u].opened, e.Actor)
		}
	}
}
