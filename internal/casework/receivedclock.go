package casework

import (
	"context"
	"time"

	"concert"
	"concert/internal/store"
)

// receivedTick is how soon a clock of the desk is looked at.
const receivedTick = clockTick

// fireReceived gives the alarms of the desk's own clocks, and says what was missed, as
// fireDeadlines does for the orders of this house.
func (s *Service) fireReceived(ctx context.Context) error {
	for {
		due := false
		err := s.DB.View(ctx, func(tx *store.Tx) (err error) {
			due, err = tx.AnyReceivedDeadlineDue(ctx, s.now())
			return err
		})
		if err != nil || !due {
			return err
		}
		n := 0
		var alarms []receivedAlarm
		err = s.retryStale(ctx, func(tx *store.Tx) error {
			alarms = nil
			ds, err := tx.DueReceivedDeadlines(ctx, s.now(), deadlinesMost)
			if err != nil {
				return err
			}
			n = len(ds)
			for _, d := range ds {
				given, err := s.fireReceivedOne(ctx, tx, d)
				if err != nil {
					return err
				}
				alarms = append(alarms, given...)
			}
			return nil
		})
		if err != nil {
			return err
		}
		s.mailAlarms(ctx, alarms)
		if n < deadlinesMost {
			return nil
		}
	}
}

// receivedAlarm is one that was given.
type receivedAlarm struct {
	of   concert.Received
	term concert.TermKey
	left time.Duration
	due  time.Time
}

func (s *Service) fireReceivedOne(ctx context.Context, tx *store.Tx, d concert.Deadline) ([]receivedAlarm, error) {
	now := s.now()
	r, err := s.receivedOf(ctx, tx, d)
	if err != nil {
		return nil, err
	}
	var out []receivedAlarm
	next, due := d.Alarmed(now)
	if d.Least { // what had to last is over: it may go
		due = []time.Duration{0}
	}
	for _, left := range due {
		tx.Record(r.Alarmed(next, left, now))
		out = append(out, receivedAlarm{r, d.Term, left, d.DueAt})
	}
	if fallen, fell := next.Fell(now); fell {
		next = fallen
		tx.Record(r.Missed(next, now))
	}
	next.Version = d.Version
	return out, s.putReceivedDeadline(ctx, tx, next)
}

// receivedOf is what a clock is about in the end: an order, what is kept because of it,
// or a complaint.
func (s *Service) receivedOf(ctx context.Context, tx *store.Tx, d concert.Deadline) (concert.Received, error) {
	subject := string(d.Order)
	switch d.Term {
	case concert.TermComplaint:
		c, err := tx.Dispute(ctx, subject)
		if err != nil {
			return concert.Received{}, err
		}
		subject = string(c.Received)
	case concert.TermPreservation:
		k, err := tx.KeptContent(ctx, subject)
		if err != nil {
			return concert.Received{}, err
		}
		subject = string(k.Received)
	}
	return tx.Received(ctx, subject)
}

// putReceivedDeadline writes a clock of the desk with the moment of its next look.
func (s *Service) putReceivedDeadline(ctx context.Context, tx *store.Tx, d concert.Deadline) error {
	return tx.PutReceivedDeadline(ctx, d, d.NextLook(s.now()))
}
