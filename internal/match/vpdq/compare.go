package vpdq

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

const (
	// Radius is the distance up to and with which two frames are one (python-threatexchange).
	Radius = 31
	// QualityLeast is the quality from which on a frame counts (python-threatexchange).
	QualityLeast = 50
	// QueryShare is the share of the query's frames from which on python-threatexchange speaks of a match; of the other video's
	// frames it asks none.
	QueryShare = 0.8

	// maxWork bounds the pairs of frames compared: some seconds.
	maxWork = 1 << 30
)

// ErrTooMany says that two lists together have too many different frames to compare.
var ErrTooMany = errors.New("vpdq: too many different frames to compare; hash fewer a second")

// Likeness is how two videos A and B are related.
type Likeness struct {
	ShareOfA float64 // share of A's different frames that have one like them in B, 0 to 1; 0 where a side has none
	ShareOfB float64
	FramesA  int // different frames of A of sufficient quality: what the share is of
	FramesB  int
	Segments []Segment // in the order of A; no moment of A is in two
}

// Matched says whether python-threatexchange, asked with A as the query, would call it a match.
func (l *Likeness) Matched() bool { return l.FramesA > 0 && l.FramesB > 0 && l.ShareOfA >= QueryShare }

// Compare compares two lists of frames with the thresholds above. The error is [ErrTooMany].
func Compare(a, b []Frame) (Likeness, error) { return CompareWithin(a, b, Radius) }

// CompareWithin is Compare with another radius, 0 to 64 bits.
func CompareWithin(a, b []Frame, radius int) (Likeness, error) {
	ua, ub := uniqueOf(a), uniqueOf(b)
	l := Likeness{FramesA: len(ua.hashes), FramesB: len(ub.hashes)}
	if len(ua.hashes) == 0 || len(ub.hashes) == 0 {
		return l, nil
	}
	if len(ua.hashes) > maxWork/len(ub.hashes) {
		return Likeness{}, fmt.Errorf("%w (%d and %d)", ErrTooMany, len(ua.hashes), len(ub.hashes))
	}
	var same, row []likePair
	inB := make([]bool, len(ub.hashes))
	inA, mostInRow := 0, max(4, maxPairs/len(ua.hashes))
	for i := range ua.hashes {
		row = row[:0]
		for j := range ub.hashes {
			if d := ua.hashes[i].Distance(&ub.hashes[j]); d <= radius {
				inB[j] = true
				row = append(row, likePair{int32(i), int32(j), int32(d)})
			}
		}
		if len(row) > 0 {
			inA++
		}
		if len(row) > mostInRow {
			slices.SortFunc(row, func(p, q likePair) int { return cmp.Compare(p.distance, q.distance) })
			row = row[:mostInRow]
		}
		same = append(same, row...)
	}
	matchedB := 0
	for _, yes := range inB {
		if yes {
			matchedB++
		}
	}
	l.ShareOfA, l.ShareOfB = float64(inA)/float64(len(ua.hashes)), float64(matchedB)/float64(len(ub.hashes))
	l.Segments = segments(a, b, ua, ub, same, radius)
	return l, nil
}

// unique is a list of frames with each hash once.
type unique struct {
	hashes []Hash
	places [][]int32 // of each hash, the frames that have it
}

func uniqueOf(frames []Frame) unique {
	var u unique
	at := map[Hash]int{}
	for i, f := range frames {
		if f.Quality < QualityLeast {
			continue
		}
		k, known := at[f.Hash]
		if !known {
			k = len(u.hashes)
			at[f.Hash] = k
			u.hashes, u.places = append(u.hashes, f.Hash), append(u.places, nil)
		}
		u.places[k] = append(u.places[k], int32(i))
	}
	return u
}

// likePair are two hashes within the radius.
type likePair struct{ a, b, distance int32 }
