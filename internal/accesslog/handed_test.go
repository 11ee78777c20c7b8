package accesslog

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
)

// Whoever may open nothing counts the files and fills the file that it was handed.
func TestAnalyseHandedFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := crowd(60_000)
	paths := []string{filepath.Join(dir, "a.log"), filepath.Join(dir, "b.log.gz"), dir}
	for i, raw := range [][]byte{[]byte(text), squeeze(t, gzipped, text)} {
		if err := os.WriteFile(paths[i], raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var files []*os.File
	for _, p := range append(paths, paths[0]) {
		f, err := os.Open(p)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files = append(files, f)
	}
	if _, err := io.CopyN(io.Discard, files[0], 1000); err != nil { // somebody read in it before
		t.Fatal(err)
	}
	scratch, err := os.Create(filepath.Join(dir, "scratch"))
	if err != nil {
		t.Fatal(err)
	}
	r := analyse(t, Options{Files: files, Scratch: scratch, Memory: 1 << 20, TempDir: filepath.Join(dir, "none")}, "first", "-", "folder", "again")
	for i, want := range []Outcome{Read, Read, NotRegular, Duplicate} {
		if r.Inputs[i].Outcome != want {
			t.Errorf("%s: %s, want %s", r.Inputs[i].File, r.Inputs[i].Outcome, want)
		}
	}
	if st, err := os.Stat(scratch.Name()); err != nil || st.Size() == 0 {
		t.Errorf("the scratch file: %v, %v", st.Size(), err)
	}
	if one := analyse(t, Options{}, paths[0]); r.Lines != 2*one.Lines || r.Visitors.IP.WithBots != one.Visitors.IP.WithBots {
		t.Errorf("%d lines, want twice %d; %d visitors, want %d", r.Lines, one.Lines, r.Visitors.IP.WithBots, one.Visitors.IP.WithBots)
	}
}

// A file is told to be a log by its beginning, packed or not.
func TestIsLogFile(t *testing.T) {
	t.Parallel()
	text := invented(600, 3)
	for name, c := range map[string]struct {
		raw  []byte
		want bool
	}{
		"a log": {[]byte(text), true}, "gzip": {squeeze(t, gzipped, text), true}, "zstd": {squeeze(t, zstandard, text), true}, "xz": {squeeze(t, xzipped, text), true},
		"nothing": {nil, false}, "a letter": {[]byte("x"), false}, "words": {[]byte(strings.Repeat("EXERCISE words\n", 99)), false}, "packed words": {squeeze(t, gzipped, strings.Repeat("words\n", 99)), false},
		"gzip cut short": {squeeze(t, gzipped, text)[:9], false}, "the magic alone": {[]byte("\x1f\x8b\x08\x00\x00\x00"), false}, "one line": {[]byte(text[:strings.IndexByte(text, '\n')]), true},
	} {
		if got, err := IsLogFile(bytes.NewReader(c.raw)); got != c.want || err != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	broken := errors.New("EXERCISE medium error")
	for _, head := range []string{"", "1", text[:100], text, string(squeeze(t, gzipped, text)[:20])} {
		if _, err := IsLogFile(io.MultiReader(strings.NewReader(head), iotest.ErrReader(broken))); len(head) < sniffBytes && !errors.Is(err, broken) {
			t.Errorf("the medium fails after %d bytes: %v", len(head), err)
		}
	}
}

func FuzzIsLogFile(f *testing.F) {
	f.Add([]byte("198.51.100.1 - - [10/Jun/2017:13:55:37 +0200] \"GET / HTTP/1.1\" 200 5\n"))
	for _, how := range []string{gzipped, zstandard, xzipped} {
		f.Add(squeeze(f, how, "EXERCISE\n"))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if is, err := IsLogFile(bytes.NewReader(raw)); is && len(raw) < 6 || err != nil {
			t.Error("six bytes are no log")
		}
	})
}
