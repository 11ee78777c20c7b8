package accesslog

import (
	"bytes"
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

// parseV4 reads a dotted quad.
func parseV4(b []byte) (uint64, bool) {
	if len(b) < 7 || len(b) > 15 {
		return 0, false
	}
	var ip, octet uint64
	dots, digits := 0, 0
	for _, c := range b {
		if d := c - '0'; d <= 9 {
			octet = octet*10 + uint64(d)
			digits++
			continue
		}
		if c != '.' || digits == 0 || octet > 255 || digits > 3 {
			return 0, false
		}
		ip = ip<<8 | octet
		octet, digits = 0, 0
		dots++
	}
	if dots != 3 || digits == 0 || digits > 3 || octet > 255 {
		return 0, false
	}
	return ip<<8 | octet, true
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
