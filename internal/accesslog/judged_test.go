package accesslog

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestAccessesToJudgedFilesAreThoseThatResolveToThem(t *testing.T) {
	t.Parallel()
	judged, err := ParseJudged([]byte("\ufeff# EXERCISE\n/v/1.mp4\n/v/film%20two.mp4\tjudged\r\n/about/index.html\tother\n/s/index.html, judged\n/v/a,b.mp4\n"))
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	line := func(ip, method, path string, status int) {
		fmt.Fprintf(&log, "%s - - [17/May/2015:10:05:43 +0000] \"%s %s HTTP/1.1\" %d 5 \"-\" \"Firefox/1\"\n", ip, method, path, status)
	}
	for i, path := range []string{"/v/1.mp4", "/v/1.mp4?t=9", "//v/./x/../1.mp4", "/%76/1.mp4", "/v/film%20two.mp4", "/s/", "/s", "/v/a,b.mp4", "https://www.example.org/v/1.mp4", `/\x76/1.mp4`} {
		line(fmt.Sprintf("192.0.2.%d", i%4), "GET", path, 200)
	}
	line("192.0.2.9", "GET", "/v/1.mp4", 404)  // not there
	line("192.0.2.9", "HEAD", "/v/1.mp4", 200) // nobody saw it
	line("192.0.2.9", "GET", "/v/1.mp4", 304)  // nothing was sent
	line("192.0.2.9", "GET", "/V/1.mp4", 200)  // another file
	line("192.0.2.9", "GET", "/about/", 200)   // judged to be something else
	r := analyse(t, Options{Judged: judged}, put(t, "access.log", log.String()))
	if p := r.Propaganda; p.Accesses != 10 || p.Visitors != 4 || *p.AccessesWithoutBots != 10 || *p.VisitorsWithoutBots != 4 || p.JudgedFiles != 4 || p.UnresolvedShare != 1.0/12 {
		t.Errorf("%+v", *p)
	}
	for list, part := range map[string]string{"": "names no path", "/a\tmaybe": "line 1", "/a\n\xff": "line 2"} {
		if _, err := ParseJudged([]byte(list)); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q: %v", list, err)
		}
	}
}

func TestNetworksWhoseCountrySaysNothing(t *testing.T) {
	t.Parallel()
	list, err := ParseNetworks([]byte("# EXERCISE\n198.51.100.0/25 hosting\n198.51.100.64/26\n2001:db8:5::/48,exit\n192.0.2.7\nAS64496\n"))
	if err != nil || !list.NeedsASN() {
		t.Fatal(err)
	}
	var log strings.Builder
	for _, ip := range []string{"198.51.100.0", "198.51.100.127", "198.51.100.128", "2001:db8:5:1::1", "2001:db8:6::1", "192.0.2.7", "192.0.2.8", "198.51.99.255"} {
		fmt.Fprintf(&log, "%s - - [17/May/2015:10:05:43 +0000] \"GET / HTTP/1.1\" 200 5\n", ip)
	}
	r := analyse(t, Options{Hosting: list}, put(t, "access.log", log.String()))
	if u := r.Unreliable; u.Accesses != 4 || u.Visitors != 4 || u.Share != 0.5 {
		t.Errorf("%+v", *u)
	}
	if _, err := ParseNetworks([]byte("\nexample.org\n")); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("a name: %v", err)
	}
}

// Not parallel: it looks at what the whole process has allocated. The line lies in a hole of the file, which takes no disk.
func TestLinesLongerThanMemoryAreNotHeld(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access.log")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const hole = 512 << 20
	good := `192.0.2.7 - - [17/May/2015:10:05:43 +0000] "GET /x HTTP/1.1" 200 1` + "\n"
	if _, err := f.WriteString(good); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("\n"+good), hole); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r := analyse(t, Options{Workers: 2}, path)
	runtime.ReadMemStats(&after)
	if r.Lines != 3 || r.Parsed != 2 || r.Rejects["too_long"] != 1 {
		t.Errorf("%d lines, %v", r.Lines, r.Rejects)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 64<<20 {
		t.Errorf("a line of 512 MiB took %d MiB of memory", took>>20)
	}
}
