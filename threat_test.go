package concert_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"concert"
)

// However the register looks and whichever states are named, a report goes to somebody, to nobody twice, to the authority of each state
// concerned that has one, and where one is missing to the coordinators.
func TestG32ThreatAlwaysGoesToSomebody(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		states := []string{"DE", "ES", "FR", "IE", "PL"}
		kinds := []concert.AuthorityKind{concert.KindReferralUnit, concert.KindCompetent, concert.KindProsecutor, concert.KindCourt, concert.KindCoordinator}
		var all []concert.ThreatOffice
		for i := range rapid.IntRange(0, 8).Draw(t, "authorities") {
			o := concert.ThreatOffice{Of: concert.Authority{ID: concert.AuthorityID(fmt.Sprint("au", i)), Country: rapid.SampledFrom(states).Draw(t, "country"), Kind: rapid.SampledFrom(kinds).Draw(t, "kind")}}
			if rapid.Bool().Draw(t, "office") {
				o.Office.Functions = []concert.Function{rapid.SampledFrom(concert.Functions).Draw(t, "function")}
			}
			all = append(all, o)
		}
		concerned := rapid.SliceOfNDistinct(rapid.SampledFrom(states), 0, 4, rapid.ID).Draw(t, "concerned")
		seat := rapid.SampledFrom(append(states, "")).Draw(t, "seat")
		to := concert.RouteThreat(concerned, seat, all)
		if len(to) == 0 {
			t.Fatal("it goes to nobody")
		}
		seen := map[concert.AuthorityID]bool{}
		coordinators := false
		for _, g := range to {
			if seen[g.Authority] {
				t.Errorf("%s gets it twice", g.Authority)
			}
			seen[g.Authority] = true
			coordinators = coordinators || g.Authority == ""
		}
		missing := len(concerned) == 0
		for _, s := range concerned {
			has := slices.ContainsFunc(all, func(o concert.ThreatOffice) bool {
				return o.Of.Country == s && (o.Office.Has(concert.FunctionIssue) || o.Office.Has(concert.FunctionScrutinise) || o.Of.Kind == concert.KindCompetent || o.Of.Kind == concert.KindProsecutor || o.Of.Kind == concert.KindReferralUnit)
			})
			got := slices.ContainsFunc(all, func(o concert.ThreatOffice) bool { return o.Of.Country == s && seen[o.Of.ID] })
			if has != got {
				t.Errorf("%s has an authority: %v, and it got the report: %v", s, has, got)
			}
			missing = missing || !has
		}
		if coordinators != missing {
			t.Errorf("the coordinators have it: %v, a state cannot be told or reached: %v", coordinators, missing)
		}
	})
}

// One that issues orders, or prosecutes, is before one that only refers.
func TestThreatGoesToWhoInvestigates(t *testing.T) {
	t.Parallel()
	refers := concert.ThreatOffice{Of: concert.Authority{ID: "a-refers", Country: "DE", Kind: concert.KindReferralUnit}}
	prosecutes := concert.ThreatOffice{Of: concert.Authority{ID: "b-prosecutes", Country: "DE", Kind: concert.KindProsecutor}}
	issues := concert.ThreatOffice{Of: concert.Authority{ID: "c-issues", Country: "DE", Kind: concert.KindReferralUnit}, Office: concert.OrderOffice{Functions: []concert.Function{concert.FunctionIssue}}}
	scrutinises := concert.ThreatOffice{Of: concert.Authority{ID: "d-scrutinises", Country: "DE", Kind: concert.KindCompetent}, Office: concert.OrderOffice{Functions: []concert.Function{concert.FunctionScrutinise}}}
	for _, x := range []struct {
		all  []concert.ThreatOffice
		fn   concert.Function
		want concert.AuthorityID
	}{
		{[]concert.ThreatOffice{refers, prosecutes}, concert.FunctionIssue, "b-prosecutes"},
		{[]concert.ThreatOffice{refers, prosecutes, scrutinises, issues}, concert.FunctionIssue, "c-issues"},
		{[]concert.ThreatOffice{refers, prosecutes, scrutinises, issues}, concert.FunctionScrutinise, "d-scrutinises"},
		{[]concert.ThreatOffice{refers}, concert.FunctionIssue, "a-refers"},
	} {
		if got, _ := concert.ThreatOfficeOf("DE", x.fn, x.all); got.Of.ID != x.want {
			t.Errorf("of %d: %s, want %s", len(x.all), got.Of.ID, x.want)
		}
	}
}

// The alarms of the rule are those of the law's data: after a quarter of an hour, and at the end.
func TestThreatAlarmsAreDueAgain(t *testing.T) {
	t.Parallel()
	c := concert.ThreatCopy{Status: concert.ThreatReceived, ReceivedAt: noon, DueAt: noon.Add(time.Hour)}
	th := concert.LifeThreat{ID: "t", Ref: "TH-1"}
	for i, after := range []time.Duration{15 * time.Minute, time.Hour} {
		if at := c.NextLook(); !at.Equal(noon.Add(after)) {
			t.Fatalf("alarm %d is due after %s", i+1, at.Sub(noon))
		}
		next, events := c.Alarmed(th, noon.Add(after-time.Microsecond))
		if len(events) > 0 || next != c {
			t.Errorf("it alarms before %s", after)
		}
		next, events = c.Alarmed(th, noon.Add(after))
		if len(events) != 1 || events[0].Body.(concert.ThreatBody).Waited != int(after/time.Minute) {
			t.Errorf("after %s: %+v", after, events)
		}
		c = next
	}
	if !c.NextLook().IsZero() || !c.Missed() {
		t.Error("it goes on after the hour")
	}
	c.Status, c.Warned = concert.ThreatTaken, 0
	if !c.NextLook().IsZero() {
		t.Error("what somebody has in hand alarms")
	}
}

// drawThreats draws where a report of a threat to life stands at one authority.
func drawThreats(b *bytes.Buffer) {
	b.WriteString("```\n\n## Reports of a threat to life\n\nAt one authority: each that it goes to has a copy of its own ([threats.md](threats.md)). Nothing is closed that nobody took.\n\n|  |")
	for _, m := range concert.ThreatMoves {
		fmt.Fprintf(b, " %s |", m)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(concert.ThreatMoves)) + "\n")
	for _, s := range concert.ThreatStatuses {
		fmt.Fprintf(b, "| **%s** |", s)
		for _, m := range concert.ThreatMoves {
			next, err := s.After(m)
			if err != nil {
				next = ""
			}
			fmt.Fprintf(b, " %s |", next)
		}
		b.WriteString("\n")
	}
	b.WriteString("\n```mermaid\nstateDiagram-v2\n    [*] --> received: report\n")
	for _, s := range concert.ThreatStatuses {
		for _, m := range concert.ThreatMoves {
			if next, err := s.After(m); err == nil {
				fmt.Fprintf(b, "    %s --> %s: %s\n", s, next, m)
			}
		}
	}
}
