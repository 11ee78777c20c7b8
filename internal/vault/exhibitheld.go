package vault

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
)

// ErrNotHeld says that no bag and no working copy with the manifest lies where it
// was looked for.
var ErrNotHeld = errors.New("no bag and no working copy with this manifest lies here")

// ErrAltered says that a file is not what was sealed.
var ErrAltered = errors.New("it is not what was sealed")

// Held is an exhibit whose bytes lie on this machine, as a bag or as a working copy
// of one. It is only read, and nothing outside of its directory is opened.
type Held struct {
	Manifest Manifest
	Work     bool     // a working copy
	Root     *os.Root // of the bag or the copy
	names    map[string]string
}

// FindHeld looks below a directory for the exhibit whose manifest has the SHA-256,
// in hexadecimal; each bag and each working copy is a directory there. A working
// copy goes before the bag that it was made of. Links are not followed. ErrNotHeld
// where it is not there.
func FindHeld(dir, digest string) (*Held, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	here, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, err
	}
	var found *Held
	for _, e := range here {
		if !e.IsDir() {
			continue
		}
		h, err := heldIn(root, e.Name(), digest)
		if err != nil {
			continue // of the others' state this exhibit says nothing
		}
		switch {
		case h.Work:
			if found != nil {
				found.Close()
			}
			return h, nil
		case found == nil:
			found = h
		default:
			h.Close()
		}
	}
	if found == nil {
		return nil, ErrNotHeld
	}
	return found, nil
}

// heldIn opens one directory if it has the manifest.
func heldIn(root *os.Root, name, digest string) (*Held, error) {
	sub, err := root.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	_, err = sub.Lstat(fileWork)
	h := &Held{Root: sub, Work: err == nil}
	if err := h.read(digest); err != nil {
		sub.Close()
		return nil, err
	}
	return h, nil
}

func (h *Held) read(digest string) error {
	// Others' manifests may be long: whether it is this one is told without holding it.
	if sum, err := h.manifest(io.Discard); err != nil || sum != digest {
		return errors.Join(err, ErrNotHeld)
	}
	var raw bytes.Buffer
	sum, err := h.manifest(&raw)
	if err != nil || sum != digest {
		return errors.Join(err, ErrNotHeld)
	}
	if h.Manifest, err = ParseManifest(raw.Bytes()); err != nil {
		return err
	}
	if !h.Work {
		return nil
	}
	h.names, err = originalNames(h.Manifest.Items)
	return err
}

// manifest copies the bag's manifest and digests it.
func (h *Held) manifest(to io.Writer) (string, error) {
	name := fileManifest
	if h.Work {
		name = fileSealed
	}
	f, info, err := h.open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if info.Size() > tagMost {
		return "", fmt.Errorf("%s is too long", name)
	}
	sum := sha256.New()
	if _, err := io.Copy(io.MultiWriter(sum, to), io.LimitReader(f, tagMost)); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// open opens a regular file for reading.
func (h *Held) open(name string) (*os.File, fs.FileInfo, error) {
	if info, err := h.Root.Lstat(name); err != nil {
		return nil, nil, err
	} else if !info.Mode().IsRegular() {
		return nil, nil, ErrAltered // a link, or a pipe that would wait for ever
	}
	f, err := h.Root.Open(name)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// Files are the files of which a copy was sealed, in the manifest's order.
func (h *Held) Files() []Item { return h.Manifest.copied() }

// File is the one with the manifest's path; false for none.
func (h *Held) File(manifestPath string) (Item, bool) {
	files := h.Files()
	i := slices.IndexFunc(files, func(it Item) bool { return it.Path == manifestPath })
	if i < 0 {
		return Item{}, false
	}
	return files[i], true
}

// Name is where a file lies below Root.
func (h *Held) Name(it Item) string {
	if !h.Work {
		return it.Path
	}
	return path.Join("files", h.names[it.Path])
}

// Open opens a file for reading.
func (h *Held) Open(it Item) (*os.File, error) {
	f, _, err := h.open(h.Name(it))
	return f, err
}

// Check reads a file whole and compares it with its SHA-256 in the manifest:
// ErrAltered where it is another, or none. Read is told how many bytes more were
// read. What it returns says, later on, whether the file is still the same.
func (h *Held) Check(ctx context.Context, it Item, read func(int64)) (fs.FileInfo, error) {
	f, info, err := h.open(h.Name(it))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrAltered
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info.Size() != it.Size {
		return nil, ErrAltered
	}
	sum := sha256.New()
	buf := make([]byte, 1<<20)
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n, err := f.Read(buf)
		sum.Write(buf[:n])
		read(int64(n))
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	if hex.EncodeToString(sum.Sum(nil)) != it.SHA256 {
		return nil, ErrAltered
	}
	return info, nil
}

// Same reports whether a file is still the one that Check saw, as far as the system
// records its changes.
func (h *Held) Same(it Item, seen fs.FileInfo) bool {
	info, err := h.Root.Lstat(h.Name(it))
	return err == nil && os.SameFile(info, seen) && info.Size() == seen.Size() && info.ModTime().Equal(seen.ModTime()) && changed(info).Equal(changed(seen))
}

// Close lets go of the directory.
func (h *Held) Close() error { return h.Root.Close() }
