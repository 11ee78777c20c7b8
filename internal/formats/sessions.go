package formats

import (
	"encoding/csv"
	"io"
	"strconv"

	"concert"
	"concert/internal/accesslog"
)

// WriteSessionFactsCSV writes the facts of a report of sessions, one a line: its
// session (empty for none), the fields of a Fact, then what else its line says. A
// cell that a spreadsheet would take for a formula begins with an apostrophe.
func WriteSessionFactsCSV(w io.Writer, r *accesslog.SessionReport) error {
	c := csv.NewWriter(w)
	put := func(cells ...string) {
		for i, s := range cells {
			cells[i] = concert.PlainCell(s)
		}
		c.Write(cells) // its error stays in c
	}
	put("session", "kind", "at", "file", "offset", "length", "line_sha256", "pseudonym", "evaluation", "rule", "address", "user", "key", "country", "country_unreliable",
		"method", "path", "status", "times", "until", "year_assumed", "zone_assumed", "time_implausible")
	fact := func(session string, f accesslog.SessionFact) {
		status, unreliable := "", ""
		if f.Status != 0 {
			status = strconv.Itoa(f.Status)
		}
		if f.Address != "" {
			unreliable = strconv.FormatBool(f.Unreliable)
		}
		put(session, f.Kind, f.At, f.File, strconv.FormatInt(f.Offset, 10), strconv.Itoa(f.Length), f.LineSHA256, f.Pseudonym, f.Evaluation, f.Rule, f.Address, f.User, f.Key, f.Country, unreliable,
			f.Method, f.Path, status, strconv.FormatInt(f.Times, 10), f.Until, strconv.FormatBool(f.YearAssumed), strconv.FormatBool(f.ZoneAssumed), strconv.FormatBool(f.Implausible))
	}
	for _, s := range r.Sessions {
		for _, f := range s.Facts {
			fact(strconv.Itoa(s.Number), f)
		}
	}
	for _, f := range r.Unattributed {
		fact("", f)
	}
	c.Flush()
	return c.Error()
}
