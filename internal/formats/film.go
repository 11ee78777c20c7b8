package formats

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"concert"
	"concert/internal/match"
	"concert/internal/sandbox"
	"concert/pdq"
)

const (
	// FilmSeconds is how much of a video is looked at: two hours, longer than what is
	// spread, and a bound for one that never ends.
	FilmSeconds = 7200
	// FilmFrames bounds the hashed frames: one for each of these seconds, and as many
	// again and more for changes of scene.
	FilmFrames = 16384

	// filmWall is the most time for one video; its processor time is bounded, too.
	filmWall = 10 * time.Minute
	// sceneLeast is how different a picture is from the one before where a scene
	// begins (ffmpeg's select filter, 0 to 1), and sceneApart the least time between
	// two of them, so that flashes are not all taken.
	sceneLeast = "0.3"
	sceneApart = "0.1"
)

var (
	// ErrNoFFmpeg says that no video can be opened here.
	ErrNoFFmpeg = errors.New("ffmpeg is not installed on this machine, so no video is opened")
	// ErrNoFPCalc says that no sound can be fingerprinted here.
	ErrNoFPCalc = errors.New("fpcalc is not installed (Debian: libchromaprint-tools), so no sound was fingerprinted")
)

// Player opens videos and sounds with programs of the system, in the limits of
// the children. Either program may be missing.
type Player struct {
	Children *sandbox.Pool
	FFmpeg   string        // where it is; empty where it is not installed
	FPCalc   string        // likewise
	Wall     time.Duration // most time for one video; 0 for ten minutes
}

// NewPlayer is a player with what is installed here.
func NewPlayer(children *sandbox.Pool) Player {
	p := Player{Children: children}
	for name, at := range map[string]*string{"ffmpeg": &p.FFmpeg, "fpcalc": &p.FPCalc} {
		if path, err := exec.LookPath(name); err == nil {
			*at = path
		}
	}
	return p
}

// Film is what is known of a video by its frames.
type Film struct {
	Width, Height int // as stored, not turned by what its metadata say
	Rate          float64
	// Turned are the hashed frames by [pdq.Orientation]; the first are those of the
	// video as it is stored.
	Turned [8][]match.Frame
	// Cut says why the video was not looked at to its end; empty where it was.
	Cut string
}

// Frames are the hashed frames of the video as it is stored.
func (f Film) Frames() []match.Frame { return f.Turned[pdq.Original] }

const (
	// filmFormats are the containers that are opened: none that names other files or
	// hosts (playlists, ffconcat), none that only games and cameras of a kind write.
	filmFormats = "mov,matroska,avi,flv,live_flv,mpegts,mpeg,mpegvideo,m4v,h264,hevc,asf,ogg,rm,mxf,dv," +
		"mp3,aac,ac3,eac3,amr,flac,wav,w64,aiff,caf,au"

	// filmCodecs are the decoders that are run on strangers' bytes: those of formats
	// that are spread, not the hundreds of others.
	filmCodecs = "h264,hevc,vvc,libdav1d,libaom-av1,av1,vp6,vp6f,vp6a,vp8,vp9,libvpx,libvpx-vp9,mpeg1video,mpeg2video,mpegvideo,mpeg4,h263,h263i,h263p," +
		"flv,msmpeg4v1,msmpeg4v2,msmpeg4,wmv1,wmv2,wmv3,vc1,theora,mjpeg,rv10,rv20,rv30,rv40,svq1,svq3,cinepak,prores,dnxhd,dvvideo,ffv1,huffyuv,ffvhuff,rawvideo,png," +
		"aac,aac_latm,mp3,mp3float,mp2,mp2float,mp1,mp1float,ac3,ac3_fixed,eac3,opus,libopus,vorbis,libvorbis,flac,alac,amrnb,amrwb,libopencore_amrnb,libopencore_amrwb," +
		"wmav1,wmav2,wmapro,cook,adpcm_ima_qt,adpcm_ms,adpcm_ima_wav,gsm,libgsm,speex,libspeex,nellymoser,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_f32le,pcm_u8,pcm_s8,pcm_mulaw,pcm_alaw"
)

// opens are the arguments with which ffmpeg opens a stranger's bytes: from a pipe
// and from nothing else, so that no file and no host that they name is opened.
// Pictures are as they are stored, or turned as the metadata say.
func opens(turned bool) []string {
	args := []string{"-nostdin", "-hide_banner", "-loglevel", "quiet", "-protocol_whitelist", "pipe", "-format_whitelist", filmFormats, "-codec_whitelist", filmCodecs,
		"-threads", "2", "-max_pixels", strconv.Itoa(PixelsMost)}
	if !turned {
		args = append(args, "-noautorotate")
	}
	return append(args, "-i", "pipe:0", "-map_metadata", "-1", "-map_chapters", "-1", "-sn", "-dn")
}

// IsFilm reports whether bytes of the media type may be a video.
func IsFilm(media string) bool {
	return strings.HasPrefix(media, "video/") || media == "application/ogg"
}

// firstMost is the most bytes of a first picture, as PNG.
const firstMost = 16 << 20

// First is a video's first picture, as PNG, no wider than a preview. The error is
// that of [Player.Frames].
func (p Player) First(ctx context.Context, video io.ReaderAt, size int64) ([]byte, error) {
	if p.FFmpeg == "" {
		return nil, ErrNoFFmpeg
	}
	in, err := InFront(ctx, p.Children, video, size)
	if err != nil {
		return nil, err
	}
	args := append(opens(true), "-map", "0:V:0", "-frames:v", "1", "-an", "-vf", fmt.Sprintf("scale='min(%d,iw)':-2", pictureSide), "-f", "image2pipe", "-c:v", "png", "pipe:1")
	var out bytes.Buffer
	err = p.Children.Stream(ctx, sandbox.Program{Path: p.FFmpeg, Args: args, Wall: p.Wall}, in, func(r io.Reader) error {
		n, err := io.Copy(&out, io.LimitReader(r, firstMost+1))
		if err == nil && n > firstMost {
			err = &sandbox.Refused{Reason: fmt.Sprintf("the first picture of the video has more than %d MB", firstMost>>20)}
		}
		return err
	})
	return out.Bytes(), err
}

// Frames hashes a video: the first frame of every second, and the first of every
// scene, each at its full size, as vPDQ does it. ffmpeg decodes and gives grey
// points on a pipe; nothing else is believed of it. The error is [ErrNoFFmpeg], a
// [sandbox.Refused] that says what is wrong with the video, [sandbox.ErrGone] where
// its index ended the child that read it, or the context's. A film that is cut is
// no error.
func (p Player) Frames(ctx context.Context, video io.ReaderAt, size int64) (Film, error) {
	if p.FFmpeg == "" {
		return Film{}, ErrNoFFmpeg
	}
	in, err := InFront(ctx, p.Children, video, size)
	if err != nil {
		return Film{}, err
	}
	const second = "floor(t-start_t+0.0005)\\,floor(prev_t-start_t+0.0005)"
	picked := "select='isnan(prev_t)+gt(" + second + ")+gt(scene\\," + sceneLeast + ")*gte(t-prev_selected_t\\," + sceneApart + ")',format=gray"
	args := append(opens(false), "-map", "0:V:0", "-t", strconv.Itoa(FilmSeconds), "-frames:v", strconv.Itoa(FilmFrames), "-vf", picked, "-c:v", "rawvideo", "-f", "matroska", "pipe:1")
	m := &filming{}
	err = p.Children.Stream(ctx, sandbox.Program{Path: p.FFmpeg, Args: args, Long: true, Wall: p.wall()}, in, func(r io.Reader) error {
		return readGrey(r, m.frame)
	})
	return m.done(err)
}

func (p Player) wall() time.Duration {
	if p.Wall > 0 {
		return p.Wall
	}
	return filmWall
}

// filming is a film on its way.
type filming struct {
	film   Film
	hasher pdq.Hasher
	begun  int64 // the first frame's place in milliseconds
}

func (m *filming) frame(s greyStream, ms int64, grey []byte) error {
	f := &m.film
	if len(f.Frames()) == 0 {
		f.Width, f.Height, f.Rate, m.begun = s.Width, s.Height, min(s.Rate, 1000), ms
	}
	if s.Width != f.Width || s.Height != f.Height || len(f.Frames()) == FilmFrames {
		return fmt.Errorf("%w: their size changes, or they do not end", errGrey)
	}
	if err := m.hasher.Reset(s.Width, s.Height); err != nil {
		return err
	}
	for i := range s.Height {
		if err := m.hasher.Row(grey[i*s.Width:][:s.Width]); err != nil {
			return err
		}
	}
	d, err := m.hasher.Sum()
	if err != nil {
		return err
	}
	at := max(0, float64(ms-m.begun)/1000)
	number := min(math.MaxInt32, int(math.Round(at*f.Rate)))
	if f.Rate == 0 {
		number = len(f.Frames())
	}
	for turn, h := range d.Orientations() {
		f.Turned[turn] = append(f.Turned[turn], match.Frame{Number: number, Quality: d.Quality, Hash: h.Bytes(), Seconds: at})
	}
	return nil
}

// done is what came of it.
func (m *filming) done(err error) (Film, error) {
	f, n := m.film, len(m.film.Frames())
	switch {
	case err != nil && !errors.Is(err, sandbox.ErrGone) && !errors.Is(err, errGrey):
		return Film{}, err
	case n == 0 && errors.Is(err, sandbox.ErrGone):
		return Film{}, &sandbox.Refused{Reason: "no frame of it could be read: it is broken, of a kind that is not opened here, or took too long or too much memory"}
	case n == 0 && err != nil:
		return Film{}, &sandbox.Refused{Reason: err.Error()}
	case n == 0:
		return Film{}, &sandbox.Refused{Reason: "there is no picture in it"}
	}
	last := f.Frames()[n-1].Seconds
	switch {
	case err != nil:
		f.Cut = fmt.Sprintf("it was hashed up to second %.0f, where it breaks off, or took too long or too much memory", last)
	case last >= FilmSeconds-2 || n == FilmFrames:
		f.Cut = fmt.Sprintf("it was hashed up to second %.0f: no more than %d hours or %d frames are", last, FilmSeconds/3600, FilmFrames)
	}
	return f, nil
}

// KnownFrames are frames as a bank keeps them.
func KnownFrames(fs []match.Frame) []concert.KnownFrame {
	out := make([]concert.KnownFrame, len(fs))
	for i, f := range fs {
		out[i] = concert.KnownFrame{PDQ: f.Hash, Quality: f.Quality, Seconds: f.Seconds}
	}
	return out
}

// MatchFrames are a bank's frames as they are compared and written.
func MatchFrames(fs []concert.KnownFrame) []match.Frame {
	out := make([]match.Frame, len(fs))
	for i, f := range fs {
		out[i] = match.Frame{Number: i, Hash: f.PDQ, Quality: f.Quality, Seconds: f.Seconds}
	}
	return out
}
