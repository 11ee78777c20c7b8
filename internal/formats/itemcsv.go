package formats

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ItemColumns are the columns of Concert's own CSV of items; location is
// needed, the order is free, other columns are refused by name (docs/csv.md).
var ItemColumns = []string{"location", "type", "outlet", "action", "priority", "evaluation", "sha256", "handling"}

// maxCSVLine bounds a line of a CSV file.
const maxCSVLine = 64 << 10

// notUTF8 is why a line in another encoding stays out.
const notUTF8 = "is not UTF-8: save the file as UTF-8 and import it again; what went in stays in once"

// RowError says which line was wrong and why; the other lines go in.
type RowError struct {
	Line   int    `json:"line"`
	Reason string `json:"reason"`
	Note   bool   `json:"-"` // nothing was wrong: the file says something that no item carries
}

// Error implements error.
func (e RowError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Reason) }

// Item is what a row says of one item; what is left out is "".
type Item struct {
	Location   string
	Type       string
	Outlet     string
	Action     string
	Priority   int
	Evaluation string
	SHA256     string // of the captured bytes, hex
	Handling   string // H0 to H3
}

// ItemRow is a row that could be read, with its line.
type ItemRow struct {
	Line int
	Item Item
}

// ReadItemCSV reads items. yield gets each good row, bad each line that is
// wrong; either may stop the reading with an error. Comma, semicolon and tab
// are understood, as are a byte order mark, UTF-16, and LF, CR or both as line
// ends; a field may not hold a line break, so that one broken quote costs one
// line.
func ReadItemCSV(r io.Reader, yield func(ItemRow) error, bad func(RowError) error) error {
	lines := lineReader{br: plain(r)}
	var head []string
	var comma rune
	for {
		text, tooLong, err := lines.next()
		end, err := lines.ends(err)
		if err != nil {
			return err
		}
		line := lines.n
		switch {
		case tooLong:
			err = bad(wrong(line, "longer than %d bytes", maxCSVLine))
		case strings.TrimSpace(text) == "":
			err = nil
		case !utf8.ValidString(text):
			err = bad(wrong(line, notUTF8))
		case head == nil:
			head, comma, err = readHead(line, text)
		default:
			err = oneRow(line, text, comma, head, yield, bad)
		}
		if err != nil || end {
			if err == nil && head == nil {
				err = errors.New("the file has no header line; it begins with: location,type,outlet,action,priority,evaluation")
			}
			return err
		}
	}
}

func readHead(line int, text string) ([]string, rune, error) {
	comma := commaOf(text)
	head, err := fields(text, comma)
	if err != nil {
		return nil, comma, fmt.Errorf("line %d: %w", line, err)
	}
	for i, name := range head {
		head[i] = strings.ToLower(strings.TrimSpace(name))
		if !slices.Contains(ItemColumns, head[i]) {
			return nil, comma, fmt.Errorf("line %d: unknown column %q; the columns are %s", line, name, strings.Join(ItemColumns, ", "))
		}
		if slices.Index(head, head[i]) != i {
			return nil, comma, fmt.Errorf("line %d: column %q stands twice", line, name)
		}
	}
	if !slices.Contains(head, "location") {
		return nil, comma, fmt.Errorf("line %d: the column location is missing; the columns are %s", line, strings.Join(ItemColumns, ", "))
	}
	return head, comma, nil
}

// commaOf is what parts the fields of a header: whichever it has most of.
func commaOf(head string) rune {
	comma := ','
	for _, c := range []rune{';', '\t'} {
		if strings.Count(head, string(c)) > strings.Count(head, string(comma)) {
			comma = c
		}
	}
	return comma
}

func fields(text string, comma rune) ([]string, error) {
	cr := csv.NewReader(strings.NewReader(text))
	cr.Comma, cr.FieldsPerRecord = comma, -1
	rec, err := cr.Read()
	if err != nil {
		var pe *csv.ParseError
		if errors.As(err, &pe) {
			return nil, fmt.Errorf("column %d: %w", pe.Column, pe.Err)
		}
		return nil, err
	}
	return rec, nil
}

func oneRow(line int, text string, comma rune, head []string, yield func(ItemRow) error, bad func(RowError) error) error {
	rec, err := fields(text, comma)
	if err != nil {
		return bad(wrong(line, "%s", err))
	}
	if len(rec) != len(head) {
		return bad(wrong(line, "has %d fields, the header has %d", len(rec), len(head)))
	}
	row := ItemRow{Line: line}
	for i, name := range head {
		v := strings.TrimSpace(rec[i])
		switch name {
		case "location":
			row.Item.Location = v
		case "type":
			row.Item.Type = v
		case "outlet":
			row.Item.Outlet = v
		case "action":
			row.Item.Action = v
		case "evaluation":
			row.Item.Evaluation = v
		case "sha256":
			row.Item.SHA256 = v
		case "handling":
			row.Item.Handling = v
		case "priority":
			if v == "" {
				continue
			}
			if row.Item.Priority, err = strconv.Atoi(v); err != nil || row.Item.Priority < 0 || row.Item.Priority > 9 {
				return bad(wrong(line, "priority %q is no whole number from 0 to 9", v))
			}
		}
	}
	if row.Item.Location == "" {
		return bad(wrong(line, "location is empty"))
	}
	return yield(row)
}
