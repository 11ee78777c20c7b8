package order_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"concert"
	"concert/internal/testkit/orderdesk"
	"concert/order"
)

var pinnedAt = time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC)

func wantFault(t *testing.T, err error, code string) {
	t.Helper()
	var f *order.Fault
	if !errors.As(err, &f) || f.Code != code {
		t.Errorf("%v, want %s", err, code)
	}
}

func TestARegisterCountsByItsPinnedRootOnly(t *testing.T) {
	t.Parallel()
	d, other := orderdesk.New(t, "north"), orderdesk.New(t, "south")
	raw := d.Register()
	r, err := order.ReadRegister(raw, order.Roots{other.Fingerprint(), d.Fingerprint()})
	if err != nil || r.Root() != d.Fingerprint() || r.Edition().Serial != 3 {
		t.Fatalf("%v %+v", err, r)
	}
	for _, roots := range []order.Roots{nil, {}, {other.Fingerprint()}, {order.Fingerprint{}}} {
		_, err := order.ReadRegister(raw, roots)
		wantFault(t, err, "register.root")
		if !strings.Contains(err.Error(), d.Fingerprint().String()) {
			t.Errorf("the root is not named: %v", err)
		}
	}
	d.Edition.Serial++
	if next := d.Pinned(); !next.Newer(r) || r.Newer(next) || next.Newer(next) || !r.Newer(nil) || next.Newer(other.Pinned()) {
		t.Error("the newer edition is not told from the older")
	}
}

func TestEveryChangedByteOfARegisterFails(t *testing.T) {
	t.Parallel()
	d := orderdesk.New(t, "north")
	raw, roots := d.Register(), order.Roots{d.Fingerprint()}
	r := rand.New(rand.NewPCG(3, 4))
	for i := range raw {
		for _, b := range []byte{raw[i] ^ 1, raw[i] ^ 0x20, raw[i] ^ 0x80, byte(r.IntN(256))} {
			changed := bytes.Clone(raw)
			changed[i] = b
			if _, err := order.ReadRegister(changed, roots); err == nil && b != raw[i] {
				t.Fatalf("byte %d changed from %q to %q is taken", i, raw[i], b)
			}
		}
		if _, err := order.ReadRegister(raw[:i], roots); err == nil {
			t.Fatalf("%d of %d bytes are taken", i, len(raw))
		}
	}
}

func TestWhatARegisterMayNotSay(t *testing.T) {
	t.Parallel()
	key := func(r *concert.OrderRegister) *concert.RegisteredKey { return &r.Authorities[0].Keys[0] }
	for name, c := range map[string]struct {
		change func(r *concert.OrderRegister)
		code   string
	}{
		"another type":       {func(r *concert.OrderRegister) { r.Type = "list" }, "register.type"},
		"a newer version":    {func(r *concert.OrderRegister) { r.Version = 2 }, "register.version"},
		"no origin":          {func(r *concert.OrderRegister) { r.Origin = "" }, "register.origin"},
		"another origin":     {func(r *concert.OrderRegister) { r.Origin = "south.invalid/log" }, "register.log_key"},
		"no log":             {func(r *concert.OrderRegister) { r.LogKey = "" }, "register.log_key"},
		"no serial":          {func(r *concert.OrderRegister) { r.Serial = 0 }, "register.serial"},
		"a negative serial":  {func(r *concert.OrderRegister) { r.Serial = -1 }, "register.serial"},
		"a serial not exact": {func(r *concert.OrderRegister) { r.Serial = 1<<53 + 1 }, "register.serial"},
		"no time":            {func(r *concert.OrderRegister) { r.At = "" }, "register.at"},
		"another time":       {func(r *concert.OrderRegister) { r.At = "2026-01-05T09:00:00+01:00" }, "register.at"},
		"a short transport":  {func(r *concert.OrderRegister) { r.Transports[0] = []byte{1} }, "register.transports"},
		"many transports":    {func(r *concert.OrderRegister) { r.Transports = make([][]byte, 101) }, "register.transports"},
		"many authorities":   {func(r *concert.OrderRegister) { r.Authorities = make([]concert.RegisteredAuthority, 10_001) }, "register.authorities"},
		"no reference":       {func(r *concert.OrderRegister) { r.Authorities[0].Ref = "" }, "register.authorities.ref"},
		"a reference twice":  {func(r *concert.OrderRegister) { r.Authorities = append(r.Authorities, r.Authorities[0]) }, "register.authorities.ref"},
		"no name":            {func(r *concert.OrderRegister) { r.Authorities[0].Name = "a\x1bb" }, "register.authorities.name"},
		"no country":         {func(r *concert.OrderRegister) { r.Authorities[0].Country = "Belgium" }, "register.authorities.country"},
		"many keys":          {func(r *concert.OrderRegister) { r.Authorities[0].Keys = make([]concert.RegisteredKey, 101) }, "register.authorities.keys"},
		"a short key":        {func(r *concert.OrderRegister) { key(r).Public = key(r).Public[:31] }, "register.keys.public"},
		"another key's name": {func(r *concert.OrderRegister) { key(r).KeyID = "0123456789abcdef" }, "register.keys.keyid"},
		"a key of two": {func(r *concert.OrderRegister) {
			a := r.Authorities[0]
			a.Ref = "AU-2"
			r.Authorities = append(r.Authorities, a)
		}, "register.keys.keyid"},
		"no functions":        {func(r *concert.OrderRegister) { key(r).Functions = nil }, "register.keys.functions"},
		"an unknown function": {func(r *concert.OrderRegister) { key(r).Functions = []concert.Function{"judge"} }, "register.keys.functions"},
		"a function twice":    {func(r *concert.OrderRegister) { key(r).Functions = []concert.Function{"issue", "issue"} }, "register.keys.functions"},
		"no law":              {func(r *concert.OrderRegister) { key(r).Law = "" }, "register.keys.law"},
		"since when":          {func(r *concert.OrderRegister) { key(r).Since = "" }, "register.keys.since"},
		"until before":        {func(r *concert.OrderRegister) { key(r).Until = key(r).Since }, "register.keys.until"},
		"until a day":         {func(r *concert.OrderRegister) { key(r).Until = "2027-01-01" }, "register.keys.until"},
		"revoked one day":     {func(r *concert.OrderRegister) { key(r).Revoked = "yes" }, "register.keys.revoked"},
	} {
		d := orderdesk.New(t, "north")
		c.change(&d.Edition)
		t.Log(name)
		_, err := order.SealRegister(d.Edition, d.Root)
		wantFault(t, err, c.code)
		// Nor is it taken from a root that signs by another program.
		d.Edition.Root = d.Root.Public().(ed25519.PublicKey)
		payload, err := concert.CanonicalJSON(d.Edition)
		orderdesk.Must(t, err)
		raw, err := concert.CanonicalJSON(concert.Envelope{PayloadType: concert.RegisterPayloadType, Payload: payload}.Sign("register", d.Root))
		orderdesk.Must(t, err)
		if _, err := order.ReadRegister(raw, order.Roots{d.Fingerprint()}); err == nil {
			t.Errorf("%s: a register that says it is taken", name)
		}
	}
}

func TestARegisterInAnotherFormIsRefused(t *testing.T) {
	t.Parallel()
	d := orderdesk.New(t, "north")
	roots := order.Roots{d.Fingerprint()}
	e := d.Envelope()
	sign := func(payload string) concert.Envelope {
		return concert.Envelope{PayloadType: concert.RegisterPayloadType, Payload: []byte(payload)}.Sign("register", d.Root)
	}
	for name, c := range map[string]struct {
		e    concert.Envelope
		code string
	}{
		"an order":           {d.Seal(d.Payload(1)), "register.type"},
		"another role":       {concert.Envelope{PayloadType: e.PayloadType, Payload: e.Payload}.Sign("author", d.Root), "register.signatures"},
		"two signatures":     {e.Sign("register", d.Root), "register.signatures"},
		"unsigned":           {concert.Envelope{PayloadType: e.PayloadType, Payload: e.Payload}, "register.signatures"},
		"another's":          {concert.Envelope{PayloadType: e.PayloadType, Payload: e.Payload}.Sign("register", d.Author), "register.forged"},
		"an unknown field":   {sign(strings.Replace(string(e.Payload), `"origin"`, `"more":1,"origin"`, 1)), "register.payload"},
		"a key twice":        {sign(strings.Replace(string(e.Payload), `"origin"`, `"log_key":"x","origin"`, 1)), "register.payload"},
		"white space":        {sign(string(e.Payload) + " "), "register.payload"},
		"a huge serial":      {sign(strings.Replace(string(e.Payload), `"serial":3`, `"serial":1e300`, 1)), "register.payload"},
		"a newer version":    {sign(strings.Replace(string(e.Payload), `"version":1`, `"version":2`, 1)), "register.version"},
		"without a root":     {sign(`{"at":"","authorities":null,"exercise":false,"log_key":"","origin":"","root":"","serial":0,"type":"","version":0}`), "register.type"},
		"in an earlier text": {sign(`{}`), "register.payload"},
	} {
		raw, err := concert.CanonicalJSON(c.e)
		orderdesk.Must(t, err)
		t.Log(name)
		_, err = order.ReadRegister(raw, roots)
		wantFault(t, err, c.code)
	}
	_, err := order.ReadRegister(bytes.Repeat([]byte(" "), 9<<20), roots)
	wantFault(t, err, "register.size")
}

func TestFingerprintsAreReadAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	f := orderdesk.New(t, "north").Fingerprint()
	text := f.String()
	plain := strings.ReplaceAll(text, "-", "")
	if len(plain) != 64 || strings.Count(text, "-") != 15 {
		t.Errorf("a fingerprint is %s", text)
	}
	for _, s := range []string{text, plain, strings.ToUpper(plain), strings.ReplaceAll(text, "-", " "), strings.ReplaceAll(text, "-", ":")} {
		if got, err := order.ParseFingerprint(s); err != nil || got != f {
			t.Errorf("%s: %v %v", s, got, err)
		}
	}
	for _, s := range []string{"", "x", plain[:63], plain + "0", plain[:62], strings.Replace(plain, plain[:1], "g", 1), "SHA256:" + plain} {
		if _, err := order.ParseFingerprint(s); err == nil {
			t.Errorf("%q is taken for a fingerprint", s)
		}
	}
}

func TestTrustKeepsTheNewestEdition(t *testing.T) {
	t.Parallel()
	d := orderdesk.New(t, "north")
	trust, err := order.ReadTrust(nil)
	orderdesk.Must(t, err)
	raw, typed := d.Register(), d.Fingerprint().String()

	_, err = trust.Pin("", raw, false, pinnedAt)
	wantFault(t, err, "register.root")
	_, err = trust.Pin(orderdesk.New(t, "south").Fingerprint().String(), raw, false, pinnedAt)
	wantFault(t, err, "register.root")
	if _, err := trust.Pin("nonsense", raw, false, pinnedAt); err == nil {
		t.Error("nonsense is taken for a fingerprint")
	}
	if len(trust.Pins()) != 0 || trust.Register(nil) != nil {
		t.Fatal("something is pinned without its fingerprint")
	}
	_, err = trust.Pin(typed, raw, false, pinnedAt)
	orderdesk.Must(t, err)
	_, err = trust.Pin("", raw, false, pinnedAt) // the same again
	orderdesk.Must(t, err)

	d.Edition.Serial = 4
	newer := d.Register()
	_, err = trust.Pin("", newer, false, pinnedAt)
	orderdesk.Must(t, err)
	_, err = trust.Pin(typed, raw, false, pinnedAt)
	wantFault(t, err, "register.old")
	d.Edition.At = "2026-01-06T08:00:00.000Z"
	_, err = trust.Pin(typed, d.Register(), false, pinnedAt)
	wantFault(t, err, "register.forked")

	// A second root for the origin replaces the first only where that was meant.
	d.Edition.Serial, d.Root = 5, orderdesk.Key("second root")
	second := d.Register()
	_, err = trust.Pin(d.Fingerprint().String(), second, false, pinnedAt)
	wantFault(t, err, "register.second_root")
	_, err = trust.Pin(d.Fingerprint().String(), second, true, pinnedAt)
	orderdesk.Must(t, err)
	if roots := trust.Roots(); !slices.Equal(roots, order.Roots{d.Fingerprint()}) {
		t.Errorf("pinned are %v", roots)
	}
	// The root cannot move on to another origin.
	moved := orderdesk.New(t, "south")
	moved.Root = d.Root
	_, err = trust.Pin(d.Fingerprint().String(), moved.Register(), true, pinnedAt)
	wantFault(t, err, "register.origin")
}

func TestTrustIsWrittenAndReadWhole(t *testing.T) {
	t.Parallel()
	north, south := orderdesk.New(t, "north"), orderdesk.New(t, "south")
	trust, err := order.ReadTrust(nil)
	orderdesk.Must(t, err)
	for _, d := range []*orderdesk.Desk{south, north} {
		_, err := trust.Pin(d.Fingerprint().String(), d.Register(), false, pinnedAt)
		orderdesk.Must(t, err)
	}
	raw, err := trust.Marshal()
	orderdesk.Must(t, err)
	again, err := order.ReadTrust(raw)
	orderdesk.Must(t, err)
	pins := again.Pins()
	if len(pins) != 2 || pins[0].Register.Edition().Origin != "north.invalid/log" || !pins[1].PinnedAt.Equal(pinnedAt) {
		t.Fatalf("%+v", pins)
	}
	for _, d := range []*orderdesk.Desk{north, south} {
		file := d.File(d.Payload(1))
		wantVerdict(t, order.Verify(file, again.Register(file), order.Options{}), order.Valid, "")
	}
	third := orderdesk.New(t, "west")
	file := third.File(third.Payload(1))
	wantVerdict(t, order.Verify(file, again.Register(file), order.Options{}), order.AuthorityUnknown, "order.authority_unknown")
	for name, bad := range map[string]string{
		"no JSON":        "x",
		"another format": strings.Replace(string(raw), "trust/1", "trust/2", 1),
		"another root":   strings.Replace(string(raw), south.Fingerprint().String(), north.Fingerprint().String(), 1),
		"no root":        strings.Replace(string(raw), south.Fingerprint().String(), "", 1),
		"no time":        strings.Replace(string(raw), "2026-02-01", "then", 1),
		"a changed key":  strings.Replace(string(raw), `"sig": "`, `"sig": "AAAA`, 1),
	} {
		if _, err := order.ReadTrust([]byte(bad)); err == nil {
			t.Errorf("%s: it is trusted", name)
		}
	}
}

func FuzzReadRegister(f *testing.F) {
	d := orderdesk.New(f, "north")
	good := d.Register()
	f.Add(good)
	f.Add([]byte(`{"payload":"e30=","payloadType":"` + concert.RegisterPayloadType + `","signatures":[]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := order.ReadRegister(raw, order.Roots{d.Fingerprint()})
		if err == nil && !bytes.Equal(bytes.TrimSuffix(raw, []byte("\n")), good) {
			t.Errorf("another register is taken: %q", raw)
		}
		if err == nil && r == nil || err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%v %v", r, err)
		}
		if _, _, err := order.Look(raw); err != nil && err.Error() == "" {
			t.Error("no reason")
		}
		if trust, err := order.ReadTrust(raw); err == nil && len(raw) > 0 && len(trust.Pins()) > 0 {
			t.Errorf("something is trusted: %q", raw)
		}
	})
}
