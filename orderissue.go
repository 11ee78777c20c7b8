package concert

import (
	"encoding/hex"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Reviewed confirms a draft: a reviewer of its authority who did not write it finds it
// complete. It is no approval yet.
func (o Order) Reviewed(by Actor, now time.Time) (Order, Event, error) {
	if err := o.own(by, RoleReviewer); err != nil {
		return o, Event{}, err
	}
	if err := o.another(by); err != nil {
		return o, Event{}, err
	}
	from := o.Status
	o, err := o.moved(OrderMoveReview, now)
	if err != nil {
		return o, Event{}, err
	}
	o.Reviewer = by.Person
	e, _ := o.change(EventOrderReviewed, by, from, now)
	return o, e, nil
}

// another refuses whoever wrote the order (G03): nobody reviews, or approves, its own.
func (o Order) another(by Actor) error {
	if by.Person == o.Drafter {
		return Refuse(Forbidden, "order.own", "", "you wrote order %s: another person reviews and approves it", o.Ref)
	}
	return nil
}

// Returned sends an order back to whoever wrote it, with a reason.
func (o Order) Returned(by Actor, reason string, now time.Time) (Order, Event, error) {
	if err := o.own(by, RoleReviewer, RoleIssuer); err != nil {
		return o, Event{}, err
	}
	if err := o.another(by); err != nil {
		return o, Event{}, err
	}
	return o.ended(OrderMoveReturn, EventOrderReturned, by, reason, now)
}

// Dropped gives an order up that was never issued.
func (o Order) Dropped(by Actor, reason string, now time.Time) (Order, Event, error) {
	if err := o.own(by, RoleOfficer, RoleReviewer, RoleIssuer); err != nil {
		return o, Event{}, err
	}
	return o.ended(OrderMoveDrop, EventOrderDropped, by, reason, now)
}

// Withdrawn takes an order back that was issued: its addressee reinstates the content
// (G16). It does not come back.
func (o Order) Withdrawn(by Actor, reason string, now time.Time) (Order, Event, error) {
	if err := o.own(by, RoleReviewer, RoleIssuer); err != nil {
		return o, Event{}, err
	}
	return o.ended(OrderMoveWithdraw, EventOrderWithdrawn, by, reason, now)
}

// ended makes a move that needs a reason.
func (o Order) ended(m OrderMove, kind EventKind, by Actor, reason string, now time.Time) (Order, Event, error) {
	from := o.Status
	next, err := o.moved(m, now)
	if err != nil {
		return o, Event{}, err
	}
	if err := ground(reason, m); err != nil {
		return o, Event{}, err
	}
	next.Ended = strings.TrimSpace(reason)
	if !next.Status.Binds() {
		next.EndedAt = now
	}
	if m == OrderMoveReturn {
		next.Reviewer, next.Approver, next.ApprovedAt = "", "", time.Time{}
	}
	e, _ := next.change(kind, by, from, now)
	return next, e.WithSealed(GroundText{Ground: next.Ended}), nil
}

func ground(reason string, m OrderMove) error {
	switch n := utf8.RuneCountInString(strings.TrimSpace(reason)); {
	case n < OrderGroundLeast:
		return Refuse(Invalid, "order.reason", "reason", "to %s an order needs a reason of at least %d characters: whom it concerns reads it", m, OrderGroundLeast)
	case n > OrderStatementMost:
		return Refuse(TooLarge, "order.reason", "reason", "a reason has at most %d characters", OrderStatementMost)
	}
	return Filled("reason", reason)
}

// Approved is the second person's word, which has the issuing function and proved
// itself a moment ago (G03). It does not issue yet (Issued).
func (o Order) Approved(by Actor, office OrderOffice, now time.Time) (Order, Event, error) {
	if err := o.own(by, RoleIssuer); err != nil {
		return o, Event{}, err
	}
	if err := o.another(by); err != nil {
		return o, Event{}, err
	}
	if !office.Has(FunctionIssue) {
		return o, Event{}, Refuse(Forbidden, "order.function", "", "your authority does not issue removal orders (Art. 12(1)(a)) any more: two administrators give it that function")
	}
	from := o.Status
	o, err := o.moved(OrderMoveApprove, now)
	if err != nil {
		return o, Event{}, err
	}
	o.Approver, o.ApprovedAt = by.Person, now
	e, b := o.change(EventOrderApproved, by, from, now)
	b.Silent, b.Emergency = o.Silent, o.Emergency
	e.Body = b
	if o.Emergency {
		e = e.WithSealed(GroundText{Ground: o.EmergencyGround})
	}
	return o, e, nil
}

// FirstContact is what a provider was told before the first order of an authority
// (Art. 3(2)): on procedures and deadlines, at least twelve hours before.
type FirstContact struct {
	Authority AuthorityID
	Provider  ProviderID
	Ref       string // of the notice
	NoticedAt time.Time
	DueAt     time.Time // from when an order may be issued
	IssuedAt  time.Time // when the first one was; zero for none yet
}

// Over reports whether an order may be issued without another notice.
func (c FirstContact) Over(now time.Time) bool {
	return !c.IssuedAt.IsZero() || !c.NoticedAt.IsZero() && !now.Before(c.DueAt)
}

// Noticed says that the addressee is told first, since this is its first order of the
// authority: the order waits for twelve hours to be over.
func (o Order) Noticed(by Actor, c FirstContact, now time.Time) (Order, Event, error) {
	from := o.Status
	o, err := o.moved(OrderMoveNotice, now)
	if err != nil {
		return o, Event{}, err
	}
	e, b := o.change(EventOrderNoticed, by, from, now)
	b.Term, b.DueAt = TermFirstContact, Micros(c.DueAt)
	e.Body = b
	return o, e, nil
}

// CodeOrderHeld is the refusal of an order that came upon a hold.
const CodeOrderHeld = "order.held"

// OrderFacts is what stands around an order at the moment at which it is issued.
type OrderFacts struct {
	Author       Authority
	Office       OrderOffice
	Provider     Provider
	Seat         Seat
	ContactPoint string // where it is received (Art. 15)
	Subjects     []OrderSubject
	First        FirstContact
	Redress      []OrderRedress // of the issuing state (G15)
	Copy         *OrderContact  // the authority of the addressee's state; nil in the issuing state
	Copied       AuthorityID    // the same
	Others       []Order        // that stand for one of the items, of whatever authority (G08)
	Holds        []Hold         // of others that stand for one of the items (G07)
	SilentUntil  time.Time      // the end of six weeks; zero where the order is not silent
	Transport    string
}

// Issued lets an order go: what the law asks of it is there, and nothing stands in
// its way. The payload is what is signed; the caller signs it and gives the digest.
func (o Order) Issued(by Actor, f OrderFacts, now time.Time) (Order, OrderPayload, error) {
	if err := o.own(by, RoleIssuer); err != nil {
		return o, OrderPayload{}, err
	}
	if o.Approver == "" || o.Approver == o.Drafter {
		return o, OrderPayload{}, Refuse(Conflict, "order.unapproved", "", "order %s is not approved by a second person: one who did not write it approves it first", o.Ref)
	}
	if !f.Office.Has(FunctionIssue) {
		return o, OrderPayload{}, Refuse(Forbidden, "order.function", "", "your authority does not issue removal orders (Art. 12(1)(a)) any more: two administrators give it that function")
	}
	if err := o.about(f.Subjects, now); err != nil {
		return o, OrderPayload{}, err
	}
	if err := o.unhindered(f, now); err != nil {
		return o, OrderPayload{}, err
	}
	o, err := o.moved(OrderMoveIssue, now)
	if err != nil {
		return o, OrderPayload{}, err
	}
	o.IssuedAt, o.State, o.Copied = now, f.Seat.Establishment, f.Copied
	return o, o.payload(f), nil
}

// IssuedEvent says that the order was issued, by the digest of what was signed.
func (o Order) IssuedEvent(by Actor, from OrderStatus, digest [32]byte) (Order, Event) {
	o.Digest = hex.EncodeToString(digest[:])
	e, b := o.change(EventOrderIssued, by, from, o.IssuedAt)
	b.Digest, b.Reasons, b.State, b.Copied, b.Silent, b.Emergency = o.Digest, o.Reasons, o.State, o.Copied, o.Silent, o.Emergency
	e.Body = b
	return o, e
}

// unhindered refuses what the law or another authority stands against.
func (o Order) unhindered(f OrderFacts, now time.Time) error {
	switch {
	case f.Seat.Establishment == "":
		return Refuse(Conflict, "order.seat", "", "where %s is established, or represented (Art. 17), is not known: an administrator records it with the provider", f.Provider.Name)
	case f.ContactPoint == "":
		return Refuse(Conflict, "order.contact_point", "", "%s has no contact point that takes orders (Art. 15): an administrator adds one", f.Provider.Name)
	case f.Seat.Establishment != f.Author.Country && f.Copy == nil:
		return Refuse(Conflict, "order.copy_to", "", "%s is established in %s, whose authority gets a copy at the same moment (Art. 4(1)), and none that scrutinises is in the register for that state: an administrator adds it", f.Provider.Name, f.Seat.Establishment)
	case !o.Emergency && f.First.NoticedAt.IsZero() && f.First.IssuedAt.IsZero():
		return Refuse(Conflict, "order.first_contact", "", "%s never had an order of your authority: it is told of procedures and deadlines twelve hours before (Art. 3(2)), unless there is an emergency with a reason", f.Provider.Name)
	case !o.Emergency && !f.First.Over(now):
		return Refuse(Conflict, "order.first_contact", "", "%s was told of procedures and deadlines less than twelve hours ago (Art. 3(2)): issue order %s from %s on", f.Provider.Name, o.Ref, f.First.DueAt.UTC().Format(time.RFC3339))
	}
	for _, p := range []RedressParty{RedressProvider, RedressContent} {
		if !slices.ContainsFunc(f.Redress, func(r OrderRedress) bool { return r.For == p && r.Body != "" && r.Deadline != "" && r.AsOf != "" }) {
			return Refuse(Conflict, "order.redress", "", "how the %s has an order of %s reviewed is not on record, dated (Art. 3(4)(f)): without it no order is issued", strings.ReplaceAll(string(p), "_", " "), f.Author.Country)
		}
	}
	for _, other := range f.Others {
		if other.ID != o.ID && other.Status.Binds() && other.Status.Out() {
			return Refuse(Conflict, "order.duplicate", "", "an order, %s, stands for one of these items already: a second one would only repeat it (Art. 14(1))", other.Ref)
		}
	}
	if len(f.Holds) > 0 {
		return Refuse(Conflict, CodeOrderHeld, "", "another authority asks to keep off one of these items; ask it: %s", f.Holds[0].Contact)
	}
	return nil
}

// payload is the order as it is signed.
func (o Order) payload(f OrderFacts) OrderPayload {
	p := OrderPayload{
		Type: "removal_order", Version: 1, Duty: OrderDuty, Ref: o.Ref, Language: o.Language, Transport: f.Transport, Exercise: o.Exercise,
		IssuingState: f.Author.Country, IssuedAt: o.IssuedAt.UTC().Format(TimeFormat),
		Addressee: OrderAddressee{Ref: f.Provider.Ref, Name: f.Provider.Name, Representative: f.Seat.Representative, ContactPoint: f.ContactPoint, State: f.Seat.Establishment},
		Reasons:   o.Reasons, Replaces: o.Replaces, Statement: o.Statement, LegalBasis: o.LegalBasis, Scope: []string{"EU"}, CopyTo: f.Copy, Redress: f.Redress,
		Authority: OrderAuthority{Ref: f.Author.Ref, Kind: f.Office.Kind, Name: f.Author.Name, Country: f.Author.Country, Unit: f.Author.Unit, Representative: o.Representative, Post: o.Post, FileNo: o.FileNo,
			Address: f.Office.Address, Telephone: f.Office.Telephone, Fax: f.Office.Fax, Email: f.Office.Email, KeyID: KeyID(f.Author.PublicKey)},
		FollowUp: []OrderContact{{Role: "issuing_authority", Name: f.Author.Name, State: f.Author.Country, Address: f.Office.Address, Telephone: f.Office.Telephone, Email: f.Office.Email}},
	}
	for _, s := range f.Subjects {
		p.Places = append(p.Places, OrderPlace{Ref: s.Item.Ref, Location: s.Item.Location, Additional: s.Additional})
	}
	if f.Copy != nil {
		p.FollowUp = append(p.FollowUp, *f.Copy)
	}
	if o.Silent {
		// The clock runs to the end of its last day; on the order stand six weeks to the
		// moment, since it may not last longer (Art. 11(3)).
		until := f.SilentUntil
		if most := o.IssuedAt.AddDate(0, 0, 6*7); until.After(most) {
			until = most
		}
		p.NonDisclosure = &OrderSilence{Since: o.IssuedAt.UTC().Format(TimeFormat), Until: until.UTC().Format(TimeFormat)}
	}
	switch {
	case o.Emergency:
		p.FirstContact.Emergency = o.EmergencyGround
	case !f.First.NoticedAt.IsZero():
		p.FirstContact.NoticedAt, p.FirstContact.Notice = f.First.NoticedAt.UTC().Format(TimeFormat), f.First.Ref
	}
	return p
}
