package webui

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
)

// copiesMost is how many copies one act approves together.
const copiesMost = 100

// Values of the filter "whose" of the list of approvals.
const (
	whoseDecide = "decide"
	whoseOwn    = "own"
)

// copies are further captures of a work that was approved alone: they may be
// approved together.
type copies struct {
	Of    string // reference of the one approved alone
	Items []casework.Awaiting
}

// approvalsPage is what waits for this reviewer, without the judgements: to
// read one is to open its item. What the reviewer wrote or decided stands in no
// list of theirs, but where they ask for it.
type approvalsPage struct {
	Sheet  design.Sheet
	Copies []copies // among the rows of the page
	Errors formErrors
}

func approvalForm(g casework.Registers) *design.ListForm {
	return &design.ListForm{Name: "approvals", Path: "/approvals", Also: []string{"done", "about"},
		Filters: []design.Filter{
			{Name: "whose", Label: "Whose", Default: whoseDecide, Choices: []design.Choice{{Value: whoseDecide, Label: "for me to decide"}, {Value: whoseOwn, Label: "assessed or decided by me already"}}},
			{Name: "provider", Label: "Provider", Choices: choicesOf(providerChoices(g))},
			{Name: "outlet", Label: "Outlet", Choices: choicesOf(outletNames(g))},
			{Name: "kind", Label: "Kind", Choices: textChoices(concert.ItemTypes, itemTypes)},
			{Name: "language", Label: "Language (code)", Kind: design.FilterText},
			readsFilter(),
			{Name: "severity", Label: "Severity", Choices: textChoices(severities, severityTexts)},
			ageFilter(),
		},
		Orders: []design.Order{{Name: concert.OrderUrgent, Label: "urgent first, then the oldest"}, {Name: concert.OrderNewest, Label: "newest first"}, {Name: concert.OrderOldest, Label: "oldest first"}}}
}

func approvalColumns(g casework.Registers, waits func(context.Context, concert.Item) string) []design.Column[casework.Awaiting] {
	type row = casework.Awaiting
	return []design.Column[row]{
		linked("ref", "Reference", func(a row) (string, string) { return a.Ref, "/items/" + a.Ref + "?from=approvals" }),
		{Name: "priority", Label: "Priority", Number: true, Cell: func(_ context.Context, a row) design.Cell { return design.Cell{Text: strconv.Itoa(a.Priority)} }},
		{Name: "place", Label: "Place (text only, never a link)", Cell: func(ctx context.Context, a row) design.Cell {
			if a.Location.Display == "" {
				return design.Cell{Text: say(ctx, "place not available")}
			}
			return design.Cell{Text: a.Location.Display, Place: true}
		}},
		text("kind", "Kind", func(ctx context.Context, a row) string { return say(ctx, typeText(a.Type)) }),
		{Name: "guard", Label: "Guard", Cell: func(ctx context.Context, a row) design.Cell { return stateCell(ctx, guardText(a.Guard.Verdict)) }},
		text("provider", "Provider", func(ctx context.Context, a row) string {
			if p, ok := g.Providers[a.Provider]; ok {
				return p.Name
			}
			return say(ctx, "not known")
		}),
		text("outlet", "Outlet", func(_ context.Context, a row) string { return g.Scope.Outlets[a.Outlet].Name }),
		text("language", "Language", func(_ context.Context, a row) string { return a.Language }),
		text("approvals", "Approvals", func(ctx context.Context, a row) string { return say(ctx, "%d of %d", a.Given, a.Needed) }),
		text("copy", "Copy of", func(_ context.Context, a row) string { return a.Follows }),
		text("age", "Waiting for", func(ctx context.Context, a row) string { return waits(ctx, a.Item) }),
	}
}

// approvalListing is the list of what waits for an approval; rows gets those that
// were read last.
func (u *UI) approvalListing(ctx context.Context, v *visit, rows *[]casework.Awaiting) (listing[casework.Awaiting], error) {
	type row = casework.Awaiting
	scope, err := v.scope()
	if err != nil {
		return listing[row]{}, err
	}
	if err := v.actor().MayApprove(); err != nil { // before it is asked what for
		return listing[row]{}, err
	}
	g, err := u.svc.Registers(ctx)
	if err != nil {
		return listing[row]{}, err
	}
	now := u.svc.Now()
	waits := func(ctx context.Context, it concert.Item) string { return age(ctx, it.UpdatedAt, now) }
	return listing[row]{form: approvalForm(g), caption: "Assessments that wait for an approval", empty: "Nothing waits for you here.", columns: approvalColumns(g, waits), file: true,
		keys: func(order string, a row) []string { return itemKeys(order, a.Item) }, row: func(a row) (string, bool) { return a.Ref, a.Priority >= 9 },
		read: func(ctx context.Context, q design.Query, p concert.Page) (concert.Listed[row], error) {
			s := concert.ItemSearch{Type: concert.ItemType(q.Value("kind")), Language: q.Value("language"), Languages: readable(q, v), Severity: concert.Severity(q.Value("severity"))}
			if w := q.Value("whose"); w != "" {
				s.Decider, s.Involved = v.person.ID, w == whoseOwn
			}
			if d := ages[q.Value("age")]; d > 0 {
				s.Rested = now.Add(-d)
			}
			var err error
			if s.Provider, err = byRef(g.Providers, q.Value("provider"), func(p concert.Provider) string { return p.Ref }); err != nil {
				return concert.Listed[row]{}, err
			}
			if s.Outlet, err = byRef(g.Scope.Outlets, q.Value("outlet"), func(o concert.Outlet) string { return o.Ref }); err != nil {
				return concert.Listed[row]{}, err
			}
			found, err := u.svc.SearchApprovals(ctx, scope, s, q.Filters(), p)
			*rows = found.Rows
			return found, err
		}}, nil
}

func (u *UI) approvals(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showApprovals(w, r, v, nil)
}

func (u *UI) showApprovals(w http.ResponseWriter, r *http.Request, v *visit, errs formErrors) error {
	var rows []casework.Awaiting
	l, err := u.approvalListing(r.Context(), v, &rows)
	if err != nil {
		return err
	}
	return l.showAfter(u, w, r, v, "Approvals", errs, func(s design.Sheet) templ.Component {
		return approvalsView(approvalsPage{s, copiesAmong(rows, s), errs})
	})
}

func (u *UI) approvalsCSV(w http.ResponseWriter, r *http.Request, v *visit) error {
	var rows []casework.Awaiting
	l, err := u.approvalListing(r.Context(), v, &rows)
	if err != nil {
		return err
	}
	return l.csv(u, w, r, v)
}

// copiesAmong puts together the copies of one work among the rows that the page
// shows. One alone is decided on like any other.
func copiesAmong(rows []casework.Awaiting, s design.Sheet) []copies {
	shown := map[string]bool{}
	for _, r := range s.Rows {
		shown[r.Ref] = true
	}
	var all, out []copies
	at := map[string]int{}
	for _, a := range rows {
		if a.Follows == "" || !shown[a.Ref] {
			continue
		}
		i, ok := at[a.Follows]
		if !ok {
			i = len(all)
			at[a.Follows] = i
			all = append(all, copies{Of: a.Follows})
		}
		if len(all[i].Items) < copiesMost {
			all[i].Items = append(all[i].Items, a)
		}
	}
	for _, c := range all {
		if len(c.Items) > 1 {
			out = append(out, c)
		}
	}
	return out
}

// approveCopies approves together what the page listed as copies of one work.
func (u *UI) approveCopies(w http.ResponseWriter, r *http.Request, v *visit) error {
	var in []casework.Deciding
	for _, s := range r.PostForm["copy"] {
		ref, text, _ := strings.Cut(s, " ")
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			n = -1
		}
		in = append(in, casework.Deciding{Item: ref, Version: n, Decision: concert.Approve})
	}
	if len(in) < 2 || len(in) > copiesMost {
		return onward(w, r, "/approvals", "", "")
	}
	rs, err := u.svc.DecideItems(r.Context(), v.actor(), in)
	if err != nil {
		return err
	}
	var errs formErrors
	for _, res := range rs {
		if e := res.Err; e != nil {
			if !strings.Contains(e.Message, res.Ref) {
				e = e.About(res.Ref)
				e.Field = ""
			}
			errs = append(errs, e)
		}
	}
	if len(errs) > 0 {
		return u.showApprovals(w, r, v, errs)
	}
	return onward(w, r, "/approvals", "copies", "")
}
