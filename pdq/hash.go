package pdq

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/bits"
)

// Bits is how many bits a hash has, and TextLen how many characters its text.
const (
	Bits    = 256
	TextLen = Bits / 4
)

// Near is the distance within which the exchanges take two pictures for the
// same, and QualityLeast the quality from which on they use a hash at all.
const (
	Near         = 31
	QualityLeast = 50
)

// Hash is one PDQ hash. Bit k (of 16 rows of frequencies by 16 columns, row by
// row) is bit k%64 of word k/64; the zero value is the hash of a picture that is
// too small. It can be compared and can be the key of a map.
type Hash [4]uint64

// ErrText says that a text is no hash.
var ErrText = errors.New("pdq: a hash is 64 hexadecimal digits")

// Parse reads the text form: 64 hexadecimal digits and nothing else, no space,
// no prefix. Upper case is read too, since some lists carry it; what is written
// is always lower case, so that texts can be compared after [Hash.String]. The
// error is [ErrText].
func Parse(text string) (Hash, error) {
	var h Hash
	err := h.UnmarshalText([]byte(text))
	return h, err
}

// String is the text form: 64 lower-case hexadecimal digits, bit 255 first.
func (h Hash) String() string {
	b := h.Bytes()
	return hex.EncodeToString(b[:])
}

// MarshalText implements encoding.TextMarshaler with [Hash.String].
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler with [Parse]; a text that is
// refused leaves the hash as it was.
func (h *Hash) UnmarshalText(text []byte) error {
	if len(text) != TextLen {
		return fmt.Errorf("%w: this has %d characters", ErrText, len(text))
	}
	var b [Bits / 8]byte
	if _, err := hex.Decode(b[:], text); err != nil {
		return fmt.Errorf("%w: %w", ErrText, err)
	}
	*h = FromBytes(b)
	return nil
}

// Bytes are the 32 bytes that the text form writes, bit 255 first.
func (h Hash) Bytes() [Bits / 8]byte {
	var b [Bits / 8]byte
	for i, w := range h {
		binary.BigEndian.PutUint64(b[24-8*i:], w)
	}
	return b
}

// FromBytes is the hash whose [Hash.Bytes] these are.
func FromBytes(b [Bits / 8]byte) Hash {
	var h Hash
	for i := range h {
		h[i] = binary.BigEndian.Uint64(b[24-8*i:])
	}
	return h
}

// Distance is the number of bits that differ, 0 to 256.
func (h Hash) Distance(other Hash) int {
	return bits.OnesCount64(h[0]^other[0]) + bits.OnesCount64(h[1]^other[1]) + bits.OnesCount64(h[2]^other[2]) + bits.OnesCount64(h[3]^other[3])
}
