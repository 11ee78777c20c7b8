package filesystem

import (
	"bytes"
	"encoding/binary"
	"io"
)

// Systems that are read.
const (
	systemExt   = "ext" // which of the three its features say
	systemFAT   = "fat" // which of the three its clusters say
	systemNTFS  = "ntfs"
	systemISO   = "iso9660"
	unsupported = "not supported: mount it read-only and seal the directory"
)

// Recognise tells what lies on a volume by its signatures. supported is false
// for what is known and not read; the empty text stands for what is not known.
func Recognise(r io.ReaderAt, start, size int64) (system string, supported bool) {
	at := func(offset int64, n int) []byte {
		b := make([]byte, n)
		if offset < 0 || offset+int64(n) > size || readFull(r, b, start+offset) != nil {
			return nil
		}
		return b
	}
	is := func(offset int64, mark string) bool { return string(at(offset, len(mark))) == mark }
	// What encrypts or spreads a volume comes first: what lies inside may shine through.
	for _, s := range [...]struct {
		offset int64
		mark   string
		system string
	}{
		{0, "LUKS\xba\xbe", "LUKS"}, {3, "-FVE-FS-", "BitLocker"}, {512, "LABELONE", "LVM"}, {0, "LABELONE", "LVM"},
		{0, "\xfc\x4e\x2b\xa9", "mdraid"}, {4096, "\xfc\x4e\x2b\xa9", "mdraid"}, {(size&^0xffff - 0x10000), "\xfc\x4e\x2b\xa9", "mdraid"}, {(size&^0xfff - 0x2000), "\xfc\x4e\x2b\xa9", "mdraid"},
		{0x10040, "_BHRfS_M", "Btrfs"}, {0, "XFSB", "XFS"}, {32, "NXSB", "APFS"}, {1024, "H+\x00", "HFS+"}, {1024, "HX\x00", "HFS+"}, {1024, "BD", "HFS"},
		{3, "\x00\x00\x00\x00ReFS"[4:], "ReFS"}, {3, "EXFAT   ", "exFAT"}, {0, "hsqs", "SquashFS"}, {1024, "\x10\x20\xf5\xf2", "F2FS"},
		{4086, "SWAPSPACE2", "swap"}, {65526, "SWAPSPACE2", "swap"},
	} {
		if is(s.offset, s.mark) {
			return s.system, false
		}
	}
	switch {
	case is(3, "NTFS    "):
		return systemNTFS, true
	case is(1024+56, "\x53\xef"):
		return systemExt, true
	case is(32769, "CD001"):
		return systemISO, true
	case fatBoot(at(0, sector)):
		return systemFAT, true
	}
	return "", false
}

// fatBoot reports whether a boot sector can be one of FAT: it has no mark that
// all programs write, so that its numbers are judged (Microsoft, FAT 1.03, 3).
func fatBoot(b []byte) bool {
	if len(b) < sector || b[510] != 0x55 || b[511] != 0xaa || b[0] != 0xeb && b[0] != 0xe9 {
		return false
	}
	width, per := binary.LittleEndian.Uint16(b[11:]), b[13]
	return (width == 512 || width == 1024 || width == 2048 || width == 4096) && per != 0 && per&(per-1) == 0 &&
		binary.LittleEndian.Uint16(b[14:]) != 0 && (b[16] == 1 || b[16] == 2) && (b[21] >= 0xf8 || b[21] == 0xf0) &&
		(bytes.HasPrefix(b[54:], []byte("FAT")) || bytes.HasPrefix(b[82:], []byte("FAT32")) || binary.LittleEndian.Uint16(b[22:]) != 0 && binary.LittleEndian.Uint16(b[17:]) != 0)
}

// Media reports whether bytes begin a media that is worth looking at: a
// partition table or a file system.
func Media(r io.ReaderAt, size int64) bool {
	if system, _ := Recognise(r, 0, size); system != "" {
		return true
	}
	if size < 2*sector {
		return false
	}
	scheme, list, _, err := Partitions(r, size)
	if err != nil || scheme == SchemeNone {
		return err != nil && size >= 64*sector
	}
	for _, p := range list {
		if system, _ := Recognise(r, p.Start, p.Size); system != "" {
			return true
		}
	}
	return scheme == SchemeGPT
}
