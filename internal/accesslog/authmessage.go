package accesslog

import "bytes"

// said reads what a program wrote into syslog.
func said(host, program, process, msg []byte) (e authEvent, why Reason) {
	e = authEvent{verdict: isNothing, times: 1, host: host, process: process}
	if i := bytes.LastIndexByte(program, '/'); i >= 0 {
		program = program[i+1:]
	}
	if rest, ok := bytes.CutPrefix(msg, []byte("message repeated ")); ok {
		if n, text, ok := bytes.Cut(rest, []byte(" times: [ ")); ok && number(n) > 0 && bytes.HasSuffix(text, []byte("]")) {
			e.times, msg = int64(number(n)), text[:len(text)-1]
		}
	}
	switch string(program) {
	case "sshd", "sshd-session", "sshd-auth":
		return e.sshd(msg)
	case "sudo":
		return e.sudo(msg)
	case "su", "login":
		return e.pam(msg, string(program)), Accepted
	case "useradd", "userdel", "usermod", "passwd", "chpasswd", "chage", "newusers", "adduser":
		return e.account(msg), Accepted
	case "proftpd":
		return e.proftpd(msg)
	case "pure-ftpd":
		return e.pureftpd(msg)
	}
	return e, Accepted
}

// fact makes the line one under the rule.
func (e authEvent) fact(rule int, kind string, user []byte) authEvent {
	e.rule, e.kind, e.verdict, e.user = rule, kind, isFact, user
	return e
}

// refused makes it a failed attempt.
func (e authEvent) refused(rule int) authEvent {
	e.rule, e.verdict = rule, isFailed
	return e
}

// sshd reads sshd's own lines (OpenSSH, auth.c auth_log) and pam_unix's in its
// name. A user name is whatever a client sends, so that it may hold "from
// 192.0.2.1 port 22"; what follows the address sshd wrote, except the text of a
// certificate.
func (e authEvent) sshd(msg []byte) (authEvent, Reason) {
	verb, rest, _ := bytes.Cut(msg, []byte(" "))
	switch string(verb) {
	case "Accepted":
	case "Failed":
		if i := bytes.LastIndex(rest, []byte(" from ")); i >= 0 {
			if addr, _, ok := sshTail(rest[i+len(" from "):]); ok {
				e.addr = addr
			}
		}
		return e.refused(ruleSSH), Accepted
	default:
		return e.pam(msg, "sshd"), Accepted
	}
	_, rest, ok := bytes.Cut(rest, []byte(" for "))
	if !ok {
		return e, BadField
	}
	// An accepted user exists, but what is read must not hang on that: one way or none.
	i, j := bytes.Index(rest, []byte(" from ")), bytes.LastIndex(rest, []byte(" from "))
	if i <= 0 {
		return e, BadField
	}
	if i != j {
		return e, Ambiguous
	}
	addr, key, ok := sshTail(rest[i+len(" from "):])
	if !ok {
		return e, BadField
	}
	e = e.fact(ruleSSH, FactLogIn, rest[:i])
	e.addr, e.key = addr, key
	return e, Accepted
}

// sshTail reads "192.0.2.7 port 4242 ssh2: ED25519 SHA256:…".
func sshTail(b []byte) (addr, key []byte, ok bool) {
	f := bytes.SplitN(b, []byte(" "), 7)
	if len(f) < 3 || string(f[1]) != "port" || number(f[2]) < 0 || number(f[2]) > 65535 {
		return nil, nil, false
	}
	if len(f) > 3 && string(bytes.TrimSuffix(f[3], []byte(":"))) != "ssh2" && string(f[3]) != "ssh1" {
		return nil, nil, false
	}
	if len(f) >= 6 && f[3][len(f[3])-1] == ':' && (bytes.HasPrefix(f[5], []byte("SHA256:")) || bytes.HasPrefix(f[5], []byte("MD5:")) || bytes.Count(f[5], []byte(":")) == 15) {
		key = f[5]
	}
	return f[0], key, true
}

// pam reads "pam_unix(sshd:session): session opened for user root(uid=0) by
// (uid=0)".
func (e authEvent) pam(msg []byte, service string) authEvent {
	rest, ok := bytes.CutPrefix(msg, []byte("pam_unix("))
	if !ok {
		return e
	}
	from, rest, ok := bytes.Cut(rest, []byte("): session "))
	named, session, _ := bytes.Cut(from, []byte(":"))
	if !ok || string(session) != "session" || string(named) != service && string(named) != service+"-l" {
		return e
	}
	kind := FactSessionClose
	user, closed := bytes.CutPrefix(rest, []byte("closed for user "))
	if !closed {
		if user, ok = bytes.CutPrefix(rest, []byte("opened for user ")); !ok {
			return e
		}
		kind = FactSessionOpen
	}
	var by []byte
	if i := bytes.LastIndex(user, []byte(" by ")); i > 0 {
		user, by = user[:i], bareUser(user[i+len(" by "):])
	}
	user = bareUser(user)
	switch {
	case len(user) == 0:
		return e
	case service == "sshd":
		return e.fact(ruleSSHSession, kind, user)
	case service == "login":
		return e.fact(ruleConsole, kind, user)
	case kind == FactSessionOpen && len(by) > 0:
		return e.fact(ruleSu, kind, by)
	}
	return e
}

// bareUser is "root" of "root(uid=0)".
func bareUser(b []byte) []byte {
	if i := bytes.LastIndex(b, []byte("(uid=")); i >= 0 {
		return b[:i]
	}
	return b
}

// sudo reads "alice : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls". What sudo
// refuses has its reason before TTY.
func (e authEvent) sudo(msg []byte) (authEvent, Reason) {
	user, rest, ok := bytes.Cut(bytes.TrimLeft(msg, " "), []byte(" : "))
	if !ok || bytes.HasPrefix(msg, []byte("pam_")) || !bytes.Contains(rest, []byte("COMMAND=")) {
		return e, Accepted
	}
	for _, word := range []string{"TTY=", "PWD=", "HOST=", "USER="} {
		if bytes.HasPrefix(rest, []byte(word)) {
			return e.fact(ruleSudo, FactAdminister, user), Accepted
		}
	}
	return e.refused(ruleSudo), Accepted
}

// account reads what the tools of shadow-utils write.
func (e authEvent) account(msg []byte) authEvent {
	var user []byte
	if rest, ok := bytes.CutPrefix(msg, []byte("new user: name=")); ok {
		user, _, _ = bytes.Cut(rest, []byte(","))
	} else if i := bytes.Index(msg, []byte("password changed for ")); i >= 0 {
		user = msg[i+len("password changed for "):]
	} else if rest, ok := bytes.CutPrefix(msg, []byte("changed password expiry for ")); ok {
		user = rest
	} else if verb, rest, ok := bytes.Cut(msg, []byte(" '")); ok {
		switch string(verb) {
		case "delete user", "change user", "lock user", "unlock user", "add", "remove":
			user, _, _ = bytes.Cut(rest, []byte("'"))
		}
	}
	if len(user) == 0 {
		return e
	}
	return e.fact(ruleAccount, FactAccountChange, user)
}
