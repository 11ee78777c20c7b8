package design

import (
	"context"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"concert"
)

// Figure is what is said of a chart: its words are in the reader's language
// already. Every chart is drawn as SVG on the server and carries its data as a
// table, so that nobody has to see it to read it.
type Figure struct {
	ID      string // unique on the page
	Title   string // "" where a heading stands above
	Summary string // what the drawing shows, in one sentence
	Head    []string
	Rows    [][]string // the data, under Head
	Legend  []string   // names of the series, in their order
}

// The drawing's inner size, in its own units.
const (
	chartWidth  = 600.0
	chartHeight = 180.0
	chartLeft   = 52.0
	chartBottom = 22.0
)

// Bar is one bar: Share of the longest, 0 to 1, and its number as text.
type Bar struct {
	Label, Value string
	Share        float64
	Tone         string // class of a tone, "" for none
}

// Stack is one bar of several parts, as shares of the longest bar.
type Stack struct {
	Label, Value string
	Parts        []float64
}

// Point is a place in a chart: shares of its width and height from the origin.
type Point struct{ X, Y float64 }

// Tick is a mark on an axis: where, as a share, and what it says.
type Tick struct {
	At   float64
	Text string
}

// Line is one line of a chart. Series differ by their dashes as well as by
// their colour; Plan draws what should be, thin and dashed.
type Line struct {
	Points []Point
	Plan   bool
	Step   bool // goes level to the next point, then up or down
}

// drawing writes SVG; mirrored for readers from right to left.
type drawing struct {
	strings.Builder
	mirror bool
}

func num(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }

// x is a place from the reader's side of the drawing.
func (d *drawing) x(v float64) float64 {
	if d.mirror {
		return chartLeft + chartWidth - v
	}
	return v
}

func (d *drawing) rect(class string, x, y, w, h float64) {
	if d.mirror {
		x += w
	}
	fmt.Fprintf(d, `<rect class=%q x=%q y=%q width=%q height=%q></rect>`, class, num(d.x(x)), num(y), num(w), num(h))
}

// text is placed by its middle or by an end: "start" is where reading begins.
func (d *drawing) text(class, anchor string, x, y float64, s string) {
	if d.mirror {
		anchor = map[string]string{"start": "end", "end": "start"}[anchor]
		if anchor == "" {
			anchor = "middle"
		}
	}
	// Direction is set apart so that an anchor means the same for every script.
	fmt.Fprintf(d, `<text class=%q direction="ltr" text-anchor=%q x=%q y=%q>%s</text>`, class, anchor, num(d.x(x)), num(y), templ.EscapeString(s))
}

func (d *drawing) path(class, data string) {
	fmt.Fprintf(d, `<path class=%q d=%q></path>`, class, data)
}

// The keys of a legend, with the place of the series' number.
const (
	lineSwatch = `<path class="s%d" d="M0 5H30"></path>`
	partSwatch = `<rect class="p%d" width="30" height="10"></rect>`
)

// chart is the frame of every chart: title, drawing, legend, data.
func chart(f Figure, swatch string, height float64, draw func(*drawing)) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		d := &drawing{mirror: ReaderOf(ctx).Language.Dir == "rtl"}
		fmt.Fprintf(d, `<figure class="figure" id="%s">`, templ.EscapeString(f.ID))
		if f.Title != "" {
			fmt.Fprintf(d, `<figcaption>%s</figcaption>`, templ.EscapeString(f.Title))
		}
		fmt.Fprintf(d, `<svg class="plot" viewBox="0 0 %s %s" role="img" aria-label="%s" focusable="false">`, num(chartLeft+chartWidth), num(height), templ.EscapeString(f.Summary))
		draw(d)
		d.WriteString(`</svg>`)
		if len(f.Legend) > 0 {
			d.WriteString(`<ul class="series">`)
			for i, name := range f.Legend {
				fmt.Fprintf(d, `<li><svg class="swatchline" viewBox="0 0 30 10" width="30" height="10" aria-hidden="true" focusable="false">`+swatch+`</svg> %s</li>`, i, templ.EscapeString(name))
			}
			d.WriteString(`</ul>`)
		}
		f.table(ctx, d)
		d.WriteString(`</figure>`)
		_, err := io.WriteString(w, d.String())
		return err
	})
}

func (f Figure) table(ctx context.Context, d *drawing) {
	name := f.Title
	if name == "" {
		name = f.Summary
	}
	fmt.Fprintf(d, `<details class="data"><summary>%s<span class="hidden"> %s</span></summary><div class="scroll" role="group" aria-label="%s" tabindex="0"><table><thead><tr>`, templ.EscapeString(Say(ctx, "The numbers")), templ.EscapeString(name), templ.EscapeString(name))
	for i, h := range f.Head {
		class := ` class="n"`
		if i == 0 {
			class = ""
		}
		fmt.Fprintf(d, `<th scope="col"%s>%s</th>`, class, templ.EscapeString(h))
	}
	d.WriteString(`</tr></thead><tbody>`)
	for _, row := range f.Rows {
		d.WriteString(`<tr>`)
		for i, c := range row {
			if i == 0 {
				fmt.Fprintf(d, `<th scope="row">%s</th>`, templ.EscapeString(c))
			} else {
				fmt.Fprintf(d, `<td class="n">%s</td>`, templ.EscapeString(c))
			}
		}
		d.WriteString(`</tr>`)
	}
	d.WriteString(`</tbody></table></div></details>`)
}

// rowHeight is a bar's with its space; labelWidth what its name may take.
const (
	rowHeight  = 24.0
	labelWidth = 190.0
	valueWidth = 80.0
)

// clipped is a label as far as it fits beside its bar; the table has all of it.
func clipped(s string) string {
	r := []rune(s)
	if len(r) > 28 {
		return string(r[:27]) + "…"
	}
	return s
}

// Bars are horizontal bars, each with its name and number.
func Bars(f Figure, bars []Bar) templ.Component {
	return chart(f, partSwatch, rowHeight*float64(max(1, len(bars))), func(d *drawing) {
		const room = chartLeft + chartWidth - labelWidth - valueWidth
		for i, b := range bars {
			y := rowHeight * float64(i)
			d.text("label", "start", 0, y+16, clipped(b.Label))
			d.rect("track", labelWidth, y+5, room, 13)
			d.rect(strings.TrimSpace("bar "+b.Tone), labelWidth, y+5, room*within(b.Share), 13)
			d.text("value", "end", chartLeft+chartWidth, y+16, b.Value)
		}
	})
}

// StackedBars are horizontal bars of several parts, told apart by pattern and
// colour; Legend names the parts.
func StackedBars(f Figure, rows []Stack) templ.Component {
	return chart(f, partSwatch, rowHeight*float64(max(1, len(rows))), func(d *drawing) {
		const room = chartLeft + chartWidth - labelWidth - valueWidth
		for i, r := range rows {
			y := rowHeight * float64(i)
			d.text("label", "start", 0, y+16, clipped(r.Label))
			x := labelWidth
			for k, p := range r.Parts {
				w := room * within(p)
				d.rect("part p"+strconv.Itoa(k), x, y+5, w, 13)
				// A mark for each part, so that it is known without its colour.
				for at := x + 4; w >= 8 && k > 0 && at < x+w-2; at += 10 {
					d.path("hatch", fmt.Sprintf("M%s %sV%s", num(d.x(at)), num(y+18-13/float64(k+1)), num(y+18)))
				}
				x += w
			}
			d.text("value", "end", chartLeft+chartWidth, y+16, r.Value)
		}
	})
}

func within(share float64) float64 { return min(1, max(0, share)) }

// Lines are one or more lines over an axis that runs as the reader reads.
// Legend names them.
func Lines(f Figure, lines []Line, xs, ys []Tick) templ.Component {
	return chart(f, lineSwatch, chartHeight+chartBottom+8, func(d *drawing) {
		const top = 8.0
		for _, t := range ys {
			y := top + chartHeight*(1-within(t.At))
			d.path("rule", fmt.Sprintf("M%s %sH%s", num(d.x(chartLeft)), num(y), num(d.x(chartLeft+chartWidth))))
			d.text("tick", "end", chartLeft-6, y+4, t.Text)
		}
		for i, t := range xs {
			anchor := "middle"
			if i == 0 {
				anchor = "start"
			} else if i == len(xs)-1 {
				anchor = "end"
			}
			d.text("tick", anchor, chartLeft+chartWidth*within(t.At), top+chartHeight+16, t.Text)
		}
		for i, l := range lines {
			class := "s" + strconv.Itoa(i)
			if l.Plan {
				class += " plan"
			}
			if data := d.line(l, top); data != "" {
				d.path(class, data)
			}
		}
	})
}

func (d *drawing) line(l Line, top float64) string {
	var b strings.Builder
	for i, p := range l.Points {
		x, y := num(d.x(chartLeft+chartWidth*within(p.X))), num(top+chartHeight*(1-within(p.Y)))
		switch {
		case i == 0:
			fmt.Fprintf(&b, "M%s %s", x, y)
		case l.Step:
			fmt.Fprintf(&b, "H%sV%s", x, y)
		default:
			fmt.Fprintf(&b, "L%s %s", x, y)
		}
	}
	return b.String()
}

// Burn is a moment of a burn-down: how many are left.
type Burn struct {
	At   time.Time
	Left int64
}

// BurnDown is what is left of a target over the time there is, beside an even
// pace.
func BurnDown(f Figure, target int64, from, until time.Time, left []Burn, xs, ys []Tick) templ.Component {
	whole := until.Sub(from)
	l := Line{Step: true}
	for _, b := range left {
		if whole > 0 && target > 0 {
			l.Points = append(l.Points, Point{float64(b.At.Sub(from)) / float64(whole), float64(b.Left) / float64(target)})
		}
	}
	return Lines(f, []Line{l, {Points: []Point{{0, 1}, {1, 0}}, Plan: true}}, xs, ys)
}

// SurvivalCurve is the share that still stands over time, as steps; longest is
// where its axis ends.
func SurvivalCurve(f Figure, steps []concert.Survival, longest time.Duration, xs, ys []Tick) templ.Component {
	l := Line{Step: true}
	for _, s := range steps {
		if longest > 0 {
			l.Points = append(l.Points, Point{float64(s.After) / float64(longest), s.Share})
		}
	}
	if n := len(l.Points); n > 0 {
		l.Points = append(l.Points, Point{1, l.Points[n-1].Y})
	}
	return Lines(f, []Line{l}, xs, ys)
}
