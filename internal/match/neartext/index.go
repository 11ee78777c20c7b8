package neartext

import (
	"cmp"
	"math/bits"
	"slices"
	"sync"
)

const (
	// Radius is the distance of simhashes up to which [Index.Within] need not look at every sketch.
	Radius = 3

	parts      = Radius + 1 // of two simhashes within the radius, one of the four 16-bit parts is equal
	mostAnchor = 16
	// leastShared is how many anchors two texts must share to be worth a comparison: one alone may be a formula.
	leastShared = 2
)

// Index finds sketches near a given one: exactly those whose simhash lies within a distance, or those that are worth a
// comparison. It holds a simhash and the 16 smallest shingles of each (anchors: two texts with shingles in common are likely to
// share some), about 600 bytes, in memory; whoever owns it fills it again at the start. It holds 2^28 at most. All methods may be called at the same time.
//
// K names a text for its owner. Equal texts are better added once, under [Sketch.Key], since a search lists all it finds.
type Index[K comparable] struct {
	mu      sync.RWMutex
	slots   []slot[K]
	free    []uint32
	byKey   map[K]uint32
	parts   [parts]map[uint16]uint32 // the first slot of a chain, counted from 1
	anchors map[uint32]uint32        // the first place of a chain: slot*16 + which of its anchors, counted from 1
}

type slot[K comparable] struct {
	key      K
	simhash  uint64
	anchors  [mostAnchor]uint32
	inPart   [parts]uint32 // the next of the chains that the slot is in
	inAnchor [mostAnchor]uint32
	n        uint8 // anchors held
	used     bool
}

// Hit is a sketch found: its key, the distance of the simhashes, and how many anchors it shares with what was asked (0 from
// [Index.Within]).
type Hit[K comparable] struct {
	Key      K
	Distance int
	Shared   int
}

// NewIndex is an empty index.
func NewIndex[K comparable]() *Index[K] {
	x := &Index[K]{byKey: map[K]uint32{}, anchors: map[uint32]uint32{}}
	for i := range x.parts {
		x.parts[i] = map[uint16]uint32{}
	}
	return x
}

// Len is the number of sketches held.
func (x *Index[K]) Len() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.byKey)
}

// Add holds a sketch under a key, instead of the one held there before. A short one is not held, and false comes back: look
// such texts up by [Sketch.Key].
func (x *Index[K]) Add(key K, s *Sketch) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.remove(key)
	if s.Short() {
		return false
	}
	n := slot[K]{key: key, simhash: s.Simhash, used: true}
	n.n = uint8(copy(n.anchors[:], s.Shingles))
	at := uint32(len(x.slots))
	if last := len(x.free) - 1; last >= 0 {
		at, x.free = x.free[last], x.free[:last]
		x.slots[at] = n
	} else {
		x.slots = append(x.slots, n)
	}
	x.byKey[key] = at
	held := &x.slots[at]
	for i := range x.parts {
		p := part(held.simhash, i)
		held.inPart[i], x.parts[i][p] = x.parts[i][p], at+1
	}
	for k, a := range held.anchors[:held.n] {
		held.inAnchor[k], x.anchors[a] = x.anchors[a], at*mostAnchor+uint32(k)+1
	}
	return true
}

// Remove forgets the sketch of a key; false if none was held. Nothing finds it from then on.
func (x *Index[K]) Remove(key K) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.remove(key)
}

func (x *Index[K]) remove(key K) bool {
	at, ok := x.byKey[key]
	if !ok {
		return false
	}
	s := &x.slots[at]
	for i := range x.parts {
		unchain(x.parts[i], part(s.simhash, i), at+1, func(place uint32) *uint32 { return &x.slots[place-1].inPart[i] })
	}
	for k, a := range s.anchors[:s.n] {
		unchain(x.anchors, a, at*mostAnchor+uint32(k)+1, x.afterAnchor)
	}
	*s = slot[K]{}
	x.free = append(x.free, at)
	delete(x.byKey, key)
	return true
}

func (x *Index[K]) afterAnchor(place uint32) *uint32 {
	return &x.slots[(place-1)/mostAnchor].inAnchor[(place-1)%mostAnchor]
}

// unchain takes a place out of the chain of a value.
func unchain[T comparable](heads map[T]uint32, value T, place uint32, after func(uint32) *uint32) {
	next := *after(place)
	if head := heads[value]; head != place {
		for *after(head) != place {
			head = *after(head)
		}
		*after(head) = next
	} else if next == 0 {
		delete(heads, value)
	} else {
		heads[value] = next
	}
}

func part(simhash uint64, i int) uint16 { return uint16(simhash >> (16 * i)) }

// Within lists the sketches whose simhash lies within a radius, nearest first: all of them and no other. Beyond [Radius] it
// looks at each sketch held.
func (x *Index[K]) Within(simhash uint64, radius int) []Hit[K] {
	x.mu.RLock()
	defer x.mu.RUnlock()
	var hits []Hit[K]
	x.within(simhash, radius, func(at uint32, distance int) {
		hits = append(hits, Hit[K]{Key: x.slots[at].key, Distance: distance})
	})
	slices.SortStableFunc(hits, func(a, b Hit[K]) int { return cmp.Compare(a.Distance, b.Distance) })
	return hits
}

func (x *Index[K]) within(simhash uint64, radius int, found func(at uint32, distance int)) {
	if radius > Radius {
		for at := range x.slots {
			if d := bits.OnesCount64(x.slots[at].simhash ^ simhash); x.slots[at].used && d <= radius {
				found(uint32(at), d)
			}
		}
		return
	}
	for i := range x.parts {
		for place := x.parts[i][part(simhash, i)]; place > 0; place = x.slots[place-1].inPart[i] {
			differ := x.slots[place-1].simhash ^ simhash
			if d := bits.OnesCount64(differ); d <= radius && !earlier(differ, i) {
				found(place-1, d)
			}
		}
	}
}

// earlier says whether a part before part i is equal too, whose table has listed the sketch already.
func earlier(differ uint64, i int) bool {
	for k := range i {
		if part(differ, k) == 0 {
			return true
		}
	}
	return false
}

// Candidates lists the sketches that are worth a comparison with s: those within [Radius], and those that share two or more
// anchors with it, as the part of a text does with the whole and a text with every tenth word replaced. Most anchors first, then
// nearest. At most limit of them; 0 means all. A short sketch has none.
func (x *Index[K]) Candidates(s *Sketch, limit int) []Hit[K] {
	if s.Short() {
		return nil
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	shared := map[uint32]int{}
	for _, a := range s.Shingles[:min(mostAnchor, len(s.Shingles))] {
		for place := x.anchors[a]; place > 0; place = *x.afterAnchor(place) {
			shared[(place-1)/mostAnchor]++
		}
	}
	var hits []Hit[K]
	x.within(s.Simhash, Radius, func(at uint32, distance int) {
		hits = append(hits, Hit[K]{x.slots[at].key, distance, shared[at]})
		delete(shared, at)
	})
	for at, n := range shared {
		if n >= leastShared {
			hits = append(hits, Hit[K]{x.slots[at].key, bits.OnesCount64(x.slots[at].simhash ^ s.Simhash), n})
		}
	}
	slices.SortFunc(hits, func(a, b Hit[K]) int {
		return cmp.Or(cmp.Compare(b.Shared, a.Shared), cmp.Compare(a.Distance, b.Distance))
	})
	if limit > 0 && len(hits) > limit {
		hits = hits[:limit]
	}
	return hits
}
