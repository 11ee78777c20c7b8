package concert

import "time"

const (
	// LeaseTerm is how long a claim lasts without a sign of work. It is the
	// people's time: in an exercise it does not run faster.
	LeaseTerm = 15 * time.Minute
	// LeaseMost is how many items one person may have in hand.
	LeaseMost = 15
	// ClaimEndTerm is how long a person is told that a claim ended, unless they
	// have said that they saw it.
	ClaimEndTerm = 7 * 24 * time.Hour
)

// ClaimEndCause is why a claim ended that its holder did not end.
type ClaimEndCause string

// The causes.
const (
	ClaimRanOut    ClaimEndCause = "ran_out"
	ClaimTakenOver ClaimEndCause = "taken_over"
)

// ClaimEnd is what the holder of a claim is told, and nobody else: no claim ends
// silently. It goes when it was seen, and after ClaimEndTerm.
type ClaimEnd struct {
	Person PersonID
	Item   ItemID
	Cause  ClaimEndCause
	By     PersonID // who took it over
	At     time.Time
}

// Claimed takes the item in hand for the term, or goes on holding it. An earlier
// claim of somebody else that ran out is ended with it, and by claiming it again one takes
// back what one handed over or escalated. A claim leaves no event: how fast
// somebody works is nobody's business, and an assessment says who made it.
func (s Slip) Claimed(by Actor, it Item, found bool, now time.Time, term time.Duration) (Slip, *ClaimEnd, error) {
	s, err := s.works(by, it, found, now)
	if err != nil {
		return s, nil, err
	}
	end := s.ranOut(by)
	if s.Escalated() && !s.leads(by) {
		s.EscalatedBy, s.EscalatedAt, s.Text.Escalation = "", time.Time{}, ""
	}
	if s.Keeper != by.Person {
		s.Keeper, s.KeptUntil = "", time.Time{}
	}
	s.Authority = by.Authority
	if s.Holder != by.Person {
		s.Holder, s.Number, s.ClaimedAt = by.Person, by.Operator, now
	}
	s.Until = now.Add(term)
	s.ParkedBy, s.ParkedUntil, s.Text.Park = "", time.Time{}, ""
	return s, end, nil
}

// ranOut is what another holder is told whose claim no longer stands.
func (s Slip) ranOut(by Actor) *ClaimEnd {
	if s.Holder == "" || s.Holder == by.Person {
		return nil
	}
	return &ClaimEnd{Person: s.Holder, Item: s.Item, Cause: ClaimRanOut, At: s.Until}
}

// LetGo is the slip without the actor's claim, and without its being kept for
// them: what was handed to them goes to all.
func (s Slip) LetGo(by Actor, it Item) Slip {
	s = s.At(it)
	if s.Holder == by.Person {
		s.Holder, s.Number, s.ClaimedAt, s.Until = "", "", time.Time{}, time.Time{}
	}
	if s.Keeper == by.Person {
		s.Keeper, s.KeptUntil = "", time.Time{}
	}
	return s
}

// GivenBack ends the actor's own claim.
func (s Slip) GivenBack(by Actor, it Item, found bool) (Slip, error) {
	s = s.At(it)
	if by.Authority == "" || !found && by.Authority != it.Custodian() {
		return s, ErrNotFound
	}
	if s.Holder != by.Person {
		return s, Refuse(Conflict, "claim.none", "", "you have no claim on item %s: claim it first", it.Ref)
	}
	return s.LetGo(by, it), nil
}

// RanOut ends a claim whose time is over.
func (s Slip) RanOut(now time.Time) (Slip, *ClaimEnd) {
	if s.Holder == "" || s.Held(now) {
		return s, nil
	}
	end := s.ranOut(House)
	s.Holder, s.Number, s.ClaimedAt, s.Until = "", "", time.Time{}, time.Time{}
	return s, end
}

// TakenOver takes the item from who holds, parked or keeps it, with a reason: by
// a reviewer or coordinator of the authority. They have it in hand then where
// they may do the work; else it goes to all.
func (s Slip) TakenOver(by Actor, it Item, found bool, reason string, now time.Time, term time.Duration) (Slip, *ClaimEnd, Event, error) {
	s = s.At(it)
	if by.Authority == "" || by.Authority != s.Authority && by.Authority != it.Custodian() {
		return s, nil, Event{}, ErrNotFound
	}
	if err := by.Need(RoleReviewer, RoleCoordinator); err != nil {
		return s, nil, Event{}, err
	}
	if err := it.Standing(); err != nil {
		return s, nil, Event{}, err
	}
	from := PersonID("")
	switch {
	case s.Held(now):
		from = s.Holder
	case s.Parked(now):
		from = s.ParkedBy
	case s.Kept(now):
		from = s.Keeper
	}
	if from == "" || from == by.Person {
		return s, nil, Event{}, Refuse(Conflict, "claim.none", "", "nobody else has item %s in hand: claim it", it.Ref)
	}
	if !noted(reason) {
		return s, nil, Event{}, Refuse(Invalid, "takeover.reason", "reason", "say why it cannot wait for the colleague, in %d to %d characters", noteLeast, noteMost)
	}
	e := s.event(EventItemTakenOver, by, it, SlipBody{From: from}, reason, now)
	end := &ClaimEnd{Person: from, Item: it.ID, Cause: ClaimTakenOver, By: by.Person, At: now}
	s = s.free()
	s.Authority = by.Authority
	if s.mayWork(by, it, found) == nil {
		s.Holder, s.Number, s.ClaimedAt, s.Until = by.Person, by.Operator, now, now.Add(term)
	}
	return s, end, e, nil
}
