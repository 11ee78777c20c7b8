package store

import (
	"context"
	"fmt"

	"concert"
)

// AddDraw writes a new draw with the key under which its reason lies.
func (tx *Tx) AddDraw(ctx context.Context, d concert.AuditDraw) error {
	tx.touch("audit_draw")
	if err := tx.newSubjects(ctx, string(d.ID)); err != nil {
		return err
	}
	_, err := tx.insert(ctx, "audit_draw", "id, ref, auditor, at, exercise", [][]any{{string(d.ID), d.Ref, string(d.Auditor), concert.Micros(d.At), flag(d.Exercise)}}, "")
	return err
}

// DrawID is the id of the draw with the reference.
func (tx *Tx) DrawID(ctx context.Context, ref string) (concert.DrawID, error) {
	id, err := scanText(tx.row(ctx, "SELECT id FROM audit_draw WHERE ref = ?", ref))
	return concert.DrawID(id), err
}

// AddFinding writes an auditor's finding; a second one by the same auditor on the same
// unit of the same draw is CodeExists.
func (tx *Tx) AddFinding(ctx context.Context, r concert.Reassessment) error {
	tx.touch("audit_finding")
	var sealed []byte
	if r.Note != "" {
		var err error
		if sealed, err = tx.seal(ctx, r.Subject, "finding", concert.GroundText{Ground: r.Note}); err != nil {
			return err
		}
	}
	_, err := tx.insert(ctx, "audit_finding", "draw, subject, auditor, unit, at, verdict, type, purpose, why, sealed",
		[][]any{{string(r.Draw), r.Subject, string(r.Auditor), r.Unit, concert.Micros(r.At), string(r.Verdict), string(r.Type), string(r.Purpose), string(r.Why), sealed}}, "")
	return err
}

// FindingsOn are what auditors found of one unit of a draw, the first first.
func (tx *Tx) FindingsOn(ctx context.Context, draw concert.DrawID, subject string) ([]concert.Reassessment, error) {
	type row struct {
		r      concert.Reassessment
		sealed []byte
	}
	rows, err := list(ctx, tx, func(r rowScanner) (row, error) {
		var w row
		var at int64
		err := r.Scan(&w.r.Draw, &w.r.Subject, &w.r.Auditor, &w.r.Unit, &at, &w.r.Verdict, &w.r.Type, &w.r.Purpose, &w.r.Why, &w.sealed)
		w.r.At = concert.FromMicros(at)
		return w, err
	}, "SELECT draw, subject, auditor, unit, at, verdict, type, purpose, why, sealed FROM audit_finding WHERE draw = ? AND subject = ? ORDER BY at, auditor LIMIT 100", string(draw), subject)
	if err != nil {
		return nil, fmt.Errorf("findings: %w", err)
	}
	out := make([]concert.Reassessment, len(rows))
	for i, w := range rows {
		var g concert.GroundText
		if err := tx.open(ctx, w.r.Subject, "finding", w.sealed, &g); err != nil {
			return nil, err
		}
		w.r.Note = g.Ground
		out[i] = w.r
	}
	return out, nil
}

const recommendationCols = "id, ref, draw_ref, about, unit, subject, authority, provider, auditor, at, answer, answered_by, answered_at, exercise, sealed, sealed_answer, version"

type recommendationRow struct {
	r              concert.Recommendation
	sealed, answer []byte
}

func scanRecommendation(r rowScanner) (recommendationRow, error) {
	var w recommendationRow
	var at, answered, exercise int64
	err := r.Scan(&w.r.ID, &w.r.Ref, &w.r.DrawRef, &w.r.About, &w.r.Unit, &w.r.Subject, &w.r.Authority, &w.r.Provider, &w.r.Auditor, &at, &w.r.Answer, &w.r.AnsweredBy, &answered, &exercise, &w.sealed, &w.answer, &w.r.Version)
	w.r.At, w.r.AnsweredAt, w.r.Exercise = concert.FromMicros(at), concert.FromMicros(answered), exercise != 0
	return w, err
}

func (tx *Tx) openRecommendation(ctx context.Context, w recommendationRow) (concert.Recommendation, error) {
	var text, answer concert.GroundText
	if err := tx.open(ctx, w.r.Subject, "recommendation", w.sealed, &text); err != nil {
		return w.r, err
	}
	err := tx.open(ctx, w.r.Subject, "recommendation answer", w.answer, &answer)
	w.r.Text, w.r.Reasons = text.Ground, answer.Ground
	return w.r, err
}

// AddRecommendation writes a finding that is handed to an authority; a second one by
// the same auditor on the same unit of the same draw is CodeExists.
func (tx *Tx) AddRecommendation(ctx context.Context, draw concert.DrawID, r concert.Recommendation) error {
	tx.touch("audit_recommendation")
	sealed, err := tx.seal(ctx, r.Subject, "recommendation", concert.GroundText{Ground: r.Text})
	if err != nil {
		return err
	}
	_, err = tx.insert(ctx, "audit_recommendation", "draw, "+recommendationCols, [][]any{{string(draw), r.ID, r.Ref, r.DrawRef, string(r.About), r.Unit, r.Subject, string(r.Authority), string(r.Provider), string(r.Auditor), concert.Micros(r.At),
		"", "", 0, flag(r.Exercise), sealed, nil, 1}}, "")
	return err
}

// SaveRecommendation writes its answer; ErrStale when somebody was faster.
func (tx *Tx) SaveRecommendation(ctx context.Context, r concert.Recommendation) error {
	tx.touch("audit_recommendation")
	var sealed []byte
	if r.Reasons != "" {
		var err error
		if sealed, err = tx.seal(ctx, r.Subject, "recommendation answer", concert.GroundText{Ground: r.Reasons}); err != nil {
			return err
		}
	}
	n, err := tx.exec(ctx, "UPDATE audit_recommendation SET answer = ?, answered_by = ?, answered_at = ?, sealed_answer = ?, version = version + 1 WHERE id = ? AND version = ? AND answered_at = 0",
		string(r.Answer), string(r.AnsweredBy), concert.Micros(r.AnsweredAt), sealed, r.ID, r.Version)
	if err == nil && n != 1 {
		return concert.ErrStale
	}
	return err
}

// Recommendation is the one with the reference.
func (tx *Tx) Recommendation(ctx context.Context, ref string) (concert.Recommendation, error) {
	w, err := scanRecommendation(tx.row(ctx, "SELECT "+recommendationCols+" FROM audit_recommendation WHERE ref = ?", ref))
	if err != nil {
		return concert.Recommendation{}, err
	}
	return tx.openRecommendation(ctx, w)
}

// Recommendations are those to an authority, or all for "", the newest first: at most
// limit before the id, "" to begin with.
func (tx *Tx) Recommendations(ctx context.Context, s concert.Scope, to concert.AuthorityID, before string, limit int) ([]concert.Recommendation, error) {
	if err := s.Justified(); err != nil {
		return nil, err
	}
	where, args := "WHERE 1 = 1", []any(nil)
	if to != "" {
		where, args = where+" AND authority = ?", append(args, string(to))
	}
	if before != "" {
		where, args = where+" AND id < ?", append(args, before)
	}
	rows, err := list(ctx, tx, scanRecommendation, "SELECT "+recommendationCols+" FROM audit_recommendation "+where+" ORDER BY id DESC LIMIT ?", append(args, min(max(limit, 1), 500))...)
	if err != nil {
		return nil, fmt.Errorf("recommendations: %w", err)
	}
	out := make([]concert.Recommendation, len(rows))
	for i, w := range rows {
		if out[i], err = tx.openRecommendation(ctx, w); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// OpenRecommendations counts those to an authority that wait for its answer.
func (tx *Tx) OpenRecommendations(ctx context.Context, to concert.AuthorityID) (int, error) {
	var n int
	err := tx.row(ctx, "SELECT count(*) FROM audit_recommendation WHERE authority = ? AND answered_at = 0", string(to)).Scan(&n)
	return n, err
}

// eraseAudit takes away what auditors and the authority wrote of an item. That they
// judged it, and to what effect, stays: it holds nothing of the item.
func (tx *Tx) eraseAudit(ctx context.Context, id concert.ItemID) error {
	for _, text := range []string{
		"UPDATE audit_finding SET sealed = NULL WHERE subject = ?",
		"UPDATE audit_recommendation SET sealed = NULL, sealed_answer = NULL WHERE subject = ?",
	} {
		if _, err := tx.exec(ctx, text, string(id)); err != nil {
			return fmt.Errorf("erase audit of an item: %w", err)
		}
	}
	return nil
}

// AccessFilter chooses events of some kinds by when and by whom.
type AccessFilter struct {
	Events []concert.EventKind
	Actor  concert.PersonID // "" for anybody
	From   int64            // microseconds; 0 for no bound
	Until  int64            // and before it
	Before concert.EventID  // the last one of the page before
	Limit  int
}

// accessFar bounds the events that one page looks through (decision 0009).
const accessFar = 8000

// Access is one event that is an access, with who did it and what it says of why.
type Access struct {
	concert.RecordedEvent
	Operator string // "" for the house
	Why      string // "" where the law asks for none, or it is erased
	Whom     string // to whom it went, where that is sealed
}

// Accesses are events of the kinds, newest first, and from where the next page goes on,
// "" at the end: at most accessFar of them are looked through.
func (tx *Tx) Accesses(ctx context.Context, s concert.Scope, f AccessFilter) (out []Access, next concert.EventID, err error) {
	if err := s.Justified(); err != nil {
		return nil, "", err
	}
	wanted := map[concert.EventKind]bool{}
	for _, k := range f.Events {
		wanted[k] = true
	}
	where, args := "WHERE 1 = 1", []any(nil)
	and := func(text string, v any) { where, args = where+" AND "+text, append(args, v) }
	if f.Before != "" {
		and("id < ?", string(f.Before))
	}
	if len(f.Events) == 1 && f.Events[0] == concert.EventConsulted {
		where += " AND kind = 'consulted'"
	}
	type seen struct {
		id    concert.EventID
		kind  concert.EventKind
		actor concert.PersonID
		at    int64
	}
	rows, err := list(ctx, tx, func(r rowScanner) (seen, error) {
		var x seen
		return x, r.Scan(&x.id, &x.kind, &x.actor, &x.at)
	}, "SELECT id, kind, actor, at FROM event "+where+" ORDER BY id DESC LIMIT ?", append(args, accessFar)...)
	if err != nil {
		return nil, "", fmt.Errorf("accesses: %w", err)
	}
	var ids []any
	for _, x := range rows {
		next = x.id
		if !wanted[x.kind] || f.Actor != "" && x.actor != f.Actor || f.From != 0 && x.at < f.From || f.Until != 0 && x.at >= f.Until {
			continue
		}
		if ids = append(ids, string(x.id)); len(ids) == f.Limit {
			break
		}
	}
	if len(ids) < f.Limit && len(rows) < accessFar {
		next = ""
	}
	found, err := tx.placed(ctx, "e.id IN (%s)", ids)
	if err != nil {
		return nil, "", err
	}
	byID := map[string]ListedEvent{}
	for _, e := range found {
		byID[string(e.ID)] = e
	}
	for _, id := range ids {
		a := Access{RecordedEvent: byID[id.(string)].RecordedEvent, Operator: byID[id.(string)].Operator}
		if err := tx.openAccess(ctx, &a); err != nil {
			return nil, "", err
		}
		out = append(out, a)
	}
	return out, next, nil
}

// openAccess opens what an access says of why and of to whom, where the law asks for
// it: of consultations and disclosures alone.
func (tx *Tx) openAccess(ctx context.Context, a *Access) error {
	switch a.Kind {
	case concert.EventConsulted, concert.EventAuditDrawn, concert.EventAuditRecommended:
		var g concert.GroundText
		err := tx.open(ctx, a.Subject, "event", a.Sealed, &g)
		a.Why = g.Ground
		return err
	case concert.EventItemDisclosed:
		var d concert.DisclosureText
		err := tx.open(ctx, a.Subject, "event", a.Sealed, &d)
		a.Why, a.Whom = d.Justification, d.Recipient
		return err
	case concert.EventCaptureExported:
		var c concert.CaptureInstrument
		err := tx.open(ctx, a.Subject, "event", a.Sealed, &c)
		if c.Reference != "" {
			a.Why, a.Whom = c.Issuer+", "+c.Reference+": "+c.Justification, c.Recipient
		}
		return err
	}
	return nil
}

// RecommendedBy is the reference of the recommendation that an auditor made of a unit of
// a draw, "" for none.
func (tx *Tx) RecommendedBy(ctx context.Context, draw concert.DrawID, subject string, by concert.PersonID) (string, error) {
	ref, err := scanText(tx.row(ctx, "SELECT ref FROM audit_recommendation WHERE draw = ? AND subject = ? AND auditor = ?", string(draw), subject, string(by)))
	if err == concert.ErrNotFound {
		return "", nil
	}
	return ref, err
}
