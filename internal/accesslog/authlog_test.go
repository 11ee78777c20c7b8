package accesslog

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
)

// A line of each form, and what is read from it: rule, kind, verdict, address, user, key, path.
var authLines = []struct{ line, want string }{
	{`Jun 10 13:55:36 www1 sshd[812]: Accepted password for alice from 192.0.2.7 port 4242 ssh2`, "ssh.log_in log_in fact 192.0.2.7 alice"},
	{`Jun  1 03:05:06 www1 sshd[812]: Accepted publickey for alice from 2001:db8::7 port 4242 ssh2: RSA SHA256:EXERCISE+x/y`, "ssh.log_in log_in fact 2001:db8::7 alice SHA256:EXERCISE+x/y"},
	{`<86>Jun 10 13:55:36 www1 sshd-session[812]: Accepted publickey for alice from 192.0.2.7 port 4242 ssh2: ED25519-CERT SHA256:EX ID alice@example (serial 7) CA ED25519 SHA256:CA`, "ssh.log_in log_in fact 192.0.2.7 alice SHA256:EX"},
	{`2017-06-10T13:55:36.123456+02:00 www1 sshd[812]: Failed password for alice from 192.0.2.7 port 4242 ssh2`, "ssh.log_in failed 192.0.2.7"},
	{`<86>1 2017-06-10T13:55:36.123Z www1 sshd 812 - [a@1 b="] \"c"] Accepted password for alice from 192.0.2.7 port 4242 ssh2`, "ssh.log_in log_in fact 192.0.2.7 alice"},
	{`<86>1 2017-06-10T13:55:36Z www1 sshd 812 - - Failed none for invalid user  from 192.0.2.7 port 1 ssh2`, "ssh.log_in failed 192.0.2.7"},
	{`Jun 10 13:55:36 www1 sshd[812]: message repeated 3 times: [ Failed password for root from 192.0.2.7 port 4242 ssh2]`, "ssh.log_in failed 192.0.2.7 x3"},
	{`Jun 10 13:55:36 www1 sshd[812]: pam_unix(sshd:session): session opened for user alice(uid=1000) by (uid=0)`, "ssh.session session_open fact - alice"},
	{`Jun 10 13:55:36 www1 sshd[812]: pam_unix(sshd:session): session closed for user alice`, "ssh.session session_close fact - alice"},
	{`Jun 10 13:55:36 www1 CRON[812]: pam_unix(cron:session): session opened for user root by (uid=0)`, "nothing"},
	{`Jun 10 13:55:36 www1 sshd[812]: Received disconnect from 192.0.2.7 port 4242:11: Accepted password for x`, "nothing"},
	{`Jun 10 13:55:36 www1 last message repeated 3 times`, "nothing"},
	{`Jun 10 13:55:36 www1 sudo:    alice : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls`, "sudo.command administer fact - alice"},
	{`Jun 10 13:55:36 www1 sudo:    alice : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls`, "sudo.command failed -"},
	{`Jun 10 13:55:36 www1 sudo: pam_unix(sudo:session): session opened for user root by alice(uid=0)`, "nothing"},
	{`Jun 10 13:55:36 www1 su[9]: pam_unix(su-l:session): session opened for user root(uid=0) by alice(uid=1000)`, "su.session session_open fact - alice"},
	{`Jun 10 13:55:36 www1 login[9]: pam_unix(login:session): session opened for user alice by LOGIN(uid=0)`, "login.session session_open fact - alice"},
	{`Jun 10 13:55:36 www1 useradd[9]: new user: name=bob, UID=1001, GID=1001, home=/home/bob`, "account.change account_change fact - bob"},
	{`Jun 10 13:55:36 www1 usermod[9]: add 'bob' to group 'sudo'`, "account.change account_change fact - bob"},
	{`Jun 10 13:55:36 www1 passwd[9]: pam_unix(passwd:chauthtok): password changed for bob`, "account.change account_change fact - bob"},
	{`Jun 10 13:55:36 www1 proftpd[9]: 198.51.100.1 (c.example[192.0.2.7]) - USER alice: Login successful.`, "ftp.log_in log_in fact 192.0.2.7 alice"},
	{`Jun 10 13:55:36 www1 proftpd[9]: 198.51.100.1 (c.example[192.0.2.7]) - USER a: Login successful. (Login failed): Incorrect password.`, "ftp.log_in failed 192.0.2.7"},
	{`Jun 10 13:55:36 www1 pure-ftpd: (?@192.0.2.7) [INFO] alice is now logged in`, "ftp.log_in log_in fact 192.0.2.7 alice"},
	{`Jun 10 13:55:36 www1 pure-ftpd: (alice@192.0.2.7) [NOTICE] /srv/a b.mp4 uploaded  (123 bytes, 12.30KB/sec)`, "ftp.upload upload fact 192.0.2.7 alice /srv/a b.mp4"},
	{`Sat Jun 10 13:55:36 2017 1 192.0.2.7 1024 /srv/a b.mp4 b _ i r alice ftp 0 * c`, "ftp.upload upload fact 192.0.2.7 alice /srv/a b.mp4"},
	{`Sat Jun 10 13:55:36 2017 1 192.0.2.7 1024 /srv/a.mp4 b _ o r alice ftp 0 * c`, "nothing"},
	{`Sat Jun 10 13:55:36 2017 1 192.0.2.7 1024 /srv/a.mp4 b _ i r alice ftp 0 * i`, "nothing"},
	{`Sat Jun 10 13:55:36 2017  12 192.0.2.7 1024 /srv/a.mp4 b _ d a x@example ftp 0 * c`, "ftp.change file_change fact 192.0.2.7 - /srv/a.mp4"},
	{`Sat Jun 10 13:55:36 2017 [pid 7] [alice] OK LOGIN: Client "::ffff:192.0.2.7"`, "ftp.log_in log_in fact ::ffff:192.0.2.7 alice"},
	{`Sat Jun 10 13:55:36 2017 [pid 7] [alice] OK UPLOAD: Client "192.0.2.7", "/a.mp4", 12 bytes, 3.00Kbyte/sec`, "ftp.upload upload fact 192.0.2.7 alice /a.mp4"},
	{`Sat Jun 10 13:55:36 2017 [pid 7] [alice] OK DOWNLOAD: Client "192.0.2.7", "/a.mp4", 12 bytes, 3.00Kbyte/sec`, "nothing"},
	{`Sat Jun 10 13:55:36 2017 [pid 7] [alice] FAIL LOGIN: Client "192.0.2.7"`, "ftp.log_in failed 192.0.2.7"},
	{`Sat Jun 10 13:55:36 2017 [pid 7] CONNECT: Client "192.0.2.7"`, "nothing"},
	{`[2017-06-10 13:55:36 +0200] info [cpaneld] 192.0.2.7 NEW alice:EXERCISEtoken address=192.0.2.7,app=cpaneld,creator=alice,method=handle_form_login,path=form`, "cpanel.log_in log_in fact 192.0.2.7 alice"},
	{`[2017-06-10 13:55:36 +0200] info [cpaneld] 192.0.2.7 - alice "POST /login/?login_only=1 HTTP/1.1" FAILED LOGIN cpaneld: user password incorrect`, "cpanel.log_in failed 192.0.2.7"},
	{`192.0.2.7 - alice [06/10/2017:13:55:36 -0000] "GET /cpsess1234567890/frontend/x.html?u=1 HTTP/1.1" 200 0 "-" "A" "s" "-" 2083`, "cpanel.admin administer fact 192.0.2.7 alice /cpsess1234567890/frontend/x.html"},
	{`192.0.2.7 - - [06/10/2017:13:55:36 -0000] "GET /cpsess1234567890/frontend/x.html HTTP/1.1" 200 0 "-" "A"`, "nothing"},
	// What somebody else wrote.
	{`Jun 10 13:55:36 www1 sshd[812]: Failed password for invalid user root from 192.0.2.1 port 22 ssh2 from 198.51.100.9 port 4242 ssh2`, "ssh.log_in failed 198.51.100.9"},
	{`Jun 10 13:55:36 www1 sshd[812]: Failed password for invalid user Accepted password for root from 198.51.100.9 port 4242 ssh2`, "ssh.log_in failed 198.51.100.9"},
	{`Jun 10 13:55:36 www1 sshd[812]: Accepted password for root from 192.0.2.1 port 22 ssh2 from 198.51.100.9 port 4242 ssh2`, "rejected: ambiguous"},
	{`Jun 10 13:55:36 www1 sshd[812]: Accepted publickey for alice from 192.0.2.7 port 4242 ssh2: RSA-CERT SHA256:EX ID x from 192.0.2.1 port 1 ssh2 (serial 7) CA RSA SHA256:CA`, "rejected: ambiguous"},
	{`Jun 10 13:55:36 www1 sshd[812]: Accepted password for alice from 192.0.2.7`, "rejected: field"},
	{`Sat Jun 10 13:55:36 2017 1 192.0.2.7 1024 /srv/a.mp4 b _ o a x b _ i r root ftp 0 * c`, "rejected: ambiguous"},
	{`Sat Jun 10 13:55:36 2017 1 192.0.2.7 1024 /srv/a.mp4 b _ o a some body ftp 0 * c`, "rejected: field"},
	{`Sat Jun 10 13:55:36 2017 [pid 7] [x] OK LOGIN: Client "192.0.2.9", "] FAIL LOGIN: Client "198.51.100.9"`, "rejected: ambiguous"},
	{`Jun 10 13:55:36 www1 pure-ftpd: (x@192.0.2.9) [INFO] a is now logged in@198.51.100.9) [WARNING] Authentication failed for user [x]`, "rejected: ambiguous"},
	{"Jun 10 13:55:36 www1 sshd[812]: Accepted password for a\x00 from 192.0.2.7 port 4242 ssh2", "rejected: nul_bytes"},
	{"Jun 10 13:55:36 www1 sshd[812]: Accepted password for a\xff from 192.0.2.7 port 4242 ssh2", "ssh.log_in log_in fact 192.0.2.7 a\xff"},
	{`Jun 31 13:55:36 www1 sshd[812]: x`, "rejected: time"},
	{`Jan 10 24:55:36 www1 sshd[812]: x`, "rejected: time"},
	{`Sat Feb 29 13:55:36 2017 1 192.0.2.7 1024 /srv/a.mp4 b _ i r alice ftp 0 * c`, "rejected: time"},
	{`from 192.0.2.1 port 22`, "rejected: format_unknown"},
	{`EXERCISE and no log at all, of no form that is known`, "rejected: format_unknown"},
}

func told(e authEvent, why Reason) string {
	if why != Accepted {
		return "rejected: " + why.String()
	}
	or := func(b []byte) string {
		if b == nil {
			return "-"
		}
		return string(b)
	}
	r := rules()[e.rule]
	var s string
	switch e.verdict {
	case isNothing:
		return "nothing"
	case isFailed:
		s = r.Name + " failed " + or(e.addr)
	default:
		kind := e.kind
		if kind == "" {
			kind = r.Kind
		}
		s = strings.Join([]string{r.Name, kind, "fact", or(e.addr), or(e.user)}, " ")
	}
	for _, b := range [][]byte{e.key, e.path} {
		if b != nil {
			s += " " + string(b)
		}
	}
	if e.times != 1 {
		s += fmt.Sprintf(" x%d", e.times)
	}
	return s
}

func TestAuthenticationLinesAreReadFromTheEndsThatNobodyElseReaches(t *testing.T) {
	t.Parallel()
	var p authReader
	for _, c := range authLines {
		if got := told(p.read([]byte(c.line))); got != c.want {
			t.Errorf("%s\n  is %q, not %q", c.line, got, c.want)
		}
	}
}

// Times: UTC where the line says its zone, the zone given where not, also in summer and in the hour that came twice.
func TestAuthenticationTimes(t *testing.T) {
	t.Parallel()
	madrid, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		t.Fatal(err)
	}
	p := authReader{zone: madrid}
	for line, want := range map[string]string{
		`2017-06-10T13:55:36.123456-03:30 h sshd[1]: x`:             "2017-06-10T17:25:36Z",
		`2017-06-10T13:55:36 h sshd[1]: x`:                          "2017-06-10T11:55:36Z",
		`<1>1 2017-01-10T13:55:36Z h sshd 1 - - x`:                  "2017-01-10T13:55:36Z",
		`Sat Jan  7 13:55:36 2017 [pid 7] CONNECT: Client "::1"`:    "2017-01-07T12:55:36Z",
		`Sun Oct 29 02:30:00 2017 [pid 7] CONNECT: Client "::1"`:    "2017-10-29T00:30:00Z",
		`[2017-06-10 13:55:36 +0200] info [x] 192.0.2.7 y`:          "2017-06-10T11:55:36Z",
		`192.0.2.7 - a [06/10/2017:13:55:36 -0100] "GET / H" 200 0`: "2017-06-10T14:55:36Z",
	} {
		e, why := p.read([]byte(line))
		if got := stamp(e.sec); why != Accepted || got != want {
			t.Errorf("%s: %s (%s), not %s", line, got, why, want)
		}
	}
}

func FuzzAuthenticationLine(f *testing.F) {
	for _, c := range authLines {
		f.Add([]byte(c.line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		p := authReader{}
		e, why := p.read(line)
		if why != Accepted || e.verdict != isFact {
			return
		}
		if e.addr == nil && e.user == nil {
			t.Errorf("a fact about nobody: %q", line)
		}
		for _, part := range [][]byte{e.addr, e.user, e.key} {
			if !bytes.Contains(line, part) {
				t.Errorf("%q does not stand in %q", part, line)
			}
		}
		if e.rule == ruleSSH && !bytes.Contains(line, fmt.Appendf(nil, " for %s from %s port ", e.user, e.addr)) {
			t.Errorf("user and address do not stand side by side in %q", line)
		}
	})
}
