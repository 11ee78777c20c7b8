package lake

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"concert/internal/accesslog"
)

// Result is an answer with what it means and what it was taken from.
type Result struct {
	Query      string                 `json:"query"`
	Definition string                 `json:"definition"`
	Columns    []Column               `json:"columns"`
	Rows       [][]any                `json:"rows"` // int64 and string, as the columns say; nil where a number was left out
	Suppressed *accesslog.Suppression `json:"suppressed"`
	Lake       Source                 `json:"lake"`
	Caveats    []string               `json:"caveats"`

	person bool
}

// Source is the lake that an answer was taken from.
type Source struct {
	Case     string `json:"case"`
	Epoch    string `json:"epoch"`
	Manifest string `json:"manifest"` // SHA-256 of its manifest
	SignedBy string `json:"signed_by"`
	Key      string `json:"key"` // that signed, base64; empty: nobody did
	Lines    int64  `json:"lines"`
	Rows     int64  `json:"rows"`
	Rejected int64  `json:"rejected"`
}

// Answer is rows, as the query's columns say, with what they mean and the lake that
// they were taken from: another engine's answer, once it is known to be whole.
func (l *Lake) Answer(q Query, rows [][]any) *Result {
	if rows == nil {
		rows = [][]any{}
	}
	return &Result{Query: q.Name, Definition: q.Definition, Columns: q.Columns, Rows: rows, person: q.Person, Caveats: accesslog.Caveats(), Lake: l.Source()}
}

// Source says which lake an answer was taken from.
func (l *Lake) Source() Source {
	m := l.Manifest
	s := Source{Case: m.Case, Epoch: m.Epoch, Manifest: l.Digest, Lines: m.Lines, Rows: m.Rows, Rejected: m.Rejected}
	if l.Seal != nil {
		s.SignedBy, s.Key = l.Seal.By, l.Seal.Key
	}
	return s
}

// WriteJSON writes the answer as JSON.
func (r *Result) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}

// inTSV escapes a text as ClickHouse's TabSeparated does.
var inTSV = strings.NewReplacer("\\", `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`, "\x00", `\0`, "\b", `\b`, "\f", `\f`, "'", `\'`)

// WriteTSV writes the answer's rows as tab-separated text without a heading, as
// ClickHouse's TabSeparated does; \N stands for a number that was left out.
func (r *Result) WriteTSV(to io.Writer) error {
	w := bufio.NewWriter(to)
	for _, row := range r.Rows {
		for i, cell := range row {
			if i > 0 {
				w.WriteByte('\t')
			}
			switch v := cell.(type) {
			case nil:
				w.WriteString(`\N`)
			case string:
				inTSV.WriteString(w, v)
			default:
				fmt.Fprint(w, v)
			}
		}
		w.WriteByte('\n')
	}
	return w.Flush()
}

// Released is the answer for a reader outside the case, by the rules of
// accesslog.Report.Released: rows with a number from 1 to 4 are left out, and where
// a single one would be, the next smallest goes with it; of a number that lies
// between two others likewise. What is about single pseudonyms is not released.
func (r *Result) Released() (*Result, error) {
	if r.person {
		return nil, fmt.Errorf("%s is about single pseudonyms and leaves the case only by way of the people who decide on each", r.Query)
	}
	out := *r
	out.Suppressed = &accesslog.Suppression{Below: accesslog.Smallest}
	if r.Query == "countries" {
		out.Rows = releasedCountries(r.Rows, out.Suppressed)
		return &out, nil
	}
	if r.Query == "visitors" {
		out.Rows = [][]any{releasedTotals(r.Rows[0], out.Suppressed)}
		return &out, nil
	}
	kept := slices.DeleteFunc(slices.Clone(r.Rows), func(row []any) bool { return slices.ContainsFunc(row[1:], few) })
	if hidden := len(r.Rows) - len(kept); hidden == 1 && len(kept) > 0 && r.Query != "paths" {
		least := slices.MinFunc(kept, func(a, b []any) int { return int(min(max(a[1].(int64)-b[1].(int64), -1), 1)) })
		kept = slices.DeleteFunc(kept, func(row []any) bool { return row[0] == least[0] })
	}
	out.Rows, out.Suppressed.Cells = kept, len(r.Rows)-len(kept)
	return &out, nil
}

// few reports whether a cell is a number that could point to somebody.
func few(cell any) bool {
	n, ok := cell.(int64)
	return ok && n > 0 && n < accesslog.Smallest
}

func releasedCountries(rows [][]any, s *accesslog.Suppression) [][]any {
	report := &accesslog.Report{Countries: map[string]accesslog.Country{}}
	for _, row := range rows {
		human, persons := row[3].(int64), row[4].(int64)
		report.Countries[row[0].(string)] = accesslog.Country{Accesses: row[1].(int64), Visitors: row[2].(int64), AccessesWithoutBots: &human, VisitorsWithoutBots: &persons}
	}
	report = report.Released()
	s.Cells = report.Suppressed.Cells
	kept := [][]any{}
	for _, row := range rows {
		c, ok := report.Countries[row[0].(string)]
		if !ok {
			continue
		}
		if row = slices.Clone(row); c.VisitorsWithoutBots == nil {
			row[3], row[4] = nil, nil
		}
		kept = append(kept, row)
	}
	return kept
}

// releasedTotals leaves out small totals, and the number without bots where the
// bots are few.
func releasedTotals(row []any, s *accesslog.Suppression) []any {
	row = slices.Clone(row)
	if few(row[1].(int64) - row[2].(int64)) {
		row[2] = nil
		s.Cells++
	}
	for i, cell := range row {
		if few(cell) {
			row[i] = nil
			s.Cells++
		}
	}
	return row
}
