package casework

import (
	"context"
	"time"

	"concert"
	"concert/internal/dispatch"
	"concert/internal/store"
)

// hookContact pushes what is due to a contact point that is a webhook, by the
// rules of a provider's own.
func (s *Service) hookContact(ctx context.Context, c concert.ContactPoint) (more bool, err error) {
	var due []store.Waiting
	var p concert.Provider
	err = s.retryStale(ctx, func(tx *store.Tx) error {
		now := s.now()
		var err error
		if p, err = tx.Provider(ctx, string(c.Provider)); err != nil {
			return err
		}
		if due, err = tx.DuePostings(ctx, c.ID, now, deliverMost); err != nil {
			return err
		}
		due, err = s.allowed(ctx, tx, c, due, now)
		return err
	})
	if err != nil || len(due) == 0 {
		return false, err
	}
	out := make([]store.Outgoing, len(due))
	for i, d := range due {
		out[i] = d.Outgoing
	}
	p.WebhookURL = c.Address
	receipts, err := s.sendAll(ctx, p, out)
	if err != nil {
		return false, err
	}
	gone := false
	err = s.retryStale(ctx, func(tx *store.Tx) error {
		gone = false
		now := s.now()
		current, err := tx.ContactPoint(ctx, string(c.ID))
		if err != nil {
			return err
		}
		fresh, err := tx.DuePostings(ctx, c.ID, now, deliverMost*4)
		if err != nil {
			return err
		}
		by := map[concert.DeliveryID]store.Waiting{}
		for _, d := range fresh {
			by[d.ID] = d
		}
		var saved []store.Outgoing
		for i := range due {
			d, ok := by[due[i].ID]
			if !ok {
				continue
			}
			r := receipts[i]
			next, events := s.applyReceipt(d.Outgoing, r, now)
			tx.Record(events...)
			d.DueAt, next.NextAt = next.NextAt, time.Time{}
			if r.Outcome == dispatch.Accepted {
				current.SuccessAt = now
			} else {
				current.TroubleAt, current.Trouble = now, string(r.Outcome)
			}
			gone = gone || r.Outcome == dispatch.Gone
			saved = append(saved, next)
			if err := s.reached(ctx, tx, next); err != nil {
				return err
			}
			if err := tx.AddPosting(ctx, d.Posting); err != nil {
				return err
			}
		}
		if err := tx.SaveDeliveries(ctx, saved); err != nil {
			return err
		}
		bounce := ""
		if gone {
			bounce = "410"
		}
		return s.settleContact(ctx, tx, current, bounce, nil, now)
	})
	return !gone && len(due) == deliverMost, err
}
