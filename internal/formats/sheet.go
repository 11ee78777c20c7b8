package formats

import (
	_ "embed"
	"strings"
	"sync"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/sfnt"
)

// The font covers Latin, Greek, Cyrillic and Arabic with its presentation forms.
// Its licence stands beside it. It is one for all: a second would double the time
// of a drawing, most of which goes into cutting the font down.
//
//go:embed font/DejaVuSansCondensed.ttf
var plainFont []byte

var plainGlyphs = sync.OnceValues(func() (*sfnt.Font, error) { return sfnt.Parse(plainFont) })

const (
	pdfMargin = 18.0 // millimetres
	pdfLine   = 5.0
	pdfFont   = "DejaVu"
)

// sheet is a PDF as it is drawn: A4, the one font, from right to left where the
// language is. The same calls give the same bytes.
type sheet struct {
	*fpdf.Fpdf
	rtl bool
}

func newSheet(lang, title string, at time.Time, rtl bool) sheet {
	s := sheet{fpdf.New("P", "mm", "A4", ""), rtl}
	s.SetMargins(pdfMargin, pdfMargin, pdfMargin)
	s.AddUTF8FontFromBytes(pdfFont, "", plainFont)
	s.SetTitle(basic(title), true) // the library does not bear invalid UTF-8
	s.SetLang(lang)
	s.SetProducer("Concert", true)
	s.SetCatalogSort(true)
	s.SetCreationDate(at.UTC())
	s.SetModificationDate(at.UTC())
	return s
}

func (s *sheet) parting() string {
	if s.rtl {
		return rightToLeft
	}
	return ""
}

func (s *sheet) align() string {
	if s.rtl {
		return "R"
	}
	return "L"
}

func (s *sheet) pageWidth() float64 {
	width, _ := s.GetPageSize()
	return width
}

func (s *sheet) width() float64 {
	return s.pageWidth() - 2*pdfMargin - 2
}

// wrap shapes the text and breaks it into lines that fit; a word that is wider
// than a line is cut.
func (s *sheet) wrap(text string, width float64) []string {
	var lines []string
	line, used := "", 0.0
	space := s.GetStringWidth(" ")
	for _, word := range strings.Fields(shaped(basic(text))) {
		w := s.GetStringWidth(word)
		if line != "" && used+space+w > width {
			lines = append(lines, line)
			line, used = "", 0
		}
		for w > width {
			n, cut := s.fits(word, width)
			lines = append(lines, word[:n])
			word, w = word[n:], w-cut
		}
		if line != "" {
			line, used = line+" ", used+space
		}
		line, used = line+word, used+w
	}
	return append(lines, line)
}

// fits is how many bytes of the word fit, one letter at least, and how wide they are.
func (s *sheet) fits(word string, width float64) (int, float64) {
	used := 0.0
	for i, r := range word {
		w := s.GetStringWidth(string(r))
		if i > 0 && used+w > width {
			return i, used
		}
		used += w
	}
	return len(word), used
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

// drawable reports whether the font has the letter.
func drawable(r rune) bool {
	font, err := plainGlyphs()
	if err != nil || r > 0xffff {
		return false
	}
	glyph, err := font.GlyphIndex(nil, r)
	return err == nil && glyph != 0
}
