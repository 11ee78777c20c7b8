package accesslog

import (
	"bytes"
	"encoding/binary"
	"strings"
	"time"
)

// clock reads times as logs write them. It remembers the last minute, since
// lines of one minute follow one another.
type clock struct {
	a, b, zone uint64 // the last minute and its zone, as bytes
	c          byte
	base       int64 // its first second
	offset     int32
}

const months = "JanFebMarAprMayJunJulAugSepOctNovDec"

// common reads "17/May/2015:10:05:43 +0000", 26 bytes of the common log format.
func (c *clock) common(b []byte) (sec int64, zone int32, ok bool) {
	if len(b) < 26 {
		return 0, 0, false
	}
	w0, w1, wz := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b[18:])>>16
	if w0 != c.a || w1 != c.b || b[16] != c.c || wz != c.zone {
		base, offset, ok := commonMinute(b)
		if !ok {
			return 0, 0, false
		}
		c.a, c.b, c.c, c.zone, c.base, c.offset = w0, w1, b[16], wz, base, offset
	}
	s1, s0 := b[18]-'0', b[19]-'0'
	if s1 > 6 || s0 > 9 || b[17] != ':' || s1 == 6 && s0 != 0 {
		return 0, 0, false
	}
	return c.base + int64(s1)*10 + int64(s0), c.offset, true
}

// commonMinute reads the minute and the zone of the common log format.
func commonMinute(b []byte) (base int64, zone int32, ok bool) {
	if b[2] != '/' || b[6] != '/' || b[11] != ':' || b[14] != ':' || b[20] != ' ' {
		return 0, 0, false
	}
	day, y, h, m := number(b[0:2]), number(b[7:11]), number(b[12:14]), number(b[15:17])
	month := strings.Index(months, string(b[3:6]))
	if month < 0 || month%3 != 0 || h < 0 || h > 23 || m < 0 || m > 59 {
		return 0, 0, false
	}
	if zone, ok = zoneOf(b[21:26]); !ok {
		return 0, 0, false
	}
	base, ok = minuteOf(y, month/3+1, day, h, m)
	return base - int64(zone), zone, ok
}

// zoneOf reads "+0200", "+02:00" or "Z".
func zoneOf(b []byte) (int32, bool) {
	if len(b) == 1 && (b[0] == 'Z' || b[0] == 'z') {
		return 0, true
	}
	if len(b) == 6 && b[3] == ':' {
		b = append(append(make([]byte, 0, 5), b[:3]...), b[4:]...)
	}
	if len(b) != 5 || b[0] != '+' && b[0] != '-' {
		return 0, false
	}
	h, m := number(b[1:3]), number(b[3:5])
	if h < 0 || h > 15 || m < 0 || m > 59 {
		return 0, false
	}
	zone := int32(h*3600 + m*60)
	if b[0] == '-' {
		zone = -zone
	}
	return zone, true
}

// minuteOf is the first second of a minute in UTC; not ok for a day that no
// calendar has.
func minuteOf(y, month, day, h, m int) (int64, bool) {
	if y < 1 || month < 1 || month > 12 || day < 1 || day > 31 {
		return 0, false
	}
	t := time.Date(y, time.Month(month), day, h, m, 0, 0, time.UTC)
	return t.Unix(), t.Day() == day
}

// number reads digits only; -1 for anything else.
func number(b []byte) int {
	if len(b) == 0 || len(b) > 9 {
		return -1
	}
	n := 0
	for _, c := range b {
		if !digit(c) {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	return n
}

// iso reads RFC 3339 and its looser kin: "2015-05-17T10:05:43+00:00",
// "2015-05-17 10:05:43", with or without fractions and zone.
func (c *clock) iso(b []byte) (sec int64, zone int32, ok bool) {
	if len(b) < 19 || b[4] != '-' || b[7] != '-' || b[10] != 'T' && b[10] != ' ' && b[10] != 't' || b[13] != ':' || b[16] != ':' {
		return 0, 0, false
	}
	h, m, s := number(b[11:13]), number(b[14:16]), number(b[17:19])
	if h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s > 60 {
		return 0, 0, false
	}
	base, ok := minuteOf(number(b[0:4]), number(b[5:7]), number(b[8:10]), h, m)
	if !ok {
		return 0, 0, false
	}
	rest := b[19:]
	if len(rest) > 0 && (rest[0] == '.' || rest[0] == ',') {
		rest = bytes.TrimLeft(rest[1:], "0123456789")
	}
	if len(rest) == 0 {
		return base + int64(s), zoneless, true
	}
	zone, ok = zoneOf(bytes.TrimLeft(rest, " "))
	return base + int64(s) - int64(zone), zone, ok
}

// unix reads seconds since 1970, with or without a fraction; numbers too large
// for seconds are milliseconds or microseconds.
func (c *clock) unix(b []byte) (sec int64, zone int32, ok bool) {
	n, digits := int64(0), 0
	for _, d := range b {
		if !digit(d) || digits > 17 {
			break
		}
		n, digits = n*10+int64(d-'0'), digits+1
	}
	if digits == 0 || digits < len(b) && b[digits] != '.' || digits > 17 {
		return 0, 0, false
	}
	if digits < len(b) && len(bytes.TrimLeft(b[digits+1:], "0123456789")) > 0 {
		return 0, 0, false
	}
	switch {
	case digits >= 16:
		n /= 1_000_000
	case digits >= 13:
		n /= 1000
	}
	return n, 0, true
}

// any reads a time of whichever of these forms it has.
func (c *clock) any(b []byte) (sec int64, zone int32, ok bool) {
	b = bytes.TrimSuffix(bytes.TrimPrefix(b, []byte("[")), []byte("]"))
	if len(b) < 9 {
		return 0, 0, false
	}
	switch {
	case b[2] == '/':
		if len(b) == 20 || len(b) == 24 { // HAProxy writes milliseconds and no zone
			return c.zoneless(b)
		}
		if len(b) > 26 {
			return 0, 0, false
		}
		return c.common(b)
	case b[4] == '-':
		return c.iso(b)
	}
	return c.unix(b)
}

// zoneless reads "06/Feb/2009:12:14:14.655" as UTC.
func (c *clock) zoneless(b []byte) (sec int64, zone int32, ok bool) {
	full := make([]byte, 0, 26)
	full = append(append(full, b[:20]...), " +0000"...)
	if len(b) > 20 && b[20] != '.' {
		return 0, 0, false
	}
	sec, _, ok = c.common(full)
	return sec, zoneless, ok
}
