package formats

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"concert"
)

const (
	// maxLocation bounds a location, as the API does (docs/locations.md).
	maxLocation = 4096
	// maxNotes bounds how many different notes one file may give.
	maxNotes = 20
	// replacement is what decoders put where a text was broken.
	replacement = "\ufffd"
)

// wrong is a line that is bad.
func wrong(line int, format string, args ...any) RowError {
	return RowError{Line: line, Reason: fmt.Sprintf(format, args...)}
}

// plain gives a file's text as UTF-8 without its byte order mark. UTF-16 is
// known by its mark, or by the zero bytes that its first two letters leave.
func plain(r io.Reader) *bufio.Reader {
	br := bufio.NewReaderSize(r, maxCSVLine)
	head, _ := br.Peek(4) // a fault in reading comes back with the first read
	order := unicode.LittleEndian
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		_, _ = br.Discard(3) // cannot fail: the bytes were just peeked
		return br
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		order = unicode.BigEndian
	case len(head) == 4 && head[0] != 0 && head[1] == 0 && head[2] != 0 && head[3] == 0:
	case len(head) == 4 && head[0] == 0 && head[1] != 0 && head[2] == 0 && head[3] != 0:
		order = unicode.BigEndian
	default:
		return br
	}
	return bufio.NewReaderSize(transform.NewReader(br, unicode.UTF16(order, unicode.UseBOM).NewDecoder()), maxCSVLine)
}

// lineReader reads lines that end with LF, CR or both, in any mixture, and
// keeps at most maxCSVLine bytes of one, or most where that is set.
type lineReader struct {
	br   *bufio.Reader
	most int
	n    int // lines read so far
	cr   bool
	buf  []byte
}

// next reads one line; io.EOF comes with the last one, which may be empty.
func (l *lineReader) next() (text string, tooLong bool, err error) {
	l.n++
	l.buf = l.buf[:0]
	for {
		if _, err := l.br.Peek(1); err != nil {
			return string(l.buf), tooLong, err
		}
		part, _ := l.br.Peek(l.br.Buffered()) // cannot fail: it is buffered
		skip := 0
		if l.cr && part[0] == '\n' {
			skip, part = 1, part[1:]
		}
		l.cr = false
		i := bytes.IndexByte(part, '\n')
		if i < 0 {
			i = bytes.IndexByte(part, '\r')
		} else if j := bytes.IndexByte(part[:i], '\r'); j >= 0 {
			i = j
		}
		end := i >= 0
		if end {
			l.cr = part[i] == '\r'
			skip++
			part = part[:i]
		}
		if tooLong = tooLong || len(l.buf)+len(part) > cmp.Or(l.most, maxCSVLine); tooLong {
			l.buf = l.buf[:0]
		} else {
			l.buf = append(l.buf, part...)
		}
		_, _ = l.br.Discard(len(part) + skip) // cannot fail: it is buffered
		if end {
			return string(l.buf), tooLong, nil
		}
	}
}

// ends reports whether err is the end of the file, or gives the fault.
func (l *lineReader) ends(err error) (bool, error) {
	if err != nil && !errors.Is(err, io.EOF) {
		return false, fmt.Errorf("line %d: %w", l.n, err)
	}
	return err != nil, nil
}

// handIn yields a row of a foreign format if it has what every item needs: a
// place that can be read, and a digest that is one.
func handIn(row ItemRow, yield func(ItemRow) error, bad func(RowError) error) error {
	it := &row.Item
	it.Location = strings.TrimSpace(it.Location)
	switch {
	case it.Location == "":
		return bad(wrong(row.Line, "has no place"))
	case it.Location == elided || len(it.Location) > maxLocation:
		return bad(wrong(row.Line, "its place is longer than %d bytes", maxLocation))
	case strings.Contains(it.Location, replacement) || !utf8.ValidString(it.Location):
		return bad(wrong(row.Line, "its place holds a character that was broken on the way: ask for the file again, in UTF-8"))
	case it.SHA256 != "" && !isSHA256(it.SHA256):
		return bad(wrong(row.Line, "its SHA-256 is no 64 hexadecimal digits: %.80q", it.SHA256))
	}
	return yield(row)
}

func isSHA256(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdefABCDEF") == ""
}

// itemType is the type that a word or a media type names, "" for any other.
func itemType(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	if s == "application/pdf" {
		return string(concert.TypeDocument)
	}
	s, _, _ = strings.Cut(s, "/")
	if slices.Contains(concert.ItemTypes, concert.ItemType(s)) {
		return s
	}
	return ""
}

// handlingOf is the handling code that a traffic light asks for (TLP 2.0 and
// its forerunner): amber may not be passed on without its giver, red is for the
// ones who got it; "" for any other tag.
func handlingOf(tag string) string {
	tag, isTLP := strings.CutPrefix(strings.ToLower(strings.TrimSpace(tag)), "tlp:")
	if !isTLP {
		return ""
	}
	switch tag {
	case "white", "clear", "green":
		return string(concert.HandlingOpen)
	case "red":
		return string(concert.HandlingRestricted)
	}
	// Amber, and any light that we do not know.
	return string(concert.HandlingNotShared)
}

// notes are what a file says that no item carries: counted, and told at the
// end. What a foreign list says of persons and groups goes no further.
type notes struct {
	texts []string
	count map[string]int
	first map[string]int
}

// add counts a text, first seen at a line.
func (n *notes) add(line int, text string) {
	if n.count == nil {
		n.count, n.first = map[string]int{}, map[string]int{}
	}
	if n.count[text] == 0 {
		if len(n.texts) >= maxNotes {
			text = "other notes"
		}
		if n.count[text] == 0 {
			n.texts = append(n.texts, text)
			n.first[text] = line
		}
	}
	n.count[text]++
}

// tell reports every text once, with how often it was met.
func (n *notes) tell(bad func(RowError) error) error {
	for _, text := range n.texts {
		e := wrong(n.first[text], "%s (%d)", text, n.count[text])
		e.Note = true
		if err := bad(e); err != nil {
			return err
		}
	}
	return nil
}
