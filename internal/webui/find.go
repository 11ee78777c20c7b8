package webui

import (
	"bytes"
	"context"
	"net/http"
	"strings"

	"github.com/a-h/templ"

	"concert/internal/casework"
	"concert/internal/design"
)

// besides are pages that one goes to by name and that stand in no menu.
var besides = []navItem{
	{"/account", "Your account and API keys", func(frame) bool { return true }},
	{"/justification", "What you are working on", inside},
	{"/preferences", "Language, time zone, colours", func(frame) bool { return true }},
	{"/keys", "Keys", func(frame) bool { return true }},
	{"/scope", "Scope list", func(frame) bool { return true }},
	{"/counting", "How we count", func(frame) bool { return true }},
	{"/log", "Transparency log", func(frame) bool { return true }},
}

// pagesNamed are the pages that somebody has and that are called so: what is
// not for them is not found.
func pagesNamed(ctx context.Context, f frame, question string) []navItem {
	var out []navItem
	try := func(items []navItem) {
		for _, i := range items {
			if i.may(f) && named(ctx, i.label, question) {
				out = append(out, i)
			}
		}
	}
	for _, g := range menu {
		try(g.items)
	}
	try(besides)
	return out
}

// foundKinds say what kind of thing was found.
var foundKinds = map[casework.FoundKind]design.Text{
	casework.FoundItem: "Item", casework.FoundReferral: "Referral", casework.FoundHold: "Hold", casework.FoundAction: "Joint action", casework.FoundProvider: "Provider",
	casework.FoundOutlet: "Outlet", casework.FoundAuthority: "Authority", casework.FoundScope: "Scope list entry", casework.FoundPerson: "Person",
	casework.FoundCase: "Case", casework.FoundIncident: "Incident", casework.FoundOrder: "Removal order",
}

// foundAt is the page of what was found, "" where there is none.
func foundAt(f casework.Found) string {
	switch f.Kind {
	case casework.FoundItem:
		return "/items/" + f.Ref
	case casework.FoundReferral:
		return "/referrals/" + f.Ref
	case casework.FoundOrder:
		return "/orders/" + f.Ref
	case casework.FoundHold:
		return "/holds"
	case casework.FoundAction:
		return "/actions/" + f.Ref
	case casework.FoundOutlet:
		return "/outlets/" + f.Ref
	case casework.FoundProvider:
		return "/providers"
	case casework.FoundAuthority:
		return "/authorities"
	case casework.FoundScope:
		return "/scope"
	case casework.FoundCase:
		return "/cases/" + f.Ref
	case casework.FoundIncident:
		return "/incidents/" + f.Ref
	case casework.FoundPerson:
		return "/people/" + f.Ref
	}
	return ""
}

// findPage is what a question found.
type findPage struct {
	Question string
	Things   []casework.Found
	Pages    []navItem
	Next     bool // the next item can be taken here
	Part     bool
	Errors   formErrors
}

// Empty reports whether nothing was found.
func (p findPage) Empty() bool { return len(p.Things) == 0 && len(p.Pages) == 0 && !p.Next }

func (u *UI) find(w http.ResponseWriter, r *http.Request, v *visit) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	p := findPage{Question: clean(r.URL.Query().Get("q")), Part: isPart(r)}
	if p.Things, err = u.svc.Find(r.Context(), scope, p.Question); err != nil {
		if p.Errors, err = formErrorsOf(err); err != nil {
			return err
		}
	}
	f := frame{Person: v.person}
	p.Pages = pagesNamed(r.Context(), f, p.Question)
	p.Next = worksHere(f) && named(r.Context(), "Take the next item", p.Question)
	if p.Part {
		return u.part(w, r, v, findResults(p))
	}
	return u.show(w, r, v, view{status: p.Errors.status(statusOf), title: say(r.Context(), "Find"), body: findView(p)})
}

// named reports whether the question is part of a text, in the reader's
// language or in English.
func named(ctx context.Context, t design.Text, question string) bool {
	q := strings.ToLower(question)
	return strings.Contains(strings.ToLower(say(ctx, t)), q) || strings.Contains(strings.ToLower(design.Say(context.Background(), t)), q)
}

// part answers a script with the inside of a dialog: the same component as the
// page, without the frame.
func (u *UI) part(w http.ResponseWriter, r *http.Request, v *visit, body templ.Component) error {
	f := frame{Rate: u.svc.Time.Rate, Path: r.URL.Path, Person: v.person, Assets: u.assets.url, Reader: design.ReaderOf(r.Context()), Keys: keysOn(r)}
	if v.known() {
		f.CSRF = u.svc.CSRFToken(v.session)
	}
	var b bytes.Buffer
	if err := body.Render(context.WithValue(context.WithValue(r.Context(), frameKey{}, f), nowKey{}, u.svc.Now()), &b); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if _, err := w.Write(b.Bytes()); err != nil {
		u.log.Debug("part not delivered", "path", r.URL.Path, "err", err)
	}
	return nil
}
