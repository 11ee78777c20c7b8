package exercise

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"concert"
	"concert/api"
)

const (
	boardEvery = 220 * time.Millisecond // reads of the board, less than five a second
	stillWall  = 20 * time.Second       // Run gives up after so long without any change,
	stillCase  = 7 * 24 * time.Hour     // and not before so much case time: looks and reminders may be days apart
)

// Run plays the four days and returns when everything has settled: every
// number is what Expected foresees. It gives up, naming the numbers that are
// short, once the four days are over and nothing has changed for twenty seconds
// and for seven days of case time. Unexpected refusals on the way are an error at the end.
func (w *World) Run(ctx context.Context) error {
	if w.action == "" {
		return errors.New("run exercise: there is no action yet; call Setup first")
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	// The last report comes before Run returns, so that nobody is told anything
	// afterwards.
	reported := make(chan struct{})
	reporting, stopReporting := context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer close(reported)
		w.report(reporting)
	}()
	defer func() {
		stopReporting()
		<-reported
	}()
	if err := w.openDesks(ctx); err != nil {
		return err
	}
	if err := w.reach(ctx, concert.PhaseCollect); err != nil {
		return err
	}
	g, gctx := errgroup.WithContext(ctx)
	done := make(chan struct{})
	g.Go(func() error {
		defer close(done)
		return w.play(gctx)
	})
	watching, settled := context.WithCancel(gctx)
	for _, u := range w.units {
		g.Go(func() error { return u.watchQueue(watching) })
		g.Go(func() error { return u.lookAgain(watching) })
	}
	g.Go(func() error {
		defer settled()
		return w.lead(gctx, done)
	})
	err := g.Wait()
	if problems := w.problems.err(); problems != nil {
		err = errors.Join(err, problems)
	}
	if err != nil {
		return fmt.Errorf("run exercise: %w", err)
	}
	return w.reach(ctx, concert.PhaseClose)
}

// openDesks lets every provider read what came for it before it was up; those
// that poll go on doing so.
func (w *World) openDesks(ctx context.Context) error {
	for _, p := range w.providers {
		if p.plan.conduct.pull {
			p.startPolling()
			continue
		}
		if _, err := p.readInbox(ctx, ""); err != nil {
			return fmt.Errorf("provider %s: read inbox: %w", p.plan.key, err)
		}
	}
	return nil
}

// play lets all units find, judge and decide, then hand in what is left over
// of each other's finds; beside it they do what is due later.
func (w *World) play(ctx context.Context) error {
	for _, u := range w.units {
		u.mu.Lock()
		u.lanesUp = lanes
		u.mu.Unlock()
	}
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		if err := w.collect(gctx); err != nil {
			return err
		}
		for _, u := range w.units {
			u.mu.Lock()
			u.lanesUp = 0
			u.mu.Unlock()
		}
		return nil
	})
	for _, u := range w.units {
		g.Go(func() error { return u.aftercare(gctx) })
	}
	return g.Wait()
}

func (w *World) collect(ctx context.Context) error {
	g, gctx := errgroup.WithContext(ctx)
	for _, u := range w.units {
		for lane := range lanes {
			g.Go(func() error { return u.lane(gctx, lane) })
		}
	}
	if err := g.Wait(); err != nil {
		return err
	}
	g, gctx = errgroup.WithContext(ctx)
	for _, u := range w.units {
		g.Go(func() error {
			for {
				u.mu.Lock()
				left := len(u.found)
				u.mu.Unlock()
				if left == 0 {
					return nil
				}
				if err := u.submitFound(gctx, 0, 1); err != nil {
					return fmt.Errorf("unit %s: %w", countries[u.index], err)
				}
			}
		})
	}
	return g.Wait()
}

// lead reads the board, moves the action on, and returns when all has settled
// or nothing moves any more.
func (w *World) lead(ctx context.Context, played <-chan struct{}) error {
	tick := time.NewTicker(boardEvery)
	defer tick.Stop()
	var last map[string]int64
	changed := time.Now()
	stillFor := max(stillWall, w.cfg.Time.Wall(stillCase))
	over := false
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		select {
		case <-played:
			over = true
		default:
		}
		b, err := w.coordinator.Board(ctx, w.action)
		if err != nil {
			return fmt.Errorf("read board: %w", err)
		}
		w.boardMu.Lock()
		w.board = b.Totals
		w.boardMu.Unlock()
		if err := w.moveOn(ctx, b.Totals, over); err != nil {
			return err
		}
		short := w.short(b.Totals)
		if over && len(short) == 0 && w.work.Load() == 0 {
			return nil
		}
		if !maps.Equal(last, b.Totals) {
			last, changed = b.Totals, time.Now()
			continue
		}
		if time.Since(changed) > stillFor && w.now().After(w.ends()) {
			return w.stuck(short, stillFor)
		}
	}
}

func (w *World) stuck(short []string, stillFor time.Duration) error {
	if len(short) == 0 {
		return fmt.Errorf("nothing has changed for %s, every number is as planned, yet units or providers still wait: %d pieces of work at providers", stillFor, w.work.Load())
	}
	return fmt.Errorf("nothing has changed for %s and the four days are over, but the numbers are not as planned: %s", stillFor, strings.Join(short, "; "))
}

// short says which numbers are not, or not yet, as planned.
func (w *World) short(totals map[string]int64) []string {
	var out []string
	for _, m := range concert.Metrics {
		want, ok := w.expected[string(m)]
		if !ok {
			continue
		}
		switch got := totals[string(m)]; {
		case floors[m] && got < want:
			out = append(out, fmt.Sprintf("%s is %d of at least %d (%d short)", m, got, want, want-got))
		case !floors[m] && got < want:
			out = append(out, fmt.Sprintf("%s is %d of %d (%d short)", m, got, want, want-got))
		case !floors[m] && got > want:
			out = append(out, fmt.Sprintf("%s is %d instead of %d (%d too many)", m, got, want, got-want))
		}
	}
	// What was drawn nobody can foresee; what was said of it stands.
	for m, said := range map[concert.Metric]int64{concert.SecondAgreed: w.agreed.Load(), concert.SecondDisagreed: w.doubted.Load()} {
		if got := totals[string(m)]; got < said {
			out = append(out, fmt.Sprintf("%s is %d, yet %d were given", m, got, said))
		}
	}
	return out
}

// moveOn moves the action to the phase that its progress asks for. Collecting
// goes on through the next two: in 2019 as here units kept finding while the
// first referrals went out.
func (w *World) moveOn(ctx context.Context, totals map[string]int64, over bool) error {
	done := float64(w.submitted.Load()) / float64(w.script.total)
	to := concert.PhaseCollect
	switch {
	case over && totals[string(concert.ReferredN)] >= int64(w.cfg.Items):
		to = concert.PhaseFollowUp
	case done >= .1:
		to = concert.PhaseRefer
	case done > .03:
		to = concert.PhaseDeconflict
	}
	return w.reach(ctx, to)
}

// reach moves the action on, phase by phase, until it is at least in the one
// asked for.
func (w *World) reach(ctx context.Context, to concert.Phase) error {
	goal := slices.Index(concert.Phases, to)
	for slices.Index(concert.Phases, concert.Phase(*w.stage.Load())) < goal {
		a, err := w.coordinator.Action(ctx, w.action)
		if err != nil {
			return fmt.Errorf("read action: %w", err)
		}
		at := slices.Index(concert.Phases, concert.Phase(a.Phase))
		if at < goal {
			next := concert.Phases[at+1]
			call := w.call("phase-%s-%d", next, a.Version)
			call.IfMatch = a.Version
			a, err = w.coordinator.SetPhase(ctx, call, w.action, api.NewPhase{Phase: string(next)})
			var refused *api.Problem
			if errors.As(err, &refused) && refused.Status == http.StatusPreconditionFailed {
				continue
			}
			if err != nil {
				return fmt.Errorf("move the action to %s: %w", next, err)
			}
		}
		w.enter(a.Phase)
		w.log.Info("exercise phase", "phase", a.Phase, "case", w.now())
	}
	return nil
}
