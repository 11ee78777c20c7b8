package identity

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

const (
	privateType = "PRIVATE KEY"
	publicType  = "PUBLIC KEY"
	maxKeyText  = 4096
)

// NewSigningKey returns a fresh Ed25519 key.
func NewSigningKey() ed25519.PrivateKey {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic("identity: crypto/rand does not fail: " + err.Error())
	}
	return key
}

// MarshalSigningKey writes a private key as PEM of PKCS #8 (RFC 8410), which
// openssl reads as well.
func MarshalSigningKey(key ed25519.PrivateKey) []byte {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic("identity: Ed25519 in PKCS #8: " + err.Error())
	}
	return pem.EncodeToMemory(&pem.Block{Type: privateType, Bytes: der})
}

// ParseSigningKey reads what MarshalSigningKey wrote. Errors never contain the
// text.
func ParseSigningKey(text []byte) (ed25519.PrivateKey, error) {
	der, err := pemBlock(text, privateType)
	if err != nil {
		return nil, fmt.Errorf("read signing key: %w", err)
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, errors.New("read signing key: no PKCS #8 inside; concert init writes one")
	}
	ed, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("read signing key: it is %T, wanted is Ed25519", key)
	}
	return ed, nil
}

// MarshalVerifyKey writes a public key as PEM of SubjectPublicKeyInfo (RFC
// 8410).
func MarshalVerifyKey(pub ed25519.PublicKey) []byte {
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		panic("identity: Ed25519 in SubjectPublicKeyInfo: " + err.Error())
	}
	return pem.EncodeToMemory(&pem.Block{Type: publicType, Bytes: der})
}

// ParseVerifyKey reads what MarshalVerifyKey wrote.
func ParseVerifyKey(text []byte) (ed25519.PublicKey, error) {
	der, err := pemBlock(text, publicType)
	if err != nil {
		return nil, fmt.Errorf("read public key: %w", err)
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, errors.New("read public key: no SubjectPublicKeyInfo inside")
	}
	ed, ok := key.(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("read public key: it is %T, wanted is Ed25519", key)
	}
	return ed, nil
}

func pemBlock(text []byte, want string) ([]byte, error) {
	if len(text) > maxKeyText {
		return nil, fmt.Errorf("%d bytes of text, a key has at most %d", len(text), maxKeyText)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("no PEM block; wanted is -----BEGIN %s-----", want)
	}
	if block.Type != want {
		return nil, fmt.Errorf("PEM block is %q, wanted is %q", block.Type, want)
	}
	return block.Bytes, nil
}
