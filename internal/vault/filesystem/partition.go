package filesystem

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"unicode/utf16"
)

const (
	sector = 512
	// volumesMost bounds the volumes of one image, a table's entries.
	volumesMost = 1024
	gptMark     = "EFI PART"
)

// Schemes of dividing a media.
const (
	SchemeNone = "none" // one volume, from the first byte on
	SchemeMBR  = "mbr"
	SchemeGPT  = "gpt"
)

// Partition is a stretch of the media that a table names.
type Partition struct {
	Start, Size int64  // bytes
	Type        string // the table's own: 0x83 of an MBR, a GUID of a GPT
	Name        string // of a GPT
}

// Partitions reads the table of a media: MBR (with extended partitions) or GPT
// (UEFI 2.10, 5.3; the second header where the first is damaged). The notes say
// what is wrong with the table. Without a table the media is one volume.
func Partitions(r io.ReaderAt, size int64) (scheme string, list []Partition, notes []string, err error) {
	head := make([]byte, sector)
	if err := readFull(r, head, 0); err != nil {
		return "", nil, nil, fmt.Errorf("the media's first sector is not read: %w", err)
	}
	whole := []Partition{{Size: size}}
	if head[510] != 0x55 || head[511] != 0xaa {
		return SchemeNone, whole, nil, nil
	}
	for _, width := range []int64{512, 4096} {
		mark := make([]byte, 8)
		if readFull(r, mark, width) == nil && string(mark) == gptMark || protective(head) && width == 512 {
			return gpt(r, size)
		}
	}
	// A volume without a table ends its first sector with the same two bytes.
	if system, _ := Recognise(r, 0, size); system != "" && system != systemISO {
		return SchemeNone, whole, nil, nil
	}
	list, notes = mbr(r, size, head)
	if len(list) == 0 {
		return SchemeNone, whole, notes, nil
	}
	return SchemeMBR, list, notes, nil
}

// protective reports whether an MBR says that a GPT stands behind it.
func protective(head []byte) bool {
	for i := range 4 {
		if head[446+16*i+4] == 0xee {
			return true
		}
	}
	return false
}

func extended(kind byte) bool { return kind == 0x05 || kind == 0x0f || kind == 0x85 }

func mbr(r io.ReaderAt, size int64, head []byte) (list []Partition, notes []string) {
	add := func(kind byte, start, count int64) {
		p := Partition{Start: start * sector, Size: count * sector, Type: fmt.Sprintf("0x%02x", kind)}
		if p.Start >= size {
			notes = append(notes, fmt.Sprintf("a partition of type %s begins at byte %d, behind the end of the media", p.Type, p.Start))
			return
		}
		if p.Start+p.Size > size {
			notes = append(notes, fmt.Sprintf("the partition at byte %d goes %d bytes beyond the end of the media", p.Start, p.Start+p.Size-size))
			p.Size = size - p.Start
		}
		list = append(list, p)
	}
	for i := range 4 {
		kind, start, count := entry(head, i)
		switch {
		case kind == 0 || count == 0:
		case extended(kind):
			notes = append(notes, logical(r, start, add)...)
		default:
			add(kind, start, count)
		}
	}
	return list, notes
}

func entry(b []byte, i int) (kind byte, start, count int64) {
	e := b[446+16*i:]
	return e[4], int64(binary.LittleEndian.Uint32(e[8:])), int64(binary.LittleEndian.Uint32(e[12:]))
}

// logical follows the chain of an extended partition, each link once.
func logical(r io.ReaderAt, base int64, add func(kind byte, start, count int64)) (notes []string) {
	seen := map[int64]bool{}
	b := make([]byte, sector)
	for at := base; !seen[at] && len(seen) < volumesMost; {
		seen[at] = true
		if err := readFull(r, b, at*sector); err != nil || b[510] != 0x55 || b[511] != 0xaa {
			return append(notes, fmt.Sprintf("the chain of logical volumes breaks at byte %d", at*sector))
		}
		if kind, start, count := entry(b, 0); kind != 0 && count != 0 && !extended(kind) {
			add(kind, at+start, count)
		}
		kind, next, count := entry(b, 1)
		if !extended(kind) || count == 0 {
			return notes
		}
		if at = base + next; seen[at] {
			notes = append(notes, fmt.Sprintf("the chain of logical volumes leads back to byte %d", at*sector))
		}
	}
	return notes
}

func gpt(r io.ReaderAt, size int64) (scheme string, list []Partition, notes []string, err error) {
	var problems []error
	for _, width := range []int64{512, 4096} {
		for _, at := range []int64{width, (size/width - 1) * width} {
			list, err := gptAt(r, size, at, width)
			if err == nil {
				if at != width {
					notes = append(notes, "the first GPT is damaged; the second, at the end of the media, was read")
				}
				return SchemeGPT, list, notes, nil
			}
			if width == 512 {
				problems = append(problems, err)
			}
		}
	}
	return "", nil, nil, fmt.Errorf("the GPT is damaged, both its copies: %w", errors.Join(problems...))
}

func gptAt(r io.ReaderAt, size, at, width int64) (list []Partition, err error) {
	h := make([]byte, sector)
	if err := readFull(r, h, at); err != nil {
		return nil, err
	}
	length := binary.LittleEndian.Uint32(h[12:])
	if string(h[:8]) != gptMark || length < 92 || length > sector {
		return nil, fmt.Errorf("no GPT at byte %d", at)
	}
	sum := binary.LittleEndian.Uint32(h[16:])
	clear(h[16:20])
	if crc32.ChecksumIEEE(h[:length]) != sum {
		return nil, fmt.Errorf("the GPT at byte %d has another checksum than its own", at)
	}
	first, count, each := binary.LittleEndian.Uint64(h[72:]), int64(binary.LittleEndian.Uint32(h[80:])), int64(binary.LittleEndian.Uint32(h[84:]))
	if count > volumesMost || each < 128 || each > 4096 || first > uint64(size/width) {
		return nil, fmt.Errorf("the GPT at byte %d claims %d entries of %d bytes; at most %d are read", at, count, each, volumesMost)
	}
	table := make([]byte, count*each)
	if err := readFull(r, table, int64(first)*width); err != nil {
		return nil, err
	}
	if crc32.ChecksumIEEE(table) != binary.LittleEndian.Uint32(h[88:]) {
		return nil, fmt.Errorf("the entries of the GPT at byte %d have another checksum than their own", at)
	}
	for ; len(table) > 0; table = table[each:] {
		e := table[:each]
		if bytes.Equal(e[:16], make([]byte, 16)) {
			continue
		}
		from, to := binary.LittleEndian.Uint64(e[32:]), binary.LittleEndian.Uint64(e[40:])
		if from > to || from >= uint64(size/width) {
			return nil, fmt.Errorf("an entry of the GPT at byte %d leads from sector %d to %d", at, from, to)
		}
		end := min(int64(min(to, uint64(size/width)))+1, size/width)
		list = append(list, Partition{Start: int64(from) * width, Size: (end - int64(from)) * width, Type: guid(e), Name: utf16Text(e[56:128], binary.LittleEndian)})
	}
	return list, nil
}

func guid(b []byte) string {
	return fmt.Sprintf("%08x-%04x-%04x-%x-%x", binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint16(b[4:]), binary.LittleEndian.Uint16(b[6:]), b[8:10], b[10:16])
}

// utf16Text is a text up to its first NUL.
func utf16Text(b []byte, order binary.ByteOrder) string {
	var units []uint16
	for ; len(b) >= 2; b = b[2:] {
		u := order.Uint16(b)
		if u == 0 {
			break
		}
		units = append(units, u)
	}
	return string(utf16.Decode(units))
}

// readFull reads all of p; a media that ends before is an error.
func readFull(r io.ReaderAt, p []byte, at int64) error {
	if at < 0 {
		return errors.New("a place before the beginning")
	}
	n, err := r.ReadAt(p, at)
	if n == len(p) {
		return nil
	}
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}
