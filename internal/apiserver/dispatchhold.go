package apiserver

import (
	"context"
	"net/http"

	"concert"
	"concert/api"
	"concert/internal/casework"
)

// dispatching is the hold on all that leaves the house.
func (s *Server) dispatching() {
	do(s, op(http.MethodGet, "/dispatch", "dispatch", "Whether anything leaves the house", "dispatch"), func(ctx context.Context, _ concert.Actor, _ *struct{}) (api.Dispatch, error) {
		q, err := scope(ctx)
		if err != nil {
			return api.Dispatch{}, err
		}
		d, err := s.svc.ReadDispatch(ctx, q)
		return dispatchOf(d), err
	})
	do(s, op(http.MethodPost, "/dispatch/hold", "hold-dispatch", "Stop everything that leaves the house", "dispatch"), func(ctx context.Context, by concert.Actor, in *Keyed[api.DispatchReason]) (api.Dispatch, error) {
		h, err := s.svc.HoldDispatch(ctx, by, in.Body.Reason)
		return dispatchOf(casework.Dispatching{Held: true, Hold: h}), err
	})
	do(s, op(http.MethodPost, "/dispatch/release", "release-dispatch", "Let everything go again", "dispatch"), func(ctx context.Context, by concert.Actor, in *Keyed[api.DispatchReason]) (api.Dispatch, error) {
		_, err := s.svc.ReleaseDispatch(ctx, by, in.Body.Reason)
		return api.Dispatch{}, err
	})
}

func dispatchOf(d casework.Dispatching) api.Dispatch {
	if !d.Held {
		return api.Dispatch{}
	}
	return api.Dispatch{Held: true, Cause: string(d.Hold.Cause), Since: d.Hold.HeldAt.Format(concert.TimeFormat), Reason: d.Hold.Reason}
}
