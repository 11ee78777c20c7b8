package store

import (
	"context"
	"fmt"
	"time"

	"concert"
)

const disputeCols = "id, ref, kind, received, item, outcome, received_at, decided_at, version"

// AddDispute writes a new complaint.
func (tx *Tx) AddDispute(ctx context.Context, c concert.Dispute) error {
	tx.touch("dispute")
	if err := tx.newSubjects(ctx, c.ID); err != nil {
		return err
	}
	sealed, err := tx.seal(ctx, c.ID, "dispute.text", c.DisputeText)
	if err != nil {
		return err
	}
	_, err = tx.insert(ctx, "dispute", disputeCols+", sealed", [][]any{{c.ID, c.Ref, string(c.Kind), string(c.Received), c.Item, string(c.Outcome), concert.Micros(c.ReceivedAt), concert.Micros(c.DecidedAt), 1, sealed}}, "")
	return err
}

// SaveDispute writes it back.
func (tx *Tx) SaveDispute(ctx context.Context, c concert.Dispute) error {
	tx.touch("dispute")
	sealed, err := tx.seal(ctx, c.ID, "dispute.text", c.DisputeText)
	if err != nil {
		return err
	}
	if _, err := tx.exec(ctx, "UPDATE dispute SET sealed = ? WHERE id = ? AND version = ?", sealed, c.ID, c.Version); err != nil {
		return fmt.Errorf("update %s: %w", c.Ref, err)
	}
	return tx.update(ctx, "dispute", []typed{{"outcome", "TEXT"}, {"decided_at", "BIGINT"}}, [][]any{{c.ID, c.Version, string(c.Outcome), concert.Micros(c.DecidedAt)}})
}

func (tx *Tx) disputes(ctx context.Context, rest string, args ...any) ([]concert.Dispute, error) {
	type row struct {
		c      concert.Dispute
		sealed []byte
	}
	got, err := list(ctx, tx, func(r rowScanner) (row, error) {
		var w row
		var received, decided int64
		err := r.Scan(&w.c.ID, &w.c.Ref, &w.c.Kind, &w.c.Received, &w.c.Item, &w.c.Outcome, &received, &decided, &w.c.Version, &w.sealed)
		w.c.ReceivedAt, w.c.DecidedAt = concert.FromMicros(received), concert.FromMicros(decided)
		return w, err
	}, "SELECT "+disputeCols+", sealed FROM dispute "+rest, args...)
	if err != nil {
		return nil, err
	}
	out := make([]concert.Dispute, len(got))
	for i, w := range got {
		if err := tx.open(ctx, w.c.ID, "dispute.text", w.sealed, &w.c.DisputeText); err != nil {
			return nil, err
		}
		out[i] = w.c
	}
	return out, nil
}

// Dispute is one, by reference or id.
func (tx *Tx) Dispute(ctx context.Context, ref string) (concert.Dispute, error) {
	cs, err := tx.disputes(ctx, "WHERE ref = ? OR id = ?", ref, ref)
	if err == nil && len(cs) == 0 {
		err = concert.ErrNotFound
	}
	if err != nil {
		return concert.Dispute{}, err
	}
	return cs[0], nil
}

// Disputes are those that came in from one moment up to before another, the newest
// first, at most limit.
func (tx *Tx) Disputes(ctx context.Context, from, to time.Time, limit int) ([]concert.Dispute, error) {
	return tx.disputes(ctx, "WHERE received_at >= ? AND received_at < ? ORDER BY received_at DESC, id DESC LIMIT ?", concert.Micros(from), concert.Micros(to), limit)
}
