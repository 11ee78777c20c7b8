package bench

import (
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"concert"
	"concert/internal/testkit"
)

// BenchmarkDeadlines is a house with many orders whose hour runs: what the clocks cost while none is due; how late the alarms of hours that end one
// after the other are told, from the moment at which a node starts that was down; and how long it takes to tell all of them where every hour ended
// at one instant. The scrutinising authority takes its copy beside it. CONCERT_BENCH_ORDERS (200) are the orders, CONCERT_BENCH_SECONDS (3) is how
// long each of the first two is watched.
func BenchmarkDeadlines(b *testing.B) {
	orders, seconds := size(b, "CONCERT_BENCH_ORDERS", 200), size(b, "CONCERT_BENCH_SECONDS", 3)
	for _, database := range databases {
		b.Run(database, func(b *testing.B) {
			for b.Loop() {
				runDeadlines(b, testkit.FurnishCompetent(b, testkit.Service(b, database)), orders, time.Duration(seconds)*time.Second)
			}
		})
	}
}

func runDeadlines(b *testing.B, c *testkit.Competent, orders int, watched time.Duration) {
	ctx := b.Context()
	copies := openOrders(b, c, orders)
	raw := testkit.Raw(b, c.Service)
	// every moves all hours, in one statement, so that none is over before a node could have started: the first ends at from, the others each a step later.
	every := func(from time.Time, step time.Duration) {
		due := fmt.Sprintf("%d + (r.n - 1) * %d", concert.Micros(from), step.Microseconds())
		_, err := raw.Exec("UPDATE deadline SET state = 'running', warned = 2, met_at = 0, why = '', due_at = " + due + ", next_at = " + due +
			" FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM deadline WHERE term = 'removal') r WHERE r.id = deadline.id")
		testkit.Must(b, err)
	}
	missed := func(since time.Time) (late spread) {
		rows, err := raw.Query(fmt.Sprintf("SELECT e.at, d.due_at FROM event e JOIN deadline d ON d.order_id = e.subject AND d.term = 'removal' WHERE e.kind = 'order.missed' AND e.at >= %d", concert.Micros(since)))
		testkit.Must(b, err)
		defer rows.Close()
		for rows.Next() {
			var at, due int64
			testkit.Must(b, rows.Scan(&at, &due))
			late = append(late, concert.FromMicros(at).Sub(concert.FromMicros(due)))
		}
		testkit.Must(b, rows.Err())
		return late
	}

	every(c.Now().Add(time.Hour), 0)
	without := spent(b, watched)
	testkit.Must(b, c.PublishLog(ctx))
	stop := testkit.Run(b, c.Service)
	pass(b, time.Second) // what a start costs is not what the clocks cost
	idle := spent(b, watched)
	stop()

	// A node starts while hours end.
	step := watched / time.Duration(orders)
	start := time.Now()
	every(c.Now(), step)
	stop = testkit.Run(b, c.Service)
	pass(b, watched+2*time.Second)
	stop()
	late := missed(start)
	if len(late) != orders {
		b.Fatalf("%d of %d hours were said to be missed", len(late), orders)
	}

	every(c.Now(), 0)
	begun := time.Now()
	stop = testkit.Run(b, c.Service)
	for len(missed(begun)) < orders {
		pass(b, 20*time.Millisecond)
		if time.Since(begun) > time.Minute {
			b.Fatalf("%d of %d hours were said to be missed", len(missed(begun)), orders)
		}
	}
	drained := time.Since(begun)
	stop()
	report(b, map[string]float64{"orders": float64(orders), "idle_cpu_ms/s": 1000 * (idle - without), "late_p50_ms": late.at(.5), "late_p99_ms": late.at(.99), "late_max_ms": late.at(1), "all_at_once_ms": float64(drained.Milliseconds()),
		"copy_p99_ms": copies.at(.99)})
}

// pass waits for a span of wall time, which is what is measured here.
func pass(b *testing.B, span time.Duration) {
	select {
	case <-b.Context().Done():
	case <-time.After(span):
	}
}

// spent is the share of a core that this process keeps busy while the span passes.
func spent(b *testing.B, span time.Duration) float64 {
	b.Helper()
	before := busy(b)
	pass(b, span)
	return (busy(b) - before).Seconds() / span.Seconds()
}

// openOrders issues orders and has them received, and gives how long it took from each issue until the scrutinising authority had read its copy.
func openOrders(b *testing.B, c *testkit.Competent, orders int) spread {
	ctx := b.Context()
	took := make(spread, orders)
	scope := testkit.Scope(b, c.IrishOfficer)
	const batch = 100
	for from := 0; from < orders; from += batch {
		var places []string
		for n := from; n < min(from+batch, orders); n++ {
			places = append(places, testkit.Page(n+1))
		}
		items := c.Assess(c.Officer, c.Submit(c.Officer, places...))
		g, gctx := errgroup.WithContext(ctx)
		g.SetLimit(16)
		for i, it := range items {
			g.Go(func() error {
				o, err := c.DraftOrder(gctx, c.Officer, testkit.Urgent(testkit.Draft(it.Ref)))
				if err != nil {
					return err
				}
				if o, err = c.ReviewOrder(gctx, c.Second, o.Ref, o.Version); err != nil {
					return err
				}
				begun := time.Now()
				if o, err = c.ApproveOrder(gctx, c.Issuer, o.Ref, o.Version); err != nil {
					return err
				}
				if _, err := c.OrderFile(gctx, scope, o.Ref); err != nil {
					return err
				}
				took[from+i] = time.Since(begun)
				_, err = c.ReadOrder(gctx, testkit.Scope(b, c.Answerer), o.Ref)
				return err
			})
		}
		testkit.Must(b, g.Wait())
	}
	return took
}
