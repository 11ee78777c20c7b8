package apiserver

import (
	"context"
	"net/http"
	"strconv"

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
	ask(s, op(http.MethodGet, "/second-looks/list", "list-second-looks", "Second looks that I may give, and those that were given to my authority's assessments, the oldest drawn first", "items"), func(ctx context.Context, sc concert.Scope, in *struct {
		Limit    int    `query:"limit" default:"100" minimum:"1" maximum:"500"`
		Cursor   string `query:"cursor" maxLength:"200"`
		State    string `query:"state" enum:"waiting,agree,disagree"`
		Provider string `query:"provider" maxLength:"80"`
		By       string `query:"by" maxLength:"64" doc:"operator number of who looked, of my authority"`
	}) (api.Page[api.ListedLook], error) {
		at, id, err := parseCursor(in.Cursor)
		if err != nil {
			return api.Page[api.ListedLook]{}, err
		}
		g, err := s.svc.Registers(ctx)
		if err != nil {
			return api.Page[api.ListedLook]{}, err
		}
		q, p := concert.LookSearch{State: concert.LookState(in.State)}, concert.Page{Limit: in.Limit, Far: searchFar}
		if id != "" {
			p.Keys = []string{strconv.Itoa(at), id}
		}
		for id, have := range g.Providers {
			if have.Ref == in.Provider {
				q.Provider = id
			}
		}
		if in.Provider != "" && q.Provider == "" {
			return api.Page[api.ListedLook]{}, concert.ErrNotFound
		}
		found, err := s.svc.SearchSecondLooks(ctx, sc, q, in.By, asked("state", in.State, "provider", in.Provider, "by", in.By), p)
		next := func(keys []string) string { return keys[0] + ":" + keys[1] }
		last := func(l casework.ListedLook) string {
			return cursor(int(concert.Micros(l.DrawnAt)), string(l.Assessment))
		}
		return pageOf(found, in.Limit, func(l casework.ListedLook) api.ListedLook { return listedLookOf(l, g) }, last, next), err
	})
	ask(s, op(http.MethodGet, "/second-looks/{id}", "second-look", "One item drawn for a blind second look that I may give, with the translations of its words; reading it is no opening of the item", "items"), func(ctx context.Context, sc concert.Scope, in *One) (api.BlindLook, error) {
		l, err := s.svc.ReadSecondLook(ctx, sc, in.ID)
		out := blindLookOf(l)
		out.Understood = &l.Understood
		for _, t := range l.Translations {
			out.Translations = append(out.Translations, api.BlindTranslation{Kind: string(t.Kind), Source: t.Source, Target: t.Target, Text: t.Text})
		}
		return out, err
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

func blindLookOf(l casework.BlindLook) api.BlindLook {
	return api.BlindLook{Item: l.Ref, Kind: l.Location.Kind, Location: l.Location.Submitted, Display: l.Location.Display, Type: string(l.Type), Outlet: l.Outlet.Ref, OutletName: l.Outlet.Name, Language: l.Language, Evaluation: l.Evaluation, Exercise: l.Exercise}
}

func listedLookOf(l casework.ListedLook, g casework.Registers) api.ListedLook {
	out := api.ListedLook{Item: l.Ref, State: string(concert.LookWaiting), Display: l.Location.Display, Type: string(l.Kind), Provider: g.Providers[l.Provider].Ref, Outlet: g.Scope.Outlets[l.Outlet].Ref, Language: l.Language, DrawnAt: stamp(l.DrawnAt), Status: string(l.Status)}
	if !l.At.IsZero() {
		out.State, out.At, out.By, out.Reason = string(l.Verdict), stamp(l.At), l.Operator, l.Note
	}
	return out
}

func secondLooksOf(looks casework.SecondLooks) api.SecondLooks {
	out := api.SecondLooks{Waiting: make([]api.BlindLook, len(looks.Waiting)), Disagreed: make([]api.SecondLook, len(looks.Disagreed))}
	for i, l := range looks.Waiting {
		out.Waiting[i] = blindLookOf(l)
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
