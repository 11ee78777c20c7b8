package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"

	"concert/internal/formats"
	"concert/internal/match"
	"concert/pdq"
)

type matchFindCmd struct {
	Bank   string   `help:"Known hashes: a list, one a line as pytx's local files have them or the lines of concert hash; a video's vPDQ list; a TMK+PDQF file; or a directory of these." required:"" placeholder:"FILE"`
	Radius int      `help:"How many of 256 bits may differ, 0 to 64." default:"31"`
	Files  []string `arg:"" name:"file" help:"Files, directories with all that is in them, or - for standard input; of a video also its vPDQ list or TMK+PDQF file."`
}

// matchLine is one match as it is printed. It decides nothing.
type matchLine struct {
	File        string `json:"file"`
	BankEntry   string `json:"bank_entry"`
	By          string `json:"by"`          // pdq, sha256, sha1, md5, vpdq, tmk or chromaprint
	Distance    *int   `json:"distance"`    // null for what has a score instead
	Orientation string `json:"orientation"` // what was done to the one to get the other
	// Segment are the stretches of a video or a sound, "12.0-34.0=0.0-22.0": seconds
	// of the file, then of the entry; with commas between them, empty for the rest.
	Segment string `json:"segment"`

	ShareOfFile  *float64 `json:"share_of_file,omitempty"` // by vpdq: of its frames, those that the entry has
	ShareOfEntry *float64 `json:"share_of_entry,omitempty"`
	Score        float64  `json:"score,omitempty"` // by tmk: level 2; by chromaprint: the share of bits that agree
}

// faultsShown is how many lines of a list are named that say no hash.
const faultsShown = 10

// Run prints the matches of each file, in the order of the files, the nearest
// first.
func (c *matchFindCmd) Run(ctx context.Context, e *env) error {
	if c.Radius < 0 || c.Radius > 64 {
		return &exitError{code: exitUsage, err: fmt.Errorf("-radius is 0 to 64 bits: got %d", c.Radius)}
	}
	known, faults, err := readBank(e, c.Bank)
	if errors.Is(err, fs.ErrNotExist) {
		return &exitError{code: exitUsage, err: fmt.Errorf("-bank names no file and no directory: %w", err)}
	}
	if err != nil {
		return fmt.Errorf("bank %s: %w", c.Bank, err)
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
	if err == nil && faults > 0 {
		err = &exitError{code: exitFailed, err: fmt.Errorf("%d lines of the bank say no hash; the other %d were used", faults, len(known))}
	}
	return err
}

// readBank reads a file, or every file of a directory, and names what says no
// hash.
func readBank(e *env, path string) (known []match.Known, faults int, err error) {
	err = filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || p != path && !d.Type().IsRegular() {
			return err // where a link leads is read where it stands
		}
		f, err := os.Open(p)
		if err != nil {
			return err
		}
		defer f.Close()
		more, wrong, err := formats.ReadKnown(p, f)
		if err != nil && p == path {
			return err
		}
		if err != nil {
			faults++
			fmt.Fprintln(e.stderr, err)
		}
		for i, w := range wrong {
			if i == faultsShown {
				fmt.Fprintf(e.stderr, "%s: and %d lines more\n", p, len(wrong)-i)
				break
			}
			fmt.Fprintf(e.stderr, "%s:%d: %s\n", p, w.Line, w.Why)
		}
		known, faults = append(known, more...), faults+len(wrong)
		return nil
	})
	return known, faults, err
}

func (c *matchFindCmd) matches(stderr io.Writer, bank *match.Bank, f formats.FileHash) ([]any, error) {
	s, listed := listedFilm(&f)
	if f.Error != "" {
		fmt.Fprintf(stderr, "%s: %s\n", f.File, f.Error)
	}
	s.Digest = map[match.HashKind]string{match.HashSHA256: f.SHA256, match.HashSHA1: f.SHA1, match.HashMD5: f.MD5}
	s.Sound = f.Sound
	switch {
	case listed:
	case f.Film != nil:
		s.Frames = f.Film.Turned[:]
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
	for i := range found {
		out[i] = lineOf(f.File, bank.Entry(found[i].Entry).Name, &found[i])
	}
	return out, err
}

func lineOf(file, entry string, h *match.Hit) matchLine {
	l := matchLine{File: file, BankEntry: entry, By: string(h.By), Orientation: pdq.Orientation(h.Turn).String(), Score: thousandths(h.Score)}
	if h.Score == 0 {
		l.Distance = &h.Distance
	}
	if h.By == match.HashVPDQ {
		ofFile, ofEntry := thousandths(h.OfSought), thousandths(h.OfEntry)
		l.ShareOfFile, l.ShareOfEntry = &ofFile, &ofEntry
	}
	parts := make([]string, len(h.Segments))
	for i, s := range h.Segments {
		parts[i] = match.SegmentText(s)
	}
	l.Segment = strings.Join(parts, ",")
	return l
}

func thousandths(v float64) float64 { return math.Round(1000*v) / 1000 }

// listedFilm reads a file that is a vPDQ list or a TMK hash, to look for its video.
// An error is said in the file's.
func listedFilm(f *formats.FileHash) (match.Sought, bool) {
	if f.Error != "" || f.Type != "text/plain" && f.Type != "application/octet-stream" || f.File == "-" {
		return match.Sought{}, false
	}
	in, err := os.Open(f.File)
	if err != nil {
		f.Error = plainReason(err)
		return match.Sought{}, false
	}
	defer in.Close()
	s, listed, err := formats.ReadSought(f.File, in)
	if err != nil {
		f.Error = err.Error()
	}
	return s, listed
}
