package bucket

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"

	"concert/internal/testkit/s3server"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func client(t testing.TB, s *s3server.Server) *Client {
	t.Helper()
	c, err := Open(Server{Endpoint: s.URL, AccessKey: s3server.AccessKey, SecretKey: s3server.SecretKey, Attempts: 4})
	must(t, err)
	return c
}

func named(key string) Name { return Name{s3server.Bucket, key} }

const canary = "EXERCISE: made-up evidence in the clear. "

// plainText is n bytes that are easily found again.
func plainText(n int) []byte { return bytes.Repeat([]byte(canary), n/len(canary)+1)[:n] }

const testPart = 128 << 10

// making is an object of n bytes in parts of 128 KiB, with a head of 100 bytes.
func making(t testing.TB, key string, n int) (Put, *age.X25519Identity) {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	must(t, err)
	return Put{Name: named(key), To: id.Recipient(), Head: 100, PartSize: testPart, Say: func(string) {}, Expect: int64(n),
		Write: func(w io.Writer) error {
			_, err := io.Copy(w, bytes.NewReader(plainText(n)))
			return err
		},
		Describe: func(size int64, sum [sha256.Size]byte) ([]byte, error) {
			return fmt.Appendf(nil, "%-100s", fmt.Sprintf("%d %x", size, sum)), nil
		}}, id
}

// whole says whether an object is what making wrote.
func whole(t testing.TB, id age.Identity, stored []byte, n int) {
	t.Helper()
	if len(stored) < 100 {
		t.Fatalf("%d bytes are stored", len(stored))
	}
	var size int
	var sum string
	if _, err := fmt.Sscan(string(stored[:100]), &size, &sum); err != nil || size != len(stored)-100 {
		t.Errorf("head %q of %d bytes, %v", stored[:100], len(stored), err)
	}
	if got := sha256.Sum256(stored[100:]); hex.EncodeToString(got[:]) != sum {
		t.Error("the digest that the head was given is another one's")
	}
	r, err := age.Decrypt(bytes.NewReader(stored[100:]), id)
	must(t, err)
	if plain, err := io.ReadAll(r); err != nil || !bytes.Equal(plain, plainText(n)) {
		t.Errorf("%d bytes come back as %d, %v", n, len(plain), err)
	}
}

func TestWhatIsPutIsEncryptedAndWholeAtEverySize(t *testing.T) {
	t.Parallel()
	s := s3server.New(t)
	s.Forbid(canary, s3server.SecretKey)
	for _, n := range []int{0, 1, testPart - 400, testPart, 2 * testPart, 2*testPart + 1, 9*testPart + 7} {
		key := "sizes/" + strconv.Itoa(n)
		p, id := making(t, key, n)
		must(t, client(t, s).Put(t.Context(), p))
		whole(t, id, s.Object(key), n)
	}
	if s.Unfinished(t) != 0 || s.Leaked() != nil {
		t.Errorf("%d uploads are unfinished; %v", s.Unfinished(t), s.Leaked())
	}
}

func TestNothingIsWrittenOverAnother(t *testing.T) {
	t.Parallel()
	s := s3server.New(t)
	there := []byte("EXERCISE, somebody else's")
	s.Store(t, "taken", there)
	p, _ := making(t, "taken", 3*testPart)
	if err := client(t, s).Put(t.Context(), p); !errors.Is(err, ErrExists) {
		t.Errorf("over another: %v", err)
	}
	// It appears while ours is on its way: just before the end, where the server alone can tell, and before that.
	for _, at := range []string{"completion", "a part"} {
		key := "raced by " + at
		p, _ := making(t, key, 3*testPart)
		s.Fault(func(n int, w http.ResponseWriter, r *http.Request, next http.Handler) {
			if at == "completion" && r.Method == http.MethodPost && r.URL.Query().Has("uploadId") || at == "a part" && r.URL.Query().Get("partNumber") == "2" {
				s.Store(t, key, there)
			}
			next.ServeHTTP(w, r)
		})
		if err := client(t, s).Put(t.Context(), p); !errors.Is(err, ErrExists) {
			t.Errorf("%s: %v", key, err)
		}
		if !bytes.Equal(s.Object(key), there) {
			t.Errorf("%s: it was written over", key)
		}
	}
	if s.Unfinished(t) != 0 {
		t.Errorf("%d uploads are unfinished", s.Unfinished(t))
	}
}

// A server that does not know the condition is asked without it, after one more look.
func TestAServerWithoutConditionsIsServed(t *testing.T) {
	t.Parallel()
	s := s3server.New(t)
	s.Fault(func(n int, w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Header.Get("If-None-Match") != "" {
			s3server.Refuse(w, http.StatusNotImplemented, "NotImplemented", "A header you provided implies functionality that is not implemented.")
			return
		}
		next.ServeHTTP(w, r)
	})
	p, id := making(t, "plain server", 3*testPart)
	must(t, client(t, s).Put(t.Context(), p))
	whole(t, id, s.Object("plain server"), 3*testPart)
}

// Every request of an upload is lost once, before it arrives or before its answer does, fails once, or is cut: the object is whole in the end.
func TestOneFaultAtAnyRequestIsOvercome(t *testing.T) {
	t.Parallel()
	s := s3server.New(t)
	const n = 4 * testPart
	p, _ := making(t, "count", n)
	s.Fault(nil)
	must(t, client(t, s).Put(t.Context(), p))
	requests := len(s.Seen())
	if requests < 10 {
		t.Fatalf("an upload takes %d requests: %q", requests, s.Seen())
	}
	for name, fault := range map[string]func(w http.ResponseWriter, r *http.Request, next http.Handler){
		"lost": func(http.ResponseWriter, *http.Request, http.Handler) { s3server.Drop() },
		"unanswered": func(_ http.ResponseWriter, r *http.Request, next http.Handler) {
			next.ServeHTTP(httptest.NewRecorder(), r)
			s3server.Drop()
		},
		"refused 500": func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			s3server.Refuse(w, 500, "InternalError", "EXERCISE")
		},
		"refused 503": func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			s3server.Refuse(w, 503, "SlowDown", "EXERCISE")
		},
	} {
		for at := 1; at <= requests; at++ {
			key := fmt.Sprintf("%s/%d", name, at)
			p, id := making(t, key, n)
			s.Fault(func(i int, w http.ResponseWriter, r *http.Request, next http.Handler) {
				if i == at {
					fault(w, r, next)
					return
				}
				next.ServeHTTP(w, r)
			})
			if err := client(t, s).Put(t.Context(), p); err != nil {
				t.Errorf("%s: %v", key, err)
				continue
			}
			whole(t, id, s.Object(key), n)
		}
	}
}

// From some request on nothing works any more, or the caller stops: the object is whole or not there, and where the server can still
// be reached nothing is left of the upload.
func TestAFaultThatStaysLeavesNothing(t *testing.T) {
	t.Parallel()
	s := s3server.New(t)
	const n = 4 * testPart
	for at := 1; at <= 12; at++ {
		for name, fault := range map[string]func(w http.ResponseWriter){
			"gone":    func(http.ResponseWriter) { s3server.Drop() },
			"refuses": func(w http.ResponseWriter) { s3server.Refuse(w, 403, "AccessDenied", "EXERCISE") },
		} {
			key := fmt.Sprintf("%s/%d", name, at)
			p, id := making(t, key, n)
			s.Fault(func(i int, w http.ResponseWriter, r *http.Request, next http.Handler) {
				if i >= at && r.Method != http.MethodDelete {
					fault(w)
					return
				}
				next.ServeHTTP(w, r)
			})
			c, err := Open(Server{Endpoint: s.URL, AccessKey: s3server.AccessKey, SecretKey: s3server.SecretKey, Attempts: 1})
			must(t, err)
			err = c.Put(t.Context(), p)
			if got := s.Object(key); got != nil {
				whole(t, id, got, n)
			} else if err == nil {
				t.Errorf("%s: it is said to be stored and is not there", key)
			}
		}
	}
	s.Fault(nil)
	if left := s.Unfinished(t); left > 1 { // one upload was begun and its answer lost, so that nobody knows its name
		t.Errorf("%d uploads are unfinished", left)
	}
}

func TestWhatIsStoppedLeavesNothing(t *testing.T) {
	t.Parallel()
	s := s3server.New(t)
	for at := 1; at <= 9; at++ {
		key := fmt.Sprintf("stopped/%d", at)
		p, id := making(t, key, 4*testPart)
		ctx, stop := context.WithCancel(t.Context())
		s.Fault(func(i int, w http.ResponseWriter, r *http.Request, next http.Handler) {
			if i == at {
				stop()
			}
			next.ServeHTTP(w, r)
		})
		if err := client(t, s).Put(ctx, p); err == nil {
			whole(t, id, s.Object(key), 4*testPart)
		} else if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", key, err)
		} else if got := s.Object(key); got != nil {
			whole(t, id, got, 4*testPart)
		}
		stop()
	}
	s.Fault(nil)
	if left := s.Unfinished(t); left > 1 {
		t.Errorf("%d uploads are unfinished", left)
	}
}

// What was to be written fails, or its head has another length: nothing is there.
func TestWhatCannotBeWrittenLeavesNothing(t *testing.T) {
	t.Parallel()
	s := s3server.New(t)
	failed := errors.New("EXERCISE: the disk is gone")
	p, _ := making(t, "failed", 0)
	p.Write = func(w io.Writer) error {
		if _, err := w.Write(plainText(3 * testPart)); err != nil {
			return err
		}
		return failed
	}
	if err := client(t, s).Put(t.Context(), p); !errors.Is(err, failed) {
		t.Errorf("%v", err)
	}
	p, _ = making(t, "failed", 10)
	p.Describe = func(int64, [sha256.Size]byte) ([]byte, error) { return []byte("short"), nil }
	if err := client(t, s).Put(t.Context(), p); err == nil || !strings.Contains(err.Error(), "were kept for it") {
		t.Errorf("%v", err)
	}
	if s.Object("failed") != nil || s.Unfinished(t) != 0 {
		t.Error("something is left")
	}
}

func TestOnlyUploadsToTheSameNameAreSwept(t *testing.T) {
	t.Parallel()
	s := s3server.New(t)
	c := client(t, s)
	for _, key := range []string{"a/x", "a/x", "a/xy", "a"} {
		u := &upload{Client: c, name: named(key)}
		must(t, u.begin(t.Context(), time.Time{}))
	}
	var said []string
	p, id := making(t, "a/x", 10)
	p.Say = func(text string) { said = append(said, text) }
	must(t, c.Put(t.Context(), p))
	whole(t, id, s.Object("a/x"), 10)
	if len(said) != 2 || !strings.HasPrefix(said[0], "Aborted: an upload to the same name") || s.Unfinished(t) != 2 {
		t.Errorf("%q, %d unfinished", said, s.Unfinished(t))
	}
}

// Names are bytes: what an address has to escape comes back as it was.
func TestNamesOfEveryKind(t *testing.T) {
	t.Parallel()
	s := s3server.New(t)
	c := client(t, s)
	for _, key := range []string{"a b+c", "100%41", "a?b#c&d=e", "مثال/ü~", "(x)'!*;:@,$"} {
		n, err := ParseName("s3://" + s3server.Bucket + "/" + key)
		must(t, err)
		u := &upload{Client: c, name: n}
		must(t, u.begin(t.Context(), time.Time{}))
		p, id := making(t, key, 2*testPart)
		must(t, c.Put(t.Context(), p))
		whole(t, id, s.Object(key), 2*testPart)
		o, err := c.Find(t.Context(), n)
		must(t, err)
		if got, err := io.ReadAll(c.Range(t.Context(), o, 0, o.Size)); err != nil || !bytes.Equal(got, s.Object(key)) {
			t.Errorf("%q: %v", key, err)
		}
		seen := false
		for o, err := range c.List(t.Context(), Name{s3server.Bucket, ""}) {
			must(t, err)
			seen = seen || o.Name == n
		}
		if !seen || s.Unfinished(t) != 0 {
			t.Errorf("%q: listed %v, %d uploads unfinished", key, seen, s.Unfinished(t))
		}
	}
}

// What is replaced between two requests is noticed.
func TestAnObjectThatIsReplacedIsNotReadOn(t *testing.T) {
	t.Parallel()
	s := s3server.New(t)
	s.Store(t, "x", plainText(1000))
	c := client(t, s)
	o, err := c.Find(t.Context(), named("x"))
	must(t, err)
	s.Store(t, "x", bytes.ToUpper(plainText(1000)))
	if _, err := io.ReadAll(c.Range(t.Context(), o, 0, 1000)); !errors.Is(err, ErrChanged) {
		t.Errorf("%v", err)
	}
	for o, err := range c.List(t.Context(), Name{s3server.Bucket, ""}) {
		must(t, err)
		if got, err := io.ReadAll(c.Range(t.Context(), o, 0, o.Size)); err != nil || len(got) != 1000 {
			t.Errorf("as it is listed: %d, %v", len(got), err)
		}
	}
}

// Where the keys may not list uploads, that is said, and the object is stored.
func TestASweepThatIsRefusedIsSaid(t *testing.T) {
	t.Parallel()
	s := s3server.New(t)
	s.Fault(func(_ int, w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodGet && r.URL.Query().Has("uploads") {
			s3server.Refuse(w, 403, "AccessDenied", "EXERCISE")
			return
		}
		next.ServeHTTP(w, r)
	})
	p, _ := making(t, "x", 10)
	var said []string
	p.Say = func(text string) { said = append(said, text) }
	must(t, client(t, s).Put(t.Context(), p))
	if len(said) != 1 || !strings.Contains(said[0], "does not say") {
		t.Errorf("%q", said)
	}
}

func TestRetention(t *testing.T) {
	t.Parallel()
	s := s3server.New(t)
	day := time.Date(2999, 12, 31, 23, 59, 59, 0, time.UTC)
	put := func(key string) error {
		p, _ := making(t, key, 10)
		p.Retain = day
		return client(t, s).Put(t.Context(), p)
	}
	if err := put("no lock"); err == nil || !strings.Contains(err.Error(), "object lock is not enabled") || s.Object("no lock") != nil {
		t.Errorf("a bucket without object lock: %v", err)
	}
	s.Locks = true
	must(t, put("kept"))
	o, err := client(t, s).Find(t.Context(), named("kept"))
	must(t, err)
	if !o.Retained.Equal(day) {
		t.Errorf("kept until %s", o.Retained)
	}
	s.Fault(func(_ int, w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodPost && r.URL.Query().Has("uploads") {
			s3server.Refuse(w, 400, "InvalidRequest", "Bucket is missing Object Lock Configuration")
			return
		}
		next.ServeHTTP(w, r)
	})
	if err := put("refused"); err == nil || !strings.Contains(err.Error(), "takes nothing that it is to keep until 2999-12-31") || s.Object("refused") != nil {
		t.Errorf("a server that refuses: %v", err)
	}
	s.Fault(func(_ int, w http.ResponseWriter, r *http.Request, next http.Handler) {
		r.Header.Del("X-Amz-Object-Lock-Mode")
		next.ServeHTTP(w, r)
	})
	if err := put("ignored"); !errors.Is(err, ErrNotRetained) || s.Object("ignored") == nil {
		t.Errorf("a server that says nothing and does nothing: %v", err)
	}
}

// A part that arrives other than it was sent is refused by the server, and one of which the server says so by us.
func TestAPartThatWasChangedOnItsWayIsNotTaken(t *testing.T) {
	t.Parallel()
	s := s3server.New(t)
	s.Fault(func(_ int, w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.URL.Query().Get("partNumber") == "2" {
			sum := sha256.Sum256([]byte("EXERCISE"))
			w = &headed{w, func(h http.Header) { h.Set("X-Amz-Checksum-Sha256", hex.EncodeToString(sum[:])) }}
		}
		next.ServeHTTP(w, r)
	})
	p, _ := making(t, "x", 3*testPart)
	if err := client(t, s).Put(t.Context(), p); err == nil || !strings.Contains(err.Error(), "another part 2 than was sent") {
		t.Errorf("%v", err)
	}
	s.Fault(func(_ int, w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.URL.Query().Get("partNumber") == "2" {
			s3server.Refuse(w, 400, "BadDigest", "EXERCISE")
			return
		}
		next.ServeHTTP(w, r)
	})
	if err := client(t, s).Put(t.Context(), p); err == nil || !strings.Contains(err.Error(), `part 2: s3://exercise-vault/x`) || !strings.Contains(err.Error(), "BadDigest") {
		t.Errorf("%v", err)
	}
	if s.Object("x") != nil || s.Unfinished(t) != 0 {
		t.Error("something is left")
	}
}

// headed changes the header of an answer before it leaves.
type headed struct {
	http.ResponseWriter
	change func(h http.Header)
}

// WriteHeader implements http.ResponseWriter.
func (h *headed) WriteHeader(status int) {
	h.change(h.Header())
	h.ResponseWriter.WriteHeader(status)
}

// Bodies that break off are asked for again where they broke.
func TestALongBodyGoesOnWhereItBroke(t *testing.T) {
	t.Parallel()
	s := s3server.New(t)
	want := plainText(1 << 20)
	s.Store(t, "long", want)
	var mu sync.Mutex
	asked := 0
	s.Fault(func(_ int, w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodGet {
			mu.Lock()
			asked++
			mu.Unlock()
			w = &short{ResponseWriter: w, left: 100 << 10}
		}
		next.ServeHTTP(w, r)
	})
	c := client(t, s)
	o, err := c.Find(t.Context(), named("long"))
	must(t, err)
	got, err := io.ReadAll(c.Range(t.Context(), o, 5, int64(len(want)-5)))
	if err != nil || !bytes.Equal(got, want[5:]) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if asked < 10 {
		t.Errorf("it was asked for %d times: the test saw nothing", asked)
	}
	// One that brings nearly nothing each time is given up.
	s.Fault(func(_ int, w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodGet {
			w = &short{ResponseWriter: w, left: 10}
		}
		next.ServeHTTP(w, r)
	})
	if _, err := io.ReadAll(c.Range(t.Context(), o, 0, o.Size)); !errors.Is(err, ErrCutShort) {
		t.Errorf("%v", err)
	}
}

// short breaks a connection after some bytes.
type short struct {
	http.ResponseWriter
	left int
}

// Write implements io.Writer.
func (s *short) Write(p []byte) (int, error) {
	n, err := s.ResponseWriter.Write(p[:min(len(p), s.left)])
	if s.left -= n; s.left == 0 && err == nil {
		s.ResponseWriter.(http.Flusher).Flush()
		s3server.Drop()
	}
	return n, err
}

// Unwrap lets the proxy flush.
func (s *short) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func TestServersThatLieAreNamed(t *testing.T) {
	t.Parallel()
	s := s3server.New(t)
	s.Store(t, "x", plainText(1000))
	answer := func(status int, where string, body int, length string) func(int, http.ResponseWriter, *http.Request, http.Handler) {
		return func(_ int, w http.ResponseWriter, r *http.Request, next http.Handler) {
			if r.Method != http.MethodGet {
				next.ServeHTTP(w, r)
				return
			}
			w.Header().Set("Last-Modified", "Thu, 26 Nov 2026 16:00:00 GMT")
			from, _, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Range"), "bytes="), "-")
			if where != "" {
				w.Header().Set("Content-Range", strings.Replace(where, "FROM", from, 1))
			}
			if at, err := strconv.Atoi(from); err == nil && length == "all" {
				w.Header().Set("Content-Length", strconv.Itoa(200-at))
			} else if length != "" {
				w.Header().Set("Content-Length", length)
			}
			w.WriteHeader(status)
			w.(http.Flusher).Flush() // without a length it goes in chunks
			_, _ = w.Write(plainText(body))
		}
	}
	for name, c := range map[string]struct {
		fault func(int, http.ResponseWriter, *http.Request, http.Handler)
		want  error
	}{
		"more in chunks":     {answer(206, "bytes 100-199/1000", 500, ""), ErrMore},
		"more by its length": {answer(206, "bytes 100-199/1000", 500, "500"), ErrMore},
		"more by its range":  {answer(206, "bytes 100-299/1000", 200, "200"), ErrMore},
		"less by its range":  {answer(206, "bytes 100-149/1000", 50, "50"), ErrCutShort},
		"less than it says":  {answer(206, "bytes FROM-199/1000", 5, "all"), ErrCutShort},
		"less in chunks":     {answer(206, "bytes FROM-199/1000", 5, ""), ErrCutShort},
		"everything":         {answer(200, "", 1000, ""), ErrNoRange},
		"another place":      {answer(206, "bytes 0-99/1000", 100, "100"), ErrNoRange},
		"another object":     {answer(206, "bytes 100-199/2000", 100, "100"), ErrChanged},
		"no sense":           {answer(206, "bytes many", 100, "100"), ErrNoRange},
		"replaced meanwhile": {func(_ int, w http.ResponseWriter, r *http.Request, next http.Handler) {
			onGet(w, r, next, 412, "PreconditionFailed")
		}, ErrChanged},
		"removed meanwhile": {func(_ int, w http.ResponseWriter, r *http.Request, next http.Handler) {
			onGet(w, r, next, 404, "NoSuchKey")
		}, ErrChanged},
		"shorter than before": {func(_ int, w http.ResponseWriter, r *http.Request, next http.Handler) {
			onGet(w, r, next, 416, "InvalidRange")
		}, ErrCutShort},
	} {
		s.Fault(c.fault)
		cl := client(t, s)
		o, err := cl.Find(t.Context(), named("x"))
		must(t, err)
		body := cl.Range(t.Context(), o, 100, 100)
		got, err := io.ReadAll(body)
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), "s3://exercise-vault/x") {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
		if _, again := body.Read(make([]byte, 1)); !errors.Is(again, c.want) {
			t.Errorf("%s: its error does not stay: %v", name, again)
		}
	}
	s.Fault(nil)
	o, err := client(t, s).Find(t.Context(), named("x"))
	must(t, err)
	if got, err := io.ReadAll(client(t, s).Range(t.Context(), o, 7, 0)); err != nil || len(got) != 0 {
		t.Errorf("nothing of it: %d, %v", len(got), err)
	}
}

func onGet(w http.ResponseWriter, r *http.Request, next http.Handler, status int, code string) {
	if r.Method == http.MethodGet {
		s3server.Refuse(w, status, code, "EXERCISE")
		return
	}
	next.ServeHTTP(w, r)
}

// A server that takes a request and says nothing, or stops in the middle of a body, is not waited for forever.
func TestAServerThatFallsSilentIsLeft(t *testing.T) {
	t.Parallel()
	s := s3server.New(t)
	s.Store(t, "x", plainText(1000))
	open := func() *Client {
		c, err := Open(Server{Endpoint: s.URL, AccessKey: s3server.AccessKey, SecretKey: s3server.SecretKey, Attempts: 1, Patience: 50 * time.Millisecond})
		must(t, err)
		return c
	}
	o, err := client(t, s).Find(t.Context(), named("x"))
	must(t, err)
	for name, begin := range map[string]int{"at once": 0, "in the middle": 10} {
		s.Fault(func(_ int, w http.ResponseWriter, r *http.Request, _ http.Handler) {
			if begin > 0 {
				w.Header().Set("Last-Modified", "Thu, 26 Nov 2026 16:00:00 GMT")
				w.Header().Set("Content-Range", "bytes "+strings.TrimPrefix(r.Header.Get("Range"), "bytes=")+"/1000")
				w.WriteHeader(206)
				_, _ = w.Write(plainText(begin))
				w.(http.Flusher).Flush()
			}
			<-r.Context().Done()
		})
		if _, err := io.ReadAll(open().Range(t.Context(), o, 0, 1000)); err == nil {
			t.Errorf("%s: it is whole", name)
		}
	}
	p, _ := making(t, "y", 10)
	if err := open().Put(t.Context(), p); err == nil {
		t.Error("it is stored")
	}
}

func TestBelowAPrefix(t *testing.T) {
	t.Parallel()
	s := s3server.New(t)
	for _, key := range []string{"a/1", "a/2", "ab", "b"} {
		s.Store(t, key, []byte("EXERCISE"))
	}
	for prefix, want := range map[string]string{"": "a/1 a/2 ab b", "a": "a/1 a/2 ab", "a/": "a/1 a/2", "z": ""} {
		var got []string
		for o, err := range client(t, s).List(t.Context(), Name{s3server.Bucket, prefix}) {
			must(t, err)
			got = append(got, o.Key)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %q", prefix, got)
		}
	}
	for _, err := range client(t, s).List(t.Context(), Name{"no-such-vault", ""}) {
		if err == nil || !strings.Contains(err.Error(), "there is no bucket no-such-vault") {
			t.Errorf("%v", err)
		}
	}
}

func TestTLSByACertificateOfOnesOwn(t *testing.T) {
	t.Parallel()
	s := s3server.New(t)
	s.Store(t, "x", []byte("EXERCISE"))
	ca := filepath.Join(t.TempDir(), "ca.pem")
	must(t, os.WriteFile(ca, s.Certificate(), 0o600))
	open := func(ca string) error {
		c, err := Open(Server{Endpoint: s.TLS.URL, CA: ca, AccessKey: s3server.AccessKey, SecretKey: s3server.SecretKey})
		if err != nil {
			return err
		}
		_, err = c.Find(t.Context(), named("x"))
		return err
	}
	must(t, open(ca))
	if err := open(""); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate that nobody vouches for: %v", err)
	}
	must(t, os.WriteFile(ca, []byte("EXERCISE"), 0o600))
	if err := open(ca); err == nil || !strings.Contains(err.Error(), "no certificate in PEM") {
		t.Errorf("no certificate: %v", err)
	}
	// What goes over TLS is encrypted and summed as well.
	must(t, os.WriteFile(ca, s.Certificate(), 0o600))
	c, err := Open(Server{Endpoint: s.TLS.URL, CA: ca, AccessKey: s3server.AccessKey, SecretKey: s3server.SecretKey})
	must(t, err)
	p, id := making(t, "over TLS", 3*testPart)
	must(t, c.Put(t.Context(), p))
	whole(t, id, s.Object("over TLS"), 3*testPart)
}

func TestServersAreNamedByTheirAddressAlone(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                               "say on which server",
		"storage.example":                "is written https://HOST",
		"https://":                       "is written https://HOST",
		"https://storage.example/bucket": "is written https://HOST",
		"https://a:hidden@example.org":   "is written https://HOST",
		"https://example.org?x=hidden":   "is written https://HOST",
		"ftp://storage.example":          "no scheme",
		"http://storage.example":         "only on a loopback address",
		"http://10.0.0.1:9000":           "only on a loopback address",
		"http://localhost.example":       "only on a loopback address",
		"http://127.0.0.1.example":       "only on a loopback address",
		"http://127.0.0.1:9000":          "",
		"http://[::1]:9000":              "",
		"http://localhost:9000":          "",
		"https://storage.example:9000/":  "",
	} {
		_, err := Open(Server{Endpoint: text, AccessKey: "a", SecretKey: "b"})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) || err != nil && strings.Contains(err.Error(), "hidden") {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestPartsAreFewAndTheirMemoryIsBounded(t *testing.T) {
	t.Parallel()
	for bytes, want := range map[int64]int64{0: 16 << 20, 100 << 30: 16 << 20, 1 << 40: 106 << 20, 5 << 40: 530 << 20} {
		got, err := Put{Expect: bytes, Head: 5000}.partSize()
		if err != nil || got != want {
			t.Errorf("%d bytes: parts of %d, want %d, %v", bytes, got, want, err)
		}
		if cipher := bytes + bytes/4096 + 10_000; cipher/got+1 > partsMost {
			t.Errorf("%d bytes make %d parts", bytes, cipher/got+1)
		}
	}
	if _, err := (Put{Expect: 100 << 40}).partSize(); err == nil || !strings.Contains(err.Error(), "lock it in pieces") {
		t.Errorf("too much: %v", err)
	}
	// Parts are given out again once they are sent, and there are never more than three beside the first.
	free := make(chan []byte, inFlight+1)
	for range inFlight + 1 {
		free <- nil
	}
	made := map[*byte]bool{}
	p := &parts{size: 10, room: 4, sum: sha256.New(), free: free}
	p.send = func(_ int, body []byte) {
		made[&body[0]] = true
		free <- body[:0]
	}
	for range 1000 {
		if _, err := p.Write([]byte("abc")); err != nil {
			t.Fatal(err)
		}
	}
	if len(made) > inFlight+1 || p.number != 301 {
		t.Errorf("%d parts in %d pieces of memory", p.number, len(made))
	}
}

func FuzzParseName(f *testing.F) {
	for _, text := range []string{"s3://exercise-vault/exhibits/CS-1.locked", "s3://", "s3://b/k", "s3:///x", "s3://exercise-vault", "s3://exercise-vault/", "s3://exercise-vault/a//b", "s3://exercise-vault/../b", "s3://exercise-vault/a\x00", "s3://k:s@exercise-vault/x", "http://x/y", "s3://exercise-vault/\u202e", `s3://exercise-vault/a\b`, "s3://exercise-vault//a", "s3://exercise-vault/a/"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := ParseName(text)
		if err != nil {
			return
		}
		if n.String() != text || n.Key == "" || strings.Contains("/"+n.Key+"/", "/../") || strings.Contains("/"+n.Key+"/", "//") || strings.ContainsAny(text, "\x00\n\r\x1b") {
			t.Errorf("%q is %+v", text, n)
		}
		if p, err := ParsePrefix(text); err != nil || p != n {
			t.Errorf("%q is no prefix: %v", text, err)
		}
	})
}

func TestBadNamesAreRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"x.locked":                                         "no name of an object",
		"s3://":                                            "names no bucket",
		"s3:///key":                                        "names no bucket",
		"s3://AB/key":                                      "names no bucket",
		"s3://exercise-vault":                              "no object there",
		"s3://exercise-vault/":                             "no object there",
		"s3://exercise-vault/a/":                           "no object there",
		"s3://exercise-vault/../a":                         "a segment ..",
		"s3://exercise-vault/a/./b":                        "a segment .",
		"s3://exercise-vault//a":                           "empty segment",
		"s3://exercise-vault/a//b":                         "empty segment",
		"s3://exercise-vault/a\nb":                         "cannot be seen",
		"s3://exercise-vault/a\u202eb":                     "cannot be seen",
		"s3://exercise-vault/a\\b":                         "backslash",
		"s3://exercise-vault/\xff":                         "no UTF-8",
		"s3://key:hidden@exercise-vault/":                  "neither keys nor a server",
		"s3://exercise-vault/" + strings.Repeat("x", 1025): "more than 1024",
	} {
		_, err := ParseName(text)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%.40q: %v, want %q", text, err, want)
		}
	}
}
