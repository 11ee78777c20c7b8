package apiserver

import (
	"bufio"
	"io"
	"net/http"
	"strings"

	"concert/internal/httpkit"
)

// noNUL puts the replacement character where a JSON body has U+0000, which one of
// the two databases takes in no text. Captures and files are left as they are.
func noNUL(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body != nil && r.Body != http.NoBody && (!httpkit.IsUpload(r) || strings.HasSuffix(r.URL.Path, "/import")) {
			r.Body = &nulReader{body: r.Body, in: bufio.NewReader(r.Body)}
		}
		next.ServeHTTP(w, r)
	})
}

// nulReader reads JSON text and gives it without \u0000.
type nulReader struct {
	body io.Closer
	in   *bufio.Reader
	next string // read already, to be given first
}

// Close closes the body.
func (n *nulReader) Close() error { return n.body.Close() }

// Read reads.
func (n *nulReader) Read(p []byte) (int, error) {
	i := 0
	for i < len(p) {
		if n.next != "" {
			k := copy(p[i:], n.next)
			i, n.next = i+k, n.next[k:]
			continue
		}
		if i > 0 && n.in.Buffered() == 0 {
			return i, nil
		}
		b, err := n.in.ReadByte()
		if err != nil {
			return i, err
		}
		if b != '\\' {
			p[i] = b
			i++
			continue
		}
		// A backslash and what it escapes are taken together.
		if ahead, err := n.in.Peek(5); err == nil && string(ahead) == "u0000" {
			n.next = `\ufffd`
			if _, err := n.in.Discard(5); err != nil {
				return i, err
			}
			continue
		}
		n.next = `\`
		if c, err := n.in.ReadByte(); err == nil {
			n.next = string([]byte{b, c})
		}
	}
	return i, nil
}
