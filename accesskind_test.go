package concert_test

import (
	"encoding/json"
	"slices"
	"testing"

	"concert"
)

// Every kind of event is one or more of the six kinds of Art. 25, or none with its reason: a new kind that nobody placed fails here.
func TestG19EveryEventKindIsAKindOfAccessOrSaysWhyNot(t *testing.T) {
	t.Parallel()
	seen := map[concert.AccessKind]int{}
	for _, k := range concert.EventKinds() {
		rule, ok := concert.AccessOf(k)
		switch {
		case !ok:
			t.Errorf("%s has no place among the six kinds of access, nor a reason (accesskind.go)", k)
		case (len(rule.Kinds) == 0) == (rule.None == ""):
			t.Errorf("%s is %v, and none because %q", k, rule.Kinds, rule.None)
		}
		for _, a := range rule.Kinds {
			if !slices.Contains(concert.AccessKinds, a) {
				t.Errorf("%s is %q, which is none of the six", k, a)
			}
			seen[a]++
		}
		groups := 0
		for _, a := range concert.AccessKinds {
			if slices.Contains(concert.AccessEvents(a), k) {
				groups++
			}
		}
		if groups != len(rule.Kinds) {
			t.Errorf("%s stands in %d lists, its rule has %d kinds", k, groups, len(rule.Kinds))
		}
	}
	for _, a := range concert.AccessKinds {
		if seen[a] == 0 {
			t.Errorf("no event is %s", a)
		}
	}
	if _, ok := concert.AccessOf("nothing.happened"); ok {
		t.Error("a kind that there is not has a place")
	}
}

// Each event that is a disclosure belongs to a way that says its legal ground.
func TestG19EveryDisclosureHasALegalGround(t *testing.T) {
	t.Parallel()
	var covered []concert.EventKind
	names := map[string]bool{}
	for _, w := range concert.DisclosureWays() {
		if w.Ground == "" || w.Note == "" || names[w.Name] {
			t.Errorf("the way %q: %+v", w.Name, w)
		}
		if w.Asked && len(w.Events) == 0 {
			t.Errorf("the way %q asks why and records nothing", w.Name)
		}
		names[w.Name] = true
		covered = append(covered, w.Events...)
	}
	for _, k := range concert.AccessEvents(concert.AccessDisclosure) {
		if !slices.Contains(covered, k) {
			t.Errorf("%s discloses, and no way of disclosure names its ground (accesskind.go)", k)
		}
	}
	for _, k := range covered {
		if rule, _ := concert.AccessOf(k); !slices.Contains(rule.Kinds, concert.AccessDisclosure) && k != concert.EventConsulted {
			t.Errorf("%s stands among the ways of disclosure and is %v", k, rule.Kinds)
		}
	}
}

// A provider's report of a threat to life goes to authorities, not back to the provider; passed on to another state's it is a transfer.
func TestG19ThreatsGoToWhomTheyGo(t *testing.T) {
	t.Parallel()
	states := map[concert.AuthorityID]string{"spain": "ES", "madrid": "ES", "ireland": "IE"}
	event := func(kind concert.EventKind, b concert.ThreatBody) concert.RecordedEvent {
		raw, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		return concert.RecordedEvent{Kind: kind, Body: raw}
	}
	for _, c := range []struct {
		kind concert.EventKind
		body concert.ThreatBody
		want []concert.Recipient
	}{
		{concert.EventThreatReceived, concert.ThreatBody{Provider: "host", To: []concert.ThreatGoes{{Authority: "spain", State: "ES"}, {Why: concert.ThreatCoordinators}}}, []concert.Recipient{{Kind: concert.ToAnAuthority, ID: "spain"}, {Kind: concert.ToTheCoordinators}}},
		{concert.EventThreatPassed, concert.ThreatBody{Provider: "host", Authority: "spain", To: []concert.ThreatGoes{{Authority: "ireland", State: "IE"}}}, []concert.Recipient{{Kind: concert.ToATransfer, ID: "ireland"}}},
		{concert.EventThreatPassed, concert.ThreatBody{Provider: "host", Authority: "spain", To: []concert.ThreatGoes{{Authority: "madrid", State: "ES"}}}, []concert.Recipient{{Kind: concert.ToAnAuthority, ID: "madrid"}}},
		{concert.EventThreatClosed, concert.ThreatBody{Provider: "host", Authority: "spain"}, []concert.Recipient{{Kind: concert.ToAProvider, ID: "host"}}},
	} {
		got := concert.RecipientsOf(event(c.kind, c.body), func(a concert.AuthorityID) string { return states[a] })
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.kind, got, c.want)
		}
	}
}
