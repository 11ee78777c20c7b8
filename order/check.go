package order

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"concert"
)

// What an order may hold at most, and the least that it says. Lengths are in
// characters.
const (
	MinStatement = 80 // of the statement of reasons (G02): "sufficiently detailed", Art. 3(4)(b)
	MaxPlaces    = 100
	minEmergency = 20
	maxWord      = 100
	maxLine      = 500
	maxText      = 20_000
	maxPlaceText = 4_000
	maxFaults    = 100
)

// noticeBefore is how long before its first order an addressee is told (Art. 3(2)).
const noticeBefore = 12 * time.Hour

// longestSilence is six weeks, of the calendar (Art. 11(3)): they end with the last hour
// of their last day (Regulation (EEC, Euratom) No 1182/71 Art. 3(2)(c)), and the clocks
// may be put back within them.
const longestSilence = (6*7+1)*24*time.Hour + time.Hour

var memberStates = [...]string{"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"}

func memberState(s string) bool { return slices.Contains(memberStates[:], s) }

// Check says what an order lacks: a refusal for each field of Annex I of Regulation
// (EU) 2021/784 and of Art. 3(2) to (4) that is missing or malformed, none for an
// order that is complete. Codes are "order." and the field's path without places in
// lists; Field is the path with them. It knows nothing of signatures: that is
// [Verify].
func Check(p concert.OrderPayload) []*concert.Error {
	c := &checker{}
	c.head(p)
	c.content(p)
	c.silence(p)
	c.copyTo(p)
	c.authority(p)
	c.followUp(p)
	c.redress(p)
	c.firstContact(p)
	return c.faults
}

type checker struct{ faults []*concert.Error }

var listPlace = regexp.MustCompile(`\[\d+\]`)

// refuse notes a refusal of a field; its code is made of the field's path.
func (c *checker) refuse(field, format string, args ...any) *concert.Error {
	e := concert.Refuse(concert.Invalid, "order."+listPlace.ReplaceAllString(field, ""), field, format, args...)
	if len(c.faults) < maxFaults {
		c.faults = append(c.faults, e)
	}
	return e
}

// plain reports whether s can be shown as it is: no control character but those of
// allowed, no mark that turns the direction of what follows.
func plain(s, allowed string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		turning := r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
		return turning || r == 0x2028 || r == 0x2029 || unicode.IsControl(r) && !strings.ContainsRune(allowed, r)
	})
}

// text looks at a field that must be there; where says which rule wants it.
func (c *checker) text(field, value, where string, most int) bool {
	if strings.TrimSpace(value) == "" {
		c.refuse(field, "%s is missing: an order needs it (%s)", field, where)
		return false
	}
	return c.optional(field, value, most)
}

// optional looks at a field that may be empty. Only long texts have several lines.
func (c *checker) optional(field, value string, most int) bool {
	allowed := ""
	if most > maxLine {
		allowed = "\n\t"
	}
	n := utf8.RuneCountInString(value)
	switch {
	case n > most:
		c.refuse(field, "%s has %d characters: write at most %d", field, n, most)
	case !utf8.ValidString(value) || !plain(value, allowed):
		c.refuse(field, "%s holds control characters, marks of direction or broken characters: write plain text", field)
	default:
		return true
	}
	return false
}

func (c *checker) list(field string, n, most int) bool {
	if n < 1 || n > most {
		c.refuse(field, "%s has %d entries: give 1 to %d", field, n, most)
		return false
	}
	return true
}

// once refuses a value that was seen before.
func (c *checker) once(seen map[string]bool, field, value string) {
	if seen[value] {
		c.refuse(field, "%s names %.80q a second time: name it once", field, value)
	}
	seen[value] = true
}

func (c *checker) state(field, value string) bool {
	if !concert.IsCountry(value) {
		c.refuse(field, "%s is %.40q: write the two capital letters of a state (ISO 3166-1)", field, value)
		return false
	}
	return true
}

func (c *checker) time(field, value string) (time.Time, bool) {
	t, err := concert.ParseTime(value)
	if err != nil {
		c.refuse(field, "%s is %.40q: write a time in UTC with milliseconds, such as 2026-01-31T09:30:00.000Z", field, value)
	}
	return t, err == nil
}

func (c *checker) email(field, value, where string) {
	if c.text(field, value, where, maxLine) && !concert.PlainMailbox(value) {
		c.refuse(field, "%s is %.80q: write a mail address, such as duty@authority.example", field, value)
	}
}

// languageTag is the shape of a BCP 47 tag.
var languageTag = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)

var keyID = regexp.MustCompile(`^[0-9a-f]{16}$`)

// head is section A with what says that it is an order.
func (c *checker) head(p concert.OrderPayload) {
	const a = "Annex I, section A"
	if p.Type != "removal_order" {
		c.refuse("type", "%s is %.40q: write %v", "type", p.Type, "removal_order")
	}
	if p.Version != 1 {
		c.refuse("version", "%s is %d: this program knows version 1; a newer one may know more", "version", p.Version)
	}
	if p.Duty != concert.OrderDuty {
		c.refuse("duty", "the duty under Art. 3 does not stand there word for word: take the text as it is")
	}
	c.text("ref", p.Ref, a, maxWord)
	if !languageTag.MatchString(p.Language) || len(p.Language) > 35 {
		c.refuse("language", "%s is %.40q: write a BCP 47 tag, such as fr", "language", p.Language)
	}
	c.text("transport", p.Transport, "Art. 3(5)", maxLine)
	if c.state("issuing_state", p.IssuingState) && !memberState(p.IssuingState) {
		c.refuse("issuing_state", "%s is no Member State of the Union: only its authorities issue removal orders (Art. 3(1))", p.IssuingState)
	}
	c.text("addressee.ref", p.Addressee.Ref, a, maxWord)
	c.text("addressee.name", p.Addressee.Name, a, maxLine)
	c.optional("addressee.representative", p.Addressee.Representative, maxLine)
	c.text("addressee.contact_point", p.Addressee.ContactPoint, a, maxLine)
	c.state("addressee.state", p.Addressee.State)
	c.time("issued_at", p.IssuedAt)
	if p.Automated.Decision {
		c.refuse("automation.automated_decision", "an order is decided by people: automated_decision is always false")
	}
}

// content is section B, with the legal basis and the territory.
func (c *checker) content(p concert.OrderPayload) {
	const b = "Annex I, section B"
	if c.list("places", len(p.Places), MaxPlaces) {
		refs, canonical := map[string]bool{}, map[string]bool{}
		for i, place := range p.Places {
			at := fmt.Sprintf("places[%d].", i)
			if c.text(at+"ref", place.Ref, b, maxWord) {
				c.once(refs, at+"ref", place.Ref)
			}
			if c.text(at+"location.canonical", place.Location.Canonical, b, maxPlaceText) {
				c.once(canonical, at+"location.canonical", place.Location.Canonical)
			}
			c.text(at+"location.kind", place.Location.Kind, b, maxWord)
			c.text(at+"location.submitted", place.Location.Submitted, b, maxPlaceText)
			c.text(at+"location.display", place.Location.Display, b, maxPlaceText)
			c.optional(at+"location.platform", place.Location.Platform, maxLine)
			c.optional(at+"location.object_id", place.Location.ObjectID, maxPlaceText)
			c.optional(at+"location.domain", place.Location.Domain, maxLine)
			c.optional(at+"additional", place.Additional, maxPlaceText)
		}
	}
	if c.list("reasons", len(p.Reasons), len(concert.ContentTypes)) {
		seen := map[string]bool{}
		for i, r := range p.Reasons {
			at := fmt.Sprintf("reasons[%d]", i)
			if !slices.Contains(concert.ContentTypes, r) {
				c.refuse(at, "%s is %.40q: choose one of %v", at, r, concert.ContentTypes)
			}
			c.once(seen, at, string(r))
		}
	}
	if c.text("statement", p.Statement, "Art. 3(4)(b)", maxText) {
		if n := utf8.RuneCountInString(strings.TrimSpace(p.Statement)); n < MinStatement {
			c.refuse("statement", "%s has %d characters: write at least %d", "statement", n, MinStatement)
		}
	}
	if c.list("legal_basis", len(p.LegalBasis), 20) {
		seen := map[string]bool{}
		for i, l := range p.LegalBasis {
			at := fmt.Sprintf("legal_basis[%d]", i)
			c.text(at, l, "Art. 3(4)(d)", maxLine)
			c.once(seen, at, l)
		}
		if !strings.Contains(p.LegalBasis[0], "2021/784") {
			c.refuse("legal_basis", "the legal basis does not begin with Regulation (EU) 2021/784: name its provision first (Art. 3(4)(d))")
		}
	}
	if c.list("scope", len(p.Scope), len(memberStates)) {
		seen := map[string]bool{}
		for i, s := range p.Scope {
			at := fmt.Sprintf("scope[%d]", i)
			if s != "EU" && !memberState(s) {
				c.refuse(at, "%s is %.40q: write EU for all Member States, or the letters of one", at, s)
			}
			c.once(seen, at, s)
		}
		if len(p.Scope) > 1 && seen["EU"] {
			c.refuse("scope", "the scope names the Union and states beside it: name the one or the others")
		}
	}
}

// silence is section C.
func (c *checker) silence(p concert.OrderPayload) {
	s := p.NonDisclosure
	if s == nil {
		return
	}
	since, ok := c.time("non_disclosure.since", s.Since)
	until, okUntil := c.time("non_disclosure.until", s.Until)
	switch {
	case !ok || !okUntil:
	case !until.After(since):
		c.refuse("non_disclosure.until", "the non-disclosure ends before it begins: give a later end")
	case until.Sub(since) > longestSilence:
		c.refuse("non_disclosure.until", "the non-disclosure lasts longer than six weeks: end it by then, it can be prolonged once (Art. 11(3))")
	}
}

// copyTo is section D: the other state's authority reads along (Art. 4(1)).
func (c *checker) copyTo(p concert.OrderPayload) {
	other := memberState(p.Addressee.State) && p.Addressee.State != p.IssuingState
	switch {
	case other && p.CopyTo == nil:
		c.refuse("copy_to", "the addressee is established in %s: name that state's authority, which gets a copy (Art. 4(1))", p.Addressee.State)
	case !other && p.CopyTo != nil:
		c.refuse("copy_to", "a copy goes to an authority of another Member State only, where the addressee is established: take it out (Art. 4(1))")
	case other:
		c.contact("copy_to.", *p.CopyTo, "Annex I, section D")
		c.same("copy_to.state", p.CopyTo.State, "addressee.state", p.Addressee.State)
		if p.CopyTo.Role != roleOther {
			c.refuse("copy_to.role", "%s is %.40q: write %v", "copy_to.role", p.CopyTo.Role, roleOther)
		}
	}
}

func (c *checker) same(field, value, other, want string) {
	if value != want {
		c.refuse(field, "%s is %.40q and %s is %.40q: they must be the same", field, value, other, want)
	}
}

// The roles of a contact.
const (
	roleIssuing = "issuing_authority"
	roleOther   = "authority_of_addressee"
)

func (c *checker) contact(at string, v concert.OrderContact, where string) {
	if v.Role != roleIssuing && v.Role != roleOther {
		c.refuse(at+"role", "%s is %.40q: choose one of %v", at+"role", v.Role, []string{roleIssuing, roleOther})
	}
	c.text(at+"name", v.Name, where, maxLine)
	c.state(at+"state", v.State)
	c.optional(at+"address", v.Address, maxLine)
	c.optional(at+"telephone", v.Telephone, maxWord)
	c.email(at+"email", v.Email, where)
}

// authority is section E.
func (c *checker) authority(p concert.OrderPayload) {
	const e = "Annex I, section E"
	a := p.Authority
	c.text("authority.ref", a.Ref, e, maxWord)
	if !slices.Contains(concert.OrderAuthorityKinds, a.Kind) {
		c.refuse("authority.kind", "%s is %.40q: choose one of %v", "authority.kind", a.Kind, concert.OrderAuthorityKinds)
	}
	c.text("authority.name", a.Name, e, maxLine)
	if c.state("authority.country", a.Country) {
		c.same("authority.country", a.Country, "issuing_state", p.IssuingState)
	}
	c.text("authority.unit", a.Unit, e, maxLine)
	c.text("authority.representative", a.Representative, e, maxLine)
	c.text("authority.post", a.Post, e, maxLine)
	c.text("authority.file_no", a.FileNo, e, maxWord)
	c.text("authority.address", a.Address, e, maxLine)
	c.text("authority.telephone", a.Telephone, e, maxWord)
	c.optional("authority.fax", a.Fax, maxWord)
	c.email("authority.email", a.Email, e)
	if !keyID.MatchString(a.KeyID) {
		c.refuse("authority.keyid", "%s is %.40q: write 16 hexadecimal digits in small letters", "authority.keyid", a.KeyID)
	}
}

// followUp is section F.
func (c *checker) followUp(p concert.OrderPayload) {
	if !c.list("follow_up", len(p.FollowUp), 10) {
		return
	}
	issuer := false
	for i, v := range p.FollowUp {
		c.contact(fmt.Sprintf("follow_up[%d].", i), v, "Annex I, section F")
		issuer = issuer || v.Role == roleIssuing && v.State == p.IssuingState
	}
	if !issuer {
		c.refuse("follow_up", "the issuing authority is missing among the contacts: say how the addressee reaches it (Annex I, section F)")
	}
}

// redress is section G, for both who may seek a review (G15).
func (c *checker) redress(p concert.OrderPayload) {
	const g = "Annex I, section G"
	if !c.list("redress", len(p.Redress), 20) {
		return
	}
	parties := []concert.RedressParty{concert.RedressProvider, concert.RedressContent}
	for i, r := range p.Redress {
		at := fmt.Sprintf("redress[%d].", i)
		if !slices.Contains(parties, r.For) {
			c.refuse(at+"for", "%s is %.40q: choose one of %v", at+"for", r.For, parties)
		}
		c.text(at+"body", r.Body, g, maxLine)
		c.text(at+"deadline", r.Deadline, g, maxLine)
		c.text(at+"law", r.Law, g, maxLine)
		if c.optional(at+"link", r.Link, maxLine) && r.Link != "" && !strings.HasPrefix(r.Link, "https://") {
			c.refuse(at+"link", "%s is %.80q: write an address that begins with https://", at+"link", r.Link)
		}
		if t, err := time.Parse(time.DateOnly, r.AsOf); err != nil || t.Format(time.DateOnly) != r.AsOf {
			c.refuse(at+"as_of", "%s is %.40q: write a day, such as 2026-01-31", at+"as_of", r.AsOf)
		}
	}
	for _, party := range parties {
		if !slices.ContainsFunc(p.Redress, func(r concert.OrderRedress) bool { return r.For == party }) {
			c.refuse("redress", "no way to a review is named for the %s: give court, deadline and law (Art. 3(4)(f))", party)
		}
	}
}

// firstContact is Art. 3(2): told twelve hours before, or why not (G10).
func (c *checker) firstContact(p concert.OrderPayload) {
	f := p.FirstContact
	told := false
	if f.NoticedAt != "" {
		noticed, ok := c.time("first_contact.noticed_at", f.NoticedAt)
		issued, err := concert.ParseTime(p.IssuedAt)
		c.text("first_contact.notice", f.Notice, "Art. 3(2)", maxWord)
		told = !ok || err != nil || !noticed.After(issued.Add(-noticeBefore))
	} else {
		c.optional("first_contact.notice", f.Notice, maxWord)
	}
	if f.Emergency != "" {
		if !c.optional("first_contact.emergency", f.Emergency, maxPlaceText) {
			return
		}
		if n := utf8.RuneCountInString(strings.TrimSpace(f.Emergency)); n < minEmergency {
			c.refuse("first_contact.emergency", "%s has %d characters: write at least %d", "first_contact.emergency", n, minEmergency)
		}
		return
	}
	if !told {
		c.refuse("first_contact", "the addressee was not told twelve hours before its first order: give time and reference of that notice, or why it is an emergency (Art. 3(2))")
	}
}
