package match

import (
	"fmt"
	"strings"
)

// platform is one house of rules/platforms.json.
type platform struct {
	ID       string   `json:"id"`
	Hosts    []string `json:"hosts"` // the first is home; the others are other names of the same house
	Under    []string `json:"under"` // domains whose every subdomain belongs to a user or community: {sub} in templates
	Aliases  []string `json:"aliases"`
	Fragment bool     `json:"fragment"` // the fragment identifies
	Source   string   `json:"source"`
	Forms    []*form  `json:"forms"`

	url         []*form
	text        map[Kind][]*form
	registrable string // of the home host
}

// form is one shape of address or id.
//
//	at     "/watch?v={id}", "/{channel:w}/{message:d}", "//{sub}/path" for a subdomain of Under, "channel:{name:w}" for an id;
//	       "/..." at the end takes any rest; {rest*} takes one or more segments; "a|b" takes either
//	to     the canonical form: a path on the home host, "//host/path", or another kind's text; empty leaves the address as it is
//	object the platform's own id
//	view   for ids: the address to show
type form struct {
	At         string `json:"at"`
	To         string `json:"to"`
	Object     string `json:"object"`
	View       string `json:"view"`
	Class      string `json:"class"`
	Visibility string `json:"visibility"`
	Reason     string `json:"reason"`

	rule             string
	kind             Kind
	onSub            bool
	segs             []segment
	open, rest       bool
	query            []condition
	to, object, view template
}

type condition struct {
	name string
	part segment // empty: the parameter may have any value
}

// segment is a list of alternatives, each of literal and variable parts.
type segment struct {
	choices [][]part
	rest    bool
}

type part struct {
	literal, name string
	shape         byte // 0 any; d digits; w word; i word, hyphen; h hexadecimal; p package
	exact, min    int
}

type template []part // shape 'l' lowers the value, 'u' writes it in upper case

// match carries the variables of one match on the caller's stack.
type match struct {
	names, values [8]string
	n             int
	segs          [24]string
}

func (m *match) set(name, value string) {
	if m.n < len(m.names) {
		m.names[m.n], m.values[m.n] = name, value
		m.n++
	}
}

func (m *match) get(name string) string {
	for i := m.n - 1; i >= 0; i-- {
		if m.names[i] == name {
			return m.values[i]
		}
	}
	return ""
}

func (m *match) expand(t template) string {
	switch {
	case len(t) == 0:
		return ""
	case len(t) == 1 && t[0].name == "":
		return t[0].literal
	}
	var b strings.Builder
	for _, p := range t {
		switch v := m.get(p.name); {
		case p.name == "":
			b.WriteString(p.literal)
		case p.shape == 'l':
			b.WriteString(strings.ToLower(v))
		case p.shape == 'u':
			b.WriteString(strings.ToUpper(v))
		default:
			b.WriteString(v)
		}
	}
	return b.String()
}

// home is the house's name for one of its hosts; a user's own subdomain stays.
func (p *platform) home(host string) string {
	for _, h := range p.Hosts {
		if h == host {
			return p.Hosts[0]
		}
	}
	return host
}

func (p *platform) hasText(kind Kind) bool { return len(p.text[kind]) > 0 }

func (p *platform) matchText(m *match, kind Kind, id string) *form {
	segs, ok := m.split(id)
	if !ok {
		return nil
	}
	for _, f := range p.text[kind] {
		m.n = 0
		if f.matchSegs(m, segs) {
			return f
		}
	}
	return nil
}

// matchURL finds the first form of the platform for an address. sub is the part of the host below an Under domain.
func (p *platform) matchURL(m *match, sub string, a address) *form {
	if len(p.url) == 0 {
		return nil
	}
	segs, ok := m.split(strings.TrimPrefix(a.path, "/"))
	if !ok {
		return nil
	}
	if p.Fragment && a.fragment != "" {
		segs = append(segs, "#")
		for s := range strings.SplitSeq(a.fragment, "/") {
			if s != "" && len(segs) < cap(segs) {
				segs = append(segs, s)
			}
		}
	}
	for _, f := range p.url {
		if f.onSub != (sub != "") {
			continue
		}
		m.n = 0
		if sub != "" {
			m.set("sub", sub)
		}
		if f.matchSegs(m, segs) && f.matchQuery(m, a.query) {
			return f
		}
	}
	return nil
}

func (m *match) split(path string) ([]string, bool) {
	segs := m.segs[:0]
	for path != "" {
		if len(segs) == cap(segs) {
			return nil, false
		}
		var s string
		s, path, _ = strings.Cut(path, "/")
		if s != "" {
			segs = append(segs, s)
		}
	}
	return segs, true
}

func (f *form) matchSegs(m *match, segs []string) bool {
	if len(segs) < len(f.segs) || len(segs) > len(f.segs) && !f.open && !f.rest {
		return false
	}
	for i, s := range f.segs {
		if s.rest {
			m.set(s.choices[0][0].name, strings.Join(segs[i:], "/"))
			return true
		}
		if !s.match(m, segs[i]) {
			return false
		}
	}
	return true
}

func (f *form) matchQuery(m *match, query string) bool {
	for _, c := range f.query {
		found := false
		pairs(query, func(p pair) bool {
			if p.name == c.name && (c.part.choices == nil || c.part.match(m, p.value)) {
				found = true
			}
			return !found
		})
		if !found {
			return false
		}
	}
	return true
}

func (s segment) match(m *match, text string) bool {
	for _, parts := range s.choices {
		n := m.n
		if matchParts(m, parts, text) {
			return true
		}
		m.n = n
	}
	return false
}

func matchParts(m *match, parts []part, text string) bool {
	if len(parts) == 0 {
		return text == ""
	}
	p := parts[0]
	if p.name == "" {
		return len(text) >= len(p.literal) && strings.EqualFold(text[:len(p.literal)], p.literal) && matchParts(m, parts[1:], text[len(p.literal):])
	}
	if len(parts) == 1 {
		if !p.fits(text) {
			return false
		}
		m.set(p.name, text)
		return true
	}
	// No platform's title is longer, and trying every split of a hostile one costs the square of its length.
	if len(text) > 512 {
		return false
	}
	for end := len(text); end > 0; end-- {
		if p.fits(text[:end]) {
			n := m.n
			m.set(p.name, text[:end])
			if matchParts(m, parts[1:], text[end:]) {
				return true
			}
			m.n = n
		}
	}
	return false
}

func (p part) fits(s string) bool {
	if s == "" || p.exact > 0 && len(s) != p.exact || len(s) < p.min {
		return false
	}
	if p.shape == 0 {
		return true
	}
	for i := range len(s) {
		c := s[i]
		digit, letter := '0' <= c && c <= '9', 'a' <= c|0x20 && c|0x20 <= 'z'
		ok := digit
		switch p.shape {
		case 'w':
			ok = digit || letter || c == '_'
		case 'i':
			ok = digit || letter || c == '_' || c == '-'
		case 'p':
			ok = digit || letter || c == '_' || c == '-' || c == '.'
		case 'h':
			ok = digit || 'a' <= c|0x20 && c|0x20 <= 'f'
		case 'a':
			ok = letter
		}
		if !ok {
			return false
		}
	}
	return true
}

// rewrite makes the canonical address of a web form. An empty template keeps path and query.
func (p *platform) rewrite(to string, a address) address {
	if to == "" {
		return p.atHome(a)
	}
	b := address{scheme: "https", host: p.home(a.host), registrable: a.registrable}
	if rest, ok := strings.CutPrefix(to, "//"); ok {
		i := strings.IndexByte(rest+"/", '/')
		b.host, to = strings.ToLower(rest[:i]), rest[i:]
	}
	if b.host != a.host {
		b.registrable = registrableDomain(b.host)
	}
	to, b.fragment, _ = strings.Cut(to, "#")
	b.path, b.query, _ = strings.Cut(to, "?")
	b.path = normalPath("/" + strings.TrimPrefix(b.path, "/"))
	b.query = normalQuery(b.query)
	return b
}

// compile reads the forms of a platform.
func (p *platform) compile() error {
	p.text = map[Kind][]*form{}
	if len(p.Hosts) > 0 {
		p.registrable = registrableDomain(p.Hosts[0])
	}
	for i, f := range p.Forms {
		f.rule = "platform." + p.ID + " " + f.At
		if err := f.compile(); err != nil {
			return fmt.Errorf("platform %s, form %d, %q: %w", p.ID, i+1, f.At, err)
		}
		if f.kind != "" {
			p.text[f.kind] = append(p.text[f.kind], f)
			continue
		}
		p.url = append(p.url, f)
	}
	return nil
}

func (f *form) compile() (err error) {
	at := f.At
	if f.onSub = strings.HasPrefix(at, "//{sub}"); f.onSub {
		at = strings.TrimPrefix(at, "//{sub}")
	} else if !strings.HasPrefix(at, "/") {
		kind, rest, ok := strings.Cut(at, ":")
		if !ok {
			return fmt.Errorf("neither a path nor a kind")
		}
		f.kind, at = Kind(kind), rest
	}
	path, query, _ := strings.Cut(at, "?")
	if path, f.open = strings.CutSuffix(path, "/..."); f.open && path == "" {
		path = "/"
	}
	for s := range strings.SplitSeq(path, "/") {
		if s == "" {
			continue
		}
		seg, err := parseSegment(s)
		if err != nil {
			return err
		}
		f.segs = append(f.segs, seg)
		f.rest = f.rest || seg.rest
	}
	for q := range strings.SplitSeq(query, "&") {
		if q == "" {
			continue
		}
		name, value, ok := strings.Cut(q, "=")
		c := condition{name: name}
		if ok {
			if c.part, err = parseSegment(value); err != nil {
				return err
			}
		}
		f.query = append(f.query, c)
	}
	for _, t := range []struct {
		to   *template
		text string
	}{{&f.to, f.To}, {&f.object, f.Object}, {&f.view, f.View}} {
		if *t.to, err = parseTemplate(t.text); err != nil {
			return err
		}
	}
	return nil
}

func parseSegment(s string) (segment, error) {
	if name, ok := strings.CutSuffix(s, "*}"); ok && strings.HasPrefix(s, "{") {
		return segment{rest: true, choices: [][]part{{{name: name[1:]}}}}, nil
	}
	var seg segment
	for choice := range strings.SplitSeq(s, "|") {
		parts, err := parseParts(choice, ':')
		if err != nil {
			return seg, err
		}
		seg.choices = append(seg.choices, parts)
	}
	return seg, nil
}

// parseTemplate reads literals and {name} or {name^l}.
func parseTemplate(s string) (template, error) { return parseParts(s, '^') }

// parseParts reads "literal{name:shape12}literal"; a number fixes the length, "5+" is the least length.
func parseParts(s string, mark byte) ([]part, error) {
	var parts []part
	for s != "" {
		i := strings.IndexByte(s, '{')
		if i != 0 {
			if i < 0 {
				i = len(s)
			}
			parts, s = append(parts, part{literal: s[:i]}), s[i:]
			continue
		}
		j := strings.IndexByte(s, '}')
		if j < 0 {
			return nil, fmt.Errorf("a brace is not closed")
		}
		name, shape, _ := strings.Cut(s[1:j], string(mark))
		p := part{name: name}
		if shape != "" {
			p.shape = shape[0]
			n := 0
			for _, c := range strings.TrimSuffix(shape[1:], "+") {
				n = n*10 + int(c-'0')
			}
			if strings.HasSuffix(shape, "+") {
				p.min = n
			} else {
				p.exact = n
			}
		}
		if name == "" || !strings.ContainsRune("dwiphalu\x00", rune(p.shape)) {
			return nil, fmt.Errorf("%q is no variable", s[:j+1])
		}
		parts, s = append(parts, p), s[j+1:]
	}
	return parts, nil
}
