package webui

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"concert"
	"concert/internal/design"
	"concert/internal/identity"
)

// pagesOf are where what a reference names is shown, by its first letters.
var pagesOf = map[string]string{"IT": "/items/", "RF": "/referrals/", "JA": "/actions/", "OU": "/outlets/", "OP": "/people/", "BK": "/banks/", "OR": "/orders/", "KE": "/entries/", "KM": "/matches/"}

// listsOf are the lists in which others stand.
var listsOf = map[string]string{"HO": "/holds", "RM": "/remedies", "PR": "/providers", "AU": "/authorities", "SC": "/scope"}

// searchPage finds one thing by its name or its place, and lists by their
// filters.
type searchPage struct {
	Ref    string
	Errors formErrors
	Items  *design.ListForm
	Query  design.Query
	Lists  bool // reads items
}

func (u *UI) searchForm(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showSearch(w, r, v, searchPage{})
}

func (u *UI) showSearch(w http.ResponseWriter, r *http.Request, v *visit, p searchPage) error {
	if v.person.Provider != "" {
		return concert.ErrNotFound
	}
	if _, err := v.scope(); err != nil {
		return err
	}
	g, err := u.svc.Registers(r.Context())
	if err != nil {
		return err
	}
	p.Lists = v.person.Authority != "" || v.has(concert.RoleAuditor)
	p.Items = itemForm(g, v.has(concert.RoleAuditor))
	if p.Query, err = p.Items.Parse(url.Values{"status": {design.Any}}, design.ReaderOf(r.Context()).Zone); err != nil {
		return err
	}
	return u.show(w, r, v, view{status: p.Errors.status(statusOf), title: say(r.Context(), "Search"), body: searchView(p), wide: true})
}

// search goes to what a reference names, or to the item at a place. A place comes
// in the body of the request, never in its address.
func (u *UI) search(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := searchPage{Ref: field(r, "ref")}
	place := field(r, "place")
	if v.person.Provider != "" {
		return concert.ErrNotFound
	}
	scope, err := v.scope()
	if err != nil {
		return err
	}
	switch {
	case p.Ref != "":
		to, err := addressOf(p.Ref)
		if err == nil {
			http.Redirect(w, r, to, http.StatusSeeOther)
			return nil
		}
		p.Errors = formErrors{err}
	case place != "":
		ref, err := u.svc.ItemAtPlace(r.Context(), scope, place)
		if err == nil {
			http.Redirect(w, r, "/items/"+ref, http.StatusSeeOther)
			return nil
		}
		if p.Errors, err = placeErrors(err); err != nil {
			return err
		}
	default:
		p.Errors = formErrors{concert.Refuse(concert.Invalid, "search.empty", "ref", "write a reference or a place")}
	}
	return u.showSearch(w, r, v, p)
}

// addressOf is where a reference leads.
func addressOf(typed string) (string, *concert.Error) {
	prefix, ref, err := identity.ParseReference(typed)
	if err != nil {
		return "", concert.Refuse(concert.Invalid, "search.reference", "ref", "this is no reference: it is written like IT-7K3M-9QXT-4D2FH, and one wrong letter is noticed")
	}
	if at := pagesOf[prefix]; at != "" {
		return at + ref, nil
	}
	if at := listsOf[prefix]; at != "" {
		return at + "#" + ref, nil
	}
	return "", concert.Refuse(concert.Invalid, "search.kind", "ref", "%s names nothing that has a page here: check the reference", strings.ToUpper(ref))
}

// placeErrors says of a place where nothing is, or nothing that the reader may
// see, the same.
func placeErrors(err error) (formErrors, error) {
	if e := (*concert.Error)(nil); errors.As(err, &e) && e.Kind == concert.NotFound {
		return formErrors{concert.Refuse(concert.NotFound, "search.nothing", "place", "there is no item of yours at exactly this place: check how it is written, or hand it in")}, nil
	}
	return formErrorsOf(err)
}
