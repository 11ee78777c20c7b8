package hamming

import (
	"errors"
	"math/bits"
	"os"
	"path/filepath"
	"sync/atomic"
	"unsafe"
)

var errTooMany = errors.New("a segment holds at most 2,147,482,624 hashes")

// segment is an immutable part of the index. Whoever reads one holds it (retain, release), so that its memory stays.
type segment struct {
	*view
	mem   region
	name  string      // of its file, "" if it has none (yet)
	file  *os.File    // where it is mapped from; nil if it is in memory
	whole atomic.Bool // every byte of a mapped file was verified
	plans [MaxRadius + 1]plan
	refs  atomic.Int64
}

// newSegment takes the memory over; it is given back when the last reader lets go.
func newSegment(h *header, mem region) *segment {
	s := &segment{view: h.view(mem.data), mem: mem}
	widths := make([]int, len(h.tables))
	for i, t := range h.tables {
		widths[i] = t.width
	}
	for radius := range s.plans {
		s.plans[radius] = planFor(widths, h.rows, radius)
	}
	s.refs.Store(1)
	return s
}

func (s *segment) retain() { s.refs.Add(1) }

func (s *segment) release() {
	if s.refs.Add(-1) == 0 {
		s.mem.free()
		if s.file != nil {
			_ = s.file.Close() // it was only read
		}
	}
}

func (s *segment) path(dir string) string { return filepath.Join(dir, s.name) }

// sound reports whether what the segment holds is known to be what was written.
func (s *segment) sound() bool { return s.file == nil || s.whole.Load() }

// scratch is what one search writes to. The assembly reads ahead in cands and writes past limits, hence its tail.
type scratch struct {
	probe  probe
	gather gather
	verify verify
	scan   scan
	spans  [spanRoom]span
	over   [spanRoom]uint32
	cands  [candRoom + candTail]uint32
	hits   [candRoom + candTail]uint32
	from   []run
}

// run is where the candidates of a table begin.
type run struct{ first, table int }

// search is one query on one segment. emit is given each row within the radius once.
type search struct {
	*scratch
	seg    *segment
	level  level
	q      words
	radius int
	plan   *plan
	emit   func(row, distance int)
	count  int // candidates that wait
	stats  *searchStats
}

// searchStats counts the work of searches, for tests and benchmarks.
type searchStats struct{ probes, spans, candidates, hits int }

func (s *segment) search(sc *scratch, l level, q words, radius int, stats *searchStats, emit func(row, distance int)) {
	if s.rows == 0 {
		return
	}
	x := search{scratch: sc, seg: s, level: l, q: q, radius: radius, plan: &s.plans[radius], emit: emit, stats: stats}
	if x.plan.scan {
		x.all()
	} else {
		x.probeAll()
	}
}

// all measures every row.
func (x *search) all() {
	s := &x.scan
	*s = scan{at: unsafe.Pointer(&x.seg.hashes[0]), n: x.seg.rows, q: x.q, radius: uint32(x.radius)}
	for s.index < s.n {
		step := x.level.rows(s)
		for end := min(s.index+step, s.n); s.index < end; s.index++ {
			if d := distance(&x.seg.hashes[s.index], &x.q); d <= x.radius {
				x.emit(s.index, d)
			}
		}
	}
}

// step sets the probe to the masks from the given one on of table t and tells where the next step begins.
func (x *search) step(p *probe, m *masks, t, from int) (next int) {
	of := &x.seg.tables[t]
	masks := &m[of.width]
	end := min(masks.upTo[x.plan.flips[t]], from+spanRoom)
	p.dir, p.list, p.masks = of.dir, of.list, unsafe.Pointer(&masks.all[from])
	p.n, p.key = end-from, chunk(&x.q, of.bit, of.width)
	if end == masks.upTo[x.plan.flips[t]] {
		return 0
	}
	return end
}

func (x *search) probeAll() {
	m := readMasks()
	seg := x.seg
	x.count, x.from = 0, x.from[:0]
	x.verify = verify{hashes: unsafe.Pointer(&seg.hashes[0]), cands: unsafe.Pointer(&x.cands), hits: unsafe.Pointer(&x.hits), q: x.q, radius: uint32(x.radius)}
	var ahead probe
	p := &x.probe
	*p = probe{spans: unsafe.Pointer(&x.spans), over: unsafe.Pointer(&x.over), rows: uint32(seg.rows), width: uint32(seg.rowWidth())}
	t, from := x.nextTable(0), 0
	x.step(&ahead, m, t, 0)
	x.level.locate(&ahead)
	for t < len(seg.tables) {
		table := t
		from = x.step(p, m, t, from)
		if from == 0 {
			t = x.nextTable(t + 1)
		}
		if t < len(seg.tables) {
			x.step(&ahead, m, t, from)
			x.level.locate(&ahead)
		}
		x.level.spans(p)
		if x.stats != nil {
			x.stats.probes += p.n
			x.stats.spans += p.nspans
		}
		x.collect(table)
	}
	x.flush()
}

func (x *search) nextTable(t int) int {
	for t < len(x.seg.tables) && x.plan.flips[t] < 0 {
		t++
	}
	return t
}

// collect turns the spans of a step into candidates.
func (x *search) collect(t int) {
	x.from = append(x.from, run{x.count, t})
	p, g := &x.probe, &x.gather
	for done := 0; done < p.nspans; {
		if x.count >= candRoom {
			x.flush()
			x.from = append(x.from, run{0, t})
		}
		*g = gather{list: p.list, spans: unsafe.Pointer(&x.spans[done]), cands: unsafe.Pointer(&x.cands[x.count]), n: p.nspans - done,
			limit: candRoom - x.count, width: p.width, last: uint32(x.seg.rows - 1)}
		x.level.gather(g)
		done += g.used
		x.count += g.count
	}
	over := x.seg.tables[t].over
	for _, key := range x.over[:p.nover] {
		x.overflow(over, key, t)
	}
}

// overflow reads a bucket of a line that overflowed: branded templates put thousands of hashes into one.
func (x *search) overflow(over []uint32, key uint32, t int) {
	group := key / lineBuckets
	line := *(*uint32)(unsafe.Add(x.probe.dir, uintptr(group)*lineBytes)) &^ overflowBit
	i := uint64(line)*(lineBuckets+1) + uint64(key-group*lineBuckets)
	if i+1 >= uint64(len(over)) {
		return // a damaged file; its checksum tells
	}
	rows := uint32(x.seg.rows)
	for at, end := over[i], min(over[i+1], rows); at < end; at++ {
		if x.count >= candRoom {
			x.flush()
			x.from = append(x.from, run{0, t})
		}
		x.cands[x.count] = min(rowAt(x.probe.list, x.probe.width, at), rows-1)
		x.count++
	}
}

// flush verifies the candidates that wait and hands on the hits.
func (x *search) flush() {
	v := &x.verify
	v.n = x.count
	x.level.verify(v)
	if x.stats != nil {
		x.stats.candidates += x.count
		x.stats.hits += v.count
	}
	at := 0
	for _, c := range x.hits[:v.count] {
		for at+1 < len(x.from) && x.from[at+1].first <= int(c) {
			at++
		}
		row := int(x.cands[c])
		if h := &x.seg.hashes[row]; !x.foundBefore(h, x.from[at].table) {
			x.emit(row, distance(h, &x.q))
		}
	}
	x.count, x.from = 0, x.from[:0]
}

// foundBefore reports whether a table before t leads to the same hash, so that each is given once and no list of what was seen
// is needed.
func (x *search) foundBefore(h *words, t int) bool {
	for i := range t {
		of := &x.seg.tables[i]
		if x.plan.flips[i] >= 0 && bits.OnesCount32(chunk(h, of.bit, of.width)^chunk(&x.q, of.bit, of.width)) <= int(x.plan.flips[i]) {
			return true
		}
	}
	return false
}
