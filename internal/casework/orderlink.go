package casework

import (
	"context"
	"errors"
	"slices"
	"time"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

// orderLinkKey makes the tokens of links to orders, other ones than those to
// referrals (G01).
func (s *Service) orderLinkKey() identity.Key { return s.DB.Keys.Derive("order links") }

// ensureLinks makes the link that a notice carries: to its referral or to its order.
func (s *Service) ensureLinks(ctx context.Context, tx *store.Tx, d store.Outgoing, c concert.ContactPointID, now time.Time) error {
	if !d.Kind.OfOrder() {
		return s.ensureLink(ctx, tx, d, c, now)
	}
	if d.Kind == concert.NoticeFirstContact {
		return nil // there is no order to read yet
	}
	o, err := tx.Order(ctx, d.RefRef)
	if err != nil {
		return err
	}
	links, err := tx.OrderLinks(ctx, o.ID, c)
	if err != nil || slices.ContainsFunc(links, func(l concert.OrderLink) bool { return l.Usable(now.Add(7*24*time.Hour)) == nil }) {
		return err
	}
	l := concert.OrderLink{ID: concert.OrderLinkID(identity.NewID()), Order: o.ID, Contact: c, CreatedAt: now, ExpiresAt: now.Add(concert.AnswerLinkTerm), Version: 1}
	_, l.Digest = identity.DerivedToken(identity.AnswerToken, s.orderLinkKey(), string(l.ID))
	return tx.AddOrderLink(ctx, l)
}

// orderLinkFor is the address of the standing link to an order, "" where there is none.
func (s *Service) orderLinkFor(ctx context.Context, tx *store.Tx, o concert.OrderID, c concert.ContactPointID) (address string, until time.Time, err error) {
	links, err := tx.OrderLinks(ctx, o, c)
	if err != nil {
		return "", time.Time{}, err
	}
	for _, l := range slices.Backward(links) {
		if l.Usable(s.now()) == nil {
			token, _ := identity.DerivedToken(identity.AnswerToken, s.orderLinkKey(), string(l.ID))
			return s.BaseURL + "/order-answer/" + token, l.ExpiresAt, nil
		}
	}
	return "", time.Time{}, nil
}

// LinkedOrder is what a link to an order shows.
type LinkedOrder struct {
	OrderView
	Link     concert.OrderLink
	Contact  concert.ContactPoint
	Finished bool // every item has Annex II: only the receipt is shown, without places and statement
}

// orderLink is the link of a token with its contact point. Whatever is wrong with it,
// the answer is the same.
func (s *Service) orderLink(ctx context.Context, tx *store.Tx, token string) (l concert.OrderLink, c concert.ContactPoint, err error) {
	digest, err := identity.DigestOf(identity.AnswerToken, token)
	if err != nil {
		return l, c, concert.ErrNotFound
	}
	if l, err = tx.OrderLinkByDigest(ctx, digest); err != nil {
		return l, c, err
	}
	if err := l.Usable(s.now()); err != nil {
		return l, c, err
	}
	c, err = tx.ContactPoint(ctx, string(l.Contact))
	return l, c, err
}

// GreetOrderLink says whether a token opens an order, and nothing of which: programs
// that check mail follow every link, so that looking at it proves no receipt (G11).
func (s *Service) GreetOrderLink(ctx context.Context, token string) (concert.Provider, error) {
	var p concert.Provider
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		_, c, err := s.orderLink(ctx, tx, token)
		if err != nil {
			return err
		}
		p, err = tx.Provider(ctx, string(c.Provider))
		return err
	})
	return p, err
}

// OpenOrderLink shows the link's order to a person who asked for it, which proves its
// receipt: the rung "opened", from which the hour runs (Art. 3(3)).
func (s *Service) OpenOrderLink(ctx context.Context, token string) (LinkedOrder, error) {
	if err := s.links.allow(token); err != nil {
		return LinkedOrder{}, err
	}
	var ref, contact string
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		l, c, err := s.orderLink(ctx, tx, token)
		if err != nil {
			return err
		}
		o, err := tx.Order(ctx, string(l.Order))
		if err != nil {
			return err
		}
		ref, contact = o.Ref, c.Ref
		if l.OpenedAt.IsZero() {
			l.OpenedAt = s.now()
			return tx.SaveOrderLink(ctx, l)
		}
		return nil
	})
	if err != nil {
		return LinkedOrder{}, err
	}
	if err := s.orderReaches(ctx, ref, concert.RungOpened, "shown through the link of contact point "+contact); err != nil {
		return LinkedOrder{}, err
	}
	var v LinkedOrder
	err = s.DB.View(ctx, func(tx *store.Tx) error {
		v = LinkedOrder{}
		return s.showOrderLink(ctx, tx, token, &v)
	})
	if err != nil {
		return LinkedOrder{}, err
	}
	return v, nil
}

// showOrderLink fills in what the link shows. Once all is done that is the receipt.
func (s *Service) showOrderLink(ctx context.Context, tx *store.Tx, token string, v *LinkedOrder) error {
	var err error
	if v.Link, v.Contact, err = s.orderLink(ctx, tx, token); err != nil {
		return err
	}
	if v.Order, err = tx.Order(ctx, string(v.Link.Order)); err != nil {
		return err
	}
	if err := s.fillOrder(ctx, tx, v.Link.Actor(v.Provider, v.Contact.Ref), &v.OrderView); err != nil {
		return err
	}
	if v.Finished = v.Status == concert.OrderExecuted || v.Status == concert.OrderFinal; v.Finished {
		v.Payload, v.Statement = nil, ""
		for i := range v.About {
			v.About[i].Of = concert.Item{ID: v.About[i].Of.ID, Ref: v.About[i].Of.Ref}
			v.About[i].Additional = ""
		}
	}
	return nil
}

// through opens the link for an act on its order, and refuses it once the order is
// executed.
func (s *Service) through(ctx context.Context, token string) (LinkedOrder, concert.Actor, error) {
	v, err := s.OpenOrderLink(ctx, token)
	if err != nil {
		return v, concert.Actor{}, err
	}
	by := v.Link.Actor(v.Provider, v.Contact.Ref)
	if v.Finished {
		return v, by, concert.Refuse(concert.Conflict, "link.answered", "", "every item has Annex II: to say something more, answer the mail")
	}
	return v, by, nil
}

// AnswerOrderByLink records Annex II or Annex III given through a link, by the same
// rules as all others.
func (s *Service) AnswerOrderByLink(ctx context.Context, token string, a concert.OrderAnswer) error {
	v, by, err := s.through(ctx, token)
	if err != nil {
		return err
	}
	_, err = s.AnswerOrder(ctx, by, v.Ref, 0, a)
	return err
}

// ResumeOrderByLink says that what hindered the addressee is over (Art. 3(7)).
func (s *Service) ResumeOrderByLink(ctx context.Context, token, text string) error {
	v, by, err := s.through(ctx, token)
	if err != nil {
		return err
	}
	_, err = s.ClarifyOrder(ctx, by, v.Ref, 0, text)
	return err
}

// OrderDocumentByLink is the link's order as a document, or with "" for the form as
// the file that verifies offline. It is refused once only the receipt is shown.
func (s *Service) OrderDocumentByLink(ctx context.Context, token string, form OrderForm) (ref string, doc []byte, err error) {
	v, _, err := s.through(ctx, token)
	if err != nil {
		return "", nil, err
	}
	file, err := s.orderFile(ctx, v.Order)
	if err != nil || form == "" {
		return v.Ref, file, err
	}
	doc, err = s.drawOrder(file, "", form)
	return v.Ref, doc, err
}

// OrderFormByLink is the link's order as Annex I for a page of the house.
func (s *Service) OrderFormByLink(ctx context.Context, token string) ([]byte, error) {
	_, form, err := s.OrderDocumentByLink(ctx, token, OrderAsFragment)
	return form, err
}

// isCode reports a refusal with the code.
func isCode(err error, code string) bool {
	var e *concert.Error
	return errors.As(err, &e) && e.Code == code
}
