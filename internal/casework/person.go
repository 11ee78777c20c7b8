package casework

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
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

const (
	sessionTerm = 12 * time.Hour
	linkTerm    = 72 * time.Hour
)

// Added is a new person with what is shown once: the first half of its way in,
// and a key where one was asked for.
type Added struct {
	concert.Person
	Link     string
	Key      string
	Proposal string // what a second administrator confirms, "" where none is needed
}

// unregistered says which party a look-up did not find: registers are no secret.
func unregistered(err error, what, ref string) error {
	if !errors.Is(err, concert.ErrNotFound) {
		return err
	}
	return concert.Refuse(concert.Invalid, "person.party", what, "no %s is registered as %s: take the reference from the list (concert %s list)", what, ref, what)
}

// AddPerson registers a person with an operator number. On a provider's side it
// may enter at once, and gets an API key where one is asked for by name; any
// other role waits until a second administrator confirms it (ConfirmPerson).
func (s *Service) AddPerson(ctx context.Context, by concert.Actor, p concert.Person, authority, provider, key string) (Added, error) {
	if err := by.Need(concert.RoleAdministrator); err != nil {
		return Added{Person: p}, err
	}
	out := Added{}
	err := s.DB.Update(ctx, func(tx *store.Tx) error {
		p, now := p, s.now()
		p.ID, p.Operator, p.Version = concert.PersonID(identity.NewID()), operatorNumber(), 1
		if authority != "" {
			a, err := tx.Authority(ctx, authority)
			if err != nil {
				return unregistered(err, "authority", authority)
			}
			p.Authority = a.ID
		}
		if provider != "" {
			v, err := tx.Provider(ctx, provider)
			if err != nil {
				return unregistered(err, "provider", provider)
			}
			p.Provider = v.ID
		}
		p, q, e, err := p.Added(by, now)
		if err != nil {
			return err
		}
		if p.Waits && key != "" {
			return concert.Refuse(concert.Invalid, "person.key", "key", "administrators get keys for a provider's people only: everyone else makes their own once they have logged in")
		}
		if err := tx.AddPerson(ctx, p); err != nil {
			return err
		}
		out = Added{Person: p}
		if out.Link, out.Proposal, err = s.wayIn(ctx, tx, p, q, e, "first log-in"); err != nil || key == "" {
			return err
		}
		out.Key, err = s.issueKey(ctx, tx, by, p, key)
		return err
	})
	if err != nil {
		return Added{Person: p}, err
	}
	return out, nil
}

// firstLink names the links of those two whom nobody could have confirmed.
const firstLink = "first administrator"

// FirstAdministrators makes the deployment's first two people, once: on a
// database that has people it is refused. Each has a link that needs no code,
// since whoever makes both runs the machine; withKeys gives each a key as well.
func (s *Service) FirstAdministrators(ctx context.Context, first, second concert.Person, withKeys bool) ([2]Added, error) {
	var out [2]Added
	err := s.DB.Update(ctx, func(tx *store.Tx) error {
		people, err := tx.People(ctx)
		if err != nil {
			return err
		}
		if len(people) > 0 {
			return concert.Refuse(concert.Conflict, "person.first", "", "this deployment has people already: an administrator adds more")
		}
		for i, p := range []concert.Person{first, second} {
			p.ID, p.Operator, p.Version, p.CreatedAt, p.Roles = concert.PersonID(identity.NewID()), operatorNumber(), 1, s.now(), []concert.Role{concert.RoleAdministrator}
			if err := p.Check(); err != nil {
				return err
			}
			if err := tx.AddPerson(ctx, p); err != nil {
				return err
			}
			tx.Record(concert.NewEvent(concert.EventPersonAdded, concert.House, string(p.ID), p.CreatedAt, concert.RegisterBody{Ref: p.Operator, Person: p.ID, Roles: p.Roles, Exercise: s.Exercise}))
			out[i] = Added{Person: p}
			link, err := s.addCredential(ctx, tx, "link", p.ID, firstLink, linkTerm)
			if err != nil {
				return err
			}
			out[i].Link = s.linkURL(link)
			if !withKeys {
				continue
			}
			if out[i].Key, err = s.issueKey(ctx, tx, concert.House, p, "setup"); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
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

// errLogin is one answer for every way a log-in fails, so that nobody learns
// which names exist.
var errLogin = &concert.Error{Kind: concert.Forbidden, Code: "login.refused",
	Message: "name, password, link or code is wrong, the link was used or is too old, or there were too many tries: wait, or ask an administrator for a new link"}

// Enter logs in with a one-time link, and with its code where it took two
// administrators. A link works once; five wrong codes end it. Which half was
// wrong is not told. The session it opens lasts twelve hours. A person without
// a password is asked to set one.
func (s *Service) Enter(ctx context.Context, token, code string) (session string, p concert.Person, err error) {
	link, err := identity.DigestOf("cso_", token)
	if err != nil {
		return "", p, errLogin
	}
	code, whole := identity.ParseEntryCode(code)
	entered := false
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		entered = false
		ref, want, who, err := tx.Entry(ctx, link, time.Now())
		switch {
		case errors.Is(err, concert.ErrNotFound):
			p, entered, err = s.enterAlone(ctx, tx, link)
		case err == nil && whole:
			p = who
			entered, err = s.enterBoth(ctx, tx, ref, who, want, s.DB.Keys.EntryDigest(link, code))
		}
		if err != nil || !entered {
			return err
		}
		session, err = s.addCredential(ctx, tx, "session", p.ID, "link", sessionTerm)
		return err
	})
	if err == nil && !entered {
		err = errLogin
	}
	if err != nil {
		return "", concert.Person{}, err
	}
	return session, p, nil
}

// enterAlone takes a link that needs no code: of a provider's people, and of
// the first two administrators.
func (s *Service) enterAlone(ctx context.Context, tx *store.Tx, link [32]byte) (concert.Person, bool, error) {
	now := time.Now()
	p, err := tx.Bearer(ctx, "link", link, now)
	if errors.Is(err, concert.ErrNotFound) {
		return p, false, nil
	}
	if err != nil {
		return p, false, err
	}
	if concert.TakesTwo(p.Roles) {
		// An older node beside this one makes links without a second half.
		if name, err := tx.CredentialName(ctx, link); err != nil || name != firstLink {
			return p, false, err
		}
	}
	used, err := tx.UseLink(ctx, link, now)
	return p, used, err
}

// enterBoth compares a code; the try is counted, and stays so, whatever comes
// of it.
func (s *Service) enterBoth(ctx context.Context, tx *store.Tx, ref string, p concert.Person, want, got [32]byte) (bool, error) {
	tries, err := tx.TryEntry(ctx, ref)
	if err != nil || tries == 0 {
		return false, err
	}
	right := subtle.ConstantTimeCompare(want[:], got[:]) == 1
	if !right && tries < store.EntryTries {
		return false, nil
	}
	closed, err := tx.CloseEntry(ctx, ref, time.Now())
	if err != nil || right {
		return closed, err
	}
	tx.Record(concert.NewEvent(concert.EventKeyRevoked, concert.House, string(p.ID), s.now(), concert.RegisterBody{Ref: p.Operator, Kind: "link", Person: p.ID, Exercise: s.Exercise}))
	return false, nil
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
	unknown := errors.Is(err, concert.ErrNotFound) || !p.InForce() || p.Password == ""
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

// forgetPerson drops what is remembered of somebody.
func (c *bearerCache) forgetPerson(p concert.PersonID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.seen, func(_ [32]byte, b bearer) bool { return b.person.ID == p })
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

// CSRFToken is the token that a session's forms carry.
func (s *Service) CSRFToken(session string) string {
	return s.DB.Keys.CSRFToken(sha256.Sum256([]byte(session)))
}

// CheckCSRF reports whether a form carries its session's token.
func (s *Service) CheckCSRF(session, token string) bool {
	return s.DB.Keys.CheckCSRF(sha256.Sum256([]byte(session)), token)
}
