package apiserver

import (
	"context"
	"net/http"

	"concert"
	"concert/api"
	"concert/internal/casework"
)

func (s *Server) team() {
	do(s, op(http.MethodGet, "/provider/team", "team", "My provider's people with the names of their sessions and keys", "provider"), func(ctx context.Context, by concert.Actor, _ *struct{}) (api.Page[api.Teammate], error) {
		_, team, err := s.svc.Team(ctx, by)
		out := api.Page[api.Teammate]{Items: []api.Teammate{}}
		for _, m := range team {
			out.Items = append(out.Items, teammateOf(m))
		}
		return out, err
	})
	do(s, created(op(http.MethodPost, "/provider/team", "add-teammate", "Add a person of my own provider", "provider")), func(ctx context.Context, by concert.Actor, in *Keyed[api.NewTeammate]) (api.Teammate, error) {
		a, err := s.svc.AddTeammate(ctx, by, concert.Person{Name: in.Body.Name, Login: in.Body.Login, Roles: rolesOf(in.Body.Roles)})
		out := teammateOf(casework.Teammate{Person: a.Person})
		out.Link = a.Link
		return out, err
	})
	do(s, op(http.MethodPost, "/provider/team/{id}/roles", "change-teammate", "Give a person of my own provider other roles", "provider"), func(ctx context.Context, by concert.Actor, in *keyedOn[api.NewTeamRoles]) (api.Teammate, error) {
		p, err := s.svc.ChangeTeammate(ctx, by, in.ID, rolesOf(in.Body.Roles))
		return teammateOf(casework.Teammate{Person: p}), err
	})
	do(s, op(http.MethodPost, "/provider/team/{id}/link", "link-teammate", "Make a person of my own provider a new one-time link", "provider"), func(ctx context.Context, by concert.Actor, in *keyedOne) (api.Teammate, error) {
		link, err := s.svc.LinkTeammate(ctx, by, in.ID)
		return api.Teammate{ID: in.ID, Roles: []string{}, State: "in_force", Sessions: []api.TeamSession{}, Keys: []api.APIKey{}, Link: link}, err
	})
	do(s, op(http.MethodPost, "/provider/team/{id}/disable", "disable-teammate", "End a person of my own provider and all its credentials", "provider"), func(ctx context.Context, by concert.Actor, in *keyedOne) (api.Teammate, error) {
		p, err := s.svc.DisableTeammate(ctx, by, in.ID)
		return teammateOf(casework.Teammate{Person: p}), err
	})
}

func teammateOf(m casework.Teammate) api.Teammate {
	p := personOf(m.Person, "", "")
	out := api.Teammate{ID: m.Operator, Name: m.Name, Login: m.Login, Roles: p.Roles, State: p.State, Sessions: []api.TeamSession{}, Keys: []api.APIKey{}}
	for _, o := range m.Sessions {
		out.Sessions = append(out.Sessions, api.TeamSession{Name: o.Name, CreatedAt: stamp(o.CreatedAt.UTC()), ExpiresAt: stamp(o.ExpiresAt.UTC())})
	}
	for _, k := range m.Keys {
		out.Keys = append(out.Keys, apiKeyOf(k))
	}
	return out
}
