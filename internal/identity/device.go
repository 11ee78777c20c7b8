package identity

import (
	"crypto/hmac"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"
)

const (
	deviceNonce = 16
	// DeviceTerm is how long a device that logged in is known.
	DeviceTerm = 180 * 24 * time.Hour
)

// NewDevice returns what a browser keeps of an account that logged in on it: a
// random name, the time, and their keyed digest with the account. It is no way
// in; it sets its owner's tries apart from those of everybody else (OWASP,
// device cookies).
func (r *KeyRing) NewDevice(account string, now time.Time) string {
	var buf [deviceNonce + 8]byte
	rand.Read(buf[:deviceNonce])
	binary.BigEndian.PutUint64(buf[deviceNonce:], uint64(now.Unix()))
	sum := r.digest("known devices", account, string(buf[:]))
	return base64.RawURLEncoding.EncodeToString(append(buf[:], sum[:]...))
}

// Device is the random name of a device that logged in to the account at most
// DeviceTerm before now; false for any other text.
func (r *KeyRing) Device(account, text string, now time.Time) (name string, ok bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != deviceNonce+8+32 {
		return "", false
	}
	sum := r.digest("known devices", account, string(raw[:deviceNonce+8]))
	made := time.Unix(int64(binary.BigEndian.Uint64(raw[deviceNonce:])), 0)
	if !hmac.Equal(sum[:], raw[deviceNonce+8:]) || now.Sub(made) > DeviceTerm {
		return "", false
	}
	return string(raw[:deviceNonce]), true
}

// TryDigest is the keyed digest under which failed log-ins are counted: of an
// account from a network, or from a known device. It tells nobody whether the
// account exists.
func (r *KeyRing) TryDigest(words ...string) [32]byte { return r.digest("log-in tries", words...) }

// Account is a log-in name as tries are counted by it.
func Account(login string) string { return strings.ToLower(strings.TrimSpace(login)) }
