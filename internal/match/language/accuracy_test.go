package language

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// shared is the folder of the ten languages beside the repository: one file a language, one sentence a line.
const shared = "../../../../shared/data/language"

// tally is how one language's lines were taken.
type tally struct {
	lines, right int
	taken        map[string]int // for what else
}

func (n tally) percent() float64 { return 100 * float64(n.right) / float64(max(n.lines, 1)) }

func (n tally) String() string {
	return fmt.Sprintf("%5.1f %% of %d, else %v", n.percent(), n.lines, n.taken)
}

// count guesses each text; the language is the file's name up to a hyphen.
func count(want string, texts []string) tally {
	want, _, _ = strings.Cut(want, "-")
	n := tally{lines: len(texts), taken: map[string]int{}}
	for _, text := range texts {
		if g := Detect(text); g.Language == want {
			n.right++
		} else {
			n.taken[g.Language]++
		}
	}
	return n
}

func read10(t *testing.T, path string) (sentences, tens []string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if len(strings.Fields(line)) > 3 {
			sentences = append(sentences, strings.TrimSpace(line))
		}
	}
	for words := range slices.Chunk(strings.Fields(string(b)), 10) {
		if len(words) == 10 {
			tens = append(tens, strings.Join(words, " "))
		}
	}
	return sentences, tens
}

// The ten languages that were given reach what was asked for.
func TestSharedLanguages(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(shared, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Skipf("the ten languages are not in %s beside the repository: nothing to measure", shared)
	}
	for _, file := range files {
		code := strings.TrimSuffix(filepath.Base(file), ".txt")
		sentences, tens := read10(t, file)
		long, short := count(code, sentences), count(code, tens)
		t.Logf("%-4s sentences %v; ten words %v", code, long, short)
		if long.percent() < 95 {
			t.Errorf("%s: sentences %v, less than 95 %%", code, long)
		}
		if short.percent() < 90 {
			t.Errorf("%s: ten words %v, less than 90 %%", code, short)
		}
	}
}

// TestMeasure prints the same for any folder of such files (code.txt, code-variant.txt): docs/languages.md holds what was measured.
func TestMeasure(t *testing.T) {
	folder := os.Getenv("CONCERT_TEST_LANGUAGES")
	if folder == "" {
		t.Skip("CONCERT_TEST_LANGUAGES names no folder of texts to measure with")
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		code := strings.TrimSuffix(filepath.Base(file), ".txt")
		sentences, tens := read10(t, file)
		t.Logf("%-8s sentences %v; ten words %v", code, count(code, sentences), count(code, tens))
	}
}

func exercise(t testing.TB) map[string][]string {
	t.Helper()
	b, err := os.ReadFile("testdata/exercise.txt")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for line := range strings.Lines(string(b)) {
		if code, text, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
			out[code] = append(out[code], text)
		}
	}
	return out
}

func TestExerciseSentences(t *testing.T) {
	t.Parallel()
	all := exercise(t)
	for _, code := range slices.Sorted(maps.Keys(all)) {
		for _, text := range all[code] {
			if g := Detect(text); g.Language != code {
				t.Errorf("%s is taken for %+v: %s", code, g, text)
			}
		}
	}
}
