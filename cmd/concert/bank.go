package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"

	"concert"
	"concert/api"
	"concert/internal/durable"
	"concert/internal/formats"
)

type bankCmd struct {
	List    bankListCmd    `cmd:"" help:"List the banks that you may know of."`
	Open    bankOpenCmd    `cmd:"" help:"Open a bank (reviewer)."`
	Import  bankImportCmd  `cmd:"" help:"Fill a bank from a list: pytx's lines, CSV, NDJSON, ThreatExchange, Tech Against Terrorism, STIX or MISP."`
	Export  bankExportCmd  `cmd:"" help:"Write a bank to a file, in any of these forms."`
	Entries bankEntriesCmd `cmd:"" help:"List a bank's entries, the newest first."`
}

// bankServer is a server with the key to ask it by; what an auditor reads is recorded
// with its reason.
type bankServer struct {
	Server        string `help:"Address of the server." default:"http://127.0.0.1:8080" placeholder:"URL"`
	Key           string `help:"API key." required:"" placeholder:"csk_…"`
	Justification string `help:"Why you read this, for auditors: it is recorded." placeholder:"TEXT"`
}

func (b bankServer) client() *api.Client {
	return &api.Client{Base: strings.TrimRight(b.Server, "/"), Key: b.Key, Justification: b.Justification}
}

type bankListCmd struct {
	bankServer
	JSON bool `help:"Print one object a line." name:"json"`
}

// Run lists banks.
func (c *bankListCmd) Run(ctx context.Context, e *env) error {
	list, err := c.client().Banks(ctx)
	if err != nil {
		return err
	}
	for _, b := range list.Items {
		if c.JSON {
			err = json.NewEncoder(e.stdout).Encode(b)
		} else {
			state := ""
			if b.ClosedAt != "" {
				state = ", closed"
			}
			_, err = fmt.Fprintf(e.stdout, "%s  %s  of %s, %d entries match, %d in quarantine, %d ended, radius %d%s\n", b.ID, b.Name, b.OwnerName, b.Matching, b.Quarantined, b.Ended, *b.Radius, state)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

type bankOpenCmd struct {
	bankServer
	Purpose    string   `help:"What it is for; its entries may be used for nothing else." required:"" placeholder:"TEXT"`
	LegalBasis string   `help:"The law or agreement under which it is kept." required:"" placeholder:"TEXT"`
	Source     string   `help:"The exchange that it is a copy of." placeholder:"NAME"`
	Radius     int      `help:"How many of 256 bits may differ, 0 to 64." default:"31"`
	Handling   string   `help:"Handling code, H0 to H3; H0 and H1 may be opened to others." default:"H2"`
	OpenTo     []string `help:"Who may ask it besides its owner: tenant, provider." placeholder:"WHO"`
	Negative   bool     `help:"What is near an entry of it matches nothing at all."`
	Name       string   `arg:"" help:"Its name: capital letters, digits and underscores."`
}

// Run opens a bank.
func (c *bankOpenCmd) Run(ctx context.Context, e *env) error {
	b, err := c.client().OpenBank(ctx, api.Call{}, api.NewBank{Name: c.Name, Source: c.Source,
		BankSettings: api.BankSettings{Purpose: c.Purpose, LegalBasis: c.LegalBasis, Radius: &c.Radius, Handling: c.Handling, OpenTo: c.OpenTo, Negative: c.Negative}})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, "%s  %s\n", b.ID, b.Name)
	return err
}

type bankImportCmd struct {
	bankServer
	Format string `help:"Form of the list: ${enum}; auto tells it by the beginning." enum:"auto,lines,csv,ndjson,threatexchange,tat,stix,misp" default:"auto"`
	JSON   bool   `help:"Print the report as one object." name:"json"`
	Bank   string `arg:"" help:"The bank's reference, BK-…"`
	File   string `arg:"" help:"The list; - for standard input."`
}

// Run sends the list; what was wrong is said by line, and the rest goes in.
func (c *bankImportCmd) Run(ctx context.Context, e *env) error {
	in := e.stdin
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	got, err := c.client().ImportBank(ctx, c.Bank, strings.TrimPrefix(c.Format, "auto"), in)
	if err != nil {
		return err
	}
	if c.JSON {
		err = json.NewEncoder(e.stdout).Encode(got)
	} else {
		for _, f := range got.Faults {
			where := fmt.Sprintf("line %d", f.Line)
			if f.Line == 0 {
				where = strings.TrimSpace(fmt.Sprintf("entry %d %s", f.Entry, f.SourceID))
			}
			fmt.Fprintf(e.stderr, "%s: %s\n", where, f.Reason)
		}
		_, err = fmt.Fprintf(e.stdout, "%s: added %d, known already %d, recalled %d, refused %d\n", got.Format, got.Added, got.Known, got.Recalled, got.Refused)
	}
	if err == nil && got.Refused > 0 {
		err = &exitError{code: exitFailed}
	}
	return err
}

type bankExportCmd struct {
	bankServer
	Format string `help:"Form: ${enum}." enum:"lines,csv,ndjson,threatexchange,tat,stix,misp" default:"ndjson"`
	Bank   string `arg:"" help:"The bank's reference, BK-…"`
	File   string `arg:"" help:"File to write, which must not exist yet; - for standard output." default:"-"`
}

// Run reads the bank's feed to its end and writes it as one file.
func (c *bankExportCmd) Run(ctx context.Context, e *env) error {
	client := c.client()
	b, err := client.Bank(ctx, c.Bank)
	if err != nil {
		return err
	}
	bank := concert.Bank{Ref: b.ID, Authority: concert.AuthorityID(b.OwnerName), Name: b.Name, Purpose: b.Purpose, LegalBasis: b.LegalBasis, Source: b.Source, Handling: concert.Handling(b.Handling)}
	write := func(w io.Writer) error {
		return formats.WriteBank(formats.BankFormat(c.Format), w, bank, fed(ctx, client, b.ID))
	}
	if c.File == "-" {
		return write(e.stdout)
	}
	f, err := durable.NewPending(c.File, 0o600)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		return errors.Join(err, f.Drop())
	}
	return f.Create()
}

// fed are the entries of a bank's feed, page after page.
func fed(ctx context.Context, client *api.Client, bank string) iter.Seq2[formats.SharedEntry, error] {
	return func(yield func(formats.SharedEntry, error) bool) {
		stop := errors.New("enough")
		for after, more := "", true; more; {
			var page bytes.Buffer
			var err error
			if after, more, err = client.BankFeed(ctx, bank, after, string(formats.BankNDJSON), 0, &page); err == nil {
				var faults []formats.HashFault
				faults, err = formats.ReadBank(formats.BankNDJSON, &page, func(x formats.SharedEntry) error {
					x.Ref = x.SourceID
					if !yield(x, nil) {
						return stop
					}
					return nil
				})
				if err == nil && len(faults) > 0 {
					err = fmt.Errorf("the feed of bank %s cannot be read at line %d of a page: %s", bank, faults[0].Line, faults[0].Why)
				}
			}
			if errors.Is(err, stop) {
				return
			}
			if err != nil {
				yield(formats.SharedEntry{}, err)
				return
			}
		}
	}
}

type bankEntriesCmd struct {
	bankServer
	Quarantined bool   `help:"Only those that matched too much and wait for a person."`
	Ended       bool   `help:"Those that ended, too."`
	JSON        bool   `help:"Print one object a line." name:"json"`
	Most        int    `help:"How many at most." default:"1000"`
	Bank        string `arg:"" help:"The bank's reference, BK-…"`
}

// Run lists entries.
func (c *bankEntriesCmd) Run(ctx context.Context, e *env) error {
	q := api.EntryQuery{Quarantined: c.Quarantined, Ended: c.Ended}
	for left := c.Most; left > 0; {
		q.Limit = min(left, 500)
		page, err := c.client().BankEntries(ctx, c.Bank, q)
		if err != nil {
			return err
		}
		for _, x := range page.Items {
			if c.JSON {
				err = json.NewEncoder(e.stdout).Encode(x)
			} else {
				_, err = fmt.Fprintln(e.stdout, entryLine(x))
			}
			if err != nil {
				return err
			}
		}
		if left -= len(page.Items); page.Next == "" {
			return nil
		}
		q.Cursor = page.Next
	}
	return nil
}

func entryLine(x api.BankEntry) string {
	state := x.Opinion
	switch {
	case x.End != "":
		state = x.End
	case x.QuarantinedAt != "":
		state = "quarantined"
	}
	var hashes []string
	for _, h := range x.Hashes {
		text := h.Value
		if len(h.Frames) > 0 {
			text = fmt.Sprintf("%d frames", len(h.Frames))
		}
		hashes = append(hashes, h.Kind+" "+text)
	}
	return strings.TrimSpace(fmt.Sprintf("%s  %s  %s  %s", x.ID, state, strings.Join(hashes, ", "), x.Name))
}
