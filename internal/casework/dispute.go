package casework

import (
	"context"
	"errors"
	"time"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

// DisputeView is a complaint with until when it is answered; the term is zero where
// there is none.
type DisputeView struct {
	concert.Dispute
	Term concert.Deadline
	Of   string // reference of what was received
}

// Disputes is the register of complaints and reviews, newest first.
func (s *Service) Disputes(ctx context.Context, scope concert.Scope) ([]DisputeView, error) {
	var out []DisputeView
	err := s.received(ctx, scope, func(tx *store.Tx) (err error) {
		out, err = s.disputes(ctx, tx)
		return err
	})
	return out, err
}

func (s *Service) disputes(ctx context.Context, tx *store.Tx) ([]DisputeView, error) {
	all, err := tx.Disputes(ctx, time.Time{}, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), recordsMost)
	if err != nil {
		return nil, err
	}
	terms, err := tx.ReceivedDeadlines(ctx, concert.TermComplaint)
	if err != nil {
		return nil, err
	}
	names, err := s.receivedNames(ctx, tx)
	if err != nil {
		return nil, err
	}
	out := make([]DisputeView, len(all))
	for i, c := range all {
		out[i] = DisputeView{c, terms[c.ID], names[c.Received].Ref}
	}
	return out, nil
}

// EnterDispute enters a complaint against a measure. That of a content provider is
// answered within two weeks of its receipt (Art. 10(2)).
func (s *Service) EnterDispute(ctx context.Context, by concert.Actor, received string, c concert.Dispute) (concert.Dispute, error) {
	var out concert.Dispute
	if err := by.MayReceive(); err != nil {
		return c, err
	}
	err := s.DB.Update(ctx, func(tx *store.Tx) error {
		r, err := tx.Received(ctx, received)
		if err != nil {
			return err
		}
		items, err := tx.ReceivedItems(ctx, r.ID)
		if err != nil {
			return err
		}
		c.ID, c.Ref, c.Version = identity.NewID(), identity.NewReference("DP"), 1
		next, e, err := c.Entered(by, r, items, s.now())
		if err != nil {
			return err
		}
		if err := tx.AddDispute(ctx, next); err != nil {
			return err
		}
		tx.Record(e)
		out = next
		if next.Kind != concert.DisputeOfUser {
			return nil
		}
		d, err := s.receivedTerm(ctx, tx, next.ID, concert.TermComplaint, concert.TermStart{At: next.ReceivedAt, Evidence: "complaint " + next.Ref})
		if err != nil {
			return err
		}
		return s.putReceivedDeadline(ctx, tx, d)
	})
	return out, err
}

// DecideDispute records how a complaint ended and what its author was told.
func (s *Service) DecideDispute(ctx context.Context, by concert.Actor, ref string, outcome concert.DisputeOutcome, answer string) (concert.Dispute, error) {
	var out concert.Dispute
	if err := by.MayReceive(); err != nil {
		return out, err
	}
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		c, err := tx.Dispute(ctx, ref)
		if err != nil {
			return err
		}
		next, e, err := c.Decided(by, outcome, answer, s.now())
		if err != nil {
			return err
		}
		tx.Record(e)
		out = next
		if err := tx.SaveDispute(ctx, next); err != nil {
			return err
		}
		d, err := tx.ReceivedDeadline(ctx, c.ID, concert.TermComplaint)
		if errors.Is(err, concert.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		met, err := d.Met(s.now())
		if err != nil {
			return err
		}
		met.Version = d.Version
		return s.putReceivedDeadline(ctx, tx, met)
	})
	return out, err
}
