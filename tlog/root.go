package tlog

import (
	"fmt"

	modtlog "golang.org/x/mod/sumdb/tlog"
)

// RootAt is the root of the log's first size leaves, read from the tiles of a log that
// has at least so many: what a publication that rests on a part of the log names.
//
// Errors: [ErrMalformed] for a size out of bounds, [ErrCorrupt] for a tile of the wrong
// length, and whatever read returns.
func RootAt(size int64, read ReadTile) (Hash, error) {
	if size == 0 {
		return Empty().Root, nil
	}
	if !validSize(size) {
		return Hash{}, fmt.Errorf("root of the first %d leaves: %w: sizes lie between 0 and %d", size, ErrMalformed, int64(MaxSize))
	}
	h, err := modtlog.TreeHash(size, newTileHashes(size, read))
	if err != nil {
		return Hash{}, fmt.Errorf("root of the first %d leaves: %w", size, err)
	}
	return Hash(h), nil
}
