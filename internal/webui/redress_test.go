package webui

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"concert"
	"concert/internal/casework"
	"concert/internal/httpkit"
	"concert/internal/testkit"
)

// competent is a deployment in which Spain orders and Ireland scrutinises, behind the door, with an order that its addressee carried out
// and the address of the page of the one whose content it was.
func competent(t *testing.T, silent bool) (*testkit.Competent, *house, concert.Order, string) {
	t.Helper()
	svc := testkit.Service(t, "sqlite")
	c := testkit.FurnishCompetent(t, svc)
	mux := http.NewServeMux()
	log := slog.New(slog.DiscardHandler)
	server := httptest.NewServer(httpkit.Security(httpkit.Bounded(log, mux)))
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	svc.BaseURL = server.URL
	ui, err := New(svc, casework.NewHub(svc), log)
	must(t, err)
	ui.Register(mux)
	d := testkit.Urgent(testkit.Draft(c.Judged(testkit.Page(1))))
	if silent {
		d.Silent, d.SilenceGround = true, "EXERCISE: an arrest that is not made yet."
	}
	o := c.Reviewed(d)
	o, err = svc.ApproveOrder(t.Context(), c.Issuer, o.Ref, o.Version)
	must(t, err)
	_, err = svc.AnswerOrder(t.Context(), c.Answerer, o.Ref, 0, concert.OrderAnswer{Measure: concert.MeasureRemoved, MeasureAt: svc.Now(), Person: "EXERCISE Moderator", Email: "legal@video.example"})
	must(t, err)
	p, err := svc.LinkContent(t.Context(), c.Answerer, casework.About{Kind: concert.AboutOrder, Ref: o.Ref}, "en")
	must(t, err)
	return c, &house{t: t, svc: svc, ui: ui, server: server, links: map[string]string{}, codes: c.Codes}, o, strings.TrimPrefix(p.Address, server.URL)
}

// send posts a form behind a token.
func (h *house) send(path string, more url.Values) (int, string) {
	h.t.Helper()
	token := strings.Split(strings.TrimPrefix(path, "/redress/"), "/")[0]
	v := url.Values{"token": {token}}
	for k, x := range more {
		v[k] = x
	}
	res, err := http.PostForm(h.server.URL+path, v)
	must(h.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	must(h.t, err)
	return res.StatusCode, string(text)
}

// An unknown token and one of an order that is kept from the content provider get the same page, byte for byte but for what is drawn
// anew each time.
func TestG14HiddenPageIsAnUnknownPage(t *testing.T) {
	t.Parallel()
	_, site, _, page := competent(t, true)
	unknown := "/redress/csd_" + strings.Repeat("0", 49)
	for _, way := range []string{"", "/complaint", "/scrutiny", "/copy"} {
		a, hidden := site.send(page+way, url.Values{"text": {"EXERCISE: a complaint that is long enough."}, "request": {"EXERCISE: a request that is long enough."}})
		b, none := site.send(unknown+way, url.Values{"text": {"EXERCISE: a complaint that is long enough."}, "request": {"EXERCISE: a request that is long enough."}})
		token := func(s, path string) string {
			return strings.ReplaceAll(s, strings.TrimPrefix(path, "/redress/"), "TOKEN")
		}
		if a != http.StatusNotFound || a != b || token(hidden, page) != token(none, unknown) {
			t.Errorf("%s: %d and %d, of %d and %d bytes", way, a, b, len(hidden), len(none))
		}
	}
}

// A complaint is anybody's text: it stands on pages as text, and a form without its token is refused.
func TestComplaintIsShownAsText(t *testing.T) {
	t.Parallel()
	_, site, _, page := competent(t, false)
	if status, _ := site.send(page+"/complaint", url.Values{"token": {"csd_x"}, "text": {"EXERCISE: forged from somewhere else."}}); status != http.StatusForbidden {
		t.Errorf("a form without its token: %d", status)
	}
	if status, text := site.send(page+"/complaint", url.Values{"text": {"short"}}); status != http.StatusUnprocessableEntity || !strings.Contains(text, "short</textarea>") {
		t.Errorf("a short one: %d", status)
	}
	status, text := site.send(page+"/complaint", url.Values{"text": {"EXERCISE: <script>alert(1)</script> was my report."}})
	if status != http.StatusOK || strings.Contains(text, "<script>alert") || !strings.Contains(text, "&lt;script&gt;alert(1)&lt;/script&gt; was my report.") {
		t.Errorf("a script: %d", status)
	}
}

// In a real browser: the content provider reads, complains and asks; Ireland tells and voids; a reviewer without a part decides.
func TestBrowserRedressAndScrutiny(t *testing.T) {
	c, site, o, page := competent(t, false)
	axe, err := os.ReadFile(filepath.Join("testdata", "axe", "axe.min.js"))
	must(t, err)
	c.Person("es-reviewer-2", c.Spain.Ref, "", concert.RoleReviewer)
	dir := shots()
	if dir == "" {
		dir = t.ArtifactDir()
	}
	for login, token := range c.Links {
		site.links[login] = site.server.URL + "/enter#" + token
	}
	browser := startBrowser(t)
	w := site.browse(t, browser, dir)
	look := func(w *window, name string) {
		t.Helper()
		w.judge(string(axe), name)
		for _, width := range []int64{380, 1280} {
			w.do(chromedp.EmulateViewport(width, 900))
			if wide := get(w, chromedp.Evaluate[int](`document.documentElement.scrollWidth`)); int64(wide) > width {
				t.Errorf("%s is %d pixels wide on a screen of %d", name, wide, width)
			}
			w.picture(name + map[int64]string{380: "-380", 1280: ""}[width])
		}
	}
	w.open(page, "main form")
	if text := get(w, chromedp.Text(chromedp.CSS("main"))); strings.Contains(text, o.Ref) {
		t.Errorf("before the button is pressed the page says %q", text)
	}
	look(w, "redress-greet")
	w.do(click("main form button"), visible("#f-text"))
	look(w, "redress")
	w.do(typed("#f-text", "EXERCISE: this was my report for a made-up newspaper."), click("[aria-labelledby=complaint] form button"), visible(".notice"))
	w.open(page, "main form")
	w.do(click("main form button"), visible("#f-request"))
	w.do(typed("#f-request", "EXERCISE: reporting is protected, the order infringes the Charter."), click("[aria-labelledby=other-state] form button"), visible(".notice"))
	look(w, "redress-complained")

	irish := site.browse(t, browser, dir)
	irish.enter(site, "ie-officer")
	irish.works()
	irish.open("/orders/"+o.Ref+"/scrutiny", "#f-intention")
	look(irish, "scrutiny")
	irish.do(typed("#f-intention", "EXERCISE: it is a report of a made-up newspaper."), click("#f-intention + button, form:has(#f-intention) button"), visible(".notice"))
	if get(irish, chromedp.Evaluate[bool](`document.querySelector("#f-intention") !== null`)) {
		t.Error("the intention is asked for again")
	}
	reviewer := site.browse(t, browser, dir)
	reviewer.enter(site, "es-reviewer-2")
	reviewer.works()
	reviewer.open("/complaints", "table a")
	look(reviewer, "complaints")
	reviewer.do(click("table a"), visible("#f-reasons"))
	look(reviewer, "complaint")
	reviewer.do(chosen("#f-outcome", "upheld"), chosen("#f-category", "protected"), typed("#f-reasons", "EXERCISE: it is a report; we were wrong."), click("form:has(#f-reasons) button"), visible(".notice"))
	w.open(page, "main form")
	w.do(click("main form button"), visible("#complaint"))
	if text := get(w, chromedp.Text(chromedp.CSS("main"))); !strings.Contains(text, "it is a report; we were wrong") || !strings.Contains(text, "taken back") {
		t.Errorf("the page says %q", text)
	}
	look(w, "redress-decided")
	get(w, chromedp.Evaluate[int](`document.cookie = "concert-reader=l%3Dar; path=/"; document.cookie = "concert-reader=l=ar; path=/"; 1`))
	w.open(page, "main form")
	w.do(click("main form button"), visible("#complaint"))
	if get(w, chromedp.Evaluate[string](`document.documentElement.dir`)) != "rtl" {
		t.Error("in Arabic the page runs from left to right")
	}
	look(w, "redress-ar")
}
