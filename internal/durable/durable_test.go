package durable

import (
	"bufio"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func names(t *testing.T, dir string) (out []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func TestWriteFileReplacesWholeAndSetsMode(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "head")
	for _, content := range []string{"a long first content", "short", ""} {
		if err := WriteFile(path, []byte(content), 0o604); err != nil {
			t.Fatal(err)
		}
		if got := read(t, path); got != content {
			t.Errorf("content %q, want %q", got, content)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o604 {
		t.Errorf("mode %v, %v; want 0604 whatever the umask", info.Mode(), err)
	}
	if got := names(t, filepath.Dir(path)); len(got) != 1 {
		t.Errorf("directory holds %q, want the file alone", got)
	}
}

func TestWriteFileThatFailsLeavesTheOldFileAndNoTemporary(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "taken")
	if err := os.MkdirAll(filepath.Join(path, "child"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(path, []byte("x"), 0o600); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v, want one that names %s", err, path)
	}
	if got := names(t, dir); len(got) != 1 {
		t.Errorf("directory holds %q, want no temporary file", got)
	}
	if err := WriteFile(filepath.Join(dir, "missing", "f"), nil, 0o600); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want not exist", err)
	}
}

func TestCreateExclusiveNeverOverwrites(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() { errs[i] = CreateExclusive(path, bytes.Repeat([]byte{byte('a' + i)}, 4096), 0o600) })
	}
	wg.Wait()
	won := -1
	for i, err := range errs {
		switch {
		case err == nil && won < 0:
			won = i
		case err == nil:
			t.Errorf("writers %d and %d both created the file", won, i)
		case !errors.Is(err, fs.ErrExist):
			t.Errorf("writer %d: %v, want file exists", i, err)
		}
	}
	if won < 0 || read(t, path) != strings.Repeat(string(rune('a'+won)), 4096) {
		t.Errorf("winner %d, file begins %.8q", won, read(t, path))
	}
	if got := names(t, dir); len(got) != 1 {
		t.Errorf("directory holds %q, want the key alone", got)
	}
	if err := CreateExclusive(path, []byte("other"), 0o600); !errors.Is(err, fs.ErrExist) {
		t.Errorf("second creation: %v, want file exists", err)
	}
}

func TestCreateExclusiveRefusesADanglingLink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	if err := os.Symlink(filepath.Join(dir, "nowhere"), path); err != nil {
		t.Fatal(err)
	}
	if err := CreateExclusive(path, nil, 0o600); !errors.Is(err, fs.ErrExist) {
		t.Errorf("error %v, want file exists", err)
	}
}

// A crash between the write and the rename leaves the old file and a temporary
// one; one between link and removal leaves both names of one file.
func TestLeftoversOfACrashAreIgnoredAndSwept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "head")
	if err := WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	half, err := writeTemp(path, []byte("ne"), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	linked, err := writeTemp(path, []byte("key"), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Link(linked, filepath.Join(dir, "key")); err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(dir, ".tmp-other")
	if err := os.WriteFile(foreign, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{half, linked} {
		if !IsTemp(filepath.Base(name)) {
			t.Errorf("IsTemp(%q) is false", name)
		}
	}
	if err := WriteFile(path, []byte("new"), 0o600); err != nil {
		t.Errorf("write beside leftovers: %v", err)
	}
	n, err := Sweep(dir)
	if n != 2 || err != nil {
		t.Errorf("Sweep = %d, %v; want 2", n, err)
	}
	if got := strings.Join(names(t, dir), " "); got != ".tmp-other head key" {
		t.Errorf("directory holds %q", got)
	}
	if read(t, path) != "new" || read(t, filepath.Join(dir, "key")) != "key" {
		t.Error("sweeping touched a real file")
	}
}

func TestMkdirAllAndRemove(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	deep := filepath.Join(dir, "a", "b", "c")
	for range 2 {
		if err := MkdirAll(deep, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(deep, "f")
	if err := WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := MkdirAll(filepath.Join(file, "d"), 0o700); err == nil {
		t.Error("a directory below a file was made")
	}
	for range 2 {
		if err := Remove(file); err != nil {
			t.Error(err)
		}
	}
}

// The holder is a real second process: this test binary again.
func TestLockNamesTheOtherProcessAndDiesWithIt(t *testing.T) {
	if dir := os.Getenv("DURABLE_TEST_HOLD"); dir != "" {
		if _, err := LockDir(dir); err != nil {
			t.Fatal(err)
		}
		os.Stdout.WriteString("held\n")
		select {}
	}
	t.Parallel()
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestLockNamesTheOtherProcessAndDiesWithIt$")
	cmd.Env = append(os.Environ(), "DURABLE_TEST_HOLD="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if line != "held\n" {
		t.Fatalf("holder said %q, %v", line, err)
	}
	_, err = LockDir(dir)
	held, ok := errors.AsType[*LockedError](err)
	if !ok || held.PID != cmd.Process.Pid || !strings.Contains(err.Error(), dir) {
		t.Errorf("error %v, want one that names process %d and the directory", err, cmd.Process.Pid)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	l, err := LockDir(dir)
	if err != nil {
		t.Fatalf("lock after the holder was killed: %v", err)
	}
	if _, err := LockDir(dir); err == nil {
		t.Error("the same process took the lock twice")
	}
	if err := l.Unlock(); err != nil {
		t.Error(err)
	}
	if _, err := LockDir(filepath.Join(dir, "missing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("lock of a missing directory: %v", err)
	}
}

func BenchmarkWriteFile(b *testing.B) {
	path := filepath.Join(b.TempDir(), "f")
	data := make([]byte, 4096)
	for b.Loop() {
		if err := WriteFile(path, data, 0o600); err != nil {
			b.Fatal(err)
		}
	}
}
