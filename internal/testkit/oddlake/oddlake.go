// Package oddlake makes a real lake for tests that compare engines: an invented log of
// many visitors over several months, and logs in which everything stands that one
// engine may write otherwise than another. It stands apart from the rest of testkit, so
// that such tests need nothing of the house but the lake. Its one invariant: every line
// is invented (EXERCISE), and the same in every run.
package oddlake

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"

	"concert/internal/accesslog"
	"concert/internal/lake"
	"concert/internal/vault"
)

// now is when the lake is made: after the invented log and before the times that
// cannot be.
var now = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

const (
	oddClient = "192.0.2.77"
	oddUser   = "EXERCISE-odd"
)

// oddPaths are paths of which each engine has to write the same. Control characters and
// what is no UTF-8 never get into a lake: they stand replaced.
var oddPaths = []string{
	`/tab	tab`, `/it's`, `/back\slash`, `/back\tslash-t`, `/\N`, `/two\\`, `/<b>&amp;`, `/percent%09%00%27`, "/bell\a\b\f\v", "/escape\x1b[0m\x7f",
	"/العربية/كتاب", "/emoji/🕯", "/joined\u200b\u202eafter", "/not-utf8-\xff\xfe", "/nul\x00byte", "/" + strings.Repeat("long/", 200), "//", "/",
}

// Make makes a lake of so many invented lines and some thousand odd ones, with
// countries. Root is the repository's, where bench/gen-accesslog is.
func Make(t testing.TB, root string, lines int) *lake.Lake {
	t.Helper()
	dir := t.TempDir()
	log := filepath.Join(dir, "access.log")
	gen := exec.Command("go", "run", "./bench/gen-accesslog", "-lines", strconv.Itoa(lines), "-o", log)
	gen.Dir, gen.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := gen.CombinedOutput(); err != nil {
		t.Fatalf("bench/gen-accesslog: %v\n%s", err, out)
	}
	paths := []string{log, filepath.Join(dir, "odd.log"), filepath.Join(dir, "odd.json"), filepath.Join(dir, "odd.log.1")}
	for i, text := range [][]byte{oddCombined(0), oddNginx(), oddCombined(7)} {
		must(t, os.WriteFile(paths[i+1], text, 0o600))
	}
	var key [accesslog.KeySize]byte
	copy(key[:], bytes.Repeat([]byte{7}, accesslog.KeySize))
	job := lake.Job{Dir: filepath.Join(dir, "lake"), Paths: paths, Case: "EXERCISE-1", Epoch: "1", Key: key[:], By: "EXERCISE Analyst", Program: "concert test", Now: now, Needed: 2}
	for i := range 3 {
		k, err := age.GenerateX25519Identity()
		must(t, err)
		job.Custodians = append(job.Custodians, vault.Custodian{Name: fmt.Sprint("EXERCISE Custodian ", i), Recipient: k.Recipient().String()})
	}
	geo, err := accesslog.OpenGeo(countries(t, dir))
	must(t, err)
	job.Log.Geo = geo
	m, err := lake.Write(t.Context(), job)
	must(t, err)
	if m.Manifest.Rejected == 0 || m.Manifest.Rows < int64(lines) {
		t.Fatalf("the lake has %d rows of %d lines, %d were rejected: it is not what it is made for", m.Manifest.Rows, m.Manifest.Lines, m.Manifest.Rejected)
	}
	l, err := lake.Open(job.Dir, nil)
	must(t, err)
	return l
}

// oddCombined is a log in which users come and go, requests are empty or nonsense,
// and times cannot be.
func oddCombined(shift int) []byte {
	var b bytes.Buffer
	at := time.Date(2017, 3, 31, 23, 0, 0, 0, time.UTC)
	for i := range 3000 {
		client, user, request := oddClient, "-", fmt.Sprintf("GET %s?q=%d HTTP/1.1", oddPaths[i%len(oddPaths)], i)
		when := at.Add(time.Duration(i/3) * time.Minute)
		switch {
		case i%5 == 1:
			client = fmt.Sprintf("2001:db8:%x::%x", i%3, i%11)
		case i%5 == 2:
			client = fmt.Sprintf("host-%d.example", i%4)
		}
		switch i % 10 {
		case 3:
			request = []string{"-", "", `\x16\x03\x01`, "GET", "BREW /pot HTTP/1.1"}[i/10%5]
		case 4:
			user = []string{oddUser, "EXERCISE 'quoted'", `EXERCISE\back`, "EXERCISE-é"}[i/10%4]
		case 5:
			when = []time.Time{time.Unix(0, 0), time.Date(1989, 12, 31, 23, 59, 59, 0, time.UTC), time.Date(2049, 1, 1, 0, 0, 0, 0, time.UTC), time.Unix(-1, 0)}[i/10%4]
		}
		fmt.Fprintf(&b, "%s - %s [%s] \"%s\" %d %d \"http://from.example/%s\" \"%s\"\n", client, user, when.In(time.FixedZone("", 3600*(i%3-1))).Format("02/Jan/2006:15:04:05 -0700"),
			request, []int{200, 206, 302, 404, 500, 999}[i%6], (i+shift)*i, oddPaths[(i+shift)%len(oddPaths)], []string{"Mozilla/5.0 Firefox/54.0", "Googlebot/2.1", `odd 'agent' \ `, "-"}[i%4])
	}
	b.WriteString("EXERCISE garbage\n")
	return b.Bytes()
}

// oddNginx is a log in JSON, where escapes stand for what a plain log cannot hold.
func oddNginx() []byte {
	var b bytes.Buffer
	for i := range 500 {
		fmt.Fprintf(&b, `{"time_iso8601":"2017-05-0%dT00:00:%02d+02:00","remote_addr":"%s","remote_user":"%s","request":"GET /json/%s HTTP/1.1","status":"200","body_bytes_sent":"%d","http_referer":"","http_user_agent":"curl/7"}`+"\n",
			1+i%9, i%60, oddClient, oddUser, []string{`tab\there`, `line\nbreak`, `return\rhere`, `back\\slash`, `quote\"and'`, `\u0000nul`, `\b\f`, `\u00e9`, `\ud83d\udd6f`}[i%9], i)
	}
	return b.Bytes()
}

// countries writes a database of invented ones.
func countries(t testing.TB, dir string) string {
	t.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: "EXERCISE-invented-country", RecordSize: 24, IncludeReservedNetworks: true, Description: map[string]string{"en": "EXERCISE: invented"}})
	must(t, err)
	for i := range 200 {
		cc := mmdbtype.Map{"country_code": mmdbtype.String([]string{"ES", "FR", "DE", "MA", "GB", "TN", "IT"}[i*i%7])}
		must(t, tree.Insert(&net.IPNet{IP: net.IPv4(byte(i), 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)}, cc))
	}
	path := filepath.Join(dir, "country.mmdb")
	f, err := os.Create(path)
	must(t, err)
	_, err = tree.WriteTo(f)
	must(t, err)
	must(t, f.Close())
	return path
}

// Question is a query of the catalogue, about one pseudonym where it asks for one, in
// SQL that still names {lake}, and our own answer as text.
type Question struct {
	Name, SQL, Want string
}

// Questions are all queries of the catalogue with the lake's own answers: timelines of
// who is odd, and of each user.
func Questions(t testing.TB, l *lake.Lake) (all []Question) {
	t.Helper()
	who := []string{strings.Repeat("00", 16)}
	key := [accesslog.KeySize]byte(bytes.Repeat([]byte{7}, accesslog.KeySize))
	for kind, plain := range map[string]string{accesslog.IdentityAddress: oddClient, accesslog.IdentityHost: "host-2.example", accesslog.IdentityUser: oddUser} {
		p, ok := accesslog.PseudonymOf(&key, kind, plain)
		if !ok {
			t.Fatalf("%s is no %s", plain, kind)
		}
		who = append(who, hex.EncodeToString(p[:]))
	}
	for _, q := range lake.Catalogue() {
		about := []string{""}
		if strings.Contains(q.SQL, "{pseudonym}") {
			about = who
		}
		for _, pseudonym := range about {
			r, err := l.Ask(t.Context(), q, pseudonym)
			must(t, err)
			var text bytes.Buffer
			must(t, r.WriteTSV(&text))
			all = append(all, Question{q.Name, strings.ReplaceAll(q.SQL, "{pseudonym}", pseudonym), text.String()})
			if q.Name == "users" {
				for _, row := range r.Rows {
					who = append(who, row[0].(string))
				}
			}
		}
	}
	text := fmt.Sprint(all)
	for _, must := range []string{"/tab\ufffdtab", `/it\'s`, `/back\\slash`, `/back\\tslash`, `/json/quote"and\'`, "/not-utf8-\ufffd", "\u200b\u202e", "1970-01-01 00:00:00", "2049-01-01", "1989-12-31", "1969-12-31", "العربية"} {
		if !strings.Contains(text, must) {
			t.Errorf("no answer holds %q: the lake is not what it is made for", must)
		}
	}
	return all
}

// Same compares an engine's answers with ours, byte by byte.
func Same(t testing.TB, questions []Question, got []string) {
	t.Helper()
	for i, q := range questions {
		if got[i] == q.Want {
			continue
		}
		ours, theirs := strings.Split(q.Want, "\n"), strings.Split(got[i], "\n")
		for n := range max(len(ours), len(theirs)) {
			if a, b := line(ours, n), line(theirs, n); a != b {
				t.Errorf("%s: our line %d of %d is %q, the engine's of %d is %q\n%s", q.Name, n+1, len(ours), a, len(theirs), b, q.SQL)
				break
			}
		}
	}
}

func line(lines []string, n int) string {
	if n < len(lines) {
		return lines[n]
	}
	return "(no line)"
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
