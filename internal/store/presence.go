package store

import (
	"context"

	"concert"
)

// Saw keeps a sign of life, in wall time. It is no case data: who looked at a
// board is not recorded, only that somebody is there.
func (tx *Tx) Saw(ctx context.Context, p concert.Presence) error {
	_, err := tx.insert(ctx, "presence", "action, person, authority, seen_at, reported_at", [][]any{{string(p.Action), string(p.Person), string(p.Authority), concert.Micros(p.SeenAt), concert.Micros(p.ReportedAt)}},
		"ON CONFLICT (action, person) DO UPDATE SET authority = excluded.authority, seen_at = CASE WHEN excluded.seen_at > presence.seen_at THEN excluded.seen_at ELSE presence.seen_at END, "+
			"reported_at = CASE WHEN excluded.reported_at > presence.reported_at THEN excluded.reported_at ELSE presence.reported_at END")
	return err
}

// Presences are the signs of life within an action.
func (tx *Tx) Presences(ctx context.Context, a concert.ActionID) ([]concert.Presence, error) {
	return list(ctx, tx, func(r rowScanner) (concert.Presence, error) {
		p := concert.Presence{Action: a}
		var seen, reported int64
		err := r.Scan(&p.Person, &p.Authority, &seen, &reported)
		p.SeenAt, p.ReportedAt = concert.FromMicros(seen), concert.FromMicros(reported)
		return p, err
	}, "SELECT person, authority, seen_at, reported_at FROM presence WHERE action = ?", string(a))
}
