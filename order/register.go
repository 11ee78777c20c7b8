package order

import (
	"crypto/ed25519"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"

	"concert"
	"concert/tlog"
)

// Bounds of a register.
const (
	maxRegister    = 8 << 20 // bytes of the envelope
	maxAuthorities = 10_000
	maxKeys        = 100       // of one authority, and of who carries
	maxExact       = 1<<53 - 1 // beyond it JSON's numbers are no longer exact (RFC 8785)
)

// Register is an edition of the register whose root the reader pinned. Only
// [ReadRegister] makes one; what it says is never changed, and many may use it at
// once.
type Register struct {
	edition    concert.OrderRegister
	envelope   concert.Envelope
	root       Fingerprint
	log        note.Verifier
	keys       map[string]registered
	transports map[string]ed25519.PublicKey
	names      map[string]bool // references of authorities
	lastHead   atomic.Pointer[openedHead]
}

// openedHead is a checkpoint whose signature was found to hold: orders of one moment
// share theirs.
type openedHead struct {
	text string
	head tlog.Head
}

// registered is a key with whose it is and when it may sign.
type registered struct {
	concert.RegisteredKey
	authority    concert.RegisteredAuthority
	since, until time.Time // until is zero for without an end
}

// Edition is what the register says.
func (r *Register) Edition() concert.OrderRegister { return r.edition }

// Root is the fingerprint of the key that signed it.
func (r *Register) Root() Fingerprint { return r.root }

// Newer reports whether r is a later edition of the same register than other.
func (r *Register) Newer(other *Register) bool {
	return other == nil || r.edition.Origin == other.edition.Origin && r.edition.Serial > other.edition.Serial
}

// ReadRegister reads a signed register, which counts only where its root is one of
// those pinned. Every other is a [Fault]: of the code "register.root" where it is
// whole and its root is not pinned.
func ReadRegister(raw []byte, pinned Roots) (*Register, error) {
	e, err := readEnvelope(raw)
	if err != nil {
		return nil, err
	}
	r, f := openRegister(e)
	if f != nil {
		return nil, f
	}
	if !slices.Contains(pinned, r.root) {
		return nil, fault("register.root", "root", "the register of %s is signed by the root %s, which you have not pinned: %s", r.edition.Origin, r.root, howToPin)
	}
	return r, nil
}

const howToPin = "have its fingerprint told to you by another way than with the order, and pin it with concert order trust"

// Look reads a register without trusting anybody: what it says, and the fingerprint
// of the key that signed it. The signature holds, which says nothing about whose it
// is.
func Look(raw []byte) (Fingerprint, concert.OrderRegister, error) {
	e, err := readEnvelope(raw)
	if err != nil {
		return Fingerprint{}, concert.OrderRegister{}, err
	}
	r, f := openRegister(e)
	if f != nil {
		return Fingerprint{}, concert.OrderRegister{}, f
	}
	return r.root, r.edition, nil
}

func readEnvelope(raw []byte) (concert.Envelope, error) {
	var e concert.Envelope
	if len(raw) > maxRegister {
		return e, fault("register.size", "", "the register has %d bytes, more than %d", len(raw), maxRegister)
	}
	if err := concert.DecodeCanonical(withoutEnd(raw), &e); err != nil {
		return e, fault("register.form", "", "this is no register: %v; it begins with {\"payload\":", err)
	}
	return e, nil
}

// withoutEnd takes one line feed from the end, which editors and pipes put there.
func withoutEnd(raw []byte) []byte {
	if n := len(raw); n > 0 && raw[n-1] == '\n' {
		return raw[:n-1]
	}
	return raw
}

// openRegister checks that a register is whole and signed by the root that it names.
// It pins nothing.
func openRegister(e concert.Envelope) (*Register, *Fault) {
	if e.PayloadType != concert.RegisterPayloadType {
		return nil, fault("register.type", "payloadType", "the envelope holds %.100q and no register", e.PayloadType)
	}
	if len(e.Signatures) != 1 || e.Signatures[0].Role != roleRegister {
		return nil, fault("register.signatures", "signatures", "a register has one signature, in the role %q", roleRegister)
	}
	var edition concert.OrderRegister
	if err := concert.DecodeCanonical(e.Payload, &edition); err != nil {
		return nil, fault("register.payload", "payload", "the register cannot be read: %v", err)
	}
	r, f := newRegister(edition)
	if f != nil {
		return nil, f
	}
	if err := e.Verify(roleRegister, edition.Root); err != nil {
		return nil, fault("register.forged", "signatures", "the register is not signed by the root that it names: %v", err)
	}
	r.envelope = e
	return r, nil
}

// newRegister checks what an edition says and makes it ready for look-ups.
func newRegister(edition concert.OrderRegister) (*Register, *Fault) {
	_, errAt := concert.ParseTime(edition.At)
	switch {
	case edition.Type != "order_register":
		return nil, fault("register.type", "type", "type is %.40q instead of \"order_register\"", edition.Type)
	case edition.Version != 1:
		return nil, fault("register.version", "version", "the register has version %d, this program reads 1: take a newer program", edition.Version)
	case !word(edition.Origin, maxLine):
		return nil, fault("register.origin", "origin", "the register names no origin")
	case edition.Serial < 1 || edition.Serial > maxExact:
		return nil, fault("register.serial", "serial", "the serial number %d lies outside 1 to %d", edition.Serial, int64(maxExact))
	case errAt != nil:
		return nil, fault("register.at", "at", "at is %.40q and no time in UTC with milliseconds", edition.At)
	case len(edition.Root) != ed25519.PublicKeySize:
		return nil, fault("register.root", "root", "the root key has %d bytes instead of %d", len(edition.Root), ed25519.PublicKeySize)
	case len(edition.Authorities) > maxAuthorities:
		return nil, fault("register.authorities", "authorities", "the register has %d authorities, more than %d", len(edition.Authorities), maxAuthorities)
	case len(edition.Transports) > maxKeys:
		return nil, fault("register.transports", "transports", "the register has %d keys of transport, more than %d", len(edition.Transports), maxKeys)
	}
	log, err := tlog.NewVerifier(edition.LogKey)
	if err != nil || log.Name() != edition.Origin {
		return nil, fault("register.log_key", "log_key", "log_key is not the key of the log %s", edition.Origin)
	}
	r := &Register{edition: edition, root: FingerprintOf(edition.Root), log: log, keys: map[string]registered{}, transports: map[string]ed25519.PublicKey{}, names: map[string]bool{}}
	for i, k := range edition.Transports {
		if len(k) != ed25519.PublicKeySize {
			return nil, fault("register.transports", fmt.Sprintf("transports[%d]", i), "key %d of transport has %d bytes instead of %d", i, len(k), ed25519.PublicKeySize)
		}
		r.transports[concert.KeyID(k)] = k
	}
	for i, a := range edition.Authorities {
		if f := r.add(fmt.Sprintf("authorities[%d]", i), a); f != nil {
			return nil, f
		}
	}
	return r, nil
}

// add takes an authority with its keys.
func (r *Register) add(at string, a concert.RegisteredAuthority) *Fault {
	switch {
	case !word(a.Ref, maxWord) || r.names[a.Ref]:
		return fault("register.authorities.ref", at+".ref", "%s has the reference %.40q, which is empty or another's", at, a.Ref)
	case !word(a.Name, maxLine):
		return fault("register.authorities.name", at+".name", "%s has no name", at)
	case !concert.IsCountry(a.Country):
		return fault("register.authorities.country", at+".country", "%s has the country %.40q instead of two capital letters", at, a.Country)
	case len(a.Keys) > maxKeys:
		return fault("register.authorities.keys", at+".keys", "%s has %d keys, more than %d", at, len(a.Keys), maxKeys)
	}
	r.names[a.Ref] = true
	for i, k := range a.Keys {
		at := fmt.Sprintf("%s.keys[%d]", at, i)
		since, errSince := concert.ParseTime(k.Since)
		until, errUntil := concert.ParseTime(k.Until)
		_, errRevoked := concert.ParseTime(k.Revoked)
		_, taken := r.keys[k.KeyID]
		switch {
		case len(k.Public) != ed25519.PublicKeySize:
			return fault("register.keys.public", at+".public", "%s has %d bytes instead of %d", at, len(k.Public), ed25519.PublicKeySize)
		case k.KeyID != concert.KeyID(k.Public):
			return fault("register.keys.keyid", at+".keyid", "%s is named %.40q, its bytes give %s", at, k.KeyID, concert.KeyID(k.Public))
		case taken:
			return fault("register.keys.keyid", at+".keyid", "%s stands in the register twice: a key belongs to one authority", at)
		case !functions(k.Functions):
			return fault("register.keys.functions", at+".functions", "%s has the functions %.100q: each of %v at most once, and at least one", at, k.Functions, concert.Functions)
		case !concert.IsCountry(k.Law):
			return fault("register.keys.law", at+".law", "%s acts under the law of %.40q instead of two capital letters", at, k.Law)
		case errSince != nil:
			return fault("register.keys.since", at+".since", "%s holds since %.40q, which is no time in UTC with milliseconds", at, k.Since)
		case k.Until != "" && (errUntil != nil || !until.After(since)):
			return fault("register.keys.until", at+".until", "%s holds until %.40q, which is no time in UTC with milliseconds after its beginning", at, k.Until)
		case k.Revoked != "" && errRevoked != nil:
			return fault("register.keys.revoked", at+".revoked", "%s was revoked at %.40q, which is no time in UTC with milliseconds", at, k.Revoked)
		}
		known := registered{RegisteredKey: k, authority: a, since: since}
		if k.Until != "" {
			known.until = until
		}
		r.keys[k.KeyID] = known
	}
	return nil
}

func functions(list []concert.Function) bool {
	for i, f := range list {
		if !slices.Contains(concert.Functions, f) || slices.Contains(list[:i], f) {
			return false
		}
	}
	return len(list) > 0
}

// word reports whether s is one line of plain text that says something.
func word(s string, most int) bool {
	return strings.TrimSpace(s) != "" && utf8.ValidString(s) && utf8.RuneCountInString(s) <= most && plain(s, "")
}

// holds reports whether the key may sign at t.
func (k registered) holds(t time.Time) bool {
	return !t.Before(k.since) && (k.until.IsZero() || t.Before(k.until))
}
