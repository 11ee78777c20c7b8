package match

import (
	"os"
	"testing"
)

func BenchmarkFold(b *testing.B) {
	for _, lang := range []string{"ar", "en", "ru"} {
		raw, err := os.ReadFile("../../../shared/data/language/" + lang + ".txt")
		if err != nil {
			b.Skip("the real texts are not there: ../shared/data/language beside the repository")
		}
		text := string(raw)
		b.Run(lang, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				Fold(text)
			}
		})
		b.Run(lang+" language", func(b *testing.B) {
			for b.Loop() {
				Language(text)
			}
		})
	}
}
