package accesslog

import (
	"bytes"
	"crypto/sha256"
	"strings"
	"time"
)

// authEvent is what one line of an authentication log says. Its slices point
// into the line.
type authEvent struct {
	rule    int
	kind    string // of a fact, where it is not its rule's
	verdict int
	addr    []byte // nil: the line names none
	user    []byte // nil: likewise
	key     []byte // fingerprint
	path    []byte
	method  []byte
	status  int
	times   int64 // that the line stands for
	process []byte
	host    []byte

	sec         int64
	yearless    bool
	wall        int64
	zoneAssumed bool
}

// isNothing is a line that was read and concerns no rule.
const isNothing = -1

// authReader reads the lines of logs that tell who logged in: syslog (RFC 3164,
// RFC 5424, RFC 3339 times) of sshd, su, sudo, login, shadow's tools, ProFTPD and
// Pure-FTPd; vsftpd's own log; xferlog; cPanel's access_log, login_log and
// session_log. Each line tells its own form.
type authReader struct {
	clock
	zone *time.Location // of times without one
}

// read reads one line. What other people wrote into it is read from the ends
// that they cannot reach, and refused where it can be read in two ways.
func (p *authReader) read(line []byte) (e authEvent, why Reason) {
	e = authEvent{verdict: isNothing, times: 1}
	if bytes.IndexByte(line, 0) >= 0 {
		return e, NulBytes
	}
	line = priority(line)
	switch {
	case len(line) > 16 && line[0] == '1' && line[1] == ' ':
		return p.syslog5424(line[2:])
	case len(line) > 20 && digit(line[0]) && line[4] == '-' && line[10] == 'T':
		return p.syslogISO(line)
	case len(line) > 20 && line[0] == '[':
		return p.cpanel(line)
	case len(line) > 24 && line[3] == ' ' && line[7] == ' ' && line[13] == ':' && line[19] == ' ':
		return p.ftp(line)
	case len(line) > 16 && line[3] == ' ' && line[6] == ' ' && line[9] == ':' && line[12] == ':' && line[15] == ' ':
		return p.syslog3164(line)
	case bytes.Contains(line, []byte(" [")):
		return p.cpanelAccess(line)
	}
	return e, UnknownFormat
}

// authFormat stands for all of them.
func authFormat() format {
	return format{name: "authentication", open: func([]byte) parser { return func([]byte, *record) Reason { return UnknownFormat } }}
}

// priority takes "<86>" off.
func priority(line []byte) []byte {
	if len(line) > 2 && line[0] == '<' {
		if i := bytes.IndexByte(line[:min(len(line), 5)], '>'); i > 1 && number(line[1:i]) >= 0 {
			return line[i+1:]
		}
	}
	return line
}

// syslog3164 reads "Jun 10 13:55:36 host sshd[812]: …", which has neither year
// nor zone (RFC 3164 section 4.1.2).
func (p *authReader) syslog3164(line []byte) (e authEvent, why Reason) {
	wall, ok := yearlessTime(line[:15])
	if !ok {
		return e, BadTime
	}
	host, msg, ok := bytes.Cut(line[16:], []byte(" "))
	if !ok {
		return e, BadField
	}
	e, why = p.tagged(host, msg)
	e.yearless, e.zoneAssumed, e.wall = true, true, wall
	return e, why
}

// yearlessTime reads "Jun 10 13:55:36" as if in 2000, which has every day.
func yearlessTime(b []byte) (wall int64, ok bool) {
	month := strings.Index(months, string(b[:3]))
	day, h, m, s := number(bytes.TrimLeft(b[4:6], " ")), number(b[7:9]), number(b[10:12]), number(b[13:15])
	if month < 0 || month%3 != 0 || h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s > 60 {
		return 0, false
	}
	base, ok := minuteOf(2000, month/3+1, day, h, m)
	return base + int64(s), ok
}

// syslogISO reads "2017-06-10T13:55:36.123456+02:00 host sshd[812]: …".
func (p *authReader) syslogISO(line []byte) (e authEvent, why Reason) {
	at, rest, ok := bytes.Cut(line, []byte(" "))
	if !ok {
		return e, BadField
	}
	sec, assumed, ok := p.instant(at)
	if !ok {
		return e, BadTime
	}
	host, msg, ok := bytes.Cut(rest, []byte(" "))
	if !ok {
		return e, BadField
	}
	e, why = p.tagged(host, msg)
	e.sec, e.zoneAssumed = sec, assumed
	return e, why
}

// syslog5424 reads "2017-06-10T13:55:36Z host sshd 812 - - …" (RFC 5424).
func (p *authReader) syslog5424(line []byte) (e authEvent, why Reason) {
	var field [5][]byte // time, host, program, process, message's name
	for i := range field {
		var ok bool
		if field[i], line, ok = bytes.Cut(line, []byte(" ")); !ok || len(field[i]) == 0 {
			return e, BadField
		}
	}
	sec, assumed, ok := p.instant(field[0])
	if !ok {
		return e, BadTime
	}
	msg, ok := afterData(line)
	if !ok {
		return e, BadField
	}
	e, why = said(field[1], field[2], field[3], bytes.TrimPrefix(msg, []byte("\xef\xbb\xbf")))
	e.sec, e.zoneAssumed = sec, assumed
	return e, why
}

// afterData cuts structured data off (RFC 5424 section 6.3), whose values hide
// brackets and quotes behind a backslash.
func afterData(b []byte) ([]byte, bool) {
	if len(b) > 0 && b[0] == '-' {
		return bytes.TrimPrefix(b[1:], []byte(" ")), len(b) == 1 || b[1] == ' '
	}
	quoted := false
	for i := 0; i < len(b); i++ {
		switch {
		case quoted && b[i] == '\\':
			i++
		case b[i] == '"':
			quoted = !quoted
		case b[i] == ']' && !quoted && (i+1 == len(b) || b[i+1] != '['):
			return bytes.TrimPrefix(b[i+1:], []byte(" ")), b[0] == '['
		}
	}
	return nil, false
}

// instant reads an ISO time; assumed tells that its zone is the one given.
func (p *authReader) instant(b []byte) (sec int64, assumed, ok bool) {
	sec, zone, ok := p.iso(b)
	if ok && zone == zoneless {
		return p.local(sec), true, true
	}
	return sec, false, ok
}

// local is when a clock of the zone showed what UTC showed at the second. An hour
// that came twice is taken the first time.
func (p *authReader) local(sec int64) int64 {
	if p.zone == nil {
		return sec
	}
	u := time.Unix(sec, 0).UTC()
	t := time.Date(u.Year(), u.Month(), u.Day(), u.Hour(), u.Minute(), u.Second(), 0, p.zone)
	// time.Date takes either of two; zones turn back by an hour, few by half of one.
	for _, back := range []time.Duration{time.Hour, 30 * time.Minute} {
		if first := t.Add(-back); first.Format(timeForm) == t.Format(timeForm) {
			return first.Unix()
		}
	}
	return t.Unix()
}

// tagged reads "sshd[812]: …".
func (p *authReader) tagged(host, msg []byte) (authEvent, Reason) {
	i := bytes.IndexByte(msg, ':')
	if i <= 0 || bytes.IndexByte(msg[:i], ' ') >= 0 {
		return authEvent{verdict: isNothing, times: 1}, Accepted // "last message repeated 3 times" and the like
	}
	tag, text := msg[:i], bytes.TrimPrefix(msg[i+1:], []byte(" "))
	program, process, ok := bytes.Cut(tag, []byte("["))
	if ok {
		process = bytes.TrimSuffix(process, []byte("]"))
	}
	return said(host, program, process, text)
}

// authLine accounts for one line of an authentication log. The text is the line
// without a mark of byte order.
func (n *finder) authLine(file int, t *task, text, line []byte, offset int64) (Reason, error) {
	e, why := n.auth.read(text)
	if why != Accepted {
		return why, nil
	}
	if e.yearless && !n.known[file] {
		return NoYear, nil
	}
	if e.yearless {
		n.turn(file, t.seq, e.wall)
	}
	if e.verdict == isNothing || n.off[e.rule] {
		return Accepted, nil
	}
	r := record{addr: e.addr}
	if e.addr != nil {
		var ok bool
		if r.client, r.named, ok = parseAddress(e.addr, n.geo.text); !ok {
			return BadAddress, nil
		}
		r.clientHash = n.geo.address(r.client)
	}
	if e.verdict != isFact {
		return Accepted, n.attempt(e.rule, e.verdict, &r, e.times)
	}
	if e.user != nil && len(e.user) == 0 {
		return BadField, nil
	}
	f := found{rule: e.rule, kind: e.kind, file: file, offset: offset, length: len(line), sec: e.sec, until: e.sec, n: e.times, status: e.status, zoneAssumed: e.zoneAssumed}
	if err := n.who(&f, &r, e.user, e.user != nil); err != nil {
		return Accepted, err
	}
	if e.yearless {
		f.yearless, f.seq, f.turn, f.wall = true, t.seq, n.now.turns, e.wall
	}
	if e.key != nil {
		f.key = sum(n.names.mac, keyKind, e.key)
		if err := n.names.tell(Identified{f.key, IdentityKey, string(e.key)}); err != nil {
			return Accepted, err
		}
	}
	if e.path != nil {
		f.path = n.names.redacted(n.geo.text(e.path), e.path)
	}
	if i, ok := n.names.methods[string(e.method)]; ok && e.method != nil {
		f.method = methodNames[i]
	}
	if len(e.process) > 0 {
		f.process = n.geo.text(bytes.Join([][]byte{e.host, e.process}, []byte{0})) | 1
	}
	if e.rule == ruleCPanelAdmin {
		return Accepted, n.keepOne(f, line)
	}
	f.line = sha256.Sum256(line)
	return Accepted, n.keep(f)
}
