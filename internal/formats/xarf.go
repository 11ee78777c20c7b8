package formats

import (
	"encoding/base64"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// xarfCategories are those of XARF 4's core schema.
var xarfCategories = []string{"messaging", "content", "copyright", "connection", "vulnerability", "infrastructure", "reputation"}

var (
	xarfVersion = regexp.MustCompile(`^4\.[0-9]+\.[0-9]+$`)
	xarfID      = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)
)

// xarfReport is what we read of a report: the core that makes it one, and where
// a report on content names its place. Pointers tell what is missing.
type xarfReport struct {
	Version   *string        `json:"xarf_version"`
	ID        *string        `json:"report_id"`
	Timestamp *string        `json:"timestamp"`
	Reporter  *xarfContact   `json:"reporter"`
	Sender    *xarfContact   `json:"sender"`
	Source    *string        `json:"source_identifier"`
	Category  *string        `json:"category"`
	Type      *string        `json:"type"`
	URL       word           `json:"url"`
	Domain    word           `json:"domain"`
	Media     word           `json:"media_type"`
	FileHash  jsontext.Value `json:"file_hash"`
	Hashes    jsontext.Value `json:"hash_values"`
	Tags      words          `json:"tags"`
	Evidence  []xarfEvidence `json:"evidence"`
	V3        jsontext.Value `json:"ReporterInfo"`
}

type xarfContact struct {
	Org     *string `json:"org"`
	Contact *string `json:"contact"`
	Domain  *string `json:"domain"`
}

type xarfEvidence struct {
	ContentType word `json:"content_type"`
	Payload     word `json:"payload"`
}

// ReadXARF reads items from XARF 4 reports: one, an array of them, or one after
// the other (NDJSON). The shape is that of [ReadItemCSV], with the line where a
// report begins. Reports on content go in whatever their type is, since XARF
// has none for terrorist content; all others are bad rows. Reporter and sender
// are told in a note and go nowhere else.
func ReadXARF(r io.Reader, yield func(ItemRow) error, bad func(RowError) error) error {
	var n notes
	err := walk(r, bad, jsonShape{object: func(line int, raw []byte, _ bool) error {
		var x xarfReport
		if why := decode(raw, &x); why != "" {
			return bad(wrong(line, "%s", why))
		}
		if why := x.fault(); why != "" {
			return bad(wrong(line, "%s", why))
		}
		if *x.Category != "content" {
			return bad(wrong(line, "is a report on %s: only reports on content name a place that can be referred", *x.Category))
		}
		n.add(line, fmt.Sprintf("reports by %.80q, sent by %.80q: not kept with the items", *x.Reporter.Org, *x.Sender.Org))
		it := Item{Type: itemType(string(x.Media)), SHA256: x.sum()}
		for _, t := range x.Tags {
			it.Handling = max(it.Handling, handlingOf(string(t)))
		}
		places, why := x.places()
		if why != "" {
			return bad(wrong(line, "%s", why))
		}
		if len(places) == 0 {
			return bad(wrong(line, "has no place: neither url nor domain, and no list of addresses among its evidence"))
		}
		if len(places) > 1 {
			it.SHA256 = ""
		}
		for _, p := range places {
			it.Location = p
			if err := handIn(ItemRow{line, it}, yield, bad); err != nil {
				return err
			}
		}
		return nil
	}})
	if err != nil {
		return err
	}
	return n.tell(bad)
}

// fault is the first way in which a report is not XARF 4's core, "" for none.
func (x *xarfReport) fault() string {
	if x.Version == nil && x.V3 != nil {
		return "is a report of XARF 3: ask for version 4"
	}
	for _, f := range []struct {
		name  string
		value *string
	}{
		{"xarf_version", x.Version}, {"report_id", x.ID}, {"timestamp", x.Timestamp},
		{"source_identifier", x.Source}, {"category", x.Category}, {"type", x.Type},
	} {
		if f.value == nil {
			return "is no XARF 4 report: " + f.name + " is missing"
		}
	}
	if why := x.Reporter.fault("reporter"); why != "" {
		return why
	}
	if why := x.Sender.fault("sender"); why != "" {
		return why
	}
	switch {
	case !xarfVersion.MatchString(*x.Version):
		return fmt.Sprintf("is of version %.20q: only XARF 4 is read", *x.Version)
	case !xarfID.MatchString(*x.ID):
		return fmt.Sprintf("is no XARF 4 report: report_id %.40q is no UUID", *x.ID)
	case !slices.Contains(xarfCategories, *x.Category):
		return fmt.Sprintf("is no XARF 4 report: %.40q is no category", *x.Category)
	}
	if _, err := time.Parse(time.RFC3339, *x.Timestamp); err != nil {
		return fmt.Sprintf("is no XARF 4 report: timestamp %.40q is no time of RFC 3339", *x.Timestamp)
	}
	return ""
}

func (c *xarfContact) fault(who string) string {
	switch {
	case c == nil:
		return "is no XARF 4 report: " + who + " is missing"
	case c.Org == nil || c.Contact == nil || c.Domain == nil:
		return "is no XARF 4 report: " + who + " has org, contact and domain"
	case !strings.Contains(*c.Contact, "@"):
		return "is no XARF 4 report: " + who + ".contact is no mail address"
	case len([]rune(*c.Org)) > 200:
		return "is no XARF 4 report: " + who + ".org is longer than 200 characters"
	}
	return ""
}

// places are where the content is: the url, else lists of addresses among the
// evidence (text/uri-list, RFC 2483), else the domain. The source identifier
// names a machine, not content. why is what is wrong with a list that cannot be
// read: the domain is no stand-in for it.
func (x *xarfReport) places() (out []string, why string) {
	if x.URL != "" {
		return []string{string(x.URL)}, ""
	}
	for _, e := range x.Evidence {
		if kind, _, _ := strings.Cut(string(e.ContentType), ";"); !strings.EqualFold(strings.TrimSpace(kind), "text/uri-list") {
			continue
		}
		list, err := base64.StdEncoding.DecodeString(string(e.Payload))
		if err != nil {
			return nil, "has a list of addresses (text/uri-list) among its evidence that is no base64, or longer than 64 KiB: hand them in as CSV"
		}
		for line := range strings.Lines(string(list)) {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				out = append(out, line)
			}
		}
	}
	if len(out) == 0 && x.Domain != "" {
		out = append(out, string(x.Domain))
	}
	return out, ""
}

// sum is the SHA-256 of the content itself: "sha256:…" or an object with a
// sha256. The evidence's own digests are of screenshots.
func (x *xarfReport) sum() string {
	for _, v := range []jsontext.Value{x.FileHash, x.Hashes} {
		var text word
		var object struct {
			SHA256 word `json:"sha256"`
		}
		if len(v) > 0 && v[0] == '"' && json.Unmarshal(v, &text) == nil {
			if name, sum, ok := strings.Cut(string(text), ":"); ok && strings.EqualFold(name, "sha256") {
				return sum
			}
		}
		if len(v) > 0 && v[0] == '{' && json.Unmarshal(v, &object) == nil && object.SHA256 != "" {
			return string(object.SHA256)
		}
	}
	return ""
}
