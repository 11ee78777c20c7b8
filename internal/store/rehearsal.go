package store

import (
	"context"
	"fmt"

	"concert"
)

// RehearsedItem is an item with a capture: whether all of its captures were compared
// by now, and which cluster of copies it is in.
type RehearsedItem struct {
	Ref      string
	Cluster  string // "" for like no other
	Compared bool
}

// RehearsedVideos reports whether any video was looked into.
func (tx *Tx) RehearsedVideos(ctx context.Context) (bool, error) {
	var n int
	err := tx.row(ctx, "SELECT count(*) FROM (SELECT 1 FROM print WHERE kind = ? LIMIT 1) p", string(concert.PrintVideo)).Scan(&n)
	return n > 0, err
}

// RehearsedItems are all items with a capture, of all authorities: for an exercise,
// which counts them.
func (tx *Tx) RehearsedItems(ctx context.Context) ([]RehearsedItem, error) {
	out, err := list(ctx, tx, func(r rowScanner) (x RehearsedItem, err error) {
		var waiting int
		err = r.Scan(&x.Ref, &x.Cluster, &waiting)
		x.Compared = waiting == 0
		return x, err
	}, "SELECT i.ref, COALESCE(l.cluster, ''), SUM(CASE WHEN c.printed_at = 0 AND c.erased_at = 0 THEN 1 ELSE 0 END) FROM capture c JOIN item i ON i.id = c.item LEFT JOIN item_cluster l ON l.item = i.id GROUP BY i.ref, l.cluster")
	if err != nil {
		return nil, fmt.Errorf("items with captures: %w", err)
	}
	return out, nil
}
