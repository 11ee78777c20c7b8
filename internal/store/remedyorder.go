package store

import (
	"context"
	"fmt"
	"time"

	"concert"
)

const scrutinyCols = "id, order_id, asked_by, asked_at, due_at, intended_at, intended_by, outcome, decided_at, decided_by"

// PutScrutiny writes a scrutiny: a new one where its version is 0.
func (tx *Tx) PutScrutiny(ctx context.Context, s concert.Scrutiny) error {
	tx.touch("scrutiny")
	sealed, err := tx.seal(ctx, string(s.Order), "scrutiny", s.ScrutinyText)
	if err != nil {
		return err
	}
	if s.Version == 0 {
		_, err := tx.insert(ctx, "scrutiny", scrutinyCols+", sealed, version", [][]any{{string(s.ID), string(s.Order), string(s.AskedBy), concert.Micros(s.AskedAt), concert.Micros(s.DueAt), concert.Micros(s.IntendedAt), string(s.IntendedBy),
			string(s.Outcome), concert.Micros(s.DecidedAt), string(s.DecidedBy), sealed, 1}}, "")
		return err
	}
	n, err := tx.exec(ctx, "UPDATE scrutiny SET intended_at = ?, intended_by = ?, outcome = ?, decided_at = ?, decided_by = ?, sealed = ?, version = version + 1 WHERE id = ? AND version = ?",
		concert.Micros(s.IntendedAt), string(s.IntendedBy), string(s.Outcome), concert.Micros(s.DecidedAt), string(s.DecidedBy), sealed, string(s.ID), s.Version)
	if err == nil && n != 1 {
		err = concert.ErrStale
	}
	return err
}

// Scrutinies are an order's, oldest first, with what was written by hand.
func (tx *Tx) Scrutinies(ctx context.Context, id concert.OrderID) ([]concert.Scrutiny, error) {
	type row struct {
		s      concert.Scrutiny
		sealed []byte
	}
	got, err := list(ctx, tx, func(r rowScanner) (row, error) {
		var w row
		var asked, due, intended, decided int64
		err := r.Scan(&w.s.ID, &w.s.Order, &w.s.AskedBy, &asked, &due, &intended, &w.s.IntendedBy, &w.s.Outcome, &decided, &w.s.DecidedBy, &w.sealed, &w.s.Version)
		w.s.AskedAt, w.s.DueAt, w.s.IntendedAt, w.s.DecidedAt = concert.FromMicros(asked), concert.FromMicros(due), concert.FromMicros(intended), concert.FromMicros(decided)
		return w, err
	}, "SELECT "+scrutinyCols+", sealed, version FROM scrutiny WHERE order_id = ? ORDER BY id", string(id))
	if err != nil {
		return nil, fmt.Errorf("scrutinies: %w", err)
	}
	out := make([]concert.Scrutiny, len(got))
	for i, w := range got {
		if err := tx.open(ctx, string(id), "scrutiny", w.sealed, &w.s.ScrutinyText); err != nil {
			return nil, err
		}
		out[i] = w.s
	}
	return out, nil
}

// PutAppeal writes an appeal: a new one where its version is 0.
func (tx *Tx) PutAppeal(ctx context.Context, a concert.Appeal) error {
	tx.touch("order_appeal")
	sealed, err := tx.seal(ctx, string(a.Order), "appeal", a.AppealText)
	if err != nil {
		return err
	}
	if a.Version == 0 {
		_, err := tx.insert(ctx, "order_appeal", "id, ref, order_id, party, filed_at, outcome, decided_at, sealed, version", [][]any{{string(a.ID), a.Ref, string(a.Order), string(a.Party), concert.Micros(a.FiledAt), "", 0, sealed, 1}}, "")
		return err
	}
	n, err := tx.exec(ctx, "UPDATE order_appeal SET outcome = ?, decided_at = ?, sealed = ?, version = version + 1 WHERE id = ? AND version = ?", string(a.Outcome), concert.Micros(a.DecidedAt), sealed, string(a.ID), a.Version)
	if err == nil && n != 1 {
		err = concert.ErrStale
	}
	return err
}

// Appeals are an order's, oldest first.
func (tx *Tx) Appeals(ctx context.Context, id concert.OrderID) ([]concert.Appeal, error) {
	type row struct {
		a      concert.Appeal
		sealed []byte
	}
	got, err := list(ctx, tx, func(r rowScanner) (row, error) {
		var w row
		var filed, decided int64
		err := r.Scan(&w.a.ID, &w.a.Ref, &w.a.Order, &w.a.Party, &filed, &w.a.Outcome, &decided, &w.sealed, &w.a.Version)
		w.a.FiledAt, w.a.DecidedAt = concert.FromMicros(filed), concert.FromMicros(decided)
		return w, err
	}, "SELECT id, ref, order_id, party, filed_at, outcome, decided_at, sealed, version FROM order_appeal WHERE order_id = ? ORDER BY id", string(id))
	if err != nil {
		return nil, fmt.Errorf("appeals: %w", err)
	}
	out := make([]concert.Appeal, len(got))
	for i, w := range got {
		if err := tx.open(ctx, string(id), "appeal", w.sealed, &w.a.AppealText); err != nil {
			return nil, err
		}
		out[i] = w.a
	}
	return out, nil
}

const contentLinkCols = "id, digest, order_id, referral, item, authority, provider, created_at, expires_at, informed_at, version"

func scanContentLink(r rowScanner) (concert.ContentLink, error) {
	var l concert.ContentLink
	var digest []byte
	var created, expires, informed int64
	err := r.Scan(&l.ID, &digest, &l.Order, &l.Referral, &l.Item, &l.Authority, &l.Provider, &created, &expires, &informed, &l.Version)
	copy(l.Digest[:], digest)
	l.CreatedAt, l.ExpiresAt, l.InformedAt = concert.FromMicros(created), concert.FromMicros(expires), concert.FromMicros(informed)
	return l, err
}

// PutContentLink writes a content provider's link: a new one where its version is 0.
func (tx *Tx) PutContentLink(ctx context.Context, l concert.ContentLink) error {
	if l.Version == 0 {
		_, err := tx.insert(ctx, "content_link", contentLinkCols, [][]any{{string(l.ID), l.Digest[:], string(l.Order), string(l.Referral), string(l.Item), string(l.Authority), string(l.Provider), concert.Micros(l.CreatedAt), concert.Micros(l.ExpiresAt), concert.Micros(l.InformedAt), 1}}, "")
		return err
	}
	return tx.update(ctx, "content_link", []typed{{"expires_at", "BIGINT"}, {"informed_at", "BIGINT"}}, [][]any{{string(l.ID), l.Version, concert.Micros(l.ExpiresAt), concert.Micros(l.InformedAt)}})
}

// ContentLink is the link of an item of an order or a referral; ErrNotFound where
// nobody has asked for it.
func (tx *Tx) ContentLink(ctx context.Context, o concert.OrderID, r concert.ReferralID, item concert.ItemID) (concert.ContentLink, error) {
	return scanContentLink(tx.row(ctx, "SELECT "+contentLinkCols+" FROM content_link WHERE order_id = ? AND referral = ? AND item = ?", string(o), string(r), string(item)))
}

// ContentLinkByDigest is the link of a token.
func (tx *Tx) ContentLinkByDigest(ctx context.Context, digest [32]byte) (concert.ContentLink, error) {
	return scanContentLink(tx.row(ctx, "SELECT "+contentLinkCols+" FROM content_link WHERE digest = ?", digest[:]))
}

const complaintCols = "id, ref, order_id, referral, item, about, authority, provider, through, filed_at, due_at, warned, outcome, decided_at, decided_by, exercise, version"

func scanComplaint(r rowScanner, more ...any) (concert.Complaint, error) {
	var c concert.Complaint
	var filed, due, decided int64
	err := r.Scan(append([]any{&c.ID, &c.Ref, &c.Order, &c.Referral, &c.Item, &c.For, &c.Authority, &c.Provider, &c.Through, &filed, &due, &c.Warned, &c.Outcome, &decided, &c.DecidedBy, &c.Exercise, &c.Version}, more...)...)
	c.FiledAt, c.DueAt, c.DecidedAt = concert.FromMicros(filed), concert.FromMicros(due), concert.FromMicros(decided)
	return c, err
}

// PutComplaint writes a complaint: a new one where its version is 0. Only one about one
// thing is open at a time: a second is CodeExists.
func (tx *Tx) PutComplaint(ctx context.Context, c concert.Complaint) error {
	tx.touch("complaint")
	sealed, err := tx.seal(ctx, string(c.Item), "complaint", c.ComplaintText)
	if err != nil {
		return err
	}
	next := concert.Micros(c.NextLook())
	if c.Version == 0 {
		_, err := tx.insert(ctx, "complaint", complaintCols+", next_at, sealed", [][]any{{string(c.ID), c.Ref, string(c.Order), string(c.Referral), string(c.Item), c.For, string(c.Authority), string(c.Provider), string(c.Through),
			concert.Micros(c.FiledAt), concert.Micros(c.DueAt), c.Warned, string(c.Outcome), 0, "", flag(c.Exercise), 1, next, sealed}}, "")
		return err
	}
	n, err := tx.exec(ctx, "UPDATE complaint SET warned = ?, next_at = ?, outcome = ?, decided_at = ?, decided_by = ?, sealed = ?, version = version + 1 WHERE id = ? AND version = ?",
		c.Warned, next, string(c.Outcome), concert.Micros(c.DecidedAt), string(c.DecidedBy), sealed, string(c.ID), c.Version)
	if err == nil && n != 1 {
		err = concert.ErrStale
	}
	return err
}

// complaints are those of a condition, with what was written by hand: nothing of an
// erased item.
func (tx *Tx) complaints(ctx context.Context, where string, args ...any) ([]concert.Complaint, error) {
	type row struct {
		c      concert.Complaint
		sealed []byte
	}
	got, err := list(ctx, tx, func(r rowScanner) (row, error) {
		var w row
		var err error
		w.c, err = scanComplaint(r, &w.sealed)
		return w, err
	}, "SELECT "+complaintCols+", sealed FROM complaint "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("complaints: %w", err)
	}
	out := make([]concert.Complaint, len(got))
	for i, w := range got {
		if err := tx.open(ctx, string(w.c.Item), "complaint", w.sealed, &w.c.ComplaintText); err != nil {
			return nil, err
		}
		out[i] = w.c
	}
	return out, nil
}

// ComplaintsAbout are those about an item of an order or a referral, oldest first.
func (tx *Tx) ComplaintsAbout(ctx context.Context, o concert.OrderID, r concert.ReferralID, item concert.ItemID) ([]concert.Complaint, error) {
	return tx.complaints(ctx, "WHERE order_id = ? AND referral = ? AND item = ? ORDER BY id", string(o), string(r), string(item))
}

// Complaint is one, by its reference.
func (tx *Tx) Complaint(ctx context.Context, ref string) (concert.Complaint, error) {
	cs, err := tx.complaints(ctx, "WHERE ref = ?", ref)
	if err == nil && len(cs) == 0 {
		err = concert.ErrNotFound
	}
	if err != nil {
		return concert.Complaint{}, err
	}
	return cs[0], nil
}

// ComplaintsTo are those to an authority, open ones by their end first, then those that
// were decided, newest first; at most limit.
func (tx *Tx) ComplaintsTo(ctx context.Context, a concert.AuthorityID, limit int) ([]concert.Complaint, error) {
	return tx.complaints(ctx, "WHERE authority = ? ORDER BY CASE WHEN outcome = '' THEN due_at ELSE 9000000000000000000 - decided_at END, id LIMIT ?", string(a), limit)
}

// DueComplaints are those that are to be looked at by the moment, at most limit; on
// PostgreSQL those that no other node has in hand.
func (tx *Tx) DueComplaints(ctx context.Context, now time.Time, limit int) ([]concert.Complaint, error) {
	return tx.complaints(ctx, "WHERE next_at > 0 AND next_at <= ? ORDER BY next_at LIMIT ?"+tx.db.d.skipLocked, concert.Micros(now), limit)
}

// AnyComplaintDue reports whether one is to be looked at by the moment.
func (tx *Tx) AnyComplaintDue(ctx context.Context, now time.Time) (bool, error) {
	var n int
	err := tx.row(ctx, "SELECT count(*) FROM (SELECT 1 FROM complaint WHERE next_at > 0 AND next_at <= ? LIMIT 1) AS d", concert.Micros(now)).Scan(&n)
	return n > 0, err
}

// AddErrorRecord writes a line of the error register; none is ever changed.
func (tx *Tx) AddErrorRecord(ctx context.Context, r concert.ErrorRecord) error {
	tx.touch("error_record")
	_, err := tx.insert(ctx, "error_record", "id, ref, kind, cause, category, authority, provider, at, exercise",
		[][]any{{string(r.ID), r.Ref, string(r.Kind), string(r.Cause), string(r.Category), string(r.Authority), string(r.Provider), concert.Micros(r.At), flag(r.Exercise)}}, "")
	return err
}

// ErrorRecords are the lines of the error register, newest first, at most limit, from
// before a line's id ("" for the newest).
func (tx *Tx) ErrorRecords(ctx context.Context, before concert.ErrorID, limit int) ([]concert.ErrorRecord, error) {
	where, args := "", []any{}
	if before != "" {
		where, args = "WHERE id < ? ", []any{string(before)}
	}
	return list(ctx, tx, func(r rowScanner) (concert.ErrorRecord, error) {
		var e concert.ErrorRecord
		var at int64
		err := r.Scan(&e.ID, &e.Ref, &e.Kind, &e.Cause, &e.Category, &e.Authority, &e.Provider, &at, &e.Exercise)
		e.At = concert.FromMicros(at)
		return e, err
	}, "SELECT id, ref, kind, cause, category, authority, provider, at, exercise FROM error_record "+where+"ORDER BY id DESC LIMIT ?", append(args, limit)...)
}
