package dispatch

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/textproto"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"concert/internal/durable"
)

// DropSuffix ends the names of dropped files.
const DropSuffix = ".webhook"

const maxDropHeader = 8 << 10

// FileDrop hands messages over as files, for a provider or an authority behind
// an air gap. A file has the header lines of the webhook, an empty line and
// the body byte for byte, so that the receiver verifies it as it would a
// request (ParseDrop, then Verify with a tolerance that suits the courier).
type FileDrop struct {
	dir string
	now func() time.Time
}

// NewFileDrop returns a channel into dir, which must exist. now is time.Now if
// nil.
func NewFileDrop(dir string, now func() time.Time) *FileDrop {
	if now == nil {
		now = time.Now
	}
	return &FileDrop{dir: dir, now: now}
}

// Send writes the message durably under its id. A second attempt finds the
// first one's file: with the same body it is accepted again, whatever its
// timestamp; with another body the receipt is Invalid, since an id never
// changes its meaning.
func (d *FileDrop) Send(ctx context.Context, m Message) Receipt {
	started := d.now()
	if m.Timestamp.IsZero() {
		m.Timestamp = started
	}
	outcome, evidence, err := d.put(ctx, &m)
	at := d.now()
	r := Receipt{At: at, Elapsed: at.Sub(started), Outcome: outcome, Evidence: evidence, Err: err}
	if outcome == Accepted {
		r.AcceptedAt = at
	} else {
		r.Evidence = "not dropped: " + limitText(err.Error(), 300)
	}
	return r
}

func (d *FileDrop) put(ctx context.Context, m *Message) (Outcome, string, error) {
	if err := ctx.Err(); err != nil {
		return Retry, "", fmt.Errorf("drop file: %w", err)
	}
	if err := m.check(); err != nil {
		return Invalid, "", err
	}
	name, err := dropName(m.ID)
	if err != nil {
		return Invalid, "", err
	}
	sig, err := Sign(m.ID, m.Timestamp, m.Body, m.Keys)
	if err != nil {
		return Invalid, "", err
	}
	text := fmt.Appendf(nil, "%s: %s\r\n%s: %s\r\n%s: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n",
		HeaderID, m.ID, HeaderTimestamp, strconv.FormatInt(m.Timestamp.Unix(), 10), HeaderSignature, sig, m.contentType(), len(m.Body))
	text = append(text, m.Body...)
	path := filepath.Join(d.dir, name)
	err = durable.CreateExclusive(path, text, 0o640)
	if errors.Is(err, fs.ErrExist) {
		text, err = sameBody(path, m.Body)
	}
	if errors.Is(err, ErrMessage) {
		return Invalid, "", err
	}
	if err != nil {
		return Retry, "", fmt.Errorf("drop file: %w", err)
	}
	sum := sha256.Sum256(text)
	return Accepted, fmt.Sprintf("file %s; %d bytes sha256 %s", name, len(text), hex.EncodeToString(sum[:])), nil
}

func dropName(id string) (string, error) {
	for _, c := range []byte(id) {
		if !(c == '-' || c == '_' || '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z') {
			return "", fmt.Errorf("%w: id has character %q, which file names do not carry; wanted are letters, digits, - and _", ErrMessage, c)
		}
	}
	return id + DropSuffix, nil
}

func sameBody(path string, body []byte) ([]byte, error) {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxDropHeader+MaxPayload {
		return nil, fmt.Errorf("%w: %s exists and is none of our files", ErrMessage, filepath.Base(path))
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read dropped file: %w", err)
	}
	_, old, err := ParseDrop(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %s exists and is none of our files: %w", ErrMessage, filepath.Base(path), err)
	}
	if !bytes.Equal(old, body) {
		return nil, fmt.Errorf("%w: %s exists with another body; give the new message a new id", ErrMessage, filepath.Base(path))
	}
	return text, nil
}

// ParseDrop splits a dropped file into headers and body. It verifies nothing;
// hand the result to Verify. Errors match ErrHeaders.
func ParseDrop(text []byte) (http.Header, []byte, error) {
	if len(text) > maxDropHeader+MaxPayload {
		return nil, nil, fmt.Errorf("%w: file has %d bytes, at most %d can be one", ErrHeaders, len(text), maxDropHeader+MaxPayload)
	}
	head, body, found := bytes.Cut(text, []byte("\r\n\r\n"))
	if !found || len(head) > maxDropHeader {
		return nil, nil, fmt.Errorf("%w: no end of the headers in the first %d bytes", ErrHeaders, maxDropHeader)
	}
	lines := strings.NewReader(string(head) + "\r\n\r\n")
	header, err := textproto.NewReader(bufio.NewReader(lines)).ReadMIMEHeader()
	if err != nil {
		return nil, nil, fmt.Errorf("%w: a header line is not of the form name: value", ErrHeaders)
	}
	if header.Get("Content-Length") != strconv.Itoa(len(body)) {
		return nil, nil, fmt.Errorf("%w: body has %d bytes, Content-Length says %q; the file was cut or changed", ErrHeaders, len(body), limitText(header.Get("Content-Length"), 16))
	}
	return http.Header(header), body, nil
}
