package formats

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"concert"
)

// The public register as files (docs/formats/register.md). What is published and what
// is recounted from an export is written by the same functions, so that both are the
// same bytes or differ in a number that can be named.

// Names of the register's files.
const (
	RegisterFile = "register.csv"
	ErrorsFile   = "errors.csv"
	FiguresFile  = "figures.csv"
	SumsFile     = "SHA256SUMS"
)

// registerTable is a file of the register before it is written; key names the column
// that says which row it is.
type registerTable struct {
	name    string
	columns []string
	rows    [][]string
	key     []string
}

// asOfForm is how the files say as of when they speak.
const asOfForm = time.RFC3339

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// listCell is a list as the DSA database's dumps write it; empty for none.
func listCell[T ~string](in []T) string {
	if len(in) == 0 {
		return ""
	}
	b, err := json.Marshal(in)
	if err != nil {
		return "" // strings always are JSON
	}
	return string(b)
}

// registerColumns are the columns of register.csv.
var registerColumns = []string{"as_of", "log_size", "log_index", "kind", "ref", "authority", "authority_state", "provider", "provider_state", "sent_on", "changed_on", "status", "legal_act", "reason_types", "place_units", "items",
	"category", "category_specification", "content_type", "decision_ground", "decision_visibility", "decision_provision", "decision_account", "source_type", "territorial_scope", "automated_decision",
	"answers", "observed", "checked_on", "acknowledged", "executed", "hour_missed", "impossible", "cross_border", "emergency", "scrutinised", "error", "exercise"}

// claimed is what the provider's words mean in the vocabulary of the DSA Transparency
// Database.
func claimed(answers []string) (visibility []string, provision, account string) {
	for _, a := range answers {
		v := ""
		switch a {
		case string(concert.AnswerRemoved):
			v = "DECISION_VISIBILITY_CONTENT_REMOVED"
		case string(concert.AnswerDisabledEU), string(concert.AnswerDisabledIn), string(concert.MeasureDisabled):
			v = "DECISION_VISIBILITY_CONTENT_DISABLED"
		case string(concert.AnswerRestricted):
			v = "DECISION_VISIBILITY_OTHER"
		case string(concert.AnswerAccountSuspended):
			account = "DECISION_ACCOUNT_SUSPENDED"
		case string(concert.AnswerDomainOnHold):
			provision = "DECISION_PROVISION_TOTAL_SUSPENSION"
		}
		if v != "" && !slices.Contains(visibility, v) {
			visibility = append(visibility, v)
		}
	}
	return visibility, provision, account
}

func contentsOf(r concert.PublicRecord) []string {
	var out []string
	for _, t := range r.Contents {
		v, ok := contentTypes[t]
		if !ok {
			v = "CONTENT_TYPE_OTHER"
		}
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

func registerOf(e concert.PublicEdition) registerTable {
	t := registerTable{name: RegisterFile, columns: registerColumns, key: []string{"ref"}}
	for _, r := range e.Records {
		visibility, provision, account := claimed(r.Answers)
		act, ground, source, scope := "Regulation (EU) 2021/784, Art. 3", "DECISION_GROUND_ILLEGAL_CONTENT", "", listCell([]string{"EU"})
		if r.Kind == concert.PublicReferral {
			act, ground, source, scope = "Regulation (EU) 2021/784, recital 40", "", "SOURCE_TYPE_OTHER_NOTIFICATION", ""
			if len(visibility) > 0 || provision != "" || account != "" {
				ground = "DECISION_GROUND_INCOMPATIBLE_CONTENT"
			}
			if r.Article16 {
				source = "SOURCE_ARTICLE_16"
			}
		}
		t.rows = append(t.rows, []string{e.AsOf.Format(asOfForm), strconv.FormatInt(e.Size, 10), strconv.FormatInt(r.Index, 10), string(r.Kind), r.Ref, r.Authority, r.State, r.Provider, r.Seat, r.On, r.ChangedOn, r.Status, act, listCell(r.Types), listCell(r.Units), string(r.Items),
			"STATEMENT_CATEGORY_RISK_FOR_PUBLIC_SECURITY", listCell([]string{"KEYWORD_TERRORIST_CONTENT"}), listCell(contentsOf(r)), ground, listCell(visibility), provision, account, source, scope, "AUTOMATED_DECISION_NOT_AUTOMATED",
			listCell(r.Answers), listCell(r.Seen), r.CheckedOn, yesNo(r.Acknowledged), yesNo(r.Executed), yesNo(r.Missed), listCell(r.Why), yesNo(r.CrossBorder), yesNo(r.Emergency), yesNo(r.Scrutinised), yesNo(r.Error), yesNo(e.Exercise)})
	}
	return t
}

func errorsOf(e concert.PublicEdition) registerTable {
	t := registerTable{name: ErrorsFile, key: []string{"log_index"}, columns: []string{"as_of", "log_size", "log_index", "kind", "category", "request", "ref", "authority", "provider", "sent_on", "corrected_on", "items", "exercise"}}
	for _, m := range e.Mistakes {
		t.rows = append(t.rows, []string{e.AsOf.Format(asOfForm), strconv.FormatInt(e.Size, 10), strconv.FormatInt(m.Index, 10), string(m.Kind), string(m.Category), string(m.Request), m.Ref, m.Authority, m.Provider, m.SentOn, m.RightOn, string(m.Items), yesNo(e.Exercise)})
	}
	return t
}

// number is a line's numbers: the number, whether it is shown, its denominator and
// that one's.
func number(l concert.PublicReportLine) []string {
	switch {
	case l.Metric == "":
		return []string{"", "", "", "not recorded", "", "", "", l.Definition}
	case l.N == concert.Few:
		return []string{string(l.Metric), string(l.Unit), "", "no", string(l.Of), ofText(l), l.CheckedOn, l.Definition}
	}
	return []string{string(l.Metric), string(l.Unit), strconv.FormatInt(l.N, 10), "yes", string(l.Of), ofText(l), l.CheckedOn, l.Definition}
}

func ofText(l concert.PublicReportLine) string {
	if l.Of == "" {
		return ""
	}
	return concert.Shown(l.OfN)
}

var numberColumns = []string{"figure", "unit", "number", "shown", "of", "of_number", "checked_on", "definition"}

func figuresOf(e concert.PublicEdition) registerTable {
	t := registerTable{name: FiguresFile, key: []string{"scope", "subject", "year", "figure"}, columns: slices.Concat([]string{"as_of", "log_size", "log_root", "scope", "subject", "year"}, numberColumns, []string{"exercise"})}
	rows := e.Rows
	if len(rows) == 0 {
		rows = []concert.PublicRow{{Scope: concert.PublicScope{Kind: concert.ScopeAll}, Counts: concert.Counts{}}}
	}
	for _, r := range rows {
		year := "all"
		if r.Year != 0 {
			year = strconv.Itoa(r.Year)
		}
		for _, l := range r.Lines() {
			t.rows = append(t.rows, slices.Concat([]string{e.AsOf.Format(asOfForm), strconv.FormatInt(e.Size, 10), e.Root, r.Scope.Kind, r.Scope.Ref, year}, number(l), []string{yesNo(e.Exercise)}))
		}
	}
	return t
}

// reportFile is how a report's table is told from the register's.
const reportFile = "report.csv"

func reportOf(r concert.PublicReport) registerTable {
	t := registerTable{name: reportFile, key: []string{"point", "figure"}, columns: slices.Concat([]string{"as_of", "log_size", "log_root", "article", "subject", "year", "year_over", "point"}, numberColumns, []string{"exercise"})}
	for _, l := range r.Lines {
		t.rows = append(t.rows, slices.Concat([]string{r.AsOf.Format(asOfForm), strconv.FormatInt(r.Size, 10), r.Root, strconv.Itoa(r.Article), r.Subject, strconv.Itoa(r.Year), yesNo(!r.Running), l.Point}, number(l), []string{yesNo(r.Exercise)}))
	}
	return t
}

func (t registerTable) write(w io.Writer) error {
	c := csv.NewWriter(w)
	if err := c.Write(t.columns); err != nil {
		return fmt.Errorf("write %s: %w", t.name, err)
	}
	for _, row := range t.rows {
		out := make([]string, len(row))
		for i, v := range row {
			out[i] = concert.PlainCell(v)
		}
		if err := c.Write(out); err != nil {
			return fmt.Errorf("write %s: %w", t.name, err)
		}
	}
	c.Flush()
	return c.Error()
}

// WritePublic writes one of the register's files.
func WritePublic(w io.Writer, name string, e concert.PublicEdition) error {
	switch name {
	case RegisterFile:
		return registerOf(e).write(w)
	case ErrorsFile:
		return errorsOf(e).write(w)
	case FiguresFile:
		return figuresOf(e).write(w)
	}
	return concert.ErrNotFound
}

// WriteReportCSV writes a report as a table.
func WriteReportCSV(w io.Writer, r concert.PublicReport) error { return reportOf(r).write(w) }

// where says which row it is, in the words of its key columns.
func (t registerTable) where(row []string) string {
	var out []string
	for _, k := range t.key {
		if v := row[slices.Index(t.columns, k)]; v != "" {
			out = append(out, v)
		}
	}
	return strings.Join(out, " ")
}
