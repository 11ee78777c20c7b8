package casework

import (
	"context"
	"errors"
	"fmt"

	"concert"
	"concert/internal/store"
)

// CaseItemsCounted is up to how many items of a case its list counts.
const CaseItemsCounted = 1000

// SearchCases is one page of the cases that the actor is a member of, all for an
// auditor, each with its lead and how many items it has, counted up to
// CaseItemsCounted. Titles are sealed, so that it is a consultation; filters is
// the search as an address has it.
func (s *Service) SearchCases(ctx context.Context, scope concert.Scope, q concert.CaseSearch, filters string, p concert.Page) (concert.Listed[CaseView], error) {
	var out concert.Listed[CaseView]
	by := scope.Actor()
	if q.Member = ""; !by.Has(concert.RoleAuditor) {
		if err := by.MayKeepCases(); err != nil {
			return out, err
		}
		q.Member = by.Person
	}
	b := concert.ConsultedBody{What: concert.ReadCases, Filter: filters}
	err := s.reading(ctx, scope, &b, func(tx *store.Tx) error {
		found, err := tx.SearchCases(ctx, scope, q, s.now(), p)
		if err != nil {
			return err
		}
		out = concert.Listed[CaseView]{Looked: found.Looked, Rest: found.Rest}
		b.Count = len(found.Rows)
		ids := make([]concert.CaseID, len(found.Rows))
		people := make([]concert.PersonID, len(found.Rows))
		for i, c := range found.Rows {
			ids[i], people[i] = c.ID, c.Lead
		}
		n, err := tx.CountItemsOfCases(ctx, ids, CaseItemsCounted)
		if err != nil {
			return err
		}
		leads, err := tx.Operators(ctx, people)
		if err != nil {
			return err
		}
		units := map[concert.AuthorityID]concert.Authority{}
		for _, c := range found.Rows {
			if _, known := units[c.Authority]; !known {
				if units[c.Authority], err = tx.Authority(ctx, string(c.Authority)); err != nil {
					return err
				}
			}
			out.Rows = append(out.Rows, CaseView{Case: c, Authority: units[c.Authority], Operators: leads, ItemCount: n[c.ID], Soon: s.reviewSoon(c)})
		}
		return nil
	})
	if err != nil {
		return concert.Listed[CaseView]{}, err
	}
	return out, nil
}

// SearchWatches is one page of the places that the actor's authority watches, all
// for an auditor. sweeper is the operator number of somebody of the authority who
// has gone through the place, "" for any; filters is the search as an address
// has it.
func (s *Service) SearchWatches(ctx context.Context, scope concert.Scope, q concert.WatchSearch, sweeper, filters string, p concert.Page) (concert.Listed[WatchView], error) {
	var out concert.Listed[WatchView]
	by := scope.Actor()
	if q.Member = ""; !by.Has(concert.RoleAuditor) {
		if err := by.MayWatch(); err != nil {
			return out, err
		}
		q.Authority, q.Member = by.Authority, by.Person
	}
	b := concert.ConsultedBody{What: concert.ReadWatchlist, Filter: filters}
	err := s.reading(ctx, scope, &b, func(tx *store.Tx) error {
		var err error
		if q.Sweeper, err = personAsked(ctx, tx, by, sweeper, "by"); err != nil {
			return err
		}
		found, err := tx.SearchWatches(ctx, scope, q, s.now(), p)
		if err != nil {
			return err
		}
		b.Count = len(found.Rows)
		out.Looked, out.Rest = found.Looked, found.Rest
		out.Rows, err = s.watchViews(ctx, tx, found.Rows)
		return err
	})
	if err != nil {
		return concert.Listed[WatchView]{}, err
	}
	return out, nil
}

// personAsked is whom a filter names by operator number: one of the actor's
// authority, anybody for an auditor. Others are as unknown as who is not there.
func personAsked(ctx context.Context, tx *store.Tx, by concert.Actor, operator, field string) (concert.PersonID, error) {
	if operator == "" {
		return "", nil
	}
	p, err := tx.PersonByLogin(ctx, operator)
	switch {
	case err != nil && !errors.Is(err, concert.ErrNotFound):
		return "", fmt.Errorf("whom a list asks for: %w", err)
	case err != nil, !by.Has(concert.RoleAuditor) && p.Authority != by.Authority:
		return "", concert.Refuse(concert.Invalid, "list.choice", field, "there is nobody with the operator number %q: check it", operator)
	}
	return p.ID, nil
}
