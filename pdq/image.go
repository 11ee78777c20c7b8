package pdq

// Luma is the brightness of a colour: 0.299 R + 0.587 G + 0.114 B in float32,
// from left to right, each operation rounded.
func Luma(r, g, b uint8) float32 {
	return float32(float32(float32(0.299)*float32(r))+float32(float32(0.587)*float32(g))) + float32(float32(0.114)*float32(b))
}
