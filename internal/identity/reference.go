package identity

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
)

// ErrReference says that a text is no public reference. The wrapping error
// says what is wrong with it.
var ErrReference = errors.New("not a valid reference")

const (
	// Crockford's base32: no I, L, O and U, so a reference survives being read
	// aloud and written by hand.
	crockford       = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	referenceDigits = 12 // 60 random bits
	maxPrefix       = 4
	maxReferenceLen = 64
)

// NewReference returns a random public name such as CR-7K3M-9QXT-4D2FH: the
// prefix (1 to 4 letters A-Z, anything else panics), 12 random Crockford
// base32 digits (60 bits) and one check digit. It tells nothing about time or
// number, unlike NewID.
func NewReference(prefix string) string {
	if !validPrefix(prefix) {
		panic("identity: bad reference prefix " + prefix)
	}
	var digits [referenceDigits]byte
	rand.Read(digits[:])
	for i := range digits {
		digits[i] &= 31
	}
	return formatReference(prefix, digits)
}

// ParseReference reads a reference as people write it: any case, O for 0, I or
// L for 1, hyphens or blanks between the digits or left out; only the hyphen
// after the prefix must stand. It returns the prefix and the reference as
// NewReference writes it. One wrong digit or two neighbours swapped are always
// detected. Errors match ErrReference.
func ParseReference(s string) (prefix, reference string, err error) {
	if len(s) > maxReferenceLen {
		return "", "", fmt.Errorf("%w: %d characters, at most %d can be one", ErrReference, len(s), maxReferenceLen)
	}
	prefix, rest, found := strings.Cut(strings.ToUpper(strings.TrimSpace(s)), "-")
	if !found || !validPrefix(prefix) {
		return "", "", fmt.Errorf("%w: it begins with letters and a hyphen, as in CR-7K3M-9QXT-4D2FH", ErrReference)
	}
	var digits [referenceDigits]byte
	check, n := byte(0), 0
	for _, c := range []byte(rest) {
		if c == '-' || c == ' ' {
			continue
		}
		v, ok := crockfordValue(c)
		if !ok {
			return "", "", fmt.Errorf("%w: character %q does not occur in references", ErrReference, c)
		}
		switch {
		case n < referenceDigits:
			digits[n] = v
		case n == referenceDigits:
			check = v
		}
		n++
	}
	if n != referenceDigits+1 {
		return "", "", fmt.Errorf("%w: %d digits after the prefix, wanted are %d", ErrReference, n, referenceDigits+1)
	}
	if check != checkDigit(prefix, digits) {
		return "", "", fmt.Errorf("%w: the check digit does not fit, a character is wrong", ErrReference)
	}
	return prefix, formatReference(prefix, digits), nil
}

func validPrefix(p string) bool {
	if len(p) < 1 || len(p) > maxPrefix {
		return false
	}
	for _, c := range []byte(p) {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	return true
}

func crockfordValue(c byte) (byte, bool) {
	switch c {
	case 'O':
		return 0, true
	case 'I', 'L':
		return 1, true
	}
	i := strings.IndexByte(crockford, c)
	return byte(i), i >= 0
}

func formatReference(prefix string, digits [referenceDigits]byte) string {
	b := make([]byte, 0, maxPrefix+referenceDigits+4)
	b = append(b, prefix...)
	for i, d := range digits {
		if i%4 == 0 {
			b = append(b, '-')
		}
		b = append(b, crockford[d])
	}
	return string(append(b, crockford[checkDigit(prefix, digits)]))
}

// checkDigit is the sum of the symbols, each times a power of the generator,
// over GF(32). The powers differ up to 31 places, so a single wrong digit and a
// swap of any two digits change it. Prefix letters take part as their low bits.
func checkDigit(prefix string, digits [referenceDigits]byte) byte {
	var sum byte
	for i := 0; i < len(prefix); i++ {
		sum = times2(sum) ^ (prefix[i] & 31)
	}
	for _, d := range digits {
		sum = times2(sum) ^ d
	}
	return times2(sum)
}

// times2 multiplies by x in GF(32) modulo x^5+x^2+1.
func times2(v byte) byte {
	v <<= 1
	if v&32 != 0 {
		v ^= 32 | 5
	}
	return v
}
