package accesslog

import (
	"bufio"
	"cmp"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Reject is a line that was not read as an access. Its text is not kept, since
// it may hold what identifies a person: it stands in the file, at the offset.
type Reject struct {
	File   int    // index into Report.Inputs
	Offset int64  // of its first byte in the file as it was read (decompressed)
	Length int64  // bytes, without the line's end
	Reason Reason // why
}

const (
	rejectBytes = 21
	// rejectRun is how many rejects a worker holds before they go to disk: 1.5 MiB.
	rejectRun = 64 << 10
)

// rejects collects what one worker rejected, in sorted runs on disk.
type rejects struct {
	held []Reject
	runs []extent
	to   *scratch
}

func compareRejects(a, b Reject) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Offset, b.Offset))
}

func (r *rejects) add(x Reject) error {
	r.held = append(r.held, x)
	if len(r.held) < rejectRun {
		return nil
	}
	return r.flush()
}

func (r *rejects) flush() error {
	slices.SortFunc(r.held, compareRejects)
	buf := make([]byte, 0, len(r.held)*rejectBytes)
	for _, x := range r.held {
		buf = binary.LittleEndian.AppendUint32(buf, uint32(x.File))
		buf = binary.LittleEndian.AppendUint64(buf, uint64(x.Offset))
		buf = binary.LittleEndian.AppendUint64(buf, uint64(x.Length))
		buf = append(buf, byte(x.Reason))
	}
	run, err := r.to.lay(buf)
	if err != nil {
		return err
	}
	r.runs = append(r.runs, run)
	r.held = r.held[:0]
	return nil
}

// rejectStream is one sorted run on its way into the whole.
type rejectStream struct {
	next Reject
	more func() (Reject, error)
}

type rejectHeap []*rejectStream

func (h rejectHeap) Len() int           { return len(h) }
func (h rejectHeap) Less(i, j int) bool { return compareRejects(h[i].next, h[j].next) < 0 }
func (h rejectHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface.
func (h *rejectHeap) Push(x any) { *h = append(*h, x.(*rejectStream)) }

// Pop implements heap.Interface.
func (h *rejectHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

// streams gives the worker's runs, the held one too.
func (r *rejects) streams() []func() (Reject, error) {
	slices.SortFunc(r.held, compareRejects)
	held := r.held
	list := []func() (Reject, error){func() (Reject, error) {
		if len(held) == 0 {
			return Reject{}, io.EOF
		}
		x := held[0]
		held = held[1:]
		return x, nil
	}}
	for _, run := range r.runs {
		in := bufio.NewReaderSize(r.to.piece(run), 4<<10)
		var b [rejectBytes]byte
		list = append(list, func() (Reject, error) {
			if _, err := io.ReadFull(in, b[:]); err != nil {
				return Reject{}, err
			}
			return Reject{int(binary.LittleEndian.Uint32(b[:])), int64(binary.LittleEndian.Uint64(b[4:])), int64(binary.LittleEndian.Uint64(b[12:])), Reason(b[20])}, nil
		})
	}
	return list
}

// mergeRejects gives every worker's rejects in the order of files and offsets.
func mergeRejects(all []*rejects, give func(Reject) error) error {
	var h rejectHeap
	for _, r := range all {
		for _, more := range r.streams() {
			first, err := more()
			if errors.Is(err, io.EOF) {
				continue
			}
			if err != nil {
				return fmt.Errorf("temporary file: %w", err)
			}
			h = append(h, &rejectStream{first, more})
		}
	}
	heap.Init(&h)
	for len(h) > 0 {
		if err := give(h[0].next); err != nil {
			return err
		}
		next, err := h[0].more()
		switch {
		case errors.Is(err, io.EOF):
			heap.Pop(&h)
		case err != nil:
			return fmt.Errorf("temporary file: %w", err)
		default:
			h[0].next = next
			heap.Fix(&h, 0)
		}
	}
	return nil
}
