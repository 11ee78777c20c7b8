package casework_test

import (
	"net/http"
	"strings"
	"testing"

	"concert"
	"concert/internal/casework"
	"concert/internal/testkit"
)

// Lists write their addresses defanged: our own look goes there all the same.
// What the place serves is held against the bytes that were captured.
func TestG29DefangedPlacesAreLookedAt(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.At(day, 1)
		places := []string{testkit.Page(1), testkit.Page(2)}
		h.Pages.Set(places[0], http.StatusNotFound)
		h.Pages.Set(places[1], http.StatusOK)
		var items []casework.Result
		for _, p := range places {
			p = strings.Replace(strings.Replace(p, "http", "hxxp", 1), "video.example", "video[.]example", 1)
			items = append(items, h.Submit(h.North.Officers[0], p)...)
		}
		approved := h.Approve(h.North.Reviewers[0], h.Assess(h.North.Officers[1], items))
		h.At(h.Now(), swift) // what was captured stays fresh as long as people work
		testkit.Run(t, h.Service)
		ref := sent(h, t, approved[0].Ref)
		answer(h, t, h.Answerer, ref, concert.Answer{Code: concert.AnswerRemoved}, items[0].Ref, items[1].Ref)
		for i, want := range []concert.Observed{concert.ObservedDown, concert.ObservedUp} {
			var v casework.ItemView
			testkit.Await(t, "a look at "+places[i], func() bool { v = h.Item(items[i].Ref); return len(v.Rechecks) > 0 })
			if c := v.Rechecks[0]; c.State != want {
				t.Errorf("%s: seen %s (%s), want %s", v.Location.Submitted, c.State, c.Reason, want)
			}
		}
	})
}
