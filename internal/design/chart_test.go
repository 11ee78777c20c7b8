package design_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"concert"
	"concert/internal/design"
)

func drawn(t *testing.T, language string, c templ.Component) string {
	t.Helper()
	l, _ := design.LanguageOf(language)
	var b bytes.Buffer
	if err := c.Render(design.WithReader(t.Context(), design.Reader{Language: l}), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Every chart has its words and its numbers beside it, no style of its own, and text from outside stays text.
func TestChartsCarryTheirNumbersAndNoStyle(t *testing.T) {
	t.Parallel()
	f := design.Figure{ID: "c", Title: "A <b>title</b>", Summary: "what it \"shows\"", Head: []string{"Name", "Number"}, Rows: [][]string{{"<script>x</script>", "7"}}, Legend: []string{"one", "two"}}
	start := time.Date(2019, 11, 21, 8, 0, 0, 0, time.UTC)
	for name, c := range map[string]templ.Component{
		"bars":     design.Bars(f, []design.Bar{{Label: "<i>", Value: "7", Share: 1.5, Tone: "good"}}),
		"stacked":  design.StackedBars(f, []design.Stack{{Label: "x", Value: "7", Parts: []float64{0.5, 0.2, 0.1}}}),
		"line":     design.Lines(f, []design.Line{{Points: []design.Point{{X: 0, Y: 0}, {X: 1, Y: 2}}}}, []design.Tick{{At: 0, Text: "0"}, {At: 1, Text: "1"}}, []design.Tick{{At: 1, Text: "7"}}),
		"burn":     design.BurnDown(f, 10, start, start.Add(time.Hour), []design.Burn{{At: start, Left: 10}, {At: start.Add(time.Minute), Left: 4}}, nil, nil),
		"survival": design.SurvivalCurve(f, []concert.Survival{{Share: 1, AtRisk: 4}, {After: time.Hour, Share: 0.75, AtRisk: 4, Removed: 1}}, 2*time.Hour, nil, nil),
		"nothing":  design.Bars(design.Figure{}, nil),
	} {
		s := drawn(t, "en", c)
		if strings.Contains(s, "style=") || strings.Contains(s, "<script") || strings.Contains(s, "<b>") || strings.Contains(s, "<i>") || strings.Contains(s, "NaN") || strings.Contains(s, "Inf") {
			t.Errorf("%s: %s", name, s)
		}
		if name != "nothing" && (!strings.Contains(s, "<details") || !strings.Contains(s, ">7</td>") || !strings.Contains(s, `role="img" aria-label="what it &#34;shows&#34;"`)) {
			t.Errorf("%s has no table or no words: %s", name, s)
		}
	}
}

// Read from right to left, a chart runs from right to left.
func TestChartsRunAsOneReads(t *testing.T) {
	t.Parallel()
	c := design.Lines(design.Figure{ID: "c"}, []design.Line{{Points: []design.Point{{X: 0, Y: 0}, {X: 1, Y: 1}}}}, nil, nil)
	if s := drawn(t, "en", c); !strings.Contains(s, `d="M52 188L652 8"`) {
		t.Error(s)
	}
	if s := drawn(t, "ar", c); !strings.Contains(s, `d="M600 188L0 8"`) {
		t.Error(s)
	}
}
