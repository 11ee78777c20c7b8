package webui

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/a-h/templ"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
)

// panel is a piece of the wall that the stream replaces by itself; its outermost
// element has its id.
type panel struct {
	id   string
	body templ.Component
}

// panels are the wall's, in their order.
func (p boardPage) panels() []panel {
	return []panel{{"w-head", wallHead(p)}, {"w-ticker", wallTicker(p)}, {"w-funnel", wallFunnel(p)}, {"w-truth", wallTruth(p)}, {"w-burn", wallBurn(p)}, {"w-flow", wallFlow(p)},
		{"w-deadlines", wallDeadlines(p)}, {"w-incidents", wallIncidents(p)}, {"w-grid", wallGrid(p)}, {"w-countries", wallCountries(p)}, {"w-foot", wallFoot(p)}}
}

// deadlineLine is a deadline as a bar that grows shorter.
type deadlineLine struct {
	Text    design.Text
	Who     string
	N       int
	Due     time.Time
	Urgency concert.Urgency
	Width   float64 // what is left of an hour, 0 to 100
}

// deadlinesMost bounds those of the wall.
const deadlinesMost = 8

var deadlineTexts = map[concert.ClockKind]design.Text{
	concert.ClockRemind:      "reminder of what is silent",
	concert.ClockRecheck:     "our next look",
	concert.ClockOverride:    "review of an overridden hold",
	concert.ClockConsignment: "consignment leaves",
	casework.DeadlineEnd:     "end of the action",
}

var urgencyStates = map[concert.Urgency]state{
	concert.UrgencyCalm:   {Mark: "●", Label: "more than 30 min", Tone: "calm"},
	concert.UrgencySoon:   {Mark: "◆", Label: "less than 30 min", Tone: "soon"},
	concert.UrgencyNow:    {Mark: "▲", Label: "less than 10 min", Tone: "now"},
	concert.UrgencyMissed: {Mark: "✕", Label: "due", Tone: "missed"},
}

func deadlineLines(f casework.WallFigures, g casework.Registers, now time.Time) []deadlineLine {
	var out []deadlineLine
	for _, d := range f.Deadlines {
		if len(out) == deadlinesMost {
			break
		}
		out = append(out, deadlineLine{deadlineTexts[d.Kind], g.Providers[d.Provider].Name, d.N, d.At, concert.UrgencyOf(d.At, now), percent(int64(min(d.At.Sub(now), time.Hour)/time.Second), 3600)})
	}
	return out
}

// troubleLine is one provider's trouble.
type troubleLine struct {
	state
	Who   string
	N     int
	Since timeText
}

var troubleStates = map[concert.TroubleKind]state{
	concert.TroubleGone:   {Mark: "✕", Label: "its endpoint is gone: the inbox remains", Tone: "bad"},
	concert.TroubleDown:   {Mark: "▲", Label: "notices fail, one after the other", Tone: "bad"},
	concert.TroubleBounce: {Mark: "■", Label: "notices could not be delivered", Tone: "bad"},
	concert.TroubleSilent: {Mark: "…", Label: "acknowledges nothing", Tone: "wait"},
}

func troubleLines(f casework.WallFigures, g casework.Registers) []troubleLine {
	var out []troubleLine
	for _, i := range f.Incidents {
		out = append(out, troubleLine{troubleStates[i.Kind], cmp.Or(g.Providers[i.Provider].Name, string(i.Provider)), i.N, at(i.Since)})
	}
	return out
}

// countedPage lists the items behind a number.
type countedPage struct {
	Ref, Name string
	Metric    concert.Metric
	Provider  string
	Items     []concert.Item
	Units     map[concert.AuthorityID]concert.Authority
	Providers map[concert.ProviderID]concert.Provider
	All       bool
	More      string
	AsOf      time.Time
}

func (u *UI) countedItems(w http.ResponseWriter, r *http.Request, v *visit) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	q := r.URL.Query()
	g, err := u.svc.Registers(r.Context())
	if err != nil {
		return err
	}
	b, err := u.svc.WatchBoard(r.Context(), scope, r.PathValue("ref"))
	if err != nil {
		return err
	}
	ask := casework.Counted{Metric: concert.Metric(cmp.Or(clean(q.Get("m")), string(concert.Unique))), After: concert.ItemID(clean(q.Get("after"))), Limit: 100}
	p := countedPage{Ref: b.Action.Ref, Name: b.Action.Name, Metric: ask.Metric, Units: g.Authorities, Providers: g.Providers, AsOf: b.AsOf, All: v.has(concert.RoleCoordinator) || v.has(concert.RoleAuditor)}
	for id, x := range g.Providers {
		if ref := clean(q.Get("p")); ref != "" && x.Ref == ref {
			ask.Provider, p.Provider = id, x.Name
		}
	}
	var more concert.ItemID
	if p.Items, more, err = u.svc.CountedItems(r.Context(), scope, p.Ref, ask); err != nil {
		return err
	}
	if more != "" {
		next := url.Values{"m": {string(ask.Metric)}, "after": {string(more)}}
		if q.Get("p") != "" {
			next.Set("p", clean(q.Get("p")))
		}
		p.More = "/actions/" + p.Ref + "/items?" + next.Encode()
	}
	return u.show(w, r, v, view{title: p.Name, body: countedView(p)})
}

// asOfText says when numbers were counted.
func asOfText(ctx context.Context, t time.Time) string {
	return say(ctx, "As of %s UTC.", t.UTC().Format("2006-01-02 15:04:05"))
}
