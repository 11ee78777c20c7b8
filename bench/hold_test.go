package bench

import (
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/store"
	"concert/internal/testkit"
)

// batch is how many items one dispatch looks at together.
const batch = 400

// BenchmarkHoldCheck is how long the look for holds takes for each item of a dispatch of 400, a hundred of which were captured,
// and how long the count of what an author met takes, with CONCERT_BENCH_HOLDS (10,000) standing holds, one in ten on bytes.
// Four of the items meet a hold.
func BenchmarkHoldCheck(b *testing.B) {
	holds := size(b, "CONCERT_BENCH_HOLDS", 10_000)
	for _, database := range databases {
		b.Run(fmt.Sprintf("%s/holds=%d", database, holds), func(b *testing.B) {
			s := testkit.Service(b, database)
			h := testkit.Furnish(b, s)
			fillHolds(b, s, h.South.ID, holds)
			met := make([]concert.Hold, 4)
			for i := range met {
				met[i] = h.Hold(h.South.Officers[0], testkit.Page(i), "EXERCISE desk", "")
			}
			var checks, counts time.Duration
			turns := 0
			for b.Loop() {
				items := batchMeeting(h.North.ID, met)
				testkit.Must(b, s.DB.Update(b.Context(), func(tx *store.Tx) error {
					begun := time.Now()
					got, err := tx.HoldsFor(b.Context(), items)
					if err != nil || len(got) != len(met) {
						return fmt.Errorf("%d items meet a hold, %d should: %w", len(got), len(met), err)
					}
					checks += time.Since(begun)
					begun = time.Now()
					_, err = tx.Probe(b.Context(), h.North.ID, begun.Add(-concert.ProbeWindow))
					counts += time.Since(begun)
					return err
				}))
				turns++
			}
			report(b, map[string]float64{"us/item": float64(checks.Microseconds()) / float64(turns*batch), "us/count": float64(counts.Microseconds()) / float64(turns)})
		})
	}
}

// batchMeeting are items of a dispatch at places that nobody asked for before, but for those that meet a hold.
func batchMeeting(author concert.AuthorityID, met []concert.Hold) []concert.Item {
	items := make([]concert.Item, batch)
	for i := range items {
		items[i] = concert.Item{ID: concert.ItemID(fmt.Sprint(i)), Author: author, Place: random32()}
		if i%4 == 0 {
			items[i].Content = random32()
		}
		if i < len(met) {
			items[i].Place = met[i].Place
		}
	}
	return items
}

func random32() (d [32]byte) {
	rand.Read(d[:])
	return d
}

// fillHolds writes standing holds past the house, in the database's own words: a million acts would take an hour.
func fillHolds(b *testing.B, s *casework.Service, holder concert.AuthorityID, n int) {
	b.Helper()
	raw := testkit.Raw(b, s)
	number, place, bytes, rows := "printf('%012d', i)", "randomblob(32)", "CASE WHEN i % 10 = 0 THEN randomblob(32) END", fmt.Sprintf("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)", n)
	if s.DB.Dialect() == "postgres" {
		number, place, bytes, rows = "lpad(i::text, 12, '0')", "sha256(int8send(i))", "CASE WHEN i % 10 = 0 THEN sha256(int8send(-i)) END", fmt.Sprintf("WITH n AS (SELECT i FROM generate_series(1::bigint, %d) AS g(i))", n)
	}
	far := concert.Micros(time.Now().Add(concert.HoldTerm))
	text := fmt.Sprintf("INSERT INTO hold (id, ref, authority, place, content, contact, placed_by, created_at, expires_at, released_at, released_by, exercise, version) "+
		"%s SELECT 'h' || %s, 'HO-' || %s, '%s', %s, %s, '', 'bench', 0, %d, 0, '', 1, 1 FROM n", rows, number, number, holder, place, bytes, far)
	_, err := raw.Exec(text)
	testkit.Must(b, err)
	if s.DB.Dialect() == "postgres" {
		_, err = raw.Exec("ANALYZE hold")
		testkit.Must(b, err)
	}
}
