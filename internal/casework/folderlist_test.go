package casework_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/testkit"
)

// pages reads a list page by page, two rows each, forth and then back, and gives the rows by name in their order.
func pages[R any](t *testing.T, what string, search func(concert.Page) (concert.Listed[R], error), name func(R) string, keys func(R) []string) []string {
	t.Helper()
	walk := func(p concert.Page) (out []string, last R) {
		for {
			found, err := search(p)
			testkit.Must(t, err)
			for _, r := range found.Rows {
				out, last = append(out, name(r)), r
			}
			switch {
			case found.Rest != nil:
				p.Keys = found.Rest
			case len(found.Rows) < p.Limit:
				return out, last
			default:
				p.Keys = keys(found.Rows[len(found.Rows)-1])
			}
		}
	}
	forth, last := walk(concert.Page{Limit: 2})
	if len(forth) > 0 {
		back, _ := walk(concert.Page{Limit: 2, Back: true, Keys: keys(last)})
		slices.Reverse(back)
		if want := forth[:len(forth)-1]; !slices.Equal(back, want) {
			t.Errorf("%s: back %v, forth %v", what, back, want)
		}
	}
	return forth
}

// A list of cases answers each of its filters, page by page, with what its reader is a member of and nothing else.
func TestCasesAreFilteredForTheirMembers(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		h.At(day, 0)
		h.StopClockAt(day)
		ann, bob := h.North.Officers[0], h.North.Officers[1]
		names := map[string]string{}
		open := func(by concert.Actor, name string, code concert.Handling, until time.Time) concert.Case {
			c, err := h.OpenCase(ctx, by, concert.Case{Title: "EXERCISE " + name, Handling: code, Mandate: concert.Mandate{Reference: "EXERCISE 1", Issuer: "EXERCISE court", On: day.AddDate(0, 0, -1), Until: until}})
			testkit.Must(t, err)
			names[c.Ref] = name
			return c
		}
		far := day.AddDate(9, 0, 0)
		one := open(ann, "one", concert.HandlingOpen, far)
		_, err := h.AddToCase(ctx, ann, one.Ref, []string{h.Submit(ann, testkit.Page(1))[0].Ref})
		testkit.Must(t, err)
		open(ann, "short", concert.HandlingNotShared, day.AddDate(0, 1, 0))
		shut := open(ann, "shut", concert.HandlingOpen, far)
		_, err = h.CloseCase(ctx, ann, shut.Ref, shut.Version, ground)
		testkit.Must(t, err)
		bobs := open(bob, "bobs", concert.HandlingOpen, far)
		_, err = h.AddCaseMember(ctx, bob, bobs.Ref, bobs.Version, ann.Operator)
		testkit.Must(t, err)
		open(bob, "bob alone", concert.HandlingOpen, far)
		open(h.South.Officers[0], "south", concert.HandlingOpen, far)
		ask := func(by concert.Actor, q concert.CaseSearch) []string {
			return pages(t, fmt.Sprint(q), func(p concert.Page) (concert.Listed[casework.CaseView], error) {
				return h.SearchCases(ctx, testkit.Scope(t, by), q, "", p)
			}, func(c casework.CaseView) string { return names[c.Ref] }, func(c casework.CaseView) []string { return []string{string(c.ID)} })
		}
		want := func(by concert.Actor, q concert.CaseSearch, names ...string) {
			t.Helper()
			if got := ask(by, q); !slices.Equal(got, names) {
				t.Errorf("%+v: %v, want %v", q, got, names)
			}
		}
		want(ann, concert.CaseSearch{}, "bobs", "shut", "short", "one")
		want(ann, concert.CaseSearch{Lead: ann.Person}, "shut", "short", "one")
		want(ann, concert.CaseSearch{Lead: bob.Person}, "bobs")
		want(ann, concert.CaseSearch{State: concert.CaseClosed}, "shut")
		want(ann, concert.CaseSearch{State: concert.CaseOpen}, "bobs", "short", "one")
		want(ann, concert.CaseSearch{Handling: concert.HandlingNotShared}, "short")
		want(ann, concert.CaseSearch{Review: concert.ReviewSoon})
		want(ann, concert.CaseSearch{Member: bob.Person}, "bobs", "shut", "short", "one") // whom one asks for is no way in
		want(bob, concert.CaseSearch{}, "bob alone", "bobs")
		want(h.South.Officers[0], concert.CaseSearch{}, "south")
		want(h.Auditor, concert.CaseSearch{}, "south", "bob alone", "bobs", "shut", "short", "one")
		want(h.Auditor, concert.CaseSearch{Authority: h.South.ID}, "south")
		h.StopClockAt(day.AddDate(concert.CaseReviewYears, 0, -10))
		want(ann, concert.CaseSearch{State: concert.CaseMandateOver}, "short")
		want(ann, concert.CaseSearch{Review: concert.ReviewOverdue})
		want(ann, concert.CaseSearch{Review: concert.ReviewSoon}, "bobs", "shut", "short", "one")
		h.StopClockAt(day.AddDate(concert.CaseReviewYears, 0, 0))
		want(ann, concert.CaseSearch{Review: concert.ReviewOverdue, Lead: ann.Person}, "shut", "short", "one")
		found, err := h.SearchCases(ctx, testkit.Scope(t, ann), concert.CaseSearch{Lead: ann.Person, State: concert.CaseOpen}, "mine=lead", concert.Page{Limit: 10})
		if err != nil || len(found.Rows) != 1 || found.Rows[0].ItemCount != 1 || found.Rows[0].Operators[ann.Person] != ann.Operator || found.Rows[0].Title != "EXERCISE one" {
			t.Errorf("the row: %+v, %v", found, err)
		}
		if _, err := h.SearchCases(ctx, mute(t, ann), concert.CaseSearch{}, "", concert.Page{Limit: 10}); code(err) != "scope.justification" {
			t.Errorf("listed without a justification: %v", err)
		}
		cs, err := h.Consultations(ctx, testkit.Scope(t, h.Auditor), casework.ConsultationQuery{Limit: 30})
		testkit.Must(t, err)
		if !slices.ContainsFunc(cs, func(c concert.Consultation) bool {
			return c.What == concert.ReadCases && c.Filter == "mine=lead" && c.Count == 1
		}) {
			t.Error("the reading is not recorded with its filters")
		}
	})
}

// So does a watchlist: by outlet, whose turn it is, whose place, who has gone through it; another authority's is not there.
func TestWatchlistIsFilteredForItsAuthority(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		h.At(day, 0)
		h.StopClockAt(day)
		ann, bob := h.North.Officers[0], h.North.Officers[1]
		second := h.ListedOutlet("EXERCISE Second outlet")
		names := map[string]string{}
		place := func(by concert.Actor, name string, in casework.Watching) concert.Watch {
			in.Location, in.Cadence = "https://t.me/exercise_"+name, 24*time.Hour
			if in.Owner = cmpOwner(in); in.Owner == concert.WatchOutlet && in.Outlet == "" {
				in.Outlet = h.Outlet.Ref
			}
			w, err := h.WatchPlace(ctx, by, in)
			testkit.Must(t, err)
			names[w.Ref] = name
			return w
		}
		sweep := func(by concert.Actor, w concert.Watch, end bool) {
			_, s, err := h.SweepPlace(ctx, by, w.Ref)
			testkit.Must(t, err)
			if end {
				_, _, err = h.FinishSweep(ctx, by, s.Ref, concert.SweepNone)
				testkit.Must(t, err)
			}
		}
		swept := place(ann, "swept", casework.Watching{})
		sweep(ann, swept, true)
		h.StopClockAt(day.Add(time.Minute))
		under := place(ann, "under", casework.Watching{Outlet: second.Ref})
		sweep(bob, under, false)
		place(ann, "fresh", casework.Watching{Outlet: second.Ref})
		over := place(ann, "over", casework.Watching{})
		_, err := h.EndWatch(ctx, ann, over.Ref, over.Version)
		testkit.Must(t, err)
		c := opened(h, t)
		place(ann, "person", casework.Watching{Case: c.Ref, Ground: ground, Until: day.Add(80 * 24 * time.Hour)})
		place(h.South.Officers[0], "south", casework.Watching{})
		ask := func(by concert.Actor, q concert.WatchSearch, sweeper, order string) []string {
			return pages(t, fmt.Sprint(q, order), func(p concert.Page) (concert.Listed[casework.WatchView], error) {
				p.Order = order
				return h.SearchWatches(ctx, testkit.Scope(t, by), q, sweeper, "", p)
			}, func(v casework.WatchView) string { return names[v.Ref] }, func(v casework.WatchView) []string {
				if order == concert.OrderDue {
					return []string{fmt.Sprint(concert.Micros(v.NextAt)), string(v.ID)}
				}
				return []string{string(v.ID)}
			})
		}
		want := func(by concert.Actor, q concert.WatchSearch, sweeper, order string, names ...string) {
			t.Helper()
			if got := ask(by, q, sweeper, order); !slices.Equal(got, names) {
				t.Errorf("%+v by %q, %s: %v, want %v", q, sweeper, order, got, names)
			}
		}
		in := concert.WatchSearch{State: concert.WatchStanding}
		want(ann, in, "", concert.OrderDue, "under", "fresh", "person", "swept")
		want(ann, in, "", concert.OrderNewest, "person", "fresh", "under", "swept")
		want(ann, concert.WatchSearch{}, "", concert.OrderOldest, "swept", "under", "fresh", "over", "person")
		want(ann, concert.WatchSearch{}, "", concert.OrderDue, "under", "fresh", "over", "person", "swept")
		want(ann, concert.WatchSearch{State: concert.WatchOver}, "", concert.OrderDue, "over")
		want(ann, concert.WatchSearch{State: concert.WatchOver}, "", concert.OrderNewest, "over")
		want(ann, concert.WatchSearch{Outlet: second.ID}, "", concert.OrderDue, "under", "fresh")
		want(ann, concert.WatchSearch{Owner: concert.WatchPerson}, "", concert.OrderDue, "person")
		want(h.North.Reviewers[1], in, "", concert.OrderDue, "under", "fresh", "swept") // no member of the case
		want(ann, concert.WatchSearch{Turn: concert.TurnDue}, "", concert.OrderDue, "under", "fresh", "person")
		want(ann, concert.WatchSearch{Turn: concert.TurnNever}, "", concert.OrderOldest, "under", "fresh", "person")
		want(ann, concert.WatchSearch{Turn: concert.TurnUnder}, "", concert.OrderDue, "under")
		want(ann, concert.WatchSearch{Turn: concert.TurnLater}, "", concert.OrderDue, "swept")
		want(bob, concert.WatchSearch{}, ann.Operator, concert.OrderDue, "swept")
		want(ann, concert.WatchSearch{}, bob.Operator, concert.OrderDue) // has not finished
		want(h.South.Officers[0], concert.WatchSearch{Authority: h.North.ID}, "", concert.OrderDue, "south")
		want(h.Auditor, in, "", concert.OrderDue, "under", "fresh", "person", "south", "swept")
		want(h.Auditor, concert.WatchSearch{Authority: h.South.ID}, "", concert.OrderNewest, "south")
		want(h.Auditor, concert.WatchSearch{}, ann.Operator, concert.OrderNewest, "swept")
		for _, who := range []string{h.South.Officers[0].Operator, "nobody"} {
			if _, err := h.SearchWatches(ctx, testkit.Scope(t, ann), in, who, "", concert.Page{Limit: 10}); code(err) != "list.choice" {
				t.Errorf("asked who %s swept: %v", who, err)
			}
		}
		if _, err := h.SearchWatches(ctx, testkit.Scope(t, h.Answerer), in, "", "", concert.Page{Limit: 10}); err == nil {
			t.Error("a provider's person lists watched places")
		}
	})
}

// cmpOwner is whose a watched place is: a private person's where it stands on a case.
func cmpOwner(in casework.Watching) concert.WatchOwner {
	if in.Case != "" {
		return concert.WatchPerson
	}
	return concert.WatchOutlet
}
