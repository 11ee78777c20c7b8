package webui

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/net/html"

	"concert"
	"concert/internal/casework"
	"concert/internal/httpkit"
	"concert/internal/identity"
	"concert/internal/lookup"
	"concert/internal/match"
	"concert/internal/netguard"
	"concert/internal/store"
	"concert/internal/testkit"
)

// house is a whole deployment behind the door: a real service on a real
// database, two units, a provider, an action. All of it is EXERCISE.
type house struct {
	t        testing.TB
	svc      *casework.Service
	hub      *casework.Hub
	ui       *UI
	log      *bytes.Buffer
	server   *httptest.Server
	admin    concert.Actor
	second   concert.Actor // confirms what admin proposes
	units    []concert.Authority
	provider concert.Provider
	outlet   concert.Outlet
	action   concert.Action
	people   map[string]concert.Person
	links    map[string]string
	codes    map[string]string
}

func open(t testing.TB) *house {
	t.Helper()
	ctx := t.Context()
	keys, err := identity.NewKeyRing(bytes.Repeat([]byte{7}, 32))
	must(t, err)
	db, err := store.Open(ctx, filepath.Join(t.TempDir(), "concert.db"), keys)
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	hasher, err := identity.NewHasher(identity.ExerciseParams(), 2)
	must(t, err)
	skey, vkey, err := note.GenerateKey(nil, "exercise.example/log")
	must(t, err)
	signer, err := note.NewSigner(skey)
	must(t, err)
	h := &house{t: t, log: &bytes.Buffer{}, people: map[string]concert.Person{}, links: map[string]string{}, codes: map[string]string{}}
	log := slog.New(slog.NewTextHandler(h.log, nil))
	h.svc = &casework.Service{DB: db, Rules: match.DefaultRules(), Hasher: hasher, Transport: identity.NewSigningKey(), LogSigner: signer, LogKey: vkey, Origin: "exercise.example/log",
		Lookup: lookup.New(lookup.Options{Guard: netguard.Guard{}, Vantage: "test"}), Vantage: "test", Exercise: true, SecondFactor: concert.FactorOffered, Log: log}
	h.hub = casework.NewHub(h.svc)
	mux := http.NewServeMux()
	h.server = httptest.NewUnstartedServer(httpkit.Security(httpkit.Bounded(log, mux)))
	h.server.Start()
	t.Cleanup(func() { h.server.CloseClientConnections(); h.server.Close() })
	h.svc.BaseURL = h.server.URL
	h.ui, err = New(h.svc, h.hub, log)
	must(t, err)
	h.ui.Register(mux)
	h.furnish(ctx)
	return h
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// furnish registers who and what every test needs.
func (h *house) furnish(ctx context.Context) {
	h.t.Helper()
	two, err := h.svc.FirstAdministrators(ctx, concert.Person{Name: "EXERCISE Administrator", Login: "admin"}, concert.Person{Name: "EXERCISE Second", Login: "admin2"}, false)
	must(h.t, err)
	h.admin, h.second = two[0].Actor(), two[1].Actor()
	for _, p := range two {
		h.people[p.Login], h.links[p.Login] = p.Person, p.Link
	}
	for _, a := range []concert.Authority{
		{Name: "EXERCISE Unit North", Country: "XN", Kind: concert.KindReferralUnit, Unit: "NORTH", Contact: "desk 1"},
		{Name: "EXERCISE Unit South", Country: "XS", Kind: concert.KindReferralUnit, Unit: "SOUTH", Contact: "desk 2"},
		{Name: "EXERCISE Court", Country: "XN", Kind: concert.KindCourt, Unit: "COURT", Contact: "desk 3"},
	} {
		a, err := h.svc.AddAuthority(ctx, h.admin, a)
		must(h.t, err)
		h.units = append(h.units, a)
	}
	h.provider, _, err = h.svc.AddProvider(ctx, h.admin, concert.Provider{Name: "EXERCISE Video", Kind: "social", Country: "XN", Channel: concert.ChannelPull, Platforms: []string{"video.example"}}, false)
	must(h.t, err)
	h.join(ctx, "officer", h.units[0].Ref, "", concert.RoleOfficer)
	h.join(ctx, "both", h.units[0].Ref, "", concert.RoleOfficer, concert.RoleReviewer)
	h.join(ctx, "reviewer", h.units[0].Ref, "", concert.RoleReviewer)
	h.join(ctx, "south", h.units[1].Ref, "", concert.RoleOfficer)
	h.join(ctx, "coordinator", h.units[2].Ref, "", concert.RoleCoordinator)
	h.join(ctx, "auditor", "", "", concert.RoleAuditor)
	h.join(ctx, "answerer", "", h.provider.Ref, concert.RoleProviderAnswerer)
	h.join(ctx, "reader", "", h.provider.Ref, concert.RoleProviderReader)
	coordinator := h.people["coordinator"].Actor()
	h.outlet, err = h.svc.AddOutlet(ctx, coordinator, concert.Outlet{Name: "EXERCISE Outlet <b>", Aliases: []string{"EXO"}}, "")
	must(h.t, err)
	now := time.Now()
	e, err := h.svc.ProposeScope(ctx, coordinator, h.outlet.Ref, concert.ScopeEntry{LegalAct: "EXERCISE Decision 1/2019", Authority: "EXERCISE Council", Citation: "EXERCISE Journal L 1", ListedOn: now.Add(-48 * time.Hour)})
	must(h.t, err)
	_, err = h.svc.ConfirmScope(ctx, h.people["reviewer"].Actor(), e.Ref)
	must(h.t, err)
	h.action, err = h.svc.OpenAction(ctx, coordinator, h.units[2].Ref, concert.Action{Name: "EXERCISE Referral Action Day", Mandate: "EXERCISE mandate 1", StartsAt: now.Add(-24 * time.Hour), EndsAt: now.Add(72 * time.Hour), Target: 40})
	must(h.t, err)
	for _, a := range h.units[:2] {
		must(h.t, h.svc.JoinAction(ctx, coordinator, h.action.Ref, a.Ref, concert.PartSupport))
	}
	must(h.t, h.svc.TargetAction(ctx, coordinator, h.action.Ref, h.outlet.Ref))
}

func (h *house) join(ctx context.Context, login, authority, provider string, roles ...concert.Role) {
	h.t.Helper()
	p, err := h.svc.AddPerson(ctx, h.admin, concert.Person{Name: "EXERCISE " + login, Login: login, Roles: roles, Languages: testkit.Languages()}, authority, provider, "")
	must(h.t, err)
	h.people[login], h.links[login] = p.Person, p.Link
	if p.Proposal != "" {
		h.people[login], h.codes[login], err = h.svc.ConfirmPerson(ctx, h.second, login, p.Proposal)
		must(h.t, err)
	}
}

// work runs clocks, jobs, log and hub until the test ends.
func (h *house) work() {
	h.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 2)
	go func() { done <- h.svc.Run(ctx) }()
	go func() { done <- h.hub.Run(ctx) }()
	h.t.Cleanup(func() {
		stop()
		for range 2 {
			<-done
		}
	})
}

// submit hands in n finds of the officer's and returns their references.
func (h *house) submit(who string, n, from int, action string) []string {
	h.t.Helper()
	var in []casework.Submission
	for i := range n {
		in = append(in, casework.Submission{Location: fmt.Sprintf("https://video.example/watch?v=ex%06dAb", from+i), Type: concert.TypeVideo, Action: action, Evaluation: "A1", Source: "form", Captures: testkit.Seen("EXERCISE")})
	}
	rs, err := h.svc.SubmitItems(h.t.Context(), h.people[who].Actor(), in)
	must(h.t, err)
	var refs []string
	for _, r := range rs {
		if r.Err != nil {
			h.t.Fatal(r.Err)
		}
		refs = append(refs, r.Ref)
	}
	return refs
}

// assessed assesses items of the officer's, first version.
func (h *house) assessed(who string, refs []string, severity concert.Severity) {
	h.t.Helper()
	var in []casework.Judging
	for _, ref := range refs {
		in = append(in, casework.Judging{Item: ref, Version: 1, Outlet: h.outlet.Ref, Assessment: concert.Assessment{Type: concert.Incites, Purpose: concert.PurposeNone, Mark: "EXERCISE logo", MarkWhere: "top right", Language: "ar", Severity: severity, Evaluation: "A1",
			Facts: "EXERCISE: a made-up video with a made-up logo.", Judgement: "EXERCISE: would incite, were it real."}})
	}
	rs, err := h.svc.AssessItems(h.t.Context(), h.people[who].Actor(), in)
	must(h.t, err)
	for _, r := range rs {
		if r.Err != nil {
			h.t.Fatal(r.Err)
		}
	}
}

// approved approves assessed items, second version, each alone.
func (h *house) approved(who string, refs []string) {
	h.t.Helper()
	for _, ref := range refs {
		rs, err := h.svc.DecideItems(h.t.Context(), h.people[who].Actor(), []casework.Deciding{{Item: ref, Version: 2, Decision: concert.Approve}})
		must(h.t, err)
		if rs[0].Err != nil {
			h.t.Fatal(rs[0].Err)
		}
	}
}

// visitor is somebody with a browser that runs no scripts.
type visitor struct {
	t    testing.TB
	base string
	http *http.Client
	csrf string
}

// visitor is a browser without a session.
func (h *house) visitor() *visitor {
	h.t.Helper()
	jar, err := cookiejar.New(nil)
	must(h.t, err)
	return &visitor{t: h.t, base: h.server.URL, http: &http.Client{Jar: jar, Timeout: 20 * time.Second}}
}

// working is what an authority's people read for in these tests.
const working = "EXERCISE desk work of the day"

// as is a visitor who came in by their one-time link, and who said what they
// work on where they are of an authority.
func (h *house) as(login string) *visitor {
	h.t.Helper()
	v := h.visitor()
	p := v.post("/enter", url.Values{"token": {h.links[login]}, "code": {h.codes[login]}})
	if p.status != http.StatusOK || p.path != "/password" {
		h.t.Fatalf("%s entered to %s with %d:\n%s", login, p.path, p.status, p.text())
	}
	if who := h.people[login]; who.Authority != "" {
		v.post("/justification", url.Values{"justification": {working}, "next": {"/password"}}).want(h.t, http.StatusOK)
	}
	return v
}

// page is an answer, parsed and checked.
type page struct {
	status int
	path   string // after redirects
	header http.Header
	body   string
	doc    *html.Node
}

func (v *visitor) get(path string) *page {
	v.t.Helper()
	res, err := v.http.Get(v.base + path)
	return v.read(res, err)
}

// post sends a form with the token of the page seen last.
func (v *visitor) post(path string, form url.Values) *page {
	v.t.Helper()
	if v.csrf != "" && !form.Has("csrf") {
		form.Set("csrf", v.csrf)
	}
	res, err := v.http.PostForm(v.base+path, form)
	return v.read(res, err)
}

func (v *visitor) read(res *http.Response, err error) *page {
	v.t.Helper()
	must(v.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	must(v.t, err)
	p := &page{status: res.StatusCode, path: res.Request.URL.Path, header: res.Header, body: string(body)}
	if !strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
		return p
	}
	p.doc, err = html.Parse(bytes.NewReader(body))
	must(v.t, err)
	checkPage(v.t, p)
	if token := p.first(tagWith("input", "name", "csrf")); token != nil {
		v.csrf = attr(token, "value")
	}
	return p
}

// selector picks elements.
type selector func(*html.Node) bool

func tag(name string) selector {
	return func(n *html.Node) bool { return n.Type == html.ElementNode && n.Data == name }
}

func tagWith(name, key, value string) selector {
	return func(n *html.Node) bool { return tag(name)(n) && attr(n, key) == value }
}

func class(name, class string) selector {
	return func(n *html.Node) bool {
		return tag(name)(n) && slices.Contains(strings.Fields(attr(n, "class")), class)
	}
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func hasAttr(n *html.Node, key string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == key })
}

func all(root *html.Node, s selector) []*html.Node {
	var out []*html.Node
	for n := range root.Descendants() {
		if s(n) {
			out = append(out, n)
		}
	}
	return out
}

func (p *page) all(s selector) []*html.Node { return all(p.doc, s) }

func (p *page) first(s selector) *html.Node {
	if found := p.all(s); len(found) > 0 {
		return found[0]
	}
	return nil
}

func textOf(n *html.Node) string {
	if n == nil {
		return ""
	}
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
			b.WriteByte(' ')
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func (p *page) text() string {
	if p.doc == nil {
		return p.body
	}
	return textOf(p.first(tag("main")))
}

// want fails unless the page has the status and all the texts.
func (p *page) want(t testing.TB, status int, texts ...string) *page {
	t.Helper()
	if p.status != status {
		t.Fatalf("%s: status %d, want %d:\n%s", p.path, p.status, status, p.text())
	}
	for _, s := range texts {
		if !strings.Contains(p.text(), s) {
			t.Fatalf("%s does not say %q:\n%s", p.path, s, p.text())
		}
	}
	return p
}

// value is a hidden or text field's value.
func (p *page) value(name string) string {
	for _, n := range p.all(tagWith("input", "name", name)) {
		return attr(n, "value")
	}
	if n := p.first(tagWith("textarea", "name", name)); n != nil {
		return textOf(n)
	}
	return ""
}
