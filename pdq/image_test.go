package pdq

import (
	"errors"
	"image"
	"image/color"
	"image/color/palette"
	"testing"
)

const (
	imageWidth  = 157
	imageHeight = 91
)

// painted fills a picture with colours, some of them transparent where the
// picture can be, and says what their brightness is once transparency is dropped.
func painted(set func(x, y int, c color.NRGBA), alpha bool) []float32 {
	var luma []float32
	shapes := drawn(11, imageWidth, imageHeight)
	for k, v := range shapes {
		c := color.NRGBA{v, uint8(k), 255 - v/2, 255}
		if alpha {
			c.A = uint8(k) / 2
		}
		set(k%imageWidth, k/imageWidth, c)
		luma = append(luma, Luma(c.R, c.G, c.B))
	}
	return luma
}

func TestImagesOfEveryKind(t *testing.T) {
	t.Parallel()
	frame := image.Rect(3, 5, 3+imageWidth, 5+imageHeight)
	type canvas struct {
		img image.Image
		set func(x, y int, c color.NRGBA)
	}
	nrgba, rgba, nrgba64, rgba64 := image.NewNRGBA(frame), image.NewRGBA(frame), image.NewNRGBA64(frame), image.NewRGBA64(frame)
	for name, c := range map[string]struct {
		canvas
		alpha bool
	}{
		"8 bits, alpha": {canvas{nrgba, func(x, y int, c color.NRGBA) { nrgba.SetNRGBA(x+3, y+5, c) }}, true},
		"8 bits":        {canvas{rgba, func(x, y int, c color.NRGBA) { rgba.Set(x+3, y+5, c) }}, false},
		"16 bits, alpha": {canvas{nrgba64, func(x, y int, c color.NRGBA) {
			nrgba64.SetNRGBA64(x+3, y+5, color.NRGBA64{uint16(c.R)<<8 | 77, uint16(c.G)<<8 | 200, uint16(c.B) << 8, uint16(c.A) << 8})
		}}, true},
		"16 bits": {canvas{rgba64, func(x, y int, c color.NRGBA) { rgba64.Set(x+3, y+5, c) }}, false},
	} {
		luma := painted(c.set, c.alpha)
		want, quality, _ := reference(luma, imageHeight, imageWidth)
		got, err := Image(c.img)
		if err != nil || got.Hash != want || got.Quality != quality {
			t.Errorf("%s: %v quality %d, %v; want %v quality %d", name, got.Hash, got.Quality, err, want, quality)
		}
	}
}

func TestBrightnessThatIsStoredIsTakenAsItIs(t *testing.T) {
	t.Parallel()
	y := drawn(12, imageWidth, imageHeight)
	want, quality, _ := reference(floats(y), imageHeight, imageWidth)
	frame := image.Rect(-4, 2, imageWidth-4, imageHeight+2)
	grey, deep, ycc := image.NewGray(frame), image.NewGray16(frame), image.NewYCbCr(frame, image.YCbCrSubsampleRatio420)
	for k, v := range y {
		x, y := k%imageWidth-4, k/imageWidth+2
		grey.SetGray(x, y, color.Gray{v})
		deep.SetGray16(x, y, color.Gray16{uint16(v)<<8 | uint16(k)&0xff})
		ycc.Y[ycc.YOffset(x, y)] = v
	}
	for name, img := range map[string]image.Image{"grey": grey, "16 bits": deep, "YCbCr": ycc} {
		if got, err := Image(img); err != nil || got.Hash != want || got.Quality != quality {
			t.Errorf("%s: %v quality %d, %v; want %v quality %d", name, got.Hash, got.Quality, err, want, quality)
		}
	}
}

func TestPalettesAndInks(t *testing.T) {
	t.Parallel()
	frame := image.Rect(0, 0, imageWidth, imageHeight)
	p, inks := image.NewPaletted(frame, palette.Plan9), image.NewCMYK(frame)
	var luma, inkLuma []float32
	painted(func(x, y int, c color.NRGBA) {
		p.Set(x, y, c)
		inks.Set(x, y, c)
		r, g, b, _ := p.At(x, y).RGBA()
		luma = append(luma, Luma(uint8(r>>8), uint8(g>>8), uint8(b>>8)))
		r, g, b, _ = inks.At(x, y).RGBA()
		inkLuma = append(inkLuma, Luma(uint8(r>>8), uint8(g>>8), uint8(b>>8)))
	}, false)
	for _, c := range []struct {
		img  image.Image
		luma []float32
	}{{p, luma}, {inks, inkLuma}} {
		want, quality, _ := reference(c.luma, imageHeight, imageWidth)
		if got, err := Image(c.img); err != nil || got.Hash != want || got.Quality != quality {
			t.Errorf("%T: %v quality %d, %v; want %v quality %d", c.img, got.Hash, got.Quality, err, want, quality)
		}
	}
	// A point beyond a short palette is black, not the end of the program.
	short := image.NewPaletted(frame, color.Palette{color.White})
	for k := range short.Pix {
		short.Pix[k] = uint8(k)
	}
	if _, err := Image(short); err != nil {
		t.Error(err)
	}
}

func TestPartsAndEmptyImages(t *testing.T) {
	t.Parallel()
	whole := image.NewGray(image.Rect(0, 0, 300, 200))
	for k := range whole.Pix {
		whole.Pix[k] = uint8(k * k)
	}
	part := image.Rect(100, 50, 100+imageWidth, 50+imageHeight)
	var luma []float32
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			luma = append(luma, float32(whole.GrayAt(x, y).Y))
		}
	}
	want, _, _ := reference(luma, imageHeight, imageWidth)
	if got, err := Image(whole.SubImage(part)); err != nil || got.Hash != want {
		t.Errorf("%v, %v; want %v", got.Hash, err, want)
	}
	if _, err := Image(image.NewGray(image.Rectangle{})); !errors.Is(err, ErrSize) {
		t.Errorf("an empty picture: %v", err)
	}
}
