package concert

import (
	"slices"
	"unicode/utf8"
)

// Role is what a person may do. A person has one or more; some exclude each
// other (RolesOf).
type Role string

// The roles.
const (
	RoleOfficer          Role = "officer"           // submits and assesses for an authority
	RoleReviewer         Role = "reviewer"          // approves or rejects what another assessed
	RoleCoordinator      Role = "coordinator"       // runs joint actions, sees every participant's counts
	RoleProviderReader   Role = "provider_reader"   // reads referrals addressed to its provider
	RoleProviderAnswerer Role = "provider_answerer" // reads, acknowledges and answers
	RoleAuditor          Role = "auditor"           // reads all with a justification, writes nothing (G31)
	RoleAdministrator    Role = "administrator"     // registers parties and people; can neither author nor approve
	RoleProviderAdmin    Role = "provider_admin"    // adds and disables people of its own provider, and no others
	RoleIssuer           Role = "issuer"            // approves and issues removal orders (Regulation (EU) 2021/784 Art. 12(1)(a))
	RoleMagistrate       Role = "magistrate"        // a prosecutor or judge: decides which pseudonyms of a seized server are opened
)

// Roles lists every role in a stable order.
var Roles = []Role{RoleOfficer, RoleReviewer, RoleCoordinator, RoleProviderReader, RoleProviderAnswerer, RoleAuditor, RoleAdministrator, RoleProviderAdmin, RoleIssuer, RoleMagistrate}

// providerSide reports whether the role is one on a provider's side.
func (r Role) providerSide() bool {
	return r == RoleProviderReader || r == RoleProviderAnswerer || r == RoleProviderAdmin
}

// RolesOf checks a set of roles for one person: known, not empty, on one side
// of the table, and without the pairs that would let one person do two jobs
// that must be apart: an administrator neither authors nor approves, an
// auditor writes nothing, a magistrate does not investigate.
func RolesOf(roles []Role) error {
	if len(roles) == 0 {
		return Refuse(Invalid, "person.no_role", "roles", "a person needs at least one role: %v", Roles)
	}
	var authority, provider, apart, police int
	for _, r := range roles {
		switch r {
		case RoleOfficer, RoleReviewer, RoleCoordinator:
			authority++
			police++
		case RoleIssuer, RoleMagistrate:
			authority++
		case RoleProviderReader, RoleProviderAnswerer, RoleProviderAdmin:
			provider++
		case RoleAuditor, RoleAdministrator:
			apart++
		default:
			return Refuse(Invalid, "person.unknown_role", "roles", "%q is no role; the roles are %v", r, Roles)
		}
	}
	if provider > 0 && authority > 0 {
		return Refuse(Invalid, "person.two_sides", "roles", "nobody works for an authority and a provider at once: make two people")
	}
	if apart > 0 && len(roles) > 1 {
		return Refuse(Invalid, "person.roles_apart", "roles", "administrator and auditor stand alone: neither may author, approve, coordinate or answer")
	}
	if police > 0 && slices.Contains(roles, RoleMagistrate) {
		return Refuse(Invalid, "person.magistrate_apart", "roles", "a magistrate investigates nothing itself: it is no officer, reviewer or coordinator")
	}
	return nil
}

// Actor is who acts: a person with the authority or provider it speaks for, or
// the house itself (a clock that fell due), which no rule lets author,
// approve, refer or answer.
type Actor struct {
	Person    PersonID
	Operator  string // the number shown outside instead of a name
	Authority AuthorityID
	Provider  ProviderID
	Roles     []Role
	Way       Way      // how it came in; zero for what came through no door
	Languages []string // base codes that it says it reads
}

// House is the actor of what the clocks do.
var House = Actor{Person: "house", Operator: "house"}

// Has reports whether the actor has the role.
func (a Actor) Has(r Role) bool { return slices.Contains(a.Roles, r) }

// Need refuses an actor without the role.
func (a Actor) Need(roles ...Role) error {
	if slices.ContainsFunc(roles, a.Has) {
		return nil
	}
	return Refuse(Forbidden, "role.missing", "", "this needs the role %v; you have %v: ask an administrator", roles, a.Roles)
}

// MaySubmit refuses whoever is not an officer of an authority.
func (a Actor) MaySubmit() error { return a.needAuthority(RoleOfficer) }

// MayApprove refuses whoever is not a reviewer of an authority.
func (a Actor) MayApprove() error { return a.needAuthority(RoleReviewer) }

func (a Actor) needAuthority(rs ...Role) error {
	if err := a.Need(rs...); err != nil {
		return err
	}
	if a.Authority == "" {
		return Refuse(Forbidden, "role.no_authority", "", "you belong to no authority: ask an administrator to place you in one")
	}
	return nil
}

// MayRead lets a referral be read by its provider's people, by its author's,
// and by coordinators and auditors; others get the answer a missing one gets,
// so that nothing leaks.
func (a Actor) MayRead(r Referral) error {
	switch {
	case a.Provider != "" && a.Provider == r.Provider && (a.Has(RoleProviderReader) || a.Has(RoleProviderAnswerer)):
		return nil
	case a.Has(RoleAuditor), a.Has(RoleCoordinator):
		return nil
	case a.Authority != "" && a.Authority == r.Author:
		return nil
	}
	return ErrNotFound
}

// MayAnswer refuses whoever does not answer for the referral's provider.
func (a Actor) MayAnswer(r Referral) error {
	if a.Provider == "" || a.MayRead(r) != nil {
		return ErrNotFound
	}
	return a.Need(RoleProviderAnswerer)
}

// Scope says who asks to read, and for what. Its zero value is refused by
// every list and search, so that no read escapes the question (G19).
type Scope struct {
	actor         Actor
	justification string
}

// NewScope builds a Scope. Whoever opens sealed data says why (Justified); an
// auditor does for everything (Directive (EU) 2016/680 Art. 25; G19, G31).
func NewScope(a Actor, why string) (Scope, error) {
	if a.Person == "" {
		return Scope{}, Refuse(Forbidden, "scope.nobody", "", "nobody asked: log in first")
	}
	s := Scope{actor: a, justification: justification(why)}
	if utf8.RuneCountInString(s.justification) > JustificationMost {
		return Scope{}, Refuse(TooLarge, "scope.justification_long", "justification", "a justification has at most %d characters", JustificationMost)
	}
	if a.Has(RoleAuditor) && s.Justified() != nil {
		return Scope{}, unjustified()
	}
	return s, nil
}

// Actor is who asks.
func (s Scope) Actor() Actor { return s.actor }

// Justification is why, "" where none was given.
func (s Scope) Justification() string { return s.justification }

// Check refuses the zero Scope.
func (s Scope) Check() error {
	if s.actor.Person == "" {
		return Refuse(Forbidden, "scope.nobody", "", "nobody asked: log in first")
	}
	return nil
}
