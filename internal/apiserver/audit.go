package apiserver

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"concert"
	"concert/api"
	"concert/internal/casework"
)

// AccessQuery asks for accesses. It is exported for the framework, as is DrawnOne.
type AccessQuery struct {
	Kind     string `query:"kind" enum:"collection,alteration,consultation,disclosure,combination,erasure"`
	Operator string `query:"operator" maxLength:"40" doc:"number of who did it; house for the clocks"`
	From     string `query:"from" maxLength:"7" doc:"first month, 2026-01"`
	Until    string `query:"until" maxLength:"7" doc:"last month"`
}

func (q AccessQuery) of() concert.AccessQuery {
	return concert.AccessQuery{Kind: concert.AccessKind(q.Kind), From: q.From, Until: q.Until}
}

// DrawnOne is one unit of a draw.
type DrawnOne struct {
	One
	Unit string `path:"unit" maxLength:"80" doc:"reference of the item or the order"`
}

// workbench is what an auditor works with (docs/audit.md): accesses, draws, findings,
// rates and times in states; and what an authority answers.
func (s *Server) workbench() {
	ask(s, op(http.MethodGet, "/audit/accesses", "count-accesses", "Accesses by the six kinds of Directive (EU) 2016/680 Art. 25, by person, month, event and recipient (auditor)", "audit"), s.countAccesses)
	ask(s, op(http.MethodGet, "/audit/accesses/list", "list-accesses", "The accesses behind a number: who, when, what, to whom and why, newest first (auditor)", "audit"), s.listAccesses)
	ask(s, op(http.MethodGet, "/audit/draws", "list-draws", "Random draws with their rates, newest first (auditor)", "audit"), func(ctx context.Context, sc concert.Scope, _ *struct{}) (api.AuditDraws, error) {
		found, at, err := s.svc.AuditDraws(ctx, sc)
		out := api.AuditDraws{Items: []api.AuditDraw{}, AuditStand: standOf(at)}
		for _, v := range found {
			d := drawOf(v, sc.Actor().Person)
			d.Units = nil
			out.Items = append(out.Items, d)
		}
		return out, err
	})
	ask(s, created(op(http.MethodPost, "/audit/draws", "draw", "Draw at random of what was acted upon; what is in it follows from the log at the draw's own event (auditor)", "audit")), func(ctx context.Context, sc concert.Scope, in *Keyed[api.NewAuditDraw]) (api.AuditDraw, error) {
		frame, err := s.frameOf(ctx, sc, in.Body.Frame)
		if err != nil {
			return api.AuditDraw{}, err
		}
		ref, err := s.svc.DrawSample(ctx, sc, frame, planOf(in.Body.Plan))
		if err != nil {
			return api.AuditDraw{}, err
		}
		v, err := s.svc.ReadDraw(ctx, sc, ref)
		return drawOf(v, sc.Actor().Person), err
	})
	ask(s, op(http.MethodGet, "/audit/draws/{id}", "read-draw", "One draw with what proves it, its units and its rate (auditor)", "audit"), func(ctx context.Context, sc concert.Scope, in *One) (api.AuditDraw, error) {
		v, err := s.svc.ReadDraw(ctx, sc, in.ID)
		if err != nil {
			return api.AuditDraw{}, err
		}
		return drawOf(v, sc.Actor().Person), nil
	})
	ask(s, op(http.MethodGet, "/audit/draws/{id}/next", "next-drawn", "The next unit that I have not judged, blind (auditor)", "audit"), func(ctx context.Context, sc concert.Scope, in *One) (api.AuditBlindUnit, error) {
		u, err := s.svc.ReadUnit(ctx, sc, in.ID, "")
		return blindUnitOf(u), err
	})
	ask(s, op(http.MethodGet, "/audit/draws/{id}/units/{unit}", "read-drawn", "One unit of a draw, blind until I have judged it; reading it is no opening of the item (auditor)", "audit"), func(ctx context.Context, sc concert.Scope, in *DrawnOne) (api.AuditBlindUnit, error) {
		u, err := s.svc.ReadUnit(ctx, sc, in.ID, in.Unit)
		return blindUnitOf(u), err
	})
	s.findings()
	ask(s, op(http.MethodGet, "/audit/time-in-state", "time-in-state", "How long items, referrals, orders and complaints stood in each state (auditor)", "audit"), s.timeInState)
}

// findings are what an auditor writes, and what an authority answers.
func (s *Server) findings() {
	ask(s, op(http.MethodPost, "/audit/draws/{id}/units/{unit}", "reassess", "Record what I find of a drawn unit; it changes nothing of the case (auditor)", "audit"), func(ctx context.Context, sc concert.Scope, in *struct {
		DrawnOne
		Keyed[api.NewAuditFinding]
	}) (api.AuditFinding, error) {
		b := in.Body
		r, err := s.svc.ReassessUnit(ctx, sc, in.ID, in.Unit, concert.Reassessment{Verdict: concert.AuditVerdict(b.Verdict), Type: concert.ContentType(b.Type), Purpose: concert.Purpose(b.Purpose), Why: concert.UnableWhy(b.Why), Note: b.Note})
		return findingOf(r, sc.Actor().Operator), err
	})
	ask(s, created(op(http.MethodPost, "/audit/draws/{id}/units/{unit}/recommendation", "recommend", "Hand my finding to the authority that acted; it must answer, and nothing else changes (auditor)", "audit")), func(ctx context.Context, sc concert.Scope, in *struct {
		DrawnOne
		Keyed[api.NewRecommendation]
	}) (api.Recommendation, error) {
		r, err := s.svc.Recommend(ctx, sc, in.ID, in.Unit, in.Body.Text)
		return recommendationOf(casework.RecommendationView{Recommendation: r, Auditor: sc.Actor().Operator}), err
	})
	ask(s, op(http.MethodGet, "/recommendations", "recommendations", "Findings that auditors handed to my authority, newest first; all for an auditor", "audit"), func(ctx context.Context, sc concert.Scope, in *struct {
		Limit int `query:"limit" default:"100" minimum:"1" maximum:"500"`
	}) (api.Recommendations, error) {
		rs, err := s.svc.Recommendations(ctx, sc, "", in.Limit)
		out := api.Recommendations{Items: []api.Recommendation{}}
		for _, r := range rs {
			out.Items = append(out.Items, recommendationOf(r))
		}
		return out, err
	})
	ask(s, op(http.MethodGet, "/recommendations/{id}", "recommendation", "One finding that an auditor handed to my authority", "audit"), func(ctx context.Context, sc concert.Scope, in *One) (api.Recommendation, error) {
		r, err := s.svc.ReadRecommendation(ctx, sc, in.ID)
		return recommendationOf(r), err
	})
	do(s, op(http.MethodPost, "/recommendations/{id}/answer", "answer-recommendation", "Say what my authority did, or why it stands (reviewer, coordinator, issuer)", "audit"), func(ctx context.Context, by concert.Actor, in *struct {
		One
		Keyed[api.NewRecommendationAnswer]
	}) (api.Recommendation, error) {
		r, err := s.svc.AnswerRecommendation(ctx, by, in.ID, concert.RecommendationAnswer(in.Body.Answer), in.Body.Reasons)
		return recommendationOf(casework.RecommendationView{Recommendation: r, Answerer: by.Operator}), err
	})
}

func standOf(a casework.AuditStand) api.AuditStand {
	return api.AuditStand{Size: a.Size, Head: a.Head, AsOf: stamp(a.At), Behind: a.Behind()}
}

func accessCountsOf(cs []concert.AccessCount, name func(string) string) []api.AuditCount {
	out := make([]api.AuditCount, len(cs))
	for i, c := range cs {
		out[i] = api.AuditCount{Of: name(c.Of), N: c.N}
	}
	return out
}

func (s *Server) countAccesses(ctx context.Context, sc concert.Scope, in *AccessQuery) (api.AccessCounts, error) {
	v, err := s.svc.AuditAccesses(ctx, sc, in.of(), in.Operator)
	if err != nil {
		return api.AccessCounts{}, err
	}
	same := func(s string) string { return s }
	out := api.AccessCounts{AuditStand: standOf(v.AuditStand), Kinds: accessCountsOf(v.Kinds, same), Months: accessCountsOf(v.Months, same), Events: accessCountsOf(v.Events, same), Recipients: []api.DisclosedTo{}, None: map[string]string{}}
	out.People = accessCountsOf(v.People, func(id string) string {
		if id == string(concert.House.Person) {
			return concert.House.Operator
		}
		return v.Operators[concert.PersonID(id)]
	})
	for _, r := range v.Recipients {
		out.Recipients = append(out.Recipients, disclosedTo(r.Recipient, v.Parties[r.ID], r.N))
	}
	for _, w := range concert.DisclosureWays() {
		x := api.DisclosureWay{Name: w.Name, Ground: w.Ground, Asked: w.Asked, Note: w.Note}
		for _, e := range w.Events {
			x.Events = append(x.Events, string(e))
		}
		out.Ways = append(out.Ways, x)
	}
	for _, k := range concert.EventKinds() {
		if rule, ok := concert.AccessOf(k); ok && rule.None != "" {
			out.None[string(k)] = rule.None
		}
	}
	return out, nil
}

func disclosedTo(r concert.Recipient, ref string, n int64) api.DisclosedTo {
	out := api.DisclosedTo{Kind: string(r.Kind), Ref: ref, N: n}
	if r.Kind == concert.ToASealedAddress {
		out.Ref = r.ID
	}
	return out
}

func (s *Server) listAccesses(ctx context.Context, sc concert.Scope, in *struct {
	AccessQuery
	Limit  int    `query:"limit" default:"100" minimum:"1" maximum:"500"`
	Cursor string `query:"cursor" maxLength:"200"`
}) (api.Page[api.Access], error) {
	out := api.Page[api.Access]{Items: []api.Access{}}
	_, before, err := parseCursor(in.Cursor)
	if err != nil {
		return out, err
	}
	l, err := s.svc.ListAccesses(ctx, sc, in.of(), in.Operator, concert.EventID(before), in.Limit)
	if err != nil {
		return out, err
	}
	for _, a := range l.Lines {
		x := api.Access{ID: string(a.ID), At: stamp(concert.FromMicros(a.At)), Operator: a.Operator, Event: string(a.Kind), Ref: a.Ref, Recipient: a.Whom, Justification: a.Why}
		for _, k := range a.Kinds {
			x.Kinds = append(x.Kinds, string(k))
		}
		for i, r := range a.Recipients {
			x.To = append(x.To, disclosedTo(r, a.Parties[i], 1))
		}
		out.Items = append(out.Items, x)
	}
	if l.Next != "" {
		out.Next = cursor(0, string(l.Next))
	}
	return out, nil
}

// frameOf reads a frame with its references.
func (s *Server) frameOf(ctx context.Context, sc concert.Scope, f api.AuditFrame) (concert.DrawFrame, error) {
	out := concert.DrawFrame{About: concert.AboutKind(f.About), Content: concert.ContentType(f.ContentType), Outcome: concert.AuditOutcome(f.Outcome), From: f.From, Until: f.Until}
	var err error
	out.Authority, out.Provider, err = s.svc.PartiesAsked(ctx, sc, f.Authority, f.Provider)
	return out, err
}

func planOf(p api.AuditPlan) concert.DrawPlan {
	return concert.DrawPlan{By: concert.DrawBy(p.By), Margin: p.Margin, Size: p.Size, Equal: p.Equal}
}

func pair(i concert.Interval) [2]float64 { return [2]float64{i.Low, i.High} }

func shareOf(t concert.AuditTally) api.AuditShare {
	return api.AuditShare{Population: t.Population, Drawn: t.Drawn, Judged: t.Judged, Wrong: t.Wrong, Disputed: t.Disputed, Erased: t.Erased, Unable: t.Unable, NotBlind: t.NotBlind, Waiting: t.Waiting,
		Share: t.Share, Wilson: pair(t.Wilson), Exact: pair(t.Exact), Finite: pair(t.WithinFrame), Bounds: pair(t.Bounds), Few: t.Few}
}

func rateOf(r concert.AuditRate, name func(string) string) api.AuditRate {
	out := api.AuditRate{Finished: r.Finished, All: shareOf(r.All), Strata: []api.AuditStratum{}, Wilson: pair(r.Wilson), Exact: pair(r.Exact), Effective: r.Effective, Agreement: api.AuditKappa{N: r.Agreement.N, Agreed: r.Agreement.Agreed}}
	if r.Known {
		out.Weighted = &r.Weighted
	}
	if r.Agreement.Known {
		out.Agreement.Value = &r.Agreement.Value
	}
	if r.Agreement.Known && !r.Agreement.Wide {
		i := pair(r.Agreement.Interval)
		out.Agreement.Interval = &i
	}
	for _, x := range r.Strata {
		out.Strata = append(out.Strata, api.AuditStratum{Key: name(x.Key), AuditShare: shareOf(x.AuditTally)})
	}
	return out
}

func drawOf(v casework.DrawView, me concert.PersonID) api.AuditDraw {
	if v.AuditSample == nil {
		return api.AuditDraw{}
	}
	name := func(id string) string {
		if ref := v.Names[id]; ref != "" {
			return ref
		}
		return id
	}
	f, p := v.Frame, v.Plan
	out := api.AuditDraw{
		Ref: v.Ref, At: stamp(v.At), Auditor: v.Operators[v.Auditor], HeadSize: v.HeadSize, HeadRoot: v.HeadRoot, Index: v.Index, Commit: fmt.Sprintf("%x", v.Commit), Seed: fmt.Sprintf("%x", v.Seed), Left: v.Left,
		Frame: api.AuditFrame{About: string(f.About), Authority: v.Names[string(f.Authority)], Provider: v.Names[string(f.Provider)], ContentType: string(f.Content), Outcome: string(f.Outcome), From: f.From, Until: f.Until},
		Plan:  api.AuditPlan{By: string(p.By), Margin: p.Margin, Size: p.Size, Equal: p.Equal}, Units: []api.AuditUnit{}, Rate: rateOf(v.Rate, name), AuditStand: standOf(v.Stand),
	}
	for _, u := range v.Units {
		x := api.AuditUnit{Ref: u.Ref, About: string(u.About), Erased: !u.ErasedAt.IsZero()}
		if mine, ok := u.By(me); ok {
			x.Judged, x.Verdict = true, string(mine.Verdict)
		}
		out.Units = append(out.Units, x)
	}
	return out
}

func findingOf(r concert.Reassessment, operator string) api.AuditFinding {
	return api.AuditFinding{NewAuditFinding: api.NewAuditFinding{Verdict: string(r.Verdict), Type: string(r.Type), Purpose: string(r.Purpose), Why: string(r.Why), Note: r.Note}, Operator: operator, At: stamp(r.At)}
}

func blindUnitOf(u casework.BlindUnit) api.AuditBlindUnit {
	out := api.AuditBlindUnit{Draw: u.Draw, Ref: u.Unit.Ref, About: string(u.Unit.About), Erased: u.Erased, Items: []api.AuditBlindItem{}, Left: u.Left, Next: u.NextUnit, Handed: u.Handed}
	for _, i := range u.Items {
		x := api.AuditBlindItem{BlindLook: blindLookOf(i.BlindLook), Captures: []api.BlindCapture{}}
		x.Understood = &i.Understood
		for _, t := range i.Translations {
			x.Translations = append(x.Translations, api.BlindTranslation{Kind: string(t.Kind), Source: t.Source, Target: t.Target, Text: t.Text})
		}
		for _, c := range i.Captures {
			x.Captures = append(x.Captures, api.BlindCapture{Ref: c.Ref, Kind: string(c.Kind), SeenAt: stamp(c.SeenAt), Erased: !c.ErasedAt.IsZero()})
		}
		out.Items = append(out.Items, x)
	}
	if u.Judged {
		mine := findingOf(u.Mine, "")
		out.Mine = &mine
		for _, f := range u.Others {
			out.Others = append(out.Others, findingOf(f, u.Numbers[f.Auditor]))
		}
	}
	return out
}

func recommendationOf(r casework.RecommendationView) api.Recommendation {
	return api.Recommendation{Ref: r.Ref, Draw: r.DrawRef, About: string(r.About), Unit: r.Unit, Authority: r.To.Ref, Auditor: r.Auditor, At: stamp(r.At), Text: r.Text, Erased: r.Erased,
		Answer: string(r.Answer), AnsweredAt: stamp(r.AnsweredAt), Answerer: r.Answerer, Reasons: r.Reasons}
}

func (s *Server) timeInState(ctx context.Context, sc concert.Scope, in *struct {
	Kind        string `query:"kind" enum:"item,referral,order,complaint"`
	Authority   string `query:"authority" maxLength:"80" doc:"reference"`
	Provider    string `query:"provider" maxLength:"80" doc:"reference"`
	ContentType string `query:"content_type" maxLength:"40"`
	From        string `query:"from" maxLength:"7" doc:"month in which the state began, 2026-01"`
	Until       string `query:"until" maxLength:"7"`
}) (api.TimesInState, error) {
	q := concert.DwellQuery{Kind: concert.DwellKind(in.Kind), Content: concert.ContentType(in.ContentType), From: in.From, Until: in.Until}
	var err error
	if q.Authority, q.Provider, err = s.svc.PartiesAsked(ctx, sc, in.Authority, in.Provider); err != nil {
		return api.TimesInState{}, err
	}
	ds, at, err := s.svc.AuditDwell(ctx, sc, q)
	out := api.TimesInState{Items: []api.TimeInState{}, AuditStand: standOf(at)}
	seconds := func(d time.Duration) int64 { return int64(d / time.Second) }
	for _, d := range ds {
		x := api.TimeInState{Kind: string(d.Kind), State: d.State, Ended: d.Ended, P50: seconds(d.P50), P90: seconds(d.P90), P99: seconds(d.P99), Max: seconds(d.Max), Waiting: d.Waiting, Oldest: seconds(d.Oldest)}
		if d.Reached {
			m := seconds(d.Median)
			x.Median = &m
		}
		out.Items = append(out.Items, x)
	}
	return out, err
}
