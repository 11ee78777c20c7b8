package casework

import (
	"context"
	"errors"
	"time"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

// proposalTerm is how long a proposal waits for its second administrator.
const proposalTerm = linkTerm

// wayIn makes a one-time link for a person, records the event, and where two
// administrators are needed writes the proposal whose half the link is. It
// returns the link's address and the proposal's reference.
func (s *Service) wayIn(ctx context.Context, tx *store.Tx, p concert.Person, q concert.Proposal, e concert.Event, name string) (link, ref string, err error) {
	tx.Record(s.marked(e))
	if q.Kind == "" {
		token, err := s.addCredential(ctx, tx, store.Credential{Kind: "link", Person: p.ID, Name: name}, linkTerm)
		return s.linkURL(token), "", err
	}
	token, digest := identity.NewToken(identity.OneTimeToken)
	ref, err = s.propose(ctx, tx, q, &digest)
	return s.BaseURL + "/enter?with=code#" + token, ref, err
}

func (s *Service) propose(ctx context.Context, tx *store.Tx, q concert.Proposal, link *[32]byte) (string, error) {
	now := time.Now()
	q.Ref, q.ExpiresAt = identity.NewReference("PP"), now.Add(proposalTerm)
	return q.Ref, tx.Propose(ctx, q, link, now)
}

// marked is an event on the registers, marked where all is an exercise.
func (s *Service) marked(e concert.Event) concert.Event {
	if b, ok := e.Body.(concert.RegisterBody); ok {
		b.Exercise = s.Exercise
		e.Body = b
	}
	return e
}

// ResetFactors is the first half of taking away the second factors that somebody
// has lost, and with them the password: a new link, which like everybody's first
// one works with the code that a second administrator's confirmation gives.
func (s *Service) ResetFactors(ctx context.Context, by concert.Actor, login string) (link, proposal string, err error) {
	if err := by.Need(concert.RoleAdministrator); err != nil {
		return "", "", err
	}
	err = s.retryStale(ctx, func(tx *store.Tx) error {
		p, err := tx.PersonByLogin(ctx, login)
		if err != nil {
			return err
		}
		q, e, err := p.FactorReset(by, s.now())
		if err != nil {
			return err
		}
		link, proposal, err = s.wayIn(ctx, tx, p, q, e, "link")
		return err
	})
	if err != nil {
		return "", "", err
	}
	return link, proposal, nil
}

// NewLink makes a one-time log-in link for a person. Where a second
// administrator has to confirm it, proposal names what it confirms.
func (s *Service) NewLink(ctx context.Context, by concert.Actor, login string) (link, proposal string, err error) {
	if err := by.Need(concert.RoleAdministrator); err != nil {
		return "", "", err
	}
	err = s.retryStale(ctx, func(tx *store.Tx) error {
		p, err := tx.PersonByLogin(ctx, login)
		if err != nil {
			return err
		}
		q, e, err := p.Linked(by, s.now())
		if err != nil {
			return err
		}
		link, proposal, err = s.wayIn(ctx, tx, p, q, e, "link")
		return err
	})
	if err != nil {
		return "", "", err
	}
	return link, proposal, nil
}

// ConfirmPerson is a second administrator's half of what waits about a person:
// the proposal that it looked at, and no other. It returns the code that belongs
// to the link, "" where none does, once.
func (s *Service) ConfirmPerson(ctx context.Context, by concert.Actor, login, proposal string) (who concert.Person, code string, err error) {
	if err := by.Need(concert.RoleAdministrator); err != nil {
		return who, "", err
	}
	if err := proven(by, concert.PowerAdminister); err != nil {
		return who, "", err
	}
	err = s.retryStale(ctx, func(tx *store.Tx) error {
		code = ""
		// Who confirms is looked up anew: what a credential said a moment ago, or
		// a command on the machine says, is no account in force.
		me, err := tx.Person(ctx, by.Person)
		if err != nil && !errors.Is(err, concert.ErrNotFound) {
			return err
		}
		if err != nil {
			me = concert.Person{Waits: true}
		}
		if who, err = tx.PersonByLogin(ctx, login); err != nil {
			return err
		}
		wall := time.Now()
		q, link, err := tx.Proposal(ctx, proposal, wall)
		if errors.Is(err, concert.ErrNotFound) {
			return concert.ErrNotWaiting
		}
		if err != nil {
			return err
		}
		q, next, e, err := q.Confirmed(me, who, s.now())
		if err != nil {
			return err
		}
		var digest *[32]byte
		if link != nil {
			code = identity.NewEntryCode()
			d := s.DB.Keys.EntryDigest(*link, code)
			digest = &d
		}
		if err := tx.Confirm(ctx, q, digest, wall.Add(linkTerm), wall); err != nil {
			return err
		}
		if err := tx.SavePerson(ctx, next); err != nil {
			return err
		}
		if err := endsWith(ctx, tx, q); err != nil {
			return err
		}
		tx.Record(s.marked(e))
		who = next
		return nil
	})
	if err != nil {
		return who, "", err
	}
	s.bearers.forgetPerson(who.ID)
	return who, code, nil
}

// endsWith ends what a confirmed proposal leaves no ground for: sessions that
// were opened with other roles, and with a reset the lost factors.
func endsWith(ctx context.Context, tx *store.Tx, q concert.Proposal) error {
	if q.Resets {
		if err := tx.DropFactors(ctx, q.Person); err != nil {
			return err
		}
	}
	if !q.Resets && q.Kind != concert.ProposedRoles {
		return nil
	}
	_, err := tx.DropSessions(ctx, q.Person, [32]byte{})
	return err
}

// ChangeRoles gives a person other roles, and another authority where one is
// named. What is only taken away is in force at once, as is all on a
// provider's side; anything else waits under the proposal returned.
func (s *Service) ChangeRoles(ctx context.Context, by concert.Actor, login string, roles []concert.Role, authority string) (who concert.Person, proposal string, err error) {
	if err := by.Need(concert.RoleAdministrator); err != nil {
		return who, "", err
	}
	err = s.retryStale(ctx, func(tx *store.Tx) error {
		proposal = ""
		p, err := tx.PersonByLogin(ctx, login)
		if err != nil {
			return err
		}
		var a concert.Authority
		if authority != "" {
			if a, err = tx.Authority(ctx, authority); err != nil {
				return err
			}
		}
		next, q, e, err := p.RolesChanged(by, roles, a.ID, s.now())
		if err != nil {
			return err
		}
		who = next
		tx.Record(s.marked(e))
		if q.Kind != "" {
			proposal, err = s.propose(ctx, tx, q, nil)
			return err
		}
		if err := tx.DropWaiting(ctx, p.ID, time.Now()); err != nil {
			return err
		}
		if _, err := tx.DropSessions(ctx, p.ID, [32]byte{}); err != nil {
			return err
		}
		return tx.SavePerson(ctx, next)
	})
	if err == nil {
		s.bearers.forgetPerson(who.ID)
	}
	return who, proposal, err
}

// DisablePerson ends a person for good, with every session, link and key, what
// waits about it and what it proposed. One administrator is enough: taking away
// cannot be misused to get anything out.
func (s *Service) DisablePerson(ctx context.Context, by concert.Actor, login string) (concert.Person, error) {
	var who concert.Person
	if err := by.Need(concert.RoleAdministrator); err != nil {
		return who, err
	}
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		p, err := tx.PersonByLogin(ctx, login)
		if err != nil {
			return err
		}
		n, err := tx.Administrators(ctx)
		if err != nil {
			return err
		}
		next, e, err := p.Disabled(by, n, s.now())
		if err != nil {
			return err
		}
		if err := s.stillThere(ctx, tx, by); err != nil {
			return err
		}
		if err := tx.SavePerson(ctx, next); err != nil {
			return err
		}
		if err := tx.DropCredentials(ctx, p.ID); err != nil {
			return err
		}
		if err := tx.DropFactors(ctx, p.ID); err != nil {
			return err
		}
		tx.Record(s.marked(e))
		who = next
		return tx.CloseProposals(ctx, p.ID, time.Now())
	})
	if err == nil {
		s.bearers.forgetPerson(who.ID)
	}
	return who, err
}

// stillThere refuses an administrator who was disabled a moment ago, and moves
// its row on, so that two who disable each other at once clash.
func (s *Service) stillThere(ctx context.Context, tx *store.Tx, by concert.Actor) error {
	me, err := tx.Person(ctx, by.Person)
	if errors.Is(err, concert.ErrNotFound) {
		return nil // the machine's operator has no account
	}
	if err != nil {
		return err
	}
	if !me.InForce() {
		return concert.Refuse(concert.Forbidden, "credential.unknown", "", "this key or session is not known, or has ended: log in again, or ask for a new key")
	}
	return tx.SavePerson(ctx, me)
}

// PersonView is a person with what waits about it.
type PersonView struct {
	concert.Person
	Waiting  concert.Proposal // Ref "" where nothing does
	Proposer string           // its proposer's operator number
}

// People are all accounts by log-in name, for administrators, and for auditors
// who say why.
func (s *Service) People(ctx context.Context, scope concert.Scope) ([]PersonView, error) {
	return s.people(ctx, scope, "", func(tx *store.Tx) ([]concert.Person, error) { return tx.People(ctx) })
}

// ReadPerson is one of People, by log-in name or operator number.
func (s *Service) ReadPerson(ctx context.Context, scope concert.Scope, login string) (PersonView, error) {
	out, err := s.people(ctx, scope, login, func(tx *store.Tx) ([]concert.Person, error) {
		p, err := tx.PersonByLogin(ctx, login)
		return []concert.Person{p}, err
	})
	if err != nil {
		return PersonView{}, err
	}
	return out[0], nil
}

func (s *Service) people(ctx context.Context, scope concert.Scope, one string, read func(*store.Tx) ([]concert.Person, error)) ([]PersonView, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	if err := scope.Actor().Need(concert.RoleAdministrator, concert.RoleAuditor); err != nil {
		return nil, err
	}
	if err := s.auditing(ctx, scope, concert.ConsultedBody{What: concert.ReadPeople, Ref: one}); err != nil {
		return nil, err
	}
	var out []PersonView
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		people, err := read(tx)
		if err != nil {
			return err
		}
		waiting, err := tx.Proposals(ctx, time.Now())
		if err != nil {
			return err
		}
		about, proposers := map[concert.PersonID]concert.Proposal{}, []concert.PersonID{}
		for _, q := range waiting {
			about[q.Person] = q
			proposers = append(proposers, q.ProposedBy)
		}
		operators, err := tx.Operators(ctx, proposers)
		if err != nil {
			return err
		}
		for _, p := range people {
			v := PersonView{Person: p, Waiting: about[p.ID]}
			if q := v.Waiting; q.Ref != "" {
				v.Proposer = operators[q.ProposedBy]
				if v.Proposer == "" {
					v.Proposer = string(q.ProposedBy)
				}
			}
			out = append(out, v)
		}
		return nil
	})
	return out, err
}
