package casework

import (
	"context"
	"errors"
	"fmt"
	"time"

	"concert"
	"concert/internal/store"
)

// After an order ended we look within the hour, a day later and a week later whether
// what it was about is back.
var reinstatedLooks = []time.Duration{time.Hour, 24 * time.Hour, 7 * 24 * time.Hour}

// endOrder lets the end of an order reach everybody in the transaction that ends it: its
// addressee, who reinstates; its clocks; the banks that hold entries made of its items;
// the error register (G13, G16, G17). e is the event of the end.
func (s *Service) endOrder(ctx context.Context, tx *store.Tx, by concert.Actor, o concert.Order, e concert.Event, cause concert.ErrorCause, category concert.RemedyCategory) error {
	if err := s.tellAddressee(ctx, tx, o, concert.NoticeOrderEnded, e); err != nil {
		return err
	}
	if err := s.endDeadlines(ctx, tx, o, "order "+string(o.Status)); err != nil {
		return err
	}
	items, err := tx.OrderItems(ctx, o.ID)
	if err != nil {
		return err
	}
	for _, it := range items {
		if err := s.endEntriesOf(ctx, tx, it.Item, concert.EntryWithdrawn); err != nil {
			return err
		}
	}
	if err := s.recordError(ctx, tx, by, string(o.ID), concert.ErrorRecord{Ref: o.Ref, Kind: concert.AboutOrder, Cause: cause, Category: category, Authority: o.Authority, Provider: o.Provider}); err != nil {
		return err
	}
	if o.Executed > 0 {
		tx.SetClock(concert.ClockReinstated, string(o.ID), s.now().Add(reinstatedLooks[0]))
	}
	return tx.SaveOrder(ctx, o)
}

// lookReinstated looks whether what an ended order was about is back, and sets the clock
// for the next look.
func (s *Service) lookReinstated(ctx context.Context, j concert.LookReinstated) error {
	if held, err := s.heldBack(ctx, concert.ClockReinstated, string(j.Order)); err != nil || held {
		return err
	}
	if err := s.lookAtOrder(ctx, concert.House, string(j.Order)); err != nil {
		return err
	}
	return s.DB.Update(ctx, func(tx *store.Tx) error {
		o, err := tx.Order(ctx, string(j.Order))
		if err != nil {
			return err
		}
		for _, after := range reinstatedLooks {
			if at := o.EndedAt.Add(after); at.After(s.now()) {
				tx.SetClock(concert.ClockReinstated, string(o.ID), at)
				break
			}
		}
		return nil
	})
}

// LookAtOrder looks at once whether what an ended order was about is back: for the
// people of its authority and of the one that has its copy.
func (s *Service) LookAtOrder(ctx context.Context, by concert.Actor, ref string) error {
	if err := by.Need(concert.RoleOfficer, concert.RoleReviewer, concert.RoleIssuer); err != nil {
		return err
	}
	return s.lookAtOrder(ctx, by, ref)
}

func (s *Service) lookAtOrder(ctx context.Context, by concert.Actor, ref string) error {
	var o concert.Order
	var items []concert.Item
	err := s.DB.View(ctx, func(tx *store.Tx) (err error) {
		if o, err = tx.Order(ctx, ref); err != nil {
			return err
		}
		if by.Person != concert.House.Person && by.MayReadOrder(o) != nil {
			return concert.ErrNotFound
		}
		about, err := tx.OrderItems(ctx, o.ID)
		if err != nil {
			return err
		}
		ids := make([]concert.ItemID, len(about))
		for i, it := range about {
			ids[i] = it.Item
		}
		items, err = tx.ItemsByID(ctx, ids)
		return err
	})
	if err != nil {
		return err
	}
	if o.Status.Binds() {
		return concert.Refuse(concert.Conflict, "order.stands", "", "order %s is %s: whether content is back is looked at once it has ended", o.Ref, o.Status)
	}
	saw := s.lookAll(ctx, items)
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.retryStale(ctx, func(tx *store.Tx) error {
		about, err := tx.OrderItems(ctx, o.ID)
		if err != nil {
			return fmt.Errorf("items of %s: %w", o.Ref, err)
		}
		var looked []concert.OrderItem
		seen := map[concert.Observed]int{}
		for _, it := range about {
			c, ok := saw[it.Item]
			if !ok {
				continue // erased
			}
			it.Observed, it.ObservedAt = c.State, s.now()
			looked = append(looked, it)
			seen[c.State]++
		}
		if len(looked) == 0 {
			return nil
		}
		tx.Record(o.Observed(by, seen, s.now()))
		return tx.SaveOrderItems(ctx, looked)
	})
}

// replaces refuses a draft that names an order which it cannot put right.
func replaces(ctx context.Context, tx *store.Tx, o concert.Order) error {
	if o.Replaces == "" {
		return nil
	}
	old, err := tx.Order(ctx, o.Replaces)
	if err != nil && !errors.Is(err, concert.ErrNotFound) {
		return err
	}
	return o.Replacing(old)
}
