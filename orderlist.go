package concert

import (
	"slices"
	"time"
)

// OrderSearch asks a list of orders. Empty fields ask nothing.
type OrderSearch struct {
	Author   AuthorityID // whose orders
	Copied   AuthorityID // those of other states of which this authority has a copy (Art. 4(1))
	Provider ProviderID  // to whom
	Statuses []OrderStatus
	Mine     PersonID // written, reviewed or approved by this person
}

// OrderNeed is why an order waits for somebody.
type OrderNeed string

// The needs, the most pressing first.
const (
	OrderNeedsHour    OrderNeed = "hour"    // its hour runs, or is over without an answer
	OrderNeedsClarity OrderNeed = "clarify" // Annex III: its addressee asks, or is hindered
	OrderNeedsIssue   OrderNeed = "issue"   // its twelve hours are over
	OrderNeedsWord    OrderNeed = "approve"
	OrderNeedsReview  OrderNeed = "review"
)

// OrderNeeds lists them.
var OrderNeeds = []OrderNeed{OrderNeedsHour, OrderNeedsClarity, OrderNeedsIssue, OrderNeedsWord, OrderNeedsReview}

// Needs says why the order waits for the actor, "" where it does not. Who wrote it
// neither reviews nor approves it (G03), so that it waits for others then.
func (o Order) Needs(by Actor, ds []Deadline, now time.Time) OrderNeed {
	if !o.Mine(by) {
		return ""
	}
	another := by.Person != o.Drafter
	switch o.Status {
	case OrderDrafted:
		if another && by.Has(RoleReviewer) {
			return OrderNeedsReview
		}
	case OrderReviewed, OrderApproved:
		if another && by.Has(RoleIssuer) {
			return OrderNeedsWord
		}
	case OrderNoticed:
		over := slices.ContainsFunc(ds, func(d Deadline) bool { return d.Term == TermFirstContact && !now.Before(d.DueAt) })
		if over && by.Has(RoleIssuer) {
			return OrderNeedsIssue
		}
	case OrderReceived, OrderClarified:
		if by.Need(RoleOfficer, RoleReviewer, RoleIssuer) == nil {
			return OrderNeedsHour
		}
	case OrderImpeded:
		if by.Need(RoleOfficer, RoleReviewer, RoleIssuer) == nil {
			return OrderNeedsClarity
		}
	}
	return ""
}

// Alarms reports whether people are to be told of the deadline: it was warned of and
// runs, or was missed and what was due has not come.
func (o Order) Alarms(d Deadline) bool {
	switch {
	case !o.Status.Binds() || d.Least || d.Window:
		return false
	case d.State == DeadlineRunning:
		return d.Warned > 0
	}
	return d.State == DeadlineMissed && d.MetAt.IsZero()
}

// Orderable refuses items of which no order could be written, for whatever reason that
// does not lie in its text.
func (o Order) Orderable(subjects []OrderSubject, now time.Time) error { return o.about(subjects, now) }

// Orderable reports whether an item that stands so may become part of an order.
func (s ItemStatus) Orderable() bool { return orderable(s) }

// MayDraftOrder refuses whoever writes no order for an authority of this office.
func (a Actor) MayDraftOrder(office OrderOffice) error {
	if err := a.MaySubmit(); err != nil {
		return err
	}
	if !office.Has(FunctionIssue) {
		return Refuse(Forbidden, "order.function", "", "your authority does not issue removal orders (Art. 12(1)(a)): two administrators give it that function, or refer the content instead")
	}
	return nil
}
