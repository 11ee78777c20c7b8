package formats

import (
	"bytes"
	_ "embed"
	"fmt"
	"html"
	"io"
	"strconv"
	"strings"

	"concert"
)

// The style sheet of the standalone page; a fragment has none, and no style
// attribute stands anywhere.
//
//go:embed annex/page.css
var annexStyle string

// OrderHTML is an order as Annex I: a fragment, or a whole page (AnnexOptions).
func OrderHTML(lang string, p concert.OrderPayload, o AnnexOptions) ([]byte, error) {
	return annexBytes(lang, o, func(w *AnnexWords) (*AnnexDocument, error) { return w.Order(p, o) }, AnnexHTML)
}

// FeedbackHTML is a feedback as Annex II.
func FeedbackHTML(lang string, p concert.OrderFeedback, o AnnexOptions) ([]byte, error) {
	return annexBytes(lang, o, func(w *AnnexWords) (*AnnexDocument, error) { return w.Feedback(p, o) }, AnnexHTML)
}

// ImpossibleHTML is the statement that an order cannot be carried out as Annex III.
func ImpossibleHTML(lang string, p concert.OrderImpossible, o AnnexOptions) ([]byte, error) {
	return annexBytes(lang, o, func(w *AnnexWords) (*AnnexDocument, error) { return w.Impossible(p, o) }, AnnexHTML)
}

func annexBytes(lang string, o AnnexOptions, fill func(*AnnexWords) (*AnnexDocument, error), draw func(io.Writer, *AnnexDocument, bool) error) ([]byte, error) {
	w, err := o.wordsFor(lang)
	if err != nil {
		return nil, err
	}
	d, err := fill(w)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := draw(&b, d, o.Standalone); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// AnnexHTML writes the form as HTML: plain elements without script, style
// attribute or link, so that it stands under any content security policy. A
// fragment is one article whose headings begin with h2.
func AnnexHTML(out io.Writer, d *AnnexDocument, standalone bool) error {
	p := annexPage{top: 2}
	w := d.words
	if standalone {
		p.top = 1
		p.printf("<!DOCTYPE html>\n<html lang=\"%s\" dir=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"robots\" content=\"noindex\">\n<meta name=\"format-detection\" content=\"telephone=no, email=no, address=no, url=no\">\n<title>%s · %s</title>\n<style>\n%s</style>\n</head>\n<body>\n", w.Language, w.Direction, esc(w.say(d.kind+".title")), esc(d.ref), annexStyle)
	}
	p.printf("<article class=\"annex annex-%s\" lang=\"%s\" dir=\"%s\">\n<header>\n", d.kind, w.Language, w.Direction)
	if d.exercise {
		p.printf("<p class=\"annex-exercise\"><strong>%s</strong></p>\n", esc(w.say("exercise")))
	}
	p.printf("<p>%s</p>\n", esc(w.say(d.kind+".annex")))
	p.heading(0, w.say(d.kind+".title"))
	p.printf("<p>%s</p>\n", esc(w.say(d.kind+".article")))
	if !w.Official {
		p.printf("<p class=\"annex-translation\">%s</p>\n", esc(w.say("sign.translation")))
	}
	for _, text := range d.intro {
		p.printf("<p>%s</p>\n", esc(text))
	}
	if d.duty != "" {
		p.printf("<p class=\"annex-duty\" lang=\"en\" dir=\"ltr\"><strong>%s</strong></p>\n", esc(d.duty))
	}
	p.printf("</header>\n")
	for _, s := range d.sections {
		p.printf("<section>\n")
		p.heading(1, s.title)
		p.blocks(s.blocks, w)
		p.printf("</section>\n")
	}
	p.printf("</article>\n")
	if standalone {
		p.printf("</body>\n</html>\n")
	}
	if _, err := io.WriteString(out, p.String()); err != nil {
		return fmt.Errorf("write the form %s: %w", d.ref, err)
	}
	return nil
}

// annexPage is HTML being written; top is the level of the first heading.
type annexPage struct {
	strings.Builder
	top int
}

func esc(s string) string { return html.EscapeString(s) }

func (p *annexPage) printf(format string, args ...any) { fmt.Fprintf(p, format, args...) }

func (p *annexPage) heading(below int, text string) {
	level := strconv.Itoa(p.top + below)
	p.printf("<h%s>%s</h%s>\n", level, esc(text), level)
}

func (p *annexPage) blocks(blocks []annexBlock, w *AnnexWords) {
	for i := 0; i < len(blocks); i++ {
		b := blocks[i]
		if b.note != "" {
			p.printf("<p>%s</p>\n", esc(b.note))
		}
		if b.label != "" {
			p.printf("<dl>\n")
			p.field(b)
			for i+1 < len(blocks) && blocks[i+1].label != "" && blocks[i+1].note == "" {
				i++
				p.field(blocks[i])
			}
			p.printf("</dl>\n")
		} else if len(b.values) > 0 {
			for _, v := range b.values {
				p.printf("<p>%s</p>\n", v.html())
			}
		}
		if len(b.ticks) > 0 {
			p.printf("<ul class=\"annex-ticks\">\n")
			for _, t := range b.ticks {
				if t.ticked {
					p.printf("<li class=\"annex-ticked\">☒ <strong>%s</strong> (%s)</li>\n", esc(t.text), esc(w.say("ticked")))
				} else {
					p.printf("<li>☐ %s</li>\n", esc(t.text))
				}
			}
			p.printf("</ul>\n")
		}
		if len(b.lists) > 0 {
			p.printf("<ol>\n")
			for _, entry := range b.lists {
				p.printf("<li>\n")
				p.blocks(entry, w)
				p.printf("</li>\n")
			}
			p.printf("</ol>\n")
		}
	}
}

func (p *annexPage) field(b annexBlock) {
	p.printf("<dt>%s</dt>\n", esc(b.label))
	for _, v := range b.values {
		attributes := ""
		if v.form == formProse {
			attributes = ` dir="auto" lang=""`
		}
		p.printf("<dd%s>%s</dd>\n", attributes, v.html())
	}
}

func (v annexValue) html() string {
	text := esc(v.text)
	switch {
	case v.time != "":
		return `<time datetime="` + esc(v.time) + `">` + text + `</time>`
	case v.form == formCode:
		return `<bdi class="annex-code" dir="ltr" translate="no">` + text + `</bdi>`
	case v.form == formHand:
		return `<bdi dir="auto" lang="">` + text + `</bdi>`
	}
	return text
}
