package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/formats"
)

type reportCmd struct {
	Write  reportWriteCmd  `cmd:"" help:"Write a yearly report (Regulation (EU) 2021/784 Art. 7, 8 or 21) from the data directory or an export."`
	Verify reportVerifyCmd `cmd:"" help:"Recount every published number from an exported event log, and name the first that differs."`
}

// trusting is whose signature a reader of an export takes.
type trusting struct {
	LogKey  string   `help:"The log's key that you trust (from another channel than the file)." placeholder:"KEY"`
	Witness []string `help:"Keys of witnesses that you trust." placeholder:"KEY"`
}

type reportWriteCmd struct {
	place
	trusting
	In        string `help:"An exported file instead of the data directory." placeholder:"FILE"`
	AsOf      string `help:"With -in: the check date; what the export's own time gives when left out." placeholder:"TIME"`
	Article   int    `help:"7: of a provider. 8: of an authority. 21: of a Member State." required:""`
	Authority string `help:"Reference of the authority, for Article 8." placeholder:"REF"`
	Provider  string `help:"Reference of the provider, for Article 7." placeholder:"REF"`
	State     string `help:"The Member State's two letters, for Article 21." placeholder:"CC"`
	Year      int    `help:"The year." required:""`
	Format    string `help:"pdf, html or csv." enum:"pdf,html,csv" default:"pdf"`
	Name      string `help:"What the subject is called, in pdf and html; with -in, since an export has no names." placeholder:"TEXT"`
	Out       string `help:"File to write; standard output when left out." short:"o" name:"o" placeholder:"FILE"`
}

// subject is what the report is about: exactly the flag of its article.
func (c *reportWriteCmd) subject() (string, error) {
	given := map[int]string{7: c.Provider, 8: c.Authority, 21: c.State}
	n := 0
	for _, v := range given {
		if v != "" {
			n++
		}
	}
	if given[c.Article] == "" || n != 1 {
		return "", &exitError{exitUsage, errors.New("name one subject, as its article has it: -article 7 -provider REF, -article 8 -authority REF, or -article 21 -state CC")}
	}
	return given[c.Article], nil
}

// Run writes the report.
func (c *reportWriteCmd) Run(ctx context.Context, e *env) error {
	subject, err := c.subject()
	if err != nil {
		return err
	}
	edition, name := concert.PublicEdition{}, c.Name
	if c.In != "" {
		edition, err = c.fromExport(e)
	} else {
		err = c.withService(ctx, e, func(s *casework.Service) error {
			p, err := s.Public(ctx)
			if err != nil {
				return err
			}
			edition = p.PublicEdition
			g, err := s.Registers(ctx)
			if name == "" && err == nil {
				name = g.PublicName(subject)
			}
			return err
		})
	}
	if err != nil {
		return err
	}
	r, err := edition.Report(c.Article, subject, c.Year)
	if err != nil {
		return err
	}
	data, err := casework.PublicReportFile(r, name, c.Format)
	if err != nil {
		return err
	}
	if c.Out == "" {
		_, err = e.stdout.Write(data)
		return err
	}
	x := exportCmd{File: c.Out}
	return x.write(e, func(w io.Writer) error {
		_, err := io.Copy(w, bytes.NewReader(data))
		return err
	})
}

func (c *reportWriteCmd) fromExport(e *env) (concert.PublicEdition, error) {
	var none concert.PublicEdition
	f, err := os.Open(c.In)
	if err != nil {
		return none, err
	}
	defer f.Close()
	rules, err := (&casework.Service{}).PublicRules()
	if err != nil {
		return none, err
	}
	asOf, err := c.checkDate(f, rules)
	if err != nil {
		return none, err
	}
	edition, v, err := formats.RecountBundle(bufio.NewReaderSize(f, 1<<20), c.LogKey, c.Witness, rules, asOf)
	if err == nil && !v.Verified {
		err = fmt.Errorf("%s is not verified, and nothing is counted from it: %s", c.In, v.Problem)
	}
	if err == nil && v.SelfAttested {
		fmt.Fprintln(e.stderr, "SELF-ATTESTED: no outside witness has cosigned the log's head")
	}
	return edition, err
}

// checkDate is as of when the report speaks, and leaves the file at its beginning.
func (c *reportWriteCmd) checkDate(f *os.File, rules concert.PublicRules) (time.Time, error) {
	if c.AsOf != "" {
		at, err := time.Parse(time.RFC3339, c.AsOf)
		if err != nil {
			return at, &exitError{exitUsage, fmt.Errorf("-as-of %q is no time: write it like 2026-03-01T00:00:00Z", c.AsOf)}
		}
		return at.UTC(), nil
	}
	at, err := formats.BundleTime(f)
	if err != nil {
		return at, err
	}
	_, err = f.Seek(0, io.SeekStart)
	return rules.Cutoff(at), err
}

type reportVerifyCmd struct {
	trusting
	Register []string `help:"A file of the public register: register.csv, errors.csv or figures.csv." placeholder:"CSV" type:"existingfile"`
	Report   []string `help:"A report as CSV." placeholder:"CSV" type:"existingfile"`
	Export   string   `arg:"" help:"The exported event log: concert export FILE."`
}

// Run verifies the log first, then every number. It exits 0 when all agree, and 1 with
// the first that differs.
func (c *reportVerifyCmd) Run(_ context.Context, e *env) error {
	files := append(append([]string{}, c.Register...), c.Report...)
	if len(files) == 0 {
		return &exitError{exitUsage, errors.New("name what was published: -register register.csv, errors.csv or figures.csv, or -report report.csv")}
	}
	rules, err := (&casework.Service{}).PublicRules()
	if err != nil {
		return err
	}
	for _, name := range files {
		if err := c.verify(e, name, rules); err != nil {
			return err
		}
	}
	return nil
}

func (c *reportVerifyCmd) verify(e *env, name string, rules concert.PublicRules) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	p, err := formats.ReadPublished(bufio.NewReader(f))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	export, err := os.Open(c.Export)
	if err != nil {
		return err
	}
	defer export.Close()
	edition, v, err := formats.RecountBundle(bufio.NewReaderSize(export, 1<<20), c.LogKey, c.Witness, rules, p.AsOf)
	if err != nil {
		return err
	}
	if !v.Verified {
		fmt.Fprintf(e.stdout, "NOT VERIFIED: %s: %s\n", c.Export, v.Problem)
		return &exitError{code: exitFailed}
	}
	diff, err := p.Compare(edition)
	if err != nil {
		return err
	}
	if diff != nil {
		fmt.Fprintf(e.stdout, "DIFFERS: %s, %s\n", name, diff)
		return &exitError{code: exitFailed}
	}
	fmt.Fprintf(e.stdout, "RECOUNTED: %s, %d rows as of %s, from the first %d of the %d events of %s\n", name, p.Rows(), p.AsOf.Format(time.RFC3339), edition.Size, v.Size, v.Origin)
	if v.SelfAttested {
		fmt.Fprintln(e.stdout, "SELF-ATTESTED: no outside witness has cosigned the log's head")
	}
	return nil
}
