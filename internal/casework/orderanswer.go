package casework

import (
	"context"
	"fmt"
	"slices"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
	"concert/law"
)

// OrderSearch says which orders are listed.
type OrderSearch struct {
	Status concert.OrderStatus // "" for any
	Copied bool                // those of which the actor's authority has a copy (Art. 4(1)), not its own
	After  string              // reference of the last one of the page before; "" for the first page
	Limit  int                 // 1 to 200; 0 for 50
}

// Orders are those that concern the actor, bare, newest change first: its authority's
// own or those that it has a copy of, or those addressed to its provider, whose reading
// them is the rung "accepted".
func (s *Service) Orders(ctx context.Context, scope concert.Scope, q OrderSearch) ([]concert.Order, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	by := scope.Actor()
	side, who := store.OrdersOf, string(by.Authority)
	switch {
	case by.Provider != "":
		if err := by.Need(concert.RoleProviderReader, concert.RoleProviderAnswerer); err != nil {
			return nil, err
		}
		side, who = store.OrdersTo, string(by.Provider)
	case q.Copied:
		side = store.OrdersCopied
	default:
		if err := by.Need(concert.RoleOfficer, concert.RoleReviewer, concert.RoleIssuer); err != nil {
			return nil, err
		}
	}
	if who == "" {
		return nil, concert.Refuse(concert.Forbidden, "role.no_authority", "", "you belong to no authority: ask an administrator to place you in one")
	}
	var out []concert.Order
	if q.Limit == 0 {
		q.Limit = 50
	}
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		var before concert.Order
		if q.After != "" {
			var err error
			if before, err = tx.Order(ctx, q.After); err != nil || by.MayReadOrder(before) != nil {
				return concert.Refuse(concert.Invalid, "cursor.malformed", "cursor", "this cursor was not given by this list: begin again without one")
			}
		}
		var err error
		out, err = tx.Orders(ctx, side, who, q.Status, side != store.OrdersOf, concert.Micros(before.UpdatedAt), string(before.ID), min(max(q.Limit, 1), 200))
		return err
	})
	if err != nil || side != store.OrdersTo {
		return out, err
	}
	for _, o := range out {
		if o.Status == concert.OrderIssued {
			if err := s.orderReaches(ctx, o.Ref, concert.RungAccepted, "listed with the key of operator "+by.Operator); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// orderReaches moves the notices of an order up to a rung, and starts the hour where
// receipt is proven thereby.
func (s *Service) orderReaches(ctx context.Context, ref string, to concert.Rung, evidence string) error {
	return s.retryStale(ctx, func(tx *store.Tx) error {
		o, err := tx.Order(ctx, ref)
		if err != nil {
			return err
		}
		ds, err := tx.OrderDeliveries(ctx, o.Provider, ref)
		if err != nil {
			return err
		}
		var saved []store.Outgoing
		for _, d := range ds {
			next, e, up := d.Climbed(to, evidence, s.now())
			if !up {
				continue
			}
			d.Delivery = next
			saved = append(saved, d)
			tx.Record(e)
		}
		if err := tx.SaveDeliveries(ctx, saved); err != nil {
			return err
		}
		for _, d := range saved {
			if err := s.reached(ctx, tx, d); err != nil {
				return err
			}
		}
		return nil
	})
}

// reached starts the hour of an order whose notice climbed to a rung that proves its
// receipt: its addressee's machine took it, or somebody there opened it (Art. 3(5)).
func (s *Service) reached(ctx context.Context, tx *store.Tx, d store.Outgoing) error {
	if d.Kind != concert.NoticeOrder || !d.Rung.Proves() {
		return nil
	}
	o, err := tx.Order(ctx, d.RefRef)
	if err != nil {
		return err
	}
	now := s.now()
	next, e, first := o.Received(string(d.Rung), now, now)
	if !first {
		return nil
	}
	tx.Record(e)
	if err := tx.SaveOrder(ctx, next); err != nil {
		return err
	}
	book, err := law.Read()
	if err != nil {
		return err
	}
	for _, key := range []concert.TermKey{concert.TermRemoval, concert.TermScrutinyAsk} {
		c, err := s.began(book, o.ID, key, concert.TermStart{At: now, Evidence: "delivery " + string(d.ID) + " " + string(d.Rung), Issued: o.IssuedAt}, o.State)
		if err != nil {
			return err
		}
		if err := s.putDeadline(ctx, tx, c); err != nil {
			return err
		}
	}
	return nil
}

// AnswerOrder records Annex II, or Annex III where reasons are given.
func (s *Service) AnswerOrder(ctx context.Context, by concert.Actor, ref string, version int64, a concert.OrderAnswer) (concert.Order, error) {
	if by.Provider != "" {
		if err := s.orderReaches(ctx, ref, concert.RungAcknowledged, "answered by operator "+by.Operator); err != nil {
			return concert.Order{}, err
		}
		version = 0 // what it climbed by changed the order
	}
	return s.changeOrder(ctx, by, ref, version, func(tx *store.Tx, o concert.Order) (concert.Order, error) {
		items, err := tx.OrderItems(ctx, o.ID)
		if err != nil {
			return o, err
		}
		refs, err := refsOf(ctx, tx, items)
		if err != nil {
			return o, err
		}
		if len(a.Reasons) > 0 {
			return s.impede(ctx, tx, by, o, a, items, refs)
		}
		return s.feed(ctx, tx, by, o, a, items, refs)
	})
}

func refsOf(ctx context.Context, tx *store.Tx, items []concert.OrderItem) (map[concert.ItemID]string, error) {
	ids := make([]concert.ItemID, len(items))
	for i, it := range items {
		ids[i] = it.Item
	}
	found, err := tx.BareItemsByID(ctx, ids)
	refs := map[concert.ItemID]string{}
	for _, it := range found {
		refs[it.ID] = it.Ref
	}
	return refs, err
}

func (s *Service) feed(ctx context.Context, tx *store.Tx, by concert.Actor, o concert.Order, a concert.OrderAnswer, items []concert.OrderItem, refs map[concert.ItemID]string) (concert.Order, error) {
	next, done, e, err := o.Fed(by, a, items, refs, s.now())
	if err != nil {
		return o, err
	}
	tx.Record(e)
	if err := tx.SaveOrderItems(ctx, done); err != nil {
		return o, err
	}
	reply, err := s.reply(ctx, tx, o, a, done, refs)
	if err != nil {
		return o, err
	}
	f := concert.OrderFeedback{Type: "order_feedback", OrderReply: reply, Measure: a.Measure, MeasureAt: a.MeasureAt.UTC().Format(concert.TimeFormat)}
	if err := s.addAnswer(ctx, tx, by, o, f.Type, f); err != nil {
		return o, err
	}
	if err := s.setOrderLook(ctx, tx, next); err != nil {
		return o, err
	}
	if next.Status == concert.OrderExecuted {
		if err := s.meet(ctx, tx, next, concert.TermRemoval, func(d concert.Deadline) (concert.Deadline, error) { return d.Met(s.now()) }); err != nil {
			return o, err
		}
		if err := s.preserve(ctx, tx, next); err != nil {
			return o, err
		}
	}
	return next, tx.SaveOrder(ctx, next)
}

// preserve starts the six months for which the addressee keeps what it removed
// (Art. 6).
func (s *Service) preserve(ctx context.Context, tx *store.Tx, o concert.Order) error {
	book, err := law.Read()
	if err != nil {
		return err
	}
	d, err := s.began(book, o.ID, concert.TermPreservation, concert.TermStart{At: o.ExecutedAt, Evidence: "Annex II of order " + o.Ref}, o.State)
	if err != nil {
		return err
	}
	return s.putDeadline(ctx, tx, d)
}

func (s *Service) impede(ctx context.Context, tx *store.Tx, by concert.Actor, o concert.Order, a concert.OrderAnswer, items []concert.OrderItem, refs map[concert.ItemID]string) (concert.Order, error) {
	next, e, err := o.Impeded(by, a, s.now())
	if err != nil {
		return o, err
	}
	tx.Record(e)
	reply, err := s.reply(ctx, tx, o, a, items, refs)
	if err != nil {
		return o, err
	}
	f := concert.OrderImpossible{Type: "order_impossible", OrderReply: reply, Reasons: a.Reasons, Further: a.Further, Needed: a.Needed}
	if err := s.addAnswer(ctx, tx, by, o, f.Type, f); err != nil {
		return o, err
	}
	book, err := law.Read()
	if err != nil {
		return o, err
	}
	t, err := book.Term(concert.TermRemoval)
	if err != nil {
		return o, err
	}
	err = s.meet(ctx, tx, next, concert.TermRemoval, func(d concert.Deadline) (concert.Deadline, error) {
		for _, why := range a.Reasons {
			if d, err = d.Paused(t, why, s.now()); err != nil {
				return d, err
			}
		}
		return d, nil
	})
	if err != nil {
		return o, err
	}
	return next, tx.SaveOrder(ctx, next)
}

// ClarifyOrder answers Annex III: the hour runs anew.
func (s *Service) ClarifyOrder(ctx context.Context, by concert.Actor, ref string, version int64, text string) (concert.Order, error) {
	return s.changeOrder(ctx, by, ref, version, func(tx *store.Tx, o concert.Order) (concert.Order, error) {
		next, e, err := o.Clarified(by, text, s.now())
		if err != nil {
			return o, err
		}
		if by.Provider == "" {
			err = s.tellAddressee(ctx, tx, next, concert.NoticeClarified, e)
		} else {
			tx.Record(e)
		}
		if err != nil {
			return o, err
		}
		book, err := law.Read()
		if err != nil {
			return o, err
		}
		t, err := book.Term(concert.TermRemoval)
		if err != nil {
			return o, err
		}
		cal, err := book.Calendar(o.State)
		if err != nil {
			return o, err
		}
		err = s.meet(ctx, tx, next, concert.TermRemoval, func(d concert.Deadline) (concert.Deadline, error) {
			for _, why := range d.Grounds() {
				if d, err = d.Resumed(t, why, concert.TermStart{At: s.now(), Evidence: "clarification of order " + o.Ref}, cal); err != nil {
					return d, err
				}
			}
			return d, nil
		})
		if err != nil {
			return o, err
		}
		return next, tx.SaveOrder(ctx, next)
	})
}

// reply is what Annex II and Annex III have in common.
func (s *Service) reply(ctx context.Context, tx *store.Tx, o concert.Order, a concert.OrderAnswer, items []concert.OrderItem, refs map[concert.ItemID]string) (concert.OrderReply, error) {
	p, err := tx.Provider(ctx, string(o.Provider))
	if err != nil {
		return concert.OrderReply{}, err
	}
	author, err := tx.Authority(ctx, string(o.Authority))
	if err != nil {
		return concert.OrderReply{}, err
	}
	r := concert.OrderReply{Version: 1, Order: o.Ref, Addressee: p.Name, Authority: author.Name, AuthorityFile: o.FileNo, AddresseeFile: a.File, ReceivedAt: o.ReceivedAt.UTC().Format(concert.TimeFormat),
		State: o.State, Person: a.Person, Email: a.Email, At: s.now().UTC().Format(concert.TimeFormat), Exercise: o.Exercise, Places: []string{}}
	for _, it := range items {
		r.Places = append(r.Places, refs[it.Item])
	}
	slices.Sort(r.Places)
	return r, nil
}

func (s *Service) addAnswer(ctx context.Context, tx *store.Tx, by concert.Actor, o concert.Order, kind string, v any) error {
	text, err := concert.CanonicalJSON(v)
	if err != nil {
		return fmt.Errorf("answer to %s: %w", o.Ref, err)
	}
	return tx.AddOrderAnswer(ctx, store.OrderAnswer{ID: identity.NewID(), Order: o.ID, Kind: kind, Person: by.Person, At: concert.Micros(s.now()), Text: text})
}
