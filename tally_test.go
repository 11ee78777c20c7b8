package concert_test

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"concert"
)

func TestG28SumsHoldAfterEveryEventAndARecountAgrees(t *testing.T) {
	t.Parallel()
	seen := map[concert.Metric]bool{}
	rapid.Check(t, func(t *rapid.T) {
		w := newWalk(t)
		w.lead()
		board, recount := concert.Deltas{}, concert.Deltas{}
		counted := 0
		for range rapid.IntRange(40, 100).Draw(t, "steps") {
			w.step()
			for _, e := range w.events[counted:] {
				board.Count(e.Kind, e.Body)
				if err := recount.CountRecorded(recorded(t, e)); err != nil {
					t.Fatal(err)
				}
				counted++
				soundCounts(t, board)
			}
		}
		if diff := cmp.Diff(map[concert.TallyKey]int64(board), map[concert.TallyKey]int64(recount)); diff != "" {
			t.Fatalf("the recount differs (-board +recount):\n%s", diff)
		}
		for _, action := range []concert.ActionID{"", "action"} {
			agreesWithItems(t, w, action, board.Totals(action))
			for m, n := range board.Totals(action) {
				seen[m] = seen[m] || n > 0
			}
		}
	})
	for _, m := range []concert.Metric{concert.ReferredN, concert.AnsweredN, concert.Removed, concert.Refused, concert.RecheckedN, concert.Down, concert.WithdrawnN, concert.SecondLooks, concert.SecondAgreed, concert.SecondDisagreed} {
		if !seen[m] {
			t.Errorf("no walk ever counted %s", m)
		}
	}
}

// recorded is the event as an export carries it.
func recorded(t *rapid.T, e concert.Event) concert.RecordedEvent {
	body, err := concert.CanonicalJSON(e.Body)
	if err != nil {
		t.Fatal(err)
	}
	return concert.RecordedEvent{ID: e.ID, Kind: e.Kind, Version: e.Version, Subject: e.Subject, Actor: e.Actor, At: concert.Micros(e.At), Body: body}
}

func soundCounts(t *rapid.T, d concert.Deltas) {
	for id, c := range d.BySide("", 'o') {
		for m, n := range c {
			if n < 0 {
				t.Fatalf("officer %s: %s is %d", id, m, n)
			}
		}
	}
	for _, action := range []concert.ActionID{"", "action"} {
		sets := map[string]concert.Counts{"total": d.Totals(action)}
		maps.Copy(sets, d.BySide(action, 'a'))
		for side, c := range sets {
			if err := c.Check(); err != nil {
				t.Fatalf("%s of action %q: %v", side, action, err)
			}
			for m, n := range c {
				if n < 0 {
					t.Fatalf("%s of action %q: %s is %d", side, action, m, n)
				}
			}
		}
	}
}

// agreesWithItems counts the items themselves, another way than by events.
func agreesWithItems(t *rapid.T, w *walk, action concert.ActionID, c concert.Counts) {
	want := concert.Counts{}
	for _, it := range w.items {
		if it.Action != action {
			continue
		}
		for _, l := range w.looks {
			if l.Item == it.ID {
				want[concert.SecondLooks]++
				if l.Verdict == concert.LookDisagree {
					want[concert.SecondDisagreed]++
				}
			}
		}
		want[concert.Unique]++
		want[concert.Submitted] += int64(len(w.seen[it.ID]))
		if it.Referral != "" {
			want[concert.ReferredN]++
		}
		switch it.Status {
		case concert.ItemStopped:
			want[concert.Guarded]++
		case concert.ItemOpen:
			want[concert.Unassessed]++
		case concert.ItemWithdrawn:
			want[concert.WithdrawnN]++
		case concert.ItemHeld:
			want[concert.Held]++
		}
		if it.Referral != "" && it.Claimed == concert.AnswerRefused {
			want[concert.Refused]++
		}
		if it.Referral != "" && it.Observed == concert.ObservedDown {
			want[concert.Down]++
		}
	}
	for _, m := range []concert.Metric{concert.Unique, concert.Submitted, concert.ReferredN, concert.Guarded, concert.Unassessed, concert.WithdrawnN, concert.Held, concert.Refused, concert.Down, concert.SecondLooks, concert.SecondDisagreed} {
		if c[m] != want[m] {
			t.Fatalf("action %q: the events count %d %s, the items %d", action, c[m], m, want[m])
		}
	}
}

func TestG28EveryNumberIsDefinedAndEverySumIsSeen(t *testing.T) {
	t.Parallel()
	for _, m := range concert.Metrics {
		if concert.MetricDefinitions[m] == "" {
			t.Errorf("%s has no definition", m)
		}
	}
	if len(concert.MetricDefinitions) != len(concert.Metrics) {
		t.Errorf("%d definitions for %d numbers", len(concert.MetricDefinitions), len(concert.Metrics))
	}
	for _, s := range concert.Sums {
		c := concert.Counts{s.Whole: 1}
		if err := c.Check(); code(err) != "counts.sum" {
			t.Errorf("%s alone is 1, and nothing is said: %v", s.Whole, err)
		}
	}
	if err := (concert.Counts{}).Check(); err != nil {
		t.Errorf("nothing at all: %v", err)
	}
}

func TestG28UnreadableEventIsAnErrorAndOtherKindsCountNothing(t *testing.T) {
	t.Parallel()
	d := concert.Deltas{}
	if err := d.CountRecorded(concert.RecordedEvent{Kind: concert.EventItemSubmitted, Body: []byte(`{"ref":1}`)}); err == nil {
		t.Error("a body of the wrong shape is counted")
	}
	if err := d.CountRecorded(concert.RecordedEvent{Kind: concert.EventPersonAdded, Body: []byte(`{}`)}); err != nil || len(d) != 0 {
		t.Errorf("a person is counted: %v, %v", d, err)
	}
}

func TestG28ReferredPlacesAreCountedInTheirOwnUnit(t *testing.T) {
	t.Parallel()
	d := concert.Deltas{}
	sent := concert.Facet{Status: concert.ItemReferred, Sent: true}
	ready := concert.Facet{Status: concert.ItemApproved}
	for kind, n := range map[string]int{"web": 3, "message": 1, "channel": 2, "account": 1, "app": 1} {
		for range n {
			d.Count(concert.EventItemSubmitted, concert.ItemBody{Authority: "a", Kind: kind, To: &ready})
			d.Count(concert.EventItemReferred, concert.ItemBody{Authority: "a", Kind: kind, From: &ready, To: &sent})
		}
	}
	d.Count(concert.EventReferralSent, concert.ReferralBody{Authority: "a", Provider: "p", Items: 8})
	got := d.Totals("")
	for m, want := range map[concert.Metric]int64{concert.ReferredN: 8, concert.ReferredURLs: 4, concert.ReferredAccounts: 3, concert.ReferredOthers: 1, concert.Referrals: 1} {
		if got[m] != want {
			t.Errorf("%s is %d, want %d", m, got[m], want)
		}
	}
	if err := got.Check(); err != nil {
		t.Error(err)
	}
}
