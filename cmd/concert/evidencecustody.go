package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"concert/internal/durable"
	"concert/internal/vault"
)

// stampWait is how long a timestamp authority may take.
const stampWait = 30 * time.Second

func stampBag(ctx context.Context, e *env, bag, url string) error {
	if err := vault.StampEvidence(ctx, &http.Client{Timeout: stampWait}, bag, url); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "Stamped by %s.\n", url)
	return nil
}

type evidenceStampCmd struct {
	Bag string `arg:"" help:"A bag." type:"existingdir"`
	TSA string `name:"tsa" help:"The timestamp authority (RFC 3161)." required:"" placeholder:"URL"`
}

// Run stamps.
func (c *evidenceStampCmd) Run(ctx context.Context, e *env) error {
	return stampBag(ctx, e, c.Bag, c.TSA)
}

type evidenceWorkCmd struct {
	Bag string `arg:"" help:"A bag." type:"existingdir"`
	Dir string `arg:"" help:"The directory to make."`
	signing
}

// Run copies and records.
func (c *evidenceWorkCmd) Run(ctx context.Context, e *env) (err error) {
	key, by, err := c.open()
	if err != nil {
		return err
	}
	// The record comes last, but whether one can be written is known first.
	log, err := vault.OpenCustody(c.Bag, key)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	progress, now := new(vault.Progress), time.Now()
	stop := tell(e.stderr, progress)
	w, digest, err := vault.CopyEvidence(ctx, c.Bag, c.Dir, by, now, progress)
	stop()
	if err != nil {
		return &exitError{code: exitFailed, err: err} // stopped is no success either
	}
	rec, _, err := log.Add(vault.Custody{At: at(now), Act: vault.ActCopied, By: by, Reason: c.Reason, Copy: digest})
	if err != nil {
		return fmt.Errorf("%s was made, and not recorded: remove it and try again: %w", c.Dir, err)
	}
	fmt.Fprintf(e.stdout, "Working copy: %s, %d items, list sha256 %s\nCustody: record %d, head %s\n", c.Dir, len(w.Items), digest, rec.N, log.Head())
	return nil
}

func at(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

type evidenceHandCmd struct {
	Bag     string `arg:"" help:"A bag." type:"existingdir"`
	To      string `help:"The authority that it goes to." placeholder:"AUTHORITY"`
	Receipt string `help:"The receipt that came back from there." type:"existingfile" placeholder:"FILE"`
	signing
}

// Run records.
func (c *evidenceHandCmd) Run(e *env) (err error) {
	if (c.To == "") == (c.Receipt == "") {
		return &exitError{code: exitUsage, err: errors.New("hand over with -to AUTHORITY, or take in what came back with -receipt FILE")}
	}
	key, by, err := c.open()
	if err != nil {
		return err
	}
	log, err := vault.OpenCustody(c.Bag, key)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	if c.Receipt != "" {
		line, err := os.ReadFile(c.Receipt)
		if err != nil {
			return err
		}
		rec, err := log.Adopt(line)
		if err != nil {
			return err
		}
		fmt.Fprintf(e.stdout, "Received by %s for %s, signed with %s.\nCustody: record %d, head %s\n", rec.By, rec.To, rec.Key, rec.N, log.Head())
		return nil
	}
	rec, err := vault.HandOver(log, vault.Custody{At: at(time.Now()), By: by, To: c.To, Reason: c.Reason})
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "Handed over to %s. Give them the bag, and apart from it the head, so that they see whether it is all:\nCustody: record %d, head %s\n", rec.To, rec.N, log.Head())
	return nil
}

type evidenceReceiveCmd struct {
	Bag     string   `arg:"" help:"The bag as it arrived." type:"existingdir"`
	Receipt string   `help:"File to make for the giver." required:"" placeholder:"FILE"`
	Trust   []string `help:"The public key file of whoever sealed it." type:"existingfile" placeholder:"FILE"`
	Head    string   `help:"The head of the custody log as the giver told it." placeholder:"N:HASH"`
	signing
}

// Run verifies, records and writes the receipt.
func (c *evidenceReceiveCmd) Run(ctx context.Context, e *env) (err error) {
	key, by, err := c.open()
	if err != nil {
		return err
	}
	verify := &evidenceVerifyCmd{Path: c.Bag, Trust: c.Trust, Head: c.Head}
	if err := verify.run(ctx, e); err != nil {
		if x, ok := errors.AsType[*exitError](err); !ok || x.code != exitSelfAttested {
			return cmp.Or(err, error(&exitError{code: exitFailed}))
		}
	}
	log, err := vault.OpenCustody(c.Bag, key)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	if _, err := os.Lstat(c.Receipt); err == nil {
		return fmt.Errorf("%s exists already; it was left untouched", c.Receipt)
	}
	rec, line, err := vault.Receive(log, vault.Custody{At: at(time.Now()), By: by, Reason: c.Reason})
	if err != nil {
		return err
	}
	if err := durable.CreateExclusive(c.Receipt, line, 0o600); err != nil {
		return fmt.Errorf("it is recorded; the receipt is the last line of custody.jsonl, but it could not be written: %w", err)
	}
	fmt.Fprintf(e.stdout, "Received from %s for %s. Give %s back.\nCustody: record %d, head %s\n", rec.From, rec.To, c.Receipt, rec.N, log.Head())
	return nil
}

// workingCopy says what work changed.
func (c *evidenceVerifyCmd) workingCopy(ctx context.Context, e *env) error {
	progress := new(vault.Progress)
	stop := tell(e.stderr, progress)
	w, v, err := vault.VerifyWorkingCopy(ctx, c.Path, progress)
	stop()
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "Working copy of case %s, made %s by %s, of the manifest sha256 %s\nIts list: sha256 %s, which a custody record of the bag names\nRead again: %d files, %s\n", w.Case, w.At, w.By, w.Manifest, v.Digest, v.Files, bytesText(v.Bytes))
	sayFindings(e.stdout, v.Findings)
	if !v.Whole() {
		fmt.Fprintln(e.stdout, "CHANGED since it was copied. The evidentiary copy is the bag, not this.")
		return &exitError{code: exitFailed}
	}
	fmt.Fprintln(e.stdout, "As it was copied.")
	return &exitError{code: exitSelfAttested}
}

type evidenceDigestCmd struct {
	Path   []string `arg:"" help:"Files and directories."`
	BLAKE3 bool     `name:"blake3" help:"BLAKE3 as well, in the same reading: a line has SHA-256, BLAKE3, size and path, which is nobody's format."`
}

// Run prints a line a file, in hashdeep's form, or with both digests.
func (c *evidenceDigestCmd) Run(ctx context.Context, e *env) error {
	out := bufio.NewWriter(e.stdout)
	if !c.BLAKE3 {
		fmt.Fprint(out, "%%%% HASHDEEP-1.0\n%%%% size,sha256,filename\n")
	}
	bad := 0
	err := vault.DigestTree(ctx, c.Path, !c.BLAKE3, func(d vault.Digest) error {
		if d.Err != nil {
			bad++
			fmt.Fprintf(e.stderr, "concert: %s: %s\n", vault.EncodeName(d.Path, false), plainReason(d.Err))
			return nil
		}
		line := fmt.Sprintf("%d,%s,%s\n", d.Size, d.SHA256, vault.EncodeName(d.Path, false))
		if c.BLAKE3 {
			line = fmt.Sprintf("%s %s %d %s\n", d.SHA256, d.BLAKE3, d.Size, vault.EncodeName(d.Path, false))
		}
		_, err := out.WriteString(line)
		return err
	})
	if err := errors.Join(err, out.Flush()); err != nil {
		return &exitError{code: exitFailed, err: err}
	}
	if bad > 0 {
		return &exitError{code: exitFailed, err: fmt.Errorf("%d files could not be read", bad)}
	}
	return nil
}
