package bench

import (
	"fmt"
	"strconv"
	"testing"

	"concert/internal/testkit"
)

// BenchmarkNodes is the same load on one node and on three, all on this machine and on one PostgreSQL: submissions of twelve units
// who are spread over the nodes, one by one and a hundred at once (CONCERT_BENCH_SUBMISSIONS, 240), and an exercise of
// CONCERT_BENCH_ITEMS (500) items behind its proxy. It says what a node more costs where there is no machine more: what it gains on
// machines of its own cannot be measured on one.
func BenchmarkNodes(b *testing.B) {
	requests, items := size(b, "CONCERT_BENCH_SUBMISSIONS", 240), size(b, "CONCERT_BENCH_ITEMS", 500)
	for _, nodes := range []int{1, 3} {
		b.Run(fmt.Sprintf("%d", nodes), func(b *testing.B) {
			d := deploy(b, "postgres")
			for i := 1; i < nodes; i++ {
				more := serve(b, d.at...)
				for k := i; k < units; k += nodes {
					d.officers[k].Base = more.url
				}
			}
			b.Run("single", func(b *testing.B) { submitAll(b, d, requests, 1, false) })
			b.Run("keyed", func(b *testing.B) { submitAll(b, d, requests, 1, true) })
			b.Run("batch100", func(b *testing.B) { submitAll(b, d, requests/10, 100, false) })
			b.Run("exercise", func(b *testing.B) {
				for b.Loop() {
					o := exercise(b, []string{"exercise", "-json", "-exit", "-items", strconv.Itoa(items), "-nodes", strconv.Itoa(nodes), "-database", testkit.Postgres(b)})
					report(b, map[string]float64{"items/s": o.ItemsPerS, "s": o.ElapsedS, "peak-MB": o.PeakRSSMB})
				}
			})
		})
	}
}
