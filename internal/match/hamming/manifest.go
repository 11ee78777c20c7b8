package hamming

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"concert/internal/durable"
)

const (
	manifestName    = "manifest"
	manifestVersion = 1
	segmentPattern  = `^[0-9a-f]{16}\.hamming$`
	loadAtOpen      = 4 << 20 // segments up to this size are read when the index is opened
)

var segmentName = regexp.MustCompile(segmentPattern)

// manifest names the segments that are the index, oldest first. A segment file that it does not name is what a crash left.
type manifest struct {
	source   [16]byte
	upto     uint64
	segments []manifestLine
}

type manifestLine struct {
	name        string
	rows, bytes int64
}

func (m manifest) text() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "concert hamming manifest %d\nsource %x\nupto %d\n", manifestVersion, m.source, m.upto)
	for _, s := range m.segments {
		fmt.Fprintf(&b, "segment %s %d %d\n", s.name, s.rows, s.bytes)
	}
	fmt.Fprintf(&b, "end %08x\n", checksum(b.Bytes()))
	return b.Bytes()
}

func parseManifest(text []byte) (m manifest, err error) {
	body, sum, whole := bytes.Cut(text, []byte("end "))
	first := fmt.Sprintf("concert hamming manifest %d", manifestVersion)
	lines := strings.Split(strings.TrimSuffix(string(body), "\n"), "\n")
	switch {
	case !strings.HasPrefix(lines[0], "concert hamming manifest "):
		return m, fmt.Errorf("it is no manifest: it begins with %.40q", text)
	case lines[0] != first:
		return m, fmt.Errorf("it is of another version than %d: it begins with %.40q", manifestVersion, lines[0])
	case !whole || string(sum) != fmt.Sprintf("%08x\n", checksum(body)):
		return m, errors.New("it does not have the checksum it states")
	case len(lines) < 3:
		return m, errors.New("it lacks its source or its upto")
	}
	source, err := hex.DecodeString(strings.TrimPrefix(lines[1], "source "))
	if err != nil || len(source) != len(m.source) {
		return m, fmt.Errorf("%q is no source", lines[1])
	}
	m.source = [16]byte(source)
	if m.upto, err = strconv.ParseUint(strings.TrimPrefix(lines[2], "upto "), 10, 64); err != nil {
		return m, fmt.Errorf("%q is no upto", lines[2])
	}
	for _, line := range lines[3:] {
		var s manifestLine
		if n, err := fmt.Sscanf(line, "segment %s %d %d", &s.name, &s.rows, &s.bytes); n != 3 || err != nil || !segmentName.MatchString(s.name) {
			return m, fmt.Errorf("%q names no segment", line)
		}
		m.segments = append(m.segments, s)
	}
	return m, nil
}

// Open opens the index in dir, which is made if need be and belongs to one process at a time, or an empty one in memory only
// if dir is "". What cannot be relied upon is refused by name (*DamagedError), never taken for empty: see Clear. Close ends it.
func Open(dir string, options Options) (*Index, error) {
	x := &Index{dir: dir, options: options, level: bestLevel(), shuffles: readShuffles(), begun: map[string]bool{}}
	x.pool.New = func() any { return new(scratch) }
	x.changed = sync.NewCond(&x.mu)
	if x.options.memtable == 0 {
		x.options.memtable = sealAt
	}
	if x.options.loadNow == 0 {
		x.options.loadNow = loadAtOpen
	}
	if x.options.level > 0 {
		x.level = min(x.level, x.options.level-1)
	}
	var segments []*segment
	if dir != "" {
		var err error
		if segments, err = x.openFiles(); err != nil {
			return nil, err
		}
	}
	x.publish(newSnapshot(segments, nil, newMemtable(x.options.memtable, x.applied)))
	for _, seg := range segments {
		seg.release() // the snapshot holds it
	}
	x.work()
	return x, nil
}

func (x *Index) openFiles() (segments []*segment, err error) {
	if err := durable.MkdirAll(x.dir, 0o700); err != nil {
		return nil, err
	}
	if x.lock, err = durable.LockDir(x.dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			for _, seg := range segments {
				seg.release()
			}
			err = errors.Join(err, x.lock.Unlock())
		}
	}()
	if _, err := durable.Sweep(x.dir); err != nil {
		return nil, err
	}
	names, err := segmentFiles(x.dir)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(x.dir, manifestName)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if len(names) > 0 {
			return nil, &DamagedError{path, fmt.Errorf("it is missing, while %d segments are there", len(names))}
		}
		return nil, x.writeManifest(nil)
	}
	if err != nil {
		return nil, err
	}
	m, err := parseManifest(text)
	if err == nil && m.source != x.options.Source {
		err = fmt.Errorf("it belongs to another database (%x, not %x)", m.source, x.options.Source)
	}
	if err != nil {
		return nil, &DamagedError{path, err}
	}
	for _, line := range m.segments {
		seg, err := x.openSegment(line)
		if err != nil {
			return segments, &DamagedError{filepath.Join(x.dir, line.name), err}
		}
		segments = append(segments, seg)
	}
	x.applied, x.kept = m.upto, m.upto
	for _, name := range names {
		number, err := strconv.ParseUint(name[:16], 16, 64)
		if err != nil {
			return segments, err
		}
		x.number = max(x.number, number)
	}
	return segments, x.removeStrays(m)
}

// segmentFiles are the names in dir that segments have.
func segmentFiles(dir string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if segmentName.MatchString(e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names, err
}

// removeStrays removes segment files that the manifest does not name and nobody is writing.
func (x *Index) removeStrays(m manifest) error {
	names, err := segmentFiles(x.dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		x.mu.Lock()
		begun := x.begun[name]
		x.mu.Unlock()
		if begun || slices.ContainsFunc(m.segments, func(s manifestLine) bool { return s.name == name }) {
			continue
		}
		if err := durable.Remove(filepath.Join(x.dir, name)); err != nil {
			return err
		}
		x.between()
	}
	return nil
}

func (x *Index) between() {
	if x.options.between != nil {
		x.options.between()
	}
}

// openSegment opens a file that the manifest names: a small one is read and verified, a large one mapped, its header, its size
// and its table of checksums verified.
func (x *Index) openSegment(line manifestLine) (seg *segment, err error) {
	f, err := os.Open(filepath.Join(x.dir, line.name))
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil || seg.file == nil {
			err = errors.Join(err, f.Close())
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	first := make([]byte, headerBytes)
	n, err := io.ReadFull(f, first)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, err
	}
	h, err := parseHeader(first[:n], info.Size())
	if err != nil {
		return nil, err
	}
	if h.source != x.options.Source {
		return nil, fmt.Errorf("it belongs to another database (%x, not %x)", h.source, x.options.Source)
	}
	if int64(h.rows) != line.rows || info.Size() != line.bytes {
		return nil, fmt.Errorf("it has %d rows in %d bytes, the manifest says %d in %d", h.rows, info.Size(), line.rows, line.bytes)
	}
	if info.Size() <= x.options.loadNow {
		return h.load(f, line.name, nil)
	}
	l := h.layout()
	sums := make([]byte, l.end-l.sums)
	if _, err := f.ReadAt(sums, int64(l.sums)); err != nil {
		return nil, err
	}
	if checksum(sums) != h.sums {
		return nil, errors.New("its table of checksums does not have the checksum that its header states")
	}
	mem, err := mapFile(f, l.end)
	if err != nil {
		return nil, err
	}
	seg = newSegment(h, mem)
	seg.name, seg.file = line.name, f
	return seg, nil
}

// load reads a segment whose header was read into memory and verifies every byte of it. quit, if any, ends it early.
func (h *header) load(f *os.File, name string, quit <-chan struct{}) (*segment, error) {
	l := h.layout()
	mem, err := newRegion(l.end)
	if err != nil {
		return nil, err
	}
	if err := h.verify(f, mem.data, quit); err != nil {
		mem.free()
		return nil, err
	}
	seg := newSegment(h, mem)
	seg.name = name
	return seg, nil
}

// verify reads the file of a segment block by block, into b if there is one, and holds each against its checksum.
func (h *header) verify(f *os.File, b []byte, quit <-chan struct{}) error {
	l := h.layout()
	sums := make([]byte, l.end-l.sums)
	if _, err := f.ReadAt(sums, int64(l.sums)); err != nil {
		return err
	}
	if checksum(sums) != h.sums {
		return errors.New("its table of checksums does not have the checksum that its header states")
	}
	spare := make([]byte, sumBlock)
	if b != nil {
		if _, err := f.ReadAt(b[:headerBytes], 0); err != nil {
			return err
		}
		copy(b[l.sums:], sums)
	}
	for i, from := 0, headerBytes; from < l.sums; i, from = i+1, from+sumBlock {
		select {
		case <-quit:
			return ErrClosed
		default:
		}
		to := min(from+sumBlock, l.sums)
		block := spare[:to-from]
		if b != nil {
			block = b[from:to]
		}
		if _, err := f.ReadAt(block, int64(from)); err != nil {
			return err
		}
		if checksum(block) != order.Uint32(sums[4*i:]) {
			return fmt.Errorf("bytes %d to %d do not have the checksum it states", from, to)
		}
	}
	return nil
}

// Clear removes the index in dir, so that Open begins an empty one and the caller fills it from the database again. Other files
// stay. It fails while the index is open.
func Clear(dir string) error {
	lock, err := durable.LockDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	names, err := segmentFiles(dir)
	// The manifest goes last: without it the segments would be refused, and whoever clears again ends well.
	for _, name := range append(names, manifestName) {
		if err == nil {
			err = durable.Remove(filepath.Join(dir, name))
		}
	}
	return errors.Join(err, lock.Unlock())
}
