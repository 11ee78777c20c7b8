package formats

import (
	"bytes"
	_ "embed"
	"fmt"
	"strconv"
	"strings"

	"codeberg.org/go-pdf/fpdf"

	"concert"
)

// The font covers Latin, Greek, Cyrillic and Arabic with its presentation forms.
// Its licence stands beside it. It is one for all: a second would double the time
// of a drawing, most of which goes into cutting the font down.
//
//go:embed font/DejaVuSansCondensed.ttf
var plainFont []byte

const (
	pdfMargin = 18.0 // millimetres
	pdfLine   = 5.0
	pdfFont   = "DejaVu"
)

// page is a notice as it is drawn: A4, one column, from right to left where the
// language is.
type page struct {
	*fpdf.Fpdf
	w   *wording
	rtl bool
}

// WritePDF draws the notice as a PDF for people and files: the same facts as its
// text, addresses defanged. Other scripts than Latin, Greek, Cyrillic and Arabic
// come out as boxes (docs/mail.md).
func WritePDF(n *Notice) ([]byte, error) {
	w, err := wordingOf(n.Lang)
	if err != nil {
		return nil, err
	}
	p := page{Fpdf: fpdf.New("P", "mm", "A4", ""), w: w, rtl: w.texts["direction"] == "rtl"}
	p.SetMargins(pdfMargin, pdfMargin, pdfMargin)
	p.SetAutoPageBreak(true, pdfMargin)
	p.AddUTF8FontFromBytes(pdfFont, "", plainFont)
	p.SetTitle(n.Token, true)
	p.SetLang(n.Lang)
	p.SetProducer("Concert", true)
	p.SetCatalogSort(true) // the same notice is the same bytes
	p.SetCreationDate(n.SentAt.UTC())
	p.SetModificationDate(n.SentAt.UTC())
	p.SetFooterFunc(func() {
		p.SetY(-13)
		p.SetFont(pdfFont, "", 8)
		p.line(p.w.say("page", "n", strconv.Itoa(p.PageNo())) + " " + p.parting() + "· " + p.w.apart("["+n.Token+"]"))
	})
	p.AddPage()
	if n.Exercise {
		p.boxed(w.say("exercise"))
	}
	p.text(16, "["+n.Token+"]")
	p.text(10, w.say("greeting", "provider", n.Provider))
	for i := range n.Parts {
		p.part(n, &n.Parts[i])
	}
	p.rule()
	p.text(9, w.say(n.attached(), "keys", n.Keys))
	p.text(9, w.say("answer.portal", "base", n.Base))
	p.text(9, w.say("answer.reply"))
	p.text(9, w.say("footer", "token", "["+n.Token+"]"))
	if w.fault != nil {
		return nil, w.fault
	}
	var b bytes.Buffer
	if err := p.Output(&b); err != nil {
		return nil, fmt.Errorf("draw the notice %s: %w", n.Token, err)
	}
	return b.Bytes(), nil
}

func (p *page) part(n *Notice, part *NoticePart) {
	p.rule()
	p.text(13, p.w.heading(part))
	p.text(10, p.w.say("intro."+string(part.Kind), "author", part.Payload.Author.Name, "country", part.Payload.Author.Country, "sender", n.Sender))
	if part.Kind == concert.NoticeReferral || part.Kind == concert.NoticeReminder {
		p.boxed(p.w.say("voluntary"))
		if n.Lang != "en" {
			rtl := p.rtl
			p.rtl = false
			p.boxed(concert.VoluntaryNotice)
			p.rtl = rtl
		}
	}
	for _, f := range p.w.partFields(part) {
		p.field(f)
	}
	// The link is a key: it stands in the mail's text alone, since a PDF is passed
	// on and filed.
	for i := range part.Payload.Items {
		it := &part.Payload.Items[i]
		if p.GetY() > 240 {
			p.AddPage()
		}
		p.Ln(2)
		p.text(11, p.w.say("item", "n", strconv.Itoa(i+1), "count", strconv.Itoa(len(part.Payload.Items)), "item", it.Ref))
		for _, f := range p.w.itemFields(it) {
			p.field(f)
		}
	}
}

func (p *page) rule() {
	p.Ln(2)
	width, _ := p.GetPageSize()
	p.SetDrawColor(120, 120, 120)
	p.Line(pdfMargin, p.GetY(), width-pdfMargin, p.GetY())
	p.Ln(2)
}

func (p *page) boxed(s string) {
	p.SetFont(pdfFont, "", 10)
	p.SetFillColor(240, 240, 240)
	for _, l := range p.wrap(s, p.width()-4) {
		p.CellFormat(0, pdfLine+0.5, visual(l, p.rtl), "", 1, p.align(), true, 0, "")
	}
	p.Ln(1.5)
}

func (p *page) text(size float64, s string) {
	p.SetFont(pdfFont, "", size)
	p.line(s)
	p.Ln(1)
}

func (p *page) field(f field) {
	p.SetFont(pdfFont, "", 9)
	p.line(f.label + ": " + f.value)
}

// line prints a paragraph, wrapped.
func (p *page) line(s string) {
	for _, l := range p.wrap(s, p.width()) {
		p.CellFormat(0, pdfLine, visual(l, p.rtl), "", 1, p.align(), false, 0, "")
	}
}

func (p *page) parting() string {
	if p.rtl {
		return rightToLeft
	}
	return ""
}

func (p *page) align() string {
	if p.rtl {
		return "R"
	}
	return "L"
}

func (p *page) width() float64 {
	width, _ := p.GetPageSize()
	return width - 2*pdfMargin - 2
}

// wrap shapes the text and breaks it into lines that fit; a word that is wider
// than a line is cut.
func (p *page) wrap(s string, width float64) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(shaped(basic(s))) {
		for p.GetStringWidth(word) > width {
			cut := []rune(word)
			n := len(cut)
			for n > 1 && p.GetStringWidth(string(cut[:n])) > width {
				n = n * 3 / 4
			}
			if line != "" {
				lines = append(lines, line)
				line = ""
			}
			lines = append(lines, string(cut[:n]))
			word = string(cut[n:])
		}
		if line != "" && p.GetStringWidth(line+" "+word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

// basic replaces what lies beyond the Basic Multilingual Plane, which the library
// does not draw.
func basic(s string) string {
	return strings.Map(func(r rune) rune {
		if r > 0xffff {
			return '□'
		}
		return r
	}, s)
}
