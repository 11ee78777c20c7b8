package store_test

import (
	"fmt"
	"testing"

	"concert"
	"concert/internal/store"
	"concert/internal/testkit"
)

// What makes copies is said in the rules and, once more, where lists ask the tables.
func TestTablesAndRulesAgreeOnWhatIsACopy(t *testing.T) {
	t.Parallel()
	testkit.EachHouse(t, func(t *testing.T, h *testkit.House) {
		raw := testkit.Raw(t, h.Service)
		for _, by := range []concert.PrintKind{concert.PrintPicture, concert.PrintVideo, concert.PrintText, concert.PrintPage, concert.PrintBytes} {
			for _, said := range []concert.MatchWord{"", concert.MatchSame, concert.MatchOther} {
				for _, distance := range []int{0, concert.AlikeRadius, concert.AlikeRadius + 1} {
					for _, share := range []int{0, concert.AlikeFrames - 1, concert.AlikeFrames} {
						m := concert.KnownMatch{By: by, Other: "item", Said: said, Distance: distance, ShareThen: share}
						n := testkit.Count(t, raw, fmt.Sprintf("SELECT count(*) FROM (SELECT 0 AS entry, '%s' AS said, '%s' AS by_print, %d AS distance, 0 AS share_here, %d AS share_then) m WHERE %s", said, by, distance, share, store.Alike))
						if (n == 1) != m.Alike() {
							t.Errorf("%s, said %q, %d bits, %d of 1,000: the rule says %v, the tables %v", by, said, distance, share, m.Alike(), n == 1)
						}
					}
				}
			}
		}
	})
}
