package webui

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"concert"
	"concert/internal/casework"
)

// referred takes n items of the officer's to the provider and returns their references.
func (h *house) referred(n int) []string {
	h.t.Helper()
	refs := h.submit("officer", n, 1, h.action.Ref)
	h.assessed("officer", refs, concert.SeverityThreat)
	h.approved("reviewer", refs)
	deadline := time.Now().Add(30 * time.Second)
	for tick := time.NewTicker(20 * time.Millisecond); ; <-tick.C {
		counts, err := h.svc.CountOwn(h.t.Context(), h.people["answerer"].Actor())
		must(h.t, err)
		if counts[concert.OwnAll] == n {
			return refs
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("%d of %d items are referred", counts[concert.OwnAll], n)
		}
	}
}

// values are the values of a page's inputs with the name.
func (p *page) values(name string) []string {
	var out []string
	for _, n := range p.all(tagWith("input", "name", name)) {
		out = append(out, attr(n, "value"))
	}
	return out
}

func TestAProviderAnswersManyWithoutJavaScript(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.work()
	refs := h.referred(4)
	v := h.as("answerer")
	p := v.get("/own")
	keys := p.values("item")
	if p.status != http.StatusOK || len(keys) != 4 || strings.Contains(p.text(), "https://video") {
		t.Fatalf("%d, %d items to choose:\n%s", p.status, len(keys), p.text())
	}
	// One of them moves on meanwhile, by somebody else's answer: it is refused by itself.
	must(t, h.answer(refs[0], concert.AnswerRefused))
	p = v.post("/own/answers/preview", url.Values{"view": {"waiting"}, "which": {"ticked"}, "item": keys, "code": {"removed"}})
	if got := p.values("item"); p.status != http.StatusOK || len(got) != 3 || !strings.Contains(p.text(), "refused") {
		t.Fatalf("preview with %d items:\n%s", len(got), p.text())
	}
	if h.claim(refs[1]) != "" {
		t.Error("the preview answered")
	}
	v.post("/own/answers", url.Values{"view": {"waiting"}, "item": p.values("item"), "code": p.values("code")}).want(t, http.StatusOK)
	for _, ref := range refs[1:] {
		if got := h.claim(ref); got != concert.AnswerRemoved {
			t.Errorf("%s is answered %q", ref, got)
		}
	}
	// Nothing chosen, and what cannot be isolated without its number, are told.
	if p = v.post("/own/answers/preview", url.Values{"which": {"ticked"}, "code": {"removed"}}); p.status != http.StatusUnprocessableEntity {
		t.Errorf("nothing ticked: %d", p.status)
	}
	p = v.post("/own/answers/preview", url.Values{"view": {"all"}, "which": {"view"}, "code": {"cannot_isolate"}})
	if !strings.Contains(p.text(), "how many others") || len(p.values("item")) != 0 {
		t.Errorf("cannot_isolate without a number:\n%s", p.text())
	}
	if csv := v.get("/own/export/items.csv?view=answered"); strings.Count(csv.body, "\n") != 5 || !strings.Contains(csv.body, "hxxps://") {
		t.Errorf("CSV:\n%s", csv.body)
	}
	v.get("/figures").want(t, http.StatusOK)
	h.as("reader").post("/own/answers/preview", url.Values{"which": {"view"}, "view": {"all"}, "code": {"removed"}}).want(t, http.StatusForbidden)
}

// answer gives one answer of the provider's through the acts, and claim is the last one.
func (h *house) answer(item string, code concert.AnswerCode) error {
	rs, err := h.svc.AnswerItems(h.t.Context(), h.people["answerer"].Actor(), []casework.Replying{{Item: item, Answer: concert.Answer{Code: code}}})
	if err == nil && rs[0].Err != nil {
		err = rs[0].Err
	}
	return err
}

func (h *house) claim(item string) concert.AnswerCode {
	h.t.Helper()
	scope, err := concert.NewScope(h.people["officer"].Actor(), working)
	must(h.t, err)
	it, err := h.svc.ReadItem(h.t.Context(), scope, item)
	must(h.t, err)
	return it.Claimed
}

func TestBothSidesTalkOnPagesAndNeitherTakesItForInternal(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.work()
	h.referred(1)
	provider, officer := h.as("answerer"), h.as("officer")
	ref := provider.get("/own").first(tagWith("a", "href", "/referrals/"+h.referralOf()))
	if ref == nil {
		t.Fatal("no referral is linked")
	}
	path := attr(ref, "href") + "/questions"
	const script = `<script>alert("EXERCISE")</script> which one?`
	p := provider.post(path, url.Values{"text": {script}})
	if p.status != http.StatusOK || !strings.Contains(p.text(), script) || !strings.Contains(p.text(), "outward, by the provider") {
		t.Fatalf("after asking:\n%s", p.text())
	}
	if p = officer.get("/questions"); !strings.Contains(p.text(), h.referralOf()) {
		t.Errorf("the authority is not told:\n%s", p.text())
	}
	officer.get(path).want(t, http.StatusOK)
	if p = officer.post(path, url.Values{"text": {"x"}}); p.status != http.StatusUnprocessableEntity {
		t.Errorf("too short: %d", p.status)
	}
	if p = officer.post(path, url.Values{"text": {"EXERCISE: the first."}}); !strings.Contains(p.text(), "outward, by the authority") {
		t.Errorf("after replying:\n%s", p.text())
	}
	if p = provider.get(path); !strings.Contains(p.text(), "read by 1 person of the other side") || strings.Contains(p.text(), "EXERCISE officer") {
		t.Errorf("the provider sees:\n%s", p.text())
	}
	h.as("south").get(path).want(t, http.StatusNotFound)
}

// referralOf is the reference of the provider's only referral.
func (h *house) referralOf() string {
	h.t.Helper()
	rs, err := h.svc.OwnReferrals(h.t.Context(), h.people["answerer"].Actor(), concert.OwnAll, "", 1)
	must(h.t, err)
	return rs[0].Ref
}

func TestAProvidersAdministratorWorksOnItsTeamPage(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.join(t.Context(), "boss", "", h.provider.Ref, concert.RoleProviderAdmin)
	v := h.as("boss")
	if p := v.get("/"); p.path != "/team" || !strings.Contains(p.text(), "EXERCISE answerer") || strings.Contains(p.text(), "EXERCISE officer") {
		t.Fatalf("%s:\n%s", p.path, p.text())
	}
	p := v.post("/team", url.Values{"name": {"EXERCISE <b>New</b>"}, "login": {"new"}, "roles": {"provider_reader"}})
	if p.status != http.StatusOK || !strings.Contains(p.text(), "/enter#") {
		t.Fatalf("added:\n%s", p.text())
	}
	if p = v.post("/team/"+h.people["boss"].Operator+"/disable", url.Values{}); p.status != http.StatusConflict || !strings.Contains(p.text(), "last administrator") {
		t.Errorf("the last one leaves: %d\n%s", p.status, p.text())
	}
	v.get("/own").want(t, http.StatusForbidden)
	h.as("answerer").get("/team").want(t, http.StatusForbidden)
}

// In a real browser: one box ticks a page, the number stands beside it, and what was shown is what is sent.
func TestBrowserAnswersManyAtOnce(t *testing.T) {
	h := open(t)
	h.work()
	refs := h.referred(5)
	browser := startBrowser(t)
	w := h.browse(t, browser, shots())
	w.enter(h, "answerer")
	w.open("/own", "#tick-all")
	w.do(chromedp.EmulateViewport(1280, 900), click("#tick-all"))
	if n := get(w, chromedp.Text(chromedp.CSS("[data-ticked]"))); n != "5" {
		t.Errorf("%q items are said to be ticked", n)
	}
	w.do(chosen("#f-code", "removed"))
	w.shoot("own-light", false, 1280, 900)
	w.shoot("own-dark", true, 1280, 900)
	w.do(click(".sticky button"), visible("#confirm"))
	w.shoot("own-preview", false, 1280, 900)
	w.do(click("#confirm"), visible(".notice"))
	for _, ref := range refs {
		if got := h.claim(ref); got != concert.AnswerRemoved {
			t.Errorf("%s is answered %q", ref, got)
		}
	}
	ref := "/referrals/" + h.referralOf()
	w.open(ref+"/questions", "#f-text")
	w.do(typed("#f-text", "EXERCISE: which of the two clips is meant?"), click("#write + form button, section form button"), visible(".notice"))
	for _, page := range []string{"/own?view=all", "/own/referrals?view=all", "/figures", "/own/actions", "/actions/" + h.action.Ref + "/provider", "/questions", ref + "/questions", ref, "/notes"} {
		w.open(page, "h1")
		for _, width := range []int64{1366, 320} {
			w.do(chromedp.EmulateViewport(width, 1080))
			if over := get(w, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > innerWidth`)); over {
				t.Errorf("%s is wider than %d", page, width)
			}
		}
		w.shoot("portal-"+strings.Trim(strings.NewReplacer("/", "-", "?", "-", h.referralOf(), "RF", h.action.Ref, "JA").Replace(page), "-"), false, 1280, 900)
	}
}
