package concert

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// ReferralPayloadType names what an envelope of a referral holds.
const ReferralPayloadType = "application/vnd.concert.referral.v1+json"

// Envelope carries a payload with signatures over
// "DSSEv1" SP len(type) SP type SP len(payload) SP payload (DSSE v1), so that
// anyone can check offline who judged, apart from who transported (G09).
type Envelope struct {
	PayloadType string      `json:"payloadType"`
	Payload     []byte      `json:"payload"` // base64 on the wire
	Signatures  []Signature `json:"signatures"`
}

// Signature is one party's. Role is "author" or "transport".
type Signature struct {
	KeyID string `json:"keyid"`
	Role  string `json:"role"`
	Sig   []byte `json:"sig"`
}

// KeyID is the first 16 hex digits of the SHA-256 of a public key.
func KeyID(pub ed25519.PublicKey) string {
	d := sha256.Sum256(pub)
	return hex.EncodeToString(d[:8])
}

func preAuth(payloadType, role string, payload []byte) []byte {
	b := make([]byte, 0, len(payload)+len(payloadType)+64)
	t := payloadType + ";role=" + role
	return fmt.Appendf(b, "DSSEv1 %d %s %d %s", len(t), t, len(payload), payload)
}

// Sign adds a signature in the role.
func (e Envelope) Sign(role string, key ed25519.PrivateKey) Envelope {
	pub := key.Public().(ed25519.PublicKey)
	e.Signatures = append(e.Signatures, Signature{KeyID: KeyID(pub), Role: role, Sig: ed25519.Sign(key, preAuth(e.PayloadType, role, e.Payload))})
	return e
}

// Verify checks that the role signed with this key and says what is wrong
// otherwise.
func (e Envelope) Verify(role string, pub ed25519.PublicKey) error {
	if len(pub) != ed25519.PublicKeySize {
		return Refuse(Invalid, "envelope.key", "", "the public key has %d bytes instead of %d", len(pub), ed25519.PublicKeySize)
	}
	for _, s := range e.Signatures {
		if s.Role != role || s.KeyID != KeyID(pub) {
			continue
		}
		if ed25519.Verify(pub, preAuth(e.PayloadType, role, e.Payload), s.Sig) {
			return nil
		}
		return Refuse(Invalid, "envelope.forged", "", "the %s signature does not match: payload or signature was changed after signing", role)
	}
	return Refuse(Invalid, "envelope.unsigned", "", "no %s signature by key %s", role, KeyID(pub))
}

// Parted takes a list out of the envelope's payload, whose field it is: the items of
// a referral, the places of an order. The frame is the same envelope without it, and
// each part is its own RFC 8785 text. Rejoined puts them together again, byte for
// byte, so that the signatures still verify; a payload for which it would not is
// refused.
func (e Envelope) Parted(field string) (frame Envelope, parts []json.RawMessage, err error) {
	fields := map[string]json.RawMessage{}
	if err := json.Unmarshal(e.Payload, &fields); err != nil {
		return e, nil, fmt.Errorf("part a payload: %w", err)
	}
	if err := json.Unmarshal(fields[field], &parts); err != nil {
		return e, nil, fmt.Errorf("part a payload: %s: %w", field, err)
	}
	delete(fields, field)
	frame = e
	if frame.Payload, err = CanonicalJSON(fields); err != nil {
		return e, nil, err
	}
	whole, err := frame.Rejoined(field, parts)
	if err == nil && !bytes.Equal(whole.Payload, e.Payload) {
		err = errors.New("part a payload: it is not in RFC 8785 form, so its bytes could not be made again")
	}
	return frame, parts, err
}

// Rejoined is the frame with these parts in its payload.
func (e Envelope) Rejoined(field string, parts []json.RawMessage) (Envelope, error) {
	fields := map[string]json.RawMessage{}
	if err := json.Unmarshal(e.Payload, &fields); err != nil {
		return e, fmt.Errorf("rejoin a payload: %w", err)
	}
	if parts == nil {
		parts = []json.RawMessage{}
	}
	list, err := json.Marshal(parts)
	if err != nil {
		return e, fmt.Errorf("rejoin a payload: %w", err)
	}
	fields[field] = list
	e.Payload, err = CanonicalJSON(fields)
	return e, err
}

// ReferralPayload is what a provider reads: the items, why, and that it is
// voluntary. Field order does not matter: it is signed in RFC 8785 form.
type ReferralPayload struct {
	Type      string         `json:"type"` // "referral"
	Version   int            `json:"version"`
	Ref       string         `json:"ref"`
	Voluntary string         `json:"voluntary"` // VoluntaryNotice
	Author    PayloadParty   `json:"author"`
	Transport string         `json:"transport"` // who carries it: the deployment's origin
	Provider  string         `json:"provider"`
	Action    string         `json:"action,omitempty"`
	SentAt    string         `json:"sent_at"`
	Exercise  bool           `json:"exercise"`
	Items     []PayloadItem  `json:"items"`
	Automated PayloadMachine `json:"automation"`
	// Article16 is there where the referral is meant as a notice under DSA Art. 16.
	Article16 *PayloadArticle16 `json:"article16,omitempty"`
}

// PayloadParty is an authority as a provider sees it: unit and operator
// number, never a name of a person.
type PayloadParty struct {
	Name     string `json:"name"`
	Country  string `json:"country"`
	Unit     string `json:"unit"`
	Operator string `json:"operator,omitempty"`
	KeyID    string `json:"keyid"`
}

// PayloadMachine discloses automation (G27): detection may be helped by
// machines, the decision never is.
type PayloadMachine struct {
	Detection bool `json:"automated_detection"`
	Decision  bool `json:"automated_decision"`
}

// PayloadItem is one item of a referral.
type PayloadItem struct {
	Ref         string      `json:"ref"`
	Location    Location    `json:"location"`
	Type        ItemType    `json:"type,omitempty"`
	ContentType ContentType `json:"content_type"`
	Outlet      string      `json:"outlet"`
	ScopeEntry  string      `json:"scope_entry"` // reference of the list entry it stands on
	Mark        string      `json:"mark,omitempty"`
	MarkWhere   string      `json:"mark_where,omitempty"`
	Language    string      `json:"language"`
	Severity    Severity    `json:"severity"`
	Facts       string      `json:"facts"`
	Reason      string      `json:"reason"`
	Operator    string      `json:"operator"`
	Finders     []string    `json:"finders"` // unit codes of every authority that found it: shared credit
}
