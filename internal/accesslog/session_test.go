package accesslog

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func sessions(t testing.TB, o SessionOptions, access, auth []string) *SessionReport {
	t.Helper()
	r, err := Sessions(t.Context(), access, auth, o)
	if err != nil {
		t.Fatal(err)
	}
	if r.Lines != r.Parsed+r.Rejected+r.Blank {
		t.Fatalf("lines %d are not parsed %d + rejected %d + blank %d", r.Lines, r.Parsed, r.Rejected, r.Blank)
	}
	for _, in := range r.Inputs {
		if in.Lines != in.Parsed+in.Rejected+in.Blank {
			t.Fatalf("%s: lines %d are not parsed %d + rejected %d + blank %d", in.File, in.Lines, in.Parsed, in.Rejected, in.Blank)
		}
	}
	return r
}

// outline is what a report says without pseudonyms: for each session whose it is, when, and its facts.
func outline(r *SessionReport, names map[string]string) (list []string) {
	for _, s := range r.Sessions {
		line := fmt.Sprintf("%s %s %s..%s failed=%d", s.Of, names[s.Pseudonym], s.First, s.Last, s.Failed)
		for _, u := range s.Users {
			line += " user=" + names[u]
		}
		for _, f := range s.Facts {
			line += fmt.Sprintf(" %s:%d", f.Rule, f.Times)
			if f.Kind == FactSessionClose {
				line += ":closed"
			}
		}
		list = append(list, line)
	}
	return list
}

func named(key *[KeySize]byte, addrs, users []string) map[string]string {
	names := map[string]string{}
	for kind, list := range map[string][]string{IdentityAddress: addrs, IdentityUser: users} {
		for _, plain := range list {
			p, _ := PseudonymOf(key, kind, plain)
			names[p.text()] = plain
		}
	}
	return names
}

func access(ip, user, at, request string, status int) string {
	return fmt.Sprintf("%s - %s [%s] \"%s HTTP/1.1\" %d 5 \"-\" \"Mozilla/5.0 EXERCISE\"\n", ip, user, at, request, status)
}

// The story of a server (EXERCISE): an administrator works over New Year, a second one shares the account, scanners fail, readers read.
const (
	adminAddr, otherAddr, readerAddr, scannerAddr = "192.0.2.7", "192.0.2.8", "198.51.100.20", "203.0.113.9"
)

func storyAccess() string {
	var b strings.Builder
	b.WriteString(access(adminAddr, "-", "31/Dec/2016:23:40:00 +0000", "POST /wp-login.php", 200))
	b.WriteString(access(adminAddr, "-", "31/Dec/2016:23:40:09 +0000", "POST /wp-login.php", 302))
	for i := range 40 {
		b.WriteString(access(adminAddr, "-", fmt.Sprintf("31/Dec/2016:23:%02d:%02d +0000", 41+i/4, i%4*15), "POST /wp-admin/admin-ajax.php", 200))
		b.WriteString(access(adminAddr, "-", fmt.Sprintf("31/Dec/2016:23:%02d:%02d +0000", 41+i/4, i%4*15+1), "GET /wp-admin/edit.php?post=12", 200))
		b.WriteString(access(readerAddr, "-", fmt.Sprintf("31/Dec/2016:23:%02d:%02d +0000", 41+i/4, i%4*15+2), "GET /video/canary@example.org.mp4?t=CANARYTOKEN", 200))
		b.WriteString(access(scannerAddr, "-", fmt.Sprintf("31/Dec/2016:23:%02d:%02d +0000", 41+i/4, i%4*15+3), "POST /wp-login.php", 200))
		b.WriteString(access(scannerAddr, "-", fmt.Sprintf("31/Dec/2016:23:%02d:%02d +0000", 41+i/4, i%4*15+3), "GET /wp-admin/", 302))
	}
	b.WriteString(access(adminAddr, "-", "01/Jan/2017:00:50:00 +0100", "POST /wp-admin/async-upload.php", 200))
	b.WriteString("EXERCISE: no access\n\n")
	b.WriteString(access(otherAddr, "CANARYUSER", "01/Jan/2017:12:00:00 +0000", "PUT /dav/canary@example.org/a.mp4?k=CANARYTOKEN", 201))
	b.WriteString(access(otherAddr, "CANARYUSER", "01/Jan/2017:12:00:30 +0000", "GET /dav/", 207))
	b.WriteString(access(readerAddr, "-", "01/Jan/2017:12:01:00 +0000", "POST /comment", 302))
	b.WriteString(access(readerAddr, "-", "01/Jan/2017:12:02:00 +0000", "POST /wp-login.php?action=postpass", 302))
	return b.String()
}

// storyAuth is one log in three files, as logrotate leaves it.
func storyAuth() [3]string {
	return [3]string{`Dec 31 23:50:01 www1 sshd[812]: Accepted publickey for CANARYUSER from 192.0.2.7 port 4242 ssh2: ED25519 SHA256:CANARYKEY
Dec 31 23:50:01 www1 sshd[812]: pam_unix(sshd:session): session opened for user CANARYUSER(uid=1000) by (uid=0)
Dec 31 23:50:01 www1 sshd[900]: Accepted publickey for CANARYUSER from 192.0.2.8 port 4242 ssh2: RSA SHA256:CANARYKEY2
Dec 31 23:50:02 www1 sshd[900]: pam_unix(sshd:session): session opened for user CANARYUSER(uid=1000) by (uid=0)
Dec 31 23:52:00 www1 sudo: CANARYUSER : TTY=pts/0 ; PWD=/home/CANARYUSER ; USER=root ; COMMAND=/bin/cat /CANARYTOKEN
`, `Dec 31 23:59:59 www1 sshd[900]: pam_unix(sshd:session): session closed for user CANARYUSER
Jan  1 00:05:00 www1 sshd[901]: Failed password for invalid user root from 192.0.2.7 port 22 ssh2 from 203.0.113.9 port 4242 ssh2
`, `Jan  1 00:10:00 www1 sshd[812]: pam_unix(sshd:session): session closed for user CANARYUSER
Jan  1 13:00:00 www1 useradd[9]: new user: name=CANARYNEW, UID=1001
Jan  1 13:00:00 www1 sshd[902]: Accepted password for root from 192.0.2.1 port 22 ssh2 from 203.0.113.9 port 4242 ssh2
Jan  1 13:00:01 www1 sudo: CANARYUSER : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls
`}
}

func story(t testing.TB) (dir string, logs, auth []string) {
	t.Helper()
	dir = t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	text := storyAccess()
	half := strings.Index(text[len(text)/2:], "\n") + len(text)/2 + 1
	logs = []string{write("access.log", []byte(text[half:])), write("access.log.1.gz", squeeze(t, gzipped, text[:half]))}
	parts := storyAuth()
	auth = []string{write("auth.log", []byte(parts[2])), write("auth.log.1", []byte(parts[1])), write("auth.log.2.gz", squeeze(t, gzipped, parts[0]))}
	return dir, logs, auth
}

func TestSessionsOfAStory(t *testing.T) {
	t.Parallel()
	key := [KeySize]byte{7}
	_, logs, auth := story(t)
	r := sessions(t, SessionOptions{Options: Options{Key: &key, Now: testNow}, Year: 2017}, logs, auth)
	names := named(&key, []string{adminAddr, otherAddr, readerAddr, scannerAddr}, []string{"CANARYUSER", "CANARYNEW"})
	want := []string{
		"address 192.0.2.7 2016-12-31T23:40:09Z..2017-01-01T00:10:00Z failed=1 user=CANARYUSER wordpress.log_in:1 wordpress.admin:16 wordpress.admin:20 wordpress.admin:4 ssh.log_in:1 wordpress.upload:1 ssh.session:1 ssh.session:1:closed",
		"address 192.0.2.8 2016-12-31T23:50:01Z..2016-12-31T23:59:59Z failed=0 user=CANARYUSER ssh.log_in:1 ssh.session:1 ssh.session:1:closed",
		"user CANARYUSER 2016-12-31T23:52:00Z..2016-12-31T23:52:00Z failed=0 user=CANARYUSER sudo.command:1", // two addresses hold the account: whose it was nobody can tell
		"address 192.0.2.8 2017-01-01T12:00:00Z..2017-01-01T12:00:30Z failed=0 user=CANARYUSER http.put:1 http.user:1",
		"user CANARYUSER 2017-01-01T13:00:01Z..2017-01-01T13:00:01Z failed=0 user=CANARYUSER sudo.command:1",
	}
	got := outline(r, names)
	for i := range got {
		f := strings.Fields(got[i])
		w := strings.Fields(want[min(i, len(want)-1)])
		slices.Sort(f)
		slices.Sort(w)
		if !slices.Equal(f, w) {
			t.Errorf("session %d: %s, not %s", i+1, got[i], want[min(i, len(want)-1)])
		}
	}
	if len(got) != len(want) || len(r.Unattributed) != 1 || names[r.Unattributed[0].Pseudonym] != "CANARYNEW" {
		t.Errorf("%d sessions, not %d; without one: %+v", len(got), len(want), r.Unattributed)
	}
	if d := cmp.Diff(map[string]int64{"request": 0, "ambiguous": 1}, map[string]int64{"request": r.Rejects["request"], "ambiguous": r.Rejects["ambiguous"]}); d != "" {
		t.Error(d)
	}
	counted := map[string]Attempts{}
	for _, a := range r.Attempts {
		counted[a.Rule] = a
	}
	if a := counted["wordpress.log_in"]; a.Failed != 41 {
		t.Errorf("failed log-ins: %+v", a)
	}
	if a := counted["wordpress.admin"]; a.Undecided != 40 || a.Failed != 0 {
		t.Errorf("administration undecided: %+v", a)
	}
	if a := counted["ssh.log_in"]; a.Failed != 1 {
		t.Errorf("failed over SSH: %+v", a)
	}
}

// P3: the same bytes with any number of workers, any cut and any order of files; P9: nobody in them.
func TestSessionsAreTheSameBytesInAnyOrder(t *testing.T) {
	t.Parallel()
	key := [KeySize]byte{7}
	dir, logs, auth := story(t)
	var first []byte
	for i, c := range []struct{ workers, block int }{{1, 0}, {2, 400}, {8, 400}, {8, 700}, {2, 4096}, {1, 500}} {
		if i%2 == 1 {
			slices.Reverse(logs)
			slices.Reverse(auth)
		}
		r := sessions(t, SessionOptions{Options: Options{Key: &key, Workers: c.workers, block: c.block, Now: testNow}, Year: 2017}, logs, auth)
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		b = bytes.ReplaceAll(b, []byte(dir), nil)
		if first == nil {
			first = b
		} else if !bytes.Equal(first, b) {
			t.Errorf("workers %d, block %d: %s", c.workers, c.block, cmp.Diff(string(first), string(b)))
		}
		for _, canary := range []string{"192.0.2", "203.0.113", "198.51.100", "CANARY", "canary@"} {
			if bytes.Contains(b, []byte(canary)) {
				t.Errorf("%q stands in the report", canary)
			}
		}
	}
	drawn := sessions(t, SessionOptions{Year: 2017}, logs, auth)
	if strings.Contains(string(first), drawn.Sessions[0].Pseudonym) || drawn.CaseKey {
		t.Error("a run without the key gave its pseudonym")
	}
}

// P5: each fact points to its line, which has the digest and is read as the same fact again.
func TestFactsAreFoundAgain(t *testing.T) {
	t.Parallel()
	key := [KeySize]byte{7}
	_, logs, auth := story(t)
	r := sessions(t, SessionOptions{Options: Options{Key: &key, block: 300, Now: testNow}, Year: 2017}, logs, auth)
	all := slices.Clone(r.Unattributed)
	for _, s := range r.Sessions {
		all = append(all, s.Facts...)
	}
	if len(all) != r.Facts || r.Facts < 10 {
		t.Fatalf("%d facts, the report says %d", len(all), r.Facts)
	}
	texts := map[string]string{}
	parts := storyAuth()
	text := storyAccess()
	half := strings.Index(text[len(text)/2:], "\n") + len(text)/2 + 1
	for i, p := range []string{text[half:], text[:half], parts[2], parts[1], parts[0]} {
		texts[append(slices.Clone(logs), auth...)[i]] = p
	}
	for _, f := range all {
		line := texts[f.File][f.Offset : f.Offset+int64(f.Length)]
		if sum := sha256.Sum256([]byte(line)); hex.EncodeToString(sum[:]) != f.LineSHA256 || strings.Contains(line, "\n") {
			t.Errorf("%+v is not the line %q", f.Fact, line)
			continue
		}
		alone := put(t, "alone.log", line+"\n")
		again := sessions(t, SessionOptions{Options: Options{Key: &key, Now: testNow}, Year: 2017}, []string{alone}, nil)
		if slices.Contains(auth, f.File) {
			again = sessions(t, SessionOptions{Options: Options{Key: &key, Now: testNow}, Year: 2017}, nil, []string{alone})
		}
		got := slices.Clone(again.Unattributed)
		for _, s := range again.Sessions {
			got = append(got, s.Facts...)
		}
		if len(got) != 1 || got[0].Rule != f.Rule || got[0].Pseudonym != f.Pseudonym || got[0].LineSHA256 != f.LineSHA256 || got[0].At[4:] != f.At[4:] {
			t.Errorf("read again, %q is %+v, not %+v", line, got, f.Fact)
		}
	}
}

// The vault is told of everybody who stands in a report.
func TestTheVaultIsToldOfSessions(t *testing.T) {
	t.Parallel()
	key := [KeySize]byte{7}
	_, logs, auth := story(t)
	var mu sync.Mutex
	known := map[string]string{}
	r := sessions(t, SessionOptions{Options: Options{Key: &key, Now: testNow, Known: func(i Identified) error {
		mu.Lock()
		defer mu.Unlock()
		if p, ok := PseudonymOf(&key, i.Kind, i.Plain); !ok || p != i.Pseudonym {
			t.Errorf("PseudonymOf(%s) is another", i.Kind)
		}
		known[i.Pseudonym.text()] = i.Kind + " " + i.Plain
		return nil
	}}, Year: 2017}, logs, auth)
	if s := r.Sessions[0]; known[s.Pseudonym] != "address "+adminAddr || known[s.Users[0]] != "user CANARYUSER" || known[s.Keys[0]] != "key SHA256:CANARYKEY" || len(s.Users) != 1 || len(s.Keys) != 1 {
		t.Errorf("%v for %+v", known, s)
	}
	if p := r.Unattributed[0].Pseudonym; known[p] != "user CANARYNEW" {
		t.Errorf("%q for the account", known[p])
	}
}

// The public log of one site in May 2015 holds nobody who administers: no log-in, no upload, no user, only scanners that look for administration and get 404.
func TestRealLogHoldsNoFact(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(sharedLog)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the real log is not beside the repository")
	}
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if path, _, _ := strings.Cut(f[6], "?"); strings.Contains(path, "/wp-admin/") || strings.Contains(path, "/administrator/") || strings.Contains(path, "/admin/") || strings.HasSuffix(path, "/wp-login.php") || strings.HasSuffix(path, "/admin.php") {
			if f[8] != "404" {
				t.Errorf("not refused: %s", line)
			}
			refused++
		}
	}
	r := sessions(t, SessionOptions{}, []string{sharedLog}, nil)
	failed, undecided := int64(0), int64(0)
	for _, a := range r.Attempts {
		failed, undecided = failed+a.Failed, undecided+a.Undecided
	}
	if r.Facts != 0 || len(r.Sessions) != 0 || r.Lines != 10_000 || failed != int64(refused) || refused == 0 || undecided != 0 {
		t.Errorf("%d facts, %d lines, %d failed of %d, %d undecided", r.Facts, r.Lines, failed, refused, undecided)
	}
}

// Each application's rules: what its answers make of an access.
func TestWebRules(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		request string
		status  int
		want    string
	}{
		{"GET /", 200, ""}, {"GET /video/a.mp4", 206, ""}, {"POST /contact", 302, ""}, {"POST /wp-comments-post.php", 302, ""},
		{"POST /wp-login.php", 302, "fact wordpress.log_in"}, {"POST /blog/wp-login.php", 200, "failed wordpress.log_in"}, {"POST /wp-login.php?action=register", 302, "undecided other.log_in"},
		{"GET /wp-login.php", 200, "undecided other.admin"}, {"POST /xmlrpc.php", 200, "undecided other.log_in"},
		{"GET /wp-admin/", 302, "undecided wordpress.admin"}, {"GET /wp-admin/", 200, "fact wordpress.admin"}, {"GET /wp-admin/css/a.css", 200, ""}, {"POST /wp-admin/admin-ajax.php", 200, ""},
		{"POST /wp-admin/async-upload.php", 200, "fact wordpress.upload"}, {"POST /wp-json/wp/v2/posts", 201, "fact wordpress.rest"}, {"POST /wp-json/wp/v2/comments", 201, ""}, {"GET /wp-json/wp/v2/posts", 200, ""},
		{"POST /administrator/index.php", 303, "undecided joomla.log_in"}, {"POST /administrator/index.php?option=com_content", 303, "fact joomla.admin"}, {"GET /administrator/", 200, "undecided other.admin"},
		{"POST /user/login", 303, "fact drupal.log_in"}, {"POST /?q=user/login", 200, "failed drupal.log_in"}, {"POST /admin/login/", 302, "fact django.log_in"},
		{"POST /phpmyadmin/index.php", 302, "fact phpmyadmin.log_in"}, {"POST /login_up.php", 303, "fact plesk.log_in"}, {"POST /session_login.cgi", 401, "failed webmin.log_in"},
		{"GET /cpsess1234567890/x", 200, "fact cpanel.admin"}, {"GET /cpsess12/x", 200, ""}, {"GET /ghost/api/admin/posts/", 200, "fact ghost.admin"}, {"GET /ghost/api/admin/site/", 200, "undecided other.admin"},
		{"POST /login", 302, "undecided other.log_in"}, {"POST /login", 401, "failed other.log_in"},
		{"PUT /a.mp4", 201, "fact http.put"}, {"PUT /a.mp4", 405, "failed http.put"}, {"PUT /a.mp4", 200, "undecided http.put"}, {"MKCOL /a/", 201, "fact http.webdav"}, {"DELETE /a", 204, "fact http.webdav"},
		{"PROPFIND /a", 207, ""}, {"POST /upload.php", 201, "fact other.upload"}, {"POST /upload.php", 200, "undecided other.upload"},
	} {
		r := sessions(t, SessionOptions{}, []string{put(t, "access.log", access(adminAddr, "-", "01/Jan/2017:12:00:00 +0000", c.request, c.status))}, nil)
		got := ""
		for _, s := range r.Sessions {
			got = "fact " + s.Facts[0].Rule
		}
		for _, a := range r.Attempts {
			if got = "failed " + a.Rule; a.Undecided > 0 {
				got = "undecided " + a.Rule
			}
		}
		if got != c.want {
			t.Errorf("%s %d: %q, not %q", c.request, c.status, got, c.want)
		}
	}
}

// A user name in the log is a fact apart only where nothing else is, and one for five minutes.
func TestUserNamesInAccessLogs(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 30 {
		b.WriteString(access(adminAddr, "EXERCISE", fmt.Sprintf("01/Jan/2017:12:%02d:00 +0000", i), "GET /", 200))
	}
	b.WriteString(access(otherAddr, "EXERCISE", "01/Jan/2017:12:00:00 +0000", "GET /", 401))
	b.WriteString(access(otherAddr, "EXERCISE", "01/Jan/2017:12:00:00 +0000", "GET /wp-admin/", 302))
	r := sessions(t, SessionOptions{}, []string{put(t, "access.log", b.String())}, nil)
	if len(r.Sessions) != 2 || len(r.Sessions[0].Facts)+len(r.Sessions[1].Facts) != 7 {
		t.Errorf("%+v", r.Sessions)
	}
	if r = sessions(t, SessionOptions{Without: []string{"http.user"}}, []string{put(t, "access.log", b.String())}, nil); r.Facts != 0 || !slices.Equal(r.Without, []string{"http.user"}) {
		t.Errorf("%d facts by a rule that was left out", r.Facts)
	}
}

func TestSessionLimitsAreNamed(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 50 {
		b.WriteString(access(fmt.Sprintf("192.0.2.%d", i), "-", "01/Jan/2017:12:00:00 +0000", "PUT /a", 201))
	}
	path := put(t, "access.log", b.String())
	for _, workers := range []int{1, 8} {
		_, err := Sessions(context.Background(), []string{path}, nil, SessionOptions{Options: Options{Workers: workers, block: 500}, Most: 49})
		if !errors.Is(err, ErrTooManyFacts) || !strings.Contains(err.Error(), "http.put") {
			t.Errorf("%d workers: %v", workers, err)
		}
	}
	if r := sessions(t, SessionOptions{Most: 50}, []string{path}, nil); r.Facts != 50 {
		t.Errorf("%d facts at the limit", r.Facts)
	}
	if _, err := Sessions(context.Background(), []string{path}, nil, SessionOptions{Gap: time.Minute}); err == nil {
		t.Error("a gap shorter than what one fact stands for is taken")
	}
	if _, err := Sessions(context.Background(), []string{path}, nil, SessionOptions{Without: []string{"no.rule"}}); err == nil || !strings.Contains(err.Error(), "http.user") {
		t.Errorf("a rule that is none: %v", err)
	}
}

// Years that lines do not write: given, or by the date in a file's name; without either, and on a day that a year does not have, refused by name.
func TestYearsOfLines(t *testing.T) {
	t.Parallel()
	line := func(at string) string { return at + " h sshd[1]: Accepted password for a from 192.0.2.7 port 1 ssh2\n" }
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	firsts := func(r *SessionReport) (list []string) {
		for _, s := range r.Sessions {
			list = append(list, s.First[:10])
		}
		return list
	}
	old, young := write("secure-20161225", line("Nov 30 10:00:00")+line("Dec 24 10:00:00")), write("secure-20170101", line("Dec 26 10:00:00")+line("Jan  1 00:00:01")+line("Dec 31 23:59:59"))
	now := write("secure", line("Jan  2 10:00:00"))
	want := []string{"2016-11-30", "2016-12-24", "2016-12-26", "2016-12-31", "2017-01-02"}
	for _, block := range []int{0, 40, 90} {
		o := Options{block: block, Workers: 4}
		if got := firsts(sessions(t, SessionOptions{Options: o}, nil, []string{young, old, now})); !slices.Equal(got, want) {
			t.Errorf("by dates in names: %s", got)
		}
		if got := firsts(sessions(t, SessionOptions{Options: o, Year: 2013}, nil, []string{now, old, young})); got[0] != "2012-11-30" || got[4] != "2013-01-02" {
			t.Errorf("by the year given: %s", got)
		}
	}
	if r := sessions(t, SessionOptions{}, nil, []string{now}); r.Inputs[0].Outcome != YearUnknown || r.Facts != 0 || r.Rejects["year_unknown"] != 1 {
		t.Errorf("no year: %+v", r.Inputs[0])
	}
	leap := write("leap.log", line("Feb 29 10:00:00"))
	if _, err := Sessions(context.Background(), nil, []string{leap}, SessionOptions{Year: 2017}); err == nil || !strings.Contains(err.Error(), "-year") {
		t.Errorf("29 February 2017: %v", err)
	}
	if r := sessions(t, SessionOptions{Year: 2016}, nil, []string{leap}); firsts(r)[0] != "2016-02-29" || !r.Sessions[0].Facts[0].YearAssumed || !r.Sessions[0].Facts[0].ZoneAssumed {
		t.Errorf("29 February 2016: %+v", r.Sessions)
	}
}

// Failed attempts of more addresses than memory holds go to disk and are counted to the last one.
func TestManyFailedAttempts(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	n := failedMost + 2000
	for i := range n {
		fmt.Fprintf(&b, "2017-06-10T13:55:36Z h sshd[1]: Failed password for root from 2001:db8::%x:%x port 1 ssh2\n", i>>16, i&0xffff)
	}
	b.WriteString("2017-06-10T13:55:37Z h sshd[1]: Failed password for root from 2001:db8::0:5 port 1 ssh2\n")
	b.WriteString("2017-06-10T13:55:38Z h sshd[1]: Accepted password for root from 2001:db8::0:5 port 1 ssh2\n")
	r := sessions(t, SessionOptions{Options: Options{Workers: 1}}, nil, []string{put(t, "auth.log", b.String())})
	if len(r.Sessions) != 1 || r.Sessions[0].Failed != 2 || r.Attempts[0].Failed != int64(n+1) {
		t.Errorf("%+v, %+v", r.Sessions, r.Attempts)
	}
}

// Lines beyond the limit, NUL bytes, CR LF, a mark of byte order and a missing end are accounted for; what is no authentication log is named.
func TestHostileAuthenticationLogs(t *testing.T) {
	t.Parallel()
	good := "2017-06-10T13:55:36Z h sshd[1]: Accepted password for root from 192.0.2.7 port 1 ssh2"
	long := "2017-06-10T13:55:36Z h sshd[1]: Failed password for " + strings.Repeat("A", 9000) + " from 192.0.2.7 port 1 ssh2"
	text := "\xef\xbb\xbf" + good + "\r\n" + long + "\n\n" + strings.Repeat("\x00", 50) + "\n" + good
	for _, block := range []int{0, 100} {
		for _, data := range []string{text, string(squeeze(t, gzipped, text))} {
			r := sessions(t, SessionOptions{Options: Options{block: block, LineMax: 1000}}, nil, []string{put(t, "auth.log", data)})
			if r.Lines != 5 || r.Blank != 1 || r.Facts != 2 || !maps.Equal(r.Rejects, map[string]int64{"too_long": 1, "nul_bytes": 1}) {
				t.Errorf("block %d: %d lines, %d facts, %v", block, r.Lines, r.Facts, r.Rejects)
			}
			first := r.Sessions[0].Facts[0]
			if sum := sha256.Sum256([]byte(text[:first.Length])); hex.EncodeToString(sum[:]) != first.LineSHA256 || text[first.Length] != '\r' {
				t.Errorf("the first line ends elsewhere: %+v", first)
			}
		}
	}
	if r := sessions(t, SessionOptions{}, nil, []string{put(t, "x", "EXERCISE\n")}); r.Inputs[0].Outcome != Unknown || r.Inputs[0].Detail == "" {
		t.Errorf("%+v", r.Inputs[0])
	}
}
