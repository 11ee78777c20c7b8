package order

import (
	"fmt"

	"concert"
)

// Outcome is what a check of an order comes to.
type Outcome string

// The outcomes. Only Valid binds anybody.
const (
	Valid            Outcome = "valid"
	Invalid          Outcome = "invalid"
	AuthorityUnknown Outcome = "authority_unknown" // nobody whom the reader trusts says whose key signed
)

// TransportCheck says what is known of the signature of whoever carried an order.
// It decides nothing about who ordered.
type TransportCheck string

// What is known of it.
const (
	TransportNone      TransportCheck = "none"      // there is none
	TransportHolds     TransportCheck = "holds"     // by a key of the pinned register
	TransportUnchecked TransportCheck = "unchecked" // the register names no key of transport, or none is pinned
)

// Verdict is what [Verify] says of an order. Of an invalid one nothing but the reason
// is told, so that nobody acts on what it said.
type Verdict struct {
	Outcome  Outcome `json:"outcome"`
	Code     string  `json:"code,omitempty"`  // of what is wrong
	Field    string  `json:"field,omitempty"` // of the file or of the payload
	Sentence string  `json:"sentence"`        // one, in English

	Ref           string         `json:"ref,omitempty"`
	Authority     string         `json:"authority,omitempty"` // its name, by the register where that is pinned
	AuthorityRef  string         `json:"authority_ref,omitempty"`
	State         string         `json:"state,omitempty"` // under whose law it was issued
	IssuedAt      string         `json:"issued_at,omitempty"`
	Addressee     string         `json:"addressee,omitempty"`
	AddresseeName string         `json:"addressee_name,omitempty"`
	Exercise      bool           `json:"exercise,omitempty"`
	Transport     TransportCheck `json:"transport,omitempty"`
	Digest        string         `json:"digest,omitempty"` // SHA-256 of the payload
	Index         int64          `json:"index,omitempty"`  // of the event of its issuing
	Origin        string         `json:"origin,omitempty"` // of the log
	Serial        int64          `json:"register_serial,omitempty"`

	Order concert.OrderPayload `json:"order,omitzero"`
}

func refused(f *Fault) Verdict {
	at := ""
	if f.Field != "" {
		at = " (" + f.Field + ")"
	}
	return Verdict{Outcome: Invalid, Code: f.Code, Field: f.Field, Sentence: "invalid" + at + ": " + f.Sentence}
}

// said is the verdict on an order in which nothing is wrong.
func (c *verification) said() Verdict {
	p := c.order
	v := Verdict{
		Ref: p.Ref, Authority: p.Authority.Name, AuthorityRef: p.Authority.Ref, State: p.IssuingState, IssuedAt: p.IssuedAt, Addressee: p.Addressee.Ref, AddresseeName: p.Addressee.Name,
		Exercise: p.Exercise, Transport: c.transport, Digest: c.digest, Index: c.file.Proof.Index, Origin: c.file.Proof.Origin, Order: p,
	}
	exercise := ""
	if p.Exercise {
		exercise = ", EXERCISE"
	}
	if c.known {
		v.Outcome, v.Serial = Valid, c.register.edition.Serial
		v.Sentence = fmt.Sprintf("valid%s: removal order %s by %s (%s), issued at %s under the law of %s, addressed to %s; it is event %d of the log of %s", exercise,
			p.Ref, p.Authority.Name, p.Authority.Ref, p.IssuedAt, p.IssuingState, p.Addressee.Name, v.Index, v.Origin)
		return v
	}
	v.Outcome, v.Code = AuthorityUnknown, "order.authority_unknown"
	switch {
	case c.signed:
		v.Sentence = fmt.Sprintf("signed, authority unknown%s: the order calls itself %s of %s, by a register that came with it and whose root %s you have not pinned, and such a register never counts; %s", exercise,
			p.Ref, p.Authority.Name, c.along.root, howToPin)
	case c.register != nil:
		v.Sentence = fmt.Sprintf("authority unknown%s: the order calls itself %s of %s, which the pinned register of %s does not know, so even the signature could not be checked; get and pin the register that knows the key %s", exercise,
			p.Ref, p.Authority.Name, c.register.edition.Origin, p.Authority.KeyID)
	default:
		v.Sentence = fmt.Sprintf("authority unknown%s: the order calls itself %s of %s, but you have pinned no register, so even the signature of the key %s could not be checked; get the register and %s", exercise,
			p.Ref, p.Authority.Name, p.Authority.KeyID, howToPin)
	}
	return v
}
