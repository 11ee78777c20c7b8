package hamming

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"

	"concert/internal/durable"
)

// Entry is one hash in the index.
type Entry struct {
	ID   uint64 // the caller's, each once; adding it again puts the new hash and bank in the place of the old
	Bank uint32
	Hash Hash
}

// Match is an entry within the radius of a query.
type Match struct {
	ID       uint64
	Bank     uint32
	Distance int // bits that differ
}

// Compare orders matches as every search returns them: by distance, then by id.
func (m Match) Compare(o Match) int {
	return cmp.Or(cmp.Compare(m.Distance, o.Distance), cmp.Compare(m.ID, o.ID))
}

// Batch is what one call of Apply changes: removals first, then additions.
type Batch struct {
	Remove []uint64
	Add    []Entry
	// Upto is a number of the caller's that grows from batch to batch, such as that of the last row of the database which the
	// batch brings in. 0 says nothing. See Index.Upto.
	Upto uint64
}

// Radii is how far a search looks, by bank: 0 to MaxRadius bits inclusive, or -1 for not at all.
type Radii struct {
	Other int            // for banks that are not named
	Banks map[uint32]int // by bank
}

func (r *Radii) of(bank uint32) int {
	if radius, named := r.Banks[bank]; named {
		return radius
	}
	return r.Other
}

// widest is the widest radius of all, or an error for one that cannot be.
func (r *Radii) widest() (int, error) {
	widest := r.Other
	for _, radius := range r.Banks {
		widest = max(widest, radius)
		if radius < -1 {
			widest = MaxRadius + 1
		}
	}
	if widest > MaxRadius || r.Other < -1 {
		return 0, fmt.Errorf("a search radius is none of -1 to %d bits", MaxRadius)
	}
	return widest, nil
}

// Options are how an index is opened.
type Options struct {
	// Source names the database whose content the files hold. Files of another source are refused.
	Source [16]byte
	// Mapped leaves the segments of the directory mapped for good. Otherwise a mapped segment answers from the first moment
	// on, and is read into memory on huge pages behind the scenes, which about doubles the speed. Segments that this process
	// builds are in memory in any case.
	Mapped bool

	memtable int    // records of a memtable, for tests; 0 is sealAt
	level    level  // highest level to use plus one, for tests; 0 is the machine's
	between  func() // called between any two operations on files, for tests
	loadNow  int64  // segments up to this size are read when opened, for tests; 0 is loadAtOpen
}

// ErrClosed is what every call says after Close.
var ErrClosed = errors.New("the index is closed")

// DamagedError refuses a file of the index by name.
type DamagedError struct {
	Path string
	Err  error // what is wrong with it
}

// Error names the file, what is wrong, and the way out.
func (e *DamagedError) Error() string {
	return fmt.Sprintf("index file %s: %v; nothing is lost, since the index is made from the database: clear it and build it again (concert match rebuild)", e.Path, e.Err)
}

// Unwrap returns what is wrong with the file.
func (e *DamagedError) Unwrap() error { return e.Err }

// Index finds all hashes within a distance of one. Any number of goroutines may search, add and remove at once; searches never
// wait for anybody.
type Index struct {
	dir      string
	options  Options
	lock     *durable.Lock
	level    level
	shuffles *shuffles
	pool     sync.Pool

	now     atomic.Pointer[snapshot]
	damaged atomic.Pointer[DamagedError]

	write   sync.Mutex // one batch at a time
	merging sync.Mutex // one change of old segments at a time
	files   sync.Mutex // one change of the manifest at a time, and of the segments with it
	mu      sync.Mutex // what follows, and the publishing of snapshots; held for moments only
	changed *sync.Cond // on mu: frozen memtables, segments, closing
	applied uint64
	kept    uint64 // upto of what the manifest names
	number  uint64 // of the last file that was begun
	begun   map[string]bool
	trouble error
	closing bool
	stop    context.CancelFunc
	workers sync.WaitGroup
}

// snapshot is what a search sees: never changed but for the active memtable's length.
type snapshot struct {
	segments []*segment  // oldest first
	frozen   []*memtable // full ones that become segments, oldest first
	active   *memtable
	refs     atomic.Int64
}

func newSnapshot(segments []*segment, frozen []*memtable, active *memtable) *snapshot {
	s := &snapshot{segments: segments, frozen: frozen, active: active}
	for _, seg := range segments {
		seg.retain()
	}
	s.refs.Store(1)
	return s
}

func (s *snapshot) retain() bool {
	for {
		n := s.refs.Load()
		if n == 0 {
			return false
		}
		if s.refs.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (s *snapshot) release() {
	if s.refs.Add(-1) == 0 {
		for _, seg := range s.segments {
			seg.release()
		}
	}
}

// acquire is the index as it is now; nil once it is closed.
func (x *Index) acquire() *snapshot {
	for {
		s := x.now.Load()
		if s == nil || s.retain() {
			return s
		}
	}
}

// publish puts a new snapshot in the place of the old. The caller holds mu, or is alone.
func (x *Index) publish(s *snapshot) {
	if old := x.now.Swap(s); old != nil {
		old.release()
	}
	x.changed.Broadcast()
}

// Search appends to dst every entry within radius bits of q, 0 to MaxRadius inclusive, ordered by distance and id. It looks at
// the index as of one moment: whatever was added before the call is found, whatever was removed is not. For what may have
// a great many matches see SearchPage.
func (x *Index) Search(dst []Match, q Hash, radius int) ([]Match, error) {
	return x.SearchBanks(dst, q, Radii{Other: radius})
}

// SearchBanks is Search with a radius for each bank.
func (x *Index) SearchBanks(dst []Match, q Hash, radii Radii) ([]Match, error) {
	out, err := x.SearchBatch([][]Match{dst}, []Hash{q}, radii)
	return out[0], err
}

// SearchBatch is SearchBanks for many hashes at the same moment of the index, such as the eight orientations of an image.
// The matches of qs[i] are appended to dst[i]; dst may be shorter than qs.
func (x *Index) SearchBatch(dst [][]Match, qs []Hash, radii Radii) ([][]Match, error) {
	for len(dst) < len(qs) {
		dst = append(dst, nil)
	}
	err := x.each(qs, radii, func(i int, m Match) { dst[i] = append(dst[i], m) }, func(i, before int) {
		slices.SortFunc(dst[i][before:], Match.Compare)
	}, func(i int) int { return len(dst[i]) })
	return dst, err
}

// SearchPage returns the first limit matches of SearchBanks that come after the given one (the last of the page before; nil
// for the first page), and whether there are more. It holds no more than about three times limit in memory, however many there are.
func (x *Index) SearchPage(q Hash, radii Radii, after *Match, limit int) (page []Match, more bool, err error) {
	if limit < 1 {
		return nil, false, errors.New("a page has at least one match: ask for a limit of 1 or more")
	}
	trim := func() {
		slices.SortFunc(page, Match.Compare)
		if len(page) > limit {
			page, more = page[:limit], true
		}
	}
	err = x.each([]Hash{q}, radii, func(_ int, m Match) {
		if after != nil && m.Compare(*after) <= 0 {
			return
		}
		if page = append(page, m); len(page) >= 3*limit {
			trim()
		}
	}, func(int, int) { trim() }, func(int) int { return 0 })
	return page, more, err
}

// each runs the queries on one snapshot: emit for every match, done after each query with what begin said before it.
func (x *Index) each(qs []Hash, radii Radii, emit func(i int, m Match), done func(i, before int), begin func(i int) int) (err error) {
	widest, err := radii.widest()
	if err != nil {
		return err
	}
	s := x.acquire()
	if s == nil {
		return ErrClosed
	}
	defer s.release()
	if d := x.damaged.Load(); d != nil {
		return d
	}
	if widest < 0 {
		return nil
	}
	sc := x.pool.Get().(*scratch)
	defer x.pool.Put(sc)
	for i := range qs {
		before := begin(i)
		err := x.visit(s, sc, x.shuffles.apply(&qs[i]), widest, func(m Match) {
			if m.Distance <= radii.of(m.Bank) {
				emit(i, m)
			}
		})
		if err != nil {
			return err
		}
		done(i, before)
	}
	return nil
}

// visit gives every live match of a snapshot, in no order. Reading a mapped segment may fail as any reading does, which the
// kernel tells by a signal: that becomes an error here instead of the end of the process.
func (x *Index) visit(s *snapshot, sc *scratch, q words, radius int, emit func(Match)) (err error) {
	if slices.ContainsFunc(s.segments, func(seg *segment) bool { return seg.file != nil }) {
		old := debug.SetPanicOnFault(true)
		defer func() {
			debug.SetPanicOnFault(old)
			if r := recover(); r != nil {
				err = x.fault(s, r)
			}
		}()
	}
	x.walk(s, sc, q, radius, emit)
	return nil
}

// fault turns a reading that failed into the refusal of its file; any other panic goes on.
func (x *Index) fault(s *snapshot, panicked any) error {
	if f, ok := panicked.(interface{ Addr() uintptr }); ok {
		for _, seg := range s.segments {
			if seg.file != nil && f.Addr()-uintptr(unsafe.Pointer(&seg.mem.whole[0])) < uintptr(len(seg.mem.whole)) {
				return x.refuse(seg.path(x.dir), errors.New("it could not be read while it was mapped (was it cut short, or does the disk fail?)"))
			}
		}
	}
	panic(panicked)
}

func (x *Index) walk(s *snapshot, sc *scratch, q words, radius int, emit func(Match)) {
	length := s.active.length.Load()
	// An entry lives unless something newer knows its id.
	newer := func(id uint64, segments []*segment, frozen []*memtable) bool {
		if s.active.newest(id, length) != noRecord {
			return true
		}
		for _, m := range frozen {
			if m.newest(id, m.length.Load()) != noRecord {
				return true
			}
		}
		return slices.ContainsFunc(segments, func(seg *segment) bool { return seg.knows(id) })
	}
	for i, seg := range s.segments {
		seg.search(sc, x.level, q, radius, nil, func(row, distance int) {
			if id := seg.id(row); !newer(id, s.segments[i+1:], s.frozen) {
				emit(Match{ID: id, Bank: seg.bank(row), Distance: distance})
			}
		})
	}
	for i, m := range s.frozen {
		m.search(sc, x.level, q, radius, m.length.Load(), func(record uint32, distance int) {
			if id := m.ids[record]; !newer(id, nil, s.frozen[i+1:]) {
				emit(Match{ID: id, Bank: m.banks[record], Distance: distance})
			}
		})
	}
	s.active.search(sc, x.level, q, radius, length, func(record uint32, distance int) {
		emit(Match{ID: s.active.ids[record], Bank: s.active.banks[record], Distance: distance})
	})
}

// refuse makes every search from now on say that a file is damaged.
func (x *Index) refuse(path string, why error) error {
	d := &DamagedError{path, why}
	x.damaged.CompareAndSwap(nil, d)
	return d
}

// Add is Apply for additions.
func (x *Index) Add(upto uint64, entries ...Entry) error {
	return x.Apply(Batch{Add: entries, Upto: upto})
}

// Remove is Apply for removals. An id that is not there is no error.
func (x *Index) Remove(upto uint64, ids ...uint64) error {
	return x.Apply(Batch{Remove: ids, Upto: upto})
}

// Apply changes the index in memory; the next search sees it. It does not wait for a disk: what is not yet in a file is lost
// when the process dies, and the caller gives it again, from Upto on. It waits only where memory fills faster than segments
// are made of it; for a first filling take Rebuild.
func (x *Index) Apply(b Batch) error {
	x.write.Lock()
	defer x.write.Unlock()
	var none words
	for _, id := range b.Remove {
		if err := x.record(id, 0, &none, true); err != nil {
			return err
		}
	}
	for i := range b.Add {
		e := &b.Add[i]
		h := x.shuffles.apply(&e.Hash)
		if err := x.record(e.ID, e.Bank, &h, false); err != nil {
			return err
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closing {
		return ErrClosed
	}
	x.applied = max(x.applied, b.Upto)
	x.now.Load().active.upto = x.applied
	return nil
}

// maxFrozen is how many memtables may wait to become segments.
const maxFrozen = 8

// record appends to the active memtable; the caller holds write.
func (x *Index) record(id uint64, bank uint32, h *words, removed bool) error {
	s := x.now.Load()
	if s == nil {
		return ErrClosed
	}
	if s.active.full() {
		x.mu.Lock()
		defer x.mu.Unlock()
		for !x.closing && len(x.now.Load().frozen) >= maxFrozen {
			x.changed.Wait()
		}
		if x.closing {
			return ErrClosed
		}
		x.freeze()
		s = x.now.Load()
	}
	s.active.append(id, bank, h, removed)
	return nil
}

// freeze puts an empty memtable in the place of the active one. The caller holds write and mu.
func (x *Index) freeze() {
	s := x.now.Load()
	if s.active.length.Load() == 0 {
		return
	}
	x.publish(newSnapshot(s.segments, append(slices.Clip(s.frozen), s.active), newMemtable(x.options.memtable, s.active.upto)))
}

// Upto is the highest Batch.Upto such that it and all before it are in the index's files, and so will be after the next Open.
// An index in memory only has no files: there it is the last one applied.
func (x *Index) Upto() uint64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.dir == "" {
		return x.applied
	}
	return x.kept
}

// Err is what last went wrong behind the scenes, or nil: a *DamagedError, or a file that could not be written. With the latter
// the index goes on from memory and tries again with its next file.
func (x *Index) Err() error {
	if d := x.damaged.Load(); d != nil {
		return d
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.trouble
}

// Stats is the size of an index.
type Stats struct {
	Rows     int // in segments, with what newer parts replace or remove
	Segments int
	Waiting  int   // records in memory that are not yet in a segment
	Bytes    int64 // of segments and memtables
	Mapped   int   // segments that are read from their files
}

// Stats tells the size of the index as it is now.
func (x *Index) Stats() (st Stats) {
	s := x.acquire()
	if s == nil {
		return st
	}
	defer s.release()
	st.Segments = len(s.segments)
	for _, seg := range s.segments {
		st.Rows += seg.rows
		st.Bytes += int64(len(seg.mem.data))
		if seg.file != nil {
			st.Mapped++
		}
	}
	for _, m := range append(slices.Clip(s.frozen), s.active) {
		st.Waiting += int(m.length.Load())
		st.Bytes += m.bytes()
	}
	return st
}
