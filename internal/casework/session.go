package casework

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

// bearerCache remembers for a moment whom an API key speaks for, so that a busy
// one costs no query per request. A revoked one works that long at most on
// another node. Sessions are looked up each time: one that is ended, ends.
type bearerCache struct {
	mu   sync.Mutex // guards seen
	seen map[[32]byte]bearer
}

type bearer struct {
	person concert.Person
	until  time.Time
}

const (
	bearerTerm = 2 * time.Second
	bearerMost = 4096
)

func (c *bearerCache) forget(d [32]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.seen, d)
}

// forgetPerson drops what is remembered of somebody.
func (c *bearerCache) forgetPerson(p concert.PersonID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.seen, func(_ [32]byte, b bearer) bool { return b.person.ID == p })
}

// Bearer is the person that a session ("cst_…") or an API key ("csk_…") speaks
// for. A session whose second factor is missing yet is refused with
// concert.ErrSecondStep or concert.ErrMustEnrol.
func (s *Service) Bearer(ctx context.Context, token string) (concert.Person, error) {
	p, err := s.HalfBearer(ctx, token)
	if err != nil {
		return p, err
	}
	return p, p.Admitted()
}

// HalfBearer is Bearer for the second step and for enrolment alone.
func (s *Service) HalfBearer(ctx context.Context, token string) (concert.Person, error) {
	kind := ""
	for k, prefix := range credentialPrefix {
		if k != "link" && strings.HasPrefix(token, prefix) {
			kind = k
		}
	}
	digest, err := identity.Digest(token)
	if err != nil || kind == "" {
		return concert.Person{}, concert.Refuse(concert.Forbidden, "credential.unknown", "", "this key or session is not known: log in, or ask for a new key")
	}
	now := time.Now()
	c := &s.bearers
	c.mu.Lock()
	b, ok := c.seen[digest]
	c.mu.Unlock()
	if ok && now.Before(b.until) {
		return b.person, nil
	}
	var p concert.Person
	var seen time.Time
	err = s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		p, seen, err = tx.Bearer(ctx, kind, digest, now)
		return err
	})
	if errors.Is(err, concert.ErrNotFound) {
		return concert.Person{}, concert.Refuse(concert.Forbidden, "credential.unknown", "", "this key or session is not known, or has ended: log in again, or ask for a new key")
	}
	if err != nil {
		return concert.Person{}, fmt.Errorf("credential: %w", err)
	}
	p.Way.Policy = s.SecondFactor
	if p.Way.Kind == concert.WaySession {
		s.see(ctx, digest, seen, now)
		return p, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil || len(c.seen) >= bearerMost {
		c.seen = map[[32]byte]bearer{}
	}
	c.seen[digest] = bearer{p, now.Add(bearerTerm)}
	return p, nil
}

// see notes a session's use, to the minute, so that it costs a write a minute.
func (s *Service) see(ctx context.Context, digest [32]byte, seen, now time.Time) {
	minute := now.Truncate(time.Minute)
	if !minute.After(seen) {
		return
	}
	if err := s.DB.Update(ctx, func(tx *store.Tx) error { return tx.SeeSession(ctx, digest, minute) }); err != nil && ctx.Err() == nil {
		// The request goes on all the same: the next one tries again.
		s.Log.Warn("when a session was used is not noted", "err", err)
	}
}

// Session is a log-in as its owner sees it.
type Session struct {
	ID        string // se_…
	Browser   string // its family, "" where not known
	CreatedAt time.Time
	SeenAt    time.Time // to the minute
	ProvenAt  time.Time // when its second factor was given last, zero for never
	Current   bool      // the one that asks
}

func sessionID(digest [32]byte) string { return "se_" + hex.EncodeToString(digest[:8]) }

// Sessions are the actor's own log-ins, newest first.
func (s *Service) Sessions(ctx context.Context, by concert.Actor) ([]Session, error) {
	var out []Session
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		kept, err := tx.Sessions(ctx, by.Person, time.Now())
		for _, k := range kept {
			out = append(out, Session{ID: sessionID(k.Digest), Browser: k.Browser, CreatedAt: k.CreatedAt, SeenAt: k.SeenAt, ProvenAt: k.ProvenAt, Current: k.Digest == by.Way.Digest})
		}
		return err
	})
	return out, err
}

// NewLogins are the actor's log-ins since the one that asks: what its start page
// tells, in case it was somebody else.
func (s *Service) NewLogins(ctx context.Context, by concert.Actor) ([]Session, error) {
	all, err := s.Sessions(ctx, by)
	for i, o := range all {
		if o.Current {
			return all[:i], err
		}
	}
	return nil, err
}

// EndSession ends one of the actor's own log-ins.
func (s *Service) EndSession(ctx context.Context, by concert.Actor, id string) error {
	return s.DB.Update(ctx, func(tx *store.Tx) error {
		kept, err := tx.Sessions(ctx, by.Person, time.Now())
		if err != nil {
			return err
		}
		for _, k := range kept {
			if sessionID(k.Digest) == id {
				return tx.DropCredential(ctx, k.Digest)
			}
		}
		return concert.ErrNotFound
	})
}

// EndOtherSessions ends all of the actor's own log-ins but the one that asks.
func (s *Service) EndOtherSessions(ctx context.Context, by concert.Actor) error {
	return s.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.DropSessions(ctx, by.Person, by.Way.Digest)
		return err
	})
}

// EndSessionsOf ends all log-ins of somebody, by log-in name or operator number;
// what it was and may do stays.
func (s *Service) EndSessionsOf(ctx context.Context, by concert.Actor, login string) (who concert.Person, err error) {
	if err := by.Need(concert.RoleAdministrator); err != nil {
		return who, err
	}
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		if who, err = tx.PersonByLogin(ctx, login); err != nil {
			return err
		}
		if _, err := tx.DropSessions(ctx, who.ID, [32]byte{}); err != nil {
			return err
		}
		tx.Record(s.marked(concert.NewEvent(concert.EventSessionsEnded, by, string(who.ID), s.now(), concert.RegisterBody{Ref: who.Operator, Person: who.ID})))
		return nil
	})
	return who, err
}
