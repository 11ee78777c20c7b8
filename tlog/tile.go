package tlog

import (
	"fmt"
	"iter"
	"strconv"
	"strings"
)

const (
	// TileHeight is the number of tree levels in one tile.
	TileHeight = 8
	// TileWidth is the number of hashes in a full tile and of entries in a
	// full bundle.
	TileWidth = 1 << TileHeight

	// tileLevels is how many tile levels a tree of MaxSize leaves has.
	tileLevels = 8
	// maxPathLen bounds what the path parsers look at; the longest path of a
	// tree of MaxSize leaves is shorter.
	maxPathLen  = 64
	maxTileLeft = MaxSize >> TileHeight
)

// TileID addresses one tile as https://c2sp.org/tlog-tiles does.
type TileID struct {
	// Level counts tile levels from the leaves, 0 to 63. Level 0 holds leaf
	// hashes; each hash of level L+1 is the root of one full tile of level L.
	Level int
	// Index counts tiles of the level from the left, from 0.
	Index int64
	// Width is the number of hashes, 1 to 256; a tile of 256 is full, others
	// are partial and stand at the right edge only.
	Width int
}

// Tile is a tile with its data: Width hashes of 32 bytes, concatenated.
type Tile struct {
	TileID
	Data []byte
}

// ReadTile returns the stored data of a tile: its Width hashes of 32 bytes. A
// longer answer is fine and cut, since a wider tile begins with the same
// hashes; so one stored row for each (Level, Index) is enough. An error is
// passed on with the tile's path.
type ReadTile func(TileID) ([]byte, error)

// Path returns the tile's path below the log's prefix, such as
// "tile/0/x001/067.p/5" or "tile/1/000" for a full tile.
func (t TileID) Path() string {
	return "tile/" + strconv.Itoa(t.Level) + "/" + indexPath(t.Index, t.Width)
}

// Within reports whether the tile is well formed and lies wholly within a
// tree of the given size: the question a server asks before it answers.
func (t TileID) Within(size int64) bool {
	if t.Level < 0 || t.Level >= tileLevels || t.Index < 0 || t.Index > maxTileLeft || t.Width < 1 || t.Width > TileWidth {
		return false
	}
	return validSize(size) && t.Index*TileWidth+int64(t.Width) <= size>>(TileHeight*t.Level)
}

// ParseTilePath is the inverse of [TileID.Path]. It accepts exactly the paths
// that Path makes and refuses all others with [ErrMalformed].
func ParseTilePath(path string) (TileID, error) {
	bad := fmt.Errorf("tile path %.80q: %w: want tile/<level>/<index>[.p/<width>], such as tile/0/x001/067.p/5", path, ErrMalformed)
	rest, ok := strings.CutPrefix(path, "tile/")
	if !ok || len(path) > maxPathLen {
		return TileID{}, bad
	}
	level, rest, _ := strings.Cut(rest, "/")
	l, err := strconv.ParseUint(level, 10, 8)
	if err != nil || l > 63 {
		return TileID{}, bad
	}
	index, width, ok := parseIndexPath(rest)
	t := TileID{Level: int(l), Index: index, Width: width}
	if !ok || t.Path() != path {
		return TileID{}, bad
	}
	return t, nil
}

// EntriesPath returns the path of an entry bundle below the log's prefix, such
// as "tile/entries/x001/067.p/5". Index and width count as in [TileID]: bundle
// n holds the entries of tile n of level 0.
func EntriesPath(index int64, width int) string {
	return "tile/entries/" + indexPath(index, width)
}

// ParseEntriesPath is the inverse of [EntriesPath]; other paths are refused
// with [ErrMalformed].
func ParseEntriesPath(path string) (index int64, width int, err error) {
	rest, ok := strings.CutPrefix(path, "tile/entries/")
	if ok && len(path) <= maxPathLen {
		index, width, ok = parseIndexPath(rest)
	}
	if !ok || EntriesPath(index, width) != path {
		return 0, 0, fmt.Errorf("entries path %.80q: %w: want tile/entries/<index>[.p/<width>], such as tile/entries/x001/067.p/5", path, ErrMalformed)
	}
	return index, width, nil
}

// Tiles yields every tile of a tree of the given size, level by level from the
// leaves and from left to right. Level 0 also tells which entry bundles there
// are. A size out of range yields nothing.
func Tiles(size int64) iter.Seq[TileID] {
	return func(yield func(TileID) bool) {
		if !validSize(size) {
			return
		}
		for level := range tileLevels {
			hashes := size >> (TileHeight * level)
			for index := int64(0); index*TileWidth < hashes; index++ {
				if !yield(tileIn(size, level, index)) {
					return
				}
			}
		}
	}
}

// tileIn returns the tile at a place with the width it has in a tree of size
// leaves; Width is 0 where that tree has no such tile.
func tileIn(size int64, level int, index int64) TileID {
	width := size>>(TileHeight*level) - index*TileWidth
	return TileID{Level: level, Index: index, Width: int(min(max(width, 0), TileWidth))}
}

// readTile reads a tile and returns exactly 32*Width bytes.
func readTile(t TileID, read ReadTile) ([]byte, error) {
	data, err := read(t)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", t.Path(), err)
	}
	if want := t.Width * HashSize; len(data) < want || len(data)%HashSize != 0 {
		return nil, fmt.Errorf("%s: %w: it has %d bytes instead of %d; restore it from a backup, or rebuild it from the commitments", t.Path(), ErrCorrupt, len(data), want)
	}
	return data[:t.Width*HashSize], nil
}

// indexPath encodes n in zero-padded groups of three digits, all but the last
// marked with x, so that no directory holds more than 1,000 of each kind.
func indexPath(n int64, width int) string {
	s := fmt.Sprintf("%03d", n%1000)
	for n >= 1000 {
		n /= 1000
		s = fmt.Sprintf("x%03d/%s", n%1000, s)
	}
	if width != TileWidth {
		s += ".p/" + strconv.Itoa(width)
	}
	return s
}

// parseIndexPath reads what indexPath writes. It bounds the values but is lax
// in form: callers compare with the re-encoded path.
func parseIndexPath(s string) (n int64, width int, ok bool) {
	width = TileWidth
	if i := strings.Index(s, ".p/"); i >= 0 {
		w, err := strconv.ParseUint(s[i+len(".p/"):], 10, 16)
		if err != nil || w < 1 || w >= TileWidth {
			return 0, 0, false
		}
		s, width = s[:i], int(w)
	}
	for part := range strings.SplitSeq(s, "/") {
		d, err := strconv.ParseUint(strings.TrimPrefix(part, "x"), 10, 16)
		if err != nil || d > 999 {
			return 0, 0, false
		}
		if n = n*1000 + int64(d); n > maxTileLeft {
			return 0, 0, false
		}
	}
	return n, width, true
}
