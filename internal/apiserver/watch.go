package apiserver

import (
	"context"
	"net/http"
	"strconv"
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
	ask(s, op(http.MethodGet, "/watchlist", "watchlist", "My authority's watched places, what is due longest first", "watchlist"), func(ctx context.Context, sc concert.Scope, in *watchlistIn) (api.Page[api.Watch], error) {
		q := concert.WatchSearch{State: concert.WatchStanding, Turn: concert.WatchTurn(in.Turn), Owner: concert.WatchOwner(in.Owner)}
		p := concert.Page{Order: concert.OrderDue, Limit: in.Limit, Far: searchFar}
		at, id, err := parseCursor(in.Cursor)
		if err != nil {
			return api.Page[api.Watch]{}, err
		}
		if id != "" {
			p.Keys = []string{strconv.Itoa(at), id}
		}
		next := func(v casework.WatchView) string { return cursor(int(concert.Micros(v.NextAt)), string(v.ID)) }
		rest := func(keys []string) string { return keys[0] + ":" + keys[1] }
		if in.Ended {
			q.State, p.Order, rest = concert.WatchOver, concert.OrderNewest, func(keys []string) string { return "0:" + keys[0] }
			p.Keys = p.Keys[min(1, len(p.Keys)):]
		}
		if in.Outlet != "" {
			if q.Outlet, err = s.outletAsked(ctx, in.Outlet); err != nil {
				return api.Page[api.Watch]{}, err
			}
		}
		found, err := s.svc.SearchWatches(ctx, sc, q, in.By, asked("ended", flagged(in.Ended), "turn", in.Turn, "owner", in.Owner, "outlet", in.Outlet, "by", in.By), p)
		return pageOf(found, in.Limit, watchOf, next, rest), err
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

// watchlistIn asks the watchlist.
type watchlistIn struct {
	Limit  int    `query:"limit" default:"100" minimum:"1" maximum:"500"`
	Cursor string `query:"cursor" maxLength:"200"`
	Ended  bool   `query:"ended" doc:"those that ended, newest first"`
	Outlet string `query:"outlet" maxLength:"80"`
	Turn   string `query:"turn" enum:"due,never,under,later" doc:"whose turn it is: due now, never gone through yet, under a sweep, gone through and not due"`
	Owner  string `query:"owner" enum:"outlet,person"`
	By     string `query:"by" maxLength:"64" doc:"operator number of somebody of my authority who has gone through it"`
}

// outletAsked is the outlet that a filter names.
func (s *Server) outletAsked(ctx context.Context, ref string) (concert.OutletID, error) {
	g, err := s.svc.Registers(ctx)
	if err != nil {
		return "", err
	}
	for id, o := range g.Scope.Outlets {
		if o.Ref == ref {
			return id, nil
		}
	}
	return "", concert.ErrNotFound
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
