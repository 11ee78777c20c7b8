package concert

import (
	"cmp"
	"slices"
	"time"
)

// What each reason makes of an item's priority. The highest of an item's reasons
// is its priority: a sum would be one more number to explain. Only a threat
// to life is 9, which other rules rest on (it does not wait for a provider's
// hours).
const (
	PriorityThreat    = 9
	PriorityEscalated = 8
	PrioritySerious   = 5
	priorityFoundMost = 4
)

// PriorityFacts are what an item's priority follows from.
type PriorityFacts struct {
	Urgency   int        // as it was handed in, 0 to 9: by its finder, or by the list or provider that it came from
	Severity  []Severity // of every assessment of it
	Incident  int        // what its incident raises it to; 0 for none
	Finders   int        // authorities that found it
	Escalated bool       // to a lead, once
}

// PriorityReason is one reason for a priority.
type PriorityReason struct {
	Code  string
	Value int // the priority that it alone would give
	Count int // of authorities, for finders; of whole minutes, for age
}

// Codes of reasons.
const (
	ReasonUrgency   = "urgency"
	ReasonSerious   = "serious"
	ReasonThreat    = "threat_to_life"
	ReasonIncident  = "incident"
	ReasonFinders   = "finders"
	ReasonEscalated = "lead"
	ReasonAge       = "age"
)

// ReasonTexts say what each code means, in words of one line.
var ReasonTexts = map[string]string{
	ReasonUrgency:   "urgency given when it was handed in",
	ReasonSerious:   "assessed as serious",
	ReasonThreat:    "assessed as a threat to life",
	ReasonIncident:  "belongs to an incident",
	ReasonFinders:   "found by several authorities",
	ReasonEscalated: "put before a lead",
	ReasonAge:       "has waited since it was found: within one priority the oldest comes first",
}

// Reasons are the reasons that there are, the one that decides first.
func (f PriorityFacts) Reasons() []PriorityReason {
	var out []PriorityReason
	add := func(code string, value, count int) {
		if value > 0 {
			out = append(out, PriorityReason{Code: code, Value: min(value, PriorityThreat), Count: count})
		}
	}
	if slices.Contains(f.Severity, SeverityThreat) {
		add(ReasonThreat, PriorityThreat, 0)
	}
	if slices.Contains(f.Severity, SeveritySerious) {
		add(ReasonSerious, PrioritySerious, 0)
	}
	add(ReasonUrgency, f.Urgency, 0)
	if f.Escalated {
		add(ReasonEscalated, PriorityEscalated, 0)
	}
	add(ReasonIncident, min(f.Incident, PriorityThreat-1), 0)
	if f.Finders > 1 {
		add(ReasonFinders, min(f.Finders, priorityFoundMost), f.Finders)
	}
	slices.SortStableFunc(out, func(a, b PriorityReason) int { return cmp.Compare(b.Value, a.Value) })
	return out
}

// Priority is what the reasons give together: the highest.
func (f PriorityFacts) Priority() int {
	if rs := f.Reasons(); len(rs) > 0 {
		return rs[0].Value
	}
	return 0
}

// Raised is the item with the priority that these facts give it, where that is
// higher. Only the end of an incident lowers one (casework settles it).
func (it Item) Raised(f PriorityFacts) Item {
	it.Priority = max(it.Priority, f.Priority())
	return it
}

// Own is what of the facts stands on the item itself: its urgency as it was
// handed in, and that it was escalated. Stated is its urgency where that was not kept.
func (it Item) Own(f PriorityFacts, stated int) PriorityFacts {
	f.Urgency, f.Escalated = it.Urgency, it.Escalated
	if it.Urgency < 0 {
		f.Urgency = stated
	}
	return f
}

// Why says why the item has its priority, and how long it has waited. Facts
// besides the item's own are given. Items of before reasons were kept
// count as handed in with the priority they have.
func (it Item) Why(f PriorityFacts, now time.Time) []PriorityReason {
	return append(it.Own(f, it.Priority).Reasons(), PriorityReason{Code: ReasonAge, Count: int(max(0, now.Sub(it.CreatedAt)) / time.Minute)})
}
