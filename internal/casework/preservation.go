package casework

import (
	"context"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

// MarkAtrocity marks an item as evidence of an atrocity: from then on it is not
// referred before somebody preserves it, and not erased (G26).
func (s *Service) MarkAtrocity(ctx context.Context, by concert.Actor, ref, ground string) error {
	return s.onMark(ctx, by, ref, func(tx *store.Tx, it concert.Item, m concert.Atrocity) (concert.Atrocity, error) {
		next, e, err := it.AtrocityMarked(by, concert.Atrocity{Ground: ground}, m, s.now())
		if err != nil {
			return m, err
		}
		tx.Record(e)
		return next, nil
	})
}

// LiftAtrocity ends the mark, which was wrong; the item goes its way again.
func (s *Service) LiftAtrocity(ctx context.Context, by concert.Actor, ref, ground string) error {
	return s.onMark(ctx, by, ref, func(tx *store.Tx, it concert.Item, m concert.Atrocity) (concert.Atrocity, error) {
		next, e, err := it.AtrocityLifted(by, m, ground, s.now())
		if err != nil {
			return m, err
		}
		tx.Record(e)
		s.retain(tx, it)
		tx.SetClock(concert.ClockCaptures, string(it.ID), s.now())
		s.onItsWay(tx, it)
		return next, nil
	})
}

// PreserveItem records who preserves a marked item; one that waited for it is on
// its way to its provider.
func (s *Service) PreserveItem(ctx context.Context, by concert.Actor, ref string, p concert.Preservation) (concert.Preservation, error) {
	var out concert.Preservation
	err := s.onMark(ctx, by, ref, func(tx *store.Tx, it concert.Item, m concert.Atrocity) (concert.Atrocity, error) {
		captures, err := tx.Captures(ctx, it.ID)
		if err != nil {
			return m, err
		}
		p.Ref = identity.NewReference("PV")
		next, kept, e, err := it.Preserved(by, m, p, captures, s.now())
		if err != nil {
			return m, err
		}
		tx.Record(e)
		out = kept
		s.onItsWay(tx, it)
		return next, tx.AddPreservation(ctx, kept)
	})
	return out, err
}

// onMark runs a change of an item's mark by people of an authority that found or
// judged it.
func (s *Service) onMark(ctx context.Context, by concert.Actor, ref string, change func(*store.Tx, concert.Item, concert.Atrocity) (concert.Atrocity, error)) error {
	return s.retryStale(ctx, func(tx *store.Tx) error {
		it, err := s.ownItem(ctx, tx, by, ref)
		if err != nil {
			return err
		}
		if err := it.Standing(); err != nil {
			return err
		}
		m, err := tx.Atrocity(ctx, it.ID)
		if err != nil {
			return err
		}
		if m, err = change(tx, it, m); err != nil {
			return err
		}
		return tx.SaveAtrocity(ctx, m)
	})
}
