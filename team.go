package concert

import (
	"slices"
	"time"
)

// A provider's own administrator (RoleProviderAdmin) looks after the people of
// its provider and of no other: it adds them, ends them and makes them new ways
// in. It reaches nothing of an authority's, so that the rule of two
// administrators (TakesTwo) is untouched; and the role alone reads no referral.

// MayLeadTeam refuses whoever is not an administrator of a provider's people.
func (a Actor) MayLeadTeam() error {
	if err := a.Need(RoleProviderAdmin); err != nil {
		return err
	}
	if a.Provider == "" {
		return Refuse(Forbidden, "team.provider", "", "you belong to no provider: ask an administrator to place you in one")
	}
	return nil
}

// inTeam answers as for a missing person where p is not of the actor's own
// provider.
func (p Person) inTeam(by Actor) error {
	if err := by.MayLeadTeam(); err != nil {
		return err
	}
	if p.Provider != by.Provider || p.Authority != "" || TakesTwo(p.Roles) {
		return ErrNotFound
	}
	return nil
}

// AddedToTeam is a new person of the actor's own provider: in force at once.
func (p Person) AddedToTeam(by Actor, now time.Time) (Person, Event, error) {
	if err := by.MayLeadTeam(); err != nil {
		return p, Event{}, err
	}
	if err := teamRoles(p.Roles); err != nil {
		return p, Event{}, err
	}
	p.Provider, p.Authority, p.Waits, p.CreatedAt = by.Provider, "", false, now
	if err := p.Check(); err != nil {
		return p, Event{}, err
	}
	return p, NewEvent(EventPersonAdded, by, string(p.ID), now, Proposal{}.body(p)), nil
}

// teamRoles refuses roles that are not on a provider's side.
func teamRoles(roles []Role) error {
	if err := RolesOf(roles); err != nil {
		return err
	}
	if TakesTwo(roles) {
		return Refuse(Forbidden, "team.role", "roles", "a provider's administrator gives the roles %s, %s and %s, and no others", RoleProviderReader, RoleProviderAnswerer, RoleProviderAdmin)
	}
	return nil
}

// lastOfTeam refuses to take the team's last administrator in force away:
// administrators is how many there are.
func (p Person) lastOfTeam(administrators int) error {
	if p.InForce() && p.Actor().Has(RoleProviderAdmin) && administrators < 2 {
		return Refuse(Conflict, "team.last_administrator", "", "this is your last administrator in force: make somebody else one first")
	}
	return nil
}

// TeamRolesChanged gives a person of the actor's provider other roles.
func (p Person) TeamRolesChanged(by Actor, roles []Role, administrators int, now time.Time) (Person, Event, error) {
	if err := p.inTeam(by); err != nil {
		return p, Event{}, err
	}
	if err := p.standing(); err != nil {
		return p, Event{}, err
	}
	if err := teamRoles(roles); err != nil {
		return p, Event{}, err
	}
	if !slices.Contains(roles, RoleProviderAdmin) {
		if err := p.lastOfTeam(administrators); err != nil {
			return p, Event{}, err
		}
	}
	p.Roles = roles
	return p, NewEvent(EventPersonRolesConfirmed, by, string(p.ID), now, Proposal{}.body(p)), nil
}

// TeamDisabled ends a person of the actor's provider. The last administrator in
// force stays; any other may also take itself away.
func (p Person) TeamDisabled(by Actor, administrators int, now time.Time) (Person, Event, error) {
	if err := p.inTeam(by); err != nil {
		return p, Event{}, err
	}
	if !p.DisabledAt.IsZero() {
		return p, Event{}, errDisabled()
	}
	if err := p.lastOfTeam(administrators); err != nil {
		return p, Event{}, err
	}
	p.DisabledAt = now
	return p, NewEvent(EventPersonDisabled, by, string(p.ID), now, Proposal{}.body(p)), nil
}

// TeamLinked is a new way in for a person of the actor's provider.
func (p Person) TeamLinked(by Actor, now time.Time) (Event, error) {
	if err := p.inTeam(by); err != nil {
		return Event{}, err
	}
	if err := p.standing(); err != nil {
		return Event{}, err
	}
	return NewEvent(EventPersonLinked, by, string(p.ID), now, Proposal{}.body(p)), nil
}
