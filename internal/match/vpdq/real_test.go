package vpdq

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// sampleFiles are the public sample hashes of facebook/ThreatExchange, from the shared folder beside the repository or from the
// checkout that CONCERT_TEST_THREATEXCHANGE names.
func sampleFiles(t *testing.T, kind, pattern string) map[string][]byte {
	t.Helper()
	folders := []string{"../../../../shared/data/" + kind}
	if checkout := os.Getenv("CONCERT_TEST_THREATEXCHANGE"); checkout != "" {
		folders = append(folders, filepath.Join(checkout, kind, "sample-hashes"))
	}
	files := map[string][]byte{}
	for _, folder := range folders {
		names, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files[filepath.Base(name)] = text
		}
	}
	if len(files) == 0 {
		t.Skipf("no sample hashes of %s here: CONCERT_TEST_THREATEXCHANGE may name a checkout of facebook/ThreatExchange", kind)
	}
	return files
}

func TestRealFrameLists(t *testing.T) {
	t.Parallel()
	lists := map[string][]Frame{}
	for name, text := range sampleFiles(t, "vpdq", "*.txt") {
		frames, err := ReadLines(bytes.NewReader(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var back bytes.Buffer
		if err := WriteLines(&back, frames); err != nil || !bytes.Equal(back.Bytes(), text) {
			t.Errorf("%s does not come back byte by byte (%v)", name, err)
		}
		lists[name] = frames
	}
	for _, pair := range [][2]string{
		{"chair-orig-22-sd-bar.txt", "chair-22-sd-sepia-bar.txt"},
		{"chair-orig-22-sd-bar.txt", "chair-22-with-large-logo-bar.txt"},
		{"chair-orig-22-sd-bar.txt", "chair-20-sd-bar.txt"},
		{"chair-orig-22-sd-bar.txt", "chair-orig-22-hd-no-bar.txt"},
		{"pattern-hd-no-bar.txt", "pattern-longer-no-bar.txt"},
		{"pattern-sd-grey-bar.txt", "pattern-sd-with-small-logo-bar.txt"},
		{"chair-orig-22-sd-bar.txt", "pattern-sd-grey-bar.txt"},
	} {
		a, b := lists[pair[0]], lists[pair[1]]
		if a == nil || b == nil {
			t.Logf("%v are not both here", pair)
			continue
		}
		l, err := Compare(a, b)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s / %s: %.3f of %d, %.3f of %d, matched %v", pair[0], pair[1], l.ShareOfA, l.FramesA, l.ShareOfB, l.FramesB, l.Matched())
		for _, s := range l.Segments {
			t.Logf("    %.2f-%.2f is %.2f-%.2f, offset %.2f, %d of %d frames, mean distance %.1f", s.A.From, s.A.To, s.B.From, s.B.To, s.Offset, s.Frames, s.Of, s.Distance)
		}
	}
}

// The scores are those that the reference prints in tmk/README.md.
func TestRealTMKScores(t *testing.T) {
	t.Parallel()
	hashes := map[string]*TMK{}
	for name, text := range sampleFiles(t, "tmk", "*.tmk") {
		hash, err := ReadTMK(bytes.NewReader(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var back bytes.Buffer
		if err := hash.Write(&back); err != nil || !bytes.Equal(back.Bytes(), text) {
			t.Errorf("%s does not come back byte by byte (%v)", name, err)
		}
		hashes[name] = hash
	}
	for _, c := range []struct {
		level1, level2 float64
		a, b           string
	}{
		{-0.088088, 0.033167, "chair-19-sd-bar.tmk", "pattern-sd-with-large-logo-bar.tmk"},
		{-0.077388, 0.026434, "chair-22-with-small-logo-bar.tmk", "pattern-sd-with-small-logo-bar.tmk"},
		{0.926403, 0.953071, "chair-22-with-small-logo-bar.tmk", "chair-orig-22-sd-bar.tmk"},
		{0.985408, 0.988313, "chair-20-sd-bar.tmk", "chair-orig-22-sd-bar.tmk"},
		{0.719880, 0.737563, "chair-orig-22-hd-no-bar.tmk", "chair-orig-22-sd-bar.tmk"},
		{0.999883, 0.999877, "chair-orig-22-fhd-no-bar.tmk", "chair-orig-22-hd-no-bar.tmk"},
		{1, 1, "chair-orig-22-hd-no-bar.tmk", "chair-orig-22-hd-no-bar.tmk"},
	} {
		a, b := hashes[c.a], hashes[c.b]
		if a == nil || b == nil {
			t.Logf("%s and %s are not both here", c.a, c.b)
			continue
		}
		level1, level2, err := a.Compare(b)
		if err != nil || math.Abs(level1-c.level1) > 2e-4 || math.Abs(level2-c.level2) > 2e-4 {
			t.Errorf("%s, %s: %.6f %.6f %v, want %.6f %.6f", c.a, c.b, level1, level2, err, c.level1, c.level2)
		}
	}
}
