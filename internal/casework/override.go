package casework

import (
	"context"
	"errors"
	"time"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

// OverrideHold lets a held item that is a threat to life pass the holds of
// others. Their holders are told at once, and a review is due in 48 hours (G32).
func (s *Service) OverrideHold(ctx context.Context, by concert.Actor, ref string, version int64, reason string) (concert.Item, error) {
	var it concert.Item
	if err := proven(by, concert.PowerRelease); err != nil {
		return it, err
	}
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		had, err := s.authored(ctx, tx, by, ref)
		if err != nil {
			return err
		}
		if version != had.Version {
			return outdated()
		}
		judged, err := tx.Assessments(ctx, []concert.AssessmentID{had.Assessment})
		if err != nil {
			return err
		}
		now := s.now()
		next, o, e, err := had.HoldOverridden(by, judged[had.Assessment], reason, now)
		if err != nil {
			return err
		}
		holds, err := tx.HoldsFor(ctx, []concert.Item{next})
		if err != nil {
			return err
		}
		tx.Record(e)
		for _, h := range standing(holds[next.ID], next, now) {
			if _, err := s.tell(ctx, tx, by, h, next, concert.AskedOverride); err != nil {
				return err
			}
		}
		if err := tx.AddOverride(ctx, o); err != nil {
			return err
		}
		if err := tx.SaveItems(ctx, []concert.Item{next}); err != nil {
			return err
		}
		tx.SetClock(concert.ClockOverride, string(next.ID), o.DueAt)
		s.onItsWay(tx, next)
		it = next
		it.Version++
		return nil
	})
	return it, err
}

// authored is an item that the actor's authority judged, without what is
// sealed; others get the answer of a missing one.
func (s *Service) authored(ctx context.Context, tx *store.Tx, by concert.Actor, ref string) (concert.Item, error) {
	items, err := tx.BareItemsByRef(ctx, []string{ref})
	if err != nil {
		return concert.Item{}, err
	}
	it, ok := items[ref]
	if !ok || by.Authority == "" || it.Author != by.Authority {
		return concert.Item{}, concert.ErrNotFound
	}
	return it, nil
}

// ReviewOverride records whether an override was justified. An alarm that
// nobody had reviewed it ends.
func (s *Service) ReviewOverride(ctx context.Context, by concert.Actor, ref string, v concert.Verdict, reason string) (concert.Override, error) {
	var out concert.Override
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		items, err := tx.BareItemsByRef(ctx, []string{ref})
		if err != nil {
			return err
		}
		it, ok := items[ref]
		if !ok {
			return concert.ErrNotFound
		}
		o, err := tx.Override(ctx, it.ID)
		if err != nil {
			return err
		}
		approvals, err := tx.Approvals(ctx, []concert.AssessmentID{it.Assessment})
		if err != nil {
			return err
		}
		now := s.now()
		next, e, err := o.Reviewed(by, it, approvals[it.Assessment], v, reason, now)
		if err != nil {
			return err
		}
		if err := tx.SaveOverride(ctx, next); err != nil {
			return err
		}
		tx.Record(e)
		out = next
		return s.endUnreviewed(ctx, tx, next, now)
	})
	return out, err
}

func (s *Service) endUnreviewed(ctx context.Context, tx *store.Tx, o concert.Override, now time.Time) error {
	alarm, err := tx.OpenAlarm(ctx, concert.AlarmUnreviewed, o.Authority, o.Item)
	if errors.Is(err, concert.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	alarm.EndedAt = now
	return tx.EndAlarm(ctx, alarm)
}

// reviewDue raises the alarm for an override that nobody reviewed in time.
func (s *Service) reviewDue(ctx context.Context, j concert.ReviewDue) error {
	return s.retryStale(ctx, func(tx *store.Tx) error {
		o, err := tx.Override(ctx, j.Item)
		if errors.Is(err, concert.ErrNotFound) {
			return nil
		}
		if err != nil || o.Verdict != "" {
			return err
		}
		now := s.now()
		if now.Before(o.DueAt) {
			tx.SetClock(concert.ClockOverride, string(o.Item), o.DueAt)
			return nil
		}
		if _, err := tx.OpenAlarm(ctx, concert.AlarmUnreviewed, o.Authority, o.Item); !errors.Is(err, concert.ErrNotFound) {
			return err
		}
		items, err := tx.BareItemsByID(ctx, []concert.ItemID{o.Item})
		if err != nil || len(items) == 0 {
			return err
		}
		alarm, e := o.Unreviewed(items[0], now)
		alarm.ID = concert.AlarmID(identity.NewID())
		// Moved on, so that a review at the same moment is tried again and ends
		// the alarm.
		if err := tx.SaveOverride(ctx, o); err != nil {
			return err
		}
		tx.Record(e)
		return tx.AddAlarm(ctx, alarm)
	})
}
