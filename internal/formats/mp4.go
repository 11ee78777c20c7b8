package formats

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"concert/internal/sandbox"
)

// TaskMoov is the name of the children's task (MoovTask).
const TaskMoov = "moov"

const (
	// indexMost bounds an index that is moved: that of hours has some megabytes.
	indexMost = 15 << 20
	// boxesMost bounds the boxes of a file that are looked at: a fragmented one
	// has one a second or two, behind an index that stands in front.
	boxesMost = 1 << 14

	moovHead = 16
)

// InFront is the file as a reader that cannot turn back wants it, such as one at
// the end of a pipe: an ISO base media file (ISO/IEC 14496-12: MP4, QuickTime)
// whose index stands behind the pictures gets it in front, any other is left as
// it is. The index is read in a child of the pool; the error is the pool's, or
// says of the index what is wrong with it.
func InFront(ctx context.Context, children *sandbox.Pool, in io.ReaderAt, size int64) (io.Reader, error) {
	whole := io.NewSectionReader(in, 0, size)
	pictures, index, ok := boxesOf(in, size)
	if !ok {
		return whole, nil
	}
	n := index.to - index.from
	if n > indexMost {
		return nil, &sandbox.Refused{Reason: fmt.Sprintf("the video's index has %d MB and stands behind its pictures", n>>20)}
	}
	task := make([]byte, moovHead+n)
	binary.BigEndian.PutUint64(task, uint64(pictures))
	binary.BigEndian.PutUint64(task[8:], uint64(index.from))
	if _, err := in.ReadAt(task[moovHead:], index.from); err != nil {
		return nil, fmt.Errorf("index of a video: %w", err)
	}
	moved, err := children.Do(ctx, TaskMoov, task)
	if err != nil {
		return nil, err
	}
	if int64(len(moved)) != n {
		return nil, &sandbox.Refused{Reason: "the video's index came back with another length"}
	}
	part := func(from, to int64) io.Reader { return io.NewSectionReader(in, from, to-from) }
	return io.MultiReader(part(0, pictures), bytes.NewReader(moved), part(pictures, index.from), part(index.to, size)), nil
}

// MoovTask moves the offsets of an index for a child: where it goes and where it
// stood as 64-bit numbers, big endian, and the box in; the box out. It reads
// hostile input.
func MoovTask(in []byte) ([]byte, error) {
	if len(in) < moovHead {
		return nil, errors.New("the task names no places")
	}
	m := moov{at: binary.BigEndian.Uint64(in), from: binary.BigEndian.Uint64(in[8:]), index: in[moovHead:]}
	b, ok := boxAt(m.index, 0, len(m.index))
	if !ok || b.to != len(m.index) || m.at > m.from {
		return nil, errors.New("the video's index is no box")
	}
	if b.body == 8 {
		binary.BigEndian.PutUint32(m.index, uint32(len(m.index))) // one that reached to the file's end says 0
	}
	return m.index, m.shift(b.body, b.to, 0)
}

// moov is an index on its way to the front.
type moov struct {
	at, from uint64 // where it goes, and where it stood
	index    []byte // the box
}

// span is where something in a file begins and ends.
type span struct{ from, to int64 }

// boxesOf finds where the pictures begin and where an index behind them stands;
// false where there is none, or the file is none of these: the reader sees what
// it can.
func boxesOf(in io.ReaderAt, size int64) (pictures int64, index span, ok bool) {
	pictures = -1
	at := int64(0)
	for range boxesMost {
		var head [16]byte
		n, err := in.ReadAt(head[:min(16, size-at)], at)
		if err != nil && !errors.Is(err, io.EOF) || n < 8 {
			return 0, span{}, false
		}
		long := uint64(binary.BigEndian.Uint32(head[:]))
		switch {
		case long == 0:
			long = uint64(size - at)
		case long == 1 && n < 16:
			return 0, span{}, false
		case long == 1:
			long = binary.BigEndian.Uint64(head[8:])
		}
		if long < 8 || long > uint64(size-at) {
			return 0, span{}, false
		}
		switch kind := string(head[4:8]); {
		case kind == "moov":
			return pictures, span{at, at + int64(long)}, pictures >= 0
		case kind == "mdat" && pictures < 0:
			pictures = at
		}
		at += int64(long)
	}
	return 0, span{}, false
}

// box is one box of a file: its kind and where its content and its end are.
type box struct {
	kind           string
	from, body, to int
}

// boxAt reads the head of a box; false where there is none that fits.
func boxAt(in []byte, at, end int) (box, bool) {
	if end-at < 8 {
		return box{}, false
	}
	size, b := uint64(binary.BigEndian.Uint32(in[at:])), box{string(in[at+4 : at+8]), at, at + 8, 0}
	switch size {
	case 0:
		size = uint64(end - at)
	case 1:
		if end-at < 16 {
			return box{}, false
		}
		size, b.body = binary.BigEndian.Uint64(in[at+8:]), at+16
	}
	if size < uint64(b.body-at) || size > uint64(end-at) {
		return box{}, false
	}
	b.to = at + int(size)
	return b, true
}

// indexDeep are the boxes on the way to the offsets.
var indexDeep = []string{"trak", "mdia", "minf", "stbl"}

// shift moves each offset of a chunk that lay behind the new place of the index
// and before the old one.
func (m *moov) shift(from, to, depth int) error {
	for at := from; ; {
		b, ok := boxAt(m.index, at, to)
		if !ok {
			return nil
		}
		at = b.to
		if depth < len(indexDeep) {
			if b.kind == indexDeep[depth] {
				if err := m.shift(b.body, b.to, depth+1); err != nil {
					return err
				}
			}
			continue
		}
		width := map[string]int{"stco": 4, "co64": 8}[b.kind]
		if width == 0 || b.to-b.body < 8 {
			continue
		}
		table := m.index[b.body+8 : b.to]
		if n := int64(binary.BigEndian.Uint32(m.index[b.body+4:])); n*int64(width) > int64(len(table)) {
			return errors.New("the video's index promises more places than it has")
		}
		for i := 0; i+width <= len(table); i += width {
			if width == 8 {
				binary.BigEndian.PutUint64(table[i:], m.moved(binary.BigEndian.Uint64(table[i:])))
				continue
			}
			to := m.moved(uint64(binary.BigEndian.Uint32(table[i:])))
			if to > math.MaxUint32 {
				return errors.New("the video's pictures lie too far behind for its index to go in front")
			}
			binary.BigEndian.PutUint32(table[i:], uint32(to))
		}
	}
}

func (m *moov) moved(offset uint64) uint64 {
	if offset >= m.at && offset < m.from {
		offset += uint64(len(m.index))
	}
	return offset
}
