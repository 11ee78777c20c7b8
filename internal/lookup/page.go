package lookup

import (
	"bytes"
	_ "embed"
	"encoding/csv"
	"net/url"
	"slices"
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
	minOwnText   = 300       // characters of its own below which a page without media shows nothing: notices in any language have fewer
	formText     = 1500      // bytes of its own text up to which a page with a password field is a log-in
	noticeStart  = 300       // bytes of its own text at whose start a notice is one, however long the page
	minHint      = 6         // characters below which a hint fits too much
)

// page is what a reader would see of an answer, folded for comparison.
type page struct {
	head    string   // title, first headings, og:title
	text    string   // visible text
	own     string   // of it, what stands outside navigation, footer, asides and buttons
	hints   []string // title and marks
	marks   []string // marks alone
	scripts int
	media   bool
	secret  bool   // asks for a password
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
	for i, h := range append([]string{r.Title}, r.Marks...) {
		if h = fold(h[:min(len(h), 1024)]); utf8.RuneCountInString(h) >= minHint {
			p.hints = append(p.hints, h)
			if i > 0 {
				p.marks = append(p.marks, h)
			}
		}
	}
	body := decode(p.raw, r.Header.Get("Content-Type"))
	switch mediaType(r) {
	case "html":
		p.parse(body)
	case "text", "json":
		p.text = fold(string(body[:min(len(body), maxText)]))
		p.own = p.text
	}
	return p
}

func (p *page) parse(body []byte) {
	var head, text, own strings.Builder
	z := html.NewTokenizer(bytes.NewReader(body))
	hidden, heading, beside := 0, 0, 0
	link := false // inside one; the next one ends it, and a name to jump to is none
	for {
		switch z.Next() {
		case html.ErrorToken:
			p.head, p.text, p.own = fold(head.String()), fold(text.String()), fold(own.String())
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
				t = t[:min(len(t), maxText-text.Len())]
				text.Write(t)
				text.WriteByte(' ')
				if beside == 0 && !link {
					own.Write(t)
					own.WriteByte(' ')
				}
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			name, attr := z.TagName()
			switch atom.Lookup(name) {
			case atom.Script:
				p.scripts++
				hidden++
			case atom.Style, atom.Template:
				hidden++
			case atom.Title:
				heading++
				beside++
			case atom.H1, atom.H2:
				heading++
			case atom.Nav, atom.Footer, atom.Aside, atom.Button, atom.Noscript:
				beside++
			case atom.A:
				link = attr && attribute(z, "href") != ""
			case atom.Iframe:
				if attr {
					src := attribute(z, "src")
					p.media = p.media || strings.Contains(src, "embed") || strings.Contains(src, "player")
				}
			case atom.Video, atom.Audio, atom.Embed, atom.Source:
				// A player without anything to play is part of the frame.
				p.media = p.media || attr && attribute(z, "src") != ""
			case atom.Object:
				p.media = p.media || attr && attribute(z, "data") != ""
			case atom.Input:
				p.secret = p.secret || attr && attribute(z, "type") == "password"
			case atom.Meta:
				if attr && head.Len() < maxHead {
					title, video := metaTitle(z)
					head.WriteString(title)
					p.media = p.media || video
				}
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			switch atom.Lookup(name) {
			case atom.Script, atom.Style, atom.Template:
				hidden = max(hidden-1, 0)
			case atom.Title:
				heading, beside = max(heading-1, 0), max(beside-1, 0)
			case atom.H1, atom.H2:
				heading = max(heading-1, 0)
			case atom.Nav, atom.Footer, atom.Aside, atom.Button, atom.Noscript:
				beside = max(beside-1, 0)
			case atom.A:
				link = false
			}
		}
	}
}

// attribute is the value of an attribute of the tag at hand, "" without one.
func attribute(z *html.Tokenizer, name string) string {
	for {
		key, value, more := z.TagAttr()
		if string(key) == name {
			return strings.ToLower(string(value))
		}
		if !more {
			return ""
		}
	}
}

// metaTitle returns the content of og:title and og:description with a blank
// behind it, "" for any other meta element, and whether one names a video.
func metaTitle(z *html.Tokenizer) (title string, video bool) {
	var isTitle bool
	var content string
	for {
		key, value, more := z.TagAttr()
		switch string(key) {
		case "property", "name":
			isTitle = isTitle || string(value) == "og:title" || string(value) == "og:description"
			video = video || string(value) == "og:video" || string(value) == "og:audio"
		case "content":
			content = string(value[:min(len(value), maxHead)])
		}
		if !more {
			break
		}
	}
	if !isTitle {
		return "", video && content != ""
	}
	return content + " ", false
}

// match looks for a text signature of a class. One that the captured title or
// mark itself contains is no sign.
func (p *page) match(c class) (found, bool) {
	var weak found
	ok := false
	notice := p.text[:min(len(p.text), maxNotice)]
	start := p.own[:min(len(p.own), noticeStart)]
	for _, s := range signatures()[c] {
		if p.inHints(s.text) {
			continue
		}
		inHead := strings.Contains(p.head, s.text)
		if !inHead && !strings.Contains(notice, s.text) {
			continue
		}
		if inHead || !p.long() || strings.Contains(start, s.text) {
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

// hint reports whether the captured title or a mark shows: enough to doubt an
// answer that says gone.
func (p *page) hint() bool { return slices.ContainsFunc(p.hints, p.has) }

// shows reports whether what was captured shows: a mark where there are any,
// since a page keeps its title when it is given other content; else the title.
func (p *page) shows() bool {
	if len(p.marks) > 0 {
		return slices.ContainsFunc(p.marks, p.has)
	}
	return p.hint()
}

func (p *page) has(h string) bool { return strings.Contains(p.head, h) || strings.Contains(p.text, h) }

func (p *page) long() bool { return len(p.own) > shortText }

func (p *page) shell() bool {
	return p.scripts > 0 && !p.media && utf8.RuneCountInString(p.text) < minShellText
}

// speechless reports a page of a program that does not say what its status
// says: nothing on it is a notice that something is gone.
func (p *page) speechless() bool {
	if p.scripts == 0 || p.media || strings.Contains(p.text, "404") || strings.Contains(p.head+p.own, "not found") {
		return false
	}
	_, says := p.match(removed)
	return !says
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
