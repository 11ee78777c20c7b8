package casework

import (
	"context"
	"errors"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

// PlaceHold asks every other authority to keep off a place.
func (s *Service) PlaceHold(ctx context.Context, by concert.Actor, location, contact, caseRef string) (concert.Hold, error) {
	loc, _, err := s.locate(location, nil)
	if err != nil {
		return concert.Hold{}, err
	}
	h := concert.Hold{ID: concert.HoldID(identity.NewID()), Ref: identity.NewReference("HO"), Place: s.DB.Place(loc.Kind, loc.Canonical), Location: loc, Contact: contact, Case: caseRef, Exercise: s.Exercise, Version: 1}
	h, e, err := h.Placed(by, s.now())
	if err != nil {
		return h, err
	}
	return h, s.DB.Update(ctx, func(tx *store.Tx) error {
		if err := tx.AddHold(ctx, h); err != nil {
			return err
		}
		tx.Record(e)
		tx.SetClock(concert.ClockHold, string(h.ID), h.ExpiresAt)
		return nil
	})
}

// ReleaseHold ends a hold; what it kept back goes its way unless another hold
// stands.
func (s *Service) ReleaseHold(ctx context.Context, by concert.Actor, ref string, version int64, reason string) (concert.Hold, error) {
	var h concert.Hold
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		var err error
		if h, err = tx.Hold(ctx, ref); err != nil {
			return err
		}
		next, e, err := h.Released(by, reason, s.now())
		if err != nil {
			return err
		}
		if version != h.Version {
			return outdated()
		}
		h = next
		if err := tx.SaveHold(ctx, h); err != nil {
			return err
		}
		tx.Record(e)
		h.Version++
		return s.letGo(ctx, tx, by, h.Place)
	})
	return h, err
}

// Holds are the actor's authority's own. They open places and case references,
// so that whoever reads them says why.
func (s *Service) Holds(ctx context.Context, scope concert.Scope, before concert.HoldID, limit int) ([]concert.Hold, error) {
	var out []concert.Hold
	b := concert.ConsultedBody{What: concert.ReadHolds}
	err := s.reading(ctx, scope, &b, func(tx *store.Tx) error {
		var err error
		out, err = tx.Holds(ctx, scope, before, limit)
		b.Count = len(out)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// letGo releases the item at a place, if one is held there.
func (s *Service) letGo(ctx context.Context, tx *store.Tx, by concert.Actor, place [32]byte) error {
	it, held, err := tx.HeldAt(ctx, place)
	if err != nil || !held {
		return err
	}
	it, e, err := it.Released(by, s.now())
	if err != nil {
		return err
	}
	if err := tx.SaveItems(ctx, []concert.Item{it}); err != nil {
		return err
	}
	tx.Record(e)
	s.onItsWay(tx, it)
	return nil
}

// expireHold lets go what a hold kept back whose term is over.
func (s *Service) expireHold(ctx context.Context, j concert.ExpireHold) error {
	return s.retryStale(ctx, func(tx *store.Tx) error {
		h, err := tx.Hold(ctx, string(j.Hold))
		if errors.Is(err, concert.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if !h.ReleasedAt.IsZero() {
			return nil
		}
		if now := s.now(); now.Before(h.ExpiresAt) {
			tx.SetClock(concert.ClockHold, string(h.ID), h.ExpiresAt)
			return nil
		}
		return s.letGo(ctx, tx, concert.House, h.Place)
	})
}
