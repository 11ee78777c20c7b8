package lead

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"concert"
	"concert/internal/accesslog"
	"concert/internal/vault"
)

// Error is a refusal: a package that may not leave, or says what no package may.
type Error struct {
	Code string // such as lead.handling
	Text string // what was wrong, and the way out
}

// Error implements error.
func (e *Error) Error() string { return e.Text }

func refuse(code, format string, args ...any) *Error {
	return &Error{code, fmt.Sprintf(format, args...)}
}

const (
	textMost   = 400
	rowsMost   = 20_000
	factsMost  = 100_000
	personMost = 10_000
)

var (
	idForm      = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{3,63}$`)
	countryForm = regexp.MustCompile(`^[A-Z]{2}$`)
	refForm     = regexp.MustCompile(`^[0-9a-f]{32}$`)
)

func isDigest(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == 32 && s == strings.ToLower(s)
}

// plain reports whether a text says something, in one line.
func plain(s string, most int) bool {
	return strings.TrimSpace(s) != "" && len(s) <= most && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
	})
}

// Check refuses a report that no package may have; the error is an *Error. Its reader
// asks it, too: a signature makes nothing lawful.
func (l Lead) Check() error {
	for _, err := range []*Error{l.checkHead(), l.checkHandling(), l.Counts.check(), l.checkPersons()} {
		if err != nil {
			return err
		}
	}
	return nil
}

func (l Lead) checkHead() *Error {
	switch {
	case l.Format != Format:
		return refuse("lead.format", "its format is %.60q; this version reads %q", l.Format, Format)
	case !idForm.MatchString(l.ID):
		return refuse("lead.id", "%.80q is no id of a package: 4 to 64 letters, digits and hyphens", l.ID)
	case !countryForm.MatchString(l.Country):
		return refuse("lead.country", "%.20q is no country: two capital letters, as in ISO 3166-1", l.Country)
	case !plain(l.Case, textMost) || !plain(l.From, textMost) || !plain(l.To, textMost):
		return refuse("lead.parties", "a package names its case, who sends it and who receives it, each in one line of at most %d bytes", textMost)
	case !slices.Contains(concert.EvaluationCodes, l.Evaluation):
		return refuse("lead.evaluation", "%.20q is no evaluation: a source A, B, C or X and an information 1 to 4", l.Evaluation)
	case !plain(l.Exhibit.ID, textMost) || !isDigest(l.Exhibit.ManifestSHA256):
		return refuse("lead.exhibit", "a package names its exhibit and the SHA-256 of that exhibit's manifest")
	case l.Geo != nil && (!plain(l.Geo.Build, textMost) || !isDigest(l.Geo.SHA256)):
		return refuse("lead.geo", "a country database is named by its build and its SHA-256")
	case l.Period != nil && (!isTime(time.DateOnly, l.Period.First) || !isTime(time.DateOnly, l.Period.Last)):
		return refuse("lead.period", "a period has a first and a last day")
	case !isTime(time.RFC3339, l.Made) || !strings.HasSuffix(l.Made, "Z"):
		return refuse("lead.made", "%.40q is no time in UTC at which a package was made", l.Made)
	case len(l.Caveats) == 0 || len(l.Definitions) == 0:
		return refuse("lead.caveats", "a package has its caveats and its definitions with it")
	}
	if _, err := vault.ParseHead(l.Exhibit.CustodyHead); err != nil {
		return refuse("lead.custody", "custody of the exhibit: %v", err)
	}
	return nil
}

func isTime(form, text string) bool {
	_, err := time.Parse(form, text)
	return err == nil
}

// checkHandling holds the handling codes (G23).
func (l Lead) checkHandling() *Error {
	switch {
	case !slices.Contains(concert.Handlings, l.Handling):
		return refuse("lead.handling", "%.20q is no handling code; the codes are %v", l.Handling, concert.Handlings)
	case l.To != l.From && !l.Handling.MayLeave(concert.ToTenant):
		return refuse("lead.handling", "what carries %s may not go to another authority: ask whoever gave it; with their permission its code changes", l.Handling)
	case l.ForCourt && !l.Handling.MayLeave(concert.ToJudicial):
		return refuse("lead.handling", "what carries %s may not be part of a court bundle: ask whoever gave it; with their permission its code changes", l.Handling)
	}
	return nil
}

// check refuses numbers that are few, or that others give away (G34).
func (c Counts) check() *Error {
	cells := []Cell{c.Accesses.WithBots, c.Accesses.WithoutBots, c.IP.WithBots, c.IP.WithoutBots, c.IPUA.WithBots, c.IPUA.WithoutBots, c.IP64.WithBots, c.IP64.WithoutBots, c.Propaganda}
	for _, r := range []Range{c.Accesses, c.IP, c.IPUA, c.IP64} {
		if r.WithBots.State == Counted && r.WithoutBots.State == Counted {
			cells = append(cells, Number(r.WithBots.N-r.WithoutBots.N))
		}
	}
	if c.Accesses.WithBots.State == Counted && c.Propaganda.State == Counted {
		cells = append(cells, Number(c.Accesses.WithBots.N-c.Propaganda.N))
	}
	if len(c.PerDay) > rowsMost || len(c.TopPaths) > rowsMost {
		return refuse("lead.rows", "a table of a package has at most %d rows", rowsMost)
	}
	hidden, shown := 0, false
	for i, d := range c.PerDay {
		if !isTime(time.DateOnly, d.Key) || i > 0 && c.PerDay[i-1].Key >= d.Key {
			return refuse("lead.rows", "%.40q is no day, or out of order", d.Key)
		}
		if d.Accesses.State == Withheld {
			hidden++
		}
		shown = shown || d.Accesses.N > 0
		cells = append(cells, d.Accesses)
	}
	for _, p := range c.TopPaths {
		if p.Key == "" || p.Accesses.State != Counted {
			return refuse("lead.rows", "a path without accesses, or the other way round")
		}
		cells = append(cells, p.Accesses)
	}
	if slices.ContainsFunc(cells, func(x Cell) bool { return x.State == Counted && (x.N < 0 || accesslog.Few(x.N)) }) {
		return refuse("lead.few", "a number from 1 to %d, or two whose difference is one, would leave the case: withhold it first (lead.Suppress)", accesslog.Smallest-1)
	}
	if hidden == 1 && shown {
		return refuse("lead.few", "a single day is withheld, and the total would give it away: withhold another (lead.Suppress)")
	}
	return nil
}

// checkPersons lets nobody leave who is not a suspect by two people's word on
// recorded facts (G21).
func (l Lead) checkPersons() *Error {
	if len(l.Persons) > personMost {
		return refuse("lead.persons", "a package has at most %d persons", personMost)
	}
	facts := 0
	for i, p := range l.Persons {
		if p.Category != concert.SubjectSuspect {
			return refuse("lead.category", "person %d is %q: a row leaves only for a suspect; of everybody else there are counts", i+1, p.Category)
		}
		if !refForm.MatchString(p.Pseudonym) || i > 0 && l.Persons[i-1].Pseudonym >= p.Pseudonym {
			return refuse("lead.pseudonym", "the pseudonym of person %d is none, or out of order", i+1)
		}
		if !twoPeople(p.CategorisedBy) {
			return refuse("lead.two_people", "person %d was not categorised by an officer and, apart from them, a prosecutor or judge", i+1)
		}
		if !twoPeople(p.ReleasedBy) {
			return refuse("lead.two_people", "person %d was not released by an officer and, apart from them, a prosecutor or judge", i+1)
		}
		for _, f := range p.Facts {
			if err := f.check(i + 1); err != nil {
				return err
			}
		}
		if !slices.ContainsFunc(p.Facts, func(f ReleasedFact) bool { return slices.Contains(concert.SourceFactKinds, f.Kind) }) {
			return refuse("lead.no_fact", "person %d has no recorded fact of administering, uploading or posting (%v): what somebody read is no ground for suspicion", i+1, concert.SourceFactKinds)
		}
		if facts += len(p.Facts); facts > factsMost {
			return refuse("lead.persons", "a package has at most %d facts", factsMost)
		}
	}
	return nil
}

func (f ReleasedFact) check(person int) *Error {
	switch {
	case !slices.Contains(accesslog.FactKinds(), f.Kind):
		return refuse("lead.fact_kind", "person %d has a fact of kind %.60q: the kinds are %v; a view or a download is no ground for suspicion and leaves no case", person, f.Kind, accesslog.FactKinds())
	case !isTime(time.RFC3339Nano, f.At) || !strings.HasSuffix(f.At, "Z") || !refForm.MatchString(f.SourceRef):
		return refuse("lead.fact_source", "a fact of person %d lacks its time in UTC or the reference to its line", person)
	case !plain(f.Rule, textMost) || !slices.Contains(concert.EvaluationCodes, f.Evaluation):
		return refuse("lead.fact_rule", "a fact of person %d lacks the rule that found it, or its evaluation", person)
	}
	return nil
}

// twoPeople reports whether an officer and somebody of the judiciary decided.
func twoPeople(d [2]Decided) bool {
	officers, judiciary := 0, 0
	for _, x := range d {
		if !plain(x.Operator, textMost) || !isTime(time.DateOnly, x.On) {
			return false
		}
		switch x.Role {
		case Officer:
			officers++
		case Prosecutor, Judge:
			judiciary++
		}
	}
	return officers == 1 && judiciary == 1 && d[0].Operator != d[1].Operator
}
