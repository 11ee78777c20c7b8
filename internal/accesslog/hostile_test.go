package accesslog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

var testNow = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func squeeze(t testing.TB, how, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	var err error
	switch how {
	case gzipped:
		w = gzip.NewWriter(&b)
	case zstandard:
		w, err = zstd.NewWriter(&b)
	case xzipped:
		w, err = xz.NewWriter(&b)
	case bzipped:
		cmd := exec.Command("bzip2", "-c")
		cmd.Stdin, cmd.Stdout = strings.NewReader(text), &b
		if err := cmd.Run(); err != nil {
			t.Skipf("bzip2 is not here: %v", err)
		}
		return b.Bytes()
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestCompressedFilesAreToldByMagicAndCountAsPlainOnes(t *testing.T) {
	t.Parallel()
	text := invented(3_000, 5)
	want := analyse(t, Options{}, put(t, "plain.log", text))
	for _, how := range []string{gzipped, zstandard, xzipped, bzipped} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			half := len(text) / 2
			packed := squeeze(t, how, text)
			twice := append(squeeze(t, how, text[:half]), squeeze(t, how, text[half:])...)
			for name, data := range map[string][]byte{"one": packed, "joined": twice} {
				r := analyse(t, Options{block: 10_000}, put(t, name+".log", string(data)))
				if r.Inputs[0].Compression != how || r.Inputs[0].Outcome != Read || r.Parsed != want.Parsed || r.Rejected != want.Rejected || r.Visitors.IP != want.Visitors.IP && r.Visitors.IP.WithBots != want.Visitors.IP.WithBots || r.Clock.OutOfOrder != want.Clock.OutOfOrder {
					t.Errorf("%s: %+v, want %d parsed", name, r.Inputs[0], want.Parsed)
				}
			}
			cut := analyse(t, Options{}, put(t, "cut.log", string(packed[:len(packed)*2/3])))
			if in := cut.Inputs[0]; in.Outcome != Truncated {
				t.Errorf("cut: %+v", in)
			}
			if bad := analyse(t, Options{}, put(t, "trail.log", string(packed)+"EXERCISE and more")); bad.Inputs[0].Outcome != Corrupt && (how != xzipped || bad.Inputs[0].Outcome != Truncated) || bad.Parsed != want.Parsed && how != zstandard {
				t.Errorf("followed by text: %+v", bad.Inputs[0])
			}
			flipped := bytes.Clone(packed)
			flipped[len(flipped)/2] ^= 0x55
			if in := analyse(t, Options{}, put(t, "flip.log", string(flipped))).Inputs[0]; in.Outcome != Corrupt && in.Outcome != Truncated {
				t.Errorf("flipped: %+v", in)
			}
		})
	}
}

func TestCompressionBombsEnd(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	block := bytes.Repeat([]byte("\n"), 1<<20)
	for range 200 {
		if _, err := w.Write(block); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	if in := analyse(t, Options{}, put(t, "bomb.zst", b.String())).Inputs[0]; in.Outcome != Bomb {
		t.Errorf("ratio: %+v", in)
	}
	if in := analyse(t, Options{Unpacked: 10_000, block: 4096}, put(t, "large.gz", string(squeeze(t, gzipped, invented(1000, 1))))).Inputs[0]; in.Outcome != Bomb || in.Parsed == 0 {
		t.Errorf("size: %+v", in)
	}
}

func TestLinesBeyondTheLimitAreOneRejectEach(t *testing.T) {
	t.Parallel()
	good := `192.0.2.7 - - [17/May/2015:10:05:43 +0000] "GET /x HTTP/1.1" 200 1` + "\n"
	long := strings.Repeat("x", 300_000)
	text := good + long + "\n" + good + long[:250_000] + "\n" + long
	for _, packed := range []bool{false, true} {
		for _, block := range []int{1 << 20, 4096, 100} {
			data := text
			if packed {
				data = string(squeeze(t, gzipped, text))
			}
			var got []Reject
			r := analyse(t, Options{LineMax: 100_000, block: block, Workers: 3, Format: "common", Reject: func(x Reject) error { got = append(got, x); return nil }}, put(t, "log", data))
			at := int64(len(good))
			want := []Reject{{0, at, 300_000, TooLong}, {0, 2*at + 300_001, 250_000, TooLong}, {0, 2*at + 550_002, 300_000, TooLong}}
			if r.Lines != 5 || r.Parsed != 2 || fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("packed %v, block %d: %d lines, %d parsed, %v", packed, block, r.Lines, r.Parsed, got)
			}
		}
	}
}

func TestEveryBadInputHasAnOutcome(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.WriteFile(at("good.log"), []byte(invented(100, 2)), 0o600))
	must(os.WriteFile(at("text.log"), []byte("EXERCISE\nno log at all\n"), 0o600))
	must(os.WriteFile(at("empty.log"), nil, 0o600))
	must(os.Mkdir(at("nothing"), 0o700))
	must(os.Symlink(at("loop-b"), at("loop-a")))
	must(os.Symlink(at("loop-a"), at("loop-b")))
	must(syscall.Mkfifo(at("pipe"), 0o600))
	for name, want := range map[string]Outcome{"good.log": Read, "text.log": Unknown, "empty.log": Read, "nothing": EmptyFolder, "loop-a": SymlinkLoop, "pipe": NotRegular, "gone.log": Vanished, "/dev/null": NotRegular} {
		path := name
		if !filepath.IsAbs(name) {
			path = at(name)
		}
		r := analyse(t, Options{}, path, at("good.log"))
		if in := r.Inputs[0]; in.Outcome != want || want != Read && in.Detail == "" {
			t.Errorf("%s: %s %q, want %s", name, in.Outcome, in.Detail, want)
		}
		if r.Parsed < 90 {
			t.Errorf("%s kept the other file from being counted", name)
		}
	}
}

func TestFilesThatShrinkOrVanishWhileTheyAreRead(t *testing.T) {
	t.Parallel()
	text := invented(2_000, 4)
	path := put(t, "access.log", text)
	// Files are opened a few ahead of the one that is read.
	between, last := []string{put(t, "b.log", text), put(t, "c.log", text)}, put(t, "last.log", text)
	cut := false
	r := analyse(t, Options{Workers: 1, block: 1000, Block: func(Block) error {
		if !cut {
			cut = true
			return errors.Join(os.Truncate(path, int64(len(text)/2)), os.Remove(last))
		}
		return nil
	}}, path, between[0], between[1], last)
	if in := r.Inputs[0]; in.Outcome != Shrank || in.Parsed == 0 || in.Parsed > 1_100 {
		t.Errorf("cut: %+v", in)
	}
	if in := r.Inputs[3]; in.Outcome != Vanished {
		t.Errorf("removed: %+v", in)
	}
}

func TestUncertainFormatSaysSo(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("EXERCISE: something else\n", 40) + strings.Repeat(`192.0.2.7 - - [17/May/2015:10:05:43 +0000] "GET /x HTTP/1.1" 200 1`+"\n", 60)
	in := analyse(t, Options{}, put(t, "mixed.log", text)).Inputs[0]
	if in.FormatCertain || in.Format != "common" || !strings.Contains(in.Detail, "-format") || in.Parsed != 60 {
		t.Errorf("%+v", in)
	}
}

// What identifies a person, planted wherever a log can hold it.
var canaries = []string{"203.0.113.77", "2001:db8:77::77", "exercisecanary", "s3cr3tc4n4ryt0k3n", "canary@example.org", "canary%40example.org", "canaryname", "203-0-113-77", "deadbeefcafe77deadbeef77", "canaryagent"}

func canaryLog() string {
	lines := []string{
		`203.0.113.77 - exercisecanary [17/May/2015:10:05:43 +0000] "GET /a/203.0.113.77/b?token=s3cr3tc4n4ryt0k3n HTTP/1.1" 200 5 "https://exercisecanary:x@host-203-0-113-77.example.org/u/canaryname?mail=canary@example.org" "canaryagent canary@example.org 203.0.113.77"`,
		`2001:db8:77::77 - - [17/May/2015:10:05:43 +0000] "GET /mail/canary@example.org/x HTTP/1.1" 200 5 "http://203.0.113.77/" "Mozilla/5.0"`,
		`203.0.113.77 - - [17/May/2015:10:05:43 +0000] "GET /mail/canary%40example.org HTTP/1.1" 200 5 "http://[2001:db8:77::77]/x" "Mozilla/5.0"`,
		`203.0.113.77 - - [17/May/2015:10:05:43 +0000] "GET /users/canaryname?utm_campaign=canary@example.org HTTP/1.1" 200 5 "-" "Mozilla/5.0"`,
		`203.0.113.77 - - [17/May/2015:10:05:43 +0000] "GET /~canaryname/deadbeefcafe77deadbeef77/x;jsessionid=s3cr3tc4n4ryt0k3n?utm_campaign=s3cr3tc4n4ryt0k3n HTTP/1.1" 200 5 "-" "Mozilla/5.0"`,
		`203.0.113.77 - - [17/May/2015:10:05:43 +0000] "GET /x/2001:db8:77::77 HTTP/1.1" 200 5 "mailto:canary@example.org" "Mozilla/5.0"`,
		`203.0.113.77 - - [17/May/2015:10:05:43 +0000] "GET /x/canary\x40example.org HTTP/1.1" 200 5 "-" "Mozilla/5.0"`,
		`203.0.113.77 - - [17/May/2015:10:05:43 +0000] "GET http://exercisecanary@203.0.113.77:80/x HTTP/1.1" 200 5 "-" "Mozilla/5.0"`,
		`203.0.113.77 exercisecanary rejected canary@example.org s3cr3tc4n4ryt0k3n`,
	}
	return strings.Repeat(strings.Join(lines, "\n")+"\n", 6)
}

// P9: no address, user name, token or e-mail address stands in what a run gives.
func TestCanariesAreNowhere(t *testing.T) {
	t.Parallel()
	path := put(t, "access.log", canaryLog())
	for _, memory := range []int{0, 1} {
		var out bytes.Buffer
		enc := json.NewEncoder(&out)
		enc.SetEscapeHTML(false)
		r := analyse(t, Options{Format: "combined", Memory: memory, block: 512, Workers: 1, Top: 1000, Reject: func(x Reject) error { return enc.Encode(x) }}, path)
		if r.Parsed != 48 || r.Rejected != 6 {
			t.Fatalf("%d parsed, %d rejected", r.Parsed, r.Rejected)
		}
		if err := enc.Encode(r); err != nil {
			t.Fatal(err)
		}
		for _, c := range canaries {
			if i := bytes.Index(out.Bytes(), []byte(c)); i >= 0 {
				t.Errorf("memory %d: %s stands in the output: …%s…", memory, c, out.Bytes()[max(0, i-60):min(out.Len(), i+60)])
			}
		}
	}
}

func TestRedact(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"/presentations/logstash-monitorama-2013/images/kibana-dashboard3.png": "/presentations/logstash-monitorama-2013/images/kibana-dashboard3.png",
		"/en/video/2017/05/12/film.mp4":                                        "/en/video/2017/05/12/film.mp4",
		"/v/1.2.3.4-beta":                                                      "/v/[address]",
		"/release/v1.2.3/x":                                                    "/release/v1.2.3/x",
		"/x?y=z":                                                               "/x",
		"/files/6f1ed002ab5595859014ebf0951522d9.html":                         "/files/[token]",
		"/id/3f2504e0-4f89-11d3-9a0c-0305e82c3301":                             "/id/[token]",
		"/call/49301234567":                                                    "/call/[number]",
		"/users/jo.doe/pictures":                                               "/users/[user]/pictures",
		"/users/index.html":                                                    "/users/index.html",
		"/a=b/c":                                                               "/a=[value]/c",
		"https://name:pw@example.org/x?y":                                      "https://example.org/x",
		"/%61%40b.org":                                                         "/[e-mail]",
		"/%2561%2540b.org":                                                     "/[e-mail]",
		"/bad\xff\x01":                                                         "/bad��",
		`/\xd8\xa7`:                                                            "/ا",
		"/t/aB3dE6gH9jK2mN5p":                                                  "/t/[token]",
		"":                                                                     "",
	} {
		if got := Redact(in); got != want {
			t.Errorf("%q is shown as %q, want %q", in, got, want)
		}
	}
}

func FuzzRedact(f *testing.F) {
	f.Add("/a/203.0.113.77/b@c.org/%40")
	f.Add("https://u:p@[2001:db8::1]:80/x;y=z")
	f.Fuzz(func(t *testing.T, path string) {
		if harmless(path) && redactDoubtful(path, false) != path {
			t.Errorf("%q is shown as it is, and should be %q", path, redactDoubtful(path, false))
		}
		got := Redact(path)
		for part := range strings.SplitSeq(got, "/") {
			if part != "@" && strings.ContainsAny(part, "@?\n\x00") { // one sign alone names nobody
				t.Errorf("%q is shown as %q", path, got)
			}
		}
	})
}
