package concert

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// TermKey names a term of the law (law/terms.json).
type TermKey string

// The terms of Regulation (EU) 2021/784, and two of the house.
const (
	TermFirstContact   TermKey = "first_contact"    // Art. 3(2): what the addressee is told before its first order
	TermRemoval        TermKey = "removal"          // Art. 3(3)
	TermOwnScrutiny    TermKey = "own_scrutiny"     // Art. 4(3)
	TermScrutinyAsk    TermKey = "scrutiny_ask"     // Art. 4(4): the window to ask
	TermScrutiny       TermKey = "scrutiny"         // Art. 4(4): to decide on a request
	TermSilence        TermKey = "non_disclosure"   // Art. 11(3)
	TermPreservation   TermKey = "preservation"     // Art. 6(2)
	TermComplaint      TermKey = "complaint"        // Art. 10(2)
	TermExposure       TermKey = "exposure"         // Art. 5(4)
	TermProviderReport TermKey = "provider_report"  // Art. 7(2)
	TermYearlyReport   TermKey = "yearly_report"    // Art. 8
	TermStateReport    TermKey = "state_report"     // Art. 21(1)
	TermEmergency      TermKey = "emergency_review" // ours: an override is reviewed (G32)
	TermThreat         TermKey = "threat_taken"     // ours: somebody takes a report of a threat to life (G32)
)

// TermKeys lists them in the order of the procedure.
var TermKeys = []TermKey{TermFirstContact, TermRemoval, TermOwnScrutiny, TermScrutinyAsk, TermScrutiny, TermSilence, TermPreservation, TermComplaint, TermExposure, TermProviderReport, TermYearlyReport, TermStateReport, TermEmergency, TermThreat}

// Span is a length of time as a law writes it, in one unit. Hours run on; days,
// weeks and months are of the calendar, in the zone of whoever is to act.
type Span struct {
	Hours  int `json:"hours,omitempty"`
	Days   int `json:"days,omitempty"`
	Weeks  int `json:"weeks,omitempty"`
	Months int `json:"months,omitempty"`
}

// YearDay is a day of every year by which something is due. Before leaves the day
// itself out: "before 1 March" ends with the last of February.
type YearDay struct {
	Month  int  `json:"month,omitempty"`
	Day    int  `json:"day,omitempty"`
	Before bool `json:"before,omitempty"`
}

// Term is a length of time that the law gives, as law/terms.json has it.
type Term struct {
	Key     TermKey     `json:"key"`
	Article string      `json:"article"`
	Length  Span        `json:"length,omitzero"`
	Each    YearDay     `json:"each,omitzero"`     // a day of every year, instead of a length
	Count   int         `json:"count,omitempty"`   // how many within the length make it (Art. 5(4): two final orders)
	Starts  string      `json:"starts"`            // what starts it, in words
	Stops   string      `json:"stops"`             // what ends it, in words
	Pauses  []TermPause `json:"pauses,omitempty"`  // alike in Anew, since several grounds may stand at once
	Longer  Span        `json:"longer,omitzero"`   // by how much it may be prolonged, once; zero for not at all
	Further bool        `json:"further,omitempty"` // to a moment that is named, while a ground stands, instead of Longer
	Least   bool        `json:"least,omitempty"`   // at least so long, as a notice is; else at most
	Window  bool        `json:"window,omitempty"`  // it lapses: whoever lets it pass has missed no duty
	Working bool        `json:"working,omitempty"` // a last day that is no working day gives way to the next that is
	Source  string      `json:"source"`
	Checked bool        `json:"checked,omitempty"` // read in a published copy of the text, which Source names; else it stands as it is remembered
	Note    string      `json:"note,omitempty"`    // what is read which way, and why
}

// TermPause is what stops a term for a while, and what starts it anew.
type TermPause struct {
	Why      ImpossibleReason `json:"why"`            // a reason of Annex III
	Until    string           `json:"until"`          // what starts it anew, in words
	Anew     bool             `json:"anew,omitempty"` // from its beginning; else where it stopped
	Evidence string           `json:"evidence"`       // the document that says so
}

// Calendar is what days are counted by: those of whoever is to act. The zero
// value is UTC without a public holiday; Saturdays and Sundays are off in each.
type Calendar struct {
	Zone *time.Location
	Off  func(year int, month time.Month, day int) bool // is it a public holiday
}

// spanMost bounds a span, in hours: a hundred years.
const spanMost = 100 * 366 * 24

// daysOffMost bounds how many days in a row may be off, so that a calendar in
// which every day is off leads nowhere rather than on and on.
const daysOffMost = 31

// hours is about how long the span is.
func (s Span) hours() int { return s.Hours + 24*s.Days + 7*24*s.Weeks + 31*24*s.Months }

func (s Span) check() error {
	units := 0
	for _, n := range []int{s.Hours, s.Days, s.Weeks, s.Months} {
		if n < 0 || n > spanMost {
			return fmt.Errorf("a length of %d is none: write a whole number up to a hundred years", n)
		}
		if n > 0 {
			units++
		}
	}
	if units != 1 || s.hours() > spanMost {
		return fmt.Errorf("a length has one unit of hours, days, weeks and months, and at most a hundred years: got %+v", s)
	}
	return nil
}

func (y YearDay) check() error {
	day := time.Date(2023, time.Month(y.Month), y.Day, 0, 0, 0, 0, time.UTC) // no leap year: the day is there in each
	if y.Month < 1 || y.Day < 1 || int(day.Month()) != y.Month || day.Day() != y.Day {
		return fmt.Errorf("%d-%d is no day of every year: write a month and a day, not 29 February", y.Month, y.Day)
	}
	return nil
}

// Check says what is wrong with a term as data: the clock runs on no other.
func (t Term) Check() error {
	var wrong error
	switch {
	case !slices.Contains(TermKeys, t.Key):
		wrong = fmt.Errorf("there is no such term; the terms are %v", TermKeys)
	case t.Article == "" || t.Starts == "" || t.Stops == "" || t.Source == "":
		wrong = fmt.Errorf("article, starts, stops and source are each to be written")
	case t.Each != YearDay{} && t.Length != Span{}:
		wrong = fmt.Errorf("it has both a length and a day of the year: one of them")
	case t.Each != YearDay{}:
		wrong = t.Each.check()
	default:
		wrong = t.Length.check()
	}
	if wrong == nil && t.Longer != (Span{}) {
		wrong = t.Longer.check()
	}
	switch {
	case wrong != nil:
	case t.Further && t.Longer != Span{}, t.Least && t.Window, t.Count < 0, t.Working && t.Length.Hours > 0, t.Working && t.Each != YearDay{}:
		wrong = fmt.Errorf("further with longer, least with window, a negative count, and working with hours or with a day of the year do not go together")
	default:
		for i, p := range t.Pauses {
			if !slices.Contains(ImpossibleReasons, p.Why) || p.Until == "" || p.Evidence == "" || p.Anew != t.Pauses[0].Anew || t.pause(p.Why) != i {
				wrong = fmt.Errorf("pause %q: each reason of %v stands once, with until and evidence, and all run anew or none does", p.Why, ImpossibleReasons)
			}
		}
	}
	if wrong != nil {
		return fmt.Errorf("term %q: %w", t.Key, wrong)
	}
	return nil
}

// pause is the place of the ground among those that stop the term, -1 for none.
func (t Term) pause(why ImpossibleReason) int {
	return slices.IndexFunc(t.Pauses, func(p TermPause) bool { return p.Why == why })
}

// Ends is the last moment of a period that begins with an event at from, by
// Regulation (EEC, Euratom) No 1182/71 Art. 3, with two exceptions.
//
// Hours are of 60 minutes that passed, whatever the clocks on the walls did in
// between. Art. 3(1) does not count the hour in which the event falls: read so,
// an hour from 10:20 ends at 12:00. Concert counts the shorter way, to 11:20,
// since Art. 3(3) of Regulation (EU) 2021/784 says "within one hour of receipt":
// who acts within 60 minutes is in time on either reading, and who is told of the
// longer one may find that a court did not share it. A miss by this count is thus
// a fact, not yet a finding against anybody.
//
// Days, weeks and months are counted by the calendar. The day of the event is not
// counted (Art. 3(1)); a period ends with the last hour of its last day, that of
// the same name or date, or with the month where it has no such date (Art.
// 3(2)(b), (c)). If working is set, a last day that is a public holiday, a Sunday
// or a Saturday gives way to the next working day (Art. 3(4)), and two days or
// more hold two working days at least (Art. 3(5)). It is a matter of the term,
// since a limit on secrecy is kept by whoever ends it early.
//
// The result is the last microsecond that is in time, the resolution in which
// times are kept: a page shows the day that the law means.
func (s Span) Ends(from time.Time, cal Calendar, working bool) time.Time {
	if s.Days == 0 && s.Weeks == 0 && s.Months == 0 {
		return from.Add(time.Duration(min(max(s.Hours, 0), spanMost)) * time.Hour)
	}
	event := civil(from.In(cal.zone()))
	last := addMonths(event, s.Months).AddDate(0, 0, s.Days+7*s.Weeks)
	if working {
		last = cal.settled(event.AddDate(0, 0, 1), last)
	}
	return lastOf(last, cal.zone())
}

func (c Calendar) zone() *time.Location {
	if c.Zone == nil {
		return time.UTC
	}
	return c.Zone
}

// works reports whether the day, a midnight in UTC, is a working day.
func (c Calendar) works(day time.Time) bool {
	if w := day.Weekday(); w == time.Saturday || w == time.Sunday {
		return false
	}
	return c.Off == nil || !c.Off(day.Date())
}

// settled is the day with which a period from first to last ends, both in.
func (c Calendar) settled(first, last time.Time) time.Time {
	nominal := last
	for range daysOffMost {
		if c.works(last) {
			break
		}
		last = last.AddDate(0, 0, 1)
	}
	if !nominal.After(first) {
		return last // a single day
	}
	for day, found := first, 0; found < 2 && day.Before(first.AddDate(0, 0, 2*daysOffMost)); day = day.AddDate(0, 0, 1) {
		if !c.works(day) {
			continue
		}
		if found++; found == 2 && day.After(last) {
			last = day
		}
	}
	return last
}

// civil is the day of a time as a midnight in UTC, where days can be added up.
func civil(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

func addMonths(day time.Time, n int) time.Time {
	y, m, d := day.Date()
	first := time.Date(y, m+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	return first.AddDate(0, 0, min(d, first.AddDate(0, 1, -1).Day())-1)
}

// lastOf is the last microsecond of a day in the zone. In the Azores the clocks
// change at midnight, so that a day may begin at one, or have two midnights, of
// which the first ends the day before.
func lastOf(day time.Time, zone *time.Location) time.Time {
	y, m, d := day.AddDate(0, 0, 1).Date()
	next := time.Date(y, m, d, 0, 0, 0, 0, zone)
	if next.Day() != d {
		next = next.Add(time.Hour)
	}
	if earlier := next.Add(-time.Hour); earlier.Day() == d {
		next = earlier
	}
	return next.Add(-time.Microsecond)
}

// ends is the last moment of the term that begins at from.
func (t Term) ends(from time.Time, cal Calendar) time.Time {
	if t.Each != (YearDay{}) {
		return t.Each.next(from, cal)
	}
	return t.Length.Ends(from, cal, t.Working)
}

func (y YearDay) next(now time.Time, cal Calendar) time.Time {
	year := now.In(cal.zone()).Year()
	if last := y.in(year, cal); !now.After(last) {
		return last
	}
	return y.in(year+1, cal)
}

func (y YearDay) in(year int, cal Calendar) time.Time {
	day := time.Date(year, time.Month(y.Month), y.Day, 0, 0, 0, 0, time.UTC)
	if y.Before {
		day = day.AddDate(0, 0, -1)
	}
	return lastOf(day, cal.zone())
}

// NextReport is when the next report under a yearly term is due: the last moment
// of its day, in the zone of whoever reports. A date that the law names is no
// period, so that no weekend moves it.
func NextReport(t Term, now time.Time, cal Calendar) (time.Time, error) {
	if err := t.Check(); err != nil {
		return time.Time{}, err
	}
	if t.Each == (YearDay{}) {
		return time.Time{}, fmt.Errorf("term %q is due on no day of the year: ask for %s, %s or %s", t.Key, TermProviderReport, TermYearlyReport, TermStateReport)
	}
	return t.Each.next(now, cal), nil
}

// Counted is how many of what happened at the times lie within the term's length
// before now, and whether that is as many as the term asks: two orders that became
// final in the last twelve months (Art. 5(4)). What happened counts to the end of
// its day a length later. A period that is counted back knows no working day.
func (t Term) Counted(times []time.Time, now time.Time, cal Calendar) (n int, reached bool) {
	for _, at := range times {
		if !at.After(now) && !now.After(t.Length.Ends(at, cal, false)) {
			n++
		}
	}
	return n, t.Count > 0 && n >= t.Count
}

// String writes the span in words: "6 weeks".
func (s Span) String() string {
	var parts []string
	for _, u := range []struct {
		n    int
		name string
	}{{s.Months, "month"}, {s.Weeks, "week"}, {s.Days, "day"}, {s.Hours, "hour"}} {
		switch {
		case u.n == 1:
			parts = append(parts, "1 "+u.name)
		case u.n != 0:
			parts = append(parts, fmt.Sprintf("%d %ss", u.n, u.name))
		}
	}
	return strings.Join(parts, " ")
}
