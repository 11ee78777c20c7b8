// Package s3server is a server that speaks S3, for tests: a real one in memory, and in front of it, over real HTTP on loopback, a
// proxy that is as strict as large servers are and does on demand what networks and hostile servers do. Its one invariant: what
// passes the proxy reaches the server as it was sent, unless a test says otherwise.
package s3server

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// Keys that the server knows, EXERCISE.
const (
	AccessKey = "EXERCISEACCESS"
	SecretKey = "EXERCISE+secret/key"
	Bucket    = "exercise-vault"
)

// Server is one server with one bucket.
type Server struct {
	URL     string
	Back    *s3mem.Backend
	TLS     *httptest.Server // the same with TLS
	backURL string
	proxy   http.Handler

	mu       sync.Mutex
	fault    func(n int, w http.ResponseWriter, r *http.Request, next http.Handler)
	n        int
	seen     []string
	canaries [][]byte
	leaked   []string

	Conditional bool // holds If-None-Match on completion, as large servers do
	Locks       bool // the bucket has object lock
}

// New starts a server that ends with the test.
func New(t testing.TB) *Server {
	t.Helper()
	s, stop, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return s
}

// Start starts a server, and gives what ends it.
func Start() (*Server, func(), error) {
	s := &Server{Back: s3mem.New(), Conditional: true}
	if err := s.Back.CreateBucket(Bucket); err != nil {
		return nil, nil, err
	}
	quiet := log.New(io.Discard, "", 0) // what tests do to connections is no news
	serve := func(h http.Handler) *httptest.Server {
		srv := httptest.NewUnstartedServer(h)
		srv.Config.ErrorLog = quiet
		return srv
	}
	back := serve(gofakes3.New(s.Back, gofakes3.WithTimeSkewLimit(0)).Server())
	back.Start()
	to, err := url.Parse(back.URL)
	if err != nil {
		return nil, nil, err
	}
	s.backURL = back.URL
	s.proxy = &httputil.ReverseProxy{ErrorLog: quiet, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }}
	front := serve(s)
	front.Start()
	s.TLS = serve(s)
	s.TLS.StartTLS()
	s.URL = front.URL
	return s, func() {
		front.CloseClientConnections()
		front.Close()
		s.TLS.Close()
		back.Close()
	}, nil
}

// Fault sets what happens to requests, numbered from 1 since then; nil: nothing. next does what is right.
func (s *Server) Fault(f func(n int, w http.ResponseWriter, r *http.Request, next http.Handler)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault, s.n, s.seen = f, 0, nil
}

// Seen are the requests since the last Fault, as method, path and query.
func (s *Server) Seen() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.seen...)
}

// Forbid names texts that nothing may hold that is sent here.
func (s *Server) Forbid(texts ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range texts {
		s.canaries = append(s.canaries, []byte(t))
	}
}

// Leaked says where forbidden texts stood.
func (s *Server) Leaked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.leaked...)
}

// Object is what is stored under a key, nil for nothing.
func (s *Server) Object(key string) []byte {
	o, err := s.Back.GetObject(Bucket, key, nil)
	if err != nil {
		return nil
	}
	defer o.Contents.Close()
	b, err := io.ReadAll(o.Contents)
	if err != nil {
		return nil
	}
	return b
}

func (s *Server) etag(key string) string {
	o, err := s.Back.HeadObject(Bucket, key)
	if err != nil {
		return ""
	}
	defer o.Contents.Close()
	return `"` + hex.EncodeToString(o.Hash) + `"`
}

// Store puts an object there as somebody else would.
func (s *Server) Store(t testing.TB, key string, body []byte) {
	t.Helper()
	if _, err := s.Back.PutObject(Bucket, key, map[string]string{"Last-Modified": "Thu, 26 Nov 2026 16:00:00 GMT"}, bytes.NewReader(body), int64(len(body)), nil); err != nil {
		t.Fatal(err)
	}
}

// Remove removes an object.
func (s *Server) Remove(key string) error {
	_, err := s.Back.DeleteObject(Bucket, key)
	return err
}

// Unfinished is how many uploads were begun and neither ended nor aborted.
func (s *Server) Unfinished(t testing.TB) int {
	t.Helper()
	res, err := http.Get(s.backURL + "/" + Bucket + "?uploads") //nolint:noctx // ends with the server
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(b), "<Upload>")
}

// Certificate is what the address with TLS is believed by, in PEM.
func (s *Server) Certificate() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.TLS.Certificate().Raw})
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	s.mu.Lock()
	s.n++
	n, fault := s.n, s.fault
	s.seen = append(s.seen, r.Method+" "+r.URL.RequestURI())
	for _, c := range s.canaries {
		if bytes.Contains(body, c) || strings.Contains(r.URL.String()+fmt.Sprint(r.Header), string(c)) {
			s.leaked = append(s.leaked, fmt.Sprintf("%q in %s %s", c, r.Method, r.URL))
		}
	}
	s.mu.Unlock()
	right := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.right(w, r, body) })
	if fault == nil {
		right(w, r)
		return
	}
	fault(n, w, r, right)
}

// right answers as large servers do, and leaves the rest to the one behind.
func (s *Server) right(w http.ResponseWriter, r *http.Request, body []byte) {
	q := r.URL.Query()
	sum := sha256.Sum256(body)
	key := strings.TrimPrefix(r.URL.Path, "/"+Bucket+"/")
	switch {
	case !strings.Contains(r.Header.Get("Authorization"), "Credential="+AccessKey+"/"):
		Refuse(w, http.StatusForbidden, "InvalidAccessKeyId", "The key is not known.")
	case r.Header.Get("X-Amz-Content-Sha256") != hex.EncodeToString(sum[:]) && r.Method != http.MethodGet && r.Method != http.MethodHead && len(body) > 0:
		Refuse(w, http.StatusBadRequest, "XAmzContentSHA256Mismatch", "The body is not what was signed.")
	case q.Has("object-lock") && s.Locks:
		_, _ = io.WriteString(w, `<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>`)
	case q.Has("object-lock"):
		Refuse(w, http.StatusNotFound, "ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket")
	case r.Method == http.MethodGet && r.Header.Get("If-Match") != "" && r.Header.Get("If-Match") != s.etag(key):
		Refuse(w, http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
	case r.Method == http.MethodPut && !q.Has("uploadId"):
		Refuse(w, http.StatusForbidden, "AccessDenied", "Nothing is put there in one piece.")
	case r.Method == http.MethodPost && q.Has("uploadId") && r.Header.Get("If-None-Match") == "*" && s.Conditional && s.Object(key) != nil:
		Refuse(w, http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
	default:
		if sent := r.Header.Get("X-Amz-Checksum-Sha256"); sent != "" {
			if sent != base64.StdEncoding.EncodeToString(sum[:]) {
				Refuse(w, http.StatusBadRequest, "BadDigest", "The part is not what its checksum says.")
				return
			}
			w.Header().Set("X-Amz-Checksum-Sha256", sent)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		s.proxy.ServeHTTP(w, r)
	}
}

// Refuse answers as S3 refuses.
func Refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s</Message></Error>", code, message)
}

// Drop ends the connection without an answer.
func Drop() { panic(http.ErrAbortHandler) }
