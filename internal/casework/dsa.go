package casework

import (
	"context"

	"concert"
	"concert/internal/formats"
	"concert/internal/store"
)

// Statements gives yield a draft of a statement of reasons (DSA Art. 17 and
// 24(5)) for every item that the actor's own provider says it restricted: of one
// referral, or with "" of all.
func (s *Service) Statements(ctx context.Context, by concert.Actor, referral string, yield func(formats.Statement) error) error {
	if err := by.MayOwn(); err != nil {
		return err
	}
	authors := map[concert.AuthorityID]string{}
	for q := (OwnQuery{View: concert.OwnAnswered, Limit: ownPage}); ; {
		var items []concert.OwnItem
		var answers map[concert.ItemID]concert.Answer
		var next concert.ItemID
		err := s.DB.View(ctx, func(tx *store.Tx) error {
			ids, err := s.restricted(ctx, tx, by, referral, q)
			if err != nil {
				return err
			}
			if referral == "" && len(ids) == ownPage {
				next = ids[len(ids)-1]
			}
			if items, err = tx.OwnItems(ctx, by.Provider, ids); err != nil {
				return err
			}
			for _, o := range items {
				if _, ok := authors[o.Author]; !ok {
					a, err := tx.Authority(ctx, string(o.Author))
					if err != nil {
						return err
					}
					authors[o.Author] = a.Name
				}
			}
			answers, err = tx.LastAnswers(ctx, ids)
			return err
		})
		if err != nil {
			return err
		}
		for _, o := range items {
			if !o.ErasedAt.IsZero() || o.Status == concert.ItemWithdrawn {
				continue
			}
			if draft, ok := formats.StatementOf(o, answers[o.ID], authors[o.Author]); ok {
				if err := yield(draft); err != nil {
					return err
				}
			}
		}
		if next == "" {
			return nil
		}
		q.After = next
	}
}

// restricted are the ids of the items to draft for: a referral's, or a page of all.
func (s *Service) restricted(ctx context.Context, tx *store.Tx, by concert.Actor, referral string, q OwnQuery) ([]concert.ItemID, error) {
	if referral == "" {
		return tx.OwnIDs(ctx, store.OwnFilter{Provider: by.Provider, View: q.View, After: q.After, Limit: q.Limit})
	}
	r, err := tx.Referral(ctx, referral)
	if err != nil {
		return nil, err
	}
	if err := by.MayRead(r); err != nil {
		return nil, err
	}
	items, err := tx.ReferralItems(ctx, r.ID)
	ids := make([]concert.ItemID, len(items))
	for i, it := range items {
		ids[i] = it.ID
	}
	return ids, err
}
