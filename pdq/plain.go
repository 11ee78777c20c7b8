package pdq

// columnsPlain is the second pass for the rows t to t+3 of a block.
func (h *Hasher) columnsPlain(rows *rowsOf, t int) {
	n := h.width
	c0, c1, c2, c3 := rows.add[t][:n], rows.add[t+1][:n], rows.add[t+2][:n], rows.add[t+3][:n]
	l0, l1, l2, l3 := rows.sub[t][:n], rows.sub[t+1][:n], rows.sub[t+2][:n], rows.sub[t+3][:n]
	o0, o1, o2, o3 := h.turnedAt(t), h.turnedAt(t+1), h.turnedAt(t+2), h.turnedAt(t+3)
	o0, o1, o2, o3 = o0[h.cols.w:][:n], o1[h.cols.w:][:n], o2[h.cols.w:][:n], o3[h.cols.w:][:n]
	i0, i1, i2, i3 := 1/float64(rows.counts[t]), 1/float64(rows.counts[t+1]), 1/float64(rows.counts[t+2]), 1/float64(rows.counts[t+3])
	sums := h.sums[:n]
	for j, s := range sums {
		s += c0[j]
		s -= l0[j]
		o0[j] = quotient(s, i0)
		s += c1[j]
		s -= l1[j]
		o1[j] = quotient(s, i1)
		s += c2[j]
		s -= l2[j]
		o2[j] = quotient(s, i2)
		s += c3[j]
		s -= l3[j]
		o3[j] = quotient(s, i3)
		sums[j] = s
	}
}

// turnedAt is row t of a block between the passes, zeros and all.
func (h *Hasher) turnedAt(t int) []float32 {
	n := h.turnedRow()
	return h.turned[t*n:][:n:n]
}

// rowsPlain is the third pass for the rows t to t+3 of a block.
func (h *Hasher) rowsPlain(t int, out *[block * side]float32) {
	l0, l1, l2, l3 := h.turnedAt(t), h.turnedAt(t+1), h.turnedAt(t+2), h.turnedAt(t+3)
	w, at := h.cols.w, 0
	var s0, s1, s2, s3 float32
	for k := range h.steps {
		n := int(h.steps[k])
		c0, c1, c2, c3 := l0[w+at:][:n], l1[w+at:][:n], l2[w+at:][:n], l3[w+at:][:n]
		g0, g1, g2, g3 := l0[at:][:n], l1[at:][:n], l2[at:][:n], l3[at:][:n]
		for j := range c0 {
			s0 += c0[j]
			s1 += c1[j]
			s2 += c2[j]
			s3 += c3[j]
			s0 -= g0[j]
			s1 -= g1[j]
			s2 -= g2[j]
			s3 -= g3[j]
		}
		at += n
		to, count := (*[4]float32)(out[t/lanes*lanes*side+k*lanes+t%lanes:]), h.counts[k]
		to[0], to[1], to[2], to[3] = s0/count, s1/count, s2/count, s3/count
	}
}
