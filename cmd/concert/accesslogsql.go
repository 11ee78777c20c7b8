package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

const (
	// sqlProgram answers free SQL. It stands apart, since DuckDB needs cgo and weighs more
	// than all of this program.
	sqlProgram = "concert-sql"
	// sqlEnding is how long it may take to end after it was told to.
	sqlEnding = 10 * time.Second
)

type accesslogSQLCmd struct {
	Args []string `arg:"" optional:"" help:"DIR and one SELECT, or DIR -f FILE; -json, -rows, -memory, -threads, -trust: see -help."`
}

// Run hands the arguments to the program, which lies beside this one or in PATH.
func (c *accesslogSQLCmd) Run(ctx context.Context, e *env) error {
	path, err := sqlPath()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, path, c.Args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = e.stdin, e.stdout, e.stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = sqlEnding
	err = cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return &exitError{code: max(exit.ExitCode(), exitFailed)}
	}
	return err
}

func sqlPath() (string, error) {
	self, err := os.Executable()
	if err == nil {
		if path := filepath.Join(filepath.Dir(self), sqlProgram); isProgram(path) {
			return path, nil
		}
	}
	path, err := exec.LookPath(sqlProgram)
	if err != nil {
		return "", fmt.Errorf("free SQL needs %s beside this program or in PATH; from the source it is made with: CGO_ENABLED=1 go build -C duckdb -o %s ./concert-sql (fetches DuckDB, 150 MB, and needs a C++ compiler)", sqlProgram, filepath.Join(filepath.Dir(self), sqlProgram))
	}
	return path, nil
}

func isProgram(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0
}
