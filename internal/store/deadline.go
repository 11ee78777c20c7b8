package store

import (
	"context"
	"fmt"
	"time"

	"concert"
)

const deadlineCols = "d.order_id, d.term, d.state, d.started_at, d.evidence, d.due_at, d.paused_at, d.why, d.met_at, d.warned, d.least, d.win, d.extension, d.version"

func scanDeadline(r rowScanner) (concert.Deadline, error) {
	var d concert.Deadline
	var started, due, paused, met int64
	err := r.Scan(&d.Order, &d.Term, &d.State, &started, &d.Evidence, &due, &paused, &d.Why, &met, &d.Warned, &d.Least, &d.Window, &d.Extension, &d.Version)
	d.StartedAt, d.DueAt, d.PausedAt, d.MetAt = concert.FromMicros(started), concert.FromMicros(due), concert.FromMicros(paused), concert.FromMicros(met)
	return d, err
}

// PutDeadline writes a legal clock as it stands; at is when it is next to be looked
// at, zero for never.
func (tx *Tx) PutDeadline(ctx context.Context, d concert.Deadline, at time.Time) error {
	if d.Version > 0 {
		return tx.SaveDeadlines(ctx, []concert.Deadline{d}, []time.Time{at})
	}
	tx.touch("deadline")
	_, err := tx.insert(ctx, "deadline", "id, order_id, term, state, started_at, evidence, due_at, paused_at, why, met_at, warned, least, win, extension, next_at, version", [][]any{{deadlineID(d), string(d.Order), string(d.Term), string(d.State),
		concert.Micros(d.StartedAt), d.Evidence, concert.Micros(d.DueAt), concert.Micros(d.PausedAt), d.Why, concert.Micros(d.MetAt), d.Warned, flag(d.Least), flag(d.Window), d.Extension, concert.Micros(at), 1}}, "")
	return err
}

func deadlineID(d concert.Deadline) string { return string(d.Order) + " " + string(d.Term) }

// SaveDeadlines writes legal clocks back, each with when it is next to be looked at.
func (tx *Tx) SaveDeadlines(ctx context.Context, ds []concert.Deadline, at []time.Time) error {
	tx.touch("deadline")
	rows := make([][]any, len(ds))
	for i, d := range ds {
		rows[i] = []any{deadlineID(d), d.Version, string(d.State), concert.Micros(d.StartedAt), d.Evidence, concert.Micros(d.DueAt), concert.Micros(d.PausedAt), d.Why, concert.Micros(d.MetAt), d.Warned, d.Extension, concert.Micros(at[i])}
	}
	return tx.update(ctx, "deadline", []typed{{"state", "TEXT"}, {"started_at", "BIGINT"}, {"evidence", "TEXT"}, {"due_at", "BIGINT"}, {"paused_at", "BIGINT"}, {"why", "TEXT"}, {"met_at", "BIGINT"}, {"warned", "BIGINT"}, {"extension", "TEXT"}, {"next_at", "BIGINT"}}, rows)
}

// Deadlines are an order's legal clocks, in the order in which they were started.
func (tx *Tx) Deadlines(ctx context.Context, id concert.OrderID) ([]concert.Deadline, error) {
	return list(ctx, tx, scanDeadline, "SELECT "+deadlineCols+" FROM deadline d WHERE d.order_id = ? ORDER BY d.started_at, d.term", string(id))
}

// DueDeadlines are those that are to be looked at by the moment, the first due first,
// at most limit; on PostgreSQL those that no other node has in hand.
func (tx *Tx) DueDeadlines(ctx context.Context, now time.Time, limit int) ([]concert.Deadline, error) {
	ds, err := list(ctx, tx, scanDeadline, "SELECT "+deadlineCols+" FROM deadline d WHERE d.next_at > 0 AND d.next_at <= ? ORDER BY d.next_at LIMIT ?"+tx.db.d.skipLocked, concert.Micros(now), limit)
	if err != nil {
		return nil, fmt.Errorf("legal clocks: %w", err)
	}
	return ds, nil
}

// AnyDeadlineDue reports whether one is to be looked at by the moment.
func (tx *Tx) AnyDeadlineDue(ctx context.Context, now time.Time) (bool, error) {
	var n int
	err := tx.row(ctx, "SELECT count(*) FROM (SELECT 1 FROM deadline WHERE next_at > 0 AND next_at <= ? LIMIT 1) AS d", concert.Micros(now)).Scan(&n)
	return n > 0, err
}
