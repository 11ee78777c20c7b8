package concert

import (
	"cmp"
	"slices"
	"time"
)

// Deconflicted is a derived number: it is made from others and counted nowhere.
const Deconflicted Metric = "deconflicted"

// DerivedDefinitions says how numbers are made that no event counts.
var DerivedDefinitions = map[Metric]string{
	Deconflicted: "approved items that neither a hold keeps back nor their author took back: approved less held less taken back. Holds are asked for only when an item is about to go, so that nobody learns of one before two people have judged",
}

// Definition is what the number counts.
func (m Metric) Definition() string { return cmp.Or(MetricDefinitions[m], DerivedDefinitions[m]) }

// FewLeast is the least number of people's doings that a public or partner view
// shows; Few stands in Counts where a smaller one is not shown.
const (
	FewLeast       = 5
	Few      int64 = -1
)

// Of is the number, counted or derived; Few where it rests on one that is not
// shown.
func (c Counts) Of(m Metric) int64 {
	if m != Deconflicted {
		return c[m]
	}
	if c[Approved] == Few || c[Held] == Few || c[TakenBack] == Few {
		return Few
	}
	return c[Approved] - c[Held] - c[TakenBack]
}

// Suppressed is a copy in which numbers from 1 to 4 are Few, and as many more as
// it takes so that no sum gives one of them away.
func (c Counts) Suppressed() Counts {
	out := make(Counts, len(c))
	for m, n := range c {
		if n > 0 && n < FewLeast {
			n = Few
		}
		out[m] = n
	}
	sums := append([]Sum{{Approved, []Metric{Held, TakenBack, Deconflicted}}}, Sums...)
	for changed := true; changed; {
		changed = false
		for _, s := range sums {
			all := append([]Metric{s.Whole}, s.Parts...)
			hidden := 0
			for _, m := range all {
				if out[m] == Few {
					hidden++
				}
			}
			if hidden != 1 {
				continue
			}
			changed = hideSmallest(out, all) || changed
		}
	}
	return out
}

// hideSmallest hides the smallest number that is shown and not 0.
func hideSmallest(c Counts, among []Metric) bool {
	best := Metric("")
	for _, m := range among {
		if c[m] > 0 && (best == "" || c[m] < c[best]) {
			best = m
		}
	}
	if best == "" {
		return false
	}
	c[best] = Few
	return true
}

// SuppressedRows is Suppressed for the rows of a table whose totals are shown: a
// column in which one row alone is hidden hides another one.
func SuppressedRows[K ~string](rows map[K]Counts, totals Counts) map[K]Counts {
	out := make(map[K]Counts, len(rows))
	for k, c := range rows {
		out[k] = c.Suppressed()
	}
	keys := make([]K, 0, len(rows))
	for k := range rows {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, m := range Metrics {
		var hidden int
		var best K
		for _, k := range keys {
			switch n := out[k][m]; {
			case n == Few:
				hidden++
			case n > 0 && (best == "" || n < out[best][m]):
				best = k
			}
		}
		if hidden == 1 && totals[m] != Few && best != "" {
			out[best][m] = Few
			out[best] = out[best].Suppressed()
		}
	}
	return out
}

// Stage is a step of the funnel with what waits to enter it.
type Stage struct {
	Metric  Metric
	N       int64
	Of      Metric // the step before, "" for the first
	OfN     int64
	Waiting int64     // that wait to enter it now, as far as known
	Since   time.Time // since when the oldest of them waits; zero for none
}

// FunnelMetrics are the steps of the funnel, in order.
var FunnelMetrics = []Metric{Submitted, Unique, Assessed, Approved, Deconflicted, ReferredN, Acknowledged, AnsweredN, Down}

// Wait is how much of a kind waits, and since when the oldest does.
type Wait struct {
	N     int64
	Since time.Time
}

// Funnel is the chain from find to seen down. waiting says by step what waits to
// enter it.
func Funnel(c Counts, waiting map[Metric]Wait) []Stage {
	out := make([]Stage, len(FunnelMetrics))
	for i, m := range FunnelMetrics {
		out[i] = Stage{Metric: m, N: c.Of(m), Waiting: waiting[m].N, Since: waiting[m].Since}
		if i > 0 {
			out[i].Of, out[i].OfN = out[i-1].Metric, out[i-1].N
		}
	}
	return out
}

// Urgency is how near a deadline is: the shape and the word of its bar.
type Urgency string

// The urgencies (desk research, live board).
const (
	UrgencyCalm   Urgency = "calm"   // more than 30 minutes
	UrgencySoon   Urgency = "soon"   // 30 to 10 minutes
	UrgencyNow    Urgency = "now"    // less than 10
	UrgencyMissed Urgency = "missed" // past
)

// UrgencyOf is that of a deadline at that time.
func UrgencyOf(due, now time.Time) Urgency {
	switch left := due.Sub(now); {
	case left < 0:
		return UrgencyMissed
	case left < 10*time.Minute:
		return UrgencyNow
	case left <= 30*time.Minute:
		return UrgencySoon
	}
	return UrgencyCalm
}

// TroubleKind is what goes wrong on the way to a provider.
type TroubleKind string

// The kinds.
const (
	TroubleGone   TroubleKind = "endpoint_gone" // its endpoint said 410: the inbox remains
	TroubleDown   TroubleKind = "channel_down"  // notices fail, one after the other
	TroubleBounce TroubleKind = "undelivered"   // a notice came to no end: the schedule ended
	TroubleSilent TroubleKind = "silent"        // nobody acknowledges
)

// SilentAfter is when a provider that has acknowledged nothing is shown.
const SilentAfter = 24 * time.Hour

// Trouble is one provider's trouble within an action.
type Trouble struct {
	Kind     TroubleKind
	Provider ProviderID
	N        int // notices or referrals concerned
	Since    time.Time
}
