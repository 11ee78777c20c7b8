package jpegluma

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const samples = "../../../shared/data/pdq"

// standard are the pictures that Go's own decoder is tested with; they come with
// the tool chain.
func standard(t testing.TB) map[string][]byte {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(root)), "src/image/testdata/*.jpeg"))
	if err != nil || len(names) == 0 {
		t.Skipf("this tool chain has no src/image/testdata: nothing to compare with (%v)", err)
	}
	real, err := filepath.Glob(filepath.Join(samples, "*.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, name := range append(names, real...) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(name)] = text
	}
	return files
}

// brightness is Go's own decoder's, or nothing.
func brightness(data []byte) *image.Gray {
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return nil
	}
	switch m := img.(type) {
	case *image.Gray:
		return m
	case *image.YCbCr:
		return &image.Gray{Pix: m.Y, Stride: m.YStride, Rect: m.Rect}
	}
	return nil
}

// compare says how far the two are apart.
func compare(t testing.TB, p Picture, g *image.Gray) (most int, differ float64) {
	t.Helper()
	if p.Width != g.Rect.Dx() || p.Height != g.Rect.Dy() {
		t.Fatalf("%d by %d, want %v", p.Width, p.Height, g.Rect)
	}
	n := 0
	for i := range p.Height {
		for j, v := range p.Row(i) {
			d := int(v) - int(g.Pix[i*g.Stride+j])
			d = max(d, -d)
			most = max(most, d)
			if d > 0 {
				n++
			}
		}
	}
	return most, float64(n) / float64(p.Width*p.Height)
}

func TestBrightnessIsThatOfTheStandardDecoder(t *testing.T) {
	t.Parallel()
	read := 0
	for name, data := range standard(t) {
		g := brightness(data)
		p, err := Decode(data, 1<<28)
		switch {
		case strings.Contains(name, "rgb"), strings.Contains(name, "cmyk"), strings.Contains(name, "CMYK"):
			if !errors.Is(err, ErrUnsupported) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		case err != nil:
			t.Errorf("%s: %v", name, err)
			continue
		}
		read++
		if most, differ := compare(t, p, g); most > 1 {
			t.Errorf("%s: %d levels apart, %.4f of the points differ", name, most, differ)
		}
	}
	t.Logf("%d files", read)
}

func photo(seed uint64, width, height int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	r := rand.New(rand.NewPCG(seed, 1))
	for y := range height {
		for x := range width {
			m.SetRGBA(x, y, color.RGBA{uint8(x*y/50 + r.IntN(40)), uint8(x + r.IntN(20)), uint8(y*3 + r.IntN(60)), 255})
		}
	}
	return m
}

func encoded(t testing.TB, m image.Image, quality int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestSizesAndQualities(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{1, 1}, {7, 9}, {8, 8}, {16, 16}, {17, 15}, {1, 300}, {300, 1}, {123, 77}, {640, 480}} {
		for _, quality := range []int{1, 20, 60, 85, 100} {
			data := encoded(t, photo(uint64(quality), size[0], size[1]), quality)
			p, err := Decode(data, 1<<20)
			if err != nil {
				t.Fatalf("%v, quality %d: %v", size, quality, err)
			}
			if most, differ := compare(t, p, brightness(data)); most > 1 {
				t.Errorf("%v, quality %d: %d levels apart, %.4f of the points differ", size, quality, most, differ)
			}
		}
	}
}

func TestTransformsAreOne(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 9))
	for n := range 20000 {
		var a [64 + 8]int32
		for range r.IntN(64) {
			a[r.IntN(64)] = int32(r.IntN(1<<(n%12+1)) - 1<<(n%12))
		}
		if n%10 == 9 {
			for k := range 64 {
				a[k] = int32(r.Uint32()) // a file can say anything
			}
		}
		b := a
		var x, y [128]uint8
		transformPlain(&a, x[:], 16)
		transform(&b, y[:], 16)
		if x != y || a != b {
			t.Fatalf("%d: %v, by vectors %v", n, x, y)
		}
	}
	for mean := int32(-2100); mean < 2100; mean++ {
		a := [64 + 8]int32{mean}
		var x, y [64]uint8
		transformPlain(&a, x[:], 8)
		flat(mean, y[:], 8)
		if x != y {
			t.Fatalf("mean %d: %v, %v", mean, x, y)
		}
	}
}

func TestEveryCutIsAnError(t *testing.T) {
	t.Parallel()
	files := standard(t)
	for _, name := range []string{"video-001.jpeg", "video-001.progressive.jpeg", "video-001.restart2.jpeg", "video-005.gray.jpeg"} {
		data := files[name]
		for cut := 0; cut < len(data)-2; cut += 1 + cut/40 {
			if _, err := Decode(data[:cut], 1<<20); !errors.Is(err, ErrBroken) {
				t.Errorf("%s cut after %d of %d bytes: %v", name, cut, len(data), err)
			}
		}
	}
}

func TestTooManyPointsAreRefusedBeforeTheyAreMade(t *testing.T) {
	t.Parallel()
	data := encoded(t, photo(3, 100, 100), 80)
	if _, err := Decode(data, 9999); !errors.Is(err, ErrSize) {
		t.Error(err)
	}
	at := bytes.Index(data, []byte{0xff, 0xc0}) + 5
	copy(data[at:], []byte{0xff, 0xff, 0xff, 0xff})
	if _, err := Decode(data, 40_000_000); !errors.Is(err, ErrSize) {
		t.Error(err)
	}
}

// FuzzLuma: no file ends the program, and one that both can read is read alike.
func FuzzLuma(f *testing.F) {
	for _, data := range standard(f) {
		if len(data) < 4_000 {
			f.Add(data)
		}
	}
	f.Add(encoded(f, photo(1, 20, 10), 50))
	f.Fuzz(func(t *testing.T, data []byte) {
		const most = 1 << 18
		p, err := Decode(data, most)
		if err != nil {
			if !errors.Is(err, ErrBroken) && !errors.Is(err, ErrSize) && !errors.Is(err, ErrUnsupported) {
				t.Fatalf("another error: %v", err)
			}
			return
		}
		if p.Width < 1 || p.Height < 1 || p.Width*p.Height > most {
			t.Fatalf("%d by %d", p.Width, p.Height)
		}
		for i := range p.Height {
			_ = p.Row(i)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	file, err := os.ReadFile(filepath.Join(samples, "aaa-orig.jpg"))
	if err != nil {
		b.Skip("no ../shared/data/pdq beside the repository")
	}
	b.Run("ours", func(b *testing.B) {
		for b.Loop() {
			if _, err := Decode(file, 1<<28); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("standard", func(b *testing.B) {
		for b.Loop() {
			if brightness(file) == nil {
				b.Fatal("not read")
			}
		}
	})
}
