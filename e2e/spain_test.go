package e2e

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
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
	"concert/order"
)

// monday is when Spain tells the provider.
var monday = time.Date(2026, 5, 4, 7, 0, 0, 0, time.UTC)

// A removal order's whole life, each step through the door of who takes it: Spain tells the provider in Ireland first and orders twelve hours
// later; the provider verifies the order with our command, offline, and removes it after twenty minutes; we see it gone; Ireland's authority
// scrutinises and voids; the provider is told, puts it back, and we see that; three months later the public register shows all of it, and our
// command counts every published number again from what an auditor took away.
func TestG13SpainOrdersIrelandVoidsTheRegisterShowsIt(t *testing.T) {
	t.Parallel()
	path := program(t)
	for _, database := range []string{"sqlite", "postgres"} {
		t.Run(database, func(t *testing.T) {
			t.Parallel()
			s := testkit.Service(t, database)
			s.Time = concert.CaseTime{Since: time.Now(), Start: monday.AddDate(0, 0, -7), Rate: 1}
			followOrder(t, path, testkit.FurnishCompetent(t, s))
		})
	}
}

// journey is an order on its way, with everybody's key, our command and what stands in whose hands.
type journey struct {
	*testkit.Competent
	t         *testing.T
	path, dir string
	base      string
	place     string
	ref       string
	issued    time.Time
}

func followOrder(t *testing.T, path string, c *testkit.Competent) {
	ui, err := webui.New(c.Service, casework.NewHub(c.Service), c.Log)
	testkit.Must(t, err)
	mux := http.NewServeMux()
	ui.Register(mux)
	apiserver.New(c.Service, c.Log).Register(mux)
	srv := httptest.NewServer(httpkit.Bounded(c.Log, httpkit.Security(mux)))
	t.Cleanup(func() { srv.CloseClientConnections(); srv.Close() })
	j := &journey{Competent: c, t: t, path: path, dir: t.TempDir(), base: srv.URL, place: testkit.Page(1)}
	j.order()
	j.remove()
	j.void()
	j.recount()
}

// as is a program of somebody's, with a key of its own.
func (j *journey) as(by concert.Actor) *api.Client {
	j.t.Helper()
	key, _, err := j.IssueKey(j.t.Context(), by, "EXERCISE script", concert.KeyPowers...)
	testkit.Must(j.t, err)
	return &api.Client{Base: j.base, Key: key, Tries: -1, Justification: "EXERCISE: the order from Spain"}
}

// tool runs our command as somebody who keeps nothing but these files.
func (j *journey) tool(args ...string) (string, error) {
	cmd := exec.CommandContext(j.t.Context(), j.path, args...)
	cmd.Env = append(os.Environ(), "HOME="+j.dir, "XDG_CONFIG_HOME="+j.dir)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (j *journey) file(name string, data []byte) string {
	j.t.Helper()
	at := filepath.Join(j.dir, name)
	testkit.Must(j.t, os.WriteFile(at, data, 0o600))
	return at
}

// public is a page of the public register, as anybody gets it.
func (j *journey) public(page string) string {
	j.t.Helper()
	res, err := http.Get(j.base + page)
	testkit.Must(j.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		j.t.Fatalf("%s: %d, %v", page, res.StatusCode, err)
	}
	return string(body)
}

// seen is what our own look at the place finds.
func (j *journey) seen() string {
	j.t.Helper()
	testkit.Must(j.t, j.LookAtOrder(j.t.Context(), j.IrishOfficer, j.ref))
	got, err := j.as(j.Officer).Order(j.t.Context(), j.ref)
	testkit.Must(j.t, err)
	return got.Items[0].Observed
}

// order is Spain's part: told first, issued twelve hours later (Art. 3(2)).
func (j *journey) order() {
	t, ctx := j.t, j.t.Context()
	issuer := j.as(j.Issuer)
	j.At(monday, 1)
	item := j.Judged(j.place)
	d := testkit.Draft(item)
	o, err := j.as(j.Officer).DraftOrder(ctx, api.Call{}, api.NewOrder{Items: []api.NewOrderItem{{Item: item}}, Language: d.Language, Statement: d.Statement, LegalBasis: d.LegalBasis, Representative: d.Representative, Post: d.Post, FileNo: d.FileNo})
	testkit.Must(t, err)
	o, err = j.as(j.Second).ReviewOrder(ctx, api.Call{IfMatch: o.Version}, o.ID)
	testkit.Must(t, err)
	if o, err = issuer.ApproveOrder(ctx, api.Call{IfMatch: o.Version}, o.ID); err != nil || o.IssuedAt != "" {
		t.Fatalf("approved without a first contact: issued at %q, %v", o.IssuedAt, err)
	}
	j.At(monday.Add(12*time.Hour-time.Minute), 1)
	if _, err := issuer.IssueOrder(ctx, api.Call{IfMatch: o.Version}, o.ID); err == nil {
		t.Fatal("issued within the twelve hours")
	}
	j.issued = monday.Add(12*time.Hour + time.Minute)
	j.At(j.issued, 1)
	if o, err = issuer.IssueOrder(ctx, api.Call{IfMatch: o.Version}, o.ID); err != nil || o.IssuedAt == "" {
		t.Fatalf("issued at %q, %v", o.IssuedAt, err)
	}
	j.ref = o.ID
	testkit.Must(t, j.PublishLog(ctx))
}

// remove is the provider's part: it verifies the order offline, and removes after twenty minutes.
func (j *journey) remove() {
	t, ctx := j.t, j.t.Context()
	provider := j.as(j.Answerer)
	var sealed bytes.Buffer
	testkit.Must(t, provider.OrderFile(ctx, j.ref, &sealed))
	register, err := provider.OrderRegister(ctx)
	testkit.Must(t, err)
	root, _, err := order.Look(register)
	testkit.Must(t, err)
	if said, err := j.tool("order", "verify", "-register", j.file("register.json", register), "-root", root.String(), j.file("order.json", sealed.Bytes())); err != nil || !strings.HasPrefix(said, "valid") || !strings.Contains(said, j.ref) {
		t.Errorf("the provider's look at the order: %s, %v", said, err)
	}
	j.At(j.issued.Add(20*time.Minute), 1)
	j.Pages.Set(j.place, http.StatusGone)
	o, err := provider.FeedOrder(ctx, api.Call{}, j.ref, api.NewFeedback{Measure: "removed", MeasureAt: j.Now().UTC().Format(time.RFC3339Nano), Person: "EXERCISE Moderator", Email: "legal@video.example"})
	if err != nil || o.Status != "executed" {
		t.Fatalf("%s, %v", o.Status, err)
	}
	for _, clock := range o.Deadlines {
		if clock.Term == "removal" && clock.State != "met" {
			t.Errorf("the hour is %s", clock.State)
		}
	}
	if got := j.seen(); got != "down" {
		t.Errorf("after the removal we see %q", got)
	}
}

// void is Ireland's part: within its 72 hours (Art. 4(3)). The provider is told, and puts the place back.
func (j *journey) void() {
	t, ctx := j.t, j.t.Context()
	irish := j.as(j.IrishOfficer)
	j.At(j.issued.Add(26*time.Hour), 1)
	var pack bytes.Buffer
	testkit.Must(t, irish.ScrutinyPackage(ctx, j.ref, &pack))
	const reasons = "EXERCISE: it is a made-up report of a made-up news desk, which Art. 1(3) protects."
	o, err := irish.Order(ctx, j.ref)
	testkit.Must(t, err)
	o, err = irish.IntendScrutiny(ctx, api.Call{IfMatch: o.Version}, j.ref, api.ScrutinyRequest{Reasons: reasons})
	testkit.Must(t, err)
	o, err = j.as(j.IrishJudge).DecideScrutiny(ctx, api.Call{IfMatch: o.Version}, j.ref, api.Finding{Outcome: "infringes_charter", Category: "protected", Reasons: reasons})
	if err != nil || o.Status != "void" {
		t.Fatalf("%s, %v", o.Status, err)
	}
	stop := testkit.Run(t, j.Service)
	testkit.Await(t, "the provider is told to put it back", func() bool { return len(j.Hook.Taken(concert.NoticeOrderEnded)) == 1 })
	stop()
	if got, err := j.as(j.Answerer).Order(ctx, j.ref); err != nil || got.Status != "void" || got.Ended != reasons {
		t.Errorf("the provider reads %s, %q, %v", got.Status, got.Ended, err)
	}
	j.Pages.Set(j.place, http.StatusOK)
	if got := j.seen(); got != "up" {
		t.Errorf("after the reinstatement we see %q", got)
	}
	if got, err := j.as(j.Officer).Order(ctx, j.ref); err != nil || got.Status != "void" {
		t.Errorf("Spain reads %s, %v", got.Status, err)
	}
	testkit.Must(t, j.PublishLog(ctx))
}

// recount is what anybody sees three months later, and counts again from what an auditor took away.
func (j *journey) recount() {
	t := j.t
	j.At(monday.AddDate(0, 0, 90), 1)
	if page := j.public("/public/register/" + j.ref); !strings.Contains(page, j.Spain.Name) || !strings.Contains(page, "void") {
		t.Error("the register's page of the order does not say whose it was, or not that it is void")
	}
	if page := j.public("/public/errors"); !strings.Contains(page, j.ref) {
		t.Error("the error register has no line of it")
	}
	var bundle bytes.Buffer
	testkit.Must(t, j.as(j.Auditor).Export(t.Context(), &bundle))
	export := j.file("export.jsonl", bundle.Bytes())
	for _, name := range []string{formats.RegisterFile, formats.ErrorsFile, formats.FiguresFile} {
		text := j.public("/public/files/" + name)
		if said, err := j.tool("report", "verify", "-log-key", j.LogKey, "-report", j.file(name, []byte(text)), export); err != nil || !strings.HasPrefix(said, "RECOUNTED") {
			t.Errorf("%s: %s, %v", name, said, err)
		}
		if name == formats.FiguresFile {
			continue
		}
		if !strings.Contains(text, j.ref) {
			t.Errorf("%s has no line of the order", name)
		}
		// Whoever says something else of it is found out.
		changed := strings.Replace(text, j.ref, "RO-0000-0000-00000", 1)
		if said, err := j.tool("report", "verify", "-log-key", j.LogKey, "-report", j.file("changed-"+name, []byte(changed)), export); err == nil || !strings.Contains(said, "DIFFERS") {
			t.Errorf("%s with another order: %s, %v", name, said, err)
		}
	}
}
