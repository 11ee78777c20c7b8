package formats

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"
)

func drawn(w, h int) []byte {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := range m.Pix {
		m.Pix[i] = byte(i)
	}
	m.Set(0, 0, color.White)
	var out bytes.Buffer
	if err := png.Encode(&out, m); err != nil {
		panic(err)
	}
	return out.Bytes()
}

func TestPicturesAreDrawnAnewAndSmaller(t *testing.T) {
	t.Parallel()
	r, err := Render("image/png", append(drawn(3000, 400), "<script>alert(1)</script>"...))
	if err != nil {
		t.Fatal(err)
	}
	large, err := jpeg.Decode(bytes.NewReader(r.Picture))
	if err != nil || large.Bounds().Dx() != pictureSide || r.Width != 3000 || r.Height != 400 {
		t.Errorf("%v, %v", large.Bounds(), err)
	}
	small, err := png.Decode(bytes.NewReader(r.Small))
	if err != nil || small.Bounds().Dx() != smallSide {
		t.Errorf("%v, %v", small.Bounds(), err)
	}
	if bytes.Contains(r.Picture, []byte("script")) {
		t.Error("what followed the picture is in the preview")
	}
	if r, err := Render("image/png", drawn(1, 1)); err != nil || r.Width != 1 {
		t.Errorf("one point: %v", err)
	}
	var moving bytes.Buffer
	if err := gif.EncodeAll(&moving, &gif.GIF{Image: []*image.Paletted{image.NewPaletted(image.Rect(0, 0, 4, 4), color.Palette{color.Black, color.White})}, Delay: []int{0}}); err != nil {
		t.Fatal(err)
	}
	if r, err := Render("image/gif", moving.Bytes()); err != nil || len(r.Picture) == 0 {
		t.Errorf("a moving picture: %v", err)
	}
}

// bomb is a PNG that says it has so many points and holds none.
func bomb(side uint32) []byte {
	out := []byte("\x89PNG\r\n\x1a\n")
	head := append([]byte("IHDR"), binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, side), side)...)
	head = append(head, 8, 2, 0, 0, 0)
	out = binary.BigEndian.AppendUint32(out, 13)
	return binary.BigEndian.AppendUint32(append(out, head...), crc32.ChecksumIEEE(head))
}

func TestHostilePicturesAreRefused(t *testing.T) {
	t.Parallel()
	for name, in := range map[string][]byte{"bomb": bomb(1 << 16), "huge": bomb(1<<31 - 1), "cut": drawn(100, 100)[:200], "empty": nil, "text": []byte("no picture")} {
		if r, err := Render("image/png", in); err == nil || len(r.Picture) > 0 {
			t.Errorf("%s: %d by %d, %v", name, r.Width, r.Height, err)
		}
	}
}

func TestSavedPagesBecomePlainText(t *testing.T) {
	t.Parallel()
	page := "<!doctype html><html><head><title>EXERCISE &amp; title</title><style>p{}</style><script>evil()</script></head><body><h1>Head</h1><p>one\u202etwo<br>three<noscript>hidden</noscript><p>four\x07</body>"
	r, err := Render("text/html", []byte(page))
	if err != nil || r.Title != "EXERCISE & title" || r.Text != "Head\nonetwo\nthree\nfour" || r.More {
		t.Errorf("%q: %q, %t, %v", r.Title, r.Text, r.More, err)
	}
	if r, _ := Render("text/html", []byte("<p>"+strings.Repeat("word ", 50_000))); !r.More || len(r.Text) > textMost {
		t.Errorf("a long page: %d, more %t", len(r.Text), r.More)
	}
	if r, _ := Render("text/html", bytes.Repeat([]byte("<div>"), 1<<18)); len(r.Text) > textMost {
		t.Error("a deep page has a long text")
	}
	whole := "From: <Saved by EXERCISE>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=\"B\"\r\n\r\n--B\r\nContent-Type: image/png\r\n\r\nxx\r\n--B\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<title>EXERCISE=20saved</title><p>te=\r\nxt\r\n--B--\r\n"
	if r, err := Render("multipart/related", []byte(whole)); err != nil || r.Title != "EXERCISE saved" || r.Text != "text" {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := Render("application/pdf", nil); err == nil {
		t.Error("there is a preview of a PDF")
	}
}

func FuzzRender(f *testing.F) {
	f.Add("image/png", drawn(3, 3))
	f.Add("text/html", []byte("<title>x</title><p>y"))
	f.Add("multipart/related", []byte("Content-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\nx"))
	f.Add("application/warc", []byte(archive()))
	f.Fuzz(func(t *testing.T, media string, in []byte) {
		r, err := Render(media, in)
		if err == nil && len([]rune(r.Text)) > textMost {
			t.Errorf("%d characters", len(r.Text))
		}
	})
}
