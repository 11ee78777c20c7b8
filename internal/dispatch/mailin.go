package dispatch

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	gomessage "github.com/emersion/go-message"
	// Old encodings of text parts, by golang.org/x/text.
	_ "github.com/emersion/go-message/charset"
	"github.com/emersion/go-msgauth/dkim"
	"golang.org/x/net/html"
	"golang.org/x/net/publicsuffix"

	"concert"
)

const (
	// MailMost is the largest mail in bytes that is taken in.
	MailMost = 2 << 20
	// partsMost and partsDeep bound what a message's structure may cost.
	partsMost = 100
	partsDeep = 8
	// partMost bounds one part's text.
	partMost = 256 << 10
	// documentsMost bounds the JSON documents of one mail.
	documentsMost = 5
)

// ErrMail says that a message cannot be read as mail at all.
var ErrMail = errors.New("not a mail message")

// Incoming is a mail that came in, as far as it says something.
type Incoming struct {
	MessageID string // without brackets, "" where it has none
	From      string // the one address of its From line; "" where there is none or more than one
	Subject   string
	Refers    []string // Message-IDs in In-Reply-To and References
	Kind      concert.MessageKind
	Code      string // enhanced status (RFC 3463), disposition (RFC 8098) or feedback type (RFC 5965)
	Recipient string // that a report is about, as it says
	Text      string // plain text: markup and quoted lines dropped
	Dropped   string // what was not kept

	Documents [][]byte // JSON documents that are attached, for what is asked for as such: at most documentsMost
}

// ParseMail reads a mail: a person's reply, a delivery report (RFC 3464), a
// disposition notification (RFC 8098), a feedback report (RFC 5965), or what a
// program says by itself (RFC 3834). It trusts no word of it. Errors match
// ErrMail.
func ParseMail(raw []byte) (Incoming, error) {
	var in Incoming
	if len(raw) > MailMost {
		return in, fmt.Errorf("%w: %d bytes, at most %d are taken", ErrMail, len(raw), MailMost)
	}
	e, err := gomessage.Read(bytes.NewReader(raw))
	if e == nil || err != nil && !gomessage.IsUnknownCharset(err) && !gomessage.IsUnknownEncoding(err) {
		return in, fmt.Errorf("%w: %w", ErrMail, err)
	}
	if e.Header.Len() == 0 {
		return in, fmt.Errorf("%w: it has no header", ErrMail)
	}
	in.head(e)
	p := parsing{in: &in}
	p.walk(e, 0)
	in.Text = plainText(p)
	in.Dropped = strings.Join(p.dropped, ", ")
	in.Kind = p.kind()
	if in.Kind == concert.MessageAutomatic && in.Code == "" && p.report {
		in.Code = "unreadable"
	}
	return in, nil
}

func (in *Incoming) head(e *gomessage.Entity) {
	h := e.Header
	in.MessageID = firstID(h.Get("Message-Id"))
	if subject, err := h.Text("Subject"); err == nil {
		in.Subject = tidy(subject, 400)
	}
	froms := 0
	for f := h.FieldsByKey("From"); f.Next(); {
		froms++
		if as, err := mail.ParseAddressList(f.Value()); err == nil && len(as) == 1 {
			in.From = as[0].Address
		}
	}
	// Two From lines are a way to show one sender and sign for another.
	if froms != 1 || len(in.From) > 254 {
		in.From = ""
	}
	for _, key := range []string{"In-Reply-To", "References"} {
		for _, id := range strings.Fields(h.Get(key)) {
			if id = firstID(id); id != "" && len(in.Refers) < 50 {
				in.Refers = append(in.Refers, id)
			}
		}
	}
}

func firstID(s string) string {
	_, s, found := strings.Cut(s, "<")
	s, _, closed := strings.Cut(s, ">")
	if !found || !closed || len(s) > 400 || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return ""
	}
	return s
}

// parsing gathers what a message's parts say.
type parsing struct {
	in        *Incoming
	parts     int
	plain     []string
	marked    []string
	dropped   []string
	status    concert.MessageKind // from a delivery report
	read      bool                // a disposition notification
	complaint bool
	report    bool // a multipart/report, readable or not
	automatic bool
}

func (p *parsing) kind() concert.MessageKind {
	switch {
	case p.status != "":
		return p.status
	case p.complaint:
		return concert.MessageComplaint
	case p.read:
		return concert.MessageRead
	case p.report || p.automatic:
		return concert.MessageAutomatic
	}
	return concert.MessageReply
}

func (p *parsing) walk(e *gomessage.Entity, depth int) {
	if p.parts++; p.parts > partsMost || depth > partsDeep {
		return
	}
	kind, _, err := e.Header.ContentType()
	if err != nil || kind == "" {
		kind = "text/plain"
	}
	kind = strings.ToLower(kind)
	if depth == 0 {
		p.automatic = automatic(e.Header)
		p.report = kind == "multipart/report"
	}
	if mr := e.MultipartReader(); mr != nil {
		for {
			part, err := mr.NextPart()
			if part == nil || err != nil && !gomessage.IsUnknownCharset(err) && !gomessage.IsUnknownEncoding(err) || p.parts > partsMost {
				return
			}
			p.walk(part, depth+1)
		}
	}
	body, _ := io.ReadAll(io.LimitReader(e.Body, partMost)) // what a broken encoding gave until it broke is what there is
	switch {
	case kind == "message/delivery-status" || kind == "message/global-delivery-status":
		p.delivery(body)
	case kind == "message/disposition-notification" || kind == "message/global-disposition-notification":
		p.disposition(body)
	case kind == "message/feedback-report":
		p.feedback(body)
	case document(kind, e.Header):
		if len(p.in.Documents) < documentsMost {
			p.in.Documents = append(p.in.Documents, body)
		}
		p.drop(kind, len(body)) // of a mail about anything else
	case attached(e.Header):
		p.drop(kind, len(body))
	case kind == "text/plain":
		p.plain = append(p.plain, string(body))
	case kind == "text/html":
		p.marked = append(p.marked, string(body))
	case kind == "text/rfc822-headers" || kind == "message/rfc822" && p.report:
		// Our own mail comes back: nothing new.
	default:
		p.drop(kind, len(body))
	}
}

func (p *parsing) drop(kind string, size int) {
	if len(p.dropped) < 20 {
		p.dropped = append(p.dropped, fmt.Sprintf("%s (%d bytes)", tidy(kind, 60), size))
	}
}

// document reports whether a part is a JSON document, as its type or its name says.
func document(kind string, h gomessage.Header) bool {
	if kind == "application/json" || strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json") {
		return true
	}
	if !attached(h) {
		return false
	}
	_, params, err := h.ContentDisposition()
	return err == nil && strings.HasSuffix(strings.ToLower(params["filename"]), ".json")
}

func attached(h gomessage.Header) bool {
	d, _, err := h.ContentDisposition()
	return err == nil && strings.EqualFold(d, "attachment")
}

// automatic reports whether a program wrote the mail (RFC 3834, and what is usual
// beside it).
func automatic(h gomessage.Header) bool {
	auto := strings.ToLower(strings.TrimSpace(h.Get("Auto-Submitted")))
	if auto != "" && !strings.HasPrefix(auto, "no") {
		return true
	}
	switch strings.ToLower(strings.TrimSpace(h.Get("Precedence"))) {
	case "auto_reply", "bulk", "junk", "list":
		return true
	}
	for _, key := range []string{"X-Autoreply", "X-Autorespond", "X-Auto-Response"} {
		if h.Has(key) {
			return true
		}
	}
	from, subject := strings.ToLower(h.Get("From")), strings.ToLower(h.Get("Subject"))
	return strings.Contains(from, "mailer-daemon@") || strings.HasPrefix(subject, "out of office") || strings.HasPrefix(subject, "automatic reply")
}

// fieldGroups are the groups of lines of a report's machine-readable part.
func fieldGroups(body []byte) []textproto.MIMEHeader {
	text := bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n"))
	var out []textproto.MIMEHeader
	for group := range bytes.SplitSeq(text, []byte("\n\n")) {
		if len(out) > 100 {
			break
		}
		r := textproto.NewReader(bufio.NewReader(bytes.NewReader(append(bytes.TrimLeft(group, "\n"), "\n\n"...))))
		// A broken line costs its group, not the report.
		if h, err := r.ReadMIMEHeader(); len(h) > 0 && (err == nil || errors.Is(err, io.EOF)) {
			out = append(out, h)
		}
	}
	return out
}

var statusCode = regexp.MustCompile(`^[245]\.[0-9]{1,3}\.[0-9]{1,3}$`)

// deliveryKinds are the actions of RFC 3464, the worst first.
var deliveryKinds = []struct {
	action string
	kind   concert.MessageKind
}{
	{"failed", concert.MessageBounced}, {"delayed", concert.MessageDelayed}, {"relayed", concert.MessageRelayed}, {"expanded", concert.MessageRelayed}, {"delivered", concert.MessageDelivered},
}

// delivery reads a delivery report: the worst that it says of any recipient.
func (p *parsing) delivery(body []byte) {
	worst := len(deliveryKinds)
	for _, g := range fieldGroups(body) {
		action := strings.ToLower(strings.TrimSpace(g.Get("Action")))
		i := slices.IndexFunc(deliveryKinds, func(k struct {
			action string
			kind   concert.MessageKind
		}) bool {
			return k.action == action
		})
		if i < 0 || i >= worst {
			continue
		}
		worst = i
		p.status = deliveryKinds[i].kind
		code, _, _ := strings.Cut(strings.TrimSpace(g.Get("Status")), " ")
		if p.in.Code = code; !statusCode.MatchString(code) {
			p.in.Code = action
		}
		p.in.Recipient = recipientOf(g)
	}
}

func recipientOf(g textproto.MIMEHeader) string {
	for _, key := range []string{"Original-Recipient", "Final-Recipient"} {
		if _, a, found := strings.Cut(g.Get(key), ";"); found {
			if a = strings.Trim(strings.TrimSpace(a), "<>"); concert.PlainMailbox(a) {
				return a
			}
		}
	}
	return ""
}

// disposition reads a notification: what a program says became of the mail.
func (p *parsing) disposition(body []byte) {
	for _, g := range fieldGroups(body) {
		d := g.Get("Disposition")
		if d == "" {
			continue
		}
		_, what, _ := strings.Cut(d, ";")
		what, _, _ = strings.Cut(strings.TrimSpace(strings.ToLower(what)), "/")
		p.in.Code, p.in.Recipient = tidy(what, 40), recipientOf(g)
		p.read = what == "displayed" || what == "deleted" || what == "processed" || what == "dispatched"
	}
}

// feedback reads an abuse report on our own mail.
func (p *parsing) feedback(body []byte) {
	for _, g := range fieldGroups(body) {
		if kind := g.Get("Feedback-Type"); kind != "" {
			p.complaint, p.in.Code = true, tidy(strings.ToLower(kind), 40)
		}
	}
}

// plainText is what a person wrote: the plain parts, else the marked ones without
// their marks, without what they quote.
func plainText(p parsing) string {
	text := strings.Join(p.plain, "\n")
	if strings.TrimSpace(text) == "" {
		var b strings.Builder
		for _, m := range p.marked {
			b.WriteString(unmarked(m) + "\n")
		}
		text = b.String()
	}
	var kept []string
	blank := 0
	for line := range strings.Lines(text) {
		line = strings.TrimRight(tidyLine(line), " ")
		if strings.HasPrefix(line, ">") {
			continue
		}
		if blank++; line != "" {
			blank = 0
		}
		if blank < 2 {
			kept = append(kept, line)
		}
	}
	return cut(strings.TrimSpace(strings.Join(kept, "\n")), concert.MessageMost)
}

// unmarked is the text of HTML; what is never shown is dropped with its content.
func unmarked(markup string) string {
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(markup))
	hidden := 0
	for {
		switch t := z.Next(); t {
		case html.ErrorToken:
			return b.String()
		case html.TextToken:
			if hidden == 0 {
				b.Write(z.Text())
			}
		case html.StartTagToken, html.EndTagToken, html.SelfClosingTagToken:
			name, _ := z.TagName()
			switch string(name) {
			case "script", "style", "head", "title", "template", "noscript", "svg", "object", "iframe":
				if t == html.StartTagToken {
					hidden++
				} else if t == html.EndTagToken {
					hidden = max(hidden-1, 0)
				}
			case "br", "p", "div", "li", "tr", "h1", "h2", "h3", "h4", "blockquote", "pre", "table":
				b.WriteByte('\n')
			}
		}
	}
}

// tidyLine drops what is no text: control characters and marks that change the
// direction of what follows.
func tidyLine(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r == utf8.RuneError, unicode.IsControl(r), r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
			return -1
		}
		return r
	}, s)
}

func tidy(s string, most int) string {
	return cut(strings.Join(strings.Fields(tidyLine(strings.NewReplacer("\r", " ", "\n", " ").Replace(s))), " "), most)
}

func cut(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// SignedBy reports whether the domain of the address vouches for the mail: its
// one From line has that domain, and a valid DKIM signature of that domain, or of
// one above it, covers the From line. lookup asks for TXT records.
func SignedBy(raw []byte, in Incoming, address string, lookup func(string) ([]string, error)) bool {
	_, domain, _ := strings.Cut(strings.ToLower(address), "@")
	_, from, _ := strings.Cut(strings.ToLower(in.From), "@")
	if domain == "" || from != domain || lookup == nil {
		return false
	}
	registrable, err := publicsuffix.EffectiveTLDPlusOne(domain)
	if err != nil {
		registrable = domain
	}
	// A bare line feed is not what was signed, and some readers split there.
	vs, err := dkim.VerifyWithOptions(bytes.NewReader(raw), &dkim.VerifyOptions{LookupTXT: lookup, MaxVerifications: 5})
	if err != nil && !errors.Is(err, dkim.ErrTooManySignatures) {
		return false
	}
	return slices.ContainsFunc(vs, func(v *dkim.Verification) bool {
		d := strings.ToLower(v.Domain)
		covers := slices.ContainsFunc(v.HeaderKeys, func(k string) bool { return strings.EqualFold(k, "From") })
		return v.Err == nil && covers && (d == domain || strings.HasSuffix(domain, "."+d) && strings.HasSuffix("."+d, "."+registrable))
	})
}
