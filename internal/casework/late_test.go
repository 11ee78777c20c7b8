package casework_test

import (
	"testing"
	"time"

	"concert"
	"concert/internal/store"
	"concert/internal/testkit"
)

func TestG07ExpiredHoldLetsTheItemGo(t *testing.T) {
	t.Parallel()
	testkit.EachHouse(t, func(t *testing.T, h *testkit.House) {
		h.At(day, brisk)
		h.Hold(h.South.Officers[0], testkit.Page(1), "EXERCISE call the southern desk", "EXERCISE case 7")
		items := h.Approved(testkit.Page(1))
		stop := testkit.Run(t, h.Service)
		testkit.Await(t, "the hold to stop the item", func() bool { return h.Item(items[0].Ref).Status == concert.ItemHeld })
		stop()
		h.At(day.Add(concert.HoldTerm+24*time.Hour), brisk)
		testkit.Run(t, h.Service)
		testkit.Await(t, "the item to go once the hold has expired", func() bool { return h.Item(items[0].Ref).ReferredAs != "" })
	})
}

func TestHostThatIsRegisteredLateCountsOnce(t *testing.T) {
	t.Parallel()
	testkit.EachHouse(t, func(t *testing.T, h *testkit.House) {
		items := h.Submit(h.North.Officers[0], "http://late.example/watch?v=ex000001Ab")
		p, _, err := h.AddProvider(t.Context(), h.Admin, concert.Provider{Name: "Late (EXERCISE)", Kind: "hosting", Country: "NL", Channel: concert.ChannelPull, Platforms: []string{"late.example"}}, false)
		if err != nil {
			t.Fatal(err)
		}
		h.Assess(h.North.Officers[0], items)
		err = h.DB.View(t.Context(), func(tx *store.Tx) error {
			d, err := tx.Tallies(t.Context(), h.Action.ID)
			if err != nil {
				return err
			}
			of := d.BySide(h.Action.ID, 'p')[string(p.ID)]
			if of[concert.Submitted] != 1 || of[concert.Awaiting] != 1 || of[concert.Unassessed] != 0 {
				t.Errorf("the late host's numbers are %v", of)
			}
			if err := of.Check(); err != nil {
				t.Errorf("the late host's numbers do not add up: %v", err)
			}
			return d.Totals(h.Action.ID).Check()
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
