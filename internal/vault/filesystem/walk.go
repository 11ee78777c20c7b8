package filesystem

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
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
	Gone    = "gone"
)

const linkMost = 4096

var (
	errRefused = errors.New("not supported")
	errLocked  = errors.New("it is encrypted")
	errLimit   = errors.New("a limit was reached")
)

// Volume is one volume of the media.
type Volume struct {
	Number  int // from 1
	Scheme  string
	Start   int64 // bytes of the media
	Size    int64
	Type    string // as the table says
	Name    string
	System  string // what lies on it
	Label   string
	Times   string // how exact its times are
	Local   bool   // its times name no zone: they stand as if they were UTC
	Outcome string
	Note    string
}

// Entry is one allocated entry of a volume.
type Entry struct {
	Index    int64  // in the order of the walk, from 1; the same walk counts the same
	Path     string // as it stands there, with slashes, whatever bytes it has
	Type     string
	Size     int64
	Modified time.Time
	Accessed time.Time
	Changed  time.Time
	Born     time.Time
	Inode    uint64
	Link     string
	Outcome  string
	Note     string
}

// Limits bound a volume.
type Limits struct {
	Entries int64
	Depth   int
	File    int64 // bytes of one file
	Bytes   int64 // of all files
	Name    int   // bytes of a name
}

// node is one entry as a file system gives it.
type node struct {
	name                              string
	kind                              string
	id                                uint64 // of its inode, record, or first block
	stream                            string // of NTFS
	size                              int64
	links                             int
	locked                            bool
	modified, accessed, changed, born time.Time
	link                              string
	outcome, note                     string
}

// system is an opened file system.
type system struct {
	name, label, times, note string
	local                    bool
	root                     uint64
	rootSize                 int64
	list                     func(dir node, emit func(node) error) error
	open                     func(n node) (io.Reader, error)
}

// Volumes lists the volumes of a media and says what lies on each, without
// opening any.
func Volumes(r io.ReaderAt, size int64) (list []Volume, notes []string, err error) {
	scheme, parts, notes, err := Partitions(r, size)
	if err != nil {
		return nil, notes, err
	}
	for i, p := range parts {
		v := Volume{Number: i + 1, Scheme: scheme, Start: p.Start, Size: p.Size, Type: p.Type, Name: p.Name}
		system, supported := Recognise(r, p.Start, p.Size)
		switch v.System = system; {
		case system == "":
			v.Outcome, v.Note = Refused, "no file system that is known begins here"
		case system == "swap":
			v.Outcome, v.Note = Refused, "swap space: it holds no files"
		case !supported:
			v.Outcome, v.Note = Refused, system+": "+unsupported
		}
		list = append(list, v)
	}
	return list, notes, nil
}

// Visit is told of a walk. Begin comes before anything of an entry is read, so
// that whoever reads along knows what a child died of; Entry when it is known;
// File reads a file's bytes; End says what came of it.
type Visit struct {
	Skip func(index int64) bool // entries that are named, and not opened
	// Begin is told of an entry before its content or its directory is read.
	Begin func(Entry) error
	// File is given a file's bytes to read. Its outcome is the entry's.
	File func(Entry, io.Reader) (outcome, note string, err error)
	Done func(Entry) error
}

// Walk opens a volume and visits its entries, a directory before what is in it.
// What is wrong with the volume is in what it returns; the error is the visit's.
func Walk(r io.ReaderAt, v Volume, limits Limits, visit Visit) (Volume, error) {
	w := &walker{Limits: limits, visit: visit, seen: map[uint64]bool{}}
	volume := io.NewSectionReader(r, v.Start, v.Size)
	err := guard(func() error {
		s, err := open(v.System, volume, v.Size)
		if err != nil {
			return err
		}
		w.system = s
		v.System, v.Label, v.Times, v.Local, v.Note = s.name, s.label, s.times, s.local, s.note
		w.seen[s.root] = true
		return nil
	})
	if err != nil {
		v.Outcome, v.Note = judge(err)
		return v, nil
	}
	err = w.directory(node{id: w.system.root, size: w.system.rootSize, kind: Directory}, "", 0)
	switch {
	case w.failed != nil:
		return v, w.failed
	case err != nil:
		v.Outcome, v.Note = judge(err)
	}
	return v, nil
}

func open(kind string, r io.ReaderAt, size int64) (*system, error) {
	switch kind {
	case systemExt:
		return openExt(r, size)
	case systemFAT:
		return openFAT(r, size)
	case systemNTFS:
		return openNTFS(r, size)
	case systemISO:
		return openISO(r, size)
	}
	return nil, fmt.Errorf("%w: %q", errRefused, kind)
}

// guard lives on where what reads breaks.
func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("what reads it broke on it: %.200v", p)
		}
	}()
	return f()
}

func judge(err error) (outcome, note string) {
	switch {
	case errors.Is(err, errLimit):
		return Limit, err.Error()
	case errors.Is(err, errRefused):
		return Refused, err.Error()
	case errors.Is(err, errLocked):
		return Locked, err.Error()
	}
	return Damaged, err.Error()
}

// walker is one volume being walked.
type walker struct {
	Limits
	system *system
	visit  Visit
	seen   map[uint64]bool // directories
	count  int64
	bytes  int64
	failed error
}

var errFailed = errors.New("the visit ended")

func (w *walker) fail(err error) error {
	if err != nil {
		w.failed = err
		return errFailed
	}
	return nil
}

// directory visits what is in a directory. Its entries are gathered first, so
// that one that breaks in its middle still gives those before.
func (w *walker) directory(dir node, path string, depth int) error {
	var list []node
	left := w.Entries - w.count
	err := guard(func() error {
		return w.system.list(dir, func(n node) error {
			if int64(len(list)) >= left {
				return fmt.Errorf("%w: it has more than %d entries", errLimit, w.Entries)
			}
			list = append(list, n)
			return nil
		})
	})
	for _, n := range list {
		if err := w.entry(n, path, depth); err != nil {
			return err
		}
	}
	return err
}

func (w *walker) entry(n node, parent string, depth int) error {
	if w.count >= w.Entries {
		return fmt.Errorf("%w: it has more than %d entries", errLimit, w.Entries)
	}
	w.count++
	e := Entry{Index: w.count, Type: n.kind, Size: n.size, Modified: n.modified, Accessed: n.accessed, Changed: n.changed, Born: n.born, Inode: n.id, Link: n.link, Outcome: n.outcome, Note: n.note}
	e.Path = w.named(&e, parent, n.name)
	if err := w.fail(w.visit.Begin(e)); err != nil {
		return err
	}
	skip := w.visit.Skip != nil && w.visit.Skip(e.Index)
	switch {
	case skip:
		e.Outcome, e.Note = Gone, "the process that read it did not survive it"
	case n.kind == File && n.outcome == "":
		if err := w.file(&e, n); err != nil {
			return err
		}
	case n.kind == Directory && n.outcome == "":
		return w.below(e, n, depth)
	}
	return w.fail(w.visit.Done(e))
}

// named makes a path of a name, and says what is wrong with the name. The path is
// text for people: no file is ever made of it.
func (w *walker) named(e *Entry, parent, name string) string {
	wrong := func(outcome, note string) {
		if e.Outcome == "" && e.Note == "" {
			e.Note = note
		}
		if e.Outcome == "" {
			e.Outcome = outcome
		}
	}
	if len(name) > w.Name {
		wrong(Limit, fmt.Sprintf("its name has %d bytes, of which the first %d stand here", len(name), w.Name))
		name = name[:w.Name]
	}
	switch {
	case name == "" || name == "." || name == "..":
		wrong(Damaged, "its name leads to another place; no path was made of it")
	case strings.ContainsAny(name, "/\x00"):
		wrong(Damaged, "its name has a slash or a NUL in it; no path was made of it")
	case !utf8.ValidString(name) && e.Note == "":
		e.Note = "its name is no UTF-8; its bytes stand as = and two digits"
	}
	if parent == "" {
		return name
	}
	return parent + "/" + name
}

// below visits a directory's entries, each directory once.
func (w *walker) below(e Entry, n node, depth int) error {
	if w.seen[n.id] {
		e.Outcome, e.Note = Damaged, "the directory stands in two places, or in itself: it is read in the first"
		return w.fail(w.visit.Done(e))
	}
	w.seen[n.id] = true
	if depth+1 >= w.Depth {
		e.Outcome, e.Note = Limit, fmt.Sprintf("it lies %d deep, and is not opened", depth+1)
		return w.fail(w.visit.Done(e))
	}
	err := w.directory(n, e.Path, depth+1)
	if errors.Is(err, errFailed) {
		return err
	}
	if err != nil {
		e.Outcome, e.Note = judge(err)
	}
	if failed := w.fail(w.visit.Done(e)); failed != nil {
		return failed
	}
	if errors.Is(err, errLimit) {
		return err
	}
	return nil
}

// file lets the visit read a file's bytes.
func (w *walker) file(e *Entry, n node) error {
	if n.size > w.File {
		e.Outcome, e.Note = Limit, fmt.Sprintf("it claims %d bytes; at most %d of one file are read", n.size, w.File)
		return nil
	}
	if n.size > w.Bytes-w.bytes {
		e.Outcome, e.Note = Limit, fmt.Sprintf("the files before it and it have more than %d bytes, so that it is not read", w.Bytes)
		return nil
	}
	w.bytes += n.size
	var failed error
	err := guard(func() error {
		in, err := w.system.open(n)
		if err != nil {
			return err
		}
		read := &counted{r: in, left: n.size}
		outcome, note, err := w.visit.File(*e, read)
		if failed = err; err != nil {
			return nil
		}
		if read.err != nil {
			return read.err
		}
		if outcome != "" {
			e.Outcome, e.Note = outcome, note
		}
		return nil
	})
	if failed != nil {
		return w.fail(failed)
	}
	if err != nil {
		e.Outcome, e.Note = judge(err)
	}
	return nil
}

// counted reads so many bytes and remembers what ended it before.
type counted struct {
	r    io.Reader
	left int64
	err  error
}

// Read implements io.Reader.
func (c *counted) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, io.EOF
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	if err == io.EOF && c.left > 0 {
		err = fmt.Errorf("it ends %d bytes before its size", c.left)
	}
	if err != nil && err != io.EOF {
		c.err = err
	}
	return n, err
}
