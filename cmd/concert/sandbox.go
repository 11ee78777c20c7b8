package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"runtime"

	"concert/internal/casework"
	"concert/internal/sandbox"
	"concert/internal/vault"
)

const childCommand = "sandbox-child"

// children are where captures are opened: this program again, limited.
func children() *sandbox.Pool {
	self, err := os.Executable()
	if err != nil {
		return nil // previews say that there is no sandbox
	}
	return &sandbox.Pool{Command: []string{self, childCommand}, Size: max(1, runtime.NumCPU()/2)}
}

// printers are where captures are opened to be compared with what is known: one at a
// time, so that previews never wait for them.
func printers() *sandbox.Pool {
	self, err := os.Executable()
	if err != nil {
		return nil
	}
	return &sandbox.Pool{Command: []string{self, childCommand}, Tasks: 1024}
}

// sandboxChildCmd is a child of the pool. It limits itself before it reads its
// first input.
type sandboxChildCmd struct {
	Words []string `arg:"" optional:"" passthrough:"" help:"become PROGRAM ARGUMENTS, or nothing."`
}

// Run serves tasks until standard input ends, or becomes another program.
func (c *sandboxChildCmd) Run(e *env) error {
	return sandbox.Live(e.stdin, e.stdout, c.Words, casework.SandboxTasks(), fileTasks())
}

// fileTasks are all that children do with files.
func fileTasks() map[string]sandbox.FileTask {
	all := vault.FileTasks()
	maps.Copy(all, casework.FileTasks())
	return all
}

type doctorCmd struct{}

// Run starts a child and lets it say what limits it.
func (doctorCmd) Run(ctx context.Context, e *env) error {
	p := children()
	if p == nil {
		return errors.New("this program does not find itself, so that it starts no children: no capture is opened here")
	}
	defer p.Close()
	text, err := p.Do(ctx, sandbox.TaskReport, nil)
	if err != nil {
		return fmt.Errorf("children that open captures: %w", err)
	}
	var r sandbox.Report
	if err := json.Unmarshal(text, &r); err != nil {
		return err
	}
	fmt.Fprintln(e.stdout, "Captures are opened in children of this program, with:")
	for _, line := range r.Lines() {
		fmt.Fprintln(e.stdout, "  "+line)
	}
	for _, p := range []struct{ name, does string }{{"ffmpeg", "Frames of videos"}, {"fpcalc", "Fingerprints of sounds"}} {
		if path, err := exec.LookPath(p.name); err == nil {
			fmt.Fprintf(e.stdout, "%s: by %s\n", p.does, path)
		} else {
			fmt.Fprintf(e.stdout, "%s: none, %s is not installed\n", p.does, p.name)
		}
	}
	return nil
}
