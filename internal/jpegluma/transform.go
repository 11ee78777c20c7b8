package jpegluma

// flat fills a block that has nothing but its mean.
func flat(mean int32, to []uint8, stride int) {
	v := clamp((mean+4)>>3 + 128)
	for range 8 {
		row := (*[8]uint8)(to)
		*row = [8]uint8{v, v, v, v, v, v, v, v}
		if len(to) <= stride {
			return
		}
		to = to[stride:]
	}
}

func clamp(v int32) uint8 { return uint8(max(0, min(255, v))) }

// transformPlain is the inverse transform of libjpeg's jidctint.c: of a block in
// rows and columns to eight rows of brightness. It leaves the block empty.
func transformPlain(block *[64 + 8]int32, to []uint8, stride int) {
	for i := range 8 {
		c := (*[57]int32)(block[i:])
		if c[8]|c[16]|c[24]|c[32]|c[40]|c[48]|c[56] == 0 {
			v := c[0] << 2
			c[0], c[8], c[16], c[24], c[32], c[40], c[48], c[56] = v, v, v, v, v, v, v, v
			continue
		}
		const half = 1 << 10
		a0, a1, a2, a3, b0, b1, b2, b3 := butterfly(c[0], c[8], c[16], c[24], c[32], c[40], c[48], c[56])
		c[0], c[56] = (a0+b0+half)>>11, (a0-b0+half)>>11
		c[8], c[48] = (a1+b1+half)>>11, (a1-b1+half)>>11
		c[16], c[40] = (a2+b2+half)>>11, (a2-b2+half)>>11
		c[24], c[32] = (a3+b3+half)>>11, (a3-b3+half)>>11
	}
	for i := range 8 {
		c := (*[8]int32)(block[i*8:])
		const half = 1<<17 + 128<<18
		a0, a1, a2, a3, b0, b1, b2, b3 := butterfly(c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7])
		row := (*[8]uint8)(to[i*stride:])
		row[0], row[7] = clamp((a0+b0+half)>>18), clamp((a0-b0+half)>>18)
		row[1], row[6] = clamp((a1+b1+half)>>18), clamp((a1-b1+half)>>18)
		row[2], row[5] = clamp((a2+b2+half)>>18), clamp((a2-b2+half)>>18)
		row[3], row[4] = clamp((a3+b3+half)>>18), clamp((a3-b3+half)>>18)
	}
	*block = [64 + 8]int32{}
}

// butterfly is one dimension of it, in numbers of 13 bits behind the point.
func butterfly(c0, c1, c2, c3, c4, c5, c6, c7 int32) (a0, a1, a2, a3, b0, b1, b2, b3 int32) {
	z := (c2 + c6) * 4433
	e2, e3 := z-c6*15137, z+c2*6270
	e0, e1 := (c0+c4)<<13, (c0-c4)<<13
	z1, z2, z3, z4 := (c7+c1)*7373, (c5+c3)*20995, (c7+c3)*16069, (c5+c1)*3196
	z5 := (c7 + c3 + c5 + c1) * 9633
	z3, z4 = z5-z3, z5-z4
	return e0 + e3, e1 + e2, e1 - e2, e0 - e3, c1*12299 - z1 + z4, c3*25172 - z2 + z3, c5*16819 - z2 + z4, c7*2446 - z1 + z3
}
