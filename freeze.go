package concert

import (
	"strings"
	"time"
)

// Freeze stops the dispatch of one joint action: nothing of it is referred, not
// even what is urgent, while work inside goes on. Any coordinator freezes; two
// people end it. At most one stands for an action.
type Freeze struct {
	ID       FreezeID
	Action   ActionID
	Reason   string // sealed
	By       PersonID
	At       time.Time
	Grounds  string // sealed: why it may end
	ThawBy   PersonID
	ThawAt   time.Time // its end was asked for; zero while nobody has
	ThawedBy PersonID
	ThawedAt time.Time // zero while it stands
	Version  int64
}

// FreezeText is the sealed part of a freeze.
type FreezeText struct {
	Reason  string `json:"reason,omitempty"`
	Grounds string `json:"grounds,omitempty"`
}

// Frozen stops the action's dispatch.
func (a Action) Frozen(by Actor, f Freeze, now time.Time) (Freeze, Event, error) {
	if err := a.running(by); err != nil {
		return f, Event{}, err
	}
	if len(strings.TrimSpace(f.Reason)) < actionReason {
		return f, Event{}, Refuse(Invalid, "freeze.reason", "reason", "freezing needs a reason of at least ten characters: the others read it")
	}
	f.Action, f.By, f.At = a.ID, by.Person, now
	return f, NewEvent(EventActionFrozen, by, string(f.ID), now, ActionBody{Action: a.ID}).WithSealed(FreezeText{Reason: f.Reason}), nil
}

// ThawAsked asks for the end of the freeze: it ends once another person agrees.
func (f Freeze) ThawAsked(by Actor, grounds string, now time.Time) (Freeze, Event, error) {
	if err := by.Need(RoleCoordinator); err != nil {
		return f, Event{}, err
	}
	switch {
	case !f.ThawedAt.IsZero():
		return f, Event{}, ErrNotFrozen
	case len(strings.TrimSpace(grounds)) < actionReason:
		return f, Event{}, Refuse(Invalid, "freeze.grounds", "reason", "ending a freeze needs a reason of at least ten characters: whoever confirms it reads what was checked")
	}
	f.Grounds, f.ThawBy, f.ThawAt = grounds, by.Person, now
	return f, NewEvent(EventThawAsked, by, string(f.ID), now, ActionBody{Action: f.Action}).WithSealed(FreezeText{Grounds: grounds}), nil
}

// Thawed ends the freeze, by another person than the one who asked.
func (f Freeze) Thawed(by Actor, now time.Time) (Freeze, Event, error) {
	if err := by.Need(RoleCoordinator, RoleReviewer); err != nil {
		return f, Event{}, err
	}
	switch {
	case !f.ThawedAt.IsZero():
		return f, Event{}, ErrNotFrozen
	case f.ThawBy == "":
		return f, Event{}, Refuse(Conflict, "freeze.not_asked", "", "nobody has asked to end this freeze: a coordinator asks first, with a reason")
	case f.ThawBy == by.Person:
		return f, Event{}, Refuse(Forbidden, "freeze.same_person", "", "you asked to end this freeze: another coordinator or a reviewer confirms it")
	}
	f.ThawedBy, f.ThawedAt = by.Person, now
	return f, NewEvent(EventActionThawed, by, string(f.ID), now, ActionBody{Action: f.Action, Person: f.ThawBy}), nil
}

// ErrNotFrozen is the answer to a thaw where nothing is frozen.
var ErrNotFrozen = &Error{Kind: Conflict, Code: "freeze.not_frozen", Message: "this action is not frozen: its items go out already"}
