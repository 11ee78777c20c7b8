package durable

import (
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestNamelessLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f, err := Nameless(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte("EXERCISE"), 0); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if got, err := io.ReadAll(f); err != nil || string(got) != "EXERCISE" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := Nameless(filepath.Join(dir, "none")); err == nil {
		t.Error("no error for a directory that is not there")
	}
}
