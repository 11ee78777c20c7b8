package casework_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"concert"
	"concert/internal/testkit"
)

// benchItems is how many items lie there; CONCERT_BENCH_ITEMS makes it fewer for a quick look.
const benchItems = 1_000_000

// BenchmarkNext takes the next item and gives it back, 200 officers at once, with a million items on the desk, 3,000 of the first in others' hands
// and 2,000 skipped by each of four; one is an act, the percentiles are of its taking.
func BenchmarkNext(b *testing.B) {
	n := benchItems
	if s := os.Getenv("CONCERT_BENCH_ITEMS"); s != "" {
		var err error
		n, err = strconv.Atoi(s)
		testkit.Must(b, err)
	}
	for _, database := range []string{"sqlite", "postgres"} {
		b.Run(database, func(b *testing.B) {
			h := testkit.Furnish(b, testkit.Service(b, database))
			h.At(day, 1)
			seed(b, h, n)
			people := make([]concert.Actor, 200)
			for i := range people {
				people[i] = concert.Actor{Person: concert.PersonID(fmt.Sprintf("officer-%d", i)), Operator: "OP-X", Authority: h.North.ID, Roles: []concert.Role{concert.RoleOfficer}}
			}
			var mu sync.Mutex
			var took []time.Duration
			var turn, stale atomic.Int64
			b.ResetTimer()
			var wg sync.WaitGroup
			for _, by := range people {
				wg.Go(func() {
					for turn.Add(1) <= int64(b.N) {
						start := time.Now()
						got, err := h.TakeNext(b.Context(), by, concert.ItemOpen)
						d := time.Since(start)
						if code(err) == "stale" {
							stale.Add(1)
							continue
						}
						if err != nil || got.Ref == "" {
							b.Errorf("%q, %v", got.Ref, err)
							return
						}
						mu.Lock()
						took = append(took, d)
						mu.Unlock()
						if err := h.GiveBack(b.Context(), by, got.Ref); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			slices.Sort(took)
			if len(took) > 0 {
				b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
				b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
				b.ReportMetric(float64(stale.Load()), "told-to-retry")
			}
			start := time.Now()
			for range 20 {
				if _, err := h.ReadDesk(b.Context(), testkit.Scope(b, people[0])); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(time.Since(start).Microseconds())/20_000, "desk-ms")
		})
	}
}

// seed lays n open items of North's down, past the house: nothing in them is read here.
func seed(b *testing.B, h *testkit.House, n int) {
	b.Helper()
	raw := testkit.Raw(b, h.Service)
	bytes := "CAST('x' || i AS BLOB)"
	if h.DB.Dialect() == "postgres" {
		bytes = "CAST('x' || i AS BYTEA)"
	}
	run := func(text string) {
		b.Helper()
		if _, err := raw.Exec(text); err != nil {
			b.Fatal(err)
		}
	}
	run(fmt.Sprintf(`INSERT INTO item (id, ref, place, kind, type, provider, outlet, authority, author, assessor, action, status, rank, language, guard, guard_class, guard_rule, assessment, needed, given, claimed, observed, seen_down, referral, exercise, created_at, updated_at, version)
		WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
		SELECT 'i' || (10000000 + i), 'IT-' || (10000000 + i), %s, 'web', 'video', '', '', '%s', '', '', '', 'open', i %% 10, '', 'pass', '', '', '', 1, 0, '', '', 0, '', 1, 1574337600000000, 1574337600000000, 1 FROM n`, n, bytes, h.North.ID))
	run(`INSERT INTO sighting (item, authority, person, at, source, evaluation) SELECT id, authority, 'p', created_at, 'form', 'A1' FROM item`)
	run(fmt.Sprintf(`INSERT INTO slip (item, stage, authority, holder, claimed_at, held_until, parked_by, parked_until, keeper, kept_until, handed_by, handed_at, escalated_by, escalated_at, version)
		SELECT id, 'open', authority, 'elsewhere', 1, %d, '', 0, '', 0, '', 0, '', 0, 1 FROM item WHERE status = 'open' ORDER BY rank, id LIMIT 3000`, concert.Micros(day.Add(24*time.Hour))))
	run(fmt.Sprintf(`INSERT INTO skip (person, item, until) SELECT p.id, i.id, %d FROM (SELECT 'officer-0' AS id UNION ALL SELECT 'officer-1' UNION ALL SELECT 'officer-2' UNION ALL SELECT 'officer-3') p,
		(SELECT id FROM item WHERE status = 'open' ORDER BY rank, id LIMIT 5000) i WHERE i.id NOT IN (SELECT item FROM slip)`, concert.Micros(day.Add(24*time.Hour))))
	if h.DB.Dialect() == "postgres" {
		run("ANALYZE")
	}
}
