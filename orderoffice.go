package concert

import "time"

// Propose is an administrator's half of giving an authority an office: it waits for
// another one.
func (o OrderOffice) Propose(by Actor, to OrderOffice, ref string, exercise bool, now time.Time) (OrderOffice, *OrderOffice, Event, error) {
	if err := by.Need(RoleAdministrator); err != nil {
		return o, nil, Event{}, err
	}
	to, err := to.Checked()
	if err != nil {
		return o, nil, Event{}, err
	}
	o.Proposed = by.Person
	return o, &to, o.event(EventOfficeProposed, by, ref, exercise, now), nil
}

// Confirm is another administrator's half. What an authority has been since it got its
// first function stays its date: keys are trusted from then on.
func (o OrderOffice) Confirm(by Actor, waits *OrderOffice, ref string, exercise bool, now time.Time) (OrderOffice, Event, error) {
	if err := by.Need(RoleAdministrator); err != nil {
		return o, Event{}, err
	}
	switch {
	case waits == nil:
		return o, Event{}, Refuse(Conflict, "office.nothing", "", "nothing waits for a confirmation: propose it first")
	case by.Person == o.Proposed:
		return o, Event{}, Refuse(Forbidden, "office.own", "", "you proposed it: another administrator confirms")
	}
	next := *waits
	next.Authority, next.Since = o.Authority, o.Since
	if next.Since.IsZero() || !o.Has(FunctionIssue) && next.Has(FunctionIssue) {
		next.Since = now
	}
	return next, next.event(EventOfficeConfirmed, by, ref, exercise, now), nil
}

func (o OrderOffice) event(kind EventKind, by Actor, ref string, exercise bool, now time.Time) Event {
	return NewEvent(kind, by, string(o.Authority), now, RegisterBody{Ref: ref, Authority: o.Authority, Exercise: exercise})
}
