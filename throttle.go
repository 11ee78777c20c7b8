package concert

import (
	"strings"
	"time"
)

// Throttle is what a coordinator asks for one provider within one action, below
// what the provider agreed to: items an hour, or none at all. A threat to life
// passes it, as it passes the provider's hours.
type Throttle struct {
	ID        ThrottleID
	Action    ActionID
	Provider  ProviderID
	PerHour   int    // items an hour for this action; 0 means no bound but the provider's
	Quiet     bool   // nothing goes to it for this action
	Reason    string // sealed
	By        PersonID
	At        time.Time
	HourStart time.Time // the hour the count below belongs to
	HourCount int
	Version   int64
}

// Throttled sets what the provider gets of the action.
func (a Action) Throttled(by Actor, t Throttle, now time.Time) (Throttle, Event, error) {
	if err := a.running(by); err != nil {
		return t, Event{}, err
	}
	switch {
	case t.PerHour < 0 || t.PerHour > 1_000_000:
		return t, Event{}, Refuse(Invalid, "throttle.per_hour", "per_hour", "the throttle is items an hour, 0 for none but the provider's own bound: write a count")
	case len(strings.TrimSpace(t.Reason)) < actionReason:
		return t, Event{}, Refuse(Invalid, "throttle.reason", "reason", "a throttle needs a reason of at least ten characters: the others read it")
	}
	t.Action, t.By, t.At = a.ID, by.Person, now
	e := NewEvent(EventActionThrottled, by, string(t.ID), now, ActionBody{Action: a.ID, Provider: t.Provider, PerHour: t.PerHour, Quiet: t.Quiet})
	return t, e.WithSealed(SealedReason{t.Reason}), nil
}

// Free is how many items of the action the provider may get now, at most most,
// and when it may get more; a zero time means that time changes nothing.
func (t Throttle) Free(now time.Time, most int) (n int, next time.Time) {
	if t.Quiet {
		return 0, time.Time{}
	}
	if t.PerHour == 0 {
		return most, time.Time{}
	}
	hour := now.Truncate(time.Hour)
	used := t.HourCount
	if hour.After(t.HourStart) {
		used = 0
	}
	return min(most, max(0, t.PerHour-used)), hour.Add(time.Hour)
}

// Spent counts what went out in this hour.
func (t Throttle) Spent(n int, now time.Time) Throttle {
	if hour := now.Truncate(time.Hour); hour.After(t.HourStart) {
		t.HourStart, t.HourCount = hour, 0
	}
	t.HourCount += n
	return t
}
