package language

import "unicode"

// script is one way of writing: its code of ISO 15924 and, where it is written in one language alone here, that language.
type script struct {
	code   string
	table  *unicode.RangeTable
	single string // base code; "" where words have to decide
	rtl    bool
}

// scripts in the order of how often they are met; the place is the number of a script.
var scripts = [...]script{
	{"Latn", unicode.Latin, "", false},
	{"Arab", unicode.Arabic, "", true},
	{"Cyrl", unicode.Cyrillic, "", false},
	{"Deva", unicode.Devanagari, "", false},
	{"Hani", unicode.Han, "zh", false},
	{"Beng", unicode.Bengali, "", false},
	{"Ethi", unicode.Ethiopic, "", false},
	{"Hebr", unicode.Hebrew, "", true},
	{"Hang", unicode.Hangul, "ko", false},
	{"Hira", unicode.Hiragana, "ja", false},
	{"Kana", unicode.Katakana, "ja", false},
	{"Grek", unicode.Greek, "el", false},
	{"Armn", unicode.Armenian, "hy", false},
	{"Geor", unicode.Georgian, "ka", false},
	{"Taml", unicode.Tamil, "ta", false},
	{"Telu", unicode.Telugu, "te", false},
	{"Mlym", unicode.Malayalam, "ml", false},
	{"Knda", unicode.Kannada, "kn", false},
	{"Sinh", unicode.Sinhala, "si", false},
	{"Gujr", unicode.Gujarati, "gu", false},
	{"Guru", unicode.Gurmukhi, "pa", false},
	{"Orya", unicode.Oriya, "or", false},
	{"Thai", unicode.Thai, "th", false},
	{"Laoo", unicode.Lao, "lo", false},
	{"Khmr", unicode.Khmer, "km", false},
	{"Mymr", unicode.Myanmar, "my", false},
	{"Thaa", unicode.Thaana, "dv", true},
	{"Tibt", unicode.Tibetan, "bo", false},
	{"Mong", unicode.Mongolian, "mn", false},
	{"Rohg", unicode.Hanifi_Rohingya, "rhg", true},
	{"Nkoo", unicode.Nko, "nqo", true},
	{"Adlm", unicode.Adlam, "ff", true},
	{"Syrc", unicode.Syriac, "syr", true},
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
