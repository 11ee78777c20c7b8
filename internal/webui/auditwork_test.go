package webui

import (
	"encoding/csv"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"concert"
	"concert/internal/casework"
)

// acted refers n items, and lets the provider remove all of them.
func (h *house) acted(n int) []string {
	h.t.Helper()
	refs := h.referred(n)
	for _, ref := range refs {
		eventually(h.t, "the answer is taken", func() bool {
			it, err := h.svc.ReadItem(h.t.Context(), scopeOf(h.t, h.people["officer"].Actor()), ref)
			must(h.t, err)
			r, err := h.svc.ReadReferral(h.t.Context(), scopeOf(h.t, h.people["answerer"].Actor()), it.ReferredAs)
			must(h.t, err)
			out, _, err := h.svc.AnswerReferral(h.t.Context(), h.people["answerer"].Actor(), it.ReferredAs, r.Version, []casework.Replying{{Item: ref, Answer: concert.Answer{Code: concert.AnswerRemoved}}})
			return err == nil && out[0].Err == nil
		})
	}
	return refs
}

func scopeOf(t testing.TB, a concert.Actor) concert.Scope {
	t.Helper()
	s, err := concert.NewScope(a, working)
	must(t, err)
	return s
}

// The whole way without a script: worked out, drawn, judged, the rate, handed over, answered; and the numbers of accesses and times.
func TestG30AuditorWorksADrawByForms(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.work()
	refs := h.acted(3)
	v := h.entered("auditor")
	v.post("/justification", url.Values{"justification": {"EXERCISE inspection 7/2019"}, "next": {"/audit"}}).want(t, http.StatusOK, "Overview", "Random draws")
	v.get("/audit/draws?size=x").want(t, http.StatusUnprocessableEntity, "is no number to draw")
	p := v.get("/audit/draws?outcome=removed&margin=5&by=authority").want(t, http.StatusOK, "Of 3 that these filters take, 3 are needed", "EXERCISE Unit North")
	form := url.Values{}
	for _, f := range p.all(tagWith("input", "type", "hidden")) {
		form.Set(attr(f, "name"), attr(f, "value"))
	}
	p = v.post("/audit/draws", form).want(t, http.StatusOK, "Drawn.", "You have judged 0 of 3", "This draw is not finished and has no rate")
	draw := strings.TrimPrefix(p.path, "/audit/draws/")
	var wrong string
	for i := range refs {
		p = v.get("/audit/draws/"+draw+"/next").want(t, http.StatusOK, "Judge it as if nobody had", "video")
		for _, secret := range []string{h.people["officer"].Operator, "EXERCISE: would incite, were it real.", "removed"} {
			if strings.Contains(p.body, secret) {
				t.Errorf("the blind page tells %q", secret)
			}
		}
		unit := p.path[strings.LastIndexByte(p.path, '/')+1:]
		switch i {
		case 0:
			v.post(p.path, url.Values{"find": {"exempt"}, "note": {"short"}}).want(t, http.StatusUnprocessableEntity, "at least 20 characters")
			p = v.post(p.path, url.Values{"find": {"exempt"}, "note": {"EXERCISE: a made-up news report."}}).want(t, http.StatusOK, "Recorded. It changes nothing of the case.", "Hand it to the authority")
			wrong = unit
		default:
			p = v.post(p.path, url.Values{"find": {"incites"}}).want(t, http.StatusOK)
		}
	}
	p.want(t, http.StatusOK, "You have judged 3 of 3", "33.3 %", "estimate for all")
	v.post("/audit/draws/"+draw+"/units/"+wrong+"/recommend", url.Values{"text": {"no"}}).want(t, http.StatusUnprocessableEntity, "what the authority should look at")
	p = v.post("/audit/draws/"+draw+"/units/"+wrong+"/recommend", url.Values{"text": {"EXERCISE: look at the first minute again."}}).want(t, http.StatusOK, "waits for the authority", "EXERCISE: look at the first minute again.")
	rc := p.path
	officer := h.as("officer")
	officer.get(rc).want(t, http.StatusForbidden)
	h.as("south").get(rc).want(t, http.StatusForbidden)
	r := h.as("reviewer")
	r.get("/recommendations").want(t, http.StatusOK, wrong)
	r.get(rc).want(t, http.StatusOK, "What did you do?")
	r.post(rc, url.Values{"answer": {"put_right"}}).want(t, http.StatusConflict, "neither withdrawn nor corrected")
	r.post(rc, url.Values{"answer": {"stands"}, "reasons": {"EXERCISE: the second minute calls for an attack."}}).want(t, http.StatusOK, "Answered. The auditor reads it.")
	v.get(rc).want(t, http.StatusOK, "EXERCISE: the second minute calls for an attack.", "It stands")
	v.get("/audit/rates").want(t, http.StatusOK, draw, "33.3 %", "Handed to the authority: 1. It answered 1 and put 0 right")

	v.get("/audit/accesses?kind=disclosure").want(t, http.StatusOK, "Disclosure, with transfers", "EXERCISE Video", "asked, and refused without")
	v.get("/audit/accesses/list?kind=consultation").want(t, http.StatusOK, "EXERCISE inspection 7/2019", working)
	v.get("/audit/accesses/list?kind=reading").want(t, http.StatusUnprocessableEntity)
	v.get("/audit/time?kind=item").want(t, http.StatusOK, "Left it", "Approved, about to go")
	csvText := v.get("/audit/time.csv?kind=item")
	rows, err := csv.NewReader(strings.NewReader(csvText.body)).ReadAll()
	if err != nil || len(rows) < 4 || !slices.Equal(rows[0][:5], []string{"as_of", "events", "kind", "state", "ended"}) {
		t.Errorf("the CSV: %v, %v", rows, err)
	}
	for _, other := range []*visitor{h.as("coordinator"), officer} {
		for _, path := range []string{"/audit/accesses", "/audit/draws", "/audit/draws/" + draw, "/audit/draws/" + draw + "/units/" + wrong, "/audit/rates", "/audit/time", "/audit/time.csv"} {
			other.get(path).want(t, http.StatusForbidden)
		}
	}
}

// In a real browser, by keys alone: each unit is judged with two keys, and the next one is there.
func TestG30BrowserADrawIsJudgedByKeys(t *testing.T) {
	h := open(t)
	h.work()
	h.acted(4)
	browser := startBrowser(t)
	w := h.browse(t, browser, shots())
	w.enter(h, "auditor")
	w.works()
	w.open("/audit/draws?outcome=removed&size=4", `form[method=post][action="/audit/draws"]`)
	w.shoot("audit-plan", false, 1280, 900)
	w.do(click(`form[method=post][action="/audit/draws"] button`), visible(".notice"))
	w.shoot("audit-draw-new", false, 1280, 1200)
	press := func(keys string) { t.Helper(); w.do(chromedp.KeyEvent(keys)) }
	place := func() string { return get(w, chromedp.Evaluate[string](`location.pathname`)) }
	press("n")
	w.do(visible("#f-note"))
	w.shoot("audit-judge", false, 1280, 1300)
	w.shoot("audit-judge-phone", true, 390, 1400)
	for range 3 {
		before := place()
		press("1")
		press("r")
		eventually(t, "the next unit is there", func() bool { p := place(); return p != before && strings.Contains(p, "/units/") })
		w.do(visible("#f-note"))
	}
	press("6")
	w.do(typed("#f-note", "EXERCISE: a made-up news report about it."))
	get(w, chromedp.Evaluate[int](`document.activeElement.blur(); 1`))
	press("r")
	w.do(visible("#f-text"))
	w.shoot("audit-judged", false, 1280, 1300)
	if text := get(w, chromedp.Evaluate[string](`document.querySelector("main").innerText`)); !strings.Contains(text, "no terrorist content") {
		t.Errorf("the last finding is shown as:\n%s", text)
	}
	w.open("/audit/rates", ".numbers")
	w.shoot("audit-rates", false, 1280, 900)
	if text := get(w, chromedp.Evaluate[string](`document.querySelector("main").innerText`)); !strings.Contains(text, "25.0 %") {
		t.Errorf("one in four was found wrong, and the rates are:\n%s", text)
	}
	w.open("/audit/time", ".numbers")
	w.shoot("audit-time", false, 1280, 1500)
	w.open("/audit/accesses", ".numbers")
	w.shoot("audit-accesses", false, 1280, 1600)
	w.shoot("audit-accesses-phone", true, 390, 1600)
	w.open("/audit", "#bundle")
	w.shoot("audit", false, 1280, 1200)
}
