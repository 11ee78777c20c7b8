package formats

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"concert"
	"concert/tlog"
)

// publishedMost bounds the rows of a published file.
const publishedMost = 2_000_000

// Published is one file of the register, or a report, as somebody got it.
type Published struct {
	AsOf    time.Time
	table   registerTable // as it was read; name says which file it is
	article int
	subject string
	year    int
}

// Name is which file it is.
func (p Published) Name() string { return p.table.name }

// Rows is how many rows it has.
func (p Published) Rows() int { return len(p.table.rows) }

// ReadPublished reads a file of the register or a report as CSV, and says as of when
// it speaks. It is refused when it is none, or has no row that says so.
func ReadPublished(r io.Reader) (Published, error) {
	var p Published
	c := csv.NewReader(r)
	c.ReuseRecord = false
	head, err := c.Read()
	if err != nil {
		return p, fmt.Errorf("published file: %w; is this a CSV file of the register?", err)
	}
	known := slices.IndexFunc(publishedTables(), func(t registerTable) bool { return slices.Equal(t.columns, head) })
	if known < 0 {
		return p, fmt.Errorf("published file: its columns are those of no file of the register (docs/formats/register.md): %.80q …", head)
	}
	p.table = publishedTables()[known]
	for {
		row, err := c.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return p, fmt.Errorf("published file: %w", err)
		}
		if len(p.table.rows) == publishedMost {
			return p, fmt.Errorf("published file: it has more than %d rows", publishedMost)
		}
		p.table.rows = append(p.table.rows, row)
	}
	if len(p.table.rows) == 0 {
		return p, fmt.Errorf("published file: it has no rows, so that it does not say as of when: check %s of the same day, which counts what there is", FiguresFile)
	}
	if p.AsOf, err = time.Parse(asOfForm, p.table.rows[0][0]); err != nil {
		return p, fmt.Errorf("published file: as_of in row 1 is %.40q; it is written like 2026-01-02T00:00:00Z", p.table.rows[0][0])
	}
	if p.table.name != reportFile {
		return p, nil
	}
	first := func(column string) string { return p.table.rows[0][slices.Index(head, column)] }
	p.subject = first("subject")
	if p.article, err = strconv.Atoi(first("article")); err == nil {
		p.year, err = strconv.Atoi(first("year"))
	}
	if err != nil {
		return p, fmt.Errorf("published file: article and year in row 1 are no numbers")
	}
	return p, nil
}

// publishedTables are the tables without rows.
func publishedTables() []registerTable {
	e := concert.PublicEdition{}
	all := []registerTable{registerOf(e), errorsOf(e), figuresOf(e), reportOf(concert.PublicReport{})}
	for i := range all {
		all[i].rows = nil
	}
	return all
}

// PublicDifference is the first number, or word, in which a published file and the
// recount differ.
type PublicDifference struct {
	Row       int    // from 1, without the head
	Where     string // which row it is
	Column    string
	Published string
	Recounted string
}

// String says it in a sentence.
func (d PublicDifference) String() string {
	if d.Column == "" {
		return fmt.Sprintf("row %d: published %q, recounted %q", d.Row, d.Published, d.Recounted)
	}
	return fmt.Sprintf("row %d (%s), column %s: published %q, recounted %q", d.Row, d.Where, d.Column, d.Published, d.Recounted)
}

// Compare sets the file beside the recount; nil where they agree in every cell.
func (p Published) Compare(e concert.PublicEdition) (*PublicDifference, error) {
	var want registerTable
	switch p.table.name {
	case RegisterFile:
		want = registerOf(e)
	case ErrorsFile:
		want = errorsOf(e)
	case FiguresFile:
		want = figuresOf(e)
	default:
		r, err := e.Report(p.article, p.subject, p.year)
		if err != nil {
			return nil, err
		}
		want = reportOf(r)
	}
	for i := range max(len(want.rows), len(p.table.rows)) {
		switch {
		case i >= len(p.table.rows):
			return &PublicDifference{Row: i + 1, Published: "nothing", Recounted: want.where(want.rows[i])}, nil
		case i >= len(want.rows):
			return &PublicDifference{Row: i + 1, Published: p.table.where(p.table.rows[i]), Recounted: "nothing"}, nil
		}
		for j, v := range want.rows[i] {
			if got := p.table.rows[i][j]; got != concert.PlainCell(v) {
				return &PublicDifference{Row: i + 1, Where: want.where(want.rows[i]), Column: want.columns[j], Published: got, Recounted: v}, nil
			}
		}
	}
	return nil, nil
}

// Recounting folds the events of an export up to a moment, and keeps what is needed for
// the root of the log up to there.
type Recounting struct {
	fold    *concert.PublicFold
	cutoff  int64
	over    bool
	commits *tlog.Auditor
	err     error
}

// NewRecounting counts what lies before the cutoff.
func NewRecounting(cutoff time.Time) *Recounting {
	return &Recounting{fold: concert.NewPublicFold(), cutoff: concert.Micros(cutoff), commits: tlog.NewAuditor(nil)}
}

// Take takes the next event of the log.
func (c *Recounting) Take(e concert.RecordedEvent) {
	if c.over = c.over || e.At >= c.cutoff; c.over || c.err != nil {
		return
	}
	if c.err = c.fold.Add(e); c.err != nil {
		return
	}
	var commit tlog.Hash
	copy(commit[:], e.Commit)
	c.commits.Add(commit)
}

// Edition is the register as it was published at the cutoff.
func (c *Recounting) Edition(rules concert.PublicRules, cutoff time.Time, exercise bool) (concert.PublicEdition, error) {
	if c.err != nil {
		return concert.PublicEdition{}, c.err
	}
	e := c.fold.Edition(rules, cutoff)
	e.Root, e.Exercise = fmt.Sprintf("%x", c.commits.Finish().Root), exercise
	return e, nil
}

// RecountBundle verifies an export, as VerifyBundle does, and counts the register as of
// the moment anew. What is not verified is not counted.
func RecountBundle(r io.Reader, logKey string, witnessKeys []string, rules concert.PublicRules, asOf time.Time) (concert.PublicEdition, Verification, error) {
	c := NewRecounting(asOf)
	v, err := verifyBundle(r, logKey, witnessKeys, c.Take)
	if err != nil || !v.Verified {
		return concert.PublicEdition{}, v, err
	}
	e, err := c.Edition(rules, asOf, v.Exercise)
	return e, v, err
}
