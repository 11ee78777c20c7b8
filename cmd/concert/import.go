package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"

	"concert/api"
	"concert/internal/formats"
)

type importCmd struct {
	Server string `help:"Address of the server." default:"http://127.0.0.1:8080" placeholder:"URL"`
	Key    string `help:"API key of an officer." required:"" placeholder:"csk_…"`
	Format string `help:"Format of the file." enum:"csv" default:"csv"`
	JSON   bool   `help:"Print the report as one object." name:"json"`
	File   string `arg:"" help:"File to read."`
}

// imported is the report of an import.
type imported struct {
	Created   int                `json:"created"`
	Stopped   int                `json:"stopped"`
	Duplicate int                `json:"duplicate"`
	Known     int                `json:"known"`
	Bad       []formats.RowError `json:"bad"`
}

// Run hands in a file's items in batches; a bad row is reported with its line
// and the rest goes in; the same file twice adds nothing.
func (c *importCmd) Run(ctx context.Context, e *env) error {
	f, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer f.Close()
	client := &api.Client{Base: c.Server, Key: c.Key}
	rep := imported{Bad: []formats.RowError{}}
	// A repeated request gets its first answer; a repeated import gets a new
	// one, which says that all is known.
	run := rand.Text()
	var rows []formats.ItemRow
	send := func() error {
		if len(rows) == 0 {
			return nil
		}
		in := api.NewItems{}
		for _, r := range rows {
			in.Items = append(in.Items, api.NewItem(r.Item))
		}
		body, err := json.Marshal(in)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		out, err := client.SubmitItems(ctx, api.Call{IdempotencyKey: "import-" + run + "-" + hex.EncodeToString(sum[:])}, in)
		if err != nil {
			return fmt.Errorf("lines %d to %d: %w", rows[0].Line, rows[len(rows)-1].Line, err)
		}
		for _, r := range out.Results {
			rep.count(r, rows[r.Index].Line)
		}
		rows = rows[:0]
		return nil
	}
	err = formats.ReadItemCSV(f, func(r formats.ItemRow) error {
		rows = append(rows, r)
		if len(rows) == api.BatchLimit {
			return send()
		}
		return nil
	}, func(b formats.RowError) error {
		rep.Bad = append(rep.Bad, b)
		return nil
	})
	if err == nil {
		err = send()
	}
	return rep.print(e, c.JSON, err)
}

func (r *imported) count(res api.Result, line int) {
	switch {
	case res.Problem != nil:
		r.Bad = append(r.Bad, formats.RowError{Line: line, Reason: res.Problem.Detail})
	case res.Outcome == api.OutcomeCreated:
		r.Created++
	case res.Outcome == api.OutcomeStopped:
		r.Stopped++
	case res.Outcome == api.OutcomeDuplicate:
		r.Duplicate++
	default:
		r.Known++
	}
}

func (r *imported) print(e *env, asJSON bool, failed error) error {
	if asJSON {
		if err := json.NewEncoder(e.stdout).Encode(r); err != nil {
			return err
		}
	} else {
		for _, b := range r.Bad {
			fmt.Fprintln(e.stderr, b.Error())
		}
		fmt.Fprintf(e.stdout, "new %d, stopped by the guard %d, found by others before %d, known already %d, bad rows %d\n", r.Created, r.Stopped, r.Duplicate, r.Known, len(r.Bad))
	}
	if failed != nil {
		return failed
	}
	if len(r.Bad) > 0 {
		return &exitError{code: exitFailed}
	}
	return nil
}
