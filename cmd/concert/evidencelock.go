package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"filippo.io/age"

	"concert/internal/durable"
	"concert/internal/vault"
)

type evidenceLockCmd struct {
	Bag       string   `arg:"" help:"A bag, or any directory of files." type:"existingdir"`
	Out       string   `name:"out" short:"o" help:"The locked file to make, or s3://BUCKET/KEY." required:"" placeholder:"FILE"`
	Custodian []string `help:"Who keeps a share of its key, once for each: a name, = and their public key of age." sep:"none" placeholder:"NAME=age1…"`
	Of        int      `help:"How many custodians open it together." default:"2" placeholder:"N"`
	Case      string   `help:"The case that it belongs to; the bag's own where it is left out." placeholder:"ID"`
	By        string   `help:"Your name; as the system knows you where it is left out." placeholder:"NAME"`
	Retain    string   `name:"retain-until" help:"In a bucket with object lock: the last day, in UTC, on which the server lets nobody remove it, you and its administrators included." placeholder:"YYYY-MM-DD"`
	bucketFlags
}

// Run locks.
func (c *evidenceLockCmd) Run(ctx context.Context, e *env) error {
	by, err := person(c.By)
	if err != nil {
		return err
	}
	now := time.Now()
	job := vault.LockJob{Dir: c.Bag, Case: c.Case, Exhibit: filepath.Base(filepath.Clean(c.Bag)), By: by, At: now, Needed: c.Of}
	if job.Out, err = c.place(c.Out); err != nil {
		return err
	}
	if job.Retain, err = lastDay(c.Retain, now); err != nil {
		return err
	}
	job.Say = func(text string) { fmt.Fprintln(e.stdout, text) }
	if m, _, err := vault.ReadManifest(c.Bag); err == nil {
		job.Case = cmp.Or(job.Case, m.Case)
	}
	if job.Custodians, err = custodiansOf(c.Custodian); err != nil {
		return err
	}
	l, err := vault.LockExhibit(ctx, job)
	if l.ID == "" {
		return stopped(ctx, err)
	}
	fmt.Fprintf(e.stdout, "Locked: %s, exhibit %s of case %s\n", c.Out, shown(l.Exhibit), shown(l.Case))
	sayLock(e, l)
	if err != nil {
		return err
	}
	if !job.Retain.IsZero() {
		fmt.Fprintf(e.stdout, "The server says that it keeps it until %s.\n", job.Retain.Format(time.RFC3339))
	}
	if vault.InBucket(c.Out) {
		fmt.Fprintf(e.stdout, "Keep the head's digest elsewhere. Read it back: concert evidence locked %s -head %s\n", c.Out, l.HeadSHA256())
	}
	fmt.Fprintln(e.stdout, "The bag is as it was. Open the locked file once, as its custodians will, before you remove anything.")
	return nil
}

// stopped makes a failure of what was stopped, which is not done.
func stopped(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return &exitError{exitFailed, err}
	}
	return err
}

// shown is a text that somebody else wrote, without what a terminal would obey.
func shown(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}

func sayLock(e *env, l vault.Lock) {
	fmt.Fprintf(e.stdout, "Lock: %s, by %s, %s\nHead: sha256 %s\nPayload: %s, sha256 %s\n%d of its %d custodians open it together:\n", shown(l.ID), shown(l.By), shown(l.At), l.HeadSHA256(), bytesText(l.Size), shown(l.SHA256), l.Needed, len(l.Shares))
	for _, s := range l.Shares {
		fmt.Fprintf(e.stdout, "  %s\t%s\n", shown(s.Name), shown(s.Recipient))
	}
}

type evidenceLockedCmd struct {
	File lockedName `arg:"" help:"A locked exhibit: a file, or s3://BUCKET/KEY."`
	Head string     `help:"The head's digest, as it was kept elsewhere." placeholder:"SHA256"`
	bucketFlags
}

// Run reads everything, and needs no key.
func (c *evidenceLockedCmd) Run(ctx context.Context, e *env) error {
	at, err := c.place(string(c.File))
	if err != nil {
		return err
	}
	l, err := vault.CheckLock(ctx, at, nil)
	if l.ID != "" {
		fmt.Fprintf(e.stdout, "Exhibit %s of case %s\n", shown(l.Exhibit), shown(l.Case))
		sayLock(e, l)
	}
	if err != nil {
		return stopped(ctx, err)
	}
	if c.Head != "" && !strings.EqualFold(c.Head, l.HeadSHA256()) {
		return fmt.Errorf("%s is another exhibit than was written, or its head was changed: its head has SHA-256 %s", at, l.HeadSHA256())
	}
	if c.Head != "" {
		fmt.Fprintln(e.stdout, "It is the one whose head's digest was kept, and its payload is whole.")
		return nil
	}
	fmt.Fprintln(e.stdout, "Its payload is the one that was written. That its head is too shows once it is opened.")
	return nil
}

type evidenceShareCmd struct {
	File     lockedName `arg:"" help:"A locked exhibit: a file, or s3://BUCKET/KEY, of which only the head is read."`
	Identity string     `help:"Your secret key of age (age-keygen made it). It is read and never written." required:"" type:"existingfile" placeholder:"FILE"`
	For      string     `help:"The public key of age of whoever unlocks it." required:"" placeholder:"age1…"`
	Reason   string     `help:"What it is given for: the court's order, the request. It stands in the share." required:"" placeholder:"TEXT"`
	Out      string     `name:"out" short:"o" help:"The share to make; standard output when left out." placeholder:"FILE"`
	bucketFlags
}

// Run gives a custodian's share to somebody, for a reason.
func (c *evidenceShareCmd) Run(ctx context.Context, e *env) error {
	at, err := c.place(string(c.File))
	if err != nil {
		return err
	}
	l, err := vault.ReadLock(ctx, at)
	if err != nil {
		return err
	}
	ids, err := identitiesOf(c.Identity)
	if err != nil {
		return err
	}
	g, err := vault.GiveShare(l, ids, c.For, c.Reason, time.Now())
	if err != nil {
		return err
	}
	raw, err := json.MarshalIndent(g, "", "  ")
	if err != nil {
		return err
	}
	raw = append(raw, '\n')
	if c.Out == "" {
		_, err = e.stdout.Write(raw)
		return err
	}
	if err := durable.CreateExclusive(c.Out, raw, 0o600); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "Share of %s in %s: give %s to whoever holds %s.\n", g.Custodian, l.ID, c.Out, c.For)
	return nil
}

func identitiesOf(file string) ([]age.Identity, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	ids, err := age.ParseIdentities(f)
	if err != nil {
		return nil, fmt.Errorf("%s holds no secret key of age in the clear (age-keygen makes one; one under a passphrase is opened with age -d first)", file)
	}
	return ids, nil
}

type evidenceUnlockCmd struct {
	File     lockedName `arg:"" help:"A locked exhibit: a file, or s3://BUCKET/KEY."`
	Share    []string   `help:"A share that a custodian gave you, once for each." type:"existingfile" sep:"none" placeholder:"FILE"`
	Identity string     `help:"Your secret key of age, to which the shares were given." required:"" type:"existingfile" placeholder:"FILE"`
	Out      string     `name:"out" short:"o" help:"The directory to make." required:"" placeholder:"DIR"`
	bucketFlags
}

// Run opens an exhibit, whole or not at all.
func (c *evidenceUnlockCmd) Run(ctx context.Context, e *env) error {
	ids, err := identitiesOf(c.Identity)
	if err != nil {
		return err
	}
	given, err := opening{Share: c.Share}.shares()
	if err != nil {
		return err
	}
	at, err := c.place(string(c.File))
	if err != nil {
		return err
	}
	l, err := vault.UnlockExhibit(ctx, at, given, ids, c.Out, nil)
	if err != nil {
		return stopped(ctx, err)
	}
	fmt.Fprintf(e.stdout, "Unlocked: %s, exhibit %s of case %s, locked by %s, %s\nShares:\n", c.Out, shown(l.Exhibit), shown(l.Case), shown(l.By), shown(l.At))
	for _, g := range given {
		fmt.Fprintf(e.stdout, "  %s\t%s\t%s\n", g.Custodian, g.At, g.Reason)
	}
	fmt.Fprintf(e.stdout, "Verify it: concert evidence verify %s\n", c.Out)
	return nil
}

// opening are the shares and the key that open a locked list of pseudonyms.
type opening struct {
	Share    []string `help:"A share that a custodian gave you (evidence share), once for each." type:"existingfile" sep:"none" placeholder:"FILE"`
	Identity string   `help:"Your secret key of age, to which the shares were given." type:"existingfile" placeholder:"FILE"`
}

func (o opening) shares() ([]vault.GivenShare, error) {
	var given []vault.GivenShare
	for _, name := range o.Share {
		raw, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		g, err := vault.ParseShare(raw)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		given = append(given, g)
	}
	return given, nil
}

// custodiansOf reads NAME=age1… of each.
func custodiansOf(texts []string) ([]vault.Custodian, error) {
	var out []vault.Custodian
	for _, text := range texts {
		name, recipient, ok := strings.Cut(text, "=")
		if !ok {
			return nil, &exitError{exitUsage, fmt.Errorf("-custodian %q: write a name, = and a public key, such as -custodian Ada=age1…", text)}
		}
		out = append(out, vault.Custodian{Name: strings.TrimSpace(name), Recipient: strings.TrimSpace(recipient)})
	}
	return out, nil
}
