package webui

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
)

// Values of the filters "whose", "reads" and "age" of the lists of items.
const (
	readsOwn   = "own"
	whoseFound = "found"
	ageDay     = "day"
	ageWeek    = "week"
	ageMonth   = "month"
)

// languageChoices are the languages that items are assessed in most; a filter
// takes any other by its code, too.
func itemForm(g casework.Registers, audits bool) *design.ListForm {
	f := &design.ListForm{Name: "items", Path: "/items", Also: []string{"done", "about"},
		Filters: []design.Filter{
			{Name: "status", Label: "State", Default: string(concert.ItemOpen), Choices: stateChoices(queueTabs, itemStates)},
			{Name: "provider", Label: "Provider", Choices: choicesOf(providerChoices(g))},
			{Name: "outlet", Label: "Outlet", Choices: choicesOf(outletNames(g))},
			{Name: "action", Label: "Joint action", Choices: choicesOf(actionNames(g))},
			{Name: "kind", Label: "Kind", Choices: textChoices(concert.ItemTypes, itemTypes)},
			{Name: "language", Label: "Language (code)", Kind: design.FilterText},
			{Name: "priority", Label: "Priority", Choices: []design.Choice{{Value: "1", Label: "raised"}, {Value: "5", Label: "serious and more"}, {Value: "9", Label: "threat to life"}}},
			ageFilter(),
			{Name: "claimed", Label: "Provider says", Choices: append([]design.Choice{{Value: string(concert.ClaimedNothing), Label: "silent: no word yet"}}, textChoices(concert.AnswerCodes, answerTexts)...)},
			{Name: "observed", Label: "We saw", Choices: append([]design.Choice{{Value: string(concert.ObservedNever), Label: "not looked at yet"}}, stateChoices(concert.ObservedStates, observedStates)...)},
			{Name: "from", Label: "Found from", Kind: design.FilterDay},
			{Name: "until", Label: "Found until", Kind: design.FilterDay},
		},
		Orders: []design.Order{{Name: concert.OrderUrgent, Label: "urgent first, then the oldest"}, {Name: concert.OrderNewest, Label: "newest first"}, {Name: concert.OrderOldest, Label: "oldest first"}}}
	if audits {
		f.Filters = append(f.Filters, design.Filter{Name: "authority", Label: "On the desk of", Choices: choicesOf(authorityChoices(g))},
			design.Filter{Name: "finder", Label: "Found first by", Choices: choicesOf(authorityChoices(g))})
	}
	if !audits || len(g.Authorities) == 0 { // all of them, to know a saved one
		f.Filters = append(f.Filters, readsFilter(), design.Filter{Name: "whose", Label: "Whose", Choices: []design.Choice{{Value: whoseFound, Label: "found by us, judged by others"}}})
	}
	return f
}

// readsFilter leaves what the reader can judge: what is in a language that they
// say they read, or in none that is named.
func readsFilter() design.Filter {
	return design.Filter{Name: "reads", Label: "Languages", Choices: []design.Choice{{Value: readsOwn, Label: "that I read"}}}
}

// readable are the base codes that the filter asks for, nil for any.
func readable(q design.Query, v *visit) []string {
	if q.Value("reads") != readsOwn {
		return nil
	}
	return append([]string{}, v.person.Languages...)
}

func outletNames(g casework.Registers) []choice {
	var out []choice
	for _, o := range g.Scope.Outlets {
		out = append(out, choice{o.Ref, o.Name})
	}
	return sortedChoices(out)
}

func actionNames(g casework.Registers) []choice {
	var out []choice
	for _, a := range g.Actions {
		out = append(out, choice{a.Ref, a.Name})
	}
	return sortedChoices(out)
}

// ages are the times that the filter "age" names.
var ages = map[string]time.Duration{ageDay: 24 * time.Hour, ageWeek: 7 * 24 * time.Hour, ageMonth: 30 * 24 * time.Hour}

// ageFilter asks how long something has waited.
func ageFilter() design.Filter {
	return design.Filter{Name: "age", Label: "Waiting for", Choices: []design.Choice{{Value: ageDay, Label: "more than a day"}, {Value: ageWeek, Label: "more than a week"}, {Value: ageMonth, Label: "more than 30 days"}}}
}

// itemSearch is what the address asks.
func itemSearch(q design.Query, g casework.Registers, now time.Time) (concert.ItemSearch, error) {
	s := concert.ItemSearch{Found: q.Value("whose") == whoseFound, Status: concert.ItemStatus(q.Value("status")), Type: concert.ItemType(q.Value("kind")), Language: q.Value("language"),
		Claimed: concert.AnswerCode(q.Value("claimed")), Observed: concert.Observed(q.Value("observed")), From: q.Day("from"), Until: q.DayAfter("until")}
	s.Priority, _ = strconv.Atoi(q.Value("priority")) // a choice, so a number or nothing
	if d := ages[q.Value("age")]; d > 0 {
		if before := now.Add(-d); s.Until.IsZero() || before.Before(s.Until) {
			s.Until = before
		}
	}
	var err error
	for _, f := range []func() error{
		func() error {
			s.Provider, err = byRef(g.Providers, q.Value("provider"), func(p concert.Provider) string { return p.Ref })
			return err
		},
		func() error {
			s.Outlet, err = byRef(g.Scope.Outlets, q.Value("outlet"), func(o concert.Outlet) string { return o.Ref })
			return err
		},
		func() error {
			s.Action, err = byRef(g.Actions, q.Value("action"), func(a concert.Action) string { return a.Ref })
			return err
		},
		func() error {
			s.Desk, err = byRef(g.Authorities, q.Value("authority"), func(a concert.Authority) string { return a.Ref })
			return err
		},
		func() error {
			s.Finder, err = byRef(g.Authorities, q.Value("finder"), func(a concert.Authority) string { return a.Ref })
			return err
		},
	} {
		if err := f(); err != nil {
			return s, err
		}
	}
	return s, nil
}

// itemKeys are an item's place in the list.
func itemKeys(order string, it concert.Item) []string {
	if order == concert.OrderUrgent {
		return []string{strconv.Itoa(9 - it.Priority), string(it.ID)}
	}
	return []string{string(it.ID)}
}

// itemColumns are what the list says of an item; an erased one says nothing but
// that.
func itemColumns(g casework.Registers, now time.Time, picks func(concert.Item) bool) []design.Column[concert.Item] {
	return []design.Column[concert.Item]{
		{Name: "ref", Label: "Reference", Row: true, Cell: func(_ context.Context, it concert.Item) design.Cell {
			c := design.Cell{Text: it.Ref, Href: "/items/" + it.Ref}
			if picks(it) {
				c.Pick = it.Ref
			}
			return c
		}},
		{Name: "priority", Label: "Priority", Number: true, Cell: func(_ context.Context, it concert.Item) design.Cell {
			return design.Cell{Text: strconv.Itoa(it.Priority)}
		}},
		{Name: "state", Label: "State", Cell: func(ctx context.Context, it concert.Item) design.Cell { return stateCell(ctx, itemStates[it.Status]) }},
		{Name: "place", Label: "Place (text only, never a link)", Cell: func(ctx context.Context, it concert.Item) design.Cell {
			switch {
			case !it.ErasedAt.IsZero():
				return stateCell(ctx, state{Mark: "∅", Label: "erased", Tone: "end"})
			case it.Location.Display == "":
				return design.Cell{Text: say(ctx, "place not available")}
			}
			return design.Cell{Text: it.Location.Display, Place: true}
		}},
		text("kind", "Kind", func(ctx context.Context, it concert.Item) string { return say(ctx, typeText(it.Type)) }),
		{Name: "guard", Label: "Guard", Cell: func(ctx context.Context, it concert.Item) design.Cell {
			return stateCell(ctx, guardText(it.Guard.Verdict))
		}},
		text("provider", "Provider", func(ctx context.Context, it concert.Item) string {
			if p, ok := g.Providers[it.Provider]; ok {
				return p.Name
			}
			return say(ctx, "not known")
		}),
		text("outlet", "Outlet", func(_ context.Context, it concert.Item) string { return g.Scope.Outlets[it.Outlet].Name }),
		text("language", "Language", func(_ context.Context, it concert.Item) string { return it.Language }),
		text("claimed", "Provider says", func(ctx context.Context, it concert.Item) string {
			if it.Referral == "" {
				return ""
			}
			return say(ctx, answerTexts[it.Claimed])
		}),
		{Name: "observed", Label: "We saw", Cell: func(ctx context.Context, it concert.Item) design.Cell {
			if it.Observed == "" {
				return design.Cell{}
			}
			return stateCell(ctx, observedStates[it.Observed])
		}},
		text("found", "Found", func(ctx context.Context, it concert.Item) string { return when(ctx, it.CreatedAt) }),
		text("age", "Age", func(ctx context.Context, it concert.Item) string { return age(ctx, it.CreatedAt, now) }),
	}
}

// itemListing is the list of items for this reader.
func (u *UI) itemListing(ctx context.Context, v *visit) (listing[concert.Item], error) {
	scope, err := v.scope()
	if err == nil {
		err = scope.Justified() // asked for before anything else is said of the list
	}
	if err != nil {
		return listing[concert.Item]{}, err
	}
	g, err := u.svc.Registers(ctx)
	if err != nil {
		return listing[concert.Item]{}, err
	}
	now := u.svc.Now()
	orders, err := u.svc.MayDraftOrders(ctx, v.actor())
	if err != nil {
		return listing[concert.Item]{}, err
	}
	picks := func(it concert.Item) bool {
		return orders && it.Author == v.person.Authority && it.Status.Orderable()
	}
	return listing[concert.Item]{form: itemForm(g, v.has(concert.RoleAuditor)), caption: "Items", empty: "What is handed in appears here.", columns: itemColumns(g, now, picks), keys: itemKeys, file: true,
		row: func(it concert.Item) (string, bool) { return it.Ref, it.Priority >= 9 },
		read: func(ctx context.Context, q design.Query, p concert.Page) (concert.Listed[concert.Item], error) {
			s, err := itemSearch(q, g, now)
			if err != nil {
				return concert.Listed[concert.Item]{}, err
			}
			s.Languages = readable(q, v)
			return u.svc.SearchItems(ctx, scope, s, q.Filters(), p)
		}}, nil
}

// picks reports whether a row of the list can be ticked.
func picks(s design.Sheet) bool {
	for _, r := range s.Rows {
		for _, c := range r.Cells {
			if c.Pick != "" {
				return true
			}
		}
	}
	return false
}

func (u *UI) items(w http.ResponseWriter, r *http.Request, v *visit) error {
	l, err := u.itemListing(r.Context(), v)
	if err != nil {
		return err
	}
	scope, err := v.scope()
	if err != nil {
		return err
	}
	counts, err := u.svc.CountItems(r.Context(), scope, queueTabs[:waitingTabs], queuePage+1)
	if err != nil {
		return err
	}
	return l.show(u, w, r, v, "Items", func(s design.Sheet) templ.Component { return itemsView(tabsOf(s, counts, v.has(concert.RoleOfficer))) })
}

func (u *UI) itemsCSV(w http.ResponseWriter, r *http.Request, v *visit) error {
	l, err := u.itemListing(r.Context(), v)
	if err != nil {
		return err
	}
	return l.csv(u, w, r, v)
}

// tabsOf puts the counts of what waits above the list.
func tabsOf(s design.Sheet, counts map[concert.ItemStatus]int, maySubmit bool) itemsPage {
	p := itemsPage{Sheet: s, MaySubmit: maySubmit}
	for i, status := range queueTabs {
		t := tab{Status: status, Label: itemStates[status].Label, Href: s.Query.With("status", string(status)), Current: s.Query.Value("status") == string(status)}
		if i >= waitingTabs {
			p.Other = append(p.Other, t)
			continue
		}
		t.Count = strconv.Itoa(counts[status])
		if counts[status] > queuePage {
			t.Count = strconv.Itoa(queuePage) + "+"
		}
		p.Waiting = append(p.Waiting, t)
	}
	return p
}
