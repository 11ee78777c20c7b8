package hamming

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
)

// collected collects entries for a segment, in pieces, so that growing copies nothing.
type collected struct {
	pieces [][]kept
	n      int
	order  []uint32 // nil while ids ascend
}

type kept struct {
	hash words
	id   uint64
	bank uint32
}

const piece = 1 << 16

func (c *collected) at(i int) *kept { return &c.pieces[i/piece][i%piece] }

func (c *collected) add(s *shuffles, e *Entry) {
	if c.n%piece == 0 {
		c.pieces = append(c.pieces, make([]kept, piece))
	}
	c.n++
	*c.at(c.n - 1) = kept{s.apply(&e.Hash), e.ID, e.Bank}
}

// sort orders the entries by id; of an id that came more than once the last one stays.
func (c *collected) sort() {
	ascending := true
	for i := 1; i < c.n && ascending; i++ {
		ascending = c.at(i-1).id < c.at(i).id
	}
	if ascending {
		return
	}
	c.order = make([]uint32, c.n)
	for i := range c.order {
		c.order[i] = uint32(i)
	}
	slices.SortFunc(c.order, func(a, b uint32) int { return cmp.Or(cmp.Compare(c.at(int(a)).id, c.at(int(b)).id), cmp.Compare(a, b)) })
	last := c.order[:0]
	for i, at := range c.order {
		if i+1 == len(c.order) || c.at(int(c.order[i+1])).id != c.at(int(at)).id {
			last = append(last, at)
		}
	}
	c.order, c.n = last, len(last)
}

func (c *collected) rows(yield func(row) bool) {
	for i := range c.n {
		if c.order != nil {
			i = int(c.order[i])
		}
		if e := c.at(i); !yield(row{e.id, e.bank, &e.hash}) {
			return
		}
	}
}

// Rebuild makes the index anew from entries, in any order, as one segment. What is applied while it runs stays on top of them;
// what was applied before is gone, unless entries has it. So the caller begins to read the database after this call began, and
// upto is the number of the last row that it may have read. Searches go on in the old content until the new is there. A damaged
// index is sound again after it, also one that refuses to search; what Open refuses needs Clear first.
func (x *Index) Rebuild(ctx context.Context, upto uint64, entries iter.Seq2[Entry, error]) error {
	if err := x.Flush(ctx); err != nil && (ctx.Err() != nil || errors.Is(err, ErrClosed)) {
		return err // a file that could not be written is no matter now
	}
	x.merging.Lock() // old segments stay as they are
	defer x.merging.Unlock()
	before := x.acquire()
	if before == nil {
		return ErrClosed
	}
	defer before.release()
	var c collected
	for e, err := range entries {
		if err != nil {
			return fmt.Errorf("rebuild the index: %w", err)
		}
		if c.n%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if c.n > maxRows {
			return errTooMany
		}
		c.add(x.shuffles, &e)
	}
	c.sort()
	seg, err := build(content{source: x.options.Source, upto: upto, rows: c.rows})
	if err != nil {
		return err
	}
	x.save(seg)
	x.replace(before.segments, seg, nil)
	x.mu.Lock()
	x.applied = max(x.applied, upto)
	err = x.trouble
	x.mu.Unlock()
	x.damaged.Store(nil) // what was damaged is gone
	return err
}

// verifyFile holds the file of a segment against its checksums and against what is in memory.
func (x *Index) verifyFile(ctx context.Context, seg *segment) error {
	err := func() error {
		f, err := os.Open(seg.path(x.dir))
		if err != nil {
			return err
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return err
		}
		first := make([]byte, headerBytes)
		n, err := io.ReadFull(f, first)
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
			return err
		}
		h, err := parseHeader(first[:n], info.Size())
		if err != nil {
			return err
		}
		if h.sums != seg.sums || h.rows != seg.rows {
			return errors.New("it is not the file that was written under this name")
		}
		return h.verify(f, nil, ctx.Done())
	}()
	if err == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	return &DamagedError{seg.path(x.dir), err}
}
