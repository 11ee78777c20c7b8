package store

import (
	"context"
	"time"

	"concert"
)

const orderLinkCols = "id, digest, order_id, contact, created_at, expires_at, opened_at, version"

func scanOrderLink(r rowScanner) (concert.OrderLink, error) {
	var l concert.OrderLink
	var digest []byte
	var created, expires, opened int64
	err := r.Scan(&l.ID, &digest, &l.Order, &l.Contact, &created, &expires, &opened, &l.Version)
	copy(l.Digest[:], digest)
	l.CreatedAt, l.ExpiresAt, l.OpenedAt = concert.FromMicros(created), concert.FromMicros(expires), concert.FromMicros(opened)
	return l, err
}

// AddOrderLink writes a new link to an order.
func (tx *Tx) AddOrderLink(ctx context.Context, l concert.OrderLink) error {
	_, err := tx.insert(ctx, "order_link", orderLinkCols, [][]any{{string(l.ID), l.Digest[:], string(l.Order), string(l.Contact), concert.Micros(l.CreatedAt), concert.Micros(l.ExpiresAt), 0, 1}}, "")
	return err
}

// SaveOrderLink writes a link back.
func (tx *Tx) SaveOrderLink(ctx context.Context, l concert.OrderLink) error {
	return tx.update(ctx, "order_link", []typed{{"opened_at", "BIGINT"}}, [][]any{{string(l.ID), l.Version, concert.Micros(l.OpenedAt)}})
}

// OrderLinkByDigest is the link of a token.
func (tx *Tx) OrderLinkByDigest(ctx context.Context, digest [32]byte) (concert.OrderLink, error) {
	return scanOrderLink(tx.row(ctx, "SELECT "+orderLinkCols+" FROM order_link WHERE digest = ?", digest[:]))
}

// OrderLinks are the links to an order for a contact point, oldest first.
func (tx *Tx) OrderLinks(ctx context.Context, o concert.OrderID, c concert.ContactPointID) ([]concert.OrderLink, error) {
	return list(ctx, tx, scanOrderLink, "SELECT "+orderLinkCols+" FROM order_link WHERE order_id = ? AND contact = ? ORDER BY id", string(o), string(c))
}

const officeMailCols = "id, tag, authority, kind, ref, minutes, attempts, next_at, evidence, created_at, sent_at, version"

func scanOfficeMail(r rowScanner) (concert.OfficeMail, error) {
	var m concert.OfficeMail
	var next, created, sent int64
	err := r.Scan(&m.ID, &m.Tag, &m.Authority, &m.Kind, &m.Ref, &m.Minutes, &m.Attempts, &next, &m.Evidence, &created, &sent, &m.Version)
	m.NextAt, m.CreatedAt, m.SentAt = concert.FromMicros(next), concert.FromMicros(created), concert.FromMicros(sent)
	return m, err
}

// AddOfficeMails writes mails to offices of authorities.
func (tx *Tx) AddOfficeMails(ctx context.Context, ms []concert.OfficeMail) error {
	rows := make([][]any, len(ms))
	for i, m := range ms {
		rows[i] = []any{string(m.ID), m.Tag, string(m.Authority), string(m.Kind), m.Ref, m.Minutes, m.Attempts, concert.Micros(m.NextAt), m.Evidence, concert.Micros(m.CreatedAt), 0, 1}
	}
	_, err := tx.insert(ctx, "office_mail", officeMailCols, rows, "")
	return err
}

// DueOfficeMails are those to an authority's office that are to be sent now.
func (tx *Tx) DueOfficeMails(ctx context.Context, a concert.AuthorityID, now time.Time, limit int) ([]concert.OfficeMail, error) {
	return list(ctx, tx, scanOfficeMail, "SELECT "+officeMailCols+" FROM office_mail WHERE authority = ? AND next_at > 0 AND next_at <= ? ORDER BY next_at, id LIMIT ?", string(a), concert.Micros(now), limit)
}

// NextOfficeMail is when the next mail to an authority's office is to be tried; zero
// when none waits.
func (tx *Tx) NextOfficeMail(ctx context.Context, a concert.AuthorityID) (time.Time, error) {
	var at int64
	err := tx.row(ctx, "SELECT coalesce(min(next_at), 0) FROM office_mail WHERE authority = ? AND next_at > 0", string(a)).Scan(&at)
	return concert.FromMicros(at), err
}

// SaveOfficeMails writes mails to offices back.
func (tx *Tx) SaveOfficeMails(ctx context.Context, ms []concert.OfficeMail) error {
	rows := make([][]any, len(ms))
	for i, m := range ms {
		rows[i] = []any{string(m.ID), m.Version, m.Attempts, concert.Micros(m.NextAt), m.Evidence, concert.Micros(m.SentAt)}
	}
	return tx.update(ctx, "office_mail", []typed{{"attempts", "BIGINT"}, {"next_at", "BIGINT"}, {"evidence", "TEXT"}, {"sent_at", "BIGINT"}}, rows)
}
