package text

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/text/transform"
)

const (
	// PartMost bounds one part of a text in bytes.
	PartMost = 1 << 20
	// headLen is how many first bytes tell an encoding.
	headLen = 64 << 10
	// tokenMost bounds one tag or one stretch of text of a page.
	tokenMost = 4 << 20
)

// Readable reports whether the words of a media type are taken out.
func Readable(media string) bool {
	return media == "text/plain" || page(media)
}

func page(media string) bool { return media == "text/html" || media == "text/xml" }

// Extract reads a file of the media type and gives its text in parts of at most
// PartMost bytes, cut between words where there is a space. It says in which
// encoding the file is. The error is that of reading, or part's.
func Extract(media string, in io.Reader, part func(string) error) (encoding string, err error) {
	r := bufio.NewReaderSize(in, headLen)
	head, err := r.Peek(headLen)
	if err != nil && err != io.EOF {
		return "", err
	}
	name, enc := Detect(head, page(media))
	var decoded io.Reader = r
	if enc != nil {
		decoded = transform.NewReader(r, enc.NewDecoder())
	}
	p := &parts{give: part}
	if page(media) {
		err = p.html(decoded)
	} else {
		err = p.plain(decoded)
	}
	if err == nil {
		err = p.flush()
	}
	return name, err
}

// parts gathers text until a part is full.
type parts struct {
	give func(string) error
	b    []byte
}

func (p *parts) add(text []byte) error {
	for len(text) > 0 {
		n := min(PartMost-len(p.b), len(text))
		p.b = append(p.b, text[:n]...)
		text = text[n:]
		if len(p.b) < PartMost {
			return nil
		}
		// A word is cut only where it alone is as long as a part.
		cut := lastSpace(p.b)
		if err := p.emit(p.b[:cut]); err != nil {
			return err
		}
		p.b = append(p.b[:0], p.b[cut:]...)
	}
	return nil
}

func (p *parts) flush() error {
	if len(p.b) == 0 {
		return nil
	}
	return p.emit(p.b)
}

func (p *parts) emit(b []byte) error {
	return p.give(strings.ToValidUTF8(string(b), "\ufffd"))
}

// lastSpace is where the last word of a full part begins, at most 4 KiB back.
func lastSpace(b []byte) int {
	for i := len(b); i > len(b)-4096; i-- {
		if c := b[i-1]; c == ' ' || c == '\n' || c == '\t' {
			return i
		}
	}
	for i := len(b); i > len(b)-utf8.UTFMax; i-- {
		if utf8.RuneStart(b[i-1]) {
			if utf8.FullRune(b[i-1:]) {
				return len(b)
			}
			return i - 1
		}
	}
	return len(b)
}

func (p *parts) plain(r io.Reader) error {
	buf := make([]byte, 64<<10)
	for {
		n, err := r.Read(buf)
		if failed := p.add(buf[:n]); failed != nil {
			return failed
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// html takes out what a reader of the page sees, and the texts that stand for
// pictures. Scripts and styles are no text.
func (p *parts) html(r io.Reader) error {
	z := html.NewTokenizer(r)
	z.SetMaxBuf(tokenMost)
	hidden := ""
	for {
		switch z.Next() {
		case html.ErrorToken:
			if err := z.Err(); !errors.Is(err, io.EOF) && !errors.Is(err, html.ErrBufferExceeded) {
				return err
			}
			return nil
		case html.TextToken:
			if hidden != "" {
				continue
			}
			if err := p.add(z.Text()); err != nil {
				return err
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			name, more := z.TagName()
			tag := string(name)
			if hidden == "" && (tag == "script" || tag == "style" || tag == "template") {
				hidden = tag
			}
			if err := p.gap(tag); err != nil {
				return err
			}
			for more {
				var key, value []byte
				key, value, more = z.TagAttr()
				if k := string(key); len(value) > 0 && hidden == "" && (k == "alt" || k == "title" || k == "content" && tag == "meta" || k == "href" && tag == "a") {
					if err := p.add(append(append([]byte(" "), value...), ' ')); err != nil {
						return err
					}
				}
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			if string(name) == hidden {
				hidden = ""
			}
			if err := p.gap(string(name)); err != nil {
				return err
			}
		}
	}
}

// gap parts the words of two blocks; inside a line a tag parts nothing.
func (p *parts) gap(tag string) error {
	switch tag {
	case "a", "b", "i", "u", "s", "em", "strong", "span", "font", "small", "big", "sub", "sup", "mark", "bdi", "bdo", "wbr", "abbr", "code":
		return nil
	}
	return p.add([]byte("\n"))
}

// Plain reports whether bytes could be text at all: no NUL and few controls.
func Plain(b []byte) bool {
	if bytes.IndexByte(b, 0) >= 0 {
		return false
	}
	controls := 0
	for _, c := range b {
		if c < 0x20 && !unicode.IsSpace(rune(c)) {
			controls++
		}
	}
	return controls*50 <= len(b)
}
