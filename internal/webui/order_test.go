package webui

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/testkit"
)

// competent adds an authority of Spain that issues orders, with its people, one of Ireland that scrutinises, and seats the provider there.
func (h *house) competent() {
	h.t.Helper()
	ctx := h.t.Context()
	for _, a := range []concert.Authority{
		{Name: "EXERCISE Authority Spain", Country: "ES", Kind: concert.KindCompetent, Unit: "CAES", Contact: "desk ES"},
		{Name: "EXERCISE Authority Ireland", Country: "IE", Kind: concert.KindCompetent, Unit: "CAIE", Contact: "desk IE"},
	} {
		a, err := h.svc.AddAuthority(ctx, h.admin, a)
		must(h.t, err)
		h.units = append(h.units, a)
		fs := []concert.Function{concert.FunctionIssue}
		if a.Country == "IE" {
			fs = []concert.Function{concert.FunctionScrutinise}
		}
		must(h.t, h.svc.ProposeOffice(ctx, h.admin, a.Ref, concert.OrderOffice{Kind: concert.OrderByLawEnforcement, Functions: fs, Address: "EXERCISE Street 1", Telephone: "+000 EXERCISE", Email: "orders@authority.example"}))
		must(h.t, h.svc.ConfirmOffice(ctx, h.second, a.Ref))
	}
	spain, ireland := h.units[len(h.units)-2], h.units[len(h.units)-1]
	h.join(ctx, "es-officer", spain.Ref, "", concert.RoleOfficer)
	h.join(ctx, "es-reviewer", spain.Ref, "", concert.RoleReviewer)
	h.join(ctx, "es-issuer", spain.Ref, "", concert.RoleIssuer)
	h.join(ctx, "es-all", spain.Ref, "", concert.RoleOfficer, concert.RoleReviewer, concert.RoleIssuer)
	h.join(ctx, "ie-judge", ireland.Ref, "", concert.RoleReviewer)
	must(h.t, h.svc.SeatProvider(ctx, h.admin, h.provider.Ref, concert.Seat{Establishment: "IE", Representative: "EXERCISE Representative, Dublin"}))
}

// judged takes places of the Spanish authority to their assessments.
func (h *house) judged(n, from int) []string {
	h.t.Helper()
	refs := h.submit("es-officer", n, from, "")
	h.assessed("es-officer", refs, concert.SeverityRoutine)
	return refs
}

// orderFields is a sound draft as the form sends it.
func orderFields(items ...string) url.Values {
	return url.Values{"item": items, "statement": {"EXERCISE: the made-up video carries a made-up logo and calls, in the second minute, for an attack that nobody will make."},
		"legal_basis": {"Regulation (EU) 2021/784, Article 3(1)\nEXERCISE Act 1"}, "language": {"en"}, "representative": {"EXERCISE Representative"}, "post": {"EXERCISE Inspector"}, "file_no": {"EXERCISE-1/2026"}}
}

// drafted is an order of the Spanish authority, written and reviewed.
func (h *house) reviewedOrder(item string, urgent bool) concert.Order {
	h.t.Helper()
	d := testkit.Draft(item)
	if urgent {
		d = testkit.Urgent(d)
	}
	o, err := h.svc.DraftOrder(h.t.Context(), h.people["es-officer"].Actor(), d)
	must(h.t, err)
	o, err = h.svc.ReviewOrder(h.t.Context(), h.people["es-reviewer"].Actor(), o.Ref, o.Version)
	must(h.t, err)
	return o
}

// issuedOrder is one that was issued in an emergency.
func (h *house) issuedOrder(item string) concert.Order {
	h.t.Helper()
	o := h.reviewedOrder(item, true)
	o, err := h.svc.ApproveOrder(h.t.Context(), h.people["es-issuer"].Actor(), o.Ref, o.Version)
	must(h.t, err)
	return o
}

// By forms alone: an order is begun on an item's page, refused with everything kept, written, reviewed, approved by a third person, answered by its
// addressee, and seen executed with its papers.
func TestOrderGoesItsWayByForm(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.competent()
	refs := h.judged(2, 1)
	officer := h.as("es-officer")
	p := officer.get("/items/"+refs[0]).want(t, http.StatusOK, "An order binds its addressee and is no referral")
	if p.first(tagWith("a", "href", "/orders/new?item="+refs[0])) == nil {
		t.Error("no way from the item to an order")
	}
	p = officer.get("/items?status=assessed").want(t, http.StatusOK, "Order removal of those ticked")
	if len(p.all(tagWith("input", "form", "pick"))) != 2 {
		t.Error("the assessed items cannot be ticked")
	}
	officer.get("/orders/new?item="+refs[0]+"&item="+refs[1]).want(t, http.StatusOK, "An order binds. It is no referral.", refs[1], "EXERCISE Video", "EXERCISE Representative, Dublin", "EXERCISE Authority Ireland", "For the content provider", "It never had an order of your authority", "Art. 2(7)(a)")
	f := orderFields(refs...)
	f.Set("statement", "EXERCISE: too short")
	f.Set("additional."+refs[1], "EXERCISE: the second of two videos there")
	p = officer.post("/orders", f).want(t, http.StatusUnprocessableEntity, "has at least 80 characters", "EXERCISE Act 1", "EXERCISE: too short")
	for name, want := range map[string]string{"post": "EXERCISE Inspector", "additional." + refs[1]: "EXERCISE: the second of two videos there"} {
		if got := p.value(name); got != want {
			t.Errorf("%s holds %q after a refusal", name, got)
		}
	}
	f = orderFields(refs...)
	f.Set("emergency", "yes")
	f.Set("emergency_ground", "EXERCISE: the attack that it calls for is announced for tonight.")
	p = officer.post("/orders", f).want(t, http.StatusOK, "Draft kept", "You wrote this order", concert.OrderDuty, "Draft, waits for a review")
	path, version := p.path, p.value("version")
	ref := strings.TrimPrefix(path, "/orders/")
	// What was written last is filled in for the next one.
	if p = officer.get("/orders/new?item=" + refs[0]); p.value("post") != "EXERCISE Inspector" || p.value("file_no") != "EXERCISE-1/2026" {
		t.Errorf("the last order's post %q, file %q", p.value("post"), p.value("file_no"))
	}
	officer.get("/orders").want(t, http.StatusOK, ref, "Draft, waits for a review", "Wait for a review")
	officer.get("/orders?stage=approve").want(t, http.StatusOK, "Nothing fits these filters")

	reviewer := h.as("es-reviewer")
	reviewer.get("/desk").want(t, http.StatusOK, "Removal orders that need you", ref, "waits for your review")
	reviewer.get(path).want(t, http.StatusOK, "Reviewed: it is complete")
	reviewer.post(path+"/return", url.Values{"version": {version}, "reason": {"EXERCISE: say which minute shows the logo."}}).want(t, http.StatusConflict, "cannot be moved by")
	p = reviewer.post(path+"/review", url.Values{"version": {version}}).want(t, http.StatusOK, "Reviewed. Somebody with the issuing function approves it.", h.people["es-reviewer"].Operator)
	p = reviewer.post(path+"/return", url.Values{"version": {p.value("version")}, "reason": {"EXERCISE short"}}).want(t, http.StatusUnprocessableEntity, "needs a reason of at least 20 characters", "EXERCISE short")
	reviewer.post(path+"/return", url.Values{"version": {p.value("version")}, "reason": {"EXERCISE: say which minute shows the logo."}}).want(t, http.StatusOK, "EXERCISE: say which minute shows the logo.")
	p = officer.get(path+"/draft").want(t, http.StatusOK, "It was returned", "EXERCISE: say which minute shows the logo.", "Write order "+ref+" anew")
	f.Set("version", p.value("version"))
	f.Set("statement", f.Get("statement")+" It shows in the first minute.")
	p = officer.post(path+"/draft", f).want(t, http.StatusOK, "It shows in the first minute.")
	reviewer.post(path+"/review", url.Values{"version": {p.value("version")}}).want(t, http.StatusOK)

	issuer := h.as("es-issuer")
	if p := issuer.get("/"); p.path != "/orders" {
		t.Errorf("an issuer lands on %s", p.path)
	}
	p = issuer.get(path).want(t, http.StatusOK, "It issues at once: the emergency spares the twelve hours")
	issuer.post(path+"/approve", url.Values{"version": {p.value("version")}}).want(t, http.StatusOK, "Issued and signed", "Issued, receipt not proven yet", "EXERCISE Authority Ireland")
	issuer.get(path+"/document").want(t, http.StatusOK, concert.OrderDuty, "EXERCISE Inspector")
	if pdf := issuer.get(path + "/document.pdf"); pdf.status != http.StatusOK || !strings.HasPrefix(pdf.body, "%PDF-") {
		t.Errorf("the PDF: %d", pdf.status)
	}
	if page := issuer.get(path + "/document.html?lang=es"); page.status != http.StatusOK || !strings.Contains(page.body, concert.OrderDuty) {
		t.Errorf("the page as a file: %d", page.status)
	}
	if file := issuer.get(path + "/order.json"); file.status != http.StatusOK || !strings.Contains(file.body, concert.OrderFileFormat) {
		t.Errorf("the file: %d", file.status)
	}
	issuer.get("/events?ref="+ref).want(t, http.StatusOK, "order.approved", "order.issued")
	copied := h.as("ie-judge")
	copied.get("/orders?stage=copies").want(t, http.StatusOK, ref)
	copied.get(path).want(t, http.StatusOK, "EXERCISE Authority Spain", "Scrutiny on its own motion")

	answerer := h.people["answerer"].Actor()
	_, err := h.svc.ReadOrder(t.Context(), testkit.Scope(t, answerer), ref)
	must(t, err)
	officer.get(path).want(t, http.StatusOK, "Received, the hour runs", "59 min left")
	officer.get("/desk").want(t, http.StatusOK, "its hour runs")
	_, err = h.svc.AnswerOrder(t.Context(), answerer, ref, 0, concert.OrderAnswer{Reasons: []concert.ImpossibleReason{concert.ImpossibleInsufficient}, Further: "EXERCISE: there are two videos at this address.", Needed: "EXERCISE: which of them.", Person: "EXERCISE Moderator", Email: "legal@video.example"})
	must(t, err)
	p = officer.get(path).want(t, http.StatusOK, "Annex III: insufficient information", "EXERCISE: which of them.", "stands still since")
	officer.post(path+"/clarify", url.Values{"version": {p.value("version")}, "reason": {"EXERCISE: the first one, which is three minutes long."}}).want(t, http.StatusOK, "Clarified. The addressee is told")
	_, err = h.svc.AnswerOrder(t.Context(), answerer, ref, 0, concert.OrderAnswer{Measure: concert.MeasureRemoved, MeasureAt: h.svc.Now(), Person: "EXERCISE Moderator", Email: "legal@video.example", File: "EXERCISE-77"})
	must(t, err)
	officer.get(path).want(t, http.StatusOK, "Executed (Annex II)", "Annex II: removed", "EXERCISE-77", "before the end", "Preservation, Art. 6")
	p = issuer.get(path)
	issuer.post(path+"/withdraw", url.Values{"version": {p.value("version")}, "reason": {"EXERCISE: the video was a report of a news desk."}}).want(t, http.StatusOK, "Withdrawn by its authority", "EXERCISE: the video was a report of a news desk.")
	if strings.Contains(h.log.String(), "page failed") {
		t.Error(h.log.String())
	}
}

// Every field of Annex I that is written by hand is asked for at its own field, and nothing that was typed is lost.
func TestG02FormNamesTheFieldThatAnOrderLacks(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.competent()
	refs := h.judged(1, 1)
	v := h.as("es-officer")
	v.get("/orders/new?item=" + refs[0])
	for name, change := range map[string]func(url.Values){
		"statement":        func(f url.Values) { f.Set("statement", " ") },
		"legal_basis":      func(f url.Values) { f.Set("legal_basis", " \n ") },
		"language":         func(f url.Values) { f.Set("language", "no language") },
		"representative":   func(f url.Values) { f.Set("representative", "") },
		"post":             func(f url.Values) { f.Set("post", "") },
		"file_no":          func(f url.Values) { f.Set("file_no", "") },
		"silence_ground":   func(f url.Values) { f.Set("silent", "yes") },
		"emergency_ground": func(f url.Values) { f.Set("emergency", "yes"); f.Set("emergency_ground", "EXERCISE now") },
		"items":            func(f url.Values) { f.Del("item") },
	} {
		f := orderFields(refs...)
		change(f)
		p := v.post("/orders", f).want(t, http.StatusUnprocessableEntity, "Not recorded yet")
		if p.first(tagWith("span", "id", "e-"+name)) == nil {
			t.Errorf("%s: the error does not stand at its field:\n%s", name, p.text())
		}
		if name != "post" && p.value("post") != "EXERCISE Inspector" {
			t.Errorf("%s: what was typed is lost", name)
		}
	}
	if o := v.get("/orders"); strings.Contains(o.body, "/orders/OR-") {
		t.Error("something was kept of what was refused")
	}
}

func TestG03WhoWroteAnOrderIsNeitherOfferedNorGrantedItsReviewOrApproval(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.competent()
	both := h.people["es-all"].Actor()
	refs := h.submit("es-all", 1, 1, "")
	h.assessed("es-all", refs, concert.SeverityRoutine)
	o, err := h.svc.DraftOrder(t.Context(), both, testkit.Urgent(testkit.Draft(refs...)))
	must(t, err)
	v := h.as("es-all")
	path := "/orders/" + o.Ref
	p := v.get(path).want(t, http.StatusOK, "You wrote this order: another person reviews it")
	for _, act := range []string{"review", "approve", "return"} {
		if p.first(tagWith("form", "action", path+"/"+act)) != nil {
			t.Errorf("its author is offered to %s it", act)
		}
		v.post(path+"/"+act, url.Values{"version": {p.value("version")}, "reason": {"EXERCISE: a reason that is long enough."}}).want(t, http.StatusForbidden, "You wrote order "+o.Ref)
	}
	if strings.Contains(v.get("/desk").text(), "waits for your review") {
		t.Error("it waits for its author")
	}
	o, err = h.svc.ReviewOrder(t.Context(), h.people["es-reviewer"].Actor(), o.Ref, o.Version)
	must(t, err)
	p = v.get(path)
	v.post(path+"/approve", url.Values{"version": {p.value("version")}}).want(t, http.StatusForbidden, "You wrote order "+o.Ref)
	// Nor does somebody without the issuing function approve it; and the second person proves that it is that person.
	reviewer := h.as("es-reviewer")
	if p := reviewer.get(path); p.first(tagWith("form", "action", path+"/approve")) != nil {
		t.Error("a reviewer is offered the approval")
	}
	reviewer.post(path+"/approve", url.Values{"version": {p.value("version")}}).want(t, http.StatusForbidden)
	h.svc.SecondFactor = concert.FactorRequired
	issuer, phone := h.enrolled("es-issuer")
	issuer.post("/justification", url.Values{"justification": {working}, "next": {path}}).want(t, http.StatusOK)
	h.agedAll("es-issuer")
	p = issuer.get(path)
	p = issuer.post(path+"/approve", url.Values{"version": {p.value("version")}}).want(t, http.StatusUnauthorized, "Confirm that it is you")
	if p.value("su-to") != path+"/approve" || p.value("version") == "" {
		t.Errorf("the step carries %q, version %q", p.value("su-to"), p.value("version"))
	}
	issuer.post("/step-up", url.Values{"su-code": {phone.Code()}, "su-to": {path + "/approve"}, "version": {p.value("version")}}).want(t, http.StatusOK, "Issued and signed")
}

func TestG10PageSaysThatTheProviderIsToldFirstAndFromWhenTheOrderMayBeIssued(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.competent()
	start := time.Now().UTC().Truncate(24 * time.Hour).Add(44 * time.Hour) // tomorrow at 20:00
	h.stop(start)
	o := h.reviewedOrder(h.judged(1, 1)[0], false)
	path := "/orders/" + o.Ref
	before := h.dump(o.Ref)
	issuer := h.as("es-issuer")
	p := issuer.get(path).want(t, http.StatusOK, "it tells the provider of procedures and deadlines first", start.Add(12*time.Hour).Format("2 Jan 2006, 15:04")+" UTC", "waits twelve hours")
	if after := h.dump(o.Ref); after != before {
		t.Errorf("looking at it changed it:\n%s\n%s", before, after)
	}
	p = issuer.post(path+"/approve", url.Values{"version": {p.value("version")}}).want(t, http.StatusOK, "Addressee told first, twelve hours run", "12 h 0 min to go", "Twelve hours' notice")
	issuer.post(path+"/issue", url.Values{"version": {p.value("version")}}).want(t, http.StatusConflict, "less than twelve hours ago", "order waits until they are over")
	h.stop(start.Add(12*time.Hour + time.Minute))
	issuer.get("/orders").want(t, http.StatusOK, "over since 08:00 UTC")
	p = issuer.get(path).want(t, http.StatusOK, "It issues at once, signed.", "Issue the order now")
	issuer.post(path+"/issue", url.Values{"version": {p.value("version")}}).want(t, http.StatusOK, "Issued and signed")
}

// stop lets case time stand still at a moment.
func (h *house) stop(at time.Time) { h.svc.StopClockAt(at) }

// dump is where the order stands, with all that happened but for readings.
func (h *house) dump(ref string) string {
	h.t.Helper()
	o, err := h.svc.GlanceOrder(h.t.Context(), h.people["es-issuer"].Actor(), ref)
	must(h.t, err)
	kinds := slices.DeleteFunc(h.recorded(), func(k string) bool { return k == string(concert.EventConsulted) })
	return fmt.Sprint(o.Status, o.Order.Version, len(o.Deadlines), len(kinds))
}

// What stands in the way is said before the second person gives its word, and no hold of others is told by looking.
func TestOutlookSaysWhatStandsInTheWayAndAsksNoHold(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.competent()
	refs := h.judged(2, 1)
	_, err := h.svc.PlaceHold(t.Context(), h.people["south"].Actor(), casework.Holding{Location: "https://video.example/watch?v=ex000001Ab", Contact: "EXERCISE night desk", Case: "EXERCISE secret case"})
	must(t, err)
	held := h.reviewedOrder(refs[0], true)
	issuer := h.as("es-issuer")
	p := issuer.get("/orders/"+held.Ref).want(t, http.StatusOK, "It issues at once", "Whether another authority asks to keep off an item is asked when the order is issued")
	if strings.Contains(p.text(), "night desk") {
		t.Error("a page view tells of a hold")
	}
	p = issuer.post("/orders/"+held.Ref+"/approve", url.Values{"version": {p.value("version")}}).want(t, http.StatusConflict, "asks to keep off", "EXERCISE night desk")
	if strings.Contains(p.text(), "secret case") {
		t.Error("the hold's case is told")
	}
	must(t, h.svc.SeatProvider(t.Context(), h.admin, h.provider.Ref, concert.Seat{Establishment: "FR"}))
	o := h.reviewedOrder(refs[1], true)
	issuer.get("/orders/"+o.Ref).want(t, http.StatusOK, "As things are, it cannot be issued:", "none that scrutinises is in the register for that state")
}

func TestOrdersAreForThoseWhoHaveAPartInThem(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.competent()
	o := h.issuedOrder(h.judged(1, 1)[0])
	path := "/orders/" + o.Ref
	for login, want := range map[string]int{"south": http.StatusNotFound, "reviewer": http.StatusNotFound, "answerer": http.StatusNotFound, "coordinator": http.StatusOK} {
		v := h.as(login)
		if p := v.get(path); p.status != want {
			t.Errorf("%s gets %d", login, p.status)
		}
		v.get("/account")
		v.post(path+"/withdraw", url.Values{"version": {strconv.FormatInt(o.Version, 10)}, "reason": {"EXERCISE: a reason that is long enough."}}).want(t, http.StatusNotFound)
		if p := v.get(path + "/order.json"); p.status != want {
			t.Errorf("%s gets the file with %d", login, p.status)
		}
	}
	v := h.as("officer")
	v.get("/orders").want(t, http.StatusOK, "Nothing here now")
	v.get("/orders/new").want(t, http.StatusForbidden, "does not issue removal orders")
	auditor := h.as("auditor")
	if p := auditor.get(path); p.path != "/justification" {
		t.Errorf("an auditor reads it without a reason: %s", p.path)
	}
}

// An alarm reaches the people of both sides on whatever page they are, at once.
func TestAlarmOnAnOrderStandsOnEveryPageOfBothSides(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.competent()
	start := time.Now().UTC().Truncate(24 * time.Hour).Add(33 * time.Hour) // tomorrow at 9:00
	h.stop(start)
	o := h.issuedOrder(h.judged(1, 1)[0])
	_, err := h.svc.ReadOrder(t.Context(), testkit.Scope(t, h.people["answerer"].Actor()), o.Ref)
	must(t, err)
	officer, answerer, south := h.as("es-officer"), h.as("answerer"), h.as("south")
	if p := officer.get("/items"); strings.Contains(p.text(), "time is nearly over") {
		t.Error("an alarm stands before there is one")
	}
	h.stop(start.Add(51 * time.Minute))
	h.work()
	eventually(t, "the alarm is given", func() bool { return strings.Contains(officer.get("/items").text(), "9 min left") })
	officer.get("/items").want(t, http.StatusOK, "Removal orders: time is nearly over, or over", o.Ref, "ends 10:00 UTC")
	answerer.get("/referrals").want(t, http.StatusOK, o.Ref, "9 min left, ends 10:00 UTC")
	if p := south.get("/items"); strings.Contains(p.text(), o.Ref) {
		t.Error("another authority is told of it")
	}
	res, err := officer.http.Get(officer.base + "/orders/alarms?order=" + o.Ref)
	must(t, err)
	part, err := io.ReadAll(res.Body)
	must(t, err)
	must(t, res.Body.Close())
	if res.StatusCode != http.StatusOK || !strings.Contains(string(part), "data-alarms") || !strings.Contains(string(part), "data-now") {
		t.Errorf("what the script asks for: %d %s", res.StatusCode, part)
	}
	south.get("/orders/alarms?order="+o.Ref).want(t, http.StatusNotFound)
	h.stop(start.Add(63 * time.Minute))
	eventually(t, "the miss is told", func() bool {
		return strings.Contains(answerer.get("/referrals").text(), "over by 3 min, since 10:00 UTC")
	})
	_, err = h.svc.AnswerOrder(t.Context(), h.people["answerer"].Actor(), o.Ref, 0, concert.OrderAnswer{Measure: concert.MeasureDisabled, MeasureAt: h.svc.Now(), Person: "EXERCISE Moderator", Email: "legal@video.example"})
	must(t, err)
	if p := officer.get("/items"); strings.Contains(p.text(), "time is nearly over") {
		t.Error("the alarm stays though it was answered")
	}
	officer.get("/orders/"+o.Ref).want(t, http.StatusOK, "done 3 min too late")
}

func TestOfficeIsProposedByOneAdministratorAndConfirmedByAnother(t *testing.T) {
	t.Parallel()
	h := open(t)
	path := "/authorities/" + h.units[0].Ref
	first, second := h.as("admin"), h.as("admin2")
	p := first.get("/authorities").want(t, http.StatusOK)
	if p.first(tagWith("a", "href", path)) == nil {
		t.Error("no link leads to the authority's page")
	}
	first.get(path).want(t, http.StatusOK, "None in force", "Propose its office")
	form := func() url.Values {
		return url.Values{"kind": {"law_enforcement"}, "functions": {"issue", "penalise"}, "address": {"EXERCISE Street 2"}, "telephone": {"+000"}, "email": {"orders@authority.example"}}
	}
	bad := form()
	bad.Set("email", "no mail")
	p = first.post(path, bad).want(t, http.StatusUnprocessableEntity)
	if p.value("address") != "EXERCISE Street 2" || p.first(tagWith("span", "id", "e-email")) == nil {
		t.Error("the error does not stand at its field, or what was typed is lost")
	}
	first.post(path, form()).want(t, http.StatusOK, "Waits for a second administrator", "You proposed it")
	p = first.get(path)
	if p.first(tagWith("form", "action", path+"/confirm")) != nil {
		t.Error("who proposed it is offered to confirm it")
	}
	first.post(path+"/confirm", url.Values{"version": {"1"}}).want(t, http.StatusForbidden, "another administrator confirms")
	p = second.get(path).want(t, http.StatusOK, "imposes penalties", "Confirm it")
	seen := p.value("version")
	// Another proposal takes the place of the one that was looked at.
	wider := form()
	wider["functions"] = append(wider["functions"], "scrutinise")
	first.post(path, wider).want(t, http.StatusOK)
	p = second.post(path+"/confirm", url.Values{"version": {seen}}).want(t, http.StatusConflict, "Another office was proposed since you looked at it")
	second.post(path+"/confirm", url.Values{"version": {p.value("version")}}).want(t, http.StatusOK, "Confirmed. It is in force.", "scrutinises orders of other states")
	officer := h.as("officer")
	p = officer.get(path).want(t, http.StatusOK, "issues removal orders")
	if p.first(tagWith("form", "action", path)) != nil {
		t.Error("an officer is offered to propose an office")
	}
	officer.post(path, form()).want(t, http.StatusForbidden)
	h.as("south").get(path).want(t, http.StatusNotFound)
	first.get("/people").want(t, http.StatusOK, "Issuer: approves and issues removal orders")
}
