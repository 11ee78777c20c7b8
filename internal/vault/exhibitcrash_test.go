package vault

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func tarText() []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range []string{"a", "../out"} {
		_ = w.WriteHeader(&tar.Header{Name: name, Size: 8, Mode: 0o600, Typeflag: tar.TypeReg})
		_, _ = w.Write([]byte("EXERCISE"))
	}
	_ = w.Close()
	return b.Bytes()
}

// sealInChild is a whole seal in a process that the test may kill.
func sealInChild() int {
	key, err := ReadKey(os.Getenv("CONCERT_TEST_KEY"))
	if err != nil {
		fmt.Println(err)
		return 2
	}
	if n, err := strconv.ParseUint(os.Getenv("CONCERT_TEST_FSIZE"), 10, 63); err == nil {
		// A file that may not grow on is a full disk to whoever writes it; the signal would kill.
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: n, Max: n}); err != nil {
			return 2
		}
	}
	progress := new(Progress)
	if n, err := strconv.ParseInt(os.Getenv("CONCERT_TEST_KILL_AT"), 10, 64); err == nil {
		go func() {
			for progress.Bytes.Load() < n {
				runtime.Gosched()
			}
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL) // nothing runs after it
		}()
	}
	out, err := SealEvidence(context.Background(), SealJob{Progress: progress, Sources: strings.Split(os.Getenv("CONCERT_TEST_SOURCES"), ":"), Bag: os.Getenv("CONCERT_TEST_BAG"), Case: "EXERCISE-1", By: "A. Nobody", Reason: "an exercise", Program: "test", Key: key, Now: clock, Checkpoint: PieceSize, Children: pool()})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Printf("resumed %d\n", out.Resumed)
	return 0
}

// P13: whenever it dies, there is no bag, or a whole one; and the next run goes on to the very same bag.
func TestASealThatIsKilledGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	src := source(t)
	write(t, filepath.Join(src, "x.tar"), tarText())
	for i := range 12 {
		write(t, filepath.Join(src, "many", fmt.Sprint(i)), plain(2*PieceSize+i))
	}
	write(t, filepath.Join(src, "huge"), plain(48*PieceSize+1))
	keyFile := filepath.Join(t.TempDir(), "key")
	key, err := NewKey(keyFile)
	must(t, err)
	reference := SealJob{Sources: []string{src}, Bag: filepath.Join(tempDir(t), "bag"), Case: "EXERCISE-1", By: "A. Nobody", Reason: "an exercise", Program: "test", Key: key, Now: clock, Children: pool()}
	want := seal(t, reference)
	bag := filepath.Join(tempDir(t), "bag")
	child := func() *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), childMark+"=seal", "CONCERT_TEST_KEY="+keyFile, "CONCERT_TEST_SOURCES="+src, "CONCERT_TEST_BAG="+bag)
		return cmd
	}
	killed, resumed := 0, false
	for i := 1; ; i++ {
		cmd := child()
		if i <= 9 { // in the ninth about when all is copied; after that to the end
			cmd.Env = append(cmd.Env, "CONCERT_TEST_KILL_AT="+strconv.Itoa(i*8*PieceSize))
		}
		var said bytes.Buffer
		cmd.Stdout = &said
		err := cmd.Run()
		if cmd.ProcessState.ExitCode() < 0 {
			killed++
		}
		if _, there := os.Lstat(bag); there == nil {
			if v := verify(t, bag); !v.Whole() {
				t.Fatalf("a bag that has its name is not whole: %+v", v.Findings)
			}
			if _, going := os.Lstat(bag + sealingSuffix); going != nil {
				break // it was killed when all was done but its last breath
			}
		}
		if j, err := os.ReadFile(bag + sealingSuffix + "/" + journalName); err == nil && bytes.Contains(j, []byte(`"done"`)) {
			resumed = true
		}
		if err == nil {
			break
		}
		if i > 9 {
			t.Fatalf("%v: %s", err, said.String())
		}
	}
	if killed == 0 || !resumed {
		t.Errorf("killed %d times, with something done before: %v: the test saw nothing", killed, resumed)
	}
	if _, err := os.Lstat(bag + sealingSuffix); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what a seal in progress needs is left: %v", err)
	}
	_, digest, err := readManifest(bag)
	must(t, err)
	if digest != want.Digest {
		t.Errorf("killed %d times it is %s, in one run %s", killed, digest, want.Digest)
	}
}

// A long file that was half copied is not read from its source again.
func TestALongFileGoesOnFromItsCheckpoint(t *testing.T) {
	t.Parallel()
	path := filepath.Join(tempDir(t), "huge")
	write(t, path, plain(20*PieceSize))
	keyFile := filepath.Join(t.TempDir(), "key")
	key, err := NewKey(keyFile)
	must(t, err)
	job := SealJob{Sources: []string{path}, Bag: filepath.Join(tempDir(t), "bag"), Case: "EXERCISE-1", By: "A. Nobody", Reason: "an exercise", Program: "test", Key: key, Now: clock, Checkpoint: PieceSize, Children: pool()}
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childMark+"=seal", "CONCERT_TEST_KEY="+keyFile, "CONCERT_TEST_SOURCES="+path, "CONCERT_TEST_BAG="+job.Bag, "CONCERT_TEST_FSIZE="+strconv.Itoa(10*PieceSize))
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "the same command goes on") {
		t.Fatalf("%v: %s", err, out)
	}
	j, err := openJournal(job.Bag+sealingSuffix, PieceSize)
	must(t, err)
	must(t, j.close())
	p := j.parts["data/huge"]
	if p.At == 0 {
		t.Fatal("no checkpoint of it is on the disk")
	}
	// What was copied is taken as it lies there: another source before the checkpoint is not seen.
	info, err := os.Stat(path)
	must(t, err)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	must(t, err)
	_, err = f.WriteAt([]byte("EXERCISE"), 3)
	must(t, errors.Join(err, f.Close(), os.Chtimes(path, info.ModTime(), info.ModTime())))
	out := seal(t, job)
	b, err := os.ReadFile(filepath.Join(job.Bag, "data/huge"))
	must(t, err)
	if !bytes.Equal(b, plain(20*PieceSize)) || out.Manifest.Items[0].Outcome != "" {
		t.Error("the copy is not what was first read")
	}
	if v := verify(t, job.Bag); !v.Whole() {
		t.Errorf("%+v", v.Findings)
	}
}

// A disk that is full ends the seal with the way out; with room it goes on.
func TestAFullDiskLosesNothing(t *testing.T) {
	t.Parallel()
	src := source(t)
	write(t, filepath.Join(src, "zz huge"), plain(8*PieceSize)) // the last in order
	keyFile, bag := filepath.Join(t.TempDir(), "key"), filepath.Join(tempDir(t), "bag")
	_, err := NewKey(keyFile)
	must(t, err)
	run := func(more ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(append(os.Environ(), childMark+"=seal", "CONCERT_TEST_KEY="+keyFile, "CONCERT_TEST_SOURCES="+src, "CONCERT_TEST_BAG="+bag), more...)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	out, err := run("CONCERT_TEST_FSIZE=" + strconv.Itoa(5*PieceSize))
	if x := new(exec.ExitError); !errors.As(err, &x) || x.ExitCode() != 1 || !strings.Contains(out, "file too large") || !strings.Contains(out, "the same command goes on") {
		t.Fatalf("%v: %s", err, out)
	}
	if _, err := os.Lstat(bag); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("a bag without all of its files has its name: %v", err)
	}
	// What was done is not read again; what changed meanwhile is.
	write(t, filepath.Join(src, "small"), []byte("EXERCISE changed"))
	out, err = run()
	if err != nil || !strings.Contains(out, "resumed ") || strings.Contains(out, "resumed 0") {
		t.Fatalf("%v: %s", err, out)
	}
	if b, err := os.ReadFile(filepath.Join(bag, "data/EXERCISE server/small")); err != nil || string(b) != "EXERCISE changed" {
		t.Errorf("%q, %v", b, err)
	}
	if v := verify(t, bag); !v.Whole() {
		t.Errorf("%+v", v.Findings)
	}
}

func TestASealOfOtherThingsDoesNotGoOn(t *testing.T) {
	t.Parallel()
	src := source(t)
	job := sealJob(t, src)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := SealEvidence(ctx, job); err == nil {
		t.Fatal("a seal that was stopped is done")
	}
	other := job
	other.Case = "EXERCISE-2"
	if _, err := SealEvidence(t.Context(), other); err == nil || !strings.Contains(err.Error(), "another case") {
		t.Errorf("%v", err)
	}
	seal(t, job)
}
