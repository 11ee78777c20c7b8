package webui

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
)

// roleText is a role with what whoever has it does.
type roleText struct {
	Value concert.Role
	Text  design.Text
}

// roleTexts are the roles as people say them, in the order of the form.
var roleTexts = []roleText{
	{concert.RoleOfficer, "Officer: hands in and assesses, for an authority"},
	{concert.RoleReviewer, "Reviewer: decides what another assessed, for an authority"},
	{concert.RoleIssuer, "Issuer: approves and issues removal orders, for a competent authority"},
	{concert.RoleMagistrate, "Magistrate: a prosecutor or judge, decides which pseudonyms of a seized server are opened; investigates nothing"},
	{concert.RoleCoordinator, "Coordinator: runs joint actions, for an authority"},
	{concert.RoleAuditor, "Auditor: reads everything with a reason, writes nothing; stands alone"},
	{concert.RoleAdministrator, "Administrator: registers parties and people; stands alone"},
	{concert.RoleProviderReader, "Provider's reader: reads what is referred to its provider"},
	{concert.RoleProviderAnswerer, "Provider's answerer: reads and answers"},
	{concert.RoleProviderAdmin, "Provider's administrator: looks after that provider's people"},
}

func roleNames(ctx context.Context, roles []concert.Role) string {
	var out []string
	for _, r := range roles {
		for _, c := range roleTexts {
			if c.Value == r {
				name, _, _ := strings.Cut(say(ctx, c.Text), ":")
				out = append(out, strings.TrimSpace(name))
			}
		}
	}
	return strings.Join(out, say(ctx, ", "))
}

// rolesBeside are the roles that one can change over to: those of one's side.
func rolesBeside(takesTwo bool) []roleText {
	var out []roleText
	for _, c := range roleTexts {
		if concert.TakesTwo([]concert.Role{c.Value}) == takesTwo {
			out = append(out, c)
		}
	}
	return out
}

func forPlace(ctx context.Context, place string) string {
	if place == "" {
		return ""
	}
	return say(ctx, ", for %s", place)
}

// personLine is one account.
type personLine struct {
	Operator, Login, Name, Roles, Place string
	State                               state
	Waiting                             *waitingLine
	Set                                 []concert.Role
	Authority                           string // reference
	TakesTwo, Disabled                  bool
	Languages                           []string
}

// waitingLine is what a second administrator may confirm.
type waitingLine struct {
	Operator, Login, Name     string
	Proposal, What, Place, By string
	At                        timeText
	Mine                      design.Text // why the reader may not, "" where it may
}

// peoplePage is every account, what waits, and the form for a new one.
type peoplePage struct {
	Sheet       design.Sheet
	Waiting     []waitingLine
	MayAct      bool
	Add         newPerson
	Authorities []choice
	Providers   []choice
	Steps       []firstStep // while one of them is not done
	Errors      formErrors
}

// firstStep is what a new deployment needs before anything can be referred.
type firstStep struct {
	Text design.Text
	Href string
	Done bool
}

// firstSteps are those of a deployment; none once all are done.
func firstSteps(g casework.Registers, people []casework.PersonView, now time.Time) []firstStep {
	has := func(role concert.Role) bool {
		return slices.ContainsFunc(people, func(p casework.PersonView) bool { return slices.Contains(p.Roles, role) })
	}
	scoped := false
	for id := range g.Scope.Outlets {
		_, err := g.Scope.Covers(id, now)
		scoped = scoped || err == nil
	}
	out := []firstStep{
		{"Register the authority that judges", "/authorities", len(g.Authorities) > 0},
		{"Register the providers that it refers to", "/providers", len(g.Providers) > 0},
		{"Add below an officer, a reviewer, and one more reviewer or a coordinator; the second administrator confirms each", "", has(concert.RoleOfficer) && has(concert.RoleReviewer)},
		{"Register an outlet; a coordinator or reviewer proposes its entry of the scope list, another confirms it", "/outlets", scoped},
	}
	if !slices.ContainsFunc(out, func(s firstStep) bool { return !s.Done }) {
		return nil
	}
	return out
}

// newPerson is what was typed.
type newPerson struct {
	Name, Login, Authority, Provider, Key string
	Roles                                 []string
	Languages                             string // as typed
}

// oncePage shows once what nobody can read again: a link, a code, a key.
type oncePage struct {
	Login, Operator string
	Link, Code, Key string
	Waits           bool // the link needs another administrator's confirmation
}

func lineOf(ctx context.Context, p casework.PersonView, g casework.Registers, by concert.Person) personLine {
	l := personLine{Operator: p.Operator, Login: p.Login, Name: p.Name, Roles: roleNames(ctx, p.Roles), Place: placeOf(g, p.Authority, p.Provider), State: state{Mark: "✓", Label: "in force", Tone: "good"},
		Set: p.Roles, Authority: g.Authorities[p.Authority].Ref, TakesTwo: concert.TakesTwo(p.Roles), Disabled: !p.DisabledAt.IsZero(), Languages: p.Languages}
	switch {
	case l.Disabled:
		l.State = state{Mark: "✕", Label: "disabled", Tone: "end"}
	case p.Waits && p.Waiting.Ref == "":
		l.State = state{Mark: "○", Label: "lapsed unconfirmed: make a new link", Tone: "wait"}
	case p.Waits:
		l.State = state{Mark: "○", Label: "waits for a second administrator", Tone: "wait"}
	}
	q := p.Waiting
	if q.Ref == "" || l.Disabled {
		return l
	}
	w := waitingLine{Operator: p.Operator, Login: p.Login, Name: p.Name, Proposal: q.Ref, Place: placeOf(g, q.Authority, p.Provider), By: p.Proposer, At: at(q.ProposedAt)}
	switch q.Kind {
	case concert.ProposedPerson:
		w.What = say(ctx, "New person: %s", roleNames(ctx, q.Roles))
	case concert.ProposedRoles:
		w.What = say(ctx, "Other roles: %s, instead of %s", roleNames(ctx, q.Roles), l.Roles)
		if q.Authority != p.Authority {
			w.Place = say(ctx, "%s instead of %s", w.Place, l.Place)
		}
	case concert.ProposedLink:
		w.What = say(ctx, "New one-time link: %s", roleNames(ctx, q.Roles))
	}
	if q.Resets {
		w.What = say(ctx, "Lost second factor: takes it and the password away, and makes a new one-time link")
	}
	switch by.ID {
	case q.ProposedBy:
		w.Mine = "You proposed it: another administrator confirms it."
	case p.ID:
		w.Mine = "It is about you: another administrator confirms it."
	}
	l.Waiting = &w
	return l
}

func placeOf(g casework.Registers, a concert.AuthorityID, p concert.ProviderID) string {
	switch {
	case p != "":
		return g.Providers[p].Name
	case a != "":
		return g.Authorities[a].Unit + " (" + g.Authorities[a].Name + ")"
	}
	return ""
}

func (u *UI) people(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showPeople(w, r, v, peoplePage{})
}

func (u *UI) showPeople(w http.ResponseWriter, r *http.Request, v *visit, p peoplePage) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	people, err := u.svc.People(r.Context(), scope)
	if err != nil {
		return err
	}
	g, err := u.svc.Registers(r.Context())
	if err != nil {
		return err
	}
	for _, who := range people {
		if l := lineOf(r.Context(), who, g, v.person); l.Waiting != nil {
			p.Waiting = append(p.Waiting, *l.Waiting)
		}
	}
	list, err := u.peopleListing(r.Context(), v)
	if err != nil {
		return err
	}
	if p.Sheet, err = list.sheet(u, r, v); err != nil {
		return list.refused(u, w, r, v, "People", err)
	}
	if p.MayAct = v.has(concert.RoleAdministrator); p.MayAct {
		p.Steps = firstSteps(g, people, u.svc.Now())
	}
	p.Authorities, p.Providers = authorityChoices(g), providerChoices(g)
	return u.show(w, r, v, view{status: p.Errors.status(statusOf), title: say(r.Context(), "People"), body: peopleView(p), wide: true})
}

func authorityChoices(g casework.Registers) []choice {
	var out []choice
	for _, a := range g.Authorities {
		out = append(out, choice{a.Ref, a.Unit + " (" + a.Name + ")"})
	}
	return sortedChoices(out)
}

func providerChoices(g casework.Registers) []choice {
	var out []choice
	for _, p := range g.Providers {
		out = append(out, choice{p.Ref, p.Name})
	}
	return sortedChoices(out)
}

func sortedChoices(in []choice) []choice {
	slices.SortFunc(in, func(a, b choice) int { return cmp.Or(cmp.Compare(a.Text, b.Text), cmp.Compare(a.Value, b.Value)) })
	return in
}

func rolesOf(in []string) []concert.Role {
	var out []concert.Role
	for _, s := range in {
		out = append(out, concert.Role(clean(s)))
	}
	return out
}

func (u *UI) addPerson(w http.ResponseWriter, r *http.Request, v *visit) error {
	in := newPerson{Name: field(r, "name"), Login: field(r, "login"), Authority: field(r, "authority"), Provider: field(r, "provider"), Key: field(r, "key"), Roles: r.PostForm["roles"], Languages: field(r, "languages")}
	p, err := u.svc.AddPerson(r.Context(), v.actor(), concert.Person{Name: in.Name, Login: in.Login, Roles: rolesOf(in.Roles), Languages: references(in.Languages)}, in.Authority, in.Provider, in.Key)
	if err != nil {
		page := peoplePage{Add: in}
		if page.Errors, err = formErrorsOf(err); err != nil {
			return err
		}
		return u.showPeople(w, r, v, page)
	}
	return u.showOnce(w, r, v, oncePage{Login: p.Login, Operator: p.Operator, Link: p.Link, Key: p.Key, Waits: p.Proposal != ""})
}

func (u *UI) showOnce(w http.ResponseWriter, r *http.Request, v *visit, p oncePage) error {
	return u.show(w, r, v, view{title: say(r.Context(), "Shown once"), body: onceView(p)})
}

// personPage is one account with what can be done about it.
type personPage struct {
	Line        personLine
	MayAct      bool
	Self        bool
	Authorities []choice
	Keys        []keyLine
	Errors      formErrors
}

func (u *UI) person(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showPerson(w, r, v, personPage{})
}

func (u *UI) showPerson(w http.ResponseWriter, r *http.Request, v *visit, p personPage) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	who, err := u.svc.ReadPerson(r.Context(), scope, r.PathValue("operator"))
	if err != nil {
		return err
	}
	g, err := u.svc.Registers(r.Context())
	if err != nil {
		return err
	}
	p.Line, p.MayAct, p.Self, p.Authorities = lineOf(r.Context(), who, g, v.person), v.has(concert.RoleAdministrator), who.ID == v.person.ID, authorityChoices(g)
	if p.MayAct {
		keys, err := u.svc.ListKeys(r.Context(), v.actor(), who.Operator)
		if err != nil {
			return err
		}
		p.Keys = keyLines(keys)
	}
	return u.show(w, r, v, view{status: p.Errors.status(statusOf), title: say(r.Context(), "Person %s", who.Operator), body: personView(p)})
}

// refusedPerson shows the person again with what stood in an act's way.
func (u *UI) refusedPerson(w http.ResponseWriter, r *http.Request, v *visit, err error) error {
	var p personPage
	if p.Errors, err = formErrorsOf(err); err != nil {
		return err
	}
	return u.showPerson(w, r, v, p)
}

func (u *UI) confirmPerson(w http.ResponseWriter, r *http.Request, v *visit) error {
	p, code, err := u.svc.ConfirmPerson(r.Context(), v.actor(), r.PathValue("operator"), field(r, "proposal"))
	if err != nil {
		return u.refusedPerson(w, r, v, err)
	}
	if code == "" {
		return onward(w, r, "/people", "confirmed", p.Operator)
	}
	return u.showOnce(w, r, v, oncePage{Login: p.Login, Operator: p.Operator, Code: code})
}

func (u *UI) changeRoles(w http.ResponseWriter, r *http.Request, v *visit) error {
	p, proposal, err := u.svc.ChangeRoles(r.Context(), v.actor(), r.PathValue("operator"), rolesOf(r.PostForm["roles"]), field(r, "authority"))
	if err != nil {
		return u.refusedPerson(w, r, v, err)
	}
	if proposal != "" {
		return onward(w, r, "/people", "proposed", p.Operator)
	}
	return onward(w, r, "/people", "roles", p.Operator)
}

func (u *UI) linkPerson(w http.ResponseWriter, r *http.Request, v *visit) error {
	operator := r.PathValue("operator")
	link, proposal, err := u.svc.NewLink(r.Context(), v.actor(), operator)
	if err != nil {
		return u.refusedPerson(w, r, v, err)
	}
	return u.showOnce(w, r, v, oncePage{Operator: operator, Link: link, Waits: proposal != ""})
}

func (u *UI) disablePerson(w http.ResponseWriter, r *http.Request, v *visit) error {
	p, err := u.svc.DisablePerson(r.Context(), v.actor(), r.PathValue("operator"))
	if err != nil {
		return u.refusedPerson(w, r, v, err)
	}
	return onward(w, r, "/people", "disabled", p.Operator)
}

func (u *UI) revokePersonKey(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := u.svc.RevokeKey(r.Context(), v.actor(), r.PathValue("key")); err != nil {
		return u.refusedPerson(w, r, v, err)
	}
	return onward(w, r, "/people/"+r.PathValue("operator"), "revoked", "")
}
