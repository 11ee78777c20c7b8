package webui

import (
	"fmt"
	"math"
	"strings"
	"time"

	"concert"
)

// sample is how many items were referred at a moment of case time.
type sample struct {
	at       time.Time
	referred int64
}

// burn is the burn-down of what is to be referred: drawn on the server, read
// as a sentence as well.
type burn struct {
	Target, Referred, Left int64
	Share, TimeShare       string
	Width, TimeWidth       float64
	Line                   string // points of what this node has seen
	Before                 string // points of what came before it looked
	NowX, NowY             float64
}

// The drawing's inner size; the view box adds room for the labels.
const (
	burnWidth  = 600
	burnHeight = 150
)

func burnOf(a concert.Action, referred int64, now time.Time, series []sample) burn {
	b := burn{Target: int64(a.Target), Referred: referred, Left: max(0, int64(a.Target)-referred), Share: share(referred, int64(a.Target)), Width: percent(referred, int64(a.Target))}
	whole := a.EndsAt.Sub(a.StartsAt)
	if whole <= 0 {
		return b
	}
	passed := min(max(0, now.Sub(a.StartsAt)), whole)
	b.TimeShare, b.TimeWidth = share(int64(passed/time.Second), int64(whole/time.Second)), percent(int64(passed/time.Second), int64(whole/time.Second))
	if b.Target <= 0 {
		return b
	}
	point := func(s sample) (x, y float64) {
		x = burnWidth * float64(s.at.Sub(a.StartsAt)) / float64(whole)
		y = burnHeight * float64(min(s.referred, b.Target)) / float64(b.Target)
		return math.Round(min(max(0, x), burnWidth)*10) / 10, math.Round(y*10) / 10
	}
	if len(series) == 0 || series[len(series)-1].at.Before(now) {
		series = append(series[:len(series):len(series)], sample{now, referred})
	}
	var line strings.Builder
	for _, s := range series {
		x, y := point(s)
		fmt.Fprintf(&line, "%g,%g ", x, y)
	}
	x, y := point(series[0])
	b.Line, b.Before = strings.TrimSpace(line.String()), fmt.Sprintf("0,0 %g,%g", x, y)
	b.NowX, b.NowY = point(sample{now, referred})
	return b
}
