package webui

import (
	"net/http"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
)

// teamRoles are the roles on a provider's side, as its administrator gives them.
var teamRoles = []struct {
	Role concert.Role
	Text design.Text
}{
	{concert.RoleProviderReader, "Reader: reads what is referred to us"},
	{concert.RoleProviderAnswerer, "Answerer: reads and answers"},
	{concert.RoleProviderAdmin, "Administrator: looks after our people; reads nothing that was referred"},
}

// teamPage is a provider's people with the form for a new one.
type teamPage struct {
	Provider string
	People   []casework.Teammate
	Add      newPerson
	Errors   formErrors
}

func (u *UI) team(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showTeam(w, r, v, teamPage{})
}

func (u *UI) showTeam(w http.ResponseWriter, r *http.Request, v *visit, p teamPage) error {
	provider, people, err := u.svc.Team(r.Context(), v.actor())
	if err != nil {
		return err
	}
	p.Provider, p.People = provider.Name, people
	return u.show(w, r, v, view{status: p.Errors.status(statusOf), title: say(r.Context(), "Our people"), body: teamView(p)})
}

// refusedTeam shows the team again with what stood in an act's way.
func (u *UI) refusedTeam(w http.ResponseWriter, r *http.Request, v *visit, add newPerson, err error) error {
	p := teamPage{Add: add}
	if p.Errors, err = formErrorsOf(err); err != nil {
		return err
	}
	return u.showTeam(w, r, v, p)
}

func (u *UI) addTeammate(w http.ResponseWriter, r *http.Request, v *visit) error {
	in := newPerson{Name: field(r, "name"), Login: field(r, "login"), Roles: r.PostForm["roles"]}
	p, err := u.svc.AddTeammate(r.Context(), v.actor(), concert.Person{Name: in.Name, Login: in.Login, Roles: rolesOf(in.Roles)})
	if err != nil {
		return u.refusedTeam(w, r, v, in, err)
	}
	return u.showOnce(w, r, v, oncePage{Login: p.Login, Operator: p.Operator, Link: p.Link})
}

func (u *UI) changeTeammate(w http.ResponseWriter, r *http.Request, v *visit) error {
	if _, err := u.svc.ChangeTeammate(r.Context(), v.actor(), r.PathValue("operator"), rolesOf(r.PostForm["roles"])); err != nil {
		return u.refusedTeam(w, r, v, newPerson{}, err)
	}
	return onward(w, r, "/team", "roles", "")
}

func (u *UI) linkTeammate(w http.ResponseWriter, r *http.Request, v *visit) error {
	link, err := u.svc.LinkTeammate(r.Context(), v.actor(), r.PathValue("operator"))
	if err != nil {
		return u.refusedTeam(w, r, v, newPerson{}, err)
	}
	return u.showOnce(w, r, v, oncePage{Operator: r.PathValue("operator"), Link: link})
}

func (u *UI) disableTeammate(w http.ResponseWriter, r *http.Request, v *visit) error {
	who, err := u.svc.DisableTeammate(r.Context(), v.actor(), r.PathValue("operator"))
	if err != nil {
		return u.refusedTeam(w, r, v, newPerson{}, err)
	}
	if who.ID == v.person.ID {
		return onward(w, r, "/login", "out", "")
	}
	return onward(w, r, "/team", "disabled", who.Operator)
}
