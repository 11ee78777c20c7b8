package filesystem

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"
)

const isoBlock = 2048

// iso is an opened ISO 9660 (ECMA-119), with the names of Rock Ridge (IEEE P1282)
// or, without those, of Joliet.
type iso struct {
	io.ReaderAt
	size   int64
	block  int64
	joliet bool
	rock   bool
	skip   int // bytes before the system use of an entry (SUSP, the field SP)
	// parts are the further extents of files that have more than one.
	parts map[uint64][]isoPart
}

type isoPart struct{ at, size int64 }

func openISO(r io.ReaderAt, size int64) (*system, error) {
	i := &iso{ReaderAt: r, size: size, block: isoBlock, parts: map[uint64][]isoPart{}}
	b := make([]byte, isoBlock)
	var primary, joliet []byte
	for k := int64(16); k < 64; k++ {
		if err := readFull(r, b, k*isoBlock); err != nil || string(b[1:6]) != "CD001" || b[0] == 255 {
			break
		}
		switch {
		case b[0] == 1 && primary == nil:
			primary = append([]byte(nil), b...)
		case b[0] == 2 && b[88] == '%' && b[89] == '/' && strings.ContainsRune("@CE", rune(b[90])):
			joliet = append([]byte(nil), b...)
		}
	}
	if primary == nil {
		return nil, errors.New("it has no primary volume descriptor")
	}
	if w := int64(binary.LittleEndian.Uint16(primary[128:])); w == 512 || w == 1024 || w == 2048 {
		i.block = w
	}
	s := &system{name: "iso9660", times: "1s", list: i.list, open: i.open, label: strings.TrimRight(string(primary[40:72]), " ")}
	root := primary[156:190]
	if first, err := i.record(int64(binary.LittleEndian.Uint32(root[2:]))*i.block, 0); err == nil {
		if sp := suspAt(first); len(sp) >= 7 && string(sp[:2]) == "SP" && sp[4] == 0xbe && sp[5] == 0xef {
			i.rock, i.skip = true, int(sp[6])
		}
	}
	if !i.rock && joliet != nil {
		i.joliet, root = true, joliet[156:190]
		s.label = strings.TrimRight(utf16Text(joliet[40:72], binary.BigEndian), " ")
	}
	s.root = uint64(binary.LittleEndian.Uint32(root[2:]))
	s.rootSize = int64(binary.LittleEndian.Uint32(root[10:]))
	return s, nil
}

// record reads the entry at a place.
func (i *iso) record(at int64, most int64) ([]byte, error) {
	b := make([]byte, 255)
	n, err := i.ReadAt(b, at)
	if n < 34 || int(b[0]) < 34 || int(b[0]) > n {
		return nil, errors.Join(err, errors.New("no entry"))
	}
	return b[:b[0]], nil
}

// suspAt is the system use of an entry.
func suspAt(rec []byte) []byte {
	at := 33 + int(rec[32])
	if at&1 != 0 {
		at++
	}
	if at >= len(rec) {
		return nil
	}
	return rec[at:]
}

func (i *iso) list(dir node, emit func(node) error) error {
	at, left := int64(dir.id)*i.block, dir.size
	if left > i.size || at+left > i.size {
		return errors.New("the directory lies behind the volume's end")
	}
	block := make([]byte, i.block)
	var pending *node
	for ; left > 0; left -= i.block {
		if err := readFull(i, block[:min(left, i.block)], at); err != nil {
			return err
		}
		for b := block[:min(left, i.block)]; len(b) > 0 && b[0] != 0; {
			if int(b[0]) < 34 || int(b[0]) > len(b) || 33+int(b[32]) > int(b[0]) {
				return errors.New("an entry of the directory has a length that leads out of its block")
			}
			if err := i.entry(b[:b[0]], &pending, emit); err != nil {
				return err
			}
			b = b[b[0]:]
		}
		at += i.block
	}
	return nil
}

// entry reads one record. A file of several extents has one for each; all but the
// last say that more follow.
func (i *iso) entry(rec []byte, pending **node, emit func(node) error) error {
	const more = 0x80
	if rec[32] == 1 && rec[33] <= 1 {
		return nil // the directory itself, and its parent
	}
	le := binary.LittleEndian
	n := node{id: uint64(le.Uint32(rec[2:])) + uint64(rec[1]), size: int64(le.Uint32(rec[10:])), links: 1, kind: File, modified: isoTime(rec[18:25])}
	if rec[25]&2 != 0 {
		n.kind = Directory
	}
	raw := rec[33 : 33+int(rec[32])]
	if i.joliet {
		n.name = utf16Text(raw, binary.BigEndian)
	} else {
		n.name = string(raw)
	}
	if n.kind == File {
		n.name, _, _ = strings.Cut(n.name, ";")
		n.name = strings.TrimSuffix(n.name, ".")
	}
	if i.rock {
		if err := i.rockRidge(rec, &n); err != nil {
			n.outcome, n.note = Damaged, err.Error()
		}
	}
	if *pending != nil {
		p := *pending
		i.parts[p.id] = append(i.parts[p.id], isoPart{int64(n.id) * i.block, n.size})
		p.size += n.size
		n = *p
	} else if rec[25]&more != 0 {
		i.parts[n.id] = []isoPart{{int64(n.id) * i.block, n.size}}
	}
	if rec[25]&more != 0 {
		*pending = &n
		return nil
	}
	*pending = nil
	return emit(n)
}

var errRelocated = errors.New("a directory of Rock Ridge that was moved away")

// rockRidge reads names, types, times and links of an entry's system use and of
// what continues it.
func (i *iso) rockRidge(rec []byte, n *node) error {
	area := suspAt(rec)
	if len(area) < i.skip {
		return nil
	}
	area = area[i.skip:]
	var name strings.Builder
	named, link := false, slLink{}
	for range 32 { // areas that continue one another
		var after []byte
		for len(area) >= 4 && int(area[2]) >= 4 && int(area[2]) <= len(area) {
			f := area[:area[2]]
			area = area[area[2]:]
			switch {
			case string(f[:2]) == "NM" && len(f) >= 5 && f[4]&6 == 0:
				named = true
				name.Write(f[5:])
			case string(f[:2]) == "PX" && len(f) >= 12:
				px(binary.LittleEndian.Uint32(f[4:]), n)
			case string(f[:2]) == "SL" && len(f) >= 5:
				link.add(f[5:])
			case string(f[:2]) == "TF" && len(f) >= 5:
				tf(f, n)
			case string(f[:2]) == "CL" && len(f) >= 12:
				// The directory was moved: what stands there is its content.
				at := int64(binary.LittleEndian.Uint32(f[4:]))
				first, err := i.record(at*i.block, 0)
				if err != nil {
					return errRelocated
				}
				n.kind, n.id, n.size = Directory, uint64(at), int64(binary.LittleEndian.Uint32(first[10:]))
			case string(f[:2]) == "CE" && len(f) >= 28:
				at, off, size := int64(binary.LittleEndian.Uint32(f[4:])), int64(binary.LittleEndian.Uint32(f[12:])), int64(binary.LittleEndian.Uint32(f[20:]))
				if size > 64<<10 {
					return errors.New("what continues its entry is too long")
				}
				after = make([]byte, size)
				if err := readFull(i, after, at*i.block+off); err != nil {
					return err
				}
			}
		}
		if after == nil {
			break
		}
		area = after
	}
	if named {
		n.name = name.String()
	}
	if n.kind == Link {
		n.link = link.String()
	}
	return nil
}

func px(mode uint32, n *node) {
	switch mode & 0xf000 {
	case 0x8000, 0x4000:
	case 0xa000:
		n.kind, n.size = Link, 0
	default:
		n.kind, n.size = Other, 0
	}
}

// tf reads the times of an entry: those whose bits are set, in their order.
func tf(f []byte, n *node) {
	width, flags := 7, f[4]
	if flags&0x80 != 0 {
		width = 17
	}
	at := 5
	for k, to := range []*time.Time{&n.born, &n.modified, &n.accessed, &n.changed} {
		if flags&(1<<k) == 0 {
			continue
		}
		if at+width > len(f) {
			return
		}
		if width == 7 {
			*to = isoTime(f[at:])
		} else if t, err := time.Parse("20060102150405", string(f[at:at+14])); err == nil {
			*to = t.Add(-time.Duration(int8(f[at+16])) * 15 * time.Minute)
		}
		at += width
	}
}

// isoTime is a time of an entry: years since 1900, and the zone in quarters.
func isoTime(b []byte) time.Time {
	if b[1] == 0 {
		return time.Time{}
	}
	t := time.Date(1900+int(b[0]), time.Month(b[1]), int(b[2]), int(b[3]), int(b[4]), int(b[5]), 0, time.UTC)
	return t.Add(-time.Duration(int8(b[6])) * 15 * time.Minute)
}

// slLink puts a link together of its parts.
type slLink struct {
	text string
	open bool // the last part goes on in the next
}

func (l *slLink) add(b []byte) {
	for len(b) >= 2 && 2+int(b[1]) <= len(b) {
		part := string(b[2 : 2+int(b[1])])
		switch {
		case b[0]&2 != 0:
			part = "."
		case b[0]&4 != 0:
			part = ".."
		case b[0]&8 != 0:
			part = ""
		}
		if !l.open && l.text != "" && l.text != "/" {
			l.text += "/"
		}
		if b[0]&8 != 0 {
			l.text = "/"
		}
		l.text, l.open = l.text+part, b[0]&1 != 0
		b = b[2+int(b[1]):]
	}
}

// String is the link.
func (l *slLink) String() string { return l.text }

func (i *iso) open(n node) (io.Reader, error) {
	parts := i.parts[n.id]
	if parts == nil {
		parts = []isoPart{{int64(n.id) * i.block, n.size}}
	}
	var in []io.Reader
	for _, p := range parts {
		if p.size > i.size || p.at > math.MaxInt64-p.size || p.at+p.size > i.size {
			return nil, fmt.Errorf("%d bytes at byte %d go beyond the volume's end", p.size, p.at)
		}
		in = append(in, io.NewSectionReader(i, p.at, p.size))
	}
	return io.MultiReader(in...), nil
}
