package webui

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
)

// funnelSteps are the stages of the chain as the wall shows them.
var funnelSteps = []concert.Metric{concert.Submitted, concert.Unique, concert.Assessed, concert.Approved, concert.ReferredN, concert.Acknowledged, concert.AnsweredN, concert.Down}

// gridColumns are the states of the heat grid, each with its shape.
var gridColumns = []gridColumn{
	{concert.ReferredN, "➤", "go"}, {concert.Acknowledged, "◐", "go"}, {concert.Silent, "…", "wait"}, {concert.Removed, "✎", "go"}, {concert.Refused, "■", "end"}, {concert.OtherAnswer, "◇", "end"},
	{concert.Down, "✓", "good"}, {concert.StillUp, "▲", "bad"}, {concert.Returned, "↺", "bad"}, {concert.PartialN, "◑", "wait"}, {concert.UnknownN, "?", "wait"}, {concert.WithdrawnN, "↩", "end"},
}

// besideMetrics stand beside the funnel, each with its definition.
var besideMetrics = []gridColumn{
	{concert.Duplicates, "+", "good"}, {concert.Held, "‖", "wait"}, {concert.Refused, "■", "end"}, {concert.Silent, "…", "wait"},
	{concert.StillUp, "▲", "bad"}, {concert.Returned, "↺", "bad"}, {concert.UnknownN, "?", "wait"}, {concert.WithdrawnN, "↩", "end"},
}

// gridColumn is a metric with the shape and tone it is shown in.
type gridColumn struct {
	Metric concert.Metric
	Mark   string
	Tone   string
}

// stage is a row of the funnel.
type stage struct {
	Metric concert.Metric
	N      int64
	Of     string  // the step before, "" for the first
	Share  string  // of the step before
	Width  float64 // of the first, 0 to 100
}

// figure is one number with its definition.
type figure struct {
	gridColumn
	N int64
}

// cell is one number of the heat grid; Heat is its share of what was referred,
// in eighths.
type cell struct {
	gridColumn
	N     int64
	Heat  int
	Width float64
}

// gridRow is a provider or country with its numbers.
type gridRow struct {
	Name  string
	Note  string
	Cells []cell
}

// rate is a share with what it is a share of, and the interval (Wilson, 95 %)
// that so many looks allow.
type rate struct {
	Label, Definition string
	Part, Whole       int64
	Share, Interval   string
	Width             float64
}

// phaseStep is a phase of the action: done, here or ahead.
type phaseStep struct{ Label, State string }

// boardPage is the wall of a joint action: no place, no name of a person.
type boardPage struct {
	Ref, Name, Mandate, Lead string
	Starts, Ends             time.Time
	Exercise                 bool
	Phases                   []phaseStep
	AsOf                     time.Time
	Rate                     float64 // case seconds a wall second; 1 in live work
	LogSize                  int64
	LogRoot                  string
	Funnel                   []stage
	Beside                   []figure
	Claimed, Seen            rate
	Burn                     burn
	Providers                []gridRow
	Countries                []gridRow
	Broken                   string // a sum that does not hold
}

// countryColumns are the numbers of the strip of countries.
var countryColumns = []concert.Metric{concert.Submitted, concert.Unique, concert.Duplicates, concert.Approved, concert.ReferredN, concert.Down}

func boardOf(b casework.Board, g casework.Registers, series []sample, rateOfTime float64) boardPage {
	p := boardPage{Ref: b.Action.Ref, Name: b.Action.Name, Mandate: b.Action.Mandate, Lead: g.Authorities[b.Action.Lead].Name, Starts: b.Action.StartsAt, Ends: b.Action.EndsAt, Exercise: b.Action.Exercise,
		AsOf: b.AsOf, Rate: cmp.Or(rateOfTime, 1), LogSize: b.Log.Size, LogRoot: hex.EncodeToString(b.Log.Root[:6])}
	for i, ph := range concert.Phases {
		s := phaseStep{string(phaseTexts[ph]), "ahead"}
		switch at := slices.Index(concert.Phases, b.Action.Phase); {
		case i < at:
			s.State = "done"
		case i == at:
			s.State = "here"
		}
		p.Phases = append(p.Phases, s)
	}
	t := b.Totals
	for i, m := range funnelSteps {
		s := stage{Metric: m, N: t[m], Width: percent(t[m], t[concert.Submitted])}
		if i > 0 {
			s.Of, s.Share = strings.ToLower(string(metricTexts[funnelSteps[i-1]])), share(t[m], t[funnelSteps[i-1]])
		}
		p.Funnel = append(p.Funnel, s)
	}
	for _, c := range besideMetrics {
		p.Beside = append(p.Beside, figure{c, t[c.Metric]})
	}
	p.Claimed = rateOf("Claimed removed", concert.MetricDefinitions[concert.Removed], "of "+strings.ToLower(string(metricTexts[concert.AnsweredN])), t[concert.Removed], t[concert.AnsweredN])
	p.Seen = rateOf("Seen down", concert.MetricDefinitions[concert.Down], "of "+strings.ToLower(string(metricTexts[concert.RecheckedN])), t[concert.Down], t[concert.RecheckedN])
	p.Burn = burnOf(b.Action, t[concert.ReferredN], b.AsOf, series)
	p.Providers, p.Countries = providerRows(b, g), countryRows(b, g)
	if err := t.Check(); err != nil {
		p.Broken = err.Error()
	}
	return p
}

func percent(part, whole int64) float64 {
	if whole <= 0 || part <= 0 {
		return 0
	}
	return math.Round(min(100, 100*float64(part)/float64(whole))*100) / 100
}

func rateOf(label, definition, of string, part, whole int64) rate {
	r := rate{Label: label, Definition: definition + "; " + of, Part: part, Whole: whole, Share: share(part, whole), Width: percent(part, whole)}
	if whole > 0 {
		lo, hi := wilson(part, whole)
		r.Interval = fmt.Sprintf("%.1f to %.1f %%", 100*lo, 100*hi)
	}
	return r
}

// wilson is the 95 % interval of a share (E. B. Wilson, 1927), which also holds
// for few looks and for shares near 0 and 1.
func wilson(part, whole int64) (lo, hi float64) {
	const z = 1.959964
	n := float64(whole)
	p := min(1, float64(part)/n)
	mid, half := p+z*z/(2*n), z*math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	d := 1 + z*z/n
	return max(0, (mid-half)/d), min(1, (mid+half)/d)
}

func providerRows(b casework.Board, g casework.Registers) []gridRow {
	var rows []gridRow
	for id, c := range b.Providers {
		v := g.Providers[id]
		row := gridRow{Name: cmp.Or(v.Name, string(id))}
		if !v.DisabledAt.IsZero() {
			row.Note = "its endpoint is gone (410)"
		}
		for _, col := range gridColumns {
			row.Cells = append(row.Cells, cell{col, c[col.Metric], heat(c[col.Metric], c[concert.ReferredN]), percent(c[col.Metric], c[concert.ReferredN])})
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b gridRow) int { return cmp.Compare(a.Name, b.Name) })
	return rows
}

// heat is a share in eighths, at least one where there is anything.
func heat(n, of int64) int {
	if n <= 0 || of <= 0 {
		return 0
	}
	return int(min(8, max(1, (8*n+of/2)/of)))
}

func countryRows(b casework.Board, g casework.Registers) []gridRow {
	sums := map[string]concert.Counts{}
	units := map[string][]string{}
	add := func(id concert.AuthorityID, part string) {
		a := g.Authorities[id]
		name := a.Unit
		// Most support; only what is special is said.
		if part != "" && part != string(partTexts[concert.PartSupport]) {
			name += " (" + part + ")"
		}
		if !slices.Contains(units[a.Country], name) {
			units[a.Country] = append(units[a.Country], name)
		}
		if sums[a.Country] == nil {
			sums[a.Country] = concert.Counts{}
		}
	}
	listed := map[concert.AuthorityID]bool{}
	for _, p := range b.Participants {
		add(p.Authority, string(partTexts[p.Part]))
		listed[p.Authority] = true
	}
	for id, c := range b.Authorities {
		if !listed[id] {
			add(id, "")
		}
		for m, n := range c {
			sums[g.Authorities[id].Country][m] += n
		}
	}
	var rows []gridRow
	for country, c := range sums {
		slices.Sort(units[country])
		row := gridRow{Name: country, Note: strings.Join(units[country], ", ")}
		for _, m := range countryColumns {
			row.Cells = append(row.Cells, cell{gridColumn{Metric: m}, c[m], 0, percent(c[m], b.Totals[m])})
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b gridRow) int { return cmp.Compare(a.Name, b.Name) })
	return rows
}

func (u *UI) actions(w http.ResponseWriter, r *http.Request, v *visit) error {
	l, err := u.actionListing(r.Context(), v)
	if err != nil {
		return err
	}
	return l.show(u, w, r, v, "Joint actions", func(s design.Sheet) templ.Component {
		return plainList("Joint actions", "Several authorities, several days, one board.", s)
	})
}

func (u *UI) board(w http.ResponseWriter, r *http.Request, v *visit) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	b, err := u.svc.ReadBoard(r.Context(), scope, r.PathValue("ref"))
	if err != nil {
		return err
	}
	g, err := u.svc.Registers(r.Context())
	if err != nil {
		return err
	}
	p := boardOf(b, g, u.feedOf(b.Action.Ref).samples(), u.svc.Time.Rate)
	return u.show(w, r, v, view{title: p.Name, body: boardView(p), wide: true, refresh: r.URL.Query().Get("refresh") != "off", scripts: []string{"board.js"}})
}

// renderBoard is the board's inner part, as the stream sends it.
func (u *UI) renderBoard(ctx context.Context, scope concert.Scope, f *feed) (casework.Board, string, error) {
	b, err := u.svc.WatchBoard(ctx, scope, f.ref)
	if err != nil {
		return b, "", err
	}
	g, err := u.svc.Registers(ctx)
	if err != nil {
		return b, "", err
	}
	f.note(sample{b.AsOf, b.Totals[concert.ReferredN]})
	var out bytes.Buffer
	err = boardBody(boardOf(b, g, f.samples(), u.svc.Time.Rate)).Render(ctx, &out)
	return b, out.String(), err
}
