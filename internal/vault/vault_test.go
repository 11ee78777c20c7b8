package vault

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"testing"
	"testing/iotest"
)

var (
	testKey  = [KeySize]byte{1}
	otherKey = [KeySize]byte{2}
	purpose  = []byte("EXERCISE purpose")
)

func plain(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * 7)
	}
	return b
}

func TestWhatIsSealedOpensWholeAtEverySize(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, Chunk - 1, Chunk, Chunk + 1, 2 * Chunk, 3*Chunk + 5} {
		sealed, err := Seal(testKey, purpose, plain(n))
		if err != nil || int64(len(sealed)) != SealedSize(int64(n)) {
			t.Fatalf("%d bytes: %d sealed, wanted %d, %v", n, len(sealed), SealedSize(int64(n)), err)
		}
		got, err := Open(testKey, purpose, sealed)
		if err != nil || !bytes.Equal(got, plain(n)) {
			t.Errorf("%d bytes come back as %d, %v", n, len(got), err)
		}
		r, err := NewReader(iotest.OneByteReader(bytes.NewReader(sealed)), testKey, purpose)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, plain(n)) {
			t.Errorf("%d bytes in small pieces: %v", n, err)
		}
		if n > 16 && bytes.Contains(sealed, plain(n)[:16]) {
			t.Errorf("%d bytes are readable", n)
		}
	}
}

func TestWhatWasChangedDoesNotOpen(t *testing.T) {
	t.Parallel()
	sealed, err := Seal(testKey, purpose, plain(2*Chunk+100))
	if err != nil {
		t.Fatal(err)
	}
	head, one := len(magic)+saltSize, Chunk+tagSize
	swapped := bytes.Clone(sealed)
	copy(swapped[head:], sealed[head+one:head+2*one])
	copy(swapped[head+one:], sealed[head:head+one])
	flipped := bytes.Clone(sealed)
	flipped[len(flipped)-1] ^= 1
	salted := bytes.Clone(sealed)
	salted[len(magic)] ^= 1
	for name, in := range map[string][]byte{
		"empty": nil, "header only": sealed[:head], "cut after a chunk": sealed[:head+one], "cut in a chunk": sealed[:head+one+5], "last byte cut": sealed[:len(sealed)-1],
		"a byte appended": append(bytes.Clone(sealed), 0), "swapped": swapped, "flipped": flipped, "salted": salted, "a chunk dropped": append(bytes.Clone(sealed[:head]), sealed[head+one:]...),
	} {
		if _, err := Open(testKey, purpose, in); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Open(otherKey, purpose, sealed); !errors.Is(err, ErrDamaged) {
		t.Errorf("another key: %v", err)
	}
	if _, err := Open(testKey, []byte("another"), sealed); !errors.Is(err, ErrDamaged) {
		t.Errorf("another purpose: %v", err)
	}
}

func TestFilesAreKeptWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	d, err := OpenDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	const name = "0197f0c0-0000-7000-8000-00000000beef"
	for _, bad := range []string{"", "..", "a/b", "../../etc", "x.sealed", "Ünico"} {
		if _, err := d.Path(bad); err == nil {
			t.Errorf("%q is taken for a name", bad)
		}
	}
	p, err := d.New(name, testKey, purpose)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Write(plain(Chunk + 1)); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Open(name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("half a file has its name: %v", err)
	}
	sum, err := p.Keep()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := d.Sum(name); err != nil || got != sum {
		t.Errorf("the file's digest is %x, %v", got, err)
	}
	to, err := OpenDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Copy(to, name, sha256.Sum256(nil)); !errors.Is(err, ErrDamaged) {
		t.Errorf("copied under another digest: %v", err)
	}
	for range 2 {
		if err := d.Copy(to, name, sum); err != nil {
			t.Error(err)
		}
	}
	f, err := to.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := NewReader(f, testKey, purpose)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, plain(Chunk+1)) {
		t.Errorf("the copy opens to %d bytes, %v", len(got), err)
	}
	path, _ := d.Path(name)
	if info, err := os.Stat(path); err != nil || info.Mode() != fileMode {
		t.Errorf("%v, %v", info, err)
	}
	for range 2 {
		if err := d.Remove(name); err != nil {
			t.Error(err)
		}
	}
}

func TestMediaTypesAreFoundInTheBytes(t *testing.T) {
	t.Parallel()
	for want, head := range map[string]string{
		"image/png": "\x89PNG\r\n\x1a\n", "text/html": "  <!DOCTYPE html><html>", "text/plain": "EXERCISE", "application/warc": "WARC/1.1\r\n", "application/gzip": "\x1f\x8b\x08",
		"application/pdf": "%PDF-1.7", "video/webm": "\x1a\x45\xdf\xa3", "multipart/related": "From: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; type=\"text/html\"", "application/octet-stream": "\x00\x01\x02",
	} {
		if got := Sniff([]byte(head)); got != want {
			t.Errorf("%q is %s, wanted %s", head, got, want)
		}
	}
}

func FuzzReader(f *testing.F) {
	sealed, err := Seal(testKey, purpose, plain(Chunk+3))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Add(sealed[:len(magic)+saltSize])
	f.Fuzz(func(t *testing.T, in []byte) {
		got, err := Open(testKey, purpose, in)
		if err == nil && !bytes.Equal(in, sealed) {
			t.Errorf("%d bytes opened that nobody sealed", len(got))
		}
	})
}
