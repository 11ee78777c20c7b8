package vault

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"concert/internal/sandbox"
)

// surveyed is everything that a survey tells, by path.
type surveyed struct {
	files   map[string]Surveyed
	texts   map[string]string
	volumes []SurveyedVolume
	order   []string
}

func survey(t testing.TB, job SurveyJob) surveyed {
	t.Helper()
	got := surveyed{files: map[string]Surveyed{}, texts: map[string]string{}}
	if job.Children == nil {
		job.Children = pool()
	}
	var text strings.Builder
	job.Part = func(p string) error { text.WriteString(p); return nil }
	job.Volume = func(v SurveyedVolume) error { got.volumes = append(got.volumes, v); return nil }
	job.Entry = func(s Surveyed) error {
		got.files[s.Path()], got.order = s, append(got.order, s.Path())
		if text.Len() > 0 {
			got.texts[s.Path()] = text.String()
		}
		text.Reset()
		return nil
	}
	must(t, Survey(t.Context(), job))
	return got
}

// disk is a directory with a text, an archive in it and an ext4 image that holds
// both; without mke2fs the test says so.
func disk(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(tempDir(t), "src")
	write(t, filepath.Join(dir, "plain.txt"), []byte("EXERCISE plain words"))
	write(t, filepath.Join(dir, "page"), []byte("<html><body>EXERCISE <b>page</b></body></html>"))
	write(t, filepath.Join(dir, "doc.pdf"), []byte("%PDF-1.7 EXERCISE"))
	write(t, filepath.Join(dir, "pack.zip"), zipText(t, "in/a.txt", "../escape.txt"))
	must(t, os.Symlink("/etc/passwd", filepath.Join(dir, "link")))
	mke2fs, err := exec.LookPath("mke2fs")
	if err != nil {
		mke2fs = "/usr/sbin/mke2fs"
	}
	if _, err := os.Stat(mke2fs); err != nil {
		t.Skip("mke2fs is not installed (Debian: e2fsprogs)")
	}
	image := filepath.Join(filepath.Dir(dir), "disk.raw")
	if out, err := exec.Command(mke2fs, "-q", "-t", "ext4", "-d", dir, image, "8M").CombinedOutput(); err != nil {
		t.Fatalf("mke2fs: %v: %s", err, out)
	}
	must(t, os.Rename(image, filepath.Join(dir, "disk.raw")))
	return dir
}

type state struct {
	sum              [sha256.Size]byte
	modified, access time.Time
}

// states are the bytes and times of every file of a tree.
func states(t *testing.T, dir string) map[string]state {
	t.Helper()
	out := map[string]state{}
	must(t, filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() && !d.IsDir() {
			return err
		}
		info, err := os.Stat(p)
		if err != nil {
			return err
		}
		if d.IsDir() {
			out[p] = state{modified: info.ModTime(), access: accessed(info)}
			return nil
		}
		f, err := openSource(p)
		if err != nil {
			return err
		}
		defer f.Close()
		b, err := io.ReadAll(f)
		out[p] = state{sha256.Sum256(b), info.ModTime(), accessed(info)}
		return err
	}))
	return out
}

func TestASurveyTellsWhatLiesInDirectoriesArchivesAndImages(t *testing.T) {
	t.Parallel()
	dir := disk(t)
	long := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC) // which a reading that is not careful would bring up to date
	must(t, errors.Join(os.Chtimes(dir, long, long), os.Chtimes(filepath.Join(dir, "plain.txt"), long, long)))
	before := states(t, dir)
	must(t, os.Chtimes(dir, long, long))
	before[dir] = state{modified: long, access: long}
	got := survey(t, SurveyJob{Source: dir, Text: 1 << 20, SHA1: true, MD5: true})
	after := states(t, dir)
	for p, s := range before { // P1
		if a := after[p]; a.sum != s.sum || !a.modified.Equal(s.modified) || !a.access.Equal(s.access) {
			t.Errorf("%s is not what it was: %v, %v", p, s, after[p])
		}
	}
	sum := func(s string) string { h := sha256.Sum256([]byte(s)); return hex.EncodeToString(h[:]) }
	for p, want := range map[string]struct{ text, sum, media string }{
		"plain.txt":                          {"EXERCISE plain words", sum("EXERCISE plain words"), "text/plain"},
		"disk.raw!1/plain.txt":               {"EXERCISE plain words", sum("EXERCISE plain words"), "text/plain"},
		"pack.zip!/in/a.txt":                 {"EXERCISE in/a.txt", sum("EXERCISE in/a.txt"), "text/plain"},
		"disk.raw!1/pack.zip!/in/a.txt":      {"EXERCISE in/a.txt", sum("EXERCISE in/a.txt"), "text/plain"},
		"disk.raw!1/pack.zip!/../escape.txt": {"EXERCISE ../escape.txt", sum("EXERCISE ../escape.txt"), "text/plain"},
		"disk.raw!1/doc.pdf":                 {"", sum("%PDF-1.7 EXERCISE"), "application/pdf"},
	} {
		f, ok := got.files[p]
		if !ok || f.SHA256 != want.sum || f.Media != want.media || f.Outcome != "" || f.SHA1 == "" || f.MD5 == "" || f.Type != TypeFile {
			t.Errorf("%s: %+v", p, f)
		}
		if got.texts[p] != want.text {
			t.Errorf("%s has the text %q", p, got.texts[p])
		}
	}
	if s := strings.Join(strings.Fields(got.texts["disk.raw!1/page"]), " "); s != "EXERCISE page" {
		t.Errorf("the page has the text %q", s)
	}
	for _, p := range []string{"link", "disk.raw!1/link"} {
		if l := got.files[p]; l.Type != TypeLink || l.Link != "/etc/passwd" || l.SHA256 != "" {
			t.Errorf("%+v", l)
		}
	}
	if len(got.volumes) != 1 || got.volumes[0].System != "ext4" || got.volumes[0].Outcome != "" {
		t.Errorf("%+v", got.volumes)
	}
	if again := survey(t, SurveyJob{Source: dir, Text: 1 << 20}); strings.Join(again.order, "\n") != strings.Join(got.order, "\n") {
		t.Error("another survey has another order")
	}
	// One thing is read again alone.
	for _, p := range []string{"plain.txt", "pack.zip!/in/a.txt", "disk.raw!1/plain.txt", "disk.raw!1/pack.zip!/in/a.txt"} {
		only := got.files[p]
		one := survey(t, SurveyJob{Source: dir, Text: 1 << 20, Only: &only})
		if len(one.order) != 1 || one.files[p].SHA256 != only.SHA256 || one.texts[p] != got.texts[p] {
			t.Errorf("%s alone: %+v %q", p, one.files, one.texts)
		}
	}
}

func TestASurveyOfABagComparesWithItsManifest(t *testing.T) {
	t.Parallel()
	dir := disk(t)
	job := sealJob(t, dir)
	out := seal(t, job)
	got := survey(t, SurveyJob{Source: job.Bag, Text: 1 << 20})
	for _, it := range out.Manifest.Items {
		if f, ok := got.files[it.Path]; !ok || f.SHA256 != it.SHA256 || f.Outcome != "" {
			t.Errorf("%s: %+v", it.Path, f)
		}
	}
	if got.texts["data/src/disk.raw!1/pack.zip!/in/a.txt"] != "EXERCISE in/a.txt" {
		t.Errorf("%v", got.order)
	}
	altered := filepath.Join(job.Bag, "data/src/plain.txt")
	must(t, os.Chmod(altered, 0o600))
	must(t, os.WriteFile(altered, []byte("EXERCISE other words"), 0o600))
	if f := survey(t, SurveyJob{Source: job.Bag}).files["data/src/plain.txt"]; f.Outcome != OutcomeChanged {
		t.Errorf("an altered file is %+v", f)
	}
}

func TestTheRealImageIsSurveyed(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(realImage); err != nil {
		t.Skip("the real image is not there: ../shared/data/evidence beside the repository")
	}
	got := survey(t, SurveyJob{Source: realImage, Text: 1 << 20})
	p := got.files["ext2.E01!1/passwords.txt"]
	if len(got.volumes) != 1 || got.volumes[0].System != "ext2" || p.SHA256 != "02a2a6af2f1ecf4720d7d49d640f0d0a269a7ec733e41973bdd34f09dad0e252" || p.Modified != "2021-07-22T14:07:32Z" || len(got.order) != 6 {
		t.Errorf("%+v %+v %v", got.volumes, p, got.order)
	}
	for p, want := range map[string]string{"a_directory/a_file": "4a49638d0e1055fd9e4c17fef7fdf4d6ccf892b6d9c2f64164203c4bfb0ec92d", "a_directory/another_file": "c7fbc0e821c0871805a99584c6a384533909f68a6bbe9a2a687d28d9f3b10c16"} {
		if f := got.files["ext2.E01!1/"+p]; f.SHA256 != want {
			t.Errorf("%s: %+v", p, f)
		}
	}
	if l := got.files["ext2.E01!1/a_link"]; l.Type != TypeLink || l.Link != "a_directory/another_file" {
		t.Errorf("%+v", l)
	}
	// The same by SleuthKit, where it is installed and reads E01.
	if _, err := exec.LookPath("fls"); err == nil {
		for line := range strings.Lines(string(first(exec.Command("fls", "-r", "-p", "-u", realImage).Output()))) {
			number, name, ok := strings.Cut(strings.TrimSpace(line), ":\t")
			if !ok || !strings.HasPrefix(number, "r/r ") {
				continue
			}
			b, err := exec.Command("icat", realImage, strings.TrimPrefix(number, "r/r ")).Output()
			must(t, err)
			if s := sha256.Sum256(b); got.files["ext2.E01!1/"+name].SHA256 != hex.EncodeToString(s[:]) {
				t.Errorf("%s is not what icat reads", name)
			}
		}
	}
	if !strings.Contains(got.texts["ext2.E01!1/passwords.txt"], "treasure chest,-,1111") {
		t.Errorf("%q", got.texts)
	}
}

const deadly = "EXERCISE that kills what reads it"

// mortal is an answer that ends its process when it would hold a deadly text: no
// file can be made that is known to break a reader for ever.
type mortal struct{ io.Writer }

// Write implements io.Writer.
func (m mortal) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(deadly)) {
		os.Exit(5)
	}
	return m.Writer.Write(p)
}

// Flush hands on what waits.
func (m mortal) Flush() error { return m.Writer.(*bufio.Writer).Flush() }

func mortalSurvey(in []byte, files []*os.File, out io.Writer) error {
	return surveyTask(in, files, mortal{out})
}

func first(b []byte, _ error) []byte { return b }

// A child that dies costs the one thing that it read (P14).
func TestAChildThatDiesCostsOneFileOfASurvey(t *testing.T) {
	t.Parallel()
	dir := disk(t)
	children := &sandbox.Pool{Command: []string{os.Args[0]}, Env: []string{childMark + "=mortal"}}
	write(t, filepath.Join(dir, "a deadly.txt"), []byte(deadly+" and more"))
	got := survey(t, SurveyJob{Source: dir, Text: 1 << 20, Children: children})
	if f := got.files["a deadly.txt"]; f.Outcome != OutcomeGone {
		t.Errorf("%+v", f)
	}
	for _, p := range []string{"plain.txt", "page", "disk.raw!1/plain.txt"} {
		if f := got.files[p]; f.SHA256 == "" || f.Outcome != "" {
			t.Errorf("%s: %+v", p, f)
		}
	}
	if len(got.files) != len(got.order) {
		t.Errorf("something is told twice: %v", got.order)
	}
	if err := Survey(t.Context(), SurveyJob{Source: dir, Children: &sandbox.Pool{Command: []string{"/bin/false"}}, Entry: func(Surveyed) error { return nil }}); err != nil {
		t.Errorf("children that never live: %v", err)
	}
	enough := errors.New("enough")
	if err := Survey(t.Context(), SurveyJob{Source: dir, Children: pool(), Entry: func(Surveyed) error { return enough }}); !errors.Is(err, enough) {
		t.Errorf("%v", err)
	}
}

func TestTypesAreToldByBytes(t *testing.T) {
	t.Parallel()
	for head, want := range map[string]string{
		"": "inode/x-empty", "EXERCISE": "text/plain", "<!DOCTYPE html><p>": "text/html", "%PDF-1.4": "application/pdf", "MZ\x90\x00": "application/x-msdownload", "\x7fELF\x02": "application/x-elf",
		"SQLite format 3\x00": "application/vnd.sqlite3", "\xff\xd8\xff\xe0": "image/jpeg", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": mediaOLE, "PK\x03\x04" + strings.Repeat("\x00", 26) + "[Content_Types].xml": "application/vnd.openxmlformats-officedocument",
		"PK\x03\x04" + strings.Repeat("\x00", 26) + "a.txt": "application/zip", "\xff\xfeE\x00X\x00": "text/plain",
	} {
		if got := MediaOf([]byte(head)); got != want {
			t.Errorf("%q is %s, wanted %s", head, got, want)
		}
	}
	if !bytes.HasPrefix(tarText(), []byte("x")) && MediaOf(tarText()) != "application/x-tar" {
		t.Error("a tar is not told")
	}
}
