package identity

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
)

// Prefixes of tokens. They name the system and the purpose, so that secret
// scanners recognise a token that was published by mistake, and so that a
// token for one purpose can never pass for another.
const (
	SessionToken = "cst_" // a person's session cookie
	OneTimeToken = "cso_" // a one-time link
	APIKeyToken  = "csk_" // a machine's API key
)

// ErrToken says that a text is no token of this system: a typo, a cut, or
// another system's secret. The text itself is never part of the error.
var ErrToken = errors.New("not a valid token: check that it was copied whole")

const (
	base62       = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	tokenRandom  = 43 // 62^43 > 2^256
	tokenSum     = 6  // 62^6 > 2^32
	tokenPrefix  = 4
	tokenPlainSz = tokenPrefix + tokenRandom + tokenSum
)

// NewToken returns a fresh secret with 256 random bits, and the digest under
// which it is stored. The plain text is shown to its owner once and kept
// nowhere. The prefix is one of the constants above; another one panics.
//
// Form: prefix, 43 base62 digits, 6 base62 digits of the CRC-32 (IEEE) of all
// before.
func NewToken(prefix string) (plain string, digest [32]byte) {
	var random [64]byte
	return drawToken(prefix, func(int) []byte {
		rand.Read(random[:])
		return random[:]
	})
}

// drawToken makes a token of the bytes that draw gives, block after block.
func drawToken(prefix string, draw func(block int) []byte) (plain string, digest [32]byte) {
	if !knownPrefix(prefix) {
		panic("identity: unknown token prefix " + prefix) // prefixes are constants of this package
	}
	buf := append(make([]byte, 0, tokenPlainSz), prefix...)
	for block := 0; len(buf) < tokenPrefix+tokenRandom; block++ {
		for _, b := range draw(block) {
			// Rejection above 4*62 keeps every digit equally likely.
			if b < 248 && len(buf) < tokenPrefix+tokenRandom {
				buf = append(buf, base62[b%62])
			}
		}
	}
	buf = appendSum(buf)
	return string(buf), sha256.Sum256(buf)
}

// Digest returns the SHA-256 under which the token is stored, or ErrToken if
// the text cannot be a token. It spares the database a question for every typo
// and every probe.
func Digest(plain string) ([32]byte, error) {
	if TokenPrefix(plain) == "" {
		return [32]byte{}, ErrToken
	}
	return sha256.Sum256([]byte(plain)), nil
}

// DigestOf is Digest for a door that takes one kind of token only.
func DigestOf(prefix, plain string) ([32]byte, error) {
	if got := TokenPrefix(plain); got != prefix || got == "" {
		if got != "" {
			return [32]byte{}, fmt.Errorf("%w: it begins with %s, wanted is one with %s", ErrToken, got, prefix)
		}
		return [32]byte{}, ErrToken
	}
	return sha256.Sum256([]byte(plain)), nil
}

// TokenPrefix returns the prefix of a well-formed token, "" for anything else.
func TokenPrefix(plain string) string {
	if len(plain) != tokenPlainSz || !knownPrefix(plain[:tokenPrefix]) {
		return ""
	}
	for _, c := range []byte(plain[tokenPrefix:]) {
		if strings.IndexByte(base62, c) < 0 {
			return ""
		}
	}
	body := tokenPrefix + tokenRandom
	var buf [tokenPlainSz]byte
	copy(buf[:], plain[:body])
	if string(appendSum(buf[:body])) != plain {
		return ""
	}
	return plain[:tokenPrefix]
}

func knownPrefix(p string) bool {
	return p == SessionToken || p == OneTimeToken || p == APIKeyToken || p == AnswerToken || p == ContentToken
}

func appendSum(b []byte) []byte {
	sum := crc32.ChecksumIEEE(b)
	var digits [tokenSum]byte
	for i := tokenSum - 1; i >= 0; i-- {
		digits[i] = base62[sum%62]
		sum /= 62
	}
	return append(b, digits[:]...)
}
