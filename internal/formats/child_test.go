package formats_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"concert/internal/formats"
	"concert/internal/sandbox"
)

const childMark = "CONCERT_TEST_FORMATS_CHILD"

// The children are this test binary again.
func TestMain(m *testing.M) {
	if os.Getenv(childMark) == "" {
		os.Exit(m.Run())
	}
	if len(os.Args) > 2 {
		become := map[string]func(string, []string) error{sandbox.WordBecome: sandbox.Become, sandbox.WordBecomeLong: sandbox.BecomeLong}[os.Args[1]]
		fmt.Fprintln(os.Stderr, become(os.Args[2], os.Args[3:]))
		os.Exit(1)
	}
	tasks := map[string]sandbox.Task{formats.TaskHash: formats.HashTask, formats.TaskMoov: formats.MoovTask}
	if err := sandbox.Serve(os.Stdin, os.Stdout, sandbox.Confine().With(tasks)); err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

func newPool(t testing.TB) *sandbox.Pool {
	t.Helper()
	p := &sandbox.Pool{Command: []string{os.Args[0]}, Env: []string{childMark + "=1"}, Size: 2, Wall: time.Minute}
	t.Cleanup(p.Close)
	return p
}
