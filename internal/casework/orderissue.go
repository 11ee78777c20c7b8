package casework

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
	"concert/law"
	"concert/order"
)

// ApproveOrder is the second person's word. Where nothing stands in its way the order
// is issued at the same moment; a provider that never had one of this authority is told
// of procedures and deadlines first, and the order waits for twelve hours (Art. 3(2);
// G10).
func (s *Service) ApproveOrder(ctx context.Context, by concert.Actor, ref string, version int64) (concert.Order, error) {
	if err := proven(by, concert.PowerIssue); err != nil {
		return concert.Order{}, err
	}
	out, err := s.changeOrder(ctx, by, ref, version, func(tx *store.Tx, o concert.Order) (concert.Order, error) {
		office, _, err := tx.Office(ctx, o.Authority)
		if err != nil {
			return o, err
		}
		o, e, err := o.Approved(by, office, s.now())
		if err != nil {
			return o, err
		}
		tx.Record(e)
		f, err := s.orderFacts(ctx, tx, o)
		if err != nil {
			return o, err
		}
		if !o.Emergency && f.First.NoticedAt.IsZero() && f.First.IssuedAt.IsZero() {
			return s.noticeFirst(ctx, tx, by, o, f)
		}
		if !o.Emergency && !f.First.Over(s.now()) {
			next, e, err := o.Noticed(by, f.First, s.now())
			if err != nil {
				return o, err
			}
			tx.Record(e)
			return next, tx.SaveOrder(ctx, next)
		}
		return s.issue(ctx, tx, by, o, f)
	})
	return out, s.held(ctx, ref, err)
}

// IssueOrder issues an approved order whose twelve hours are over.
func (s *Service) IssueOrder(ctx context.Context, by concert.Actor, ref string, version int64) (concert.Order, error) {
	if err := proven(by, concert.PowerIssue); err != nil {
		return concert.Order{}, err
	}
	out, err := s.changeOrder(ctx, by, ref, version, func(tx *store.Tx, o concert.Order) (concert.Order, error) {
		if !o.Mine(by) {
			return o, concert.ErrNotFound
		}
		if err := by.Need(concert.RoleIssuer); err != nil {
			return o, err
		}
		f, err := s.orderFacts(ctx, tx, o)
		if err != nil {
			return o, err
		}
		return s.issue(ctx, tx, by, o, f)
	})
	return out, s.held(ctx, ref, err)
}

// held tells the holders that an order came upon their holds, where that refused it;
// the refusal undid what its act had written. It gives the refusal on.
func (s *Service) held(ctx context.Context, ref string, refused error) error {
	if !isCode(refused, concert.CodeOrderHeld) {
		return refused
	}
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		o, err := tx.Order(ctx, ref)
		if err != nil {
			return err
		}
		subjects, err := s.subjectsOf(ctx, tx, o)
		if err != nil {
			return err
		}
		items := make([]concert.Item, len(subjects))
		for i, x := range subjects {
			items[i] = x.Item
		}
		holds, err := tx.HoldsFor(ctx, items)
		if err != nil {
			return err
		}
		for _, it := range items {
			for _, h := range standing(holds[it.ID], it, s.now()) {
				if _, err := s.tell(ctx, tx, concert.House, h, it, concert.AskedDispatch); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return errors.Join(refused, err)
	}
	return refused
}

// orderFacts gathers what stands around an order now.
func (s *Service) orderFacts(ctx context.Context, tx *store.Tx, o concert.Order) (f concert.OrderFacts, err error) {
	f.Transport = s.Origin
	if f.Author, err = tx.Authority(ctx, string(o.Authority)); err != nil {
		return f, err
	}
	if f.Office, _, err = tx.Office(ctx, o.Authority); err != nil {
		return f, err
	}
	if f.Provider, err = tx.Provider(ctx, string(o.Provider)); err != nil {
		return f, err
	}
	if f.Seat, err = tx.Seat(ctx, o.Provider); err != nil {
		return f, err
	}
	points, err := tx.ContactPoints(ctx, o.Provider)
	if err != nil {
		return f, err
	}
	f.ContactPoint = orderWay(f.Provider, points, s.BaseURL)
	if f.Subjects, err = s.subjectsOf(ctx, tx, o); err != nil {
		return f, err
	}
	if f.First, err = tx.FirstContact(ctx, o.Authority, o.Provider); err != nil {
		return f, err
	}
	if f.Others, err = tx.OrdersOn(ctx, itemIDs(f.Subjects)); err != nil {
		return f, err
	}
	book, err := law.Read()
	if err != nil {
		return f, err
	}
	if f.Redress, err = book.RedressIn(f.Author.Country, o.Language); err != nil {
		return f, err
	}
	if o.Silent {
		d, err := s.began(book, o.ID, concert.TermSilence, concert.TermStart{At: s.now(), Evidence: "decision of order " + o.Ref}, f.Author.Country)
		if err != nil {
			return f, err
		}
		f.SilentUntil = d.DueAt
	}
	if err := s.copyFor(ctx, tx, &f); err != nil {
		return f, err
	}
	return f, s.holdsOn(ctx, tx, o, &f)
}

// orderWay is where a provider receives orders (Art. 15): its contact point for them,
// else its inbox, and the webhook that tells of what is in it.
func orderWay(p concert.Provider, points []concert.ContactPoint, base string) string {
	if c, ok := concert.OrderWay(points); ok {
		return c.Address
	}
	if p.Channel == concert.ChannelWebhook && p.DisabledAt.IsZero() {
		return p.WebhookURL
	}
	return base + "/api/v1/orders"
}

// copyFor finds the authority that scrutinises in the addressee's state, where that is
// another one than the issuing authority's (Art. 4(1)).
func (s *Service) copyFor(ctx context.Context, tx *store.Tx, f *concert.OrderFacts) error {
	if f.Seat.Establishment == "" || f.Seat.Establishment == f.Author.Country {
		return nil
	}
	all, err := tx.Authorities(ctx)
	if err != nil {
		return err
	}
	for _, a := range all {
		if a.Country != f.Seat.Establishment {
			continue
		}
		o, _, err := tx.Office(ctx, a.ID)
		if err != nil {
			return err
		}
		if o.Has(concert.FunctionScrutinise) {
			f.Copied, f.Copy = a.ID, &concert.OrderContact{Role: "authority_of_addressee", Name: a.Name, State: a.Country, Address: o.Address, Telephone: o.Telephone, Email: o.Email}
			return nil
		}
	}
	return nil
}

// holdsOn finds what other authorities ask to keep off (G07), with whom to call.
func (s *Service) holdsOn(ctx context.Context, tx *store.Tx, o concert.Order, f *concert.OrderFacts) error {
	items := make([]concert.Item, len(f.Subjects))
	for i, x := range f.Subjects {
		items[i] = x.Item
	}
	holds, err := tx.HoldsFor(ctx, items)
	if err != nil {
		return err
	}
	for _, it := range items {
		for _, h := range holds[it.ID] {
			if !h.Stands(o.Authority, s.now()) || it.Overridden {
				continue
			}
			if h.Contact, err = tx.HoldContact(ctx, h.ID); err != nil {
				return err
			}
			f.Holds = append(f.Holds, h)
		}
	}
	return nil
}

// began starts a legal clock by the law's data and the calendar of a state.
func (s *Service) began(book law.Book, id concert.OrderID, key concert.TermKey, from concert.TermStart, state string) (concert.Deadline, error) {
	t, err := book.Term(key)
	if err != nil {
		return concert.Deadline{}, err
	}
	cal, err := book.Calendar(state)
	if err != nil {
		return concert.Deadline{}, err
	}
	return concert.Begin(id, t, from, cal)
}

// noticeFirst tells the addressee of procedures and deadlines, and lets the order wait.
func (s *Service) noticeFirst(ctx context.Context, tx *store.Tx, by concert.Actor, o concert.Order, f concert.OrderFacts) (concert.Order, error) {
	now := s.now()
	book, err := law.Read()
	if err != nil {
		return o, err
	}
	first := concert.FirstContact{Authority: o.Authority, Provider: o.Provider, Ref: identity.NewReference("FC"), NoticedAt: now}
	d, err := s.began(book, o.ID, concert.TermFirstContact, concert.TermStart{At: now, Evidence: "notice " + first.Ref}, f.Author.Country)
	if err != nil {
		return o, err
	}
	first.DueAt = d.DueAt
	next, e, err := o.Noticed(by, first, now)
	if err != nil {
		return o, err
	}
	if err := tx.PutFirstContact(ctx, first); err != nil {
		return o, err
	}
	if err := s.putDeadline(ctx, tx, d); err != nil {
		return o, err
	}
	out := s.orderNotice(f.Provider, next, concert.NoticeFirstContact, f.Author.Name, now)
	if err := s.post(ctx, tx, f.Provider, out, now); err != nil {
		return o, err
	}
	tx.RecordNotice(e, out.ID)
	return next, tx.SaveOrder(ctx, next)
}

// issue signs the order as its authority and as the one who carries it (G09), and lets
// it go: notice, state, event and clocks in one transaction.
func (s *Service) issue(ctx context.Context, tx *store.Tx, by concert.Actor, o concert.Order, f concert.OrderFacts) (concert.Order, error) {
	now := s.now()
	from := o.Status
	next, payload, err := o.Issued(by, f, now)
	if err != nil {
		return o, err
	}
	key, err := s.authorKey(f.Author)
	if err != nil {
		return o, err
	}
	env, err := order.Seal(payload, key, s.Transport)
	if err != nil {
		return o, fmt.Errorf("order %s: %w", o.Ref, err)
	}
	next, e := next.IssuedEvent(by, from, sha256.Sum256(env.Payload))
	e = payload.Told(e)
	if err := tx.SaveOrder(ctx, next); err != nil {
		return o, err
	}
	if err := tx.SealOrder(ctx, next, env, itemIDs(f.Subjects)); err != nil {
		return o, err
	}
	first := f.First
	if first.IssuedAt.IsZero() {
		if first.Ref == "" {
			first.Ref = identity.NewReference("FC")
		}
		first.IssuedAt = now
		if err := tx.PutFirstContact(ctx, first); err != nil {
			return o, err
		}
	}
	out := s.orderNotice(f.Provider, next, concert.NoticeOrder, f.Author.Name, now)
	if err := s.post(ctx, tx, f.Provider, out, now); err != nil {
		return o, err
	}
	tx.RecordNotice(e, out.ID)
	if next.Replaces != "" {
		if err := s.recordError(ctx, tx, by, string(next.ID), concert.ErrorRecord{Ref: next.Replaces, Kind: concert.AboutOrder, Cause: concert.ErrorCorrection, Authority: next.Authority, Provider: next.Provider}); err != nil {
			return o, err
		}
	}
	return next, s.startAtIssue(ctx, tx, next, f)
}

// startAtIssue ends the twelve hours' clock and starts those that begin with the issue:
// the non-disclosure's, and the other state's 72 hours, whose copy is here at once.
func (s *Service) startAtIssue(ctx context.Context, tx *store.Tx, o concert.Order, f concert.OrderFacts) error {
	ds, err := tx.Deadlines(ctx, o.ID)
	if err != nil {
		return err
	}
	for _, d := range ds {
		if d.Term == concert.TermFirstContact {
			if d, err = d.Met(o.IssuedAt); err != nil {
				return err
			}
			if err := s.putDeadline(ctx, tx, d); err != nil {
				return err
			}
		}
	}
	book, err := law.Read()
	if err != nil {
		return err
	}
	start := func(key concert.TermKey, evidence, state string) error {
		d, err := s.began(book, o.ID, key, concert.TermStart{At: o.IssuedAt, Evidence: evidence}, state)
		if err != nil {
			return err
		}
		return s.putDeadline(ctx, tx, d)
	}
	if o.Silent {
		if err := start(concert.TermSilence, "decision of order "+o.Ref, f.Author.Country); err != nil {
			return err
		}
	}
	if o.Emergency {
		if err := start(concert.TermEmergency, "approval of order "+o.Ref, f.Author.Country); err != nil {
			return err
		}
	}
	if o.Copied != "" {
		return start(concert.TermOwnScrutiny, "copy of order "+o.Ref, o.State)
	}
	return nil
}

// orderNotice is a delivery about an order to its addressee.
func (s *Service) orderNotice(p concert.Provider, o concert.Order, kind concert.NoticeKind, author string, now time.Time) store.Outgoing {
	d := concert.Delivery{ID: concert.DeliveryID(identity.NewID()), Provider: p.ID, RefRef: o.Ref, Kind: kind, Rung: concert.RungQueued, CreatedAt: now, Version: 1}
	if p.Channel == concert.ChannelWebhook && p.DisabledAt.IsZero() {
		d.NextAt = now
	}
	return store.Outgoing{Delivery: d, Items: o.Items, Author: author, Urgent: true, Exercise: s.Exercise}
}

// WithdrawOrder takes an issued order back, and tells its addressee to reinstate (G16).
func (s *Service) WithdrawOrder(ctx context.Context, by concert.Actor, ref string, version int64, reason string) (concert.Order, error) {
	return s.WithdrawOrderFor(ctx, by, ref, version, concert.RemedyOther, reason)
}

// WithdrawOrderFor is WithdrawOrder with the category under which it stands in the error
// register (G17).
func (s *Service) WithdrawOrderFor(ctx context.Context, by concert.Actor, ref string, version int64, category concert.RemedyCategory, reason string) (concert.Order, error) {
	return s.changeOrder(ctx, by, ref, version, func(tx *store.Tx, o concert.Order) (concert.Order, error) {
		next, e, err := o.Withdrawn(by, reason, s.now())
		if err != nil {
			return o, err
		}
		return next, s.endOrder(ctx, tx, by, next, e, concert.ErrorWithdrawal, category)
	})
}

// tellAddressee sends a notice about the order beside the event.
func (s *Service) tellAddressee(ctx context.Context, tx *store.Tx, o concert.Order, kind concert.NoticeKind, e concert.Event) error {
	p, err := tx.Provider(ctx, string(o.Provider))
	if err != nil {
		return err
	}
	a, err := tx.Authority(ctx, string(o.Authority))
	if err != nil {
		return err
	}
	out := s.orderNotice(p, o, kind, a.Name, s.now())
	tx.RecordNotice(e, out.ID)
	return s.post(ctx, tx, p, out, s.now())
}
