package apiserver

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"concert"
	"concert/api"
	"concert/internal/casework"
)

func (s *Server) secondLooks() {
	huma.Register(s.api, op(http.MethodGet, "/second-looks", "second-looks", "Approved items drawn for a blind second look that I may give, and what my authority was disagreed with", "items"), func(ctx context.Context, _ *struct{}) (*body[api.SecondLooks], error) {
		sc, err := scope(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		looks, err := s.svc.ListSecondLooks(ctx, sc)
		if err != nil {
			return nil, s.fail(err)
		}
		return &body[api.SecondLooks]{secondLooksOf(looks)}, nil
	})
	do(s, op(http.MethodPost, "/second-looks/{id}", "look-again", "Give a blind second look; it stops and sends nothing", "items"), func(ctx context.Context, by concert.Actor, in *struct {
		One
		Keyed[api.NewSecondLook]
	}) (api.SecondLook, error) {
		l, err := s.svc.LookAgain(ctx, by, in.ID, concert.SecondLook{Verdict: concert.LookVerdict(in.Body.Verdict), Type: concert.ContentType(in.Body.Type), Note: in.Body.Reason})
		return secondLookOf(in.ID, l), err
	})
	huma.Register(s.api, op(http.MethodGet, "/accuracy", "accuracy", "How accurate officers were: my own, my authority's for a reviewer, all for an auditor", "items"), func(ctx context.Context, _ *struct{}) (*body[api.Accuracy], error) {
		sc, err := scope(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		officers, err := s.svc.ReadAccuracy(ctx, sc)
		if err != nil {
			return nil, s.fail(err)
		}
		return &body[api.Accuracy]{accuracyOf(officers)}, nil
	})
}

func secondLookOf(ref string, l concert.SecondLook) api.SecondLook {
	return api.SecondLook{NewSecondLook: api.NewSecondLook{Verdict: string(l.Verdict), Type: string(l.Type), Reason: l.Note}, Item: ref, At: stamp(l.At)}
}

func secondLooksOf(looks casework.SecondLooks) api.SecondLooks {
	out := api.SecondLooks{Waiting: make([]api.BlindLook, len(looks.Waiting)), Disagreed: make([]api.SecondLook, len(looks.Disagreed))}
	for i, l := range looks.Waiting {
		out.Waiting[i] = api.BlindLook{Item: l.Ref, Kind: l.Location.Kind, Location: l.Location.Submitted, Display: l.Location.Display, Type: string(l.Type), Outlet: l.Outlet.Ref, OutletName: l.Outlet.Name, Evaluation: l.Evaluation, Exercise: l.Exercise}
	}
	for i, d := range looks.Disagreed {
		out.Disagreed[i] = secondLookOf(d.Ref, d.SecondLook)
	}
	return out
}

func accuracyOf(officers []casework.OfficerAccuracy) api.Accuracy {
	out := api.Accuracy{Officers: make([]api.OfficerAccuracy, len(officers)), Definitions: map[string]string{}, From: concert.AccuracyFrom, Least: concert.AccuracyLeast}
	for m, text := range concert.OfficerDefinitions {
		out.Definitions[string(m)] = text
	}
	for i, o := range officers {
		out.Officers[i] = api.OfficerAccuracy{Operator: o.Operator, Authority: o.Authority.Ref, Judged: o.Judged, Inaccurate: o.Inaccurate, Known: o.Known(), Watched: o.Low(), Counts: map[string]int64{}}
		for _, m := range concert.OfficerMetrics {
			out.Officers[i].Counts[string(m)] = o.Counts[m]
		}
	}
	return out
}
