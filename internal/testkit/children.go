package testkit

import (
	"fmt"
	"os"
	"testing"
	"time"

	"concert/internal/casework"
	"concert/internal/sandbox"
)

const childMark = "CONCERT_TEST_SANDBOX_CHILD"

// Children is a pool of children that open hostile bytes: the test binary again, whose TestMain calls ServeIfChild first.
func Children(t testing.TB) *sandbox.Pool {
	t.Helper()
	p := &sandbox.Pool{Command: []string{os.Args[0]}, Env: []string{childMark + "=1"}, Wall: 15 * time.Second}
	t.Cleanup(p.Close)
	return p
}

// ServeIfChild is the life of a child of Children, which it ends; in any other process it does nothing.
func ServeIfChild() {
	if os.Getenv(childMark) == "" {
		return
	}
	err := sandbox.Live(os.Stdin, os.Stdout, os.Args[1:], casework.SandboxTasks(), casework.FileTasks())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}
