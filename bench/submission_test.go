package bench

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"concert/api"
)

// BenchmarkSubmissions12Units is twelve officers of twelve units who hand in finds at the same time, each waiting for the answer
// before the next: one by one, one by one with an Idempotency-Key as programs should, and a hundred at once.
// CONCERT_BENCH_SUBMISSIONS (240) are the requests, a tenth of them for batches.
func BenchmarkSubmissions12Units(b *testing.B) {
	requests := size(b, "CONCERT_BENCH_SUBMISSIONS", 240)
	for _, database := range databases {
		b.Run(database, func(b *testing.B) {
			d := deploy(b, database)
			b.Run("single", func(b *testing.B) { submitAll(b, d, requests, 1, false) })
			b.Run("keyed", func(b *testing.B) { submitAll(b, d, requests, 1, true) })
			b.Run("batch100", func(b *testing.B) { submitAll(b, d, requests/10, 100, false) })
		})
	}
}

func submitAll(b *testing.B, d *deployment, requests, batch int, keyed bool) {
	each := max(1, requests/units)
	var mu sync.Mutex // guards took
	var took spread
	var wall time.Duration
	for turn := 0; b.Loop(); turn++ {
		begun := time.Now()
		g, ctx := errgroup.WithContext(b.Context())
		for _, officer := range d.officers {
			g.Go(func() error {
				mine := make(spread, 0, each)
				for range each {
					call := api.Call{}
					if keyed {
						call.IdempotencyKey = fmt.Sprintf("bench-%d-%d", turn, len(mine))
					}
					asked := time.Now()
					if err := d.submit(ctx, officer, call, batch); err != nil {
						return err
					}
					mine = append(mine, time.Since(asked))
				}
				mu.Lock()
				defer mu.Unlock()
				took = append(took, mine...)
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			b.Fatal(err)
		}
		wall += time.Since(begun)
	}
	report(b, map[string]float64{"items/s": float64(len(took)*batch) / wall.Seconds(), "p50-ms": took.at(0.5), "p99-ms": took.at(0.99)})
}
