package order

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"concert"
)

// The roles of signatures: who ordered, who carried, who registered.
const (
	roleAuthor    = "author"
	roleTransport = "transport"
	roleRegister  = "register"
)

// Seal signs an order with the authority's key and with that of whoever carries it,
// which may be nil. It refuses what [Check] refuses, with every refusal joined, and
// an author whose key the order does not name.
func Seal(p concert.OrderPayload, author, transport ed25519.PrivateKey) (concert.Envelope, error) {
	if len(author) != ed25519.PrivateKeySize || transport != nil && len(transport) != ed25519.PrivateKeySize {
		return concert.Envelope{}, errors.New("seal an order: a key is no Ed25519 private key")
	}
	if faults := Check(p); len(faults) > 0 {
		var all []error
		for _, f := range faults {
			all = append(all, f)
		}
		return concert.Envelope{}, errors.Join(all...)
	}
	if id := concert.KeyID(author.Public().(ed25519.PublicKey)); id != p.Authority.KeyID {
		return concert.Envelope{}, fault("order.authority.keyid", "authority.keyid", "the order names the key %s, its author signs with %s: name the author's key", p.Authority.KeyID, id)
	}
	e, err := enclose(concert.OrderPayloadType, p, maxPayload)
	if err != nil {
		return e, fmt.Errorf("seal an order: %w", err)
	}
	e = e.Sign(roleAuthor, author)
	if transport != nil {
		e = e.Sign(roleTransport, transport)
	}
	return e, nil
}

// SealRegister signs an edition of the register with the root key. It fills in Root
// and refuses what [ReadRegister] refuses.
func SealRegister(r concert.OrderRegister, root ed25519.PrivateKey) (concert.Envelope, error) {
	if len(root) != ed25519.PrivateKeySize {
		return concert.Envelope{}, errors.New("seal a register: the key is no Ed25519 private key")
	}
	r.Root = root.Public().(ed25519.PublicKey)
	if _, err := newRegister(r); err != nil {
		return concert.Envelope{}, err
	}
	e, err := enclose(concert.RegisterPayloadType, r, maxRegister/2)
	if err != nil {
		return e, fmt.Errorf("seal a register: %w", err)
	}
	return e.Sign(roleRegister, root), nil
}

func enclose(payloadType string, v any, most int) (concert.Envelope, error) {
	raw, err := concert.CanonicalJSON(v)
	if err == nil && len(raw) > most {
		err = fmt.Errorf("it has %d bytes, more than %d", len(raw), most)
	}
	return concert.Envelope{PayloadType: payloadType, Payload: raw}, err
}

// Digest is the SHA-256 of an envelope's payload in hexadecimal digits: what the
// event of its issuing holds.
func Digest(e concert.Envelope) string {
	d := sha256.Sum256(e.Payload)
	return hex.EncodeToString(d[:])
}

// File is an order as it travels. Of the proof's checkpoint only the log's own
// signature is kept, since a reader cannot check others; register may be nil, and is
// there for reading only. A file that would be too large is refused.
func File(e concert.Envelope, proof concert.EventProof, register *concert.Envelope) ([]byte, error) {
	proof.Earlier = nil
	text, lines, ok := strings.Cut(proof.Checkpoint, "\n\n")
	own := ""
	for line := range strings.Lines(lines) {
		if own == "" && strings.HasPrefix(line, signedBy+proof.Origin+" ") {
			own = line
		}
	}
	if !ok || own == "" {
		return nil, fmt.Errorf("write an order: the checkpoint is not signed by %s", proof.Origin)
	}
	proof.Checkpoint = text + "\n\n" + own
	raw, err := concert.CanonicalJSON(concert.OrderFile{Format: concert.OrderFileFormat, Envelope: e, Proof: &proof, Register: register})
	if err == nil && len(raw) > MaxFile {
		err = fmt.Errorf("write an order: it has %d bytes, more than %d", len(raw), MaxFile)
	}
	return raw, err
}

// signedBy begins a signature line of a note (https://c2sp.org/signed-note).
const signedBy = "— "
