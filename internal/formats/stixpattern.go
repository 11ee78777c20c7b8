package formats

import (
	"fmt"
	"slices"
	"strings"

	"concert"
)

const (
	maxPatternDepth  = 16  // brackets within brackets
	maxPatternGroups = 500 // ways in which a pattern may be met
	maxPatternPlaces = 100 // places that must be met together
)

// stixTerm is one way in which a pattern may be met: all of these together.
type stixTerm struct {
	places, sums []string
}

// stixPattern reads the places that a STIX pattern asks for, each with the file
// that must be there too. Only equality (=, IN) names a place; what is negated,
// compared or like something names none (STIX 2.1 part 9).
type stixPattern struct {
	text  string
	depth int
	named []concert.KnownHash // hashes of files that it asks for by equality, in any of its ways
}

// readPattern gives the ways in which a pattern may be met, or why it cannot be
// read.
func readPattern(text string) (terms []stixTerm, why string) {
	p := stixPattern{text: text}
	terms, why = p.observations()
	if why == "" && p.next() != "" {
		why = fmt.Sprintf("%.20q stands where the pattern should end", p.next())
	}
	return terms, why
}

// readPatternHashes gives the hashes of files that a pattern asks for by equality,
// unchecked, or why it cannot be read.
func readPatternHashes(text string) (hashes []concert.KnownHash, why string) {
	p := stixPattern{text: text}
	_, why = p.observations()
	if why == "" && p.next() != "" {
		why = fmt.Sprintf("%.20q stands where the pattern should end", p.next())
	}
	return p.named, why
}

// next is the token ahead: a name, a string with its quotes, or a sign.
func (p *stixPattern) next() string {
	p.text = strings.TrimLeft(p.text, " \t\r\n")
	t := p.text
	switch {
	case t == "":
		return ""
	case t[0] == '\'':
		n, _ := quoted(t)
		return t[:n]
	case strings.IndexByte("[]()=,", t[0]) >= 0:
		return t[:1]
	case strings.IndexByte("!<>", t[0]) >= 0:
		if len(t) > 1 && t[1] == '=' {
			return t[:2]
		}
		return t[:1]
	}
	for i := 0; i < len(t); i++ {
		switch {
		case t[i] == '\'':
			n, _ := quoted(t[i:])
			i += n - 1
		case t[i] == '[' && i > 0: // an index within a path: [0], [*]
			if j := strings.IndexByte(t[i:], ']'); j > 0 {
				i += j
			}
		case strings.IndexByte(" \t\r\n]()=,!<>", t[i]) >= 0:
			return t[:max(i, 1)]
		}
	}
	return t
}

// quoted is the length of the string constant that a text begins with; closed
// says that it ends.
func quoted(t string) (n int, closed bool) {
	for i := 1; i < len(t); i++ {
		switch t[i] {
		case '\\':
			i++
		case '\'':
			return i + 1, true
		}
	}
	return len(t), false
}

func (p *stixPattern) take() string {
	t := p.next()
	p.text = p.text[len(t):]
	return t
}

func (p *stixPattern) is(token string) bool {
	if !strings.EqualFold(p.next(), token) {
		return false
	}
	p.take()
	return true
}

// observations reads what stands outside the square brackets. Observations
// joined by AND or FOLLOWEDBY are seen apart, so each is a way of its own.
func (p *stixPattern) observations() (terms []stixTerm, why string) {
	for {
		var more []stixTerm
		switch {
		case p.is("["):
			if more, why = p.or(); why == "" && !p.is("]") {
				why = fmt.Sprintf("%.20q stands where a ] should", p.next())
			}
		case p.is("("):
			if p.depth++; p.depth > maxPatternDepth {
				return nil, "it is nested too deep"
			}
			if more, why = p.observations(); why == "" && !p.is(")") {
				why = fmt.Sprintf("%.20q stands where a ) should", p.next())
			}
			p.depth--
		default:
			why = fmt.Sprintf("%.20q stands where a [ should", p.next())
		}
		if why != "" {
			return nil, why
		}
		if terms = append(terms, more...); len(terms) > maxPatternGroups {
			return nil, "it may be met in too many ways"
		}
		p.qualifiers()
		if !p.is("AND") && !p.is("OR") && !p.is("FOLLOWEDBY") {
			return terms, ""
		}
	}
}

// qualifiers passes over START … STOP …, WITHIN … SECONDS and REPEATS … TIMES.
func (p *stixPattern) qualifiers() {
	for {
		switch {
		case p.is("START"):
			p.take()
			p.is("STOP")
			p.take()
		case p.is("WITHIN"):
			p.take()
			p.is("SECONDS")
		case p.is("REPEATS"):
			p.take()
			p.is("TIMES")
		default:
			return
		}
	}
}

func (p *stixPattern) or() (terms []stixTerm, why string) {
	for {
		more, why := p.and()
		if why != "" {
			return nil, why
		}
		if terms = append(terms, more...); len(terms) > maxPatternGroups {
			return nil, "it may be met in too many ways"
		}
		if !p.is("OR") {
			return terms, ""
		}
	}
}

func (p *stixPattern) and() (terms []stixTerm, why string) {
	terms = []stixTerm{{}}
	for {
		more, why := p.comparison()
		if why != "" {
			return nil, why
		}
		if terms, why = together(terms, more); why != "" {
			return nil, why
		}
		if !p.is("AND") {
			return terms, ""
		}
	}
}

// together are the ways in which both are met.
func together(a, b []stixTerm) (both []stixTerm, why string) {
	if len(a)*len(b) > maxPatternGroups {
		return nil, "it may be met in too many ways"
	}
	if len(b) == 1 && len(b[0].places)+len(b[0].sums) == 0 {
		return a, ""
	}
	for _, x := range a {
		for _, y := range b {
			t := stixTerm{slices.Concat(x.places, y.places), slices.Concat(x.sums, y.sums)}
			if len(t.places)+len(t.sums) > maxPatternPlaces {
				return nil, "it asks for too much at once"
			}
			both = append(both, t)
		}
	}
	return both, ""
}

func (p *stixPattern) comparison() (terms []stixTerm, why string) {
	if p.is("(") {
		if p.depth++; p.depth > maxPatternDepth {
			return nil, "it is nested too deep"
		}
		terms, why = p.or()
		if p.depth--; why == "" && !p.is(")") {
			why = fmt.Sprintf("%.20q stands where a ) should", p.next())
		}
		return terms, why
	}
	not := p.is("NOT")
	if p.is("EXISTS") {
		p.take()
		return []stixTerm{{}}, ""
	}
	path := p.take()
	if !strings.Contains(path, ":") {
		return nil, fmt.Sprintf("%.20q stands where an object's property should", path)
	}
	not = p.is("NOT") || not
	operator := p.take()
	values, why := p.constants()
	if why != "" {
		return nil, why
	}
	isPlace, kind := path == "url:value" || path == "domain-name:value", hashPath(path)
	isSum := kind == concert.HashSHA256
	if not || operator != "=" && !strings.EqualFold(operator, "IN") {
		return []stixTerm{{}}, ""
	}
	for _, v := range values {
		if kind != "" {
			p.named = append(p.named, concert.KnownHash{Kind: kind, Value: v, Quality: -1})
		}
	}
	if !isPlace && !isSum {
		return []stixTerm{{}}, ""
	}
	for _, v := range values {
		if isPlace {
			terms = append(terms, stixTerm{places: []string{v}})
		} else {
			terms = append(terms, stixTerm{sums: []string{v}})
		}
	}
	return terms, ""
}

// isSumPath knows file:hashes.'SHA-256' in the ways in which it is written.
func isSumPath(path string) bool { return hashPath(path) == concert.HashSHA256 }

// hashPath is the kind of hash that a path asks for, "" for any other path.
func hashPath(path string) concert.HashKind {
	object, name, ok := strings.Cut(path, ":hashes.")
	if !ok || object != "file" && object != "artifact" {
		return ""
	}
	return hashKind(strings.Trim(name, `'"`))
}

// constants reads a constant or a set of them.
func (p *stixPattern) constants() (values []string, why string) {
	set := p.is("(")
	for {
		t := p.take()
		_, closed := quoted(t)
		switch {
		case t == "" || strings.IndexByte("[]()=,", t[0]) >= 0:
			return nil, fmt.Sprintf("%.20q stands where a value should", t)
		case t[0] == '\'' && !closed:
			return nil, "a string in it is not closed"
		case t[0] == '\'':
			t = unescape(t[1 : len(t)-1])
		}
		if values = append(values, t); len(values) > maxPatternGroups {
			return nil, "it may be met in too many ways"
		}
		if !set {
			return values, ""
		}
		if p.is(")") {
			return values, ""
		}
		if !p.is(",") {
			return nil, fmt.Sprintf("%.20q stands where a comma should", p.next())
		}
	}
}

// unescape reads \' and \\ in a string constant.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
