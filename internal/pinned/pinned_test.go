package pinned

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func archive(t *testing.T, name, text string) ([]byte, Archive) {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(text)), Mode: 0o644})
	if _, more := w.Write([]byte(text)); errors.Join(err, more, w.Close(), z.Close()) != nil {
		t.Fatal(err, more)
	}
	sum := sha512.Sum512(b.Bytes())
	return b.Bytes(), Archive{Package: "@exercise/data", Version: "1.0.0", Integrity: "sha512-" + base64.StdEncoding.EncodeToString(sum[:]), Most: int64(b.Len())}
}

// An archive is the pinned one or none, from a registry or from a file, and a registry that is not there is told from one that lies.
func TestAnArchiveIsThePinnedOneOrNone(t *testing.T) {
	t.Parallel()
	data, a := archive(t, "package/data.txt", "EXERCISE")
	given := data
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/@exercise/data/-/data-1.0.0.tgz" {
			http.NotFound(w, r)
			return
		}
		w.Write(given)
	}))
	defer server.Close()
	got, err := a.Fetch(t.Context(), server.URL+"/")
	if err != nil || !bytes.Equal(got, data) {
		t.Fatalf("%d bytes: %v", len(got), err)
	}
	path := filepath.Join(t.TempDir(), "a.tgz")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := a.Read(path); err != nil || !bytes.Equal(got, data) {
		t.Errorf("from a file: %v", err)
	}
	var out strings.Builder
	if err := Extract(data, "package/data.txt", 8, &out); err != nil || out.String() != "EXERCISE" {
		t.Errorf("the file in it: %q, %v", out.String(), err)
	}
	if err := Extract(data, "package/data.txt", 7, &out); err == nil {
		t.Error("a file of more bytes than it may have comes out")
	}
	if err := Extract(data, "package/other", 8, &out); err == nil || !strings.Contains(err.Error(), "has no package/other") {
		t.Errorf("a file that is not in it: %v", err)
	}

	given = append(bytes.Clone(data[:len(data)-1]), data[len(data)-1]+1)
	if _, err := a.Fetch(t.Context(), server.URL); err == nil || errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "not the one that is pinned") {
		t.Errorf("another archive: %v", err)
	}
	given = append(bytes.Clone(data), 0)
	if _, err := a.Fetch(t.Context(), server.URL); err == nil || !strings.Contains(err.Error(), "larger") {
		t.Errorf("a longer archive: %v", err)
	}
	a.Version = "2.0.0"
	if _, err := a.Fetch(t.Context(), server.URL); !errors.Is(err, ErrUnreachable) {
		t.Errorf("a version that is not there: %v", err)
	}
	server.Close()
	if _, err := a.Fetch(t.Context(), server.URL); !errors.Is(err, ErrUnreachable) {
		t.Errorf("a registry that is not there: %v", err)
	}
}
