package formats_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"concert/internal/formats"
	"concert/internal/match"
	"concert/internal/sandbox"
	"concert/pdq"
)

// player is one that plays; where there is no ffmpeg the test says so.
func player(t testing.TB) formats.Player {
	t.Helper()
	p := formats.NewPlayer(newPool(t))
	p.Wall = 2 * time.Minute
	switch {
	case p.FFmpeg != "":
	case os.Getenv("CI") == "true":
		t.Fatal("there is no ffmpeg, and CI must not leave videos out: ./check installs it")
	default:
		t.Skip("there is no ffmpeg here: ./check installs it")
	}
	return p
}

// shoot makes an EXERCISE film of ffmpeg's own sources and gives its bytes.
func shoot(t testing.TB, name string, args ...string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	args = slices.Concat([]string{"-nostdin", "-loglevel", "error"}, args, []string{path})
	if out, err := exec.CommandContext(t.Context(), "ffmpeg", args...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	in, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// twoScenes changes its scene at 2.4 seconds, between two whole ones; it lasts six.
func twoScenes() []string {
	return []string{"-f", "lavfi", "-i", "testsrc2=size=192x144:rate=25:duration=2.4", "-f", "lavfi", "-i", "mandelbrot=size=192x144:rate=25", "-filter_complex", "[0][1]concat=n=2", "-t", "6"}
}

func filmOf(t testing.TB, p formats.Player, in []byte) formats.Film {
	t.Helper()
	f, err := p.Frames(t.Context(), bytes.NewReader(in), int64(len(in)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestAVideoIsHashedEachSecondAndWhereASceneBegins(t *testing.T) {
	t.Parallel()
	p := player(t)
	films := map[string][]byte{
		"behind.mp4": shoot(t, "a.mp4", twoScenes()...),
		"front.mp4":  shoot(t, "a.mp4", append(twoScenes(), "-movflags", "faststart")...),
		"parts.mp4":  shoot(t, "a.mp4", append(twoScenes(), "-movflags", "frag_keyframe+empty_moov", "-g", "20")...),
		"vp8.webm":   shoot(t, "a.webm", append(twoScenes(), "-c:v", "libvpx", "-b:v", "2M", "-deadline", "realtime")...),
		"none.mkv":   shoot(t, "a.mkv", twoScenes()...),
		"old.avi":    shoot(t, "a.avi", append(twoScenes(), "-c:v", "mpeg4", "-q:v", "2")...),
		"disc.mpg":   shoot(t, "a.mpg", append(twoScenes(), "-q:v", "2")...),
		"air.ts":     shoot(t, "a.ts", append(twoScenes(), "-c:v", "mpeg2video", "-q:v", "2")...),
		"flash.flv":  shoot(t, "a.flv", append(twoScenes(), "-c:v", "flv", "-q:v", "2")...),
		"win.wmv":    shoot(t, "a.wmv", append(twoScenes(), "-q:v", "2")...),
	}
	first := filmOf(t, p, films["front.mp4"])
	for name, in := range films {
		h := p.HashFile(t.Context(), name, bytes.NewReader(in))
		if h.Error != "" || h.Width != 192 || h.Height != 144 || h.Frames < 7 || h.Frames > 9 || h.PDQ != "" || h.Film == nil || !strings.HasPrefix(h.Type, "video/") {
			t.Errorf("%s: %+v", name, h)
			continue
		}
		f := h.Film
		var at []string
		for _, fr := range f.Frames() {
			at = append(at, fmt.Sprintf("%.1f", fr.Seconds))
			// AVI and FLV have the whole milliseconds or frames that they have.
			if f.Rate > 0 && fr.Number != int(fr.Seconds*f.Rate+0.5) {
				t.Errorf("%s: frame %d at %v, %v a second", name, fr.Number, fr.Seconds, f.Rate)
			}
		}
		for _, want := range []string{"0.0", "1.0", "2.0", "2.4", "3.0", "4.0", "5.0"} {
			if !slices.Contains(at, want) {
				t.Errorf("%s: frames at %v, none at %s", name, at, want)
			}
		}
		l, err := match.CompareFrames(f.Frames(), first.Frames(), pdq.Near)
		if err != nil || l.ShareOfA != 1 || l.ShareOfB != 1 || len(l.Segments) != 1 || l.Segments[0].Distance > 12 {
			t.Errorf("%s is not the same film: %+v, %v", name, l, err)
		}
	}
}

// The turned hashes are those of the film turned.
func TestATurnedVideoIsFound(t *testing.T) {
	t.Parallel()
	p := player(t)
	// A picture that is its own mirror image, has frequencies near nothing, whose signs say nothing.
	scene := func(filter string) []string {
		return []string{"-f", "lavfi", "-i", "mandelbrot=size=320x240:rate=12:start_x=-0.6:start_y=0.55:start_scale=0.8:end_scale=0.1", "-vf", filter, "-t", "6"}
	}
	film := filmOf(t, p, shoot(t, "a.mp4", scene("null")...))
	for filter, way := range map[string]pdq.Orientation{"hflip": pdq.FlipY, "vflip": pdq.FlipX, "transpose=2": pdq.Rotate90, "transpose=1": pdq.Rotate270} {
		turned := filmOf(t, p, shoot(t, "b.mp4", scene(filter)...))
		for way2, list := range turned.Turned {
			l, err := match.CompareFrames(list, film.Frames(), pdq.Near)
			back := way // of these, a quarter turn has another to undo it
			switch way {
			case pdq.Rotate90:
				back = pdq.Rotate270
			case pdq.Rotate270:
				back = pdq.Rotate90
			}
			if err != nil || (l.ShareOfA == 1) != (pdq.Orientation(way2) == back) {
				t.Errorf("%s, undone by %v: %+v, %v", filter, pdq.Orientation(way2), l, err)
			}
		}
	}
}

func TestOurFramesAreTheReferences(t *testing.T) {
	t.Parallel()
	p := player(t)
	checkout := os.Getenv("CONCERT_TEST_THREATEXCHANGE")
	samples, err := filepath.Glob("../../../shared/data/video/*.mp4")
	if err != nil || len(samples) == 0 || checkout == "" {
		t.Skip("no sample videos in ../shared/data/video beside the repository, or CONCERT_TEST_THREATEXCHANGE names no checkout of facebook/ThreatExchange with their hashes")
	}
	for _, path := range samples {
		in, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.Open(filepath.Join(checkout, "vpdq/sample-hashes", strings.TrimSuffix(filepath.Base(path), ".mp4")+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		want, err := match.ReadFrameList(text)
		if err = errors.Join(err, text.Close()); err != nil {
			t.Fatal(err)
		}
		sum, most := 0, 0
		ours := filmOf(t, p, in).Frames()
		for _, f := range ours {
			d := f.Hash.Distance(&want[f.Number].Hash)
			sum, most = sum+d, max(most, d)
		}
		mean := float64(sum) / float64(len(ours))
		t.Logf("%s: %d frames, %.1f bits from the reference's in the mean, %d at most", filepath.Base(path), len(ours), mean, most)
		if mean > 3 || most > 10 {
			t.Errorf("%s is further from the reference than its own rule allows (10)", path)
		}
	}
}

// A playlist is opened by no one, and what it names neither.
func TestAPlaylistOpensNothing(t *testing.T) {
	t.Parallel()
	p := player(t)
	secret := filepath.Join(t.TempDir(), "secret.ts")
	film := shoot(t, "a.ts", append(twoScenes(), "-c:v", "mpeg2video", "-q:v", "2")...)
	if err := os.WriteFile(secret, film, 0o600); err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_, _ = w.Write(film)
	}))
	defer srv.Close()
	lists := map[string]string{}
	for name, place := range map[string]string{"file": "file://" + secret, "path": secret, "host": srv.URL + "/EXERCISE.ts", "concat": "concat:" + secret, "crypto": "crypto:" + secret, "subfile": "subfile,,start,0,end,0,,:" + secret} {
		lists["m3u8 "+name] = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:10\n#EXTINF:6,\n" + place + "\n#EXT-X-ENDLIST\n"
		lists["ffconcat "+name] = "ffconcat version 1.0\nfile '" + place + "'\n"
		lists["mpd "+name] = `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1"><BaseURL>` + place + `</BaseURL></Representation></AdaptationSet></Period></MPD>`
		lists["sdp "+name] = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=EXERCISE\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\na=control:" + place + "\n"
	}
	for name, list := range lists {
		f, err := p.Frames(t.Context(), strings.NewReader(list), int64(len(list)))
		if refused := new(sandbox.Refused); !errors.As(err, &refused) {
			t.Errorf("%s: %d frames, %v", name, len(f.Frames()), err)
		}
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("a host was asked %d times", n)
	}
}

func TestHostileVideos(t *testing.T) {
	t.Parallel()
	p := player(t)
	whole := shoot(t, "a.mp4", append(twoScenes(), "-movflags", "faststart")...)
	behind := shoot(t, "b.mp4", twoScenes()...)
	noise := bytes.Clone(whole)
	for i := bytes.Index(noise, []byte("mdat")) + 8; i < len(noise); i += 97 {
		noise[i] ^= byte(i * 31)
	}
	lying := bytes.Clone(whole)
	for i := bytes.Index(lying, []byte("stsz")); i < bytes.Index(lying, []byte("mdat"))-4; i += 3 {
		lying[i] = 0xff
	}
	huge := shoot(t, "c.avi", "-f", "lavfi", "-i", "color=size=16x16:duration=1", "-c:v", "rawvideo")
	at := bytes.Index(huge, []byte("strf")) + 12 // width and height
	copy(huge[at:], "\xff\xff\x00\x00\xff\xff\x00\x00")
	for name, c := range map[string]struct {
		in    []byte
		least int // frames; 0 for a refusal
		most  int
	}{
		"whole": {whole, 7, 9}, "polyglot": {slices.Concat(whole, []byte("PK\x03\x04<script>EXERCISE</script>")), 7, 9}, "cut": {whole[:len(whole)*2/3], 2, 8}, "without its index": {behind[:len(behind)*2/3], 0, 0},
		"noise": {noise, 0, 400}, "lying": {lying, 0, 400}, "huge": {huge, 0, 0}, "nothing": {nil, 0, 0}, "head": {whole[:20], 0, 0}, "text": {[]byte("EXERCISE, no video"), 0, 0},
		"box of boxes": {bytes.Repeat([]byte("\x00\x00\x10\x00moov"), 512), 0, 0}, "a decoder that is not run": {shoot(t, "d.mov", append(twoScenes(), "-c:v", "qtrle")...), 0, 0}, "a format that is not opened": {shoot(t, "e.nut", append(twoScenes(), "-c:v", "mpeg4")...), 0, 0},
		"sound alone": {shoot(t, "a.mp3", "-f", "lavfi", "-i", "sine=duration=2"), 0, 0},
	} {
		f, err := p.Frames(t.Context(), bytes.NewReader(c.in), int64(len(c.in)))
		refused := new(sandbox.Refused)
		if err != nil && (!errors.As(err, &refused) || refused.Reason == "") || err != nil && c.least > 0 || len(f.Frames()) < c.least || len(f.Frames()) > c.most {
			t.Errorf("%s: %d frames, %v", name, len(f.Frames()), err)
		} else {
			t.Logf("%s: %d frames, %q, %v", name, len(f.Frames()), f.Cut, err)
		}
	}
}

// A video without end is hashed as long as there is time, and then the program is ended.
func TestAnEndlessVideoIsCut(t *testing.T) {
	t.Parallel()
	p := player(t)
	in := shoot(t, "a.h264", "-f", "lavfi", "-i", "mandelbrot=size=192x144:rate=25", "-t", "2", "-g", "25", "-bf", "0")
	p.Wall = 4 * time.Second
	begun := time.Now()
	f, err := p.Frames(t.Context(), everywhere(in), 1<<50)
	if err != nil || len(f.Frames()) == 0 || f.Cut == "" {
		t.Errorf("%d frames, %q, %v", len(f.Frames()), f.Cut, err)
	}
	if took := time.Since(begun); took > time.Minute {
		t.Errorf("it took %s to be rid of it", took)
	}
	t.Logf("%d frames, %s", len(f.Frames()), f.Cut)
}

func TestWithoutFFmpegVideosHaveDigests(t *testing.T) {
	t.Parallel()
	p := formats.Player{Children: newPool(t)}
	in := isoBox("ftyp", []byte("isom\x00\x00\x00\x00mp42"))
	h := p.HashFile(t.Context(), "EXERCISE.mp4", bytes.NewReader(in))
	if h.Error != formats.ErrNoFFmpeg.Error() || len(h.SHA256) != 64 || len(h.MD5) != 32 || h.Film != nil || h.Chromaprint != "" {
		t.Errorf("%+v", h)
	}
	if _, _, err := p.Sound(t.Context(), bytes.NewReader(in), int64(len(in))); !errors.Is(err, formats.ErrNoFFmpeg) {
		t.Error(err)
	}
	p.FFmpeg = "/bin/false"
	if _, _, err := p.Sound(t.Context(), bytes.NewReader(in), int64(len(in))); !errors.Is(err, formats.ErrNoFPCalc) {
		t.Error(err)
	}
	h = p.HashFile(t.Context(), "EXERCISE.mp4", bytes.NewReader(in))
	if h.Error == "" || h.Film != nil {
		t.Errorf("a program that answers nothing: %+v", h)
	}
}

// A video from a pipe is held to be read; one from a file is not.
func TestAVideoFromAPipeIsTheSame(t *testing.T) {
	t.Parallel()
	p := player(t)
	in := shoot(t, "a.mp4", twoScenes()...)
	a, b := p.HashFile(t.Context(), "x", bytes.NewReader(in)), p.HashFile(t.Context(), "x", struct{ io.Reader }{bytes.NewReader(in)})
	if a.Error != "" || b.Error != "" || a.SHA256 != b.SHA256 || !slices.Equal(a.Film.Frames(), b.Film.Frames()) {
		t.Errorf("%+v, %+v", a, b)
	}
}
