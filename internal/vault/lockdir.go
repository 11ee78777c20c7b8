package vault

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"filippo.io/age"

	"concert/internal/durable"
)

// counted counts what is written.
type counted struct {
	w io.Writer
	n int64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

func dirOf(path string) string { return filepath.Dir(filepath.Clean(path)) }

// copyUnder copies until the context ends, and tells how much it did.
func copyUnder(ctx context.Context, dst io.Writer, src io.Reader, progress func(int64)) error {
	buf := make([]byte, 1<<20)
	for {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		n, err := src.Read(buf)
		if n > 0 {
			if _, err := dst.Write(buf[:n]); err != nil {
				return err
			}
			if progress != nil {
				progress(int64(n))
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// writeTar writes what is locked as a tar file (GNU, which bears any name and size).
func writeTar(ctx context.Context, dst io.Writer, j LockJob) (err error) {
	tw := tar.NewWriter(dst)
	if j.Members != nil {
		err = tarMembers(tw, j)
	} else {
		err = tarDir(ctx, tw, j)
	}
	return errors.Join(err, tw.Close())
}

const tarBlock = 512

// tarSize is how long the tar file gets, in bytes, and never less than that.
func (j LockJob) tarSize() (int64, error) {
	n := int64(4 * tarBlock)
	add := func(name string, size int64) {
		// A name that is too long for a header has one of its own.
		n += (size+tarBlock-1)/tarBlock*tarBlock + 3*tarBlock + int64(len(name))
	}
	if j.Members != nil {
		for _, m := range j.Members {
			add(m.Name, m.Size)
		}
		return n, nil
	}
	return n, filepath.WalkDir(j.Dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().IsRegular() {
			add(name, info.Size())
		} else {
			add(name, 0)
		}
		return err
	})
}

func tarMembers(tw *tar.Writer, j LockJob) error {
	for _, m := range j.Members {
		h := &tar.Header{Name: m.Name, Typeflag: tar.TypeReg, Size: m.Size, Mode: 0o400, ModTime: j.At, Format: tar.FormatGNU}
		if err := tw.WriteHeader(h); err != nil {
			return err
		}
		if err := m.Write(tw); err != nil {
			return fmt.Errorf("%s: %w", m.Name, err)
		}
	}
	return nil
}

func tarDir(ctx context.Context, tw *tar.Writer, j LockJob) error {
	root, err := os.OpenRoot(j.Dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		h := &tar.Header{Name: name, Mode: int64(info.Mode().Perm()), ModTime: info.ModTime(), Format: tar.FormatGNU}
		switch {
		case d.IsDir():
			h.Typeflag, h.Name = tar.TypeDir, name+"/"
			return tw.WriteHeader(h)
		case !info.Mode().IsRegular():
			return fmt.Errorf("%s is neither a file nor a directory: an exhibit has nothing else; seal it first", name)
		}
		h.Typeflag, h.Size = tar.TypeReg, info.Size()
		if err := tw.WriteHeader(h); err != nil {
			return err
		}
		f, err := root.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := copyUnder(ctx, tw, f, j.Progress); err != nil {
			return fmt.Errorf("%s: %w", name, err) // a file that grew is refused by the tar writer, one that shrank by the next entry
		}
		return nil
	})
}

// UnlockExhibit opens a locked exhibit into a directory that does not exist yet. It is
// there whole or not at all: the payload is checked before its last byte is believed.
func UnlockExhibit(ctx context.Context, at Place, given []GivenShare, identities []age.Identity, out string, progress func(int64)) (Lock, error) {
	return at.withLock(ctx, func(l Lock, payload io.Reader) error {
		if l.Kind == LockedPseudonyms {
			return fmt.Errorf("%s is a list of whom pseudonyms stand for, which is never opened whole: ask for named ones at the desk, with what each did (docs/seized.md)", at)
		}
		key, err := l.key(given, identities)
		if err != nil {
			return err
		}
		if _, err := os.Lstat(out); err == nil {
			return fmt.Errorf("%s exists already; it was left untouched, name another directory", out)
		}
		return l.unlock(ctx, at, payload, key, out, progress)
	})
}

func (l Lock) unlock(ctx context.Context, at Place, stored io.Reader, key age.Identity, out string, progress func(int64)) (err error) {
	temp, err := os.MkdirTemp(dirOf(out), ".unlock-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, removeDir(temp))
		}
	}()
	sum := sha256.New()
	payload := io.TeeReader(stored, sum)
	opened := decryptDir(ctx, payload, key, temp, progress)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if _, err := io.Copy(io.Discard, payload); err != nil {
		return err
	}
	if err := l.checkPayload(at.String(), sum); err != nil {
		return err // that says more than what came of it
	}
	if opened != nil {
		return fmt.Errorf("%s: %w", at, opened)
	}
	if err := os.Rename(temp, out); err != nil {
		return err
	}
	return durable.SyncDir(dirOf(out))
}

// removeDir removes a directory whose own directories may be closed to writing.
func removeDir(dir string) error {
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			err = os.Chmod(name, 0o700)
		}
		return err
	})
	return errors.Join(err, os.RemoveAll(dir))
}

// decryptDir writes the tar file's entries below dir. Nothing of it is believed: names
// stay below dir, nothing is written twice, files and directories are all there is.
func decryptDir(ctx context.Context, src io.Reader, key age.Identity, dir string, progress func(int64)) error {
	plain, err := age.Decrypt(src, key)
	if err != nil {
		return fmt.Errorf("the payload is not opened by its own key: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	modes := map[string]fs.FileMode{}
	var order []string
	for tr := tar.NewReader(plain); ; {
		h, err := tr.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("the payload is damaged: %w", err)
		}
		name := path.Clean(h.Name)
		switch {
		case !filepath.IsLocal(name) || name == ".":
			return fmt.Errorf("the payload has an entry %.200q, which lies outside", h.Name)
		case h.Typeflag == tar.TypeDir:
			if err := root.Mkdir(name, 0o700); err != nil {
				return err
			}
			modes[name], order = fs.FileMode(h.Mode)&0o777, append(order, name)
		case h.Typeflag == tar.TypeReg:
			if err := extract(ctx, root, name, h, tr, progress); err != nil {
				return err
			}
		default:
			return fmt.Errorf("the payload has an entry %.200q that is neither a file nor a directory", h.Name)
		}
	}
	// The tar ended; what age has to say comes with its own end.
	if _, err := io.Copy(io.Discard, plain); err != nil {
		return fmt.Errorf("the payload is damaged: %w", err)
	}
	for i := len(order) - 1; i >= 0; i-- { // a closed directory takes nothing more
		if err := root.Chmod(order[i], modes[order[i]]|0o500); err != nil {
			return err
		}
	}
	return nil
}

func extract(ctx context.Context, root *os.Root, name string, h *tar.Header, src io.Reader, progress func(int64)) (err error) {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := copyUnder(ctx, f, src, progress); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err := errors.Join(f.Chmod(fs.FileMode(h.Mode)&0o777|0o400), f.Sync()); err != nil {
		return err
	}
	return root.Chtimes(name, h.ModTime, h.ModTime)
}
