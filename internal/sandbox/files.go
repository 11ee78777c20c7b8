package sandbox

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"time"
)

// WordFiles is the argument after the pool's command that makes a child work on
// open files: how many seconds of processor time it has, how many bytes it may lay
// down in a file and how many files it was handed follow.
const WordFiles = "files"

// FileTask works on files that its child was handed open, which it reads with
// ReadAt, and answers by writing. It opens nothing itself: it could not.
type FileTask func(in []byte, files []*os.File, out io.Writer) error

// OnFiles is one task for a child of its own.
type OnFiles struct {
	Task    string
	In      []byte
	Files   []*os.File    // open for reading, or for more; the child inherits them, and nothing else
	Seconds int           // of processor time
	Written int64         // bytes that it may lay down in one of them that is open for writing, too
	Wall    time.Duration // most time
}

// ReadFiles starts a child for one task on open files and hands on its answer as
// it comes. It ends as Stream does: with the error of use, or with ErrGone where
// the child did not end well, after all that use was given.
func (p *Pool) ReadFiles(ctx context.Context, job OnFiles, use func(io.Reader) error) error {
	ctx, cancel := context.WithTimeout(ctx, job.Wall)
	defer cancel()
	argv := append(append([]string(nil), p.Command[1:]...), WordFiles, strconv.Itoa(job.Seconds), strconv.FormatInt(job.Written, 10), strconv.Itoa(len(job.Files)))
	cmd := exec.CommandContext(ctx, p.Command[0], argv...)
	cmd.Env = append([]string{"GOMAXPROCS=" + strconv.Itoa(runtime.GOMAXPROCS(0)), "GOTRACEBACK=none"}, p.Env...)
	cmd.Dir, cmd.ExtraFiles, cmd.WaitDelay = "/", job.Files, time.Second
	in, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	from, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	// A child that is gone does not read: its end says more than this error.
	if writeFrame(in, []byte(job.Task)) == nil {
		_ = writeFrame(in, job.In)
	}
	_ = in.Close()
	used := use(from)
	if used != nil {
		cancel() // nobody reads on
	}
	_, _ = io.Copy(io.Discard, from)
	ended := cmd.Wait()
	switch {
	case used != nil:
		return used
	case errors.Is(ctx.Err(), context.Canceled):
		return ctx.Err()
	case ended != nil:
		return ErrGone
	}
	return nil
}

// firstFile is the number of the first file that a child inherits beside its
// standard ones.
const firstFile = 3

// ServeFiles is the life of a child that works on files: the words are those
// after WordFiles. It limits itself before it reads its first byte.
func ServeFiles(r io.Reader, w io.Writer, words []string, tasks map[string]FileTask) error {
	if len(words) != 3 {
		return fmt.Errorf("%s SECONDS BYTES COUNT is what is wanted", WordFiles)
	}
	seconds, err := strconv.ParseUint(words[0], 10, 31)
	if err != nil {
		return err
	}
	written, err := strconv.ParseUint(words[1], 10, 63)
	if err != nil {
		return err
	}
	count, err := strconv.ParseUint(words[2], 10, 20)
	if err != nil {
		return err
	}
	files := make([]*os.File, count)
	for i := range files {
		files[i] = os.NewFile(uintptr(firstFile+i), fmt.Sprint("file ", i+1))
	}
	ConfineFor(seconds, written, count)
	in := bufio.NewReader(r)
	name, err := readFrame(in, nameMost)
	if err != nil {
		return err
	}
	input, err := readFrame(in, InputMost)
	if err != nil {
		return err
	}
	task, ok := tasks[string(name)]
	if !ok {
		return fmt.Errorf("there is no task %q", name)
	}
	out := bufio.NewWriterSize(w, 64<<10)
	return errors.Join(task(input, files, out), out.Flush())
}
