package lookup

import (
	"bytes"
	_ "embed"
	"encoding/csv"
	"net/url"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

const (
	maxParse     = 256 << 10 // bytes of a page that are parsed
	maxText      = 64 << 10  // bytes of visible text that are kept
	maxNotice    = 16 << 10  // bytes of it in which a notice is looked for; what stands further down is no notice
	maxHead      = 2 << 10   // bytes of title and headings that are kept
	shortText    = 1500      // bytes of text up to which a whole page is a notice
	minShellText = 200       // characters below which a page with scripts is a shell
	minPlainText = 40        // characters below which a page without scripts shows nothing
	minHint      = 6         // characters below which a hint fits too much
)

// page is what a reader would see of an answer, folded for comparison.
type page struct {
	head    string // title, first headings, og:title
	text    string // visible text
	hints   []string
	scripts int
	media   bool
	raw     []byte // the parsed part of the body
}

type class string

const (
	removed        class = "removed"
	private        class = "private"
	login          class = "login"
	age            class = "age"
	geo            class = "geo"
	challenge      class = "challenge"
	parked         class = "parked"
	infrastructure class = "infrastructure"
	marker         class = "marker"
)

// signature is a line of signatures.csv. A marker is looked for in the markup,
// and only on its host: there the platform escapes whatever users write, while
// on a host of their own anyone can write anything. All other classes are
// looked for in the visible text, on any host.
type signature struct {
	class class
	lang  string
	host  string // registrable domain, for markers
	text  string // folded, or for markers the lower-case markup
}

type found struct {
	signature
	prominent bool // in title or heading, or on a page that is little more than this
}

func (f found) detail() string { return string(f.class) + "/" + f.lang }

//go:embed signatures.csv
var signatureFile []byte

// signatures holds the file by class; a broken line is a programmer's error
// that the first test finds.
var signatures = sync.OnceValue(func() map[class][]signature {
	r := csv.NewReader(bytes.NewReader(signatureFile))
	r.Comment, r.FieldsPerRecord = '#', 4
	rows, err := r.ReadAll()
	if err != nil {
		panic("lookup: signatures.csv: " + err.Error())
	}
	out := make(map[class][]signature)
	for _, row := range rows[1:] {
		s := signature{class(row[0]), row[1], row[2], row[3]}
		if s.class == marker {
			s.text = strings.ToLower(s.text)
		} else {
			s.text = fold(s.text)
		}
		out[s.class] = append(out[s.class], s)
	}
	return out
})

// scan reads the visible text of an answer.
func scan(r *Response) *page {
	p := &page{raw: r.Body[:min(len(r.Body), maxParse)]}
	for _, h := range append([]string{r.Title}, r.Marks...) {
		if h = fold(h[:min(len(h), 1024)]); utf8.RuneCountInString(h) >= minHint {
			p.hints = append(p.hints, h)
		}
	}
	body := decode(p.raw, r.Header.Get("Content-Type"))
	switch mediaType(r) {
	case "html":
		p.parse(body)
	case "text", "json":
		p.text = fold(string(body[:min(len(body), maxText)]))
	}
	return p
}

func (p *page) parse(body []byte) {
	var head, text strings.Builder
	z := html.NewTokenizer(bytes.NewReader(body))
	hidden, heading := 0, 0
	for {
		switch z.Next() {
		case html.ErrorToken:
			p.head, p.text = fold(head.String()), fold(text.String())
			return
		case html.TextToken:
			if hidden > 0 {
				continue
			}
			t := z.Text()
			if heading > 0 && head.Len() < maxHead {
				head.Write(t)
				head.WriteByte(' ')
			}
			if text.Len() < maxText {
				text.Write(t[:min(len(t), maxText-text.Len())])
				text.WriteByte(' ')
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			name, attr := z.TagName()
			switch atom.Lookup(name) {
			case atom.Script:
				p.scripts++
				hidden++
			case atom.Style, atom.Template:
				hidden++
			case atom.Title, atom.H1, atom.H2:
				heading++
			case atom.Video, atom.Audio, atom.Object, atom.Embed:
				p.media = true
			case atom.Meta:
				if attr && head.Len() < maxHead {
					head.WriteString(metaTitle(z))
				}
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			switch atom.Lookup(name) {
			case atom.Script, atom.Style, atom.Template:
				hidden = max(hidden-1, 0)
			case atom.Title, atom.H1, atom.H2:
				heading = max(heading-1, 0)
			}
		}
	}
}

// metaTitle returns the content of og:title and og:description with a blank
// behind it, "" for any other meta element.
func metaTitle(z *html.Tokenizer) string {
	var isTitle bool
	var content string
	for {
		key, value, more := z.TagAttr()
		switch string(key) {
		case "property", "name":
			isTitle = isTitle || string(value) == "og:title" || string(value) == "og:description"
		case "content":
			content = string(value[:min(len(value), maxHead)])
		}
		if !more {
			break
		}
	}
	if !isTitle {
		return ""
	}
	return content + " "
}

// match looks for a text signature of a class. One that the captured title or
// mark itself contains is no sign.
func (p *page) match(c class) (found, bool) {
	var weak found
	ok := false
	notice := p.text[:min(len(p.text), maxNotice)]
	for _, s := range signatures()[c] {
		if p.inHints(s.text) {
			continue
		}
		inHead := strings.Contains(p.head, s.text)
		if !inHead && !strings.Contains(notice, s.text) {
			continue
		}
		if inHead || !p.long() {
			return found{s, true}, true
		}
		if !ok {
			weak, ok = found{s, false}, true
		}
	}
	return weak, ok
}

// marker looks for a platform's own markup on its host.
func (p *page) marker(r *Response) (found, bool) {
	all := signatures()[marker]
	u, err := url.Parse(r.Final)
	if err != nil {
		return found{}, false
	}
	host := strings.ToLower(u.Hostname())
	var lower []byte
	for _, s := range all {
		if host != s.host && !strings.HasSuffix(host, "."+s.host) {
			continue
		}
		if lower == nil {
			lower = bytes.ToLower(p.raw)
		}
		if bytes.Contains(lower, []byte(s.text)) {
			return found{s, true}, true
		}
	}
	return found{}, false
}

func (p *page) inHints(text string) bool {
	for _, h := range p.hints {
		if strings.Contains(h, text) {
			return true
		}
	}
	return false
}

// hint reports whether the captured title or a mark shows.
func (p *page) hint() bool {
	for _, h := range p.hints {
		if strings.Contains(p.head, h) || strings.Contains(p.text, h) {
			return true
		}
	}
	return false
}

func (p *page) long() bool { return len(p.text) > shortText }

func (p *page) shell() bool {
	return p.scripts > 0 && !p.media && utf8.RuneCountInString(p.text) < minShellText
}

// fold makes texts comparable: composed, lower case, dotless i as i, straight
// apostrophes, one blank for any white space, without invisible characters,
// Arabic vowel signs and tatweel.
func fold(s string) string {
	if !norm.NFC.IsNormalString(s) {
		s = norm.NFC.String(s)
	}
	var b strings.Builder
	b.Grow(len(s))
	blank := true
	for _, c := range s {
		switch {
		case c < utf8.RuneSelf:
			if c <= ' ' {
				if !blank {
					b.WriteByte(' ')
					blank = true
				}
				continue
			}
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			b.WriteByte(byte(c))
			blank = false
			continue
		case c == utf8.RuneError, c == 0x640, c >= 0x64B && c <= 0x652, unicode.Is(unicode.Cf, c):
			continue
		case unicode.IsSpace(c):
			if !blank {
				b.WriteByte(' ')
				blank = true
			}
			continue
		case c == 'ı', c == 'İ':
			c = 'i'
		case c == '’', c == 'ʼ', c == '‘':
			c = '\''
		default:
			c = unicode.ToLower(c)
		}
		b.WriteRune(c)
		blank = false
	}
	return strings.TrimSuffix(b.String(), " ")
}

// decode turns the single-byte encodings that old sites in our languages still
// use into UTF-8. Anything else that is not UTF-8 keeps its ASCII part.
func decode(body []byte, contentType string) []byte {
	if utf8.Valid(body) {
		return body
	}
	label := strings.ToLower(contentType) + " " + strings.ToLower(string(body[:min(len(body), 1024)]))
	_, label, _ = strings.Cut(label, "charset=")
	label = strings.TrimLeft(label, `"' `)
	if i := strings.IndexAny(label, "\"'; />\r\n\t"); i >= 0 {
		label = label[:i]
	}
	if m, ok := charmaps[label]; ok {
		if out, err := m.NewDecoder().Bytes(body); err == nil {
			return out
		}
	}
	return body
}

var charmaps = map[string]*charmap.Charmap{
	"windows-1250": charmap.Windows1250,
	"windows-1251": charmap.Windows1251,
	"windows-1252": charmap.Windows1252,
	"windows-1253": charmap.Windows1253,
	"windows-1254": charmap.Windows1254,
	"windows-1256": charmap.Windows1256,
	"iso-8859-1":   charmap.Windows1252,
	"iso-8859-2":   charmap.ISO8859_2,
	"iso-8859-5":   charmap.ISO8859_5,
	"iso-8859-6":   charmap.ISO8859_6,
	"iso-8859-7":   charmap.ISO8859_7,
	"iso-8859-9":   charmap.Windows1254,
	"iso-8859-15":  charmap.ISO8859_15,
	"koi8-r":       charmap.KOI8R,
	"koi8-u":       charmap.KOI8U,
}
