package casework_test

import (
	"testing"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/testkit"
)

func watched(h *testkit.House, t *testing.T, by concert.Actor, place string, cadence time.Duration) concert.Watch {
	t.Helper()
	w, err := h.WatchPlace(t.Context(), by, casework.Watching{Location: place, Outlet: h.Outlet.Ref, Owner: concert.WatchOutlet, Cadence: cadence})
	testkit.Must(t, err)
	return w
}

func TestWatchlistIsItsAuthoritysOwnAndOverdueFirst(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		h.At(day, 0)
		h.StopClockAt(day)
		ann, bob := h.North.Officers[0], h.North.Officers[1]
		first := watched(h, t, ann, "https://t.me/exercise_one", 24*time.Hour)
		h.StopClockAt(day.Add(time.Minute))
		second := watched(h, t, ann, "https://t.me/exercise_two", time.Hour)
		if _, err := h.WatchPlace(ctx, bob, casework.Watching{Location: "t.me/Exercise_One", Outlet: h.Outlet.Ref, Owner: concert.WatchOutlet, Cadence: time.Hour}); code(err) != "watch.exists" {
			t.Errorf("watched twice: %v", err)
		}
		// The other authority may watch the same place and learns of nothing.
		theirs := watched(h, t, h.South.Officers[0], "https://t.me/exercise_one", time.Hour)
		list := watchlist(h, t, h.South.Officers[0])
		if len(list) != 1 || list[0].Ref != theirs.Ref {
			t.Errorf("the other authority lists %d", len(list))
		}
		for _, by := range []concert.Actor{h.South.Officers[0], h.South.Reviewers[0]} {
			if _, err := h.ReadWatch(ctx, testkit.Scope(t, by), first.Ref); code(err) != "not_found" {
				t.Errorf("the other authority reads: %v", err)
			}
		}
		if _, _, err := h.SweepPlace(ctx, h.South.Officers[0], first.Ref); code(err) != "not_found" {
			t.Errorf("the other authority sweeps: %v", err)
		}
		w, sweep, err := h.SweepPlace(ctx, ann, first.Ref)
		testkit.Must(t, err)
		if _, _, err := h.SweepPlace(ctx, bob, first.Ref); code(err) != "watch.claimed" {
			t.Errorf("two people sweep one place: %v", err)
		}
		h.Submit(h.South.Officers[1], testkit.Page(2))
		h.Submit(bob, testkit.Page(3))
		out, err := h.SubmitItems(ctx, ann, []casework.Submission{{Location: testkit.Page(1), Sweep: sweep.Ref}, {Location: testkit.Page(2), Sweep: sweep.Ref}, {Location: testkit.Page(3), Sweep: sweep.Ref}, {Location: testkit.Page(1), Sweep: sweep.Ref}})
		if err != nil || outcomes(out) != "created duplicate known known" {
			t.Fatalf("handed in: %s, %v", outcomes(out), err)
		}
		if out, err := h.SubmitItems(ctx, bob, []casework.Submission{{Location: testkit.Page(4), Sweep: sweep.Ref}}); err != nil || outcomes(out) != "sweep.unknown" {
			t.Errorf("finds in another's sweep: %s, %v", outcomes(out), err)
		}
		w, sweep, err = h.FinishSweep(ctx, ann, sweep.Ref, concert.SweepFound)
		if err != nil || sweep.Yield != (concert.SweepYield{New: 1, Joined: 1, Known: 1}) || !w.NextAt.Equal(h.Now().Add(24*time.Hour)) {
			t.Errorf("finished: %+v, next %v, %v", sweep.Yield, w.NextAt, err)
		}
		if out, err := h.SubmitItems(ctx, ann, []casework.Submission{{Location: testkit.Page(5), Sweep: sweep.Ref}}); err != nil || outcomes(out) != "sweep.done" {
			t.Errorf("finds after the end: %s, %v", outcomes(out), err)
		}
		list = watchlist(h, t, bob)
		if len(list) != 2 || list[0].Ref != second.Ref || !list[0].Overdue || list[1].Overdue || list[1].Found != 3 || list[1].Swept != 1 {
			t.Errorf("the list: %+v", list)
		}
		v, err := h.ReadWatch(ctx, testkit.Scope(t, bob), first.Ref)
		if err != nil || len(v.Sweeps) != 1 || v.Names[v.Sweeps[0].Person] != ann.Operator || len(v.Items) != 3 || v.Location.Canonical == "" {
			t.Errorf("read: %+v, %v", v, err)
		}
		if where := found(h, t, "exercise_one", "exercise_two"); where != "" {
			t.Errorf("in the clear: %s", where)
		}
		if _, err := h.EndWatch(ctx, bob, second.Ref, second.Version); err != nil {
			t.Error(err)
		}
		if list := watchlist(h, t, bob); len(list) != 1 {
			t.Errorf("%d places after one ended", len(list))
		}
	})
}

func watchlist(h *testkit.House, t *testing.T, by concert.Actor) []casework.WatchView {
	t.Helper()
	found, err := h.SearchWatches(t.Context(), testkit.Scope(t, by), concert.WatchSearch{State: concert.WatchStanding}, "", "", concert.Page{Limit: 10})
	testkit.Must(t, err)
	return found.Rows
}

func TestPrivatePersonIsWatchedWithinACaseAndNotForLong(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		h.At(day, 0)
		h.StopClockAt(day)
		ann := h.North.Officers[0]
		c := opened(h, t)
		in := casework.Watching{Location: "https://t.me/exercise_person", Owner: concert.WatchPerson, Case: c.Ref, Ground: ground, Cadence: time.Hour, Until: day.Add(concert.WatchPersonTerm)}
		for name, change := range map[string]func(*casework.Watching){
			"no case": func(w *casework.Watching) { w.Case = "" }, "no ground": func(w *casework.Watching) { w.Ground = "" }, "no end": func(w *casework.Watching) { w.Until = time.Time{} },
			"too long": func(w *casework.Watching) { w.Until = w.Until.Add(time.Microsecond) },
		} {
			w := in
			change(&w)
			if _, err := h.WatchPlace(ctx, ann, w); code(err) != "watch.private_person" {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := h.WatchPlace(ctx, h.North.Reviewers[1], in); code(err) != "not_found" {
			t.Errorf("by nobody of the case: %v", err)
		}
		// Neither does the table take one.
		if _, err := testkit.Raw(t, h.Service).Exec("INSERT INTO watch (id, ref, authority, outlet, place, kind, owner, case_id, cadence, ends_at, placed_by, placed_at, next_at, last_at, sweep, ended_by, ended_at, exercise, version) VALUES ('x', 'x', '" + string(h.North.ID) + "', '', '\\x01', 'account', 'person', '', 1, 0, 'x', 1, 1, 0, '', '', 0, 1, 1)"); err == nil {
			t.Error("the table takes a private person's account without a case")
		}
		w, err := h.WatchPlace(ctx, ann, in)
		testkit.Must(t, err)
		if len(watchlist(h, t, h.North.Officers[1])) != 1 || len(watchlist(h, t, h.North.Reviewers[1])) != 0 {
			t.Error("who sees it is wrong")
		}
		if _, err := h.ReadWatch(ctx, testkit.Scope(t, h.North.Reviewers[1]), w.Ref); code(err) != "not_found" {
			t.Errorf("read by nobody of the case: %v", err)
		}
		second := in
		second.Location, second.Until = "https://t.me/exercise_person_two", day.Add(80*24*time.Hour)
		with, err := h.WatchPlace(ctx, ann, second)
		testkit.Must(t, err)
		testkit.Run(t, h.Service)
		h.StopClockAt(day.Add(85 * 24 * time.Hour))
		testkit.Await(t, "the second watch ended", func() bool { return happened(h, t, concert.EventWatchEnded, string(with.ID)) })
		if happened(h, t, concert.EventWatchEnded, string(w.ID)) {
			t.Error("the first ended, too")
		}
		c = caseView(h, t, ann, c.Ref).Case
		if _, err = h.CloseCase(ctx, ann, c.Ref, c.Version, ground); err != nil {
			t.Fatal(err)
		}
		if !happened(h, t, concert.EventWatchEnded, string(w.ID)) {
			t.Error("the first outlived its case")
		}
		h.StopClockAt(day.Add(85*24*time.Hour + concert.WatchTraces))
		testkit.Await(t, "their traces are gone", func() bool {
			return happened(h, t, concert.EventWatchErased, string(w.ID)) && happened(h, t, concert.EventWatchErased, string(with.ID))
		})
		if v, err := h.ReadWatch(ctx, testkit.Scope(t, ann), w.Ref); err != nil || v.Location.Canonical != "" || v.Ground != "" {
			t.Errorf("after its term: %+v, %v", v.Location, err)
		}
	})
}
