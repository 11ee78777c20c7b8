package testkit

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/identity"
)

// Telephone is somebody's authenticator app with its paper of recovery codes.
type Telephone struct {
	Secret   []byte
	Recovery []string

	t    testing.TB
	step int64 // last one whose code was used
}

// Enrol gives somebody one-time codes. by is how it came in: a session's actor proves its factor with it.
func Enrol(t testing.TB, s *casework.Service, by concert.Actor) *Telephone {
	t.Helper()
	setup, err := s.BeginTOTP(t.Context(), by, "EXERCISE telephone")
	Must(t, err)
	p := NewTelephone(t, setup.Text)
	p.Recovery, err = s.ConfirmTOTP(t.Context(), by, p.Code())
	Must(t, err)
	return p
}

// NewTelephone is an app that was told the secret as the page shows it.
func NewTelephone(t testing.TB, text string) *Telephone {
	t.Helper()
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ReplaceAll(text, " ", ""))
	Must(t, err)
	return &Telephone{Secret: secret, t: t}
}

// Code is a code that was not used yet: as early as the clock allows, so that a test gets three without waiting.
func (p *Telephone) Code() string {
	p.t.Helper()
	now := identity.TOTPStep(time.Now())
	p.step = max(p.step+1, now-1)
	if p.step > now+1 {
		p.t.Fatal("this telephone gave three codes in half a minute: use its recovery codes")
	}
	return identity.TOTPCode(p.Secret, p.step)
}

// Paper takes the next recovery code.
func (p *Telephone) Paper() string {
	p.t.Helper()
	if len(p.Recovery) == 0 {
		p.t.Fatal("no recovery code is left")
	}
	code := p.Recovery[0]
	p.Recovery = p.Recovery[1:]
	return code
}

// Authenticator is a passkey in software: one key pair for one site (WebAuthn level 3, attestation "none", ES256).
type Authenticator struct {
	Origin string // that the browser would name

	t      testing.TB
	key    *ecdsa.PrivateKey
	id     []byte
	handle []byte
	count  uint32
}

// NewAuthenticator is a passkey that is registered nowhere.
func NewAuthenticator(t testing.TB, origin string) *Authenticator {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	Must(t, err)
	a := &Authenticator{Origin: origin, t: t, key: key, id: make([]byte, 16)}
	rand.Read(a.id)
	return a
}

type passkeyOptions struct {
	PublicKey struct {
		Challenge string `json:"challenge"`
		RPID      string `json:"rpId"`
		RP        struct {
			ID string `json:"id"`
		} `json:"rp"`
		User struct {
			ID string `json:"id"`
		} `json:"user"`
	} `json:"publicKey"`
}

var b64 = base64.RawURLEncoding

func (a *Authenticator) client(kind, challenge string) []byte {
	out, err := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": a.Origin, "crossOrigin": false})
	Must(a.t, err)
	return out
}

// data is the authenticator data: user present and verified.
func (a *Authenticator) data(rp string, flags byte) []byte {
	sum := sha256.Sum256([]byte(rp))
	a.count++
	return binary.BigEndian.AppendUint32(append(sum[:], flags|0x05), a.count)
}

// Register answers a question for a new passkey.
func (a *Authenticator) Register(options []byte) []byte {
	a.t.Helper()
	var o passkeyOptions
	Must(a.t, json.Unmarshal(options, &o))
	var err error
	a.handle, err = b64.DecodeString(o.PublicKey.User.ID)
	Must(a.t, err)
	point, err := a.key.PublicKey.Bytes()
	Must(a.t, err)
	data := a.data(o.PublicKey.RP.ID, 0x40)
	data = append(data, make([]byte, 16)...)
	data = binary.BigEndian.AppendUint16(data, uint16(len(a.id)))
	data = append(data, a.id...)
	// COSE key: {1: 2, 3: -7, -1: 1, -2: x, -3: y}
	data = append(data, 0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20)
	data = append(data, point[1:33]...)
	data = append(data, 0x22, 0x58, 0x20)
	data = append(data, point[33:]...)
	// {"fmt": "none", "attStmt": {}, "authData": data}
	var att bytes.Buffer
	att.WriteString("\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58")
	att.WriteByte(byte(len(data)))
	att.Write(data)
	return a.answer(map[string]any{"clientDataJSON": b64.EncodeToString(a.client("webauthn.create", o.PublicKey.Challenge)), "attestationObject": b64.EncodeToString(att.Bytes())})
}

// Answer answers a question for this passkey.
func (a *Authenticator) Answer(options []byte) []byte {
	a.t.Helper()
	var o passkeyOptions
	Must(a.t, json.Unmarshal(options, &o))
	client, data := a.client("webauthn.get", o.PublicKey.Challenge), a.data(o.PublicKey.RPID, 0)
	sum := sha256.Sum256(client)
	signed := sha256.Sum256(append(bytes.Clone(data), sum[:]...))
	sig, err := ecdsa.SignASN1(rand.Reader, a.key, signed[:])
	Must(a.t, err)
	return a.answer(map[string]any{"clientDataJSON": b64.EncodeToString(client), "authenticatorData": b64.EncodeToString(data), "signature": b64.EncodeToString(sig), "userHandle": b64.EncodeToString(a.handle)})
}

func (a *Authenticator) answer(response map[string]any) []byte {
	out, err := json.Marshal(map[string]any{"id": b64.EncodeToString(a.id), "rawId": b64.EncodeToString(a.id), "type": "public-key", "response": response, "clientExtensionResults": map[string]any{}})
	Must(a.t, err)
	return out
}

// Rewind makes the passkey look copied: its counter goes back.
func (a *Authenticator) Rewind() { a.count = 0 }
