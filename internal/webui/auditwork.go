package webui

import (
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
	"concert/internal/httpkit"
)

func (u *UI) auditRoutes() []route {
	return []route{
		{"GET /audit/accesses", u.serve(person, u.accesses)},
		{"GET /audit/accesses/list", u.serve(person, u.accessList)},
		{"GET /audit/draws", u.serve(person, u.draws)},
		{"POST /audit/draws", u.serve(person, u.drawSample)},
		{"GET /audit/draws/{ref}", u.serve(person, u.draw)},
		{"GET /audit/draws/{ref}/next", u.serve(person, u.nextUnit)},
		{"GET /audit/draws/{ref}/units/{unit}", u.serve(person, u.drawnUnit)},
		{"POST /audit/draws/{ref}/units/{unit}", u.serve(person, u.reassess)},
		{"POST /audit/draws/{ref}/units/{unit}/recommend", u.serve(person, u.recommend)},
		{"GET /audit/rates", u.serve(person, u.rates)},
		{"GET /audit/time", u.serve(person, u.dwell)},
		{"GET /audit/time.csv", u.serve(person, u.dwellCSV)},
		{"GET /audit/report.csv", u.serve(person, u.auditReport("csv"))},
		{"GET /audit/report.html", u.serve(person, u.auditReport("html"))},
		{"GET /recommendations", u.serve(person, u.recommendations)},
		{"GET /recommendations/{ref}", u.serve(person, u.recommendation)},
		{"POST /recommendations/{ref}", u.serve(person, u.answerRecommendation)},
	}
}

// auditTab is a page of the workbench.
type auditTab struct {
	Path string
	Name design.Text
}

var auditPages = []auditTab{{"/audit", "Overview"}, {"/audit/accesses", "Accesses"}, {"/audit/draws", "Random draws"}, {"/audit/rates", "Over-removal rates"}, {"/audit/time", "Time in each state"}, {"/recommendations", "Recommendations"}}

var accessTexts = map[concert.AccessKind]design.Text{
	concert.AccessCollection: "Collection", concert.AccessAlteration: "Alteration", concert.AccessConsultation: "Consultation", concert.AccessDisclosure: "Disclosure, with transfers", concert.AccessCombination: "Combination", concert.AccessErasure: "Erasure",
}

var recipientTexts = map[concert.RecipientKind]design.Text{
	concert.ToAProvider: "Provider", concert.ToAnAuthority: "Authority", concert.ToATransfer: "Transfer to another state", concert.ToTheCoordinators: "the coordinators", concert.ToAContentOwner: "Content provider, on its own page", concert.ToASealedAddress: "Named and sealed in the event", concert.ToTheAuditorsCopy: "Auditor, as a bundle",
}

// accessesPage are accesses by kind.
type accessesPage struct {
	casework.AccessView
	Query    concert.AccessQuery
	Operator string
	Names    map[string]string // of providers and authorities, by reference
}

// list is the address of the accesses behind a number.
func (p accessesPage) list(kind, operator, month string) string {
	v := url.Values{"kind": {cmp.Or(kind, string(p.Query.Kind))}}
	for name, value := range map[string]string{"operator": cmp.Or(operator, p.Operator), "from": cmp.Or(month, p.Query.From), "until": cmp.Or(month, p.Query.Until)} {
		if value != "" {
			v.Set(name, value)
		}
	}
	return "/audit/accesses/list?" + v.Encode()
}

// who is the operator number of somebody, the house's word for the clocks.
func (p accessesPage) who(id string) string {
	if id == string(concert.House.Person) {
		return concert.House.Operator
	}
	return p.Operators[concert.PersonID(id)]
}

func accessQueryOf(q url.Values) (concert.AccessQuery, string) {
	return concert.AccessQuery{Kind: concert.AccessKind(clean(q.Get("kind"))), From: clean(q.Get("from")), Until: clean(q.Get("until"))}, clean(q.Get("operator"))
}

func (u *UI) accesses(w http.ResponseWriter, r *http.Request, v *visit) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	p := accessesPage{}
	p.Query, p.Operator = accessQueryOf(r.URL.Query())
	if p.AccessView, err = u.svc.AuditAccesses(r.Context(), scope, p.Query, p.Operator); err != nil {
		return err
	}
	if p.Names, err = u.partyNames(r.Context()); err != nil {
		return err
	}
	return u.show(w, r, v, view{title: say(r.Context(), "Accesses"), body: accessesView(p), wide: true})
}

// partyNames are the names of authorities and providers by their references.
func (u *UI) partyNames(ctx context.Context) (map[string]string, error) {
	g, err := u.svc.Registers(ctx)
	out := map[string]string{}
	for _, a := range g.Authorities {
		out[a.Ref] = a.Name
	}
	for _, p := range g.Providers {
		out[p.Ref] = p.Name
	}
	return out, err
}

// accessListPage are the accesses behind a number.
type accessListPage struct {
	casework.AccessList
	Query    concert.AccessQuery
	Operator string
	Names    map[string]string
	More     string
}

func (u *UI) accessList(w http.ResponseWriter, r *http.Request, v *visit) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	q := r.URL.Query()
	p := accessListPage{}
	p.Query, p.Operator = accessQueryOf(q)
	if p.AccessList, err = u.svc.ListAccesses(r.Context(), scope, p.Query, p.Operator, concert.EventID(clean(q.Get("after"))), auditRows); err != nil {
		return err
	}
	if p.Names, err = u.partyNames(r.Context()); err != nil {
		return err
	}
	if p.Next != "" {
		q.Set("after", string(p.Next))
		p.More = "/audit/accesses/list?" + q.Encode()
	}
	return u.show(w, r, v, view{title: say(r.Context(), "Accesses"), body: accessListView(p), wide: true})
}

// dwellPage are times in states.
type dwellPage struct {
	Rows      []concert.Dwell
	Stand     casework.AuditStand
	Query     concert.DwellQuery
	Authority string
	Provider  string
	Parties   frameChoices
	CSV       string
}

// frameChoices are the authorities and providers to choose from, by reference.
type frameChoices struct{ Authorities, Providers []choice }

func (u *UI) frameChoices(ctx context.Context) (frameChoices, error) {
	g, err := u.svc.Registers(ctx)
	return frameChoices{actionAuthorities(g, nil), providerChoices(g)}, err
}

func (u *UI) dwellOf(r *http.Request, v *visit) (dwellPage, error) {
	p := dwellPage{}
	scope, err := v.scope()
	if err != nil {
		return p, err
	}
	q := r.URL.Query()
	p.Authority, p.Provider = clean(q.Get("authority")), clean(q.Get("provider"))
	p.Query = concert.DwellQuery{Kind: concert.DwellKind(clean(q.Get("kind"))), Content: concert.ContentType(clean(q.Get("content_type"))), From: clean(q.Get("from")), Until: clean(q.Get("until"))}
	if p.Query.Authority, p.Query.Provider, err = u.svc.PartiesAsked(r.Context(), scope, p.Authority, p.Provider); err != nil {
		return p, err
	}
	p.CSV = "/audit/time.csv?" + q.Encode()
	p.Rows, p.Stand, err = u.svc.AuditDwell(r.Context(), scope, p.Query)
	return p, err
}

func (u *UI) dwell(w http.ResponseWriter, r *http.Request, v *visit) error {
	p, err := u.dwellOf(r, v)
	if err != nil {
		return err
	}
	if p.Parties, err = u.frameChoices(r.Context()); err != nil {
		return err
	}
	return u.show(w, r, v, view{title: say(r.Context(), "Time in each state"), body: dwellView(p), wide: true})
}

func (u *UI) dwellCSV(w http.ResponseWriter, r *http.Request, v *visit) error {
	p, err := u.dwellOf(r, v)
	if err != nil {
		return err
	}
	if err := p.Stand.Whole(); err != nil {
		return err
	}
	httpkit.NewDownload(w, "text/csv; charset=utf-8", "concert-time-in-state.csv").Send(u.log, func(out io.Writer) error {
		c := csv.NewWriter(out)
		rows := [][]string{{"as_of", "events", "kind", "state", "ended", "p50_s", "p90_s", "p99_s", "max_s", "waiting", "oldest_s", "median_s"}}
		s := func(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }
		for _, d := range p.Rows {
			median := ""
			if d.Reached {
				median = s(d.Median)
			}
			rows = append(rows, []string{machine(p.Stand.At), strconv.FormatInt(p.Stand.Size, 10), string(d.Kind), d.State, strconv.FormatInt(d.Ended, 10), s(d.P50), s(d.P90), s(d.P99), s(d.Max), strconv.FormatInt(d.Waiting, 10), s(d.Oldest), median})
		}
		return c.WriteAll(rows)
	})
	return nil
}

var dwellKinds = map[concert.DwellKind]design.Text{concert.DwellItem: "Items", concert.DwellReferral: "Referrals", concert.DwellOrder: "Removal orders", concert.DwellComplaint: "Complaints"}

// dwellState is the state as people call it.
func dwellState(ctx context.Context, k concert.DwellKind, s string) string {
	switch k {
	case concert.DwellItem:
		return say(ctx, itemStates[concert.ItemStatus(s)].Label)
	case concert.DwellReferral:
		return say(ctx, referralStates[concert.ReferralStatus(s)].Label)
	case concert.DwellOrder:
		return say(ctx, orderStates[concert.OrderStatus(s)].Label)
	}
	return say(ctx, "Filed")
}

// dwellTime is a length of time, "–" where nothing was counted.
func dwellTime(ctx context.Context, d time.Duration, n int64) string {
	return lasting(ctx, int(n), int64(d/time.Second))
}

// dwellMedian is the median that counts what goes on, or that there is none yet.
func dwellMedian(ctx context.Context, d concert.Dwell) string {
	if !d.Reached {
		return say(ctx, "not reached")
	}
	return dwellTime(ctx, d.Median, 1)
}

// dwellBars draws the ninetieth percentiles of a kind, each with its own number.
func dwellBars(ctx context.Context, p dwellPage, k concert.DwellKind) (design.Figure, []design.Bar) {
	f := design.Figure{ID: "time-" + string(k), Title: say(ctx, dwellKinds[k]), Summary: say(ctx, "Time within which nine in ten left each state."), Head: []string{say(ctx, "State"), say(ctx, "Nine in ten within")}}
	var bars []design.Bar
	var most time.Duration
	for _, d := range p.Rows {
		if d.Kind == k {
			most = max(most, d.P90)
		}
	}
	for _, d := range p.Rows {
		if d.Kind != k || d.Ended == 0 {
			continue
		}
		b := design.Bar{Label: dwellState(ctx, k, d.State), Value: dwellTime(ctx, d.P90, d.Ended)}
		if most > 0 {
			b.Share = float64(d.P90) / float64(most)
		}
		bars = append(bars, b)
		f.Rows = append(f.Rows, []string{b.Label, b.Value})
	}
	return f, bars
}

// rangeText is an interval of a share.
func rangeText(i concert.Interval) string {
	return fmt.Sprintf("%.1f – %.1f %%", 100*i.Low, 100*i.High)
}

func accessChoices(ctx context.Context) []choice {
	return textsOf(ctx, concert.AccessKinds, accessTexts)
}

func dwellChoices(ctx context.Context) []choice { return textsOf(ctx, concert.DwellKinds, dwellKinds) }

func contentChoices(ctx context.Context) []choice {
	var out []choice
	for _, c := range contentTypes {
		out = append(out, choice{string(c.Type), "(" + c.Letter + ") " + say(ctx, c.Text)})
	}
	return out
}

// textsOf are codes to choose from, with what they say.
func textsOf[T ~string](ctx context.Context, codes []T, texts map[T]design.Text) []choice {
	out := make([]choice, len(codes))
	for i, c := range codes {
		out[i] = choice{string(c), say(ctx, texts[c])}
	}
	return out
}

// auditFileTypes are the reports' media types: the page among them is a file to keep, and
// no page of the house.
var auditFileTypes = map[string]string{"csv": "text/csv; charset=utf-8", "html": "application/octet-stream"}

// auditReport gives the report as a file.
func (u *UI) auditReport(format string) func(http.ResponseWriter, *http.Request, *visit) error {
	return func(w http.ResponseWriter, r *http.Request, v *visit) error {
		scope, err := v.scope()
		if err != nil {
			return err
		}
		report, err := u.svc.AuditReport(r.Context(), scope)
		if err != nil {
			return err
		}
		data, err := casework.AuditReportFile(report, format)
		if err != nil {
			return err
		}
		httpkit.NewDownload(w, auditFileTypes[format], "concert-audit."+format).Send(u.log, func(out io.Writer) error {
			_, err := out.Write(data)
			return err
		})
		return nil
	}
}
