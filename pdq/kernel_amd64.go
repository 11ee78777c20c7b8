package pdq

import "golang.org/x/sys/cpu"

// vectors says whether the processor has the instructions of kernel_amd64.s.
func vectors(plain bool) bool { return cpu.X86.HasAVX2 && !plain }

func (h *Hasher) kernel(rows *rowsOf, out *[block * side]float32) {
	if !vectors(h.plain) {
		h.kernelPlain(rows, out)
		return
	}
	// Each half of turned holds eight rows, column by column.
	before, half := h.cols.w*lanes, h.turnedRow()*lanes
	first, second := h.turned[before:half], h.turned[half+before:]
	columnsAVX2(&h.sums[0], &first[0], &rows.add[0], &rows.sub[0], &rows.counts[0], h.width)
	columnsAVX2(&h.sums[0], &second[0], &rows.add[lanes], &rows.sub[lanes], &rows.counts[lanes], h.width)
	rowsAVX2(&first[0], &second[0], before*4, &h.steps, &h.counts, out)
}

// bytesVector does the first pass in whole windows as far as vectors reach and
// returns how far, and the sum there.
func bytesVector(out []float32, come, leave []uint8, sum int, count float32, plain bool) (int, int) {
	n := len(out) &^ (lanes - 1)
	if n == 0 || !vectors(plain) {
		return 0, sum
	}
	return n, bytesAVX2(&out[0], &come[0], &leave[0], n, sum, count)
}

func gradient(a *field, plain bool) int {
	if !vectors(plain) {
		return gradientPlain(a)
	}
	return gradientAVX2(a)
}

func transform(a *field, b *[Bits]float32, plain bool) {
	if !vectors(plain) {
		transformPlain(a, b)
		return
	}
	m := matrix()
	var t [16 * side]float32
	for i := 0; i < 16; i += 4 {
		for j := 0; j < side; j += 16 {
			tileAVX2(&t[i*side+j], side*4, &m.rows[i*side], &a[j], side*4)
		}
	}
	for i := 0; i < 16; i += 4 {
		tileAVX2(&b[i*16], 16*4, &t[i*side], &m.columns[0], 16*4)
	}
}

// columnsAVX2 is the second pass for eight rows: of n columns, a multiple of
// eight, the rows of add come into the sums and those of sub leave them, and
// what they are by counts goes to turned, eight rows of a column side by side.
//
//go:noescape
func columnsAVX2(sums, turned *float32, add, sub *[]float32, counts *float32, n int)

// rowsAVX2 is the third pass for twice eight rows, with the bytes from a value
// back to the one that leaves the window with it.
//
//go:noescape
func rowsAVX2(first, second *float32, back int, steps *[side]int64, counts *[side]float32, out *[block * side]float32)

// bytesAVX2 is the whole-window part of the first pass for n bytes, a multiple
// of eight: it begins from sum, adds come and subtracts leave, and returns the
// sum at the end.
//
//go:noescape
func bytesAVX2(out *float32, come, leave *uint8, n, sum int, count float32) int

// gradientAVX2 is gradientPlain.
//
//go:noescape
func gradientAVX2(a *field) int

// tileAVX2 computes 4 by 16 sums of 64 products in ascending order: rows of left
// are 256 bytes apart, those of right and of the result as said.
//
//go:noescape
func tileAVX2(to *float32, toRow int, left, right *float32, rightRow int)
