package pdq

import (
	"math"
	"sync"
)

// Digest is what PDQ says of one picture.
type Digest struct {
	Hash    Hash
	Quality int // 0 to 100: how much the picture changes from place to place
	// Coefficients are the frequencies 1 to 16 down (rows) by 1 to 16 across,
	// row by row, which [Hash] compares with their median. They are the PDQF of
	// a frame in TMK.
	Coefficients [Bits]float32
}

// Orientation is one of the eight ways to turn and mirror a picture, in the
// reference's order and by its names.
type Orientation uint8

// The orientations: of a query's, the one that matches is what was done to the
// other picture. Turns are counter-clockwise.
const (
	Original Orientation = iota
	Rotate90
	Rotate180
	Rotate270
	FlipX     // top and bottom change places
	FlipY     // left and right change places
	FlipPlus  // rows become columns
	FlipMinus // mirrored along the other diagonal
	orientations
)

// String is the orientation's name.
func (o Orientation) String() string {
	switch o {
	case Original:
		return "original"
	case Rotate90:
		return "rotate90"
	case Rotate180:
		return "rotate180"
	case Rotate270:
		return "rotate270"
	case FlipX:
		return "flipx"
	case FlipY:
		return "flipy"
	case FlipPlus:
		return "flipplus"
	case FlipMinus:
		return "flipminus"
	}
	return "unknown"
}

// Orientations are the hashes of the picture turned and mirrored, by
// [Orientation], from the one transform. Those of a picture that is too small
// are all zero.
func (d *Digest) Orientations() [8]Hash {
	var h [orientations]Hash
	// Turning a picture transposes its frequencies or changes the sign of every
	// other one. The four patterns of signs have medians of their own; the
	// transposed hash is the hash transposed.
	h[Original] = bitsOf(&d.Coefficients, 0, 0)
	h[FlipX] = bitsOf(&d.Coefficients, 1, 0)
	h[FlipY] = bitsOf(&d.Coefficients, 0, 1)
	h[Rotate180] = bitsOf(&d.Coefficients, 1, 1)
	h[FlipPlus] = transposed(h[Original])
	h[Rotate270] = transposed(h[FlipX])
	h[Rotate90] = transposed(h[FlipY])
	h[FlipMinus] = transposed(h[Rotate180])
	return h
}

// bitsOf compares the coefficients with their median. With rows or columns set
// to 1 it changes the signs of the even ones first; with both, of those whose
// row and column are not both even or both odd.
func bitsOf(b *[Bits]float32, rows, columns int) Hash {
	var keys, sorted [Bits]int32
	for k, f := range b {
		i, j := k/16, k%16
		if (rows&^i^columns&^j)&1 == 1 {
			f = -f
		}
		keys[k] = ordered(f)
	}
	sorted = keys
	median := int64(smallest(&sorted, Bits/2-1))
	var h Hash
	for k, key := range keys {
		h[k/64] |= uint64(median-int64(key)) >> 63 << (k % 64)
	}
	return h
}

// ordered maps floats to integers in the same order; both zeros to one.
func ordered(f float32) int32 {
	b := int32(math.Float32bits(f + 0))
	if f == 0 {
		b = 0
	}
	return b ^ b>>31&math.MaxInt32
}

// smallest is the value that would stand at place k if all were sorted (C. A.
// R. Hoare, Algorithm 65: FIND).
func smallest(v *[Bits]int32, k int) int32 {
	lo, hi := 0, len(v)-1
	for lo < hi {
		pivot, i, j := v[k], lo, hi
		for i <= j {
			for v[i] < pivot {
				i++
			}
			for v[j] > pivot {
				j--
			}
			if i <= j {
				v[i], v[j] = v[j], v[i]
				i++
				j--
			}
		}
		if j < k {
			lo = i
		}
		if i > k {
			hi = j
		}
	}
	return v[k]
}

// transposed is the hash with rows and columns changed.
func transposed(h Hash) Hash {
	var t Hash
	for k := range Bits {
		to := k%16*16 + k/16
		t[to/64] |= h[k/64] >> (k % 64) & 1 << (to % 64)
	}
	return t
}

// digest is the rest of PDQ, from the filtered picture on.
func digest(small *field, plain bool) Digest {
	d := Digest{Quality: max(0, min(100, gradient(small, plain)/90))}
	transform(small, &d.Coefficients, plain)
	d.Hash = bitsOf(&d.Coefficients, 0, 0)
	return d
}

// field is the filtered picture of 64 by 64 points, and eight values more that
// a vector may read past its end.
type field [side*side + 8]float32

// gradientPlain is the sum of the differences between neighbours, each as a
// whole number of hundredths of the brightness.
func gradientPlain(a *field) int {
	sum := 0
	for k := range side * side {
		if k < side*(side-1) {
			sum += steps(a[k], a[k+side])
		}
		if k%side < side-1 {
			sum += steps(a[k], a[k+1])
		}
	}
	return sum
}

func steps(u, v float32) int {
	d := int(float32(float32(u-v)*100) / 255)
	return max(d, -d)
}

// cosines holds the transform's matrix in both orders: frequency by place, and
// place by frequency.
type cosines struct {
	rows    [16 * side]float32
	columns [side * 16]float32
}

// quarter are the float32 values, as bits, of float32(sqrt(2/64)) times the
// cosine of k pi/128: the reference's matrix holds no others, but for the sign.
// They stand here since the last digit of a cosine differs between processors.
var quarter = [side]uint32{
	0x3e3504f3, 0x3e34f6fe, 0x3e34cd21, 0x3e348763, 0x3e3425ce, 0x3e33a872, 0x3e330f61, 0x3e325ab4,
	0x3e318a85, 0x3e309ef6, 0x3e2f982b, 0x3e2e764c, 0x3e2d3986, 0x3e2be20a, 0x3e2a700c, 0x3e28e3c6,
	0x3e273d74, 0x3e257d59, 0x3e23a3b9, 0x3e21b0dd, 0x3e1fa512, 0x3e1d80a8, 0x3e1b43f5, 0x3e18ef51,
	0x3e168317, 0x3e13ffa8, 0x3e116566, 0x3e0eb4b9, 0x3e0bee0a, 0x3e0911c7, 0x3e062061, 0x3e031a4c,
	0x3e000000, 0x3df9a3ed, 0x3df3215c, 0x3dec794d, 0x3de5acc6, 0x3ddebcd5, 0x3dd7aa8b, 0x3dd076ff,
	0x3dc9234e, 0x3dc1b098, 0x3dba2005, 0x3db272bd, 0x3daaa9f2, 0x3da2c6d5, 0x3d9aca9e, 0x3d92b689,
	0x3d8a8bd4, 0x3d824bc1, 0x3d73ef2f, 0x3d63213d, 0x3d523045, 0x3d411ee4, 0x3d2fefbb, 0x3d1ea570,
	0x3d0d42af, 0x3cf7944a, 0x3cd47d09, 0x3cb14504, 0x3c8df1a9, 0x3c5510d4, 0x3c0e1d7b, 0x3b8e2871,
}

var matrix = sync.OnceValue(func() *cosines {
	m := new(cosines)
	for i := range 16 {
		for j := range side {
			turn, sign := (i+1)*(2*j+1)%256, uint32(0) // in 256ths of a circle
			if turn > 128 {
				turn = 256 - turn
			}
			if turn > 64 {
				turn, sign = 128-turn, 1<<31
			}
			f := math.Float32frombits(quarter[turn] | sign) // never a right angle: i+1 is at most 16
			m.rows[i*side+j], m.columns[j*16+i] = f, f
		}
	}
	return m
})

// transformPlain is the discrete cosine transform, with sums in the reference's
// order.
func transformPlain(a *field, b *[Bits]float32) {
	m := matrix()
	var t [16 * side]float32
	for i := range 16 {
		d := (*[side]float32)(m.rows[i*side:])
		for j := 0; j < side; j += 4 {
			var s0, s1, s2, s3 float32
			for k, f := range d {
				p := (*[4]float32)(a[k*side+j:])
				s0 += float32(f * p[0])
				s1 += float32(f * p[1])
				s2 += float32(f * p[2])
				s3 += float32(f * p[3])
			}
			t[i*side+j], t[i*side+j+1], t[i*side+j+2], t[i*side+j+3] = s0, s1, s2, s3
		}
	}
	for i := range 16 {
		p := (*[side]float32)(t[i*side:])
		for j := 0; j < 16; j += 4 {
			var s0, s1, s2, s3 float32
			for k, f := range p {
				d := (*[4]float32)(m.columns[k*16+j:])
				s0 += float32(f * d[0])
				s1 += float32(f * d[1])
				s2 += float32(f * d[2])
				s3 += float32(f * d[3])
			}
			b[i*16+j], b[i*16+j+1], b[i*16+j+2], b[i*16+j+3] = s0, s1, s2, s3
		}
	}
}
