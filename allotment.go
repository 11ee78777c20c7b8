package concert

import (
	"slices"
	"strings"
	"time"
)

// AllotmentKind is what a coordinator proposes to do with a unit's pool.
type AllotmentKind string

// The kinds.
const (
	AllotReassign AllotmentKind = "reassign" // another unit takes on so many of the finds
	AllotHold     AllotmentKind = "hold"     // so many wait
	AllotSplit    AllotmentKind = "split"    // the pool is divided among so many officers of the unit
)

// AllotmentKinds lists them.
var AllotmentKinds = []AllotmentKind{AllotReassign, AllotHold, AllotSplit}

// AllotmentWord is the unit's answer.
type AllotmentWord string

// The answers.
const (
	AllotAccepted AllotmentWord = "accepted"
	AllotDeclined AllotmentWord = "declined"
)

// Allotment is a proposal to a unit about its unassigned pool. A coordinator
// sees numbers and not contents, and authorities are tenants: the unit answers,
// and its own people move their own items.
type Allotment struct {
	ID         AllotmentID
	Ref        string
	Action     ActionID
	Kind       AllotmentKind
	From       AuthorityID // whose pool
	To         AuthorityID // who takes on, for reassign
	Items      int         // how many; officers for split
	Reason     string      // sealed
	By         PersonID
	At         time.Time
	Answer     AllotmentWord // "" while it waits
	Ground     string        // sealed
	AnsweredBy PersonID
	AnsweredAt time.Time
	Version    int64
}

// AllotmentText is the sealed part of an allotment.
type AllotmentText struct {
	Reason string `json:"reason,omitempty"`
	Ground string `json:"ground,omitempty"`
}

// Allotted checks a proposal to a participant of the action.
func (a Action) Allotted(by Actor, l Allotment, takesPart []Participant, now time.Time) (Allotment, Event, error) {
	if err := a.running(by); err != nil {
		return l, Event{}, err
	}
	takes := func(id AuthorityID) bool {
		return slices.ContainsFunc(takesPart, func(p Participant) bool { return p.Authority == id })
	}
	switch {
	case !slices.Contains(AllotmentKinds, l.Kind):
		return l, Event{}, Refuse(Invalid, "allotment.kind", "kind", "%q is no proposal; the kinds are %v", l.Kind, AllotmentKinds)
	case !takes(l.From):
		return l, Event{}, Refuse(Invalid, "allotment.from", "from", "that authority takes no part in action %s: choose one that does", a.Ref)
	case l.Kind == AllotReassign && (!takes(l.To) || l.To == l.From):
		return l, Event{}, Refuse(Invalid, "allotment.to", "to", "name another participant of action %s who takes the items on", a.Ref)
	case l.Kind != AllotReassign && l.To != "":
		return l, Event{}, Refuse(Invalid, "allotment.to", "to", "only a reassignment names another unit")
	case l.Items < 1 || l.Items > 100_000:
		return l, Event{}, Refuse(Invalid, "allotment.items", "items", "say how many: 1 to 100,000")
	case len(strings.TrimSpace(l.Reason)) < actionReason:
		return l, Event{}, Refuse(Invalid, "allotment.reason", "reason", "a proposal needs a reason of at least ten characters: the unit reads it")
	}
	l.Action, l.By, l.At = a.ID, by.Person, now
	return l, NewEvent(EventAllotmentProposed, by, string(l.ID), now, l.body(a)).WithSealed(AllotmentText{Reason: l.Reason}), nil
}

func (l Allotment) body(a Action) ActionBody {
	return ActionBody{Action: a.ID, Ref: l.Ref, Kind: string(l.Kind), Authority: l.From, To: l.To, Items: l.Items, Answer: l.Answer}
}

// Answered is the unit's word, by one of its officers or reviewers.
func (l Allotment) Answered(by Actor, a Action, word AllotmentWord, ground string, now time.Time) (Allotment, Event, error) {
	if by.Authority == "" || by.Authority != l.From {
		return l, Event{}, ErrNotFound
	}
	if err := by.Need(RoleOfficer, RoleReviewer); err != nil {
		return l, Event{}, err
	}
	switch {
	case l.Answer != "":
		return l, Event{}, Refuse(Conflict, "allotment.answered", "", "proposal %s is %s already", l.Ref, l.Answer)
	case word != AllotAccepted && word != AllotDeclined:
		return l, Event{}, Refuse(Invalid, "allotment.answer", "answer", "a unit accepts or declines: choose one")
	case word == AllotDeclined && len(strings.TrimSpace(ground)) < actionReason:
		return l, Event{}, Refuse(Invalid, "allotment.ground", "ground", "declining needs a reason of at least ten characters: the coordinator reads it")
	}
	l.Answer, l.Ground, l.AnsweredBy, l.AnsweredAt = word, ground, by.Person, now
	return l, NewEvent(EventAllotmentAnswered, by, string(l.ID), now, l.body(a)).WithSealed(AllotmentText{Ground: ground}), nil
}
