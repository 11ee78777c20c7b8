package formats

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/color/palette"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"concert/internal/sandbox"
	"concert/internal/vault"
	"concert/pdq"
)

// hashSamples are pictures of the reference implementation of PDQ.
const hashSamples = "../../../shared/data/pdq"

// hashCanvas is a picture with something in it, all of it opaque or none.
func hashCanvas(width, height int, alpha uint8) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			m.SetNRGBA(x, y, color.NRGBA{uint8(x * y / 9), uint8(x*x/99 + y), uint8(x ^ y), alpha})
		}
	}
	return m
}

func noError(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func written(t testing.TB, encode func(*bytes.Buffer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	noError(t, encode(&b))
	return b.Bytes()
}

// pictureFiles are one of each format that can be written here, with what is said of them.
func pictureFiles(t testing.TB, width, height int) map[string][]byte {
	t.Helper()
	m, clear := hashCanvas(width, height, 255), hashCanvas(width, height, 90)
	frame := image.NewPaletted(m.Rect, palette.WebSafe)
	deep := image.NewNRGBA64(m.Rect)
	for y := range m.Rect.Dy() {
		for x := range m.Rect.Dx() {
			frame.Set(x, y, m.At(x, y))
			deep.Set(x, y, m.At(x, y))
		}
	}
	moving := &gif.GIF{Image: []*image.Paletted{frame, frame, frame}, Delay: []int{1, 1, 1}}
	return map[string][]byte{
		"a.png":     written(t, func(b *bytes.Buffer) error { return png.Encode(b, m) }),
		"alpha.png": written(t, func(b *bytes.Buffer) error { return png.Encode(b, clear) }),
		"deep.png":  written(t, func(b *bytes.Buffer) error { return png.Encode(b, deep) }),
		"table.png": written(t, func(b *bytes.Buffer) error { return png.Encode(b, frame) }),
		"a.jpg":     written(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, m, &jpeg.Options{Quality: 95}) }),
		"a.gif":     written(t, func(b *bytes.Buffer) error { return gif.EncodeAll(b, moving) }),
		"a.bmp":     written(t, func(b *bytes.Buffer) error { return bmp.Encode(b, m) }),
		"a.tif":     written(t, func(b *bytes.Buffer) error { return tiff.Encode(b, m, &tiff.Options{Compression: tiff.Deflate}) }),
		"deep.tif":  written(t, func(b *bytes.Buffer) error { return tiff.Encode(b, deep, nil) }),
	}
}

func TestPicturesOfEveryFormatAreHashed(t *testing.T) {
	t.Parallel()
	want, err := pdq.Image(hashCanvas(203, 151, 255))
	noError(t, err)
	for name, in := range pictureFiles(t, 203, 151) {
		p := HashPicture(vault.Sniff(in), in)
		got, err := pdq.Parse(p.PDQ)
		frames, limit := 1, 0
		if strings.HasSuffix(name, ".gif") {
			frames = 3
		}
		if strings.HasSuffix(name, ".gif") || name == "table.png" || name == "a.jpg" {
			limit = 24 // colours were lost on the way
		}
		if err != nil || p.Error != "" || p.Width != 203 || p.Height != 151 || p.Frames != frames || got.Distance(want.Hash) > limit {
			t.Errorf("%s, %s: %+v, %d bits from %v: %v", name, vault.Sniff(in), p, got.Distance(want.Hash), want.Hash, err)
		}
	}
}

func TestPicturesOfTheReferenceAreHashedFromTheirFiles(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(hashSamples, "reference.tsv"))
	if err != nil {
		t.Skip("the reference's pictures are not in ../shared/data/pdq beside the repository: nothing to compare with")
	}
	most := 0
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		want, err := pdq.Parse(f[1])
		if err != nil {
			continue // the heading
		}
		in, err := os.ReadFile(filepath.Join(hashSamples, f[0]))
		noError(t, err)
		p := HashPicture(vault.Sniff(in), in)
		got, err := pdq.Parse(p.PDQ)
		if err != nil || got.Distance(want) > 10 {
			t.Errorf("%s: %+v is %d bits from %v", f[0], p, got.Distance(want), want)
		}
		most = max(most, got.Distance(want))
	}
	t.Logf("%d bits at most", most)
}

// What stands for transparency has a colour, and a frame that is smaller than its canvas has a place on it.
func TestFirstFrameOfAGIFIsTheWholeCanvas(t *testing.T) {
	t.Parallel()
	whole := image.NewPaletted(image.Rect(0, 0, 100, 80), color.Palette{color.NRGBA{200, 0, 0, 255}, color.NRGBA{0, 250, 0, 255}, color.NRGBA{}, color.White})
	part := image.NewPaletted(image.Rect(10, 20, 70, 75), whole.Palette)
	for y := 20; y < 75; y++ {
		for x := 10; x < 70; x++ {
			i := uint8((x/7 + y/5) % 4)
			part.SetColorIndex(x, y, i)
			whole.SetColorIndex(x, y, i)
		}
	}
	in := written(t, func(b *bytes.Buffer) error {
		return gif.EncodeAll(b, &gif.GIF{Image: []*image.Paletted{part}, Delay: []int{0}, Config: image.Config{ColorModel: whole.Palette, Width: 100, Height: 80}})
	})
	// The third colour is transparent; in the file it is black. Make it another.
	at := bytes.Index(in, []byte{200, 0, 0, 0, 250, 0})
	copy(in[at+6:], []byte{1, 2, 240})
	whole.Palette[2] = color.NRGBA{1, 2, 240, 255}
	want, err := pdq.Image(whole)
	noError(t, err)
	if p := HashPicture("image/gif", in); p.PDQ != want.Hash.String() || p.Width != 100 || p.Height != 80 || p.Frames != 1 {
		t.Errorf("%+v, want %v", p, want.Hash)
	}
}

// chunkOf is a chunk of a RIFF file.
func chunkOf(kind string, body []byte) []byte {
	out := binary.LittleEndian.AppendUint32([]byte(kind), uint32(len(body)))
	if out = append(out, body...); len(body)&1 == 1 {
		out = append(out, 0)
	}
	return out
}

func TestFramesAreCounted(t *testing.T) {
	t.Parallel()
	still, err := os.ReadFile(filepath.Join(hashSamples, "mode-PA.webp"))
	if err != nil {
		t.Skip("the reference's pictures are not in ../shared/data/pdq beside the repository: no WebP to begin with")
	}
	var inner []byte
	for kind, chunk := range chunks(still[12:]) {
		if kind == "VP8 " || kind == "VP8L" || kind == "ALPH" {
			inner = append(inner, chunkOf(kind, chunk)...)
		}
	}
	frame := chunkOf("ANMF", append(make([]byte, 16), inner...))
	body := append([]byte("WEBP"), chunkOf("VP8X", []byte{2, 0, 0, 0, 0, 0, 0, 0, 0, 0})...)
	body = append(append(append(body, chunkOf("ANIM", make([]byte, 6))...), frame...), frame...)
	moving := chunkOf("RIFF", body)
	one, two := HashPicture("image/webp", still), HashPicture("image/webp", moving)
	if one.Frames != 1 || two.Frames != 2 || one.PDQ == "" || one.PDQ != two.PDQ {
		t.Errorf("still %+v, moving %+v", one, two)
	}

	plain := written(t, func(b *bytes.Buffer) error { return png.Encode(b, hashCanvas(203, 151, 255)) })
	control := []byte("\x00\x00\x00\x08acTL\x00\x00\x00\x07\x00\x00\x00\x00")
	control = binary.BigEndian.AppendUint32(control, crc32.ChecksumIEEE(control[4:]))
	animated := append(append(append([]byte(nil), plain[:33]...), control...), plain[33:]...)
	if p := HashPicture("image/png", animated); p.Frames != 7 || p.PDQ != HashPicture("image/png", plain).PDQ {
		t.Errorf("%+v", p)
	}
}

// A child that its input took over may say anything.
func TestWhatAChildSaysOfAPictureIsRead(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{``, `[]`, `{}`, `{"pdq":"ff"}`, `{"pdq":"` + strings.Repeat("z", 64) + `"}`, `{"error":"x","width":-1}`, `{"error":"x","quality":101}`, `{"error":"x","pdq":"y"}`} {
		if p, err := ReadPicture([]byte(bad)); err == nil {
			t.Errorf("%s: %+v", bad, p)
		}
	}
	p, err := ReadPicture([]byte(`{"width":3,"error":"a\u001b[2Jb"}`))
	if err != nil || p.Error != "a[2Jb" || p.Width != 3 {
		t.Errorf("%+v, %v", p, err)
	}
}

// A child that is gone takes nothing with it but its picture's hash.
func TestDigestsOutliveTheChild(t *testing.T) {
	t.Parallel()
	in := written(t, func(b *bytes.Buffer) error { return png.Encode(b, hashCanvas(20, 20, 255)) })
	pool := &sandbox.Pool{Command: []string{"/bin/false"}}
	defer pool.Close()
	f := (Player{Children: pool}).HashFile(t.Context(), "x", bytes.NewReader(in))
	if f.Error != sandbox.ErrGone.Error() || f.Type != "image/png" || f.Bytes != int64(len(in)) || len(f.SHA256) != 64 || f.PDQ != "" {
		t.Errorf("%+v", f)
	}
	f = (Player{Children: pool}).HashFile(t.Context(), "x", iotest.ErrReader(io.ErrUnexpectedEOF))
	if f.Error == "" || f.SHA256 != "" {
		t.Errorf("%+v", f)
	}
}

// FuzzPicture: no bytes end the program, and there is a hash or a reason.
func FuzzPicture(f *testing.F) {
	for _, in := range pictureFiles(f, 19, 13) {
		f.Add(in)
		f.Add(in[:len(in)/2])
	}
	// A WebP without loss, of one point, and the beginning of one with loss.
	f.Add([]byte("RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"))
	f.Add([]byte("RIFF\x24\x00\x00\x00WEBPVP8 \x18\x00\x00\x00\x30\x01\x00\x9d\x01\x2a\x01\x00\x01\x00\x02\x00\x34\x25\xa4\x00\x03\x70\x00\xfe\xfb\x94\x00\x00"))
	f.Fuzz(func(t *testing.T, in []byte) {
		media := vault.Sniff(in)
		// The decoders' own memory is the child's matter.
		if c, _, err := image.DecodeConfig(bytes.NewReader(in)); err == nil && (c.Width > 4000 || c.Height > 4000 || c.Width*c.Height > 1<<20) {
			return
		}
		p := HashPicture(media, in)
		if (p.PDQ == "") == (p.Error == "") || p.Width < 0 || p.Height < 0 || p.Frames < 0 || p.Quality < 0 || p.Quality > 100 {
			t.Fatalf("%+v", p)
		}
	})
}
