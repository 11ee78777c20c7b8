package apiserver_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"concert"
	"concert/api"
	"concert/internal/apiserver"
	"concert/internal/casework"
	"concert/internal/httpkit"
	"concert/internal/testkit"
)

// desk is a small invented deployment behind real HTTP: two authorities, two
// providers that poll, one outlet in scope. Everything is an EXERCISE.
type desk struct {
	svc    *casework.Service
	server *apiserver.Server
	url    string

	admin, admin2             api.Client
	administrators            [2]concert.Actor
	coordinator, auditor      api.Client
	officer, reviewer, second api.Client // of authority A
	foreign                   api.Client // officer of authority B
	provider, other           api.Client // answerers
	outlet                    string
	authority                 string
}

// administrator registers parties, as the operator's commands do. It can propose people, and no more.
var administrator = concert.Actor{Person: "operator", Operator: "operator", Roles: []concert.Role{concert.RoleAdministrator}}

func newDesk(t testing.TB) *desk {
	t.Helper()
	svc := testkit.Service(t, "sqlite")
	d := &desk{svc: svc, server: apiserver.New(svc, svc.Log)}
	mux := http.NewServeMux()
	d.server.Register(mux)
	srv := httptest.NewServer(httpkit.Bounded(svc.Log, httpkit.Security(mux)))
	t.Cleanup(srv.Close)
	d.url, svc.BaseURL = srv.URL, srv.URL
	d.register(t)
	return d
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (d *desk) register(t testing.TB) {
	t.Helper()
	ctx := context.Background()
	person := func(login string, role concert.Role, authority, provider string) api.Client {
		who := must(api.Recruit(ctx, &d.admin, &d.admin2, api.Call{}, api.NewPerson{Login: login, Name: login + " (EXERCISE)", Roles: []string{string(role)}, Authority: authority, Provider: provider, Key: "test", Languages: testkit.Languages()}))(t)
		c := api.Client{Base: who.Base, Key: who.Key}
		if provider == "" && role != concert.RoleAuditor {
			c.Justification = testkit.Why
		}
		return c
	}
	admins := must(d.svc.FirstAdministrators(ctx, concert.Person{Login: "admin", Name: "First (EXERCISE)"}, concert.Person{Login: "admin2", Name: "Second (EXERCISE)"}, true))(t)
	d.admin, d.admin2 = api.Client{Base: d.url, Key: admins[0].Key}, api.Client{Base: d.url, Key: admins[1].Key}
	d.administrators = [2]concert.Actor{admins[0].Actor(), admins[1].Actor()}
	a := must(d.svc.AddAuthority(ctx, administrator, concert.Authority{Name: "Unit A (EXERCISE)", Country: "BE", Kind: concert.KindReferralUnit, Unit: "RU-A", Contact: "desk A"}))(t)
	b := must(d.svc.AddAuthority(ctx, administrator, concert.Authority{Name: "Unit B (EXERCISE)", Country: "ES", Kind: concert.KindReferralUnit, Unit: "RU-B", Contact: "desk B"}))(t)
	d.authority = a.Ref
	d.auditor = person("auditor", concert.RoleAuditor, "", "")
	d.coordinator = person("coordinator", concert.RoleCoordinator, a.Ref, "")
	d.officer, d.reviewer, d.second = person("officer", concert.RoleOfficer, a.Ref, ""), person("reviewer", concert.RoleReviewer, a.Ref, ""), person("second", concert.RoleReviewer, a.Ref, "")
	d.foreign = person("foreign", concert.RoleOfficer, b.Ref, "")
	for i, client := range []*api.Client{&d.provider, &d.other} {
		p, _, err := d.svc.AddProvider(ctx, administrator, concert.Provider{Name: fmt.Sprintf("Provider %d (EXERCISE)", i), Kind: "social", Country: "IE", Channel: concert.ChannelPull, Platforms: []string{fmt.Sprintf("video%d.example", i)}}, false)
		if err != nil {
			t.Fatal(err)
		}
		*client = person(fmt.Sprintf("answerer%d", i), concert.RoleProviderAnswerer, "", p.Ref)
	}
	o := must(d.reviewer.AddOutlet(ctx, api.Call{}, api.NewOutlet{Name: "Invented Outlet (EXERCISE)", Marks: []string{"a made-up logo"}}))(t)
	d.outlet = o.ID
	e := must(d.reviewer.ProposeScope(ctx, api.Call{}, api.NewScopeEntry{Outlet: o.ID, LegalAct: "EXERCISE act 1", Authority: "EXERCISE council", Citation: "EXERCISE journal, p. 1", ListedOn: "2015-01-01"}))(t)
	must(d.second.ConfirmScope(ctx, api.Call{}, e.ID))(t)
}

// run lets the clocks and the log of the deployment go until the test ends.
func (d *desk) run(t testing.TB) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.svc.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		<-done // stopped by the context, which is no failure
	})
}

// place is the location of the n-th invented item of a provider.
func place(provider, n int) string {
	return fmt.Sprintf("https://video%d.example/watch/EXERCISE-%d", provider, n)
}

// seen is a small capture that comes along with an item: a saved page, seen now.
func seen() []api.InlineCapture {
	return []api.InlineCapture{{Kind: "page", Vantage: "EXERCISE desk", Bytes: []byte("<!doctype html><title>EXERCISE</title><p>a made-up page")}}
}

func (d *desk) judgement() api.NewAssessment {
	return api.NewAssessment{Type: "incites", Purpose: "no_protected_purpose", Outlet: d.outlet, Mark: "a made-up logo", MarkWhere: "top left", Language: "en", Severity: "threat_to_life", Evaluation: "A1",
		Facts: "EXERCISE: nothing is to be seen here", Judgement: "EXERCISE: invented for a test only"}
}

// refer takes items through the chain and returns their references.
func (d *desk) refer(t testing.TB, locations ...string) []string {
	t.Helper()
	ctx := context.Background()
	in := api.NewItems{}
	for _, l := range locations {
		in.Items = append(in.Items, api.NewItem{Location: l, Type: "video", Captures: seen()})
	}
	rs := must(d.officer.SubmitItems(ctx, api.Call{}, in))(t)
	judged := api.NewAssessments{}
	var refs []string
	for _, r := range rs.Results {
		if r.Problem != nil {
			t.Fatalf("submit: %v", r.Problem)
		}
		refs = append(refs, r.ID)
		judged.Assessments = append(judged.Assessments, api.BatchAssessment{Item: r.ID, Version: r.Version, NewAssessment: d.judgement()})
	}
	rs = must(d.officer.AssessItems(ctx, api.Call{}, judged))(t)
	// Urgent items leave at once: held until all are approved, they leave together.
	must(d.svc.HoldDispatch(ctx, d.administrators[0], "EXERCISE: items are approved one by one"))(t)
	for _, r := range rs.Results {
		if r.Problem != nil {
			t.Fatalf("assess: %v", r.Problem)
		}
		decided := api.NewDecisions{Decisions: []api.BatchDecision{{Item: r.ID, Version: r.Version, NewDecision: api.NewDecision{Decision: "approve"}}}}
		if out := must(d.reviewer.DecideItems(ctx, api.Call{}, decided))(t); out.Results[0].Problem != nil {
			t.Fatalf("approve: %v", out.Results[0].Problem)
		}
	}
	must(d.svc.ReleaseDispatch(ctx, d.administrators[0], "EXERCISE: all are approved"))(t)
	return refs
}

// awaitInbox polls a provider's inbox until n notices are there.
func awaitInbox(t testing.TB, c *api.Client, n int) []api.InboxEntry {
	t.Helper()
	var got []api.InboxEntry
	await(t, func() bool {
		in := must(c.Inbox(context.Background(), "", 500))(t)
		got = in.Entries
		return len(got) >= n
	})
	return got
}

// await asks again and again until ok or half a minute has passed.
func await(t testing.TB, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(30 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("it did not happen within 30 s")
		}
	}
}

// answer is a raw HTTP answer.
type answer struct {
	status int
	header http.Header
	body   string
}

// problem decodes the answer as a problem document and checks its form.
func (a answer) problem(t testing.TB) api.Problem {
	t.Helper()
	var p api.Problem
	if ct := a.header.Get("Content-Type"); ct != "application/problem+json" {
		t.Fatalf("status %d has Content-Type %q, want application/problem+json: %.200s", a.status, ct, a.body)
	}
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		t.Fatalf("problem document: %v: %.200s", err, a.body)
	}
	if p.Status != a.status || p.Code == "" || p.Title == "" || p.Detail == "" || p.Type != httpkit.ProblemBase+p.Code {
		t.Fatalf("problem document is not whole: %s", a.body)
	}
	return p
}

// raw sends one request; headers come in pairs.
func (d *desk) raw(t testing.TB, c *api.Client, method, path, body string, headers ...string) answer {
	t.Helper()
	var r io.Reader = http.NoBody
	if body != "" {
		r = bytes.NewReader([]byte(body))
	}
	req, err := http.NewRequest(method, d.url+path, r)
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if c != nil {
		req.Header.Set("Authorization", "Bearer "+c.Key)
		if c.Justification != "" {
			req.Header.Set(api.HeaderJustification, api.JustificationValue(c.Justification))
		}
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(got)}
}

func (d *desk) submit(t testing.TB, location string) api.Item {
	t.Helper()
	return must(d.officer.SubmitItem(context.Background(), api.Call{}, api.NewItem{Location: location, Type: "video", Captures: seen()}))(t)
}

func encode(t testing.TB, v any) string {
	t.Helper()
	return string(must(json.Marshal(v))(t))
}

func wantCode(t testing.TB, a answer, status int, code string) {
	t.Helper()
	p := a.problem(t)
	if a.status != status || p.Code != code {
		t.Errorf("got %d %s (%s), want %d %s", a.status, p.Code, p.Detail, status, code)
	}
}

// short cuts a text for a message.
func short(s string) string { return strings.TrimSpace(s[:min(len(s), 80)]) }
