package casework_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"concert"
	"concert/internal/testkit"
)

// benchItems is how many items lie there; CONCERT_BENCH_ITEMS makes it fewer for a quick look.
const benchItems = 1_000_000

// BenchmarkNext takes the next item and gives it back, of a million on the desk with 400 of the first in colleagues' hands and 50 of those after
// skipped by everybody: one officer at a time (one act is a taking; its percentiles), 200 who press at the same moment (burst-ms until each has
// one of their own), and the desk.
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
			people := make([]concert.Actor, 200)
			for i := range people {
				people[i] = concert.Actor{Person: concert.PersonID(fmt.Sprintf("officer-%d", i)), Operator: "OP-X", Authority: h.North.ID, Roles: []concert.Role{concert.RoleOfficer}}
			}
			seed(b, h, n)
			b.ResetTimer()
			take := func(by concert.Actor) (string, time.Duration) {
				start := time.Now()
				got, err := h.TakeNext(b.Context(), by, concert.ItemOpen)
				if err != nil || got.Ref == "" {
					b.Errorf("%q, %v", got.Ref, err)
				}
				return got.Ref, time.Since(start)
			}
			var took []time.Duration
			for i := range b.N {
				ref, d := take(people[i%len(people)])
				took = append(took, d)
				b.StopTimer()
				testkit.Must(b, h.GiveBack(b.Context(), people[i%len(people)], ref))
				b.StartTimer()
			}
			b.StopTimer()
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
			start := time.Now()
			for range 20 {
				if _, err := h.ReadDesk(b.Context(), testkit.Scope(b, people[0])); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(time.Since(start).Microseconds())/20_000, "desk-ms")
			start = time.Now()
			var wg sync.WaitGroup
			for _, by := range people {
				wg.Go(func() { take(by) })
			}
			wg.Wait()
			b.ReportMetric(float64(time.Since(start).Microseconds())/1000, "burst-ms")
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
		SELECT id, 'open', authority, 'elsewhere', 1, %d, '', 0, '', 0, '', 0, '', 0, 1 FROM item WHERE status = 'open' ORDER BY rank, id LIMIT 400`, concert.Micros(day.Add(24*time.Hour))))
	run(fmt.Sprintf(`INSERT INTO skip (person, item, until) WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 199) SELECT 'officer-' || n.i, f.id, %d FROM n,
		(SELECT id FROM item WHERE status = 'open' ORDER BY rank, id LIMIT 450) f WHERE f.id NOT IN (SELECT item FROM slip)`, concert.Micros(day.Add(24*time.Hour))))
	if h.DB.Dialect() == "postgres" {
		run("ANALYZE")
	}
}
