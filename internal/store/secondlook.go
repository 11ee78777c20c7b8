package store

import (
	"context"
	"fmt"

	"concert"
)

const lookCols = "s.assessment, s.item, s.drawn_at, s.looked_by, s.authority, s.looked_at, s.verdict, s.type, s.sealed"

type sealedLook struct {
	l      concert.SecondLook
	sealed []byte
}

func scanLook(r rowScanner) (sealedLook, error) {
	var w sealedLook
	var drawn, at int64
	err := r.Scan(&w.l.Assessment, &w.l.Item, &drawn, &w.l.By, &w.l.Authority, &at, &w.l.Verdict, &w.l.Type, &w.sealed)
	w.l.DrawnAt, w.l.At = concert.FromMicros(drawn), concert.FromMicros(at)
	return w, err
}

// looks opens what was read; the rows are closed by then, since a key may have
// to be loaded.
func (tx *Tx) looks(ctx context.Context, got []sealedLook, err error) ([]concert.SecondLook, error) {
	if err != nil {
		return nil, fmt.Errorf("second looks: %w", err)
	}
	out := make([]concert.SecondLook, len(got))
	for i, w := range got {
		var g concert.GroundText
		if err := tx.open(ctx, string(w.l.Item), "second_look", w.sealed, &g); err != nil {
			return nil, err
		}
		w.l.Note = g.Ground
		out[i] = w.l
	}
	return out, nil
}

// AddSecondLook writes an approval of the item that was drawn.
func (tx *Tx) AddSecondLook(ctx context.Context, it concert.Item, l concert.SecondLook) error {
	tx.touch("second_look")
	_, err := tx.insert(ctx, "second_look", "assessment, item, author, action, drawn_at, looked_by, authority, looked_at, verdict, type", [][]any{{string(l.Assessment), string(l.Item), string(it.Author), string(it.Action), concert.Micros(l.DrawnAt), "", "", 0, "", ""}}, "")
	return err
}

// SaveSecondLook writes what was said; ErrStale when somebody was faster.
func (tx *Tx) SaveSecondLook(ctx context.Context, l concert.SecondLook) error {
	tx.touch("second_look")
	var sealed []byte
	if l.Note != "" {
		var err error
		if sealed, err = tx.seal(ctx, string(l.Item), "second_look", concert.GroundText{Ground: l.Note}); err != nil {
			return err
		}
	}
	n, err := tx.exec(ctx, "UPDATE second_look SET looked_by = ?, authority = ?, looked_at = ?, verdict = ?, type = ?, sealed = ? WHERE assessment = ? AND looked_at = 0",
		string(l.By), string(l.Authority), concert.Micros(l.At), string(l.Verdict), string(l.Type), sealed, string(l.Assessment))
	if err == nil && n != 1 {
		return concert.ErrStale
	}
	return err
}

// SecondLooks are the looks that these assessments were drawn for, by
// assessment.
func (tx *Tx) SecondLooks(ctx context.Context, ids []concert.AssessmentID) (map[concert.AssessmentID]concert.SecondLook, error) {
	got, err := in(ctx, tx, scanLook, "SELECT "+lookCols+" FROM second_look s WHERE s.assessment IN (%s)", anys(strs(ids)))
	looks, err := tx.looks(ctx, got, err)
	out := make(map[concert.AssessmentID]concert.SecondLook, len(looks))
	for _, l := range looks {
		out[l.Assessment] = l
	}
	return out, err
}

// WaitingLooks are the looks at what this authority approved, or with others
// at what others did within an action, that wait; the oldest first. What was
// assessed anew since, or erased, waits for nobody.
func (tx *Tx) WaitingLooks(ctx context.Context, author concert.AuthorityID, others bool, limit int) ([]concert.SecondLook, error) {
	whose := "s.author = ?"
	if others {
		whose = "s.author <> ? AND s.action <> ''"
	}
	got, err := list(ctx, tx, scanLook, "SELECT "+lookCols+" FROM second_look s JOIN item i ON i.id = s.item AND i.assessment = s.assessment WHERE s.looked_at = 0 AND "+whose+" AND i.erased_at = 0 ORDER BY s.drawn_at, s.assessment LIMIT ?", string(author), limit)
	return tx.looks(ctx, got, err)
}

// Disagreements are the looks that disagreed with this authority, the newest
// first.
func (tx *Tx) Disagreements(ctx context.Context, author concert.AuthorityID, limit int) ([]concert.SecondLook, error) {
	got, err := list(ctx, tx, scanLook, "SELECT "+lookCols+" FROM second_look s WHERE s.author = ? AND s.verdict = 'disagree' ORDER BY s.looked_at DESC, s.assessment LIMIT ?", string(author), limit)
	return tx.looks(ctx, got, err)
}

// Draw is the keyed digest by which an item's approval is drawn for a second
// look.
func (db *DB) Draw(id concert.ItemID) [32]byte { return db.Keys.DrawDigest(string(id)) }

// SearchLooks is one page of second looks by when they were drawn, the oldest first
// by default: what the reader's authority had looked at, and what waits for the
// reader, where it may look. Whether nobody of another authority is left to look
// at that one's is not asked here.
func (tx *Tx) SearchLooks(ctx context.Context, s concert.Scope, q concert.LookSearch, mayLook bool, p concert.Page) (concert.Listed[concert.SecondLook], error) {
	var none concert.Listed[concert.SecondLook]
	if err := s.Justified(); err != nil {
		return none, err
	}
	a, err := newestFirst("second_look s", "s.assessment", p.Order)
	if err != nil {
		return none, err
	}
	if a.keys = []keyColumn{{"s.drawn_at", true}, {"s.assessment", false}}; p.Order == "" {
		a.down = false
	}
	by := s.Actor()
	me, mine := string(by.Person), string(by.Authority)
	waiting := q.State == concert.LookWaiting
	switch {
	case waiting:
		a.walks = []walk{{"s.author = ? AND s.verdict = ''", []any{mine}}}
	case q.State != "":
		a.walks = []walk{{"s.author = ? AND s.verdict = ?", []any{mine, string(q.State)}}}
	default:
		a.walks = []walk{{"s.author = ?", []any{mine}}}
	}
	switch unknown := "EXISTS (SELECT 1 FROM item i WHERE i.id = s.item AND i.assessment = s.assessment AND i.erased_at = 0 AND i.assessor <> ?) AND NOT EXISTS (SELECT 1 FROM opening o WHERE o.assessment = s.assessment AND o.person = ?) AND NOT EXISTS (SELECT 1 FROM approval y WHERE y.assessment = s.assessment AND y.reviewer = ?)"; {
	case mayLook && (waiting || q.State == ""):
		a.only("(s.looked_at + 0 > 0 OR "+unknown+")", me, me, me)
		a.walks = append(a.walks, walk{"s.looked_at = 0 AND s.author <> ? AND s.action IN (SELECT t.action FROM participant t WHERE t.authority = ?)", []any{mine, mine}})
	default:
		a.only("s.looked_at + 0 > 0")
	}
	if q.Provider != "" {
		a.only("EXISTS (SELECT 1 FROM item i WHERE i.id = s.item AND i.provider = ?)", string(q.Provider))
	}
	a.onlyIf(string(q.Looker), "s.looked_by = ?")
	if !q.Before.IsZero() {
		a.only("s.drawn_at + 0 < ?", concert.Micros(q.Before))
	}
	found, err := tx.search(ctx, a, p)
	if err != nil {
		return none, err
	}
	return listed(found, func(ids []any) ([]concert.SecondLook, error) {
		got, err := in(ctx, tx, scanLook, "SELECT "+lookCols+" FROM second_look s WHERE s.assessment IN (%s)", ids)
		return tx.looks(ctx, got, err)
	}, func(l concert.SecondLook) string { return string(l.Assessment) })
}
