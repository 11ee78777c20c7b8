package formats

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"concert"
)

// AnnexOptions are what is drawn beside the payload.
type AnnexOptions struct {
	// Words are the wording to use instead of the house's in that language.
	Words *AnnexWords
	// File is the signed original as a file: a concert.OrderFile or a concert.Envelope.
	// It must hold the very payload. A PDF carries it as an attachment, and the form
	// names the key of its author.
	File []byte
	// Check is the address of the public page that verifies orders, "" for none. The
	// PDF's QR code holds it with ref and the first 16 hex digits of the digest.
	Check string
	// Standalone asks for a whole HTML page with a small style sheet of its own; else
	// it is a fragment, an article, for a page of the house.
	Standalone bool
}

// AnnexDocument is a form of Annex I, II or III with everything filled in, as all
// renderings show it. The words of a language make one (Order, Feedback, Impossible).
type AnnexDocument struct {
	words    *AnnexWords
	kind     string // order, feedback, impossible
	ref      string
	at       time.Time
	exercise bool
	intro    []string
	duty     string // in English, word for word; "" where the form is no order
	sections []annexSection
	fileName string
	keyID    string
	digest   string // SHA-256 of the payload's RFC 8785 form, hex
	file     []byte
	check    string
}

// annexSection is one box of the form.
type annexSection struct {
	title  string
	blocks []annexBlock
}

// annexBlock is a label with values, a list of tick boxes, a numbered list of
// blocks, or a sentence; what is empty is not drawn.
type annexBlock struct {
	note   string
	label  string
	values []annexValue
	ticks  []annexTick
	lists  [][]annexBlock // titles stand in the first block's note
}

// annexValue is what stands in a field.
type annexValue struct {
	text string
	form annexForm
	time string // RFC 3339, of a moment
}

// annexForm is how a value is written.
type annexForm int

const (
	formWords annexForm = iota // by us, in the document's language
	formHand                   // by hand, in whatever language, direction by its own letters
	formProse                  // sentences by hand, at the side where they begin
	formCode                   // addresses and codes: from left to right, whole
)

type annexTick struct {
	text   string
	ticked bool
}

// annexBuilder fills a document and keeps the first field that is not there.
type annexBuilder struct {
	*AnnexWords
	doc   AnnexDocument
	fault error
}

func (b *annexBuilder) refuse(field, format string, args ...any) {
	if b.fault == nil {
		b.fault = concert.Refuse(concert.Invalid, "annex.missing", field, format, args...)
	}
}

// need is a value that the form cannot do without.
func (b *annexBuilder) need(field, s string) string {
	if oneLine(s) == "" {
		b.refuse(field, "the form is not drawn: %s is empty; fill it in", field)
	}
	return s
}

func (b *annexBuilder) section(title string, blocks ...annexBlock) {
	b.doc.sections = append(b.doc.sections, annexSection{title, blocks})
}

// field is a label with what was filled in by hand; a dash for nothing.
func (b *annexBuilder) field(key, value string) annexBlock {
	return annexBlock{label: b.say(key), values: hand(value)}
}

// prose is a label with sentences that were written by hand.
func (b *annexBuilder) prose(key, value string) annexBlock {
	block := b.field(key, value)
	for i := range block.values {
		if block.values[i].form == formHand {
			block.values[i].form = formProse
		}
	}
	return block
}

// code is a label with a code or an address.
func (b *annexBuilder) code(key, value string) annexBlock {
	return annexBlock{label: b.say(key), values: []annexValue{{text: visibleCode(value), form: formCode}}}
}

// words is a label with a text of ours.
func (b *annexBuilder) words(key, value string) annexBlock {
	return annexBlock{label: b.say(key), values: []annexValue{{text: value}}}
}

func (b *annexBuilder) note(key string) annexBlock { return annexBlock{note: b.say(key)} }

// stated is a time; one that cannot be read is a fault of the field.
func (b *annexBuilder) stated(field, value string) time.Time {
	t, err := concert.ParseTime(b.need(field, value))
	if err != nil {
		b.refuse(field, "the form is not drawn: %s is %.40q, which is no time: write it in UTC with milliseconds, for example 2019-11-21T12:00:00.000Z", field, value)
	}
	return t
}

// when is a label with a time, in the language's form and in RFC 3339 UTC.
func (b *annexBuilder) when(key, field, value string) annexBlock {
	t := b.stated(field, value)
	exact := t.Format(concert.TimeFormat)
	return annexBlock{label: b.say(key), values: []annexValue{{text: b.moment(t) + " (" + b.apart(exact) + ")", time: exact}}}
}

// annexTicks is a list of tick boxes under its sentence, in the order of the annex.
func annexTicks[T ~string](b *annexBuilder, note, group, field string, all, ticked []T) annexBlock {
	block := annexBlock{note: b.say(note)}
	for _, code := range all {
		block.ticks = append(block.ticks, annexTick{b.say(group + "." + string(code)), slices.Contains(ticked, code)})
	}
	if len(ticked) == 0 {
		b.refuse(field, "the form is not drawn: no box of %s is ticked; tick at least one", field)
	}
	for _, code := range ticked {
		if !slices.Contains(all, code) {
			b.refuse(field, "the form is not drawn: %s has %.40q, for which the annex has no box: use %v", field, code, all)
		}
	}
	return block
}

// hand parts a text that was written by hand into its paragraphs.
func hand(s string) []annexValue {
	var out []annexValue
	for line := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == '\n' || r == '\r' || r == 0x2028 || r == 0x2029 }) {
		if line = oneLine(line); line != "" {
			out = append(out, annexValue{text: line, form: formHand})
		}
	}
	if out == nil {
		out = []annexValue{{text: "—"}}
	}
	return out
}

// visibleCode shows an address whole: what cannot be seen, or would change how the
// rest is read, is written as its number.
func visibleCode(s string) string {
	var b strings.Builder
	before := rune(0)
	for _, r := range s {
		if r == ' ' && before != 0 && before != ' ' {
			b.WriteRune(r)
		} else if oneLine(string(r)) == "" || invisible(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
		before = r
	}
	if b.Len() == 0 {
		return "—"
	}
	return b.String()
}

// invisible reports what has no width of its own: soft hyphens, joiners, other
// spaces, byte order marks, tags, selectors of variants.
func invisible(r rune) bool {
	return r == 0xad || r == 0xa0 || r == 0x1680 || r == 0x180e || r >= 0x2000 && r <= 0x200f || r >= 0x202f && r <= 0x206f && r != 0x2030 && (r == 0x202f || r >= 0x205f) ||
		r == 0x3000 || r >= 0xfe00 && r <= 0xfe0f || r == 0xfeff || r >= 0xfff0 && r <= 0xfffb || r >= 0xe0000 && r <= 0xe01ef
}

// finish adds what all three forms end with: signature, digest, the original.
func (b *annexBuilder) finish(payload any, payloadType, keyID string, o AnnexOptions) (*AnnexDocument, error) {
	if b.fault != nil {
		return nil, b.fault
	}
	canonical, err := concert.CanonicalJSON(payload)
	if err != nil {
		return nil, err
	}
	d := &b.doc
	d.words, d.keyID = b.AnnexWords, keyID
	sum := sha256.Sum256(canonical)
	d.digest = hex.EncodeToString(sum[:])
	if o.File != nil {
		signer, err := originalOf(o.File, payloadType, canonical)
		if err != nil {
			return nil, err
		}
		if keyID != "" && signer != keyID {
			return nil, concert.Refuse(concert.Invalid, "annex.file", "file", "the form is not drawn: it names the key %.40q, the author of the signed original signed with %.40q: give the file that belongs to it", keyID, signer)
		}
		d.keyID, d.file, d.fileName = signer, o.File, d.kind+".json"
	}
	if o.Check != "" {
		if d.check, err = checkAddress(o.Check, d.ref, d.digest[:16]); err != nil {
			return nil, err
		}
	}
	key := b.code("sign.key", d.keyID)
	if d.keyID == "" {
		key = b.words("sign.key", b.say("sign.none"))
	}
	blocks := []annexBlock{key, b.code("sign.digest", d.digest)}
	if d.file != nil {
		blocks = append(blocks, annexBlock{note: b.say("sign.file", "file", d.fileName)})
	}
	if d.check != "" {
		check := b.code("sign.check", d.check)
		check.values = append(check.values, annexValue{text: d.ref + "  " + OrderCode(d.digest), form: formCode})
		blocks = append(blocks, check)
	}
	asOf, err := time.Parse(time.DateOnly, b.AsOf)
	if err != nil {
		return nil, fmt.Errorf("wording of the annexes in %s: %w", b.Language, err)
	}
	blocks = append(blocks, annexBlock{note: b.say("sign.form", "language", b.Name, "version", strconv.Itoa(b.Version), "date", b.date(asOf))})
	if !b.Checked {
		blocks = append(blocks, b.note("sign.unchecked"))
	}
	b.section(b.say("sign.title"), blocks...)
	return d, b.fault
}

// originalOf reads the signed original and gives the key of its author; a file that
// holds another payload is refused.
func originalOf(file []byte, payloadType string, canonical []byte) (string, error) {
	var f concert.OrderFile
	if err := json.Unmarshal(file, &f); err != nil {
		return "", concert.Refuse(concert.Invalid, "annex.file", "file", "the signed original cannot be read (%v): give an order file or an envelope", err)
	}
	e := f.Envelope
	if f.Format == "" {
		if err := json.Unmarshal(file, &e); err != nil {
			return "", concert.Refuse(concert.Invalid, "annex.file", "file", "the signed original cannot be read (%v): give an order file or an envelope", err)
		}
	}
	if e.PayloadType != payloadType || !bytes.Equal(e.Payload, canonical) {
		return "", concert.Refuse(concert.Invalid, "annex.file", "file", "the signed original holds something else (%.80q) than the form shows: give the file that belongs to it", e.PayloadType)
	}
	for _, s := range e.Signatures {
		if s.Role == "author" {
			return s.KeyID, nil
		}
	}
	return "", concert.Refuse(concert.Invalid, "annex.file", "file", "the signed original has no signature of its author: sign it first")
}

// checkAddress is the address of the public page with what it is to check.
func checkAddress(page, ref, digest string) (string, error) {
	u, err := url.Parse(page)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return "", concert.Refuse(concert.Invalid, "annex.check", "check", "%.80q is no address of a page: write it whole, with https://", page)
	}
	q := u.Query()
	q.Set("ref", ref)
	q.Set("digest", digest)
	u.RawQuery = q.Encode()
	return u.String(), nil
}
