package concert

import "time"

const (
	// ConsignmentMost bounds the items of one consignment.
	ConsignmentMost = 2000
	// RecallWindow is how long, on the wall, a confirmed consignment can be recalled.
	RecallWindow = time.Minute
)

// ConsignmentState is where a consignment stands.
type ConsignmentState string

// The states.
const (
	ConsignmentPrepared  ConsignmentState = "prepared"  // previewed, waits for another person
	ConsignmentConfirmed ConsignmentState = "confirmed" // leaves when its recall window is over
	ConsignmentRecalled  ConsignmentState = "recalled"  // its items wait again
	ConsignmentLeft      ConsignmentState = "left"      // its items go to their provider
)

// ConsignmentStates lists them.
var ConsignmentStates = []ConsignmentState{ConsignmentPrepared, ConsignmentConfirmed, ConsignmentRecalled, ConsignmentLeft}

// Consignment is a release of approved items of one action to one provider: one
// person prepares it, another confirms it, and until it leaves either side of
// the room may recall it. What leaves is still asked for holds, scope, hours and
// capacity, as everything is.
type Consignment struct {
	ID          ConsignmentID
	Ref         string
	Action      ActionID
	Provider    ProviderID
	State       ConsignmentState
	Items       int // released
	Refused     int // left out when it was prepared
	PreparedBy  PersonID
	PreparedAt  time.Time
	ConfirmedBy PersonID
	ConfirmedAt time.Time
	LeavesAt    time.Time // end of the recall window, case time
	RecalledBy  PersonID
	EndedAt     time.Time // recalled or left
	Exercise    bool
	Version     int64
}

// ConsignmentRefusal is why an item would not go out with a consignment now: a code. Holds
// are none of them, since only a dispatch asks for those (G07).
type ConsignmentRefusal string

// The refusals.
const (
	ConsignmentGoes      ConsignmentRefusal = ""
	ConsignmentUnscoped  ConsignmentRefusal = "out_of_scope" // its outlet is no longer on the scope list
	ConsignmentHandling  ConsignmentRefusal = "handling"     // its handling code keeps it from providers
	ConsignmentPaused    ConsignmentRefusal = "paused"       // its author met too many holds
	ConsignmentFrozen    ConsignmentRefusal = "frozen"       // the action is frozen
	ConsignmentQuieted   ConsignmentRefusal = "quiet"        // the provider is switched quiet for this action
	ConsignmentThrottled ConsignmentRefusal = "throttled"    // beyond this action's items an hour
	ConsignmentFull      ConsignmentRefusal = "capacity"     // beyond what the provider agreed to this hour
	ConsignmentClosed    ConsignmentRefusal = "quiet_hours"  // waits until the provider's hours
	ConsignmentGone      ConsignmentRefusal = "endpoint"     // the provider's endpoint is gone
)

// Lasting reports whether the item is left out of the consignment; the others only
// wait a while and go with it.
func (r ConsignmentRefusal) Lasting() bool {
	return r == ConsignmentUnscoped || r == ConsignmentHandling || r == ConsignmentPaused
}

func (b Consignment) body() ActionBody {
	return ActionBody{Action: b.Action, Ref: b.Ref, Provider: b.Provider, Items: b.Items, Refused: b.Refused}
}

// Prepared checks a new consignment of the action.
func (b Consignment) Prepared(by Actor, a Action, now time.Time) (Consignment, Event, error) {
	if err := a.running(by); err != nil {
		return b, Event{}, err
	}
	switch {
	case !a.Batched:
		return b, Event{}, Refuse(Conflict, "consignment.not_batched", "", "items of action %s go out as they are approved: set releases to consignments first", a.Ref)
	case b.Items == 0:
		return b, Event{}, Refuse(Conflict, "consignment.empty", "items", "no approved item of action %s waits for this provider that could go: choose another one, or wait for approvals", a.Ref)
	case b.Items > ConsignmentMost:
		return b, Event{}, Refuse(TooLarge, "consignment.large", "items", "a consignment has at most %d items", ConsignmentMost)
	}
	b.Action, b.State, b.PreparedBy, b.PreparedAt = a.ID, ConsignmentPrepared, by.Person, now
	return b, NewEvent(EventConsignmentPrepared, by, string(b.ID), now, b.body()), nil
}

// Confirmed is the second person's word: the consignment leaves after the window, in
// case time, unless it is recalled.
func (b Consignment) Confirmed(by Actor, window time.Duration, now time.Time) (Consignment, Event, error) {
	if err := by.Need(RoleCoordinator, RoleReviewer); err != nil {
		return b, Event{}, err
	}
	switch {
	case b.State != ConsignmentPrepared:
		return b, Event{}, Refuse(Conflict, "consignment.state", "", "consignment %s is %s: only a prepared one is confirmed", b.Ref, b.State)
	case b.PreparedBy == by.Person:
		return b, Event{}, Refuse(Forbidden, "consignment.same_person", "", "you prepared consignment %s: another coordinator or a reviewer confirms it", b.Ref)
	}
	b.State, b.ConfirmedBy, b.ConfirmedAt, b.LeavesAt = ConsignmentConfirmed, by.Person, now, now.Add(window)
	return b, NewEvent(EventConsignmentConfirmed, by, string(b.ID), now, b.body()), nil
}

// Recalled takes the consignment back before it leaves: its items wait again.
func (b Consignment) Recalled(by Actor, now time.Time) (Consignment, Event, error) {
	if err := by.Need(RoleCoordinator, RoleReviewer); err != nil {
		return b, Event{}, err
	}
	if b.State != ConsignmentPrepared && b.State != ConsignmentConfirmed || b.State == ConsignmentConfirmed && !now.Before(b.LeavesAt) {
		return b, Event{}, Refuse(Conflict, "consignment.gone", "", "consignment %s cannot be recalled any more: freeze the action, or withdraw the items", b.Ref)
	}
	b.State, b.RecalledBy, b.EndedAt = ConsignmentRecalled, by.Person, now
	return b, NewEvent(EventConsignmentRecalled, by, string(b.ID), now, b.body()), nil
}

// Left lets the consignment go once its window is over; ok is false before, and when
// it was recalled or left already.
func (b Consignment) Left(now time.Time) (next Consignment, e Event, ok bool) {
	if b.State != ConsignmentConfirmed || now.Before(b.LeavesAt) {
		return b, Event{}, false
	}
	b.State, b.EndedAt = ConsignmentLeft, now
	return b, NewEvent(EventConsignmentLeft, House, string(b.ID), now, b.body()), true
}

// ClockConsignment lets a confirmed consignment go; its subject is the
// consignment, whose recall window is over.
const ClockConsignment ClockKind = "consignment.leave"

// LeaveConsignment lets a confirmed consignment go once nobody may recall it any more.
type LeaveConsignment struct {
	Consignment ConsignmentID `json:"consignment"`
}

// Kind names the job.
func (LeaveConsignment) Kind() string { return string(ClockConsignment) }
