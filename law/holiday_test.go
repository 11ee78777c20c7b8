package law

import (
	"errors"
	"slices"
	"testing"
	"time"

	"concert"
)

func TestEaster(t *testing.T) {
	t.Parallel()
	for year, want := range map[int]string{1818: "03-22", 1943: "04-25", 2000: "04-23", 2024: "03-31", 2025: "04-20", 2026: "04-05", 2027: "03-28", 2038: "04-25", 2285: "03-22"} {
		if got := westernEaster(year).Format("01-02"); got != want {
			t.Errorf("Easter of %d is on %s, want %s", year, got, want)
		}
	}
	for year, want := range map[int]string{2000: "04-30", 2024: "05-05", 2025: "04-20", 2026: "04-12", 2027: "05-02", 2028: "04-16", 2029: "04-08", 2030: "04-28"} {
		if got := orthodoxEaster(year).Format("01-02"); got != want {
			t.Errorf("orthodox Easter of %d is on %s, want %s", year, got, want)
		}
	}
	for year := 1583; year < 4100; year++ {
		w, o := westernEaster(year), orthodoxEaster(year)
		if w.Weekday() != time.Sunday || o.Weekday() != time.Sunday {
			t.Fatalf("Easter of %d is a %s, the orthodox a %s", year, w.Weekday(), o.Weekday())
		}
		if d := w.Format("01-02"); d < "03-22" || d > "04-25" {
			t.Fatalf("Easter of %d on %s", year, d)
		}
	}
}

func TestHolidays(t *testing.T) {
	t.Parallel()
	b := book(t)
	for _, c := range []struct {
		state, day string
		want       bool
	}{
		{"ES", "2026-10-12", true}, // a Monday
		{"ES", "2026-04-03", true}, // Good Friday
		{"ES", "2026-04-06", false},
		{"DE", "2026-04-06", true}, // Easter Monday
		{"DE", "2026-10-03", true},
		{"DE", "2026-06-04", false}, // Corpus Christi is no holiday of the whole state
		{"AT", "2026-06-04", true},
		{"GR", "2027-05-03", true}, // Orthodox Easter Monday
		{"GR", "2027-03-29", false},
		{"RO", "2026-06-01", true},  // Whit Monday and Children's Day
		{"CY", "2026-02-23", true},  // Clean Monday
		{"BG", "2026-05-25", true},  // 24 May is a Sunday
		{"BG", "2027-05-04", true},  // 1 May is a Saturday, and the next two days are Easter
		{"BG", "2026-12-28", true},  // 26 December is a Saturday
		{"SE", "2026-06-20", true},  // Midsummer Day
		{"SE", "2026-10-31", true},  // All Saints
		{"IE", "2026-02-02", true},  // St Brigid, the first Monday
		{"IE", "2030-02-01", true},  // a Friday
		{"IE", "2030-02-04", false}, // so not the Monday
		{"IE", "2022-02-07", false}, // not yet
		{"IE", "2026-10-26", true},  // the last Monday of October
		{"DK", "2023-05-05", true},  // Great Prayer Day for the last time
		{"DK", "2024-04-26", false},
		{"HR", "2019-05-30", false},
		{"SK", "2026-05-08", false}, // worked in 2026
		{"SK", "2027-05-08", true},
		{"PL", "2024-12-24", false},
		{"PL", "2025-12-24", true},
		{"XA", "2026-12-25", false},
	} {
		day, err := time.Parse(time.DateOnly, c.day)
		if err != nil {
			t.Fatal(err)
		}
		if got := b.Holiday(c.state, day.Year(), day.Month(), day.Day()); got != c.want {
			t.Errorf("%s on %s: holiday %v", c.state, c.day, got)
		}
	}
	for _, state := range states {
		for year := 2000; year < 2101; year++ {
			days := b.calendars[state].holidays(year)
			slices.SortFunc(days, time.Time.Compare)
			if len(days) < 8 || len(days) > 20 || !b.Holiday(state, year, time.January, 1) || !b.Holiday(state, year, time.December, 25) {
				t.Fatalf("%s has %d holidays in %d: %v", state, len(days), year, days)
			}
		}
	}
	if b.Holiday("ES", -1, time.January, 1) || b.Holiday("ES", 1<<40, time.January, 1) {
		t.Error("a year without an Easter has holidays")
	}
}

func TestCalendarsAreTheStates(t *testing.T) {
	t.Parallel()
	b := book(t)
	cal, err := b.Calendar("ES")
	if err != nil || cal.Zone.String() != "Europe/Madrid" || !cal.Off(2026, time.October, 12) || cal.Off(2026, time.October, 13) {
		t.Errorf("%+v, %v", cal, err)
	}
	var refusal *concert.Error
	if _, err := b.Calendar("XA"); !errors.As(err, &refusal) || refusal.Code != "law.holidays" {
		t.Errorf("a calendar of no state: %v", err)
	}
}

// A deadline asks for a few days at most.
func BenchmarkHoliday(b *testing.B) {
	book, err := Read()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		book.Holiday("BG", 2026, time.December, 28)
	}
}
