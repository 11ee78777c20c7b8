package match

import (
	"concert/internal/match/hamming"
	"concert/internal/match/neartext"
)

// What a node keeps to know content again, for whoever fills it from the database.
type (
	// HashIndex finds all hashes within a number of differing bits of one, exactly.
	HashIndex = hamming.Index
	// HashEntry is a hash in it.
	HashEntry = hamming.Entry
	// HashBatch is what one call changes in it.
	HashBatch = hamming.Batch
	// HashMatch is a hash found.
	HashMatch = hamming.Match
	// HashRadii is how far a search looks, by bank.
	HashRadii = hamming.Radii
	// Hash is 256 bits, in the bytes of a PDQ hash's text.
	Hash = hamming.Hash
	// DamagedIndex refuses a file of an index by name.
	DamagedIndex = hamming.DamagedError
	// TextIndex finds texts that are worth a comparison with one, each under what
	// equal texts have in common.
	TextIndex = neartext.Index[TextKey]
	// TextKey is equal for equal texts (Sketch.Key).
	TextKey = [16]byte
	// Sketch is what is kept of a text.
	Sketch = neartext.Sketch
	// TextLikeness is how two texts are related, and where.
	TextLikeness = neartext.Likeness
	// TextVerdict is the word for it.
	TextVerdict = neartext.Verdict
)

// The verdicts on two texts.
const (
	TextSame = neartext.Same
	TextNear = neartext.Near
	TextPart = neartext.Part
)

// OpenHashIndex opens the files of an index, or one that stands in memory alone for
// "". source names the database that it is a cache of: files of another are refused.
func OpenHashIndex(dir string, source [16]byte) (*HashIndex, error) {
	return hamming.Open(dir, hamming.Options{Source: source})
}

// ClearHashIndex removes the files of an index that is not open.
func ClearHashIndex(dir string) error { return hamming.Clear(dir) }

// NewTextIndex is an empty index of texts.
func NewTextIndex() *TextIndex { return neartext.NewIndex[TextKey]() }

// SketchOf makes the sketch of a text.
func SketchOf(text string) Sketch { return neartext.SketchOf(text) }

// CompareTexts says how two texts are related and where.
func CompareTexts(a, b string) TextLikeness { return neartext.Compare(a, b) }
