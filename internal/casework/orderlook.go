package casework

import (
	"context"
	"time"

	"concert"
	"concert/internal/store"
)

// setOrderLook sets the clock of the next look at what an order is about.
func (s *Service) setOrderLook(ctx context.Context, tx *store.Tx, o concert.Order) error {
	due, next, err := s.orderLooks(ctx, tx, o)
	if len(due) > 0 {
		next = s.now()
	}
	if err == nil && !next.IsZero() {
		tx.SetClock(concert.ClockOrderLook, string(o.ID), next)
	}
	return err
}

// orderLooks are the items of an order with a look due now, and when the next one of
// the others is; zero for never.
func (s *Service) orderLooks(ctx context.Context, tx *store.Tx, o concert.Order) (due []concert.OrderItem, next time.Time, err error) {
	items, err := tx.OrderItems(ctx, o.ID)
	if err != nil {
		return nil, next, err
	}
	deadlines, err := tx.Deadlines(ctx, o.ID)
	if err != nil {
		return nil, next, err
	}
	var missed time.Time
	for _, d := range deadlines {
		if d.Term == concert.TermRemoval && d.State == concert.DeadlineMissed {
			missed = d.DueAt
		}
	}
	now := s.now()
	for _, it := range items {
		at, more := o.NextLook(it, missed)
		switch {
		case !more:
		case !at.After(now):
			due = append(due, it)
		case next.IsZero() || at.Before(next):
			next = at
		}
	}
	return due, next, nil
}

// lookAtOrder looks at the items of an order that are due, and sets the clock for the
// next look. An order never changes what stands of its items; what was seen stands
// with the order (G29).
func (s *Service) lookAtOrder(ctx context.Context, j concert.LookAtOrder) error {
	if held, err := s.heldBack(ctx, concert.ClockOrderLook, string(j.Order)); err != nil || held {
		return err
	}
	var due []concert.OrderItem
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		o, err := tx.Order(ctx, string(j.Order))
		if err != nil {
			return err
		}
		due, _, err = s.orderLooks(ctx, tx, o)
		return err
	})
	if err != nil || len(due) == 0 {
		return err
	}
	return s.lookAtItems(ctx, concert.House, string(j.Order), due)
}

// LookAtOrder looks at once at all that an order is about, for the people of its
// authority and of the one that has its copy.
func (s *Service) LookAtOrder(ctx context.Context, by concert.Actor, ref string) error {
	if err := by.Need(concert.RoleOfficer, concert.RoleReviewer, concert.RoleIssuer); err != nil {
		return err
	}
	var items []concert.OrderItem
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		o, err := tx.Order(ctx, ref)
		if err != nil {
			return err
		}
		if err := by.MayReadOrder(o); err != nil {
			return err
		}
		items, err = tx.OrderItems(ctx, o.ID)
		return err
	})
	if err != nil {
		return err
	}
	return s.lookAtItems(ctx, by, ref, items)
}

// lookAtItems looks at some of an order's items and writes down what was seen.
func (s *Service) lookAtItems(ctx context.Context, by concert.Actor, ref string, about []concert.OrderItem) error {
	ids := make([]concert.ItemID, len(about))
	for i, it := range about {
		ids[i] = it.Item
	}
	var whole []concert.Item
	err := s.DB.View(ctx, func(tx *store.Tx) (err error) {
		whole, err = tx.ItemsByID(ctx, ids)
		return err
	})
	if err != nil {
		return err
	}
	saw := s.lookAll(ctx, whole)
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.retryStale(ctx, func(tx *store.Tx) error {
		o, err := tx.Order(ctx, ref)
		if err != nil {
			return err
		}
		items, err := tx.OrderItems(ctx, o.ID)
		if err != nil {
			return err
		}
		states := map[concert.ItemID]concert.Observed{}
		for _, it := range whole {
			states[it.ID] = saw[it.ID].State
			if !it.ErasedAt.IsZero() {
				states[it.ID] = concert.ObservedUnknown
			}
		}
		seen, e := o.Looked(by, items, states, s.now())
		tx.Record(e)
		if err := tx.SaveOrderItems(ctx, seen); err != nil {
			return err
		}
		return s.setOrderLook(ctx, tx, o)
	})
}
