package bench

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"concert/internal/formats"
	"concert/internal/jpegluma"
	"concert/internal/testkit"
	"concert/pdq"
)

// photographs are JPEG files of 1024 by 768 points, quality 85, about 80 kB each, drawn by program.
func photographs(b *testing.B, n int) [][]byte {
	b.Helper()
	var files [][]byte
	for seed := range n {
		r := rand.New(rand.NewPCG(uint64(seed), 2))
		m := image.NewRGBA(image.Rect(0, 0, 1024, 768))
		fx, fy, grain := 20+r.Float64()*80, 20+r.Float64()*80, 7+r.IntN(6)
		for y := range 768 {
			for x := range 1024 {
				v := 120 + 60*math.Sin(float64(x)/fx+float64(y)/90) + 50*math.Cos(float64(y)/fy-float64(x*y)/40000) + float64(r.IntN(grain))
				if (x/97+y/61)%5 == 0 {
					v = 255 - v
				}
				m.SetRGBA(x, y, color.RGBA{uint8(max(0, min(255, v))), uint8(max(0, min(255, v*0.8+20))), uint8(x/4 + y/8), 255})
			}
		}
		var out bytes.Buffer
		testkit.Must(b, jpeg.Encode(&out, m, &jpeg.Options{Quality: 85}))
		files = append(files, out.Bytes())
	}
	return files
}

// BenchmarkHash is what one core does of each step from a JPEG to its PDQ hash, by processor time in the best of a second's turns, beside Go's own decoder with the same hasher, and
// 64 by 64 points as video gives them. CONCERT_BENCH_PICTURES (40) are looked at.
func BenchmarkHash(b *testing.B) {
	files := photographs(b, size(b, "CONCERT_BENCH_PICTURES", 40))
	total := 0
	var lumas []jpegluma.Picture
	for _, f := range files {
		total += len(f)
		p, err := jpegluma.Decode(f, formats.PixelsMost)
		testkit.Must(b, err)
		lumas = append(lumas, p)
	}
	h := new(pdq.Hasher)
	hash := func(p jpegluma.Picture) pdq.Digest {
		testkit.Must(b, h.Reset(p.Width, p.Height))
		for i := range p.Height {
			testkit.Must(b, h.Row(p.Row(i)))
		}
		d, err := h.Sum()
		testkit.Must(b, err)
		return d
	}
	frame := lumas[0]
	frame.Width, frame.Height = 64, 64
	steps := []struct {
		name string
		n    int
		do   func()
	}{
		{"jpegluma+pdq", len(files), func() {
			for _, f := range files {
				p, err := jpegluma.Decode(f, formats.PixelsMost)
				testkit.Must(b, err)
				hash(p)
			}
		}},
		{"peer: image/jpeg+pdq", len(files), func() {
			for _, f := range files {
				img, err := jpeg.Decode(bytes.NewReader(f))
				testkit.Must(b, err)
				_, err = pdq.Image(img)
				testkit.Must(b, err)
			}
		}},
		{"pdq", len(files), func() {
			for _, p := range lumas {
				hash(p)
			}
		}},
		{"64x64", 1000 * len(files), func() {
			for range 1000 * len(files) {
				hash(frame)
			}
		}},
	}
	for _, s := range steps {
		b.Run(s.name, func(b *testing.B) {
			best := time.Duration(math.MaxInt64)
			for b.Loop() {
				for begun := time.Now(); time.Since(begun) < time.Second; {
					runtime.GC()
					before := worked(b)
					s.do()
					best = min(best, worked(b)-before)
				}
			}
			each := best.Seconds() / float64(s.n)
			report(b, map[string]float64{"ms": each * 1000, "a-second-a-core": 1 / each, "kB": float64(total) / float64(len(files)) / 1000})
		})
	}
}

// BenchmarkHashCommand is the command on a directory of CONCERT_BENCH_FILES (200) such files, digests and children and all.
func BenchmarkHashCommand(b *testing.B) {
	dir, n := b.TempDir(), size(b, "CONCERT_BENCH_FILES", 200)
	files := photographs(b, min(n, 20))
	for i := range n {
		testkit.Must(b, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%05d.jpg", i)), files[i%len(files)], 0o600))
	}
	path := program(b)
	var took, work time.Duration
	for b.Loop() {
		cmd := exec.Command(path, "hash", dir)
		began := time.Now()
		out, err := cmd.Output()
		testkit.Must(b, err)
		took = time.Since(began)
		work = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		if lines := bytes.Count(out, []byte("\n")); lines != n {
			b.Fatalf("%d lines for %d files", lines, n)
		}
	}
	report(b, map[string]float64{"files/s": float64(n) / took.Seconds(), "core-ms/file": work.Seconds() * 1000 / float64(n)})
}
