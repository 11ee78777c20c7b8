package webui

import (
	"encoding/base64"
	"net/http"
	"strings"

	"concert"
	"concert/internal/httpkit"
)

// sessionSeconds is how long a browser keeps the session's cookie; the session
// itself ends on the server.
const sessionSeconds = 12 * 60 * 60

func (u *UI) setCookie(w http.ResponseWriter, name, value string, seconds int) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: seconds, Secure: u.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

// home sends everyone to where their work waits.
func (u *UI) home(w http.ResponseWriter, r *http.Request, v *visit) error {
	to := "/actions"
	switch {
	case v.has(concert.RoleProviderAdmin) && !v.has(concert.RoleProviderReader) && !v.has(concert.RoleProviderAnswerer):
		to = "/team"
	case u.svc.Host:
		to = "/received"
	case v.person.Provider != "":
		to = "/referrals"
		waits, err := u.svc.AwaitsOrders(r.Context(), v.actor())
		if err != nil {
			return err
		}
		if waits {
			to = "/own-orders" // what binds comes before what is voluntary
		}
	case v.has(concert.RoleOfficer), v.has(concert.RoleReviewer):
		to = "/desk"
	case v.has(concert.RoleIssuer):
		to = "/orders"
	case v.has(concert.RoleMagistrate):
		to = "/reidentifications"
	case v.has(concert.RoleAuditor):
		to = "/audit"
	case v.has(concert.RoleAdministrator):
		to = "/people"
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// loginPage is the log-in form; Login is what was typed.
type loginPage struct {
	Next, Login string
	Passkeys    bool // this address can have them
	Errors      formErrors
}

func (u *UI) loginForm(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showLogin(w, r, loginPage{Next: next(r.URL.Query().Get("next"))})
}

func (u *UI) showLogin(w http.ResponseWriter, r *http.Request, p loginPage) error {
	p.Passkeys = u.svc.PasskeysHere()
	return u.show(w, r, &visit{}, view{status: p.Errors.status(httpkit.StatusOf), title: say(r.Context(), "Log in"), body: loginView(p), scripts: []string{"passkey.js"}})
}

func (u *UI) login(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := loginPage{Next: next(field(r, "next")), Login: field(r, "login")}
	e, err := u.svc.LoginFrom(r.Context(), caller(r), p.Login, r.PostForm.Get("password"))
	if err != nil {
		if p.Errors, err = formErrorsOf(err); err != nil {
			return err
		}
		return u.showLogin(w, r, p)
	}
	return u.let(w, r, e, p.Next)
}

// enterPage takes a one-time link's token, which a script reads out of the
// address so that it is in no log, and a person can paste as well, with the code
// that another administrator has. Token is what was given, for another try.
type enterPage struct {
	Token  string
	Errors formErrors
}

func (u *UI) enterForm(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.show(w, r, v, view{title: say(r.Context(), "Enter with a one-time link"), body: enterView(enterPage{}), scripts: []string{"enter.js"}})
}

func (u *UI) enter(w http.ResponseWriter, r *http.Request, _ *visit) error {
	token := field(r, "token")
	if i := strings.LastIndexByte(token, '#'); i >= 0 {
		token = token[i+1:]
	}
	e, err := u.svc.EnterFrom(r.Context(), caller(r), token, field(r, "code"))
	if err != nil {
		errs, err := formErrorsOf(err)
		if err != nil {
			return err
		}
		return u.show(w, r, &visit{}, view{status: errs.status(httpkit.StatusOf), title: say(r.Context(), "Enter with a one-time link"), body: enterView(enterPage{Token: token, Errors: errs})})
	}
	if e.Person.Password == "" && !e.Half {
		return u.let(w, r, e, "/password")
	}
	return u.let(w, r, e, "/")
}

func (u *UI) logout(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := u.svc.Logout(r.Context(), v.session); err != nil {
		return err
	}
	u.setCookie(w, u.cookie, "", -1)
	u.setCookie(w, whyCookie, "", -1)
	return onward(w, r, "/login", "out", "")
}

// passwordPage sets the person's own password.
type passwordPage struct {
	Login  string
	First  bool // none is set yet
	Errors formErrors
}

func (u *UI) passwordForm(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := passwordPage{Login: v.person.Login, First: v.person.Password == ""}
	return u.show(w, r, v, view{title: say(r.Context(), "Your password"), body: passwordView(p)})
}

func (u *UI) setPassword(w http.ResponseWriter, r *http.Request, v *visit) error {
	password, err := r.PostForm.Get("password"), error(nil)
	if password != r.PostForm.Get("again") {
		err = concert.Refuse(concert.Invalid, "password.again", "again", "the two passwords differ: type the same one twice")
	} else {
		err = u.svc.SetPassword(r.Context(), v.actor(), password)
	}
	if err != nil {
		p := passwordPage{Login: v.person.Login, First: v.person.Password == ""}
		if p.Errors, err = formErrorsOf(err); err != nil {
			return err
		}
		return u.show(w, r, v, view{status: p.Errors.status(httpkit.StatusOf), title: say(r.Context(), "Your password"), body: passwordView(p)})
	}
	return onward(w, r, "/", "", "")
}

// justificationPage asks what somebody is working on (G19): one of their
// authority's open joint actions, or in their own words.
type justificationPage struct {
	Next, Why, Action string
	Actions           []choice
	Auditor           bool
	Errors            formErrors
}

func (u *UI) justificationForm(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showJustification(w, r, v, justificationPage{Next: next(r.URL.Query().Get("next")), Why: v.why})
}

func (u *UI) showJustification(w http.ResponseWriter, r *http.Request, v *visit, p justificationPage) error {
	if v.person.Provider != "" {
		return onward(w, r, "/", "", "")
	}
	open, err := u.svc.OpenActions(r.Context(), v.actor())
	if err != nil {
		return err
	}
	for _, a := range open {
		p.Actions = append(p.Actions, choice{a.Ref, a.Name + " (" + a.Ref + ")"})
	}
	p.Auditor = v.has(concert.RoleAuditor)
	status := 0
	if len(p.Errors) > 0 {
		status = http.StatusUnprocessableEntity
	}
	return u.show(w, r, v, view{status: status, title: say(r.Context(), "What are you working on?"), body: justificationView(p)})
}

func (u *UI) justify(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := justificationPage{Next: next(field(r, "next")), Why: field(r, "justification"), Action: field(r, "action")}
	why, err := u.workingOn(r, v, p)
	var scope concert.Scope
	if err == nil {
		scope, err = concert.NewScope(v.actor(), why)
	}
	if err == nil {
		err = scope.Justified()
	}
	if err != nil {
		if p.Errors, err = formErrorsOf(err); err != nil {
			return err
		}
		return u.showJustification(w, r, v, p)
	}
	// The reason outlives no working day in the browser.
	u.setCookie(w, whyCookie, base64.RawURLEncoding.EncodeToString([]byte(string(v.person.ID)+"\n"+scope.Justification())), sessionSeconds)
	return onward(w, r, p.Next, "", "")
}

// workingOn is the justification as it was chosen and typed.
func (u *UI) workingOn(r *http.Request, v *visit, p justificationPage) (string, error) {
	if p.Action == "" {
		return p.Why, nil
	}
	open, err := u.svc.OpenActions(r.Context(), v.actor())
	if err != nil {
		return "", err
	}
	for _, a := range open {
		if a.Ref == p.Action {
			return strings.TrimSuffix("Joint action "+a.Ref+", "+a.Name+": "+p.Why, ": "), nil
		}
	}
	return "", concert.Refuse(concert.Invalid, "scope.action", "action", "this joint action is closed, or your authority takes no part in it: choose another, or say it in your own words")
}
