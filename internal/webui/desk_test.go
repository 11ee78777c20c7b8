package webui

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"golang.org/x/net/html"

	"concert"
)

// Without a script: take the next, hand it over with a note, park, escalate and answer, take over, skip.
func TestAWorkingDayGoesByFormsWithoutScripts(t *testing.T) {
	t.Parallel()
	h := open(t)
	refs := h.submit("officer", 4, 1, "")
	officer, both, reviewer := h.as("officer"), h.as("both"), h.as("reviewer")
	if p := officer.get("/"); p.path != "/desk" {
		t.Fatalf("home is %s", p.path)
	}
	officer.get("/desk").want(t, http.StatusOK, "Next to assess", refs[0], "found just now", "On your authority's desk").none(t, "ex000001")
	p := officer.post("/desk/next", url.Values{}).want(t, http.StatusOK, refs[0], "You have it in hand", "Why it is here")
	if p.path != "/items/"+refs[0] || p.first(tagWith("form", "data-claim", "/items/"+refs[0]+"/claim")) == nil {
		t.Fatalf("the next is %s", p.path)
	}

	// A colleague sees who has it, and for how long; nothing of the form.
	p = both.get("/items/"+refs[0]).want(t, http.StatusOK, h.people["officer"].Operator+" has it in hand", "Take it over")
	if p.first(tagWith("textarea", "name", "facts")) != nil {
		t.Error("a colleague is offered the assessment of what another has in hand")
	}
	both.post("/items/"+refs[0]+"/assessment", judgementForm(h.outlet.Ref)).want(t, http.StatusConflict, "works on item")

	// Handed over with a note: an empty note is told beside its field.
	to := h.people["both"].Operator
	officer.get("/items/"+refs[0]).want(t, http.StatusOK, to)
	p = officer.post("/items/"+refs[0]+"/hand-over", url.Values{"to": {to}, "note": {"no"}}).want(t, http.StatusUnprocessableEntity, "should know")
	if n := p.first(tagWith("textarea", "id", "f-hand-note")); attr(n, "aria-invalid") != "true" || textOf(n) != "no" {
		t.Errorf("the note is not marked, or was not kept: %v %q", n.Attr, textOf(n))
	}
	officer.post("/items/"+refs[0]+"/hand-over", url.Values{"to": {to}, "note": {"EXERCISE <b>he</b> reads it"}}).want(t, http.StatusOK, "Handed over", refs[0])
	both.get("/desk").want(t, http.StatusOK, "Handed to you", "by "+h.people["officer"].Operator)
	both.post("/desk/next", url.Values{}).want(t, http.StatusOK, refs[0], "EXERCISE <b>he</b> reads it", "You have it in hand")

	// Recorded, and straight on to the next.
	form := judgementForm(h.outlet.Ref)
	form.Set("then", "next")
	p = both.post("/items/"+refs[0]+"/assessment", form).want(t, http.StatusOK, "A second person decides now", refs[0])
	if p.path != "/items/"+refs[1] {
		t.Errorf("after recording the page is %s", p.path)
	}
	both.post("/items/"+refs[1]+"/park", url.Values{"for": {"2h"}, "reason": {"EXERCISE: waits for a translation"}}).want(t, http.StatusOK, "Parked", "Parked by you")
	both.post("/items/"+refs[2]+"/escalate", url.Values{"reason": {"EXERCISE: is it in scope at all"}}).want(t, http.StatusOK, "Escalated")
	reviewer.get("/desk").want(t, http.StatusOK, "Escalated", refs[2], "Next to decide on", refs[0])
	p = reviewer.post("/desk/next", url.Values{}).want(t, http.StatusOK, refs[2], "EXERCISE: is it in scope at all")
	if n := p.first(tagWith("option", "value", to)); !hasAttr(n, "selected") {
		t.Error("the answer does not go back to who asked")
	}
	reviewer.post("/items/"+refs[2]+"/hand-over", url.Values{"to": {to}, "note": {"EXERCISE: yes, it is"}}).want(t, http.StatusOK, "Handed over")

	// Taken over with a reason; who had it is told, once.
	officer.post("/desk/next", url.Values{}).want(t, http.StatusOK, refs[3])
	reviewer.post("/items/"+refs[3]+"/take-over", url.Values{"reason": {"EXERCISE: she is away"}}).want(t, http.StatusOK, "The colleague is told")
	officer.get("/desk").want(t, http.StatusOK, "Claims of yours that ended", "was taken over by "+h.people["reviewer"].Operator)
	officer.post("/desk/seen", url.Values{}).want(t, http.StatusOK).none(t, "Claims of yours that ended")
	officer.post("/items/"+refs[3]+"/skip", url.Values{}).want(t, http.StatusOK, "Nothing waits for you now")
	officer.get("/desk").none(t, refs[3])

	// The decision, with the next one after it.
	p = reviewer.post("/desk/next", url.Values{"stage": {"assessed"}}).want(t, http.StatusOK, refs[0])
	if n := p.first(tagWith("input", "name", "then")); !hasAttr(n, "checked") {
		t.Error("who takes the next item is not led on to the one after it")
	}
	reviewer.post("/items/"+refs[0]+"/decision", url.Values{"version": {p.value("version")}, "decision": {"approve"}, "then": {"next"}}).want(t, http.StatusOK, "Approved")
	h.as("answerer").get("/desk").want(t, http.StatusForbidden)
}

// none fails when the page says any of the texts.
func (p *page) none(t testing.TB, texts ...string) *page {
	t.Helper()
	for _, s := range texts {
		if strings.Contains(p.text(), s) {
			t.Fatalf("%s says %q:\n%s", p.path, s, p.text())
		}
	}
	return p
}

func TestFindingWithoutScripts(t *testing.T) {
	t.Parallel()
	h := open(t)
	ref := h.submit("officer", 1, 1, "")[0]
	officer, south := h.as("officer"), h.as("south")
	officer.get("/find").want(t, http.StatusOK, "What to find", "Your desk", "Take the next item")
	for _, q := range []string{ref, strings.ToLower(ref), "https://video.example/watch?v=ex000001Ab"} {
		p := officer.get("/find?q="+url.QueryEscape(q)).want(t, http.StatusOK, ref)
		if p.first(tagWith("a", "href", "/items/"+ref)) == nil {
			t.Errorf("%q leads nowhere", q)
		}
		south.get("/find?q="+url.QueryEscape(q)).want(t, http.StatusOK, "Nothing that you may see")
		for v, want := range map[*visitor]bool{officer: true, south: false} {
			res, err := v.http.Get(v.base + "/find?part=1&q=" + url.QueryEscape(q))
			must(t, err)
			body, err := io.ReadAll(res.Body)
			must(t, errors.Join(err, res.Body.Close()))
			if strings.Contains(string(body), "/items/"+ref) != want || strings.Contains(string(body), "<html") {
				t.Errorf("the dialog's inside: %s", body)
			}
		}
	}
	p := officer.get("/find?q=exercise+outlet").want(t, http.StatusOK, "EXERCISE Outlet <b>")
	if strings.Contains(p.body, "Outlet <b>") {
		t.Error("a name is not escaped")
	}
	// A page by its name in the reader's language, and in English.
	officer.post("/preferences", url.Values{"language": {"fr"}, "zone": {"UTC"}, "theme": {""}}).want(t, http.StatusOK)
	for _, q := range []string{"votre bureau", "your desk"} {
		if p := officer.get("/find?q=" + url.QueryEscape(q)); p.first(tagWith("a", "href", "/desk")) == nil {
			t.Errorf("%q finds no page:\n%s", q, p.text())
		}
	}
	if p := h.as("answerer").get("/find?q="); p.first(tagWith("a", "href", "/desk")) != nil && all(p.first(tag("main")), tagWith("a", "href", "/desk")) != nil {
		t.Error("a provider's people are led to the desk")
	}
}

func TestKeysAreListedAndCanBeSwitchedOff(t *testing.T) {
	t.Parallel()
	h := open(t)
	officer := h.as("officer")
	on := func(p *page) bool {
		return len(p.all(func(n *html.Node) bool { return tag("script")(n) && strings.Contains(attr(n, "src"), "/keys.") })) == 1
	}
	p := officer.get("/keys").want(t, http.StatusOK, "Make ready to approve", "Ctrl", "Hand it over")
	if !on(p) || p.first(tagWith("kbd", "class", "hint")) == nil {
		t.Error("keys are not on to begin with")
	}
	p = officer.post("/keys", url.Values{"keys": {"off"}}).want(t, http.StatusOK, "Keys are off")
	if on(p) || p.first(tagWith("kbd", "class", "hint")) != nil {
		t.Error("switched off, they are on")
	}
	if p = officer.post("/keys", url.Values{"keys": {"on"}}); !on(p) {
		t.Error("switched on again, they are off")
	}
}

// key presses one key as a keyboard of the layout does: what it writes, and where it lies.
func key(w *window, js string) {
	w.t.Helper()
	get(w, chromedp.Evaluate[bool](`setTimeout(() => (document.activeElement ?? document.body).dispatchEvent(new KeyboardEvent("keydown", Object.assign({bubbles: true, cancelable: true}, `+js+`)))) > 0`))
}

// arrives waits until the window shows the page; while it goes there, it answers nothing.
func (w *window) arrives(path string) {
	w.t.Helper()
	eventually(w.t, "the window shows "+path, func() bool {
		ctx, stop := w.step()
		defer stop()
		at, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.readyState + location.pathname`))
		return err == nil && at == "complete"+path
	})
}

// In a real browser, by keyboard alone: the officer takes the next item, assesses it and is on the one after; the reviewer approves.
func TestBrowserWorksByKeyboardAlone(t *testing.T) {
	h := open(t)
	refs := h.submit("officer", 3, 1, "")
	browser := startBrowser(t)
	officer, reviewer := h.browse(t, browser, shots()), h.browse(t, browser, shots())

	officer.enter(h, "officer")
	officer.works()
	officer.open("/", ".desk")
	officer.shoot("desk", false, 1280, 900)
	press := func(w *window, keys string) { w.t.Helper(); w.do(chromedp.KeyEvent(keys)) }
	press(officer, "?")
	officer.do(visible("dialog .keys"))
	officer.shoot("keys", false, 1280, 900)
	get(officer, chromedp.Evaluate[int](`document.querySelector("dialog").close(); 1`))
	press(officer, "j")
	if got := get(officer, chromedp.Evaluate[string](`document.activeElement.textContent`)); got != refs[0] {
		t.Errorf("j leads to %q", got)
	}
	press(officer, "n")
	officer.do(visible("#f-facts"))
	if u := mustURL(t, get(officer, chromedp.Location())); u.Path != "/items/"+refs[0] {
		t.Fatalf("n led to %s", u.Path)
	}
	press(officer, "a")
	press(officer, "o")
	press(officer, "1")
	get(officer, chromedp.Poll[bool](`document.querySelector("input[value=no_protected_purpose]").checked && document.querySelector("input[value=incites]").checked`))
	officer.do(chosen("#f-outlet", h.outlet.Ref), typed("#f-mark", "EXERCISE njkx logo"), typed("#f-mark_where", "top right"), typed("#f-language", "ar"), chosen("#f-evaluation", "A1"), click("input[value=serious]"),
		typed("#f-facts", "EXERCISE: a made-up video, n and j and ? and / are letters here."), typed("#f-judgement", "EXERCISE: would incite, were it real."))
	if got := get(officer, chromedp.Evaluate[string](`document.getElementById("f-facts").value + document.getElementById("f-mark").value`)); !strings.Contains(got, "n and j and ? and / are letters") || !strings.Contains(got, "njkx") {
		t.Errorf("typed, it reads %q", got)
	}
	officer.shoot("item-assess", false, 1280, 900)
	key(officer, `{key: "Enter", code: "Enter", ctrlKey: true}`)
	officer.do(visible(".notice"), visible("#f-facts"))
	if u := mustURL(t, get(officer, chromedp.Location())); u.Path != "/items/"+refs[1] {
		t.Fatalf("Record and next led to %s", u.Path)
	}
	if v, err := h.svc.ReadItem(t.Context(), mustScope(t, h.people["officer"]), refs[0]); err != nil || v.Status != concert.ItemAssessed {
		t.Fatalf("the item is %s, %v", v.Status, err)
	}
	// Skip on an Arabic keyboard, by the place of the letter.
	key(officer, `{key: "س", code: "KeyS"}`)
	officer.arrives("/items/" + refs[2])

	// The palette finds the item by its reference.
	officer.do(visible("#flow"))
	key(officer, `{key: "k", code: "KeyK", ctrlKey: true}`)
	officer.do(visible("dialog input"), typed("dialog input", refs[1]))
	get(officer, chromedp.Poll[bool](`document.querySelectorAll("dialog .answers li").length === 1`))
	officer.shoot("palette", false, 1280, 900)
	press(officer, "\r")
	officer.arrives("/items/" + refs[1])
	// g and a letter go to a page, on a French keyboard by the letter that is written.
	officer.do(visible("#flow"))
	key(officer, `{key: "g", code: "KeyG"}`)
	key(officer, `{key: "i", code: "KeyI"}`)
	officer.arrives("/items")

	reviewer.enter(h, "reviewer")
	reviewer.works()
	reviewer.open("/desk", ".desk")
	press(reviewer, "n")
	reviewer.arrives("/items/" + refs[0])
	reviewer.do(visible("#decide"))
	key(reviewer, `{key: "d", code: "KeyD"}`)
	get(reviewer, chromedp.Poll[bool](`document.activeElement.tagName === "TEXTAREA" && document.querySelector(".armed").value === "reject"`))
	get(reviewer, chromedp.Evaluate[int](`document.activeElement.blur(); 1`))
	press(reviewer, "r")
	if got := get(reviewer, chromedp.Evaluate[string](`document.activeElement.value`)); got != "approve" {
		t.Errorf("r leads to %q", got)
	}
	if v, err := h.svc.ReadItem(t.Context(), mustScope(t, h.people["officer"]), refs[0]); err != nil || v.Status != concert.ItemAssessed {
		t.Fatalf("r alone decided: %s, %v", v.Status, err)
	}
	reviewer.shoot("item-decide", false, 1280, 900)
	press(reviewer, "\r")
	reviewer.do(visible(".notice"))
	if v, err := h.svc.ReadItem(t.Context(), mustScope(t, h.people["officer"]), refs[0]); err != nil || v.Status != concert.ItemApproved {
		t.Fatalf("the item is %s, %v", v.Status, err)
	}
}

func mustScope(t testing.TB, p concert.Person) concert.Scope {
	t.Helper()
	s, err := concert.NewScope(p.Actor(), working)
	must(t, err)
	return s
}
