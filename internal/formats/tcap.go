package formats

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	// maxTCAPLines bounds the lines of one row: a description may hold breaks.
	maxTCAPLines = 100
	// maxTCAPRow bounds a row of several lines, in bytes.
	maxTCAPRow = maxCSVLine
)

// tcapColumns are the columns of the Terrorist Content Analytics Platform's
// export, by their name in lower case, and what each is to us: "" for what is
// known and dropped (docs/import.md). Its long names come with the platform's
// own misspelling.
var tcapColumns = map[string]string{
	"id": "", "description": "", "domain": "", "created on": "",
	"url": "url", "protocol": "protocol", "content data type": "type", "extreme content": "extreme", "pii": "pii", "pi i": "pii",
	"platform name": "", "group name": "", "entity type": "", "ideology": "",
	"core tech platform - tech platform → name":               "",
	"core terrorist group - terrorist group fk → name":        "",
	"core terrorist group - terrorist group fk → entity type": "",
	"core terrorist group - terrorist group fk → ideology":    "",
}

// tcapReader is a file while it is read.
type tcapReader struct {
	lines lineReader
	ahead []tcapLine // read and not yet used
	end   bool
	comma byte
	head  []string // what each column is to us
	notes notes
	yield func(ItemRow) error
	bad   func(RowError) error
}

type tcapLine struct {
	n    int
	text string
	why  string // why it cannot be read, "" if it can
}

// ReadTCAP reads items from the CSV that Tech Against Terrorism's platform
// exports. The shape is that of [ReadItemCSV]; a quoted field may hold line
// breaks. A quote that is not closed costs its own line only: if a line further
// down is a whole row by itself, or none of the next hundred closes the quote,
// the row is given up and reading goes on with the line after it.
func ReadTCAP(r io.Reader, yield func(ItemRow) error, bad func(RowError) error) error {
	t := &tcapReader{lines: lineReader{br: plain(r)}, yield: yield, bad: bad}
	for {
		ok, err := t.fill(1)
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		if err := t.row(); err != nil {
			return err
		}
	}
	if t.head == nil {
		return errors.New("the file has no header line; it begins with: ID,Description,URL,Domain,Created On")
	}
	return t.notes.tell(bad)
}

// fill reads on until n lines are ahead; false where the file has fewer. Empty
// lines between rows are passed over.
func (t *tcapReader) fill(n int) (bool, error) {
	for len(t.ahead) < n && !t.end {
		text, tooLong, err := t.lines.next()
		if t.end, err = t.lines.ends(err); err != nil {
			return false, err
		}
		l := tcapLine{n: t.lines.n, text: text}
		switch {
		case tooLong:
			l.why = fmt.Sprintf("longer than %d bytes", maxCSVLine)
		case !utf8.ValidString(text):
			l.why = notUTF8
		case len(t.ahead) == 0 && strings.TrimSpace(text) == "", t.end && text == "":
			continue
		}
		t.ahead = append(t.ahead, l)
	}
	return len(t.ahead) >= n, nil
}

// row reads the row that begins with the first line ahead.
func (t *tcapReader) row() error {
	first := t.ahead[0]
	if first.why != "" {
		t.used(1)
		return t.bad(wrong(first.n, "%s", first.why))
	}
	if t.head == nil {
		t.used(1)
		return t.header(first)
	}
	rec, n, why, err := t.record()
	if err != nil {
		return err
	}
	t.used(n)
	if why != "" {
		return t.bad(wrong(first.n, "%s", why))
	}
	return t.item(first.n, rec)
}

// used drops lines ahead, and the empty ones that now stand first.
func (t *tcapReader) used(n int) {
	for n < len(t.ahead) && t.ahead[n].why == "" && strings.TrimSpace(t.ahead[n].text) == "" {
		n++
	}
	t.ahead = append(t.ahead[:0], t.ahead[n:]...)
}

// record reads a row of one or more lines: its fields and how many lines it
// takes, or why its first line is given up.
func (t *tcapReader) record() (rec []string, n int, why string, err error) {
	var text strings.Builder
	text.WriteString(t.ahead[0].text)
	r := splitCSV(text.String(), t.comma)
	switch {
	case r.why != "":
		return nil, 1, r.why, nil
	case !r.open && len(r.fields) != len(t.head):
		return nil, 1, fmt.Sprintf("has %d fields, the header has %d", len(r.fields), len(t.head)), nil
	}
	for n = 1; r.open; {
		if n++; n > maxTCAPLines || len(r.fields) >= len(t.head) {
			return nil, 1, unclosed, nil
		}
		if more, err := t.fill(n); err != nil || !more || t.ahead[n-1].why != "" {
			return nil, 1, unclosed, err
		}
		next := t.ahead[n-1].text
		if t.isWhole(next) || text.Len()+len(next) >= maxTCAPRow {
			return nil, 1, unclosed, nil
		}
		text.WriteByte('\n')
		text.WriteString(next)
		if !closes(next) {
			continue
		}
		if r = splitCSV(text.String(), t.comma); r.why != "" || !r.open && len(r.fields) != len(t.head) {
			return nil, 1, unclosed, nil
		}
	}
	return r.fields, n, "", nil
}

// isWhole reports whether a line is a row by itself: all its fields, no quote
// left over, and where the address should be something that may be one.
func (t *tcapReader) isWhole(text string) bool {
	r := splitCSV(text, t.comma)
	if r.open || r.bare || r.why != "" || len(r.fields) != len(t.head) {
		return false
	}
	for i, is := range t.head {
		if u := strings.TrimSpace(r.fields[i]); is == "url" && (!strings.Contains(u, ".") || strings.Contains(u, " ")) {
			return false
		}
	}
	return true
}

// closes reports whether a line closes the quote in which it begins.
func closes(text string) bool {
	for {
		i := strings.IndexByte(text, '"')
		if i < 0 {
			return false
		}
		if text = text[i+1:]; !strings.HasPrefix(text, `"`) {
			return true
		}
		text = text[1:]
	}
}

const unclosed = "opens a quote that is not closed where its row ends"

// csvRow is what a text holds as a row.
type csvRow struct {
	fields []string
	open   bool   // the last field's quote is not closed
	bare   bool   // a field that begins with no quote has one inside: a letter like others
	why    string // why it is no row, "" if it is
}

// splitCSV splits a row.
func splitCSV(text string, comma byte) (r csvRow) {
	for {
		if !strings.HasPrefix(text, `"`) {
			field, rest, more := strings.Cut(text, string(rune(comma)))
			r.fields, r.bare = append(r.fields, field), r.bare || strings.Contains(field, `"`)
			if !more {
				return r
			}
			text = rest
			continue
		}
		var field strings.Builder
		text = text[1:]
		for {
			i := strings.IndexByte(text, '"')
			if i < 0 {
				r.open = true
				return r
			}
			field.WriteString(text[:i])
			if text = text[i+1:]; !strings.HasPrefix(text, `"`) {
				break
			}
			field.WriteByte('"')
			text = text[1:]
		}
		r.fields = append(r.fields, field.String())
		switch {
		case text == "":
			return r
		case text[0] != comma:
			r.why = fmt.Sprintf("field %d: a quote inside a quoted field is written twice", len(r.fields))
			return r
		}
		text = text[1:]
	}
}

func (t *tcapReader) header(l tcapLine) error {
	t.comma = byte(commaOf(l.text))
	r := splitCSV(l.text, t.comma)
	if r.open {
		r.why = unclosed
	}
	if r.why != "" {
		return fmt.Errorf("line %d: %s", l.n, r.why)
	}
	var unknown []string
	t.head = make([]string, len(r.fields))
	for i, name := range r.fields {
		name = strings.Join(strings.Fields(name), " ")
		is, known := tcapColumns[strings.ToLower(name)]
		switch {
		case !known:
			unknown = append(unknown, fmt.Sprintf("%.80q", name))
		case is != "" && slices.Contains(t.head, is):
			return fmt.Errorf("line %d: column %q stands twice", l.n, name)
		}
		t.head[i] = is
	}
	if !slices.Contains(t.head, "url") {
		return fmt.Errorf("line %d: the column URL is missing: is this an export of TCAP? Concert's own CSV begins with: location", l.n)
	}
	if len(unknown) == 0 {
		return nil
	}
	e := wrong(l.n, "columns that are not known are passed over: %s", strings.Join(unknown[:min(len(unknown), maxNotes)], ", "))
	e.Note = true
	return t.bad(e)
}

func (t *tcapReader) item(line int, rec []string) error {
	row := ItemRow{Line: line}
	var protocol string
	for i, is := range t.head {
		v := strings.TrimSpace(rec[i])
		switch is {
		case "url":
			row.Item.Location = v
		case "protocol":
			protocol = strings.ToLower(v)
		case "type":
			row.Item.Type = itemType(v)
		case "extreme":
			if flagged(v) {
				t.notes.add(line, "rows that the source flags as extreme content, or is not sure of: look with care. The flag goes nowhere else")
			}
		case "pii":
			if flagged(v) {
				t.notes.add(line, "rows that the source flags for personal data, or is not sure of. The flag goes nowhere else")
			}
		}
	}
	if u := row.Item.Location; u != "" && !strings.Contains(u, "://") && (protocol == "http://" || protocol == "https://") {
		row.Item.Location = protocol + strings.TrimLeft(u, "/")
	}
	return handIn(row, t.yield, t.bad)
}

// flagged reads YES and NTS ("not too sure").
func flagged(v string) bool {
	v = strings.ToUpper(v)
	return v == "YES" || v == "NTS" || v == "TRUE"
}
