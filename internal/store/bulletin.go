package store

import (
	"context"
	"fmt"

	"concert"
)

const bulletinCols = "id, ref, action, kind, sealed, person, at, to_person, ended_by, ended_at, version"

type bulletinRow struct {
	b      concert.Bulletin
	sealed []byte
}

func scanBulletin(r rowScanner) (bulletinRow, error) {
	var w bulletinRow
	var at, ended int64
	err := r.Scan(&w.b.ID, &w.b.Ref, &w.b.Action, &w.b.Kind, &w.sealed, &w.b.By, &at, &w.b.To, &w.b.EndedBy, &ended, &w.b.Version)
	w.b.At, w.b.EndedAt = concert.FromMicros(at), concert.FromMicros(ended)
	return w, err
}

func (tx *Tx) openBulletin(ctx context.Context, w bulletinRow) (concert.Bulletin, error) {
	var g concert.GroundText
	err := tx.open(ctx, string(w.b.ID), "bulletin", w.sealed, &g)
	w.b.Text = g.Ground
	return w.b, err
}

// AddBulletin writes a new bulletin.
func (tx *Tx) AddBulletin(ctx context.Context, b concert.Bulletin) error {
	tx.touch("bulletin")
	if err := tx.newSubjects(ctx, string(b.ID)); err != nil {
		return err
	}
	sealed, err := tx.seal(ctx, string(b.ID), "bulletin", concert.GroundText{Ground: b.Text})
	if err != nil {
		return err
	}
	_, err = tx.insert(ctx, "bulletin", bulletinCols, [][]any{{string(b.ID), b.Ref, string(b.Action), string(b.Kind), sealed, string(b.By), concert.Micros(b.At), string(b.To), "", 0, 1}}, "")
	return err
}

// SaveBulletin writes that it was taken down, or command taken.
func (tx *Tx) SaveBulletin(ctx context.Context, b concert.Bulletin) error {
	tx.touch("bulletin")
	return tx.update(ctx, "bulletin", []typed{{"ended_by", "TEXT"}, {"ended_at", "BIGINT"}}, [][]any{{string(b.ID), b.Version, string(b.EndedBy), concert.Micros(b.EndedAt)}})
}

// Bulletin is one, by reference.
func (tx *Tx) Bulletin(ctx context.Context, ref string) (concert.Bulletin, error) {
	w, err := scanBulletin(tx.row(ctx, "SELECT "+bulletinCols+" FROM bulletin WHERE ref = ?", ref))
	if err != nil {
		return w.b, err
	}
	return tx.openBulletin(ctx, w)
}

// Bulletins are an action's, newest first.
func (tx *Tx) Bulletins(ctx context.Context, a concert.ActionID, limit int) ([]concert.Bulletin, error) {
	rows, err := list(ctx, tx, scanBulletin, "SELECT "+bulletinCols+" FROM bulletin WHERE action = ? ORDER BY id DESC LIMIT ?", string(a), limit)
	if err != nil {
		return nil, fmt.Errorf("bulletins: %w", err)
	}
	out := make([]concert.Bulletin, len(rows))
	for i, w := range rows {
		if out[i], err = tx.openBulletin(ctx, w); err != nil {
			return nil, err
		}
	}
	return out, nil
}
