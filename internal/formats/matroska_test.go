package formats

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

// mk is an element with a size of one byte.
func mk(id string, parts ...[]byte) []byte {
	body := slices.Concat(parts...)
	return append(append([]byte(id), 0x80|byte(len(body))), body...)
}

const (
	segment = "\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff" // without an end
	cluster = "\x1f\x43\xb6\x75\xff"
)

// greyFilm is a stream of two frames of 3 by 2 points, 40 ms apart.
func greyFilm() []byte {
	frame := func(ms byte) []byte { return mk("\xa3", []byte{0x81, 0, ms, 0x80}, []byte("EXERCI")) }
	return slices.Concat([]byte(segment), mk("\xec", make([]byte, 9)), mk("\x16\x54\xae\x6b", mk("\xae", mk("\x23\xe3\x83", []byte{2, 98, 90, 0}), mk("\xe0", mk("\xb0", []byte{3}), mk("\xba", []byte{2})))),
		[]byte(cluster), mk("\xe7", []byte{1, 0}), frame(0), frame(40))
}

func TestGreyFramesAreRead(t *testing.T) {
	t.Parallel()
	var at []int64
	err := readGrey(bytes.NewReader(greyFilm()), func(s greyStream, ms int64, grey []byte) error {
		if s.Width != 3 || s.Height != 2 || s.Rate != 25 || string(grey) != "EXERCI" {
			t.Errorf("%+v %q", s, grey)
		}
		at = append(at, ms)
		return nil
	})
	if err != nil || !slices.Equal(at, []int64{256, 296}) {
		t.Errorf("%v, %v", at, err)
	}
	enough := errors.New("enough")
	if err := readGrey(bytes.NewReader(greyFilm()), func(greyStream, int64, []byte) error { return enough }); err != enough {
		t.Error(err)
	}
}

// Who wrote may have been taken over: sizes that lie end the reading, and nothing is made room for that the track does not bound.
func TestGreyFramesThatLieEndTheReading(t *testing.T) {
	t.Parallel()
	good := greyFilm()
	block := []byte{0xa3, 0x8a}
	for what, in := range map[string][]byte{
		"cut": good[:len(good)-3], "cut in a size": good[:len(segment)-2], "a block without a track": slices.Concat([]byte(cluster), mk("\xa3", make([]byte, 10))),
		"another length": bytes.Replace(good, block, []byte{0xa3, 0x89}, 1), "a wide one": bytes.Replace(good, mk("\xb0", []byte{3}), mk("\xb0", []byte{255}), 1),
		"an id of eight bytes": {0, 1, 2}, "a size of nine bytes": {0xec, 0}, "a huge stranger": []byte("\xec\x08\xff\xff\xff\xff"), "a stranger without an end": []byte("\xec\xff"), "a number of nine bytes": mk("\xe7", make([]byte, 9)),
		"another scale": slices.Concat(mk("\x2a\xd7\xb1", []byte{1}), good), "a time that no video has": bytes.Replace(good, mk("\xe7", []byte{1, 0}), mk("\xe7", bytes.Repeat([]byte{255}, 8)), 1),
	} {
		if err := readGrey(bytes.NewReader(in), func(greyStream, int64, []byte) error { return nil }); !errors.Is(err, errGrey) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func FuzzGrey(f *testing.F) {
	f.Add(greyFilm())
	f.Add([]byte("\xec\x08\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, in []byte) {
		m := &filming{}
		err := readGrey(bytes.NewReader(in), m.frame)
		film, err := m.done(err)
		if err == nil && (len(film.Frames()) == 0 || film.Width < 1 || film.Height < 1) {
			t.Fatalf("%+v", film)
		}
	})
}
