package formats

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"

	"concert/internal/jpegluma"
	"concert/pdq"
)

// Picture is what a child says of a picture file: its PDQ hash, of the points as
// they are stored (docs/hash.md).
type Picture struct {
	PDQ     string `json:"pdq,omitempty"` // hexadecimal (package pdq)
	Quality int    `json:"quality,omitempty"`
	Width   int    `json:"width,omitempty"`
	Height  int    `json:"height,omitempty"`
	Frames  int    `json:"frames,omitempty"` // as the file has them, or begins to have them; the first is hashed
	Error   string `json:"error,omitempty"`  // why there is no hash

	// Turned are the hashes of the picture turned and mirrored, by
	// [pdq.Orientation]: what is asked for, since what is held is not turned.
	Turned []pdq.Hash `json:"turned,omitempty"`
}

// HashPicture hashes a picture of a media type that was found in its bytes. It
// reads hostile input: only ever in a child (package sandbox).
func HashPicture(media string, in []byte) Picture {
	p := Picture{Frames: 1}
	var d pdq.Digest
	var err error
	switch media {
	case "image/jpeg":
		d, err = p.jpeg(in)
	case "image/gif":
		d, err = p.gif(in)
	case "image/webp":
		d, err = p.webp(in)
	default:
		if media == "image/png" {
			p.Frames = framesOfPNG(in)
		}
		d, err = p.decode(in)
	}
	if err != nil {
		p.Error = err.Error()
		if p.Width == 0 {
			p.Frames = 0
		}
		return p
	}
	turned := d.Orientations()
	p.PDQ, p.Quality, p.Turned = d.Hash.String(), d.Quality, turned[:]
	return p
}

// HashTask is HashPicture for a child: the media type, a line feed and the bytes
// in, a Picture as JSON out.
func HashTask(in []byte) ([]byte, error) {
	media, rest, ok := bytes.Cut(in, []byte("\n"))
	if !ok {
		return nil, errors.New("the task names no media type")
	}
	return json.Marshal(HashPicture(string(media), rest))
}

// ReadPicture takes what a child said, which its input may have taken over: what
// is no hash is none.
func ReadPicture(text []byte) (Picture, error) {
	var p Picture
	if err := json.Unmarshal(text, &p); err != nil {
		return Picture{}, fmt.Errorf("picture: %w", err)
	}
	if p.PDQ != "" || p.Error == "" {
		h, err := pdq.Parse(p.PDQ)
		if err != nil {
			return Picture{}, fmt.Errorf("picture: %w", err)
		}
		p.PDQ = h.String()
	}
	if len(p.Turned) > int(pdq.FlipMinus)+1 {
		return Picture{}, errors.New("picture: more than eight ways to turn it")
	}
	if p.Quality < 0 || p.Quality > 100 || p.Width < 0 || p.Height < 0 || p.Frames < 0 {
		return Picture{}, errors.New("picture: numbers that no picture has")
	}
	p.Error, _ = harmless(p.Error, titleMost)
	return p, nil
}

// takes notes the size, and refuses one that is not opened here.
func (p *Picture) takes(width, height int) error {
	p.Width, p.Height = width, height
	if width < 1 || height < 1 || width > pdq.SideMost || height > pdq.SideMost || width*height > PixelsMost {
		return fmt.Errorf("the picture has %d by %d points, and up to %d are opened here", width, height, PixelsMost)
	}
	return nil
}

// jpeg reads brightness alone where it can.
func (p *Picture) jpeg(in []byte) (pdq.Digest, error) {
	l, err := jpegluma.Decode(in, PixelsMost)
	switch {
	case errors.Is(err, jpegluma.ErrUnsupported), errors.Is(err, jpegluma.ErrSize):
		return p.decode(in) // which says the size
	case err != nil:
		if c, _, configErr := image.DecodeConfig(bytes.NewReader(in)); configErr == nil {
			p.Width, p.Height = c.Width, c.Height
		}
		return pdq.Digest{}, fmt.Errorf("the picture cannot be read: %w", err)
	}
	p.Width, p.Height = l.Width, l.Height
	return pdq.Image(&image.Gray{Pix: l.Y, Stride: l.Stride, Rect: image.Rect(0, 0, l.Width, l.Height)})
}

// decode reads a picture with the decoder for its format.
func (p *Picture) decode(in []byte) (pdq.Digest, error) {
	c, _, err := image.DecodeConfig(bytes.NewReader(in))
	if err != nil {
		return pdq.Digest{}, fmt.Errorf("the picture cannot be read: %w", err)
	}
	if err := p.takes(c.Width, c.Height); err != nil {
		return pdq.Digest{}, err
	}
	img, _, err := image.Decode(bytes.NewReader(in))
	if err != nil {
		return pdq.Digest{}, fmt.Errorf("the picture cannot be read: %w", err)
	}
	return pdq.Image(img)
}

// framesOfPNG is what an animated PNG says of itself (acTL, before the picture).
func framesOfPNG(in []byte) int {
	for at := 8; at+16 <= len(in); {
		size, kind := int(binary.BigEndian.Uint32(in[at:])), string(in[at+4:at+8])
		switch kind {
		case "acTL":
			return max(1, int(binary.BigEndian.Uint32(in[at+8:])))
		case "IDAT":
			return 1
		}
		at += size + 12
	}
	return 1
}

// webp reads a still picture, or the first of moving ones, which the decoder
// does not know: it is wrapped anew.
func (p *Picture) webp(in []byte) (pdq.Digest, error) {
	first, frames := framesOfWebP(in)
	if frames > 0 {
		in, p.Frames = first, frames
	}
	c, _, err := image.DecodeConfig(bytes.NewReader(in))
	if err != nil {
		return pdq.Digest{}, fmt.Errorf("the picture cannot be read: %w", err)
	}
	if err := p.takes(c.Width, c.Height); err != nil {
		return pdq.Digest{}, err
	}
	img, _, err := image.Decode(bytes.NewReader(in))
	if err != nil {
		return pdq.Digest{}, fmt.Errorf("the picture cannot be read: %w", err)
	}
	switch m := img.(type) {
	case *image.YCbCr:
		widen(m.Y)
	case *image.NYCbCrA:
		widen(m.Y)
	}
	return pdq.Image(img)
}

// widen turns the brightness of video, 16 to 235, into that of pictures, as
// libwebp computes it for grey.
func widen(y []uint8) {
	var table [256]uint8
	for v := range table {
		table[v] = uint8(max(0, min(255, (v*19077>>8-1160)>>6)))
	}
	for i, v := range y {
		y[i] = table[v]
	}
}

// framesOfWebP counts the frames of a moving picture and makes a file of the
// first; of a still one there are none.
func framesOfWebP(in []byte) (first []byte, frames int) {
	if len(in) < 12 {
		return nil, 0
	}
	for kind, chunk := range chunks(in[12:]) {
		if kind != "ANMF" || len(chunk) < 16 {
			continue
		}
		if frames++; frames > 1 {
			continue
		}
		for kind, inner := range chunks(chunk[16:]) {
			if kind == "VP8 " || kind == "VP8L" {
				first = append([]byte("RIFF\x00\x00\x00\x00WEBP"), kind...)
				first = binary.LittleEndian.AppendUint32(first, uint32(len(inner)))
				first = append(first, inner...)
				if len(inner)&1 == 1 {
					first = append(first, 0)
				}
				binary.LittleEndian.PutUint32(first[4:], uint32(len(first)-8))
				break
			}
		}
	}
	return first, frames
}

// chunks are those of a RIFF file.
func chunks(in []byte) func(yield func(kind string, chunk []byte) bool) {
	return func(yield func(string, []byte) bool) {
		for len(in) >= 8 {
			kind, size := string(in[:4]), int(binary.LittleEndian.Uint32(in[4:]))
			in = in[8:]
			size = min(size, len(in))
			if !yield(kind, in[:size]) {
				return
			}
			in = in[min(size+size&1, len(in)):]
		}
	}
}

// gif reads the first frame on its canvas, with the colour that stands for
// transparency as it is in the table.
func (p *Picture) gif(in []byte) (pdq.Digest, error) {
	g := framesOfGIF(in)
	p.Frames = g.frames
	if err := p.takes(g.width, g.height); err != nil {
		return pdq.Digest{}, err
	}
	img, err := gif.Decode(bytes.NewReader(in))
	if err != nil {
		return pdq.Digest{}, fmt.Errorf("the picture cannot be read: %w", err)
	}
	frame, ok := img.(*image.Paletted)
	if !ok || len(g.table) == 0 {
		return pdq.Image(img)
	}
	frame.Palette = g.table
	canvas := image.Rect(0, 0, g.width, g.height)
	if frame.Rect == canvas {
		return pdq.Image(frame)
	}
	whole := image.NewPaletted(canvas, g.table)
	for i := range whole.Pix {
		whole.Pix[i] = g.background
	}
	for y := frame.Rect.Min.Y; y < frame.Rect.Max.Y; y++ {
		copy(whole.Pix[whole.PixOffset(frame.Rect.Min.X, y):], frame.Pix[frame.PixOffset(frame.Rect.Min.X, y):][:frame.Rect.Dx()])
	}
	return pdq.Image(whole)
}

// gifFrames is what a GIF's blocks say without a picture being made: however
// many frames there are, each is only stepped over.
type gifFrames struct {
	width, height, frames int
	table                 color.Palette // of the first frame
	background            uint8
}

func framesOfGIF(in []byte) gifFrames {
	var g gifFrames
	if len(in) < 13 {
		return g
	}
	g.width, g.height = int(binary.LittleEndian.Uint16(in[6:])), int(binary.LittleEndian.Uint16(in[8:]))
	flags, background := in[10], in[11]
	in = in[13:]
	table := func(flags byte) color.Palette {
		if flags&0x80 == 0 {
			return nil
		}
		n := min(2<<(flags&7), len(in)/3)
		p := make(color.Palette, n)
		for i := range p {
			p[i] = color.NRGBA{in[3*i], in[3*i+1], in[3*i+2], 255}
		}
		in = in[3*n:]
		return p
	}
	global := table(flags)
	for len(in) > 0 {
		switch in[0] {
		case 0x21:
			in = in[min(2, len(in)):]
		case 0x2c:
			if len(in) < 10 {
				return g
			}
			flags := in[9]
			in = in[10:]
			local := table(flags)
			if g.frames++; g.frames == 1 {
				if g.table = local; local == nil {
					g.table, g.background = global, background
				}
			}
			in = in[min(1, len(in)):]
		default:
			return g
		}
		for len(in) > 0 {
			n := int(in[0])
			in = in[min(1+n, len(in)):]
			if n == 0 {
				break
			}
		}
	}
	return g
}
