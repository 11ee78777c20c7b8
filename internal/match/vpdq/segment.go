package vpdq

import (
	"cmp"
	"math"
	"slices"
)

const (
	// LeastRun is how many frames of A a segment needs.
	LeastRun = 3
	// MostSegments is how many segments are looked for, the longest first.
	MostSegments = 64

	// maxPairs bounds the pairs of frames that segments are made of: of a frame like many others the nearest are taken, and
	// pictures that stand still for hours, which tell no time, are left out.
	maxPairs = 1 << 19
	// gapSeconds and gapFrames are how long a segment may go without a frame that matches: a logo, a cut, a bad frame.
	gapSeconds = 3
	gapFrames  = 3
	// leastJitter is how far an offset may vary where frames stand closer than that.
	leastJitter = 0.25
)

// Span is a stretch of a video in seconds.
type Span struct{ From, To float64 }

// Segment is a stretch of A that is a stretch of B: frames that match in order, at one offset but for the time between two
// frames, without a longer gap than three seconds (or three frames).
type Segment struct {
	A, B     Span
	Offset   float64 // seconds from A's clock to B's, the mean over the frames, each with its nearest
	Frames   int     // of A that match at this offset
	Of       int     // frames of A in the span whose quality suffices
	Distance float64 // the mean of the same
}

// pair is a frame of A and one of B that match.
type pair struct {
	a, b     float64
	distance float64
}

func (p pair) offset() float64 { return p.b - p.a }

// segments lays frames that match out by the offset of their times, cuts each offset into runs, and takes the longest runs
// first, so that each moment of A is explained once.
func segments(a, b []Frame, ua, ub unique, same []likePair, radius int) []Segment {
	pairs := pairsOf(a, b, ua, ub, same)
	spacing := max(spacingOf(a), spacingOf(b))
	jitter, gap := max(leastJitter, spacing), max(gapSeconds, gapFrames*spacing)
	windows := windowsOf(pairs, jitter)
	times := goodTimes(a)
	var taken []Segment // in the order of A
	for len(taken) < MostSegments {
		// A window's best run only shrinks as moments of A are taken: its score of an earlier round is an upper bound.
		at, best := -1, run{}
		for i := range windows {
			w := &windows[i]
			if w.bound <= best.score {
				continue
			}
			if w.round < len(taken) {
				w.pairs = uncovered(w.pairs, taken)
				w.best, w.round = longest(w.pairs, gap, radius, taken), len(taken)
				w.bound = w.best.score
			}
			if w.bound > best.score {
				at, best = i, w.best
			}
		}
		if at < 0 {
			break
		}
		s := best.segment(times)
		place, _ := slices.BinarySearchFunc(taken, s, inOrderOfA)
		taken = slices.Insert(taken, place, s)
	}
	return taken
}

func inOrderOfA(s, t Segment) int { return cmp.Compare(s.A.From, t.A.From) }

// uncovered drops the pairs whose moment of A is in one of the segments.
func uncovered(pairs []pair, taken []Segment) []pair {
	k := 0
	return slices.DeleteFunc(pairs, func(p pair) bool {
		for k < len(taken) && taken[k].A.To < p.a {
			k++
		}
		return k < len(taken) && taken[k].A.From <= p.a
	})
}

// pairsOf are the frames that match, those of hashes that stand in the most places left out beyond maxPairs.
func pairsOf(a, b []Frame, ua, ub unique, same []likePair) []pair {
	weight := func(p likePair) int { return len(ua.places[p.a]) * len(ub.places[p.b]) }
	slices.SortFunc(same, func(p, q likePair) int { return cmp.Compare(weight(p), weight(q)) })
	var pairs []pair
	for _, p := range same {
		if len(pairs)+weight(p) > maxPairs {
			break
		}
		for _, i := range ua.places[p.a] {
			for _, j := range ub.places[p.b] {
				pairs = append(pairs, pair{a[i].Seconds, b[j].Seconds, float64(p.distance)})
			}
		}
	}
	return pairs
}

// spacingOf is the median time between two frames.
func spacingOf(frames []Frame) float64 {
	times := make([]float64, len(frames))
	for i := range frames {
		times[i] = frames[i].Seconds
	}
	slices.Sort(times)
	var steps []float64
	for i := 1; i < len(times); i++ {
		if step := times[i] - times[i-1]; step > 0 {
			steps = append(steps, step)
		}
	}
	if len(steps) == 0 {
		return 0
	}
	slices.Sort(steps)
	return steps[len(steps)/2]
}

// window holds the pairs of one narrow range of offsets, in the order of A.
type window struct {
	pairs []pair
	best  run
	round int     // how many segments were taken when best was found; -1: not yet
	bound float64 // its score then
}

// windowsOf cuts the offsets into ranges of twice the jitter, each overlapping the next by half.
func windowsOf(pairs []pair, jitter float64) []window {
	slices.SortFunc(pairs, func(p, q pair) int { return cmp.Compare(p.offset(), q.offset()) })
	cell := func(p pair) float64 { return math.Floor(p.offset() / jitter) }
	var windows []window
	for from := 0; from < len(pairs); {
		first := cell(pairs[from])
		next := from
		for next < len(pairs) && cell(pairs[next]) == first {
			next++
		}
		to := next
		for to < len(pairs) && cell(pairs[to]) == first+1 {
			to++
		}
		if to-from >= LeastRun {
			w := window{pairs: slices.Clone(pairs[from:to]), round: -1, bound: float64(to - from)}
			slices.SortFunc(w.pairs, func(p, q pair) int { return cmp.Or(cmp.Compare(p.a, q.a), cmp.Compare(p.distance, q.distance)) })
			windows = append(windows, w)
		}
		from = next
	}
	slices.SortStableFunc(windows, func(v, w window) int { return cmp.Compare(w.bound, v.bound) })
	return windows
}

// run is a stretch of a window without too long a gap.
type run struct {
	pairs  []pair
	frames int     // different moments of A
	score  float64 // their sum, a frame as near as can be counting twice what one at the radius does
}

// longest is the run with the highest score of those with enough frames; none goes over a segment that is taken.
func longest(pairs []pair, gap float64, radius int, taken []Segment) (best run) {
	k := 0
	for from := 0; from < len(pairs); {
		r := run{}
		to := from
		for ; to < len(pairs); to++ {
			if to > from {
				last, next := pairs[to-1].a, pairs[to].a
				for k < len(taken) && taken[k].A.From <= last {
					k++
				}
				if next-last > gap || k < len(taken) && taken[k].A.From < next {
					break
				}
				if next == last {
					continue
				}
			}
			r.frames++
			r.score += 1 - pairs[to].distance/float64(2*(radius+1))
		}
		if r.frames >= LeastRun && r.score > best.score {
			r.pairs = pairs[from:to]
			best = r
		}
		from = to
	}
	return best
}

func (r run) segment(times []float64) Segment {
	first := r.pairs[0]
	s := Segment{A: Span{first.a, first.a}, B: Span{first.b, first.b}, Frames: r.frames}
	for i, p := range r.pairs {
		// The nearest of a frame's pairs comes first.
		if i > 0 && p.a == r.pairs[i-1].a {
			continue
		}
		s.A.To = p.a
		s.B = Span{min(s.B.From, p.b), max(s.B.To, p.b)}
		s.Offset += p.offset() / float64(r.frames)
		s.Distance += p.distance / float64(r.frames)
	}
	from, _ := slices.BinarySearch(times, s.A.From)
	to, found := slices.BinarySearch(times, s.A.To)
	if found {
		to++
	}
	s.Of = to - from
	return s
}

// goodTimes are the different moments of the frames that count, in order.
func goodTimes(frames []Frame) []float64 {
	var times []float64
	for _, f := range frames {
		if f.Quality >= QualityLeast {
			times = append(times, f.Seconds)
		}
	}
	slices.Sort(times)
	return slices.Compact(times)
}
