package vpdq

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
)

// drawTMK sums invented frame features as the reference's TMKFeatureVectors does. Features walk slowly, as pictures do.
func drawTMK(features [][]float32) *TMK {
	t := &TMK{FramesPerSecond: 15, Frames: len(features), Periods: []int32{31, 47, 101}, Coefficients: []float32{0.3, 0.4, 0.2, 0.1}}
	n := len(t.Periods) * len(t.Coefficients) * tmkDimension
	t.Average, t.Cosine, t.Sine = make([]float32, tmkDimension), make([]float32, n), make([]float32, n)
	for at, f := range features {
		length := float32(math.Sqrt(dot(f, f)))
		for k, v := range f {
			t.Average[k] += v / float32(len(features))
			for i, period := range t.Periods {
				for j := range t.Coefficients {
					sin, cos := math.Sincos(2 * math.Pi * float64(j*at) / float64(period))
					place := (i*len(t.Coefficients)+j)*tmkDimension + k
					t.Cosine[place] += v / length * float32(cos)
					t.Sine[place] += v / length * float32(sin)
				}
			}
		}
	}
	for _, list := range [][]float32{t.Cosine, t.Sine} {
		for i := 0; i < n; i += tmkDimension {
			part := list[i : i+tmkDimension]
			if length := math.Sqrt(dot(part, part)); length > 0 {
				scale := math.Sqrt(float64(t.Coefficients[i/tmkDimension%len(t.Coefficients)])) / length
				for k := range part {
					part[k] *= float32(scale)
				}
			}
		}
	}
	return t
}

func drawFeatures(r *rand.Rand, n int) [][]float32 {
	list := make([][]float32, n)
	now := make([]float32, tmkDimension)
	for i := range list {
		for k := range now {
			now[k] += float32(r.NormFloat64())
		}
		list[i] = append([]float32(nil), now...)
	}
	return list
}

func TestTMKScores(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(6, 6))
	features := drawFeatures(r, 90)
	noisy := make([][]float32, len(features))
	for i, f := range features {
		for _, v := range f {
			noisy[i] = append(noisy[i], v+float32(r.NormFloat64()))
		}
	}
	a := drawTMK(features)
	for _, c := range []struct {
		what       string
		b          *TMK
		least, top float64
	}{
		{"itself", a, 0.9999, 1.0001},
		{"with noise", drawTMK(noisy), 0.9, 1},
		{"another", drawTMK(drawFeatures(r, 90)), -1, 0.5},
		{"nothing", &TMK{FramesPerSecond: 15, Frames: 1, Periods: a.Periods, Coefficients: a.Coefficients, Average: make([]float32, 256), Cosine: make([]float32, len(a.Cosine)), Sine: make([]float32, len(a.Sine))}, 0, 0},
	} {
		level1, level2, err := a.Compare(c.b)
		if err != nil || !(level1 >= c.least && level1 <= c.top) || !(level2 >= c.least && level2 <= c.top) {
			t.Errorf("%s: %v %v %v", c.what, level1, level2, err)
		}
	}
	other := *a
	other.FramesPerSecond = 25
	if _, _, err := a.Compare(&other); !errors.Is(err, ErrIncompatible) {
		t.Errorf("other parameters: %v", err)
	}
}

func tmkBytes(t testing.TB, hash *TMK) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := hash.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestTMKFilesComeBack(t *testing.T) {
	t.Parallel()
	hash := drawTMK(drawFeatures(rand.New(rand.NewPCG(8, 8)), 20))
	text := tmkBytes(t, hash)
	if want := 32 + 4*3 + 4*4 + 4*256*(1+2*3*4); len(text) != want {
		t.Errorf("%d bytes, want %d", len(text), want)
	}
	back, err := ReadTMK(bytes.NewReader(text))
	if err != nil || !reflect.DeepEqual(back, hash) {
		t.Errorf("it does not come back: %v", err)
	}
	hash.Sine = hash.Sine[1:]
	if hash.Write(&bytes.Buffer{}) == nil {
		t.Error("sizes that do not fit were written")
	}
}

func TestBadTMKFilesAreRefused(t *testing.T) {
	t.Parallel()
	good := tmkBytes(t, drawTMK(drawFeatures(rand.New(rand.NewPCG(8, 8)), 20)))
	set := func(at int, value uint32) []byte {
		b := bytes.Clone(good)
		binary.LittleEndian.PutUint32(b[at:], value)
		return b
	}
	nan, infinite := math.Float32bits(float32(math.NaN())), math.Float32bits(float32(math.Inf(-1)))
	for what, text := range map[string][]byte{
		"nothing": nil, "half a head": good[:20], "half a body": good[:len(good)/2], "a byte less": good[:len(good)-1], "a byte more": append(bytes.Clone(good), 0),
		"another project": set(0, 0), "frame features": set(4, 0), "another algorithm": set(8, 0),
		"no frames a second": set(12, 0), "negative frames a second": set(12, 1<<31), "no period": set(16, 0), "two billion periods": set(16, math.MaxInt32),
		"negative periods": set(16, 1<<31), "two billion harmonics": set(20, math.MaxInt32), "a dimension of 255": set(24, 255), "two billion values": set(24, math.MaxInt32),
		"no frames": set(28, 0), "a period of 0": set(32, 0), "an endless period": set(32, math.MaxInt32), "a negative period": set(32, 1<<31),
		"NaN coefficient": set(44, nan), "negative coefficient": set(44, math.Float32bits(-1)), "NaN average": set(60, nan), "infinite cosine": set(60+1024, infinite),
		"NaN sine": set(len(good)-4, nan), "absurd sine": set(len(good)-4, math.Float32bits(1e30)),
	} {
		if hash, err := ReadTMK(bytes.NewReader(text)); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v %v", what, hash, err)
		}
	}
}

func FuzzTMK(f *testing.F) {
	good := tmkBytes(f, drawTMK(drawFeatures(rand.New(rand.NewPCG(8, 8)), 20)))
	f.Add(good)
	f.Add(good[:100])
	small := &TMK{FramesPerSecond: 1, Frames: 1, Periods: []int32{1}, Coefficients: []float32{1}, Average: make([]float32, 256), Cosine: make([]float32, 256), Sine: make([]float32, 256)}
	f.Add(tmkBytes(f, small))
	f.Fuzz(func(t *testing.T, text []byte) {
		hash, err := ReadTMK(bytes.NewReader(text))
		if err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Fatal(err)
			}
			return
		}
		if back := tmkBytes(t, hash); !bytes.Equal(back, text) {
			t.Fatal("what was read is written otherwise")
		}
		level1, level2, err := hash.Compare(hash)
		if err != nil || math.IsNaN(level1) || math.IsNaN(level2) || math.IsInf(level2, 0) {
			t.Fatalf("%v %v %v", level1, level2, err)
		}
	})
}

func FuzzFrames(f *testing.F) {
	r := rand.New(rand.NewPCG(3, 3))
	frames := film(r, 10, 1)
	var lines, text bytes.Buffer
	if err := errors.Join(WriteLines(&lines, frames), WriteJSON(&text, frames)); err != nil {
		f.Fatal(err)
	}
	f.Add(lines.Bytes(), lines.Bytes())
	f.Add(text.Bytes(), lines.Bytes())
	f.Add([]byte("0,100,"+frames[0].Hash.String()+",NaN"), []byte("[]"))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		for _, text := range [][]byte{a, b} {
			if list, err := ReadJSON(bytes.NewReader(text)); err == nil {
				var out bytes.Buffer
				if err := WriteJSON(&out, list); err != nil {
					t.Fatal(err)
				}
			} else if !errors.Is(err, ErrFormat) {
				t.Fatal(err)
			}
		}
		x, errX := ReadLines(bytes.NewReader(a))
		y, errY := ReadLines(bytes.NewReader(b))
		if errX != nil || errY != nil {
			return
		}
		l, err := Compare(x, y)
		if err != nil {
			t.Fatal(err)
		}
		if ofA, ofB := naive(x, y); l.ShareOfA != ofA || l.ShareOfB != ofB {
			t.Fatalf("%v %v, want %v %v", l.ShareOfA, l.ShareOfB, ofA, ofB)
		}
		checkSegments(t, x, y, l)
	})
}
