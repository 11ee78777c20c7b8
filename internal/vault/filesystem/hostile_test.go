package filesystem

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// small is a small image of ext4 with a directory in a directory, for damage.
func small(t testing.TB) []byte {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"a/b/c.txt": "EXERCISE c", "d.txt": "EXERCISE d", "e.txt": "EXERCISE e"} {
		p := filepath.Join(dir, "src", name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(p), 0o755), os.WriteFile(p, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	mke2fs := "/usr/sbin/mke2fs"
	if _, err := os.Stat(mke2fs); err != nil {
		t.Skip("mke2fs is not installed (Debian: e2fsprogs)")
	}
	image := filepath.Join(dir, "image")
	if out, err := exec.Command(mke2fs, "-q", "-t", "ext4", "-b", "1024", "-N", "32", "-O", "^has_journal,^metadata_csum", "-d", filepath.Join(dir, "src"), image, "256k").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	b, err := os.ReadFile(image)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// everything walks what a media has and keeps nothing but how it went.
func everything(t testing.TB, b []byte, limits Limits) (list []Entry, vols []Volume) {
	t.Helper()
	r := bytes.NewReader(b)
	volumes, _, err := Volumes(r, int64(len(b)))
	if err != nil {
		return nil, nil
	}
	for _, v := range volumes {
		if v.Outcome != "" {
			vols = append(vols, v)
			continue
		}
		v, err := Walk(r, v, limits, Visit{
			Begin: func(Entry) error { return nil },
			File: func(_ Entry, in io.Reader) (string, string, error) {
				_, _ = io.Copy(io.Discard, in) // what ends it is the entry's outcome
				return "", "", nil
			},
			Done: func(e Entry) error { list = append(list, e); return nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		vols = append(vols, v)
	}
	return list, vols
}

func TestHostileNamesAndCirclesAreOutcomes(t *testing.T) {
	t.Parallel()
	good := small(t)
	swap := func(from, to string) []byte {
		if len(from) != len(to) || !bytes.Contains(good, []byte(from)) {
			t.Fatalf("%q and %q", from, to)
		}
		return bytes.ReplaceAll(good, []byte(from), []byte(to))
	}
	outcome := func(b []byte, path string) (Entry, bool) {
		list, _ := everything(t, b, generous)
		for _, e := range list {
			if e.Path == path {
				return e, true
			}
		}
		return Entry{}, false
	}
	for name, c := range map[string]struct {
		image         []byte
		path, outcome string
	}{
		"slash":     {swap("d.txt", "../../"[:5]), "../..", Damaged},
		"NUL":       {swap("d.txt", "d\x00txt"), "d\x00txt", Damaged},
		"not UTF-8": {swap("d.txt", "d\xfftxt"), "d\xfftxt", ""},
	} {
		if e, ok := outcome(c.image, c.path); !ok || e.Outcome != c.outcome || e.Note == "" {
			t.Errorf("%s: %+v, %v", name, e, ok)
		}
	}
	// The directory b inside a becomes a itself: its entry names the inode of a.
	list, _ := everything(t, good, generous)
	var a, b uint64
	for _, e := range list {
		switch e.Path {
		case "a":
			a = e.Inode
		case "a/b":
			b = e.Inode
		}
	}
	entry := binary.LittleEndian.AppendUint32(nil, uint32(b))
	i := bytes.Index(good, append(entry, 0xf4, 3, 1, 2, 'b'))
	if i < 0 {
		for k := 0; k+9 < len(good); k++ {
			if bytes.Equal(good[k:k+4], entry) && good[k+6] == 1 && good[k+8] == 'b' {
				i = k
			}
		}
	}
	circle := bytes.Clone(good)
	binary.LittleEndian.PutUint32(circle[i:], uint32(a))
	if e, ok := outcome(circle, "a/b"); !ok || e.Outcome != Damaged || !strings.Contains(e.Note, "in itself") {
		t.Errorf("a circle: %+v, %v", e, ok)
	}
}

func TestLimitsHold(t *testing.T) {
	t.Parallel()
	good := small(t)
	for name, c := range map[string]struct {
		limits Limits
		entry  bool // the limit is an entry's outcome, not the volume's
	}{
		"entries": {Limits{Entries: 3, Depth: 9, File: 1 << 20, Bytes: 1 << 20, Name: 255}, false},
		"depth":   {Limits{Entries: 99, Depth: 1, File: 1 << 20, Bytes: 1 << 20, Name: 255}, true},
		"file":    {Limits{Entries: 99, Depth: 9, File: 3, Bytes: 1 << 20, Name: 255}, true},
		"bytes":   {Limits{Entries: 99, Depth: 9, File: 1 << 20, Bytes: 15, Name: 255}, true},
		"name":    {Limits{Entries: 99, Depth: 9, File: 1 << 20, Bytes: 1 << 20, Name: 3}, true},
	} {
		list, vols := everything(t, good, c.limits)
		hit := len(vols) == 1 && vols[0].Outcome == Limit && !c.entry
		for _, e := range list {
			hit = hit || c.entry && e.Outcome == Limit && e.Note != ""
		}
		if !hit || int64(len(list)) > c.limits.Entries {
			t.Errorf("%s: %+v %+v", name, vols, list)
		}
	}
}

func TestWhatIsNotReadIsNamed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		at   int
		mark string
	}{
		"LUKS": {0, "LUKS\xba\xbe"}, "BitLocker": {3, "-FVE-FS-"}, "LVM": {512, "LABELONE"}, "Btrfs": {0x10040, "_BHRfS_M"}, "XFS": {0, "XFSB"}, "APFS": {32, "NXSB"}, "HFS+": {1024, "H+\x00"},
		"ReFS": {3, "ReFS"}, "mdraid": {4096, "\xfc\x4e\x2b\xa9"}, "exFAT": {3, "EXFAT   "},
	} {
		b := make([]byte, 256<<10)
		copy(b[c.at:], c.mark)
		vols, _, err := Volumes(bytes.NewReader(b), int64(len(b)))
		if err != nil || len(vols) != 1 || vols[0].System != name || vols[0].Outcome != Refused || !strings.Contains(vols[0].Note, "mount it read-only and seal the directory") {
			t.Errorf("%s: %+v, %v", name, vols, err)
		}
	}
	vols, _, err := Volumes(bytes.NewReader(make([]byte, 4096)), 4096)
	if err != nil || len(vols) != 1 || vols[0].Outcome != Refused {
		t.Errorf("nothing: %+v, %v", vols, err)
	}
}

// A FAT whose chain leads in a circle ends, and so do logical volumes that do.
func TestChainsThatLeadInACircleEnd(t *testing.T) {
	t.Parallel()
	table := make([]byte, 512*8)
	table[446+4], table[510], table[511] = 0x05, 0x55, 0xaa
	binary.LittleEndian.PutUint32(table[446+8:], 2)
	binary.LittleEndian.PutUint32(table[446+12:], 4)
	copy(table[1024:], table[:512])
	clear(table[1024+446 : 1024+462])
	table[1024+446+16+4] = 0x05
	binary.LittleEndian.PutUint32(table[1024+446+16+12:], 4)
	_, _, notes, err := Partitions(bytes.NewReader(table), int64(len(table)))
	if err != nil || len(notes) != 1 || !strings.Contains(notes[0], "leads back") {
		t.Errorf("%q, %v", notes, err)
	}
	f := &fat{ReaderAt: bytes.NewReader(make([]byte, 1<<20)), bits: 16, table: 0, tableEnd: 4096, data: 4096, cluster: 512, count: 100, windowAt: -1}
	b := make([]byte, 1<<20)
	binary.LittleEndian.PutUint16(b[2*5:], 5)
	f.ReaderAt = bytes.NewReader(b)
	if n, err := io.Copy(io.Discard, &chain{f: f, at: 5}); err == nil || n > 101*512 {
		t.Errorf("%d bytes, %v", n, err)
	}
}

func FuzzPartitions(f *testing.F) {
	b := make([]byte, 4096)
	b[510], b[511], b[446+4] = 0x55, 0xaa, 0xee
	copy(b[512:], gptMark)
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		_, list, _, err := Partitions(bytes.NewReader(b), int64(len(b)))
		for _, p := range list {
			if p.Start < 0 || p.Size < 0 || p.Start+p.Size > int64(len(b)) && err == nil {
				t.Errorf("%+v of %d bytes", p, len(b))
			}
		}
	})
}

// FuzzWalk damages real file systems: one byte pattern at one place at a time.
func FuzzWalk(f *testing.F) {
	images := map[string][]byte{"ext4": small(f)}
	for _, c := range []struct{ name, tool string }{{"fat", "/usr/sbin/mkfs.vfat"}, {"ntfs", "/usr/sbin/mkfs.ntfs"}} {
		image := filepath.Join(f.TempDir(), c.name)
		if os.WriteFile(image, make([]byte, 1200<<10), 0o600) != nil {
			continue
		}
		args := []string{image}
		if c.name == "ntfs" {
			args = []string{"-q", "-F", image}
		}
		if exec.Command(c.tool, args...).Run() == nil {
			if b, err := os.ReadFile(image); err == nil {
				images[c.name] = b
			}
		}
	}
	for kind := range images {
		f.Add(kind, uint32(1024), uint64(0xffffffffffffffff))
		f.Add(kind, uint32(1060), uint64(0))
	}
	f.Fuzz(func(t *testing.T, kind string, at uint32, value uint64) {
		good, ok := images[kind]
		if !ok {
			return
		}
		b := bytes.Clone(good)
		k := int(at) % (len(b) - 8)
		binary.LittleEndian.PutUint64(b[k:], binary.LittleEndian.Uint64(b[k:])^value)
		list, _ := everything(t, b, Limits{Entries: 1000, Depth: 16, File: 1 << 24, Bytes: 1 << 26, Name: 1024})
		if len(list) > 1000 {
			t.Error(fmt.Sprint(len(list), " entries"))
		}
	})
}
