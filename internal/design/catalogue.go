package design

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// Text is what a person reads, in English, with the verbs of package fmt. It is
// the key of the catalogues.
type Text string

// English is the text itself, for a file whose readers are programs.
func (t Text) English() string { return string(t) }

// English is the form of a counted text for one, which has no key of its own.
type English string

//go:embed words
var words embed.FS

// translation is one text in one language: one form, or one a plural category.
type translation struct {
	whole string
	forms map[string]string
}

// UnmarshalJSON reads a string, or an object from plural category to string.
func (t *translation) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &t.whole)
	}
	return json.Unmarshal(b, &t.forms)
}

type catalogue map[Text]translation

// catalogues are read once: they are part of the program.
var catalogues = sync.OnceValues(readCatalogues)

func readCatalogues() (map[string]catalogue, error) {
	out := map[string]catalogue{}
	for _, l := range Languages()[1:] {
		c := catalogue{}
		files, err := fs.Glob(words, path.Join("words", l.Code, "*.json"))
		if err != nil {
			return nil, err
		}
		for _, name := range files {
			if err := c.read(name); err != nil {
				return nil, err
			}
		}
		out[l.Code] = c
	}
	return out, nil
}

func (c catalogue) read(name string) error {
	raw, err := words.ReadFile(name)
	if err != nil {
		return err
	}
	var page map[Text]translation
	if err := json.Unmarshal(raw, &page); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for key, t := range page {
		if old, ok := c[key]; ok && (old.whole != t.whole || len(old.forms) != len(t.forms)) {
			return fmt.Errorf("%s: %q is translated in another file too, in other words: keep one", name, key)
		}
		c[key] = t
	}
	return nil
}

// CheckCatalogues says whether the catalogues can be read; a program that
// starts asks once.
func CheckCatalogues() error {
	_, err := catalogues()
	return err
}

// Say is the text in the reader's language, with what goes into it; a Text
// that goes into it is said as well. Numbers are written as that language writes
// them, in the digits 0 to 9. What has no translation stays English.
func Say(ctx context.Context, t Text, args ...any) string {
	l := ReaderOf(ctx).Language
	return format(l, t.in(l, ""), args)
}

// Count is the text that fits the number, which is its first argument; one is
// the English for exactly one, many its English otherwise and its key.
func Count(ctx context.Context, n int, one English, many Text, more ...any) string {
	l := ReaderOf(ctx).Language
	form := category(l, n)
	said := many.in(l, form)
	if l.Code == "en" && n == 1 {
		said = string(one)
	}
	return format(l, said, append([]any{n}, more...))
}

// in is the text's translation, in the plural category where it has such.
func (t Text) in(l Language, form string) string {
	all, err := catalogues()
	if err != nil {
		return string(t)
	}
	found, ok := all[l.Code][t]
	switch {
	case !ok:
		return string(t)
	case found.forms == nil:
		return found.whole
	case found.forms[form] != "":
		return found.forms[form]
	}
	return found.forms["other"]
}

// category is CLDR's plural category of a whole number.
func category(l Language, n int) string {
	names := map[plural.Form]string{plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many", plural.Other: "other"}
	return names[plural.Cardinal.MatchPlural(tagOf(l), max(n, -n), 0, 0, 0, 0)]
}

// tagOf keeps the digits 0 to 9 in every language, so that a figure is one
// figure on every page, in every table and in every file.
func tagOf(l Language) language.Tag { return language.Make(l.Code + "-u-nu-latn") }

func format(l Language, said string, args []any) string {
	if len(args) == 0 {
		return strings.ReplaceAll(said, "%%", "%")
	}
	args = slices.Clone(args)
	for i, a := range args {
		if t, ok := a.(Text); ok {
			args[i] = format(l, t.in(l, ""), nil)
		}
	}
	return message.NewPrinter(tagOf(l)).Sprintf(said, args...)
}

// Translated lists every text that the language's catalogue translates, in
// order: what the tests compare with what is said.
func Translated(code string) ([]Text, error) {
	all, err := catalogues()
	if err != nil {
		return nil, err
	}
	var out []Text
	for t := range all[code] {
		out = append(out, t)
	}
	slices.Sort(out)
	return out, nil
}
