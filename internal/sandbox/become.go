package sandbox

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"
)

// WordBecome is the argument after the pool's command that lets a child become
// another program instead of serving tasks: its path and arguments follow. With
// WordBecomeLong it has ten minutes of processor time instead of two.
const (
	WordBecome     = "become"
	WordBecomeLong = "become-long"
)

// Program is a program of the system and what it may use up.
type Program struct {
	Path string
	Args []string
	Long bool          // ten minutes of processor time, for what reads long files
	Wall time.Duration // most time; 0 for the pool's
}

func (p *Pool) become(ctx context.Context, pr Program) (*exec.Cmd, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(pr.Wall, p.Wall, wallDefault))
	word := WordBecome
	if pr.Long {
		word = WordBecomeLong
	}
	argv := append(append([]string(nil), p.Command[1:]...), word, pr.Path)
	cmd := exec.CommandContext(ctx, p.Command[0], append(argv, pr.Args...)...)
	cmd.Env, cmd.Dir = append([]string{"PATH=/nonexistent"}, p.Env...), "/"
	cmd.WaitDelay = time.Second
	return cmd, cancel
}

// Run runs a program of the system in a child's limits: no network, no files
// written, a bounded time. It reads in and answers with at most most bytes.
func (p *Pool) Run(ctx context.Context, program string, args []string, in []byte, most int) ([]byte, error) {
	out := &bounded{most: most}
	cmd, cancel := p.become(ctx, Program{Path: program, Args: args})
	defer cancel()
	cmd.Stdin, cmd.Stdout = bytes.NewReader(in), out
	if err := cmd.Run(); err != nil {
		if _, ok := errors.AsType[*exec.ExitError](err); ok || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, exec.ErrWaitDelay) || ctx.Err() != nil {
			return nil, ErrGone
		}
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	return out.got.Bytes(), nil
}

// Stream runs a program in the same limits, but hands on what it reads and what
// it answers as they come, so that neither is ever held whole. It ends when use
// has seen the end, or as soon as use returns an error, which is then the answer;
// ErrGone says that the program did not end well, after all that use was given.
func (p *Pool) Stream(ctx context.Context, pr Program, in io.Reader, use func(io.Reader) error) error {
	cmd, cancel := p.become(ctx, pr)
	defer cancel()
	from, to := io.Pipe()
	cmd.Stdin, cmd.Stdout = in, to
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	used := make(chan error, 1)
	go func() {
		err := use(from)
		if err != nil {
			cancel() // nobody reads on
		}
		_ = from.CloseWithError(errUnread)
		used <- err
	}()
	ended := cmd.Wait()
	if ended != nil {
		ended = ErrGone
	}
	_ = to.Close()
	err := <-used
	if stopped := ctx.Err(); stopped != nil {
		return stopped
	}
	return cmp.Or(err, ended)
}

var errUnread = errors.New("the answer is not read on")

// bounded takes so many bytes and refuses more, which ends the writer.
type bounded struct {
	got  bytes.Buffer
	most int
}

// Write takes a part.
func (b *bounded) Write(p []byte) (int, error) {
	if b.got.Len()+len(p) > b.most {
		return 0, errors.New("the answer is too long")
	}
	return b.got.Write(p)
}
