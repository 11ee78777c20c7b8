package webui

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"golang.org/x/net/html"

	"concert"
	"concert/internal/casework"
	"concert/internal/identity"
	"concert/internal/store"
	"concert/internal/testkit"
)

const password = "EXERCISE correct horse 7 staple"

// aged makes the second factor that the session gave too old.
func (h *house) aged(session string) {
	h.t.Helper()
	digest, err := identity.Digest(session)
	must(h.t, err)
	must(h.t, h.svc.DB.Update(h.t.Context(), func(tx *store.Tx) error {
		return tx.ProveSession(h.t.Context(), digest, time.Now().Add(-concert.FactorTerm-time.Minute))
	}))
}

// cookie is a cookie that the visitor's browser keeps.
func (v *visitor) cookie(name string) string {
	v.t.Helper()
	at, err := url.Parse(v.base)
	must(v.t, err)
	for _, c := range v.http.Jar.Cookies(at) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// enrolled is somebody who came in for the first time and set up one-time codes, by forms alone.
func (h *house) enrolled(login string) (*visitor, *testkit.Telephone) {
	h.t.Helper()
	v := h.visitor()
	v.post("/enter", url.Values{"token": {h.links[login]}, "code": {h.codes[login]}}).want(h.t, http.StatusOK)
	v.post("/password", url.Values{"password": {password}, "again": {password}})
	v.get("/account/factors")
	p := v.post("/account/factors/totp", url.Values{"name": {"EXERCISE telephone"}}).want(h.t, http.StatusOK, "Type the code that it shows")
	phone := testkit.NewTelephone(h.t, textOf(p.first(tagWith("code", "id", "secret"))))
	p = v.post("/account/factors/totp/confirm", url.Values{"code": {phone.Code()}}).want(h.t, http.StatusOK, "Your recovery codes")
	for _, c := range all(p.first(tagWith("ul", "id", "codes")), tag("code")) {
		phone.Recovery = append(phone.Recovery, textOf(c))
	}
	return v, phone
}

func TestFirstLogInEnrolsBeforeAnythingElse(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.svc.SecondFactor = concert.FactorRequired
	v := h.visitor()
	v.post("/enter", url.Values{"token": {h.links["reviewer"]}, "code": {h.codes["reviewer"]}}).want(t, http.StatusOK, "Choose a password")
	for _, path := range []string{"/", "/approvals", "/account", "/items", "/step-up"} {
		if p := v.get(path); p.path != "/account/factors" || p.status != http.StatusOK {
			t.Errorf("%s leads to %s with %d", path, p.path, p.status)
		}
	}
	p := v.get("/account/factors").want(t, http.StatusOK, "before anything else")
	if p.first(class("nav", "main")) != nil {
		t.Error("the pages are offered already")
	}
	v.post("/account/keys", url.Values{"name": {"EXERCISE"}}).want(t, http.StatusForbidden)
	v.post("/account/factors/totp", url.Values{"name": {" "}}).want(t, http.StatusUnprocessableEntity, "A factor has a name")
	p = v.post("/account/factors/totp", url.Values{"name": {"EXERCISE <b>"}}).want(t, http.StatusOK, "Type the code that it shows")
	if p.first(tagWith("svg", "class", "qr")) == nil {
		t.Error("no QR code is drawn")
	}
	phone := testkit.NewTelephone(t, textOf(p.first(tagWith("code", "id", "secret"))))
	v.post("/account/factors/totp/confirm", url.Values{"code": {"000 00"}}).want(t, http.StatusUnprocessableEntity, "This code is wrong")
	p = v.post("/account/factors/totp/confirm", url.Values{"code": {phone.Code()}}).want(t, http.StatusOK, "Your recovery codes")
	if n := len(all(p.first(tagWith("ul", "id", "codes")), tag("code"))); n != concert.RecoveryCodes {
		t.Errorf("%d recovery codes", n)
	}
	if p := v.get("/account/factors/totp"); p.status != http.StatusConflict || strings.Contains(p.body, "secret\"") {
		t.Errorf("the secret is shown again: %d", p.status)
	}
	v.get("/account/factors").want(t, http.StatusOK, "EXERCISE <b>", "10 recovery codes are left")
	v.get("/account").want(t, http.StatusOK, "You have 1 second factor.")
}

func TestSecondStepAtLogIn(t *testing.T) {
	t.Parallel()
	h := open(t)
	v, phone := h.enrolled("officer")
	v.get("/account")
	v.post("/logout", url.Values{}).want(t, http.StatusOK, "You are logged out")
	half := func(v *visitor) {
		t.Helper()
		p := v.post("/login", url.Values{"login": {"officer"}, "password": {password}, "next": {"/submit"}}).want(t, http.StatusOK, "Your password is right")
		if p.path != "/second" || p.first(class("nav", "main")) != nil {
			t.Errorf("a password alone leads to %s", p.path)
		}
	}
	half(v)
	if p := v.get("/items?status=open"); p.path != "/second" || p.value("su-next") != "/items?status=open" {
		t.Errorf("half logged in, /items leads to %s, then to %s", p.path, p.value("su-next"))
	}
	v.get("/second?next=/submit")
	v.post("/second", url.Values{"su-code": {"123456x"}, "su-next": {"/submit"}}).want(t, http.StatusUnprocessableEntity, "This code is wrong")
	session := v.cookie("concert")
	p := v.post("/second", url.Values{"su-code": {phone.Code()}, "su-next": {"/submit"}}).want(t, http.StatusOK)
	if p.path != "/submit" || v.cookie("concert") == session || v.cookie("concert-device") == "" {
		t.Errorf("after the second step: %s, a new session %v, a known device %v", p.path, v.cookie("concert") != session, v.cookie("concert-device") != "")
	}
	if p := v.get("/second"); p.path == "/second" {
		t.Error("the second step is asked for again")
	}
	other := h.visitor()
	half(other)
	other.post("/second", url.Values{"su-code": {phone.Paper()}, "su-next": {"https://elsewhere.example/"}})
	if p := other.get("/account"); p.status != http.StatusOK || p.path != "/account" {
		t.Errorf("a recovery code leads to %s", p.path)
	}
	v.get("/account")
	v.post("/justification", url.Values{"justification": {working}, "next": {"/account"}})
	if p := v.get("/items").want(t, http.StatusOK); !strings.Contains(textOf(p.doc), "There was 1 log-in to your account since this one.") {
		t.Error("the start page tells nothing of the new log-in")
	}
}

func TestStepUpKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.svc.SecondFactor = concert.FactorRequired
	refs := h.submit("officer", 1, 1, "")
	h.assessed("officer", refs, concert.SeverityRoutine)
	v, phone := h.enrolled("reviewer")
	v.get("/account")
	v.post("/justification", url.Values{"justification": {working}, "next": {"/account"}})
	h.aged(v.cookie("concert"))
	ground := "EXERCISE: \"quoted\", <b>bold</b> & with an umlaut ü"
	p := v.get("/items/" + refs[0] + "?from=approvals")
	p = v.post("/items/"+refs[0]+"/decision", url.Values{"version": {p.value("version")}, "decision": {"approve"}, "from": {"approvals"}, "ground": {ground}}).want(t, http.StatusUnauthorized, "Confirm that it is you", "is kept")
	form := url.Values{}
	for _, n := range all(p.first(tagWith("form", "action", "/step-up")), tagWith("input", "type", "hidden")) {
		form.Set(attr(n, "name"), attr(n, "value"))
	}
	if form.Get("ground") != ground || form.Get("decision") != "approve" || form.Get("su-to") != "/items/"+refs[0]+"/decision" {
		t.Errorf("carried on: %v", form)
	}
	form.Set("su-code", "999999x")
	p = v.post("/step-up", form).want(t, http.StatusUnprocessableEntity, "This code is wrong")
	if p.value("ground") != ground {
		t.Errorf("after a wrong code the ground is %q", p.value("ground"))
	}
	form.Set("su-code", phone.Code())
	v.post("/step-up", form).want(t, http.StatusOK, "Approved")

	// A page that is read: it comes back there. And no address of others is gone on to.
	h.aged(v.cookie("concert"))
	form = url.Values{"su-code": {phone.Paper()}, "su-next": {"//elsewhere.example"}, "su-to": {"https://elsewhere.example/"}, "csrf": {v.csrf}}
	v.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if p := v.post("/step-up", form); p.header.Get("Location") != "/" {
		t.Errorf("it goes on to %q", p.header.Get("Location"))
	}
	v.http.CheckRedirect = nil

	// Somebody without a factor is led to set one up; what was typed waits.
	officer := h.as("officer")
	officer.get("/account")
	p = officer.post("/account/keys", url.Values{"name": {"EXERCISE laptop"}}).want(t, http.StatusForbidden, "Set one up in another tab")
	if p.value("name") != "EXERCISE laptop" {
		t.Errorf("the name is %q", p.value("name"))
	}
}

func TestLogInsAreListedAndEndedByForm(t *testing.T) {
	t.Parallel()
	h := open(t)
	a, phone := h.enrolled("coordinator")
	b := h.visitor()
	b.post("/login", url.Values{"login": {"coordinator"}, "password": {password}})
	b.post("/second", url.Values{"su-code": {phone.Paper()}, "su-next": {"/account"}}).want(t, http.StatusOK, "this one")
	p := a.get("/account").want(t, http.StatusOK, "this one")
	form := p.first(func(n *html.Node) bool {
		return tag("form")(n) && strings.HasPrefix(attr(n, "action"), "/account/sessions/se_")
	})
	a.post(attr(form, "action"), url.Values{}).want(t, http.StatusOK, "Ended.")
	if p := b.get("/account"); p.path != "/login" {
		t.Errorf("the ended log-in still opens %s", p.path)
	}
	admin := h.as("admin")
	admin.get("/people/"+h.people["coordinator"].Operator).want(t, http.StatusOK, "End all log-ins", "Reset the second factor")
	admin.post("/people/"+h.people["coordinator"].Operator+"/sessions/end", url.Values{}).want(t, http.StatusOK, "Ended.")
	if p := a.get("/account"); p.path != "/login" {
		t.Errorf("an administrator ended it, and it opens %s", p.path)
	}
	p = admin.post("/people/"+h.people["coordinator"].Operator+"/factors/reset", url.Values{}).want(t, http.StatusOK, "Shown once")
	link := textOf(p.first(tagWith("code", "id", "link")))
	second := h.as("admin2")
	p = second.get("/people").want(t, http.StatusOK, "Lost second factor")
	p = second.post("/people/"+h.people["coordinator"].Operator+"/confirm", url.Values{"proposal": {p.value("proposal")}}).want(t, http.StatusOK, "Shown once")
	code := textOf(p.first(tagWith("code", "id", "code")))
	h.visitor().post("/login", url.Values{"login": {"coordinator"}, "password": {password}}).want(t, http.StatusForbidden)
	h.visitor().post("/enter", url.Values{"token": {link}, "code": {code}}).want(t, http.StatusOK, "Choose a password")
}

// In a real browser: first log-in with one-time codes, step-up on approving, a passkey added and logged in with, and a log-in ended.
func TestBrowserSecondFactors(t *testing.T) {
	browser := startBrowser(t)
	h := open(t)
	h.svc.SecondFactor = concert.FactorRequired
	// Passkeys need a name.
	h.svc.BaseURL = strings.Replace(h.server.URL, "127.0.0.1", "localhost", 1)
	refs := h.submit("officer", 1, 1, "")
	h.assessed("officer", refs, concert.SeverityRoutine)
	axe, err := os.ReadFile(filepath.Join("testdata", "axe", "axe.min.js"))
	must(t, err)

	w := h.browse(t, browser, shots())
	w.base = h.svc.BaseURL
	h.links["reviewer"] = strings.Replace(h.links["reviewer"], "127.0.0.1", "localhost", 1)
	w.enter(h, "reviewer")
	w.do(typed("#f-password", password), typed("#f-again", password), click("main form button"), visible("#totp"))
	w.judge(string(axe), "/account/factors")
	w.do(typed("#f-name", "EXERCISE telephone"), click("#totp ~ form button"), visible("svg.qr"))
	w.judge(string(axe), "/account/factors/totp")
	w.shoot("totp", false, 1280, 900)
	phone := testkit.NewTelephone(t, get(w, chromedp.Evaluate[string](`document.getElementById("secret").textContent`)))
	w.do(typed("#f-code", phone.Code()), click("main form button"), visible("#codes"))
	w.judge(string(axe), "recovery codes")
	w.works()

	h.agedAll("reviewer")
	w.open("/items/"+refs[0]+"?from=approvals", "#decide")
	w.do(click("button[value=approve]"), visible("#f-code"))
	w.judge(string(axe), "/step-up")
	w.shoot("step-up", false, 1280, 900)
	w.do(typed("#f-code", phone.Code()), click(`form[action="/step-up"]:not([data-passkey]) button`), visible(".notice"))

	func() {
		ctx, stop := w.step()
		defer stop()
		_, err := chromedp.Call(ctx, webauthn.Enable, webauthn.EnableParams{})
		must(t, err)
		_, err = chromedp.Call(ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
			Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal, HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true}})
		must(t, err)
	}()
	w.open("/account/factors", "#passkeys")
	w.do(typed("#f-passkey-name", "EXERCISE key"), click("form[data-passkey=create] button"), visible(".notice"))
	if !strings.Contains(get(w, chromedp.Text(chromedp.CSS("main"))), "EXERCISE key") {
		t.Error("the passkey is not listed")
	}
	h.agedAll("reviewer")
	w.open("/account", "#keys")
	w.do(typed("#f-name", "EXERCISE laptop"), click(`form[action="/account/keys"] button`), visible("form[data-passkey=get]"))
	w.do(click("form[data-passkey=get] button"), visible("#key"))

	w.open("/account", "#sessions")
	w.do(click(`.account form[action="/logout"] button`), visible("#f-login"))
	w.do(click("form[data-passkey=get] button"), visible(".account form"))
	if !get(w, chromedp.Evaluate[bool](`document.cookie === ""`)) {
		t.Error("a script can read a cookie")
	}
	w.do(click(`.account form[action="/logout"] button`), visible("#f-login"))
	w.do(typed("#f-login", "reviewer"), typed("#f-password", password), click(`form[action="/login"] button`), visible("#f-code"))
	w.judge(string(axe), "/second")
	w.do(click("form[data-passkey=get] button"), visible(".account form"))

	// Another browser, ended from this one.
	other := h.browse(t, browser, "")
	other.base = w.base
	e, err := h.svc.LoginFrom(t.Context(), casework.Caller{}, "reviewer", password)
	must(t, err)
	_, err = h.svc.SecondStep(t.Context(), casework.Caller{Browser: "EXERCISE browser"}, e.Session, phone.Code())
	must(t, err)
	w.open("/account", "#sessions")
	w.shoot("account", false, 1280, 900)
	w.do(click(`form[action^="/account/sessions/se_"] button`), visible(".notice"))
	if list, err := h.svc.Sessions(t.Context(), h.people["reviewer"].Actor()); err != nil || len(list) != 1 {
		t.Errorf("%d log-ins are left, %v", len(list), err)
	}
}

// agedAll makes the second factor in every session of somebody's too old.
func (h *house) agedAll(login string) {
	h.t.Helper()
	must(h.t, h.svc.DB.Update(h.t.Context(), func(tx *store.Tx) error {
		kept, err := tx.Sessions(h.t.Context(), h.people[login].ID, time.Now())
		for _, k := range kept {
			if err := tx.ProveSession(h.t.Context(), k.Digest, time.Now().Add(-time.Hour)); err != nil {
				return err
			}
		}
		return err
	}))
}
