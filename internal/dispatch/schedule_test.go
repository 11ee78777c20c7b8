package dispatch

import (
	"errors"
	"math"
	"testing"
	"time"
)

func TestRetriesFollowTheStandardsSchedule(t *testing.T) {
	t.Parallel()
	want := []time.Duration{0, 5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour}
	for attempt, d := range want {
		got, giveUp := NextAttempt(attempt, Receipt{Outcome: Retry}, 0)
		if got != d || giveUp {
			t.Errorf("after attempt %d: %s, %v; want %s", attempt, got, giveUp, d)
		}
		late, _ := NextAttempt(attempt, Receipt{Outcome: Retry}, 0.999)
		if late < d || late > d+d/5 {
			t.Errorf("after attempt %d with jitter: %s, want %s to %s", attempt, late, d, d+d/5)
		}
	}
	if _, giveUp := NextAttempt(MaxAttempts, Receipt{Outcome: Retry}, 0); !giveUp {
		t.Error("attempts never end")
	}
	for o, stop := range map[Outcome]bool{Accepted: true, Gone: true, Invalid: true, Retry: false, SlowDown: false, Refused: false, Redirect: false, Blocked: false} {
		if _, giveUp := NextAttempt(1, Receipt{Outcome: o}, 0); giveUp != stop {
			t.Errorf("after %s: give up %v, want %v", o, giveUp, stop)
		}
	}
}

func TestRetryAfterIsNeverUndercut(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		attempt int
		r       Receipt
		want    time.Duration
	}{
		{1, Receipt{Outcome: SlowDown, RetryAfter: 90 * time.Second}, 90 * time.Second},
		{1, Receipt{Outcome: Retry, RetryAfter: 90 * time.Second}, 90 * time.Second},
		{1, Receipt{Outcome: SlowDown, RetryAfter: time.Second}, 5 * time.Second},
		{1, Receipt{Outcome: SlowDown}, time.Minute},
		{4, Receipt{Outcome: SlowDown, RetryAfter: time.Second}, 2 * time.Hour},
		{1, Receipt{Outcome: SlowDown, RetryAfter: 1000 * time.Hour}, MaxRetryAfter},
	} {
		for _, jitter := range []float64{0, 0.5, 0.99, -1, 7, math.NaN(), math.Inf(1)} {
			got, giveUp := NextAttempt(tc.attempt, tc.r, jitter)
			if giveUp || got < tc.want || got > tc.want+tc.want/5 {
				t.Errorf("attempt %d, %+v, jitter %v: %s, want %s to a fifth more", tc.attempt, tc.r, jitter, got, tc.want)
			}
		}
	}
}

func TestRetryAfterIsSecondsOrADate(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "0": 0, "120": 2 * time.Minute, " 5 ": 5 * time.Second, "86400": 24 * time.Hour, "86401": MaxRetryAfter,
		"99999999999999999999999": MaxRetryAfter, "-5": 0, "+5": 0, "1.5": 0, "5s": 0, "soon": 0,
		"Sun, 01 Mar 2026 12:00:30 GMT":  30 * time.Second,
		"Sunday, 01-Mar-26 12:01:00 GMT": time.Minute,
		"Sun Mar  1 12:02:00 2026":       2 * time.Minute,
		"Sun, 01 Mar 2026 11:00:00 GMT":  0,
		"Sun, 01 Mar 2099 11:00:00 GMT":  MaxRetryAfter,
	} {
		if got := ParseRetryAfter(value, now); got != want {
			t.Errorf("ParseRetryAfter(%q) = %s, want %s", value, got, want)
		}
	}
}

func FuzzParseRetryAfter(f *testing.F) {
	f.Add("120")
	f.Add("Sun, 01 Mar 2026 12:00:30 GMT")
	f.Fuzz(func(t *testing.T, s string) {
		if d := ParseRetryAfter(s, time.Unix(vectorSeconds, 0)); d < 0 || d > MaxRetryAfter {
			t.Errorf("ParseRetryAfter(%q) = %s", s, d)
		}
	})
}

func window(t testing.TB, zone, hours, days string) Window {
	t.Helper()
	w, err := ParseWindow(zone, hours, days)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestG12ReferralsWaitForTheProvidersOwnHours(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, zone, hours, days string
		now, want               string // local wall time of the zone with offset
	}{
		{"open now", "Europe/Dublin", "09:00-17:30", "mon-fri", "2026-03-02T10:00:00Z", "2026-03-02T10:00:00Z"},
		{"before opening", "Europe/Dublin", "09:00-17:30", "mon-fri", "2026-03-02T08:59:59Z", "2026-03-02T09:00:00Z"},
		{"at closing", "Europe/Dublin", "09:00-17:30", "mon-fri", "2026-03-02T17:30:00Z", "2026-03-03T09:00:00Z"},
		{"friday night", "Europe/Vienna", "09:00-17:00", "mon-fri", "2026-03-06T22:00:00+01:00", "2026-03-09T09:00:00+01:00"},
		{"our day, their night", "America/Los_Angeles", "08:00-18:00", "", "2026-03-02T12:00:00+01:00", "2026-03-02T08:00:00-08:00"},
		{"over midnight, first half", "Asia/Singapore", "22:00-06:00", "mon", "2026-03-02T23:00:00+08:00", "2026-03-02T23:00:00+08:00"},
		{"over midnight, second half", "Asia/Singapore", "22:00-06:00", "mon", "2026-03-03T05:59:00+08:00", "2026-03-03T05:59:00+08:00"},
		{"over midnight, over", "Asia/Singapore", "22:00-06:00", "mon", "2026-03-03T06:00:00+08:00", "2026-03-09T22:00:00+08:00"},
		{"sunday into monday is sunday's", "Asia/Singapore", "22:00-06:00", "mon", "2026-03-02T01:00:00+08:00", "2026-03-02T22:00:00+08:00"},
		{"spring: opening left out", "Europe/Vienna", "02:30-05:00", "", "2026-03-29T01:59:00+01:00", "2026-03-29T03:00:00+02:00"},
		{"spring: whole window left out", "Europe/Vienna", "02:15-02:45", "", "2026-03-29T01:00:00+01:00", "2026-03-30T02:15:00+02:00"},
		{"spring: nine stays nine", "Europe/Vienna", "09:00-17:00", "", "2026-03-28T18:00:00+01:00", "2026-03-29T09:00:00+02:00"},
		{"autumn: nine stays nine", "Europe/Vienna", "09:00-17:00", "", "2026-10-24T18:00:00+02:00", "2026-10-25T09:00:00+01:00"},
		{"autumn: first of two openings", "Europe/Vienna", "02:30-02:45", "", "2026-10-25T01:00:00+02:00", "2026-10-25T02:30:00+02:00"},
		{"autumn: second of two openings", "Europe/Vienna", "02:30-02:45", "", "2026-10-25T02:50:00+02:00", "2026-10-25T02:30:00+01:00"},
		{"half an hour of summer time", "Australia/Lord_Howe", "02:15-04:00", "", "2026-10-04T01:59:00+10:30", "2026-10-04T02:30:00+11:00"},
		{"the day that was left out", "Pacific/Apia", "09:00-17:00", "fri", "2011-12-29T18:00:00-10:00", "2012-01-06T09:00:00+14:00"},
		{"all day on chosen days", "UTC", "", "sat,sun", "2026-03-02T12:00:00Z", "2026-03-07T00:00:00Z"},
		{"until midnight", "UTC", "18:00-24:00", "", "2026-03-02T23:59:59Z", "2026-03-02T23:59:59Z"},
		{"always", "", "", "", "2026-03-02T12:00:00Z", "2026-03-02T12:00:00Z"},
	} {
		now, err1 := time.Parse(time.RFC3339, tc.now)
		want, err2 := time.Parse(time.RFC3339, tc.want)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		if got := window(t, tc.zone, tc.hours, tc.days).NextOpen(now); !got.Equal(want) {
			t.Errorf("%s: %s, want %s", tc.name, got.In(want.Location()), tc.want)
		}
	}
	var zero Window
	if now := time.Unix(vectorSeconds, 0); !zero.Open(now) || !zero.NextOpen(now).Equal(now) {
		t.Error("the zero window is not always open")
	}
}

// NextOpen against the plainest definition: try every minute.
func TestG12NextOpenIsTheFirstOpenMinute(t *testing.T) {
	t.Parallel()
	starts := []time.Time{
		time.Date(2026, 3, 27, 22, 7, 0, 0, time.UTC), time.Date(2026, 10, 23, 22, 7, 0, 0, time.UTC),
		time.Date(2026, 4, 3, 10, 0, 0, 0, time.UTC), time.Date(2026, 3, 6, 20, 30, 0, 0, time.UTC),
	}
	for _, zone := range []string{"UTC", "Europe/Vienna", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Kolkata"} {
		for _, hours := range []string{"02:10-02:50", "00:00-00:30", "09:00-17:00", "23:30-00:20", "02:30-01:30", "12:00-12:00"} {
			for _, days := range []string{"", "sun", "mon-fri"} {
				w := window(t, zone, hours, days)
				for _, start := range starts {
					brute := start
					for n := 0; !w.Open(brute) && n < 15*24*60; n++ {
						brute = brute.Add(time.Minute)
					}
					for now := start; now.Before(brute); now = now.Add(97 * time.Minute) {
						if got := w.NextOpen(now); !got.Equal(brute) {
							t.Fatalf("%s %s %s: NextOpen(%s) = %s, want %s", zone, hours, days, now, got.UTC(), brute)
						}
					}
				}
			}
		}
	}
}

func TestG12CapacityBoundsAnHour(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ perHour, want, sent, free int }{
		{100, 30, 0, 30}, {100, 30, 90, 10}, {100, 30, 100, 0}, {100, 30, 500, 0}, {0, 30, 500, 30}, {-1, 30, 0, 30}, {100, -5, 0, 0}, {0, -5, 0, 0},
	} {
		if got := (Capacity{PerHour: tc.perHour}).Free(tc.want, tc.sent); got != tc.free {
			t.Errorf("%+v: %d", tc, got)
		}
	}
}

func TestMalformedWindowsAreNamed(t *testing.T) {
	t.Parallel()
	for _, tc := range [][3]string{
		{"Europe/Nowhere", "", ""}, {"Local", "", ""}, {"../../etc/passwd", "", ""}, {"UTC", "9-17", ""}, {"UTC", "09:00", ""}, {"UTC", "25:00-26:00", ""},
		{"UTC", "09:60-10:00", ""}, {"UTC", "24:00-08:00", ""}, {"UTC", "24:01-08:00", ""}, {"UTC", "-1:00-08:00", ""}, {"UTC", "", "monday"}, {"UTC", "", "mon-"}, {"UTC", "", "mon,,tue"}, {"UTC", "", "n m"},
	} {
		if w, err := ParseWindow(tc[0], tc[1], tc[2]); !errors.Is(err, ErrWindow) {
			t.Errorf("ParseWindow%q = %+v, %v", tc, w, err)
		}
	}
	if w := window(t, "UTC", "08:00-18:30", "Fri-Mon, Wed"); w.From != 480 || w.To != 1110 || w.Days != DaysOf(time.Friday, time.Saturday, time.Sunday, time.Monday, time.Wednesday) {
		t.Errorf("%+v", w)
	}
}

func FuzzParseWindow(f *testing.F) {
	f.Add("Europe/Vienna", "22:00-06:00", "fri-mon")
	f.Fuzz(func(t *testing.T, zone, hours, days string) {
		w, err := ParseWindow(zone, hours, days)
		if err != nil {
			return
		}
		now := time.Unix(vectorSeconds, 0)
		if got := w.NextOpen(now); got.IsZero() || got.Before(now) || !w.Open(got) {
			t.Errorf("%q %q %q: NextOpen = %s", zone, hours, days, got)
		}
	})
}

func BenchmarkNextOpen(b *testing.B) {
	w, now := window(b, "Europe/Vienna", "09:00-17:00", "mon-fri"), time.Date(2026, 3, 6, 22, 0, 0, 0, time.UTC)
	for b.Loop() {
		w.NextOpen(now)
	}
}
