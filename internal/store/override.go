package store

import (
	"context"
	"fmt"

	"concert"
)

const overrideCols = "item, authority, overridden_by, reason, at, due_at, verdict, reviewed_by, ground, reviewed_at, version"

// AddOverride writes a new override.
func (tx *Tx) AddOverride(ctx context.Context, o concert.Override) error {
	tx.touch("hold_override")
	reason, err := tx.sealBytes(ctx, string(o.Item), "override", []byte(o.Reason))
	if err != nil {
		return err
	}
	_, err = tx.insert(ctx, "hold_override", overrideCols, [][]any{{string(o.Item), string(o.Authority), string(o.By), reason, concert.Micros(o.At), concert.Micros(o.DueAt), "", "", nil, 0, 1}}, "")
	return err
}

// SaveOverride writes a review.
func (tx *Tx) SaveOverride(ctx context.Context, o concert.Override) error {
	tx.touch("hold_override")
	ground, err := tx.sealBytes(ctx, string(o.Item), "override review", []byte(o.Ground))
	if err != nil {
		return err
	}
	n, err := tx.exec(ctx, "UPDATE hold_override SET verdict = ?, reviewed_by = ?, ground = ?, reviewed_at = ?, version = version + 1 WHERE item = ? AND version = ?",
		string(o.Verdict), string(o.Reviewer), ground, concert.Micros(o.ReviewedAt), string(o.Item), o.Version)
	if err != nil {
		return fmt.Errorf("save override: %w", err)
	}
	if n != 1 {
		return concert.ErrStale
	}
	return nil
}

func (tx *Tx) scanOverride(ctx context.Context) func(rowScanner) (concert.Override, error) {
	return func(r rowScanner) (concert.Override, error) {
		var o concert.Override
		var reason, ground []byte
		var at, due, reviewed int64
		if err := r.Scan(&o.Item, &o.Authority, &o.By, &reason, &at, &due, &o.Verdict, &o.Reviewer, &ground, &reviewed, &o.Version); err != nil {
			return o, err
		}
		o.At, o.DueAt, o.ReviewedAt = concert.FromMicros(at), concert.FromMicros(due), concert.FromMicros(reviewed)
		raw, err := tx.openBytes(ctx, string(o.Item), "override", reason)
		if err != nil {
			return o, err
		}
		o.Reason = string(raw)
		raw, err = tx.openBytes(ctx, string(o.Item), "override review", ground)
		o.Ground = string(raw)
		return o, err
	}
}

// Override is the override of an item.
func (tx *Tx) Override(ctx context.Context, item concert.ItemID) (concert.Override, error) {
	return tx.scanOverride(ctx)(tx.row(ctx, "SELECT "+overrideCols+" FROM hold_override WHERE item = ?", string(item)))
}

// OverridesToReview are those that nobody reviewed yet, the first due first.
func (tx *Tx) OverridesToReview(ctx context.Context, limit int) ([]concert.Override, error) {
	got, err := list(ctx, tx, scanOverrideBare, "SELECT item, authority, at, due_at FROM hold_override WHERE verdict = '' ORDER BY due_at LIMIT ?", limit)
	if err != nil {
		return nil, fmt.Errorf("overrides to review: %w", err)
	}
	return got, nil
}

// scanOverrideBare reads an override without what is sealed.
func scanOverrideBare(r rowScanner) (concert.Override, error) {
	var o concert.Override
	var at, due int64
	err := r.Scan(&o.Item, &o.Authority, &at, &due)
	o.At, o.DueAt = concert.FromMicros(at), concert.FromMicros(due)
	return o, err
}
