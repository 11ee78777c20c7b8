package webui

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/a-h/templ"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
)

var remedyCategories = map[concert.RemedyCategory]design.Text{
	"":                         "no reason category given",
	concert.RemedyNotTerrorist: "no terrorist content after all",
	concert.RemedyProtected:    "protected expression: education, journalism, art, research, counter-speech",
	concert.RemedyWrongPlace:   "another place was meant, or the content had changed",
	concert.RemedyWrongFacts:   "a fact was wrong, the judgement stands",
	concert.RemedyOutOfScope:   "its outlet is not designated, or no longer",
	concert.RemedyProcedure:    "it should not have gone out yet, or not to this provider",
	concert.RemedyInvestigated: "another authority asked to keep off: no error of judgement",
	concert.RemedyOther:        "another reason",
}

var remedyStates = map[concert.RemedyKind]state{
	concert.RemedyWithdrawal: {Mark: "↩", Label: "withdrawal", Tone: "end"}, concert.RemedyCorrection: {Mark: "✎", Label: "correction", Tone: "go"},
}

var remedyKinds = []concert.RemedyKind{concert.RemedyWithdrawal, concert.RemedyCorrection}

func remedyFilters() []design.Filter {
	return []design.Filter{
		{Name: "kind", Label: "Remedy", Choices: stateChoices(remedyKinds, remedyStates)},
		{Name: "category", Label: "Reason category", Choices: textChoices(concert.RemedyCategories, remedyCategories)},
		{Name: "from", Label: "From", Kind: design.FilterDay},
		{Name: "until", Label: "Until", Kind: design.FilterDay},
	}
}

func remedyListForm() *design.ListForm {
	return &design.ListForm{Name: "remedies", Path: "/remedies", Orders: newestOrders(), Filters: append(remedyFilters(), design.Filter{Name: "sent", Label: "Had gone out", Choices: []design.Choice{{Value: "yes", Label: "yes"}}})}
}

func correctionForm() *design.ListForm {
	return &design.ListForm{Name: "corrections", Path: "/corrections", Orders: newestOrders(), Filters: remedyFilters()}
}

func remedySearch(q design.Query) concert.RemedySearch {
	return concert.RemedySearch{Sent: q.Value("sent") != "", Kind: concert.RemedyKind(q.Value("kind")), Category: concert.RemedyCategory(q.Value("category")), From: q.Day("from"), Until: q.DayAfter("until")}
}

func remedyKeys(_ string, m casework.ListedRemedy) []string {
	return []string{strconv.FormatInt(concert.Micros(m.At), 10), m.Ref}
}

// remedyColumns are what both registers say.
func remedyColumns(g casework.Registers) []design.Column[casework.ListedRemedy] {
	type row = casework.ListedRemedy
	return []design.Column[row]{
		linked("ref", "Reference", func(m row) (string, string) { return m.Ref, "" }),
		{Name: "kind", Label: "Remedy", Cell: func(ctx context.Context, m row) design.Cell { return stateCell(ctx, remedyStates[m.Kind]) }},
		text("category", "Reason category", func(ctx context.Context, m row) string { return say(ctx, remedyCategories[m.Category]) }),
		text("type", "Kind", func(ctx context.Context, m row) string { return say(ctx, typeText(m.Type)) }),
		text("author", "Authority", func(_ context.Context, m row) string { return g.Authorities[m.Author].Unit }),
	}
}

func (u *UI) remedyListing(ctx context.Context, v *visit) (listing[casework.ListedRemedy], error) {
	type row = casework.ListedRemedy
	scope, err := v.scope()
	if err != nil {
		return listing[row]{}, err
	}
	g, err := u.svc.Registers(ctx)
	if err != nil {
		return listing[row]{}, err
	}
	columns := append(remedyColumns(g),
		design.Column[row]{Name: "item", Label: "Item", Cell: func(_ context.Context, m row) design.Cell {
			return design.Cell{Text: m.ItemRef, Href: "/items/" + m.ItemRef}
		}},
		text("provider", "Provider", func(_ context.Context, m row) string { return g.Providers[m.Provider].Name }),
		text("sent", "Had gone out", func(ctx context.Context, m row) string {
			if m.Referral == "" {
				return say(ctx, "no")
			}
			return say(ctx, "yes")
		}),
		text("reason", "Reason", func(ctx context.Context, m row) string {
			if m.Reason == "" {
				return say(ctx, "erased")
			}
			return m.Reason
		}),
		text("at", "When", func(ctx context.Context, m row) string { return when(ctx, m.At) }))
	return listing[row]{form: remedyListForm(), caption: "Withdrawals and corrections", columns: columns, file: true, empty: "What is taken back or corrected stands here for ever.", keys: remedyKeys,
		row: func(m row) (string, bool) { return m.ItemRef, false },
		read: func(ctx context.Context, q design.Query, p concert.Page) (concert.Listed[row], error) {
			return u.svc.SearchRemedies(ctx, scope, remedySearch(q), q.Filters(), p)
		}}, nil
}

// remedies is the error register of an authority, with its reasons.
func (u *UI) remedies(w http.ResponseWriter, r *http.Request, v *visit) error {
	l, err := u.remedyListing(r.Context(), v)
	if err != nil {
		return err
	}
	return l.show(u, w, r, v, "Withdrawals and corrections", func(s design.Sheet) templ.Component {
		return plainList("Withdrawals and corrections", "The error register: every recipient was told of each. Nothing in it can be deleted, and without places and reasons it is public.", s)
	})
}

func (u *UI) remediesCSV(w http.ResponseWriter, r *http.Request, v *visit) error {
	l, err := u.remedyListing(r.Context(), v)
	if err != nil {
		return err
	}
	return l.csv(u, w, r, v)
}

// correctionsPage is the public register with its counts.
type correctionsPage struct {
	Sheet  design.Sheet
	Counts []concert.RemedyCount
}

// correctionListing is the public register; counts gets those of all when it is
// read.
func (u *UI) correctionListing(ctx context.Context, counts *[]concert.RemedyCount) (listing[casework.ListedRemedy], error) {
	type row = casework.ListedRemedy
	g, err := u.svc.Registers(ctx)
	if err != nil {
		return listing[row]{}, err
	}
	columns := append(remedyColumns(g), text("on", "On", func(ctx context.Context, m row) string { return day(ctx, m.At) }))
	return listing[row]{form: correctionForm(), caption: "Error register", columns: columns, file: true, empty: "Nothing that went out was taken back or corrected yet.", keys: remedyKeys,
		row: func(m row) (string, bool) { return m.Ref, false },
		read: func(ctx context.Context, q design.Query, p concert.Page) (concert.Listed[row], error) {
			found, all, err := u.svc.ErrorRegister(ctx, remedySearch(q), p)
			*counts = all
			return found, err
		}}, nil
}

// corrections is the public error register (G17).
func (u *UI) corrections(w http.ResponseWriter, r *http.Request, v *visit) error {
	var counts []concert.RemedyCount
	l, err := u.correctionListing(r.Context(), &counts)
	if err != nil {
		return err
	}
	return l.show(u, w, r, v, "Error register", func(s design.Sheet) templ.Component {
		slices.SortFunc(counts, func(a, b concert.RemedyCount) int { return b.N - a.N })
		return correctionsView(correctionsPage{s, counts})
	})
}

func (u *UI) correctionsCSV(w http.ResponseWriter, r *http.Request, v *visit) error {
	var counts []concert.RemedyCount
	l, err := u.correctionListing(r.Context(), &counts)
	if err != nil {
		return err
	}
	return l.csv(u, w, r, v)
}
