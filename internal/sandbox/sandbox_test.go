package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const childMark = "SANDBOX_TEST_CHILD"

// The children are this test binary again.
func TestMain(m *testing.M) {
	if os.Getenv(childMark) != "" {
		if err := Live(os.Stdin, os.Stdout, os.Args[1:], hostile, hostileFiles); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// hostile is what an input might make its reader do.
var hostile = map[string]Task{
	"echo":   func(in []byte) ([]byte, error) { return in, nil },
	"refuse": func(in []byte) ([]byte, error) { return nil, errors.New("no: " + string(in)) },
	"spin": func([]byte) ([]byte, error) {
		for n := 0; ; n++ {
			_ = n
		}
	},
	"eat": func([]byte) ([]byte, error) {
		var all [][]byte
		for {
			b := make([]byte, 64<<20)
			for i := range b {
				b[i] = 1
			}
			all = append(all, b)
			_ = all
		}
	},
	"panic": func([]byte) ([]byte, error) { panic("hostile") },
	"long":  func([]byte) ([]byte, error) { return make([]byte, replyMost+1), nil },
	"read":  func(in []byte) ([]byte, error) { return os.ReadFile(string(in)) },
	"write": func(in []byte) ([]byte, error) { return nil, os.WriteFile(string(in), []byte("out"), 0o600) },
	"dial": func(in []byte) ([]byte, error) {
		c, err := net.DialTimeout("tcp", string(in), 2*time.Second)
		if err == nil {
			c.Close()
		}
		return nil, err
	},
	"run": func(in []byte) ([]byte, error) { return exec.Command(string(in)).CombinedOutput() },
}

func newPool(t *testing.T) *Pool {
	p := &Pool{Command: []string{os.Args[0]}, Env: []string{childMark + "=1"}, Size: 2, Wall: 5 * time.Second}
	t.Cleanup(p.Close)
	return p
}

func TestAChildAnswersRefusesAndIsReplacedWhenItDies(t *testing.T) {
	t.Parallel()
	p := newPool(t)
	for round := range 3 {
		for _, task := range []string{"panic", "long"} {
			_, err := p.Do(t.Context(), task, nil)
			if refused := (*Refused)(nil); task == "panic" && !errors.Is(err, ErrGone) || task == "long" && !errors.As(err, &refused) {
				t.Errorf("%s: %v", task, err)
			}
		}
		in := bytes.Repeat([]byte{byte(round)}, 3<<20)
		if out, err := p.Do(t.Context(), "echo", in); err != nil || !bytes.Equal(out, in) {
			t.Errorf("after that, %d bytes come back, %v", len(out), err)
		}
		_, err := p.Do(t.Context(), "refuse", []byte("EXERCISE"))
		if refused := (*Refused)(nil); !errors.As(err, &refused) || refused.Reason != "no: EXERCISE" {
			t.Errorf("a refusal: %v", err)
		}
	}
	if _, err := p.Do(t.Context(), "unheard", nil); err == nil || errors.Is(err, ErrGone) {
		t.Errorf("an unknown task: %v", err)
	}
}

func TestAChildThatTakesTooLongOrTooMuchIsKilled(t *testing.T) {
	t.Parallel()
	p := newPool(t)
	p.Wall = 2 * time.Second
	begun := time.Now()
	if _, err := p.Do(t.Context(), "spin", nil); !errors.Is(err, ErrGone) {
		t.Errorf("an endless loop: %v", err)
	}
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("it took %s to be rid of it", took)
	}
	p.Wall = 30 * time.Second
	if _, err := p.Do(t.Context(), "eat", nil); !errors.Is(err, ErrGone) {
		t.Errorf("endless memory: %v", err)
	}
	if out, err := p.Do(t.Context(), "echo", []byte("still here")); string(out) != "still here" {
		t.Errorf("the next task: %q, %v", out, err)
	}
}

func TestAChildReachesNothing(t *testing.T) {
	t.Parallel()
	p := newPool(t)
	text, err := p.Do(t.Context(), TaskReport, nil)
	if err != nil {
		t.Fatal(err)
	}
	var r Report
	if err := json.Unmarshal(text, &r); err != nil || !r.Limits {
		t.Fatalf("%s: %v", text, err)
	}
	t.Log(strings.Join(r.Lines(), "; "))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte("EXERCISE"), 0o600); err != nil {
		t.Fatal(err)
	}
	// Files cannot be written whatever the kernel has: their size is limited to nothing.
	_, err = p.Do(t.Context(), "write", []byte(filepath.Join(dir, "made")))
	if text, _ := os.ReadFile(filepath.Join(dir, "made")); err == nil || len(text) > 0 {
		t.Errorf("a file was written: %q, %v", text, err)
	}
	if r.Landlock != "" && r.Seccomp != "" {
		t.Skipf("this kernel has neither Landlock nor seccomp for us: %+v", r)
	}
	if out, err := p.Do(t.Context(), "read", []byte(secret)); err == nil {
		t.Errorf("a file was read: %q", out)
	}
	if r.Seccomp != "" {
		t.Skipf("no seccomp here: %s", r.Seccomp)
	}
	if _, err := p.Do(t.Context(), "dial", []byte(ln.Addr().String())); err == nil {
		t.Error("the network was reached")
	}
	if out, err := p.Do(t.Context(), "run", []byte("/bin/true")); err == nil {
		t.Errorf("a program was run: %q", out)
	}
}

func TestManyShareAFewChildren(t *testing.T) {
	t.Parallel()
	p := newPool(t)
	var wg sync.WaitGroup
	for i := range 3 * tasksDefault {
		wg.Go(func() {
			in := fmt.Appendf(nil, "EXERCISE %d", i)
			if out, err := p.Do(t.Context(), "echo", in); err != nil || !bytes.Equal(out, in) {
				t.Errorf("%q: %q, %v", in, out, err)
			}
		})
	}
	wg.Wait()
}

// A program of the system runs in the same limits: it reads and computes, writes nothing and reaches nobody.
func TestAProgramRunsWithoutNetworkAndWritesNothing(t *testing.T) {
	t.Parallel()
	p := newPool(t)
	if out, err := p.Run(t.Context(), "/bin/cat", nil, []byte("EXERCISE"), 100); err != nil || string(out) != "EXERCISE" {
		t.Errorf("cat: %q, %v", out, err)
	}
	if _, err := p.Run(t.Context(), "/bin/cat", nil, make([]byte, 200), 100); err == nil {
		t.Error("a longer answer than was asked for was taken")
	}
	made := filepath.Join(t.TempDir(), "made")
	if _, err := p.Run(t.Context(), "/bin/sh", []string{"-c", "echo EXERCISE > " + made}, nil, 100); err == nil {
		t.Error("a file was written")
	}
	if text, _ := os.ReadFile(made); len(text) > 0 {
		t.Errorf("a file was written: %q", text)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	if _, err := p.Run(t.Context(), "/bin/bash", []string{"-c", "exec 3<>/dev/tcp/127.0.0.1/" + port}, nil, 100); err == nil {
		t.Error("the network was reached")
	}
	p.Wall = time.Second
	if _, err := p.Run(t.Context(), "/bin/cat", []string{"/dev/zero"}, nil, 1<<20); err == nil {
		t.Error("an endless answer was taken")
	}
}

// What a program reads and answers is handed on as it comes, in the same limits.
func TestAProgramsAnswerIsReadAsItComes(t *testing.T) {
	t.Parallel()
	p := newPool(t)
	cat := Program{Path: "/bin/cat", Long: true, Wall: 30 * time.Second}
	const size = 40 << 20
	var got int64
	err := p.Stream(t.Context(), cat, io.LimitReader(zeros{}, size), func(r io.Reader) (err error) {
		got, err = io.Copy(io.Discard, r)
		return err
	})
	if err != nil || got != size {
		t.Errorf("%d bytes, %v", got, err)
	}
	enough := errors.New("enough")
	err = p.Stream(t.Context(), cat, zeros{}, func(r io.Reader) error {
		_, err := io.CopyN(io.Discard, r, 1<<20)
		return errors.Join(err, enough)
	})
	if !errors.Is(err, enough) {
		t.Errorf("an endless answer of which enough was seen: %v", err)
	}
	read := func(r io.Reader) error {
		_, err := io.Copy(io.Discard, r)
		return err
	}
	for what, pr := range map[string]Program{"too long": {Path: "/bin/cat", Args: []string{"/dev/zero"}, Wall: time.Second}, "too much memory": {Path: "/usr/bin/tail", Args: []string{"/dev/zero"}, Wall: 50 * time.Second}, "ends badly": {Path: "/bin/false"}, "is not there": {Path: "/nonexistent"}} {
		begun := time.Now()
		if err := p.Stream(t.Context(), pr, zeros{}, read); !errors.Is(err, ErrGone) {
			t.Errorf("%s: %v", what, err)
		}
		if took := time.Since(begun); took > 45*time.Second {
			t.Errorf("%s: it took %s to be rid of it", what, took)
		}
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := p.Stream(stopped, cat, zeros{}, read); !errors.Is(err, context.Canceled) {
		t.Errorf("told to stop: %v", err)
	}
}

// zeros do not end.
type zeros struct{}

// Read implements io.Reader.
func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func FuzzServe(f *testing.F) {
	var whole bytes.Buffer
	if err := errors.Join(writeFrame(&whole, []byte("echo")), writeFrame(&whole, []byte("in"))); err != nil {
		f.Fatal(err)
	}
	f.Add(whole.Bytes())
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) > 8 && in[4] > 0 {
			in[4] = 0 // no frames of gigabytes in a test
		}
		var out bytes.Buffer
		_ = Serve(bytes.NewReader(in), &out, map[string]Task{"echo": hostile["echo"]})
	})
}
