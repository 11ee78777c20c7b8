package concert_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"concert"
)

// No number from 1 to 4 is shown to others, and no sum whose other members are shown gives one away.
func TestG28SmallNumbersAreNotShownAndCannotBeMadeAgain(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := concert.Counts{}
		for _, m := range concert.Metrics {
			c[m] = int64(rapid.SampledFrom([]int{0, 0, 1, 2, 3, 4, 5, 9, 40}).Draw(t, string(m)))
		}
		// From the parts up, so that every sum holds; the units share out what was referred.
		for _, s := range slices.Backward(concert.Sums) {
			if s.Whole == concert.ReferredN && slices.Contains(s.Parts, concert.ReferredURLs) {
				continue
			}
			c[s.Whole] = 0
			for _, p := range s.Parts {
				c[s.Whole] += c[p]
			}
		}
		c[concert.ReferredAccounts] = min(c[concert.ReferredAccounts], c[concert.ReferredN])
		c[concert.ReferredOthers] = 0
		c[concert.ReferredURLs] = c[concert.ReferredN] - c[concert.ReferredAccounts]
		if err := c.Check(); err != nil {
			t.Fatal(err)
		}
		shown := c.Suppressed()
		for m, n := range c {
			if n > 0 && n < concert.FewLeast && shown[m] != concert.Few {
				t.Fatalf("%s is %d and shown", m, n)
			}
			if shown[m] != n && shown[m] != concert.Few {
				t.Fatalf("%s is %d and shown as %d", m, n, shown[m])
			}
		}
		for _, s := range concert.Sums {
			hidden, others := 0, int64(0)
			for _, m := range append([]concert.Metric{s.Whole}, s.Parts...) {
				if shown[m] == concert.Few {
					hidden++
				} else {
					others += shown[m]
				}
			}
			if hidden == 1 && others > 0 {
				t.Fatalf("one number alone of %v is hidden: %v", s, shown)
			}
		}
	})
}

func TestDeconflictedIsApprovedLessWhatIsKeptBack(t *testing.T) {
	t.Parallel()
	c := concert.Counts{concert.Approved: 20, concert.Held: 3, concert.TakenBack: 1}
	if got := c.Of(concert.Deconflicted); got != 16 {
		t.Errorf("%d", got)
	}
	c[concert.Held] = concert.Few
	if got := c.Of(concert.Deconflicted); got != concert.Few {
		t.Errorf("made from what is not shown: %d", got)
	}
}

func TestDeadlineHasAShapeAndAWord(t *testing.T) {
	t.Parallel()
	for left, want := range map[time.Duration]concert.Urgency{-time.Second: concert.UrgencyMissed, 0: concert.UrgencyNow, 9 * time.Minute: concert.UrgencyNow, 10 * time.Minute: concert.UrgencySoon, 30 * time.Minute: concert.UrgencySoon, 31 * time.Minute: concert.UrgencyCalm} {
		if got := concert.UrgencyOf(noon.Add(left), noon); got != want {
			t.Errorf("%v: %s, want %s", left, got, want)
		}
	}
}

// The example of Kaplan and Meier's method: what was watched for a short time counts for that time.
func TestSurvivalCountsWhatWasWatchedForAsLong(t *testing.T) {
	t.Parallel()
	h := time.Hour
	got := concert.SurvivalOf([]concert.Lifespan{{After: h, Down: true}, {After: 2 * h}, {After: 3 * h, Down: true}, {After: 3 * h, Down: true}, {After: 5 * h}, {}})
	want := []concert.Survival{{Share: 1, AtRisk: 5}, {After: h, Share: 0.8, AtRisk: 5, Removed: 1}, {After: 3 * h, Share: 0.8 * (1 - 2.0/3), AtRisk: 3, Removed: 2}}
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i := range want {
		if d := got[i].Share - want[i].Share; d > 1e-9 || d < -1e-9 || got[i].After != want[i].After || got[i].AtRisk != want[i].AtRisk || got[i].Removed != want[i].Removed {
			t.Errorf("step %d: %+v, want %+v", i, got[i], want[i])
		}
	}
	if m, p := concert.Quantiles([]time.Duration{5, 1, 3}); m != 3 || p != 5 {
		t.Errorf("quantiles %v, %v", m, p)
	}
}

func TestThrottleCountsByTheHour(t *testing.T) {
	t.Parallel()
	th := concert.Throttle{PerHour: 10}.Spent(7, noon)
	if n, next := th.Free(noon.Add(59*time.Minute), 400); n != 3 || !next.Equal(noon.Add(time.Hour)) {
		t.Errorf("%d until %v", n, next)
	}
	if n, _ := th.Free(noon.Add(time.Hour), 400); n != 10 {
		t.Errorf("in the next hour: %d", n)
	}
	if n, next := (concert.Throttle{Quiet: true}).Free(noon, 400); n != 0 || !next.IsZero() {
		t.Errorf("quiet: %d until %v", n, next)
	}
}
