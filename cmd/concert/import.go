package main

import (
	"bufio"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"concert"
	"concert/api"
	"concert/internal/formats"
)

const (
	// maxListed bounds the bad rows that a report lists; the others are counted.
	maxListed = 10_000
	// unassessed is the evaluation of what comes in another's list: neither its
	// source nor its information can be assessed by the one who imports it.
	unassessed = "X4"
)

type importCmd struct {
	Server     string `help:"Address of the server." default:"http://127.0.0.1:8080" placeholder:"URL"`
	Key        string `help:"API key of an officer." required:"" placeholder:"csk_…"`
	Format     string `help:"Format of the file: ${enum}." enum:"auto,csv,tcap,xarf,misp,stix" default:"auto"`
	Evaluation string `help:"Source and information code of rows that give none. When left out: A1 (seen by the officer) in Concert's own CSV, X4 in others' lists." placeholder:"CODE"`
	JSON       bool   `help:"Print the report as one object." name:"json"`
	File       string `arg:"" help:"File to read."`
}

// imported is the report of an import.
type imported struct {
	Created   int                `json:"created"`
	Stopped   int                `json:"stopped"`
	Duplicate int                `json:"duplicate"`
	Known     int                `json:"known"`
	Bad       []formats.RowError `json:"bad"`
	BadMore   int                `json:"bad_not_listed,omitempty"`
	Notes     []string           `json:"notes,omitempty"`
}

// importing is an import while it runs.
type importing struct {
	client api.Client
	run    string
	eval   string // of rows that give none, "" to leave it to the server
	rows   []formats.ItemRow
	report imported
}

// Run hands in a file's items in batches; a bad row is reported with its line
// and the rest goes in; the same file twice adds nothing.
func (c *importCmd) Run(ctx context.Context, e *env) error {
	if c.Evaluation != "" && !slices.Contains(concert.EvaluationCodes, c.Evaluation) {
		return &exitError{code: exitUsage, err: fmt.Errorf("%q is no evaluation code: a source A, B, C or X and an information 1 to 4", c.Evaluation)}
	}
	f, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, 64<<10)
	format := formats.ItemFormat(c.Format)
	if c.Format == "auto" {
		head, err := in.Peek(64 << 10)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if format, err = formats.DetectItems(head); err != nil {
			return err
		}
	}
	im := &importing{
		client: api.Client{Base: c.Server, Key: c.Key},
		// A repeated request gets its first answer; a repeated import gets a new
		// one, which says that all is known.
		run:    rand.Text(),
		eval:   c.Evaluation,
		report: imported{Bad: []formats.RowError{}},
	}
	if im.eval == "" && format != formats.FormatCSV {
		im.eval = unassessed
	}
	err = formats.ReadItems(format, in, func(r formats.ItemRow) error {
		im.rows = append(im.rows, r)
		if len(im.rows) == api.BatchLimit {
			return im.flush(ctx)
		}
		return nil
	}, im.bad)
	if err == nil {
		err = im.flush(ctx)
	}
	return im.report.print(e, c.JSON, err)
}

func (im *importing) flush(ctx context.Context) error {
	rows := im.rows
	im.rows = im.rows[:0]
	if len(rows) == 0 {
		return nil
	}
	return im.send(ctx, rows)
}

// send hands in rows. What the API refuses of a batch as a whole, since one
// row does not fit its description, is found by halves, so that one row costs
// only itself.
func (im *importing) send(ctx context.Context, rows []formats.ItemRow) error {
	in := api.NewItems{}
	for _, r := range rows {
		it := api.NewItem{Location: r.Item.Location, Type: r.Item.Type, Outlet: r.Item.Outlet, Action: r.Item.Action, Priority: r.Item.Priority, Evaluation: r.Item.Evaluation, SHA256: r.Item.SHA256, Handling: r.Item.Handling}
		it.Evaluation = cmp.Or(it.Evaluation, im.eval)
		in.Items = append(in.Items, it)
	}
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	out, err := im.client.SubmitItems(ctx, api.Call{IdempotencyKey: "import-" + im.run + "-" + hex.EncodeToString(sum[:])}, in)
	switch {
	case err != nil && refusesRow(err) && len(rows) > 1:
		half := len(rows) / 2
		if err := im.send(ctx, rows[:half]); err != nil {
			return err
		}
		return im.send(ctx, rows[half:])
	case err != nil && refusesRow(err):
		return im.bad(formats.RowError{Line: rows[0].Line, Reason: reasonOf(err)})
	case err != nil:
		return fmt.Errorf("lines %d to %d: %w", rows[0].Line, rows[len(rows)-1].Line, err)
	}
	for _, r := range out.Results {
		if r.Index < 0 || r.Index >= len(rows) {
			return fmt.Errorf("lines %d to %d: the server answers for row %d of %d", rows[0].Line, rows[len(rows)-1].Line, r.Index, len(rows))
		}
		if err := im.count(r, rows[r.Index].Line); err != nil {
			return err
		}
	}
	return nil
}

// refusesRow reports a refusal that is about what a row says.
func refusesRow(err error) bool {
	return api.IsCode(err, "request.invalid") || api.IsCode(err, "request.too_large") || api.IsCode(err, "request.malformed")
}

// reasonOf is what a refusal of one row says of its fields.
func reasonOf(err error) string {
	var p *api.Problem
	if !errors.As(err, &p) || len(p.Errors) == 0 {
		return err.Error()
	}
	var why []string
	for _, e := range p.Errors {
		field := e.Location[strings.LastIndexByte(e.Location, '.')+1:]
		why = append(why, strings.TrimPrefix(field+": "+e.Message, ": "))
	}
	return strings.Join(why, "; ")
}

// bad takes a row that did not go in, or a note.
func (im *importing) bad(b formats.RowError) error {
	r := &im.report
	switch {
	case b.Note:
		r.Notes = append(r.Notes, b.Error())
	case len(r.Bad) == maxListed:
		r.BadMore++
	default:
		r.Bad = append(r.Bad, b)
	}
	return nil
}

func (im *importing) count(res api.Result, line int) error {
	r := &im.report
	switch {
	case res.Problem != nil:
		return im.bad(formats.RowError{Line: line, Reason: res.Problem.Detail})
	case res.Outcome == api.OutcomeCreated:
		r.Created++
	case res.Outcome == api.OutcomeStopped:
		r.Stopped++
	case res.Outcome == api.OutcomeDuplicate:
		r.Duplicate++
	default:
		r.Known++
	}
	return nil
}

func (r *imported) print(e *env, asJSON bool, failed error) error {
	slices.SortStableFunc(r.Bad, func(a, b formats.RowError) int { return cmp.Compare(a.Line, b.Line) })
	if asJSON {
		if err := json.NewEncoder(e.stdout).Encode(r); err != nil {
			return err
		}
	} else {
		for _, b := range r.Bad {
			fmt.Fprintln(e.stderr, b.Error())
		}
		if r.BadMore > 0 {
			fmt.Fprintf(e.stderr, "and %d bad rows more\n", r.BadMore)
		}
		for _, n := range r.Notes {
			fmt.Fprintln(e.stderr, "note, "+n)
		}
		fmt.Fprintf(e.stdout, "new %d, stopped by the guard %d, found by others before %d, known already %d, bad rows %d\n", r.Created, r.Stopped, r.Duplicate, r.Known, len(r.Bad)+r.BadMore)
	}
	if failed != nil {
		return failed
	}
	if len(r.Bad) > 0 {
		return &exitError{code: exitFailed}
	}
	return nil
}
