package pdq

import (
	"errors"
	"fmt"
)

// SideMost and PixelsMost bound the pictures that a Hasher takes.
const (
	SideMost   = 1 << 20
	PixelsMost = 1 << 32
)

const (
	sideLeast = 5   // the reference hashes no smaller side
	block     = 16  // rows that go through the filter together
	lanes     = 8   // rows or columns in one vector
	tableMost = 256 // points of a window up to which quotients of bytes are looked up
	apart     = 16  // values between rows, so that rows of 4 KB do not lie on each other in the cache
)

// Errors of a Hasher.
var (
	ErrSize = errors.New("pdq: no such size of a picture")
	ErrRows = errors.New("pdq: the rows do not fit the size")
)

// Hasher hashes one picture after the other, row by row from the top, without
// ever holding one whole: it keeps height/128 + 21 rows. It is used by one
// goroutine at a time.
//
// The filter runs as rows arrive. Each row's running means go into a ring; over
// the ring go the columns' running means, sixteen rows at a time; of the second
// pair of passes only the 64 columns, and of these the 64 rows, that remain in
// the end.
type Hasher struct {
	rows, cols axis
	table      []float32 // means of bytes in a whole window, by their sum; for cols.w = tabled
	tabled     int

	width  int       // of a row in the ring: columns up to a multiple of lanes
	ring   []float32 // the last rows after the first pass
	zero   []float32 // the rows above and below the picture
	sums   []float32 // of each column in the window
	turned []float32 // what the kernels keep of a block between the second pass and the third
	fed    int       // rows that are in the ring, or were
	made   int       // rows that have left the second pass

	pending [4][]float32 // rows of float32 wait for each other
	waiting int
	plain   bool // without vectors, for tests

	steps  [side]int64   // columns from one that remains to the next
	counts [side]float32 // points in the windows of these
	third  []float32     // the last rows.w+block rows after the third pass, 64 columns each
	last   [side]float32 // sums of these columns in the window
	next   int           // the next of the 64 rows
	small  field
}

// NewHasher returns a Hasher for a picture of so many points. The error is
// [ErrSize]: a side is less than 1 or more than [SideMost], or both are more
// than [PixelsMost].
func NewHasher(width, height int) (*Hasher, error) {
	h := new(Hasher)
	if err := h.Reset(width, height); err != nil {
		return nil, err
	}
	return h, nil
}

// Reset begins another picture and uses the memory again. Errors are those of
// [NewHasher].
func (h *Hasher) Reset(width, height int) error {
	if width < 1 || height < 1 || width > SideMost || height > SideMost || width*height > PixelsMost {
		return fmt.Errorf("%w: %d by %d points", ErrSize, width, height)
	}
	if h.cols.n != width {
		h.cols = newAxis(width)
	}
	if h.rows.n != height {
		h.rows = newAxis(height)
	}
	h.fed, h.made, h.waiting, h.next = 0, 0, 0, 0
	h.last = [side]float32{}
	if h.asIs() || h.tooSmall() {
		return nil
	}
	h.width = (width + lanes - 1) / lanes * lanes
	h.ring = zeroed(h.ring, h.ringRows()*(h.width+apart))
	h.zero = zeroed(h.zero, h.width)
	h.sums = zeroed(h.sums, h.width)
	h.turned = zeroed(h.turned, block*h.turnedRow())
	h.third = zeroed(h.third, (h.rows.w+block)*side)
	at := 0
	for k, o := range h.cols.at {
		to := o + h.cols.half // columns that were added by then
		h.steps[k], h.counts[k] = int64(to-at), float32(h.cols.count(o))
		at = to
	}
	if w := h.cols.w; w != h.tabled && w <= tableMost {
		h.table, h.tabled = make([]float32, 255*w+1), w
		for sum := range h.table {
			h.table[sum] = float32(sum) / float32(w)
		}
	}
	return nil
}

func zeroed(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n)
	}
	s = s[:n]
	clear(s)
	return s
}

// asIs says that the picture is transformed as it comes.
func (h *Hasher) asIs() bool { return h.cols.n == side && h.rows.n == side }

func (h *Hasher) tooSmall() bool { return h.cols.n < sideLeast || h.rows.n < sideLeast }

// turnedRow is the length of a row between the second pass and the third, with
// a window of zeros before and what follows a centre behind.
func (h *Hasher) turnedRow() int { return h.cols.w + h.width + h.cols.half }

// Row takes the next row of brightness, 0 to 255. A picture of bytes is hashed
// faster than one of float32, and to the same bits. The error is [ErrRows].
func (h *Hasher) Row(y []uint8) error {
	if err := h.fits(len(y)); err != nil {
		return err
	}
	switch {
	case h.tooSmall():
	case h.asIs():
		for j, v := range y {
			h.small[h.fed*side+j] = float32(v)
		}
	default:
		if h.waiting > 0 {
			h.drain()
		}
		h.meansOfBytes(h.ringRow(h.fed), y)
	}
	h.fed++
	h.advance()
	return nil
}

// RowFloat takes the next row of brightness, 0 to 255, as fractions: float32 of
// 0.299 R + 0.587 G + 0.114 B, each operation rounded (see [Luma]). The error is
// [ErrRows].
func (h *Hasher) RowFloat(y []float32) error {
	if err := h.fits(len(y)); err != nil {
		return err
	}
	switch {
	case h.tooSmall():
		h.fed++
	case h.asIs():
		copy(h.small[h.fed*side:], y)
		h.fed++
	default:
		h.pending[h.waiting] = append(h.pending[h.waiting][:0], y...)
		if h.waiting++; h.waiting == len(h.pending) {
			h.drain()
		}
	}
	return nil
}

func (h *Hasher) fits(n int) error {
	if n != h.cols.n {
		return fmt.Errorf("%w: a row of %d points, not %d", ErrRows, n, h.cols.n)
	}
	if h.fed+h.waiting >= h.rows.n {
		return fmt.Errorf("%w: more than %d", ErrRows, h.rows.n)
	}
	return nil
}

// Sum is the digest once all rows are in; the Hasher then waits for Reset. The
// error is [ErrRows] where rows are missing. A picture of which a side is less
// than 5 points has quality 0 and a hash of zeros.
func (h *Hasher) Sum() (Digest, error) {
	h.drain()
	if h.fed != h.rows.n {
		return Digest{}, fmt.Errorf("%w: %d of %d are here", ErrRows, h.fed, h.rows.n)
	}
	if h.tooSmall() {
		return Digest{}, nil
	}
	if !h.asIs() {
		for h.made < h.rows.n {
			h.pass(h.made)
		}
		// What the last windows hold is let go row by row.
		for row := h.rows.n; h.next < side; row++ {
			h.fourth(row)
		}
	}
	return digest(&h.small, h.plain), nil
}

// ringRows is how many rows the ring holds: a window, a block, and those that
// waited for each other and came at once.
func (h *Hasher) ringRows() int { return h.rows.w + block + len(h.pending) }

func (h *Hasher) ringRow(i int) []float32 {
	at := i % h.ringRows() * (h.width + apart)
	return h.ring[at : at+h.width : at+h.width]
}

// drain puts the rows that wait through the first pass.
func (h *Hasher) drain() {
	if h.waiting == 0 {
		return
	}
	var out [4][]float32
	for i := range h.waiting {
		out[i] = h.ringRow(h.fed + i)[:h.cols.n]
	}
	if h.waiting == 4 {
		h.meansOfFour(&out)
	} else {
		for i := range h.waiting {
			means(out[i], h.pending[i], &h.cols)
		}
	}
	h.fed += h.waiting
	h.waiting = 0
	h.advance()
}

// advance lets whole blocks through the other passes as soon as the ring holds
// the rows that they look at.
func (h *Hasher) advance() {
	if h.asIs() || h.tooSmall() {
		return
	}
	for h.made+block <= h.rows.n && h.fed >= h.made+block+h.rows.half-1 {
		h.pass(h.made)
	}
}

// ringSource is row i as the second pass sees it.
func (h *Hasher) ringSource(i int) []float32 {
	if i < 0 || i >= h.rows.n {
		return h.zero
	}
	return h.ringRow(i)
}
