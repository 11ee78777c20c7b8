package casework

import (
	"context"
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
			for _, d := range ds {
				if err := s.fireDeadline(ctx, tx, d); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || n < deadlinesMost {
			return err
		}
	}
}

func (s *Service) fireDeadline(ctx context.Context, tx *store.Tx, d concert.Deadline) error {
	now := s.now()
	o, err := tx.Order(ctx, string(d.Order))
	if err != nil {
		return err
	}
	next, due := d.Alarmed(now)
	if d.Least { // what had to last is over, which nobody missed: it is looked at once, and said
		due = []time.Duration{0}
	}
	for _, left := range due {
		tx.Record(o.Alarmed(next, left, now))
	}
	if fallen, fell := next.Fell(now); fell {
		next = fallen
		if next.State == concert.DeadlineMissed {
			tx.Record(o.Missed(next, now))
		}
	}
	next.Version = d.Version
	return s.putDeadline(ctx, tx, next)
}

// putDeadline writes a legal clock with the moment at which it is next to be looked at.
func (s *Service) putDeadline(ctx context.Context, tx *store.Tx, d concert.Deadline) error {
	return tx.PutDeadline(ctx, d, d.NextLook(s.now()))
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

// endDeadlines ends every clock of an order that binds no more.
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
	return nil
}
