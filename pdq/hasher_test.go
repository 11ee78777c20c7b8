package pdq

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// sizes are those at which something begins or ends: the least side, the side
// that is transformed as it is, windows that grow by a point, blocks of rows.
var sizes = [][2]int{
	{1, 1}, {1, 300}, {300, 1}, {4, 4}, {4, 100}, {100, 4}, {5, 5}, {5, 64}, {64, 5}, {7, 13}, {16, 16}, {31, 33}, {42, 34}, {63, 64}, {64, 64}, {64, 63}, {65, 65}, {100, 160},
	{127, 129}, {128, 128}, {129, 127}, {256, 256}, {257, 255}, {224, 399}, {320, 240}, {511, 513}, {640, 480}, {1023, 769}, {1024, 768}, {1600, 1004}, {5, 4000}, {4000, 5}, {33000, 9}, {9, 33000}, {1, 65535},
}

func sumOf(t rapid.TB, h *Hasher, luma []uint8, width, height int, float bool) Digest {
	t.Helper()
	if err := h.Reset(width, height); err != nil {
		t.Fatal(err)
	}
	for i := range height {
		row := luma[i*width : (i+1)*width]
		var err error
		if float {
			err = h.RowFloat(floats(row))
		} else {
			err = h.Row(row)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	d, err := h.Sum()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestSamePixelsGiveTheReferencesBits(t *testing.T) {
	t.Parallel()
	vector, plain := new(Hasher), &Hasher{plain: true}
	for seed, size := range sizes {
		width, height := size[0], size[1]
		luma := drawn(uint64(seed), width, height)
		hash, quality, coefficients := reference(floats(luma), height, width)
		for name, got := range map[string]Digest{
			"bytes":        sumOf(t, vector, luma, width, height, false),
			"bytes, plain": sumOf(t, plain, luma, width, height, false),
			"float":        sumOf(t, vector, luma, width, height, true),
			"float, plain": sumOf(t, plain, luma, width, height, true),
		} {
			if got.Hash != hash || got.Quality != quality {
				t.Errorf("%d by %d, %s: %v quality %d, the reference has %v quality %d (%d bits)", width, height, name, got.Hash, got.Quality, hash, quality, got.Hash.Distance(hash))
			} else if got.Coefficients != coefficients {
				t.Errorf("%d by %d, %s: the bits are the reference's, the coefficients are not", width, height, name)
			}
		}
	}
}

func TestFractionsOfBrightnessGiveTheReferencesBits(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for _, plain := range []bool{false, true} {
		h := &Hasher{plain: plain}
		for range 60 {
			width, height := 5+r.IntN(700), 5+r.IntN(700)
			grey := drawn(r.Uint64(), width, height)
			luma := make([]float32, len(grey))
			for k, v := range grey {
				luma[k] = Luma(v, uint8(k), v/2)
			}
			hash, quality, coefficients := reference(luma, height, width)
			if err := h.Reset(width, height); err != nil {
				t.Fatal(err)
			}
			for i := range height {
				if err := h.RowFloat(luma[i*width : (i+1)*width]); err != nil {
					t.Fatal(err)
				}
			}
			got, err := h.Sum()
			if err != nil {
				t.Fatal(err)
			}
			if got.Hash != hash || got.Quality != quality || got.Coefficients != coefficients {
				t.Fatalf("%d by %d, plain %v: %v quality %d, the reference has %v quality %d", width, height, plain, got.Hash, got.Quality, hash, quality)
			}
		}
	}
}

func TestRowsOfBothKindsMayFollowEachOther(t *testing.T) {
	t.Parallel()
	const width, height = 301, 203
	luma := drawn(7, width, height)
	want, _, _ := reference(floats(luma), height, width)
	h, err := NewHasher(width, height)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 4))
	for i := range height {
		row := luma[i*width : (i+1)*width]
		if r.IntN(2) == 0 {
			err = h.Row(row)
		} else {
			err = h.RowFloat(floats(row))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	got, err := h.Sum()
	if err != nil || got.Hash != want {
		t.Fatalf("%v, %v; want %v", got.Hash, err, want)
	}
}

// A product by an inverse is the division that it stands for, in every window that a picture can have.
func TestQuotientsAreDivisions(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(8, 8))
	for w := 1; w <= SideMost/128; w++ {
		for i := range 200 {
			s := float32(r.IntN(255)+1) * float32(w)
			switch i % 3 {
			case 0:
				s *= r.Float32()
			case 1: // a few units beside a whole quotient
				s = math.Float32frombits(math.Float32bits(s) + uint32(r.IntN(9)) - 4)
			case 2: // beside where the rounding changes
				s = float32(float64(s) * (1 + float64(r.IntN(1<<24)|1)/(1<<24)))
			}
			if got, want := quotient(s, 1/float64(w)), s/float32(w); got != want {
				t.Fatalf("%x/%d: %x, is %x", s, w, got, want)
			}
		}
	}
}

func TestWrongRowsAreRefused(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{0, 1}, {1, 0}, {-1, 5}, {SideMost + 1, 1}, {SideMost, SideMost}} {
		if _, err := NewHasher(size[0], size[1]); !errors.Is(err, ErrSize) {
			t.Errorf("%v: %v", size, err)
		}
	}
	for _, height := range []int{4, 64, 80} {
		t.Run(fmt.Sprint(height), func(t *testing.T) {
			t.Parallel()
			h, err := NewHasher(64, height)
			if err != nil {
				t.Fatal(err)
			}
			if err := h.Row(make([]uint8, 63)); !errors.Is(err, ErrRows) {
				t.Errorf("a short row: %v", err)
			}
			if err := h.RowFloat(make([]float32, 65)); !errors.Is(err, ErrRows) {
				t.Errorf("a long row: %v", err)
			}
			if _, err := h.Sum(); !errors.Is(err, ErrRows) {
				t.Errorf("no rows: %v", err)
			}
			for range height {
				if err := h.RowFloat(make([]float32, 64)); err != nil {
					t.Fatal(err)
				}
			}
			if err := h.Row(make([]uint8, 64)); !errors.Is(err, ErrRows) {
				t.Errorf("a row too many: %v", err)
			}
			if d, err := h.Sum(); err != nil || d.Quality != 0 || d.Hash != (Hash{}) {
				t.Errorf("a black picture: %v, %v", d.Hash, err)
			}
		})
	}
}

func BenchmarkHasher(b *testing.B) {
	for _, size := range [][2]int{{1024, 768}, {512, 384}, {1920, 1440}, {64, 64}} {
		luma := drawn(1, size[0], size[1])
		for _, kind := range []string{"bytes", "float", "bytes-plain", "float-plain"} {
			b.Run(fmt.Sprintf("%dx%d/%s", size[0], size[1], kind), func(b *testing.B) {
				h := &Hasher{plain: len(kind) > 5}
				f := floats(luma)
				for b.Loop() {
					if err := h.Reset(size[0], size[1]); err != nil {
						b.Fatal(err)
					}
					for i := range size[1] {
						if kind[0] == 'f' {
							_ = h.RowFloat(f[i*size[0]:][:size[0]])
						} else {
							_ = h.Row(luma[i*size[0]:][:size[0]])
						}
					}
					if _, err := h.Sum(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
