package jpegluma

import "encoding/binary"

const (
	lookBits = 10 // of a code that is looked up at once
	endBlock = 64 // a run that leaves the block
)

// huffman is a table of codes in three forms, by the next ten bits: the symbol
// alone, a whole coefficient, and what is skipped of one.
type huffman struct {
	look   [1 << lookBits]uint16 // length<<8 | symbol; 0 for a longer code
	whole  [1 << lookBits]uint32 // value<<16 | run<<8 | bits; 0 where that needs more bits
	skip   [1 << lookBits]uint16 // run<<8 | bits
	most   [17]int32             // the last code of each length
	delta  [17]int32             // from a code to its symbol's place
	symbol [256]uint8
}

func (d *decoder) tables(s []byte) error {
	for len(s) > 0 {
		class, id := s[0]>>4, s[0]&15
		if len(s) < 17 || class > 1 || id > 3 {
			return broken("a Huffman table")
		}
		n := 0
		for _, c := range s[1:17] {
			n += int(c)
		}
		if n > 256 || len(s) < 17+n {
			return broken("a Huffman table of %d codes", n)
		}
		h, ok := newHuffman(s[1:17], s[17:17+n], class == 1)
		if !ok {
			return broken("a Huffman table with too many codes of a length")
		}
		if class == 0 {
			d.dc[id] = h
		} else {
			d.ac[id] = h
		}
		s = s[17+n:]
	}
	return nil
}

func newHuffman(counts, symbols []byte, ac bool) (*huffman, bool) {
	h := new(huffman)
	copy(h.symbol[:], symbols)
	code, at := int32(0), int32(0)
	for length := 1; length <= 16; length++ {
		h.delta[length] = at - code
		for range int(counts[length-1]) {
			if code>>length != 0 {
				return nil, false
			}
			if length <= lookBits {
				first := code << (lookBits - length)
				for i := range int32(1) << (lookBits - length) {
					h.look[first+i] = uint16(length)<<8 | uint16(symbols[at])
				}
			}
			code++
			at++
		}
		h.most[length] = code - 1
		if counts[length-1] == 0 {
			h.most[length] = -1
		}
		code <<= 1
	}
	if ac {
		h.coefficients()
	}
	return h, true
}

// coefficients fills the tables of whole coefficients.
func (h *huffman) coefficients() {
	for i, e := range h.look {
		length, run, size := int(e>>8), int(e>>4&15), int(e&15)
		if length == 0 {
			continue
		}
		if size == 0 && run != 15 {
			run = endBlock
		}
		h.skip[i] = uint16(run<<8 | length + size)
		if length+size > lookBits {
			continue
		}
		value := 0
		if size > 0 {
			value = i >> (lookBits - length - size) & (1<<size - 1)
			if value < 1<<(size-1) {
				value -= 1<<size - 1
			}
		}
		h.whole[i] = uint32(uint16(value))<<16 | uint32(run<<8|length+size)
	}
}

// reader reads bits. The highest of acc come next; n of them count, of which
// the last borrowed are zeros that are not in the file.
type reader struct {
	data     []byte
	pos      int
	acc      uint64
	n        int
	borrowed int
}

// fill makes n at least 56. Past a marker or the end it lends zeros.
func (r *reader) fill() {
	if r.pos+8 <= len(r.data) {
		v := binary.BigEndian.Uint64(r.data[r.pos:])
		if x := ^v; (x-0x0101010101010101)&^x&0x8080808080808080 == 0 { // no byte is 0xff
			r.acc |= v >> r.n
			bytes := (63 - r.n) >> 3
			r.pos += bytes
			r.n += bytes << 3
			return
		}
	}
	r.fillBytes()
}

func (r *reader) fillBytes() {
	for r.n <= 56 {
		if r.pos >= len(r.data) {
			break
		}
		b := r.data[r.pos]
		if b == 0xff {
			if r.pos+1 >= len(r.data) || r.data[r.pos+1] != 0 {
				break
			}
			r.pos++
		}
		r.pos++
		r.acc |= uint64(b) << (56 - r.n)
		r.n += 8
	}
	if r.n <= 56 {
		lent := (64 - r.n) &^ 7
		r.borrowed += lent
		r.n += lent
	}
}

// overdrawn says that bits were read which the file does not have.
func (r *reader) overdrawn() bool { return r.n < r.borrowed }

// align forgets the bits up to the next marker.
func (r *reader) align() { r.acc, r.n, r.borrowed = 0, 0, 0 }

// bits reads up to 16.
func (r *reader) bits(n int) int32 {
	if r.n < 16 {
		r.fill()
	}
	v := int32(r.acc >> 32 >> (32 - n))
	r.acc <<= n
	r.n -= n
	return v
}

// signed reads a value of so many bits (T.81 F.2.2.1, EXTEND).
func (r *reader) signed(size int) int32 {
	if size == 0 {
		return 0
	}
	v := r.bits(size)
	if v < 1<<(size-1) {
		v -= 1<<size - 1
	}
	return v
}

// next reads a symbol; a code that is none reads as 0, and borrows what no file
// can pay back.
func (r *reader) next(h *huffman) uint8 {
	if r.n < 16 {
		r.fill()
	}
	if e := h.look[r.acc>>(64-lookBits)]; e != 0 {
		r.acc <<= e >> 8
		r.n -= int(e >> 8)
		return uint8(e)
	}
	for length := lookBits + 1; length <= 16; length++ {
		if code := int32(r.acc >> (64 - length)); code <= h.most[length] {
			r.acc <<= length
			r.n -= length
			return h.symbol[uint8(code+h.delta[length])]
		}
	}
	r.borrowed = 1 << 30
	return 0
}
