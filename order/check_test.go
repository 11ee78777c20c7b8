package order_test

import (
	"crypto/ed25519"
	"slices"
	"strings"
	"testing"

	"concert"
	"concert/internal/testkit/orderdesk"
	"concert/order"
)

type orderChange struct {
	name   string
	change func(p *concert.OrderPayload)
	field  string // that is refused
}

// refusals are changes of a complete order, each with the field that must be refused for it.
func refusals() []orderChange { return append(contentRefusals(), partyRefusals()...) }

// contentRefusals are those of sections A to C.
func contentRefusals() []orderChange {
	long := strings.Repeat("x", 30_000)
	return []orderChange{
		{"no type", func(p *concert.OrderPayload) { p.Type = "" }, "type"},
		{"a referral", func(p *concert.OrderPayload) { p.Type = "referral" }, "type"},
		{"no version", func(p *concert.OrderPayload) { p.Version = 0 }, "version"},
		{"version 2", func(p *concert.OrderPayload) { p.Version = 2 }, "version"},
		{"no duty", func(p *concert.OrderPayload) { p.Duty = "" }, "duty"},
		{"a changed duty", func(p *concert.OrderPayload) { p.Duty += " " }, "duty"},
		{"a referral's sentence", func(p *concert.OrderPayload) { p.Duty = concert.VoluntaryNotice }, "duty"},
		{"no reference", func(p *concert.OrderPayload) { p.Ref = " " }, "ref"},
		{"a long reference", func(p *concert.OrderPayload) { p.Ref = long }, "ref"},
		{"no language", func(p *concert.OrderPayload) { p.Language = "" }, "language"},
		{"no such language", func(p *concert.OrderPayload) { p.Language = "English" }, "language"},
		{"no transport", func(p *concert.OrderPayload) { p.Transport = "" }, "transport"},
		{"no state", func(p *concert.OrderPayload) { p.IssuingState = "" }, "issuing_state"},
		{"no Member State", func(p *concert.OrderPayload) {
			p.IssuingState, p.Authority.Country = "US", "US"
			p.FollowUp[0].State = "US"
		}, "issuing_state"},
		{"small letters", func(p *concert.OrderPayload) { p.IssuingState = "be" }, "issuing_state"},
		{"no reference of the addressee", func(p *concert.OrderPayload) { p.Addressee.Ref = "" }, "addressee.ref"},
		{"no addressee", func(p *concert.OrderPayload) { p.Addressee.Name = "" }, "addressee.name"},
		{"a representative of two lines", func(p *concert.OrderPayload) { p.Addressee.Representative = "a\nb" }, "addressee.representative"},
		{"no contact point", func(p *concert.OrderPayload) { p.Addressee.ContactPoint = "" }, "addressee.contact_point"},
		{"no state of the addressee", func(p *concert.OrderPayload) { p.Addressee.State = "" }, "addressee.state"},
		{"no time", func(p *concert.OrderPayload) { p.IssuedAt = "" }, "issued_at"},
		{"a day", func(p *concert.OrderPayload) { p.IssuedAt = "2026-01-31" }, "issued_at"},
		{"a zone", func(p *concert.OrderPayload) { p.IssuedAt = "2026-01-31T10:30:00.000+01:00" }, "issued_at"},
		{"microseconds", func(p *concert.OrderPayload) { p.IssuedAt = "2026-01-31T09:30:00.000000Z" }, "issued_at"},
		{"no such day", func(p *concert.OrderPayload) { p.IssuedAt = "2026-02-31T09:30:00.000Z" }, "issued_at"},
		{"no places", func(p *concert.OrderPayload) { p.Places = nil }, "places"},
		{"101 places", func(p *concert.OrderPayload) { p.Places = make([]concert.OrderPlace, 101) }, "places"},
		{"a place without a reference", func(p *concert.OrderPayload) { p.Places[0].Ref = "" }, "places[0].ref"},
		{"a place nowhere", func(p *concert.OrderPayload) { p.Places[0].Location.Canonical = "" }, "places[0].location.canonical"},
		{"a place of no kind", func(p *concert.OrderPayload) { p.Places[0].Location.Kind = "" }, "places[0].location.kind"},
		{"a place without its address", func(p *concert.OrderPayload) { p.Places[0].Location.Submitted = "" }, "places[0].location.submitted"},
		{"a place without its defanged address", func(p *concert.OrderPayload) { p.Places[0].Location.Display = "" }, "places[0].location.display"},
		{"a place that turns", func(p *concert.OrderPayload) { p.Places[0].Location.Submitted = "http://video.invalid/\u202etxt" }, "places[0].location.submitted"},
		{"a long hint", func(p *concert.OrderPayload) { p.Places[0].Additional = long }, "places[0].additional"},
		{"a place twice", func(p *concert.OrderPayload) { p.Places = append(p.Places, p.Places[0]); p.Places[1].Ref = "IT-2" }, "places[1].location.canonical"},
		{"an item twice", func(p *concert.OrderPayload) {
			p.Places = append(p.Places, p.Places[0])
			p.Places[1].Location.Canonical = "b"
		}, "places[1].ref"},
		{"no type of Art. 2(7)", func(p *concert.OrderPayload) { p.Reasons = nil }, "reasons"},
		{"an unknown type", func(p *concert.OrderPayload) { p.Reasons[1] = "annoys" }, "reasons[1]"},
		{"a type twice", func(p *concert.OrderPayload) { p.Reasons[1] = p.Reasons[0] }, "reasons[1]"},
		{"no reasons", func(p *concert.OrderPayload) { p.Statement = "" }, "statement"},
		{"79 characters", func(p *concert.OrderPayload) { p.Statement = strings.Repeat("é", order.MinStatement-1) }, "statement"},
		{"79 characters and space", func(p *concert.OrderPayload) { p.Statement = strings.Repeat("é", order.MinStatement-1) + "  \n" }, "statement"},
		{"long reasons", func(p *concert.OrderPayload) { p.Statement = long }, "statement"},
		{"a bell", func(p *concert.OrderPayload) { p.Statement += "\a" }, "statement"},
		{"broken characters", func(p *concert.OrderPayload) { p.Statement += "\xff" }, "statement"},
		{"no legal basis", func(p *concert.OrderPayload) { p.LegalBasis = nil }, "legal_basis"},
		{"an empty legal basis", func(p *concert.OrderPayload) { p.LegalBasis = append(p.LegalBasis, "") }, "legal_basis[2]"},
		{"another legal basis first", func(p *concert.OrderPayload) { slices.Reverse(p.LegalBasis) }, "legal_basis"},
		{"a legal basis twice", func(p *concert.OrderPayload) { p.LegalBasis[1] = p.LegalBasis[0] }, "legal_basis[1]"},
		{"no scope (G18)", func(p *concert.OrderPayload) { p.Scope = nil }, "scope"},
		{"the world", func(p *concert.OrderPayload) { p.Scope[0] = "world" }, "scope[0]"},
		{"the Union and a state", func(p *concert.OrderPayload) { p.Scope = []string{"EU", "FR"} }, "scope"},
		{"a state twice", func(p *concert.OrderPayload) { p.Scope = []string{"FR", "FR"} }, "scope[1]"},
		{"silence since when", func(p *concert.OrderPayload) {
			p.NonDisclosure = &concert.OrderSilence{Until: "2026-02-01T00:00:00.000Z"}
		}, "non_disclosure.since"},
		{"silence for ever", func(p *concert.OrderPayload) {
			p.NonDisclosure = &concert.OrderSilence{Since: "2026-02-01T00:00:00.000Z"}
		}, "non_disclosure.until"},
		{"silence for too long", func(p *concert.OrderPayload) {
			p.NonDisclosure = &concert.OrderSilence{Since: "2026-02-01T00:00:00.000Z", Until: "2026-03-16T01:00:00.001Z"}
		}, "non_disclosure.until"},
		{"silence backwards", func(p *concert.OrderPayload) {
			p.NonDisclosure = &concert.OrderSilence{Since: "2026-02-01T00:00:00.000Z", Until: "2026-02-01T00:00:00.000Z"}
		}, "non_disclosure.until"},
	}
}

// partyRefusals are those of sections D to G, and of Art. 3(2).
func partyRefusals() []orderChange {
	return []orderChange{
		{"no copy", func(p *concert.OrderPayload) { p.CopyTo = nil }, "copy_to"},
		{"a copy at home", func(p *concert.OrderPayload) { p.Addressee.State = "BE" }, "copy_to"},
		{"a copy out of the Union", func(p *concert.OrderPayload) { p.Addressee.State = "US" }, "copy_to"},
		{"a copy to a third state", func(p *concert.OrderPayload) { p.CopyTo.State = "FR" }, "copy_to.state"},
		{"a copy to oneself", func(p *concert.OrderPayload) { p.CopyTo.Role = "issuing_authority" }, "copy_to.role"},
		{"a copy nowhere", func(p *concert.OrderPayload) { p.CopyTo.Email = "" }, "copy_to.email"},
		{"no reference of the authority", func(p *concert.OrderPayload) { p.Authority.Ref = "" }, "authority.ref"},
		{"no kind of authority", func(p *concert.OrderPayload) { p.Authority.Kind = "" }, "authority.kind"},
		{"a kind that is none", func(p *concert.OrderPayload) { p.Authority.Kind = "company" }, "authority.kind"},
		{"no authority", func(p *concert.OrderPayload) { p.Authority.Name = "" }, "authority.name"},
		{"an authority of another state", func(p *concert.OrderPayload) { p.Authority.Country = "FR" }, "authority.country"},
		{"no unit", func(p *concert.OrderPayload) { p.Authority.Unit = "" }, "authority.unit"},
		{"nobody signs", func(p *concert.OrderPayload) { p.Authority.Representative = "" }, "authority.representative"},
		{"no post", func(p *concert.OrderPayload) { p.Authority.Post = "" }, "authority.post"},
		{"no file number", func(p *concert.OrderPayload) { p.Authority.FileNo = "" }, "authority.file_no"},
		{"no address", func(p *concert.OrderPayload) { p.Authority.Address = "" }, "authority.address"},
		{"no telephone", func(p *concert.OrderPayload) { p.Authority.Telephone = "" }, "authority.telephone"},
		{"a fax of two lines", func(p *concert.OrderPayload) { p.Authority.Fax = "1\n2" }, "authority.fax"},
		{"no mail", func(p *concert.OrderPayload) { p.Authority.Email = "" }, "authority.email"},
		{"no mail address", func(p *concert.OrderPayload) { p.Authority.Email = "duty at authority" }, "authority.email"},
		{"no key", func(p *concert.OrderPayload) { p.Authority.KeyID = "" }, "authority.keyid"},
		{"a key in capitals", func(p *concert.OrderPayload) { p.Authority.KeyID = strings.ToUpper(p.Authority.KeyID) }, "authority.keyid"},
		{"nobody to ask", func(p *concert.OrderPayload) { p.FollowUp = nil }, "follow_up"},
		{"not the issuer to ask", func(p *concert.OrderPayload) { p.FollowUp[0] = *p.CopyTo }, "follow_up"},
		{"a contact of no role", func(p *concert.OrderPayload) { p.FollowUp[0].Role = "friend" }, "follow_up[0].role"},
		{"a contact without a name", func(p *concert.OrderPayload) { p.FollowUp[0].Name = "" }, "follow_up[0].name"},
		{"a contact without mail", func(p *concert.OrderPayload) { p.FollowUp[0].Email = "x" }, "follow_up[0].email"},
		{"no redress (G15)", func(p *concert.OrderPayload) { p.Redress = nil }, "redress"},
		{"no redress for the provider", func(p *concert.OrderPayload) { p.Redress = p.Redress[1:] }, "redress"},
		{"no redress for the content provider", func(p *concert.OrderPayload) { p.Redress = p.Redress[:1] }, "redress"},
		{"redress for others", func(p *concert.OrderPayload) { p.Redress[0].For = "neighbour" }, "redress[0].for"},
		{"redress nowhere", func(p *concert.OrderPayload) { p.Redress[0].Body = "" }, "redress[0].body"},
		{"redress until when", func(p *concert.OrderPayload) { p.Redress[1].Deadline = "" }, "redress[1].deadline"},
		{"redress by which law", func(p *concert.OrderPayload) { p.Redress[1].Law = "" }, "redress[1].law"},
		{"redress by no address", func(p *concert.OrderPayload) { p.Redress[0].Link = "javascript:1" }, "redress[0].link"},
		{"redress of no day", func(p *concert.OrderPayload) { p.Redress[0].AsOf = "" }, "redress[0].as_of"},
		{"no first contact (G10)", func(p *concert.OrderPayload) { p.FirstContact = concert.OrderFirstContact{} }, "first_contact"},
		{"eleven hours before (G10)", func(p *concert.OrderPayload) { p.FirstContact.NoticedAt = "2026-01-30T21:30:00.001Z" }, "first_contact"},
		{"told when", func(p *concert.OrderPayload) { p.FirstContact.NoticedAt = "yesterday" }, "first_contact.noticed_at"},
		{"told by what", func(p *concert.OrderPayload) { p.FirstContact.Notice = "" }, "first_contact.notice"},
		{"an emergency without a reason", func(p *concert.OrderPayload) { p.FirstContact = concert.OrderFirstContact{Emergency: "urgent"} }, "first_contact.emergency"},
		{"decided by a machine", func(p *concert.OrderPayload) { p.Automated.Decision = true }, "automation.automated_decision"},
	}
}

// G02: no order without legal basis, type and reasons; every other field of Annex I likewise.
func TestG02EveryFieldOfAnOrderIsNeeded(t *testing.T) {
	t.Parallel()
	d := orderdesk.New(t, "north")
	if faults := order.Check(d.Payload(1)); len(faults) > 0 {
		t.Fatalf("a complete order is refused: %v", faults)
	}
	for _, c := range refusals() {
		p := d.Payload(1)
		c.change(&p)
		faults := order.Check(p)
		at := slices.IndexFunc(faults, func(e *concert.Error) bool { return e.Field == c.field })
		if at < 0 {
			t.Errorf("%s: %s is not refused: %v", c.name, c.field, faults)
			continue
		}
		e := faults[at]
		code := "order." + strings.NewReplacer("[0]", "", "[1]", "", "[2]", "").Replace(c.field)
		if e.Code != code || e.Kind != concert.Invalid || !strings.ContainsAny(e.Message, ":") {
			t.Errorf("%s: %s %s: %s, want %s", c.name, e.Kind, e.Code, e.Message, code)
		}
		if strings.ContainsAny(e.Message, "\n\a\u202e") || len(e.Message) > 900 || strings.Contains(e.Message, "%!") {
			t.Errorf("%s: message %q", c.name, e.Message)
		}
		if _, err := order.Seal(p, d.Author, d.Transport); err == nil {
			t.Errorf("%s: it is sealed all the same", c.name)
		}
	}
}

// G18: an order says where it holds, and that is the Union or states of it, never more.
func TestG18TerritoryIsRecordedAndNeverMoreThanTheUnion(t *testing.T) {
	t.Parallel()
	d := orderdesk.New(t, "north")
	reg := d.Pinned()
	for _, c := range []struct {
		scope []string
		field string // "" where it is sound
	}{{[]string{"EU"}, ""}, {[]string{"FR"}, ""}, {[]string{"FR", "IE"}, ""}, {nil, "scope"}, {[]string{}, "scope"}, {[]string{"world"}, "scope[0]"}, {[]string{"US"}, "scope[0]"}, {[]string{"FR", "CH"}, "scope[1]"}, {[]string{"EU", "FR"}, "scope"}} {
		p := d.Payload(1)
		p.Scope = c.scope
		faults := order.Check(p)
		refused := slices.ContainsFunc(faults, func(e *concert.Error) bool { return e.Field == c.field })
		if refused != (c.field != "") || c.field == "" && len(faults) > 0 {
			t.Errorf("%q: %v, want a refusal of %q", c.scope, faults, c.field)
		}
		raw, err := concert.CanonicalJSON(p)
		orderdesk.Must(t, err)
		e := concert.Envelope{PayloadType: concert.OrderPayloadType, Payload: raw}.Sign("author", d.Author)
		file, err := order.File(e, d.Prove(p, e), nil)
		orderdesk.Must(t, err)
		if v := order.Verify(file, reg, order.Options{}); (v.Outcome == order.Valid) != (c.field == "") {
			t.Errorf("%q, signed by another program: %s", c.scope, v.Sentence)
		}
	}
}

// An authority that signs by another program is held to the same form.
func TestG02WhatIsSignedAllTheSameIsRefused(t *testing.T) {
	t.Parallel()
	d := orderdesk.New(t, "north")
	reg := d.Pinned()
	for _, c := range refusals() {
		p := d.Payload(1)
		c.change(&p)
		if c.name == "broken characters" {
			continue // they cannot be written: JSON puts a sign in their place
		}
		issued := p
		issued.IssuedAt = "2026-01-31T09:30:00.000Z"
		raw, err := concert.CanonicalJSON(p)
		orderdesk.Must(t, err)
		e := concert.Envelope{PayloadType: concert.OrderPayloadType, Payload: raw}.Sign("author", d.Author)
		file, err := order.File(e, d.Prove(issued, e), nil)
		orderdesk.Must(t, err)
		if v := order.Verify(file, reg, order.Options{}); v.Outcome != order.Invalid || v.Field == "" {
			t.Errorf("%s: %s", c.name, v.Sentence)
		}
	}
}

// What is at the bound is taken.
func TestCheckTakesWhatTheLawTakes(t *testing.T) {
	t.Parallel()
	d := orderdesk.New(t, "north")
	for _, c := range []orderChange{
		{"80 characters", func(p *concert.OrderPayload) { p.Statement = strings.Repeat("é", order.MinStatement) }, ""},
		{"lines", func(p *concert.OrderPayload) { p.Statement += "\n\n\tSecond." }, ""},
		{"Arabic", func(p *concert.OrderPayload) { p.Language, p.Statement = "ar", strings.Repeat("تمرين ", 20) }, ""},
		{"an emergency", func(p *concert.OrderPayload) {
			p.FirstContact = concert.OrderFirstContact{Emergency: "EXERCISE: a threat to life, tonight"}
		}, ""},
		{"an emergency, told late", func(p *concert.OrderPayload) {
			p.FirstContact = concert.OrderFirstContact{NoticedAt: "2026-01-31T09:00:00.000Z", Notice: "NO-1", Emergency: "EXERCISE: a threat to life, tonight"}
		}, ""},
		{"told exactly twelve hours before", func(p *concert.OrderPayload) { p.FirstContact.NoticedAt = "2026-01-30T21:30:00.000Z" }, ""},
		{"a provider at home", func(p *concert.OrderPayload) { p.Addressee.State, p.CopyTo = "BE", nil }, ""},
		{"a provider out of the Union", func(p *concert.OrderPayload) { p.Addressee.State, p.CopyTo = "US", nil }, ""},
		{"one state", func(p *concert.OrderPayload) { p.Scope = []string{"FR"} }, ""},
		{"six weeks", func(p *concert.OrderPayload) {
			p.NonDisclosure = &concert.OrderSilence{Since: "2026-02-01T09:00:00.000Z", Until: "2026-03-15T23:59:59.999Z"}
		}, ""},
		{"a hundred places", func(p *concert.OrderPayload) {
			for i := len(p.Places); i < order.MaxPlaces; i++ {
				p.Places = append(p.Places, d.Payload(i + 1).Places[0])
			}
		}, ""},
	} {
		p := d.Payload(1)
		c.change(&p)
		if faults := order.Check(p); len(faults) > 0 {
			t.Errorf("%s: %v", c.name, faults)
			continue
		}
		wantVerdict(t, order.Verify(d.File(p), d.Pinned(), order.Options{}), order.Valid, "")
	}
}

func TestSealRefusesAnothersKey(t *testing.T) {
	t.Parallel()
	d := orderdesk.New(t, "north")
	if _, err := order.Seal(d.Payload(1), d.Transport, nil); err == nil || !strings.Contains(err.Error(), "author's key") {
		t.Errorf("an order is sealed with another key than it names: %v", err)
	}
	for _, keys := range [][2]ed25519.PrivateKey{{nil, nil}, {d.Author[:20], nil}, {d.Author, d.Transport[:20]}} {
		if _, err := order.Seal(d.Payload(1), keys[0], keys[1]); err == nil {
			t.Errorf("an order is sealed with no key")
		}
	}
	if faults := order.Check(concert.OrderPayload{}); len(faults) < 20 || len(faults) > 100 {
		t.Errorf("an empty order has %d faults", len(faults))
	}
}
