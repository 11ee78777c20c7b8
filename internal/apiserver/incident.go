package apiserver

import (
	"context"
	"net/http"
	"time"

	"concert"
	"concert/api"
	"concert/internal/casework"
)

func (s *Server) incidents() {
	do(s, created(op(http.MethodPost, "/incidents", "declare-incident", "Say that something happened that many items are about (coordinator, reviewer)", "incidents")), func(ctx context.Context, by concert.Actor, in *Keyed[api.NewIncident]) (api.Incident, error) {
		at, err := time.Parse(time.RFC3339, in.Body.At)
		if err != nil {
			return api.Incident{}, concert.Refuse(concert.Invalid, "incident.at", "at", "the time is written like 2019-11-21T08:00:00Z")
		}
		n, err := s.svc.DeclareIncident(ctx, by, concert.Incident{Kind: concert.IncidentKind(in.Body.Kind), Name: in.Body.Name, Country: in.Body.Country, At: at})
		return incidentOf(casework.IncidentView{Incident: n}), err
	})
	ask(s, op(http.MethodGet, "/incidents", "incidents", "Incidents, newest first", "incidents"), func(ctx context.Context, sc concert.Scope, in *struct {
		Limit  int    `query:"limit" default:"100" minimum:"1" maximum:"500"`
		Cursor string `query:"cursor" maxLength:"200"`
		Open   bool   `query:"open" doc:"only those that last"`
	}) (api.Page[api.Incident], error) {
		_, before, err := parseCursor(in.Cursor)
		if err != nil {
			return api.Page[api.Incident]{}, err
		}
		vs, err := s.svc.Incidents(ctx, sc, in.Open, concert.IncidentID(before), in.Limit)
		out := api.Page[api.Incident]{Items: make([]api.Incident, len(vs))}
		for i, v := range vs {
			out.Items[i] = incidentOf(v)
		}
		if len(vs) == in.Limit {
			out.Next = cursor(0, string(vs[len(vs)-1].ID))
		}
		return out, err
	})
	ask(s, op(http.MethodGet, "/incidents/{id}", "incident", "One incident, with my authority's items", "incidents"), func(ctx context.Context, sc concert.Scope, in *oneFrom) (api.Incident, error) {
		_, after, err := parseCursor(in.Cursor)
		if err != nil {
			return api.Incident{}, err
		}
		v, err := s.svc.ReadIncident(ctx, sc, in.ID, concert.ItemID(after))
		return incidentOf(v), err
	})
	do(s, op(http.MethodPost, "/incidents/{id}/items", "attach-to-incident", "Let up to 500 items belong to an incident", "incidents"), func(ctx context.Context, by concert.Actor, in *keyedOn[api.CaseItems]) (api.Results, error) {
		rs, err := s.svc.AttachToIncident(ctx, by, in.ID, in.Body.Items)
		return api.Results{Results: results(rs)}, err
	})
	do(s, op(http.MethodPost, "/incidents/{id}/end", "end-incident", "End an incident", "incidents"), func(ctx context.Context, by concert.Actor, in *matchedOne) (api.Incident, error) {
		v, err := version(in.IfMatch)
		if err != nil {
			return api.Incident{}, err
		}
		n, err := s.svc.EndIncident(ctx, by, in.ID, v)
		return incidentOf(casework.IncidentView{Incident: n}), err
	})
}

func incidentOf(v casework.IncidentView) api.Incident {
	n := v.Incident
	out := api.Incident{ID: n.Ref, Version: n.Version, Kind: string(n.Kind), Name: n.Name, Country: n.Country, At: stamp(n.At), Authority: v.Authority.Ref, EndedAt: stamp(n.EndedAt), Exercise: n.Exercise}
	own := 0
	for to, from := range map[*map[string]int]map[concert.ItemStatus]int{&out.Counts: v.Counts, &out.Own: v.Own} {
		*to = make(map[string]int, len(from))
		for status, count := range from {
			(*to)[string(status)] = count
		}
	}
	for _, count := range v.Own {
		own += count
	}
	out.Items, out.Next = caseItemsOf(v.Items, max(own, len(v.Items)+1))
	return out
}
