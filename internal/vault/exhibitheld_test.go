package vault

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Bytes of an exhibit are found by its manifest alone, a working copy before its bag, and nothing else is taken for them.
func TestG25ExhibitIsFoundByItsManifest(t *testing.T) {
	t.Parallel()
	dir := tempDir(t)
	source := filepath.Join(tempDir(t), "EXERCISE server")
	must(t, os.MkdirAll(source, 0o700))
	must(t, os.WriteFile(filepath.Join(source, "a name\nof = two lines"), []byte("EXERCISE log\n"), 0o600))
	bag := filepath.Join(dir, "bag")
	sealed, err := SealEvidence(t.Context(), SealJob{Sources: []string{source}, Bag: bag, Case: "EXERCISE", By: "A. Nobody", Program: "test", Now: time.Now, Workers: 1})
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "a file"), nil, 0o600))
	must(t, os.Mkdir(filepath.Join(dir, "empty"), 0o700))
	must(t, os.Symlink(bag, filepath.Join(dir, "a link")))

	find := func(work bool) *Held {
		t.Helper()
		h, err := FindHeld(dir, sealed.Digest)
		if err != nil || h.Work != work {
			t.Fatalf("%v, %+v", err, h)
		}
		t.Cleanup(func() { h.Close() })
		if len(h.Files()) != 1 {
			t.Fatalf("%d files", len(h.Files()))
		}
		return h
	}
	check := func(h *Held) error {
		_, err := h.Check(t.Context(), h.Files()[0], func(int64) {})
		return err
	}
	if err := check(find(false)); err != nil {
		t.Errorf("the bag: %v", err)
	}
	work := filepath.Join(dir, "work")
	_, _, err = CopyEvidence(t.Context(), bag, work, "A. Nobody", clock(), nil)
	must(t, err)
	h := find(true)
	seen, err := h.Check(t.Context(), h.Files()[0], func(int64) {})
	if err != nil || !h.Same(h.Files()[0], seen) {
		t.Errorf("the copy: %v", err)
	}
	log := filepath.Join(work, "files", "EXERCISE server", "a name\nof = two lines")
	must(t, os.WriteFile(log, []byte("EXERCISE gol\n"), 0o600))
	if h.Same(h.Files()[0], seen) {
		t.Error("a change is not seen")
	}
	if err := check(h); !errors.Is(err, ErrAltered) {
		t.Errorf("a changed file: %v", err)
	}
	must(t, os.Remove(log))
	if err := check(h); !errors.Is(err, ErrAltered) {
		t.Errorf("a missing file: %v", err)
	}
	must(t, os.Symlink("/etc/hostname", log))
	if err := check(h); !errors.Is(err, ErrAltered) {
		t.Errorf("a link: %v", err)
	}
	// The copy's own list says what it likes: the bag's manifest is what counts.
	must(t, os.Chmod(filepath.Join(work, fileSealed), 0o600))
	must(t, os.WriteFile(filepath.Join(work, fileSealed), []byte("{}\n"), 0o600))
	find(false)
	must(t, os.Chmod(filepath.Join(bag, fileManifest), 0o600))
	flip(t, filepath.Join(bag, fileManifest), 10)
	if _, err := FindHeld(dir, sealed.Digest); !errors.Is(err, ErrNotHeld) {
		t.Errorf("another manifest: %v", err)
	}
	if _, err := FindHeld(filepath.Join(dir, "nowhere"), sealed.Digest); err == nil || errors.Is(err, ErrNotHeld) {
		t.Errorf("no directory: %v", err)
	}
}
