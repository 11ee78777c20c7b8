package dispatch

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	// A bare machine may have no time zone files, and a window in the wrong
	// zone would send at night (G12).
	_ "time/tzdata"
)

// Window is when a provider takes referrals: its own hours on its own wall
// clock (G12). Urgent threats to life do not ask it; that is the caller's
// exception. The zero value is always open.
type Window struct {
	Zone *time.Location // UTC if nil
	From int            // minutes after midnight, 0 to 1439
	To   int            // minutes after midnight, exclusive, 0 to 1440; To < From reaches over midnight, To == From is all day
	Days Days           // days on which it begins; none set means every day
}

// Days is a set of weekdays, bit n for time.Weekday n.
type Days uint8

// DaysOf returns the set of these days.
func DaysOf(days ...time.Weekday) Days {
	var d Days
	for _, w := range days {
		d |= 1 << w
	}
	return d
}

func (d Days) has(w time.Weekday) bool { return d == 0 || d&(1<<w) != 0 }

// ErrWindow says that a window cannot be read.
var ErrWindow = errors.New("window of hours is malformed")

const dayNames = "sun mon tue wed thu fri sat"

// ParseWindow reads a time zone name of the IANA database, hours such as
// "08:00-18:30" or "22:00-06:00" ("" for all day), and days such as "mon-fri"
// or "sun,tue,thu" ("" for every day). Errors match ErrWindow.
func ParseWindow(zone, hours, days string) (w Window, err error) {
	if len(zone) > 64 || strings.EqualFold(zone, "local") {
		return Window{}, fmt.Errorf("%w: zone is no IANA name such as Europe/Vienna", ErrWindow)
	}
	if w.Zone, err = time.LoadLocation(zone); err != nil {
		return Window{}, fmt.Errorf("%w: zone %q is not in the IANA database; wanted is a name such as Europe/Vienna", ErrWindow, zone)
	}
	if hours != "" {
		from, to, found := strings.Cut(hours, "-")
		var ok1, ok2 bool
		w.From, ok1 = parseMinutes(from)
		w.To, ok2 = parseMinutes(to)
		if !found || !ok1 || !ok2 || w.From == 1440 {
			return Window{}, fmt.Errorf("%w: hours %q; wanted is 08:00-18:30", ErrWindow, limitText(hours, 32))
		}
	}
	if w.Days, err = parseDays(days); err != nil {
		return Window{}, err
	}
	return w, nil
}

func parseMinutes(s string) (minutes int, ok bool) {
	s = strings.TrimSpace(s)
	if len(s) != 5 || s[2] != ':' {
		return 0, false
	}
	h, herr := strconv.ParseUint(s[:2], 10, 8)
	m, merr := strconv.ParseUint(s[3:], 10, 8)
	if herr != nil || merr != nil || m > 59 || h > 24 || h == 24 && m > 0 {
		return 0, false
	}
	return int(h)*60 + int(m), true
}

func parseDays(s string) (Days, error) {
	var d Days
	if s == "" {
		return 0, nil
	}
	for part := range strings.SplitSeq(strings.ToLower(s), ",") {
		first, last, span := strings.Cut(strings.TrimSpace(part), "-")
		if !span {
			last = first
		}
		a, ok1 := weekday(first)
		b, ok2 := weekday(last)
		if !ok1 || !ok2 {
			return 0, fmt.Errorf("%w: days %q; wanted is mon-fri or mon,wed,sat", ErrWindow, limitText(s, 32))
		}
		for ; ; a = (a + 1) % 7 {
			d |= 1 << a
			if a == b {
				break
			}
		}
	}
	return d, nil
}

func weekday(s string) (time.Weekday, bool) {
	i := strings.Index(dayNames, s)
	return time.Weekday(i / 4), len(s) == 3 && i >= 0 && i%4 == 0
}

// Open reports whether the window is open at t.
func (w Window) Open(t time.Time) bool {
	if w.From == w.To && w.Days == 0 {
		return true
	}
	l := t.In(w.zone())
	minute, today := l.Hour()*60+l.Minute(), l.Weekday()
	yesterday := (today + 6) % 7
	switch {
	case w.From == w.To:
		// All day, from From of a chosen day to From of the next.
		return minute >= w.From && w.Days.has(today) || minute < w.From && w.Days.has(yesterday)
	case w.From < w.To:
		return w.Days.has(today) && minute >= w.From && minute < w.To
	}
	return w.Days.has(today) && minute >= w.From || w.Days.has(yesterday) && minute < w.To
}

// NextOpen returns now if the window is open, else the next instant at which
// it opens. It follows the wall clock through changes of summer time: an
// opening that falls into the hour that is left out happens right after it, and
// a window wholly inside that hour opens on its next day. The zero time means
// that the window never opens, which only one with From outside its range does.
func (w Window) NextOpen(now time.Time) time.Time {
	if w.Open(now) {
		return now
	}
	zone := w.zone()
	l := now.In(zone)
	var best time.Time
	// From yesterday's night shift over a whole week, and a day more each for
	// an opening in a left-out hour and for a day that a zone once left out
	// altogether. All days are looked at, since a change of the clock may open
	// a window before the opening of an earlier day's candidate.
	for day := -1; day <= 9; day++ {
		opening := time.Date(l.Year(), l.Month(), l.Day()+day, 0, w.From, 0, 0, zone)
		for _, c := range candidates(opening) {
			if c.After(now) && w.Open(c) && (best.IsZero() || c.Before(best)) {
				best = c
			}
		}
	}
	if best.IsZero() {
		return best
	}
	return best.In(now.Location())
}

// candidates are the instants around a wall-clock opening at which a window
// can open: the opening itself, its double when the clock goes back over it,
// and the changes of the clock on either side, since a jump may land inside.
func candidates(opening time.Time) []time.Time {
	out := []time.Time{opening}
	_, offset := opening.Zone()
	start, end := opening.ZoneBounds()
	if !start.IsZero() {
		_, before := start.Add(-time.Second).Zone()
		shift := time.Duration(before-offset) * time.Second
		out = append(out, opening.Add(-shift))
		if opening.Sub(start) < 26*time.Hour {
			out = append(out, start)
		}
	}
	if !end.IsZero() {
		_, after := end.Zone()
		out = append(out, opening.Add(time.Duration(offset-after)*time.Second))
		if end.Sub(opening) < 26*time.Hour {
			out = append(out, end)
		}
	}
	return out
}

func (w Window) zone() *time.Location {
	if w.Zone == nil {
		return time.UTC
	}
	return w.Zone
}

// Capacity is how much a provider takes.
type Capacity struct {
	PerHour int // items in any one hour; 0 is no limit
}

// Free says how many of want items may go now, after sent went in the last
// hour.
func (c Capacity) Free(want, sent int) int {
	if c.PerHour <= 0 {
		return max(want, 0)
	}
	return max(min(want, c.PerHour-sent), 0)
}
