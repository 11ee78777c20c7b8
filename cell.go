package concert

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// PlainCell keeps a spreadsheet from running text as a formula (CWE-1236): it
// puts an apostrophe before what begins like one, also in full-width signs.
// Whole numbers stay as they are. Every table that leaves as a file passes its
// cells through it.
func PlainCell(s string) string {
	s = strings.ReplaceAll(s, "\x00", "")
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(s, " \u00a0\ufeff"))
	if !strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) {
		return s
	}
	if _, err := strconv.ParseInt(s, 10, 64); err == nil {
		return s
	}
	return "'" + s
}
