package concert

import (
	"slices"
	"time"
)

// Lifespan is how long one referred item stood: until it was first seen down, or
// until we last looked and it had not been.
type Lifespan struct {
	After time.Duration
	Down  bool
}

// Survival is a step of a survival curve: the share that still stands after so
// long, with how many were watched up to then.
type Survival struct {
	After   time.Duration
	Share   float64
	AtRisk  int
	Removed int
}

// SurvivalOf is the curve of Kaplan and Meier (1958): what was looked at for a
// short time only counts for that time. It begins at a share of 1; spans of no
// length that saw nothing are left out.
func SurvivalOf(spans []Lifespan) []Survival {
	watched := slices.DeleteFunc(slices.Clone(spans), func(s Lifespan) bool { return !s.Down && s.After <= 0 })
	slices.SortFunc(watched, func(a, b Lifespan) int { return int(a.After - b.After) })
	out := []Survival{{Share: 1, AtRisk: len(watched)}}
	share := 1.0
	for i := 0; i < len(watched); {
		j, down := i, 0
		for ; j < len(watched) && watched[j].After == watched[i].After; j++ {
			if watched[j].Down {
				down++
			}
		}
		if risk := len(watched) - i; down > 0 {
			share *= 1 - float64(down)/float64(risk)
			out = append(out, Survival{watched[i].After, share, risk, down})
		}
		i = j
	}
	return out
}

// Quantiles are the median and the ninth tenth of durations: those at place
// ⌊n/2⌋ and ⌊9n/10⌋ of the sorted ones, 0 where there are none.
func Quantiles(ds []time.Duration) (median, p90 time.Duration) {
	if len(ds) == 0 {
		return 0, 0
	}
	ds = slices.Sorted(slices.Values(ds))
	return ds[len(ds)/2], ds[len(ds)*9/10]
}
