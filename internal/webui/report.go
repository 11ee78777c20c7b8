package webui

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
)

// reportRow is one party's numbers in the report.
type reportRow struct {
	Name, Country, Part string
	Counts              concert.Counts
}

// timeRow is how long one provider took to acknowledge.
type timeRow struct {
	Name string
	casework.Times
}

// reportPage is the after-action report: counts with their definitions, who
// took part, where claim and look differ, how it was counted, and the head of
// the log that it can be checked against.
type reportPage struct {
	Ref, Name, Mandate, Lead string
	Phase                    concert.Phase
	Starts, Ends, AsOf       time.Time
	Exercise                 bool
	Target                   int
	Outlets                  []string
	Totals                   concert.Counts
	Claimed, Seen, Doubted   rate
	Providers, Authorities   []reportRow
	Times                    []timeRow
	Approvals                casework.Approvals
	Countries                []reportRow
	LogSize                  int64
	LogRoot, Origin          string
	Broken                   string
	Partner                  bool
	Tables                   []concert.ReportTable
	Survival                 []concert.Survival
	Standing                 []concert.Lifespan
	Names                    func(string) string
	Works                    casework.Works     // of the page alone: the document has none
	Rehearsal                *concert.Rehearsal // of an exercise that knows; else nil
	Witnesses                []concert.RehearsedWitness
}

// partyMetrics are the columns of the report's tables of parties.
var (
	providerMetrics  = []concert.Metric{concert.ReferredN, concert.Acknowledged, concert.AnsweredN, concert.Silent, concert.Removed, concert.Refused, concert.OtherAnswer, concert.RecheckedN, concert.Down, concert.StillUp, concert.PartialN, concert.UnknownN, concert.Returned, concert.WithdrawnN, concert.Reminders}
	authorityMetrics = []concert.Metric{concert.Submitted, concert.Unique, concert.Duplicates, concert.Guarded, concert.OutOfScope, concert.Assessed, concert.Rejected, concert.Approved, concert.Held, concert.ReferredN, concert.Removed, concert.Down, concert.WithdrawnN, concert.Corrected, concert.SecondLooks, concert.SecondAgreed, concert.SecondDisagreed}
)

func (u *UI) reportFor(ctx context.Context, scope concert.Scope, ref string) (reportPage, error) {
	rep, err := u.svc.ReadReport(ctx, scope, ref)
	if err != nil {
		return reportPage{}, err
	}
	g, err := u.svc.Registers(ctx)
	if err != nil {
		return reportPage{}, err
	}
	p := reportOf(ctx, rep.Board, g, u.svc.Origin)
	p.Approvals = rep.Approvals
	p.Names = g.NameOf
	p.Tables = rep.Facts.Tables(g.NameOf)
	if !rep.Partner {
		p.Standing = concert.Lifespans(rep.Facts.Courses)
		p.Survival = concert.SurvivalOf(p.Standing)
	}
	for id, t := range rep.Times {
		p.Times = append(p.Times, timeRow{cmp.Or(g.Providers[id].Name, string(id)), t})
	}
	slices.SortFunc(p.Times, func(a, b timeRow) int { return strings.Compare(a.Name, b.Name) })
	return p, nil
}

// span is a length of case time for people.
func span(d time.Duration) string {
	switch {
	case d == 0:
		return "–"
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return fmt.Sprintf("%d h %02d min", d/time.Hour, d%time.Hour/time.Minute)
}

func reportOf(ctx context.Context, b casework.Board, g casework.Registers, origin string) reportPage {
	a, t := b.Action, b.Totals
	p := reportPage{Ref: a.Ref, Name: a.Name, Mandate: a.Mandate, Lead: g.Authorities[a.Lead].Name, Phase: a.Phase, Starts: a.StartsAt, Ends: a.EndsAt, AsOf: b.AsOf, Exercise: a.Exercise, Target: a.Target,
		Totals: t, LogSize: b.Log.Size, LogRoot: hex.EncodeToString(b.Log.Root[:]), Origin: origin}
	p.Claimed = rateOf("Claimed removed", definitionText(concert.Removed), metricTexts[concert.AnsweredN], t[concert.Removed], t[concert.AnsweredN])
	p.Seen = rateOf("Seen down", definitionText(concert.Down), metricTexts[concert.RecheckedN], t[concert.Down], t[concert.RecheckedN])
	p.Doubted = rateOf("Second looks disagreed", definitionText(concert.SecondDisagreed), "second looks made", t[concert.SecondDisagreed], sumShown(t[concert.SecondAgreed], t[concert.SecondDisagreed]))
	for _, id := range b.Targets {
		p.Outlets = append(p.Outlets, g.Scope.Outlets[id].Name)
	}
	slices.Sort(p.Outlets)
	for id, c := range b.Providers {
		p.Providers = append(p.Providers, reportRow{Name: cmp.Or(g.Providers[id].Name, string(id)), Country: g.Providers[id].Country, Counts: c})
	}
	parts := map[concert.AuthorityID][]string{}
	for _, x := range b.Participants {
		parts[x.Authority] = append(parts[x.Authority], say(ctx, partTexts[x.Part]))
		if b.Authorities[x.Authority] == nil {
			p.Authorities = append(p.Authorities, reportRow{Name: g.Authorities[x.Authority].Name, Country: g.Authorities[x.Authority].Country, Part: say(ctx, partTexts[x.Part]), Counts: concert.Counts{}})
		}
	}
	countries := map[string]concert.Counts{}
	for id, c := range b.Authorities {
		who := g.Authorities[id]
		p.Authorities = append(p.Authorities, reportRow{Name: cmp.Or(who.Name, string(id)), Country: who.Country, Part: strings.Join(parts[id], ", "), Counts: c})
		if countries[who.Country] == nil {
			countries[who.Country] = concert.Counts{}
		}
		for m, n := range c {
			countries[who.Country][m] += n
		}
	}
	for name, c := range countries {
		p.Countries = append(p.Countries, reportRow{Name: name, Country: name, Counts: c})
	}
	for _, rows := range [][]reportRow{p.Providers, p.Authorities, p.Countries} {
		slices.SortFunc(rows, func(a, b reportRow) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Part, b.Part)) })
	}
	if err := t.Check(); err != nil && !b.Partner {
		p.Broken = brokenText(ctx, err)
	}
	p.Partner = b.Partner
	return p
}

// lessShown is a difference of numbers of which one may not be shown.
func lessShown(a, b int64) int64 {
	if a == concert.Few || b == concert.Few {
		return concert.Few
	}
	return a - b
}

// targetText says what was aimed at, where anything was.
func targetText(ctx context.Context, target int) string {
	if target <= 0 {
		return ""
	}
	return " " + say(ctx, "(target %s)", thousands(int64(target)))
}

// sumText is an equality with its numbers, as it can be checked by hand.
func sumText(ctx context.Context, s concert.Sum, c concert.Counts) string {
	number := func(m concert.Metric) string {
		return shownCount(c[m]) + " " + strings.ToLower(say(ctx, metricTexts[m]))
	}
	parts := make([]string, len(s.Parts))
	for i, m := range s.Parts {
		parts[i] = number(m)
	}
	return number(s.Whole) + " = " + strings.Join(parts, " + ")
}

// brokenText says which sum does not hold.
func brokenText(ctx context.Context, err error) string {
	var e *concert.Error
	if errors.As(err, &e) {
		return said(ctx, e)
	}
	return err.Error()
}

func (u *UI) report(w http.ResponseWriter, r *http.Request, v *visit) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	p, err := u.reportFor(r.Context(), scope, r.PathValue("ref"))
	if err == nil {
		p.Works, err = u.worksFor(r.Context(), v, scope)
	}
	if err != nil {
		return err
	}
	return u.show(w, r, v, view{title: say(r.Context(), "Report: %s", p.Name), body: reportView(p, true), wide: true})
}

func (u *UI) reportCSV(w http.ResponseWriter, r *http.Request, v *visit) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	p, err := u.reportFor(r.Context(), scope, r.PathValue("ref"))
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := writeReportCSV(&b, p); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8; header=present")
	h.Set("Content-Disposition", `attachment; filename="report-`+p.Ref+`.csv"`)
	_, _ = w.Write(b.Bytes()) // a client that went away hears nothing
	return nil
}

// WriteReport writes the after-action report of the action with this reference
// as one self-contained HTML file and as CSV. It reads as the scope's actor;
// errors are casework's and those of the writers.
func (u *UI) WriteReport(ctx context.Context, scope concert.Scope, actionRef string, html, csv io.Writer) error {
	p, err := u.reportFor(ctx, scope, actionRef)
	if err != nil {
		return err
	}
	return writeReport(ctx, p, html, csv)
}

func writeReport(ctx context.Context, p reportPage, html, csv io.Writer) error {
	css, err := design.Stylesheet()
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if err := reportDocument(p, string(css)).Render(ctx, html); err != nil {
		return fmt.Errorf("report of %s: %w", p.Ref, err)
	}
	return writeReportCSV(csv, p)
}

// writeReportCSV writes one number a line: table, party, country, metric,
// value, definition. Text that a spreadsheet would run as a formula is quoted.
func writeReportCSV(w io.Writer, p reportPage) error {
	c := csv.NewWriter(w)
	rows := [][]string{{"table", "name", "country", "metric", "value", "definition"}}
	about := func(metric, value string) {
		rows = append(rows, []string{"action", p.Name, "", metric, value, ""})
	}
	about("reference", p.Ref)
	about("exercise", strconv.FormatBool(p.Exercise))
	about("lead", p.Lead)
	about("mandate", p.Mandate)
	about("phase", string(p.Phase))
	about("starts_at", machine(p.Starts))
	about("ends_at", machine(p.Ends))
	about("as_of", machine(p.AsOf))
	about("target", strconv.Itoa(p.Target))
	about("log_origin", p.Origin)
	about("log_size", strconv.FormatInt(p.LogSize, 10))
	about("log_root", p.LogRoot)
	for _, t := range []struct {
		name string
		rows []reportRow
	}{{"total", []reportRow{{Name: "all", Counts: p.Totals}}}, {"provider", p.Providers}, {"authority", p.Authorities}, {"country", p.Countries}} {
		for _, r := range t.rows {
			for _, m := range concert.Metrics {
				rows = append(rows, []string{t.name, r.Name, r.Country, string(m), csvCount(r.Counts[m]), concert.MetricDefinitions[m]})
			}
		}
	}
	for _, f := range approvalFigures(p.Approvals) {
		rows = append(rows, []string{"approval", "all", "", f.Metric, f.Value, f.Text.English()})
	}
	for _, row := range slices.Concat(rows, rehearsalRows(p.Rehearsal), witnessRows(p.Witnesses)) {
		for i, s := range row {
			row[i] = concert.PlainCell(s)
		}
		if err := c.Write(row); err != nil {
			return fmt.Errorf("report: %w", err)
		}
	}
	c.Flush()
	return c.Error()
}

// csvCount is a number as a file has it, "<5" where it is not shown.
func csvCount(n int64) string {
	if n == concert.Few {
		return "<" + strconv.Itoa(concert.FewLeast)
	}
	return strconv.FormatInt(n, 10)
}

// approvalFigure is one figure of how approvals were given.
type approvalFigure struct {
	Metric, Value string
	Name, Text    design.Text
}

// approvalFigures are those of the report; the seconds are case time.
func approvalFigures(a casework.Approvals) []approvalFigure {
	seconds := func(d time.Duration) string {
		if a.Single == a.Unopened {
			return "–"
		}
		return strconv.FormatInt(int64(d/time.Second), 10)
	}
	count := func(n int) string { return strconv.Itoa(n) }
	return []approvalFigure{
		{Metric: "approvals", Name: "Approvals", Value: count(a.Total), Text: "approvals given (unit: approval; an item may need several)"},
		{Metric: "approvals_single", Name: "Given alone", Value: count(a.Single), Text: "of those: decided on in an act of its own"},
		{Metric: "approvals_bulk", Name: "Given in bulk", Value: count(a.Bulk), Text: "of those: given together for copies of works that were approved alone"},
		{Metric: "approvals_unopened", Name: "Given alone, unopened", Value: count(a.Unopened), Text: "of those given alone: the reviewer had never opened the item"},
		{Metric: "opened_median_s", Name: "Seconds from opening, median", Value: seconds(a.Median), Text: "from the first opening by the reviewer to the approval, over those given alone after opening (unit: second of case time)"},
		{Metric: "opened_p90_s", Name: "Seconds from opening, nine in ten within", Value: seconds(a.P90), Text: "the same, the ninth tenth"},
	}
}
