package identity

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// KeySize is the size in bytes of the master secret and of every key here.
const KeySize = 32

// Key is a symmetric key. It never prints itself.
type Key [KeySize]byte

// String hides the key from logs and error messages.
func (Key) String() string { return "identity.Key(hidden)" }

// GoString hides the key from %#v.
func (Key) GoString() string { return "identity.Key(hidden)" }

// Format hides the key from every verb, %x included.
func (Key) Format(f fmt.State, _ rune) { fmt.Fprint(f, "identity.Key(hidden)") }

// ErrOpen says that sealed bytes do not open: another key, other associated
// data, changed bytes, or an unknown version. It does not say which.
var ErrOpen = errors.New("sealed data cannot be opened with this key and context")

const (
	sealVersion = 1
	nonceSize   = 12
	tagSize     = 16
	// SealOverhead is by how many bytes sealed data exceed their plain text:
	// version byte, nonce, tag.
	SealOverhead = 1 + nonceSize + tagSize
)

// NewItemKey returns a fresh random key, one for each item: destroying it
// erases what was sealed under it wherever copies lie.
func NewItemKey() Key {
	var k Key
	rand.Read(k[:])
	return k
}

// Sealer seals and opens under one key, with the AES key schedule computed
// once. Use it where several texts stand under one key. It may be used by many
// goroutines.
type Sealer struct {
	aead cipher.AEAD
}

// NewSealer returns the sealer of a key.
func NewSealer(key Key) Sealer {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic("identity: AES-256 with 32 bytes: " + err.Error())
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("identity: GCM over AES: " + err.Error())
	}
	return Sealer{aead: aead}
}

// Seal encrypts plaintext under AES-256-GCM with a random nonce and binds it to
// ad, which is needed again to open it (record id and field name, so that
// sealed bytes cannot be moved to another place). Form: version byte 1, 12-byte
// nonce, ciphertext, 16-byte tag. One key may seal 2^32 texts (NIST SP 800-38D
// 8.3).
func (s Sealer) Seal(plaintext, ad []byte) []byte {
	out := make([]byte, 1+nonceSize, SealOverhead+len(plaintext))
	out[0] = sealVersion
	rand.Read(out[1:])
	return s.aead.Seal(out, out[1:], plaintext, s.bind(ad))
}

// Open decrypts what Seal made. The error is ErrOpen.
func (s Sealer) Open(sealed, ad []byte) ([]byte, error) {
	if len(sealed) < SealOverhead || sealed[0] != sealVersion {
		return nil, ErrOpen
	}
	plain, err := s.aead.Open(nil, sealed[1:1+nonceSize], sealed[1+nonceSize:], s.bind(ad))
	if err != nil {
		return nil, ErrOpen
	}
	return plain, nil
}

// bind makes the version part of what is authenticated, so that a later
// version 2 cannot be rolled back to 1 by changing the byte.
func (Sealer) bind(ad []byte) []byte {
	return append([]byte{sealVersion}, ad...)
}

// Seal is NewSealer(key).Seal for a single text.
func Seal(key Key, plaintext, ad []byte) []byte { return NewSealer(key).Seal(plaintext, ad) }

// Open is NewSealer(key).Open for a single text.
func Open(key Key, sealed, ad []byte) ([]byte, error) { return NewSealer(key).Open(sealed, ad) }

// KeyRing holds the keys derived from the master secret. It may be used by
// many goroutines.
type KeyRing struct {
	prk     []byte // HKDF's pseudorandom key
	wrap    Sealer
	place   Key
	content Key
	csrf    Key
}

// NewKeyRing derives the ring from a 32-byte master secret (HKDF-SHA-256, RFC
// 5869). The secret must be random, not a password.
func NewKeyRing(master []byte) (*KeyRing, error) {
	if len(master) != KeySize {
		return nil, fmt.Errorf("master secret has %d bytes, wanted are %d; concert init makes one", len(master), KeySize)
	}
	prk, err := hkdf.Extract(sha256.New, master, []byte("concert master secret v1"))
	if err != nil {
		return nil, fmt.Errorf("derive keys from master secret: %w", err)
	}
	r := &KeyRing{prk: prk}
	r.wrap = NewSealer(r.Derive("wrap item keys"))
	r.place = r.Derive("digest of places")
	r.content = r.Derive("digest of contents")
	r.csrf = r.Derive("form tokens")
	return r, nil
}

// Derive returns the key for a purpose. Keys of different purposes tell
// nothing about each other. A purpose never changes its meaning.
func (r *KeyRing) Derive(purpose string) Key {
	out, err := hkdf.Expand(sha256.New, r.prk, purpose, KeySize)
	if err != nil {
		panic("identity: HKDF of 32 bytes: " + err.Error())
	}
	return Key(out)
}

// WrapKey seals a key under the ring, bound to ad (the item's id), for storage.
// The result has KeySize + SealOverhead bytes.
func (r *KeyRing) WrapKey(key Key, ad []byte) []byte { return r.wrap.Seal(key[:], ad) }

// UnwrapKey opens what WrapKey made. The error matches ErrOpen.
func (r *KeyRing) UnwrapKey(wrapped, ad []byte) (Key, error) {
	plain, err := r.wrap.Open(wrapped, ad)
	if err != nil || len(plain) != KeySize {
		return Key{}, fmt.Errorf("unwrap key: %w; was the master secret replaced?", ErrOpen)
	}
	return Key(plain), nil
}

// PlaceDigest is the keyed digest (HMAC-SHA-256) of a location: equal for equal
// canonical forms of one kind, and not to be guessed from a list of URLs by
// who has the database without the master secret.
func (r *KeyRing) PlaceDigest(kind, canonical string) [32]byte {
	mac := hmac.New(sha256.New, r.place[:])
	buf := make([]byte, 0, 256)
	// Kinds are our own words without NUL, so the pair is read one way only.
	buf = append(buf, strings.ReplaceAll(kind, "\x00", "")...)
	buf = append(buf, 0)
	mac.Write(append(buf, canonical...))
	var out [32]byte
	mac.Sum(out[:0])
	return out
}

// ContentDigest is the keyed digest (HMAC-SHA-256) of the SHA-256 of captured
// bytes: equal for copies of one work, and not to be compared with any list of
// hashes by who has the database without the master secret.
func (r *KeyRing) ContentDigest(sum [32]byte) [32]byte {
	mac := hmac.New(sha256.New, r.content[:])
	mac.Write(sum[:])
	var out [32]byte
	mac.Sum(out[:0])
	return out
}

const csrfSalt = 16

// CSRFToken returns a token for the forms of one session. Each call gives
// another text, so that compression of the page leaks nothing about it
// (BREACH); all stay good as long as the session.
func (r *KeyRing) CSRFToken(sessionDigest [32]byte) string {
	var buf [csrfSalt + sha256.Size]byte
	rand.Read(buf[:csrfSalt])
	r.csrfSum(buf[csrfSalt:csrfSalt], buf[:csrfSalt], sessionDigest)
	return base64.RawURLEncoding.EncodeToString(buf[:])
}

// CheckCSRF reports, in constant time, whether the token was made for this
// session.
func (r *KeyRing) CheckCSRF(sessionDigest [32]byte, token string) bool {
	// DecodeString skips line ends; the length of the text rules them out.
	if len(token) != base64.RawURLEncoding.EncodedLen(csrfSalt+sha256.Size) {
		return false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) != csrfSalt+sha256.Size {
		return false
	}
	want := r.csrfSum(nil, raw[:csrfSalt], sessionDigest)
	return hmac.Equal(want, raw[csrfSalt:])
}

func (r *KeyRing) csrfSum(dst, salt []byte, sessionDigest [32]byte) []byte {
	mac := hmac.New(sha256.New, r.csrf[:])
	mac.Write(salt)
	mac.Write(sessionDigest[:])
	return mac.Sum(dst)
}
