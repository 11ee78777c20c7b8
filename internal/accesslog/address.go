package accesslog

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// address is a client in one form: an IPv4 address mapped into IPv6, an IPv6
// address without its zone, or a host name by a keyed hash.
type address struct{ hi, lo uint64 }

const mapped = 0xffff << 32 // ::ffff:0:0/96, RFC 4291 section 2.5.5.2

// v4 reports whether it is an IPv4 address.
func (a address) v4() bool { return a.hi == 0 && a.lo>>32 == 0xffff }

// addr is the address for a look-up.
func (a address) addr() netip.Addr {
	if a.v4() {
		return netip.AddrFrom4([4]byte{byte(a.lo >> 24), byte(a.lo >> 16), byte(a.lo >> 8), byte(a.lo)})
	}
	return netip.AddrFrom16(a.bytes())
}

func (a address) bytes() (b [16]byte) {
	for i := range 8 {
		b[i], b[8+i] = byte(a.hi>>(56-8*i)), byte(a.lo>>(56-8*i))
	}
	return b
}

// parseV4 reads a dotted quad. It looks at all bytes at once, since octets of
// one, two or three digits make a byte-wise reader guess wrong on every line.
func parseV4(b []byte) (uint64, bool) {
	n := len(b)
	if n < 7 || n > 15 {
		return 0, false
	}
	var own [16]byte
	c := &own
	if cap(b) >= len(own) {
		c = (*[16]byte)(b[:16])
	} else {
		copy(own[:], b)
	}
	// A bit for each byte that is no digit, and one for the end.
	lo, hi := binary.LittleEndian.Uint64(c[:8]), binary.LittleEndian.Uint64(c[8:])
	stops := (noDigits(lo)|noDigits(hi)<<8)&(1<<n-1) | 1<<n
	e0 := bits.TrailingZeros64(stops)
	stops &= stops - 1
	e1 := bits.TrailingZeros64(stops)
	stops &= stops - 1
	e2 := bits.TrailingZeros64(stops)
	stops &= stops - 1
	if stops != 1<<n || c[e0&15] != '.' || c[e1&15] != '.' || c[e2&15] != '.' {
		return 0, false
	}
	n0, n1, n2, n3 := uint(e0), uint(e1-e0-1), uint(e2-e1-1), uint(n-e2-1)
	if n0-1 > 2 || n1-1 > 2 || n2-1 > 2 || n3-1 > 2 {
		return 0, false
	}
	o0 := octet(uint32(lo)<<(24-8*n0), n0)
	o1 := octet(binary.LittleEndian.Uint32(c[e1-3:e1+1]), n1)
	o2 := octet(binary.LittleEndian.Uint32(c[e2-3:e2+1]), n2)
	o3 := octet(binary.LittleEndian.Uint32(c[n-3:n+1]), n3)
	if o0 > 255 || o1 > 255 || o2 > 255 || o3 > 255 {
		return 0, false
	}
	return uint64(o0<<24 | o1<<16 | o2<<8 | o3), true
}

const hexDigits = "0123456789abcdef"

const bytesOf = 0x0101010101010101 // times a byte: that byte in each place

// noDigits has a bit for each of eight bytes that is no digit, the first lowest.
func noDigits(w uint64) uint64 {
	w ^= '0' * bytesOf
	w = ((w&(0x7f*bytesOf) + 0x76*bytesOf) | w) & (0x80 * bytesOf)
	return w >> 7 * 0x0102040810204080 >> 56
}

// octet is the number of n digits that end with the third byte of w.
func octet(w uint32, n uint) uint32 {
	cut := 24 - 8*n
	w = (w ^ 0x303030) >> cut << cut
	return w&0xff*100 + w>>8&0xff*10 + w>>16&0xff
}

// parseV6 reads an IPv6 address in groups of hexadecimal digits (RFC 4291,
// section 2.2, forms 1 and 2); any other form is for netip.
func parseV6(b []byte) (a address, ok bool) {
	var groups [8]uint64
	n, skip, digits := 0, -1, 0
	v := uint64(0)
	if len(b) < 2 || b[0] == ':' && b[1] != ':' || b[len(b)-1] == ':' && b[len(b)-2] != ':' {
		return a, false
	}
	for i := range len(b) + 1 {
		if i < len(b) && b[i] != ':' {
			h := b[i]&15 + b[i]>>6*9
			if digits++; h > 15 || hexDigits[h] != b[i]|b[i]>>1&0x20 || digits > 4 {
				return a, false
			}
			v = v<<4 | uint64(h)
			continue
		}
		switch {
		case digits > 0 && n == len(groups):
			return a, false
		case digits > 0:
			groups[n] = v
			n, v, digits = n+1, 0, 0
		case i > 0 && i < len(b) && skip >= 0:
			return a, false // a second run of colons
		case i > 0 && i < len(b):
			skip = n
		}
	}
	if skip < 0 && n != len(groups) || skip >= 0 && n == len(groups) {
		return a, false
	}
	if skip >= 0 {
		moved := groups[skip:n]
		rest := len(moved)
		copy(groups[len(groups)-rest:], moved)
		clear(groups[skip : len(groups)-rest])
	}
	a.hi = groups[0]<<48 | groups[1]<<32 | groups[2]<<16 | groups[3]
	a.lo = groups[4]<<48 | groups[5]<<32 | groups[6]<<16 | groups[7]
	return a, true
}

// bareClient takes off what servers put around a client.
func bareClient(b []byte) []byte {
	if i := bytes.IndexByte(b, ','); i > 0 {
		b = b[:i]
	}
	if len(b) > 1 && b[0] == '[' {
		if i := bytes.IndexByte(b, ']'); i > 0 {
			b = b[1:i]
		}
	}
	if i := bytes.IndexByte(b, '%'); i > 0 {
		b = b[:i]
	}
	if i := bytes.IndexByte(b, ':'); i > 0 && bytes.IndexByte(b[i+1:], ':') < 0 {
		b = b[:i] // a port
	}
	return b
}

// parseAddress reads an address with what servers put around it: brackets, a
// port, a zone, the first of several behind proxies. Named tells a host name.
func parseAddress(b []byte, hash func([]byte) uint64) (a address, named, ok bool) {
	if ip, ok := parseV4(b); ok {
		return address{0, mapped | ip}, false, true
	}
	if a, ok = parseV6(b); ok {
		return a, false, true
	}
	b = bareClient(b)
	if len(b) == 0 || len(b) > 253 {
		return a, false, false
	}
	if ip, err := netip.ParseAddr(string(b)); err == nil {
		v := ip.As16()
		for i := range 8 {
			a.hi, a.lo = a.hi<<8|uint64(v[i]), a.lo<<8|uint64(v[8+i])
		}
		return a, false, true
	}
	if b[0] == '-' && len(b) == 1 {
		return a, true, true // nobody is named, which counts as one visitor
	}
	letters := false
	for _, c := range b {
		switch {
		case c|0x20 >= 'a' && c|0x20 <= 'z':
			letters = true
		case digit(c), c == '.', c == '-', c == '_':
		default:
			return a, false, false
		}
	}
	if !letters {
		return a, false, false
	}
	return address{1 << 63, hash(bytes.ToLower(b))}, true, true
}
