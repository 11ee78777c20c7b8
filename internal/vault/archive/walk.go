package archive

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/zeebo/blake3"
)

// Kinds of archives and streams.
const (
	Tar   = "tar"
	Zip   = "zip"
	Seven = "7z"
	Gzip  = "gzip"
	Bzip2 = "bzip2"
	Xz    = "xz"
	Zstd  = "zstd"
)

// Types and outcomes of an entry; no outcome stands for whole.
const (
	File      = "file"
	Directory = "directory"
	Link      = "link"
	Other     = "other"

	Damaged = "damaged"
	Limit   = "limit"
	Refused = "refused"
	Locked  = "locked"
	NotRead = "not read"
)

// Entry is one entry.
type Entry struct {
	Name     []string // as it stands there, of the outer archives first
	Type     string
	Size     int64 // bytes read
	Modified time.Time
	Link     string
	SHA256   string
	BLAKE3   string
	Outcome  string
	Note     string
}

// Limits bound an archive with all that is inside it.
type Limits struct {
	Depth   int
	Entries int64
	Bytes   int64 // unpacked, of all levels together
	Name    int   // bytes of a name
}

const (
	// insideMost is how large an archive inside may be that is read from its end.
	insideMost = 64 << 20
	linkMost   = 4096
	// windowMost bounds what a zstd stream may want of memory.
	windowMost = 256 << 20
	headLen    = 512
)

var (
	errLimit   = errors.New("a limit was reached")
	errRefused = errors.New("a way of packing that is not read")
	errLocked  = errors.New("it is encrypted")
)

// walker is one archive being read.
type walker struct {
	Limits
	kind func(head []byte) string
	emit func(Entry) error
	Content

	entries int64
	bytes   int64
	failed  error // of emit: nobody listens any more
}

// Content is what a caller wants of the bytes of entries, beside their digests.
// A nil field wants nothing of its own.
type Content struct {
	// Want says whether a file is read at all; what is not, is not given to emit.
	Want func(name []string) bool
	// See is given a file's bytes before emit is told of it; what it leaves is read
	// for the digests. Its error ends the walk.
	See func(e Entry, r io.Reader) error
}

// Walk reads an archive of the kind and gives every entry to emit. kindOf tells
// what a file is by its first 512 bytes, so that archives inside are found. The
// outcome and its note say what is wrong with the archive itself; the error is
// emit's.
func Walk(in io.ReaderAt, size int64, kind, name string, limits Limits, kindOf func([]byte) string, emit func(Entry) error) (outcome, note string, err error) {
	return WalkContent(in, size, kind, name, limits, kindOf, emit, Content{})
}

// WalkContent is Walk that also hands out what files hold.
func WalkContent(in io.ReaderAt, size int64, kind, name string, limits Limits, kindOf func([]byte) string, emit func(Entry) error, content Content) (outcome, note string, err error) {
	w := &walker{Limits: limits, kind: kindOf, emit: emit, Content: content}
	outcome, note = w.guarded(nil, 0, kind, name, in, size)
	return outcome, note, w.failed
}

// guarded reads one archive, and lives on where a library does not.
func (w *walker) guarded(at []string, depth int, kind, name string, in io.ReaderAt, size int64) (outcome, note string) {
	defer func() {
		if p := recover(); p != nil {
			outcome, note = Damaged, fmt.Sprintf("what reads it broke on it: %.200v", p)
		}
	}()
	var err error
	switch kind {
	case Zip:
		err = w.zip(at, depth, in, size)
	case Seven:
		err = w.seven(at, depth, in, size)
	default:
		err = w.stream(at, depth, kind, name, io.NewSectionReader(in, 0, size))
	}
	return judge(err)
}

// judge is an error as an outcome.
func judge(err error) (outcome, note string) {
	switch {
	case err == nil:
		return "", ""
	case errors.Is(err, errLimit):
		return Limit, err.Error()
	case errors.Is(err, errRefused):
		return Refused, err.Error()
	case errors.Is(err, errLocked):
		return Locked, err.Error()
	}
	return Damaged, err.Error()
}

// budget reads as long as the archive's bytes last.
type budget struct {
	r io.Reader
	w *walker
}

// Read implements io.Reader.
func (b budget) Read(p []byte) (int, error) {
	left := b.w.Bytes - b.w.bytes
	if left <= 0 {
		return 0, fmt.Errorf("%w: it gives more than %d bytes", errLimit, b.w.Bytes)
	}
	n, err := b.r.Read(p[:min(int64(len(p)), left)])
	b.w.bytes += int64(n)
	return n, err
}

// sums digests what is read of an entry.
type sums struct {
	sha, b3 hash.Hash
	n       int64
}

func newSums() *sums { return &sums{sha: sha256.New(), b3: blake3.New()} }

// Write implements io.Writer.
func (s *sums) Write(p []byte) (int, error) {
	s.sha.Write(p)
	_, _ = s.b3.Write(p)
	s.n += int64(len(p))
	return len(p), nil
}

func (s *sums) into(e *Entry) {
	e.Size, e.SHA256, e.BLAKE3 = s.n, hex.EncodeToString(s.sha.Sum(nil)), hex.EncodeToString(s.b3.Sum(nil))
}

// begin counts an entry and bounds its names.
func (w *walker) begin(e *Entry, at []string, name string) error {
	w.entries++
	if w.entries > w.Entries {
		return fmt.Errorf("%w: it has more than %d entries", errLimit, w.Entries)
	}
	if len(name) > w.Name {
		e.Outcome, e.Note = Limit, fmt.Sprintf("its name has %d bytes, of which the first %d stand here", len(name), w.Name)
		name = name[:w.Name]
	}
	if len(e.Link) > linkMost {
		e.Link = e.Link[:linkMost]
	}
	e.Name = append(slices.Clone(at), name)
	if note := escape(name); note != "" && e.Note == "" {
		e.Note = note
	}
	return nil
}

// escape says where a name would lead if somebody made a path of it.
func escape(name string) string {
	slashed := strings.ReplaceAll(name, "\\", "/")
	switch {
	case strings.HasPrefix(slashed, "/"), len(slashed) > 1 && slashed[1] == ':':
		return "its name is an absolute path; no path was made of it"
	case slices.Contains(strings.Split(slashed, "/"), ".."):
		return "its name leads out of the archive; no path was made of it"
	}
	return ""
}

// give hands an entry on.
func (w *walker) give(e Entry) error {
	if w.failed == nil && (w.Want == nil || w.Want(e.Name)) {
		w.failed = w.emit(e)
	}
	return w.failed
}

// file reads one file's bytes, digests them, and looks inside where it is an
// archive itself. It returns what ends the whole archive: a limit of all its
// bytes, or that nobody listens.
func (w *walker) file(e Entry, depth int, r io.Reader) error {
	if w.Want != nil && !w.Want(e.Name) {
		return nil
	}
	sum := newSums()
	in := bufio.NewReaderSize(io.TeeReader(budget{r, w}, sum), 64<<10)
	head, err := in.Peek(headLen)
	if err != nil && err != io.EOF {
		return w.end(e, sum, err)
	}
	kind := w.kind(head)
	switch {
	case kind == "":
	case !slices.Contains([]string{Tar, Zip, Seven, Gzip, Bzip2, Xz, Zstd}, kind):
		e.Outcome, e.Note = NotRead, "an image inside an archive is not opened: take it out in a working copy and seal that"
	case depth+1 >= w.Depth:
		e.Outcome, e.Note = Limit, fmt.Sprintf("it is an archive %d deep, and is not opened", depth+1)
	default:
		e.Outcome, e.Note = w.inside(e, depth+1, kind, in)
	}
	if w.failed == nil && kind == "" && w.See != nil {
		w.failed = w.See(e, in)
	}
	if w.failed != nil {
		return w.failed
	}
	_, err = io.Copy(io.Discard, in)
	return w.end(e, sum, err)
}

// end tells an entry whose reading ended with err.
func (w *walker) end(e Entry, sum *sums, err error) error {
	sum.into(&e)
	if err != nil {
		e.Outcome, e.Note = judge(err)
	}
	if failed := w.give(e); failed != nil {
		return failed
	}
	if errors.Is(err, errLimit) {
		return err
	}
	return nil
}

// inside reads an archive that is an entry itself.
func (w *walker) inside(e Entry, depth int, kind string, in io.Reader) (outcome, note string) {
	name := e.Name[len(e.Name)-1]
	if kind != Zip && kind != Seven {
		defer func() {
			if p := recover(); p != nil {
				outcome, note = Damaged, fmt.Sprintf("what reads it broke on it: %.200v", p)
			}
		}()
		outcome, note = judge(w.stream(e.Name, depth, kind, name, in))
	} else {
		b, err := io.ReadAll(io.LimitReader(in, insideMost+1))
		if err != nil {
			return judge(err)
		}
		if len(b) > insideMost {
			return Limit, fmt.Sprintf("an archive inside of more than %d MiB is not opened: take it out in a working copy and seal that", insideMost>>20)
		}
		outcome, note = w.guarded(e.Name, depth, kind, name, bytes.NewReader(b), int64(len(b)))
	}
	if outcome != "" {
		note = "inside: " + note
	}
	return outcome, note
}
