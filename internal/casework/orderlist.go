package casework

import (
	"context"
	"errors"
	"slices"
	"time"

	"concert"
	"concert/internal/store"
)

const (
	// ordersForMost bounds the orders that are looked through for one person's desk.
	ordersForMost = 200
	// orderAlarmsMost bounds the alarms that stand on a page.
	orderAlarmsMost = 20
)

// ListedOrder is an order of a list, bare, with its legal clocks.
type ListedOrder struct {
	concert.Order
	Deadlines []concert.Deadline
}

// SearchOrders is one page of the orders of the actor's authority, by their newest
// change, or of those of other states of which it has a copy (q.Copied set to anything);
// coordinators and auditors list those of all. It opens nothing sealed.
func (s *Service) SearchOrders(ctx context.Context, scope concert.Scope, q concert.OrderSearch, p concert.Page) (concert.Listed[ListedOrder], error) {
	var out concert.Listed[ListedOrder]
	by := scope.Actor()
	switch {
	case by.Provider != "":
		return out, concert.Refuse(concert.Forbidden, "orders.authority", "", "this list is for people of an authority: what is addressed to you stands in your inbox")
	case by.Has(concert.RoleAuditor), by.Has(concert.RoleCoordinator):
	case by.Authority == "":
		return out, concert.Refuse(concert.Forbidden, "orders.authority", "", "this list is for people of an authority: what is addressed to you stands in your inbox")
	case q.Copied != "":
		q.Copied, q.Author = by.Authority, ""
	default:
		if err := by.Need(concert.RoleOfficer, concert.RoleReviewer, concert.RoleIssuer); err != nil {
			return out, err
		}
		q.Author = by.Authority
	}
	if err := s.auditing(ctx, scope, concert.ConsultedBody{What: concert.ReadOrder}); err != nil {
		return out, err
	}
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		found, err := tx.SearchOrders(ctx, scope, q, p)
		if err != nil {
			return err
		}
		out.Looked, out.Rest = found.Looked, found.Rest
		out.Rows, err = withDeadlines(ctx, tx, found.Rows)
		return err
	})
	return out, err
}

func withDeadlines(ctx context.Context, tx *store.Tx, orders []concert.Order) ([]ListedOrder, error) {
	ids := make([]concert.OrderID, len(orders))
	for i, o := range orders {
		ids[i] = o.ID
	}
	ds, err := tx.DeadlinesOf(ctx, ids)
	out := make([]ListedOrder, len(orders))
	for i, o := range orders {
		out[i] = ListedOrder{o, ds[o.ID]}
	}
	return out, err
}

// CountOrders is how many orders of the actor's authority stand in each status. A number
// opens nothing sealed.
func (s *Service) CountOrders(ctx context.Context, by concert.Actor) (counts map[concert.OrderStatus]int, err error) {
	if by.Authority == "" {
		return nil, nil
	}
	err = s.DB.View(ctx, func(tx *store.Tx) error {
		counts, err = tx.CountOrders(ctx, by.Authority)
		return err
	})
	return counts, err
}

// OrderForMe is an order that waits for somebody, and why.
type OrderForMe struct {
	ListedOrder
	Why concert.OrderNeed
}

// OrdersForMe are the orders of the actor's authority that wait for the actor now, the
// most pressing first. It opens nothing sealed.
func (s *Service) OrdersForMe(ctx context.Context, scope concert.Scope) ([]OrderForMe, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	by := scope.Actor()
	if by.Authority == "" || by.Need(concert.RoleOfficer, concert.RoleReviewer, concert.RoleIssuer) != nil {
		return nil, nil
	}
	var out []OrderForMe
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		out = nil
		q := concert.OrderSearch{Author: by.Authority, Statuses: []concert.OrderStatus{concert.OrderDrafted, concert.OrderReviewed, concert.OrderApproved, concert.OrderNoticed, concert.OrderReceived, concert.OrderImpeded, concert.OrderClarified}}
		found, err := tx.SearchOrders(ctx, scope, q, concert.Page{Order: concert.OrderOldest, Limit: ordersForMost})
		if err != nil {
			return err
		}
		rows, err := withDeadlines(ctx, tx, found.Rows)
		for _, o := range rows {
			if why := o.Needs(by, o.Deadlines, s.now()); why != "" {
				out = append(out, OrderForMe{o, why})
			}
		}
		return err
	})
	slices.SortStableFunc(out, func(a, b OrderForMe) int {
		return slices.Index(concert.OrderNeeds, a.Why) - slices.Index(concert.OrderNeeds, b.Why)
	})
	return out, err
}

// OrderAlarm is an order, bare, of which people are warned, with the clock that is
// nearly over, or over.
type OrderAlarm struct {
	concert.Order
	concert.Deadline
}

// OrderAlarms are the alarms on orders that concern the actor: of its authority's own
// orders, of copies that its authority may scrutinise, or of orders addressed to its
// provider. They are there as long as what was due has not come. Nothing sealed is
// opened, and nothing is told that its reader did not receive.
func (s *Service) OrderAlarms(ctx context.Context, by concert.Actor) ([]OrderAlarm, error) {
	side, who := store.OrdersOf, string(by.Authority)
	switch {
	case by.Provider != "" && by.Need(concert.RoleProviderReader, concert.RoleProviderAnswerer) == nil:
		side, who = store.OrdersTo, string(by.Provider)
	case by.Authority == "" || by.Need(concert.RoleOfficer, concert.RoleReviewer, concert.RoleIssuer) != nil:
		return nil, nil
	}
	var out []OrderAlarm
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		out = nil
		found, err := tx.WarnedOrders(ctx, side, who, orderAlarmsMost)
		if err != nil {
			return err
		}
		if side == store.OrdersOf {
			copies, err := tx.WarnedOrders(ctx, store.OrdersCopied, who, orderAlarmsMost)
			if err != nil {
				return err
			}
			found = append(found, slices.DeleteFunc(copies, func(w store.WarnedOrder) bool { return w.Term != concert.TermScrutiny })...)
		}
		for _, w := range found {
			if w.Order.Alarms(w.Deadline) {
				out = append(out, OrderAlarm(w))
			}
		}
		return nil
	})
	return out, err
}

// GlanceOrder is where an order stands now, bare, with its clocks: what a page that
// shows it looks at again. It proves no receipt and shows nothing sealed.
func (s *Service) GlanceOrder(ctx context.Context, by concert.Actor, ref string) (ListedOrder, error) {
	var out ListedOrder
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		o, err := tx.Order(ctx, ref)
		if err != nil {
			return err
		}
		if err := by.MayReadOrder(o); err != nil {
			return err
		}
		o.OrderText = concert.OrderText{}
		out.Order = o
		out.Deadlines, err = tx.Deadlines(ctx, o.ID)
		return err
	})
	return out, err
}

// OrdersAbout are the orders, bare, that are about an item and that the actor may read.
func (s *Service) OrdersAbout(ctx context.Context, by concert.Actor, item concert.ItemID) ([]concert.Order, error) {
	var out []concert.Order
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		found, err := tx.OrdersOn(ctx, []concert.ItemID{item})
		out = slices.DeleteFunc(found, func(o concert.Order) bool { return by.MayReadOrder(o) != nil })
		return err
	})
	slices.SortFunc(out, func(a, b concert.Order) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return out, err
}

// OrderFate is what would become of an order by the second person's word.
type OrderFate string

// The fates.
const (
	OrderFateIssued OrderFate = "issued"     // at once
	OrderFateTold   OrderFate = "told_first" // its addressee is told first, and it waits for twelve hours
	OrderFateWaits  OrderFate = "waits"      // its addressee was told, and the twelve hours are not over
)

// OrderOutlook is what would become of an order if the actor approved or issued it now.
type OrderOutlook struct {
	Fate    OrderFate
	From    time.Time      // from when it may be issued, where it is not at once
	Refused *concert.Error // what stands in the way; nil for nothing
	// Of whether another authority asks to keep off nothing is said: that is asked when
	// an order is to be issued, and its holder is told.
	Facts concert.OrderFacts
}

// PreviewOrder says what approving the order, or issuing it, would do now. It changes
// nothing, asks no hold and tells nobody.
func (s *Service) PreviewOrder(ctx context.Context, by concert.Actor, ref string) (OrderOutlook, error) {
	var out OrderOutlook
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		out = OrderOutlook{}
		o, err := tx.Order(ctx, ref)
		if err != nil {
			return err
		}
		if !o.Mine(by) {
			return concert.ErrNotFound
		}
		f, err := s.orderFacts(ctx, tx, o)
		if err != nil {
			return out.refused(err)
		}
		f.Holds = nil
		out.Facts = f
		return out.refused(s.foresee(&out, o, by))
	})
	return out, err
}

// refused keeps what a person can do something about.
func (l *OrderOutlook) refused(err error) error {
	if e := (*concert.Error)(nil); errors.As(err, &e) {
		l.Refused = e
		return nil
	}
	return err
}

// foresee goes through what approving or issuing would do, on copies of the values.
func (s *Service) foresee(out *OrderOutlook, o concert.Order, by concert.Actor) error {
	now, f := s.now(), out.Facts
	out.Fate = OrderFateIssued
	if o.Status != concert.OrderNoticed {
		var err error
		if o, _, err = o.Approved(by, f.Office, now); err != nil {
			return err
		}
	}
	switch {
	case o.Emergency:
	case f.First.NoticedAt.IsZero() && f.First.IssuedAt.IsZero():
		out.Fate = OrderFateTold
		first := concert.FirstContact{Authority: o.Authority, Provider: o.Provider, NoticedAt: now}
		d, err := s.firstContact(o, f, first)
		if err != nil {
			return err
		}
		out.From, f.First = d.DueAt, concert.FirstContact{NoticedAt: now, DueAt: now}
	case !f.First.Over(now):
		out.Fate, out.From = OrderFateWaits, f.First.DueAt
		f.First.DueAt = now
	}
	// What is missing now would be missing then: it is said while there is time.
	_, _, err := o.Issued(by, f, now)
	return err
}
