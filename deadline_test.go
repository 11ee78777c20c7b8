package concert_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"concert"
)

// Terms of the shapes that the law knows; the law's own stand in law/, which the root does not read.
var (
	dutyTerm = concert.Term{Key: concert.TermRemoval, Article: "EXERCISE", Length: concert.Span{Hours: 1}, Starts: "a", Stops: "b", Source: "c",
		Pauses: []concert.TermPause{
			{Why: concert.ImpossibleForce, Until: "d", Anew: true, Evidence: "e"},
			{Why: concert.ImpossibleErrors, Until: "d", Anew: true, Evidence: "e"},
		}}
	windowTerm = concert.Term{Key: concert.TermSilence, Article: "EXERCISE", Length: concert.Span{Weeks: 6}, Longer: concert.Span{Weeks: 6}, Window: true, Starts: "a", Stops: "b", Source: "c"}
	leastTerm  = concert.Term{Key: concert.TermPreservation, Article: "EXERCISE", Length: concert.Span{Months: 6}, Least: true, Further: true, Working: true, Starts: "a", Stops: "b", Source: "c"}
	onTerm     = concert.Term{Key: concert.TermComplaint, Article: "EXERCISE", Length: concert.Span{Days: 5}, Working: true, Starts: "a", Stops: "b", Source: "c",
		Pauses: []concert.TermPause{
			{Why: concert.ImpossibleForce, Until: "d", Evidence: "e"},
			{Why: concert.ImpossibleErrors, Until: "d", Evidence: "e"},
		}}
)

func begin(t testing.TB, term concert.Term, at time.Time) concert.Deadline {
	t.Helper()
	d, err := concert.Begin("o", term, concert.TermStart{At: at, Evidence: "EXERCISE"}, concert.Calendar{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// reach is a deadline in the state, with the term that leads there, by the rules alone.
func reach(t testing.TB, s concert.DeadlineState) (concert.Deadline, concert.Term) {
	t.Helper()
	term := dutyTerm
	if s == concert.DeadlineLapsed {
		term = windowTerm
	}
	d, err := begin(t, term, noon), error(nil)
	switch s {
	case concert.DeadlinePaused:
		d, err = d.Paused(term, concert.ImpossibleForce, noon)
	case concert.DeadlineMet:
		d, err = d.Met(noon)
	case concert.DeadlineMissed, concert.DeadlineLapsed:
		d, _ = d.Fell(d.DueAt.Add(1))
	case concert.DeadlineVoid:
		d, err = d.Voided("EXERCISE")
	}
	if err != nil || d.State != s {
		t.Fatalf("no way to %s: %+v, %v", s, d, err)
	}
	return d, term
}

// moved makes the move on the deadline through its rule; ok is false where the rule refuses or finds nothing to do.
func moved(d concert.Deadline, term concert.Term, m concert.DeadlineMove) (next concert.Deadline, ok bool) {
	var err error
	late := d.DueAt.Add(time.Hour)
	switch m {
	case concert.MovePause:
		next, err = d.Paused(term, concert.ImpossibleErrors, noon)
	case concert.MoveResume:
		next, err = d.Resumed(term, concert.ImpossibleForce, concert.TermStart{At: noon, Evidence: "EXERCISE"}, concert.Calendar{})
	case concert.MoveProlong:
		term.Longer = concert.Span{Weeks: 1}
		next, err = d.Prolonged(term, noon, time.Time{}, "EXERCISE reason", concert.Calendar{})
	case concert.MoveMeet:
		next, err = d.Met(noon)
	case concert.MoveFollow:
		if d.State == concert.DeadlinePaused || d.State == concert.DeadlineRunning {
			return d, false // while it is paused nothing is late, and what runs falls first
		}
		next, err = d.Met(late)
	case concert.MoveMiss, concert.MoveLapse:
		if d.Window != (m == concert.MoveLapse) {
			return d, false
		}
		return d.Fell(late)
	case concert.MoveVoid:
		next, err = d.Voided("EXERCISE")
	}
	return next, err == nil
}

func TestDeadlinesMoveByTheTable(t *testing.T) {
	t.Parallel()
	for _, from := range concert.DeadlineStates {
		for _, m := range concert.DeadlineMoves {
			d, term := reach(t, from)
			if m == concert.MoveLapse && from == concert.DeadlineRunning {
				d, term = begin(t, windowTerm, noon), windowTerm
			}
			if m == concert.MovePause && from == concert.DeadlineLapsed {
				continue // no window of the law has a pause
			}
			to, err := from.After(m)
			next, ok := moved(d, term, m)
			if ok != (err == nil) || ok && next.State != to {
				t.Errorf("%s %s: the rule gives %s (%v), the table %s (%v)", from, m, next.State, ok, to, err)
			}
			if err != nil {
				var refusal *concert.Error
				if !errors.As(err, &refusal) || refusal.Kind != concert.Conflict || !ok && next != d {
					t.Errorf("%s %s is refused with %v and leaves %+v", from, m, err, next)
				}
			}
		}
	}
	if _, err := concert.DeadlineState("unheard").After(concert.MoveMeet); err == nil {
		t.Error("an unknown state moves")
	}
}

// drawDeadlines draws the table of legal clocks.
func drawDeadlines(b *bytes.Buffer) {
	b.WriteString("```\n\n## Legal clocks\n\nA row is where a deadline stands, a column what happens; an empty cell is refused. `meet` is in time, `follow` is late; a window lapses where a duty is missed.\nEvidence that arrives late may still show that a deadline was met in time, or that a ground of Annex III stood before its end.\n\n|  |")
	for _, m := range concert.DeadlineMoves {
		fmt.Fprintf(b, " %s |", m)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(concert.DeadlineMoves)) + "\n")
	for _, s := range concert.DeadlineStates {
		fmt.Fprintf(b, "| **%s** |", s)
		for _, m := range concert.DeadlineMoves {
			next, err := s.After(m)
			if err != nil {
				next = ""
			}
			fmt.Fprintf(b, " %s |", next)
		}
		b.WriteString("\n")
	}
	b.WriteString("\n```mermaid\nstateDiagram-v2\n    [*] --> running: evidence of the start\n")
	for _, s := range concert.DeadlineStates {
		for _, m := range concert.DeadlineMoves {
			if next, err := s.After(m); err == nil && next != s {
				fmt.Fprintf(b, "    %s --> %s: %s\n", s, next, m)
			}
		}
	}
}

// drawMoment is near the interesting ones: within days of noon, on whole minutes and beside them.
func drawMoment(t *rapid.T, label string) time.Time {
	at := noon.Add(time.Duration(rapid.IntRange(-100, 400).Draw(t, label)) * time.Minute)
	if rapid.Bool().Draw(t, label+" by months") {
		at = at.AddDate(0, rapid.IntRange(-1, 14).Draw(t, label+" months"), 0)
	}
	return at.Add(time.Duration(rapid.IntRange(-1, 1).Draw(t, label+" beside")))
}

// Whatever is done to a deadline in whatever order, with clocks that jump as they like.
func TestDeadlinesHoldOnRandomWalks(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[concert.DeadlineState]int{}
	rapid.Check(t, func(t *rapid.T) {
		term := rapid.SampledFrom([]concert.Term{dutyTerm, windowTerm, leastTerm, onTerm}).Draw(t, "term")
		everyDay := rapid.IntRange(0, 9).Draw(t, "all days are off") == 0
		cal := concert.Calendar{Zone: zone, Off: func(_ int, _ time.Month, d int) bool { return everyDay || d%9 == 0 }}
		d, err := concert.Begin("o", term, concert.TermStart{At: drawMoment(t, "start"), Evidence: "EXERCISE"}, cal)
		if err != nil {
			t.Fatal(err)
		}
		met := 0
		var told []time.Duration
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			before, now := d, drawMoment(t, "now")
			why := rapid.SampledFrom(concert.ImpossibleReasons).Draw(t, "why")
			var err error
			var alarms []time.Duration
			act := rapid.IntRange(0, 6).Draw(t, "act")
			switch act {
			case 0:
				d, err = d.Paused(term, why, now)
			case 1:
				d, err = d.Resumed(term, why, concert.TermStart{At: now, Evidence: "EXERCISE"}, cal)
			case 2:
				until := rapid.SampledFrom([]time.Time{{}, now.AddDate(0, 1, 0)}).Draw(t, "until")
				d, err = d.Prolonged(term, now, until, "EXERCISE reason", cal)
			case 3:
				d, err = d.Met(now)
			case 4:
				d, _ = d.Fell(now)
			case 5:
				d, alarms = d.Alarmed(now)
			case 6:
				if rapid.IntRange(0, 5).Draw(t, "void") == 0 {
					d, err = d.Voided("EXERCISE")
				}
			}
			seen[d.State]++
			if err != nil && d != before {
				t.Fatalf("refused (%v), and yet it changed from %+v to %+v", err, before, d)
			}
			if !before.MetAt.Equal(d.MetAt) {
				met++
			}
			if before.State != d.State || before.DueAt != d.DueAt {
				told = told[:min(len(told), d.Warned)] // another end, or the same in another run: what it was warned of stands in Warned
			}
			told = append(told, alarms...)
			check(t, before, d, now, met)
			if len(slices.Compact(slices.Clone(told))) != len(told) || len(told) > len(concert.DeadlineAlarms) {
				t.Fatalf("alarms %v of one end", told)
			}
		}
	})
	for _, s := range concert.DeadlineStates {
		if seen[s] == 0 {
			t.Errorf("no walk came to %s: they are too tame to show anything", s)
		}
	}
}

func check(t *rapid.T, before, d concert.Deadline, now time.Time, met int) {
	t.Helper()
	whole := d.DueAt.Sub(d.StartedAt)
	due, next := d.Alarms(now)
	left := d.Left(now)
	switch {
	case met > 1:
		t.Fatalf("met %d times: %+v", met, d)
	case d.DueAt.Before(d.StartedAt):
		t.Fatalf("it ends before it starts: %+v", d)
	case left < 0 || left > whole:
		t.Fatalf("%s of %s are left: %+v", left, whole, d)
	case d.State != concert.DeadlineRunning && left != 0:
		t.Fatalf("%s are left of what is %s", left, d.State)
	case (d.State == concert.DeadlinePaused || d.State == concert.DeadlineMet || d.State == concert.DeadlineVoid) && (due != nil || !next.IsZero()):
		t.Fatalf("alarms of what is %s: %v, %s", d.State, due, next)
	case (d.State == concert.DeadlinePaused) != !d.PausedAt.IsZero() || (d.State == concert.DeadlinePaused) != (len(d.Grounds()) > 0):
		t.Fatalf("paused without a ground or a moment: %+v", d)
	case d.State == concert.DeadlineMet && d.MetAt.IsZero(), d.State == concert.DeadlineRunning && !d.MetAt.IsZero():
		t.Fatalf("met without a moment, or a moment without: %+v", d)
	case d.State == concert.DeadlineMissed && (d.Window || d.Least || d.Why == ""), d.State == concert.DeadlineLapsed && !d.Window:
		t.Fatalf("missed or lapsed where it cannot be: %+v", d)
	case d.Warned < 0 || d.Warned > len(concert.DeadlineAlarms):
		t.Fatalf("%d alarms", d.Warned)
	}
	if before.State != d.State && !slices.ContainsFunc(concert.DeadlineMoves, func(m concert.DeadlineMove) bool {
		to, err := before.State.After(m)
		return err == nil && to == d.State
	}) {
		// What was missed or met while a ground was not yet known is settled when it ceases; a late act on what runs falls first.
		twoSteps := before.State == concert.DeadlinePaused && !before.MetAt.IsZero()
		if !twoSteps {
			t.Fatalf("from %s to %s by no move of the table", before.State, d.State)
		}
	}
}

// What happened in time and what the clock found come out the same, whichever is heard of first.
func TestTheOrderOfNewsChangesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		term := rapid.SampledFrom([]concert.Term{dutyTerm, windowTerm, onTerm}).Draw(t, "term")
		d, err := concert.Begin("o", term, concert.TermStart{At: noon, Evidence: "EXERCISE"}, concert.Calendar{})
		if err != nil {
			t.Fatal(err)
		}
		done, now := drawMoment(t, "done"), drawMoment(t, "now")
		first, err := d.Met(done)
		if err != nil {
			t.Fatal(err)
		}
		first, _ = first.Fell(now)
		second, _ := d.Fell(now)
		second, err = second.Met(done)
		if err != nil || first != second {
			t.Fatalf("done at %s, looked at %s: %+v or %+v (%v)", done, now, first, second, err)
		}
	})
}

func TestAlarmsAreGivenOnceEach(t *testing.T) {
	t.Parallel()
	d := begin(t, dutyTerm, noon)
	for _, c := range []struct {
		after, next time.Duration
		due         []time.Duration
	}{
		{0, 30 * time.Minute, nil},
		{30*time.Minute - 1, 30 * time.Minute, nil},
		{30 * time.Minute, 50 * time.Minute, []time.Duration{30 * time.Minute}},
		{40 * time.Minute, 50 * time.Minute, nil},
		{60 * time.Minute, 0, []time.Duration{10 * time.Minute, 0}},
		{90 * time.Minute, 0, nil},
	} {
		due, next := d.Alarms(noon.Add(c.after))
		if c.next == 0 != next.IsZero() || c.next != 0 && !next.Equal(noon.Add(c.next)) || !slices.Equal(due, c.due) {
			t.Errorf("after %s: %v, next %s", c.after, due, next)
		}
		if d, due = d.Alarmed(noon.Add(c.after)); !slices.Equal(due, c.due) {
			t.Errorf("after %s: given %v", c.after, due)
		}
	}
	missed, _ := begin(t, dutyTerm, noon).Fell(noon.Add(2 * time.Hour))
	if due, next := missed.Alarms(noon); len(due) != 3 || !next.IsZero() {
		t.Errorf("it was missed, and the clock was set back since: %v, next %s", due, next)
	}
	for warned, want := range map[int]int{-5: 3, 0: 3, 2: 1, 3: 0, 99: 0} {
		d := begin(t, dutyTerm, noon)
		d.Warned = warned
		if due, _ := d.Alarms(noon.Add(2 * time.Hour)); len(due) != want {
			t.Errorf("with %d given: %v", warned, due)
		}
	}
}

// A term that runs on, unlike the hour, gets back what its pauses took, also where several grounds overlap.
func TestATermMayRunOn(t *testing.T) {
	t.Parallel()
	d := begin(t, onTerm, noon)
	end := d.DueAt
	for i, step := range []struct {
		why    concert.ImpossibleReason
		after  time.Duration
		resume bool
	}{
		{concert.ImpossibleForce, time.Hour, false}, {concert.ImpossibleErrors, 2 * time.Hour, false},
		{concert.ImpossibleForce, 3 * time.Hour, true}, {concert.ImpossibleErrors, 5 * time.Hour, true},
	} {
		var err error
		if step.resume {
			d, err = d.Resumed(onTerm, step.why, concert.TermStart{At: noon.Add(step.after), Evidence: "EXERCISE"}, concert.Calendar{})
		} else {
			d, err = d.Paused(onTerm, step.why, noon.Add(step.after))
		}
		if err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
	late, _ := begin(t, onTerm, noon).Fell(end.Add(1))
	late, _ = late.Alarmed(end.Add(1))
	late, err := late.Paused(onTerm, concert.ImpossibleForce, end.Add(-20*time.Minute))
	if err == nil {
		late, err = late.Resumed(onTerm, concert.ImpossibleForce, concert.TermStart{At: end.Add(time.Hour), Evidence: "EXERCISE"}, concert.Calendar{})
	}
	if due, next := late.Alarms(end.Add(time.Hour)); err != nil || due != nil || !next.Equal(end.Add(70*time.Minute)) {
		t.Errorf("twenty minutes are left, of which it was warned at thirty: %v, next %s (%v)", due, next, err)
	}
	if want := end.Add(4 * time.Hour); d.State != concert.DeadlineRunning || !d.DueAt.Equal(want) || !d.StartedAt.Equal(noon) {
		t.Errorf("paused from one to five: %+v, want the end %s", d, want)
	}
}

// The Azores change their clocks at midnight: a day of 2026 begins at one, another has two midnights. Where every day is off,
// the count comes to an end all the same.
func TestDaysEndWithTheirLastHour(t *testing.T) {
	t.Parallel()
	zone := func(name string) *time.Location {
		z, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		return z
	}
	azores, amman := zone("Atlantic/Azores"), zone("Asia/Amman")
	utc := func(text string) time.Time {
		tm, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return tm
	}
	for _, c := range []struct {
		span    concert.Span
		from    string
		cal     concert.Calendar
		working bool
		want    string
	}{
		{concert.Span{Days: 1}, "2026-03-27T12:00:00Z", concert.Calendar{Zone: azores}, false, "2026-03-29T00:59:59.999999Z"},
		{concert.Span{Days: 1}, "2026-03-28T12:00:00Z", concert.Calendar{Zone: azores}, false, "2026-03-29T23:59:59.999999Z"},
		{concert.Span{Days: 1}, "2026-10-23T12:00:00Z", concert.Calendar{Zone: azores}, false, "2026-10-24T23:59:59.999999Z"},
		{concert.Span{Days: 1}, "2026-10-24T12:00:00Z", concert.Calendar{Zone: azores}, false, "2026-10-26T00:59:59.999999Z"},
		{concert.Span{Days: 1}, "2021-10-27T12:00:00Z", concert.Calendar{Zone: amman}, false, "2021-10-28T20:59:59.999999Z"}, // east of Greenwich Go takes the second midnight
		{concert.Span{Days: 1}, "2026-11-20T12:00:00Z", concert.Calendar{}, true, "2026-11-23T23:59:59.999999Z"},             // Friday to Monday
		{concert.Span{Days: 2}, "2026-11-20T12:00:00Z", concert.Calendar{}, true, "2026-11-24T23:59:59.999999Z"},             // two working days at least
		{concert.Span{Days: 2}, "2026-11-19T12:00:00Z", concert.Calendar{}, true, "2026-11-23T23:59:59.999999Z"},
		{concert.Span{Weeks: 1}, "2026-11-20T12:00:00Z", concert.Calendar{Off: func(int, time.Month, int) bool { return true }}, true, "2026-12-28T23:59:59.999999Z"},
		{concert.Span{Months: 1}, "2028-01-31T12:00:00Z", concert.Calendar{}, false, "2028-02-29T23:59:59.999999Z"},
		{concert.Span{Hours: 1}, "2026-11-21T12:00:00Z", concert.Calendar{}, true, "2026-11-21T13:00:00Z"},
		{concert.Span{}, "2026-11-21T12:00:00Z", concert.Calendar{}, true, "2026-11-21T12:00:00Z"},
	} {
		if got := c.span.Ends(utc(c.from), c.cal, c.working); !got.Equal(utc(c.want)) {
			t.Errorf("%s from %s (working %v) ends at %s, want %s", c.span, c.from, c.working, got.UTC(), c.want)
		}
	}
}

func TestTermsThatAreNone(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*concert.Term){
		"no key":             func(t *concert.Term) { t.Key = "unheard" },
		"no source":          func(t *concert.Term) { t.Source = "" },
		"no length":          func(t *concert.Term) { t.Length = concert.Span{} },
		"two units":          func(t *concert.Term) { t.Length.Days = 1 },
		"a negative length":  func(t *concert.Term) { t.Length.Hours = -1 },
		"a thousand years":   func(t *concert.Term) { t.Length = concert.Span{Months: 12000} },
		"length and day":     func(t *concert.Term) { t.Each = concert.YearDay{Month: 3, Day: 1} },
		"no such day":        func(t *concert.Term) { t.Length, t.Each = concert.Span{}, concert.YearDay{Month: 2, Day: 29} },
		"longer by nothing":  func(t *concert.Term) { t.Longer = concert.Span{Weeks: -6} },
		"least and window":   func(t *concert.Term) { t.Least, t.Window = true, true },
		"working hours":      func(t *concert.Term) { t.Working = true },
		"an unheard pause":   func(t *concert.Term) { t.Pauses = []concert.TermPause{{Why: "tired", Until: "a", Evidence: "b"}} },
		"pauses of two ways": func(t *concert.Term) { t.Pauses = slices.Clone(t.Pauses); t.Pauses[1].Anew = false },
	} {
		term := dutyTerm
		change(&term)
		if err := term.Check(); err == nil {
			t.Errorf("%s passes", name)
		}
		if d, err := concert.Begin("o", term, concert.TermStart{At: noon, Evidence: "EXERCISE"}, concert.Calendar{}); err == nil || d != (concert.Deadline{}) {
			t.Errorf("%s runs: %+v", name, d)
		}
		if _, err := concert.NextReport(term, noon, concert.Calendar{}); err == nil {
			t.Errorf("%s is reported", name)
		}
	}
}
