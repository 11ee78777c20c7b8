package lake

import (
	"bytes"
	"compress/gzip"
	"context"
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

	"filippo.io/age"
	"github.com/parquet-go/parquet-go"

	"concert/internal/accesslog"
	"concert/internal/vault"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func custodians(t testing.TB, n int) (who []vault.Custodian, keys []*age.X25519Identity) {
	t.Helper()
	for i := range n {
		k, err := age.GenerateX25519Identity()
		must(t, err)
		keys = append(keys, k)
		who = append(who, vault.Custodian{Name: fmt.Sprint("EXERCISE Custodian ", i), Recipient: k.Recipient().String()})
	}
	return who, keys
}

var testKey = bytes.Repeat([]byte{7}, accesslog.KeySize)

var testNow = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

func jobOf(t testing.TB, paths ...string) Job {
	t.Helper()
	who, _ := custodians(t, 3)
	return Job{Dir: filepath.Join(t.TempDir(), "lake-of-EXERCISE"), Paths: paths, Case: "CS-1", Epoch: "1", Key: testKey, By: "EXERCISE Analyst", Program: "concert test", Now: testNow, Custodians: who, Needed: 2}
}

func made(t testing.TB, j Job) *Lake {
	t.Helper()
	m, err := Write(t.Context(), j)
	must(t, err)
	l, err := Open(j.Dir, nil)
	must(t, err)
	if l.Digest != m.Digest {
		t.Fatalf("the manifest's digest is %s, and was said to be %s", l.Digest, m.Digest)
	}
	return l
}

func put(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	must(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// lines makes a log over three months with visitors, users, bots and garbage, and says what it holds.
func lines(n int) (text string, status map[int64]int64, days, users, paths map[string]int64, visitors int) {
	var b strings.Builder
	status, days, users, paths = map[int64]int64{}, map[string]int64{}, map[string]int64{}, map[string]int64{}
	seen := map[string]bool{}
	at := time.Date(2017, 5, 30, 22, 0, 0, 0, time.UTC)
	for i := range n {
		if i%97 == 13 {
			b.WriteString("EXERCISE garbage\n")
			continue
		}
		user, client, code := "-", fmt.Sprintf("198.51.%d.%d", i*i%7, i%251), int64([]int{200, 200, 206, 404}[i%4])
		if i%41 == 3 || i%64 == 1 {
			user = fmt.Sprint("EXERCISE-", i%5)
			users[user]++
		}
		agent, path := "Mozilla/5.0 (X11) Gecko/20100101 Firefox/54.0", fmt.Sprintf("/video/%d.html", i*i%503)
		if i%9 == 0 {
			agent = "Googlebot/2.1"
		}
		when := at.Add(time.Duration(i) * 3 * time.Minute)
		fmt.Fprintf(&b, "%s - %s [%s] \"GET %s?t=%d HTTP/1.1\" %d %d \"-\" %q\n", client, user, when.Format("02/Jan/2006:15:04:05 -0700"), path, i, code, i, agent)
		status[code]++
		days[when.Format(time.DateOnly)]++
		paths[path]++
		seen[client] = true
	}
	return b.String(), status, days, users, paths, len(seen)
}

func ask(t testing.TB, l *Lake, name, pseudonym string) *Result {
	t.Helper()
	q, err := FindQuery(name)
	must(t, err)
	r, err := l.Ask(t.Context(), q, pseudonym)
	must(t, err)
	return r
}

func tsv(t testing.TB, r *Result) string {
	t.Helper()
	var b bytes.Buffer
	must(t, r.WriteTSV(&b))
	return b.String()
}

// rowsOf reads all parts with the library's own reader of rows.
func rowsOf(t testing.TB, l *Lake) (out []row) {
	t.Helper()
	for _, p := range l.Manifest.Parts {
		raw, err := l.read(p)
		must(t, err)
		f, err := parquet.OpenFile(bytes.NewReader(raw), int64(len(raw)))
		must(t, err)
		for i, c := range f.Metadata().RowGroups[0].Columns {
			if path := f.Schema().Columns()[i]; !slices.Equal(c.MetaData.PathInSchema, path) || c.ColumnIndexOffset != 0 || c.OffsetIndexOffset != 0 {
				t.Fatalf("%s: the footer names column %s %v, with a page index at %d", p.Path, path, c.MetaData.PathInSchema, c.ColumnIndexOffset)
			}
		}
		rows, err := parquet.ReadFile[row](filepath.Join(l.Dir, p.Path))
		must(t, err)
		if int64(len(rows)) != p.Rows {
			t.Errorf("%s has %d rows, the manifest says %d", p.Path, len(rows), p.Rows)
		}
		for _, r := range rows {
			if month := time.UnixMilli(r.TS).UTC().Format(monthForm); !strings.Contains(p.Path, "/month="+month+"/") || r.Day[:7] != month {
				t.Fatalf("a row of %s on %s stands in %s", month, r.Day, p.Path)
			}
		}
		out = append(out, rows...)
	}
	return out
}

// P3: every answer is the truth, and the same lake comes of the same log with one worker, two and eight, packed or not.
func TestSameLogsGiveTheSameLake(t *testing.T) {
	t.Parallel()
	text, status, days, users, paths, visitors := lines(10_000)
	log, packed := put(t, "access.log", text), put(t, "access.log.gz", "")
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(text))
	must(t, errors.Join(err, z.Close(), os.WriteFile(packed, b.Bytes(), 0o600)))
	digests := map[string]map[string]string{}
	for _, workers := range []int{1, 2, 8} {
		j := jobOf(t, log, packed)
		j.Log.Workers, j.stretch = workers, 2
		l := made(t, j)
		m := l.Manifest
		if m.Lines != 20_000 || m.Lines != m.Rows+m.Rejected+m.Blank || m.Rejected != 2*103 || len(m.Inputs) != 2 || m.Inputs[0].Parsed != m.Inputs[1].Parsed || len(m.Inputs[1].SHA256) != 64 {
			t.Fatalf("%d workers: %+v", workers, m)
		}
		own := map[string]string{}
		for _, p := range m.Parts {
			own[p.Path] = p.SHA256
		}
		digests[fmt.Sprint(workers)] = own
		if workers > 1 {
			if !maps.Equal(own, digests["1"]) {
				t.Errorf("%d workers made other parts than one", workers)
			}
			continue
		}
		var want strings.Builder
		for _, code := range slices.Sorted(maps.Keys(status)) {
			fmt.Fprintf(&want, "%d\t%d\n", code, 2*status[code])
		}
		if got := tsv(t, ask(t, l, "status", "")); got != want.String() {
			t.Errorf("status: %q, want %q", got, want.String())
		}
		got := ask(t, l, "days", "").Rows
		if len(got) != len(days) {
			t.Errorf("%d days, want %d", len(got), len(days))
		}
		for _, row := range got {
			if row[1] != 2*days[row[0].(string)] {
				t.Errorf("day %v, want %d", row, 2*days[row[0].(string)])
			}
		}
		var logged int64
		who := ask(t, l, "users", "").Rows
		for _, row := range who {
			logged += row[3].(int64)
		}
		sum := int64(0)
		for _, n := range users {
			sum += 2 * n
		}
		if len(who) != len(users) || logged != sum {
			t.Errorf("%d users with %d accesses, want %d with %d", len(who), logged, len(users), sum)
		}
		if got := ask(t, l, "visitors", "").Rows[0]; got[0] != m.Rows || got[1] != int64(visitors) || got[3] != int64(len(users)) {
			t.Errorf("visitors: %v, want %d of %d and %d users", got, m.Rows, visitors, len(users))
		}
		top := ask(t, l, "paths", "").Rows
		if len(top) != topPaths || top[0][1] != 2*slices.Max(slices.Collect(maps.Values(paths))) || top[0][1] != 2*paths[top[0][0].(string)] {
			t.Errorf("paths: %v", top[:3])
		}
		if rows := rowsOf(t, l); int64(len(rows)) != m.Rows || len(m.Parts) < 8 {
			t.Errorf("%d rows, want %d", len(rows), m.Rows)
		}
	}
}

// The countries' numbers come from the rows themselves, reckoned another way.
func TestCountriesAndTimelineAgreeWithTheRows(t *testing.T) {
	t.Parallel()
	text, _, _, _, _, _ := lines(5000)
	l := made(t, jobOf(t, put(t, "access.log", text)))
	all, human := map[[16]byte]bool{}, map[[16]byte]bool{}
	times := map[[16]byte]int{}
	var accesses, byHumans int64
	for _, r := range rowsOf(t, l) {
		accesses++
		all[r.Visitor] = true
		times[r.Visitor]++
		if r.User != [16]byte{} {
			times[r.User]++
		}
		if !r.Bot {
			byHumans++
			human[r.Visitor] = true
		}
	}
	if got, want := tsv(t, ask(t, l, "countries", "")), fmt.Sprintf("unknown\t%d\t%d\t%d\t%d\n", accesses, len(all), byHumans, len(human)); got != want {
		t.Errorf("countries: %q, want %q", got, want)
	}
	for p, n := range times {
		got := ask(t, l, "timeline", fmt.Sprintf("%x", p)).Rows
		if len(got) != n || !slices.IsSortedFunc(got, func(a, b []any) int { return strings.Compare(a[0].(string), b[0].(string)) }) {
			t.Fatalf("the timeline of %x has %d accesses, want %d in order", p, len(got), n)
		}
	}
	q, err := FindQuery("timeline")
	must(t, err)
	if _, err := l.Ask(t.Context(), q, "192.0.2.1"); err == nil {
		t.Error("an address is taken for a pseudonym")
	}
}

// A lone user among rows without one keeps to itself wherever it stands; a log without users has none.
func TestUsersStandWhereTheyWere(t *testing.T) {
	t.Parallel()
	for _, at := range []int{0, 1, 2, 31, 33, 63, 64, 65, 129} {
		var b strings.Builder
		for i := range 130 {
			user := "-"
			if i == at {
				user = "EXERCISE"
			}
			fmt.Fprintf(&b, "198.51.100.1 - %s [10/Jun/2017:13:55:36 +0000] \"GET /%d HTTP/1.1\" 200 1\n", user, i)
		}
		w := newWriter(t.TempDir(), "CS-1", testNow.Unix())
		_, err := accesslog.Analyse(t.Context(), []string{put(t, "access.log", b.String())}, accesslog.Options{Block: w.block, Ended: w.ended})
		must(t, err)
		raw, err := os.ReadFile(filepath.Join(w.dir, w.parts[0].Path))
		must(t, err)
		tb, err := openTable(raw, 130)
		must(t, err)
		users, err := tb.column("usr")
		must(t, err)
		for i, code := range users.codes {
			if (code >= 0) != (i == at) {
				t.Fatalf("user at %d: row %d has one: %v", at, i, code >= 0)
			}
		}
	}
	l := made(t, jobOf(t, put(t, "access.log", "198.51.100.1 - - [10/Jun/2017:13:55:36 +0000] \"GET / HTTP/1.1\" 200 1\n")))
	if got := tsv(t, ask(t, l, "users", "")) + tsv(t, ask(t, l, "visitors", "")); got != "1\t1\t1\t0\n" {
		t.Errorf("a log without users: %q", got)
	}
}

// More words than a run remembers at once come back in one part: it is the same with any number of workers, and each word stands
// in it once.
func TestWordsThatWereForgottenAreNotTwo(t *testing.T) {
	t.Parallel()
	const words = 140_000
	letters := func(i int) string {
		b := []byte("/aaaa")
		for at := len(b) - 1; i > 0; i, at = i/26, at-1 {
			b[at] = 'a' + byte(i%26)
		}
		return string(b)
	}
	var b strings.Builder
	for range 2 {
		for i := range words {
			fmt.Fprintf(&b, "198.51.100.1 - - [10/Jun/2017:13:55:36 +0000] \"GET %s HTTP/1.1\" 200 1\n", letters(i))
		}
	}
	path := put(t, "access.log", b.String())
	digests := map[int]string{}
	for _, workers := range []int{1, 3} {
		j := jobOf(t, path)
		j.Log.Workers = workers
		l := made(t, j)
		digests[workers] = l.Manifest.Parts[0].SHA256
		raw, err := l.read(l.Manifest.Parts[0])
		must(t, err)
		tb, err := openTable(raw, 2*words)
		must(t, err)
		c, err := tb.column("path")
		must(t, err)
		if len(c.texts) != words || len(l.Manifest.Parts) != 1 {
			t.Errorf("%d workers: %d parts, %d words in the first, want %d in one", workers, len(l.Manifest.Parts), len(c.texts), words)
		}
		for i := range words {
			if want := letters(i); c.text(i) != want || c.text(words+i) != want {
				t.Fatalf("%d workers: row %d is %q, and %q again, want %q", workers, i, c.text(i), c.text(words+i), want)
			}
		}
	}
	if digests[1] != digests[3] {
		t.Error("three workers made another part than one")
	}
}

// rowOf is an access as a part has it.
func rowOf(c *calendar, r *accesslog.Row) row {
	day, _ := c.at(r.Sec)
	return row{TS: r.Sec * 1000, Day: day, Visitor: r.Visitor, User: r.User, Country: r.Country, Verb: r.Method, Path: r.Path, Status: int32(r.Status), Bytes: r.Bytes, Referrer: r.Referrer, Agent: r.Agent,
		Campaign: r.Campaign, Bot: r.Bot, Unreliable: r.Unreliable, Item: int32(r.File), Offset: r.Offset, Length: int32(r.Length)}
}

// P5: a row points back to its line, and the line gives the row again. With a real log, where it is at hand.
func TestRowsReadAgainFromTheirLines(t *testing.T) {
	t.Parallel()
	text, _, _, _, _, _ := lines(3800)
	logs := []string{put(t, "access.log", text)}
	if real := filepath.Join("..", "..", "..", "shared", "data", "accesslog", "apache-combined.log"); exists(real) {
		logs = append(logs, real)
	} else {
		t.Logf("%s is not here: only invented lines are read again", real)
	}
	l := made(t, jobOf(t, logs...))
	var sample []row
	var again bytes.Buffer
	for i, r := range rowsOf(t, l) {
		if i%7 != 0 {
			continue
		}
		f, err := os.ReadFile(logs[r.Item])
		must(t, err)
		sample = append(sample, r)
		again.Write(f[r.Offset : r.Offset+int64(r.Length)])
		again.WriteByte('\n')
	}
	var mu sync.Mutex
	var got []accesslog.Row
	_, err := accesslog.Analyse(t.Context(), []string{put(t, "again.log", again.String())}, accesslog.Options{Key: (*[accesslog.KeySize]byte)(testKey), Now: testNow, Format: "combined", Block: func(b accesslog.Block) error {
		mu.Lock()
		defer mu.Unlock()
		for i := range b.Rows {
			got = append(got, b.Row(i))
		}
		return nil
	}})
	must(t, err)
	slices.SortFunc(got, func(a, b accesslog.Row) int { return int(a.Offset - b.Offset) })
	if len(got) != len(sample) || len(got) < 500 {
		t.Fatalf("%d lines were read again of %d", len(got), len(sample))
	}
	days := newCalendar(testNow.Unix())
	for i := range got {
		r := rowOf(days, &got[i])
		r.Item, r.Offset = sample[i].Item, sample[i].Offset
		if r != sample[i] {
			t.Fatalf("the line at %d of log %d gives\n%+v, the row is\n%+v", r.Offset, r.Item, r, sample[i])
		}
	}
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

var canaries = []string{"192.0.2.77", "2001:db8:77::1", "host.canary.example", "CANARY-USER", "canary@example.org", "CANARYTOKEN", "CANARYAGENT"}

// P9: nothing that names somebody is in any byte of a lake or of what lies beside it, packed or unpacked, for several formats.
func TestG34NothingInALakeNamesAnybody(t *testing.T) {
	t.Parallel()
	logs := []string{
		put(t, "192.0.2.77.log", `192.0.2.77 - CANARY-USER [10/Jun/2017:13:55:36 +0200] "PUT /files/canary@example.org/a.mp4?token=CANARYTOKEN HTTP/1.1" 201 10 "http://192.0.2.77/from?x=CANARYTOKEN" "Mozilla/5.0 Firefox/54.0 CANARYAGENT"
host.canary.example - - [10/Jun/2017:13:55:37 +0200] "GET /a?utm_campaign=canary@example.org HTTP/1.1" 200 11 "-" "-"
2001:db8:77::1 - - [10/Jun/2017:13:55:38 +0200] "GET /u/192.0.2.77/ HTTP/1.1" 200 12 "-" "curl/7"
192.0.2.77 broken CANARYTOKEN
`),
		put(t, "nginx.json", `{"time_iso8601":"2017-06-10T13:55:36+02:00","remote_addr":"192.0.2.77","remote_user":"CANARY-USER","request":"GET /x?k=CANARYTOKEN HTTP/1.1","status":"200","body_bytes_sent":"5","http_referer":"https://canary@example.org/","http_user_agent":"CANARYAGENT"}
`),
		put(t, "iis.log", `#Fields: date time c-ip cs-username cs-method cs-uri-stem cs-uri-query sc-status sc-bytes cs(User-Agent) cs(Referer)
2017-06-10 13:55:36 2001:db8:77::1 CANARY-USER GET /y token=CANARYTOKEN 200 6 CANARYAGENT http://192.0.2.77/
`),
	}
	j := jobOf(t, logs...)
	j.Log.TempDir = t.TempDir()
	l := made(t, j)
	if l.Manifest.Rows != 5 || l.Manifest.Pseudonyms.Known != 4 {
		t.Fatalf("%d rows, %d pseudonyms: the logs were not read as they should be: %+v", l.Manifest.Rows, l.Manifest.Pseudonyms.Known, l.Manifest.Inputs)
	}
	var all bytes.Buffer
	files := 0
	for _, dir := range []string{j.Dir, j.Log.TempDir} {
		must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			files++
			raw, err := os.ReadFile(path)
			all.Write(raw)
			return err
		}))
	}
	for _, p := range l.Manifest.Parts {
		raw, err := l.read(p)
		must(t, err)
		tb, err := openTable(raw, p.Rows)
		must(t, err)
		for name := range tb.names {
			c, err := tb.column(name)
			must(t, err)
			fmt.Fprintf(&all, "%q %v %v\n", c.texts, c.dict, c.ints)
		}
	}
	for _, q := range Catalogue() {
		if pseudonym := ""; q.Name != "timeline" {
			must(t, ask(t, l, q.Name, pseudonym).WriteJSON(&all))
		}
	}
	if files < 5 || !bytes.Contains(all.Bytes(), []byte("[e-mail]")) {
		t.Fatalf("%d files were searched, and what is known to be there was not found", files)
	}
	for _, c := range canaries {
		if bytes.Contains(all.Bytes(), []byte(c)) {
			t.Errorf("%q stands in the lake", c)
		}
	}
	if bytes.Contains(all.Bytes(), testKey) {
		t.Error("the key stands in the lake")
	}
}

// Two of three custodians open the list, for whom it was asked and nobody else; one does not.
func TestG25CustodiansOpenWhomAPseudonymStandsFor(t *testing.T) {
	t.Parallel()
	who, keys := custodians(t, 3)
	j := jobOf(t, put(t, "access.log", `192.0.2.77 - EXERCISE-A [10/Jun/2017:13:55:36 +0000] "GET /a HTTP/1.1" 200 1
192.0.2.78 - - [10/Jun/2017:13:55:36 +0000] "GET /a HTTP/1.1" 200 1
`))
	j.Custodians, j.Key = who, nil
	j.List = filepath.Join(t.TempDir(), "list.locked")
	l := made(t, j)
	analyst, err := age.GenerateX25519Identity()
	must(t, err)
	lock, err := vault.ReadLock(t.Context(), vault.FilePlace(j.List))
	must(t, err)
	if lock.ID != l.Manifest.Pseudonyms.Lock || lock.Case != j.Case {
		t.Errorf("the manifest names lock %s, the list is %s", l.Manifest.Pseudonyms.Lock, lock.ID)
	}
	var given []vault.GivenShare
	var shares [][]byte
	for _, k := range keys[1:] {
		g, err := vault.GiveShare(lock, []age.Identity{k}, analyst.Recipient().String(), "EXERCISE: a made-up court asks", testNow)
		must(t, err)
		raw, err := json.Marshal(g)
		must(t, err)
		given, shares = append(given, g), append(shares, raw)
	}
	locked, err := os.ReadFile(j.List)
	must(t, err)
	user := ask(t, l, "users", "").Rows[0][0].(string)
	found, err := vault.OpenPseudonyms(t.Context(), locked, shares, analyst.String(), []string{user})
	must(t, err)
	if len(found) != 1 || found[0].Text() != "EXERCISE-A" || found[0].Kind != accesslog.IdentityUser || found[0].Pseudonym != user {
		t.Errorf("found %+v", found)
	}
	if _, err := vault.OpenPseudonyms(t.Context(), locked, shares[:1], analyst.String(), []string{user}); err == nil || !strings.Contains(err.Error(), "2 shares are needed") {
		t.Errorf("one custodian: %v", err)
	}
	key, err := vault.OpenPseudonymKey(t.Context(), j.List, given, []age.Identity{analyst})
	must(t, err)
	if KeyCheck(key.Key, j.Case, j.Epoch) != l.Manifest.KeyCheck {
		t.Error("the key that comes out is not the one of the manifest")
	}
	if p, ok := accesslog.PseudonymOf((*[accesslog.KeySize]byte)(key.Key), accesslog.IdentityUser, "EXERCISE-A"); !ok || fmt.Sprintf("%x", p) != user {
		t.Error("the key that comes out gives another pseudonym")
	}
}

// P16: of a lake that is not as it was made there is no answer.
func TestAChangedLakeGivesNoAnswer(t *testing.T) {
	t.Parallel()
	text, _, _, _, _, _ := lines(2500)
	log := put(t, "access.log", text)
	key, err := vault.NewKey(filepath.Join(t.TempDir(), "key"))
	must(t, err)
	other, err := vault.NewKey(filepath.Join(t.TempDir(), "key"))
	must(t, err)
	write := func(path string, change func([]byte) []byte) error {
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		must(t, os.Remove(path))
		return os.WriteFile(path, change(raw), 0o600)
	}
	flip := func(b []byte) []byte { b[len(b)/2] ^= 1; return b }
	for name, c := range map[string]struct {
		change func(l *Lake, part string) error
		want   string
	}{
		"nothing":                 {func(*Lake, string) error { return nil }, ""},
		"a part is missing":       {func(_ *Lake, part string) error { return os.Remove(part) }, "is missing"},
		"a bit of a part":         {func(_ *Lake, part string) error { return write(part, flip) }, "not as it was written"},
		"a part is shorter":       {func(_ *Lake, part string) error { return write(part, func(b []byte) []byte { return b[:len(b)-1] }) }, "was changed"},
		"a part is added":         {func(_ *Lake, part string) error { return os.WriteFile(part+".copy.parquet", nil, 0o600) }, "does not name it"},
		"the manifest is missing": {func(l *Lake, _ string) error { return os.Remove(filepath.Join(l.Dir, fileManifest)) }, "is no lake"},
		"another epoch": {func(l *Lake, _ string) error {
			return write(filepath.Join(l.Dir, fileManifest), func(b []byte) []byte { return bytes.Replace(b, []byte(`"epoch":"1"`), []byte(`"epoch":"2"`), 1) })
		}, "another manifest"},
		"fewer rows": {func(l *Lake, _ string) error {
			return write(filepath.Join(l.Dir, fileManifest), func(b []byte) []byte { return bytes.Replace(b, []byte(`"rows":`), []byte(`"rows":1`), 1) })
		}, "do not add up"},
		"spaces in the manifest": {func(l *Lake, _ string) error {
			return write(filepath.Join(l.Dir, fileManifest), func(b []byte) []byte { return append(b, ' ') })
		}, "changed it"},
		"a bit of the signature": {func(l *Lake, _ string) error {
			return write(filepath.Join(l.Dir, fileSeal), func(b []byte) []byte { return bytes.Replace(b, []byte(`"sig":"`), []byte(`"sig":"AA`), 1) })
		}, "signature does not hold"},
		"somebody else signs": {func(l *Lake, _ string) error { return resign(l, other) }, "none of those that were named"},
		"nobody signed":       {func(l *Lake, _ string) error { return os.Remove(filepath.Join(l.Dir, fileSeal)) }, "is not signed"},
		"a part is a link elsewhere": {func(_ *Lake, part string) error {
			return errors.Join(os.Rename(part, part+"~"), os.Symlink(part+"~", part))
		}, "changed"},
	} {
		j := jobOf(t, log)
		j.Sign = key
		l := made(t, j)
		must(t, c.change(l, filepath.Join(l.Dir, l.Manifest.Parts[0].Path)))
		l, err := Open(j.Dir, []string{key.Public()})
		if err == nil {
			q, _ := FindQuery("status")
			_, err = l.Ask(t.Context(), q, "")
			if verified := l.Verify(t.Context()); (verified == nil) != (err == nil) {
				t.Errorf("%s: an answer says %v, verification %v", name, err, verified)
			}
		}
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func resign(l *Lake, by *vault.Key) error {
	raw, err := by.Attest(vault.Attestation{Kind: Predicate, Name: fileManifest, SHA256: l.Digest, Case: l.Manifest.Case})
	return errors.Join(err, os.Remove(filepath.Join(l.Dir, fileSeal)), os.WriteFile(filepath.Join(l.Dir, fileSeal), raw, 0o600))
}

// There is a lake whole or none.
func TestALakeThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	text, _, _, _, _, _ := lines(2500)
	log := put(t, "access.log", text)
	ctx, stop := context.WithCancel(t.Context())
	for name, c := range map[string]struct {
		change func(*Job)
		want   string
	}{
		"the list's place is not there": {func(j *Job) { j.List = filepath.Join(t.TempDir(), "none", "list.locked") }, "no such file"},
		"it is stopped":                 {func(j *Job) { j.Log.Progress = func(read, _ int64) { stop() } }, "canceled"},
		"the list is there":             {func(j *Job) { j.List = log }, "exists already"},
		"one custodian":                 {func(j *Job) { j.Custodians = j.Custodians[:1] }, "two at least"},
		"standard input":                {func(j *Job) { j.Paths = []string{"-"} }, "keep the log in a file"},
		"a case that is a path":         {func(j *Job) { j.Case = "../x" }, "cannot name a directory"},
		"a broken pattern":              {func(j *Job) { j.Log.Format = "%q" }, "the pattern"},
	} {
		j := jobOf(t, log)
		c.change(&j)
		run := t.Context()
		if j.Log.Progress != nil {
			run = ctx
		}
		if _, err := Write(run, j); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if left, err := os.ReadDir(j.Dir); len(left) > 0 {
			t.Errorf("%s: it leaves %v, %v", name, left, err)
		}
	}
	if !exists(log) {
		t.Error("a file that was there before is gone")
	}
	j := jobOf(t, log)
	made(t, j)
	if _, err := Write(t.Context(), j); err == nil || !strings.Contains(err.Error(), "is not empty") {
		t.Errorf("over another lake: %v", err)
	}
}

// Times scattered over the months make many parts and lose no row; those that cannot be are in no day.
func TestMonthsAndTimesThatCannotBe(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 120 {
		at := time.Date(1971+i%60, time.Month(1+i%12), 3, 4, 5, 6, 0, time.UTC)
		fmt.Fprintf(&b, "198.51.100.%d - - [%s] \"GET / HTTP/1.1\" 200 1\n", i%200, at.Format("02/Jan/2006:15:04:05 -0700"))
	}
	l := made(t, jobOf(t, put(t, "access.log", b.String())))
	dated := int64(0)
	for _, row := range ask(t, l, "days", "").Rows {
		dated += row[1].(int64)
	}
	if l.Manifest.Rows != 120 || dated != 120*37/60 { // 1990 to August 2026, and none later
		t.Errorf("%d rows, %d of them dated", l.Manifest.Rows, dated)
	}
}

func TestReleasedAnswersHaveNoSmallNumbers(t *testing.T) {
	t.Parallel()
	answer := func(query string, rows ...[]any) *Result { return &Result{Query: query, Rows: rows} }
	for _, c := range []struct {
		r    *Result
		want string
	}{
		{answer("days", []any{"a", int64(100), int64(4)}, []any{"b", int64(50), int64(9)}, []any{"c", int64(60), int64(9)}), "c\t60\t9\n"},
		{answer("days", []any{"a", int64(100), int64(5)}, []any{"b", int64(50), int64(9)}), "a\t100\t5\nb\t50\t9\n"},
		{answer("paths", []any{"/a", int64(100)}, []any{"/b", int64(4)}), "/a\t100\n"},
		{answer("status", []any{int64(200), int64(1)}, []any{int64(404), int64(3)}, []any{int64(500), int64(5)}), "500\t5\n"},
		{answer("countries", []any{"BE", int64(100), int64(50), int64(97), int64(50)}, []any{"FR", int64(9), int64(8), int64(9), int64(8)}, []any{"ES", int64(3), int64(3), int64(3), int64(3)}), "BE\t100\t50\t\\N\t\\N\n"},
		{answer("visitors", []any{int64(100), int64(50), int64(48), int64(2)}), "100\t50\t\\N\t\\N\n"},
	} {
		r, err := c.r.Released()
		must(t, err)
		if got := tsv(t, r); got != c.want || c.want != tsv(t, c.r) && r.Suppressed.Cells == 0 {
			t.Errorf("%s: %q, want %q (%+v)", c.r.Query, got, c.want, r.Suppressed)
		}
	}
	text, _, _, _, _, _ := lines(200)
	l := made(t, jobOf(t, put(t, "access.log", text)))
	if _, err := ask(t, l, "users", "").Released(); err == nil {
		t.Error("a list of pseudonyms is released")
	}
}

func FuzzPart(f *testing.F) {
	text, _, _, _, _, _ := lines(300)
	l := made(f, jobOf(f, put(f, "access.log", text)))
	p := l.Manifest.Parts[0]
	raw, err := l.read(p)
	must(f, err)
	f.Add(40, []byte{1})
	f.Add(len(raw)-8, []byte{1, 2, 3, 0x80})
	f.Add(len(raw)-200, []byte("EXERCISE"))
	whole := raw
	f.Fuzz(func(t *testing.T, at int, over []byte) {
		raw := bytes.Clone(whole)
		copy(raw[uint(at)%uint(len(raw)):], over)
		tb, err := openTable(raw, p.Rows)
		if err != nil {
			return
		}
		for name := range tb.names {
			if c, err := tb.column(name); err == nil && len(c.codes)+len(c.ints) != tb.rows {
				t.Errorf("%s has %d values for %d rows", name, len(c.codes)+len(c.ints), tb.rows)
			}
		}
	})
}
