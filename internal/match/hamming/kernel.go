package hamming

import (
	"math/bits"
	"unsafe"
)

// level is which instructions the kernels use. Every level gives the same answers; tests hold each against a naive scan.
type level uint8

const (
	levelGo     level = iota // plain Go, any machine
	levelAVX2                // AVX2 and POPCNT
	levelAVX512              // AVX-512 F, BW, VL and VPOPCNTDQ
)

// String names the level as the benchmarks print it.
func (l level) String() string { return [...]string{"go", "avx2", "avx512"}[l] }

const (
	lineBytes   = 64          // one line of a directory
	lineBuckets = 59          // buckets a line counts: 4 bytes of base, a zero, 59 running ends
	lineMagic   = 18635790302 // ceil(2^40/59): key*lineMagic>>40 is key/59 for keys below 2^26
	overflowBit = uint32(1 << 31)

	spanRoom = 1024 // probes of one step
	candRoom = 8192 // candidates before they are verified
	candTail = 320  // room behind: the longest span of a line and one store of four rows
)

// span is a run of a table's list: count rows from start.
type span struct{ start, count uint32 }

// probe is one step through one table: n masks, each laid over key, give a bucket each. The assembly reads and writes it.
type probe struct {
	dir, list, masks unsafe.Pointer
	spans, over      unsafe.Pointer // [spanRoom]span, [spanRoom]uint32
	n                int
	nspans, nover    int // out: spans that hold rows; keys whose line overflowed
	key, rows, width uint32
}

// gather is the step from spans to candidate rows.
type gather struct {
	list, spans, cands unsafe.Pointer
	n, limit           int // spans; candidates after which to stop
	used, count        int // out
	width, last        uint32
}

// verify is the step from candidates to hits: positions among the candidates whose distance is within radius.
type verify struct {
	hashes, cands, hits unsafe.Pointer
	n, count            int // count is out
	q                   [4]uint64
	radius              uint32
}

// scan walks blocks of a memtable, or rows of a segment, from index to the first that holds a hit. For blocks mask and dist
// tell which of its 16 lanes are hits and how far off; for rows the caller measures the rows of the step itself.
type scan struct {
	at       unsafe.Pointer
	n, index int
	q        [4]uint64
	radius   uint32
	mask     uint32
	dist     [16]uint32
}

func at[T any](p unsafe.Pointer, i int) *T {
	var t T
	return (*T)(unsafe.Add(p, uintptr(i)*unsafe.Sizeof(t)))
}

func (p *probe) spansGo() {
	p.nspans, p.nover = 0, 0
	for i := range p.n {
		k := *at[uint32](p.masks, i) ^ p.key
		group := uint32(uint64(k) * lineMagic >> 40)
		line := unsafe.Add(p.dir, uintptr(group)*lineBytes)
		j := int(k - group*lineBuckets)
		base := *(*uint32)(line)
		if base&overflowBit != 0 {
			*at[uint32](p.over, p.nover) = k
			p.nover++
			continue
		}
		from, to := uint32(*at[uint8](line, 4+j)), uint32(*at[uint8](line, 5+j))
		if to <= from || base+to > p.rows {
			continue
		}
		*at[span](p.spans, p.nspans) = span{base + from, to - from}
		p.nspans++
	}
}

func (g *gather) runGo() {
	g.used, g.count = 0, 0
	for g.used < g.n && g.count < g.limit {
		s := *at[span](g.spans, g.used)
		g.used++
		for i := range s.count {
			*at[uint32](g.cands, g.count) = min(rowAt(g.list, g.width, s.start+i), g.last)
			g.count++
		}
	}
}

// rowAt reads one row number of a list; lists end in padding, so that four bytes can always be read.
func rowAt(list unsafe.Pointer, width, i uint32) uint32 {
	p := unsafe.Add(list, uintptr(i)*uintptr(width))
	if width == 3 {
		return uint32(*at[uint8](p, 0)) | uint32(*at[uint8](p, 1))<<8 | uint32(*at[uint8](p, 2))<<16
	}
	return *(*uint32)(p)
}

func (v *verify) runGo() {
	v.count = 0
	for i := range v.n {
		h := at[[4]uint64](v.hashes, int(*at[uint32](v.cands, i)))
		d := bits.OnesCount64(h[0]^v.q[0]) + bits.OnesCount64(h[1]^v.q[1])
		if uint32(d) > v.radius {
			continue
		}
		d += bits.OnesCount64(h[2]^v.q[2]) + bits.OnesCount64(h[3]^v.q[3])
		if uint32(d) <= v.radius {
			*at[uint32](v.hits, v.count) = uint32(i)
			v.count++
		}
	}
}

func (s *scan) blocksGo() {
	for ; s.index < s.n; s.index++ {
		b := at[block](s.at, s.index)
		s.mask = 0
		for lane := range lanes {
			d := 0
			for plane := 0; plane < planes; plane += 2 {
				x := uint64(b[plane][lane]) | uint64(b[plane+1][lane])<<32
				if d += bits.OnesCount64(x ^ s.q[plane/2]); uint32(d) > s.radius {
					break
				}
			}
			if uint32(d) <= s.radius {
				s.mask |= 1 << lane
				s.dist[lane] = uint32(d)
			}
		}
		if s.mask != 0 {
			return
		}
	}
}

func (s *scan) rowsGo() {
	for ; s.index < s.n; s.index++ {
		if uint32(distance(at[[4]uint64](s.at, s.index), &s.q)) <= s.radius {
			return
		}
	}
}

func distance(a, b *[4]uint64) int {
	return bits.OnesCount64(a[0]^b[0]) + bits.OnesCount64(a[1]^b[1]) + bits.OnesCount64(a[2]^b[2]) + bits.OnesCount64(a[3]^b[3])
}
