package exercise

import (
	"context"
	"errors"
	"fmt"
	"time"

	"concert"
	"concert/api"
)

// extraGround is what a reviewer writes where the server asks for one approval
// more than the plan: an officer's accuracy was low at that moment.
const extraGround = "EXERCISE: looked at on its own; wording and mark make it a call under Art. 2(7)."

// decide takes a batch through its reviewers: the first copy of each work, altered
// ones and whatever needs several approvals alone, after opening it, the rest
// together.
func (u *unit) decide(ctx context.Context, lane, index int, entries []entry) error {
	w, s := u.world, u.world.script
	var alone, together []entry
	known := map[uint32]bool{}
	for _, e := range entries {
		switch work := s.work(e.n); {
		case s.fate(e.n) == toReject:
			together = append(together, e)
		case s.double(e.n), !s.follows(e.n):
			alone = append(alone, e)
		case !known[work]:
			known[work] = true
			alone = append(alone, e)
		default:
			together = append(together, e)
		}
	}
	for _, e := range alone {
		if err := u.decideAlone(ctx, lane, e); err != nil {
			return err
		}
	}
	if len(together) == 1 {
		return u.decideAlone(ctx, lane, together[0])
	}
	// What needs more approvals than planned is told so, and decided on alone.
	var more []entry
	spared := func(e entry, p *api.Problem) bool {
		if p.Code == "approval.bulk" {
			more = append(more, e)
		}
		return p.Code == "approval.bulk"
	}
	_, err := u.send(ctx, u.reviewers[lane], "decide", fmt.Sprintf("decide-%d-%d", u.index, index), together, spared, func(ctx context.Context, c *api.Client, call api.Call, es []entry) (api.Results, error) {
		in := api.NewDecisions{Decisions: make([]api.BatchDecision, 0, len(es))}
		for _, e := range es {
			in.Decisions = append(in.Decisions, api.BatchDecision{Item: e.ref, Version: e.version, NewDecision: w.script.decision(e.n)})
		}
		return c.DecideItems(ctx, call, in)
	})
	for _, e := range more {
		if err == nil {
			err = u.decideAlone(ctx, lane, e)
		}
	}
	return err
}

// decideAlone opens the item and decides on it, reviewer after reviewer until
// it waits for nobody any more. What an earlier run decided is left as it is.
func (u *unit) decideAlone(ctx context.Context, lane int, e entry) error {
	w := u.world
	for k := 0; k < reviewers; {
		by := u.reviewers[(lane+k)%reviewers]
		it, err := by.Item(ctx, e.ref)
		if err != nil {
			return fmt.Errorf("open item %s: %w", e.ref, err)
		}
		if it.Status != string(concert.ItemAssessed) {
			return nil
		}
		d := w.script.decision(e.n)
		if it.Needed > 1 && d.Ground == "" {
			d.Ground = extraGround
		}
		out, err := by.DecideItems(ctx, w.call("alone-%d-%d-%d", e.n, k, it.Version), api.NewDecisions{Decisions: []api.BatchDecision{{Item: e.ref, Version: it.Version, NewDecision: d}}})
		switch {
		case err != nil:
			return fmt.Errorf("decide on item %s: %w", e.ref, err)
		case len(out.Results) != 1:
			return fmt.Errorf("decide on item %s: %d results for one", e.ref, len(out.Results))
		case out.Results[0].Problem == nil:
			if out.Results[0].Outcome != string(concert.ItemAssessed) {
				return nil
			}
			k++
		case out.Results[0].Problem.Code == "approval.same_reviewer":
			k++
		case !movedOn(out.Results[0].Problem):
			w.problems.add(fmt.Errorf("decide on item %d (%s): %w", e.n, e.ref, out.Results[0].Problem))
			return nil
		}
	}
	w.problems.add(fmt.Errorf("item %d (%s) waits for an approval after all %d reviewers", e.n, e.ref, reviewers))
	return nil
}

// looksEvery is how often a unit asks which second looks wait for it, as long
// as the board says that any does.
const looksEvery = time.Second

// lookAgain gives the second looks that fall to the unit's reviewers, one
// reviewer after the other, until the context ends.
func (u *unit) lookAgain(ctx context.Context) error {
	tick := time.NewTicker(looksEvery)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		u.world.boardMu.Lock()
		waiting := u.world.board[string(concert.SecondWaiting)]
		u.world.boardMu.Unlock()
		if waiting == 0 {
			continue
		}
		if err := u.lookRound(ctx, u.reviewers[i%reviewers]); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("unit %s: second looks: %w", countries[u.index], err)
		}
	}
}

func (u *unit) lookRound(ctx context.Context, by *api.Client) error {
	w := u.world
	looks, err := by.SecondLooks(ctx)
	if err != nil {
		return err
	}
	for _, l := range looks.Waiting {
		n, ok := number(l.Location)
		if !ok || n >= w.script.total {
			return fmt.Errorf("item %s lies at a place that is none of this exercise", l.Item)
		}
		in, count := api.NewSecondLook{Verdict: string(concert.LookAgree), Type: string(w.script.contentType(n))}, &w.agreed
		if w.script.doubted(n) {
			in, count = api.NewSecondLook{Verdict: string(concert.LookDisagree), Reason: "EXERCISE: to me it reads as a made-up report about the outlet, not as one of its own."}, &w.doubted
		}
		_, err := by.LookAgain(ctx, w.call("look-%d", n), l.Item, in)
		var p *api.Problem
		if errors.As(err, &p) && (p.Code == "second_look.done" || p.Code == "not_found") {
			continue // another unit's reviewer was faster
		}
		if err != nil {
			return fmt.Errorf("item %s: %w", l.Item, err)
		}
		count.Add(1)
	}
	return nil
}
