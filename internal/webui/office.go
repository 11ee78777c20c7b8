package webui

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
)

var officeKinds = map[concert.OrderAuthorityKind]design.Text{
	concert.OrderByJudge: "judge, court or investigating judge", concert.OrderByLawEnforcement: "law enforcement authority", concert.OrderByOther: "other competent authority",
}

var functionTexts = map[concert.Function]design.Text{
	concert.FunctionIssue: "issues removal orders, Art. 12(1)(a)", concert.FunctionScrutinise: "scrutinises orders of other states, Art. 12(1)(b)", concert.FunctionSupervise: "supervises specific measures, Art. 12(1)(c)",
	concert.FunctionPenalise: "imposes penalties, Art. 12(1)(d)", concert.FunctionRefer: "refers, which binds nobody",
}

var redressTexts = map[concert.RedressParty]design.Text{concert.RedressProvider: "For the hosting service provider", concert.RedressContent: "For the content provider"}

// officePage is an authority with what its orders say of it.
type officePage struct {
	casework.OfficeView
	Admin      bool
	MayConfirm bool
	Mine       bool // the reader proposed what waits
	Typed      concert.OrderOffice
	Errors     formErrors
}

func (u *UI) office(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showOffice(w, r, v, officePage{})
}

// mayReadOffice reports whether an authority's page opens to the reader.
func mayReadOffice(v *visit, a concert.Authority) bool {
	return v.person.Provider == "" && (a.ID == v.person.Authority || v.actor().Need(concert.RoleCoordinator, concert.RoleAuditor, concert.RoleAdministrator) == nil)
}

func (u *UI) showOffice(w http.ResponseWriter, r *http.Request, v *visit, p officePage) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	if p.OfficeView, err = u.svc.ReadOffice(r.Context(), scope, r.PathValue("ref")); err != nil {
		return err
	}
	p.Admin, p.Mine = v.has(concert.RoleAdministrator), p.Proposed == v.person.ID
	p.MayConfirm = p.Admin && p.Proposal != nil && !p.Mine
	if len(p.Errors) == 0 {
		p.Typed = p.OrderOffice
		if p.Proposal != nil {
			p.Typed = *p.Proposal
		}
	}
	return u.show(w, r, v, view{status: p.Errors.status(statusOf), title: p.Of.Name, body: officeView(p)})
}

func (u *UI) proposeOffice(w http.ResponseWriter, r *http.Request, v *visit) error {
	in := concert.OrderOffice{Kind: concert.OrderAuthorityKind(field(r, "kind")), Address: field(r, "address"), Telephone: field(r, "telephone"), Fax: field(r, "fax"), Email: field(r, "email")}
	for _, f := range concert.Functions {
		if slices.Contains(r.PostForm["functions"], string(f)) {
			in.Functions = append(in.Functions, f)
		}
	}
	err := u.svc.ProposeOffice(r.Context(), v.actor(), r.PathValue("ref"), in)
	return u.officeDone(w, r, v, in, "office_proposed", err)
}

func (u *UI) confirmOffice(w http.ResponseWriter, r *http.Request, v *visit) error {
	err := u.svc.ConfirmSeenOffice(r.Context(), v.actor(), r.PathValue("ref"), version(r))
	return u.officeDone(w, r, v, concert.OrderOffice{}, "office_confirmed", err)
}

func (u *UI) officeDone(w http.ResponseWriter, r *http.Request, v *visit, in concert.OrderOffice, done string, err error) error {
	if err == nil {
		return onward(w, r, "/authorities/"+r.PathValue("ref"), done, "")
	}
	p := officePage{Typed: in}
	if p.Errors, err = formErrorsOf(err); err != nil {
		return err
	}
	if !v.has(concert.RoleAdministrator) {
		return p.Errors[0] // who may not send it at all is told so, and nothing of what is there
	}
	return u.showOffice(w, r, v, p)
}

// functionsText are an authority's functions in words.
func functionsText(ctx context.Context, fs []concert.Function) string {
	out := make([]string, len(fs))
	for i, f := range fs {
		out[i] = say(ctx, functionTexts[f])
	}
	return strings.Join(out, say(ctx, "; "))
}

// officeVersion is what the confirming form saw.
func officeVersion(p officePage) string { return strconv.FormatInt(p.OrderOffice.Version, 10) }
