package formats

import (
	"fmt"
	"io"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"

	"concert/internal/accesslog"
)

// pdfRows is how many rows of a table the PDF shows; all stand in report.json,
// report.csv and report.html.
const pdfRows = 25

// accessSheet is a report on access logs as it is drawn.
type accessSheet struct{ sheet }

// WriteAccessLogPDF draws the report as a PDF: A4, the same numbers, long tables
// cut. Its dates are the last access's, so that the same report gives the same
// bytes.
func WriteAccessLogPDF(w io.Writer, r *accesslog.Report) error {
	at, err := time.Parse(time.RFC3339, r.Last)
	if err != nil {
		at = time.Unix(0, 0)
	}
	p := &accessSheet{newSheet("en", accessLogTitle, at, false)}
	p.SetAutoPageBreak(true, pdfMargin)
	p.SetFooterFunc(func() {
		p.SetY(-13)
		p.text(8, 90, fmt.Sprintf("%s · page %d", accessLogTitle, p.PageNo()))
	})
	p.AddPage()
	p.text(18, 0, accessLogTitle)
	p.Ln(1)
	p.text(10, 60, accessPeriod(r, inEnglish))
	p.section("Before you read a number")
	for _, c := range r.Caveats {
		p.text(9, 0, "• "+c)
		p.Ln(1)
	}
	p.section("Figures")
	for _, f := range accessFacts(r, inEnglish) {
		p.fact(f)
	}
	for _, t := range accessTables(r, inEnglish) {
		p.section(t.title)
		p.text(8, 90, r.Definitions[t.definition])
		p.Ln(1.5)
		switch t.id {
		case "countries":
			if len(t.rows) > 0 {
				if err := p.worldMap(r); err != nil {
					return err
				}
			}
		case "days":
			bars, _ := dayBars(r)
			p.bars(bars, r.Bots != nil)
		case "hours":
			p.bars(hourBars(r), false)
			continue // the columns say enough on paper
		}
		p.table(t)
	}
	p.section("What this rests on")
	for _, s := range append(accessSources(r, inEnglish), r.Definitions["redaction"]) {
		p.text(9, 0, "• "+s)
		p.Ln(1)
	}
	if err := p.Output(w); err != nil {
		return fmt.Errorf("draw the report: %w", err)
	}
	return nil
}

// text is a paragraph.
func (p *accessSheet) text(size float64, grey int, text string) {
	p.SetFont(pdfFont, "", size)
	p.SetTextColor(grey, grey, grey)
	for _, line := range p.wrap(text, p.width()) {
		p.CellFormat(0, size*0.5, line, "", 1, "L", false, 0, "")
	}
	p.SetTextColor(0, 0, 0)
}

func (p *accessSheet) section(title string) {
	if p.GetY() > 235 {
		p.AddPage()
	}
	p.Ln(5)
	p.SetFont(pdfFont, "", 12)
	p.SetFillColor(222, 232, 241)
	p.CellFormat(0, 7.5, title, "", 1, "L", true, 0, "")
	p.Ln(1.5)
}

// fact is a figure with its definition below.
func (p *accessSheet) fact(f [3]string) {
	if p.GetY() > 262 {
		p.AddPage()
	}
	p.SetFont(pdfFont, "", 10.5)
	p.CellFormat(60, 5.5, f[0], "", 0, "L", false, 0, "")
	p.CellFormat(45, 5.5, f[1], "", 1, "R", false, 0, "")
	p.text(8, 90, f[2])
	p.Ln(1.5)
}

// columns are the widths of a table's columns: numbers need 26 millimetres.
func (p *accessSheet) columns(t accessTable) []float64 {
	widths := make([]float64, len(t.head))
	rest := p.width()
	for i := 1; i < len(widths); i++ {
		widths[i] = 30
		if t.id == "inputs" {
			widths[i] = 20
			if i == 2 {
				widths[i] = 26
			}
		}
		rest -= widths[i]
	}
	widths[0] = rest
	return widths
}

func (p *accessSheet) table(t accessTable) {
	if len(t.rows) == 0 {
		p.text(9, 0, t.empty)
		return
	}
	widths := p.columns(t)
	p.SetDrawColor(190, 198, 206)
	p.tableRow(t, widths, t.head, 8)
	for i, row := range t.rows {
		if i == pdfRows && len(t.rows) > pdfRows+3 {
			p.text(8, 90, fmt.Sprintf("%d more rows in report.html, report.csv and report.json.", len(t.rows)-pdfRows))
			break
		}
		p.tableRow(t, widths, row, 9)
	}
	p.SetDrawColor(0, 0, 0)
}

// tableRow draws a row whose first cell may take several lines.
func (p *accessSheet) tableRow(t accessTable, widths []float64, row []string, size float64) {
	p.SetFont(pdfFont, "", size)
	lines := p.wrap(row[0], widths[0]-3)
	height := float64(len(lines))*4.6 + 0.6
	if p.GetY()+height > 297-pdfMargin {
		p.AddPage()
		p.SetFont(pdfFont, "", size)
	}
	top := p.GetY()
	for i, line := range lines {
		p.SetXY(pdfMargin, top+float64(i)*4.6)
		p.CellFormat(widths[0], 4.6, line, "", 0, "L", false, 0, "")
	}
	x := pdfMargin + widths[0]
	for i, cell := range row[1:] {
		align := "R"
		if t.id == "inputs" && i < 2 {
			align = "L"
		}
		p.SetXY(x, top)
		p.CellFormat(widths[i+1], 4.6, strings.ReplaceAll(cell, "\u202f", "\u00a0"), "", 0, align, false, 0, "")
		x += widths[i+1]
	}
	p.Line(pdfMargin, top+height, pdfMargin+p.width(), top+height)
	p.SetXY(pdfMargin, top+height+0.2)
}

// mapColours are the classes' colours, from none to most, as on the page.
var mapColours = [7][3]int{{211, 217, 223}, {191, 220, 240}, {140, 192, 224}, {79, 155, 202}, {37, 113, 168}, {19, 75, 124}, {6, 38, 74}}

// worldMap draws the countries; the table below has the numbers.
func (p *accessSheet) worldMap(r *accesslog.Report) error {
	scale := p.width() / mapWidth
	if p.GetY()+mapHeight*scale+12 > 297-pdfMargin {
		p.AddPage()
	}
	top := p.GetY() + 1
	most := 0
	p.SetDrawColor(255, 255, 255)
	p.SetLineWidth(0.1)
	for _, s := range mapShapes() {
		class := mapClass(mapNumber(r.Countries[s.code]))
		most = max(most, class)
		rings, err := mapRings(s.path)
		if err != nil {
			return err
		}
		c := mapColours[class]
		p.SetFillColor(c[0], c[1], c[2])
		for _, ring := range rings {
			points := make([]fpdf.PointType, 0, len(ring))
			for _, at := range ring {
				points = append(points, fpdf.PointType{X: pdfMargin + at[0]*scale, Y: top + at[1]*scale})
			}
			p.Polygon(points, "FD")
		}
	}
	p.SetLineWidth(0.2)
	p.SetDrawColor(120, 130, 140)
	p.SetXY(pdfMargin, top+mapHeight*scale+1)
	p.SetFont(pdfFont, "", 8)
	for class := range most + 1 {
		c := mapColours[class]
		p.SetFillColor(c[0], c[1], c[2])
		p.Rect(p.GetX()+1, p.GetY()+0.7, 5, 3, "FD")
		p.SetX(p.GetX() + 7)
		label := strings.ReplaceAll(mapLegend(inEnglish, class), "\u202f", "\u00a0")
		p.CellFormat(p.GetStringWidth(label)+4, 4.4, label, "", 0, "L", false, 0, "")
	}
	p.SetDrawColor(0, 0, 0)
	p.Ln(5)
	what := "Visitors by address"
	if r.Bots != nil {
		what += " without known bots"
	}
	p.text(8, 90, what+". Shapes: Natural Earth 1:110m (public domain), Equal Earth projection; small states are in the table only. Outlines say nothing about claims to territory.")
	p.Ln(2)
	return nil
}

// bars draws columns over the width of the page.
func (p *accessSheet) bars(bars []accessBar, parted bool) {
	if len(bars) == 0 {
		return
	}
	const height, left = 38.0, 20.0
	if p.GetY()+height+14 > 297-pdfMargin {
		p.AddPage()
	}
	top := p.GetY() + 2
	most := roundUp(mostOf(bars))
	p.SetFont(pdfFont, "", 7.5)
	p.SetDrawColor(195, 204, 213)
	for i := range 3 {
		y := top + height*float64(i)/2
		p.Line(pdfMargin+left, y, pdfMargin+p.width(), y)
		p.SetXY(pdfMargin, y-2)
		p.CellFormat(left-1, 4, strings.ReplaceAll(grouped(most*int64(2-i)/2), "\u202f", "\u00a0"), "", 0, "R", false, 0, "")
	}
	step := (p.width() - left) / float64(len(bars))
	every := max(1, (len(bars)+7)/8)
	for i, b := range bars {
		x := pdfMargin + left + float64(i)*step
		h := height * float64(b.all) / float64(most)
		p.SetFillColor(29, 78, 121)
		p.Rect(x, top+height-h, step*0.85, h, "F")
		if bot := height * float64(b.bots) / float64(most); parted && b.bots > 0 {
			p.SetFillColor(217, 119, 6)
			p.Rect(x, top+height-bot, step*0.85, bot, "F")
		}
		if i%every == 0 && (i == 0 || i+every/2 < len(bars)) {
			p.SetXY(x+step/2-10, top+height+0.5)
			p.CellFormat(20, 4, b.label, "", 0, "C", false, 0, "")
		}
	}
	p.SetDrawColor(0, 0, 0)
	p.SetXY(pdfMargin, top+height+5)
	if parted {
		p.text(8, 90, "Blue: all accesses; orange, at the foot: those by known bots.")
	}
	p.Ln(2)
}
