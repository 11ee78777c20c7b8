package vault

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"concert/internal/sandbox"
)

const taskSurvey = "evidence.survey"

// kindStream is a child's work on files that come to it through a pipe.
const kindStream = "stream"

// deathsMost is how many children a volume or a row of files may cost.
const deathsMost = 16

// surveyOrder is what a child is asked.
type surveyOrder struct {
	Kind   string   `json:"kind"`
	Names  []string `json:"names,omitempty"`
	Limits Limits   `json:"limits"`
	SHA1   bool     `json:"sha1,omitempty"`
	MD5    bool     `json:"md5,omitempty"`
	Text   int64    `json:"text,omitempty"`
	Volume int      `json:"volume,omitempty"` // 0 lists the volumes
	// Only is the Inside of what is wanted; all is, where it is empty.
	Only []string `json:"only,omitempty"`
	// After a death: entries up to From were told, but for those in Open; those in
	// Skip are not opened.
	From int64   `json:"from,omitempty"`
	Open []int64 `json:"open,omitempty"`
	Skip []int64 `json:"skip,omitempty"`
}

// Frames of a child's answer: a letter, a length of 32 bits, big endian, and so
// many bytes.
const (
	frameBegin  = 'B' // an entry's number, before anything of it is read
	frameEntry  = 'E' // JSON of surveyAnswer
	frameText   = 'T' // a part of the next entry's text
	frameVolume = 'V' // JSON of SurveyedVolume
	frameMost   = 16 << 20
)

// surveyAnswer is an entry and its number.
type surveyAnswer struct {
	Index int64 `json:"index"`
	Surveyed
}

func (s *surveyor) order(kind string) surveyOrder {
	o := surveyOrder{Kind: kind, Limits: s.Limits, SHA1: s.SHA1, MD5: s.MD5, Text: s.Text}
	if s.Only != nil {
		o.Only = s.Only.Inside
	}
	return o
}

// conversation is the work of one child after the other on the same files.
type conversation struct {
	*surveyor
	place   string
	order   surveyOrder
	files   []*os.File
	seconds int
	// feed fills the pipe of a row of files; each child gets a new one.
	feed func(ctx context.Context, to *os.File, o surveyOrder) error
	// know makes an entry of a row of files whole.
	know func(index int64, e Surveyed) Surveyed
	seen []SurveyedVolume
}

// volumes asks which volumes an image has.
func (c *conversation) volumes(ctx context.Context) ([]SurveyedVolume, error) {
	c.order.Volume = 0
	v, err := c.talk(ctx)
	if err == nil && v.Outcome != "" && len(c.seen) == 0 {
		return []SurveyedVolume{v}, nil
	}
	return slices.Clone(c.seen), err
}

// talk lets children read until all is told, and says what came of the whole.
func (c *conversation) talk(ctx context.Context) (SurveyedVolume, error) {
	o := c.order
	gone := SurveyedVolume{Place: c.place, Volume: o.Volume, Outcome: OutcomeGone, Note: sandbox.ErrGone.Error()}
	if c.Children == nil {
		return gone, errors.New("there is no child to read in")
	}
	begun := map[int64]bool{}
	for range deathsMost {
		c.seen = nil
		last, err := c.once(ctx, o, begun)
		switch {
		case err == nil && (o.Volume == 0 || len(c.seen) == 1):
			if o.Volume > 0 {
				return c.seen[0], nil
			}
			return SurveyedVolume{Place: c.place}, nil
		case err != nil && !errors.Is(err, sandbox.ErrGone) && !errors.Is(err, errAnswer):
			return gone, err
		case last == 0 || slices.Contains(o.Skip, last):
			return gone, nil // it dies before it begins with anything
		}
		o.From, o.Skip, o.Open = last, append(o.Skip, last), nil
		for k := range begun {
			o.Open = append(o.Open, k)
		}
		slices.Sort(o.Open)
	}
	return gone, nil
}

// once is one child's life. begun holds the entries that were begun and not told;
// last is the last that was begun.
func (c *conversation) once(ctx context.Context, o surveyOrder, begun map[int64]bool) (last int64, err error) {
	in, err := json.Marshal(o)
	if err != nil {
		return 0, err
	}
	files, ended := c.files, make(chan error, 1)
	if c.feed != nil {
		from, to, err := os.Pipe()
		if err != nil {
			return 0, err
		}
		files = []*os.File{from}
		feeding, stop := context.WithCancel(ctx)
		go func() { ended <- errors.Join(c.feed(feeding, to, o), to.Close()) }()
		defer func() {
			stop()
			_ = from.Close() // what the feed still writes, nobody reads
			if fed := <-ended; err == nil && fed != nil {
				err = fed
			}
		}()
	}
	job := sandbox.OnFiles{Task: taskSurvey, In: in, Files: files, Seconds: c.seconds, Wall: 4 * time.Duration(c.seconds) * time.Second}
	var told error
	err = c.Children.ReadFiles(ctx, job, func(r io.Reader) error {
		var failed error
		last, failed = c.listen(bufio.NewReaderSize(r, 256<<10), begun)
		if failed != nil && !errors.Is(failed, errAnswer) && !errors.Is(failed, io.ErrUnexpectedEOF) {
			told = failed
		}
		return failed
	})
	if told != nil {
		return last, told
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = sandbox.ErrGone
	}
	return last, err
}

// listen reads a child's answer, which is not trusted: it read hostile bytes.
func (c *conversation) listen(r *bufio.Reader, begun map[int64]bool) (last int64, err error) {
	var head [5]byte
	for entries := int64(0); ; {
		if _, err := io.ReadFull(r, head[:]); err == io.EOF {
			return last, nil
		} else if err != nil {
			return last, io.ErrUnexpectedEOF
		}
		n := binary.BigEndian.Uint32(head[1:])
		if n > frameMost {
			return last, errAnswer
		}
		b := make([]byte, n)
		if _, err := io.ReadFull(r, b); err != nil {
			return last, io.ErrUnexpectedEOF
		}
		switch head[0] {
		case frameBegin:
			if len(b) != 8 {
				return last, errAnswer
			}
			last = int64(binary.BigEndian.Uint64(b))
			begun[last] = true
		case frameText:
			if c.Part != nil && c.Text > 0 {
				err = c.Part(string(b))
			}
		case frameVolume:
			var v SurveyedVolume
			if json.Unmarshal(b, &v) != nil || len(c.seen) > 4096 {
				return last, errAnswer
			}
			v.Place = c.place
			c.seen = append(c.seen, v)
		case frameEntry:
			var a surveyAnswer
			if entries++; json.Unmarshal(b, &a) != nil || entries > 2*c.Limits.Entries {
				return last, errAnswer
			}
			delete(begun, a.Index)
			if a.Place = c.place; c.know != nil {
				a.Surveyed = c.know(a.Index, a.Surveyed)
			}
			err = c.tell(a.Surveyed)
		default:
			return last, errAnswer
		}
		if err != nil {
			return last, err
		}
	}
}

// files surveys a row of files through one child, which gets their bytes by a
// pipe, and notes what of them is a container.
func (s *surveyor) files(ctx context.Context, items []surveyItem) error {
	total := int64(0)
	var row []surveyItem
	for _, it := range items {
		if it.s.Type != TypeFile || it.s.Outcome == OutcomeUnread {
			if err := s.tell(it.s); err != nil {
				return err
			}
			continue
		}
		if it.known != "" && s.Only == nil || s.Only != nil && len(s.Only.Inside) > 0 {
			// What a bag's manifest knows of a container needs no second reading.
			kind, err := kindOfFile(filepath.Join(s.base, it.path), it.s.Size)
			if err != nil {
				it.s.Outcome, it.s.Note = OutcomeUnread, EncodeName(err.Error(), false)
			}
			if kind != "" {
				s.kept = append(s.kept, &done{Item: Item{Path: filepath.ToSlash(it.path)}, Kind: kind})
				it.s.SHA256, it.s.Media = it.known, "application/x-"+kind
				s.Progress.Files.Add(1)
				s.Progress.Bytes.Add(it.s.Size)
			}
			if kind != "" || err != nil {
				if err := s.tell(it.s); err != nil {
					return err
				}
				continue
			}
		}
		row, total = append(row, it), total+it.s.Size
	}
	if len(row) == 0 {
		return nil
	}
	f := &feeder{surveyor: s, row: row, kinds: make([]string, len(row)), failed: make([]error, len(row))}
	c := &conversation{surveyor: s, order: s.order(kindStream), seconds: seconds(total, s.Limits), feed: f.feed, know: f.know}
	v, err := c.talk(ctx)
	for i, kind := range f.kinds {
		if kind != "" {
			s.kept = append(s.kept, &done{Item: Item{Path: filepath.ToSlash(row[i].path)}, Kind: kind})
		}
	}
	if err == nil && v.Outcome != "" {
		return s.tell(Surveyed{Place: ".", Type: TypeDirectory, Outcome: v.Outcome, Note: "too many of its files were more than a child survives; those behind were not read"})
	}
	return err
}
