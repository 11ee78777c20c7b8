package shards

import (
	"crypto/md5"
	"encoding/binary"
	"slices"
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
	ts, users := r.Numbers["ts"], r.Texts["usr"]
	if r.Count > 0 {
		m[firstAt], m[lastAt] = slices.Min(ts), slices.Max(ts)
	}
	writers := rowWriters(r)
	var text []byte
	for i := range r.Count {
		if users[i] != "" {
			m[usersAt]++
		}
		text = text[:0]
		for _, write := range writers {
			text = write(text, i)
		}
		sum := md5.Sum(text)
		m[digestAt] += int64(binary.BigEndian.Uint64(sum[:]))
	}
	return m
}

// rowWriters write what rowSQL does, a column each.
func rowWriters(r *lake.Rows) (out []func(text []byte, i int) []byte) {
	for _, c := range columns {
		numbers, texts := r.Numbers[c.name], r.Texts[c.name]
		switch c.kind {
		case "String":
			out = append(out, func(text []byte, i int) []byte {
				return append(append(strconv.AppendInt(text, int64(len(texts[i])), 10), ':'), texts[i]...)
			})
		case "FixedString(16)", "Nullable(FixedString(16))":
			out = append(out, func(text []byte, i int) []byte {
				const digits = "0123456789ABCDEF" // ClickHouse's hex
				for _, b := range []byte(texts[i]) {
					text = append(text, digits[b>>4], digits[b&15])
				}
				return append(text, ' ')
			})
		default:
			out = append(out, func(text []byte, i int) []byte { return append(strconv.AppendInt(text, numbers[i], 10), ' ') })
		}
	}
	return out
}

// scanned are the places that an answer of measures is taken into.
func (m *measures) scanned(n int) []any {
	var into []any
	for i := range m[:n] {
		into = append(into, &m[i])
	}
	return into
}
