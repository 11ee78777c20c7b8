package store

import (
	"context"
	"errors"
	"fmt"

	"concert"
)

const dispatchHoldCols = "id, cause, sealed, held_by, held_at, sealed_grounds, released_by, released_at, version"

type dispatchHoldRow struct {
	h              concert.DispatchHold
	reason, ground []byte
}

func scanDispatchHold(r rowScanner) (dispatchHoldRow, error) {
	var w dispatchHoldRow
	var held, released int64
	err := r.Scan(&w.h.ID, &w.h.Cause, &w.reason, &w.h.HeldBy, &held, &w.ground, &w.h.ReleasedBy, &released, &w.h.Version)
	w.h.HeldAt, w.h.ReleasedAt = concert.FromMicros(held), concert.FromMicros(released)
	return w, err
}

// AddDispatchHold holds dispatch. A second one beside one that stands is
// refused by the table.
func (tx *Tx) AddDispatchHold(ctx context.Context, h concert.DispatchHold) error {
	tx.touch("dispatch_hold")
	if err := tx.newSubjects(ctx, string(h.ID)); err != nil {
		return err
	}
	sealed, err := tx.seal(ctx, string(h.ID), "reason", concert.SealedReason{Reason: h.Reason})
	if err != nil {
		return err
	}
	_, err = tx.insert(ctx, "dispatch_hold", dispatchHoldCols, [][]any{{string(h.ID), string(h.Cause), sealed, string(h.HeldBy), concert.Micros(h.HeldAt), nil, "", 0, 1}}, "")
	return err
}

// SaveDispatchHold writes a release.
func (tx *Tx) SaveDispatchHold(ctx context.Context, h concert.DispatchHold) error {
	tx.touch("dispatch_hold")
	sealed, err := tx.seal(ctx, string(h.ID), "grounds", concert.SealedReason{Reason: h.Grounds})
	if err != nil {
		return err
	}
	n, err := tx.exec(ctx, "UPDATE dispatch_hold SET sealed_grounds = ?, released_by = ?, released_at = ?, version = version + 1 WHERE id = ? AND version = ?", sealed, string(h.ReleasedBy), concert.Micros(h.ReleasedAt), string(h.ID), h.Version)
	if err == nil && n != 1 {
		err = concert.ErrStale
	}
	return err
}

// DispatchHeld reports whether dispatch is held now, and by what.
func (tx *Tx) DispatchHeld(ctx context.Context) (h concert.DispatchHold, held bool, err error) {
	w, err := scanDispatchHold(tx.row(ctx, "SELECT "+dispatchHoldCols+" FROM dispatch_hold WHERE released_at = 0"))
	if errors.Is(err, concert.ErrNotFound) {
		return h, false, nil
	}
	if err != nil {
		return h, false, fmt.Errorf("hold on dispatch: %w", err)
	}
	h, err = tx.openDispatchHold(ctx, w)
	return h, err == nil, err
}

// DispatchHolds are all holds on dispatch, newest first.
func (tx *Tx) DispatchHolds(ctx context.Context, limit int) ([]concert.DispatchHold, error) {
	rows, err := list(ctx, tx, scanDispatchHold, "SELECT "+dispatchHoldCols+" FROM dispatch_hold ORDER BY id DESC LIMIT ?", limit)
	if err != nil {
		return nil, fmt.Errorf("holds on dispatch: %w", err)
	}
	out := make([]concert.DispatchHold, len(rows))
	for i, w := range rows {
		if out[i], err = tx.openDispatchHold(ctx, w); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (tx *Tx) openDispatchHold(ctx context.Context, w dispatchHoldRow) (concert.DispatchHold, error) {
	var reason, grounds concert.SealedReason
	err := errors.Join(tx.open(ctx, string(w.h.ID), "reason", w.reason, &reason), tx.open(ctx, string(w.h.ID), "grounds", w.ground, &grounds))
	w.h.Reason, w.h.Grounds = reason.Reason, grounds.Reason
	return w.h, err
}

// DispatchStands reports whether dispatch is held now.
func (tx *Tx) DispatchStands(ctx context.Context) (bool, error) {
	var n int
	if err := tx.row(ctx, "SELECT count(*) FROM dispatch_hold WHERE released_at = 0").Scan(&n); err != nil {
		return false, fmt.Errorf("hold on dispatch: %w", err)
	}
	return n > 0, nil
}
