package inflate

import "math/bits"

// Sizes of the tables: a root for short codes, and behind it one part of equal
// size for each beginning of longer ones. A complete code has at least two of
// its symbols under each.
const (
	litRoot  = 11
	distRoot = 9
	longest  = 15
	litMost  = 288
	distMost = 32
	litSize  = 1<<litRoot + litMost/2<<(longest-litRoot)
	distSize = 1<<distRoot + distMost/2<<(longest-distRoot)
)

// An entry of a table: a value in the upper half, beneath it how many extra bits
// follow, and in the lowest byte how many bits the code has. 0 is no code.
const (
	literal = 1 << 31 // the value's lowest byte is the literal
	endMark = 1 << 14 // of a block
	longer  = 1 << 15 // the value is where the part for longer codes begins
)

// lengths and distances are base and extra bits by symbol (RFC 1951, 3.2.5).
var (
	lengths = [...][2]uint32{{3, 0}, {4, 0}, {5, 0}, {6, 0}, {7, 0}, {8, 0}, {9, 0}, {10, 0}, {11, 1}, {13, 1}, {15, 1}, {17, 1}, {19, 2}, {23, 2}, {27, 2}, {31, 2},
		{35, 3}, {43, 3}, {51, 3}, {59, 3}, {67, 4}, {83, 4}, {99, 4}, {115, 4}, {131, 5}, {163, 5}, {195, 5}, {227, 5}, {258, 0}}
	distances = [...][2]uint32{{1, 0}, {2, 0}, {3, 0}, {4, 0}, {5, 1}, {7, 1}, {9, 2}, {13, 2}, {17, 3}, {25, 3}, {33, 4}, {49, 4}, {65, 5}, {97, 5}, {129, 6}, {193, 6},
		{257, 7}, {385, 7}, {513, 8}, {769, 8}, {1025, 9}, {1537, 9}, {2049, 10}, {3073, 10}, {4097, 11}, {6145, 11}, {8193, 12}, {12289, 12}, {16385, 13}, {24577, 13}}
	// lengthOrder is the order in which lengths of the code for lengths come (3.2.7).
	lengthOrder = [...]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}
)

// litEntry is the entry of a symbol of the literal and length code, without its length.
func litEntry(symbol int) uint32 {
	switch {
	case symbol < 256:
		return literal | uint32(symbol)<<16
	case symbol == 256:
		return endMark
	case symbol-257 < len(lengths):
		l := lengths[symbol-257]
		return l[0]<<16 | l[1]<<8
	}
	return 0
}

func distEntry(symbol int) uint32 {
	if symbol >= len(distances) {
		return 0
	}
	return distances[symbol][0]<<16 | distances[symbol][1]<<8
}

func plainEntry(symbol int) uint32 { return uint32(symbol)<<16 | 1<<8 }

// build makes the table of a canonical code of which lens are the lengths. It
// refuses a code that is over-subscribed, or incomplete and other than a single
// code of one bit or none at all.
func build(table []uint32, root uint, lens []uint8, entry func(symbol int) uint32) bool {
	var count, next [longest + 1]int
	most := uint(0)
	for _, l := range lens {
		count[l]++
		most = max(most, uint(l))
	}
	count[0] = 0
	left, code := 1, 0
	for l := 1; l <= longest; l++ {
		code = (code + count[l-1]) << 1
		next[l] = code
		if left = left<<1 - count[l]; left < 0 {
			return false
		}
	}
	if left > 0 && most > 0 && (most != 1 || count[1] != 1) {
		return false
	}
	clear(table[:1<<root])
	free := 1 << root
	for symbol, l := range lens {
		if l == 0 {
			continue
		}
		reversed := uint(bits.Reverse16(uint16(next[l])) >> (16 - l))
		next[l]++
		e := entry(symbol)
		if e != 0 {
			e |= uint32(l)
		}
		if uint(l) <= root {
			for i := reversed; i < 1<<root; i += 1 << l {
				table[i] = e
			}
			continue
		}
		head := &table[reversed&(1<<root-1)]
		if *head == 0 {
			*head = longer | uint32(free)<<16 | uint32(most-root)
			free += 1 << (most - root)
		}
		part := table[*head>>16&0x1fff:][:1<<(most-root)]
		for i := reversed >> root; i < uint(len(part)); i += 1 << (uint(l) - root) {
			part[i] = e
		}
	}
	return true
}
