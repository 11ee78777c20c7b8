package lead

import (
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Key re-keys one package, and no other. It stays in the case, where it maps an
// answer back; whoever has it and a case's pseudonyms can join the package to them.
type Key [32]byte

// NewKey is a fresh random key.
func NewKey() (k Key) {
	rand.Read(k[:])
	return k
}

// referenceSize is the length of a pseudonym or source reference in bytes.
const referenceSize = 16

func (k Key) reference(text string) string {
	m := hmac.New(sha256.New, k[:])
	m.Write([]byte(text))
	return hex.EncodeToString(m.Sum(nil)[:referenceSize])
}

// Pseudonym is the package's pseudonym for one of the case's: HMAC-SHA-256 under the
// key (RFC 2104), cut to 16 bytes.
func (k Key) Pseudonym(ofCase string) string { return k.reference(ofCase) }

// Source is the package's reference to a line. No pseudonym holds its zero bytes.
func (k Key) Source(file string, offset int64) string {
	return k.reference(fmt.Sprintf("source\x00%s\x00%d", file, offset))
}

// Lead checks the package by every rule of this file and of check.go and re-keys it.
func (p Package) Lead(k Key) (Lead, error) {
	l := Lead{Format: Format, ID: p.ID, Case: p.Case, From: p.From, To: p.To, Country: p.Country, Made: p.Made.UTC().Format(time.RFC3339), Handling: p.Handling, Evaluation: p.Evaluation,
		ForCourt: p.ForCourt, Exhibit: p.Exhibit, Geo: p.Geo, Period: p.Period, Counts: p.Counts, Persons: []ReleasedPerson{}, Definitions: Definitions(), Caveats: append(Caveats(p.Geo), p.Caveats...)}
	maps.Copy(l.Definitions, p.Definitions)
	for i, who := range p.Persons {
		r, err := who.released(k, p)
		if err != nil {
			return Lead{}, err
		}
		for _, o := range p.Persons[:i] {
			if o.Pseudonym == who.Pseudonym {
				return Lead{}, refuse("lead.person_twice", "person %d stands in the package already: join its facts", i+1)
			}
		}
		l.Persons = append(l.Persons, r)
	}
	// The case's order could join two packages as well.
	slices.SortFunc(l.Persons, func(a, b ReleasedPerson) int { return strings.Compare(a.Pseudonym, b.Pseudonym) })
	return l, l.Check()
}

// Check refuses what may not leave; the error is an *Error.
func (p Package) Check() error {
	_, err := p.Lead(Key{})
	return err
}

// released is the person as it leaves in the package. What only the case's side of a
// person can show is checked here, the rest by Lead.Check.
func (w Person) released(k Key, p Package) (ReleasedPerson, error) {
	var r ReleasedPerson
	if !plain(w.Pseudonym, 400) {
		return r, refuse("lead.pseudonym", "a person has no pseudonym of the case")
	}
	at := slices.IndexFunc(w.Released, func(x Release) bool { return x.Country == p.Country && x.To == p.To })
	if at < 0 {
		return r, refuse("lead.not_released", "a person was not released to %s of %s: two people release it first", p.To, p.Country)
	}
	other := slices.ContainsFunc(w.Released, func(x Release) bool { return x.Country != p.Country || x.To != p.To })
	if other && strings.TrimSpace(w.Released[at].Again) == "" {
		return r, refuse("lead.released_elsewhere", "a person was released to another authority: the exact times of its facts would join the two packages. Two people release it again and say why, or it is left out")
	}
	r = ReleasedPerson{Pseudonym: k.Pseudonym(w.Pseudonym), Category: w.Category, CategorisedBy: decided(w.CategorisedBy), ReleasedBy: decided(w.Released[at].Approved)}
	for _, f := range w.Facts {
		if f.File == "" || f.Offset < 0 || f.Length < 1 || !isDigest(f.LineSHA256) || f.At.IsZero() {
			return r, refuse("lead.fact_source", "a fact of kind %.40q lacks its time, file, offset, length or its line's SHA-256: without its line it is no recorded fact", f.Kind)
		}
		r.Facts = append(r.Facts, ReleasedFact{f.Kind, f.At.UTC().Format(time.RFC3339Nano), k.Source(f.File, f.Offset), f.Rule, f.Evaluation})
	}
	slices.SortFunc(r.Facts, func(a, b ReleasedFact) int {
		return cmp.Or(strings.Compare(a.At, b.At), strings.Compare(a.SourceRef, b.SourceRef))
	})
	return r, nil
}

func decided(d [2]Decision) (out [2]Decided) {
	for i, x := range d {
		out[i] = Decided{x.Role, x.Operator, ""}
		if !x.At.IsZero() {
			out[i].On = x.At.UTC().Format(time.DateOnly)
		}
	}
	return out
}
