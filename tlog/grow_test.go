package tlog_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"concert/tlog"

	"github.com/google/go-cmp/cmp"
	modtlog "golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"
)

func TestGrowInBatchesGivesTheReferencesRootAndTiles(t *testing.T) {
	t.Parallel()
	const most = 140_000 // two levels of full tiles
	ref := newReference(t, most)
	rapid.Check(t, func(t *rapid.T) {
		head, store := tlog.Empty(), tileStore{}
		batches := rapid.SliceOfN(rapid.OneOf(rapid.Int64Range(0, 600), rapid.Just[int64](256), rapid.Int64Range(0, 30_000)), 1, 12).Draw(t, "batches")
		for _, n := range batches {
			n = min(n, most-head.Size)
			next, tiles, err := tlog.Grow(head, leafHashes(head.Size, n), store.read)
			if err != nil {
				t.Fatal(err)
			}
			var got, want []tlog.TileID
			for _, tile := range tiles {
				got = append(got, tile.TileID)
			}
			for _, m := range modtlog.NewTiles(tlog.TileHeight, head.Size, head.Size+n) {
				want = append(want, tlog.TileID{Level: m.L, Index: m.N, Width: m.W})
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("from %d by %d, changed tiles (-want +got):\n%s", head.Size, n, diff)
			}
			store.save(tiles)
			if root, err := modtlog.TreeHash(head.Size+n, ref); err != nil || next != (tlog.Head{Size: head.Size + n, Root: tlog.Hash(root)}) {
				t.Fatalf("from %d by %d: head %+v, want root %x (%v)", head.Size, n, next, root, err)
			}
			head = next
		}
		for id := range tlog.Tiles(head.Size) {
			want, err := modtlog.ReadTileData(modtlog.Tile{H: tlog.TileHeight, L: id.Level, N: id.Index, W: id.Width}, ref)
			if err != nil || !bytes.Equal(want, store[place{id.Level, id.Index}]) {
				t.Fatalf("%s differs from the reference (%v)", id.Path(), err)
			}
		}
	})
}

func TestGrowReadsAtMostTheEdge(t *testing.T) {
	t.Parallel()
	head, store := grown(t, 70_000)
	var read []string
	_, _, err := tlog.Grow(head, leafHashes(70_000, 1000), func(id tlog.TileID) ([]byte, error) {
		read = append(read, id.Path())
		return store.read(id)
	})
	want := []string{"tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"}
	if err != nil || !slices.Equal(read, want) {
		t.Errorf("read %v, want %v (%v)", read, want, err)
	}
}

func TestGrowLeavesStoredDataAlone(t *testing.T) {
	t.Parallel()
	head, _ := grown(t, 300)
	// The stored tile is wider, so the slice that Grow gets has room to grow into.
	_, store := grown(t, 450)
	before := bytes.Clone(store[place{0, 1}])
	if _, _, err := tlog.Grow(head, leafHashes(5000, 700), store.read); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before, store[place{0, 1}]) {
		t.Error("the stored tile was written to")
	}
}

func TestGrowAcceptsAWiderStoredTile(t *testing.T) {
	t.Parallel()
	old, _ := grown(t, 300)
	want, wider := grown(t, 450)
	got, _, err := tlog.Grow(old, leafHashes(300, 150), wider.read)
	if err != nil || got != want {
		t.Errorf("Grow = %+v, %v; want %+v", got, err, want)
	}
}

func TestGrowRefusesAnyChangedByteOfTheEdge(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Int64Range(1, 70_000).Filter(func(n int64) bool { return n%256 != 0 }).Draw(t, "size")
		store := tileStore{}
		head, tiles, err := tlog.Grow(tlog.Empty(), leafHashes(0, size), store.read)
		if err != nil {
			t.Fatal(err)
		}
		store.save(tiles)
		var edge []tlog.TileID
		for id := range tlog.Tiles(size) {
			if id.Width < tlog.TileWidth {
				edge = append(edge, id)
			}
		}
		id := rapid.SampledFrom(edge).Draw(t, "tile")
		data := store[place{id.Level, id.Index}]
		data[rapid.IntRange(0, len(data)-1).Draw(t, "byte")] ^= byte(rapid.IntRange(1, 255).Draw(t, "flip"))
		if _, _, err := tlog.Grow(head, leafHashes(size, 1), store.read); !errors.Is(err, tlog.ErrCorrupt) {
			t.Fatalf("changed byte in %s: %v", id.Path(), err)
		}
	})
}

func TestGrowNamesTheTileItCannotUse(t *testing.T) {
	t.Parallel()
	head, store := grown(t, 300)
	for _, size := range []int{0, 31, 43 * 32, 44*32 + 1} {
		store[place{0, 1}] = make([]byte, size)
		if _, _, err := tlog.Grow(head, nil, store.read); !errors.Is(err, tlog.ErrCorrupt) || !strings.Contains(err.Error(), "tile/0/001.p/44: ") {
			t.Errorf("tile of %d bytes: %v", size, err)
		}
	}
	delete(store, place{0, 1})
	if _, _, err := tlog.Grow(head, nil, store.read); err == nil || !strings.Contains(err.Error(), "tile/0/001.p/44") {
		t.Errorf("missing tile: %v", err)
	}
}

func TestGrowRefusesHeadsThatAreNone(t *testing.T) {
	t.Parallel()
	none := tileStore{}
	for _, head := range []tlog.Head{{}, {Size: -1}, {Size: tlog.MaxSize + 1}, {Size: tlog.MaxSize}} {
		if _, _, err := tlog.Grow(head, leafHashes(0, 1), none.read); !errors.Is(err, tlog.ErrMalformed) {
			t.Errorf("Grow from %+v: %v", head, err)
		}
	}
}

// BenchmarkGrow builds a log of 250,000 leaves in batches of 1,000. A
// tree needs one node hash a leaf, so BenchmarkNodeHash is the floor.
func BenchmarkGrow(b *testing.B) {
	const size, batch = 250_000, 1000
	leaves := leafHashes(0, size)
	b.ReportAllocs()
	for b.Loop() {
		head, store := tlog.Empty(), tileStore{}
		for head.Size < size {
			next, tiles, err := tlog.Grow(head, leaves[head.Size:head.Size+batch], store.read)
			if err != nil {
				b.Fatal(err)
			}
			store.save(tiles)
			head = next
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/size, "ns/leaf")
}

func BenchmarkNodeHash(b *testing.B) {
	var h modtlog.Hash
	for b.Loop() {
		h = modtlog.NodeHash(h, h)
	}
}

func BenchmarkCommit(b *testing.B) {
	salt, event := make([]byte, tlog.SaltSize), bytes.Repeat([]byte("x"), 300)
	b.ReportAllocs()
	for b.Loop() {
		tlog.LeafHash(tlog.Commit(salt, event))
	}
}
