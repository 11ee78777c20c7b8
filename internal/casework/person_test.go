package casework_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/identity"
	"concert/internal/store"
	"concert/internal/testkit"
)

// machine is who runs commands on the machine itself.
var machine = concert.Actor{Person: "operator", Operator: "operator", Roles: []concert.Role{concert.RoleAdministrator}}

func invented(login string, roles ...concert.Role) concert.Person {
	return concert.Person{Name: "EXERCISE " + login, Login: login, Roles: roles, Languages: testkit.Languages()}
}

// alone is one administrator who tries to act as an officer and a reviewer.
type alone struct {
	*testkit.House
	t   *testing.T
	ada concert.Actor
}

func (h alone) refused(what, want string, err error) {
	h.t.Helper()
	if code(err) != want {
		h.t.Errorf("%s: %v, want %s", what, err, want)
	}
}

// shut wants that these two halves open nothing and tell nothing.
func (h alone) shut(what, token, code string) {
	h.t.Helper()
	session, p, err := h.Enter(h.t.Context(), token, code)
	h.refused(what, "login.refused", err)
	if session != "" || p.ID != "" {
		h.t.Errorf("%s: it tells of %q", what, p.Login)
	}
}

// waiting is the reference of what waits about somebody.
func (h alone) waiting(login string) string {
	h.t.Helper()
	v, err := h.ReadPerson(h.t.Context(), testkit.Scope(h.t, h.ada), login)
	testkit.Must(h.t, err)
	return v.Waiting.Ref
}

func TestG03OneAdministratorWithTwoSelfMadeAccountsGetsNothingOut(t *testing.T) {
	inHouse(t, func(t *testing.T, house *testkit.House) {
		h := alone{house, t, house.Admin}
		h.ownAccount("mine-officer", concert.RoleOfficer)
		h.ownAccount("mine-reviewer", concert.RoleReviewer)
		puppet := h.ownAdministrator()
		h.roundAProvider()
		h.moreRoles()
		h.othersAccount()

		// Nothing came of it: nobody is in force but who was brought in by two.
		_, err := h.SubmitItems(t.Context(), puppet, []casework.Submission{{Location: testkit.Page(2)}})
		h.refused("an administrator submits", "role.missing", err)
		people, err := h.People(t.Context(), testkit.Scope(t, h.ada))
		testkit.Must(t, err)
		for _, p := range people {
			if mine := slices.Contains([]string{"mine-officer", "mine-reviewer", "puppet"}, p.Login); p.InForce() == mine {
				t.Errorf("%s in force: %v", p.Login, p.InForce())
			}
		}
	})
}

// ownAccount makes an account by oneself, and tries its link, keys, a confirmation and a password.
func (h alone) ownAccount(login string, role concert.Role) {
	h.t.Helper()
	ctx := h.t.Context()
	_, err := h.AddPerson(ctx, h.ada, invented(login, role), h.North.Ref, "", "key")
	h.refused("a key with the account", "person.key", err)
	p, err := h.AddPerson(ctx, h.ada, invented(login, role), h.North.Ref, "", "")
	testkit.Must(h.t, err)
	if p.Key != "" || p.InForce() {
		h.t.Errorf("%s is in force with one administrator", login)
	}
	link := testkit.Token(p.Link)
	h.shut("the link alone", link, "")
	_, err = h.Bearer(ctx, link)
	h.refused("the link as a session", "credential.unknown", err)
	_, _, err = h.ConfirmPerson(ctx, h.ada, login, p.Proposal)
	h.refused("confirming one's own", "person.same_administrator", err)
	_, _, err = h.ConfirmPerson(ctx, machine, login, p.Proposal)
	h.refused("confirming as the machine's operator", "person.confirmer", err)
	forged := h.ada
	forged.Person = p.ID
	_, _, err = h.ConfirmPerson(ctx, forged, login, p.Proposal)
	h.refused("confirming as the one it is about", "person.confirmer", err)
	h.shut("the link alone, after all that", link, "0000-0000")
	_, _, err = h.IssueKey(ctx, p.Actor(), "mine")
	h.refused("a key of the account's own", "credential.unknown", err)
	_, _, err = h.ChangeRoles(ctx, h.ada, login, []concert.Role{concert.RoleOfficer, concert.RoleReviewer}, "")
	h.refused("other roles while it waits", "person.waits", err)
	testkit.Must(h.t, h.SetPassword(ctx, p.Actor(), "EXERCISE correct horse 7 staple"))
	_, err = h.Login(ctx, login, "EXERCISE correct horse 7 staple")
	h.refused("a password", "login.refused", err)
}

// ownAdministrator makes a second administrator, who is none.
func (h alone) ownAdministrator() concert.Actor {
	h.t.Helper()
	ctx := h.t.Context()
	puppet, err := h.AddPerson(ctx, h.ada, invented("puppet", concert.RoleAdministrator), "", "", "")
	testkit.Must(h.t, err)
	_, _, err = h.ConfirmPerson(ctx, puppet.Actor(), "mine-officer", h.waiting("mine-officer"))
	h.refused("confirming as a self-made administrator", "person.confirmer", err)
	_, _, err = h.ConfirmPerson(ctx, puppet.Actor(), "puppet", puppet.Proposal)
	h.refused("a self-made administrator confirms itself", "person.confirmer", err)
	h.shut("its link", testkit.Token(puppet.Link), "")
	return puppet.Actor()
}

// roundAProvider takes the way of a provider's person, whom one administrator is enough for.
func (h alone) roundAProvider() {
	h.t.Helper()
	ctx := h.t.Context()
	_, err := h.AddPerson(ctx, h.ada, invented("both-sides", concert.RoleProviderReader), h.North.Ref, h.Pulled.Ref, "key")
	h.refused("a provider's person with an authority", "person.two_sides", err)
	trojan, err := h.AddPerson(ctx, h.ada, invented("trojan", concert.RoleProviderAnswerer), "", h.Pulled.Ref, "key")
	testkit.Must(h.t, err)
	for _, role := range []concert.Role{concert.RoleOfficer, concert.RoleReviewer, concert.RoleCoordinator, concert.RoleAuditor, concert.RoleAdministrator} {
		_, _, err = h.ChangeRoles(ctx, h.ada, "trojan", []concert.Role{role}, h.North.Ref)
		h.refused("a provider's person becomes "+string(role), "person.side", err)
	}
	_, err = h.SubmitItems(ctx, trojan.Actor(), []casework.Submission{{Location: testkit.Page(1)}})
	h.refused("a provider's person submits", "role.missing", err)
}

// moreRoles gives somebody who has one role another.
func (h alone) moreRoles() {
	h.t.Helper()
	ctx := h.t.Context()
	officer := h.Person("colleague", h.North.Ref, "", concert.RoleOfficer)
	session, _, err := h.Enter(ctx, h.Links["colleague"], h.Codes["colleague"])
	testkit.Must(h.t, err)
	_, proposal, err := h.ChangeRoles(ctx, h.ada, "colleague", []concert.Role{concert.RoleOfficer, concert.RoleReviewer}, "")
	testkit.Must(h.t, err)
	_, _, err = h.ConfirmPerson(ctx, h.ada, "colleague", proposal)
	h.refused("confirming one's own roles", "person.same_administrator", err)
	if now, err := h.Bearer(ctx, session); err != nil || !slices.Equal(now.Roles, officer.Roles) {
		h.t.Errorf("proposed roles count: %v, %v", now.Roles, err)
	}
}

// othersAccount makes a new link into somebody else's account: one half, and no code.
func (h alone) othersAccount() {
	h.t.Helper()
	ctx := h.t.Context()
	link, proposal, err := h.NewLink(ctx, h.ada, "colleague")
	testkit.Must(h.t, err)
	h.shut("a new link alone", testkit.Token(link), "")
	h.shut("a new link with an old code", testkit.Token(link), h.Codes["colleague"])
	_, _, err = h.ConfirmPerson(ctx, h.ada, "colleague", proposal)
	h.refused("confirming one's own link", "person.same_administrator", err)
	_, _, err = h.NewLink(ctx, h.ada, "second-admin")
	testkit.Must(h.t, err)
	_, _, err = h.ConfirmPerson(ctx, h.SecondAdmin, "second-admin", h.waiting("second-admin"))
	h.refused("confirming what is about oneself", "person.own", err)

	// What was replaced can neither be confirmed nor used.
	newer, _, err := h.NewLink(ctx, h.ada, "colleague")
	testkit.Must(h.t, err)
	_, _, err = h.ConfirmPerson(ctx, h.SecondAdmin, "colleague", proposal)
	h.refused("confirming what was replaced", "person.not_waiting", err)
	_, half, err := h.ConfirmPerson(ctx, h.SecondAdmin, "colleague", h.waiting("colleague"))
	testkit.Must(h.t, err)
	h.shut("the replaced link with the new code", testkit.Token(link), half)
	h.shut("the code alone", "", half)
	h.shut("the code as a link", half, half)
	if _, _, err := h.Enter(ctx, testkit.Token(newer), half); err != nil {
		h.t.Errorf("both halves: %v", err)
	}
}

func TestG03AFewWrongCodesEndALink(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.Person("guessed", h.North.Ref, "", concert.RoleOfficer)
		link, half := h.Links["guessed"], h.Codes["guessed"]
		wrong := "ZZZZ-ZZZZ"
		for range store.EntryTries {
			if _, _, err := h.Enter(t.Context(), link, wrong); code(err) != "login.refused" {
				t.Fatalf("a wrong code: %v", err)
			}
		}
		if _, _, err := h.Enter(t.Context(), link, half); code(err) != "login.refused" {
			t.Errorf("the right code after %d wrong ones: %v", store.EntryTries, err)
		}
		raw := testkit.Raw(t, h.Service)
		var n int
		testkit.Must(t, raw.QueryRow("SELECT count(*) FROM event WHERE kind = 'key.revoked'").Scan(&n))
		if n != 1 {
			t.Errorf("the end of the link is told %d times", n)
		}
		h.Person("careful", h.North.Ref, "", concert.RoleOfficer)
		for range store.EntryTries - 1 {
			if _, _, err := h.Enter(t.Context(), h.Links["careful"], wrong); code(err) != "login.refused" {
				t.Fatal(err)
			}
		}
		// What cannot be a code is no try.
		for _, c := range []string{"", "K7M3", half + "X", "", "", ""} {
			if _, _, err := h.Enter(t.Context(), h.Links["careful"], c); code(err) != "login.refused" {
				t.Fatalf("code %q: %v", c, err)
			}
		}
		// As people write it down.
		if _, _, err := h.Enter(t.Context(), h.Links["careful"], " "+strings.ToLower(strings.ReplaceAll(h.Codes["careful"], "-", ""))+" "); err != nil {
			t.Errorf("the right code in the last try: %v", err)
		}
	})
}

// A node of before this rule, beside a newer one, makes links without a second half.
func TestG03AnOlderNodesLinkNeedsItsSecondHalf(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		for name, c := range map[string]struct {
			who     concert.PersonID
			refused bool
		}{"link": {h.North.Officers[0].Person, true}, "first log-in": {h.Auditor.Person, true}, "new": {h.Reader.Person, false}} {
			token, digest := identity.NewToken(identity.OneTimeToken)
			testkit.Must(t, h.DB.Update(t.Context(), func(tx *store.Tx) error {
				return tx.AddCredential(t.Context(), store.Credential{Digest: digest, Kind: "link", Person: c.who, Name: name, CreatedAt: time.Now()})
			}))
			if _, _, err := h.Enter(t.Context(), token, ""); (code(err) == "login.refused") != c.refused {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, p, err := h.Enter(t.Context(), h.Links["admin"], ""); err != nil || p.ID != h.Admin.Person {
			t.Errorf("a first administrator: %v", err)
		}
	})
}

func TestG03TheLogNamesBothAdministrators(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		who := h.Person("logged", h.North.Ref, "", concert.RoleOfficer)
		_, proposal, err := h.ChangeRoles(ctx, h.SecondAdmin, "logged", []concert.Role{concert.RoleReviewer}, h.South.Ref)
		testkit.Must(t, err)
		now, _, err := h.ConfirmPerson(ctx, h.Admin, "logged", proposal)
		testkit.Must(t, err)
		if now.Authority != h.South.ID || !slices.Equal(now.Roles, []concert.Role{concert.RoleReviewer}) {
			t.Errorf("confirmed: %+v", now)
		}
		if _, err := h.DisablePerson(ctx, h.Admin, "logged"); err != nil {
			t.Fatal(err)
		}
		rows, err := testkit.Raw(t, h.Service).Query(map[string]string{"sqlite": "SELECT kind, actor, body FROM event WHERE subject = ? ORDER BY id", "postgres": "SELECT kind, actor, body FROM event WHERE subject = $1 ORDER BY id"}[h.DB.Dialect()], string(who.Person))
		testkit.Must(t, err)
		defer rows.Close()
		var got []string
		for rows.Next() {
			var kind, actor string
			var text []byte
			testkit.Must(t, rows.Scan(&kind, &actor, &text))
			var b concert.RegisterBody
			testkit.Must(t, json.Unmarshal(text, &b))
			name := map[string]string{string(h.Admin.Person): "first", string(h.SecondAdmin.Person): "second"}
			got = append(got, kind+" by "+name[actor]+" after "+name[string(b.Proposer)])
		}
		testkit.Must(t, rows.Err())
		want := []string{"person.added by first after first", "person.confirmed by second after first", "person.roles_proposed by second after second", "person.roles_confirmed by first after second", "person.disabled by first after "}
		if !slices.Equal(got, want) {
			t.Errorf("the log tells\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

func TestADisabledPersonsCredentialsAllEnd(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		const password = "EXERCISE correct horse 7 staple"
		who := h.Person("leaving", h.North.Ref, "", concert.RoleOfficer)
		session, _, err := h.Enter(ctx, h.Links["leaving"], h.Codes["leaving"])
		testkit.Must(t, err)
		p, err := h.Bearer(ctx, session)
		testkit.Must(t, err)
		key, made, err := h.IssueKey(ctx, who, "EXERCISE script")
		testkit.Must(t, err)
		testkit.Must(t, h.SetPassword(ctx, p.Actor(), password))
		for _, token := range []string{session, key} {
			if p, err := h.Bearer(ctx, token); err != nil || p.ID != who.Person {
				t.Fatalf("before: %v", err)
			}
		}
		link, proposal, err := h.NewLink(ctx, h.Admin, "leaving")
		testkit.Must(t, err)
		_, half, err := h.ConfirmPerson(ctx, h.SecondAdmin, "leaving", proposal)
		testkit.Must(t, err)
		if _, err := h.DisablePerson(ctx, h.Coordinator, "leaving"); code(err) != "role.missing" {
			t.Errorf("a coordinator disables: %v", err)
		}
		_, err = h.DisablePerson(ctx, h.Admin, "leaving")
		testkit.Must(t, err)
		for _, token := range []string{session, key} {
			if _, err := h.Bearer(ctx, token); code(err) != "credential.unknown" {
				t.Errorf("after: %v", err)
			}
		}
		if _, err := h.Login(ctx, "leaving", password); code(err) != "login.refused" {
			t.Errorf("the password: %v", err)
		}
		if _, _, err := h.Enter(ctx, testkit.Token(link), half); code(err) != "login.refused" {
			t.Errorf("a link that was under way: %v", err)
		}
		if _, _, err := h.NewLink(ctx, h.Admin, "leaving"); code(err) != "person.disabled" {
			t.Errorf("a new link: %v", err)
		}
		if err := h.RevokeKey(ctx, h.Admin, made.ID); code(err) != "not_found" {
			t.Errorf("its key is still there: %v", err)
		}

		// What a disabled administrator proposed goes with it; the last one stays.
		left, err := h.AddPerson(ctx, h.SecondAdmin, invented("left-over", concert.RoleAuditor), "", "", "")
		testkit.Must(t, err)
		if _, err := h.DisablePerson(ctx, h.Admin, "admin"); code(err) != "person.own" {
			t.Errorf("oneself: %v", err)
		}
		_, err = h.DisablePerson(ctx, h.Admin, "second-admin")
		testkit.Must(t, err)
		if _, _, err := h.ConfirmPerson(ctx, h.Admin, "left-over", left.Proposal); code(err) != "person.not_waiting" {
			t.Errorf("what a disabled administrator proposed: %v", err)
		}
		if _, err := h.DisablePerson(ctx, machine, "admin"); code(err) != "person.last_administrator" {
			t.Errorf("the last one: %v", err)
		}
		if _, err := h.DisablePerson(ctx, h.SecondAdmin, "admin"); code(err) != "person.last_administrator" {
			t.Errorf("by one who is disabled: %v", err)
		}
	})
}

func TestEveryoneMakesTheirOwnKeys(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx, ann, bea := t.Context(), h.North.Officers[0], h.North.Officers[1]
		if _, _, err := h.IssueKey(ctx, ann, "  "); code(err) != "key.name" {
			t.Errorf("a key without a name: %v", err)
		}
		key, made, err := h.IssueKey(ctx, ann, "EXERCISE laptop")
		testkit.Must(t, err)
		if p, err := h.Bearer(ctx, key); err != nil || p.ID != ann.Person {
			t.Errorf("the key speaks for %s, %v", p.Login, err)
		}
		own, err := h.ListKeys(ctx, ann, "")
		if err != nil || len(own) != 1 || own[0].ID != made.ID || own[0].Name != "EXERCISE laptop" {
			t.Errorf("its own: %+v, %v", own, err)
		}
		if _, err := h.ListKeys(ctx, bea, ann.Operator); code(err) != "role.missing" {
			t.Errorf("another's: %v", err)
		}
		if seen, err := h.ListKeys(ctx, h.Admin, ann.Operator); err != nil || len(seen) != 1 {
			t.Errorf("an administrator sees %v, %v", seen, err)
		}
		for _, id := range []string{made.ID, "ak_0000000000000000", "ak_", "nonsense", key} {
			if err := h.RevokeKey(ctx, bea, id); code(err) != "not_found" {
				t.Errorf("another revokes %.5s: %v", id, err)
			}
		}
		testkit.Must(t, h.RevokeKey(ctx, ann, made.ID))
		if _, err := h.Bearer(ctx, key); code(err) != "credential.unknown" {
			t.Errorf("after: %v", err)
		}
		_, made, err = h.IssueKey(ctx, ann, "EXERCISE lost")
		testkit.Must(t, err)
		testkit.Must(t, h.RevokeKey(ctx, h.Admin, made.ID))
		if own, err := h.ListKeys(ctx, ann, ""); err != nil || len(own) != 0 {
			t.Errorf("left: %v, %v", own, err)
		}
	})
}

// Two administrators who disable each other at one moment leave one of them.
func TestTwoAdministratorsCannotDisableEachOther(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		done := make(chan error, 2)
		go func() { _, err := h.DisablePerson(t.Context(), h.Admin, "second-admin"); done <- err }()
		go func() { _, err := h.DisablePerson(t.Context(), h.SecondAdmin, "admin"); done <- err }()
		one, two := <-done, <-done
		if (one == nil) == (two == nil) {
			t.Errorf("%v and %v", one, two)
		}
	})
}
