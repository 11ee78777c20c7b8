package apiserver

import (
	"cmp"
	"context"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"concert"
	"concert/api"
	"concert/internal/httpkit"
)

// body wraps what comes in or goes out as JSON.
type body[T any] struct{ Body T }

// Keyed is a POST's input with the key that makes it repeatable.
type Keyed[T any] struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"200" doc:"same key and body: the stored answer, for 24 hours"`
	Body           T
}

// One is the path of one thing. It is exported for the framework, which reads exported fields only.
type One struct {
	ID string `path:"id" maxLength:"80"`
}

func op(method, path, id, summary string, tags ...string) huma.Operation {
	o := huma.Operation{Method: method, Path: "/api/v1" + path, OperationID: id, Summary: summary, Tags: tags, MaxBodyBytes: httpkit.MaxBody, BodyReadTimeout: time.Minute}
	if method == http.MethodPost {
		o.DefaultStatus = http.StatusOK
	}
	return o
}

func created(o huma.Operation) huma.Operation {
	o.DefaultStatus = http.StatusCreated
	return o
}

func public(o huma.Operation) huma.Operation {
	o.Security = []map[string][]string{}
	return o
}

// do is an act that an actor does with a body.
func do[I, O any](s *Server, o huma.Operation, act func(context.Context, concert.Actor, *I) (O, error)) {
	huma.Register(s.api, o, func(ctx context.Context, in *I) (*body[O], error) {
		by, err := actor(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		out, err := act(ctx, by, in)
		if err != nil {
			return nil, s.fail(err)
		}
		return &body[O]{out}, nil
	})
}

// doors are what every deployment tells: whom a key speaks for, and its public keys.
func (s *Server) doors() {
	do(s, op(http.MethodGet, "/me", "me", "Whom the key speaks for", "registers"), func(ctx context.Context, by concert.Actor, _ *struct{}) (api.Me, error) {
		g, err := s.svc.Registers(ctx)
		return api.Me{Operator: by.Operator, Authority: g.Authorities[by.Authority].Ref, Provider: g.Providers[by.Provider].Ref, Roles: roles(by.Roles)}, err
	})
	huma.Register(s.api, public(op(http.MethodGet, "/keys", "keys", "Every public key that an outsider needs", "log")), s.keys)
}

func (s *Server) registers() {
	do(s, created(op(http.MethodPost, "/authorities", "add-authority", "Register an authority", "registers")), func(ctx context.Context, by concert.Actor, in *Keyed[api.NewAuthority]) (api.Authority, error) {
		a, err := s.svc.AddAuthority(ctx, by, concert.Authority{Name: in.Body.Name, Country: in.Body.Country, Kind: concert.AuthorityKind(in.Body.Kind), Unit: in.Body.Unit, Contact: in.Body.Contact})
		return authorityOf(a), err
	})
	do(s, created(op(http.MethodPost, "/providers", "add-provider", "Register a provider", "registers")), s.addProvider)
	do(s, created(op(http.MethodPost, "/outlets", "add-outlet", "Register an outlet", "scope")), func(ctx context.Context, by concert.Actor, in *Keyed[api.NewOutlet]) (api.Outlet, error) {
		b := in.Body
		o, err := s.svc.AddOutlet(ctx, by, concert.Outlet{Name: b.Name, Aliases: b.Aliases, Marks: b.Marks, Sites: b.Sites}, b.Parent)
		out := outletOf(o, concert.ScopeList{}, s.svc.Now())
		out.Parent = b.Parent
		return out, err
	})
	do(s, created(op(http.MethodPost, "/scope", "propose-scope", "Propose a scope entry; a second person confirms it", "scope")), s.proposeScope)
	do(s, op(http.MethodPost, "/scope/{id}/confirm", "confirm-scope", "Confirm a scope entry as the second person", "scope"), func(ctx context.Context, by concert.Actor, in *struct {
		One
		IdempotencyKey string `header:"Idempotency-Key" maxLength:"200"`
	}) (api.ScopeEntry, error) {
		e, err := s.svc.ConfirmScope(ctx, by, in.ID)
		return scopeEntryOf(e, concert.Outlet{}, s.svc.Now()), err
	})
	do(s, op(http.MethodPost, "/scope/{id}/delist", "delist-scope", "End a scope entry from a date on", "scope"), func(ctx context.Context, by concert.Actor, in *struct {
		One
		Keyed[api.Delisting]
	}) (api.ScopeEntry, error) {
		on, err := time.Parse(time.DateOnly, in.Body.On)
		if err != nil {
			return api.ScopeEntry{}, concert.Refuse(concert.Invalid, "scope.delisted_on", "on", "the date is written like 2019-11-21")
		}
		e, err := s.svc.DelistScope(ctx, by, in.ID, on)
		return scopeEntryOf(e, concert.Outlet{}, s.svc.Now()), err
	})
	huma.Register(s.api, public(op(http.MethodGet, "/scope", "scope", "The public scope list", "scope")), func(ctx context.Context, _ *struct{}) (*body[api.Page[api.ScopeEntry]], error) {
		g, err := s.svc.Registers(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		out := api.Page[api.ScopeEntry]{Items: []api.ScopeEntry{}}
		for id, es := range g.Scope.Entries {
			for _, e := range es {
				out.Items = append(out.Items, scopeEntryOf(e, g.Scope.Outlets[id], s.svc.Now()))
			}
		}
		slices.SortFunc(out.Items, func(a, b api.ScopeEntry) int {
			return cmp.Or(strings.Compare(a.OutletName, b.OutletName), strings.Compare(a.ListedOn, b.ListedOn), strings.Compare(a.ID, b.ID))
		})
		return &body[api.Page[api.ScopeEntry]]{out}, nil
	})
}

func (s *Server) addProvider(ctx context.Context, by concert.Actor, in *Keyed[api.NewProvider]) (api.Provider, error) {
	b := in.Body
	p, secret, err := s.svc.AddProvider(ctx, by, concert.Provider{Name: b.Name, Kind: b.Kind, Country: b.Country, Languages: b.Languages, Zone: b.Zone, QuietFrom: b.QuietFrom, QuietTo: b.QuietTo, PerHour: b.PerHour,
		Channel: concert.ChannelKind(b.Channel), WebhookURL: b.WebhookURL, Platforms: b.Platforms, Contact: b.Contact}, b.HMAC)
	out := providerOf(p)
	out.WebhookSecret = secret
	return out, err
}

func (s *Server) proposeScope(ctx context.Context, by concert.Actor, in *Keyed[api.NewScopeEntry]) (api.ScopeEntry, error) {
	b := in.Body
	on, err := time.Parse(time.DateOnly, b.ListedOn)
	if err != nil {
		return api.ScopeEntry{}, concert.Refuse(concert.Invalid, "scope.date", "listed_on", "the date is written like 2019-11-21")
	}
	e, err := s.svc.ProposeScope(ctx, by, b.Outlet, concert.ScopeEntry{LegalAct: b.LegalAct, Authority: b.Authority, Citation: b.Citation, ListedOn: on})
	out := scopeEntryOf(e, concert.Outlet{}, s.svc.Now())
	out.Outlet = b.Outlet
	return out, err
}

func (s *Server) keys(ctx context.Context, _ *struct{}) (*body[api.Keys], error) {
	g, err := s.svc.Registers(ctx)
	if err != nil {
		return nil, s.fail(err)
	}
	b64 := base64.StdEncoding.EncodeToString
	pub := s.svc.TransportKey()
	out := api.Keys{Keys: []api.Key{
		{Role: "transport", KeyID: concert.KeyID(pub), PublicKey: b64(pub), Party: s.svc.Origin},
		{Role: "log", PublicKey: s.svc.LogKey, Party: s.svc.Origin},
	}}
	for _, a := range g.Authorities {
		out.Keys = append(out.Keys, api.Key{Role: "author", KeyID: concert.KeyID(a.PublicKey), PublicKey: b64(a.PublicKey), Party: a.Name})
	}
	for _, p := range g.Providers {
		if p.WebhookKey != "" {
			out.Keys = append(out.Keys, api.Key{Role: "webhook", PublicKey: p.WebhookKey, Party: p.Ref})
		}
	}
	slices.SortFunc(out.Keys, func(a, b api.Key) int {
		return cmp.Or(strings.Compare(a.Role, b.Role), strings.Compare(a.Party, b.Party), strings.Compare(a.PublicKey, b.PublicKey))
	})
	return &body[api.Keys]{out}, nil
}
