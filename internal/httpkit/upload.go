package httpkit

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"concert"
)

const (
	// MaxUpload bounds the body of a capture, whatever the deployment takes.
	MaxUpload = 1 << 30
	// uploadPause is how long a client may send none of an upload before it
	// counts as gone, uploadMost how long it may take in all.
	uploadPause = 30 * time.Second
	uploadMost  = 15 * time.Minute
	// fieldMost bounds a field beside a file.
	fieldMost = 4 << 10
)

// IsUpload reports whether a request carries a capture, a list for a bank, a locked table
// of pseudonyms or a file to be hashed, whose body may be larger than others' and is read as a stream.
func IsUpload(r *http.Request) bool {
	path := r.URL.Path
	if r.Method != http.MethodPost {
		return false
	}
	switch {
	case strings.HasSuffix(path, "/captures"):
		return strings.HasPrefix(path, "/api/v1/items/") || strings.HasPrefix(path, "/items/")
	case strings.HasSuffix(path, "/pseudonyms"):
		return strings.HasPrefix(path, "/api/v1/exhibits/") || strings.HasPrefix(path, "/exhibits/")
	case strings.HasSuffix(path, "/import"):
		return strings.HasPrefix(path, "/api/v1/banks/")
	case strings.HasSuffix(path, "/content"):
		return strings.HasPrefix(path, "/hma/c/bank/")
	}
	return path == "/hma/h/hash" || path == "/hma/m/lookup"
}

// Upload is a body that no deadline ends while its sender goes on sending.
type Upload struct {
	body io.ReadCloser
	rc   *http.ResponseController
	ends time.Time
}

// NewUpload is the request's body as an upload.
func NewUpload(w http.ResponseWriter, r *http.Request) *Upload {
	return &Upload{r.Body, http.NewResponseController(w), time.Now().Add(uploadMost)}
}

// Read reads a part.
func (u *Upload) Read(p []byte) (int, error) {
	now := time.Now()
	if now.After(u.ends) {
		return 0, errors.New("the upload took too long")
	}
	for _, set := range []func(time.Time) error{u.rc.SetReadDeadline, u.rc.SetWriteDeadline} {
		if err := set(now.Add(2 * uploadPause)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return 0, fmt.Errorf("upload: %w", err)
		}
	}
	n, err := u.body.Read(p)
	if big := (*http.MaxBytesError)(nil); errors.As(err, &big) {
		return n, concert.Refuse(concert.TooLarge, "request.too_large", "file", "the body is larger than %d MB: nothing as large is taken here", big.Limit>>20)
	}
	return n, err
}

// Close closes the body.
func (u *Upload) Close() error { return u.body.Close() }

// SendCapture answers with captured bytes as a file to keep: never shown, never
// run, of no type that a browser would open. Where they turn out damaged the
// connection is cut, so that nobody takes a part for the whole.
func SendCapture(w http.ResponseWriter, log *slog.Logger, name string, size int64, r io.ReadCloser) {
	defer r.Close()
	h := w.Header()
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.FormatInt(size, 10))
	NewDownload(w, "application/octet-stream", name+".bin").Send(log, func(w io.Writer) error {
		_, err := io.Copy(w, r)
		return err
	})
}

// FormFile reads the fields of a multipart form that stand before its file, and
// the file as a stream; it is nil where there is none.
func FormFile(r *http.Request) (fields map[string]string, file io.Reader, err error) {
	broken := concert.Refuse(concert.Invalid, "request.malformed", "file", "this is no form with a file that can be read to its end: send it again")
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, nil, broken
	}
	fields = map[string]string{}
	for range 32 {
		part, err := parts.NextPart()
		if err == io.EOF {
			return fields, nil, nil
		}
		if refused := (*concert.Error)(nil); errors.As(err, &refused) {
			return nil, nil, refused
		}
		if err != nil {
			return nil, nil, broken
		}
		if part.FileName() != "" || part.FormName() == "file" {
			return fields, part, nil
		}
		text, err := io.ReadAll(io.LimitReader(part, fieldMost))
		if err != nil {
			return nil, nil, broken
		}
		fields[part.FormName()] = string(text)
	}
	return nil, nil, broken
}
