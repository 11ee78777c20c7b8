package formats

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

func sha256Hex(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// archive is a small web archive: an answer, a request and a resource.
func archive() string {
	answer := "HTTP/1.1 404 Not Found\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>EXERCISE gone"
	record := func(kind, media, digest, block string) string {
		return fmt.Sprintf("WARC/1.0\r\nWARC-Type: %s\r\nWARC-Target-URI: <http://video.example/EXERCISE>\r\nWARC-Date: 2019-11-21T08:00:00Z\r\nWARC-Block-Digest: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s\r\n\r\n", kind, digest, media, len(block), block)
	}
	return record("response", "application/http;msgtype=response", "sha256:"+sha256Hex(answer), answer) + record("request", "application/http;msgtype=request", "sha256:"+sha256Hex("another"), "GET / HTTP/1.1\r\n\r\n") + record("resource", "image/png", "", "EXERCISE")
}

func TestWebArchivesAreListedWithTheirDigests(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	for _, part := range strings.SplitAfter(archive(), "\r\n\r\n\r\n\r\n") {
		z := gzip.NewWriter(&packed)
		if _, err := z.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for name, in := range map[string]string{"plain": archive(), "packed": packed.String()} {
		got, more, err := ReadWARC(strings.NewReader(in), 10)
		if err != nil || more || len(got) != 3 {
			t.Fatalf("%s: %+v, %t, %v", name, got, more, err)
		}
		if r := got[0]; r.Type != "response" || r.Status != 404 || r.Media != "text/html; charset=utf-8" || r.Target != "http://video.example/EXERCISE" || r.Wrong {
			t.Errorf("%s: the answer is %+v", name, r)
		}
		if !got[1].Wrong || got[2].SHA256 != sha256Hex("EXERCISE") || got[2].Media != "image/png" {
			t.Errorf("%s: %+v", name, got[1:])
		}
	}
	if got, more, err := ReadWARC(strings.NewReader(archive()), 2); len(got) != 2 || !more || err != nil {
		t.Errorf("bounded: %d, %t, %v", len(got), more, err)
	}
	for cut := range len(archive()) - 4 {
		got, _, err := ReadWARC(strings.NewReader(archive()[:cut]), 10)
		if len(got) == 3 {
			continue // what is missing follows the last block
		}
		if err == nil && len(got) == 0 {
			t.Fatalf("the first %d bytes are taken for a whole", cut)
		}
	}
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	n := 0
	w := NewWARCWriter(&out, func() string { n++; return fmt.Sprint("00000000-0000-7000-8000-00000000000", n) })
	id, err := w.Record(WARCHead{Type: "resource", Target: "http://video.example/EXERCISE\r\nX: y", Date: "2019-11-21T08:00:00Z", Media: "image/png", Size: 8, SHA256: sha256Hex("EXERCISE")}, strings.NewReader("EXERCISE"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Record(WARCHead{Type: "metadata", Date: "2019-11-21T08:00:00Z", Media: "application/json", Size: 2, About: id}, strings.NewReader("{}")); err != nil {
		t.Fatal(err)
	}
	got, more, err := ReadWARC(&out, 10)
	if err != nil || more || len(got) != 2 || got[0].Wrong || got[0].SHA256 != sha256Hex("EXERCISE") || got[0].Target != "http://video.example/EXERCISEX: y" {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := w.Record(WARCHead{Type: "resource", Size: 9}, strings.NewReader("EXERCISE")); err == nil {
		t.Error("a block that is shorter than announced was written")
	}
}

func FuzzReadWARC(f *testing.F) {
	f.Add([]byte(archive()))
	f.Add([]byte("WARC/1.0\r\nContent-Length: 99999999999999999999\r\n\r\n"))
	f.Add([]byte("\x1f\x8b\x08\x00"))
	f.Fuzz(func(t *testing.T, in []byte) {
		got, more, _ := ReadWARC(bytes.NewReader(in), 5)
		if len(got) > 5 || more && len(got) != 5 {
			t.Errorf("%d records, more %t", len(got), more)
		}
	})
}
