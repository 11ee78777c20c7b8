package archive

import (
	"archive/tar"
	"bufio"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// stream reads what is read from its beginning: a tar, or one compressed file.
func (w *walker) stream(at []string, depth int, kind, name string, in io.Reader) error {
	e := Entry{Type: File}
	inner := unpackedName(path.Base(name))
	var r io.Reader
	switch kind {
	case Tar:
		return w.tar(at, depth, in)
	case Gzip:
		z, err := gzip.NewReader(bufio.NewReaderSize(in, 64<<10))
		if err != nil {
			return err
		}
		if z.Name != "" {
			inner = z.Name
		}
		e.Modified, r = z.ModTime, z
	case Bzip2:
		r = bzip2.NewReader(in)
	case Xz:
		z, err := xz.NewReader(bufio.NewReaderSize(in, 64<<10))
		if err != nil {
			return err
		}
		r = z
	case Zstd:
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(windowMost), zstd.WithDecoderMaxMemory(windowMost))
		if err != nil {
			return err
		}
		defer z.Close()
		r = z
	default:
		return fmt.Errorf("%w: %q", errRefused, kind)
	}
	if err := w.begin(&e, at, inner); err != nil {
		return err
	}
	// What is wrong with the one file is wrong with the archive.
	var late error
	err := w.file(e, depth, readsOn{r, &late})
	if err == nil {
		err = late
	}
	return err
}

// readsOn remembers what ended a reading, beside the end.
type readsOn struct {
	r    io.Reader
	late *error
}

// Read implements io.Reader.
func (o readsOn) Read(p []byte) (int, error) {
	n, err := o.r.Read(p)
	if err != nil && err != io.EOF {
		*o.late = err
	}
	return n, err
}

// unpackedName is what a compressed file is called once it is unpacked.
func unpackedName(name string) string {
	lower := strings.ToLower(name)
	for _, x := range [...]struct{ packed, open string }{{".tgz", ".tar"}, {".tbz2", ".tar"}, {".tbz", ".tar"}, {".txz", ".tar"}, {".tzst", ".tar"}, {".gz", ""}, {".bz2", ""}, {".xz", ""}, {".zst", ""}} {
		if strings.HasSuffix(lower, x.packed) && len(name) > len(x.packed) {
			return name[:len(name)-len(x.packed)] + x.open
		}
	}
	return name
}

func (w *walker) tar(at []string, depth int, in io.Reader) error {
	t := tar.NewReader(in)
	for {
		h, err := t.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return err
		}
		e := Entry{Type: Other, Modified: unset(h.ModTime), Link: h.Linkname}
		switch h.Typeflag {
		case tar.TypeReg, tar.TypeGNUSparse, tar.TypeCont:
			e.Type = File
		case tar.TypeDir:
			e.Type = Directory
		case tar.TypeSymlink, tar.TypeLink:
			e.Type = Link
		}
		if err := w.begin(&e, at, h.Name); err != nil {
			return err
		}
		if e.Type == File {
			err = w.file(e, depth, t)
		} else {
			err = w.give(e)
		}
		if err != nil {
			return err
		}
	}
}

// unset is no time where an archive gives none.
func unset(t time.Time) time.Time {
	if t.Unix() == 0 || t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}
