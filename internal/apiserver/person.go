package apiserver

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"concert"
	"concert/api"
	"concert/internal/casework"
)

// keyedOne is a POST on one thing without a body.
type keyedOne struct {
	One
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"200"`
}

// keyedOn is a POST on one thing with a body.
type keyedOn[T any] struct {
	One
	Keyed[T]
}

func (s *Server) people() {
	do(s, created(op(http.MethodPost, "/people", "add-person", "Register a person; any role but a provider's waits for a second administrator", "people")), s.addPerson)
	huma.Register(s.api, op(http.MethodGet, "/people", "people", "All accounts, for administrators and auditors", "people"), func(ctx context.Context, _ *struct{}) (*body[api.Page[api.Person]], error) {
		sc, err := scope(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		people, err := s.svc.People(ctx, sc)
		if err != nil {
			return nil, s.fail(err)
		}
		g, err := s.svc.Registers(ctx)
		out := api.Page[api.Person]{Items: []api.Person{}}
		for _, p := range people {
			out.Items = append(out.Items, viewedPerson(p, g))
		}
		if err != nil {
			return nil, s.fail(err)
		}
		return &body[api.Page[api.Person]]{out}, nil
	})
	huma.Register(s.api, op(http.MethodGet, "/people/{id}", "person", "One account, by operator number or log-in name", "people"), func(ctx context.Context, in *One) (*body[api.Person], error) {
		sc, err := scope(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		p, err := s.readPerson(ctx, sc, in.ID)
		if err != nil {
			return nil, s.fail(err)
		}
		return &body[api.Person]{p}, nil
	})
	do(s, op(http.MethodPost, "/people/{id}/confirm", "confirm-person", "Confirm what waits about a person, as the second administrator", "people"), func(ctx context.Context, by concert.Actor, in *keyedOn[api.Confirmation]) (api.Person, error) {
		p, code, err := s.svc.ConfirmPerson(ctx, by, in.ID, in.Body.Proposal)
		return s.changedPerson(ctx, by, p, err, func(out *api.Person) { out.Code = code })
	})
	do(s, op(http.MethodPost, "/people/{id}/roles", "change-roles", "Give a person other roles; what is added waits for a second administrator", "people"), func(ctx context.Context, by concert.Actor, in *keyedOn[api.NewRoles]) (api.Person, error) {
		p, _, err := s.svc.ChangeRoles(ctx, by, in.ID, rolesOf(in.Body.Roles), in.Body.Authority)
		return s.changedPerson(ctx, by, p, err, nil)
	})
	do(s, op(http.MethodPost, "/people/{id}/link", "new-link", "Make a new one-time link, or the first half of one", "people"), func(ctx context.Context, by concert.Actor, in *keyedOne) (api.Person, error) {
		link, _, err := s.svc.NewLink(ctx, by, in.ID)
		if err != nil {
			return api.Person{}, err
		}
		return s.changedPerson(ctx, by, concert.Person{Operator: in.ID}, err, func(out *api.Person) { out.Link = link })
	})
	do(s, op(http.MethodPost, "/people/{id}/disable", "disable-person", "End a person and all its credentials", "people"), func(ctx context.Context, by concert.Actor, in *keyedOne) (api.Person, error) {
		p, err := s.svc.DisablePerson(ctx, by, in.ID)
		return s.changedPerson(ctx, by, p, err, nil)
	})
	do(s, op(http.MethodGet, "/people/{id}/keys", "person-keys", "Somebody's API keys, for administrators", "people"), func(ctx context.Context, by concert.Actor, in *One) (api.Page[api.APIKey], error) {
		return s.keysOf(ctx, by, in.ID)
	})
	do(s, created(op(http.MethodPost, "/me/keys", "issue-key", "Make an API key of your own", "people")), func(ctx context.Context, by concert.Actor, in *Keyed[api.NewAPIKey]) (api.APIKey, error) {
		key, k, err := s.svc.IssueKey(ctx, by, in.Body.Name, powersOf(in.Body.Scopes)...)
		out := apiKeyOf(k)
		out.Key = key
		return out, err
	})
	do(s, op(http.MethodGet, "/me/keys", "my-keys", "Your own API keys", "people"), func(ctx context.Context, by concert.Actor, _ *struct{}) (api.Page[api.APIKey], error) {
		return s.keysOf(ctx, by, "")
	})
	do(s, op(http.MethodPost, "/me/keys/{id}/revoke", "revoke-key", "End an API key of your own; administrators end anybody's", "people"), func(ctx context.Context, by concert.Actor, in *keyedOne) (api.APIKey, error) {
		return api.APIKey{ID: in.ID}, s.svc.RevokeKey(ctx, by, in.ID)
	})
	huma.Register(s.api, public(op(http.MethodPost, "/enter", "enter", "Turn a one-time link, and its code, into a session", "people")), func(ctx context.Context, in *body[api.NewEntry]) (*body[api.Entry], error) {
		e, err := s.svc.EnterFrom(ctx, casework.Caller{}, in.Body.Link[strings.LastIndexByte(in.Body.Link, '#')+1:], in.Body.Code)
		if err != nil {
			return nil, s.fail(err)
		}
		return &body[api.Entry]{entryOf(e)}, nil
	})
}

func (s *Server) addPerson(ctx context.Context, by concert.Actor, in *Keyed[api.NewPerson]) (api.Person, error) {
	b := in.Body
	p, err := s.svc.AddPerson(ctx, by, concert.Person{Name: b.Name, Login: b.Login, Roles: rolesOf(b.Roles), Languages: b.Languages}, b.Authority, b.Provider, b.Key)
	out := personOf(p.Person, b.Authority, b.Provider)
	out.Link, out.Key = p.Link, p.Key
	if p.Proposal != "" {
		out.Waiting = &api.Proposal{ID: p.Proposal, Kind: string(concert.ProposedPerson), Roles: out.Roles, Authority: out.Authority, By: by.Operator}
	}
	return out, err
}

// changedPerson is a person as an act left it, with what it shows once.
func (s *Server) changedPerson(ctx context.Context, by concert.Actor, p concert.Person, err error, once func(*api.Person)) (api.Person, error) {
	if err != nil {
		return api.Person{}, err
	}
	sc, err := concert.NewScope(by, "")
	if err != nil {
		return api.Person{}, err
	}
	out, err := s.readPerson(ctx, sc, p.Operator)
	if once != nil {
		once(&out)
	}
	return out, err
}

func (s *Server) readPerson(ctx context.Context, sc concert.Scope, id string) (api.Person, error) {
	p, err := s.svc.ReadPerson(ctx, sc, id)
	if err != nil {
		return api.Person{}, err
	}
	g, err := s.svc.Registers(ctx)
	return viewedPerson(p, g), err
}

func (s *Server) keysOf(ctx context.Context, by concert.Actor, id string) (api.Page[api.APIKey], error) {
	keys, err := s.svc.ListKeys(ctx, by, id)
	out := api.Page[api.APIKey]{Items: []api.APIKey{}}
	for _, k := range keys {
		out.Items = append(out.Items, apiKeyOf(k))
	}
	return out, err
}

func rolesOf(in []string) []concert.Role {
	out := make([]concert.Role, len(in))
	for i, r := range in {
		out[i] = concert.Role(r)
	}
	return out
}

func personOf(p concert.Person, authority, provider string) api.Person {
	state := "in_force"
	switch {
	case !p.DisabledAt.IsZero():
		state = "disabled"
	case p.Waits:
		state = "waits"
	}
	return api.Person{ID: p.Operator, Operator: p.Operator, Login: p.Login, Authority: authority, Provider: provider, Roles: roles(p.Roles), State: state, Languages: p.Languages}
}

func viewedPerson(p casework.PersonView, g casework.Registers) api.Person {
	out := personOf(p.Person, g.Authorities[p.Authority].Ref, g.Providers[p.Provider].Ref)
	out.Name = p.Name
	if q := p.Waiting; q.Ref != "" {
		out.Waiting = &api.Proposal{ID: q.Ref, Kind: string(q.Kind), Roles: roles(q.Roles), Authority: g.Authorities[q.Authority].Ref, By: p.Proposer}
	}
	return out
}

func apiKeyOf(k casework.APIKey) api.APIKey {
	return api.APIKey{ID: k.ID, Name: k.Name, CreatedAt: stamp(k.CreatedAt.UTC()), Scopes: scopeNames(k.Scopes)}
}
