package order_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"concert"
	"concert/internal/testkit/orderdesk"
	"concert/order"
)

func wantVerdict(t *testing.T, v order.Verdict, outcome order.Outcome, code string) {
	t.Helper()
	if v.Outcome != outcome || v.Code != code {
		t.Errorf("%s %s, want %s %s: %s", v.Outcome, v.Code, outcome, code, v.Sentence)
	}
	if strings.Contains(v.Sentence, "\n") || v.Sentence == "" {
		t.Errorf("not one sentence: %q", v.Sentence)
	}
	if v.Outcome == order.Invalid && (v.Ref != "" || v.Order.Ref != "") {
		t.Errorf("an invalid verdict tells what the order said: %+v", v)
	}
}

func TestG09AnOrderVerifiesOffline(t *testing.T) {
	t.Parallel()
	d := orderdesk.New(t, "north")
	p := d.Payload(1)
	v := order.Verify(d.File(p), d.Pinned(), order.Options{})
	wantVerdict(t, v, order.Valid, "")
	if v.Transport != order.TransportHolds || v.Authority != "Competent Authority north (EXERCISE)" || v.Order.Ref != p.Ref || v.Serial != 3 || !v.Exercise || v.Index != 5 {
		t.Errorf("%+v", v)
	}
	for _, word := range []string{"valid", "EXERCISE", p.Ref, p.Authority.Name, p.IssuedAt, "event 5 of the log of north.invalid/log"} {
		if !strings.Contains(v.Sentence, word) {
			t.Errorf("%q does not say %q", v.Sentence, word)
		}
	}
	// One line feed at the end is an editor's; two are somebody's.
	wantVerdict(t, order.Verify(append(d.File(p), '\n'), d.Pinned(), order.Options{}), order.Valid, "")
	wantVerdict(t, order.Verify(append(d.File(p), '\n', '\n'), d.Pinned(), order.Options{}), order.Invalid, "order.form")
}

// Every byte of the file is changed in turn: each bit, and to what a reader of JSON or base64 might overlook.
func TestG09OneChangedByteAnywhereFails(t *testing.T) {
	t.Parallel()
	d := orderdesk.New(t, "north")
	e := d.Envelope()
	p := d.Payload(1)
	sealed := d.Seal(p)
	with, err := order.File(sealed, d.Prove(p, sealed), &e)
	orderdesk.Must(t, err)
	other := orderdesk.New(t, "south").Envelope()
	strange, err := order.File(sealed, d.Prove(p, sealed), &other)
	orderdesk.Must(t, err)
	reg := d.Pinned()
	r := rand.New(rand.NewPCG(1, 2))
	for name, file := range map[string][]byte{"alone": d.File(p), "with its register": with, "with another's register": strange} {
		wantVerdict(t, order.Verify(file, reg, order.Options{}), order.Valid, "")
		tried := 0
		for i := range file {
			for _, b := range []byte{file[i] ^ 1, file[i] ^ 0x20, file[i] ^ 0x80, ' ', '=', byte(r.IntN(256))} {
				if b == file[i] || name != "alone" && i%7 != 0 {
					continue
				}
				tried++
				changed := bytes.Clone(file)
				changed[i] = b
				if v := order.Verify(changed, reg, order.Options{}); v.Outcome != order.Invalid {
					t.Fatalf("%s: byte %d changed from %q to %q: %s", name, i, file[i], b, v.Sentence)
				}
			}
		}
		t.Logf("%s: %d bytes, %d changes", name, len(file), tried)
	}
}

func TestATruncatedOrderFailsAtEveryLength(t *testing.T) {
	t.Parallel()
	d := orderdesk.New(t, "north")
	file, reg := d.File(d.Payload(1)), d.Pinned()
	for n := range file {
		if v := order.Verify(file[:n], reg, order.Options{}); v.Outcome != order.Invalid {
			t.Fatalf("%d of %d bytes: %s", n, len(file), v.Sentence)
		}
	}
}

// G01: a referral asks. What is signed as one can never be taken for an order.
func TestG01AReferralIsNoOrder(t *testing.T) {
	t.Parallel()
	d := orderdesk.New(t, "north")
	raw, err := concert.CanonicalJSON(concert.ReferralPayload{Type: "referral", Version: 1, Ref: "RF-1", Voluntary: concert.VoluntaryNotice, Exercise: true})
	orderdesk.Must(t, err)
	referral := concert.Envelope{PayloadType: concert.ReferralPayloadType, Payload: raw}.Sign("author", d.Author)
	p := d.Payload(1)
	proof := d.Prove(p, referral)
	bare, err := json.MarshalIndent(referral, "", " ")
	orderdesk.Must(t, err)
	wrapped, err := order.File(referral, proof, nil)
	orderdesk.Must(t, err)
	for name, file := range map[string][]byte{"alone": bare, "as an order": wrapped, "its payload": raw} {
		v := order.Verify(file, d.Pinned(), order.Options{})
		wantVerdict(t, v, order.Invalid, "order.referral")
		if !strings.Contains(v.Sentence, "voluntary and no order") {
			t.Errorf("%s: %s", name, v.Sentence)
		}
	}
	// The type is signed: the same payload and signature under an order's type do not hold.
	referral.PayloadType = concert.OrderPayloadType
	wrapped, err = order.File(referral, proof, nil)
	orderdesk.Must(t, err)
	wantVerdict(t, order.Verify(wrapped, d.Pinned(), order.Options{}), order.Invalid, "order.forged")
	// Nor does a referral's payload that the authority signs as an order.
	wrapped, err = order.File(concert.Envelope{PayloadType: concert.OrderPayloadType, Payload: raw}.Sign("author", d.Author), proof, nil)
	orderdesk.Must(t, err)
	wantVerdict(t, order.Verify(wrapped, d.Pinned(), order.Options{}), order.Invalid, "order.payload")
	// And no order passes for a referral.
	if strings.Contains(string(d.Seal(p).Payload), concert.VoluntaryNotice) {
		t.Error("an order calls itself voluntary")
	}
}

// TestG09WhoMaySign goes through what a register may say of a key that signed well.
func TestG09WhoMaySign(t *testing.T) {
	t.Parallel()
	key := func(d *orderdesk.Desk) *concert.RegisteredKey { return &d.Edition.Authorities[0].Keys[0] }
	for name, c := range map[string]struct {
		change func(d *orderdesk.Desk)
		code   string
	}{
		"as it is":        {func(*orderdesk.Desk) {}, ""},
		"revoked later":   {func(d *orderdesk.Desk) { key(d).Revoked = "2026-03-01T00:00:00.000Z" }, "order.key_revoked"},
		"revoked before":  {func(d *orderdesk.Desk) { key(d).Revoked = "2026-01-02T00:00:00.000Z" }, "order.key_revoked"},
		"may refer only":  {func(d *orderdesk.Desk) { key(d).Functions = []concert.Function{concert.FunctionRefer} }, "order.key_function"},
		"may scrutinise":  {func(d *orderdesk.Desk) { key(d).Functions = []concert.Function{concert.FunctionScrutinise} }, "order.key_function"},
		"law of another":  {func(d *orderdesk.Desk) { key(d).Law = "ES" }, "order.key_law"},
		"not yet":         {func(d *orderdesk.Desk) { key(d).Since = "2026-01-31T09:30:00.001Z" }, "order.key_time"},
		"just so":         {func(d *orderdesk.Desk) { key(d).Since = "2026-01-31T09:30:00.000Z" }, ""},
		"no longer":       {func(d *orderdesk.Desk) { key(d).Until = "2026-01-31T09:30:00.000Z" }, "order.key_time"},
		"still":           {func(d *orderdesk.Desk) { key(d).Until = "2026-01-31T09:30:00.001Z" }, ""},
		"another's key":   {func(d *orderdesk.Desk) { d.Edition.Authorities[0].Ref = "AU-other" }, "order.authority.ref"},
		"another name":    {func(d *orderdesk.Desk) { d.Edition.Authorities[0].Name = "Somebody (EXERCISE)" }, "order.authority.name"},
		"another country": {func(d *orderdesk.Desk) { d.Edition.Authorities[0].Country = "ES" }, "order.authority.country"},
		"another key": {func(d *orderdesk.Desk) {
			*key(d) = orderdesk.RegisteredKey(orderdesk.Key("new"), "BE", "2026-01-01T00:00:00.000Z", concert.FunctionIssue)
		}, "order.key_unknown"},
		"another transport": {func(d *orderdesk.Desk) {
			d.Edition.Transports[0] = orderdesk.Key("new").Public().(ed25519.PublicKey)
		}, "order.transport_forged"},
		"unknown transport":  {func(d *orderdesk.Desk) { d.Edition.Transports = nil }, ""},
		"real, not exercise": {func(d *orderdesk.Desk) { d.Edition.Exercise = false }, "order.proof"},
	} {
		d := orderdesk.New(t, "north")
		file := d.File(d.Payload(1))
		c.change(d)
		want := order.Valid
		if c.code != "" {
			want = order.Invalid
		}
		t.Log(name)
		wantVerdict(t, order.Verify(file, d.Pinned(), order.Options{}), want, c.code)
	}
}

// Out of an exercise, who has a key that has ended cannot date an order back: the log knows when it was recorded.
func TestAnOldKeyCannotDateBack(t *testing.T) {
	t.Parallel()
	d := orderdesk.New(t, "north")
	d.Edition.Exercise = false
	d.Edition.Authorities[0].Keys[0].Until = "2026-02-01T00:00:00.000Z"
	p := d.Payload(1)
	wantVerdict(t, order.Verify(d.File(p), d.Pinned(), order.Options{}), order.Valid, "")
	e := d.Seal(p)
	late := d.Proofs("order.issued", time.Date(2026, 2, 2, 0, 0, 0, 0, time.UTC), orderdesk.IssuedBody(p.Ref, order.Digest(e)))[0]
	file, err := order.File(e, late, nil)
	orderdesk.Must(t, err)
	v := order.Verify(file, d.Pinned(), order.Options{})
	wantVerdict(t, v, order.Invalid, "order.key_time")
	if strings.Contains(v.Sentence, "EXERCISE") {
		t.Error(v.Sentence)
	}
}

// What came with an order, or what nobody pinned, makes nothing valid.
func TestG09ARegisterThatCameAlongNeverCounts(t *testing.T) {
	t.Parallel()
	d, self := orderdesk.New(t, "north"), orderdesk.New(t, "self")
	p := self.Payload(1)
	e, own := self.Seal(p), self.Envelope()
	along, err := order.File(e, self.Prove(p, e), &own)
	orderdesk.Must(t, err)
	for name, reg := range map[string]*order.Register{"nothing pinned": nil, "another pinned": d.Pinned()} {
		v := order.Verify(along, reg, order.Options{})
		wantVerdict(t, v, order.AuthorityUnknown, "order.authority_unknown")
		if !strings.HasPrefix(v.Sentence, "signed, authority unknown") || !strings.Contains(v.Sentence, self.Fingerprint().String()) {
			t.Errorf("%s: %s", name, v.Sentence)
		}
		v = order.Verify(self.File(p), reg, order.Options{})
		wantVerdict(t, v, order.AuthorityUnknown, "order.authority_unknown")
		if strings.HasPrefix(v.Sentence, "signed") {
			t.Errorf("%s: nobody checked a signature, and it says %s", name, v.Sentence)
		}
	}
	// A self-made authority that calls itself as the real one does is found out, with or without its own register.
	forged := orderdesk.New(t, "north")
	forged.Root, forged.Author = self.Root, self.Author
	forged.Edition.Authorities[0].Keys[0] = orderdesk.RegisteredKey(self.Author, "BE", "2026-01-01T00:00:00.000Z", concert.FunctionIssue)
	e, own = forged.Seal(forged.Payload(1)), forged.Envelope()
	along, err = order.File(e, forged.Prove(forged.Payload(1), e), &own)
	orderdesk.Must(t, err)
	wantVerdict(t, order.Verify(along, d.Pinned(), order.Options{}), order.Invalid, "order.key_unknown")
	wantVerdict(t, order.Verify(along, nil, order.Options{}), order.AuthorityUnknown, "order.authority_unknown")
	// Even with nobody pinned, what is plainly wrong is invalid.
	e.Signatures[0].Sig = bytes.Clone(e.Signatures[0].Sig)
	e.Signatures[0].Sig[0] ^= 1
	along, err = order.File(e, forged.Prove(forged.Payload(1), e), &own)
	orderdesk.Must(t, err)
	wantVerdict(t, order.Verify(along, nil, order.Options{}), order.Invalid, "order.forged")
}

// TestG09ForgedOrders takes the parts of good orders and puts them together wrongly.
func TestG09ForgedOrders(t *testing.T) {
	t.Parallel()
	d := orderdesk.New(t, "north")
	other := orderdesk.New(t, "north") // but for the key of the log
	foreign := orderdesk.New(t, "south")
	other.LogSigner, other.Edition.LogKey, other.Edition.Origin = foreign.LogSigner, foreign.Edition.LogKey, foreign.Edition.Origin
	p := d.Payload(1)
	e := d.Seal(p)
	proof := d.Prove(p, e)
	write := func(e concert.Envelope, change func(p *concert.EventProof)) []byte {
		own := proof
		if change != nil {
			change(&own)
		}
		raw, err := concert.CanonicalJSON(concert.OrderFile{Format: concert.OrderFileFormat, Envelope: e, Proof: &own})
		orderdesk.Must(t, err)
		return raw
	}
	second := d.Payload(2)
	sealed := d.Seal(second)
	changed := p
	changed.Statement += " Changed."
	again := d.Seal(changed)
	event := func(kind concert.EventKind, body string) func(*concert.EventProof) {
		return func(p *concert.EventProof) { *p = d.Proofs(kind, time.UnixMicro(1), body)[0] }
	}
	signatures := func(list ...concert.Signature) concert.Envelope {
		e := e
		e.Signatures = list
		return e
	}
	author, transport := e.Signatures[0], e.Signatures[1]
	asAuthor := transport
	asAuthor.Role = "author"
	for name, c := range map[string]struct {
		file []byte
		code string
	}{
		"signature of another order":   {write(concert.Envelope{PayloadType: e.PayloadType, Payload: sealed.Payload, Signatures: e.Signatures}, nil), "order.forged"},
		"proof of another order":       {write(sealed, nil), "order.proof"},
		"same reference, other text":   {write(again, nil), "order.proof"},
		"no signature":                 {write(signatures(), nil), "order.signatures"},
		"transport alone":              {write(signatures(transport), nil), "order.signatures"},
		"transport as author":          {write(signatures(asAuthor), nil), "order.authority.keyid"},
		"transport before author":      {write(signatures(transport, author), nil), "order.signatures"},
		"two authors":                  {write(signatures(author, author), nil), "order.signatures"},
		"three signatures":             {write(signatures(author, transport, transport), nil), "order.signatures"},
		"no transport":                 {write(signatures(author), nil), ""},
		"another kind of event":        {write(e, event("referral.sent", orderdesk.IssuedBody(p.Ref, order.Digest(e)))), "order.proof"},
		"event of another reference":   {write(e, event("order.issued", orderdesk.IssuedBody("RO-9", order.Digest(e)))), "order.proof"},
		"event without a digest":       {write(e, event("order.issued", `{"ref":"RO-000001"}`)), "order.proof"},
		"event of this order":          {write(e, event("order.issued", orderdesk.IssuedBody(p.Ref, order.Digest(e)))), ""},
		"erased event":                 {write(e, func(p *concert.EventProof) { p.Event, p.Salt = "", nil }), "order.proof"},
		"another index":                {write(e, func(p *concert.EventProof) { p.Index-- }), "order.proof"},
		"a huge index":                 {write(e, func(p *concert.EventProof) { p.Index = 1 << 53 }), "order.form"},
		"a negative index":             {write(e, func(p *concert.EventProof) { p.Index = -1 }), "order.proof"},
		"another log's head":           {write(e, func(q *concert.EventProof) { *q = other.Prove(p, e) }), "order.proof"},
		"another log's head, our name": {write(e, func(q *concert.EventProof) { *q = other.Prove(p, e); q.LogKey = d.Edition.LogKey }), "order.proof"},
		"an earlier head":              {write(e, func(p *concert.EventProof) { p.Earlier = &concert.EarlierProof{} }), "order.proof"},
		"a second signature of a head": {write(e, func(p *concert.EventProof) { p.Checkpoint += "— witness.invalid AAAAAA==\n" }), "order.proof"},
		"the head signed twice":        {write(e, func(p *concert.EventProof) { p.Checkpoint += p.Checkpoint[strings.Index(p.Checkpoint, "— "):] }), "order.proof"},
		"another format of proof":      {write(e, func(p *concert.EventProof) { p.Format = "concert-event/2" }), "order.proof"},
		"another origin":               {write(e, func(p *concert.EventProof) { p.Origin = "south.invalid/log" }), "order.proof"},
		"a real proof":                 {write(e, func(p *concert.EventProof) { p.Exercise = false }), "order.proof"},
	} {
		want := order.Valid
		if c.code != "" {
			want = order.Invalid
		}
		t.Log(name)
		wantVerdict(t, order.Verify(c.file, d.Pinned(), order.Options{}), want, c.code)
	}
	raw, err := concert.CanonicalJSON(concert.OrderFile{Format: concert.OrderFileFormat, Envelope: e})
	orderdesk.Must(t, err)
	bare, err := concert.CanonicalJSON(e)
	orderdesk.Must(t, err)
	for _, file := range [][]byte{raw, bare} {
		v := order.Verify(file, d.Pinned(), order.Options{})
		wantVerdict(t, v, order.Invalid, "order.proof_missing")
		if !strings.Contains(v.Sentence, "ask the issuing authority") {
			t.Error(v.Sentence)
		}
	}
}

// TestHostileFiles are files that are no order of this version, or none in its one form.
func TestHostileFiles(t *testing.T) {
	t.Parallel()
	d := orderdesk.New(t, "north")
	good := string(d.File(d.Payload(1)))
	var fields map[string]json.RawMessage
	orderdesk.Must(t, json.Unmarshal([]byte(good), &fields))
	deep := strings.Repeat(`{"a":`, 300_000) + "1" + strings.Repeat("}", 300_000)
	replace := func(old, with string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("the file has no %s", old)
		}
		return strings.Replace(good, old, with, 1)
	}
	for name, c := range map[string]struct{ file, code string }{
		"nothing":               {"", "order.form"},
		"a line feed":           {"\n", "order.form"},
		"null":                  {"null", "order.form"},
		"a list":                {"[]", "order.form"},
		"an empty object":       {"{}", "order.form"},
		"a word":                {"order", "order.form"},
		"newer file":            {replace("concert-order/1", "concert-order/2"), "order.format"},
		"another format":        {`{"format":"concert-event/1"}`, "order.format"},
		"newer payload type":    {replace("vnd.concert.order.v1", "vnd.concert.order.v2"), "order.payload_type"},
		"a reply":               {`{"payload":"","payloadType":"` + concert.FeedbackPayloadType + `","signatures":[]}`, "order.reply"},
		"a register":            {string(d.Register()), "order.is_register"},
		"another order of keys": {`{"format":"concert-order/1","envelope":` + string(fields["envelope"]) + `,"proof":` + string(fields["proof"]) + "}", "order.form"},
		"white space":           {strings.Replace(good, ":", ": ", 1), "order.form"},
		"a byte order mark":     {"\ufeff" + good, "order.form"},
		"a key twice":           {strings.Replace(good, `{"envelope":`, `{"format":"concert-order/1","envelope":`, 1), "order.form"},
		"a key twice, inside":   {replace(`"index":5`, `"index":5,"index":5`), "order.form"},
		"another case":          {replace(`"format":"concert-order`, `"Format":"concert-order`), "order.form"},
		"an unknown field":      {strings.Replace(good, `{"envelope":`, `{"a":1,"envelope":`, 1), "order.form"},
		"a field of null":       {good[:len(good)-1] + `,"register":null}`, "order.form"},
		"behind it":             {good + "x", "order.form"},
		"twice":                 {good + good, "order.form"},
		"a huge number":         {replace(`"index":5`, `"index":1e999`), "order.form"},
		"a huge integer":        {replace(`"index":5`, `"index":99999999999999999999`), "order.form"},
		"another five":          {replace(`"index":5`, `"index":5.0`), "order.form"},
		"minus nought":          {replace(`"index":5`, `"index":-0`), "order.form"},
		"an escape":             {replace("concert-order", `concert\u002dorder`), "order.form"},
		"deep":                  {deep, "order.form"},
		"deep, in it":           {replace(`"format":"concert-order/1"`, `"format":`+deep), "order.form"},
		"large":                 {strings.Repeat(" ", order.MaxFile+1), "order.size"},
		"broken characters":     {replace("concert-order", "concert\xff"), "order.format"},
	} {
		start := time.Now()
		v := order.Verify([]byte(c.file), d.Pinned(), order.Options{})
		t.Logf("%s: %s", name, v.Sentence)
		wantVerdict(t, v, order.Invalid, c.code)
		if len(v.Sentence) > 1000 || time.Since(start) > 5*time.Second {
			t.Errorf("%s: %d bytes after %s", name, len(v.Sentence), time.Since(start))
		}
	}
	if v := order.Verify([]byte(replace(`"format":`, `"evil":"x","format":`)), d.Pinned(), order.Options{}); !strings.Contains(v.Sentence, "/evil") {
		t.Errorf("the unknown field is not named: %s", v.Sentence)
	}
}

// Payloads that an authority signed, and that are no orders of this version.
func TestSignedPayloadsInAnotherForm(t *testing.T) {
	t.Parallel()
	d := orderdesk.New(t, "north")
	good, err := concert.CanonicalJSON(d.Payload(1))
	orderdesk.Must(t, err)
	edit := func(old, with string) string { return strings.Replace(string(good), old, with, 1) }
	for name, c := range map[string]struct{ payload, code, says string }{
		"as it is":         {string(good), "", ""},
		"white space":      {" " + string(good), "order.payload", "RFC 8785"},
		"unknown field":    {edit(`"scope":`, `"scopes":["EU"],"scope":`), "order.payload", "/scopes"},
		"a newer version":  {edit(`"version":1`, `"version":2`), "order.version", "version"},
		"a key twice":      {edit(`"version":1`, `"version":1,"version":1`), "order.payload", "twice"},
		"a key too many":   {edit(`"name":`, `"extra":1,"name":`), "order.payload", "/extra"},
		"a huge version":   {edit(`"version":1`, `"version":1e400`), "order.payload", "/version"},
		"a text as number": {edit(`"version":1`, `"version":"1"`), "order.payload", "/version"},
		"behind it":        {string(good) + "{}", "order.payload", ""},
		"cut":              {string(good[:len(good)-1]), "order.payload", ""},
		"another type":     {edit(`"type":"removal_order"`, `"type":"referral"`), "order.type", "removal_order"},
		"a changed duty":   {edit("within one hour", "within one day"), "order.duty", "word for word"},
		"an empty place":   {edit(`"places":[`, `"places":[null,`), "order.payload", ""},
		"no places":        {edit(`"places":[`, `"places":[],"x":[`), "order.payload", ""},
	} {
		e := concert.Envelope{PayloadType: concert.OrderPayloadType, Payload: []byte(c.payload)}.Sign("author", d.Author).Sign("transport", d.Transport)
		file, err := order.File(e, d.Prove(d.Payload(1), e), nil)
		orderdesk.Must(t, err)
		v := order.Verify(file, d.Pinned(), order.Options{})
		want := order.Valid
		if c.code != "" {
			want = order.Invalid
		}
		t.Log(name, v.Sentence)
		wantVerdict(t, v, want, c.code)
		if !strings.Contains(v.Sentence, c.says) {
			t.Errorf("%s: %s does not say %q", name, v.Sentence, c.says)
		}
	}
}

// Nothing real comes out of an exercise; an exercise may be held on what is real, and says that it is one.
func TestAnExerciseOrdersNothingReal(t *testing.T) {
	t.Parallel()
	d := orderdesk.New(t, "north")
	p := d.Payload(1)
	p.Exercise = false
	wantVerdict(t, order.Verify(d.File(p), d.Pinned(), order.Options{}), order.Invalid, "order.exercise")
	d.Edition.Exercise = false
	p.Exercise = true
	v := order.Verify(d.File(p), d.Pinned(), order.Options{})
	wantVerdict(t, v, order.Valid, "")
	if !v.Exercise || !strings.HasPrefix(v.Sentence, "valid, EXERCISE: ") {
		t.Error(v.Sentence)
	}
}

func TestWhatTheReaderKnows(t *testing.T) {
	t.Parallel()
	d := orderdesk.New(t, "north")
	file, reg := d.File(d.Payload(1)), d.Pinned()
	seen := map[string]bool{}
	o := order.Options{Addressee: "PR-video", Now: time.Date(2026, 1, 31, 9, 26, 0, 0, time.UTC), Seen: func(ref string) bool { return seen[ref] }}
	wantVerdict(t, order.Verify(file, reg, o), order.Valid, "")
	seen["RO-000001"] = true
	wantVerdict(t, order.Verify(file, reg, o), order.Invalid, "order.replayed")
	o.Now = o.Now.Add(-2 * time.Minute)
	wantVerdict(t, order.Verify(file, reg, o), order.Invalid, "order.future")
	o.Addressee = "PR-other"
	wantVerdict(t, order.Verify(file, reg, o), order.Invalid, "order.addressee")
}

// An order is the same to everyone who checks it at once.
func TestARegisterIsForMany(t *testing.T) {
	t.Parallel()
	d := orderdesk.New(t, "north")
	file, reg := d.File(d.Payload(1)), d.Pinned()
	done := make(chan order.Verdict)
	for range 8 {
		go func() { done <- order.Verify(file, reg, order.Options{}) }()
	}
	for range 8 {
		wantVerdict(t, <-done, order.Valid, "")
	}
}

func FuzzVerify(f *testing.F) {
	d := orderdesk.New(f, "north")
	p := d.Payload(1)
	e := d.Seal(p)
	own := d.Envelope()
	with, err := order.File(e, d.Prove(p, e), &own)
	orderdesk.Must(f, err)
	good := d.File(p)
	reg := d.Pinned()
	f.Add(good)
	f.Add(with)
	f.Add(d.Register())
	f.Add([]byte(fmt.Sprintf(`{"payloadType":%q}`, concert.ReferralPayloadType)))
	f.Fuzz(func(t *testing.T, file []byte) {
		for _, r := range []*order.Register{reg, nil} {
			v := order.Verify(file, r, order.Options{})
			trimmed := bytes.TrimSuffix(file, []byte("\n"))
			if v.Outcome == order.Valid && !bytes.Equal(trimmed, good) && !bytes.Equal(trimmed, with) {
				t.Errorf("another file is valid: %q", file)
			}
			if v.Sentence == "" || strings.Contains(v.Sentence, "\n") || len(v.Sentence) > 8000 {
				t.Errorf("the sentence is %q", v.Sentence)
			}
			if v.Outcome == order.Invalid && v.Code == "" {
				t.Errorf("no code: %s", v.Sentence)
			}
		}
	})
}
