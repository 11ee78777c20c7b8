package tlog

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"
)

// Signature types of https://c2sp.org/signed-note, the first byte of the key
// in a verifier key's text.
const (
	algEd25519     = 0x01
	algCosignature = 0x04
)

// GenerateKey makes an Ed25519 key and returns both text forms of
// golang.org/x/mod/sumdb/note: skey, "PRIVATE+KEY+<name>+<id>+<base64>", which
// is secret, and vkey, "<name>+<id>+<base64>", which others pin. A log's key
// is named like the log's origin. A name that is empty or holds a space or a
// plus is [ErrMalformed]. The same skey form serves [NewSigner] and
// [NewCosigner]; use a key for one of the two only.
func GenerateKey(name string) (skey, vkey string, err error) {
	if name == "" || !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool {
		return r == '+' || unicode.IsSpace(r) || unicode.IsControl(r)
	}) {
		return "", "", fmt.Errorf("key name %q: %w: use a URL without scheme, space or plus, such as concert.example.org/log/1", name, ErrMalformed)
	}
	return note.GenerateKey(rand.Reader, name)
}

// NewSigner reads a signing key made by [GenerateKey]. It signs notes as a
// log. A bad text is [ErrMalformed]; the error never shows the key.
func NewSigner(skey string) (note.Signer, error) {
	s, err := note.NewSigner(strings.TrimSpace(skey))
	if err != nil {
		return nil, fmt.Errorf("signing key: %w: %w: want the text PRIVATE+KEY+<name>+<id>+<base64> that was written when the key was made; restore it from the key backup", ErrMalformed, err)
	}
	return s, nil
}

// VerifierKey returns the public text form (vkey) that belongs to a signing
// key of a log, for publishing it. A bad text is [ErrMalformed].
func VerifierKey(skey string) (string, error) {
	name, private, err := parsePrivate(skey)
	if err != nil {
		return "", err
	}
	return note.NewEd25519VerifierKey(name, private.Public().(ed25519.PublicKey))
}

// NewVerifier reads a public key (vkey) to pin: type 0x01 is the Ed25519 key of
// a log, type 0x04 that of a witness and gives a [*CosignatureVerifier]. Other
// types, such as 0x06 (ML-DSA-44), and bad texts are [ErrMalformed].
func NewVerifier(vkey string) (note.Verifier, error) {
	vkey = strings.TrimSpace(vkey)
	fields := strings.SplitN(vkey, "+", 3)
	if len(fields) == 3 {
		key, err := base64.StdEncoding.Strict().DecodeString(fields[2])
		if err == nil && len(key) == 1+ed25519.PublicKeySize && key[0] == algCosignature {
			v := newCosignatureVerifier(fields[0], key[1:])
			if v.vkey() != vkey {
				return nil, fmt.Errorf("public key %.200q: %w: its name and its id do not belong together; copy it again from its owner", vkey, ErrMalformed)
			}
			return v, nil
		}
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, fmt.Errorf("public key %.200q: %w: %w: want <name>+<id>+<base64> of type 0x01 (a log) or 0x04 (a witness)", vkey, ErrMalformed, err)
	}
	return v, nil
}

// parsePrivate reads a signing key's text down to name and key.
func parsePrivate(skey string) (string, ed25519.PrivateKey, error) {
	s, err := NewSigner(skey)
	if err != nil {
		return "", nil, err
	}
	// NewSigner has checked the form: five fields, a type byte and a seed.
	fields := strings.SplitN(strings.TrimSpace(skey), "+", 5)
	key, err := base64.StdEncoding.DecodeString(fields[4])
	if err != nil || len(key) != 1+ed25519.SeedSize || key[0] != algEd25519 {
		return "", nil, fmt.Errorf("signing key of %s: %w: it is not an Ed25519 key", s.Name(), ErrMalformed)
	}
	return s.Name(), ed25519.NewKeyFromSeed(key[1:]), nil
}
