package store

import (
	"context"
	"fmt"

	"concert"
)

// AddNote writes an internal note, sealed under its item's key.
func (tx *Tx) AddNote(ctx context.Context, n concert.Note) error {
	tx.touch("note")
	sealed, err := tx.sealBytes(ctx, string(n.Item), "note", []byte(n.Text))
	if err != nil {
		return err
	}
	_, err = tx.insert(ctx, "note", "id, item, authority, author, at, sealed", [][]any{{string(n.ID), string(n.Item), string(n.Authority), string(n.Author), concert.Micros(n.At), sealed}}, "")
	return err
}

// Notes are an item's internal notes of one authority, oldest first; of every
// authority where that is "".
func (tx *Tx) Notes(ctx context.Context, item concert.ItemID, of concert.AuthorityID) ([]concert.Note, error) {
	got, err := list(ctx, tx, func(r rowScanner) (concert.Note, error) {
		var n concert.Note
		var at int64
		var sealed []byte
		if err := r.Scan(&n.ID, &n.Item, &n.Authority, &n.Author, &at, &sealed); err != nil {
			return n, err
		}
		n.At = concert.FromMicros(at)
		raw, err := tx.openBytes(ctx, string(n.Item), "note", sealed)
		n.Text = string(raw)
		return n, err
	}, "SELECT id, item, authority, author, at, sealed FROM note WHERE item = ? AND (? = '' OR authority = ?) ORDER BY id", string(item), string(of), string(of))
	if err != nil {
		return nil, fmt.Errorf("notes of %s: %w", item, err)
	}
	return got, nil
}
