package store_test

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"concert"
	"concert/internal/store"
	"concert/internal/testkit"
)

// itemSearches are questions of many shapes.
func itemSearches(f testkit.Filled, now time.Time) map[string]concert.ItemSearch {
	desk := f.Authorities[0].ID
	return map[string]concert.ItemSearch{
		"everything":             {},
		"desk":                   {Desk: desk},
		"desk, open":             {Desk: desk, Status: concert.ItemOpen},
		"desk, closed":           {Desk: desk, Status: concert.ItemClosed},
		"closed":                 {Status: concert.ItemClosed},
		"found, judged by other": {Desk: desk, Found: true},
		"urgent":                 {Priority: 5},
		"urgent, desk, refused":  {Desk: desk, Status: concert.ItemRefused, Priority: 1},
		"provider":               {Desk: desk, Provider: f.Providers[3].ID},
		"rare":                   {Status: concert.ItemHeld, Provider: f.Providers[len(f.Providers)-1].ID},
		"outlet and language":    {Status: concert.ItemClosed, Outlet: f.Outlets[4].ID, Language: "fr"},
		"kind and action":        {Type: concert.TypeImage, Status: concert.ItemAnswered, Claimed: concert.AnswerRemoved},
		"claimed nothing":        {Status: concert.ItemReferred, Claimed: concert.ClaimedNothing, Observed: concert.ObservedNever},
		"observed down":          {Desk: desk, Observed: concert.ObservedDown, Finder: desk},
		"days":                   {From: now.AddDate(-1, 0, 0), Until: now.AddDate(0, -3, 0), Status: concert.ItemRefused},
		"nothing at all":         {Language: "xx"},
	}
}

// fits is what a search asks for, said once more.
func fits(q concert.ItemSearch, it concert.Item) bool {
	is := func(want, have string) bool { return want == "" || want == have }
	mine := q.Desk == "" || !q.Found && (it.Author == q.Desk || it.Author == "" && it.Authority == q.Desk) || q.Found && it.Authority == q.Desk && it.Author != "" && it.Author != q.Desk
	return mine && is(string(q.Status), string(it.Status)) && is(string(q.Provider), string(it.Provider)) && is(string(q.Outlet), string(it.Outlet)) && is(string(q.Action), string(it.Action)) &&
		is(string(q.Finder), string(it.Authority)) && is(string(q.Type), string(it.Type)) && is(q.Language, it.Language) && it.Priority >= q.Priority &&
		(q.Claimed == "" || q.Claimed == it.Claimed || q.Claimed == concert.ClaimedNothing && it.Claimed == "") && (q.Observed == "" || q.Observed == it.Observed || q.Observed == concert.ObservedNever && it.Observed == "") &&
		(q.From.IsZero() || !it.CreatedAt.Before(q.From)) && (q.Until.IsZero() || it.CreatedAt.Before(q.Until))
}

// Every search gives exactly the items that fit, each once and in order, page by page forth and back.
func TestItemSearchGivesEachItemOnce(t *testing.T) {
	t.Parallel()
	testkit.EachHouse(t, func(t *testing.T, h *testkit.House) {
		f := h.Fill(6000)
		ctx, scope := t.Context(), testkit.Scope(t, h.Auditor)
		var all []concert.Item
		for p := (concert.Page{Limit: 500, Order: concert.OrderOldest}); ; {
			var got concert.Listed[concert.Item]
			testkit.Must(t, h.DB.View(ctx, func(tx *store.Tx) (err error) {
				got, err = tx.SearchItems(ctx, scope, concert.ItemSearch{}, p)
				return err
			}))
			if all = append(all, got.Rows...); len(got.Rows) == 0 && got.Rest == nil {
				break
			}
			p.Keys = keysAfter(p, got)
		}
		if len(all) != 6000 {
			t.Fatalf("by time there are %d items", len(all))
		}
		for name, q := range itemSearches(f, h.Now()) {
			for _, order := range []string{concert.OrderUrgent, concert.OrderNewest, concert.OrderOldest} {
				var want []string
				for _, it := range slices.SortedFunc(slices.Values(all), func(a, b concert.Item) int { return itemOrder(order, a, b) }) {
					if fits(q, it) {
						want = append(want, it.Ref)
					}
				}
				walkForthAndBack(t, h, scope, name+", "+order, q, order, want)
			}
		}
	})
}

func itemOrder(order string, a, b concert.Item) int {
	switch order {
	case concert.OrderNewest:
		return cmp.Compare(b.ID, a.ID)
	case concert.OrderOldest:
		return cmp.Compare(a.ID, b.ID)
	}
	return cmp.Or(cmp.Compare(b.Priority, a.Priority), cmp.Compare(a.ID, b.ID))
}

func itemKeys(order string, it concert.Item) []string {
	if order == concert.OrderUrgent || order == "" {
		return []string{string(rune('0' + 9 - it.Priority)), string(it.ID)}
	}
	return []string{string(it.ID)}
}

func keysAfter(p concert.Page, got concert.Listed[concert.Item]) []string {
	if len(got.Rows) == p.Limit || got.Rest == nil && len(got.Rows) > 0 {
		return itemKeys(p.Order, got.Rows[len(got.Rows)-1])
	}
	if got.Rest != nil {
		return got.Rest
	}
	return p.Keys
}

func walkForthAndBack(t *testing.T, h *testkit.House, scope concert.Scope, name string, q concert.ItemSearch, order string, want []string) {
	t.Helper()
	ctx := t.Context()
	const limit = 37
	for _, back := range []bool{false, true} {
		var got []string
		p := concert.Page{Order: order, Limit: limit, Back: back}
		if back {
			p.Keys = map[string][]string{concert.OrderUrgent: {"9", "ffffffff"}, concert.OrderNewest: {"0"}, concert.OrderOldest: {"ffffffff"}}[order]
		}
		for pages := 0; ; pages++ {
			var page concert.Listed[concert.Item]
			testkit.Must(t, h.DB.View(ctx, func(tx *store.Tx) (err error) { page, err = tx.SearchItems(ctx, scope, q, p); return err }))
			for _, it := range page.Rows {
				got = append(got, it.Ref)
			}
			if len(page.Rows) < limit && page.Rest == nil {
				break
			}
			if pages > 2000 {
				t.Fatalf("%s: it never ends", name)
			}
			p.Keys = keysAfter(p, page)
		}
		if back {
			slices.Reverse(got)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s (back: %v): %d items, want %d", name, back, len(got), len(want))
		}
	}
}
