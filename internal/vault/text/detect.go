package text

import (
	"bytes"
	"regexp"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
)

// The frequent letters that windows-1256 and windows-1251 do not share: of Arabic
// alef, lam, waw, mim, ta, ba, ra, kaf, dal, sin, ta marbuta; of Russian o, a, i,
// t, s, r, v, l, k, m.
const (
	letters1256 = "\xc7\xe1\xe6\xe3\xca\xc8\xd1\xdf\xcf\xd3\xc9"
	letters1251 = "\xee\xe0\xe8\xf2\xf1\xf0\xe2\xeb\xea\xec"
)

var metaCharset = regexp.MustCompile(`(?i)<meta[^>]{0,200}charset\s*=\s*["']?\s*([a-z0-9_:-]{2,40})|<\?xml[^>]{0,200}encoding\s*=\s*["']([A-Za-z0-9_:-]{2,40})`)

// Detect says in which encoding a text is by its first bytes; nil stands for
// UTF-8, which needs no decoding. Of a page its own word counts where the bytes
// are not UTF-8.
func Detect(head []byte, page bool) (name string, enc encoding.Encoding) {
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		return "utf-8", unicode.UTF8BOM
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		return "utf-16le", unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		return "utf-16be", unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
	case utf8Text(head):
		return "utf-8", nil
	}
	if page {
		if m := metaCharset.FindSubmatch(head[:min(len(head), 4096)]); m != nil {
			said := string(append(m[1], m[2]...))
			if e, err := htmlindex.Get(said); err == nil && e != unicode.UTF8 {
				if name, err = htmlindex.Name(e); err == nil {
					return name, e
				}
			}
		}
	}
	var high, ascii, arabic, cyrillic int
	for _, c := range head {
		switch {
		case c >= 0x80:
			high++
			if bytes.IndexByte([]byte(letters1256), c) >= 0 {
				arabic++
			}
			if bytes.IndexByte([]byte(letters1251), c) >= 0 {
				cyrillic++
			}
		case 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z':
			ascii++
		}
	}
	// Latin alphabets have few letters beyond ASCII; the two others have nearly none of it.
	switch {
	case high*2 < ascii:
		return "iso-8859-1", charmap.Windows1252 // which browsers read under that name (WHATWG Encoding 4.2)
	case arabic >= cyrillic:
		return "windows-1256", charmap.Windows1256
	}
	return "windows-1251", charmap.Windows1251
}

// utf8Text reports whether bytes are UTF-8, the last character perhaps cut. A
// stray byte in a long text does not make it another encoding.
func utf8Text(b []byte) bool {
	if utf8.Valid(b) {
		return true
	}
	bad, good := 0, 0
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		switch {
		case r == utf8.RuneError && n == 1 && len(b) < utf8.UTFMax && !utf8.FullRune(b):
			return bad == 0 || bad*100 < good
		case r == utf8.RuneError && n == 1:
			bad++
		case n > 1:
			good++
		}
		b = b[n:]
	}
	return bad == 0 || bad*100 < good
}
