package ewf

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/klauspost/compress/zlib"
)

// Field is one thing that an image says of how it was made, in its own words.
type Field struct {
	Code  string `json:"code"` // the format's own: a, c, n, e, t, av, ov, m, u, p, r
	Name  string `json:"name"`
	Value string `json:"value"`
}

// fieldNames are what the codes of a header mean.
var fieldNames = map[string]string{
	"a": "description", "c": "case number", "n": "evidence number", "e": "examiner", "t": "notes", "av": "version", "ov": "system", "m": "acquired", "u": "system time", "p": "password hash",
	"r": "compression", "md": "model", "sn": "serial number", "l": "device label", "pid": "process identifier", "dc": "unknown dc", "ext": "extents",
}

// valueMost bounds one value in bytes.
const valueMost = 4096

// readHeader reads the fields of a header or header2 section: tab-separated lines
// of which the third names the fields and the fourth holds them.
func readHeader(seg Segment, s section) ([]Field, error) {
	size := min(s.end-s.data(), headMost)
	if size <= 0 {
		return nil, fmt.Errorf("%s: the section %q at byte %d is empty", seg.Name, s.kind, s.at)
	}
	raw, err := inflated(seg, s, size)
	if err != nil {
		return nil, err
	}
	text := headerText(raw)
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	var fields []Field
	for i := 0; i+2 < len(lines); i++ {
		if lines[i] != "main" {
			continue
		}
		codes, values := strings.Split(lines[i+1], "\t"), strings.Split(lines[i+2], "\t")
		for k, code := range codes[:min(len(codes), len(values), 64)] {
			if v := values[k]; v != "" && len(code) <= 8 {
				name, known := fieldNames[code]
				if !known {
					name = "unknown " + code
				}
				fields = append(fields, Field{code, name, strings.ToValidUTF8(v[:min(len(v), valueMost)], "\ufffd")})
			}
		}
		return fields, nil
	}
	return nil, fmt.Errorf("%s: the section %q at byte %d has no fields", seg.Name, s.kind, s.at)
}

// inflated is a section's text, whose zlib checksum held.
func inflated(seg Segment, s section, size int64) ([]byte, error) {
	z, err := zlib.NewReader(io.NewSectionReader(seg, s.data(), size))
	if err != nil {
		return nil, fmt.Errorf("%s: the section %q at byte %d: %w", seg.Name, s.kind, s.at, err)
	}
	raw, err := io.ReadAll(io.LimitReader(z, headMost))
	if err != nil {
		return nil, fmt.Errorf("%s: the section %q at byte %d: %w", seg.Name, s.kind, s.at, err)
	}
	return raw, nil
}

var (
	xmlMD5  = regexp.MustCompile(`<MD5>([0-9a-fA-F]{32})</MD5>`)
	xmlSHA1 = regexp.MustCompile(`<SHA1>([0-9a-fA-F]{40})</SHA1>`)
)

// readXHash reads the digests that libewf's own variant (EWF-X) keeps as XML.
func (m *Image) readXHash(seg Segment, s section) error {
	raw, err := inflated(seg, s, min(max(s.end-s.data(), 0), headMost))
	if err != nil {
		return err
	}
	for _, d := range []struct {
		pattern *regexp.Regexp
		into    *[]byte
	}{{xmlMD5, &m.MD5}, {xmlSHA1, &m.SHA1}} {
		if found := d.pattern.FindSubmatch(raw); found != nil && *d.into == nil {
			*d.into, _ = hex.DecodeString(string(found[1])) // the pattern lets nothing else through
		}
	}
	return nil
}

// headerText is a header as UTF-8: header2 is UTF-16 with a mark, header has a
// code page that nobody names, of which the ASCII part is kept and the rest taken
// as Latin-1 where it is no UTF-8.
func headerText(raw []byte) string {
	if len(raw) >= 2 && (raw[0] == 0xff && raw[1] == 0xfe || raw[0] == 0xfe && raw[1] == 0xff) {
		order := binary.ByteOrder(binary.LittleEndian)
		if raw[0] == 0xfe {
			order = binary.BigEndian
		}
		units := make([]uint16, 0, len(raw)/2)
		for b := raw[2:]; len(b) >= 2; b = b[2:] {
			units = append(units, order.Uint16(b))
		}
		return string(utf16.Decode(units))
	}
	raw = bytes.TrimRight(raw, "\x00")
	if utf8.Valid(raw) {
		return string(raw)
	}
	runes := make([]rune, len(raw))
	for i, c := range raw {
		runes[i] = rune(c)
	}
	return string(runes)
}
