package casework

import (
	"context"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

// PostBulletin says something within an action: an order of the day, a mark on
// the timeline, a hand-over to the coordinator with that operator number, a roll
// call.
func (s *Service) PostBulletin(ctx context.Context, by concert.Actor, ref string, kind concert.BulletinKind, text, to string) (concert.Bulletin, error) {
	b := concert.Bulletin{ID: concert.BulletinID(identity.NewID()), Ref: identity.NewReference("BU"), Kind: kind, Text: text, Version: 1}
	if err := by.Need(concert.RoleCoordinator); err != nil {
		return b, err
	}
	err := s.DB.Update(ctx, func(tx *store.Tx) error {
		a, err := tx.Action(ctx, ref)
		if err != nil {
			return err
		}
		if to != "" {
			next, err := tx.PersonByLogin(ctx, to)
			if err != nil || !next.Actor().Has(concert.RoleCoordinator) || !next.DisabledAt.IsZero() || next.Waits {
				return concert.Refuse(concert.Invalid, "bulletin.to", "to", "%q is no coordinator: say who takes over, by operator number", to)
			}
			b.To = next.ID
		}
		next, e, err := b.Posted(by, a, s.now())
		if err != nil {
			return err
		}
		b = next
		if err := tx.AddBulletin(ctx, b); err != nil {
			return err
		}
		tx.Record(e)
		return nil
	})
	return b, err
}

// TakeDown takes an order or a roll call from the wall.
func (s *Service) TakeDown(ctx context.Context, by concert.Actor, ref string) error {
	return s.changeBulletin(ctx, by, ref, func(b concert.Bulletin) (concert.Bulletin, concert.Event, error) {
		return b.TakenDown(by, s.now())
	})
}

// TakeCommand says that the hand-over was read: the actor commands from now on.
func (s *Service) TakeCommand(ctx context.Context, by concert.Actor, ref string) error {
	return s.changeBulletin(ctx, by, ref, func(b concert.Bulletin) (concert.Bulletin, concert.Event, error) {
		return b.Taken(by, s.now())
	})
}

func (s *Service) changeBulletin(ctx context.Context, by concert.Actor, ref string, rule func(concert.Bulletin) (concert.Bulletin, concert.Event, error)) error {
	if err := by.Need(concert.RoleCoordinator); err != nil {
		return err
	}
	return s.DB.Update(ctx, func(tx *store.Tx) error {
		b, err := tx.Bulletin(ctx, ref)
		if err != nil {
			return err
		}
		next, e, err := rule(b)
		if err != nil {
			return err
		}
		if err := tx.SaveBulletin(ctx, next); err != nil {
			return err
		}
		tx.Record(e)
		return nil
	})
}
