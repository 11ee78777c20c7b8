package casework

import (
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"time"

	"concert"
	"concert/internal/dispatch"
	"concert/internal/identity"
	"concert/internal/store"
)

const (
	// composeMost bounds the notices that one act puts into mails, mailMost the
	// mails that one round sends.
	composeMost = 256
	mailMost    = 64
	// mailerMissing is how long a node that cannot send mail waits before it looks
	// whether another one did.
	mailerMissing = 5 * time.Minute
)

// deliverContact sends a contact point what waits for it. Sending happens outside
// any transaction; a mail keeps its Message-ID over all attempts, so that a crash
// after sending shows as a double that mail programs know.
func (s *Service) deliverContact(ctx context.Context, j concert.DeliverContact) error {
	for {
		if held, err := s.heldBack(ctx, concert.ClockContact, string(j.Contact)); err != nil || held {
			return err
		}
		var c concert.ContactPoint
		err := s.DB.View(ctx, func(tx *store.Tx) error {
			var err error
			c, err = tx.ContactPoint(ctx, string(j.Contact))
			return err
		})
		if err != nil {
			return err
		}
		more := false
		switch {
		case !c.Live():
			return s.retryStale(ctx, func(tx *store.Tx) error { return s.rerouteAll(ctx, tx, c) })
		case c.Channel == concert.ChannelWebhook:
			more, err = s.hookContact(ctx, c)
		case c.Channel == concert.ChannelMail && s.Mailer != nil:
			if err = s.answerReplies(ctx, c); err == nil {
				more, err = s.mailContact(ctx, c)
			}
		case c.Channel == concert.ChannelMail:
			s.Log.Warn("mail waits: this node has no relay to send through (see docs/mail.md)", "contact", c.Ref)
			return s.DB.Update(ctx, func(tx *store.Tx) error {
				tx.SetClock(concert.ClockContact, string(c.ID), s.now().Add(mailerMissing))
				return nil
			})
		default:
			return nil
		}
		if err != nil {
			return err
		}
		if !more {
			return s.nextForContact(ctx, c.ID)
		}
	}
}

// nextForContact sets the clock for what waits for a later attempt, hour or
// morning.
func (s *Service) nextForContact(ctx context.Context, id concert.ContactPointID) error {
	var next time.Time
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		if next, err = tx.NextForContact(ctx, id); err != nil {
			return err
		}
		reply, err := tx.NextOrderReply(ctx, id)
		if !reply.IsZero() && (next.IsZero() || reply.Before(next)) {
			next = reply
		}
		return err
	})
	if err != nil || next.IsZero() {
		return err
	}
	return s.DB.Update(ctx, func(tx *store.Tx) error {
		tx.SetClock(concert.ClockContact, string(id), next)
		return nil
	})
}

// allowed are the notices that may go to the contact point now; the others are put
// off to its morning or its next hour. What the provider knows already is not sent.
func (s *Service) allowed(ctx context.Context, tx *store.Tx, c concert.ContactPoint, due []store.Waiting, now time.Time) ([]store.Waiting, error) {
	w := contactWindow(c)
	open := w.Open(now)
	out := due[:0]
	for _, d := range due {
		switch {
		case asked(d.Outgoing) && (d.Rung == concert.RungOpened || d.Rung == concert.RungAcknowledged):
			d.DueAt = time.Time{}
		case !d.MayGo(open, d.Urgent):
			d.DueAt = w.NextOpen(now)
		default:
			out = append(out, d)
			continue
		}
		if err := tx.AddPosting(ctx, d.Posting); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// mailContact puts what is due into mails and sends what mails are due.
func (s *Service) mailContact(ctx context.Context, c concert.ContactPoint) (more bool, err error) {
	composed := 0
	if err := s.retryStale(ctx, func(tx *store.Tx) error {
		composed = 0
		n, err := s.compose(ctx, tx, c.ID)
		composed = n
		return err
	}); err != nil {
		return false, err
	}
	var mails []concert.Mail
	var notices []mailing
	err = s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		if mails, err = tx.DueMails(ctx, c.ID, s.now(), mailMost); err != nil || len(mails) == 0 {
			return err
		}
		notices, err = s.mailNotices(ctx, tx, c, mails)
		return err
	})
	if err != nil || len(mails) == 0 {
		return false, err
	}
	if err := s.attachOrders(ctx, notices); err != nil {
		return false, err
	}
	letters, err := s.letters(c, mails, notices)
	if err != nil {
		return false, err
	}
	var going []dispatch.Letter
	for _, l := range letters {
		if l.To != "" {
			going = append(going, l)
		}
	}
	sent := s.Mailer.Send(ctx, going)
	if err := ctx.Err(); err != nil {
		return false, err
	}
	receipts := map[concert.MailID]dispatch.Receipt{}
	for i, k := 0, 0; i < len(mails); i++ {
		if letters[i].To != "" {
			receipts[mails[i].ID] = sent[k]
			k++
		}
	}
	if err := s.recordMail(ctx, c.ID, mails, receipts); err != nil {
		return false, err
	}
	return composed == composeMost || len(mails) == mailMost, nil
}

// compose puts notices that are due and allowed into mails: each into its own, or
// as many as fit into one digest, within the hour's bounds.
func (s *Service) compose(ctx context.Context, tx *store.Tx, id concert.ContactPointID) (seen int, err error) {
	c, err := tx.ContactPoint(ctx, string(id))
	if err != nil {
		return 0, err
	}
	now := s.now()
	due, err := tx.DuePostings(ctx, id, now, composeMost)
	if err != nil || len(due) == 0 {
		return 0, err
	}
	seen = len(due)
	if due, err = s.allowed(ctx, tx, c, due, now); err != nil {
		return 0, err
	}
	c = c.Hour(now)
	var mails []concert.Mail
	for len(due) > 0 {
		group := due[:1]
		items := due[0].Items
		// An order is a message of its own, and none among referrals (G01).
		form := c.Form
		if due[0].Kind.OfOrder() {
			form = concert.MailSingle
		}
		if form == concert.MailDigest {
			for len(group) < len(due) && items+due[len(group)].Items <= concert.DigestItems && !due[len(group)].Kind.OfOrder() {
				items += due[len(group)].Items
				group = due[:len(group)+1]
			}
		}
		// A threat to life waits for no bound.
		if !group[0].Urgent && !c.Takes(items) {
			if err := putOff(ctx, tx, due, c.HourStart.Add(time.Hour)); err != nil {
				return 0, err
			}
			break
		}
		due = due[len(group):]
		c.HourItems, c.HourMessages = c.HourItems+items, c.HourMessages+1
		var tag [10]byte
		rand.Read(tag[:])
		m := concert.Mail{ID: concert.MailID(identity.NewID()), Tag: dispatch.MailTag(tag), Contact: c.ID, Items: items, Form: form, Urgent: group[0].Urgent, Rung: concert.RungQueued, NextAt: now, CreatedAt: now, Exercise: s.Exercise, Version: 1}
		mails = append(mails, m)
		for _, d := range group {
			if err := s.ensureLinks(ctx, tx, d.Outgoing, c.ID, now); err != nil {
				return 0, err
			}
			if err := tx.AddPosting(ctx, concert.Posting{Delivery: d.ID, Contact: c.ID, Mail: m.ID}); err != nil {
				return 0, err
			}
		}
	}
	if err := tx.AddMails(ctx, mails); err != nil {
		return 0, err
	}
	return seen, tx.SaveContactPoint(ctx, c)
}

func putOff(ctx context.Context, tx *store.Tx, due []store.Waiting, to time.Time) error {
	for _, d := range due {
		d.DueAt = to
		if err := tx.AddPosting(ctx, d.Posting); err != nil {
			return err
		}
	}
	return nil
}

// recordMail writes what came of each mail; a recipient that the relay refused
// for good demotes the contact point.
func (s *Service) recordMail(ctx context.Context, id concert.ContactPointID, tried []concert.Mail, receipts map[concert.MailID]dispatch.Receipt) error {
	ids := make([]concert.MailID, len(tried))
	for i, m := range tried {
		ids[i] = m.ID
	}
	return s.retryStale(ctx, func(tx *store.Tx) error {
		now := s.now()
		mails, err := tx.MailsByID(ctx, ids)
		if err != nil {
			return err
		}
		parts, err := tx.PostingsOf(ctx, ids)
		if err != nil {
			return err
		}
		c, err := tx.ContactPoint(ctx, string(id))
		if err != nil {
			return err
		}
		bounce := ""
		var saved []store.Outgoing
		for i, m := range mails {
			r, ok := receipts[m.ID]
			if !ok {
				mails[i].NextAt, mails[i].Evidence = time.Time{}, "not sent: nothing is left to say, all of it was withdrawn or erased"
				continue
			}
			mails[i] = mailAfter(m, r, now)
			if r.Outcome == dispatch.Accepted {
				c.SuccessAt = now
			} else {
				c.TroubleAt, c.Trouble = now, string(r.Outcome)
			}
			if r.Outcome == dispatch.Bounced {
				if bounce = dispatch.EnhancedCode(r.Err); bounce == "" {
					bounce = fmt.Sprint(r.Status)
				}
			}
			for _, d := range parts[m.ID] {
				next, events := afterMail(d.Outgoing, mails[i], r, now)
				tx.Record(events...)
				saved = append(saved, next)
			}
		}
		if err := tx.SaveMails(ctx, mails); err != nil {
			return err
		}
		if err := tx.SaveDeliveries(ctx, saved); err != nil {
			return err
		}
		return s.settleContact(ctx, tx, c, bounce, mails, now)
	})
}

// mailAfter is the mail after an attempt.
func mailAfter(m concert.Mail, r dispatch.Receipt, now time.Time) concert.Mail {
	m.Attempts++
	m.Evidence = r.Evidence
	if m.SentAt.IsZero() {
		m.SentAt = now
	}
	if r.Outcome == dispatch.Accepted {
		m.Rung, m.NextAt = concert.RungAccepted, time.Time{}
		return m
	}
	m.Rung = concert.RungSent
	delay, giveUp := dispatch.NextAttempt(m.Attempts, r, mathrand.Float64())
	m.NextAt = now.Add(delay)
	if giveUp {
		m.Rung, m.NextAt = concert.RungFailed, time.Time{}
	}
	return m
}

// afterMail is a notice after an attempt on the mail that carries it.
func afterMail(d store.Outgoing, m concert.Mail, r dispatch.Receipt, now time.Time) (store.Outgoing, []concert.Event) {
	var events []concert.Event
	d.Attempts = m.Attempts
	if d.SentAt.IsZero() {
		d.SentAt = now
	}
	climb := func(to concert.Rung) {
		next, e, up := d.Climbed(to, r.Evidence, now)
		if up {
			events = append(events, e)
		}
		d.Delivery = next
	}
	climb(concert.RungSent)
	switch {
	case r.Outcome == dispatch.Accepted && d.Kind.OfOrder():
		// Our relay took it, which proves no receipt (Art. 3(5)): what the
		// addressee's mail system reports does, or a person who opens the link.
		d.Evidence = r.Evidence
	case r.Outcome == dispatch.Accepted:
		climb(concert.RungAccepted)
	case m.Rung == concert.RungFailed:
		next, e, down := fallen(d, r.Evidence, now)
		if down {
			events = append(events, e)
		}
		d = next
	default:
		d.Evidence = r.Evidence
	}
	return d, events
}

// fallen is a notice whose mail came back or was never taken: it failed, unless
// the provider is known to have read it.
func fallen(d store.Outgoing, evidence string, now time.Time) (store.Outgoing, concert.Event, bool) {
	if d.Rung == concert.RungOpened || d.Rung == concert.RungAcknowledged || d.Rung == concert.RungFailed {
		return d, concert.Event{}, false
	}
	d.Rung, d.Evidence = concert.RungFailed, evidence
	return d, concert.NewEvent(concert.EventDeliveryMoved, concert.House, string(d.ID), now, concert.DeliveryBody{Referral: d.RefRef, Provider: d.Provider, Action: d.Action, Kind: d.Kind, Rung: concert.RungFailed, Attempt: d.Attempts, Evidence: evidence}), true
}

// settleContact saves the contact point, and where a mail failed for good, sends
// its notices another way; a bounce demotes it and raises the alarm, and so does
// a schedule that ended, so that nothing is lost in silence.
func (s *Service) settleContact(ctx context.Context, tx *store.Tx, c concert.ContactPoint, bounce string, mails []concert.Mail, now time.Time) error {
	var failed []concert.MailID
	for _, m := range mails {
		if m.Rung == concert.RungFailed {
			failed = append(failed, m.ID)
		}
	}
	if bounce == "" && len(failed) > 0 {
		bounce = "schedule-ended"
	}
	fresh := false
	if bounce != "" {
		next, e, demoted := c.Demoted(bounce, now)
		c, fresh = next, demoted
		if demoted {
			tx.Record(e)
		}
	}
	if err := tx.SaveContactPoint(ctx, c); err != nil || bounce == "" {
		return err
	}
	if fresh {
		alarm := c.Bounced(now)
		alarm.ID = concert.AlarmID(identity.NewID())
		if err := tx.AddAlarm(ctx, alarm); err != nil {
			return err
		}
	}
	parts, err := tx.PostingsOf(ctx, failed)
	if err != nil {
		return err
	}
	var back []store.Waiting
	for _, id := range failed {
		for _, d := range parts[id] {
			if d.Rung != concert.RungOpened && d.Rung != concert.RungAcknowledged {
				back = append(back, d)
			}
		}
	}
	if err := s.reroute(ctx, tx, back, c, now); err != nil {
		return err
	}
	return s.rerouteAll(ctx, tx, c)
}
