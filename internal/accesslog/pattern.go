package accesslog

import (
	"bytes"
	"fmt"
	"strings"
)

// slot says where a field of a pattern goes.
type slot uint8

const (
	ignored slot = iota
	fAddr
	fForwarded // the client behind a proxy, where nothing else names it
	fUser
	fTime
	fRequest
	fMethod
	fTarget
	fQuery
	fStatus
	fBytes
	fReferrer
	fAgent
)

// element is one field of a pattern and the text that stands after it.
type element struct {
	to     slot
	after  []byte // up to the next field; empty for the last
	quoted bool   // stands between quotes, so that escaped quotes belong to it
	bare   bool   // Apache's %t, which brings its own brackets, inside which a blank stands
}

// pattern is a compiled log format: what stands before the first field, then the
// fields in order.
type pattern struct {
	before   []byte
	elements []element
	clock    clock
	proxied  bool // no field but the proxy's names the client
}

// fresh is a copy for one worker: a pattern remembers the last minute.
func (p *pattern) fresh() *pattern {
	c := *p
	return &c
}

// parse reads one line.
func (p *pattern) parse(line []byte, r *record) Reason {
	r.addr, r.user, r.method, r.target, r.referrer, r.agent, r.status, r.bytes = nil, nil, nil, nil, nil, nil, 0, 0
	var query []byte
	if !bytes.HasPrefix(line, p.before) {
		return BadField
	}
	line = line[len(p.before):]
	for i := range p.elements {
		e := &p.elements[i]
		value := line
		switch {
		case e.quoted:
			end := quoteEnd(line, e.after)
			if end < 0 {
				return reasonOf(e.to)
			}
			value, line = line[:end], line[end+len(e.after):]
		case len(e.after) > 0:
			end := bytes.Index(line, e.after)
			if end < 0 {
				return reasonOf(e.to)
			}
			value, line = line[:end], line[end+len(e.after):]
		default:
			line = nil
		}
		if e.to == fQuery {
			query = value
			continue
		}
		if why := p.put(e.to, value, r); why != Accepted {
			return why
		}
	}
	if len(line) > 0 {
		return Extra
	}
	if len(query) > 0 && query[0] != '?' && string(query) != "-" && r.target != nil {
		r.target = append(append(append(make([]byte, 0, len(r.target)+1+len(query)), r.target...), '?'), query...)
	} else if len(query) > 1 && query[0] == '?' && r.target != nil {
		r.target = append(append(make([]byte, 0, len(r.target)+len(query)), r.target...), query...)
	}
	if r.target != nil && r.method == nil {
		r.method = unstatedMethod
	}
	return Accepted
}

// unstatedMethod stands for the method of formats that have none.
var unstatedMethod = []byte("other")

func (p *pattern) put(to slot, value []byte, r *record) Reason {
	switch to {
	case fAddr:
		r.addr = value
	case fForwarded:
		if p.proxied {
			r.addr = value
		}
	case fUser:
		r.user = value
	case fTime:
		var ok bool
		if r.sec, r.zone, ok = p.clock.any(value); !ok {
			return BadTime
		}
	case fRequest:
		splitRequest(value, r)
	case fMethod:
		if r.method = value; string(value) == "-" || len(value) == 0 {
			r.method = nil
		}
	case fTarget:
		r.target = value
	case fStatus:
		n := number(value)
		if len(value) != 3 || n < 0 {
			return BadStatus
		}
		r.status = int32(n)
	case fBytes:
		if string(value) == "-" || len(value) == 0 {
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

// size reads a number of bytes.
func size(b []byte) (int64, bool) {
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	n := int64(0)
	for _, c := range b {
		if !digit(c) {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

func reasonOf(s slot) Reason {
	switch s {
	case fAddr, fForwarded:
		return BadAddress
	case fTime:
		return BadTime
	case fRequest, fMethod, fTarget, fQuery:
		return BadRequest
	case fStatus:
		return BadStatus
	case fBytes:
		return BadSize
	}
	return BadField
}

// quoteEnd finds the text after a quoted field, whose first byte is a quote that
// no backslash escapes.
func quoteEnd(line, after []byte) int {
	for at := 0; ; {
		i := bytes.Index(line[at:], after)
		if i < 0 {
			return -1
		}
		at += i
		// The last field's quote ends the line.
		if (at == 0 || line[at-1] != '\\' || !escaped(line[:at])) && (len(after) > 1 || at+1 == len(line)) {
			return at
		}
		at++
	}
}

// apacheSlots are the directives of mod_log_config that are read.
var apacheSlots = map[string]slot{
	"h": fAddr, "a": fAddr, "u": fUser, "t": fTime, "r": fRequest, "s": fStatus, "b": fBytes, "B": fBytes, "O": ignored, "I": ignored, "S": ignored,
	"m": fMethod, "U": fTarget, "q": fQuery, "l": ignored, "v": ignored, "V": ignored, "p": ignored, "P": ignored, "D": ignored, "T": ignored, "X": ignored,
	"H": ignored, "k": ignored, "f": ignored, "A": ignored, "R": ignored, "L": ignored, "E": ignored,
}

// nginxSlots are the variables of nginx that are read; all others are passed over.
var nginxSlots = map[string]slot{
	"remote_addr": fAddr, "remote_user": fUser, "time_local": fTime, "time_iso8601": fTime, "msec": fTime, "request": fRequest, "request_method": fMethod,
	"request_uri": fTarget, "uri": fTarget, "args": fQuery, "query_string": fQuery, "status": fStatus, "body_bytes_sent": fBytes, "bytes_sent": ignored,
	"http_referer": fReferrer, "http_user_agent": fAgent, "http_x_forwarded_for": fForwarded, "realip_remote_addr": fForwarded, "http_cf_connecting_ip": fForwarded,
}

// compilePattern reads the pattern language of Apache's LogFormat (%h %l %u %t
// "%r" %>s %b) or of nginx's log_format ($remote_addr [$time_local]).
func compilePattern(s string) (*pattern, error) {
	s = strings.ReplaceAll(s, `\"`, `"`)
	p := &pattern{}
	var literal []byte
	seen := map[slot]bool{}
	for i := 0; i < len(s); {
		var to slot
		var n int
		var err error
		bare := strings.HasPrefix(s[i:], "%t") || strings.HasPrefix(s[i:], "%>t") || strings.HasPrefix(s[i:], "%<t")
		switch {
		case strings.HasPrefix(s[i:], "%%"):
			literal = append(literal, '%')
			i += 2
			continue
		case s[i] == '%':
			to, n, err = apacheField(s[i:])
		case s[i] == '$':
			to, n, err = nginxField(s[i:])
		case strings.HasPrefix(s[i:], `\t`):
			literal = append(literal, '\t')
			i += 2
			continue
		default:
			literal = append(literal, s[i])
			i++
			continue
		}
		if err != nil {
			return nil, err
		}
		i += n
		if len(p.elements) == 0 {
			p.before = literal
		} else if len(literal) == 0 {
			return nil, fmt.Errorf("two fields stand together in the pattern, with nothing between to part them")
		} else {
			p.end(literal)
		}
		literal = nil
		if to != ignored && to != fForwarded && seen[to] {
			to = ignored // the first counts: %>s after %s, bytes after body bytes
		}
		seen[to] = true
		p.elements = append(p.elements, element{to: to, bare: bare && to == fTime})
	}
	if len(p.elements) > 0 {
		p.end(literal)
	}
	p.proxied = !seen[fAddr] && seen[fForwarded]
	switch {
	case !seen[fAddr] && !seen[fForwarded]:
		return nil, fmt.Errorf("the pattern has no field for the client: %%h, %%a or $remote_addr")
	case !seen[fTime]:
		return nil, fmt.Errorf("the pattern has no field for the time: %%t, $time_local, $time_iso8601 or $msec")
	case !seen[fRequest] && !seen[fTarget]:
		return nil, fmt.Errorf("the pattern has no field for the request: %%r, %%U, $request or $request_uri")
	}
	return p, nil
}

// end says what stands after the last field so far.
func (p *pattern) end(literal []byte) {
	e := &p.elements[len(p.elements)-1]
	e.after = bytes.Clone(literal)
	before := p.before
	if n := len(p.elements); n > 1 {
		before = p.elements[n-2].after
	}
	if e.bare && len(literal) > 0 {
		e.after = append([]byte("]"), literal...)
	}
	e.quoted = len(literal) > 0 && literal[0] == '"' && bytes.HasSuffix(before, []byte(`"`))
}

// apacheField reads one directive: %h, %>s, %{Referer}i, %{%d/%b/%Y}t.
func apacheField(s string) (to slot, n int, err error) {
	i := 1
	for i < len(s) && strings.IndexByte("<>!,0123456789", s[i]) >= 0 {
		i++
	}
	name := ""
	if i < len(s) && s[i] == '{' {
		j := strings.IndexByte(s[i:], '}')
		if j < 0 {
			return 0, 0, fmt.Errorf("a brace of the pattern does not close")
		}
		name = strings.ToLower(s[i+1 : i+j])
		i += j + 1
	}
	if i >= len(s) {
		return 0, 0, fmt.Errorf("the pattern ends in a %% without a letter; write %%%% for the sign itself")
	}
	letter := s[i : i+1]
	i++
	if letter == "^" && i+1 < len(s) { // %^FB and the like
		return ignored, i + 2, nil
	}
	switch {
	case name != "" && letter == "i":
		switch name {
		case "referer", "referrer":
			return fReferrer, i, nil
		case "user-agent":
			return fAgent, i, nil
		case "x-forwarded-for", "x-real-ip", "cf-connecting-ip", "true-client-ip":
			return fForwarded, i, nil
		}
		return ignored, i, nil
	case name != "" && letter == "t":
		if name != "sec" && name != "msec" && name != "usec" && name != "begin:sec" && name != "end:sec" {
			return 0, 0, fmt.Errorf("%%{...}t is read only as sec, msec or usec; times of another form need %%t")
		}
		return fTime, i, nil
	case name != "" && letter == "a":
		return fAddr, i, nil // %{c}a, the connection's own address
	case name != "":
		return ignored, i, nil
	}
	to, ok := apacheSlots[letter]
	if !ok {
		return 0, 0, fmt.Errorf("%%%s is no directive of Apache's LogFormat that is known", letter)
	}
	return to, i, nil
}

func nginxField(s string) (to slot, n int, err error) {
	i := 1
	braced := i < len(s) && s[i] == '{'
	if braced {
		i++
	}
	from := i
	for i < len(s) && (s[i] == '_' || digit(s[i]) || s[i]|0x20 >= 'a' && s[i]|0x20 <= 'z') {
		i++
	}
	name := s[from:i]
	if braced {
		if i >= len(s) || s[i] != '}' {
			return 0, 0, fmt.Errorf("a brace of the pattern does not close")
		}
		i++
	}
	if name == "" {
		return 0, 0, fmt.Errorf("the pattern has a $ without a name")
	}
	return nginxSlots[name], i, nil
}
