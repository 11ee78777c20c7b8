package store

import (
	"context"
	"fmt"
	"time"

	"concert"
)

// Precedents are the approvals given alone of works with these digests, each
// with where its item stands now; an assessment that was made anew has none.
func (tx *Tx) Precedents(ctx context.Context, contents [][32]byte) (map[[32]byte][]concert.Precedent, error) {
	args := make([]any, len(contents))
	for i := range contents {
		args[i] = contents[i][:]
	}
	got, err := in(ctx, tx, func(r rowScanner) (concert.Precedent, error) {
		var p concert.Precedent
		var content []byte
		err := r.Scan(&content, &p.Item, &p.Authority, &p.Outlet, &p.Status)
		p.Content = place(content)
		return p, err
	}, "SELECT a.content, a.item, a.authority, i.outlet, i.status FROM approval a JOIN item i ON i.id = a.item AND i.assessment = a.assessment WHERE a.content IN (%s)", args)
	if err != nil {
		return nil, fmt.Errorf("precedents: %w", err)
	}
	out := map[[32]byte][]concert.Precedent{}
	for _, p := range got {
		out[p.Content] = append(out[p.Content], p)
	}
	return out, nil
}

// AddOpening keeps when a person first saw an assessment that waits; later
// times change nothing. It is no case data: the decision's event carries what
// follows from it.
func (tx *Tx) AddOpening(ctx context.Context, a concert.AssessmentID, p concert.PersonID, at time.Time) error {
	_, err := tx.insert(ctx, "opening", "assessment, person, at", [][]any{{string(a), string(p), concert.Micros(at)}}, "ON CONFLICT (assessment, person) DO NOTHING")
	return err
}

// Openings are when the people first saw each assessment.
func (tx *Tx) Openings(ctx context.Context, ids []concert.AssessmentID) (map[concert.AssessmentID]map[concert.PersonID]time.Time, error) {
	out := map[concert.AssessmentID]map[concert.PersonID]time.Time{}
	_, err := in(ctx, tx, func(r rowScanner) (struct{}, error) {
		var a concert.AssessmentID
		var p concert.PersonID
		var at int64
		err := r.Scan(&a, &p, &at)
		if out[a] == nil {
			out[a] = map[concert.PersonID]time.Time{}
		}
		out[a][p] = concert.FromMicros(at)
		return struct{}{}, err
	}, "SELECT assessment, person, at FROM opening WHERE assessment IN (%s)", anys(strs(ids)))
	if err != nil {
		return nil, fmt.Errorf("openings: %w", err)
	}
	return out, nil
}

// Reviewers are who decided on these assessments, by assessment.
func (tx *Tx) Reviewers(ctx context.Context, ids []concert.AssessmentID) (map[concert.AssessmentID][]concert.PersonID, error) {
	out := map[concert.AssessmentID][]concert.PersonID{}
	_, err := in(ctx, tx, func(r rowScanner) (struct{}, error) {
		var a concert.AssessmentID
		var p concert.PersonID
		err := r.Scan(&a, &p)
		out[a] = append(out[a], p)
		return struct{}{}, err
	}, "SELECT assessment, reviewer FROM approval WHERE assessment IN (%s)", anys(strs(ids)))
	if err != nil {
		return nil, fmt.Errorf("reviewers: %w", err)
	}
	return out, nil
}

// ApprovalsIn are the approvals within an action, with how they were given and
// nothing that is sealed.
func (tx *Tx) ApprovalsIn(ctx context.Context, a concert.ActionID) ([]concert.Approval, error) {
	return list(ctx, tx, func(r rowScanner) (concert.Approval, error) {
		d := concert.Approval{Decision: concert.Approve}
		var single bool
		var opened, at int64
		err := r.Scan(&single, &opened, &at)
		d.Bulk, d.OpenedAt, d.At = !single, concert.FromMicros(opened), concert.FromMicros(at)
		return d, err
	}, "SELECT a.single, a.opened_at, a.at FROM approval a JOIN item i ON i.id = a.item WHERE i.action = ? AND a.decision = 'approve'", string(a))
}
