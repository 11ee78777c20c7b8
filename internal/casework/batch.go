package casework

import (
	"context"
	"errors"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

// act does the plan to some items, as whoever gave it.
func (s *Service) act(ctx context.Context, by concert.Actor, p concert.BatchPlan, items []concert.BatchItem) ([]Result, error) {
	switch p.Act {
	case concert.BatchWithdraw, concert.BatchCorrect:
		kind := concert.RemedyWithdrawal
		if p.Act == concert.BatchCorrect {
			kind = concert.RemedyCorrection
		}
		in := make([]Remedying, len(items))
		for i, it := range items {
			in[i] = Remedying{Item: it.Ref, Version: it.Version, Kind: kind, Reason: p.Reason, Category: p.Category}
		}
		return s.RemedyItems(ctx, by, in)
	case concert.BatchHandling:
		out := make([]Result, len(items))
		for i, it := range items {
			out[i] = Result{Ref: it.Ref, Outcome: string(p.Handling)}
			if err := s.ChangeHandling(ctx, by, it.Ref, it.Version, p.Handling, p.Reason); err != nil {
				if out[i].Err, err = refusal(err); err != nil {
					return nil, err
				}
			}
		}
		return out, nil
	}
	return nil, concert.Refuse(concert.Invalid, "batch.act", "act", "%q is nothing that is done to many items at once; the acts are %v", p.Act, concert.BatchActs)
}

// Preview says what a batch would do to each item and which would refuse it: it
// does everything, looks, and undoes it.
func (s *Service) Preview(ctx context.Context, by concert.Actor, p concert.BatchPlan, items []concert.BatchItem) ([]Result, error) {
	if _, _, err := (concert.Batch{Plan: p}).Planned(by, items, s.now(), 0); err != nil {
		return nil, err
	}
	var out []Result
	for from := 0; from < len(items); from += concert.BatchStep {
		step := items[from:min(from+concert.BatchStep, len(items))]
		err := s.DB.Trial(ctx, func(ctx context.Context) error {
			got, err := s.act(ctx, by, p, step)
			out = append(out, got...)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// PlanBatch records what is to be done; it begins when its undo window is over.
func (s *Service) PlanBatch(ctx context.Context, by concert.Actor, p concert.BatchPlan, items []concert.BatchItem) (concert.Batch, error) {
	b := concert.Batch{ID: concert.BatchID(identity.NewID()), Ref: identity.NewReference("BA"), Plan: p, Version: 1}
	b, e, err := b.Planned(by, items, s.now(), s.caseSpan(concert.BatchUndo))
	if err != nil {
		return b, err
	}
	return b, s.DB.Update(ctx, func(tx *store.Tx) error {
		tx.Record(e)
		tx.SetClock(concert.ClockBatch, string(b.ID), b.DueAt)
		return tx.AddBatch(ctx, b, items)
	})
}

// RecallBatch takes a batch back of which nothing was done.
func (s *Service) RecallBatch(ctx context.Context, by concert.Actor, ref string) error {
	return s.retryStale(ctx, func(tx *store.Tx) error {
		b, err := tx.Batch(ctx, ref)
		if err != nil {
			return err
		}
		b, e, err := b.Recalled(by, s.now())
		if err != nil {
			return err
		}
		tx.Record(e)
		return tx.SaveBatch(ctx, b)
	})
}

// runBatch does the next step of a batch, and comes again until it is done. A
// step and what became of its items are true together, so that a node that dies
// in between leaves either both or neither.
func (s *Service) runBatch(ctx context.Context, j concert.RunBatch) error {
	more := false
	err := s.DB.Together(ctx, func(ctx context.Context) error {
		var b concert.Batch
		var items []concert.BatchItem
		var by concert.Actor
		var gone bool
		err := s.DB.Update(ctx, func(tx *store.Tx) error {
			var err error
			if b, err = tx.Batch(ctx, string(j.Batch)); err != nil {
				return err
			}
			if b.Status != concert.BatchWaiting && b.Status != concert.BatchRunning {
				return nil
			}
			if items, err = tx.BatchItems(ctx, b.ID, b.Done, concert.BatchStep); err != nil {
				return err
			}
			p, err := tx.Person(ctx, b.By)
			by, gone = p.Actor(), !p.DisabledAt.IsZero()
			return err
		})
		if err != nil || len(items) == 0 {
			return err
		}
		if err := s.step(ctx, by, gone, b.Plan, items); err != nil {
			return err
		}
		return s.DB.Update(ctx, func(tx *store.Tx) error {
			next, e := b.Stepped(items, s.now())
			if e == nil {
				e = new(concert.Event)
				*e = concert.NewEvent(concert.EventBatchStepped, concert.House, string(b.ID), s.now(), concert.BatchBody{Ref: b.Ref, Act: b.Plan.Act, Authority: b.Authority, Items: next.Done, Refused: next.Refused})
				tx.SetClock(concert.ClockBatch, string(b.ID), s.now())
				more = true
			}
			tx.Record(*e)
			if err := tx.SaveBatchItems(ctx, b.ID, b.Done, items); err != nil {
				return err
			}
			return tx.SaveBatch(ctx, next)
		})
	})
	if errors.Is(err, concert.ErrStale) || more {
		return nil // the clock brings it again
	}
	return err
}

// step does the plan and writes into items what became of them.
func (s *Service) step(ctx context.Context, by concert.Actor, gone bool, p concert.BatchPlan, items []concert.BatchItem) error {
	if gone {
		for i := range items {
			items[i].Code = "person.disabled"
		}
		return nil
	}
	got, err := s.act(ctx, by, p, items)
	if err != nil {
		// A refusal of the whole, for one because a role was lost meanwhile, is
		// the refusal of each.
		refused, err := refusal(err)
		if err != nil {
			return err
		}
		for i := range items {
			items[i].Code = refused.Code
		}
		return nil
	}
	for i, r := range got {
		items[i].Outcome = r.Outcome
		if r.Err != nil {
			items[i].Outcome, items[i].Code = "", r.Err.Code
		}
	}
	return nil
}

// BatchView is a batch with what became of its items.
type BatchView struct {
	concert.Batch
	Operator string // of who gave it
	Lines    []concert.BatchItem
}

// ReadBatch is one of the actor's authority's batches.
func (s *Service) ReadBatch(ctx context.Context, scope concert.Scope, ref string) (BatchView, error) {
	var v BatchView
	if err := scope.Check(); err != nil {
		return v, err
	}
	by := scope.Actor()
	return v, s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		if v.Batch, err = tx.Batch(ctx, ref); err != nil {
			return err
		}
		if by.Authority == "" || v.Authority != by.Authority {
			return concert.ErrNotFound
		}
		p, err := tx.Person(ctx, v.By)
		if err != nil {
			return err
		}
		v.Operator = p.Operator
		v.Lines, err = tx.BatchItems(ctx, v.ID, 0, concert.BatchMost)
		return err
	})
}

// batchesShown is how many batches the list of them shows.
const batchesShown = 100

// ListBatches are the newest of the actor's authority's batches.
func (s *Service) ListBatches(ctx context.Context, scope concert.Scope) ([]concert.Batch, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	by := scope.Actor()
	if by.Authority == "" {
		return nil, by.Need(concert.RoleOfficer, concert.RoleReviewer)
	}
	var out []concert.Batch
	return out, s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		out, err = tx.Batches(ctx, by.Authority, batchesShown)
		return err
	})
}

// Versions are those of the items of the actor's desk among the references; the
// others are missing.
func (s *Service) Versions(ctx context.Context, by concert.Actor, refs []string) (map[string]int64, error) {
	out := map[string]int64{}
	if by.Authority == "" {
		return nil, by.Need(concert.RoleOfficer, concert.RoleReviewer)
	}
	return out, s.DB.View(ctx, func(tx *store.Tx) error {
		items, err := tx.BareItemsByRef(ctx, refs)
		if err != nil {
			return err
		}
		seen, err := seenBy(ctx, tx, by, items)
		for ref, it := range items {
			if it.Author == by.Authority || seen[it.ID] {
				out[ref] = it.Version
			}
		}
		return err
	})
}
