package formats

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"codeberg.org/go-pdf/fpdf"
	"github.com/boombuler/barcode/qr"
	"golang.org/x/text/unicode/bidi"

	"concert"
)

// Measures of a form in millimetres; sizes of letters in points.
const (
	annexInside = 3.0  // between a box and what stands in it
	annexFoot   = 18.0 // kept free for the foot of a page
	annexQR     = 32.0 // side of the QR code
	annexTick1  = 3.2  // side of a tick box
)

// OrderPDF is an order as Annex I, with the signed original attached as order.json
// where the options give it. The same data give the same bytes.
func OrderPDF(lang string, p concert.OrderPayload, o AnnexOptions) ([]byte, error) {
	return annexBytes(lang, o, func(w *AnnexWords) (*AnnexDocument, error) { return w.Order(p, o) }, annexPDF)
}

// FeedbackPDF is a feedback as Annex II; the original is attached as feedback.json.
func FeedbackPDF(lang string, p concert.OrderFeedback, o AnnexOptions) ([]byte, error) {
	return annexBytes(lang, o, func(w *AnnexWords) (*AnnexDocument, error) { return w.Feedback(p, o) }, annexPDF)
}

// ImpossiblePDF is the statement that an order cannot be carried out as Annex III;
// the original is attached as impossible.json.
func ImpossiblePDF(lang string, p concert.OrderImpossible, o AnnexOptions) ([]byte, error) {
	return annexBytes(lang, o, func(w *AnnexWords) (*AnnexDocument, error) { return w.Impossible(p, o) }, annexPDF)
}

func annexPDF(out io.Writer, d *AnnexDocument, _ bool) error { return AnnexPDF(out, d) }

// AnnexPDF draws the form as a PDF, A4, in boxes as the Official Journal has them.
// What its metadata and its form lack for PDF/A stands in docs/formats/annex.md.
func AnnexPDF(out io.Writer, d *AnnexDocument) error {
	// It is drawn twice: the first time says how many pages there are.
	count := 0
	if p := drawAnnex(d, 0); p.Error() == nil {
		count = p.PageCount()
	}
	p := drawAnnex(d, count)
	if p.fault == nil {
		p.fault = p.Output(out)
	}
	if p.fault != nil {
		return fmt.Errorf("draw the form %s: %w", d.ref, p.fault)
	}
	return nil
}

// annexSheet is a form as it is drawn. box is where the open box began on this
// page, below zero for none.
type annexSheet struct {
	sheet
	d     *AnnexDocument
	box   float64
	fault error
}

func drawAnnex(d *AnnexDocument, count int) *annexSheet {
	w := d.words
	title := w.say(d.kind+".title") + " · " + d.ref
	p := &annexSheet{sheet: newSheet(concert.LanguageBase(w.Language), title, d.at, w.Direction == "rtl"), d: d, box: -1}
	p.SetAutoPageBreak(false, annexFoot)
	p.SetCellMargin(0)
	p.SetXmpMetadata(d.metadata(title))
	if d.file != nil {
		p.SetAttachments([]fpdf.Attachment{{Content: d.file, Filename: d.fileName, Description: basic(title)}})
	}
	p.SetHeaderFunc(func() {
		p.SetTextColor(0, 0, 0)
		if d.exercise {
			p.SetY(8)
			p.banner(w.say("exercise"))
		}
		p.SetY(pdfMargin)
	})
	p.SetFooterFunc(func() {
		p.SetY(-13)
		p.SetTextColor(0, 0, 0)
		p.SetFont(pdfFont, "", 8)
		n := w.say("page", "n", strconv.Itoa(p.PageNo()), "count", strconv.Itoa(count))
		ref := []rune(visibleCode(d.ref))
		if len(ref) > 60 {
			ref = append(ref[:59], '…')
		}
		line := n + " " + p.parting() + "· " + w.apart(string(ref))
		p.CellFormat(0, pdfLine, visual(shaped(basic(line)), p.rtl), "", 1, "C", false, 0, "")
	})
	p.AddPage()
	p.head()
	for i, s := range d.sections {
		p.section(s, i == len(d.sections)-1)
	}
	return p
}

// metadata is the XMP packet: title, language, reference and time. It claims no
// conformance to PDF/A, which the file does not have.
func (d *AnnexDocument) metadata(title string) []byte {
	at := d.at.UTC().Format("2006-01-02T15:04:05Z")
	return fmt.Appendf(nil, `<?xpacket begin="`+"\ufeff"+`" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/">
<dc:format>application/pdf</dc:format><dc:identifier>%s</dc:identifier><dc:language><rdf:Bag><rdf:li>%s</rdf:li></rdf:Bag></dc:language><dc:title><rdf:Alt><rdf:li xml:lang="x-default">%s</rdf:li></rdf:Alt></dc:title>
<xmp:CreateDate>%s</xmp:CreateDate><xmp:ModifyDate>%s</xmp:ModifyDate><pdf:Producer>Concert</pdf:Producer>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>`, esc(d.ref), concert.LanguageBase(d.words.Language), esc(title), at, at)
}

// head is what stands above the sections.
func (p *annexSheet) head() {
	w, d := p.d.words, p.d
	p.middle(11, w.say(d.kind+".annex"))
	p.middle(15, w.say(d.kind+".title"))
	p.middle(9, w.say(d.kind+".article"))
	p.Ln(2)
	if !w.Official {
		p.lines(annexLine{text: w.say("sign.translation"), size: 9})
		p.Ln(1)
	}
	for _, text := range d.intro {
		p.lines(annexLine{text: text, size: 9.5})
		p.Ln(1.5)
	}
	if d.duty != "" {
		p.Ln(1)
		p.open()
		p.Ln(1.5)
		p.lines(annexLine{text: d.duty, size: 9.5, base: "ltr"})
		p.Ln(1.5)
		p.close()
	}
}

// section is a box with its title on grey; the last one holds the QR code.
func (p *annexSheet) section(s annexSection, last bool) {
	p.Ln(4)
	p.SetFont(pdfFont, "", 10.5)
	title := p.wrap(s.title, p.inner(0))
	p.room(float64(len(title))*pdfLine + 3 + 4*pdfLine)
	width := p.pageWidth()
	top := p.GetY()
	p.SetFillColor(228, 228, 228)
	p.Rect(pdfMargin, top, width-2*pdfMargin, float64(len(title))*pdfLine+3, "F")
	p.open()
	p.Ln(1.5)
	p.lines(annexLine{text: s.title, size: 10.5})
	p.Ln(1.5)
	p.blocks(s.blocks, 0)
	if last && p.d.check != "" {
		p.code(p.d.check)
	}
	p.Ln(2)
	p.close()
}

func (p *annexSheet) blocks(blocks []annexBlock, indent float64) {
	for _, b := range blocks {
		if b.note != "" {
			p.Ln(1.5)
			p.room(2 * pdfLine)
			p.lines(annexLine{text: b.note, size: 9, indent: indent})
		}
		if b.label != "" {
			p.Ln(1.5)
			p.SetFont(pdfFont, "", 8.5)
			p.room(float64(len(p.wrap(b.label, p.inner(indent)))+1) * pdfLine)
			p.lines(annexLine{text: b.label, size: 8.5, indent: indent, grey: 75})
		}
		for _, v := range b.values {
			p.lines(p.valueLine(v, indent))
		}
		for _, t := range b.ticks {
			p.tick(t, indent)
		}
		for i, entry := range b.lists {
			p.Ln(1)
			page := p.PageNo()
			p.room(4 * pdfLine)
			if i > 0 && p.PageNo() == page {
				p.thread(indent + 4)
			}
			p.blocks(entry, indent+4)
		}
	}
}

// thread parts two entries of a list.
func (p *annexSheet) thread(indent float64) {
	width := p.pageWidth()
	left, right := pdfMargin+annexInside+indent, width-pdfMargin-annexInside
	if p.rtl {
		left, right = pdfMargin+annexInside, width-pdfMargin-annexInside-indent
	}
	p.SetDrawColor(190, 190, 190)
	p.Line(left, p.GetY(), right, p.GetY())
	p.SetDrawColor(0, 0, 0)
}

// valueLine is how a value is set: what was written by hand runs as its first
// letter does, an address from left to right.
func (p *annexSheet) valueLine(v annexValue, indent float64) annexLine {
	l := annexLine{text: v.text, size: 10, indent: indent}
	switch v.form {
	case formCode:
		l.base, l.text = "code", escaped(v.text)
	case formProse:
		l.base, l.text = handDirection(v.text), boxes(v.text)
	case formHand:
		l.base, l.text = handDirection(v.text), boxes(v.text)
		l.aside = true
	}
	return l
}

// escaped writes letters of an address that the font lacks as their numbers.
func escaped(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case drawable(r):
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// boxes writes letters that the font lacks as a box each.
func boxes(s string) string {
	return strings.Map(func(r rune) rune {
		if r != ' ' && !drawable(r) {
			return '□'
		}
		return r
	}, s)
}

// handDirection is the direction of a text by its first letter that has one.
func handDirection(s string) string {
	for _, r := range s {
		switch p, _ := bidi.LookupRune(r); p.Class() {
		case bidi.L:
			return "ltr"
		case bidi.R, bidi.AL:
			return "rtl"
		}
	}
	return "ltr"
}

func (p *annexSheet) tick(t annexTick, indent float64) {
	line := annexLine{text: t.text, size: 9.5, indent: indent + annexTick1 + 2.5, grey: 75}
	if t.ticked {
		line.grey, line.text = 0, t.text+" ["+p.d.words.say("ticked")+"]"
	}
	p.Ln(1)
	p.SetFont(pdfFont, "", line.size)
	p.room(float64(len(p.wrap(line.text, p.inner(line.indent)))) * pdfLine)
	width := p.pageWidth()
	x, y := pdfMargin+annexInside+indent, p.GetY()+0.9
	if p.rtl {
		x = width - pdfMargin - annexInside - indent - annexTick1
	}
	p.SetDrawColor(0, 0, 0)
	p.SetLineWidth(0.25)
	p.Rect(x, y, annexTick1, annexTick1, "D")
	if t.ticked {
		p.SetLineWidth(0.6)
		p.Line(x+0.6, y+0.6, x+annexTick1-0.6, y+annexTick1-0.6)
		p.Line(x+0.6, y+annexTick1-0.6, x+annexTick1-0.6, y+0.6)
	}
	p.SetLineWidth(0.2)
	p.lines(line)
}

// annexLine is a paragraph: base is "" for the document's direction, "ltr", "rtl"
// or "code", which runs from left to right at the document's side.
type annexLine struct {
	text   string
	size   float64
	indent float64
	base   string
	aside  bool // at the document's side, whatever the direction
	grey   int
}

// inner is the width of what stands in a box at the indent.
func (p *annexSheet) inner(indent float64) float64 {
	width := p.pageWidth()
	return width - 2*pdfMargin - 2*annexInside - indent
}

func (p *annexSheet) lines(l annexLine) {
	p.SetFont(pdfFont, "", l.size)
	rtl, align := p.rtl, p.align()
	switch l.base {
	case "ltr":
		rtl, align = false, "L"
	case "rtl":
		rtl, align = true, "R"
	case "code":
		rtl = false
	}
	if l.aside {
		align = p.align()
	}
	x := pdfMargin + annexInside
	if !p.rtl {
		x += l.indent
	}
	lines := p.wrap(l.text, p.inner(l.indent))
	if len(lines) <= 4 {
		p.room(float64(len(lines)) * pdfLine) // short paragraphs stay together
	} else if l.base == "code" {
		align = "L" // an address of many lines is read from its beginning
	}
	for _, text := range lines {
		p.room(pdfLine)
		p.SetFont(pdfFont, "", l.size)
		p.SetTextColor(l.grey, l.grey, l.grey)
		p.SetX(x)
		p.CellFormat(p.inner(l.indent), pdfLine, visual(text, rtl), "", 1, align, false, 0, "")
	}
	p.SetTextColor(0, 0, 0)
}

func (p *annexSheet) middle(size float64, text string) {
	p.SetFont(pdfFont, "", size)
	for _, line := range p.wrap(text, p.inner(0)) {
		p.CellFormat(0, size*0.5, visual(line, p.rtl), "", 1, "C", false, 0, "")
	}
	p.Ln(1)
}

// banner is the line that marks an exercise, on every page.
func (p *annexSheet) banner(text string) {
	p.SetFont(pdfFont, "", 9)
	p.SetDrawColor(0, 0, 0)
	p.SetX(pdfMargin)
	p.CellFormat(0, 6, visual(shaped(text), p.rtl), "1", 1, "C", false, 0, "")
}

// room begins a new page where the height does not fit on this one.
func (p *annexSheet) room(height float64) {
	_, most := p.GetPageSize()
	if p.GetY()+height <= most-annexFoot {
		return
	}
	open := p.box >= 0
	p.close()
	p.AddPage()
	if open {
		p.open()
		p.Ln(1)
	}
}

func (p *annexSheet) open() { p.box = p.GetY() }

// close draws the frame around what stands since open.
func (p *annexSheet) close() {
	if p.box < 0 {
		return
	}
	width := p.pageWidth()
	p.SetDrawColor(0, 0, 0)
	p.SetLineWidth(0.2)
	p.Rect(pdfMargin, p.box, width-2*pdfMargin, p.GetY()-p.box, "D")
	p.box = -1
}

// code draws a QR code, ISO/IEC 18004, with its quiet zone.
func (p *annexSheet) code(text string) {
	code, err := qr.Encode(text, qr.M, qr.Unicode)
	if err != nil {
		p.fault = fmt.Errorf("the QR code of %d bytes: %w: use a shorter address of the page that checks", len(text), err)
		return
	}
	p.Ln(2)
	p.room(annexQR)
	width := p.pageWidth()
	side := code.Bounds().Dx()
	module := annexQR / float64(side+8)
	left, top := pdfMargin+annexInside+4*module, p.GetY()+4*module
	if p.rtl {
		left = width - pdfMargin - annexInside - annexQR + 4*module
	}
	p.SetFillColor(0, 0, 0)
	dark := func(x, y int) bool {
		r, _, _, _ := code.At(x, y).RGBA()
		return r < 0x8000
	}
	for y := range side {
		for x := 0; x < side; x++ {
			from := x
			for x < side && dark(x, y) {
				x++
			}
			if x > from {
				p.Rect(left+float64(from)*module, top+float64(y)*module, float64(x-from)*module, module, "F")
			}
		}
	}
	p.SetY(p.GetY() + annexQR)
}
