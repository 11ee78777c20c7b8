package match

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"maps"
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

	HashVPDQ        HashKind = "vpdq"        // a video's frames
	HashTMK         HashKind = "tmk"         // a whole video
	HashChromaprint HashKind = "chromaprint" // sound
)

// hashDigits is how many hexadecimal digits a hash has, by kind.
var hashDigits = map[HashKind]int{HashPDQ: 64, HashSHA256: 64, HashSHA1: 40, HashMD5: 32}

// Known is one entry of a bank: what its list calls it and the hashes of it, in
// hexadecimal, by kind.
type Known struct {
	Name   string
	Hashes map[HashKind]string
	Frames []Frame // of a video
	TMK    *TMK    // likewise
	Sound  Sound
}

// Says reports whether there is anything to compare with.
func (k *Known) Says() bool {
	return len(k.Hashes) > 0 || len(k.Frames) > 0 || k.TMK != nil || len(k.Sound) > 0
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
	Frames [][]Frame // of a video, as it is and turned
	TMK    *TMK
	Sound  Sound
}

// Hit is an entry that a file matches. It decides nothing.
type Hit struct {
	Entry    int      // its place in the bank
	By       HashKind // what agrees
	Distance int      // bits that differ; 0 for the same bytes; of a video the mean over the segments' frames
	Turn     int      // which of Sought.PDQ or Sought.Frames

	OfSought, OfEntry float64   // of videos, the share of each one's frames that the other has
	Segments          []Segment // of videos and sounds, in the sought one's order
	Score             float64   // of HashTMK (level 2) and HashChromaprint (the share of bits that agree), up to 1; else 0
}

// Bank is a list of known hashes in memory. Any number of goroutines may ask it.
type Bank struct {
	known []Known
	exact map[HashKind]map[string][]int
	pdq   *hamming.Index
	film  *films
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
	if b.film, err = newFilms(ctx, known); err != nil {
		_ = b.pdq.Close() // likewise
		return nil, err
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
func (b *Bank) Close() error { return errors.Join(b.pdq.Close(), b.film.frames.Close()) }

// Len is how many entries it has.
func (b *Bank) Len() int { return len(b.known) }

// Entry is the entry at a place.
func (b *Bank) Entry(i int) Known { return b.known[i] }

// Find gives every entry that a file matches, the nearest first, each once: the
// same bytes by a digest, a look within radius bits (0 to 64) in any of the ways
// that it is asked for, a video with a stretch of frames within that radius, and
// what sounds alike.
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
				best[i] = Hit{Entry: i, By: HashPDQ, Distance: m.Distance, Turn: turn}
			}
		}
	}
	if err := b.byFilm(s, radius, best); err != nil {
		return nil, err
	}
	out := slices.Collect(maps.Values(best))
	slices.SortFunc(out, inOrder)
	return out, nil
}
