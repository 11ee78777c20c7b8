package store_test

import (
	"cmp"
	"database/sql"
	"errors"
	"regexp"
	"slices"
	"strings"
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
		"languages read":         {Desk: desk, Languages: []string{"fr", "tr"}},
		"no language read":       {Status: concert.ItemOpen, Languages: []string{}},
		"rested, assessed":       {Desk: desk, Status: concert.ItemAssessed, Rested: now.AddDate(-1, 0, 0)},
	}
}

// fits is what a search asks for, said once more.
func fits(q concert.ItemSearch, it concert.Item) bool {
	is := func(want, have string) bool { return want == "" || want == have }
	mine := q.Desk == "" || !q.Found && (it.Author == q.Desk || it.Author == "" && it.Authority == q.Desk) || q.Found && it.Authority == q.Desk && it.Author != "" && it.Author != q.Desk
	return mine && is(string(q.Status), string(it.Status)) && is(string(q.Provider), string(it.Provider)) && is(string(q.Outlet), string(it.Outlet)) && is(string(q.Action), string(it.Action)) &&
		is(string(q.Finder), string(it.Authority)) && is(string(q.Type), string(it.Type)) && is(q.Language, it.Language) && it.Priority >= q.Priority &&
		(q.Claimed == "" || q.Claimed == it.Claimed || q.Claimed == concert.ClaimedNothing && it.Claimed == "") && (q.Observed == "" || q.Observed == it.Observed || q.Observed == concert.ObservedNever && it.Observed == "") &&
		(q.Languages == nil || it.Language == "" || slices.Contains(q.Languages, it.Language)) && (q.Rested.IsZero() || it.UpdatedAt.Before(q.Rested)) &&
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

// askEverything asks every list in every order, both ways, with and without filters.
func askEverything(t *testing.T, h *testkit.House, f testkit.Filled) {
	t.Helper()
	ctx, auditor, officer := t.Context(), testkit.Scope(t, h.Auditor), testkit.Scope(t, h.North.Officers[0])
	keys := map[string][]string{"": {"5", "5"}, concert.OrderUrgent: {"5", "5"}, concert.OrderNewest: {"5"}, concert.OrderOldest: {"5"}}
	for range 2 { // the second time a text is prepared already
		for _, order := range []string{concert.OrderUrgent, concert.OrderNewest, concert.OrderOldest} {
			for _, p := range []concert.Page{{Order: order, Limit: 51}, {Order: order, Limit: 51, Keys: keys[order]}, {Order: order, Limit: 51, Keys: keys[order], Back: true}} {
				testkit.Must(t, h.DB.View(ctx, func(tx *store.Tx) error {
					searches := itemSearches(f, h.Now())
					searches["approvals"] = concert.ItemSearch{Desk: officer.Actor().Authority, Status: concert.ItemAssessed, Severity: concert.SeveritySerious, Decider: officer.Actor().Person}
					searches["approvals of mine"] = concert.ItemSearch{Desk: officer.Actor().Authority, Status: concert.ItemAssessed, Decider: officer.Actor().Person, Involved: true}
					for _, q := range searches {
						if _, err := tx.SearchItems(ctx, auditor, q, p); err != nil {
							return err
						}
					}
					if order == concert.OrderUrgent {
						return nil
					}
					return askRegisters(t, tx, f, auditor, officer, h.Now(), p)
				}))
			}
		}
	}
}

func askRegisters(t *testing.T, tx *store.Tx, f testkit.Filled, auditor, officer concert.Scope, now time.Time, p concert.Page) error {
	t.Helper()
	ctx := t.Context()
	two := p
	if len(p.Keys) > 0 {
		two.Keys = []string{"5", "5"}
	}
	var errs []error
	for _, q := range []concert.ReferralSearch{{}, {Author: f.Authorities[0].ID}, {Provider: f.Providers[0].ID}, {Author: f.Authorities[0].ID, Provider: f.Providers[0].ID, Status: concert.ReferralSent, From: now}} {
		_, err := tx.SearchReferrals(ctx, auditor, q, p)
		errs = append(errs, err)
	}
	for _, s := range append([]concert.HoldState{""}, concert.HoldStates...) {
		_, err := tx.SearchHolds(ctx, officer, s, now, p)
		errs = append(errs, err)
	}
	for _, q := range []concert.RemedySearch{{}, {Author: f.Authorities[0].ID}, {Sent: true, Kind: concert.RemedyWithdrawal, Category: concert.RemedyOther, From: now, Until: now}} {
		_, err := tx.SearchRemedies(ctx, q, true, two)
		errs = append(errs, err)
	}
	for _, q := range []concert.AlarmSearch{{}, {Authority: f.Authorities[0].ID, Kind: concert.AlarmProbed, Lasting: true}} {
		_, err := tx.SearchAlarms(ctx, q, p)
		errs = append(errs, err)
	}
	for _, q := range []concert.EventSearch{{}, {Subject: "x"}, {Subject: "x", Kind: concert.EventItemHeld}, {Kind: concert.EventItemSubmitted}, {Kind: concert.EventScopeProposed}, {Kind: concert.EventConsulted}, {Actor: "x", From: now}} {
		_, err := tx.SearchEvents(ctx, auditor, q, p)
		errs = append(errs, err)
	}
	_, err := tx.SearchActions(ctx, concert.PhaseCollect, p)
	return errors.Join(append(errs, err, askFolders(t, tx, f, auditor, officer, now, p, two))...)
}

// askFolders asks the lists of cases and of watched places; due is the page in the terms of two keys.
func askFolders(t *testing.T, tx *store.Tx, f testkit.Filled, auditor, officer concert.Scope, now time.Time, p, due concert.Page) error {
	t.Helper()
	ctx, me := t.Context(), officer.Actor()
	due.Order = concert.OrderDue
	var errs []error
	for _, q := range []concert.CaseSearch{{}, {Authority: me.Authority, Handling: concert.HandlingOpen}, {Member: me.Person}, {Member: me.Person, Lead: me.Person, State: concert.CaseOpen, Review: concert.ReviewOverdue}, {State: concert.CaseClosed}, {State: concert.CaseMandateOver, Review: concert.ReviewSoon}} {
		_, err := tx.SearchCases(ctx, officer, q, now, p)
		errs = append(errs, err)
	}
	for _, q := range []concert.WatchSearch{{}, {Authority: me.Authority}, {Authority: me.Authority, Member: me.Person, Outlet: f.Outlets[0].ID, Turn: concert.TurnDue}, {Authority: me.Authority, Sweeper: me.Person, Turn: concert.TurnLater}, {Owner: concert.WatchPerson, Turn: concert.TurnNever}, {Turn: concert.TurnUnder}} {
		for _, q.State = range append([]concert.WatchState{""}, concert.WatchStates...) {
			for _, p := range []concert.Page{p, due} {
				_, err := tx.SearchWatches(ctx, auditor, q, now, p)
				errs = append(errs, err)
			}
		}
	}
	for _, q := range []concert.LookSearch{{}, {State: concert.LookWaiting}, {State: concert.LookDisagreed, Provider: f.Providers[0].ID}, {Looker: me.Person, Before: now}} {
		for _, may := range []bool{true, false} {
			drawn := due
			drawn.Order = p.Order
			_, err := tx.SearchLooks(ctx, officer, q, may, drawn)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// walksOf are the questions that the lists put.
var walksOf = regexp.MustCompile(`^(SELECT \* FROM \()?SELECT (i\.rank, i\.id FROM item i|i\.id FROM item i|r\.id FROM referral r|h\.id FROM hold h|m\.at, m\.ref FROM remedy m|a\.id FROM (alarm|action) a|s\.drawn_at, s\.assessment FROM second_look s|f\.id FROM case_file f|m\.case_id FROM case_member m|(w\.next_at, )?w\.id FROM watch w|e\.id FROM event e) `)

// walked is SQLite's plan of a walk, or of several that are merged, and aside one that fetches rows to look at them; sorted is
// PostgreSQL's of a list that is not. onDesk are walks of a desk's items.
var (
	onDesk = regexp.MustCompile(`FROM item i WHERE i\.auth(or|ority) = \? AND`)
	aside  = regexp.MustCompile(`i USING INDEX`)
	walked = regexp.MustCompile(`^(MERGE \(UNION ALL\)\n|LEFT\n|RIGHT\n|(SEARCH|SCAN) \w+ (EXISTS )?USING (COVERING )?INDEX .*(\n|$))+(CORRELATED|LIST SUBQUERY|$)`)
	sorted = regexp.MustCompile(`(^|-> +)(Incremental )?Sort +\(`)
)

// Every order that a list offers is the order of an index, on both databases: nothing is sorted, and no table is read through.
func TestEveryListWalksAnIndex(t *testing.T) {
	t.Parallel()
	h := testkit.Furnish(t, testkit.Service(t, "sqlite"))
	askEverything(t, h, h.Fill(600))
	lite, pg := testkit.Raw(t, h.Service), testkit.Raw(t, testkit.Service(t, "postgres"))
	conn, err := pg.Conn(t.Context())
	testkit.Must(t, err)
	defer conn.Close()
	for _, set := range []string{"enable_seqscan = off", "enable_sort = off", "enable_incremental_sort = off", "enable_bitmapscan = off", "plan_cache_mode = force_generic_plan"} {
		_, err := conn.ExecContext(t.Context(), "SET "+set)
		testkit.Must(t, err)
	}
	n := 0
	for _, text := range h.DB.Asked() {
		if !walksOf.MatchString(text) || !strings.Contains(text, "ORDER BY") || strings.Contains(text, " IN (?") {
			continue
		}
		n++
		rows, err := lite.Query("EXPLAIN QUERY PLAN "+text, make([]any, strings.Count(text, "?"))...)
		testkit.Must(t, err)
		plan := planOf(t, rows, 4)
		if !walked.MatchString(plan) || strings.Contains(plan, "TEMP B-TREE") {
			t.Errorf("SQLite does not walk an index for %s:\n%s", text, plan)
		}
		// Whoever asks for what somebody found first has the table looked through; so has a reviewer, of what waits for approval,
		// who asks for how it was assessed and since when.
		waits := strings.Contains(text, "i.assess") || strings.Contains(text, "i.updated_at")
		if onDesk.MatchString(text) && !strings.Contains(text, " AND i.authority = ?") && !waits && aside.MatchString(plan) {
			t.Errorf("SQLite looks beside the index for %s:\n%s", text, plan)
		}
		args := strings.TrimSuffix(strings.Repeat("NULL,", strings.Count(text, "?")), ",")
		_, err = conn.ExecContext(t.Context(), "PREPARE asked AS "+store.Rebound(text))
		testkit.Must(t, err)
		rows, err = conn.QueryContext(t.Context(), "EXPLAIN EXECUTE asked("+args+")")
		testkit.Must(t, err)
		if plan = planOf(t, rows, 1); strings.Contains(plan, "Seq Scan") && !strings.Contains(plan, "SubPlan") || sorted.MatchString(plan) || !strings.Contains(plan, "Index") {
			t.Errorf("PostgreSQL does not walk an index for %s:\n%s", text, plan)
		}
		_, err = conn.ExecContext(t.Context(), "DEALLOCATE asked")
		testkit.Must(t, err)
	}
	if n < 60 {
		t.Errorf("only %d questions were looked at", n)
	}
}

// planOf is what the database says that it would do; the words stand in the last of the columns.
func planOf(t *testing.T, rows *sql.Rows, columns int) string {
	t.Helper()
	defer rows.Close()
	var out []string
	for rows.Next() {
		cells := make([]any, columns)
		for i := range cells {
			cells[i] = new(string)
		}
		testkit.Must(t, rows.Scan(cells...))
		out = append(out, *cells[columns-1].(*string))
	}
	testkit.Must(t, rows.Err())
	return strings.Join(out, "\n")
}
