package pdq

// rowsOf are the rows of a block that a kernel reads: those that come into the
// windows and those that leave them, and the points in each window.
type rowsOf struct {
	add, sub [block][]float32
	counts   [block]float32
}

// pass is the second and the third pass for the rows o to o+15, and the fourth
// as far as they allow. Rows past the last one come out as nothing that is used.
func (h *Hasher) pass(o int) {
	if o == 0 {
		// The first window opens before the first row that is made.
		for i := range min(h.rows.half-1, h.rows.n) {
			for j, v := range h.ringRow(i) {
				h.sums[j] += v
			}
		}
	}
	var rows rowsOf
	for t := range block {
		rows.add[t] = h.ringSource(o + t + h.rows.half - 1)
		rows.sub[t] = h.ringSource(o + t + h.rows.half - 1 - h.rows.w)
		rows.counts[t] = float32(h.rows.count(o + t))
	}
	var out [block * side]float32 // 8 rows of column 0, of column 1 and so on, then the other 8
	h.kernel(&rows, &out)
	h.made = min(o+block, h.rows.n)
	for i := o; i < h.made; i++ {
		to := h.thirdRow(i)
		from := out[(i-o)/lanes*lanes*side+(i-o)%lanes:]
		for k := range to {
			to[k] = from[k*lanes]
		}
		h.fourth(i)
	}
}

func (h *Hasher) thirdRow(i int) *[side]float32 {
	return (*[side]float32)(h.third[i%(h.rows.w+block)*side:])
}

// fourth lets row i into the windows of the 64 columns, or only another out,
// and takes what stands at a row that remains.
func (h *Hasher) fourth(i int) {
	last := &h.last
	switch {
	case i >= h.rows.n:
		for k, v := range h.thirdRow(i - h.rows.w) {
			last[k] -= v
		}
	case i < h.rows.w:
		for k, v := range h.thirdRow(i) {
			last[k] += v
		}
	default:
		come, leave := h.thirdRow(i), h.thirdRow(i-h.rows.w)
		for k, v := range come {
			last[k] = last[k] + v - leave[k]
		}
	}
	o := i - h.rows.half + 1
	for h.next < side && h.rows.at[h.next] == o {
		count := float32(h.rows.count(o))
		for k, v := range h.last {
			h.small[h.next*side+k] = v / count
		}
		h.next++
	}
}

// meansOfBytes is the first pass over a row of bytes: sums of whole numbers are
// exact in any order.
func (h *Hasher) meansOfBytes(out []float32, y []uint8) {
	a := &h.cols
	if a.w > tableMost {
		row := make([]float32, len(y))
		for j, v := range y {
			row[j] = float32(v)
		}
		means(out[:len(y)], row, a)
		return
	}
	sum, o := 0, 0
	for _, v := range y[:a.half-1] {
		sum += int(v)
	}
	for ; o <= a.w-a.half; o++ {
		sum += int(y[o+a.half-1])
		out[o] = float32(sum) / float32(a.count(o))
	}
	n := a.n - a.w
	done, sum := bytesVector(out[o:][:n], y[a.w:][:n], y[:n], sum, float32(a.w), h.plain)
	table, to, come, leave := h.table, out[o+done:][:n-done], y[a.w+done:][:n-done], y[done:][:n-done]
	for j := range to {
		sum += int(come[j]) - int(leave[j])
		to[j] = table[sum]
	}
	for o += n; o < a.n; o++ {
		sum -= int(y[o+a.half-1-a.w])
		out[o] = float32(sum) / float32(a.count(o))
	}
}

// means is one pass along one row, in the reference's order.
func means(out, y []float32, a *axis) {
	var sum float32
	for i := range a.n + a.half - 1 {
		if i < a.n {
			sum += y[i]
		}
		if i >= a.w {
			sum -= y[i-a.w]
		}
		if o := i - a.half + 1; o >= 0 {
			out[o] = sum / float32(a.count(o))
		}
	}
}

// meansOfFour is means for four rows: one row's additions wait for each other,
// four rows' do not.
func (h *Hasher) meansOfFour(out *[4][]float32) {
	a, n := &h.cols, h.cols.n-h.cols.w
	var sums [4]float32
	for r := range sums {
		y, o := h.pending[r], out[r]
		for _, v := range y[:a.half-1] {
			sums[r] += v
		}
		for i := range a.w - a.half + 1 {
			sums[r] += y[i+a.half-1]
			o[i] = sums[r] / float32(a.count(i))
		}
	}
	first := a.w - a.half + 1
	s0, s1, s2, s3 := sums[0], sums[1], sums[2], sums[3]
	c0, c1, c2, c3 := h.pending[0][a.w:][:n], h.pending[1][a.w:][:n], h.pending[2][a.w:][:n], h.pending[3][a.w:][:n]
	l0, l1, l2, l3 := h.pending[0][:n], h.pending[1][:n], h.pending[2][:n], h.pending[3][:n]
	o0, o1, o2, o3 := out[0][first:][:n], out[1][first:][:n], out[2][first:][:n], out[3][first:][:n]
	inverse := 1 / float64(a.w)
	for j := range c0 {
		s0 += c0[j]
		s1 += c1[j]
		s2 += c2[j]
		s3 += c3[j]
		s0 -= l0[j]
		s1 -= l1[j]
		s2 -= l2[j]
		s3 -= l3[j]
		o0[j], o1[j], o2[j], o3[j] = quotient(s0, inverse), quotient(s1, inverse), quotient(s2, inverse), quotient(s3, inverse)
	}
	sums = [4]float32{s0, s1, s2, s3}
	for r := range sums {
		y, o := h.pending[r], out[r]
		for i := first + n; i < a.n; i++ {
			sums[r] -= y[i+a.half-1-a.w]
			o[i] = sums[r] / float32(a.count(i))
		}
	}
}

// quotient is s/w in float32, by the inverse of w in float64. It is exact: for s
// of 24 bits and a whole w no quotient lies halfway between two float32, and
// none nearer to it than 1/w of a unit in the 25th bit, while the product is off
// by a unit in the 52nd; w is at most [SideMost]/128. That leaves out quotients
// below 2^-126, which no brightness has.
func quotient(s float32, inverse float64) float32 { return float32(float64(s) * inverse) }

// kernelPlain is the second and third pass for a block, four rows at a time.
func (h *Hasher) kernelPlain(rows *rowsOf, out *[block * side]float32) {
	for t := 0; t < block; t += 4 {
		h.columnsPlain(rows, t)
		h.rowsPlain(t, out)
	}
}
