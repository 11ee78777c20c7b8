package language

import "unicode"

// script is one way of writing: its code of ISO 15924 and, where it is written in one language alone here, that language.
type script struct {
	code   string
	table  *unicode.RangeTable
	single string // base code; "" where words have to decide
	rtl    bool

	crowded bool // more languages than ours are written in it
}

// scripts in the order of how often they are met; the place is the number of a script.
var scripts = [...]script{
	{"Latn", unicode.Latin, "", false, true},
	{"Arab", unicode.Arabic, "", true, true},
	{"Cyrl", unicode.Cyrillic, "", false, true},
	{"Deva", unicode.Devanagari, "", false, false},
	{"Hani", unicode.Han, "zh", false, false},
	{"Beng", unicode.Bengali, "", false, false},
	{"Ethi", unicode.Ethiopic, "", false, false},
	{"Hebr", unicode.Hebrew, "", true, false},
	{"Hang", unicode.Hangul, "ko", false, false},
	{"Hira", unicode.Hiragana, "ja", false, false},
	{"Kana", unicode.Katakana, "ja", false, false},
	{"Grek", unicode.Greek, "el", false, false},
	{"Armn", unicode.Armenian, "hy", false, false},
	{"Geor", unicode.Georgian, "ka", false, false},
	{"Taml", unicode.Tamil, "ta", false, false},
	{"Telu", unicode.Telugu, "te", false, false},
	{"Mlym", unicode.Malayalam, "ml", false, false},
	{"Knda", unicode.Kannada, "kn", false, false},
	{"Sinh", unicode.Sinhala, "si", false, false},
	{"Gujr", unicode.Gujarati, "gu", false, false},
	{"Guru", unicode.Gurmukhi, "pa", false, false},
	{"Orya", unicode.Oriya, "or", false, false},
	{"Thai", unicode.Thai, "th", false, false},
	{"Laoo", unicode.Lao, "lo", false, false},
	{"Khmr", unicode.Khmer, "km", false, false},
	{"Mymr", unicode.Myanmar, "my", false, false},
	{"Thaa", unicode.Thaana, "dv", true, false},
	{"Tibt", unicode.Tibetan, "bo", false, false},
	{"Mong", unicode.Mongolian, "mn", false, false},
	{"Rohg", unicode.Hanifi_Rohingya, "rhg", true, false},
	{"Nkoo", unicode.Nko, "nqo", true, false},
	{"Adlm", unicode.Adlam, "ff", true, false},
	{"Syrc", unicode.Syriac, "syr", true, false},
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
