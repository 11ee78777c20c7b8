package casework

import (
	"context"
	"errors"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
	"concert/law"
)

// firstContact is the clock of the twelve hours that begin when the addressee is told.
func (s *Service) firstContact(o concert.Order, f concert.OrderFacts, first concert.FirstContact) (concert.Deadline, error) {
	book, err := law.Read()
	if err != nil {
		return concert.Deadline{}, err
	}
	return s.began(book, o.ID, concert.TermFirstContact, concert.TermStart{At: first.NoticedAt, Evidence: "notice " + first.Ref}, f.Author.Country)
}

// MayDraftOrders reports whether the actor writes orders: an officer of an authority
// that issues them.
func (s *Service) MayDraftOrders(ctx context.Context, by concert.Actor) (bool, error) {
	if by.Authority == "" || by.MaySubmit() != nil {
		return false, nil
	}
	may := false
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		office, _, err := tx.Office(ctx, by.Authority)
		may = by.MayDraftOrder(office) == nil
		return err
	})
	return may, err
}

// DraftingFacts is what is known around an order before it is written: what the house
// fills in, and what this authority wrote last.
type DraftingFacts struct {
	concert.OrderFacts
	Reasons []concert.ContentType // of Art. 2(7), from the assessments
	Raised  []concert.Item        // items at places that the guard raises: proportionality is asked for (G05)
	Last    concert.OrderText     // of the authority's newest order: who signs, post, file, legal basis
	Spoken  string                // the language of that one, "" where there is none
	Refused *concert.Error        // why no order can be written about these items; nil where one can
}

// ReadDraftingFacts gathers what stands around an order about the items, in the
// language. It shows places, so that it is a reading (G19); it changes nothing.
func (s *Service) ReadDraftingFacts(ctx context.Context, scope concert.Scope, items []OrderDraftItem, language string) (DraftingFacts, error) {
	var out DraftingFacts
	by := scope.Actor()
	b := concert.ConsultedBody{What: concert.ReadItemList}
	for _, d := range items {
		if _, ref, err := identity.ParseReference(d.Item); err == nil {
			b.Refs = append(b.Refs, ref)
		}
	}
	err := s.reading(ctx, scope, &b, func(tx *store.Tx) error {
		out = DraftingFacts{}
		office, _, err := tx.Office(ctx, by.Authority)
		if err != nil {
			return err
		}
		if err := by.MayDraftOrder(office); err != nil {
			return err
		}
		out.Office = office
		if out.Author, err = tx.Authority(ctx, string(by.Authority)); err != nil {
			return err
		}
		if err := s.lastOrder(ctx, tx, by.Authority, &out); err != nil {
			return err
		}
		err = s.draftingFacts(ctx, tx, by, items, language, &out)
		b.Count = len(out.Subjects)
		if e := (*concert.Error)(nil); errors.As(err, &e) {
			out.Refused = e
			return nil
		}
		return err
	})
	if err != nil {
		return DraftingFacts{}, err
	}
	return out, nil
}

func (s *Service) draftingFacts(ctx context.Context, tx *store.Tx, by concert.Actor, items []OrderDraftItem, language string, out *DraftingFacts) (err error) {
	if out.Subjects, err = s.subjects(ctx, tx, by.Authority, items); err != nil {
		return err
	}
	o := concert.Order{Authority: by.Authority, Language: language}
	if len(out.Subjects) > 0 {
		o.Provider = out.Subjects[0].Item.Provider
	}
	for _, t := range concert.ContentTypes {
		for _, x := range out.Subjects {
			if x.Assessment.Type == t {
				out.Reasons = append(out.Reasons, t)
				break
			}
		}
	}
	for _, x := range out.Subjects {
		if x.Item.Guard.Verdict == concert.GuardElevate {
			out.Raised = append(out.Raised, x.Item)
		}
	}
	if err := o.Orderable(out.Subjects, s.now()); err != nil {
		return err
	}
	if out.Provider, err = tx.Provider(ctx, string(o.Provider)); err != nil {
		return err
	}
	if out.Seat, err = tx.Seat(ctx, o.Provider); err != nil {
		return err
	}
	points, err := tx.ContactPoints(ctx, o.Provider)
	if err != nil {
		return err
	}
	out.ContactPoint = orderWay(out.Provider, points, s.BaseURL)
	if out.First, err = tx.FirstContact(ctx, o.Authority, o.Provider); err != nil {
		return err
	}
	book, err := law.Read()
	if err != nil {
		return err
	}
	// Where nothing is written about redress the page says so; the draft may be written.
	if out.Redress, err = book.RedressIn(out.Author.Country, language); err != nil {
		out.Redress = nil
	}
	return s.copyFor(ctx, tx, &out.OrderFacts)
}

// lastOrder finds what the authority wrote in its newest order.
func (s *Service) lastOrder(ctx context.Context, tx *store.Tx, a concert.AuthorityID, out *DraftingFacts) error {
	newest, err := tx.Orders(ctx, store.OrdersOf, string(a), "", false, 0, "", 1)
	if err != nil || len(newest) == 0 {
		return err
	}
	o, err := tx.Order(ctx, string(newest[0].ID))
	if err != nil {
		return err
	}
	out.Spoken = o.Language
	out.Last = concert.OrderText{LegalBasis: o.LegalBasis, Representative: o.Representative, Post: o.Post, FileNo: o.FileNo}
	return nil
}

// ConfirmSeenOffice confirms an office as ConfirmOffice does, and only the proposal that
// the second administrator looked at.
func (s *Service) ConfirmSeenOffice(ctx context.Context, by concert.Actor, authority string, seen int64) error {
	if err := proven(by, concert.PowerAdminister); err != nil {
		return err
	}
	return s.changeOffice(ctx, by, authority, func(a concert.Authority, o concert.OrderOffice, waits *concert.OrderOffice) (concert.OrderOffice, *concert.OrderOffice, concert.Event, error) {
		if waits != nil && o.Version != seen {
			return o, nil, concert.Event{}, concert.Refuse(concert.Conflict, "office.changed", "", "another office was proposed since you looked at it: read it again and confirm that one, or let it be")
		}
		next, e, err := o.Confirm(by, waits, a.Ref, s.Exercise, s.now())
		return next, nil, e, err
	})
}
