package accesslog

import "bytes"

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
	i := 0
	for i < len(line) && line[i] > ' ' {
		i++
	}
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
	end := closing(line)
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
	n, size := 0, int64(0)
	for n < len(line) && digit(line[n]) && n < 18 {
		size = size*10 + int64(line[n]-'0')
		n++
	}
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
	end := closing(line)
	if end < 0 || end+2 >= len(line) || line[end+2] != '"' {
		return BadField
	}
	r.referrer = line[:end]
	line = line[end+3:]
	if end = closing(line); end < 0 {
		return BadField
	}
	r.agent = line[:end]
	if end+1 < len(line) && !p.extra {
		return Extra
	}
	return Accepted
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
	i := 0
	for i < len(b) && i < 32 && (b[i]|0x20)-'a' < 26 || i < len(b) && i < 32 && (b[i] == '-' || b[i] == '_') {
		i++
	}
	if i == 0 || i >= len(b) || b[i] != ' ' {
		return
	}
	r.method = b[:i]
	b = b[i+1:]
	if n := len(b) - 9; n > 0 && b[n] == ' ' && b[n+1] == 'H' && b[n+2] == 'T' && b[n+3] == 'T' && b[n+4] == 'P' && b[n+5] == '/' {
		r.target = b[:n]
		return
	}
	if j := bytes.LastIndexByte(b, ' '); j > 0 && bytes.HasPrefix(b[j+1:], []byte("HTTP/")) {
		b = b[:j]
	}
	r.target = b
}
