package neartext

import (
	"errors"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestNormalForm(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{"  \u200b\u202e ", ""},
		{"EXERCISE:\u00a0the  Quick—brown\nfox!", "exercise the quick brown fox"},
		{"Ｆｕｌｌ 𝓼𝓬𝓻𝓲𝓹𝓽 🅱🅻🅾🅲🅺 ﬁne x²", "full script block fine x2"},
		{"don’t don't d'accord", "dont dont daccord"},
		{"so\u00adft zero\u200bwidth var\ufe0f", "soft zerowidth var"},
		{"Crème Brûlée Straße Łódź Ærø İstanbul ısı", "creme brulee strasse lodz aero istanbul isi"},
		{"z\u0300\u0301\u0302\u0303\u0304\u0305alg\u0336o", "zalgo"},
		{"рaypаl соmе", "paypal come"}, // partly Cyrillic
		{"Террор террор", "teppop teppop"},
		{"كِتَابٌ كـــتاب کتاب", "كتاب كتاب كتاب"},
		{"أحمد إحمد آحمد ٱحمد", "احمد احمد احمد احمد"},
		{"مدرسة مدرسه على علي علی", "مدرسه مدرسه علي علي علي"},
		{"ﷲ ﻻ ٢٠٢٦ ۲۰۲۶", "الله لا 2026 2026"},
		{"می\u200cخواهم میخواهم", "ميخواهم ميخواهم"},
		{"שָׁלוֹם", "שלום"},
		{"हिन्दी में", "हिन्दी में"},
		{"क" + strings.Repeat("\u094d", 40) + "ख", "क" + strings.Repeat("\u094d", 4) + "ख"},
		{"日本語のテスト ﾃﾞｰﾀ", "日 本 語 の テ ス ト デ ー タ"},
		{"한국어 시험", "한국어 시험"},
		{"see hxxps[:]//exercise[.]example/Page, and more", "see https://exercise.example/page and more"},
		{"http://exercise.example/ (https://exercise.example)", "https://exercise.example https://exercise.example"},
		{"exercise(dot)example t.example/name. www.exercise.example", "https://exercise.example https://t.example/name https://www.exercise.example"},
		{"end.Start no link", "end start no link"},
		{"tg://resolve?domain=exercise", "tg://resolve?domain=exercise"},
		{"http:// https://?x http://- a://b", "http https x http a b"},
		{"broken \xff\xfe bytes\x80x", "broken bytes x"},
		{"snake_case #hash_tag @name", "snake case hash tag name"},
	} {
		got := Normalise(c.text)
		if got != c.want {
			t.Errorf("Normalise(%q) = %q, want %q", c.text, got, c.want)
		}
		if again := Normalise(got); again != got {
			t.Errorf("Normalise(%q) = %q, and again %q", c.text, got, again)
		}
	}
}

// awkward are pieces of text in which normal forms, links and marks meet.
var awkward = []string{
	"a", "E", "ß", "ı", "İ", "ﬁ", "é", "e\u0301", "\u0301", "\u0345", "\u0651", "\u064e", "\u0640", "\u0654", "ي", "ى", "ة", "لا", "ﷺ", "\u200d", "\u034f",
	"が", "か\u3099", "\u3099", "ﾞ", "각", "ᄀ", "ᅡ", "ᆨ", "\u1160", "क\u093c", "\u0958", "\u093c", "\u0e33", "ก", "\u0f73", "\u0f71\u0f74", "漢", "🔥", "🅰", "٣", "𝟗",
	"http", "hxxps", "tg", ":", "/", "//", "[:]//", "://", ".", "[.]", "(dot)", "www", "-", "_", "'", "’", "ʼ", "ͅ", "?", "#", " ", "\n", "\xff", "\ufffd", "Ꭰ", "ꭰ", "Ω", "½", "…",
	"ẛ̣", "ǆ", "ŉ", "ﬅ", "Ϲ", "ϲ", "ẞ", "\u1e9b\u0323", "\u2126", "\u0390", "ΐ", "°", "´", "\u2f800", "\U0001D15E", "\u0cca", "\u09cb",
}

func TestNormalFormIsItsOwn(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pieces := rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(awkward), rapid.StringN(0, 3, -1)), 0, 20).Draw(t, "pieces")
		checkText(t, strings.Join(pieces, ""))
	})
}

// checkText holds what is true of every text.
func checkText(t interface{ Fatalf(string, ...any) }, text string) {
	n := Normalise(text)
	if again := Normalise(n); again != n {
		t.Fatalf("Normalise(%q) = %q, and again %q", text, n, again)
	}
	if !utf8.ValidString(n) {
		t.Fatalf("Normalise(%q) = %q is no UTF-8", text, n)
	}
	start := 0
	for _, k := range tokens(text) {
		// Two words of one ligature stand for the same bytes.
		if k.start < start || k.end <= k.start || k.end > len(text) || k.text == "" {
			t.Fatalf("%q: token %+v behind %d", text, k, start)
		}
		start = k.start
	}
	s := SketchOf(text)
	if of := SketchOf(n); of.Key != s.Key || of.Simhash != s.Simhash {
		t.Fatalf("%q and its normal form have different sketches", text)
	}
}

func FuzzCompare(f *testing.F) {
	for _, a := range awkward {
		f.Add(a, "EXERCISE one two three "+a)
	}
	f.Add(strings.Join(awkward, ""), strings.Join(awkward, " "))
	f.Add(strings.Repeat("a b a ", 300), strings.Repeat("a b c ", 300))
	f.Fuzz(func(t *testing.T, a, b string) {
		checkText(t, a)
		l := Compare(a, b)
		checkLikeness(t, a, b, l)
		if Compare(a, a).Verdict != Same {
			t.Fatalf("%q is not the same as itself", a)
		}
		s := SketchOf(b)
		kept, err := s.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var back Sketch
		if err := back.UnmarshalBinary(kept); err != nil || back.Key != s.Key || !slices.Equal(back.Shingles, s.Shingles) {
			t.Fatalf("a sketch does not come back: %v", err)
		}
		if err := back.UnmarshalBinary([]byte(a)); err != nil && !errors.Is(err, ErrSketch) {
			t.Fatal(err)
		}
	})
}

func checkLikeness(t *testing.T, a, b string, l Likeness) {
	t.Helper()
	start := 0
	for _, p := range l.Common {
		if p.A.Start < start || p.A.End <= p.A.Start || p.A.End > len(a) || p.B.Start < 0 || p.B.End <= p.B.Start || p.B.End > len(b) {
			t.Fatalf("%q, %q: passage %+v", a, b, p)
		}
		start = p.A.Start
	}
	for _, c := range []struct {
		text  string
		spans []Span
	}{{a, l.OnlyA}, {b, l.OnlyB}} {
		for _, s := range c.spans {
			if s.Start < 0 || s.End > len(c.text) || s.End <= s.Start {
				t.Fatalf("%q: span %+v", c.text, s)
			}
		}
	}
	if l.ShareOfA < 0 || l.ShareOfA > 1 || l.ShareOfB < 0 || l.ShareOfB > 1 {
		t.Fatalf("shares %v %v", l.ShareOfA, l.ShareOfB)
	}
}

const sample = "EXERCISE. The red boat leaves the old harbour at nine in the morning, and those who want to come along bring bread, water and a warm coat."

func TestPassagesAreShown(t *testing.T) {
	t.Parallel()
	altered := "Seen today 🔥🔥: the RED b\u043eat leaves the old harbour at TEN in the morning, and those who want to come along bring bread (https://exercise.example/new)"
	l := Compare(sample, altered)
	if l.Verdict != Near {
		t.Fatalf("verdict %s (%.2f, %.2f)", l.Verdict, l.ShareOfA, l.ShareOfB)
	}
	var a, b, onlyA, onlyB []string
	for _, p := range l.Common {
		a, b = append(a, sample[p.A.Start:p.A.End]), append(b, altered[p.B.Start:p.B.End])
	}
	for _, s := range l.OnlyA {
		onlyA = append(onlyA, sample[s.Start:s.End])
	}
	for _, s := range l.OnlyB {
		onlyB = append(onlyB, altered[s.Start:s.End])
	}
	for _, c := range []struct{ got, want []string }{
		{a, []string{"The red boat leaves the old harbour at", "in the morning, and those who want to come along bring bread"}},
		{b, []string{"the RED b\u043eat leaves the old harbour at", "in the morning, and those who want to come along bring bread"}},
		{onlyA, []string{"EXERCISE", "nine", "water and a warm coat"}},
		{onlyB, []string{"Seen today", "TEN", "https://exercise.example/new"}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	long := sample + " " + "Nothing of this is in the other text, since it was written by another hand on another day of the year. " +
		"It goes on with remarks about weather, tools, gardens, stones, lamps, rivers, bridges, wool, paint and paper, each of them once, and it ends as it began, with things that nobody else would list in this order."
	for _, c := range []struct {
		a, b string
		want Verdict
	}{
		{"EXERCISE hello", "exercise HELLO!", Same},
		{"", "", Same},
		{"EXERCISE hello", "exercise hello there", Short},
		{sample, "EXERCISE hello", Short},
		{strings.Repeat("buy now ", 50), strings.Repeat("buy now ", 49), Short},
		{"In the name of the exercise, the patient, the kind, the just: the ferry leaves at nine", "In the name of the exercise, the patient, the kind, the just: nobody may enter", Near},
		{"EXERCISE. To all our friends, greetings: the ferry leaves at nine", "EXERCISE. To all our friends, greetings: nobody may enter here now", Short},
		{sample, long, Part},
		{long, sample, Part},
		{sample, "EXERCISE. Un bateau rouge quitte le vieux port à neuf heures du matin, et qui veut venir apporte du pain, de l'eau et un manteau chaud.", Different},
		{sample + " https://a.example/1", sample + " https://a.example/2", Near},
	} {
		if l := Compare(c.a, c.b); l.Verdict != c.want {
			t.Errorf("%.40q, %.40q: %s (%.2f, %.2f), want %s", c.a, c.b, l.Verdict, l.ShareOfA, l.ShareOfB, c.want)
		}
	}
}

// A text longer than a sketch is compared by sample, and the sample is fair.
func TestLongTextsAreSampled(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	texts := invented(r, 2, 8000)
	a, b := texts[0][0], texts[1][0]
	half := b + " " + a
	l := Compare(a, half)
	if l.ShareOfA < 0.93 || l.ShareOfB < 0.4 || l.ShareOfB > 0.6 {
		t.Errorf("a whole in one twice as long: %.2f and %.2f", l.ShareOfA, l.ShareOfB)
	}
	if s := SketchOf(half); s.Distinct <= MostShingles || len(s.Shingles) != MostShingles {
		t.Errorf("%d shingles kept of %d", len(s.Shingles), s.Distinct)
	}
	huge := strings.Repeat("é", MaxBytes)
	if s := SketchOf("a" + huge); s.Words != 1 {
		t.Errorf("one endless word has %d words", s.Words)
	}
}

// The index is held against a plain list through a random walk of additions, removals and searches.
func TestIndexFindsWhatAScanFinds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		x, plain := NewIndex[int](), map[int]Sketch{}
		centres := []uint64{0, ^uint64(0), r.Uint64(), r.Uint64()}
		draw := func() *Sketch {
			s := &Sketch{Words: LeastWords, Distinct: LeastShingles, Simhash: centres[r.IntN(len(centres))]}
			for range r.IntN(6) {
				s.Simhash ^= 1 << r.IntN(64)
			}
			for k := range uint32(LeastShingles) {
				s.Shingles = append(s.Shingles, k*10+r.Uint32N(3))
			}
			return s
		}
		for range 200 {
			key := r.IntN(60)
			switch r.IntN(3) {
			case 0:
				s := draw()
				x.Add(key, s)
				plain[key] = *s
			case 1:
				_, held := plain[key]
				delete(plain, key)
				if x.Remove(key) != held {
					t.Fatalf("removing %d said %v", key, !held)
				}
			default:
				againstScan(t, x, plain, draw(), r.IntN(8))
			}
			if x.Len() != len(plain) {
				t.Fatalf("%d held, want %d", x.Len(), len(plain))
			}
		}
	})
}

func againstScan(t *rapid.T, x *Index[int], plain map[int]Sketch, s *Sketch, radius int) {
	found := map[int]int{}
	for _, h := range x.Within(s.Simhash, radius) {
		if _, twice := found[h.Key]; twice {
			t.Fatalf("%d found twice", h.Key)
		}
		found[h.Key] = h.Distance
	}
	candidates := map[int]bool{}
	for _, h := range x.Candidates(s, 0) {
		if candidates[h.Key] {
			t.Fatalf("candidate %d found twice", h.Key)
		}
		candidates[h.Key] = true
	}
	for key, p := range plain {
		d := bits.OnesCount64(p.Simhash ^ s.Simhash)
		if got, ok := found[key]; ok != (d <= radius) || ok && got != d {
			t.Fatalf("%d at distance %d: found %v at %d, radius %d", key, d, ok, got, radius)
		}
		shared := 0
		for _, a := range p.Shingles {
			if slices.Contains(s.Shingles, a) {
				shared++
			}
		}
		if want := d <= Radius || shared >= leastShared; candidates[key] != want {
			t.Fatalf("%d at distance %d with %d anchors: candidate %v", key, d, shared, !want)
		}
	}
	if len(found) > len(plain) || len(candidates) > len(plain) {
		t.Fatalf("%d and %d found of %d", len(found), len(candidates), len(plain))
	}
}

func TestIndexByManyAtOnce(t *testing.T) {
	t.Parallel()
	x := NewIndex[int]()
	var texts []Sketch
	for _, text := range invented(rand.New(rand.NewPCG(3, 4)), 40, 60) {
		texts = append(texts, SketchOf(text[0]))
	}
	var group sync.WaitGroup
	for k := range 4 {
		group.Go(func() {
			for round := range 50 {
				for i := k; i < len(texts); i += 4 {
					if !x.Add(i, &texts[i]) {
						t.Errorf("text %d is short", i)
					}
					if hits := x.Within(texts[i].Simhash, 0); len(hits) != 1 || hits[0].Key != i {
						t.Errorf("text %d is not found right after it was added: %v", i, hits)
					}
					x.Candidates(&texts[(i+1)%len(texts)], 3)
					if round < 49 && !x.Remove(i) {
						t.Errorf("text %d was gone", i)
					}
				}
			}
		})
	}
	group.Wait()
	if x.Len() != len(texts) {
		t.Errorf("%d held, want %d", x.Len(), len(texts))
	}
	if short := SketchOf("EXERCISE short"); x.Add(1, &short) || x.Len() != len(texts)-1 {
		t.Error("a short text was held, or left the old one there")
	}
}
