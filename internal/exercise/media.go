package exercise

import (
	"math/rand/v2"
	"sync"

	"concert"
)

const (
	// clipEvery is of how many drawn works one is a clip.
	clipEvery = 8
	// unalteredShare is the part of a drawn work's copies that nobody altered.
	unalteredShare = .25
)

// drawnWork reports whether the work is a drawn picture or clip.
func (s *script) drawnWork(work uint32) bool { return s.part(work, drawMedia) < s.media }

// clipWork reports whether a drawn work is a clip.
func (s *script) clipWork(work uint32) bool { return s.draw(work, drawMedia)%clipEvery == 0 }

// alteration is what was done to the item's copy of its work.
func (s *script) alteration(n uint32) concert.Alteration {
	work := s.work(n)
	if !s.drawnWork(work) {
		return concert.AlterBytes
	}
	all := concert.PictureAlterations
	if s.clipWork(work) {
		all = concert.ClipAlterations
	}
	if s.part(n, drawAlter) < unalteredShare {
		return all[0]
	}
	return all[1+s.pick(n, drawAlter, len(all)-1)]
}

// drawnCopy are the bytes of the item's copy of a drawn work: a few milliseconds of
// drawing.
func (s *script) drawnCopy(n uint32) []byte {
	work := s.work(n)
	seed, outlet, a := s.draw(work, drawWork), s.pick(work, drawOutlet, inScope), s.alteration(n)
	r := rand.New(rand.NewPCG(seed, uint64(n)))
	if s.clipWork(work) {
		return clip(seed, outlet, a, r)
	}
	return altered(drawn(seed, outlet), a, r)
}

// follows reports whether the item may be decided on together with an unaltered
// copy of its work: the bytes are the same.
func (s *script) follows(n uint32) bool { return s.alteration(n).Unaltered() }

// filesKept is how many drawn files are held: those of the batches under way.
const filesKept = 512

// files are the drawn files made last. Case days are short: what became too old
// before it was assessed is captured again, and not drawn again.
type files struct {
	mu    sync.Mutex
	of    map[uint32][]byte
	order []uint32
}

// file is what an officer captures of the item.
func (w *World) file(n uint32) []byte {
	if w.script.alteration(n) == concert.AlterBytes {
		return w.script.itemBytes(n)
	}
	f := &w.files
	f.mu.Lock()
	file := f.of[n]
	f.mu.Unlock()
	if file != nil {
		return file
	}
	file = w.script.itemBytes(n)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.of == nil {
		f.of = map[uint32][]byte{}
	}
	if f.of[n] == nil {
		f.order = append(f.order, n)
	}
	f.of[n] = file
	if len(f.order) > filesKept {
		delete(f.of, f.order[0])
		f.order = f.order[1:]
	}
	return file
}

// copiesTaken is under which reference the server keeps each captured item.
type copiesTaken struct {
	mu sync.Mutex
	of map[string]uint32
}

func (c *copiesTaken) add(ref string, n uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[string]uint32{}
	}
	c.of[ref] = n
}

// Rehearse counts what the server found of the copies that were handed in: the
// cluster of each item, by its reference, as far as it was compared. Where the server
// looks into no video, altered clips do not count.
func (w *World) Rehearse(clusters map[string]string, videos bool) concert.Rehearsal {
	w.copies.mu.Lock()
	defer w.copies.mu.Unlock()
	copies := make([]concert.RehearsedCopy, 0, len(clusters))
	unread := 0
	for ref, n := range w.copies.of {
		cluster, compared := clusters[ref]
		c := concert.RehearsedCopy{Work: w.script.work(n), Alteration: w.script.alteration(n), Cluster: cluster}
		switch {
		case !compared:
		case !videos && !c.Alteration.Unaltered() && w.script.clipWork(c.Work):
			unread++
		default:
			copies = append(copies, c)
		}
	}
	out := concert.Rehearsed(len(w.copies.of), copies)
	out.Compared, out.Unread = out.Compared+unread, unread
	return out
}
