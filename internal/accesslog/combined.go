package accesslog

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// combined reads the common and combined log formats (Apache httpd, mod_log_config),
// by far the most frequent, without anything that is made for each line.
type combined struct {
	clock
	vhost bool // a virtual host stands before the client
	long  bool // referrer and agent stand at the end
	extra bool // more fields may follow
}

// parse reads one line.
func (p *combined) parse(line []byte, r *record) Reason {
	if p.vhost {
		i := bytes.IndexByte(line, ' ')
		if i <= 0 {
			return BadField
		}
		line = line[i+1:]
	}
	i := blank(line)
	if i == 0 || i+2 > len(line) || line[i] != ' ' {
		return BadAddress
	}
	r.addr = line[:i]
	line = line[i+1:]
	if len(line) > 5 && line[0] == '-' && line[1] == ' ' && line[2] == '-' && line[3] == ' ' && line[4] == '[' {
		r.user, line = nil, line[5:]
	} else {
		// Names may hold blanks, so the time's bracket ends them.
		i = bytes.IndexByte(line, ' ')
		if i <= 0 {
			return BadField
		}
		if _, ok := parseV4(line[:i]); ok {
			return BadAddress // a virtual host stood before it
		}
		j := bytes.Index(line[i:], []byte(" ["))
		if j <= 0 {
			return BadTime
		}
		r.user = line[i+1 : i+j]
		line = line[i+j+2:]
	}
	var ok bool
	if r.sec, r.zone, ok = p.common(line); !ok || len(line) < 30 || line[26] != ']' || line[27] != ' ' || line[28] != '"' {
		return BadTime
	}
	line = line[29:]
	end := bytes.IndexByte(line, '"')
	if !plainEnd(line, end) {
		end = closing(line)
	}
	if end < 0 || end+4 > len(line) {
		return BadRequest
	}
	splitRequest(line[:end], r)
	line = line[end+2:]
	if len(line) < 5 || line[3] != ' ' || !digit(line[0]) || !digit(line[1]) || !digit(line[2]) {
		return BadStatus
	}
	r.status = int32(line[0]-'0')*100 + int32(line[1]-'0')*10 + int32(line[2]-'0')
	line = line[4:]
	n, size := decimal(line)
	if n == 0 {
		if line[0] != '-' {
			return BadSize
		}
		n = 1
	}
	r.bytes = size
	line = line[n:]
	if p.long {
		return p.tail(line, r)
	}
	r.referrer, r.agent = nil, nil
	if len(line) > 0 {
		if line[0] != ' ' {
			return BadSize
		}
		return Extra
	}
	return Accepted
}

// tail reads referrer, agent and what a server adds after them.
func (p *combined) tail(line []byte, r *record) Reason {
	if len(line) < 2 || line[0] != ' ' || line[1] != '"' {
		return BadField
	}
	line = line[2:]
	end := 1 // of a hyphen, as most lines have it
	if len(line) < 3 || line[0] != '-' || line[1] != '"' || line[2] != ' ' {
		if end = bytes.IndexByte(line, '"'); !plainEnd(line, end) {
			end = closing(line)
		}
	}
	if end < 0 || end+2 >= len(line) || line[end+2] != '"' {
		return BadField
	}
	r.referrer = line[:end]
	line = line[end+3:]
	if end = bytes.IndexByte(line, '"'); end < 1 || end+1 != len(line) || line[end-1] == '\\' {
		end = closing(line)
	}
	if end < 0 {
		return BadField
	}
	r.agent = line[:end]
	if end+1 < len(line) && !p.extra {
		return Extra
	}
	return Accepted
}

// blank is the place of the first byte up to a blank, or the line's length.
func blank(b []byte) int {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		if m := (w - 0x21*bytesOf) &^ w & (0x80 * bytesOf); m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
	}
	for i < len(b) && b[i] > ' ' {
		i++
	}
	return i
}

// decimal is the number that the text begins with, and how many digits it has: 0
// for no number, 18 at most.
func decimal(b []byte) (digits int, value int64) {
	if len(b) >= 8 {
		w := binary.LittleEndian.Uint64(b)
		if digits = bits.TrailingZeros64(noDigits(w) | 1<<8); digits == 0 {
			return 0, 0
		}
		if digits < 8 {
			// The digits move to the end of eight, zeros before them; then neighbours are added up in pairs.
			w = (w ^ '0'*bytesOf) << (64 - 8*digits)
			w = w*10 + w>>8
			w = (w&0x000000ff000000ff*(100+1000000<<32) + w>>16&0x000000ff000000ff*(1+10000<<32)) >> 32
			return digits, int64(w & 0xffffffff)
		}
	}
	digits = 0
	for digits < len(b) && digit(b[digits]) && digits < 18 {
		value = value*10 + int64(b[digits]-'0')
		digits++
	}
	return digits, value
}

// plainEnd reports whether the first quote, at the place, ends a value beyond
// doubt: nothing escapes it, and a blank follows.
func plainEnd(b []byte, at int) bool {
	return at > 0 && at+1 < len(b) && b[at+1] == ' ' && b[at-1] != '\\'
}

// closing finds the quote that ends a value: one that no backslash escapes and
// that a blank or the end follows. A quote inside a value that a server did not
// escape is part of the value.
func closing(b []byte) int {
	for at := 0; ; {
		i := bytes.IndexByte(b[at:], '"')
		if i < 0 {
			return -1
		}
		at += i
		if (at+1 == len(b) || b[at+1] == ' ') && (at == 0 || b[at-1] != '\\' || !escaped(b[:at])) {
			return at
		}
		at++
	}
}

// escaped reports whether an odd number of backslashes ends the text.
func escaped(b []byte) bool {
	n := 0
	for i := len(b) - 1; i >= 0 && b[i] == '\\'; i-- {
		n++
	}
	return n%2 == 1
}

// splitRequest takes "GET /path HTTP/1.1" apart. What is no request line, as
// scanners send, has neither method nor target.
func splitRequest(b []byte, r *record) {
	r.method, r.target = nil, nil
	i := 3
	if len(b) < 4 || b[0] != 'G' || b[1] != 'E' || b[2] != 'T' || b[3] != ' ' {
		i = methodEnd(b)
	}
	if i == 0 || i >= len(b) || b[i] != ' ' {
		return
	}
	r.method = b[:i]
	b = b[i+1:]
	if n := len(b) - 9; n > 0 && binary.LittleEndian.Uint64(b[n:])<<16 == httpSlash {
		r.target = b[:n]
		return
	}
	if j := bytes.LastIndexByte(b, ' '); j > 0 && bytes.HasPrefix(b[j+1:], []byte("HTTP/")) {
		b = b[:j]
	}
	r.target = b
}

// httpSlash is " HTTP/", shifted to the upper six bytes of eight.
const httpSlash = ' '<<16 | 'H'<<24 | 'T'<<32 | 'T'<<40 | 'P'<<48 | '/'<<56

func methodEnd(b []byte) int {
	i := 0
	for i < len(b) && i < 32 && (b[i]|0x20)-'a' < 26 || i < len(b) && i < 32 && (b[i] == '-' || b[i] == '_') {
		i++
	}
	return i
}
