package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"concert"
	"concert/api"
	"concert/internal/apiserver"
	"concert/internal/casework"
	"concert/internal/formats"
	"concert/internal/httpkit"
	"concert/internal/testkit"
	"concert/internal/webui"
)

// dutySite is a deployment at work with both doors over real HTTP, an authority of Spain on duty and a provider.
type dutySite struct {
	*testkit.Competent
	url string
}

func openDuty(t *testing.T, database string) *dutySite {
	t.Helper()
	svc := testkit.Service(t, database)
	log := slog.New(slog.DiscardHandler)
	mux := http.NewServeMux()
	server := httptest.NewServer(httpkit.Security(httpkit.Bounded(log, mux)))
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	svc.BaseURL = server.URL
	s := &dutySite{testkit.FurnishCompetent(t, svc), server.URL}
	hub := casework.NewHub(svc)
	ui, err := webui.New(svc, hub, log)
	testkit.Must(t, err)
	ui.Register(mux)
	apiserver.New(svc, log).Register(mux)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = hub.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done })
	testkit.Run(t, svc)
	return s
}

// visit is somebody with a browser's cookies.
func (s *dutySite) visit(t *testing.T, login string) *http.Client {
	t.Helper()
	session, _, err := s.Enter(t.Context(), s.Links[login], s.Codes[login])
	testkit.Must(t, err)
	jar, err := cookiejar.New(nil)
	testkit.Must(t, err)
	u, err := url.Parse(s.url)
	testkit.Must(t, err)
	jar.SetCookies(u, []*http.Cookie{{Name: httpkit.SessionCookie, Value: session}})
	return &http.Client{Jar: jar}
}

func (s *dutySite) read(t *testing.T, c *http.Client, path string) string {
	t.Helper()
	res, err := c.Get(s.url + path)
	testkit.Must(t, err)
	defer res.Body.Close()
	var b bytes.Buffer
	_, err = b.ReadFrom(res.Body)
	testkit.Must(t, err)
	return b.String()
}

var (
	streamAt = regexp.MustCompile(`data-stream="([^"]+)"`)
	formKey  = regexp.MustCompile(`name="csrf" value="([^"]+)"`)
)

// listen opens the stream of alarms of somebody's page as its script does, and gives a channel that gets each word of news.
func (s *dutySite) listen(t *testing.T, c *http.Client, path string) <-chan time.Time {
	t.Helper()
	m := streamAt.FindStringSubmatch(s.read(t, c, path))
	if m == nil {
		t.Fatalf("%s has no stream of alarms", path)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+strings.ReplaceAll(m[1], "&amp;", "&"), nil)
	testkit.Must(t, err)
	res, err := c.Do(req)
	testkit.Must(t, err)
	t.Cleanup(func() { res.Body.Close() })
	if res.StatusCode != http.StatusOK {
		t.Fatalf("the stream answers %d", res.StatusCode)
	}
	news := make(chan time.Time, 16)
	go func() {
		lines := bufio.NewScanner(res.Body)
		for lines.Scan() {
			if lines.Text() == "event: orders" {
				news <- time.Now()
			}
		}
	}()
	return news
}

// TestG32ThreatReachesTheDutyOfficerBothWays: by the interface and by the portal's form, over HTTP. Whoever has a receipt finds the alarm
// on the duty officer's page at once, since both are of one transaction; the page is told of it without asking; the receipt's proof
// is checked against the log without us. bench/ measures how soon.
func TestG32ThreatReachesTheDutyOfficerBothWays(t *testing.T) {
	t.Parallel()
	for _, database := range []string{"sqlite", "postgres"} {
		t.Run(database, func(t *testing.T) {
			t.Parallel()
			s := openDuty(t, database)
			officer, stranger, portal := s.visit(t, "es-officer"), s.visit(t, "ie-officer"), s.visit(t, "reader")
			news := s.listen(t, officer, "/scope")
			key, _, err := s.IssueKey(t.Context(), s.Answerer, "EXERCISE script", concert.KeyPowers...)
			testkit.Must(t, err)
			program := &api.Client{Base: s.url, Key: key, Tries: -1}
			told := func(ref string) {
				t.Helper()
				if page := s.read(t, officer, "/orders/alarms"); !strings.Contains(page, ref) {
					t.Errorf("the receipt of %s is there, and no alarm", ref)
				}
				if page := s.read(t, stranger, "/orders/alarms"); strings.Contains(page, ref) {
					t.Errorf("another authority is alarmed of %s", ref)
				}
				select {
				case <-news:
				case <-time.After(20 * time.Second):
					t.Errorf("the officer's page is not told of %s", ref)
				}
			}
			in := api.NewThreat{Kind: "attack_announced", Places: []string{testkit.Page(3)}, Description: "EXERCISE: an attack that nobody plans.", States: []string{"ES"}, SeenAt: time.Now().UTC().Format(concert.TimeFormat), Content: "disabled", Contact: "EXERCISE Desk", Telephone: "+000"}
			got, err := program.ReportThreat(t.Context(), api.Call{IdempotencyKey: "exercise-1"}, in)
			testkit.Must(t, err)
			if len(got.To) != 1 || got.To[0].Name != s.Spain.Name || got.Status != "received" || got.Receipt.ReceivedAt == "" || len(got.Receipt.Commit) != 64 {
				t.Errorf("the receipt: %+v", got)
			}
			told(got.ID)
			again, err := program.ReportThreat(t.Context(), api.Call{IdempotencyKey: "exercise-1"}, in)
			if err != nil || again.ID != got.ID {
				t.Errorf("sent again it is %s, %v", again.ID, err)
			}
			s.proven(t, program, got)

			form := formKey.FindStringSubmatch(s.read(t, portal, "/own-threats"))
			if form == nil {
				t.Fatal("the portal has no form")
			}
			res, err := portal.PostForm(s.url+"/own-threats", url.Values{"csrf": {form[1]}, "kind": {"person_threatened"}, "places": {testkit.Page(4)}, "description": {"EXERCISE: somebody invented is threatened."}, "states": {"ES IE"},
				"seen_at": {time.Now().UTC().Format("2006-01-02T15:04")}, "content": {"up"}, "contact": {"EXERCISE Desk"}, "email": {"desk@video.example"}})
			testkit.Must(t, err)
			defer res.Body.Close()
			ref := res.Request.URL.Path[strings.LastIndexByte(res.Request.URL.Path, '/')+1:]
			if !strings.HasPrefix(ref, "TH-") {
				t.Fatalf("the form leads to %s", res.Request.URL)
			}
			if page := s.read(t, stranger, "/orders/alarms"); !strings.Contains(page, ref) {
				t.Error("the second state is not alarmed")
			}
			if page := s.read(t, officer, "/orders/alarms"); !strings.Contains(page, ref) {
				t.Error("the first state is not alarmed")
			}
			select {
			case <-news:
			case <-time.After(20 * time.Second):
				t.Error("the officer's page is not told of the form's")
			}

			officerKey, _, err := s.IssueKey(t.Context(), s.Officer, "EXERCISE duty", concert.KeyPowers...)
			testkit.Must(t, err)
			duty := &api.Client{Base: s.url, Key: officerKey, Tries: -1, Justification: "EXERCISE of a threat to life"}
			read, err := duty.Threat(t.Context(), got.ID)
			if err != nil || read.Description != in.Description || read.Version == 0 {
				t.Errorf("the officer reads %+v, %v", read, err)
			}
			taken, err := duty.TakeThreat(t.Context(), api.Call{IfMatch: read.Version}, got.ID)
			if err != nil || taken.Status != "taken" {
				t.Errorf("%+v, %v", taken, err)
			}
			if page := s.read(t, officer, "/orders/alarms"); strings.Contains(page, got.ID) {
				t.Error("it alarms though somebody took it")
			}
			closed, err := duty.CloseThreat(t.Context(), api.Call{IfMatch: taken.Version}, got.ID, api.CloseThreat{Outcome: "acted", Word: "EXERCISE: the door was opened."})
			if err != nil || closed.Status != "closed" {
				t.Errorf("%+v, %v", closed, err)
			}
			own, err := program.Threat(t.Context(), got.ID)
			if err != nil || own.Status != "closed" || own.To[0].Word != "EXERCISE: the door was opened." || own.To[0].Operator != "" {
				t.Errorf("the provider reads %+v, %v", own.To, err)
			}
		})
	}
}

// proven checks a receipt's proof as anybody can.
func (s *dutySite) proven(t *testing.T, c *api.Client, got api.Threat) {
	t.Helper()
	raw, err := c.ThreatProof(t.Context(), got.ID)
	testkit.Must(t, err)
	v, err := formats.VerifyEvent(bytes.NewReader(raw), s.LogKey, nil)
	if err != nil || !v.Verified || v.Problem != "" {
		t.Fatalf("the proof: %+v, %v", v.Problem, err)
	}
	var p concert.EventProof
	testkit.Must(t, json.Unmarshal(raw, &p))
	if !strings.Contains(p.Event, got.ID) || !strings.Contains(p.Event, string(concert.EventThreatReceived)) {
		t.Errorf("it proves another event: %.200s", p.Event)
	}
}
