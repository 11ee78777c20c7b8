package concert

import "time"

// HoldCause is why nothing goes out.
type HoldCause string

// The causes.
const (
	CauseRestored HoldCause = "restored" // the data come from a backup: what it queued may have gone out since
	CauseOrdered  HoldCause = "ordered"  // an administrator stopped everything
)

// DispatchHold stops all that leaves the house: new referrals, notices,
// reminders and our own looks. Work inside goes on. At most one stands.
type DispatchHold struct {
	ID         DispatchHoldID
	Cause      HoldCause
	Reason     string // sealed
	HeldBy     PersonID
	HeldAt     time.Time
	Grounds    string // sealed: why it was released
	ReleasedBy PersonID
	ReleasedAt time.Time
	Version    int64
}

// DispatchHoldBody is the body of dispatch.held and dispatch.released.
type DispatchHoldBody struct {
	Cause  HoldCause `json:"cause"`
	Erased int64     `json:"erased,omitempty"` // items of a restored backup whose keys were erased since
}

// SealedReason is the free text that goes with an act, sealed.
type SealedReason struct {
	Reason string `json:"reason"`
}

// dispatchReason is the least that tells another person something, in bytes.
const dispatchReason = 10

// Held checks a new hold on dispatch. erased is how many items a restore could
// not bring back since they were erased after the backup.
func (h DispatchHold) Held(by Actor, cause HoldCause, reason string, erased int64, now time.Time) (DispatchHold, Event, error) {
	if err := by.Need(RoleAdministrator); err != nil {
		return h, Event{}, err
	}
	if len(reason) < dispatchReason {
		return h, Event{}, Refuse(Invalid, "dispatch.reason", "reason", "holding dispatch needs a reason of at least ten characters: the others read it")
	}
	h.Cause, h.Reason, h.HeldBy, h.HeldAt = cause, reason, by.Person, now
	e := NewEvent(EventDispatchHeld, by, string(h.ID), now, DispatchHoldBody{Cause: cause, Erased: erased})
	return h, e.WithSealed(SealedReason{reason}), nil
}

// Released lets everything go again.
func (h DispatchHold) Released(by Actor, reason string, now time.Time) (DispatchHold, Event, error) {
	if err := by.Need(RoleAdministrator); err != nil {
		return h, Event{}, err
	}
	if !h.ReleasedAt.IsZero() || h.ID == "" {
		return h, Event{}, ErrDispatchRuns
	}
	if len(reason) < dispatchReason {
		return h, Event{}, Refuse(Invalid, "dispatch.reason", "reason", "releasing dispatch needs a reason of at least ten characters: what was checked before everything goes out")
	}
	h.Grounds, h.ReleasedBy, h.ReleasedAt = reason, by.Person, now
	e := NewEvent(EventDispatchReleased, by, string(h.ID), now, DispatchHoldBody{Cause: h.Cause})
	return h, e.WithSealed(SealedReason{reason}), nil
}

// ErrDispatchRuns is the answer to a release where nothing is held.
var ErrDispatchRuns = &Error{Kind: Conflict, Code: "dispatch.not_held", Message: "dispatch is not held: everything goes out already"}

// LogSuccession says that this log goes on under a new name and key where
// another may not: the data were restored from before what that log published.
type LogSuccession struct {
	ID           LogSuccessionID
	Origin       string // the name that signs no more
	Key          string // its verifier key
	Size         int64  // of the last head it is known to have published
	Root         [32]byte
	Checkpoint   string // that head, signed; "" where it is not at hand
	Successor    string
	SuccessorKey string
	Reason       string // sealed
	By           PersonID
	At           time.Time
}

// LogSuccessionBody is the body of log.succeeded.
type LogSuccessionBody struct {
	Origin       string `json:"origin"`
	Key          string `json:"key"`
	Size         int64  `json:"size"`
	Root         string `json:"root"` // hex
	Successor    string `json:"successor"`
	SuccessorKey string `json:"successor_key"`
}
