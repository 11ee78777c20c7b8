package store

import (
	"context"
	"fmt"
	"time"

	"concert"
)

const caseCols = "f.id, f.ref, f.authority, f.lead, f.handling, f.sealed, f.mandate_on, f.mandate_until, f.opened_by, f.opened_at, f.closed_by, f.closed_at, f.review_at, f.reviewed_by, f.reviewed_at, f.exercise, f.version, k.wrapped"

const caseFrom = " FROM case_file f LEFT JOIN subject_key k ON k.subject = f.id "

// sealedCase is what of a case lies under its key.
type sealedCase struct {
	Title   string `json:"title"`
	Mandate string `json:"mandate"`
	Issuer  string `json:"issuer"`
	Reason  string `json:"reason,omitempty"` // why it was closed
	Review  string `json:"review,omitempty"`
}

func (tx *Tx) scanCase(ctx context.Context) func(rowScanner) (concert.Case, error) {
	return func(r rowScanner) (concert.Case, error) {
		var c concert.Case
		var sealed, wrapped []byte
		var on, until, opened, closed, review, reviewed int64
		err := r.Scan(&c.ID, &c.Ref, &c.Authority, &c.Lead, &c.Handling, &sealed, &on, &until, &c.OpenedBy, &opened, &c.ClosedBy, &closed, &review, &c.ReviewedBy, &reviewed, &c.Exercise, &c.Version, &wrapped)
		if err != nil {
			return c, err
		}
		c.Mandate.On, c.Mandate.Until, c.OpenedAt, c.ClosedAt = concert.FromMicros(on), concert.FromMicros(until), concert.FromMicros(opened), concert.FromMicros(closed)
		c.ReviewAt, c.ReviewedAt = concert.FromMicros(review), concert.FromMicros(reviewed)
		if err := tx.knowKey(string(c.ID), wrapped); err != nil || len(wrapped) == 0 {
			return c, err
		}
		var s sealedCase
		err = tx.open(ctx, string(c.ID), "case", sealed, &s)
		c.Title, c.Mandate.Reference, c.Mandate.Issuer, c.Reason, c.Review = s.Title, s.Mandate, s.Issuer, s.Reason, s.Review
		return c, err
	}
}

// peopled fills in who the members are.
func (tx *Tx) peopled(ctx context.Context, cs []concert.Case) ([]concert.Case, error) {
	ids := make([]concert.CaseID, len(cs))
	for i, c := range cs {
		ids[i] = c.ID
	}
	type member struct {
		of     concert.CaseID
		person concert.PersonID
	}
	members, err := in(ctx, tx, func(r rowScanner) (m member, err error) { return m, r.Scan(&m.of, &m.person) },
		"SELECT case_id, person FROM case_member WHERE case_id IN (%s) ORDER BY case_id, added_at, person", anys(strs(ids)))
	if err != nil {
		return nil, fmt.Errorf("members of cases: %w", err)
	}
	for i := range cs {
		for _, m := range members {
			if m.of == cs[i].ID {
				cs[i].Members = append(cs[i].Members, m.person)
			}
		}
	}
	return cs, nil
}

func (tx *Tx) sealCase(ctx context.Context, c concert.Case) ([]byte, error) {
	return tx.seal(ctx, string(c.ID), "case", sealedCase{c.Title, c.Mandate.Reference, c.Mandate.Issuer, c.Reason, c.Review})
}

// AddCase writes a new case with its key and its members.
func (tx *Tx) AddCase(ctx context.Context, c concert.Case) error {
	tx.touch("case_file")
	if err := tx.newSubjects(ctx, string(c.ID)); err != nil {
		return err
	}
	sealed, err := tx.sealCase(ctx, c)
	if err != nil {
		return err
	}
	_, err = tx.insert(ctx, "case_file", "id, ref, authority, lead, handling, sealed, mandate_on, mandate_until, opened_by, opened_at, closed_by, closed_at, review_at, reviewed_by, reviewed_at, exercise, version",
		[][]any{{string(c.ID), c.Ref, string(c.Authority), string(c.Lead), string(c.Handling), sealed, concert.Micros(c.Mandate.On), concert.Micros(c.Mandate.Until), string(c.OpenedBy), concert.Micros(c.OpenedAt), "", 0, concert.Micros(c.ReviewAt), "", 0, flag(c.Exercise), 1}}, "")
	if err != nil {
		return err
	}
	return tx.AddCaseMember(ctx, c.ID, c.Lead, c.OpenedBy, c.OpenedAt)
}

// SaveCase writes lead, mandate, review and end back.
func (tx *Tx) SaveCase(ctx context.Context, c concert.Case) error {
	tx.touch("case_file")
	sealed, err := tx.sealCase(ctx, c)
	if err != nil {
		return err
	}
	if _, err := tx.exec(ctx, "UPDATE case_file SET sealed = ? WHERE id = ?", sealed, string(c.ID)); err != nil {
		return fmt.Errorf("save case: %w", err)
	}
	return tx.update(ctx, "case_file", []typed{{"lead", "TEXT"}, {"mandate_on", "BIGINT"}, {"mandate_until", "BIGINT"}, {"closed_by", "TEXT"}, {"closed_at", "BIGINT"}, {"review_at", "BIGINT"}, {"reviewed_by", "TEXT"}, {"reviewed_at", "BIGINT"}},
		[][]any{{string(c.ID), c.Version, string(c.Lead), concert.Micros(c.Mandate.On), concert.Micros(c.Mandate.Until), string(c.ClosedBy), concert.Micros(c.ClosedAt), concert.Micros(c.ReviewAt), string(c.ReviewedBy), concert.Micros(c.ReviewedAt)}})
}

// AddCaseMember lets a person read the case.
func (tx *Tx) AddCaseMember(ctx context.Context, id concert.CaseID, p, by concert.PersonID, at time.Time) error {
	tx.touch("case_member")
	_, err := tx.insert(ctx, "case_member", "case_id, person, added_by, added_at", [][]any{{string(id), string(p), string(by), concert.Micros(at)}}, "")
	return err
}

// DropCaseMember ends that.
func (tx *Tx) DropCaseMember(ctx context.Context, id concert.CaseID, p concert.PersonID) error {
	tx.touch("case_member")
	_, err := tx.exec(ctx, "DELETE FROM case_member WHERE case_id = ? AND person = ?", string(id), string(p))
	return err
}

// Case is one case, by reference or id, with its members.
func (tx *Tx) Case(ctx context.Context, ref string) (concert.Case, error) {
	c, err := tx.scanCase(ctx)(tx.row(ctx, "SELECT "+caseCols+caseFrom+"WHERE f.ref = ? OR f.id = ?", ref, ref))
	if err != nil {
		return concert.Case{}, err
	}
	cs, err := tx.peopled(ctx, []concert.Case{c})
	if err != nil {
		return concert.Case{}, err
	}
	return cs[0], nil
}

// CasesOf are the newest of the cases that an item belongs to, of which the person
// is a member; of all with "", for an auditor.
func (tx *Tx) CasesOf(ctx context.Context, s concert.Scope, item concert.ItemID, member concert.PersonID, limit int) ([]concert.Case, error) {
	if err := s.Justified(); err != nil {
		return nil, err
	}
	where, args := "WHERE f.id IN (SELECT t.case_id FROM case_thing t WHERE t.kind = 'item' AND t.subject = ?)", []any{string(item)}
	if member != "" {
		where += " AND f.id IN (SELECT m.case_id FROM case_member m WHERE m.person = ?) AND f.authority = ?"
		args = append(args, string(member), string(s.Actor().Authority))
	}
	cs, err := list(ctx, tx, tx.scanCase(ctx), "SELECT "+caseCols+caseFrom+where+" ORDER BY f.id DESC LIMIT ?", append(args, limit)...)
	if err != nil {
		return nil, fmt.Errorf("cases: %w", err)
	}
	return tx.peopled(ctx, cs)
}

// AddCaseThings puts things of a kind into a case; those that are in it already
// stay. It returns how many were new.
func (tx *Tx) AddCaseThings(ctx context.Context, id concert.CaseID, kind concert.Thing, subjects []string, by concert.PersonID, at time.Time) (int64, error) {
	tx.touch("case_thing")
	rows := make([][]any, len(subjects))
	for i, s := range subjects {
		rows[i] = []any{string(id), string(kind), s, string(by), concert.Micros(at)}
	}
	return tx.insert(ctx, "case_thing", "case_id, kind, subject, added_by, added_at", rows, "ON CONFLICT (case_id, kind, subject) DO NOTHING")
}

// InCase says which of the subjects of a kind belong to the case.
func (tx *Tx) InCase(ctx context.Context, id concert.CaseID, kind concert.Thing, subjects []string) (map[string]bool, error) {
	got, err := in(ctx, tx, func(r rowScanner) (s [2]string, err error) { return s, r.Scan(&s[0], &s[1]) }, "SELECT case_id, subject FROM case_thing WHERE kind = '"+string(kind)+"' AND subject IN (%s)", anys(subjects))
	if err != nil {
		return nil, fmt.Errorf("what belongs to a case: %w", err)
	}
	out := map[string]bool{}
	for _, s := range got {
		if s[0] == string(id) {
			out[s[1]] = true
		}
	}
	return out, nil
}

// DropCaseThing takes a thing out; false where it was not in.
func (tx *Tx) DropCaseThing(ctx context.Context, id concert.CaseID, kind concert.Thing, subject string) (bool, error) {
	tx.touch("case_thing")
	n, err := tx.exec(ctx, "DELETE FROM case_thing WHERE case_id = ? AND kind = ? AND subject = ?", string(id), string(kind), subject)
	return n == 1, err
}

// CaseItems are the items that belong to a case, without what is sealed, in the
// order in which they came to be; after is the last one of the page before.
func (tx *Tx) CaseItems(ctx context.Context, id concert.CaseID, after concert.ItemID, limit int) ([]concert.Item, error) {
	return list(ctx, tx, scanBare, "SELECT "+bareCols+" FROM case_thing t JOIN item i ON i.id = t.subject WHERE t.case_id = ? AND t.kind = 'item' AND t.subject > ? ORDER BY t.subject LIMIT ?", string(id), string(after), min(max(limit, 1), 500))
}

// CountCaseItems is how many items belong to a case.
func (tx *Tx) CountCaseItems(ctx context.Context, id concert.CaseID) (n int, err error) {
	return n, tx.row(ctx, "SELECT count(*) FROM case_thing WHERE case_id = ? AND kind = 'item'", string(id)).Scan(&n)
}

// CountItemsOfCases is how many items belong to each case, counted up to most.
func (tx *Tx) CountItemsOfCases(ctx context.Context, ids []concert.CaseID, most int) (map[concert.CaseID]int, error) {
	out := make(map[concert.CaseID]int, len(ids))
	for _, id := range ids {
		var n int
		if err := tx.row(ctx, "SELECT count(*) FROM (SELECT 1 FROM case_thing WHERE case_id = ? AND kind = 'item' LIMIT ?) c", string(id), most).Scan(&n); err != nil {
			return nil, fmt.Errorf("items of cases: %w", err)
		}
		out[id] = n
	}
	return out, nil
}

// CaseHistory are the last events on a case, on its persons and, of the given
// kinds, on its items, newest first.
func (tx *Tx) CaseHistory(ctx context.Context, id concert.CaseID, kinds []concert.EventKind, before concert.EventID, limit int) ([]concert.RecordedEvent, error) {
	where, args := "", []any{string(id), string(id), string(id)}
	args = append(args, anys(strs(kinds))...)
	if before != "" {
		where = " AND e.id < ?"
		args = append(args, string(before))
	}
	return list(ctx, tx, scanEvent, "SELECT "+eventCols+" FROM event e WHERE (e.subject = ? OR e.subject IN (SELECT p.id FROM case_person p WHERE p.case_id = ?) OR (e.subject IN (SELECT t.subject FROM case_thing t WHERE t.case_id = ? AND t.kind = 'item') AND e.kind IN (?"+repeat(",?", len(kinds)-1)+")))"+where+" ORDER BY e.id DESC LIMIT ?",
		append(args, min(max(limit, 1), 500))...)
}

// SealToItem seals a text under the item's key, so that it goes when the item is
// erased; what names its use.
func (tx *Tx) SealToItem(ctx context.Context, it concert.ItemID, what, text string) ([]byte, error) {
	return tx.sealBytes(ctx, string(it), what, []byte(text))
}

const casePersonCols = "id, ref, case_id, category, evaluation, sealed, added_by, added_at, erase_code, asked_by, asked_at, erased_by, erased_at, version"

// sealedPerson is what of a case's person lies under the case's key, and that
// under the person's own.
type sealedPerson struct {
	Name     string `json:"name"`
	Source   string `json:"source"`
	Ground   string `json:"ground"`
	EraseWhy string `json:"erase_why,omitempty"`
}

func (tx *Tx) sealCasePerson(ctx context.Context, p concert.CasePerson) ([]byte, error) {
	inner, err := tx.seal(ctx, string(p.Case), "case person", sealedPerson{p.Name, p.Source, p.Ground, p.EraseWhy})
	if err != nil {
		return nil, err
	}
	return tx.sealBytes(ctx, string(p.ID), "case person", inner)
}

// AddCasePerson writes a new person of a case, with a key of its own.
func (tx *Tx) AddCasePerson(ctx context.Context, p concert.CasePerson) error {
	tx.touch("case_person")
	if err := tx.newSubjects(ctx, string(p.ID)); err != nil {
		return err
	}
	sealed, err := tx.sealCasePerson(ctx, p)
	if err != nil {
		return err
	}
	_, err = tx.insert(ctx, "case_person", casePersonCols, [][]any{{string(p.ID), p.Ref, string(p.Case), string(p.Category), p.Evaluation, sealed, string(p.AddedBy), concert.Micros(p.AddedAt), "", "", 0, "", 0, 1}}, "")
	return err
}

// SaveCasePerson writes a category and a request for erasure back.
func (tx *Tx) SaveCasePerson(ctx context.Context, p concert.CasePerson) error {
	tx.touch("case_person")
	sealed, err := tx.sealCasePerson(ctx, p)
	if err != nil {
		return err
	}
	if _, err := tx.exec(ctx, "UPDATE case_person SET sealed = ? WHERE id = ?", sealed, string(p.ID)); err != nil {
		return fmt.Errorf("save person of a case: %w", err)
	}
	return tx.update(ctx, "case_person", []typed{{"category", "TEXT"}, {"erase_code", "TEXT"}, {"asked_by", "TEXT"}, {"asked_at", "BIGINT"}},
		[][]any{{string(p.ID), p.Version, string(p.Category), string(p.EraseCode), string(p.AskedBy), concert.Micros(p.AskedAt)}})
}

// EraseCasePerson destroys the person's key and what lay under it.
func (tx *Tx) EraseCasePerson(ctx context.Context, p concert.CasePerson) error {
	tx.touch("case_person")
	err := tx.update(ctx, "case_person", []typed{{"erase_code", "TEXT"}, {"asked_by", "TEXT"}, {"erased_by", "TEXT"}, {"erased_at", "BIGINT"}},
		[][]any{{string(p.ID), p.Version, string(p.EraseCode), string(p.AskedBy), string(p.ErasedBy), concert.Micros(p.ErasedAt)}})
	if err != nil {
		return err
	}
	return tx.eraseSealed(ctx, "case_person", string(p.ID), p.Ref)
}

// CasePersons are a case's persons, the oldest first, with what is sealed.
func (tx *Tx) CasePersons(ctx context.Context, id concert.CaseID) ([]concert.CasePerson, error) {
	type row struct {
		p      concert.CasePerson
		sealed []byte
	}
	rows, err := list(ctx, tx, func(r rowScanner) (row, error) {
		var x row
		var added, asked, erased int64
		err := r.Scan(&x.p.ID, &x.p.Ref, &x.p.Case, &x.p.Category, &x.p.Evaluation, &x.sealed, &x.p.AddedBy, &added, &x.p.EraseCode, &x.p.AskedBy, &asked, &x.p.ErasedBy, &erased, &x.p.Version)
		x.p.AddedAt, x.p.AskedAt, x.p.ErasedAt = concert.FromMicros(added), concert.FromMicros(asked), concert.FromMicros(erased)
		return x, err
	}, "SELECT "+casePersonCols+" FROM case_person WHERE case_id = ? ORDER BY id", string(id))
	if err != nil {
		return nil, fmt.Errorf("persons of a case: %w", err)
	}
	out := make([]concert.CasePerson, len(rows))
	for i, x := range rows {
		inner, err := tx.openBytes(ctx, string(x.p.ID), "case person", x.sealed)
		if err != nil {
			return nil, err
		}
		var s sealedPerson
		if err := tx.open(ctx, string(x.p.Case), "case person", inner, &s); err != nil {
			return nil, err
		}
		out[i] = x.p
		out[i].Name, out[i].Source, out[i].Ground, out[i].EraseWhy = s.Name, s.Source, s.Ground, s.EraseWhy
	}
	return out, nil
}
