package store

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"concert/internal/match"
)

const (
	queryMost      = 4096 // bytes
	queryTermsMost = 64
	queryDepthMost = 16
)

// TextQuery is a search as a person wrote it: words that must all be there,
// "words in a row", the begin of a word*, AND, OR, NOT in capitals, brackets.
// Whatever else stands there parts words, as it does in a text.
type TextQuery struct {
	match string // in FTS5's own words, every word of the person's in quotes
	terms []queryTerm
}

// queryTerm is words in a row; the last may be a begin.
type queryTerm struct {
	words  []string
	prefix bool
}

// ParseTextQuery reads a search. It fails only where nothing is searched for, or
// too much.
func ParseTextQuery(text string) (TextQuery, error) {
	if len(text) > queryMost {
		return TextQuery{}, fmt.Errorf("a search has at most %d bytes, not %d", queryMost, len(text))
	}
	p := &queryParser{tokens: queryTokens(text)}
	expr := ""
	for len(p.tokens) > 0 { // a bracket too many ends an expression, and another follows
		expr = both("AND", expr, p.either(0))
		if len(p.tokens) > 0 {
			p.tokens = p.tokens[1:]
		}
	}
	switch {
	case p.count > queryTermsMost:
		return TextQuery{}, fmt.Errorf("a search has at most %d words or phrases, not %d", queryTermsMost, p.count)
	case expr == "":
		return TextQuery{}, errors.New("nothing is searched for: give a word, \"words in a row\" or the begin of a word* that must be there; NOT alone finds nothing")
	}
	return TextQuery{expr, p.terms}, nil
}

// queryToken is an operator, a bracket, or words.
type queryToken struct {
	op   string // AND, OR, NOT, ( or ); empty for words
	term queryTerm
}

func queryTokens(text string) (list []queryToken) {
	text = strings.NewReplacer("“", `"`, "”", `"`, "„", `"`, "«", `"`, "»", `"`).Replace(text)
	words := func(s string, prefix bool) {
		if w := wordsOf(s); len(w) > 0 {
			list = append(list, queryToken{term: queryTerm{w, prefix}})
		}
	}
	for len(text) > 0 {
		switch c := text[0]; c {
		case '"':
			inside, rest, _ := strings.Cut(text[1:], `"`)
			prefix := strings.HasPrefix(rest, "*")
			words(inside, prefix)
			text = rest
		case '(', ')':
			list, text = append(list, queryToken{op: text[:1]}), text[1:]
		case ' ', '\t', '\n', '\r', '*':
			text = text[1:]
		default:
			n := strings.IndexAny(text, "\"() \t\r\n")
			if n < 0 {
				n = len(text)
			}
			word := text[:n]
			text = text[n:]
			if word == "AND" || word == "OR" || word == "NOT" {
				list = append(list, queryToken{op: word})
				continue
			}
			words(word, strings.HasSuffix(word, "*"))
		}
	}
	return list
}

type queryParser struct {
	tokens []queryToken
	terms  []queryTerm
	count  int
	no     int // inside so many NOT
}

func (p *queryParser) peek() string {
	if len(p.tokens) == 0 {
		return "end"
	}
	return p.tokens[0].op
}

// both joins two expressions, of which one may be missing.
func both(op, a, b string) string {
	switch {
	case a == "":
		return b
	case b == "":
		return a
	}
	return "(" + a + " " + op + " " + b + ")"
}

func (p *queryParser) either(depth int) string {
	expr := p.all(depth)
	for p.peek() == "OR" {
		p.tokens = p.tokens[1:]
		expr = both("OR", expr, p.all(depth))
	}
	return expr
}

// all is a row of things that must be there, and after NOT of such that must not.
func (p *queryParser) all(depth int) string {
	yes, no := "", ""
	for {
		switch p.peek() {
		case "end", ")", "OR":
			if yes == "" || no == "" {
				return yes
			}
			return both("NOT", yes, no)
		case "AND":
			p.tokens = p.tokens[1:]
		case "NOT":
			p.tokens = p.tokens[1:]
			if op := p.peek(); op == "" || op == "(" {
				p.no++
				no = both("OR", no, p.one(depth))
				p.no--
			}
		default:
			yes = both("AND", yes, p.one(depth))
		}
	}
}

func (p *queryParser) one(depth int) string {
	t := p.tokens[0]
	p.tokens = p.tokens[1:]
	if t.op == "(" {
		if depth >= queryDepthMost { // deeper brackets are passed over
			return ""
		}
		expr := p.either(depth + 1)
		if p.peek() == ")" {
			p.tokens = p.tokens[1:]
		}
		return expr
	}
	if p.count++; p.count > queryTermsMost {
		return ""
	}
	if p.no == 0 {
		p.terms = append(p.terms, t.term)
	}
	expr := `"` + strings.Join(t.term.words, " ") + `"`
	if t.term.prefix {
		expr += " *"
	}
	return expr
}

// Span is a stretch of a text, in bytes.
type Span struct{ From, To int }

// Find says where in a text, as it stands in a file, stands what is searched for.
func (q TextQuery) Find(text string) (list []Span) {
	words := match.Words(text)
	for i := 0; i < len(words); i++ {
		n := 0
		for k := range q.terms {
			if q.terms[k].at(words[i:]) {
				n = max(n, len(q.terms[k].words))
			}
		}
		if n > 0 {
			list = append(list, Span{words[i].Start, words[i+n-1].End})
			i += n - 1
		}
	}
	return list
}

func (t queryTerm) at(words []match.Word) bool {
	if len(words) < len(t.words) {
		return false
	}
	for i, w := range t.words {
		if words[i].Text != w && !(t.prefix && i == len(t.words)-1 && strings.HasPrefix(words[i].Text, w)) {
			return false
		}
	}
	return true
}

// snippetAround is how many bytes of text stand on either side of a hit.
const snippetAround = 120

// Snippet is the text around the first place where most of what is searched for
// stands close together, and the hits in it. Without a hit it is empty.
func (q TextQuery) Snippet(text string) (snippet string, hits []Span) {
	list := q.Find(text)
	if len(list) == 0 {
		return "", nil
	}
	best, most := 0, 0
	for i, s := range list {
		n := 0
		for k := i; k < len(list) && list[k].To-s.From <= 2*snippetAround; k++ {
			n++
		}
		if n > most {
			best, most = i, n
		}
	}
	from, to := max(0, list[best].From-snippetAround), min(len(text), max(list[best].To, list[best+most-1].To)+snippetAround)
	for from > 0 && !utf8.RuneStart(text[from]) {
		from--
	}
	for to < len(text) && !utf8.RuneStart(text[to]) {
		to++
	}
	for _, s := range list {
		if s.From >= from && s.To <= to {
			hits = append(hits, Span{s.From - from, s.To - from})
		}
	}
	return text[from:to], hits
}
