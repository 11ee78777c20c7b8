package lake

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// RowsMost bounds how many rows of another engine's answer are taken into memory.
const RowsMost = pathsMost

// Pseudonym is the 16 bytes that a query is asked about, given as it was written;
// empty for a query that asks for none.
func (q Query) Pseudonym(written string) (string, error) {
	if !strings.Contains(q.SQL, "{pseudonym}") {
		if written != "" {
			return "", fmt.Errorf("%s asks for no pseudonym", q.Name)
		}
		return "", nil
	}
	raw, err := hex.DecodeString(written)
	if err != nil || len(raw) != 16 {
		return "", fmt.Errorf("%s asks for a pseudonym of 32 hexadecimal digits, not %.80q", q.Name, written)
	}
	return string(raw), nil
}

// Rows are the rows of one part, column by column, in the part's order. Numbers
// holds ts in milliseconds, and truth as 0 and 1; Texts holds pseudonyms as 16
// bytes, and an empty text where usr is null.
type Rows struct {
	Count   int
	Numbers map[string][]int64
	Texts   map[string][]string
}

// Rows reads a part, once its bytes are known to be those that were written.
func (l *Lake) Rows(p Part) (*Rows, error) {
	raw, err := l.read(p)
	if err != nil {
		return nil, err
	}
	t, err := openTable(raw, p.Rows)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.Path, err)
	}
	out := &Rows{Count: t.rows, Numbers: map[string][]int64{}, Texts: map[string][]string{}}
	for name := range t.names {
		c, err := t.column(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.Path, err)
		}
		if c.texts == nil {
			out.Numbers[name] = c.all()
			continue
		}
		texts := make([]string, t.rows)
		for i := range texts {
			texts[i] = c.text(i)
		}
		out.Texts[name] = texts
	}
	return out, nil
}

// all are the numbers of a column.
func (c *column) all() []int64 {
	if c.codes == nil {
		return slices.Clone(c.ints)
	}
	out := make([]int64, len(c.codes))
	for i := range out {
		out[i] = c.at(i)
	}
	return out
}

// Span says how the manifest writes the earliest and the latest time of a part,
// given in milliseconds; both are empty where its month is unknown.
func (p Part) Span(first, last int64) (string, string) {
	if p.Undated() {
		return "", ""
	}
	return stamp(first), stamp(last)
}

// Undated reports whether the part's rows have times that cannot be, and so no day.
func (p Part) Undated() bool { return strings.Contains(p.Path, "/month="+noMonth+"/") }

// Clock writes a time, milliseconds since 1970, as the answers do: YYYY-MM-DD
// hh:mm:ss, UTC.
func Clock(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.DateTime) }
