package lake

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"concert/internal/accesslog"
	"concert/internal/durable"
)

const (
	// stretch is how many blocks of a file make a part for each month in them: 32 MiB
	// of its text, so that a part does not depend on who wrote it, or when.
	stretch = 128
	// chunk is how many rows are encoded at a time: few enough to stay near the processor.
	chunk = 1024
	// partsMost bounds how many parts a lake has.
	partsMost = 1 << 17
)

// unbounded are the columns whose least and greatest value help nobody to skip a
// part, and cost a comparison a row.
var unbounded = []string{"visitor", "usr", "cc", "verb", "path", "ref", "ua", "camp", "day"}

// Part is one Parquet file of a lake.
type Part struct {
	Path   string `json:"path"`   // from the lake's directory, with slashes
	SHA256 string `json:"sha256"` // hexadecimal
	Size   int64  `json:"size"`
	Rows   int64  `json:"rows"`
	First  string `json:"first"` // earliest and latest time in it, UTC; empty where its month is unknown
	Last   string `json:"last"`
}

// stack holds the rows of a stretch until all its blocks are there.
type stack struct {
	blocks []stacked
	seen   int
}

type stacked struct {
	seq   int
	month string
	rows  []row
}

// writer makes parts of blocks. Its methods may be called from any goroutine.
type writer struct {
	dir     string // of the lake
	prefix  string // of the parts' paths
	latest  int64
	stretch int

	mu     sync.Mutex
	stacks map[[2]int]*stack // by file and stretch
	parts  []Part
	dirs   map[string]bool

	options []parquet.WriterOption
	files   sync.Pool // of *bytes.Buffer
	buffers sync.Pool // of *[]row
}

func newWriter(dir, caseID string, latest int64) *writer {
	w := &writer{dir: dir, prefix: "lake/case=" + caseID + "/kind=access/", latest: latest, stretch: stretch, stacks: map[[2]int]*stack{}, dirs: map[string]bool{}}
	w.options = []parquet.WriterOption{parquet.Compression(&zstd.Codec{Level: zstd.SpeedFastest}), parquet.CreatedBy("concert", "1", ""), parquet.DataPageStatistics(false), parquet.PageBufferSize(256 << 10), parquet.WriteBufferSize(0)}
	for _, name := range unbounded {
		w.options = append(w.options, parquet.SkipPageBounds(name))
	}
	w.files.New = func() any { return new(bytes.Buffer) }
	w.buffers.New = func() any { return new([]row) }
	return w
}

// block takes the rows of a block in, and writes its stretch if it was the last.
func (w *writer) block(b accesslog.Block) error {
	c := newCalendar(w.latest)
	var pieces []stacked
	for i := range b.Rows {
		r, month := c.row(&b.Rows[i])
		at := slices.IndexFunc(pieces, func(p stacked) bool { return p.month == month })
		if at < 0 {
			at = len(pieces)
			pieces = append(pieces, stacked{b.Seq, month, (*w.buffers.Get().(*[]row))[:0]})
		}
		pieces[at].rows = append(pieces[at].rows, r)
	}
	key := [2]int{b.File, b.Seq / w.stretch}
	w.mu.Lock()
	s := w.stacks[key]
	if s == nil {
		s = &stack{}
		w.stacks[key] = s
	}
	s.blocks = append(s.blocks, pieces...)
	s.seen++
	whole := s.seen == w.stretch
	if whole {
		delete(w.stacks, key)
	}
	w.mu.Unlock()
	if whole {
		return w.write(key, s)
	}
	return nil
}

// ended writes what is left of a file.
func (w *writer) ended(file int) error {
	w.mu.Lock()
	left := map[[2]int]*stack{}
	for key, s := range w.stacks {
		if key[0] == file {
			left[key] = s
			delete(w.stacks, key)
		}
	}
	w.mu.Unlock()
	for key, s := range left {
		if err := w.write(key, s); err != nil {
			return err
		}
	}
	return nil
}

// write makes a part for each month of a stretch.
func (w *writer) write(key [2]int, s *stack) error {
	slices.SortStableFunc(s.blocks, func(a, b stacked) int { return cmp.Or(cmp.Compare(a.month, b.month), cmp.Compare(a.seq, b.seq)) })
	for len(s.blocks) > 0 {
		n := slices.IndexFunc(s.blocks, func(b stacked) bool { return b.month != s.blocks[0].month })
		if n < 0 {
			n = len(s.blocks)
		}
		if err := w.part(key, s.blocks[:n]); err != nil {
			return err
		}
		s.blocks = s.blocks[n:]
	}
	return nil
}

// part writes one file, whole or not at all.
func (w *writer) part(key [2]int, blocks []stacked) error {
	file := w.files.Get().(*bytes.Buffer)
	defer w.files.Put(file)
	file.Reset()
	// A new one for each part: one that is used again cuts its pages elsewhere.
	out := parquet.NewGenericWriter[row](file, w.options...)
	p := Part{Path: fmt.Sprintf("%smonth=%s/part-%05d-%05d.parquet", w.prefix, blocks[0].month, key[0], key[1])}
	first, last := int64(1)<<62, int64(0)
	for _, b := range blocks {
		p.Rows += int64(len(b.rows))
		for i := range b.rows {
			first, last = min(first, b.rows[i].TS), max(last, b.rows[i].TS)
		}
		for rows := b.rows; len(rows) > 0; {
			n := alike(rows)
			if _, err := out.Write(rows[:n]); err != nil {
				return fmt.Errorf("%s: %w", p.Path, err)
			}
			rows = rows[n:]
		}
		w.buffers.Put(&b.rows)
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("%s: %w", p.Path, err)
	}
	if blocks[0].month != noMonth {
		p.First, p.Last = stamp(first), stamp(last)
	}
	data, err := withoutPageIndex(file.Bytes())
	if err != nil {
		return fmt.Errorf("%s: %w", p.Path, err)
	}
	sum := sha256.Sum256(data)
	p.SHA256, p.Size = hex.EncodeToString(sum[:]), int64(len(data))
	return w.keep(p, data)
}

// withoutPageIndex takes the page index from a part's footer. The library writes
// one in any case, and empty texts as the bounds of columns that have none, by which
// an engine would pass over pages that hold what it looks for.
func withoutPageIndex(data []byte) ([]byte, error) {
	end := len(data) - 8 // length of the footer and magic bytes follow it
	begin := end - int(binary.LittleEndian.Uint32(data[end:]))
	var meta format.FileMetaData
	protocol := new(thrift.CompactProtocol)
	if err := thrift.Unmarshal(protocol, data[begin:end], &meta); err != nil {
		return nil, err
	}
	for g := range meta.RowGroups {
		for c := range meta.RowGroups[g].Columns {
			chunk := &meta.RowGroups[g].Columns[c]
			if chunk.ColumnIndexOffset > 0 {
				begin = min(begin, int(chunk.ColumnIndexOffset))
			}
			chunk.ColumnIndexOffset, chunk.ColumnIndexLength, chunk.OffsetIndexOffset, chunk.OffsetIndexLength = 0, 0, 0, 0
		}
	}
	footer, err := thrift.Marshal(protocol, &meta)
	if err != nil {
		return nil, err
	}
	data = append(data[:begin], footer...)
	data = binary.LittleEndian.AppendUint32(data, uint32(len(footer)))
	return append(data, "PAR1"...), nil
}

// alike is how many rows from the first on can be encoded at once: those that have
// a user, or those that have none. The library (v0.32.0) takes the nulls behind a
// lone value for values, depending on where in 64 rows it stands.
func alike(rows []row) int {
	rows = rows[:min(len(rows), chunk)]
	nobody := rows[0].User == [16]byte{}
	for i := range rows {
		if (rows[i].User == [16]byte{}) != nobody {
			return i
		}
	}
	return len(rows)
}

func stamp(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339) }

func (w *writer) keep(p Part, data []byte) error {
	path := filepath.Join(w.dir, filepath.FromSlash(p.Path))
	w.mu.Lock()
	made := w.dirs[filepath.Dir(path)]
	w.dirs[filepath.Dir(path)] = true
	full := len(w.parts) >= partsMost
	if !full {
		w.parts = append(w.parts, p)
	}
	w.mu.Unlock()
	if full {
		return fmt.Errorf("these logs would make more than %d parts, as times scattered over many months do: make a lake of fewer of them", partsMost)
	}
	if !made {
		if err := durable.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
	}
	f, err := durable.NewPending(path, 0o400)
	if errors.Is(err, os.ErrNotExist) { // another goroutine is about to make the directory
		if err = durable.MkdirAll(filepath.Dir(path), 0o700); err == nil {
			f, err = durable.NewPending(path, 0o400)
		}
	}
	if err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, err), f.Drop())
	}
	return f.Create()
}
