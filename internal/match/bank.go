package match

import (
	"context"
	"encoding/hex"
	"fmt"
	"iter"
	"slices"
	"strings"

	"concert/internal/match/hamming"
)

// HashKind is what a known hash is of: of a picture's look, or of a file's bytes.
type HashKind string

// The kinds of known hashes.
const (
	HashPDQ    HashKind = "pdq"
	HashSHA256 HashKind = "sha256"
	HashSHA1   HashKind = "sha1"
	HashMD5    HashKind = "md5"
)

// hashDigits is how many hexadecimal digits a hash has, by kind.
var hashDigits = map[HashKind]int{HashPDQ: 64, HashSHA256: 64, HashSHA1: 40, HashMD5: 32}

// Known is one entry of a bank: what its list calls it and the hashes of it, in
// hexadecimal, by kind.
type Known struct {
	Name   string
	Hashes map[HashKind]string
}

// With is the entry with one hash more, in lower case; the error says what is
// wrong with that.
func (k Known) With(kind HashKind, hash string) (Known, error) {
	hash = strings.ToLower(hash)
	digits, known := hashDigits[kind]
	if !known {
		return k, fmt.Errorf("%.40q is no kind of hash known here: pdq, sha256, sha1 or md5", kind)
	}
	if len(hash) != digits || strings.Trim(hash, "0123456789abcdef") != "" {
		return k, fmt.Errorf("%.70q is no %s: that is %d hexadecimal digits", hash, kind, digits)
	}
	if k.Hashes == nil {
		k.Hashes = map[HashKind]string{}
	}
	k.Hashes[kind] = hash
	return k, nil
}

// Sought is what is known of a file that is looked for.
type Sought struct {
	// PDQ are the hashes of a picture, as it is and turned, the bytes in the
	// order of their text; none where it has none worth comparing.
	PDQ    [][32]byte
	Digest map[HashKind]string
}

// Hit is an entry that a file matches. It decides nothing.
type Hit struct {
	Entry    int      // its place in the bank
	By       HashKind // what agrees
	Distance int      // bits that differ; 0 for the same bytes
	Turn     int      // which of Sought.PDQ
}

// Bank is a list of known hashes in memory. Any number of goroutines may ask it.
type Bank struct {
	known []Known
	exact map[HashKind]map[string][]int
	pdq   *hamming.Index
}

// NewBank makes a bank of entries whose hashes came by [Known.With]. Close ends it.
func NewBank(ctx context.Context, known []Known) (*Bank, error) {
	b := &Bank{known: known, exact: map[HashKind]map[string][]int{}}
	var err error
	if b.pdq, err = hamming.Open("", hamming.Options{}); err != nil {
		return nil, fmt.Errorf("bank: %w", err)
	}
	for i, k := range known {
		for kind, hash := range k.Hashes {
			if kind == HashPDQ {
				continue
			}
			if b.exact[kind] == nil {
				b.exact[kind] = map[string][]int{}
			}
			b.exact[kind][hash] = append(b.exact[kind][hash], i)
		}
	}
	if err := b.pdq.Rebuild(ctx, 0, b.looks()); err != nil {
		_ = b.pdq.Close() // holds nothing but memory
		return nil, fmt.Errorf("bank: %w", err)
	}
	return b, nil
}

// looks are the entries with a PDQ hash, by their places.
func (b *Bank) looks() iter.Seq2[hamming.Entry, error] {
	return func(yield func(hamming.Entry, error) bool) {
		for i, k := range b.known {
			if k.Hashes[HashPDQ] == "" {
				continue
			}
			e := hamming.Entry{ID: uint64(i)}
			_, err := hex.Decode(e.Hash[:], []byte(k.Hashes[HashPDQ]))
			if !yield(e, err) {
				return
			}
		}
	}
}

// Close ends the bank.
func (b *Bank) Close() error { return b.pdq.Close() }

// Len is how many entries it has.
func (b *Bank) Len() int { return len(b.known) }

// Entry is the entry at a place.
func (b *Bank) Entry(i int) Known { return b.known[i] }

// Find gives every entry that a file matches, the nearest first, each once: the
// same bytes by a digest, and a look within radius bits (0 to 64) in any of the
// ways that it is asked for.
func (b *Bank) Find(s Sought, radius int) ([]Hit, error) {
	best := map[int]Hit{}
	for _, kind := range []HashKind{HashMD5, HashSHA1, HashSHA256} { // the strongest has the last word
		digest := s.Digest[kind]
		for _, i := range b.exact[kind][digest] {
			best[i] = Hit{Entry: i, By: kind}
		}
	}
	qs := make([]hamming.Hash, len(s.PDQ))
	for i, h := range s.PDQ {
		qs[i] = h
	}
	found, err := b.pdq.SearchBatch(nil, qs, hamming.Radii{Other: radius})
	if err != nil {
		return nil, err
	}
	for turn, ms := range found {
		for _, m := range ms {
			i := int(m.ID)
			if old, known := best[i]; !known || m.Distance < old.Distance {
				best[i] = Hit{i, HashPDQ, m.Distance, turn}
			}
		}
	}
	out := make([]Hit, 0, len(best))
	for _, h := range best {
		out = append(out, h)
	}
	slices.SortFunc(out, func(x, y Hit) int {
		if x.Distance != y.Distance {
			return x.Distance - y.Distance
		}
		return x.Entry - y.Entry
	})
	return out, nil
}
