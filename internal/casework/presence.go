package casework

import (
	"context"
	"sync"
	"time"

	"concert"
	"concert/internal/store"
)

// seenEvery bounds how often a node writes that somebody has a page of an action
// open.
const seenEvery = 2 * time.Minute

// sightings remembers on this node whose sign of life was written when.
type sightings struct {
	mu   sync.Mutex // guards at
	last map[string]time.Time
}

// fresh reports whether the sign is to be written, and remembers that it is.
func (g *sightings) fresh(key string, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.last == nil {
		g.last = map[string]time.Time{}
	}
	if now.Sub(g.last[key]) < seenEvery {
		return false
	}
	if len(g.last) > 10_000 {
		clear(g.last)
	}
	g.last[key] = now
	return true
}

// Present keeps that somebody of an authority has a page of the action open, now
// and then. Nothing depends on it but the number of those online, so that a
// failure is only logged.
func (s *Service) Present(ctx context.Context, by concert.Actor, a concert.ActionID) {
	now := time.Now()
	if by.Authority == "" || !s.seen.fresh(string(a)+"\n"+string(by.Person), now) {
		return
	}
	err := s.DB.Update(ctx, func(tx *store.Tx) error {
		return tx.Saw(ctx, concert.Presence{Action: a, Person: by.Person, Authority: by.Authority, SeenAt: now})
	})
	if err != nil && ctx.Err() == nil {
		s.Log.Warn("a sign of life was not kept", "err", err)
	}
}

// ReportPresence is that a participant's person says "here".
func (s *Service) ReportPresence(ctx context.Context, by concert.Actor, ref string) error {
	if err := by.Need(concert.RoleOfficer, concert.RoleReviewer, concert.RoleCoordinator); err != nil {
		return err
	}
	return s.DB.Update(ctx, func(tx *store.Tx) error {
		a, err := tx.Action(ctx, ref)
		if err != nil {
			return err
		}
		takesPart, err := tx.Participants(ctx, a.ID)
		if err != nil {
			return err
		}
		e, err := a.Reported(by, takesPart, s.now())
		if err != nil {
			return err
		}
		now := time.Now()
		if err := tx.Saw(ctx, concert.Presence{Action: a.ID, Person: by.Person, Authority: by.Authority, SeenAt: now, ReportedAt: now}); err != nil {
			return err
		}
		tx.Record(e)
		return nil
	})
}

// wallTime is when the wall showed what the case time was then.
func (s *Service) wallTime(at time.Time) time.Time {
	if at.IsZero() {
		return at
	}
	return time.Now().Add(-s.Time.Wall(s.now().Sub(at)))
}

// muster is who of the participants is there, at the last roll call among the
// bulletins.
func (s *Service) muster(ctx context.Context, tx *store.Tx, a concert.ActionID, takesPart []concert.Participant, said []concert.Bulletin) ([]concert.Muster, error) {
	signs, err := tx.Presences(ctx, a)
	if err != nil {
		return nil, err
	}
	var call time.Time
	for _, b := range said {
		if b.Kind == concert.BulletinRollCall && b.At.After(call) {
			call = b.At
		}
	}
	return concert.Mustered(takesPart, signs, s.wallTime(call), time.Now()), nil
}
