package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
)

func TestPendingFileHasItsNameWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f")
	write := func(text string) *Pending {
		p, err := NewPending(path, 0o640)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		return p
	}
	holds := func(want string) {
		t.Helper()
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("the file holds %q, %v, want %q", got, err, want)
		}
		entries, err := os.ReadDir(filepath.Dir(path))
		if err != nil || len(entries) != 1 {
			t.Errorf("beside the file lies something: %v, %v", entries, err)
		}
	}
	p := write("dropped")
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("half a file has the name: %v", err)
	}
	if err := errors.Join(p.Drop(), p.Drop()); err != nil {
		t.Error(err)
	}
	p = write("first")
	if err := errors.Join(p.Create(), p.Drop()); err != nil {
		t.Error(err)
	}
	holds("first")
	if err := write("second").Create(); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a name that is taken: %v", err)
	}
	holds("first")
	if err := write("third").Replace(); err != nil {
		t.Error(err)
	}
	holds("third")
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
	if _, err := NewPending(filepath.Join(path, "x"), 0o600); err == nil {
		t.Error("a file below a file")
	}
}

func TestOnlyOneIsAloneAtATime(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f")
	n := 0
	var inside atomic.Int32 // also what the race detector needs: it knows nothing of a file's lock
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				// Each opens the lock anew, as another process would.
				err := Alone(path, func() error {
					if inside.Add(1) != 1 {
						t.Error("two are alone at once")
					}
					n++
					inside.Add(-1)
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n != 400 {
		t.Errorf("%d of 400", n)
	}
	if err := Alone(path, func() error { return fs.ErrClosed }); !errors.Is(err, fs.ErrClosed) {
		t.Error(err)
	}
}
