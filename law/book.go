// Package law holds the law as data: terms with the article that gives them, the
// types of terrorist content, what the states say about redress, and their public
// holidays. Each file has a version, a date and a source, and each entry says what it
// rests on and whether somebody read it in a published text. Nothing here decides:
// a change of a rule is a change of a file (docs/law.md), and the clock that runs on
// it is in the root package.
//
// The files are embedded and read strictly: an unknown or missing field, a key that
// stands twice and dates out of order are errors that name file and entry.
package law

import (
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"sync"
	"time"

	_ "time/tzdata" // zones of the states, where the machine has none

	"github.com/go-json-experiment/json"

	"concert"
)

//go:embed *.json
var files embed.FS

var read = sync.OnceValues(func() (Book, error) { return parse(files) })

// Read is the law of this build. The files are parsed once; a book does not change.
// An error means that the build is broken: the tests of this package find it.
func Read() (Book, error) { return read() }

// Book is the law of one build.
type Book struct {
	editions   []Edition
	regulation Regulation
	terms      map[concert.TermKey]concert.Term
	reasons    map[concert.ContentType]Reason
	redress    map[string][]redress // by state
	calendars  map[string]calendar  // by state
	unchecked  []string
}

// Edition is one file of the book.
type Edition struct {
	File    string `json:"-"`
	Version int    `json:"version"` // grows with each change
	AsOf    string `json:"as_of"`   // the day on which it was last gone through
	Source  string `json:"source"`
}

// Regulation is the act whose terms these are.
type Regulation struct {
	CELEX       string `json:"celex"`
	Name        string `json:"name"`
	Short       string `json:"short"`
	Link        string `json:"link"`
	InForce     string `json:"in_force"`     // date
	AppliesFrom string `json:"applies_from"` // date
	Checked     bool   `json:"checked"`
}

// Reason is one type of terrorist content with its provision.
type Reason struct {
	Type      concert.ContentType `json:"type"`
	Provision string              `json:"provision"`
	Text      string              `json:"text"` // in words that are not the law's own
	Source    string              `json:"source"`
	Checked   bool                `json:"checked"`
}

type redress struct {
	concert.OrderRedress
	State    string `json:"state"`
	Language string `json:"language"` // BCP 47; English is there for each state
	Source   string `json:"source"`
	Checked  bool   `json:"checked"`

	// Within is the deadline as a length, the longest where it names several; it is the
	// same in each language of a state.
	Within concert.Span `json:"within,omitzero"`
}

// parse reads a book from a folder.
func parse(dir fs.FS) (Book, error) {
	b := Book{terms: map[concert.TermKey]concert.Term{}, reasons: map[concert.ContentType]Reason{}, redress: map[string][]redress{}, calendars: map[string]calendar{}}
	for _, step := range []func(fs.FS) error{b.readRegulation, b.readTerms, b.readReasons, b.readRedress, b.readHolidays} {
		if err := step(dir); err != nil {
			return Book{}, fmt.Errorf("read the law: %w", err)
		}
	}
	return b, nil
}

// open reads one file strictly into its shape, of which edition is a part.
func (b *Book) open(dir fs.FS, name string, into any, edition *Edition) error {
	text, err := fs.ReadFile(dir, name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into, json.RejectUnknownMembers(true)); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	edition.File = name
	if edition.Version < 1 || edition.Source == "" {
		return fmt.Errorf("%s: version (from 1) and source are to be written", name)
	}
	if _, err := time.Parse(time.DateOnly, edition.AsOf); err != nil {
		return fmt.Errorf("%s: as_of: %w", name, err)
	}
	b.editions = append(b.editions, *edition)
	return nil
}

func (b *Book) note(checked bool, file, entry string) {
	if !checked {
		b.unchecked = append(b.unchecked, file+": "+entry)
	}
}

func (b *Book) readRegulation(dir fs.FS) error {
	const name = "regulation.json"
	var f struct {
		Edition
		Regulation
	}
	if err := b.open(dir, name, &f, &f.Edition); err != nil {
		return err
	}
	r := f.Regulation
	in, err := time.Parse(time.DateOnly, r.InForce)
	if err != nil {
		return fmt.Errorf("%s: in_force: %w", name, err)
	}
	from, err := time.Parse(time.DateOnly, r.AppliesFrom)
	if err != nil {
		return fmt.Errorf("%s: applies_from: %w", name, err)
	}
	if r.CELEX == "" || r.Name == "" || r.Short == "" || r.Link == "" || from.Before(in) {
		return fmt.Errorf("%s: celex, name, short and link are to be written, and it applies from no day before it is in force", name)
	}
	b.regulation = r
	b.note(r.Checked, name, r.CELEX)
	return nil
}

func (b *Book) readTerms(dir fs.FS) error {
	const name = "terms.json"
	var f struct {
		Edition
		Terms []concert.Term `json:"terms"`
	}
	if err := b.open(dir, name, &f, &f.Edition); err != nil {
		return err
	}
	for _, t := range f.Terms {
		if err := t.Check(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if _, twice := b.terms[t.Key]; twice {
			return fmt.Errorf("%s: term %q stands twice", name, t.Key)
		}
		b.terms[t.Key] = t
		b.note(t.Checked, name, string(t.Key))
	}
	return complete(name, "term", concert.TermKeys, b.terms)
}

func complete[K ~string, V any](file, what string, want []K, have map[K]V) error {
	for _, k := range want {
		if _, ok := have[k]; !ok {
			return fmt.Errorf("%s: %s %q is missing", file, what, k)
		}
	}
	return nil
}

func (b *Book) readReasons(dir fs.FS) error {
	const name = "reasons.json"
	var f struct {
		Edition
		Reasons []Reason `json:"reasons"`
	}
	if err := b.open(dir, name, &f, &f.Edition); err != nil {
		return err
	}
	for _, r := range f.Reasons {
		if _, twice := b.reasons[r.Type]; twice || !slices.Contains(concert.ContentTypes, r.Type) || r.Provision == "" || r.Text == "" || r.Source == "" {
			return fmt.Errorf("%s: type %q: each of %v stands once, with provision, text and source", name, r.Type, concert.ContentTypes)
		}
		b.reasons[r.Type] = r
		b.note(r.Checked, name, string(r.Type))
	}
	return complete(name, "type", concert.ContentTypes, b.reasons)
}

func (b *Book) readRedress(dir fs.FS) error {
	const name = "redress.json"
	var f struct {
		Edition
		Redress []redress `json:"redress"`
	}
	if err := b.open(dir, name, &f, &f.Edition); err != nil {
		return err
	}
	for _, r := range f.Redress {
		entry := fmt.Sprintf("%s, %s, %s", r.State, r.Language, r.For)
		if !concert.IsCountry(r.State) || concert.LanguageBase(r.Language) != r.Language || r.Body == "" || r.Deadline == "" || r.Law == "" || r.Source == "" {
			return fmt.Errorf("%s: %s: state, language, body, deadline, law and source are to be written", name, entry)
		}
		if r.For != concert.RedressProvider && r.For != concert.RedressContent {
			return fmt.Errorf("%s: %s: redress is for %s or %s", name, entry, concert.RedressProvider, concert.RedressContent)
		}
		if _, err := time.Parse(time.DateOnly, r.AsOf); err != nil || r.AsOf > f.AsOf {
			return fmt.Errorf("%s: %s: as_of %q is no date, or later than the file's (%s)", name, entry, r.AsOf, f.AsOf)
		}
		if slices.ContainsFunc(b.redress[r.State], func(o redress) bool { return o.Language == r.Language && o.For == r.For }) {
			return fmt.Errorf("%s: %s stands twice", name, entry)
		}
		b.redress[r.State] = append(b.redress[r.State], r)
		b.note(r.Checked, name, entry)
	}
	for state, all := range b.redress {
		for _, r := range append(all, redress{Language: "en"}) {
			if len(in(all, r.Language)) != 2 {
				return fmt.Errorf("%s: %s: %q needs an entry for %s and one for %s", name, state, r.Language, concert.RedressProvider, concert.RedressContent)
			}
		}
	}
	return nil
}

// in are a state's ways in one language, the provider's first.
func in(all []redress, language string) []concert.OrderRedress {
	var out []concert.OrderRedress
	for _, who := range []concert.RedressParty{concert.RedressProvider, concert.RedressContent} {
		for _, r := range all {
			if r.Language == language && r.For == who {
				out = append(out, r.OrderRedress)
			}
		}
	}
	return out
}

// RedressWithin is within what time an order of the state's authorities may be appealed
// against by the party, from receipt of the order or from being informed of it; zero
// where the data give no length.
func (b Book) RedressWithin(state string, party concert.RedressParty) concert.Span {
	for _, r := range b.redress[state] {
		if r.For == party && r.Within != (concert.Span{}) {
			return r.Within
		}
	}
	return concert.Span{}
}

// Editions are the files with their versions.
func (b Book) Editions() []Edition { return slices.Clone(b.editions) }

// Unchecked are the entries, as "file: entry", that nobody has read in a published
// text: they stand as they are remembered, and somebody is to check them.
func (b Book) Unchecked() []string { return slices.Clone(b.unchecked) }

// Regulation is the act.
func (b Book) Regulation() Regulation { return b.regulation }

// Term is the term of that name. A key that is none of concert.TermKeys is an error
// of the program, not a refusal.
func (b Book) Term(key concert.TermKey) (concert.Term, error) {
	t, ok := b.terms[key]
	if !ok {
		return concert.Term{}, fmt.Errorf("the law has no term %q; it has %v", key, concert.TermKeys)
	}
	t.Pauses = slices.Clone(t.Pauses)
	return t, nil
}

// Reason is the type of terrorist content with its provision.
func (b Book) Reason(t concert.ContentType) (Reason, error) {
	r, ok := b.reasons[t]
	if !ok {
		return Reason{}, fmt.Errorf("no type %q stands in Art. 2(7); it has %v", t, concert.ContentTypes)
	}
	return r, nil
}

// States are the states for which there are redress texts, sorted.
func (b Book) States() []string { return slices.Sorted(maps.Keys(b.redress)) }

// Redress are the ways to have an order of the state's authorities reviewed, for the
// provider and for the content provider, in English. A state without any is refused:
// no order can be issued under its law (Art. 3(4)(f); G15).
func (b Book) Redress(state string) ([]concert.OrderRedress, error) { return b.RedressIn(state, "en") }

// RedressIn is Redress in the language (BCP 47), or in English where there is no text
// in it.
func (b Book) RedressIn(state, language string) ([]concert.OrderRedress, error) {
	all := b.redress[state]
	out := in(all, concert.LanguageBase(language))
	if len(out) == 0 {
		out = in(all, "en")
	}
	if len(out) == 0 {
		return nil, concert.Refuse(concert.Invalid, "law.redress", "authority", "nothing is written about redress against orders of %s, which each order has to state: write it into law/redress.json, dated, before an order is issued", state)
	}
	return out, nil
}
