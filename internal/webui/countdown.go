package webui

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"concert"
	"concert/internal/design"
)

// termTexts are the terms of the law as people say them.
var termTexts = map[concert.TermKey]design.Text{
	concert.TermFirstContact: "Twelve hours' notice, Art. 3(2)", concert.TermRemoval: "Removal within one hour, Art. 3(3)", concert.TermOwnScrutiny: "Scrutiny on its own motion, Art. 4(3)",
	concert.TermScrutinyAsk: "Window to ask for scrutiny, Art. 4(4)", concert.TermScrutiny: "Decision on scrutiny, Art. 4(4)", concert.TermSilence: "Non-disclosure, Art. 11(3)",
	concert.TermPreservation: "Preservation, Art. 6", concert.TermComplaint: "Answer to a complaint, Art. 10(2)", concert.TermExposure: "Exposure to terrorist content, Art. 5(4)",
	concert.TermProviderReport: "Provider's report, Art. 7", concert.TermYearlyReport: "Authority's report, Art. 8", concert.TermStateReport: "State's report, Art. 21", concert.TermEmergency: "Review of an override",
	concert.TermThreat: "Report of a threat to life is taken",
}

// impossibleTexts are the grounds of Annex III.
var impossibleTexts = map[concert.ImpossibleReason]design.Text{
	concert.ImpossibleForce: "force majeure or de facto impossibility", concert.ImpossibleErrors: "manifest errors", concert.ImpossibleInsufficient: "insufficient information",
}

// The stages of a countdown. Each has a shape of its own, so that no meaning hangs on
// colour.
const (
	stageCalm  = "calm"  // more than 30 minutes: a ring
	stageSoon  = "soon"  // 30 minutes or less: a square
	stageNear  = "near"  // 10 minutes or less: a triangle
	stageOver  = "over"  // the end is past, and what was due has not come: an octagon with a cross
	stageStill = "still" // it stands still: two bars
	stageMet   = "met"   // what was due was done in time: a tick
	stageLate  = "late"  // done, too late: an octagon with a tick
	stageEnd   = "end"   // it lapsed, or fell away: a stroke
	stageWait  = "wait"  // what must last at least so long: an hourglass
)

// stageMarks are the stages as a letter, where no drawing fits.
var stageMarks = map[string]string{stageCalm: "◔", stageSoon: "■", stageNear: "▲", stageOver: "✖", stageStill: "‖", stageMet: "✓", stageLate: "✓", stageEnd: "–", stageWait: "⧗"}

// stageTones are the colours beside the shapes.
var stageTones = map[string]string{stageCalm: "go", stageSoon: "wait", stageNear: "bad", stageOver: "bad", stageStill: "wait", stageMet: "good", stageLate: "bad", stageEnd: "end", stageWait: "wait"}

// counting is one deadline as a page shows it at a moment.
type counting struct {
	Term    design.Text
	Stage   string
	Text    string  // "34 min left, ends 14:07 UTC"
	Share   float64 // of the term that is left, 0 to 100
	Runs    bool    // the text changes by itself
	Due     time.Time
	Started time.Time
	Now     time.Time
	Left    string // "{} left, ends 14:07 UTC", for the script
	Over    string // "over by {}, since 14:07 UTC"
}

// countingOf is the deadline at the moment, in the reader's language.
func countingOf(ctx context.Context, d concert.Deadline, now time.Time) counting {
	c := counting{Term: termTexts[d.Term], Due: d.DueAt, Started: d.StartedAt, Now: now, Stage: stageEnd}
	ends := clockTime(ctx, d.DueAt, now)
	late := d.State == concert.DeadlineMissed || d.State == concert.DeadlineRunning && !d.Window && now.After(d.DueAt)
	switch {
	case d.State == concert.DeadlinePaused:
		c.Stage, c.Text = stageStill, say(ctx, "stands still since %s (%s)", clockTime(ctx, d.PausedAt, now), groundsText(ctx, d.Grounds()))
	case d.State == concert.DeadlineMet && d.Least:
		c.Stage, c.Text = stageMet, say(ctx, "over, and kept")
	case d.State == concert.DeadlineMet:
		c.Stage, c.Text = stageMet, metText(ctx, d.DueAt.Sub(d.MetAt))
	case d.State == concert.DeadlineVoid:
		c.Text = say(ctx, "runs no more")
	case !d.MetAt.IsZero():
		c.Stage, c.Text = stageLate, say(ctx, "done %s too late", spanText(ctx, d.MetAt.Sub(d.DueAt)))
	case d.Least && now.Before(d.DueAt):
		c.Stage, c.Text = stageWait, say(ctx, "%s to go, until %s", spanText(ctx, d.DueAt.Sub(now)), ends)
	case d.Least:
		c.Stage, c.Text = stageMet, say(ctx, "over since %s", ends)
	case late:
		c.Stage, c.Runs, c.Text = stageOver, true, say(ctx, "over by %s, since %s", spanText(ctx, now.Sub(d.DueAt)), ends)
	case d.State == concert.DeadlineRunning && !now.After(d.DueAt):
		left := d.Left(now)
		c.Stage, c.Runs, c.Text = stageOf(left), true, say(ctx, "%s left, ends %s", spanText(ctx, left), ends)
		if whole := d.DueAt.Sub(d.StartedAt); whole > 0 {
			c.Share = 100 * float64(left) / float64(whole)
		}
	default:
		c.Text = say(ctx, "passed at %s", ends)
	}
	if c.Runs {
		c.Left, c.Over = say(ctx, "%s left, ends %s", "{}", ends), say(ctx, "over by %s, since %s", "{}", ends)
		if d.Window {
			c.Over = say(ctx, "passed at %s", ends)
		}
	}
	return c
}

// stageOf is the stage of what runs, by what is left.
func stageOf(left time.Duration) string {
	switch {
	case left <= 10*time.Minute:
		return stageNear
	case left <= 30*time.Minute:
		return stageSoon
	}
	return stageCalm
}

func metText(ctx context.Context, before time.Duration) string {
	if before < time.Minute {
		return say(ctx, "met in the last minute")
	}
	return say(ctx, "met %s before the end", spanText(ctx, before))
}

func groundsText(ctx context.Context, grounds []concert.ImpossibleReason) string {
	out := make([]string, len(grounds))
	for i, g := range grounds {
		out[i] = say(ctx, impossibleTexts[g])
	}
	return strings.Join(out, say(ctx, ", "))
}

// spanText is a length of time, in full minutes.
func spanText(ctx context.Context, d time.Duration) string {
	d = max(0, d)
	switch {
	case d < time.Minute:
		return say(ctx, "less than a minute")
	case d < 2*time.Hour:
		return say(ctx, "%s min", strconv.Itoa(int(d/time.Minute)))
	case d < 48*time.Hour:
		return say(ctx, "%s h %s min", strconv.Itoa(int(d/time.Hour)), strconv.Itoa(int(d%time.Hour/time.Minute)))
	}
	return count(ctx, int(d.Hours()/24), "%d day", "%d days")
}

// clockTime is a moment as a countdown names it: the hour in UTC on the same day, else
// the date as well.
func clockTime(ctx context.Context, t, now time.Time) string {
	t = t.UTC()
	if y, m, d := t.Date(); y == now.UTC().Year() && m == now.UTC().Month() && d == now.UTC().Day() {
		return t.Format("15:04") + " UTC"
	}
	return when(ctx, t)
}

// pressing orders deadlines as people look at them: what is over, what runs, the first
// due first, what stands still, and what has ended.
func pressing(ds []concert.Deadline, now time.Time) []concert.Deadline {
	rank := func(d concert.Deadline) int {
		switch {
		case d.State == concert.DeadlineMissed && d.MetAt.IsZero():
			return 0
		case d.Term == concert.TermRemoval && d.State == concert.DeadlineRunning:
			return 1
		case d.State == concert.DeadlineRunning && !(d.Least && now.After(d.DueAt)):
			return 2
		case d.State == concert.DeadlinePaused:
			return 1
		}
		return 3
	}
	out := slices.Clone(ds)
	slices.SortStableFunc(out, func(a, b concert.Deadline) int {
		if r := rank(a) - rank(b); r != 0 {
			return r
		}
		return a.DueAt.Compare(b.DueAt)
	})
	return out
}

// pressingOne is the deadline that a row of a list shows: none where nothing runs.
func pressingOne(ctx context.Context, ds []concert.Deadline, now time.Time) (counting, bool) {
	all := pressing(ds, now)
	// A window that others may use comes after what somebody has to do.
	slices.SortStableFunc(all, func(a, b concert.Deadline) int {
		switch {
		case a.Window == b.Window:
			return 0
		case a.Window:
			return 1
		}
		return -1
	})
	for _, d := range all {
		if c := countingOf(ctx, d, now); d.State == concert.DeadlineRunning || c.Runs || c.Stage == stageStill || d.Term == concert.TermRemoval {
			return c, true
		}
	}
	return counting{}, false
}

// countingCell is a countdown as a list shows it: shape and text.
func countingCell(ctx context.Context, ds []concert.Deadline, now time.Time) design.Cell {
	c, ok := pressingOne(ctx, ds, now)
	if !ok {
		return design.Cell{}
	}
	return design.Cell{Text: c.Text, Shape: stageMarks[c.Stage], Tone: stageTones[c.Stage]}
}

// dash is how much of a drawn line of the length 100 shows.
func dash(share float64) string {
	return strconv.FormatFloat(max(0, min(100, share)), 'f', 1, 64) + " 100"
}

// rateText is how fast case time goes, for the script.
func rateText(rate float64) string { return strconv.FormatFloat(rate, 'g', -1, 64) }

// countingData is what the script needs to let the minutes go on.
func countingData(ctx context.Context, c counting) templ.Attributes {
	if !c.Runs {
		return nil
	}
	return templ.Attributes{"data-ends": machine(c.Due), "data-begun": machine(c.Started), "data-now": machine(c.Now), "data-rate": rateText(frameOf(ctx).Rate), "data-left": c.Left, "data-over": c.Over,
		"data-min": say(ctx, "%s min", "{m}"), "data-hour": say(ctx, "%s h %s min", "{h}", "{m}"), "data-less": say(ctx, "less than a minute")}
}
