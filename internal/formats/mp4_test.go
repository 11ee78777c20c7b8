package formats_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"
	"testing"

	"concert/internal/formats"
)

// isoBox is a box of an ISO base media file.
func isoBox(kind string, parts ...[]byte) []byte {
	body := slices.Concat(parts...)
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(8+len(body))), kind...), body...)
}

func TestVideoIndexGoesInFront(t *testing.T) {
	t.Parallel()
	ftyp, pictures := isoBox("ftyp", []byte("isomEXER")), []byte("EXERCISE pictures")
	mdat := isoBox("mdat", pictures)
	at := uint32(len(ftyp) + 8) // of the pictures
	moov := isoBox("moov", isoBox("mvhd", []byte("x")), isoBox("trak", isoBox("mdia", isoBox("minf", isoBox("stbl",
		isoBox("stco", binary.BigEndian.AppendUint32([]byte{0, 0, 0, 0, 0, 0, 0, 1}, at)), isoBox("co64", binary.BigEndian.AppendUint64([]byte{0, 0, 0, 0, 0, 0, 0, 1}, uint64(at+9))))))))
	free := isoBox("free", []byte("behind"))
	in := slices.Concat(ftyp, mdat, moov, free)

	pool := newPool(t)
	ordered := func(in []byte) []byte {
		t.Helper()
		r, err := formats.InFront(t.Context(), pool, bytes.NewReader(in), int64(len(in)))
		if err != nil {
			t.Fatal(err)
		}
		out, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	out := ordered(in)
	stco, co64 := bytes.Index(out, []byte("stco")), bytes.Index(out, []byte("co64"))
	if len(out) != len(in) || !bytes.HasPrefix(out[len(ftyp)+4:], []byte("moov")) || !bytes.HasSuffix(out, free) {
		t.Fatalf("%q", out)
	}
	if p := binary.BigEndian.Uint32(out[stco+12:]); !bytes.HasPrefix(out[p:], pictures) {
		t.Errorf("the offset leads to %q", out[p:])
	}
	if p := binary.BigEndian.Uint64(out[co64+12:]); !bytes.HasPrefix(out[p:], pictures[9:]) {
		t.Errorf("the long offset leads to %q", out[p:])
	}
	for name, as := range map[string][]byte{"in order": out, "cut short": in[:len(in)-len(free)-5], "no video": []byte("EXERCISE text, long enough"), "nothing": nil} {
		if !bytes.Equal(ordered(as), as) {
			t.Errorf("%s is changed", name)
		}
	}
	// An index that reaches to the end of the file, whatever its length.
	end := slices.Concat(ftyp, mdat, moov)
	binary.BigEndian.PutUint32(end[len(ftyp)+len(mdat):], 0)
	if !bytes.Equal(ordered(end), out[:len(end)]) {
		t.Error("an index that reaches to the end is not put in front")
	}
	promising := bytes.Clone(in)
	binary.BigEndian.PutUint32(promising[bytes.Index(in, []byte("stco"))+8:], 1000)
	if _, err := formats.InFront(t.Context(), pool, bytes.NewReader(promising), int64(len(promising))); err == nil {
		t.Error("an index that promises more places than it has is taken")
	}
	// Four thousand million boxes of nothing are not all looked at.
	if _, err := formats.InFront(t.Context(), pool, everywhere("\x00\x00\x00\x08free"), 1<<40); err != nil {
		t.Error(err)
	}
}

// everywhere is a file that says the same all over.
type everywhere string

// ReadAt implements io.ReaderAt.
func (e everywhere) ReadAt(p []byte, at int64) (int, error) {
	for i := range p {
		p[i] = e[(at+int64(i))%int64(len(e))]
	}
	return len(p), nil
}

func FuzzMoov(f *testing.F) {
	f.Add(append(make([]byte, 16), isoBox("moov", isoBox("trak", isoBox("mdia", isoBox("minf", isoBox("stbl", isoBox("stco", make([]byte, 12)))))))...))
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x99\x00\x00\x00\x01moov\x00\x00\x00\x00\x00\x00\x00\x10"))
	f.Fuzz(func(t *testing.T, in []byte) {
		n := len(in)
		if out, err := formats.MoovTask(in); err == nil && len(out) != n-16 {
			t.Errorf("%d bytes of %d", len(out), n)
		}
	})
}
