package store

import (
	"context"
	"errors"
	"fmt"

	"concert"
)

const allotmentCols = "id, ref, action, kind, from_authority, to_authority, items, sealed, person, at, answer, sealed_ground, answered_by, answered_at, version"

type allotmentRow struct {
	l              concert.Allotment
	reason, ground []byte
}

func scanAllotment(r rowScanner) (allotmentRow, error) {
	var w allotmentRow
	var at, answered int64
	err := r.Scan(&w.l.ID, &w.l.Ref, &w.l.Action, &w.l.Kind, &w.l.From, &w.l.To, &w.l.Items, &w.reason, &w.l.By, &at, &w.l.Answer, &w.ground, &w.l.AnsweredBy, &answered, &w.l.Version)
	w.l.At, w.l.AnsweredAt = concert.FromMicros(at), concert.FromMicros(answered)
	return w, err
}

func (tx *Tx) openAllotment(ctx context.Context, w allotmentRow) (concert.Allotment, error) {
	var reason, ground concert.AllotmentText
	err := errors.Join(tx.open(ctx, string(w.l.ID), "reason", w.reason, &reason), tx.open(ctx, string(w.l.ID), "ground", w.ground, &ground))
	w.l.Reason, w.l.Ground = reason.Reason, ground.Ground
	return w.l, err
}

// AddAllotment writes a new proposal.
func (tx *Tx) AddAllotment(ctx context.Context, l concert.Allotment) error {
	tx.touch("allotment")
	if err := tx.newSubjects(ctx, string(l.ID)); err != nil {
		return err
	}
	sealed, err := tx.seal(ctx, string(l.ID), "reason", concert.AllotmentText{Reason: l.Reason})
	if err != nil {
		return err
	}
	_, err = tx.insert(ctx, "allotment", allotmentCols, [][]any{{string(l.ID), l.Ref, string(l.Action), string(l.Kind), string(l.From), string(l.To), l.Items, sealed, string(l.By), concert.Micros(l.At), "", nil, "", 0, 1}}, "")
	return err
}

// SaveAllotment writes the unit's answer.
func (tx *Tx) SaveAllotment(ctx context.Context, l concert.Allotment) error {
	tx.touch("allotment")
	sealed, err := tx.seal(ctx, string(l.ID), "ground", concert.AllotmentText{Ground: l.Ground})
	if err != nil {
		return err
	}
	n, err := tx.exec(ctx, "UPDATE allotment SET answer = ?, sealed_ground = ?, answered_by = ?, answered_at = ?, version = version + 1 WHERE id = ? AND version = ?",
		string(l.Answer), sealed, string(l.AnsweredBy), concert.Micros(l.AnsweredAt), string(l.ID), l.Version)
	if err == nil && n != 1 {
		err = concert.ErrStale
	}
	return err
}

// Allotment is one, by reference.
func (tx *Tx) Allotment(ctx context.Context, ref string) (concert.Allotment, error) {
	w, err := scanAllotment(tx.row(ctx, "SELECT "+allotmentCols+" FROM allotment WHERE ref = ?", ref))
	if err != nil {
		return w.l, err
	}
	return tx.openAllotment(ctx, w)
}

// Allotments are an action's, newest first.
func (tx *Tx) Allotments(ctx context.Context, a concert.ActionID, limit int) ([]concert.Allotment, error) {
	rows, err := list(ctx, tx, scanAllotment, "SELECT "+allotmentCols+" FROM allotment WHERE action = ? ORDER BY id DESC LIMIT ?", string(a), limit)
	if err != nil {
		return nil, fmt.Errorf("allotments: %w", err)
	}
	out := make([]concert.Allotment, len(rows))
	for i, w := range rows {
		if out[i], err = tx.openAllotment(ctx, w); err != nil {
			return nil, err
		}
	}
	return out, nil
}
