package hamming

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"path/filepath"
	"slices"

	"concert/internal/durable"
)

// growth is how much larger than all newer ones a segment is left alone: an index has about log8(rows/65,536)+1 segments, and
// each entry is rewritten about eight times for each.
const growth = 8

// work starts what goes on behind the scenes; Close ends it. One goroutine makes segments of full memtables, one merges
// segments, one reads mapped ones.
func (x *Index) work() {
	ctx, stop := context.WithCancel(context.Background())
	x.stop = stop
	x.workers.Go(x.sealAll)
	x.workers.Go(x.mergeAll)
	x.workers.Go(func() { x.loadAll(ctx) })
}

// sealAll makes segments of frozen memtables until the index closes and none is left.
func (x *Index) sealAll() {
	for {
		x.mu.Lock()
		for !x.closing && len(x.now.Load().frozen) == 0 {
			x.changed.Wait()
		}
		s := x.now.Load()
		x.mu.Unlock()
		if len(s.frozen) == 0 {
			return
		}
		m := s.frozen[0] // this goroutine alone takes frozen ones away, so s keeps it whatever happens
		seg, err := build(m.content(x.options.Source))
		if err != nil {
			x.stumble(err)
			if !x.pause() {
				return
			}
			continue
		}
		x.save(seg)
		x.replace(nil, seg, m)
	}
}

// pause waits for the next change after memory could not be had; false if the index closes.
func (x *Index) pause() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.closing {
		x.changed.Wait()
	}
	return !x.closing
}

func (x *Index) stumble(err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.trouble = err
}

// content is what the full memtable m becomes: the newest record of each id.
func (m *memtable) content(source [16]byte) content {
	length := m.length.Load()
	c := content{source: source, upto: m.upto}
	var records []uint32
	for r := range length {
		switch {
		case m.newest(m.ids[r], length) != r:
		case m.removed[r]:
			c.removed = append(c.removed, m.ids[r])
		default:
			records = append(records, r)
		}
	}
	slices.Sort(c.removed)
	slices.SortFunc(records, func(a, b uint32) int {
		if m.ids[a] < m.ids[b] {
			return -1
		}
		return 1
	})
	c.rows = func(yield func(row) bool) {
		for _, r := range records {
			h := m.hash(r)
			if !yield(row{m.ids[r], m.banks[r], &h}) {
				return
			}
		}
	}
	return c
}

// save writes a segment to a file of its own. If that fails the segment has no name, the index goes on from memory, and the
// next change of the manifest tries again.
func (x *Index) save(seg *segment) {
	if x.dir == "" || seg.name != "" {
		return
	}
	x.mu.Lock()
	x.number++
	name := fmt.Sprintf("%016x.hamming", x.number)
	x.begun[name] = true
	x.mu.Unlock()
	p, err := durable.NewPending(filepath.Join(x.dir, name), 0o400)
	if err == nil {
		x.between()
		if _, err = p.Write(seg.mem.data); err == nil {
			err = p.Create()
		} else {
			err = errors.Join(err, p.Drop())
		}
	}
	if err != nil {
		x.stumble(err)
		x.settle(name)
		return
	}
	x.between()
	seg.name = name
}

// settle forgets that a file is being written.
func (x *Index) settle(name string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.begun, name)
}

// replace puts seg, which it takes over, in the place of the segments old, which stand side by side, or below all if there are
// none. What a memtable became goes on top instead, and the memtable goes, the oldest frozen one. The manifest is written
// before searches see the change: what Upto says is so after a crash, too.
func (x *Index) replace(old []*segment, seg *segment, became *memtable) {
	x.files.Lock()
	defer x.files.Unlock()
	segments := slices.Clone(x.now.Load().segments) // only who holds files changes them
	switch {
	case became != nil:
		segments = append(segments, seg)
	case len(old) == 0:
		segments = slices.Insert(segments, 0, seg)
	default:
		at := slices.Index(segments, old[0])
		segments = slices.Replace(segments, at, at+len(old), seg)
	}
	x.keep(segments)
	x.mu.Lock()
	s := x.now.Load()
	frozen := s.frozen
	if became != nil {
		frozen = frozen[1:]
	}
	x.publish(newSnapshot(segments, slices.Clone(frozen), s.active))
	x.mu.Unlock()
	seg.release() // the snapshot holds it now
}

// keep brings the files to what the segments are, as far as it can. The caller holds files.
func (x *Index) keep(segments []*segment) {
	if x.dir == "" {
		return
	}
	for _, s := range segments {
		x.save(s)
	}
	if err := x.writeManifest(segments); err != nil {
		x.stumble(err)
	}
}

// writeManifest names the segments as far as they have files, and removes files that it no longer names. The caller holds files.
func (x *Index) writeManifest(segments []*segment) error {
	m := manifest{source: x.options.Source}
	for _, s := range segments {
		if s.name == "" {
			break
		}
		m.upto = max(m.upto, s.upto)
		m.segments = append(m.segments, manifestLine{s.name, int64(s.rows), int64(len(s.mem.data))})
	}
	if err := durable.WriteFile(filepath.Join(x.dir, manifestName), m.text(), 0o600); err != nil {
		return err
	}
	x.between()
	x.mu.Lock()
	x.kept = m.upto
	for _, s := range m.segments {
		delete(x.begun, s.name)
	}
	if len(m.segments) == len(segments) {
		x.trouble = nil
	}
	x.mu.Unlock()
	return x.removeStrays(m)
}

// mergeAll merges segments whenever newer ones have grown to an eighth of an older one.
func (x *Index) mergeAll() {
	for {
		x.mu.Lock()
		for !x.closing && due(x.now.Load().segments) == nil {
			x.changed.Wait()
		}
		closing := x.closing
		x.mu.Unlock()
		if closing {
			return
		}
		if err := x.mergeDue(); err != nil {
			x.stumble(err)
			if !x.pause() {
				return
			}
		}
	}
}

func (x *Index) mergeDue() error {
	x.merging.Lock()
	defer x.merging.Unlock()
	s := x.acquire()
	if s == nil {
		return nil
	}
	defer s.release()
	if old := due(s.segments); old != nil {
		return x.merge(s.segments, old)
	}
	return nil
}

// due is the run of newest segments that should be one, or nil. What was not yet verified is left alone: a merge would give
// damaged bytes a good checksum.
func due(segments []*segment) []*segment {
	newer, from := 0, len(segments)
	for i := len(segments) - 1; i >= 0 && segments[i].sound(); i-- {
		size := segments[i].rows + segments[i].tombstones
		if i < len(segments)-1 && newer*growth >= size {
			from = i
		}
		newer += size
	}
	if from >= len(segments)-1 {
		return nil
	}
	return segments[from:]
}

// merge makes one of the segments old, which stand side by side in all. The caller holds merging.
func (x *Index) merge(all, old []*segment) error {
	seg, err := build(mergedContent(old, old[0] == all[0], x.options.Source))
	if err != nil {
		return err
	}
	x.save(seg)
	x.replace(old, seg, nil)
	return nil
}

// mergedContent is the newest of each id. Removals stay, unless there is nothing older that they could be about.
func mergedContent(old []*segment, oldest bool, source [16]byte) content {
	c := content{source: source, rows: mergedRows(old)}
	for i, seg := range old {
		c.upto = max(c.upto, seg.upto)
		if oldest {
			continue
		}
		for _, id := range seg.removed {
			if !slices.ContainsFunc(old[i+1:], func(s *segment) bool { return s.knows(id) }) {
				c.removed = append(c.removed, id)
			}
		}
	}
	slices.Sort(c.removed)
	return c
}

func mergedRows(old []*segment) iter.Seq[row] {
	return func(yield func(row) bool) {
		at := make([]int, len(old))
		next := make([]uint64, len(old)) // the id at which each stands
		done := make([]bool, len(old))
		left := len(old)
		step := func(i int) {
			if at[i] == old[i].rows {
				done[i], left = true, left-1
				return
			}
			next[i] = old[i].id(at[i])
		}
		for i := range old {
			step(i)
		}
		for left > 0 {
			least, newest := uint64(math.MaxUint64), 0
			for i := range old {
				if !done[i] && next[i] <= least {
					least, newest = next[i], i
				}
			}
			removed := slices.ContainsFunc(old[newest+1:], func(s *segment) bool {
				_, found := slices.BinarySearch(s.view.removed, least)
				return found
			})
			seg, r := old[newest], at[newest]
			if !removed && !yield(row{least, seg.bank(r), &seg.hashes[r]}) {
				return
			}
			for i := range old {
				if !done[i] && next[i] == least {
					at[i]++
					step(i)
				}
			}
		}
	}
}

// loadAll verifies the segments that Open mapped, and unless they are to stay so reads them into memory.
func (x *Index) loadAll(ctx context.Context) {
	s := x.acquire()
	if s == nil {
		return
	}
	defer s.release()
	for _, seg := range s.segments {
		if seg.file == nil {
			continue
		}
		if err := x.load(ctx, seg); err != nil {
			if !errors.Is(err, ErrClosed) {
				_ = x.refuse(seg.path(x.dir), err) // every search says it from now on
				x.wake()
			}
			return
		}
	}
}

func (x *Index) load(ctx context.Context, seg *segment) error {
	if x.options.Mapped {
		err := seg.verify(seg.file, nil, ctx.Done())
		if err == nil {
			seg.whole.Store(true)
			x.wake()
		}
		return err
	}
	x.merging.Lock()
	defer x.merging.Unlock()
	if !slices.Contains(x.now.Load().segments, seg) {
		return nil // rebuilt meanwhile
	}
	loaded, err := seg.load(seg.file, seg.name, ctx.Done())
	if err == nil {
		x.replace([]*segment{seg}, loaded, nil)
	}
	return err
}

func (x *Index) wake() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.changed.Broadcast()
}

// Verify reads every file of the index and holds it against its checksums. Of what it finds wrong it returns a *DamagedError.
func (x *Index) Verify(ctx context.Context) error {
	s := x.acquire()
	if s == nil {
		return ErrClosed
	}
	defer s.release()
	if d := x.damaged.Load(); d != nil {
		return d
	}
	for _, seg := range s.segments {
		x.files.Lock()
		name := seg.name
		x.files.Unlock()
		if name == "" {
			continue
		}
		if err := x.verifyFile(ctx, seg); err != nil {
			return err
		}
	}
	return nil
}

// Flush makes a segment of what is in memory only and waits until it has its file, so that Upto is all that was applied.
func (x *Index) Flush(ctx context.Context) error {
	x.write.Lock()
	x.mu.Lock()
	if x.closing {
		x.mu.Unlock()
		x.write.Unlock()
		return ErrClosed
	}
	x.freeze()
	x.mu.Unlock()
	x.write.Unlock()
	if err := x.drained(ctx); err != nil {
		return err
	}
	return x.again()
}

// drained waits until no memtable waits to become a segment.
func (x *Index) drained(ctx context.Context) error {
	defer context.AfterFunc(ctx, x.wake)()
	x.mu.Lock()
	defer x.mu.Unlock()
	for !x.closing && len(x.now.Load().frozen) > 0 && ctx.Err() == nil {
		x.changed.Wait()
	}
	return ctx.Err()
}

// again tries to write what could not be written before.
func (x *Index) again() error {
	x.files.Lock()
	defer x.files.Unlock()
	if s := x.now.Load(); s != nil && x.Err() != nil {
		x.keep(s.segments)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.trouble
}

// Compact is Flush, and then makes one segment of all: the fastest index, and the smallest.
func (x *Index) Compact(ctx context.Context) error {
	if err := x.Flush(ctx); err != nil {
		return err
	}
	x.merging.Lock()
	defer x.merging.Unlock()
	s := x.acquire()
	if s == nil {
		return ErrClosed
	}
	defer s.release()
	if len(s.segments) == 0 || (len(s.segments) == 1 && s.segments[0].tombstones == 0) {
		return nil
	}
	for _, seg := range s.segments {
		if !seg.sound() {
			if err := x.verifyFile(ctx, seg); err != nil {
				return err
			}
		}
	}
	return x.merge(s.segments, s.segments)
}

// Close ends the work behind the scenes and waits for it; what is in memory only becomes a segment first, so that the next Open
// has all. Searches under way end well.
func (x *Index) Close() error {
	x.write.Lock()
	x.mu.Lock()
	if x.closing {
		x.mu.Unlock()
		x.write.Unlock()
		return ErrClosed
	}
	if x.dir != "" {
		x.freeze()
	}
	x.closing = true
	x.changed.Broadcast()
	x.mu.Unlock()
	x.write.Unlock()
	x.stop()
	x.workers.Wait()
	x.merging.Lock() // a Rebuild or Compact under way
	defer x.merging.Unlock()
	x.mu.Lock()
	x.publish(nil)
	err := x.trouble
	x.mu.Unlock()
	if x.lock != nil {
		err = errors.Join(err, x.lock.Unlock())
	}
	return err
}
