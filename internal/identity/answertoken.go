package identity

import (
	"crypto/hmac"
	"crypto/sha256"
)

// AnswerToken prefixes a one-time answer link's token: it lets its holder see and
// answer one referral, and nothing else.
const AnswerToken = "csa_"

// ContentToken prefixes the token of a content provider's page: it lets its holder see
// why one piece of content was ordered removed or referred, and complain.
const ContentToken = "csd_"

// DerivedToken is a token of 256 bits that the key and the name alone give, in
// the form of NewToken: a letter that is sent again carries the same one, and
// nobody keeps it. Whoever has the key could make it, as they could read all that
// it opens.
func DerivedToken(prefix string, key Key, name string) (plain string, digest [32]byte) {
	return drawToken(prefix, func(block int) []byte {
		mac := hmac.New(sha256.New, key[:])
		mac.Write([]byte("token\x00" + prefix + "\x00" + name + "\x00"))
		mac.Write([]byte{byte(block)})
		return mac.Sum(nil)
	})
}
