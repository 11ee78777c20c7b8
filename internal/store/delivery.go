package store

import (
	"context"
	"strings"
	"time"

	"concert"
)

const deliveryCols = "id, provider, referral, referral_ref, action, kind, remedy, items, author, urgent, rung, attempts, next_at, evidence, position, exercise, created_at, sent_at, version"

// Outgoing is a delivery with what its thin notice says.
type Outgoing struct {
	concert.Delivery
	Items    int
	Author   string // name of the authority that judged
	Urgent   bool
	Position int64 // place in the inbox; -1 until sequenced
	Exercise bool
}

func scanDelivery(r rowScanner) (Outgoing, error) {
	var o Outgoing
	var next, created, sent int64
	err := r.Scan(&o.ID, &o.Provider, &o.Referral, &o.RefRef, &o.Action, &o.Kind, &o.Remedy, &o.Items, &o.Author, &o.Urgent, &o.Rung, &o.Attempts, &next, &o.Evidence, &o.Position, &o.Exercise, &created, &sent, &o.Version)
	o.NextAt, o.CreatedAt, o.SentAt = concert.FromMicros(next), concert.FromMicros(created), concert.FromMicros(sent)
	return o, err
}

// AddDeliveries writes new notices.
func (tx *Tx) AddDeliveries(ctx context.Context, os []Outgoing) error {
	if len(os) == 0 {
		return nil
	}
	tx.touch("delivery")
	rows := make([][]any, len(os))
	for i, o := range os {
		rows[i] = []any{string(o.ID), string(o.Provider), string(o.Referral), o.RefRef, string(o.Action), string(o.Kind), o.Remedy, o.Items, o.Author, flag(o.Urgent), string(o.Rung), o.Attempts,
			concert.Micros(o.NextAt), o.Evidence, -1, flag(o.Exercise), concert.Micros(o.CreatedAt), concert.Micros(o.SentAt), 1}
	}
	_, err := tx.insert(ctx, "delivery", deliveryCols, rows, "")
	return err
}

// SaveDeliveries writes notices back.
func (tx *Tx) SaveDeliveries(ctx context.Context, os []Outgoing) error {
	if len(os) == 0 {
		return nil
	}
	rows := make([][]any, len(os))
	for i, o := range os {
		rows[i] = []any{string(o.ID), o.Version, string(o.Rung), o.Attempts, concert.Micros(o.NextAt), o.Evidence, concert.Micros(o.SentAt)}
	}
	return tx.update(ctx, "delivery", []typed{{"rung", "TEXT"}, {"attempts", "BIGINT"}, {"next_at", "BIGINT"}, {"evidence", "TEXT"}, {"sent_at", "BIGINT"}}, rows)
}

// DueDeliveries are a provider's notices that are to be tried now.
func (tx *Tx) DueDeliveries(ctx context.Context, p concert.ProviderID, now time.Time, limit int) ([]Outgoing, error) {
	return list(ctx, tx, scanDelivery, "SELECT "+deliveryCols+" FROM delivery WHERE provider = ? AND next_at > 0 AND next_at <= ? ORDER BY next_at, id LIMIT ?", string(p), concert.Micros(now), limit)
}

// NextDelivery is when the provider's next notice is to be tried; zero when
// none waits.
func (tx *Tx) NextDelivery(ctx context.Context, p concert.ProviderID) (time.Time, error) {
	var at int64
	err := tx.row(ctx, "SELECT coalesce(min(next_at), 0) FROM delivery WHERE provider = ? AND next_at > 0", string(p)).Scan(&at)
	return concert.FromMicros(at), err
}

// Inbox are the notices about referrals for a provider after a place in the log, oldest
// first.
func (tx *Tx) Inbox(ctx context.Context, p concert.ProviderID, after int64, limit int) ([]Outgoing, error) {
	return list(ctx, tx, scanDelivery, "SELECT "+deliveryCols+" FROM delivery WHERE provider = ? AND position > ? AND kind NOT LIKE 'order%' ORDER BY position LIMIT ?", string(p), after, limit)
}

// Deliveries are the notices about a referral, oldest first.
func (tx *Tx) Deliveries(ctx context.Context, r concert.ReferralID) ([]Outgoing, error) {
	return list(ctx, tx, scanDelivery, "SELECT "+deliveryCols+" FROM delivery WHERE referral = ? ORDER BY id", string(r))
}

// OrderDeliveries are the notices to a provider about an order, oldest first.
func (tx *Tx) OrderDeliveries(ctx context.Context, p concert.ProviderID, ref string) ([]Outgoing, error) {
	return list(ctx, tx, scanDelivery, "SELECT "+deliveryCols+" FROM delivery WHERE provider = ? AND referral = '' AND referral_ref = ? ORDER BY id", string(p), ref)
}

// StopDeliveries takes every waiting notice of a provider off the schedule: its
// endpoint is gone, its inbox still lists them.
func (tx *Tx) StopDeliveries(ctx context.Context, p concert.ProviderID) error {
	_, err := tx.exec(ctx, "UPDATE delivery SET next_at = 0, version = version + 1 WHERE provider = ? AND next_at > 0", string(p))
	return err
}

func repeat(s string, n int) string { return strings.Repeat(s, max(n, 0)) }
