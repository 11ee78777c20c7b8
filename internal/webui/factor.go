package webui

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
	"concert/internal/httpkit"
	"concert/internal/identity"
)

func (u *UI) securityRoutes() []route {
	return []route{
		{"GET /second", u.serve(halfway, u.secondForm)},
		{"POST /second", u.serve(halfway, u.second)},
		{"POST /second/ask", u.serve(halfway, u.askOwnPasskey)},
		{"POST /login/passkey", u.serve(anyone, u.loginByPasskey)},
		{"POST /login/passkey/ask", u.serve(anyone, u.askAnyPasskey)},
		{"GET /step-up", u.serve(person, u.stepUpForm)},
		{"POST /step-up", u.serve(person, u.stepUp)},
		{"POST /step-up/ask", u.serve(person, u.askOwnPasskey)},

		{"GET /account/factors", u.serve(enrolling, u.factors)},
		{"POST /account/factors/totp", u.serve(enrolling, u.beginTOTP)},
		{"GET /account/factors/totp", u.serve(enrolling, u.setup)},
		{"POST /account/factors/totp/confirm", u.serve(enrolling, u.confirmTOTP)},
		{"POST /account/factors/passkey", u.serve(enrolling, u.addPasskey)},
		{"POST /account/factors/passkey/ask", u.serve(enrolling, u.askNewPasskey)},
		{"POST /account/factors/codes", u.serve(person, u.newRecoveryCodes)},
		{"POST /account/factors/{factor}/remove", u.serve(person, u.removeFactor)},

		{"POST /account/sessions/end", u.serve(person, u.endOtherSessions)},
		{"POST /account/sessions/{session}/end", u.serve(person, u.endSession)},
		{"POST /people/{operator}/sessions/end", u.serve(person, u.endSessionsOf)},
		{"POST /people/{operator}/factors/reset", u.serve(person, u.resetFactors)},
	}
}

// caller is what the door knows of who asks.
func caller(r *http.Request) casework.Caller {
	return casework.Caller{Network: httpkit.Network(r), Device: httpkit.Device(r), Browser: httpkit.Browser(r)}
}

// deviceSeconds is how long a browser keeps by what it is known.
const deviceSeconds = int(identity.DeviceTerm / 1e9)

// let gives the browser its session, and sends it to the second step where the
// log-in is half done.
func (u *UI) let(w http.ResponseWriter, r *http.Request, e casework.Entered, to string) error {
	u.setCookie(w, u.cookie, e.Session, sessionSeconds)
	u.setCookie(w, whyCookie, "", -1)
	if e.Half {
		return onward(w, r, "/second?"+url.Values{"next": {to}}.Encode(), "", "")
	}
	u.setCookie(w, u.device, e.Device, deviceSeconds)
	return onward(w, r, to, "", "")
}

// stepPage asks for the second factor: at log-in, or before a guarded act, whose
// form it carries on.
type stepPage struct {
	Next    string   // where to go on
	To      string   // where the form that was stopped goes on, "" where none was
	Carried []choice // its fields
	Passkey bool     // the person has one here
	Missing bool     // it has no second factor at all
	Errors  formErrors
	status  int // of the act that was stopped
}

// onward is where the stopped form goes on without this step.
func (p stepPage) onward() string {
	if p.To != "" {
		return p.To
	}
	return p.Next
}

func (p stepPage) method() string {
	if p.To != "" {
		return "post"
	}
	return "get"
}

// stepPrefix is how the names of this step's own fields begin.
const stepPrefix = "su-"

// carried are the fields of the form that was stopped.
func carried(form url.Values) []choice {
	var out []choice
	names := make([]string, 0, len(form))
	for name := range form {
		if name != "csrf" && !strings.HasPrefix(name, stepPrefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range form[name] {
			out = append(out, choice{name, value})
		}
	}
	return out
}

func (u *UI) hasPasskey(r *http.Request, v *visit) (bool, error) {
	if !u.svc.PasskeysHere() {
		return false, nil
	}
	factors, _, err := u.svc.Factors(r.Context(), v.actor())
	return slices.ContainsFunc(factors, func(f concert.Factor) bool { return f.Kind == concert.FactorPasskey }), err
}

func (u *UI) secondForm(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showSecond(w, r, v, stepPage{Next: next(r.URL.Query().Get("next"))})
}

func (u *UI) showSecond(w http.ResponseWriter, r *http.Request, v *visit, p stepPage) error {
	if v.limits != concert.ErrSecondStep {
		return onward(w, r, p.Next, "", "")
	}
	var err error
	if p.Passkey, err = u.hasPasskey(r, v); err != nil {
		return err
	}
	return u.show(w, r, v, view{status: p.Errors.status(statusOf), title: say(r.Context(), "Second step"), body: secondView(p), scripts: []string{"passkey.js"}})
}

func (u *UI) second(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := stepPage{Next: next(field(r, "su-next"))}
	var e casework.Entered
	var err error
	if token := field(r, "su-token"); token != "" {
		e, err = u.svc.SecondStepByPasskey(r.Context(), caller(r), v.session, token, []byte(r.PostForm.Get("su-answer")))
	} else {
		e, err = u.svc.SecondStep(r.Context(), caller(r), v.session, field(r, "su-code"))
	}
	if err != nil {
		if p.Errors, err = formErrorsOf(err); err != nil {
			return err
		}
		return u.showSecond(w, r, v, p)
	}
	return u.let(w, r, e, p.Next)
}

func (u *UI) stepUpForm(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showStepUp(w, r, v, stepPage{Next: next(r.URL.Query().Get("next"))})
}

func (u *UI) showStepUp(w http.ResponseWriter, r *http.Request, v *visit, p stepPage) error {
	factors, _, err := u.svc.Factors(r.Context(), v.actor())
	if err != nil {
		return err
	}
	p.Missing = len(factors) == 0
	if p.Passkey, err = u.hasPasskey(r, v); err != nil {
		return err
	}
	return u.show(w, r, v, view{status: cmp.Or(p.Errors.status(statusOf), p.status), title: say(r.Context(), "Confirm that it is you"), body: stepUpView(p), scripts: []string{"passkey.js"}})
}

// stopped shows the step before a guarded act, with all that was typed.
func (u *UI) stopped(w http.ResponseWriter, r *http.Request, v *visit, status int) error {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return onward(w, r, "/step-up?"+url.Values{"next": {r.URL.RequestURI()}}.Encode(), "", "")
	}
	return u.showStepUp(w, r, v, stepPage{Next: "/", To: r.URL.RequestURI(), Carried: carried(r.PostForm), status: status})
}

// stepUp goes on with the form that was stopped: the browser sends it once more,
// with every field (307), so that nothing is lost and nothing is kept here.
func (u *UI) stepUp(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := stepPage{Next: next(field(r, "su-next"))}
	if to := field(r, "su-to"); to != "" {
		p.To, p.Carried = next(to), carried(r.PostForm)
	}
	var err error
	if token := field(r, "su-token"); token != "" {
		err = u.svc.StepUpByPasskey(r.Context(), v.actor(), caller(r), token, []byte(r.PostForm.Get("su-answer")))
	} else {
		err = u.svc.StepUp(r.Context(), v.actor(), caller(r), field(r, "su-code"))
	}
	if err != nil {
		if p.Errors, err = formErrorsOf(err); err != nil {
			return err
		}
		return u.showStepUp(w, r, v, p)
	}
	if p.To != "" {
		http.Redirect(w, r, p.To, http.StatusTemporaryRedirect)
		return nil
	}
	return onward(w, r, p.Next, "", "")
}

// asked answers a script with a question for a passkey.
func (u *UI) asked(w http.ResponseWriter, a casework.Asked, err error) error {
	if err != nil {
		return err
	}
	raw, err := json.Marshal(map[string]any{"token": a.Token, "options": json.RawMessage(a.Options)})
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(raw) // a client that went away hears nothing
	return nil
}

func (u *UI) askOwnPasskey(w http.ResponseWriter, r *http.Request, v *visit) error {
	a, err := u.svc.AskPasskey(r.Context(), v.actor())
	return u.asked(w, a, err)
}

func (u *UI) askAnyPasskey(w http.ResponseWriter, r *http.Request, _ *visit) error {
	a, err := u.svc.AskAnyPasskey(r.Context())
	return u.asked(w, a, err)
}

func (u *UI) loginByPasskey(w http.ResponseWriter, r *http.Request, _ *visit) error {
	p := loginPage{Next: next(field(r, "next"))}
	e, err := u.svc.EnterByPasskey(r.Context(), caller(r), field(r, "su-token"), []byte(r.PostForm.Get("su-answer")))
	if err != nil {
		if p.Errors, err = formErrorsOf(err); err != nil {
			return err
		}
		return u.showLogin(w, r, p)
	}
	return u.let(w, r, e, p.Next)
}

// factorsPage is a person's second factors, with the ways to one more.
type factorsPage struct {
	Factors  []factorLine
	Codes    int // recovery codes left
	HasTOTP  bool
	Passkeys bool // this address can have them
	Must     bool // nothing else is open before
	Offered  bool // the deployment asks only those who have one
	Name     string
	Errors   formErrors
}

type factorLine struct {
	Ref, Name  string
	Kind       design.Text
	Made, Used timeText
}

var factorTexts = map[concert.FactorKind]design.Text{concert.FactorTOTP: "One-time codes", concert.FactorPasskey: "Passkey"}

func (u *UI) factors(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showFactors(w, r, v, factorsPage{})
}

func (u *UI) showFactors(w http.ResponseWriter, r *http.Request, v *visit, p factorsPage) error {
	factors, codes, err := u.svc.Factors(r.Context(), v.actor())
	if err != nil {
		return err
	}
	p.Codes, p.Passkeys, p.Must, p.Offered = codes, u.svc.PasskeysHere(), v.limits != nil, u.svc.SecondFactor == concert.FactorOffered
	for _, f := range factors {
		p.HasTOTP = p.HasTOTP || f.Kind == concert.FactorTOTP
		p.Factors = append(p.Factors, factorLine{f.Ref, f.Name, factorTexts[f.Kind], at(f.CreatedAt), at(f.UsedAt)})
	}
	return u.show(w, r, v, view{status: p.Errors.status(statusOf), title: say(r.Context(), "Second factors"), body: factorsView(p), scripts: []string{"passkey.js"}})
}

// refusedFactor shows the factors again with what stood in an act's way.
func (u *UI) refusedFactor(w http.ResponseWriter, r *http.Request, v *visit, p factorsPage, err error) error {
	if p.Errors, err = formErrorsOf(err); err != nil {
		return err
	}
	return u.showFactors(w, r, v, p)
}

func (u *UI) beginTOTP(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := factorsPage{Name: field(r, "name")}
	if _, err := u.svc.BeginTOTP(r.Context(), v.actor(), p.Name); err != nil {
		return u.refusedFactor(w, r, v, p, err)
	}
	return onward(w, r, "/account/factors/totp", "", "")
}

// setupPage shows an authenticator app its secret.
type setupPage struct {
	Secret, Path string
	Size         int
	Errors       formErrors
}

func (p setupPage) box() string { return fmt.Sprintf("0 0 %d %d", p.Size, p.Size) }

func (u *UI) setup(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showSetup(w, r, v, setupPage{})
}

func (u *UI) showSetup(w http.ResponseWriter, r *http.Request, v *visit, p setupPage) error {
	s, err := u.svc.TOTPSetup(r.Context(), v.actor())
	if err != nil {
		return err
	}
	p.Secret = s.Text
	if p.Size, p.Path, err = identity.QRCode(s.URL); err != nil {
		return err
	}
	return u.show(w, r, v, view{status: p.Errors.status(statusOf), title: say(r.Context(), "Set up one-time codes"), body: setupView(p)})
}

func (u *UI) confirmTOTP(w http.ResponseWriter, r *http.Request, v *visit) error {
	codes, err := u.svc.ConfirmTOTP(r.Context(), v.actor(), field(r, "code"))
	if err != nil {
		p := setupPage{}
		if p.Errors, err = formErrorsOf(err); err != nil || p.Errors[0].Code == "factor.not_waiting" {
			return errors.Join(err, asError(p.Errors))
		}
		return u.showSetup(w, r, v, p)
	}
	return u.showRecovery(w, r, v, codes)
}

// asError is the first of what stands in a form's way, nil for nothing.
func asError(e formErrors) error {
	if len(e) == 0 {
		return nil
	}
	return e[0]
}

// showRecovery shows new recovery codes once; where the older ones stay good it
// goes on.
func (u *UI) showRecovery(w http.ResponseWriter, r *http.Request, v *visit, codes []string) error {
	if len(codes) == 0 {
		return onward(w, r, "/account/factors", "enrolled", "")
	}
	v.limits = nil
	return u.show(w, r, v, view{title: say(r.Context(), "Your recovery codes"), body: recoveryView(codes)})
}

func (u *UI) askNewPasskey(w http.ResponseWriter, r *http.Request, v *visit) error {
	a, err := u.svc.AskNewPasskey(r.Context(), v.actor(), field(r, "name"))
	return u.asked(w, a, err)
}

func (u *UI) addPasskey(w http.ResponseWriter, r *http.Request, v *visit) error {
	codes, err := u.svc.AddPasskey(r.Context(), v.actor(), field(r, "name"), field(r, "su-token"), []byte(r.PostForm.Get("su-answer")))
	if err != nil {
		return u.refusedFactor(w, r, v, factorsPage{}, err)
	}
	return u.showRecovery(w, r, v, codes)
}

func (u *UI) newRecoveryCodes(w http.ResponseWriter, r *http.Request, v *visit) error {
	codes, err := u.svc.NewRecoveryCodes(r.Context(), v.actor())
	if err != nil {
		return u.refusedFactor(w, r, v, factorsPage{}, err)
	}
	return u.showRecovery(w, r, v, codes)
}

func (u *UI) removeFactor(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := u.svc.RemoveFactor(r.Context(), v.actor(), r.PathValue("factor")); err != nil {
		return u.refusedFactor(w, r, v, factorsPage{}, err)
	}
	return onward(w, r, "/account/factors", "unenrolled", "")
}

func (u *UI) endSession(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := u.svc.EndSession(r.Context(), v.actor(), r.PathValue("session")); err != nil {
		return err
	}
	return onward(w, r, "/account", "sessionended", "")
}

func (u *UI) endOtherSessions(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := u.svc.EndOtherSessions(r.Context(), v.actor()); err != nil {
		return err
	}
	return onward(w, r, "/account", "sessionended", "")
}

func (u *UI) endSessionsOf(w http.ResponseWriter, r *http.Request, v *visit) error {
	p, err := u.svc.EndSessionsOf(r.Context(), v.actor(), r.PathValue("operator"))
	if err != nil {
		return u.refusedPerson(w, r, v, err)
	}
	return onward(w, r, "/people/"+p.Operator, "sessionended", p.Operator)
}

func (u *UI) resetFactors(w http.ResponseWriter, r *http.Request, v *visit) error {
	operator := r.PathValue("operator")
	link, _, err := u.svc.ResetFactors(r.Context(), v.actor(), operator)
	if err != nil {
		return u.refusedPerson(w, r, v, err)
	}
	return u.showOnce(w, r, v, oncePage{Operator: operator, Link: link, Waits: true})
}
