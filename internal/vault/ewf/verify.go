package ewf

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"
)

// Words of a verdict.
const (
	Sound   = "sound"
	Damaged = "damaged"
	Equal   = "equal"
	Differs = "differs"
	None    = "none stored"
)

// Verdict is what came of reading a whole image: three verdicts, and why.
type Verdict struct {
	Structure string `json:"structure"` // Sound or Damaged
	Chunks    string `json:"chunks"`    // Sound or Damaged
	Media     string `json:"media"`     // Equal, Differs or None

	Size       int64    `json:"size"` // of the media, as the image claims
	ChunkSize  int64    `json:"chunk_size"`
	ChunkCount int64    `json:"chunk_count"`
	Segments   int      `json:"segments"`
	Complaints []string `json:"complaints,omitempty"` // of the structure
	// DamagedCount counts damaged and missing chunks; DamagedRanges are where they
	// lie in the media, joined, at most a thousand. They count as zeros in the digests.
	DamagedCount  int64   `json:"damaged_count,omitempty"`
	DamagedRanges []Range `json:"damaged_ranges,omitempty"`
	Unread        []Range `json:"unread,omitempty"` // what the acquiring program could not read
	SHA256        string  `json:"sha256"`           // of the media as read
	MD5           string  `json:"md5,omitempty"`
	SHA1          string  `json:"sha1,omitempty"`
	StoredMD5     string  `json:"stored_md5,omitempty"`
	StoredSHA1    string  `json:"stored_sha1,omitempty"`
	Fields        []Field `json:"fields,omitempty"`
}

// Whole reports whether all three are as they should be. An image that stores no
// digest of its media is whole by its chunks.
func (v Verdict) Whole() bool {
	return v.Structure == Sound && v.Chunks == Sound && v.Media != Differs
}

const (
	// batchBytes is about how much media one piece of work has.
	batchBytes = 2 << 20
	rangesMost = 1000
)

// batch is chunks of one table on their way: opened by any worker, hashed in
// order.
type batch struct {
	table table
	from  int64 // the table's number of its first chunk
	n     int64
	media []byte
	bad   []int64
	ready chan struct{}
	left  sync.WaitGroup // who still reads media
}

// Verify reads the whole image once: its chunks in parallel, and of the media
// SHA-256 and the digests that the image stores. Where a size is claimed that the
// tables do not list, the missing counts as damaged, and only as far as the tables
// go is anything hashed; what they list beyond the claimed size is complained of.
func (m *Image) Verify(ctx context.Context) (Verdict, error) {
	v := Verdict{Structure: Sound, Chunks: Sound, Media: None, Size: m.Size, ChunkSize: m.ChunkSize, ChunkCount: m.Chunks, Segments: len(m.segments), Complaints: m.Complaints, Unread: m.BadSectors, Fields: m.Fields}
	if len(m.Complaints) > 0 {
		v.Structure = Damaged
	}
	sums := []hash.Hash{sha256.New()}
	if m.MD5 != nil {
		sums = append(sums, md5.New())
	}
	if m.SHA1 != nil {
		sums = append(sums, sha1.New())
	}
	note := func(from, to int64) {
		v.Chunks = Damaged
		v.DamagedCount += 1 + (to-from-1)/m.ChunkSize
		if k := len(v.DamagedRanges); k > 0 && v.DamagedRanges[k-1].To == from {
			v.DamagedRanges[k-1].To = to
		} else if k < rangesMost {
			v.DamagedRanges = append(v.DamagedRanges, Range{from, to})
		}
	}
	if err := m.stream(ctx, sums, note); err != nil {
		return Verdict{}, err
	}
	if m.Chunks < m.promised() {
		note(m.Chunks*m.ChunkSize, m.Size)
	}
	v.SHA256 = hex.EncodeToString(sums[0].Sum(nil))
	compare := func(stored []byte, h hash.Hash) (string, string) {
		sum := h.Sum(nil)
		if !bytes.Equal(sum, stored) {
			v.Media = Differs
		} else if v.Media == None {
			v.Media = Equal
		}
		return hex.EncodeToString(sum), hex.EncodeToString(stored)
	}
	rest := sums[1:]
	if m.MD5 != nil {
		v.MD5, v.StoredMD5 = compare(m.MD5, rest[0])
		rest = rest[1:]
	}
	if m.SHA1 != nil {
		v.SHA1, v.StoredSHA1 = compare(m.SHA1, rest[0])
	}
	return v, nil
}

// stream opens all chunks and writes the media to the sums.
func (m *Image) stream(ctx context.Context, sums []hash.Hash, note func(from, to int64)) error {
	workers := max(2, runtime.GOMAXPROCS(0))
	depth := 2 * workers
	per := max(1, batchBytes/m.ChunkSize)
	g, ctx := errgroup.WithContext(ctx)
	todo, inOrder, free := make(chan *batch), make(chan *batch, depth), make(chan []byte, depth+1)
	for range depth + 1 {
		free <- nil // made when needed, so that a small image needs little
	}
	g.Go(func() error { return m.plan(ctx, per, todo, inOrder, free) })
	for range workers {
		g.Go(func() error { return m.inflate(ctx, todo) })
	}
	feeds := make([]chan *batch, len(sums))
	for i, h := range sums {
		feeds[i] = make(chan *batch, depth)
		g.Go(func() error {
			for b := range feeds[i] {
				h.Write(b.media)
				b.left.Done()
			}
			return nil
		})
	}
	g.Go(func() error {
		defer func() {
			for _, f := range feeds {
				close(f)
			}
		}()
		for b := range inOrder {
			select {
			case <-b.ready:
			case <-ctx.Done():
				return ctx.Err()
			}
			for _, k := range b.bad {
				from := (b.table.first + b.from + k) * m.ChunkSize
				note(from, from+m.span(b.table.first+b.from+k))
			}
			b.left.Add(len(feeds))
			for _, f := range feeds {
				f <- b // as many as there are batches fit
			}
			g.Go(func() error {
				b.left.Wait()
				free <- b.media[:0] // there is room for each
				return nil
			})
		}
		return nil
	})
	return g.Wait()
}

// plan gives out the work, table by table.
func (m *Image) plan(ctx context.Context, per int64, todo, inOrder chan<- *batch, free <-chan []byte) error {
	defer close(todo)
	defer close(inOrder)
	for _, t := range m.tables {
		count := min(t.count, m.promised()-t.first)
		for from := int64(0); from < count; from += per {
			b := &batch{table: t, from: from, n: min(per, count-from), ready: make(chan struct{})}
			select {
			case b.media = <-free:
			case <-ctx.Done():
				return ctx.Err()
			}
			if b.media == nil {
				b.media = make([]byte, 0, per*m.ChunkSize)
			}
			for _, to := range []chan<- *batch{inOrder, todo} {
				select {
				case to <- b:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		}
	}
	return nil
}

// inflate opens batches.
func (m *Image) inflate(ctx context.Context, todo <-chan *batch) error {
	var f inflater
	stored, spare := make([]byte, m.storedMost()), make([]byte, m.ChunkSize)
	for b := range todo {
		if err := ctx.Err(); err != nil {
			return err
		}
		list, err := m.places(b.table, b.from, b.n)
		if err != nil {
			return fmt.Errorf("a table that could be read before: %w", err)
		}
		for i, p := range list {
			chunk := b.table.first + b.from + int64(i)
			want := m.span(chunk)
			at := int64(len(b.media))
			b.media = b.media[:at+want]
			out := b.media[at:]
			if want < m.ChunkSize {
				out = spare
			}
			err := m.readChunk(&f, m.segments[b.table.segment], chunk, p, stored, out)
			if err != nil {
				clear(out)
				b.bad = append(b.bad, int64(i))
			}
			if want < m.ChunkSize {
				copy(b.media[at:], out[:want])
			}
		}
		close(b.ready)
	}
	return nil
}
