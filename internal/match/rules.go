package match

import (
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Rules are the guard's rules, loaded and immutable; safe for concurrent use.
type Rules struct {
	generic    []*genericRule
	words      map[string]map[string]bool // named word lists of guard.json
	protected  []*protectedRule
	domains    map[string]*protectedRule
	secondTLD  map[string]*protectedRule
	topTLD     map[string]*protectedRule
	labels     map[string]*protectedRule
	collection collectionRules
}

// genericRule is one line of rules/guard.json, tried in the order of the file. Test names the shape, in generic.go.
type genericRule struct {
	ID     string   `json:"id"`
	Test   string   `json:"test"`
	Class  string   `json:"class"`
	What   string   `json:"what"`
	Reason string   `json:"reason"`
	Source string   `json:"source"`
	Words  []string `json:"words"`
	Names  []string `json:"names"` // query parameters, for test "query-value"

	words, names map[string]bool
	check        func(*genericRule, *view) bool
}

// protectedRule is one category of rules/protected.json.
type protectedRule struct {
	ID       string   `json:"id"`
	Category string   `json:"category"`
	What     string   `json:"what"`
	Reason   string   `json:"reason"`
	Source   string   `json:"source"`
	Domains  []string `json:"domains"`  // the domain and all below it
	Second   []string `json:"second"`   // second-level label under a country's domain: x.edu.cc, x.gov.cc
	Top      []string `json:"top"`      // top-level domain
	Labels   []string `json:"labels"`   // a whole label of the host
	Prefixes []string `json:"prefixes"` // a label begins so
	Suffixes []string `json:"suffixes"` // a label ends so
	Contains []string `json:"contains"` // a label contains it
}

// collectionRules is rules/collections.json: what on archive.org is a collection and not one upload.
type collectionRules struct {
	ID       string   `json:"id"`
	What     string   `json:"what"`
	Reason   string   `json:"reason"`
	Source   string   `json:"source"`
	Known    []string `json:"known"`
	Prefixes []string `json:"prefixes"`
	Suffixes []string `json:"suffixes"`
	Tokens   []string `json:"tokens"`

	known, tokens map[string]bool
}

type guardFile struct {
	Lists map[string][]string `json:"lists"`
	Rules []*genericRule      `json:"rules"`
}

// LoadRules reads guard.json, protected.json and collections.json at the root of dir. The shapes of platforms' addresses are
// not read from dir: they decide canonical forms and are fixed for a build.
func LoadRules(dir fs.FS) (*Rules, error) {
	var g guardFile
	r := &Rules{
		words: map[string]map[string]bool{}, domains: map[string]*protectedRule{}, secondTLD: map[string]*protectedRule{},
		topTLD: map[string]*protectedRule{}, labels: map[string]*protectedRule{},
	}
	if err := readJSON(dir, "guard.json", &g); err != nil {
		return nil, err
	}
	if err := readJSON(dir, "protected.json", &r.protected); err != nil {
		return nil, err
	}
	if err := readJSON(dir, "collections.json", &r.collection); err != nil {
		return nil, err
	}
	for name, list := range g.Lists {
		r.words[name] = foldSet(list)
	}
	for _, name := range []string{"item-parameters", "list-parameters", "languages", "index", "file-extensions", "page-extensions", "wiki-main", "wiki-namespaces", "wiki-paths", "item-words", "news-words", "months", "date-prefixes"} {
		if len(r.words[name]) == 0 {
			return nil, fmt.Errorf("read rules guard.json: the list %q is missing or empty", name)
		}
	}
	seen := map[string]bool{}
	for _, q := range g.Rules {
		if q.check = genericTests[q.Test]; q.check == nil {
			return nil, fmt.Errorf("read rules guard.json: rule %q has no known test %q", q.ID, q.Test)
		}
		if q.ID == "" || q.What == "" || q.Reason == "" || q.Class == "" || seen[q.ID] {
			return nil, fmt.Errorf("read rules guard.json: rule %q needs an id of its own, class, what and reason", q.ID)
		}
		seen[q.ID] = true
		q.words, q.names = foldSet(q.Words), foldSet(q.Names)
	}
	r.generic = g.Rules
	for _, p := range r.protected {
		if p.ID == "" || p.What == "" || p.Reason == "" || p.Source == "" || seen[p.ID] {
			return nil, fmt.Errorf("read rules protected.json: rule %q needs an id of its own, what, reason and source", p.ID)
		}
		seen[p.ID] = true
		for _, list := range []struct {
			to   map[string]*protectedRule
			from []string
		}{{r.domains, p.Domains}, {r.secondTLD, p.Second}, {r.topTLD, p.Top}, {r.labels, p.Labels}} {
			for _, w := range list.from {
				if list.to[w] == nil {
					list.to[w] = p
				}
			}
		}
	}
	if c := &r.collection; c.ID == "" || c.Reason == "" || len(c.Known) == 0 {
		return nil, fmt.Errorf("read rules collections.json: id, reason and known collections are needed")
	}
	r.collection.known, r.collection.tokens = foldSet(r.collection.Known), foldSet(r.collection.Tokens)
	return r, nil
}

// DefaultRules are the rules embedded in this build.
func DefaultRules() *Rules { return defaultRules() }

var defaultRules = sync.OnceValue(func() *Rules {
	dir, err := fs.Sub(embedded, "rules")
	if err != nil {
		panic(err)
	}
	r, err := LoadRules(dir)
	if err != nil {
		panic("match: the embedded rules do not load, which a test should have found: " + err.Error())
	}
	return r
})

func foldSet(list []string) map[string]bool {
	m := make(map[string]bool, len(list))
	for _, w := range list {
		m[fold(w)] = true
	}
	return m
}

// fold makes words comparable across spellings: compatibility form, no marks, lower case. ASCII takes the short way.
func fold(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	s = norm.NFKD.String(strings.ToLower(s))
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r), r == 0x200C, r == 0x200D, r == 0x0640:
			return -1
		case r == 'ı':
			return 'i'
		case r == 'ß':
			return 's'
		}
		return unicode.ToLower(r)
	}, s)
	return s
}

// protects finds the protected category of a host. Named domains come first, then official suffixes, then patterns of labels.
func (r *Rules) protects(host string, patterns bool) *protectedRule {
	for d := host; ; {
		if p := r.domains[d]; p != nil {
			return p
		}
		i := strings.IndexByte(d, '.')
		if i < 0 {
			break
		}
		d = d[i+1:]
	}
	last := strings.LastIndexByte(host, '.')
	if last < 0 {
		return nil
	}
	top, rest := host[last+1:], host[:last]
	if p := r.topTLD[top]; p != nil {
		return p
	}
	if second := rest[strings.LastIndexByte(rest, '.')+1:]; len(top) == 2 {
		if p := r.secondTLD[second]; p != nil {
			return p
		}
	}
	if !patterns {
		return nil
	}
	for label := range strings.SplitSeq(rest, ".") {
		if p := r.labels[label]; p != nil {
			return p
		}
		for _, p := range r.protected {
			if hasAny(label, p.Prefixes, strings.HasPrefix) || hasAny(label, p.Suffixes, strings.HasSuffix) || hasAny(label, p.Contains, strings.Contains) {
				return p
			}
		}
	}
	return nil
}

func hasAny(s string, list []string, test func(s, part string) bool) bool {
	for _, part := range list {
		if test(s, part) {
			return true
		}
	}
	return false
}

// collects says whether an archive.org identifier names a collection. Known names and families come first; beyond them an
// identifier of letters alone is a collection (uploads get digits, dates or several words; April 2019's were "texts",
// "prelinger", "GratefulDead"), and so is one without digits that carries an institution's word.
func (c *collectionRules) collects(id string) (known, shape bool) {
	id = fold(id)
	if c.known[id] || hasAny(id, c.Prefixes, strings.HasPrefix) || hasAny(id, c.Suffixes, strings.HasSuffix) {
		return true, true
	}
	if strings.ContainsAny(id, "0123456789") {
		return false, false
	}
	tokens := 0
	word := false
	for t := range strings.FieldsFuncSeq(id, func(r rune) bool { return r == '_' || r == '-' || r == '.' }) {
		tokens++
		word = word || c.tokens[t]
	}
	return false, tokens <= 1 || word
}
