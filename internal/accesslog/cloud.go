package accesslog

import "bytes"

// haproxy reads HAProxy's HTTP log (its manual, section 8.2.3), with whatever
// syslog put before it.
type haproxy struct{ clock clock }

// parse reads one line: "… haproxy[1]: 192.0.2.1:33317 [06/Feb/2009:12:14:14.655]
// front back/srv 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {…} {…} "GET / HTTP/1.1"".
func (p *haproxy) parse(line []byte, r *record) Reason {
	r.user, r.referrer, r.agent, r.method, r.target = nil, nil, nil, nil, nil
	b := bytes.Index(line, []byte(" ["))
	if b <= 0 {
		return BadTime
	}
	r.addr = line[bytes.LastIndexByte(line[:b], ' ')+1 : b]
	// The last colon parts the port; parseAddress would take it for a part of an IPv6 address.
	if i := bytes.LastIndexByte(r.addr, ':'); i > 0 && bytes.Count(r.addr, []byte(":")) > 1 && r.addr[0] != '[' {
		r.addr = r.addr[:i]
	}
	line = line[b+2:]
	end := bytes.IndexByte(line, ']')
	if end < 0 {
		return BadTime
	}
	var ok bool
	if r.sec, r.zone, ok = p.clock.any(line[:end]); !ok || end > 24 {
		return BadTime
	}
	if end+2 > len(line) {
		return BadField
	}
	fields := bytes.Fields(line[end+1 : max(end+1, bytes.IndexByte(append(line[end+1:len(line):len(line)], '"'), '"')+end+1)])
	if len(fields) < 9 || bytes.Count(fields[2], []byte("/")) < 3 {
		return BadField
	}
	n := number(fields[3])
	if string(fields[3]) == "-1" {
		n = 0
	}
	if n < 0 || n > 999 {
		return BadStatus
	}
	r.status = int32(n)
	size, ok := size(bytes.TrimPrefix(fields[4], []byte("+")))
	if !ok {
		return BadSize
	}
	r.bytes = size
	q := bytes.IndexByte(line, '"')
	last := bytes.LastIndexByte(line, '"')
	if q < 0 || last <= q {
		return BadRequest
	}
	splitRequest(line[q+1:last], r)
	return Accepted
}

// s3 reads the server access log of Amazon S3.
type s3 struct{ clock clock }

// parse reads one line: owner bucket [time] client requester id operation key
// "request" status error bytes size total turn "referrer" "agent" and more.
func (p *s3) parse(line []byte, r *record) Reason {
	r.user = nil
	owner := bytes.IndexByte(line, ' ')
	open := bytes.IndexByte(line, '[')
	if owner <= 0 || open < owner+2 || bytes.Count(line[:open], []byte(" ")) != 2 || len(line) < open+30 || line[open+27] != ']' {
		return BadField
	}
	var ok bool
	if r.sec, r.zone, ok = p.clock.common(line[open+1:]); !ok {
		return BadTime
	}
	rest := line[open+29:]
	next := func() []byte {
		i := bytes.IndexByte(rest, ' ')
		if i < 0 {
			v := rest
			rest = nil
			return v
		}
		v := rest[:i]
		rest = rest[i+1:]
		return v
	}
	quoted := func() ([]byte, bool) {
		if len(rest) > 1 && rest[0] == '-' {
			next()
			return nil, true
		}
		if len(rest) < 2 || rest[0] != '"' {
			return nil, false
		}
		end := closing(rest[1:])
		if end < 0 {
			return nil, false
		}
		v := rest[1 : 1+end]
		rest = rest[min(end+3, len(rest)):]
		return v, true
	}
	r.addr = next()
	if requester := next(); string(requester) != "-" {
		r.user = requester
	}
	next() // request id
	if op := next(); bytes.IndexByte(op, '.') < 0 {
		return BadField
	}
	next() // key
	request, ok := quoted()
	if !ok {
		return BadRequest
	}
	splitRequest(request, r)
	status := next()
	if r.status = 0; string(status) != "-" {
		if r.status = int32(number(status)); r.status < 0 || len(status) != 3 {
			return BadStatus
		}
	}
	next() // error
	r.bytes = 0
	if sent := next(); string(sent) != "-" {
		if r.bytes, ok = size(sent); !ok {
			return BadSize
		}
	}
	next()
	next()
	next()
	if r.referrer, ok = quoted(); !ok {
		return BadField
	}
	if r.agent, ok = quoted(); !ok {
		return BadField
	}
	if r.agent == nil {
		r.agent = []byte{}
	}
	return Accepted
}
