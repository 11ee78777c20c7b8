package casework

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"concert"
	"concert/internal/dispatch"
	"concert/internal/identity"
	"concert/internal/store"
)

const (
	// deliverMost bounds the notices that one round takes, deliverAtOnce those
	// in flight to one provider.
	deliverMost   = 64
	deliverAtOnce = 4
)

// deliverProvider sends a provider what is queued for it and writes down what
// came of it. Sending happens outside any transaction; the webhook-id stays the
// same over all attempts, so that a crash after sending shows as a double that
// the receiver knows.
func (s *Service) deliverProvider(ctx context.Context, j concert.DeliverProvider) error {
	for {
		if held, err := s.heldBack(ctx, concert.ClockDeliver, string(j.Provider)); err != nil || held {
			return err
		}
		var p concert.Provider
		var due []store.Outgoing
		err := s.DB.View(ctx, func(tx *store.Tx) error {
			var err error
			if p, err = tx.Provider(ctx, string(j.Provider)); err != nil {
				return err
			}
			due, err = tx.DueDeliveries(ctx, p.ID, s.now(), deliverMost)
			return err
		})
		if err != nil {
			return err
		}
		if !p.DisabledAt.IsZero() || p.Channel != concert.ChannelWebhook {
			return nil
		}
		if len(due) == 0 {
			return s.nextDelivery(ctx, p.ID)
		}
		w, now := windowOf(p), s.now()
		open := w.Open(now)
		due = slices.DeleteFunc(due, func(d store.Outgoing) bool { return !d.MayGo(open, d.Urgent) })
		if len(due) == 0 {
			return s.DB.Update(ctx, func(tx *store.Tx) error {
				tx.SetClock(concert.ClockDeliver, string(p.ID), w.NextOpen(now))
				return nil
			})
		}
		receipts, err := s.sendAll(ctx, p, due)
		if err != nil {
			return err
		}
		gone, err := s.recordReceipts(ctx, p, due, receipts)
		if err != nil || gone {
			return err
		}
	}
}

// nextDelivery sets the clock for what waits for a later attempt.
func (s *Service) nextDelivery(ctx context.Context, id concert.ProviderID) error {
	var next time.Time
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		next, err = tx.NextDelivery(ctx, id)
		return err
	})
	if err != nil || next.IsZero() {
		return err
	}
	return s.DB.Update(ctx, func(tx *store.Tx) error {
		tx.SetClock(concert.ClockDeliver, string(id), next)
		return nil
	})
}

func (s *Service) sendAll(ctx context.Context, p concert.Provider, due []store.Outgoing) ([]dispatch.Receipt, error) {
	keys, err := s.webhookKeys(p)
	if err != nil {
		return nil, err
	}
	notice16, err := s.Article16Of(ctx, due)
	if err != nil {
		return nil, err
	}
	receipts := make([]dispatch.Receipt, len(due))
	slots := make(chan struct{}, deliverAtOnce)
	var wg sync.WaitGroup
	for i, d := range due {
		body, err := json.Marshal(s.webhookBody(d, notice16[d.Referral]))
		if err != nil {
			return nil, fmt.Errorf("notice %s: %w", d.ID, err)
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			receipts[i] = s.Channel.Send(ctx, dispatch.Message{ID: "msg_" + string(d.ID), URL: p.WebhookURL, Body: body, Keys: keys, Timestamp: time.Now()})
		})
	}
	wg.Wait()
	return receipts, ctx.Err()
}

// webhookBody is a concert.WebhookNotice, or a concert.OrderNotice where the notice is
// about an order.
func (s *Service) webhookBody(d store.Outgoing, article16 bool) any {
	if d.Kind.OfOrder() {
		data := concert.OrderNoticeData{Order: d.RefRef, URL: s.BaseURL + "/api/v1/orders/" + d.RefRef, Items: d.Items, Author: d.Author, Binding: d.Kind == concert.NoticeOrder, Exercise: d.Exercise}
		if d.Kind == concert.NoticeOrderAlarm {
			left := minutesLeft(d)
			data.Left = &left
		}
		return concert.OrderNotice{Type: concert.NoticeTypes[d.Kind], Timestamp: d.CreatedAt.Format(concert.TimeFormat), Data: data}
	}
	data := concert.NoticeData{Referral: d.RefRef, URL: s.BaseURL + "/api/v1/referrals/" + d.RefRef, Items: d.Items, Author: d.Author, Voluntary: true, Urgent: d.Urgent, Remedy: d.Remedy, Exercise: d.Exercise, Article16: article16}
	switch d.Kind {
	case concert.NoticeQuestion:
		data.URL += "/questions"
		data.Question, data.Remedy = d.Remedy, ""
	case concert.NoticePatterns:
		data.URL = s.BaseURL + "/api/v1/notes/" + d.RefRef
	}
	return concert.WebhookNotice{Type: concert.NoticeTypes[d.Kind], Timestamp: d.CreatedAt.Format(concert.TimeFormat), Data: data}
}

// Article16Of says of the notices' referrals which are meant under DSA Art. 16.
func (s *Service) Article16Of(ctx context.Context, ds []store.Outgoing) (map[concert.ReferralID]bool, error) {
	var ids []concert.ReferralID
	for _, d := range ds {
		if d.Referral != "" && !slices.Contains(ids, d.Referral) {
			ids = append(ids, d.Referral)
		}
	}
	var out map[concert.ReferralID]bool
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		out, err = tx.Article16Of(ctx, ids)
		return err
	})
	return out, err
}

// webhookKeys are what signs for this provider: one, or two while they rotate.
func (s *Service) webhookKeys(p concert.Provider) ([]dispatch.SigningKey, error) {
	raw, err := identity.Open(s.DB.Keys.Derive("webhook signing keys"), p.SealedKeys, []byte(p.ID))
	if err != nil {
		return nil, fmt.Errorf("webhook keys of provider %s: %w", p.Ref, err)
	}
	var texts []string
	if err := json.Unmarshal(raw, &texts); err != nil {
		return nil, fmt.Errorf("webhook keys of provider %s: %w", p.Ref, err)
	}
	keys := make([]dispatch.SigningKey, len(texts))
	for i, t := range texts {
		if keys[i], err = dispatch.ParseSigningKey(t); err != nil {
			return nil, fmt.Errorf("webhook keys of provider %s: %w", p.Ref, err)
		}
	}
	return keys, nil
}

// recordReceipts writes what came of each attempt; gone is true when the
// endpoint said 410 and nothing is pushed to it any more.
func (s *Service) recordReceipts(ctx context.Context, p concert.Provider, due []store.Outgoing, receipts []dispatch.Receipt) (gone bool, err error) {
	ids := make(map[concert.DeliveryID]dispatch.Receipt, len(due))
	for i, d := range due {
		ids[d.ID] = receipts[i]
	}
	err = s.retryStale(ctx, func(tx *store.Tx) error {
		gone = false
		// Loaded again: the provider may have opened one meanwhile.
		now := s.now()
		current, err := tx.DueDeliveries(ctx, p.ID, now, deliverMost*4)
		if err != nil {
			return err
		}
		var saved []store.Outgoing
		for _, d := range current {
			r, ok := ids[d.ID]
			if !ok {
				continue
			}
			d, events := s.applyReceipt(d, r, now)
			tx.Record(events...)
			saved = append(saved, d)
			if err := s.reached(ctx, tx, d); err != nil {
				return err
			}
			gone = gone || r.Outcome == dispatch.Gone
		}
		if err := tx.SaveDeliveries(ctx, saved); err != nil {
			return err
		}
		if gone {
			return s.disableProvider(ctx, tx, p.ID, now)
		}
		return nil
	})
	return gone, err
}

// applyReceipt moves a delivery on its ladder, or to its next attempt.
func (s *Service) applyReceipt(d store.Outgoing, r dispatch.Receipt, now time.Time) (store.Outgoing, []concert.Event) {
	var events []concert.Event
	climb := func(to concert.Rung) {
		next, e, up := d.Climbed(to, r.Evidence, now)
		if up {
			events = append(events, e)
		}
		d.Delivery = next
	}
	d.Attempts++
	if d.SentAt.IsZero() {
		d.SentAt = now
	}
	climb(concert.RungSent)
	if r.Outcome == dispatch.Accepted {
		climb(concert.RungAccepted)
		d.NextAt = time.Time{}
		return d, events
	}
	delay, giveUp := dispatch.NextAttempt(d.Attempts, r, rand.Float64())
	d.Evidence, d.NextAt = r.Evidence, now.Add(delay)
	if giveUp {
		d.NextAt = time.Time{}
		if d.Rung == concert.RungSent {
			d.Rung = concert.RungFailed
			events = append(events, concert.NewEvent(concert.EventDeliveryMoved, concert.House, string(d.ID), now, concert.DeliveryBody{Referral: d.RefRef, Provider: d.Provider, Action: d.Action, Kind: d.Kind, Rung: concert.RungFailed, Attempt: d.Attempts}))
		}
	}
	return d, events
}

// disableProvider stops pushing to an endpoint that is gone; its inbox still
// lists everything.
func (s *Service) disableProvider(ctx context.Context, tx *store.Tx, id concert.ProviderID, now time.Time) error {
	p, err := tx.Provider(ctx, string(id))
	if err != nil || !p.DisabledAt.IsZero() {
		return err
	}
	p.DisabledAt = now
	if err := tx.SaveProvider(ctx, p); err != nil {
		return err
	}
	tx.Record(concert.NewEvent(concert.EventProviderDisabled, concert.House, string(p.ID), now, concert.RegisterBody{Ref: p.Ref, Provider: p.ID}))
	return tx.StopDeliveries(ctx, p.ID)
}
