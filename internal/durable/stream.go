package durable

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Pending is a file on its way to its name: written piece by piece beside the
// target, and there, whole, once Replace or Create returns.
type Pending struct {
	path string
	file *os.File
}

// NewPending begins a file that will stand at path. The parent directory must
// exist. End it with Replace, Create or Drop.
func NewPending(path string, mode fs.FileMode) (*Pending, error) {
	name := filepath.Join(filepath.Dir(path), tempPrefix+rand.Text())
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", path, err)
	}
	if err := f.Chmod(mode); err != nil {
		return nil, errors.Join(fmt.Errorf("write %s: %w", path, err), f.Close(), os.Remove(name))
	}
	return &Pending{path, f}, nil
}

// Write implements io.Writer.
func (p *Pending) Write(b []byte) (int, error) { return p.file.Write(b) }

// Drop removes what was written, unless it has its name already.
func (p *Pending) Drop() error {
	if p.file == nil {
		return nil
	}
	name := p.file.Name()
	closed := p.file.Close()
	p.file = nil
	return errors.Join(closed, os.Remove(name))
}

// Replace gives the file its name; what stood there is gone in the same step.
func (p *Pending) Replace() error { return p.end(os.Rename) }

// Create gives the file its name, which must be free: what stands there is left
// untouched and the error matches fs.ErrExist.
func (p *Pending) Create() error {
	return p.end(func(temp, path string) error {
		err := os.Link(temp, path)
		if errors.Is(err, fs.ErrExist) {
			return existsError(path)
		}
		return errors.Join(err, os.Remove(temp))
	})
}

func (p *Pending) end(name func(temp, path string) error) error {
	temp := p.file.Name()
	err := errors.Join(p.file.Sync(), p.file.Close())
	p.file = nil
	if err == nil {
		err = name(temp, p.path)
	}
	if err != nil {
		if gone := os.Remove(temp); !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
		return fmt.Errorf("write %s: %w", p.path, err)
	}
	return SyncDir(filepath.Dir(p.path))
}

// Alone runs fn while no other process runs one for the same path, and waits
// for its turn. The lock is a file beside the path that stays.
func Alone(path string, fn func() error) error {
	f, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("lock %s: %w", path, err)
	}
	if err = flock(f, syscall.LOCK_EX); err == nil {
		err = fn()
	}
	return errors.Join(err, f.Close())
}
