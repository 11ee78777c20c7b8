package webui

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/a-h/templ"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
)

// Whether an outlet is in scope, as its list filters it.
const (
	inScope  = "in"
	offScope = "off"
)

func outletForm() *design.ListForm {
	return &design.ListForm{Name: "outlets", Path: "/outlets", Orders: byName(), Filters: []design.Filter{
		{Name: "scope", Label: "Scope list", Choices: []design.Choice{{Value: inScope, Label: "on it now"}, {Value: offScope, Label: "not on it"}}},
		{Name: "named", Label: "Name or alias", Kind: design.FilterText, Hint: "as a whole"},
	}}
}

// scopeState is whether content of the outlet can be referred now, and why.
func scopeState(l concert.ScopeList, o concert.OutletID, now time.Time) state {
	if _, err := l.Covers(o, now); err == nil {
		return state{Mark: "✓", Label: "in scope", Tone: "good"}
	}
	return state{Mark: "✕", Label: "not in scope: cannot be referred", Tone: "end"}
}

// outletRow is an outlet with whether it is in scope.
type outletRow struct {
	concert.Outlet
	Parent string
	State  state
	In     bool
}

func (u *UI) outletListing(v *visit) (listing[outletRow], error) {
	type row = outletRow
	columns := []design.Column[row]{
		linked("name", "Name", func(o row) (string, string) { return o.Name, "/outlets/" + o.Ref }),
		text("aliases", "Aliases", func(_ context.Context, o row) string { return strings.Join(o.Aliases, ", ") }),
		text("marks", "Marks", func(_ context.Context, o row) string { return strings.Join(o.Marks, ", ") }),
		text("sites", "Own sites", func(_ context.Context, o row) string { return strings.Join(o.Sites, ", ") }),
		text("parent", "Of", func(_ context.Context, o row) string { return o.Parent }),
		{Name: "scope", Label: "Scope list", Cell: func(ctx context.Context, o row) design.Cell { return stateCell(ctx, o.State) }},
		{Name: "ref", Label: "Reference", Code: true, Cell: func(_ context.Context, o row) design.Cell { return design.Cell{Text: o.Ref} }},
	}
	now := u.svc.Now()
	return registerListing(u, v, listing[row]{form: outletForm(), caption: "Outlets", empty: "An officer, a reviewer or a coordinator registers them.", columns: columns,
		keys: func(_ string, o row) []string { return []string{o.Name, string(o.ID)} }, row: func(o row) (string, bool) { return o.Ref, false }},
		func(g casework.Registers, q design.Query) []row {
			var out []row
			for _, o := range g.Scope.Outlets {
				r := row{Outlet: o, Parent: g.Scope.Outlets[o.Parent].Name, State: scopeState(g.Scope, o.ID, now)}
				r.In = r.State.Tone == "good"
				if q.Value("scope") != "" && r.In != (q.Value("scope") == inScope) || !called(o, q.Value("named")) {
					continue
				}
				out = append(out, r)
			}
			return out
		})
}

// called reports whether the outlet has the name, "" being anybody's.
func called(o concert.Outlet, name string) bool {
	found := name == "" || strings.EqualFold(o.Name, name)
	for _, a := range o.Aliases {
		found = found || strings.EqualFold(a, name)
	}
	return found
}

func (u *UI) outlets(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showOutlets(w, r, v, entered{Name: "outlet"})
}

func (u *UI) showOutlets(w http.ResponseWriter, r *http.Request, v *visit, f entered) error {
	l, err := u.outletListing(v)
	if err != nil {
		return err
	}
	g, err := u.svc.Registers(r.Context())
	if err != nil {
		return err
	}
	p := registerPage{Form: f, MayAdd: v.actor().Need(concert.RoleCoordinator, concert.RoleReviewer, concert.RoleOfficer, concert.RoleAdministrator) == nil,
		Kinds: append([]choice{{"", say(r.Context(), "none")}}, outletNames(g)...)}
	return l.showAfter(u, w, r, v, "Outlets", f.Errors, func(s design.Sheet) templ.Component {
		p.Sheet = s
		return registerView("Outlets", "Brands and the entities behind them. Only what stands on the scope list can be referred, and two people put it there.", p, outletAddForm(p))
	})
}

func (u *UI) outletsCSV(w http.ResponseWriter, r *http.Request, v *visit) error {
	l, err := u.outletListing(v)
	if err != nil {
		return err
	}
	return l.csv(u, w, r, v)
}

// outletPage is one outlet with the entries it stands on.
type outletPage struct {
	casework.OutletView
	State    state
	Lines    []outletEntry
	MayList  bool // proposes, confirms and delists entries
	Proposed concert.ScopeEntry
	ListedOn string
	Errors   formErrors
}

// outletEntry is one entry with what may be done about it.
type outletEntry struct {
	concert.ScopeEntry
	State               state
	By, Second, EndedBy string // operator numbers
	MayConfirm          bool
	MayEnd              bool
}

func (u *UI) outlet(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showOutlet(w, r, v, outletPage{})
}

func (u *UI) showOutlet(w http.ResponseWriter, r *http.Request, v *visit, p outletPage) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	if p.OutletView, err = u.svc.ReadOutlet(r.Context(), scope, r.PathValue("ref")); err != nil {
		return err
	}
	g, err := u.svc.Registers(r.Context())
	if err != nil {
		return err
	}
	now := u.svc.Now()
	p.State, p.MayList = scopeState(g.Scope, p.ID, now), v.has(concert.RoleCoordinator) || v.has(concert.RoleReviewer)
	for _, e := range p.Entries {
		l := outletEntry{ScopeEntry: e, State: entryState(e, now), By: p.Operators[e.ProposedBy], Second: p.Operators[e.ConfirmedBy], EndedBy: p.Operators[e.DelistedBy]}
		l.MayConfirm = p.MayList && e.ConfirmedAt.IsZero() && e.ProposedBy != v.person.ID
		l.MayEnd = p.MayList && !e.ConfirmedAt.IsZero() && e.DelistedOn.IsZero()
		p.Lines = append(p.Lines, l)
	}
	return u.show(w, r, v, view{status: p.Errors.status(statusOf), title: p.Name, body: outletView(p), wide: true})
}

// entryState is how a scope entry stands.
func entryState(e concert.ScopeEntry, now time.Time) state {
	switch {
	case e.InForce(now):
		return state{Mark: "✓", Label: "in force", Tone: "good"}
	case e.ConfirmedAt.IsZero():
		return state{Mark: "○", Label: "proposed: counts only once a second person confirms it", Tone: "wait"}
	case !e.DelistedOn.IsZero():
		return state{Mark: "✕", Label: "delisted", Tone: "end"}
	}
	return state{Mark: "○", Label: "not in force yet", Tone: "wait"}
}

func (u *UI) proposeScope(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := outletPage{Proposed: concert.ScopeEntry{LegalAct: field(r, "legal_act"), Authority: field(r, "authority"), Citation: field(r, "citation")}, ListedOn: field(r, "listed_on")}
	p.Proposed.ListedOn, _ = time.Parse(time.DateOnly, p.ListedOn) // the rule refuses none
	if _, err := u.svc.ProposeScope(r.Context(), v.actor(), r.PathValue("ref"), p.Proposed); err != nil {
		if p.Errors, err = formErrorsOf(err); err != nil {
			return err
		}
		return u.showOutlet(w, r, v, p)
	}
	return onward(w, r, "/outlets/"+r.PathValue("ref"), "scopeproposed", "")
}

func (u *UI) confirmScope(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.changedScope(w, r, v, "confirmed", func() error {
		_, err := u.svc.ConfirmScope(r.Context(), v.actor(), r.PathValue("entry"))
		return err
	})
}

func (u *UI) delistScope(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.changedScope(w, r, v, "scopedelisted", func() error {
		on, _ := time.Parse(time.DateOnly, field(r, "on")) // the rule refuses none
		_, err := u.svc.DelistScope(r.Context(), v.actor(), r.PathValue("entry"), on)
		return err
	})
}

func (u *UI) changedScope(w http.ResponseWriter, r *http.Request, v *visit, done string, act func() error) error {
	if err := act(); err != nil {
		var p outletPage
		if p.Errors, err = formErrorsOf(err); err != nil {
			return err
		}
		return u.showOutlet(w, r, v, p)
	}
	return onward(w, r, "/outlets/"+r.PathValue("ref"), done, "")
}
