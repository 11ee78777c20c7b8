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

func followOrder(t *testing.T, path string, c *testkit.Competent) {
	ctx, dir := t.Context(), t.TempDir()
	ui, err := webui.New(c.Service, casework.NewHub(c.Service), c.Log)
	testkit.Must(t, err)
	mux := http.NewServeMux()
	ui.Register(mux)
	apiserver.New(c.Service, c.Log).Register(mux)
	srv := httptest.NewServer(httpkit.Bounded(c.Log, httpkit.Security(mux)))
	t.Cleanup(func() { srv.CloseClientConnections(); srv.Close() })
	as := func(by concert.Actor) *api.Client {
		t.Helper()
		key, _, err := c.IssueKey(ctx, by, "EXERCISE script", concert.KeyPowers...)
		testkit.Must(t, err)
		return &api.Client{Base: srv.URL, Key: key, Tries: -1, Justification: "EXERCISE: the order from Spain"}
	}
	author, second, issuer, provider := as(c.Officer), as(c.Second), as(c.Issuer), as(c.Answerer)
	irish, judge, auditor := as(c.IrishOfficer), as(c.IrishJudge), as(c.Auditor)
	tool := func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(ctx, path, args...)
		cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_CONFIG_HOME="+dir)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("concert %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	file := func(name string, data []byte) string {
		t.Helper()
		at := filepath.Join(dir, name)
		testkit.Must(t, os.WriteFile(at, data, 0o600))
		return at
	}
	public := func(page string) string {
		t.Helper()
		res, err := http.Get(srv.URL + page)
		testkit.Must(t, err)
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d, %v", page, res.StatusCode, err)
		}
		return string(body)
	}

	c.At(monday, 1)
	place := testkit.Page(1)
	item := c.Judged(place)
	d := testkit.Draft(item)
	o, err := author.DraftOrder(ctx, api.Call{}, api.NewOrder{Items: []api.NewOrderItem{{Item: item}}, Language: d.Language, Statement: d.Statement, LegalBasis: d.LegalBasis, Representative: d.Representative, Post: d.Post, FileNo: d.FileNo})
	testkit.Must(t, err)
	o, err = second.ReviewOrder(ctx, api.Call{IfMatch: o.Version}, o.ID)
	testkit.Must(t, err)
	if o, err = issuer.ApproveOrder(ctx, api.Call{IfMatch: o.Version}, o.ID); err != nil || o.IssuedAt != "" {
		t.Fatalf("approved without a first contact: issued at %q, %v", o.IssuedAt, err)
	}
	// Art. 3(2): the provider is told first.
	c.At(monday.Add(12*time.Hour-time.Minute), 1)
	if _, err := issuer.IssueOrder(ctx, api.Call{IfMatch: o.Version}, o.ID); err == nil {
		t.Fatal("issued within the twelve hours")
	}
	c.At(monday.Add(12*time.Hour+time.Minute), 1)
	if o, err = issuer.IssueOrder(ctx, api.Call{IfMatch: o.Version}, o.ID); err != nil || o.IssuedAt == "" {
		t.Fatalf("issued at %q, %v", o.IssuedAt, err)
	}
	testkit.Must(t, c.PublishLog(ctx))
	issued := monday.Add(12*time.Hour + time.Minute)

	var sealed bytes.Buffer
	testkit.Must(t, provider.OrderFile(ctx, o.ID, &sealed))
	register, err := provider.OrderRegister(ctx)
	testkit.Must(t, err)
	root, _, err := order.Look(register)
	testkit.Must(t, err)
	if said := tool("order", "verify", "-register", file("register.json", register), "-root", root.String(), file("order.json", sealed.Bytes())); !strings.Contains(said, "valid") || !strings.Contains(said, o.ID) {
		t.Errorf("the provider's look at the order: %s", said)
	}

	c.At(issued.Add(20*time.Minute), 1)
	c.Pages.Set(place, http.StatusGone)
	if o, err = provider.FeedOrder(ctx, api.Call{}, o.ID, api.NewFeedback{Measure: "removed", MeasureAt: c.Now().UTC().Format(time.RFC3339Nano), Person: "EXERCISE Moderator", Email: "legal@video.example"}); err != nil || o.Status != "executed" {
		t.Fatalf("%s, %v", o.Status, err)
	}
	for _, clock := range o.Deadlines {
		if clock.Term == "removal" && clock.State != "met" {
			t.Errorf("the hour is %s", clock.State)
		}
	}
	observed := func() string {
		t.Helper()
		testkit.Must(t, c.LookAtOrder(ctx, c.IrishOfficer, o.ID))
		got, err := author.Order(ctx, o.ID)
		testkit.Must(t, err)
		return got.Items[0].Observed
	}
	if got := observed(); got != "down" {
		t.Errorf("after the removal we see %q", got)
	}

	c.At(issued.Add(26*time.Hour), 1)
	var pack bytes.Buffer
	testkit.Must(t, irish.ScrutinyPackage(ctx, o.ID, &pack))
	const reasons = "EXERCISE: it is a made-up report of a made-up news desk, which Art. 1(3) protects."
	o, err = irish.Order(ctx, o.ID)
	testkit.Must(t, err)
	o, err = irish.IntendScrutiny(ctx, api.Call{IfMatch: o.Version}, o.ID, api.ScrutinyRequest{Reasons: reasons})
	testkit.Must(t, err)
	o, err = judge.DecideScrutiny(ctx, api.Call{IfMatch: o.Version}, o.ID, api.Finding{Outcome: "infringes_charter", Category: "protected", Reasons: reasons})
	if err != nil || o.Status != "void" {
		t.Fatalf("%s, %v", o.Status, err)
	}
	stop := testkit.Run(t, c.Service)
	testkit.Await(t, "the provider is told to put it back", func() bool { return len(c.Hook.Taken(concert.NoticeOrderEnded)) == 1 })
	stop()
	if got, err := provider.Order(ctx, o.ID); err != nil || got.Status != "void" || got.Ended != reasons {
		t.Errorf("the provider reads %s, %q, %v", got.Status, got.Ended, err)
	}
	c.Pages.Set(place, http.StatusOK)
	if got := observed(); got != "up" {
		t.Errorf("after the reinstatement we see %q", got)
	}
	if got, err := author.Order(ctx, o.ID); err != nil || got.Status != "void" {
		t.Errorf("Spain reads %s, %v", got.Status, err)
	}

	testkit.Must(t, c.PublishLog(ctx))
	c.At(monday.AddDate(0, 0, 90), 1)
	if page := public("/public/register/" + o.ID); !strings.Contains(page, c.Spain.Name) || !strings.Contains(page, "void") {
		t.Error("the register's page of the order does not say whose it was, or not that it is void")
	}
	if page := public("/public/errors"); !strings.Contains(page, o.ID) {
		t.Error("the error register has no line of it")
	}
	var bundle bytes.Buffer
	testkit.Must(t, auditor.Export(ctx, &bundle))
	export := file("export.jsonl", bundle.Bytes())
	for _, name := range []string{formats.RegisterFile, formats.ErrorsFile, formats.FiguresFile} {
		text := public("/public/files/" + name)
		published := file(name, []byte(text))
		if said := tool("report", "verify", "-log-key", c.LogKey, "-report", published, export); !strings.HasPrefix(said, "RECOUNTED") {
			t.Errorf("%s: %s", name, said)
		}
		if name == formats.FiguresFile {
			continue
		}
		if !strings.Contains(text, o.ID) {
			t.Errorf("%s has no line of the order", name)
		}
		// Whoever leaves out the line is found out.
		var kept []string
		for _, line := range strings.SplitAfter(text, "\n") {
			if !strings.Contains(line, o.ID) {
				kept = append(kept, line)
			}
		}
		if len(kept) < 2 {
			continue
		}
		out, err := exec.CommandContext(ctx, path, "report", "verify", "-log-key", c.LogKey, "-report", file("less-"+name, []byte(strings.Join(kept, ""))), export).CombinedOutput()
		if err == nil {
			t.Errorf("%s without the order's line: %s", name, out)
		}
	}
}
