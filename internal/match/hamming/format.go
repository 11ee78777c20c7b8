package hamming

import (
	"fmt"
	"hash/crc32"
	"slices"
	"sync"
	"unsafe"
)

// The format of a segment file, version 1. docs/hamming.md has the table of bytes.
const (
	segmentMagic   = "\x89HAMSEG\n"
	segmentVersion = 1
	headerBytes    = 4096
	headerSum      = headerBytes - 4
	tableRecords   = 128 // where the records of the tables begin
	tableRecord    = 8
	sumBlock       = 1 << 20
	overflowBytes  = 4 * (lineBuckets + 1)
	listTail       = 64 // readable bytes behind a row list
	sectionAlign   = 64
	maxRows        = 1<<31 - 1024
)

// header is what the first 4,096 bytes of a segment say. All places in the file follow from it.
type header struct {
	source     [16]byte
	rows       int
	tombstones int
	upto       uint64
	idBase     uint64
	idWidth    int // 4 or 8 bytes of an id above idBase
	bankWidth  int // 0: all rows have banks[0]; 1: index into banks; 4: the bank itself
	banks      int
	tables     []tableHeader
	sums       uint32 // CRC-32C of the section of checksums
}

type tableHeader struct{ width, overflows int }

// layout is where the sections of a segment begin.
type layout struct {
	hashes, ids, banks, bankValues, tombstones int
	dirs, lists, overflows                     []int
	sums, end                                  int
}

func (h *header) rowWidth() int {
	if h.rows <= 1<<24 {
		return 3
	}
	return 4
}

func groups(width int) int { return (1<<width + lineBuckets - 1) / lineBuckets }

func (h *header) layout() (l layout) {
	end := headerBytes
	section := func(size int) int {
		start := (end + sectionAlign - 1) &^ (sectionAlign - 1)
		end = start + size
		return start
	}
	l.hashes = section(32 * h.rows)
	l.ids = section(h.idWidth * h.rows)
	l.banks = section(h.bankWidth * h.rows)
	l.bankValues = section(4 * h.banks)
	l.tombstones = section(8 * h.tombstones)
	for _, t := range h.tables {
		l.dirs = append(l.dirs, section(groups(t.width)*lineBytes))
		l.lists = append(l.lists, section(h.rowWidth()*h.rows+listTail))
	}
	for _, t := range h.tables {
		l.overflows = append(l.overflows, section(t.overflows*overflowBytes))
	}
	l.sums = section(0)
	l.end = l.sums + 4*((l.sums-headerBytes+sumBlock-1)/sumBlock)
	return l
}

func (h *header) put(b []byte) {
	clear(b[:headerBytes])
	copy(b, segmentMagic)
	order.PutUint32(b[8:], segmentVersion)
	order.PutUint32(b[12:], headerBytes)
	copy(b[16:], h.source[:])
	order.PutUint64(b[32:], uint64(h.rows))
	order.PutUint64(b[40:], uint64(h.tombstones))
	order.PutUint64(b[48:], h.upto)
	order.PutUint64(b[56:], h.idBase)
	order.PutUint32(b[64:], uint32(h.idWidth))
	order.PutUint32(b[68:], uint32(h.bankWidth))
	order.PutUint32(b[72:], uint32(h.banks))
	order.PutUint32(b[76:], uint32(h.rowWidth()))
	order.PutUint32(b[80:], uint32(len(h.tables)))
	order.PutUint32(b[84:], sumBlock)
	order.PutUint64(b[88:], uint64(h.layout().end))
	order.PutUint32(b[96:], h.sums)
	for i, t := range h.tables {
		order.PutUint32(b[tableRecords+tableRecord*i:], uint32(t.width))
		order.PutUint32(b[tableRecords+tableRecord*i+4:], uint32(t.overflows))
	}
	order.PutUint32(b[headerSum:], checksum(b[:headerSum]))
}

// parseHeader reads a header and holds it against the size of the file; what passes can be searched without leaving the file.
func parseHeader(b []byte, size int64) (*header, error) {
	switch {
	case len(b) < headerBytes:
		return nil, fmt.Errorf("it has %d bytes, fewer than a header", len(b))
	case string(b[:len(segmentMagic)]) != segmentMagic:
		return nil, fmt.Errorf("it is no segment: it begins with %q", b[:len(segmentMagic)])
	case order.Uint32(b[8:]) != segmentVersion:
		return nil, fmt.Errorf("its format is version %d, this program reads version %d", order.Uint32(b[8:]), segmentVersion)
	case order.Uint32(b[headerSum:]) != checksum(b[:headerSum]):
		return nil, fmt.Errorf("its header does not have the checksum it states")
	}
	h := &header{
		source: [16]byte(b[16:32]), upto: order.Uint64(b[48:]), idBase: order.Uint64(b[56:]), sums: order.Uint32(b[96:]),
		idWidth: int(order.Uint32(b[64:])), bankWidth: int(order.Uint32(b[68:])),
	}
	rows, tombstones, banks, tables := order.Uint64(b[32:]), order.Uint64(b[40:]), order.Uint32(b[72:]), order.Uint32(b[80:])
	if rows > maxRows || tombstones > maxRows || tables > maxTables || banks > maxRows {
		return nil, fmt.Errorf("it states %d rows, %d removed, %d banks and %d tables, more than there can be", rows, tombstones, banks, tables)
	}
	h.rows, h.tombstones, h.banks = int(rows), int(tombstones), int(banks)
	ids, known := []int{4, 8}, []int{0, 1, 4}
	if order.Uint32(b[12:]) != headerBytes || order.Uint32(b[84:]) != sumBlock || order.Uint32(b[76:]) != uint32(h.rowWidth()) ||
		!slices.Contains(ids, h.idWidth) || !slices.Contains(known, h.bankWidth) || (h.bankWidth < 4 && h.rows > 0 && h.banks == 0) || (h.bankWidth == 1 && h.banks > 256) {
		return nil, fmt.Errorf("its header states widths that version %d does not have", segmentVersion)
	}
	bits := 0
	for i := range int(tables) {
		t := tableHeader{int(order.Uint32(b[tableRecords+tableRecord*i:])), int(order.Uint32(b[tableRecords+tableRecord*i+4:]))}
		if t.width < 1 || t.width > maxWidth || t.overflows < 0 || t.overflows > groups(t.width) {
			return nil, fmt.Errorf("its table %d has %d bits and %d overflows, which cannot be", i, t.width, t.overflows)
		}
		bits += t.width
		h.tables = append(h.tables, t)
	}
	if bits > 256 || (tables > 0 && rows == 0) {
		return nil, fmt.Errorf("its tables take %d bits of 256 over %d rows", bits, rows)
	}
	if end := h.layout().end; int64(end) != size || order.Uint64(b[88:]) != uint64(end) {
		return nil, fmt.Errorf("it has %d bytes instead of the %d its header states", size, end)
	}
	return h, nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// table is one table of a segment: bits bit..bit+width of the permuted hash.
type table struct {
	bit, width uint
	dir, list  unsafe.Pointer
	over       []uint32 // lineBuckets+1 running starts for each line that overflowed
}

// view is a segment's bytes as what they hold.
type view struct {
	*header
	hashes     []words
	ids4       []uint32
	ids8       []uint64
	banks1     []uint8
	banks4     []uint32
	bankValues []uint32
	removed    []uint64
	tables     []table
}

// part is n values of T from an offset of b on; offsets come from layout, which aligns them.
func part[T any](b []byte, offset, n int) []T {
	if n == 0 {
		return nil
	}
	var t T
	_ = b[offset : offset+n*int(unsafe.Sizeof(t))]
	return unsafe.Slice((*T)(unsafe.Pointer(&b[offset])), n)
}

func (h *header) view(b []byte) *view {
	l := h.layout()
	v := &view{header: h, hashes: part[words](b, l.hashes, h.rows), bankValues: part[uint32](b, l.bankValues, h.banks), removed: part[uint64](b, l.tombstones, h.tombstones)}
	if h.idWidth == 4 {
		v.ids4 = part[uint32](b, l.ids, h.rows)
	} else {
		v.ids8 = part[uint64](b, l.ids, h.rows)
	}
	switch h.bankWidth {
	case 1:
		v.banks1 = part[uint8](b, l.banks, h.rows)
	case 4:
		v.banks4 = part[uint32](b, l.banks, h.rows)
	}
	bit := uint(0)
	for i, t := range h.tables {
		lines := part[byte](b, l.dirs[i], groups(t.width)*lineBytes)
		list := part[byte](b, l.lists[i], h.rowWidth()*h.rows+listTail)
		v.tables = append(v.tables, table{bit: bit, width: uint(t.width), dir: unsafe.Pointer(&lines[0]), list: unsafe.Pointer(&list[0]),
			over: part[uint32](b, l.overflows[i], t.overflows*(lineBuckets+1))})
		bit += uint(t.width)
	}
	return v
}

func (v *view) id(row int) uint64 {
	if v.ids8 != nil {
		return v.idBase + v.ids8[row]
	}
	return v.idBase + uint64(v.ids4[row])
}

func (v *view) bank(row int) uint32 {
	switch v.bankWidth {
	case 0:
		return v.bankValues[0]
	case 1:
		// A damaged file may name a bank that it has not.
		return v.bankValues[min(int(v.banks1[row]), v.banks-1)]
	}
	return v.banks4[row]
}

// knows reports whether an id stands in the segment, as a row or as a removal.
func (v *view) knows(id uint64) bool {
	if _, removed := slices.BinarySearch(v.removed, id); removed {
		return true
	}
	if id < v.idBase {
		return false
	}
	if v.ids8 != nil {
		_, found := slices.BinarySearch(v.ids8, id-v.idBase)
		return found
	}
	if id-v.idBase > 1<<32-1 {
		return false
	}
	_, found := slices.BinarySearch(v.ids4, uint32(id-v.idBase))
	return found
}

// sumAll fills in the checksums of a built segment and its header.
func (h *header) sumAll(b []byte) {
	l := h.layout()
	blocks := (l.sums - headerBytes + sumBlock - 1) / sumBlock
	var both sync.WaitGroup
	for half := range 2 {
		both.Go(func() {
			for i := half; i < blocks; i += 2 {
				from := headerBytes + i*sumBlock
				order.PutUint32(b[l.sums+4*i:], checksum(b[from:min(from+sumBlock, l.sums)]))
			}
		})
	}
	both.Wait()
	h.sums = checksum(b[l.sums:l.end])
	h.put(b)
}
