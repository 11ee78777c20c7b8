package accesslog

import (
	"bytes"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"concert/internal/inflate"
)

// Outcome is what became of an input.
type Outcome string

// The outcomes. All but Read mean that something of the input is missing from
// the numbers, or may be.
const (
	Read         Outcome = "read"             // from the first byte to the last
	Vanished     Outcome = "vanished"         // it is not there, or no longer
	NoPermission Outcome = "no_permission"    // it may not be opened
	NotRegular   Outcome = "not_regular"      // a device, a pipe or a socket
	SymlinkLoop  Outcome = "symlink_loop"     // links that lead to one another
	SymlinkPast  Outcome = "symlink_skipped"  // a link inside a directory; what it leads to is read where it stands
	EmptyFolder  Outcome = "empty_directory"  // no file in it
	Duplicate    Outcome = "duplicate"        // the same file was named before and is counted once
	Shrank       Outcome = "shrank"           // it became shorter while it was read
	Failed       Outcome = "read_error"       // the medium or the system failed
	Truncated    Outcome = "truncated"        // compressed data end too early; what came before is counted
	Corrupt      Outcome = "corrupt"          // compressed data are damaged, or something else follows them
	Bomb         Outcome = "compression_bomb" // it unpacks to more than the limits allow
	Unknown      Outcome = "format_unknown"   // no line could be read in any format
)

// Compressions by their magic bytes.
const (
	plain     = "plain"
	gzipped   = "gzip"
	bzipped   = "bzip2"
	xzipped   = "xz"
	zstandard = "zstd"
)

// Limits of what compressed files may unpack to.
const (
	bombFree  = 64 << 20 // bytes that no ratio is asked of
	bombRatio = 1000     // bytes out for a byte in; logs stay below 100
	maxWindow = 128 << 20
)

// input is one file of a run.
type input struct {
	path        string
	stdin       bool
	file        *os.File // that was handed over; nil: path is opened
	size        int64
	info        fs.FileInfo
	compression string
	auth        bool // a log that tells who logged in
	format      format
	sniffed     bool // the format was told by the file's own lines
	certain     bool
	outcome     Outcome
	detail      string
	edges       []edge
	read        int64        // bytes of text that came out of a compressed file
	waiting     atomic.Int64 // of its blocks that no worker is done with, and one for whoever hands them out
}

// fail keeps the first thing that went wrong with the input.
func (in *input) fail(o Outcome, detail string) {
	if in.outcome == "" || in.outcome == Read {
		in.outcome, in.detail = o, detail
	}
}

// open opens a file, or takes the one that was handed over from its beginning.
func (in *input) open() (*os.File, error) {
	if in.file == nil {
		return os.Open(in.path)
	}
	_, err := in.file.Seek(0, io.SeekStart)
	return in.file, err
}

// handed is an input that was opened by somebody else.
func handed(name string, f *os.File, seen map[fileID]bool) *input {
	st, err := f.Stat()
	if err != nil {
		return failed(name, err)
	}
	in := one(name, st, seen)
	in.file = f
	return in
}

// gather finds the files that paths name, directories by name.
func gather(paths []string, seen map[fileID]bool) []*input {
	var list []*input
	for _, p := range paths {
		if p == "-" {
			list = append(list, &input{path: p, stdin: true, size: -1})
			continue
		}
		st, err := os.Stat(p)
		if err != nil {
			list = append(list, failed(p, err))
			continue
		}
		if !st.IsDir() {
			list = append(list, one(p, st, seen))
			continue
		}
		before := len(list)
		_ = filepath.WalkDir(p, func(name string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				list = append(list, failed(name, err))
				return nil
			case d.IsDir():
				return nil
			case d.Type()&fs.ModeSymlink != 0:
				list = append(list, &input{path: name, outcome: SymlinkPast, detail: "a link inside a directory is not followed; name what it leads to"})
				return nil
			}
			st, err := d.Info()
			if err != nil {
				list = append(list, failed(name, err))
				return nil
			}
			list = append(list, one(name, st, seen))
			return nil
		}) // each error is an input of its own, so that the walk has none
		if len(list) == before {
			list = append(list, &input{path: p, outcome: EmptyFolder, detail: "the directory holds no file"})
		}
	}
	return list
}

// fileID is a file whatever it is called.
type fileID struct{ dev, ino uint64 }

func one(path string, st fs.FileInfo, seen map[fileID]bool) *input {
	in := &input{path: path, size: st.Size(), info: st}
	if !st.Mode().IsRegular() {
		in.fail(NotRegular, "it is no regular file")
		return in
	}
	if sys, ok := st.Sys().(*syscall.Stat_t); ok {
		id := fileID{uint64(sys.Dev), sys.Ino}
		if seen[id] {
			in.fail(Duplicate, "the same file was named before; it is counted once")
		}
		seen[id] = true
	}
	return in
}

func failed(path string, err error) *input {
	in := &input{path: path}
	o, detail := outcomeOf(err)
	in.fail(o, detail)
	return in
}

// outcomeOf names an error of the file system, without the path.
func outcomeOf(err error) (Outcome, string) {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Vanished, "no such file"
	case errors.Is(err, fs.ErrPermission):
		return NoPermission, "permission denied"
	case errors.Is(err, syscall.ELOOP):
		return SymlinkLoop, "symbolic links lead to one another"
	}
	var at *fs.PathError
	if errors.As(err, &at) {
		err = at.Err
	}
	return Failed, err.Error()
}

// magic tells a compression by its first bytes.
func magic(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return gzipped
	case bytes.HasPrefix(head, []byte("BZh")) && len(head) > 3 && head[3] >= '1' && head[3] <= '9':
		return bzipped
	case bytes.HasPrefix(head, []byte{0xfd, '7', 'z', 'X', 'Z', 0}):
		return xzipped
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return zstandard
	}
	return plain
}

// counter counts what is read of a compressed file. A decompressor may read on a
// goroutine of its own.
type counter struct {
	r io.Reader
	n atomic.Int64
	e atomic.Pointer[error] // what the medium said, as against the decompressor
}

// Read implements io.Reader.
func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n.Add(int64(n))
	if err != nil && err != io.EOF {
		c.e.Store(&err)
	}
	return n, err
}

// unpack opens the text of a compressed file; close frees it.
func unpack(compression string, r io.Reader) (text io.Reader, closing func(), err error) {
	closing = func() {}
	switch compression {
	case gzipped:
		z, err := inflate.NewGzip(r)
		return z, closing, err
	case bzipped:
		return bzip2.NewReader(r), closing, nil
	case xzipped:
		z, err := xz.NewReader(r)
		return z, closing, err
	case zstandard:
		z, err := zstd.NewReader(r, zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true), zstd.WithDecoderConcurrency(2))
		if err != nil {
			return nil, closing, err
		}
		return z, z.Close, nil
	}
	return r, closing, nil
}

// damage names what a decompressor said. Its own words never hold content.
func damage(compression string, c *counter, err error) (Outcome, string) {
	if e := c.e.Load(); e != nil {
		return outcomeOf(*e)
	}
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return Truncated, fmt.Sprintf("the %s data end too early", compression)
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return Bomb, fmt.Sprintf("it wants a window above %d MiB", maxWindow>>20)
	}
	return Corrupt, fmt.Sprintf("the %s data are damaged, or something else follows them", compression)
}
