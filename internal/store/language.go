package store

import (
	"context"
	"fmt"

	"concert"
)

const translationCols = "t.id, t.ref, t.item, t.kind, t.source, t.target, t.maker, t.recorded_by, t.authority, t.sealed, t.at"

func scanTranslation(r rowScanner) (concert.Translation, []byte, error) {
	var t concert.Translation
	var sealed []byte
	var at int64
	err := r.Scan(&t.ID, &t.Ref, &t.Item, &t.Kind, &t.Source, &t.Target, &t.Maker, &t.RecordedBy, &t.Authority, &sealed, &at)
	t.At = concert.FromMicros(at)
	return t, sealed, err
}

// AddTranslation writes a translation, its text under the item's key.
func (tx *Tx) AddTranslation(ctx context.Context, t concert.Translation) error {
	tx.touch("translation")
	sealed, err := tx.seal(ctx, string(t.Item), "translation", concert.TranslationText{Translator: t.Translator, Text: t.Text})
	if err != nil {
		return err
	}
	_, err = tx.insert(ctx, "translation", "id, ref, item, kind, source, target, maker, recorded_by, authority, sealed, at",
		[][]any{{string(t.ID), t.Ref, string(t.Item), string(t.Kind), t.Source, t.Target, string(t.Maker), string(t.RecordedBy), string(t.Authority), sealed, concert.Micros(t.At)}}, "")
	return err
}

// BareTranslations are the translations of each item without their texts, the
// oldest first: what a judgement may rest on.
func (tx *Tx) BareTranslations(ctx context.Context, items []concert.ItemID) (map[concert.ItemID][]concert.Translation, error) {
	got, err := in(ctx, tx, func(r rowScanner) (concert.Translation, error) {
		t, _, err := scanTranslation(r)
		return t, err
	}, "SELECT "+translationCols+" FROM translation t WHERE t.item IN (%s) ORDER BY t.id", anys(strs(items)))
	if err != nil {
		return nil, fmt.Errorf("translations: %w", err)
	}
	out := map[concert.ItemID][]concert.Translation{}
	for _, t := range got {
		out[t.Item] = append(out[t.Item], t)
	}
	return out, nil
}

// Translations are one item's, with their texts, the oldest first.
func (tx *Tx) Translations(ctx context.Context, item concert.ItemID) ([]concert.Translation, error) {
	type row struct {
		t      concert.Translation
		sealed []byte
	}
	rows, err := list(ctx, tx, func(r rowScanner) (x row, err error) {
		x.t, x.sealed, err = scanTranslation(r)
		return x, err
	}, "SELECT "+translationCols+" FROM translation t WHERE t.item = ? ORDER BY t.id", string(item))
	if err != nil {
		return nil, fmt.Errorf("translations: %w", err)
	}
	out := make([]concert.Translation, len(rows))
	for i, x := range rows {
		var s concert.TranslationText
		if err := tx.open(ctx, string(item), "translation", x.sealed, &s); err != nil {
			return nil, err
		}
		out[i] = x.t
		out[i].Translator, out[i].Text = s.Translator, s.Text
	}
	return out, nil
}

// languages narrows a list of items to those whose language one of the base
// codes names, or that have none; nil narrows nothing.
func languages(codes []string) (string, []any) {
	if codes == nil {
		return "", nil
	}
	text, args := " AND (i.language IN ('', 'und', 'zxx'", []any(nil)
	for _, c := range codes {
		text += ", ?"
		args = append(args, c)
	}
	text += ")"
	for _, c := range codes {
		text += " OR i.language LIKE ?"
		args = append(args, c+"-%")
	}
	return text + ")", args
}
