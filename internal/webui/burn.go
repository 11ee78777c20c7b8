package webui

import (
	"context"
	"strconv"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
)

// burnOf is what was left of the target over time, from when referrals were
// made.
func burnOf(a concert.Action, flow []casework.Flow, now time.Time) []design.Burn {
	left := int64(a.Target)
	out := []design.Burn{{At: a.StartsAt, Left: left}}
	for _, f := range flow {
		left = max(0, left-f.Referred)
		out = append(out, design.Burn{At: f.At, Left: left})
	}
	return append(out, design.Burn{At: min2(now, a.EndsAt), Left: left})
}

func min2(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// dayTicks are the days of an action on an axis of time, at most seven of them.
func dayTicks(ctx context.Context, from, until time.Time) []design.Tick {
	whole := until.Sub(from)
	if whole <= 0 {
		return nil
	}
	var out []design.Tick
	for i := range 5 {
		t := from.Add(whole * time.Duration(i) / 4).UTC()
		text := t.Format("15:04")
		if whole > 36*time.Hour {
			text = strconv.Itoa(t.Day()) + "." + strconv.Itoa(int(t.Month()))
		}
		out = append(out, design.Tick{At: float64(i) / 4, Text: text})
	}
	return out
}

// countTicks mark a quarter, a half and all of a number.
func countTicks(most int64) []design.Tick {
	var out []design.Tick
	for i := range 3 {
		out = append(out, design.Tick{At: float64(i) / 2, Text: thousands(most * int64(i) / 2)})
	}
	return out
}

func (p boardPage) burnChart(ctx context.Context) design.Figure {
	f := design.Figure{ID: "c-burn", Summary: say(ctx, "Burn-down: %s of %s items are left to refer.", thousands(p.Left), thousands(p.Target)),
		Head: []string{say(ctx, "Time, UTC"), say(ctx, "Left")}, Legend: []string{say(ctx, "what is left"), say(ctx, "an even pace")}}
	for _, b := range p.BurnLine {
		f.Rows = append(f.Rows, []string{b.At.UTC().Format("2006-01-02 15:04"), thousands(b.Left)})
	}
	return f
}

// flowChart is what was referred and acknowledged by time.
func (p boardPage) flowChart(ctx context.Context) (f design.Figure, lines []design.Line, xs, ys []design.Tick) {
	f = design.Figure{ID: "c-flow", Summary: say(ctx, "Items referred and acknowledged, in spans of %s.", span(p.Width)),
		Head: []string{say(ctx, "From, UTC"), say(ctx, "Referred"), say(ctx, "Acknowledged")}, Legend: []string{say(ctx, "Referred"), say(ctx, "Acknowledged")}}
	var most int64 = 1
	for _, x := range p.Flow {
		most = max(most, x.Referred, x.Acked)
		f.Rows = append(f.Rows, []string{x.At.UTC().Format("2006-01-02 15:04"), thousands(x.Referred), thousands(x.Acked)})
	}
	whole := p.AsOf.Sub(p.Starts)
	referred, acked := design.Line{Step: true}, design.Line{Step: true}
	for _, x := range p.Flow {
		if whole > 0 {
			at := float64(x.At.Sub(p.Starts)) / float64(whole)
			referred.Points = append(referred.Points, design.Point{X: at, Y: float64(x.Referred) / float64(most)})
			acked.Points = append(acked.Points, design.Point{X: at, Y: float64(x.Acked) / float64(most)})
		}
	}
	return f, []design.Line{referred, acked}, dayTicks(ctx, p.Starts, p.AsOf), countTicks(most)
}

// series are the flow for the script that draws it live: seconds since 1970,
// referred, acknowledged.
func (p boardPage) series() (at, referred, acked string) {
	for i, f := range p.Flow {
		sep := ","
		if i == 0 {
			sep = ""
		}
		at += sep + strconv.FormatInt(f.At.Unix(), 10)
		referred += sep + strconv.FormatInt(f.Referred, 10)
		acked += sep + strconv.FormatInt(f.Acked, 10)
	}
	return at, referred, acked
}
