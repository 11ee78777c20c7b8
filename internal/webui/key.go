package webui

import (
	"net/http"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
)

// powerTexts are the guarded acts as people say them.
var powerTexts = map[concert.Power]design.Text{
	concert.PowerApprove: "approve items", concert.PowerExport: "export items and the log", concert.PowerErase: "erase items",
	concert.PowerRelease: "release holds and dispatch", concert.PowerIssue: "approve and issue removal orders", concert.PowerAdminister: "confirm what another administrator proposed",
}

// keyLine is an API key without its text.
type keyLine struct {
	ID, Name string
	Made     timeText
	Scopes   []concert.Power
}

// accountPage is a person's own account: its password and its keys.
type accountPage struct {
	Operator, Login, Roles string
	HasPassword            bool
	Keys                   []keyLine
	Name                   string // typed
	Scopes                 []string
	Sessions               []casework.Session
	Factors                int
	Errors                 formErrors
}

func keyLines(keys []casework.APIKey) []keyLine {
	var out []keyLine
	for _, k := range keys {
		out = append(out, keyLine{k.ID, k.Name, at(k.CreatedAt), k.Scopes})
	}
	return out
}

func (u *UI) account(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showAccount(w, r, v, accountPage{})
}

func (u *UI) showAccount(w http.ResponseWriter, r *http.Request, v *visit, p accountPage) error {
	keys, err := u.svc.ListKeys(r.Context(), v.actor(), "")
	if err != nil {
		return err
	}
	if p.Sessions, err = u.svc.Sessions(r.Context(), v.actor()); err != nil {
		return err
	}
	factors, _, err := u.svc.Factors(r.Context(), v.actor())
	if err != nil {
		return err
	}
	p.Factors = len(factors)
	p.Operator, p.Login, p.Roles, p.HasPassword, p.Keys = v.person.Operator, v.person.Login, roleNames(r.Context(), v.person.Roles), v.person.Password != "", keyLines(keys)
	return u.show(w, r, v, view{status: p.Errors.status(statusOf), title: say(r.Context(), "Your account"), body: accountView(p)})
}

func (u *UI) issueKey(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := accountPage{Name: field(r, "name"), Scopes: r.PostForm["scopes"]}
	var scopes []concert.Power
	for _, s := range p.Scopes {
		scopes = append(scopes, concert.Power(clean(s)))
	}
	key, _, err := u.svc.IssueKey(r.Context(), v.actor(), p.Name, scopes...)
	if err != nil {
		if p.Errors, err = formErrorsOf(err); err != nil {
			return err
		}
		return u.showAccount(w, r, v, p)
	}
	return u.showOnce(w, r, v, oncePage{Operator: v.person.Operator, Login: v.person.Login, Key: key})
}

func (u *UI) revokeKey(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := u.svc.RevokeKey(r.Context(), v.actor(), r.PathValue("key")); err != nil {
		return err
	}
	return onward(w, r, "/account", "revoked", "")
}
