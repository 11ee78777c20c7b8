package formats

import (
	"bufio"
	"bytes"
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

// RowError says which line was wrong and why; the other lines go in.
type RowError struct {
	Line   int    `json:"line"`
	Reason string `json:"reason"`
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
// are understood, as are a byte order mark and both line ends; a field may not
// hold a line break, so that one broken quote costs one line.
func ReadItemCSV(r io.Reader, yield func(ItemRow) error, bad func(RowError) error) error {
	br := bufio.NewReaderSize(r, maxCSVLine)
	var head []string
	var comma rune
	for line := 1; ; line++ {
		text, tooLong, err := readLine(br)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("line %d: %w", line, err)
		}
		end := errors.Is(err, io.EOF)
		if line == 1 {
			text = strings.TrimPrefix(text, "\ufeff")
		}
		switch {
		case tooLong:
			err = bad(RowError{line, fmt.Sprintf("longer than %d bytes", maxCSVLine)})
		case strings.TrimSpace(text) == "":
			err = nil
		case !utf8.ValidString(text):
			err = bad(RowError{line, "is not UTF-8: save the file as UTF-8 and import it again; what went in stays in once"})
		case head == nil:
			head, comma, err = readHead(text)
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

// readLine reads to the next line end, keeping at most maxCSVLine bytes of it.
func readLine(br *bufio.Reader) (text string, tooLong bool, err error) {
	part, err := br.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = br.ReadSlice('\n')
		}
		return "", true, err
	}
	return string(bytes.TrimRight(part, "\r\n")), false, err
}

func readHead(text string) ([]string, rune, error) {
	comma := ','
	for _, c := range []rune{';', '\t'} {
		if strings.Count(text, string(c)) > strings.Count(text, string(comma)) {
			comma = c
		}
	}
	head, err := fields(text, comma)
	if err != nil {
		return nil, comma, fmt.Errorf("line 1: %w", err)
	}
	for i, name := range head {
		head[i] = strings.ToLower(strings.TrimSpace(name))
		if !slices.Contains(ItemColumns, head[i]) {
			return nil, comma, fmt.Errorf("line 1: unknown column %q; the columns are %s", name, strings.Join(ItemColumns, ", "))
		}
		if slices.Index(head, head[i]) != i {
			return nil, comma, fmt.Errorf("line 1: column %q stands twice", name)
		}
	}
	if !slices.Contains(head, "location") {
		return nil, comma, fmt.Errorf("line 1: the column location is missing; the columns are %s", strings.Join(ItemColumns, ", "))
	}
	return head, comma, nil
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
		return bad(RowError{line, err.Error()})
	}
	if len(rec) != len(head) {
		return bad(RowError{line, fmt.Sprintf("has %d fields, the header has %d", len(rec), len(head))})
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
				return bad(RowError{line, fmt.Sprintf("priority %q is no whole number from 0 to 9", v)})
			}
		}
	}
	if row.Item.Location == "" {
		return bad(RowError{line, "location is empty"})
	}
	return yield(row)
}
