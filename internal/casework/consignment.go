package casework

import (
	"context"
	"slices"
	"time"

	"concert"
	"concert/internal/dispatch"
	"concert/internal/identity"
	"concert/internal/store"
)

// ConsignAction sets whether an action's approved items wait for a release in
// consignments; turned off, what waits goes out.
func (s *Service) ConsignAction(ctx context.Context, by concert.Actor, ref string, on bool) error {
	if err := by.Need(concert.RoleCoordinator); err != nil {
		return err
	}
	return s.DB.Update(ctx, func(tx *store.Tx) error {
		a, err := tx.Action(ctx, ref)
		if err != nil {
			return err
		}
		next, e, err := a.Batching(by, on, s.now())
		if err != nil {
			return err
		}
		if err := tx.SaveAction(ctx, next); err != nil {
			return err
		}
		tx.Record(e)
		return s.wake(ctx, tx, a.ID)
	})
}

// ConsignmentLine is one item of a consignment as whoever coordinates sees it: no place and
// no content.
type ConsignmentLine struct {
	Ref      string              // "" where it is another authority's than the reviewer's who reads
	Unit     concert.AuthorityID // whose
	Priority int
	Since    time.Time                  // approved
	Left     concert.ConsignmentRefusal // it is not part of the consignment; "" for it is
	Waits    concert.ConsignmentRefusal // it is, and would wait a while now; "" for it goes at once
}

// ConsignmentView is a consignment with its items as things stand now.
type ConsignmentView struct {
	concert.Consignment
	ActionRef string
	Lines     []ConsignmentLine
	Own       bool // the reader prepared it
}

// PrepareConsignment takes the n most urgent and oldest approved items of an action for
// a provider into a consignment, leaving out what could not go. Holds are not asked
// for: only a dispatch does that, and tells their holders.
func (s *Service) PrepareConsignment(ctx context.Context, by concert.Actor, ref, provider string, n int) (concert.Consignment, error) {
	var b concert.Consignment
	if err := by.Need(concert.RoleCoordinator); err != nil {
		return b, err
	}
	if n < 1 || n > concert.ConsignmentMost {
		return b, concert.Refuse(concert.Invalid, "consignment.size", "items", "a consignment has 1 to %d items: put the rest into another one", concert.ConsignmentMost)
	}
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		now := s.now()
		a, err := tx.Action(ctx, ref)
		if err != nil {
			return err
		}
		p, err := tx.Provider(ctx, provider)
		if err != nil {
			return err
		}
		// What is left out costs no place in the consignment, within bounds.
		items, err := tx.ItemsToConsign(ctx, a.ID, p.ID, n+concert.ConsignmentMost)
		if err != nil {
			return err
		}
		c, err := s.consignmentConditions(ctx, tx, a, p, now)
		if err != nil {
			return err
		}
		b = concert.Consignment{ID: concert.ConsignmentID(identity.NewID()), Ref: identity.NewReference("CG"), Provider: p.ID, Exercise: s.Exercise, Version: 1}
		var entries []store.ConsignmentEntry
		for _, it := range items {
			why := c.lasting(it)
			if why == concert.ConsignmentGoes {
				if b.Items == n {
					break
				}
				b.Items++
			} else {
				b.Refused++
			}
			entries = append(entries, store.ConsignmentEntry{Item: it, Refusal: why})
		}
		next, e, err := b.Prepared(by, a, now)
		if err != nil {
			return err
		}
		b = next
		if err := tx.AddConsignment(ctx, b, entries); err != nil {
			return err
		}
		tx.Record(e)
		return nil
	})
	return b, err
}

// consignmentConditions are what lets an item go, or not, at one moment.
type consignmentConditions struct {
	list     concert.ScopeList
	paused   map[concert.AuthorityID]bool
	action   concert.Action
	provider concert.Provider
	throttle concert.Throttle
	frozen   bool
	open     bool
	free     int // the provider's, this hour
	mine     int // the action's, this hour
	now      time.Time
}

func (s *Service) consignmentConditions(ctx context.Context, tx *store.Tx, a concert.Action, p concert.Provider, now time.Time) (consignmentConditions, error) {
	c := consignmentConditions{action: a, provider: p, now: now, open: windowOf(p).Open(now), paused: map[concert.AuthorityID]bool{}}
	var err error
	if c.list, err = tx.ScopeList(ctx); err != nil {
		return c, err
	}
	paused, err := tx.Paused(ctx)
	for _, id := range paused {
		c.paused[id] = true
	}
	if err != nil {
		return c, err
	}
	switch _, err := tx.Freeze(ctx, a.ID); err {
	case nil:
		c.frozen = true
	case concert.ErrNotFound:
	default:
		return c, err
	}
	bound, err := tx.ThrottlesOf(ctx, p.ID)
	if err != nil {
		return c, err
	}
	c.throttle = bound[a.ID]
	c.mine, _ = c.throttle.Free(now, concert.ConsignmentMost)
	used := p.HourCount
	if now.Truncate(time.Hour).After(p.HourStart) {
		used = 0
	}
	c.free = dispatch.Capacity{PerHour: p.PerHour}.Free(concert.ConsignmentMost, used)
	return c, nil
}

// lasting is what keeps the item out of a consignment.
func (c consignmentConditions) lasting(it concert.Item) concert.ConsignmentRefusal {
	if _, err := c.list.Covers(it.Outlet, c.now); err != nil {
		return concert.ConsignmentUnscoped
	}
	switch {
	case !it.Handling.MayLeave(concert.ToProvider):
		return concert.ConsignmentHandling
	case c.paused[it.Author] && it.Priority < urgentPriority:
		return concert.ConsignmentPaused
	}
	return concert.ConsignmentGoes
}

// passing is what an item of the consignment would wait for now; items are asked in
// the order in which they would go.
func (c *consignmentConditions) passing(it concert.Item) concert.ConsignmentRefusal {
	urgent := it.Priority >= urgentPriority
	switch {
	case c.frozen:
		return concert.ConsignmentFrozen
	case c.provider.Channel == concert.ChannelWebhook && !c.provider.DisabledAt.IsZero():
		return concert.ConsignmentGone
	case !urgent && c.throttle.Quiet:
		return concert.ConsignmentQuieted
	case !urgent && c.mine == 0:
		return concert.ConsignmentThrottled
	case !urgent && !c.open:
		return concert.ConsignmentClosed
	case c.free == 0:
		return concert.ConsignmentFull
	}
	c.free--
	if !urgent {
		c.mine--
	}
	return concert.ConsignmentGoes
}

// ReadConsignment is a consignment with what each of its items would meet now, for
// coordinators and for reviewers who may confirm it.
func (s *Service) ReadConsignment(ctx context.Context, scope concert.Scope, ref string) (ConsignmentView, error) {
	var v ConsignmentView
	by := scope.Actor()
	if err := scope.Check(); err != nil {
		return v, err
	}
	if err := by.Need(concert.RoleCoordinator, concert.RoleReviewer); err != nil {
		return v, err
	}
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		if v.Consignment, err = tx.Consignment(ctx, ref); err != nil {
			return err
		}
		if err := maySecond(ctx, tx, by, v.Action); err != nil {
			return err
		}
		a, err := tx.Action(ctx, string(v.Action))
		if err != nil {
			return err
		}
		p, err := tx.Provider(ctx, string(v.Provider))
		if err != nil {
			return err
		}
		v.ActionRef, v.Own = a.Ref, v.PreparedBy == by.Person
		entries, err := tx.ConsignmentEntries(ctx, v.ID)
		if err != nil {
			return err
		}
		c, err := s.consignmentConditions(ctx, tx, a, p, s.now())
		if err != nil {
			return err
		}
		v.Lines = make([]ConsignmentLine, len(entries))
		for i, e := range entries {
			l := ConsignmentLine{Ref: e.Item.Ref, Unit: e.Item.Author, Priority: e.Item.Priority, Since: e.Item.UpdatedAt, Left: e.Refusal}
			if !by.Has(concert.RoleCoordinator) && e.Item.Author != by.Authority {
				l.Ref = "" // another authority's
			}
			if l.Left == concert.ConsignmentGoes && (v.State == concert.ConsignmentPrepared || v.State == concert.ConsignmentConfirmed) {
				l.Waits = c.passing(e.Item)
			}
			v.Lines[i] = l
		}
		return nil
	})
	return v, err
}

// ConfirmConsignment is the second person's word; the consignment leaves a minute later, on
// the wall, unless somebody recalls it.
func (s *Service) ConfirmConsignment(ctx context.Context, by concert.Actor, ref string) (concert.Consignment, error) {
	if err := by.Need(concert.RoleCoordinator, concert.RoleReviewer); err != nil {
		return concert.Consignment{}, err
	}
	return s.changeConsignment(ctx, by, ref, func(tx *store.Tx, b concert.Consignment) (concert.Consignment, concert.Event, error) {
		next, e, err := b.Confirmed(by, s.caseSpan(concert.RecallWindow), s.now())
		if err == nil {
			tx.SetClock(concert.ClockConsignment, string(b.ID), next.LeavesAt)
		}
		return next, e, err
	})
}

// RecallConsignment takes a consignment back before it leaves.
func (s *Service) RecallConsignment(ctx context.Context, by concert.Actor, ref string) (concert.Consignment, error) {
	if err := by.Need(concert.RoleCoordinator, concert.RoleReviewer); err != nil {
		return concert.Consignment{}, err
	}
	return s.changeConsignment(ctx, by, ref, func(_ *store.Tx, b concert.Consignment) (concert.Consignment, concert.Event, error) {
		return b.Recalled(by, s.now())
	})
}

func (s *Service) changeConsignment(ctx context.Context, by concert.Actor, ref string, rule func(*store.Tx, concert.Consignment) (concert.Consignment, concert.Event, error)) (concert.Consignment, error) {
	var b concert.Consignment
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		was, err := tx.Consignment(ctx, ref)
		if err != nil {
			return err
		}
		if err := maySecond(ctx, tx, by, was.Action); err != nil {
			return err
		}
		next, e, err := rule(tx, was)
		if err != nil {
			return err
		}
		if err := tx.SaveConsignment(ctx, next); err != nil {
			return err
		}
		tx.Record(e)
		b = next
		return nil
	})
	return b, err
}

// leaveConsignment lets a confirmed consignment go once its window is over: its items go to
// their provider as any others.
func (s *Service) leaveConsignment(ctx context.Context, j concert.LeaveConsignment) error {
	return s.retryStale(ctx, func(tx *store.Tx) error {
		b, err := tx.Consignment(ctx, string(j.Consignment))
		if err != nil {
			return err
		}
		next, e, ok := b.Left(s.now())
		if !ok {
			if b.State == concert.ConsignmentConfirmed { // this node's clock is behind
				tx.SetClock(concert.ClockConsignment, string(b.ID), b.LeavesAt)
			}
			return nil
		}
		if err := tx.SaveConsignment(ctx, next); err != nil {
			return err
		}
		tx.Record(e)
		tx.SetClock(concert.ClockDispatch, string(b.Provider), s.now())
		return nil
	})
}

// maySecond lets coordinators be somebody's second person, and reviewers of the
// authorities that take part; to others there is no such thing.
func maySecond(ctx context.Context, tx *store.Tx, by concert.Actor, a concert.ActionID) error {
	if by.Has(concert.RoleCoordinator) {
		return nil
	}
	takesPart, err := tx.Participants(ctx, a)
	if err == nil && !slices.ContainsFunc(takesPart, func(p concert.Participant) bool { return p.Authority == by.Authority }) {
		err = concert.ErrNotFound
	}
	return err
}
