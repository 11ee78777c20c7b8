package identity

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/boombuler/barcode/qr"
)

const (
	totpSecret = 20 // bytes: as long as SHA-1's result (RFC 4226 section 4, R6)
	totpStep   = 30 * time.Second
	totpDigits = 6
	totpDrift  = 1 // steps that a telephone's clock may be off
)

var totpBase32 = base32.StdEncoding.WithPadding(base32.NoPadding)

// NewTOTPSecret is a fresh secret for one-time codes.
func NewTOTPSecret() []byte {
	b := make([]byte, totpSecret)
	rand.Read(b)
	return b
}

// TOTPText is a secret as it is typed where no camera reads it: base32 in groups
// of four.
func TOTPText(secret []byte) string {
	text := totpBase32.EncodeToString(secret)
	var b strings.Builder
	for i := 0; i < len(text); i += 4 {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(text[i:min(i+4, len(text))])
	}
	return b.String()
}

// TOTPURL is a secret as authenticator apps read it (otpauth://totp/…).
func TOTPURL(issuer, account string, secret []byte) string {
	q := url.Values{"secret": {totpBase32.EncodeToString(secret)}, "issuer": {issuer}, "algorithm": {"SHA1"}, "digits": {"6"}, "period": {"30"}}
	label := url.PathEscape(issuer) + ":" + url.PathEscape(account)
	// Apps read %20 everywhere, and a plus sign only some of them.
	return "otpauth://totp/" + label + "?" + strings.ReplaceAll(q.Encode(), "+", "%20")
}

// TOTPCode is the code of a time step (RFC 6238 with HMAC-SHA-1, six digits).
func TOTPCode(secret []byte, step int64) string {
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(step))
	mac := hmac.New(sha1.New, secret)
	mac.Write(counter[:])
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 15
	n := binary.BigEndian.Uint32(sum[at:]) & 0x7fffffff
	return fmt.Sprintf("%0*d", totpDigits, n%1_000_000)
}

// TOTPStep is the time step of a moment.
func TOTPStep(at time.Time) int64 { return at.Unix() / int64(totpStep/time.Second) }

// CheckTOTP finds the time step that a code belongs to, one step around wall
// time now; false for a wrong code, and for every step up to used: a code is
// good once. All steps are compared, so that time tells nothing.
func CheckTOTP(secret []byte, code string, used int64, now time.Time) (step int64, ok bool) {
	code = strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, code)
	mid := TOTPStep(now)
	for s := mid - totpDrift; s <= mid+totpDrift; s++ {
		if subtle.ConstantTimeCompare([]byte(TOTPCode(secret, s)), []byte(code)) == 1 && s > used {
			step, ok = s, true
		}
	}
	return step, ok
}

// recoveryDigits is the length of a recovery code: 60 random bits.
const recoveryDigits = 12

// NewRecoveryCode returns a code for the day on which the telephone is lost,
// such as K7M3-9QXT-41WB.
func NewRecoveryCode() string {
	var d [recoveryDigits]byte
	rand.Read(d[:])
	for i := range d {
		d[i] = crockford[d[i]&31]
	}
	return string(d[:4]) + "-" + string(d[4:8]) + "-" + string(d[8:])
}

// ParseRecoveryCode reads a recovery code as people write it, and returns it as
// NewRecoveryCode does; false when it cannot be one.
func ParseRecoveryCode(s string) (string, bool) {
	d := make([]byte, 0, recoveryDigits+2)
	n := 0
	for _, c := range []byte(s) {
		if c == '-' || c == ' ' {
			continue
		}
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		v, ok := crockfordValue(c)
		if !ok || n >= recoveryDigits {
			return "", false
		}
		if n > 0 && n%4 == 0 {
			d = append(d, '-')
		}
		d = append(d, crockford[v])
		n++
	}
	return string(d), n == recoveryDigits
}

// RecoveryDigest is the keyed digest (HMAC-SHA-256) under which a person's
// recovery code is stored.
func (r *KeyRing) RecoveryDigest(person, code string) [32]byte {
	return r.digest("recovery codes", person, code)
}

// HandleDigest is the keyed digest under which a passkey's id is found.
func (r *KeyRing) HandleDigest(id []byte) [32]byte { return r.digest("passkey handles", string(id)) }

// digest is the keyed digest of words for a purpose.
func (r *KeyRing) digest(purpose string, words ...string) [32]byte {
	key := r.Derive(purpose)
	mac := hmac.New(sha256.New, key[:])
	var n [4]byte
	for _, w := range words {
		binary.BigEndian.PutUint32(n[:], uint32(len(w)))
		mac.Write(n[:])
		mac.Write([]byte(w))
	}
	return [32]byte(mac.Sum(nil))
}

// QRCode draws a text as a QR code: the number of modules on a side, quiet zone
// included, and the path of the dark ones for an SVG with that view box.
func QRCode(text string) (size int, path string, err error) {
	const quiet = 4
	code, err := qr.Encode(text, qr.M, qr.Unicode)
	if err != nil {
		return 0, "", fmt.Errorf("draw a QR code: %w", err)
	}
	side := code.Bounds().Dx()
	var b strings.Builder
	for y := range side {
		for x := 0; x < side; x++ {
			from := x
			for x < side && dark(code.At(x, y).RGBA()) {
				x++
			}
			if x > from {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", from+quiet, y+quiet, x-from, x-from)
			}
		}
	}
	return side + 2*quiet, b.String(), nil
}

func dark(r, _, _, _ uint32) bool { return r < 0x8000 }
