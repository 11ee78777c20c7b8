package dispatch

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

const (
	secretPrefix  = "whsec_"
	privatePrefix = "whsk_"
	publicPrefix  = "whpk_"

	minSecret = 24
	maxSecret = 64
)

// ErrKey says that a text is no key of Standard Webhooks. The wrapping error
// says what is wrong and never contains the text.
var ErrKey = errors.New("not a webhook key")

// SigningKey signs webhooks: a shared secret (scheme v1, HMAC-SHA-256) or an
// Ed25519 private key (scheme v1a). The zero value signs nothing. It never
// prints itself; Text is the only way to its secret.
type SigningKey struct {
	secret  []byte
	private ed25519.PrivateKey
}

// VerifyKey is what a receiver holds: the shared secret or the public key.
type VerifyKey struct {
	secret []byte
	public ed25519.PublicKey
}

// NewSecret returns a fresh 32-byte shared secret for scheme v1.
func NewSecret() SigningKey {
	b := make([]byte, 32)
	rand.Read(b)
	return SigningKey{secret: b}
}

// NewPrivateKey returns a fresh Ed25519 key for scheme v1a, our default: the
// receiver then holds nothing that could forge.
func NewPrivateKey() SigningKey {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic("dispatch: crypto/rand does not fail: " + err.Error())
	}
	return SigningKey{private: key}
}

// ParseSigningKey reads whsec_ (base64 of 24 to 64 bytes) or whsk_ (base64 of
// the 32-byte seed followed by the 32-byte public key, or of the seed alone).
// Errors match ErrKey.
func ParseSigningKey(text string) (SigningKey, error) {
	if raw, found, err := decodeKey(text, secretPrefix); found {
		if err != nil {
			return SigningKey{}, err
		}
		return SigningKey{secret: raw}, checkSecret(raw)
	}
	raw, found, err := decodeKey(text, privatePrefix)
	if !found {
		return SigningKey{}, fmt.Errorf("%w: a signing key begins with %s or %s", ErrKey, secretPrefix, privatePrefix)
	}
	if err != nil {
		return SigningKey{}, err
	}
	if len(raw) != ed25519.SeedSize && len(raw) != ed25519.PrivateKeySize {
		return SigningKey{}, fmt.Errorf("%w: %s holds %d bytes, wanted are 64 (seed and public key) or 32 (seed)", ErrKey, privatePrefix, len(raw))
	}
	key := ed25519.NewKeyFromSeed(raw[:ed25519.SeedSize])
	// A public half that does not belong to the seed leaks the key with the
	// first signatures made under it.
	if len(raw) == ed25519.PrivateKeySize && !bytes.Equal(key, raw) {
		return SigningKey{}, fmt.Errorf("%w: public half of %s does not belong to its seed", ErrKey, privatePrefix)
	}
	return SigningKey{private: key}, nil
}

// ParseVerifyKey reads whsec_ or whpk_ (base64 of the 32-byte public key).
// Errors match ErrKey.
func ParseVerifyKey(text string) (VerifyKey, error) {
	if raw, found, err := decodeKey(text, secretPrefix); found {
		if err != nil {
			return VerifyKey{}, err
		}
		return VerifyKey{secret: raw}, checkSecret(raw)
	}
	raw, found, err := decodeKey(text, publicPrefix)
	if !found {
		return VerifyKey{}, fmt.Errorf("%w: a key to verify with begins with %s or %s", ErrKey, secretPrefix, publicPrefix)
	}
	if err != nil {
		return VerifyKey{}, err
	}
	if len(raw) != ed25519.PublicKeySize {
		return VerifyKey{}, fmt.Errorf("%w: %s holds %d bytes, wanted are %d", ErrKey, publicPrefix, len(raw), ed25519.PublicKeySize)
	}
	return VerifyKey{public: raw}, nil
}

func decodeKey(text, prefix string) (raw []byte, found bool, err error) {
	encoded, found := strings.CutPrefix(text, prefix)
	if !found {
		return nil, false, nil
	}
	if len(encoded) > 128 {
		return nil, true, fmt.Errorf("%w: %d characters after %s, no key is that long", ErrKey, len(encoded), prefix)
	}
	// DecodeString skips line ends, which would let one key be written in many
	// ways.
	raw, err = base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || strings.ContainsAny(encoded, "\r\n") {
		return nil, true, fmt.Errorf("%w: what follows %s is no padded base64", ErrKey, prefix)
	}
	return raw, true, nil
}

func checkSecret(raw []byte) error {
	if len(raw) < minSecret || len(raw) > maxSecret {
		return fmt.Errorf("%w: %s holds %d bytes, wanted are %d to %d", ErrKey, secretPrefix, len(raw), minSecret, maxSecret)
	}
	return nil
}

// Text is the key's text form with its secret, to be stored sealed, and shown
// once to the provider if it is a shared secret. The zero value gives "".
func (k SigningKey) Text() string {
	switch {
	case k.private != nil:
		return privatePrefix + base64.StdEncoding.EncodeToString(k.private)
	case k.secret != nil:
		return secretPrefix + base64.StdEncoding.EncodeToString(k.secret)
	}
	return ""
}

// String names the key without giving it away: scheme and ID.
func (k SigningKey) String() string { return k.Scheme() + ":" + k.ID() }

// GoString hides the key from %#v.
func (k SigningKey) GoString() string { return k.String() }

// Format hides the key from every verb.
func (k SigningKey) Format(f fmt.State, _ rune) { fmt.Fprint(f, k.String()) }

// Scheme is "v1" (HMAC), "v1a" (Ed25519) or "" for the zero value.
func (k SigningKey) Scheme() string {
	switch {
	case k.private != nil:
		return schemeEd25519
	case k.secret != nil:
		return schemeHMAC
	}
	return ""
}

// ID names the key: 16 hex digits of the SHA-256 of the public key, or of a
// keyed digest of the shared secret.
func (k SigningKey) ID() string {
	if k.private != nil {
		sum := sha256.Sum256(k.private.Public().(ed25519.PublicKey))
		return hex.EncodeToString(sum[:8])
	}
	if k.secret != nil {
		mac := hmac.New(sha256.New, k.secret)
		mac.Write([]byte("webhook key id"))
		return hex.EncodeToString(mac.Sum(nil)[:8])
	}
	return ""
}

// VerifyKey returns the receiver's half.
func (k SigningKey) VerifyKey() VerifyKey {
	if k.private != nil {
		return VerifyKey{public: k.private.Public().(ed25519.PublicKey)}
	}
	return VerifyKey{secret: k.secret}
}

// Public returns the Ed25519 public key, nil for a shared secret.
func (k VerifyKey) Public() ed25519.PublicKey { return k.public }

// Text is the key's text form: whpk_ for a public key, whsec_ for a shared
// secret (which is then secret), "" for the zero value.
func (k VerifyKey) Text() string {
	switch {
	case k.public != nil:
		return publicPrefix + base64.StdEncoding.EncodeToString(k.public)
	case k.secret != nil:
		return secretPrefix + base64.StdEncoding.EncodeToString(k.secret)
	}
	return ""
}

// Format prints a public key and hides a shared secret.
func (k VerifyKey) Format(f fmt.State, _ rune) {
	if k.public != nil {
		fmt.Fprint(f, k.Text())
		return
	}
	fmt.Fprint(f, SigningKey{secret: k.secret}.String())
}
