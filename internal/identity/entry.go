package identity

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
)

// entryDigits is the length of an entry code: 40 random bits, which a few tries
// against a link of 256 do not find.
const entryDigits = 8

// NewEntryCode returns the second half of a way in, such as K7M3-9QXT: eight
// random digits of Crockford's base32, to be read out or written down.
func NewEntryCode() string {
	var d [entryDigits]byte
	rand.Read(d[:])
	for i := range d {
		d[i] = crockford[d[i]&31]
	}
	return string(d[:4]) + "-" + string(d[4:])
}

// ParseEntryCode reads a code as people write it: any case, O for 0, I or L for
// 1, with or without hyphens and blanks. It returns it as NewEntryCode writes
// it; false when it cannot be one.
func ParseEntryCode(s string) (string, bool) {
	d := make([]byte, 0, entryDigits+1)
	for _, c := range []byte(s) {
		if c == '-' || c == ' ' {
			continue
		}
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		v, ok := crockfordValue(c)
		if !ok || len(d) > entryDigits {
			return "", false
		}
		if len(d) == entryDigits/2 {
			d = append(d, '-')
		}
		d = append(d, crockford[v])
	}
	return string(d), len(d) == entryDigits+1
}

// EntryDigest is the keyed digest (HMAC-SHA-256) under which an entry code is
// stored: tied to its link's digest, and not to be found by trying all codes by
// who has the database without the master secret.
func (r *KeyRing) EntryDigest(link [32]byte, code string) [32]byte {
	key := r.Derive("entry codes")
	mac := hmac.New(sha256.New, key[:])
	mac.Write(link[:])
	mac.Write([]byte(code))
	return [32]byte(mac.Sum(nil))
}
