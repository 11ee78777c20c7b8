package hamming

import (
	"encoding/binary"
	"sync"
)

// Hash is a 256-bit hash as written in hexadecimal: the first two digits are byte 0. Distances do not depend on the order of
// bits, so any hash of 32 bytes will do as long as all of an index are written alike; package pdq's converts to it for free.
type Hash [32]byte

// MaxRadius is the widest radius that can be asked for, inclusive.
const MaxRadius = 64

// words is a hash as the index keeps it: its bits permuted, read as four little-endian words.
type words = [4]uint64

// shuffles holds, for each nibble of a hash and each of its values, where those bits go.
type shuffles [64][16]words

// permutation is that of format version 1: bit i of a hash (bit i%8 of byte i/8, the lowest first) goes to permutation[i].
// Real PDQ hashes have neighbouring bits that go together; spread over the tables they cost half as many candidates.
// Fisher and Yates' shuffle from the end, each index from splitmix64 modulo what is left, started at permutationSeed.
func permutation() (to [256]uint8) {
	const permutationSeed = 0x436f6e6365727431 // "Concert1"
	state := uint64(permutationSeed)
	for i := range to {
		to[i] = uint8(i)
	}
	for i := len(to) - 1; i > 0; i-- {
		state += 0x9e3779b97f4a7c15
		z := state
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		z ^= z >> 31
		j := int(z % uint64(i+1))
		to[i], to[j] = to[j], to[i]
	}
	return to
}

var readShuffles = sync.OnceValue(func() *shuffles {
	s := new(shuffles)
	for i, to := range permutation() {
		for value := range 16 {
			if value>>(i%4)&1 == 1 {
				s[i/4][value][to/64] |= 1 << (to % 64)
			}
		}
	}
	return s
})

func (s *shuffles) apply(h *Hash) (w words) {
	for i := range 32 {
		lo, hi := &s[2*i][h[i]&15], &s[2*i+1][h[i]>>4]
		w[0] ^= lo[0] ^ hi[0]
		w[1] ^= lo[1] ^ hi[1]
		w[2] ^= lo[2] ^ hi[2]
		w[3] ^= lo[3] ^ hi[3]
	}
	return w
}

// chunk cuts width bits from bit on out of a permuted hash.
func chunk(w *words, bit, width uint) uint32 {
	v := w[bit/64] >> (bit % 64)
	if bit%64+width > 64 {
		v |= w[bit/64+1] << (64 - bit%64)
	}
	return uint32(v & (1<<width - 1))
}

// order is how numbers lie in the files and in memory.
var order = binary.LittleEndian
