package webui

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
	"concert/internal/httpkit"
)

const (
	fileMost  = 10000 // rows of a list as a file
	filePiece = 500   // rows of it that are read at once
	fileFirst = 100   // and at first, so that it begins soon
	fileFar   = 50    // how often a search for a file goes on by itself
)

// listing is one list page: how it is asked, what it shows, and where it reads.
type listing[R any] struct {
	form    *design.ListForm
	caption design.Text
	empty   design.Text // what to do where there is nothing
	columns []design.Column[R]
	keys    func(order string, r R) []string
	row     func(R) (ref string, urgent bool)
	read    func(context.Context, design.Query, concert.Page) (concert.Listed[R], error)
	file    bool // may be had as a file
}

// listRoutes are the lists and what people keep of them.
func (u *UI) listRoutes() []route {
	return []route{
		{"POST /filters", u.serve(person, u.saveFilter)},
		{"POST /filters/{id}/delete", u.serve(person, u.dropFilter)},
		{"GET /items.csv", u.serve(person, u.itemsCSV)},
		{"GET /referrals.csv", u.serve(person, u.referralsCSV)},
		{"GET /holds.csv", u.serve(person, u.holdsCSV)},
		{"GET /approvals.csv", u.serve(person, u.approvalsCSV)},
		{"GET /remedies", u.serve(person, u.remedies)},
		{"GET /remedies.csv", u.serve(person, u.remediesCSV)},
		{"GET /corrections", u.serve(anyone, u.corrections)},
		{"GET /corrections.csv", u.serve(anyone, u.correctionsCSV)},
		{"GET /people.csv", u.serve(person, u.peopleCSV)},
		{"GET /authorities", u.serve(person, u.authorities)},
		{"GET /authorities.csv", u.serve(person, u.authoritiesCSV)},
		{"GET /providers", u.serve(person, u.providers)},
		{"GET /providers.csv", u.serve(person, u.providersCSV)},
		{"GET /outlets", u.serve(person, u.outlets)},
		{"GET /outlets.csv", u.serve(person, u.outletsCSV)},
		{"GET /outlets/{ref}", u.serve(person, u.outlet)},
		{"POST /outlets/{ref}/scope", u.serve(person, u.proposeScope)},
		{"POST /outlets/{ref}/scope/{entry}/confirm", u.serve(person, u.confirmScope)},
		{"POST /outlets/{ref}/scope/{entry}/delist", u.serve(person, u.delistScope)},
		{"GET /alarms.csv", u.serve(person, u.alarmsCSV)},
		{"GET /actions.csv", u.serve(person, u.actionsCSV)},
		{"GET /search", u.serve(person, u.searchForm)},
		{"POST /search", u.serve(person, u.search)},
		{"GET /events", u.serve(person, u.events)},
		{"GET /events.csv", u.serve(person, u.eventsCSV)},
		{"GET /events/{position}", u.serve(person, u.event)},
		{"POST /events/{position}", u.serve(person, u.event)},
		{"GET /events/{position}/proof.json", u.serve(person, u.eventProof)},
	}
}

// sheet reads the page of a list that the address asks for.
func (l listing[R]) sheet(u *UI, r *http.Request, v *visit) (design.Sheet, error) {
	ctx := r.Context()
	q, err := l.form.Parse(r.URL.Query(), design.ReaderOf(ctx).Zone)
	if err != nil {
		return design.Sheet{}, err
	}
	found, err := l.read(ctx, q, concert.Page{Order: q.Order, Keys: q.At.Keys, Back: q.At.Back, Limit: q.Size + 1})
	if err != nil {
		return design.Sheet{}, err
	}
	shown := design.Paged(q, l.columns, found.Rows, func(row R) []string { return l.keys(q.Order, row) })
	on := shown.Goes(found, q)
	s := shown.Sheet(ctx, l.row)
	s.On, s.Caption, s.Empty = on, say(ctx, l.caption), say(ctx, l.empty)
	if l.file {
		s.Most = fileMost
	}
	return s, u.withSaved(ctx, v, q, &s)
}

// withSaved puts the filters that the reader keeps beside the list.
func (u *UI) withSaved(ctx context.Context, v *visit, q design.Query, s *design.Sheet) error {
	if !v.known() {
		return nil
	}
	s.CSRF = u.svc.CSRFToken(v.session)
	kept, err := u.svc.SavedFilters(ctx, v.actor(), q.Form().Name)
	if err != nil {
		return err
	}
	for _, f := range kept {
		href := q.Form().Path
		if f.Query != "" {
			href += "?" + f.Query
		}
		mine := f.Owner == v.person.ID
		s.MaySave = s.MaySave || mine && f.Query == q.Filters()
		s.Saved = append(s.Saved, design.SavedLink{ID: f.ID, Name: f.Name, Href: href, Mine: mine, Shared: f.Shared, Current: f.Query == q.Filters()})
	}
	s.MaySave, s.Share = q.Filtered() && !s.MaySave, v.person.Authority != ""
	return nil
}

// show answers with the page around the list; what the address says wrongly is
// told where the list would stand.
func (l listing[R]) show(u *UI, w http.ResponseWriter, r *http.Request, v *visit, title design.Text, around func(design.Sheet) templ.Component) error {
	return l.showAfter(u, w, r, v, title, nil, around)
}

// showAfter is show for a page with a form on it that was refused.
func (l listing[R]) showAfter(u *UI, w http.ResponseWriter, r *http.Request, v *visit, title design.Text, errs formErrors, around func(design.Sheet) templ.Component) error {
	s, err := l.sheet(u, r, v)
	if err != nil {
		return l.refused(u, w, r, v, title, err)
	}
	return u.show(w, r, v, view{status: errs.status(statusOf), title: say(r.Context(), title), body: around(s), wide: true})
}

// refused shows what is wrong with the list's address, and the way out of it.
func (l listing[R]) refused(u *UI, w http.ResponseWriter, r *http.Request, v *visit, title design.Text, err error) error {
	var e *concert.Error
	if !errors.As(err, &e) || !strings.HasPrefix(e.Code, "list.") && !strings.HasPrefix(e.Code, "cursor.") && e.Code != "events.subject" && e.Code != "events.operator" {
		return err
	}
	return u.show(w, r, v, view{status: statusOf(e), title: say(r.Context(), title), body: listRefusedView(title, l.form, e), wide: true})
}

// csv answers with the list as a file: exactly the rows and the words of the
// page, in its order. The first piece is read before anything is sent, so that a
// refusal is still a page.
func (l listing[R]) csv(u *UI, w http.ResponseWriter, r *http.Request, _ *visit) error {
	ctx := r.Context()
	q, err := l.form.Parse(r.URL.Query(), design.ReaderOf(ctx).Zone)
	if err != nil {
		return err
	}
	p := concert.Page{Order: q.Order, Limit: fileFirst, Far: fileFar}
	rest, n := true, 0
	next := func() ([]R, error) {
		for rest {
			found, err := l.read(ctx, q, p)
			if err != nil {
				return nil, err
			}
			switch full := len(found.Rows) == p.Limit; {
			case full:
				p.Keys = l.keys(q.Order, found.Rows[len(found.Rows)-1])
			case found.Rest != nil:
				p.Keys = found.Rest
			default:
				rest = false
			}
			if n += len(found.Rows); n > fileMost {
				rest = false
			}
			p.Limit = filePiece
			if len(found.Rows) > 0 {
				return found.Rows, nil
			}
		}
		return nil, nil
	}
	first, err := next()
	if err != nil {
		return err
	}
	begun := false
	name := l.form.Name + "-" + u.svc.Now().UTC().Format("20060102-1504") + ".csv"
	httpkit.NewDownload(w, "text/csv; charset=utf-8", name).Send(u.log, func(out io.Writer) error {
		_, err := design.WriteCSV(ctx, out, l.columns, fileMost, func() ([]R, error) {
			if !begun {
				begun = true
				return first, nil
			}
			return next()
		})
		return err
	})
	return nil
}

// inMemory is a page of a small register that is read as a whole, sorted by its
// keys.
func inMemory[R any](all []R, keys func(R) []string, p concert.Page) concert.Listed[R] {
	slices.SortFunc(all, func(a, b R) int { return slices.Compare(keys(a), keys(b)) })
	if p.Back {
		slices.Reverse(all)
	}
	out := concert.Listed[R]{}
	for _, r := range all {
		beyond := len(p.Keys) == 0
		if c := slices.Compare(keys(r), p.Keys); p.Back && c < 0 || !p.Back && c > 0 {
			beyond = true
		}
		if beyond && len(out.Rows) < p.Limit {
			out.Rows = append(out.Rows, r)
		}
	}
	return out
}

// saveFilter keeps the filters of the list that the form came from.
func (u *UI) saveFilter(w http.ResponseWriter, r *http.Request, v *visit) error {
	f := concert.SavedFilter{List: field(r, "list"), Name: field(r, "name"), Query: field(r, "query"), Shared: field(r, "shared") != ""}
	form, ok := listForms(casework.Registers{})[f.List]
	if !ok {
		return concert.Refuse(concert.Invalid, "filter.list", "list", "there is no list of this name: open the list again and save its filters there")
	}
	f, err := u.svc.SaveFilter(r.Context(), v.actor(), f)
	if err != nil {
		return err
	}
	to := form.Path
	if f.Query != "" {
		to += "?" + f.Query
	}
	http.Redirect(w, r, next(to), http.StatusSeeOther)
	return nil
}

func (u *UI) dropFilter(w http.ResponseWriter, r *http.Request, v *visit) error {
	f, err := u.svc.DropFilter(r.Context(), v.actor(), r.PathValue("id"))
	if err != nil {
		return err
	}
	to := "/"
	if form, ok := listForms(casework.Registers{})[f.List]; ok {
		to = form.Path
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// listForms are how each list may be asked, by name.
func listForms(g casework.Registers) map[string]*design.ListForm {
	out := map[string]*design.ListForm{}
	for _, f := range []*design.ListForm{itemForm(g, true), referralForm(g, true), holdForm(), remedyListForm(), correctionForm(), peopleForm(g), authorityForm(), providerForm(), outletForm(), alarmForm(g), actionForm(), eventForm(), caseListForm(g, true), watchListForm(g, true), approvalForm(g), secondLookForm(g, true), bankForm(), orderForm(g, true)} {
		out[f.Name] = f
	}
	return out
}

// choicesOf are choices with names that stand in no catalogue.
func choicesOf(in []choice) []design.Choice {
	out := make([]design.Choice, len(in))
	for i, c := range in {
		out[i] = design.Choice{Value: c.Value, Said: c.Text}
	}
	return out
}

// stateChoices are choices by what a state is called.
func stateChoices[K ~string](order []K, states map[K]state) []design.Choice {
	out := make([]design.Choice, len(order))
	for i, k := range order {
		out[i] = design.Choice{Value: string(k), Label: states[k].Label}
	}
	return out
}

// textChoices are the same for plain texts.
func textChoices[K ~string](order []K, texts map[K]design.Text) []design.Choice {
	out := make([]design.Choice, len(order))
	for i, k := range order {
		out[i] = design.Choice{Value: string(k), Label: texts[k]}
	}
	return out
}

// stateCell is a state as a list shows it.
func stateCell(ctx context.Context, s state) design.Cell {
	return design.Cell{Text: say(ctx, s.Label, s.Args...), Shape: s.Mark, Tone: s.Tone}
}

// text is a column of plain text.
func text[R any](name string, label design.Text, of func(context.Context, R) string) design.Column[R] {
	return design.Column[R]{Name: name, Label: label, Cell: func(ctx context.Context, r R) design.Cell { return design.Cell{Text: of(ctx, r)} }}
}

// linked is the column that names the row and leads to its page.
func linked[R any](name string, label design.Text, of func(R) (text, href string)) design.Column[R] {
	return design.Column[R]{Name: name, Label: label, Row: true, Cell: func(_ context.Context, r R) design.Cell {
		t, href := of(r)
		return design.Cell{Text: t, Href: href}
	}}
}

// byRef finds what a filter's reference names; "" where nothing was asked.
func byRef[K comparable, V any](all map[K]V, ref string, of func(V) string) (K, error) {
	var none K
	if ref == "" {
		return none, nil
	}
	for k, v := range all {
		if of(v) == ref {
			return k, nil
		}
	}
	return none, concert.Refuse(concert.Invalid, "list.choice", "", "%q names nothing that is registered: choose one from the list", ref)
}
