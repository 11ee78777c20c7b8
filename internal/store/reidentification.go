package store

import (
	"context"
	"fmt"

	"concert"
)

const reidentifyCols = "id, ref, case_id, authority, exhibit, judicial, purpose, instrument, until, selection, status, code, asked_by, asked_at, confirmed_by, confirmed_at, authorised_by, authorised_at, recipient, revealed, sealed, exercise, version"

// sealedRequest is what of a request to open pseudonyms lies under its key.
type sealedRequest struct {
	Issuer     string                      `json:"issuer"`
	Reference  string                      `json:"reference"`
	Subjects   []concert.ReidentifySubject `json:"subjects"`
	Reason     string                      `json:"reason,omitempty"`
	Key        string                      `json:"key,omitempty"`
	Shares     [][]byte                    `json:"shares,omitempty"`
	Custodians []string                    `json:"custodians,omitempty"`
}

func (tx *Tx) sealRequest(ctx context.Context, r concert.Reidentification) ([]byte, error) {
	return tx.seal(ctx, string(r.ID), "reidentification", sealedRequest{r.Instrument.Issuer, r.Instrument.Reference, r.Subjects, r.Reason, r.Key, r.Shares, r.Custodians})
}

// AddReidentification writes a new request with its key.
func (tx *Tx) AddReidentification(ctx context.Context, r concert.Reidentification) error {
	tx.touch("reidentification")
	if err := tx.newSubjects(ctx, string(r.ID)); err != nil {
		return err
	}
	sealed, err := tx.sealRequest(ctx, r)
	if err != nil {
		return err
	}
	_, err = tx.insert(ctx, "reidentification", reidentifyCols, [][]any{{string(r.ID), r.Ref, string(r.Case), string(r.Authority), string(r.Exhibit), string(r.Judicial), string(r.Purpose), string(r.Instrument.Kind), concert.Micros(r.Instrument.Until), string(r.Selection),
		string(r.Status), r.Code, string(r.AskedBy), concert.Micros(r.AskedAt), "", 0, "", 0, r.Recipient, 0, sealed, flag(r.Exercise), 1}}, "")
	return err
}

// SaveReidentification writes decisions, shares and readings back.
func (tx *Tx) SaveReidentification(ctx context.Context, r concert.Reidentification) error {
	tx.touch("reidentification")
	sealed, err := tx.sealRequest(ctx, r)
	if err != nil {
		return err
	}
	err = tx.update(ctx, "reidentification", []typed{{"status", "TEXT"}, {"confirmed_by", "TEXT"}, {"confirmed_at", "BIGINT"}, {"authorised_by", "TEXT"}, {"authorised_at", "BIGINT"}, {"revealed", "BIGINT"}},
		[][]any{{string(r.ID), r.Version, string(r.Status), string(r.ConfirmedBy), concert.Micros(r.ConfirmedAt), string(r.AuthorisedBy), concert.Micros(r.AuthorisedAt), r.Revealed}})
	if err != nil {
		return err
	}
	if _, err := tx.exec(ctx, "UPDATE reidentification SET sealed = ? WHERE id = ?", sealed, string(r.ID)); err != nil {
		return fmt.Errorf("save request %s: %w", r.Ref, err)
	}
	return nil
}

func (tx *Tx) reidentifications(ctx context.Context, rest string, args ...any) ([]concert.Reidentification, error) {
	type row struct {
		r      concert.Reidentification
		sealed []byte
	}
	rows, err := list(ctx, tx, func(s rowScanner) (row, error) {
		var o row
		var until, asked, confirmed, authorised int64
		r := &o.r
		err := s.Scan(&r.ID, &r.Ref, &r.Case, &r.Authority, &r.Exhibit, &r.Judicial, &r.Purpose, &r.Instrument.Kind, &until, &r.Selection, &r.Status, &r.Code, &r.AskedBy, &asked, &r.ConfirmedBy, &confirmed, &r.AuthorisedBy, &authorised, &r.Recipient, &r.Revealed, &o.sealed, &r.Exercise, &r.Version)
		r.Instrument.Until, r.AskedAt, r.ConfirmedAt, r.AuthorisedAt = concert.FromMicros(until), concert.FromMicros(asked), concert.FromMicros(confirmed), concert.FromMicros(authorised)
		return o, err
	}, "SELECT "+reidentifyCols+" FROM reidentification "+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("requests to open pseudonyms: %w", err)
	}
	out := make([]concert.Reidentification, len(rows))
	for i, o := range rows {
		var s sealedRequest
		if err := tx.open(ctx, string(o.r.ID), "reidentification", o.sealed, &s); err != nil {
			return nil, err
		}
		r := o.r
		r.Instrument.Issuer, r.Instrument.Reference, r.Subjects, r.Reason, r.Key, r.Shares, r.Custodians = s.Issuer, s.Reference, s.Subjects, s.Reason, s.Key, s.Shares, s.Custodians
		out[i] = r
	}
	return out, nil
}

// Reidentification is one request, by reference or id.
func (tx *Tx) Reidentification(ctx context.Context, ref string) (concert.Reidentification, error) {
	rs, err := tx.reidentifications(ctx, "WHERE ref = ? OR id = ?", ref, ref)
	if err == nil && len(rs) == 0 {
		err = concert.ErrNotFound
	}
	if err != nil {
		return concert.Reidentification{}, err
	}
	return rs[0], nil
}

// CaseReidentifications are a case's requests, the newest first.
func (tx *Tx) CaseReidentifications(ctx context.Context, id concert.CaseID, limit int) ([]concert.Reidentification, error) {
	return tx.reidentifications(ctx, "WHERE case_id = ? ORDER BY id DESC LIMIT ?", string(id), limit)
}

// ReidentificationsFor are the requests that wait for the magistrates of an
// authority, the oldest first.
func (tx *Tx) ReidentificationsFor(ctx context.Context, judicial concert.AuthorityID, limit int) ([]concert.Reidentification, error) {
	return tx.reidentifications(ctx, "WHERE judicial = ? AND status = ? ORDER BY id LIMIT ?", string(judicial), string(concert.ReidentifyConfirmed), limit)
}

// EraseReidentification destroys a request's key and what lay under it.
func (tx *Tx) EraseReidentification(ctx context.Context, r concert.Reidentification) error {
	return tx.eraseSealed(ctx, "reidentification", string(r.ID), r.Ref)
}

// UnerasedReidentifications are a case's requests that were not erased.
func (tx *Tx) UnerasedReidentifications(ctx context.Context, id concert.CaseID) ([]concert.Reidentification, error) {
	return tx.reidentifications(ctx, "WHERE case_id = ? AND sealed IS NOT NULL ORDER BY id", string(id))
}
