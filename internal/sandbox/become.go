package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"
)

// WordBecome is the argument after the pool's command that lets a child become
// another program instead of serving tasks: its path and arguments follow.
const WordBecome = "become"

// Run runs a program of the system in a child's limits: no network, no files
// written, a bounded time. It reads in and answers with at most most bytes.
func (p *Pool) Run(ctx context.Context, program string, args []string, in []byte, most int) ([]byte, error) {
	wall := p.Wall
	if wall == 0 {
		wall = wallDefault
	}
	ctx, cancel := context.WithTimeout(ctx, wall)
	defer cancel()
	argv := append(append([]string(nil), p.Command[1:]...), WordBecome, program)
	cmd := exec.CommandContext(ctx, p.Command[0], append(argv, args...)...)
	cmd.Env, cmd.Dir, cmd.Stdin = append([]string{"PATH=/nonexistent"}, p.Env...), "/", bytes.NewReader(in)
	cmd.WaitDelay = time.Second
	out := &bounded{most: most}
	cmd.Stdout = out
	if err := cmd.Run(); err != nil {
		if _, ok := errors.AsType[*exec.ExitError](err); ok || ctx.Err() != nil {
			return nil, ErrGone
		}
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	return out.got.Bytes(), nil
}

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
