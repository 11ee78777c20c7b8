package ewf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/adler32"
	"io"
	"sort"

	"github.com/klauspost/compress/zlib"
)

// inflater opens chunks; it belongs to one goroutine.
type inflater struct {
	in bytes.Reader
	z  io.ReadCloser
}

var errChunk = errors.New("the chunk has another checksum than its own, or is no chunk")

// open puts the chunk whose stored bytes these are into out, which has the size
// of a chunk, and says how many bytes it has.
func (f *inflater) open(stored []byte, deflated bool, out []byte) (int, error) {
	if !deflated {
		n := min(len(stored)-4, len(out))
		if n <= 0 || adler32.Checksum(stored[:n]) != binary.LittleEndian.Uint32(stored[n:]) {
			return 0, errChunk
		}
		return copy(out, stored[:n]), nil
	}
	f.in.Reset(stored)
	if f.z == nil {
		z, err := zlib.NewReader(&f.in)
		if err != nil {
			return 0, errChunk
		}
		f.z = z
	} else if err := f.z.(zlib.Resetter).Reset(&f.in, nil); err != nil {
		return 0, errChunk
	}
	n, err := io.ReadFull(f.z, out)
	if err == io.ErrUnexpectedEOF && n > 0 {
		return n, nil // the checksum held, or it would be another error
	}
	if err != nil {
		return 0, errChunk
	}
	// Only the end of the stream compares the checksum.
	var more [1]byte
	if k, err := f.z.Read(more[:]); k != 0 || err != io.EOF {
		return 0, errChunk
	}
	return n, nil
}

// span is how many bytes the chunk with the number must have.
func (m *Image) span(chunk int64) int64 {
	return max(0, min(m.ChunkSize, m.Size-chunk*m.ChunkSize))
}

// readChunk opens one chunk.
func (m *Image) readChunk(f *inflater, seg Segment, chunk int64, p place, stored, out []byte) error {
	if p.err != nil {
		return p.err
	}
	want := m.span(chunk)
	if !p.deflated {
		p.size = min(p.size, want+4)
	}
	stored = stored[:p.size]
	if err := readAt(seg, stored, p.at); err != nil {
		return err
	}
	n, err := f.open(stored, p.deflated, out[:m.ChunkSize])
	if err == nil && int64(n) < want {
		err = fmt.Errorf("it has %d bytes instead of %d", n, want)
	}
	return err
}

// ReadAt implements io.ReaderAt on the media. A damaged chunk is an error.
func (m *Image) ReadAt(p []byte, at int64) (n int, err error) {
	if at < 0 {
		return 0, errors.New("a place before the media's beginning")
	}
	var f inflater
	out, stored := make([]byte, m.ChunkSize), make([]byte, m.storedMost())
	for n < len(p) {
		if at+int64(n) >= m.Size {
			return n, io.EOF
		}
		chunk := (at + int64(n)) / m.ChunkSize
		k := sort.Search(len(m.tables), func(i int) bool { return m.tables[i].first+m.tables[i].count > chunk })
		if k == len(m.tables) {
			return n, fmt.Errorf("no table lists chunk %d", chunk)
		}
		t := m.tables[k]
		list, err := m.places(t, chunk-t.first, 1)
		if err == nil {
			err = m.readChunk(&f, m.segments[t.segment], chunk, list[0], stored, out)
		}
		if err != nil {
			return n, fmt.Errorf("chunk %d: %w", chunk, err)
		}
		n += copy(p[n:], out[at+int64(n)-chunk*m.ChunkSize:m.span(chunk)])
	}
	return n, nil
}
