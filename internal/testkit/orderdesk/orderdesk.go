// Package orderdesk is an invented authority that issues removal orders, for tests of
// what reads them. It stands apart from the rest of testkit, so that such tests need
// nothing of the house but the order. Its one invariant: everything it makes is marked
// EXERCISE and lies under names that end in .invalid.
package orderdesk

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"concert"
	"concert/order"
	"concert/tlog"
)

// Failing is a test, a benchmark or a script, that ends when what has to work does not.
type Failing interface {
	Helper()
	Fatal(args ...any)
}

// Desk is an invented authority that issues removal orders, with the root of the
// register that has it and the log of the deployment that carries it. Its keys come of
// its name, so that it makes the same bytes in every run.
type Desk struct {
	Root, Author, Transport ed25519.PrivateKey
	LogSigner               note.Signer
	Edition                 concert.OrderRegister // what Register signs
	t                       Failing
}

// Key is the key that a word gives.
func Key(of string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("EXERCISE " + of))
	return ed25519.NewKeyFromSeed(seed[:])
}

// New opens a desk whose deployment is called by the word.
func New(t Failing, name string) *Desk {
	t.Helper()
	origin := name + ".invalid/log"
	logKey := Key(name + " log")
	vkey, err := note.NewEd25519VerifierKey(origin, logKey.Public().(ed25519.PublicKey))
	Must(t, err)
	id, _, _ := strings.Cut(strings.TrimPrefix(vkey, origin+"+"), "+")
	signer, err := tlog.NewSigner("PRIVATE+KEY+" + origin + "+" + id + "+" + base64.StdEncoding.EncodeToString(append([]byte{1}, logKey.Seed()...)))
	Must(t, err)
	d := &Desk{Root: Key(name + " root"), Author: Key(name + " author"), Transport: Key(name + " transport"), LogSigner: signer, t: t}
	d.Edition = concert.OrderRegister{
		Type: "order_register", Version: 1, Origin: origin, LogKey: vkey, Serial: 3, At: "2026-01-05T08:00:00.000Z", Exercise: true,
		Authorities: []concert.RegisteredAuthority{{Ref: "AU-" + name, Name: "Competent Authority " + name + " (EXERCISE)", Country: "BE", Keys: []concert.RegisteredKey{
			RegisteredKey(d.Author, "BE", "2026-01-01T00:00:00.000Z", concert.FunctionIssue, concert.FunctionRefer)}}},
		Transports: [][]byte{d.Transport.Public().(ed25519.PublicKey)},
	}
	return d
}

// Must ends the test where something that has to work does not.
func Must(t Failing, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// RegisteredKey is a key as a register has it.
func RegisteredKey(key ed25519.PrivateKey, law, since string, functions ...concert.Function) concert.RegisteredKey {
	pub := key.Public().(ed25519.PublicKey)
	return concert.RegisteredKey{KeyID: concert.KeyID(pub), Public: pub, Functions: functions, Law: law, Since: since}
}

// Payload is a complete order to an invented provider in another state.
func (d *Desk) Payload(n int) concert.OrderPayload {
	a := d.Edition.Authorities[0]
	email := "duty@authority.invalid"
	return concert.OrderPayload{
		Type: "removal_order", Version: 1, Duty: concert.OrderDuty, Ref: fmt.Sprintf("RO-%06d", n), Language: "en", Transport: d.Edition.Origin, Exercise: d.Edition.Exercise,
		IssuingState: "BE", Addressee: concert.OrderAddressee{Ref: "PR-video", Name: "Video Host (EXERCISE)", Representative: "Video Host Ireland (EXERCISE)", ContactPoint: "tco@video.invalid", State: "IE"},
		IssuedAt: "2026-01-31T09:30:00.000Z",
		Places: []concert.OrderPlace{{Ref: fmt.Sprintf("IT-%06d", n), Additional: "second 12 to 40 (EXERCISE)", Location: concert.Location{
			Kind: "url", Canonical: fmt.Sprintf("video.invalid/watch?v=ex%06d", n), Platform: "video", ObjectID: fmt.Sprintf("ex%06d", n), Domain: "video.invalid",
			Display: fmt.Sprintf("hxxp://video[.]invalid/watch?v=ex%06d", n), Submitted: fmt.Sprintf("http://video.invalid/watch?v=ex%06d", n)}}},
		Reasons:    []concert.ContentType{concert.Incites, concert.Threat},
		Statement:  "EXERCISE: the film praises an invented attack, shows the mark of an invented group and calls upon whoever watches it to do the same on a day that it names.",
		LegalBasis: []string{"Regulation (EU) 2021/784, Art. 3(1)", "Invented Act of 2022, section 4 (EXERCISE)"},
		Scope:      []string{"EU"},
		CopyTo:     &concert.OrderContact{Role: "authority_of_addressee", Name: "Competent Authority of the host's state (EXERCISE)", State: "IE", Email: "copy@other.invalid"},
		Authority: concert.OrderAuthority{
			Ref: a.Ref, Kind: concert.OrderByLawEnforcement, Name: a.Name, Country: "BE", Unit: "EX-1", Representative: "Representative (EXERCISE)", Post: "Head of unit", FileNo: "EX/2026/1",
			Address: "1 Invented Street, Brussels", Telephone: "+32 2 000 00 00", Email: email, KeyID: a.Keys[0].KeyID},
		FollowUp: []concert.OrderContact{{Role: "issuing_authority", Name: a.Name, State: "BE", Telephone: "+32 2 000 00 00", Email: email}},
		Redress: []concert.OrderRedress{
			{For: concert.RedressProvider, Body: "Invented Court of First Instance", Deadline: "30 days from receipt of the order", Law: "Invented Act of 2022, section 9", Link: "https://law.invalid/9", AsOf: "2026-01-02"},
			{For: concert.RedressContent, Body: "Invented Court of First Instance", Deadline: "30 days from being informed", Law: "Invented Act of 2022, section 9", AsOf: "2026-01-02"}},
		FirstContact: concert.OrderFirstContact{NoticedAt: "2026-01-30T09:30:00.000Z", Notice: "NO-000001"},
		Automated:    concert.PayloadMachine{Detection: true},
	}
}

// Seal signs an order as its author and as its transport.
func (d *Desk) Seal(p concert.OrderPayload) concert.Envelope {
	d.t.Helper()
	e, err := order.Seal(p, d.Author, d.Transport)
	Must(d.t, err)
	return e
}

// IssuedBody is the body of the event that says that an order was issued.
func IssuedBody(ref, digest string) string {
	return fmt.Sprintf(`{"authority":"EXERCISE","digest":%q,"ref":%q}`, digest, ref)
}

// Proofs are proofs of events of this kind with these bodies, recorded at the time, in
// a log that has some others besides.
func (d *Desk) Proofs(kind concert.EventKind, at time.Time, bodies ...string) []concert.EventProof {
	d.t.Helper()
	salt := func(i int) []byte { s := sha256.Sum256(fmt.Appendf(nil, "EXERCISE %d", i)); return s[:] }
	var leaves []tlog.Hash
	for i := range 5 {
		leaves = append(leaves, tlog.LeafHash(tlog.Commit(salt(i), []byte("EXERCISE"))))
	}
	out := make([]concert.EventProof, len(bodies))
	for i, body := range bodies {
		e := concert.RecordedEvent{ID: concert.EventID(fmt.Sprintf("EXERCISE-%d", i)), Kind: kind, Version: 1, Subject: "EXERCISE", Actor: "EXERCISE", At: concert.Micros(at), Body: []byte(body)}
		p := concert.EventProof{Format: concert.EventProofFormat, Origin: d.Edition.Origin, LogKey: d.Edition.LogKey, Exercise: d.Edition.Exercise,
			Index: int64(len(leaves)), Event: string(e.Canonical(sha256.Sum256(nil))), Salt: salt(len(leaves))}
		commit := tlog.Commit(p.Salt, []byte(p.Event))
		p.Commit = commit[:]
		leaves = append(leaves, tlog.LeafHash(commit))
		out[i] = p
	}
	tiles := map[tlog.TileID][]byte{}
	head, made, err := tlog.Grow(tlog.Empty(), leaves, nil)
	Must(d.t, err)
	for _, tile := range made {
		tiles[tile.TileID] = tile.Data
	}
	signed, err := tlog.SignCheckpoint(tlog.Checkpoint{Origin: d.Edition.Origin, Head: head}, d.LogSigner)
	Must(d.t, err)
	for i := range out {
		path, err := tlog.InclusionProof(head.Size, out[i].Index, func(id tlog.TileID) ([]byte, error) { return tiles[id], nil })
		Must(d.t, err)
		for _, h := range path {
			out[i].Inclusion = append(out[i].Inclusion, h[:])
		}
		out[i].Checkpoint = string(signed)
	}
	return out
}

// Prove is the proof that the order in the envelope was issued.
func (d *Desk) Prove(p concert.OrderPayload, e concert.Envelope) concert.EventProof {
	d.t.Helper()
	digest := sha256.Sum256(e.Payload)
	at, err := concert.ParseTime(p.IssuedAt)
	Must(d.t, err)
	return d.Proofs("order.issued", at, IssuedBody(p.Ref, hex.EncodeToString(digest[:])))[0]
}

// File is an order as it travels, without a register.
func (d *Desk) File(p concert.OrderPayload) []byte {
	d.t.Helper()
	e := d.Seal(p)
	raw, err := order.File(e, d.Prove(p, e), nil)
	Must(d.t, err)
	return raw
}

// Envelope is the register as it stands in Edition, signed by the root.
func (d *Desk) Envelope() concert.Envelope {
	d.t.Helper()
	e, err := order.SealRegister(d.Edition, d.Root)
	Must(d.t, err)
	return e
}

// Register is the register as a file.
func (d *Desk) Register() []byte {
	d.t.Helper()
	raw, err := concert.CanonicalJSON(d.Envelope())
	Must(d.t, err)
	return raw
}

// Fingerprint is that of the root.
func (d *Desk) Fingerprint() order.Fingerprint {
	return order.FingerprintOf(d.Root.Public().(ed25519.PublicKey))
}

// Pinned is the register as who has pinned its root reads it.
func (d *Desk) Pinned() *order.Register {
	d.t.Helper()
	r, err := order.ReadRegister(d.Register(), order.Roots{d.Fingerprint()})
	Must(d.t, err)
	return r
}
