package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"concert/internal/formats"
	"concert/internal/testkit"
)

// filmed makes EXERCISE films with ffmpeg; where there is none the test says so.
func filmed(t *testing.T, dir string) func(name string, args ...string) {
	t.Helper()
	path, err := exec.LookPath("ffmpeg")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("there is no ffmpeg, and CI must not leave videos out: ./check installs it")
		}
		t.Skip("there is no ffmpeg here: ./check installs it")
	}
	return func(name string, args ...string) {
		t.Helper()
		to := filepath.Join(dir, name)
		testkit.Must(t, os.MkdirAll(filepath.Dir(to), 0o755))
		args = slices.Concat([]string{"-nostdin", "-loglevel", "error"}, args, []string{to})
		if out, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", name, err, out)
		}
	}
}

// filmLine is what concert match prints of a film.
type filmLine struct {
	File, Orientation, By, Segment string
	BankEntry                      string `json:"bank_entry"`
	Distance                       *int
	ShareOfFile                    float64 `json:"share_of_file"`
	ShareOfEntry                   float64 `json:"share_of_entry"`
	Score                          float64
}

// matchesOf runs concert match and gives its lines by the file's and the entry's last names.
func matchesOf(t *testing.T, args ...string) map[string]filmLine {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program(t), append([]string{"match"}, args...)...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if x := new(exec.ExitError); err != nil && !errors.As(err, &x) {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, errs.String())
	}
	found := map[string]filmLine{}
	for text := range bytes.Lines(out) {
		var l filmLine
		testkit.Must(t, json.Unmarshal(text, &l))
		found[filepath.Base(l.File)+" "+filepath.Base(l.BankEntry)] = l
	}
	return found
}

// Lists that concert hash writes of videos are a bank: a part of one that was scaled and encoded anew, and one that was mirrored, are found
// in it with the stretch, a stranger is not; and a list is looked for as a video is.
func TestMatchFindsStretchesOfVideos(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shoot := filmed(t, dir)
	mandelbrot := []string{"-f", "lavfi", "-i", "mandelbrot=size=320x240:rate=12:end_scale=0.02"}
	shoot("known/long.mp4", append(mandelbrot, "-t", "16")...)
	known := filepath.Join(dir, "known", "long.mp4")
	shoot("found/part.webm", "-ss", "6", "-t", "6", "-i", known, "-vf", "scale=200:150", "-c:v", "libvpx", "-b:v", "400k", "-deadline", "realtime")
	shoot("found/mirrored.mkv", "-i", known, "-vf", "hflip")
	shoot("found/stranger.mp4", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=12", "-t", "6")
	lists := filepath.Join(dir, "lists")
	testkit.Must(t, os.Mkdir(lists, 0o755))
	out, err := exec.CommandContext(t.Context(), program(t), "hash", "-vpdq", lists, known).Output()
	testkit.Must(t, err)
	var h formats.FileHash
	testkit.Must(t, json.Unmarshal(out, &h))
	if h.Frames < 16 || h.Width != 320 || h.Height != 240 || h.PDQ != "" || h.Error != "" {
		t.Errorf("%+v", h)
	}
	found := matchesOf(t, "-bank", lists, filepath.Join(dir, "found"))
	if len(found) != 2 {
		t.Errorf("found %+v", found)
	}
	part, mirrored := found["part.webm long.mp4.txt"], found["mirrored.mkv long.mp4.txt"]
	if part.By != "vpdq" || part.Orientation != "original" || part.ShareOfFile < 0.8 || part.ShareOfEntry > 0.9 || part.Distance == nil || !strings.HasPrefix(part.Segment, "0.0-") || !strings.Contains(part.Segment, "=6.0-") {
		t.Errorf("a part: %+v", part)
	}
	if mirrored.Orientation != "flipy" || mirrored.ShareOfFile < 0.9 || mirrored.ShareOfEntry < 0.9 || !strings.HasPrefix(mirrored.Segment, "0.0-15.0=0.0-15.0") {
		t.Errorf("mirrored: %+v", mirrored)
	}
	list := filepath.Join(lists, known+".txt")
	if found = matchesOf(t, "-bank", list, list); found["long.mp4.txt long.mp4.txt"].ShareOfEntry != 1 {
		t.Errorf("a list and itself: %+v", found)
	}
	if found = matchesOf(t, "-bank", lists, "-radius", "0", filepath.Join(dir, "found", "part.webm")); len(found) > 0 {
		t.Errorf("within no bits: %+v", found)
	}
}

// Where fpcalc is, what sounds alike is found, labelled as such; where it is not, that is said once and nothing else changes.
func TestMatchFindsSounds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shoot := filmed(t, dir)
	// An invented tune: a tone for each of the numbers that follow from each other.
	tune := func(seed string) string {
		return "aevalsrc=0.3*sin(2*PI*t*(200+40*mod(floor(3*t)*floor(3*t)*" + seed + "\\,23)))+0.2*sin(2*PI*t*(500+70*mod(floor(5*t)*floor(5*t)*" + seed + "\\,17))):s=22050"
	}
	shoot("known/tune.flac", "-f", "lavfi", "-i", tune("7"), "-t", "30")
	shoot("found/clip.mp4", "-f", "lavfi", "-i", "testsrc2=size=64x48:rate=5", "-ss", "8", "-i", filepath.Join(dir, "known/tune.flac"), "-t", "16", "-c:a", "aac", "-b:a", "48k", "-shortest")
	shoot("found/other.mp3", "-f", "lavfi", "-i", tune("5"), "-t", "20")
	cmd := exec.CommandContext(t.Context(), program(t), "hash", filepath.Join(dir, "known"), filepath.Join(dir, "found"))
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s%s", err, out, errs.String())
	}
	if _, err := exec.LookPath("fpcalc"); err != nil {
		if n := strings.Count(errs.String(), formats.ErrNoFPCalc.Error()); n != 1 || bytes.Contains(out, []byte("chromaprint")) {
			t.Errorf("said %d times: %s%s", n, out, errs.String())
		}
		t.Skip("there is no fpcalc here (Debian: libchromaprint-tools): sounds are not compared")
	}
	bank := filepath.Join(dir, "bank.ndjson")
	testkit.Must(t, os.WriteFile(bank, out[:bytes.IndexByte(out, '\n')], 0o600))
	found := matchesOf(t, "-bank", bank, filepath.Join(dir, "found"))
	l := found["clip.mp4 tune.flac"]
	from, to, _ := strings.Cut(l.Segment, "=")
	if len(found) != 1 || l.By != "chromaprint" || l.Distance != nil || l.Score < 0.8 || !strings.HasPrefix(from, "0.") || math.Abs(begin(t, to)-8) > 1 {
		t.Errorf("found %+v\n%s", found, out)
	}
}

// begin is where a stretch begins.
func begin(t *testing.T, span string) (s float64) {
	t.Helper()
	from, _, _ := strings.Cut(span, "-")
	testkit.Must(t, json.Unmarshal([]byte(from), &s))
	return s
}

// Files that other programs made of whole videos are compared: those of the public samples, where a checkout is named.
func TestMatchComparesTMK(t *testing.T) {
	t.Parallel()
	checkout := os.Getenv("CONCERT_TEST_THREATEXCHANGE")
	if checkout == "" {
		t.Skip("CONCERT_TEST_THREATEXCHANGE names no checkout of facebook/ThreatExchange, whose tmk/sample-hashes these are")
	}
	dir := filepath.Join(checkout, "tmk/sample-hashes")
	found := matchesOf(t, "-bank", filepath.Join(dir, "chair-orig-22-sd-bar.tmk"), filepath.Join(dir, "chair-20-sd-bar.tmk"), filepath.Join(dir, "pattern-hd-no-bar.tmk"))
	if l := found["chair-20-sd-bar.tmk chair-orig-22-sd-bar.tmk"]; len(found) != 1 || l.By != "tmk" || l.Score < 0.95 || l.Distance != nil {
		t.Errorf("found %+v", found)
	}
}
