package exercise

import (
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"concert"
)

var start = time.Date(2019, 11, 21, 8, 0, 0, 0, time.UTC)

func testConfig(items int, seed uint64, rate float64) Config {
	return Config{Base: "http://concert.example", Plan: PlanNovember2019, Items: items, Seed: seed,
		Time: concert.CaseTime{Since: time.Now(), Start: start, Rate: rate}}
}

func newWorld(t testing.TB, items int, seed uint64) *World {
	t.Helper()
	w, err := New(testConfig(items, seed, 20_000))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

func TestNewRefusesWhatItCannotPlan(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Config){
		"unknown plan":   func(c *Config) { c.Plan = "december-2019" },
		"too few items":  func(c *Config) { c.Items = MinItems - 1 },
		"too many items": func(c *Config) { c.Items = 1 << 30 },
		"clock stands":   func(c *Config) { c.Time.Rate = 0 },
	} {
		c := testConfig(MinItems, 1, 20_000)
		change(&c)
		if _, err := New(c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestSameSeedSameExercise(t *testing.T) {
	t.Parallel()
	type row struct {
		Place, Spelling, Type, Language string
		Bytes                           string
		Fate                            fate
		Outcome                         outcome
		Unit, Provider                  int
	}
	rows := func(seed uint64) (out []row) {
		s := newScript(seed, 1000)
		for n := range s.total {
			out = append(out, row{s.place(n), s.respelled(n), s.itemType(n), s.language(n), s.bytes(n), s.fate(n), s.outcome(n), s.unit(n), s.provider(n)})
		}
		return out
	}
	if diff := cmp.Diff(rows(7), rows(7)); diff != "" {
		t.Errorf("same seed, other exercise: %s", diff)
	}
	if cmp.Equal(rows(7), rows(8)) {
		t.Error("another seed gives the same exercise")
	}
	if diff := cmp.Diff(newWorld(t, 1000, 7).Expected(), newWorld(t, 1000, 7).Expected()); diff != "" {
		t.Error(diff)
	}
}

func TestExactlyTheItemsAskedForAreReferred(t *testing.T) {
	t.Parallel()
	for _, items := range []int{MinItems, 500, 26_000} {
		for seed := range uint64(5) {
			s := newScript(seed, items)
			n := 0
			for i := range s.total {
				if s.fate(i).referred() {
					n++
				}
			}
			if n != items {
				t.Errorf("seed %d: %d items destined to be referred, wanted %d", seed, n, items)
			}
			if !s.fate(s.total - 1).referred() {
				t.Errorf("seed %d: numbers behind the last referred item", seed)
			}
		}
	}
}

func TestEveryOutcomeOccursFromTheLeastNumberOn(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		s := newScript(seed, MinItems)
		seenFates, seenOutcomes := map[fate]bool{}, map[outcome]bool{}
		seenAt, seenOutlets := map[int]bool{}, map[listing]bool{}
		doubles := 0
		for n := range s.total {
			f := s.fate(n)
			seenFates[f] = true
			seenOutlets[outlets[s.outlet(n)].listed] = true
			if f.referred() {
				seenOutcomes[s.outcome(n)] = true
				seenAt[s.provider(n)] = true
				if s.double(n) {
					doubles++
				}
			}
		}
		if len(seenFates) != int(fates) || len(seenOutcomes) != int(outcomes) || len(seenAt) != len(providers) || doubles == 0 || len(seenOutlets) != 4 {
			t.Errorf("seed %d: %d of %d fates, %d of %d outcomes, %d of %d providers, %d double approvals, %d of 4 listings", seed,
				len(seenFates), fates, len(seenOutcomes), outcomes, len(seenAt), len(providers), doubles, len(seenOutlets))
		}
	}
}

func TestEveryMetricIsForeseenAndTheSumsHold(t *testing.T) {
	t.Parallel()
	for _, items := range []int{500, 26_000} {
		e := newWorld(t, items, 3).Expected()
		for _, m := range concert.Metrics {
			switch m {
			case concert.SecondLooks, concert.SecondAgreed, concert.SecondDisagreed:
				// Drawn with a key that no plan knows.
				if n, ok := e[string(m)]; !ok || n < 0 {
					t.Errorf("%d items: %s is not foreseen", items, m)
				}
				continue
			case concert.Unassessed, concert.Awaiting, concert.Ready, concert.SecondWaiting:
				if e[string(m)] != 0 {
					t.Errorf("%d items: %s is %d at the end", items, m, e[string(m)])
				}
				continue
			}
			if e[string(m)] <= 0 {
				t.Errorf("%d items: %s is not foreseen", items, m)
			}
		}
		for _, sum := range concert.Sums {
			var parts int64
			for _, p := range sum.Parts {
				parts += e[string(p)]
			}
			if e[string(sum.Whole)] != parts {
				t.Errorf("%d items: %s is %d, its parts %v add up to %d", items, sum.Whole, e[string(sum.Whole)], sum.Parts, parts)
			}
		}
		if e[string(concert.ReferredN)] != int64(items) {
			t.Errorf("referred %d of %d", e[string(concert.ReferredN)], items)
		}
	}
}

func TestSharesFollowThePlan(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 26_000, 11)
	e := w.Expected()
	share := func(part, whole concert.Metric) float64 { return float64(e[string(part)]) / float64(e[string(whole)]) }
	for _, c := range []struct {
		part, whole concert.Metric
		want, off   float64
	}{
		{concert.Duplicates, concert.Submitted, .30, .02},
		{concert.Guarded, concert.Unique, .03, .005},
		{concert.OutOfScope, concert.Unique, .03, .005},
		{concert.Rejected, concert.Unique, .04, .005},
		{concert.HoldHits, concert.Unique, .02, .004},
		{concert.Refused, concert.ReferredN, .05, .006},
		{concert.Silent, concert.ReferredN, .042, .006},
		{concert.OtherAnswer, concert.ReferredN, .03, .005},
		{concert.WithdrawnN, concert.Unique, .007, .002},
		{concert.Returned, concert.ReferredN, .01, .003},
		{concert.Corrected, concert.Unique, .001, .0006},
	} {
		if got := share(c.part, c.whole); math.Abs(got-c.want) > c.off {
			t.Errorf("%s of %s is %.4f, planned is %.3f", c.part, c.whole, got, c.want)
		}
	}
	doubles, other := 0, 0
	for n := range w.script.total {
		if w.script.double(n) {
			doubles++
		}
		if w.script.kind(n) != "web" {
			other++
		}
	}
	if got := float64(doubles) / float64(w.script.total); math.Abs(got-.015) > .003 {
		t.Errorf("%.4f of the items need two approvals, planned is .015", got)
	}
	if got := float64(other) / float64(w.script.total); got < .03 || got > .10 {
		t.Errorf("%.4f of the items are no web pages", got)
	}
}

func TestNoPlaceTwiceUnderCaseFolding(t *testing.T) {
	t.Parallel()
	s := newScript(5, 26_000)
	seen := make(map[string]uint32, s.total)
	for n := range s.total {
		place := strings.TrimSuffix(strings.ToLower(s.place(n)), "/")
		if was, ok := seen[place]; ok {
			t.Fatalf("items %d and %d both lie at %s", was, n, place)
		}
		seen[place] = n
		if !strings.Contains(place, ".example") && s.kind(n) == "web" {
			t.Fatalf("place %s is not under .example", place)
		}
	}
}

func TestNumberIsReadBackFromEverySpelling(t *testing.T) {
	t.Parallel()
	s := newScript(9, 26_000)
	for n := range s.total {
		for _, place := range []string{s.place(n), s.respelled(n), strings.ToUpper(s.place(n))} {
			if got, ok := number(place); !ok || got != n {
				t.Fatalf("number of %q is %d, %t; wanted %d", place, got, ok, n)
			}
		}
	}
	for _, none := range []string{"", "ex", "ex123", "http://clips.video.example/u/exercise7/p/", "ex99999999999999999999", "ex00000001"} {
		if n, ok := number(none); ok {
			t.Errorf("%q has number %d", none, n)
		}
	}
}

func FuzzNumber(f *testing.F) {
	f.Add("http://clips.video.example/u/exercise7/p/ex0000042")
	f.Add("exex0000001")
	f.Fuzz(func(t *testing.T, place string) {
		if n, ok := number(place); ok && !strings.Contains(strings.ToLower(place), token(n)) {
			t.Errorf("number of %q is %d, yet %s is not in it", place, n, token(n))
		}
	})
}

func TestFindersAndHoldersAreOthers(t *testing.T) {
	t.Parallel()
	s := newScript(2, 5000)
	for n := range s.total {
		home := s.unit(n)
		seen := map[int]bool{home: true}
		for _, f := range s.finders(n) {
			if seen[f] {
				t.Fatalf("item %d: unit %d finds it twice", n, f)
			}
			seen[f] = true
		}
		if s.holder(n) == home {
			t.Fatalf("item %d: the unit that judges it holds it", n)
		}
	}
}

func TestCopiesOfAWorkShareOutletUnitAndProvider(t *testing.T) {
	t.Parallel()
	s := newScript(3, 26_000)
	first, count := map[string]uint32{}, map[string]int{}
	for n := range s.total {
		if f := s.fate(n); f == toGuard || f == toUnscope {
			continue
		}
		sum := s.bytes(n)
		count[sum]++
		one, ok := first[sum]
		if !ok {
			first[sum] = n
			continue
		}
		if s.outlet(one) != s.outlet(n) || s.unit(one) != s.unit(n) || s.provider(one) != s.provider(n) {
			t.Fatalf("items %d and %d are copies, yet differ in outlet, unit or provider", one, n)
		}
	}
	var items int
	for _, c := range count {
		items += c
	}
	if mean := float64(items) / float64(len(count)); mean < 8 || mean > 11 {
		t.Errorf("a work has %.1f copies, planned are about %d", mean, copies)
	}
	seen := map[int]bool{}
	for _, n := range first {
		seen[s.outlet(n)] = true
	}
	if len(seen) != inScope {
		t.Errorf("works of %d outlets of %d in scope", len(seen), inScope)
	}
}

// TestTextsSatisfyTheRules feeds what officers and providers say to the root's
// own rules.
func TestTextsSatisfyTheRules(t *testing.T) {
	t.Parallel()
	s := newScript(4, 3000)
	officer := concert.Actor{Person: "p", Authority: "a", Languages: readable(), Roles: []concert.Role{concert.RoleOfficer}}
	first := concert.Actor{Person: "r1", Authority: "a", Languages: readable(), Roles: []concert.Role{concert.RoleReviewer}}
	second := concert.Actor{Person: "r2", Authority: "a", Languages: readable(), Roles: []concert.Role{concert.RoleReviewer}}
	desk := concert.Actor{Person: "d", Provider: "x", Roles: []concert.Role{concert.RoleProviderAnswerer}}
	list := concert.ScopeList{Entries: map[concert.OutletID][]concert.ScopeEntry{"listed": {{ConfirmedAt: start, ListedOn: start}}}}
	now := start.Add(time.Hour)
	for n := range s.total {
		f := s.fate(n)
		if f == toGuard {
			continue
		}
		outlet := "listed"
		if f == toUnscope {
			outlet = "not"
		}
		in := s.assessment(n, outlet)
		it := concert.Item{ID: "i", Status: concert.ItemOpen, Needed: 1, Guard: concert.Guard{Verdict: concert.GuardPass}}
		it, _, _, err := it.Assessed(officer, concert.Assessment{ID: "s", Type: concert.ContentType(in.Type), Purpose: concert.Purpose(in.Purpose), Outlet: concert.OutletID(in.Outlet), Mark: in.Mark, MarkWhere: in.MarkWhere,
			Unbranded: in.Unbranded, Language: in.Language, Severity: concert.Severity(in.Severity), Evaluation: in.Evaluation, Facts: in.Facts, Judgement: in.Judgement,
			Capture: concert.Capture{ID: "c", Item: "i", Authority: "a", SeenAt: now}}, list, now)
		if err != nil {
			t.Fatalf("item %d: %v", n, err)
		}
		if want := map[fate]concert.ItemStatus{toUnscope: concert.ItemOutOfScope, toExempt: concert.ItemRejected}[f]; want != "" {
			if it.Status != want {
				t.Fatalf("item %d is %s, planned is %s", n, it.Status, want)
			}
			continue
		}
		d := s.decision(n)
		var given []concert.Approval
		for _, by := range []concert.Actor{first, second}[:it.Needed] {
			var a concert.Approval
			if it, a, _, err = it.Decided(by, concert.Approval{Decision: concert.Decision(d.Decision), Ground: d.Ground}, given, list, now); err != nil {
				t.Fatalf("item %d: %v", n, err)
			}
			given = append(given, a)
			if it.Status == concert.ItemRejected {
				break
			}
		}
		if want := map[bool]concert.ItemStatus{true: concert.ItemRejected, false: concert.ItemApproved}[f == toReject]; it.Status != want || (it.Needed > 1) != s.double(n) {
			t.Fatalf("item %d is %s after %d of %d approvals, planned is %s", n, it.Status, it.Given, it.Needed, want)
		}
		if !f.referred() {
			continue
		}
		it.Status, it.Provider = concert.ItemReferred, "x"
		for _, code := range []string{s.interim(n), s.outcome(n).answer()} {
			if code == "" {
				continue
			}
			r := s.reply(n, code)
			if it, _, _, _, err = it.ItemAnswered(desk, concert.Referral{Provider: "x"}, concert.Answer{Code: concert.AnswerCode(r.Code), Countries: r.Countries, Forwarded: r.Forwarded, Note: r.Note, Others: r.Others, OthersAre: concert.OtherKind(r.OthersAre)}, now); err != nil {
				t.Fatalf("item %d: %v", n, err)
			}
		}
	}
}

func TestPlanOfTenTimesNovemberStaysSmall(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	w := newWorld(t, 260_000, 1)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 2<<20 {
		t.Errorf("the plan of 260,000 items takes %d bytes, wanted is less than 2 MB", grown)
	}
	runtime.KeepAlive(w)
}
