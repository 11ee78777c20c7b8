package store

import (
	"context"
	"errors"
	"fmt"

	"concert"
)

const freezeCols = "id, action, sealed, frozen_by, frozen_at, sealed_grounds, thaw_by, thaw_at, thawed_by, thawed_at, version"

type freezeRow struct {
	f               concert.Freeze
	reason, grounds []byte
}

func scanFreeze(r rowScanner) (freezeRow, error) {
	var w freezeRow
	var at, asked, thawed int64
	err := r.Scan(&w.f.ID, &w.f.Action, &w.reason, &w.f.By, &at, &w.grounds, &w.f.ThawBy, &asked, &w.f.ThawedBy, &thawed, &w.f.Version)
	w.f.At, w.f.ThawAt, w.f.ThawedAt = concert.FromMicros(at), concert.FromMicros(asked), concert.FromMicros(thawed)
	return w, err
}

func (tx *Tx) openFreeze(ctx context.Context, w freezeRow) (concert.Freeze, error) {
	var reason, grounds concert.FreezeText
	err := errors.Join(tx.open(ctx, string(w.f.ID), "reason", w.reason, &reason), tx.open(ctx, string(w.f.ID), "grounds", w.grounds, &grounds))
	w.f.Reason, w.f.Grounds = reason.Reason, grounds.Grounds
	return w.f, err
}

// AddFreeze freezes an action. A second one beside one that stands is CodeExists.
func (tx *Tx) AddFreeze(ctx context.Context, f concert.Freeze) error {
	tx.touch("action_freeze")
	if err := tx.newSubjects(ctx, string(f.ID)); err != nil {
		return err
	}
	sealed, err := tx.seal(ctx, string(f.ID), "reason", concert.FreezeText{Reason: f.Reason})
	if err != nil {
		return err
	}
	_, err = tx.insert(ctx, "action_freeze", freezeCols, [][]any{{string(f.ID), string(f.Action), sealed, string(f.By), concert.Micros(f.At), nil, "", 0, "", 0, 1}}, "")
	return err
}

// SaveFreeze writes that its end was asked for, or confirmed.
func (tx *Tx) SaveFreeze(ctx context.Context, f concert.Freeze) error {
	tx.touch("action_freeze")
	sealed, err := tx.seal(ctx, string(f.ID), "grounds", concert.FreezeText{Grounds: f.Grounds})
	if err != nil {
		return err
	}
	n, err := tx.exec(ctx, "UPDATE action_freeze SET sealed_grounds = ?, thaw_by = ?, thaw_at = ?, thawed_by = ?, thawed_at = ?, version = version + 1 WHERE id = ? AND version = ?",
		sealed, string(f.ThawBy), concert.Micros(f.ThawAt), string(f.ThawedBy), concert.Micros(f.ThawedAt), string(f.ID), f.Version)
	if err == nil && n != 1 {
		err = concert.ErrStale
	}
	return err
}

// Freeze is the one that stands for the action; ErrNotFound where none does.
func (tx *Tx) Freeze(ctx context.Context, a concert.ActionID) (concert.Freeze, error) {
	w, err := scanFreeze(tx.row(ctx, "SELECT "+freezeCols+" FROM action_freeze WHERE action = ? AND thawed_at = 0", string(a)))
	if err != nil {
		return w.f, err
	}
	return tx.openFreeze(ctx, w)
}

// Freezes are all of the action's, newest first.
func (tx *Tx) Freezes(ctx context.Context, a concert.ActionID, limit int) ([]concert.Freeze, error) {
	rows, err := list(ctx, tx, scanFreeze, "SELECT "+freezeCols+" FROM action_freeze WHERE action = ? ORDER BY id DESC LIMIT ?", string(a), limit)
	if err != nil {
		return nil, fmt.Errorf("freezes: %w", err)
	}
	out := make([]concert.Freeze, len(rows))
	for i, w := range rows {
		if out[i], err = tx.openFreeze(ctx, w); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// FrozenActions are those whose dispatch is frozen now.
func (tx *Tx) FrozenActions(ctx context.Context) ([]concert.ActionID, error) {
	return list(ctx, tx, scanActionID, "SELECT action FROM action_freeze WHERE thawed_at = 0")
}

// BatchedActions are those whose approved items wait for a consignment.
func (tx *Tx) BatchedActions(ctx context.Context) ([]concert.ActionID, error) {
	return list(ctx, tx, scanActionID, "SELECT id FROM action WHERE batched = 1")
}

func scanActionID(r rowScanner) (concert.ActionID, error) {
	var a concert.ActionID
	return a, r.Scan(&a)
}

// ProvidersAwaitingIn are the providers for which approved items of the action
// wait.
func (tx *Tx) ProvidersAwaitingIn(ctx context.Context, a concert.ActionID) ([]concert.ProviderID, error) {
	return list(ctx, tx, func(r rowScanner) (concert.ProviderID, error) {
		var p concert.ProviderID
		return p, r.Scan(&p)
	}, "SELECT DISTINCT i.provider FROM item i WHERE i.status = 'approved' AND i.provider <> '' AND i.action = ?", string(a))
}
