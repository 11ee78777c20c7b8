package hamming

import (
	"math/bits"
	"sync"
)

const (
	maxWidth  = 26 // bits of the widest table
	maxFlips  = 4  // bits that are flipped in one table at most
	maxTables = 32

	// What the machine of the measurements takes, in nanoseconds; only their ratios matter.
	probeCost, candidateCost, rowCost = 4.0, 14.0, 1.0
)

// masks are what is laid over a key to visit all keys within a distance: by number of bits, then by value, so that probes of
// one directory line come together.
type masks [maxWidth + 1]struct {
	all []uint32
	// upTo[f] is how many of all have at most f bits.
	upTo [maxFlips + 1]int
}

var readMasks = sync.OnceValue(func() *masks {
	m := new(masks)
	for width := range m {
		of := &m[width]
		for flips := range maxFlips + 1 {
			if flips <= width {
				of.all = appendMasks(of.all, width, flips)
			}
			of.upTo[flips] = len(of.all)
		}
	}
	return m
})

// appendMasks appends the numbers below 1<<width with that many bits set, in ascending order (Gosper's way to the next one).
func appendMasks(to []uint32, width, flips int) []uint32 {
	if flips == 0 {
		return append(to, 0)
	}
	for v := uint32(1)<<flips - 1; v < 1<<width; {
		to = append(to, v)
		low := v & -v
		next := v + low
		v = next | (v^next)>>2/low
	}
	return to
}

// plan says how a radius is searched in one segment. Each table t is asked for keys within flips[t] of the query's, -1 for not
// at all. A hash that differs by more than flips[t] in every table differs by sum(flips[t]+1) bits in all, so radius+1 such
// steps find everything within the radius (pigeonhole; Norouzi, Punjani and Fleet, 2014).
type plan struct {
	flips [maxTables]int8
	scan  bool // no such plan, or reading all rows costs less
}

// planFor spends radius+1 steps where each costs least. A further flip of a table costs more than the one before, so taking the
// cheapest one each time is the cheapest plan.
func planFor(widths []int, rows, radius int) plan {
	var p plan
	for t := range p.flips {
		p.flips[t] = -1
	}
	total := 0.0
	for range radius + 1 {
		best, least := -1, 0.0
		for t, width := range widths {
			next := int(p.flips[t]) + 1
			if next > min(maxFlips, width) {
				continue
			}
			load := float64(rows) / float64(uint64(1)<<width)
			cost := float64(choose(width, next)) * (probeCost + candidateCost*load)
			if best < 0 || cost < least {
				best, least = t, cost
			}
		}
		if best < 0 {
			return plan{scan: true}
		}
		p.flips[best]++
		total += least
	}
	p.scan = total > rowCost*float64(rows)
	return p
}

func choose(n, k int) uint64 {
	c := uint64(1)
	for i := range k {
		hi, lo := bits.Mul64(c, uint64(n-i))
		if hi != 0 {
			return 1 << 63
		}
		c = lo / uint64(i+1)
	}
	return c
}

// widthsFor chooses the tables of a new segment: wide ones cost probes, narrow ones candidates. Where the widths change is
// measured (bench/README.md); no bucket holds more than 3.3 rows on average, so that lines seldom overflow.
func widthsFor(rows int) []int {
	of := func(parts ...[2]int) (widths []int) {
		for _, part := range parts {
			for range part[0] {
				widths = append(widths, part[1])
			}
		}
		return widths
	}
	switch {
	case rows <= 4096:
		return nil // reading them all takes less than the probes
	case rows <= 128<<10:
		return of([2]int{16, 16})
	case rows <= 400_000:
		return of([2]int{15, 17})
	case rows <= 800_000:
		return of([2]int{6, 18}, [2]int{7, 21})
	case rows <= 1_600_000:
		return of([2]int{4, 19}, [2]int{8, 22})
	case rows <= 3_200_000:
		return of([2]int{4, 20}, [2]int{8, 22})
	case rows <= 27_000_000:
		return of([2]int{1, 22}, [2]int{4, 24}, [2]int{6, 23})
	default:
		return of([2]int{6, 26}, [2]int{4, 25})
	}
}
