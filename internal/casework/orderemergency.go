package casework

import (
	"context"

	"concert"
	"concert/internal/store"
)

// ReviewEmergency records the review of an order that was issued in an emergency: its
// 48 hours are met (G32). Where it is missing when they are over, the clock says so
// like every other one.
func (s *Service) ReviewEmergency(ctx context.Context, by concert.Actor, ref string, version int64, v concert.Verdict, reason string) (concert.Order, error) {
	return s.changeOrder(ctx, by, ref, version, func(tx *store.Tx, o concert.Order) (concert.Order, error) {
		now := s.now()
		next, e, err := o.EmergencyReviewed(by, v, reason, now)
		if err != nil {
			return o, err
		}
		tx.Record(e)
		if err := s.meet(ctx, tx, next, concert.TermEmergency, func(d concert.Deadline) (concert.Deadline, error) { return d.Met(now) }); err != nil {
			return o, err
		}
		return next, tx.SaveOrder(ctx, next)
	})
}
