package exercise

import (
	"image"
	"image/color"
	"math/rand/v2"
)

// canvases are the sizes of invented pictures, as they go round.
var canvases = [4]image.Point{{X: 480, Y: 360}, {X: 480, Y: 270}, {X: 400, Y: 400}, {X: 360, Y: 480}}

// drawn is an invented picture of a work: a ground of colours that run into each
// other, shapes on it, the outlet's invented mark in a corner and a banner that says
// EXERCISE. Equal seeds give equal pictures; nothing in it is of anything real.
func drawn(seed uint64, outlet int) *image.RGBA {
	r := rand.New(rand.NewPCG(seed, 0))
	size := canvases[r.IntN(len(canvases))]
	img := image.NewRGBA(image.Rectangle{Max: size})
	ground(img, r)
	shapes(img, r, 7+r.IntN(7))
	stamp(img, outlet)
	banner(img)
	return img
}

func colour(r *rand.Rand) color.RGBA {
	v := r.Uint32()
	return color.RGBA{uint8(v), uint8(v >> 8), uint8(v >> 16), 0xff}
}

// ground fills the picture with colours that run from one point of a coarse grid to
// the next.
func ground(img *image.RGBA, r *rand.Rand) {
	cols, rows := 3+r.IntN(4), 3+r.IntN(4)
	grid := make([]color.RGBA, cols*rows)
	for i := range grid {
		grid[i] = colour(r)
	}
	w, h := img.Rect.Dx(), img.Rect.Dy()
	const one = 1 << 8
	line := make([][3]int, cols)
	for y := range h {
		at := y * (rows - 1) * one / h
		upper, below := grid[at/one*cols:], at%one
		for i := range line {
			a, b := upper[i], upper[i+cols]
			line[i] = [3]int{between(a.R, b.R, below), between(a.G, b.G, below), between(a.B, b.B, below)}
		}
		pix := img.Pix[y*img.Stride:][:4*w]
		for x := range w {
			at := x * (cols - 1) * one / w
			a, b, right := &line[at/one], &line[at/one+1], at%one
			p := pix[4*x:][:4:4]
			for k := range 3 {
				p[k] = uint8((a[k]*(one-right) + b[k]*right) / one)
			}
			p[3] = 0xff
		}
	}
}

func between(a, b uint8, of256 int) int { return (int(a)*(256-of256) + int(b)*of256) / 256 }

// shapes lays discs, blocks, bars and striped blocks over the picture.
func shapes(img *image.RGBA, r *rand.Rand, n int) {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	for range n {
		c := colour(r)
		at := image.Pt(r.IntN(w), r.IntN(h))
		size := image.Pt(w/12+r.IntN(w/3), h/12+r.IntN(h/3))
		switch r.IntN(4) {
		case 0:
			disc(img, at, size.X/2, size.Y/2, c)
		case 1:
			block(img, image.Rectangle{Min: at, Max: at.Add(size)}, c)
		case 2:
			bar(img, at, image.Pt(r.IntN(w), r.IntN(h)), 3+r.IntN(w/24), c)
		case 3:
			step := 6 + r.IntN(14)
			for y := at.Y; y < at.Y+size.Y; y += 2 * step {
				block(img, image.Rect(at.X, y, at.X+size.X, y+step), c)
			}
		}
	}
}

// block fills a rectangle as far as it is inside the picture.
func block(img *image.RGBA, at image.Rectangle, c color.RGBA) {
	at = at.Intersect(img.Rect)
	for y := at.Min.Y; y < at.Max.Y; y++ {
		row(img, y, at.Min.X, at.Max.X, c)
	}
}

// row fills a line from x to before end, both inside the picture.
func row(img *image.RGBA, y, x, end int, c color.RGBA) {
	pix := img.Pix[img.PixOffset(x, y):img.PixOffset(end, y)]
	for i := 0; i+3 < len(pix); i += 4 {
		pix[i], pix[i+1], pix[i+2], pix[i+3] = c.R, c.G, c.B, c.A
	}
}

// disc fills an ellipse.
func disc(img *image.RGBA, middle image.Point, rx, ry int, c color.RGBA) {
	for dy := -ry; dy <= ry; dy++ {
		y := middle.Y + dy
		if y < 0 || y >= img.Rect.Dy() {
			continue
		}
		half := 0 // the widest that is still inside; widths change little from line to line
		for half < rx && (half+1)*(half+1)*ry*ry+dy*dy*rx*rx <= rx*rx*ry*ry {
			half++
		}
		x, end := max(0, middle.X-half), min(img.Rect.Dx(), middle.X+half+1)
		if x < end {
			row(img, y, x, end, c)
		}
	}
}

// bar draws a thick line.
func bar(img *image.RGBA, from, to image.Point, thick int, c color.RGBA) {
	d := to.Sub(from)
	steps := max(1, max(d.X, -d.X, d.Y, -d.Y)/max(1, thick/2))
	for i := range steps + 1 {
		at := from.Add(d.Mul(i).Div(steps))
		block(img, image.Rectangle{Min: at, Max: at.Add(image.Pt(thick, thick))}, c)
	}
}

// markColours are those of the invented outlets' marks.
var markColours = [6]color.RGBA{
	{0xd4, 0x1f, 0x3a, 0xff}, {0x14, 0x6c, 0x43, 0xff}, {0x1d, 0x3f, 0xa8, 0xff}, {0xe0, 0x9a, 0x12, 0xff}, {0x6b, 0x2a, 0x8c, 0xff}, {0x18, 0x84, 0x9c, 0xff},
}

// stamp is the outlet's mark: a disc of its colour in the upper right corner with as
// many blocks inside as its number has.
func stamp(img *image.RGBA, outlet int) {
	side := img.Rect.Dx() / 9
	middle := image.Pt(img.Rect.Dx()-side, side)
	disc(img, middle, side*2/3, side*2/3, color.RGBA{0xff, 0xff, 0xff, 0xff})
	disc(img, middle, side/2, side/2, markColours[outlet%len(markColours)])
	for i := range 1 + outlet/len(markColours) {
		at := middle.Add(image.Pt(-side/4, -side/4+i*side/5))
		block(img, image.Rectangle{Min: at, Max: at.Add(image.Pt(side/2, side/10))}, color.RGBA{0xff, 0xff, 0xff, 0xff})
	}
}

// banner writes EXERCISE on a dark strip at the foot.
func banner(img *image.RGBA) {
	h := img.Rect.Dy()
	strip := image.Rect(0, h-h/11, img.Rect.Dx(), h)
	block(img, strip, color.RGBA{0x10, 0x10, 0x10, 0xff})
	write(img, image.Pt(strip.Min.X+8, strip.Min.Y+h/60), max(1, h/120), "EXERCISE", color.RGBA{0xff, 0xe0, 0x40, 0xff})
}

// write writes capital letters of which each point is a block of so many points.
func write(img *image.RGBA, at image.Point, points int, text string, c color.RGBA) {
	for _, letter := range text {
		for y, bits := range glyph(letter) {
			for x := range 5 {
				if bits&(0x10>>x) != 0 {
					p := at.Add(image.Pt(x*points, y*points))
					block(img, image.Rectangle{Min: p, Max: p.Add(image.Pt(points, points))}, c)
				}
			}
		}
		at.X += 6 * points
	}
}

// glyph is a letter, five points wide, from the top; what it does not know is a gap.
func glyph(letter rune) [7]uint8 {
	switch letter {
	case 'C':
		return [7]uint8{0x0e, 0x11, 0x10, 0x10, 0x10, 0x11, 0x0e}
	case 'E':
		return [7]uint8{0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x1f}
	case 'I':
		return [7]uint8{0x0e, 0x04, 0x04, 0x04, 0x04, 0x04, 0x0e}
	case 'R':
		return [7]uint8{0x1e, 0x11, 0x11, 0x1e, 0x14, 0x12, 0x11}
	case 'S':
		return [7]uint8{0x0f, 0x10, 0x10, 0x0e, 0x01, 0x01, 0x1e}
	case 'X':
		return [7]uint8{0x11, 0x11, 0x0a, 0x04, 0x0a, 0x11, 0x11}
	}
	return [7]uint8{}
}
