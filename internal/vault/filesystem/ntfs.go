package filesystem

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"

	"www.velocidex.com/golang/go-ntfs/parser"
)

const (
	ntfsRoot        = 5
	ntfsBadClusters = 8
	ntfsPage        = 4096
	// ntfsPages are the pages of the volume that are kept, 16 MiB.
	ntfsPages = 4096
)

// ntfs is an opened NTFS, read by go-ntfs.
type ntfs struct{ *parser.NTFSContext }

func openNTFS(r io.ReaderAt, _ int64) (*system, error) {
	paged, err := parser.NewPagedReader(r, ntfsPage, ntfsPages)
	if err != nil {
		return nil, err
	}
	c, err := parser.GetNTFSContext(paged, 0)
	if err != nil {
		return nil, err
	}
	x := &ntfs{c}
	return &system{name: "ntfs", times: "100ns", label: x.label(), root: ntfsRoot, list: x.list, open: x.open}, nil
}

// label is the name in the attribute $VOLUME_NAME of the file $Volume.
func (x *ntfs) label() string {
	const volume, volumeName = 3, 0x60
	e, err := x.GetMFT(volume)
	if err != nil {
		return ""
	}
	a, err := e.GetAttribute(x.NTFSContext, volumeName, -1, "")
	if err != nil {
		return ""
	}
	b := make([]byte, min(512, a.Content_size()))
	n, _ := a.Data(x.NTFSContext).ReadAt(b, 0)
	var units []uint16
	for k := 0; k+1 < n; k += 2 {
		units = append(units, uint16(b[k])|uint16(b[k+1])<<8)
	}
	return string(utf16.Decode(units))
}

// list reads a directory. A file's further streams stand beside it, as NAME:STREAM;
// short names of DOS are no files of their own.
func (x *ntfs) list(dir node, emit func(node) error) error {
	e, err := x.GetMFT(int64(dir.id))
	if err != nil {
		return err
	}
	seen := map[uint64]bool{}
	for _, record := range e.Dir(x.NTFSContext) {
		id := record.MftReference()
		file := record.File()
		if id == ntfsRoot || file.NameType().Name == "DOS" {
			continue
		}
		n := node{name: file.Name(), id: id, kind: File}
		key := id // hard links in one directory have two names
		if seen[key] && file.NameType().Name != "POSIX" && file.NameType().Name != "Win32" && file.NameType().Name != "DOS+Win32" {
			continue
		}
		seen[key] = true
		if err := x.streams(n, emit); err != nil {
			return err
		}
	}
	return nil
}

// streams gives a file and its further streams.
func (x *ntfs) streams(n node, emit func(node) error) error {
	e, err := x.GetMFT(int64(n.id))
	if err != nil {
		n.outcome, n.note = Damaged, err.Error()
		return emit(n)
	}
	if !e.Flags().IsSet("ALLOCATED") {
		n.kind, n.outcome, n.note = Other, Damaged, fmt.Sprintf("its record %d is not in use", n.id)
		return emit(n)
	}
	n.links = int(e.Link_count())
	if e.Flags().IsSet("DIRECTORY") {
		n.kind = Directory
	}
	var more []node
	found := false
	for _, a := range e.EnumerateAttributes(x.NTFSContext) {
		switch a.Type().Value {
		case parser.ATTR_TYPE_STANDARD_INFORMATION:
			si := x.Profile.STANDARD_INFORMATION(a.Data(x.NTFSContext), 0)
			n.modified, n.accessed, n.changed, n.born = si.File_altered_time().Time, si.File_accessed_time().Time, si.Mft_altered_time().Time, si.Create_time().Time
		case parser.ATTR_TYPE_DATA:
			if !a.IsResident() && a.Runlist_vcn_start() != 0 {
				continue
			}
			s := node{id: n.id, kind: File, size: a.DataSize(), stream: strconv.Itoa(int(a.Attribute_id())) + ":" + a.Name(), locked: uint64(*a.Flags())&0x4000 != 0}
			if a.Name() == "" {
				found = true
				n.size, n.stream, n.locked = s.size, s.stream, s.locked
				continue
			}
			s.name = n.name + ":" + a.Name()
			if n.id == ntfsBadClusters {
				s.kind, s.note = Other, "the list of bad clusters, as long as the volume: it is not read"
			}
			more = append(more, s)
		case reparsePoint:
			b := make([]byte, min(linkMost, a.DataSize()))
			k, _ := a.Data(x.NTFSContext).ReadAt(b, 0)
			n.kind, n.link = Link, reparse(b[:k])
		}
	}
	if n.kind == File && !found {
		n.stream = ""
	}
	if err := emit(n); err != nil {
		return err
	}
	for _, s := range more {
		s.modified, s.accessed, s.changed, s.born = n.modified, n.accessed, n.changed, n.born
		if err := emit(s); err != nil {
			return err
		}
	}
	return nil
}

const reparsePoint = 0xc0

// reparse is where a symbolic link or a junction leads ([MS-FSCC] 2.1.2).
func reparse(b []byte) string {
	if len(b) < 20 {
		return "a reparse point"
	}
	tag := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
	at := 16
	if tag == 0xa000000c {
		at = 20
	} else if tag != 0xa0000003 {
		return fmt.Sprintf("a reparse point of type 0x%08x", tag)
	}
	off, n := int(b[8])|int(b[9])<<8, int(b[10])|int(b[11])<<8
	if at+off+n > len(b) {
		return "a damaged reparse point"
	}
	var units []uint16
	for k := at + off; k+1 < at+off+n; k += 2 {
		units = append(units, uint16(b[k])|uint16(b[k+1])<<8)
	}
	return string(utf16.Decode(units))
}

func (x *ntfs) open(n node) (io.Reader, error) {
	if n.locked {
		return nil, errLocked
	}
	if n.stream == "" {
		return &sliceReader{}, nil
	}
	e, err := x.GetMFT(int64(n.id))
	if err != nil {
		return nil, err
	}
	number, name, _ := strings.Cut(n.stream, ":")
	id, err := strconv.Atoi(number)
	if err != nil {
		return nil, err
	}
	s, err := parser.OpenStream(x.NTFSContext, e, parser.ATTR_TYPE_DATA, uint16(id), name)
	if err != nil {
		return nil, err
	}
	return &ntfsFile{in: s, size: n.size}, nil
}

// ntfsFile reads a stream to its size: what was allocated and never written is
// zeros.
type ntfsFile struct {
	in        io.ReaderAt
	size, pos int64
}

// Read implements io.Reader.
func (f *ntfsFile) Read(p []byte) (int, error) {
	if f.pos >= f.size {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), f.size-f.pos)]
	n, err := f.in.ReadAt(p, f.pos)
	if err != nil && err != io.EOF {
		return 0, err
	}
	if n == 0 {
		clear(p)
		n = len(p)
	}
	f.pos += int64(n)
	return n, nil
}
