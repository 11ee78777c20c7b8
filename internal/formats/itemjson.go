package formats

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	maxObject = 1 << 20  // bytes kept of one object
	maxString = 64 << 10 // bytes kept of one string; screenshots and samples are passed over
	maxNest   = 64       // levels inside one object
	maxOpen   = 16       // levels of objects that hold objects
	maxScan   = 1 << 20  // levels that are followed at all

	// elided stands where a string longer than maxString stood.
	elided = "\x00"
)

// jsonShape says where in the documents of a format its objects stand.
type jsonShape struct {
	holds map[string]bool // keys under which objects stand: true where all of them are the format's own, false where they may hold others
	asks  []string        // keys of an object that holds others, of which the value is wanted
	most  int             // bytes kept of one string; 0 for maxString
	// object takes one object; inside says whether another one holds it.
	object func(line int, raw []byte, inside bool) error
	// closed takes what was asked of an object that held others, at its end.
	closed func(asked map[string][]byte) error
	// torn takes that such an object broke off; nil where that changes nothing.
	torn func() error
}

// brokenError is a place where the text stops being JSON.
type brokenError struct {
	why string
	end bool // the file ends there
}

// Error says what is wrong there.
func (e *brokenError) Error() string { return e.why }

// kept is what is kept of a value, without white space.
type kept struct {
	buf  []byte
	over bool // longer than maxObject
	deep bool // nested deeper than maxNest
}

func (k *kept) add(b ...byte) {
	if k == nil || k.over || k.deep {
		return
	}
	if len(k.buf)+len(b) > maxObject {
		k.over, k.buf = true, nil
		return
	}
	k.buf = append(k.buf, b...)
}

// walker reads JSON of any size: an object, an array of them, or one after the
// other (NDJSON). It holds one object at a time and knows the line it is in.
type walker struct {
	jsonShape
	br    *bufio.Reader
	bad   func(RowError) error
	line  int
	cr    bool // the byte before was a CR
	begun bool // the line has something on it
	seen  bool // there is something in the file
	whole bool // a value was read to its end
}

// walk reads a whole file. What stood before a fault is in; the fault is a bad
// row, and where every line is an object of its own it costs no other line.
func walk(r io.Reader, bad func(RowError) error, shape jsonShape) error {
	w := &walker{jsonShape: shape, br: plain(r), bad: bad, line: 1}
	for {
		c, err := w.peek()
		if errors.Is(err, io.EOF) {
			if !w.seen {
				return errors.New("the file is empty")
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", w.line, err)
		}
		from := w.line
		w.begun, w.seen = true, true
		switch c {
		case '[':
			err = w.list(0, false)
		case '{':
			err = w.object1(0)
		default:
			err = broken("%q begins no object and no list", c)
		}
		if err == nil {
			w.whole = true
			continue
		}
		var e *brokenError
		if !errors.As(err, &e) {
			return err
		}
		alone := !e.end && (c == '{' || w.whole) && (w.line == from || w.line == from+1 && !w.begun)
		if alone {
			err = bad(wrong(from, "is broken JSON: %s", e.why))
		} else {
			err = bad(wrong(w.line, "the JSON breaks here, in what begins in line %d: %s; what stands before is in, the rest is not read", from, e.why))
		}
		if err != nil || !alone {
			return err
		}
		if w.torn != nil {
			if err := w.torn(); err != nil {
				return err
			}
		}
		if err := w.resume(); err != nil {
			return err
		}
	}
}

func broken(format string, args ...any) error { return &brokenError{why: fmt.Sprintf(format, args...)} }

// resume goes to the next line that begins with an object. A line that begins
// with anything else is a bad row.
func (w *walker) resume() error {
	for {
		c, err := w.br.ReadByte()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", w.line, err)
		}
		if c == '{' && !w.begun {
			return w.br.UnreadByte()
		}
		if c > ' ' && !w.begun {
			if err := w.bad(wrong(w.line, "begins no object, and is not read")); err != nil {
				return err
			}
		}
		w.count(c)
	}
}

// count follows lines over one byte that was read.
func (w *walker) count(c byte) {
	switch {
	case c == '\n' && w.cr:
		w.cr = false
		return
	case c == '\n', c == '\r':
		w.line++
		w.begun = false
	case c != ' ' && c != '\t':
		w.begun = true
	}
	w.cr = c == '\r'
}

// peek gives the next byte that is no white space without taking it.
func (w *walker) peek() (byte, error) {
	for {
		c, err := w.br.ReadByte()
		if err != nil {
			return 0, err
		}
		if c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			return c, w.br.UnreadByte()
		}
		w.count(c)
	}
}

// within is peek where the file may not end.
func (w *walker) within() (byte, error) {
	c, err := w.peek()
	return c, w.cut(err)
}

func (w *walker) cut(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF):
		return &brokenError{"the file ends in the middle", true}
	}
	return fmt.Errorf("line %d: %w", w.line, err)
}

// take takes the byte that was peeked.
func (w *walker) take(k *kept, c byte) {
	_, _ = w.br.ReadByte() // cannot fail: it was just peeked
	w.count(c)
	k.add(c)
}

// list reads an array. own says that its objects are the format's own.
func (w *walker) list(level int, own bool) error {
	w.take(nil, '[')
	for first := true; ; first = false {
		c, err := w.within()
		switch {
		case err != nil:
			return err
		case c == ']' && first:
			w.take(nil, c)
			return nil
		case c == '{' && own:
			err = w.leaf(level > 0)
		case c == '{':
			err = w.object1(level)
		default:
			line := w.line
			if err = w.value(nil); err == nil {
				err = w.bad(wrong(line, "is no object"))
			}
		}
		if err != nil {
			return err
		}
		if c, err = w.within(); err != nil {
			return err
		}
		if c != ',' && c != ']' {
			return broken("%q stands where a comma or the end of the list should", c)
		}
		w.take(nil, c)
		if c == ']' {
			return nil
		}
	}
}

// leaf reads one object of the format.
func (w *walker) leaf(inside bool) error {
	line, k := w.line, &kept{}
	if err := w.value(k); err != nil {
		return err
	}
	return w.hand(line, k, inside)
}

func (w *walker) hand(line int, k *kept, inside bool) error {
	switch {
	case k.over:
		return w.bad(wrong(line, "the object that begins here is longer than %d bytes", maxObject))
	case k.deep:
		return w.bad(wrong(line, "the object that begins here is nested deeper than %d levels", maxNest))
	case !utf8.Valid(k.buf):
		return w.bad(wrong(line, "the object that begins here is not UTF-8: ask for the file in UTF-8 and import it again; what went in stays in once"))
	}
	return w.object(line, k.buf, inside)
}

// object1 reads an object of which only its keys tell whether it is the
// format's own or holds others.
func (w *walker) object1(level int) error {
	line, k := w.line, &kept{}
	asked, held := map[string][]byte{}, false
	w.take(k, '{')
	for first := true; ; first = false {
		c, err := w.within()
		if err != nil {
			return err
		}
		if c == '}' && first {
			w.take(k, c)
			break
		}
		if c != '"' {
			return broken("%q stands where a name should", c)
		}
		name := &kept{}
		if err := w.text(name); err != nil {
			return err
		}
		key := unquote(name.buf)
		k.add(name.buf...)
		if c, err = w.within(); err != nil {
			return err
		}
		if c != ':' {
			return broken("%q stands where a colon should", c)
		}
		w.take(k, c)
		opened, err := w.member(key, level, k, asked)
		if err != nil {
			return err
		}
		held = held || opened
		if c, err = w.within(); err != nil {
			return err
		}
		if c != ',' && c != '}' {
			return broken("%q stands where a comma or the end of the object should", c)
		}
		w.take(k, c)
		if c == '}' {
			break
		}
	}
	if held {
		return w.closed(asked)
	}
	return w.hand(line, k, level > 0)
}

// member reads the value of a key; opened says that it held objects.
func (w *walker) member(key string, level int, k *kept, asked map[string][]byte) (opened bool, err error) {
	c, err := w.within()
	if err != nil {
		return false, err
	}
	own, known := w.holds[key]
	switch {
	case known && level < maxOpen && c == '[':
		return true, w.list(level+1, own)
	case known && level < maxOpen && c == '{' && !own:
		return true, w.object1(level + 1)
	}
	v := &kept{}
	if err := w.value(v); err != nil {
		return false, err
	}
	k.over, k.deep = k.over || v.over, k.deep || v.deep
	k.add(v.buf...)
	for _, a := range w.asks {
		switch {
		case a != key:
		case v.over, v.deep:
			asked[key] = []byte("0") // no value of any use: whoever asked takes the strictest
		default:
			asked[key] = v.buf
		}
	}
	return false, nil
}

// What may come next inside a value.
const (
	aValue = iota
	aValueOrEnd
	aName
	aNameOrEnd
	aColon
	aComma
)

// value reads one value of any kind to its end.
func (w *walker) value(k *kept) error {
	var open []byte // the brackets that are open
	want := aValue
	for {
		c, err := w.within()
		if err != nil {
			return err
		}
		end := len(open) > 0 && c == closing(open[len(open)-1])
		switch {
		case end && want != aValue && want != aName && want != aColon:
			w.take(k, c)
			open = open[:len(open)-1]
			want = aComma
		case want == aComma && c == ',':
			w.take(k, c)
			if want = aName; open[len(open)-1] == '[' {
				want = aValue
			}
		case want == aColon && c == ':':
			w.take(k, c)
			want = aValue
		case (want == aName || want == aNameOrEnd) && c == '"':
			if err := w.text(k); err != nil {
				return err
			}
			want = aColon
		case want != aValue && want != aValueOrEnd:
			return broken("%q stands where %s should", c, [...]string{aName: "a name", aNameOrEnd: "a name", aColon: "a colon", aComma: "a comma or an end"}[want])
		case c == '{' || c == '[':
			if len(open) == maxScan {
				return broken("it is nested deeper than %d levels", maxScan)
			}
			w.take(k, c)
			if open = append(open, c); k != nil && len(open) > maxNest {
				k.deep, k.buf = true, nil
			}
			if want = aNameOrEnd; c == '[' {
				want = aValueOrEnd
			}
			continue
		case c == '"':
			if err := w.text(k); err != nil {
				return err
			}
			want = aComma
		default:
			if err := w.scalar(k); err != nil {
				return err
			}
			want = aComma
		}
		if len(open) == 0 {
			return nil
		}
	}
}

func closing(c byte) byte { return c + 2 } // ASCII: { and }, [ and ]

// text reads a string; one longer than maxString, or what the shape says, is kept
// as elided.
func (w *walker) text(k *kept) error {
	w.take(nil, '"')
	part := []byte{'"'}
	long := false
	for escaped := false; ; {
		if _, err := w.br.Peek(1); err != nil {
			return w.cut(err)
		}
		ahead, _ := w.br.Peek(w.br.Buffered()) // cannot fail: it is buffered
		n := 0
		if !escaped {
			n = plainRun(ahead)
		}
		end := false
		if n < len(ahead) {
			c := ahead[n]
			if c < ' ' {
				_, _ = w.br.Discard(n) // cannot fail: it is buffered
				return broken("a line break or another control character (U+%04X) inside a string", c)
			}
			end = c == '"' && !escaped
			escaped = c == '\\' && !escaped
			n++
		}
		if long = long || len(part)+n > cmp.Or(w.most, maxString); k != nil && !long {
			part = append(part, ahead[:n]...)
		}
		_, _ = w.br.Discard(n) // cannot fail: it is buffered
		if end {
			break
		}
	}
	if long {
		part = []byte(`"\u0000"`)
	}
	k.add(part...)
	return nil
}

// plainRun is how many bytes of a string come before one that means something.
func plainRun(b []byte) int {
	for i, c := range b {
		if c == '"' || c == '\\' || c < ' ' {
			return i
		}
	}
	return len(b)
}

// scalar reads a number or a word; which of them are JSON is for the decoder.
func (w *walker) scalar(k *kept) error {
	for n := 0; ; n++ {
		c, err := w.br.ReadByte()
		if errors.Is(err, io.EOF) && n > 0 {
			return nil
		}
		if err != nil {
			return w.cut(err)
		}
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '+', c == '-', c == '.':
			w.count(c)
			k.add(c)
			continue
		}
		_ = w.br.UnreadByte() // cannot fail: it was just read
		if n == 0 {
			return broken("%q stands where a value should", c)
		}
		return nil
	}
}

func unquote(s []byte) string {
	out, err := jsontext.AppendUnquote(nil, s)
	if err != nil {
		return "" // no key of ours: the decoder says so of the whole object
	}
	return string(out)
}

// decode reads one object; why is "" where it could be read.
func decode(raw []byte, into any) (why string) {
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Sprintf("cannot be read: %.200s", err)
	}
	return ""
}

// word is a value that should be a string. Numbers and truth values are read
// as their text, as some exporters write them; anything else is "".
type word string

// UnmarshalJSON implements the decoder's interface.
func (t *word) UnmarshalJSON(raw []byte) error {
	switch {
	case len(raw) > 0 && raw[0] == '"':
		*t = word(unquote(raw))
	case len(raw) > 0 && raw[0] != '{' && raw[0] != '[' && raw[0] != 'n':
		*t = word(raw)
	}
	return nil
}

// yes reports a value that says true in any of the exporters' ways.
func (t word) yes() bool { return t == "true" || t == "1" || t == "True" }

// words are strings: one, or a list of them.
type words []word

// UnmarshalJSON implements the decoder's interface.
func (t *words) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '[' {
		return json.Unmarshal(raw, (*[]word)(t))
	}
	var one word
	if err := one.UnmarshalJSON(raw); err == nil && one != "" {
		*t = words{one}
	}
	return nil
}
