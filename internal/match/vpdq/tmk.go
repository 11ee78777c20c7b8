package vpdq

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

const (
	// Level1Least is the score of level 1 from which on the reference looks at level 2.
	Level1Least = 0.7
	// Level2Least is the score of level 2 from which on it takes two videos for one; from 0.9 on they are nearly equal.
	Level2Least = 0.7

	tmkDimension        = 256 // of PDQF, the only frame feature in use
	tmkMostPeriods      = 16
	tmkMostPeriod       = 1 << 16
	tmkMostHarmonics    = 128
	tmkMostFramesASec   = 1000
	tmkLargestMagnitude = 1e12 // of a number in the file: the sums of products stay finite
)

// ErrIncompatible says that two TMK hashes were made with different parameters, so that no score tells anything.
var ErrIncompatible = errors.New("vpdq: TMK hashes of different parameters cannot be compared")

// TMK is a TMK+PDQF hash: sums over the frame features of a whole video (S. Poullot and others, 2015; facebook/ThreatExchange,
// tmk/cpp/algo/tmkfv.h). Period i and harmonic j have the 256 values from (i*len(Coefficients)+j)*256 on.
type TMK struct {
	FramesPerSecond int
	Frames          int       // after resampling to FramesPerSecond
	Periods         []int32   // in frames
	Coefficients    []float32 // of the harmonics
	Average         []float32 // mean frame feature, not normalised
	Cosine          []float32 // of length sqrt(coefficient) for each period and harmonic
	Sine            []float32
}

// tmkHeader is the head of the file, little-endian.
type tmkHeader struct {
	Project, Kind, Algorithm                               [4]byte
	FramesPerSecond, Periods, Harmonics, Dimension, Frames int32
}

// ReadTMK reads a .tmk file. Every size is checked before anything is allocated, at most 4.2 MB; numbers that are not finite, and
// bytes behind the end, are refused. The error is [ErrFormat] or the reader's own.
func ReadTMK(r io.Reader) (*TMK, error) {
	b := bufio.NewReaderSize(r, 1<<16)
	var head tmkHeader
	if err := read(b, &head, "the head"); err != nil {
		return nil, err
	}
	if string(head.Project[:]) != "TMK1" || string(head.Kind[:]) != "FVEC" || string(head.Algorithm[:]) != "PDQF" {
		return nil, fmt.Errorf("%w: it does not begin as a TMK+PDQF feature vector (TMK1, FVEC, PDQF)", ErrFormat)
	}
	for _, c := range []struct {
		what            string
		got, from, upTo int32
	}{
		{"frames a second", head.FramesPerSecond, 1, tmkMostFramesASec},
		{"periods", head.Periods, 1, tmkMostPeriods},
		{"harmonics", head.Harmonics, 1, tmkMostHarmonics},
		{"values of a feature", head.Dimension, tmkDimension, tmkDimension},
		{"frames", head.Frames, 1, math.MaxInt32},
	} {
		if c.got < c.from || c.got > c.upTo {
			return nil, fmt.Errorf("%w: %d %s; %d to %d can be", ErrFormat, c.got, c.what, c.from, c.upTo)
		}
	}
	n := int(head.Periods) * int(head.Harmonics) * tmkDimension
	t := &TMK{
		FramesPerSecond: int(head.FramesPerSecond), Frames: int(head.Frames), Periods: make([]int32, head.Periods),
		Coefficients: make([]float32, head.Harmonics), Average: make([]float32, tmkDimension),
	}
	if err := read(b, t.Periods, "periods"); err != nil {
		return nil, err
	}
	if slices.Min(t.Periods) < 1 || slices.Max(t.Periods) > tmkMostPeriod {
		return nil, fmt.Errorf("%w: periods of 1 to %d frames can be", ErrFormat, tmkMostPeriod)
	}
	for _, part := range []struct {
		what string
		to   *[]float32
		n    int
	}{
		{"coefficients", &t.Coefficients, int(head.Harmonics)},
		{"average", &t.Average, tmkDimension},
		{"cosine features", &t.Cosine, n},
		{"sine features", &t.Sine, n},
	} {
		*part.to = make([]float32, part.n)
		if err := read(b, *part.to, part.what); err != nil {
			return nil, err
		}
		for _, v := range *part.to {
			if !(v >= -tmkLargestMagnitude && v <= tmkLargestMagnitude) {
				return nil, fmt.Errorf("%w: a number among the %s is not finite or absurdly large", ErrFormat, part.what)
			}
		}
	}
	if slices.Min(t.Coefficients) < 0 || slices.Max(t.Coefficients) == 0 {
		return nil, fmt.Errorf("%w: coefficients are positive, or zero for some", ErrFormat)
	}
	if _, err := b.ReadByte(); err != io.EOF {
		return nil, errors.Join(fmt.Errorf("%w: bytes behind the end", ErrFormat), err)
	}
	return t, nil
}

func read(r io.Reader, to any, what string) error {
	err := binary.Read(r, binary.LittleEndian, to)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it ends within %s", ErrFormat, what)
	}
	return err
}

// Write writes a .tmk file. Parts of sizes that do not fit together are an error.
func (t *TMK) Write(w io.Writer) error {
	n := len(t.Periods) * len(t.Coefficients) * tmkDimension
	if len(t.Average) != tmkDimension || len(t.Cosine) != n || len(t.Sine) != n {
		return fmt.Errorf("vpdq: %d averages, %d cosines and %d sines for %d periods and %d harmonics of %d values",
			len(t.Average), len(t.Cosine), len(t.Sine), len(t.Periods), len(t.Coefficients), tmkDimension)
	}
	b := bufio.NewWriter(w)
	head := tmkHeader{
		[4]byte([]byte("TMK1")), [4]byte([]byte("FVEC")), [4]byte([]byte("PDQF")),
		int32(t.FramesPerSecond), int32(len(t.Periods)), int32(len(t.Coefficients)), tmkDimension, int32(t.Frames),
	}
	for _, part := range []any{head, t.Periods, t.Coefficients, t.Average, t.Cosine, t.Sine} {
		if err := binary.Write(b, binary.LittleEndian, part); err != nil {
			return err
		}
	}
	return b.Flush()
}

// Compare gives the reference's two scores: level 1, the cosine of the averages (-1 to 1, cheap; below [Level1Least] the second
// is not worth its time), and level 2, the best sum over all offsets of any period, 1 for a video and itself. A side without any
// picture (all zero) scores 0. The error is [ErrIncompatible].
func (t *TMK) Compare(other *TMK) (level1, level2 float64, err error) {
	if t.FramesPerSecond != other.FramesPerSecond || !slices.Equal(t.Periods, other.Periods) || !slices.Equal(t.Coefficients, other.Coefficients) {
		return 0, 0, ErrIncompatible
	}
	if length := math.Sqrt(dot(t.Average, t.Average) * dot(other.Average, other.Average)); length > 0 {
		level1 = dot(t.Average, other.Average) / length
	}
	m := len(t.Coefficients)
	norm := -float64(t.Coefficients[0])
	for _, c := range t.Coefficients {
		norm += 2 * float64(c)
	}
	best := math.Inf(-1)
	for i, period := range t.Periods {
		// In phase, and a quarter apart, by harmonic.
		in, apart := make([]float64, m), make([]float64, m)
		for j := range m {
			from, to := (i*m+j)*tmkDimension, (i*m+j+1)*tmkDimension
			c, s, oc, os := t.Cosine[from:to], t.Sine[from:to], other.Cosine[from:to], other.Sine[from:to]
			in[j] = dot(c, oc)
			if j > 0 {
				in[j] += dot(s, os)
				apart[j] = dot(s, oc) - dot(c, os)
			}
		}
		best = max(best, bestOffset(in, apart, int(period)))
	}
	if norm > 0 {
		level2 = best / norm
	}
	return level1, level2, nil
}

// bestOffset is the highest value of the sum of the harmonics over all whole offsets in a period.
func bestOffset(in, apart []float64, period int) float64 {
	best := math.Inf(-1)
	for offset := range period {
		sin, cos := math.Sincos(2 * math.Pi * float64(offset) / float64(period))
		sum, c, s := in[0], 1.0, 0.0
		for j := 1; j < len(in); j++ {
			c, s = c*cos-s*sin, s*cos+c*sin
			sum += c*in[j] + s*apart[j]
		}
		best = max(best, sum)
	}
	return best
}

func dot(a, b []float32) (sum float64) {
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}
