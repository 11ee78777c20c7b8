package store

import (
	"context"
	"fmt"

	"concert"
)

const batchRelease = "id, ref, action, provider, state, items, refused, prepared_by, prepared_at, confirmed_by, confirmed_at, leaves_at, recalled_by, ended_at, exercise, version"

func scanRelease(r rowScanner) (concert.Batch, error) {
	var b concert.Batch
	var prepared, confirmed, leaves, ended int64
	err := r.Scan(&b.ID, &b.Ref, &b.Action, &b.Provider, &b.State, &b.Items, &b.Refused, &b.PreparedBy, &prepared, &b.ConfirmedBy, &confirmed, &leaves, &b.RecalledBy, &ended, &b.Exercise, &b.Version)
	b.PreparedAt, b.ConfirmedAt, b.LeavesAt, b.EndedAt = concert.FromMicros(prepared), concert.FromMicros(confirmed), concert.FromMicros(leaves), concert.FromMicros(ended)
	return b, err
}

// BatchEntry is one item of a batch, with what keeps it, "" for nothing.
type BatchEntry struct {
	Item    concert.Item // bare
	Refusal concert.BatchRefusal
}

// AddBatch writes a prepared batch with its items.
func (tx *Tx) AddBatch(ctx context.Context, b concert.Batch, entries []BatchEntry) error {
	tx.touch("batch")
	_, err := tx.insert(ctx, "batch", batchRelease, [][]any{{string(b.ID), b.Ref, string(b.Action), string(b.Provider), string(b.State), b.Items, b.Refused, string(b.PreparedBy), concert.Micros(b.PreparedAt),
		string(b.ConfirmedBy), concert.Micros(b.ConfirmedAt), concert.Micros(b.LeavesAt), string(b.RecalledBy), concert.Micros(b.EndedAt), flag(b.Exercise), 1}}, "")
	if err != nil {
		return err
	}
	rows := make([][]any, len(entries))
	for i, e := range entries {
		rows[i] = []any{string(b.ID), string(e.Item.ID), string(e.Refusal)}
	}
	_, err = tx.insert(ctx, "batch_item", "batch, item, refusal", rows, "")
	return err
}

// SaveBatch writes where a batch stands.
func (tx *Tx) SaveBatch(ctx context.Context, b concert.Batch) error {
	tx.touch("batch")
	return tx.update(ctx, "batch", []typed{{"state", "TEXT"}, {"confirmed_by", "TEXT"}, {"confirmed_at", "BIGINT"}, {"leaves_at", "BIGINT"}, {"recalled_by", "TEXT"}, {"ended_at", "BIGINT"}},
		[][]any{{string(b.ID), b.Version, string(b.State), string(b.ConfirmedBy), concert.Micros(b.ConfirmedAt), concert.Micros(b.LeavesAt), string(b.RecalledBy), concert.Micros(b.EndedAt)}})
}

// Batch is one, by reference or id.
func (tx *Tx) Batch(ctx context.Context, ref string) (concert.Batch, error) {
	return scanRelease(tx.row(ctx, "SELECT "+batchRelease+" FROM batch WHERE ref = ? OR id = ?", ref, ref))
}

// Batches are an action's, newest first.
func (tx *Tx) Batches(ctx context.Context, a concert.ActionID, limit int) ([]concert.Batch, error) {
	return list(ctx, tx, scanRelease, "SELECT "+batchRelease+" FROM batch WHERE action = ? ORDER BY id DESC LIMIT ?", string(a), limit)
}

// BatchEntries are a batch's items, urgent and old first.
func (tx *Tx) BatchEntries(ctx context.Context, b concert.BatchID) ([]BatchEntry, error) {
	got, err := list(ctx, tx, func(r rowScanner) (BatchEntry, error) {
		var e BatchEntry
		var err error
		e.Item, err = scanItemAnd(r, &e.Refusal)
		return e, err
	}, "SELECT "+bareCols+", b.refusal FROM batch_item b JOIN item i ON i.id = b.item WHERE b.batch = ? ORDER BY i.rank, i.id", string(b))
	if err != nil {
		return nil, fmt.Errorf("items of a batch: %w", err)
	}
	return got, nil
}

// inBatch is an item that a batch has released, or will unless it is recalled.
const inBatch = "EXISTS (SELECT 1 FROM batch_item x JOIN batch y ON y.id = x.batch WHERE x.item = i.id AND x.refusal = '' AND y.state IN "

// ItemsToBatch are approved items of the action for the provider that stand in
// no batch which has left or may leave, bare, urgent and old first.
func (tx *Tx) ItemsToBatch(ctx context.Context, a concert.ActionID, p concert.ProviderID, limit int) ([]concert.Item, error) {
	return list(ctx, tx, scanBare, "SELECT "+bareCols+" FROM item i WHERE i.provider = ? AND i.status = 'approved' AND i.erased_at = 0 AND i.action = ? AND NOT "+
		inBatch+"('prepared', 'confirmed', 'left')) ORDER BY i.rank, i.id LIMIT ?", string(p), string(a), limit)
}
