package e2e

import (
	"bytes"
	"encoding/json"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"concert/internal/testkit"
)

// What concert hash prints is a bank: a copy that was encoded anew and one that was mirrored are found in it, a stranger is not.
func TestMatchFindsAlteredCopies(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	original := patterned(320, 240)
	mirrored, stranger := image.NewNRGBA(original.Rect), image.NewNRGBA(original.Rect)
	for y := range 240 {
		for x := range 320 {
			mirrored.Set(319-x, y, original.At(x, y))
			stranger.Set(x, y, original.At((x*7+y*3)%320, (y*5+x)%240))
		}
	}
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		testkit.Must(t, os.WriteFile(path, data, 0o600))
		return path
	}
	of := func(m image.Image) []byte { return picture(t, func(b *bytes.Buffer) error { return png.Encode(b, m) }) }
	known := write("known.png", of(original))
	write("again.jpg", picture(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, original, &jpeg.Options{Quality: 40}) }))
	write("mirrored.png", of(mirrored))
	write("stranger.png", of(stranger))
	list, err := exec.CommandContext(t.Context(), program(t), "hash", known).Output()
	testkit.Must(t, err)
	out, err := exec.CommandContext(t.Context(), program(t), "match", "-bank", write("bank.ndjson", list), dir).Output()
	testkit.Must(t, err)
	type line struct {
		By, Orientation string
		Distance        int
	}
	found := map[string]line{}
	for text := range bytes.Lines(out) {
		var l struct {
			File string
			line
		}
		testkit.Must(t, json.Unmarshal(text, &l))
		found[filepath.Base(l.File)] = l.line
	}
	if len(found) != 3 || found["known.png"] != (line{"sha256", "original", 0}) || found["again.jpg"].By != "pdq" || found["again.jpg"].Orientation != "original" || found["mirrored.png"].Orientation != "flipy" {
		t.Errorf("found %+v", found)
	}
}
