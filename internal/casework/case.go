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

const (
	// caseItemsPage bounds the items of a case that one reading shows.
	caseItemsPage = 200
	// caseEventsPage bounds its timeline.
	caseEventsPage = 100
)

// OpenCase opens an investigation, with title, mandate and handling code; its
// opener leads it.
func (s *Service) OpenCase(ctx context.Context, by concert.Actor, in concert.Case) (concert.Case, error) {
	c := concert.Case{ID: concert.CaseID(identity.NewID()), Ref: identity.NewReference("CA"), Title: in.Title, Mandate: in.Mandate, Handling: in.Handling, Exercise: s.Exercise, Version: 1}
	c, e, err := c.Opened(by, s.now())
	if err != nil {
		return c, err
	}
	return c, s.DB.Update(ctx, func(tx *store.Tx) error {
		if err := tx.AddCase(ctx, c); err != nil {
			return err
		}
		tx.Record(e)
		tx.SetClock(concert.ClockCaseReview, string(c.ID), c.ReviewAt)
		return nil
	})
}

// caseOf is a case that the actor works on; another's is not there.
func caseOf(ctx context.Context, tx *store.Tx, by concert.Actor, ref string) (concert.Case, error) {
	c, err := tx.Case(ctx, ref)
	if err == nil && !c.Member(by) {
		err = concert.ErrNotFound
	}
	if err != nil {
		return concert.Case{}, err
	}
	return c, nil
}

// changeCase lets a rule change a case; then writes what goes with it. Version
// is the one that was read.
func (s *Service) changeCase(ctx context.Context, by concert.Actor, ref string, version int64, rule func(*store.Tx, concert.Case, time.Time) (concert.Case, concert.Event, error), then func(*store.Tx, concert.Case) error) (concert.Case, error) {
	var out concert.Case
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		c, err := caseOf(ctx, tx, by, ref)
		if err != nil {
			return err
		}
		next, e, err := rule(tx, c, s.now())
		if err != nil {
			return err
		}
		if version != c.Version {
			return outdated()
		}
		if err := tx.SaveCase(ctx, next); err != nil {
			return err
		}
		tx.Record(e)
		next.Version++
		out = next
		if then == nil {
			return nil
		}
		return then(tx, next)
	})
	return out, err
}

// AddCaseMember lets a person of the authority, by operator number or log-in,
// read a case.
func (s *Service) AddCaseMember(ctx context.Context, by concert.Actor, ref string, version int64, login string) (concert.Case, error) {
	var p concert.Person
	return s.changeCase(ctx, by, ref, version, func(tx *store.Tx, c concert.Case, now time.Time) (concert.Case, concert.Event, error) {
		var err error
		if p, err = memberNamed(ctx, tx, login); err != nil {
			return c, concert.Event{}, err
		}
		return c.MemberAdded(by, p, now)
	}, func(tx *store.Tx, c concert.Case) error { return tx.AddCaseMember(ctx, c.ID, p.ID, by.Person, s.now()) })
}

// RemoveCaseMember ends that.
func (s *Service) RemoveCaseMember(ctx context.Context, by concert.Actor, ref string, version int64, login string) (concert.Case, error) {
	var p concert.Person
	return s.changeCase(ctx, by, ref, version, func(tx *store.Tx, c concert.Case, now time.Time) (concert.Case, concert.Event, error) {
		var err error
		if p, err = memberNamed(ctx, tx, login); err != nil {
			return c, concert.Event{}, err
		}
		return c.MemberRemoved(by, p.ID, now)
	}, func(tx *store.Tx, c concert.Case) error { return tx.DropCaseMember(ctx, c.ID, p.ID) })
}

// LeadCase hands the lead to another member.
func (s *Service) LeadCase(ctx context.Context, by concert.Actor, ref string, version int64, login string) (concert.Case, error) {
	return s.changeCase(ctx, by, ref, version, func(tx *store.Tx, c concert.Case, now time.Time) (concert.Case, concert.Event, error) {
		lead, err := tx.Person(ctx, c.Lead)
		if err != nil {
			return c, concert.Event{}, err
		}
		to, err := memberNamed(ctx, tx, login)
		if err != nil {
			return c, concert.Event{}, err
		}
		return c.Led(by, lead, to.ID, now)
	}, nil)
}

func memberNamed(ctx context.Context, tx *store.Tx, login string) (concert.Person, error) {
	p, err := tx.PersonByLogin(ctx, login)
	if errors.Is(err, concert.ErrNotFound) {
		return p, concert.Refuse(concert.Invalid, "case.member", "person", "nobody of your authority is known by that number or log-in name: check it")
	}
	return p, err
}

// MandateCase enters another mandate, or an extension.
func (s *Service) MandateCase(ctx context.Context, by concert.Actor, ref string, version int64, m concert.Mandate) (concert.Case, error) {
	return s.changeCase(ctx, by, ref, version, func(_ *store.Tx, c concert.Case, now time.Time) (concert.Case, concert.Event, error) {
		return c.Mandated(by, m, now)
	}, nil)
}

// ReviewCase says that a case's data is still needed, for another three years.
func (s *Service) ReviewCase(ctx context.Context, by concert.Actor, ref string, version int64, ground string) (concert.Case, error) {
	return s.changeCase(ctx, by, ref, version, func(_ *store.Tx, c concert.Case, now time.Time) (concert.Case, concert.Event, error) {
		return c.Reviewed(by, ground, now)
	}, func(tx *store.Tx, c concert.Case) error {
		tx.SetClock(concert.ClockCaseReview, string(c.ID), c.ReviewAt)
		return nil
	})
}

// CloseCase ends a case; the places that were watched for it no longer are.
func (s *Service) CloseCase(ctx context.Context, by concert.Actor, ref string, version int64, reason string) (concert.Case, error) {
	return s.changeCase(ctx, by, ref, version, func(_ *store.Tx, c concert.Case, now time.Time) (concert.Case, concert.Event, error) {
		return c.Closed(by, reason, now)
	}, func(tx *store.Tx, c concert.Case) error {
		ws, err := tx.WatchesOfCase(ctx, c.ID)
		if err != nil {
			return err
		}
		for _, w := range ws {
			next, e, err := w.Expired(s.now())
			if err != nil {
				return err
			}
			if err := s.endWatch(ctx, tx, next, e); err != nil {
				return err
			}
		}
		return nil
	})
}

// AddToCase puts items into a case, at most concert.CaseThingsMost at once.
func (s *Service) AddToCase(ctx context.Context, by concert.Actor, ref string, items []string) ([]Result, error) {
	return s.onThings(ctx, by, ref, items, func(tx *store.Tx, c concert.Case, it concert.Item, found, inside bool) (string, error) {
		if inside {
			return OutcomeKnown, nil
		}
		e, err := c.Added(by, it, found, s.now())
		if err != nil {
			return "", err
		}
		tx.Record(e)
		_, err = tx.AddCaseThings(ctx, c.ID, concert.ThingItem, []string{string(it.ID)}, by.Person, s.now())
		return "added", err
	})
}

// RemoveFromCase takes items out of a case again. The reason is kept under the
// case's key and under the item's: it goes when either does.
func (s *Service) RemoveFromCase(ctx context.Context, by concert.Actor, ref string, items []string, reason string) ([]Result, error) {
	return s.onThings(ctx, by, ref, items, func(tx *store.Tx, c concert.Case, it concert.Item, _, inside bool) (string, error) {
		if !inside {
			return "", concert.ErrNotFound
		}
		e, err := c.Removed(by, it, reason, s.now())
		if err != nil {
			return "", err
		}
		if it.ErasedAt.IsZero() {
			own, err := tx.SealToItem(ctx, it.ID, string(e.Kind), reason)
			if err != nil {
				return "", err
			}
			e = e.WithSealed(concert.CaseText{Own: own})
		}
		tx.Record(e)
		_, err = tx.DropCaseThing(ctx, c.ID, concert.ThingItem, string(it.ID))
		return "removed", err
	})
}

// onThings runs an act on many items of one case; one's refusal leaves the
// others alone.
func (s *Service) onThings(ctx context.Context, by concert.Actor, ref string, items []string, one func(*store.Tx, concert.Case, concert.Item, bool, bool) (string, error)) ([]Result, error) {
	if len(items) > concert.CaseThingsMost {
		return nil, concert.Refuse(concert.TooLarge, "case.things", "items", "at most %d items at once", concert.CaseThingsMost)
	}
	out := make([]Result, len(items))
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		clear(out)
		c, err := caseOf(ctx, tx, by, ref)
		if err != nil {
			return err
		}
		known, err := tx.BareItemsByRef(ctx, items)
		if err != nil {
			return err
		}
		seen, err := seenBy(ctx, tx, by, known)
		if err != nil {
			return err
		}
		ids := make([]string, 0, len(known))
		for _, it := range known {
			ids = append(ids, string(it.ID))
		}
		inside, err := tx.InCase(ctx, c.ID, concert.ThingItem, ids)
		if err != nil {
			return err
		}
		for i, name := range items {
			it, ok := known[name]
			out[i] = Result{Ref: name, Version: it.Version}
			err := error(concert.ErrNotFound)
			if ok {
				delete(known, name) // a second entry for one item finds it gone
				out[i].Outcome, err = one(tx, c, it, seen[it.ID] || it.Author == by.Authority, inside[string(it.ID)])
			}
			if err != nil {
				if out[i].Err, err = refusal(err); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return out, err
}

// CaseView is a case as its members, and auditors, see it.
type CaseView struct {
	concert.Case
	Authority concert.Authority
	Operators map[concert.PersonID]string // of everybody named
	Persons   []concert.CasePerson
	Items     []concert.Item // one page, without what is sealed
	ItemCount int
	Watches   []concert.Watch // in force
	Timeline  []CaseMoment    // newest first
	Soon      bool            // its review is due within ninety days, or overdue
}

// CaseMoment is one event of a case's timeline.
type CaseMoment struct {
	concert.RecordedEvent
	Operator string // number; "" for the house
}

// caseItemKinds are the events on a case's items that its timeline shows: what
// every finder may know, so no holds.
var caseItemKinds = []concert.EventKind{concert.EventItemSubmitted, concert.EventItemStopped, concert.EventItemAssessed, concert.EventItemExempt, concert.EventItemApproved, concert.EventItemRejected,
	concert.EventItemReferred, concert.EventItemAnswered, concert.EventItemRechecked, concert.EventItemWithdrawn, concert.EventItemCorrected, concert.EventItemErased, concert.EventItemTranslated}

func (s *Service) reviewSoon(c concert.Case) bool {
	return !s.now().Before(c.ReviewAt.Add(-concert.CaseGrace))
}

// ReadCase is one case with its persons, a page of its items after the one named
// (an item's id, "" to begin), and its timeline.
func (s *Service) ReadCase(ctx context.Context, scope concert.Scope, ref string, after concert.ItemID) (CaseView, error) {
	var v CaseView
	by := scope.Actor()
	b := concert.ConsultedBody{What: concert.ReadOneCase, Ref: ref, Count: 1}
	err := s.reading(ctx, scope, &b, func(tx *store.Tx) error {
		c, err := tx.Case(ctx, ref)
		if err != nil {
			return err
		}
		if err := c.MayRead(by); err != nil {
			return err
		}
		v.Case, v.Soon = c, s.reviewSoon(c)
		return s.fillCase(ctx, tx, &v, after)
	})
	if err != nil {
		return CaseView{}, err
	}
	return v, nil
}

func (s *Service) fillCase(ctx context.Context, tx *store.Tx, v *CaseView, after concert.ItemID) error {
	var err error
	if v.Authority, err = tx.Authority(ctx, string(v.Case.Authority)); err != nil {
		return err
	}
	if v.Persons, err = tx.CasePersons(ctx, v.ID); err != nil {
		return err
	}
	if v.Items, err = tx.CaseItems(ctx, v.ID, after, caseItemsPage); err != nil {
		return err
	}
	for i, it := range v.Items {
		v.Items[i] = it.ShownTo(v.Case.Authority).Remaining()
	}
	if v.ItemCount, err = tx.CountCaseItems(ctx, v.ID); err != nil {
		return err
	}
	if v.Watches, err = tx.WatchesOfCase(ctx, v.ID); err != nil {
		return err
	}
	events, err := tx.CaseHistory(ctx, v.ID, caseItemKinds, "", caseEventsPage)
	if err != nil {
		return err
	}
	people := append([]concert.PersonID{v.Lead, v.OpenedBy, v.ClosedBy, v.ReviewedBy}, v.Members...)
	for _, p := range v.Persons {
		people = append(people, p.AddedBy, p.AskedBy, p.ErasedBy)
	}
	for _, e := range events {
		people = append(people, e.Actor)
	}
	slices.Sort(people)
	if v.Operators, err = tx.Operators(ctx, slices.Compact(people)); err != nil {
		return err
	}
	v.Timeline = make([]CaseMoment, len(events))
	for i, e := range events {
		v.Timeline[i] = CaseMoment{e, v.Operators[e.Actor]}
	}
	return nil
}

// reviewCaseDue is what the clock of a case's review does: it says that the
// review is due, and later erases the persons of a case that nobody reviewed.
func (s *Service) reviewCaseDue(ctx context.Context, j concert.ReviewCaseDue) error {
	erased := false
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		erased = false
		c, err := tx.Case(ctx, string(j.Case))
		if errors.Is(err, concert.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		due, erase, again := c.ReviewFell(s.now())
		if due.Kind != "" {
			tx.Record(due)
		}
		if !again.IsZero() {
			tx.SetClock(concert.ClockCaseReview, string(c.ID), again)
		}
		if !erase {
			return nil
		}
		people, err := tx.CasePersons(ctx, c.ID)
		if err != nil {
			return err
		}
		for _, p := range people {
			if !p.ErasedAt.IsZero() {
				continue
			}
			next, e, err := c.PersonExpired(p, s.now())
			if err != nil {
				return err
			}
			if err := tx.EraseCasePerson(ctx, next); err != nil {
				return err
			}
			tx.Record(e)
			erased = true
		}
		more, err := s.eraseCaseEvidence(ctx, tx, c)
		erased = erased || more
		return err
	})
	if err == nil && erased {
		s.unscrubbed.Store(true)
	}
	return err
}
