package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"concert"
)

const patternCols = "id, ref, action, provider, body, drafted_at, reviewed_by, reviewed_at, released_by, released_at, version"

func scanPattern(r rowScanner) (concert.PatternNote, error) {
	var n concert.PatternNote
	var body string
	var drafted, reviewed, released int64
	if err := r.Scan(&n.ID, &n.Ref, &n.Action, &n.Provider, &body, &drafted, &n.ReviewedBy, &reviewed, &n.ReleasedBy, &released, &n.Version); err != nil {
		return n, err
	}
	n.DraftedAt, n.ReviewedAt, n.ReleasedAt = concert.FromMicros(drafted), concert.FromMicros(reviewed), concert.FromMicros(released)
	if err := json.Unmarshal([]byte(body), &n.Patterns); err != nil {
		return n, fmt.Errorf("note %s: %w", n.Ref, err)
	}
	return n, nil
}

// AddPatternNotes writes new notes; an action's second one for a provider
// changes nothing and is not counted.
func (tx *Tx) AddPatternNotes(ctx context.Context, ns []concert.PatternNote) error {
	tx.touch("pattern_note")
	rows := make([][]any, len(ns))
	for i, n := range ns {
		body, err := json.Marshal(n.Patterns)
		if err != nil {
			return fmt.Errorf("note %s: %w", n.Ref, err)
		}
		rows[i] = []any{string(n.ID), n.Ref, string(n.Action), string(n.Provider), string(body), concert.Micros(n.DraftedAt), "", 0, "", 0, 1}
	}
	_, err := tx.insert(ctx, "pattern_note", patternCols, rows, "")
	return err
}

// SavePatternNote writes a review or a release.
func (tx *Tx) SavePatternNote(ctx context.Context, n concert.PatternNote) error {
	tx.touch("pattern_note")
	return tx.update(ctx, "pattern_note", []typed{{"reviewed_by", "TEXT"}, {"reviewed_at", "BIGINT"}, {"released_by", "TEXT"}, {"released_at", "BIGINT"}},
		[][]any{{string(n.ID), n.Version, string(n.ReviewedBy), concert.Micros(n.ReviewedAt), string(n.ReleasedBy), concert.Micros(n.ReleasedAt)}})
}

// PatternNote is one, by reference.
func (tx *Tx) PatternNote(ctx context.Context, ref string) (concert.PatternNote, error) {
	return scanPattern(tx.row(ctx, "SELECT "+patternCols+" FROM pattern_note WHERE ref = ?", ref))
}

// PatternNotesOf are an action's notes.
func (tx *Tx) PatternNotesOf(ctx context.Context, a concert.ActionID) ([]concert.PatternNote, error) {
	return list(ctx, tx, scanPattern, "SELECT "+patternCols+" FROM pattern_note WHERE action = ? ORDER BY provider", string(a))
}

// ReleasedNotes are those that a provider may read, newest first.
func (tx *Tx) ReleasedNotes(ctx context.Context, p concert.ProviderID) ([]concert.PatternNote, error) {
	return list(ctx, tx, scanPattern, "SELECT "+patternCols+" FROM pattern_note WHERE provider = ? AND released_at > 0 ORDER BY id DESC LIMIT 100", string(p))
}

// PatternItems are an action's referred items for its notes, by provider, in
// the clear part alone.
func (tx *Tx) PatternItems(ctx context.Context, a concert.ActionID) (map[concert.ProviderID][]concert.PatternItem, error) {
	out := map[concert.ProviderID][]concert.PatternItem{}
	_, err := list(ctx, tx, func(r rowScanner) (struct{}, error) {
		var v concert.PatternItem
		var p concert.ProviderID
		var outlet *string
		var content []byte
		var found, sent int64
		err := r.Scan(&p, &v.Type, &v.Kind, &outlet, &v.Language, &v.Claimed, &v.Observed, &v.SeenDown, &content, &found, &sent)
		if outlet != nil {
			v.Outlet = *outlet
		}
		v.Content, v.FoundAt, v.ReferredAt = place(content), concert.FromMicros(found), concert.FromMicros(sent)
		out[p] = append(out[p], v)
		return struct{}{}, err
	}, "SELECT i.provider, i.type, i.kind, o.name, i.language, i.claimed, i.observed, i.seen_down, i.content, i.created_at, r.created_at FROM referral r JOIN referral_item x ON x.referral = r.id JOIN item i ON i.id = x.item LEFT JOIN outlet o ON o.id = i.outlet WHERE r.action = ? AND i.status <> 'withdrawn' ORDER BY i.id", string(a))
	return out, err
}

// ProvidersOf are the providers that an action's items went to.
func (tx *Tx) ProvidersOf(ctx context.Context, a concert.ActionID) ([]concert.ProviderID, error) {
	ps, err := list(ctx, tx, scanText, "SELECT DISTINCT provider FROM referral WHERE action = ? ORDER BY provider", string(a))
	out := make([]concert.ProviderID, len(ps))
	for i, p := range ps {
		out[i] = concert.ProviderID(p)
	}
	return slices.Clip(out), err
}
