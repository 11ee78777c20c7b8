package webui

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
)

var tableTexts = map[string]design.Text{
	"times_by_provider": "Per provider", "times_by_category": "Per category of Art. 2(7)", "times_by_language": "Per language", "missed_deadlines": "Missed deadlines, with reasons", "redress": "Put right, disputed, avoided",
}

var columnTexts = map[string]design.Text{
	"provider": "Provider", "category": "Category", "language": "Language", "referred": "Referred", "acknowledged": "Acknowledged", "answered": "Answered", "removed": "Claimed removed", "refused": "Refused", "looked_at": "Looked at again",
	"seen_down": "Seen down", "returned": "Returned", "withdrawn": "Withdrawn", "ack_median_s": "Acknowledged, median", "ack_p90_s": "Acknowledged, p90", "answer_median_s": "Answered, median", "answer_p90_s": "Answered, p90",
	"down_median_s": "Seen down, median", "down_p90_s": "Seen down, p90", "deadline": "Deadline", "reason": "Reason", "referrals": "Referrals", "what": "What", "value": "Count", "definition": "What it counts",
}

// codeTexts are codes that stand in a report's tables.
var codeTexts = map[string]design.Text{
	"all": "all", "other": "others, fewer than five each", "answer_48h": "a last word within 48 hours", string(concert.MissedUnread): "nobody had confirmed it by then", string(concert.MissedUnanswered): "confirmed, not answered",
	"withdrawn": "Withdrawn", "corrected": "Corrections", "contested": "Contested by the author", "restored": "Put back by the provider", "refused": "Refused", "rejected_here": "Rejected before it left", "second_disagreed": "Second looks disagreed",
	"returned": "Returned", "duplicates_avoided": "Duplicates avoided",
}

// shownTables are the tables of a report that its page adds to those of counts.
var shownTables = []string{"times_by_provider", "times_by_category", "times_by_language", "missed_deadlines", "redress"}

func (p reportPage) table(name string) concert.ReportTable {
	for _, t := range p.Tables {
		if t.Name == name {
			return t
		}
	}
	return concert.ReportTable{}
}

// cellText is a cell of a report's table for people: seconds as a span, numbers
// grouped, codes in words.
func cellText(ctx context.Context, t concert.ReportTable, column int, cell string) string {
	name := t.Columns[column]
	if n, err := strconv.ParseInt(cell, 10, 64); err == nil {
		if strings.HasSuffix(name, "_s") {
			return span(time.Duration(n) * time.Second)
		}
		return thousands(n)
	}
	if s := codeTexts[cell]; s != "" {
		return say(ctx, s)
	}
	if name == "category" {
		for _, c := range contentTypes {
			if string(c.Type) == cell {
				return say(ctx, "Art. 2(7)(%s)", c.Letter)
			}
		}
	}
	switch {
	case cell == "":
		return "–"
	case name == "definition":
		return say(ctx, design.Text(cell))
	}
	return cell
}

// survivalChart is the curve of time to removal with its numbers.
func (p reportPage) survivalChart(ctx context.Context) (f design.Figure, longest time.Duration, xs, ys []design.Tick) {
	for _, l := range p.Standing {
		longest = max(longest, l.After)
	}
	down := 0
	for _, s := range p.Survival {
		down += s.Removed
	}
	f = design.Figure{ID: "c-survival", Summary: say(ctx, "Of %s items that we looked at, %s were seen down; the curve is the share that still stood after so long.", thousands(int64(len(p.Standing))), thousands(int64(down))),
		Head: []string{say(ctx, "After"), say(ctx, "Still standing"), say(ctx, "Watched"), say(ctx, "Seen down")}}
	// Some fifty rows tell the curve; the file has every step.
	every := max(1, len(p.Survival)/50)
	for i, s := range p.Survival {
		if i%every == 0 || i == len(p.Survival)-1 {
			f.Rows = append(f.Rows, []string{span(s.After), fmt.Sprintf("%.1f %%", 100*s.Share), thousands(int64(s.AtRisk)), thousands(int64(s.Removed))})
		}
	}
	for i := range 5 {
		xs = append(xs, design.Tick{At: float64(i) / 4, Text: span(longest * time.Duration(i) / 4)})
	}
	for i := range 5 {
		ys = append(ys, design.Tick{At: float64(i) / 4, Text: strconv.Itoa(25*i) + " %"})
	}
	return f, longest, xs, ys
}

// outcomeChart is what became of what was referred, by provider.
func (p reportPage) outcomeChart(ctx context.Context) (design.Figure, []design.Stack) {
	parts := []concert.Metric{concert.Removed, concert.OtherAnswer, concert.Silent, concert.Refused}
	f := design.Figure{ID: "c-outcome", Title: say(ctx, "What providers answered"), Summary: say(ctx, "What providers answered, of what was referred to each."), Head: []string{say(ctx, "Provider")}}
	for _, m := range parts {
		f.Legend = append(f.Legend, say(ctx, metricTexts[m]))
		f.Head = append(f.Head, say(ctx, metricTexts[m]))
	}
	var most int64 = 1
	for _, r := range p.Providers {
		most = max(most, r.Counts[concert.ReferredN])
	}
	var rows []design.Stack
	for _, r := range p.Providers {
		s := design.Stack{Label: r.Name, Value: shownCount(r.Counts[concert.ReferredN])}
		row := []string{r.Name}
		for _, m := range parts {
			s.Parts = append(s.Parts, float64(max(0, r.Counts[m]))/float64(most))
			row = append(row, shownCount(r.Counts[m]))
		}
		rows, f.Rows = append(rows, s), append(f.Rows, row)
	}
	return f, rows
}

// languageChart is what was referred, by language.
func (p reportPage) languageChart(ctx context.Context) (design.Figure, []design.Bar) {
	f := design.Figure{ID: "c-language", Title: say(ctx, "Referred, by language"), Summary: say(ctx, "Referred items by language."), Head: []string{say(ctx, "Language"), say(ctx, "Referred")}}
	var bars []design.Bar
	var most int64 = 1
	t := p.table("times_by_language")
	for _, row := range t.Rows {
		n, err := strconv.ParseInt(row[1], 10, 64)
		if err != nil || row[0] == "all" {
			continue
		}
		most = max(most, n)
		label := cellText(ctx, t, 0, row[0])
		bars = append(bars, design.Bar{Label: label, Value: thousands(n), Share: float64(n)})
		f.Rows = append(f.Rows, []string{label, thousands(n)})
	}
	for i := range bars {
		bars[i].Share /= float64(most)
	}
	return f, bars
}

// signedReport is the report as a document that an outsider verifies.
func (u *UI) signedReport(w http.ResponseWriter, r *http.Request, v *visit) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	e, err := u.svc.SignedReport(r.Context(), scope, r.PathValue("ref"))
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Disposition", `attachment; filename="report-`+r.PathValue("ref")+`.json"`)
	_, _ = w.Write(text) // a client that went away hears nothing
	return nil
}

// reportTable is one of the report's tables as a file.
func (u *UI) reportTable(w http.ResponseWriter, r *http.Request, v *visit) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	p, err := u.reportFor(r.Context(), scope, r.PathValue("ref"))
	if err != nil {
		return err
	}
	name, ok := strings.CutSuffix(r.PathValue("table"), ".csv")
	t := p.table(name)
	if !ok || t.Name == "" {
		return concert.Refuse(concert.NotFound, "report.table", "", "this report has no such table: take one from the report's page")
	}
	return sendCSV(w, name+"-"+p.Ref+".csv", append([][]string{t.Columns}, t.Rows...))
}

func sendCSV(w http.ResponseWriter, name string, rows [][]string) error {
	var b bytes.Buffer
	c := csv.NewWriter(&b)
	for _, row := range rows {
		out := make([]string, len(row))
		for i, s := range row {
			out[i] = concert.PlainCell(s)
		}
		if err := c.Write(out); err != nil {
			return err
		}
	}
	c.Flush()
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8; header=present")
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	_, _ = w.Write(b.Bytes()) // a client that went away hears nothing
	return c.Error()
}

// unitPage is a unit's report of a period.
type unitPage struct {
	casework.UnitReport
	First, Last string // days
	Providers   []reportRow
	Unit        string // reference, for auditors
	Units       []choice
	Errors      formErrors
	Week, Month string // addresses of the usual periods
	Ready       bool
}

// growthMetrics are what a period's report shows by provider.
var growthMetrics = []concert.Metric{concert.ReferredN, concert.Acknowledged, concert.AnsweredN, concert.Removed, concert.Refused, concert.OtherAnswer, concert.RecheckedN, concert.Down, concert.StillUp, concert.Returned, concert.WithdrawnN}

func (u *UI) unitReportOf(r *http.Request, v *visit) (unitPage, error) {
	scope, err := v.scope()
	if err != nil {
		return unitPage{}, err
	}
	if v.person.Authority == "" && !v.has(concert.RoleAuditor) {
		return unitPage{}, concert.Refuse(concert.Forbidden, "report.unit", "", "only people of an authority, and auditors, read a unit's report")
	}
	g, err := u.svc.Registers(r.Context())
	if err != nil {
		return unitPage{}, err
	}
	today := u.svc.Now().UTC().Truncate(24 * time.Hour)
	monday := today.AddDate(0, 0, -int(today.Weekday()+6)%7)
	month := time.Date(today.Year(), today.Month(), 1, 0, 0, 0, 0, time.UTC)
	q := r.URL.Query()
	p := unitPage{First: clean(q.Get("from")), Last: clean(q.Get("until")), Unit: clean(q.Get("unit"))}
	if p.First == "" {
		p.First = monday.Format(time.DateOnly)
	}
	if p.Last == "" {
		p.Last = today.Format(time.DateOnly)
	}
	address := func(from time.Time) string {
		return "/reports?from=" + from.Format(time.DateOnly) + "&until=" + today.Format(time.DateOnly) + "&unit=" + p.Unit
	}
	p.Week, p.Month = address(monday), address(month)
	if v.has(concert.RoleAuditor) {
		p.Units = actionAuthorities(g, nil)
		if p.Unit == "" {
			return p, nil
		}
	}
	from, bad := time.Parse(time.DateOnly, p.First)
	until, worse := time.Parse(time.DateOnly, p.Last)
	if bad != nil || worse != nil {
		p.Errors = formErrors{{Kind: concert.Invalid, Code: "report.period", Field: "from", Message: "write the days like 2019-11-21"}}
		return p, nil
	}
	p.UnitReport, err = u.svc.ReadUnitReport(r.Context(), scope, p.Unit, from, until)
	if err != nil {
		p.Errors, err = formErrorsOf(err)
		return p, err
	}
	p.Ready = true
	for id, c := range p.UnitReport.Providers {
		p.Providers = append(p.Providers, reportRow{Name: g.NameOf(string(id)), Counts: c})
	}
	slices.SortFunc(p.Providers, func(a, b reportRow) int { return strings.Compare(a.Name, b.Name) })
	return p, nil
}

func (u *UI) unitReport(w http.ResponseWriter, r *http.Request, v *visit) error {
	p, err := u.unitReportOf(r, v)
	if err != nil {
		return err
	}
	return u.show(w, r, v, view{status: p.Errors.status(statusOf), title: say(r.Context(), "Unit report"), body: unitView(p), wide: true})
}

func (u *UI) unitReportCSV(w http.ResponseWriter, r *http.Request, v *visit) error {
	p, err := u.unitReportOf(r, v)
	if err != nil {
		return err
	}
	if len(p.Errors) > 0 {
		return p.Errors[0]
	}
	rows := [][]string{{"unit", "from", "until", "provider", "metric", "growth", "definition"}}
	if p.Ready {
		name := p.UnitReport.Unit.Name
		for _, m := range concert.Metrics {
			rows = append(rows, []string{name, p.First, p.Last, "", string(m), strconv.FormatInt(p.Growth[m], 10), m.Definition()})
		}
		for _, x := range p.Providers {
			for _, m := range growthMetrics {
				rows = append(rows, []string{name, p.First, p.Last, x.Name, string(m), strconv.FormatInt(x.Counts[m], 10), m.Definition()})
			}
		}
	}
	return sendCSV(w, "unit-report-"+p.First+"-"+p.Last+".csv", rows)
}
