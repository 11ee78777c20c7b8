package webui

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"concert"
	"concert/internal/store"
)

// consignment prepares a consignment of the action, so that there is one to look at.
func (h *house) consignment() {
	h.t.Helper()
	ctx, by := h.t.Context(), h.people["coordinator"].Actor()
	must(h.t, h.svc.ConsignAction(ctx, by, h.action.Ref, true))
	refs := h.submit("officer", 3, 9000, h.action.Ref)
	h.assessed("officer", refs, concert.SeverityRoutine)
	h.approved("reviewer", refs)
	_, err := h.svc.PrepareConsignment(ctx, by, h.action.Ref, h.provider.Ref, 2)
	must(h.t, err)
}

// form is the button of the form on the page that goes to the path.
func form(path string) string { return `form[action$="` + path + `"] button` }

// In a real browser a coordinator runs a joint action from opening to closing it: who takes part, what is aimed at, orders of the
// day, a throttle, a freeze that two people end, a consignment recalled and one that leaves, the phases, and the report at the end.
func TestBrowserCoordinatorRunsAnAction(t *testing.T) {
	h := open(t)
	h.svc.Time = concert.CaseTime{} // live
	h.work()
	browser := startBrowser(t)
	w, second, wall := h.browse(t, browser, shots()), h.browse(t, browser, ""), h.browse(t, browser, shots())
	w.enter(h, "coordinator")
	second.enter(h, "reviewer")
	second.works()
	wall.enter(h, "officer")

	w.open("/actions", "main .button")
	w.do(click("main .button"), visible("#f-name"), typed("#f-name", "EXERCISE Operation"), chosen("#f-lead", h.units[2].Ref), typed("#f-mandate", "EXERCISE mandate 7"), typed("#f-target", "20"), click("main form button"), visible("#c-send"))
	ref := strings.Split(mustURL(t, get(w, chromedp.Location())).Path, "/")[2]
	here := "/actions/" + ref
	// act fills in a form of the coordinator's page and sends it: each time on a page that says nothing yet.
	act := func(path string, steps ...chromedp.Action[chromedp.Void]) {
		w.open(here+"/coordinate", "#c-send")
		w.do(append(steps, click(form(path)), visible(".notice"))...)
	}
	for _, unit := range h.units[:2] {
		act("/participants", chosen("#f-authority", unit.Ref))
	}
	act("/targets", chosen("#f-outlet", h.outlet.Ref))
	w.open(here+"/coordinate", "#c-send")
	w.do(typed("#f-order", "EXERCISE: video first"), click(`form:has(#f-order) button`), visible(".notice"))
	wall.open(here, `#live[data-state=live]`)
	get(wall, chromedp.Poll[bool](`document.querySelector("#w-ticker").innerText.includes("video first")`))

	// What is approved waits for a consignment; a throttle and a freeze besides.
	act("/batching")
	refs := h.submit("officer", 5, 7000, ref)
	h.assessed("officer", refs, concert.SeverityRoutine)
	h.approved("reviewer", refs)
	act("/throttle", chosen("#f-throttle-provider", h.provider.Ref), chosen("#f-per_hour", "2"), typed("#f-reason-throttle", "EXERCISE they asked for it"))
	act("/freeze", typed("#f-reason-freeze", "EXERCISE something is wrong"))
	get(wall, chromedp.Poll[bool](`document.querySelector("#w-head .frozen") !== null`))
	act("/thaw", typed("#f-reason-thaw", "EXERCISE it was looked at"))
	second.open(here, form("/thaw/confirm"))
	second.do(click(form("/thaw/confirm")), visible(".notice"))

	// One consignment is recalled within its minute, another leaves.
	prepare := func() string {
		w.open(here+"/coordinate", "#c-send")
		w.do(chosen("#f-consignment-items", "3"), click(form("/consignments")), visible(form("/recall")))
		return mustURL(t, get(w, chromedp.Location())).Path
	}
	consignment := prepare()
	w.shoot("consignment", false, 1280, 900)
	second.open(consignment, form("/confirm"))
	second.do(click(form("/confirm")), visible(".notice"))
	w.open(consignment, form("/recall"))
	w.do(click(form("/recall")), visible(".notice"))
	consignment = prepare()
	second.open(consignment, form("/confirm"))
	second.do(click(form("/confirm")), visible(".notice"))
	h.minutePasses(t, strings.TrimPrefix(consignment, "/consignments/"))
	get(wall, chromedp.Poll[bool](`[...document.querySelectorAll(".funnel tr")].some(r => r.innerText.includes("Referred") && r.querySelector(".big")?.innerText === "2")`))
	w.open(here+"/coordinate", "#c-send")
	w.shoot("coordinate-light", false, 1600, 1000)
	w.shoot("coordinate-dark", true, 1600, 1000)
	w.shoot("coordinate-phone", false, 390, 844)
	wall.shoot("wall-light", false, 1920, 1080)
	wall.open(here, `form[action$="/here"]`)
	wall.do(click(form("/here")), visible(".notice"))

	for range len(concert.Phases) - 1 {
		w.open(here+"/coordinate", ".steps")
		w.do(click(".steps form button:not(.second)"), visible(".notice"))
	}
	if get(w, chromedp.Evaluate[bool](`document.querySelector(".steps") !== null`)) {
		t.Error("a closed action can be moved on")
	}
	w.open(here+"/report", "#r-outcome")
	w.shoot("action-report", false, 1280, 900)
	v := h.as("reader")
	v.get(here+"/report.json").want(t, http.StatusNotFound)
}

// minutePasses lets a confirmed consignment's window end: its clock is due at once.
func (h *house) minutePasses(t *testing.T, ref string) {
	t.Helper()
	scope, err := concert.NewScope(h.people["coordinator"].Actor(), "")
	must(t, err)
	b, err := h.svc.ReadConsignment(t.Context(), scope, ref)
	must(t, err)
	if b.State != concert.ConsignmentConfirmed {
		t.Fatalf("the consignment is %s", b.State)
	}
	must(t, h.svc.DB.Update(t.Context(), func(tx *store.Tx) error {
		b, err := tx.Consignment(t.Context(), ref)
		if err != nil {
			return err
		}
		b.LeavesAt = h.svc.Now()
		tx.SetClock(concert.ClockConsignment, string(b.ID), b.LeavesAt)
		tx.Record(concert.NewEvent(concert.EventBulletinPosted, concert.House, string(b.ID), b.LeavesAt, concert.ActionBody{Action: b.Action, Kind: "EXERCISE: a minute passed"}))
		return tx.SaveConsignment(t.Context(), b)
	}))
	eventually(t, "the consignment has left", func() bool {
		b, err := h.svc.ReadConsignment(t.Context(), scope, ref)
		must(t, err)
		return b.State == concert.ConsignmentLeft
	})
}

// A number says what it counts and where its items are, for those who may list them; others see none below five.
func TestWallNumbersAreDefinedAndListed(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.submit("officer", 6, 1, h.action.Ref)
	h.submit("south", 1, 50, h.action.Ref)
	coordinator, officer := h.as("coordinator"), h.as("officer")
	for login, want := range map[string]string{"officer": "6", "coordinator": "7", "auditor": "7"} {
		v := map[string]*visitor{"officer": officer, "coordinator": coordinator}[login]
		if v == nil {
			v = h.as(login)
		}
		if h.people[login].Authority == "" {
			v.post("/justification", map[string][]string{"justification": {working}, "next": {"/password"}})
		}
		board := v.get("/actions/"+h.action.Ref).want(t, http.StatusOK, concert.Unique.Definition())
		if !strings.Contains(board.body, "/actions/"+h.action.Ref+"/items?m=unique") {
			t.Errorf("%s finds no list of what is counted", login)
		}
		list := v.get("/actions/" + h.action.Ref + "/items?m=unassessed")
		if got := len(list.all(tagWith("th", "scope", "row"))); want != map[int]string{6: "6", 7: "7"}[got] {
			t.Errorf("%s lists %d items, want %s", login, got, want)
		}
	}
	others := coordinator.get("/actions/" + h.action.Ref + "?view=partner")
	if text := textOf(others.first(tagWith("div", "id", "board"))); !strings.Contains(text, "<5") || strings.Contains(others.body, "/items?m=") {
		t.Errorf("the view for others:\n%s", text)
	}
	v := coordinator
	v.get("/actions/"+h.action.Ref+"/items?m=reminders").want(t, http.StatusUnprocessableEntity)
	for _, name := range []string{"survival", "redress", "providers", "times_by_language"} {
		if p := v.get("/actions/" + h.action.Ref + "/tables/" + name + ".csv"); p.status != http.StatusOK || !strings.HasPrefix(p.header.Get("Content-Type"), "text/csv") {
			t.Errorf("table %s: %d", name, p.status)
		}
	}
	var e concert.Envelope
	must(t, json.Unmarshal([]byte(v.get("/actions/"+h.action.Ref+"/report.json").body), &e))
	if e.PayloadType != concert.ReportPayloadType || len(e.Signatures) != 1 {
		t.Errorf("the signed report: %s, %d signatures", e.PayloadType, len(e.Signatures))
	}
	officer.get("/reports").want(t, http.StatusOK, "EXERCISE Unit North", "This month")
}
