package lead

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"concert"
)

// Format names the form of a package's report (docs/formats/lead.md).
const Format = "concert-lead/1"

// Package is what a case wants to send, in the case's own words. What leaves is
// the Lead that is made of it.
type Package struct {
	ID         string // random, of letters, digits and hyphens: in the file's name
	Case       string // its public reference
	From       string // the authority that sends it
	To         string // the recipient authority's name
	Country    string // ISO 3166-1 alpha-2
	Made       time.Time
	Handling   concert.Handling
	Evaluation string // source and information code, A1 to X4
	ForCourt   bool   // part of a court bundle
	Exhibit    Exhibit
	Geo        *Geo    // nil: no country database was used
	Period     *Period // nil: not said
	Counts     Counts  // as Suppress gives them
	Persons    []Person

	Definitions map[string]string // of further numbers and words; Definitions' own are added
	Caveats     []string          // further ones; Caveats' own come first
}

// Exhibit is the sealed evidence that everything in a package comes from.
type Exhibit struct {
	ID             string `json:"id"`
	ManifestSHA256 string `json:"manifest_sha256"`
	CustodyHead    string `json:"custody_head"` // N:HASH (vault.Head)
}

// Geo is the country database: when it was built (RFC 3339) and its digest.
type Geo struct {
	Build  string `json:"build"`
	SHA256 string `json:"sha256"`
}

// Period is the first and last day of the log, UTC.
type Period struct {
	First string `json:"first"`
	Last  string `json:"last"`
}

// State says what is known of a cell.
type State uint8

// The states. Withheld is fewer than five, or hidden so that such a number cannot be
// reckoned from others: a reader cannot tell which.
const (
	NotCounted State = iota
	Counted
	Withheld
)

// Cell is a number of a table. In JSON a withheld one is null, and one that was not
// counted is left out.
type Cell struct {
	State State
	N     int64
}

// Number is a counted cell.
func Number(n int64) Cell { return Cell{Counted, n} }

// IsZero reports whether the cell was not counted.
func (c Cell) IsZero() bool { return c.State == NotCounted }

// String is the cell as people read it.
func (c Cell) String() string {
	switch c.State {
	case Counted:
		return strconv.FormatInt(c.N, 10)
	case Withheld:
		return "fewer than 5, or withheld"
	}
	return "not counted"
}

// MarshalJSON implements json.Marshaler.
func (c Cell) MarshalJSON() ([]byte, error) {
	if c.State == Counted {
		return strconv.AppendInt(nil, c.N, 10), nil
	}
	return []byte("null"), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *Cell) UnmarshalJSON(raw []byte) error {
	if string(raw) == "null" {
		*c = Cell{State: Withheld}
		return nil
	}
	var n int64
	if err := json.Unmarshal(raw, &n); err != nil || n < 0 {
		return fmt.Errorf("%.40q is no count", raw)
	}
	*c = Number(n)
	return nil
}

// Range is a number with and without known bots.
type Range struct {
	WithBots    Cell `json:"with_bots,omitzero"`
	WithoutBots Cell `json:"without_bots,omitzero"`
}

// Counts are one country's numbers. Visitors are ways of counting clients, none of
// which counts people.
type Counts struct {
	Accesses   Range `json:"accesses"`
	IP         Range `json:"visitors_ip,omitzero"`
	IPUA       Range `json:"visitors_ip_ua,omitzero"`
	IP64       Range `json:"visitors_ip64,omitzero"`
	Propaganda Cell  `json:"propaganda_accesses,omitzero"`
	PerDay     []Row `json:"per_day,omitempty"`
	TopPaths   []Row `json:"top_paths,omitempty"` // paths with few accesses are left out
}

// Row is a line of a table: a day (UTC) or a path, and its accesses.
type Row struct {
	Key      string `json:"key"`
	Accesses Cell   `json:"accesses"`
}

// Person is somebody whom a package is about, under the case's pseudonym.
type Person struct {
	Pseudonym     string // the case's
	Category      concert.DataSubject
	Facts         []Fact
	CategorisedBy [2]Decision
	Released      []Release // every release of this person, this package's too
}

// Fact is one line of a log that shows more than reading.
type Fact struct {
	Kind       string // such as upload; a view or a download is none
	At         time.Time
	File       string // within the exhibit
	Offset     int64
	Length     int
	LineSHA256 string
	Rule       string // name and version of the rule that found it
	Evaluation string
}

// Role is in what capacity somebody decides on a person.
type Role string

// The roles: an officer, and somebody of the judiciary.
const (
	Officer    Role = "officer"
	Prosecutor Role = "prosecutor"
	Judge      Role = "judge"
)

// Decision is who decided, and when.
type Decision struct {
	Role     Role
	Operator string // number of the operator, no name
	At       time.Time
}

// Release lets a person's facts go to one authority of one country.
type Release struct {
	Country  string
	To       string
	Approved [2]Decision
	Again    string // why to this country too, where another has the person already
}

// Lead is what leaves: the report of a package.
type Lead struct {
	Format      string            `json:"format"`
	ID          string            `json:"id"`
	Case        string            `json:"case"`
	From        string            `json:"from"`
	To          string            `json:"to"`
	Country     string            `json:"country"`
	Made        string            `json:"made"` // RFC 3339, UTC
	Handling    concert.Handling  `json:"handling"`
	Evaluation  string            `json:"evaluation"`
	ForCourt    bool              `json:"for_court"`
	Exhibit     Exhibit           `json:"exhibit"`
	Geo         *Geo              `json:"geo,omitempty"`
	Period      *Period           `json:"period,omitempty"`
	Counts      Counts            `json:"counts"`
	Persons     []ReleasedPerson  `json:"persons"`
	Definitions map[string]string `json:"definitions"`
	Caveats     []string          `json:"caveats"`
}

// ReleasedPerson is a person under the package's own pseudonym.
type ReleasedPerson struct {
	Pseudonym     string              `json:"pseudonym"` // 16 bytes, hexadecimal
	Category      concert.DataSubject `json:"category"`
	Facts         []ReleasedFact      `json:"facts"`
	CategorisedBy [2]Decided          `json:"categorised_by"`
	ReleasedBy    [2]Decided          `json:"released_by"`
}

// ReleasedFact is a fact without its place: the sender finds that by SourceRef.
type ReleasedFact struct {
	Kind       string `json:"kind"`
	At         string `json:"at"`         // RFC 3339, UTC, as exact as the log
	SourceRef  string `json:"source_ref"` // 16 bytes, hexadecimal
	Rule       string `json:"rule"`
	Evaluation string `json:"evaluation"`
}

// Decided is a decision to the day, so that its instant joins no two packages.
type Decided struct {
	Role     Role   `json:"role"`
	Operator string `json:"operator"`
	On       string `json:"on"`
}
