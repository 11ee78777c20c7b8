package vault

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"concert/internal/durable"
)

const (
	suffix   = ".sealed"
	dirMode  = 0o700
	fileMode = 0o600
)

// Dir is a directory of sealed files. Several processes may share it: a file is
// written once, under a name that nobody else has, and never changed.
type Dir struct{ path string }

// OpenDir opens the directory, and makes it where it is missing.
func OpenDir(path string) (*Dir, error) {
	if err := durable.MkdirAll(path, dirMode); err != nil {
		return nil, err
	}
	return &Dir{path}, nil
}

// Path is where the file of the name lies: two letters of its name's end, which
// is chance, choose the folder. Names are of letters, digits and hyphens.
func (d *Dir) Path(name string) (string, error) {
	if len(name) < 4 || len(name) > 80 || strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return "", fmt.Errorf("%q is no name of a sealed file", name)
	}
	return filepath.Join(d.path, name[len(name)-2:], name+suffix), nil
}

// Pending is a sealed file on its way to its name.
type Pending struct {
	*Writer
	file *durable.Pending
	sum  hash.Hash
}

// New begins the file of the name under the key, bound to its purpose. End it
// with Keep or Drop.
func (d *Dir) New(name string, key [KeySize]byte, purpose []byte) (*Pending, error) {
	path, err := d.Path(name)
	if err != nil {
		return nil, err
	}
	if err := durable.MkdirAll(filepath.Dir(path), dirMode); err != nil {
		return nil, err
	}
	file, err := durable.NewPending(path, fileMode)
	if err != nil {
		return nil, err
	}
	p := &Pending{file: file, sum: sha256.New()}
	if p.Writer, err = NewWriter(io.MultiWriter(file, p.sum), key, purpose); err != nil {
		return nil, errors.Join(err, file.Drop())
	}
	return p, nil
}

// Keep ends the file and gives it its name, once its bytes are on the disk. sum
// is the SHA-256 of the file as it lies there.
func (p *Pending) Keep() (sum [sha256.Size]byte, err error) {
	if err := p.Close(); err != nil {
		return sum, errors.Join(err, p.file.Drop())
	}
	p.sum.Sum(sum[:0])
	return sum, p.file.Create()
}

// Drop removes what was written, unless it was kept.
func (p *Pending) Drop() error { return p.file.Drop() }

// Open opens the file of the name. The caller closes it.
func (d *Dir) Open(name string) (*os.File, error) {
	path, err := d.Path(name)
	if err != nil {
		return nil, err
	}
	return os.Open(path)
}

// Remove removes the file of the name; one that is not there is no error.
func (d *Dir) Remove(name string) error {
	path, err := d.Path(name)
	if err != nil {
		return err
	}
	return durable.Remove(path)
}

// Copy copies the file of the name, as it lies there, to another directory,
// unless it is there already, and refuses what has not the SHA-256 sum.
func (d *Dir) Copy(to *Dir, name string, sum [sha256.Size]byte) error {
	if have, err := to.Sum(name); err == nil && have == sum {
		return nil
	}
	from, err := d.Open(name)
	if err != nil {
		return err
	}
	defer from.Close()
	path, err := to.Path(name)
	if err != nil {
		return err
	}
	if err := durable.MkdirAll(filepath.Dir(path), dirMode); err != nil {
		return err
	}
	file, err := durable.NewPending(path, fileMode)
	if err != nil {
		return err
	}
	h := sha256.New()
	if _, err := io.Copy(io.MultiWriter(file, h), from); err != nil {
		return errors.Join(err, file.Drop())
	}
	if [sha256.Size]byte(h.Sum(nil)) != sum {
		return errors.Join(fmt.Errorf("%s: %w", name, ErrDamaged), file.Drop())
	}
	return file.Replace()
}

// Sum is the SHA-256 of the file of the name as it lies there.
func (d *Dir) Sum(name string) (sum [sha256.Size]byte, err error) {
	f, err := d.Open(name)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return sum, err
	}
	return [sha256.Size]byte(h.Sum(nil)), nil
}

// Each calls fn with every file's name, and with those that a crash left half
// written as "" names; path is where it lies.
func (d *Dir) Each(fn func(name, path string, info fs.FileInfo) error) error {
	return filepath.WalkDir(d.path, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // another process was faster
		}
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return nil // as above
		}
		name, ok := strings.CutSuffix(e.Name(), suffix)
		switch {
		case ok:
			return fn(name, path, info)
		case durable.IsTemp(e.Name()):
			return fn("", path, info)
		}
		return nil
	})
}
