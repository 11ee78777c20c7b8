package webui

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"golang.org/x/net/html"

	"concert"
)

// shown is what a page shows once, by the id of its element.
func (p *page) shown(id string) string {
	return textOf(p.first(tagWith("code", "id", id)))
}

func TestG03PeopleAreBroughtInByTwoOnPages(t *testing.T) {
	t.Parallel()
	h := open(t)
	ada, bob := h.as("admin"), h.as("admin2")
	if p := ada.get("/"); p.path != "/people" {
		t.Errorf("an administrator lands on %s", p.path)
	}
	form := func(login string, role concert.Role) url.Values {
		return url.Values{"name": {"EXERCISE Newcomer"}, "login": {login}, "roles": {string(role)}, "authority": {h.units[0].Ref}}
	}
	p := ada.post("/people", url.Values{"name": {"EXERCISE Newcomer"}, "login": {"new"}, "roles": {"officer"}}).want(t, http.StatusUnprocessableEntity, "belongs to an authority")
	if p.value("login") != "new" || !hasAttr(p.first(tagWith("input", "value", "officer")), "checked") {
		t.Error("what was typed is gone")
	}
	p = ada.post("/people", form("new", concert.RoleOfficer)).want(t, http.StatusOK, "until another administrator has confirmed")
	link := p.shown("link")
	h.visitor().post("/enter", url.Values{"token": {link}}).want(t, http.StatusForbidden)

	// The proposer is told that it is another one's turn, and is refused.
	p = ada.get("/people").want(t, http.StatusOK, "New person: Officer", "You proposed it: another administrator confirms it", "waits for a second administrator")
	if p.first(tagWith("input", "name", "proposal")) != nil {
		t.Error("the proposer is offered the confirmation")
	}
	p = bob.get("/people").want(t, http.StatusOK, "EXERCISE Newcomer", "New person: Officer", "for NORTH")
	proposal, confirm := p.value("proposal"), attr(around(p.first(tagWith("input", "name", "proposal")), "form"), "action")
	ada.post(confirm, url.Values{"proposal": {proposal}}).want(t, http.StatusForbidden, "a second administrator confirms it")
	p = bob.post(confirm, url.Values{"proposal": {proposal}}).want(t, http.StatusOK, "five wrong tries")
	code := p.shown("code")
	bob.post(confirm, url.Values{"proposal": {proposal}}).want(t, http.StatusConflict, "Nothing waits under this reference")

	// Both halves, and one more try after a slip of the pen.
	v := h.visitor()
	p = v.post("/enter", url.Values{"token": {link}, "code": {"0000-0000"}}).want(t, http.StatusForbidden, "Name, password, link or code is wrong")
	p = v.post("/enter", url.Values{"token": {p.value("token")}, "code": {strings.ToLower(code)}})
	if p.path != "/password" {
		t.Fatalf("both halves led to %s: %s", p.path, p.text())
	}

	// A key of its own, and its end.
	v.get("/account").want(t, http.StatusOK, "None.", "Officer")
	v.post("/account/keys", url.Values{"name": {" "}}).want(t, http.StatusUnprocessableEntity, "A key has a name")
	key := v.post("/account/keys", url.Values{"name": {"EXERCISE laptop"}}).want(t, http.StatusOK).shown("key")
	if who, err := h.svc.Bearer(t.Context(), key); err != nil || who.Login != "new" {
		t.Errorf("the key speaks for %s, %v", who.Login, err)
	}
	p = v.get("/account").want(t, http.StatusOK, "EXERCISE laptop")
	revoke := p.first(func(n *html.Node) bool { return tag("form")(n) && strings.HasSuffix(attr(n, "action"), "/revoke") })
	v.post(attr(revoke, "action"), url.Values{}).want(t, http.StatusOK, "Revoked", "None.")

	// Roles, a new link, the end.
	person := strings.TrimSuffix(confirm, "/confirm")
	v.get("/people").want(t, http.StatusForbidden)
	ada.post(person+"/roles", url.Values{"roles": {"officer", "reviewer"}}).want(t, http.StatusOK, "Proposed", "Other roles: Officer, Reviewer, instead of Officer")
	p = bob.get(person).want(t, http.StatusOK, "Other roles")
	bob.post(confirm, url.Values{"proposal": {p.value("proposal")}}).want(t, http.StatusOK, "Confirmed. It is in force.")
	ada.post(person+"/roles", url.Values{"roles": {"officer"}, "authority": {h.units[1].Ref}}).want(t, http.StatusOK, "instead of Officer, Reviewer , for SOUTH (EXERCISE Unit South) instead of NORTH")
	ada.post(person+"/roles", url.Values{"roles": {"reviewer"}}).want(t, http.StatusOK, "Changed. It is in force.")
	ada.post(person+"/link", url.Values{}).want(t, http.StatusOK, "until another administrator has confirmed")
	ada.post(person+"/disable", url.Values{}).want(t, http.StatusOK, "Disabled")
	if p := v.get("/account"); p.path != "/login" {
		t.Errorf("a disabled person reads %s", p.path)
	}
	ada.get(person).want(t, http.StatusOK, "disabled")

	// A provider's person takes one, and gets a key.
	p = ada.post("/people", url.Values{"name": {"EXERCISE Desk"}, "login": {"desk"}, "roles": {"provider_answerer"}, "provider": {h.provider.Ref}, "key": {"EXERCISE script"}}).want(t, http.StatusOK)
	if p.shown("key") == "" || strings.Contains(p.text(), "another administrator") {
		t.Errorf("a provider's person: %s", p.text())
	}
	h.visitor().post("/enter", url.Values{"token": {p.shown("link")}}).want(t, http.StatusOK)

	auditor := h.as("auditor")
	auditor.get("/justification")
	auditor.post("/justification", url.Values{"justification": {"EXERCISE inspection 7/2019"}, "next": {"/people"}}).want(t, http.StatusOK, "EXERCISE Desk")
	if p := auditor.get("/people"); slices.ContainsFunc(p.all(tagWith("form", "action", "/people")), func(f *html.Node) bool { return attr(f, "method") == "post" }) {
		t.Error("an auditor is offered to add people")
	}
}

// In a real browser: the link fills its half, the code is typed, five
// wrong ones end it; a provider's link needs none.
func TestBrowserEntersWithLinkAndCode(t *testing.T) {
	h := open(t)
	browser := startBrowser(t)
	w := h.browse(t, browser, shots())
	w.open(h.links["officer"], "#f-code")
	get(w, chromedp.Poll[bool](`document.activeElement.id === "f-code"`))
	if u := mustURL(t, get(w, chromedp.Location())); u.Fragment != "" || u.RawQuery != "" || u.Path != "/enter" {
		t.Errorf("the address still tells of the link: %s", u)
	}
	w.shoot("enter", false, 1280, 900)
	w.do(typed("#f-code", "0000-0000"), click("#enter button"), visible(".problems"))
	w.shoot("enter-refused", true, 390, 844)
	w.do(typed("#f-code", strings.ToLower(h.codes["officer"])), click("#enter button"), visible("#f-again"))
	w.open("/account", "#f-name")
	w.do(typed("#f-name", "EXERCISE laptop"), click("section form.inline button"), visible("#key"))
	w.open("/account", "table")
	w.shoot("account", false, 1280, 900)

	desk := h.browse(t, browser, "")
	desk.open(h.links["answerer"], "#f-again")

	admin := h.browse(t, browser, shots())
	admin.enter(h, "admin")
	_, proposal, err := h.svc.ChangeRoles(t.Context(), h.second, "both", []concert.Role{concert.RoleReviewer, concert.RoleCoordinator}, "")
	must(t, err)
	if proposal == "" {
		t.Fatal("more roles wait for nobody")
	}
	for _, path := range []string{"/people", "/people/" + h.people["both"].Operator, "/account", "/enter"} {
		admin.open(path, "h1")
		for _, width := range []int64{1366, 320} {
			admin.do(chromedp.EmulateViewport(width, 1080))
			if get(admin, chromedp.Evaluate[int](`document.documentElement.scrollWidth`)) > int(width) {
				t.Errorf("%s is wider than %d", path, width)
			}
		}
		admin.shoot("people"+strings.ReplaceAll(strings.TrimSuffix(path, h.people["both"].Operator), "/", "-"), false, 1280, 900)
	}
	admin.open("/people", "article form button")
	admin.do(click("article form button"), visible(".notice"))
}

// around is the element of the name around another one.
func around(n *html.Node, name string) *html.Node {
	for ; n != nil; n = n.Parent {
		if tag(name)(n) {
			return n
		}
	}
	return &html.Node{}
}
