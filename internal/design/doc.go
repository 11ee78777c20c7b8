// Package design is how Concert looks and reads: the languages of its pages with
// their catalogues, the times and numbers in them, and the pieces that every
// page is made of. It knows no case and asks no database; package webui puts
// the pages together.
//
// Every text that a person reads is a [Text]: its English is its key. In a
// template it stands as
//
//	{ say(ctx, "%d referrals wait", n) }       one text, with what goes into it
//	{ count(ctx, n, "%d day", "%d days") }     a text that hangs on a number
//
// and in Go as a constant of type Text in a table, said when it is shown:
//
//	map[concert.Rung]design.Text{concert.RungSent: "sent"}
//
// The French and the Arabic of it stand in words/fr and words/ar, one JSON file a
// feature: from the English to the translation, or to one for each plural form
// of the language (zero, one, two, few, many, other) where the text is counted.
// A text that has no translation, a translation that nothing says and a word that
// a page shows without asking the catalogue each fail a test. The verbs of a
// translation are those of its English, in any order by %[2]s.
//
// What an act refuses is a text as well: the form that concert.Refuse is given is
// its key, and [Refusal] says it with what goes into it. The catalogue has the form
// of every refusal but those that no page shows: the door for programs, and the
// nouns that only an operator or another machine meets (refusal_test.go lists both
// with the reason). What a form is must be a constant, and it says what to do. The
// words themselves keep to the glossary in docs/languages.md.
package design
