package pdq

import (
	"image"
	"image/color"
)

// Luma is the brightness of a colour: 0.299 R + 0.587 G + 0.114 B in float32,
// from left to right, each operation rounded.
func Luma(r, g, b uint8) float32 {
	return float32(float32(float32(0.299)*float32(r))+float32(float32(0.587)*float32(g))) + float32(float32(0.114)*float32(b))
}

// Image hashes a picture as its points are stored: nothing is turned, whatever
// its metadata say, and transparency is dropped, not laid on a colour, since
// that is how what exchanges hold was made (Pillow's convert("RGB")). Of 16 bits
// the upper eight count. Where brightness is stored as such (YCbCr, grey), it is
// taken as it is. The error is [ErrSize].
func Image(img image.Image) (Digest, error) {
	b := img.Bounds()
	h, err := NewHasher(b.Dx(), b.Dy())
	if err != nil {
		return Digest{}, err
	}
	if err := h.image(img, b); err != nil {
		return Digest{}, err
	}
	return h.Sum()
}

func (h *Hasher) image(img image.Image, b image.Rectangle) error {
	if rows, stride := bytesOf(img, b); rows != nil {
		for i := range b.Dy() {
			if err := h.Row(rows[i*stride:][:b.Dx()]); err != nil {
				return err
			}
		}
		return nil
	}
	luma := lumaOf(img, b)
	row := make([]float32, b.Dx())
	for y := b.Min.Y; y < b.Max.Y; y++ {
		luma(y, row)
		if err := h.RowFloat(row); err != nil {
			return err
		}
	}
	return nil
}

// bytesOf is the brightness of pictures that store it in bytes.
func bytesOf(img image.Image, b image.Rectangle) (rows []uint8, stride int) {
	switch m := img.(type) {
	case *image.Gray:
		return m.Pix[m.PixOffset(b.Min.X, b.Min.Y):], m.Stride
	case *image.YCbCr:
		return m.Y[m.YOffset(b.Min.X, b.Min.Y):], m.YStride
	case *image.NYCbCrA:
		return m.Y[m.YOffset(b.Min.X, b.Min.Y):], m.YStride
	}
	return nil, 0
}

// lumaOf fills rows with brightness.
func lumaOf(img image.Image, b image.Rectangle) func(y int, row []float32) {
	switch m := img.(type) {
	case *image.Paletted:
		var table [256]float32
		for i, c := range m.Palette {
			table[i&0xff] = lumaAt(c)
		}
		return func(y int, row []float32) {
			pix := m.Pix[m.PixOffset(b.Min.X, y):]
			for j := range row {
				row[j] = table[pix[j]]
			}
		}
	case *image.NRGBA:
		return func(y int, row []float32) { lumaOfPoints(m.Pix[m.PixOffset(b.Min.X, y):], row) }
	case *image.RGBA:
		return func(y int, row []float32) {
			pix := m.Pix[m.PixOffset(b.Min.X, y):]
			for j := range row {
				p := pix[4*j:][:4:4]
				if a := p[3]; a == 0xff {
					row[j] = Luma(p[0], p[1], p[2])
				} else {
					row[j] = lumaAt(color.RGBA{p[0], p[1], p[2], a})
				}
			}
		}
	case *image.Gray16:
		return func(y int, row []float32) {
			pix := m.Pix[m.PixOffset(b.Min.X, y):]
			for j := range row {
				row[j] = float32(pix[2*j])
			}
		}
	case *image.NRGBA64:
		return func(y int, row []float32) {
			pix := m.Pix[m.PixOffset(b.Min.X, y):]
			for j := range row {
				row[j] = Luma(pix[8*j], pix[8*j+2], pix[8*j+4])
			}
		}
	}
	return func(y int, row []float32) {
		for j := range row {
			row[j] = lumaAt(img.At(b.Min.X+j, y))
		}
	}
}

func lumaOfPoints(pix []uint8, row []float32) {
	for j := range row {
		p := pix[4*j:][:4:4]
		row[j] = Luma(p[0], p[1], p[2])
	}
}

// lumaAt is the brightness of a colour without its transparency.
func lumaAt(c color.Color) float32 {
	if n, ok := c.(color.NRGBA); ok {
		return Luma(n.R, n.G, n.B)
	}
	n, ok := color.NRGBA64Model.Convert(c).(color.NRGBA64)
	if !ok {
		return 0 // the model converts to nothing else
	}
	return Luma(uint8(n.R>>8), uint8(n.G>>8), uint8(n.B>>8))
}
