package hamming

import (
	"cmp"
	"context"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"
)

func open(t testing.TB, dir string, o Options) *Index {
	t.Helper()
	x, err := Open(dir, o)
	x = must(t, x, err)
	t.Cleanup(func() { _ = x.Close() }) // a test may have closed it
	return x
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func randomHash(r *rand.Rand) (h Hash) {
	for i := range 4 {
		binary.LittleEndian.PutUint64(h[8*i:], r.Uint64())
	}
	return h
}

// flip changes n different bits.
func flip(r *rand.Rand, h Hash, n int) Hash {
	for _, bit := range r.Perm(256)[:n] {
		h[bit/8] ^= 1 << (bit % 8)
	}
	return h
}

func hashDistance(a, b Hash) int {
	var x, y words
	for i := range 4 {
		x[i], y[i] = binary.LittleEndian.Uint64(a[8*i:]), binary.LittleEndian.Uint64(b[8*i:])
	}
	return distance(&x, &y)
}

// naive is the model: a map.
type naive map[uint64]Entry

func (n naive) search(q Hash, radii Radii) (out []Match) {
	for _, e := range n {
		if d := hashDistance(e.Hash, q); d <= radii.of(e.Bank) {
			out = append(out, Match{e.ID, e.Bank, d})
		}
	}
	slices.SortFunc(out, Match.Compare)
	return out
}

func levels() (all []level) {
	for l := levelGo; l <= bestLevel(); l++ {
		all = append(all, l)
	}
	return all
}

// Whatever is added, removed, sealed, merged, built again and opened again, in whatever order: a search gives what the map gives.
func TestIndexIsTheMap(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	rapid.Check(t, func(rt *rapid.T) {
		dir := ""
		if rapid.Bool().Draw(rt, "files") {
			dir = t.TempDir()
		}
		o := Options{memtable: 32, level: 1 + rapid.SampledFrom(levels()).Draw(rt, "level"), loadNow: rapid.SampledFrom([]int64{1, 0}).Draw(rt, "load"), Mapped: rapid.Bool().Draw(rt, "mapped")}
		x, err := Open(dir, o)
		ok(t, err)
		defer func() { ok(t, x.Close()) }()
		model, upto := naive{}, uint64(0)
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 2))
		// Hashes lie around few centres, so that clusters, duplicates and near ones occur.
		centres := []Hash{{}, randomHash(r), randomHash(r)}
		for range rapid.IntRange(5, 25).Draw(rt, "steps") {
			upto++
			switch rapid.SampledFrom([]string{"add", "add", "add", "remove", "flush", "compact", "rebuild", "open", "search", "search"}).Draw(rt, "step") {
			case "add":
				var b Batch
				for range r.IntN(50) + 1 {
					e := Entry{ID: 1000 + uint64(r.IntN(200)), Bank: uint32(r.IntN(3)), Hash: flip(r, centres[r.IntN(3)], r.IntN(3)*r.IntN(30))}
					if r.IntN(100) == 0 {
						e.ID = 1 << 60
					}
					b.Add, model[e.ID] = append(b.Add, e), e
				}
				b.Upto = upto
				ok(t, x.Apply(b))
			case "remove":
				ids := []uint64{1000 + uint64(r.IntN(200)), 1000 + uint64(r.IntN(200)), 7}
				for _, id := range ids {
					delete(model, id)
				}
				ok(t, x.Remove(upto, ids...))
			case "flush":
				ok(t, x.Flush(ctx))
				if dir != "" && x.Upto() != x.applied {
					rt.Fatalf("upto %d, applied %d", x.Upto(), x.applied)
				}
			case "compact":
				ok(t, x.Compact(ctx))
			case "rebuild":
				ok(t, x.Rebuild(ctx, upto, func(yield func(Entry, error) bool) {
					for _, e := range model {
						if !yield(e, nil) {
							return
						}
					}
				}))
			case "open":
				if dir != "" {
					ok(t, x.Close())
					x, err = Open(dir, o)
					ok(t, err)
				}
			case "search":
				q := flip(r, centres[r.IntN(3)], r.IntN(40))
				radii := Radii{Other: r.IntN(MaxRadius+2) - 1, Banks: map[uint32]int{1: r.IntN(MaxRadius+2) - 1}}
				got, err := x.SearchBanks(nil, q, radii)
				ok(t, err)
				if want := model.search(q, radii); !slices.Equal(got, want) {
					rt.Fatalf("radii %v: got %v, want %v", radii, got, want)
				}
				var paged []Match
				var last *Match
				for more := true; more; {
					var page []Match
					page, more, err = x.SearchPage(q, radii, last, 7)
					ok(t, err)
					if paged = append(paged, page...); more {
						last = &page[len(page)-1]
					}
				}
				if !slices.Equal(got, paged) {
					rt.Fatalf("pages give %v instead of %v", paged, got)
				}
			}
		}
	})
}

func TestHundredThousandPlantedPairsAreFound(t *testing.T) {
	t.Parallel()
	x := open(t, "", Options{})
	r := rand.New(rand.NewPCG(5, 5))
	hashes := make([]Hash, pairs)
	entries := make([]Entry, pairs)
	for i := range hashes {
		hashes[i] = randomHash(r)
		entries[i] = Entry{ID: uint64(i), Hash: hashes[i]}
	}
	ok(t, x.Add(1, entries...))
	for i := range hashes {
		if i == len(hashes)/2 {
			ok(t, x.Compact(context.Background())) // from memtables, segments and their merge
		}
		away := i % 32
		got, err := x.Search(nil, flip(r, hashes[i], away), 31)
		if err != nil || !slices.Contains(got, Match{ID: uint64(i), Distance: away}) {
			t.Fatalf("pair %d at distance %d: found %v, %v", i, away, got, err)
		}
	}
}

// The cases at which peers fail: FAISS finds nothing in an index of 1, 2, 4 or 8 equal hashes once it was saved.
func TestFewEqualHashesAreFoundAfterSaving(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(6, 6))
	for _, n := range []int{1, 2, 4, 8, most / 4} {
		for _, h := range []Hash{{}, randomHash(r)} {
			dir := t.TempDir()
			x := open(t, dir, Options{})
			var entries []Entry
			for i := range n {
				entries = append(entries, Entry{ID: uint64(i + 1), Bank: uint32(i % 2), Hash: h})
			}
			ok(t, x.Add(9, entries...))
			ok(t, x.Close())
			x = open(t, dir, Options{})
			if x.Upto() != 9 {
				t.Fatalf("upto %d", x.Upto())
			}
			for _, radius := range []int{0, 31, 32, 64} {
				got, err := x.Search(nil, flip(r, h, radius), radius)
				if err != nil || len(got) != n || got[0] != (Match{1, 0, radius}) || got[n-1].ID != uint64(n) {
					t.Fatalf("%d equal hashes, radius %d: %d found, %v", n, radius, len(got), err)
				}
				if radius == 64 {
					continue
				}
				if got, err := x.Search(nil, flip(r, h, radius+1), radius); err != nil || len(got) != 0 {
					t.Fatalf("%d equal hashes, radius %d: %d found one bit beyond, %v", n, radius, len(got), err)
				}
			}
		}
	}
}

func TestRadiusHasLimits(t *testing.T) {
	t.Parallel()
	x := open(t, "", Options{})
	for _, radius := range []int{-2, 65, 1 << 20} {
		if _, err := x.Search(nil, Hash{}, radius); err == nil {
			t.Errorf("radius %d is taken", radius)
		}
		if _, err := x.SearchBanks(nil, Hash{}, Radii{Banks: map[uint32]int{1: radius}}); err == nil {
			t.Errorf("radius %d of a bank is taken", radius)
		}
	}
	if _, _, err := x.SearchPage(Hash{}, Radii{}, nil, 0); err == nil {
		t.Error("a page of nothing is taken")
	}
}

func TestLatestWins(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	r := rand.New(rand.NewPCG(8, 8))
	a, b := randomHash(r), randomHash(r)
	for name, between := range map[string]func(*Index) error{
		"in memory": func(*Index) error { return nil }, "flushed": func(x *Index) error { return x.Flush(ctx) }, "compacted": func(x *Index) error { return x.Compact(ctx) },
	} {
		x := open(t, "", Options{})
		finds := func(h Hash, want ...Match) {
			t.Helper()
			if got, err := x.Search(nil, h, 31); err != nil || !slices.Equal(got, want) {
				t.Errorf("%s: got %v, %v, want %v", name, got, err, want)
			}
			ok(t, between(x))
			if got, err := x.Search(nil, h, 31); err != nil || !slices.Equal(got, want) {
				t.Errorf("%s, after it: got %v, %v, want %v", name, got, err, want)
			}
		}
		ok(t, x.Add(1, Entry{1, 1, a}, Entry{1, 2, b}, Entry{2, 0, a}))
		finds(a, Match{2, 0, 0})
		finds(b, Match{1, 2, 0})
		ok(t, x.Remove(2, 1, 3))
		finds(b)
		ok(t, x.Add(3, Entry{1, 5, a}))
		finds(a, Match{1, 5, 0}, Match{2, 0, 0})
		ok(t, x.Apply(Batch{Remove: []uint64{2, 1}, Add: []Entry{{1, 6, b}}}))
		finds(a)
		finds(b, Match{1, 6, 0})
	}
}

// Searches, additions and removals at once: what was added before a search began and not removed until it ended is found,
// and nothing is found that was never added.
func TestSearchesGoOnWhileOthersWrite(t *testing.T) {
	t.Parallel()
	x := open(t, t.TempDir(), Options{memtable: 256})
	const writers, each = 2, 3000
	r := rand.New(rand.NewPCG(9, 9))
	hashes := make([]Hash, writers*each)
	for i := range hashes {
		hashes[i] = randomHash(r)
	}
	var there, gone [writers]atomic.Int64
	var all sync.WaitGroup
	finished := make(chan struct{})
	for w := range writers {
		all.Go(func() {
			for i := range each {
				id := w*each + i
				if err := x.Add(0, Entry{ID: uint64(id), Bank: uint32(w), Hash: hashes[id]}); err != nil {
					t.Error(err)
				}
				there[w].Store(int64(i + 1))
				if i%2 == 1 { // every second one goes again
					gone[w].Store(int64(i + 1))
					if err := x.Remove(0, uint64(id)); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	var readers sync.WaitGroup
	for n := range 2 {
		readers.Go(func() {
			r := rand.New(rand.NewPCG(10, uint64(n)))
			for {
				select {
				case <-finished:
					return
				default:
				}
				w := r.IntN(writers)
				known := int(there[w].Load())
				if known < 2 {
					continue
				}
				i := r.IntN(known) &^ 1
				id := w*each + i
				got, err := x.Search(nil, flip(r, hashes[id], 20), 31)
				if err != nil || len(got) != 1 || got[0] != (Match{uint64(id), uint32(w), 20}) {
					t.Errorf("id %d: %v, %v", id, got, err)
					return
				}
				odd := w*each + i - 1
				if i > 0 && int(there[w].Load()) > i {
					if got, err := x.Search(nil, hashes[odd], 31); err != nil || len(got) != 0 {
						t.Errorf("removed id %d: %v, %v", odd, got, err)
						return
					}
				}
			}
		})
	}
	all.Wait()
	close(finished)
	readers.Wait()
	ok(t, x.Compact(context.Background()))
	if st := x.Stats(); st.Rows != writers*each/2 || st.Segments != 1 {
		t.Errorf("at the end: %+v", st)
	}
}

func TestMemtableScansFindTheSame(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(11, 11))
	m := newMemtable(1024, 0)
	centre := words{r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64()}
	var hashes []words
	for i := range 1000 {
		h := centre
		for _, bit := range r.Perm(256)[:i%256] {
			h[bit/64] ^= 1 << (bit % 64)
		}
		hashes = append(hashes, h)
		m.append(uint64(i), 0, &h, false)
		if m.hash(uint32(i)) != h {
			t.Fatalf("record %d does not give its hash back", i)
		}
	}
	for radius := 0; radius <= MaxRadius; radius++ {
		for _, length := range []uint32{0, 1, 15, 16, 17, 999, 1000} {
			var want []int
			for i := range hashes[:length] {
				if distance(&hashes[i], &centre) <= radius {
					want = append(want, i)
				}
			}
			for _, l := range levels() {
				var got []int
				m.search(new(scratch), l, centre, radius, length, func(record uint32, d int) {
					if d != distance(&hashes[record], &centre) {
						t.Errorf("%s: record %d at %d", l, record, d)
					}
					got = append(got, int(record))
				})
				if !slices.Equal(got, want) {
					t.Fatalf("%s, radius %d of %d: got %v, want %v", l, radius, length, got, want)
				}
			}
		}
	}
}

func TestPermutationIsThatOfVersion1(t *testing.T) {
	t.Parallel()
	p := permutation()
	sorted := slices.Sorted(slices.Values(p[:]))
	for i, to := range sorted {
		if int(to) != i {
			t.Fatalf("no bit goes to %d", i)
		}
	}
	if sum := checksum(p[:]); sum != 0xc933a815 {
		t.Errorf("the permutation has changed (checksum %#x): that is another version of the format", sum)
	}
	h := Hash{0: 1, 31: 0x80}
	w := readShuffles().apply(&h)
	want := words{}
	for _, to := range []uint8{p[0], p[255]} {
		want[to/64] |= 1 << (to % 64)
	}
	if w != want {
		t.Errorf("bits 0 and 255 go to %x, want %x", w, want)
	}
}

func TestPlansCoverTheirRadius(t *testing.T) {
	t.Parallel()
	for _, rows := range []int{5000, 200_000, 500_000, 1_000_000, 2_000_000, 10_000_000, 40_000_000} {
		bits := 0
		widths := widthsFor(rows)
		for _, w := range widths {
			bits += w
		}
		if bits > 256 || len(widths) > maxTables {
			t.Errorf("%d rows: %d bits in %d tables", rows, bits, len(widths))
		}
		for radius := range MaxRadius + 1 {
			p, steps := planFor(widths, rows, radius), 0
			for i := range widths {
				steps += int(p.flips[i]) + 1
			}
			if !p.scan && steps != radius+1 {
				t.Errorf("%d rows, radius %d: %d steps", rows, radius, steps)
			}
		}
	}
	m := readMasks()
	for width := range m {
		if got := len(m[width].all); got > 0 && width >= 4 && cmp.Compare(uint64(m[width].upTo[2]), 1+choose(width, 1)+choose(width, 2)) != 0 {
			t.Errorf("width %d: %d masks of two flips at most", width, m[width].upTo[2])
		}
	}
}

// idle waits until no memtable waits and no merge is due.
func idle(x *Index) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for s := x.now.Load(); len(s.frozen) > 0 || due(s.segments) != nil; s = x.now.Load() {
		x.changed.Wait()
	}
}

func TestRemovalOutlivesMergesOfNewerSegments(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	x := open(t, t.TempDir(), Options{memtable: 64})
	r := rand.New(rand.NewPCG(12, 12))
	var hashes []Hash
	for i := range 4000 {
		hashes = append(hashes, randomHash(r))
		ok(t, x.Add(0, Entry{ID: uint64(i), Hash: hashes[i]}))
	}
	ok(t, x.Compact(ctx))
	for i := range 3 {
		for j := range 20 {
			id := uint64(100*i + j)
			ok(t, x.Apply(Batch{Remove: []uint64{id}, Add: []Entry{{ID: 10_000 + id, Hash: hashes[id]}}}))
		}
		ok(t, x.Flush(ctx))
	}
	idle(x)
	if st := x.Stats(); st.Segments != 2 || st.Rows != 4060 {
		t.Fatalf("%+v: the newer segments should be one beside the old", st)
	}
	check := func() {
		t.Helper()
		for i := range 3 {
			id := uint64(100*i + 19)
			if got, err := x.Search(nil, hashes[id], 31); err != nil || !slices.Equal(got, []Match{{10_000 + id, 0, 0}}) {
				t.Errorf("id %d was removed: %v, %v", id, got, err)
			}
		}
	}
	check()
	ok(t, x.Compact(ctx))
	if st := x.Stats(); st.Segments != 1 || st.Rows != 4000 {
		t.Errorf("%+v: what was removed should be gone", st)
	}
	check()
}

// A search that took the length of the memtable before an id was added again sees the record that stood then.
func TestMemtableAsOfALength(t *testing.T) {
	t.Parallel()
	m := newMemtable(16, 0)
	var h words
	for i := range uint32(6) {
		m.append(uint64(i%2), 0, &h, i == 4)
	}
	for length, want := range []struct{ zero, one uint32 }{{noRecord, noRecord}, {0, noRecord}, {0, 1}, {2, 1}, {2, 3}, {4, 3}, {4, 5}} {
		if zero, one := m.newest(0, uint32(length)), m.newest(1, uint32(length)); zero != want.zero || one != want.one {
			t.Errorf("of %d records the newest are %d and %d, want %v", length, zero, one, want)
		}
	}
}

func TestWhatIsNotVerifiedIsNotMerged(t *testing.T) {
	t.Parallel()
	sized := func(rows int, mapped bool) *segment {
		s := &segment{view: &view{header: &header{rows: rows}}}
		if mapped {
			s.file = new(os.File)
		}
		return s
	}
	for name, c := range map[string]struct {
		segments []*segment
		want     int
	}{
		"none":                 {nil, 0},
		"one":                  {[]*segment{sized(10, false)}, 0},
		"far apart":            {[]*segment{sized(1000, false), sized(100, false), sized(10, false)}, 0},
		"equal":                {[]*segment{sized(1000, false), sized(10, false), sized(10, false)}, 2},
		"together an eighth":   {[]*segment{sized(1000, false), sized(110, false), sized(15, false)}, 3},
		"old not verified":     {[]*segment{sized(1000, true), sized(110, false), sized(15, false)}, 2},
		"newest not verified":  {[]*segment{sized(10, false), sized(10, true)}, 0},
		"none of them as well": {[]*segment{sized(10, true), sized(10, true)}, 0},
	} {
		if got := due(c.segments); len(got) != c.want {
			t.Errorf("%s: %d are merged, want %d", name, len(got), c.want)
		}
	}
}
