package webui

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"concert/internal/testkit"
)

// reported is what a provider's person types.
func reported() url.Values {
	return url.Values{"kind": {"attack_announced"}, "places": {testkit.Page(3)}, "description": {"EXERCISE: somebody invented announces an attack that nobody plans."}, "states": {"ES"},
		"seen_at": {time.Now().UTC().Format("2006-01-02T15:04")}, "content": {"up"}, "contact": {"EXERCISE Desk"}, "telephone": {"+000"}}
}

// What is wrong stands at its field, and nothing that was typed is lost.
func TestThreatFormSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	_, h := addressed(t)
	v := h.as("portal")
	v.get("/own-threats").want(t, http.StatusOK, "Report a threat to life")
	for field, break_ := range map[string]func(url.Values){
		"kind":        func(f url.Values) { f.Set("kind", "") },
		"description": func(f url.Values) { f.Set("description", "short") },
		"places":      func(f url.Values) { f.Set("places", " \n ") },
		"unknown":     func(f url.Values) { f.Set("states", "") },
		"states":      func(f url.Values) { f.Set("states", "Spain") },
		"seen_at":     func(f url.Values) { f.Set("seen_at", time.Now().UTC().Add(time.Hour).Format("2006-01-02T15:04")) },
		"contact":     func(f url.Values) { f.Set("contact", "") },
		"telephone":   func(f url.Values) { f.Set("telephone", "") },
		"email":       func(f url.Values) { f.Set("email", "EXERCISE Desk <desk@video.example>") },
	} {
		form := reported()
		break_(form)
		p := v.post("/own-threats", form)
		if p.status != http.StatusUnprocessableEntity || len(p.all(tagWith("span", "id", "e-"+field))) != 1 {
			t.Errorf("%s: %d, %d errors at the field", field, p.status, len(p.all(tagWith("span", "id", "e-"+field))))
		}
		checkPage(t, p)
		if field != "description" && !strings.Contains(textOf(p.doc), "somebody invented announces") {
			t.Errorf("%s: what was typed is lost", field)
		}
	}
}

// From the provider's form to the officer's page, without a script: taken, handed in with the fields filled, passed on, answered.
func TestThreatGoesItsWayByForm(t *testing.T) {
	t.Parallel()
	c, h := addressed(t)
	for login, token := range c.Links {
		h.links[login], h.codes[login] = h.server.URL+"/enter#"+token, c.Codes[login]
	}
	portal := h.as("portal")
	receipt := portal.post("/own-threats", reported())
	receipt.want(t, http.StatusOK, "Received.", "nobody has taken it so far", "EXERCISE Authority Spain", "Entry in the public log")
	checkPage(t, receipt)
	ref := receipt.path[strings.LastIndexByte(receipt.path, '/')+1:]
	officer := h.as("es-officer")
	officer.get("/scope").want(t, http.StatusOK, "A provider reports a threat to life", ref)
	irish := h.as("ie-officer")
	if p := irish.get("/scope"); strings.Contains(textOf(p.doc), ref) {
		t.Error("another authority's page names it")
	}
	if p := officer.get("/threats/" + ref); !strings.HasPrefix(p.path, "/justification") {
		t.Errorf("read without saying why: %s", p.path)
	}
	officer.post("/justification", url.Values{"justification": {working}, "next": {"/threats"}})
	officer.get("/threats").want(t, http.StatusOK, ref)
	page := officer.get("/threats/" + ref)
	page.want(t, http.StatusOK, "somebody invented announces", "I take it", "video[.]example")
	checkPage(t, page)
	page = officer.post("/threats/"+ref+"/take", url.Values{"version": {"1"}})
	page.want(t, http.StatusOK, "You have it in hand", "Hand in what it names")
	checkPage(t, page)
	if strings.Contains(textOf(officer.get("/scope").doc), ref) {
		t.Error("it alarms though it is in hand")
	}
	in := officer.get("/submit?threat=" + ref)
	in.want(t, http.StatusOK)
	if f := in.first(tagWith("textarea", "name", "locations")); f == nil || strings.TrimSpace(textOf(f)) != testkit.Page(3) {
		t.Error("the place is not filled in")
	}
	if o := in.first(tagWith("option", "value", "threat")); o == nil || !hasAttr(o, "selected") {
		t.Error("its priority is not that of a threat to life")
	}
	item := c.Judged(testkit.Page(3))
	officer.get("/threats/"+ref).want(t, http.StatusOK, item, "Order its removal in an emergency")
	draft := officer.get("/orders/new?item=" + item + "&threat=" + ref)
	draft.want(t, http.StatusOK, "Order removal")
	if g := draft.first(tagWith("textarea", "name", "emergency_ground")); g == nil || !strings.Contains(textOf(g), ref) {
		t.Error("the emergency's ground is not filled in")
	}
	officer.post("/threats/"+ref+"/pass", url.Values{"version": {"2"}, "to": {"IE"}, "reason": {"short"}}).want(t, http.StatusUnprocessableEntity, "why it is not yours")
	officer.post("/threats/"+ref+"/pass", url.Values{"version": {"2"}, "to": {"IE"}, "reason": {"EXERCISE: the square is in Ireland."}}).want(t, http.StatusOK, "Passed on.")
	irish.post("/justification", url.Values{"justification": {working}, "next": {"/threats"}})
	irish.get("/threats/"+ref).want(t, http.StatusOK, "EXERCISE: the square is in Ireland.")
	irish.post("/threats/"+ref+"/take", url.Values{}).want(t, http.StatusPreconditionFailed)
	irish.post("/threats/"+ref+"/take", url.Values{"version": {"1"}}).want(t, http.StatusOK, "You have it in hand")
	irish.post("/threats/"+ref+"/close", url.Values{"version": {"2"}, "outcome": {"acted"}, "word": {"EXERCISE: the square was cleared."}}).want(t, http.StatusOK, "Closed.")
	portal.get("/own-threats/"+ref).want(t, http.StatusOK, "EXERCISE: the square was cleared.", "measures were taken")
	portal.get("/own-threats").want(t, http.StatusOK, ref, "answered, closed")
}

// In a real browser: the form is filled and sent, the officer's open page shows the alarm by itself, and the pages pass axe, narrow and
// wide, and in Arabic.
func TestBrowserG32ThreatAlarmsTheOpenPage(t *testing.T) {
	c, h := addressed(t)
	axe, err := os.ReadFile(filepath.Join("testdata", "axe", "axe.min.js"))
	must(t, err)
	for login, token := range c.Links {
		h.links[login], h.codes[login] = h.server.URL+"/enter#"+token, c.Codes[login]
	}
	h.hub = h.ui.hub
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 2)
	go func() { done <- h.hub.Run(ctx) }()
	go func() { done <- h.svc.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done; <-done })
	dir := shots()
	if dir == "" {
		dir = t.ArtifactDir()
	}
	browser := startBrowser(t)
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
	officer := h.browse(t, browser, dir)
	officer.enter(h, "es-officer")
	officer.open("/scope", "h1")
	portal := h.browse(t, browser, dir)
	portal.enter(h, "portal")
	portal.open("/own-threats", "main form")
	look(portal, "threat-form")
	f := reported()
	portal.do(chosen("#f-kind", f.Get("kind")), typed("#f-description", f.Get("description")), typed("#f-places", f.Get("places")), typed("#f-states", "ES"), typed("#f-contact", f.Get("contact")), typed("#f-telephone", "+000"),
		click("main form button"), visible("#receipt"))
	look(portal, "threat-receipt")
	officer.do(visible("#threat-alarms-title"))
	look(officer, "threat-alarm")
	officer.works()
	officer.do(click("#order-alarms a"), visible("main form button"))
	look(officer, "threat-page")
	officer.do(click("main form button"), visible("#f-word"))
	look(officer, "threat-taken")
	get(officer, chromedp.Evaluate[int](`document.cookie = "concert-reader=l=ar; path=/"; 1`))
	officer.open("/threats", "table a")
	look(officer, "threats-ar")
	officer.do(click("table a"), visible("#f-word"))
	look(officer, "threat-taken-ar")
}
