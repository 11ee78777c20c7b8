package lead

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/csv"
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"
)

// Caveats are what every package says before its first number.
func Caveats(geo *Geo) []string {
	database := "No country database was used."
	if geo != nil {
		database = "The country database of this package was built " + geo.Build + " and has SHA-256 " + geo.SHA256 + "; for another month than the log's it says little."
	}
	return []string{
		"An address is not a person. Many people share one, one person has several, and addresses change hands.",
		"Behind carrier-grade NAT thousands share an address at once: only the exact time together with the source port finds a line, and access logs rarely have the port.",
		"VPN, Tor, proxies and hosting say nothing of where a person is: a country is unreliable for them.",
		"A country is where an address was registered when the database was built. " + database,
		"Bots are removed by a stated rule, which finds those that say so. A program that pretends to be a browser is counted among the rest.",
		"Times are the server's own clock's. How far it was off is in the record of its seizure, if at all: ask for it before a time is compared with another system's.",
		"Numbers of visitors are ranges: by address, by address and agent, by IPv6 network, with and without bots. None of them counts people.",
		"A page view is no ground for suspicion, and no number of them is.",
	}
}

// Definitions say what each field of a report means.
func Definitions() map[string]string { return maps.Clone(definitions()) }

func definitions() map[string]string {
	return map[string]string{
		"null":                "a number that is withheld: from 1 to 4, or hidden so that such a number cannot be reckoned from others; which of the two is not said. A number that is left out was not counted",
		"accesses":            "requests of any kind from addresses that the database places in the country, whatever the answer; not page views, not people",
		"visitors_ip":         "different client addresses in the country; without_bots: those with at least one access by no known bot",
		"visitors_ip_ua":      "different pairs of client address and User-Agent",
		"visitors_ip64":       "as visitors_ip, but all IPv6 addresses of one /64 network are one",
		"propaganda_accesses": "successful requests for files that were judged to be propaganda",
		"per_day":             "accesses by day in UTC",
		"top_paths":           "most frequent paths without query; a path with few accesses is left out",
		"persons":             "people categorised as suspects by an officer and a prosecutor or judge on recorded facts, and released by two such people",
		"pseudonym":           "stands for a person in this package alone: HMAC-SHA-256 under a key that the sender keeps, cut to 16 bytes",
		"source_ref":          "stands for a line of the exhibit in this package alone, made likewise; the sender finds the line by it",
		"facts":               "lines of the log that show more than reading: kind, time by the server's clock, the rule that found it, source and information code",
		"evaluation":          "source A, B, C or X and information 1 to 4: A a source beyond doubt, X one that cannot be assessed; 1 known to be accurate, 4 cannot be corroborated",
		"handling":            "H0: only to prevent and combat crime; H1: not in judicial proceedings, H2: not to be passed on without its giver's permission; H3: other restrictions",
		"exhibit":             "the sealed evidence: SHA-256 of its manifest, and head of its custody log as number and digest of its last record",
	}
}

// figures are the numbers of a report by name, in their order.
func (l Lead) figures() [][2]string {
	var out [][2]string
	add := func(name string, c Cell) {
		if !c.IsZero() {
			out = append(out, [2]string{name, c.String()})
		}
	}
	for _, x := range []struct {
		name string
		r    Range
	}{{"accesses", l.Counts.Accesses}, {"visitors_ip", l.Counts.IP}, {"visitors_ip_ua", l.Counts.IPUA}, {"visitors_ip64", l.Counts.IP64}} {
		add(x.name, x.r.WithBots)
		add(x.name+".without_bots", x.r.WithoutBots)
	}
	add("propaganda_accesses", l.Counts.Propaganda)
	for _, d := range l.Counts.PerDay {
		add("per_day "+d.Key, d.Accesses)
	}
	for _, p := range l.Counts.TopPaths {
		add("top_paths "+p.Key, p.Accesses)
	}
	return out
}

// reportCSV has a line for each number and for each word about the package.
func (l Lead) reportCSV() ([]byte, error) {
	rows := [][]string{{"name", "value"}}
	for _, x := range l.heads() {
		rows = append(rows, x[:])
	}
	for _, x := range l.figures() {
		rows = append(rows, x[:])
	}
	return writeCSV(rows)
}

// personsCSV has a line for each fact.
func (l Lead) personsCSV() ([]byte, error) {
	rows := [][]string{{"pseudonym", "category", "kind", "at", "source_ref", "rule", "evaluation"}}
	for _, p := range l.Persons {
		for _, f := range p.Facts {
			rows = append(rows, []string{p.Pseudonym, string(p.Category), f.Kind, f.At, f.SourceRef, f.Rule, f.Evaluation})
		}
	}
	return writeCSV(rows)
}

// writeCSV is RFC 4180. A cell that a spreadsheet would take for a formula begins with
// an apostrophe.
func writeCSV(rows [][]string) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	for _, row := range rows {
		for i, cell := range row {
			if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
				row[i] = "'" + cell
			}
		}
		if err := w.Write(row); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

// heads are what a package says of itself.
func (l Lead) heads() [][2]string {
	out := [][2]string{{"package", l.ID}, {"country", l.Country}, {"case", l.Case}, {"from", l.From}, {"to", l.To}, {"made", l.Made}, {"handling", string(l.Handling)}, {"evaluation", l.Evaluation}, {"for a court bundle", fmt.Sprint(l.ForCourt)},
		{"exhibit", l.Exhibit.ID}, {"exhibit manifest, SHA-256", l.Exhibit.ManifestSHA256}, {"exhibit custody head", l.Exhibit.CustodyHead}}
	if l.Period != nil {
		out = append(out, [2]string{"period", l.Period.First + " to " + l.Period.Last})
	}
	if l.Geo != nil {
		out = append(out, [2]string{"country database", l.Geo.Build + ", SHA-256 " + l.Geo.SHA256})
	}
	return append(out, [2]string{"persons", fmt.Sprint(len(l.Persons))})
}

func (l Lead) definitionsText() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Definitions, package %s\n\n", l.ID)
	for _, name := range slices.Sorted(maps.Keys(l.Definitions)) {
		fmt.Fprintf(&b, "- **%s**: %s.\n", name, strings.TrimSuffix(l.Definitions[name], "."))
	}
	return b.Bytes()
}

func (l Lead) caveatsText() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Caveats, package %s\n\n", l.ID)
	for _, c := range l.Caveats {
		fmt.Fprintf(&b, "- %s\n", c)
	}
	return b.Bytes()
}

//go:embed lead.css
var style string

//go:embed lead.html
var page string

var pageTemplate = template.Must(template.New("lead").Parse(page))

// html is the report as one page: no script, nothing from elsewhere, and a policy that
// says so.
func (l Lead) html() ([]byte, error) {
	sum := sha256.Sum256([]byte(style))
	var b bytes.Buffer
	err := pageTemplate.Execute(&b, map[string]any{
		"Policy": "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'",
		"Style":  template.CSS(style), "Lead": l, "Heads": l.heads(), "Figures": l.figures(), "Names": slices.Sorted(maps.Keys(l.Definitions)),
		"Withheld": slices.ContainsFunc(l.figures(), func(x [2]string) bool { return x[1] == Cell{State: Withheld}.String() }),
		"Title":    cmp.Or(l.Country, "?") + ": lead package " + l.ID,
	})
	return b.Bytes(), err
}
