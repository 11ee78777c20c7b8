package concert_test

import (
	"slices"
	"testing"
	"time"

	"concert"
)

func administrator(id concert.PersonID) concert.Person {
	return concert.Person{ID: id, Operator: "OP-" + string(id), Name: string(id), Login: string(id), Roles: []concert.Role{concert.RoleAdministrator}}
}

func newcomer(roles ...concert.Role) concert.Person {
	p := concert.Person{ID: "new", Operator: "OP-NEW", Name: "New", Login: "new", Roles: roles}
	switch {
	case !concert.TakesTwo(roles):
		p.Provider = videoHost
	case !slices.Contains(roles, concert.RoleAuditor) && !slices.Contains(roles, concert.RoleAdministrator):
		p.Authority = northUnit
	}
	return p
}

func TestG03EveryRoleButAProvidersWaitsForASecondAdministrator(t *testing.T) {
	t.Parallel()
	for _, role := range concert.Roles {
		one := role == concert.RoleProviderReader || role == concert.RoleProviderAnswerer || role == concert.RoleProviderAdmin
		p, q, e, err := newcomer(role).Added(administrator("ada").Actor(), noon)
		if err != nil || p.InForce() != one || (q.Kind == "") != one || e.Kind != concert.EventPersonAdded {
			t.Errorf("%s: in force %v, proposal %q, %v", role, p.InForce(), q.Kind, err)
		}
		b := e.Body.(concert.RegisterBody)
		if !one && (b.Proposer != "ada" || e.Actor != "ada" || b.Kind != string(concert.ProposedPerson)) {
			t.Errorf("%s: the event says %+v", role, b)
		}
		if _, _, _, err := newcomer(role).Added(officer("ann"), noon); code(err) != "role.missing" {
			t.Errorf("an officer adds a %s: %v", role, err)
		}
		q, e, err = p.Linked(administrator("ada").Actor(), noon)
		if err != nil || (q.Kind == "") != one || e.Kind != concert.EventPersonLinked {
			t.Errorf("a link for a %s: %q, %v", role, q.Kind, err)
		}
	}
}

func TestG03WhoConfirms(t *testing.T) {
	t.Parallel()
	p, q, _, err := newcomer(concert.RoleOfficer).Added(administrator("ada").Actor(), noon)
	if err != nil {
		t.Fatal(err)
	}
	own, ownQ, _, err := administrator("new").Added(administrator("ada").Actor(), noon)
	if err != nil {
		t.Fatal(err)
	}
	waiting, disabled, gone := administrator("new"), administrator("dis"), p
	waiting.Waits, disabled.DisabledAt, gone.DisabledAt = true, noon, noon
	done := q
	done.ConfirmedAt = noon
	other := newcomer(concert.RoleOfficer)
	other.ID = "other"
	clerk := newcomer(concert.RoleOfficer)
	clerk.ID = "clerk"
	for name, c := range map[string]struct {
		q      concert.Proposal
		by, of concert.Person
		want   string
	}{
		"a second administrator":      {q, administrator("bob"), p, ""},
		"the proposer":                {q, administrator("ada"), p, "person.same_administrator"},
		"about themself":              {ownQ, administrator("new"), own, "person.own"},
		"one who waits":               {q, waiting, p, "person.confirmer"},
		"one who is disabled":         {q, disabled, p, "person.confirmer"},
		"nobody, as a command":        {q, concert.Person{Waits: true}, p, "person.confirmer"},
		"an officer":                  {q, clerk, p, "role.missing"},
		"twice":                       {done, administrator("bob"), p, "person.not_waiting"},
		"for another person":          {q, administrator("bob"), other, "person.not_waiting"},
		"a person disabled meanwhile": {q, administrator("bob"), gone, "person.disabled"},
	} {
		got, who, e, err := c.q.Confirmed(c.by, c.of, noon.Add(time.Hour))
		if code(err) != c.want {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if err != nil {
			continue
		}
		b := e.Body.(concert.RegisterBody)
		if !who.InForce() || got.ConfirmedBy != c.by.ID || e.Kind != concert.EventPersonConfirmed || e.Actor != c.by.ID || b.Proposer != "ada" || b.Person != p.ID {
			t.Errorf("%s: %+v, %+v, %+v", name, got, who, e)
		}
	}
}

func TestG03RolesGrowByTwoAndShrinkByOne(t *testing.T) {
	t.Parallel()
	both := []concert.Role{concert.RoleOfficer, concert.RoleReviewer}
	waiting, gone := newcomer(concert.RoleOfficer), newcomer(concert.RoleOfficer)
	waiting.Waits, gone.DisabledAt = true, noon
	for name, c := range map[string]struct {
		p         concert.Person
		to        []concert.Role
		authority concert.AuthorityID
		want      string // code, "waits" or "at once"
	}{
		"one more":                    {newcomer(concert.RoleOfficer), both, "", "waits"},
		"another":                     {newcomer(concert.RoleOfficer), []concert.Role{concert.RoleReviewer}, "", "waits"},
		"one fewer":                   {newcomer(both...), []concert.Role{concert.RoleOfficer}, "", "at once"},
		"one fewer, another unit":     {newcomer(both...), []concert.Role{concert.RoleOfficer}, "south", "waits"},
		"the same, another unit":      {newcomer(both...), both, "south", "waits"},
		"the same":                    {newcomer(both...), []concert.Role{concert.RoleReviewer, concert.RoleOfficer}, northUnit, "person.roles_same"},
		"to administrator":            {newcomer(concert.RoleOfficer), []concert.Role{concert.RoleAdministrator}, "", "waits"},
		"reader to answerer":          {newcomer(concert.RoleProviderReader), []concert.Role{concert.RoleProviderAnswerer}, "", "at once"},
		"answerer to officer":         {newcomer(concert.RoleProviderAnswerer), []concert.Role{concert.RoleOfficer}, northUnit, "person.side"},
		"answerer to auditor":         {newcomer(concert.RoleProviderAnswerer), []concert.Role{concert.RoleAuditor}, "", "person.side"},
		"auditor to reader":           {newcomer(concert.RoleAuditor), []concert.Role{concert.RoleProviderReader}, "", "person.side"},
		"nothing":                     {newcomer(concert.RoleOfficer), nil, "", "person.no_role"},
		"one who waits":               {waiting, both, "", "person.waits"},
		"one who is disabled":         {gone, both, "", "person.disabled"},
		"administrator and more":      {administrator("bob"), []concert.Role{concert.RoleAdministrator, concert.RoleOfficer}, northUnit, "person.roles_apart"},
		"administrator to no unit":    {administrator("bob"), []concert.Role{concert.RoleReviewer}, "", "person.no_authority"},
		"administrator to a reviewer": {administrator("bob"), []concert.Role{concert.RoleReviewer}, northUnit, "waits"},
	} {
		next, q, e, err := c.p.RolesChanged(administrator("ada").Actor(), c.to, c.authority, noon)
		got := code(err)
		switch {
		case err == nil && q.Kind == "" && e.Kind == concert.EventPersonRolesConfirmed && slices.Equal(next.Roles, c.to):
			got = "at once"
		case err == nil && q.Kind == concert.ProposedRoles && e.Kind == concert.EventPersonRolesProposed && slices.Equal(next.Roles, c.p.Roles) && next.Authority == c.p.Authority:
			got = "waits"
		}
		if got != c.want {
			t.Errorf("%s: %s (%+v, %v), want %s", name, got, q, err, c.want)
		}
		if c.want != "waits" {
			continue
		}
		_, then, e, err := q.Confirmed(administrator("cyd"), next, noon)
		if err != nil || !slices.Equal(then.Roles, c.to) || c.authority != "" && then.Authority != c.authority || e.Kind != concert.EventPersonRolesConfirmed {
			t.Errorf("%s, confirmed: %+v, %v", name, then, err)
		}
		if _, _, _, err := q.Confirmed(administrator("ada"), next, noon); code(err) != "person.same_administrator" {
			t.Errorf("%s, confirmed by its proposer: %v", name, err)
		}
	}
	// A person of both sides would read an authority's desk with one administrator's leave.
	for _, p := range []concert.Person{
		{Name: "x", Login: "x", Roles: []concert.Role{concert.RoleProviderReader}, Provider: videoHost, Authority: northUnit},
		{Name: "x", Login: "x", Roles: []concert.Role{concert.RoleOfficer}, Provider: videoHost, Authority: northUnit},
	} {
		if code(p.Check()) != "person.two_sides" {
			t.Errorf("%v of both sides: %v", p.Roles, p.Check())
		}
	}
	if p := (concert.Person{Name: "x", Login: "op-1234", Roles: []concert.Role{concert.RoleAuditor}}); code(p.Check()) != "person.login" {
		t.Errorf("somebody else's number as a log-in: %v", p.Check())
	}
}

func TestSomebodyIsLeftToGoOn(t *testing.T) {
	t.Parallel()
	gone := administrator("bob")
	gone.DisabledAt = noon
	for name, c := range map[string]struct {
		p    concert.Person
		left int
		want string
	}{
		"one of two":           {administrator("bob"), 2, ""},
		"the last":             {administrator("bob"), 1, "person.last_administrator"},
		"themself":             {administrator("ada"), 3, "person.own"},
		"an officer":           {newcomer(concert.RoleOfficer), 1, ""},
		"somebody gone before": {gone, 3, "person.disabled"},
	} {
		p, e, err := c.p.Disabled(administrator("ada").Actor(), c.left, noon)
		if code(err) != c.want || err == nil && (p.InForce() || e.Kind != concert.EventPersonDisabled) {
			t.Errorf("%s: %v, %+v", name, err, p)
		}
	}
	if _, _, err := administrator("bob").Disabled(officer("ann"), 2, noon); code(err) != "role.missing" {
		t.Errorf("an officer disables: %v", err)
	}
	if _, _, err := gone.Linked(administrator("ada").Actor(), noon); code(err) != "person.disabled" {
		t.Errorf("a link for somebody gone: %v", err)
	}
}
