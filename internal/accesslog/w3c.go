package accesslog

import (
	"bytes"
	"strings"
)

// w3c reads the extended log file format (W3C working draft WD-logfile-960323),
// as IIS and CloudFront write it: a #Fields directive says what stands where.
type w3c struct {
	slots []w3cSlot
	ready bool
	time  []byte // date and time joined
	path  []byte // stem and query joined
	agent []byte
	clock clock
}

type w3cSlot uint8

const (
	wIgnored w3cSlot = iota
	wDate
	wTime
	wClient
	wUser
	wMethod
	wStem
	wQuery
	wStatus
	wBytes
	wReferrer
	wAgent
)

var w3cSlots = map[string]w3cSlot{
	"date": wDate, "time": wTime, "c-ip": wClient, "cs-username": wUser, "cs-method": wMethod, "cs-uri-stem": wStem, "cs-uri": wStem, "cs-uri-query": wQuery,
	"sc-status": wStatus, "sc-bytes": wBytes, "cs(referer)": wReferrer, "cs(user-agent)": wAgent, "c-dns": wIgnored,
}

// newW3C makes a parser for a directive; none is in force for nil.
func newW3C(fields []byte) *w3c {
	p := &w3c{}
	text, ok := strings.CutPrefix(string(fields), "#Fields:")
	if !ok {
		return p
	}
	has := map[w3cSlot]bool{}
	for name := range strings.FieldsSeq(text) {
		s := w3cSlots[strings.ToLower(name)]
		has[s] = true
		p.slots = append(p.slots, s)
	}
	p.ready = has[wDate] && has[wTime] && has[wClient] && has[wStem]
	return p
}

// parse reads one line.
func (p *w3c) parse(line []byte, r *record) Reason {
	if line[0] == '#' {
		return Comment
	}
	if !p.ready {
		return NoFields
	}
	r.user, r.method, r.target, r.referrer, r.agent, r.addr, r.status, r.bytes = nil, nil, nil, nil, nil, nil, 0, 0
	p.time, p.path = p.time[:0], p.path[:0]
	tabs := bytes.IndexByte(line, '\t') >= 0
	var query, clockPart []byte
	for _, s := range p.slots {
		if len(line) == 0 {
			return BadField
		}
		i := bytes.IndexByte(line, ' ')
		if tabs {
			i = bytes.IndexByte(line, '\t')
		}
		value := line
		if i < 0 {
			line = nil
		} else {
			value, line = line[:i], line[i+1:]
		}
		switch s {
		case wDate:
			p.time = append(append(p.time[:0], value...), ' ')
		case wTime:
			clockPart = value
		case wQuery:
			query = value
		default:
			if why := p.put(s, value, r); why != Accepted {
				return why
			}
		}
	}
	if len(line) > 0 {
		return Extra
	}
	p.time = append(p.time, clockPart...)
	var ok bool
	if r.sec, _, ok = p.clock.iso(p.time); !ok {
		return BadTime
	}
	r.zone = 0 // the format is in UTC
	if len(query) > 0 && string(query) != "-" {
		p.path = append(append(append(p.path, r.target...), '?'), query...)
		r.target = p.path
	}
	if r.method == nil && r.target != nil {
		r.method = unstatedMethod
	}
	return Accepted
}

func (p *w3c) put(s w3cSlot, value []byte, r *record) Reason {
	none := len(value) == 1 && value[0] == '-'
	switch s {
	case wClient:
		r.addr = value
	case wUser:
		if !none {
			r.user = value
		}
	case wMethod:
		if !none {
			r.method = value
		}
	case wStem:
		r.target = value
	case wStatus:
		n := number(value)
		if none || n == 0 { // CloudFront writes 000 for a client that went away
			n = 0
		}
		if n < 0 || n > 999 {
			return BadStatus
		}
		r.status = int32(n)
	case wBytes:
		n, ok := size(value)
		if !ok && !none {
			return BadSize
		}
		r.bytes = n
	case wReferrer:
		if !none {
			r.referrer = value
		}
	case wAgent:
		// IIS writes + for a blank, CloudFront %20.
		p.agent = append(p.agent[:0], value...)
		for i, c := range p.agent {
			if c == '+' {
				p.agent[i] = ' '
			}
		}
		r.agent = p.agent
	}
	return Accepted
}
