package store

import (
	"context"
	"fmt"

	"concert"
)

const batchColumns = "id, ref, authority, person, act, category, handling, sealed, status, items, done, refused, at, due_at, version"

// AddBatch writes a batch with its items; its reason is sealed under a key of
// its own.
func (tx *Tx) AddBatch(ctx context.Context, b concert.Batch, items []concert.BatchItem) error {
	tx.touch("batch")
	if err := tx.newSubjects(ctx, string(b.ID)); err != nil {
		return err
	}
	sealed, err := tx.sealBytes(ctx, string(b.ID), "batch", []byte(b.Plan.Reason))
	if err != nil {
		return err
	}
	if _, err := tx.insert(ctx, "batch", batchColumns, [][]any{{string(b.ID), b.Ref, string(b.Authority), string(b.By), string(b.Plan.Act), string(b.Plan.Category), string(b.Plan.Handling), sealed,
		string(b.Status), b.Items, 0, 0, concert.Micros(b.At), concert.Micros(b.DueAt), 1}}, ""); err != nil {
		return err
	}
	rows := make([][]any, len(items))
	for i, it := range items {
		rows[i] = []any{string(b.ID), i, it.Ref, it.Version, "", ""}
	}
	_, err = tx.insert(ctx, "batch_item", "batch, pos, ref, version, outcome, code", rows, "")
	return err
}

// SaveBatch writes how far it is; once it has ended, the key of its reason is
// destroyed.
func (tx *Tx) SaveBatch(ctx context.Context, b concert.Batch) error {
	tx.touch("batch")
	n, err := tx.exec(ctx, "UPDATE batch SET status = ?, done = ?, refused = ?, version = version + 1 WHERE id = ? AND version = ?", string(b.Status), b.Done, b.Refused, string(b.ID), b.Version)
	if err != nil {
		return fmt.Errorf("save batch: %w", err)
	}
	if n != 1 {
		return concert.ErrStale
	}
	if b.Status != concert.BatchDone && b.Status != concert.BatchRecalled {
		return nil
	}
	if _, err := tx.exec(ctx, "UPDATE batch SET sealed = NULL WHERE id = ?", string(b.ID)); err != nil {
		return fmt.Errorf("end batch: %w", err)
	}
	_, err = tx.exec(ctx, "DELETE FROM subject_key WHERE subject = ?", string(b.ID))
	return err
}

// SaveBatchItems writes what became of the items from the place on.
func (tx *Tx) SaveBatchItems(ctx context.Context, id concert.BatchID, from int, items []concert.BatchItem) error {
	tx.touch("batch_item")
	for i, it := range items {
		if _, err := tx.exec(ctx, "UPDATE batch_item SET outcome = ?, code = ? WHERE batch = ? AND pos = ?", it.Outcome, it.Code, string(id), from+i); err != nil {
			return fmt.Errorf("save batch item: %w", err)
		}
	}
	return nil
}

func (tx *Tx) scanBatch(ctx context.Context) func(rowScanner) (concert.Batch, error) {
	return func(r rowScanner) (concert.Batch, error) {
		var b concert.Batch
		var at, due int64
		var sealed []byte
		if err := r.Scan(&b.ID, &b.Ref, &b.Authority, &b.By, &b.Plan.Act, &b.Plan.Category, &b.Plan.Handling, &sealed, &b.Status, &b.Items, &b.Done, &b.Refused, &at, &due, &b.Version); err != nil {
			return b, err
		}
		b.At, b.DueAt = concert.FromMicros(at), concert.FromMicros(due)
		raw, err := tx.openBytes(ctx, string(b.ID), "batch", sealed)
		b.Plan.Reason = string(raw)
		return b, err
	}
}

// Batch is one, by id or reference.
func (tx *Tx) Batch(ctx context.Context, ref string) (concert.Batch, error) {
	return tx.scanBatch(ctx)(tx.row(ctx, "SELECT "+batchColumns+" FROM batch WHERE id = ? OR ref = ?", ref, ref))
}

// Batches are an authority's, newest first, without their reasons.
func (tx *Tx) Batches(ctx context.Context, of concert.AuthorityID, limit int) ([]concert.Batch, error) {
	got, err := list(ctx, tx, tx.scanBatch(ctx), "SELECT id, ref, authority, person, act, category, handling, NULL, status, items, done, refused, at, due_at, version FROM batch WHERE authority = ? ORDER BY id DESC LIMIT ?", string(of), limit)
	if err != nil {
		return nil, fmt.Errorf("batches: %w", err)
	}
	return got, nil
}

// BatchItems are a batch's items from the place on.
func (tx *Tx) BatchItems(ctx context.Context, id concert.BatchID, from, limit int) ([]concert.BatchItem, error) {
	got, err := list(ctx, tx, func(r rowScanner) (concert.BatchItem, error) {
		var it concert.BatchItem
		return it, r.Scan(&it.Ref, &it.Version, &it.Outcome, &it.Code)
	}, "SELECT ref, version, outcome, code FROM batch_item WHERE batch = ? AND pos >= ? ORDER BY pos LIMIT ?", string(id), from, limit)
	if err != nil {
		return nil, fmt.Errorf("items of batch %s: %w", id, err)
	}
	return got, nil
}
