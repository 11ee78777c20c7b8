//go:build linux && (amd64 || arm64)

package sandbox

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A program takes no file away, empties none and makes none, not even an empty one.
func TestAProgramChangesNoFile(t *testing.T) {
	t.Parallel()
	if _, _, e := syscall.RawSyscall(landlockCreate, 0, 0, landlockVersion); e != 0 {
		t.Skipf("the kernel has no Landlock (%v), and a child says so: concert doctor", e)
	}
	p := newPool(t)
	kept := filepath.Join(t.TempDir(), "kept")
	if err := os.WriteFile(kept, []byte("EXERCISE"), 0o600); err != nil {
		t.Fatal(err)
	}
	made := kept + "-made"
	for _, words := range [][]string{{"/bin/rm", kept}, {"/bin/sh", "-c", ": > " + kept}, {"/bin/touch", made}, {"/bin/mkdir", made}} {
		if _, err := p.Run(t.Context(), words[0], words[1:], nil, 100); err == nil {
			t.Errorf("%v did it", words)
		}
	}
	if text, err := os.ReadFile(kept); string(text) != "EXERCISE" {
		t.Errorf("%q is left, %v", text, err)
	}
	if _, err := os.Stat(made); err == nil {
		t.Error("a file was made")
	}
}
