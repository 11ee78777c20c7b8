package accesslog

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonParser reads lines that are JSON objects: those of nginx with log_format
// escape=json, whose keys the administrator chose, and Caddy's. Keys are known
// by the names that are in use; all others are passed over, whatever they hold.
type jsonParser struct {
	clock clock
	own   []byte // unescaped texts
	line  []byte
	at    int
	r     *record
	query []byte
	has   [16]uint8 // by slot: rank of the key that filled it, 0 for none
}

// jsonDepth is how deep an object may lie in others.
const jsonDepth = 32

// jsonSlots are the keys in use, dotted where they lie in another, the ones that
// win first: Caddy's client_ip names the client behind a trusted proxy.
var jsonSlots = [...]struct {
	key string
	to  slot
}{
	{"request.client_ip", fAddr}, {"request.remote_ip", fAddr}, {"request.remote_addr", fAddr}, {"remote_addr", fAddr}, {"client_ip", fAddr}, {"remote_ip", fAddr}, {"clientip", fAddr}, {"client", fAddr}, {"ip", fAddr},
	{"user_id", fUser}, {"remote_user", fUser}, {"user", fUser},
	{"ts", fTime}, {"time_iso8601", fTime}, {"time_local", fTime}, {"@timestamp", fTime}, {"timestamp", fTime}, {"time", fTime}, {"msec", fTime},
	{"request.method", fMethod}, {"request_method", fMethod}, {"method", fMethod}, {"verb", fMethod},
	{"request.uri", fTarget}, {"request_uri", fTarget}, {"uri", fTarget}, {"url", fTarget}, {"path", fTarget},
	{"args", fQuery}, {"query_string", fQuery}, {"query", fQuery},
	{"request", fRequest},
	{"status", fStatus}, {"status_code", fStatus}, {"response", fStatus},
	{"size", fBytes}, {"body_bytes_sent", fBytes}, {"bytes_sent", fBytes}, {"bytes", fBytes},
	{"request.headers.Referer", fReferrer}, {"http_referer", fReferrer}, {"http_referrer", fReferrer}, {"referer", fReferrer}, {"referrer", fReferrer},
	{"request.headers.User-Agent", fAgent}, {"http_user_agent", fAgent}, {"user_agent", fAgent}, {"agent", fAgent},
}

func newJSONParser() *jsonParser { return &jsonParser{} }

// parse reads one line.
func (p *jsonParser) parse(line []byte, r *record) Reason {
	r.addr, r.user, r.method, r.target, r.referrer, r.agent, r.status, r.bytes = nil, nil, nil, nil, nil, nil, 0, 0
	p.line, p.at, p.r, p.own, p.query = line, 0, r, p.own[:0], nil
	clear(p.has[:])
	if cap(p.own) < len(line) {
		p.own = make([]byte, 0, 2*len(line)) // never grown below, so that slices into it stay
	}
	p.blank()
	if p.at >= len(line) || line[p.at] != '{' {
		return BadJSON
	}
	why, ok := p.object("", 0)
	if !ok {
		return BadJSON
	}
	if p.blank(); p.at != len(line) {
		return BadJSON
	}
	switch {
	case why != Accepted:
		return why
	case p.has[fAddr] == 0:
		return BadAddress
	case p.has[fTime] == 0:
		return BadTime
	case p.has[fTarget] == 0 && p.has[fRequest] == 0:
		return BadRequest
	}
	if p.has[fAgent] == 0 && p.has[fReferrer] != 0 || bytes.Contains(line, []byte(`"headers"`)) && r.agent == nil {
		r.agent = []byte{} // the format records agents, and this client sent none
	}
	if len(p.query) > 0 && string(p.query) != "-" && r.target != nil && bytes.IndexByte(r.target, '?') < 0 {
		r.target = append(append(append(make([]byte, 0, len(r.target)+len(p.query)+1), r.target...), '?'), bytes.TrimPrefix(p.query, []byte("?"))...)
	}
	if r.method == nil && r.target != nil {
		r.method = unstatedMethod
	}
	return Accepted
}

func (p *jsonParser) blank() {
	for p.at < len(p.line) && (p.line[p.at] == ' ' || p.line[p.at] == '\t' || p.line[p.at] == '\r') {
		p.at++
	}
}

// object reads an object whose keys begin with the prefix. The first thing that
// is wrong with a value it knows is the line's reason; not ok is no JSON.
func (p *jsonParser) object(prefix string, depth int) (why Reason, ok bool) {
	if depth > jsonDepth {
		return 0, false
	}
	p.at++ // {
	if p.blank(); p.at < len(p.line) && p.line[p.at] == '}' {
		p.at++
		return 0, true
	}
	for {
		p.blank()
		key, ok := p.text()
		if !ok {
			return 0, false
		}
		if p.blank(); p.at >= len(p.line) || p.line[p.at] != ':' {
			return 0, false
		}
		p.at++
		w, ok := p.value(prefix, key, depth)
		if !ok {
			return 0, false
		}
		if why == Accepted {
			why = w
		}
		if p.blank(); p.at >= len(p.line) {
			return 0, false
		}
		switch p.line[p.at] {
		case ',':
			p.at++
		case '}':
			p.at++
			return why, true
		default:
			return 0, false
		}
	}
}

// value reads what a key holds.
func (p *jsonParser) value(prefix string, key []byte, depth int) (Reason, bool) {
	if p.blank(); p.at >= len(p.line) {
		return 0, false
	}
	switch p.line[p.at] {
	case '{':
		// Only what is known lies below: request and its headers.
		inner := "\x00"
		switch {
		case prefix == "" && string(key) == "request":
			inner = "request."
		case prefix == "request." && string(key) == "headers":
			inner = "request.headers."
		}
		return p.object(inner, depth+1)
	case '[':
		return p.list(prefix, key, depth+1)
	case '"':
		v, ok := p.text()
		if !ok {
			return 0, false
		}
		return p.known(prefix, key, v), true
	}
	from := p.at
	for p.at < len(p.line) && bytes.IndexByte([]byte(",}] \t\r"), p.line[p.at]) < 0 {
		p.at++
	}
	v := p.line[from:p.at]
	switch {
	case string(v) == "null":
		return Accepted, true
	case string(v) == "true" || string(v) == "false":
		return Accepted, true
	case len(v) > 0 && (digit(v[0]) || v[0] == '-' && len(v) > 1 && digit(v[1])):
		return p.known(prefix, key, v), true
	}
	return 0, false
}

// list reads a list; its first text counts for the key, as with Caddy's headers.
func (p *jsonParser) list(prefix string, key []byte, depth int) (why Reason, ok bool) {
	if depth > jsonDepth {
		return 0, false
	}
	p.at++ // [
	if p.blank(); p.at < len(p.line) && p.line[p.at] == ']' {
		p.at++
		return 0, true
	}
	for first := true; ; first = false {
		name := key
		if !first {
			name = nil
		}
		w, ok := p.value(prefix, name, depth)
		if !ok {
			return 0, false
		}
		if why == Accepted {
			why = w
		}
		if p.blank(); p.at >= len(p.line) {
			return 0, false
		}
		p.at++
		switch p.line[p.at-1] {
		case ',':
		case ']':
			return why, true
		default:
			return 0, false
		}
	}
}

// known puts a value where its key says, unless a better key has been there.
func (p *jsonParser) known(prefix string, key, value []byte) Reason {
	for i := range jsonSlots {
		s := jsonSlots[i]
		if len(s.key) != len(prefix)+len(key) || s.key[:len(prefix)] != prefix || s.key[len(prefix):] != string(key) {
			continue
		}
		if p.has[s.to] != 0 && int(p.has[s.to]) <= i+1 {
			return Accepted
		}
		if s.to != fTime && s.to != fStatus && len(value) == 0 {
			return Accepted
		}
		p.has[s.to] = uint8(i + 1)
		return p.put(s.to, value)
	}
	return Accepted
}

func (p *jsonParser) put(to slot, value []byte) Reason {
	r := p.r
	switch to {
	case fAddr:
		r.addr = value
	case fUser:
		r.user = value
	case fTime:
		var ok bool
		if r.sec, r.zone, ok = p.clock.any(value); !ok {
			return BadTime
		}
	case fMethod:
		r.method = value
	case fTarget:
		r.target = value
	case fQuery:
		p.query = value
	case fRequest:
		splitRequest(value, r)
	case fStatus:
		n := number(value)
		if n < 0 || n > 999 {
			return BadStatus
		}
		r.status = int32(n)
	case fBytes:
		if string(value) == "-" {
			return Accepted
		}
		n, ok := size(value)
		if !ok {
			return BadSize
		}
		r.bytes = n
	case fReferrer:
		r.referrer = value
	case fAgent:
		r.agent = value
	}
	return Accepted
}

// text reads a string, unescaped into the parser's memory where it must be.
func (p *jsonParser) text() ([]byte, bool) {
	if p.at >= len(p.line) || p.line[p.at] != '"' {
		return nil, false
	}
	p.at++
	from := p.at
	for p.at < len(p.line) {
		switch c := p.line[p.at]; {
		case c == '"':
			p.at++
			return p.line[from : p.at-1], true
		case c == '\\':
			return p.escapedText(from)
		case c < ' ':
			return nil, false
		}
		p.at++
	}
	return nil, false
}

func (p *jsonParser) escapedText(from int) ([]byte, bool) {
	begin := len(p.own)
	p.own = append(p.own, p.line[from:p.at]...)
	for p.at < len(p.line) {
		c := p.line[p.at]
		p.at++
		switch {
		case c == '"':
			return p.own[begin:len(p.own):len(p.own)], true
		case c < ' ':
			return nil, false
		case c != '\\':
			p.own = append(p.own, c)
		case p.at >= len(p.line):
			return nil, false
		default:
			if !p.escape() {
				return nil, false
			}
		}
	}
	return nil, false
}

// escape reads what follows a backslash. What it stands for is never longer than
// its spelling.
func (p *jsonParser) escape() bool {
	c := p.line[p.at]
	p.at++
	if i := bytes.IndexByte([]byte(`"\/bfnrt`), c); i >= 0 {
		p.own = append(p.own, "\"\\/\b\f\n\r\t"[i])
		return true
	}
	if c == 'x' { // nginx's default escaping writes \x22 into JSON
		v, ok := p.hex(2)
		p.own = append(p.own, byte(v))
		return ok
	}
	if c != 'u' {
		return false
	}
	v, ok := p.hex(4)
	if !ok {
		return false
	}
	if utf16.IsSurrogate(v) {
		low := rune(utf8.RuneError)
		if p.at+1 < len(p.line) && p.line[p.at] == '\\' && p.line[p.at+1] == 'u' {
			p.at += 2
			if low, ok = p.hex(4); !ok {
				return false
			}
		}
		v = utf16.DecodeRune(v, low)
	}
	p.own = utf8.AppendRune(p.own, v)
	return true
}

func (p *jsonParser) hex(n int) (rune, bool) {
	if p.at+n > len(p.line) {
		return 0, false
	}
	v := rune(0)
	for _, c := range p.line[p.at : p.at+n] {
		switch {
		case digit(c):
			v = v<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			v = v<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	p.at += n
	return v, true
}
