package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"concert"
	"concert/api"
	"concert/internal/apiserver"
	"concert/internal/casework"
	"concert/internal/dispatch"
	"concert/internal/httpkit"
	"concert/internal/testkit"
	"concert/internal/testkit/orderdesk"
	"concert/internal/webui"
	"concert/order"
)

// hub is a deployment of authorities over real HTTP, as a provider's own desk meets it. It can be away, and somebody between can put
// other documents in the place of its own.
type hub struct {
	*testkit.Competent
	server *httptest.Server
	key    string // of the provider's answerer
	root   string

	mu     sync.Mutex // guards what follows
	away   bool
	forged map[string][]byte // by path
}

func newHub(t *testing.T) *hub {
	t.Helper()
	s := testkit.Service(t, "sqlite")
	h := &hub{forged: map[string][]byte{}}
	mux := http.NewServeMux()
	h.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		away, forged := h.away, h.forged[r.URL.Path]
		h.mu.Unlock()
		switch {
		case away:
			panic(http.ErrAbortHandler) // as a machine that is not there
		case forged != nil && r.Method == http.MethodGet:
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(forged)
		default:
			mux.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(func() { h.server.CloseClientConnections(); h.server.Close() })
	s.BaseURL = h.server.URL
	h.Competent = testkit.FurnishCompetent(t, s)
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	apiserver.New(s, log).Register(mux)
	p, err := s.AddPerson(t.Context(), h.Admin, concert.Person{Name: "EXERCISE Desk", Login: "desk", Roles: []concert.Role{concert.RoleProviderAnswerer}}, "", h.Hooked.Ref, "desk")
	testkit.Must(t, err)
	h.key = p.Key
	sealed, err := s.OrderRegister(t.Context())
	testkit.Must(t, err)
	raw, err := concert.CanonicalJSON(sealed)
	testkit.Must(t, err)
	root, _, err := order.Look(raw)
	testkit.Must(t, err)
	h.root = root.String()
	return h
}

func (h *hub) setAway(away bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.away = away
}

func (h *hub) forge(path string, body []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.forged[path] = body
}

// status is where the order stands at the hub.
func (h *hub) status(t *testing.T, ref string) concert.OrderStatus {
	t.Helper()
	v, err := h.ReadOrder(t.Context(), testkit.Scope(t, h.Officer), ref)
	testkit.Must(t, err)
	return v.Status
}

// newDesk is a provider's own desk in this process, with an answerer and its API over real HTTP.
func newDesk(t *testing.T) (s *casework.Service, ann concert.Actor, c *api.Client, link string) {
	t.Helper()
	s = testkit.Service(t, "sqlite")
	s.Host = true
	admin := concert.Actor{Person: "operator", Operator: "operator", Roles: []concert.Role{concert.RoleAdministrator}}
	mux := http.NewServeMux()
	server := httptest.NewServer(httpkit.Security(mux))
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	s.BaseURL = server.URL
	first, err := s.NewHost(t.Context(), admin, concert.Provider{Name: "EXERCISE Host", Country: "IE", Contact: "tco@host.example"}, concert.Person{Name: "EXERCISE Ann", Login: "ann"})
	testkit.Must(t, err)
	var ref string
	testkit.Must(t, func() error {
		g, err := s.Registers(t.Context())
		ref = g.Providers[first.Provider].Ref
		return err
	}())
	p, err := s.AddPerson(t.Context(), admin, concert.Person{Name: "EXERCISE System", Login: "system", Roles: []concert.Role{concert.RoleProviderAnswerer}}, "", ref, "system")
	testkit.Must(t, err)
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	apiserver.New(s, log).Register(mux)
	ui, err := webui.New(s, casework.NewHub(s), log)
	testkit.Must(t, err)
	ui.Register(mux)
	return s, first.Actor(), &api.Client{Base: server.URL, Key: p.Key, Tries: -1}, first.Link
}

func joinHub(t *testing.T, s *casework.Service, by concert.Actor, h *hub) concert.Hub {
	t.Helper()
	added, err := s.AddHub(t.Context(), by, casework.HubSettings{URL: h.server.URL, Key: h.key, Root: h.root})
	testkit.Must(t, err)
	return added
}

// only is the one thing that came in and that the hub calls so.
func only(t *testing.T, c *api.Client, theirs string) api.Received {
	t.Helper()
	page, err := c.ReceivedList(t.Context(), "")
	testkit.Must(t, err)
	var found []api.Received
	for _, r := range page.Items {
		if r.Theirs == theirs {
			found = append(found, r)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%s came in %d times: %+v", theirs, len(found), page.Items)
	}
	v, err := c.Received(t.Context(), found[0].ID)
	testkit.Must(t, err)
	return v
}

func TestProviderDeskObeysWhomItPinnedAndNobodyElse(t *testing.T) {
	t.Parallel()
	north, south := newHub(t), newHub(t)
	s, ann, c, _ := newDesk(t)
	joinHub(t, s, ann, north)
	joinHub(t, s, ann, south)
	issued := north.Issued(testkit.Page(1))

	// Somebody between the southern hub and us has an authority of its own making, and another who changes what a real one signed.
	forger := orderdesk.New(t, "forger")
	p := forger.Payload(1)
	p.Addressee.Ref = south.Hooked.Ref
	other := north.Issued(testkit.Page(2))
	file, err := north.OrderFile(t.Context(), testkit.Scope(t, north.Officer), other.Ref)
	testkit.Must(t, err)
	south.forge("/api/v1/orders", list(t, p.Ref, "RO-CHANGED"))
	south.forge("/api/v1/orders/"+p.Ref+"/file", forger.File(p))
	south.forge("/api/v1/orders/RO-CHANGED/file", bytes.Replace(file, []byte(`"format":"concert-order/1"`), []byte(`"format":"concert-order/2"`), 1))
	testkit.Must(t, s.PullHubs(t.Context()))

	good := only(t, c, issued.Ref)
	if !good.Binding || good.Verdict != "valid" || good.Status != "open" || good.Hour == nil || good.Hour.State != "running" || good.Hour.LeftS < 3500 || good.Hour.LeftS > 3600 || len(good.Items) != 1 {
		t.Errorf("the order of the hub that was pinned: %+v", good)
	}
	if st := north.status(t, issued.Ref); st != concert.OrderReceived {
		t.Errorf("fetching it proves its receipt: the hub says %s", st)
	}
	for theirs, verdict := range map[string]string{p.Ref: "authority_unknown", "RO-CHANGED": "invalid"} {
		bad := only(t, c, theirs)
		if bad.Binding || bad.Verdict != verdict || bad.Status != "unproven" || bad.Hour != nil || len(bad.Sentence) < 40 {
			t.Errorf("%s: %+v", theirs, bad)
		}
		_, err := c.AnswerReceived(t.Context(), api.Call{}, bad.ID, api.NewReceivedAnswer{Measure: "removed", MeasureAt: time.Now().UTC().Format(time.RFC3339), Person: "EXERCISE Ann", Email: "ann@host.example"})
		if !api.IsCode(err, "received.unproven") {
			t.Errorf("%s is carried out by one click: %v", theirs, err)
		}
	}
	if bad := only(t, c, "RO-CHANGED"); len(bad.Items) != 0 || bad.Author != "" {
		t.Errorf("something of what an invalid order says is shown: %+v", bad)
	}
	feed(t, c, good)
	testkit.Must(t, s.PullHubs(t.Context()))
	if st := north.status(t, issued.Ref); st != concert.OrderExecuted {
		t.Errorf("after Annex II the hub says %s", st)
	}
	done := only(t, c, issued.Ref)
	if done.Status != "answered" || done.Hour.State != "met" || len(done.Posts) != 1 || done.Posts[0].State != "delivered" || len(done.Posts[0].Receipt) == 0 || done.Waiting != 0 {
		t.Errorf("answered: %+v", done)
	}
	if _, err := s.AddHub(t.Context(), ann, casework.HubSettings{URL: north.server.URL, Key: north.key, Root: south.root}); code(err) != "hub.root" {
		t.Errorf("a hub under another root than we were told: %v", err)
	}
}

// A genuine order that comes again under another name starts no second hour.
func TestG09ProviderDeskTakesNoOrderUnderAnotherName(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, ann, c, _ := newDesk(t)
	joinHub(t, s, ann, h)
	issued := h.Issued(testkit.Page(1))
	file, err := h.OrderFile(t.Context(), testkit.Scope(t, h.Officer), issued.Ref)
	testkit.Must(t, err)
	h.forge("/api/v1/orders", list(t, "RO-AGAIN"))
	h.forge("/api/v1/orders/RO-AGAIN/file", file)
	testkit.Must(t, s.PullHubs(t.Context()))
	if again := only(t, c, "RO-AGAIN"); again.Binding || again.Verdict != "invalid" || again.Hour != nil || !strings.Contains(again.Sentence, "under another name") {
		t.Errorf("%+v", again)
	}
}

// list is a hub's list of orders that bind.
func list(t *testing.T, refs ...string) []byte {
	t.Helper()
	page := api.Page[api.OrderSummary]{}
	for _, ref := range refs {
		page.Items = append(page.Items, api.OrderSummary{ID: ref, Version: 1, Status: "received", Items: 1, Exercise: true})
	}
	raw, err := json.Marshal(page)
	testkit.Must(t, err)
	return raw
}

func feed(t *testing.T, c *api.Client, r api.Received) {
	t.Helper()
	_, err := c.AnswerReceived(t.Context(), api.Call{}, r.ID, api.NewReceivedAnswer{Measure: "removed", MeasureAt: time.Now().UTC().Format(time.RFC3339Nano), Person: "EXERCISE Ann", Email: "ann@host.example", File: "H-1"})
	testkit.Must(t, err)
}

func code(err error) string {
	if e, ok := err.(*concert.Error); ok {
		return e.Code
	}
	return fmt.Sprint(err)
}

func TestProviderDeskIsToldByWebhookAndOfWhatEnded(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, ann, c, _ := newDesk(t)
	key := dispatch.NewPrivateKey()
	added, err := s.AddHub(t.Context(), ann, casework.HubSettings{URL: h.server.URL, Key: h.key, Root: h.root, WebhookKey: key.VerifyKey().Text()})
	testkit.Must(t, err)
	o := h.Issued(testkit.Page(1))
	notice := func(id string, key dispatch.SigningKey) int {
		t.Helper()
		body := []byte(`{"type":"order.issued"}`)
		sig, err := dispatch.Sign(id, time.Now(), body, []dispatch.SigningKey{key})
		testkit.Must(t, err)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.Base+"/inbox/"+added.Host(), bytes.NewReader(body))
		testkit.Must(t, err)
		req.Header.Set(dispatch.HeaderID, id)
		req.Header.Set(dispatch.HeaderTimestamp, fmt.Sprint(time.Now().Unix()))
		req.Header.Set(dispatch.HeaderSignature, sig)
		res, err := http.DefaultClient.Do(req)
		testkit.Must(t, err)
		res.Body.Close()
		return res.StatusCode
	}
	if got := notice("msg_1", dispatch.NewPrivateKey()); got != http.StatusForbidden {
		t.Errorf("a notice by another key: %d", got)
	}
	h.setAway(true)
	if got := notice("msg_2", key); got != http.StatusServiceUnavailable {
		t.Errorf("a notice of what cannot be fetched is taken: %d", got)
	}
	h.setAway(false)
	for range 2 {
		if got := notice("msg_2", key); got != http.StatusAccepted {
			t.Errorf("a good notice: %d", got)
		}
	}
	r := only(t, c, o.Ref)

	// Annex III stops the hour, the clarification starts it anew, and a withdrawal ends it.
	_, err = c.AnswerReceived(t.Context(), api.Call{}, r.ID, api.NewReceivedAnswer{Reasons: []string{"insufficient_information"}, Further: "EXERCISE: the page has eleven films and the order names one.", Needed: "EXERCISE: which of them", Person: "EXERCISE Ann", Email: "ann@host.example"})
	testkit.Must(t, err)
	testkit.Must(t, s.PullHubs(t.Context()))
	if r = only(t, c, o.Ref); r.Status != "impeded" || r.Hour.State != "paused" || h.status(t, o.Ref) != concert.OrderImpeded {
		t.Errorf("after Annex III: %+v", r)
	}
	v, err := h.ReadOrder(t.Context(), testkit.Scope(t, h.Officer), o.Ref)
	testkit.Must(t, err)
	_, err = h.ClarifyOrder(t.Context(), h.Officer, o.Ref, v.Version, "EXERCISE: the third, of four minutes.")
	testkit.Must(t, err)
	testkit.Must(t, s.PullHubs(t.Context()))
	if r = only(t, c, o.Ref); r.Status != "open" || r.Hour.State != "running" || r.Hour.LeftS < 3500 {
		t.Errorf("after the clarification: %+v", r)
	}
	v, err = h.ReadOrder(t.Context(), testkit.Scope(t, h.Officer), o.Ref)
	testkit.Must(t, err)
	_, err = h.WithdrawOrder(t.Context(), h.Issuer, o.Ref, v.Version, "EXERCISE: it was the wrong film, reinstate it.")
	testkit.Must(t, err)
	testkit.Must(t, s.PullHubs(t.Context()))
	if r = only(t, c, o.Ref); r.Status != "ended" || r.Binding || r.Hour.State != "void" {
		t.Errorf("after the withdrawal: %+v", r)
	}
}

func TestProviderDeskAnswersAReferralAndCountsItsYear(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, ann, c, _ := newDesk(t)
	joinHub(t, s, ann, h)
	h.At(time.Now(), 600) // a minute of gathering is a tenth of a second
	h.Approved(testkit.Page(1), testkit.Page(2))
	testkit.Run(t, h.Service)
	hubs := func() []api.Received {
		testkit.Must(t, s.PullHubs(t.Context()))
		page, err := c.ReceivedList(t.Context(), "")
		testkit.Must(t, err)
		return page.Items
	}
	testkit.Await(t, "a referral comes in", func() bool { return len(hubs()) == 1 })
	r := only(t, c, hubs()[0].Theirs)
	if r.Kind != "referral" || r.Binding || r.Verdict != "valid" || r.Hour != nil || len(r.Items) != 2 {
		t.Fatalf("the referral: %+v", r)
	}
	_, err := c.AnswerReceived(t.Context(), api.Call{}, r.ID, api.NewReceivedAnswer{Answers: []api.NewAnswer{{Item: r.Items[0].Ref, Code: "removed"}, {Item: r.Items[1].Ref, Code: "refused_not_violating", Note: "EXERCISE: within our terms"}}})
	testkit.Must(t, err)
	hubs()
	if r = only(t, c, r.Theirs); r.Status != "answered" || r.Posts[0].State != "delivered" {
		t.Errorf("answered: %+v", r)
	}
	if got := h.Referral(r.Theirs); got.Status != concert.ReferralAnswered {
		t.Errorf("the hub says %s", got.Status)
	}
	drafts, err := s.ReceivedStatements(t.Context(), testkit.Scope(t, ann), r.ID)
	if err != nil || len(drafts) != 1 || drafts[0].ApplicationDate == "" {
		t.Errorf("statements of reasons: %+v, %v", drafts, err)
	}
	cm, err := s.EnterDispute(t.Context(), ann, r.ID, concert.Dispute{Kind: concert.DisputeOfUser, Item: r.Items[0].Ref, ReceivedAt: time.Now(), DisputeText: concert.DisputeText{From: "EXERCISE user", Text: "EXERCISE: it was satire."}})
	testkit.Must(t, err)
	all, err := s.Disputes(t.Context(), testkit.Scope(t, ann))
	if err != nil || len(all) != 1 || time.Until(all[0].Term.DueAt) < 13*24*time.Hour || time.Until(all[0].Term.DueAt) > 19*24*time.Hour {
		t.Errorf("complaints: %+v, %v", all, err)
	}
	_, err = s.DecideDispute(t.Context(), ann, cm.Ref, concert.DisputeReinstated, "EXERCISE: you are right, it is back.")
	testkit.Must(t, err)
	year, err := s.YearlyReport(t.Context(), testkit.Scope(t, ann), time.Now().UTC().Year())
	if err != nil || year.Referrals != 0 || year.Complaints != 0 {
		t.Errorf("what is an exercise is counted: %+v, %v", year, err)
	}
	if v, err := s.VerifyLog(t.Context(), nil); err != nil || !v.Verified {
		testkit.Must(t, s.PublishLog(t.Context()))
		if v, err = s.VerifyLog(t.Context(), nil); err != nil || !v.Verified {
			t.Errorf("the desk's own log: %+v, %v", v, err)
		}
	}
}

// TestProviderDeskKeepsClockAndOutboxOverAKill runs the real program: it is killed within the hour and with an answer that its hub,
// which is away, has not taken.
func TestProviderDeskKeepsClockAndOutboxOverAKill(t *testing.T) {
	t.Parallel()
	path, dir := program(t), filepath.Join(t.TempDir(), "desk")
	h := newHub(t)
	run := func(args ...string) string {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput()
		if err != nil {
			t.Fatalf("concert %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	run("init", "-role", "provider", "-data", dir, "-origin", "host.invalid/log", "-name", "EXERCISE Host", "-login", "ann", "-country", "IE")
	run("hub", "add", "-data", dir, "-url", h.server.URL, "-key", h.key, "-root", h.root)
	host := regexp.MustCompile(`PR-\S+`).FindString(run("provider", "list", "-data", dir))
	key := regexp.MustCompile(`csk_\S+`).FindString(run("user", "add", "-data", dir, "-name", "EXERCISE System", "-role", "provider_answerer", "-provider", host, "-key", "system", "system"))
	c := &api.Client{Key: key}
	kill := startDesk(t, path, dir, c)
	o := h.Issued(testkit.Page(1))
	var first api.Received
	arrived := func() bool {
		page, err := c.ReceivedList(t.Context(), "")
		if err != nil || len(page.Items) != 1 {
			return false
		}
		first = only(t, c, o.Ref)
		return true
	}
	testkit.Await(t, "the order comes in by itself", arrived)
	kill()
	kill = startDesk(t, path, dir, c)
	if again := only(t, c, o.Ref); again.Hour.DueAt != first.Hour.DueAt || again.Hour.State != "running" {
		t.Errorf("the hour after the kill: %+v, before it %+v", again.Hour, first.Hour)
	}
	h.setAway(true)
	feed(t, c, first)
	testkit.Await(t, "a try fails", func() bool { p := only(t, c, o.Ref).Posts; return len(p) == 1 && p[0].Attempts > 0 })
	if r := only(t, c, o.Ref); r.Waiting != 1 || r.Posts[0].State != "waiting" || r.Status != "answered" {
		t.Errorf("with the hub away: %+v", r)
	}
	kill()
	h.setAway(false)
	startDesk(t, path, dir, c)
	testkit.Await(t, "the answer reaches the hub", func() bool { return h.status(t, o.Ref) == concert.OrderExecuted })
	testkit.Await(t, "the receipt is kept", func() bool { return only(t, c, o.Ref).Posts[0].State == "delivered" })
}

// startDesk starts the program as a provider's own desk, and gives what kills it at once.
func startDesk(t *testing.T, path, dir string, c *api.Client) (kill func()) {
	t.Helper()
	cmd := exec.CommandContext(context.Background(), path, "serve", "-role", "provider", "-data", dir, "-listen", "127.0.0.1:0")
	out, err := cmd.StdoutPipe()
	testkit.Must(t, err)
	testkit.Must(t, cmd.Start())
	line := make([]byte, 200)
	n, err := out.Read(line)
	testkit.Must(t, err)
	c.Base = strings.Fields(string(line[:n]))[2]
	var once sync.Once
	kill = func() {
		once.Do(func() {
			_ = cmd.Process.Kill() // it is meant to
			_ = cmd.Wait()
		})
	}
	t.Cleanup(kill)
	return kill
}

// events are how many of the kind the desk recorded.
func events(t *testing.T, s *casework.Service, kind concert.EventKind) (n int) {
	t.Helper()
	testkit.Must(t, testkit.Raw(t, s).QueryRow("SELECT count(*) FROM event WHERE kind = '"+string(kind)+"'").Scan(&n))
	return n
}

// TestProviderDeskWarnsMissesAndPreserves moves the desk's clock: nobody waits for an hour or for six months.
func TestProviderDeskWarnsMissesAndPreserves(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, ann, c, _ := newDesk(t)
	joinHub(t, s, ann, h)
	o := h.Issued(testkit.Page(1))
	testkit.Must(t, s.PullHubs(t.Context()))
	h.setAway(true) // its clock stays where it is, and the desk's does not
	r := only(t, c, o.Ref)
	begun := time.Now()
	at := func(later time.Duration, what string, ok func() bool) {
		t.Helper()
		s.Time = concert.CaseTime{Since: time.Now(), Start: begun.Add(later), Rate: 1}
		stop := testkit.Run(t, s)
		testkit.Await(t, what, ok)
		stop()
	}
	at(31*time.Minute, "the first alarm", func() bool { return events(t, s, concert.EventReceivedAlarmed) == 1 })
	at(61*time.Minute, "the miss", func() bool { return events(t, s, concert.EventReceivedMissed) == 1 })
	if got := only(t, c, o.Ref); events(t, s, concert.EventReceivedAlarmed) != 3 || got.Hour.State != "missed" || got.Hour.LeftS != 0 || !got.Binding {
		t.Errorf("after the hour: %+v", got)
	}
	// What was done in time meets the hour though it is told late (Art. 3(3), 3(6)).
	_, err := c.AnswerReceived(t.Context(), api.Call{}, r.ID, api.NewReceivedAnswer{Measure: "access_disabled", MeasureAt: begun.Add(20 * time.Minute).UTC().Format(time.RFC3339), Person: "EXERCISE Ann", Email: "ann@host.example"})
	testkit.Must(t, err)
	if got := only(t, c, o.Ref); got.Hour.State != "met" || got.Waiting != 1 {
		t.Errorf("told late: %+v", got)
	}
	kept, err := s.KeptContents(t.Context(), testkit.Scope(t, ann))
	if err != nil || len(kept) != 1 {
		t.Fatalf("kept: %+v, %v", kept, err)
	}
	if err := s.EraseKept(t.Context(), ann, kept[0].Ref); code(err) != "deadline.too_early" {
		t.Errorf("erased within six months: %v", err)
	}
	until := begun.AddDate(0, 9, 0)
	testkit.Must(t, s.ProlongKept(t.Context(), ann, kept[0].Ref, until, "EXERCISE: the court asked for it in file 1."))
	alarms := events(t, s, concert.EventReceivedAlarmed)
	at(until.Add(time.Hour).Sub(begun), "its time is over", func() bool { return events(t, s, concert.EventReceivedAlarmed) == alarms+1 })
	testkit.Must(t, s.EraseKept(t.Context(), ann, kept[0].Ref))
	if kept, err = s.KeptContents(t.Context(), testkit.Scope(t, ann)); err != nil || kept[0].ErasedAt.IsZero() {
		t.Errorf("erased: %+v, %v", kept, err)
	}
}
