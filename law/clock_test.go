package law_test

import (
	"errors"
	"testing"
	"time"

	"concert"
	"concert/law"
)

func readBook(t *testing.T) law.Book {
	t.Helper()
	b, err := law.Read()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func termOf(t *testing.T, key concert.TermKey) concert.Term {
	t.Helper()
	term, err := readBook(t).Term(key)
	if err != nil {
		t.Fatal(err)
	}
	return term
}

func calendarOf(t *testing.T, state string) concert.Calendar {
	t.Helper()
	cal, err := readBook(t).Calendar(state)
	if err != nil {
		t.Fatal(err)
	}
	return cal
}

// at is a time on the walls of Madrid; one that is there twice is written with its offset.
func at(t *testing.T, text string) time.Time {
	t.Helper()
	if tm, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return tm
	}
	tm, err := time.ParseInLocation("2006-01-02 15:04:05", text, calendarOf(t, "ES").Zone)
	if err != nil {
		t.Fatal(err)
	}
	return tm
}

func begun(t *testing.T, key concert.TermKey, start time.Time) concert.Deadline {
	t.Helper()
	d, err := concert.Begin("EXERCISE", termOf(t, key), concert.TermStart{At: start, Evidence: "EXERCISE receipt"}, calendarOf(t, "ES"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func refusedAs(t *testing.T, err error, code string) {
	t.Helper()
	var refusal *concert.Error
	if !errors.As(err, &refusal) || refusal.Code != code {
		t.Errorf("refused with %v, want %s", err, code)
	}
}

// lastMoment is how times that end a day look.
const lastMoment = 999999 * time.Microsecond

// One row for each row of the clock table, plain and across the changes of the clocks on 29 March and 25 October 2026.
func TestG11EveryTermEndsWhenTheLawSays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		key        concert.TermKey
		start, end string // on the walls of Madrid
		day        bool   // it ends with the last microsecond of that second
	}{
		{concert.TermFirstContact, "2026-11-23 20:00:00", "2026-11-24 08:00:00", false},
		{concert.TermFirstContact, "2026-03-28 20:00:00", "2026-03-29 09:00:00", false}, // an hour is left out that night
		{concert.TermFirstContact, "2026-10-24 20:00:00", "2026-10-25 07:00:00", false}, // an hour is there twice
		{concert.TermRemoval, "2026-11-23 10:20:00", "2026-11-23 11:20:00", false},
		{concert.TermRemoval, "2026-12-25 23:40:00", "2026-12-26 00:40:00", false}, // hours know no holiday
		{concert.TermRemoval, "2026-03-29 01:30:00", "2026-03-29 03:30:00", false},
		{concert.TermRemoval, "2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00", false}, // the walls show the same again
		{concert.TermOwnScrutiny, "2026-11-23 10:20:00", "2026-11-26 10:20:00", false},
		{concert.TermOwnScrutiny, "2026-03-27 18:00:00", "2026-03-30 19:00:00", false},
		{concert.TermOwnScrutiny, "2026-10-23 18:00:00", "2026-10-26 17:00:00", false},
		{concert.TermScrutinyAsk, "2026-11-23 10:20:00", "2026-11-25 10:20:00", false},
		{concert.TermScrutinyAsk, "2026-03-28 10:20:00", "2026-03-30 11:20:00", false},
		{concert.TermScrutinyAsk, "2026-11-20 18:00:00", "2026-11-22 18:00:00", false}, // over a weekend
		{concert.TermScrutiny, "2026-11-23 10:20:00", "2026-11-26 10:20:00", false},
		{concert.TermScrutiny, "2026-10-24 12:00:00", "2026-10-27 11:00:00", false},
		{concert.TermSilence, "2026-11-23 10:20:00", "2027-01-04 23:59:59", true},
		{concert.TermSilence, "2026-02-21 23:30:00", "2026-04-04 23:59:59", true}, // a Saturday: it lapses on it
		{concert.TermSilence, "2026-10-20 00:00:00", "2026-12-01 23:59:59", true},
		{concert.TermPreservation, "2026-11-23 10:20:00", "2027-05-24 23:59:59", true}, // 23 May 2027 is a Sunday
		{concert.TermPreservation, "2026-08-31 10:20:00", "2027-03-01 23:59:59", true}, // no 31 February, and the 28th is a Sunday
		{concert.TermPreservation, "2026-06-24 10:20:00", "2026-12-24 23:59:59", true},
		{concert.TermPreservation, "2026-06-25 10:20:00", "2026-12-28 23:59:59", true}, // Christmas, then a weekend
		{concert.TermPreservation, "2026-04-12 09:00:00", "2026-10-13 23:59:59", true}, // the national day
		{concert.TermComplaint, "2026-11-23 10:20:00", "2026-12-07 23:59:59", true},
		{concert.TermComplaint, "2026-03-20 10:20:00", "2026-04-06 23:59:59", true}, // Good Friday and its weekend; Easter Monday is worked in Spain
		{concert.TermComplaint, "2026-11-24 10:20:00", "2026-12-09 23:59:59", true}, // 8 December
		{concert.TermExposure, "2026-11-23 10:20:00", "2027-11-23 23:59:59", true},
		{concert.TermExposure, "2028-02-29 10:20:00", "2029-02-28 23:59:59", true},
		{concert.TermProviderReport, "2026-11-23 10:20:00", "2027-02-28 23:59:59", true}, // a Sunday, since a date is no period
		{concert.TermProviderReport, "2028-01-01 00:00:00", "2028-02-29 23:59:59", true},
		{concert.TermProviderReport, "2027-03-01 00:00:00", "2028-02-29 23:59:59", true},
		{concert.TermYearlyReport, "2026-11-23 10:20:00", "2026-12-31 23:59:59", true},
		{concert.TermStateReport, "2026-11-23 10:20:00", "2027-03-31 23:59:59", true},
		{concert.TermStateReport, "2027-03-31 23:59:59", "2027-03-31 23:59:59", true}, // summer time since the 28th
		{concert.TermEmergency, "2026-10-24 12:00:00", "2026-10-26 11:00:00", false},
		{concert.TermThreat, "2026-10-25 00:30:00", "2026-10-25 01:30:00", false},
	} {
		want := at(t, c.end)
		if c.day {
			want = want.Add(lastMoment)
		}
		d := begun(t, c.key, at(t, c.start))
		if !d.DueAt.Equal(want) {
			t.Errorf("%s from %s ends at %s, want %s", c.key, c.start, d.DueAt.In(want.Location()), want)
		}
		if early, fell := d.Fell(want); fell {
			t.Errorf("%s: its last moment is no longer in time: %+v", c.key, early)
		}
	}
}

func TestG10NoOrderWithinTwelveHoursOfTheFirstNotice(t *testing.T) {
	t.Parallel()
	notice := at(t, "2026-03-28 20:00:00")
	d := begun(t, concert.TermFirstContact, notice)
	for _, early := range []time.Time{notice, at(t, "2026-03-29 08:00:00"), at(t, "2026-03-29 08:59:59"), notice.Add(-time.Hour)} {
		if after, err := d.Met(early); err == nil || after != d {
			t.Errorf("an order at %s is let through", early)
		} else {
			refusedAs(t, err, "deadline.too_early")
		}
	}
	for _, late := range []time.Time{at(t, "2026-03-29 09:00:00"), at(t, "2026-04-29 09:00:00")} {
		if after, err := d.Met(late); err != nil || after.State != concert.DeadlineMet {
			t.Errorf("an order at %s: %+v, %v", late, after, err)
		}
	}
	if after, fell := d.Fell(at(t, "2026-04-29 09:00:00")); fell || after.State != concert.DeadlineRunning {
		t.Errorf("a notice is missed by waiting: %+v", after)
	}
	if void, err := d.Voided("EXERCISE emergency: an attack is announced for tonight"); err != nil || void.State != concert.DeadlineVoid || void.Why == "" {
		t.Errorf("in an emergency: %+v, %v", void, err)
	}
	_, err := d.Voided(" ")
	refusedAs(t, err, "deadline.void")
}

// Art. 3(7) and 3(8): the hour runs anew from the moment at which the last ground ceased.
func TestG11TheHourRunsAnew(t *testing.T) {
	t.Parallel()
	term, cal := termOf(t, concert.TermRemoval), calendarOf(t, "ES")
	for _, why := range concert.ImpossibleReasons {
		d := begun(t, concert.TermRemoval, at(t, "2026-10-25T02:10:00+02:00"))
		d, err := d.Paused(term, why, at(t, "2026-10-25T02:55:00+02:00"))
		if err != nil || d.State != concert.DeadlinePaused || d.Left(at(t, "2026-10-25T02:56:00+02:00")) != 0 {
			t.Fatalf("%s: %+v, %v", why, d, err)
		}
		if late, fell := d.Fell(at(t, "2026-10-26 09:00:00")); fell {
			t.Errorf("%s: it runs out while it is paused: %+v", why, late)
		}
		d, err = d.Resumed(term, why, concert.TermStart{At: at(t, "2026-10-25T02:20:00+01:00"), Evidence: "EXERCISE clarification"}, cal)
		if err != nil || d.State != concert.DeadlineRunning || !d.DueAt.Equal(at(t, "2026-10-25 03:20:00")) || d.Evidence != "EXERCISE clarification" || !d.PausedAt.IsZero() {
			t.Errorf("%s: %+v, %v", why, d, err)
		}
	}
	d := begun(t, concert.TermRemoval, at(t, "2026-11-23 10:00:00"))
	for _, why := range concert.ImpossibleReasons {
		var err error
		if d, err = d.Paused(term, why, at(t, "2026-11-23 10:30:00")); err != nil {
			t.Fatal(err)
		}
	}
	for i, why := range concert.ImpossibleReasons {
		var err error
		when := at(t, "2026-11-23 12:00:00").Add(time.Duration(i) * time.Hour)
		d, err = d.Resumed(term, why, concert.TermStart{At: when, Evidence: "EXERCISE"}, cal)
		last := i == len(concert.ImpossibleReasons)-1
		if err != nil || (d.State == concert.DeadlineRunning) != last {
			t.Errorf("after %s: %+v, %v", why, d, err)
		}
	}
	if want := at(t, "2026-11-23 15:00:00"); !d.DueAt.Equal(want) {
		t.Errorf("three grounds, the last until 14:00: it ends at %s, want %s", d.DueAt, want)
	}
}

// Only what the law names stops a clock: nothing but the hour has a pause.
func TestG11NothingElsePauses(t *testing.T) {
	t.Parallel()
	for _, key := range concert.TermKeys {
		d := begun(t, key, at(t, "2026-11-23 10:00:00"))
		_, err := d.Paused(termOf(t, key), concert.ImpossibleForce, at(t, "2026-11-23 10:01:00"))
		if key == concert.TermRemoval {
			if err != nil {
				t.Errorf("%s: %v", key, err)
			}
			continue
		}
		refusedAs(t, err, "deadline.ground")
	}
}

// A node that was down when the hour ended finds what one that was up would have found, gives each alarm once, and lets evidence
// that lay in the mail meanwhile decide.
func TestG11ANodeThatWasDown(t *testing.T) {
	t.Parallel()
	term, cal := termOf(t, concert.TermRemoval), calendarOf(t, "ES")
	d := begun(t, concert.TermRemoval, at(t, "2026-11-23 10:00:00"))
	back := at(t, "2026-11-23 14:00:00")
	missed, fell := d.Fell(back)
	if !fell || missed.State != concert.DeadlineMissed || missed.Why != concert.DeadlineSilent || !missed.DueAt.Equal(d.DueAt) {
		t.Fatalf("after the night: %+v", missed)
	}
	told, alarms := missed.Alarmed(back)
	if len(alarms) != 3 {
		t.Errorf("alarms %v, want each once", alarms)
	}
	if _, again := told.Alarmed(back.Add(time.Hour)); again != nil {
		t.Errorf("alarms again: %v", again)
	}
	if met, err := missed.Met(at(t, "2026-11-23 10:59:59")); err != nil || met.State != concert.DeadlineMet || met.Why != "" {
		t.Errorf("a removal in time, told late: %+v, %v", met, err)
	}
	late, err := missed.Met(at(t, "2026-11-23 11:00:01"))
	if err != nil || late.State != concert.DeadlineMissed || late.Why != concert.DeadlineLate || late.MetAt.IsZero() {
		t.Errorf("a late removal: %+v, %v", late, err)
	}
	if _, quiet := late.Alarmed(back); quiet != nil {
		t.Errorf("alarms for what is done: %v", quiet)
	}
	paused, err := late.Paused(term, concert.ImpossibleForce, at(t, "2026-11-23 10:30:00"))
	if err != nil || paused.State != concert.DeadlinePaused {
		t.Fatalf("a ground that stood before the end, told late: %+v, %v", paused, err)
	}
	if excused, err := paused.Resumed(term, concert.ImpossibleForce, concert.TermStart{At: at(t, "2026-11-23 10:45:00"), Evidence: "EXERCISE"}, cal); err != nil || excused.State != concert.DeadlineMet {
		t.Errorf("the late removal lies within the new hour: %+v, %v", excused, err)
	}
	_, err = missed.Paused(term, concert.ImpossibleForce, at(t, "2026-11-23 11:00:01"))
	refusedAs(t, err, "deadline.ground_late")
}

func TestG11ClocksThatJump(t *testing.T) {
	t.Parallel()
	term, cal := termOf(t, concert.TermRemoval), calendarOf(t, "ES")
	issued := at(t, "2026-11-23 10:00:00")
	_, err := concert.Begin("EXERCISE", term, concert.TermStart{At: issued.Add(-time.Millisecond), Evidence: "EXERCISE", Issued: issued}, cal)
	refusedAs(t, err, "deadline.before_issue")
	_, err = concert.Begin("EXERCISE", term, concert.TermStart{At: issued}, cal)
	refusedAs(t, err, "deadline.evidence")

	d := begun(t, concert.TermRemoval, issued)
	if left := d.Left(issued.Add(-10 * time.Hour)); left != time.Hour {
		t.Errorf("ten hours before its start %s are left, want the whole hour", left)
	}
	if left := d.Left(issued.Add(10 * time.Hour)); left != 0 {
		t.Errorf("long after its end %s are left", left)
	}
	d, alarms := d.Alarmed(issued.Add(52 * time.Minute))
	if len(alarms) != 2 {
		t.Errorf("eight minutes before the end: %v", alarms)
	}
	if due, next := d.Alarms(issued.Add(-time.Hour)); due != nil || !next.Equal(d.DueAt) {
		t.Errorf("the clock was set back: %v, next %s", due, next)
	}
	missed, _ := d.Fell(d.DueAt.Add(1))
	if again, fell := missed.Fell(issued); fell || again != missed {
		t.Errorf("the clock was set back, and what was missed is %+v", again)
	}
	paused, err := d.Paused(term, concert.ImpossibleErrors, issued.Add(30*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	resumed, err := paused.Resumed(term, concert.ImpossibleErrors, concert.TermStart{At: issued.Add(29 * time.Minute), Evidence: "EXERCISE"}, cal)
	if err != nil || !resumed.StartedAt.Equal(issued.Add(30*time.Minute)) {
		t.Errorf("a clarification by a clock that is behind: %+v, %v", resumed, err)
	}
}

// The clock of a deployment has no leap second. One that smears it is behind by up to half a second around that night, and what
// it says is taken as it is.
func TestG11LeapSeconds(t *testing.T) {
	t.Parallel()
	if _, err := concert.ParseTime("2016-12-31T23:59:60.000Z"); err == nil {
		t.Error("a time that the deployment's clock cannot show is taken")
	}
	start := at(t, "2016-12-31T23:30:00Z")
	d := begun(t, concert.TermRemoval, start)
	if want := at(t, "2017-01-01T00:30:00Z"); !d.DueAt.Equal(want) {
		t.Errorf("the hour with the leap second ends at %s, want %s", d.DueAt, want)
	}
	smeared := func(since time.Duration) time.Time { // 86401 seconds are shown as 86400
		return start.Add(since - time.Duration(float64(since)/86401))
	}
	if met, err := d.Met(smeared(time.Hour)); err != nil || met.State != concert.DeadlineMet {
		t.Errorf("an hour later by a smeared clock: %+v, %v", met, err)
	}
	for moved, want := range map[time.Duration]concert.DeadlineState{-time.Microsecond: concert.DeadlineMet, 0: concert.DeadlineMet, time.Microsecond: concert.DeadlineMissed, 42 * time.Millisecond: concert.DeadlineMissed} {
		if met, err := d.Met(d.DueAt.Add(moved)); err != nil || met.State != want {
			t.Errorf("%s past the end: %+v, %v; no tolerance is made up", moved, met, err)
		}
	}
}

// Art. 11(3): the silence lapses by itself after six weeks, prolonged once by six at most, with a reason.
func TestG14SilenceLapsesAfterSixWeeks(t *testing.T) {
	t.Parallel()
	term, cal := termOf(t, concert.TermSilence), calendarOf(t, "ES")
	d := begun(t, concert.TermSilence, at(t, "2026-02-20 15:00:00"))
	end := at(t, "2026-04-03 23:59:59").Add(lastMoment) // Good Friday, and summer time has begun
	if !d.DueAt.Equal(end) {
		t.Fatalf("it ends at %s, want %s", d.DueAt, end)
	}
	if still, fell := d.Fell(end); fell {
		t.Errorf("at its last moment: %+v", still)
	}
	lapsed, fell := d.Fell(end.Add(time.Microsecond))
	if !fell || lapsed.State != concert.DeadlineLapsed {
		t.Errorf("after it: %+v", lapsed)
	}
	const reason = "EXERCISE: the search of the second flat is still to come"
	for _, c := range []struct {
		d         concert.Deadline
		at, until time.Time
		reason    string
		code      string
	}{
		{lapsed, end.Add(time.Hour), time.Time{}, reason, "deadline.move"},
		{d, end.Add(time.Hour), time.Time{}, reason, "deadline.over"},
		{d, end, time.Time{}, "because", "deadline.reason"},
		{d, end, end, reason, "deadline.longer"},
		{d, end, at(t, "2026-05-16 00:00:00"), reason, "deadline.longest"},
		{d, time.Time{}, time.Time{}, reason, "deadline.at"},
	} {
		_, err := c.d.Prolonged(term, c.at, c.until, c.reason, cal)
		refusedAs(t, err, c.code)
	}
	longer, err := d.Prolonged(term, end, time.Time{}, reason, cal)
	if err != nil || !longer.DueAt.Equal(at(t, "2026-05-15 23:59:59").Add(lastMoment)) || longer.Extension != reason || longer.State != concert.DeadlineRunning {
		t.Errorf("prolonged: %+v, %v", longer, err)
	}
	_, err = longer.Prolonged(term, end, time.Time{}, reason, cal)
	refusedAs(t, err, "deadline.prolonged")

	start := concert.TermStart{At: at(t, "2026-02-20 15:00:00"), Evidence: "EXERCISE decision", Until: at(t, "2026-03-01 12:00:00")}
	if short, err := concert.Begin("EXERCISE", term, start, cal); err != nil || !short.DueAt.Equal(start.Until) {
		t.Errorf("a shorter silence: %+v, %v", short, err)
	}
	start.Until = end.Add(time.Second)
	_, err = concert.Begin("EXERCISE", term, start, cal)
	refusedAs(t, err, "deadline.until")
	for _, key := range []concert.TermKey{concert.TermRemoval, concert.TermComplaint, concert.TermScrutiny} {
		_, err := begun(t, key, at(t, "2026-11-23 10:00:00")).Prolonged(termOf(t, key), at(t, "2026-11-23 10:01:00"), time.Time{}, reason, cal)
		refusedAs(t, err, "deadline.no_longer")
	}
}

// Art. 6(2): nothing is erased before six months, nor while a review lasts for which they were prolonged.
func TestG22PreservationLastsSixMonths(t *testing.T) {
	t.Parallel()
	term, cal := termOf(t, concert.TermPreservation), calendarOf(t, "ES")
	d := begun(t, concert.TermPreservation, at(t, "2026-06-25 10:20:00"))
	end := at(t, "2026-12-28 23:59:59").Add(lastMoment)
	_, err := d.Met(end.Add(-time.Microsecond))
	refusedAs(t, err, "deadline.too_early")
	if erased, err := d.Met(end.Add(time.Hour)); err != nil || erased.State != concert.DeadlineMet {
		t.Errorf("erased after its end: %+v, %v", erased, err)
	}
	if over, fell := d.Fell(end.Add(time.Hour)); fell {
		t.Errorf("nobody misses to erase: %+v", over)
	}
	const reason = "EXERCISE: appeal 12/2026 is pending"
	_, err = d.Prolonged(term, end, time.Time{}, reason, cal)
	refusedAs(t, err, "deadline.longer")
	for _, until := range []string{"2027-03-31 23:59:59", "2027-09-30 23:59:59"} { // as often as the ground stands
		if d, err = d.Prolonged(term, d.DueAt, at(t, until), reason, cal); err != nil || !d.DueAt.Equal(at(t, until)) {
			t.Errorf("prolonged to %s: %+v, %v", until, d, err)
		}
	}
	_, err = d.Met(end.Add(time.Hour))
	refusedAs(t, err, "deadline.too_early")
}

func TestG32AnUnreviewedEmergencyIsMissed(t *testing.T) {
	t.Parallel()
	d := begun(t, concert.TermEmergency, at(t, "2026-03-28 10:00:00"))
	end := at(t, "2026-03-30 11:00:00")
	if due, next := d.Alarms(end.Add(-31 * time.Minute)); due != nil || !next.Equal(end.Add(-30*time.Minute)) {
		t.Errorf("31 minutes before: %v, next %s", due, next)
	}
	if missed, fell := d.Fell(end.Add(1)); !fell || missed.State != concert.DeadlineMissed {
		t.Errorf("after 48 hours: %+v", missed)
	}
	if met, err := d.Met(end); err != nil || met.State != concert.DeadlineMet {
		t.Errorf("reviewed with the last moment: %+v, %v", met, err)
	}
}

// Art. 5(4): two orders that became final in the last twelve months.
func TestTwoFinalOrdersInTwelveMonths(t *testing.T) {
	t.Parallel()
	term, cal := termOf(t, concert.TermExposure), calendarOf(t, "ES")
	finals := []time.Time{at(t, "2025-10-25 12:00:00"), at(t, "2026-03-29 12:00:00"), at(t, "2026-12-01 12:00:00")}
	for _, c := range []struct {
		now     string
		n       int
		reached bool
	}{
		{"2026-03-29 11:59:59", 1, false},
		{"2026-03-29 12:00:00", 2, true},
		{"2026-10-25 23:59:59", 2, true}, // to the end of its day
		{"2026-10-26 00:00:00", 1, false},
		{"2026-12-01 12:00:00", 2, true},
		{"2027-03-30 00:00:00", 1, false},
		{"2028-01-01 00:00:00", 0, false},
	} {
		if n, reached := term.Counted(finals, at(t, c.now), cal); n != c.n || reached != c.reached {
			t.Errorf("at %s: %d, reached %v", c.now, n, reached)
		}
	}
}

func TestReportsAreDueEachYear(t *testing.T) {
	t.Parallel()
	cal := calendarOf(t, "ES")
	for _, c := range []struct {
		key        concert.TermKey
		now, until string
	}{
		{concert.TermProviderReport, "2027-02-28 23:59:59", "2027-02-28 23:59:59"},
		{concert.TermProviderReport, "2027-03-01 00:00:00", "2028-02-29 23:59:59"},
		{concert.TermStateReport, "2027-03-31 12:00:00", "2027-03-31 23:59:59"},
		{concert.TermStateReport, "2027-04-01 00:00:00", "2028-03-31 23:59:59"},
		{concert.TermYearlyReport, "2027-01-01 00:00:00", "2027-12-31 23:59:59"},
	} {
		if got, err := concert.NextReport(termOf(t, c.key), at(t, c.now), cal); err != nil || !got.Equal(at(t, c.until).Add(lastMoment)) {
			t.Errorf("%s at %s: %s, %v", c.key, c.now, got, err)
		}
	}
	last := at(t, "2027-03-31 23:59:59").Add(lastMoment)
	if got, err := concert.NextReport(termOf(t, concert.TermStateReport), last, cal); err != nil || !got.Equal(last) {
		t.Errorf("at its last moment: %s, %v", got, err)
	}
	if _, err := concert.NextReport(termOf(t, concert.TermRemoval), at(t, "2027-01-01 00:00:00"), cal); err == nil {
		t.Error("a removal is a report")
	}
}
