package testkit

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"encoding/json"

	"concert"
	"concert/internal/casework"
	"concert/internal/dispatch"
	"concert/internal/lookup"
	"concert/internal/netguard"
	"concert/internal/store"
)

// Unit is an authority with its people.
type Unit struct {
	concert.Authority
	Officers  [2]concert.Actor
	Reviewers [2]concert.Actor
}

// House is a furnished deployment: who and what most claims need, all of it EXERCISE.
type House struct {
	*casework.Service
	North, South                Unit
	Coordinator, Auditor, Admin concert.Actor
	Hooked                      concert.Provider // reached by webhook at Hook; answers for video.example
	Pulled                      concert.Provider // polls its inbox; answers for audio.example
	Answerer, Reader            concert.Actor    // of Hooked
	Puller                      concert.Actor    // answers for Pulled
	Outlet                      concert.Outlet   // in scope
	Action                      concert.Action   // both units take part
	Hook                        *Hook
	Pages                       *Pages
	Links                       map[string]string // one-time links by log-in
	Codes                       map[string]string // their codes, "" where a link needs none
	SecondAdmin                 concert.Actor     // confirms what Admin proposes

	t testing.TB
}

// Hours are a provider's own terms for when and how much it takes.
type Hours struct {
	Zone               string
	QuietFrom, QuietTo int // minutes after local midnight
	PerHour            int
}

// Furnish registers everybody at the service; hours are those of the hooked provider, which is never quiet by default.
func Furnish(t testing.TB, s *casework.Service, hours ...Hours) *House {
	t.Helper()
	h := &House{Service: s, Links: map[string]string{}, Codes: map[string]string{}, t: t, Hook: newHook(t), Pages: newPages(t)}
	s.Lookup = h.Pages.client(t)
	ctx := t.Context()
	admins, err := s.FirstAdministrators(ctx, concert.Person{Name: "EXERCISE Administrator", Login: "admin"}, concert.Person{Name: "EXERCISE Second administrator", Login: "second-admin"}, false)
	Must(t, err)
	h.Admin, h.SecondAdmin = admins[0].Actor(), admins[1].Actor()
	for _, a := range admins {
		h.Links[a.Login] = Token(a.Link)
	}
	h.North, h.South = h.unit("North", "XN"), h.unit("South", "XS")
	own := Hours{Zone: "UTC"}
	for _, o := range hours {
		own = o
	}
	h.Hooked, _, err = s.AddProvider(ctx, h.Admin, concert.Provider{Name: "EXERCISE Video", Kind: "social", Country: "XN", Channel: concert.ChannelWebhook, WebhookURL: h.Hook.server.URL + "/hook",
		Zone: own.Zone, QuietFrom: own.QuietFrom, QuietTo: own.QuietTo, PerHour: own.PerHour, Platforms: []string{"video.example"}}, false)
	Must(t, err)
	h.Hook.pin(t, h.Hooked.WebhookKey)
	h.Pulled, _, err = s.AddProvider(ctx, h.Admin, concert.Provider{Name: "EXERCISE Audio", Kind: "hosting", Country: "XS", Channel: concert.ChannelPull, Platforms: []string{"audio.example"}}, false)
	Must(t, err)
	h.Answerer = h.Person("answerer", "", h.Hooked.Ref, concert.RoleProviderAnswerer)
	h.Reader = h.Person("reader", "", h.Hooked.Ref, concert.RoleProviderReader)
	h.Puller = h.Person("puller", "", h.Pulled.Ref, concert.RoleProviderAnswerer)
	h.Coordinator = h.Person("coordinator", h.North.Ref, "", concert.RoleCoordinator)
	h.Auditor = h.Person("auditor", "", "", concert.RoleAuditor)
	h.Outlet = h.ListedOutlet("EXERCISE Outlet")
	start := s.Now()
	h.Action, err = s.OpenAction(ctx, h.Coordinator, h.North.Ref, concert.Action{Name: "EXERCISE Action", Mandate: "EXERCISE mandate", StartsAt: start, EndsAt: start.Add(96 * time.Hour)})
	Must(t, err)
	Must(t, s.JoinAction(ctx, h.Coordinator, h.Action.Ref, h.South.Ref, concert.PartSupport))
	return h
}

// EachHouse runs the test once on SQLite and once on PostgreSQL, each in a furnished deployment.
func EachHouse(t *testing.T, fn func(t *testing.T, h *House)) {
	t.Helper()
	EachDatabase(t, func(t *testing.T, s *casework.Service) { fn(t, Furnish(t, s)) })
}

func (h *House) unit(name, country string) Unit {
	h.t.Helper()
	a, err := h.AddAuthority(h.t.Context(), h.Admin, concert.Authority{Name: "EXERCISE Unit " + name, Country: country, Kind: concert.KindReferralUnit, Unit: strings.ToUpper(name), Contact: "EXERCISE desk " + name})
	Must(h.t, err)
	u := Unit{Authority: a}
	for i := range 2 {
		u.Officers[i] = h.Person(fmt.Sprintf("%s-officer-%d", name, i), a.Ref, "", concert.RoleOfficer)
		u.Reviewers[i] = h.Person(fmt.Sprintf("%s-reviewer-%d", name, i), a.Ref, "", concert.RoleReviewer)
	}
	return u
}

// Person registers somebody, with a second administrator where the role needs one, and keeps both halves of the way in.
func (h *House) Person(login, authority, provider string, roles ...concert.Role) concert.Actor {
	h.t.Helper()
	p, err := h.AddPerson(h.t.Context(), h.Admin, concert.Person{Name: "EXERCISE " + login, Login: login, Roles: roles, Languages: Languages()}, authority, provider, "")
	Must(h.t, err)
	h.Links[login] = Token(p.Link)
	if p.Proposal == "" {
		return p.Actor()
	}
	who, code, err := h.ConfirmPerson(h.t.Context(), h.SecondAdmin, login, p.Proposal)
	Must(h.t, err)
	h.Codes[login] = code
	return who.Actor()
}

// Languages are what everybody reads in tests: those of the made-up material.
func Languages() []string { return []string{"ar", "en", "fr", "ru", "tr"} }

// Token is the secret part of a one-time link's address.
func Token(link string) string { return link[strings.IndexByte(link, '#')+1:] }

// ListedOutlet registers an outlet that two people put on the scope list.
func (h *House) ListedOutlet(name string) concert.Outlet {
	h.t.Helper()
	o, err := h.AddOutlet(h.t.Context(), h.Coordinator, concert.Outlet{Name: name}, "")
	Must(h.t, err)
	e, err := h.ProposeScope(h.t.Context(), h.Coordinator, o.Ref, concert.ScopeEntry{LegalAct: "EXERCISE Decision 1/2019", Authority: "EXERCISE Council", Citation: "EXERCISE Journal L 1", ListedOn: time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC)})
	Must(h.t, err)
	_, err = h.ConfirmScope(h.t.Context(), h.North.Reviewers[0], e.Ref)
	Must(h.t, err)
	return o
}

// Page is the address of a made-up page of the hooked provider.
func Page(n int) string { return fmt.Sprintf("http://video.example/watch?v=ex%06dAb", n) }

// Sound is the address of a made-up page of the pulled provider.
func Sound(n int) string { return fmt.Sprintf("http://audio.example/listen/ex%06dAb", n) }

// Submit hands in places within the joint action and returns what came of each, none refused.
func (h *House) Submit(by concert.Actor, places ...string) []casework.Result {
	h.t.Helper()
	in := make([]casework.Submission, len(places))
	for i, p := range places {
		in[i] = casework.Submission{Location: p, Type: concert.TypeVideo, Action: h.Action.Ref, Evaluation: "A1", Source: "form", Captures: Seen(p)}
	}
	out, err := h.SubmitItems(h.t.Context(), by, in)
	h.clean(out, err)
	return out
}

// Judgement is a sound assessment of a branded item.
func Judgement() concert.Assessment {
	return concert.Assessment{Type: concert.Incites, Purpose: concert.PurposeNone, Mark: "EXERCISE logo", MarkWhere: "top right", Language: "ar", Severity: concert.SeverityRoutine, Evaluation: "A1",
		Facts: "EXERCISE: a made-up video with a made-up logo.", Judgement: "EXERCISE: would incite, were it real."}
}

// Seen are the captures to hand in with a place: its saved page, seen now. A page's bytes are no work's, so that no two items
// become copies of each other by it.
func Seen(place string) []casework.Capturing {
	return []casework.Capturing{{Kind: concert.CapturePage, Vantage: "EXERCISE desk", Bytes: strings.NewReader("<!doctype html><title>EXERCISE</title><p>EXERCISE: the saved page of " + html.EscapeString(place))}}
}

// Capture gives items, by reference, a fresh capture of the actor's authority: what every assessment rests on.
func Capture(t testing.TB, s *casework.Service, by concert.Actor, items ...string) {
	t.Helper()
	for _, ref := range items {
		c := Seen(ref)[0]
		c.Item = ref
		_, err := s.AddCapture(t.Context(), by, c)
		Must(t, err)
	}
}

// Refs are the references of results.
func Refs(items []casework.Result) []string {
	out := make([]string, len(items))
	for i, it := range items {
		out[i] = it.Ref
	}
	return out
}

// unseen are the references of items of which the actor's authority has no fresh capture.
func (h *House) unseen(by concert.Actor, items []casework.Result) []string {
	h.t.Helper()
	var out []string
	Must(h.t, h.DB.View(h.t.Context(), func(tx *store.Tx) error {
		bare, err := tx.BareItemsByRef(h.t.Context(), Refs(items))
		if err != nil {
			return err
		}
		for ref, it := range bare {
			have, err := tx.NewestCaptures(h.t.Context(), by.Authority, []concert.ItemID{it.ID})
			if err != nil {
				return err
			}
			if !have[it.ID].Fresh(h.Now()) {
				out = append(out, ref)
			}
		}
		return nil
	}))
	return out
}

// Assess judges what was submitted, soundly, each with a fresh capture.
func (h *House) Assess(by concert.Actor, items []casework.Result) []casework.Result {
	h.t.Helper()
	in := make([]casework.Judging, len(items))
	for i, it := range items {
		in[i] = casework.Judging{Item: it.Ref, Version: it.Version, Outlet: h.Outlet.Ref, Assessment: Judgement()}
	}
	Capture(h.t, h.Service, by, h.unseen(by, items)...)
	out, err := h.AssessItems(h.t.Context(), by, in)
	h.clean(out, err)
	return out
}

// Approve decides for what was assessed, on each alone: only copies are approved in bulk.
func (h *House) Approve(by concert.Actor, items []casework.Result) []casework.Result {
	h.t.Helper()
	var all []casework.Result
	for _, it := range items {
		out, err := h.DecideItems(h.t.Context(), by, []casework.Deciding{{Item: it.Ref, Version: it.Version, Decision: concert.Approve}})
		h.clean(out, err)
		all = append(all, out...)
	}
	return all
}

// Approved takes places from a find of the northern unit to an approval there.
func (h *House) Approved(places ...string) []casework.Result {
	h.t.Helper()
	return h.Approve(h.North.Reviewers[0], h.Assess(h.North.Officers[0], h.Submit(h.North.Officers[0], places...)))
}

// Hold places a hold on a place, with a contact and a reference of the holder's own.
func (h *House) Hold(by concert.Actor, place, contact, own string) concert.Hold {
	h.t.Helper()
	held, err := h.PlaceHold(h.t.Context(), by, casework.Holding{Location: place, Contact: contact, Case: own})
	Must(h.t, err)
	return held
}

func (h *House) clean(out []casework.Result, err error) {
	h.t.Helper()
	Must(h.t, err)
	for _, r := range out {
		if r.Err != nil {
			h.t.Fatalf("%s: %v", r.Ref, r.Err)
		}
	}
}

// Why is what everybody in a test reads for.
const Why = "EXERCISE audit of the day"

// Scope is the actor's question, with a justification.
func Scope(t testing.TB, by concert.Actor) concert.Scope {
	t.Helper()
	s, err := concert.NewScope(by, Why)
	Must(t, err)
	return s
}

// Item is the item as the coordinator sees it.
func (h *House) Item(ref string) casework.ItemView {
	h.t.Helper()
	v, err := h.ReadItem(h.t.Context(), Scope(h.t, h.Coordinator), ref)
	Must(h.t, err)
	return v
}

// Status waits until the item stands there, and gives it.
func (h *House) Status(ref string, want concert.ItemStatus) casework.ItemView {
	h.t.Helper()
	var v casework.ItemView
	Await(h.t, fmt.Sprintf("item %s is %s", ref, want), func() bool { v = h.Item(ref); return v.Status == want })
	return v
}

// Referral is the referral as its author sees it.
func (h *House) Referral(ref string) casework.ReferralView {
	h.t.Helper()
	v, err := h.ReadReferral(h.t.Context(), Scope(h.t, h.Coordinator), ref)
	Must(h.t, err)
	return v
}

// At sets case time: it shows start now and runs rate times as fast as the wall. Only while nothing runs.
func (h *House) At(start time.Time, rate float64) {
	h.Time = concert.CaseTime{Since: time.Now(), Start: start, Rate: rate}
}

// Hook is a provider's endpoint: a real HTTP server that verifies every webhook with the key it pinned.
type Hook struct {
	server *httptest.Server

	mu      sync.Mutex // guards all below
	key     dispatch.VerifyKey
	answers []Reply
	got     []Arrived
	problem []string
}

// Reply is what the endpoint says next instead of 202.
type Reply struct {
	Status     int
	RetryAfter string
}

// Arrived is one webhook as it came in, verified.
type Arrived struct {
	ID     string
	Status int // that it was answered with
	At     time.Time
	concert.WebhookNotice
}

func newHook(t testing.TB) *Hook {
	k := &Hook{}
	k.server = httptest.NewServer(http.HandlerFunc(k.serve))
	t.Cleanup(func() {
		k.server.CloseClientConnections()
		k.server.Close()
		for _, p := range k.problem {
			t.Error(p)
		}
	})
	return k
}

func (k *Hook) pin(t testing.TB, text string) {
	t.Helper()
	key, err := dispatch.ParseVerifyKey(text)
	Must(t, err)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.key = key
}

// Say makes the endpoint give these answers next, in turn.
func (k *Hook) Say(answers ...Reply) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.answers = append(k.answers, answers...)
}

// Got are the webhooks so far that the endpoint took or turned away.
func (k *Hook) Got() []Arrived {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]Arrived(nil), k.got...)
}

// Taken are the notices of a kind that the endpoint took.
func (k *Hook) Taken(kind concert.NoticeKind) []Arrived {
	var out []Arrived
	for _, a := range k.Got() {
		if a.Type == concert.NoticeTypes[kind] && a.Status == http.StatusAccepted {
			out = append(out, a)
		}
	}
	return out
}

func (k *Hook) serve(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 20_000))
	k.mu.Lock()
	defer k.mu.Unlock()
	v, bad := dispatch.Verify(r.Header, body, []dispatch.VerifyKey{k.key}, 5*time.Minute, time.Now())
	a := Arrived{ID: v.ID, Status: http.StatusAccepted, At: time.Now()}
	for _, problem := range []error{err, bad, json.Unmarshal(body, &a.WebhookNotice)} {
		if problem != nil {
			k.problem = append(k.problem, fmt.Sprintf("a webhook came in that its receiver refuses: %v", problem))
			http.Error(rw, problem.Error(), http.StatusUnauthorized)
			return
		}
	}
	if len(k.answers) > 0 {
		a.Status = k.answers[0].Status
		if s := k.answers[0].RetryAfter; s != "" {
			rw.Header().Set("Retry-After", s)
		}
		k.answers = k.answers[1:]
	}
	k.got = append(k.got, a)
	rw.WriteHeader(a.Status)
}

// Pages is the web on which the items lie: one real HTTP server that plays every host.
type Pages struct {
	server *httptest.Server

	mu    sync.Mutex // guards state
	state map[string]int
}

func newPages(t testing.TB) *Pages {
	p := &Pages{state: map[string]int{}}
	p.server = httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(func() { p.server.CloseClientConnections(); p.server.Close() })
	return p
}

// Set makes the page answer with the status; 200 until then.
func (p *Pages) Set(address string, status int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state[strings.TrimPrefix(address, "http://")] = status
}

func (p *Pages) client(t testing.TB) *lookup.Client {
	c := lookup.New(lookup.Options{UserAgent: "Concert/test", Guard: netguard.Staged(func(host string) (string, bool) {
		return p.server.Listener.Addr().String(), strings.HasSuffix(host, ".example")
	})})
	t.Cleanup(c.Close)
	return c
}

func (p *Pages) serve(rw http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	status := p.state[r.Host+r.URL.RequestURI()]
	p.mu.Unlock()
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	if status != 0 && status != http.StatusOK {
		rw.WriteHeader(status)
		fmt.Fprintf(rw, "<html><head><title>%d</title></head><body><h1>%s</h1></body></html>", status, http.StatusText(status))
		return
	}
	fmt.Fprint(rw, `<html><head><title>EXERCISE clip</title></head><body><video src="clip.mp4" controls></video><h1>EXERCISE clip</h1><p>`+strings.Repeat("A made-up video with a made-up logo. ", 40)+`</p></body></html>`)
}
