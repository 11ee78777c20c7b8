package pdq

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func someHash() *rapid.Generator[Hash] {
	return rapid.Custom(func(t *rapid.T) Hash {
		return Hash{rapid.Uint64().Draw(t, "0"), rapid.Uint64().Draw(t, "1"), rapid.Uint64().Draw(t, "2"), rapid.Uint64().Draw(t, "3")}
	})
}

func TestTextAndBytesLeadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		h := someHash().Draw(t, "hash")
		text := h.String()
		if len(text) != TextLen || strings.ToLower(text) != text {
			t.Fatalf("text %q", text)
		}
		for _, from := range []string{text, strings.ToUpper(text)} {
			if got, err := Parse(from); err != nil || got != h {
				t.Fatalf("%q reads as %v, %v", from, got, err)
			}
		}
		if got := FromBytes(h.Bytes()); got != h {
			t.Fatalf("bytes read as %v", got)
		}
		encoded, err := json.Marshal(h)
		if err != nil || string(encoded) != `"`+text+`"` {
			t.Fatalf("JSON %s, %v", encoded, err)
		}
	})
}

func TestTextIsReadStrictly(t *testing.T) {
	t.Parallel()
	good := "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22"
	for _, bad := range []string{"", good[1:], good + "0", " " + good[1:], good[1:] + " ", good[1:] + "\n", "0x" + good[2:], "g" + good[1:], "é" + good[2:], strings.Repeat("0", 128)} {
		h := Hash{1, 2, 3, 4}
		if err := h.UnmarshalText([]byte(bad)); !errors.Is(err, ErrText) || h != (Hash{1, 2, 3, 4}) {
			t.Errorf("%q: %v, %v", bad, h, err)
		}
	}
}

// Word 15 stands first in the text, so that bit 0 is the last digit's lowest.
func TestBitsStandWhereTheReferenceWritesThem(t *testing.T) {
	t.Parallel()
	for bit, text := range map[int]string{
		0:   strings.Repeat("0", 63) + "1",
		17:  strings.Repeat("0", 59) + "20000",
		255: "8" + strings.Repeat("0", 63),
	} {
		var h Hash
		h[bit/64] |= 1 << (bit % 64)
		if h.String() != text {
			t.Errorf("bit %d: %s", bit, h)
		}
	}
}

func TestDistanceIsOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := someHash().Draw(t, "a"), someHash().Draw(t, "b"), someHash().Draw(t, "c")
		if a.Distance(a) != 0 || a.Distance(b) != b.Distance(a) || a.Distance(c) > a.Distance(b)+b.Distance(c) {
			t.Fatal("no distance")
		}
		differ := 0
		for k := range Bits {
			if (a[k/64]^b[k/64])>>(k%64)&1 == 1 {
				differ++
			}
		}
		if a.Distance(b) != differ {
			t.Fatalf("%d, %d bits differ", a.Distance(b), differ)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22")
	f.Add(strings.Repeat("F", 64))
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := Parse(text)
		if err != nil {
			if !errors.Is(err, ErrText) {
				t.Fatalf("%q: %v is not ErrText", text, err)
			}
			return
		}
		if h.String() != strings.ToLower(text) {
			t.Fatalf("%q reads as %v", text, h)
		}
	})
}
