package shards

import (
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"

	"concert/internal/lake"
)

// measures are what a part's rows come to, in the order of measured. Sums wrap
// around, here as there.
type measures [10]int64

const (
	countAt  = 0
	firstAt  = 6
	lastAt   = 7
	usersAt  = 8
	digestAt = 9
)

// measured are the numbers that are kept of a part, and how a server reckons them.
// The last one is over every value of every row and costs as much as a question; it
// is compared once, when the part was sent. It is against a driver or server that
// mistakes a value, not against somebody who forges one.
var measured = []struct{ name, sql string }{
	{"n", "toInt64(count(*))"}, {"offs", "toInt64(sum(off))"}, {"lens", "toInt64(sum(len))"}, {"byteses", "toInt64(sum(bytes))"}, {"statuses", "toInt64(sum(status))"},
	{"items", "toInt64(sum(item))"}, {"first", "min(ts)"}, {"last", "max(ts)"}, {"users", "toInt64(sum(usr IS NOT NULL))"}, {"digest", "toInt64(sum(halfMD5(" + rowSQL() + ")))"},
}

// measuring is the list of the first n measures for a SELECT.
func measuring(n int) string {
	var list []string
	for _, m := range measured[:n] {
		list = append(list, m.sql)
	}
	return strings.Join(list, ", ")
}

// rowSQL writes a row as one text of which no other row's can be the same: numbers
// and pseudonyms end with a blank, texts have their length before them.
func rowSQL() string {
	var list []string
	for _, c := range columns {
		switch c.kind {
		case "String":
			list = append(list, "toString(length("+c.name+"))", "':'", c.name)
		case "FixedString(16)":
			list = append(list, "hex("+c.name+")", "' '")
		case "Nullable(FixedString(16))":
			list = append(list, "ifNull(hex("+c.name+"), '')", "' '")
		default:
			list = append(list, "toString("+c.name+")", "' '")
		}
	}
	return "concat(" + strings.Join(list, ", ") + ")"
}

// measure reckons the same of rows that were read from a part.
func measure(r *lake.Rows) (m measures) {
	m[countAt] = int64(r.Count)
	for at, name := range []string{"off", "len", "bytes", "status", "item"} {
		for _, v := range r.Numbers[name] {
			m[1+at] += v
		}
	}
	var text []byte
	for i := range r.Count {
		if ts := r.Numbers["ts"][i]; i == 0 {
			m[firstAt], m[lastAt] = ts, ts
		} else {
			m[firstAt], m[lastAt] = min(m[firstAt], ts), max(m[lastAt], ts)
		}
		if r.Texts["usr"][i] != "" {
			m[usersAt]++
		}
		text = appendRow(text[:0], r, i)
		sum := md5.Sum(text)
		m[digestAt] += int64(binary.BigEndian.Uint64(sum[:]))
	}
	return m
}

// appendRow writes what rowSQL does.
func appendRow(text []byte, r *lake.Rows, i int) []byte {
	for _, c := range columns {
		switch c.kind {
		case "String":
			v := r.Texts[c.name][i]
			text = append(strconv.AppendInt(text, int64(len(v)), 10), ':')
			text = append(text, v...)
		case "FixedString(16)", "Nullable(FixedString(16))":
			from := len(text)
			text = hex.AppendEncode(text, []byte(r.Texts[c.name][i]))
			upper(text[from:])
			text = append(text, ' ')
		default:
			text = append(strconv.AppendInt(text, r.Numbers[c.name][i], 10), ' ')
		}
	}
	return text
}

// upper makes hexadecimal digits as ClickHouse's hex does.
func upper(digits []byte) {
	for i, d := range digits {
		if d >= 'a' {
			digits[i] = d - 'a' + 'A'
		}
	}
}

// scanned are the places that an answer of measures is taken into.
func (m *measures) scanned(n int) []any {
	var into []any
	for i := range m[:n] {
		into = append(into, &m[i])
	}
	return into
}
