package accesslog

import (
	"bytes"
	"net/netip"
	"strconv"
	"strings"
	"testing"
)

// bytewise reads a dotted quad as one would write it down first.
func bytewise(s string) (uint64, bool) {
	parts := strings.Split(s, ".")
	if len(parts) != 4 {
		return 0, false
	}
	var ip uint64
	for _, p := range parts {
		n, err := strconv.ParseUint(p, 10, 8)
		if err != nil || len(p) > 3 || p[0] == '+' {
			return 0, false
		}
		ip = ip<<8 | n
	}
	return ip, true
}

// FuzzFields holds what looks at eight bytes at once against what looks at each:
// addresses, numbers, blanks and question marks, in a line and at a buffer's end.
func FuzzFields(f *testing.F) {
	for _, s := range []string{"192.0.2.7", "255.255.255.255", "256.0.0.1", "1.2.3.4.", "1..2.3", "01.002.3.4", "1.2.3", "1.2.3.0004", "2001:db8::7", "::", "::1", "1::", ":::", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::",
		"1:2:3:4:5:6:7:8:9", "1::2::3", ":1", "1:", "12345::", "2001:DB8:0:0:8:800:200c:417a", "::ffff:192.0.2.1", "g::", "@::", "0", "12", "1234567", "12345678", "99999999999999999999", "7x", "-", "/a?b", strings.Repeat("/a", 15) + "?", strings.Repeat("/a", 16) + "?"} {
		f.Add([]byte(s), []byte(" 200 ?1.9:a"))
	}
	f.Fuzz(func(t *testing.T, b, behind []byte) {
		tight := bytes.Clone(b)[:len(b):len(b)]
		for _, b := range [][]byte{tight, append(bytes.Clone(b), append(behind, make([]byte, 32)...)...)[:len(b)]} {
			ip, ok := parseV4(b)
			if want, is := bytewise(string(b)); ip != want || ok != is {
				t.Fatalf("%q: %x %v, want %x %v", b, ip, ok, want, is)
			}
			want, err := netip.ParseAddr(string(b))
			a, ok := parseV6(b)
			if ok && (err != nil || netip.AddrFrom16(a.bytes()) != want) {
				t.Fatalf("%q: %v, want %v, %v", b, netip.AddrFrom16(a.bytes()), want, err)
			}
			if !ok && err == nil && want.Is6() && bytes.IndexByte(b, '.') < 0 && want.Zone() == "" {
				t.Fatalf("%q was left to the slow way", b)
			}
			digits := min(18, len(b)-len(bytes.TrimLeft(b, "0123456789")))
			n, _ := strconv.ParseInt(string(b[:digits]), 10, 64)
			if k, got := decimal(b); k != digits || got != n {
				t.Fatalf("%q: %d digits of %d, want %d of %d", b, k, got, digits, n)
			}
			if got, want := question(b), bytes.IndexByte(b, '?'); got != want {
				t.Fatalf("%q: ? at %d, want %d", b, got, want)
			}
			end := bytes.IndexFunc(latin(b), func(r rune) bool { return r <= ' ' })
			if end < 0 {
				end = len(b)
			}
			if got := blank(b); got != end {
				t.Fatalf("%q: blank at %d, want %d", b, got, end)
			}
		}
	})
}

// latin puts a letter for each byte that is no ASCII, so that places stay.
func latin(b []byte) []byte {
	out := bytes.Clone(b)
	for i, c := range out {
		if c >= 0x80 {
			out[i] = 'x'
		}
	}
	return out
}
