package archive

import (
	"archive/zip"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/bodgit/sevenzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// Methods of zip beyond stored and deflated (APPNOTE 4.4.5).
const (
	zipBzip2 = 12
	zipZstd  = 93
	zipXz    = 95
	zipAES   = 99
	// zipLocked is the bit of a zip entry's flags that says it is encrypted.
	zipLocked = 1
)

func (w *walker) zip(at []string, depth int, in io.ReaderAt, size int64) error {
	z, err := zip.NewReader(in, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return err
	}
	z.RegisterDecompressor(zipBzip2, func(r io.Reader) io.ReadCloser { return io.NopCloser(bzip2.NewReader(r)) })
	z.RegisterDecompressor(zipZstd, func(r io.Reader) io.ReadCloser {
		d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(windowMost), zstd.WithDecoderMaxMemory(windowMost))
		if err != nil {
			return io.NopCloser(failing{err})
		}
		return d.IOReadCloser()
	})
	z.RegisterDecompressor(zipXz, func(r io.Reader) io.ReadCloser {
		d, err := xz.NewReader(r)
		if err != nil {
			return io.NopCloser(failing{err})
		}
		return io.NopCloser(d)
	})
	for _, f := range z.File {
		e := Entry{Type: typeOf(f.Mode()), Modified: unset(f.Modified)}
		if err := w.begin(&e, at, f.Name); err != nil {
			return err
		}
		locked := f.Flags&zipLocked != 0 || f.Method == zipAES
		if err := w.entry(e, depth, locked, f.Open); err != nil {
			return err
		}
	}
	return nil
}

type failing struct{ err error }

// Read implements io.Reader.
func (f failing) Read([]byte) (int, error) { return 0, f.err }

func typeOf(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return Directory
	case mode&fs.ModeSymlink != 0:
		return Link
	case mode.IsRegular():
		return File
	}
	return Other
}

// entry opens one entry of an archive with an index.
func (w *walker) entry(e Entry, depth int, locked bool, open func() (io.ReadCloser, error)) error {
	if locked {
		e.Outcome, e.Note = Locked, errLocked.Error()
		return w.give(e)
	}
	if e.Type == Directory || e.Type == Other {
		return w.give(e)
	}
	r, err := open()
	if err != nil {
		if errors.Is(err, zip.ErrAlgorithm) {
			err = fmt.Errorf("%w: %w", errRefused, err)
		}
		e.Outcome, e.Note = judge(err)
		return w.give(e)
	}
	defer r.Close()
	if e.Type == File {
		return w.file(e, depth, r)
	}
	to, err := io.ReadAll(io.LimitReader(budget{r, w}, linkMost))
	if e.Link = string(to); err != nil {
		e.Outcome, e.Note = judge(err)
	}
	if failed := w.give(e); failed != nil || !errors.Is(err, errLimit) {
		return failed
	}
	return err
}

func (w *walker) seven(at []string, depth int, in io.ReaderAt, size int64) error {
	z, err := sevenzip.NewReader(in, size)
	if err != nil {
		return sevenError(err)
	}
	for _, f := range z.File {
		e := Entry{Type: typeOf(f.Mode()), Modified: unset(f.Modified)}
		if err := w.begin(&e, at, f.Name); err != nil {
			return err
		}
		open := func() (io.ReadCloser, error) {
			r, err := f.Open()
			if err != nil {
				return nil, sevenError(err)
			}
			return sevenReader{r}, nil
		}
		if err := w.entry(e, depth, false, open); err != nil {
			return err
		}
	}
	return nil
}

// sevenReader tells what is encrypted from what is broken.
type sevenReader struct{ io.ReadCloser }

// Read implements io.Reader.
func (r sevenReader) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = sevenError(err)
	}
	return n, err
}

func sevenError(err error) error {
	if re, ok := errors.AsType[*sevenzip.ReadError](err); ok && re.Encrypted {
		return fmt.Errorf("%w: %w", errLocked, err)
	}
	return err
}
