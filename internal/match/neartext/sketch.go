package neartext

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"unicode/utf8"
)

const (
	// Version is that of the normal form, the hashes and the encoding together: sketches of two versions say nothing of each other.
	Version = 1
	// LeastWords is how long a text must be before anything but equality is told of it, in the words of [Sketch].
	LeastWords = 10
	// LeastShingles is how many different shingles it must have, too, and how many two texts must have in common: less than ten words in a row is a formula.
	LeastShingles = 8
	// MostShingles is how many hashes a sketch keeps: all of a text of up to so many words, the smallest of a longer one, which
	// are a fair sample.
	MostShingles = 1024

	shingleWords = 3
)

// Sketch is what is kept of a text, at most 4.1 kB. It says nothing readable, but a guessed text can be checked against it: it
// is to be kept and erased like the text.
type Sketch struct {
	Key      [16]byte // first half of the SHA-256 of the normal form: equal for equal texts
	Simhash  uint64   // of single words and pairs, weighted by length and the logarithm of their number; links do not count
	Words    int      // links apart; two characters of a script without spaces are one
	Distinct int      // how many different shingles the text has; more than MostShingles: Shingles is a sample
	Shingles []uint32 // ascending, different
}

// SketchOf makes the sketch of a text, of its first [MaxBytes].
func SketchOf(text string) Sketch { return sketch(tokens(text)) }

func sketch(list []token) Sketch {
	digest := sha256.Sum256([]byte(join(list)))
	s := Sketch{Key: [16]byte(digest[:16])}
	words := make([]uint64, 0, len(list))
	features := make([]feature, 0, 2*len(list))
	characters, before := 0, feature{}
	for _, t := range list {
		if t.kind == link {
			continue
		}
		if t.kind == character {
			characters++
		}
		f := feature{hash(t.text), weight(t)}
		features = append(features, f)
		if len(words) > 0 {
			features = append(features, feature{pair(before.hash, f.hash), (before.weight + f.weight) / 2})
		}
		before = f
		words = append(words, f.hash)
	}
	s.Words = len(words) - characters + (characters+1)/2
	s.Simhash = simhash(features)
	shingles := shingles(words)
	slices.Sort(shingles)
	shingles = slices.Compact(shingles)
	s.Distinct = len(shingles)
	s.Shingles = slices.Clip(shingles[:min(len(shingles), MostShingles)])
	return s
}

// shingles hashes each three words in a row; of fewer words, all of them.
func shingles(words []uint64) []uint32 {
	if len(words) == 0 {
		return nil
	}
	n := min(shingleWords, len(words))
	list := make([]uint32, 0, len(words)-n+1)
	for i := range len(words) - n + 1 {
		h := words[i]
		for _, w := range words[i+1 : i+n] {
			h = pair(h, w)
		}
		list = append(list, uint32(h>>32))
	}
	return list
}

// Short says that the text has too little to tell a likeness from chance.
func (s *Sketch) Short() bool { return s.Words < LeastWords || s.Distinct < LeastShingles }

// Distance is the number of bits in which the simhashes differ, 0 to 64; texts that have nothing in common lie around 32.
func (s *Sketch) Distance(other *Sketch) int { return bits.OnesCount64(s.Simhash ^ other.Simhash) }

// Shares says which share of the shingles of s are in other, and of other's in s, 0 to 1: exact where both are complete, else
// from the sample that both hold. Nothing shares nothing.
func (s *Sketch) Shares(other *Sketch) (ofThis, ofOther float64) {
	common, n, m := s.common(other)
	return float64(common) / float64(max(1, n)), float64(common) / float64(max(1, m))
}

// common counts the shingles that both have, of how many of each.
func (s *Sketch) common(other *Sketch) (common, ofThis, ofOther int) {
	most := ^uint32(0)
	for _, t := range []*Sketch{s, other} {
		if t.Distinct > len(t.Shingles) && len(t.Shingles) > 0 {
			most = min(most, t.Shingles[len(t.Shingles)-1])
		}
	}
	a, b := upTo(s.Shingles, most), upTo(other.Shingles, most)
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] < b[j]:
			i++
		case a[i] > b[j]:
			j++
		default:
			common, i, j = common+1, i+1, j+1
		}
	}
	return common, len(a), len(b)
}

func upTo(list []uint32, most uint32) []uint32 {
	i, found := slices.BinarySearch(list, most)
	if found {
		i++
	}
	return list[:i]
}

type feature struct {
	hash   uint64
	weight int32
}

// weight is the length of a word, between 1 and 8: short words hold every language together and tell little.
func weight(t token) int32 {
	if t.kind == character {
		return 4
	}
	return int32(max(1, min(8, utf8.RuneCountInString(t.text)-1)))
}

// simhash is the sign of each bit's sum over the features (M. Charikar, 2002). A feature that comes n times counts 1+log2(n)
// times, so that one word cannot drown a text.
func simhash(features []feature) uint64 {
	slices.SortFunc(features, func(a, b feature) int {
		switch {
		case a.hash < b.hash:
			return -1
		case a.hash > b.hash:
			return 1
		}
		return 0
	})
	var sums [64]int32
	for i := 0; i < len(features); {
		f, n := features[i], 0
		for ; i < len(features) && features[i].hash == f.hash; i++ {
			n++
		}
		w := f.weight * int32(bits.Len(uint(n)))
		for k := range sums {
			// w where bit k is set, else -w.
			m := int32(f.hash>>k&1) - 1
			sums[k] += w ^ m - m
		}
	}
	var h uint64
	for k, sum := range sums {
		if sum > 0 {
			h |= 1 << k
		}
	}
	return h
}

// hash is FNV-1a with a finish that spreads it over all bits: the same on every machine, since sketches are kept.
func hash(word string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(word) {
		h = (h ^ uint64(word[i])) * 1099511628211
	}
	return mix(h)
}

func pair(a, b uint64) uint64 { return mix(a*0x9E3779B97F4A7C15 + b) }

func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xFF51AFD7ED558CCD
	h ^= h >> 33
	h *= 0xC4CEB9FE1A85EC53
	return h ^ h>>33
}

// ErrSketch says that bytes are no sketch of this version.
var ErrSketch = errors.New("neartext: no sketch of this version; make it anew from the text")

const headBytes = 1 + 16 + 8 + 4 + 4

// MarshalBinary writes the version (1 byte), key (16), simhash (8), words (4), different shingles (4), and the shingles (4
// each), big-endian. It never fails.
func (s Sketch) MarshalBinary() ([]byte, error) {
	b := make([]byte, 0, headBytes+4*len(s.Shingles))
	b = append(b, Version)
	b = append(b, s.Key[:]...)
	b = binary.BigEndian.AppendUint64(b, s.Simhash)
	b = binary.BigEndian.AppendUint32(b, uint32(s.Words))
	b = binary.BigEndian.AppendUint32(b, uint32(s.Distinct))
	for _, h := range s.Shingles {
		b = binary.BigEndian.AppendUint32(b, h)
	}
	return b, nil
}

// UnmarshalBinary reads what [Sketch.MarshalBinary] wrote; anything else is [ErrSketch] and leaves the sketch as it was.
func (s *Sketch) UnmarshalBinary(b []byte) error {
	if len(b) < headBytes || b[0] != Version {
		return ErrSketch
	}
	n := Sketch{Key: [16]byte(b[1:17]), Simhash: binary.BigEndian.Uint64(b[17:])}
	n.Words, n.Distinct = int(binary.BigEndian.Uint32(b[25:])), int(binary.BigEndian.Uint32(b[29:]))
	rest := b[headBytes:]
	if n.Words > MaxBytes || n.Distinct > MaxBytes || len(rest) != 4*min(n.Distinct, MostShingles) {
		return fmt.Errorf("%w: %d bytes for %d shingles", ErrSketch, len(b), n.Distinct)
	}
	for i := 0; i < len(rest); i += 4 {
		h := binary.BigEndian.Uint32(rest[i:])
		if i > 0 && h <= n.Shingles[len(n.Shingles)-1] {
			return fmt.Errorf("%w: shingles out of order", ErrSketch)
		}
		n.Shingles = append(n.Shingles, h)
	}
	*s = n
	return nil
}
