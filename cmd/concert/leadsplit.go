package main

import (
	"bytes"
	"crypto/rand"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"filippo.io/age"

	"concert"
	"concert/internal/accesslog"
	"concert/internal/durable"
	"concert/internal/lead"
	"concert/internal/vault"
)

type leadSplitCmd struct {
	Report     string `help:"JSON of concert accesslog report." required:"" type:"existingfile" placeholder:"FILE"`
	Exhibit    string `help:"The bag of evidence that the logs lie in. Its manifest and the head of its custody log are named." required:"" type:"existingdir" placeholder:"BAG"`
	Custody    bool   `help:"Add the bag's whole custody log to every package, with the names in it."`
	Case       string `help:"The case that it belongs to." required:"" placeholder:"ID"`
	From       string `help:"The authority that sends." required:"" placeholder:"NAME"`
	Key        string `help:"File of the key that signs (evidence key makes one)." required:"" type:"existingfile" placeholder:"FILE"`
	Recipients string `help:"CSV with the columns country, name, age: two letters, the authority, its public key of age." required:"" type:"existingfile" placeholder:"FILE"`
	Handling   string `help:"Handling code: H0 or H1 go to another authority." default:"H1" placeholder:"CODE"`
	Evaluation string `help:"Source and information code, A1 to X4. A2: the server's own log, not known personally to the officer." default:"A2" placeholder:"CODE"`
	Out        string `name:"out" short:"o" help:"The directory to make." required:"" placeholder:"DIR"`
}

// splitRow is what became of one country.
type splitRow struct {
	country, accesses, visitors, file, digest, note string
}

// Run makes the packages.
func (c *leadSplitCmd) Run(e *env) error {
	r, err := readReport(c.Report)
	if err != nil {
		return err
	}
	recipients, err := readRecipients(c.Recipients)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Recipients, err)
	}
	key, err := vault.ReadKey(c.Key)
	if err != nil {
		return err
	}
	p, custody, err := c.base(r)
	if err != nil {
		return err
	}
	var rows []splitRow
	files := map[string][]byte{}
	counts := lead.Suppress(lead.Countries(r))
	for _, country := range slices.Sorted(maps.Keys(counts)) {
		n := counts[country]
		row := splitRow{country: country, accesses: n.Accesses.WithBots.String(), visitors: rangeText(n.IP)}
		to, known := recipients[country]
		switch {
		case n.Accesses.WithBots.State == lead.Withheld:
			row.note = "none: fewer than 5, or withheld so that such a number cannot be reckoned"
		case !known:
			row.note = "none: no recipient known"
		default:
			p.ID, p.Country, p.To, p.Counts = packageID(), country, to.name, n
			if row.file, row.digest, files[country], err = sealedLead(p, key, to.key, custody); err != nil {
				return fmt.Errorf("%s: %w", country, err)
			}
		}
		rows = append(rows, row)
	}
	if err := c.write(rows, files); err != nil {
		return err
	}
	return saySplit(e.stdout, rows)
}

// base is what all packages of a report have in common.
func (c *leadSplitCmd) base(r *accesslog.Report) (p lead.Package, custody lead.Custody, err error) {
	m, digest, err := vault.ReadManifest(c.Exhibit)
	if err != nil {
		return p, custody, err
	}
	log, err := os.ReadFile(filepath.Join(c.Exhibit, "custody.jsonl"))
	if err != nil {
		return p, custody, err
	}
	beside, err := os.ReadFile(filepath.Join(c.Exhibit, "custody-head.json"))
	if err != nil {
		return p, custody, err
	}
	v := vault.CheckCustody(log, beside, digest, nil)
	if !v.Whole() {
		return p, custody, fmt.Errorf("%s: the custody log is not whole (%s): evidence verify says more; nothing leaves on it", c.Exhibit, v.Faults[0].Note)
	}
	if c.Custody {
		custody = lead.Custody{Log: log, Head: beside}
	}
	if m.Case != c.Case {
		return p, custody, &exitError{exitUsage, fmt.Errorf("%s belongs to case %s, not to %s", c.Exhibit, m.Case, c.Case)}
	}
	p = lead.Package{Case: c.Case, From: c.From, Made: time.Now(), Handling: concert.Handling(c.Handling), Evaluation: c.Evaluation, Exhibit: lead.Exhibit{ID: filepath.Base(filepath.Clean(c.Exhibit)), ManifestSHA256: digest, CustodyHead: v.Head.String()},
		Definitions: map[string]string{"bots": fmt.Sprintf("told by bot rule %s, %d tokens in the User-Agent", r.BotRule.Version, r.BotRule.Tokens)}}
	if r.Geo != nil {
		p.Geo = &lead.Geo{Build: r.Geo.Build, SHA256: r.Geo.SHA256}
	}
	if len(r.First) >= 10 && len(r.Last) >= 10 {
		p.Period = &lead.Period{First: r.First[:10], Last: r.Last[:10]}
	}
	return p, custody, nil
}

// sealedLead makes one package. No person stands in it, so that its key maps nothing
// back and is not kept.
func sealedLead(p lead.Package, key *vault.Key, to age.Recipient, custody lead.Custody) (name, digest string, sealed []byte, err error) {
	b, err := lead.Make(p, lead.NewKey(), key, custody)
	if err != nil {
		return "", "", nil, err
	}
	l, err := b.Lead()
	if err != nil {
		return "", "", nil, err
	}
	var out bytes.Buffer
	if err := b.Encrypt(&out, to); err != nil {
		return "", "", nil, err
	}
	return l.Name(), b.Digest(), out.Bytes(), nil
}

// write puts the packages into a new directory, and last a list of them for the
// receipts that come back.
func (c *leadSplitCmd) write(rows []splitRow, files map[string][]byte) error {
	if err := os.Mkdir(c.Out, 0o700); err != nil {
		return fmt.Errorf("packages go into a new directory: %w", err)
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	lines := [][]string{{"country", "file", "sha256", "note"}}
	for _, r := range rows {
		if r.file != "" {
			if err := durable.CreateExclusive(filepath.Join(c.Out, r.file), files[r.country], 0o600); err != nil {
				return err
			}
		}
		lines = append(lines, []string{r.country, r.file, r.digest, r.note})
	}
	if err := w.WriteAll(lines); err != nil {
		return err
	}
	return durable.CreateExclusive(filepath.Join(c.Out, "leads.csv"), b.Bytes(), 0o600)
}

func saySplit(to io.Writer, rows []splitRow) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "COUNTRY\tACCESSES\tVISITORS\tPACKAGE")
	made := 0
	for _, r := range rows {
		what := r.note
		if r.file != "" {
			what, made = r.file, made+1
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", r.country, r.accesses, r.visitors, what)
	}
	fmt.Fprintf(w, "\n%d packages for %d countries. leads.csv names each with its SHA-256, for lead check-receipt -digest.\n", made, len(rows))
	return w.Flush()
}

// rangeText is a number of visitors as it may be said.
func rangeText(r lead.Range) string {
	switch {
	case r.WithBots.State != lead.Counted || r.WithBots == r.WithoutBots:
		return r.WithBots.String()
	case r.WithoutBots.State != lead.Counted:
		return r.WithBots.String() + " with bots"
	}
	return fmt.Sprintf("%d to %d", r.WithoutBots.N, r.WithBots.N)
}

func packageID() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// readReport reads what accesslog report -json wrote.
func readReport(path string) (*accesslog.Report, error) {
	raw, err := readList(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var r accesslog.Report
	if err := json.Unmarshal(raw, &r); err != nil || r.Version != 1 || r.Countries == nil {
		return nil, fmt.Errorf("%s is no report of version 1: concert accesslog report -json -geo DATABASE writes one", path)
	}
	if r.Suppressed != nil {
		return nil, fmt.Errorf("%s is a released report, which lacks what has to be weighed: give the case's own, without -release", path)
	}
	if len(r.Countries) == 0 || len(r.Countries) == 1 && r.Countries["unknown"].Accesses > 0 {
		return nil, fmt.Errorf("%s knows no country: make it with -geo DATABASE (concert accesslog geo fetches one)", path)
	}
	return &r, nil
}

// recipient is who receives what concerns a country.
type recipient struct {
	name string
	key  age.Recipient
}

func readRecipients(path string) (map[string]recipient, error) {
	raw, err := readList(path)
	if err != nil {
		return nil, err
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))))
	r.FieldsPerRecord = 3
	r.TrimLeadingSpace = true
	head, err := r.Read()
	if err != nil || !slices.Equal(head, []string{"country", "name", "age"}) {
		return nil, errors.New("its first line must be country,name,age")
	}
	out := map[string]recipient{}
	for {
		row, err := r.Read()
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		line, _ := r.FieldPos(0)
		country, name := strings.TrimSpace(row[0]), strings.TrimSpace(row[1])
		if _, twice := out[country]; twice {
			return nil, fmt.Errorf("line %d: %s has a recipient already", line, country)
		}
		key, err := lead.Recipient(strings.TrimSpace(row[2]))
		if err != nil || len(country) != 2 || country != strings.ToUpper(country) || name == "" {
			return nil, fmt.Errorf("line %d: it needs a country in two capital letters, a name and a public key of age (age1…)", line)
		}
		out[country] = recipient{name, key}
	}
}
