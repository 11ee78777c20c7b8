package language

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// What has no words of a language names none.
func TestNoLanguageIsUnknown(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", " \n\t", "12345 67890", "٢٠٢٦", "https://video.example/watch/EXERCISE-1?lang=en", "www.example.org/نشيد someone@example.org", "@exercise_channel t.example/abc",
		"🔥🔥🔥 🚩", "!!! ... ---", "ok", "IMG_20261126.jpg", "S01E02 1080p x264", "asdkjh qwlekj zxcmn", "Exercise Name", "Анна Иванова", "محمد أحمد علي", "\xff\xfe\x00", "\u0301\u0301",
		"привет hello как are твои you дела friend", "ⵜⵉⴼⵉⵏⴰⵖ",
		"это был очень длинный день и все люди были дома, but then they all went to the market and it was good for them",
	} {
		if g := Detect(text); g.Language != Unknown {
			t.Errorf("%q is taken for %+v", text, g)
		}
	}
}

// Texts in languages that are not ours are doubted.
func TestForeignLanguagesAreDoubted(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"Ngi mangi dem ci marse bi tey, waaye kenn feggu fa woon te bunt bi tëj na.",                 // Wolof
		"Is-suq ħdejn l-istazzjon fetaħ tard għaliex il-furnar kien tilef iċ-ċwievet tiegħu.",        // Maltese
		"Станция ҫывӑхӗнчи пасар кая юлса уҫӑлнӑ, мӗншӗн тесен ҫӑкӑр пӗҫерекен ҫӑраҫҫисене ҫухатнӑ.", // Chuvash
	} {
		if g := Detect(text); g.Confidence >= certain {
			t.Errorf("%q is taken for %+v", text, g)
		}
	}
}

func TestScriptAndDirection(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Guess{
		"بيان جديد":     {Script: "Arab", Direction: RightToLeft},
		"ދިވެހި":        {Script: "Thaa", Direction: RightToLeft},
		"שלום לכולם":    {Script: "Hebr", Direction: RightToLeft},
		"Новое":         {Script: "Cyrl", Direction: LeftToRight},
		"新闻":            {Script: "Hani", Direction: LeftToRight},
		"ニュースを読む":       {Script: "Jpan", Direction: LeftToRight},
		"뉴스":            {Script: "Hang", Direction: LeftToRight},
		"news":          {Script: "Latn", Direction: LeftToRight},
		"2026 — 🚩":      {Script: "Zyyy", Direction: Neither},
		"بيان EXERCISE": {Script: "Latn", Direction: LeftToRight},
	} {
		if g := Detect(text); g.Script != want.Script || g.Direction != want.Direction {
			t.Errorf("%q is %+v, want %s %s", text, g, want.Script, want.Direction)
		}
	}
}

// What people put around a text changes nothing of it.
func TestDecorationIsNotRead(t *testing.T) {
	t.Parallel()
	for code, texts := range exercise(t) {
		for _, text := range texts {
			g := Detect("🔥 https://video.example/EXERCISE 2026 — " + text + " @exercise (t.example/x) 🔥")
			if g.Language != code {
				t.Errorf("%s with decoration is %+v: %s", code, g, text)
			}
		}
	}
	plain := Detect("صدر البيان الجديد عن الوكالة في المدينة")
	if marked := Detect("صَدَرَ الـــبَيَانُ الْجَدِيدُ عَنِ الْوَكَالَةِ فِي الْمَدِينَةِ"); marked != plain || plain.Language != "ar" {
		t.Errorf("with vowel signs %+v, without %+v", marked, plain)
	}
	if forms := Detect("ﺻﺪﺭ ﺍﻟﺒﻴﺎﻥ ﺍﻟﺠﺪﻳﺪ ﻋﻦ ﺍﻟﻮﻛﺎﻟﺔ ﻓﻲ ﺍﻟﻤﺪﻳﻨﺔ"); forms != plain {
		t.Errorf("in presentation forms %+v, in letters %+v", forms, plain)
	}
}

// Arabic's and Persian's keyboards write yeh and kaf by other characters, in whatever language is typed on them.
func TestKeyboardsAreNotRead(t *testing.T) {
	t.Parallel()
	all := exercise(t)
	for _, letters := range []*strings.Replacer{strings.NewReplacer("ي", "ی", "ك", "ک"), strings.NewReplacer("ی", "ي", "ک", "ك")} {
		for _, code := range []string{"ar", "fa", "ps", "ur", "ckb", "ug"} {
			for _, text := range all[code] {
				if g, plain := Detect(letters.Replace(text)), Detect(text); g != plain {
					t.Errorf("%s on another keyboard is %+v, not %+v: %s", code, g, plain, letters.Replace(text))
				}
			}
		}
	}
}

// Three languages that are written alike are named with the doubt that is due.
func TestTwinsAreDoubted(t *testing.T) {
	t.Parallel()
	g := Detect("Svi su pred zakonom jednaki i imaju pravo na odmor.")
	if !strings.Contains("bs hr sr", g.Language) || g.Confidence > 0.6 {
		t.Errorf("a sentence that is Bosnian, Croatian and Serbian is %+v", g)
	}
}

func sound(t interface{ Errorf(string, ...any) }, text string) {
	g := Detect(text)
	if g.Confidence < 0 || g.Confidence > 1 || g.Confidence != g.Confidence || g.Script == "" || g.Direction == "" || len(g.Language) < 2 || len(g.Language) > 3 {
		t.Errorf("%q: %+v is no guess", text, g)
	}
	if g.Language != Unknown && g.Confidence < certain {
		t.Errorf("%q: %+v names a language without being sure", text, g)
	}
	if g.Script == common && g != (Guess{Unknown, common, Neither, 0}) {
		t.Errorf("%q: %+v without a letter", text, g)
	}
	if again := Detect(text); again != g {
		t.Errorf("%q: %+v, then %+v", text, g, again)
	}
}

func TestAnyTextGetsAGuess(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		sound(t, strings.Join(rapid.SliceOfN(rapid.String(), 0, 20).Draw(t, "words"), " "))
	})
	sound(t, strings.Repeat("ﷺ", 1<<18))
	sound(t, strings.Repeat("a", 1<<20))
	sound(t, strings.Repeat("\u0301", 1<<20))
	sound(t, strings.Repeat("word ", 1<<18))
}

func FuzzDetect(f *testing.F) {
	for _, texts := range exercise(f) {
		for _, text := range texts {
			f.Add(text)
		}
	}
	f.Add("\xff\xfe https://example.org ﷺ 𝓉𝑒𝓍𝓉")
	f.Fuzz(func(t *testing.T, text string) {
		sound(t, text)
		if clean := strings.ToValidUTF8(text, " "); !utf8.ValidString(text) {
			sound(t, clean)
		}
	})
}

func BenchmarkDetect(b *testing.B) {
	var texts []string
	for _, of := range exercise(b) {
		texts = append(texts, of...)
	}
	Detect(texts[0])
	n := 0
	for b.Loop() {
		Detect(texts[n%len(texts)])
		n++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}

// BenchmarkModels is what the first guess of a process costs besides.
func BenchmarkModels(b *testing.B) {
	for b.Loop() {
		var all [len(scripts)]*model
		bu := builder{models: &all}
		bu.profiles(profilesText)
		bu.lists(wordsText)
	}
}
