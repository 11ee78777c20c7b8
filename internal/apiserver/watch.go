package apiserver

import (
	"context"
	"net/http"
	"time"

	"concert"
	"concert/api"
	"concert/internal/casework"
)

func (s *Server) watches() {
	do(s, created(op(http.MethodPost, "/watchlist", "watch-place", "Put a place on my authority's watchlist", "watchlist")), func(ctx context.Context, by concert.Actor, in *Keyed[api.NewWatch]) (api.Watch, error) {
		b := in.Body
		until, err := day(b.Until, "watch.until", "until")
		if err != nil {
			return api.Watch{}, err
		}
		w, err := s.svc.WatchPlace(ctx, by, casework.Watching{Location: b.Location, Outlet: b.Outlet, Owner: concert.WatchOwner(b.Owner), Case: b.Case, Ground: b.Ground, Until: until, Cadence: time.Duration(b.Cadence) * time.Hour})
		return watchOf(casework.WatchView{Watch: w, CaseRef: b.Case}), err
	})
	ask(s, op(http.MethodGet, "/watchlist", "watchlist", "My authority's watched places, what is due longest first", "watchlist"), func(ctx context.Context, sc concert.Scope, in *struct {
		Limit  int    `query:"limit" default:"100" minimum:"1" maximum:"500"`
		Cursor string `query:"cursor" maxLength:"200"`
		Ended  bool   `query:"ended" doc:"those that ended, newest first"`
		Outlet string `query:"outlet" maxLength:"80"`
	}) (api.Page[api.Watch], error) {
		at, id, err := parseCursor(in.Cursor)
		if err != nil {
			return api.Page[api.Watch]{}, err
		}
		vs, err := s.svc.Watchlist(ctx, sc, casework.WatchQuery{Ended: in.Ended, Outlet: in.Outlet, AfterNext: concert.FromMicros(int64(at)), AfterID: concert.WatchID(id), Limit: in.Limit})
		out := api.Page[api.Watch]{Items: make([]api.Watch, len(vs))}
		for i, v := range vs {
			out.Items[i] = watchOf(v)
		}
		if len(vs) == in.Limit {
			last := vs[len(vs)-1]
			out.Next = cursor(int(concert.Micros(last.NextAt)), string(last.ID))
		}
		return out, err
	})
	ask(s, op(http.MethodGet, "/watchlist/{id}", "watch", "One watched place with its sweeps", "watchlist"), func(ctx context.Context, sc concert.Scope, in *One) (api.Watch, error) {
		v, err := s.svc.ReadWatch(ctx, sc, in.ID)
		return watchOf(v), err
	})
	do(s, op(http.MethodPost, "/watchlist/{id}/sweep", "sweep-place", "Take a watched place for an hour to go through it", "watchlist"), func(ctx context.Context, by concert.Actor, in *keyedOne) (api.Sweep, error) {
		_, sw, err := s.svc.SweepPlace(ctx, by, in.ID)
		return sweepOf(sw, by.Operator), err
	})
	do(s, op(http.MethodPost, "/sweeps/{id}/finish", "finish-sweep", "Finish my sweep and say what came of it", "watchlist"), func(ctx context.Context, by concert.Actor, in *keyedOn[api.NewSweepEnd]) (api.Sweep, error) {
		_, sw, err := s.svc.FinishSweep(ctx, by, in.ID, concert.SweepOutcome(in.Body.Outcome))
		return sweepOf(sw, by.Operator), err
	})
	do(s, op(http.MethodPost, "/watchlist/{id}/end", "end-watch", "Take a place off the watchlist", "watchlist"), func(ctx context.Context, by concert.Actor, in *matchedOne) (api.Watch, error) {
		v, err := version(in.IfMatch)
		if err != nil {
			return api.Watch{}, err
		}
		w, err := s.svc.EndWatch(ctx, by, in.ID, v)
		return watchOf(casework.WatchView{Watch: w}), err
	})
}

func watchOf(v casework.WatchView) api.Watch {
	w := v.Watch
	out := api.Watch{ID: w.Ref, Version: w.Version, Location: w.Location.Submitted, Display: w.Location.Display, Kind: w.Location.Kind, Owner: string(w.Owner), Outlet: v.Outlet.Ref, Case: v.CaseRef, Ground: w.Ground, Cadence: int(w.Cadence / time.Hour),
		NextAt: stamp(w.NextAt), LastAt: stamp(w.LastAt), Until: stamp(w.EndsAt), EndedAt: stamp(w.EndedAt), Overdue: v.Overdue, Found: v.Found, Swept: v.Swept, Exercise: w.Exercise}
	if v.Now.ID != "" && v.Now.DoneAt.IsZero() {
		now := sweepOf(v.Now, v.By)
		out.Now = &now
	}
	for _, sw := range v.Sweeps {
		out.Sweeps = append(out.Sweeps, sweepOf(sw, v.Names[sw.Person]))
	}
	return out
}

func sweepOf(sw concert.Sweep, operator string) api.Sweep {
	return api.Sweep{ID: sw.Ref, Person: operator, At: stamp(sw.ClaimedAt), Until: stamp(sw.Until), DoneAt: stamp(sw.DoneAt), Outcome: string(sw.Outcome), New: sw.Yield.New, Joined: sw.Yield.Joined, Known: sw.Yield.Known}
}
