package lookup

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

type answer struct {
	name   string
	resp   Response
	state  State
	reason Reason
}

// answers are the saved answers that the rules were made on.
func answers(t testing.TB) []answer {
	t.Helper()
	return saved(t, "answers")
}

// saved reads a table and the HTTP answers in the folder of its name.
func saved(t testing.TB, set string) []answer {
	t.Helper()
	table, err := os.Open("testdata/" + set + ".csv")
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	r := csv.NewReader(table)
	r.Comment = '#'
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []answer
	for _, row := range rows[1:] {
		a := answer{name: row[0], state: State(row[6])}
		if len(row) > 7 {
			a.reason = Reason(row[7])
		}
		a.resp = Response{Requested: row[1], Final: row[1], Title: row[3], ExpectSHA256: row[5]}
		if row[2] != "" {
			a.resp.Final, a.resp.Hops = row[2], 1
		}
		if row[4] != "" {
			a.resp.Marks = []string{row[4]}
		}
		raw, err := os.ReadFile(filepath.Join("testdata", set, a.name+".http"))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(raw)), nil)
		if err != nil {
			t.Fatalf("%s: %v", a.name, err)
		}
		a.resp.Status, a.resp.Header = resp.StatusCode, resp.Header
		if a.resp.Body, err = io.ReadAll(resp.Body); err != nil {
			t.Fatalf("%s: %v", a.name, err)
		}
		sum := sha256.Sum256(a.resp.Body)
		a.resp.SHA256 = hex.EncodeToString(sum[:])
		out = append(out, a)
	}
	return out
}

func TestG29SavedAnswersProveNoMoreThanTheySay(t *testing.T) {
	t.Parallel()
	all := answers(t)
	if len(all) < 40 {
		t.Errorf("%d saved answers, want at least 40", len(all))
	}
	files, err := filepath.Glob("testdata/answers/*.http")
	if err != nil || len(files) != len(all) {
		t.Errorf("%d files for %d lines of the table: %v", len(files), len(all), err)
	}
	for _, a := range all {
		v := Classify(&a.resp)
		if v.State != a.state || v.Reason != a.reason {
			t.Errorf("%s: %s %s (%s), want %s %s", a.name, v.State, v.Reason, v.Detail, a.state, a.reason)
		}
	}
}

// Whatever stands in front of it, an answer that is not a plain 404, 410, a
// vanished domain or the platform's marker is never down.
func TestG29NothingButProofIsDown(t *testing.T) {
	t.Parallel()
	for i, a := range answers(t) {
		for status := 100; status < 1000; status++ {
			if status == 404 || status == 410 {
				continue
			}
			// The statuses under which a body is read are tried on every answer,
			// the others on some.
			if i%9 != 0 && status != 200 && status != 203 && status != 403 {
				continue
			}
			r := a.resp
			r.Status = status
			if v := Classify(&r); v.State == Down && v.Reason != RemovedByPlatform {
				t.Errorf("%s with status %d is down: %s", a.name, status, v.Reason)
			}
		}
		for f := range failureReasons {
			r := a.resp
			r.Failure = f
			if v := Classify(&r); v.State != Unknown {
				t.Errorf("%s with failure %s is %s", a.name, f, v.State)
			}
		}
		r := a.resp
		r.Failure, r.Hops = FailDomainGone, 1
		if v := Classify(&r); v.State != Unknown {
			t.Errorf("%s: a redirect to a vanished domain is %s", a.name, v.State)
		}
		// A marker proves nothing on any other host.
		r = a.resp
		r.Requested, r.Final = "https://elsewhere.example/x", "https://elsewhere.example/x"
		r.Hops = 0
		if v := Classify(&r); v.Reason == RemovedByPlatform {
			t.Errorf("%s is removed by a platform that it is not on", a.name)
		}
	}
}

// Links that nobody closed, names to jump to and stray ends hide nothing of a page's own text.
func TestAnchorsHideNoText(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("EXERCISE what the page itself says. ", 200)
	for what, body := range map[string]string{
		"a name to jump to": `<body><a name="top">` + long,
		"closed by itself":  `<body><a/>` + long,
		"a link ended":      `<body><a href="/x">to x</a>` + long,
		"the next one ends": `<body><a href="/x">x<a name="y">` + long,
	} {
		if p := scan(&Response{Body: []byte(body), Header: http.Header{"Content-Type": {"text/html"}}}); !p.long() {
			t.Errorf("%s: of %d bytes %d are its own", what, len(body), len(p.own))
		}
	}
	if p := scan(&Response{Body: []byte("<body><nav><a href=x>x</a></a>" + long + "</nav>"), Header: http.Header{"Content-Type": {"text/html"}}}); p.long() {
		t.Error("a stray end of a link ends a list of links")
	}
}

func TestFailuresHaveTheirReasons(t *testing.T) {
	t.Parallel()
	for f, want := range map[Failure]Verdict{
		FailDomainGone:  {Down, HostGone, ""},
		FailNameMissing: {Unknown, NameUnresolved, ""},
		FailDNS:         {Unknown, DNSFailed, ""},
		FailTimeout:     {Unknown, TimedOut, ""},
		FailConnect:     {Unknown, ConnectFailed, ""},
		FailTLS:         {Unknown, TLSFailed, ""},
		FailAddress:     {Unknown, AddressRefused, ""},
		FailRedirects:   {Unknown, TooManyHops, ""},
		FailBadURL:      {Unknown, BadLocation, ""},
		"unheard of":    {Unknown, AnswerBroken, ""},
	} {
		if got := Classify(&Response{Failure: f}); got != want {
			t.Errorf("%s: %+v, want %+v", f, got, want)
		}
	}
}

func TestEveryReasonHasASentence(t *testing.T) {
	t.Parallel()
	seen := map[Reason]bool{}
	for _, a := range answers(t) {
		seen[a.reason] = true
	}
	for _, r := range failureReasons {
		seen[r] = true
	}
	for r := range seen {
		if s := r.Sentence(); s == string(r) || !strings.HasSuffix(s, ".") {
			t.Errorf("%s has no sentence", r)
		}
	}
	for r := range sentences {
		if r != HostGone && !seen[r] {
			t.Errorf("no saved answer and no failure ends in %s", r)
		}
	}
}

func TestSignaturesAreSoundAndCoverTenLanguages(t *testing.T) {
	t.Parallel()
	langs := map[string]bool{}
	for c, list := range signatures() {
		for _, s := range list {
			if s.class != marker && (s.host != "" || utf8.RuneCountInString(s.text) < 8 || s.text != fold(s.text)) {
				t.Errorf("%s/%s %q: wanted is folded text of 8 characters or more without a host", c, s.lang, s.text)
			}
			if s.class == marker && (s.host == "" || len(s.text) < 20) {
				t.Errorf("marker %q needs a host and 20 characters", s.text)
			}
			if c == removed {
				langs[s.lang] = true
			}
		}
	}
	if len(langs) < 10 {
		t.Errorf("removal texts in %d languages", len(langs))
	}
	for _, c := range []class{removed, private, login, age, geo, challenge, parked, infrastructure, marker} {
		if len(signatures()[c]) == 0 {
			t.Errorf("no signature of class %s", c)
		}
	}
}

func TestRegisteredDomainPassesOverPlatformSuffixes(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{
		"www.host.example.com": "example.com", "example.com": "example.com", "a.b.example.co.uk": "example.co.uk",
		"someone.github.io": "github.io", "someone.blogspot.com": "blogspot.com",
		"com": "", "co.uk": "", "abc.onion": "", "name.eth": "", "localhost": "", "127.0.0.1": "", "::1": "", "": "",
	} {
		if got, ok := registered(host); got != want || ok != (want != "") {
			t.Errorf("registered(%q) = %q, %v; want %q", host, got, ok, want)
		}
	}
}

// Half a megabyte of each must not take the time of more than a few honest
// pages: adversaries choose these bytes.
func TestHostilePagesAreReadInBoundedTime(t *testing.T) {
	t.Parallel()
	for _, unit := range []string{"<", "<a ", "<!--", "<script>", "</script", "<title>", "<svg><title>", "&", "&#", "<a b=", "<meta property=og:title content=x>", "<meta a", "\x00", "\xff", "a\u0308", "\u0640", "<h1>x", "<plaintext>", "<!doctype", "<?", "]]>", "this video "} {
		body := []byte(strings.Repeat(unit, 512<<10/len(unit)))
		r := Response{Requested: "https://video.example/1", Final: "https://video.example/1", Header: http.Header{"Content-Type": {"text/html"}}, Body: body, Title: strings.Repeat("a", 10000)}
		for _, status := range []int{200, 403, 404} {
			r.Status = status
			started := time.Now()
			Classify(&r)
			if d := time.Since(started); d > 2*time.Second {
				t.Errorf("%q with status %d: %s", unit, status, d)
			}
		}
	}
}

func FuzzClassify(f *testing.F) {
	for _, a := range answers(f) {
		f.Add(a.resp.Status, a.resp.Header.Get("Content-Type"), a.resp.Body, a.resp.Requested, a.resp.Final, a.resp.Title)
	}
	f.Fuzz(func(t *testing.T, status int, ctype string, body []byte, from, to, title string) {
		r := Response{Requested: from, Final: to, Status: status, Header: http.Header{"Content-Type": {ctype}}, Body: body, Title: title}
		if from != to {
			r.Hops = 1
		}
		v := Classify(&r)
		if v.Reason.Sentence() == string(v.Reason) {
			t.Errorf("verdict without a sentence: %+v", v)
		}
		if v.State == Down && status != 404 && status != 410 && v.Reason != RemovedByPlatform {
			t.Errorf("down without proof: %+v", v)
		}
		if v.State == Up && status != 200 && status != 203 {
			t.Errorf("up with status %d: %+v", status, v)
		}
	})
}

func BenchmarkClassify(b *testing.B) {
	short, long := "<html><title>EXERCISE item</title><p>invented words of a page</p></html>", ""
	long = "<html><title>EXERCISE item</title>" + strings.Repeat("<p class=x>invented words of a page, one after the other</p><script>x()</script>", 4000)
	for name, body := range map[string]string{"80B": short, "300KB": long} {
		b.Run(name, func(b *testing.B) {
			r := Response{Requested: "https://video.example/1", Final: "https://video.example/1", Status: 200,
				Header: http.Header{"Content-Type": {"text/html"}}, Body: []byte(body), Title: "exercise item"}
			b.ReportAllocs()
			for b.Loop() {
				if v := Classify(&r); v.State != Up {
					b.Fatal(v)
				}
			}
		})
	}
}
