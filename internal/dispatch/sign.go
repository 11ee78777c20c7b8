package dispatch

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Header names of Standard Webhooks 1.0, in Go's canonical form.
const (
	HeaderID        = "Webhook-Id"
	HeaderTimestamp = "Webhook-Timestamp"
	HeaderSignature = "Webhook-Signature"
)

// DefaultTolerance is by how much a timestamp may differ from the receiver's
// clock, either way.
const DefaultTolerance = 5 * time.Minute

const (
	schemeHMAC    = "v1"
	schemeEd25519 = "v1a"

	maxID         = 128
	maxSignatures = 16
	maxSigHeader  = 4096
)

// Why Verify refuses.
var (
	// ErrHeaders: a header is missing, doubled or malformed.
	ErrHeaders = errors.New("webhook headers are malformed")
	// ErrStale: the timestamp is outside the tolerance: a late or a replayed
	// message, or a wrong clock.
	ErrStale = errors.New("webhook timestamp is outside the tolerance")
	// ErrSignature: no signature fits any of the keys: forged, changed on the
	// way, or signed under a key that is not pinned.
	ErrSignature = errors.New("no webhook signature fits a known key")
)

// Sign returns the webhook-signature header for id, timestamp and body: one
// signature for each key, separated by spaces, so that a receiver verifies
// with the old key or the new one while they rotate. The signed text is
// id.seconds.body. The id is 1 to 128 visible ASCII characters without a dot,
// as Send also demands.
func Sign(id string, at time.Time, body []byte, keys []SigningKey) (string, error) {
	if err := checkID(id); err != nil {
		return "", err
	}
	text := signedText(id, at.Unix(), body)
	var b strings.Builder
	for _, k := range keys {
		var sig []byte
		switch {
		case k.private != nil:
			sig = ed25519.Sign(k.private, text)
		case k.secret != nil:
			sig = sumHMAC(k.secret, text)
		default:
			return "", fmt.Errorf("%w: a signing key is empty", ErrKey)
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(k.Scheme())
		b.WriteByte(',')
		b.WriteString(base64.StdEncoding.EncodeToString(sig))
	}
	if b.Len() == 0 {
		return "", fmt.Errorf("%w: no key to sign with", ErrKey)
	}
	return b.String(), nil
}

// Verified is what a good signature vouches for.
type Verified struct {
	ID        string    // remember it for twice the tolerance: a second message of that id is a double or a replay
	Timestamp time.Time // whole seconds
}

// Verify checks a received webhook against the pinned keys. tolerance 0 means
// DefaultTolerance. Errors match ErrHeaders, ErrStale or ErrSignature. It keeps
// no memory: within the tolerance the caller finds doubles by Verified.ID.
func Verify(h http.Header, body []byte, keys []VerifyKey, tolerance time.Duration, now time.Time) (Verified, error) {
	id, at, signatures, err := parseHeaders(h)
	if err != nil {
		return Verified{}, err
	}
	if tolerance <= 0 {
		tolerance = DefaultTolerance
	}
	if off := now.Sub(at).Abs(); off > tolerance {
		return Verified{}, fmt.Errorf("%w: it is off by %s, at most %s is taken; check both clocks", ErrStale, off.Round(time.Second), tolerance)
	}
	text := signedText(id, at.Unix(), body)
	for _, k := range keys {
		for _, s := range signatures {
			if k.fits(s, text) {
				return Verified{ID: id, Timestamp: at}, nil
			}
		}
	}
	return Verified{}, fmt.Errorf("%w: %d signatures, %d keys", ErrSignature, len(signatures), len(keys))
}

type signature struct {
	scheme string
	bytes  []byte
}

// fits compares scheme with kind of key first: an HMAC must never be tried
// with a public key as its secret.
func (k VerifyKey) fits(s signature, text []byte) bool {
	switch {
	case k.public != nil:
		return s.scheme == schemeEd25519 && len(k.public) == ed25519.PublicKeySize && ed25519.Verify(k.public, text, s.bytes)
	case k.secret != nil:
		return s.scheme == schemeHMAC && hmac.Equal(s.bytes, sumHMAC(k.secret, text))
	}
	return false
}

// parseHeaders reads the three headers. Signatures of unknown schemes or
// lengths are skipped, as the standard asks, so that a sender may add schemes.
func parseHeaders(h http.Header) (id string, at time.Time, signatures []signature, err error) {
	var value [3]string
	for i, name := range []string{HeaderID, HeaderTimestamp, HeaderSignature} {
		all := h.Values(name)
		if len(all) != 1 {
			return "", at, nil, fmt.Errorf("%w: %s occurs %d times, wanted is once", ErrHeaders, name, len(all))
		}
		value[i] = all[0]
	}
	if err := checkID(value[0]); err != nil {
		return "", at, nil, fmt.Errorf("%w: %w", ErrHeaders, err)
	}
	seconds, err := strconv.ParseInt(value[1], 10, 64)
	// Beyond the year 9999 the difference to now would overflow.
	if err != nil || seconds < 0 || seconds > 253402300799 || strconv.FormatInt(seconds, 10) != value[1] {
		return "", at, nil, fmt.Errorf("%w: %s is no number of seconds since 1970", ErrHeaders, HeaderTimestamp)
	}
	if len(value[2]) > maxSigHeader {
		return "", at, nil, fmt.Errorf("%w: %s has %d bytes, at most %d are read", ErrHeaders, HeaderSignature, len(value[2]), maxSigHeader)
	}
	n := 0
	for one := range strings.SplitSeq(value[2], " ") {
		if one == "" {
			continue
		}
		if n++; n > maxSignatures {
			return "", at, nil, fmt.Errorf("%w: more than %d signatures", ErrHeaders, maxSignatures)
		}
		scheme, encoded, _ := strings.Cut(one, ",")
		raw, err := base64.StdEncoding.Strict().DecodeString(encoded)
		if err != nil || scheme == schemeHMAC && len(raw) != sha256.Size || scheme == schemeEd25519 && len(raw) != ed25519.SignatureSize {
			continue
		}
		if scheme == schemeHMAC || scheme == schemeEd25519 {
			signatures = append(signatures, signature{scheme, raw})
		}
	}
	if len(signatures) == 0 {
		return "", at, nil, fmt.Errorf("%w: %s holds no v1 and no v1a signature", ErrHeaders, HeaderSignature)
	}
	return value[0], time.Unix(seconds, 0).UTC(), signatures, nil
}

// checkID refuses dots: the parts of the signed text are joined by dots, and
// with one inside the id two different messages would have one signature.
func checkID(id string) error {
	if id == "" || len(id) > maxID {
		return fmt.Errorf("webhook id has %d characters, wanted are 1 to %d", len(id), maxID)
	}
	for _, c := range []byte(id) {
		if c <= ' ' || c > '~' || c == '.' {
			return fmt.Errorf("webhook id has character %q; wanted is visible ASCII without a dot", c)
		}
	}
	return nil
}

func signedText(id string, seconds int64, body []byte) []byte {
	b := make([]byte, 0, len(id)+22+len(body))
	b = append(b, id...)
	b = append(b, '.')
	b = strconv.AppendInt(b, seconds, 10)
	b = append(b, '.')
	return append(b, body...)
}

func sumHMAC(secret, text []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write(text)
	return mac.Sum(nil)
}
