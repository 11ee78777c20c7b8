package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"concert/internal/durable"
	"concert/internal/formats"
	"concert/internal/match"
	"concert/internal/vault"
)

// evidenceFilesCmd is the inventory of what an image, a bag or a directory holds.
type evidenceFilesCmd struct {
	Source string   `arg:"" help:"The first segment of an image, a bag, a directory or an archive. It is only read."`
	JSON   bool     `name:"json" help:"One JSON object a line: the volumes, then the files."`
	CSV    bool     `name:"csv" help:"Comma-separated values with a header."`
	Out    string   `name:"out" short:"o" help:"Write to this file, which must not exist, instead of standard output." placeholder:"FILE"`
	Known  []string `help:"A hash set (lines of SHA-256, SHA-1 or MD5, as sha256sum, hashdeep or the NSRL write them): what it has is marked and comes last, and is never left out." type:"existingfile" placeholder:"FILE"`
}

// fileLine is one file of an inventory.
type fileLine struct {
	Path string `json:"path"`
	vault.Surveyed
	State    string `json:"state"` // allocated: nothing that was deleted is looked for
	Language string `json:"language,omitempty"`
	Known    string `json:"known,omitempty"`
}

// sampleBytes is how much of a text tells its language.
const sampleBytes = 1 << 10

// Run writes the inventory.
func (c *evidenceFilesCmd) Run(ctx context.Context, e *env) (err error) {
	if c.JSON && c.CSV {
		return &exitError{exitUsage, errors.New("-json and -csv are two forms: choose one")}
	}
	sets, err := readHashSets(c.Known)
	if err != nil {
		return err
	}
	out := e.stdout
	if c.Out != "" {
		f, err := os.OpenFile(c.Out, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return fmt.Errorf("-o: %w", err)
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		out = f
	}
	inv := &inventory{c: c, sets: sets, counts: map[string]int{}}
	if err := inv.open(out); err != nil {
		return err
	}
	defer inv.drop()
	if err := inv.survey(ctx, e); err != nil {
		return err
	}
	if err := inv.close(); err != nil {
		return err
	}
	fmt.Fprintf(e.stderr, "%d files, %d other entries, %d of a hash set; only what is allocated, nothing that was deleted.\n", inv.files, inv.others, inv.known)
	for _, v := range inv.refused {
		fmt.Fprintf(e.stderr, "Volume %d of %s: %s: %s\n", v.Volume, v.Place, v.Outcome, v.Note)
	}
	bad := len(inv.refused)
	for _, n := range inv.counts {
		bad += n
	}
	if bad > 0 {
		return &exitError{exitFailed, fmt.Errorf("%d things are not whole or were not read: %v; the inventory says of each why", bad, inv.counts)}
	}
	return nil
}

func readHashSets(paths []string) (sets []*formats.HashSet, err error) {
	for _, p := range paths {
		f, err := os.Open(p)
		if err != nil {
			return nil, err
		}
		s, err := formats.ReadHashSet(filepath.Base(p), f)
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, &exitError{exitUsage, fmt.Errorf("-known: %w", err)}
		}
		sets = append(sets, s)
	}
	return sets, nil
}

// knownIn is the name of the first set that has a file.
func knownIn(sets []*formats.HashSet, s vault.Surveyed) string {
	for _, set := range sets {
		if set.Has(s.SHA256, s.SHA1, s.MD5) {
			return set.Name
		}
	}
	return ""
}

// inventory is one being written: what is known waits in a file of its own, so
// that it comes last whatever there is of it.
type inventory struct {
	c       *evidenceFilesCmd
	sets    []*formats.HashSet
	out     *bufio.Writer
	spill   *os.File
	later   *bufio.Writer
	sample  strings.Builder
	files   int
	others  int
	known   int
	counts  map[string]int // by outcome
	refused []vault.SurveyedVolume
}

func (i *inventory) open(out io.Writer) (err error) {
	i.out = bufio.NewWriterSize(out, 256<<10)
	if i.spill, err = durable.Nameless(""); err != nil {
		return err
	}
	i.later = bufio.NewWriterSize(i.spill, 256<<10)
	if i.c.CSV {
		return writeCSV(i.out, inventoryHeader())
	}
	return nil
}

func (i *inventory) close() error {
	if err := i.later.Flush(); err != nil {
		return err
	}
	if _, err := i.spill.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if _, err := io.Copy(i.out, i.spill); err != nil {
		return err
	}
	return i.out.Flush()
}

func (i *inventory) drop() {
	_ = i.spill.Close() // it was never for keeping
}

func (i *inventory) survey(ctx context.Context, e *env) error {
	pool, err := containerPool(false)
	if err != nil {
		return err
	}
	job := vault.SurveyJob{Source: i.c.Source, Children: pool, Text: sampleBytes, Volume: i.volume, Entry: i.entry, Progress: new(vault.Progress)}
	job.Part = func(text string) error {
		if i.sample.Len() < sampleBytes {
			i.sample.WriteString(text[:min(len(text), sampleBytes)])
		}
		return nil
	}
	for _, s := range i.sets {
		sha1, md5 := s.Wants()
		job.SHA1, job.MD5 = job.SHA1 || sha1, job.MD5 || md5
	}
	defer tell(e.stderr, job.Progress)()
	return vault.Survey(ctx, job)
}

func (i *inventory) volume(v vault.SurveyedVolume) error {
	if v.Outcome != "" {
		i.refused = append(i.refused, v)
	}
	switch {
	case i.c.JSON:
		return json.NewEncoder(i.out).Encode(v)
	case i.c.CSV:
		return nil // every row names its volume
	}
	_, err := fmt.Fprintf(i.out, "Volume %d of %s: %s, %s at byte %d, times %s, label %q %s\n", v.Volume, v.Place, cmp.Or(v.System, "unknown"), bytesText(v.Size), v.Start, cmp.Or(v.Times, "unknown"), v.Label, strings.Trim(v.Outcome+" "+v.Note, " "))
	return err
}

func (i *inventory) entry(s vault.Surveyed) error {
	line := fileLine{Path: s.Path(), Surveyed: s, State: "allocated"}
	if s.Type != vault.TypeFile {
		i.others++
	} else {
		i.files++
	}
	if s.Encoding != "" {
		line.Language = match.Language(strings.ToValidUTF8(i.sample.String(), "")).Language
	}
	i.sample.Reset()
	if s.Outcome != "" {
		i.counts[s.Outcome]++
	}
	to := i.out
	if line.Known = knownIn(i.sets, s); line.Known != "" {
		i.known++
		to = i.later
	}
	switch {
	case i.c.JSON:
		enc := json.NewEncoder(to)
		enc.SetEscapeHTML(false)
		return enc.Encode(line)
	case i.c.CSV:
		return writeCSV(to, line.row())
	}
	_, err := fmt.Fprintf(to, "%-9s %12d %-20.20s %-12.12s %-24.24s %-3s %s%s\n", s.Type, s.Size, s.Modified, s.SHA256, s.Media, line.Language, line.Path, remarks(line))
	return err
}

func remarks(l fileLine) string {
	text := ""
	if l.Link != "" {
		text += " -> " + l.Link
	}
	if l.Known != "" {
		text += " [known: " + l.Known + "]"
	}
	if l.Outcome != "" || l.Note != "" {
		text += " [" + strings.Trim(l.Outcome+": "+l.Note, ": ") + "]"
	}
	return text
}

func inventoryHeader() []string {
	return []string{"path", "place", "volume", "type", "size", "modified", "accessed", "changed", "born", "media", "encoding", "language", "sha256", "sha1", "md5", "state", "known", "link", "outcome", "note"}
}

func (l fileLine) row() []string {
	return []string{l.Path, l.Place, strconv.Itoa(l.Volume), l.Type, strconv.FormatInt(l.Size, 10), l.Modified, l.Accessed, l.Changed, l.Born, l.Media, l.Encoding, l.Language, l.SHA256, l.SHA1, l.MD5, l.State, l.Known, l.Link, l.Outcome, l.Note}
}

// writeCSV writes one row. A field that a spreadsheet would run is written as text.
func writeCSV(to io.Writer, row []string) error {
	for k, v := range row {
		if v != "" && strings.ContainsRune("=+-@\t\r", rune(v[0])) {
			row[k] = "'" + v
		}
	}
	w := csv.NewWriter(to)
	if err := w.Write(row); err != nil {
		return err
	}
	w.Flush()
	return w.Error()
}
