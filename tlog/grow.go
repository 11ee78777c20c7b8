package tlog

import (
	"fmt"
	"math/bits"
)

// Grow appends leaf hashes ([LeafHash]) to the tree with the given head. It
// returns the new head and each tile whose data changed, with the full data of
// its new width, level by level and from left to right. Storing those tiles
// and the head is one transaction of the caller, compared and swapped on the
// old head: two nodes may both grow a log, and one of them wins.
//
// It reads the partial tiles at the right edge, at most one a level, and
// nothing else; the cost is that of hashing the leaves' nodes and the edge.
// It is pure: the same arguments give the same result.
//
// Errors: [ErrMalformed] for a head out of range, [ErrCorrupt] when the stored
// edge does not give head.Root, and whatever read returns. A corrupt edge is
// refused before anything is computed from it.
func Grow(head Head, leaves []Hash, read ReadTile) (Head, []Tile, error) {
	if !validSize(head.Size) || int64(len(leaves)) > MaxSize-head.Size {
		return Head{}, nil, fmt.Errorf("grow a log of %d leaves by %d: %w: size must be between 0 and %d", head.Size, len(leaves), ErrMalformed, int64(MaxSize))
	}
	e, err := readEdge(head, read)
	if err != nil {
		return Head{}, nil, err
	}
	if len(leaves) == 0 {
		return head, nil, nil
	}

	var full [tileLevels][]Tile
	for _, leaf := range leaves {
		e.push(leaf, func(t Tile) { full[t.Level] = append(full[t.Level], t) })
	}

	var changed []Tile
	for level := range tileLevels {
		changed = append(changed, full[level]...)
		shift := TileHeight * level
		if data := e.levels[level]; len(data) > 0 && head.Size>>shift != e.size>>shift {
			id := TileID{Level: level, Index: e.size >> shift / TileWidth, Width: len(data) / HashSize}
			changed = append(changed, Tile{TileID: id, Data: data[:len(data):len(data)]})
		}
	}
	return Head{Size: e.size, Root: e.root()}, changed, nil
}

// edge is the right side of a tree: what is needed to append to it and to
// compute its root. Its arithmetic is that of a binary counter: the ones of
// size are the perfect subtrees that the tree consists of.
type edge struct {
	size int64
	// peaks holds, for each bit of size that is one, the root of the perfect
	// subtree of that height. Keeping them spares hashing a tile twice.
	peaks [8*tileLevels - 3]Hash
	// levels holds the data of the partial tile of each level, empty where
	// all tiles are full.
	levels [tileLevels][]byte
}

// readEdge loads the edge of the tree with the given head and checks that it
// gives the head's root.
func readEdge(head Head, read ReadTile) (*edge, error) {
	e := &edge{size: head.Size}
	for level := range tileLevels {
		id := tileIn(head.Size, level, head.Size>>(TileHeight*(level+1)))
		if id.Width == 0 {
			continue
		}
		data, err := readTile(id, read)
		if err != nil {
			return nil, err
		}
		for i := range id.Width {
			node, bit := Hash(data[i*HashSize:]), TileHeight*level
			for rest := i; rest&1 == 1; rest >>= 1 {
				node = nodeHash(e.peaks[bit], node)
				bit++
			}
			e.peaks[bit] = node
		}
		// A copy: the slice belongs to the reader, and the edge appends to it.
		e.levels[level] = append(make([]byte, 0, TileWidth*HashSize), data...)
	}
	if root := e.root(); root != head.Root {
		if head.Size == 0 {
			return nil, fmt.Errorf("head of size 0 with root %s: %w: start a new log from Empty()", base64Hash(head.Root), ErrMalformed)
		}
		return nil, fmt.Errorf("the last tiles of the log of size %d give root %s, recorded is %s: %w: run an audit to find the tile, restore it, and do not sign", head.Size, base64Hash(root), base64Hash(head.Root), ErrCorrupt)
	}
	return e, nil
}

// push appends one leaf hash. Each tile that becomes full goes to full, with
// data that the edge no longer touches.
func (e *edge) push(leaf Hash, full func(Tile)) {
	node, bit := leaf, 0
	for {
		if bit%TileHeight == 0 {
			e.extend(bit/TileHeight, node, full)
		}
		if e.size>>bit&1 == 0 {
			break
		}
		node = nodeHash(e.peaks[bit], node)
		bit++
	}
	e.peaks[bit] = node
	e.size++
}

// extend appends a hash to the partial tile of a level.
func (e *edge) extend(level int, hash Hash, full func(Tile)) {
	data := e.levels[level]
	if data == nil {
		data = make([]byte, 0, TileWidth*HashSize)
	}
	data = append(data, hash[:]...)
	if len(data) < TileWidth*HashSize {
		e.levels[level] = data
		return
	}
	e.levels[level] = nil
	full(Tile{TileID: TileID{Level: level, Index: e.size >> (TileHeight * (level + 1)), Width: TileWidth}, Data: data})
}

// root joins the subtrees from the smallest, which is the rightmost.
func (e *edge) root() Hash {
	if e.size == 0 {
		return Empty().Root
	}
	bit := bits.TrailingZeros64(uint64(e.size))
	root := e.peaks[bit]
	for bit++; e.size>>bit > 0; bit++ {
		if e.size>>bit&1 == 1 {
			root = nodeHash(e.peaks[bit], root)
		}
	}
	return root
}
