package tlog

import (
	"bytes"
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"
)

// maxFaults bounds the list of tiles in a [Report].
const maxFaults = 100

// Auditor recomputes a log from its commitments, one after the other in the
// order of the log, and compares with what was stored and signed. It keeps one
// tile a level in memory, whatever the size of the log. Make one with
// [NewAuditor]; it is for one goroutine.
type Auditor struct {
	read   ReadTile
	heads  []Head // by size; those before next are decided
	next   int
	size   int64 // of the largest head: what the stored tiles hold
	edge   edge
	stored storedTile // the stored tile of level 0 that the next leaf lies in
	report Report
}

// storedTile is one stored tile, read at most once.
type storedTile struct {
	id   TileID
	data []byte // nil when the tile could not be read
	err  error
	read bool
}

// Report is the result of an audit.
type Report struct {
	// Size and Root are the head recomputed from the commitments, up to the
	// largest head to compare with (all of them when there is none).
	Size int64
	Root Hash
	// Beyond counts commitments after the largest head: recorded, but not yet
	// under a signature.
	Beyond int64
	// FirstBad is the index of the first leaf that is changed or missing:
	// whose commitment was missing or did not give the stored leaf hash. It is
	// -1 if there is none, or if there were no stored tiles to tell.
	FirstBad int64
	// Bad counts such leaves, Missing those of them that had no commitment.
	Bad, Missing int64
	// Tiles lists stored tiles that could not be read or differ from what the
	// commitments give: the first hundred of BadTiles.
	Tiles    []TileFault
	BadTiles int
	// Heads lists the given heads that the commitments do not give.
	Heads []HeadFault
	// Agreed is the largest head that the commitments do give before the first
	// that they do not; Empty when there is none.
	Agreed Head
}

// TileFault is a stored tile that an audit refuses. Err is the reason it could
// not be read, or nil when it was read and its hashes differ.
type TileFault struct {
	TileID
	Err error
}

// HeadFault is a head that the commitments do not give. Got is the root that
// they give at Head.Size, or the zero hash when there are fewer commitments.
type HeadFault struct {
	Head
	Got Hash
}

// NewAuditor starts an audit against heads: those of the signed checkpoints at
// hand, in any order, the one that the stored tiles belong to being the
// largest. read gives the stored tiles of that largest head; nil means that
// there are none, and then only roots are compared.
func NewAuditor(read ReadTile, heads ...Head) *Auditor {
	a := &Auditor{read: read, heads: slices.Clone(heads)}
	slices.SortFunc(a.heads, func(x, y Head) int {
		return cmp.Or(cmp.Compare(x.Size, y.Size), bytes.Compare(x.Root[:], y.Root[:]))
	})
	a.report.FirstBad = -1
	a.report.Agreed = Empty()
	if n := len(a.heads); n > 0 {
		a.size = a.heads[n-1].Size
	}
	a.reached()
	return a
}

// Add takes the commitment of the next leaf.
func (a *Auditor) Add(commitment Hash) {
	if len(a.heads) > 0 && a.edge.size >= a.size {
		a.report.Beyond++
		return
	}
	a.push(LeafHash(commitment))
}

// AddMissing says that the commitment of the next leaf cannot be had, as when
// its record was deleted. The leaf counts as bad. Its stored hash takes its
// place, so that the leaves after it are still judged one by one.
func (a *Auditor) AddMissing() {
	if len(a.heads) > 0 && a.edge.size >= a.size {
		a.report.Beyond++
		return
	}
	a.bad(a.edge.size, 1)
	a.report.Missing++
	var hash Hash
	if data := a.leafTile().data; data != nil {
		hash = Hash(data[a.edge.size%TileWidth*HashSize:])
	}
	a.push(hash)
}

// Finish compares what is left and returns the report. The auditor must not
// be used afterwards.
func (a *Auditor) Finish() Report {
	for level, data := range a.edge.levels {
		index := a.edge.size >> (TileHeight * level) / TileWidth
		if len(data) > 0 {
			a.compare(Tile{TileID: TileID{Level: level, Index: index, Width: len(data) / HashSize}, Data: data})
		}
	}
	for _, h := range a.heads[a.next:] {
		a.report.Heads = append(a.report.Heads, HeadFault{Head: h})
	}
	if missing := a.size - a.edge.size; missing > 0 {
		a.bad(a.edge.size, missing)
		a.report.Missing += missing
	}
	a.report.Size, a.report.Root = a.edge.size, a.edge.root()
	return a.report
}

// Audit runs an [Auditor] over a sequence of commitments in the order of the
// log. It stops at the first error of the sequence and returns it with the
// leaf's index.
func Audit(commitments iter.Seq2[Hash, error], read ReadTile, heads ...Head) (Report, error) {
	a := NewAuditor(read, heads...)
	for c, err := range commitments {
		if err != nil {
			return Report{}, fmt.Errorf("audit: commitment of leaf %d: %w", a.edge.size+a.report.Beyond, err)
		}
		a.Add(c)
	}
	return a.Finish(), nil
}

func (a *Auditor) push(leaf Hash) {
	a.edge.push(leaf, a.compare)
	a.reached()
}

// reached decides the heads whose size the recomputed tree has now.
func (a *Auditor) reached() {
	for a.next < len(a.heads) && a.heads[a.next].Size == a.edge.size {
		head := a.heads[a.next]
		a.next++
		if root := a.edge.root(); root != head.Root {
			a.report.Heads = append(a.report.Heads, HeadFault{Head: head, Got: root})
		} else if len(a.report.Heads) == 0 {
			a.report.Agreed = head
		}
	}
}

// leafTile returns the stored tile of level 0 that the next leaf lies in.
func (a *Auditor) leafTile() *storedTile {
	if id := tileIn(a.size, 0, a.edge.size/TileWidth); !a.stored.read || a.stored.id != id {
		a.stored = a.load(id)
	}
	return &a.stored
}

func (a *Auditor) load(id TileID) storedTile {
	s := storedTile{id: id, read: true}
	if a.read != nil && len(a.heads) > 0 && id.Width > 0 {
		s.data, s.err = readTile(id, a.read)
	}
	return s
}

// compare holds a recomputed tile, which may be narrower than the stored one
// when commitments are missing at the end, against the stored one.
func (a *Auditor) compare(t Tile) {
	id := tileIn(a.size, t.Level, t.Index)
	s := a.stored
	if !s.read || s.id != id {
		s = a.load(id)
	}
	if s.err != nil {
		a.fault(TileFault{TileID: id, Err: s.err})
		return
	}
	if s.data == nil || bytes.Equal(s.data, t.Data) {
		return
	}
	n := min(len(s.data), len(t.Data))
	if bytes.Equal(s.data[:n], t.Data[:n]) {
		return
	}
	a.fault(TileFault{TileID: id})
	if t.Level > 0 {
		return
	}
	for i := 0; i < n; i += HashSize {
		if !bytes.Equal(s.data[i:i+HashSize], t.Data[i:i+HashSize]) {
			a.bad(t.Index*TileWidth+int64(i/HashSize), 1)
		}
	}
}

func (a *Auditor) fault(f TileFault) {
	a.report.BadTiles++
	if len(a.report.Tiles) < maxFaults {
		a.report.Tiles = append(a.report.Tiles, f)
	}
}

func (a *Auditor) bad(index, count int64) {
	a.report.Bad += count
	// A missing leaf is known at once, a changed one only with its tile, so
	// the smallest index may come late.
	if a.report.FirstBad < 0 || index < a.report.FirstBad {
		a.report.FirstBad = index
	}
}

// Err returns nil if every head, tile and leaf agreed, otherwise an
// [ErrAltered] that names the first bad leaf, its tile and what to do.
func (r Report) Err() error {
	if len(r.Heads) == 0 && r.Bad == 0 && r.BadTiles == 0 {
		return nil
	}
	var parts []string
	if len(r.Heads) > 0 {
		h := r.Heads[0]
		if h.Got == (Hash{}) {
			parts = append(parts, fmt.Sprintf("the checkpoint of size %d cannot be reached with %d commitments", h.Size, r.Size))
		} else {
			parts = append(parts, fmt.Sprintf("the checkpoint of size %d has root %s, the commitments give %s", h.Size, base64Hash(h.Root), base64Hash(h.Got)))
		}
	}
	switch {
	case r.FirstBad >= 0 && (r.Missing > 0 || len(r.Heads) > 0):
		parts = append(parts, fmt.Sprintf("leaf %d in %s is the first changed or missing (%d in all, %d missing); compare its event with a backup", r.FirstBad, tileOf(r.FirstBad), r.Bad, r.Missing))
	case r.FirstBad >= 0:
		// The commitments give every signed root, so they are what was signed.
		parts = append(parts, fmt.Sprintf("the stored hash of leaf %d in %s was changed, the first of %d; the commitments still give the signed root, so rebuild the tiles from them", r.FirstBad, tileOf(r.FirstBad), r.Bad))
	case len(r.Heads) > 0:
		parts = append(parts, fmt.Sprintf("no stored leaf tells where; the change lies from leaf %d on, and the tiles were changed with it or not given", r.Agreed.Size))
	}
	if r.BadTiles > 0 {
		t := r.Tiles[0]
		why := "differs from the commitments"
		if t.Err != nil {
			why = t.Err.Error()
		}
		parts = append(parts, fmt.Sprintf("%d tiles do not agree, first %s: %s", r.BadTiles, t.Path(), why))
	}
	return fmt.Errorf("%w: %s", ErrAltered, strings.Join(parts, "; "))
}

// tileOf names the full tile of level 0 that a leaf lies in.
func tileOf(leaf int64) string {
	return TileID{Index: leaf / TileWidth, Width: TileWidth}.Path()
}
