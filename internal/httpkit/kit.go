package httpkit

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"time"
	"unicode/utf8"

	"concert"
	"concert/api"
)

// MaxBody bounds a request's body; a batch of a hundred full entries fits.
const MaxBody = 4 << 20

// SessionCookie is the name of the session's cookie. __Host- ties it to this
// host and to https; SessionCookiePlain is used where the deployment itself is
// served over http on loopback.
const (
	SessionCookie      = "__Host-concert"
	SessionCookiePlain = "concert"
)

// Token is the credential of a request: the bearer of its Authorization
// header, or the session of its cookie.
func Token(r *http.Request) (token string, cookie bool) {
	if h := r.Header.Get("Authorization"); h != "" {
		scheme, rest, _ := strings.Cut(h, " ")
		if strings.EqualFold(scheme, "Bearer") {
			return strings.TrimSpace(rest), false
		}
		return "", false
	}
	for _, name := range []string{SessionCookie, SessionCookiePlain} {
		if c, err := r.Cookie(name); err == nil && c.Value != "" {
			return c.Value, true
		}
	}
	return "", false
}

// Justification is the reason that a reader gives, from the header alone: an
// address is kept in logs and histories.
func Justification(r *http.Request) string {
	return api.JustificationText(r.Header.Get(api.HeaderJustification))
}

type personKey struct{}

// WithPerson keeps who asks with the request's context.
func WithPerson(ctx context.Context, p concert.Person) context.Context {
	return context.WithValue(ctx, personKey{}, p)
}

// PersonOf is who asks; false when nobody is logged in.
func PersonOf(ctx context.Context) (concert.Person, bool) {
	p, ok := ctx.Value(personKey{}).(concert.Person)
	return p, ok
}

// Policy is the Content-Security-Policy of every answer, without exceptions. A
// script that puts text of ours into a page as HTML names the policy "concert"
// (Trusted Types).
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types concert"

// Security puts on every answer what keeps a browser from being turned against
// its user: nothing inline, nothing from elsewhere, no framing, no referrer.
func Security(next http.Handler) http.Handler { return SecurityAt("", next) }

// SecurityAt is Security for a deployment at a base URL: where that is https,
// browsers are told to come by https only.
func SecurityAt(baseURL string, next http.Handler) http.Handler {
	https := strings.HasPrefix(baseURL, "https://")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", Policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=(), publickey-credentials-create=(self), publickey-credentials-get=(self)")
		if https || r.TLS != nil {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// Bounded limits bodies and turns a panic into an answer, with the stack in
// the log.
func Bounded(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !plain(r) {
			WriteProblem(w, r, log, concert.Refuse(concert.Invalid, "request.malformed", "", "this address or a header has text that is no UTF-8, or the character U+0000: write it anew"))
			return
		}
		most := int64(MaxBody)
		if IsUpload(r) {
			most = MaxUpload
		}
		r.Body = http.MaxBytesReader(w, r.Body, most)
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if v == http.ErrAbortHandler {
				panic(v)
			}
			log.Error("handler panicked", "method", r.Method, "pattern", r.Pattern, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			WriteProblem(w, r, log, fmt.Errorf("panic: %v", v))
		}()
		next.ServeHTTP(w, r)
	})
}

// plain reports whether address and headers are text that every database takes.
func plain(r *http.Request) bool {
	ok := func(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }
	query, err := url.QueryUnescape(r.URL.RawQuery)
	if err != nil || !ok(query) || !ok(r.URL.Path) {
		return false
	}
	for _, name := range []string{api.HeaderIdempotencyKey, "If-Match"} {
		if !ok(r.Header.Get(name)) {
			return false
		}
	}
	return true
}

// Stream is a server-sent event stream.
type Stream struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

// OpenStream begins a stream; the write deadline of the server no longer
// applies to it.
func OpenStream(w http.ResponseWriter) (*Stream, error) {
	rc := http.NewResponseController(w)
	if err := rc.SetWriteDeadline(time.Time{}); err != nil {
		return nil, fmt.Errorf("open stream: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	return &Stream{w, rc}, rc.Flush()
}

// Send writes one event and flushes it. Data may have several lines.
func (s *Stream) Send(event, id, data string) error { return s.Write(Event(event, id, data)) }

// Event is one event as it goes over the wire, so that many viewers share it.
func Event(event, id, data string) []byte {
	var b strings.Builder
	if event != "" {
		fmt.Fprintf(&b, "event: %s\n", event)
	}
	if id != "" {
		fmt.Fprintf(&b, "id: %s\n", id)
	}
	for line := range strings.SplitSeq(data, "\n") {
		fmt.Fprintf(&b, "data: %s\n", line)
	}
	b.WriteByte('\n')
	return []byte(b.String())
}

// Write writes events that Event made, and flushes them.
func (s *Stream) Write(events []byte) error {
	// A client that reads nothing for this long is gone.
	if err := s.rc.SetWriteDeadline(time.Now().Add(15 * time.Second)); err != nil {
		return err
	}
	if _, err := s.w.Write(events); err != nil {
		return err
	}
	return s.rc.Flush()
}

// downloadPause is how long a client may take none of a download before it
// counts as gone.
const downloadPause = 30 * time.Second

// Download writes a long answer whose length is not known: no deadline ends it
// while its reader goes on reading.
type Download struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

// NewDownload begins an answer that a browser keeps as a file with this name.
func NewDownload(w http.ResponseWriter, contentType, name string) *Download {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Cache-Control", "no-store")
	return &Download{w, http.NewResponseController(w)}
}

// Write writes a part.
func (d *Download) Write(b []byte) (int, error) {
	if err := d.rc.SetWriteDeadline(time.Now().Add(downloadPause)); err != nil {
		return 0, fmt.Errorf("download: %w", err)
	}
	return d.w.Write(b)
}

// Send runs write on the download. Where it fails after it began, the connection
// is cut, so that nobody takes a part for the whole.
func (d *Download) Send(log *slog.Logger, write func(io.Writer) error) {
	if err := write(d); err != nil {
		log.Error("download broke off", "err", err)
		panic(http.ErrAbortHandler)
	}
}
