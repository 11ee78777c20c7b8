package tlog

import (
	"encoding/binary"
	"fmt"
	"math"
)

// EncodeEntries returns an entry bundle: for each entry its length as a
// big-endian uint16 and its bytes (https://c2sp.org/tlog-tiles, "Log entries").
// More than 256 entries, or one longer than 65,535 bytes, is [ErrMalformed].
func EncodeEntries(entries [][]byte) ([]byte, error) {
	if len(entries) > TileWidth {
		return nil, fmt.Errorf("entry bundle of %d entries: %w: a bundle holds at most %d; start the next one", len(entries), ErrMalformed, TileWidth)
	}
	size := 0
	for i, e := range entries {
		if len(e) > math.MaxUint16 {
			return nil, fmt.Errorf("entry %d of the bundle has %d bytes: %w: an entry has at most %d", i, len(e), ErrMalformed, math.MaxUint16)
		}
		size += 2 + len(e)
	}
	out := make([]byte, 0, size)
	for _, e := range entries {
		out = binary.BigEndian.AppendUint16(out, uint16(len(e)))
		out = append(out, e...)
	}
	return out, nil
}

// DecodeEntries splits an entry bundle. The entries share the bundle's memory.
// A truncated entry, or more than 256 of them, is [ErrMalformed]; the caller
// compares the number of entries with the width in the bundle's path.
func DecodeEntries(bundle []byte) ([][]byte, error) {
	var entries [][]byte
	for rest := bundle; len(rest) > 0; {
		if len(entries) == TileWidth {
			return nil, fmt.Errorf("entry bundle: %w: %d bytes follow its %d entries, the most it may hold", ErrMalformed, len(rest), TileWidth)
		}
		if len(rest) < 2 {
			return nil, fmt.Errorf("entry bundle: %w: entry %d is cut off in its length", ErrMalformed, len(entries))
		}
		n := int(binary.BigEndian.Uint16(rest))
		if len(rest)-2 < n {
			return nil, fmt.Errorf("entry bundle: %w: entry %d should have %d bytes, %d are left", ErrMalformed, len(entries), n, len(rest)-2)
		}
		entries = append(entries, rest[2:2+n:2+n])
		rest = rest[2+n:]
	}
	return entries, nil
}

// DecodeCommitments splits an entry bundle of exactly width entries, each a
// 32-byte commitment; anything else is [ErrMalformed].
func DecodeCommitments(bundle []byte, width int) ([]Hash, error) {
	entries, err := DecodeEntries(bundle)
	if err != nil {
		return nil, err
	}
	if len(entries) != width {
		return nil, fmt.Errorf("entry bundle: %w: it holds %d entries, its path says %d", ErrMalformed, len(entries), width)
	}
	commitments := make([]Hash, len(entries))
	for i, e := range entries {
		if len(e) != HashSize {
			return nil, fmt.Errorf("entry bundle: %w: entry %d has %d bytes, a commitment has %d", ErrMalformed, i, len(e), HashSize)
		}
		commitments[i] = Hash(e)
	}
	return commitments, nil
}
