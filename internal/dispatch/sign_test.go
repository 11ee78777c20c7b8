package dispatch

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// The published vector of the standard's reference server for scheme v1a.
const (
	vectorPrivate   = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
	vectorPublic    = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
	vectorSecret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	vectorID        = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	vectorSeconds   = 1614265330
	vectorBody      = `{"test": 2432232314}`
	vectorSignature = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="
)

func signingKey(t testing.TB, text string) SigningKey {
	t.Helper()
	k, err := ParseSigningKey(text)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func header(t testing.TB, id string, at time.Time, body []byte, keys ...SigningKey) http.Header {
	t.Helper()
	sig, err := Sign(id, at, body, keys)
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	h.Set(HeaderID, id)
	h.Set(HeaderTimestamp, strconv.FormatInt(at.Unix(), 10))
	h.Set(HeaderSignature, sig)
	return h
}

func TestSignMatchesThePublishedEd25519Vector(t *testing.T) {
	t.Parallel()
	k := signingKey(t, vectorPrivate)
	at := time.Unix(vectorSeconds, 0)
	got, err := Sign(vectorID, at, []byte(vectorBody), []SigningKey{k})
	if got != vectorSignature || err != nil {
		t.Errorf("Sign = %s, %v", got, err)
	}
	if k.VerifyKey().Text() != vectorPublic || k.Text() != vectorPrivate || k.Scheme() != "v1a" {
		t.Errorf("key texts %s, %s", k.VerifyKey().Text(), k)
	}
	pub, err := ParseVerifyKey(vectorPublic)
	if err != nil {
		t.Fatal(err)
	}
	v, err := Verify(header(t, vectorID, at, []byte(vectorBody), k), []byte(vectorBody), []VerifyKey{pub}, 0, at)
	if err != nil || v.ID != vectorID || !v.Timestamp.Equal(at) {
		t.Errorf("Verify = %+v, %v", v, err)
	}
}

// The standard's own library verifies scheme v1 and skips v1a, so one header
// serves both kinds of receivers; v1a is checked by crypto/ed25519 over the
// documented string.
func TestG09SignaturesVerifyWithTheStandardsOwnLibrary(t *testing.T) {
	t.Parallel()
	secret, private, body, at := NewSecret(), NewPrivateKey(), []byte(vectorBody), time.Now()
	h := header(t, vectorID, at, body, private, secret)
	theirs, err := standardwebhooks.NewWebhook(secret.Text())
	if err != nil {
		t.Fatal(err)
	}
	if err := theirs.Verify(body, h); err != nil {
		t.Errorf("their library refuses our v1: %v", err)
	}
	for i := range body {
		tampered := bytes.Clone(body)
		tampered[i] ^= 1
		if theirs.Verify(tampered, h) == nil {
			t.Errorf("their library takes a body changed at %d", i)
		}
	}
	ours, err := theirs.Sign(vectorID, at, body)
	if err != nil {
		t.Fatal(err)
	}
	h2 := h.Clone()
	h2.Set(HeaderSignature, ours)
	if _, err := Verify(h2, body, []VerifyKey{secret.VerifyKey()}, 0, at); err != nil {
		t.Errorf("we refuse their v1: %v", err)
	}
	encoded, found := strings.CutPrefix(strings.Fields(h.Get(HeaderSignature))[0], "v1a,")
	raw, err := base64.StdEncoding.DecodeString(encoded)
	text := fmt.Sprintf("%s.%d.%s", vectorID, at.Unix(), body)
	if !found || err != nil || !ed25519.Verify(private.VerifyKey().Public(), []byte(text), raw) {
		t.Errorf("v1a does not verify over the documented string: %v", err)
	}
}

func TestG09OneChangedByteFailsVerification(t *testing.T) {
	t.Parallel()
	now := time.Unix(vectorSeconds, 0)
	for _, k := range []SigningKey{NewSecret(), NewPrivateKey()} {
		keys := []VerifyKey{NewPrivateKey().VerifyKey(), k.VerifyKey()}
		body := []byte(vectorBody)
		h := header(t, vectorID, now, body, k)
		if _, err := Verify(h, body, keys, 0, now); err != nil {
			t.Fatalf("%s: untouched: %v", k.Scheme(), err)
		}
		for i := range body {
			b := bytes.Clone(body)
			b[i] ^= 0x20
			if _, err := Verify(h, b, keys, 0, now); !errors.Is(err, ErrSignature) {
				t.Errorf("%s: body changed at %d: %v", k.Scheme(), i, err)
			}
		}
		forged := h.Clone()
		forged.Set(HeaderID, "msg_other")
		if _, err := Verify(forged, body, keys, 0, now); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: another id: %v", k.Scheme(), err)
		}
		forged = h.Clone()
		forged.Set(HeaderTimestamp, strconv.Itoa(vectorSeconds+1))
		if _, err := Verify(forged, body, keys, 0, now); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: another timestamp: %v", k.Scheme(), err)
		}
		if _, err := Verify(h, body, []VerifyKey{NewSecret().VerifyKey(), {}}, 0, now); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: a key that is not pinned: %v", k.Scheme(), err)
		}
		if _, err := Verify(h, body, nil, 0, now); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: no key at all: %v", k.Scheme(), err)
		}
	}
}

// An attacker who knows only the public key signs with it as HMAC secret.
func TestPublicKeyIsNeverUsedAsASharedSecret(t *testing.T) {
	t.Parallel()
	private, now := NewPrivateKey(), time.Unix(vectorSeconds, 0)
	forger := SigningKey{secret: private.VerifyKey().Public()}
	h := header(t, vectorID, now, nil, forger)
	if _, err := Verify(h, nil, []VerifyKey{private.VerifyKey()}, 0, now); !errors.Is(err, ErrSignature) {
		t.Errorf("forged: %v", err)
	}
}

func TestLateReplayedAndFutureWebhooksAreRefused(t *testing.T) {
	t.Parallel()
	k, at := NewPrivateKey(), time.Unix(vectorSeconds, 0)
	h := header(t, vectorID, at, nil, k)
	for _, tc := range []struct {
		off       time.Duration
		tolerance time.Duration
		ok        bool
	}{
		{0, 0, true}, {5 * time.Minute, 0, true}, {5*time.Minute + time.Second, 0, false},
		{-5 * time.Minute, 0, true}, {-5*time.Minute - time.Second, 0, false},
		{time.Hour, 2 * time.Hour, true}, {24 * 365 * 200 * time.Hour, 0, false}, {6 * time.Minute, -1, false},
	} {
		_, err := Verify(h, nil, []VerifyKey{k.VerifyKey()}, tc.tolerance, at.Add(tc.off))
		if (err == nil) != tc.ok || err != nil && !errors.Is(err, ErrStale) {
			t.Errorf("%s later with tolerance %s: %v, want ok %v", tc.off, tc.tolerance, err, tc.ok)
		}
	}
}

func TestRotationVerifiesWithOldAndNewKey(t *testing.T) {
	t.Parallel()
	older, newer, now := NewSecret(), NewPrivateKey(), time.Unix(vectorSeconds, 0)
	h := header(t, vectorID, now, []byte("x"), newer, older)
	if n := strings.Count(h.Get(HeaderSignature), " "); n != 1 {
		t.Errorf("%d blanks in %q", n, h.Get(HeaderSignature))
	}
	for _, k := range []SigningKey{older, newer} {
		if _, err := Verify(h, []byte("x"), []VerifyKey{k.VerifyKey()}, 0, now); err != nil {
			t.Errorf("%s: %v", k.Scheme(), err)
		}
	}
	// Unknown schemes, broken base64 and doubles beside a good signature do no
	// harm: the standard asks receivers to skip what they do not know.
	good := h.Get(HeaderSignature)
	for _, s := range []string{"v2,AAAA " + good, good + " v1,%%%", good + " " + good, "  " + good + "  ", "v1 v1a, " + good} {
		h.Set(HeaderSignature, s)
		if _, err := Verify(h, []byte("x"), []VerifyKey{newer.VerifyKey()}, 0, now); err != nil {
			t.Errorf("signature header %.20q...: %v", s, err)
		}
	}
}

func TestMalformedWebhookHeadersAreNamed(t *testing.T) {
	t.Parallel()
	k, now := NewPrivateKey(), time.Unix(vectorSeconds, 0)
	good := header(t, vectorID, now, nil, k)
	for name, change := range map[string]func(http.Header){
		"no id":                func(h http.Header) { h.Del(HeaderID) },
		"two ids":              func(h http.Header) { h.Add(HeaderID, "x") },
		"dot in id":            func(h http.Header) { h.Set(HeaderID, "a.1") },
		"blank in id":          func(h http.Header) { h.Set(HeaderID, "a b") },
		"long id":              func(h http.Header) { h.Set(HeaderID, strings.Repeat("a", 129)) },
		"no timestamp":         func(h http.Header) { h.Del(HeaderTimestamp) },
		"date as timestamp":    func(h http.Header) { h.Set(HeaderTimestamp, "2021-02-25T15:02:10Z") },
		"negative timestamp":   func(h http.Header) { h.Set(HeaderTimestamp, "-1") },
		"huge timestamp":       func(h http.Header) { h.Set(HeaderTimestamp, "9223372036854775807") },
		"signed timestamp":     func(h http.Header) { h.Set(HeaderTimestamp, "+1614265330") },
		"no signature":         func(h http.Header) { h.Del(HeaderSignature) },
		"empty signature":      func(h http.Header) { h.Set(HeaderSignature, " ") },
		"bare signature":       func(h http.Header) { h.Set(HeaderSignature, good.Get(HeaderSignature)[4:]) },
		"short signature":      func(h http.Header) { h.Set(HeaderSignature, "v1,AAAA") },
		"unknown scheme":       func(h http.Header) { h.Set(HeaderSignature, "v9"+good.Get(HeaderSignature)[3:]) },
		"too many signatures":  func(h http.Header) { h.Set(HeaderSignature, strings.Repeat("v1,A ", 17)) },
		"endless signature":    func(h http.Header) { h.Set(HeaderSignature, strings.Repeat("A", maxSigHeader+1)) },
		"two signature fields": func(h http.Header) { h.Add(HeaderSignature, "v1,A") },
	} {
		h := good.Clone()
		change(h)
		if _, err := Verify(h, nil, []VerifyKey{k.VerifyKey()}, 0, now); !errors.Is(err, ErrHeaders) {
			t.Errorf("%s: %v, want ErrHeaders", name, err)
		}
	}
}

func TestKeysAreReadStrictlyAndNeverPrinted(t *testing.T) {
	t.Parallel()
	b64 := func(n int) string { return base64.StdEncoding.EncodeToString(make([]byte, n)) }
	for _, tc := range []struct {
		text string
		ok   bool
	}{
		{vectorSecret, true}, {vectorPrivate, true}, {"whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbc=", true},
		{"whsec_" + b64(24), true}, {"whsec_" + b64(64), true}, {"whsec_" + b64(23), false}, {"whsec_" + b64(65), false},
		{"whsec_", false}, {"whsk_" + b64(31), false}, {"whsk_" + b64(64), false}, {vectorPublic, false}, {"", false},
		{"whsec_" + b64(32) + "\n", false}, {"whsec_" + strings.TrimRight(b64(32), "="), false}, {"whsec_" + strings.Repeat("A", 4000), false},
	} {
		k, err := ParseSigningKey(tc.text)
		if (err == nil) != tc.ok || err != nil && !errors.Is(err, ErrKey) {
			t.Errorf("ParseSigningKey(%.20q) = %v, want ok %v", tc.text, err, tc.ok)
		}
		if err != nil {
			continue
		}
		if again := signingKey(t, k.Text()); again.Text() != k.Text() || again.ID() != k.ID() || len(k.ID()) != 16 {
			t.Errorf("%.10q does not survive its text form", tc.text)
		}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q"} {
			if got := fmt.Sprintf(verb, k); got != k.Scheme()+":"+k.ID() {
				t.Errorf("%s prints %s", verb, got)
			}
		}
	}
	if got := fmt.Sprint(NewSecret().VerifyKey()); !strings.HasPrefix(got, "v1:") || len(got) != 19 {
		t.Errorf("a shared secret prints as %s", got)
	}
	for _, bad := range []string{vectorPrivate, "whpk_" + b64(31), "whpk_", "whsec_" + b64(8)} {
		if _, err := ParseVerifyKey(bad); !errors.Is(err, ErrKey) {
			t.Errorf("ParseVerifyKey(%.10q) = %v", bad, err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	k := signingKey(f, vectorPrivate)
	now := time.Unix(vectorSeconds, 0)
	f.Add(vectorID, "1614265330", vectorSignature, []byte(vectorBody))
	f.Add("a", "0", "v1,AAAA v1a,", []byte{})
	f.Fuzz(func(t *testing.T, id, at, sig string, body []byte) {
		h := http.Header{HeaderID: {id}, HeaderTimestamp: {at}, HeaderSignature: {sig}}
		v, err := Verify(h, body, []VerifyKey{k.VerifyKey()}, 0, now)
		if err == nil && (v.ID != vectorID || v.Timestamp.Unix() != vectorSeconds || string(body) != vectorBody) {
			t.Errorf("verified what was never signed: %q %q %q", id, at, body)
		}
		if err != nil && !errors.Is(err, ErrHeaders) && !errors.Is(err, ErrStale) && !errors.Is(err, ErrSignature) {
			t.Errorf("error of no kind: %v", err)
		}
	})
}

func FuzzParseKey(f *testing.F) {
	f.Add(vectorPrivate)
	f.Add(vectorPublic)
	f.Add(vectorSecret)
	f.Fuzz(func(t *testing.T, s string) {
		if k, err := ParseSigningKey(s); err == nil {
			if _, err := Sign("x", time.Unix(1, 0), nil, []SigningKey{k}); err != nil {
				t.Error(err)
			}
		}
		if k, err := ParseVerifyKey(s); err == nil && k.Text() != s {
			t.Errorf("%q is written as %q", s, k.Text())
		}
	})
}

func BenchmarkSign(b *testing.B) {
	for _, k := range []SigningKey{NewSecret(), NewPrivateKey()} {
		b.Run(k.Scheme(), func(b *testing.B) {
			body := make([]byte, 2000)
			for b.Loop() {
				if _, err := Sign("msg", time.Unix(1, 0), body, []SigningKey{k}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
