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

// Below a root paths name files, and nothing outside of it is opened.
func TestAnalyseBelowARoot(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text := invented(50, 3)
	put("outside.log", text)
	if err := os.MkdirAll(filepath.Join(dir, "root", "logs"), 0o700); err != nil {
		t.Fatal(err)
	}
	put("root/logs/a.log", text)
	put("root/-", text)
	if err := os.Symlink("../../outside.log", filepath.Join(dir, "root", "logs", "link.log")); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(filepath.Join(dir, "root"))
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	r := analyse(t, Options{Root: root}, "logs/a.log", "logs/link.log", "../outside.log", filepath.Join(dir, "outside.log"), "logs", "-")
	for i, want := range []Outcome{Read, NotRegular, Failed, Failed, NotRegular, Read} {
		if r.Inputs[i].Outcome != want {
			t.Errorf("%s: %s, want %s", r.Inputs[i].File, r.Inputs[i].Outcome, want)
		}
	}
	if one := analyse(t, Options{}, filepath.Join(dir, "outside.log")); r.Lines != 2*one.Lines {
		t.Errorf("%d lines, want twice %d", r.Lines, one.Lines)
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
