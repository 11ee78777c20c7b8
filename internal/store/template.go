package store

import (
	"context"
	"fmt"

	"concert"
)

const templateCols = "id, ref, authority, purpose, language, name, text, written_by, written_at, retired_at, version"

func scanTemplate(r rowScanner) (concert.Template, error) {
	var t concert.Template
	var at, retired int64
	err := r.Scan(&t.ID, &t.Ref, &t.Authority, &t.Purpose, &t.Language, &t.Name, &t.Text, &t.By, &at, &retired, &t.Version)
	t.At, t.RetiredAt = concert.FromMicros(at), concert.FromMicros(retired)
	return t, err
}

// AddTemplate writes a new template.
func (tx *Tx) AddTemplate(ctx context.Context, t concert.Template) error {
	tx.touch("template")
	_, err := tx.insert(ctx, "template", templateCols, [][]any{{string(t.ID), t.Ref, string(t.Authority), string(t.Purpose), t.Language, t.Name, t.Text, string(t.By), concert.Micros(t.At), 0, 1}}, "")
	return err
}

// SaveTemplate writes its retirement.
func (tx *Tx) SaveTemplate(ctx context.Context, t concert.Template) error {
	tx.touch("template")
	n, err := tx.exec(ctx, "UPDATE template SET retired_at = ?, version = version + 1 WHERE id = ? AND version = ?", concert.Micros(t.RetiredAt), string(t.ID), t.Version)
	if err != nil {
		return fmt.Errorf("save template: %w", err)
	}
	if n != 1 {
		return concert.ErrStale
	}
	return nil
}

// Template is one, by reference.
func (tx *Tx) Template(ctx context.Context, ref string) (concert.Template, error) {
	return scanTemplate(tx.row(ctx, "SELECT "+templateCols+" FROM template WHERE ref = ?", ref))
}

// Templates are an authority's that are still offered, by purpose and name.
func (tx *Tx) Templates(ctx context.Context, of concert.AuthorityID) ([]concert.Template, error) {
	got, err := list(ctx, tx, scanTemplate, "SELECT "+templateCols+" FROM template WHERE authority = ? AND retired_at = 0 ORDER BY purpose, name, id", string(of))
	if err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	return got, nil
}
