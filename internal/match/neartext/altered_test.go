package neartext

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
)

// alteration is one way in which people change a text before they post it again.
type alteration struct {
	name  string
	alter func(r *rand.Rand, text string, other func() string) string
	// The shares in percent that each stage must find in the long invented texts: radius 3, candidates, verdict.
	within, candidates, verdict float64
}

var alterations = []alteration{
	{"emoji inserted, every fifth word", everyWord(5, func(r *rand.Rand, w string) string {
		return w + []string{"🔥", " 👩🏽‍🚀", "❗️", " 🇫🇷"}[r.IntN(4)]
	}), 100, 100, 100},
	{"links added and changed", links, 100, 100, 100},
	{"look-alike letters, three in ten", homoglyphs, 100, 100, 100},
	{"vowel signs and accents added", vowelled, 100, 100, 100},
	{"zero-width, direction, capitals, tatweel", hidden, 100, 100, 100},
	{"5 % of the words replaced", replaced(0.05), 0, 99, 99},
	{"10 % of the words replaced", replaced(0.10), 0, 98, 98},
	{"20 % of the words replaced", replaced(0.20), 0, 97, 97},
	{"first half kept", truncated(0.5), 0, 95, 99},
	{"first quarter kept", truncated(0.25), 0, 88, 99},
	{"wrapped in a comment as long", wrapped, 0, 95, 99},
	{"halves swapped", swapped, 0, 99, 99},
}

func everyWord(n int, change func(*rand.Rand, string) string) func(*rand.Rand, string, func() string) string {
	return func(r *rand.Rand, text string, _ func() string) string {
		words := strings.Fields(text)
		for i := range words {
			if i%n == n-1 {
				words[i] = change(r, words[i])
			}
		}
		return strings.Join(words, " ")
	}
}

func links(r *rand.Rand, text string, _ func() string) string {
	forms := []string{"https://exercise%d.example/a?x=%[1]d", "hxxps[:]//exercise[.]example/%d", "t.example/exercise_%d", "www.exercise%d.example"}
	return everyWord(15, func(r *rand.Rand, w string) string {
		return w + " " + fmt.Sprintf(forms[r.IntN(len(forms))], r.IntN(1000))
	})(r, text, nil)
}

func homoglyphs(r *rand.Rand, text string, _ func() string) string {
	from := map[rune][]rune{}
	pairs := Lookalikes()
	for i := 0; i < len(pairs); i += 2 {
		if a := []rune(pairs[i])[0]; len(pairs[i+1]) == 1 && DrawnAlike(a) {
			from[rune(pairs[i+1][0])] = append(from[rune(pairs[i+1][0])], a)
		}
	}
	return strings.Map(func(c rune) rune {
		if r.Float64() >= 0.3 {
			return c
		}
		if list := from[c]; len(list) > 0 {
			return list[r.IntN(len(list))]
		}
		if 'a' <= c && c <= 'z' {
			return c - 'a' + []rune{'ａ', '𝐚', '𝒂', '🅰'}[r.IntN(4)]
		}
		// Letters of a Russian text that pass for Latin ones.
		if to := folds()[c]; len(to) == 1 && unicode.Is(unicode.Cyrillic, c) {
			return rune(to[0])
		}
		return c
	}, text)
}

func vowelled(r *rand.Rand, text string, _ func() string) string {
	var b strings.Builder
	for _, c := range text {
		b.WriteRune(c)
		switch {
		case unicode.Is(unicode.Arabic, c) && r.IntN(2) == 0:
			b.WriteRune(0x064B + rune(r.IntN(8)))
		case unicode.Is(unicode.Latin, c) && r.IntN(4) == 0:
			b.WriteRune(0x0300 + rune(r.IntN(8)))
		}
	}
	return b.String()
}

func hidden(r *rand.Rand, text string, _ func() string) string {
	var b strings.Builder
	for _, c := range text {
		if r.IntN(3) == 0 && c < 0x130 {
			c = unicode.ToUpper(c)
		}
		b.WriteRune(c)
		if r.IntN(6) == 0 {
			b.WriteRune([]rune{0x200B, 0x200D, 0x202E, 0x2066, 0xFEFF, 0x00AD}[r.IntN(6)])
		}
		if unicode.Is(unicode.Arabic, c) && unicode.IsLetter(c) && r.IntN(6) == 0 {
			b.WriteRune(0x0640)
		}
	}
	return b.String()
}

func replaced(share float64) func(*rand.Rand, string, func() string) string {
	return func(r *rand.Rand, text string, other func() string) string {
		words, from := strings.Fields(text), strings.Fields(other())
		for _, i := range r.Perm(len(words))[:int(math.Ceil(share*float64(len(words))))] {
			words[i] = from[r.IntN(len(from))]
		}
		return strings.Join(words, " ")
	}
}

func truncated(share float64) func(*rand.Rand, string, func() string) string {
	return func(_ *rand.Rand, text string, _ func() string) string {
		words := strings.Fields(text)
		return strings.Join(words[:int(share*float64(len(words)))], " ")
	}
}

func wrapped(_ *rand.Rand, text string, other func() string) string {
	words := strings.Fields(other())
	return strings.Join(words[:len(words)/2], " ") + ":\n«" + text + "»\n" + strings.Join(words[len(words)/2:], " ")
}

func swapped(_ *rand.Rand, text string, _ func() string) string {
	words := strings.Fields(text)
	return strings.Join(words[len(words)/2:], " ") + ". " + strings.Join(words[:len(words)/2], " ")
}

// invented writes texts of made-up words in three alphabets, frequent ones more often, as languages have it (Zipf). Language k of
// text i says the same as language k+1.
func invented(r *rand.Rand, n, words int) [][3]string {
	syllables := [3][]string{
		strings.Fields("ba de ki lo mu ran ste vol pri qua the an ex er ci se"),
		strings.Fields("با دي كي لو مو ران ست ول قا من ال في عل تد ري ب"),
		strings.Fields("ба де ки ло му ран сте вол при ква на и экс ер ци се"),
	}
	var dictionary [3][]string
	for range 3000 {
		var picks []int
		for range 1 + r.IntN(3) {
			picks = append(picks, r.IntN(16))
		}
		for k := range dictionary {
			w := ""
			for _, p := range picks {
				w += syllables[k][p]
			}
			dictionary[k] = append(dictionary[k], w)
		}
	}
	zipf := rand.NewZipf(r, 1.1, 3, uint64(len(dictionary[0])-1))
	texts := make([][3]string, n)
	for i := range texts {
		said := make([]uint64, words)
		for j := range said {
			said[j] = zipf.Uint64()
		}
		for k := range texts[i] {
			list := make([]string, words)
			for j, w := range said {
				list[j] = dictionary[k][w]
			}
			texts[i][k] = strings.Join(list, " ")
		}
	}
	return texts
}

// declaration reads the shared human rights texts, some paragraphs a text, by language; nil where they are not in the checkout.
func declaration(t *testing.T, paragraphs int) [][]string {
	files, err := filepath.Glob("../../../../shared/data/language/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	var languages [][]string
	for _, name := range files {
		text, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		lines, texts := strings.Split(strings.TrimSpace(string(text)), "\n"), []string(nil)
		for i := 0; i+paragraphs <= len(lines); i += paragraphs {
			texts = append(texts, strings.Join(lines[i:i+paragraphs], "\n"))
		}
		languages = append(languages, texts)
	}
	return languages
}

// TestAlteredTextsAreFound measures recall and false matches by alteration, on invented texts and on a real one in ten languages.
func TestAlteredTextsAreFound(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 11))
	for _, words := range []int{30, 200} {
		var texts []string
		translated := map[int]int{}
		for i, same := range invented(r, 60, words) {
			texts = append(texts, same[:]...)
			translated[3*i], translated[3*i+1], translated[3*i+2] = 3*i+1, 3*i+2, 3*i
		}
		measure(t, r, fmt.Sprintf("invented, %d words", words), texts, translated, words >= 200)
	}
	for _, paragraphs := range []int{1, 3} {
		var texts []string
		translated := map[int]int{}
		for _, list := range declaration(t, paragraphs) {
			for i, text := range list {
				if len(texts) >= len(list) {
					translated[len(texts)] = i
				}
				texts = append(texts, text)
			}
		}
		if texts == nil {
			t.Log("the shared language texts are not beside this checkout: invented texts only")
			return
		}
		measure(t, r, fmt.Sprintf("human rights in ten languages, %d paragraphs", paragraphs), texts, translated, false)
	}
}

func measure(t *testing.T, r *rand.Rand, name string, texts []string, translated map[int]int, strict bool) {
	sketches, short := make([]Sketch, len(texts)), 0
	x := NewIndex[int]()
	for i, text := range texts {
		sketches[i] = SketchOf(text)
		if !x.Add(i, &sketches[i]) {
			short++
		}
	}
	other := func() string { return texts[r.IntN(len(texts))] }
	pairs, false1, false2, falseVerdicts := 0, 0, 0, 0
	t.Logf("%s: %d texts, %d of them short", name, len(texts), short)
	t.Logf("| %-42s | %9s | %9s | %9s | %9s |", "alteration", "same", "radius 3", "candidate", "verdict")
	for _, a := range alterations {
		var n, same, within, candidates, verdict float64
		for i := 0; i < len(texts); i += max(1, len(texts)/190) {
			text := texts[i]
			s := SketchOf(a.alter(r, text, other))
			if s.Short() || sketches[i].Short() {
				continue
			}
			n++
			for _, h := range x.Within(s.Simhash, Radius) {
				if h.Key == i {
					within++
				} else {
					false1++
				}
			}
			for _, h := range x.Candidates(&s, 0) {
				if h.Key == i {
					candidates++
				} else {
					false2++
				}
			}
			for j := range sketches {
				pairs++
				l := s.Compare(&sketches[j])
				switch matched := l.Verdict == Same || l.Verdict == Near || l.Verdict == Part; {
				case i == j && matched:
					verdict++
					if l.Verdict == Same {
						same++
					}
				// Half of a text that was wrapped comes from another one, and may well be a part of it.
				case matched && a.name != "wrapped in a comment as long":
					falseVerdicts++
					t.Logf("%s: %s: text %d taken for %d (%s, %.2f, %.2f)", name, a.name, i, j, l.Verdict, l.ShareOfA, l.ShareOfB)
				}
			}
		}
		if n == 0 {
			t.Logf("| %-42s | all too short |", a.name)
			continue
		}
		percent := func(v float64) float64 { return 100 * v / n }
		t.Logf("| %-42s | %7.1f %% | %7.1f %% | %7.1f %% | %7.1f %% |", a.name, percent(same), percent(within), percent(candidates), percent(verdict))
		if strict && (percent(within) < a.within || percent(candidates) < a.candidates || percent(verdict) < a.verdict) {
			t.Errorf("%s: %s: fewer found than %v %%, %v %%, %v %%", name, a.name, a.within, a.candidates, a.verdict)
		}
	}
	wrong, distance := 0, 0
	for i, j := range translated {
		l := sketches[i].Compare(&sketches[j])
		distance += l.Distance
		if l.Verdict != Different && l.Verdict != Short {
			wrong++
		}
	}
	t.Logf("| %-42s | %d of %d match, mean distance %d |", "translated", wrong, len(translated), distance/len(translated))
	t.Logf("| other texts | %d within radius 3, %d candidates, %d verdicts of %d pairs |", false1, false2, falseVerdicts, pairs)
	// Halves of single paragraphs of the declaration may well be one formula: "Everyone has the right to ...".
	if wrong > 0 || falseVerdicts*100_000 > pairs || strict && falseVerdicts > 0 {
		t.Errorf("%s: %d translations and %d other texts taken for the same", name, wrong, falseVerdicts)
	}
}
