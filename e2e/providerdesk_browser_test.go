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
	"concert/internal/testkit"
	"concert/internal/testkit/orderdesk"
)

// TestBrowserProviderDesk works an order and its complaint on the pages of a provider's own desk, as its first person does, and keeps
// pictures where CONCERT_TEST_SHOTS names a folder.
func TestBrowserProviderDesk(t *testing.T) {
	t.Parallel()
	path := os.Getenv("CONCERT_TEST_CHROMIUM")
	if path == "" {
		path, _ = exec.LookPath("chromium")
	}
	if path == "" {
		t.Skip("there is no chromium here: CONCERT_TEST_CHROMIUM names one, ./check installs it")
	}
	h := newHub(t)
	s, _, c, link := newDesk(t)
	alloc, stop := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU)...)
	t.Cleanup(stop)
	tab, end := chromedp.NewContext(alloc)
	t.Cleanup(end)
	do := func(steps ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		ctx, stop := context.WithTimeout(tab, 30*time.Second)
		defer stop()
		if err := chromedp.Do(ctx, steps...); err != nil {
			body, _ := chromedp.Run(tab, chromedp.Evaluate[string](`location.href + " " + document.body.innerText`))
			t.Fatalf("%v (at %s)", err, body)
		}
	}
	css := func(sel string) chromedp.CSS { return chromedp.CSS(sel) }
	shoot := func(name string) {
		t.Helper()
		dir := os.Getenv("CONCERT_TEST_SHOTS")
		if dir == "" {
			return
		}
		for width, suffix := range map[int64]string{1280: "-1280", 380: "-380"} {
			do(chromedp.EmulateViewport(width, 900))
			raw, err := chromedp.Run(tab, chromedp.FullScreenshot(100))
			testkit.Must(t, err)
			testkit.Must(t, os.WriteFile(filepath.Join(dir, name+suffix+".png"), raw, 0o600))
			wide, err := chromedp.Run(tab, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`))
			if err != nil || wide > width {
				t.Errorf("%s is %d wide on a screen of %d: %v", name, wide, width, err)
			}
		}
		do(chromedp.EmulateViewport(1280, 900))
	}
	testkit.Must(t, chromedp.Do(tab))
	do(chromedp.Navigate(link), chromedp.WaitVisible(css("#f-again")))
	do(chromedp.Navigate(c.Base+"/"), chromedp.WaitVisible(css(".empty a[href='/hubs']")))
	do(chromedp.Navigate(c.Base+"/hubs"), chromedp.WaitVisible(css("#f-url")))
	do(chromedp.SendKeys(css("#f-url"), h.server.URL), chromedp.SendKeys(css("#f-key"), h.key), chromedp.SendKeys(css("#f-root"), strings.Repeat("0000-", 16)), chromedp.Click(css("form[action='/hubs'] button")), chromedp.WaitVisible(css(".problems")))
	do(chromedp.SetValue(css("#f-root"), h.root), chromedp.SendKeys(css("#f-key"), h.key), chromedp.Click(css("form[action='/hubs'] button")), chromedp.WaitVisible(css(".notice")))
	shoot("hubs")

	o := h.Issued(testkit.Page(1))
	forger := orderdesk.New(t, "forger")
	p := forger.Payload(1)
	p.Addressee.Ref = h.Hooked.Ref
	testkit.Must(t, s.PullHubs(t.Context()))
	h.forge("/api/v1/orders", list(t, p.Ref))
	h.forge("/api/v1/orders/"+p.Ref+"/file", forger.File(p))
	testkit.Must(t, s.PullHubs(t.Context()))
	h.forge("/api/v1/orders", nil)
	_, err := h.Sandbox(t.Context(), h.Answerer)
	testkit.Must(t, err)
	testkit.Must(t, h.PublishLog(t.Context()))
	testkit.Must(t, s.PullHubs(t.Context()))
	r, bad := only(t, c, o.Ref), only(t, c, p.Ref)
	do(chromedp.Navigate(c.Base+"/received"), chromedp.WaitVisible(css("tr.urgent [data-due]")))
	shoot("inbox")
	do(chromedp.Navigate(c.Base+"/received/"+bad.ID), chromedp.WaitVisible(css(".problems")))
	if raw, err := chromedp.Run(tab, chromedp.Evaluate[bool](`document.querySelector("#feedback") === null && document.querySelector("#impossible") !== null`)); err != nil || !raw {
		t.Errorf("what is not valid offers to be carried out: %v", err)
	}
	shoot("forged")
	do(chromedp.Navigate(c.Base+"/received/"+r.ID), chromedp.WaitVisible(css("#feedback")))
	shoot("order")
	do(chromedp.Click(css("form[action$='/impossible'] button")), chromedp.WaitVisible(css(".problems")))
	shoot("answer-errors")
	do(chromedp.Navigate(c.Base+"/received/"+r.ID), chromedp.WaitVisible(css("#feedback")))
	do(chromedp.Click(css("#f-measure input[value=removed]")), chromedp.Click(css("form[action$='/feedback'] button")), chromedp.WaitVisible(css(".notice")))
	testkit.Must(t, s.PullHubs(t.Context()))
	do(chromedp.Navigate(c.Base+"/received/"+r.ID), chromedp.WaitVisible(css("#posts")), chromedp.Click(css("#complaint ~ details summary")))
	do(chromedp.SendKeys(css("#f-from"), "EXERCISE user, user@example.invalid"), chromedp.SendKeys(css("#f-text"), "EXERCISE: it was satire, and marked so."), chromedp.Click(css("form[action$='/complaints'] button")), chromedp.WaitVisible(css(".notice")))
	shoot("answered")
	if done := only(t, c, o.Ref); done.Status != "answered" || done.Posts[0].State != "delivered" {
		t.Errorf("the form's answer: %+v", done)
	}
	for _, page := range []string{"kept", "complaints", "article7"} {
		do(chromedp.Navigate(c.Base+"/"+page), chromedp.WaitVisible(css("main h1")))
		shoot(page)
	}
	referral := func() api.Received {
		all, err := c.ReceivedList(t.Context(), "open")
		testkit.Must(t, err)
		for _, x := range all.Items {
			if x.Kind == "referral" {
				return x
			}
		}
		return api.Received{}
	}()
	if referral.ID != "" {
		do(chromedp.Navigate(c.Base+"/received/"+referral.ID), chromedp.WaitVisible(css("#code-0")))
		shoot("referral")
	}
}
