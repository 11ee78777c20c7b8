package identity

import (
	"crypto/hmac"
	"crypto/sha256"
)

// DrawDigest is the keyed digest (HMAC-SHA-256) by which something is drawn by
// its id: as good as chance to whoever lacks the master secret, and the same
// for ever, so that nobody draws again until the lot suits.
func (r *KeyRing) DrawDigest(id string) [32]byte {
	key := r.Derive("draw of second looks")
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte(id))
	var out [32]byte
	mac.Sum(out[:0])
	return out
}
