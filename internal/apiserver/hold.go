package apiserver

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"concert"
	"concert/api"
	"concert/internal/casework"
)

func (s *Server) holds() {
	do(s, created(op(http.MethodPost, "/holds", "place-hold", "Ask all other authorities to keep off a place or the bytes of a work", "holds")), func(ctx context.Context, by concert.Actor, in *Keyed[api.NewHold]) (api.Hold, error) {
		h, err := s.svc.PlaceHold(ctx, by, casework.Holding{Location: in.Body.Location, SHA256: in.Body.SHA256, Contact: in.Body.Contact, Case: in.Body.Case})
		return holdOf(casework.HoldView{Hold: h}, s.svc.Now()), err
	})
	huma.Register(s.api, op(http.MethodGet, "/holds", "holds", "My authority's holds, newest first, with who came upon each", "holds"), s.listHolds)
	changeHold(s, "/holds/{id}/release", "release-hold", "End a hold", func(ctx context.Context, by concert.Actor, ref string, v int64, in api.Release) (concert.Hold, error) {
		return s.svc.ReleaseHold(ctx, by, ref, v, in.Reason)
	})
	changeHold(s, "/holds/{id}/renew", "renew-hold", "Let a hold stand for another 30 days, as a second person of its authority", func(ctx context.Context, by concert.Actor, ref string, v int64, in api.Renewal) (concert.Hold, error) {
		return s.svc.RenewHold(ctx, by, ref, v, in.Reason)
	})
	change(s, op(http.MethodPost, "/items/{id}/override", "override-hold", "Let a held threat to life pass the hold; reviewed within 48 hours", "items"), func(ctx context.Context, by concert.Actor, ref string, v int64, in api.NewOverride) error {
		_, err := s.svc.OverrideHold(ctx, by, ref, v, in.Reason)
		return err
	})
	do(s, op(http.MethodPost, "/items/{id}/override/review", "review-override", "Say whether an override was justified", "items"), func(ctx context.Context, by concert.Actor, in *struct {
		One
		IdempotencyKey string `header:"Idempotency-Key" maxLength:"200"`
		Body           api.NewReview
	}) (api.Override, error) {
		o, err := s.svc.ReviewOverride(ctx, by, in.ID, concert.Verdict(in.Body.Verdict), in.Body.Reason)
		return overrideOf(o, in.ID), err
	})
	huma.Register(s.api, op(http.MethodGet, "/alarms", "alarms", "What coordinators and auditors must look at, newest first", "holds"), s.alarms)
}

// changeHold is an act on one of the actor's own holds.
func changeHold[T any](s *Server, path, id, summary string, act func(context.Context, concert.Actor, string, int64, T) (concert.Hold, error)) {
	huma.Register(s.api, op(http.MethodPost, path, id, summary, "holds"), func(ctx context.Context, in *matched[T]) (*body[api.Hold], error) {
		by, err := actor(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		v, err := version(in.IfMatch)
		if err != nil {
			return nil, s.fail(err)
		}
		h, err := act(ctx, by, in.ID, v, in.Body)
		if err != nil {
			return nil, s.fail(err)
		}
		return &body[api.Hold]{holdOf(casework.HoldView{Hold: h}, s.svc.Now())}, nil
	})
}

// pageIn asks for a page of a list.
type pageIn struct {
	Limit  int    `query:"limit" default:"100" minimum:"1" maximum:"500"`
	Cursor string `query:"cursor" maxLength:"200"`
}

func (s *Server) listHolds(ctx context.Context, in *pageIn) (*body[api.Page[api.Hold]], error) {
	sc, err := scope(ctx)
	if err != nil {
		return nil, s.fail(err)
	}
	_, before, err := parseCursor(in.Cursor)
	if err != nil {
		return nil, s.fail(err)
	}
	hs, err := s.svc.Holds(ctx, sc, concert.HoldID(before), in.Limit)
	if err != nil {
		return nil, s.fail(err)
	}
	out := api.Page[api.Hold]{Items: make([]api.Hold, len(hs))}
	for i, h := range hs {
		out.Items[i] = holdOf(h, s.svc.Now())
	}
	if len(hs) == in.Limit {
		out.Next = cursor(0, string(hs[len(hs)-1].ID))
	}
	return &body[api.Page[api.Hold]]{out}, nil
}

func (s *Server) alarms(ctx context.Context, in *pageIn) (*body[api.Alarms], error) {
	sc, err := scope(ctx)
	if err != nil {
		return nil, s.fail(err)
	}
	_, before, err := parseCursor(in.Cursor)
	if err != nil {
		return nil, s.fail(err)
	}
	as, rs, err := s.svc.Alarms(ctx, sc, concert.AlarmID(before), in.Limit)
	if err != nil {
		return nil, s.fail(err)
	}
	out := api.Alarms{Items: make([]api.Alarm, len(as)), Reviews: make([]api.Override, len(rs))}
	for i, a := range as {
		out.Items[i] = api.Alarm{ID: string(a.ID), Kind: string(a.Kind), Authority: a.By.Ref, Name: a.By.Name, Unit: a.By.Unit, Item: a.ItemRef, Met: a.Met, Witness: a.Witness, At: stamp(a.At), EndedAt: stamp(a.EndedAt)}
	}
	for i, r := range rs {
		out.Reviews[i] = overrideOf(r.Override, r.ItemRef)
	}
	if len(as) == in.Limit {
		out.Next = cursor(0, string(as[len(as)-1].ID))
	}
	return &body[api.Alarms]{out}, nil
}

func holdOf(v casework.HoldView, now time.Time) api.Hold {
	h := v.Hold
	out := api.Hold{ID: h.Ref, State: "stands", Location: h.Location.Submitted, SHA256: h.Hash, Contact: h.Contact, Case: h.Case, CreatedAt: stamp(h.CreatedAt), ExpiresAt: stamp(h.ExpiresAt), ReleasedAt: stamp(h.ReleasedAt),
		RenewalsLeft: max(0, concert.HoldRenewals-h.Renewals), Version: h.Version}
	switch {
	case !h.ReleasedAt.IsZero():
		out.State, out.RenewalsLeft = "released", 0
	case !h.InForce(now):
		out.State, out.RenewalsLeft = "expired", 0
	}
	for _, n := range h.Notes {
		out.Notes = append(out.Notes, api.HoldNote{What: n.What, At: stamp(n.At), Reason: n.Reason})
	}
	for _, a := range v.Asked {
		out.Asked = append(out.Asked, api.Asked{Kind: string(a.Kind), Authority: a.By.Ref, Name: a.By.Name, Unit: a.By.Unit, Contact: a.By.Contact, Item: a.ItemRef, At: stamp(a.At), ReferredAt: stamp(a.ReferredAt), Probed: len(a.Probed) > 0})
	}
	return out
}

func overrideOf(o concert.Override, item string) api.Override {
	return api.Override{Item: item, At: stamp(o.At), DueAt: stamp(o.DueAt), Verdict: string(o.Verdict), ReviewedAt: stamp(o.ReviewedAt)}
}
