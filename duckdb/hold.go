package duckdb

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"concert/internal/lake"
)

// held are the parts of a lake, each compared with the manifest and kept open since: the
// engine reads them by these descriptors, so that another file under the same name is
// not read; only a query that names a part's own file reads it by its name. A part that
// is written to in place, and a directory in which names were exchanged, show by their
// time of change, which the system sets and nobody else can.
type held struct {
	files []*os.File
	paths []string // of the descriptors, as the engine opens them
	was   map[string]unix.Stat_t
	mu    sync.Mutex // of was
}

// hold opens and compares every part.
func hold(outer context.Context, l *lake.Lake) (_ *held, err error) {
	parts := l.Manifest.Parts
	h := &held{files: make([]*os.File, len(parts)), paths: make([]string, len(parts)), was: map[string]unix.Stat_t{}}
	defer func() {
		if err != nil {
			h.close()
		}
	}()
	g, ctx := errgroup.WithContext(outer)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, p := range parts {
		if ctx.Err() != nil {
			break
		}
		g.Go(func() error { return h.open(i, l.Dir, p) })
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return h, outer.Err()
}

func (h *held) open(i int, dir string, p lake.Part) error {
	path := filepath.Join(dir, filepath.FromSlash(p.Path))
	f, err := os.Open(path)
	if errors.Is(err, unix.EMFILE) {
		return fmt.Errorf("%w: each part is held open, so allow as many files as the lake has parts, and some (ulimit -n)", err)
	}
	if err != nil {
		return fmt.Errorf("%w: no answer is given without it", err)
	}
	h.files[i], h.paths[i] = f, fmt.Sprintf("/dev/fd/%d", f.Fd())
	if err := h.look(path, f); err != nil {
		return err
	}
	for at := filepath.Dir(path); ; at = filepath.Dir(at) {
		if err := h.look(at, nil); err != nil {
			return err
		}
		if at == filepath.Clean(dir) {
			break
		}
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, io.LimitReader(f, p.Size+1)); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != p.SHA256 {
		return fmt.Errorf("%s is not as it was written: its SHA-256 is %s, the manifest says %s; take the lake from another copy", path, got, p.SHA256)
	}
	return nil
}

// look remembers how a part, by its descriptor, or a directory was before the part was
// compared.
func (h *held) look(path string, f *os.File) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, known := h.was[path]; known {
		return nil
	}
	var was unix.Stat_t
	var err error
	if f != nil {
		err = unix.Fstat(int(f.Fd()), &was)
	} else {
		err = unix.Stat(path, &was)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	h.was[path] = was
	return nil
}

// unchanged fails if a part was written to, exchanged or taken away since it was
// compared.
func (h *held) unchanged() error {
	for path, was := range h.was {
		var is unix.Stat_t
		if err := unix.Stat(path, &is); err != nil || is.Ctim != was.Ctim || is.Mtim != was.Mtim || is.Size != was.Size || is.Ino != was.Ino || is.Dev != was.Dev {
			return fmt.Errorf("%s was changed while the question was answered: no answer is given; take the lake from another copy, or ask again", path)
		}
	}
	return nil
}

func (h *held) close() {
	for _, f := range h.files {
		if f != nil {
			f.Close()
		}
	}
}
