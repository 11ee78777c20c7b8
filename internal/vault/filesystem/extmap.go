package filesystem

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// stretch is a stretch of a file: count blocks, at a block of the volume, or a hole.
type stretch struct {
	at    uint64
	count uint64
	hole  bool
}

// extFile reads a file of ext by its runs, from its beginning.
type extFile struct {
	e    *ext
	size int64
	pos  int64
	find func(block uint64) (stretch, error)
	cur  stretch
	from uint64 // the first block of cur in the file
}

// Read implements io.Reader.
func (f *extFile) Read(p []byte) (int, error) {
	if f.pos >= f.size {
		return 0, io.EOF
	}
	block, inside := uint64(f.pos/f.e.block), f.pos%f.e.block
	if block < f.from || block-f.from >= f.cur.count {
		r, err := f.find(block)
		if err != nil {
			return 0, fmt.Errorf("block %d of the file: %w", block, err)
		}
		if r.count == 0 {
			return 0, fmt.Errorf("block %d of the file: nothing says where it lies", block)
		}
		f.cur, f.from = r, block
	}
	skip := block - f.from
	left := int64(min(f.cur.count-skip, math.MaxInt64/uint64(f.e.block)/2))*f.e.block - inside
	p = p[:min(int64(len(p)), left, f.size-f.pos)]
	if f.cur.hole {
		clear(p)
	} else {
		at := f.cur.at + skip
		if at >= uint64(f.e.size/f.e.block) {
			return 0, fmt.Errorf("block %d of the file lies at block %d, behind the volume's end", block, at)
		}
		p = p[:min(int64(len(p)), f.e.size-int64(at)*f.e.block-inside)]
		if err := readFull(f.e, p, int64(at)*f.e.block+inside); err != nil {
			return 0, err
		}
	}
	f.pos += int64(len(p))
	return len(p), nil
}

var errTree = errors.New("its tree of extents is damaged")

// extent finds the run of a tree of extents that a block of the file is in, or
// the hole.
func (e *ext) extent(node []byte, block uint64, depth int) (stretch, error) {
	le := binary.LittleEndian
	if depth == 0 || len(node) < 12 || le.Uint16(node) != extentMark {
		return stretch{}, errTree
	}
	count, level := int(le.Uint16(node[2:])), le.Uint16(node[6:])
	if 12+12*count > len(node) || int(level) >= depth {
		return stretch{}, errTree
	}
	// Beyond the last entry is a hole; its end is the next entry's begin.
	next := uint64(math.MaxUint32) + 1
	for k := count - 1; k >= 0; k-- {
		x := node[12+12*k:]
		first := uint64(le.Uint32(x))
		if first > block {
			next = first
			continue
		}
		if level == 0 {
			length, hole := uint64(le.Uint16(x[4:])), false
			if length > 32768 {
				length, hole = length-32768, true // allocated, and never written: it reads as zeros
			}
			if block-first >= length {
				return stretch{count: max(1, next-block), hole: true}, nil
			}
			at := uint64(le.Uint16(x[6:]))<<32 | uint64(le.Uint32(x[8:]))
			return stretch{at: at + block - first, count: length - (block - first), hole: hole}, nil
		}
		child := uint64(le.Uint16(x[8:]))<<32 | uint64(le.Uint32(x[4:]))
		if child >= uint64(e.size/e.block) {
			return stretch{}, errTree
		}
		b := make([]byte, e.block)
		if err := readFull(e, b, int64(child)*e.block); err != nil {
			return stretch{}, err
		}
		if le.Uint16(b) == extentMark && le.Uint16(b[6:])+1 != level {
			return stretch{}, errTree
		}
		r, err := e.extent(b, block, depth-1)
		if err == nil && r.hole && r.at == 0 {
			r.count = min(r.count, max(1, next-block)) // the child does not know where its neighbour begins
		}
		return r, err
	}
	return stretch{count: max(1, next-block), hole: true}, nil
}

// mapped finds a block by the map of ext2: twelve direct blocks, then one of each
// degree of blocks of numbers. A number of zero is a hole.
func (e *ext) mapped(table []byte, block uint64) (stretch, error) {
	le := binary.LittleEndian
	per := uint64(e.block / 4)
	if block < 12 {
		return e.neighbours(table[4*block:48], 1), nil
	}
	block -= 12
	span := per
	for degree := range 3 {
		if block >= span {
			block -= span
			span *= per
			continue
		}
		number := uint64(le.Uint32(table[48+4*degree:]))
		for ; ; span /= per {
			if number == 0 {
				return stretch{count: span - block, hole: true}, nil
			}
			if number >= uint64(e.size/e.block) {
				return stretch{}, fmt.Errorf("its map leads to block %d, behind the volume's end", number)
			}
			b := make([]byte, e.block)
			if err := readFull(e, b, int64(number)*e.block); err != nil {
				return stretch{}, err
			}
			each := span / per
			k := block / each
			if each == 1 {
				return e.neighbours(b[4*k:], 1), nil
			}
			number, block = uint64(le.Uint32(b[4*k:])), block%each
		}
	}
	return stretch{}, errors.New("the file is longer than its map can be")
}

// neighbours is the run that begins a list of block numbers.
func (e *ext) neighbours(list []byte, count uint64) stretch {
	first := uint64(binary.LittleEndian.Uint32(list))
	for ; 4*(count+1) <= uint64(len(list)); count++ {
		next := uint64(binary.LittleEndian.Uint32(list[4*count:]))
		if first == 0 && next != 0 || first != 0 && next != first+count {
			break
		}
	}
	return stretch{at: first, count: count, hole: first == 0}
}
