package casework

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"concert"
	"concert/api"
	"concert/internal/identity"
	"concert/internal/store"
	"concert/law"
	"concert/order"
)

// pullOrders takes in what is new among the orders that the hub has for us. Its list is
// by newest change, so that a page without news is the last.
func (s *Service) pullOrders(ctx context.Context, c *api.Client, h *concert.Hub) error {
	q := api.OrderQuery{Limit: 200}
	for range hubPages {
		page, err := c.Orders(ctx, q)
		if err != nil {
			return err
		}
		news := false
		for _, o := range page.Items {
			fresh, err := s.pullOrder(ctx, c, h, o)
			var refused *api.Problem
			if errors.As(err, &refused) && refused.Status < 500 {
				s.Log.Warn("a hub does not give an order", "hub", h.Origin, "order", o.ID, "code", refused.Code)
				continue
			}
			if err != nil {
				return err
			}
			news = news || fresh
		}
		if !news || page.Next == "" {
			return nil
		}
		q.Cursor = page.Next
	}
	return nil
}

// gone reports whether an order that stands so at the hub binds no more.
func gone(status string) bool {
	return status == string(concert.OrderWithdrawn) || status == string(concert.OrderVoid)
}

func (s *Service) pullOrder(ctx context.Context, c *api.Client, h *concert.Hub, o api.OrderSummary) (news bool, err error) {
	var have concert.Received
	err = s.DB.View(ctx, func(tx *store.Tx) (err error) {
		have, err = tx.ReceivedFrom(ctx, h.ID, concert.ReceivedOrder, o.ID)
		return err
	})
	switch {
	case err == nil && have.TheirVersion >= o.Version:
		return false, nil
	case err == nil:
		return true, s.followOrder(ctx, c, have, o)
	case !errors.Is(err, concert.ErrNotFound):
		return false, err
	case gone(o.Status):
		return false, nil // it never reached us, and binds nobody
	}
	var file bytes.Buffer
	if err := c.OrderFile(ctx, o.ID, &file); err != nil {
		return false, err
	}
	r, items, err := s.judged(ctx, c, h, o.ID, file.Bytes())
	if err != nil {
		return false, err
	}
	r.TheirVersion, r.Exercise = o.Version, r.Exercise || o.Exercise
	done := o.Status == string(concert.OrderExecuted) || o.Status == string(concert.OrderFinal)
	return true, s.takeIn(ctx, r, items, file.Bytes(), done)
}

// judged checks an order's file against the register that the provider pinned, never one
// that came along. A newer edition under the same root is asked for where it fails.
func (s *Service) judged(ctx context.Context, c *api.Client, h *concert.Hub, theirs string, file []byte) (concert.Received, []concert.ReceivedItem, error) {
	r := concert.Received{ID: concert.ReceivedID(identity.NewID()), Ref: identity.NewReference("RC"), Hub: h.ID, Kind: concert.ReceivedOrder, Theirs: theirs, Version: 1}
	trust, err := order.ReadTrust(h.Trust)
	if err != nil {
		return r, nil, err
	}
	check := func() order.Verdict {
		v := order.Verify(file, trust.Register(file), order.Options{Addressee: h.Addressee, Now: s.now()})
		if v.Outcome == order.Valid && v.Ref != theirs {
			v.Outcome, v.Code = order.Invalid, "order.reference"
			v.Sentence = fmt.Sprintf("invalid (ref): the hub calls this order %.60q and the order itself %.60q: an order that is sent again under another name starts no hour", theirs, v.Ref)
		}
		return v
	}
	v := check()
	if v.Outcome != order.Valid {
		raw, err := hubRegister(ctx, c)
		if err != nil {
			return r, nil, err
		}
		if _, err := trust.Pin("", raw, false, s.now()); err == nil {
			if h.Trust, err = trust.Marshal(); err != nil {
				return r, nil, err
			}
			v = check()
		}
	}
	r.Verdict = string(v.Outcome)
	r.ReceivedText = concert.ReceivedText{Sentence: v.Sentence, Code: v.Code}
	if v.Outcome == order.Invalid {
		return r, nil, nil // nothing of what it says is to be acted on
	}
	p := v.Order
	r.Exercise, r.Items = p.Exercise, len(p.Places)
	r.Author, r.Country, r.Statement, r.FileNo, r.IssuedAt, r.Digest = p.Authority.Name, p.IssuingState, p.Statement, p.Authority.FileNo, p.IssuedAt, v.Digest
	if p.NonDisclosure != nil {
		r.Silent = p.NonDisclosure.Until
	}
	items := make([]concert.ReceivedItem, len(p.Places))
	for i, place := range p.Places {
		items[i] = concert.ReceivedItem{Received: r.ID, Pos: i, Ref: place.Ref, Place: concert.ReceivedPlace{Location: place.Location, Additional: place.Additional, Reasons: p.Reasons, Language: p.Language}}
	}
	return r, items, nil
}

// takeIn keeps what came, once, and starts the hour of an order that is valid. done is
// one that was answered by another way before it came here.
func (s *Service) takeIn(ctx context.Context, r concert.Received, items []concert.ReceivedItem, original []byte, done bool) error {
	return s.retryStale(ctx, func(tx *store.Tx) error {
		if _, err := tx.ReceivedFrom(ctx, r.Hub, r.Kind, r.Theirs); !errors.Is(err, concert.ErrNotFound) {
			return err // it came by the other way a moment ago
		}
		now := s.now()
		next, e := r.Taken(now)
		if done && next.Status == concert.ReceivedOpen {
			next.Status, next.Done, next.AnsweredAt = concert.ReceivedAnswered, next.Items, now
		}
		tx.Record(e)
		if err := tx.AddReceived(ctx, next, items, original); err != nil {
			return err
		}
		if next.Status != concert.ReceivedOpen || next.Kind != concert.ReceivedOrder {
			return nil
		}
		return s.startHour(ctx, tx, next, now)
	})
}

// startHour starts the hour of an order at the moment at which it is here (Art. 3(3)). An
// issuer's clock may be ahead of ours by what the check allows.
func (s *Service) startHour(ctx context.Context, tx *store.Tx, r concert.Received, now time.Time) error {
	issued, err := concert.ParseTime(r.IssuedAt)
	if err != nil {
		return fmt.Errorf("%s: %w", r.Ref, err)
	}
	from := concert.TermStart{At: now, Evidence: "fetched from the hub as " + r.Theirs, Issued: issued}
	if now.Before(issued) {
		from.At = issued
	}
	d, err := s.receivedTerm(ctx, tx, string(r.ID), concert.TermRemoval, from)
	if err != nil {
		return err
	}
	return s.putReceivedDeadline(ctx, tx, d)
}

// receivedTerm begins a term by the calendar of the host's own state, or by one without
// holidays where the law's data does not know that state.
func (s *Service) receivedTerm(ctx context.Context, tx *store.Tx, subject string, key concert.TermKey, from concert.TermStart) (concert.Deadline, error) {
	t, cal, err := s.receivedLaw(ctx, tx, key)
	if err != nil {
		return concert.Deadline{}, err
	}
	return concert.Begin(concert.OrderID(subject), t, from, cal)
}

func (s *Service) receivedLaw(ctx context.Context, tx *store.Tx, key concert.TermKey) (concert.Term, concert.Calendar, error) {
	book, err := law.Read()
	if err != nil {
		return concert.Term{}, concert.Calendar{}, err
	}
	t, err := book.Term(key)
	if err != nil {
		return t, concert.Calendar{}, err
	}
	hosts, err := tx.Providers(ctx)
	if err != nil || len(hosts) == 0 {
		return t, concert.Calendar{}, err
	}
	cal, err := book.Calendar(hosts[0].Country)
	if e := (*concert.Error)(nil); errors.As(err, &e) {
		return t, concert.Calendar{}, nil
	}
	return t, cal, err
}

// followOrder takes in what became of an order at the hub: it was taken back, or our
// Annex III was answered.
func (s *Service) followOrder(ctx context.Context, c *api.Client, have concert.Received, o api.OrderSummary) error {
	ends := gone(o.Status) && have.Status != concert.ReceivedEnded
	clarified := o.Status == string(concert.OrderClarified) && have.Status == concert.ReceivedImpeded
	if !ends && !clarified {
		return s.DB.Update(ctx, func(tx *store.Tx) error { return tx.SawReceived(ctx, have.ID, o.Version) })
	}
	full, err := c.Order(ctx, o.ID)
	if err != nil {
		return err
	}
	return s.retryStale(ctx, func(tx *store.Tx) error {
		r, err := tx.Received(ctx, string(have.ID))
		if err != nil {
			return err
		}
		r.TheirVersion = o.Version
		var next concert.Received
		var e concert.Event
		rule := func(d concert.Deadline) (concert.Deadline, error) { return d.Voided("the order is " + o.Status) }
		if ends {
			next, e, err = r.Over(full.Ended, s.now())
		} else {
			next, e, err = r.Resumed(concert.House, full.Answer, s.now())
			rule = s.resumedHour(ctx, tx, r, "clarification received")
		}
		if err != nil {
			return err
		}
		tx.Record(e)
		if err := tx.SaveReceived(ctx, next, nil); err != nil {
			return err
		}
		return s.changeHour(ctx, tx, r, rule)
	})
}

// resumedHour lets the hour run anew.
func (s *Service) resumedHour(ctx context.Context, tx *store.Tx, r concert.Received, evidence string) func(concert.Deadline) (concert.Deadline, error) {
	return func(d concert.Deadline) (concert.Deadline, error) {
		t, cal, err := s.receivedLaw(ctx, tx, concert.TermRemoval)
		if err != nil {
			return d, err
		}
		for _, why := range d.Grounds() {
			if d, err = d.Resumed(t, why, concert.TermStart{At: s.now(), Evidence: evidence + " for " + r.Ref}, cal); err != nil {
				return d, err
			}
		}
		return d, nil
	}
}

// changeHour lets a rule change the hour of an order, where it has one that can still
// change.
func (s *Service) changeHour(ctx context.Context, tx *store.Tx, r concert.Received, rule func(concert.Deadline) (concert.Deadline, error)) error {
	d, err := tx.ReceivedDeadline(ctx, string(r.ID), concert.TermRemoval)
	if errors.Is(err, concert.ErrNotFound) || err == nil && (d.State == concert.DeadlineMet || d.State == concert.DeadlineVoid) {
		return nil
	}
	if err != nil {
		return err
	}
	next, err := rule(d)
	if err != nil {
		return err
	}
	next.Version = d.Version
	return s.putReceivedDeadline(ctx, tx, next)
}

// pullInbox takes in the referrals that the hub's inbox tells of.
func (s *Service) pullInbox(ctx context.Context, c *api.Client, h *concert.Hub) error {
	const page = 100
	for range hubPages {
		box, err := c.Inbox(ctx, h.Cursor, page)
		if err != nil {
			return err
		}
		for _, e := range box.Entries {
			switch e.Type {
			case concert.NoticeTypes[concert.NoticeReferral], concert.NoticeTypes[concert.NoticeSandbox], concert.NoticeTypes[concert.NoticeWithdrawal], concert.NoticeTypes[concert.NoticeCorrection]:
				var refused *api.Problem
				if err := s.pullReferral(ctx, c, *h, e.Referral); errors.As(err, &refused) && refused.Status < 500 {
					s.Log.Warn("a hub does not give a referral", "hub", h.Origin, "referral", e.Referral, "code", refused.Code)
				} else if err != nil {
					return err
				}
			}
		}
		if box.Cursor != "" && box.Cursor != h.Cursor {
			h.Cursor = box.Cursor
			if err := s.DB.Update(ctx, func(tx *store.Tx) error { return tx.SawHub(ctx, *h) }); err != nil {
				return err
			}
		}
		if len(box.Entries) < page {
			return nil
		}
	}
	return nil
}

func (s *Service) pullReferral(ctx context.Context, c *api.Client, h concert.Hub, ref string) error {
	got, err := c.Referral(ctx, ref)
	if err != nil {
		return err
	}
	var have concert.Received
	err = s.DB.View(ctx, func(tx *store.Tx) (err error) {
		have, err = tx.ReceivedFrom(ctx, h.ID, concert.ReceivedReferral, ref)
		return err
	})
	if err == nil {
		return s.followReferral(ctx, have, got)
	}
	if !errors.Is(err, concert.ErrNotFound) {
		return err
	}
	original, err := json.Marshal(got)
	if err != nil {
		return err
	}
	r := concert.Received{ID: concert.ReceivedID(identity.NewID()), Ref: identity.NewReference("RC"), Hub: h.ID, Kind: concert.ReceivedReferral, Theirs: ref, TheirVersion: got.Version, Items: len(got.Items), Exercise: got.Exercise, Version: 1}
	r.Verdict, r.ReceivedText = referralVerdict(h, got)
	items := make([]concert.ReceivedItem, len(got.Items))
	for i, it := range got.Items {
		items[i] = concert.ReceivedItem{Received: r.ID, Pos: i, Ref: it.Ref, Place: referredPlace(it)}
	}
	return s.takeIn(ctx, r, items, original, false)
}

func referredPlace(it api.ReferralItem) concert.ReceivedPlace {
	return concert.ReceivedPlace{Location: it.Location, Type: it.Type, Reasons: []concert.ContentType{it.ContentType}, Language: it.Language, Facts: it.Facts, Reason: it.Reason, Withdrawn: it.Withdrawn}
}

// followReferral takes in that items were withdrawn or put right.
func (s *Service) followReferral(ctx context.Context, have concert.Received, got api.Referral) error {
	return s.retryStale(ctx, func(tx *store.Tx) error {
		r, err := tx.Received(ctx, string(have.ID))
		if err != nil {
			return err
		}
		items, err := tx.ReceivedItems(ctx, r.ID)
		if err != nil {
			return err
		}
		r.TheirVersion = got.Version
		var changed []concert.ReceivedItem
		left := 0
		for _, it := range items {
			i := slices.IndexFunc(got.Items, func(g api.ReferralItem) bool { return g.Ref == it.Ref })
			if i < 0 {
				continue
			}
			if !got.Items[i].Withdrawn {
				left++
			}
			if got.Items[i].Withdrawn != it.Place.Withdrawn {
				it.Place.Withdrawn = got.Items[i].Withdrawn
				changed = append(changed, it)
			}
		}
		if len(changed) == 0 || left > 0 || r.Status == concert.ReceivedEnded {
			if len(changed) == 0 {
				return tx.SawReceived(ctx, r.ID, got.Version)
			}
			tx.Record(r.Amended(len(changed), s.now()))
			return tx.SaveReceived(ctx, r, changed)
		}
		next, e, err := r.Over("every item of it was withdrawn", s.now())
		if err != nil {
			return err
		}
		tx.Record(e)
		return tx.SaveReceived(ctx, next, changed)
	})
}

// referralVerdict says whose signatures a referral bears. It gates nothing: a referral is
// voluntary, whoever sent it.
func referralVerdict(h concert.Hub, got api.Referral) (string, concert.ReceivedText) {
	text := concert.ReceivedText{Author: got.Author}
	bad := func(code, format string, args ...any) (string, concert.ReceivedText) {
		text.Code, text.Sentence = code, fmt.Sprintf(format, args...)
		return string(order.Invalid), text
	}
	if got.Envelope == nil {
		return bad("referral.unsigned", "the hub has no signed original of it any more: an item of it was erased")
	}
	var p concert.ReferralPayload
	if err := json.Unmarshal(got.Envelope.Payload, &p); err != nil || p.Type != "referral" || p.Ref != got.ID || got.Envelope.PayloadType != concert.ReferralPayloadType {
		return bad("referral.payload", "what is signed is not the referral %s", got.ID)
	}
	text.Author, text.Country, text.IssuedAt = p.Author.Name, p.Author.Country, p.SentAt
	trust, err := order.ReadTrust(h.Trust)
	if err != nil || len(trust.Pins()) == 0 {
		return bad("referral.register", "the register that you pinned cannot be read: end the hub and add it again")
	}
	edition := trust.Pins()[0].Register.Edition()
	for _, a := range edition.Authorities {
		for _, k := range a.Keys {
			if k.KeyID != p.Author.KeyID {
				continue
			}
			if err := got.Envelope.Verify("author", k.Public); err != nil {
				return bad("referral.forged", "its author's signature does not hold: it is not what %s signed", a.Name)
			}
			text.Sentence = "signed by " + a.Name + ", whose key stands in the register that you pinned"
			return string(order.Valid), text
		}
	}
	for _, pub := range edition.Transports {
		if concert.KeyID(pub) == p.Author.KeyID && got.Envelope.Verify("author", pub) == nil {
			text.Sentence = "signed by the hub itself, which made it up for trying things out"
			return string(order.Valid), text
		}
	}
	var keys api.Keys
	if err := json.Unmarshal(h.Keys, &keys); err == nil {
		for _, k := range keys.Keys {
			pub, err := base64.StdEncoding.DecodeString(k.PublicKey)
			if k.Role == "author" && k.KeyID == p.Author.KeyID && err == nil && got.Envelope.Verify("author", pub) == nil {
				text.Sentence = "its signature holds by a key for which the hub alone vouches: no register that you pinned has it"
				return string(order.AuthorityUnknown), text
			}
		}
	}
	return bad("referral.unknown", "nobody whom you pinned vouches for the key %.40s that signed it", p.Author.KeyID)
}
