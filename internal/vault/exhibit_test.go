package vault

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"concert/internal/sandbox"
)

// childMark makes the test binary a child instead of running tests.
const childMark = "CONCERT_TEST_VAULT_CHILD"

func TestMain(m *testing.M) {
	switch os.Getenv(childMark) {
	case "files":
		if len(os.Args) < 2 || os.Args[1] != sandbox.WordFiles {
			os.Exit(3)
		}
		if err := sandbox.ServeFiles(os.Stdin, os.Stdout, os.Args[2:], FileTasks()); err != nil {
			os.Exit(4)
		}
		os.Exit(0)
	case "mortal":
		if sandbox.ServeFiles(os.Stdin, os.Stdout, os.Args[2:], map[string]sandbox.FileTask{taskSurvey: mortalSurvey}) != nil {
			os.Exit(4)
		}
		os.Exit(0)
	case "seal":
		os.Exit(sealInChild())
	}
	os.Exit(m.Run())
}

func pool() *sandbox.Pool {
	return &sandbox.Pool{Command: []string{os.Args[0]}, Env: []string{childMark + "=files"}}
}

func clock() time.Time { return time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC) }

// tempDir is t.TempDir whose sealed directories can be removed again.
func tempDir(t testing.TB) string {
	dir := t.TempDir()
	t.Cleanup(func() {
		_ = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				return os.Chmod(p, 0o700)
			}
			return nil
		})
	})
	return dir
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t testing.TB, path string, b []byte) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, b, 0o644))
}

// sources are a directory with what file systems allow, and its path.
func source(t testing.TB) string {
	dir := filepath.Join(tempDir(t), "EXERCISE server")
	write(t, filepath.Join(dir, "small"), []byte("EXERCISE small"))
	write(t, filepath.Join(dir, "empty"), nil)
	write(t, filepath.Join(dir, "deep/er/large"), plain(3*PieceSize+777))
	write(t, filepath.Join(dir, "piece"), plain(PieceSize))
	write(t, filepath.Join(dir, "a name\nwith lines\r and % = \\ signs"), []byte("EXERCISE name"))
	write(t, filepath.Join(dir, "no utf-8 \xff\xfe"), []byte("EXERCISE bytes"))
	write(t, filepath.Join(dir, strings.Repeat("\xff", 200)), []byte("EXERCISE long"))
	must(t, os.Mkdir(filepath.Join(dir, "nothing inside"), 0o755))
	must(t, os.Symlink("..", filepath.Join(dir, "deep/loop")))
	must(t, os.Symlink("/nowhere/EXERCISE", filepath.Join(dir, "dangling")))
	must(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o644))
	return dir
}

func testSigner(t testing.TB) *Key {
	t.Helper()
	k, err := NewKey(filepath.Join(t.TempDir(), "key"))
	must(t, err)
	return k
}

func sealJob(t testing.TB, sources ...string) SealJob {
	return SealJob{Sources: sources, Bag: filepath.Join(tempDir(t), "bag"), Case: "EXERCISE-1", By: "A. Nobody", Reason: "an exercise", Program: "test", Key: testSigner(t), Now: clock, Children: pool()}
}

func seal(t testing.TB, job SealJob) Sealed {
	t.Helper()
	out, err := SealEvidence(t.Context(), job)
	must(t, err)
	return out
}

func verify(t testing.TB, bag string) BagVerdict {
	t.Helper()
	v, err := VerifyEvidence(t.Context(), VerifyJob{Bag: bag, Children: pool()})
	must(t, err)
	return v
}

// change lets a test damage a sealed bag.
func change(t testing.TB, path string, fn func()) {
	t.Helper()
	dir := filepath.Dir(path)
	must(t, os.Chmod(dir, 0o700))
	if _, err := os.Lstat(path); err == nil {
		must(t, os.Chmod(path, 0o600))
	}
	fn()
}

func TestASealHasEveryFileAndVerifies(t *testing.T) {
	t.Parallel()
	src := source(t)
	job := sealJob(t, src)
	out := seal(t, job)
	v := verify(t, job.Bag)
	if !v.Whole() || v.Seal != MarkHolds || v.Anchored() || v.Files != 7 || len(v.Remarks) != 0 {
		t.Errorf("%+v", v.Findings)
	}
	if v, err := VerifyEvidence(t.Context(), VerifyJob{Bag: job.Bag, Trust: []string{job.Key.Public()}}); err != nil || !v.Whole() || !v.Anchored() {
		t.Errorf("with the key named: %+v, %v", v.Findings, err)
	}
	if v, err := VerifyEvidence(t.Context(), VerifyJob{Bag: job.Bag, Trust: []string{testSigner(t).Public()}}); err != nil || v.Whole() {
		t.Errorf("with another key named it is whole, %v", err)
	}
	names, err := originalNames(out.Manifest.Items)
	must(t, err)
	types, sealed := map[string]string{}, map[string]bool{}
	for _, it := range out.Manifest.Items {
		rel := strings.TrimPrefix(names[it.Path], "EXERCISE server")
		types[it.Type] += "."
		sealed[strings.TrimPrefix(rel, "/")] = true
		if it.Type != TypeFile {
			continue
		}
		want, err := os.ReadFile(filepath.Join(src, rel))
		must(t, err)
		got, err := os.ReadFile(filepath.Join(job.Bag, it.Path))
		must(t, err)
		if s := sha256.Sum256(want); !bytes.Equal(want, got) || it.SHA256 != hex.EncodeToString(s[:]) {
			t.Errorf("%q is not its copy", rel)
		}
	}
	// Every name is there, byte for byte.
	must(t, filepath.WalkDir(src, func(p string, _ fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(src, p)
		if rel != "." && !sealed[rel] {
			t.Errorf("%q is in no manifest", rel)
		}
		return err
	}))
	if diff := cmp.Diff(map[string]string{TypeFile: ".......", TypeDirectory: "....", TypeLink: "..", TypeOther: "."}, types); diff != "" {
		t.Error(diff)
	}
}

// P1: sources are only read. Their bytes, their names and all their times stay, that of last access as well.
func TestSourcesAreNotTouched(t *testing.T) {
	t.Parallel()
	src := source(t)
	past := time.Date(2020, 1, 2, 3, 4, 5, 6, time.UTC)
	state := func() map[string]string {
		out := map[string]string{}
		must(t, filepath.WalkDir(src, func(p string, d fs.DirEntry, err error) error {
			must(t, err)
			var st syscall.Stat_t
			must(t, syscall.Lstat(p, &st))
			out[p] = fmt.Sprintf("%o %d %d.%d %d.%d %d.%d", st.Mode, st.Size, st.Mtim.Sec, st.Mtim.Nsec, st.Ctim.Sec, st.Ctim.Nsec, st.Atim.Sec, st.Atim.Nsec)
			return nil
		}))
		return out
	}
	must(t, filepath.WalkDir(src, func(p string, d fs.DirEntry, err error) error {
		if d.Type()&fs.ModeSymlink == 0 {
			must(t, os.Chtimes(p, past, past.Add(time.Hour))) // accessed before it was changed: any reading would show
		}
		return err
	}))
	state() // the walk itself reads directories
	must(t, os.Chtimes(src, past, past.Add(time.Hour)))
	var st syscall.Stat_t
	must(t, syscall.Lstat(filepath.Join(src, "deep/er/large"), &st))
	before, beforeFile, beforeDir := statOf(t, src), st, statOf(t, filepath.Join(src, "deep"))
	job := sealJob(t, src)
	seal(t, job)
	must(t, syscall.Lstat(filepath.Join(src, "deep/er/large"), &st))
	if st.Atim != beforeFile.Atim || st.Mtim != beforeFile.Mtim || st.Ctim != beforeFile.Ctim {
		t.Errorf("a file's times changed: %+v, %+v", beforeFile, st)
	}
	if after := statOf(t, src); after.Atim != before.Atim || after.Mtim != before.Mtim {
		t.Errorf("the directory's times changed")
	}
	if after := statOf(t, filepath.Join(src, "deep")); after.Atim != beforeDir.Atim {
		t.Errorf("a directory inside was accessed by its times")
	}
}

func statOf(t testing.TB, p string) (st syscall.Stat_t) {
	t.Helper()
	must(t, syscall.Lstat(p, &st))
	return st
}

// P3: with the same clock and key, a seal says the same, however many work at it.
func TestTheSameSealedTwiceIsTheSame(t *testing.T) {
	t.Parallel()
	src := source(t)
	write(t, filepath.Join(src, "x.tar"), tarText())
	job := sealJob(t, src)
	var first map[string][]byte
	for _, workers := range []int{1, 2, 8} {
		job.Bag, job.Workers = filepath.Join(tempDir(t), "bag"), workers
		seal(t, job)
		got := map[string][]byte{}
		for _, name := range append(taggedFiles[:], fileTags, fileSeal, custodyName, custodyHead) {
			b, err := readTag(job.Bag, name)
			must(t, err)
			got[name] = b
		}
		if first == nil {
			first = got
		} else if diff := cmp.Diff(first, got); diff != "" {
			t.Errorf("with %d workers: %s", workers, diff)
		}
	}
}

// P2: whatever bit is flipped, verify names the file and the piece that it lies in.
func TestVerifyNamesFileAndPlaceOfAFlippedBit(t *testing.T) {
	t.Parallel()
	job := sealJob(t, source(t))
	job.Children = nil
	seal(t, job)
	large := filepath.Join(job.Bag, "data/EXERCISE server/deep/er/large")
	for _, at := range []int64{0, PieceSize - 1, PieceSize, 2*PieceSize + 5, 3*PieceSize + 776} {
		flip(t, large, at)
		v := verify(t, job.Bag)
		from := at / PieceSize * PieceSize
		to := min(from+PieceSize, 3*PieceSize+777)
		if len(v.Findings) != 1 || v.Findings[0].Kind != FoundAltered || v.Findings[0].Path != "data/EXERCISE server/deep/er/large" || len(v.Findings[0].Ranges) != 1 || v.Findings[0].Ranges[0].From != from || v.Findings[0].Ranges[0].To != to {
			t.Errorf("byte %d: %+v", at, v.Findings)
		}
		flip(t, large, at)
	}
	if v := verify(t, job.Bag); !v.Whole() {
		t.Errorf("flipped back: %+v", v.Findings)
	}
	must(t, filepath.WalkDir(job.Bag, func(p string, d fs.DirEntry, err error) error {
		must(t, err)
		info, err := d.Info()
		must(t, err)
		if !info.Mode().IsRegular() || info.Size() == 0 {
			return nil
		}
		for _, at := range []int64{0, info.Size() / 2, info.Size() - 1} {
			flip(t, p, at)
			v, err := VerifyEvidence(t.Context(), VerifyJob{Bag: job.Bag})
			if err == nil && v.Whole() {
				t.Errorf("a bit of %s, byte %d, may be flipped", p, at)
			}
			flip(t, p, at)
		}
		return nil
	}))
}

func flip(t testing.TB, path string, at int64) {
	t.Helper()
	must(t, os.Chmod(path, 0o600))
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	must(t, err)
	defer f.Close()
	var b [1]byte
	_, err = f.ReadAt(b[:], at)
	must(t, err)
	b[0] ^= 8
	_, err = f.WriteAt(b[:], at)
	must(t, err)
}

func TestVerifyTellsWhatHappenedApart(t *testing.T) {
	t.Parallel()
	job := sealJob(t, source(t))
	seal(t, job)
	at := func(name string) string { return filepath.Join(job.Bag, "data/EXERCISE server", name) }
	change(t, at("small"), func() { must(t, os.Remove(at("small"))) })
	change(t, at("new"), func() { must(t, os.WriteFile(at("new"), []byte("EXERCISE new"), 0o400)) })
	change(t, at("piece"), func() { must(t, os.Rename(at("piece"), at("moved"))) })
	change(t, at("deep/er/large"), func() { must(t, os.Truncate(at("deep/er/large"), 2*PieceSize+9)) })
	change(t, at("a name=0Awith lines=0D and =25 =3D =5C signs"), func() {
		f, err := os.OpenFile(at("a name=0Awith lines=0D and =25 =3D =5C signs"), os.O_APPEND|os.O_WRONLY, 0)
		must(t, err)
		_, err = f.WriteString("more")
		must(t, err)
		must(t, f.Close())
	})
	change(t, at("nothing inside"), func() { must(t, os.Remove(at("nothing inside"))) })
	v := verify(t, job.Bag)
	got := map[string]string{}
	for _, f := range v.Findings {
		got[strings.TrimPrefix(f.Path, "data/EXERCISE server/")] = f.Kind + fmt.Sprint(f.Ranges)
	}
	want := map[string]string{
		"small": FoundMissing + "[]", "new": FoundNew + "[]", "piece": FoundMoved + "[]", "deep/er/large": FoundTruncated + fmt.Sprintf("[{%d %d}]", 2*PieceSize+9, 3*PieceSize+777),
		"a name=0Awith lines=0D and =25 =3D =5C signs": FoundAppended + "[{13 17}]", "nothing inside": FoundMissing + "[]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// G25: the evidentiary copy takes no writing of any kind, not even from its owner; the working copy is another, and custody tells.
func TestG25EvidentiaryCopyIsImmutableWorkingCopyApart(t *testing.T) {
	t.Parallel()
	job := sealJob(t, source(t))
	seal(t, job)
	must(t, filepath.WalkDir(filepath.Join(job.Bag, "data"), func(p string, d fs.DirEntry, err error) error {
		must(t, err)
		info, err := d.Info()
		must(t, err)
		if want := map[bool]fs.FileMode{true: 0o500, false: 0o400}[d.IsDir()]; info.Mode().Perm() != want {
			t.Errorf("%s has the mode %v", p, info.Mode())
		}
		return nil
	}))
	// The owner itself tries, without root's right to pass over modes.
	script := `cd "$1" || exit 9
for act in 'echo x >> small' ': > small' 'rm -f small' 'mv small other' 'touch new' 'ln small hard' 'mkdir d' 'rmdir "nothing inside"' 'truncate -s 0 deep/er/large'; do
  if (eval "$act") 2>/dev/null; then echo "$act succeeded"; fi
done`
	cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", script, "sh", filepath.Join(job.Bag, "data/EXERCISE server"))
	if os.Getuid() == 0 {
		const nobody = 65534
		for p := job.Bag; p != "/" && p != os.TempDir(); p = filepath.Dir(p) {
			must(t, os.Chmod(p, 0o755))
		}
		must(t, filepath.WalkDir(job.Bag, func(p string, _ fs.DirEntry, err error) error { return errors.Join(err, os.Lchown(p, nobody, nobody)) }))
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	out, err := cmd.CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("%v: %s", err, out)
	}
	if v := verify(t, job.Bag); !v.Whole() {
		t.Errorf("%+v", v.Findings)
	}
	// Nor do our own acts write there.
	if _, err := SealEvidence(t.Context(), job); err == nil {
		t.Error("something was sealed over a bag")
	}
	if _, _, err := CopyEvidence(t.Context(), job.Bag, filepath.Join(job.Bag, "data/work"), "A. Nobody", clock(), nil); err == nil {
		t.Error("a working copy was made inside the bag")
	}
	work := filepath.Join(tempDir(t), "work")
	w, digest, err := CopyEvidence(t.Context(), job.Bag, work, "A. Nobody", clock(), nil)
	must(t, err)
	if _, v, err := VerifyWorkingCopy(t.Context(), work, nil); err != nil || !v.Whole() || v.Digest != digest || len(w.Items) == 0 {
		t.Fatalf("%+v, %v", v.Findings, err)
	}
	b, err := os.ReadFile(filepath.Join(work, "files/EXERCISE server/a name\nwith lines\r and % = \\ signs"))
	if err != nil || string(b) != "EXERCISE name" {
		t.Errorf("%q, %v", b, err)
	}
	must(t, os.WriteFile(filepath.Join(work, "files/EXERCISE server/small"), []byte("worked on"), 0o600))
	if _, v, err := VerifyWorkingCopy(t.Context(), work, nil); err != nil || len(v.Findings) != 1 {
		t.Errorf("work left no trace: %+v, %v", v.Findings, err)
	}
	if v := verify(t, job.Bag); !v.Whole() {
		t.Errorf("work on the copy reached the bag: %+v", v.Findings)
	}
	flip(t, filepath.Join(job.Bag, "data/EXERCISE server/small"), 2)
	if _, _, err := CopyEvidence(t.Context(), job.Bag, work+"2", "A. Nobody", clock(), nil); err == nil || !strings.Contains(err.Error(), "not what was sealed") {
		t.Errorf("a working copy of what was changed: %v", err)
	}
}

// What others use to check: sha256sum, hashdeep's audit.
func TestOthersAcceptTheManifests(t *testing.T) {
	t.Parallel()
	job := sealJob(t, source(t))
	seal(t, job)
	for _, args := range [][]string{{"sha256sum", "--strict", "--quiet", "-c", fileSums}, {"sha256sum", "--strict", "--quiet", "-c", fileTags}, {"hashdeep", "-a", "-k", fileDeep, "-r", "-l", "data"}} {
		if _, err := exec.LookPath(args[0]); err != nil {
			t.Logf("%s is not installed: it was not asked", args[0])
			continue
		}
		cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
		cmd.Dir = job.Bag
		if out, err := cmd.CombinedOutput(); err != nil || slices.Contains(args, "-a") && !bytes.Contains(out, []byte("Audit passed")) {
			t.Errorf("%v: %v: %s", args, err, out)
		}
	}
	flip(t, filepath.Join(job.Bag, "data/EXERCISE server/small"), 1)
	for _, args := range [][]string{{"sha256sum", "--quiet", "-c", fileSums}, {"hashdeep", "-a", "-k", fileDeep, "-r", "-l", "data"}} {
		cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
		cmd.Dir = job.Bag
		if _, err := exec.LookPath(args[0]); err == nil && cmd.Run() == nil {
			t.Errorf("%v accepts a flipped bit", args)
		}
	}
}

func TestNamesComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"plain", "a b", "ünïcode é", "\xff\xfe", "a\nb\rc\td", "100%=\\", "=41", "\u0085\u2028", "\x7f", "عربي"} {
		text := EncodeName(name, true)
		back, err := DecodeName(text)
		if err != nil || back != name || strings.ContainsAny(text, "\n\r%\\\x7f") || EncodeName(text, false) != text {
			t.Errorf("%q is %q and comes back as %q, %v", name, text, back, err)
		}
	}
	if _, err := DecodeName("=4"); err == nil {
		t.Error("half an escape is read")
	}
	for _, n := range []int{100, 255, 400, 2000} {
		for _, c := range []string{"a", "\xff", "é"} {
			bag, short := bagName(strings.Repeat(c, n))
			if len(bag) > nameMost || short != (len(EncodeName(strings.Repeat(c, n), true)) > nameMost) || EncodeName(bag, false) != bag {
				t.Errorf("%d times %q: %d bytes, %v", n, c, len(bag), short)
			}
		}
	}
}

func TestASourceThatIsPulledAwayOrGrowsIsToldSo(t *testing.T) {
	t.Parallel()
	job := sealJob(t, source(t))
	var tk taker
	got := tk.take(context.Background(), bytes.NewReader(plain(PieceSize+5)), 3*PieceSize, nil, func(int64) error { return nil })
	d := &done{Seen: seen{Size: 3 * PieceSize}}
	d.take(got)
	s := sha256.Sum256(plain(PieceSize + 5))
	if d.Item.Outcome != OutcomeShort || d.Item.Size != PieceSize+5 || d.Item.SHA256 != hex.EncodeToString(s[:]) || int64(len(d.Pieces)) != 2*sumSize {
		t.Errorf("%+v", d.Item)
	}
	// The real thing: the file is cut while it is being read.
	path := filepath.Join(job.Sources[0], "shrinking")
	write(t, path, plain(64*PieceSize))
	job.Workers = 1
	job.Progress = new(Progress)
	cut := false
	job.Checkpoint = PieceSize
	go func() {
		for job.Progress.Bytes.Load() < 8*PieceSize && !job.Progress.Walked.Load() {
			// the seal is at another file
		}
		for job.Progress.Bytes.Load() < 16*PieceSize {
		}
		cut = os.Truncate(path, 4*PieceSize) == nil
	}()
	out := seal(t, job)
	i := slices.IndexFunc(out.Manifest.Items, func(it Item) bool { return strings.HasSuffix(it.Path, "/shrinking") })
	if it := out.Manifest.Items[i]; it.Outcome != OutcomeShort && it.Outcome != OutcomeChanged {
		t.Errorf("%+v, cut %v", it, cut)
	}
	if v := verify(t, job.Bag); !v.Whole() {
		t.Errorf("what was read of it is not what was sealed: %+v", v.Findings)
	}
}

func TestWhatCannotBeSealedIsRefusedWithTheWayOut(t *testing.T) {
	t.Parallel()
	src := source(t)
	for name, c := range map[string]struct {
		spoil func(*SealJob)
		says  string
	}{
		"no case":    {func(j *SealJob) { j.Case = " " }, "names its case"},
		"no source":  {func(j *SealJob) { j.Sources = nil }, "at least one source"},
		"not there":  {func(j *SealJob) { j.Sources = []string{src + "/nowhere"} }, "no such file"},
		"a pipe":     {func(j *SealJob) { j.Sources = []string{src + "/pipe"} }, "no directory, file or block device"},
		"bag inside": {func(j *SealJob) { j.Bag = filepath.Join(src, "bag") }, "put it elsewhere"},
	} {
		job := sealJob(t, src)
		c.spoil(&job)
		if _, err := SealEvidence(t.Context(), job); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzManifest(f *testing.F) {
	m := Manifest{Format: ManifestFormat, Case: "EXERCISE", Items: []Item{{Path: "data/a", Type: TypeFile, Size: 1, SHA256: strings.Repeat("0", 64)}}}
	b, err := m.Bytes()
	must(f, err)
	f.Add(b)
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := ParseManifest(b)
		if err != nil {
			return
		}
		again, err := m.Bytes()
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("%q is read and written as %q", b, again)
		}
		for _, it := range m.Items {
			if !filepath.IsLocal(it.Path) || !strings.HasPrefix(it.Path, "data/") {
				t.Errorf("%q leads out of the bag", it.Path)
			}
		}
		_, _ = originalNames(m.Items)
	})
}

func FuzzName(f *testing.F) {
	f.Add("a\nb")
	f.Add("=0A")
	f.Add("\xff")
	f.Fuzz(func(t *testing.T, name string) {
		if back, err := DecodeName(EncodeName(name, true)); err != nil || back != name {
			t.Errorf("%q comes back as %q, %v", name, back, err)
		}
		_, _ = DecodeName(name)
	})
}
