package store

import (
	"context"
	"fmt"

	"concert"
)

const holdCols = "id, ref, authority, place, sealed, contact, placed_by, created_at, expires_at, released_at, released_by, exercise, version"

// sealedHold is what only the holder may read.
type sealedHold struct {
	Location concert.Location `json:"location"`
	Case     string           `json:"case,omitempty"`
}

type heldRow struct {
	h      concert.Hold
	sealed []byte
}

func scanHold(r rowScanner) (heldRow, error) {
	var w heldRow
	var at []byte
	var created, expires, released int64
	err := r.Scan(&w.h.ID, &w.h.Ref, &w.h.Authority, &at, &w.sealed, &w.h.Contact, &w.h.PlacedBy, &created, &expires, &released, &w.h.ReleasedBy, &w.h.Exercise, &w.h.Version)
	w.h.Place, w.h.CreatedAt, w.h.ExpiresAt, w.h.ReleasedAt = place(at), concert.FromMicros(created), concert.FromMicros(expires), concert.FromMicros(released)
	return w, err
}

// AddHold writes a new hold.
func (tx *Tx) AddHold(ctx context.Context, h concert.Hold) error {
	tx.touch("hold")
	if err := tx.newSubjects(ctx, string(h.ID)); err != nil {
		return err
	}
	sealed, err := tx.seal(ctx, string(h.ID), "hold", sealedHold{h.Location, h.Case})
	if err != nil {
		return err
	}
	_, err = tx.insert(ctx, "hold", holdCols, [][]any{{string(h.ID), h.Ref, string(h.Authority), h.Place[:], sealed, h.Contact, string(h.PlacedBy), concert.Micros(h.CreatedAt), concert.Micros(h.ExpiresAt), 0, "", flag(h.Exercise), 1}}, "")
	return err
}

// SaveHold writes a release.
func (tx *Tx) SaveHold(ctx context.Context, h concert.Hold) error {
	tx.touch("hold")
	return tx.update(ctx, "hold", []typed{{"released_at", "BIGINT"}, {"released_by", "TEXT"}, {"expires_at", "BIGINT"}},
		[][]any{{string(h.ID), h.Version, concert.Micros(h.ReleasedAt), string(h.ReleasedBy), concert.Micros(h.ExpiresAt)}})
}

// HoldsAt are the unreleased holds at these places, without what is sealed.
func (tx *Tx) HoldsAt(ctx context.Context, places [][32]byte) (map[[32]byte][]concert.Hold, error) {
	args := make([]any, len(places))
	for i := range places {
		args[i] = places[i][:]
	}
	got, err := in(ctx, tx, scanHold, "SELECT "+holdCols+" FROM hold WHERE released_at = 0 AND place IN (%s)", args)
	if err != nil {
		return nil, fmt.Errorf("holds: %w", err)
	}
	out := map[[32]byte][]concert.Hold{}
	for _, w := range got {
		out[w.h.Place] = append(out[w.h.Place], w.h)
	}
	return out, nil
}

// Holds are an authority's own, newest first, with what is sealed to it.
func (tx *Tx) Holds(ctx context.Context, s concert.Scope, before concert.HoldID, limit int) ([]concert.Hold, error) {
	if err := s.Justified(); err != nil {
		return nil, err
	}
	where, args := "WHERE authority = ?", []any{string(s.Actor().Authority)}
	if before != "" {
		where += " AND id < ?"
		args = append(args, string(before))
	}
	got, err := list(ctx, tx, scanHold, "SELECT "+holdCols+" FROM hold "+where+" ORDER BY id DESC LIMIT ?", append(args, min(max(limit, 1), 500))...)
	if err != nil {
		return nil, fmt.Errorf("holds: %w", err)
	}
	out := make([]concert.Hold, len(got))
	for i, w := range got {
		if out[i], err = tx.openHold(ctx, w); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Hold is one hold by reference, or by id.
func (tx *Tx) Hold(ctx context.Context, ref string) (concert.Hold, error) {
	w, err := scanHold(tx.row(ctx, "SELECT "+holdCols+" FROM hold WHERE ref = ? OR id = ?", ref, ref))
	if err != nil {
		return w.h, err
	}
	return tx.openHold(ctx, w)
}

func (tx *Tx) openHold(ctx context.Context, w heldRow) (concert.Hold, error) {
	var s sealedHold
	err := tx.open(ctx, string(w.h.ID), "hold", w.sealed, &s)
	w.h.Location, w.h.Case = s.Location, s.Case
	return w.h, err
}

// HeldAt is the held item at a place, if there is one.
func (tx *Tx) HeldAt(ctx context.Context, at [32]byte) (concert.Item, bool, error) {
	items, err := list(ctx, tx, scanBare, "SELECT "+bareCols+" FROM item i WHERE i.place = ? AND i.status = 'held'", at[:])
	if err != nil || len(items) == 0 {
		return concert.Item{}, false, err
	}
	return items[0], true, nil
}
