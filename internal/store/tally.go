package store

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"concert"
)

func (tx *Tx) flushTallies(ctx context.Context) error {
	keys := make([]concert.TallyKey, 0, len(tx.deltas))
	for k, n := range tx.deltas {
		if n != 0 {
			keys = append(keys, k)
		}
	}
	// One order for all acts, so that two never wait for each other in a ring.
	slices.SortFunc(keys, func(a, b concert.TallyKey) int {
		return cmp.Or(cmp.Compare(a.Action, b.Action), cmp.Compare(a.Side, b.Side), cmp.Compare(a.Metric, b.Metric))
	})
	shard := rand.IntN(tx.db.d.shards)
	rows := make([][]any, len(keys))
	for i, k := range keys {
		rows[i] = []any{string(k.Action), k.Side, string(k.Metric), shard, tx.deltas[k]}
	}
	_, err := tx.insert(ctx, "tally", "action, side, metric, shard, n", rows, "ON CONFLICT (action, side, metric, shard) DO UPDATE SET n = tally.n + excluded.n")
	return err
}

// Tallies are an action's running numbers: the board's only source.
func (tx *Tx) Tallies(ctx context.Context, action concert.ActionID) (concert.Deltas, error) {
	rows, err := tx.query(ctx, "SELECT side, metric, sum(n) FROM tally WHERE action = ? GROUP BY side, metric", string(action))
	if err != nil {
		return nil, fmt.Errorf("tallies: %w", err)
	}
	defer rows.Close()
	d := concert.Deltas{}
	for rows.Next() {
		k := concert.TallyKey{Action: action}
		var n int64
		if err := rows.Scan(&k.Side, &k.Metric, &n); err != nil {
			return nil, err
		}
		d[k] = n
	}
	return d, rows.Err()
}

// SideTallies are the running numbers of one side over all actions.
func (tx *Tx) SideTallies(ctx context.Context, side string) (concert.Counts, error) {
	return tx.counts(ctx, "SELECT metric, sum(n) FROM tally WHERE side = ? GROUP BY metric", side)
}

// OfficerTallies are an officer's running numbers. They belong to no action, so
// that the key's head finds them.
func (tx *Tx) OfficerTallies(ctx context.Context, p concert.PersonID) (concert.Counts, error) {
	return tx.counts(ctx, "SELECT metric, sum(n) FROM tally WHERE action = '' AND side = ? GROUP BY metric", "o:"+string(p))
}

func (tx *Tx) counts(ctx context.Context, text, side string) (concert.Counts, error) {
	rows, err := tx.query(ctx, text, side)
	if err != nil {
		return nil, fmt.Errorf("tallies: %w", err)
	}
	defer rows.Close()
	c := concert.Counts{}
	for rows.Next() {
		var m concert.Metric
		var n int64
		if err := rows.Scan(&m, &n); err != nil {
			return nil, err
		}
		c[m] = n
	}
	return c, rows.Err()
}
