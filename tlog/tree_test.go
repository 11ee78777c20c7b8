package tlog_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"testing"

	"concert/tlog"

	modtlog "golang.org/x/mod/sumdb/tlog"
)

// commitment returns an invented commitment for leaf i.
func commitment(i int64) tlog.Hash {
	return sha256.Sum256(binary.BigEndian.AppendUint64([]byte("EXERCISE "), uint64(i)))
}

func leafHashes(from, n int64) []tlog.Hash {
	leaves := make([]tlog.Hash, n)
	for i := range leaves {
		leaves[i] = tlog.LeafHash(commitment(from + int64(i)))
	}
	return leaves
}

// place is what a store keys tiles by; the newest width replaces older ones.
type place struct {
	level int
	index int64
}

// tileStore keeps tiles as rows keyed by place.
type tileStore map[place][]byte

func (s tileStore) read(t tlog.TileID) ([]byte, error) {
	data, ok := s[place{t.Level, t.Index}]
	if !ok {
		return nil, fmt.Errorf("no tile %s", t.Path())
	}
	return data, nil
}

func (s tileStore) save(tiles []tlog.Tile) {
	for _, t := range tiles {
		s[place{t.Level, t.Index}] = t.Data
	}
}

// reference is x/mod's own log, kept as its stored hashes.
type reference []modtlog.Hash

func (r reference) ReadHashes(indexes []int64) ([]modtlog.Hash, error) {
	out := make([]modtlog.Hash, len(indexes))
	for i, x := range indexes {
		out[i] = r[x]
	}
	return out, nil
}

func newReference(t testing.TB, size int64) reference {
	t.Helper()
	var r reference
	for i := range size {
		c := commitment(i)
		h, err := modtlog.StoredHashes(i, c[:], r)
		if err != nil {
			t.Fatal(err)
		}
		r = append(r, h...)
	}
	return r
}

func (r reference) head(t testing.TB, size int64) tlog.Head {
	t.Helper()
	root, err := modtlog.TreeHash(size, r)
	if err != nil {
		t.Fatal(err)
	}
	return tlog.Head{Size: size, Root: tlog.Hash(root)}
}

// grown returns a log of size leaves and its tiles.
func grown(t testing.TB, size int64) (tlog.Head, tileStore) {
	t.Helper()
	store := tileStore{}
	head, tiles, err := tlog.Grow(tlog.Empty(), leafHashes(0, size), store.read)
	if err != nil {
		t.Fatal(err)
	}
	store.save(tiles)
	return head, store
}

func TestCommitIsHMACAndLeafIsRFC6962(t *testing.T) {
	t.Parallel()
	// RFC 4231 test case 2.
	got := fmt.Sprintf("%x", tlog.Commit([]byte("Jefe"), []byte("what do ya want for nothing?")))
	if want := "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"; got != want {
		t.Errorf("Commit = %s, want %s", got, want)
	}
	c := commitment(7)
	if got, want := tlog.LeafHash(c), tlog.Hash(modtlog.RecordHash(c[:])); got != want {
		t.Errorf("LeafHash = %x, want %x", got, want)
	}
}
