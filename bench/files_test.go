package bench

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"concert/internal/testkit"
)

// caseTexts is a directory of CONCERT_BENCH_TEXT_MB (8) megabytes of the real texts, ten languages: paragraphs in any order, one word in eight another
// of the same language, one in forty a number, so that no two files are the same and the vocabulary grows.
func caseTexts(b *testing.B) (dir string, total int64) {
	b.Helper()
	names, err := filepath.Glob("../../shared/data/language/*.txt")
	testkit.Must(b, err)
	if len(names) == 0 {
		b.Skip("the real texts are not there: ../shared/data/language beside the repository")
	}
	dir = filepath.Join(b.TempDir(), "texts")
	testkit.Must(b, os.MkdirAll(dir, 0o755))
	r := rand.New(rand.NewPCG(3, 4))
	most := int64(size(b, "CONCERT_BENCH_TEXT_MB", 8)) << 20
	var paragraphs, words [][]string
	for _, n := range names {
		text, err := os.ReadFile(n)
		testkit.Must(b, err)
		paragraphs, words = append(paragraphs, strings.Split(string(text), "\n")), append(words, strings.Fields(string(text)))
	}
	for i := 0; total < most; i++ {
		var text strings.Builder
		k := i % len(names)
		for want := 1 << (10 + r.IntN(6)); text.Len() < want; text.WriteString("\n") {
			for w := range strings.FieldsSeq(paragraphs[k][r.IntN(len(paragraphs[k]))]) {
				switch n := r.IntN(40); {
				case n == 0:
					w = fmt.Sprint(r.IntN(1_000_000))
				case n <= 5:
					w = words[k][r.IntN(len(words[k]))]
				}
				text.WriteString(w + " ")
			}
		}
		testkit.Must(b, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%06d.txt", i)), []byte(text.String()), 0o600))
		total += int64(text.Len())
	}
	return dir, total
}

// BenchmarkFullText is evidence index and evidence search, the whole commands. Processor time is of the command and its children.
func BenchmarkFullText(b *testing.B) {
	dir, total := caseTexts(b)
	path, index := program(b), filepath.Join(b.TempDir(), "case.fulltext")
	b.Run("index", func(b *testing.B) {
		for b.Loop() {
			testkit.Must(b, os.RemoveAll(index))
			took, work := ran(b, "", []int{0}, path, "evidence", "index", dir, "-case", "EXERCISE-1", "-o", index)
			info, err := os.Stat(index)
			testkit.Must(b, err)
			report(b, map[string]float64{"MB/s": float64(total) / 1e6 / took.Seconds(), "MB/core-s": float64(total) / 1e6 / work.Seconds(), "index-%": 100 * float64(info.Size()) / float64(total)})
		}
	})
	b.Run("search", func(b *testing.B) {
		for b.Loop() {
			var took, work time.Duration
			queries := []string{"الحرية", `"human rights"`, "libert*", "право NOT каждый", "hürriyet OR свобода"}
			for _, q := range queries {
				t, w := ran(b, "", []int{0, 1}, path, "evidence", "search", index, q)
				took, work = took+t, work+w
			}
			report(b, map[string]float64{"ms/search": float64(took.Milliseconds()) / float64(len(queries)), "core-ms/search": float64(work.Milliseconds()) / float64(len(queries))})
		}
	})
}
