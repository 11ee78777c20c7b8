package casework

import (
	"context"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"strconv"
	"time"

	"concert"
	"concert/internal/dispatch"
	"concert/internal/formats"
	"concert/internal/identity"
	"concert/internal/store"
)

// orderRepliesMost bounds the mails that answer replies which one round sends.
const orderRepliesMost = 64

// orderOfMail is the order that a mail of ours brought, or was about; ErrNotFound where
// it was about none.
func (s *Service) orderOfMail(ctx context.Context, tx *store.Tx, sent concert.Mail) (concert.Order, error) {
	parts, err := tx.PostingsOf(ctx, []concert.MailID{sent.ID})
	if err != nil {
		return concert.Order{}, err
	}
	for _, d := range parts[sent.ID] {
		if d.Kind.OfOrder() && d.Kind != concert.NoticeFirstContact {
			return tx.Order(ctx, d.RefRef)
		}
	}
	return concert.Order{}, concert.ErrNotFound
}

// receiveOrderReply takes a person's reply by mail to a removal order. One document of
// Annex II or III that is attached, and sent by the domain of the contact point as its
// DKIM signature shows, is taken by the act by which the interface's is; the sender gets a
// receipt, or which field is wrong. All else goes to a person of the authority. Nothing is
// dropped, and the same mail a second time changes nothing.
func (s *Service) receiveOrderReply(ctx context.Context, o concert.Order, c concert.ContactPoint, tag string, in dispatch.Incoming, m concert.Message) error {
	known := false
	err := s.DB.View(ctx, func(tx *store.Tx) (err error) {
		known, err = tx.KnownOrderReply(ctx, m.Digest)
		return err
	})
	if err != nil || known {
		return err
	}
	r := concert.MailedReply{ID: identity.NewID(), Contact: c.ID, Digest: m.Digest, Sender: m.Sender, Tag: tag, Version: 1, ReplyText: concert.ReplyText{MessageText: m.MessageText}}
	answer, err := s.readOrderReply(o, c, in, m)
	if err == nil {
		by := concert.OrderLink{}.Actor(o.Provider, c.Ref)
		r.Outcome = concert.ReplyAnswered
		for range 8 { // a clock may move the order in the same moment
			err = s.DB.Together(ctx, func(ctx context.Context) error {
				if _, err := s.AnswerOrder(ctx, by, o.Ref, 0, answer); err != nil {
					return err
				}
				return s.recordReply(ctx, o, r)
			})
			if err == nil {
				return nil
			}
			if !errors.Is(err, concert.ErrStale) {
				break
			}
		}
		r.Outcome = concert.ReplyRefused
	} else {
		r.Outcome = concert.ReplyPerson
	}
	var refused *concert.Error
	if !errors.As(err, &refused) || errors.Is(err, concert.ErrStale) || errors.Is(err, concert.ErrNotFound) {
		return fmt.Errorf("a reply to order %s could not be taken now: %v", o.Ref, err) // no refusal: its mail system tries again
	}
	r.Code, r.Field, r.Said = refused.Code, refused.Field, refused.Message
	if errors.Is(err, errNamedField) {
		r.Outcome = concert.ReplyRefused
	}
	return s.recordReply(ctx, o, r)
}

// errNamedField marks a document that was understood as Annex II or III but for a field.
var errNamedField = errors.New("a field of the annex")

// readOrderReply is the answer that a mail brings, or why it brings none.
func (s *Service) readOrderReply(o concert.Order, c concert.ContactPoint, in dispatch.Incoming, m concert.Message) (concert.OrderAnswer, error) {
	var none concert.OrderAnswer
	switch {
	case len(in.Documents) == 0:
		return none, concert.Refuse(concert.Invalid, "mailreply.none", "", "no document of Annex II or Annex III is attached: attach one as JSON, or answer by the link in our mail or with your account")
	case len(in.Documents) > 1:
		return none, concert.Refuse(concert.Invalid, "mailreply.many", "", "%d documents are attached: send one Annex II or III in a mail", len(in.Documents))
	case m.Sender != concert.SenderDKIM || !c.Live():
		return none, concert.Refuse(concert.Forbidden, "mailreply.sender", "", "the mail bears no valid DKIM signature of the domain of your contact point for orders: send it from there, or answer by the link in our mail or with your account")
	}
	f, err := formats.ReadOrderReply(in.Documents[0])
	var refused *concert.Error
	switch {
	case errors.As(err, &refused) && refused.Field != "" && refused.Code != "mailreply.type":
		return none, fmt.Errorf("%w: %w", errNamedField, err)
	case err != nil:
		return none, err
	case f.Order != o.Ref:
		return none, fmt.Errorf("%w: %w", errNamedField, concert.Refuse(concert.Invalid, "mailreply.order", "order", "the document answers order %.40q, and the mail order %s: answer each order by its own mail", f.Order, o.Ref))
	}
	return f.Answer, nil
}

// recordReply keeps a reply with its outcome, has it answered by mail, and tells the
// authority's office where a person is to read it.
func (s *Service) recordReply(ctx context.Context, o concert.Order, r concert.MailedReply) error {
	err := s.DB.Update(ctx, func(tx *store.Tx) error {
		now := s.now()
		n, err := tx.RepliesSince(ctx, o.ID, now.Add(-time.Hour))
		if err != nil {
			return err
		}
		next, e := o.Replied(r, now)
		if n < concert.RepliesAnHour {
			next.NextAt = now
			tx.SetClock(concert.ClockContact, string(r.Contact), now)
		} else {
			next.Evidence = "not answered by mail: too many replies came within the hour"
		}
		tx.Record(e)
		if r.Outcome == concert.ReplyPerson {
			if err := tx.AddOfficeMails(ctx, []concert.OfficeMail{officeMail(o.Authority, concert.OfficeOrderReply, o.Ref, 0, now)}); err != nil {
				return err
			}
			tx.SetClock(concert.ClockOffice, string(o.Authority), now)
		}
		return tx.AddOrderReply(ctx, next)
	})
	if isCode(err, store.CodeExists) {
		return nil // another node was faster with the same mail
	}
	return err
}

// answerReplies sends the contact point the mails that answer its replies to orders, and
// says when the next is due.
func (s *Service) answerReplies(ctx context.Context, c concert.ContactPoint) error {
	var due []concert.MailedReply
	var letters []dispatch.Letter
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		letters = nil
		var err error
		if due, err = tx.DueOrderReplies(ctx, c.ID, s.now(), orderRepliesMost); err != nil {
			return err
		}
		for _, r := range due {
			o, err := tx.Order(ctx, string(r.Order))
			if err != nil {
				return err
			}
			l, err := s.replyLetter(c, o, r)
			if err != nil {
				return err
			}
			letters = append(letters, l)
		}
		return nil
	})
	if err != nil || len(due) == 0 {
		return err
	}
	receipts := s.Mailer.Send(ctx, letters)
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.retryStale(ctx, func(tx *store.Tx) error {
		now := s.now()
		for i, r := range due {
			r.Attempts, r.Evidence, r.NextAt = r.Attempts+1, receipts[i].Evidence, time.Time{}
			if receipts[i].Outcome == dispatch.Accepted {
				r.SentAt = now
			} else if delay, giveUp := dispatch.NextAttempt(r.Attempts, receipts[i], mathrand.Float64()); !giveUp {
				r.NextAt = now.Add(delay)
			} else {
				s.Log.Error("the answer to a reply by mail was given up: its sender was told nothing", "contact", c.Ref, "evidence", r.Evidence)
			}
			if err := tx.SaveOrderReply(ctx, r); err != nil && !errors.Is(err, concert.ErrStale) {
				return err
			}
		}
		return nil
	})
}

// replyLetter is the mail that answers a reply: a receipt, or which field is wrong.
func (s *Service) replyLetter(c concert.ContactPoint, o concert.Order, r concert.MailedReply) (dispatch.Letter, error) {
	n := formats.OrderReplyMail{Lang: formats.NoticeLanguage(c.Languages), Exercise: s.Exercise, Outcome: r.Outcome, Ref: o.Ref, At: r.At, Done: strconv.Itoa(o.Executed), Items: strconv.Itoa(o.Items), Status: string(o.Status), Field: r.Field, Code: r.Code, Said: r.Said, Base: s.BaseURL}
	// Its Message-ID is another one than that of the mail that it goes on from.
	l := dispatch.Letter{Tag: r.Tag, Reference: o.Ref + "." + r.ID[len(r.ID)-12:], To: c.Address, Lang: n.Lang, Date: time.Now(), Urgent: true}
	var err error
	if l.Subject, err = n.Subject(); err != nil {
		return l, err
	}
	l.Text, err = n.Text()
	return l, err
}
