package casework

import (
	"context"
	"slices"

	"concert"
	"concert/internal/store"
)

// AnswerItems answers items across several of the provider's referrals in one
// act: each gets its own result, and one that is refused does not spoil the
// others. An entry with a version is refused where the item has moved on since.
func (s *Service) AnswerItems(ctx context.Context, by concert.Actor, in []Replying) ([]Result, error) {
	if err := mayBulk(by, len(in)); err != nil {
		return nil, err
	}
	out := make([]Result, len(in))
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		clear(out)
		return s.bulk(ctx, tx, by, in, out, true)
	})
	return out, err
}

// PreviewAnswers says what AnswerItems would do, entry by entry, and does none of
// it.
func (s *Service) PreviewAnswers(ctx context.Context, by concert.Actor, in []Replying) ([]Result, error) {
	if err := mayBulk(by, len(in)); err != nil {
		return nil, err
	}
	out := make([]Result, len(in))
	err := s.DB.View(ctx, func(tx *store.Tx) error { return s.bulk(ctx, tx, by, in, out, false) })
	return out, err
}

func mayBulk(by concert.Actor, n int) error {
	if err := by.MayOwn(); err != nil {
		return err
	}
	if err := by.Need(concert.RoleProviderAnswerer); err != nil {
		return err
	}
	if n < 1 || n > concert.BulkAnswers {
		return concert.Refuse(concert.Invalid, "answer.bulk", "answers", "a bulk answer takes 1 to %d items, not %d: answer the rest after it", concert.BulkAnswers, n)
	}
	return nil
}

// bulk runs the rule on every entry, referral by referral; with do it writes what
// came of it.
func (s *Service) bulk(ctx context.Context, tx *store.Tx, by concert.Actor, in []Replying, out []Result, do bool) error {
	named, err := tx.BareItemsByRef(ctx, entries(len(in), func(i int) string { return in[i].Item }))
	if err != nil {
		return err
	}
	now := s.now()
	var order []concert.ReferralID
	of := map[concert.ReferralID][]int{}
	for i, rep := range in {
		it, ok := named[rep.Item]
		switch {
		case !ok || it.Referral == "" || it.Provider != by.Provider:
			out[i] = Result{Ref: rep.Item, Err: concert.ErrNotFound}
		case rep.Version != 0 && rep.Version != it.Version:
			out[i] = Result{Ref: rep.Item, Err: concert.ErrStale}
		default:
			if !slices.Contains(order, it.Referral) {
				order = append(order, it.Referral)
			}
			of[it.Referral] = append(of[it.Referral], i)
		}
	}
	for _, id := range order {
		r, err := tx.ReferralByID(ctx, id)
		if err != nil {
			return err
		}
		r, acked, err := r.Acknowledged(by, now)
		if err != nil {
			return err
		}
		a := answering{byRef: named, changed: map[string]concert.Item{}}
		for _, i := range of[id] {
			if !do {
				out[i], err = foretold(named[in[i].Item], by, r, in[i], s)
			} else {
				out[i], err = s.answerOne(ctx, tx, &a, by, r, in[i], now)
			}
			if err != nil {
				return err
			}
		}
		if !do || len(a.changed) == 0 {
			continue
		}
		tx.Record(acked...)
		if err := s.saveAnswers(ctx, tx, by, &r, &a, len(acked) > 0, now); err != nil {
			return err
		}
	}
	return nil
}

// foretold is what an answer would come to.
func foretold(it concert.Item, by concert.Actor, r concert.Referral, rep Replying, s *Service) (Result, error) {
	next, _, _, changed, err := it.ItemAnswered(by, r, rep.Answer, s.now())
	if err != nil {
		ref, err := refusal(err)
		return Result{Ref: rep.Item, Err: ref}, err
	}
	if !changed {
		return Result{Ref: rep.Item, Outcome: "unchanged", Version: it.Version}, nil
	}
	return Result{Ref: rep.Item, Outcome: string(next.Status), Version: it.Version}, nil
}
