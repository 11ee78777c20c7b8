package store

import (
	"context"
	"fmt"

	"concert"
)

// AddAssessments writes judgements; facts and judgement are sealed under the
// item's key.
func (tx *Tx) AddAssessments(ctx context.Context, as []concert.Assessment) error {
	if len(as) == 0 {
		return nil
	}
	tx.touch("assessment")
	rows := make([][]any, len(as))
	for i, a := range as {
		sealed, err := tx.seal(ctx, string(a.Item), "assessment", concert.AssessmentText{Facts: a.Facts, Judgement: a.Judgement, Mark: a.Mark, MarkWhere: a.MarkWhere})
		if err != nil {
			return err
		}
		rows[i] = []any{string(a.ID), string(a.Item), string(a.Author), string(a.Authority), string(a.Type), string(a.Purpose), string(a.Outlet), flag(a.Unbranded), a.Language, string(a.Severity), a.Evaluation, sealed, concert.Micros(a.At)}
	}
	_, err := tx.insert(ctx, "assessment", "id, item, author, authority, type, purpose, outlet, unbranded, language, severity, evaluation, sealed, at", rows, "")
	return err
}

// Assessments are the judgements with these ids, by id.
func (tx *Tx) Assessments(ctx context.Context, ids []concert.AssessmentID) (map[concert.AssessmentID]concert.Assessment, error) {
	type row struct {
		a      concert.Assessment
		sealed []byte
	}
	got, err := in(ctx, tx, func(r rowScanner) (row, error) {
		var w row
		var at int64
		err := r.Scan(&w.a.ID, &w.a.Item, &w.a.Author, &w.a.Authority, &w.a.Type, &w.a.Purpose, &w.a.Outlet, &w.a.Unbranded, &w.a.Language, &w.a.Severity, &w.a.Evaluation, &w.sealed, &at)
		w.a.At = concert.FromMicros(at)
		return w, err
	}, "SELECT id, item, author, authority, type, purpose, outlet, unbranded, language, severity, evaluation, sealed, at FROM assessment WHERE id IN (%s)", anys(strs(ids)))
	if err != nil {
		return nil, fmt.Errorf("assessments: %w", err)
	}
	out := make(map[concert.AssessmentID]concert.Assessment, len(got))
	for _, w := range got {
		var t concert.AssessmentText
		if err := tx.open(ctx, string(w.a.Item), "assessment", w.sealed, &t); err != nil {
			return nil, err
		}
		w.a.Facts, w.a.Judgement, w.a.Mark, w.a.MarkWhere = t.Facts, t.Judgement, t.Mark, t.MarkWhere
		out[w.a.ID] = w.a
	}
	return out, nil
}

// AddApprovals writes decisions. The table itself refuses an author as
// reviewer and one reviewer twice.
func (tx *Tx) AddApprovals(ctx context.Context, ds []concert.Approval) error {
	if len(ds) == 0 {
		return nil
	}
	tx.touch("approval")
	rows := make([][]any, len(ds))
	for i, d := range ds {
		var sealed []byte
		if d.Ground != "" {
			var err error
			if sealed, err = tx.seal(ctx, string(d.Item), "approval", concert.GroundText{Ground: d.Ground}); err != nil {
				return err
			}
		}
		var content []byte
		if !d.Bulk && d.Decision == concert.Approve {
			content = digest(d.Content)
		}
		rows[i] = []any{string(d.Assessment), string(d.Reviewer), string(d.Item), string(d.Author), string(d.Authority), string(d.Decision), sealed, concert.Micros(d.At), flag(!d.Bulk), concert.Micros(d.OpenedAt), content}
	}
	_, err := tx.insert(ctx, "approval", "assessment, reviewer, item, author, authority, decision, sealed, at, single, opened_at, content", rows, "")
	return err
}

// Approvals are the decisions on these assessments, by assessment.
func (tx *Tx) Approvals(ctx context.Context, ids []concert.AssessmentID) (map[concert.AssessmentID][]concert.Approval, error) {
	type row struct {
		d      concert.Approval
		sealed []byte
	}
	got, err := in(ctx, tx, func(r rowScanner) (row, error) {
		var w row
		var at, opened int64
		var single bool
		err := r.Scan(&w.d.Assessment, &w.d.Reviewer, &w.d.Item, &w.d.Author, &w.d.Authority, &w.d.Decision, &w.sealed, &at, &single, &opened)
		w.d.At, w.d.Bulk, w.d.OpenedAt = concert.FromMicros(at), !single, concert.FromMicros(opened)
		return w, err
	}, "SELECT assessment, reviewer, item, author, authority, decision, sealed, at, single, opened_at FROM approval WHERE assessment IN (%s)", anys(strs(ids)))
	if err != nil {
		return nil, fmt.Errorf("approvals: %w", err)
	}
	out := map[concert.AssessmentID][]concert.Approval{}
	for _, w := range got {
		var g concert.GroundText
		if err := tx.open(ctx, string(w.d.Item), "approval", w.sealed, &g); err != nil {
			return nil, err
		}
		w.d.Ground = g.Ground
		out[w.d.Assessment] = append(out[w.d.Assessment], w.d)
	}
	return out, nil
}
