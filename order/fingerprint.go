package order

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// Fingerprint is the SHA-256 of a root's public key: what two people compare.
type Fingerprint [sha256.Size]byte

// FingerprintOf is the fingerprint of a public key.
func FingerprintOf(pub ed25519.PublicKey) Fingerprint { return sha256.Sum256(pub) }

// String is the fingerprint in sixteen groups of four hexadecimal digits.
func (f Fingerprint) String() string {
	digits := hex.EncodeToString(f[:])
	groups := slices.Collect(slices.Chunk([]byte(digits), 4))
	parts := make([]string, len(groups))
	for i, g := range groups {
		parts[i] = string(g)
	}
	return strings.Join(parts, "-")
}

// ParseFingerprint reads 64 hexadecimal digits, however they are grouped by
// hyphens, colons or spaces and in whichever case.
func ParseFingerprint(text string) (Fingerprint, error) {
	digits := strings.Map(func(r rune) rune {
		if strings.ContainsRune("-: \t", r) {
			return -1
		}
		return r
	}, text)
	raw, err := hex.DecodeString(digits)
	if err != nil || len(raw) != sha256.Size {
		return Fingerprint{}, fmt.Errorf("%.100q is no fingerprint: write the 64 hexadecimal digits that you were told", text)
	}
	return Fingerprint(raw), nil
}

// Roots are the roots that the reader pinned. The zero value trusts nobody.
type Roots []Fingerprint
