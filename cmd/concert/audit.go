package main

import (
	"bufio"
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

type auditCmd struct {
	Report auditReportCmd `cmd:"" help:"Write the audit report (accesses, draws with their rates, times in states) from the data directory or an export."`
	Verify auditVerifyCmd `cmd:"" help:"Make an audit report anew from an exported event log, draw every draw again, and name the first number that differs."`
}

type auditReportCmd struct {
	place
	trusting
	In     string `help:"An exported file instead of the data directory." placeholder:"FILE"`
	Format string `help:"csv or html." enum:"csv,html" default:"csv"`
	Out    string `help:"File to write; standard output when left out." short:"o" name:"o" placeholder:"FILE"`
}

// Run writes the report.
func (c *auditReportCmd) Run(ctx context.Context, e *env) error {
	var r concert.AuditReport
	var err error
	if c.In != "" {
		r, err = c.fromExport(e)
	} else {
		err = c.withService(ctx, e, func(s *casework.Service) (err error) {
			r, err = s.AuditReportHere(ctx)
			return err
		})
	}
	if err != nil {
		return err
	}
	data, err := casework.AuditReportFile(r, c.Format)
	if err != nil {
		return err
	}
	if c.Out == "" {
		_, err = e.stdout.Write(data)
		return err
	}
	x := exportCmd{File: c.Out}
	return x.write(e, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

func (c *auditReportCmd) fromExport(e *env) (concert.AuditReport, error) {
	f, err := os.Open(c.In)
	if err != nil {
		return concert.AuditReport{}, err
	}
	defer f.Close()
	r, v, err := formats.RecountAudit(bufio.NewReaderSize(f, 1<<20), c.LogKey, c.Witness, 0)
	if err == nil && !v.Verified {
		err = fmt.Errorf("%s is not verified, and nothing is counted from it: %s", c.In, v.Problem)
	}
	if err == nil && v.SelfAttested {
		fmt.Fprintln(e.stderr, "SELF-ATTESTED: no outside witness has cosigned the log's head")
	}
	return r, err
}

type auditVerifyCmd struct {
	trusting
	Report string `help:"The audit report as CSV." placeholder:"CSV" type:"existingfile"`
	Export string `arg:"" help:"The exported event log: concert export FILE."`
}

// Run verifies the log first, then every draw and every number. It exits 0 when all
// agree, and 1 with the first that differs.
func (c *auditVerifyCmd) Run(_ context.Context, e *env) error {
	if c.Report == "" {
		return &exitError{exitUsage, errors.New("name the report: -report audit.csv")}
	}
	f, err := os.Open(c.Report)
	if err != nil {
		return err
	}
	defer f.Close()
	file, err := formats.ReadAuditReport(bufio.NewReader(f))
	if err != nil {
		return fmt.Errorf("%s: %w", c.Report, err)
	}
	export, err := os.Open(c.Export)
	if err != nil {
		return err
	}
	defer export.Close()
	r, v, err := formats.RecountAudit(bufio.NewReaderSize(export, 1<<20), c.LogKey, c.Witness, file.Size)
	if err != nil {
		return err
	}
	if !v.Verified {
		fmt.Fprintf(e.stdout, "NOT VERIFIED: %s: %s\n", c.Export, v.Problem)
		return &exitError{code: exitFailed}
	}
	if diff := file.Compare(r); diff != nil {
		fmt.Fprintf(e.stdout, "DIFFERS: %s, %s\n", c.Report, diff)
		return &exitError{code: exitFailed}
	}
	fmt.Fprintf(e.stdout, "RECOUNTED: %s, %d rows as of %s, from the first %d of the %d events of %s\n", c.Report, file.Rows(), r.AsOf.Format(time.RFC3339), r.Size, v.Size, v.Origin)
	if v.SelfAttested {
		fmt.Fprintln(e.stdout, "SELF-ATTESTED: no outside witness has cosigned the log's head")
	}
	return nil
}
