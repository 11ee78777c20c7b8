package match

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"concert/internal/match/neartext"
)

// mixedScripts says whether a label goes beyond one script, Common and Inherited apart. The mixtures of Chinese, Japanese and
// Korean writing with Latin are ordinary (UTS 39, 5.2, "highly restrictive").
func mixedScripts(label string) bool {
	var latin, cjk, bopomofo, hangul, kana, other int
	seen := ""
	for _, r := range label {
		switch {
		case unicode.In(r, unicode.Common, unicode.Inherited):
		case unicode.Is(unicode.Latin, r):
			latin++
		case unicode.Is(unicode.Han, r):
			cjk++
		case unicode.In(r, unicode.Hiragana, unicode.Katakana):
			kana++
		case unicode.Is(unicode.Bopomofo, r):
			bopomofo++
		case unicode.Is(unicode.Hangul, r):
			hangul++
		default:
			if s := scriptOf(r); s != seen {
				seen = s
				other++
			}
		}
	}
	eastern := 0
	for _, n := range []int{kana, bopomofo, hangul} {
		if n > 0 {
			eastern++
		}
	}
	return other > 1 || other == 1 && latin+cjk+kana+bopomofo+hangul > 0 || eastern > 1
}

// scriptOf names the scripts in which registries sell names; all rarer ones count as one.
func scriptOf(r rune) string {
	for _, name := range []string{"Cyrillic", "Greek", "Arabic", "Hebrew", "Armenian", "Georgian", "Devanagari", "Bengali", "Thai", "Cherokee", "Tamil"} {
		if unicode.Is(unicode.Scripts[name], r) {
			return name
		}
	}
	return "other"
}

var lookalikeTable = strings.NewReplacer(neartext.Lookalikes()...)

// skeleton is what a label looks like to a hurried eye: marks removed, look-alikes replaced. It stays non-ASCII where a letter
// has no Latin look-alike, and where letters are only similar rather than drawn alike.
func skeleton(label string) string {
	for _, r := range label {
		if r >= 0x80 && unicode.In(r, unicode.Cyrillic, unicode.Greek, unicode.Armenian) && !neartext.DrawnAlike(r) {
			return looks(label)
		}
	}
	return lookalikeTable.Replace(label)
}

// looks is the skeleton for the message only; a dotted ring keeps it apart from an ASCII name.
func looks(label string) string {
	plain := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(label))
	return "~" + lookalikeTable.Replace(plain) + "\u25CC"
}
