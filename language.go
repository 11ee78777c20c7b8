package concert

import (
	"slices"
	"strings"
	"time"
)

// Language codes that name no language.
const (
	LanguageUnknown = "und" // none was found, or none is there
	LanguageNone    = "zxx" // no words: images, music
)

// languagesMost bounds what one person says it reads.
const languagesMost = 40

// languageTwins are codes of ISO 639-2 and 639-3, and withdrawn ones, of
// languages that BCP 47 names otherwise.
var languageTwins = map[string]string{
	"ara": "ar", "arb": "ar", "eng": "en", "fra": "fr", "fre": "fr", "deu": "de", "ger": "de", "spa": "es", "rus": "ru", "tur": "tr", "urd": "ur", "fas": "fa", "per": "fa", "pes": "fa",
	"pus": "ps", "ben": "bn", "nld": "nl", "dut": "nl", "som": "so", "uzb": "uz", "ind": "id", "ita": "it", "por": "pt", "cmn": "zh", "zho": "zh", "chi": "zh", "iw": "he", "in": "id", "ji": "yi",
}

// LanguageBase is the base code of a BCP 47 tag, by which languages of people
// and of content are compared: "pt-BR" and "por" are "pt". A text that is no
// tag gives "".
func LanguageBase(tag string) string {
	base, _, _ := strings.Cut(strings.ReplaceAll(strings.ToLower(strings.TrimSpace(tag)), "_", "-"), "-")
	if twin, ok := languageTwins[base]; ok {
		return twin
	}
	if len(base) < 2 || len(base) > 3 || strings.Trim(base, "abcdefghijklmnopqrstuvwxyz") != "" {
		return ""
	}
	return base
}

// spoken reports whether the tag names a language that somebody has to read.
func spoken(tag string) bool {
	base := LanguageBase(tag)
	return tag != "" && base != LanguageUnknown && base != LanguageNone
}

// LanguagesOf checks the languages that a person reads and gives their base
// codes, sorted and each once; none at all is possible.
func LanguagesOf(tags []string) ([]string, error) {
	var out []string
	for _, tag := range tags {
		if strings.TrimSpace(tag) == "" {
			continue
		}
		base := LanguageBase(tag)
		if base == "" || !spoken(tag) || base == "mul" {
			return nil, Refuse(Invalid, "person.languages", "languages", "%.20q names no language that a person reads: write BCP 47 codes, for example ar, fr, ckb", tag)
		}
		out = append(out, base)
	}
	slices.Sort(out)
	out = slices.Compact(out)
	if len(out) > languagesMost {
		return nil, Refuse(TooLarge, "person.languages", "languages", "a person reads at most %d languages here", languagesMost)
	}
	return out, nil
}

// Reads reports whether the actor can judge what stands in the language: it
// says it reads it, or there are no words to read. Who says nothing reads none.
func (a Actor) Reads(tag string) bool {
	return !spoken(tag) || slices.Contains(a.Languages, LanguageBase(tag))
}

// LanguagesStated changes what languages the person reads: its own statement,
// or an administrator's entry. Either is recorded; it is no role and takes one
// person.
func (p Person) LanguagesStated(by Actor, tags []string, now time.Time) (Person, Event, error) {
	may := by.MayKeepCases() // who judges nothing states nothing
	if by.Person != p.ID {
		may = by.Need(RoleAdministrator)
	}
	if may != nil {
		return p, Event{}, may
	}
	if !p.DisabledAt.IsZero() {
		return p, Event{}, errDisabled()
	}
	langs, err := LanguagesOf(tags)
	if err != nil {
		return p, Event{}, err
	}
	p.Languages = langs
	return p, NewEvent(EventPersonLanguages, by, string(p.ID), now, RegisterBody{Ref: p.Operator, Person: p.ID, Authority: p.Authority, Languages: langs}), nil
}

// TranslationKind is who made a translation.
type TranslationKind string

// The kinds of translation.
const (
	TranslationHuman   TranslationKind = "human"
	TranslationMachine TranslationKind = "machine" // shown as a help, never enough to judge by
)

// TranslationMost bounds the text of a translation, in bytes.
const TranslationMost = 64 << 10

// Translation is an item's words in another language, with its maker. Text and
// Translator are sealed under the item's key.
type Translation struct {
	ID         TranslationID
	Ref        string
	Item       ItemID
	Kind       TranslationKind
	Source     string   // base code
	Target     string   // base code
	Maker      PersonID // who of the house translated it; "" where Translator did
	Translator string   // a named translator, or the program and its version
	Text       string
	RecordedBy PersonID
	Authority  AuthorityID
	At         time.Time
}

// TranslationText is the sealed part of a translation.
type TranslationText struct {
	Translator string `json:"translator,omitempty"`
	Text       string `json:"text"`
}

// Translated records a translation of the item's words, by an officer or
// reviewer. Without a named translator the actor made it itself, and must read
// both languages; a machine's translation names the program.
func (it Item) Translated(by Actor, t Translation, now time.Time) (Translation, Event, error) {
	if err := by.needAuthority(RoleOfficer, RoleReviewer); err != nil {
		return t, Event{}, err
	}
	if err := it.Standing(); err != nil {
		return t, Event{}, err
	}
	source, target := LanguageBase(t.Source), LanguageBase(t.Target)
	t.Translator = strings.TrimSpace(t.Translator)
	own := t.Kind == TranslationHuman && t.Translator == ""
	switch {
	case t.Kind != TranslationHuman && t.Kind != TranslationMachine:
		return t, Event{}, Refuse(Invalid, "translation.kind", "kind", "a translation is %s or %s: choose one", TranslationHuman, TranslationMachine)
	case source == "" || !spoken(source) || target == "" || !spoken(target) || source == target:
		return t, Event{}, Refuse(Invalid, "translation.languages", "target", "name two languages, from which and into which it is translated (BCP 47, for example ar and en)")
	case len(strings.TrimSpace(t.Text)) < 2:
		return t, Event{}, Refuse(Invalid, "translation.text", "text", "the translation is empty: write it")
	case len(t.Text) > TranslationMost || len(t.Translator) > 200:
		return t, Event{}, Refuse(TooLarge, "translation.text", "text", "a translation has at most %d bytes, its maker's name 200: translate what the judgement rests on", TranslationMost)
	case t.Kind == TranslationMachine && t.Translator == "":
		return t, Event{}, Refuse(Invalid, "translation.maker", "translator", "name the program that translated, with its version")
	case own && (!by.Reads(source) || !by.Reads(target)):
		return t, Event{}, Refuse(Forbidden, "translation.maker", "translator", "you say you read %v: name the translator who translated from %s into %s, or state that you read both", by.Languages, source, target)
	}
	t.Item, t.Source, t.Target, t.RecordedBy, t.Authority, t.At = it.ID, source, target, by.Person, by.Authority, now
	t.Maker = ""
	if own {
		t.Maker = by.Person
	}
	b := TranslationBody{Ref: it.Ref, Translation: t.Ref, Kind: t.Kind, Source: source, Target: target, Maker: t.Maker, Authority: by.Authority}
	return t, NewEvent(EventItemTranslated, by, string(it.ID), now, b).WithSealed(TranslationText{t.Translator, t.Text}), nil
}

// TranslationBody is the body of the event of a translation.
type TranslationBody struct {
	Ref         string          `json:"ref"` // the item's
	Translation string          `json:"translation"`
	Kind        TranslationKind `json:"kind"`
	Source      string          `json:"source"`
	Target      string          `json:"target"`
	Maker       PersonID        `json:"maker,omitempty"`
	Authority   AuthorityID     `json:"authority"`
}

// understood says by what the actor understands what stands in the languages:
// "" where it reads them itself, else the reference of a human translation into
// one that it reads; foreign is the first language of which it has neither. A
// machine's translation never counts, nor one that the person in besides made:
// whoever approves by the assessor's own translation has one pair of eyes.
func (a Actor) understood(tags []string, translations []Translation, besides PersonID) (by, foreign string) {
	for _, tag := range tags {
		if a.Reads(tag) {
			continue
		}
		i := slices.IndexFunc(translations, func(t Translation) bool {
			return t.Kind == TranslationHuman && t.Source == LanguageBase(tag) && slices.Contains(a.Languages, t.Target) && (besides == "" || t.Maker != besides)
		})
		if i < 0 {
			return "", tag
		}
		by = translations[i].Ref
	}
	return by, ""
}
