package design

import (
	"context"
	"strconv"
	"time"
)

// months are the short names of the months, January first.
var months = [...]Text{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"}

// Day is a date in the reader's zone, "–" for none.
func Day(ctx context.Context, t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	t = t.In(ReaderOf(ctx).Zone)
	return strconv.Itoa(t.Day()) + " " + Say(ctx, months[t.Month()-1]) + " " + strconv.Itoa(t.Year())
}

// When is a time to the minute in the reader's zone, with UTC beside it where
// that is another, so that two people who read one page speak of one moment.
// "–" stands for none.
func When(ctx context.Context, t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	zone := ReaderOf(ctx).Zone
	local := t.In(zone)
	said := Day(ctx, t) + ", " + local.Format("15:04")
	if _, offset := local.Zone(); offset == 0 {
		return said + " UTC"
	}
	return said + " " + local.Format("MST") + " (" + t.UTC().Format("15:04") + " UTC)"
}

// Age is how long before now something was, in the largest unit that says
// enough; "–" for never.
func Age(ctx context.Context, from, now time.Time) string {
	d := now.Sub(from)
	switch {
	case from.IsZero():
		return "–"
	case d < time.Minute:
		return Say(ctx, "just now")
	case d < 2*time.Hour:
		return Say(ctx, "%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return Say(ctx, "%d h", int(d.Hours()))
	}
	return Count(ctx, int(d.Hours()/24), "%d day", "%d days")
}
