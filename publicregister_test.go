package concert_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"concert"

	"github.com/google/go-cmp/cmp"
)

// publicLog writes a log by hand: events as the house records them, with hostile text in every field that is none of ours.
type publicLog struct {
	t      testing.TB
	events []concert.RecordedEvent
}

const canary = "EXERCISE-CANARY-7f3a"

func (l *publicLog) add(kind concert.EventKind, subject string, at time.Time, body any) {
	l.t.Helper()
	raw, err := concert.CanonicalJSON(body)
	if err != nil {
		l.t.Fatal(err)
	}
	l.events = append(l.events, concert.RecordedEvent{ID: concert.EventID(canary), Index: int64(len(l.events)), Kind: kind, Version: 1, Subject: subject, Actor: concert.PersonID(canary), At: concert.Micros(at), Body: raw, Sealed: []byte(canary), Salt: []byte(canary)})
}

var publicStart = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

func publicRules() concert.PublicRules {
	return concert.PublicRules{Delay: 24 * time.Hour, Silence: 43 * 24 * time.Hour, Hour: time.Hour}
}

func (l *publicLog) parties() {
	for i := range 3 {
		l.add("authority.added", canary, publicStart, concert.RegisterBody{Ref: fmt.Sprintf("AU-%d", i), Authority: concert.AuthorityID(fmt.Sprint("a", i)), Country: []string{"ES", "IE", "ES"}[i]})
	}
	for i := range 3 {
		l.add("provider.added", canary, publicStart, concert.RegisterBody{Ref: fmt.Sprintf("PR-%d", i), Provider: concert.ProviderID(fmt.Sprint("p", i)), Kind: canary})
	}
	l.add("provider.seated", canary, publicStart, concert.RegisterBody{Ref: "PR-0", Provider: "p0", Kind: "IE"})
}

func (l *publicLog) order(kind concert.EventKind, ref string, at time.Time, change func(*concert.OrderBody)) {
	b := concert.OrderBody{Ref: ref, Authority: "a0", Provider: "p0", Items: 6, To: concert.OrderIssued, Reasons: []concert.ContentType{concert.Incites, canary}, State: "IE", Digest: canary, Evidence: canary, URLs: 4, Accounts: 2}
	if change != nil {
		change(&b)
	}
	l.add(kind, "order "+ref, at, b)
}

func (l *publicLog) edition(cutoff time.Time) concert.PublicEdition {
	l.t.Helper()
	f := concert.NewPublicFold()
	for _, e := range l.events {
		if e.At >= concert.Micros(cutoff) {
			break
		}
		if err := f.Add(e); err != nil {
			l.t.Fatal(err)
		}
	}
	return f.Edition(publicRules(), cutoff)
}

func all(e concert.PublicEdition) concert.Counts {
	r, _ := e.Row(concert.PublicScope{Kind: concert.ScopeAll}, 0)
	return r.Counts
}

// TestAnOrderIsPublicOnceItsHourAndItsSilenceAreOver: inside its hour, and while a non-disclosure stands, an order is a number and nothing else.
func TestAnOrderIsPublicOnceItsHourAndItsSilenceAreOver(t *testing.T) {
	t.Parallel()
	l := &publicLog{t: t}
	l.parties()
	l.order("order.issued", "OR-1", publicStart, nil)
	l.order("order.received", "OR-1", publicStart.Add(time.Minute), func(b *concert.OrderBody) { b.To = concert.OrderReceived })
	l.order("order.issued", "OR-2", publicStart, func(b *concert.OrderBody) { b.Silent = true })
	l.order("order.issued", "OR-3", publicStart, func(b *concert.OrderBody) {
		b.Silent, b.Term, b.DueAt = true, concert.TermSilence, concert.Micros(publicStart.AddDate(0, 0, 7))
	})
	l.order("order.withdrawn", "OR-2", publicStart.Add(2*time.Minute), func(b *concert.OrderBody) { b.To = concert.OrderWithdrawn })
	l.add("error.recorded", "order OR-2", publicStart.Add(2*time.Minute), concert.ErrorBody{Ref: "OR-2", Kind: concert.AboutOrder, Cause: concert.ErrorWithdrawal, Category: concert.RemedyOther})
	for i := range 4 {
		l.order("order.issued", fmt.Sprintf("OR-9%d", i), publicStart.Add(3*time.Minute), func(b *concert.OrderBody) { b.Silent = true })
	}
	l.order("order.drafted", "OR-never", publicStart.Add(4*time.Minute), func(b *concert.OrderBody) { b.To = concert.OrderDrafted })
	refs := func(e concert.PublicEdition) []string {
		out := []string{}
		for _, r := range e.Records {
			out = append(out, r.Ref)
		}
		slices.Sort(out)
		return out
	}
	for _, c := range []struct {
		at       time.Time
		want     []string
		withheld int64
		mistakes int
	}{
		{publicStart.Add(30 * time.Minute), []string{}, 7, 0},
		{publicStart.Add(2 * time.Hour), []string{"OR-1"}, 6, 0},
		{publicStart.AddDate(0, 0, 7), []string{"OR-1", "OR-3"}, 5, 0},
		{publicStart.AddDate(0, 0, 43), []string{"OR-1", "OR-2", "OR-3"}, concert.Few, 1},
		{publicStart.AddDate(0, 0, 44), []string{"OR-1", "OR-2", "OR-3", "OR-90", "OR-91", "OR-92", "OR-93"}, 0, 1},
	} {
		e := l.edition(c.at)
		if diff := cmp.Diff(c.want, refs(e)); diff != "" {
			t.Errorf("at %s (-want +got):\n%s", c.at, diff)
		}
		if got := all(e)[concert.OrdersWithheld]; got != c.withheld {
			t.Errorf("at %s: %d withheld, want %d", c.at, got, c.withheld)
		}
		want := int64(7)
		if c.withheld == concert.Few {
			want = concert.Few
		}
		if got := all(e)[concert.PublicOrders]; got != want {
			t.Errorf("at %s: %d orders in all, want %d", c.at, got, want)
		}
		if len(e.Mistakes) != c.mistakes {
			t.Errorf("at %s: %d mistakes, want %d", c.at, len(e.Mistakes), c.mistakes)
		}
	}
}

// TestTheCutoffIsTheSameAllDay: the delay is kept, and every node speaks as of the same moment.
func TestTheCutoffIsTheSameAllDay(t *testing.T) {
	t.Parallel()
	r := publicRules()
	for h := range 24 {
		now := time.Date(2026, 3, 5, h, 59, 59, 0, time.UTC)
		if got := r.Cutoff(now); !got.Equal(time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("at %s the register speaks as of %s", now, got)
		}
	}
}

// seededLog is a log of many orders and referrals.
func seededLog(t testing.TB, seed uint64, requests int) *publicLog {
	l := &publicLog{t: t}
	l.parties()
	r := rand.New(rand.NewPCG(seed, 28))
	pick := func(n int) int { return r.IntN(n) }
	item := 0
	for i := range requests {
		at := publicStart.Add(time.Duration(i) * 31 * time.Hour)
		author, provider := concert.AuthorityID(fmt.Sprint("a", pick(3))), concert.ProviderID(fmt.Sprint("p", pick(3)))
		if pick(2) == 0 {
			ref := fmt.Sprint("OR-", i)
			to := func(s concert.OrderStatus) func(*concert.OrderBody) {
				return func(b *concert.OrderBody) { b.Authority, b.Provider, b.To = author, provider, s }
			}
			n := 1 + pick(9)
			l.order("order.issued", ref, at, func(b *concert.OrderBody) {
				to(concert.OrderIssued)(b)
				b.Items, b.URLs, b.Accounts, b.Silent = n, n/2, n-n/2, pick(8) == 0
			})
			l.order("order.received", ref, at.Add(time.Minute), to(concert.OrderReceived))
			if done := pick(n + 1); done > 0 {
				l.order("order.executed", ref, at.Add(30*time.Minute), func(b *concert.OrderBody) {
					to(concert.OrderReceived)(b)
					b.Items, b.Measure = done, concert.OrderMeasures[pick(2)]
					if done == n {
						b.To = concert.OrderExecuted
					}
				})
			}
			if pick(9) == 0 {
				l.order(concert.EventOrderVoided, ref, at.Add(time.Hour), to(concert.OrderVoid))
				l.add(concert.EventErrorRecorded, "order "+ref, at.Add(time.Hour), concert.ErrorBody{Ref: ref, Kind: concert.AboutOrder, Cause: concert.ErrorVoid, Category: concert.RemedyCategories[pick(8)], Authority: author, Provider: provider})
			}
			continue
		}
		ref := fmt.Sprint("RF-", i)
		body := concert.ReferralBody{Ref: ref, Authority: author, Provider: provider, Items: 1 + pick(7), Digest: canary}
		var subjects []string
		for range body.Items {
			item++
			s := fmt.Sprint("item ", item)
			subjects = append(subjects, s)
			l.add("item.submitted", s, at, concert.ItemBody{Ref: canary, Authority: author, Type: concert.ItemTypes[pick(12)], Kind: canary, Language: canary})
			l.add("item.assessed", s, at, concert.ItemBody{Ref: canary, ContentType: concert.ContentTypes[pick(5)], Outlet: canary})
		}
		l.add("referral.sent", canary, at, body)
		facets := map[string]concert.Facet{}
		move := func(kind concert.EventKind, s string, b concert.ItemBody, change func(*concert.Facet)) {
			f := facets[s]
			change(&f)
			facets[s], b.To, b.Ref = f, &f, canary
			l.add(kind, s, at.Add(time.Hour), b)
		}
		for _, s := range subjects {
			move("item.referred", s, concert.ItemBody{Referral: ref, Kind: []string{"web", "account", "app"}[pick(3)]}, func(f *concert.Facet) { f.Status, f.Sent = concert.ItemReferred, true })
			if pick(3) > 0 {
				code := concert.AnswerCodes[pick(len(concert.AnswerCodes))]
				move("item.answered", s, concert.ItemBody{Referral: ref, Code: code, Reason: canary}, func(f *concert.Facet) { f.Claim = code })
			}
			if pick(3) > 0 {
				seen := concert.ObservedStates[pick(4)]
				move("item.rechecked", s, concert.ItemBody{Vantage: canary}, func(f *concert.Facet) { f.Seen, f.Down = seen, f.Down || seen == concert.ObservedDown })
			}
			if pick(9) == 0 {
				move("item.withdrawn", s, concert.ItemBody{Remedy: canary, Category: concert.RemedyCategories[pick(8)]}, func(f *concert.Facet) { f.Status = concert.ItemWithdrawn })
			}
		}
		if pick(4) == 0 {
			l.add(concert.EventComplaintFiled, canary, at.Add(2*time.Hour), map[string]string{"ref": canary, "for": ref, "text": canary})
			l.add(concert.EventComplaintDecided, canary, at.Add(3*time.Hour), map[string]string{"ref": canary, "for": ref, "outcome": string(concert.ComplaintOutcomes[pick(3)]), "text": canary})
		}
	}
	return l
}

var publicEnd = time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC)

// TestG28PublicNumbersAddUpAndHideWhatIsSmall: no cell from 1 to 4 of items is shown, every sum of shown numbers holds, and nobody can
// work a hidden number out of those that are shown: there is another set of numbers, as whole and as positive, that fits as well.
func TestG28PublicNumbersAddUpAndHideWhatIsSmall(t *testing.T) {
	t.Parallel()
	for seed := range uint64(12) {
		e := seededLog(t, seed, 60).edition(publicEnd)
		hidden := 0
		for _, r := range e.Rows {
			for _, f := range concert.PublicFigures() {
				n := r.Counts[f.Metric]
				if n == concert.Few {
					hidden++
				}
				if n > 0 && n < concert.FewLeast && f.Unit != concert.UnitRequest && f.Unit != concert.UnitSecond {
					t.Errorf("seed %d: %s %s %d %s is %d", seed, r.Scope.Kind, r.Scope.Ref, r.Year, f.Metric, n)
				}
			}
			for _, s := range concert.PublicSums() {
				sum, shown := int64(0), r.Counts[s.Whole] != concert.Few
				for _, p := range s.Parts {
					sum += r.Counts[p]
					shown = shown && r.Counts[p] != concert.Few
				}
				if shown && sum != r.Counts[s.Whole] {
					t.Errorf("seed %d: %v %d: %s is %d, its parts %d", seed, r.Scope, r.Year, s.Whole, r.Counts[s.Whole], sum)
				}
			}
		}
		if hidden == 0 {
			t.Fatalf("seed %d hides nothing: the test shows nothing", seed)
		}
		for _, name := range determined(e) {
			t.Errorf("seed %d: %s is hidden and follows from what is shown", seed, name)
		}
	}
}

// determined are hidden cells whose value the shown ones fix: by the sums within rows, over years and over parties, as linear
// equations over the hidden cells (Gauss, in arithmetic modulo a prime, where coefficients are 1 and -1).
func determined(e concert.PublicEdition) []string {
	const prime = 1_000_003
	index, names := map[string]int{}, []string{}
	at := func(r concert.PublicRow, m concert.Metric) (int, bool) {
		if r.Counts[m] != concert.Few {
			return 0, false
		}
		name := fmt.Sprint(r.Scope, r.Year, m)
		i, ok := index[name]
		if !ok {
			i = len(names)
			index[name], names = i, append(names, name)
		}
		return i, true
	}
	var equations []map[int]int64
	add := func(whole concert.PublicRow, wm concert.Metric, parts []concert.PublicRow, ms []concert.Metric) {
		eq := map[int]int64{}
		if i, ok := at(whole, wm); ok {
			eq[i] = prime - 1
		}
		for j := range parts {
			if i, ok := at(parts[j], ms[j]); ok {
				eq[i] = (eq[i] + 1) % prime
			}
		}
		if len(eq) > 0 {
			equations = append(equations, eq)
		}
	}
	repeat := func(m concert.Metric, n int) []concert.Metric { return slices.Repeat([]concert.Metric{m}, n) }
	for _, r := range e.Rows {
		for _, s := range concert.PublicSums() {
			if s.Whole != concert.PublicOrders {
				add(r, s.Whole, slices.Repeat([]concert.PublicRow{r}, len(s.Parts)), s.Parts)
			}
		}
	}
	state := map[string]string{"AU-0": "ES", "AU-1": "IE", "AU-2": "ES"}
	for _, f := range concert.PublicFigures() {
		if f.Unit == concert.UnitSecond || f.Metric == concert.PublicOrders {
			continue
		}
		for _, r := range e.Rows {
			var years, authorities, providers, states, own []concert.PublicRow
			for _, o := range e.Rows {
				if o.Scope == r.Scope && o.Year != 0 {
					years = append(years, o)
				}
				if o.Year != r.Year {
					continue
				}
				switch o.Scope.Kind {
				case concert.ScopeAuthority:
					authorities = append(authorities, o)
					if state[o.Scope.Ref] == r.Scope.Ref {
						own = append(own, o)
					}
				case concert.ScopeProvider:
					providers = append(providers, o)
				case concert.ScopeState:
					states = append(states, o)
				}
			}
			if r.Year == 0 {
				add(r, f.Metric, years, repeat(f.Metric, len(years)))
			}
			if r.Scope.Kind == concert.ScopeAll {
				for _, parts := range [][]concert.PublicRow{authorities, providers, states} {
					add(r, f.Metric, parts, repeat(f.Metric, len(parts)))
				}
			}
			if r.Scope.Kind == concert.ScopeState {
				add(r, f.Metric, own, repeat(f.Metric, len(own)))
			}
		}
	}
	return solved(equations, names, prime)
}

// solved brings the equations into reduced form; a row with one cell left fixes it.
func solved(equations []map[int]int64, names []string, prime int64) (out []string) {
	inverse := func(a int64) int64 {
		result, power, base := int64(1), prime-2, a
		for ; power > 0; power >>= 1 {
			if power&1 == 1 {
				result = result * base % prime
			}
			base = base * base % prime
		}
		return result
	}
	pivots := map[int]map[int]int64{}
	reduce := func(eq map[int]int64) {
		for again := true; again; {
			again = false
			for i, c := range eq {
				p, ok := pivots[i]
				if !ok || c == 0 {
					continue
				}
				for j, d := range p {
					if v := ((eq[j]-c*d)%prime + prime) % prime; v == 0 {
						delete(eq, j)
					} else {
						eq[j] = v
					}
				}
				again = true
				break
			}
		}
	}
	for _, eq := range equations {
		reduce(eq)
		for i, c := range eq {
			v := inverse(c)
			for j := range eq {
				eq[j] = eq[j] * v % prime
			}
			for k, p := range pivots {
				d := p[i]
				if d == 0 {
					continue
				}
				for j, x := range eq {
					if y := ((p[j]-d*x)%prime + prime) % prime; y == 0 {
						delete(pivots[k], j)
					} else {
						pivots[k][j] = y
					}
				}
			}
			pivots[i] = eq
			break
		}
	}
	for i, eq := range pivots {
		if len(eq) == 1 {
			out = append(out, names[i])
		}
	}
	return out
}

// TestNothingButCodesLeavesTheFold: no text, person, place, item or digest of the log stands in an edition.
func TestNothingButCodesLeavesTheFold(t *testing.T) {
	t.Parallel()
	e := seededLog(t, 1, 60).edition(publicEnd)
	for _, p := range e.Providers {
		if p.Kind == canary {
			e.Providers = nil // a provider's kind is never published: only its reference is
			break
		}
	}
	raw, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	if i := strings.Index(string(raw), canary); i >= 0 {
		t.Errorf("what nobody may read is in the edition: …%s", raw[max(0, i-200):i+40])
	}
	if strings.Contains(string(raw), "item 1") {
		t.Error("an item's id is in the edition")
	}
	if len(e.Records) < 40 || len(e.Mistakes) == 0 {
		t.Errorf("%d records and %d mistakes: the test shows nothing", len(e.Records), len(e.Mistakes))
	}
}

// TestG17PublicErrorsAreAppendOnly: every entry of one day's error register stands, word for word, in every later day's.
func TestG17PublicErrorsAreAppendOnly(t *testing.T) {
	t.Parallel()
	l := seededLog(t, 3, 60)
	var before []concert.PublicMistake
	for at := publicStart.Truncate(24 * time.Hour); at.Before(publicEnd); at = at.AddDate(0, 0, 3) {
		e := l.edition(at)
		for _, m := range before {
			if !slices.Contains(e.Mistakes, m) {
				t.Fatalf("as of %s, entry %d is gone or changed: %+v", at, m.Index, m)
			}
		}
		before = e.Mistakes
	}
	if len(before) < 5 {
		t.Fatalf("%d entries: the test shows nothing", len(before))
	}
}

// TestAPublicFoldGoesOnWhereItStopped: an edition of a fold that goes on day by day is that of one over the whole log.
func TestAPublicFoldGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	l := seededLog(t, 5, 40)
	f := concert.NewPublicFold()
	i := 0
	for at := publicStart; at.Before(publicEnd); at = at.AddDate(0, 0, 17) {
		for ; i < len(l.events) && l.events[i].At < concert.Micros(at); i++ {
			if err := f.Add(l.events[i]); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(l.edition(at), f.Edition(publicRules(), at)); diff != "" {
			t.Fatalf("as of %s (-whole +day by day):\n%s", at, diff)
		}
	}
}

// TestReportsAnswerEveryPointOfTheirArticle: what the log does not know is said, not counted as nothing.
func TestReportsAnswerEveryPointOfTheirArticle(t *testing.T) {
	t.Parallel()
	e := seededLog(t, 1, 60).edition(publicEnd)
	for article, subject := range map[int]string{7: "PR-0", 8: "AU-1", 21: "ES"} {
		r, err := e.Report(article, subject, 2026)
		if err != nil {
			t.Fatal(err)
		}
		missing := 0
		for _, l := range r.Lines {
			if l.Metric == "" {
				missing++
			}
		}
		if missing == 0 || len(r.Lines) < 30 || r.Running {
			t.Errorf("Art. %d: %d lines, %d not recorded, running %v", article, len(r.Lines), missing, r.Running)
		}
		for _, bad := range []string{"", "AU-9", "XX", canary} {
			if _, err := e.Report(article, bad, 2026); err == nil {
				t.Errorf("Art. %d of %q is reported", article, bad)
			}
		}
	}
	if _, err := e.Report(9, "AU-1", 2026); err == nil {
		t.Error("a report under Article 9")
	}
	if _, err := e.Report(8, "AU-1", 2031); err == nil {
		t.Error("a report of a year to come")
	}
}
