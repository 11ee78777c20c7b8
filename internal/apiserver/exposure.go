package apiserver

import (
	"context"
	"net/http"
	"time"

	"concert"
	"concert/api"
	"concert/internal/casework"
)

// exposures are captures opened knowingly, one's own ledger of it, and what a team
// is told (G35).
func (s *Server) exposures() {
	do(s, created(op(http.MethodPost, "/captures/{id}/reveals", "reveal-capture", "Open a capture knowingly: its bytes and its preview are given while it is open, and it is counted for yourself alone", "exposure")), func(ctx context.Context, by concert.Actor, in *struct {
		One
		Body api.NewReveal
	}) (api.Reveal, error) {
		sc, err := scope(ctx)
		if err != nil {
			return api.Reveal{}, err
		}
		r, now, err := s.svc.RevealCapture(ctx, sc, in.ID, in.Body.GoOn)
		return s.revealOf(r, now, in.ID), err
	})
	do(s, op(http.MethodPost, "/captures/{id}/reveals/{reveal}", "beat-reveal", "Say for how long an opened capture was seen, or close it", "exposure"), func(ctx context.Context, by concert.Actor, in *struct {
		One
		Reveal string `path:"reveal" maxLength:"64"`
		Body   api.Beat
	}) (api.Reveal, error) {
		r, now, err := s.svc.BeatReveal(ctx, by, concert.RevealID(in.Reveal), millis(in.Body.Shown), in.Body.Close)
		return s.revealOf(r, now, in.ID), err
	})
	do(s, op(http.MethodPost, "/captures/{id}/warnings", "warn-capture", "Say what is in a capture, for whoever opens it next", "exposure"), func(ctx context.Context, by concert.Actor, in *struct {
		One
		Body api.Warned
	}) (api.Warned, error) {
		said := make([]concert.Warning, len(in.Body.Warnings))
		for i, w := range in.Body.Warnings {
			said[i] = concert.Warning(w)
		}
		return in.Body, s.svc.WarnCapture(ctx, by, in.ID, said)
	})
	do(s, op(http.MethodGet, "/exposure", "exposure", "What I have seen today and in the last 14 days, and what bounds it", "exposure"), func(ctx context.Context, by concert.Actor, _ *struct{}) (api.OwnExposure, error) {
		v, err := s.svc.OwnExposure(ctx, by)
		out := api.OwnExposure{Seeing: seeingOf(v.Seeing), Days: []api.Exposure{}, Authority: setLimitsOf(v.Team, v.SetBy), Later: laterOf(v.Later), Own: api.OwnLimit{Minutes: int(v.Own.Hard.Minutes()), Opened: v.Own.Opened}}
		for _, e := range v.Days {
			out.Days = append(out.Days, exposureOf(e))
		}
		return out, err
	})
	do(s, op(http.MethodPost, "/exposure/limit", "set-own-limit", "Set a lower limit of my own", "exposure"), func(ctx context.Context, by concert.Actor, in *Keyed[api.OwnLimit]) (api.OwnLimit, error) {
		o, err := s.svc.SetOwnLimit(ctx, by, concert.OwnLimit{Hard: minutes(in.Body.Minutes), Opened: in.Body.Opened})
		return api.OwnLimit{Minutes: int(o.Hard.Minutes()), Opened: o.Opened}, err
	})
	do(s, op(http.MethodGet, "/exposure/team", "team-exposure", "What the team saw in whole weeks, of five people or more (reviewer, coordinator)", "exposure"), func(ctx context.Context, by concert.Actor, _ *struct{}) (api.DeskExposure, error) {
		v, err := s.svc.DeskExposure(ctx, by)
		out := api.DeskExposure{Limits: setLimitsOf(v.Hold, v.SetBy), Later: laterOf(v.Later), Weeks: []api.TeamExposure{}}
		for _, w := range v.Weeks {
			out.Weeks = append(out.Weeks, api.TeamExposure{From: date(w.From), Until: date(w.Until), Enough: w.Enough, People: w.People, Opened: w.Opened, Shown: w.Shown.Milliseconds(), Warnings: countsOf(w.Warnings)})
		}
		return out, err
	})
	do(s, op(http.MethodPost, "/exposure/team", "set-exposure-limits", "Set the authority's limits: lower ones hold at once, higher ones from tomorrow (reviewer, coordinator)", "exposure"), func(ctx context.Context, by concert.Actor, in *Keyed[api.ExposureLimits]) (api.SetLimits, error) {
		l, err := s.svc.SetExposureLimits(ctx, by, concert.ExposureLimits{Soft: minutes(in.Body.Soft), Hard: minutes(in.Body.Hard), SoftOpened: in.Body.SoftOpened, HardOpened: in.Body.HardOpened})
		return setLimitsOf(l, by.Operator), err
	})
	do(s, op(http.MethodGet, "/items/{id}/same", "same-judged", "An earlier assessment of the same content by my own authority, so that it need not be seen again", "items"), func(ctx context.Context, _ concert.Actor, in *One) (api.SameJudged, error) {
		sc, err := scope(ctx)
		if err != nil {
			return api.SameJudged{}, err
		}
		v, ok, err := s.svc.SameJudged(ctx, sc, in.ID)
		return api.SameJudged{Found: ok, Item: v.Item, At: stamp(v.At), Type: string(v.Type), Severity: string(v.Severity), Outlet: v.Outlet.Ref}, err
	})
}

// millis and minutes are spans as programs say them; what is beyond any sense is
// cut, so that it cannot wrap around.
func millis(n int64) time.Duration {
	return time.Duration(max(-1, min(n, 86_400_000))) * time.Millisecond
}

func minutes(n int) time.Duration { return time.Duration(max(-1, min(n, 100_000))) * time.Minute }

func (s *Server) revealOf(r concert.Reveal, now casework.Seeing, capture string) api.Reveal {
	out := api.Reveal{ID: string(r.ID), Capture: capture, OpenedAt: stamp(r.OpenedAt), Closed: !r.ClosedAt.IsZero(), Shown: r.Shown.Milliseconds(), Warnings: []string{}, Seeing: seeingOf(now)}
	if !out.Closed {
		out.Until = stamp(s.svc.OpenUntil(r))
	}
	for _, w := range r.Warnings {
		out.Warnings = append(out.Warnings, string(w))
	}
	return out
}

func seeingOf(v casework.Seeing) api.Seeing {
	return api.Seeing{Today: exposureOf(v.Today), Limits: limitsOf(v.Limits), Stop: string(v.Stop)}
}

func exposureOf(e concert.Exposure) api.Exposure {
	return api.Exposure{Day: date(e.Day), Opened: e.Opened, Shown: e.Shown.Milliseconds(), Warnings: countsOf(e.Warnings)}
}

func countsOf(in map[concert.Warning]int) map[string]int {
	out := make(map[string]int, len(in))
	for w, n := range in {
		out[string(w)] = n
	}
	return out
}

func limitsOf(l concert.ExposureLimits) api.ExposureLimits {
	return api.ExposureLimits{Soft: int(l.Soft.Minutes()), Hard: int(l.Hard.Minutes()), SoftOpened: l.SoftOpened, HardOpened: l.HardOpened}
}

func setLimitsOf(l concert.ExposureLimits, by string) api.SetLimits {
	return api.SetLimits{ExposureLimits: limitsOf(l), SetBy: by, From: stamp(l.From)}
}

func laterOf(l concert.ExposureLimits) *api.SetLimits {
	if l.From.IsZero() {
		return nil
	}
	out := setLimitsOf(l, "")
	return &out
}
