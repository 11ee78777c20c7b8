package webui

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"concert"
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

// window is a browser window with a session of its own.
type window struct {
	t    *testing.T
	ctx  context.Context
	dir  string // where pictures are kept
	base string
}

// browse opens a window; what a script throws or the content security policy
// complains about fails the test.
func (h *house) browse(t *testing.T, browser context.Context, dir string) *window {
	t.Helper()
	ctx, stop := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	w := &window{t, ctx, dir, h.server.URL}
	w.do()
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
	t.Cleanup(func() { stop(); <-done })
	return w
}

func (w *window) do(steps ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	ctx, stop := context.WithTimeout(w.ctx, 15*time.Second)
	defer stop()
	if err := chromedp.Do(ctx, steps...); err != nil {
		var at string
		at, _ = chromedp.Run(w.ctx, chromedp.Evaluate[string](`location.href + " " + document.title`))
		w.t.Fatalf("%v (at %s)", err, at)
	}
}

func get[T any](w *window, a chromedp.Action[T]) T {
	w.t.Helper()
	ctx, stop := context.WithTimeout(w.ctx, 15*time.Second)
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
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	set := `for (const s of document.styleSheets) for (const r of s.cssRules) if (r.media && /prefers-color-scheme|^(not )?all$/.test(r.media.mediaText)) r.media.mediaText = "` + map[string]string{"light": "not all", "dark": "all"}[scheme] + `"; document.documentElement.style.colorScheme = "` + scheme + `"; 1`
	get(w, chromedp.Evaluate[int](set))
	w.do(chromedp.EmulateViewport(width, height))
	must(w.t, os.WriteFile(filepath.Join(w.dir, name+".png"), get(w, chromedp.FullScreenshot(100)), 0o600))
}

// shots is where pictures of the pages are kept: CONCERT_TEST_SHOTS, else a
// folder that goes with the test.
func shots(t *testing.T) string {
	if dir := os.Getenv("CONCERT_TEST_SHOTS"); dir != "" {
		return dir
	}
	return t.TempDir()
}

// In a real browser: in by link, hand in, assess, approve as another person,
// and see the board change without loading anything again.
func TestBrowserWorksTheChainAndTheBoardMoves(t *testing.T) {
	path := chromium(t)
	h := open(t)
	h.work()
	h.crowd()
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU)
	alloc, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(stop)
	browser, end := chromedp.NewContext(alloc)
	t.Cleanup(end)
	must(t, chromedp.Do(browser))
	dir := shots(t)
	officer, reviewer, wall := h.browse(t, browser, dir), h.browse(t, browser, dir), h.browse(t, browser, dir)

	officer.open(h.links["officer"], "#f-again")
	if u := mustURL(t, get(officer, chromedp.Location())); u.Fragment != "" || u.Path != "/password" {
		t.Fatalf("the link led to %s", u)
	}
	wall.open(h.links["coordinator"], "#f-again")
	wall.open("/actions/"+h.action.Ref, `#live[data-state=live]`)
	before := get(wall, chromedp.Text(chromedp.CSS(".funnel .big")))

	officer.open("/submit", "#f-locations")
	officer.do(typed("#f-locations", "https://video.example/watch?v=ex777777Ab"), chosen("#f-action", h.action.Ref), click("main form button"), visible("#results + .scroll a"))
	ref := get(officer, chromedp.Text(chromedp.CSS("main table a")))
	officer.do(click("main table a"), visible("#f-facts"), click("section form button"), visible(".problems"))
	officer.shoot("assess-errors", false, 1280, 900)
	officer.do(click("input[value=no_protected_purpose]"), click("input[value=incites]"), chosen("#f-outlet", h.outlet.Ref), typed("#f-mark", "EXERCISE logo"), typed("#f-mark_where", "top right"), typed("#f-language", "ar"),
		chosen("#f-evaluation", "A1"), click("input[value=serious]"), typed("#f-facts", "EXERCISE: a made-up video with a made-up logo."), typed("#f-judgement", "EXERCISE: would incite, were it real."), click("section form button"), visible(".notice"))

	reviewer.open(h.links["reviewer"], "#f-again")
	reviewer.open("/approvals", "#i-"+ref)
	reviewer.shoot("approvals", false, 1280, 900)
	reviewer.do(click(`article[aria-labelledby="i-`+ref+`"] button[value=approve]`), visible(".notice"))

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
	answerer.open(h.links["answerer"], "#f-again")
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
}
