package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"concert/internal/durable"
	"concert/internal/lead"
	"concert/internal/vault"
)

// leadCmd is for packages of leads; it needs no server.
type leadCmd struct {
	Split        leadSplitCmd        `cmd:"" help:"Make a package for each country of an access-log report: counts alone, signed, encrypted to its recipient."`
	Open         leadOpenCmd         `cmd:"" help:"Decrypt a package into a directory."`
	Verify       leadVerifyCmd       `cmd:"" help:"Say whether a package is as its sender signed it. Exit 0: valid, signed by a key that you named; 1: not whole; 2: it could not be told; 3: whole, but only by its own word."`
	Receipt      leadReceiptCmd      `cmd:"" help:"Sign that a package arrived whole."`
	CheckReceipt leadCheckReceiptCmd `cmd:"" name:"check-receipt" help:"Say whether a receipt is for a package of yours, by a key that you know. Exit codes as of verify."`
}

type leadOpenCmd struct {
	File     string `arg:"" help:"A package (lead-….age)." type:"existingfile"`
	Identity string `help:"Your secret key of age. It is read and never written." required:"" type:"existingfile" placeholder:"FILE"`
	Out      string `name:"out" short:"o" help:"The directory to make." required:"" placeholder:"DIR"`
}

// Run opens a package; that it is who it says is for verify.
func (c *leadOpenCmd) Run(e *env) error {
	b, err := decryptLead(c.File, c.Identity)
	if err != nil {
		return err
	}
	if err := b.WriteDir(c.Out); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "Opened: %s\nPackage: sha256 %s\nIt says nothing before you know who signed it: concert lead verify %s -signer THEIR.pub\n", c.Out, b.Digest(), c.Out)
	return nil
}

func decryptLead(file, identity string) (lead.Bag, error) {
	ids, err := identitiesOf(identity)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := lead.Decrypt(f, ids...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return b, nil
}

// opened is a package that is read from where it lies.
type opened struct {
	Path     string   `arg:"" help:"An opened package, or the file with -identity."`
	Identity string   `help:"Your secret key of age, for a file that is not opened yet." type:"existingfile" placeholder:"FILE"`
	Signer   []string `help:"The sender's public key file, which you have from them by another way. Repeat it for several." type:"existingfile" placeholder:"FILE"`
}

func (o opened) verify() (v lead.Verdict, err error) {
	trust, err := publicKeys(o.Signer)
	if err != nil {
		return v, err
	}
	info, err := os.Stat(o.Path)
	if err != nil {
		return v, err
	}
	if info.IsDir() {
		b, strange, err := lead.ReadDir(o.Path)
		if err != nil {
			return v, err
		}
		return b.Verify(trust, strange), nil
	}
	if o.Identity == "" {
		return v, errors.New("an encrypted package is verified with -identity, or once it was opened (lead open)")
	}
	b, err := decryptLead(o.Path, o.Identity)
	if err != nil {
		return v, err
	}
	return b.Verify(trust, nil), nil
}

func publicKeys(files []string) (keys []string, err error) {
	for _, path := range files {
		key, err := vault.ReadPublicKey(path)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

type leadVerifyCmd struct {
	opened
}

// Run verifies.
func (c *leadVerifyCmd) Run(e *env) error {
	v, err := c.verify()
	if err != nil {
		return &exitError{exitUntold, err}
	}
	return codeOf(sayLead(e.stdout, v))
}

func codeOf(code int) error {
	if code == 0 {
		return nil
	}
	return &exitError{code: code}
}

// sayLead prints a verdict and gives the exit code that it deserves.
func sayLead(w io.Writer, v lead.Verdict) int {
	if l := v.Lead; l.ID != "" {
		fmt.Fprintf(w, "Package %s for %s, case %s, made %s\nFrom %s to %s, handling %s, evaluation %s\nPersons: %d\n", l.ID, l.Country, l.Case, l.Made, l.From, l.To, l.Handling, l.Evaluation, len(l.Persons))
	}
	fmt.Fprintf(w, "Package: sha256 %s\n", v.Digest)
	for _, f := range v.Findings {
		fmt.Fprintf(w, "%s %s: %s\n", f.Kind, f.Path, f.Note)
	}
	fmt.Fprintf(w, "Signature: %s\n", v.Signature)
	if v.Key != "" {
		fmt.Fprintf(w, "  key %s\n", v.Key)
	}
	switch {
	case !v.Whole():
		fmt.Fprintln(w, "NOT WHOLE: it is not what was signed, or not by whom you named.")
		return exitFailed
	case v.Valid():
		fmt.Fprintln(w, "VALID: whole, and signed by a key that you named.")
		return 0
	}
	fmt.Fprintln(w, "WHOLE, but SELF-ATTESTED: only what lies in the package says whose it is. Name the sender's key, which you have by another way (-signer).")
	return exitSelfAttested
}

type leadReceiptCmd struct {
	opened
	Key string `help:"File of your own key that signs (evidence key makes one)." required:"" type:"existingfile" placeholder:"FILE"`
	By  string `help:"Your name; as the system knows you where it is left out." placeholder:"NAME"`
	Out string `name:"out" short:"o" help:"The receipt to make." required:"" placeholder:"FILE"`
}

// Run verifies, and signs a receipt for what is whole.
func (c *leadReceiptCmd) Run(e *env) error {
	by, err := person(c.By)
	if err != nil {
		return err
	}
	key, err := vault.ReadKey(c.Key)
	if err != nil {
		return err
	}
	v, err := c.verify()
	if err != nil {
		return &exitError{exitUntold, err}
	}
	if code := sayLead(e.stdout, v); code == exitFailed {
		return &exitError{code, errors.New("no receipt was written: ask the sender for another copy")}
	}
	_, raw, err := lead.NewReceipt(v, key, by, time.Now())
	if err != nil {
		return err
	}
	if err := durable.CreateExclusive(c.Out, raw, 0o600); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "Receipt: %s, by %s. Send it to %s.\n", c.Out, by, v.Lead.From)
	return nil
}

type leadCheckReceiptCmd struct {
	Receipt string   `arg:"" help:"A receipt that came back." type:"existingfile"`
	Signer  []string `help:"The receiver's public key file, which you have from them by another way. Repeat it for several." type:"existingfile" placeholder:"FILE"`
	Digest  string   `help:"The package's SHA-256, as split prints it." placeholder:"HEX"`
	Lead    string   `help:"The opened package, instead of its digest." type:"existingdir" placeholder:"DIR"`
}

const receiptBytes = 64 << 10

// Run checks a receipt.
func (c *leadCheckReceiptCmd) Run(e *env) error {
	code, err := c.check(e)
	if err != nil {
		return &exitError{exitUntold, err}
	}
	return codeOf(code)
}

func (c *leadCheckReceiptCmd) check(e *env) (code int, err error) {
	trust, err := publicKeys(c.Signer)
	if err != nil {
		return 0, err
	}
	digest := c.Digest
	if c.Lead != "" {
		b, _, err := lead.ReadDir(c.Lead)
		if err != nil {
			return 0, err
		}
		digest = b.Digest()
	}
	f, err := os.Open(c.Receipt)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, receiptBytes))
	if err != nil {
		return 0, err
	}
	r, err := lead.ReadReceipt(raw)
	if err != nil {
		fmt.Fprintf(e.stdout, "NOT VALID: %v\n", err)
		return exitFailed, nil
	}
	fmt.Fprintf(e.stdout, "Receipt for package %s for %s, sha256 %s\nBy %s for %s, %s\n  key %s\n", r.Package, r.Country, r.Digest, r.By, r.To, r.At, r.Key)
	switch {
	case digest != "" && digest != r.Digest:
		fmt.Fprintf(e.stdout, "NOT VALID: it is for another package than the one with sha256 %s.\n", digest)
		return exitFailed, nil
	case len(trust) > 0 && !slices.Contains(trust, r.Key):
		fmt.Fprintln(e.stdout, "NOT VALID: it was signed with none of the keys that you named.")
		return exitFailed, nil
	case digest == "" || len(trust) == 0:
		fmt.Fprintln(e.stdout, "Its signature holds, but it is SELF-ATTESTED: name the receiver's key, which you have by another way (-signer), and the package (-digest or -lead).")
		return exitSelfAttested, nil
	}
	fmt.Fprintln(e.stdout, "VALID: the package arrived whole with somebody whose key you named.")
	return 0, nil
}
