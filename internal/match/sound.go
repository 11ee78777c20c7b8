package match

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"math/bits"
	"slices"
)

// Sound is a Chromaprint fingerprint (L. Lalinský, https://acoustid.org/chromaprint,
// algorithm 2): 32 bits for each [SoundStep], of the pitches of the two seconds from
// there on.
type Sound []uint32

const (
	// SoundStep is the time from one value to the next in seconds: a third of 4,096
	// samples at 11,025 a second.
	SoundStep = 1365.0 / 11025
	// SoundMost bounds the values of a sound that is compared: a quarter of an hour.
	SoundMost = 8192

	// soundErrors is how many of 32 bits may differ in the mean: Chromaprint's own
	// matcher takes 10 (kDefaultMatchThreshold).
	soundErrors = 10
	// soundWindow is the stretch that each mean is over, five seconds, and soundLeast
	// the shortest that says anything, ten.
	soundWindow = 40
	soundLeast  = 80
	soundEdge   = 4
	// soundOwn is how much nearer two sounds must be to each other than each is to
	// itself at another place: silence, a tone and the hiss of rain or of a crowd are
	// like all others of their kind, and say nothing.
	soundOwn = 0.6
	// soundKey is by how many of the upper bits places are found where two sounds
	// may agree, and soundPlaces how many of these are looked at.
	soundKey    = 12
	soundPlaces = 24
)

var errSound = errors.New("it is no Chromaprint fingerprint")

// ParseSound reads a fingerprint as fpcalc prints it: compressed, in base64 for
// addresses.
func ParseSound(text string) (Sound, error) {
	in, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(in) < 4 {
		return nil, errSound
	}
	n := int(in[1])<<16 | int(in[2])<<8 | int(in[3])
	if in[0] != 1 {
		return nil, fmt.Errorf("%w of algorithm 2, with which others are made", errSound)
	}
	if n > SoundMost {
		return nil, fmt.Errorf("%w of up to %d values", errSound, SoundMost)
	}
	normal := packed{in: in[4:], width: 3}
	var steps []byte
	for ends := 0; ends < n; {
		v, ok := normal.next()
		if !ok {
			return nil, errSound
		}
		if v == 0 {
			ends++
		}
		steps = append(steps, v)
	}
	long := packed{in: in[4+(len(steps)*3+7)/8:], width: 5}
	out := make(Sound, 0, n)
	value, last, before := uint32(0), 0, uint32(0)
	for _, v := range steps {
		if v == 0 {
			before ^= value
			out = append(out, before)
			value, last = 0, 0
			continue
		}
		if last += int(v); v == 7 {
			more, ok := long.next()
			if !ok {
				return nil, errSound
			}
			last += int(more)
		}
		if last > 32 {
			return nil, errSound
		}
		value |= 1 << (last - 1)
	}
	return out, nil
}

// packed are numbers of a few bits each, the lowest first.
type packed struct {
	in    []byte
	width int
	at    int // bits that were read
}

func (p *packed) next() (v byte, ok bool) {
	if p.at+p.width > 8*len(p.in) {
		return 0, false
	}
	for i := range p.width {
		v |= p.in[(p.at+i)/8] >> ((p.at + i) % 8) & 1 << i
	}
	p.at += p.width
	return v, true
}

// SoundMatch is a stretch of one sound that is a stretch of another.
type SoundMatch struct {
	A, B      int // where it begins, in values
	Values    int
	ErrorRate float64 // share of the bits that differ, 0 to 1
}

// weight is how much a stretch explains: long, and near.
func (m SoundMatch) weight() float64 { return float64(m.Values) * (0.5 - m.ErrorRate) }

func (m SoundMatch) segment() Segment {
	var s Segment
	s.A.From, s.B.From = float64(m.A)*SoundStep, float64(m.B)*SoundStep
	long := float64(m.Values) * SoundStep
	s.A.To, s.B.To, s.Offset = s.A.From+long, s.B.From+long, s.B.From-s.A.From
	return s
}

// CompareSounds gives the longest stretch of ten seconds or more in which two
// sounds agree at one offset; false where there is none. Of longer ones than
// SoundMost the beginning is compared.
func CompareSounds(a, b Sound) (best SoundMatch, found bool) {
	a, b = a[:min(len(a), SoundMost)], b[:min(len(b), SoundMost)]
	if len(a) < soundLeast || len(b) < soundLeast {
		return best, false
	}
	for _, offset := range soundOffsets(a, b) {
		if m, ok := agreeing(a, b, offset); ok && m.weight() > best.weight() {
			best, found = m, true
		}
	}
	return best, found
}

// soundOffsets are the likeliest places of a's beginning in b, by values whose
// upper bits are the same.
func soundOffsets(a, b Sound) []int {
	places := map[uint32][]int32{}
	for j, v := range b {
		places[v>>(32-soundKey)] = append(places[v>>(32-soundKey)], int32(j))
	}
	count := make([]int32, len(a)+len(b))
	for i, v := range a {
		for _, j := range places[v>>(32-soundKey)] {
			count[int(j)-i+len(a)]++
		}
	}
	var likely []int
	for k, n := range count {
		if n > 1 {
			likely = append(likely, k)
		}
	}
	slices.SortStableFunc(likely, func(k, l int) int { return cmp.Compare(count[l], count[k]) })
	likely = likely[:min(len(likely), soundPlaces)]
	for i := range likely {
		likely[i] -= len(a)
	}
	return likely
}

// agreeing is the longest stretch at an offset in which each window agrees.
func agreeing(a, b Sound, offset int) (best SoundMatch, found bool) {
	from, to := max(0, -offset), min(len(a), len(b)-offset)
	wrong := func(i int) int { return bits.OnesCount32(a[i] ^ b[i+offset]) }
	few := func(i int) (n int) {
		for k := range soundEdge {
			n += wrong(i + k)
		}
		return n
	}
	sum := 0
	begun := -1
	end := func(at int) { // the last good window ended before at
		if begun < 0 {
			return
		}
		// A window reaches past what agrees; half a second tells more than one value.
		for begun+soundEdge < at && few(begun) > soundErrors*soundEdge {
			begun++
		}
		for at-soundEdge > begun && few(at-soundEdge) > soundErrors*soundEdge {
			at--
		}
		m := SoundMatch{A: begun, B: begun + offset, Values: at - begun}
		if begun = -1; m.Values < soundLeast || m.Values <= best.Values {
			return
		}
		x, y := a[m.A:at], b[m.B:at+offset]
		m.ErrorRate = errorRate(x, y)
		if m.ErrorRate < soundOwn*min(ownRate(x), ownRate(y)) {
			best, found = m, true
		}
	}
	for i := from; i < to; i++ {
		sum += wrong(i)
		if i-from >= soundWindow {
			sum -= wrong(i - soundWindow)
		}
		if i-from < soundWindow-1 {
			continue
		}
		switch good := sum <= soundErrors*soundWindow; {
		case good && begun < 0:
			begun = i - soundWindow + 1
		case !good:
			end(i)
		}
	}
	end(to)
	return best, found
}

// errorRate is the share of bits that differ in two sounds side by side.
func errorRate(a, b Sound) float64 {
	n := min(len(a), len(b))
	wrong := 0
	for i := range n {
		wrong += bits.OnesCount32(a[i] ^ b[i])
	}
	return float64(wrong) / float64(32*n)
}

// ownRate is how much a sound differs from itself some seconds later; the most of
// several, since a rhythm comes back.
func ownRate(s Sound) (most float64) {
	for _, later := range []int{17, 29, 41, 59} {
		most = max(most, errorRate(s, s[later:]))
	}
	return most
}
