package inflate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"compress/flate"
	"compress/gzip"
)

// samples are texts of every kind of block, match and size.
func samples() map[string][]byte {
	r := rand.New(rand.NewPCG(5, 6))
	noise := make([]byte, 300_000)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	var log bytes.Buffer
	for i := range 9_000 {
		fmt.Fprintf(&log, "192.0.2.%d - - [17/May/2015:10:%02d:43 +0000] \"GET /%x HTTP/1.1\" 200 %d\n", r.IntN(250), i/60%60, r.Uint32(), r.IntN(1e6))
	}
	letters := make([]byte, 200_000)
	for i := range letters {
		letters[i] = byte(r.ExpFloat64() * 9) // long codes
	}
	return map[string][]byte{"nothing": nil, "one": {'x'}, "noise": noise, "log": log.Bytes(), "letters": letters, "zeros": make([]byte, 700_000), "threes": []byte(strings.Repeat("abc", 200_000))}
}

func pack(t testing.TB, level int, texts ...[]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	for _, text := range texts {
		z, err := gzip.NewWriterLevel(&out, level)
		if err != nil {
			t.Fatal(err)
		}
		z.Name, z.Extra = "EXERCISE", []byte{1, 2, 3}
		if _, err := z.Write(text); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

func unpack(r io.Reader) ([]byte, error) {
	z, err := NewGzip(r)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

func TestEveryLevelAndKindOfTextComesBack(t *testing.T) {
	t.Parallel()
	all := samples()
	for name, text := range all {
		for _, level := range []int{gzip.NoCompression, gzip.BestSpeed, gzip.DefaultCompression, gzip.BestCompression, gzip.HuffmanOnly} {
			packed := pack(t, level, text, all["one"], text)
			for _, r := range []io.Reader{bytes.NewReader(packed), iotest.DataErrReader(bytes.NewReader(packed)), iotest.HalfReader(bytes.NewReader(packed))} {
				got, err := unpack(r)
				if want := bytes.Join([][]byte{text, text}, []byte("x")); err != nil || !bytes.Equal(got, want) {
					t.Fatalf("%s, level %d: %d bytes of %d, %v", name, level, len(got), len(want), err)
				}
			}
		}
	}
	got, err := unpack(iotest.OneByteReader(bytes.NewReader(pack(t, 6, all["log"]))))
	if err != nil || !bytes.Equal(got, all["log"]) {
		t.Fatalf("byte by byte: %d bytes, %v", len(got), err)
	}
}

// What came before an early end or damage is given, to the last byte that the
// standard library gives.
func TestEarlyEndsAndDamage(t *testing.T) {
	t.Parallel()
	text := samples()["log"][:5_000]
	packed := pack(t, 6, text)
	for cut := range len(packed) {
		agree(t, packed[:cut])
	}
	for i := 0; i < len(packed); i++ {
		for _, flip := range []byte{1, 0x10, 0xff} {
			bad := bytes.Clone(packed)
			bad[i] ^= flip
			agree(t, bad)
		}
	}
	agree(t, append(bytes.Clone(packed), "something else"...))
	agree(t, append(bytes.Clone(packed), 0, 0))
	broken := errors.New("the medium failed")
	if _, err := unpack(io.MultiReader(bytes.NewReader(packed[:700]), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("a medium that fails: %v", err)
	}
}

// agree holds the answer to bytes against the standard library's.
func agree(t testing.TB, packed []byte) {
	t.Helper()
	got, err := unpack(bytes.NewReader(packed))
	var want []byte
	z, wrong := gzip.NewReader(bytes.NewReader(packed))
	if wrong == nil {
		want, wrong = io.ReadAll(z)
	}
	var at flate.CorruptInputError
	switch {
	case wrong == nil && err == nil, wrong == io.EOF && err == io.EOF:
	case errors.Is(wrong, io.ErrUnexpectedEOF) && errors.Is(err, io.ErrUnexpectedEOF):
	case (errors.As(wrong, &at) || errors.Is(wrong, gzip.ErrHeader) || errors.Is(wrong, gzip.ErrChecksum)) && errors.Is(err, ErrCorrupt):
	default:
		t.Fatalf("%x…: %v, the standard library says %v", packed[:min(len(packed), 40)], err, wrong)
	}
	// At an early end the standard library waits for as many bits as the end of a block has, this one only for the symbol's own.
	if early := errors.Is(wrong, io.ErrUnexpectedEOF); !bytes.HasPrefix(got, want) || len(got) > len(want) && !early || len(got) > len(want)+15*258 {
		t.Fatalf("%x…: %d bytes, the standard library gives %d (%v)", packed[:min(len(packed), 40)], len(got), len(want), wrong)
	}
}

// FuzzGzip holds members of any bytes against the standard library.
func FuzzGzip(f *testing.F) {
	text := samples()["log"][:2_000]
	for level := gzip.HuffmanOnly; level <= gzip.BestCompression; level++ {
		f.Add(pack(f, level, text))
	}
	f.Fuzz(func(t *testing.T, packed []byte) {
		if len(packed) < 1<<16 {
			agree(t, packed)
			// As a block alone, so that no checksum hides what was decoded.
			head := []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff}
			agree(t, append(head, packed...))
		}
	})
}

func BenchmarkGzip(b *testing.B) {
	packed := pack(b, 6, bytes.Repeat(samples()["log"], 20))
	b.SetBytes(int64(20 * len(samples()["log"])))
	for b.Loop() {
		z, err := NewGzip(bytes.NewReader(packed))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, z); err != nil {
			b.Fatal(err)
		}
	}
}
