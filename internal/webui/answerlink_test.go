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
	"time"

	"github.com/chromedp/chromedp"

	"concert"
	"concert/internal/casework"
	"concert/internal/httpkit"
	"concert/internal/testkit"
)

// posted is a deployment that sends two items by mail, and the message as it arrived.
func posted(t *testing.T) (*testkit.House, *house, testkit.Mailed, []casework.Result) {
	t.Helper()
	svc := testkit.Service(t, "sqlite")
	h := testkit.Furnish(t, svc)
	log := slog.New(slog.DiscardHandler)
	mux := http.NewServeMux()
	server := httptest.NewServer(httpkit.Security(httpkit.Bounded(log, mux)))
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	svc.BaseURL = server.URL
	ui, err := New(svc, casework.NewHub(svc), log)
	must(t, err)
	ui.Register(mux)
	post := h.Post()
	h.MailContact(h.Hooked, "abuse@video.example", concert.MailDigest, nil)
	h.At(time.Date(2019, 11, 21, 12, 0, 0, 0, time.UTC), 120)
	items := h.Approved(testkit.Page(1), testkit.Page(2))
	testkit.Run(t, svc)
	testkit.Await(t, "the mail", func() bool { return len(post.Got()) == 1 })
	return h, &house{t: t, svc: svc, ui: ui, server: server}, post.Got()[0], items
}

// As a person does it: the link from the mail, on a telephone, without an account.
func TestBrowserProviderAnswersFromTheMailsLink(t *testing.T) {
	h, site, m, items := posted(t)
	axe, err := os.ReadFile(filepath.Join("testdata", "axe", "axe.min.js"))
	must(t, err)
	browser := startBrowser(t)
	w := site.browse(t, browser, t.ArtifactDir())
	look := func(name string) {
		t.Helper()
		w.do(chromedp.EmulateViewport(390, 844))
		w.judge(string(axe), name)
		w.picture(name)
		if wide := get(w, chromedp.Evaluate[int](`document.documentElement.scrollWidth`)); wide > 392 {
			t.Errorf("%s is %d pixels wide on a telephone", name, wide)
		}
	}
	w.open("/answer/"+m.Link(), "main form")
	if text := get(w, chromedp.Text(chromedp.CSS("main"))); strings.Contains(text, "video[.]example") || strings.Contains(text, "RF-") {
		t.Errorf("before the button is pressed the page says %q", text)
	}
	look("greet")
	w.do(click("main form button"), visible("#all"))
	look("referral")
	w.do(typed("#f-text", "EXERCISE: which minute of it?"), click("section form button"), visible(".notice"))
	w.do(chosen("#code-0", "removed"), chosen("#all", "refused_not_violating"), click(".sticky button"), visible("#receipt"))
	look("receipt")
	w.open("/answer/"+m.Link(), "main form")
	w.do(click("main form button"), visible("#receipt"))
	if strings.Contains(get(w, chromedp.Text(chromedp.CSS("main"))), "video[.]example") {
		t.Error("the receipt names a place")
	}
	v := h.Referral(h.Item(items[0].Ref).ReferredAs)
	if v.Status != concert.ReferralAnswered || v.Items[0].Claimed != concert.AnswerRemoved || v.Items[1].Claimed != concert.AnswerRefused || len(v.Messages) != 1 {
		t.Errorf("%s: %s, %s, %d messages", v.Status, v.Items[0].Claimed, v.Items[1].Claimed, len(v.Messages))
	}
}

func TestLinksFormsCarryTheirTokenAndWordsOfOthersStayWords(t *testing.T) {
	t.Parallel()
	_, site, m, _ := posted(t)
	send := func(path, token, more string) (int, string) {
		t.Helper()
		res, err := http.PostForm(site.server.URL+path, func() url.Values { v, _ := url.ParseQuery(more); v.Set("token", token); return v }())
		must(t, err)
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		must(t, err)
		return res.StatusCode, string(text)
	}
	at := "/answer/" + m.Link()
	for _, wrong := range []string{"", "csa_x"} {
		if status, _ := send(at, wrong, ""); status != http.StatusForbidden {
			t.Errorf("a form with the token %q: %d", wrong, status)
		}
	}
	if status, text := send("/answer/csa_x", "csa_x", ""); status != http.StatusNotFound || !strings.Contains(text, "opens nothing any more") {
		t.Errorf("an unknown link: %d", status)
	}
	status, text := send(at+"/question", m.Link(), "text=%3Cscript%3Ealert(1)%3C%2Fscript%3E+why%3F")
	if status != http.StatusOK || strings.Contains(text, "<script>alert") || !strings.Contains(text, "&lt;script&gt;alert(1)&lt;/script&gt; why?") {
		t.Errorf("a script in a question: %d", status)
	}
	if status, _ := send(at+"/answers", m.Link(), "version=1"); status != http.StatusUnprocessableEntity {
		t.Errorf("no answer at all: %d", status)
	}
	res, err := http.Get(site.server.URL + at)
	must(t, err)
	defer res.Body.Close()
	if res.Header.Get("Referrer-Policy") != "no-referrer" || res.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", res.Header)
	}
}
