package webui

import (
	"net/http"

	"concert/internal/casework"
)

// keyLine is an API key without its text.
type keyLine struct {
	ID, Name string
	Made     timeText
}

// accountPage is a person's own account: its password and its keys.
type accountPage struct {
	Operator, Login, Roles string
	HasPassword            bool
	Keys                   []keyLine
	Name                   string // typed
	Errors                 formErrors
}

func keyLines(keys []casework.APIKey) []keyLine {
	var out []keyLine
	for _, k := range keys {
		out = append(out, keyLine{k.ID, k.Name, at(k.CreatedAt)})
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
	p.Operator, p.Login, p.Roles, p.HasPassword, p.Keys = v.person.Operator, v.person.Login, roleNames(v.person.Roles), v.person.Password != "", keyLines(keys)
	return u.show(w, r, v, view{status: p.Errors.status(statusOf), title: say(r.Context(), "Your account"), body: accountView(p)})
}

func (u *UI) issueKey(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := accountPage{Name: field(r, "name")}
	key, _, err := u.svc.IssueKey(r.Context(), v.actor(), p.Name)
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
