package webui

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
)

var caseStates = map[concert.CaseState]design.Text{concert.CaseOpen: "open", concert.CaseMandateOver: "mandate over", concert.CaseClosed: "closed"}

var reviewStates = map[concert.ReviewState]design.Text{concert.ReviewOverdue: "overdue", concert.ReviewSoon: "within 90 days, or overdue"}

// ledByMe is the value of the filter "mine" of the list of cases.
const ledByMe = "lead"

func caseListForm(g casework.Registers, all bool) *design.ListForm {
	f := &design.ListForm{Name: "cases", Path: "/cases", Also: []string{"done", "about"}, Orders: newestOrders(), Filters: []design.Filter{
		{Name: "state", Label: "State", Choices: textChoices(concert.CaseStates, caseStates)},
		{Name: "mine", Label: "Led by", Choices: []design.Choice{{Value: ledByMe, Label: "me"}}},
		{Name: "review", Label: "Review", Choices: textChoices(concert.ReviewStates, reviewStates)},
		{Name: "handling", Label: "Handling code", Choices: textChoices(concert.Handlings, handlingTexts)},
	}}
	if all {
		f.Filters = append(f.Filters, design.Filter{Name: "authority", Label: "Authority", Choices: choicesOf(authorityChoices(g))})
	}
	return f
}

func (u *UI) caseListing(ctx context.Context, v *visit) (listing[casework.CaseView], error) {
	type row = casework.CaseView
	scope, err := v.scope()
	if err != nil {
		return listing[row]{}, err
	}
	g, err := u.svc.Registers(ctx)
	if err != nil {
		return listing[row]{}, err
	}
	now, all := u.svc.Now(), v.has(concert.RoleAuditor)
	columns := []design.Column[row]{
		linked("ref", "Reference", func(c row) (string, string) { return c.Ref, "/cases/" + c.Ref }),
		text("title", "Title", func(_ context.Context, c row) string { return c.Title }),
		{Name: "state", Label: "State", Cell: func(ctx context.Context, c row) design.Cell { return stateCell(ctx, caseState(c, now)) }},
		text("handling", "Handling code", func(_ context.Context, c row) string { return string(c.Handling) }),
		text("lead", "Led by", func(_ context.Context, c row) string { return c.Operators[c.Lead] }),
		{Name: "items", Label: "Items", Number: true, Cell: func(_ context.Context, c row) design.Cell {
			n := strconv.Itoa(c.ItemCount)
			if c.ItemCount == casework.CaseItemsCounted {
				n += "+"
			}
			return design.Cell{Text: n}
		}},
		text("opened", "Opened", func(ctx context.Context, c row) string { return when(ctx, c.OpenedAt) }),
		text("mandate", "Mandate until", func(ctx context.Context, c row) string { return day(ctx, c.Mandate.Until.Add(-time.Microsecond)) }),
		text("review", "Review by", func(ctx context.Context, c row) string { return day(ctx, c.ReviewAt) }),
	}
	if all {
		columns = append(columns, text("authority", "Authority", func(_ context.Context, c row) string { return c.Authority.Unit }))
	}
	return listing[row]{form: caseListForm(g, all), caption: "Cases", columns: columns, file: true, empty: "You are a member of no case.", keys: func(_ string, c row) []string { return []string{string(c.ID)} },
		row: func(c row) (string, bool) { return c.Ref, false },
		read: func(ctx context.Context, q design.Query, p concert.Page) (concert.Listed[row], error) {
			s := concert.CaseSearch{State: concert.CaseState(q.Value("state")), Review: concert.ReviewState(q.Value("review")), Handling: concert.Handling(q.Value("handling"))}
			if q.Value("mine") == ledByMe {
				s.Lead = v.person.ID
			}
			var err error
			if s.Authority, err = byRef(g.Authorities, q.Value("authority"), func(a concert.Authority) string { return a.Ref }); err != nil {
				return concert.Listed[row]{}, err
			}
			return u.svc.SearchCases(ctx, scope, s, q.Filters(), p)
		}}, nil
}

func (u *UI) casesCSV(w http.ResponseWriter, r *http.Request, v *visit) error {
	l, err := u.caseListing(r.Context(), v)
	if err != nil {
		return err
	}
	return l.csv(u, w, r, v)
}

var watchStates = map[concert.WatchState]design.Text{concert.WatchStanding: "watched", concert.WatchOver: "no longer watched"}

var watchTurns = map[concert.WatchTurn]design.Text{concert.TurnDue: "overdue", concert.TurnNever: "not gone through yet", concert.TurnUnder: "somebody is going through it", concert.TurnLater: "gone through, not due yet"}

var watchOwners = map[concert.WatchOwner]design.Text{concert.WatchOutlet: "an outlet's own", concert.WatchPerson: "a private person's account"}

func watchListForm(g casework.Registers, all bool) *design.ListForm {
	f := &design.ListForm{Name: "watchlist", Path: "/watchlist", Also: []string{"done", "about"},
		Orders: []design.Order{{Name: concert.OrderDue, Label: "due longest first"}, {Name: concert.OrderNewest, Label: "newest first"}, {Name: concert.OrderOldest, Label: "oldest first"}},
		Filters: []design.Filter{
			{Name: "state", Label: "State", Default: string(concert.WatchStanding), Choices: textChoices(concert.WatchStates, watchStates)},
			{Name: "turn", Label: "Turn", Choices: textChoices(concert.WatchTurns, watchTurns)},
			{Name: "outlet", Label: "Outlet", Choices: choicesOf(outletNames(g))},
			{Name: "owner", Label: "Whose place it is", Choices: textChoices([]concert.WatchOwner{concert.WatchOutlet, concert.WatchPerson}, watchOwners)},
			{Name: "by", Label: "Gone through by (operator number)", Kind: design.FilterText},
		}}
	if all {
		f.Filters = append(f.Filters, design.Filter{Name: "authority", Label: "Authority", Choices: choicesOf(authorityChoices(g))})
	}
	return f
}

// watchKeys are a watched place's place in the list.
func watchKeys(order string, x casework.WatchView) []string {
	if order == concert.OrderDue {
		return []string{strconv.FormatInt(concert.Micros(x.NextAt), 10), string(x.ID)}
	}
	return []string{string(x.ID)}
}

func (u *UI) watchListing(ctx context.Context, v *visit) (listing[casework.WatchView], casework.Registers, error) {
	type row = casework.WatchView
	scope, err := v.scope()
	if err != nil {
		return listing[row]{}, casework.Registers{}, err
	}
	g, err := u.svc.Registers(ctx)
	if err != nil {
		return listing[row]{}, g, err
	}
	all := v.has(concert.RoleAuditor)
	columns := []design.Column[row]{
		linked("ref", "Reference", func(x row) (string, string) { return x.Ref, "/watchlist/" + x.Ref }),
		{Name: "place", Label: "Place (text only, never a link)", Cell: func(ctx context.Context, x row) design.Cell {
			if x.Location.Display == "" {
				return stateCell(ctx, state{Mark: "∅", Label: "erased", Tone: "end"})
			}
			return design.Cell{Text: x.Location.Display, Place: true}
		}},
		{Name: "state", Label: "State", Cell: func(ctx context.Context, x row) design.Cell { return stateCell(ctx, watchState(x)) }},
		text("whose", "Whose", func(ctx context.Context, x row) string {
			if x.Owner == concert.WatchPerson {
				return say(ctx, "a private person")
			}
			return x.Outlet.Name
		}),
		text("due", "Due", func(ctx context.Context, x row) string { return when(ctx, x.NextAt) }),
		text("last", "Last", func(ctx context.Context, x row) string {
			if x.LastAt.IsZero() {
				return ""
			}
			return when(ctx, x.LastAt)
		}),
		text("every", "Every", func(ctx context.Context, x row) string {
			return count(ctx, int(x.Cadence/time.Hour), "%d hour", "%d hours")
		}),
		{Name: "sweeps", Label: "Sweeps", Number: true, Cell: func(_ context.Context, x row) design.Cell { return design.Cell{Text: strconv.Itoa(x.Swept)} }},
		{Name: "items", Label: "Items", Number: true, Cell: func(_ context.Context, x row) design.Cell { return design.Cell{Text: strconv.Itoa(x.Found)} }},
	}
	if all {
		columns = append(columns, text("authority", "Authority", func(_ context.Context, x row) string { return g.Authorities[x.Authority].Unit }))
	}
	return listing[row]{form: watchListForm(g, all), caption: "Watched places", columns: columns, file: true, empty: "A place that you watch stands here.", keys: watchKeys,
		row: func(x row) (string, bool) { return x.Ref, false },
		read: func(ctx context.Context, q design.Query, p concert.Page) (concert.Listed[row], error) {
			s := concert.WatchSearch{State: concert.WatchState(q.Value("state")), Turn: concert.WatchTurn(q.Value("turn")), Owner: concert.WatchOwner(q.Value("owner"))}
			var err error
			if s.Outlet, err = byRef(g.Scope.Outlets, q.Value("outlet"), func(o concert.Outlet) string { return o.Ref }); err != nil {
				return concert.Listed[row]{}, err
			}
			if s.Authority, err = byRef(g.Authorities, q.Value("authority"), func(a concert.Authority) string { return a.Ref }); err != nil {
				return concert.Listed[row]{}, err
			}
			return u.svc.SearchWatches(ctx, scope, s, q.Value("by"), q.Filters(), p)
		}}, g, nil
}

func (u *UI) watchlistCSV(w http.ResponseWriter, r *http.Request, v *visit) error {
	l, _, err := u.watchListing(r.Context(), v)
	if err != nil {
		return err
	}
	return l.csv(u, w, r, v)
}
