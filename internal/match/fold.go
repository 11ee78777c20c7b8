package match

import (
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"concert/internal/match/neartext"
)

// Word is a word of a text as Fold writes it, and the bytes of the text that it
// stands for.
type Word struct {
	Text       string
	Start, End int
}

// Fold writes the words of a text as a search compares them, parted by spaces:
// compatible forms are one (NFKD), case is gone, and so are marks on the letters
// of Latin, Greek, Cyrillic, Arabic and Hebrew, joiners and the tatweel. What is
// typed in several ways is typed in one: hamza seats and alef, ya and alef
// maqsura, ta marbuta and ha, the Persian, Urdu and Pashto forms of kaf, ya, ha,
// digits of every script, ß, æ, ø and the Turkish dotless i. Each character of a
// script without spaces is a word. It is its own fold.
func Fold(text string) string {
	f := folds{out: make([]byte, 0, len(text)+len(text)/8)}
	f.text(text, nil)
	return string(f.out)
}

// Words are the words that Fold writes, with their places in the text.
func Words(text string) []Word {
	var list []Word
	f := folds{out: make([]byte, 0, len(text)+len(text)/8)}
	f.text(text, func(from, to, start, end int) {
		list = append(list, Word{string(f.out[from:to]), start, end})
	})
	return list
}

// foldMost is where the table of folded characters ends: behind Arabic and its
// supplements lie scripts that few texts are in.
const foldMost = 0x900

// foldKind is what a character does to a word.
type foldKind uint8

const (
	foldParts foldKind = iota // it parts words
	foldDrops                 // the word is the same without it
	foldKeeps                 // it becomes to
)

// folded is what a character becomes.
type folded struct {
	to   string
	kind foldKind
}

var foldTable = sync.OnceValue(func() *[foldMost]folded {
	table := new([foldMost]folded)
	for r := range rune(foldMost) {
		table[r] = foldRune(r)
	}
	return table
})

// folds is one text being folded.
type folds struct {
	out []byte
}

// text appends the fold and tells of each word: its place in out, its place in in.
func (f *folds) text(in string, word func(from, to, start, end int)) {
	table := foldTable()
	from, start, end := -1, 0, 0
	finish := func() {
		if from < 0 {
			return
		}
		if word != nil {
			word(from, len(f.out), start, end)
		}
		from = -1
	}
	for i := 0; i < len(in); {
		r, n := rune(in[i]), 1
		if from >= 0 && plainByte(in[i]) { // the rest of a word that is its own fold goes at once
			k := i + 1
			for k < len(in) && plainByte(in[k]) {
				k++
			}
			f.out, end, i = append(f.out, in[i:k]...), k, k
			continue
		}
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(in[i:])
		}
		var f1 folded
		switch {
		case r < foldMost:
			f1 = table[r]
		case 0x1100 <= r && r < 0x1200: // Korean letter by letter, as some file systems keep it
			for k := i + n; k < len(in); {
				next, m := utf8.DecodeRuneInString(in[k:])
				if next < 0x1100 || next >= 0x1200 {
					break
				}
				k, n = k+m, n+m
			}
			f1 = folded{norm.NFC.String(in[i : i+n]), foldKeeps}
		default:
			f1 = foldRune(r)
		}
		single := r >= foldMost && f1.kind == foldKeeps && alone(r)
		if single || f1.kind == foldParts {
			finish()
		}
		switch f1.kind {
		case foldDrops: // a mark belongs to the letter before it
			if from >= 0 {
				end = i + n
			}
		case foldKeeps:
			if from < 0 {
				if len(f.out) > 0 {
					f.out = append(f.out, ' ')
				}
				from, start = len(f.out), i
			}
			f.out, end = append(f.out, f1.to...), i+n
		}
		if single {
			finish()
		}
		i += n
	}
	finish()
}

func plainByte(c byte) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' }

// alone reports whether a character is a word: scripts that part no words.
func alone(r rune) bool {
	return r >= 0x0e00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar) && !unicode.IsMark(r)
}

// foldRune folds one character.
func foldRune(r rune) folded {
	if r < utf8.RuneSelf {
		switch {
		case 'A' <= r && r <= 'Z':
			return folded{string(r + 'a' - 'A'), foldKeeps}
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			return folded{string(r), foldKeeps}
		}
		return folded{}
	}
	if dropped(r) {
		return folded{kind: foldDrops}
	}
	if 0xac00 <= r && r < 0xd7b0 {
		return folded{string(r), foldKeeps} // a Korean syllable stays one
	}
	to := ""
	for _, d := range norm.NFKD.String(string(r)) {
		switch {
		case d < utf8.RuneSelf:
			to += foldRune(d).to
		case dropped(d):
		case unicode.Is(unicode.Nd, d):
			to += string('0' + neartext.Digit(d))
		case unicode.IsLetter(d) || unicode.IsMark(d) || unicode.IsNumber(d):
			to += foldLetter(d)
		}
	}
	if to == "" {
		return folded{}
	}
	return folded{to, foldKeeps}
}

// dropped are characters that a word is the same without.
func dropped(r rune) bool {
	switch {
	case r == 0x0640, r == 0x00ad, 0xfe00 <= r && r <= 0xfe0f:
		return true
	case unicode.Is(unicode.Cf, r):
		return true
	case !unicode.IsMark(r) || r == 0x3099 || r == 0x309a:
		return false
	}
	return unicode.In(r, unicode.Inherited, unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Arabic, unicode.Hebrew, unicode.Syriac)
}

// foldLetter is what letters become beyond case and marks.
func foldLetter(r rune) string {
	r = unicode.ToLower(unicode.ToUpper(r))
	switch r {
	case 'أ', 'إ', 'آ', 'ٱ', 'ٲ', 'ٳ', 'ٵ':
		return "ا"
	case 'ى', 'ی', 'ے', 'ې', 'ۍ', 'ئ', 'ۓ':
		return "ي"
	case 'ؤ':
		return "و"
	case 'ة', 'ہ', 'ھ', 'ە', 'ۀ', 'ۂ', 'ۃ', 'ۿ':
		return "ه"
	case 'ک', 'ڪ':
		return "ك"
	case 'ګ':
		return "گ"
	case 'ı':
		return "i"
	case 'ß', 'ẞ':
		return "ss"
	case 'æ':
		return "ae"
	case 'œ':
		return "oe"
	case 'ø':
		return "o"
	case 'đ', 'ð':
		return "d"
	case 'ł':
		return "l"
	case 'ħ':
		return "h"
	case 'þ':
		return "th"
	case 'ς':
		return "σ"
	}
	return string(r)
}
