package concert

import "time"

const (
	// BatchMost bounds the items of one batch.
	BatchMost = 2000
	// RecallWindow is how long, on the wall, a confirmed batch can be recalled.
	RecallWindow = time.Minute
)

// BatchState is where a batch stands.
type BatchState string

// The states.
const (
	BatchPrepared  BatchState = "prepared"  // previewed, waits for another person
	BatchConfirmed BatchState = "confirmed" // leaves when its recall window is over
	BatchRecalled  BatchState = "recalled"  // its items wait again
	BatchLeft      BatchState = "left"      // its items go to their provider
)

// BatchStates lists them.
var BatchStates = []BatchState{BatchPrepared, BatchConfirmed, BatchRecalled, BatchLeft}

// Batch is a release of approved items of one action to one provider: one
// person prepares it, another confirms it, and until it leaves either side of
// the room may recall it. What leaves is still asked for holds, scope, hours and
// capacity, as everything is.
type Batch struct {
	ID          BatchID
	Ref         string
	Action      ActionID
	Provider    ProviderID
	State       BatchState
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

// BatchRefusal is why an item would not go out with a batch now: a code. Holds
// are none of them, since only a dispatch asks for those (G07).
type BatchRefusal string

// The refusals.
const (
	BatchGoes      BatchRefusal = ""
	BatchUnscoped  BatchRefusal = "out_of_scope" // its outlet is no longer on the scope list
	BatchHandling  BatchRefusal = "handling"     // its handling code keeps it from providers
	BatchPaused    BatchRefusal = "paused"       // its author met too many holds
	BatchFrozen    BatchRefusal = "frozen"       // the action is frozen
	BatchQuieted   BatchRefusal = "quiet"        // the provider is switched quiet for this action
	BatchThrottled BatchRefusal = "throttled"    // beyond this action's items an hour
	BatchFull      BatchRefusal = "capacity"     // beyond what the provider agreed to this hour
	BatchClosed    BatchRefusal = "quiet_hours"  // waits until the provider's hours
	BatchGone      BatchRefusal = "endpoint"     // the provider's endpoint is gone
)

// Lasting reports whether the item is left out of the batch; the others only
// wait a while and go with it.
func (r BatchRefusal) Lasting() bool {
	return r == BatchUnscoped || r == BatchHandling || r == BatchPaused
}

func (b Batch) body() ActionBody {
	return ActionBody{Action: b.Action, Ref: b.Ref, Provider: b.Provider, Items: b.Items, Refused: b.Refused}
}

// Prepared checks a new batch of the action.
func (b Batch) Prepared(by Actor, a Action, now time.Time) (Batch, Event, error) {
	if err := a.running(by); err != nil {
		return b, Event{}, err
	}
	switch {
	case !a.Batched:
		return b, Event{}, Refuse(Conflict, "batch.not_batched", "", "items of action %s go out as they are approved: set releases to batches first", a.Ref)
	case b.Items == 0:
		return b, Event{}, Refuse(Conflict, "batch.empty", "items", "no approved item of action %s waits for this provider that could go", a.Ref)
	case b.Items > BatchMost:
		return b, Event{}, Refuse(TooLarge, "batch.large", "items", "a batch has at most %d items", BatchMost)
	}
	b.Action, b.State, b.PreparedBy, b.PreparedAt = a.ID, BatchPrepared, by.Person, now
	return b, NewEvent(EventBatchPrepared, by, string(b.ID), now, b.body()), nil
}

// Confirmed is the second person's word: the batch leaves after the window, in
// case time, unless it is recalled.
func (b Batch) Confirmed(by Actor, window time.Duration, now time.Time) (Batch, Event, error) {
	if err := by.Need(RoleCoordinator, RoleReviewer); err != nil {
		return b, Event{}, err
	}
	switch {
	case b.State != BatchPrepared:
		return b, Event{}, Refuse(Conflict, "batch.state", "", "batch %s is %s: only a prepared one is confirmed", b.Ref, b.State)
	case b.PreparedBy == by.Person:
		return b, Event{}, Refuse(Forbidden, "batch.same_person", "", "you prepared batch %s: another coordinator or a reviewer confirms it", b.Ref)
	}
	b.State, b.ConfirmedBy, b.ConfirmedAt, b.LeavesAt = BatchConfirmed, by.Person, now, now.Add(window)
	return b, NewEvent(EventBatchConfirmed, by, string(b.ID), now, b.body()), nil
}

// Recalled takes the batch back before it leaves: its items wait again.
func (b Batch) Recalled(by Actor, now time.Time) (Batch, Event, error) {
	if err := by.Need(RoleCoordinator, RoleReviewer); err != nil {
		return b, Event{}, err
	}
	if b.State != BatchPrepared && b.State != BatchConfirmed || b.State == BatchConfirmed && !now.Before(b.LeavesAt) {
		return b, Event{}, Refuse(Conflict, "batch.gone", "", "batch %s cannot be recalled any more: freeze the action, or withdraw the items", b.Ref)
	}
	b.State, b.RecalledBy, b.EndedAt = BatchRecalled, by.Person, now
	return b, NewEvent(EventBatchRecalled, by, string(b.ID), now, b.body()), nil
}

// Left lets the batch go once its window is over; ok is false before, and when
// it was recalled or left already.
func (b Batch) Left(now time.Time) (next Batch, e Event, ok bool) {
	if b.State != BatchConfirmed || now.Before(b.LeavesAt) {
		return b, Event{}, false
	}
	b.State, b.EndedAt = BatchLeft, now
	return b, NewEvent(EventBatchLeft, House, string(b.ID), now, b.body()), true
}
