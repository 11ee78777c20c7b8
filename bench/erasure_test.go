package bench

import (
	"fmt"
	"testing"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/testkit"
)

// BenchmarkErasures is the house erasing, on one day, what was rejected thirty days before, and then two people erasing as many
// items more, one by one; at the end the log is verified with all of that erased. Each item has been found, judged and rejected,
// so that four of its events lose their salts. CONCERT_BENCH_ERASURES (200) are the items of each kind.
func BenchmarkErasures(b *testing.B) {
	items := size(b, "CONCERT_BENCH_ERASURES", 200)
	for _, database := range databases {
		b.Run(database, func(b *testing.B) {
			for b.Loop() {
				eraseAll(b, testkit.Furnish(b, testkit.Service(b, database)), items)
			}
		})
	}
}

func eraseAll(b *testing.B, h *testkit.House, items int) {
	b.StopTimer()
	ctx := b.Context()
	start := time.Date(2019, 11, 21, 12, 0, 0, 0, time.UTC)
	h.At(start, 1)
	rejected(b, h, 0, items)
	h.At(start.Add(24*time.Hour), 1)
	later := rejected(b, h, items, items)
	testkit.Must(b, h.PublishLog(ctx))
	raw := testkit.Raw(b, h.Service)
	left := func() (n int) {
		testkit.Must(b, raw.QueryRow("SELECT count(*) FROM item WHERE erased_at = 0").Scan(&n))
		return n
	}
	h.At(start.Add(concert.ErasureTerm+time.Hour), 1)
	b.StartTimer()
	begun := time.Now()
	stop := testkit.Run(b, h.Service)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for left() > items {
		<-tick.C
	}
	timed := time.Since(begun)
	stop()
	took := make(spread, 0, items)
	begun = time.Now()
	for _, ref := range later {
		asked := time.Now()
		version := int64(3)
		testkit.Must(b, h.AskErasure(ctx, h.North.Officers[0], ref, version, concert.ErasureNotNeeded, "EXERCISE the bench is over"))
		testkit.Must(b, h.EraseItem(ctx, h.North.Reviewers[1], ref, version+1))
		took = append(took, time.Since(asked))
	}
	people := time.Since(begun)
	if n := left(); n != 0 {
		b.Fatalf("%d items are not erased", n)
	}
	begun = time.Now()
	if _, err := h.DB.Scrub(ctx); err != nil {
		b.Fatal(err)
	}
	scrub := time.Since(begun)
	testkit.Must(b, h.PublishLog(ctx))
	begun = time.Now()
	v, err := h.VerifyLog(ctx, nil)
	if err != nil || !v.Verified || v.Erased < int64(6*items) {
		b.Fatalf("%+v, %v", v, err)
	}
	report(b, map[string]float64{"timed/s": float64(items) / timed.Seconds(), "by-two/s": float64(items) / people.Seconds(), "p50-ms": took.at(0.5), "p99-ms": took.at(0.99), "scrub-ms": float64(scrub.Milliseconds()), "verify-ms": float64(time.Since(begun).Milliseconds())})
}

// rejected are items that one officer judged and a reviewer rejected.
func rejected(b *testing.B, h *testkit.House, from, items int) []string {
	b.Helper()
	var refs []string
	for done := 0; done < items; {
		n := min(100, items-done)
		places := make([]string, n)
		for i := range places {
			places[i] = testkit.Page(from + done + i)
		}
		var ds []casework.Deciding
		for _, r := range h.Assess(h.North.Officers[0], h.Submit(h.North.Officers[0], places...)) {
			ds = append(ds, casework.Deciding{Item: r.Ref, Version: r.Version, Decision: concert.Reject, Ground: "EXERCISE: rejected for the bench"})
			refs = append(refs, r.Ref)
		}
		out, err := h.DecideItems(b.Context(), h.North.Reviewers[0], ds)
		testkit.Must(b, err)
		for _, r := range out {
			if r.Err != nil {
				b.Fatal(fmt.Errorf("%s: %w", r.Ref, r.Err))
			}
		}
		done += n
	}
	return refs
}
