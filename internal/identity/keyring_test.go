package identity

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func ring(t testing.TB, fill byte) *KeyRing {
	t.Helper()
	r, err := NewKeyRing(bytes.Repeat([]byte{fill}, KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSealedTextOpensOnlyWithItsKeyAndPlace(t *testing.T) {
	t.Parallel()
	key, other := NewItemKey(), NewItemKey()
	plain, ad := []byte("EXERCISE https://video.example/watch/1"), []byte("item/1/location")
	sealed := Seal(key, plain, ad)
	if len(sealed) != len(plain)+SealOverhead || bytes.Contains(sealed, plain) {
		t.Errorf("sealed form has %d bytes", len(sealed))
	}
	if bytes.Equal(sealed, Seal(key, plain, ad)) {
		t.Error("sealing twice gives the same bytes: the nonce repeats")
	}
	got, err := Open(key, sealed, ad)
	if !bytes.Equal(got, plain) || err != nil {
		t.Errorf("Open = %q, %v", got, err)
	}
	if _, err := Open(other, sealed, ad); !errors.Is(err, ErrOpen) {
		t.Errorf("another key: %v", err)
	}
	if _, err := Open(key, sealed, []byte("item/2/location")); !errors.Is(err, ErrOpen) {
		t.Errorf("another place: %v", err)
	}
	for i := range sealed {
		b := bytes.Clone(sealed)
		b[i] ^= 1
		if _, err := Open(key, b, ad); !errors.Is(err, ErrOpen) {
			t.Errorf("byte %d flipped: %v", i, err)
		}
		if _, err := Open(key, sealed[:i], ad); !errors.Is(err, ErrOpen) {
			t.Errorf("cut to %d bytes: %v", i, err)
		}
	}
	if empty, err := Open(key, Seal(key, nil, nil), nil); len(empty) != 0 || err != nil {
		t.Errorf("empty text: %q, %v", empty, err)
	}
}

func TestWrappedKeysNeedTheMasterSecret(t *testing.T) {
	t.Parallel()
	r, key := ring(t, 1), NewItemKey()
	wrapped := r.WrapKey(key, []byte("item/1"))
	got, err := ring(t, 1).UnwrapKey(wrapped, []byte("item/1"))
	if got != key || err != nil {
		t.Errorf("UnwrapKey: %v", err)
	}
	for _, tc := range []struct {
		r       *KeyRing
		wrapped []byte
		ad      string
	}{{ring(t, 2), wrapped, "item/1"}, {r, wrapped, "item/2"}, {r, wrapped[:40], "item/1"}, {r, nil, "item/1"}, {r, r.wrap.Seal([]byte("short"), []byte("item/1")), "item/1"}} {
		if _, err := tc.r.UnwrapKey(tc.wrapped, []byte(tc.ad)); !errors.Is(err, ErrOpen) {
			t.Errorf("UnwrapKey of %d bytes for %s: %v, want ErrOpen", len(tc.wrapped), tc.ad, err)
		}
	}
	if _, err := NewKeyRing([]byte("short")); err == nil {
		t.Error("a short master secret was taken")
	}
}

func TestPurposesAndPlacesAreApart(t *testing.T) {
	t.Parallel()
	r := ring(t, 1)
	if r.Derive("a") == r.Derive("b") || r.Derive("a") != ring(t, 1).Derive("a") || r.Derive("a") == ring(t, 2).Derive("a") {
		t.Error("derived keys do not follow secret and purpose alone")
	}
	// The stored digests of a deployment depend on this value: it must never
	// change.
	if got := fmt.Sprintf("%x", r.PlaceDigest("url", "https://video.example/watch?v=1")); got != placeGolden {
		t.Errorf("PlaceDigest = %s, want %s", got, placeGolden)
	}
	seen := map[[32]byte]string{}
	for _, p := range [][2]string{{"url", "a"}, {"ur", "la"}, {"url", "b"}, {"account", "a"}, {"", "urla"}, {"url", ""}} {
		d := r.PlaceDigest(p[0], p[1])
		if was, ok := seen[d]; ok {
			t.Errorf("%q and %q share a digest", was, p)
		}
		seen[d] = p[0] + "|" + p[1]
	}
}

const placeGolden = "34da330a70273bf4b2fc7ce703d595e5274847174de57dc47a3c21408b8516cf"

func TestFormTokenBelongsToItsSession(t *testing.T) {
	t.Parallel()
	r := ring(t, 1)
	_, a := NewToken(SessionToken)
	_, b := NewToken(SessionToken)
	tok := r.CSRFToken(a)
	if tok == r.CSRFToken(a) {
		t.Error("two pages carry the same token")
	}
	if !r.CheckCSRF(a, tok) || r.CheckCSRF(b, tok) || ring(t, 2).CheckCSRF(a, tok) {
		t.Error("the token does not belong to this session and this deployment alone")
	}
	for _, bad := range []string{"", tok[:10], tok + "A", tok + "\n", strings.Repeat("A", len(tok)), strings.ToUpper(tok)} {
		if r.CheckCSRF(a, bad) {
			t.Errorf("%q passes", bad)
		}
	}
}

func TestKeysNeverPrintThemselves(t *testing.T) {
	t.Parallel()
	k := Key{1, 2, 3}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		if got := fmt.Sprintf(verb, k); got != "identity.Key(hidden)" {
			t.Errorf("%s prints %s", verb, got)
		}
	}
}

func TestSigningKeyTextRoundTrip(t *testing.T) {
	t.Parallel()
	key := NewSigningKey()
	pub := key.Public().(ed25519.PublicKey)
	got, err := ParseSigningKey(MarshalSigningKey(key))
	if err != nil || !got.Equal(key) {
		t.Errorf("private key: %v", err)
	}
	gotPub, err := ParseVerifyKey(MarshalVerifyKey(pub))
	if err != nil || !gotPub.Equal(pub) {
		t.Errorf("public key: %v", err)
	}
	if _, err := ParseSigningKey(MarshalVerifyKey(pub)); err == nil {
		t.Error("a public key was taken as a private one")
	}
	if _, err := ParseVerifyKey(MarshalSigningKey(key)); err == nil || strings.Contains(err.Error(), "MC4") {
		t.Errorf("a private key as public one: %v", err)
	}
}

func FuzzParseKeys(f *testing.F) {
	key := NewSigningKey()
	f.Add(MarshalSigningKey(key))
	f.Add(MarshalVerifyKey(key.Public().(ed25519.PublicKey)))
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if k, err := ParseSigningKey(text); err == nil && len(k) != ed25519.PrivateKeySize {
			t.Errorf("private key of %d bytes", len(k))
		}
		if k, err := ParseVerifyKey(text); err == nil && len(k) != ed25519.PublicKeySize {
			t.Errorf("public key of %d bytes", len(k))
		}
	})
}

func BenchmarkSeal300(b *testing.B) {
	key, plain, ad := NewItemKey(), make([]byte, 300), []byte("item/1/location")
	b.ReportAllocs()
	for b.Loop() {
		Seal(key, plain, ad)
	}
}

func BenchmarkSealer300(b *testing.B) {
	s, plain, ad := NewSealer(NewItemKey()), make([]byte, 300), []byte("item/1/location")
	b.ReportAllocs()
	for b.Loop() {
		s.Seal(plain, ad)
	}
}

func BenchmarkOpen300(b *testing.B) {
	key, ad := NewItemKey(), []byte("item/1/location")
	sealed := Seal(key, make([]byte, 300), ad)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Open(key, sealed, ad); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPlaceDigest(b *testing.B) {
	r := ring(b, 1)
	b.ReportAllocs()
	for b.Loop() {
		r.PlaceDigest("url", "https://video.example/watch?v=dQw4w9WgXcQ")
	}
}
