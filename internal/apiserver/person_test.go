package apiserver_test

import (
	"context"
	"strings"
	"testing"

	"concert/api"
	"concert/internal/testkit"
)

func TestG03EnteringTakesBothHalvesAndTellsNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := context.Background()
	in := api.NewPerson{Name: "New (EXERCISE)", Login: "new", Roles: []string{"officer"}, Authority: d.authority, Languages: testkit.Languages()}
	wantCode(t, d.raw(t, &d.admin, "POST", "/api/v1/people", encode(t, api.NewPerson{Name: "x", Login: "x", Roles: []string{"officer"}, Authority: d.authority, Key: "x"})), 422, "person.key")
	p := must(d.admin.AddPerson(ctx, api.Call{IdempotencyKey: "new"}, in))(t)
	if p.State != "waits" || p.Waiting == nil || p.Key != "" || p.Code != "" {
		t.Fatalf("added: %+v", p)
	}
	if again := must(d.admin.AddPerson(ctx, api.Call{IdempotencyKey: "new"}, in))(t); again.Link != p.Link || again.Waiting.ID != p.Waiting.ID {
		t.Error("repeated, the first answer is another one")
	}
	enter := func(link, code string) answer {
		return d.raw(t, nil, "POST", "/api/v1/enter", encode(t, api.NewEntry{Link: link, Code: code}))
	}
	wantCode(t, enter(p.Link, ""), 403, "login.refused")
	confirm := "/api/v1/people/" + p.ID + "/confirm"
	body := encode(t, api.Confirmation{Proposal: p.Waiting.ID})
	wantCode(t, d.raw(t, &d.admin, "POST", confirm, body), 403, "person.same_administrator")
	wantCode(t, d.raw(t, &d.officer, "POST", confirm, body), 403, "role.missing")
	wantCode(t, d.raw(t, nil, "POST", confirm, body), 401, "credential.missing")
	wantCode(t, d.raw(t, &d.admin2, "POST", confirm, encode(t, api.Confirmation{Proposal: "PP-NONE"})), 409, "person.not_waiting")
	seen := must(d.admin2.Person(ctx, "new"))(t)
	if seen.Name != in.Name || seen.Waiting == nil || seen.Waiting.By == "" || seen.Link != "" {
		t.Errorf("who confirms sees %+v", seen)
	}
	c := must(d.admin2.ConfirmPerson(ctx, api.Call{}, p.ID, api.Confirmation{Proposal: p.Waiting.ID}))(t)
	if c.State != "in_force" || c.Code == "" || c.Link != "" || c.Waiting != nil {
		t.Fatalf("confirmed: %+v", c)
	}

	// Whatever half is wrong, the answer is the same to the byte.
	strange := must(d.admin.AddPerson(ctx, api.Call{}, api.NewPerson{Name: "Other (EXERCISE)", Login: "other", Roles: []string{"auditor"}}))(t)
	want := enter("cso_nothing", "")
	for what, a := range map[string]answer{"no code": enter(p.Link, ""), "no link": enter("", c.Code), "a wrong code": enter(p.Link, "0000-0000"), "another's link": enter(strange.Link, c.Code), "a key as a link": enter(d.admin.Key, c.Code)} {
		if a.status != want.status || a.body != want.body {
			t.Errorf("%s: %d %s, want %d %s", what, a.status, a.body, want.status, want.body)
		}
	}
	e := must((&api.Client{Base: d.url}).Enter(ctx, api.NewEntry{Link: p.Link, Code: strings.ToLower(c.Code)}))(t)
	if e.Operator != p.Operator {
		t.Errorf("entered as %s", e.Operator)
	}
	if a := enter(p.Link, c.Code); a.body != want.body {
		t.Errorf("a used link: %s", a.body)
	}

	// The session is a bearer, and makes keys of its own.
	own := api.Client{Base: d.url, Key: e.Session}
	k := must(own.IssueKey(ctx, api.Call{IdempotencyKey: "k"}, api.NewAPIKey{Name: "laptop"}))(t)
	if again := must(own.IssueKey(ctx, api.Call{IdempotencyKey: "k"}, api.NewAPIKey{Name: "laptop"}))(t); again.Key != k.Key {
		t.Error("repeated, another key")
	}
	if me := must((&api.Client{Base: d.url, Key: k.Key}).Me(ctx))(t); me.Operator != p.Operator {
		t.Errorf("the key speaks for %s", me.Operator)
	}
	keys := must(own.MyKeys(ctx))(t)
	if len(keys.Items) != 1 || keys.Items[0].ID != k.ID || keys.Items[0].Key != "" {
		t.Errorf("listed: %+v", keys.Items)
	}
	wantCode(t, d.raw(t, &d.officer, "POST", "/api/v1/me/keys/"+k.ID+"/revoke", ""), 404, "not_found")
	wantCode(t, d.raw(t, &d.officer, "GET", "/api/v1/people/new/keys", ""), 403, "role.missing")
	if seen := must(d.admin.PersonKeys(ctx, "new"))(t); len(seen.Items) != 1 {
		t.Errorf("an administrator sees %+v", seen.Items)
	}
	if err := own.RevokeKey(ctx, api.Call{}, k.ID); err != nil {
		t.Fatal(err)
	}
	wantCode(t, d.raw(t, &api.Client{Key: k.Key}, "GET", "/api/v1/me", ""), 401, "credential.unknown")
}

func TestPeopleAreListedChangedAndDisabled(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := context.Background()
	wantCode(t, d.raw(t, &d.officer, "GET", "/api/v1/people", ""), 403, "role.missing")
	wantCode(t, d.raw(t, &d.auditor, "GET", "/api/v1/people", ""), 403, "scope.justification")
	people := must(d.admin.People(ctx))(t)
	if len(people.Items) != 10 || people.Items[0].Login != "admin" || people.Items[0].State != "in_force" {
		t.Errorf("%d people, first %+v", len(people.Items), people.Items[0])
	}
	p := must(d.admin.ChangeRoles(ctx, api.Call{}, "officer", api.NewRoles{Roles: []string{"officer", "reviewer"}}))(t)
	if p.Waiting == nil || p.Waiting.Kind != "roles" || len(p.Roles) != 1 {
		t.Fatalf("proposed: %+v", p)
	}
	wantCode(t, d.raw(t, &d.admin, "POST", "/api/v1/people/officer/confirm", encode(t, api.Confirmation{Proposal: p.Waiting.ID})), 403, "person.same_administrator")
	if p = must(d.admin2.ConfirmPerson(ctx, api.Call{}, "officer", api.Confirmation{Proposal: p.Waiting.ID}))(t); len(p.Roles) != 2 || p.Code != "" {
		t.Errorf("confirmed: %+v", p)
	}
	if p = must(d.admin.NewLink(ctx, api.Call{}, "officer"))(t); p.Link == "" || p.Waiting == nil || p.Waiting.Kind != "link" {
		t.Errorf("a new link: %+v", p)
	}
	if p = must(d.admin.DisablePerson(ctx, api.Call{}, "officer"))(t); p.State != "disabled" || p.Waiting != nil {
		t.Errorf("disabled: %+v", p)
	}
	wantCode(t, d.raw(t, &d.officer, "GET", "/api/v1/me", ""), 401, "credential.unknown")
}

// Recruit over a database that an earlier run set up, or began to, gets along.
func TestRecruitGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx, call := context.Background(), api.Call{IdempotencyKey: "recruit"}
	in := api.NewPerson{Name: "New (EXERCISE)", Login: "new", Roles: []string{"officer"}, Authority: d.authority, Languages: testkit.Languages()}
	p := must(d.admin.AddPerson(ctx, call, in))(t)
	if _, err := d.admin2.ConfirmPerson(ctx, api.Call{}, p.ID, api.Confirmation{Proposal: p.Waiting.ID}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		c := must(api.Recruit(ctx, &d.admin, &d.admin2, call, in))(t)
		if me := must(c.Me(ctx))(t); me.Operator != p.Operator {
			t.Errorf("recruited %s, want %s", me.Operator, p.Operator)
		}
	}
}
