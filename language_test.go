package concert_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"concert"
)

func TestLanguagesAreComparedByTheirBase(t *testing.T) {
	t.Parallel()
	for tag, want := range map[string]string{"pt-BR": "pt", "pt_BR": "pt", " AR ": "ar", "arb": "ar", "ckb": "ckb", "zh-Hant-TW": "zh", "und": "und", "": "", "Arabic": "", "a": "", "4x": "", "iw": "he"} {
		if got := concert.LanguageBase(tag); got != want {
			t.Errorf("%q: %q, want %q", tag, got, want)
		}
	}
	got, err := concert.LanguagesOf([]string{"fr", "AR", " ", "ara", "en-GB"})
	if diff := cmp.Diff([]string{"ar", "en", "fr"}, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	for _, bad := range []string{"und", "zxx", "mul", "Arabic", "<script>"} {
		if _, err := concert.LanguagesOf([]string{bad}); code(err) != "person.languages" {
			t.Errorf("%q is read: %v", bad, err)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		tag := rapid.String().Draw(t, "tag")
		base := concert.LanguageBase(tag)
		if concert.LanguageBase(base) != base {
			t.Fatalf("%q has the base %q, and that %q", tag, base, concert.LanguageBase(base))
		}
	})
}

// reads is the actor with these languages alone.
func reads(a concert.Actor, tags ...string) concert.Actor {
	a.Languages = tags
	return a
}

func TestWordsAreJudgedByWhoReadsThem(t *testing.T) {
	t.Parallel()
	human := concert.Translation{Ref: "TR-1", Kind: concert.TranslationHuman, Source: "ar", Target: "en", Maker: "mia"}
	machine := human
	machine.Kind, machine.Maker = concert.TranslationMachine, ""
	own := human
	own.Maker = "ann"
	for name, x := range map[string]struct {
		by    []string
		tag   string
		was   string // the language that its finder said
		words []concert.Translation
		want  string
		basis string
	}{
		"a reader":                              {[]string{"ar"}, "ar", "", nil, "", ""},
		"a reader of the base":                  {[]string{"ar"}, "ar-EG", "", nil, "", ""},
		"no reader":                             {[]string{"en"}, "ar", "", nil, "assessment.language", ""},
		"nothing stated":                        {nil, "ar", "", nil, "assessment.language", ""},
		"nothing stated, nothing to read":       {nil, "und", "", nil, "", ""},
		"no words":                              {nil, "zxx", "", nil, "", ""},
		"a machine":                             {[]string{"en"}, "ar", "", []concert.Translation{machine}, "assessment.language", ""},
		"a person":                              {[]string{"en"}, "ar", "", []concert.Translation{machine, human}, "", "TR-1"},
		"a person, into a language not read":    {[]string{"fr"}, "ar", "", []concert.Translation{human}, "assessment.language", ""},
		"a person, out of another language":     {[]string{"en"}, "fa", "", []concert.Translation{human}, "assessment.language", ""},
		"another language named to get past it": {[]string{"en"}, "en", "ar", nil, "assessment.language", ""},
		"none named to get past it":             {[]string{"en"}, "und", "ar", nil, "assessment.language", ""},
	} {
		it, a := openItem(), judgement()
		it.Language, a.Language, a.Translations = x.was, x.tag, x.words
		_, _, e, err := it.Assessed(reads(officer("ann"), x.by...), a, scopeList(), noon)
		if code(err) != x.want {
			t.Errorf("%s: %v, want %q", name, err, x.want)
		}
		if err == nil && e.Body.(concert.ItemBody).Translation != x.basis {
			t.Errorf("%s rests on %q, want %q", name, e.Body.(concert.ItemBody).Translation, x.basis)
		}
	}
	judged, _, _, err := openItem().Assessed(officer("ann"), judgement(), scopeList(), noon)
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]struct {
		by    []string
		words []concert.Translation
		want  string
	}{
		"a reader":                  {[]string{"ar"}, nil, ""},
		"no reader":                 {[]string{"en"}, nil, "approval.language"},
		"a machine":                 {[]string{"en"}, []concert.Translation{machine}, "approval.language"},
		"the assessor's own":        {[]string{"en"}, []concert.Translation{own}, "approval.language"},
		"a third person's":          {[]string{"en"}, []concert.Translation{own, human}, ""},
		"a reader who needs nobody": {[]string{"ar", "en"}, []concert.Translation{own}, ""},
	} {
		for _, d := range []concert.Decision{concert.Approve, concert.Reject} {
			_, _, _, err := judged.Decided(reads(reviewer("rex"), x.by...), concert.Approval{Decision: d, Ground: longGround, Translations: x.words}, nil, scopeList(), noon)
			if code(err) != x.want {
				t.Errorf("%s, %s: %v, want %q", d, name, err, x.want)
			}
		}
	}
}

// Who takes a second look understands the words as whoever assesses and approves must.
func TestSecondLookIsGivenByAReaderOrByATranslation(t *testing.T) {
	t.Parallel()
	judged, _, _, err := openItem().Assessed(officer("ann"), judgement(), scopeList(), noon)
	if err != nil {
		t.Fatal(err)
	}
	human := concert.Translation{Ref: "TR-1", Kind: concert.TranslationHuman, Source: "ar", Target: "en", Maker: "mia"}
	machine, own := human, human
	machine.Kind, machine.Maker = concert.TranslationMachine, ""
	own.Maker = "ann"
	circle := concert.Circle{Knowing: []concert.PersonID{"ann", "rex"}}
	for name, x := range map[string]struct {
		by    []string
		words []concert.Translation
		want  string
		basis string
	}{
		"a reader":               {[]string{"ar"}, nil, "", ""},
		"no reader":              {[]string{"en"}, nil, "second_look.language", ""},
		"nothing stated":         {nil, nil, "second_look.language", ""},
		"a machine":              {[]string{"en"}, []concert.Translation{machine}, "second_look.language", ""},
		"the assessor's own":     {[]string{"en"}, []concert.Translation{own}, "second_look.language", ""},
		"a third person's":       {[]string{"en"}, []concert.Translation{own, machine, human}, "", "TR-1"},
		"into a language unread": {[]string{"fr"}, []concert.Translation{human}, "second_look.language", ""},
	} {
		for _, look := range []concert.SecondLook{{Verdict: concert.LookAgree, Type: concert.Incites}, {Verdict: concert.LookDisagree, Note: longGround}} {
			look.Translations = x.words
			by := reads(reviewer("roy"), x.by...)
			_, e, err := look.Looked(by, judged, circle, noon)
			if code(err) != x.want || look.Understands(by, judged) != (x.want == "") {
				t.Errorf("%s, %s: %v, want %q", name, look.Verdict, err, x.want)
			}
			if err == nil && e.Body.(concert.ItemBody).Translation != x.basis {
				t.Errorf("%s rests on %q, want %q", name, e.Body.(concert.ItemBody).Translation, x.basis)
			}
		}
	}
}

func TestTranslationNamesItsMaker(t *testing.T) {
	t.Parallel()
	mia := reads(officer("mia"), "ar", "en")
	for name, x := range map[string]struct {
		by   concert.Actor
		in   concert.Translation
		want string
	}{
		"one's own":                      {mia, concert.Translation{Kind: concert.TranslationHuman, Source: "ar", Target: "en", Text: "EXERCISE"}, ""},
		"of what one does not read":      {mia, concert.Translation{Kind: concert.TranslationHuman, Source: "ru", Target: "en", Text: "EXERCISE"}, "translation.maker"},
		"a named translator's":           {mia, concert.Translation{Kind: concert.TranslationHuman, Translator: "EXERCISE sworn translator 4", Source: "ru", Target: "en", Text: "EXERCISE"}, ""},
		"a machine's":                    {mia, concert.Translation{Kind: concert.TranslationMachine, Translator: "EXERCISE engine 1", Source: "ru", Target: "en", Text: "EXERCISE"}, ""},
		"an unnamed machine's":           {mia, concert.Translation{Kind: concert.TranslationMachine, Source: "ru", Target: "en", Text: "EXERCISE"}, "translation.maker"},
		"into the same language":         {mia, concert.Translation{Kind: concert.TranslationHuman, Source: "ar-EG", Target: "ar", Text: "EXERCISE"}, "translation.languages"},
		"of nothing":                     {mia, concert.Translation{Kind: concert.TranslationHuman, Source: "ar", Target: "en", Text: " "}, "translation.text"},
		"of neither kind":                {mia, concert.Translation{Source: "ar", Target: "en", Text: "EXERCISE"}, "translation.kind"},
		"of a provider's person":         {answerer(), concert.Translation{Kind: concert.TranslationHuman, Source: "ar", Target: "en", Text: "EXERCISE"}, "role.missing"},
		"whose maker is somebody else's": {mia, concert.Translation{Kind: concert.TranslationHuman, Translator: "EXERCISE", Maker: "rex", Source: "ar", Target: "en", Text: "EXERCISE"}, ""},
	} {
		tr, e, err := openItem().Translated(x.by, x.in, noon)
		if code(err) != x.want {
			t.Errorf("%s: %v, want %q", name, err, x.want)
			continue
		}
		if err == nil && ((tr.Maker == "mia") != (x.in.Translator == "") || e.Sealed == nil) {
			t.Errorf("%s: maker %q", name, tr.Maker)
		}
	}
	if _, _, err := colleague(mia).LanguagesStated(officer("ann"), []string{"ar"}, noon); code(err) != "role.missing" {
		t.Errorf("a colleague states what mia reads: %v", err)
	}
}
