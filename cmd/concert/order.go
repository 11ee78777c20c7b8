package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"concert/internal/durable"
	"concert/internal/formats"
	"concert/order"
)

// exitAuthorityUnknown is for an order that is signed by nobody whom the reader knows.
const exitAuthorityUnknown = 2

type orderCmd struct {
	Verify orderVerifyCmd `cmd:"" help:"Verify a removal order, offline: a file, a PDF that carries one, or standard input. Exit 0: valid, 1: invalid, 2: the authority is unknown."`
	Trust  orderTrustCmd  `cmd:"" help:"Pin the root of a register, or take a newer edition of one."`
	Roots  orderRootsCmd  `cmd:"" help:"List the roots that you pinned."`
}

// trustPlace is where a person keeps what it pinned.
type trustPlace struct {
	Pinned string `help:"Directory of what you pinned; your configuration directory when left out." env:"CONCERT_TRUST" placeholder:"DIR" type:"path"`
}

func (p trustPlace) file() (string, error) {
	dir := p.Pinned
	if dir == "" {
		base, err := os.UserConfigDir()
		if err != nil {
			return "", fmt.Errorf("where you keep what you pinned: %w: name a directory with -pinned", err)
		}
		dir = filepath.Join(base, "concert")
	}
	return filepath.Join(dir, "trust.json"), nil
}

// maxTrust bounds the file of what a person pinned, in bytes.
const maxTrust = 64 << 20

func (p trustPlace) read() (*order.Trust, error) {
	path, err := p.file()
	if err != nil {
		return nil, err
	}
	raw, err := readBounded(path, nil, maxTrust)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	trust, err := order.ReadTrust(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return trust, nil
}

// readBounded reads a file, or standard input for "-", of at most so many bytes.
func readBounded(name string, stdin io.Reader, most int64) ([]byte, error) {
	from := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		from = f
	}
	raw, err := io.ReadAll(io.LimitReader(from, most+1))
	if err == nil && int64(len(raw)) > most {
		err = fmt.Errorf("%s has more than %d bytes", name, most)
	}
	return raw, err
}

type orderVerifyCmd struct {
	trustPlace
	Register  string   `help:"A register to judge by instead of the pinned edition. It counts only if its root is pinned." placeholder:"FILE" type:"path"`
	Root      []string `help:"Fingerprint of a root that you trust for this once, learnt by another way than with the order." placeholder:"FINGERPRINT"`
	Addressee string   `help:"Your own reference: an order to another is not for you." placeholder:"REF"`
	Seen      string   `help:"File with the references of orders that you received before, one a line." placeholder:"FILE" type:"path"`
	JSON      bool     `help:"Print the verdict as one object, with the order where it is valid." name:"json"`
	File      string   `arg:"" help:"The order, a PDF that carries it, or - for standard input." default:"-"`
}

// Run says in one sentence what is valid, or which field fails.
func (c *orderVerifyCmd) Run(e *env) error {
	raw, err := readBounded(c.File, e.stdin, formats.MaxPDF)
	if err != nil {
		return err
	}
	if formats.IsPDF(raw) {
		if raw, err = formats.PDFAttachment(raw, formats.OrderAttachment, order.MaxFile); err != nil {
			return c.say(e, order.Verdict{Outcome: order.Invalid, Code: "order.pdf", Sentence: "invalid: " + err.Error()})
		}
	}
	register, unknown, err := c.judge(raw)
	if err != nil {
		return err
	}
	o := order.Options{Addressee: c.Addressee, Now: time.Now()}
	if c.Seen != "" {
		seen, err := readBounded(c.Seen, nil, maxTrust)
		if err != nil {
			return err
		}
		refs := map[string]bool{}
		for line := range strings.Lines(string(seen)) {
			refs[strings.TrimSpace(line)] = true
		}
		o.Seen = func(ref string) bool { return refs[ref] }
	}
	v := order.Verify(raw, register, o)
	if v.Outcome == order.AuthorityUnknown && unknown != nil {
		v.Sentence = "signed, authority unknown: " + unknown.Error()
	}
	return c.say(e, v)
}

// judge is the register that the order is judged by, nil for none; unknown says why
// the one that was named does not count.
func (c *orderVerifyCmd) judge(raw []byte) (register *order.Register, unknown, err error) {
	trust, err := c.read()
	if err != nil {
		return nil, nil, err
	}
	if c.Register == "" {
		if len(c.Root) > 0 {
			return nil, nil, &exitError{exitUsage, errors.New("-root says whose register to trust: name the register with -register")}
		}
		return trust.Register(raw), nil, nil
	}
	roots := trust.Roots()
	for _, text := range c.Root {
		f, err := order.ParseFingerprint(text)
		if err != nil {
			return nil, nil, &exitError{exitUsage, err}
		}
		roots = append(roots, f)
	}
	text, err := readBounded(c.Register, nil, maxTrust)
	if err != nil {
		return nil, nil, err
	}
	register, err = order.ReadRegister(text, roots)
	if errors.Is(err, &order.Fault{Code: "register.root"}) {
		return nil, err, nil
	}
	if err == nil {
		err = trust.Accepts(register)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", c.Register, err)
	}
	return register, nil, nil
}

func (c *orderVerifyCmd) say(e *env, v order.Verdict) error {
	if c.JSON {
		if err := json.NewEncoder(e.stdout).Encode(v); err != nil {
			return err
		}
	} else {
		fmt.Fprintln(e.stdout, v.Sentence)
	}
	switch v.Outcome {
	case order.Valid:
		return nil
	case order.AuthorityUnknown:
		return &exitError{code: exitAuthorityUnknown}
	}
	return &exitError{code: exitFailed}
}

type orderTrustCmd struct {
	trustPlace
	Root    string `help:"The root's fingerprint as you were told it by another way: telephone, paper, official journal. May be left out where it is pinned already." placeholder:"FINGERPRINT"`
	Replace bool   `help:"Let this root take the place of the one that is pinned for the same deployment."`
	File    string `arg:"" name:"register" help:"The register, or - for standard input."`
}

// Run prints the fingerprint that the register has, and pins it only where it is the
// one that was typed.
func (c *orderTrustCmd) Run(e *env) error {
	raw, err := readBounded(c.File, e.stdin, maxTrust)
	if err != nil {
		return err
	}
	trust, err := c.read()
	if err != nil {
		return err
	}
	found, edition, err := order.Look(raw)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	fmt.Fprintf(e.stdout, "found: root %s, edition %d of the register of %s\n", found, edition.Serial, edition.Origin)
	r, err := trust.Pin(c.Root, raw, c.Replace, time.Now())
	if err != nil {
		return fmt.Errorf("nothing was pinned: %w", err)
	}
	text, err := trust.Marshal()
	if err != nil {
		return err
	}
	path, err := c.file()
	if err != nil {
		return err
	}
	if err := durable.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := durable.WriteFile(path, text, 0o600); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "pinned: %d authorities of %s; orders by them can now be valid\n", len(r.Edition().Authorities), r.Edition().Origin)
	return nil
}

type orderRootsCmd struct{ trustPlace }

// Run lists what is pinned, a root a line.
func (c *orderRootsCmd) Run(e *env) error {
	trust, err := c.read()
	if err != nil {
		return err
	}
	if len(trust.Pins()) == 0 {
		fmt.Fprintln(e.stderr, "nothing is pinned, so no order can be valid: concert order trust -root FINGERPRINT REGISTER pins the root of a register")
	}
	for _, p := range trust.Pins() {
		edition := p.Register.Edition()
		exercise := ""
		if edition.Exercise {
			exercise = ", EXERCISE"
		}
		fmt.Fprintf(e.stdout, "%s  %s  edition %d of %s, pinned on %s%s\n", p.Root, edition.Origin, edition.Serial, edition.At, p.PinnedAt.Format(time.DateOnly), exercise)
	}
	return nil
}
