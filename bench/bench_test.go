package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"concert/internal/testkit"
)

// databases are those that every measurement with a database is made on.
var databases = []string{"sqlite", "postgres"}

// workDir is where this process keeps what it builds.
func workDir() string {
	return filepath.Join(os.TempDir(), fmt.Sprintf("concert-bench-%d", os.Getpid()))
}

// binary builds the program once, as it is built for use.
var binary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(workDir(), "concert")
	return path, build(path)
})

func build(path string, flags ...string) error {
	cmd := exec.Command("go", append(append([]string{"build"}, flags...), "-o", path, "concert/cmd/concert")...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

func TestMain(m *testing.M) {
	// The directory for temporary files is memory on many machines, where a commit costs nothing.
	const disk = "/var/tmp"
	if st, err := os.Stat(disk); os.Getenv("TMPDIR") == "" && err == nil && st.IsDir() {
		if err := os.Setenv("TMPDIR", disk); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	code := m.Run()
	if err := os.RemoveAll(workDir()); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

func program(b *testing.B) string {
	b.Helper()
	path, err := binary()
	testkit.Must(b, err)
	return path
}

// size is a whole number of at least one from the environment, or the given one.
func size(b *testing.B, name string, otherwise int) int {
	b.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		b.Fatalf("%s is %q: give a whole number of at least 1", name, text)
	}
	return n
}

// run is one command of the program; match is the first match of the pattern in what it printed.
func run(b *testing.B, pattern string, args ...string) (match string) {
	b.Helper()
	out, err := exec.CommandContext(b.Context(), program(b), args...).CombinedOutput()
	if err != nil {
		b.Fatalf("concert %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	match = regexp.MustCompile(pattern).FindString(string(out))
	if match == "" && pattern != "" {
		b.Fatalf("concert %s printed no %s:\n%s", strings.Join(args, " "), pattern, out)
	}
	return match
}

// served is the program while it serves.
type served struct {
	url     string
	pid     int
	started time.Time
	stop    func()
}

// serve starts the server on a free port; it ends with the benchmark, or before by stop.
func serve(b *testing.B, args ...string) served {
	b.Helper()
	// The benchmark's context ends before its cleanups, which let the server end well.
	cmd := exec.CommandContext(context.WithoutCancel(b.Context()), program(b), append([]string{"serve", "-listen", "127.0.0.1:0", "-second-factor", "offered"}, args...)...)
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	testkit.Must(b, err)
	s := served{started: time.Now()}
	testkit.Must(b, cmd.Start())
	s.pid = cmd.Process.Pid
	s.stop = sync.OnceFunc(func() {
		kill := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() }) // Wait then tells that it was killed
		defer kill.Stop()
		_ = cmd.Process.Signal(syscall.SIGTERM) // one that ended already is told by Wait
		if err := cmd.Wait(); err != nil {
			b.Errorf("the server did not end well: %v\n%s", err, log.String())
		}
	})
	b.Cleanup(s.stop)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatalf("the server did not start: %v", err)
	}
	s.url = strings.Fields(line)[2] // Concert serves URL on ADDRESS
	return s
}

// spread is how durations are distributed.
type spread []time.Duration

// at is the duration that the share of all, from 0 to 1, does not exceed (nearest rank), in milliseconds.
func (s spread) at(share float64) float64 {
	if len(s) == 0 {
		return 0
	}
	slices.Sort(s)
	rank := min(int(share*float64(len(s))), len(s)-1)
	return float64(s[rank]) / float64(time.Millisecond)
}

// report sets the metrics of a benchmark whose time for one turn says nothing.
func report(b *testing.B, metrics map[string]float64) {
	b.Helper()
	b.ReportMetric(0, "ns/op")
	for unit, v := range metrics {
		b.ReportMetric(v, unit)
	}
}
