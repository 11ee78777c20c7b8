package vpdq

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"pgregory.net/rapid"
)

func drawHash(r *rand.Rand) (h Hash) {
	for i := range h {
		h[i] = byte(r.Uint32())
	}
	return h
}

// flipped is the hash with n of its bits changed.
func flipped(r *rand.Rand, h Hash, n int) Hash {
	for _, k := range r.Perm(256)[:n] {
		h[k/8] ^= 1 << (k % 8)
	}
	return h
}

// film draws frames at a rate; each second is a scene of its own.
func film(r *rand.Rand, seconds, perSecond int) []Frame {
	var frames []Frame
	for i := range seconds * perSecond {
		frames = append(frames, Frame{Number: i, Quality: 60 + r.IntN(41), Hash: drawHash(r), Seconds: float64(i) / float64(perSecond)})
	}
	return frames
}

// copied cuts the seconds from..to out of a film, shows them from another moment on, and changes up to n bits of each frame.
func copied(r *rand.Rand, frames []Frame, from, to, at float64, n int) []Frame {
	var out []Frame
	for _, f := range frames {
		if from <= f.Seconds && f.Seconds < to {
			f.Hash, f.Seconds = flipped(r, f.Hash, r.IntN(n+1)), math.Round(1000*(f.Seconds-from+at))/1000
			out = append(out, f)
		}
	}
	return out
}

// naive is python-threatexchange's rule, word by word.
func naive(a, b []Frame) (ofA, ofB float64) {
	prepare := func(frames []Frame) (list []Frame) {
		for _, f := range frames {
			if f.Quality >= 50 && !slices.ContainsFunc(list, func(g Frame) bool { return g.Hash == f.Hash }) {
				list = append(list, f)
			}
		}
		return list
	}
	a, b = prepare(a), prepare(b)
	share := func(a, b []Frame) float64 {
		n := 0
		for _, f := range a {
			if slices.ContainsFunc(b, func(g Frame) bool { return f.Hash.Distance(&g.Hash) <= 31 }) {
				n++
			}
		}
		return float64(n) / float64(max(1, len(a)))
	}
	return share(a, b), share(b, a)
}

func TestSharesAreTheExchanges(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		scenes := film(r, 1+r.IntN(10), 1)
		draw := func() (list []Frame) {
			for i := range r.IntN(40) {
				f := scenes[r.IntN(len(scenes))]
				list = append(list, Frame{Number: i, Quality: 40 + r.IntN(61), Seconds: float64(r.IntN(20)), Hash: flipped(r, f.Hash, r.IntN(40))})
				if r.IntN(3) == 0 {
					list = append(list, list[r.IntN(len(list))])
				}
			}
			return list
		}
		a, b := draw(), draw()
		l, err := Compare(a, b)
		ofA, ofB := naive(a, b)
		if err != nil || l.ShareOfA != ofA || l.ShareOfB != ofB {
			t.Fatalf("%v %v %v, want %v %v", l.ShareOfA, l.ShareOfB, err, ofA, ofB)
		}
		checkSegments(t, a, b, l)
	})
}

// checkSegments holds what is true of all segments.
func checkSegments(t interface{ Fatalf(string, ...any) }, a, b []Frame, l Likeness) {
	has := func(frames []Frame, at float64) bool {
		return slices.ContainsFunc(frames, func(f Frame) bool { return f.Seconds == at })
	}
	end := math.Inf(-1)
	for _, s := range l.Segments {
		if s.A.From <= end || s.A.To < s.A.From || s.B.To < s.B.From || s.Frames < LeastRun || s.Frames > s.Of || s.Distance > Radius {
			t.Fatalf("segment %+v behind %v", s, end)
		}
		if !has(a, s.A.From) || !has(a, s.A.To) || !has(b, s.B.From) || !has(b, s.B.To) {
			t.Fatalf("segment %+v begins or ends where no frame is", s)
		}
		end = s.A.To
	}
}

func TestRadiusAndQualityAreInclusive(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	h := drawHash(r)
	for _, c := range []struct {
		bits, quality int
		want          float64
	}{{0, 50, 1}, {31, 50, 1}, {32, 50, 0}, {0, 49, 0}} {
		l, err := Compare([]Frame{{Quality: 100, Hash: h}}, []Frame{{Quality: c.quality, Hash: flipped(r, h, c.bits)}})
		if err != nil || l.ShareOfA != c.want || l.ShareOfB != c.want || l.Matched() != (c.want == 1) {
			t.Errorf("%d bits, quality %d: %+v %v, want %v", c.bits, c.quality, l, err, c.want)
		}
	}
	if l, err := Compare(nil, film(r, 3, 1)); err != nil || l.Matched() || l.ShareOfB != 0 {
		t.Errorf("nothing matches: %+v %v", l, err)
	}
}

func TestSegmentsShowWhichPartIsWhich(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 7))
	for _, rate := range []int{1, 2, 5} {
		long := film(r, 300, rate)
		// 12-47 s of A is 185-220 s of B, with five bad seconds apart; 60-70 s is 20-30 s; the rest is A's own.
		a := slices.Concat(copied(r, film(r, 12, rate), 0, 12, 0, 0), copied(r, long, 185, 220, 12, 25),
			copied(r, film(r, 13, rate), 0, 13, 47, 0), copied(r, long, 20, 30, 60, 25), copied(r, film(r, 20, rate), 0, 20, 70, 0))
		for i := range a {
			a[i].Number = i
			if s := a[i].Seconds; s == 20 || s == 29 || s == 33 {
				a[i].Hash = drawHash(r)
			}
		}
		r.Shuffle(len(a), func(i, j int) { a[i], a[j] = a[j], a[i] })
		l, err := Compare(a, long)
		if err != nil {
			t.Fatal(err)
		}
		last := 1 / float64(rate)
		end := func(at float64) float64 { return math.Round(1000*(at-last)) / 1000 }
		want := []Segment{
			{A: Span{12, end(47)}, B: Span{185, end(220)}, Offset: 173, Frames: 35*rate - 3, Of: 35 * rate},
			{A: Span{60, end(70)}, B: Span{20, end(30)}, Offset: -40, Frames: 10 * rate, Of: 10 * rate},
		}
		if len(l.Segments) != len(want) {
			t.Fatalf("at %d a second: %+v", rate, l.Segments)
		}
		for i, w := range want {
			if s := l.Segments[i]; s.A != w.A || s.B != w.B || math.Abs(s.Offset-w.Offset) > 1e-9 || s.Frames != w.Frames || s.Of != w.Of {
				t.Errorf("at %d a second: %+v, want %+v", rate, s, w)
			}
		}
		checkSegments(t, a, long, l)
	}
}

// A stretch that goes on behind another one, nearer than the gap allowed, is two: no moment is explained twice.
func TestSegmentsDoNotReachOverOthers(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(11, 11))
	long := film(r, 100, 10)
	a := slices.Concat(copied(r, long, 50, 50.5, 0, 5), copied(r, long, 20, 22.5, 0.5, 5), copied(r, long, 53, 53.5, 3, 5))
	l, err := Compare(a, long)
	if err != nil || len(l.Segments) != 3 {
		t.Errorf("%+v %v", l.Segments, err)
	}
	checkSegments(t, a, long, l)
}

// In a speech each second looks like the next; the right offset is where the frames are nearest.
func TestSegmentsOfFramesAllAlike(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(9, 9))
	speech, face := film(r, 600, 1), drawHash(r)
	for i := range speech {
		speech[i].Hash = flipped(r, face, 10)
	}
	l, err := Compare(copied(r, speech, 200, 260, 0, 2), speech)
	if err != nil || l.ShareOfA != 1 || l.ShareOfB < 0.9 || len(l.Segments) != 1 || l.Segments[0].A != (Span{0, 59}) || math.Abs(l.Segments[0].Offset-200) > 0.2 {
		t.Errorf("%+v %v", l, err)
	}
	still := make([]Frame, 600)
	for i := range still {
		still[i] = Frame{Number: i, Quality: 100, Hash: face, Seconds: float64(i)}
	}
	if l, err := Compare(still[:60], still); err != nil || len(l.Segments) != 1 || l.Segments[0].A != (Span{0, 59}) || l.FramesA != 1 {
		t.Errorf("a still picture: %+v %v", l, err)
	}
}

func TestBothFormsComeBack(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(2, 2))
	frames := film(r, 50, 4)
	var lines, text bytes.Buffer
	if err := errors.Join(WriteLines(&lines, frames), WriteJSON(&text, frames)); err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(lines.String(), "\n")
	if want := fmt.Sprintf("0,%d,%s,0.000", frames[0].Quality, frames[0].Hash); first != want {
		t.Errorf("the first line is %q, want %q", first, want)
	}
	fromLines, err := ReadLines(iotest.OneByteReader(strings.NewReader(strings.ReplaceAll(lines.String(), "\n", "\r\n"))))
	if err != nil || !slices.Equal(fromLines, frames) {
		t.Errorf("lines do not come back: %v", err)
	}
	fromJSON, err := ReadJSON(&text)
	if err != nil || !slices.Equal(fromJSON, frames) {
		t.Errorf("JSON does not come back: %v", err)
	}
	peer, err := ReadJSON(strings.NewReader(`["` + strings.ToUpper(frames[0].Hash.String()) + `,100,1.23e+03"]`))
	if err != nil || len(peer) != 1 || peer[0].Seconds != 1230 || peer[0].Hash != frames[0].Hash {
		t.Errorf("the exchange's own form: %v %v", peer, err)
	}
	for _, bad := range []Frame{{Number: -1}, {Quality: 101}, {Seconds: math.NaN()}, {Seconds: math.Inf(1)}, {Seconds: -1}} {
		if WriteLines(io.Discard, []Frame{bad}) == nil || WriteJSON(io.Discard, []Frame{bad}) == nil {
			t.Errorf("%+v was written", bad)
		}
	}
}

func TestBadListsAreRefused(t *testing.T) {
	t.Parallel()
	hash := strings.Repeat("a5", 32)
	for _, text := range []string{
		"", "\n", "x", "0,100," + hash, "0,100," + hash + ",0.000,7", "-1,100," + hash + ",0", "0,101," + hash + ",0", "0,-1," + hash + ",0", "0,1e1," + hash + ",0",
		"0,100," + hash[1:] + ",0", "0,100,z" + hash[1:] + ",0", "0,100," + hash + ",NaN", "0,100," + hash + ",inf", "0,100," + hash + ",-0.1", "0,100," + hash + ",0x1p3",
		"0,100," + hash + ",1_0", "0,100," + hash + ",1e400", "0,100," + hash + ",", "99999999999,100," + hash + ",0", "0,100," + hash + ",0\n\n1,100," + hash + ",1",
		"0,100," + hash + "," + strings.Repeat("0", 300), " 0,100," + hash + ",0",
	} {
		if f, err := ReadLines(strings.NewReader(text)); !errors.Is(err, ErrFormat) {
			t.Errorf("%.120q: %v %v", text, f, err)
		}
	}
	for _, text := range []string{`{`, `{}`, `["x"]`, `[1]`, `["` + hash + `,100,NaN"]`, `["` + hash + `,100"]`, `["` + hash + `,100,0","x"]`, `"x"`} {
		if f, err := ReadJSON(strings.NewReader(text)); !errors.Is(err, ErrFormat) {
			t.Errorf("%.120q: %v %v", text, f, err)
		}
	}
	line := "0,100," + hash + ",0.000\n"
	if _, err := ReadLines(endless(line)); !errors.Is(err, ErrFormat) {
		t.Errorf("an endless list: %v", err)
	}
	if _, err := ReadJSON(endless(" ")); !errors.Is(err, ErrFormat) {
		t.Errorf("endless space: %v", err)
	}
}

// endless gives a text again and again.
type endless string

func (e endless) Read(p []byte) (int, error) {
	n := 0
	for n+len(e) <= len(p) {
		n += copy(p[n:], e)
	}
	return max(n, copy(p, e)), nil
}

// Two lists made to cost most end in bounded time and memory, or are refused.
func TestCostlyListsAreBounded(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(4, 4))
	face := drawHash(r)
	alike := make([]Frame, 3000)
	for i := range alike {
		alike[i] = Frame{Quality: 100, Hash: flipped(r, face, 8), Seconds: float64(i) / 100}
	}
	start := time.Now()
	l, err := Compare(alike, alike)
	if err != nil || l.ShareOfA != 1 || len(l.Segments) != 1 {
		t.Errorf("all alike: %v, %d segments", err, len(l.Segments))
	}
	t.Logf("3,000 frames all alike with themselves: %v", time.Since(start))
	many := make([]Frame, 33_000)
	for i := range many {
		many[i] = Frame{Quality: 100, Hash: drawHash(r)}
	}
	if _, err := Compare(many, many); !errors.Is(err, ErrTooMany) {
		t.Errorf("too many: %v", err)
	}
}
