package concert

import (
	"slices"
)

// ThreatWhy is why a report goes to somebody.
type ThreatWhy string

// The reasons.
const (
	ThreatConcerned    ThreatWhy = "state_concerned" // Art. 14(5), first sentence
	ThreatContactPoint ThreatWhy = "contact_point"   // of the provider's state (Art. 12(2)), where no other can be told or reached
	ThreatCoordinators ThreatWhy = "coordinators"    // who stand where the article names Europol
	ThreatHanded       ThreatWhy = "passed"          // another authority passed it on
	ThreatUntaken      ThreatWhy = "untaken"         // nobody took it within the hour
)

// ThreatWhys lists them.
var ThreatWhys = []ThreatWhy{ThreatConcerned, ThreatContactPoint, ThreatCoordinators, ThreatHanded, ThreatUntaken}

// ThreatOffice is an authority as the routing sees it.
type ThreatOffice struct {
	Of     Authority
	Office OrderOffice
}

// rank is how well an authority fits for reports of a threat to life in its state: 0 for
// not at all. One that investigates or prosecutes, as its office or its kind says, is
// before one that only refers; fn is the function by which it is before all others.
func (o ThreatOffice) rank(fn Function) int {
	switch {
	case o.Office.Has(fn):
		return 5
	case o.Office.Has(FunctionIssue), o.Office.Has(FunctionScrutinise):
		return 4
	case o.Of.Kind == KindCompetent:
		return 3
	case o.Of.Kind == KindProsecutor:
		return 2
	case o.Of.Kind == KindReferralUnit:
		return 1
	}
	return 0
}

// ThreatOfficeOf is the authority of a state that fits best; of equals the one that was
// registered first. False where the state has none.
func ThreatOfficeOf(state string, fn Function, all []ThreatOffice) (ThreatOffice, bool) {
	var best ThreatOffice
	most := 0
	for _, o := range all {
		r := o.rank(fn)
		if o.Of.Country != state || state == "" || r == 0 {
			continue
		}
		if r > most || r == most && o.Of.ID < best.Of.ID {
			best, most = o, r
		}
	}
	return best, most > 0
}

// RouteThreat says whom a report goes to (Art. 14(5)): the authority of each state
// concerned, all at the same moment. Where no state can be told, or one that is concerned
// has none here, it goes to the contact point of the provider's state (seat) and to the
// coordinators. It always goes to somebody.
func RouteThreat(states []string, seat string, all []ThreatOffice) []ThreatGoes {
	var out []ThreatGoes
	add := func(g ThreatGoes) {
		if !slices.ContainsFunc(out, func(o ThreatGoes) bool { return o.Authority == g.Authority }) {
			out = append(out, g)
		}
	}
	lost := len(states) == 0
	for _, s := range states {
		if o, ok := ThreatOfficeOf(s, FunctionIssue, all); ok {
			add(ThreatGoes{Authority: o.Of.ID, State: s, Why: ThreatConcerned})
		} else {
			lost = true
		}
	}
	if lost {
		if o, ok := ThreatOfficeOf(seat, FunctionScrutinise, all); ok {
			add(ThreatGoes{Authority: o.Of.ID, State: seat, Why: ThreatContactPoint})
		}
		add(ThreatGoes{Why: ThreatCoordinators})
	}
	return out
}
