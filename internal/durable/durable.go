// Package durable writes files that survive power loss, and keeps two
// processes out of one data directory. It knows nothing of what the files
// mean.
//
// The invariant: a name either leads to the whole content or to what stood
// there before. Content goes to a temporary file beside the target, is synced,
// takes its name by rename or link, and then the directory is synced, because
// on ext4 and XFS a rename that was not followed by that sync can be undone by
// a power cut. What a crash leaves behind are temporary files; no reader opens
// them (IsTemp) and Sweep removes them.
package durable

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	tempPrefix = ".tmp-"
	// A temporary name carries 128 random bits: two writers of one file never
	// share one, and a leftover never blocks a later write.
	tempRandom = 26
)

// WriteFile puts data at path and returns only once content and name are on
// the disk. A file that stood there is replaced in one step. The parent
// directory must exist. The mode is set exactly, whatever the umask.
func WriteFile(path string, data []byte, mode fs.FileMode) error {
	temp, err := writeTemp(path, data, mode)
	if err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(temp))
	}
	return SyncDir(filepath.Dir(path))
}

// CreateExclusive is WriteFile for what must not exist yet, such as a key. If
// something stands at path it is left untouched and the error matches
// fs.ErrExist. The parent directory must exist and must be on a file system
// with hard links.
func CreateExclusive(path string, data []byte, mode fs.FileMode) error {
	// A cheap early answer; the link below is what decides under a race.
	if _, err := os.Lstat(path); err == nil {
		return existsError(path)
	}
	temp, err := writeTemp(path, data, mode)
	if err != nil {
		return err
	}
	// link(2) and not O_EXCL on the target: a crash in the middle of the write
	// would leave half a key under the real name, and every later start would
	// refuse to replace it.
	err = os.Link(temp, path)
	removed := os.Remove(temp)
	if errors.Is(err, fs.ErrExist) {
		return errors.Join(existsError(path), removed)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("create %s: %w", path, err), removed)
	}
	return errors.Join(removed, SyncDir(filepath.Dir(path)))
}

func existsError(path string) error {
	return fmt.Errorf("create %s: %w; it was left untouched, move it away first if it is to be replaced", path, fs.ErrExist)
}

func writeTemp(path string, data []byte, mode fs.FileMode) (name string, err error) {
	name = filepath.Join(filepath.Dir(path), tempPrefix+rand.Text())
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(name))
		}
	}()
	_, werr := f.Write(data)
	err = errors.Join(werr, f.Chmod(mode))
	if err == nil {
		err = f.Sync()
	}
	return name, errors.Join(err, f.Close())
}

// MkdirAll creates path with all missing parents and syncs each directory in
// which a new name appeared. Directories that exist keep their mode.
func MkdirAll(path string, mode fs.FileMode) error {
	path = filepath.Clean(path)
	if info, err := os.Stat(path); err == nil {
		if !info.IsDir() {
			return fmt.Errorf("make directory %s: a file of that name is in the way", path)
		}
		return nil
	}
	parent := filepath.Dir(path)
	if parent != path {
		if err := MkdirAll(parent, mode); err != nil {
			return err
		}
	}
	if err := os.Mkdir(path, mode); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make directory %s: %w", path, err)
	}
	return SyncDir(parent)
}

// Remove deletes the file at path and returns once its name is gone from the
// disk. A file that is not there is no error.
func Remove(path string) error {
	if err := os.Remove(path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return fmt.Errorf("remove %s: %w", path, err)
	}
	return SyncDir(filepath.Dir(path))
}

// SyncDir makes the names in dir as they are now survive power loss.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync directory %s: %w", dir, err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("sync directory %s: %w", dir, err)
	}
	return nil
}

// IsTemp reports whether name (a base name, not a path) is a temporary file of
// this package. Whoever lists a directory skips these.
func IsTemp(name string) bool {
	return strings.HasPrefix(name, tempPrefix) && len(name) == len(tempPrefix)+tempRandom
}

// Sweep removes the temporary files which crashed writes left in dir, not
// below it, and says how many. Call it only while holding the Lock of the data
// directory: the file of a write under way would vanish as well.
func Sweep(dir string) (removed int, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, fmt.Errorf("sweep %s: %w", dir, err)
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || !IsTemp(e.Name()) {
			continue
		}
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
			return removed, fmt.Errorf("sweep %s: %w", dir, err)
		}
		removed++
	}
	if removed == 0 {
		return 0, nil
	}
	return removed, SyncDir(dir)
}
