package vault

import (
	"bytes"
	"mime"
	"net/http"
)

// SniffLen is how many first bytes tell a media type.
const SniffLen = 1024

// Sniff is the media type of bytes by their beginning, whatever was said of
// them: web archives and saved mail-like pages first, the WHATWG's rules for the
// rest (https://mimesniff.spec.whatwg.org).
func Sniff(head []byte) string {
	head = head[:min(len(head), SniffLen)]
	switch lower := bytes.ToLower(head); {
	case bytes.HasPrefix(head, []byte("WARC/1.")):
		return "application/warc"
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return "application/gzip"
	case bytes.Contains(lower, []byte("mime-version:")) && bytes.Contains(lower, []byte("multipart/related")):
		return "multipart/related"
	}
	media, _, err := mime.ParseMediaType(http.DetectContentType(head))
	if err != nil {
		return "application/octet-stream"
	}
	return media
}
