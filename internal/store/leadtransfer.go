package store

import (
	"context"
	"fmt"

	"concert"
)

const leadCols = "id, ref, case_id, authority, exhibit, state, kind, ground, for_court, persons, status, code, package, receipt, asked_by, asked_at, released_by, released_at, sealed, exercise, version"

// sealedLead is what of a lead lies under its key.
type sealedLead struct {
	Name     string           `json:"name"`
	Transfer concert.Transfer `json:"transfer"`
	Persons  []string         `json:"persons,omitempty"`
	Reason   string           `json:"reason,omitempty"`
}

func (tx *Tx) sealLead(ctx context.Context, l concert.Lead) ([]byte, error) {
	return tx.seal(ctx, string(l.ID), "lead", sealedLead{l.Recipient.Name, l.Transfer, l.Persons, l.Reason})
}

// AddLead writes a new lead with its key.
func (tx *Tx) AddLead(ctx context.Context, l concert.Lead) error {
	tx.touch("lead")
	if err := tx.newSubjects(ctx, string(l.ID)); err != nil {
		return err
	}
	sealed, err := tx.sealLead(ctx, l)
	if err != nil {
		return err
	}
	_, err = tx.insert(ctx, "lead", leadCols, [][]any{{string(l.ID), l.Ref, string(l.Case), string(l.Authority), string(l.Exhibit), l.Recipient.State, string(l.Recipient.Kind), string(l.Transfer.Ground), flag(l.ForCourt), len(l.Persons),
		string(l.Status), l.Code, "", "", string(l.AskedBy), concert.Micros(l.AskedAt), "", 0, sealed, flag(l.Exercise), 1}}, "")
	return err
}

// SaveLead writes its release, receipt and end back.
func (tx *Tx) SaveLead(ctx context.Context, l concert.Lead) error {
	tx.touch("lead")
	sealed, err := tx.sealLead(ctx, l)
	if err != nil {
		return err
	}
	err = tx.update(ctx, "lead", []typed{{"status", "TEXT"}, {"package", "TEXT"}, {"receipt", "TEXT"}, {"released_by", "TEXT"}, {"released_at", "BIGINT"}},
		[][]any{{string(l.ID), l.Version, string(l.Status), l.Package, l.Receipt, string(l.ReleasedBy), concert.Micros(l.ReleasedAt)}})
	if err != nil {
		return err
	}
	if _, err := tx.exec(ctx, "UPDATE lead SET sealed = ? WHERE id = ?", sealed, string(l.ID)); err != nil {
		return fmt.Errorf("save lead %s: %w", l.Ref, err)
	}
	return nil
}

func (tx *Tx) leads(ctx context.Context, rest string, args ...any) ([]concert.Lead, error) {
	type row struct {
		l      concert.Lead
		sealed []byte
	}
	rows, err := list(ctx, tx, func(s rowScanner) (row, error) {
		var o row
		var persons int
		var asked, released int64
		l := &o.l
		err := s.Scan(&l.ID, &l.Ref, &l.Case, &l.Authority, &l.Exhibit, &l.Recipient.State, &l.Recipient.Kind, &l.Transfer.Ground, &l.ForCourt, &persons, &l.Status, &l.Code, &l.Package, &l.Receipt, &l.AskedBy, &asked, &l.ReleasedBy, &released, &o.sealed, &l.Exercise, &l.Version)
		l.AskedAt, l.ReleasedAt = concert.FromMicros(asked), concert.FromMicros(released)
		return o, err
	}, "SELECT "+leadCols+" FROM lead "+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("leads: %w", err)
	}
	out := make([]concert.Lead, len(rows))
	for i, o := range rows {
		var s sealedLead
		if err := tx.open(ctx, string(o.l.ID), "lead", o.sealed, &s); err != nil {
			return nil, err
		}
		ground := o.l.Transfer.Ground
		out[i] = o.l
		out[i].Recipient.Name, out[i].Transfer, out[i].Persons, out[i].Reason = s.Name, s.Transfer, s.Persons, s.Reason
		out[i].Transfer.Ground = ground
	}
	return out, nil
}

// Lead is one, by reference or id.
func (tx *Tx) Lead(ctx context.Context, ref string) (concert.Lead, error) {
	ls, err := tx.leads(ctx, "WHERE ref = ? OR id = ?", ref, ref)
	if err == nil && len(ls) == 0 {
		err = concert.ErrNotFound
	}
	if err != nil {
		return concert.Lead{}, err
	}
	return ls[0], nil
}

// CaseLeads are a case's leads, the newest first.
func (tx *Tx) CaseLeads(ctx context.Context, id concert.CaseID, limit int) ([]concert.Lead, error) {
	return tx.leads(ctx, "WHERE case_id = ? ORDER BY id DESC LIMIT ?", string(id), limit)
}

// LeadsWithPersons are the leads of an exhibit that name persons.
func (tx *Tx) LeadsWithPersons(ctx context.Context, x concert.ExhibitID) ([]concert.Lead, error) {
	return tx.leads(ctx, "WHERE exhibit = ? AND persons > 0 ORDER BY id", string(x))
}

// CountLeads is how many leads of a case stand at each status.
func (tx *Tx) CountLeads(ctx context.Context, id concert.CaseID) (map[concert.LeadStatus]int, error) {
	type count struct {
		status concert.LeadStatus
		n      int
	}
	counts, err := list(ctx, tx, func(r rowScanner) (c count, err error) { return c, r.Scan(&c.status, &c.n) }, "SELECT status, count(*) FROM lead WHERE case_id = ? GROUP BY status", string(id))
	if err != nil {
		return nil, fmt.Errorf("count leads: %w", err)
	}
	out := make(map[concert.LeadStatus]int, len(counts))
	for _, c := range counts {
		out[c.status] = c.n
	}
	return out, nil
}

// EraseLead destroys a lead's key and what lay under it.
func (tx *Tx) EraseLead(ctx context.Context, l concert.Lead) error {
	return tx.eraseSealed(ctx, "lead", string(l.ID), l.Ref)
}

// UnerasedLeads are a case's leads that were not erased.
func (tx *Tx) UnerasedLeads(ctx context.Context, id concert.CaseID) ([]concert.Lead, error) {
	return tx.leads(ctx, "WHERE case_id = ? AND sealed IS NOT NULL ORDER BY id", string(id))
}
