package webui

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"concert"
	"concert/internal/casework"
	"concert/internal/httpkit"
	"concert/internal/testkit"
)

// chromium is the browser's path; a machine without one skips, CI does not.
func chromium(t *testing.T) string {
	t.Helper()
	path := os.Getenv("CONCERT_TEST_CHROMIUM")
	if path == "" {
		path, _ = exec.LookPath("chromium")
	}
	if path == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("there is no chromium, and CI must not skip the browser: ./check installs it")
		}
		t.Skip("there is no chromium here: CONCERT_TEST_CHROMIUM names one, ./check installs it")
	}
	return path
}

// startBrowser starts a browser for one test.
func startBrowser(t *testing.T) context.Context {
	t.Helper()
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium(t)), chromedp.NoSandbox, chromedp.DisableGPU)
	alloc, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(stop)
	browser, end := chromedp.NewContext(alloc)
	t.Cleanup(end)
	must(t, chromedp.Do(browser))
	return browser
}

// window is a browser window with a session of its own.
type window struct {
	t    *testing.T
	step func() (context.Context, context.CancelFunc) // for one step
	dir  string                                       // where pictures are kept, "" for nowhere
	base string
}

// browse opens a window; what a script throws or the content security policy
// complains about fails the test.
func (h *house) browse(t *testing.T, browser context.Context, dir string) *window {
	t.Helper()
	ctx, stop := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	w := &window{t, func() (context.Context, context.CancelFunc) { return context.WithTimeout(ctx, 15*time.Second) }, dir, h.server.URL}
	// A window lives as long as the context of its first step.
	must(t, chromedp.Do(ctx))
	messages := chromedp.Console(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for m, err := range messages {
			if err != nil {
				return
			}
			// A refused form is an answer, not a fault of the page.
			if (m.Type == chromedp.ConsoleError || m.Type == chromedp.ConsoleException) && !strings.Contains(m.Text, "status of 4") {
				t.Errorf("console: %s %s", m.Text, m.URL)
			}
		}
	}()
	t.Cleanup(func() {
		stop()
		select {
		case <-done:
		case <-time.After(3 * time.Second):
		}
	})
	return w
}

func (w *window) do(steps ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	ctx, stop := w.step()
	defer stop()
	if err := chromedp.Do(ctx, steps...); err != nil {
		ctx, stop := w.step()
		defer stop()
		at, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + " " + document.title`))
		w.t.Fatalf("%v (at %s)", err, at)
	}
}

func get[T any](w *window, a chromedp.Action[T]) T {
	w.t.Helper()
	ctx, stop := w.step()
	defer stop()
	v, err := chromedp.Run(ctx, a)
	must(w.t, err)
	return v
}

func (w *window) open(path, seen string) {
	w.t.Helper()
	if strings.HasPrefix(path, "/") {
		path = w.base + path
	}
	w.do(chromedp.Navigate(path), visible(seen))
}

// enter comes in by the one-time link as it was handed out, and types its code
// where it has one.
func (w *window) enter(h *house, login string) {
	w.t.Helper()
	if h.codes[login] == "" {
		w.open(h.links[login], "#f-again")
		return
	}
	w.open(h.links[login], "#f-code")
	w.do(typed("#f-code", h.codes[login]), click("#enter button"), visible("#f-again"))
}

// works says what the window's person works on.
func (w *window) works() {
	w.t.Helper()
	w.open("/justification", "#f-justification")
	w.do(typed("#f-justification", working), click("main form button"), visible(".why"))
}

func visible(sel string) chromedp.Action[chromedp.Void] {
	return chromedp.WaitVisible(chromedp.CSS(sel))
}
func click(sel string) chromedp.Action[chromedp.Void] { return chromedp.Click(chromedp.CSS(sel)) }
func typed(sel, s string) chromedp.Action[chromedp.Void] {
	return chromedp.SendKeys(chromedp.CSS(sel), s)
}
func chosen(sel, v string) chromedp.Action[chromedp.Void] {
	return chromedp.SetValue(chromedp.CSS(sel), v)
}

// shoot keeps a picture of the whole page at a size, as it is or with the rules
// of the dark scheme always on.
func (w *window) shoot(name string, dark bool, width, height int64) {
	w.t.Helper()
	if w.dir == "" {
		return
	}
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	get(w, chromedp.Evaluate[int](`document.documentElement.dataset.theme = "`+scheme+`"; 1`))
	w.do(chromedp.EmulateViewport(width, height))
	must(w.t, os.WriteFile(filepath.Join(w.dir, name+".png"), get(w, chromedp.FullScreenshot(100)), 0o600))
}

// shots is where pictures of the pages are kept for people to look at: a folder
// that CONCERT_TEST_SHOTS names; without it none are taken, which saves seconds.
func shots() string { return os.Getenv("CONCERT_TEST_SHOTS") }

// In a real browser: in by link, hand in, assess, approve as another person,
// and see the board change without loading anything again.
func TestBrowserWorksTheChainAndTheBoardMoves(t *testing.T) {
	h := open(t)
	h.work()
	h.crowd()
	browser := startBrowser(t)
	dir := shots()
	officer, reviewer, wall := h.browse(t, browser, dir), h.browse(t, browser, dir), h.browse(t, browser, dir)

	officer.enter(h, "officer")
	if u := mustURL(t, get(officer, chromedp.Location())); u.Fragment != "" || u.Path != "/password" {
		t.Fatalf("the link led to %s", u)
	}
	officer.works()
	wall.enter(h, "coordinator")
	wall.open("/actions/"+h.action.Ref, `#live[data-state=live]`)
	before := get(wall, chromedp.Text(chromedp.CSS(".funnel .big")))

	officer.open("/submit", "#f-locations")
	officer.do(typed("#f-locations", "https://video.example/watch?v=ex777777Ab"), chosen("#f-action", h.action.Ref), click("main form button"), visible("#results + .scroll a"))
	ref := get(officer, chromedp.Text(chromedp.CSS("main table a")))
	testkit.Capture(t, h.svc, h.people["officer"].Actor(), ref)
	officer.do(click("main table a"), visible("#f-facts"), click("form:has(#f-facts) button[type=submit]"), visible(".problems"))
	officer.shoot("assess-errors", false, 1280, 900)
	officer.do(click("input[value=no_protected_purpose]"), click("input[value=incites]"), chosen("#f-outlet", h.outlet.Ref), typed("#f-mark", "EXERCISE logo"), typed("#f-mark_where", "top right"), typed("#f-language", "ar"),
		chosen("#f-evaluation", "A1"), click("input[value=serious]"), typed("#f-facts", "EXERCISE: a made-up video with a made-up logo."), typed("#f-judgement", "EXERCISE: would incite, were it real."), click("form:has(#f-facts) button[type=submit]"), visible(".notice"))

	reviewer.enter(h, "reviewer")
	reviewer.works()
	reviewer.open("/approvals", `tr[data-row="`+ref+`"]`)
	reviewer.shoot("approvals", false, 1280, 900)
	reviewer.do(click(`tr[data-row="`+ref+`"] a`), visible("#decide"), click("button[value=approve]"), visible(".notice"))

	get(wall, chromedp.Poll[bool](`document.querySelector(".funnel .big").innerText !== "`+before+`"`))
	t.Logf("the board went from %s to %s", before, get(wall, chromedp.Text(chromedp.CSS(".funnel .big"))))
	if !get(wall, chromedp.Evaluate[bool](`performance.getEntriesByType("resource").every(e => e.name.startsWith(location.origin))`)) {
		t.Error("something was loaded from outside")
	}
	get(wall, chromedp.Poll[bool](`document.querySelectorAll(".grid tbody tr").length > 0`))
	wall.shoot("board-light", false, 1920, 1080)
	wall.shoot("board-dark", true, 1920, 1080)
	wall.shoot("board-laptop", false, 1366, 768)
	wall.shoot("board-phone", true, 390, 844)
	wall.do(click("#pause"), visible(`#live[data-state=paused]`))

	officer.open("/items/"+ref, ".ladder")
	officer.shoot("item-light", false, 1280, 900)
	officer.shoot("item-dark", true, 1280, 900)
	for name, path := range map[string]string{"queue": "/items", "report": "/actions/" + h.action.Ref + "/report", "scope": "/scope", "holds": "/holds", "submit": "/submit"} {
		officer.open(path, "h1")
		officer.shoot(name, false, 1280, 900)
	}
	answerer := h.browse(t, browser, dir)
	answerer.enter(h, "answerer")
	answerer.open("/referrals", "main table a")
	answerer.do(click("main table a"), visible(".reply"))
	answerer.shoot("referral", false, 1280, 900)
}

// crowd fills the action with invented work in many states.
func (h *house) crowd() {
	h.t.Helper()
	refs := h.submit("officer", 60, 1, h.action.Ref)
	h.submit("south", 25, 40, h.action.Ref)
	h.assessed("officer", refs[:50], concert.SeverityThreat)
	h.approved("reviewer", refs[:44])
	_, err := h.svc.PlanBatch(h.t.Context(), h.people["officer"].Actor(), concert.BatchPlan{Act: concert.BatchCorrect, Reason: "EXERCISE: put right."}, []concert.BatchItem{{Ref: refs[50], Version: 1}})
	must(h.t, err)
}

// busyBoard is a joint action of the size of November 2019, invented.
func busyBoard() (casework.Board, casework.Registers) {
	start := time.Date(2019, 11, 21, 8, 0, 0, 0, time.UTC)
	b := casework.Board{Action: concert.Action{ID: "a", Ref: "JA-EXERCISE", Name: "EXERCISE November 2019", Phase: concert.PhaseRefer, Lead: "au0", Mandate: "EXERCISE 2019/1", StartsAt: start, EndsAt: start.Add(96 * time.Hour), Target: 26000, Exercise: true},
		AsOf: start.Add(55 * time.Hour), Totals: concert.Counts{}, Authorities: map[concert.AuthorityID]concert.Counts{}, Providers: map[concert.ProviderID]concert.Counts{}}
	g := casework.Registers{Authorities: map[concert.AuthorityID]concert.Authority{}, Providers: map[concert.ProviderID]concert.Provider{}}
	for i := range int64(12) {
		id := concert.AuthorityID("au" + string(rune('0'+i)))
		g.Authorities[id] = concert.Authority{ID: id, Name: "EXERCISE Unit", Country: "X" + string(rune('A'+i)), Unit: "IRU-X" + string(rune('A'+i))}
		b.Participants = append(b.Participants, concert.Participant{Authority: id, Part: concert.PartSupport})
		b.Authorities[id] = concert.Counts{concert.Submitted: 2600 + 31*i, concert.Unique: 2100 + 29*i, concert.Duplicates: 500 + 2*i, concert.Approved: 1700 + 20*i, concert.ReferredN: 1500 + 17*i, concert.Down: 900 + 11*i}
	}
	for i := range int64(9) {
		id := concert.ProviderID("p" + string(rune('0'+i)))
		g.Providers[id] = concert.Provider{ID: id, Name: "EXERCISE Provider " + string(rune('A'+i))}
		n := 2600 - 200*i
		b.Providers[id] = concert.Counts{concert.ReferredN: n, concert.Acknowledged: n - 40*i, concert.AnsweredN: n - 90*i, concert.Silent: 90 * i, concert.Removed: n - 90*i - 200, concert.Refused: 150, concert.OtherAnswer: 50, concert.RecheckedN: n / 2, concert.Down: n/2 - 100 - 20*i, concert.StillUp: 60 + 10*i, concert.Returned: 10 * i, concert.PartialN: 10, concert.UnknownN: 30, concert.WithdrawnN: i}
	}
	for _, side := range []map[concert.ProviderID]concert.Counts{b.Providers} {
		for _, c := range side {
			for m, n := range c {
				b.Totals[m] += n
			}
		}
	}
	t := b.Totals
	t[concert.Duplicates], t[concert.Guarded], t[concert.Unassessed], t[concert.OutOfScope], t[concert.Awaiting], t[concert.Rejected], t[concert.Ready], t[concert.Held] = 6120, 310, 1204, 88, 640, 402, 150, 12
	t[concert.Approved] = t[concert.Ready] + t[concert.Held] + t[concert.ReferredN]
	t[concert.Assessed] = t[concert.Awaiting] + t[concert.Rejected] + t[concert.Approved]
	t[concert.Unique] = t[concert.Guarded] + t[concert.Unassessed] + t[concert.OutOfScope] + t[concert.Assessed]
	t[concert.Submitted] = t[concert.Unique] + t[concert.Duplicates]
	t[concert.RecheckedN] = t[concert.Down] + t[concert.StillUp] + t[concert.PartialN] + t[concert.UnknownN] + t[concert.Returned]
	return b, g
}

// serveBusy shows the busy board and its report through the real door.
func (h *house) serveBusy(t *testing.T) string {
	b, g := busyBoard()
	f := casework.WallFigures{Width: time.Hour, Online: map[concert.AuthorityID]int{"au1": 3}, Waiting: map[concert.Metric]concert.Wait{concert.Assessed: {N: 1204, Since: b.AsOf.Add(-3 * time.Hour)}},
		Deadlines: []casework.Deadline{{Kind: concert.ClockConsignment, Provider: "p1", At: b.AsOf.Add(40 * time.Second), N: 200}, {Kind: concert.ClockRemind, Provider: "p2", At: b.AsOf.Add(25 * time.Minute), N: 12}, {Kind: casework.DeadlineEnd, At: b.Action.EndsAt, N: 1}},
		Incidents: []concert.Trouble{{Kind: concert.TroubleSilent, Provider: "p3", N: 4, Since: b.AsOf.Add(-30 * time.Hour)}},
		Orders:    []concert.Bulletin{{Kind: concert.BulletinOrder, Text: "EXERCISE: video first, accounts after", At: b.AsOf.Add(-time.Hour)}}}
	for i := range 40 {
		f.Flow = append(f.Flow, casework.Flow{At: b.Action.StartsAt.Add(time.Duration(10+i) * time.Hour), Referred: int64(i) * 18, Acked: int64(i) * 12})
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /assets/{name}", h.ui.assets.serve)
	mux.HandleFunc("GET /board", func(w http.ResponseWriter, r *http.Request) {
		must(t, h.ui.show(w, r, &visit{person: h.people["coordinator"]}, view{title: "Wall", body: boardView(boardOf(r.Context(), b, g, f, 1, true), h.ui.assets.url["uplot.min.css"]), wide: true, scripts: []string{"uplot.min.js", "board.js"}}))
	})
	mux.HandleFunc("GET /report", func(w http.ResponseWriter, r *http.Request) {
		must(t, h.ui.show(w, r, &visit{person: h.people["coordinator"]}, view{title: "Report", body: reportView(reportOf(r.Context(), b, g, "exercise.example/log"), true), wide: true}))
	})
	s := httptest.NewServer(httpkit.Security(mux))
	t.Cleanup(s.Close)
	return s.URL
}

// Nothing runs over the edge, down to the width of a phone (WCAG 2.2 1.4.10).
func TestBrowserFitsEveryWidth(t *testing.T) {
	h := open(t)
	base := h.serveBusy(t)
	ref := h.submit("officer", 3, 1, "")[0]
	browser := startBrowser(t)
	w := h.browse(t, browser, shots())
	w.enter(h, "officer")
	w.works()
	for _, path := range []string{base + "/board", base + "/report", "/items", "/items/" + ref, "/submit", "/holds", "/scope", "/counting", "/log", "/password", "/account", "/justification"} {
		w.open(path, "h1")
		for _, width := range []int64{1920, 1366, 320} {
			w.do(chromedp.EmulateViewport(width, 1080))
			over := get(w, chromedp.Evaluate[string](`document.documentElement.scrollWidth <= innerWidth ? "" : [...document.querySelectorAll("main *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".scroll, .hidden, pre")).slice(0, 4).map(e => e.tagName + "." + e.className).join(" ") + " " + document.documentElement.scrollWidth`))
			if over != "" {
				t.Errorf("%s is wider than %d: %s", path, width, over)
			}
		}
	}
	for _, page := range []string{"board", "report"} {
		w.open(base+"/"+page, "h1")
		w.shoot("busy-"+page+"-light", false, 1920, 1080)
		w.shoot("busy-"+page+"-dark", true, 1920, 1080)
		w.shoot("busy-"+page+"-phone", false, 390, 844)
	}
}
