package vault

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"os"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"

	"concert/internal/durable"
)

// Key signs seals and custody records: Ed25519 (RFC 8032). Its file is PKCS #8 in
// PEM, which openssl reads as well.
type Key struct{ private ed25519.PrivateKey }

// NewKey makes a key and writes it to path, and its public part to path with
// ".pub". Neither may exist.
func NewKey(path string) (*Key, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, err
	}
	open, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, err
	}
	if _, err := os.Lstat(path + ".pub"); err == nil {
		return nil, fmt.Errorf("%s.pub exists already; it was left untouched, name another file", path)
	}
	if err := durable.CreateExclusive(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o400); err != nil {
		return nil, err
	}
	return &Key{private}, durable.CreateExclusive(path+".pub", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: open}), 0o444)
}

// ReadKey reads a key that NewKey made, or openssl genpkey -algorithm ed25519.
func ReadKey(path string) (*Key, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	block, _ := pem.Decode(raw)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, fmt.Errorf("%s is no private key in PEM: make one with evidence key, or openssl genpkey -algorithm ed25519", path)
	}
	k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	private, ok := k.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%s is a %T; seals are signed with Ed25519", path, k)
	}
	return &Key{private}, nil
}

// ReadPublicKey reads a public key: PEM, or the base64 text of its 32 bytes.
func ReadPublicKey(path string) (string, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("public key: %w", err)
	}
	if block, _ := pem.Decode(raw); block != nil && block.Type == "PUBLIC KEY" {
		k, err := x509.ParsePKIXPublicKey(block.Bytes)
		if public, ok := k.(ed25519.PublicKey); err == nil && ok {
			return base64.StdEncoding.EncodeToString(public), nil
		}
	}
	return "", fmt.Errorf("%s is no public Ed25519 key in PEM; evidence key writes one beside each key, with .pub", path)
}

// Public is the public key: base64 of its 32 bytes.
func (k *Key) Public() string {
	return base64.StdEncoding.EncodeToString(k.private.Public().(ed25519.PublicKey))
}

// sign signs a text under DSSE's encoding, so that a signature for one type is
// none for another.
func (k *Key) sign(kind string, text []byte) string {
	return base64.StdEncoding.EncodeToString(ed25519.Sign(k.private, dsse.PAE(kind, text)))
}

func parsePublic(key string) (ed25519.PublicKey, error) {
	raw, err := base64.StdEncoding.Strict().DecodeString(key)
	if err != nil || len(raw) != ed25519.PublicKeySize {
		return nil, errors.New("it is no Ed25519 public key")
	}
	return raw, nil
}

func verifySig(key, kind string, text []byte, sig string) bool {
	public, err := parsePublic(key)
	if err != nil {
		return false
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(sig)
	return err == nil && ed25519.Verify(public, dsse.PAE(kind, text), raw)
}

// dsseKey is a key as DSSE's library wants it.
type dsseKey struct {
	public  ed25519.PublicKey
	private ed25519.PrivateKey // nil for verifying
}

// Sign implements dsse.Signer.
func (k dsseKey) Sign(_ context.Context, data []byte) ([]byte, error) {
	return ed25519.Sign(k.private, data), nil
}

// Verify implements dsse.Verifier.
func (k dsseKey) Verify(_ context.Context, data, sig []byte) error {
	if !ed25519.Verify(k.public, data, sig) {
		return errors.New("the signature does not hold")
	}
	return nil
}

// KeyID implements both: SHA-256 of the 32 bytes, in hexadecimal.
func (k dsseKey) KeyID() (string, error) {
	sum := sha256.Sum256(k.public)
	return hex.EncodeToString(sum[:]), nil
}

// Public implements dsse.Verifier.
func (k dsseKey) Public() crypto.PublicKey { return k.public }
