package lake

import (
	"time"

	"concert/internal/accesslog"
)

// row is one access as it stands in a part. Its fields are the columns, in their
// order; docs/formats/lake.md says what each holds.
type row struct {
	TS         int64    `parquet:"ts,timestamp(millisecond),delta"`
	Day        string   `parquet:"day,dict"`
	Visitor    [16]byte `parquet:"visitor,dict"`
	User       [16]byte `parquet:"usr,optional,dict"`
	Country    string   `parquet:"cc,dict"`
	Verb       string   `parquet:"verb,dict"`
	Path       string   `parquet:"path,dict"`
	Status     int32    `parquet:"status,dict"`
	Bytes      int64    `parquet:"bytes,delta"`
	Referrer   string   `parquet:"ref,dict"`
	Agent      string   `parquet:"ua,dict"`
	Campaign   string   `parquet:"camp,dict"`
	Bot        bool     `parquet:"bot"`
	Unreliable bool     `parquet:"unreliable"`
	Item       int32    `parquet:"item,dict"`
	Offset     int64    `parquet:"off,delta"`
	Length     int32    `parquet:"len,delta"`
}

// Months that rows are partitioned by: written as 2017-06, and noMonth where the
// time cannot be.
const (
	monthForm = "2006-01"
	noMonth   = "unknown"
)

// earliest is the first second that a time may have to be plausible: 1990.
const earliest = 631152000

// calendar names days and months; it remembers the day that it named last.
type calendar struct {
	latest     int64 // seconds since 1970; later times are implausible
	sec        int64 // first second of the day that is remembered
	day, month string
}

func newCalendar(latest int64) *calendar { return &calendar{latest: latest, sec: -1} }

// at is the day and the month of a time; "" and noMonth where it is implausible.
func (c *calendar) at(sec int64) (day, month string) {
	if sec < earliest || sec > c.latest {
		return "", noMonth
	}
	if start := sec - sec%86400; start != c.sec {
		t := time.Unix(start, 0).UTC()
		c.sec, c.day, c.month = start, t.Format(time.DateOnly), t.Format(monthForm)
	}
	return c.day, c.month
}

// run is how many of the first rows are of one day, and its month.
func (c *calendar) run(rows []accesslog.Coded) (month string, n int) {
	day, month := c.at(rows[0].Sec)
	for n = 1; n < len(rows); n++ {
		if at := rows[n].Sec - c.sec; day == "" || at < 0 || at >= 86400 {
			break
		}
	}
	return month, n
}
