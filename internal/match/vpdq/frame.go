package vpdq

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

const (
	// MaxFrames is how many frames a list may have: at one a second twelve days, at thirty nine hours.
	MaxFrames = 1 << 20
	// MaxSeconds bounds a timestamp: 31 years.
	MaxSeconds = 1e9

	maxLine = 256
	maxJSON = MaxFrames * 128
)

// ErrFormat says that bytes are not what they should be; the text around it says where and how.
var ErrFormat = errors.New("vpdq: cannot be read")

// Hash is a PDQ hash as its text has it, bit 255 first.
type Hash [32]byte

// ParseHash reads 64 hexadecimal digits, of either case.
func ParseHash(text string) (Hash, error) {
	var h Hash
	if len(text) != 2*len(h) {
		return Hash{}, fmt.Errorf("%w: a hash has 64 hexadecimal digits, not %d characters", ErrFormat, len(text))
	}
	if _, err := hex.Decode(h[:], []byte(text)); err != nil {
		return Hash{}, fmt.Errorf("%w: a hash has 64 hexadecimal digits: %w", ErrFormat, err)
	}
	return h, nil
}

// String is the hash as 64 lower-case hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// Distance is the number of bits that differ, 0 to 256.
func (h *Hash) Distance(other *Hash) (n int) {
	for i := 0; i < len(h); i += 8 {
		n += bits.OnesCount64(binary.LittleEndian.Uint64(h[i:]) ^ binary.LittleEndian.Uint64(other[i:]))
	}
	return n
}

// Frame is one hashed frame of a video.
type Frame struct {
	Number  int // of the frame in the video, from 0; in lists read from JSON, which has none, the place in the list
	Quality int // 0 to 100
	Hash    Hash
	Seconds float64 // from the beginning
}

// ReadLines reads the file form: one frame a line, at least one, in any order. Lines may end in CR LF, and the last one may be
// empty. The error is [ErrFormat] with the line's number, or the reader's own.
func ReadLines(r io.Reader) ([]Frame, error) {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, maxLine), maxLine)
	var frames []Frame
	blank := false
	for n := 1; s.Scan(); n++ {
		line := s.Text()
		if blank || len(frames) == MaxFrames {
			return nil, fmt.Errorf("%w: line %d: an empty line stands before it, or it is one of more than %d", ErrFormat, n, MaxFrames)
		}
		if line == "" {
			blank = true
			continue
		}
		parts := strings.Split(line, ",")
		if len(parts) != 4 {
			return nil, fmt.Errorf("%w: line %d has %d parts; it is written frame,quality,hash,timestamp", ErrFormat, n, len(parts))
		}
		number, err := strconv.ParseUint(parts[0], 10, 31)
		if err != nil {
			return nil, fmt.Errorf("%w: line %d: the frame is no whole number up to 2147483647", ErrFormat, n)
		}
		f, err := parseFrame(parts[2], parts[1], parts[3])
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		f.Number = int(number)
		frames = append(frames, f)
	}
	switch err := s.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, fmt.Errorf("%w: line %d is longer than %d bytes", ErrFormat, len(frames)+1, maxLine)
	case err != nil:
		return nil, err
	case len(frames) == 0:
		return nil, fmt.Errorf("%w: there is no frame in it", ErrFormat)
	}
	return frames, nil
}

func parseFrame(hash, quality, seconds string) (Frame, error) {
	h, err := ParseHash(hash)
	if err != nil {
		return Frame{}, err
	}
	q, err := strconv.ParseUint(quality, 10, 8)
	if err != nil || q > 100 {
		return Frame{}, fmt.Errorf("%w: the quality is no whole number from 0 to 100", ErrFormat)
	}
	// ParseFloat also reads hexadecimal, underscores, infinities and NaN.
	t, err := strconv.ParseFloat(seconds, 64)
	if err != nil || strings.Trim(seconds, "0123456789.eE+-") != "" || !(t >= 0 && t <= MaxSeconds) {
		return Frame{}, fmt.Errorf("%w: the timestamp is no number of seconds from 0 to %g", ErrFormat, float64(MaxSeconds))
	}
	return Frame{Quality: int(q), Hash: h, Seconds: t + 0}, nil
}

func (f *Frame) check() error {
	if f.Number < 0 || f.Number > math.MaxInt32 || f.Quality < 0 || f.Quality > 100 || !(f.Seconds >= 0 && f.Seconds <= MaxSeconds) {
		return fmt.Errorf("vpdq: frame %d with quality %d at %v s cannot be written", f.Number, f.Quality, f.Seconds)
	}
	return nil
}

// WriteLines writes the file form. Frames that could not be read again are an error.
func WriteLines(w io.Writer, frames []Frame) error {
	b := bufio.NewWriter(w)
	for i := range frames {
		f := &frames[i]
		if err := f.check(); err != nil {
			return err
		}
		fmt.Fprintf(b, "%d,%d,%s,%.3f\n", f.Number, f.Quality, f.Hash, f.Seconds)
	}
	return b.Flush()
}

// ReadJSON reads python-threatexchange's form; an empty list is none. It writes timestamps with three significant digits: times
// from 100 s on are then off by up to half a second, from 1,000 s on by up to five.
func ReadJSON(r io.Reader) ([]Frame, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxJSON+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxJSON {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrFormat, maxJSON)
	}
	if strings.TrimSpace(string(text)) == "" {
		return nil, nil
	}
	var list []string
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("%w: it is no JSON list of texts: %w", ErrFormat, err)
	}
	if len(list) > MaxFrames {
		return nil, fmt.Errorf("%w: more than %d frames", ErrFormat, MaxFrames)
	}
	frames := make([]Frame, 0, len(list))
	for i, text := range list {
		parts := strings.Split(text, ",")
		if len(parts) != 3 {
			return nil, fmt.Errorf("%w: entry %d has %d parts; it is written hash,quality,timestamp", ErrFormat, i, len(parts))
		}
		f, err := parseFrame(parts[0], parts[1], parts[2])
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", i, err)
		}
		f.Number = i
		frames = append(frames, f)
	}
	return frames, nil
}

// WriteJSON writes python-threatexchange's form on one line, with three decimals, which it reads.
func WriteJSON(w io.Writer, frames []Frame) error {
	list := make([]string, 0, len(frames))
	for i := range frames {
		f := &frames[i]
		if err := f.check(); err != nil {
			return err
		}
		list = append(list, fmt.Sprintf("%s,%d,%.3f", f.Hash, f.Quality, f.Seconds))
	}
	text, err := json.Marshal(list)
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}
