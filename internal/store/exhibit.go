package store

import (
	"context"
	"fmt"
	"time"

	"concert"
)

const exhibitCols = "id, ref, case_id, authority, handed_to, sealed, manifest, head_n, head_hash, head_key, added_by, added_at, exercise, version"

// sealedExhibit is what of an exhibit lies under its key.
type sealedExhibit struct {
	Label string `json:"label"`
}

func (tx *Tx) exhibits(ctx context.Context, rest string, args ...any) ([]concert.Exhibit, error) {
	type row struct {
		x      concert.Exhibit
		sealed []byte
	}
	rows, err := list(ctx, tx, func(r rowScanner) (row, error) {
		var o row
		var added int64
		x := &o.x
		err := r.Scan(&x.ID, &x.Ref, &x.Case, &x.Authority, &x.To, &o.sealed, &x.Manifest, &x.Head.N, &x.Head.Hash, &x.HeadKey, &x.AddedBy, &added, &x.Exercise, &x.Version)
		x.AddedAt = concert.FromMicros(added)
		return o, err
	}, "SELECT "+exhibitCols+" FROM exhibit "+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("exhibits: %w", err)
	}
	out := make([]concert.Exhibit, len(rows))
	for i, o := range rows {
		var s sealedExhibit
		if err := tx.open(ctx, string(o.x.ID), "exhibit", o.sealed, &s); err != nil {
			return nil, err
		}
		out[i] = o.x
		out[i].Label = s.Label
	}
	return out, nil
}

// AddExhibit writes a new exhibit with its key, and puts it into its case.
func (tx *Tx) AddExhibit(ctx context.Context, x concert.Exhibit) error {
	tx.touch("exhibit")
	if err := tx.newSubjects(ctx, string(x.ID)); err != nil {
		return err
	}
	sealed, err := tx.seal(ctx, string(x.ID), "exhibit", sealedExhibit{x.Label})
	if err != nil {
		return err
	}
	_, err = tx.insert(ctx, "exhibit", exhibitCols, [][]any{{string(x.ID), x.Ref, string(x.Case), string(x.Authority), string(x.To), sealed, x.Manifest, x.Head.N, x.Head.Hash, x.HeadKey, string(x.AddedBy), concert.Micros(x.AddedAt), flag(x.Exercise), 1}}, "")
	if err != nil {
		return err
	}
	return tx.fileExhibit(ctx, x, x.AddedBy, x.AddedAt)
}

// SaveExhibit writes holder and head of custody back; an exhibit that came to
// another case belongs to that as well.
func (tx *Tx) SaveExhibit(ctx context.Context, x concert.Exhibit, by concert.PersonID, at time.Time) error {
	tx.touch("exhibit")
	err := tx.update(ctx, "exhibit", []typed{{"case_id", "TEXT"}, {"authority", "TEXT"}, {"handed_to", "TEXT"}, {"head_n", "BIGINT"}, {"head_hash", "TEXT"}, {"head_key", "TEXT"}},
		[][]any{{string(x.ID), x.Version, string(x.Case), string(x.Authority), string(x.To), x.Head.N, x.Head.Hash, x.HeadKey}})
	if err != nil {
		return err
	}
	return tx.fileExhibit(ctx, x, by, at)
}

func (tx *Tx) fileExhibit(ctx context.Context, x concert.Exhibit, by concert.PersonID, at time.Time) error {
	_, err := tx.AddCaseThings(ctx, x.Case, concert.ThingExhibit, []string{string(x.ID)}, by, at)
	return err
}

// Exhibit is one, by reference or id.
func (tx *Tx) Exhibit(ctx context.Context, ref string) (concert.Exhibit, error) {
	xs, err := tx.exhibits(ctx, "WHERE ref = ? OR id = ?", ref, ref)
	if err == nil && len(xs) == 0 {
		err = concert.ErrNotFound
	}
	if err != nil {
		return concert.Exhibit{}, err
	}
	return xs[0], nil
}

// ExhibitOf is the case's exhibit with the manifest. ErrNotFound where there is
// none.
func (tx *Tx) ExhibitOf(ctx context.Context, id concert.CaseID, manifest string) (concert.Exhibit, error) {
	xs, err := tx.exhibits(ctx, "WHERE manifest = ? AND case_id = ?", manifest, string(id))
	if err == nil && len(xs) == 0 {
		err = concert.ErrNotFound
	}
	if err != nil {
		return concert.Exhibit{}, err
	}
	return xs[0], nil
}

// CaseExhibits are those that a case has or had, the oldest first.
func (tx *Tx) CaseExhibits(ctx context.Context, id concert.CaseID) ([]concert.Exhibit, error) {
	return tx.exhibits(ctx, "WHERE id IN (SELECT subject FROM case_thing WHERE case_id = ? AND kind = 'exhibit') ORDER BY id", string(id))
}

// HandedExhibits are those on their way to an authority.
func (tx *Tx) HandedExhibits(ctx context.Context, to concert.AuthorityID) ([]concert.Exhibit, error) {
	return tx.exhibits(ctx, "WHERE handed_to = ? AND handed_to <> '' ORDER BY id", string(to))
}

// CountHanded is how many are on their way to an authority.
func (tx *Tx) CountHanded(ctx context.Context, to concert.AuthorityID) (n int, err error) {
	return n, tx.row(ctx, "SELECT count(*) FROM exhibit WHERE handed_to = ? AND handed_to <> ''", string(to)).Scan(&n)
}

// SubjectHistory are the events on one thing, the oldest first.
func (tx *Tx) SubjectHistory(ctx context.Context, id string, limit int) ([]concert.RecordedEvent, error) {
	return list(ctx, tx, scanEvent, "SELECT "+eventCols+" FROM event e WHERE e.subject = ? ORDER BY e.id LIMIT ?", id, limit)
}

// LockedPseudonyms is the locked table of an exhibit's pseudonyms.
type LockedPseudonyms struct {
	Bytes      []byte
	Sum        string // SHA-256, in hexadecimal
	Needed     int    // custodians that open it together
	Custodians int    // in all
}

// KeepPseudonyms writes it, once for an exhibit.
func (tx *Tx) KeepPseudonyms(ctx context.Context, x concert.ExhibitID, l LockedPseudonyms, by concert.PersonID, at time.Time) error {
	tx.touch("exhibit_vault")
	n, err := tx.insert(ctx, "exhibit_vault", "exhibit, locked, sum, needed, custodians, added_by, added_at", [][]any{{string(x), l.Bytes, l.Sum, l.Needed, l.Custodians, string(by), concert.Micros(at)}}, "ON CONFLICT (exhibit) DO NOTHING")
	if err == nil && n == 0 {
		err = concert.Refuse(concert.Conflict, "exhibit.pseudonyms", "", "the locked pseudonyms of this exhibit are here already and are never replaced")
	}
	return err
}

// LockedPseudonyms reads it; bytes says whether with its bytes. ErrNotFound where
// there is none.
func (tx *Tx) LockedPseudonyms(ctx context.Context, x concert.ExhibitID, bytes bool) (l LockedPseudonyms, err error) {
	if !bytes {
		return l, tx.row(ctx, "SELECT sum, needed, custodians FROM exhibit_vault WHERE exhibit = ?", string(x)).Scan(&l.Sum, &l.Needed, &l.Custodians)
	}
	return l, tx.row(ctx, "SELECT locked, sum, needed, custodians FROM exhibit_vault WHERE exhibit = ?", string(x)).Scan(&l.Bytes, &l.Sum, &l.Needed, &l.Custodians)
}

// ErasePseudonyms removes it.
func (tx *Tx) ErasePseudonyms(ctx context.Context, x concert.ExhibitID) error {
	tx.touch("exhibit_vault")
	if _, err := tx.exec(ctx, "DELETE FROM exhibit_vault WHERE exhibit = ?", string(x)); err != nil {
		return fmt.Errorf("erase the pseudonyms of %s: %w", x, err)
	}
	return nil
}
