package webui

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"concert"
	"concert/internal/testkit"
)

// looks keeps pictures of a page in English and in Arabic, on a desk, in half a window and on a telephone.
func (w *window) looks(name, path string) {
	w.t.Helper()
	if w.dir == "" {
		return
	}
	for _, language := range []string{"ar", "en"} {
		w.open("/preferences?next=/preferences", "main form")
		w.do(click("input[name=language][value="+language+"]"), click("main form button"), visible("html[lang="+language+"]"))
		for _, width := range []int64{1280, 780, 380} {
			w.do(chromedp.EmulateViewport(width, 900))
			w.open(path, "main")
			w.do(chromedp.EmulateViewport(width, min(5000, max(900, get(w, chromedp.Evaluate[int64](`document.documentElement.scrollHeight`))))))
			must(w.t, os.WriteFile(filepath.Join(w.dir, fmt.Sprintf("order-%s-%s-%d.png", name, language, width)), get(w, chromedp.CaptureScreenshot()), 0o600))
			if over := get(w, chromedp.Evaluate[int](`document.documentElement.scrollWidth - innerWidth`)); over > 0 {
				w.t.Errorf("%s (%s) is %d points wider than %d", path, language, over, width)
			}
		}
	}
	w.do(chromedp.EmulateViewport(1280, 900))
}

// In a real browser an order goes from an item's page to its execution: three people of one authority, each with keys alone where there are keys, the
// third proving that it is that person; its addressee answers; the hour runs on, changes its shape and is told on the page, with nothing loaded again.
func TestBrowserOrderGoesFromDraftToExecution(t *testing.T) {
	h := open(t)
	h.competent()
	start := time.Now().UTC().Truncate(24 * time.Hour).Add(33 * time.Hour)
	h.stop(start)
	h.work()
	refs := h.judged(3, 1)
	browser := startBrowser(t)
	officer, reviewer, issuer := h.browse(t, browser, shots()), h.browse(t, browser, shots()), h.browse(t, browser, shots())
	officer.resume(h.as("es-officer"))
	reviewer.resume(h.as("es-reviewer"))
	v, phone := h.enrolled("es-issuer")
	v.post("/justification", url.Values{"justification": {working}, "next": {"/password"}}).want(t, http.StatusOK)
	issuer.resume(v)

	officer.open("/items?status=assessed", `input[form=pick]`)
	officer.looks("items", "/items?status=assessed")
	officer.open("/items?status=assessed", `input[form=pick]`)
	officer.do(click(`tr[data-row="`+refs[0]+`"] input[form=pick]`), click("#pick button"), visible("#f-statement"))
	officer.do(typed("#f-statement", "EXERCISE: the made-up video carries a made-up logo"))
	if n := get(officer, chromedp.Text(chromedp.CSS("output[data-counts]"))); n != "50" {
		t.Errorf("the counter says %q", n)
	}
	officer.do(click("form[action='/orders'] button[type=submit]"))
	get(officer, chromedp.Evaluate[int](`(() => { for (const [k, v] of Object.entries({representative: "EXERCISE Representative", post: "EXERCISE Inspector", file_no: "EXERCISE-1/2026"})) document.getElementById("f-" + k).value = v; return 1 })()`))
	officer.do(click("form[action='/orders'] button[type=submit]"), visible(".problems"), visible("#e-statement"))
	officer.do(chosen("#f-statement", "EXERCISE: the made-up video carries a made-up logo and calls, in the second minute, for an attack."), click("#f-emergency"), typed("#f-emergency_ground", "EXERCISE: the attack is announced for tonight."),
		click("form[action='/orders'] button[type=submit]"), visible(".notice"))
	path := mustURL(t, get(officer, chromedp.Location())).Path
	officer.looks("drafted", path)
	officer.looks("new", "/orders/new?item="+refs[1])

	// Keys: r makes ready, Enter confirms.
	reviewer.open("/desk", "#desk-orders")
	reviewer.looks("desk", "/desk")
	reviewer.open(path, "#acts")
	reviewer.looks("review", path)
	reviewer.open(path, "#acts")
	reviewer.do(chromedp.KeyEvent("r"), visible(".armed"), chromedp.KeyEvent("\r"), visible(".notice"))

	issuer.open(path, ".outlook")
	issuer.looks("approve", path)
	h.agedAll("es-issuer")
	issuer.open(path, ".outlook")
	issuer.do(chromedp.KeyEvent("r"), visible(".armed"), chromedp.KeyEvent("\r"), visible("#f-code"))
	issuer.do(typed("#f-code", phone.Code()), click("main form button[type=submit]"), visible(".notice"))
	if got := get(issuer, chromedp.Text(chromedp.CSS("#order-now"))); !strings.Contains(got, "Issued") {
		t.Errorf("after the approval: %s", got)
	}
	ref := strings.TrimPrefix(path, "/orders/")
	answerer := h.people["answerer"].Actor()
	officer.open(path, "#order-now")
	_, err := h.svc.ReadOrder(t.Context(), testkit.Scope(t, answerer), ref)
	must(t, err)
	get(officer, chromedp.Poll[bool](`!!document.querySelector(".counting[data-stage=calm]") && /(60|59) min left/.test(document.getElementById("order-now").innerText)`))
	h.stop(start.Add(35 * time.Minute))
	officer.open(path, ".counting[data-stage=soon]")
	_, err = h.svc.AnswerOrder(t.Context(), answerer, ref, 0, concert.OrderAnswer{Measure: concert.MeasureRemoved, MeasureAt: h.svc.Now(), Person: "EXERCISE Moderator", Email: "legal@video.example", File: "EXERCISE-77"})
	must(t, err)
	get(officer, chromedp.Poll[bool](`document.getElementById("order-now").innerText.includes("met 25 min before the end") && !document.getElementById("order-changed").hidden`))
	officer.looks("executed", path)
	officer.looks("document", path+"/document")

	// The hour of a second order passes before eyes that load nothing again: by what the server tells, and by the page's own clock.
	late := h.issuedOrder(refs[1])
	start = start.Add(time.Hour)
	h.stop(start)
	_, err = h.svc.ReadOrder(t.Context(), testkit.Scope(t, answerer), late.Ref)
	must(t, err)
	officer.open("/orders/"+late.Ref, ".counting[data-stage=calm]")
	reviewer.open("/items", "h1")
	for _, x := range []struct {
		minutes int
		stage   string
	}{{31, "soon"}, {51, "near"}, {63, "over"}} {
		h.stop(start.Add(time.Duration(x.minutes) * time.Minute))
		get(officer, chromedp.Poll[bool](`!!document.querySelector("#order-now .counting[data-stage=`+x.stage+`]")`))
		get(reviewer, chromedp.Poll[bool](`!!document.querySelector("#order-alarms .counting[data-stage=`+x.stage+`]")`))
	}
	if n := get(reviewer, chromedp.Evaluate[int](`performance.getEntriesByType("navigation").length + performance.getEntriesByType("navigation")[0].redirectCount`)); n != 1 {
		t.Errorf("the page was loaded again: %d", n)
	}
	hour := `document.querySelector("#order-now .counting[data-stage=over]")`
	get(officer, chromedp.Evaluate[int](`{ const c = `+hour+`; window.hour = c; c.dataset.now = new Date(Date.parse(c.dataset.ends) - 10 * 60e3 + 100).toISOString(); c.seenAt = performance.now(); c.fromPage = false } 1`))
	get(officer, chromedp.Poll[bool](`window.hour.dataset.stage === "near" && window.hour.innerText.includes("9 min left")`))
	get(officer, chromedp.Evaluate[int](`window.hour.dataset.now = new Date(Date.parse(window.hour.dataset.ends) - 500).toISOString(); window.hour.seenAt = performance.now(); 1`))
	get(officer, chromedp.Poll[bool](`window.hour.dataset.stage === "over" && window.hour.querySelector("[data-told]").textContent.includes("over by")`))
	officer.looks("late", "/orders/"+late.Ref)
	officer.looks("list", "/orders")
	reviewer.looks("desk-late", "/desk")
	admin := h.browse(t, browser, shots())
	admin.resume(h.as("admin"))
	spain := h.units[len(h.units)-2]
	admin.looks("office", "/authorities/"+spain.Ref)
}
