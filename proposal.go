package concert

import (
	"slices"
	"time"
)

// ProposalKind is what waits for a second administrator.
type ProposalKind string

// The kinds of proposal.
const (
	ProposedPerson ProposalKind = "person" // a new person with its roles and its first link
	ProposedRoles  ProposalKind = "roles"  // other roles, or another authority, for a person in force
	ProposedLink   ProposalKind = "link"   // a new way in for a person in force
)

// Proposal is one administrator's half of what takes two of them: to give
// somebody a role outside the providers' side, or a way in to somebody who has
// one (G03). Its proposer holds the one-time link, whoever confirms it gets the
// code, and neither can enter with one half.
type Proposal struct {
	Ref         string // PP-…
	Person      PersonID
	Kind        ProposalKind
	Roles       []Role      // that the person is to have
	Authority   AuthorityID // that the person is to speak for
	ProposedBy  PersonID
	ProposedAt  time.Time
	ExpiresAt   time.Time // wall time: unconfirmed by then it lapses, and its link with it
	ConfirmedBy PersonID
	ConfirmedAt time.Time
	Resets      bool // with the new way in, the second factors and the password end
}

// TakesTwo reports whether these roles take two administrators: every role does
// but those on a provider's side, which reach only what was referred to that
// provider.
func TakesTwo(roles []Role) bool {
	return slices.ContainsFunc(roles, func(r Role) bool { return !r.providerSide() })
}

// InForce reports whether the person may act and enter at all.
func (p Person) InForce() bool { return !p.Waits && p.DisabledAt.IsZero() }

// Added is a new person. With a role that takes two it waits for the proposal to be
// confirmed; on a provider's side it is in force at once and there is none.
func (p Person) Added(by Actor, now time.Time) (Person, Proposal, Event, error) {
	var q Proposal
	if err := by.Need(RoleAdministrator); err != nil {
		return p, q, Event{}, err
	}
	if err := p.Check(); err != nil {
		return p, q, Event{}, err
	}
	langs, err := LanguagesOf(p.Languages)
	if err != nil {
		return p, q, Event{}, err
	}
	p.Languages, p.CreatedAt, p.Waits = langs, now, TakesTwo(p.Roles)
	if p.Waits {
		q = p.proposed(by, ProposedPerson, now)
	}
	b := q.body(p)
	b.Languages = p.Languages
	return p, q, NewEvent(EventPersonAdded, by, string(p.ID), now, b), nil
}

// RolesChanged gives a person other roles, and another authority unless it is
// "". Roles and authorities are only ever taken away at once; what is added to
// a guarded set waits. Nobody changes over between the providers' side, where
// one administrator is enough for a way in, and the rest.
func (p Person) RolesChanged(by Actor, roles []Role, authority AuthorityID, now time.Time) (Person, Proposal, Event, error) {
	var q Proposal
	if err := by.Need(RoleAdministrator); err != nil {
		return p, q, Event{}, err
	}
	if err := p.standing(); err != nil {
		return p, q, Event{}, err
	}
	next := p
	next.Roles = roles
	if authority != "" {
		next.Authority = authority
	}
	if err := RolesOf(roles); err != nil {
		return p, q, Event{}, err
	}
	if TakesTwo(p.Roles) != TakesTwo(roles) {
		return p, q, Event{}, Refuse(Invalid, "person.side", "roles", "nobody changes over between a provider's side and the others: disable this person and add another one")
	}
	if err := next.Check(); err != nil {
		return p, q, Event{}, err
	}
	within := func(a, b []Role) bool {
		return !slices.ContainsFunc(a, func(r Role) bool { return !slices.Contains(b, r) })
	}
	stays := next.Authority == p.Authority
	if stays && within(next.Roles, p.Roles) && within(p.Roles, next.Roles) {
		return p, q, Event{}, Refuse(Conflict, "person.roles_same", "roles", "these are its roles already: %v", p.Roles)
	}
	if !TakesTwo(next.Roles) || stays && within(next.Roles, p.Roles) {
		return next, q, NewEvent(EventPersonRolesConfirmed, by, string(p.ID), now, q.body(next)), nil
	}
	q = next.proposed(by, ProposedRoles, now)
	return p, q, NewEvent(EventPersonRolesProposed, by, string(p.ID), now, q.body(next)), nil
}

// Linked is a new way in. For a person with a role that takes two it waits for a
// second administrator; for one that waits itself it takes the place of the
// first proposal, with another link.
func (p Person) Linked(by Actor, now time.Time) (Proposal, Event, error) {
	var q Proposal
	if err := by.Need(RoleAdministrator); err != nil {
		return q, Event{}, err
	}
	if !p.DisabledAt.IsZero() {
		return q, Event{}, errDisabled()
	}
	switch {
	case p.Waits:
		q = p.proposed(by, ProposedPerson, now)
	case TakesTwo(p.Roles):
		q = p.proposed(by, ProposedLink, now)
	}
	return q, NewEvent(EventPersonLinked, by, string(p.ID), now, q.body(p)), nil
}

// Confirmed is the second half, by an administrator in force who did not
// propose it and whom it does not concern: the person p, or its new roles, are
// in force with it.
func (q Proposal) Confirmed(by, p Person, now time.Time) (Proposal, Person, Event, error) {
	refuse := func(err error) (Proposal, Person, Event, error) { return q, p, Event{}, err }
	if !by.InForce() {
		return refuse(Refuse(Forbidden, "person.confirmer", "", "only an administrator in force confirms, under an account of its own: the machine's operator can propose, and no more"))
	}
	if err := by.Actor().Need(RoleAdministrator); err != nil {
		return refuse(err)
	}
	switch {
	case by.ID == q.ProposedBy:
		return refuse(Refuse(Forbidden, "person.same_administrator", "", "you proposed this yourself: a second administrator confirms it"))
	case by.ID == q.Person:
		return refuse(Refuse(Forbidden, "person.own", "", "this is about you: another administrator confirms it"))
	case q.Person != p.ID || !q.ConfirmedAt.IsZero():
		return refuse(ErrNotWaiting)
	case !p.DisabledAt.IsZero():
		return refuse(errDisabled())
	}
	kind := EventPersonConfirmed
	switch q.Kind {
	case ProposedRoles:
		if p.Waits {
			return refuse(ErrNotWaiting)
		}
		p.Roles, p.Authority, kind = q.Roles, q.Authority, EventPersonRolesConfirmed
	case ProposedPerson:
		p.Waits = false
	}
	if q.Resets {
		p.Password, kind = "", EventFactorReset
	}
	if err := p.Check(); err != nil {
		return refuse(err)
	}
	q.ConfirmedBy, q.ConfirmedAt = by.ID, now
	return q, p, NewEvent(kind, by.Actor(), string(p.ID), now, q.body(p)), nil
}

// Disabled ends a person: nothing of it works again. administrators is how many
// of them are in force; the last one stays, and nobody disables themself, so
// that somebody is left to go on.
func (p Person) Disabled(by Actor, administrators int, now time.Time) (Person, Event, error) {
	if err := by.Need(RoleAdministrator); err != nil {
		return p, Event{}, err
	}
	switch {
	case !p.DisabledAt.IsZero():
		return p, Event{}, errDisabled()
	case by.Person == p.ID:
		return p, Event{}, Refuse(Forbidden, "person.own", "", "nobody disables themself: ask another administrator")
	case p.InForce() && p.Actor().Has(RoleAdministrator) && administrators < 2:
		return p, Event{}, Refuse(Conflict, "person.last_administrator", "", "this is the last administrator in force: add another one first")
	}
	p.DisabledAt = now
	return p, NewEvent(EventPersonDisabled, by, string(p.ID), now, Proposal{}.body(p)), nil
}

// ErrNotWaiting says that a proposal does not wait any more, or never did.
var ErrNotWaiting = &Error{Kind: Conflict, Code: "person.not_waiting",
	Message: "nothing waits under this reference: it was confirmed, replaced by a newer proposal, or lapsed after three days; look at the person again"}

func errDisabled() error {
	return Refuse(Conflict, "person.disabled", "", "this person is disabled: add another one")
}

// standing refuses a person that is not in force.
func (p Person) standing() error {
	if !p.DisabledAt.IsZero() {
		return errDisabled()
	}
	if p.Waits {
		return Refuse(Conflict, "person.waits", "", "this person waits for a second administrator itself: confirm it first, or disable it and add another one")
	}
	return nil
}

func (p Person) proposed(by Actor, kind ProposalKind, now time.Time) Proposal {
	return Proposal{Person: p.ID, Kind: kind, Roles: p.Roles, Authority: p.Authority, ProposedBy: by.Person, ProposedAt: now}
}

// body says whom an event on a person concerns, what waits or waited, and who
// proposed it.
func (q Proposal) body(p Person) RegisterBody {
	return RegisterBody{Ref: p.Operator, Kind: string(q.Kind), Authority: p.Authority, Provider: p.Provider, Person: p.ID, Roles: p.Roles, Proposer: q.ProposedBy}
}
