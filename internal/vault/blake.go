package vault

import (
	"encoding/binary"
	"hash"
	"math/bits"

	"github.com/zeebo/blake3"
	"lukechampine.com/blake3/guts"
)

const (
	// PieceSize is how many bytes one piece of a file has; only the last has fewer.
	PieceSize = 1 << 20
	groupSize = guts.MaxSIMD * guts.ChunkSize
	sumSize   = 32
)

// pieceSums are the digests of a file's pieces. BLAKE3 is a tree, so that they
// cost nothing: a piece's digest is the chaining value of the subtree over it
// (BLAKE3 specification, 2.1 and 2.4), and together they make the file's BLAKE3.
// So a piece is as good as its file, and may be checked alone.
type pieceSums struct {
	buf    [groupSize]byte
	n      int    // bytes in buf
	groups uint64 // of the file, done
	piece  [][8]uint32
	pieces [][8]uint32
}

// Write takes bytes. The last group waits for what comes behind it.
func (s *pieceSums) Write(p []byte) (int, error) {
	size := len(p)
	for len(p) > 0 {
		if s.n == groupSize {
			s.group(&s.buf)
			s.n = 0
		}
		if s.n == 0 && len(p) > groupSize {
			s.group((*[groupSize]byte)(p))
			p = p[groupSize:]
			continue
		}
		k := copy(s.buf[s.n:], p)
		s.n, p = s.n+k, p[k:]
	}
	return size, nil
}

// group takes a full group that is not the file's last.
func (s *pieceSums) group(b *[groupSize]byte) {
	node := guts.CompressBuffer(b, groupSize, &guts.IV, s.groups*guts.MaxSIMD, 0)
	s.groups++
	s.piece = append(s.piece, guts.ChainingValue(node))
	if len(s.piece) == PieceSize/groupSize {
		s.pieces = append(s.pieces, guts.ChainingValue(topNode(s.piece)))
		s.piece = s.piece[:0]
	}
}

// topNode is the node over at least two chaining values: the left side is the
// largest power of two that leaves something for the right.
func topNode(cvs [][8]uint32) guts.Node {
	left := 1 << (bits.Len(uint(len(cvs)-1)) - 1)
	return guts.ParentNode(top(cvs[:left]), top(cvs[left:]), &guts.IV, 0)
}

func top(cvs [][8]uint32) [8]uint32 {
	if len(cvs) == 1 {
		return cvs[0]
	}
	return guts.ChainingValue(topNode(cvs))
}

// Sum ends the file: its BLAKE3 and the digests of its pieces, one behind the
// other, none where the file is a single piece.
func (s *pieceSums) Sum() (sum [sumSize]byte, pieces []byte) {
	last := guts.CompressBuffer(&s.buf, s.n, &guts.IV, s.groups*guts.MaxSIMD, 0)
	node := last
	if len(s.piece) > 0 {
		node = topNode(append(s.piece, guts.ChainingValue(last)))
	}
	if len(s.pieces) > 0 {
		all := append(s.pieces, guts.ChainingValue(node))
		node = topNode(all)
		for _, cv := range all {
			pieces = appendWords(pieces, cv[:])
		}
	}
	node.Flags |= guts.FlagRoot
	words := guts.CompressNode(node)
	appendWords(sum[:0], words[:8])
	return sum, pieces
}

func appendWords(b []byte, words []uint32) []byte {
	for _, w := range words {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	return b
}

// pieceCount is how many pieces' digests are kept of a file of so many bytes.
func pieceCount(size int64) int64 {
	if size <= PieceSize {
		return 0
	}
	return (size + PieceSize - 1) / PieceSize
}

// pieceSum is the digest of the piece with the number alone.
func pieceSum(number int64, p []byte) []byte {
	s := pieceSums{groups: uint64(number) * (PieceSize / groupSize)}
	for len(p) > groupSize {
		s.piece = append(s.piece, guts.ChainingValue(guts.CompressBuffer((*[groupSize]byte)(p), groupSize, &guts.IV, s.groups*guts.MaxSIMD, 0)))
		s.groups++
		p = p[groupSize:]
	}
	copy(s.buf[:], p)
	s.piece = append(s.piece, guts.ChainingValue(guts.CompressBuffer(&s.buf, len(p), &guts.IV, s.groups*guts.MaxSIMD, 0)))
	cv := top(s.piece)
	return appendWords(nil, cv[:])
}

// newBLAKE3 is BLAKE3 for what has no pieces, by the faster of two libraries on
// short texts.
func newBLAKE3() hash.Hash { return blake3.New() }
