package exercise

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"concert"
	"concert/api"
)

// lanes is how many officers of a unit work at the same time, each with a
// reviewer of their own.
const lanes = 2

// reviewers is how many reviewers a unit has: one for each lane, and one more
// for what needs a third approval or a second look of somebody who knows
// nothing of it.
const reviewers = lanes + 1

// unit is one authority at work.
type unit struct {
	world     *World
	index     int
	id        string
	officers  [lanes]*api.Client
	reviewers [reviewers]*api.Client

	mu      sync.Mutex // guards what follows
	sweep   int        // how many providers are looked through
	next    uint32     // item number from which the next find is looked for
	batches int
	found   []uint32 // places that others found before, to be handed in
	holds   map[uint32]heldPlace
	tasks   []task
	lanesUp int // lanes that still make tasks

	approved atomic.Int64
}

// heldPlace is a hold that the unit placed and will release.
type heldPlace struct {
	id      string
	version int64
}

// entry is one item on its way through a batch.
type entry struct {
	n       uint32
	ref     string
	version int64
}

// batch is the next hundred of the unit's own item numbers, empty at the end.
// The unit looks through one provider after the other, as analysts do, so that
// a referral carries many items rather than a few.
func (u *unit) batch() (numbers []uint32, index int) {
	s := u.world.script
	u.mu.Lock()
	defer u.mu.Unlock()
	for ; u.sweep < len(providers); u.sweep++ {
		at := u.provider(u.sweep)
		for ; u.next < s.total; u.next++ {
			if len(numbers) == api.BatchLimit {
				u.batches++
				return numbers, u.batches
			}
			if s.unit(u.next) == u.index && s.provider(u.next) == at {
				numbers = append(numbers, u.next)
			}
		}
		u.next = 0
	}
	u.batches++
	return numbers, u.batches
}

// provider is the i-th provider that the unit looks through: first those with
// the fewest hours or the least patience, then the others, each unit from
// another one on.
func (u *unit) provider(i int) int {
	if i < len(scarce) {
		return scarce[i]
	}
	others := make([]int, 0, len(providers))
	for p := range providers {
		if !slices.Contains(scarce[:], p) {
			others = append(others, p)
		}
	}
	return others[(i-len(scarce)+u.index)%len(others)]
}

// lane takes batch after batch from the find to the last approval.
func (u *unit) lane(ctx context.Context, lane int) error {
	for {
		numbers, index := u.batch()
		if len(numbers) == 0 {
			return nil
		}
		if err := u.through(ctx, lane, index, numbers); err != nil {
			return fmt.Errorf("unit %s: %w", countries[u.index], err)
		}
	}
}

// through takes one batch: holds of others, submission, assessment by the
// officer, decision by a reviewer and, where needed, by others.
func (u *unit) through(ctx context.Context, lane, index int, numbers []uint32) error {
	w, s := u.world, u.world.script
	for _, n := range numbers {
		if n >= holdsAtSetup && s.fate(n).held() {
			if err := w.placeHold(ctx, n); err != nil {
				return err
			}
		}
	}
	entries, err := u.submit(ctx, lane, index, numbers)
	if err != nil {
		return err
	}
	w.submitted.Add(int64(len(numbers)))
	if err := u.tellOthers(ctx, lane, numbers); err != nil {
		return err
	}
	if err := u.mark(ctx, lane, entries); err != nil {
		return err
	}
	if entries, err = u.assess(ctx, lane, index, entries); err != nil {
		return err
	}
	due := entries[:0]
	for _, e := range entries {
		if s.fate(e.n).decided() {
			due = append(due, e)
		}
	}
	if err := u.decide(ctx, lane, index, due); err != nil {
		return err
	}
	if err := u.preserve(ctx, lane, due); err != nil {
		return err
	}
	u.approved.Add(int64(len(due)))
	u.remember(due)
	return nil
}

func (u *unit) item(n uint32, place string) api.NewItem {
	w := u.world
	in := api.NewItem{Location: place, Type: w.script.itemType(n), Action: w.action, Outlet: w.outletIDs[w.script.outlet(n)], Evaluation: "A1"}
	if w.script.severity(n) == "threat_to_life" {
		in.Priority = 9
	}
	return in
}

// submit hands in the unit's own finds. What the guard stops goes no further.
func (u *unit) submit(ctx context.Context, lane, index int, numbers []uint32) ([]entry, error) {
	w := u.world
	in := api.NewItems{Items: make([]api.NewItem, 0, len(numbers))}
	for _, n := range numbers {
		it := u.item(n, w.script.place(n))
		if w.script.fate(n) != toGuard {
			it.Captures = u.capture(n)
		}
		in.Items = append(in.Items, it)
	}
	out, err := u.officers[lane].SubmitItems(ctx, w.call("submit-%d-%d", u.index, index), in)
	if err != nil {
		return nil, fmt.Errorf("submit: %w", err)
	}
	entries := make([]entry, 0, len(numbers))
	for _, r := range out.Results {
		if r.Index < 0 || r.Index >= len(numbers) {
			return nil, fmt.Errorf("submit: result for entry %d of a batch of %d", r.Index, len(numbers))
		}
		n := numbers[r.Index]
		stops := w.script.fate(n) == toGuard
		switch {
		case r.Problem != nil:
			w.problems.add(fmt.Errorf("submit %s: %w", w.script.place(n), r.Problem))
		case stops != (r.Outcome == api.OutcomeStopped) && r.Outcome != api.OutcomeKnown:
			w.problems.add(fmt.Errorf("submit %s: outcome %q, stopped by the guard should be %t", w.script.place(n), r.Outcome, stops))
		case r.Outcome == api.OutcomeDuplicate:
			w.problems.add(fmt.Errorf("submit %s: said to be a duplicate, yet this is its first submission", w.script.place(n)))
		case !stops:
			entries = append(entries, entry{n, r.ID, r.Version})
			w.copies.add(r.ID, n)
		}
	}
	if len(out.Results) != len(numbers) {
		return nil, fmt.Errorf("submit: %d results for %d entries", len(out.Results), len(numbers))
	}
	return entries, nil
}

// tellOthers lets other units find the same places and hands in for them what
// has come to a full batch.
func (u *unit) tellOthers(ctx context.Context, lane int, numbers []uint32) error {
	w := u.world
	for _, n := range numbers {
		finders := w.script.finders(n)
		if w.script.again(n) {
			finders = append(finders, u.index)
		}
		for _, f := range finders {
			other := w.units[f]
			other.mu.Lock()
			other.found = append(other.found, n)
			other.mu.Unlock()
		}
	}
	for _, other := range w.units {
		if err := other.submitFound(ctx, lane, api.BatchLimit); err != nil {
			return err
		}
	}
	return nil
}

// submitFound hands in places that others found first, once there are at least
// so many.
func (u *unit) submitFound(ctx context.Context, lane, atLeast int) error {
	u.mu.Lock()
	if len(u.found) < atLeast || len(u.found) == 0 {
		u.mu.Unlock()
		return nil
	}
	size := min(len(u.found), api.BatchLimit)
	numbers := append([]uint32(nil), u.found[:size]...)
	u.found = append(u.found[:0], u.found[size:]...)
	u.mu.Unlock()

	w := u.world
	in := api.NewItems{Items: make([]api.NewItem, 0, size)}
	mix := fnv.New64a()
	for _, n := range numbers {
		it := u.item(n, w.script.respelled(n))
		if w.script.alteration(n) == concert.AlterBytes {
			it.SHA256 = w.script.bytes(n)
		}
		in.Items = append(in.Items, it)
		fmt.Fprintf(mix, "%d ", n)
	}
	// Which places meet in a batch depends on who was faster, so the key names
	// the contents: another run's other batches are known places then.
	out, err := u.officers[lane].SubmitItems(ctx, w.call("found-%d-%x", u.index, mix.Sum64()), in)
	if err != nil {
		return fmt.Errorf("submit duplicates: %w", err)
	}
	for _, r := range out.Results {
		if r.Index < 0 || r.Index >= len(numbers) {
			return fmt.Errorf("submit duplicates: result for entry %d of a batch of %d", r.Index, len(numbers))
		}
		n := numbers[r.Index]
		switch {
		case r.Problem != nil:
			w.problems.add(fmt.Errorf("submit %s again: %w", w.script.respelled(n), r.Problem))
		case r.Outcome != api.OutcomeDuplicate && r.Outcome != api.OutcomeKnown:
			w.problems.add(fmt.Errorf("submit %s again: outcome %q instead of duplicate", w.script.respelled(n), r.Outcome))
		}
	}
	return nil
}

// assess judges what the guard let through; the entries come back with their
// new versions. What was planned to be too old is captured anew; what became so
// meanwhile, since case days are short on a busy machine, brings its capture
// along.
func (u *unit) assess(ctx context.Context, lane, index int, entries []entry) ([]entry, error) {
	var done, stale []entry
	s := u.world.script
	spared := func(e entry, p *api.Problem) bool {
		if p.Code == "assessment.capture" {
			stale = append(stale, e)
		}
		return p.Code == "assessment.capture"
	}
	for try := 0; len(entries) > 0; try++ {
		stale = nil
		if try == anewMost {
			spared = nil // and it is a problem
		}
		judged, err := u.assessSome(ctx, lane, fmt.Sprintf("assess-%d-%d-%d", u.index, index, try), entries, try > 0, spared)
		if err == nil && try == 0 {
			err = u.captureAnew(ctx, lane, slices.DeleteFunc(slices.Clone(stale), func(e entry) bool { return !s.outdated(e.n) }))
		}
		if err != nil {
			return nil, err
		}
		done, entries = append(done, judged...), stale
	}
	return done, nil
}

func (u *unit) assessSome(ctx context.Context, lane int, key string, entries []entry, anew bool, spared func(entry, *api.Problem) bool) ([]entry, error) {
	w := u.world
	return u.send(ctx, u.officers[lane], "assess", key, entries, spared, func(ctx context.Context, c *api.Client, call api.Call, es []entry) (api.Results, error) {
		in := api.NewAssessments{Assessments: make([]api.BatchAssessment, 0, len(es))}
		for _, e := range es {
			a := api.BatchAssessment{Item: e.ref, Version: e.version, NewAssessment: w.script.assessment(e.n, w.outletIDs[w.script.outlet(e.n)])}
			if anew {
				a.Captures = []api.InlineCapture{{Kind: string(concert.CaptureFile), Vantage: vantageOf(u.index), Bytes: w.file(e.n)}}
			}
			in.Assessments = append(in.Assessments, a)
		}
		return c.AssessItems(ctx, call, in)
	})
}

type sender func(context.Context, *api.Client, api.Call, []entry) (api.Results, error)

// send sends a batch. Entries that had moved on meanwhile are read again and
// sent once more; what is refused otherwise drops out, and is a problem unless
// spared takes it.
func (u *unit) send(ctx context.Context, c *api.Client, what, key string, entries []entry, spared func(entry, *api.Problem) bool, post sender) ([]entry, error) {
	done := make([]entry, 0, len(entries))
	for try := 0; len(entries) > 0; try++ {
		out, err := post(ctx, c, u.world.call("%s-%d", key, try), entries)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		if len(out.Results) != len(entries) {
			return nil, fmt.Errorf("%s: %d results for %d entries", what, len(out.Results), len(entries))
		}
		var again []entry
		for _, r := range out.Results {
			if r.Index < 0 || r.Index >= len(entries) {
				return nil, fmt.Errorf("%s: result for entry %d of a batch of %d", what, r.Index, len(entries))
			}
			e := entries[r.Index]
			switch {
			case r.Problem == nil:
				e.version = r.Version
				done = append(done, e)
			case try == 0 && movedOn(r.Problem):
				again = append(again, e)
			case spared != nil && spared(e, r.Problem):
			default:
				u.world.problems.add(fmt.Errorf("%s item %d (%s): %w", what, e.n, e.ref, r.Problem))
			}
		}
		for i := range again {
			it, err := c.Item(ctx, again[i].ref)
			if err != nil {
				return nil, fmt.Errorf("%s: read item %s again: %w", what, again[i].ref, err)
			}
			again[i].version = it.Version
		}
		entries = again
	}
	return done, nil
}

// movedOn reports whether a refusal says that the item changed since it was
// read.
func movedOn(p *api.Problem) bool {
	return p.Code == "stale" || p.Code == "item.move" || p.Status == http.StatusPreconditionFailed
}

// placeHold asks all others to keep off the item's place, for the unit that the
// plan names.
func (w *World) placeHold(ctx context.Context, n uint32) error {
	u := w.units[w.script.holder(n)]
	h, err := u.officers[0].PlaceHold(ctx, w.call("hold-%d", n), api.NewHold{
		Location: w.script.place(n), Contact: contactOf(u.index), Case: "EXERCISE case " + token(n),
	})
	if err != nil {
		return fmt.Errorf("place hold on %s: %w", w.script.place(n), err)
	}
	if w.script.fate(n) == toReleaseHold {
		u.mu.Lock()
		u.holds[n] = heldPlace{h.ID, h.Version}
		u.mu.Unlock()
	}
	return nil
}

// watchQueue looks at the unit's queue as its people would, about once a
// second, until the context ends.
func (u *unit) watchQueue(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		q := api.ItemQuery{Action: u.world.action, Mine: true, Limit: 50, Status: []string{"open", "assessed", "still_up"}[i%3]}
		if _, err := u.officers[i%lanes].Items(ctx, q); err != nil && ctx.Err() == nil && !errors.Is(err, context.Canceled) {
			return fmt.Errorf("unit %s: list %s items: %w", countries[u.index], q.Status, err)
		}
	}
}
