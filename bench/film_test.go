package bench

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"concert/internal/formats"
	"concert/internal/match"
	"concert/internal/testkit"
)

// BenchmarkFilm is the command on one video of CONCERT_BENCH_FILM_SECONDS (20) at 1280 by 720 points and 25 frames a second, H.264, digests and
// children and all, beside what ffmpeg takes to decode the same file for nobody: the rest is ours. vpdq's own program, the named peer, is built
// from libav's headers and is left out where it is not installed as vpdq-hash-video.
func BenchmarkFilm(b *testing.B) {
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		b.Skip("there is no ffmpeg here")
	}
	seconds := size(b, "CONCERT_BENCH_FILM_SECONDS", 20)
	film := filepath.Join(b.TempDir(), "EXERCISE.mp4")
	shoot := exec.Command(ffmpeg, "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i", "mandelbrot=size=1280x720:rate=25:maxiter=200", "-t", strconv.Itoa(seconds), "-preset", "veryfast", "-b:v", "2500k", film)
	if out, err := shoot.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	run := func(name string, args ...string) (out []byte, took, work time.Duration) {
		cmd := exec.Command(name, args...)
		began := time.Now()
		out, err := cmd.Output()
		testkit.Must(b, err)
		return out, time.Since(began), cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	tell := func(b *testing.B, took, work time.Duration) {
		report(b, map[string]float64{"video-s/s": float64(seconds) / took.Seconds(), "decoded-frames/s/core": float64(25*seconds) / work.Seconds(), "core-ms/video-s": work.Seconds() * 1000 / float64(seconds)})
	}
	path := program(b)
	b.Run("concert hash", func(b *testing.B) {
		var took, work time.Duration
		for b.Loop() {
			var out []byte
			out, took, work = run(path, "hash", film)
			var h formats.FileHash
			testkit.Must(b, json.Unmarshal(out, &h))
			if h.Frames < seconds {
				b.Fatalf("%d frames: %s", h.Frames, out)
			}
		}
		tell(b, took, work)
	})
	b.Run("peer: ffmpeg decodes for nobody", func(b *testing.B) {
		var took, work time.Duration
		for b.Loop() {
			_, took, work = run(ffmpeg, "-nostdin", "-loglevel", "error", "-threads", "2", "-i", film, "-map", "0:V:0", "-f", "null", "-")
		}
		tell(b, took, work)
	})
	b.Run("peer: vpdq-hash-video", func(b *testing.B) {
		peer, err := exec.LookPath("vpdq-hash-video")
		if err != nil {
			b.Skip("vpdq-hash-video is not installed")
		}
		var took, work time.Duration
		for b.Loop() {
			_, took, work = run(peer, "-i", film, "-o", filepath.Join(b.TempDir(), "out.txt"), "-r", "1")
		}
		tell(b, took, work)
	})
}

// BenchmarkFilmMatch looks for a video of five minutes in a bank of CONCERT_BENCH_FILMS (200) of ten.
func BenchmarkFilmMatch(b *testing.B) {
	n := size(b, "CONCERT_BENCH_FILMS", 200)
	state := uint64(1)
	draw := func() (f match.FrameHash) {
		for i := range f {
			state = state*6364136223846793005 + 1442695040888963407
			f[i] = byte(state >> 33)
		}
		return f
	}
	known := make([]match.Known, n)
	for i := range known {
		for s := range 600 {
			known[i].Frames = append(known[i].Frames, match.Frame{Number: s, Quality: 100, Hash: draw(), Seconds: float64(s)})
		}
	}
	bank, err := match.NewBank(b.Context(), known)
	testkit.Must(b, err)
	defer bank.Close()
	sought := match.Sought{Frames: make([][]match.Frame, 8)}
	for turn := range sought.Frames {
		for s := range 300 {
			f := known[n/2].Frames[100+s]
			f.Seconds = float64(s)
			if turn > 0 {
				f.Hash = draw()
			}
			sought.Frames[turn] = append(sought.Frames[turn], f)
		}
	}
	var took time.Duration
	for b.Loop() {
		began := time.Now()
		hits, err := bank.Find(sought, 31)
		testkit.Must(b, err)
		took = time.Since(began)
		if len(hits) != 1 || !bytes.Equal([]byte(match.SegmentText(hits[0].Segments[0])), []byte("0.0-299.0=100.0-399.0")) {
			b.Fatalf("%+v", hits)
		}
	}
	report(b, map[string]float64{"ms": took.Seconds() * 1000, "frames-in-bank": float64(600 * n)})
}
