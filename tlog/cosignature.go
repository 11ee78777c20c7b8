package tlog

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// cosignatureSize is the length of a timestamped_signature with Ed25519.
const cosignatureSize = 8 + ed25519.SignatureSize

// Cosignature says that a witness, at a time, had seen no larger tree of the
// log and had found this one consistent with all that it saw before
// (https://c2sp.org/tlog-cosignature, cosignature/v1).
type Cosignature struct {
	Name    string    // the witness's key name
	KeyHash uint32    // its key id
	Time    time.Time // to the second; a witness may claim any time, also a future one
}

// Cosignatures lists the witnesses whose cosignatures on a note opened by
// [OpenCheckpoint] with the same known keys are verified. A cosignature under
// the name of the log itself is left out: a log is not its own witness. An
// empty list means that only the log speaks for itself.
func Cosignatures(n *note.Note, known note.Verifiers) []Cosignature {
	c, err := ParseCheckpoint(n.Text)
	if err != nil || known == nil {
		return nil
	}
	var list []Cosignature
	for _, sig := range n.Sigs {
		v, err := known.Verifier(sig.Name, sig.Hash)
		if _, ok := v.(*CosignatureVerifier); err != nil || !ok || sig.Name == c.Origin {
			continue
		}
		raw, err := base64.StdEncoding.DecodeString(sig.Base64)
		if err != nil || len(raw) != 4+cosignatureSize {
			continue
		}
		seconds := binary.BigEndian.Uint64(raw[4:])
		if seconds > math.MaxInt64 {
			continue
		}
		list = append(list, Cosignature{Name: sig.Name, KeyHash: sig.Hash, Time: time.Unix(int64(seconds), 0).UTC()})
	}
	return list
}

// CosignatureVerifier is the pinned key of a witness. It implements
// note.Verifier for signature type 0x04.
type CosignatureVerifier struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func newCosignatureVerifier(name string, key ed25519.PublicKey) *CosignatureVerifier {
	typed := append([]byte{algCosignature}, key...)
	sum := sha256.Sum256(slices.Concat([]byte(name+"\n"), typed))
	return &CosignatureVerifier{name: name, hash: binary.BigEndian.Uint32(sum[:]), key: key}
}

// Name returns the witness's key name.
func (v *CosignatureVerifier) Name() string { return v.name }

// KeyHash returns the key id: the first four bytes of
// SHA-256(name || "\n" || 0x04 || key), big-endian.
func (v *CosignatureVerifier) KeyHash() uint32 { return v.hash }

// Verify reports whether sig, an 8-byte big-endian time in seconds and an
// Ed25519 signature, is a cosignature of the checkpoint text msg. A text that
// is no checkpoint is refused.
func (v *CosignatureVerifier) Verify(msg, sig []byte) bool {
	if len(sig) != cosignatureSize {
		return false
	}
	seconds := binary.BigEndian.Uint64(sig)
	if _, err := ParseCheckpoint(string(msg)); err != nil || seconds > math.MaxInt64 {
		return false
	}
	return ed25519.Verify(v.key, cosignedMessage(seconds, msg), sig[8:])
}

// String returns the key's text form (vkey), as [NewVerifier] reads it.
func (v *CosignatureVerifier) String() string { return v.vkey() }

func (v *CosignatureVerifier) vkey() string {
	typed := append([]byte{algCosignature}, v.key...)
	return fmt.Sprintf("%s+%08x+%s", v.name, v.hash, base64.StdEncoding.EncodeToString(typed))
}

// Cosigner is a witness's signing key. It implements note.Signer for
// signature type 0x04. It signs what it is given: that the checkpoint is
// consistent with the one cosigned before is for its owner to check first,
// with [OpenCheckpoint] and [CheckConsistency].
type Cosigner struct {
	verifier *CosignatureVerifier
	private  ed25519.PrivateKey
	now      func() time.Time
}

// NewCosigner reads a key made by [GenerateKey] for use as a witness. now
// gives the time that each cosignature states, usually time.Now. A bad text is
// [ErrMalformed]; the error never shows the key.
func NewCosigner(skey string, now func() time.Time) (*Cosigner, error) {
	name, private, err := parsePrivate(skey)
	if err != nil {
		return nil, err
	}
	v := newCosignatureVerifier(name, private.Public().(ed25519.PublicKey))
	return &Cosigner{verifier: v, private: private, now: now}, nil
}

// Verifier returns the public half; its String is the text to publish.
func (s *Cosigner) Verifier() *CosignatureVerifier { return s.verifier }

// Name returns the witness's key name.
func (s *Cosigner) Name() string { return s.verifier.name }

// KeyHash returns the key id, see [CosignatureVerifier.KeyHash].
func (s *Cosigner) KeyHash() uint32 { return s.verifier.hash }

// Sign returns a cosignature/v1 of the checkpoint text msg. A text that is no
// checkpoint, or a clock before 1970, is [ErrMalformed].
func (s *Cosigner) Sign(msg []byte) ([]byte, error) {
	if _, err := ParseCheckpoint(string(msg)); err != nil {
		return nil, fmt.Errorf("cosign as %s: %w", s.verifier.name, err)
	}
	now := s.now().Unix()
	if now < 0 {
		return nil, fmt.Errorf("cosign as %s: %w: the clock stands before 1970; set it", s.verifier.name, ErrMalformed)
	}
	sig := binary.BigEndian.AppendUint64(nil, uint64(now))
	return append(sig, ed25519.Sign(s.private, cosignedMessage(uint64(now), msg))...), nil
}

func cosignedMessage(seconds uint64, text []byte) []byte {
	return append(fmt.Appendf(nil, "cosignature/v1\ntime %d\n", seconds), text...)
}
