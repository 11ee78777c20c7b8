package formats

import (
	_ "embed"
	"fmt"
	"io"
	"strconv"
	"strings"

	"concert"
)

//go:embed publicreport.css
var publicReportStyle string

// reportTitle is what the report is, by its article.
func reportTitle(article int) string {
	switch article {
	case 7:
		return "Transparency report of a hosting service provider"
	case 8:
		return "Transparency report of a competent authority"
	}
	return "Monitoring data of a Member State"
}

const (
	reportBasis      = "Every number is of the requests that went out in the year, as they stood at the check date, and is counted from the events of a log that anyone can have and recount: concert report verify. The units item, URL, account and request are never added up with one another. What a provider says it did and what was seen are two numbers."
	reportSuppressed = "“not shown”: a number from 1 to 4, or one that would give such a number away. Requests that the register lists one by one are not hidden."
	reportExercise   = "EXERCISE: every authority, provider and number here is invented."
)

// reportFacts are what the report is about and rests on, label by label.
func reportFacts(r concert.PublicReport, name string) [][2]string {
	who := map[int]string{7: "Provider", 8: "Authority", 21: "Member State"}[r.Article]
	subject := r.Subject
	if name != "" && name != r.Subject {
		subject = name + " (" + r.Subject + ")"
	}
	year := strconv.Itoa(r.Year)
	if r.Running {
		year += " (not over: the numbers will change)"
	}
	return [][2]string{
		{"Legal basis", "Regulation (EU) 2021/784, Article " + strconv.Itoa(r.Article)},
		{who, subject},
		{"Year", year},
		{"Check date", r.AsOf.UTC().Format(asOfForm)},
		{"Log", strconv.FormatInt(r.Size, 10) + " events, root " + r.Root},
	}
}

// lineNumber is a number with its denominator as it is read.
func lineNumber(l concert.PublicReportLine) (n, of string) {
	switch {
	case l.Metric == "":
		return "not recorded", ""
	case l.N == concert.Few:
		n = "not shown"
	default:
		n = strconv.FormatInt(l.N, 10)
	}
	if l.Of == "" {
		return n, ""
	}
	if l.OfN == concert.Few {
		return n, "of " + string(l.Of)
	}
	return n, "of " + strconv.FormatInt(l.OfN, 10) + " " + string(l.Of)
}

// lineText is what the line counts, with the day of our newest look where it rests on
// one.
func lineText(l concert.PublicReportLine) string {
	if l.CheckedOn != "" {
		return l.Definition + "; newest look " + l.CheckedOn
	}
	return l.Definition
}

// WriteReportHTML writes the report as one page without anything from elsewhere. The
// same report gives the same bytes.
func WriteReportHTML(w io.Writer, r concert.PublicReport, name string) error {
	p := annexPage{top: 1}
	p.printf("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>%s · %s · %d</title>\n<style>\n%s</style>\n</head>\n<body>\n<main>\n", esc(reportTitle(r.Article)), esc(r.Subject), r.Year, publicReportStyle)
	if r.Exercise {
		p.printf("<p class=\"exercise\"><strong>%s</strong></p>\n", esc(reportExercise))
	}
	p.heading(0, reportTitle(r.Article))
	p.printf("<dl>\n")
	for _, f := range reportFacts(r, name) {
		p.printf("<dt>%s</dt>\n<dd>%s</dd>\n", esc(f[0]), esc(f[1]))
	}
	p.printf("</dl>\n<p>%s</p>\n<p>%s</p>\n", esc(reportBasis), esc(reportSuppressed))
	point := ""
	for i, l := range r.Lines {
		if l.Point != point {
			point = l.Point
			p.heading(1, point)
			p.printf("<table>\n<thead><tr><th scope=\"col\">Figure</th><th scope=\"col\" class=\"n\">Number</th><th scope=\"col\">Unit</th><th scope=\"col\">Denominator</th><th scope=\"col\">What it counts</th></tr></thead>\n<tbody>\n")
		}
		n, of := lineNumber(l)
		figure := string(l.Metric)
		if figure == "" {
			figure = "–"
		}
		p.printf("<tr><th scope=\"row\"><code>%s</code></th><td class=\"n\">%s</td><td>%s</td><td>%s</td><td>%s</td></tr>\n", esc(figure), esc(n), esc(string(l.Unit)), esc(of), esc(lineText(l)))
		if i+1 == len(r.Lines) || r.Lines[i+1].Point != point {
			p.printf("</tbody>\n</table>\n")
		}
	}
	p.heading(1, "Units")
	p.printf("<dl>\n")
	for _, u := range concert.CountingUnits {
		p.printf("<dt>%s</dt>\n<dd>%s</dd>\n", esc(string(u)), esc(concert.UnitDefinitions[u]))
	}
	p.printf("</dl>\n</main>\n</body>\n</html>\n")
	if _, err := io.WriteString(w, p.String()); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// reportSheet is a report as it is drawn.
type reportSheet struct{ sheet }

// WriteReportPDF draws the report as a PDF: A4, from the same numbers. The same report
// gives the same bytes.
func WriteReportPDF(w io.Writer, r concert.PublicReport, name string) error {
	p := reportSheet{newSheet("en", reportTitle(r.Article)+" · "+r.Subject+" · "+strconv.Itoa(r.Year), r.AsOf, false)}
	p.SetAutoPageBreak(true, pdfMargin)
	p.SetFooterFunc(func() {
		p.SetY(-13)
		foot := "Article " + strconv.Itoa(r.Article) + " · " + r.Subject + " · " + strconv.Itoa(r.Year) + " · page " + strconv.Itoa(p.PageNo())
		if r.Exercise {
			foot = "EXERCISE · " + foot
		}
		p.paragraph(8, 90, foot)
	})
	p.AddPage()
	if r.Exercise {
		p.SetFont(pdfFont, "", 10)
		p.CellFormat(0, 7, reportExercise, "1", 1, "C", false, 0, "")
		p.Ln(3)
	}
	p.paragraph(16, 0, reportTitle(r.Article))
	p.Ln(2)
	for _, f := range reportFacts(r, name) {
		p.paragraph(8, 90, f[0])
		p.paragraph(10, 0, f[1])
		p.Ln(1)
	}
	p.Ln(2)
	p.paragraph(9, 0, reportBasis)
	p.Ln(1)
	p.paragraph(9, 0, reportSuppressed)
	point := ""
	for _, l := range r.Lines {
		if l.Point != point {
			point = l.Point
			p.section(point)
		}
		p.figure(l)
	}
	p.section("Units")
	for _, u := range concert.CountingUnits {
		p.paragraph(9, 0, string(u)+": "+concert.UnitDefinitions[u])
		p.Ln(1)
	}
	if err := p.Output(w); err != nil {
		return fmt.Errorf("draw the report: %w", err)
	}
	return nil
}

func (p *reportSheet) paragraph(size float64, grey int, text string) {
	p.SetFont(pdfFont, "", size)
	p.SetTextColor(grey, grey, grey)
	for _, line := range p.wrap(text, p.width()) {
		p.CellFormat(0, size*0.5, line, "", 1, "L", false, 0, "")
	}
	p.SetTextColor(0, 0, 0)
}

func (p *reportSheet) section(title string) {
	if p.GetY() > 250 {
		p.AddPage()
	}
	p.Ln(5)
	p.SetFont(pdfFont, "", 11)
	p.SetFillColor(228, 228, 228)
	p.CellFormat(0, 7, title, "", 1, "L", true, 0, "")
	p.Ln(1)
}

// Widths of a line's columns, in millimetres.
const (
	reportNumberWidth = 28.0
	reportUnitWidth   = 22.0
)

// figure is one line: what it counts at the left, its number and unit at the right.
func (p *reportSheet) figure(l concert.PublicReportLine) {
	n, of := lineNumber(l)
	text := lineText(l)
	if of != "" {
		text += " (" + of + ")"
	}
	left := p.width() - reportNumberWidth - reportUnitWidth
	p.SetFont(pdfFont, "", 9.5)
	lines := p.wrap(text, left-3)
	height := float64(len(lines))*pdfLine + 5
	if p.GetY()+height > 297-pdfMargin {
		p.AddPage()
	}
	top := p.GetY()
	for i, line := range lines {
		p.SetXY(pdfMargin, top+float64(i)*pdfLine)
		p.CellFormat(left, pdfLine, line, "", 0, "L", false, 0, "")
	}
	p.SetXY(pdfMargin+left, top)
	p.CellFormat(reportNumberWidth, pdfLine, n, "", 0, "R", false, 0, "")
	p.SetXY(pdfMargin+left+reportNumberWidth+2, top)
	p.CellFormat(reportUnitWidth, pdfLine, string(l.Unit), "", 0, "L", false, 0, "")
	p.SetFont(pdfFont, "", 7.5)
	p.SetTextColor(90, 90, 90)
	p.SetXY(pdfMargin, top+float64(len(lines))*pdfLine-0.5)
	p.CellFormat(left, 4, strings.TrimSpace(string(l.Metric)), "", 0, "L", false, 0, "")
	p.SetTextColor(0, 0, 0)
	p.SetDrawColor(200, 200, 200)
	p.Line(pdfMargin, top+height-1, p.pageWidth()-pdfMargin, top+height-1)
	p.SetDrawColor(0, 0, 0)
	p.SetXY(pdfMargin, top+height)
}
