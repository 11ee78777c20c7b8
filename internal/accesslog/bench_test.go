package accesslog

import (
	"os"
	"testing"
)

// BenchmarkAnalyse counts the log that CONCERT_BENCH_ACCESSLOG names.
func BenchmarkAnalyse(b *testing.B) {
	path := os.Getenv("CONCERT_BENCH_ACCESSLOG")
	if path == "" {
		b.Skip("CONCERT_BENCH_ACCESSLOG names no log; bench/gen-accesslog makes one")
	}
	o := Options{Workers: 1}
	if geo := os.Getenv("CONCERT_BENCH_GEO"); geo != "" {
		g, err := OpenGeo(geo)
		if err != nil {
			b.Fatal(err)
		}
		o.Geo = g
	}
	lines, runs := int64(0), 0
	for b.Loop() {
		r, err := Analyse(b.Context(), []string{path}, o)
		if err != nil {
			b.Fatal(err)
		}
		lines, runs = r.Lines, runs+1
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(runs)/float64(lines), "ns/line")
}
