package formats

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"concert"
)

// stixNamesMost bounds how many identities of one file are remembered.
const stixNamesMost = 10_000

// stixHashNames are the names of STIX for our kinds of hash (hash-algorithm-ov,
// section 10.7, which is open: PDQ and the others are not in it).
var stixHashNames = map[concert.HashKind]string{
	concert.HashMD5: "MD5", concert.HashSHA1: "SHA-1", concert.HashSHA256: "SHA-256", concert.HashSHA512: "SHA-512", concert.HashTLSH: "TLSH",
	concert.HashPDQ: "PDQ", concert.HashVPDQ: "VPDQ", concert.HashTMK: "TMK", concert.HashPhotoDNA: "PHOTODNA",
}

// stixEntry is what we read of an object that may be an entry.
type stixEntry struct {
	stixObject
	Name       word  `json:"name"`
	Labels     words `json:"labels"`
	Types      words `json:"indicator_types"`
	CreatedBy  word  `json:"created_by_ref"`
	Created    word  `json:"created"`
	Modified   word  `json:"modified"`
	ValidUntil word  `json:"valid_until"`
}

// stixBank is a file while it is read.
type stixBank struct {
	*bankReader
	names map[string]string // of identities, by id
}

// stix reads files, artifacts and what indicators' patterns ask of files.
func (b *bankReader) stix(r io.Reader) error {
	s := &stixBank{b, map[string]string{}}
	return walk(r, b.bad, jsonShape{
		holds: map[string]bool{"objects": true}, most: bankLineMost,
		object: func(line int, raw []byte, _ bool) error { return s.object(line, raw) },
		closed: func(map[string][]byte) error { return nil },
	})
}

func (s *stixBank) object(line int, raw []byte) error {
	var o stixEntry
	if why := decode(raw, &o); why != "" {
		return s.bad(wrong(line, "%s", why))
	}
	switch {
	case o.Type == "":
		return s.bad(wrong(line, "is no STIX object: it has no type"))
	case o.Type == "identity" && len(s.names) < stixNamesMost:
		s.names[string(o.ID)] = cut(shown(string(o.Name)), concert.EntryNameMost)
		return nil
	case slices.Contains(stixContext, string(o.Type)):
		return nil
	}
	e, err := o.entry()
	if err != nil {
		return s.bad(wrong(line, "%s", err))
	}
	e.Provenance.Owner = cmp.Or(s.names[string(o.CreatedBy)], string(o.CreatedBy))
	var why string
	switch o.Type {
	case "indicator":
		if o.PatternType != "" && o.PatternType != "stix" {
			return s.bad(wrong(line, "has no hash: a pattern of the kind %.40q", string(o.PatternType)))
		}
		if e.Hashes, why = readPatternHashes(string(o.Pattern)); why != "" && !e.Gone {
			return s.bad(wrong(line, "has a pattern that cannot be read: %s", why))
		}
	case "file", "artifact":
		e.Hashes = o.hashes()
	case "observed-data":
		return s.observed(line, e, &o)
	}
	if len(e.Hashes) == 0 && !e.Gone {
		return s.bad(wrong(line, "has no hash: an object %.40q", string(o.Type)))
	}
	return s.whole(line, e)
}

// observed takes the files inside an observation before 2.1; since then files
// stand beside it.
func (s *stixBank) observed(line int, e SharedEntry, o *stixEntry) error {
	if o.Objects == nil {
		return nil
	}
	var inner map[string]stixEntry
	if why := decode(o.Objects, &inner); why != "" {
		return s.bad(wrong(line, "%s", why))
	}
	n := 0
	for _, key := range slices.Sorted(maps.Keys(inner)) {
		one := inner[key]
		if e.Hashes = one.hashes(); len(e.Hashes) == 0 {
			continue
		}
		n++
		e.SourceID, e.Name = string(o.ID)+"#"+key, string(one.Name)
		if err := s.whole(line, e); err != nil {
			return err
		}
	}
	if n == 0 {
		return s.bad(wrong(line, "has no hash: an observation without a file"))
	}
	return nil
}

// hashes are those of a file or artifact, of the kinds known here.
func (o *stixEntry) hashes() []concert.KnownHash {
	var out []concert.KnownHash
	for _, name := range slices.Sorted(maps.Keys(o.Hashes)) {
		if kind := hashKind(name); kind != "" {
			out = append(out, concert.KnownHash{Kind: kind, Value: string(o.Hashes[name]), Quality: -1})
		}
	}
	return out
}

func (o *stixEntry) entry() (e SharedEntry, err error) {
	e.SourceID, e.Name, e.Gone = string(o.ID), string(o.Name), o.Revoked.yes()
	for _, l := range o.Labels {
		e.Labels = append(e.Labels, string(l))
	}
	for _, m := range o.Markings {
		// Nobody here knows what another marking allows.
		e.Handling = stricter(e.Handling, cmp.Or(stixLights[string(m)], "tlp:unknown"))
	}
	var given []concert.Opinion
	for _, t := range o.Types {
		switch t {
		case "malicious-activity":
			given = append(given, concert.OpinionPositive)
		case "benign":
			given = append(given, concert.OpinionNegative)
		}
	}
	switch {
	case len(o.Types) == 0:
		e.opined(concert.OpinionPositive)
	case len(given) == 0:
		e.opined(concert.OpinionSeed)
	default:
		e.opined(given...)
	}
	return e, whens(timed{o.Created, &e.AddedAt}, timed{o.Modified, &e.UpdatedAt}, timed{o.ValidUntil, &e.ExpiresAt})
}

// stixOut is an object as it is written.
type stixOut struct {
	Type       string                  `json:"type"`
	Spec       string                  `json:"spec_version"`
	ID         string                  `json:"id"`
	CreatedBy  string                  `json:"created_by_ref,omitempty"`
	Created    string                  `json:"created"`
	Modified   string                  `json:"modified,omitempty"`
	Revoked    bool                    `json:"revoked,omitempty"`
	Name       string                  `json:"name,omitempty"`
	Class      string                  `json:"identity_class,omitempty"`
	Types      []string                `json:"indicator_types,omitempty"`
	Labels     []string                `json:"labels,omitempty"`
	Pattern    string                  `json:"pattern,omitempty"`
	Language   string                  `json:"pattern_type,omitempty"`
	ValidFrom  string                  `json:"valid_from,omitempty"`
	ValidUntil string                  `json:"valid_until,omitempty"`
	References []stixReference         `json:"external_references,omitempty"`
	Markings   []string                `json:"object_marking_refs,omitempty"`
	Extensions map[string]stixTLPLevel `json:"extensions,omitempty"`
}

type stixReference struct {
	Source string `json:"source_name"`
	ID     string `json:"external_id"`
}

// stixTLPLevel is a light of TLP 2, which OASIS defines as an extension.
type stixTLPLevel struct {
	Type  string `json:"extension_type"`
	Level string `json:"tlp_2_0"`
}

// stixTLP2 is the extension's id; its definitions are of stixTLP2Day.
const (
	stixTLP2    = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
	stixTLP2Day = "2022-10-01T00:00:00.000Z"
)

// stixTypes are the opinions in STIX's words (indicator-type-ov).
var stixTypes = map[concert.Opinion][]string{
	concert.OpinionPositive: {"malicious-activity"}, concert.OpinionNegative: {"benign"}, concert.OpinionSeed: {"unknown"}, concert.OpinionDisputed: {"malicious-activity", "benign"},
}

// stix writes a bundle of indicators, one an entry, with the owners and the
// markings that they refer to.
func (out *bankWriter) stix(w io.Writer, entries iter.Seq2[SharedEntry, error]) error {
	list := jsonList{w: bufio.NewWriter(w)}
	list.text(`{"type":"bundle","id":"bundle--` + out.uuid("bundle") + `","objects":[`)
	told := map[string]bool{}
	for e, err := range entries {
		if err != nil {
			return err
		}
		added := stixTime(firstTime(e.AddedAt, e.UpdatedAt, out.bank.CreatedAt))
		owner := "identity--" + out.uuid("owner/"+e.Provenance.Owner)
		if e.Provenance.Owner != "" && !told[owner] && len(told) < stixNamesMost {
			list.add(stixOut{Type: "identity", Spec: "2.1", ID: owner, Created: added, Modified: added, Name: shown(e.Provenance.Owner), Class: "organization"})
			told[owner] = true
		}
		light := lightOf(e.Handling)
		if !told[light.marking] {
			list.add(stixOut{Type: "marking-definition", Spec: "2.1", ID: light.marking, Created: stixTLP2Day, Name: strings.ToUpper(light.tlp), Extensions: map[string]stixTLPLevel{stixTLP2: {"property-extension", strings.TrimPrefix(light.tlp, "tlp:")}}})
			told[light.marking] = true
		}
		pattern, err := e.pattern()
		if err != nil {
			return err
		}
		o := stixOut{
			Type: "indicator", Spec: "2.1", ID: "indicator--" + out.uuid(e.id()), Created: added, Modified: stixTime(firstTime(e.UpdatedAt, e.AddedAt, out.bank.CreatedAt)), Revoked: e.Gone, Name: e.Name,
			Types: stixTypes[e.Stands()], Labels: e.Labels, Pattern: pattern, Language: "stix", ValidFrom: added,
			References: []stixReference{{"concert", e.id()}}, Markings: []string{light.marking},
		}
		if told[owner] {
			o.CreatedBy = owner
		}
		if !e.ExpiresAt.IsZero() {
			o.ValidUntil = stixTime(e.ExpiresAt)
		}
		list.add(o)
	}
	list.text("]}\n")
	return list.end()
}

// uuid is an id of its own for a thing of the bank, the same each time it is
// written (RFC 9562 section 5.5).
func (out *bankWriter) uuid(of string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte("concert:bank/"+string(out.bank.ID)+"/"+of)).String()
}

// stixTime is a time with three decimals, as STIX 2.1 section 3.2 has it.
func stixTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// pattern asks for any of the entry's hashes. A tombstone that kept none asks for
// nothing that there is.
func (e *SharedEntry) pattern() (string, error) {
	var ways []string
	for _, h := range e.Hashes {
		value, err := hashValue(h)
		if err != nil {
			return "", fmt.Errorf("entry %s: %w", e.id(), err)
		}
		ways = append(ways, fmt.Sprintf("file:hashes.'%s' = '%s'", stixHashNames[h.Kind], strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(value)))
	}
	if ways == nil {
		return "[x-concert-entry:ref = '" + strings.Map(func(r rune) rune {
			if r == '\'' || r == '\\' {
				return '_'
			}
			return r
		}, e.id()) + "']", nil
	}
	return "[" + strings.Join(ways, " OR ") + "]", nil
}
