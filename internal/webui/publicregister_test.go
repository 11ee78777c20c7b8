package webui

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"concert"
	"concert/internal/casework"
)

// publish lets some items go out, be answered, and grow old enough to be shown.
func (h *house) publish(t *testing.T) (referral string) {
	t.Helper()
	h.svc.PublicDelay = time.Second
	h.work()
	refs := h.submit("officer", 6, 700, h.action.Ref)
	h.assessed("officer", refs, concert.SeverityThreat)
	h.approved("reviewer", refs)
	answerer := h.people["answerer"].Actor()
	eventually(t, "everything is referred", func() bool {
		var in []casework.Replying
		for i, ref := range refs {
			code := concert.AnswerRemoved
			if i == 5 {
				code = concert.AnswerRefused
			}
			in = append(in, casework.Replying{Item: ref, Answer: concert.Answer{Code: code, Note: "EXERCISE-FREE-TEXT"}})
		}
		out, err := h.svc.AnswerItems(t.Context(), answerer, in)
		if err != nil {
			return false
		}
		for _, r := range out {
			if r.Err != nil {
				return false
			}
		}
		return true
	})
	eventually(t, "it is public", func() bool {
		p, err := h.svc.Public(t.Context())
		must(t, err)
		for _, r := range p.Records {
			if slices.Contains(r.Answers, string(concert.AnswerRemoved)) {
				referral = r.Ref
			}
		}
		return referral != ""
	})
	return referral
}

// TestPublicSiteIsForEveryone: no log-in, no cookie, no script, kept by whatever lies between, the same with and without a session;
// the port that serves nothing else has nothing else.
func TestPublicSiteIsForEveryone(t *testing.T) {
	t.Parallel()
	h := open(t)
	ref := h.publish(t)
	pages := []string{"/public", "/public/register", "/public/register/" + ref, "/public/errors", "/public/figures", "/public/figures?of=" + url.QueryEscape("authority:"+h.units[0].Ref), "/public/reports"}
	year := time.Now().UTC().Format("2006")
	reports := []string{"/public/reports/8/" + h.units[0].Ref + "/" + year, "/public/reports/7/" + h.provider.Ref + "/" + year, "/public/reports/21/XN/" + year}
	v := h.visitor()
	for _, path := range append(pages, reports...) {
		p := v.get(path).want(t, http.StatusOK)
		if len(p.header.Values("Set-Cookie")) != 0 || strings.Contains(p.header.Get("Vary"), "Cookie") || !strings.HasPrefix(p.header.Get("Cache-Control"), "public") {
			t.Errorf("%s is not for everyone: %v", path, p.header)
		}
		if n := len(p.all(tag("script"))); n != 0 {
			t.Errorf("%s has %d scripts", path, n)
		}
		for _, no := range []string{"EXERCISE-FREE-TEXT", "video.example", "made-up", "IT-", "desk 1", "EXERCISE officer"} {
			if strings.Contains(p.body, no) {
				t.Errorf("%s shows %q", path, no)
			}
		}
		meta := p.first(tagWith("meta", "name", "robots"))
		if attr(meta, "content") != "index, follow" {
			t.Errorf("%s keeps robots off", path)
		}
	}
	v.get("/public/register").want(t, http.StatusOK, ref, "EXERCISE Video", "EXERCISE Unit North")
	v.get("/public/register?kind=order").want(t, http.StatusOK, "Nothing fits these filters")
	v.get("/public/register?type=incites&answer=removed&provider="+h.provider.Ref+"&authority="+h.units[0].Ref).want(t, http.StatusOK, ref)
	v.get("/public/register?type=threat").want(t, http.StatusOK, "Nothing fits these filters")
	v.get("/public/register?person=x").want(t, http.StatusUnprocessableEntity)
	v.get("/public/register/RF-0000").want(t, http.StatusNotFound)
	v.get("/public/reports/8/"+h.units[0].Ref+"/1999").want(t, http.StatusUnprocessableEntity)
	v.get("/public/reports/9/x/2026").want(t, http.StatusUnprocessableEntity)
	v.get("/public").want(t, http.StatusOK, "not shown", "register.csv")
	sums := v.get("/public/files/SHA256SUMS")
	for _, name := range []string{"register.csv", "errors.csv", "figures.csv"} {
		f := v.get("/public/files/" + name)
		if f.status != http.StatusOK || !strings.Contains(sums.body, "  "+name+"\n") || len(f.body) < 100 || strings.Contains(f.body, "EXERCISE-FREE-TEXT") {
			t.Errorf("%s: %d, %d bytes", name, f.status, len(f.body))
		}
	}
	pdf := v.get(reports[0] + ".pdf")
	if pdf.status != http.StatusOK || !strings.HasPrefix(pdf.body, "%PDF-") {
		t.Errorf("the PDF: %d %.20q", pdf.status, pdf.body)
	}

	only := http.NewServeMux()
	h.ui.RegisterPublic(only)
	for _, path := range []string{"/login", "/items", "/api/v1/keys", "/log", "/scope"} {
		if code := served(t, only, path); code != http.StatusNotFound {
			t.Errorf("the public port serves %s: %d", path, code)
		}
	}
	for _, path := range append(pages, "/robots.txt") {
		if code := served(t, only, path); code != http.StatusOK {
			t.Errorf("the public port gives %d for %s", code, path)
		}
	}
}

// TestPublicLinksStayPublic: on the public port no link leads to what it does not serve.
func TestPublicLinksStayPublic(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.publish(t)
	only := http.NewServeMux()
	h.ui.RegisterPublic(only)
	v, seen, queue := h.visitor(), map[string]bool{}, []string{"/public"}
	for len(queue) > 0 && len(seen) < 80 {
		path := queue[0]
		queue = queue[1:]
		if seen[path] {
			continue
		}
		seen[path] = true
		if code := served(t, only, path); code != http.StatusOK {
			t.Errorf("%s: %d", path, code)
		}
		if strings.Contains(path, "/files/") || strings.HasSuffix(path, ".html") {
			continue
		}
		p := v.get(path)
		if p.doc == nil {
			continue
		}
		for _, n := range append(p.all(tag("a")), p.all(tag("form"))...) {
			to := attr(n, "href") + attr(n, "action")
			if strings.HasPrefix(to, "/") {
				queue = append(queue, to)
			}
		}
	}
	if len(seen) < 12 {
		t.Errorf("only %d pages: %v", len(seen), seen)
	}
}

// TestPublicSiteIsLimitedByNetwork: as other public doors are.
func TestPublicSiteIsLimitedByNetwork(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.svc.PublicDelay = time.Hour
	mux := http.NewServeMux()
	h.ui.RegisterPublic(mux)
	limited := 0
	for range 400 {
		if served(t, mux, "/public/files/figures.csv") != http.StatusOK {
			limited++
		}
	}
	if limited == 0 {
		t.Error("four hundred files at once are given to one network")
	}
}

func served(t *testing.T, mux *http.ServeMux, path string) int {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	mux.ServeHTTP(w, r)
	return w.Code
}

// TestBrowserReadsThePublicRegister in a real browser, without scripts, wide and on a telephone: nothing runs over the edge.
func TestBrowserReadsThePublicRegister(t *testing.T) {
	h := open(t)
	ref := h.publish(t)
	w := h.browse(t, startBrowser(t), shots())
	year := time.Now().UTC().Format("2006")
	for name, path := range map[string]string{"public-start": "/public", "public-register": "/public/register", "public-record": "/public/register/" + ref, "public-errors": "/public/errors", "public-figures": "/public/figures", "public-reports": "/public/reports", "public-report": "/public/reports/8/" + h.units[0].Ref + "/" + year} {
		w.open(path, "#main h1")
		w.shoot(name, false, 1280, 900)
		w.do(chromedp.EmulateViewport(380, 800))
		if over := get(w, chromedp.Evaluate[int](`document.documentElement.scrollWidth - document.documentElement.clientWidth`)); over > 0 {
			t.Errorf("%s runs %d points over the edge of a telephone", path, over)
		}
		w.shoot(name+"-380", true, 380, 800)
		w.do(chromedp.EmulateViewport(1280, 900))
	}
}
