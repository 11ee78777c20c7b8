//go:build !amd64

package pdq

func (h *Hasher) kernel(rows *rowsOf, out *[block * side]float32) { h.kernelPlain(rows, out) }

func gradient(a *field, _ bool) int { return gradientPlain(a) }

func transform(a *field, b *[Bits]float32, _ bool) { transformPlain(a, b) }

func bytesVector(_ []float32, _, _ []uint8, sum int, _ float32, _ bool) (int, int) { return 0, sum }
