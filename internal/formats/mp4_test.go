package formats_test

import (
	"bytes"
	"encoding/binary"
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

	ordered := func(in []byte) []byte {
		t.Helper()
		text, err := formats.MoovTask(in)
		if err != nil {
			t.Fatal(err)
		}
		m, err := formats.ReadMoov(text, len(in))
		if err != nil {
			t.Fatal(err)
		}
		return m.Ordered(in)
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
	for _, said := range []string{`{"at":5,"from":3,"to":3}`, `{"at":0,"from":0,"to":99,"index":""}`, `{"at":-1}`, `[`} {
		if _, err := formats.ReadMoov([]byte(said), 10); err == nil {
			t.Errorf("%s is taken", said)
		}
	}
}

func FuzzMoov(f *testing.F) {
	f.Add(slices.Concat(isoBox("mdat", []byte("x")), isoBox("moov", isoBox("trak", isoBox("mdia", isoBox("minf", isoBox("stbl", isoBox("stco", make([]byte, 12)))))))))
	f.Add([]byte("\x00\x00\x00\x01mdat\x00\x00\x00\x00\x00\x00\x00\x10\x00\x00\x00\x00moov"))
	f.Fuzz(func(t *testing.T, in []byte) {
		text, err := formats.MoovTask(in)
		if err != nil {
			return
		}
		m, err := formats.ReadMoov(text, len(in))
		if err != nil {
			t.Fatal(err)
		}
		if out := m.Ordered(in); len(out) != len(in) {
			t.Errorf("%d bytes of %d", len(out), len(in))
		}
	})
}
