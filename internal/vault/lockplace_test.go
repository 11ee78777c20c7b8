package vault

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"concert/internal/testkit/s3server"
	"concert/internal/vault/bucket"
)

func bucketServer(s *s3server.Server) BucketServer {
	return BucketServer{Endpoint: s.URL, AccessKey: s3server.AccessKey, SecretKey: s3server.SecretKey, Attempts: 3}
}

func placeIn(t testing.TB, s *s3server.Server, key string) Place {
	t.Helper()
	p, err := PlaceOf("s3://"+s3server.Bucket+"/"+key, bucketServer(s))
	must(t, err)
	return p
}

// sealedBag is a real bag with texts in it that are found again.
func sealedBag(t testing.TB) string {
	t.Helper()
	src := source(t)
	write(t, filepath.Join(src, "canary.txt"), bytes.Repeat([]byte("EXERCISE canary in the clear\n"), 40_000))
	key, err := NewKey(filepath.Join(t.TempDir(), "key"))
	must(t, err)
	job := SealJob{Sources: []string{src}, Bag: filepath.Join(tempDir(t), "bag"), Case: "EXERCISE-1", By: "A. Nobody", Reason: "an exercise", Program: "test", Key: key, Now: clock, Children: pool()}
	seal(t, job)
	return job.Bag
}

func lockInto(t testing.TB, dir string, at Place) (Lock, []*age.X25519Identity, *age.X25519Identity, error) {
	t.Helper()
	who, keys := custodiansOf(t, 3)
	analyst, err := age.GenerateX25519Identity()
	must(t, err)
	l, err := LockExhibit(t.Context(), LockJob{Dir: dir, Out: at, Case: "CS-1", Exhibit: "EX-1", By: "EXERCISE Analyst", At: time.Unix(1700000000, 0), Custodians: who, Needed: 2, partSize: 64 << 10})
	return l, keys, analyst, err
}

func givenFor(t testing.TB, at Place, from, to *age.X25519Identity) GivenShare {
	t.Helper()
	l, err := ReadLock(t.Context(), at)
	must(t, err)
	g, err := GiveShare(l, []age.Identity{from}, to.Recipient().String(), "EXERCISE", time.Unix(1700000001, 0))
	must(t, err)
	return g
}

// A real bag goes into a bucket and comes back from it, by two of three custodians. What is stored is byte for byte what a file would
// be, in both directions, and nothing that the server ever got holds a text of the bag, a name of its files or a secret.
func TestG25ABagGoesIntoABucketAndComesBack(t *testing.T) {
	t.Parallel()
	s := s3server.New(t)
	bag := sealedBag(t)
	s.Forbid("EXERCISE canary in the clear", "canary.txt", "bagit", "manifest-sha256", "custody.jsonl", "AGE-SECRET-KEY", "A. Nobody", s3server.SecretKey)
	at := placeIn(t, s, "exhibits/CS-1.locked")
	l, keys, analyst, err := lockInto(t, bag, at)
	must(t, err)
	if l.Size < 10*64<<10 || s.Unfinished(t) != 0 {
		t.Errorf("%d bytes, %d uploads unfinished: the test saw no parts", l.Size, s.Unfinished(t))
	}
	again, err := CheckLock(t.Context(), at, nil)
	must(t, err)
	if again.HeadSHA256() != l.HeadSHA256() || again.SHA256 != l.SHA256 || len(l.HeadSHA256()) != 64 {
		t.Errorf("locked %s %s, read back %s %s", l.HeadSHA256(), l.SHA256, again.HeadSHA256(), again.SHA256)
	}
	if head := s.Object("exhibits/CS-1.locked")[:l.headSize]; hashLine(head) != l.HeadSHA256() || head[len(head)-1] != '}' && head[len(head)-1] != ' ' {
		t.Errorf("the head's digest is %s, of %q", l.HeadSHA256(), head)
	}
	want := treeOf(t, bag)
	shares := []GivenShare{givenFor(t, at, keys[2], analyst), givenFor(t, at, keys[0], analyst)}
	unlock := func(from Place) {
		t.Helper()
		out := filepath.Join(tempDir(t), "out")
		_, err := UnlockExhibit(t.Context(), from, shares, []age.Identity{analyst}, out, nil)
		must(t, err)
		sameTree(t, treeOf(t, out), want)
		if v := verify(t, out); !v.Whole() {
			t.Errorf("%+v", v.Findings)
		}
	}
	unlock(at)
	file := filepath.Join(t.TempDir(), "downloaded.locked")
	must(t, os.WriteFile(file, s.Object("exhibits/CS-1.locked"), 0o600))
	unlock(FilePlace(file))
	s.Store(t, "uploaded.locked", s.Object("exhibits/CS-1.locked"))
	unlock(placeIn(t, s, "uploaded.locked"))
	if leaked := s.Leaked(); leaked != nil {
		t.Errorf("the server got %s", leaked)
	}
	if _, _, _, err := lockInto(t, bag, at); !errors.Is(err, bucket.ErrExists) {
		t.Errorf("over another: %v", err)
	}
}

// A custodian's share, and a list, cost the heads alone.
func TestHeadsAloneAreRead(t *testing.T) {
	t.Parallel()
	s := s3server.New(t)
	at := placeIn(t, s, "exhibits/CS-1.locked")
	l, _, _, err := lockInto(t, exhibitOf(t), at)
	must(t, err)
	s.Store(t, "exhibits/notes.txt", []byte("EXERCISE"))
	s.Store(t, "exhibits/empty", nil)
	s.Store(t, "exhibits/cut.locked", s.Object("exhibits/CS-1.locked")[:l.headSize+10])
	s.Store(t, "elsewhere", []byte(lockMagic))
	sent := 0
	s.Fault(func(_ int, w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodGet && !r.URL.Query().Has("list-type") {
			a, b, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Range"), "bytes="), "-")
			from, err1 := strconv.Atoi(a)
			to, err2 := strconv.Atoi(b)
			if err1 != nil || err2 != nil {
				t.Errorf("%s without a range: %q", r.URL, r.Header.Get("Range"))
			}
			sent += to - from + 1
		}
		next.ServeHTTP(w, r)
	})
	if _, err := ReadLock(t.Context(), at); err != nil || sent > headUsual {
		t.Errorf("%d bytes were asked for to read a head, %v", sent, err)
	}
	all, err := ListStored(t.Context(), "s3://"+s3server.Bucket+"/exhibits/", bucketServer(s))
	must(t, err)
	sent = 0
	found := map[string]Stored{}
	for st, err := range all {
		must(t, err)
		found[strings.TrimPrefix(st.Name, "s3://"+s3server.Bucket+"/exhibits/")] = st
	}
	if sent > 4*headUsual {
		t.Errorf("%d bytes were asked for to list", sent)
	}
	got := found["CS-1.locked"]
	if len(found) != 4 || got.Err != nil || got.Lock.ID != l.ID || got.Lock.Case != "CS-1" || got.Size != l.headSize+l.Size || got.Modified.IsZero() {
		t.Errorf("%+v", found)
	}
	for name, want := range map[string]string{"notes.txt": "no locked exhibit", "empty": "no locked exhibit", "cut.locked": "cut short or added to"} {
		if found[name].Err == nil || !strings.Contains(found[name].Err.Error(), want) {
			t.Errorf("%s: %v", name, found[name].Err)
		}
	}
	s.Fault(nil)
	// A long head is asked for a second time, and no more of it than a head can have.
	who, _ := custodiansOf(t, 20)
	for i := range who {
		who[i].Name += strings.Repeat("x", 3000)
	}
	long := placeIn(t, s, "long.locked")
	_, err = LockExhibit(t.Context(), LockJob{Dir: exhibitOf(t), Out: long, Case: "CS-1", By: "EXERCISE", Custodians: who, Needed: 2})
	must(t, err)
	if l, err := CheckLock(t.Context(), long, nil); err != nil || l.headSize < headUsual {
		t.Errorf("a head of %d bytes: %v", l.headSize, err)
	}
}

// Whatever a server does while an exhibit is read: it is named, and nothing half opened is left.
func TestNothingHalfUnlockedIsLeftByAHostileServer(t *testing.T) {
	t.Parallel()
	s := s3server.New(t)
	at := placeIn(t, s, "x.locked")
	l, keys, analyst, err := lockInto(t, exhibitOf(t), at)
	must(t, err)
	shares := []GivenShare{givenFor(t, at, keys[0], analyst), givenFor(t, at, keys[1], analyst)}
	right := s.Object("x.locked")
	changed := func(change func(b []byte) []byte) []byte { return change(bytes.Clone(right)) }
	refused := func(name, want string) {
		t.Helper()
		out := filepath.Join(tempDir(t), "out")
		_, err := UnlockExhibit(t.Context(), at, shares, []age.Identity{analyst}, out, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
		if left, err := os.ReadDir(filepath.Dir(out)); err != nil || len(left) != 0 {
			t.Errorf("%s: %v is left, %v", name, left, err)
		}
		if _, err := CheckLock(t.Context(), at, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s, checked: %v, want %q", name, err, want)
		}
	}
	for name, c := range map[string]struct {
		body []byte
		want string
	}{
		"a byte less":        {changed(func(b []byte) []byte { return b[:len(b)-1] }), "cut short or added to"},
		"a byte more":        {changed(func(b []byte) []byte { return append(b, 0) }), "cut short or added to"},
		"a bit":              {changed(func(b []byte) []byte { b[len(b)-9] ^= 1; return b }), "is damaged"},
		"a head without end": {changed(func(b []byte) []byte { binary.BigEndian.PutUint32(b[len(lockMagic):], 1<<31); return b }), "its head has 2147483648 bytes, more than 1048576"},
		"a head that is all": {changed(func(b []byte) []byte { binary.BigEndian.PutUint32(b[len(lockMagic):], 1<<20); return b[:5000] }), "cut short in its head"},
		"cut in its head":    {changed(func(b []byte) []byte { return b[:len(lockMagic)+100] }), "cut short in its head"},
		"something else":     {[]byte("EXERCISE"), "no locked exhibit"},
		"nothing":            {nil, "no locked exhibit"},
		"a size of its own": {changed(func(b []byte) []byte {
			return bytes.Replace(b, []byte(`"payload_bytes":`), []byte(`"payload_bytes":9`), 1)
		}), "cut short or added to"},
		"no payload after it": {right[:l.headSize], "cut short or added to"},
	} {
		s.Store(t, "x.locked", c.body)
		refused(name, c.want)
	}
	s.Store(t, "x.locked", right)
	// A server whose size is a lie, and bodies that are shorter or longer than its own word.
	s.Fault(func(_ int, w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodHead {
			w.Header().Set("Content-Length", strconv.Itoa(len(right)+7))
			w.Header().Set("Last-Modified", "Thu, 26 Nov 2026 16:00:00 GMT")
			return
		}
		next.ServeHTTP(w, r)
	})
	refused("a size that is a lie", bucket.ErrChanged.Error())
	body := func(part func(b []byte) []byte) {
		s.Fault(func(_ int, w http.ResponseWriter, r *http.Request, next http.Handler) {
			a, b, ok := strings.Cut(strings.TrimPrefix(r.Header.Get("Range"), "bytes="), "-")
			from, _ := strconv.Atoi(a)
			to, _ := strconv.Atoi(b)
			if !ok || to < int(l.headSize)+headUsual { // a head
				next.ServeHTTP(w, r)
				return
			}
			w.Header().Set("Last-Modified", "Thu, 26 Nov 2026 16:00:00 GMT")
			w.Header().Set("Content-Range", "bytes "+a+"-"+b+"/"+strconv.Itoa(len(right)))
			w.WriteHeader(http.StatusPartialContent)
			w.(http.Flusher).Flush()
			_, _ = w.Write(part(right[from : to+1]))
		})
	}
	body(func(b []byte) []byte { return b[:min(len(b), 3000)] })
	refused("a body that is cut", bucket.ErrCutShort.Error())
	body(func(b []byte) []byte { return append(bytes.Clone(b), "EXERCISE"...) })
	refused("a body that goes on", bucket.ErrMore.Error())
	body(func(b []byte) []byte { return bytes.Repeat([]byte{0}, len(b)) })
	refused("another body", "is damaged")
	s.Fault(nil)
	_, err = CheckLock(t.Context(), at, nil)
	must(t, err)
}

// What cannot be locked leaves no object and no upload.
func TestALockIntoABucketThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	s := s3server.New(t)
	dir := exhibitOf(t)
	must(t, os.Chmod(filepath.Join(dir, "data"), 0o700))
	must(t, os.Symlink("/etc/passwd", filepath.Join(dir, "data", "zz")))
	if _, _, _, err := lockInto(t, dir, placeIn(t, s, "x.locked")); err == nil || !strings.Contains(err.Error(), "neither a file nor a directory") {
		t.Errorf("a link: %v", err)
	}
	if s.Object("x.locked") != nil || s.Unfinished(t) != 0 {
		t.Error("something is left")
	}
}
