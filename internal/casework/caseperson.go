package casework

import (
	"context"
	"time"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

// AddCasePerson puts a person into a case, in a category (G21).
func (s *Service) AddCasePerson(ctx context.Context, by concert.Actor, ref string, in concert.CasePerson) (concert.CasePerson, error) {
	p := concert.CasePerson{ID: concert.CasePersonID(identity.NewID()), Ref: identity.NewReference("CP"), Category: in.Category, Evaluation: in.Evaluation, Name: in.Name, Source: in.Source, Ground: in.Ground, Version: 1}
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		c, err := caseOf(ctx, tx, by, ref)
		if err != nil {
			return err
		}
		added, e, err := c.PersonAdded(by, p, s.now())
		if err != nil {
			return err
		}
		if err := tx.AddCasePerson(ctx, added); err != nil {
			return err
		}
		tx.Record(e)
		p = added
		return nil
	})
	return p, err
}

// onCasePerson runs a change of one person of a case. Version is the one that
// was read.
func (s *Service) onCasePerson(ctx context.Context, by concert.Actor, ref, person string, version int64, rule func(concert.Case, concert.CasePerson, time.Time) (concert.CasePerson, concert.Event, error), save func(*store.Tx, concert.CasePerson) error) (concert.CasePerson, error) {
	var out concert.CasePerson
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		c, err := caseOf(ctx, tx, by, ref)
		if err != nil {
			return err
		}
		people, err := tx.CasePersons(ctx, c.ID)
		if err != nil {
			return err
		}
		for _, p := range people {
			if p.Ref != person {
				continue
			}
			next, e, err := rule(c, p, s.now())
			if err != nil {
				return err
			}
			if version != p.Version {
				return outdated()
			}
			tx.Record(e)
			if err := save(tx, next); err != nil {
				return err
			}
			next.Version++
			out = next
			return nil
		}
		return concert.ErrNotFound
	})
	return out, err
}

// CategoriseCasePerson moves a person of a case to another category.
func (s *Service) CategoriseCasePerson(ctx context.Context, by concert.Actor, ref, person string, version int64, to concert.DataSubject, ground string) (concert.CasePerson, error) {
	return s.onCasePerson(ctx, by, ref, person, version, func(c concert.Case, p concert.CasePerson, now time.Time) (concert.CasePerson, concert.Event, error) {
		return c.PersonCategorised(by, p, to, ground, now)
	}, func(tx *store.Tx, p concert.CasePerson) error { return tx.SaveCasePerson(ctx, p) })
}

// AskCasePersonErasure asks for the erasure of a person of a case.
func (s *Service) AskCasePersonErasure(ctx context.Context, by concert.Actor, ref, person string, version int64, code concert.ErasureCode, reason string) (concert.CasePerson, error) {
	return s.onCasePerson(ctx, by, ref, person, version, func(c concert.Case, p concert.CasePerson, now time.Time) (concert.CasePerson, concert.Event, error) {
		return c.PersonErasureAsked(by, p, code, reason, now)
	}, func(tx *store.Tx, p concert.CasePerson) error { return tx.SaveCasePerson(ctx, p) })
}

// EraseCasePerson confirms what another member asked for: the person's key and
// all that lay under it are destroyed. Category and dates remain.
func (s *Service) EraseCasePerson(ctx context.Context, by concert.Actor, ref, person string, version int64) (concert.CasePerson, error) {
	p, err := s.onCasePerson(ctx, by, ref, person, version, func(c concert.Case, p concert.CasePerson, now time.Time) (concert.CasePerson, concert.Event, error) {
		return c.PersonErased(by, p, now)
	}, func(tx *store.Tx, p concert.CasePerson) error { return tx.EraseCasePerson(ctx, p) })
	if err == nil {
		s.unscrubbed.Store(true)
	}
	return p, err
}
