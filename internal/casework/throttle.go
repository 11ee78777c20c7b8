package casework

import (
	"context"
	"errors"
	"time"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

// ThrottleAction sets what a provider gets of an action: items an hour, or
// nothing at all for now.
func (s *Service) ThrottleAction(ctx context.Context, by concert.Actor, ref, provider string, t concert.Throttle) error {
	if err := by.Need(concert.RoleCoordinator); err != nil {
		return err
	}
	return s.retryStale(ctx, func(tx *store.Tx) error {
		a, err := tx.Action(ctx, ref)
		if err != nil {
			return err
		}
		p, err := tx.Provider(ctx, provider)
		if err != nil {
			return err
		}
		known, err := tx.Throttles(ctx, a.ID)
		if err != nil {
			return err
		}
		next, was := known[p.ID]
		if !was {
			next.ID, next.Provider = concert.ThrottleID(identity.NewID()), p.ID
		}
		next.PerHour, next.Quiet, next.Reason = t.PerHour, t.Quiet, t.Reason
		next, e, err := a.Throttled(by, next, s.now())
		if err != nil {
			return err
		}
		if was {
			err = tx.SaveThrottle(ctx, next)
		} else {
			err = tx.AddThrottle(ctx, next)
		}
		if err != nil {
			return err
		}
		tx.Record(e)
		tx.SetClock(concert.ClockDispatch, string(p.ID), s.now())
		return nil
	})
}

// reins are what joint actions let go to one provider now.
type reins struct {
	store.Keeping
	provider concert.ProviderID
	bound    map[concert.ActionID]concert.Throttle
	free     map[concert.ActionID]int
	next     time.Time // when a bound lets more go; zero for never
}

func reinsFor(ctx context.Context, tx *store.Tx, p concert.ProviderID, limit int, now time.Time) (reins, error) {
	r := reins{provider: p}
	var err error
	if r.Frozen, err = tx.FrozenActions(ctx); err != nil {
		return r, err
	}
	if r.Batched, err = tx.BatchedActions(ctx); err != nil {
		return r, err
	}
	if r.bound, err = tx.ThrottlesOf(ctx, p); err != nil {
		return r, err
	}
	r.free = map[concert.ActionID]int{}
	for a, t := range r.bound {
		n, next := t.Free(now, limit)
		if n == 0 {
			r.Spent = append(r.Spent, a)
		}
		if !next.IsZero() && (r.next.IsZero() || next.Before(r.next)) {
			r.next = next
		}
		r.free[a] = n
	}
	return r, nil
}

// within keeps as many of the items as the throttles let go, and sets the clock
// for the rest. What is urgent goes with them.
func (r reins) within(tx *store.Tx, items []concert.Item) []concert.Item {
	if len(r.bound) == 0 {
		return items
	}
	kept, left := items[:0], len(r.Spent) > 0
	for _, it := range items {
		if _, bound := r.bound[it.Action]; bound && it.Priority < urgentPriority {
			if r.free[it.Action] == 0 {
				left = true
				continue
			}
			r.free[it.Action]--
		}
		kept = append(kept, it)
	}
	if left && !r.next.IsZero() {
		tx.SetClock(concert.ClockDispatch, string(r.provider), r.next)
	}
	return kept
}

// spend counts what went out. A throttle that somebody sets at this moment makes
// the act stale, and it is run again.
func (r reins) spend(ctx context.Context, tx *store.Tx, sent []concert.Item, now time.Time) error {
	n := map[concert.ActionID]int{}
	for _, it := range sent {
		if t, ok := r.bound[it.Action]; ok && t.PerHour > 0 {
			n[it.Action]++
		}
	}
	var errs []error
	for a, count := range n {
		errs = append(errs, tx.SpendThrottle(ctx, r.bound[a].Spent(count, now)))
	}
	return errors.Join(errs...)
}
