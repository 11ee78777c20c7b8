package filesystem

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var generous = Limits{Entries: 100_000, Depth: 64, File: 1 << 32, Bytes: 1 << 34, Name: 4096}

// tool finds a program that makes or reads images; without it the test says so.
func tool(t *testing.T, names ...string) {
	t.Helper()
	for _, n := range names {
		if _, err := exec.LookPath(n); err != nil {
			if _, err := os.Stat("/usr/sbin/" + n); err != nil {
				t.Skipf("%s is not installed (Debian: sleuthkit, e2fsprogs, dosfstools, mtools, ntfs-3g, genisoimage, fdisk)", n)
			}
		}
	}
}

func run(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		name = "/usr/sbin/" + name
	}
	var errs bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "MTOOLS_SKIP_CHECK=1", "TZ=UTC")
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, errs.String())
	}
	return out
}

// sample is a tree of files that file systems find hard: empty, long, with holes,
// many in one directory, deep, linked, with names in Arabic.
func sample(t *testing.T, links bool) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "src")
	put := func(name string, b []byte) {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("EXERCISE.txt", []byte("EXERCISE\n"))
	put("empty", nil)
	put("a/b/c/deep and spaced.txt", []byte("EXERCISE deep"))
	put("تمرين/ملف.txt", []byte("تمرين"))
	long := make([]byte, 3_000_001)
	for i := range long {
		long[i] = byte(i * i >> 7)
	}
	put("long.bin", long)
	for i := range 300 {
		put(fmt.Sprintf("many/a file with a rather long name, number %03d.txt", i), []byte(fmt.Sprint("EXERCISE ", i)))
	}
	if links {
		f, err := os.Create(filepath.Join(dir, "holes.bin"))
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []int64{40_000, 1_300_000, 9_000_000} {
			if _, err := f.WriteAt([]byte("EXERCISE"), at); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		for to, from := range map[string]string{"../../etc/passwd": "out", strings.Repeat("x/", 60) + "y": "longlink"} {
			if err := os.Symlink(to, filepath.Join(dir, from)); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Link(filepath.Join(dir, "long.bin"), filepath.Join(dir, "a", "hard")); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

type found struct {
	entry Entry
	sum   string
}

// walkAll reads every volume of a media.
func walkAll(t *testing.T, r io.ReaderAt, size int64, limits Limits) (vols []Volume, all []map[string]found) {
	t.Helper()
	list, _, err := Volumes(r, size)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range list {
		got := map[string]found{}
		if v.Outcome == "" {
			v, got = walkOne(t, r, v, limits)
		}
		vols, all = append(vols, v), append(all, got)
	}
	return vols, all
}

func walkOne(t *testing.T, r io.ReaderAt, v Volume, limits Limits) (Volume, map[string]found) {
	t.Helper()
	got, sums := map[string]found{}, map[int64]string{}
	v, err := Walk(r, v, limits, Visit{
		Begin: func(Entry) error { return nil },
		File: func(e Entry, in io.Reader) (string, string, error) {
			h := sha256.New()
			// An odd length, so that no read is aligned to anything.
			_, err := io.CopyBuffer(h, struct{ io.Reader }{in}, make([]byte, 7919))
			sums[e.Index] = hex.EncodeToString(h.Sum(nil))
			if err != nil {
				return Damaged, err.Error(), nil
			}
			return "", "", nil
		},
		Done: func(e Entry) error {
			got[e.Path] = found{e, sums[e.Index]}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return v, got
}

func openRaw(t *testing.T, path string) (*os.File, int64) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return f, info.Size()
}

var flsLine = regexp.MustCompile(`^(\S)/(\S) (\*)? ?([^:]+):\t(.*)$`)

// fls is what SleuthKit lists of a volume, with the digest of each file by icat.
func fls(t *testing.T, image string, offset int64) map[string]string {
	t.Helper()
	o := fmt.Sprint(offset / sector)
	want := map[string]string{}
	for line := range strings.Lines(string(run(t, "fls", "-o", o, "-u", "-r", "-p", image))) {
		m := flsLine.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if m == nil || m[1] == "V" || m[1] == "v" || m[2] == "v" || m[2] == "V" {
			continue
		}
		switch m[2] {
		case "d":
			want[m[5]] = "directory"
		case "l":
			want[m[5]] = "link"
		case "r":
			if strings.Contains(m[5], "$") && !strings.HasPrefix(m[5], "$MFT") || strings.Contains(m[5], "(Volume Label Entry)") {
				continue // SleuthKit gives the indexes of NTFS and the label of FAT as files
			}
			if sparsely(m[5]) {
				want[m[5]] = File
				continue
			}
			sum := sha256.Sum256(run(t, "icat", "-o", o, image, m[4]))
			want[m[5]] = hex.EncodeToString(sum[:])
		}
	}
	return want
}

// sparsely says of which files icat is not asked, a process for each.
func sparsely(p string) bool { return strings.HasPrefix(p, "many/") && !strings.HasSuffix(p, "50.txt") }

// ours is the same of our own walk.
func ours(got map[string]found) map[string]string {
	out := map[string]string{}
	for p, f := range got {
		switch f.entry.Type {
		case File:
			if strings.Contains(p, "$") && !strings.HasPrefix(p, "$MFT") {
				continue
			}
			if out[p] = f.sum; sparsely(p) {
				out[p] = File
			}
		case Directory, Link:
			out[p] = f.entry.Type
		}
	}
	return out
}

// sameAsSource compares with the tree that was put in.
func sameAsSource(t *testing.T, src string, got map[string]found) {
	t.Helper()
	err := filepath.WalkDir(src, func(p string, d os.DirEntry, err error) error {
		if err != nil || p == src {
			return err
		}
		rel, _ := filepath.Rel(src, p)
		f, ok := got[rel]
		switch {
		case !ok:
			t.Errorf("%s is not listed", rel)
		case f.entry.Outcome != "":
			t.Errorf("%s: %s: %s", rel, f.entry.Outcome, f.entry.Note)
		case d.Type().IsRegular():
			b, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			if s := sha256.Sum256(b); f.sum != hex.EncodeToString(s[:]) {
				t.Errorf("%s has other bytes than its source", rel)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestExtIsReadAsItsSourceAndAsSleuthKitReadsIt(t *testing.T) {
	t.Parallel()
	tool(t, "mke2fs")
	for _, c := range []struct {
		name string
		args []string
	}{
		{"ext2", []string{"-t", "ext2", "-b", "1024"}},
		{"ext3", []string{"-t", "ext3", "-b", "1024"}},
		{"ext4", []string{"-t", "ext4"}},
		{"ext4", []string{"-t", "ext4", "-b", "1024", "-O", "inline_data,64bit", "-I", "256"}},
		{"ext4", []string{"-t", "ext4", "-b", "1024", "-O", "meta_bg,^resize_inode"}},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			t.Parallel()
			src, image := sample(t, true), filepath.Join(t.TempDir(), "image")
			run(t, "mke2fs", append(append([]string{"-q", "-L", "EXERCISE"}, c.args...), "-d", src, image, "32M")...)
			f, size := openRaw(t, image)
			vols, all := walkAll(t, f, size, generous)
			if len(vols) != 1 || vols[0].System != c.name || vols[0].Label != "EXERCISE" || vols[0].Outcome != "" {
				t.Fatalf("%+v", vols)
			}
			sameAsSource(t, src, all[0])
			if l := all[0]["out"].entry; l.Type != Link || l.Link != "../../etc/passwd" {
				t.Errorf("%+v", l)
			}
			if l := all[0]["longlink"].entry; l.Link != strings.Repeat("x/", 60)+"y" {
				t.Errorf("%+v", l)
			}
			if e := all[0]["EXERCISE.txt"].entry; time.Since(e.Modified) > time.Hour || e.Modified.IsZero() {
				t.Errorf("modified %v", e.Modified)
			}
			if strings.Contains(strings.Join(c.args, " "), "inline_data") {
				return // SleuthKit does not read data inside inodes
			}
			tool(t, "fls", "icat")
			if diff := cmp.Diff(fls(t, image, 0), ours(all[0])); diff != "" {
				t.Errorf("SleuthKit - and we +:\n%s", diff)
			}
		})
	}
}

func TestFATIsReadAsItsSourceAndAsSleuthKitReadsIt(t *testing.T) {
	t.Parallel()
	tool(t, "mkfs.vfat", "mcopy")
	for bits, size := range map[string]string{"12": "12M", "16": "40M", "32": "80M"} {
		t.Run("fat"+bits, func(t *testing.T) {
			t.Parallel()
			src, image := sample(t, false), filepath.Join(t.TempDir(), "image")
			run(t, "truncate", "-s", size, image)
			args := []string{"-F", bits, "-n", "EXERCISE"}
			if bits == "12" {
				args = append(args, "-s", "8")
			}
			run(t, "mkfs.vfat", append(args, image)...)
			// A file that was there before and is not any more leaves a gap that the next one is broken up by.
			run(t, "mcopy", "-i", image, filepath.Join(src, "many", "a file with a rather long name, number 007.txt"), "::gap")
			run(t, "mcopy", "-i", image, filepath.Join(src, "EXERCISE.txt"), "::stay")
			run(t, "mdel", "-i", image, "::gap")
			for _, name := range []string{"long.bin", "EXERCISE.txt", "empty", "a", "many", "تمرين"} {
				run(t, "mcopy", "-s", "-m", "-i", image, filepath.Join(src, name), "::")
			}
			f, n := openRaw(t, image)
			vols, all := walkAll(t, f, n, generous)
			if len(vols) != 1 || vols[0].System != "fat"+bits || vols[0].Label != "EXERCISE" || vols[0].Outcome != "" || !vols[0].Local {
				t.Fatalf("%+v", vols)
			}
			if strings.Contains(strings.Join(os.Environ(), " "), "UTF-8") {
				sameAsSource(t, src, all[0])
			}
			if e := all[0]["EXERCISE.txt"].entry; e.Modified.IsZero() || e.Modified.Nanosecond() != 0 || e.Modified.Second()%2 != 0 || !e.Changed.IsZero() {
				t.Errorf("%+v", e)
			}
			tool(t, "fls", "icat")
			want := fls(t, image, 0)
			if diff := cmp.Diff(want, ours(all[0])); diff != "" {
				t.Errorf("SleuthKit - and we +:\n%s", diff)
			}
		})
	}
}

func TestNTFSIsReadAsItsSourceAndAsSleuthKitReadsIt(t *testing.T) {
	t.Parallel()
	tool(t, "mkfs.ntfs", "ntfscp")
	src, image := sample(t, false), filepath.Join(t.TempDir(), "image")
	run(t, "truncate", "-s", "16M", image)
	run(t, "mkfs.ntfs", "-q", "-F", "-L", "EXERCISE", image)
	for _, name := range []string{"long.bin", "EXERCISE.txt", "empty", "a/b/c/deep and spaced.txt"} {
		run(t, "ntfscp", "-f", image, filepath.Join(src, name), filepath.Base(name))
	}
	run(t, "ntfscp", "-f", "-N", "stream", image, filepath.Join(src, "a/b/c/deep and spaced.txt"), "EXERCISE.txt")
	f, n := openRaw(t, image)
	vols, all := walkAll(t, f, n, generous)
	if len(vols) != 1 || vols[0].System != "ntfs" || vols[0].Label != "EXERCISE" || vols[0].Outcome != "" {
		t.Fatalf("%+v", vols)
	}
	for name, from := range map[string]string{"long.bin": "long.bin", "EXERCISE.txt": "EXERCISE.txt", "empty": "empty", "EXERCISE.txt:stream": "a/b/c/deep and spaced.txt"} {
		b, err := os.ReadFile(filepath.Join(src, from))
		if err != nil {
			t.Fatal(err)
		}
		s := sha256.Sum256(b)
		if got := all[0][name]; got.sum != hex.EncodeToString(s[:]) || got.entry.Outcome != "" {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if e := all[0]["long.bin"].entry; e.Born.IsZero() || e.Changed.IsZero() || time.Since(e.Modified) > time.Hour {
		t.Errorf("%+v", e)
	}
	tool(t, "fls", "icat")
	want, got := fls(t, image, 0), ours(all[0])
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("SleuthKit - and we +:\n%s", diff)
	}
}

func TestISOIsReadAsItsSourceAndAsSleuthKitReadsIt(t *testing.T) {
	t.Parallel()
	tool(t, "genisoimage")
	for _, c := range []struct{ name, args string }{{"Rock Ridge", "-R"}, {"Joliet", "-J"}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			src, image := sample(t, c.args == "-R"), filepath.Join(t.TempDir(), "image")
			run(t, "genisoimage", "-quiet", c.args, "-input-charset", "utf-8", "-joliet-long", "-V", "EXERCISE", "-o", image, src)
			f, n := openRaw(t, image)
			vols, all := walkAll(t, f, n, generous)
			if len(vols) != 1 || vols[0].System != "iso9660" || vols[0].Label != "EXERCISE" || vols[0].Outcome != "" {
				t.Fatalf("%+v", vols)
			}
			sameAsSource(t, src, all[0])
			if l := all[0]["out"].entry; c.args == "-R" && (l.Type != Link || l.Link != "../../etc/passwd") {
				t.Errorf("%+v", l)
			}
			tool(t, "fls", "icat")
			want, got := fls(t, image, 0), ours(all[0])
			for p, kind := range got {
				if kind == Link {
					want[p] = Link // SleuthKit gives links of Rock Ridge as files
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("SleuthKit - and we +:\n%.3000s", diff)
			}
		})
	}
}

func TestPartitionTablesAreRead(t *testing.T) {
	t.Parallel()
	tool(t, "sfdisk", "mke2fs")
	part := filepath.Join(t.TempDir(), "part")
	run(t, "mke2fs", "-q", "-t", "ext4", "-L", "EXERCISE", "-d", sample(t, true), part, "20M")
	fill, err := os.ReadFile(part)
	if err != nil {
		t.Fatal(err)
	}
	for label, script := range map[string]string{
		"dos": "label: dos\n,4M,82\n,20M,83\n,,E\n,2M\n,20M\n",
		"gpt": "label: gpt\nsize=4M, name=\"EXERCISE one\"\nsize=20M, name=two\nsize=20M\n",
	} {
		t.Run(label, func(t *testing.T) {
			t.Parallel()
			image := filepath.Join(t.TempDir(), "image")
			run(t, "truncate", "-s", "64M", image)
			cmd := exec.Command("/usr/sbin/sfdisk", "-q", image)
			cmd.Stdin = strings.NewReader(script)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			f, size := openRaw(t, image)
			scheme, parts, notes, err := Partitions(f, size)
			if err != nil || len(notes) > 0 || len(parts) < 3 {
				t.Fatalf("%s %+v %q %v", scheme, parts, notes, err)
			}
			for _, p := range parts {
				if p.Size == 20<<20 {
					w, err := os.OpenFile(image, os.O_WRONLY, 0)
					if err != nil {
						t.Fatal(err)
					}
					if _, err := w.WriteAt(fill, p.Start); err != nil {
						t.Fatal(err)
					}
					w.Close()
				}
			}
			vols, all := walkAll(t, f, size, generous)
			read := 0
			for i, v := range vols {
				if v.Size != 20<<20 {
					if v.Outcome != Refused {
						t.Errorf("%+v", v)
					}
					continue
				}
				read++
				if v.System != "ext4" || len(all[i]) < 300 {
					t.Errorf("%+v with %d entries", v, len(all[i]))
				}
			}
			if read != 2 {
				t.Errorf("%d volumes were read: %+v", read, vols)
			}
			if label == "gpt" {
				if vols[0].Name != "EXERCISE one" {
					t.Errorf("%+v", vols[0])
				}
				damageGPT(t, image)
				if scheme, list, notes, err := Partitions(f, size); err != nil || scheme != SchemeGPT || len(list) != 3 || len(notes) != 1 {
					t.Errorf("the second header is not read: %s %v %q %v", scheme, list, notes, err)
				}
			}
		})
	}
}

func damageGPT(t *testing.T, image string) {
	t.Helper()
	w, err := os.OpenFile(image, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := w.WriteAt([]byte("EXERCISE"), 1024); err != nil {
		t.Fatal(err)
	}
}
