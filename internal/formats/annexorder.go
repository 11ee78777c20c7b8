package formats

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"concert"
)

// wordsFor is the options' wording, or the house's in the language.
func (o AnnexOptions) wordsFor(lang string) (*AnnexWords, error) {
	if o.Words != nil {
		return o.Words, nil
	}
	return AnnexWordsOf(lang)
}

// begin starts a document of one kind.
func (w *AnnexWords) begin(kind, ref string, exercise bool) *annexBuilder {
	b := &annexBuilder{AnnexWords: w}
	b.doc.kind, b.doc.exercise = kind, exercise
	b.doc.ref = oneLine(b.need("ref", ref))
	return b
}

// Order fills Annex I. A field that Art. 3(4) asks for and that is empty is refused
// by its name; so is an order without the duty, word for word (G01), or without
// redress for the provider and for the content provider, with the day on which each
// was checked (G15).
func (w *AnnexWords) Order(p concert.OrderPayload, o AnnexOptions) (*AnnexDocument, error) {
	b := w.begin("order", p.Ref, p.Exercise)
	if p.Type != "removal_order" || p.Version != 1 {
		b.refuse("type", "the form is not drawn: this is %.40q version %d, Annex I shows a removal_order of version 1", p.Type, p.Version)
	}
	if p.Duty != concert.OrderDuty {
		b.refuse("duty", "the form is not drawn: the order does not say the duty word for word (concert.OrderDuty)")
	}
	b.doc.duty = p.Duty
	b.doc.intro = []string{w.say("order.duty"), w.say("order.preserve"), w.say("order.language")}
	b.orderAddressee(p)
	b.orderContent(p)
	b.orderInformed(p)
	b.orderAuthority(p)
	b.orderFollowUp(p)
	b.orderRedress(p)
	b.orderMore(p)
	return b.finish(p, concert.OrderPayloadType, p.Authority.KeyID, o)
}

func (b *annexBuilder) orderAddressee(p concert.OrderPayload) {
	addressee := hand(b.need("addressee.name", p.Addressee.Name))
	if p.Addressee.Representative != "" {
		addressee = append(addressee, hand(p.Addressee.Representative)...)
	}
	issued := b.when("order.a.issued", "issued_at", p.IssuedAt)
	b.doc.at = b.stated("issued_at", p.IssuedAt)
	b.section(b.say("section.a"),
		b.words("order.a.state", b.state(b.need("issuing_state", p.IssuingState))),
		b.note("order.a.note"),
		annexBlock{label: b.say("order.a.addressee"), values: addressee},
		b.field("order.a.contact", b.need("addressee.contact_point", p.Addressee.ContactPoint)),
		b.words("order.a.host", b.state(b.need("addressee.state", p.Addressee.State))),
		issued, b.code("order.a.ref", p.Ref))
}

func (b *annexBuilder) orderContent(p concert.OrderPayload) {
	found := annexBlock{note: b.say("order.b.url")}
	if len(p.Places) == 0 {
		b.refuse("places", "the form is not drawn: an order names the exact place of the content; give at least one")
	}
	for i, place := range p.Places {
		field := fmt.Sprintf("places[%d].location.submitted", i)
		entry := []annexBlock{
			{note: b.say("order.b.place", "n", strconv.Itoa(i+1), "count", strconv.Itoa(len(p.Places)), "item", oneLine(b.need(fmt.Sprintf("places[%d].ref", i), place.Ref)))},
			b.code("order.b.address", b.need(field, place.Location.Submitted)),
		}
		if place.Location.Canonical != "" && place.Location.Canonical != place.Location.Submitted {
			entry = append(entry, b.code("order.b.normal", place.Location.Canonical))
		}
		if place.Additional != "" {
			entry = append(entry, b.prose("order.b.additional", place.Additional))
		}
		found.lists = append(found.lists, entry)
	}
	ticks := annexTicks(b, "order.b.tick", "type", "reasons", concert.ContentTypes, p.Reasons)
	basis := annexBlock{label: b.say("order.b.basis")}
	for _, provision := range p.LegalBasis {
		basis.values = append(basis.values, hand(b.need("legal_basis", provision))...)
	}
	if len(p.LegalBasis) == 0 {
		b.need("legal_basis", "")
	}
	var scope []string
	for _, code := range p.Scope {
		name, known := b.has("scope", code)
		if !known {
			name = b.state(b.need("scope", code))
		}
		scope = append(scope, name)
	}
	b.need("scope", strings.Join(scope, ""))
	b.section(b.say("order.b.title"), found, b.note("order.b.reasons"), ticks,
		b.prose("order.b.more", b.need("statement", p.Statement)), basis, b.words("order.b.scope", strings.Join(scope, ", ")))
}

// orderInformed fills sections C and D.
func (b *annexBuilder) orderInformed(p concert.OrderPayload) {
	c := []annexBlock{{note: b.say("order.c.tick"), ticks: []annexTick{{b.say("order.c.silence"), p.NonDisclosure != nil}}}}
	if p.NonDisclosure != nil {
		c = append(c, b.when("order.c.since", "non_disclosure.since", p.NonDisclosure.Since), b.when("order.c.until", "non_disclosure.until", p.NonDisclosure.Until))
	}
	b.section(b.say("order.c.title"), append(c, b.note("order.c.otherwise"))...)
	b.section(b.say("order.d.title"), annexBlock{note: b.say("order.d.tick"), ticks: []annexTick{
		{b.say("order.d.other"), p.Addressee.State != p.IssuingState}, {b.say("order.d.copy"), p.CopyTo != nil}}})
}

func (b *annexBuilder) orderAuthority(p concert.OrderPayload) {
	a := p.Authority
	who := append(hand(b.need("authority.representative", a.Representative)), hand(b.need("authority.post", a.Post))...)
	b.need("authority.keyid", a.KeyID)
	b.section(b.say("order.e.title"),
		annexTicks(b, "order.e.type", "authority", "authority.kind", concert.OrderAuthorityKinds, []concert.OrderAuthorityKind{a.Kind}),
		b.note("order.e.details"),
		b.field("order.e.name", b.need("authority.name", a.Name)),
		b.field("order.e.unit", a.Unit),
		annexBlock{label: b.say("order.e.representative"), values: who},
		b.field("order.e.file", b.need("authority.file_no", a.FileNo)),
		b.field("order.e.address", b.need("authority.address", a.Address)),
		b.code("order.e.telephone", b.need("authority.telephone", a.Telephone)),
		b.code("order.e.fax", a.Fax),
		b.code("order.e.email", b.need("authority.email", a.Email)),
		b.when("order.e.date", "issued_at", p.IssuedAt),
		b.code("order.e.signature", "Ed25519/"+a.KeyID),
		b.note("order.e.signature.note"))
}

// orderFollowUp fills section F: the issuing authority, then that of the addressee's
// state.
func (b *annexBuilder) orderFollowUp(p concert.OrderPayload) {
	contacts := slices.Clone(p.FollowUp)
	if p.CopyTo != nil && !slices.Contains(contacts, *p.CopyTo) {
		contacts = append(contacts, *p.CopyTo)
	}
	var blocks []annexBlock
	for _, side := range []struct{ role, key string }{{"issuing_authority", "order.f.issuing"}, {"authority_of_addressee", "order.f.host"}} {
		block := annexBlock{note: b.say(side.key)}
		for i, c := range contacts {
			if c.Role != "issuing_authority" && c.Role != "authority_of_addressee" {
				b.refuse("follow_up.role", "the form is not drawn: contact %d has the role %.40q: use issuing_authority or authority_of_addressee", i+1, c.Role)
			}
			if c.Role == side.role {
				block.lists = append(block.lists, b.contact(c))
			}
		}
		if block.lists == nil && side.role == "issuing_authority" {
			b.refuse("follow_up", "the form is not drawn: section F has no contact of the issuing authority; give one")
		}
		if block.lists == nil {
			block.values = hand("")
		}
		blocks = append(blocks, block)
	}
	b.section(b.say("order.f.title"), blocks...)
}

func (b *annexBuilder) contact(c concert.OrderContact) []annexBlock {
	blocks := []annexBlock{{values: append(hand(b.need("follow_up.name", c.Name)), annexValue{text: b.state(b.need("follow_up.state", c.State))})}}
	if c.Address != "" {
		blocks = append(blocks, b.field("order.e.address", c.Address))
	}
	if c.Telephone != "" {
		blocks = append(blocks, b.code("order.e.telephone", c.Telephone))
	}
	return append(blocks, b.code("order.e.email", b.need("follow_up.email", c.Email)))
}

// orderRedress fills section G (Art. 3(4)(f)).
func (b *annexBuilder) orderRedress(p concert.OrderPayload) {
	block := annexBlock{note: b.say("order.g.info")}
	for _, party := range []concert.RedressParty{concert.RedressProvider, concert.RedressContent} {
		if !slices.ContainsFunc(p.Redress, func(r concert.OrderRedress) bool { return r.For == party }) {
			b.refuse("redress", "the form is not drawn: section G does not say how the %s has the order reviewed (Art. 3(4)(f)); fill in the redress text of the state", party)
		}
	}
	for i, r := range p.Redress {
		at := func(name string) string { return fmt.Sprintf("redress[%d].%s", i, name) }
		name, known := b.has("redress", string(r.For))
		day, err := time.Parse(time.DateOnly, r.AsOf)
		if err != nil {
			b.refuse(at("as_of"), "the form is not drawn: %s is %.40q: write the day on which the text was checked, as YYYY-MM-DD", at("as_of"), r.AsOf)
		}
		if !known {
			b.refuse(at("for"), "the form is not drawn: %s is %.40q: use provider or content_provider", at("for"), r.For)
		}
		law := hand(b.need(at("law"), r.Law))
		if r.Link != "" {
			law = append(law, annexValue{text: visibleCode(r.Link), form: formCode})
		}
		block.lists = append(block.lists, []annexBlock{
			b.words("order.g.for", name),
			b.field("order.g.body", b.need(at("body"), r.Body)),
			b.field("order.g.deadline", b.need(at("deadline"), r.Deadline)),
			{label: b.say("order.g.law"), values: law},
			{label: b.say("order.g.asof"), values: []annexValue{{text: b.date(day), time: r.AsOf}}},
		})
	}
	b.section(b.say("order.g.title"), block)
}

// orderMore says what Art. 3(2) asks and what is ours.
func (b *annexBuilder) orderMore(p concert.OrderPayload) {
	var blocks []annexBlock
	f := p.FirstContact
	switch {
	case f.NoticedAt != "":
		blocks = append(blocks, b.when("more.notice", "first_contact.noticed_at", f.NoticedAt))
		if f.Notice != "" {
			blocks = append(blocks, b.code("more.notice.ref", f.Notice))
		}
	case f.Emergency == "":
		blocks = append(blocks, b.words("more.notice", b.say("more.earlier")))
	}
	if f.Emergency != "" {
		blocks = append(blocks, b.prose("more.emergency", f.Emergency))
	}
	b.section(b.say("more.title"), append(blocks,
		b.code("more.language", b.need("language", p.Language)), b.code("more.transport", b.need("transport", p.Transport)),
		b.words("more.detection", b.yes(p.Automated.Detection)), b.words("more.decision", b.yes(p.Automated.Decision)))...)
}

func (b *annexBuilder) yes(is bool) string {
	if is {
		return b.say("yes")
	}
	return b.say("no")
}
