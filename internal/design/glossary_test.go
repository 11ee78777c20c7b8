package design_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"concert/internal/design"
)

// struckOut are the words that the glossary (docs/languages.md) rejects, by language; French ones in any case and number.
func struckOut(t *testing.T) map[string][]*regexp.Regexp {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(root, "docs", "languages.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(page), "| English | French | not | Arabic | not | why |\n")
	if !found {
		t.Fatal("docs/languages.md has no glossary")
	}
	out := map[string][]*regexp.Regexp{}
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) != 8 || strings.HasPrefix(cells[1], "-") {
			continue
		}
		for i, language := range map[int]string{3: "fr", 5: "ar"} {
			for word := range strings.SplitSeq(cells[i], ",") {
				if word = strings.TrimSpace(word); word != "" {
					out[language] = append(out[language], regexp.MustCompile(`(?i)(^|[^\pL])(ال|و|ل|ب)?`+regexp.QuoteMeta(word)+`(e?s)?([^\pL\p{M}]|$)`))
				}
			}
		}
	}
	return out
}

// singular is an address of one reader as a friend.
var singular = map[string]*regexp.Regexp{
	"fr": regexp.MustCompile(`(?i)(^|[^\pL])(tu|toi|ton|ta|tes)([^\pL]|$)`),
	"ar": regexp.MustCompile(`(سلطتك|حسابك|لديك|مرورك|عاملك|دورك|هاتفك|يمكنك|عليك)([^\pL]|$)`),
}

// One thing has one word, whoever translates its page.
func TestCataloguesKeepToTheGlossary(t *testing.T) {
	t.Parallel()
	no := struckOut(t)
	for _, l := range design.Languages()[1:] {
		if len(no[l.Code]) < 10 {
			t.Fatalf("the glossary strikes out %d words of %s", len(no[l.Code]), l.Code)
		}
		files, err := filepath.Glob(filepath.Join("words", l.Code, "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			raw, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var page map[string]any
			if err := json.Unmarshal(raw, &page); err != nil {
				t.Fatal(err)
			}
			for key, value := range page {
				text, ok := value.(string)
				if !ok {
					forms, _ := json.Marshal(value)
					text = string(forms)
				}
				for _, word := range no[l.Code] {
					if word.MatchString(text) {
						t.Errorf("%s: %q is translated by %q; docs/languages.md has another word for %s", name, key, text, word)
					}
				}
				if singular[l.Code].MatchString(text) {
					t.Errorf("%s: %q addresses its reader as one: %q", name, key, text)
				}
			}
		}
	}
}
