package bench

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"concert/internal/match/neartext"
)

// BenchmarkNearText is what a text of about a kilobyte costs: its sketch, its search among CONCERT_BENCH_TEXTS (20,000) others,
// and its comparison with a copy in which every tenth word is another, beside the Levenshtein distance of the same two normal
// forms, which exchanges use (raw_text). One core.
func BenchmarkNearText(b *testing.B) {
	texts := size(b, "CONCERT_BENCH_TEXTS", 20_000)
	r := rand.New(rand.NewPCG(5, 11))
	write := func() string {
		words := make([]string, 160)
		for i := range words {
			words[i] = fmt.Sprintf("%s%d", []string{"EXERCISE", "harbour", "boat", "كلمة", "слово"}[r.IntN(5)], int(r.ExpFloat64()*300))
		}
		return strings.Join(words, " ")
	}
	original := write()
	words := strings.Fields(original)
	for i := 0; i < len(words); i += 10 {
		words[i] = "other"
	}
	altered := strings.Join(words, " ")
	for b.Loop() {
		sketch := neartext.SketchOf(original)
		before := heapMB()
		x := neartext.NewIndex[int]()
		start := time.Now()
		for i := range texts {
			s := neartext.SketchOf(write())
			x.Add(i, &s)
		}
		filled := time.Since(start)
		bytes := (heapMB() - before) * 1e6 / float64(texts)
		copied := neartext.SketchOf(altered)
		x.Add(texts, &copied)
		if hits := x.Candidates(&sketch, 1); len(hits) != 1 || hits[0].Key != texts {
			b.Fatalf("the altered copy is not found: %v", hits)
		}
		a, c := []rune(neartext.Normalise(original)), []rune(neartext.Normalise(altered))
		report(b, map[string]float64{
			"bytes":             float64(len(original)),
			"normalise-us":      perCall(func() { neartext.Normalise(original) }),
			"sketch-us":         perCall(func() { neartext.SketchOf(original) }),
			"compare-us":        perCall(func() { neartext.Compare(original, altered) }),
			"compare-sketch-us": perCall(func() { sketch.Compare(&copied) }),
			"levenshtein-us":    perCall(func() { levenshtein(a, c) }),
			"within-us":         perCall(func() { x.Within(sketch.Simhash, neartext.Radius) }),
			"candidates-us":     perCall(func() { x.Candidates(&sketch, 20) }),
			"filled-per-s":      float64(texts) / filled.Seconds(),
			"index-bytes":       bytes,
		})
	}
}

// perCall is the time of one call in microseconds, the mean over a fifth of a second.
func perCall(call func()) float64 {
	start, n := time.Now(), 0
	for time.Since(start) < 200*time.Millisecond {
		call()
		n++
	}
	return float64(time.Since(start).Microseconds()) / float64(n)
}

func heapMB() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / 1e6
}

// levenshtein is the textbook's two rows.
func levenshtein(a, b []rune) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i, x := range a {
		corner := row[0]
		row[0] = i + 1
		for j, y := range b {
			cost := corner
			if x != y {
				cost = 1 + min(corner, row[j], row[j+1])
			}
			corner, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
