package pdq_test

import (
	"image"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	_ "image/jpeg"
	_ "image/png"

	_ "golang.org/x/image/webp"

	"concert/pdq"
)

// samples are pictures of the reference implementation with its own hashes.
const samples = "../../shared/data/pdq"

type sample struct {
	file          string
	hash          pdq.Hash
	quality       int
	width, height int
}

func readSamples(t testing.TB) []sample {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(samples, "reference.tsv"))
	if err != nil {
		t.Skip("the reference's pictures are not in ../shared/data/pdq beside the repository: nothing to compare with")
	}
	var all []sample
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) != 5 || f[0] == "file" {
			continue
		}
		h, err := pdq.Parse(f[1])
		if err != nil {
			t.Fatal(err)
		}
		var n [3]int
		for i := range n {
			if n[i], err = strconv.Atoi(f[2+i]); err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, sample{f[0], h, n[0], n[1], n[2]})
	}
	return all
}

func decoded(t testing.TB, name string) image.Image {
	t.Helper()
	f, err := os.Open(filepath.Join(samples, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, _, err := image.Decode(f)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return img
}

// With another decoder of JPEG and WebP than the reference's, hashes may differ in 10 bits where the quality is 80 or more; a PNG's points are the
// reference's own.
func TestPicturesOfTheReference(t *testing.T) {
	t.Parallel()
	all := readSamples(t)
	if len(all) != 28 {
		t.Errorf("%d pictures, not 28", len(all))
	}
	most, sum := 0, 0
	for _, s := range all {
		d, err := pdq.Image(decoded(t, s.file))
		if err != nil {
			t.Fatal(err)
		}
		n, limit := d.Hash.Distance(s.hash), 10
		if strings.HasSuffix(s.file, ".png") {
			limit = 0
		}
		if s.quality < 80 {
			limit = 30
		}
		if n > limit || d.Quality-s.quality > 2 || s.quality-d.Quality > 2 {
			t.Errorf("%s: %v quality %d, the reference has %v quality %d: %d bits", s.file, d.Hash, d.Quality, s.hash, s.quality, n)
		}
		most, sum = max(most, n), sum+n
	}
	t.Logf("%d bits at most, %.2f on average", most, float64(sum)/float64(len(all)))
}

func TestOrientationsOfTheReference(t *testing.T) {
	t.Parallel()
	all := readSamples(t)
	d, err := pdq.Image(decoded(t, "bridge-1-original.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	ours := d.Orientations()
	for _, s := range all {
		for o, name := range map[pdq.Orientation]string{
			pdq.Original: "bridge-1", pdq.Rotate90: "bridge-2", pdq.Rotate180: "bridge-3", pdq.Rotate270: "bridge-4",
			pdq.FlipX: "bridge-5", pdq.FlipY: "bridge-6", pdq.FlipPlus: "bridge-7", pdq.FlipMinus: "bridge-8",
		} {
			if strings.HasPrefix(s.file, name) && ours[o].Distance(s.hash) > 10 {
				t.Errorf("%v: %v, the reference has %v for %s: %d bits", o, ours[o], s.hash, s.file, ours[o].Distance(s.hash))
			}
		}
	}
}
