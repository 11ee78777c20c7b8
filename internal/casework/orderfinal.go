package casework

import (
	"context"
	"slices"
	"time"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
	"concert/law"
)

// FinaliseOrder says that nobody appealed against the order in time (Art. 3(9)), once
// the addressee's time by the law of the issuing state is over.
func (s *Service) FinaliseOrder(ctx context.Context, by concert.Actor, ref string, version int64) (concert.Order, error) {
	return s.changeOrder(ctx, by, ref, version, func(tx *store.Tx, o concert.Order) (concert.Order, error) {
		appeals, err := tx.Appeals(ctx, o.ID)
		if err != nil {
			return o, err
		}
		author, err := tx.Authority(ctx, string(o.Authority))
		if err != nil {
			return o, err
		}
		lapse, err := redressEnds(author.Country, concert.RedressProvider, o.ReceivedAt)
		if err != nil {
			return o, err
		}
		next, e, err := o.FinalisedBy(by, lapse, appeals, s.now())
		if err != nil {
			return o, err
		}
		tx.Record(e)
		return next, tx.SaveOrder(ctx, next)
	})
}

// redressEnds is when the party's time to appeal in the state is over, that began at
// from; zero where it has not begun, or the law's data give no length.
func redressEnds(state string, party concert.RedressParty, from time.Time) (time.Time, error) {
	book, err := law.Read()
	if err != nil || from.IsZero() {
		return time.Time{}, err
	}
	within := book.RedressWithin(state, party)
	if within == (concert.Span{}) {
		return time.Time{}, nil
	}
	cal, err := book.Calendar(state)
	if err != nil {
		return time.Time{}, err
	}
	return within.Ends(from, cal, true), nil
}

// AppealOrder records that a party appealed to a court (Art. 9).
func (s *Service) AppealOrder(ctx context.Context, by concert.Actor, ref string, version int64, a concert.Appeal) (concert.Appeal, error) {
	var out concert.Appeal
	_, err := s.changeOrder(ctx, by, ref, version, func(tx *store.Tx, o concert.Order) (concert.Order, error) {
		a.ID, a.Ref, a.Version = concert.AppealID(identity.NewID()), identity.NewReference("AP"), 0
		next, e, err := o.Appealed(by, a, s.now())
		if err != nil {
			return o, err
		}
		tx.Record(e)
		out = next
		o.UpdatedAt = s.now()
		if err := tx.SaveOrder(ctx, o); err != nil {
			return o, err
		}
		return o, tx.PutAppeal(ctx, next)
	})
	return out, err
}

// Judgment is how a court decided on an appeal, as the issuing authority records it.
type Judgment struct {
	Appeal   string // its reference
	Outcome  concert.AppealOutcome
	Category concert.RemedyCategory // of one that is upheld
	Reasons  string
	At       time.Time // the day of the judgment
}

// DecideAppeal records a judgment: one that upholds the appeal ends the order as a
// scrutiny does, one that rejects it makes an executed order final.
func (s *Service) DecideAppeal(ctx context.Context, by concert.Actor, ref string, version int64, j Judgment) (concert.Order, error) {
	return s.changeOrder(ctx, by, ref, version, func(tx *store.Tx, o concert.Order) (concert.Order, error) {
		appeals, err := tx.Appeals(ctx, o.ID)
		if err != nil {
			return o, err
		}
		i := slices.IndexFunc(appeals, func(a concert.Appeal) bool { return a.Ref == j.Appeal })
		if i < 0 {
			return o, concert.Refuse(concert.NotFound, "order.appeal", "appeal", "order %s has no appeal %.40q: take its reference from the order", o.Ref, j.Appeal)
		}
		a, e, err := o.AppealDecided(by, appeals[i], j.Outcome, j.Category, j.Reasons, j.At, s.now())
		if err != nil {
			return o, err
		}
		tx.Record(e)
		if err := tx.PutAppeal(ctx, a); err != nil {
			return o, err
		}
		if a.Outcome == concert.AppealUpheld {
			next, e, err := o.Voided(by, j.Reasons, s.now())
			if err != nil {
				return o, err
			}
			return next, s.endOrder(ctx, tx, by, next, e, concert.ErrorAppeal, j.Category)
		}
		next, e, final := o.Confirmed(by, s.now())
		if final {
			tx.Record(e)
		}
		next.UpdatedAt = s.now()
		return next, tx.SaveOrder(ctx, next)
	})
}

// ProlongSilence keeps an order from the content provider for longer, once, with a
// reason (Art. 11(3)). Its addressee is told.
func (s *Service) ProlongSilence(ctx context.Context, by concert.Actor, ref string, version int64, reason string) (concert.Order, error) {
	if err := proven(by, concert.PowerIssue); err != nil {
		return concert.Order{}, err
	}
	return s.changeOrder(ctx, by, ref, version, func(tx *store.Tx, o concert.Order) (concert.Order, error) {
		if !o.Mine(by) {
			return o, concert.ErrNotFound
		}
		author, err := tx.Authority(ctx, string(o.Authority))
		if err != nil {
			return o, err
		}
		book, err := law.Read()
		if err != nil {
			return o, err
		}
		term, err := book.Term(concert.TermSilence)
		if err != nil {
			return o, err
		}
		cal, err := book.Calendar(author.Country)
		if err != nil {
			return o, err
		}
		var clock concert.Deadline
		if err := s.meet(ctx, tx, o, concert.TermSilence, func(d concert.Deadline) (concert.Deadline, error) {
			clock, err = d.Prolonged(term, s.now(), time.Time{}, reason, cal)
			return clock, err
		}); err != nil {
			return o, err
		}
		next, e, err := o.SilenceProlonged(by, clock, s.now())
		if err != nil {
			return o, err
		}
		if err := s.tellAddressee(ctx, tx, next, concert.NoticeScrutinised, e); err != nil {
			return o, err
		}
		return next, tx.SaveOrder(ctx, next)
	})
}
