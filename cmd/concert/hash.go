package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"concert/internal/formats"
	"concert/internal/match"
	"concert/internal/sandbox"
)

type hashCmd struct {
	VPDQ  string   `name:"vpdq" help:"Write each video's vPDQ list into this directory, under the file's name." type:"existingdir" placeholder:"DIR"`
	Files []string `arg:"" name:"file" help:"Files, directories with all that is in them, or - for standard input."`
}

// hashTasks is how many pictures a child opens before another takes its place:
// starting one costs as much as ten pictures.
const hashTasks = 500

// progressEvery is how often a terminal is told how far it is.
const progressEvery = 200 * time.Millisecond

// hashJob is one file, or what kept it from being read; done holds its answer.
type hashJob struct {
	path string
	err  error
	done chan formats.FileHash
}

// Run prints an object for each file, in the order of the files.
func (c *hashCmd) Run(ctx context.Context, e *env) error {
	return eachFile(ctx, e, c.Files, func(f formats.FileHash) ([]any, error) {
		if c.VPDQ != "" && f.Film != nil {
			if err := writeFrames(c.VPDQ, f); err != nil {
				return nil, err
			}
		}
		return []any{f}, nil
	})
}

// writeFrames writes a video's list under its own name, below the directory
// wherever the file was.
func writeFrames(dir string, f formats.FileHash) error {
	to := filepath.Join(dir, filepath.Clean("/"+filepath.ToSlash(f.File))+".txt")
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	var list bytes.Buffer
	if err := match.WriteFrameList(&list, f.Film.Frames()); err != nil {
		return fmt.Errorf("%s: %w", f.File, err)
	}
	return os.WriteFile(to, list.Bytes(), 0o644)
}

// eachFile hashes files and prints, in their order, the objects that say gives
// for each.
func eachFile(ctx context.Context, e *env, paths []string, say func(formats.FileHash) ([]any, error)) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("pictures are opened in children of this program, which does not find itself: %w", err)
	}
	workers := runtime.GOMAXPROCS(0)
	// A child keeps nothing, so that collecting rarely costs little memory; its limit holds.
	pool := &sandbox.Pool{Command: []string{self, childCommand}, Env: []string{"GOGC=400"}, Size: workers, Tasks: hashTasks}
	defer pool.Close()
	player := formats.NewPlayer(pool)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // before Close, which waits for children at work

	todo, inOrder := make(chan *hashJob), make(chan *hashJob, 16*workers)
	go findFiles(ctx, paths, todo, inOrder)
	for range workers {
		// Told to stop, one may still wait for standard input: nobody waits for it.
		go func() {
			for j := range todo {
				j.done <- hashOne(ctx, e, player, j)
			}
		}()
	}
	return hashPrint(ctx, e, inOrder, soundless(e, player, say))
}

// soundless says once, at the first file that may have a sound, that none is
// fingerprinted here.
func soundless(e *env, p formats.Player, say func(formats.FileHash) ([]any, error)) func(formats.FileHash) ([]any, error) {
	said := p.FPCalc != "" || p.FFmpeg == ""
	return func(f formats.FileHash) ([]any, error) {
		if !said && f.Plays() {
			said = true
			fmt.Fprintf(e.stderr, "concert: %v\n", formats.ErrNoFPCalc)
		}
		return say(f)
	}
}

// hashPrint writes the answers and says how far it is.
func hashPrint(ctx context.Context, e *env, inOrder <-chan *hashJob, say func(formats.FileHash) ([]any, error)) error {
	out := bufio.NewWriter(e.stdout)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	var files, bad atomic.Int64
	stop := hashProgress(e.stderr, &files, &bad)
	defer stop()
	for j := range inOrder {
		select {
		case f := <-j.done:
			if files.Add(1); f.Error != "" {
				bad.Add(1)
			}
			lines, err := say(f)
			for _, l := range lines {
				err = errors.Join(err, enc.Encode(l))
			}
			if err != nil {
				return err
			}
		case <-ctx.Done():
			return errors.Join(out.Flush(), ctx.Err())
		}
		// Whoever reads along sees a line when it is made, not when a buffer is full.
		if len(inOrder) == 0 {
			if err := out.Flush(); err != nil {
				return err
			}
		}
	}
	stop()
	if err := errors.Join(out.Flush(), ctx.Err()); err != nil {
		return err
	}
	if bad.Load() > 0 {
		return &exitError{code: exitFailed, err: fmt.Errorf("%d of %d files with an error", bad.Load(), files.Load())}
	}
	return nil
}

// findFiles gives every file to the workers and to the printer, directories by name.
func findFiles(ctx context.Context, paths []string, todo, inOrder chan<- *hashJob) {
	defer close(todo)
	defer close(inOrder)
	give := func(path string, err error) error {
		j := &hashJob{path: path, err: err, done: make(chan formats.FileHash, 1)}
		for _, to := range []chan<- *hashJob{inOrder, todo} {
			select {
			case to <- j:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	}
	for _, path := range paths {
		st, err := os.Stat(path)
		if path == "-" || err != nil || !st.IsDir() {
			if path == "-" {
				err = nil
			}
			if give(path, err) != nil {
				return
			}
			continue
		}
		err = filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
			if err == nil && (d.IsDir() || d.Type()&fs.ModeSymlink != 0) {
				return nil // where a link leads is read where it stands
			}
			return give(p, err)
		})
		if err != nil {
			return // told to stop
		}
	}
}

func hashOne(ctx context.Context, e *env, player formats.Player, j *hashJob) formats.FileHash {
	if j.err != nil {
		return formats.FileHash{File: j.path, Error: plainReason(j.err)}
	}
	if j.path == "-" {
		return player.HashFile(ctx, "-", struct{ io.Reader }{e.stdin}) // a pipe has no places
	}
	// A pipe or a device may never end, and opening one may never return.
	st, err := os.Stat(j.path)
	if err == nil && !st.Mode().IsRegular() {
		return formats.FileHash{File: j.path, Error: "it is no regular file"}
	}
	if err != nil {
		return formats.FileHash{File: j.path, Error: plainReason(err)}
	}
	f, err := os.Open(j.path)
	if err != nil {
		return formats.FileHash{File: j.path, Error: plainReason(err)}
	}
	defer f.Close()
	return player.HashFile(ctx, j.path, f)
}

// plainReason leaves out the path, which stands beside it.
func plainReason(err error) string {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err.Error()
	}
	return err.Error()
}

// hashProgress says how far it is where somebody sees it, until it is stopped.
func hashProgress(to io.Writer, files, bad *atomic.Int64) (stop func()) {
	if !isTerminal(to) {
		return func() {}
	}
	began, quit, ended := time.Now(), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(progressEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				n := files.Load()
				fmt.Fprintf(to, "\r\x1b[K%d files, %d errors, %.0f a second", n, bad.Load(), float64(n)/time.Since(began).Seconds())
			case <-quit:
				fmt.Fprint(to, "\r\x1b[K")
				return
			}
		}
	}()
	return sync.OnceFunc(func() {
		close(quit)
		<-ended
	})
}

// isTerminal reports whether somebody watches what is written there.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0
}
