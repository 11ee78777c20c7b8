package identity

import (
	"bytes"
	"strings"
	"testing"
)

func TestEntryCodesAreReadAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"K7M3-9QXT": "K7M3-9QXT", "k7m39qxt": "K7M3-9QXT", " k7m3 9qxt ": "K7M3-9QXT", "o0Il-LLLL": "0011-1111",
		"": "", "K7M3-9QX": "", "K7M3-9QXTA": "", "K7M3-9QXU": "", "K7M3-9QX\u00e9": "", "--------": "",
	} {
		if got, ok := ParseEntryCode(in); ok != (want != "") || ok && got != want {
			t.Errorf("%q is read as %q, %v", in, got, ok)
		}
	}
	seen := map[string]bool{}
	for range 1000 {
		c := NewEntryCode()
		if got, ok := ParseEntryCode(strings.ToLower(c)); !ok || got != c || seen[c] {
			t.Fatalf("%q is read as %q, %v", c, got, ok)
		}
		seen[c] = true
	}
}

func TestEntryDigestNeedsKeyLinkAndCode(t *testing.T) {
	t.Parallel()
	ring := func(b byte) *KeyRing {
		r, err := NewKeyRing(bytes.Repeat([]byte{b}, 32))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	d := ring(1).EntryDigest([32]byte{1}, "K7M3-9QXT")
	for what, other := range map[string][32]byte{"key": ring(2).EntryDigest([32]byte{1}, "K7M3-9QXT"), "link": ring(1).EntryDigest([32]byte{2}, "K7M3-9QXT"), "code": ring(1).EntryDigest([32]byte{1}, "K7M3-9QXS")} {
		if d == other {
			t.Errorf("another %s gives the same digest", what)
		}
	}
}

func FuzzParseEntryCode(f *testing.F) {
	for _, s := range []string{"K7M3-9QXT", "", "oil0-1111", "K7M3 9QXT-"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := ParseEntryCode(s)
		if again, same := ParseEntryCode(got); ok && (!same || again != got || len(got) != entryDigits+1) {
			t.Errorf("%q is read as %q, which is read as %q", s, got, again)
		}
	})
}
