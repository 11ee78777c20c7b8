package formats

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"concert"
)

// AnnexText is one text of the forms. Own says that it is meant to be the wording
// of Regulation (EU) 2021/784 in that language, as it is remembered; else it is ours.
// Either is to be checked against OJ L 172, 17.5.2021, while AnnexWords.Checked is not set.
type AnnexText struct {
	Own  bool   `json:"own"`
	Text string `json:"text"` // places are written {so}
}

// AnnexWords is what the forms of Annex I to III say in one language: headings,
// labels, tick boxes, dates (docs/formats/annex.md).
type AnnexWords struct {
	Language  string               `json:"language"`  // BCP 47
	Name      string               `json:"name"`      // of the language in itself
	Direction string               `json:"direction"` // "ltr" or "rtl"
	Official  bool                 `json:"official"`  // an official language of the Union, so that the Regulation has a version in it
	Checked   bool                 `json:"checked"`   // against the Official Journal, every text marked own
	Version   int                  `json:"version"`
	AsOf      string               `json:"as_of"` // the day of this version, YYYY-MM-DD
	Source    string               `json:"source"`
	Texts     map[string]AnnexText `json:"texts"`
}

//go:embed annex/*.json
var annexFiles embed.FS

// annexReference is the language by which all others are measured.
const annexReference = "en"

var allAnnexWords = sync.OnceValues(func() (map[string]*AnnexWords, error) {
	files, err := fs.Glob(annexFiles, "annex/*.json")
	if err != nil {
		return nil, err
	}
	all := map[string]*AnnexWords{}
	for _, file := range files {
		text, err := annexFiles.ReadFile(file)
		if err != nil {
			return nil, err
		}
		w, err := readAnnexWords(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if file != "annex/"+w.Language+".json" {
			return nil, fmt.Errorf("%s: it says its language is %q: name the file after it", file, w.Language)
		}
		all[w.Language] = w
	}
	for lang, w := range all {
		if err := w.like(all[annexReference]); err != nil {
			return nil, fmt.Errorf("annex/%s.json: %w", lang, err)
		}
	}
	return all, nil
})

// AnnexLanguages are those that the forms of Annex I to III are drawn in, sorted.
func AnnexLanguages() []string {
	all, err := allAnnexWords()
	if err != nil {
		return nil
	}
	return slices.Sorted(maps.Keys(all))
}

// AnnexWordsOf is the forms' wording in the language, by its BCP 47 tag or base
// code.
func AnnexWordsOf(lang string) (*AnnexWords, error) {
	all, err := allAnnexWords()
	if err != nil {
		return nil, err
	}
	if w := all[concert.LanguageBase(lang)]; w != nil {
		return w, nil
	}
	return nil, concert.Refuse(concert.Invalid, "annex.language", "language", "the forms of Annex I to III are not there in %.20q: use one of %s, or add a file (docs/formats/annex.md)", lang, strings.Join(AnnexLanguages(), ", "))
}

// ParseAnnexWords reads the wording of one more language. It is strict: unknown or
// doubled fields, a text too many or too few and other places than the English
// texts have are refused.
func ParseAnnexWords(text []byte) (*AnnexWords, error) {
	w, err := readAnnexWords(text)
	if err != nil {
		return nil, err
	}
	all, err := allAnnexWords()
	if err != nil {
		return nil, err
	}
	return w, w.like(all[annexReference])
}

func readAnnexWords(text []byte) (*AnnexWords, error) {
	w := &AnnexWords{}
	if err := json.UnmarshalRead(bytes.NewReader(text), w, json.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("wording of the annexes: %w", err)
	}
	_, day := time.Parse(time.DateOnly, w.AsOf)
	switch {
	case w.Language == "" || concert.LanguageBase(w.Language) != w.Language:
		return nil, fmt.Errorf("wording of the annexes: language %q: write the base code of BCP 47, for example it", w.Language)
	case w.Direction != "ltr" && w.Direction != "rtl":
		return nil, fmt.Errorf("wording of the annexes: direction %q: write ltr or rtl", w.Direction)
	case w.Name == "" || w.Source == "" || w.Version < 1:
		return nil, fmt.Errorf("wording of the annexes: name, source and a version from 1 on are needed")
	case day != nil:
		return nil, fmt.Errorf("wording of the annexes: as_of %q: write the day as YYYY-MM-DD", w.AsOf)
	}
	for key, t := range w.Texts {
		if t.Text == "" || t.Text != oneLine(t.Text) {
			return nil, fmt.Errorf("wording of the annexes: the text %q is empty, or has line breaks, marks of direction or spaces too many: write one line", key)
		}
		if t.Own && !w.Official {
			return nil, fmt.Errorf("wording of the annexes: the text %q cannot be the Regulation's own: it has no version in %s", key, w.Language)
		}
	}
	return w, nil
}

// like says what differs in keys, places and origin from the reference.
func (w *AnnexWords) like(ref *AnnexWords) error {
	if ref == nil {
		return fmt.Errorf("wording of the annexes: annex/%s.json is not there", annexReference)
	}
	for key, want := range ref.Texts {
		got, ok := w.Texts[key]
		switch {
		case !ok:
			return fmt.Errorf("wording of the annexes in %s: the text %q is missing", w.Language, key)
		case !slices.Equal(places(got.Text), places(want.Text)):
			return fmt.Errorf("wording of the annexes in %s: the text %q has the places %v, in English %v", w.Language, key, places(got.Text), places(want.Text))
		case got.Own != (want.Own && w.Official):
			return fmt.Errorf("wording of the annexes in %s: the text %q says own is %v: it is the Regulation's where the English one is and the language is official", w.Language, key, got.Own)
		}
	}
	for key := range w.Texts {
		if _, ok := ref.Texts[key]; !ok {
			return fmt.Errorf("wording of the annexes in %s: nothing says the text %q: remove it", w.Language, key)
		}
	}
	return nil
}

// places are the places that a text leaves open, sorted.
func places(text string) []string {
	return slices.Sorted(slices.Values(placeName.FindAllString(text, -1)))
}

// say is a text with its places filled: name, value, name, value. What is not
// there is said as its key, which the strict reader makes impossible.
func (w *AnnexWords) say(key string, fill ...string) string {
	t, ok := w.Texts[key]
	if !ok {
		return key
	}
	return placeName.ReplaceAllStringFunc(t.Text, func(p string) string {
		for i := 0; i+1 < len(fill); i += 2 {
			if fill[i] == p[1:len(p)-1] {
				return w.apart(fill[i+1])
			}
		}
		return p
	})
}

// apart keeps a value that is written from left to right in one piece inside a
// text from right to left, and apart from such values beside it.
func (w *AnnexWords) apart(s string) string {
	if w.Direction != "rtl" || s == "" {
		return s
	}
	return rightToLeft + apart(s, true) + rightToLeft
}

// has is a text by a code, and whether there is one.
func (w *AnnexWords) has(group, code string) (string, bool) {
	t, ok := w.Texts[group+"."+code]
	return t.Text, ok
}

// date is a day as the language writes it.
func (w *AnnexWords) date(t time.Time) string {
	key := "date"
	if t.Day() == 1 {
		key = "date.first"
	}
	month, _ := w.has("month", strconv.Itoa(int(t.Month())))
	return w.say(key, "day", strconv.Itoa(t.Day()), "month", month, "year", strconv.Itoa(t.Year()))
}

// moment is a time as the language writes it, to the second, UTC.
func (w *AnnexWords) moment(t time.Time) string {
	return w.say("date.time", "date", w.date(t), "time", t.Format(time.TimeOnly)+" UTC")
}

// state is a Member State by its ISO 3166-1 code, with the code; another code is
// itself.
func (w *AnnexWords) state(code string) string {
	code = oneLine(code)
	if name, ok := w.has("state", code); ok {
		return name + " (" + w.apart(code) + ")"
	}
	return code
}
