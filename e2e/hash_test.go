package e2e

import (
	"bytes"
	"compress/zlib"
	endian "encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"concert/internal/formats"
	"concert/internal/testkit"
)

// hashed is what the command says of a directory, by file name; it must speak of each file once and in order.
func hashed(t *testing.T, dir string, code int) map[string]formats.FileHash {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program(t), "hash", dir)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	got := 0
	if x := new(exec.ExitError); errors.As(err, &x) {
		got = x.ExitCode()
	} else {
		testkit.Must(t, err)
	}
	if got != code {
		t.Fatalf("exit code %d, want %d: %s", got, code, errs.String())
	}
	found := map[string]formats.FileHash{}
	last := ""
	for line := range bytes.Lines(out) {
		var f formats.FileHash
		if err := json.Unmarshal(line, &f); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if f.File <= last {
			t.Errorf("%s comes after %s", f.File, last)
		}
		last = f.File
		found[filepath.Base(f.File)] = f
	}
	return found
}

func patterned(width, height int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			m.SetNRGBA(x, y, color.NRGBA{uint8(x * y / 9), uint8(x*x/99 + y), uint8(x ^ y), 255})
		}
	}
	return m
}

// picture encodes what a function writes.
func picture(t *testing.T, encode func(*bytes.Buffer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	testkit.Must(t, encode(&b))
	return b.Bytes()
}

// pngOf is a PNG that says what it likes of its size and depth.
func pngOf(width, height uint32, depth, kind byte, data []byte) []byte {
	out := []byte("\x89PNG\r\n\x1a\n")
	chunk := func(kind string, body []byte) {
		out = endian.BigEndian.AppendUint32(out, uint32(len(body)))
		at := len(out)
		out = append(append(out, kind...), body...)
		out = endian.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[at:]))
	}
	head := endian.BigEndian.AppendUint32(endian.BigEndian.AppendUint32(nil, width), height)
	chunk("IHDR", append(head, depth, kind, 0, 0, 0))
	chunk("IDAT", data)
	chunk("IEND", nil)
	return out
}

// zeros are so many bytes of nothing, compressed to almost nothing.
func zeros(t *testing.T, n int) []byte {
	t.Helper()
	return picture(t, func(b *bytes.Buffer) error {
		z := zlib.NewWriter(b)
		if _, err := z.Write(make([]byte, n)); err != nil {
			return err
		}
		return z.Close()
	})
}

// sized changes the size in the frame header of a JPEG.
func sized(in []byte, width, height uint16) []byte {
	out := bytes.Clone(in)
	at := bytes.Index(out, []byte{0xff, 0xc0})
	endian.BigEndian.PutUint16(out[at+5:], height)
	endian.BigEndian.PutUint16(out[at+7:], width)
	return out
}

// tiffOf is a little-endian TIFF of one directory with the tags (number, type 4, one value) and what follows.
func tiffOf(tags [][2]uint32, next uint32) []byte {
	out := []byte("II*\x00\x08\x00\x00\x00")
	out = endian.LittleEndian.AppendUint16(out, uint16(len(tags)))
	for _, tag := range tags {
		out = endian.LittleEndian.AppendUint16(out, uint16(tag[0]))
		out = endian.LittleEndian.AppendUint16(out, 4)
		out = endian.LittleEndian.AppendUint32(endian.LittleEndian.AppendUint32(out, 1), tag[1])
	}
	return endian.LittleEndian.AppendUint32(out, next)
}

// scansOf is a progressive JPEG of 36 million points that says in each of many short scans that nothing changes.
func scansOf(n int) []byte {
	out := append([]byte("\xff\xd8\xff\xdb\x00\x43\x00"), bytes.Repeat([]byte{1}, 64)...)
	out = append(out, "\xff\xc2\x00\x0b\x08\x17\x70\x17\x70\x01\x01\x11\x00"...)
	// One code of one bit: a run of at least 16,384 blocks.
	out = append(append(append(out, "\xff\xc4\x00\x14\x10\x01"...), make([]byte, 15)...), 0xe0)
	scan := append([]byte("\xff\xda\x00\x08\x01\x01\x00\x01\x3f\x00"), make([]byte, 80)...)
	return append(out, bytes.Repeat(scan, n)...)
}

// hostileFiles are pictures that lie, break off or never end.
func hostileFiles(t *testing.T) map[string][]byte {
	t.Helper()
	m := patterned(120, 90)
	jpg := picture(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, m, nil) })
	whole := map[string][]byte{
		"jpg": jpg,
		"png": picture(t, func(b *bytes.Buffer) error { return png.Encode(b, m) }),
		"gif": picture(t, func(b *bytes.Buffer) error { return gif.Encode(b, m, nil) }),
		"bmp": picture(t, func(b *bytes.Buffer) error { return bmp.Encode(b, m) }),
		"tif": picture(t, func(b *bytes.Buffer) error { return tiff.Encode(b, m, nil) }),
	}
	files := map[string][]byte{"empty": {}, "webp-short.webp": []byte("RIFF\xff\xff\xff\xffWEBPVP8X\x0a\x00\x00\x00\x02\x00\x00\x00\xff\xff\xff\xff\xff\xff")}
	for kind, in := range whole {
		files["cut."+kind] = in[:len(in)*2/3]
		files["head."+kind] = in[:20]
		noise := bytes.Clone(in)
		for i := 60; i < len(noise); i += 7 {
			noise[i] ^= byte(i * 31)
		}
		files["noise."+kind] = noise
	}
	files["large.jpg"] = sized(jpg, 65535, 65535)
	files["narrow.jpg"] = sized(jpg, 1, 65535)
	files["bomb.png"] = pngOf(60000, 60000, 8, 6, zeros(t, 1<<20))
	files["bomb-inside.png"] = pngOf(6000, 6600, 16, 6, zeros(t, 64<<20))
	files["lie.png"] = pngOf(1<<31-1, 1<<31-1, 8, 0, zeros(t, 10))
	files["huge.gif"] = append(append([]byte("GIF89a\xff\xff\xff\xff\x80\x00\x00\x00\x00\x00\xff\xff\xff"), ","...), make([]byte, 40)...)
	files["huge.bmp"] = append([]byte("BM\xff\xff\xff\x7f\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00\xff\xff\xff\x7f\xff\xff\xff\x7f\x01\x00\x18\x00"), make([]byte, 60)...)
	files["circle.tif"] = tiffOf([][2]uint32{{256, 100}, {257, 100}, {258, 8}, {259, 1}, {262, 1}, {273, 8}, {277, 1}, {278, 100}, {279, 1 << 30}}, 8)
	files["huge.tif"] = tiffOf([][2]uint32{{256, 1 << 31}, {257, 1 << 31}, {258, 16}, {259, 8}, {262, 1}, {273, 8}, {277, 1}, {278, 1}, {279, 100}}, 0)
	files["scans.jpg"] = scansOf(20_000)
	return files
}

// harmlessFiles are odd, and hashed all the same.
func harmlessFiles(t *testing.T) map[string][]byte {
	t.Helper()
	m := patterned(120, 90)
	png1 := picture(t, func(b *bytes.Buffer) error { return png.Encode(b, m) })
	files := map[string][]byte{"good.png": png1, "wrongly-named.txt": png1}
	files["polyglot.png"] = append(bytes.Clone(png1), "PK\x03\x04<script>EXERCISE</script>"...)
	frame := image.NewPaletted(image.Rect(0, 0, 2, 2), color.Palette{color.Black, color.White})
	endless := &gif.GIF{LoopCount: 0, Image: make([]*image.Paletted, 50_000), Delay: make([]int, 50_000)}
	for i := range endless.Image {
		endless.Image[i] = frame
	}
	files["endless.gif"] = picture(t, func(b *bytes.Buffer) error { return gif.EncodeAll(b, endless) })
	files["tall.png"] = picture(t, func(b *bytes.Buffer) error { return png.Encode(b, image.NewGray(image.Rect(0, 0, 1, 65535))) })
	files["black.png"] = picture(t, func(b *bytes.Buffer) error { return png.Encode(b, image.NewGray(image.Rect(0, 0, 6000, 6000))) })
	return files
}

// TestHostileFiles gives the command a directory of files that were made to end it: each has its answer, and the others have theirs.
func TestHostileFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	bad, good := hostileFiles(t), harmlessFiles(t)
	for _, files := range []map[string][]byte{bad, good} {
		for name, in := range files {
			testkit.Must(t, os.WriteFile(filepath.Join(dir, name), in, 0o600))
		}
	}
	testkit.Must(t, syscall.Mkfifo(filepath.Join(dir, "pipe.png"), 0o600))
	bad["pipe.png"] = nil
	found := hashed(t, dir, 1)
	for name := range bad {
		f, ok := found[name]
		switch {
		case !ok:
			t.Errorf("%s: nothing is said", name)
		case strings.HasPrefix(name, "noise."): // may be a picture still
			if (f.PDQ == "") == (f.Error == "") {
				t.Errorf("%s: %+v", name, f)
			}
		case f.Error == "" || f.PDQ != "":
			t.Errorf("%s: %+v", name, f)
		case name != "pipe.png" && (len(f.SHA256) != 64 || len(f.MD5) != 32 || len(f.SHA1) != 40):
			t.Errorf("%s has no digests: %+v", name, f)
		default:
			t.Logf("%s: %d by %d: %s", name, f.Width, f.Height, f.Error)
		}
	}
	for name := range good {
		if f := found[name]; f.Error != "" || len(f.PDQ) != 64 {
			t.Errorf("%s: %+v", name, f)
		}
	}
	if a, b, c := found["good.png"], found["polyglot.png"], found["wrongly-named.txt"]; a.PDQ != b.PDQ || a.PDQ != c.PDQ || a.SHA256 == b.SHA256 {
		t.Errorf("one picture, three hashes: %v %v %v", a, b, c)
	}
	if f := found["endless.gif"]; f.Frames != 50_000 {
		t.Errorf("%d frames", f.Frames)
	}
	if f := found["tall.png"]; f.Width != 1 || f.Height != 65535 || f.Quality != 0 {
		t.Errorf("%+v", f)
	}
	if len(found) != len(bad)+len(good) {
		t.Errorf("%d answers for %d files", len(found), len(bad)+len(good))
	}
}
