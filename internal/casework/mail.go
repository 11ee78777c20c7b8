package casework

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	mathrand "math/rand/v2"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"concert"
	"concert/internal/dispatch"
	"concert/internal/formats"
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
			more, err = s.mailContact(ctx, c)
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
		next, err = tx.NextForContact(ctx, id)
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
	var notices []*formats.Notice
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
		if c.Form == concert.MailDigest {
			for len(group) < len(due) && items+due[len(group)].Items <= concert.DigestItems {
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
		m := concert.Mail{ID: concert.MailID(identity.NewID()), Tag: dispatch.MailTag(tag), Contact: c.ID, Items: items, Form: c.Form, Urgent: group[0].Urgent, Rung: concert.RungQueued, NextAt: now, CreatedAt: now, Exercise: s.Exercise, Version: 1}
		mails = append(mails, m)
		for _, d := range group {
			if err := s.ensureLink(ctx, tx, d.Outgoing, c.ID, now); err != nil {
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

// mailNotices are what the mails say.
func (s *Service) mailNotices(ctx context.Context, tx *store.Tx, c concert.ContactPoint, mails []concert.Mail) ([]*formats.Notice, error) {
	ids := make([]concert.MailID, len(mails))
	for i, m := range mails {
		ids[i] = m.ID
	}
	parts, err := tx.PostingsOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	p, err := tx.Provider(ctx, string(c.Provider))
	if err != nil {
		return nil, err
	}
	out := make([]*formats.Notice, len(mails))
	for i, m := range mails {
		if out[i], err = s.mailNotice(ctx, tx, p, c, m, parts[m.ID]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// letters are the mails as they are sent, drawn and written on every processor
// and outside any transaction; one whose notices have nothing left to say has no
// recipient.
func (s *Service) letters(c concert.ContactPoint, mails []concert.Mail, notices []*formats.Notice) ([]dispatch.Letter, error) {
	out := make([]dispatch.Letter, len(mails))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, n := range notices {
		if len(n.Parts) == 0 {
			continue
		}
		g.Go(func() error {
			var err error
			out[i], err = s.letter(c, mails[i], n)
			return err
		})
	}
	return out, g.Wait()
}

// mailNotice gathers what the mail says, as it stands now: an item that was
// withdrawn or erased while its notice waited is not in it.
func (s *Service) mailNotice(ctx context.Context, tx *store.Tx, p concert.Provider, c concert.ContactPoint, m concert.Mail, ds []store.Waiting) (*formats.Notice, error) {
	n := &formats.Notice{Lang: formats.NoticeLanguage(c.Languages), Digest: m.Form == concert.MailDigest, Exercise: s.Exercise, Provider: p.Name, Sender: s.Origin, Base: s.BaseURL, Keys: s.BaseURL + "/api/v1/keys",
		Reply: s.Mailer.Reply(m.Tag), SentAt: m.CreatedAt}
	for _, d := range ds {
		part, err := s.noticePart(ctx, tx, c, d.Outgoing)
		if err != nil {
			return nil, err
		}
		if len(part.Payload.Items) > 0 || part.Patterns != nil {
			n.Parts = append(n.Parts, part)
			n.Token = d.RefRef
		}
	}
	if n.Digest {
		n.Token = "MD-" + m.Tag
	}
	return n, nil
}

func (s *Service) noticePart(ctx context.Context, tx *store.Tx, c concert.ContactPoint, d store.Outgoing) (formats.NoticePart, error) {
	part := formats.NoticePart{Kind: d.Kind, Remedy: d.Remedy, Urgent: d.Urgent}
	if isSandbox(d.RefRef) {
		v, err := s.sandboxView(ctx, tx, d.Provider, d.RefRef)
		if err != nil {
			return part, err
		}
		part.Payload = v.Payload
		part.Signed, err = json.Marshal(v.Signed)
		return part, err
	}
	if d.Kind == concert.NoticePatterns {
		return patternsPart(ctx, tx, part, d)
	}
	o, err := tx.Original(ctx, d.Referral)
	if err != nil || len(o.Payload) == 0 {
		return part, err
	}
	if err := json.Unmarshal(o.Payload, &part.Payload); err != nil {
		return part, fmt.Errorf("payload of %s: %w", d.RefRef, err)
	}
	if o.Erased == 0 {
		if part.Signed, err = json.Marshal(o.Signed); err != nil {
			return part, fmt.Errorf("original of %s: %w", d.RefRef, err)
		}
	}
	items, err := tx.ReferralItems(ctx, d.Referral)
	if err != nil {
		return part, err
	}
	about, reason, err := noticeAbout(ctx, tx, d, items)
	if err != nil {
		return part, err
	}
	part.Reason = reason
	kept := part.Payload.Items[:0:0]
	for _, it := range part.Payload.Items {
		if about[it.Ref] {
			kept = append(kept, it)
		}
	}
	part.Payload.Items = kept
	if asked(d) && len(kept) > 0 {
		part.Link, part.Expires, err = s.linkFor(ctx, tx, d.Referral, c.ID)
	}
	return part, err
}

// patternsPart is a note on patterns of abuse as the lead of its action sends it.
func patternsPart(ctx context.Context, tx *store.Tx, part formats.NoticePart, d store.Outgoing) (formats.NoticePart, error) {
	n, err := tx.PatternNote(ctx, d.RefRef)
	if err != nil {
		return part, err
	}
	a, err := tx.Action(ctx, string(n.Action))
	if err != nil {
		return part, err
	}
	lead, err := tx.Authority(ctx, string(a.Lead))
	part.Patterns, part.Action = &n.Patterns, a.Name
	part.Payload = concert.ReferralPayload{Ref: n.Ref, Author: concert.PayloadParty{Name: lead.Name, Country: lead.Country, Unit: lead.Unit}, SentAt: n.ReleasedAt.UTC().Format(time.RFC3339)}
	return part, err
}

// noticeAbout are the items, by reference, that a notice is about now, and the
// reason of a remedy.
func noticeAbout(ctx context.Context, tx *store.Tx, d store.Outgoing, items []concert.Item) (map[string]bool, string, error) {
	about := map[string]bool{}
	ids := make([]concert.ItemID, 0, len(items))
	for _, it := range items {
		ids = append(ids, it.ID)
		waits := it.ErasedAt.IsZero() && it.Status != concert.ItemWithdrawn
		if d.Kind == concert.NoticeReminder {
			waits = waits && it.Silent() && it.Status != concert.ItemRefused && it.Status != concert.ItemClosed
		}
		about[it.Ref] = waits
	}
	if asked(d) {
		return about, "", nil
	}
	if d.Kind == concert.NoticeQuestion {
		return questionAbout(ctx, tx, d, items, about)
	}
	clear(about)
	remedies, err := tx.Remedies(ctx, ids)
	if err != nil {
		return nil, "", err
	}
	for _, it := range items {
		for _, m := range remedies[it.ID] {
			if m.Ref == d.Remedy && it.ErasedAt.IsZero() {
				return map[string]bool{it.Ref: true}, m.Reason, nil
			}
		}
	}
	return about, "", nil
}

// questionAbout is what an authority wrote in the referral's thread, and the items
// that it is about: all that stand where it names none.
func questionAbout(ctx context.Context, tx *store.Tx, d store.Outgoing, items []concert.Item, standing map[string]bool) (map[string]bool, string, error) {
	qs, err := tx.Questions(ctx, d.Referral)
	if err != nil {
		return nil, "", err
	}
	i := slices.IndexFunc(qs, func(q concert.Question) bool { return q.Ref == d.Remedy })
	if i < 0 || qs[i].Erased {
		return nil, "", nil
	}
	if qs[i].Item == "" {
		return standing, qs[i].Text, nil
	}
	for _, it := range items {
		if it.ID == qs[i].Item {
			return map[string]bool{it.Ref: standing[it.Ref]}, qs[i].Text, nil
		}
	}
	return nil, "", nil
}

// letter puts the notice into its text and its attachments.
func (s *Service) letter(c concert.ContactPoint, m concert.Mail, n *formats.Notice) (dispatch.Letter, error) {
	l := dispatch.Letter{Tag: m.Tag, Reference: n.Token, To: c.Address, Lang: n.Lang, Date: time.Now(), Urgent: m.Urgent}
	if n.Digest {
		l.Reference = "digest"
	}
	var err error
	if l.Subject, err = n.Subject(); err != nil {
		return l, err
	}
	if l.Text, err = n.Text(); err != nil {
		return l, err
	}
	pdf, err := formats.WritePDF(n)
	if err != nil {
		return l, err
	}
	xarf, err := formats.WriteXARF(n)
	if err != nil {
		return l, err
	}
	report := dispatch.LetterFile{Name: "xarf.json", Type: "application/json", Data: xarf}
	if n.Items() > 1 {
		report.Name, report.Type = "xarf.ndjson", "application/x-ndjson"
	}
	l.Files = append(l.Files, dispatch.LetterFile{Name: n.Token + ".pdf", Type: "application/pdf", Data: pdf})
	if len(xarf) > 0 {
		l.Files = append(l.Files, report)
	}
	if n.Digest {
		csv, err := formats.WriteDigestCSV(n)
		if err != nil {
			return l, err
		}
		l.Files = append(l.Files, dispatch.LetterFile{Name: "digest.csv", Type: "text/csv; charset=utf-8", Data: csv},
			dispatch.LetterFile{Name: "digest.csv.sig", Type: "text/plain; charset=us-ascii", Data: s.detached(csv)})
	}
	if signed := originals(n); len(signed) > 0 {
		f := dispatch.LetterFile{Name: n.Token + ".signed.json", Type: "application/json", Data: signed}
		if len(n.Parts) > 1 {
			f.Name, f.Type = "signed.ndjson", "application/x-ndjson"
		}
		l.Files = append(l.Files, f)
	}
	return l, nil
}

// originals are the signed originals, one a line, each referral once.
func originals(n *formats.Notice) []byte {
	var out []byte
	seen := map[string]bool{}
	for _, p := range n.Parts {
		if p.Kind != concert.NoticeQuestion && p.Signed != nil && !seen[p.Payload.Ref] {
			seen[p.Payload.Ref] = true
			out = append(append(out, p.Signed...), '\n')
		}
	}
	return out
}

// detached is a signature file over the bytes: the transport's key, since the
// digest as a whole is nobody's judgement (docs/mail.md says how to verify it).
func (s *Service) detached(data []byte) []byte {
	sum := sha256.Sum256(data)
	return fmt.Appendf(nil, "keyid: %s\nsha256: %s\ned25519: %s\n", concert.KeyID(s.TransportKey()), hex.EncodeToString(sum[:]), base64.StdEncoding.EncodeToString(ed25519.Sign(s.Transport, data)))
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
