package match

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Each row's texts are found by one another: they have one fold.
func TestAWordIsFoldedHoweverItWasTyped(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		language, fold string
		texts          []string
	}{
		{"Arabic: hamza, harakat", "اسلاميه", []string{"إسلامية", "اسلامية", "إِسْلَامِيَّة", "أسلاميه", "اســـلاميه"}},
		{"Arabic: alef maqsura", "علي", []string{"على", "علي", "عَلَى", "علی"}},
		{"Arabic: madda and wasla", "القران", []string{"القرآن", "القران", "ٱلقرآن"}},
		{"Arabic: presentation forms", "سلام", []string{"ﺳﻼﻡ", "سلام", "سَلَام"}},
		{"Arabic: digits", "2014", []string{"٢٠١٤", "۲۰۱۴", "2014", "２０１４"}},
		{"Persian: kaf and ya", "كتابهاي", []string{"کتاب\u200cهای", "کتابهاي", "كتابهای"}},
		{"Persian: ha with ya", "خانه", []string{"خانۀ", "خانه", "خانهٔ"}},
		{"Urdu: ya barri and ha", "هي", []string{"ہے", "ہی", "ھے"}},
		{"Urdu: kaf", "كيا", []string{"کیا", "كيا"}},
		{"Pashto: five ya", "دي", []string{"دي", "دی", "دې", "دۍ", "دئ"}},
		{"Pashto: gaf", "گران", []string{"ګران", "گران"}},
		{"Pashto: letters of its own stay", "ښځه", []string{"ښځه", "ښځة"}},
		{"Turkish: four i", "istanbul", []string{"İstanbul", "ıstanbul", "ISTANBUL", "istanbul"}},
		{"Turkish: marks", "cagri", []string{"çağrı", "ÇAĞRI", "cagri"}},
		{"Russian", "елка", []string{"ёлка", "Елка", "ЁЛКА"}},
		{"Russian: short i by one or two characters", "воина", []string{"война", norm.NFD.String("война"), "ВОЙНА"}},
		{"German", "strasse", []string{"Straße", "STRASSE", "straẞe"}},
		{"German: umlaut by one or two characters", "munchen", []string{"München", norm.NFD.String("München"), "munchen"}},
		{"French", "oeuvre eleve", []string{"Œuvre élevé", "oeuvre ELEVE", "œuvre é\u00adlevé"}},
		{"French: an apostrophe parts", "l homme", []string{"l'homme", "l’homme"}},
		{"ligatures and width", "file", []string{"ﬁle", "ＦＩＬＥ"}},
	} {
		for _, text := range c.texts {
			if got := Fold(text); got != c.fold {
				t.Errorf("%s: %q is folded to %q, wanted %q", c.language, text, got, c.fold)
			}
		}
	}
	for _, pair := range [][2]string{{"قلب", "كلب"}, {"پدر", "بدر"}, {"ښار", "سار"}, {"год", "гот"}} {
		if Fold(pair[0]) == Fold(pair[1]) {
			t.Errorf("%q and %q are two words", pair[0], pair[1])
		}
	}
}

func TestScriptsWithoutSpacesAreFoldedCharacterByCharacter(t *testing.T) {
	t.Parallel()
	if got := Fold("恐怖test組織"); got != "恐 怖 test 組 織" {
		t.Errorf("%q", got)
	}
	if a, b := Fold("한국"), Fold(norm.NFD.String("한국")); a != b || a != "한국" {
		t.Errorf("%q and %q", a, b)
	}
}

func FuzzFold(f *testing.F) {
	for _, s := range []string{"EXERCISE İß", "إسلامية ۲۰۱۴", "한국\xff\xed\xa0\x80", "a\u0301\u200d\u0640 ﷺ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		fold := Fold(text)
		if again := Fold(fold); again != fold {
			t.Errorf("%q is folded to %q, and that to %q", text, fold, again)
		}
		if utf8.ValidString(text) && !utf8.ValidString(fold) {
			t.Errorf("%q is folded to %q", text, fold)
		}
		var texts []string
		at := 0
		for _, w := range Words(text) {
			if w.Start < at || w.End <= w.Start || w.End > len(text) {
				t.Fatalf("%q: a word from %d to %d", text, w.Start, w.End)
			}
			at = w.End
			texts = append(texts, w.Text)
		}
		if !slices.Equal(texts, strings.Fields(fold)) || strings.Join(texts, " ") != fold {
			t.Errorf("%q: words %q, fold %q", text, texts, fold)
		}
	})
}
