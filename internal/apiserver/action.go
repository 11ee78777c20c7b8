package apiserver

import (
	"context"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"concert"
	"concert/api"
)

func (s *Server) actions() {
	do(s, created(op(http.MethodPost, "/actions", "open-action", "Open a joint action", "actions")), func(ctx context.Context, by concert.Actor, in *Keyed[api.NewAction]) (api.Action, error) {
		b := in.Body
		starts, err := time.Parse(time.RFC3339, b.StartsAt)
		if err != nil {
			return api.Action{}, badTime("starts_at")
		}
		ends, err := time.Parse(time.RFC3339, b.EndsAt)
		if err != nil {
			return api.Action{}, badTime("ends_at")
		}
		a, err := s.svc.OpenAction(ctx, by, b.Lead, concert.Action{Name: b.Name, Mandate: b.Mandate, StartsAt: starts, EndsAt: ends, Target: b.Target})
		if err != nil {
			return api.Action{}, err
		}
		return s.action(ctx, a.Ref)
	})
	do(s, op(http.MethodGet, "/actions/{id}", "action", "One joint action", "actions"), func(ctx context.Context, _ concert.Actor, in *One) (api.Action, error) {
		return s.action(ctx, in.ID)
	})
	do(s, op(http.MethodPost, "/actions/{id}/phase", "set-phase", "Move a joint action to a phase", "actions"), func(ctx context.Context, by concert.Actor, in *struct {
		One
		Keyed[api.NewPhase]
		IfMatch string `header:"If-Match"`
	}) (api.Action, error) {
		v, err := version(in.IfMatch)
		if err != nil {
			return api.Action{}, err
		}
		if _, err := s.svc.SetPhase(ctx, by, in.ID, v, concert.Phase(in.Body.Phase)); err != nil {
			return api.Action{}, err
		}
		return s.action(ctx, in.ID)
	})
	do(s, op(http.MethodPost, "/actions/{id}/participants", "join-action", "Give an authority its part", "actions"), func(ctx context.Context, by concert.Actor, in *struct {
		One
		Keyed[api.ActionParticipant]
	}) (api.Action, error) {
		if err := s.svc.JoinAction(ctx, by, in.ID, in.Body.Authority, concert.Part(in.Body.Part)); err != nil {
			return api.Action{}, err
		}
		return s.action(ctx, in.ID)
	})
	do(s, op(http.MethodPost, "/actions/{id}/targets", "target-action", "Name an outlet as target", "actions"), func(ctx context.Context, by concert.Actor, in *struct {
		One
		Keyed[api.NewTarget]
	}) (api.Action, error) {
		if err := s.svc.TargetAction(ctx, by, in.ID, in.Body.Outlet); err != nil {
			return api.Action{}, err
		}
		return s.action(ctx, in.ID)
	})
	huma.Register(s.api, op(http.MethodGet, "/actions/{id}/board", "board", "A joint action's numbers now", "actions"), s.board)
	huma.Register(s.api, op(http.MethodGet, "/actions/{id}/report", "action-report", "A joint action's after-action report, signed under the log's head", "actions"), s.report)
}

func badTime(field string) error {
	return concert.Refuse(concert.Invalid, "request.time", field, "a time is written like 2019-11-21T08:00:00Z (RFC 3339)")
}

// action is the action as it stands, for whoever may log in.
func (s *Server) action(ctx context.Context, ref string) (api.Action, error) {
	sc, err := scope(ctx)
	if err != nil {
		return api.Action{}, err
	}
	b, err := s.svc.ReadBoard(ctx, sc, ref)
	if err != nil {
		return api.Action{}, err
	}
	g, err := s.svc.Registers(ctx)
	if err != nil {
		return api.Action{}, err
	}
	a := b.Action
	out := api.Action{ID: a.Ref, Version: a.Version, Name: a.Name, Phase: string(a.Phase), Lead: g.Authorities[a.Lead].Ref, Mandate: a.Mandate, StartsAt: stamp(a.StartsAt), EndsAt: stamp(a.EndsAt), Target: a.Target, Exercise: a.Exercise}
	for _, p := range b.Participants {
		out.Participants = append(out.Participants, api.ActionParticipant{Authority: g.Authorities[p.Authority].Ref, Part: string(p.Part)})
	}
	for _, o := range b.Targets {
		out.Outlets = append(out.Outlets, g.Scope.Outlets[o].Ref)
	}
	return out, nil
}

func (s *Server) board(ctx context.Context, in *One) (*body[api.Board], error) {
	sc, err := scope(ctx)
	if err != nil {
		return nil, s.fail(err)
	}
	b, err := s.svc.ReadBoard(ctx, sc, in.ID)
	if err != nil {
		return nil, s.fail(err)
	}
	g, err := s.svc.Registers(ctx)
	if err != nil {
		return nil, s.fail(err)
	}
	out := api.Board{Action: b.Action.Ref, Phase: string(b.Action.Phase), AsOf: stamp(b.AsOf), ServerTime: stamp(time.Now().UTC()), Exercise: b.Action.Exercise, Totals: counts(b.Totals),
		Authorities: map[string]map[string]int64{}, Providers: map[string]map[string]int64{}, Log: api.LogHead{Size: b.Log.Size, Root: hex.EncodeToString(b.Log.Root[:])}}
	for id, c := range b.Authorities {
		out.Authorities[g.Authorities[id].Ref] = counts(c)
	}
	for id, c := range b.Providers {
		out.Providers[g.Providers[id].Ref] = counts(c)
	}
	return &body[api.Board]{out}, nil
}

// report is the signed after-action report of an action.
func (s *Server) report(ctx context.Context, in *One) (*body[concert.Envelope], error) {
	sc, err := scope(ctx)
	if err != nil {
		return nil, s.fail(err)
	}
	e, err := s.svc.SignedReport(ctx, sc, in.ID)
	if err != nil {
		return nil, s.fail(err)
	}
	return &body[concert.Envelope]{e}, nil
}
