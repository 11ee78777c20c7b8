package tlog

import (
	"fmt"

	modtlog "golang.org/x/mod/sumdb/tlog"
)

// maxProofLen is more than any proof in a tree of MaxSize leaves needs.
const maxProofLen = 128

// InclusionProof returns the RFC 6962 audit path of the leaf at index in the
// tree of size leaves, read from its tiles. The tiles need not be trusted: a
// proof made from bad tiles fails in [CheckInclusion].
//
// Errors: [ErrMalformed] for an index outside the tree, [ErrCorrupt] for a
// tile of the wrong length, and whatever read returns.
func InclusionProof(size, index int64, read ReadTile) ([]Hash, error) {
	if !validSize(size) || index < 0 || index >= size {
		return nil, fmt.Errorf("prove leaf %d in a log of size %d: %w: the index must be below the size; ask for a newer checkpoint", index, size, ErrMalformed)
	}
	p, err := modtlog.ProveRecord(size, index, newTileHashes(size, read))
	if err != nil {
		return nil, fmt.Errorf("prove leaf %d in a log of size %d: %w", index, size, err)
	}
	return fromMod(p), nil
}

// CheckInclusion verifies that the tree with the given size and root has leaf
// (a [LeafHash]) at index. It returns [ErrProof] if the proof does not show
// that, [ErrMalformed] for an index outside the tree.
func CheckInclusion(proof []Hash, size int64, root Hash, index int64, leaf Hash) error {
	if !validSize(size) || index < 0 || index >= size {
		return fmt.Errorf("check leaf %d in a log of size %d: %w: the index must be below the size; ask for a newer checkpoint", index, size, ErrMalformed)
	}
	if len(proof) > maxProofLen || modtlog.CheckRecord(toMod(proof), size, modtlog.Hash(root), index, modtlog.Hash(leaf)) != nil {
		return fmt.Errorf("leaf %d with hash %s in the log of size %d and root %s: %w: the event, its salt, its index or the proof was changed; ask the log for them again", index, base64Hash(leaf), size, base64Hash(root), ErrProof)
	}
	return nil
}

// ConsistencyProof returns the RFC 6962 proof that the tree of size leaves
// begins with the tree of oldSize leaves, read from the tiles of the larger
// tree. It is empty if the sizes are equal or oldSize is 0.
//
// Errors: [ErrMalformed] for sizes out of order, [ErrCorrupt] for a tile of
// the wrong length, and whatever read returns.
func ConsistencyProof(size, oldSize int64, read ReadTile) ([]Hash, error) {
	if !validSize(size) || oldSize < 0 || oldSize > size {
		return nil, fmt.Errorf("prove that a log of size %d begins with one of size %d: %w: the second must not be the larger", size, oldSize, ErrMalformed)
	}
	if oldSize == 0 {
		return nil, nil
	}
	p, err := modtlog.ProveTree(size, oldSize, newTileHashes(size, read))
	if err != nil {
		return nil, fmt.Errorf("prove that the log of size %d begins with that of size %d: %w", size, oldSize, err)
	}
	return fromMod(p), nil
}

// CheckConsistency verifies that the log at head later begins with the log at
// head earlier. It returns [ErrRollback] if later is smaller, [ErrFork] if
// both have one size and different roots, and an error that is both [ErrFork]
// and [ErrProof] if the proof does not join them: then either the proof is bad
// or the log shows different histories to different people, and both heads are
// evidence to keep.
func CheckConsistency(proof []Hash, earlier, later Head) error {
	if !validSize(earlier.Size) || !validSize(later.Size) {
		return fmt.Errorf("compare logs of size %d and %d: %w: sizes lie between 0 and %d", earlier.Size, later.Size, ErrMalformed, int64(MaxSize))
	}
	if later.Size < earlier.Size {
		return fmt.Errorf("%w: it had %d leaves and now shows %d; keep both checkpoints and ask the operator whether an old backup was restored", ErrRollback, earlier.Size, later.Size)
	}
	for _, h := range []Head{earlier, later} {
		if h.Size == 0 && h != Empty() {
			return fmt.Errorf("%w: a log of size 0 has root %s, shown is %s", ErrFork, base64Hash(Empty().Root), base64Hash(h.Root))
		}
	}
	if later.Size == earlier.Size && later.Root != earlier.Root {
		return fmt.Errorf("%w: at size %d it has shown root %s and root %s; keep both checkpoints, they prove it", ErrFork, later.Size, base64Hash(earlier.Root), base64Hash(later.Root))
	}
	if later.Size == earlier.Size || earlier.Size == 0 {
		if len(proof) != 0 {
			return fmt.Errorf("%w: between sizes %d and %d nothing is to be proved, but %d hashes were given", ErrProof, earlier.Size, later.Size, len(proof))
		}
		return nil
	}
	if len(proof) > maxProofLen || modtlog.CheckTree(toMod(proof), later.Size, modtlog.Hash(later.Root), earlier.Size, modtlog.Hash(earlier.Root)) != nil {
		return fmt.Errorf("%w: %w from size %d to size %d; fetch the proof again, and if it fails again keep both checkpoints", ErrFork, ErrProof, earlier.Size, later.Size)
	}
	return nil
}

// tileHashes answers x/mod's questions for single tree nodes from tiles.
type tileHashes struct {
	size int64
	read ReadTile
	seen map[TileID][]byte // each tile is read once for a proof
}

func newTileHashes(size int64, read ReadTile) *tileHashes {
	return &tileHashes{size: size, read: read, seen: make(map[TileID][]byte)}
}

// ReadHashes implements the HashReader of golang.org/x/mod/sumdb/tlog.
func (r *tileHashes) ReadHashes(indexes []int64) ([]modtlog.Hash, error) {
	hashes := make([]modtlog.Hash, len(indexes))
	for i, x := range indexes {
		t := modtlog.TileForIndex(TileHeight, x)
		// Only the width that the tree has is sure to be stored, not the
		// least width that holds the node.
		id := tileIn(r.size, t.L, t.N)
		data, ok := r.seen[id]
		if !ok {
			var err error
			if data, err = readTile(id, r.read); err != nil {
				return nil, err
			}
			r.seen[id] = data
		}
		t.W = id.Width
		h, err := modtlog.HashFromTile(t, data, x)
		if err != nil {
			return nil, err
		}
		hashes[i] = h
	}
	return hashes, nil
}

func toMod(hashes []Hash) []modtlog.Hash {
	out := make([]modtlog.Hash, len(hashes))
	for i, h := range hashes {
		out[i] = modtlog.Hash(h)
	}
	return out
}

func fromMod(hashes []modtlog.Hash) []Hash {
	out := make([]Hash, len(hashes))
	for i, h := range hashes {
		out[i] = Hash(h)
	}
	return out
}
