package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"concert/api"
	"concert/internal/durable"
)

type captureCmd struct {
	Add   captureAddCmd   `cmd:"" help:"Add a capture of an item."`
	List  captureListCmd  `cmd:"" help:"List what is known of an item's captures."`
	Fetch captureFetchCmd `cmd:"" help:"Write a capture's bytes to a file."`
}

// remote is a server with the key to ask it by.
type remote struct {
	Server string `help:"Address of the server." default:"http://127.0.0.1:8080" placeholder:"URL"`
	Key    string `help:"API key of an officer or reviewer." required:"" placeholder:"csk_…"`
}

type captureAddCmd struct {
	remote
	Kind    string    `help:"screenshot, page, warc or file; by the bytes themselves when left out."`
	Vantage string    `help:"From where it was seen."`
	SeenAt  time.Time `help:"When it was seen (RFC 3339); now when left out."`
	Item    string    `arg:"" help:"The item's reference."`
	File    string    `arg:"" help:"The screenshot, the saved page, the WARC or the file."`
}

// Run adds the file as a capture.
func (c *captureAddCmd) Run(ctx context.Context, e *env) error {
	f, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer f.Close()
	in := api.NewCapture{Kind: c.Kind, Vantage: c.Vantage}
	if !c.SeenAt.IsZero() {
		in.SeenAt = c.SeenAt.UTC().Format(time.RFC3339)
	}
	got, err := (&api.Client{Base: c.Server, Key: c.Key}).AddCapture(ctx, c.Item, in, f)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, "%s: %s, %s, %d bytes, SHA-256 %s\n", got.ID, got.Kind, got.MediaType, got.Size, got.SHA256)
	return err
}

// Reading is recorded with its reason.
type reasoned struct {
	Justification string `help:"Why you read this: it is recorded." required:""`
}

type captureListCmd struct {
	remote
	reasoned
	Item string `arg:"" help:"The item's reference."`
}

// Run lists an item's captures.
func (c *captureListCmd) Run(ctx context.Context, e *env) error {
	list, err := (&api.Client{Base: c.Server, Key: c.Key, Justification: c.Justification}).Captures(ctx, c.Item)
	if err != nil {
		return err
	}
	for _, x := range list.Captures {
		age := "too old to assess by"
		switch {
		case x.ErasedAt != "":
			age = "erased " + x.ErasedAt
		case x.Fresh:
			age = "fresh"
		}
		if _, err := fmt.Fprintf(e.stdout, "%s  %s  %-10s  %d bytes  %s  %s  %s\n", x.ID, x.SeenAt, x.Kind, x.Size, x.SHA256, x.Operator, age); err != nil {
			return err
		}
	}
	return nil
}

type captureFetchCmd struct {
	remote
	reasoned
	ID   string `arg:"" name:"capture" help:"The capture's reference."`
	File string `arg:"" help:"File to write to; it must not exist yet."`
}

// Run fetches a capture's bytes.
func (c *captureFetchCmd) Run(ctx context.Context, e *env) error {
	f, err := durable.NewPending(c.File, 0o600)
	if err != nil {
		return err
	}
	if err := (&api.Client{Base: c.Server, Key: c.Key, Justification: c.Justification}).CaptureBytes(ctx, c.ID, f); err != nil {
		return errors.Join(err, f.Drop())
	}
	if err := f.Create(); err != nil {
		return err
	}
	_, err = fmt.Fprintln(e.stdout, "Written to "+c.File+". It is what was found there: open it only where it can do no harm.")
	return err
}
