package apiserver

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"concert"
	"concert/api"
	"concert/internal/casework"
)

// threats are providers' reports of threats to life (Art. 14(5)).
func (s *Server) threats() {
	huma.Register(s.api, created(op(http.MethodPost, "/threats", "report-threat", "Report content that involves an imminent threat to life (provider, Art. 14(5)): the answer is the receipt", "threats")), func(ctx context.Context, in *Keyed[api.NewThreat]) (*tagged[api.Threat], error) {
		by, err := actor(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		b := in.Body
		return s.threatAnswer(s.svc.ReportThreat(ctx, by, casework.ThreatReport{Kind: concert.ThreatKind(b.Kind), States: b.States, Content: concert.ThreatContent(b.Content), Preserved: b.Preserved, SeenAt: momentOf(b.SeenAt),
			ThreatText: concert.ThreatText{Places: b.Places, Description: b.Description, Unknown: b.Unknown, Contact: b.Contact, Telephone: b.Telephone, Email: b.Email}}))
	})
	huma.Register(s.api, op(http.MethodGet, "/threats", "threats", "Reports of threats to life that concern me, the newest first: a provider's own, or those that went to my authority", "threats"), func(ctx context.Context, in *struct {
		Before string `query:"before" maxLength:"80" doc:"reference of the last one of the page before"`
	}) (*body[api.Page[api.ThreatSummary]], error) {
		sc, err := scope(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		vs, err := s.svc.Threats(ctx, sc, in.Before)
		if err != nil {
			return nil, s.fail(err)
		}
		out := api.Page[api.ThreatSummary]{Items: []api.ThreatSummary{}}
		for _, v := range vs {
			out.Items = append(out.Items, threatSummaryOf(v))
		}
		return &body[api.Page[api.ThreatSummary]]{out}, nil
	})
	huma.Register(s.api, op(http.MethodGet, "/threats/{id}", "threat", "One report, with its receipt", "threats"), func(ctx context.Context, in *One) (*tagged[api.Threat], error) {
		sc, err := scope(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		return s.threatAnswer(s.svc.ReadThreat(ctx, sc, in.ID))
	})
	huma.Register(s.api, op(http.MethodGet, "/threats/{id}/proof", "threat-proof", "Proof that a report's receipt stands in the log, for concert verify", "threats"), func(ctx context.Context, in *One) (*file, error) {
		sc, err := scope(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		p, err := s.svc.ThreatProof(ctx, sc, in.ID)
		if err != nil {
			return nil, s.fail(err)
		}
		raw, err := json.Marshal(p)
		return &file{"application/json", raw}, err
	})
	threatAct(s, "take", "take-threat", "Say that I have a report in hand: its alarms end", func(ctx context.Context, by concert.Actor, ref string, v int64, _ struct{}) (casework.ThreatView, error) {
		return s.svc.TakeThreat(ctx, by, ref, v)
	})
	threatAct(s, "pass", "pass-threat", "Hand a report on that is not my authority's", func(ctx context.Context, by concert.Actor, ref string, v int64, in api.PassThreat) (casework.ThreatView, error) {
		return s.svc.PassThreat(ctx, by, ref, v, in.To, in.Reason)
	})
	threatAct(s, "close", "close-threat", "End a report at my authority, with a word to the provider", func(ctx context.Context, by concert.Actor, ref string, v int64, in api.CloseThreat) (casework.ThreatView, error) {
		return s.svc.CloseThreat(ctx, by, ref, v, concert.ThreatOutcome(in.Outcome), in.Word)
	})
}

// threatAct is an act on a report. A version may be given: in an emergency nobody is sent
// back for one.
func threatAct[T any](s *Server, verb, id, summary string, act func(context.Context, concert.Actor, string, int64, T) (casework.ThreatView, error)) {
	huma.Register(s.api, op(http.MethodPost, "/threats/{id}/"+verb, id, summary, "threats"), func(ctx context.Context, in *matched[T]) (*tagged[api.ThreatState], error) {
		by, err := actor(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		var v int64
		if in.IfMatch != "" {
			if v, err = version(in.IfMatch); err != nil {
				return nil, s.fail(err)
			}
		}
		now, err := act(ctx, by, in.ID, v, in.Body)
		if err != nil {
			return nil, s.fail(err)
		}
		out := api.ThreatState{ThreatSummary: threatSummaryOf(now)}
		if now.Mine != nil {
			out.Version = now.Mine.Version
		}
		for i := range out.To {
			out.To[i].Reason = ""
		}
		return &tagged[api.ThreatState]{api.ETag(out.Version), out}, nil
	})
}

func (s *Server) threatAnswer(v casework.ThreatView, err error) (*tagged[api.Threat], error) {
	if err != nil {
		return nil, s.fail(err)
	}
	out := api.Threat{ThreatSummary: threatSummaryOf(v), Places: v.Places, Description: v.Description, Unknown: v.Unknown, Preserved: v.Preserved, Contact: v.Contact, Telephone: v.Telephone, Email: v.Email, ErasedAt: stamp(v.ErasedAt),
		Receipt: api.ThreatReceipt{ReceivedAt: stamp(v.ReceivedAt), Event: string(v.Receipt.Event), Commit: v.Receipt.Commit}}
	if out.Places == nil {
		out.Places = []string{}
	}
	if v.Receipt.Index >= 0 && v.Receipt.Event != "" {
		out.Receipt.Index = &v.Receipt.Index
	}
	if v.Mine != nil {
		out.Version = v.Mine.Version
	}
	for _, it := range v.Items {
		out.Items = append(out.Items, it.Ref)
	}
	return &tagged[api.Threat]{api.ETag(out.Version), out}, nil
}

func threatSummaryOf(v casework.ThreatView) api.ThreatSummary {
	out := api.ThreatSummary{ID: v.Ref, Provider: v.Of.Name, Kind: string(v.Kind), States: v.States, Content: string(v.Content), Status: string(v.Status), SeenAt: stamp(v.SeenAt), ReceivedAt: stamp(v.ReceivedAt), To: []api.ThreatCopy{}, Exercise: v.Exercise}
	if out.States == nil {
		out.States = []string{}
	}
	for _, c := range v.Copies {
		out.To = append(out.To, api.ThreatCopy{Authority: c.Of.Ref, Name: c.Of.Name, State: c.State, Why: string(c.Why), Status: string(c.ThreatCopy.Status), ReceivedAt: stamp(c.ReceivedAt), TakenAt: stamp(c.TakenAt), ClosedAt: stamp(c.ClosedAt),
			Operator: c.Operator, Outcome: string(c.Outcome), Word: c.Word, Reason: c.Reason})
	}
	return out
}
