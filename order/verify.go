package order

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"concert"
)

// Bounds of an order, in bytes.
const (
	MaxFile    = 2 << 20 // with proof and register
	maxPayload = 1 << 20
)

// The one form that each has.
var (
	fileForm    = sync.OnceValue(concert.FormOf[concert.OrderFile])
	payloadForm = sync.OnceValue(concert.FormOf[concert.OrderPayload])
)

// clockAhead is by how much the issuer's clock may be ahead of the reader's.
const clockAhead = 5 * time.Minute

// Options say what else the reader knows. The zero value asks for nothing more than
// that the order is genuine and complete.
type Options struct {
	// Seen tells whether an order with this reference was received before; nil
	// where nobody keeps count. An order that was is replayed, and starts nothing.
	Seen func(ref string) bool
	// Addressee is the reader's own reference; an order to another is not for it.
	Addressee string
	// Now is the reader's time; an order of the future is refused. Zero: not looked at.
	Now time.Time
}

// verification is one order under check.
type verification struct {
	file      concert.OrderFile
	order     concert.OrderPayload
	options   Options
	register  *Register // the pinned one; nil for none
	along     *Register // that came with the order: for reading, never to trust
	key       registered
	known     bool // the pinned register has the author's key
	signed    bool // the author's signature was checked with whichever key
	issued    time.Time
	digest    string // of the payload
	transport TransportCheck
}

// Verify checks an order's file against the register that the reader pinned, nil for
// none, with no connection to anything. Valid is an order only where
//
//   - the register has the author's key, for the authority that the order names in
//     section E, to issue, under the law of the issuing state, at that time, not revoked;
//   - the author's signature holds, and that of the transport, where its key is known;
//   - [Check] finds nothing missing;
//   - the log, signed by the key that the register names, has the event of its issuing
//     with the payload's SHA-256;
//   - the file is, byte for byte, the one form that it can have.
//
// It never panics and takes time in proportion to the file, whatever the file is.
func Verify(file []byte, register *Register, o Options) Verdict {
	c := &verification{register: register, options: o}
	if f := c.read(file); f != nil {
		return refused(f)
	}
	for _, step := range []func() *Fault{c.readAlong, c.author, c.payload, c.bound, c.carried, c.recorded, c.forReader} {
		if f := step(); f != nil {
			return refused(f)
		}
	}
	return c.said()
}

// read takes the file apart.
func (c *verification) read(file []byte) *Fault {
	if len(file) > MaxFile {
		return fault("order.size", "", "the file has %d bytes, more than %d: this is no order", len(file), MaxFile)
	}
	file = withoutEnd(file)
	if err := fileForm().Decode(file, &c.file); err != nil {
		if f := otherKind(file); f != nil {
			return f
		}
		return fault("order.form", "", "the file is no order as it was issued: %v; ask for the original, unchanged", err)
	}
	if c.file.Format != concert.OrderFileFormat {
		return fault("order.format", "format", "the format is %.100q, this program reads %q: take a newer program", c.file.Format, concert.OrderFileFormat)
	}
	return ofType(c.file.Envelope.PayloadType)
}

// otherKind says what else a file is that is not an order, nil where it is nothing
// that we know.
func otherKind(file []byte) *Fault {
	var is struct {
		Format      string `json:"format"`
		Type        string `json:"type"`
		PayloadType string `json:"payloadType"`
		Envelope    struct {
			PayloadType string `json:"payloadType"`
		} `json:"envelope"`
	}
	if json.Unmarshal(file, &is) != nil {
		return nil
	}
	switch {
	case is.Envelope.PayloadType == concert.ReferralPayloadType || is.PayloadType == concert.ReferralPayloadType || is.Type == "referral":
		return ofType(concert.ReferralPayloadType)
	case is.PayloadType == concert.OrderPayloadType:
		return fault("order.proof_missing", "proof", "this is the envelope alone, without the proof that it was issued: %s", wholeFile)
	case is.PayloadType != "":
		return ofType(is.PayloadType)
	case is.Format != "" && is.Format != concert.OrderFileFormat:
		return fault("order.format", "format", "the format is %.100q, this program reads %q: name the file of an order, or take a newer program", is.Format, concert.OrderFileFormat)
	}
	return nil
}

const wholeFile = "ask the issuing authority for the order's whole file (order.json), which it has seconds after issuing"

// ofType refuses what an envelope may hold and is no order (G01).
func ofType(payloadType string) *Fault {
	switch payloadType {
	case concert.OrderPayloadType:
		return nil
	case concert.ReferralPayloadType:
		return fault("order.referral", "payloadType", "this is a referral: it is voluntary and no order")
	case concert.FeedbackPayloadType, concert.ImpossiblePayloadType:
		return fault("order.reply", "payloadType", "this is a provider's reply to an order and no order")
	case concert.RegisterPayloadType:
		return fault("order.is_register", "payloadType", "this is a register and no order: name it with -register")
	}
	return fault("order.payload_type", "envelope.payloadType", "the envelope holds %.100q, this program reads %q: take a newer program", payloadType, concert.OrderPayloadType)
}

// readAlong looks at a register that came with the order. It must be whole, since the
// file must be; whom it vouches for says nothing.
func (c *verification) readAlong() *Fault {
	e := c.file.Register
	if e == nil || c.register != nil && equal(*e, c.register.envelope) {
		return nil
	}
	along, f := openRegister(*e)
	if f != nil {
		return fault("order.register", "register", "the register that came with the order is broken: %s; ask for the original", f.Sentence)
	}
	c.along = along
	return nil
}

func equal(a, b concert.Envelope) bool {
	return a.PayloadType == b.PayloadType && bytes.Equal(a.Payload, b.Payload) && slices.EqualFunc(a.Signatures, b.Signatures, func(x, y concert.Signature) bool {
		return x.KeyID == y.KeyID && x.Role == y.Role && bytes.Equal(x.Sig, y.Sig)
	})
}

// author checks the author's signature before anything that it covers is believed.
func (c *verification) author() *Fault {
	s := c.file.Envelope.Signatures
	if len(s) < 1 || len(s) > 2 || s[0].Role != roleAuthor || len(s) == 2 && s[1].Role != roleTransport {
		return fault("order.signatures", "envelope.signatures", "an order has the author's signature and then at most the transport's: ask for the original")
	}
	if c.register != nil {
		c.key, c.known = c.register.keys[s[0].KeyID]
	}
	key := c.key
	if !c.known {
		if c.along == nil {
			return nil
		}
		var ok bool
		if key, ok = c.along.keys[s[0].KeyID]; !ok {
			return nil
		}
	}
	if c.file.Envelope.Verify(roleAuthor, key.Public) != nil {
		return fault("order.forged", "envelope.signatures", "the author's signature does not hold: payload or signature was changed after signing, or it was never the author's; ask the authority for the original")
	}
	c.signed = true
	return nil
}

// payload reads the order and looks whether it is complete.
func (c *verification) payload() *Fault {
	c.digest = Digest(c.file.Envelope)
	if err := payloadForm().Decode(c.file.Envelope.Payload, &c.order); err != nil {
		return fault("order.payload", "envelope.payload", "the order cannot be read: %v; a newer version wants a newer program", err)
	}
	if id := c.file.Envelope.Signatures[0].KeyID; id != c.order.Authority.KeyID {
		return fault("order.authority.keyid", "authority.keyid", "the order names the key %.40q and is signed under the name of %.40q: ask for the original", c.order.Authority.KeyID, id)
	}
	if faults := Check(c.order); len(faults) > 0 {
		f := faults[0]
		if n := len(faults) - 1; n > 0 {
			return fault(f.Code, f.Field, "%s; and %d more fields fail", f.Message, n)
		}
		return fault(f.Code, f.Field, "%s", f.Message)
	}
	var err error
	if c.issued, err = concert.ParseTime(c.order.IssuedAt); err != nil {
		return fault("order.issued_at", "issued_at", "issued_at: %v", err)
	}
	return nil
}

// bound looks whether the register lets this key sign this order.
func (c *verification) bound() *Fault {
	a := c.order.Authority
	if !c.known {
		if c.register != nil && c.register.names[a.Ref] {
			return fault("order.key_unknown", "authority.keyid", "the register has the authority %s but not the key %s: it is not that authority's, or your edition (%d) is too old; get a newer one", a.Ref, a.KeyID, c.register.edition.Serial)
		}
		return nil
	}
	k, r := c.key, c.register.edition
	switch {
	case k.authority.Ref != a.Ref:
		return fault("order.authority.ref", "authority.ref", "the key %s is that of %s, the order names %s: who signed is not who orders", k.KeyID, k.authority.Ref, a.Ref)
	case k.authority.Name != a.Name:
		return fault("order.authority.name", "authority.name", "the authority %s is registered as %q, the order calls it %q", a.Ref, k.authority.Name, a.Name)
	case k.authority.Country != a.Country:
		return fault("order.authority.country", "authority.country", "the authority %s is one of %s, the order says %s", a.Ref, k.authority.Country, a.Country)
	case k.Revoked != "":
		return fault("order.key_revoked", "authority.keyid", "the key %s was revoked at %s: nothing that it signed is to be trusted, whatever its date; ask the authority", k.KeyID, k.Revoked)
	case !slices.Contains(k.Functions, concert.FunctionIssue):
		return fault("order.key_function", "authority.keyid", "the key %s of %s may %v, but not issue removal orders (Art. 12(1)(a))", k.KeyID, a.Ref, k.Functions)
	case k.Law != c.order.IssuingState:
		return fault("order.key_law", "issuing_state", "the key %s acts under the law of %s, the order is issued under that of %s", k.KeyID, k.Law, c.order.IssuingState)
	case !k.holds(c.issued):
		return fault("order.key_time", "issued_at", "the order is of %s; the key %s holds since %s, until %s", c.order.IssuedAt, k.KeyID, k.Since, orEver(k.Until))
	case r.Exercise && !c.order.Exercise:
		return fault("order.exercise", "exercise", "the register is one of an exercise, the order does not say that it is one: nothing real can come from there")
	}
	return nil
}

func orEver(until string) string {
	if until == "" {
		return "further notice"
	}
	return until
}

// carried checks the transport's signature where its key is known, since no byte of
// the file may be changed; it says nothing about who ordered.
func (c *verification) carried() *Fault {
	s := c.file.Envelope.Signatures
	c.transport = TransportNone
	if len(s) < 2 {
		return nil
	}
	c.transport = TransportUnchecked
	var keys map[string]ed25519.PublicKey
	switch {
	case c.known:
		keys = c.register.transports
	case c.signed:
		keys = c.along.transports
	}
	if len(keys) == 0 {
		return nil
	}
	if key, ok := keys[s[1].KeyID]; !ok || c.file.Envelope.Verify(roleTransport, key) != nil {
		return fault("order.transport_forged", "envelope.signatures", "the transport's signature %.40q is by none of the keys that the register names, or does not hold: ask for the original", s[1].KeyID)
	}
	if c.known {
		c.transport = TransportHolds
	}
	return nil
}

// forReader looks at what the reader knows beside the order.
func (c *verification) forReader() *Fault {
	o, p := c.options, c.order
	switch {
	case o.Addressee != "" && o.Addressee != p.Addressee.Ref:
		return fault("order.addressee", "addressee.ref", "the order is addressed to %s (%s), not to %.100q: it binds its addressee only", p.Addressee.Name, p.Addressee.Ref, o.Addressee)
	case !o.Now.IsZero() && c.issued.After(o.Now.Add(clockAhead)):
		return fault("order.future", "issued_at", "the order is of %s, which is still to come: look at your clock, then ask the authority", p.IssuedAt)
	case o.Seen != nil && o.Seen(p.Ref):
		return fault("order.replayed", "ref", "the order %s was received before: it starts no new hour, the first receipt counts", p.Ref)
	}
	return nil
}
