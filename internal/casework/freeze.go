package casework

import (
	"context"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

// FreezeAction stops the dispatch of an action until two people end that.
func (s *Service) FreezeAction(ctx context.Context, by concert.Actor, ref, reason string) error {
	if err := by.Need(concert.RoleCoordinator); err != nil {
		return err
	}
	err := s.DB.Update(ctx, func(tx *store.Tx) error {
		a, err := tx.Action(ctx, ref)
		if err != nil {
			return err
		}
		f, e, err := a.Frozen(by, concert.Freeze{ID: concert.FreezeID(identity.NewID()), Reason: reason, Version: 1}, s.now())
		if err != nil {
			return err
		}
		if err := tx.AddFreeze(ctx, f); err != nil {
			return err
		}
		tx.Record(e)
		return nil
	})
	if e, other := refusal(err); other == nil && e != nil && e.Code == store.CodeExists {
		return concert.Refuse(concert.Conflict, "freeze.frozen", "", "this action is frozen already: its freeze ends with two people")
	}
	return err
}

// AskThaw asks for the end of an action's freeze.
func (s *Service) AskThaw(ctx context.Context, by concert.Actor, ref, grounds string) error {
	if err := by.Need(concert.RoleCoordinator); err != nil {
		return err
	}
	return s.changeFreeze(ctx, ref, func(tx *store.Tx, f concert.Freeze) (concert.Freeze, concert.Event, error) {
		return f.ThawAsked(by, grounds, s.now())
	})
}

// ThawAction ends a freeze, as its second person: what waits goes out.
func (s *Service) ThawAction(ctx context.Context, by concert.Actor, ref string) error {
	if err := by.Need(concert.RoleCoordinator, concert.RoleReviewer); err != nil {
		return err
	}
	return s.changeFreeze(ctx, ref, func(tx *store.Tx, f concert.Freeze) (concert.Freeze, concert.Event, error) {
		if err := maySecond(ctx, tx, by, f.Action); err != nil {
			return f, concert.Event{}, err
		}
		next, e, err := f.Thawed(by, s.now())
		if err != nil {
			return f, e, err
		}
		return next, e, s.wake(ctx, tx, f.Action)
	})
}

// wake lets every provider's dispatch look again at what an action kept back.
func (s *Service) wake(ctx context.Context, tx *store.Tx, a concert.ActionID) error {
	waiting, err := tx.ProvidersAwaitingIn(ctx, a)
	for _, p := range waiting {
		tx.SetClock(concert.ClockDispatch, string(p), s.now())
	}
	return err
}

func (s *Service) changeFreeze(ctx context.Context, ref string, rule func(*store.Tx, concert.Freeze) (concert.Freeze, concert.Event, error)) error {
	return s.DB.Update(ctx, func(tx *store.Tx) error {
		a, err := tx.Action(ctx, ref)
		if err != nil {
			return err
		}
		f, err := tx.Freeze(ctx, a.ID)
		if err == concert.ErrNotFound {
			return concert.ErrNotFrozen
		}
		if err != nil {
			return err
		}
		next, e, err := rule(tx, f)
		if err != nil {
			return err
		}
		if err := tx.SaveFreeze(ctx, next); err != nil {
			return err
		}
		tx.Record(e)
		return nil
	})
}
