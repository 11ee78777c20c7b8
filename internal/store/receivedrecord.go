package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"concert"
)

const receivedDeadlineCols = "subject, term, state, started_at, evidence, due_at, paused_at, why, met_at, warned, least, win, extension, version"

// PutReceivedDeadline writes a legal clock of the provider's own desk as it stands; the
// Order of it is the id of what it is about, and at is when it is next to be looked at.
func (tx *Tx) PutReceivedDeadline(ctx context.Context, d concert.Deadline, at time.Time) error {
	tx.touch("received_deadline")
	row := []any{string(d.Order) + " " + string(d.Term), string(d.Order), string(d.Term), string(d.State), concert.Micros(d.StartedAt), d.Evidence, concert.Micros(d.DueAt), concert.Micros(d.PausedAt), d.Why, concert.Micros(d.MetAt),
		d.Warned, flag(d.Least), flag(d.Window), d.Extension, concert.Micros(at), 1}
	if d.Version == 0 {
		_, err := tx.insert(ctx, "received_deadline", "id, "+strings.TrimSuffix(receivedDeadlineCols, "version")+"next_at, version", [][]any{row}, "")
		return err
	}
	return tx.update(ctx, "received_deadline", []typed{{"state", "TEXT"}, {"started_at", "BIGINT"}, {"evidence", "TEXT"}, {"due_at", "BIGINT"}, {"paused_at", "BIGINT"}, {"why", "TEXT"}, {"met_at", "BIGINT"}, {"warned", "BIGINT"}, {"extension", "TEXT"}, {"next_at", "BIGINT"}},
		[][]any{{row[0], d.Version, row[3], row[4], row[5], row[6], row[7], row[8], row[9], row[10], row[13], row[14]}})
}

// ReceivedDeadline is the clock of a term on a subject; ErrNotFound where there is none.
func (tx *Tx) ReceivedDeadline(ctx context.Context, subject string, term concert.TermKey) (concert.Deadline, error) {
	return scanDeadline(tx.row(ctx, "SELECT "+receivedDeadlineCols+" FROM received_deadline WHERE subject = ? AND term = ?", subject, string(term)))
}

// ReceivedDeadlines are the clocks of a term, by subject.
func (tx *Tx) ReceivedDeadlines(ctx context.Context, term concert.TermKey) (map[string]concert.Deadline, error) {
	ds, err := list(ctx, tx, scanDeadline, "SELECT "+receivedDeadlineCols+" FROM received_deadline WHERE term = ?", string(term))
	out := make(map[string]concert.Deadline, len(ds))
	for _, d := range ds {
		out[string(d.Order)] = d
	}
	return out, err
}

// DueReceivedDeadlines are those that are to be looked at by the moment.
func (tx *Tx) DueReceivedDeadlines(ctx context.Context, now time.Time, limit int) ([]concert.Deadline, error) {
	ds, err := list(ctx, tx, scanDeadline, "SELECT "+receivedDeadlineCols+" FROM received_deadline WHERE next_at > 0 AND next_at <= ? ORDER BY next_at LIMIT ?"+tx.db.d.skipLocked, concert.Micros(now), limit)
	if err != nil {
		return nil, fmt.Errorf("clocks of what was received: %w", err)
	}
	return ds, nil
}

// AnyReceivedDeadlineDue reports whether one is to be looked at by the moment.
func (tx *Tx) AnyReceivedDeadlineDue(ctx context.Context, now time.Time) (bool, error) {
	var n int
	err := tx.row(ctx, "SELECT count(*) FROM (SELECT 1 FROM received_deadline WHERE next_at > 0 AND next_at <= ? LIMIT 1) AS d", concert.Micros(now)).Scan(&n)
	return n > 0, err
}

func scanKept(r rowScanner) (concert.KeptContent, error) {
	var k concert.KeptContent
	var since, erased int64
	err := r.Scan(&k.ID, &k.Ref, &k.Received, &k.Item, &since, &erased, &k.Version)
	k.Since, k.ErasedAt = concert.FromMicros(since), concert.FromMicros(erased)
	return k, err
}

const keptCols = "id, ref, received, item, since, erased_at, version"

// AddKept writes what is preserved from now on.
func (tx *Tx) AddKept(ctx context.Context, k concert.KeptContent) error {
	tx.touch("kept_content")
	_, err := tx.insert(ctx, "kept_content", keptCols, [][]any{{k.ID, k.Ref, string(k.Received), k.Item, concert.Micros(k.Since), concert.Micros(k.ErasedAt), 1}}, "")
	return err
}

// SaveKept writes it back.
func (tx *Tx) SaveKept(ctx context.Context, k concert.KeptContent) error {
	tx.touch("kept_content")
	return tx.update(ctx, "kept_content", []typed{{"erased_at", "BIGINT"}}, [][]any{{k.ID, k.Version, concert.Micros(k.ErasedAt)}})
}

// KeptContent is one, by reference or id.
func (tx *Tx) KeptContent(ctx context.Context, ref string) (concert.KeptContent, error) {
	return scanKept(tx.row(ctx, "SELECT "+keptCols+" FROM kept_content WHERE ref = ? OR id = ?", ref, ref))
}

// AllKept is everything that is or was preserved, oldest first, at most limit.
func (tx *Tx) AllKept(ctx context.Context, limit int) ([]concert.KeptContent, error) {
	return list(ctx, tx, scanKept, "SELECT "+keptCols+" FROM kept_content ORDER BY erased_at, since, id LIMIT ?", limit)
}
