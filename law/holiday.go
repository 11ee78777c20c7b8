package law

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"concert"
)

// calendar is a state's public holidays and its zone.
type calendar struct {
	State  string `json:"state"`
	Zone   string `json:"zone"`   // of the capital, IANA name
	Easter string `json:"easter"` // western or orthodox
	Source string `json:"source"`
	Days   []rule `json:"days"`

	zone *time.Location
}

// rule says on which day of a year a holiday falls: on a date, so many days from
// Easter Sunday, or on the first such weekday on or after a date.
type rule struct {
	Name    string `json:"name"`
	On      string `json:"on"`      // month and day, 12-25
	Easter  *int   `json:"easter"`  // days from Easter Sunday
	Weekday string `json:"weekday"` // monday
	After   string `json:"after"`   // 06-01: weekday on or after it
	Or      string `json:"or"`      // where the date of After falls on this weekday, that date instead
	Moved   bool   `json:"moved"`   // if it falls on a weekend, the next working day is off too
	From    int    `json:"from"`    // first year, 0 for always
	Until   int    `json:"until"`   // last year, 0 for still

	date time.Time // that of On or After, in some year
}

func (b *Book) readHolidays(dir fs.FS) error {
	const name = "holidays.json"
	var f struct {
		Edition
		States []calendar `json:"states"`
	}
	if err := b.open(dir, name, &f, &f.Edition); err != nil {
		return err
	}
	for _, c := range f.States {
		if _, twice := b.calendars[c.State]; twice || !concert.IsCountry(c.State) || c.Source == "" || len(c.Days) == 0 {
			return fmt.Errorf("%s: state %q: each stands once, with source and days", name, c.State)
		}
		if c.Easter != "western" && c.Easter != "orthodox" {
			return fmt.Errorf("%s: state %s: easter is western or orthodox", name, c.State)
		}
		zone, err := time.LoadLocation(c.Zone)
		if err != nil || c.Zone == "" {
			return fmt.Errorf("%s: state %s: zone %q: %w", name, c.State, c.Zone, err)
		}
		c.zone = zone
		for i, r := range c.Days {
			if c.Days[i].date, err = r.check(); err != nil {
				return fmt.Errorf("%s: state %s: %s: %w", name, c.State, r.Name, err)
			}
			if slices.ContainsFunc(c.Days[:i], func(o rule) bool { return o.Name == r.Name }) {
				return fmt.Errorf("%s: state %s: %s stands twice", name, c.State, r.Name)
			}
		}
		b.calendars[c.State] = c
		b.note(false, name, c.State)
	}
	return nil
}

// check gives the date of the rule where it has one.
func (r rule) check() (time.Time, error) {
	none, ways := time.Time{}, 0
	for _, is := range []bool{r.On != "", r.Easter != nil, r.Weekday != ""} {
		if is {
			ways++
		}
	}
	switch {
	case r.Name == "":
		return none, fmt.Errorf("a day without a name")
	case ways != 1 || (r.Weekday == "") != (r.After == "") || r.Or != "" && r.Weekday == "":
		return none, fmt.Errorf("it falls on a date, some days from Easter, or on a weekday after a date: write one of them")
	case r.Weekday != "" && weekday(r.Weekday) < 0, r.Or != "" && weekday(r.Or) < 0:
		return none, fmt.Errorf("%q or %q is no weekday", r.Weekday, r.Or)
	case r.Easter != nil && (*r.Easter < -100 || *r.Easter > 100):
		return none, fmt.Errorf("it lies more than a hundred days from Easter")
	case r.From < 0 || r.Until < 0 || r.Until != 0 && r.Until < r.From:
		return none, fmt.Errorf("it ends in %d, before it begins in %d", r.Until, r.From)
	}
	text := r.On + r.After
	if text == "" {
		return none, nil
	}
	date, err := time.Parse(time.DateOnly, "2023-"+text)
	if err != nil {
		return none, fmt.Errorf("%q is no day of every year: write month and day, 12-25", text)
	}
	return date, nil
}

func weekday(name string) time.Weekday {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if strings.ToLower(d.String()) == name {
			return d
		}
	}
	return -1
}

// day is the midnight in UTC of the holiday in the year; ok is false where it is none
// that year.
func (r rule) day(year int, easter time.Time) (day time.Time, ok bool) {
	if year < r.From || r.Until != 0 && year > r.Until {
		return time.Time{}, false
	}
	if r.Easter != nil {
		return easter.AddDate(0, 0, *r.Easter), true
	}
	day = time.Date(year, r.date.Month(), r.date.Day(), 0, 0, 0, 0, time.UTC)
	if r.Weekday != "" && (r.Or == "" || day.Weekday() != weekday(r.Or)) {
		day = day.AddDate(0, 0, int(weekday(r.Weekday)-day.Weekday()+7)%7)
	}
	return day, true
}

// holidays are the days of the year that are off, as midnights in UTC.
func (c calendar) holidays(year int) []time.Time {
	easter := westernEaster(year)
	if c.Easter == "orthodox" {
		easter = orthodoxEaster(year)
	}
	var days, moved []time.Time
	for _, r := range c.Days {
		day, ok := r.day(year, easter)
		if !ok {
			continue
		}
		days = append(days, day)
		if r.Moved && weekend(day) {
			moved = append(moved, day)
		}
	}
	for _, day := range moved {
		for weekend(day) || slices.ContainsFunc(days, day.Equal) {
			day = day.AddDate(0, 0, 1)
		}
		days = append(days, day)
	}
	return days
}

func weekend(day time.Time) bool {
	return day.Weekday() == time.Saturday || day.Weekday() == time.Sunday
}

// westernEaster is Easter Sunday of the Gregorian calendar, by the algorithm of the
// Nautical Almanac (Meeus, Jones and Butcher).
func westernEaster(year int) time.Time {
	a, b, c := year%19, year/100, year%100
	d, e, f := b/4, b%4, (b+8)/25
	g := (b - f + 1) / 3
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 22*l) / 451
	n := h + l - 7*m + 114
	return time.Date(year, time.Month(n/31), n%31+1, 0, 0, 0, 0, time.UTC)
}

// orthodoxEaster is Easter Sunday by the Julian rule (Meeus), as a Gregorian date.
func orthodoxEaster(year int) time.Time {
	a, b, c := year%4, year%7, year%19
	d := (19*c + 15) % 30
	e := (2*a + 4*b - d + 34) % 7
	n := d + e + 114
	behind := year/100 - year/400 - 2 // days by which the Julian calendar is behind
	return time.Date(year, time.Month(n/31), n%31+1+behind, 0, 0, 0, 0, time.UTC)
}

// Holiday reports whether the date is a public holiday of the whole state: holidays of
// regions are not in the book, nor are Saturdays and Sundays as such. It is false for a
// state without a calendar; Calendar refuses that.
func (b Book) Holiday(state string, year int, month time.Month, day int) bool {
	if year < 1583 || year > 9999 { // before, there was no Gregorian Easter
		return false
	}
	at := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	return slices.ContainsFunc(b.calendars[state].holidays(year), at.Equal)
}

// Calendar is what the state's authorities and providers count days by: its public
// holidays, in the zone of its capital. A state without one is refused.
func (b Book) Calendar(state string) (concert.Calendar, error) {
	c, ok := b.calendars[state]
	if !ok {
		return concert.Calendar{}, concert.Refuse(concert.Invalid, "law.holidays", "authority", "the public holidays of %s are not known, by which its legal deadlines are counted: write them into law/holidays.json", state)
	}
	return concert.Calendar{Zone: c.zone, Off: func(y int, m time.Month, d int) bool { return b.Holiday(state, y, m, d) }}, nil
}
