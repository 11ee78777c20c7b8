package casework

import (
	"context"
	"fmt"
	"time"

	"concert"
	"concert/internal/store"
)

// deadlinesMost bounds the legal clocks that one transaction takes.
const deadlinesMost = 200

// fireDeadlines gives the alarms that are due, and says what was missed. It is done in
// the transaction that takes the clock, on whichever node comes first, and by no job: a
// legal clock waits for no queue.
func (s *Service) fireDeadlines(ctx context.Context) error {
	for {
		due := false
		err := s.DB.View(ctx, func(tx *store.Tx) (err error) {
			due, err = tx.AnyDeadlineDue(ctx, s.now())
			return err
		})
		if err != nil || !due {
			return err
		}
		n := 0
		err = s.retryStale(ctx, func(tx *store.Tx) error {
			ds, err := tx.DueDeadlines(ctx, s.now(), deadlinesMost)
			if err != nil {
				return err
			}
			n = len(ds)
			orders, err := tx.OrdersByID(ctx, ofDeadlines(ds))
			if err != nil {
				return err
			}
			var alarms []orderAlarm
			looks := make([]time.Time, len(ds))
			for i, d := range ds {
				o, ok := orders[d.Order]
				if !ok {
					return fmt.Errorf("order %s of a legal clock is not there", d.Order)
				}
				as := s.fireDeadline(tx, o, &ds[i])
				alarms = append(alarms, as...)
				looks[i] = ds[i].NextLook(s.now())
			}
			if err := tx.SaveDeadlines(ctx, ds, looks); err != nil {
				return err
			}
			return s.tellAlarms(ctx, tx, alarms)
		})
		if err != nil || n < deadlinesMost {
			return err
		}
	}
}

func ofDeadlines(ds []concert.Deadline) []concert.OrderID {
	ids := make([]concert.OrderID, len(ds))
	for i, d := range ds {
		ids[i] = d.Order
	}
	return ids
}

// fireDeadline takes what is due of one legal clock of the order, and gives the alarms
// to be told.
func (s *Service) fireDeadline(tx *store.Tx, o concert.Order, d *concert.Deadline) []orderAlarm {
	now := s.now()
	var out []orderAlarm
	next, due := d.Alarmed(now)
	for i, left := range due {
		// Where several are due at once, as after a node was down, people are told the last one alone.
		out = append(out, orderAlarm{of: o, term: d.Term, left: left, passed: i < len(due)-1, event: o.Alarmed(next, left, now)})
	}
	if d.Term == concert.TermPreservation && d.State == concert.DeadlineRunning && !now.Before(d.DueAt) {
		out = append(out, orderAlarm{of: o, term: d.Term, event: o.Alarmed(next, 0, now)}) // what must last is looked at once, when it is over
	}
	if fallen, fell := next.Fell(now); fell {
		next = fallen
		if next.State == concert.DeadlineMissed {
			out = append(out, orderAlarm{of: o, term: d.Term, missed: true, event: o.Missed(next, now)})
			if next.Term == concert.TermRemoval {
				tx.SetClock(concert.ClockOrderLook, string(o.ID), now)
			}
		}
	}
	next.Version = d.Version
	if len(out) == 0 && next != *d {
		// A window that lapses is nobody's alarm; that it did stands in the log all the same.
		out = append(out, orderAlarm{of: o, term: d.Term, passed: true, event: o.Alarmed(next, 0, now)})
	}
	*d = next
	return out
}

// putDeadline writes a legal clock with the moment at which it is next to be looked at.
// That a first contact's twelve hours are over is nobody's alarm and no event, so it needs
// no look: who issues compares the times.
func (s *Service) putDeadline(ctx context.Context, tx *store.Tx, d concert.Deadline) error {
	look := d.NextLook(s.now())
	if d.Term == concert.TermFirstContact {
		look = time.Time{}
	}
	return tx.PutDeadline(ctx, d, look)
}

// meet lets a rule change the order's clock of a term, where there is one.
func (s *Service) meet(ctx context.Context, tx *store.Tx, o concert.Order, key concert.TermKey, rule func(concert.Deadline) (concert.Deadline, error)) error {
	ds, err := tx.Deadlines(ctx, o.ID)
	if err != nil {
		return err
	}
	for _, d := range ds {
		if d.Term != key {
			continue
		}
		next, err := rule(d)
		if err != nil {
			return err
		}
		next.Version = d.Version
		return s.putDeadline(ctx, tx, next)
	}
	return nil
}

// endDeadlines ends every clock of an order that binds no more, and has its items
// looked at: they are to be back.
func (s *Service) endDeadlines(ctx context.Context, tx *store.Tx, o concert.Order, why string) error {
	ds, err := tx.Deadlines(ctx, o.ID)
	if err != nil {
		return err
	}
	for _, d := range ds {
		if d.State != concert.DeadlineRunning && d.State != concert.DeadlinePaused {
			continue
		}
		next, err := d.Voided(why)
		if err != nil {
			return err
		}
		next.Version = d.Version
		if err := s.putDeadline(ctx, tx, next); err != nil {
			return err
		}
	}
	return s.setOrderLook(ctx, tx, o)
}
