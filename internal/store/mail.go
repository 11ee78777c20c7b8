package store

import (
	"context"
	"fmt"
	"time"

	"concert"
)

// Waiting is a notice that waits for a contact point.
type Waiting struct {
	concert.Posting
	Outgoing
}

const deliveryColsOf = "d.id, d.provider, d.referral, d.referral_ref, d.action, d.kind, d.remedy, d.items, d.author, d.urgent, d.rung, d.attempts, d.next_at, d.evidence, d.position, d.exercise, d.created_at, d.sent_at, d.version"

func scanWaiting(r rowScanner) (Waiting, error) {
	var w Waiting
	var due, next, created, sent int64
	o := &w.Outgoing
	err := r.Scan(&w.Contact, &due, &w.Mail, &o.ID, &o.Provider, &o.Referral, &o.RefRef, &o.Action, &o.Kind, &o.Remedy, &o.Items, &o.Author, &o.Urgent, &o.Rung, &o.Attempts, &next, &o.Evidence, &o.Position, &o.Exercise, &created, &sent, &o.Version)
	w.Posting.Delivery, w.DueAt = o.ID, concert.FromMicros(due)
	o.NextAt, o.CreatedAt, o.SentAt = concert.FromMicros(next), concert.FromMicros(created), concert.FromMicros(sent)
	return w, err
}

const waitingFrom = "SELECT p.contact, p.due_at, p.mail, " + deliveryColsOf + " FROM posting p JOIN delivery d ON d.id = p.delivery WHERE "

// AddPosting puts a notice on its way to a contact point, or on another way.
func (tx *Tx) AddPosting(ctx context.Context, p concert.Posting) error {
	_, err := tx.insert(ctx, "posting", "delivery, contact, due_at, mail", [][]any{{string(p.Delivery), string(p.Contact), concert.Micros(p.DueAt), string(p.Mail)}},
		"ON CONFLICT (delivery) DO UPDATE SET contact = excluded.contact, due_at = excluded.due_at, mail = excluded.mail")
	return err
}

// DuePostings are the notices that wait for a contact point, urgent ones and
// those that wait longest first.
func (tx *Tx) DuePostings(ctx context.Context, c concert.ContactPointID, now time.Time, limit int) ([]Waiting, error) {
	return list(ctx, tx, scanWaiting, waitingFrom+"p.contact = ? AND p.due_at > 0 AND p.due_at <= ? ORDER BY d.urgent DESC, p.due_at, p.delivery LIMIT ?", string(c), concert.Micros(now), limit)
}

// PostingsOf are the notices that mails carry, by mail.
func (tx *Tx) PostingsOf(ctx context.Context, mails []concert.MailID) (map[concert.MailID][]Waiting, error) {
	got, err := in(ctx, tx, scanWaiting, waitingFrom+"p.mail IN (%s) ORDER BY p.delivery", anys(strs(mails)))
	if err != nil {
		return nil, fmt.Errorf("notices of mails: %w", err)
	}
	out := map[concert.MailID][]Waiting{}
	for _, w := range got {
		out[w.Mail] = append(out[w.Mail], w)
	}
	return out, nil
}

// NextForContact is when something is next to be done for a contact point; zero
// when nothing waits.
func (tx *Tx) NextForContact(ctx context.Context, c concert.ContactPointID) (time.Time, error) {
	var posting, mail int64
	if err := tx.row(ctx, "SELECT coalesce(min(due_at), 0) FROM posting WHERE contact = ? AND due_at > 0", string(c)).Scan(&posting); err != nil {
		return time.Time{}, err
	}
	if err := tx.row(ctx, "SELECT coalesce(min(next_at), 0) FROM mail_out WHERE contact = ? AND next_at > 0", string(c)).Scan(&mail); err != nil {
		return time.Time{}, err
	}
	if posting == 0 || mail > 0 && mail < posting {
		posting = mail
	}
	return concert.FromMicros(posting), nil
}

// Stranded are a provider's notices that nothing pushes and nobody is known to
// have seen: queued without a way, or failed.
func (tx *Tx) Stranded(ctx context.Context, p concert.ProviderID, limit int) ([]Outgoing, error) {
	return list(ctx, tx, scanDelivery, "SELECT "+deliveryColsOf+" FROM delivery d WHERE d.provider = ? AND d.rung IN (?, ?) AND d.next_at = 0 AND NOT EXISTS (SELECT 1 FROM posting p LEFT JOIN mail_out m ON m.id = p.mail WHERE p.delivery = d.id AND (p.due_at > 0 OR m.next_at > 0)) ORDER BY d.id LIMIT ?",
		string(p), string(concert.RungQueued), string(concert.RungFailed), limit)
}

const mailCols = "id, tag, contact, items, form, urgent, rung, attempts, next_at, evidence, exercise, created_at, sent_at, version"

func scanMail(r rowScanner) (concert.Mail, error) {
	var m concert.Mail
	var next, created, sent int64
	err := r.Scan(&m.ID, &m.Tag, &m.Contact, &m.Items, &m.Form, &m.Urgent, &m.Rung, &m.Attempts, &next, &m.Evidence, &m.Exercise, &created, &sent, &m.Version)
	m.NextAt, m.CreatedAt, m.SentAt = concert.FromMicros(next), concert.FromMicros(created), concert.FromMicros(sent)
	return m, err
}

// AddMails writes new mails.
func (tx *Tx) AddMails(ctx context.Context, ms []concert.Mail) error {
	rows := make([][]any, len(ms))
	for i, m := range ms {
		rows[i] = []any{string(m.ID), m.Tag, string(m.Contact), m.Items, string(m.Form), flag(m.Urgent), string(m.Rung), m.Attempts, concert.Micros(m.NextAt), m.Evidence, flag(m.Exercise), concert.Micros(m.CreatedAt), 0, 1}
	}
	_, err := tx.insert(ctx, "mail_out", mailCols, rows, "")
	return err
}

// SaveMails writes mails back.
func (tx *Tx) SaveMails(ctx context.Context, ms []concert.Mail) error {
	if len(ms) == 0 {
		return nil
	}
	rows := make([][]any, len(ms))
	for i, m := range ms {
		rows[i] = []any{string(m.ID), m.Version, string(m.Rung), m.Attempts, concert.Micros(m.NextAt), m.Evidence, concert.Micros(m.SentAt)}
	}
	return tx.update(ctx, "mail_out", []typed{{"rung", "TEXT"}, {"attempts", "BIGINT"}, {"next_at", "BIGINT"}, {"evidence", "TEXT"}, {"sent_at", "BIGINT"}}, rows)
}

// DueMails are the mails to a contact point that are to be tried now.
func (tx *Tx) DueMails(ctx context.Context, c concert.ContactPointID, now time.Time, limit int) ([]concert.Mail, error) {
	return list(ctx, tx, scanMail, "SELECT "+mailCols+" FROM mail_out WHERE contact = ? AND next_at > 0 AND next_at <= ? ORDER BY urgent DESC, next_at, id LIMIT ?", string(c), concert.Micros(now), limit)
}

// MailsByID are the mails with the ids.
func (tx *Tx) MailsByID(ctx context.Context, ids []concert.MailID) ([]concert.Mail, error) {
	return in(ctx, tx, scanMail, "SELECT "+mailCols+" FROM mail_out WHERE id IN (%s)", anys(strs(ids)))
}

// OpenMails are the mails to a contact point whose sending is not over.
func (tx *Tx) OpenMails(ctx context.Context, c concert.ContactPointID, limit int) ([]concert.Mail, error) {
	return list(ctx, tx, scanMail, "SELECT "+mailCols+" FROM mail_out WHERE contact = ? AND next_at > 0 ORDER BY id LIMIT ?", string(c), limit)
}

// MailByTag is the mail that an address of ours names.
func (tx *Tx) MailByTag(ctx context.Context, tag string) (concert.Mail, error) {
	return scanMail(tx.row(ctx, "SELECT "+mailCols+" FROM mail_out WHERE tag = ?", tag))
}

const linkCols = "id, digest, referral, contact, created_at, expires_at, opened_at, finished_at, revoked_at, version"

func scanLink(r rowScanner) (concert.AnswerLink, error) {
	var l concert.AnswerLink
	var digest []byte
	var created, expires, opened, finished, revoked int64
	err := r.Scan(&l.ID, &digest, &l.Referral, &l.Contact, &created, &expires, &opened, &finished, &revoked, &l.Version)
	copy(l.Digest[:], digest)
	l.CreatedAt, l.ExpiresAt, l.OpenedAt = concert.FromMicros(created), concert.FromMicros(expires), concert.FromMicros(opened)
	l.FinishedAt, l.RevokedAt = concert.FromMicros(finished), concert.FromMicros(revoked)
	return l, err
}

// AddLink writes a new answer link.
func (tx *Tx) AddLink(ctx context.Context, l concert.AnswerLink) error {
	_, err := tx.insert(ctx, "answer_link", linkCols, [][]any{{string(l.ID), l.Digest[:], string(l.Referral), string(l.Contact), concert.Micros(l.CreatedAt), concert.Micros(l.ExpiresAt), 0, 0, 0, 1}}, "")
	return err
}

// SaveLink writes a link back.
func (tx *Tx) SaveLink(ctx context.Context, l concert.AnswerLink) error {
	return tx.update(ctx, "answer_link", []typed{{"opened_at", "BIGINT"}, {"finished_at", "BIGINT"}, {"revoked_at", "BIGINT"}},
		[][]any{{string(l.ID), l.Version, concert.Micros(l.OpenedAt), concert.Micros(l.FinishedAt), concert.Micros(l.RevokedAt)}})
}

// LinkByDigest is the link of a token.
func (tx *Tx) LinkByDigest(ctx context.Context, digest [32]byte) (concert.AnswerLink, error) {
	return scanLink(tx.row(ctx, "SELECT "+linkCols+" FROM answer_link WHERE digest = ?", digest[:]))
}

// Links are a referral's answer links, oldest first.
func (tx *Tx) Links(ctx context.Context, r concert.ReferralID) ([]concert.AnswerLink, error) {
	return list(ctx, tx, scanLink, "SELECT "+linkCols+" FROM answer_link WHERE referral = ? ORDER BY id", string(r))
}

const messageCols = "id, digest, mail, contact, referral, item, kind, code, sender, sealed, at"

// AddMessage writes what came in; the same mail a second time changes nothing
// (fresh is false). Its text is sealed under the item's key, else the
// referral's, else the contact point's.
func (tx *Tx) AddMessage(ctx context.Context, m concert.Message) (fresh bool, err error) {
	tx.touch("message")
	sealed, err := tx.seal(ctx, messageSubject(m), "message", m.MessageText)
	if err != nil {
		return false, err
	}
	n, err := tx.insert(ctx, "message", messageCols, [][]any{{string(m.ID), m.Digest[:], string(m.Mail), string(m.Contact), string(m.Referral), string(m.Item), string(m.Kind), m.Code, string(m.Sender), sealed, concert.Micros(m.At)}},
		"ON CONFLICT (digest) DO NOTHING")
	return n > 0, err
}

// messageSubject is under whose key a message lies.
func messageSubject(m concert.Message) string {
	switch {
	case m.Item != "":
		return string(m.Item)
	case m.Referral != "":
		return string(m.Referral)
	}
	return string(m.Contact)
}

// KnownMessage reports whether a message with the digest came in before.
func (tx *Tx) KnownMessage(ctx context.Context, digest [32]byte) (bool, error) {
	var n int
	err := tx.row(ctx, "SELECT count(*) FROM message WHERE digest = ?", digest[:]).Scan(&n)
	return n > 0, err
}

// Messages are what came in about a referral, oldest first.
func (tx *Tx) Messages(ctx context.Context, r concert.ReferralID) ([]concert.Message, error) {
	return tx.messages(ctx, "referral = ? ORDER BY id LIMIT 500", string(r))
}

// MessagesFrom are the last messages from a contact point, newest first.
func (tx *Tx) MessagesFrom(ctx context.Context, c concert.ContactPointID, limit int) ([]concert.Message, error) {
	return tx.messages(ctx, "contact = ? ORDER BY id DESC LIMIT ?", string(c), limit)
}

func (tx *Tx) messages(ctx context.Context, where string, args ...any) ([]concert.Message, error) {
	type row struct {
		m      concert.Message
		sealed []byte
	}
	got, err := list(ctx, tx, func(r rowScanner) (row, error) {
		var w row
		var digest []byte
		var at int64
		err := r.Scan(&w.m.ID, &digest, &w.m.Mail, &w.m.Contact, &w.m.Referral, &w.m.Item, &w.m.Kind, &w.m.Code, &w.m.Sender, &w.sealed, &at)
		copy(w.m.Digest[:], digest)
		w.m.At = concert.FromMicros(at)
		return w, err
	}, "SELECT "+messageCols+" FROM message WHERE "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("messages: %w", err)
	}
	out := make([]concert.Message, len(got))
	for i, w := range got {
		if err := tx.open(ctx, messageSubject(w.m), "message", w.sealed, &w.m.MessageText); err != nil {
			return nil, err
		}
		out[i] = w.m
	}
	return out, nil
}

// eraseMessages takes the text of what came in about an item, about its referral
// as a whole, and in answer to a mail that carried the referral: any of them may
// quote it. The digest of a Message-ID stays, so that it is not taken twice.
func (tx *Tx) eraseMessages(ctx context.Context, item concert.ItemID, referral concert.ReferralID) error {
	if _, err := tx.exec(ctx, "UPDATE message SET sealed = NULL WHERE item = ? AND sealed IS NOT NULL", string(item)); err != nil {
		return fmt.Errorf("erase messages: %w", err)
	}
	if referral == "" {
		return nil
	}
	if _, err := tx.exec(ctx, "UPDATE message SET sealed = NULL WHERE referral = ? AND item = '' AND sealed IS NOT NULL", string(referral)); err != nil {
		return fmt.Errorf("erase messages: %w", err)
	}
	_, err := tx.exec(ctx, "UPDATE message SET sealed = NULL WHERE mail <> '' AND sealed IS NOT NULL AND mail IN (SELECT p.mail FROM posting p JOIN delivery d ON d.id = p.delivery WHERE d.referral = ? AND p.mail <> '')", string(referral))
	if err != nil {
		return fmt.Errorf("erase messages: %w", err)
	}
	return nil
}
