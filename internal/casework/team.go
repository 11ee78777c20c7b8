package casework

import (
	"context"
	"time"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

// Teammate is a person of a provider as its administrator sees it, with the
// names of the sessions and keys that are good now, and never their text.
type Teammate struct {
	concert.Person
	Sessions []Opened
	Keys     []APIKey
}

// Opened is a session: how it was begun, and when (wall time).
type Opened struct {
	Name      string
	CreatedAt time.Time
	ExpiresAt time.Time
}

// Team are the people of the actor's own provider, by log-in name, for its
// administrator.
func (s *Service) Team(ctx context.Context, by concert.Actor) (concert.Provider, []Teammate, error) {
	var p concert.Provider
	var out []Teammate
	if err := by.MayLeadTeam(); err != nil {
		return p, nil, err
	}
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		if p, err = tx.Provider(ctx, string(by.Provider)); err != nil {
			return err
		}
		people, err := tx.Team(ctx, by.Provider)
		if err != nil {
			return err
		}
		ids := make([]concert.PersonID, len(people))
		at := map[concert.PersonID]int{}
		for i, who := range people {
			ids[i], at[who.ID] = who.ID, i
			out = append(out, Teammate{Person: who})
		}
		creds, err := tx.Credentials(ctx, ids, time.Now())
		for _, c := range creds {
			m := &out[at[c.Person]]
			if c.Kind == "key" {
				m.Keys = append(m.Keys, APIKey{ID: identity.APIKeyID(c.Digest), Name: c.Name, CreatedAt: c.CreatedAt})
			} else {
				m.Sessions = append(m.Sessions, Opened{c.Name, c.CreatedAt, c.ExpiresAt})
			}
		}
		return err
	})
	return p, out, err
}

// AddTeammate registers a person of the actor's own provider, in force at once,
// with a one-time link.
func (s *Service) AddTeammate(ctx context.Context, by concert.Actor, p concert.Person) (Added, error) {
	out := Added{Person: p}
	err := s.DB.Update(ctx, func(tx *store.Tx) error {
		p := p
		p.ID, p.Operator, p.Version = concert.PersonID(identity.NewID()), operatorNumber(), 1
		p, e, err := p.AddedToTeam(by, s.now())
		if err != nil {
			return err
		}
		if err := s.stillThere(ctx, tx, by); err != nil {
			return err
		}
		if err := tx.AddPerson(ctx, p); err != nil {
			return err
		}
		out = Added{Person: p}
		out.Link, _, err = s.wayIn(ctx, tx, p, concert.Proposal{}, e, "first log-in")
		return err
	})
	return out, err
}

// inTeam runs a rule on a person of the actor's provider; n is how many of the
// provider's administrators are in force.
func (s *Service) inTeam(ctx context.Context, by concert.Actor, login string, act func(tx *store.Tx, p concert.Person, n int) error) error {
	if err := by.MayLeadTeam(); err != nil {
		return err
	}
	return s.retryStale(ctx, func(tx *store.Tx) error {
		p, err := tx.PersonByLogin(ctx, login)
		if err != nil {
			return err
		}
		team, err := tx.Team(ctx, by.Provider)
		if err != nil {
			return err
		}
		n := 0
		for _, m := range team {
			if m.InForce() && m.Actor().Has(concert.RoleProviderAdmin) {
				n++
			}
		}
		return act(tx, p, n)
	})
}

// ChangeTeammate gives a person of the actor's provider other roles.
func (s *Service) ChangeTeammate(ctx context.Context, by concert.Actor, login string, roles []concert.Role) (concert.Person, error) {
	var who concert.Person
	err := s.inTeam(ctx, by, login, func(tx *store.Tx, p concert.Person, n int) error {
		next, e, err := p.TeamRolesChanged(by, roles, n, s.now())
		if err != nil {
			return err
		}
		if err := s.saveTeammate(ctx, tx, by, next, e); err != nil {
			return err
		}
		who = next
		return nil
	})
	s.bearers.forgetPerson(who.ID)
	return who, err
}

// DisableTeammate ends a person of the actor's provider and all that lets it in.
func (s *Service) DisableTeammate(ctx context.Context, by concert.Actor, login string) (concert.Person, error) {
	var who concert.Person
	err := s.inTeam(ctx, by, login, func(tx *store.Tx, p concert.Person, n int) error {
		next, e, err := p.TeamDisabled(by, n, s.now())
		if err != nil {
			return err
		}
		if err := s.saveTeammate(ctx, tx, by, next, e); err != nil {
			return err
		}
		who = next
		if err := tx.DropCredentials(ctx, p.ID); err != nil {
			return err
		}
		return tx.DropFactors(ctx, p.ID)
	})
	s.bearers.forgetPerson(who.ID)
	return who, err
}

// saveTeammate moves the administrator's own row on, too, so that two who take
// each other away at once clash.
func (s *Service) saveTeammate(ctx context.Context, tx *store.Tx, by concert.Actor, next concert.Person, e concert.Event) error {
	if next.ID != by.Person {
		if err := s.stillThere(ctx, tx, by); err != nil {
			return err
		}
	}
	tx.Record(s.marked(e))
	return tx.SavePerson(ctx, next)
}

// LinkTeammate makes a new one-time link for a person of the actor's provider.
func (s *Service) LinkTeammate(ctx context.Context, by concert.Actor, login string) (link string, err error) {
	err = s.inTeam(ctx, by, login, func(tx *store.Tx, p concert.Person, _ int) error {
		e, err := p.TeamLinked(by, s.now())
		if err != nil {
			return err
		}
		if err := s.stillThere(ctx, tx, by); err != nil {
			return err
		}
		link, _, err = s.wayIn(ctx, tx, p, concert.Proposal{}, e, "link")
		return err
	})
	return link, err
}
