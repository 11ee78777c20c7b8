package casework

import (
	"context"
	"crypto/sha256"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"concert"
	"concert/internal/dispatch"
	"concert/internal/identity"
	"concert/internal/store"
)

// KnowMailbox refuses an address that takes no mail here: before a byte of the
// message is read.
func (s *Service) KnowMailbox(ctx context.Context, address string) error {
	unknown := concert.Refuse(concert.NotFound, "mail.unknown", "", "no such mailbox here")
	if s.Mailer == nil {
		return unknown
	}
	tag, ok := s.Mailer.Mailbox(address)
	if !ok {
		return unknown
	}
	if tag == "" {
		return nil // the mail it answers is found in its references
	}
	return s.DB.View(ctx, func(tx *store.Tx) error {
		_, err := tx.MailByTag(ctx, tag)
		if errors.Is(err, concert.ErrNotFound) {
			return unknown
		}
		return err
	})
}

var referralToken = regexp.MustCompile(`(?i)\bRF-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{5}\b`)

// ReceiveMail takes a mail that came to one of our addresses: reports move notices
// on their ladder, a bounce demotes the contact point, a person's reply becomes a
// note. Nothing that comes by mail answers or closes anything, but for Annex II or III
// on a removal order (receiveOrderReply). The same mail a second time changes nothing.
func (s *Service) ReceiveMail(ctx context.Context, address string, raw []byte) (concert.Message, error) {
	var m concert.Message
	if s.Mailer == nil {
		return m, concert.ErrNotFound
	}
	in, err := dispatch.ParseMail(raw)
	if err != nil {
		return m, concert.Refuse(concert.Invalid, "mail.unreadable", "", "%v", err)
	}
	tag := s.tagOf(address, in)
	if tag == "" {
		return m, concert.Refuse(concert.NotFound, "mail.unknown", "", "this answers no mail of ours: reply to the mail itself, so that its reference comes along")
	}
	// The signature is checked before the transaction: it asks the net for keys.
	var sent concert.Mail
	var c concert.ContactPoint
	var o concert.Order // that the mail was about; the zero one where it was about none
	err = s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		if sent, err = tx.MailByTag(ctx, tag); err != nil {
			return err
		}
		if c, err = tx.ContactPoint(ctx, string(sent.Contact)); err != nil {
			return err
		}
		if o, err = s.orderOfMail(ctx, tx, sent); errors.Is(err, concert.ErrNotFound) {
			return nil
		}
		return err
	})
	if err != nil {
		return m, err
	}
	m = concert.Message{ID: concert.MessageID(identity.NewID()), Digest: messageDigest(tag, in, raw), Mail: sent.ID, Contact: c.ID, Kind: in.Kind, Code: in.Code, Sender: concert.SenderUnverified,
		MessageText: concert.MessageText{From: in.From, Subject: in.Subject, Text: in.Text, Dropped: in.Dropped}}
	if in.Kind == concert.MessageReply && dispatch.SignedBy(raw, in, c.Address, s.MailKeys) {
		m.Sender = concert.SenderDKIM
	}
	if o.ID != "" && m.Kind == concert.MessageReply {
		return m, s.receiveOrderReply(ctx, o, c, tag, in, m)
	}
	return m, s.retryStale(ctx, func(tx *store.Tx) error { return s.receive(ctx, tx, tag, in, m) })
}

// tagOf is the mail that what came in is about: by its address, else by what it
// says it answers.
func (s *Service) tagOf(address string, in dispatch.Incoming) string {
	if tag, ok := s.Mailer.Mailbox(address); ok && tag != "" {
		return tag
	}
	for _, id := range in.Refers {
		if tag, ok := s.Mailer.TagIn(id); ok {
			return tag
		}
	}
	return ""
}

// messageDigest is what makes a mail the same one: its Message-ID, or all of it
// where it has none. It says nothing of who sent it.
func messageDigest(tag string, in dispatch.Incoming, raw []byte) [32]byte {
	if in.MessageID != "" {
		return sha256.Sum256([]byte("mail\x00" + tag + "\x00" + in.MessageID))
	}
	return sha256.Sum256(append([]byte("mail\x00"+tag+"\x00\x00"), raw...))
}

func (s *Service) receive(ctx context.Context, tx *store.Tx, tag string, in dispatch.Incoming, m concert.Message) error {
	known, err := tx.KnownMessage(ctx, m.Digest)
	if err != nil || known {
		return err
	}
	sent, err := tx.MailByTag(ctx, tag)
	if err != nil {
		return err
	}
	parts, err := tx.PostingsOf(ctx, []concert.MailID{sent.ID})
	if err != nil {
		return err
	}
	about := aboutReferral(parts[sent.ID], in)
	m.Referral = about.Referral
	now := s.now()
	next, e, err := m.Received(about.RefRef, now)
	if err != nil {
		return err
	}
	tx.Record(e)
	if _, err := tx.AddMessage(ctx, next); err != nil {
		return err
	}
	if err := s.heard(ctx, tx, next); err != nil {
		return err
	}
	switch {
	case m.Kind == concert.MessageBounced:
		return s.bounced(ctx, tx, sent, parts[sent.ID], in.Code, now)
	case m.Kind.Rung() != "":
		return s.climbMail(ctx, tx, sent, parts[sent.ID], m, now)
	case m.Kind == concert.MessageDelayed:
		sent.Evidence = "delayed, as its mail system reports: " + in.Code
		return tx.SaveMails(ctx, []concert.Mail{sent})
	}
	return nil
}

// aboutReferral is the referral that a message is about: the mail's only one, or
// the one whose reference the subject or the text names, of those that the mail
// carried. None of them where that is not clear.
func aboutReferral(ds []store.Waiting, in dispatch.Incoming) store.Outgoing {
	named := map[string]bool{}
	for _, t := range referralToken.FindAllString(in.Subject+" "+in.Text, 20) {
		named[strings.ToUpper(t)] = true
	}
	var found []store.Outgoing
	for _, d := range ds {
		if d.Referral != "" && (len(ds) == 1 || named[d.RefRef]) {
			found = append(found, d.Outgoing)
		}
	}
	if len(found) != 1 {
		return store.Outgoing{}
	}
	return found[0]
}

// climbMail moves the notices of a mail up to the rung that a report proves.
func (s *Service) climbMail(ctx context.Context, tx *store.Tx, sent concert.Mail, ds []store.Waiting, m concert.Message, now time.Time) error {
	evidence := "its mail system reports: " + string(m.Kind) + " " + m.Code
	var saved []store.Outgoing
	for _, d := range ds {
		next, e, up := d.Climbed(m.Kind.Rung(), evidence, now)
		if up {
			tx.Record(e)
			d.Outgoing.Delivery = next
			saved = append(saved, d.Outgoing)
		}
	}
	if err := tx.SaveDeliveries(ctx, saved); err != nil {
		return err
	}
	for _, d := range saved {
		if err := s.reached(ctx, tx, d); err != nil {
			return err
		}
	}
	c, err := tx.ContactPoint(ctx, string(sent.Contact))
	if err != nil {
		return err
	}
	c.SuccessAt = now
	if err := tx.SaveContactPoint(ctx, c); err != nil {
		return err
	}
	sent.Rung, sent.NextAt, sent.Evidence = m.Kind.Rung(), time.Time{}, evidence
	return tx.SaveMails(ctx, []concert.Mail{sent})
}

// bounced notes that a mail came back: its notices take another way, and its
// contact point is out of use until a person restores it.
func (s *Service) bounced(ctx context.Context, tx *store.Tx, sent concert.Mail, ds []store.Waiting, code string, now time.Time) error {
	if sent.Rung == concert.RungFailed || sent.Rung == concert.RungDelivered {
		return nil // told before, or contradicted by an earlier report
	}
	evidence := "came back: " + code
	var saved []store.Outgoing
	for _, d := range ds {
		next, e, down := fallen(d.Outgoing, evidence, now)
		if down {
			tx.Record(e)
			saved = append(saved, next)
		}
	}
	if err := tx.SaveDeliveries(ctx, saved); err != nil {
		return err
	}
	sent.Rung, sent.NextAt, sent.Evidence = concert.RungFailed, time.Time{}, evidence
	if err := tx.SaveMails(ctx, []concert.Mail{sent}); err != nil {
		return err
	}
	c, err := tx.ContactPoint(ctx, string(sent.Contact))
	if err != nil {
		return err
	}
	return s.settleContact(ctx, tx, c, code, []concert.Mail{sent}, now)
}

// messagesAbout are what came in about an item: about it alone, or about its
// referral as a whole.
func messagesAbout(ctx context.Context, tx *store.Tx, it concert.Item) ([]concert.Message, error) {
	if it.Referral == "" {
		return nil, nil
	}
	all, err := tx.Messages(ctx, it.Referral)
	return slices.DeleteFunc(all, func(m concert.Message) bool { return m.Item != "" && m.Item != it.ID }), err
}
