package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode/utf8"

	"concert/internal/match"
)

type languageCmd struct {
	Files []string `arg:"" name:"file" help:"Files of one text a line, or - for standard input."`
}

// languageLine is the answer to one line.
type languageLine struct {
	File       string  `json:"file"`
	Line       int     `json:"line"`
	Lang       string  `json:"lang"`
	Script     string  `json:"script"`
	Direction  string  `json:"direction"`
	Confidence float64 `json:"confidence"`
	Error      string  `json:"error,omitempty"`
}

// maxLanguageLine bounds a line, in bytes; the rest of a longer one is passed
// over, so that a file without line ends costs no more memory.
const maxLanguageLine = 1 << 20

// Run says of each line that is not empty in what language it is, one JSON
// object a line. A line or a file that cannot be read is named in its object,
// the others are answered, and the exit code says so.
func (c *languageCmd) Run(ctx context.Context, e *env) error {
	out := bufio.NewWriter(e.stdout)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	bad := 0
	for _, name := range c.Files {
		n, err := languageFile(ctx, e, name, enc)
		bad += n
		if err != nil {
			return errors.Join(err, out.Flush())
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if bad > 0 {
		return &exitError{code: exitFailed, err: fmt.Errorf("%d of the lines or files cannot be read: each has an error in its object", bad)}
	}
	return nil
}

// languageFile answers one file's lines and counts what could not be read; its
// error is one of writing.
func languageFile(ctx context.Context, e *env, name string, enc *json.Encoder) (bad int, err error) {
	in := e.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return 1, enc.Encode(languageLine{File: name, Lang: "und", Script: "Zyyy", Direction: "auto", Error: err.Error()})
		}
		defer f.Close()
		in = f
	}
	r := bufio.NewReaderSize(in, maxLanguageLine)
	for line := 1; ; line++ {
		if err := ctx.Err(); err != nil {
			return bad, err
		}
		text, problem, end := readLanguageLine(r)
		if l, ok := languageOf(text, problem); ok {
			l.File, l.Line = name, line
			if l.Error != "" {
				bad++
			}
			if err := enc.Encode(l); err != nil {
				return bad, err
			}
		}
		if end {
			return bad, nil
		}
	}
}

// readLanguageLine reads one line without its end; problem says what is wrong
// with it, end that nothing follows.
func readLanguageLine(r *bufio.Reader) (text []byte, problem string, end bool) {
	text, err := r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		problem = fmt.Sprintf("the line is longer than %d bytes: break it up", maxLanguageLine)
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = r.ReadSlice('\n')
		}
		text = nil
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err.Error(), true
	}
	return bytes.TrimRight(text, "\r\n"), problem, err != nil
}

// languageOf answers a line; an empty one has no answer.
func languageOf(text []byte, problem string) (languageLine, bool) {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	switch {
	case problem == "" && len(bytes.TrimSpace(text)) == 0:
		return languageLine{}, false
	case problem == "" && !utf8.Valid(text):
		problem = "the line is not UTF-8: convert it first"
	case problem == "" && bytes.IndexByte(text, 0) >= 0:
		problem = "the line holds NUL bytes, as UTF-16 does: convert it to UTF-8 first"
	}
	if problem != "" {
		return languageLine{Lang: "und", Script: "Zyyy", Direction: "auto", Error: problem}, true
	}
	g := match.Language(string(text))
	return languageLine{Lang: g.Language, Script: g.Script, Direction: g.Direction, Confidence: g.Confidence}, true
}
