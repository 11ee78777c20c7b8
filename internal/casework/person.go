package casework

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

const (
	sessionTerm = 12 * time.Hour
	linkTerm    = 72 * time.Hour
)

// AddPerson registers a person with an operator number. The one-time link is
// returned once, as is the API key where one is asked for by name.
func (s *Service) AddPerson(ctx context.Context, by concert.Actor, p concert.Person, authority, provider, key string) (who concert.Person, link, apiKey string, err error) {
	if err := by.Need(concert.RoleAdministrator); err != nil {
		return p, "", "", err
	}
	p.ID, p.CreatedAt, p.Version = concert.PersonID(identity.NewID()), s.now(), 1
	p.Operator = operatorNumber()
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		if authority != "" {
			a, err := tx.Authority(ctx, authority)
			if err != nil {
				return err
			}
			p.Authority = a.ID
		}
		if provider != "" {
			v, err := tx.Provider(ctx, provider)
			if err != nil {
				return err
			}
			p.Provider = v.ID
		}
		if err := p.Check(); err != nil {
			return err
		}
		if err := tx.AddPerson(ctx, p); err != nil {
			return err
		}
		tx.Record(concert.NewEvent(concert.EventPersonAdded, by, string(p.ID), p.CreatedAt, concert.RegisterBody{Ref: p.Operator, Person: p.ID, Authority: p.Authority, Provider: p.Provider, Roles: p.Roles, Exercise: s.Exercise}))
		if link, err = s.addCredential(ctx, tx, "link", p.ID, "first log-in", linkTerm); err != nil {
			return err
		}
		if key == "" {
			return nil
		}
		tx.Record(concert.NewEvent(concert.EventKeyIssued, by, string(p.ID), p.CreatedAt, concert.RegisterBody{Ref: p.Operator, Person: p.ID}))
		apiKey, err = s.addCredential(ctx, tx, "key", p.ID, key, 0)
		return err
	})
	return p, s.linkURL(link), apiKey, err
}

// FirstAdministrator makes the deployment's first person, once: on a database
// that has people it is refused.
func (s *Service) FirstAdministrator(ctx context.Context, name, login string, withKey bool) (link, apiKey string, err error) {
	p := concert.Person{ID: concert.PersonID(identity.NewID()), Operator: operatorNumber(), Name: name, Login: login, Roles: []concert.Role{concert.RoleAdministrator}, CreatedAt: s.now(), Version: 1}
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		people, err := tx.People(ctx)
		if err != nil {
			return err
		}
		if len(people) > 0 {
			return concert.Refuse(concert.Conflict, "person.first", "", "this deployment has people already: an administrator adds more")
		}
		if err := p.Check(); err != nil {
			return err
		}
		if err := tx.AddPerson(ctx, p); err != nil {
			return err
		}
		tx.Record(concert.NewEvent(concert.EventPersonAdded, concert.House, string(p.ID), p.CreatedAt, concert.RegisterBody{Ref: p.Operator, Person: p.ID, Roles: p.Roles, Exercise: s.Exercise}))
		if link, err = s.addCredential(ctx, tx, "link", p.ID, "first log-in", linkTerm); err != nil {
			return err
		}
		if withKey {
			apiKey, err = s.addCredential(ctx, tx, "key", p.ID, "setup", 0)
		}
		return err
	})
	return s.linkURL(link), apiKey, err
}

// operatorNumber is all that the outside sees of a person, beside the unit.
func operatorNumber() string { return identity.NewReference("OP") }

func (s *Service) linkURL(token string) string {
	if token == "" {
		return ""
	}
	return s.BaseURL + "/enter#" + token
}

var credentialPrefix = map[string]string{"session": "cst_", "link": "cso_", "key": "csk_"}

func (s *Service) addCredential(ctx context.Context, tx *store.Tx, kind string, p concert.PersonID, name string, term time.Duration) (string, error) {
	plain, digest := identity.NewToken(credentialPrefix[kind])
	c := store.Credential{Digest: digest, Kind: kind, Person: p, Name: name, CreatedAt: time.Now()}
	if term > 0 {
		c.ExpiresAt = c.CreatedAt.Add(term)
	}
	return plain, tx.AddCredential(ctx, c)
}

// NewLink makes a one-time log-in link for a person.
func (s *Service) NewLink(ctx context.Context, by concert.Actor, login string) (string, error) {
	if err := by.Need(concert.RoleAdministrator); err != nil {
		return "", err
	}
	var link string
	err := s.DB.Update(ctx, func(tx *store.Tx) error {
		p, err := tx.PersonByLogin(ctx, login)
		if err != nil {
			return err
		}
		tx.Record(concert.NewEvent(concert.EventPersonLinked, by, string(p.ID), s.now(), concert.RegisterBody{Ref: p.Operator, Person: p.ID}))
		link, err = s.addCredential(ctx, tx, "link", p.ID, "link", linkTerm)
		return err
	})
	return s.linkURL(link), err
}

// errLogin is one answer for every way a log-in fails, so that nobody learns
// which names exist.
var errLogin = &concert.Error{Kind: concert.Forbidden, Code: "login.refused",
	Message: "name or password is wrong, the link was used or is too old, or there were too many tries: wait, or ask an administrator for a new link"}

// Enter logs in with a one-time link. A link works once; the session it opens
// lasts twelve hours. A person without a password is asked to set one.
func (s *Service) Enter(ctx context.Context, token string) (session string, p concert.Person, err error) {
	digest, err := identity.DigestOf("cso_", token)
	if err != nil {
		return "", p, errLogin
	}
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		now := time.Now()
		var err error
		if p, err = tx.Bearer(ctx, "link", digest, now); err != nil {
			return errLogin
		}
		used, err := tx.UseLink(ctx, digest, now)
		if err != nil {
			return err
		}
		if !used {
			return errLogin
		}
		session, err = s.addCredential(ctx, tx, "session", p.ID, "link", sessionTerm)
		return err
	})
	return session, p, err
}

// Login logs in with a password. Hashing happens outside the transaction.
func (s *Service) Login(ctx context.Context, login, password string) (string, error) {
	var p concert.Person
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		p, err = tx.PersonByLogin(ctx, login)
		return err
	})
	now := time.Now()
	unknown := errors.Is(err, concert.ErrNotFound) || !p.DisabledAt.IsZero() || p.Password == ""
	if err != nil && !unknown {
		return "", err
	}
	if !unknown && identity.LoginWait(p.Failed, p.FailedAt, now) > 0 {
		return "", errLogin
	}
	stored := p.Password
	if unknown {
		// The same work as for a known name, so that time tells nothing.
		stored = ""
	}
	ok, rehash, err := s.verifyPassword(ctx, stored, password)
	if err != nil {
		return "", err
	}
	if unknown {
		return "", errLogin
	}
	var fresh string
	if ok && rehash {
		if fresh, err = s.Hasher.Hash(ctx, password); err != nil {
			return "", err
		}
	}
	var session string
	err = s.retryStale(ctx, func(tx *store.Tx) error {
		p, err := tx.Person(ctx, p.ID)
		if err != nil {
			return err
		}
		if !ok {
			p.Failed, p.FailedAt = p.Failed+1, now
			return tx.SavePerson(ctx, p)
		}
		p.Failed, p.FailedAt = 0, time.Time{}
		if fresh != "" {
			p.Password = fresh
		}
		if err := tx.SavePerson(ctx, p); err != nil {
			return err
		}
		session, err = s.addCredential(ctx, tx, "session", p.ID, "password", sessionTerm)
		return err
	})
	if err == nil && !ok {
		err = errLogin
	}
	return session, err
}

func (s *Service) verifyPassword(ctx context.Context, stored, password string) (ok, rehash bool, err error) {
	if stored == "" {
		_, err = s.Hasher.Hash(ctx, password)
		return false, false, err
	}
	return s.Hasher.Verify(ctx, stored, password)
}

// SetPassword sets the actor's own password.
func (s *Service) SetPassword(ctx context.Context, by concert.Actor, password string) error {
	var p concert.Person
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		p, err = tx.Person(ctx, by.Person)
		return err
	})
	if err != nil {
		return err
	}
	if err := identity.CheckPassword(password, p.Name, p.Login); err != nil {
		return concert.Refuse(concert.Invalid, "password.weak", "password", "%s", err)
	}
	hash, err := s.Hasher.Hash(ctx, password)
	if err != nil {
		return err
	}
	return s.retryStale(ctx, func(tx *store.Tx) error {
		p, err := tx.Person(ctx, by.Person)
		if err != nil {
			return err
		}
		p.Password, p.Failed, p.FailedAt = hash, 0, time.Time{}
		return tx.SavePerson(ctx, p)
	})
}

// Logout ends a session.
func (s *Service) Logout(ctx context.Context, session string) error {
	digest, err := identity.DigestOf("cst_", session)
	if err != nil {
		return nil
	}
	s.bearers.forget(digest)
	return s.DB.Update(ctx, func(tx *store.Tx) error { return tx.DropCredential(ctx, digest) })
}

// bearerCache remembers for a moment whom a credential speaks for, so that a
// busy key costs no query per request. A revoked one works that long at most.
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

// Bearer is the person that a session ("cst_…") or an API key ("csk_…")
// speaks for.
func (s *Service) Bearer(ctx context.Context, token string) (concert.Person, error) {
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
	err = s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		p, err = tx.Bearer(ctx, kind, digest, now)
		return err
	})
	if errors.Is(err, concert.ErrNotFound) {
		return p, concert.Refuse(concert.Forbidden, "credential.unknown", "", "this key or session is not known, or has ended: log in again, or ask for a new key")
	}
	if err != nil {
		return p, fmt.Errorf("credential: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil || len(c.seen) >= bearerMost {
		c.seen = map[[32]byte]bearer{}
	}
	c.seen[digest] = bearer{p, now.Add(bearerTerm)}
	return p, nil
}

// People are all accounts, for the administrator's list.
func (s *Service) People(ctx context.Context, scope concert.Scope) ([]concert.Person, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	if err := scope.Actor().Need(concert.RoleAdministrator, concert.RoleAuditor); err != nil {
		return nil, err
	}
	if err := s.auditing(ctx, scope, concert.ConsultedBody{What: concert.ReadPeople}); err != nil {
		return nil, err
	}
	var out []concert.Person
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		out, err = tx.People(ctx)
		return err
	})
	return slices.Clip(out), err
}

// CSRFToken is the token that a session's forms carry.
func (s *Service) CSRFToken(session string) string {
	return s.DB.Keys.CSRFToken(sha256.Sum256([]byte(session)))
}

// CheckCSRF reports whether a form carries its session's token.
func (s *Service) CheckCSRF(session, token string) bool {
	return s.DB.Keys.CheckCSRF(sha256.Sum256([]byte(session)), token)
}
