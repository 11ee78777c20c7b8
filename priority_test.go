package concert_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"concert"
)

func TestAPriorityIsTheHighestOfItsReasons(t *testing.T) {
	t.Parallel()
	serious, threat := concert.SeveritySerious, concert.SeverityThreat
	for name, c := range map[string]struct {
		facts concert.PriorityFacts
		want  int
		first string
	}{
		"nothing":              {concert.PriorityFacts{Finders: 1, Severity: []concert.Severity{concert.SeverityRoutine}}, 0, ""},
		"urgency":              {concert.PriorityFacts{Urgency: 3, Finders: 2}, 3, concert.ReasonUrgency},
		"two found it":         {concert.PriorityFacts{Finders: 2}, 2, concert.ReasonFinders},
		"forty found it":       {concert.PriorityFacts{Finders: 40}, 4, concert.ReasonFinders},
		"serious":              {concert.PriorityFacts{Urgency: 5, Severity: []concert.Severity{serious}}, 5, concert.ReasonSerious},
		"once serious":         {concert.PriorityFacts{Severity: []concert.Severity{serious, concert.SeverityRoutine}}, 5, concert.ReasonSerious},
		"escalated":            {concert.PriorityFacts{Escalated: true, Severity: []concert.Severity{serious}}, 8, concert.ReasonEscalated},
		"an incident":          {concert.PriorityFacts{Incident: 7}, 7, concert.ReasonIncident},
		"an incident of twice": {concert.PriorityFacts{Incident: 9}, 8, concert.ReasonIncident},
		"a threat to life":     {concert.PriorityFacts{Severity: []concert.Severity{threat}, Escalated: true, Incident: 8, Finders: 9}, 9, concert.ReasonThreat},
	} {
		got := c.facts.Reasons()
		if c.facts.Priority() != c.want || len(got) == 0 && c.first != "" || len(got) > 0 && got[0].Code != c.first {
			t.Errorf("%s: %d, %+v", name, c.facts.Priority(), got)
		}
	}
	for _, code := range []string{concert.ReasonUrgency, concert.ReasonSerious, concert.ReasonThreat, concert.ReasonIncident, concert.ReasonFinders, concert.ReasonEscalated, concert.ReasonAge} {
		if concert.ReasonTexts[code] == "" {
			t.Errorf("reason %q has no words", code)
		}
	}
}

// In whichever order things become known, the priority that is kept is the one that is explained; only a threat to life, or who handed it in as one, makes it 9.
func TestTheOrderOfReasonsChangesNoPriority(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		parts := []concert.PriorityFacts{
			{Urgency: rapid.IntRange(0, 8).Draw(t, "urgency")},
			{Finders: rapid.IntRange(1, 30).Draw(t, "finders")},
			{Incident: rapid.IntRange(0, 12).Draw(t, "incident")},
			{Escalated: rapid.Bool().Draw(t, "escalated")},
			{Severity: rapid.SliceOfN(rapid.SampledFrom([]concert.Severity{concert.SeverityRoutine, concert.SeveritySerious}), 0, 3).Draw(t, "severity")},
		}
		all := concert.PriorityFacts{Urgency: parts[0].Urgency, Finders: parts[1].Finders, Incident: parts[2].Incident, Escalated: parts[3].Escalated, Severity: parts[4].Severity}
		it := concert.Item{}
		for _, p := range rapid.Permutation(parts).Draw(t, "order") {
			it = it.Raised(p)
		}
		if it.Priority != all.Priority() || it.Priority > 8 {
			t.Fatalf("raised step by step %d, together %d", it.Priority, all.Priority())
		}
		if !slices.IsSortedFunc(all.Reasons(), func(a, b concert.PriorityReason) int { return b.Value - a.Value }) {
			t.Fatalf("the reason that decides is not first: %+v", all.Reasons())
		}
	})
}

func TestOldItemsExplainThePriorityTheyHave(t *testing.T) {
	t.Parallel()
	it := openItem()
	it.Urgency, it.Priority, it.CreatedAt = -1, 6, noon.Add(-90*time.Minute)
	why := it.Why(concert.PriorityFacts{Finders: 1}, noon)
	if len(why) != 2 || why[0] != (concert.PriorityReason{Code: concert.ReasonUrgency, Value: 6}) || why[1] != (concert.PriorityReason{Code: concert.ReasonAge, Count: 90}) {
		t.Errorf("%+v", why)
	}
}
