package design

import (
	"context"

	"github.com/a-h/templ"

	"concert"
)

// Sheet is a list page, ready to be shown: what was asked, what there is, and
// where one goes from here.
type Sheet struct {
	Query   Query
	Caption string
	Heads   []Head
	Rows    []SheetRow
	Next    string // addresses of the pages beside this one, "" where there is none
	Back    string
	Looked  int    // rows looked through where the search stopped before its end
	On      string // address where it goes on then
	Most    int    // rows of the file, 0 where the list is given as none
	Saved   []SavedLink
	MaySave bool
	Share   bool   // what is saved can be shared with the authority
	CSRF    string // for the forms that save and take away
	Empty   string // what to do where there is nothing
}

// Head is the head of a column.
type Head struct {
	Name, Label string
	Number      bool
}

// SheetRow is one row: its cells in the order of the heads.
type SheetRow struct {
	Ref    string // names the row for the keyboard
	Urgent bool
	Cells  []SheetCell
}

// SheetCell is a cell with what its column says of it.
type SheetCell struct {
	Cell
	Head Head
	Row  bool // a row header
	Code bool
}

// SavedLink is a filter that somebody keeps.
type SavedLink struct {
	ID, Name, Href string
	Mine           bool
	Shared         bool
	Current        bool
}

// Sheet puts the page's cells together; ref names a row.
func (s Shown[R]) Sheet(ctx context.Context, ref func(R) (name string, urgent bool)) Sheet {
	out := Sheet{Query: s.Query, Next: s.Next, Back: s.Back, Looked: s.Looked}
	for _, c := range s.Columns {
		out.Heads = append(out.Heads, Head{c.Name, Say(ctx, c.Label), c.Number})
	}
	for _, r := range s.Rows {
		var row SheetRow
		row.Ref, row.Urgent = ref(r)
		for i, c := range s.Columns {
			row.Cells = append(row.Cells, SheetCell{c.Cell(ctx, r), out.Heads[i], c.Row, c.Code})
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

// Goes says that the search stopped and goes on at these keys.
func (s *Shown[R]) Goes(found concert.Listed[R], q Query) (on string) {
	if s.Looked = found.Looked; found.Rest == nil {
		return ""
	}
	if q.At.Back {
		return q.Previous(found.Rest...)
	}
	return q.Next(found.Rest...)
}

// choiceText is what a choice is called.
func choiceText(ctx context.Context, c Choice) string {
	if c.Said != "" {
		return c.Said
	}
	return Say(ctx, c.Label)
}

// asked are the values that were given, each with a link that takes it away.
type askedFor struct{ Label, Value, Without string }

func (q Query) asked(ctx context.Context) []askedFor {
	var out []askedFor
	for _, f := range q.Form().Filters {
		v := q.values[f.Name]
		if v == "" {
			continue
		}
		said := v
		for _, c := range f.Choices {
			if c.Value == v {
				said = choiceText(ctx, c)
			}
		}
		if v == Any {
			said = Say(ctx, "any")
		}
		out = append(out, askedFor{Say(ctx, f.Label), said, q.With(f.Name, "")})
	}
	return out
}

func cellClass(c SheetCell) string {
	switch {
	case c.Head.Number:
		return "n"
	case c.Place:
		return "at"
	case c.Code:
		return "code"
	}
	return ""
}

// dataRow is the hook by which the keyboard goes from row to row.
func dataRow(r SheetRow) templ.Attributes {
	if r.Ref == "" {
		return nil
	}
	return templ.Attributes{"data-row": r.Ref}
}
