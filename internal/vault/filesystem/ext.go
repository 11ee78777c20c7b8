package filesystem

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
)

// Features of ext that matter to a reader (Linux, Documentation/filesystems/ext4).
const (
	extCompression = 0x1
	extFileType    = 0x2
	extRecover     = 0x4
	extJournalDev  = 0x8
	extMetaBG      = 0x10
	extExtents     = 0x40
	ext64Bit       = 0x80
	extFlexBG      = 0x200
	extInlineData  = 0x8000
	extEncrypt     = 0x10000
	extKnown       = extFileType | extRecover | extMetaBG | extExtents | ext64Bit | extFlexBG | 0x100 | 0x400 | 0x2000 | 0x4000 | extInlineData | extEncrypt | 0x20000
	extHasJournal  = 0x4

	inodeEncrypted = 0x800
	inodeExtents   = 0x80000
	inodeInline    = 0x10000000

	extRoot = 2
	// extentDepth is the deepest tree of extents that Linux makes.
	extentDepth = 5
	extentMark  = 0xf30a
)

// ext is an opened ext2, ext3 or ext4.
type ext struct {
	io.ReaderAt          // the volume
	size           int64 // of the volume
	block          int64
	blocks, inodes uint64
	perGroup       uint64 // inodes
	blocksPerGroup uint64
	inodeSize      int64
	descSize       int64
	first          uint64
	incompat       uint32
	firstMeta      uint64
}

type extInode struct {
	number uint64
	raw    []byte
	mode   uint16
	links  uint16
	size   int64
	flags  uint32
}

func openExt(r io.ReaderAt, size int64) (*system, error) {
	b := make([]byte, 1024)
	if err := readFull(r, b, 1024); err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	e := &ext{ReaderAt: r, size: size, blocks: uint64(le.Uint32(b[4:])), inodes: uint64(le.Uint32(b[0:])), perGroup: uint64(le.Uint32(b[40:])), blocksPerGroup: uint64(le.Uint32(b[32:])), first: uint64(le.Uint32(b[20:])), inodeSize: 128, descSize: 32, incompat: le.Uint32(b[96:]), firstMeta: uint64(le.Uint32(b[260:]))}
	shift := le.Uint32(b[24:])
	if shift > 6 || e.perGroup == 0 || e.blocksPerGroup == 0 || e.inodes == 0 {
		return nil, errors.New("its superblock has numbers that no ext has")
	}
	e.block = 1024 << shift
	if le.Uint32(b[76:]) > 0 {
		e.inodeSize = int64(le.Uint16(b[88:]))
	} else {
		e.incompat = 0
	}
	if e.incompat&ext64Bit != 0 {
		e.blocks |= uint64(le.Uint32(b[336:])) << 32
		e.descSize = int64(le.Uint16(b[254:]))
	}
	if e.inodeSize < 128 || e.inodeSize > e.block || e.inodeSize&(e.inodeSize-1) != 0 || e.descSize < 32 || e.descSize > 1024 || e.descSize&(e.descSize-1) != 0 {
		return nil, errors.New("its superblock has numbers that no ext has")
	}
	if bad := e.incompat &^ extKnown; bad != 0 || e.incompat&(extCompression|extJournalDev) != 0 {
		return nil, fmt.Errorf("%w: it has features (0x%x) that are not read", errRefused, e.incompat)
	}
	s := &system{name: "ext2", label: until0(b[120:136]), root: extRoot, list: e.list, open: e.open, times: "1s"}
	if le.Uint32(b[92:])&extHasJournal != 0 {
		s.name = "ext3"
	}
	if e.incompat&(extExtents|ext64Bit|extFlexBG|extInlineData) != 0 || le.Uint32(b[100:])&0x78 != 0 {
		s.name = "ext4"
	}
	if e.inodeSize >= 160 {
		s.times = "1ns, born 1ns"
	}
	if e.incompat&extRecover != 0 {
		s.note = "it was not unmounted cleanly: its journal was not played, so the last changes may be missing"
	}
	return s, nil
}

func until0(b []byte) string {
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}

// descriptor is where the descriptor of a group lies.
func (e *ext) descriptor(group uint64) int64 {
	perBlock := uint64(e.block / e.descSize)
	if meta := group / perBlock; e.incompat&extMetaBG != 0 && meta >= e.firstMeta {
		lead := meta * perBlock
		at := e.first + lead*e.blocksPerGroup
		if e.hasSuper(lead) {
			at++
		}
		return int64(at)*e.block + int64(group%perBlock)*e.descSize
	}
	return int64(e.first+1)*e.block + int64(group)*e.descSize
}

// hasSuper reports whether a group begins with a copy of the superblock: the
// first, and those of powers of 3, 5 and 7.
func (e *ext) hasSuper(group uint64) bool {
	if group <= 1 {
		return true
	}
	for _, p := range []uint64{3, 5, 7} {
		for n := p; n <= group; n *= p {
			if n == group {
				return true
			}
		}
	}
	return false
}

func (e *ext) inode(number uint64) (i extInode, err error) {
	if number == 0 || number > e.inodes {
		return i, fmt.Errorf("there is no inode %d", number)
	}
	group, place := (number-1)/e.perGroup, (number-1)%e.perGroup
	d := make([]byte, e.descSize)
	if err := readFull(e, d, e.descriptor(group)); err != nil {
		return i, fmt.Errorf("the descriptor of group %d: %w", group, err)
	}
	table := uint64(binary.LittleEndian.Uint32(d[8:]))
	if e.descSize >= 64 {
		table |= uint64(binary.LittleEndian.Uint32(d[40:])) << 32
	}
	if table >= uint64(e.size/e.block) {
		return i, fmt.Errorf("the inodes of group %d lie behind the volume's end", group)
	}
	i = extInode{number: number, raw: make([]byte, e.inodeSize)}
	if err := readFull(e, i.raw, int64(table)*e.block+int64(place)*e.inodeSize); err != nil {
		return i, fmt.Errorf("inode %d: %w", number, err)
	}
	le := binary.LittleEndian
	i.mode, i.links, i.flags = le.Uint16(i.raw), le.Uint16(i.raw[26:]), le.Uint32(i.raw[32:])
	size := uint64(le.Uint32(i.raw[4:]))
	if i.mode&0xf000 == 0x8000 || i.mode&0xf000 == 0x4000 {
		size |= uint64(le.Uint32(i.raw[108:])) << 32
	}
	if size > math.MaxInt64 {
		return i, fmt.Errorf("inode %d claims %d bytes", number, size)
	}
	i.size = int64(size)
	return i, nil
}

// time reads a time with its extra 32 bits: two of the epoch, thirty of nanoseconds.
func (i extInode) time(at, extra int) time.Time {
	le := binary.LittleEndian
	sec, nano := int64(int32(le.Uint32(i.raw[at:]))), int64(0)
	if len(i.raw) >= 132 && extra+4 <= 128+int(le.Uint16(i.raw[128:])) && extra+4 <= len(i.raw) {
		x := le.Uint32(i.raw[extra:])
		sec, nano = sec+int64(x&3)<<32, int64(x>>2)
	}
	if sec == 0 && nano == 0 {
		return time.Time{}
	}
	return time.Unix(sec, nano).UTC()
}

func (i extInode) node() node {
	n := node{id: i.number, size: i.size, links: int(i.links), modified: i.time(16, 136), accessed: i.time(8, 140), changed: i.time(12, 132)}
	if len(i.raw) >= 152 && binary.LittleEndian.Uint16(i.raw[128:]) >= 24 {
		n.born = i.time(144, 148)
	}
	switch i.mode & 0xf000 {
	case 0x8000:
		n.kind = File
	case 0x4000:
		n.kind = Directory
	case 0xa000:
		n.kind = Link
	default:
		n.kind, n.size = Other, 0
	}
	return n
}

// list reads a directory. The names of an encrypted one are ciphertext.
func (e *ext) list(dir node, emit func(node) error) error {
	i, err := e.inode(dir.id)
	if err != nil {
		return err
	}
	if i.mode&0xf000 != 0x4000 {
		return fmt.Errorf("inode %d is no directory", dir.id)
	}
	in, err := e.content(i)
	if err != nil {
		return err
	}
	if i.flags&inodeInline != 0 {
		return e.inlineDirectory(in, emit)
	}
	b := make([]byte, e.block)
	for left := i.size; left > 0; left -= e.block {
		if _, err := io.ReadFull(in, b); err != nil {
			return err
		}
		if err := e.entries(b, emit); err != nil {
			return err
		}
	}
	return nil
}

// inlineDirectory reads a directory that lies in its inode: four bytes of the
// parent's number first.
func (e *ext) inlineDirectory(in io.Reader, emit func(node) error) error {
	b, err := io.ReadAll(in)
	if err != nil || len(b) < 4 {
		return err
	}
	const inInode = 60
	if err := e.entries(b[4:min(inInode, len(b))], emit); err != nil {
		return err
	}
	return e.entries(b[min(inInode, len(b)):], emit)
}

func (e *ext) entries(b []byte, emit func(node) error) error {
	for len(b) >= 8 {
		number, length, name := uint64(binary.LittleEndian.Uint32(b)), int(binary.LittleEndian.Uint16(b[4:])), int(b[6])
		if e.incompat&extFileType == 0 {
			name |= int(b[7]) << 8
		}
		if length == 0xffff || length == 0 && e.block == 65536 {
			length = 65536
		}
		if length < 8 || length > len(b) || name > length-8 {
			return errors.New("an entry of the directory has a length that leads out of its block")
		}
		if text := string(b[8 : 8+name]); number != 0 && name > 0 && text != "." && text != ".." {
			n, err := e.stat(number)
			if err != nil {
				n = node{id: number, kind: Other, outcome: Damaged, note: err.Error()}
			}
			n.name = text
			if err := emit(n); err != nil {
				return err
			}
		}
		b = b[length:]
	}
	return nil
}

func (e *ext) stat(number uint64) (node, error) {
	i, err := e.inode(number)
	if err != nil {
		return node{}, err
	}
	n := i.node()
	if n.kind != Link {
		return n, nil
	}
	if i.size <= 0 || i.size > linkMost {
		return n, fmt.Errorf("a link of %d bytes", i.size)
	}
	if i.size < 60 && i.flags&(inodeExtents|inodeInline) == 0 {
		n.link = string(i.raw[40 : 40+i.size])
		return n, nil
	}
	in, err := e.content(i)
	if err != nil {
		return n, err
	}
	to := make([]byte, i.size)
	_, err = io.ReadFull(in, to)
	n.link = string(to)
	return n, err
}

func (e *ext) open(n node) (io.Reader, error) {
	i, err := e.inode(n.id)
	if err != nil {
		return nil, err
	}
	if i.flags&inodeEncrypted != 0 {
		return nil, errLocked
	}
	return e.content(i)
}

// content reads the bytes of an inode; what is in no block is zero.
func (e *ext) content(i extInode) (io.Reader, error) {
	if i.flags&inodeInline != 0 {
		return e.inline(i)
	}
	f := &extFile{e: e, size: i.size}
	if i.flags&inodeExtents != 0 {
		f.find = func(block uint64) (stretch, error) { return e.extent(i.raw[40:100], block, extentDepth+1) }
	} else {
		f.find = func(block uint64) (stretch, error) { return e.mapped(i.raw[40:100], block) }
	}
	return f, nil
}

// inline is what lies in the inode itself: in its block map, and in the attribute
// system.data behind its fixed part.
func (e *ext) inline(i extInode) (io.Reader, error) {
	data := append([]byte(nil), i.raw[40:100]...)
	if len(i.raw) > 132 {
		at := 128 + int(binary.LittleEndian.Uint16(i.raw[128:])) + 4
		for p := at; p+16 <= len(i.raw) && i.raw[p] != 0; {
			name, index := int(i.raw[p]), i.raw[p+1]
			offset, size := int(binary.LittleEndian.Uint16(i.raw[p+2:])), int(binary.LittleEndian.Uint32(i.raw[p+8:]))
			if p+16+name <= len(i.raw) && index == 7 && string(i.raw[p+16:p+16+name]) == "data" && size >= 0 && at+offset+size <= len(i.raw) && at+offset >= 0 {
				data = append(data, i.raw[at+offset:at+offset+size]...)
			}
			p += (16 + name + 3) &^ 3
		}
	}
	if i.size > int64(len(data)) {
		return nil, fmt.Errorf("it claims %d bytes inside its inode, which has %d", i.size, len(data))
	}
	return &sliceReader{data[:i.size]}, nil
}

type sliceReader struct{ b []byte }

// Read implements io.Reader.
func (s *sliceReader) Read(p []byte) (int, error) {
	if len(s.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.b)
	s.b = s.b[n:]
	return n, nil
}
