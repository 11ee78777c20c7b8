package formats

import (
	"fmt"
	"strconv"
	"time"

	"concert/internal/accesslog"
)

// bar is one column of a chart: all, and the part of it that bots made.
type accessBar struct {
	label     string
	all, bots int64
}

// The charts' inner size.
const (
	barsWidth  = 900.0
	barsHeight = 200.0
	barsLeft   = 74.0
	barsFoot   = 24.0
)

// manyDays is from when on a chart shows months: a column would be too thin.
const manyDays = 400

// dayBars are the days from the first to the last, those without an access too.
func dayBars(r *accesslog.Report) (bars []accessBar, unit string) {
	if len(r.PerDay) == 0 {
		return nil, ""
	}
	first, err1 := time.Parse(time.DateOnly, r.PerDay[0].Day)
	last, err2 := time.Parse(time.DateOnly, r.PerDay[len(r.PerDay)-1].Day)
	if err1 != nil || err2 != nil {
		return nil, ""
	}
	form, unit := time.DateOnly, "day"
	if last.Sub(first) > manyDays*24*time.Hour {
		form, unit = "2006-01", "month"
	}
	at := map[string]int{}
	for d := first; !d.After(last); d = d.AddDate(0, 0, 1) {
		if label := d.Format(form); len(bars) == 0 || bars[len(bars)-1].label != label {
			at[label] = len(bars)
			bars = append(bars, accessBar{label: label})
		}
	}
	for _, d := range r.PerDay {
		b := &bars[at[d.Day[:len(form)]]]
		b.all += d.Accesses
		if d.Bots != nil {
			b.bots += *d.Bots
		}
	}
	return bars, unit
}

func hourBars(r *accesslog.Report) []accessBar {
	var bars []accessBar
	for _, h := range r.Hours {
		bars = append(bars, accessBar{label: fmt.Sprintf("%02d", h.Hour), all: h.Accesses})
	}
	return bars
}

func (p *accessPage) dayChart(r *accesslog.Report) {
	bars, unit := dayBars(r)
	if len(bars) == 0 {
		return
	}
	title := p.say("Accesses by day in UTC")
	if unit == "month" {
		title = p.say("Accesses by month in UTC")
	}
	p.bars(bars, title, r.Bots != nil)
}

func (p *accessPage) hourChart(r *accesslog.Report) {
	p.bars(hourBars(r), p.say("Accesses by hour of the day in UTC"), false)
}

func short(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }

// roundUp is the next round number: 1, 2 or 5 times a power of ten.
func roundUp(n int64) int64 {
	for unit := int64(1); ; unit *= 10 {
		for _, k := range []int64{1, 2, 5} {
			if k*unit >= n || unit >= 1e17 {
				return k * unit
			}
		}
	}
}

func mostOf(bars []accessBar) int64 {
	most := int64(1)
	for _, b := range bars {
		most = max(most, b.all)
	}
	return most
}

// bars draws columns; each says its label and number. Time runs from left to right
// in every language.
func (p *accessPage) bars(bars []accessBar, title string, parted bool) {
	most := mostOf(bars)
	top := roundUp(most)
	p.printf("<figure>\n<figcaption>%s</figcaption>\n", esc(title))
	p.printf("<div class=\"wide\" role=\"group\" tabindex=\"0\" aria-label=\"%s\">\n<svg viewBox=\"0 0 %g %g\" role=\"img\" aria-label=\"%s\">\n", esc(title), barsWidth, barsHeight+barsFoot+10, esc(p.say("%s: %d columns, the highest %s; the table has the numbers", title, len(bars), grouped(most))))
	for i := range 3 {
		y := 6 + barsHeight*float64(i)/2
		p.printf("<line class=\"axis\" x1=\"%g\" x2=\"%g\" y1=\"%s\" y2=\"%s\"></line><text direction=\"ltr\" class=\"e\" x=\"%g\" y=\"%s\">%s</text>\n", barsLeft, barsWidth, short(y), short(y), barsLeft-6, short(y+4), grouped(top*int64(2-i)/2))
	}
	step := (barsWidth - barsLeft) / float64(len(bars))
	for i, b := range bars {
		x, h := barsLeft+float64(i)*step, barsHeight*float64(b.all)/float64(top)
		width := max(step-max(step*0.15, 0.2), 0.5)
		text := b.label + ": " + grouped(b.all)
		if parted {
			text = p.say("%s: %s, of them by known bots %s", b.label, grouped(b.all), grouped(b.bots))
		}
		p.printf("<g><title>%s</title><rect class=\"bar\" x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\"></rect>", esc(text), short(x), short(6+barsHeight-h), short(width), short(h))
		if bot := barsHeight * float64(b.bots) / float64(top); parted && b.bots > 0 {
			p.printf("<rect class=\"bot\" x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\"></rect>", short(x), short(6+barsHeight-bot), short(width), short(bot))
		}
		p.printf("</g>\n")
		if every := max(1, (len(bars)+9)/10); i%every == 0 && (i == 0 || i+every/2 < len(bars)) {
			p.printf("<text direction=\"ltr\" class=\"m\" x=\"%s\" y=\"%g\">%s</text>\n", short(x+width/2), 6+barsHeight+18, esc(b.label))
		}
	}
	p.printf("</svg>\n</div>\n")
	if parted {
		p.printf("<ul class=\"legend\">\n<li><svg viewBox=\"0 0 20 12\" width=\"20\" height=\"12\" aria-hidden=\"true\"><rect class=\"bar\" width=\"20\" height=\"12\"></rect></svg> %s</li>\n<li><svg viewBox=\"0 0 20 12\" width=\"20\" height=\"12\" aria-hidden=\"true\"><rect class=\"bot\" width=\"20\" height=\"12\"></rect></svg> %s</li>\n</ul>\n", esc(p.say("not by known bots")), esc(p.say("by known bots (below)")))
	}
	p.printf("</figure>\n")
}

// statusChart draws a line for each status, in the table's order.
func (p *accessPage) statusChart(t accessTable) {
	rows := t.rows[:min(len(t.rows), 10)]
	if len(rows) == 0 {
		return
	}
	number := func(row []string) int64 {
		n := int64(0)
		for _, c := range row[1] {
			if c >= '0' && c <= '9' {
				n = n*10 + int64(c-'0')
			}
		}
		return n
	}
	most := max(number(rows[0]), 1)
	height := float64(len(rows))*24 + 4
	title := p.say("Accesses by status, the most frequent")
	p.printf("<figure>\n<figcaption>%s</figcaption>\n<div class=\"wide\" role=\"group\" tabindex=\"0\" aria-label=\"%s\">\n<svg viewBox=\"0 0 %g %g\" role=\"img\" aria-label=\"%s\">\n", esc(title), esc(title), barsWidth, height, esc(p.say("Accesses by status; the table has the numbers")))
	for i, row := range rows {
		y := float64(i)*24 + 2
		w := max((barsWidth-barsLeft-140)*float64(number(row))/float64(most), 0.5)
		p.printf("<text direction=\"ltr\" class=\"e\" x=\"%g\" y=\"%s\">%s</text><rect class=\"bar\" x=\"%g\" y=\"%s\" width=\"%s\" height=\"18\"></rect><text direction=\"ltr\" x=\"%s\" y=\"%s\">%s</text>\n", barsLeft-6, short(y+14), esc(row[0]), barsLeft, short(y), short(w), short(barsLeft+w+6), short(y+14), esc(row[1]))
	}
	p.printf("</svg>\n</div>\n</figure>\n")
}
