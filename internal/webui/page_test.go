package webui

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"concert"

	"concert/internal/testkit"
)

func judgementForm(outlet string) url.Values {
	return url.Values{"version": {"1"}, "purpose": {"no_protected_purpose"}, "type": {"incites"}, "outlet": {outlet}, "mark": {"EXERCISE logo"}, "mark_where": {"top right, from 0:00"}, "language": {"ar"},
		"severity": {"threat_to_life"}, "evaluation": {"A1"}, "facts": {"EXERCISE: a made-up video with a made-up logo."}, "judgement": {"EXERCISE: would incite, were it real."}}
}

// The chain by forms alone: what a browser without JavaScript can do.
func TestChainGoesByFormsWithoutScripts(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.work()
	officer := h.as("officer")
	officer.get("/submit").want(t, http.StatusOK)
	p := officer.post("/submit", url.Values{"locations": {"https://video.example/watch?v=ex900001Ab\n\nhttps://video.example/\nnot a place\n"}, "type": {"video"}, "evaluation": {"A1"}, "action": {h.action.Ref}})
	p.want(t, http.StatusOK, "taken: waits for an assessment", "stopped by the guard", "not taken")
	if got := strings.TrimSpace(p.value("locations")); got != "not a place" {
		t.Errorf("kept for putting right: %q", got)
	}
	row := p.first(class("table", ""))
	if row == nil {
		row = p.first(tag("table"))
	}
	ref := strings.TrimPrefix(attr(all(row, tag("a"))[0], "href"), "/items/")

	testkit.Capture(t, h.svc, h.people["officer"].Actor(), ref)

	// Errors stand beside their field and what was typed is kept.
	form := judgementForm(h.outlet.Ref)
	form.Set("facts", "short")
	p = officer.post("/items/"+ref+"/assessment", form).want(t, http.StatusUnprocessableEntity, "Not recorded yet")
	facts := p.first(tagWith("textarea", "name", "facts"))
	if attr(facts, "aria-invalid") != "true" || !strings.Contains(attr(facts, "aria-describedby"), "e-facts") {
		t.Errorf("facts are not marked: %v", facts.Attr)
	}
	if got := p.value("judgement"); got != form.Get("judgement") {
		t.Errorf("judgement was not kept: %q", got)
	}
	if n := p.first(tagWith("input", "value", "incites")); !hasAttr(n, "checked") {
		t.Error("the type was not kept")
	}
	officer.post("/items/"+ref+"/assessment", judgementForm(h.outlet.Ref)).want(t, http.StatusOK, "A second person decides now", "Awaiting approval")

	// Stale: the form says so and nothing is lost.
	p = officer.post("/items/"+ref+"/assessment", judgementForm(h.outlet.Ref))
	if p.status != http.StatusPreconditionFailed && p.status != http.StatusConflict {
		t.Errorf("a second assessment of an old version got %d", p.status)
	}

	reviewer := h.as("reviewer")
	p = reviewer.get("/approvals").want(t, http.StatusOK, ref, "0 of 1")
	if strings.Contains(p.body, "EXERCISE: would incite") {
		t.Error("the list shows the judgement, which only opening the item does")
	}
	p = reviewer.get("/items/"+ref+"?from=approvals").want(t, http.StatusOK, ref, "EXERCISE: would incite", "in scope")
	reviewer.post("/items/"+ref+"/decision", url.Values{"version": {p.value("version")}, "decision": {"approve"}, "from": {"approvals"}}).want(t, http.StatusOK, "Approved")
	reviewer.get("/approvals").want(t, http.StatusOK, "Nothing waits for you here")

	// It leaves by itself; the provider reads, acknowledges and answers by form.
	answerer := h.as("answerer")
	var link string
	eventually(t, "the referral reaches the provider's inbox", func() bool {
		p = answerer.get("/referrals")
		if links := all(p.first(tag("main")), tag("a")); len(links) > 0 {
			link = attr(links[0], "href")
		}
		return link != ""
	})
	p = answerer.get(link).want(t, http.StatusOK, concert.VoluntaryNotice, "Art. 2(7)(a)", "EXERCISE logo")
	p = answerer.post(link+"/acknowledgement", url.Values{}).want(t, http.StatusOK, "Acknowledged. Thank you.")
	p = answerer.post(link+"/answer", url.Values{"version": {p.value("version")}, "item.0": {ref}, "code.0": {"disabled_countries"}, "note.0": {"EXERCISE note"}}).want(t, http.StatusUnprocessableEntity, "names the countries")
	if got := p.value("note.0"); got != "EXERCISE note" {
		t.Errorf("the note was not kept: %q", got)
	}
	answerer.post(link+"/answer", url.Values{"version": {p.value("version")}, "item.0": {ref}, "code.0": {"disabled_countries"}, "countries.0": {"de, fr"}, "note.0": {"EXERCISE note"}}).want(t, http.StatusOK, "Answers recorded")

	// Claimed and observed are two facts on one page.
	p = officer.get("/items/"+ref).want(t, http.StatusOK, "disabled in some countries", "not looked at yet", "DE FR; EXERCISE note")
	p = officer.post("/items/"+ref+"/observation", url.Values{"version": {p.value("version")}, "state": {"up"}, "vantage": {"XN, mobile"}}).want(t, http.StatusOK, "Still up", "from XN, mobile")
	p = officer.post("/items/"+ref+"/remedy", url.Values{"version": {p.value("version")}, "kind": {"withdrawal"}, "reason": {"no"}}).want(t, http.StatusUnprocessableEntity, "needs a reason")
	officer.post("/items/"+ref+"/remedy", url.Values{"version": {p.value("version")}, "kind": {"withdrawal"}, "reason": {"EXERCISE: it was a mistake of ours."}}).want(t, http.StatusOK, "Withdrawn", "EXERCISE: it was a mistake of ours.")
	if strings.Contains(h.log.String(), "page failed") {
		t.Error(h.log.String())
	}
}

func TestG03AuthorIsNeitherOfferedNorGrantedTheApproval(t *testing.T) {
	t.Parallel()
	h := open(t)
	refs := h.submit("both", 1, 1, "")
	h.assessed("both", refs, concert.SeverityRoutine)
	v := h.as("both")
	p := v.get("/approvals").want(t, http.StatusOK, "Nothing waits for you here")
	if strings.Contains(p.text(), refs[0]) {
		t.Error("the author's own assessment waits for them")
	}
	if p = v.get("/approvals?whose=own").want(t, http.StatusOK, refs[0]); p.first(tagWith("button", "name", "decision")) != nil {
		t.Error("the author is offered a decision")
	}
	if v.get("/items/"+refs[0]).first(tagWith("button", "name", "decision")) != nil {
		t.Error("the author is offered a decision on the item's page")
	}
	v.post("/items/"+refs[0]+"/decision", url.Values{"version": {"2"}, "decision": {"approve"}}).want(t, http.StatusForbidden, "a second person decides (four eyes)")
	h.as("reviewer").get("/approvals").want(t, http.StatusOK, refs[0])
}

func TestG01VoluntaryNoticeStandsOnTopOfWhatProvidersRead(t *testing.T) {
	t.Parallel()
	h := open(t)
	p := h.as("reader").get("/").want(t, http.StatusOK, concert.VoluntaryNotice)
	if p.path != "/referrals" {
		t.Errorf("a provider's person lands on %s", p.path)
	}
}

func TestG19AuditorGivesAReasonBeforeReading(t *testing.T) {
	t.Parallel()
	h := open(t)
	ref := h.submit("officer", 1, 1, h.action.Ref)[0]
	v := h.as("auditor")
	for _, path := range []string{"/items", "/items/" + ref, "/actions/" + h.action.Ref, "/actions/" + h.action.Ref + "/report"} {
		p := v.get(path)
		if p.path != "/justification" || strings.Contains(p.body, "video") || strings.Contains(p.body, "Submitted") {
			t.Errorf("%s without a reason led to %s", path, p.path)
		}
	}
	v.get("/justification")
	v.post("/justification", url.Values{"justification": {"short"}, "next": {"/items"}}).want(t, http.StatusUnprocessableEntity, "at least ten characters")
	v.post("/justification", url.Values{"justification": {"EXERCISE inspection 7/2019"}, "next": {"/items/" + ref}}).want(t, http.StatusOK, ref)
	v.get("/actions/"+h.action.Ref).want(t, http.StatusOK, "From find to seen down")
	if p := v.get("/items"); !strings.Contains(textOf(p.doc), "EXERCISE inspection 7/2019") {
		t.Error("the reason does not stand on the page")
	}
	// Nobody else is burdened with it, and it is of no use to another person.
	other := h.as("south")
	other.http.Jar = v.http.Jar
	other.post("/logout", url.Values{"csrf": {v.csrf}})
	other.post("/enter", url.Values{"token": {h.links["reader"]}})
	if p := other.get("/referrals"); strings.Contains(p.body, "EXERCISE inspection") {
		t.Error("the reason outlived its session")
	}
}

func TestFormsOfOthersAreRefused(t *testing.T) {
	t.Parallel()
	h := open(t)
	v := h.as("officer")
	submit := func() url.Values {
		return url.Values{"locations": {"https://video.example/watch?v=ex1"}, "evaluation": {"A1"}}
	}
	f := submit()
	f.Set("csrf", "forged")
	v.post("/submit", f).want(t, http.StatusForbidden, "did not come from a page of yours")
	f = submit()
	f.Set("csrf", "")
	v.post("/submit", f).want(t, http.StatusForbidden)
	south := h.as("south")
	f = submit()
	f.Set("csrf", south.csrf)
	v.post("/submit", f).want(t, http.StatusForbidden)
	for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://elsewhere.example"} {
		f = submit()
		f.Set("csrf", v.csrf)
		r, err := http.NewRequest("POST", h.server.URL+"/submit", strings.NewReader(f.Encode()))
		must(t, err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set(name, value)
		res, err := v.http.Do(r)
		v.read(res, err).want(t, http.StatusForbidden)
	}
	f = submit()
	v.post("/submit", f).want(t, http.StatusOK, "taken")
	// Nobody logs others in from elsewhere either.
	r, err := http.NewRequest("POST", h.server.URL+"/login", strings.NewReader("login=x&password=y"))
	must(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	res, err := h.visitor().http.Do(r)
	v.read(res, err).want(t, http.StatusForbidden)
}

func TestLoginByPasswordAndWayBack(t *testing.T) {
	t.Parallel()
	h := open(t)
	v := h.as("officer")
	p := v.get("/password")
	if got := p.header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q", got)
	}
	v.post("/password", url.Values{"password": {"an exercise of many words"}, "again": {"another"}}).want(t, http.StatusUnprocessableEntity, "The two passwords differ")
	v.post("/password", url.Values{"password": {"short"}, "again": {"short"}}).want(t, http.StatusUnprocessableEntity, "Not recorded yet")
	v.post("/password", url.Values{"password": {"an exercise of many words"}, "again": {"an exercise of many words"}}).want(t, http.StatusOK)
	v.post("/logout", url.Values{}).want(t, http.StatusOK, "You are logged out")
	p = v.get("/items?status=held")
	if p.path != "/login" || p.value("next") != "/items?status=held" {
		t.Fatalf("led to %s, next %q", p.path, p.value("next"))
	}
	v.post("/login", url.Values{"login": {"officer"}, "password": {"wrong"}, "next": {"/items"}}).want(t, http.StatusForbidden, "Name, password, link or code is wrong")
	p = v.post("/login", url.Values{"login": {"officer"}, "password": {"an exercise of many words"}, "next": {"/items?status=held"}})
	if p.path != "/justification" || p.value("next") != "/items?status=held" {
		t.Errorf("landed on %s, next %q: a new session asks again what is worked on", p.path, p.value("next"))
	}
	if p = v.post("/justification", url.Values{"justification": {working}, "next": {p.value("next")}}); p.path != "/items" {
		t.Errorf("landed on %s", p.path)
	}
	// A link works once.
	h.visitor().post("/enter", url.Values{"token": {h.links["officer"]}, "code": {h.codes["officer"]}}).want(t, http.StatusForbidden)
	for _, c := range v.http.Jar.Cookies(mustURL(t, h.server.URL)) {
		if c.Name == httpCookie && c.Value == "" {
			t.Error("empty session")
		}
	}
}

const httpCookie = "concert"

func mustURL(t testing.TB, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	must(t, err)
	return u
}

func TestNobodyLearnsOfWhatIsNotTheirs(t *testing.T) {
	t.Parallel()
	h := open(t)
	ref := h.submit("officer", 1, 1, "")[0]
	missing := h.as("south").get("/items/IT-0000-0000-00000")
	others := h.as("both")
	others.get("/items/"+ref).want(t, http.StatusOK)
	south := h.visitor()
	south.post("/enter", newLink(t, h, "south"))
	south.post("/justification", url.Values{"justification": {working}})
	p := south.get("/items/" + ref)
	if p.status != http.StatusNotFound || p.text() != missing.text() {
		t.Errorf("another's item looks unlike a missing one: %d\n%s", p.status, p.text())
	}
	h.visitor().get("/nowhere").want(t, http.StatusNotFound, "There is no such page")
	h.visitor().post("/nowhere", url.Values{}).want(t, http.StatusNotFound)
}

// newLink is the form that enters with a new link and its code.
func newLink(t *testing.T, h *house, login string) url.Values {
	t.Helper()
	link, proposal, err := h.svc.NewLink(t.Context(), h.admin, login)
	must(t, err)
	_, code, err := h.svc.ConfirmPerson(t.Context(), h.second, login, proposal)
	must(t, err)
	return url.Values{"token": {link}, "code": {code}}
}

func TestPlacesAreTextAndTheQueuePages(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.submit("officer", queuePage+5, 1, "")
	v := h.as("officer")
	p := v.get("/items").want(t, http.StatusOK, "50+", "ordinary item")
	rows := len(all(p.first(tag("tbody")), tag("tr")))
	if rows != queuePage {
		t.Errorf("%d rows", rows)
	}
	if strings.Contains(p.body, "https://video.example") {
		t.Error("a place stands undefanged in the queue")
	}
	next := p.first(tagWith("a", "rel", "next"))
	if next == nil {
		t.Fatal("no next page")
	}
	p = v.get(attr(next, "href")).want(t, http.StatusOK, "First page")
	if n := len(all(p.first(tag("tbody")), tag("tr"))); n != 5 || p.first(tagWith("a", "rel", "next")) != nil {
		t.Errorf("%d rows on the last page", n)
	}
	v.get("/items?at=%21%21").want(t, http.StatusBadRequest, "address is broken")
	for _, s := range concert.ItemStatuses {
		v.get("/items?status="+string(s)).want(t, http.StatusOK)
	}
}

func TestG07HoldShowsContactAndNothingElse(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.work()
	const place = "https://video.example/watch?v=ex000001Ab"
	south := h.as("south")
	south.get("/holds").want(t, http.StatusOK, "Nothing here now.")
	south.post("/holds", url.Values{"location": {"nothing at all"}, "contact": {"x"}}).want(t, http.StatusUnprocessableEntity, "Not recorded yet")
	south.post("/holds", url.Values{"location": {place}, "contact": {"SOUTH desk, ext. 7"}, "case": {"EXERCISE secret case"}}).want(t, http.StatusOK, "Hold placed", "EXERCISE secret case")
	refs := h.submit("officer", 1, 1, "")
	h.assessed("officer", refs, concert.SeverityThreat)
	h.approved("reviewer", refs)
	officer := h.as("officer")
	var p *page
	eventually(t, "the item is held", func() bool {
		p = officer.get("/items/" + refs[0])
		return p.first(class("section", "hold")) != nil
	})
	got := textOf(p.first(class("section", "hold")))
	if got != "‖ Hold Contact: SOUTH desk, ext. 7" {
		t.Errorf("the hold says %q", got)
	}
	if strings.Contains(p.body, "secret case") || strings.Contains(p.body, "Unit South") {
		t.Error("the hold tells whose it is or why")
	}
	// A reviewer who did not assess it may override, and only somebody without a part reviews that.
	both := h.as("both")
	p = both.get("/items/"+refs[0]).want(t, http.StatusOK, "A life is in danger")
	both.post("/items/"+refs[0]+"/override", url.Values{"version": {p.value("version")}, "override_reason": {"quick"}}).want(t, http.StatusUnprocessableEntity, "why it cannot wait", "quick")
	both.post("/items/"+refs[0]+"/override", url.Values{"version": {p.value("version")}, "override_reason": {"EXERCISE: a life is in danger"}}).want(t, http.StatusOK, "Hold overridden", "hold overridden for a threat to life")
	coordinator := h.as("coordinator")
	coordinator.get("/alarms").want(t, http.StatusOK, refs[0], "EXERCISE Unit North")
	coordinator.get("/items/"+refs[0]).want(t, http.StatusOK, "Review the override", "EXERCISE: a life is in danger")
	coordinator.post("/items/"+refs[0]+"/override/review", url.Values{"verdict": {"justified"}, "review_reason": {""}}).want(t, http.StatusUnprocessableEntity, "needs a reason")
	coordinator.post("/items/"+refs[0]+"/override/review", url.Values{"verdict": {"justified"}, "review_reason": {"EXERCISE: it could not wait for the desk"}}).want(t, http.StatusOK, "Review of the override recorded")
	officer.get("/alarms").want(t, http.StatusForbidden)
	// Once it went out, a new hold can only ask its author to take it back.
	eventually(t, "the item is referred", func() bool { return strings.Contains(officer.get("/items/"+refs[0]).body, "/referrals/RF-") })
	south.post("/holds", url.Values{"location": {place}, "contact": {"SOUTH night desk"}}).want(t, http.StatusOK, "had been referred when you placed it")
	officer.get("/items/"+refs[0]).want(t, http.StatusOK, "Another authority asks to keep off", "SOUTH night desk", "You may withdraw the referral")
	p = south.get("/holds").want(t, http.StatusOK, "EXERCISE Unit North (NORTH)", "desk 1", "let through for a threat to life", "it can be renewed twice")
	south.post(strings.Replace(attr(p.all(tag("form"))[len(p.all(tag("form")))-1], "action"), "release", "renew", 1), url.Values{"version": {p.value("version")}, "reason": {"EXERCISE still needed"}}).want(t, http.StatusForbidden, "a second person of your authority renews it")
	p = south.get("/holds")
	release := p.all(tag("form"))
	action := attr(release[len(release)-1], "action")
	south.post(action, url.Values{"version": {p.value("version")}, "reason": {"no"}}).want(t, http.StatusUnprocessableEntity, "with a reason")
	south.post(action, url.Values{"version": {p.value("version")}, "reason": {"EXERCISE over"}}).want(t, http.StatusOK, "Hold released")
}

func TestG38ScopeListIsPublic(t *testing.T) {
	t.Parallel()
	h := open(t)
	v := h.visitor()
	v.get("/scope").want(t, http.StatusOK, "EXERCISE Outlet <b>", "EXERCISE Decision 1/2019", "EXERCISE Journal L 1", "in force")
	v.get("/counting").want(t, http.StatusOK, concert.MetricDefinitions[concert.Returned], "Submitted = Unique + Duplicates")
	v.get("/log").want(t, http.StatusOK, "Nothing has happened yet", h.svc.Origin)
	must(t, h.svc.PublishLog(t.Context()))
	v.get("/log").want(t, http.StatusOK, "— exercise.example/log")
}

func TestAssetsAreKeptForEver(t *testing.T) {
	t.Parallel()
	h := open(t)
	for _, path := range h.ui.assets.url {
		res, err := http.Get(h.server.URL + path)
		must(t, err)
		res.Body.Close()
		if res.StatusCode != http.StatusOK || !strings.Contains(res.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d, %q", path, res.StatusCode, res.Header.Get("Cache-Control"))
		}
	}
	res, err := http.Get(h.server.URL + "/assets/app.000000000000.css")
	must(t, err)
	res.Body.Close()
	if res.StatusCode != http.StatusNotFound {
		t.Errorf("an old asset got %d", res.StatusCode)
	}
}
