package design

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"slices"

	"concert"
)

// Cell is what one column says of one row: the same text on the page and in the
// file.
type Cell struct {
	Text  string
	Href  string // where the text leads on the page, "" for nowhere
	Shape string // the sign before a state's word
	Tone  string // of a state: good, bad, wait, go, end; "" for plain text
	Lang  string // BCP 47, where it is not the page's
	Place bool   // a place: text that nobody can click
	Pick  string // value of a box that picks the row for the form "pick", "" for none
}

// Column is one column of a list.
type Column[R any] struct {
	Name   string // stable, for the page's markup and tests
	Label  Text
	Cell   func(context.Context, R) Cell
	Row    bool // names the row: a row header
	Number bool // figures, one under the other
	Code   bool // references, digests: letters of one width, left to right
}

// Shown is one page of a list.
type Shown[R any] struct {
	Query   Query
	Columns []Column[R]
	Rows    []R
	Next    string // address of the page after this one, "" on the last
	Back    string // of the page before it, "" on the first
	Looked  int    // rows that were looked through where the search stopped before its end, 0 where it did not
}

// Paged is the page of rows that were read for a query: one row more than its
// size says that more follow. keys are a row's in the query's order. A page read
// backwards comes nearest first and is turned round.
func Paged[R any](q Query, columns []Column[R], rows []R, keys func(R) []string) Shown[R] {
	s := Shown[R]{Query: q, Columns: columns}
	more := len(rows) > q.Size
	if more {
		rows = rows[:q.Size]
	}
	if q.At.Back {
		rows = slices.Clone(rows)
		slices.Reverse(rows)
	}
	s.Rows = rows
	if len(rows) == 0 {
		return s
	}
	if more || q.At.Back {
		s.Next = q.Next(keys(rows[len(rows)-1])...)
	}
	if more && q.At.Back || len(q.At.Keys) > 0 && !q.At.Back {
		s.Back = q.Previous(keys(rows[0])...)
	}
	return s
}

// csvMark tells spreadsheets that the text is UTF-8.
const csvMark = "\uFEFF"

// WriteCSV writes a list as a file: a line of the columns' names, then each row
// with the text that the page shows. next gives the rows piece by piece, none at
// the end; each piece is written before the next is asked for. After most rows
// the file ends with a line that says so, where there are more. It returns how
// many rows it wrote.
func WriteCSV[R any](ctx context.Context, w io.Writer, columns []Column[R], most int, next func() ([]R, error)) (int, error) {
	if _, err := io.WriteString(w, csvMark); err != nil {
		return 0, fmt.Errorf("list as CSV: %w", err)
	}
	out := csv.NewWriter(w)
	line := make([]string, len(columns))
	write := func(cell func(Column[R]) string) error {
		for i, c := range columns {
			line[i] = concert.PlainCell(cell(c))
		}
		return out.Write(line)
	}
	if err := write(func(c Column[R]) string { return Say(ctx, c.Label) }); err != nil {
		return 0, fmt.Errorf("list as CSV: %w", err)
	}
	for n := 0; ; {
		rows, err := next()
		if err != nil {
			return n, err
		}
		for _, r := range rows {
			if n == most {
				clear(line)
				line[0] = Say(ctx, "Only the first %d rows: more follow. Narrow the filters.", most)
				if err := out.Write(line); err != nil {
					return n, fmt.Errorf("list as CSV: %w", err)
				}
				out.Flush()
				return n, out.Error()
			}
			if err := write(func(c Column[R]) string { return c.Cell(ctx, r).Text }); err != nil {
				return n, fmt.Errorf("list as CSV: %w", err)
			}
			n++
		}
		if out.Flush(); out.Error() != nil {
			return n, fmt.Errorf("list as CSV: %w", out.Error())
		}
		if len(rows) == 0 {
			return n, nil
		}
	}
}
