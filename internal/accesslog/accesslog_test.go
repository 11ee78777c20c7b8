package accesslog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const sharedLog = "../../../shared/data/accesslog/apache-combined.log"

func put(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func analyse(t testing.TB, o Options, paths ...string) *Report {
	t.Helper()
	r, err := Analyse(t.Context(), paths, o)
	if err != nil {
		t.Fatal(err)
	}
	if r.Lines != r.Parsed+r.Rejected+r.Blank {
		t.Fatalf("lines %d are not parsed %d + rejected %d + blank %d", r.Lines, r.Parsed, r.Rejected, r.Blank)
	}
	return r
}

// plainly is a second reader, slow and written apart: one regular expression.
type plainly struct {
	lines, parsed, bytes, bots int64
	status, days, paths        map[string]int64
	ip, ipHuman, pairs         map[string]bool
	nets                       map[string]bool
}

var plainLine = regexp.MustCompile(`^(\S+) (\S+) (.*?) \[([^\]]{26})\] "((?:[^"\\]|\\.|"[^ ])*)" (\d{3}) (\d+|-) "((?:[^"\\]|\\.|"[^ ])*)" "((?:[^"\\]|\\.|"[^ ])*)"$`)

func readPlainly(t testing.TB, text string) plainly {
	t.Helper()
	p := plainly{status: map[string]int64{}, days: map[string]int64{}, paths: map[string]int64{}, ip: map[string]bool{}, ipHuman: map[string]bool{}, pairs: map[string]bool{}, nets: map[string]bool{}}
	bots := newBots()
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		p.lines++
		m := plainLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		at, err := time.Parse("02/Jan/2006:15:04:05 -0700", m[4])
		if err != nil {
			continue
		}
		p.parsed++
		n, _ := strconv.ParseInt(m[7], 10, 64)
		p.bytes += n
		p.status[m[6]]++
		p.days[at.UTC().Format(time.DateOnly)]++
		p.ip[m[1]] = true
		p.pairs[m[1]+" "+m[9]] = true
		if a, err := netip.ParseAddr(m[1]); err == nil && a.Is6() {
			p.nets[netip.PrefixFrom(a, 64).Masked().String()] = true
		} else {
			p.nets[m[1]] = true
		}
		if bots.is([]byte(m[9])) {
			p.bots++
		} else {
			p.ipHuman[m[1]] = true
		}
		if f := strings.Fields(m[5]); len(f) == 3 {
			path, _, _ := strings.Cut(f[1], "?")
			p.paths[path]++
		}
	}
	return p
}

func compare(t *testing.T, r *Report, p plainly) {
	t.Helper()
	days := map[string]int64{}
	for _, d := range r.PerDay {
		days[d.Day] = d.Accesses
	}
	got := []any{r.Lines, r.Parsed, r.Bytes, r.Bots.Accesses, r.Status, days, r.Visitors.IP.WithBots, *r.Visitors.IP.WithoutBots, r.Visitors.IPUA.WithBots, r.Visitors.IP64.WithBots}
	want := []any{p.lines, p.parsed, p.bytes, p.bots, p.status, p.days, int64(len(p.ip)), int64(len(p.ipHuman)), int64(len(p.pairs)), int64(len(p.nets))}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the plain reader (-) and the engine (+) differ:\n%s", d)
	}
	for _, top := range r.TopPaths {
		if n := p.paths[top.Key]; n != top.Accesses && !strings.Contains(top.Key, "[") {
			t.Errorf("path %s: %d accesses, the plain reader has %d", top.Key, top.Accesses, n)
		}
	}
}

// The public log of one site in May 2015, as it is.
func TestRealLog(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(sharedLog)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the real log is not beside the repository")
	}
	if err != nil {
		t.Fatal(err)
	}
	r := analyse(t, Options{}, sharedLog)
	compare(t, r, readPlainly(t, string(text)))
	if r.Lines != 10_000 || r.Parsed != 9_999 || r.Rejects["field"] != 1 || r.First != "2015-05-17T10:05:00Z" || r.Last != "2015-05-20T21:05:59Z" {
		t.Errorf("lines %d, parsed %d, rejected %v, %s to %s", r.Lines, r.Parsed, r.Rejects, r.First, r.Last)
	}
	if in := r.Inputs[0]; in.Format != "combined" || !in.FormatCertain || in.Outcome != Read {
		t.Errorf("input: %+v", in)
	}
}

// invented makes a log of n lines, some of them no accesses.
func invented(n int, seed uint64) string {
	rnd := rand.New(rand.NewPCG(seed, 1))
	var b strings.Builder
	for i := range n {
		switch rnd.IntN(60) {
		case 0:
			b.WriteString("EXERCISE: no access\n")
			continue
		case 1:
			b.WriteString("192.0.2.1 - - [17/May/2015:10:05:43 +0000] \"GET / HTTP\n")
			continue
		}
		ip := fmt.Sprintf("198.51.%d.%d", rnd.IntN(8), rnd.IntN(250))
		if rnd.IntN(10) == 0 {
			ip = fmt.Sprintf("2001:db8:%x::%x", rnd.IntN(5), 1+rnd.IntN(60))
		}
		agent := []string{"Mozilla/5.0 (X11) Firefox/120.0", "examplebot/1.0", `odd \"quoted\" agent`, "-"}[rnd.IntN(4)]
		zone := []string{"+0000", "+0530", "-0700"}[i*3/max(n, 1)%3]
		at := time.Unix(1431857143+int64(i)*37-int64(rnd.IntN(100)), 0).UTC()
		fmt.Fprintf(&b, "%s - - [%s %s] \"GET /en/p%d.html?token=%d HTTP/1.1\" %d %d \"https://example.org/r%d?q=1\" \"%s\"\n", ip, at.Format("02/Jan/2006:15:04:05"), zone, rnd.IntN(300), i, []int{200, 404, 301}[rnd.IntN(3)], rnd.IntN(100000), rnd.IntN(50), agent)
	}
	return b.String()
}

// crowd is a log in which nobody comes twice: half of it over IPv4, half over
// IPv6 from a thousand networks.
func crowd(n int) string {
	var b strings.Builder
	for i := range n {
		ip := fmt.Sprintf("198.%d.%d.%d", 18+i>>16, i>>8&255, i&255)
		if i%2 == 1 {
			ip = fmt.Sprintf("2001:db8:0:%x::%x", i/2%1000, 1+i/2/1000)
		}
		fmt.Fprintf(&b, "%s - exercise%d [17/May/2015:10:05:03 +0000] \"GET /p%d HTTP/1.1\" 200 5 \"https://example.org/%d\" \"Firefox/%d\"\n", ip, i, i, i, i)
	}
	return b.String()
}

// bare is a report without what differs from run to run.
func bare(t testing.TB, r *Report) string {
	t.Helper()
	c := *r
	c.ElapsedS, c.LinesPerS = 0, 0
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestReportIsTheSameWithAnyWorkersBlocksAndMemory(t *testing.T) {
	t.Parallel()
	text := invented(20_000, 3)
	path := put(t, "access.log", text)
	judged, err := ParseJudged([]byte("/en/p1.html\n/en/p2.html\tother\n"))
	if err != nil {
		t.Fatal(err)
	}
	first := ""
	for _, c := range []struct{ workers, block, memory int }{{1, 256 << 10, 0}, {2, 64 << 10, 0}, {8, 4 << 10, 0}, {3, 777, 0}, {1, 32 << 10, 200 << 10}, {4, 16 << 10, 200 << 10}} {
		r := analyse(t, Options{Workers: c.workers, block: c.block, Memory: c.memory, Judged: judged}, path)
		if first == "" {
			compare(t, r, readPlainly(t, text))
			if p := r.Propaganda; p.Accesses == 0 || p.Visitors == 0 || p.UnresolvedShare <= 0.9 || p.UnresolvedShare >= 1 || p.JudgedFiles != 1 {
				t.Errorf("propaganda: %+v", p)
			}
			first = bare(t, r)
		} else if got := bare(t, r); got != first {
			t.Errorf("workers %d, block %d, memory %d: another report\n%s", c.workers, c.block, c.memory, cmp.Diff(first, got))
		}
	}
}

func TestSpillIsUsedAndLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := put(t, "access.log", crowd(60_000))
	big := analyse(t, Options{Workers: 1, Memory: 64 << 20}, path)
	small := analyse(t, Options{Workers: 2, block: 32 << 10, Memory: 1 << 20, TempDir: dir}, path)
	if a, b := bare(t, big), bare(t, small); a != b || big.Visitors.IP.WithBots != 60_000 || big.Visitors.IP64.WithBots != 31_000 || *big.AuthUsers != 60_000 || big.Distinct.Paths != 60_000 {
		t.Errorf("on disk another report:\n%s", cmp.Diff(a, b))
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	_, err = Analyse(t.Context(), []string{path}, Options{Workers: 1, block: 32 << 10, Memory: 1 << 20, TempDir: dir, Spill: 1})
	if !errors.Is(err, ErrSpoolFull) {
		t.Errorf("no space for temporary files: %v", err)
	}
}

// P4: each rejected line is where its reject says; P5: each row is read again
// from its place to the same row.
func TestLinesLieWhereTheyAreSaidToBe(t *testing.T) {
	t.Parallel()
	text := invented(5_000, 9)
	path := put(t, "access.log", text)
	var mu sync.Mutex
	var rows []Row
	var rejects []Reject
	r := analyse(t, Options{Workers: 4, block: 1 << 10, Block: each(func(r Row) error {
		mu.Lock()
		defer mu.Unlock()
		rows = append(rows, r)
		return nil
	}), Reject: func(x Reject) error { rejects = append(rejects, x); return nil }}, path)
	if int64(len(rows)) != r.Parsed || int64(len(rejects)) != r.Rejected || r.Rejected == 0 {
		t.Fatalf("%d rows of %d, %d rejects of %d", len(rows), r.Parsed, len(rejects), r.Rejected)
	}
	names := map[string][PseudonymSize]byte{}
	for _, row := range rows {
		line := text[row.Offset : row.Offset+int64(row.Length)]
		p := combined{long: true}
		var rec record
		if why := p.parse([]byte(line), &rec); why != Accepted || rec.sec != row.Sec || int(rec.status) != row.Status || rec.bytes != row.Bytes {
			t.Fatalf("offset %d: %v, another row", row.Offset, why)
		}
		ip, _, _ := strings.Cut(line, " ")
		if n, ok := names[ip]; ok && n != row.Visitor || strings.Contains(string(row.Visitor[:]), ip) {
			t.Fatalf("one client has two pseudonyms")
		}
		names[ip] = row.Visitor
	}
	if !slices.IsSortedFunc(rejects, compareRejects) {
		t.Error("rejects are not in order")
	}
	for _, x := range rejects {
		line := text[x.Offset : x.Offset+x.Length]
		if !strings.HasPrefix(line, "EXERCISE") && !strings.HasSuffix(line, "HTTP") || text[x.Offset+x.Length] != '\n' {
			t.Fatalf("offset %d: %s is no rejected line: %q", x.Offset, x.Reason, line)
		}
	}
	other := [PseudonymSize]byte{}
	analyse(t, Options{Workers: 1, Block: each(func(r Row) error { other = r.Visitor; return nil })}, path)
	for _, n := range names {
		if n == other {
			t.Error("two runs gave one pseudonym: the key was kept")
		}
	}
}

func TestRejectsGoThroughDiskInOrder(t *testing.T) {
	t.Parallel()
	to := &scratch{dir: t.TempDir(), most: 1 << 30}
	defer to.close()
	all := []*rejects{{to: to}, {to: to}}
	const n = 3*rejectRun + 17
	for i := range n {
		if err := all[i%2].add(Reject{File: i % 3, Offset: int64(n - i), Length: 1, Reason: BadTime}); err != nil {
			t.Fatal(err)
		}
	}
	var got []Reject
	if err := mergeRejects(all, func(r Reject) error { got = append(got, r); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(got) != n || !slices.IsSortedFunc(got, compareRejects) || len(all[0].runs) == 0 {
		t.Errorf("%d of %d, sorted %v, runs %v", len(got), n, slices.IsSortedFunc(got, compareRejects), all[0].runs)
	}
}

func TestRotatedSetAndDirectoriesCountOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for i, name := range []string{"access.log", "access.log.1", "sub/access.log.2"} {
		p := filepath.Join(dir, name)
		os.MkdirAll(filepath.Dir(p), 0o700)
		if err := os.WriteFile(p, []byte(invented(300, uint64(i))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link(filepath.Join(dir, "access.log"), filepath.Join(dir, "z.log")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "access.log"), filepath.Join(dir, "link.log")); err != nil {
		t.Fatal(err)
	}
	r := analyse(t, Options{}, dir)
	if r.Files != 3 || r.Lines != 900 {
		t.Errorf("files %d, lines %d", r.Files, r.Lines)
	}
	var outcomes []Outcome
	for _, in := range r.Inputs {
		outcomes = append(outcomes, in.Outcome)
	}
	if d := cmp.Diff([]Outcome{Read, Read, SymlinkPast, Read, Duplicate}, outcomes); d != "" {
		t.Errorf("outcomes:\n%s", d)
	}
}

// FuzzBalance feeds whole files: every line is accounted for, whatever it is, and
// the size of blocks changes nothing.
func FuzzBalance(f *testing.F) {
	f.Add([]byte(invented(5, 1)), uint16(100))
	f.Add([]byte("\r\n\n \n\x00\x00\n\"\n\xff\xfe\n"), uint16(3))
	f.Add([]byte("#Fields: date time c-ip cs-uri-stem\n2020-01-01 00:00:00 192.0.2.1 /\n"), uint16(20))
	f.Add([]byte(`{"remote_addr":"192.0.2.1","time_iso8601":"2020-01-01T00:00:00Z","request":"GET / HTTP/1.1"}`), uint16(9))
	f.Fuzz(func(t *testing.T, text []byte, block uint16) {
		path := put(t, "f.log", string(text))
		if c := magic(text); c != plain {
			t.Skip("a compressed file")
		}
		want := int64(bytes.Count(text, []byte("\n")))
		if len(text) > 0 && text[len(text)-1] != '\n' {
			want++
		}
		whole := analyse(t, Options{Workers: 1}, path)
		cut := analyse(t, Options{Workers: 2, block: int(block) + 1, LineMax: 1 << 20}, path)
		if whole.Lines != want {
			t.Errorf("%d lines, %d counted", want, whole.Lines)
		}
		if a, b := bare(t, whole), bare(t, cut); a != b {
			t.Errorf("blocks of %d give another report:\n%s", int(block)+1, cmp.Diff(a, b))
		}
	})
}
