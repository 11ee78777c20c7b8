package casework

import (
	"context"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

// ProposeAllotment proposes to a unit what to do with its pool. from and to are
// references of authorities.
func (s *Service) ProposeAllotment(ctx context.Context, by concert.Actor, ref, from, to string, l concert.Allotment) (concert.Allotment, error) {
	if err := by.Need(concert.RoleCoordinator); err != nil {
		return l, err
	}
	l.ID, l.Ref, l.Version = concert.AllotmentID(identity.NewID()), identity.NewReference("AL"), 1
	err := s.DB.Update(ctx, func(tx *store.Tx) error {
		a, err := tx.Action(ctx, ref)
		if err != nil {
			return err
		}
		for _, side := range []struct {
			ref  string
			into *concert.AuthorityID
		}{{from, &l.From}, {to, &l.To}} {
			if side.ref == "" {
				continue
			}
			who, err := tx.Authority(ctx, side.ref)
			if err != nil {
				return err
			}
			*side.into = who.ID
		}
		takesPart, err := tx.Participants(ctx, a.ID)
		if err != nil {
			return err
		}
		next, e, err := a.Allotted(by, l, takesPart, s.now())
		if err != nil {
			return err
		}
		l = next
		if err := tx.AddAllotment(ctx, l); err != nil {
			return err
		}
		tx.Record(e)
		return nil
	})
	return l, err
}

// AnswerAllotment is the unit's word on a proposal.
func (s *Service) AnswerAllotment(ctx context.Context, by concert.Actor, ref string, word concert.AllotmentWord, ground string) error {
	return s.DB.Update(ctx, func(tx *store.Tx) error {
		l, err := tx.Allotment(ctx, ref)
		if err != nil {
			return err
		}
		a, err := tx.Action(ctx, string(l.Action))
		if err != nil {
			return err
		}
		next, e, err := l.Answered(by, a, word, ground, s.now())
		if err != nil {
			return err
		}
		if err := tx.SaveAllotment(ctx, next); err != nil {
			return err
		}
		tx.Record(e)
		return nil
	})
}
