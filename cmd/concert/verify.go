package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

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
	Target  string   `arg:"" optional:"" help:"An exported file, a proof of erasure or of one event, or the address of a running node; the data directory when left out."`
	File    string   `arg:"" optional:"" help:"The file, where the word before it says what it proves: event or erasure."`
	LogKey  string   `help:"The log's key that you trust (from another channel than the file)." placeholder:"KEY"`
	Witness []string `help:"Keys of witnesses that you trust." sep:"none" placeholder:"KEY"`
	JSON    bool     `help:"Print the verdict as one object, with the recounted numbers." name:"json"`

	Checkpoint []string `help:"A checkpoint that somebody kept, or a witness's history: a file or an address. The log must go on from it; where it does not, the sizes are named between which the histories part." sep:"none" placeholder:"FILE|URL"`
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
	case v.Event != nil:
		printEvent(w, v)
	default:
		fmt.Fprintf(w, "VERIFIED: %d events of %s, root %s\n", v.Size, v.Origin, v.Root)
	}
	if v.Erased > 0 && v.Erasure == nil {
		fmt.Fprintf(w, "%d events are erased: their commitments stand, their contents are gone\n", v.Erased)
	}
	if v.SelfAttested {
		fmt.Fprintln(w, "SELF-ATTESTED: no outside witness has cosigned this head, so it shows only that the log agrees with itself")
	}
	for _, c := range v.Cosigned {
		what := "this head"
		if c.Size < v.Size {
			what = fmt.Sprintf("the head of the first %d", c.Size)
		}
		fmt.Fprintf(w, "cosigned by %s: %s, size %d, on %s\n", c.Witness, what, c.Size, c.At.Format(time.RFC3339))
	}
	if v.Compared > 0 {
		fmt.Fprintf(w, "compared with %d other signed heads: the log goes on from each\n", v.Compared)
	}
}

func printEvent(w io.Writer, v formats.Verification) {
	e := v.Event
	what := fmt.Sprintf("%s of %s at %s µs", e.Kind, e.Subject, e.At)
	if e.Erased {
		what = "erased: its commitment stands, its contents are gone"
	}
	fmt.Fprintf(w, "VERIFIED: event %d of the %d events of %s, root %s\n%s\n", e.Index, v.Size, v.Origin, v.Root, what)
	if e.Earlier > 0 {
		fmt.Fprintf(w, "the log goes on from the earlier head of %d events, with nothing changed or taken away\n", e.Earlier)
	}
}

// proofs are the words that may stand before a proof's file, with the format
// that it then has.
var proofs = map[string]string{"event": concert.EventProofFormat, "erasure": concert.ErasureProofFormat}

func (c *verifyCmd) verify(ctx context.Context, e *env) (formats.Verification, error) {
	for i, k := range c.Witness {
		// As the configuration names them, behind their addresses.
		if fields := strings.Fields(k); len(fields) == 2 {
			c.Witness[i] = fields[1]
		}
	}
	// Read first: a log that goes on is larger than what was kept before.
	earlier, err := c.earlier(ctx)
	if err != nil {
		return formats.Verification{}, err
	}
	switch {
	case c.Target == "":
		var v formats.Verification
		err := c.withService(ctx, e, func(s *casework.Service) error {
			var err error
			v, err = s.VerifyLog(ctx, c.Witness, earlier...)
			return err
		})
		return v, err
	case isAddress(c.Target):
		return c.verifyNode(ctx, earlier)
	}
	return c.verifyFile(earlier)
}

// verifyFile verifies what its first bytes say that it is.
func (c *verifyCmd) verifyFile(earlier []string) (formats.Verification, error) {
	name, want := c.Target, ""
	if c.File != "" {
		if name, want = c.File, proofs[c.Target]; want == "" {
			return formats.Verification{}, &exitError{exitUsage, fmt.Errorf("%q is nothing that a file proves: write event or erasure before it, or the file alone", c.Target)}
		}
	}
	f, err := os.Open(name)
	if err != nil {
		return formats.Verification{}, err
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, formats.MaxErasureProof)
	// A file shorter than this is told by what there is of it.
	start, _ := r.Peek(formats.MaxErasureProof)
	have := formats.FormatOf(start)
	if want != "" && have != want {
		return formats.Verification{}, fmt.Errorf("%s has the format %.40q, a proof of this kind has %q", name, have, want)
	}
	if (have == concert.ErasureProofFormat || have == concert.EventProofFormat) && len(earlier) > 0 {
		return formats.Verification{}, &exitError{exitUsage, formats.ErrEarlier}
	}
	switch have {
	case concert.ErasureProofFormat:
		return formats.VerifyErasure(r, c.LogKey, c.Witness)
	case concert.EventProofFormat:
		return formats.VerifyEvent(r, c.LogKey, c.Witness)
	}
	return formats.VerifyBundle(r, c.LogKey, c.Witness, earlier...)
}

func isAddress(text string) bool {
	return strings.HasPrefix(text, "http://") || strings.HasPrefix(text, "https://")
}

// earlierMost bounds what one -checkpoint holds: years of a witness's history.
const earlierMost = 128 << 20

// earlier reads what -checkpoint names.
func (c *verifyCmd) earlier(ctx context.Context) ([]string, error) {
	var out []string
	for _, name := range c.Checkpoint {
		var text []byte
		var err error
		if isAddress(name) {
			text, err = fetchAtMost(ctx, &http.Client{Timeout: 60 * time.Second}, name, earlierMost)
		} else {
			text, err = os.ReadFile(name)
		}
		if err != nil {
			return nil, fmt.Errorf("checkpoint: %w", err)
		}
		out = append(out, string(text))
	}
	return out, nil
}
