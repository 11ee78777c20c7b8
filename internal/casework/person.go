package casework

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

const linkTerm = 72 * time.Hour

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
	return concert.Refuse(concert.Invalid, "person.party", what, "nothing is registered as %s: take the reference from the list of authorities or providers", ref)
}

// AddPerson registers a person with an operator number. On a provider's side it
// may enter at once, and gets an API key where one is asked for by name; any
// other role waits until a second administrator confirms it (ConfirmPerson).
func (s *Service) AddPerson(ctx context.Context, by concert.Actor, p concert.Person, authority, provider, key string) (Added, error) {
	if err := by.Need(concert.RoleAdministrator); err != nil {
		return Added{Person: p}, err
	}
	if key != "" {
		if err := proven(by, concert.PowerAdminister); err != nil {
			return Added{Person: p}, err
		}
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
		out.Key, err = s.issueKey(ctx, tx, by, p, key, nil)
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
			link, err := s.addCredential(ctx, tx, store.Credential{Kind: "link", Person: p.ID, Name: firstLink}, linkTerm)
			if err != nil {
				return err
			}
			out[i].Link = s.linkURL(link)
			if !withKeys {
				continue
			}
			if out[i].Key, err = s.issueKey(ctx, tx, concert.House, p, "setup", concert.KeyPowers); err != nil {
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

func (s *Service) addCredential(ctx context.Context, tx *store.Tx, c store.Credential, term time.Duration) (string, error) {
	plain, digest := identity.NewToken(credentialPrefix[c.Kind])
	c.Digest, c.CreatedAt = digest, time.Now()
	if term > 0 {
		c.ExpiresAt = c.CreatedAt.Add(term)
	}
	return plain, tx.AddCredential(ctx, c)
}

// SetPassword sets the actor's own password, and ends its other sessions.
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
		return err
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
		if _, err := tx.DropSessions(ctx, p.ID, by.Way.Digest); err != nil {
			return err
		}
		return tx.SavePerson(ctx, p)
	})
}

// CSRFToken is the token that a session's forms carry.
func (s *Service) CSRFToken(session string) string {
	return s.DB.Keys.CSRFToken(sha256.Sum256([]byte(session)))
}

// CheckCSRF reports whether a form carries its session's token.
func (s *Service) CheckCSRF(session, token string) bool {
	return s.DB.Keys.CheckCSRF(sha256.Sum256([]byte(session)), token)
}
