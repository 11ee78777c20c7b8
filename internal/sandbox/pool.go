package sandbox

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"time"
)

// ErrGone says that a child ended before it answered: it broke a limit, or its
// input broke it.
var ErrGone = errors.New("the sandbox ended before it answered: the input took too long, too much memory, or broke what reads it")

// Refused is a task's own word that it cannot do it.
type Refused struct{ Reason string }

// Error implements error.
func (r *Refused) Error() string { return r.Reason }

// tasksDefault is how many tasks a child does before it is replaced.
const tasksDefault = 64

// Pool keeps a few children for one kind of work. It may be used by many
// goroutines; the zero value's Size is 1.
type Pool struct {
	Command []string      // that starts a child: this program and its hidden command
	Env     []string      // all that a child gets of an environment
	Size    int           // most children at a time
	Wall    time.Duration // most time for one task; 0 for 20 seconds
	Tasks   int           // how many a child does before it is replaced; 0 for 64

	once sync.Once
	free chan *child // holds nil for a child that is yet to be started
}

type child struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	done int
}

const wallDefault = 20 * time.Second

func (p *Pool) slots() chan *child {
	p.once.Do(func() {
		p.free = make(chan *child, max(p.Size, 1))
		for range cap(p.free) {
			p.free <- nil
		}
	})
	return p.free
}

// Do lets a child do the task and waits for its answer: *Refused where the task
// cannot, ErrGone where the child did not survive it.
func (p *Pool) Do(ctx context.Context, task string, in []byte) ([]byte, error) {
	if len(in) > InputMost {
		return nil, &Refused{fmt.Sprintf("the input has more than %d MB", InputMost>>20)}
	}
	var c *child
	select {
	case c = <-p.slots():
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { p.free <- c }()
	if c == nil {
		var err error
		if c, err = p.start(); err != nil {
			return nil, err
		}
	}
	wall := p.Wall
	if wall == 0 {
		wall = wallDefault
	}
	ctx, cancel := context.WithTimeout(ctx, wall)
	defer cancel()
	// Killing the child is what ends a read or a write that waits for it.
	process := c.cmd.Process
	stop := context.AfterFunc(ctx, func() { _ = process.Kill() })
	out, err := c.ask(task, in)
	if !stop() && err == nil {
		err = ErrGone // the kill is under way
	}
	var refused *Refused
	c.done++
	if err != nil && !errors.As(err, &refused) || c.done >= cmp.Or(p.Tasks, tasksDefault) {
		c.end()
		c = nil
	}
	return out, err
}

func (p *Pool) start() (*child, error) {
	cmd := exec.Command(p.Command[0], p.Command[1:]...)
	cmd.Env = append([]string{"GOMAXPROCS=2", "GOTRACEBACK=none"}, p.Env...)
	cmd.Dir = "/"
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	return &child{cmd: cmd, in: in, out: bufio.NewReader(out)}, nil
}

func (c *child) ask(task string, in []byte) ([]byte, error) {
	if err := writeFrame(c.in, []byte(task)); err != nil {
		return nil, ErrGone
	}
	if err := writeFrame(c.in, in); err != nil {
		return nil, ErrGone
	}
	status, err := c.out.ReadByte()
	if err != nil {
		return nil, ErrGone
	}
	out, err := readFrame(c.out, replyMost)
	switch {
	case err != nil:
		return nil, ErrGone
	case status == statusDone:
		return out, nil
	case status == statusRefused:
		return nil, &Refused{string(out)}
	}
	return nil, ErrGone
}

func (c *child) end() {
	_ = c.in.Close()
	_ = c.cmd.Process.Kill() // it may be gone
	_ = c.cmd.Wait()         // how it ended was its own doing, or ours
}

// Close ends the children that wait. Do not use the pool afterwards.
func (p *Pool) Close() {
	for range cap(p.slots()) {
		if c := <-p.free; c != nil {
			c.end()
		}
	}
}
