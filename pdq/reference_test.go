package pdq

import (
	"math"
	"math/rand/v2"
)

// reference is section by section what the reference does, with whole pictures
// in memory and one operation after the other.
func reference(luma []float32, rows, cols int) (Hash, int, [Bits]float32) {
	var a [64][64]float32
	var b [Bits]float32
	if rows < 5 || cols < 5 {
		return Hash{}, 0, b
	}
	if rows == 64 && cols == 64 {
		for k, v := range luma {
			a[k/64][k%64] = v
		}
	} else {
		one, two := append([]float32(nil), luma...), make([]float32, len(luma))
		for range 2 {
			for i := range rows {
				referenceBox(one[i*cols:], two[i*cols:], cols, 1, (cols+127)/128)
			}
			for j := range cols {
				referenceBox(two[j:], one[j:], rows, cols, (rows+127)/128)
			}
		}
		for i := range 64 {
			for j := range 64 {
				a[i][j] = one[int((float64(i)+0.5)*float64(rows)/64)*cols+int((float64(j)+0.5)*float64(cols)/64)]
			}
		}
	}
	gradient := 0
	add := func(u, v float32) {
		d := int(float32(float32(u-v)*100) / 255)
		gradient += max(d, -d)
	}
	for i := range 64 {
		for j := range 64 {
			if i < 63 {
				add(a[i][j], a[i+1][j])
			}
			if j < 63 {
				add(a[i][j], a[i][j+1])
			}
		}
	}
	var d, t [16][64]float32
	scale := float64(float32(math.Sqrt(2.0 / 64)))
	for i := range 16 {
		for j := range 64 {
			d[i][j] = float32(scale * math.Cos(math.Pi/2/64*float64(i+1)*float64(2*j+1)))
		}
	}
	for i := range 16 {
		for j := range 64 {
			for k := range 64 {
				t[i][j] += float32(d[i][k] * a[k][j])
			}
		}
	}
	for i := range 16 {
		for j := range 16 {
			for k := range 64 {
				b[i*16+j] += float32(t[i][k] * d[j][k])
			}
		}
	}
	return referenceBits(b), min(100, gradient/90), b
}

func referenceBits(b [Bits]float32) Hash {
	median := torben(b[:])
	var h Hash
	for k, v := range b {
		if v > median {
			h[k/64] |= 1 << (k % 64)
		}
	}
	return h
}

func referenceBox(in, out []float32, n, stride, w int) {
	half := (w + 2) / 2
	li, ri, oi := 0, 0, 0
	var sum float32
	size := 0
	for range half - 1 {
		sum += in[ri]
		size++
		ri += stride
	}
	for range w - half + 1 {
		sum += in[ri]
		size++
		out[oi] = sum / float32(size)
		ri += stride
		oi += stride
	}
	for range n - w {
		sum += in[ri]
		sum -= in[li]
		out[oi] = sum / float32(size)
		li += stride
		ri += stride
		oi += stride
	}
	for range half - 1 {
		sum -= in[li]
		size--
		out[oi] = sum / float32(size)
		li += stride
		oi += stride
	}
}

// torben is Torben Mogensen's median by counting, which the reference uses.
func torben(m []float32) float32 {
	lo, hi := m[0], m[0]
	for _, v := range m {
		lo, hi = min(lo, v), max(hi, v)
	}
	half := (len(m) + 1) / 2
	for {
		guess := (lo + hi) / 2
		less, greater, equal := 0, 0, 0
		below, above := lo, hi
		for _, v := range m {
			switch {
			case v < guess:
				less++
				below = max(below, v)
			case v > guess:
				greater++
				above = min(above, v)
			default:
				equal++
			}
		}
		if less <= half && greater <= half {
			switch {
			case less >= half:
				return below
			case less+equal >= half:
				return guess
			}
			return above
		}
		if less > greater {
			hi = below
		} else {
			lo = above
		}
	}
}

// drawn is a picture with shapes of many sizes, some noise and flat places.
func drawn(seed uint64, width, height int) []uint8 {
	r := rand.New(rand.NewPCG(seed, uint64(width)<<32|uint64(height)))
	y := make([]uint8, width*height)
	fx, fy := r.Float64()*20/float64(width), r.Float64()*20/float64(height)
	noise := r.IntN(60)
	for k := range y {
		i, j := k/width, k%width
		v := 127 + 90*math.Sin(fx*float64(j)+3*fy*float64(i))*math.Cos(fy*float64(i)) + float64(r.IntN(noise+1))
		y[k] = uint8(max(0, min(255, v)))
	}
	for range 12 {
		x0, y0, v := r.IntN(width), r.IntN(height), uint8(r.IntN(256))
		for i := y0; i < min(height, y0+height/5); i++ {
			for j := x0; j < min(width, x0+width/4); j++ {
				y[i*width+j] = v
			}
		}
	}
	return y
}

func floats(y []uint8) []float32 {
	f := make([]float32, len(y))
	for k, v := range y {
		f[k] = float32(v)
	}
	return f
}
