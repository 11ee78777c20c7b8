package webui

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
)

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
	number
	Width float64 // of the first, 0 to 100
	Share string  // of the step before
	Since timeText
	Waits int64
	Age   string // how long the oldest waits, "" for none
}

// number is a number that says what it counts: its definition, what it is a part
// of, and where the items are that it counts.
type number struct {
	Metric concert.Metric
	N      int64
	Of     design.Text // name of the whole, "" for none
	OfN    int64
	List   string // address of the exact list, "" where there is none for this reader
}

// figure is one number with its definition.
type figure struct {
	gridColumn
	number
}

// cell is one number of the heat grid; Heat is its share of what was referred,
// in eighths.
type cell struct {
	gridColumn
	N     int64
	Heat  int
	Width float64
	List  string
}

// gridRow is a provider or country with its numbers.
type gridRow struct {
	Name  string
	Note  string
	Cells []cell
	Here  int // participants online
}

// rate is a share with what it is a share of, and the interval (Wilson, 95 %)
// that so many looks allow.
type rate struct {
	Label           design.Text
	Definition      design.Text
	Of              design.Text
	Part, Whole     int64
	Share, Interval string
	Width           float64
}

// phaseStep is a phase of the action: done, here or ahead.
type phaseStep struct {
	Label design.Text
	State string
}

// boardPage is the wall of a joint action: no place, no name of a person.
type boardPage struct {
	Ref, Name, Mandate, Lead string
	Starts, Ends             time.Time
	Exercise, Partner        bool
	Frozen, Batched          bool
	Phases                   []phaseStep
	AsOf                     time.Time
	Rate                     float64 // case seconds a wall second; 1 in live work
	LogSize                  int64
	LogRoot                  string
	Funnel                   []stage
	Beside                   []figure
	Claimed, Seen            rate
	Target, Referred, Left   int64
	BurnLine                 []design.Burn
	Flow                     []casework.Flow
	Width                    time.Duration
	Deadlines                []deadlineLine
	Incidents                []troubleLine
	Orders                   []concert.Bulletin
	Providers                []gridRow
	Countries                []gridRow
	Broken                   string // a sum that does not hold
	Lists                    bool   // the reader may list what is counted
	Part                     casework.OwnPart
	MayCommand               bool
	Operators                map[concert.PersonID]string
	Names                    func(string) string
}

// countryColumns are the numbers of the strip of countries.
var countryColumns = []concert.Metric{concert.Submitted, concert.Unique, concert.Duplicates, concert.Approved, concert.ReferredN, concert.Down}

func boardOf(ctx context.Context, b casework.Board, g casework.Registers, f casework.WallFigures, rateOfTime float64, lists bool) boardPage {
	a, t := b.Action, b.Totals
	p := boardPage{Ref: a.Ref, Name: a.Name, Mandate: a.Mandate, Lead: g.Authorities[a.Lead].Name, Starts: a.StartsAt, Ends: a.EndsAt, Exercise: a.Exercise, Partner: b.Partner, Frozen: f.Frozen, Batched: a.Batched,
		AsOf: b.AsOf, Rate: cmp.Or(rateOfTime, 1), LogSize: b.Log.Size, LogRoot: hex.EncodeToString(b.Log.Root[:6]), Lists: lists && !b.Partner, Names: shortName(g), Orders: f.Orders, Flow: f.Flow, Width: f.Width,
		Target: int64(a.Target), Referred: t[concert.ReferredN]}
	for i, ph := range concert.Phases {
		s := phaseStep{phaseTexts[ph], "ahead"}
		switch at := slices.Index(concert.Phases, a.Phase); {
		case i < at:
			s.State = "done"
		case i == at:
			s.State = "here"
		}
		p.Phases = append(p.Phases, s)
	}
	for _, s := range concert.Funnel(t, f.Waiting) {
		row := stage{number: p.number(s.Metric, s.N, s.Of, s.OfN), Width: percent(s.N, t[concert.Submitted]), Since: at(s.Since), Waits: s.Waiting}
		if b.Partner {
			row.Waits, row.Since = 0, timeText{}
		}
		if row.Waits > 0 {
			row.Age = design.Age(ctx, s.Since, b.AsOf)
		}
		if s.Of != "" {
			row.Share = shareOf(s.N, s.OfN)
		}
		p.Funnel = append(p.Funnel, row)
	}
	for _, c := range besideMetrics {
		p.Beside = append(p.Beside, figure{c, p.number(c.Metric, t[c.Metric], concert.Unique, t[concert.Unique])})
	}
	p.Claimed = rateOf("Claimed removed", definitionText(concert.Removed), metricTexts[concert.AnsweredN], t[concert.Removed], t[concert.AnsweredN])
	p.Seen = rateOf("Seen down", definitionText(concert.Down), metricTexts[concert.RecheckedN], t[concert.Down], t[concert.RecheckedN])
	p.Left = max(0, p.Target-max(0, p.Referred))
	p.BurnLine = burnOf(a, f.Flow, b.AsOf)
	p.Providers, p.Countries = p.providerRows(ctx, b, g), countryRows(ctx, b, g, f.Online)
	p.Deadlines, p.Incidents = deadlineLines(f, g, b.AsOf), troubleLines(f, g)
	if !b.Partner {
		if err := t.Check(); err != nil {
			p.Broken = brokenText(ctx, err)
		}
	} else {
		p.Incidents = nil
	}
	return p
}

// number is one with where its items are.
func (p boardPage) number(m concert.Metric, n int64, of concert.Metric, ofN int64) number {
	x := number{Metric: m, N: n, OfN: ofN}
	if of != "" && of != m {
		x.Of = metricTexts[of]
	}
	if p.Lists && m.Listable() {
		x.List = "/actions/" + p.Ref + "/items?m=" + string(m)
	}
	return x
}

// shownCount is a number for people: fewer than five where it is not shown.
func shownCount(n int64) string {
	if n == concert.Few {
		return "<" + strconv.Itoa(concert.FewLeast)
	}
	return thousands(n)
}

// shareOf is a share of two numbers of which either may not be shown.
func shareOf(part, whole int64) string {
	if part == concert.Few || whole == concert.Few {
		return "–"
	}
	return share(part, whole)
}

func percent(part, whole int64) float64 {
	if whole <= 0 || part <= 0 {
		return 0
	}
	return math.Round(min(100, 100*float64(part)/float64(whole))*100) / 100
}

func rateOf(label, definition, of design.Text, part, whole int64) rate {
	r := rate{Label: label, Definition: definition, Of: of, Part: part, Whole: whole, Share: shareOf(part, whole), Width: percent(part, whole)}
	if whole > 0 && part >= 0 {
		lo, hi := wilson(part, whole)
		r.Interval = fmt.Sprintf("%.1f–%.1f %%", 100*lo, 100*hi)
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

func (p boardPage) providerRows(ctx context.Context, b casework.Board, g casework.Registers) []gridRow {
	var rows []gridRow
	for id, c := range b.Providers {
		v := g.Providers[id]
		row := gridRow{Name: cmp.Or(v.Name, string(id))}
		if !v.DisabledAt.IsZero() {
			row.Note = say(ctx, "its endpoint is gone")
		}
		for _, col := range gridColumns {
			x := cell{gridColumn: col, N: c[col.Metric], Heat: heat(c[col.Metric], c[concert.ReferredN]), Width: percent(c[col.Metric], c[concert.ReferredN])}
			if p.Lists && col.Metric.Listable() && v.Ref != "" {
				x.List = "/actions/" + p.Ref + "/items?m=" + string(col.Metric) + "&p=" + v.Ref
			}
			row.Cells = append(row.Cells, x)
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

func countryRows(ctx context.Context, b casework.Board, g casework.Registers, online map[concert.AuthorityID]int) []gridRow {
	sums := map[string]concert.Counts{}
	units, here := map[string][]string{}, map[string]int{}
	add := func(id concert.AuthorityID, part concert.Part) {
		a := g.Authorities[id]
		name := a.Unit
		// Most support; only what is special is said.
		if part != "" && part != concert.PartSupport {
			name += " (" + say(ctx, partTexts[part]) + ")"
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
		add(p.Authority, p.Part)
		if !listed[p.Authority] {
			here[g.Authorities[p.Authority].Country] += online[p.Authority]
		}
		listed[p.Authority] = true
	}
	for id, c := range b.Authorities {
		if !listed[id] {
			add(id, "")
		}
		for m, n := range c {
			sums[g.Authorities[id].Country][m] = sumShown(sums[g.Authorities[id].Country][m], n)
		}
	}
	var rows []gridRow
	for country, c := range sums {
		slices.Sort(units[country])
		row := gridRow{Name: country, Note: strings.Join(units[country], ", "), Here: here[country]}
		for _, m := range countryColumns {
			row.Cells = append(row.Cells, cell{gridColumn: gridColumn{Metric: m}, N: c[m], Width: percent(c[m], b.Totals[m])})
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b gridRow) int { return cmp.Compare(a.Name, b.Name) })
	return rows
}

// sumShown adds numbers of which one may not be shown: then the sum is not,
// either.
func sumShown(a, b int64) int64 {
	if a == concert.Few || b == concert.Few {
		return concert.Few
	}
	return a + b
}

func (u *UI) actions(w http.ResponseWriter, r *http.Request, v *visit) error {
	l, err := u.actionListing(r.Context(), v)
	if err != nil {
		return err
	}
	return l.show(u, w, r, v, "Joint actions", func(s design.Sheet) templ.Component {
		return actionList(plainList("Joint actions", "Several authorities, several days, one board.", s), v.has(concert.RoleCoordinator))
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
	if asPartner(r) {
		b = b.Suppressed()
	}
	p, err := u.boardPage(r.Context(), b, mayList(v.actor()))
	if err != nil {
		return err
	}
	if !asPartner(r) {
		if p.Part, err = u.svc.ReadOwnPart(r.Context(), scope, b); err != nil {
			return err
		}
		p.MayCommand = v.has(concert.RoleCoordinator) || v.has(concert.RoleAuditor)
	}
	u.svc.Present(r.Context(), v.actor(), b.Action.ID)
	return u.show(w, r, v, view{title: p.Name, body: boardView(p, u.assets.url["uplot.min.css"]), wide: true, refresh: r.URL.Query().Get("refresh") != "off", scripts: []string{"uplot.min.js", "board.js"}})
}

// asPartner reports whether the wall is asked for as others may see it, for a
// screen with guests before it.
func asPartner(r *http.Request) bool { return r.URL.Query().Get("view") == "partner" }

// mayList reports whether the actor may list what the wall counts.
func mayList(by concert.Actor) bool {
	return by.Need(concert.RoleOfficer, concert.RoleReviewer, concert.RoleCoordinator, concert.RoleAuditor) == nil
}

func (u *UI) boardPage(ctx context.Context, b casework.Board, lists bool) (boardPage, error) {
	g, err := u.svc.Registers(ctx)
	if err != nil {
		return boardPage{}, err
	}
	f, err := u.svc.WallFigures(ctx, b)
	if err != nil {
		return boardPage{}, err
	}
	return boardOf(ctx, b, g, f, u.svc.Time.Rate, lists), nil
}
