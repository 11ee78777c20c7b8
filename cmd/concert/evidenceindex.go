package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"concert/internal/accesslog"
	"concert/internal/formats"
	"concert/internal/match"
	"concert/internal/store"
	"concert/internal/vault"
)

// evidenceIndexCmd makes the full-text index of a case.
type evidenceIndexCmd struct {
	Source []string `arg:"" help:"Bags, directories, first segments of images, archives. They are only read."`
	Case   string   `help:"The case that it belongs to." required:"" placeholder:"ID"`
	Out    string   `name:"out" short:"o" help:"The index to make: a file that does not exist yet." required:"" placeholder:"FILE"`
	Known  []string `help:"A hash set: what it has is found as well, and stands last." type:"existingfile" placeholder:"FILE"`
}

// textMost is how much text of one file is indexed.
const textMost = 1 << 30

// indexStep is a part of a text, or the file that the parts before were of.
type indexStep struct {
	fold string
	doc  *store.TextDocument
}

// Run indexes.
func (c *evidenceIndexCmd) Run(ctx context.Context, e *env) error {
	sets, err := readHashSets(c.Known)
	if err != nil {
		return err
	}
	began := time.Now()
	w, err := store.CreateFullText(ctx, c.Out, c.Case)
	if err != nil {
		return err
	}
	x := &indexing{sets: sets, unread: map[string]int{}, outcomes: map[string]int{}, steps: make(chan indexStep, 16)}
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(x.steps)
		for _, source := range c.Source {
			if err := x.survey(gctx, e, source); err != nil {
				return err
			}
		}
		return nil
	})
	g.Go(func() error {
		for step := range x.steps {
			var err error
			if step.doc != nil {
				err = w.Document(gctx, *step.doc)
			} else {
				err = w.Part(gctx, step.fold)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		return &exitError{exitFailed, errors.Join(err, w.Drop())} // to be stopped is no success either
	}
	if err := w.Keep(ctx); err != nil {
		return &exitError{exitFailed, err}
	}
	took := time.Since(began)
	fmt.Fprintf(e.stdout, "Indexed %d texts of %d files for case %s, %s of text, in %s: %.1f MB/s.\n", x.texts, x.files, c.Case, bytesText(x.bytes), took.Round(time.Millisecond), float64(x.bytes)/1e6/max(took.Seconds(), 1e-3))
	if x.logs > 0 {
		fmt.Fprintf(e.stdout, "Left out: %d access logs. Their lines name people; concert accesslog report counts them.\n", x.logs)
	}
	for media, n := range x.unread {
		fmt.Fprintf(e.stdout, "Not read: the text of %d files of type %s. No search finds what is in them.\n", n, media)
	}
	for _, line := range x.volumes {
		fmt.Fprintln(e.stdout, line)
	}
	if len(x.outcomes) > 0 || len(x.volumes) > 0 {
		return &exitError{exitFailed, fmt.Errorf("indexed, and not all was read whole: %v; evidence files says of each why", x.outcomes)}
	}
	return nil
}

// indexing is one index being made.
type indexing struct {
	sets     []*formats.HashSet
	steps    chan indexStep
	sample   strings.Builder
	isLog    bool // the text that comes is an access log: it is counted elsewhere, and its words name people
	logs     int
	texts    int
	files    int
	bytes    int64
	unread   map[string]int
	outcomes map[string]int
	volumes  []string
}

func (x *indexing) survey(ctx context.Context, e *env, source string) error {
	pool, err := containerPool(false)
	if err != nil {
		return err
	}
	absolute, err := filepath.Abs(source)
	if err != nil {
		return err
	}
	send := func(s indexStep) error {
		select {
		case x.steps <- s:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	job := vault.SurveyJob{Source: source, Children: pool, Text: textMost, Progress: new(vault.Progress)}
	for _, s := range x.sets {
		sha1, md5 := s.Wants()
		job.SHA1, job.MD5 = job.SHA1 || sha1, job.MD5 || md5
	}
	job.Part = func(text string) error {
		if x.sample.Len() == 0 {
			x.isLog = accesslog.IsLog([]byte(text))
		}
		if x.sample.Len() < sampleBytes {
			x.sample.WriteString(text[:min(len(text), sampleBytes)])
		}
		if x.isLog {
			return nil
		}
		x.bytes += int64(len(text))
		return send(indexStep{fold: match.Fold(text)})
	}
	job.Volume = func(v vault.SurveyedVolume) error {
		if v.Outcome != "" {
			x.volumes = append(x.volumes, fmt.Sprintf("Volume %d of %s: %s: %s", v.Volume, v.Place, v.Outcome, v.Note))
		}
		return nil
	}
	job.Entry = func(s vault.Surveyed) error {
		if s.Outcome != "" {
			x.outcomes[s.Outcome]++
		}
		if s.Type != vault.TypeFile {
			return nil
		}
		if x.files++; vault.WordsNotRead(s.Media) {
			x.unread[s.Media]++
		}
		doc := &store.TextDocument{Source: absolute, Place: s.Place, Volume: s.Volume, Inside: s.Inside, Path: s.Path(), Media: s.Media, Size: s.Size, SHA256: s.SHA256, Known: knownIn(x.sets, s)}
		switch {
		case s.Encoding != "" && x.isLog:
			x.logs++
		case s.Encoding != "":
			x.texts++
			doc.Language = match.Language(strings.ToValidUTF8(x.sample.String(), "")).Language
		}
		doc.Modified, _ = time.Parse(time.RFC3339Nano, s.Modified) // without a time it has none
		x.sample.Reset()
		x.isLog = false
		return send(indexStep{doc: doc})
	}
	defer tell(e.stderr, job.Progress)()
	return vault.Survey(ctx, job)
}

// evidenceSearchCmd searches a full-text index.
type evidenceSearchCmd struct {
	Index    string `arg:"" help:"An index that evidence index made." type:"existingfile"`
	Query    string `arg:"" help:"Words that must all be there; \"words in a row\", the begin of a word*, AND, OR, NOT, brackets."`
	Path     string `help:"Only paths like this: * stands for anything, ? for one character." placeholder:"GLOB"`
	Language string `help:"Only texts in this language, by its BCP 47 code." placeholder:"CODE"`
	Type     string `help:"Only files of this media type." placeholder:"TYPE"`
	From     string `help:"Only what was last changed on this day (UTC) or later." placeholder:"YYYY-MM-DD"`
	To       string `help:"Only what was last changed on this day (UTC) or earlier." placeholder:"YYYY-MM-DD"`
	Most     int    `help:"Most hits." default:"20"`
	JSON     bool   `name:"json" help:"One JSON object a hit."`
	Bare     bool   `help:"Do not read the text around the hits again from the evidence."`
}

// searchLine is one hit.
type searchLine struct {
	Path     string   `json:"path"`
	Source   string   `json:"source"`
	Media    string   `json:"media"`
	Language string   `json:"language"`
	Modified string   `json:"modified,omitempty"`
	Size     int64    `json:"size"`
	SHA256   string   `json:"sha256"`
	Score    float64  `json:"score"`
	Known    string   `json:"known,omitempty"`
	Snippet  string   `json:"snippet,omitempty"`
	Hits     [][2]int `json:"hits,omitempty"` // bytes of the snippet
	Note     string   `json:"note,omitempty"`
}

// Run searches. Without a hit it ends with 1, as grep does.
func (c *evidenceSearchCmd) Run(ctx context.Context, e *env) error {
	s, err := c.search()
	if err != nil {
		return &exitError{exitUsage, err}
	}
	index, err := store.OpenFullText(ctx, c.Index)
	if err != nil {
		return err
	}
	defer func() { _ = index.Close() }() // it was only read
	hits, more, err := index.Search(ctx, s)
	if err != nil {
		return err
	}
	for _, h := range hits {
		line := searchLine{Path: h.Path, Source: h.Source, Media: h.Media, Language: h.Language, Size: h.Size, SHA256: h.SHA256, Score: h.Score, Known: h.Known}
		if !h.Modified.IsZero() {
			line.Modified = h.Modified.Format(time.RFC3339)
		}
		if !c.Bare {
			if err := c.snippet(ctx, s.Query, h, &line); err != nil {
				return err
			}
		}
		if err := c.print(e, line); err != nil {
			return err
		}
	}
	if more {
		fmt.Fprintf(e.stderr, "There are more: -most N shows them.\n")
	}
	if len(hits) == 0 {
		return &exitError{exitFailed, fmt.Errorf("nothing was found in case %s; PDF and office documents are not read", index.Case)}
	}
	return nil
}

func (c *evidenceSearchCmd) search() (s store.TextSearch, err error) {
	if s.Query, err = store.ParseTextQuery(c.Query); err != nil {
		return s, err
	}
	s.Path, s.Language, s.Media, s.Most = c.Path, c.Language, c.Type, c.Most
	for _, d := range []struct {
		name, text string
		to         *time.Time
		days       int
	}{{"-from", c.From, &s.From, 0}, {"-to", c.To, &s.To, 1}} {
		if d.text == "" {
			continue
		}
		day, err := time.Parse(time.DateOnly, d.text)
		if err != nil {
			return s, fmt.Errorf("%s %q is no day: write it as 2026-11-26", d.name, d.text)
		}
		*d.to = day.AddDate(0, 0, d.days)
	}
	return s, nil
}

// snippet reads the hit's part again where it lies, and says where it is not what
// was indexed any more.
func (c *evidenceSearchCmd) snippet(ctx context.Context, q store.TextQuery, h store.TextHit, line *searchLine) error {
	pool, err := containerPool(false)
	if err != nil {
		return err
	}
	part, read := 0, false
	err = vault.Survey(ctx, vault.SurveyJob{Source: h.Source, Children: pool, Text: textMost, Only: &vault.Surveyed{Place: h.Place, Volume: h.Volume, Inside: h.Inside},
		Part: func(text string) error {
			if part == h.Part {
				snippet, spans := q.Snippet(text)
				line.Snippet = snippet
				for _, s := range spans {
					line.Hits = append(line.Hits, [2]int{s.From, s.To})
				}
			}
			part++
			return nil
		},
		Entry: func(s vault.Surveyed) error {
			if read = true; s.SHA256 != h.SHA256 {
				line.Note = "it is not what was indexed any more: its digest is another"
			}
			return nil
		}})
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		line.Note = "the text is not read again: " + err.Error()
	case !read:
		line.Note = "it is not there any more: the source was moved or changed"
	}
	return nil
}

func (c *evidenceSearchCmd) print(e *env, l searchLine) error {
	if c.JSON {
		enc := json.NewEncoder(e.stdout)
		enc.SetEscapeHTML(false)
		return enc.Encode(l)
	}
	fmt.Fprintf(e.stdout, "%s  [%s, %s, %s]\n", l.Path, l.Media, cmp.Or(l.Language, "und"), cmp.Or(l.Modified, "no time"))
	if l.Snippet != "" {
		fmt.Fprintln(e.stdout, "  "+marked(l.Snippet, l.Hits))
	}
	for _, note := range []string{l.Note, l.Known} {
		if note != "" {
			fmt.Fprintln(e.stdout, "  ("+note+")")
		}
	}
	return nil
}

// marked puts brackets round the hits, and makes one line of the text: a control
// of a terminal that stands in a seized file must not reach one.
func marked(text string, hits [][2]int) string {
	var b strings.Builder
	at := 0
	for _, h := range hits {
		b.WriteString(text[at:h[0]] + "[[" + text[h[0]:h[1]] + "]]")
		at = h[1]
	}
	b.WriteString(text[at:])
	return strings.Join(strings.FieldsFunc(b.String(), func(r rune) bool { return r <= ' ' || r == 0x7f || 0x80 <= r && r < 0xa0 }), " ")
}
