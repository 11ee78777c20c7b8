package dispatch

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"concert/internal/netguard"
)

func loopback(timeout time.Duration) *Webhook {
	return NewWebhook(WebhookOptions{Guard: netguard.Only(netguard.Loopback()...), Timeout: timeout, UserAgent: "concert-exercise"})
}

func message(url string, keys ...SigningKey) Message {
	return Message{ID: NewSecret().ID(), URL: url, Body: []byte(`{"type":"referral.sent","data":"EXERCISE"}`), Keys: keys}
}

func TestG09WebhookArrivesSignedOverHTTP(t *testing.T) {
	t.Parallel()
	k := NewPrivateKey()
	var got Verified
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			got, err = Verify(r.Header, body, []VerifyKey{k.VerifyKey()}, 0, time.Now())
		}
		if err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" || r.UserAgent() != "concert-exercise" {
			http.Error(w, "refused", http.StatusUnauthorized)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(s.Close)
	w := loopback(0)
	t.Cleanup(w.Close)
	m := message(s.URL, k)
	r := w.Send(t.Context(), m)
	if r.Outcome != Accepted || r.Status != 204 || r.Err != nil || r.AcceptedAt.IsZero() || got.ID != m.ID {
		t.Errorf("receipt %+v, verified %+v", r, got)
	}
	for _, part := range []string{"HTTP/1.1", "204 No Content", "remote " + s.Listener.Addr().String(), "sha256 e3b0c442"} {
		if !strings.Contains(r.Evidence, part) {
			t.Errorf("evidence %q lacks %q", r.Evidence, part)
		}
	}
	if r := w.Send(t.Context(), message(s.URL, NewPrivateKey())); r.Outcome != Refused || r.Status != 401 {
		t.Errorf("a foreign key: %+v", r)
	}
}

func TestStatusDecidesTheOutcome(t *testing.T) {
	t.Parallel()
	var hits atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		status := 0
		for _, c := range r.URL.Path[1:] {
			status = status*10 + int(c-'0')
		}
		w.Header().Set("Location", "/200")
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(status)
	}))
	t.Cleanup(s.Close)
	w := loopback(0)
	t.Cleanup(w.Close)
	for path, want := range map[string]Outcome{
		"200": Accepted, "202": Accepted, "204": Accepted, "301": Redirect, "302": Redirect, "307": Redirect, "308": Redirect, "304": Redirect,
		"400": Refused, "401": Refused, "404": Refused, "413": Refused, "410": Gone, "408": Retry, "425": Retry,
		"429": SlowDown, "502": SlowDown, "503": SlowDown, "504": SlowDown, "500": Retry, "501": Retry, "599": Retry, "700": Retry,
	} {
		before := hits.Load()
		r := w.Send(t.Context(), message(s.URL+"/"+path, NewSecret()))
		if r.Outcome != want || r.RetryAfter != 7*time.Second || (r.Err == nil) != (want == Accepted) || r.AcceptedAt.IsZero() != (want != Accepted) {
			t.Errorf("%s: %+v, want %s", path, r, want)
		}
		if hits.Load() != before+1 {
			t.Errorf("%s: %d requests, want 1: a redirect was followed or an attempt repeated", path, hits.Load()-before)
		}
	}
}

func TestEndpointsOutsideTheGuardAreNeverDialled(t *testing.T) {
	t.Parallel()
	var hits atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	t.Cleanup(s.Close)
	public := NewWebhook(WebhookOptions{})
	t.Cleanup(public.Close)
	for _, url := range []string{s.URL, strings.Replace(s.URL, "127.0.0.1", "localhost", 1), strings.Replace(s.URL, "127.0.0.1", "[::ffff:127.0.0.1]", 1), "http://169.254.169.254/latest/meta-data"} {
		r := public.Send(t.Context(), message(url, NewSecret()))
		_, ok := errors.AsType[*netguard.RefusedError](r.Err)
		if r.Outcome != Blocked || !ok {
			t.Errorf("%s: %+v, want blocked", url, r)
		}
	}
	if r := loopback(0).Send(t.Context(), message("http://192.0.2.1/", NewSecret())); r.Outcome != Blocked {
		t.Errorf("an exercise reached beyond loopback: %+v", r)
	}
	if hits.Load() != 0 {
		t.Errorf("%d requests arrived", hits.Load())
	}
}

func TestMessagesThatCanNeverBeSentAreInvalid(t *testing.T) {
	t.Parallel()
	w := loopback(0)
	for name, m := range map[string]Message{
		"no key":        message("http://127.0.0.1/"),
		"empty key":     message("http://127.0.0.1/", SigningKey{}),
		"no scheme":     message("127.0.0.1", NewSecret()),
		"file":          message("file:///etc/passwd", NewSecret()),
		"javascript":    message("javascript:alert(1)", NewSecret()),
		"credentials":   message("http://user:secret@127.0.0.1/", NewSecret()),
		"control":       message("http://127.0.0.1/\x00", NewSecret()),
		"too large":     {ID: "a", URL: "http://127.0.0.1/", Body: make([]byte, MaxPayload+1), Keys: []SigningKey{NewSecret()}},
		"bad id":        {ID: "a\nb", URL: "http://127.0.0.1/", Keys: []SigningKey{NewSecret()}},
		"header inject": {ID: "a", URL: "http://127.0.0.1/", Keys: []SigningKey{NewSecret()}, ContentType: "a\r\nX: y"},
	} {
		r := w.Send(t.Context(), m)
		if r.Outcome != Invalid || !errors.Is(r.Err, ErrMessage) || strings.Contains(r.Evidence, "secret@") {
			t.Errorf("%s: %+v, want invalid", name, r)
		}
		if _, giveUp := NextAttempt(1, r, 0); !giveUp {
			t.Errorf("%s is tried again", name)
		}
	}
}

func TestSlowSilentAndBrokenEndpoints(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/silent":
			<-release
		case "/reset":
			conn, _, _ := http.NewResponseController(w).Hijack()
			conn.Close()
		case "/nonsense":
			conn, _, _ := http.NewResponseController(w).Hijack()
			io.WriteString(conn, "SSH-2.0-EXERCISE\r\n\r\n")
			conn.Close()
		case "/endless":
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 32<<10)); err != nil {
					return
				}
			}
		}
	}))
	t.Cleanup(s.Close)
	t.Cleanup(func() { close(release) })
	w := loopback(time.Second)
	t.Cleanup(w.Close)
	for _, path := range []string{"/silent", "/reset", "/nonsense"} {
		r := w.Send(t.Context(), message(s.URL+path, NewSecret()))
		if r.Outcome != Retry || r.Status != 0 || r.Err == nil || !strings.Contains(r.Evidence, "no answer") {
			t.Errorf("%s: %+v, want retry", path, r)
		}
	}
	r := w.Send(t.Context(), message(s.URL+"/endless", NewSecret()))
	if r.Outcome != Accepted || !strings.Contains(r.Evidence, "answer 65536 bytes (read no further)") {
		t.Errorf("endless answer: %+v", r)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r := w.Send(ctx, message(s.URL, NewSecret())); r.Outcome != Retry || !errors.Is(r.Err, context.Canceled) {
		t.Errorf("cancelled: %+v", r)
	}
}

func TestDroppedFileIsDurableVerifiableAndWrittenOnce(t *testing.T) {
	t.Parallel()
	dir, k, at := t.TempDir(), NewPrivateKey(), time.Unix(vectorSeconds, 0)
	d := NewFileDrop(dir, func() time.Time { return at })
	m := message("", k)
	m.Body = []byte("line\r\n\r\nwith empty lines\n")
	r := d.Send(t.Context(), m)
	if r.Outcome != Accepted || r.Err != nil || !r.AcceptedAt.Equal(at) || !strings.Contains(r.Evidence, m.ID+DropSuffix) {
		t.Fatalf("receipt %+v", r)
	}
	path := filepath.Join(dir, m.ID+DropSuffix)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	h, body, err := ParseDrop(text)
	if err != nil || !bytes.Equal(body, m.Body) {
		t.Fatalf("ParseDrop: %q, %v", body, err)
	}
	if _, err := Verify(h, body, []VerifyKey{k.VerifyKey()}, 0, at); err != nil {
		t.Errorf("G09: dropped file does not verify: %v", err)
	}
	m.Timestamp = at.Add(time.Hour)
	if again := d.Send(t.Context(), m); again.Outcome != Accepted || again.Evidence != r.Evidence {
		t.Errorf("second attempt: %+v", again)
	}
	m.Body = []byte("other")
	if r := d.Send(t.Context(), m); r.Outcome != Invalid || !errors.Is(r.Err, ErrMessage) {
		t.Errorf("same id, other body: %+v", r)
	}
	if now, _ := os.ReadFile(path); !bytes.Equal(now, text) {
		t.Error("the first file was changed")
	}
	m.ID = "../escape"
	if r := d.Send(t.Context(), m); r.Outcome != Invalid {
		t.Errorf("path in id: %+v", r)
	}
	m.ID = "other"
	if r := NewFileDrop(filepath.Join(dir, "missing"), nil).Send(t.Context(), m); r.Outcome != Retry {
		t.Errorf("missing directory: %+v", r)
	}
	for _, bad := range []string{"", "Webhook-Id: x\r\n\r\n", "no header\r\n\r\n", "Content-Length: 2\r\n\r\nx", strings.Repeat("x", 40<<10)} {
		if _, _, err := ParseDrop([]byte(bad)); !errors.Is(err, ErrHeaders) {
			t.Errorf("ParseDrop(%.20q): %v", bad, err)
		}
	}
}

func FuzzParseDrop(f *testing.F) {
	f.Add([]byte("Webhook-Id: a\r\nContent-Length: 1\r\n\r\nx"))
	f.Add([]byte("\r\n\r\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if h, body, err := ParseDrop(text); err == nil && (h == nil || !bytes.HasSuffix(text, body)) {
			t.Errorf("%q gives %q", text, body)
		}
	})
}

func BenchmarkSend(b *testing.B) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusAccepted)
	}))
	b.Cleanup(s.Close)
	w := loopback(0)
	b.Cleanup(w.Close)
	k := NewPrivateKey()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if r := w.Send(b.Context(), message(s.URL, k)); r.Outcome != Accepted {
				b.Fatal(r)
			}
		}
	})
}
