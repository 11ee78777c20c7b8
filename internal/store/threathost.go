package store

import (
	"context"
	"fmt"
	"time"

	"concert"
)

const (
	hostThreatCols   = "id, ref, hub, theirs, state, there, attempts, person, created_at, next_at, delivered_at, erase_at, exercise, version"
	sealedHostThreat = "threat.host"
)

// AddHostThreat writes a report of a provider's own desk to a hub.
func (tx *Tx) AddHostThreat(ctx context.Context, p concert.HostThreat) error {
	tx.touch("host_threat")
	if err := tx.newSubjects(ctx, p.ID); err != nil {
		return err
	}
	sealed, err := tx.seal(ctx, p.ID, sealedHostThreat, p.PostText)
	if err != nil {
		return err
	}
	_, err = tx.insert(ctx, "host_threat", hostThreatCols+", sealed", [][]any{{p.ID, p.Ref, string(p.Hub), p.Theirs, string(p.State), string(p.There), p.Attempts, string(p.Person), concert.Micros(p.CreatedAt), concert.Micros(p.NextAt),
		concert.Micros(p.DeliveredAt), concert.Micros(p.EraseAt), flag(p.Exercise), 1, sealed}}, "")
	return err
}

// SaveHostThreat writes how far it came. A try that brought nothing new is no case data.
func (tx *Tx) SaveHostThreat(ctx context.Context, p concert.HostThreat, news bool) error {
	if news {
		tx.touch("host_threat")
	}
	sealed, err := tx.seal(ctx, p.ID, sealedHostThreat, p.PostText)
	if err != nil {
		return err
	}
	n, err := tx.exec(ctx, "UPDATE host_threat SET theirs = ?, state = ?, there = ?, attempts = ?, next_at = ?, delivered_at = ?, erase_at = ?, sealed = ?, version = version + 1 WHERE id = ? AND version = ?",
		p.Theirs, string(p.State), string(p.There), p.Attempts, concert.Micros(p.NextAt), concert.Micros(p.DeliveredAt), concert.Micros(p.EraseAt), sealed, p.ID, p.Version)
	if err == nil && n != 1 {
		err = concert.ErrStale
	}
	return err
}

func (tx *Tx) hostThreats(ctx context.Context, rest string, args ...any) ([]concert.HostThreat, error) {
	type row struct {
		p      concert.HostThreat
		sealed []byte
	}
	got, err := list(ctx, tx, func(r rowScanner) (row, error) {
		var w row
		var created, next, delivered, erase int64
		err := r.Scan(&w.p.ID, &w.p.Ref, &w.p.Hub, &w.p.Theirs, &w.p.State, &w.p.There, &w.p.Attempts, &w.p.Person, &created, &next, &delivered, &erase, &w.p.Exercise, &w.p.Version, &w.sealed)
		w.p.CreatedAt, w.p.NextAt, w.p.DeliveredAt, w.p.EraseAt = concert.FromMicros(created), concert.FromMicros(next), concert.FromMicros(delivered), concert.FromMicros(erase)
		return w, err
	}, "SELECT "+hostThreatCols+", sealed FROM host_threat "+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("reports to hubs: %w", err)
	}
	out := make([]concert.HostThreat, len(got))
	for i, w := range got {
		if err := tx.open(ctx, w.p.ID, sealedHostThreat, w.sealed, &w.p.PostText); err != nil {
			return nil, err
		}
		out[i] = w.p
	}
	return out, nil
}

// HostThreats are the newest of the desk, at most limit.
func (tx *Tx) HostThreats(ctx context.Context, limit int) ([]concert.HostThreat, error) {
	return tx.hostThreats(ctx, "ORDER BY id DESC LIMIT ?", limit)
}

// HostThreatsOf are those of one report, one a hub.
func (tx *Tx) HostThreatsOf(ctx context.Context, ref string) ([]concert.HostThreat, error) {
	return tx.hostThreats(ctx, "WHERE ref = ? ORDER BY id", ref)
}

// DueHostThreats are the hub's that are to be sent, or followed, by the moment.
func (tx *Tx) DueHostThreats(ctx context.Context, hub concert.HubID, now time.Time, limit int) ([]concert.HostThreat, error) {
	return tx.hostThreats(ctx, "WHERE hub = ? AND next_at > 0 AND next_at <= ? ORDER BY next_at LIMIT ?", string(hub), concert.Micros(now), limit)
}

// StaleHostThreats are those that are to be erased by the moment.
func (tx *Tx) StaleHostThreats(ctx context.Context, now time.Time, limit int) ([]concert.HostThreat, error) {
	return tx.hostThreats(ctx, "WHERE erase_at > 0 AND erase_at <= ? ORDER BY erase_at LIMIT ?", concert.Micros(now), limit)
}

// EraseHostThreat deletes it with its key, and what its events say of it.
func (tx *Tx) EraseHostThreat(ctx context.Context, id string) error {
	tx.touch("host_threat")
	for _, text := range []string{"DELETE FROM host_threat WHERE id = ?", "UPDATE event SET sealed = NULL, salt = NULL WHERE subject = ?", "DELETE FROM subject_key WHERE subject = ?"} {
		if _, err := tx.exec(ctx, text, id); err != nil {
			return fmt.Errorf("erase a report to a hub: %w", err)
		}
	}
	delete(tx.keys, id)
	return nil
}
