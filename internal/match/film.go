package match

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"

	"concert/internal/match/hamming"
	"concert/internal/match/vpdq"
)

// What is known of videos is the room vpdq's; these are its names for others.
type (
	// Frame is one hashed frame of a video.
	Frame = vpdq.Frame
	// FrameHash is a PDQ hash, its bytes in the order of its text.
	FrameHash = vpdq.Hash
	// Likeness is how two videos are related: the share of each one's different
	// frames that the other has, and which stretch is which.
	Likeness = vpdq.Likeness
	// Segment is a stretch of one video that is a stretch of the other.
	Segment = vpdq.Segment
	// TMK is a hash of a whole video as other programs make it (TMK+PDQF).
	TMK = vpdq.TMK
)

const (
	// FrameQualityLeast is the quality from which on a frame counts.
	FrameQualityLeast = vpdq.QualityLeast
	// FilmShare is the share of a video's frames from which on python-threatexchange
	// speaks of a match.
	FilmShare = vpdq.QueryShare
)

// CompareFrames compares two videos within radius bits a frame (0 to 64): shares
// both ways and the segments, in the order of a. The error says that they have too
// many different frames.
func CompareFrames(a, b []Frame, radius int) (Likeness, error) {
	return vpdq.CompareWithin(a, b, radius)
}

// CompareTurned compares a video, as it is and turned, with another and gives the
// way of turning that explains most; the first of those that explain as much.
func CompareTurned(turned [][]Frame, other []Frame, radius int) (turn int, best Likeness, err error) {
	for i, frames := range turned {
		l, err := CompareFrames(frames, other, radius)
		if err != nil {
			return 0, Likeness{}, err
		}
		if i == 0 || l.ShareOfA+l.ShareOfB > best.ShareOfA+best.ShareOfB {
			turn, best = i, l
		}
	}
	return turn, best, nil
}

// Matches says whether a likeness is told: some stretch of the one is in the
// other, or most of the one is, however short.
func Matches(l *Likeness) bool {
	return len(l.Segments) > 0 || l.ShareOfA >= FilmShare || l.ShareOfB >= FilmShare
}

// SegmentText writes a segment as seconds, "12.0-34.0=0.0-22.0": of the one video,
// then of the other.
func SegmentText(s Segment) string {
	f := func(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }
	return f(s.A.From) + "-" + f(s.A.To) + "=" + f(s.B.From) + "-" + f(s.B.To)
}

// DistinctFrames are at most most of the frames, for an index: those of a quality
// below the least, and those within radius bits of one of the last few that were
// kept, left out; of what is still too many, as many at even places.
func DistinctFrames(frames []Frame, radius, most int) []Frame {
	const back = 8 // cuts go to and fro between a few views
	var kept []Frame
	for i := range frames {
		f := &frames[i]
		if f.Quality < FrameQualityLeast {
			continue
		}
		if !slices.ContainsFunc(kept[max(0, len(kept)-back):], func(k Frame) bool { return k.Hash.Distance(&f.Hash) <= radius }) {
			kept = append(kept, *f)
		}
	}
	if len(kept) <= most {
		return kept
	}
	thin := make([]Frame, most)
	for i := range thin {
		thin[i] = kept[i*len(kept)/most]
	}
	return thin
}

// IsFrameList says whether a file begins as a vPDQ list of either form.
func IsFrameList(head []byte) bool {
	line, _, _ := strings.Cut(strings.TrimSpace(string(head[:min(len(head), 256)])), "\n")
	if rest, ok := strings.CutPrefix(line, "["); ok {
		rest = strings.TrimLeft(rest, " \"")
		_, err := vpdq.ParseHash(rest[:min(64, len(rest))])
		return err == nil
	}
	parts := strings.Split(strings.TrimSpace(line), ",")
	if len(parts) != 4 {
		return false
	}
	_, err := vpdq.ParseHash(parts[2])
	return err == nil
}

// IsTMK says whether a file begins as a TMK+PDQF hash.
func IsTMK(head []byte) bool { return bytes.HasPrefix(head, []byte("TMK1FVECPDQF")) }

// ReadFrameList reads a vPDQ list, in lines or as JSON.
func ReadFrameList(r io.Reader) ([]Frame, error) {
	b := bufio.NewReader(r)
	head, err := b.Peek(1)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if len(head) > 0 && head[0] == '[' {
		return vpdq.ReadJSON(b)
	}
	return vpdq.ReadLines(b)
}

// WriteFrameList writes a vPDQ list in lines, as the reference's programs do.
func WriteFrameList(w io.Writer, frames []Frame) error { return vpdq.WriteLines(w, frames) }

// FrameListText is a vPDQ list as JSON, as exchanges hold it, on one line without
// its end. A frame that could not be read again is an error.
func FrameListText(frames []Frame) (string, error) {
	var b bytes.Buffer
	err := vpdq.WriteJSON(&b, frames)
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), err
}

// ReadTMK reads a TMK+PDQF hash.
func ReadTMK(r io.Reader) (*TMK, error) { return vpdq.ReadTMK(r) }

// films are the entries of a bank that videos and sounds are compared with.
type films struct {
	frames *hamming.Index
	owner  []int32 // of each frame in the index, its entry
	tmk    []int32 // entries that have one
	sound  []int32
}

func newFilms(ctx context.Context, known []Known) (*films, error) {
	f := new(films)
	var err error
	if f.frames, err = hamming.Open("", hamming.Options{}); err != nil {
		return nil, fmt.Errorf("bank: %w", err)
	}
	if err := f.frames.Rebuild(ctx, 0, f.looks(known)); err != nil {
		_ = f.frames.Close() // holds nothing but memory
		return nil, fmt.Errorf("bank: %w", err)
	}
	for i := range known {
		if known[i].TMK != nil {
			f.tmk = append(f.tmk, int32(i))
		}
		if len(known[i].Sound) > 0 {
			f.sound = append(f.sound, int32(i))
		}
	}
	return f, nil
}

// looks are the different frames of every entry that count.
func (f *films) looks(known []Known) iter.Seq2[hamming.Entry, error] {
	return func(yield func(hamming.Entry, error) bool) {
		for i := range known {
			seen := map[FrameHash]bool{}
			for _, fr := range known[i].Frames {
				if fr.Quality < FrameQualityLeast || seen[fr.Hash] {
					continue
				}
				seen[fr.Hash] = true
				e := hamming.Entry{ID: uint64(len(f.owner)), Hash: hamming.Hash(fr.Hash)}
				f.owner = append(f.owner, int32(i))
				if !yield(e, nil) {
					return
				}
			}
		}
	}
}

// byFilm adds the entries whose video or sound is like the sought one's to those
// that were found by better signs.
func (b *Bank) byFilm(s Sought, radius int, best map[int]Hit) error {
	if err := b.byFrames(s, radius, best); err != nil {
		return err
	}
	if s.TMK != nil {
		for _, i := range b.film.tmk {
			if _, known := best[int(i)]; known {
				continue
			}
			level1, level2, err := s.TMK.Compare(b.known[i].TMK)
			// Hashes of other parameters say nothing, and match nothing.
			if err == nil && level1 >= vpdq.Level1Least && level2 >= vpdq.Level2Least {
				best[int(i)] = Hit{Entry: int(i), By: HashTMK, Score: min(1, level2)}
			}
		}
	}
	for _, i := range b.film.sound {
		if _, known := best[int(i)]; known || len(s.Sound) == 0 {
			continue
		}
		if m, ok := CompareSounds(s.Sound, b.known[i].Sound); ok {
			best[int(i)] = Hit{Entry: int(i), By: HashChromaprint, Score: 1 - m.ErrorRate, Segments: []Segment{m.segment()}}
		}
	}
	return nil
}

// byFrames looks each frame up and compares the videos whose frames are found, in
// the way of turning that explains most.
func (b *Bank) byFrames(s Sought, radius int, best map[int]Hit) error {
	for turn, frames := range s.Frames {
		distinct := DistinctFrames(frames, 0, len(frames))
		qs := make([]hamming.Hash, len(distinct))
		for i := range distinct {
			qs[i] = hamming.Hash(distinct[i].Hash)
		}
		found, err := b.film.frames.SearchBatch(nil, qs, hamming.Radii{Other: radius})
		if err != nil {
			return err
		}
		nearest := map[int32]int{}
		for _, ms := range found {
			for _, m := range ms {
				i := b.film.owner[m.ID]
				if d, known := nearest[i]; !known || m.Distance < d {
					nearest[i] = m.Distance
				}
			}
		}
		for i, d := range nearest {
			old, known := best[int(i)]
			if known && old.By != HashVPDQ {
				continue
			}
			l, err := CompareFrames(frames, b.known[i].Frames, radius)
			if err != nil {
				return fmt.Errorf("%s: %w", b.known[i].Name, err)
			}
			if !Matches(&l) || known && old.OfSought+old.OfEntry >= l.ShareOfA+l.ShareOfB {
				continue
			}
			best[int(i)] = Hit{Entry: int(i), By: HashVPDQ, Distance: distanceOf(&l, d), Turn: turn, OfSought: l.ShareOfA, OfEntry: l.ShareOfB, Segments: l.Segments}
		}
	}
	return nil
}

// distanceOf is the mean over the frames of the segments, and where there is none
// that of the nearest.
func distanceOf(l *Likeness, nearest int) int {
	n, sum := 0, 0.0
	for _, s := range l.Segments {
		n += s.Frames
		sum += s.Distance * float64(s.Frames)
	}
	if n == 0 {
		return nearest
	}
	return int(sum/float64(n) + 0.5)
}

// inOrder puts the nearest first: the same bytes, then looks by the bits that
// differ, then what has a score.
func inOrder(x, y Hit) int {
	scored := func(h Hit) int {
		if h.Score > 0 {
			return 1
		}
		return 0
	}
	return cmp.Or(scored(x)-scored(y), x.Distance-y.Distance, cmp.Compare(y.Score, x.Score), x.Entry-y.Entry)
}
