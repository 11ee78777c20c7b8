package vault

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
)

// Envelope is the payload under DSSE, signed: JSON by RFC 8785 with a line feed at
// its end. kind is the payload's media type.
func (k *Key) Envelope(kind string, payload []byte) ([]byte, error) {
	signer, err := dsse.NewEnvelopeSigner(dsseKey{public: k.private.Public().(ed25519.PublicKey), private: k.private})
	if err != nil {
		return nil, err
	}
	env, err := signer.SignPayload(context.Background(), kind, payload)
	if err != nil {
		return nil, err
	}
	return canonical(env)
}

// Signed is an envelope that was read. Its payload says nothing before SignedBy did.
type Signed struct {
	Payload []byte
	env     dsse.Envelope
}

// ReadEnvelope reads what Envelope wrote, in that one spelling, of that kind.
func ReadEnvelope(raw []byte, kind string) (s Signed, err error) {
	if err := decodeCanonical(raw, &s.env); err != nil {
		return s, err
	}
	if s.env.PayloadType != kind || len(s.env.Signatures) != 1 {
		return s, fmt.Errorf("it is no %s with one signature", kind)
	}
	if s.Payload, err = base64.StdEncoding.Strict().DecodeString(s.env.Payload); err != nil {
		return s, errors.New("its payload is no base64")
	}
	return s, nil
}

// SignedBy reports whether the public key, as Key.Public gives it, signed the
// envelope and is the one that it names.
func (s Signed) SignedBy(key string) bool {
	public, err := parsePublic(key)
	if err != nil {
		return false
	}
	k := dsseKey{public: public}
	// The identifier is not signed; a wrong one would go unnoticed.
	if id, err := k.KeyID(); err != nil || s.env.Signatures[0].KeyID != id {
		return false
	}
	verifier, err := dsse.NewEnvelopeVerifier(k)
	if err != nil {
		return false
	}
	// The library takes any spelling of base64, so that two texts would be one signature.
	if _, err := base64.StdEncoding.Strict().DecodeString(s.env.Signatures[0].Sig); err != nil {
		return false
	}
	_, err = verifier.Verify(context.Background(), &s.env)
	return err == nil
}
