package concert

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	// OrderItemsMost bounds the items of one order: each is judged, and named with
	// its place.
	OrderItemsMost = 20
	// OrderStatementLeast is how many characters a statement of reasons has at least
	// (G02): "sufficiently detailed", Art. 3(4)(b).
	OrderStatementLeast = 80
	// OrderStatementMost bounds it.
	OrderStatementMost = 8000
	// OrderGroundLeast is how many characters the ground of a non-disclosure, an
	// emergency, a return or a withdrawal has at least.
	OrderGroundLeast = 20
	// orderFieldMost bounds the short fields of an order.
	orderFieldMost = 400
)

// OrderStatus is where an order stands. The table orderMoves says what may happen
// next; docs/states.md draws it.
type OrderStatus string

// The statuses.
const (
	OrderDrafted   OrderStatus = "drafted"
	OrderReviewed  OrderStatus = "reviewed"
	OrderApproved  OrderStatus = "approved"   // by a second person with the issuing function
	OrderNoticed   OrderStatus = "noticed"    // its addressee has been told what an order asks: twelve hours run (Art. 3(2))
	OrderIssued    OrderStatus = "issued"     // signed and on its way
	OrderReceived  OrderStatus = "received"   // receipt is proven: the hour runs (Art. 3(3))
	OrderImpeded   OrderStatus = "impossible" // Annex III: the hour stands still (Art. 3(7), 3(8))
	OrderClarified OrderStatus = "clarified"  // answered: the hour runs anew
	OrderExecuted  OrderStatus = "executed"   // Annex II for every item
	OrderFinal     OrderStatus = "final"      // no appeal any more (Art. 3(9))
	OrderVoid      OrderStatus = "void"       // found to infringe (Art. 4(6))
	OrderWithdrawn OrderStatus = "withdrawn"  // its authority took it back
	OrderDropped   OrderStatus = "dropped"    // before it was issued
)

// OrderStatuses lists them in the order of the chain.
var OrderStatuses = []OrderStatus{OrderDrafted, OrderReviewed, OrderApproved, OrderNoticed, OrderIssued, OrderReceived, OrderImpeded, OrderClarified, OrderExecuted, OrderFinal, OrderVoid, OrderWithdrawn, OrderDropped}

// OrderMove is what happens to an order.
type OrderMove string

// The moves.
const (
	OrderMoveReview   OrderMove = "review"
	OrderMoveReturn   OrderMove = "return"
	OrderMoveApprove  OrderMove = "approve"
	OrderMoveNotice   OrderMove = "notice"
	OrderMoveIssue    OrderMove = "issue"
	OrderMoveReceive  OrderMove = "receive"
	OrderMoveImpede   OrderMove = "impede"
	OrderMoveClarify  OrderMove = "clarify"
	OrderMoveExecute  OrderMove = "execute"
	OrderMoveFinalise OrderMove = "finalise"
	OrderMoveVoid     OrderMove = "void"
	OrderMoveWithdraw OrderMove = "withdraw"
	OrderMoveDrop     OrderMove = "drop"
)

// OrderMoves lists them.
var OrderMoves = []OrderMove{OrderMoveReview, OrderMoveReturn, OrderMoveApprove, OrderMoveNotice, OrderMoveIssue, OrderMoveReceive, OrderMoveImpede, OrderMoveClarify, OrderMoveExecute, OrderMoveFinalise, OrderMoveVoid, OrderMoveWithdraw, OrderMoveDrop}

// orderMoves is the state table. What it does not name is refused.
var orderMoves = map[OrderStatus]map[OrderMove]OrderStatus{
	OrderDrafted:   {OrderMoveReview: OrderReviewed, OrderMoveDrop: OrderDropped},
	OrderReviewed:  {OrderMoveApprove: OrderApproved, OrderMoveReturn: OrderDrafted, OrderMoveDrop: OrderDropped},
	OrderApproved:  {OrderMoveNotice: OrderNoticed, OrderMoveIssue: OrderIssued, OrderMoveReturn: OrderDrafted, OrderMoveDrop: OrderDropped},
	OrderNoticed:   {OrderMoveIssue: OrderIssued, OrderMoveReturn: OrderDrafted, OrderMoveDrop: OrderDropped},
	OrderIssued:    {OrderMoveReceive: OrderReceived, OrderMoveVoid: OrderVoid, OrderMoveWithdraw: OrderWithdrawn},
	OrderReceived:  {OrderMoveExecute: OrderExecuted, OrderMoveImpede: OrderImpeded, OrderMoveVoid: OrderVoid, OrderMoveWithdraw: OrderWithdrawn},
	OrderImpeded:   {OrderMoveClarify: OrderClarified, OrderMoveExecute: OrderExecuted, OrderMoveVoid: OrderVoid, OrderMoveWithdraw: OrderWithdrawn},
	OrderClarified: {OrderMoveExecute: OrderExecuted, OrderMoveImpede: OrderImpeded, OrderMoveVoid: OrderVoid, OrderMoveWithdraw: OrderWithdrawn},
	OrderExecuted:  {OrderMoveFinalise: OrderFinal, OrderMoveVoid: OrderVoid, OrderMoveWithdraw: OrderWithdrawn},
	OrderFinal:     {OrderMoveVoid: OrderVoid, OrderMoveWithdraw: OrderWithdrawn},
	OrderVoid:      {},
	OrderWithdrawn: {},
	OrderDropped:   {},
}

// After is the status after the move; a move that the table does not name is a
// Conflict that says so.
func (s OrderStatus) After(m OrderMove) (OrderStatus, error) {
	if next, ok := orderMoves[s][m]; ok {
		return next, nil
	}
	return s, Refuse(Conflict, "order.move", "", "an order that is %s cannot be moved by %s: see docs/states.md", s, m)
}

// Out reports whether the order has left the house: its addressee has it, or is
// getting it.
func (s OrderStatus) Out() bool {
	switch s {
	case OrderDrafted, OrderReviewed, OrderApproved, OrderNoticed, OrderDropped:
		return false
	}
	return true
}

// Binds reports whether an order that stands so binds, or will once it is issued.
func (s OrderStatus) Binds() bool {
	return s != OrderVoid && s != OrderWithdrawn && s != OrderDropped
}

// Order is a removal order, Regulation (EU) 2021/784 Art. 3. It binds its addressee,
// and has nothing in common with a Referral but its items (G01): no rule makes one of
// the other.
type Order struct {
	ID         OrderID
	Ref        string
	Authority  AuthorityID
	Provider   ProviderID
	Status     OrderStatus
	State      string      // of the addressee's main establishment or representative
	Copied     AuthorityID // that state's authority, which has a copy; "" where it is the issuing state
	Reasons    []ContentType
	Items      int
	Executed   int    // items with Annex II
	Language   string // in which it is written
	Silent     bool   // its addressee may not tell the content provider (Art. 11(3))
	Emergency  bool   // no twelve hours' notice (Art. 3(2))
	Drafter    PersonID
	Reviewer   PersonID
	Approver   PersonID
	Digest     string // SHA-256 of the signed payload, hex; "" until it is issued
	CreatedAt  time.Time
	ApprovedAt time.Time
	IssuedAt   time.Time
	ReceivedAt time.Time
	ExecutedAt time.Time
	EndedAt    time.Time
	UpdatedAt  time.Time
	Exercise   bool
	Version    int64

	EmergencyVerdict    Verdict // of the review (G32); "" until there was one
	EmergencyReviewer   PersonID
	EmergencyReviewedAt time.Time
	OrderText
}

// OrderText is what of an order is written by hand, sealed under its key.
type OrderText struct {
	Statement       string   `json:"statement"`
	LegalBasis      []string `json:"legal_basis"`
	Proportionality string   `json:"proportionality,omitempty"` // where the guard raised a place (G05)
	SilenceGround   string   `json:"silence,omitempty"`         // why the content provider is not told
	EmergencyGround string   `json:"emergency,omitempty"`       // why there is no time for a notice
	Representative  string   `json:"representative"`            // who signs for the authority (section E)
	Post            string   `json:"post"`
	FileNo          string   `json:"file_no"`
	Ended           string   `json:"ended,omitempty"`     // why it was returned, dropped, withdrawn or found void
	Clarification   string   `json:"clarified,omitempty"` // the newest answer to Annex III
	EmergencyFound  string   `json:"emergency_found,omitempty"`
	Replaces        string   `json:"replaces,omitempty"` // reference of the order that this one puts right
}

// OrderSubject is an item that an order is about, with what the rules ask of it.
type OrderSubject struct {
	Item       Item
	Assessment Assessment
	Capture    Capture // the newest of the order's authority
	Additional string  // what else finds it (section B)
}

// OrderItem is an item's place in an order, with what became of it: what the
// addressee claims, and what we saw.
type OrderItem struct {
	Order      OrderID
	Item       ItemID
	Pos        int
	Additional string // sealed under the item's key
	Measure    OrderMeasure
	MeasureAt  time.Time
	RepliedAt  time.Time
	Observed   Observed
	ObservedAt time.Time
}

// OrderOffice is what section E of Annex I says of an authority, and which functions
// it has (Art. 12(1)). Two administrators set it.
type OrderOffice struct {
	Authority AuthorityID
	Kind      OrderAuthorityKind
	Functions []Function
	Address   string
	Telephone string
	Fax       string
	Email     string
	Proposed  PersonID // who proposed what is not confirmed yet; "" where nothing waits
	Since     time.Time
	Version   int64
}

// Has reports whether the authority has the function.
func (o OrderOffice) Has(f Function) bool { return slices.Contains(o.Functions, f) }

// Checked refuses an office that could not stand on an order.
func (o OrderOffice) Checked() (OrderOffice, error) {
	if !slices.Contains(OrderAuthorityKinds, o.Kind) {
		return o, Refuse(Invalid, "office.kind", "kind", "%q is none of section E's kinds: %v", o.Kind, OrderAuthorityKinds)
	}
	var functions []Function
	for _, f := range Functions {
		if slices.Contains(o.Functions, f) {
			functions = append(functions, f)
		}
	}
	if len(functions) != len(o.Functions) || len(functions) == 0 {
		return o, Refuse(Invalid, "office.functions", "functions", "an authority has at least one function, each once, of %v: got %v", Functions, o.Functions)
	}
	o.Functions = functions
	for _, f := range []struct{ field, text string }{{"address", o.Address}, {"telephone", o.Telephone}, {"email", o.Email}} {
		if strings.TrimSpace(f.text) == "" || len(f.text) > orderFieldMost {
			return o, Refuse(Invalid, "office."+f.field, f.field, "section E names the authority's %s, in at most %d bytes: write it", f.field, orderFieldMost)
		}
	}
	if !PlainMailbox(o.Email) {
		return o, Refuse(Invalid, "office.email", "email", "a mail address is written like orders@authority.example, without a name: got %q", o.Email)
	}
	if len(o.Fax) > orderFieldMost {
		return o, Refuse(TooLarge, "office.fax", "fax", "a fax number has at most %d bytes", orderFieldMost)
	}
	return o, nil
}

// OrderBody is the body of events on orders.
type OrderBody struct {
	Ref       string           `json:"ref"`
	Authority AuthorityID      `json:"authority"`
	Provider  ProviderID       `json:"provider"`
	From      OrderStatus      `json:"from,omitempty"`
	To        OrderStatus      `json:"to"`
	State     string           `json:"state,omitempty"`
	Reasons   []ContentType    `json:"reasons,omitempty"`
	Items     int              `json:"items"`
	Digest    string           `json:"digest,omitempty"` // SHA-256 of the signed payload, hex
	Silent    bool             `json:"silent,omitempty"`
	Emergency bool             `json:"emergency,omitempty"`
	Copied    AuthorityID      `json:"copied,omitempty"`
	Measure   OrderMeasure     `json:"measure,omitempty"`
	Why       ImpossibleReason `json:"why,omitempty"`
	Term      TermKey          `json:"term,omitempty"`
	DueAt     int64            `json:"due_at,omitempty"` // microseconds UTC
	Left      int              `json:"left,omitempty"`   // minutes, of an alarm
	Evidence  string           `json:"evidence,omitempty"`
	Down      int              `json:"down,omitempty"` // items that we saw down
	Up        int              `json:"up,omitempty"`   // and up; of the rest we cannot tell
	Verdict   Verdict          `json:"verdict,omitempty"`
	Exercise  bool             `json:"exercise,omitempty"`

	URLs     int `json:"urls,omitempty"`     // of the items when it was issued: a page, post, message or stream
	Accounts int `json:"accounts,omitempty"` // an account, channel or bot
}

// change is the event of a move of the order.
func (o Order) change(kind EventKind, by Actor, from OrderStatus, now time.Time) (Event, OrderBody) {
	b := OrderBody{Ref: o.Ref, Authority: o.Authority, Provider: o.Provider, From: from, To: o.Status, Items: o.Items, Exercise: o.Exercise}
	return NewEvent(kind, by, string(o.ID), now, b), b
}

// moved makes the move, or says why not.
func (o Order) moved(m OrderMove, now time.Time) (Order, error) {
	next, err := o.Status.After(m)
	if err != nil {
		return o, Refuse(Conflict, "order.move", "", "order %s is %s and cannot be moved by %s: see docs/states.md", o.Ref, o.Status, m)
	}
	o.Status, o.UpdatedAt = next, now
	return o, nil
}

// Mine reports whether the order is the actor's authority's own.
func (o Order) Mine(by Actor) bool { return by.Authority != "" && by.Authority == o.Authority }

// own refuses whoever is not of the issuing authority, as if there were no order.
func (o Order) own(by Actor, roles ...Role) error {
	if !o.Mine(by) {
		return ErrNotFound
	}
	return by.Need(roles...)
}

// MayReadOrder lets an order be read by its authority's people, by its addressee's
// once it is out, by those of the authority that has a copy, and by coordinators and
// auditors; others get the answer a missing one gets.
func (a Actor) MayReadOrder(o Order) error {
	switch {
	case o.Mine(a) && a.Has(RoleOfficer), o.Mine(a) && a.Has(RoleReviewer), o.Mine(a) && a.Has(RoleIssuer):
		return nil
	case a.Has(RoleAuditor), a.Has(RoleCoordinator):
		return nil
	case !o.Status.Out():
		return ErrNotFound
	case a.Provider != "" && a.Provider == o.Provider && (a.Has(RoleProviderReader) || a.Has(RoleProviderAnswerer)):
		return nil
	case a.Authority != "" && a.Authority == o.Copied:
		return nil
	}
	return ErrNotFound
}

// Drafted checks a new order of the actor's authority, or one that is written anew
// after it was returned.
func (o Order) Drafted(by Actor, office OrderOffice, subjects []OrderSubject, now time.Time) (Order, Event, error) {
	if err := by.MaySubmit(); err != nil {
		return o, Event{}, err
	}
	if o.Status != "" {
		if err := o.own(by, RoleOfficer); err != nil {
			return o, Event{}, err
		}
		if o.Status != OrderDrafted {
			return o, Event{}, Refuse(Conflict, "order.move", "", "order %s is %s and is not written anew: return it first", o.Ref, o.Status)
		}
	}
	if !office.Has(FunctionIssue) {
		return o, Event{}, Refuse(Forbidden, "order.function", "", "your authority does not issue removal orders (Art. 12(1)(a)): two administrators give it that function, or refer the content instead")
	}
	from := o.Status
	o.Authority, o.Drafter, o.Items = by.Authority, by.Person, len(subjects)
	if err := o.about(subjects, now); err != nil {
		return o, Event{}, err
	}
	o.Reasons = nil
	for _, t := range ContentTypes {
		if slices.ContainsFunc(subjects, func(s OrderSubject) bool { return s.Assessment.Type == t }) {
			o.Reasons = append(o.Reasons, t)
		}
	}
	if err := o.written(subjects); err != nil {
		return o, Event{}, err
	}
	if from == "" {
		o.CreatedAt = now
	}
	o.Status, o.UpdatedAt = OrderDrafted, now
	e, b := o.change(EventOrderDrafted, by, from, now)
	b.Reasons, b.Silent, b.Emergency = o.Reasons, o.Silent, o.Emergency
	e.Body = b
	return o, e, nil
}

// about refuses what an order cannot be about: what is not judged (G04), not seen and
// kept a day ago at most (G06), of another provider, refused by it, or gone.
func (o Order) about(subjects []OrderSubject, now time.Time) error {
	if len(subjects) == 0 || len(subjects) > OrderItemsMost {
		return Refuse(Invalid, "order.items", "items", "an order is about 1 to %d items, not %d", OrderItemsMost, len(subjects))
	}
	seen := map[ItemID]bool{}
	for _, s := range subjects {
		it := s.Item
		if seen[it.ID] {
			return Refuse(Invalid, "order.items", "items", "item %s is named twice: name it once", it.Ref)
		}
		seen[it.ID] = true
		if err := it.Standing(); err != nil {
			return err
		}
		switch {
		case it.Provider == "" || it.Provider != o.Provider:
			return Refuse(Invalid, "order.provider", "items", "item %s is not hosted by the order's addressee: an order goes to one provider", it.Ref)
		case it.Author != o.Authority || it.Assessment == "":
			return Refuse(Conflict, "order.assessment", "items", "item %s was not assessed by your authority: an order rests on its own assessment under Art. 2(7) and Art. 1(3)", it.Ref)
		case s.Assessment.Purpose != PurposeNone || s.Assessment.Type == "":
			return Refuse(Conflict, "order.exempt", "items", "item %s serves a protected purpose (Art. 1(3)): it is no terrorist content, and no order is issued for it", it.Ref)
		case it.Status == ItemRefused:
			return Refuse(Conflict, "order.refused", "items", "the provider refused the referral of item %s: no refusal is answered with pressure", it.Ref)
		case !orderable(it.Status):
			return Refuse(Conflict, "order.item", "items", "item %s is %s: an order is issued for what is assessed and was not seen down, withdrawn or found out of scope", it.Ref, it.Status)
		}
		s.Assessment.Capture = s.Capture
		if err := s.Assessment.captured(Actor{Authority: o.Authority}, it, now); err != nil {
			return err
		}
	}
	return nil
}

func orderable(s ItemStatus) bool {
	switch s {
	case ItemAssessed, ItemApproved, ItemHeld, ItemReferred, ItemAnswered, ItemStillUp, ItemReturned:
		return true
	}
	return false
}

// written refuses an order in which a field of Annex I that is written by hand is
// missing (G02), and one whose ground is missing where the law asks for one.
func (o Order) written(subjects []OrderSubject) error {
	n := utf8.RuneCountInString(strings.TrimSpace(o.Statement))
	switch {
	case n < OrderStatementLeast:
		return Refuse(Invalid, "order.statement", "statement", "the statement of reasons has at least %d characters (Art. 3(4)(b)): this one has %d; say what is shown, and why it falls under Art. 2(7)", OrderStatementLeast, n)
	case n > OrderStatementMost:
		return Refuse(TooLarge, "order.statement", "statement", "the statement of reasons has at most %d characters", OrderStatementMost)
	case len(o.LegalBasis) == 0 || slices.ContainsFunc(o.LegalBasis, func(s string) bool { return strings.TrimSpace(s) == "" || len(s) > orderFieldMost }):
		return Refuse(Invalid, "order.legal_basis", "legal_basis", "an order names its legal basis (Art. 3(4)(d)), each provision in at most %d bytes: write it", orderFieldMost)
	case LanguageBase(o.Language) == "":
		return Refuse(Invalid, "order.language", "language", "name the language in which the order is written (BCP 47, for example en)")
	case o.Silent && utf8.RuneCountInString(strings.TrimSpace(o.SilenceGround)) < OrderGroundLeast:
		return Refuse(Invalid, "order.silence", "silence_ground", "that the content provider is not told needs its ground of public security (Art. 11(3)), in at least %d characters", OrderGroundLeast)
	case o.Emergency && utf8.RuneCountInString(strings.TrimSpace(o.EmergencyGround)) < OrderGroundLeast:
		return Refuse(Invalid, "order.emergency", "emergency_ground", "an emergency, which spares the twelve hours of Art. 3(2), needs its reason, in at least %d characters", OrderGroundLeast)
	}
	for _, f := range []struct{ field, text string }{{"representative", o.Representative}, {"post", o.Post}, {"file_no", o.FileNo}} {
		if strings.TrimSpace(f.text) == "" || len(f.text) > orderFieldMost {
			return Refuse(Invalid, "order."+f.field, f.field, "section E of Annex I needs the %s, in at most %d bytes: write it", strings.ReplaceAll(f.field, "_", " "), orderFieldMost)
		}
	}
	for _, s := range subjects {
		if s.Item.Guard.Verdict == GuardElevate && utf8.RuneCountInString(strings.TrimSpace(o.Proportionality)) < OrderGroundLeast {
			return Refuse(Invalid, "order.proportionality", "proportionality", "item %s lies at a place that the guard raises (%s): write why an order is proportionate there, in at least %d characters", s.Item.Ref, s.Item.Guard.Reason, OrderGroundLeast)
		}
		if len(s.Additional) > OrderStatementMost {
			return Refuse(TooLarge, "order.additional", "additional", "what else finds item %s has at most %d bytes", s.Item.Ref, OrderStatementMost)
		}
	}
	return Filled("statement", o.Statement)
}
