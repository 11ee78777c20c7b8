package pdq

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

func TestMatrixIsTheReferences(t *testing.T) {
	t.Parallel()
	m, scale := matrix(), float64(float32(math.Sqrt(2.0/64)))
	for i := range 16 {
		for j := range side {
			want := float32(scale * math.Cos(math.Pi/2/64*float64(i+1)*float64(2*j+1)))
			if m.rows[i*side+j] != want || m.columns[j*16+i] != want {
				t.Errorf("frequency %d at %d: %v, want %v", i+1, j, m.rows[i*side+j], want)
			}
		}
	}
}

// The median that the bits are made with is the one of the reference's algorithm.
func TestBitsAreThoseOfTheReferencesMedian(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	for n := range 2000 {
		var b [Bits]float32
		for k := range b {
			switch n % 4 {
			case 0:
				b[k] = float32(r.NormFloat64() * 100)
			case 1:
				b[k] = float32(r.IntN(3) - 1) // many are equal
			case 2:
				b[k] = float32(math.Copysign(0, r.NormFloat64()))
			case 3:
				b[k] = float32(math.Exp(r.NormFloat64() * 20))
			}
		}
		if got, want := bitsOf(&b, 0, 0), referenceBits(b); got != want {
			t.Fatalf("%v\n%v, want %v", b, got, want)
		}
	}
}

// turnedPixels are the points of a picture in one of its orientations.
func turnedPixels(y []uint8, n int, o Orientation) []uint8 {
	out := make([]uint8, len(y))
	for i := range n {
		for j := range n {
			from := i*n + j
			switch o {
			case Original:
			case Rotate90:
				from = j*n + n - 1 - i
			case Rotate180:
				from = (n-1-i)*n + n - 1 - j
			case Rotate270:
				from = (n-1-j)*n + i
			case FlipX:
				from = (n-1-i)*n + j
			case FlipY:
				from = i*n + n - 1 - j
			case FlipPlus:
				from = j*n + i
			case FlipMinus:
				from = (n-1-j)*n + n - 1 - i
			}
			out[i*n+j] = y[from]
		}
	}
	return out
}

// Of a picture that is not filtered, what is left between the two is the order
// of additions in the transform: a coefficient beside the median may change sides.
func TestOrientationsAreThoseOfTurnedPictures(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		y := drawn(rapid.Uint64().Draw(t, "seed"), side, side)
		h := new(Hasher)
		d := sumOf(t, h, y, side, side, false)
		all := d.Orientations()
		if all[Original] != d.Hash {
			t.Fatal("the first is not the hash")
		}
		for o := Original; o < orientations; o++ {
			turned := sumOf(t, h, turnedPixels(y, side, o), side, side, false)
			if n := turned.Hash.Distance(all[o]); n > 2 {
				t.Fatalf("%v: %v, the turned picture has %v, %d bits", o, all[o], turned.Hash, n)
			}
		}
	})
}

func TestOrientationsAreNamed(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for o := Original; o <= orientations; o++ {
		names[o.String()] = true
	}
	if len(names) != 9 || !names["unknown"] {
		t.Errorf("%v", names)
	}
}
