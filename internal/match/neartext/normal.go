package neartext

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// MaxBytes is how much of a text is read; the rest of a longer one counts for nothing.
const MaxBytes = 1 << 20

const marksInARow = 4

// Normalise gives the normal form of a text, as the package comment defines it. It is its own normal form.
func Normalise(text string) string { return join(tokens(text)) }

func join(list []token) string {
	var b strings.Builder
	for i, t := range list {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(t.text)
	}
	return b.String()
}

// token is a word or a link in normal form, and the bytes of the text that it stands for.
type token struct {
	text       string
	start, end int
	kind       kind
}

type kind uint8

const (
	word      kind = iota
	character      // of a script without spaces
	link
)

// glyph is a folded character; several may stand for the same bytes.
type glyph struct {
	r          rune
	start, end int32
}

func cut(text string) string {
	if len(text) <= MaxBytes {
		return text
	}
	n := MaxBytes
	for n > MaxBytes-utf8.UTFMax && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

func glyphs(text string) []glyph {
	f := folder{table: folds(), out: make([]glyph, 0, len(text))}
	plain := plainFolds()
	var buf []byte
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		f.start, f.end = int32(i), int32(i+size)
		if r < plainRunes && plain[r] != 0 {
			f.add(plain[r])
			i += size
			continue
		}
		if p := norm.NFKD.PropertiesString(text[i:]); r < plainRunes || p.CCC() > 0 || p.Decomposition() != nil {
			size = max(size, norm.NFKC.NextBoundaryInString(text[i:], true))
			f.end = int32(i + size)
			buf = norm.NFKD.AppendString(buf[:0], text[i:i+size])
			for rest := buf; len(rest) > 0; {
				r, n := utf8.DecodeRune(rest)
				f.fold(r)
				rest = rest[n:]
			}
		} else {
			f.fold(r)
		}
		i += size
	}
	return f.out
}

// plainRunes is where Arabic and the alphabets before it end.
const plainRunes = 0x700

// plainFolds holds what characters become whatever stands beside them; 0 for those that need a look.
var plainFolds = sync.OnceValue(func() *[plainRunes]rune {
	table := new([plainRunes]rune)
	for r := range rune(plainRunes) {
		text := string(r)
		if p := norm.NFKD.PropertiesString(text); unicode.IsMark(r) || ignorable(r) || p.CCC() > 0 || p.Decomposition() != nil {
			continue
		}
		f := folder{table: folds()}
		if f.fold(r); len(f.out) == 1 {
			table[r] = f.out[0].r
		}
	}
	return table
})

type folder struct {
	table      map[rune]string
	out        []glyph
	start, end int32
}

func (f *folder) add(r rune) { f.out = append(f.out, glyph{r, f.start, f.end}) }

// skip gives the bytes of what is dropped to the character before, so that an accent is shown with its letter.
func (f *folder) skip() {
	if n := len(f.out); n > 0 {
		f.out[n-1].end = f.end
	}
}

func (f *folder) fold(r rune) {
	switch {
	case r < utf8.RuneSelf:
		f.add(lowerASCII(r))
		return
	case ignorable(r):
		f.skip()
		return
	case unicode.IsMark(r):
		// Marks follow one another over the borders of segments, so they are counted on what was kept.
		if !foreignMark(r) && f.keptMarks() < marksInARow {
			f.add(r)
		} else {
			f.skip()
		}
		return
	case unicode.Is(unicode.Nd, r):
		f.add('0' + Digit(r))
		return
	}
	to, ok := f.table[r]
	if !ok {
		if r = unicode.ToLower(r); r < utf8.RuneSelf {
			f.add(r)
			return
		}
		if to, ok = f.table[r]; !ok {
			f.add(r)
			return
		}
	}
	for _, r := range to {
		f.add(r)
	}
}

func (f *folder) keptMarks() (n int) {
	for i := len(f.out) - 1; i >= 0 && n < marksInARow && f.out[i].r >= utf8.RuneSelf && unicode.IsMark(f.out[i].r); i-- {
		n++
	}
	return n
}

func lowerASCII(r rune) rune {
	if 'A' <= r && r <= 'Z' {
		return r + 'a' - 'A'
	}
	return r
}

// ignorable are characters that nobody sees between two letters: controls of format and direction, fillers, the tatweel.
func ignorable(r rune) bool {
	switch r {
	case 0x0640, 0x115F, 0x1160, 0x3164:
		return true
	}
	return unicode.Is(unicode.Cf, r)
}

// foreignMark says whether a mark goes: what sits on letters of alphabets that are read without it, and marks of no script.
func foreignMark(r rune) bool {
	switch {
	case r == 0x3099 || r == 0x309A: // voicing of kana makes another syllable
		return false
	case 0xFE00 <= r && r <= 0xFE0F, 0xE0100 <= r && r <= 0xE01EF:
		return true
	}
	return unicode.In(r, unicode.Inherited, unicode.Arabic, unicode.Hebrew, unicode.Syriac, unicode.Cyrillic, unicode.Latin, unicode.Greek)
}

func inAlphabetOfItsOwn(r rune) bool {
	return unicode.In(r, unicode.Cyrillic, unicode.Greek, unicode.Armenian)
}

// Digit is the value of a decimal digit: each script's ten stand in a row.
func Digit(r rune) rune {
	for _, t := range unicode.Nd.R16 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return (r - rune(t.Lo)) % 10
		}
	}
	for _, t := range unicode.Nd.R32 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return (r - rune(t.Lo)) % 10
		}
	}
	return 0
}

func inWord(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || '0' <= r && r <= '9'
	}
	return unicode.IsLetter(r) || unicode.IsMark(r)
}

func apostrophe(r rune) bool {
	return r == '\'' || r == '’' || r == '‘' || r == 'ʼ' || r == 'ʻ' || r == '׳'
}

func withoutSpaces(r rune) bool {
	return r >= 0x0E00 && (r == 'ー' || unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar))
}

func tokens(text string) []token {
	gs := glyphs(cut(text))
	var list []token
	for i := 0; i < len(gs); {
		r := gs[i].r
		if !inWord(r) || apostrophe(r) {
			i++
			continue
		}
		if text, n := linkAt(gs[i:]); n > 0 {
			list = append(list, token{text, int(gs[i].start), int(gs[i+n-1].end), link})
			i += n
			continue
		}
		kind, first := word, i
		letters := []rune{r}
		if withoutSpaces(r) {
			kind = character
		}
		for i++; i < len(gs); i++ {
			r := gs[i].r
			if r >= utf8.RuneSelf && unicode.IsMark(r) {
				letters = append(letters, r)
				continue
			}
			if apostrophe(r) && kind == word && i+1 < len(gs) && inWord(gs[i+1].r) && !withoutSpaces(gs[i+1].r) {
				continue
			}
			if kind == character || !inWord(r) || apostrophe(r) || withoutSpaces(r) {
				break
			}
			letters = append(letters, r)
		}
		list = append(list, token{norm.NFC.String(string(letters)), int(gs[first].start), int(gs[i-1].end), kind})
	}
	return list
}
