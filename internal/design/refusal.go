package design

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"concert"
)

// Refusal is what a person reads of a refusal, in the reader's language: the
// sentence begins with a capital. Codes of the house that go into it, alone or in
// a slice, are said in the words that word has for them, "" for none; references, places
// and what somebody typed stand in it as they are, kept apart from the sentence's
// own direction.
func Refusal(ctx context.Context, e *concert.Error, word func(code any) Text) string {
	l := ReaderOf(ctx).Language
	about, form, args := e.Said()
	said := e.Message
	if t := Text(form).in(l, ""); t != form {
		args = slices.Clone(args)
		for i, a := range args {
			args[i] = l.shown(a, word)
		}
		said = capital(format(l, t, args))
		if about != "" {
			said = l.apart(about) + Say(ctx, ": ") + said
		}
		return said
	}
	return capital(said)
}

func capital(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	if r == utf8.RuneError {
		return s
	}
	return string(unicode.ToUpper(r)) + s[size:]
}

// shown is what goes into a refusal, as a reader of the language takes it.
func (l Language) shown(a any, word func(any) Text) any {
	switch v := reflect.ValueOf(a); v.Kind() {
	case reflect.String:
		if word != nil {
			if t := word(a); t != "" {
				return phrase{l, format(l, t.in(l, ""), nil), true}
			}
		}
		return phrase{l, v.String(), false}
	case reflect.Slice:
		var parts []string
		for i := range v.Len() {
			parts = append(parts, fmt.Sprint(l.shown(v.Index(i).Interface(), word)))
		}
		if len(parts) == 0 {
			parts = []string{"–"}
		}
		return phrase{l, strings.Join(parts, Text(", ").in(l, "")), true}
	}
	return a
}

// phrase is a string within a sentence: a word of its language, or a foreign
// part.
type phrase struct {
	l    Language
	text string
	own  bool
}

// Format writes it under %s, %v and %q, at most as long as the verb says; %q in
// the language's marks, with what does not print escaped.
func (p phrase) Format(f fmt.State, verb rune) {
	text := p.text
	if most, ok := f.Precision(); ok && utf8.RuneCountInString(text) > most {
		text = string([]rune(text)[:most])
	}
	if verb == 'q' {
		quoted := strconv.Quote(text)
		text = quoted[1 : len(quoted)-1]
	}
	if !p.own {
		text = p.l.apart(text)
	}
	if verb == 'q' {
		text = p.l.quoted(text)
	}
	_, _ = f.Write([]byte(text)) // a string's builder takes everything
}

// apart isolates a foreign part from the direction of the sentence around it
// (Unicode Standard Annex 9, 3.1.2).
func (l Language) apart(s string) string {
	if l.Dir != "rtl" || s == "" {
		return s
	}
	return "\u2068" + s + "\u2069"
}

// quoted is the text in the language's quotation marks.
func (l Language) quoted(s string) string {
	if l.Code == "fr" {
		return "«\u202f" + s + "\u202f»"
	}
	return "«" + s + "»"
}
