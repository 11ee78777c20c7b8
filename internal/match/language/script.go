package language

import "unicode"

// script is one way of writing: its code of ISO 15924 and, where it is written in one language alone here, that language.
type script struct {
	code   string
	table  *unicode.RangeTable
	single string // base code; "" where words have to decide
	rtl    bool

	fit float64 // how much of a language's usual evidence its texts have; 0 where no languages but ours are to be feared
}

// scripts in the order of how often they are met; the place is the number of a script.
var scripts = [...]script{
	{"Latn", unicode.Latin, "", false, 1},
	{"Arab", unicode.Arabic, "", true, 0.65},
	{"Cyrl", unicode.Cyrillic, "", false, 1},
	{"Deva", unicode.Devanagari, "", false, 0},
	{"Hani", unicode.Han, "zh", false, 0},
	{"Beng", unicode.Bengali, "", false, 0},
	{"Ethi", unicode.Ethiopic, "", false, 0},
	{"Hebr", unicode.Hebrew, "", true, 0},
	{"Hang", unicode.Hangul, "ko", false, 0},
	{"Hira", unicode.Hiragana, "ja", false, 0},
	{"Kana", unicode.Katakana, "ja", false, 0},
	{"Grek", unicode.Greek, "el", false, 0},
	{"Armn", unicode.Armenian, "hy", false, 0},
	{"Geor", unicode.Georgian, "ka", false, 0},
	{"Taml", unicode.Tamil, "ta", false, 0},
	{"Telu", unicode.Telugu, "te", false, 0},
	{"Mlym", unicode.Malayalam, "ml", false, 0},
	{"Knda", unicode.Kannada, "kn", false, 0},
	{"Sinh", unicode.Sinhala, "si", false, 0},
	{"Gujr", unicode.Gujarati, "gu", false, 0},
	{"Guru", unicode.Gurmukhi, "pa", false, 0},
	{"Orya", unicode.Oriya, "or", false, 0},
	{"Thai", unicode.Thai, "th", false, 0},
	{"Laoo", unicode.Lao, "lo", false, 0},
	{"Khmr", unicode.Khmer, "km", false, 0},
	{"Mymr", unicode.Myanmar, "my", false, 0},
	{"Thaa", unicode.Thaana, "dv", true, 0},
	{"Tibt", unicode.Tibetan, "bo", false, 0},
	{"Mong", unicode.Mongolian, "mn", false, 0},
	{"Rohg", unicode.Hanifi_Rohingya, "rhg", true, 0},
	{"Nkoo", unicode.Nko, "nqo", true, 0},
	{"Adlm", unicode.Adlam, "ff", true, 0},
	{"Syrc", unicode.Syriac, "syr", true, 0},
}

const (
	latin    = 0
	arabic   = 1
	cyrillic = 2
	han      = 4
	hebrew   = 7
	hiragana = 9
	katakana = 10
	noScript = len(scripts)
)

// common is the code of ISO 15924 where no letter shows a script.
const common = "Zyyy"

// scriptOf is the number of a letter's script; near is the one that the letter before it had.
func scriptOf(r rune, near int) int {
	switch {
	case r < 0x80:
		return latin
	case near < noScript && unicode.Is(scripts[near].table, r):
		return near
	}
	for i, s := range scripts {
		if unicode.Is(s.table, r) {
			return i
		}
	}
	return noScript
}
