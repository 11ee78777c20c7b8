package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"concert"
	"concert/api"
	"concert/internal/casework"
	"concert/internal/formats"
)

type exportCmd struct {
	place
	Server string `help:"Address of a running node, for an auditor without access to its machine." placeholder:"URL"`
	Key    string `help:"API key of the auditor, with -server." placeholder:"csk_…"`
	Why    string `help:"What the export is for, with -server: recorded before the first byte comes." placeholder:"TEXT"`
	File   string `arg:"" help:"File to write; - for standard output." default:"-"`
}

// Run writes the export bundle: of the data directory, or of a running node.
func (c *exportCmd) Run(ctx context.Context, e *env) error {
	if c.Server != "" {
		if c.Key == "" || c.Why == "" {
			return &exitError{exitUsage, errors.New("an export from a server needs -key and -why")}
		}
		client := &api.Client{Base: strings.TrimRight(c.Server, "/"), Key: c.Key, Justification: c.Why}
		return c.write(e, func(w io.Writer) error { return client.Export(ctx, w) })
	}
	return c.withService(ctx, e, func(s *casework.Service) error {
		return c.write(e, func(w io.Writer) error { return s.Export(ctx, w) })
	})
}

// write lets export write the file; what it began and did not end is taken away.
func (c *exportCmd) write(e *env, export func(io.Writer) error) error {
	if c.File == "-" {
		return export(e.stdout)
	}
	f, err := os.OpenFile(c.File, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("%w: an export overwrites nothing, name another file", err)
	}
	if err = export(f); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(c.File))
	}
	return nil
}

type verifyCmd struct {
	place
	Target  string   `arg:"" optional:"" help:"An exported file, a proof of erasure, or the address of a running node; the data directory when left out."`
	LogKey  string   `help:"The log's key that you trust (from another channel than the file)." placeholder:"KEY"`
	Witness []string `help:"Keys of witnesses that you trust." placeholder:"KEY"`
	JSON    bool     `help:"Print the verdict as one object, with the recounted numbers." name:"json"`
}

// Run verifies and exits 0, or 3 while nobody but the log itself vouches for
// it, or 1 with the first event that is changed or missing.
func (c *verifyCmd) Run(ctx context.Context, e *env) error {
	v, err := c.verify(ctx, e)
	if err != nil {
		return err
	}
	if c.JSON {
		out := struct {
			formats.Verification
			Counts map[concert.ActionID]concert.Counts `json:"counts"`
		}{v, map[concert.ActionID]concert.Counts{}}
		for k := range v.Counts {
			if out.Counts[k.Action] == nil {
				out.Counts[k.Action] = v.Counts.Totals(k.Action)
			}
		}
		if err := json.NewEncoder(e.stdout).Encode(out); err != nil {
			return err
		}
	} else {
		printVerdict(e.stdout, v)
	}
	switch {
	case !v.Verified:
		return &exitError{code: exitFailed}
	case v.SelfAttested:
		return &exitError{code: exitSelfAttested}
	}
	return nil
}

func printVerdict(w io.Writer, v formats.Verification) {
	if !v.Verified {
		fmt.Fprintf(w, "NOT VERIFIED: %s\n", v.Problem)
		return
	}
	switch {
	case v.Erasure != nil:
		fmt.Fprintf(w, "VERIFIED: item %s was erased (%s) with %d events of its history, at index %d of the %d events of %s, root %s\n", v.Erasure.Item, v.Erasure.Code, v.Erased, v.Erasure.Index, v.Size, v.Origin, v.Root)
	default:
		fmt.Fprintf(w, "VERIFIED: %d events of %s, root %s\n", v.Size, v.Origin, v.Root)
	}
	if v.Erased > 0 && v.Erasure == nil {
		fmt.Fprintf(w, "%d events are erased: their commitments stand, their contents are gone\n", v.Erased)
	}
	if v.SelfAttested {
		fmt.Fprintln(w, "SELF-ATTESTED: no outside witness has cosigned this head, so it shows only that the log agrees with itself")
	} else {
		fmt.Fprintf(w, "cosigned by %s\n", strings.Join(v.Witnesses, ", "))
	}
}

func (c *verifyCmd) verify(ctx context.Context, e *env) (formats.Verification, error) {
	switch {
	case c.Target == "":
		var v formats.Verification
		err := c.withService(ctx, e, func(s *casework.Service) error {
			var err error
			v, err = s.VerifyLog(ctx, c.Witness)
			return err
		})
		return v, err
	case strings.HasPrefix(c.Target, "http://") || strings.HasPrefix(c.Target, "https://"):
		return c.verifyNode(ctx)
	}
	f, err := os.Open(c.Target)
	if err != nil {
		return formats.Verification{}, err
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, formats.MaxErasureProof)
	// A file shorter than this is told by what there is of it.
	start, _ := r.Peek(formats.MaxErasureProof)
	if formats.FormatOf(start) == concert.ErasureProofFormat {
		return formats.VerifyErasure(r, c.LogKey, c.Witness)
	}
	return formats.VerifyBundle(r, c.LogKey, c.Witness)
}
