package exercise

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"concert"
	"concert/api"
)

// task is something that a unit does with an item later on: once it is held, or
// once it has gone out.
type task struct {
	entry
	fate  fate
	looks int // rounds in which it was not due
}

// ofHold reports whether the task waits for its item to be held.
func (t task) ofHold() bool { return t.fate == toReleaseHold || t.fate == toTakeBackHeld }

// looksNow reports whether the item itself is looked at in this round: in every
// third while others are still busy. What is held stands in a list; an item that
// an earlier run saw through does not, and is found by a look now and then.
func (t task) looksNow(patient bool) bool {
	if t.ofHold() {
		return t.looks%16 == 15
	}
	return !patient || t.looks%3 == 2
}

const (
	// looksPerRound bounds how many items a unit looks up in one round.
	looksPerRound = 48
	looksAtOnce   = 8
)

// remember notes what is to be done later with the batch's items.
func (u *unit) remember(entries []entry) {
	s := u.world.script
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, e := range entries {
		switch f := s.fate(e.n); f {
		case toReleaseHold, toTakeBackHeld, toTakeBackSent, toCorrect:
			u.tasks = append(u.tasks, task{entry: e, fate: f})
		}
	}
}

// aftercare does what was remembered until nothing is left and no lane can add
// to it.
func (u *unit) aftercare(ctx context.Context) error {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		u.mu.Lock()
		idle := u.lanesUp == 0 && len(u.tasks) == 0
		n := min(len(u.tasks), looksPerRound)
		round := append([]task(nil), u.tasks[:n]...)
		u.tasks = append(u.tasks[:0], u.tasks[n:]...)
		u.mu.Unlock()
		if idle {
			return nil
		}
		left, err := u.round(ctx, round)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("unit %s: %w", countries[u.index], err)
		}
		u.mu.Lock()
		u.tasks = append(u.tasks, left...)
		u.mu.Unlock()
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// round looks at the items and does what is due; what is not yet comes back.
func (u *unit) round(ctx context.Context, round []task) (left []task, err error) {
	looked, err := u.look(ctx, round)
	if err != nil {
		return nil, err
	}
	var due []task
	for i, t := range round {
		it := looked[i]
		if it.ID == "" {
			left = append(left, t.later())
			continue
		}
		t.version = it.Version
		held := it.Status == string(concert.ItemHeld)
		switch {
		case t.fate != toCorrect && it.Status == string(concert.ItemWithdrawn), t.fate == toReleaseHold && it.Referral != "":
			// An earlier run, ended in between, did it.
		case t.fate == toReleaseHold && held:
			if err := u.askRelease(ctx, t.n); err != nil {
				return nil, err
			}
		case t.fate == toReleaseHold:
			left = append(left, t.later())
		case t.fate == toTakeBackHeld:
			// A dispatch that found no hold is a problem for the totals to show;
			// an item still approved may be taken back as well, but would not
			// have met its hold.
			if held {
				due = append(due, t)
			} else {
				left = append(left, t.later())
			}
		default:
			if it.Referral != "" {
				due = append(due, t)
			} else {
				left = append(left, t.later())
			}
		}
	}
	again, err := u.remedy(ctx, due)
	return append(left, again...), err
}

// later is the task after a look that found it not due.
func (t task) later() task {
	t.looks++
	return t
}

// look looks at what the tasks wait for, as people would: whoever waits for holds
// watches the list of what is held; a single item is looked at now and then.
// What was not looked at is left empty. Looks go out together, so that their
// consultations are committed together.
func (u *unit) look(ctx context.Context, round []task) ([]api.Item, error) {
	looked := make([]api.Item, len(round))
	held := map[string]api.Item{}
	if slices.ContainsFunc(round, task.ofHold) {
		list, err := u.officers[0].Items(ctx, api.ItemQuery{Status: string(concert.ItemHeld), Limit: 500})
		if err != nil {
			return nil, fmt.Errorf("list what is held: %w", err)
		}
		for _, it := range list.Items {
			held[it.ID] = it
		}
	}
	u.mu.Lock()
	patient := u.lanesUp > 0
	u.mu.Unlock()
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(looksAtOnce)
	for i, t := range round {
		if it, ok := held[t.ref]; ok && t.ofHold() {
			looked[i] = it
			continue
		}
		if !t.looksNow(patient) {
			continue
		}
		g.Go(func() error {
			var err error
			if looked[i], err = u.officers[0].Item(gctx, t.ref); err != nil {
				return fmt.Errorf("look at item %s: %w", t.ref, err)
			}
			return nil
		})
	}
	return looked, g.Wait()
}

// askRelease lets the holding unit release its hold on the item's place.
func (u *unit) askRelease(ctx context.Context, n uint32) error {
	holder := u.world.units[u.world.script.holder(n)]
	holder.mu.Lock()
	h, ok := holder.holds[n]
	delete(holder.holds, n)
	holder.mu.Unlock()
	if !ok {
		return nil
	}
	call := u.world.call("release-%d", n)
	call.IfMatch = h.version
	if _, err := holder.officers[0].ReleaseHold(ctx, call, h.id, api.Release{Reason: "EXERCISE: the invented investigation is over."}); err != nil {
		return fmt.Errorf("release hold on %s: %w", u.world.script.place(n), err)
	}
	return nil
}

// remedy takes back or corrects; what moved on meanwhile comes back.
func (u *unit) remedy(ctx context.Context, due []task) (again []task, err error) {
	if len(due) == 0 {
		return nil, nil
	}
	in := api.NewRemedies{Remedies: make([]api.BatchRemedy, 0, len(due))}
	var key uint64
	for _, t := range due {
		r := api.NewRemedy{Kind: string(concert.RemedyWithdrawal), Reason: "EXERCISE: the invented content turned out to be a news report; we take the referral back."}
		if t.fate == toCorrect {
			r = api.NewRemedy{Kind: string(concert.RemedyCorrection), Reason: "EXERCISE: the language was wrong; it is another one, the judgement stands."}
		}
		in.Remedies = append(in.Remedies, api.BatchRemedy{Item: t.ref, Version: t.version, NewRemedy: r})
		key = key*0x100000001B3 ^ uint64(t.n)<<24 ^ uint64(t.version)
	}
	out, err := u.officers[0].RemedyItems(ctx, u.world.call("remedy-%d-%x", u.index, key), in)
	if err != nil {
		return nil, fmt.Errorf("take back or correct: %w", err)
	}
	for _, r := range out.Results {
		switch {
		case r.Problem == nil:
		case r.Index < 0 || r.Index >= len(due):
			return nil, fmt.Errorf("take back or correct: result for entry %d of a batch of %d", r.Index, len(due))
		case movedOn(r.Problem):
			again = append(again, due[r.Index])
		default:
			u.world.problems.add(fmt.Errorf("take back or correct item %d: %w", due[r.Index].n, r.Problem))
		}
	}
	return again, nil
}
