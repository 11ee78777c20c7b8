package accesslog

import (
	"bytes"
	"strings"
	"time"
)

// proftpd reads "client.example[192.0.2.7] - USER alice: Login successful.",
// with the server's own name in brackets before it.
func (e authEvent) proftpd(msg []byte) (authEvent, Reason) {
	head, rest, ok := bytes.Cut(msg, []byte(" - USER "))
	if !ok {
		return e, Accepted
	}
	if i, j := bytes.LastIndexByte(head, '['), bytes.LastIndexByte(head, ']'); i >= 0 && i < j {
		e.addr = head[i+1 : j]
	}
	if user, ok := bytes.CutSuffix(rest, []byte(": Login successful.")); ok {
		return e.fact(ruleFTPLogIn, FactLogIn, user), Accepted
	}
	if bytes.Contains(rest, []byte(" (Login failed)")) || bytes.Contains(rest, []byte(": no such user")) {
		return e.refused(ruleFTPLogIn), Accepted
	}
	return e, Accepted
}

// pureftpd reads "(alice@192.0.2.7) [NOTICE] /home/x uploaded  (123 bytes, 1KB/sec)",
// in which the name before the address is a client's own text until it is checked.
func (e authEvent) pureftpd(msg []byte) (authEvent, Reason) {
	i := bytes.Index(msg, []byte(") ["))
	if len(msg) == 0 || msg[0] != '(' || i < 0 {
		return e, Accepted
	}
	who, rest := msg[1:i], msg[i+3:]
	if bytes.Contains(rest, []byte(") [")) {
		return e, Ambiguous
	}
	at := bytes.LastIndexByte(who, '@')
	level, text, ok := bytes.Cut(rest, []byte("] "))
	if at < 0 || !ok {
		return e, BadField
	}
	user, addr := who[:at], who[at+1:]
	switch {
	case string(level) == "INFO" && string(user) == "?" && bytes.HasSuffix(text, []byte(" is now logged in")):
		e = e.fact(ruleFTPLogIn, FactLogIn, bytes.TrimSuffix(text, []byte(" is now logged in")))
	case string(level) == "NOTICE" && bytes.Contains(text, []byte(" uploaded  (")) && string(user) != "?":
		e = e.fact(ruleFTPUpload, FactUpload, user)
		e.path = text[:bytes.LastIndex(text, []byte(" uploaded  ("))]
	case bytes.HasPrefix(text, []byte("Authentication failed for user")):
		e = e.refused(ruleFTPLogIn)
	}
	if e.verdict != isNothing {
		e.addr = addr
	}
	return e, Accepted
}

// ftp reads what begins with "Sat Jun 10 13:55:36 2017 ": vsftpd's own log and
// the xferlog of wu-ftpd, ProFTPD and vsftpd. Its time has no zone.
func (p *authReader) ftp(line []byte) (e authEvent, why Reason) {
	e = authEvent{verdict: isNothing, times: 1}
	wall, ok := yearlessTime(line[4:19])
	year := number(line[20:24])
	if !ok || year < 1970 || len(line) < 26 || line[24] != ' ' {
		return e, BadTime
	}
	t := time.Unix(wall, 0).UTC()
	at := time.Date(year, t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
	if at.Day() != t.Day() {
		return e, BadTime
	}
	if rest := line[25:]; bytes.HasPrefix(rest, []byte("[pid ")) {
		e, why = e.vsftpd(rest)
	} else {
		e, why = e.xferlog(rest)
	}
	e.sec, e.zoneAssumed = p.local(at.Unix()), true
	return e, why
}

// xferlog reads "1 192.0.2.7 1024 /a.mp4 b _ i r alice ftp 0 * c" (xferlog(5)).
// A file's name and an anonymous user's password are a client's own text, so a
// line in which both could end elsewhere is refused.
func (e authEvent) xferlog(rest []byte) (authEvent, Reason) {
	f := strings.Split(string(rest), " ")
	for len(f) > 0 && f[0] == "" { // the seconds are set to the right
		f = f[1:]
	}
	if len(f) < 13 || number([]byte(f[0])) < 0 {
		return e, BadField
	}
	shape := func(i int) bool {
		return i+4 <= len(f) && len(f[i]) == 1 && strings.Contains("ab", f[i]) && len(f[i+1]) > 0 && strings.Trim(f[i+1], "CUT_") == "" &&
			len(f[i+2]) == 1 && strings.Contains("oid", f[i+2]) && len(f[i+3]) == 1 && strings.Contains("agr", f[i+3])
	}
	ways := 0
	for i := 4; i < len(f); i++ {
		if shape(i) {
			ways++
		}
	}
	tail := f[len(f)-9:]
	switch {
	case ways > 1:
		return e, Ambiguous
	case !shape(len(f)-9) || tail[6] != "0" && tail[6] != "1" || tail[8] != "c" && tail[8] != "i":
		return e, BadField
	}
	if tail[8] == "i" || tail[2] == "o" {
		return e, Accepted
	}
	var user []byte
	if tail[3] != "a" {
		user = []byte(tail[4])
	}
	if tail[2] == "d" {
		e = e.fact(ruleFTPChange, FactFileChange, user)
	} else {
		e = e.fact(ruleFTPUpload, FactUpload, user)
	}
	e.addr, e.path = []byte(f[1]), []byte(strings.Join(f[3:len(f)-9], " "))
	return e, Accepted
}

// vsftpd reads `[pid 812] [alice] OK UPLOAD: Client "192.0.2.7", "/a.mp4", …`. A
// name that a client sends stands in brackets before the verdict.
func (e authEvent) vsftpd(rest []byte) (authEvent, Reason) {
	_, rest, _ = bytes.Cut(rest, []byte("] "))
	var user []byte
	if len(rest) > 0 && rest[0] == '[' {
		i := bytes.Index(rest, []byte("] "))
		if i < 0 {
			return e, BadField
		}
		if bytes.Contains(rest[i+2:], []byte("] OK ")) || bytes.Contains(rest[i+2:], []byte("] FAIL ")) {
			return e, Ambiguous
		}
		user, rest = rest[1:i], rest[i+2:]
	}
	verb, rest, ok := bytes.Cut(rest, []byte(`: Client "`))
	if !ok {
		return e, Accepted
	}
	addr, rest, ok := bytes.Cut(rest, []byte(`"`))
	if !ok {
		return e, BadField
	}
	if string(user) == "ftp" || string(user) == "anonymous" {
		user = nil
	}
	switch string(verb) {
	case "OK LOGIN":
		if user == nil {
			return e, Accepted
		}
		e = e.fact(ruleFTPLogIn, FactLogIn, user)
	case "FAIL LOGIN":
		e = e.refused(ruleFTPLogIn)
	case "OK UPLOAD":
		e = e.fact(ruleFTPUpload, FactUpload, user)
	case "OK DELETE", "OK MKDIR", "OK RMDIR", "OK RENAME":
		e = e.fact(ruleFTPChange, FactFileChange, user)
	default:
		return e, Accepted
	}
	e.addr = addr
	if i, j := bytes.IndexByte(rest, '"'), bytes.LastIndexByte(rest, '"'); i >= 0 && i < j {
		e.path = rest[i+1 : j]
	}
	return e, Accepted
}

// cpanel reads "[2017-06-10 13:55:36 +0000] info [cpaneld] 192.0.2.7 …" of
// cPanel's login_log and session_log.
func (p *authReader) cpanel(line []byte) (e authEvent, why Reason) {
	e = authEvent{verdict: isNothing, times: 1}
	at, rest, ok := bytes.Cut(line[1:], []byte("] "))
	if !ok {
		return e, UnknownFormat
	}
	sec, assumed, ok := p.instant(at)
	if !ok {
		return e, BadTime
	}
	e.sec, e.zoneAssumed = sec, assumed
	level, rest, _ := bytes.Cut(rest, []byte(" ["))
	_, rest, ok = bytes.Cut(rest, []byte("] "))
	if !ok || string(level) != "info" {
		return e, Accepted
	}
	addr, rest, _ := bytes.Cut(rest, []byte(" "))
	if user, ok := bytes.CutPrefix(rest, []byte("NEW ")); ok {
		user, how, _ := bytes.Cut(user, []byte(" "))
		i := bytes.IndexByte(user, ':')
		if i > 0 && (bytes.Contains(how, []byte("method=handle_form_login")) || bytes.Contains(how, []byte("method=handle_auth_transfer"))) {
			e = e.fact(ruleCPanelLogIn, FactLogIn, user[:i])
			e.addr = addr
		}
		return e, Accepted
	}
	if bytes.Contains(rest, []byte(`" FAILED LOGIN `)) {
		e = e.refused(ruleCPanelLogIn)
		e.addr = addr
	}
	return e, Accepted
}

// cpanelAccess reads `192.0.2.7 - alice [06/10/2017:13:55:36 -0000] "GET /cpsess…`
// of cPanel's access_log, whose month is a number.
func (p *authReader) cpanelAccess(line []byte) (e authEvent, why Reason) {
	e = authEvent{verdict: isNothing, times: 1}
	head, rest, _ := bytes.Cut(line, []byte(" ["))
	addr, user, ok := bytes.Cut(head, []byte(" - "))
	if !ok || bytes.IndexByte(addr, ' ') >= 0 {
		return e, UnknownFormat
	}
	if len(rest) < 30 || rest[2] != '/' || rest[5] != '/' || rest[10] != ':' || rest[13] != ':' || rest[16] != ':' || rest[19] != ' ' || rest[25] != ']' {
		return e, BadTime
	}
	base, okDay := minuteOf(number(rest[6:10]), number(rest[0:2]), number(rest[3:5]), number(rest[11:13]), number(rest[14:16]))
	zone, okZone := zoneOf(rest[20:25])
	s := number(rest[17:19])
	if !okDay || !okZone || s < 0 || s > 60 || number(rest[11:13]) < 0 || number(rest[14:16]) < 0 {
		return e, BadTime
	}
	e.sec = base + int64(s) - int64(zone)
	rest, ok = bytes.CutPrefix(rest[26:], []byte(` "`))
	end := closing(rest)
	if !ok || end < 0 {
		return e, BadRequest
	}
	var r record
	splitRequest(rest[:end], &r)
	status := number(bytes.TrimSpace(rest[end+1 : min(len(rest), end+5)]))
	if status < 100 {
		return e, BadStatus
	}
	path, _, _ := bytes.Cut(r.target, []byte("?"))
	if len(user) == 0 || string(user) == "-" || !cpanelToken(path) {
		return e, Accepted
	}
	e.addr, e.status, e.path, e.method = addr, status, path, r.method
	switch status / 100 {
	case 2:
		e = e.fact(ruleCPanelAdmin, FactAdminister, user)
	case 4, 5:
		e = e.refused(ruleCPanelAdmin)
	}
	return e, Accepted
}
