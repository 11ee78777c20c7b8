package lake

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"concert/internal/accesslog"
	"concert/internal/durable"
)

const (
	// stretch is how many blocks of a file make a part for each month in them: 64 MiB
	// of its text, so that a part does not depend on who wrote it, or when.
	stretch = 256
	// partsMost bounds how many parts a lake has.
	partsMost = 1 << 17
)

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

// stacked are the rows of a block that are of one month.
type stacked struct {
	seq   int
	month string
	rows  []accesslog.Coded
	words accesslog.Words
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

	encoders sync.Pool // of *encoder
	buffers  sync.Pool // of *[]accesslog.Coded
}

func newWriter(dir, caseID string, latest int64) *writer {
	w := &writer{dir: dir, prefix: "lake/case=" + caseID + "/kind=access/", latest: latest, stretch: stretch, stacks: map[[2]int]*stack{}, dirs: map[string]bool{}}
	w.encoders.New = func() any { return newEncoder() }
	w.buffers.New = func() any { return new([]accesslog.Coded) }
	return w
}

// block takes the rows of a block in, and writes its stretch if it was the last.
func (w *writer) block(b accesslog.Block) error {
	c := newCalendar(w.latest)
	var pieces []stacked
	for rows := b.Rows; len(rows) > 0; {
		month, n := c.run(rows)
		at := slices.IndexFunc(pieces, func(p stacked) bool { return p.month == month })
		if at < 0 {
			at = len(pieces)
			pieces = append(pieces, stacked{b.Seq, month, (*w.buffers.Get().(*[]accesslog.Coded))[:0], b.Words})
		}
		pieces[at].rows = append(pieces[at].rows, rows[:n]...)
		rows = rows[n:]
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
	e := w.encoders.Get().(*encoder)
	defer w.encoders.Put(e)
	p := Part{Path: fmt.Sprintf("%smonth=%s/part-%05d-%05d.parquet", w.prefix, blocks[0].month, key[0], key[1])}
	e.begin(key[0], newCalendar(w.latest))
	for i := range blocks {
		e.add(&blocks[i])
		rows := blocks[i].rows // apart, so that what waits to be used again holds nothing else
		w.buffers.Put(&rows)
	}
	data, err := e.file()
	if err != nil {
		return fmt.Errorf("%s: %w", p.Path, err)
	}
	if p.Rows = int64(len(e.ts)); blocks[0].month != noMonth {
		p.First, p.Last = stamp(slices.Min(e.ts)), stamp(slices.Max(e.ts))
	}
	sum := sha256.Sum256(data)
	p.SHA256, p.Size = hex.EncodeToString(sum[:]), int64(len(data))
	return w.keep(p, data)
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
