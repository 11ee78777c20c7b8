package hamming

import (
	"math/bits"
	"sync/atomic"
	"unsafe"
)

const (
	lanes  = 16 // entries of a block
	planes = 8  // 32-bit words of a hash

	sealAt   = 1 << 16 // records of a memtable before it becomes a segment
	noRecord = ^uint32(0)
)

// block is sixteen hashes, word by word, so that one instruction compares a word of all.
type block [planes][lanes]uint32

// memtable takes what is added and removed, record after record, and is scanned by every query. One writer appends; readers
// take the length first and look at nothing behind it. A record is never changed: that of an id added or removed again stands
// further behind, and says which was the one before.
type memtable struct {
	length  atomic.Uint32
	blocks  []block
	ids     []uint64
	banks   []uint32
	removed []bool
	before  []uint32        // the record of the same id before this one, or noRecord
	slots   []atomic.Uint32 // 1 + the newest record of an id, by hash of the id

	// upto is the caller's number of the last batch that stands here or before to its end. The writer's.
	upto uint64
}

// newMemtable has room for that many records, a power of two of at least 16.
func newMemtable(room int, upto uint64) *memtable {
	return &memtable{
		blocks: make([]block, room/lanes), ids: make([]uint64, room), banks: make([]uint32, room), removed: make([]bool, room),
		before: make([]uint32, room), slots: make([]atomic.Uint32, 2*room), upto: upto,
	}
}

func (m *memtable) full() bool { return int(m.length.Load()) == len(m.ids) }

func (m *memtable) slotOf(id uint64) int {
	return int(id * 0x9e3779b97f4a7c15 >> 32 & uint64(len(m.slots)-1))
}

func (m *memtable) slotAfter(slot int) int { return (slot + 1) & (len(m.slots) - 1) }

// append writes a record and publishes it. The caller holds the writer's lock and has seen that there is room.
func (m *memtable) append(id uint64, bank uint32, h *words, removed bool) {
	n := m.length.Load()
	b := &m.blocks[n/lanes]
	for plane := 0; plane < planes; plane += 2 {
		b[plane][n%lanes], b[plane+1][n%lanes] = uint32(h[plane/2]), uint32(h[plane/2]>>32)
	}
	m.ids[n], m.banks[n], m.removed[n], m.before[n] = id, bank, removed, noRecord
	slot := m.slotOf(id)
	for ; ; slot = m.slotAfter(slot) {
		at := m.slots[slot].Load()
		if at == 0 {
			break
		}
		if m.ids[at-1] == id {
			m.before[n] = at - 1
			break
		}
	}
	// A reader that finds the new record by its slot but took the length before goes back to the one that it may see.
	m.length.Store(n + 1)
	m.slots[slot].Store(n + 1)
}

// newest is the newest record of an id among the first length ones, or noRecord.
func (m *memtable) newest(id uint64, length uint32) uint32 {
	for slot := m.slotOf(id); ; slot = m.slotAfter(slot) {
		at := m.slots[slot].Load()
		if at == 0 {
			return noRecord
		}
		if at--; m.ids[at] == id {
			for at != noRecord && at >= length {
				at = m.before[at]
			}
			return at
		}
	}
}

// search gives the records within the radius that are the newest of their id, among the first length ones.
func (m *memtable) search(sc *scratch, l level, q words, radius int, length uint32, emit func(record uint32, distance int)) {
	if length == 0 {
		return
	}
	hit := func(record uint32, distance int) {
		if !m.removed[record] && m.newest(m.ids[record], length) == record {
			emit(record, distance)
		}
	}
	s := &sc.scan
	*s = scan{at: unsafe.Pointer(&m.blocks[0]), n: int(length / lanes), q: q, radius: uint32(radius)}
	for l.blocks(s); s.index < s.n; l.blocks(s) {
		for mask := s.mask; mask != 0; mask &= mask - 1 {
			lane := bits.TrailingZeros32(mask)
			hit(uint32(s.index*lanes+lane), int(s.dist[lane]))
		}
		s.index++
	}
	// The last block may be written to meanwhile.
	for record := length &^ (lanes - 1); record < length; record++ {
		h := m.hash(record)
		if d := distance(&h, &q); d <= radius {
			hit(record, d)
		}
	}
}

func (m *memtable) hash(record uint32) (h words) {
	b := &m.blocks[record/lanes]
	for plane := 0; plane < planes; plane += 2 {
		h[plane/2] = uint64(b[plane][record%lanes]) | uint64(b[plane+1][record%lanes])<<32
	}
	return h
}

func (m *memtable) bytes() int64 {
	return int64(len(m.ids)) * (planes*4 + 8 + 4 + 1 + 4 + 2*4)
}
