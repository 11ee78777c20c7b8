package concert

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// ScrutinyID names a Scrutiny.
type ScrutinyID string

// ScrutinyOutcome is what the authority of the addressee's state found (Art. 4(3), 4(4)).
type ScrutinyOutcome string

// The outcomes. Each of the last two ends the order (Art. 4(6)).
const (
	ScrutinyClear      ScrutinyOutcome = "no_infringement"
	ScrutinyRegulation ScrutinyOutcome = "infringes_regulation" // seriously or manifestly
	ScrutinyCharter    ScrutinyOutcome = "infringes_charter"    // fundamental rights and freedoms
)

// ScrutinyOutcomes lists them.
var ScrutinyOutcomes = []ScrutinyOutcome{ScrutinyClear, ScrutinyRegulation, ScrutinyCharter}

// Infringes reports whether the outcome ends the order.
func (o ScrutinyOutcome) Infringes() bool { return o == ScrutinyRegulation || o == ScrutinyCharter }

// Scrutiny is one examination of an order by the authority of its addressee's state:
// on its own motion, or because a party asked (Art. 4).
type Scrutiny struct {
	ID         ScrutinyID
	Order      OrderID
	AskedBy    RedressParty // "" on its own motion
	AskedAt    time.Time    // or when it was opened
	DueAt      time.Time    // by when it is decided
	IntendedAt time.Time    // when the issuing authority was told what is intended, and why; zero while it was not
	IntendedBy PersonID
	Outcome    ScrutinyOutcome // "" while it is open
	DecidedAt  time.Time
	DecidedBy  PersonID
	Version    int64
	ScrutinyText
}

// ScrutinyText is what of a scrutiny is written by hand, sealed under the order's key.
type ScrutinyText struct {
	Request   string `json:"request,omitempty"`
	Intention string `json:"intention,omitempty"`
	Reasons   string `json:"reasons,omitempty"`
}

// Open reports whether it waits for its decision.
func (s Scrutiny) Open() bool { return s.Outcome == "" }

// ScrutinyBody is the body of events on scrutiny: no text.
type ScrutinyBody struct {
	Ref       string          `json:"ref"` // of the order
	Authority AuthorityID     `json:"authority"`
	Provider  ProviderID      `json:"provider"`
	Copied    AuthorityID     `json:"copied"`             // the authority that scrutinises
	AskedBy   RedressParty    `json:"asked_by,omitempty"` // missing where it is on its own motion
	Outcome   ScrutinyOutcome `json:"outcome,omitempty"`
	Category  RemedyCategory  `json:"category,omitempty"`
	DueAt     int64           `json:"due_at,omitempty"` // microseconds UTC
	Exercise  bool            `json:"exercise,omitempty"`
}

func (o Order) scrutinyBody() ScrutinyBody {
	return ScrutinyBody{Ref: o.Ref, Authority: o.Authority, Provider: o.Provider, Copied: o.Copied, Exercise: o.Exercise}
}

// scrutable refuses the scrutiny of an order that is none of another state, or that
// does not stand.
func (o Order) scrutable() error {
	switch {
	case !o.Status.Out() || !o.Status.Binds():
		return Refuse(Conflict, "order.ended", "", "order %s is %s: there is nothing to scrutinise", o.Ref, o.Status)
	case o.Copied == "":
		return Refuse(Conflict, "order.no_scrutiny", "", "order %s was issued in the state in which its addressee is established: Art. 4 concerns orders of other states; its courts are the way to a review", o.Ref)
	}
	return nil
}

// MayScrutinise refuses whoever does not scrutinise the order: people of the authority
// that has its copy, as long as that has the function (Art. 12(1)(b)).
func (o Order) MayScrutinise(by Actor, office OrderOffice, roles ...Role) error {
	if by.Authority == "" || by.Authority != o.Copied {
		return Refuse(Forbidden, "order.scrutiny_function", "", "order %s is scrutinised by the authority that has its copy (Art. 4(1)), not by yours", o.Ref)
	}
	if !office.Has(FunctionScrutinise) {
		return Refuse(Forbidden, "order.scrutiny_function", "", "your authority does not scrutinise orders (Art. 12(1)(b)) any more: two administrators give it that function")
	}
	return by.Need(roles...)
}

// ScrutinyAsked is a party's reasoned request, within 48 hours of receipt of the order
// or of the information on it (Art. 4(4)); until is the end of them, zero where nothing
// has been received. It is decided by s.DueAt.
func (o Order) ScrutinyAsked(by Actor, s Scrutiny, until time.Time, earlier []Scrutiny, now time.Time) (Scrutiny, Event, error) {
	if err := o.scrutable(); err != nil {
		return s, Event{}, err
	}
	switch {
	case slices.ContainsFunc(earlier, func(e Scrutiny) bool { return e.AskedBy == s.AskedBy }):
		return s, Event{}, Refuse(Conflict, "order.scrutiny_asked", "", "scrutiny of order %s was asked for already: each party asks once", o.Ref)
	case until.IsZero() || now.After(until):
		return s, Event{}, Refuse(Conflict, "order.scrutiny_late", "", "scrutiny of order %s is asked for within 48 hours of receipt (Art. 4(4)), and they are over: its courts are the way to a review", o.Ref)
	}
	if err := scrutinyText(s.Request, "request"); err != nil {
		return s, Event{}, err
	}
	s.Order, s.AskedAt, s.Request = o.ID, now, strings.TrimSpace(s.Request)
	b := o.scrutinyBody()
	b.AskedBy, b.DueAt = s.AskedBy, Micros(s.DueAt)
	return s, NewEvent(EventScrutinyAsked, by, string(o.ID), now, b).WithSealed(GroundText{Ground: s.Request}), nil
}

func scrutinyText(text, field string) error {
	switch n := utf8.RuneCountInString(strings.TrimSpace(text)); {
	case n < OrderGroundLeast:
		return Refuse(Invalid, "order.scrutiny_text", field, "give reasons in at least %d characters: whom it concerns reads them", OrderGroundLeast)
	case n > OrderStatementMost:
		return Refuse(TooLarge, "order.scrutiny_text", field, "reasons have at most %d characters", OrderStatementMost)
	}
	return Filled(field, text)
}

// ScrutinyOpened is a scrutiny on the authority's own motion, within 72 hours of the
// receipt of its copy: own is that clock (Art. 4(3)).
func (o Order) ScrutinyOpened(own Deadline, now time.Time) (Scrutiny, error) {
	if own.State != DeadlineRunning || now.After(own.DueAt) {
		return Scrutiny{}, Refuse(Conflict, "order.scrutiny_over", "", "the 72 hours in which order %s is scrutinised without a request are over (Art. 4(3)), and no request is open", o.Ref)
	}
	return Scrutiny{Order: o.ID, AskedAt: now, DueAt: own.DueAt}, nil
}

// ScrutinyIntended says that the issuing authority is told of the intention to find an
// infringement, and why, before it is found (Art. 4(3), 4(4)).
func (o Order) ScrutinyIntended(by Actor, office OrderOffice, s Scrutiny, reasons string, now time.Time) (Scrutiny, Event, error) {
	if err := o.MayScrutinise(by, office, RoleOfficer, RoleReviewer, RoleIssuer); err != nil {
		return s, Event{}, err
	}
	if err := o.scrutable(); err != nil {
		return s, Event{}, err
	}
	if !s.IntendedAt.IsZero() {
		return s, Event{}, Refuse(Conflict, "order.scrutiny_intended", "", "the issuing authority was told of the intention on order %s already: a second person decides now", o.Ref)
	}
	if err := scrutinyText(reasons, "reason"); err != nil {
		return s, Event{}, err
	}
	s.IntendedAt, s.IntendedBy, s.Intention = now, by.Person, strings.TrimSpace(reasons)
	b := o.scrutinyBody()
	b.AskedBy, b.DueAt = s.AskedBy, Micros(s.DueAt)
	return s, NewEvent(EventScrutinyIntended, by, string(o.ID), now, b).WithSealed(GroundText{Ground: s.Intention}), nil
}

// Finding is the decision of a scrutiny as somebody writes it.
type Finding struct {
	Outcome  ScrutinyOutcome
	Category RemedyCategory // of an infringement, for the error register
	Reasons  string
}

// Check refuses a finding that could not stand.
func (f Finding) Check() error {
	if !slices.Contains(ScrutinyOutcomes, f.Outcome) {
		return Refuse(Invalid, "order.scrutiny_outcome", "outcome", "a scrutiny finds one of %v: got %.40q", ScrutinyOutcomes, f.Outcome)
	}
	if f.Outcome.Infringes() {
		if f.Category == "" {
			return Refuse(Invalid, "order.scrutiny_category", "category", "an infringement stands in the error register with a category: choose one")
		}
		if err := f.Category.check(); err != nil {
			return err
		}
	}
	return scrutinyText(f.Reasons, "reason")
}

// Scrutinised decides one scrutiny. An infringement is found only after the issuing
// authority was told of the intention, and by another person than who told it. A
// decision on a request may come late: its clock then says so.
func (o Order) Scrutinised(by Actor, office OrderOffice, s Scrutiny, f Finding, now time.Time) (Scrutiny, Event, error) {
	if err := o.MayScrutinise(by, office, RoleIssuer); err != nil {
		return s, Event{}, err
	}
	if err := o.scrutable(); err != nil {
		return s, Event{}, err
	}
	if err := f.Check(); err != nil {
		return s, Event{}, err
	}
	switch {
	case !s.Open():
		return s, Event{}, Refuse(Conflict, "order.scrutinised", "", "this scrutiny of order %s was decided already", o.Ref)
	case s.AskedBy == "" && now.After(s.DueAt):
		return s, Event{}, Refuse(Conflict, "order.scrutiny_over", "", "the 72 hours in which order %s is scrutinised without a request are over (Art. 4(3)), and no request is open", o.Ref)
	case f.Outcome.Infringes() && s.IntendedAt.IsZero():
		return s, Event{}, Refuse(Conflict, "order.scrutiny_unintended", "", "before an infringement is found, the issuing authority is told of the intention and its reasons (Art. 4(3), 4(4)): do that first")
	case f.Outcome.Infringes() && s.IntendedBy == by.Person:
		return s, Event{}, Refuse(Forbidden, "order.scrutiny_own", "", "you told the issuing authority of the intention: another person of your authority decides")
	}
	s.Outcome, s.DecidedAt, s.DecidedBy, s.Reasons = f.Outcome, now, by.Person, strings.TrimSpace(f.Reasons)
	b := o.scrutinyBody()
	b.AskedBy, b.Outcome = s.AskedBy, s.Outcome
	if s.Outcome.Infringes() {
		b.Category = f.Category
	}
	return s, NewEvent(EventScrutinised, by, string(o.ID), now, b).WithSealed(GroundText{Ground: s.Reasons}), nil
}

// Voided ends an order that was found to infringe, by the authority of the addressee's
// state (Art. 4(6)) or by a court (Art. 9): its addressee reinstates the content.
func (o Order) Voided(by Actor, reasons string, now time.Time) (Order, Event, error) {
	return o.ended(OrderMoveVoid, EventOrderVoided, by, reasons, now)
}

// Hides reports whether the order hides from the content provider at the time: silence
// is the clock of its non-disclosure (Art. 11(3)). It ends by itself, with the clock or
// with the order.
func (o Order) Hides(silence Deadline, now time.Time) bool {
	return o.Silent && o.Status.Binds() && silence.State == DeadlineRunning && !now.After(silence.DueAt)
}

// SilenceProlonged says that the non-disclosure lasts longer, once, with its reason
// (Art. 11(3)); d is its clock as it stands then.
func (o Order) SilenceProlonged(by Actor, d Deadline, now time.Time) (Order, Event, error) {
	if err := o.own(by, RoleIssuer); err != nil {
		return o, Event{}, err
	}
	if !o.Silent || !o.Status.Out() || !o.Status.Binds() {
		return o, Event{}, Refuse(Conflict, "order.not_silent", "", "order %s, which is %s, hides nothing from the content provider: there is nothing to prolong", o.Ref, o.Status)
	}
	o.UpdatedAt = now
	e, b := o.change(EventSilenceProlonged, by, o.Status, now)
	b.Term, b.DueAt, b.Silent = d.Term, Micros(d.DueAt), true
	e.Body = b
	return o, e.WithSealed(GroundText{Ground: d.Extension}), nil
}
