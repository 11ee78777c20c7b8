package vault

import (
	"bytes"
	"mime"
	"net/http"
)

// SniffLen is how many first bytes tell a media type.
const SniffLen = 1024

// Sniff is the media type of bytes by their beginning, whatever was said of
// them: web archives and saved mail-like pages first, then pictures, videos and
// sounds that browsers do not know, and the WHATWG's rules for the rest
// (https://mimesniff.spec.whatwg.org).
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
	for _, o := range otherTypes {
		if bytes.HasPrefix(head, []byte(o.begins)) {
			return o.media
		}
	}
	media, _, err := mime.ParseMediaType(http.DetectContentType(head))
	if err != nil || media == unknownType {
		return filmType(head)
	}
	return media
}

const unknownType = "application/octet-stream"

// otherTypes are media types that browsers do not know, by how a file begins.
var otherTypes = [...]struct{ begins, media string }{
	{"II*\x00", "image/tiff"}, {"MM\x00*", "image/tiff"},
	{"FLV\x01", "video/x-flv"}, {"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video/x-ms-asf"}, {"\x00\x00\x01\xba", "video/mpeg"}, {"\x00\x00\x01\xb3", "video/mpeg"}, {".RMF", "video/vnd.rn-realvideo"},
	{"fLaC", "audio/flac"}, {"#!AMR", "audio/amr"}, {"\xff\xfb", "audio/mpeg"}, {"\xff\xf3", "audio/mpeg"}, {"\xff\xf2", "audio/mpeg"}, {"\xff\xf1", "audio/aac"}, {"\xff\xf9", "audio/aac"},
}

// packet is the length of a packet of an MPEG transport stream, each of which
// begins with a G.
const packet = 188

// filmType tells the videos and sounds whose first bytes are a length.
func filmType(head []byte) string {
	switch kind := string(head[min(4, len(head)):min(8, len(head))]); {
	case kind == "ftyp" && string(head[min(8, len(head)):min(12, len(head))]) == "M4A ":
		return "audio/mp4"
	case kind == "ftyp", kind == "moov", kind == "mdat", kind == "wide", kind == "free", kind == "skip":
		return "video/quicktime" // and 3GPP, and others of the family
	case len(head) > packet && head[0] == 'G' && head[packet] == 'G':
		return "video/mp2t"
	}
	return unknownType
}
