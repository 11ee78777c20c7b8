package durable

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// LockName is the file in a data directory that carries its lock.
const LockName = "lock"

// LockedError says that another process works in the directory.
type LockedError struct {
	Dir string // the data directory
	PID int    // the holder's process id, 0 if it could not be read
}

// Error names the directory, the holder and the way out.
func (e *LockedError) Error() string {
	holder := "another process"
	if e.PID > 0 {
		holder = "process " + strconv.Itoa(e.PID)
	}
	return fmt.Sprintf("data directory %s is in use by %s; stop it or choose another directory", e.Dir, holder)
}

// Lock is the exclusive right to work in a data directory. It belongs to the
// open file, so the kernel gives it back when the process ends, also by kill
// -9: no stale lock can remain.
type Lock struct {
	file *os.File
}

// LockDir takes the lock of dir, which must exist, without waiting. If it is
// held elsewhere, also by this same process, the error is a *LockedError.
func LockDir(dir string) (*Lock, error) {
	f, err := os.OpenFile(filepath.Join(dir, LockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock data directory %s: %w", dir, err)
	}
	if err := flock(f, syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		held := errors.Is(err, syscall.EWOULDBLOCK)
		pid := readPID(f)
		closed := f.Close()
		if held {
			return nil, &LockedError{Dir: dir, PID: pid}
		}
		return nil, errors.Join(fmt.Errorf("lock data directory %s: %w", dir, err), closed)
	}
	// The pid is only for the message of LockedError; it needs no sync.
	pid := strconv.Itoa(os.Getpid()) + "\n"
	err = f.Truncate(0)
	if err == nil {
		_, err = f.WriteAt([]byte(pid), 0)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock data directory %s: %w", dir, err), f.Close())
	}
	return &Lock{file: f}, nil
}

func flock(f *os.File, how int) error {
	for {
		err := syscall.Flock(int(f.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

func readPID(f *os.File) int {
	var buf [24]byte
	n, _ := f.ReadAt(buf[:], 0)
	pid, err := strconv.Atoi(strings.TrimSpace(string(buf[:n])))
	if err != nil || pid < 1 {
		return 0
	}
	return pid
}

// Unlock gives the directory back. The lock file stays: removing it would let
// a process that already opened it lock a file that nobody else can see.
func (l *Lock) Unlock() error {
	return l.file.Close()
}
