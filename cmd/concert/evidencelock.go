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

	"filippo.io/age"

	"concert/internal/durable"
	"concert/internal/vault"
)

type evidenceLockCmd struct {
	Bag       string   `arg:"" help:"A bag, or any directory of files." type:"existingdir"`
	Out       string   `name:"out" short:"o" help:"The locked file to make." required:"" placeholder:"FILE"`
	Custodian []string `help:"Who keeps a share of its key, once for each: a name, = and their public key of age." sep:"none" placeholder:"NAME=age1…"`
	Of        int      `help:"How many custodians open it together." default:"2" placeholder:"N"`
	Case      string   `help:"The case that it belongs to; the bag's own where it is left out." placeholder:"ID"`
	By        string   `help:"Your name; as the system knows you where it is left out." placeholder:"NAME"`
}

// Run locks.
func (c *evidenceLockCmd) Run(ctx context.Context, e *env) error {
	by, err := person(c.By)
	if err != nil {
		return err
	}
	job := vault.LockJob{Dir: c.Bag, Out: c.Out, Case: c.Case, Exhibit: filepath.Base(filepath.Clean(c.Bag)), By: by, At: time.Now(), Needed: c.Of}
	if m, _, err := vault.ReadManifest(c.Bag); err == nil {
		job.Case = cmp.Or(job.Case, m.Case)
	}
	if job.Custodians, err = custodiansOf(c.Custodian); err != nil {
		return err
	}
	l, err := vault.LockExhibit(ctx, job)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "Locked: %s, exhibit %s of case %s\n", c.Out, l.Exhibit, l.Case)
	sayLock(e, l)
	fmt.Fprintln(e.stdout, "The bag is as it was. Open the locked file once, as its custodians will, before you remove anything.")
	return nil
}

func sayLock(e *env, l vault.Lock) {
	fmt.Fprintf(e.stdout, "Lock: %s, by %s, %s\nPayload: %s, sha256 %s\n%d of its %d custodians open it together:\n", l.ID, l.By, l.At, bytesText(l.Size), l.SHA256, l.Needed, len(l.Shares))
	for _, s := range l.Shares {
		fmt.Fprintf(e.stdout, "  %s\t%s\n", s.Name, s.Recipient)
	}
}

type evidenceLockedCmd struct {
	File string `arg:"" help:"A locked exhibit." type:"existingfile"`
}

// Run reads the whole file, and needs no key.
func (c *evidenceLockedCmd) Run(ctx context.Context, e *env) error {
	l, err := vault.CheckLock(ctx, c.File, nil)
	if l.ID != "" {
		fmt.Fprintf(e.stdout, "Exhibit %s of case %s\n", l.Exhibit, l.Case)
		sayLock(e, l)
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(e.stdout, "Its payload is the one that was written. That its head is too shows once it is opened.")
	return nil
}

type evidenceShareCmd struct {
	File     string `arg:"" help:"A locked exhibit." type:"existingfile"`
	Identity string `help:"Your secret key of age (age-keygen made it). It is read and never written." required:"" type:"existingfile" placeholder:"FILE"`
	For      string `help:"The public key of age of whoever unlocks it." required:"" placeholder:"age1…"`
	Reason   string `help:"What it is given for: the court's order, the request. It stands in the share." required:"" placeholder:"TEXT"`
	Out      string `name:"out" short:"o" help:"The share to make; standard output when left out." placeholder:"FILE"`
}

// Run gives a custodian's share to somebody, for a reason.
func (c *evidenceShareCmd) Run(e *env) error {
	l, err := vault.ReadLock(c.File)
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
	File     string   `arg:"" help:"A locked exhibit." type:"existingfile"`
	Share    []string `help:"A share that a custodian gave you, once for each." type:"existingfile" sep:"none" placeholder:"FILE"`
	Identity string   `help:"Your secret key of age, to which the shares were given." required:"" type:"existingfile" placeholder:"FILE"`
	Out      string   `name:"out" short:"o" help:"The directory to make." required:"" placeholder:"DIR"`
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
	l, err := vault.UnlockExhibit(ctx, c.File, given, ids, c.Out, nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "Unlocked: %s, exhibit %s of case %s, locked by %s, %s\nShares:\n", c.Out, l.Exhibit, l.Case, l.By, l.At)
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
