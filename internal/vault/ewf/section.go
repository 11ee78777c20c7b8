package ewf

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/adler32"
	"io"
)

const (
	sectionSize = 76
	// sectionsMost bounds the sections of one segment, headMost what is read of a
	// header section before and after inflating.
	sectionsMost = 1 << 20
	headMost     = 1 << 20
)

// Segment is one file of an image.
type Segment struct {
	Name string // what it is called in what is said of it
	Size int64
	io.ReaderAt
}

// section is a section's descriptor, checked against its file.
type section struct {
	kind string
	at   int64 // of the descriptor
	next int64
	end  int64 // of its data, as far as the file goes
}

func (s section) data() int64 { return s.at + sectionSize }

// readSection reads the descriptor at a place. sound says that its checksum holds.
func readSection(seg Segment, at int64) (s section, sound bool, err error) {
	if at < 0 || at+sectionSize > seg.Size {
		return s, false, fmt.Errorf("%s ends at byte %d, where a section should begin at %d: it is cut short", seg.Name, seg.Size, at)
	}
	var b [sectionSize]byte
	if err := readAt(seg, b[:], at); err != nil {
		return s, false, err
	}
	kind, _, _ := bytes.Cut(b[:16], []byte{0})
	next, size := binary.LittleEndian.Uint64(b[16:]), binary.LittleEndian.Uint64(b[24:])
	s = section{kind: string(kind), at: at, next: seg.Size, end: seg.Size}
	if next <= uint64(seg.Size) {
		s.next, s.end = int64(next), int64(next)
	}
	if size >= sectionSize && size <= uint64(seg.Size-at) {
		s.end = at + int64(size)
	}
	return s, adler32.Checksum(b[:72]) == binary.LittleEndian.Uint32(b[72:]), nil
}

// readAt is ReadAt that fills p or says where it could not.
func readAt(seg Segment, p []byte, at int64) error {
	n, err := seg.ReadAt(p, at)
	if n == len(p) {
		return nil
	}
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%s, byte %d: %w", seg.Name, at+int64(n), err)
}

// checked is a section's data, at most most bytes of it, whose last four are the
// Adler-32 of those before.
func checked(seg Segment, s section, size int64) (data []byte, sound bool, err error) {
	if s.end-s.data() < size {
		return nil, false, fmt.Errorf("%s: the section %q at byte %d has %d bytes, fewer than the %d of its kind", seg.Name, s.kind, s.at, max(s.end-s.data(), 0), size)
	}
	data = make([]byte, size)
	if err := readAt(seg, data, s.data()); err != nil {
		return nil, false, err
	}
	return data, adler32.Checksum(data[:size-4]) == binary.LittleEndian.Uint32(data[size-4:]), nil
}
