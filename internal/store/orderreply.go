package store

import (
	"context"
	"fmt"
	"time"

	"concert"
)

const (
	orderReplyCols   = "id, order_id, contact, digest, sender, outcome, code, field, at, tag, attempts, next_at, sent_at, evidence, version"
	sealedOrderReply = "order.reply"
)

// AddOrderReply writes a reply by mail to an order. The same mail a second time is
// CodeExists.
func (tx *Tx) AddOrderReply(ctx context.Context, r concert.MailedReply) error {
	tx.touch("order_reply")
	sealed, err := tx.seal(ctx, string(r.Order), sealedOrderReply, r.ReplyText)
	if err != nil {
		return err
	}
	_, err = tx.insert(ctx, "order_reply", orderReplyCols+", sealed", [][]any{{r.ID, string(r.Order), string(r.Contact), r.Digest[:], string(r.Sender), string(r.Outcome), r.Code, r.Field, concert.Micros(r.At), r.Tag, r.Attempts,
		concert.Micros(r.NextAt), concert.Micros(r.SentAt), r.Evidence, 1, sealed}}, "")
	return err
}

func (tx *Tx) orderReplies(ctx context.Context, rest string, args ...any) ([]concert.MailedReply, error) {
	type row struct {
		r      concert.MailedReply
		sealed []byte
	}
	got, err := list(ctx, tx, func(s rowScanner) (row, error) {
		var w row
		var digest []byte
		var at, next, sent int64
		err := s.Scan(&w.r.ID, &w.r.Order, &w.r.Contact, &digest, &w.r.Sender, &w.r.Outcome, &w.r.Code, &w.r.Field, &at, &w.r.Tag, &w.r.Attempts, &next, &sent, &w.r.Evidence, &w.r.Version, &w.sealed)
		copy(w.r.Digest[:], digest)
		w.r.At, w.r.NextAt, w.r.SentAt = concert.FromMicros(at), concert.FromMicros(next), concert.FromMicros(sent)
		return w, err
	}, "SELECT "+orderReplyCols+", sealed FROM order_reply "+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("replies to an order: %w", err)
	}
	out := make([]concert.MailedReply, len(got))
	for i, w := range got {
		if err := tx.open(ctx, string(w.r.Order), sealedOrderReply, w.sealed, &w.r.ReplyText); err != nil {
			return nil, err
		}
		out[i] = w.r
	}
	return out, nil
}

// OrderReplies are the replies by mail to an order, oldest first.
func (tx *Tx) OrderReplies(ctx context.Context, id concert.OrderID) ([]concert.MailedReply, error) {
	return tx.orderReplies(ctx, "WHERE order_id = ? ORDER BY id", string(id))
}

// KnownOrderReply reports whether this mail came in before.
func (tx *Tx) KnownOrderReply(ctx context.Context, digest [32]byte) (bool, error) {
	var n int
	err := tx.row(ctx, "SELECT count(*) FROM order_reply WHERE digest = ?", digest[:]).Scan(&n)
	return n > 0, err
}

// RepliesSince are how many replies to the order came in since the moment.
func (tx *Tx) RepliesSince(ctx context.Context, id concert.OrderID, since time.Time) (int, error) {
	var n int
	err := tx.row(ctx, "SELECT count(*) FROM order_reply WHERE order_id = ? AND at >= ?", string(id), concert.Micros(since)).Scan(&n)
	return n, err
}

// DueOrderReplies are those of a contact point that are to be answered by mail now.
func (tx *Tx) DueOrderReplies(ctx context.Context, c concert.ContactPointID, now time.Time, limit int) ([]concert.MailedReply, error) {
	return tx.orderReplies(ctx, "WHERE contact = ? AND next_at > 0 AND next_at <= ? ORDER BY next_at, id LIMIT ?", string(c), concert.Micros(now), limit)
}

// NextOrderReply is when the next of a contact point's replies is to be answered; zero
// for none.
func (tx *Tx) NextOrderReply(ctx context.Context, c concert.ContactPointID) (time.Time, error) {
	var next int64
	err := tx.row(ctx, "SELECT coalesce(min(next_at), 0) FROM order_reply WHERE contact = ? AND next_at > 0", string(c)).Scan(&next)
	return concert.FromMicros(next), err
}

// SaveOrderReply writes how far the mail that answers a reply came: no case data.
func (tx *Tx) SaveOrderReply(ctx context.Context, r concert.MailedReply) error {
	n, err := tx.exec(ctx, "UPDATE order_reply SET attempts = ?, next_at = ?, sent_at = ?, evidence = ?, version = version + 1 WHERE id = ? AND version = ?", r.Attempts, concert.Micros(r.NextAt), concert.Micros(r.SentAt), r.Evidence, r.ID, r.Version)
	if err == nil && n != 1 {
		err = concert.ErrStale
	}
	return err
}
