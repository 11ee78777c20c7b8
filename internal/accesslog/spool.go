package accesslog

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// spoolParts is into how many files a table is parted, by hash, so that each can
// be joined in memory alone.
const spoolParts = 64

// spool is a table that outgrew its memory: records in files parted by hash. The
// files have no names, so that none is left whatever ends the program. What lies
// in them is pseudonymised and redacted already.
type spool struct {
	mu    sync.Mutex
	dir   string
	files [spoolParts]*os.File
	bufs  [spoolParts][]byte
	used  bool
	bytes *spoolLimit
}

// spoolLimit is how much all spools may lay down together.
type spoolLimit struct {
	mu         sync.Mutex
	used, most int64
}

// ErrSpoolFull says that the tables have outgrown the disk they were given.
var ErrSpoolFull = errors.New("the tables have outgrown the space for temporary files; give more with -spill, or read fewer files at once")

func (l *spoolLimit) take(n int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.used += int64(n); l.used > l.most {
		return fmt.Errorf("%w (limit %d MiB)", ErrSpoolFull, l.most>>20)
	}
	return nil
}

// nameless makes a file that is gone when it is closed.
func nameless(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, "concert-accesslog-*")
	if err != nil {
		return nil, fmt.Errorf("temporary file: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, fmt.Errorf("temporary file: %w", err)
	}
	return f, nil
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
	if err := s.bytes.take(len(s.bufs[i])); err != nil {
		return err
	}
	if s.files[i] == nil {
		f, err := nameless(s.dir)
		if err != nil {
			return err
		}
		s.files[i] = f
	}
	if _, err := s.files[i].Write(s.bufs[i]); err != nil {
		return fmt.Errorf("temporary file: %w", err)
	}
	s.bufs[i] = s.bufs[i][:0]
	return nil
}

// each calls f for every record of one part.
func (s *spool) each(part int, f func(record []byte)) error {
	if s.files[part] != nil {
		if _, err := s.files[part].Seek(0, io.SeekStart); err != nil {
			return err
		}
		r := bufio.NewReaderSize(s.files[part], 64<<10)
		var size [4]byte
		record := make([]byte, 0, longestKey+64)
		for {
			if _, err := io.ReadFull(r, size[:]); err == io.EOF {
				break
			} else if err != nil {
				return fmt.Errorf("temporary file: %w", err)
			}
			record = record[:min(binary.LittleEndian.Uint32(size[:]), uint32(cap(record)))]
			if _, err := io.ReadFull(r, record); err != nil {
				return fmt.Errorf("temporary file: %w", err)
			}
			f(record)
		}
	}
	for b := s.bufs[part]; len(b) >= 4; {
		n := binary.LittleEndian.Uint32(b)
		f(b[4 : 4+n])
		b = b[4+n:]
	}
	return nil
}

func (s *spool) close() {
	for _, f := range s.files {
		if f != nil {
			f.Close()
		}
	}
}
