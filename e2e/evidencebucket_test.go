package e2e

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/rogpeppe/go-internal/testscript"

	"concert/internal/testkit"
	"concert/internal/testkit/s3server"
)

// s3InScript starts a server that speaks S3 and puts its address and keys into the environment, as an operator would; s3 VARIABLE sets
// that variable to its bucket.
func s3InScript(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: s3 VARIABLE")
	}
	s, stop, err := s3server.Start()
	ts.Check(err)
	ts.Defer(stop)
	ts.Setenv(args[0], s3server.Bucket)
	ts.Setenv("CONCERT_S3_ENDPOINT", s.URL)
	ts.Setenv("CONCERT_S3_ACCESS_KEY", s3server.AccessKey)
	ts.Setenv("CONCERT_S3_SECRET_KEY", s3server.SecretKey)
}

// locker locks one directory into a bucket with the real program.
type locker struct {
	s      *s3server.Server
	path   string
	dir    string
	who    []string // -custodian flags
	stdout bytes.Buffer
}

func (l *locker) command(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), l.path, append([]string{"evidence"}, args...)...)
	cmd.Env = append(os.Environ(), "CONCERT_S3_ENDPOINT="+l.s.URL, "CONCERT_S3_ACCESS_KEY="+s3server.AccessKey, "CONCERT_S3_SECRET_KEY="+s3server.SecretKey)
	l.stdout.Reset()
	cmd.Stdout, cmd.Stderr = &l.stdout, &l.stdout
	return cmd
}

func (l *locker) lock(t testing.TB, key string) *exec.Cmd {
	t.Helper()
	return l.command(t, append([]string{"lock", l.dir, "-case", "CS-1", "-by", "EXERCISE", "-o", "s3://" + s3server.Bucket + "/" + key}, l.who...)...)
}

func newLocker(t testing.TB) *locker {
	t.Helper()
	l := &locker{s: s3server.New(t), path: program(t), dir: filepath.Join(t.TempDir(), "exhibit")}
	for range 3 {
		k, err := age.GenerateX25519Identity()
		testkit.Must(t, err)
		l.who = append(l.who, "-custodian", fmt.Sprintf("EXERCISE-%d=%s", len(l.who), k.Recipient()))
	}
	random := make([]byte, 20<<20) // two parts, as large as they are in earnest
	rand.Read(random)
	testkit.Must(t, os.Mkdir(l.dir, 0o700))
	testkit.Must(t, os.WriteFile(filepath.Join(l.dir, "EXERCISE.img"), append(random, "EXERCISE canary in the clear"...), 0o600))
	l.s.Forbid("EXERCISE canary in the clear", s3server.SecretKey)
	return l
}

// P13: whenever the real process is killed on its way, before a request arrives or before its answer does, the object is there whole
// or not at all, and the same command then stores it, says what it aborted and leaves no upload behind.
func TestALockIntoABucketThatIsKilledLeavesAWholeObjectOrNone(t *testing.T) {
	t.Parallel()
	l := newLocker(t)
	l.s.Fault(nil)
	if err := l.lock(t, "count").Run(); err != nil {
		t.Fatalf("%v: %s", err, &l.stdout)
	}
	requests := l.s.Seen()
	aborted, found := 0, 0
	for at := 1; at <= len(requests); at++ {
		for _, arrives := range []bool{false, true} {
			key := fmt.Sprintf("killed/%d-%v", at, arrives)
			started := make(chan *os.Process, 1)
			l.s.Fault(func(i int, w http.ResponseWriter, r *http.Request, next http.Handler) {
				if i != at {
					next.ServeHTTP(w, r)
					return
				}
				if arrives {
					next.ServeHTTP(httptest.NewRecorder(), r)
				}
				p := <-started
				if err := p.Kill(); err != nil {
					t.Error(err)
				}
				s3server.Drop()
			})
			cmd := l.lock(t, key)
			testkit.Must(t, cmd.Start())
			started <- cmd.Process
			if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() >= 0 {
				t.Fatalf("%s was not killed: %v: %s", key, err, &l.stdout)
			}
			l.s.Fault(nil)
			there := l.s.Object(key) != nil
			if there {
				found++
				if err := l.command(t, "locked", "s3://"+s3server.Bucket+"/"+key).Run(); err != nil {
					t.Errorf("%s is there and not whole: %v: %s", key, err, &l.stdout)
				}
			}
			left := l.s.Unfinished(t)
			err := l.lock(t, key).Run()
			switch {
			case there && (err == nil || !strings.Contains(l.stdout.String(), "is there already")):
				t.Errorf("%s was there: %v: %s", key, err, &l.stdout)
			case !there && err != nil:
				t.Errorf("%s again: %v: %s", key, err, &l.stdout)
			}
			if n := strings.Count(l.stdout.String(), "Aborted: an upload to the same name"); n != left {
				t.Errorf("%s: %d uploads were left and %d aborted: %s", key, left, n, &l.stdout)
			} else {
				aborted += n
			}
			if l.s.Unfinished(t) != 0 {
				t.Errorf("%s: %d uploads are left", key, l.s.Unfinished(t))
			}
			if err := l.command(t, "locked", "s3://"+s3server.Bucket+"/"+key).Run(); err != nil {
				t.Errorf("%s: %v: %s", key, err, &l.stdout)
			}
			testkit.Must(t, l.s.Remove(key))
		}
	}
	if aborted < 5 || found < 2 {
		t.Errorf("of %d requests, %d kills left an upload and %d an object: the test saw too little (%q)", len(requests), aborted, found, requests)
	}
	if leaked := l.s.Leaked(); leaked != nil {
		t.Errorf("the server got %s", leaked)
	}
	// Neither the bag's directory nor the temporary one has anything more than before.
	if left, err := os.ReadDir(filepath.Dir(l.dir)); err != nil || len(left) != 1 {
		t.Errorf("beside the exhibit lies %v, %v", left, err)
	}
}

// Stopped by a person it leaves nothing, and is no success.
func TestALockIntoABucketThatIsStoppedLeavesNothing(t *testing.T) {
	t.Parallel()
	l := newLocker(t)
	started := make(chan *os.Process, 1)
	l.s.Fault(func(_ int, w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.URL.Query().Get("partNumber") == "2" {
			p := <-started
			started <- p
			if err := p.Signal(os.Interrupt); err != nil {
				t.Error(err)
			}
			<-r.Context().Done()
			return
		}
		next.ServeHTTP(w, r)
	})
	cmd := l.lock(t, "stopped")
	testkit.Must(t, cmd.Start())
	started <- cmd.Process
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("%v: %s", err, &l.stdout)
	}
	if l.s.Object("stopped") != nil || l.s.Unfinished(t) != 0 {
		t.Error("something is left")
	}
}
