package ewf

import (
	"encoding/binary"
	"fmt"
	"hash/adler32"
	"math"
)

const (
	tableHead = 24
	// entriesMost bounds one table; EnCase writes 16,375, newer programs 65,534,
	// libewf up to some millions.
	entriesMost = 1 << 22
	compressed  = 1 << 31
)

// table lists chunks that follow each other in the media. Its entries stay in
// the file.
type table struct {
	segment int
	entries int64 // where the first lies
	count   int64
	base    int64
	first   int64 // the media's number of its first chunk
	dataEnd int64 // where the last chunk ends at the latest
	// overflow is the first entry whose place has 32 bits instead of 31 and a mark:
	// past 2 GiB of one table some programs wrote them so (libewf). It is count where
	// none has.
	overflow int64
}

// readTable takes a table in and returns its index, or -1 where it is damaged, so
// that its copy decides.
func (m *Image) readTable(i int, seg Segment, s, sectors section) int {
	t, err := m.tableAt(i, seg, s, sectors)
	if err != nil {
		m.complain("%v", err)
		return -1
	}
	m.tables = append(m.tables, t)
	m.Chunks += t.count
	return len(m.tables) - 1
}

// readTable2 takes the copy of a table: it stands in where the table was damaged.
func (m *Image) readTable2(i int, seg Segment, s, sectors section, original int) {
	t, err := m.tableAt(i, seg, s, sectors)
	switch {
	case err != nil:
		m.complain("%v", err)
	case original < 0:
		m.complain("%s: the table before byte %d is damaged; its copy is whole and was used", seg.Name, s.at)
		m.tables = append(m.tables, t)
		m.Chunks += t.count
	case m.tables[original].count != t.count || m.tables[original].base != t.base:
		m.complain("%s: the table and its copy at byte %d differ", seg.Name, s.at)
	}
}

// tableAt reads and checks a table.
func (m *Image) tableAt(i int, seg Segment, s, sectors section) (t table, err error) {
	fail := func(what string, args ...any) (table, error) {
		return table{}, fmt.Errorf("%s: the section %q at byte %d "+what, append([]any{seg.Name, s.kind, s.at}, args...)...)
	}
	if m.ChunkSize == 0 {
		return fail("comes before any section that says how large a chunk is")
	}
	head, sound, err := checked(seg, s, tableHead)
	if err != nil {
		return table{}, err
	}
	if !sound {
		return fail("has a damaged head")
	}
	n, base := int64(binary.LittleEndian.Uint32(head)), binary.LittleEndian.Uint64(head[8:])
	if n > entriesMost || s.end-s.data()-tableHead < 4*n || base > uint64(seg.Size) {
		return fail("claims %d entries from byte %d on, more than there is room for", n, base)
	}
	t = table{segment: i, entries: s.data() + tableHead, count: n, base: int64(base), first: m.Chunks, dataEnd: s.at}
	inside := sectors.kind == ""
	switch {
	case inside: // SMART keeps the chunks behind the entries of their table
		t.dataEnd = s.end
	case sectors.end > sectors.at && sectors.end <= s.at:
		t.dataEnd = sectors.end
	}
	t.overflow = n
	if n == 0 {
		return t, nil
	}
	have := min(4*n+4, s.end-t.entries)
	raw := make([]byte, have)
	if err := readAt(seg, raw, t.entries); err != nil {
		return table{}, err
	}
	t.overflow = t.findOverflow(raw[:4*n])
	if inside || have < 4*n+4 {
		return t, nil // the oldest programs wrote no checksum of the entries
	}
	if adler32.Checksum(raw[:4*n]) != binary.LittleEndian.Uint32(raw[4*n:]) {
		return fail("has entries with another checksum than its own")
	}
	return t, nil
}

// place is where a chunk lies in its segment.
type place struct {
	at, size int64
	deflated bool
	err      error
}

// findOverflow goes through all entries, since only from the beginning on is it
// known where the marks end.
func (t *table) findOverflow(raw []byte) int64 {
	if t.dataEnd-t.base <= math.MaxInt32 {
		return t.count
	}
	for i := int64(0); i < t.count; i++ {
		if _, end, _ := t.entry(raw, i, false); end > math.MaxInt32 {
			return i + 1
		}
	}
	return t.count
}

// entry is the table's entry i of those in raw, and where the next begins, both
// from the table's base on.
func (t *table) entry(raw []byte, i int64, overflow bool) (at, end int64, deflated bool) {
	e := binary.LittleEndian.Uint32(raw[4*i:])
	at, deflated = int64(e&^compressed), e&compressed != 0
	if overflow {
		at, deflated = int64(e), false
	}
	if 4*(i+1) >= int64(len(raw)) {
		return at, t.dataEnd - t.base, deflated
	}
	next := binary.LittleEndian.Uint32(raw[4*(i+1):])
	end = int64(next &^ compressed)
	if overflow || end < at {
		end = int64(next)
	}
	return at, end, deflated
}

// places are those of the table's chunks from one on, n of them.
func (m *Image) places(t table, from, n int64) ([]place, error) {
	seg := m.segments[t.segment]
	raw := make([]byte, 4*min(n+1, t.count-from)) // one more, for the size of the last
	if err := readAt(seg, raw, t.entries+4*from); err != nil {
		return nil, err
	}
	out := make([]place, 0, n)
	for i := range n {
		at, end, deflated := t.entry(raw, i, from+i >= t.overflow)
		p := place{at: t.base + at, size: end - at, deflated: deflated}
		// zlib's own bound for what does not compress, and the checksum.
		if most := m.storedMost(); p.size <= 0 || p.at < 0 || p.at+p.size > seg.Size {
			p.err = fmt.Errorf("%s: chunk %d lies at byte %d with %d bytes, outside of the file", seg.Name, t.first+from+i, p.at, p.size)
		} else if p.size > most {
			// The last of a table ends somewhere before the next section.
			p.size = most
		}
		out = append(out, p)
	}
	return out, nil
}

// storedMost is the most bytes that a chunk may take in a file.
func (m *Image) storedMost() int64 { return m.ChunkSize + m.ChunkSize/1000 + 64 }
