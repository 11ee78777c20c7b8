package exercise

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"

	"concert"
)

// originalQuality is in which quality (JPEG) a work's unaltered copies are saved.
const originalQuality = 85

// altered are the bytes of a copy of a picture with one alteration; r says how far
// and where, so that hardly any two copies are the same file.
func altered(img *image.RGBA, a concert.Alteration, r *rand.Rand) []byte {
	switch a {
	case concert.AlterNone:
		return asJPEG(img, originalQuality)
	case concert.AlterJPEG:
		return asJPEG(img, 50+r.IntN(41))
	case concert.AlterJPEGLow:
		return asJPEG(img, 30+r.IntN(21))
	case concert.AlterPNG:
		return asPNG(scaled(img, img.Rect.Dx()/2, img.Rect.Dy()/2))
	case concert.AlterPalette:
		return asPNG(inPalette(img))
	case concert.AlterResent:
		img = scaled(img, img.Rect.Dx()*2/3, img.Rect.Dy()*2/3)
		return asJPEG(otherLogo(img, r), 40)
	}
	return asJPEG(reworked(img, a, r), 75+r.IntN(16))
}

// reworked is a copy of the picture's points with an alteration.
func reworked(img *image.RGBA, a concert.Alteration, r *rand.Rand) *image.RGBA {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	switch a {
	case concert.AlterHalf:
		return scaled(img, w/2, h/2)
	case concert.AlterStretch:
		return scaled(img, w*6/5, h)
	case concert.AlterBright:
		return levelled(img, func(v int) int { return v + 42 })
	case concert.AlterDark:
		return levelled(img, func(v int) int { return v * 3 / 4 })
	case concert.AlterContrast:
		return levelled(img, func(v int) int { return 128 + (v-128)*4/3 })
	case concert.AlterBlur:
		return blurred(img, 2+r.IntN(3))
	case concert.AlterLogo, concert.AlterClipLogo:
		return otherLogo(img, r)
	case concert.AlterSubtitle:
		return subtitled(img, r)
	case concert.AlterCrop2:
		return cropped(img, 2, r)
	case concert.AlterCrop5, concert.AlterClipCrop5:
		return cropped(img, 5, r)
	case concert.AlterCrop10:
		return cropped(img, 10, r)
	case concert.AlterLetterbox:
		return letterboxed(img)
	case concert.AlterMirror, concert.AlterClipFlip:
		return mirrored(img)
	case concert.AlterTurn:
		return turned(img)
	}
	return img
}

func asJPEG(img image.Image, quality int) []byte {
	var b bytes.Buffer
	b.Grow(32 << 10)
	_ = jpeg.Encode(&b, img, &jpeg.Options{Quality: quality}) // a buffer takes everything, and no picture here is too large
	return b.Bytes()
}

func asPNG(img image.Image) []byte {
	var b bytes.Buffer
	_ = (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, img) // as above
	return b.Bytes()
}

// inPalette is the picture in the 216 colours that have six levels each of red, green
// and blue.
func inPalette(img *image.RGBA) *image.Paletted {
	palette := make(color.Palette, 216)
	for i := range palette {
		palette[i] = color.RGBA{uint8(i / 36 * 51), uint8(i / 6 % 6 * 51), uint8(i % 6 * 51), 0xff}
	}
	out := image.NewPaletted(img.Rect, palette)
	level := func(v uint8) uint8 { return uint8((int(v) + 25) / 51) }
	for i := range out.Pix {
		p := img.Pix[4*i:][:4:4]
		out.Pix[i] = 36*level(p[0]) + 6*level(p[1]) + level(p[2])
	}
	return out
}

// scaled is the picture in another size, half of the old one at the least; points
// between others are mixed of the four around them.
func scaled(img *image.RGBA, w, h int) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	const one = 1 << 8
	from := func(i, size, of int) (int, int, int) {
		at := max(0, (2*i+1)*of*one/(2*size)-one/2)
		return at / one, min(at/one+1, of-1), at % one
	}
	for y := range h {
		y0, y1, fy := from(y, h, img.Rect.Dy())
		upper, below := img.Pix[y0*img.Stride:], img.Pix[y1*img.Stride:]
		pix := out.Pix[y*out.Stride:]
		for x := range w {
			x0, x1, fx := from(x, w, img.Rect.Dx())
			for k := range 4 {
				a := int(upper[4*x0+k])*(one-fx) + int(upper[4*x1+k])*fx
				b := int(below[4*x0+k])*(one-fx) + int(below[4*x1+k])*fx
				pix[4*x+k] = uint8((a*(one-fy) + b*fy) / (one * one))
			}
		}
	}
	return out
}

// levelled puts each level of red, green and blue to another one.
func levelled(img *image.RGBA, to func(int) int) *image.RGBA {
	var table [256]uint8
	for v := range table {
		table[v] = uint8(min(255, max(0, to(v))))
	}
	out := image.NewRGBA(img.Rect)
	for i, v := range img.Pix {
		if out.Pix[i] = v; i%4 != 3 {
			out.Pix[i] = table[v]
		}
	}
	return out
}

// blurred is the mean over so many points to each side, twice in each direction.
func blurred(img *image.RGBA, reach int) *image.RGBA {
	out, from := image.NewRGBA(img.Rect), image.NewRGBA(img.Rect)
	copy(from.Pix, img.Pix)
	w, h := img.Rect.Dx(), img.Rect.Dy()
	for range 2 {
		for y := range h {
			smooth(out.Pix[y*out.Stride:], from.Pix[y*from.Stride:], w, 4, reach)
		}
		for x := range w {
			smooth(from.Pix[4*x:], out.Pix[4*x:], h, out.Stride, reach)
		}
	}
	return from
}

// smooth is the running mean over n points that lie so many bytes apart.
func smooth(to, from []uint8, n, apart, reach int) {
	for k := range 4 {
		sum, count := 0, 0
		for i := -reach; i < n; i++ {
			if in := i + reach; in < n {
				sum, count = sum+int(from[in*apart+k]), count+1
			}
			if gone := i - reach - 1; gone >= 0 {
				sum, count = sum-int(from[gone*apart+k]), count-1
			}
			if i >= 0 {
				to[i*apart+k] = uint8(sum / count)
			}
		}
	}
}

// otherLogo puts somebody else's logo, an eighth as wide as the picture, into a
// corner.
func otherLogo(img *image.RGBA, r *rand.Rand) *image.RGBA {
	out := image.NewRGBA(img.Rect)
	copy(out.Pix, img.Pix)
	w, h := img.Rect.Dx(), img.Rect.Dy()
	side := w / 8
	at := image.Pt(side/6+r.IntN(4), side/6+r.IntN(4))
	if r.IntN(2) == 0 {
		at.Y = h - side - at.Y
	}
	block(out, image.Rectangle{Min: at, Max: at.Add(image.Pt(side, side*2/3))}, colour(r))
	disc(out, at.Add(image.Pt(side/2, side/3)), side/4, side/4, colour(r))
	return out
}

// subtitled lays a strip with a line of invented letters over the picture, a tenth
// as high and above the banner.
func subtitled(img *image.RGBA, r *rand.Rand) *image.RGBA {
	out := image.NewRGBA(img.Rect)
	copy(out.Pix, img.Pix)
	w, h := img.Rect.Dx(), img.Rect.Dy()
	strip := image.Rect(w/12, h*78/100, w*11/12, h*87/100)
	block(out, strip, color.RGBA{0, 0, 0, 0xff})
	letters := make([]byte, strip.Dx()/14)
	for i := range letters {
		letters[i] = "EXERCISE "[r.IntN(9)]
	}
	write(out, strip.Min.Add(image.Pt(6, strip.Dy()/4)), 2, string(letters), color.RGBA{0xf4, 0xf4, 0xf4, 0xff})
	return out
}

// cropped cuts percent off width and height, more on one side than on the other.
func cropped(img *image.RGBA, percent int, r *rand.Rand) *image.RGBA {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	dx, dy := w*percent/100, h*percent/100
	at := image.Pt(r.IntN(dx+1), r.IntN(dy+1))
	out := image.NewRGBA(image.Rect(0, 0, w-dx, h-dy))
	for y := range h - dy {
		copy(out.Pix[y*out.Stride:][:out.Stride], img.Pix[img.PixOffset(at.X, at.Y+y):])
	}
	return out
}

// letterboxed has black bars above and below, an eighth of the height each.
func letterboxed(img *image.RGBA) *image.RGBA {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	out := image.NewRGBA(image.Rect(0, 0, w, h+h/8*2))
	block(out, out.Rect, color.RGBA{0, 0, 0, 0xff})
	copy(out.Pix[h/8*out.Stride:], img.Pix)
	return out
}

func mirrored(img *image.RGBA) *image.RGBA {
	out := image.NewRGBA(img.Rect)
	w := img.Rect.Dx()
	for y := range img.Rect.Dy() {
		from, to := img.Pix[y*img.Stride:][:4*w], out.Pix[y*out.Stride:][:4*w]
		for x := range w {
			copy(to[4*(w-1-x):][:4], from[4*x:])
		}
	}
	return out
}

// turned is the picture a quarter to the right.
func turned(img *image.RGBA) *image.RGBA {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	out := image.NewRGBA(image.Rect(0, 0, h, w))
	for y := range h {
		for x := range w {
			copy(out.Pix[out.PixOffset(h-1-y, x):][:4], img.Pix[img.PixOffset(x, y):])
		}
	}
	return out
}
