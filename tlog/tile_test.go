package tlog_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"concert/tlog"

	modtlog "golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"
)

func TestTilePathsFollowTheSpecification(t *testing.T) {
	t.Parallel()
	tests := []struct {
		path string
		tile tlog.TileID
	}{
		{"tile/0/000", tlog.TileID{Level: 0, Index: 0, Width: 256}},
		{"tile/0/000.p/1", tlog.TileID{Level: 0, Index: 0, Width: 1}},
		{"tile/3/999.p/255", tlog.TileID{Level: 3, Index: 999, Width: 255}},
		{"tile/0/x001/000", tlog.TileID{Level: 0, Index: 1000, Width: 256}},
		{"tile/0/x001/067.p/5", tlog.TileID{Level: 0, Index: 1067, Width: 5}},
		{"tile/1/x001/x000/000.p/112", tlog.TileID{Level: 1, Index: 1_000_000, Width: 112}},
		{"tile/0/x001/x234/067", tlog.TileID{Level: 0, Index: 1_234_067, Width: 256}},
		{"tile/63/000", tlog.TileID{Level: 63, Index: 0, Width: 256}},
		{"tile/0/x004/x503/x599/x627/x370/496", tlog.TileID{Level: 0, Index: 1 << 52, Width: 256}},
	}
	for _, tt := range tests {
		if got := tt.tile.Path(); got != tt.path {
			t.Errorf("%+v.Path() = %s, want %s", tt.tile, got, tt.path)
		}
		if got, err := tlog.ParseTilePath(tt.path); err != nil || got != tt.tile {
			t.Errorf("ParseTilePath(%s) = %+v, %v", tt.path, got, err)
		}
		entries := "tile/entries/" + strings.SplitN(tt.path, "/", 3)[2]
		if got := tlog.EntriesPath(tt.tile.Index, tt.tile.Width); got != entries {
			t.Errorf("EntriesPath = %s, want %s", got, entries)
		}
		if index, width, err := tlog.ParseEntriesPath(entries); err != nil || index != tt.tile.Index || width != tt.tile.Width {
			t.Errorf("ParseEntriesPath(%s) = %d, %d, %v", entries, index, width, err)
		}
	}
}

func TestOtherSpellingsOfAPathAreRefused(t *testing.T) {
	t.Parallel()
	for _, path := range []string{
		"", "tile", "tile/", "tile/0", "tile/0/", "/tile/0/000", "tile/0/000/", "tile/00/000", "tile/64/000", "tile/-1/000", "tile/+1/000",
		"tile/0/0", "tile/0/0000", "tile/0/x000/000", "tile/0/001/000", "tile/0/x001/x000", "tile/0/x001", "tile/0/000.p", "tile/0/000.p/",
		"tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/05", "tile/0/000.p/5/", "tile/0/000.p/5.p/5", "tile/0/x001.p/5/000", "tile/0/../000",
		"tile/0/00٣", "tile/8/0/000", "tile/data/000", "tile/0/x005/x000/x000/x000/x000/000", "tile/0/" + strings.Repeat("x001/", 100) + "000",
	} {
		if got, err := tlog.ParseTilePath(path); !errors.Is(err, tlog.ErrMalformed) {
			t.Errorf("ParseTilePath(%q) = %+v, %v; want ErrMalformed", path, got, err)
		}
		if _, _, err := tlog.ParseEntriesPath(strings.Replace(path, "tile/0/", "tile/entries/", 1)); !errors.Is(err, tlog.ErrMalformed) {
			t.Errorf("ParseEntriesPath of %q: %v; want ErrMalformed", path, err)
		}
	}
}

// The specification's own example: a tree of 70,000 leaves.
func TestTilesOfTheSpecificationsExample(t *testing.T) {
	t.Parallel()
	tiles := slices.Collect(tlog.Tiles(70_000))
	if len(tiles) != 273+1+1+1+1 {
		t.Fatalf("%d tiles", len(tiles))
	}
	want := []tlog.TileID{{Level: 0, Index: 273, Width: 112}, {Level: 1, Index: 0, Width: 256}, {Level: 1, Index: 1, Width: 17}, {Level: 2, Index: 0, Width: 1}}
	if got := tiles[273:]; !slices.Equal(got, want) {
		t.Errorf("last tiles are %+v, want %+v", got, want)
	}
	if got := slices.Collect(tlog.Tiles(256)); len(got) != 2 || got[1] != (tlog.TileID{Level: 1, Index: 0, Width: 1}) {
		t.Errorf("tiles of a tree of 256: %+v", got)
	}
	if got := slices.Collect(tlog.Tiles(-1)); got != nil {
		t.Errorf("tiles of a negative size: %+v", got)
	}
}

func TestTilesAreThoseOfTheReference(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Int64Range(0, 300_000).Draw(t, "size")
		var want []tlog.TileID
		for _, m := range modtlog.NewTiles(tlog.TileHeight, 0, size) {
			want = append(want, tlog.TileID{Level: m.L, Index: m.N, Width: m.W})
		}
		if got := slices.Collect(tlog.Tiles(size)); !slices.Equal(got, want) {
			t.Fatalf("size %d: %+v, want %+v", size, got, want)
		}
		for _, tile := range want {
			if !tile.Within(size) {
				t.Fatalf("%s is not within %d", tile.Path(), size)
			}
			if tile.Width++; tile.Within(size) {
				t.Fatalf("%s is within %d", tile.Path(), size)
			}
		}
	})
}

func FuzzParseTilePath(f *testing.F) {
	for _, s := range []string{"tile/0/000", "tile/0/x001/067.p/5", "tile/1/x001/x000/000.p/112", "tile/entries/x001/000.p/255", "tile/63/000", "tile/0/x001.p/5/000"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		if tile, err := tlog.ParseTilePath(path); err == nil {
			if tile.Path() != path || tile.Level < 0 || tile.Level > 63 || tile.Index < 0 || tile.Width < 1 || tile.Width > 256 {
				t.Errorf("%q gives %+v", path, tile)
			}
		} else if !errors.Is(err, tlog.ErrMalformed) {
			t.Errorf("%q: %v", path, err)
		}
		if index, width, err := tlog.ParseEntriesPath(path); err == nil && tlog.EntriesPath(index, width) != path {
			t.Errorf("%q gives %d, %d", path, index, width)
		}
	})
}
