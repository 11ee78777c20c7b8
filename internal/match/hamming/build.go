package hamming

import (
	"iter"
	"math"
	"runtime"
	"slices"
	"sync"
	"unsafe"
)

// row is an entry with its hash permuted.
type row struct {
	id   uint64
	bank uint32
	hash *words
}

// content is what becomes a segment. rows gives the entries by ascending id, each id once, and the same each time.
type content struct {
	source  [16]byte
	upto    uint64
	rows    iter.Seq[row]
	removed []uint64 // ascending
	widths  []int    // of the tables, for tests; nil for those of widthsFor
}

// build lays a segment out in memory, with checksums, as it will lie in its file.
func build(c content) (*segment, error) {
	h, err := c.measure()
	if err != nil {
		return nil, err
	}
	// Room for as many overflows as there can be: a line overflows only with 256 rows. What is not touched costs nothing.
	room := *h
	room.tables = slices.Clone(h.tables)
	for i := range room.tables {
		room.tables[i].overflows = min(groups(h.tables[i].width), h.rows/256)
	}
	mem, err := newRegion(room.layout().end)
	if err != nil {
		return nil, err
	}
	v := h.view(mem.data) // without overflows
	c.fill(v, mem.data)
	overs, err := v.buildTables()
	if err != nil {
		mem.free()
		return nil, err
	}
	for i := range h.tables {
		h.tables[i].overflows = len(overs[i]) / (lineBuckets + 1)
	}
	l := h.layout()
	for i, over := range overs {
		copy(part[uint32](mem.data, l.overflows[i], len(over)), over)
	}
	mem.data = mem.data[:l.end]
	h.sumAll(mem.data)
	return newSegment(h, mem), nil
}

// measure counts the rows and finds how wide their ids and banks are.
func (c content) measure() (*header, error) {
	h := &header{source: c.source, upto: c.upto, tombstones: len(c.removed), idWidth: 4}
	known := map[uint32]bool{}
	first, last, bank := uint64(0), uint64(0), uint32(0)
	for r := range c.rows {
		if h.rows == 0 {
			first = r.id
		}
		if h.rows == 0 || r.bank != bank {
			if bank = r.bank; len(known) <= 256 {
				known[bank] = true
			}
		}
		last = r.id
		h.rows++
	}
	if h.rows > maxRows {
		return nil, errTooMany
	}
	h.idBase = first
	if last-first > math.MaxUint32 {
		h.idWidth = 8
	}
	switch {
	case len(known) > 256:
		h.bankWidth = 4
	case len(known) > 1:
		h.bankWidth, h.banks = 1, len(known)
	default:
		h.banks = len(known)
	}
	widths := c.widths
	if widths == nil {
		widths = widthsFor(h.rows)
	}
	for _, width := range widths {
		h.tables = append(h.tables, tableHeader{width: width})
	}
	return h, nil
}

// fill writes the columns.
func (c content) fill(v *view, b []byte) {
	index := map[uint32]uint8{}
	i := 0
	for r := range c.rows {
		v.hashes[i] = *r.hash
		if v.ids8 != nil {
			v.ids8[i] = r.id - v.idBase
		} else {
			v.ids4[i] = uint32(r.id - v.idBase)
		}
		if v.bankWidth == 4 {
			v.banks4[i] = r.bank
		} else {
			n, ok := index[r.bank]
			if !ok {
				n = uint8(len(index))
				index[r.bank] = n
				v.bankValues[n] = r.bank
			}
			if v.bankWidth == 1 {
				v.banks1[i] = n
			}
		}
		i++
	}
	copy(v.removed, c.removed)
}

// buildTables fills the tables, two at a time where there are two processors.
func (v *view) buildTables() (overs [][]uint32, err error) {
	overs = make([][]uint32, len(v.tables))
	if len(v.tables) == 0 {
		return overs, nil
	}
	workers := min(2, runtime.GOMAXPROCS(0), len(v.tables))
	errs := make([]error, workers)
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			s, err := newSorter(v.rows)
			if err != nil {
				errs[w] = err
				return
			}
			defer s.free()
			for i := w; i < len(v.tables); i += workers {
				overs[i] = s.table(v, &v.tables[i])
			}
		})
	}
	all.Wait()
	for _, e := range errs {
		if e != nil {
			return nil, e
		}
	}
	return overs, nil
}

// sorter orders the rows of a segment by key: first into parts that fit the cache, then bucket by bucket.
type sorter struct {
	mem   region
	pairs []uint64 // key above row
}

func newSorter(rows int) (*sorter, error) {
	mem, err := newRegion(8 * rows)
	if err != nil {
		return nil, err
	}
	return &sorter{mem: mem, pairs: part[uint64](mem.data, 0, rows)}, nil
}

func (s *sorter) free() { s.mem.free() }

const partBits = 12 // bits of a key that are sorted inside a part

func (s *sorter) table(v *view, t *table) (over []uint32) {
	low := min(partBits, t.width)
	ends := make([]int, 1<<(t.width-low)+1)
	for i := range v.hashes {
		ends[chunk(&v.hashes[i], t.bit, t.width)>>low+1]++
	}
	for i := range len(ends) - 1 {
		ends[i+1] += ends[i]
	}
	// ends[p] is now where part p begins, and after the pass where it ends.
	for i := range v.hashes {
		k := chunk(&v.hashes[i], t.bit, t.width)
		p := k >> low
		s.pairs[ends[p]] = uint64(k)<<32 | uint64(i)
		ends[p]++
	}
	w := lineWriter{lines: t.dir, list: t.list, width: uint32(v.rowWidth())}
	counts := make([]uint32, 1<<low)
	begin := 0
	for p := range len(ends) - 1 {
		pairs := s.pairs[begin:ends[p]]
		begin = ends[p]
		clear(counts)
		for _, pair := range pairs {
			counts[pair>>32&(1<<low-1)]++
		}
		next := uint32(0)
		start := w.rows
		for b := range counts {
			n := counts[b]
			counts[b] = next
			next += n
			w.bucket(n)
		}
		for _, pair := range pairs {
			b := pair >> 32 & (1<<low - 1)
			putRow(t.list, w.width, start+counts[b], uint32(pair))
			counts[b]++
		}
	}
	return w.close()
}

func putRow(list unsafe.Pointer, width, i, row uint32) {
	p := unsafe.Add(list, uintptr(i)*uintptr(width))
	if width == 3 {
		*at[uint8](p, 0), *at[uint8](p, 1), *at[uint8](p, 2) = uint8(row), uint8(row>>8), uint8(row>>16)
		return
	}
	*(*uint32)(p) = row
}

// lineWriter writes a directory, bucket after bucket.
type lineWriter struct {
	lines, list unsafe.Pointer
	width       uint32
	rows        uint32 // of all buckets so far
	base        uint32 // where the line's rows begin
	ends        [lineBuckets]uint32
	filled      int
	line        int
	over        []uint32
}

func (w *lineWriter) bucket(n uint32) {
	w.rows += n
	w.ends[w.filled] = w.rows - w.base
	if w.filled++; w.filled == lineBuckets {
		w.flush()
	}
}

// flush writes a line: where its rows begin, a zero, and the running end of each bucket; or where among the overflows its
// buckets stand, if an end does not fit a byte.
func (w *lineWriter) flush() {
	to := at[[lineBytes]byte](w.lines, w.line)
	for i := w.filled; i < lineBuckets; i++ {
		w.ends[i] = w.rows - w.base
	}
	if w.rows-w.base > 255 {
		order.PutUint32(to[:], overflowBit|uint32(len(w.over)/(lineBuckets+1)))
		w.over = append(w.over, w.base)
		for _, end := range w.ends {
			w.over = append(w.over, w.base+end)
		}
	} else {
		order.PutUint32(to[:], w.base)
		for i, end := range w.ends {
			to[5+i] = uint8(end)
		}
	}
	w.line++
	w.filled, w.base = 0, w.rows
}

func (w *lineWriter) close() (over []uint32) {
	if w.filled > 0 {
		w.flush()
	}
	return w.over
}
