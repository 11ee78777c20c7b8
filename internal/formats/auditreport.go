package formats

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"

	"concert"
	"concert/tlog"
)

// auditColumns are those of an audit report as CSV (docs/audit.md).
var auditColumns = []string{"as_of", "events", "root", "section", "of", "part", "figure", "value"}

// auditRows bounds the rows of a report that is read.
const auditRows = 2_000_000

// WriteAuditCSV writes the report as CSV. The same report gives the same bytes.
func WriteAuditCSV(w io.Writer, r concert.AuditReport) error {
	c := csv.NewWriter(w)
	if err := c.Write(auditColumns); err != nil {
		return fmt.Errorf("audit report: %w", err)
	}
	for _, row := range auditTable(r) {
		if err := c.Write(row); err != nil {
			return fmt.Errorf("audit report: %w", err)
		}
	}
	c.Flush()
	return c.Error()
}

// auditTable are the report's rows.
func auditTable(r concert.AuditReport) [][]string {
	rows := [][]string{{r.AsOf.UTC().Format(concert.TimeFormat), strconv.FormatInt(r.Size, 10), r.Root, "report", "", "", "exercise", strconv.FormatBool(r.Exercise)}}
	for _, l := range r.Lines {
		row := []string{rows[0][0], rows[0][1], r.Root, l.Section, l.Of, l.Part, l.Figure, l.Value}
		for i, v := range row {
			row[i] = concert.PlainCell(v)
		}
		rows = append(rows, row)
	}
	return rows
}

// auditSections are the report's parts as people read them.
var auditSections = [][2]string{
	{"access", "Accesses by kind (Directive (EU) 2016/680 Art. 25) and month"}, {"disclosure", "Disclosures by recipient"}, {"draw", "Random draws and over-removal rates"}, {"recommendation", "Recommendations to the authorities"},
	{"unit", "What was drawn, in the order of the lots"}, {"time_in_state", "Time in each state, seconds"},
}

// WriteAuditHTML writes the report as one page without anything from elsewhere. The same
// report gives the same bytes.
func WriteAuditHTML(w io.Writer, r concert.AuditReport) error {
	p := annexPage{top: 1}
	p.printf("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Audit report</title>\n<style>\n%s</style>\n</head>\n<body>\n<main>\n", publicReportStyle)
	if r.Exercise {
		p.printf("<p class=\"exercise\"><strong>%s</strong></p>\n", esc(reportExercise))
	}
	p.heading(0, "Audit report")
	p.printf("<dl>\n<dt>As of</dt>\n<dd>%s</dd>\n<dt>Log</dt>\n<dd>%d events, root %s</dd>\n</dl>\n", esc(r.AsOf.UTC().Format(concert.TimeFormat)), r.Size, esc(r.Root))
	p.printf("<p>%s</p>\n", esc("Every number is counted from the events of the log, and whoever has the log counts the same: concert audit verify. A share is of units that were judged blind; an unfinished draw has none, and of fewer than five judged none is told."))
	for _, s := range auditSections {
		lines := slices.DeleteFunc(slices.Clone(r.Lines), func(l concert.AuditLine) bool { return l.Section != s[0] })
		if len(lines) == 0 {
			continue
		}
		p.heading(1, s[1])
		p.printf("<table>\n<thead><tr><th scope=\"col\">Of</th><th scope=\"col\">Part</th><th scope=\"col\">Figure</th><th scope=\"col\" class=\"n\">Value</th></tr></thead>\n<tbody>\n")
		for _, l := range lines {
			p.printf("<tr><th scope=\"row\">%s</th><td>%s</td><td><code>%s</code></td><td class=\"n\">%s</td></tr>\n", esc(l.Of), esc(l.Part), esc(l.Figure), esc(l.Value))
		}
		p.printf("</tbody>\n</table>\n")
	}
	p.printf("</main>\n</body>\n</html>\n")
	if _, err := io.WriteString(w, p.String()); err != nil {
		return fmt.Errorf("write the audit report: %w", err)
	}
	return nil
}

// AuditFile is an audit report as CSV, as somebody got it.
type AuditFile struct {
	Size int64 // events that it speaks of
	rows [][]string
}

// Rows is how many rows it has.
func (f AuditFile) Rows() int { return len(f.rows) }

// ReadAuditReport reads an audit report as CSV.
func ReadAuditReport(r io.Reader) (AuditFile, error) {
	var f AuditFile
	c := csv.NewReader(r)
	head, err := c.Read()
	if err != nil || !slices.Equal(head, auditColumns) {
		return f, fmt.Errorf("audit report: its columns are %.80q and not %q (%w)", head, auditColumns, errNoAudit(err))
	}
	for {
		row, err := c.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return f, fmt.Errorf("audit report: %w", err)
		}
		if len(f.rows) == auditRows {
			return f, fmt.Errorf("audit report: it has more than %d rows", auditRows)
		}
		f.rows = append(f.rows, row)
	}
	if len(f.rows) == 0 {
		return f, fmt.Errorf("audit report: it has no rows, so that it does not say of how many events it speaks")
	}
	if f.Size, err = strconv.ParseInt(f.rows[0][1], 10, 64); err != nil || f.Size < 1 {
		return f, fmt.Errorf("audit report: events in row 1 is %.40q, which is no number of events", f.rows[0][1])
	}
	return f, nil
}

func errNoAudit(err error) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("it is another file")
}

// Compare sets the file beside the recount; nil where they agree in every cell.
func (f AuditFile) Compare(r concert.AuditReport) *PublicDifference {
	want := auditTable(r)
	for i := range max(len(want), len(f.rows)) {
		switch {
		case i >= len(f.rows):
			return &PublicDifference{Row: i + 1, Published: "nothing", Recounted: fmt.Sprint(want[i][3:])}
		case i >= len(want):
			return &PublicDifference{Row: i + 1, Published: fmt.Sprint(f.rows[i][3:]), Recounted: "nothing"}
		}
		for j, v := range want[i] {
			if f.rows[i][j] != v {
				return &PublicDifference{Row: i + 1, Where: fmt.Sprint(want[i][3:7]), Column: auditColumns[j], Published: f.rows[i][j], Recounted: v}
			}
		}
	}
	return nil
}

// auditRecount folds the first events of an export, and keeps what is needed for the
// roots of the log that draws were made by.
type auditRecount struct {
	fold    *concert.AuditFold
	size    int64 // events to take; 0 for all
	commits []tlog.Hash
	draws   []concert.DrawBody
	err     error
}

func (c *auditRecount) take(e concert.RecordedEvent) {
	if c.err != nil || c.size > 0 && c.fold.Size >= c.size {
		return
	}
	if c.err = c.fold.Add(e); c.err != nil {
		return
	}
	var commit tlog.Hash
	copy(commit[:], e.Commit)
	c.commits = append(c.commits, commit)
	if e.Kind == concert.EventAuditDrawn {
		var b concert.DrawBody
		if c.err = json.Unmarshal(e.Body, &b); c.err == nil {
			c.draws = append(c.draws, b)
		}
	}
}

// root is the root of the log's first events, hex.
func (c *auditRecount) root(size int64) string {
	a := tlog.NewAuditor(nil)
	for _, h := range c.commits[:size] {
		a.Add(h)
	}
	return fmt.Sprintf("%x", a.Finish().Root)
}

// RecountAudit verifies an export, as VerifyBundle does, and makes the audit report of
// its first events anew; size 0 takes all. What is not verified is not counted. A draw
// that names another head than the log had is an error: its lot did not fall by it.
func RecountAudit(r io.Reader, logKey string, witnessKeys []string, size int64) (concert.AuditReport, Verification, error) {
	var none concert.AuditReport
	c := auditRecount{fold: concert.NewAuditFold(), size: size}
	v, err := verifyBundle(r, logKey, witnessKeys, c.take)
	if err != nil || !v.Verified {
		return none, v, err
	}
	if c.err != nil {
		return none, v, c.err
	}
	if c.fold.Size < size {
		return none, v, fmt.Errorf("the export has %d events, and the report speaks of %d: take a newer export", c.fold.Size, size)
	}
	for _, d := range c.draws {
		if d.HeadSize < 1 || d.HeadSize > c.fold.Size || c.root(d.HeadSize) != d.HeadRoot {
			return none, v, fmt.Errorf("draw %s says that it was made by the head of %d events with the root %.16s…, which the log never had", d.Ref, d.HeadSize, d.HeadRoot)
		}
	}
	out := c.fold.Report()
	out.Root, out.Exercise = c.root(c.fold.Size), v.Exercise
	return out, v, nil
}
