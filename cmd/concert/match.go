package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"concert/internal/formats"
	"concert/internal/match"
	"concert/pdq"
)

type matchFindCmd struct {
	Bank   string   `help:"List of known hashes: one a line as pytx's local files have them, or the lines of concert hash." required:"" type:"existingfile" placeholder:"FILE"`
	Radius int      `help:"How many of 256 bits may differ, 0 to 64." default:"31"`
	Files  []string `arg:"" name:"file" help:"Files, directories with all that is in them, or - for standard input."`
}

// matchLine is one match as it is printed. It decides nothing.
type matchLine struct {
	File        string `json:"file"`
	BankEntry   string `json:"bank_entry"`
	By          string `json:"by"` // pdq, sha256, sha1 or md5
	Distance    int    `json:"distance"`
	Orientation string `json:"orientation"` // what was done to the one to get the other
	Segment     string `json:"segment"`     // of a video; empty for pictures and for whole files
}

// faultsShown is how many lines of a list are named that say no hash.
const faultsShown = 10

// Run prints the matches of each file, in the order of the files, the nearest
// first.
func (c *matchFindCmd) Run(ctx context.Context, e *env) error {
	if c.Radius < 0 || c.Radius > 64 {
		return &exitError{code: exitUsage, err: fmt.Errorf("-radius is 0 to 64 bits: got %d", c.Radius)}
	}
	known, faults, err := readBank(c.Bank)
	if err != nil {
		return fmt.Errorf("bank %s: %w", c.Bank, err)
	}
	for i, f := range faults {
		if i == faultsShown {
			fmt.Fprintf(e.stderr, "%s: and %d lines more\n", c.Bank, len(faults)-i)
			break
		}
		fmt.Fprintf(e.stderr, "%s:%d: %s\n", c.Bank, f.Line, f.Why)
	}
	if len(known) == 0 {
		return fmt.Errorf("bank %s holds no hash: write one a line, like \"pdq f8f8…\", or take what concert hash prints", c.Bank)
	}
	bank, err := match.NewBank(ctx, known)
	if err != nil {
		return err
	}
	defer bank.Close()
	err = eachFile(ctx, e, c.Files, func(f formats.FileHash) ([]any, error) { return c.matches(e.stderr, bank, f) })
	if err == nil && len(faults) > 0 {
		err = &exitError{code: exitFailed, err: fmt.Errorf("%d lines of the bank say no hash; the other %d were used", len(faults), len(known))}
	}
	return err
}

func readBank(path string) ([]match.Known, []formats.HashFault, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	return formats.ReadHashList(f)
}

func (c *matchFindCmd) matches(stderr io.Writer, bank *match.Bank, f formats.FileHash) ([]any, error) {
	if f.Error != "" {
		fmt.Fprintf(stderr, "%s: %s\n", f.File, f.Error)
	}
	s := match.Sought{Digest: map[match.HashKind]string{match.HashSHA256: f.SHA256, match.HashSHA1: f.SHA1, match.HashMD5: f.MD5}}
	switch {
	case f.PDQ == "":
	case f.Quality < pdq.QualityLeast:
		fmt.Fprintf(stderr, "%s: PDQ quality %d is below %d, so only its bytes were compared\n", f.File, f.Quality, pdq.QualityLeast)
	default:
		for _, h := range f.Turned {
			s.PDQ = append(s.PDQ, h.Bytes())
		}
	}
	found, err := bank.Find(s, c.Radius)
	out := make([]any, len(found))
	for i, h := range found {
		out[i] = matchLine{File: f.File, BankEntry: bank.Entry(h.Entry).Name, By: string(h.By), Distance: h.Distance, Orientation: pdq.Orientation(h.Turn).String()}
	}
	return out, err
}
