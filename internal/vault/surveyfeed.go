package vault

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// feeder sends files to a child through a pipe: of each its number, then pieces
// with their lengths, then a length of 0.
type feeder struct {
	*surveyor
	row []surveyItem

	mu     sync.Mutex // guards what follows: the feed writes, the listener reads
	kinds  []string
	failed []error
}

const feedPiece = 256 << 10

// feed sends what the order still wants.
func (f *feeder) feed(ctx context.Context, to *os.File, o surveyOrder) error {
	buf := make([]byte, 4+feedPiece)
	for i := range f.row {
		index := int64(i + 1)
		if index <= o.From && !slices.Contains(o.Open, index) {
			continue
		}
		binary.BigEndian.PutUint64(buf, uint64(index))
		if _, err := to.Write(buf[:8]); err != nil {
			return nil // the child is gone, which its answer says
		}
		if !slices.Contains(o.Skip, index) {
			if err := f.send(ctx, i, to, buf); err != nil {
				return ignorePipe(err)
			}
		}
		clear(buf[:4])
		if _, err := to.Write(buf[:4]); err != nil {
			return nil
		}
		f.Progress.Files.Add(1)
	}
	return nil
}

func ignorePipe(err error) error {
	if errors.Is(err, errPipe) {
		return nil
	}
	return err
}

var errPipe = errors.New("nobody reads on")

// send sends one file's bytes. What goes wrong in reading is the file's outcome.
func (f *feeder) send(ctx context.Context, i int, to *os.File, buf []byte) error {
	it := f.row[i]
	in, err := openSource(filepath.Join(f.base, it.path))
	if err != nil {
		f.note(i, "", err)
		return nil
	}
	defer func() { _ = in.Close() }() // it was only read
	f.note(i, kindOf(in, it.s.Size), nil)
	for left := it.s.Size; ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := io.ReadFull(in, buf[4:4+min(left, feedPiece)])
		left -= int64(n)
		if n > 0 {
			binary.BigEndian.PutUint32(buf, uint32(n))
			if _, err := to.Write(buf[:4+n]); err != nil {
				return errPipe
			}
			f.Progress.Bytes.Add(int64(n))
		}
		if left <= 0 {
			return nil
		}
		if err != nil {
			f.note(i, "", ignoreEnd(err))
			return nil
		}
	}
}

func (f *feeder) note(i int, kind string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if kind != "" {
		f.kinds[i] = kind
	}
	if err != nil {
		f.failed[i] = err
	}
}

// know puts together what the child said of bytes and what is known of the file.
func (f *feeder) know(index int64, e Surveyed) Surveyed {
	if index < 1 || index > int64(len(f.row)) {
		return e
	}
	it := f.row[index-1]
	f.mu.Lock()
	failed, kind := f.failed[index-1], f.kinds[index-1]
	f.mu.Unlock()
	s := it.s
	s.Media, s.Encoding, s.SHA256, s.SHA1, s.MD5 = e.Media, e.Encoding, e.SHA256, e.SHA1, e.MD5
	if kind != "" {
		s.Media = "application/x-" + kind
	}
	if e.Outcome != "" {
		s.Outcome, s.Note = e.Outcome, e.Note
	}
	switch {
	case failed != nil:
		s.Outcome, s.Note = OutcomeUnread, EncodeName(failed.Error(), false)
	case it.known != "" && s.SHA256 != "" && !strings.EqualFold(it.known, s.SHA256):
		s.Outcome, s.Note = OutcomeChanged, "it is not what was sealed: evidence verify says more"
	case s.Outcome == "" && e.Size < it.s.Size && e.SHA256 != "":
		s.Outcome, s.Note = OutcomeShort, "it ended before its size"
	}
	return s
}
