package formats

import (
	"bytes"
	"fmt"
	"strconv"

	"concert"
)

// page is a notice as it is drawn: A4, one column, from right to left where the
// language is.
type page struct {
	sheet
	w *wording
}

// WritePDF draws the notice as a PDF for people and files: the same facts as its
// text, addresses defanged. Other scripts than Latin, Greek, Cyrillic and Arabic
// come out as boxes (docs/mail.md).
func WritePDF(n *Notice) ([]byte, error) {
	w, err := wordingOf(n.Lang)
	if err != nil {
		return nil, err
	}
	p := page{sheet: newSheet(n.Lang, n.Token, n.SentAt, w.texts["direction"] == "rtl"), w: w}
	p.SetAutoPageBreak(true, pdfMargin)
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
	width := p.pageWidth()
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
