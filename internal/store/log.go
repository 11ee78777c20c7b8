package store

import (
	"context"
	"errors"
	"fmt"

	"concert"
	"concert/tlog"
)

// LogHead is the latest signed head: "" and an empty tree before the first.
func (tx *Tx) LogHead(ctx context.Context) (tlog.Head, string, error) {
	var size int64
	var root []byte
	var checkpoint string
	err := tx.row(ctx, "SELECT size, root, checkpoint FROM log_head WHERE id = 1").Scan(&size, &root, &checkpoint)
	if err == concert.ErrNotFound {
		return tlog.Empty(), "", nil
	}
	if err != nil {
		return tlog.Head{}, "", err
	}
	return tlog.Head{Size: size, Root: place(root)}, checkpoint, nil
}

// LogTile is a tile's stored data.
func (tx *Tx) LogTile(ctx context.Context, t tlog.TileID) ([]byte, error) {
	var data []byte
	err := tx.row(ctx, "SELECT data FROM log_tile WHERE level = ? AND idx = ?", t.Level, t.Index).Scan(&data)
	if err != nil {
		return nil, err
	}
	if len(data) < 32*t.Width {
		return nil, fmt.Errorf("tile %s holds %d bytes: %w", t.Path(), len(data), concert.ErrNotFound)
	}
	return data[:32*t.Width], nil
}

// LogEntries are the commitments of one entry bundle: 256 of them, fewer at
// the right edge.
func (tx *Tx) LogEntries(ctx context.Context, index int64, width int) ([][]byte, error) {
	events, err := tx.EventsFrom(ctx, index*tlog.TileWidth, width)
	if err != nil {
		return nil, err
	}
	if len(events) < width {
		return nil, concert.ErrNotFound
	}
	out := make([][]byte, width)
	for i := range out {
		out[i] = events[i].Commit
	}
	return out, nil
}

// sequenceMost bounds the acts that one sequencing takes.
const sequenceMost = 400

// Sequence gives the waiting events their places in the log, grows the tree and
// swaps the head, all in one transaction; sign makes the checkpoint of the new
// head from the one before and its checkpoint, or refuses. Two nodes may both try: the head is compared and swapped, one wins,
// and the other finds nothing to do. It returns how many events it placed and
// the new head.
func (db *DB) Sequence(ctx context.Context, sign func(before tlog.Head, signed string, after tlog.Head) (string, error)) (placed int64, head tlog.Head, err error) {
	err = db.Update(ctx, func(tx *Tx) error {
		placed = 0
		var before tlog.Head
		var signed string
		if before, signed, err = tx.LogHead(ctx); err != nil {
			return err
		}
		head = before
		batches, err := list(ctx, tx, scanBatch, "SELECT "+batchCols+" FROM log_batch WHERE position < 0 ORDER BY first LIMIT ?", sequenceMost)
		if err != nil || len(batches) == 0 {
			return err
		}
		leaves, err := tx.place(ctx, batches, before.Size)
		if err != nil {
			return err
		}
		var tiles []tlog.Tile
		head, tiles, err = tlog.Grow(before, leaves, func(t tlog.TileID) ([]byte, error) { return tx.LogTile(ctx, t) })
		if err != nil {
			return err
		}
		checkpoint, err := sign(before, signed, head)
		if err != nil {
			return err
		}
		placed = int64(len(leaves))
		return tx.swapHead(ctx, before, signed, head, checkpoint, tiles)
	})
	// Two that place at once meet at the index of places before the head.
	if e, ok := errors.AsType[*concert.Error](err); ok && e.Code == CodeExists {
		err = concert.ErrStale
	}
	return placed, head, err
}

// place sets the acts' positions from size on and returns their leaves.
func (tx *Tx) place(ctx context.Context, batches []batch, size int64) ([]tlog.Hash, error) {
	var leaves []tlog.Hash
	for _, b := range batches {
		got, err := list(ctx, tx, func(r rowScanner) (tlog.Hash, error) {
			var leaf []byte
			err := r.Scan(&leaf)
			return tlog.LeafHash(place(leaf)), err
		}, "SELECT leaf FROM event WHERE id >= ? AND id <= ? ORDER BY id", b.first, b.last)
		if err != nil {
			return nil, err
		}
		if int64(len(got)) != b.n {
			return nil, fmt.Errorf("the act of event %s has %d events, %d were recorded: the event table was changed from outside", b.first, len(got), b.n)
		}
		at := size + int64(len(leaves))
		if _, err := tx.exec(ctx, "UPDATE log_batch SET position = ? WHERE first = ? AND position < 0", at, b.first); err != nil {
			return nil, err
		}
		notices, err := parseNotices(b.notices)
		if err != nil {
			return nil, err
		}
		for _, n := range notices {
			if _, err := tx.exec(ctx, "UPDATE delivery SET position = ? WHERE id = ?", at+int64(n.event), string(n.delivery)); err != nil {
				return nil, err
			}
		}
		leaves = append(leaves, got...)
	}
	return leaves, nil
}

// swapHead writes the tiles and moves the head from before to after, or
// reports ErrStale when another node moved it first.
func (tx *Tx) swapHead(ctx context.Context, before tlog.Head, signed string, after tlog.Head, checkpoint string, tiles []tlog.Tile) error {
	now := concert.Micros(tx.db.now())
	var n int64
	var err error
	if before.Size == 0 {
		n, err = tx.exec(ctx, "INSERT INTO log_head (id, size, root, checkpoint, at) VALUES (1, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING", after.Size, after.Root[:], checkpoint, now)
	} else {
		n, err = tx.exec(ctx, "UPDATE log_head SET size = ?, root = ?, checkpoint = ?, at = ? WHERE id = 1 AND size = ? AND checkpoint = ?", after.Size, after.Root[:], checkpoint, now, before.Size, signed)
	}
	if err != nil {
		return fmt.Errorf("log head: %w", err)
	}
	if n != 1 {
		return concert.ErrStale
	}
	rows := make([][]any, len(tiles))
	for i, t := range tiles {
		rows[i] = []any{t.Level, t.Index, t.Data}
	}
	_, err = tx.insert(ctx, "log_tile", "level, idx, data", rows, "ON CONFLICT (level, idx) DO UPDATE SET data = excluded.data")
	return err
}
