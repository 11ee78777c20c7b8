package webui

import (
	"context"
	"net/http"

	"github.com/a-h/templ"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
)

func (u *UI) secondLookRoutes() []route {
	return []route{
		{"GET /second-looks", u.serve(person, u.secondLooks)},
		{"GET /second-looks.csv", u.serve(person, u.secondLooksCSV)},
		{"GET /second-looks/{ref}", u.serve(person, u.secondLook)},
		{"POST /second-looks/{ref}", u.serve(person, u.lookAgain)},
	}
}

// looking is the form of a second look as it was typed.
type looking struct {
	Verdict, Type, Reason string
	Errors                formErrors
}

// looksPage is the list of second looks.
type looksPage struct {
	Sheet    design.Sheet
	Reviewer bool
}

// blindPage is one second look, blind, with the form to give it.
type blindPage struct {
	casework.BlindLook
	Form looking
}

var lookStates = map[concert.LookState]state{
	concert.LookWaiting:   {Mark: "◎", Label: "waits for you", Tone: "wait"},
	concert.LookDisagreed: {Mark: "▲", Label: "disagreed", Tone: "bad"},
	concert.LookAgreed:    {Mark: "✓", Label: "agreed", Tone: "good"},
}

// secondLookForm is how second looks may be asked: a reviewer begins with what
// waits, others with what was disagreed with.
func secondLookForm(g casework.Registers, reviewer bool) *design.ListForm {
	states, first := concert.LookStates, concert.LookWaiting
	if !reviewer {
		states, first = states[1:], concert.LookDisagreed
	}
	return &design.ListForm{Name: "second-looks", Path: "/second-looks", Also: []string{"done", "about"}, Orders: []design.Order{{Name: concert.OrderOldest, Label: "oldest first"}, {Name: concert.OrderNewest, Label: "newest first"}},
		Filters: []design.Filter{
			{Name: "state", Label: "State", Default: string(first), Choices: stateChoices(states, lookStates)},
			{Name: "provider", Label: "Provider", Choices: choicesOf(providerChoices(g))},
			{Name: "age", Label: "Drawn", Choices: []design.Choice{{Value: ageDay, Label: "more than a day ago"}, {Value: ageWeek, Label: "more than a week ago"}, {Value: ageMonth, Label: "more than 30 days ago"}}},
			{Name: "by", Label: "Looked by (operator number)", Kind: design.FilterText},
		}}
}

func secondLookColumns(g casework.Registers) []design.Column[casework.ListedLook] {
	type row = casework.ListedLook
	return []design.Column[row]{
		linked("ref", "Reference", func(l row) (string, string) {
			if l.At.IsZero() {
				return l.Ref, "/second-looks/" + l.Ref
			}
			return l.Ref, "/items/" + l.Ref
		}),
		{Name: "state", Label: "State", Cell: func(ctx context.Context, l row) design.Cell {
			if l.At.IsZero() {
				return stateCell(ctx, lookStates[concert.LookWaiting])
			}
			return stateCell(ctx, lookStates[concert.LookState(l.Verdict)])
		}},
		{Name: "place", Label: "Place (text only, never a link)", Cell: func(ctx context.Context, l row) design.Cell {
			if l.Location.Display == "" {
				return design.Cell{Text: say(ctx, "place not available")}
			}
			return design.Cell{Text: l.Location.Display, Place: true}
		}},
		text("kind", "Kind", func(ctx context.Context, l row) string { return say(ctx, typeText(l.Kind)) }),
		text("provider", "Provider", func(_ context.Context, l row) string { return g.Providers[l.Provider].Name }),
		text("outlet", "Outlet", func(_ context.Context, l row) string { return g.Scope.Outlets[l.Outlet].Name }),
		text("language", "Language", func(_ context.Context, l row) string { return l.Language }),
		text("drawn", "Drawn", func(ctx context.Context, l row) string { return when(ctx, l.DrawnAt) }),
		text("looked", "Looked at", func(ctx context.Context, l row) string {
			if l.At.IsZero() {
				return ""
			}
			return when(ctx, l.At)
		}),
		text("by", "By", func(_ context.Context, l row) string {
			if l.At.IsZero() {
				return ""
			}
			return l.Operator + " (" + l.Unit + ")"
		}),
		text("why", "Why", func(_ context.Context, l row) string { return l.Note }),
		{Name: "now", Label: "Now", Cell: func(ctx context.Context, l row) design.Cell {
			if l.Status == "" {
				return design.Cell{}
			}
			return stateCell(ctx, itemStates[l.Status])
		}},
	}
}

func (u *UI) secondLookListing(ctx context.Context, v *visit) (listing[casework.ListedLook], error) {
	type row = casework.ListedLook
	scope, err := v.scope()
	if err != nil {
		return listing[row]{}, err
	}
	g, err := u.svc.Registers(ctx)
	if err != nil {
		return listing[row]{}, err
	}
	now := u.svc.Now()
	return listing[row]{form: secondLookForm(g, v.has(concert.RoleReviewer)), caption: "Second looks", columns: secondLookColumns(g), file: true, empty: "One approval in fifty is drawn by lot.",
		keys: func(_ string, l row) []string { return casework.LookKeys(l.SecondLook) }, row: func(l row) (string, bool) { return l.Ref, false },
		read: func(ctx context.Context, q design.Query, p concert.Page) (concert.Listed[row], error) {
			s := concert.LookSearch{State: concert.LookState(q.Value("state"))}
			if d := ages[q.Value("age")]; d > 0 {
				s.Before = now.Add(-d)
			}
			var err error
			if s.Provider, err = byRef(g.Providers, q.Value("provider"), func(p concert.Provider) string { return p.Ref }); err != nil {
				return concert.Listed[row]{}, err
			}
			return u.svc.SearchSecondLooks(ctx, scope, s, q.Value("by"), q.Filters(), p)
		}}, nil
}

func (u *UI) secondLooks(w http.ResponseWriter, r *http.Request, v *visit) error {
	l, err := u.secondLookListing(r.Context(), v)
	if err != nil {
		return err
	}
	return l.show(u, w, r, v, "Second looks", func(s design.Sheet) templ.Component { return looksView(looksPage{s, v.has(concert.RoleReviewer)}) })
}

func (u *UI) secondLooksCSV(w http.ResponseWriter, r *http.Request, v *visit) error {
	l, err := u.secondLookListing(r.Context(), v)
	if err != nil {
		return err
	}
	return l.csv(u, w, r, v)
}

func (u *UI) secondLook(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showLook(w, r, v, looking{})
}

func (u *UI) showLook(w http.ResponseWriter, r *http.Request, v *visit, f looking) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	l, err := u.svc.ReadSecondLook(r.Context(), scope, r.PathValue("ref"))
	if err != nil {
		return err
	}
	return u.show(w, r, v, view{status: f.Errors.status(statusOf), title: say(r.Context(), "Second look at %s", l.Ref), body: blindView(blindPage{l, f})})
}

func (u *UI) lookAgain(w http.ResponseWriter, r *http.Request, v *visit) error {
	f := looking{Verdict: field(r, "verdict"), Type: field(r, "type"), Reason: field(r, "reason")}
	_, err := u.svc.LookAgain(r.Context(), v.actor(), r.PathValue("ref"), concert.SecondLook{Verdict: concert.LookVerdict(f.Verdict), Type: concert.ContentType(f.Type), Note: f.Reason})
	if err != nil {
		if f.Errors, err = formErrorsOf(err); err != nil {
			return err
		}
		return u.showLook(w, r, v, f)
	}
	return onward(w, r, "/second-looks", "looked", "")
}

// lookTexts say what a second pair of eyes said.
var lookTexts = map[concert.LookVerdict]state{
	concert.LookAgree:    {Mark: "✓", Label: "would refer it, too", Tone: "good"},
	concert.LookDisagree: {Mark: "▲", Label: "would not refer it: exempt, or no terrorist content", Tone: "bad"},
}
