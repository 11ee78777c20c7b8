// Package e2e runs the real program, as its users do: commands and their exit
// codes, the server, and every command of the manual for providers.
package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"concert/api"
	"concert/internal/identity"
)

// binary builds the program once.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "concert-e2e-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "concert")
	out, err := exec.Command("go", "build", "-o", path, "concert/cmd/concert").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := binary(); err == nil {
		os.RemoveAll(filepath.Dir(path)) // a leftover in the temporary directory harms nobody
	}
	os.Exit(code)
}

func program(t testing.TB) string {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCommands(t *testing.T) {
	path := program(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("PATH", filepath.Dir(path)+string(os.PathListSeparator)+e.Getenv("PATH"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":   exits,
			"keep":    keep,
			"replace": replace,
			"serve":   serveInScript,
			"ownkey":  ownKey,
			"agekey":  ageKey,
			"s3":      s3InScript,

			"orderfiles": orderFiles,

			"lastcheckpoint": lastCheckpoint,
		},
		RequireExplicitExec: true,
	})
}

// exits runs a program and wants its exit code: exits 3 concert verify FILE.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE program argument...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var x *exec.ExitError
		if !errors.As(err, &x) {
			ts.Fatalf("%v", err)
		}
		got = x.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// keep puts the first group of a pattern in the last standard output into a
// variable: keep KEY '(csk_\S+)'.
func keep(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: keep NAME pattern")
	}
	m := regexp.MustCompile(args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if m == nil {
		ts.Fatalf("no match for %s in standard output", args[1])
	}
	ts.Setenv(args[0], m[len(m)-1])
}

// replace writes a changed copy of a file: replace FROM TO old new. The first
// occurrence is changed; there must be one.
func replace(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: replace FROM TO old new")
	}
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, args[2]) {
		ts.Fatalf("%s does not hold %q", args[0], args[2])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(strings.Replace(text, args[2], args[3], 1)), 0o600))
}

// serveInScript starts the server on a data directory and sets URL.
func serveInScript(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: serve DIRECTORY")
	}
	path, err := binary()
	ts.Check(err)
	url, stop, err := serve(path, ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Defer(func() { ts.Check(stop()) })
	ts.Check(published(url))
	ts.Setenv("URL", url)
}

// ownKey enters with both halves at URL, sets up one-time codes as a person does
// first of all, and puts an API key of its own, for every guarded act, into a
// variable: ownkey KEY LINK CODE. With ! it must be refused, always in
// the same words.
func ownKey(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: ownkey NAME link code")
	}
	c := &api.Client{Base: ts.Getenv("URL")}
	e, err := c.Enter(context.Background(), api.NewEntry{Link: args[1], Code: args[2]})
	if neg {
		if !api.IsCode(err, "login.refused") {
			ts.Fatalf("entering should be refused, and comes to: %v", err)
		}
		return
	}
	ts.Check(err)
	c.Key = e.Session
	ts.Check(enrol(c))
	k, err := c.IssueKey(context.Background(), api.Call{}, api.NewAPIKey{Name: "script", Scopes: api.AllScopes()})
	ts.Check(err)
	ts.Setenv(args[0], k.Key)
}

// enrol gives whoever the client's session is of a second factor.
func enrol(c *api.Client) error {
	setup, err := c.BeginTOTP(context.Background(), api.NewFactor{Name: "EXERCISE telephone"})
	if err != nil {
		return err
	}
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ReplaceAll(setup.Secret, " ", ""))
	if err != nil {
		return err
	}
	_, err = c.ConfirmTOTP(context.Background(), api.NewCode{Code: identity.TOTPCode(secret, identity.TOTPStep(time.Now()))})
	return err
}

// published waits until the log has a signed head.
func published(url string) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(30 * time.Second); ; {
		res, err := http.Get(url + "/log/checkpoint")
		if err != nil {
			return err
		}
		res.Body.Close()
		if res.StatusCode == http.StatusOK {
			return nil
		}
		select {
		case <-tick.C:
		case <-deadline:
			return errors.New("the log has no signed head after 30 s")
		}
	}
}

// serve starts the program's server on a free port; stop asks it to end and
// says when it did not end well.
func serve(path, dir string, more ...string) (url string, stop func() error, err error) {
	cmd := exec.Command(path, append([]string{"serve", "-data", dir, "-listen", "127.0.0.1:0"}, more...)...)
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		werr := cmd.Wait()
		return "", nil, fmt.Errorf("the server did not start: %w, %w\n%s", err, werr, log.String())
	}
	fields := strings.Fields(line) // Concert serves URL on ADDRESS
	stop = func() error {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			return err
		}
		kill := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() }) // Wait then tells that it was killed
		defer kill.Stop()
		if err := cmd.Wait(); err != nil {
			return fmt.Errorf("the server did not end well: %w\n%s", err, log.String())
		}
		return nil
	}
	return fields[2], stop, nil
}
