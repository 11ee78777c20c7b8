package store

import (
	"context"
	"fmt"

	"concert"
)

const throttleCols = "id, action, provider, per_hour, quiet, sealed, person, at, hour_start, hour_count, version"

type throttleRow struct {
	t      concert.Throttle
	sealed []byte
}

func scanThrottle(r rowScanner) (throttleRow, error) {
	var w throttleRow
	var at, hour int64
	err := r.Scan(&w.t.ID, &w.t.Action, &w.t.Provider, &w.t.PerHour, &w.t.Quiet, &w.sealed, &w.t.By, &at, &hour, &w.t.HourCount, &w.t.Version)
	w.t.At, w.t.HourStart = concert.FromMicros(at), concert.FromMicros(hour)
	return w, err
}

// AddThrottle writes the first throttle of a provider within an action.
func (tx *Tx) AddThrottle(ctx context.Context, t concert.Throttle) error {
	tx.touch("action_throttle")
	if err := tx.newSubjects(ctx, string(t.ID)); err != nil {
		return err
	}
	sealed, err := tx.seal(ctx, string(t.ID), "reason", concert.SealedReason{Reason: t.Reason})
	if err != nil {
		return err
	}
	_, err = tx.insert(ctx, "action_throttle", throttleCols, [][]any{{string(t.ID), string(t.Action), string(t.Provider), t.PerHour, flag(t.Quiet), sealed, string(t.By), concert.Micros(t.At), 0, 0, 1}}, "")
	return err
}

// SaveThrottle writes a throttle that was set anew.
func (tx *Tx) SaveThrottle(ctx context.Context, t concert.Throttle) error {
	tx.touch("action_throttle")
	sealed, err := tx.seal(ctx, string(t.ID), "reason", concert.SealedReason{Reason: t.Reason})
	if err != nil {
		return err
	}
	n, err := tx.exec(ctx, "UPDATE action_throttle SET per_hour = ?, quiet = ?, sealed = ?, person = ?, at = ?, version = version + 1 WHERE id = ? AND version = ?",
		t.PerHour, flag(t.Quiet), sealed, string(t.By), concert.Micros(t.At), string(t.ID), t.Version)
	if err == nil && n != 1 {
		err = concert.ErrStale
	}
	return err
}

// SpendThrottle writes what went out in the hour; ErrStale where somebody set
// the throttle meanwhile.
func (tx *Tx) SpendThrottle(ctx context.Context, t concert.Throttle) error {
	n, err := tx.exec(ctx, "UPDATE action_throttle SET hour_start = ?, hour_count = ?, version = version + 1 WHERE id = ? AND version = ?", concert.Micros(t.HourStart), t.HourCount, string(t.ID), t.Version)
	if err == nil && n != 1 {
		err = concert.ErrStale
	}
	return err
}

// Throttles are an action's, with their reasons.
func (tx *Tx) Throttles(ctx context.Context, a concert.ActionID) (map[concert.ProviderID]concert.Throttle, error) {
	rows, err := list(ctx, tx, scanThrottle, "SELECT "+throttleCols+" FROM action_throttle WHERE action = ?", string(a))
	if err != nil {
		return nil, fmt.Errorf("throttles: %w", err)
	}
	out := make(map[concert.ProviderID]concert.Throttle, len(rows))
	for _, w := range rows {
		var g concert.SealedReason
		if err := tx.open(ctx, string(w.t.ID), "reason", w.sealed, &g); err != nil {
			return nil, err
		}
		w.t.Reason = g.Reason
		out[w.t.Provider] = w.t
	}
	return out, nil
}

// ThrottlesOf are those that bind what goes to the provider, without reasons.
func (tx *Tx) ThrottlesOf(ctx context.Context, p concert.ProviderID) (map[concert.ActionID]concert.Throttle, error) {
	rows, err := list(ctx, tx, scanThrottle, "SELECT "+throttleCols+" FROM action_throttle WHERE provider = ? AND (quiet = 1 OR per_hour > 0)", string(p))
	if err != nil {
		return nil, fmt.Errorf("throttles: %w", err)
	}
	out := make(map[concert.ActionID]concert.Throttle, len(rows))
	for _, w := range rows {
		out[w.t.Action] = w.t
	}
	return out, nil
}
