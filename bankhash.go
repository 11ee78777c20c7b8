package concert

import (
	"slices"
	"strings"
)

// QualityLeast is the PDQ quality from which on a picture is compared (pytx): less
// would be like too much. Package pdq has the same one.
const QualityLeast = 50

// HashKind is what a known hash is of.
type HashKind string

// The kinds of hash. PDQ and the frames of vPDQ are found by nearness, the
// digests by being equal; the rest is kept and passed on, and compared with
// nothing here.
const (
	HashPDQ      HashKind = "pdq"
	HashVPDQ     HashKind = "vpdq" // a video's frames
	HashSHA256   HashKind = "sha256"
	HashSHA1     HashKind = "sha1"
	HashMD5      HashKind = "md5"
	HashSHA512   HashKind = "sha512"
	HashTMK      HashKind = "tmk"
	HashTLSH     HashKind = "tlsh"
	HashPhotoDNA HashKind = "photodna"
)

// HashKinds lists them.
var HashKinds = []HashKind{HashPDQ, HashVPDQ, HashSHA256, HashSHA1, HashMD5, HashSHA512, HashTMK, HashTLSH, HashPhotoDNA}

// hashDigits is how many hexadecimal digits a hash has, by kind.
var hashDigits = map[HashKind]int{HashPDQ: 64, HashSHA256: 64, HashSHA1: 40, HashMD5: 32, HashSHA512: 128}

// secondsMost bounds the place of a frame: 31 years, as in vPDQ's lists.
const secondsMost = 1e9

// opaqueMost bounds the text of a hash that is only kept.
const opaqueMost = 4096

// Compared reports whether hashes of the kind are compared here.
func (k HashKind) Compared() bool {
	return slices.Contains([]HashKind{HashPDQ, HashVPDQ, HashSHA256, HashSHA1, HashMD5}, k)
}

// KnownHash is one hash of a known work.
type KnownHash struct {
	Kind    HashKind
	Value   string // hexadecimal, lower case; of HashVPDQ empty, its frames stand in Frames; of others as they came
	Quality int    // of PDQ, 0 to 100; -1 where nobody said
	Frames  []KnownFrame
}

// KnownFrame is a frame of a video.
type KnownFrame struct {
	PDQ     [32]byte // the bytes of the hash's text
	Quality int
	Seconds float64 // from the beginning
}

// FramesMost bounds the frames of one entry: at one a second 68 minutes.
const FramesMost = 4095

// Checked is the hash as it is kept, or what is wrong with it.
func (h KnownHash) Checked() (KnownHash, error) {
	digits, hexadecimal := hashDigits[h.Kind]
	switch {
	case !slices.Contains(HashKinds, h.Kind):
		return h, Refuse(Invalid, "hash.kind", "hashes", "%.40q is no kind of hash known here; the kinds are %v", h.Kind, HashKinds)
	case h.Kind == HashVPDQ:
		if len(h.Frames) == 0 || len(h.Frames) > FramesMost {
			return h, Refuse(Invalid, "hash.frames", "hashes", "a video has 1 to %d frames here: got %d; leave out frames that are alike", FramesMost, len(h.Frames))
		}
		for i, f := range h.Frames {
			if f.Quality < 0 || f.Quality > 100 || !(f.Seconds >= 0 && f.Seconds <= secondsMost) {
				return h, Refuse(Invalid, "hash.frame", "hashes", "frame %d of the video has the quality %d and stands at second %v: a quality is 0 to 100, a second 0 or more", i+1, f.Quality, f.Seconds)
			}
		}
		return h, nil
	case hexadecimal:
		if h.Value = strings.ToLower(strings.TrimSpace(h.Value)); len(h.Value) != digits || strings.Trim(h.Value, "0123456789abcdef") != "" {
			return h, Refuse(Invalid, "hash.value", "hashes", "%.70q is no %s: that is %d hexadecimal digits", h.Value, h.Kind, digits)
		}
	case strings.TrimSpace(h.Value) == "" || len(h.Value) > opaqueMost:
		return h, Refuse(Invalid, "hash.value", "hashes", "a %s has 1 to %d bytes", h.Kind, opaqueMost)
	}
	if h.Quality < -1 || h.Quality > 100 {
		return h, Refuse(Invalid, "hash.quality", "hashes", "a quality is 0 to 100: got %d", h.Quality)
	}
	return h, nil
}

// tells reports whether the hash tells its work from others.
func (h KnownHash) tells() bool {
	return h.Kind != HashPDQ || h.Quality < 0 || h.Quality >= QualityLeast
}

// HashAt is the entry's hash that stands at a place at which each frame of a video
// counts, as the index does; false where there is none. Of a video it is that frame
// alone.
func (e BankEntry) HashAt(k int) (KnownHash, bool) {
	for _, h := range e.Hashes {
		switch {
		case h.Kind != HashVPDQ && k == 0:
			return h, true
		case h.Kind != HashVPDQ:
			k--
		case k < len(h.Frames):
			h.Frames = h.Frames[k : k+1]
			return h, true
		default:
			k -= len(h.Frames)
		}
	}
	return KnownHash{}, false
}
