package formats

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"strconv"
	"strings"
)

// Bounds of what is read of a web archive.
const (
	warcLine     = 16 << 10
	warcHeaders  = 200
	warcUnpacked = 1 << 30 // of a packed archive: a bomb ends here
)

// WARCRecord is what a record of a web archive (ISO 28500) says of itself, with
// the digest of its block as it was found.
type WARCRecord struct {
	Type   string `json:"type"`
	Target string `json:"target,omitempty"`
	Date   string `json:"date,omitempty"`
	Media  string `json:"media,omitempty"`  // of the payload, where it is an HTTP answer
	Status int    `json:"status,omitempty"` // of an HTTP answer
	Size   int64  `json:"size"`             // of the block, bytes
	SHA256 string `json:"sha256"`           // of the block, hex
	Digest string `json:"digest,omitempty"` // as the record states it
	Wrong  bool   `json:"wrong,omitempty"`  // the stated digest is not the block's
}

// ReadWARC lists the records of a web archive, packed or not, up to most; more
// says that there are others. What is no such archive, or breaks off, is an
// error beside what was read.
func ReadWARC(r io.Reader, most int) (out []WARCRecord, more bool, err error) {
	br := bufio.NewReaderSize(r, warcLine)
	if head, err := br.Peek(2); err == nil && head[0] == 0x1f && head[1] == 0x8b {
		z, err := gzip.NewReader(br)
		if err != nil {
			return nil, false, fmt.Errorf("web archive: %w", err)
		}
		br = bufio.NewReaderSize(io.LimitReader(z, warcUnpacked), warcLine)
	}
	for {
		rec, err := readWARCRecord(br)
		if err == io.EOF {
			if len(out) == 0 {
				return nil, false, errors.New("web archive: it holds no record")
			}
			return out, false, nil
		}
		if err != nil {
			return out, false, fmt.Errorf("web archive, record %d: %w", len(out)+1, err)
		}
		if len(out) == most {
			return out, true, nil
		}
		out = append(out, rec)
	}
}

func readWARCRecord(br *bufio.Reader) (rec WARCRecord, err error) {
	line, err := warcText(br)
	for err == nil && line == "" { // between records
		line, err = warcText(br)
	}
	if err != nil {
		return rec, err
	}
	if !strings.HasPrefix(line, "WARC/1.") && !strings.HasPrefix(line, "WARC/0.") {
		return rec, fmt.Errorf("it begins with %.20q, and no WARC record does", line)
	}
	size := int64(-1)
	var media string
	for n := 0; ; n++ {
		if line, err = warcText(br); err != nil {
			return rec, cutOff(err)
		}
		if line == "" {
			break
		}
		if n == warcHeaders {
			return rec, errors.New("it has too many header lines")
		}
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch strings.ToLower(name) {
		case "warc-type":
			rec.Type = value
		case "warc-target-uri":
			rec.Target = strings.Trim(value, "<>")
		case "warc-date":
			rec.Date = value
		case "warc-block-digest":
			rec.Digest = value
		case "content-type":
			media = value
		case "content-length":
			if size, err = strconv.ParseInt(value, 10, 64); err != nil || size < 0 {
				return rec, fmt.Errorf("its length is %.30q", value)
			}
		}
	}
	if size < 0 {
		return rec, errors.New("it states no length")
	}
	return rec, rec.readBlock(br, size, media)
}

// readBlock reads the block to its end and keeps its digest and, of an HTTP
// answer, the status and the media type.
func (rec *WARCRecord) readBlock(br *bufio.Reader, size int64, media string) error {
	sum, old := sha256.New(), sha1.New() // the digest that most archives state
	var head bytes.Buffer
	block := io.LimitReader(br, size)
	n, err := io.Copy(io.MultiWriter(sum, old, &headOnly{&head}), block)
	if err != nil {
		return cutOff(err)
	}
	if n != size {
		return cutOff(io.EOF)
	}
	rec.Size, rec.SHA256 = size, hex.EncodeToString(sum.Sum(nil))
	rec.Wrong = wrongDigest(rec.Digest, old.Sum(nil), sum.Sum(nil))
	if rec.Type != "response" || !strings.HasPrefix(strings.ToLower(media), "application/http") {
		rec.Media = media
		return nil
	}
	lines := textproto.NewReader(bufio.NewReader(&head))
	first, err := lines.ReadLine()
	if err != nil {
		return nil // an empty answer
	}
	if _, rest, ok := strings.Cut(first, " "); ok && len(rest) >= 3 {
		if status, err := strconv.Atoi(rest[:3]); err == nil {
			rec.Status = status
		}
	}
	// What follows the header in head makes no difference: only its end is cut.
	h, _ := lines.ReadMIMEHeader()
	rec.Media = h.Get("Content-Type")
	return nil
}

// headOnly keeps the first bytes.
type headOnly struct{ to *bytes.Buffer }

// Write keeps what there is room for.
func (h *headOnly) Write(p []byte) (int, error) {
	if room := warcLine - h.to.Len(); room > 0 {
		h.to.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

// wrongDigest compares a stated digest, algorithm:value in Base32 or hex; one
// of another algorithm says nothing.
func wrongDigest(stated string, sha1Sum, sha256Sum []byte) bool {
	algorithm, value, ok := strings.Cut(stated, ":")
	var sum []byte
	switch strings.ToLower(algorithm) {
	case "sha1":
		sum = sha1Sum
	case "sha256":
		sum = sha256Sum
	default:
		return false
	}
	packed := base32.StdEncoding.EncodeToString(sum)
	return ok && !strings.EqualFold(value, hex.EncodeToString(sum)) && !strings.EqualFold(strings.TrimRight(value, "="), strings.TrimRight(packed, "="))
}

func warcText(br *bufio.Reader) (string, error) {
	line, err := br.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		return "", errors.New("a header line is too long")
	}
	if err == io.EOF && len(line) > 0 {
		err = io.ErrUnexpectedEOF
	}
	return strings.TrimRight(string(line), "\r\n"), err
}

func cutOff(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return errors.New("it breaks off before its end")
	}
	return err
}

// WARCWriter writes a web archive for a court: plain, each block with its
// digest.
type WARCWriter struct {
	w   io.Writer
	ids func() string // UUIDs for the records
}

// NewWARCWriter writes to w; id gives a fresh UUID for each record.
func NewWARCWriter(w io.Writer, id func() string) *WARCWriter { return &WARCWriter{w, id} }

// WARCHead is what a record says of its block.
type WARCHead struct {
	Type   string // warcinfo, resource, metadata
	Target string
	Date   string // RFC 3339 UTC
	Media  string
	Size   int64
	SHA256 string // of the block, hex
	About  string // id of the record that this one is about
}

// Record writes one record whose block comes from r, and says its id.
func (w *WARCWriter) Record(h WARCHead, r io.Reader) (id string, err error) {
	id = "<urn:uuid:" + w.ids() + ">"
	var b strings.Builder
	fmt.Fprintf(&b, "WARC/1.1\r\nWARC-Type: %s\r\nWARC-Record-ID: %s\r\nWARC-Date: %s\r\n", h.Type, id, h.Date)
	for _, f := range []struct{ name, value string }{{"WARC-Target-URI", h.Target}, {"WARC-Concurrent-To", h.About}, {"WARC-Block-Digest", prefixed("sha256:", h.SHA256)}, {"Content-Type", h.Media}} {
		if f.value != "" {
			fmt.Fprintf(&b, "%s: %s\r\n", f.name, strings.NewReplacer("\r", "", "\n", "").Replace(f.value))
		}
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n", h.Size)
	if _, err := io.WriteString(w.w, b.String()); err != nil {
		return id, err
	}
	n, err := io.Copy(w.w, r)
	if err == nil && n != h.Size {
		err = fmt.Errorf("web archive: a block of %d bytes, announced were %d", n, h.Size)
	}
	if err != nil {
		return id, err
	}
	_, err = io.WriteString(w.w, "\r\n\r\n")
	return id, err
}

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}
