package vault

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
)

// exhibitOf is a directory as a bag looks: closed, with names that are none on other machines.
func exhibitOf(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "bag")
	for name, text := range map[string]string{"bagit.txt": "BagIt-Version: 1.0\n", "data/EXERCISE.txt": "EXERCISE: made-up evidence\n", "data/empty": "", "data/sub/line\nbreak": "EXERCISE\n", "data/sub/\xff\xfe": strings.Repeat("EXERCISE", 300_000)} {
		at := filepath.Join(dir, filepath.FromSlash(name))
		must(t, os.MkdirAll(filepath.Dir(at), 0o700))
		must(t, os.WriteFile(at, []byte(text), 0o400))
		must(t, os.Chtimes(at, time.Unix(1700000000, 0), time.Unix(1700000000, 0)))
	}
	must(t, os.Mkdir(filepath.Join(dir, "data", "nothing"), 0o500))
	must(t, os.Chmod(filepath.Join(dir, "data"), 0o500))
	t.Cleanup(func() { must(t, removeDir(dir)) })
	return dir
}

// treeOf is everything of a directory that a lock has to give back.
func treeOf(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	must(t, filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == dir {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, name)
		out[rel] = info.Mode().String()
		if d.IsDir() {
			return nil
		}
		raw, err := os.ReadFile(name)
		sum := sha256.Sum256(raw)
		out[rel] += " " + info.ModTime().UTC().Format(time.RFC3339) + " " + hex.EncodeToString(sum[:])
		return err
	}))
	return out
}

func sameTree(t testing.TB, got, want map[string]string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d entries, want %d", len(got), len(want))
	}
	for name, w := range want {
		if got[name] != w {
			t.Errorf("%q is %q, want %q", name, got[name], w)
		}
	}
}

func custodiansOf(t testing.TB, n int) ([]Custodian, []*age.X25519Identity) {
	t.Helper()
	var who []Custodian
	var keys []*age.X25519Identity
	for i := range n {
		k, err := age.GenerateX25519Identity()
		must(t, err)
		keys = append(keys, k)
		who = append(who, Custodian{"EXERCISE Custodian " + string(rune('A'+i)), k.Recipient().String()})
	}
	return who, keys
}

// locked is an exhibit of three custodians of whom two open it, and the analyst who asks for that.
func locked(t testing.TB) (dir, file string, keys []*age.X25519Identity, analyst *age.X25519Identity) {
	t.Helper()
	dir, file = exhibitOf(t), filepath.Join(t.TempDir(), "exhibit.locked")
	who, keys := custodiansOf(t, 3)
	_, err := LockExhibit(t.Context(), LockJob{Dir: dir, Out: FilePlace(file), Case: "CS-1", Exhibit: "EX-1", By: "EXERCISE Analyst", At: time.Unix(1700000000, 0), Custodians: who, Needed: 2})
	must(t, err)
	analyst, err = age.GenerateX25519Identity()
	must(t, err)
	return dir, file, keys, analyst
}

func given(t testing.TB, file string, from, to *age.X25519Identity) GivenShare {
	t.Helper()
	l, err := ReadLock(t.Context(), FilePlace(file))
	must(t, err)
	g, err := GiveShare(l, []age.Identity{from}, to.Recipient().String(), "EXERCISE: analysis ordered by a made-up court", time.Unix(1700000001, 0))
	must(t, err)
	return g
}

// Any two of three custodians open it, and what comes out is what went in, to the mode and time of each file. One alone does not, nor the
// analyst, and the same one twice is one.
func TestG25TwoOfThreeCustodiansOpenALockedExhibit(t *testing.T) {
	t.Parallel()
	dir, file, keys, analyst := locked(t)
	want := treeOf(t, dir)
	raw, err := os.ReadFile(file)
	must(t, err)
	for _, canary := range []string{"made-up evidence", "EXERCISE.txt", "AGE-SECRET-KEY", "bagit"} {
		if bytes.Contains(raw, []byte(canary)) {
			t.Errorf("%q stands in the locked file", canary)
		}
	}
	if l, err := CheckLock(t.Context(), FilePlace(file), nil); err != nil || l.Case != "CS-1" || l.Needed != 2 || len(l.Shares) != 3 {
		t.Errorf("%+v, %v", l, err)
	}
	for _, pair := range [][2]int{{0, 1}, {1, 2}, {2, 0}} {
		out := filepath.Join(t.TempDir(), "opened")
		_, err := UnlockExhibit(t.Context(), FilePlace(file), []GivenShare{given(t, file, keys[pair[0]], analyst), given(t, file, keys[pair[1]], analyst)}, []age.Identity{analyst}, out, nil)
		must(t, err)
		sameTree(t, treeOf(t, out), want)
		must(t, removeDir(out))
	}
	one := given(t, file, keys[0], analyst)
	for name, shares := range map[string][]GivenShare{"nobody": nil, "one": {one}, "one twice": {one, one}} {
		refusedUnlock(t, name, file, shares, analyst, "are needed")
	}
}

func refusedUnlock(t testing.TB, name, file string, shares []GivenShare, by *age.X25519Identity, want string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "opened")
	_, err := UnlockExhibit(t.Context(), FilePlace(file), shares, []age.Identity{by}, out, nil)
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%s: %v, want %q", name, err, want)
	}
	left, err := os.ReadDir(filepath.Dir(out))
	must(t, err)
	if len(left) != 0 {
		t.Errorf("%s: %s is left behind", name, left[0].Name())
	}
}

// What was changed, cut or is another's is told, and nothing of it is left behind.
func TestChangedLockedExhibitsAreRefused(t *testing.T) {
	t.Parallel()
	_, file, keys, analyst := locked(t)
	_, other, otherKeys, _ := locked(t)
	a, b := given(t, file, keys[0], analyst), given(t, file, keys[1], analyst)
	stranger, err := age.GenerateX25519Identity()
	must(t, err)
	refusedUnlock(t, "a share of another exhibit", file, []GivenShare{a, given(t, other, otherKeys[1], analyst)}, analyst, "of another exhibit")
	refusedUnlock(t, "a share for somebody else", file, []GivenShare{a, given(t, file, keys[1], stranger)}, analyst, "not opened by your key")
	renamed := b
	renamed.Lock, renamed.Share = a.Lock, given(t, other, otherKeys[1], analyst).Share
	refusedUnlock(t, "another exhibit's share under this one's name", file, []GivenShare{a, renamed}, analyst, "was changed")
	l, err := ReadLock(t.Context(), FilePlace(file))
	must(t, err)
	if _, err := GiveShare(l, []age.Identity{stranger}, analyst.Recipient().String(), "EXERCISE", time.Now()); err == nil || !strings.Contains(err.Error(), "custodians are") {
		t.Errorf("a stranger gives a share: %v", err)
	}
	if _, err := GiveShare(l, []age.Identity{keys[0]}, analyst.Recipient().String(), "  ", time.Now()); err == nil {
		t.Error("a share is given for no reason")
	}
	raw, err := os.ReadFile(file)
	must(t, err)
	head := int(l.headSize)
	for name, c := range map[string]struct {
		change func([]byte) []byte
		want   string
	}{
		"a bit of the payload": {func(b []byte) []byte { b[len(b)-9] ^= 1; return b }, "damaged"},
		"a bit of age's head":  {func(b []byte) []byte { b[head+40] ^= 1; return b }, "damaged"},
		"the last byte":        {func(b []byte) []byte { return b[:len(b)-1] }, "cut short"},
		"a byte more":          {func(b []byte) []byte { return append(b, 0) }, "added to"},
		"its case":             {func(b []byte) []byte { return bytes.Replace(b, []byte(`"CS-1"`), []byte(`"CS-2"`), 1) }, "somebody changed it"},
		"its threshold":        {func(b []byte) []byte { return bytes.Replace(b, []byte(`"needed":2`), []byte(`"needed":1`), 1) }, "cannot be"},
		"its magic":            {func(b []byte) []byte { b[0] ^= 1; return b }, "no locked exhibit"},
		"its length":           {func(b []byte) []byte { b[len(lockMagic)] = 0xff; return b }, "no locked exhibit"},
		"nothing":              {func([]byte) []byte { return nil }, "no locked exhibit"},
	} {
		bad := filepath.Join(t.TempDir(), "bad.locked")
		must(t, os.WriteFile(bad, c.change(bytes.Clone(raw)), 0o600))
		refusedUnlock(t, name, bad, []GivenShare{a, b}, analyst, c.want)
	}
}

// A payload that somebody made with the public key of an exhibit brings nothing outside its directory.
func TestUnlockStaysInItsDirectory(t *testing.T) {
	t.Parallel()
	key, err := age.GenerateX25519Identity()
	must(t, err)
	for name, h := range map[string]tar.Header{
		"outside":    {Name: "../escaped", Typeflag: tar.TypeReg},
		"absolute":   {Name: "/tmp/escaped", Typeflag: tar.TypeReg},
		"a link":     {Name: "link", Linkname: "/etc", Typeflag: tar.TypeSymlink},
		"hard":       {Name: "hard", Linkname: "/etc/passwd", Typeflag: tar.TypeLink},
		"a device":   {Name: "device", Typeflag: tar.TypeChar},
		"itself":     {Name: ".", Typeflag: tar.TypeDir},
		"no parent":  {Name: "a/b/c", Typeflag: tar.TypeReg},
		"cut short":  {Name: "short", Typeflag: tar.TypeReg, Size: 1000},
		"twice":      {Name: "twice", Typeflag: tar.TypeReg},
		"over a dir": {Name: "dir", Typeflag: tar.TypeReg},
	} {
		var payload bytes.Buffer
		w, err := age.Encrypt(&payload, key.Recipient())
		must(t, err)
		tw := tar.NewWriter(w)
		must(t, tw.WriteHeader(&tar.Header{Name: "dir/", Typeflag: tar.TypeDir, Mode: 0o700}))
		must(t, tw.WriteHeader(&tar.Header{Name: "twice", Typeflag: tar.TypeReg, Mode: 0o400}))
		must(t, tw.WriteHeader(&h))
		if h.Size == 0 {
			must(t, tw.Close())
		}
		must(t, w.Close())
		dir := filepath.Join(t.TempDir(), "in")
		must(t, os.Mkdir(dir, 0o700))
		if err := decryptDir(t.Context(), &payload, key, dir, nil); err == nil {
			t.Errorf("%s: it is taken", name)
		}
		left, err := os.ReadDir(filepath.Dir(dir))
		must(t, err)
		if len(left) != 1 {
			t.Errorf("%s: something lies beside the directory", name)
		}
	}
}

func TestLockRefusesWhatIsNoDualControl(t *testing.T) {
	t.Parallel()
	who, _ := custodiansOf(t, 3)
	twin := []Custodian{who[0], {"EXERCISE Another", who[0].Recipient}}
	for name, c := range map[string]struct {
		who    []Custodian
		needed int
		want   string
	}{
		"one custodian":    {who[:1], 1, "2 to 20 custodians"},
		"one is enough":    {who, 1, "at least two"},
		"more than are":    {who, 4, "no more than there are"},
		"one key, two men": {twin, 2, "no dual control"},
		"no key":           {[]Custodian{who[0], {"EXERCISE B", "ssh-rsa AAAA"}}, 2, "no public key of age"},
		"no name":          {[]Custodian{who[0], {"", who[1].Recipient}}, 2, "has no name"},
	} {
		out := filepath.Join(t.TempDir(), "x.locked")
		_, err := LockExhibit(t.Context(), LockJob{Dir: t.TempDir(), Out: FilePlace(out), Case: "CS-1", By: "EXERCISE", Custodians: c.who, Needed: c.needed})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	dir, file, _, _ := locked(t)
	if _, err := LockExhibit(t.Context(), LockJob{Dir: dir, Out: FilePlace(file), Case: "CS-1", By: "EXERCISE", Custodians: who, Needed: 2}); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("over another file: %v", err)
	}
	link := t.TempDir()
	must(t, os.Symlink("/etc/passwd", filepath.Join(link, "link")))
	out := filepath.Join(t.TempDir(), "x.locked")
	if _, err := LockExhibit(t.Context(), LockJob{Dir: link, Out: FilePlace(out), Case: "CS-1", By: "EXERCISE", Custodians: who, Needed: 2}); err == nil || !strings.Contains(err.Error(), "neither a file nor a directory") {
		t.Errorf("a link: %v", err)
	}
	if left, err := os.ReadDir(filepath.Dir(out)); err != nil || len(left) != 0 {
		t.Errorf("a lock that failed leaves %v, %v", left, err)
	}
}

func FuzzReadLock(f *testing.F) {
	_, file, _, _ := locked(f)
	raw, err := os.ReadFile(file)
	must(f, err)
	f.Add(raw[:2000])
	f.Add([]byte(lockMagic))
	f.Fuzz(func(t *testing.T, raw []byte) {
		l, err := readLock(bytes.NewReader(raw))
		if err != nil {
			return
		}
		if l.Needed < 2 || l.headSize > int64(len(raw)) {
			t.Errorf("%+v", l)
		}
		_, _ = l.key([]GivenShare{{Format: ShareFormat, Lock: l.ID}}, nil) // must not panic
	})
}
