package filesystem

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/text/encoding/charmap"
)

// fat is an opened FAT12, FAT16 or FAT32 (Microsoft, "FAT32 File System
// Specification" 1.03). The table stays on the media; one window of it is kept.
type fat struct {
	io.ReaderAt
	bits     int
	table    int64 // where the first table begins
	tableEnd int64
	fixed    [2]int64 // the root directory of FAT12 and 16
	data     int64    // where cluster 2 begins
	cluster  int64    // bytes
	count    uint32   // clusters
	window   []byte
	windowAt int64
}

// fatFixed is the id of the root directory of FAT12 and FAT16, which is in no
// cluster.
const fatFixed = 0

func openFAT(r io.ReaderAt, size int64) (*system, error) {
	b := make([]byte, sector)
	if err := readFull(r, b, 0); err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	width, per := int64(le.Uint16(b[11:])), int64(b[13])
	reserved, tables, roots := int64(le.Uint16(b[14:])), int64(b[16]), int64(le.Uint16(b[17:]))
	total, each := int64(le.Uint16(b[19:])), int64(le.Uint16(b[22:]))
	if total == 0 {
		total = int64(le.Uint32(b[32:]))
	}
	if each == 0 {
		each = int64(le.Uint32(b[36:]))
	}
	f := &fat{ReaderAt: r, cluster: width * per, table: reserved * width, tableEnd: (reserved + each) * width, windowAt: -1}
	first := reserved + tables*each + (roots*32+width-1)/width
	f.fixed = [2]int64{(reserved + tables*each) * width, (reserved+tables*each)*width + roots*32}
	f.data = first * width
	if f.cluster == 0 || total <= first || f.data >= size {
		return nil, errors.New("its first sector has numbers that no FAT has")
	}
	clusters := (total - first) / per
	note := ""
	if there := (size - f.data) / f.cluster; clusters > there {
		note = fmt.Sprintf("it claims %d clusters, and the volume holds %d: it is cut short", clusters, there)
		clusters = there
	}
	s := &system{times: "modified 2s, accessed 1 day, born 10ms, in the local time of what wrote it", local: true, list: f.list, open: f.open, note: note, root: fatFixed}
	label := b[43:54]
	switch {
	case clusters < 4085:
		f.bits, s.name = 12, "fat12"
	case clusters < 65525:
		f.bits, s.name = 16, "fat16"
	default:
		f.bits, s.name, label, s.root = 32, "fat32", b[71:82], uint64(le.Uint32(b[44:]))
	}
	// A small volume may be made as FAT32 all the same: then it has no fixed root.
	if roots == 0 && le.Uint16(b[22:]) == 0 {
		f.bits, s.name, label, s.root = 32, "fat32", b[71:82], uint64(le.Uint32(b[44:]))
	}
	f.count = uint32(min(clusters, 0x0ffffff5))
	s.label = strings.TrimRight(oemText(label), " ")
	return s, nil
}

// next follows the chain; more is false at its end.
func (f *fat) next(c uint32) (to uint32, more bool, err error) {
	var at int64
	switch f.bits {
	case 12:
		at = int64(c) + int64(c)/2
	case 16:
		at = 2 * int64(c)
	default:
		at = 4 * int64(c)
	}
	b := make([]byte, 4)
	n := max(2, f.bits/8)
	if err := f.fromTable(b[:n], at); err != nil {
		return 0, false, err
	}
	v := binary.LittleEndian.Uint32(b)
	end := uint32(0x0ffffff8)
	switch f.bits {
	case 12:
		if c&1 != 0 {
			v >>= 4
		}
		v, end = v&0xfff, 0xff8
	case 16:
		end = 0xfff8
	default:
		v &= 0x0fffffff
	}
	if v >= end {
		return 0, false, nil
	}
	if v < 2 || v-2 >= f.count {
		return 0, false, fmt.Errorf("its chain leads from cluster %d to %d, which is none", c, v)
	}
	return v, true, nil
}

func (f *fat) fromTable(p []byte, at int64) error {
	const keep = 64 << 10
	at += f.table
	if at+int64(len(p)) > f.tableEnd {
		return errors.New("its chain leads out of the table")
	}
	if f.windowAt < 0 || at < f.windowAt || at+int64(len(p)) > f.windowAt+int64(len(f.window)) {
		f.window, f.windowAt = make([]byte, min(keep, f.tableEnd-at)), at
		if err := readFull(f, f.window, at); err != nil {
			f.windowAt = -1
			return err
		}
	}
	copy(p, f.window[at-f.windowAt:])
	return nil
}

// chain reads the clusters of a file or a directory one after the other. A chain
// cannot be longer than there are clusters; one that is, leads in a circle.
type chain struct {
	f      *fat
	at     uint32
	inside int64
	done   uint32
	ended  bool
}

// Read implements io.Reader.
func (c *chain) Read(p []byte) (int, error) {
	if c.ended {
		return 0, io.EOF
	}
	if c.at < 2 || c.at-2 >= c.f.count {
		return 0, fmt.Errorf("there is no cluster %d", c.at)
	}
	p = p[:min(int64(len(p)), c.f.cluster-c.inside)]
	if err := readFull(c.f, p, c.f.data+int64(c.at-2)*c.f.cluster+c.inside); err != nil {
		return 0, err
	}
	if c.inside += int64(len(p)); c.inside < c.f.cluster {
		return len(p), nil
	}
	c.inside = 0
	if c.done++; c.done > c.f.count {
		return len(p), errors.New("its chain of clusters leads in a circle")
	}
	to, more, err := c.f.next(c.at)
	c.at, c.ended = to, !more
	if err != nil {
		c.at, c.ended = 0, false // the next reading fails, this one is good
	}
	return len(p), nil
}

func (f *fat) open(n node) (io.Reader, error) {
	if n.size == 0 {
		return &sliceReader{}, nil
	}
	return io.LimitReader(&chain{f: f, at: uint32(n.id)}, n.size), nil
}

// Attributes of an entry.
const (
	fatLabel = 0x08
	fatDir   = 0x10
	fatLong  = 0x0f
)

func (f *fat) list(dir node, emit func(node) error) error {
	var in io.Reader = &chain{f: f, at: uint32(dir.id)}
	if dir.id == fatFixed && f.bits != 32 {
		in = io.NewSectionReader(f, f.fixed[0], f.fixed[1]-f.fixed[0])
	}
	b := make([]byte, 32)
	var long longName
	for {
		if _, err := io.ReadFull(in, b); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		switch {
		case b[0] == 0:
			return nil
		case b[0] == 0xe5: // deleted
			long = longName{}
			continue
		case b[11]&0x3f == fatLong:
			long.add(b)
			continue
		case b[11]&fatLabel != 0, b[0] == '.':
			long = longName{}
			continue
		}
		n := f.entry(b)
		if name := long.text(b); name != "" {
			n.name = name
		}
		long = longName{}
		if err := emit(n); err != nil {
			return err
		}
	}
}

func (f *fat) entry(b []byte) node {
	le := binary.LittleEndian
	n := node{kind: File, size: int64(le.Uint32(b[28:])), id: uint64(le.Uint16(b[26:])), links: 1,
		modified: dosTime(le.Uint16(b[24:]), le.Uint16(b[22:]), 0), accessed: dosTime(le.Uint16(b[18:]), 0, 0), born: dosTime(le.Uint16(b[16:]), le.Uint16(b[14:]), b[13])}
	if f.bits == 32 {
		n.id |= uint64(le.Uint16(b[20:])) << 16
	}
	if b[11]&fatDir != 0 {
		n.kind, n.size = Directory, 0
	}
	name := append([]byte(nil), b[:8]...)
	if name[0] == 5 {
		name[0] = 0xe5
	}
	base, ext := strings.TrimRight(oemText(name), " "), strings.TrimRight(oemText(b[8:11]), " ")
	if b[12]&8 != 0 {
		base = strings.ToLower(base)
	}
	if b[12]&16 != 0 {
		ext = strings.ToLower(ext)
	}
	if n.name = base; ext != "" {
		n.name += "." + ext
	}
	return n
}

// oemText is a short name; which code page wrote it nobody says, so that of the
// first PC stands for all.
func oemText(b []byte) string {
	text, err := charmap.CodePage437.NewDecoder().Bytes(b)
	if err != nil {
		return string(b)
	}
	return string(text)
}

// longName gathers the entries before a short one, the last part first.
type longName struct {
	parts  [20][]byte
	count  int
	wanted int
	sum    byte
}

func (l *longName) add(b []byte) {
	k := int(b[0] & 0x3f)
	if b[0]&0x40 != 0 {
		*l = longName{wanted: k, sum: b[13]}
	}
	if k < 1 || k > len(l.parts) || b[13] != l.sum || k > l.wanted || l.parts[k-1] != nil {
		*l = longName{}
		return
	}
	part := append(append(append([]byte(nil), b[1:11]...), b[14:26]...), b[28:32]...)
	l.parts[k-1] = part
	l.count++
}

// text is the name, where it belongs to the short entry behind it.
func (l *longName) text(short []byte) string {
	if l.wanted == 0 || l.count != l.wanted {
		return ""
	}
	sum := byte(0)
	for _, c := range short[:11] {
		sum = sum>>1 | sum<<7
		sum += c
	}
	if sum != l.sum {
		return ""
	}
	var all []byte
	for _, p := range l.parts[:l.wanted] {
		all = append(all, p...)
	}
	return utf16Text(all, binary.LittleEndian)
}

// dosTime is a time of FAT as if its zone were UTC: it names none.
func dosTime(date, clock uint16, hundredths byte) time.Time {
	if date == 0 {
		return time.Time{}
	}
	t := time.Date(1980+int(date>>9), time.Month(date>>5&15), int(date&31), int(clock>>11), int(clock>>5&63), 2*int(clock&31), 0, time.UTC)
	return t.Add(time.Duration(hundredths) * 10 * time.Millisecond)
}
