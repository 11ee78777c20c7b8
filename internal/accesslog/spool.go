package accesslog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"

	"concert/internal/durable"
)

// spoolParts is into how many parts a table goes, by hash, so that each can be
// joined in memory alone.
const spoolParts = 64

// spool is a table that outgrew its memory: records parted by hash. What lies in
// them is pseudonymised and redacted already.
type spool struct {
	mu   sync.Mutex
	laid [spoolParts][]extent
	bufs [spoolParts][]byte
	used bool
	to   *scratch
}

// scratch is the file of all that a run lays down for a while. It has no name, so
// that nothing is left of it whatever ends the program.
type scratch struct {
	dir  string
	most int64 // bytes

	mu   sync.Mutex // guards file until it is there, and end
	file *os.File
	end  int64
}

// extent is a piece of the scratch file.
type extent struct {
	at   int64
	size int
}

// ErrSpoolFull says that the tables have outgrown the disk they were given.
var ErrSpoolFull = errors.New("the tables have outgrown the space for temporary files; give more with -spill, or read fewer files at once")

// room is the file, and where a piece goes.
func (s *scratch) room(size int) (*os.File, extent, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := extent{s.end, size}
	if s.end+int64(size) > s.most {
		return nil, e, fmt.Errorf("%w (limit %d MiB)", ErrSpoolFull, s.most>>20)
	}
	if s.file == nil {
		f, err := durable.Nameless(s.dir)
		if err != nil {
			return nil, e, err
		}
		s.file = f
	}
	s.end += int64(size)
	return s.file, e, nil
}

// lay lays a piece down.
func (s *scratch) lay(piece []byte) (extent, error) {
	f, e, err := s.room(len(piece))
	if err != nil {
		return e, err
	}
	if _, err := f.WriteAt(piece, e.at); err != nil {
		return e, fmt.Errorf("temporary file: %w", err)
	}
	return e, nil
}

// piece reads what was laid down.
func (s *scratch) piece(e extent) io.Reader { return io.NewSectionReader(s.file, e.at, int64(e.size)) }

func (s *scratch) close() {
	if s.file != nil {
		s.file.Close()
	}
}

// put adds a record; the caller holds the lock.
func (s *spool) put(part uint64, record []byte) error {
	i := part % spoolParts
	s.used = true
	if len(s.bufs[i])+len(record)+4 > cap(s.bufs[i]) {
		if err := s.flush(int(i)); err != nil {
			return err
		}
	}
	s.bufs[i] = binary.LittleEndian.AppendUint32(s.bufs[i], uint32(len(record)))
	s.bufs[i] = append(s.bufs[i], record...)
	return nil
}

func (s *spool) flush(i int) error {
	if s.bufs[i] == nil {
		s.bufs[i] = make([]byte, 0, 16<<10)
	}
	if len(s.bufs[i]) == 0 {
		return nil
	}
	e, err := s.to.lay(s.bufs[i])
	if err != nil {
		return err
	}
	s.laid[i] = append(s.laid[i], e)
	s.bufs[i] = s.bufs[i][:0]
	return nil
}

// each calls f for every record of one part.
func (s *spool) each(part int, f func(record []byte)) error {
	give := func(b []byte) {
		for len(b) >= 4 {
			n := binary.LittleEndian.Uint32(b)
			f(b[4 : 4+n])
			b = b[4+n:]
		}
	}
	var piece []byte
	for _, e := range s.laid[part] {
		piece = slices.Grow(piece[:0], e.size)[:e.size]
		if _, err := io.ReadFull(s.to.piece(e), piece); err != nil {
			return fmt.Errorf("temporary file: %w", err)
		}
		give(piece)
	}
	give(s.bufs[part])
	return nil
}
