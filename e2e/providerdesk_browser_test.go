package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"concert/api"
	"concert/internal/casework"
	"concert/internal/testkit"
	"concert/internal/testkit/orderdesk"
)

// deskTab is a browser's tab on a provider's own desk.
type deskTab struct {
	t    *testing.T
	page func() context.Context // of the tab, for one step
	base string
}

func openTab(t *testing.T, base string) *deskTab {
	t.Helper()
	path := os.Getenv("CONCERT_TEST_CHROMIUM")
	if path == "" {
		path, _ = exec.LookPath("chromium")
	}
	if path == "" {
		t.Skip("there is no chromium here: CONCERT_TEST_CHROMIUM names one, ./check installs it")
	}
	alloc, stop := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU)...)
	t.Cleanup(stop)
	ctx, end := chromedp.NewContext(alloc)
	t.Cleanup(end)
	testkit.Must(t, chromedp.Do(ctx))
	return &deskTab{t, func() context.Context { return ctx }, base}
}

func (d *deskTab) do(steps ...chromedp.Action[chromedp.Void]) {
	d.t.Helper()
	ctx, stop := context.WithTimeout(d.page(), 30*time.Second)
	defer stop()
	if err := chromedp.Do(ctx, steps...); err != nil {
		body, _ := chromedp.Run(d.page(), chromedp.Evaluate[string](`location.href + " " + document.body.innerText`))
		d.t.Fatalf("%v (at %s)", err, body)
	}
}

// open opens a page and waits for something on it.
func (d *deskTab) open(path, seen string) {
	d.t.Helper()
	if strings.HasPrefix(path, "/") {
		path = d.base + path
	}
	d.do(chromedp.Navigate(path), chromedp.WaitVisible(chromedp.CSS(seen)))
}

// send sends a form and waits for what comes of it.
func (d *deskTab) send(form, seen string) {
	d.t.Helper()
	d.do(chromedp.Click(chromedp.CSS(form+" button")), chromedp.WaitVisible(chromedp.CSS(seen)))
}

func (d *deskTab) types(sel, text string) {
	d.t.Helper()
	d.do(chromedp.SetValue(chromedp.CSS(sel), text))
}

// shoot finds that the page fits both widths, and keeps a picture of it at each.
func (d *deskTab) shoot(name string) {
	d.t.Helper()
	for width, suffix := range map[int64]string{1280: "-1280", 380: "-380"} {
		d.do(chromedp.EmulateViewport(width, 900))
		wide, err := chromedp.Run(d.page(), chromedp.Evaluate[int64](`document.documentElement.scrollWidth`))
		if err != nil || wide > width {
			d.t.Errorf("%s is %d wide on a screen of %d: %v", name, wide, width, err)
		}
		if dir := os.Getenv("CONCERT_TEST_SHOTS"); dir != "" {
			raw, err := chromedp.Run(d.page(), chromedp.FullScreenshot(100))
			testkit.Must(d.t, err)
			testkit.Must(d.t, os.WriteFile(filepath.Join(dir, name+suffix+".png"), raw, 0o600))
		}
	}
	d.do(chromedp.EmulateViewport(1280, 900))
}

// TestBrowserProviderDesk works an order and its complaint on the pages of a provider's own desk, as its first person does, and keeps
// pictures where CONCERT_TEST_SHOTS names a folder.
func TestBrowserProviderDesk(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, _, c, link := newDesk(t)
	d := openTab(t, c.Base)
	d.open(link, "#f-again")
	d.open("/", ".empty a[href='/hubs']")
	d.open("/hubs", "#f-url")
	d.types("#f-url", h.server.URL)
	d.types("#f-key", h.key)
	d.types("#f-root", strings.Repeat("0000-", 16))
	d.send("form[action='/hubs']", ".problems")
	d.types("#f-root", h.root)
	d.types("#f-key", h.key)
	d.send("form[action='/hubs']", ".notice")
	d.shoot("hubs")

	r, bad := someOfEach(t, h, s, c)
	d.open("/received", "tr.urgent .counting[data-ends]")
	d.shoot("inbox")
	d.open("/received/"+bad.ID, ".problems")
	if none, err := chromedp.Run(d.page(), chromedp.Evaluate[bool](`document.querySelector("#feedback") === null && document.querySelector("#impossible") !== null`)); err != nil || !none {
		t.Errorf("what is not valid offers to be carried out: %v", err)
	}
	d.shoot("forged")
	d.open("/received/"+r.ID, "#feedback")
	d.shoot("order")
	d.send("form[action$='/impossible']", ".problems")
	d.shoot("answer-errors")
	d.open("/received/"+r.ID, "#feedback")
	d.do(chromedp.Click(chromedp.CSS("#f-measure input[value=removed]")))
	d.send("form[action$='/feedback']", ".notice")
	testkit.Must(t, s.PullHubs(t.Context()))
	d.open("/received/"+r.ID, "#posts")
	d.do(chromedp.Click(chromedp.CSS("#complaint ~ details summary")))
	d.types("#f-from", "EXERCISE user, user@example.invalid")
	d.types("#f-text", "EXERCISE: it was satire, and marked so.")
	d.send("form[action$='/disputes']", ".notice")
	d.shoot("answered")
	if done := only(t, c, r.Theirs); done.Status != "answered" || done.Posts[0].State != "delivered" {
		t.Errorf("the form's answer: %+v", done)
	}
	for _, page := range []string{"kept", "disputes", "article7"} {
		d.open("/"+page, "main h1")
		d.shoot(page)
	}
	all, err := c.ReceivedList(t.Context(), "open")
	testkit.Must(t, err)
	if len(all.Items) != 1 || all.Items[0].Kind != "referral" {
		t.Fatalf("what is open: %+v", all.Items)
	}
	d.open("/received/"+all.Items[0].ID, "#code-0")
	d.shoot("referral")
	d.do(chromedp.SetValue(chromedp.CSS("#code-0"), "removed"), chromedp.SetValue(chromedp.CSS("#code-1"), "refused_not_violating"))
	d.send("form[action$='/replies']", ".notice")
}

// someOfEach lets a valid order, one of an authority of somebody's own making and a referral come in.
func someOfEach(t *testing.T, h *hub, s *casework.Service, c *api.Client) (good, bad api.Received) {
	t.Helper()
	o := h.Issued(testkit.Page(1))
	testkit.Must(t, s.PullHubs(t.Context()))
	forger := orderdesk.New(t, "forger")
	p := forger.Payload(1)
	p.Addressee.Ref = h.Hooked.Ref
	h.forge("/api/v1/orders", list(t, p.Ref))
	h.forge("/api/v1/orders/"+p.Ref+"/file", forger.File(p))
	testkit.Must(t, s.PullHubs(t.Context()))
	h.forge("/api/v1/orders", nil)
	_, err := h.Sandbox(t.Context(), h.Answerer)
	testkit.Must(t, err)
	testkit.Must(t, h.PublishLog(t.Context()))
	testkit.Must(t, s.PullHubs(t.Context()))
	return only(t, c, o.Ref), only(t, c, p.Ref)
}
