package concert

import (
	"slices"
	"strings"
	"time"
)

func (t LifeThreat) event(kind EventKind, by Actor, now time.Time, more func(*ThreatBody)) Event {
	b := ThreatBody{Ref: t.Ref, Provider: t.Provider, Exercise: t.Exercise}
	more(&b)
	return NewEvent(kind, by, string(t.ID), now, b)
}

// Received is the report at the moment at which it is in the house, with a copy for
// each whom it goes to. The receipt, the copies and their alarms are one transaction.
// due is the end of TermThreat.
func (t LifeThreat) Received(by Actor, to []ThreatGoes, due, now time.Time) ([]ThreatCopy, Event) {
	copies := make([]ThreatCopy, len(to))
	for i, g := range to {
		copies[i] = t.copyFor(g, due, now)
	}
	e := t.event(EventThreatReceived, by, now, func(b *ThreatBody) {
		b.Kind, b.States, b.Unknown, b.Content, b.Preserved, b.Places, b.To, b.DueAt = t.Kind, t.States, len(t.States) == 0, t.Content, t.Preserved, len(t.Places), to, Micros(due)
	})
	return copies, e.WithSealed(t.ThreatText)
}

func (t LifeThreat) copyFor(g ThreatGoes, due, now time.Time) ThreatCopy {
	return ThreatCopy{Threat: t.ID, Authority: g.Authority, State: g.State, Why: g.Why, Status: ThreatReceived, ReceivedAt: now, DueAt: due}
}

func (c ThreatCopy) moved(t LifeThreat, m ThreatMove) (ThreatCopy, error) {
	next, err := c.Status.After(m)
	if err != nil {
		return c, Refuse(Conflict, "threat.move", "", "report %s is %s here and cannot be moved by %s: see docs/states.md", t.Ref, c.Status, m)
	}
	c.Status = next
	return c, nil
}

func (c ThreatCopy) event(kind EventKind, t LifeThreat, by Actor, from ThreatStatus, now time.Time, more func(*ThreatBody)) Event {
	return t.event(kind, by, now, func(b *ThreatBody) {
		b.Authority, b.From, b.Now = c.Authority, from, c.Status
		if more != nil {
			more(b)
		}
	})
}

// Taken says that the actor has the report in hand: its alarms end.
func (c ThreatCopy) Taken(by Actor, t LifeThreat, now time.Time) (ThreatCopy, Event, error) {
	if !c.Mine(by) {
		return c, Event{}, ErrNotFound
	}
	if c.Status == ThreatTaken {
		return c, Event{}, Refuse(Conflict, "threat.taken", "", "somebody of yours has report %s in hand already: nothing is changed", t.Ref)
	}
	from := c.Status
	c, err := c.moved(t, ThreatMoveTake)
	if err != nil {
		return c, Event{}, err
	}
	c.Taker, c.TakenAt = by.Person, now
	return c, c.event(EventThreatTaken, t, by, from, now, nil), nil
}

// Closed ends the report at an authority with what it did, and a word to the provider.
func (c ThreatCopy) Closed(by Actor, t LifeThreat, o ThreatOutcome, word string, now time.Time) (ThreatCopy, Event, error) {
	if !c.Mine(by) {
		return c, Event{}, ErrNotFound
	}
	switch {
	case c.Status == ThreatReceived:
		return c, Event{}, Refuse(Conflict, "threat.untaken", "", "nobody of yours has taken report %s: take it first", t.Ref)
	case !slices.Contains(ThreatOutcomes, o):
		return c, Event{}, Refuse(Invalid, "threat.outcome", "outcome", "say what came of it, one of %v: got %q", ThreatOutcomes, o)
	case !between(word, ThreatLeast, ThreatMost):
		return c, Event{}, Refuse(Invalid, "threat.word", "word", "write the provider a word in %d to %d characters: it reads what stands there", ThreatLeast, ThreatMost)
	}
	if err := Filled("word", word); err != nil {
		return c, Event{}, err
	}
	from := c.Status
	c, err := c.moved(t, ThreatMoveClose)
	if err != nil {
		return c, Event{}, err
	}
	c.Outcome, c.Word, c.ClosedAt = o, plainText(word), now
	return c, c.event(EventThreatClosed, t, by, from, now, func(b *ThreatBody) { b.Outcome = o }).WithSealed(GroundText{Ground: c.Word}), nil
}

// Passed hands the report on: it is not this authority's. others are the copies that
// there are; the one of whom it is passed to is made, or alarms again where it was ended
// there. Whoever passes it gives a reason, which the other one reads. Nothing is passed
// to nobody.
func (c ThreatCopy) Passed(by Actor, t LifeThreat, to ThreatGoes, others []ThreatCopy, reason string, due, now time.Time) (mine, theirs ThreatCopy, e Event, err error) {
	if !c.Mine(by) {
		return c, theirs, e, ErrNotFound
	}
	switch {
	case !between(reason, ThreatLeast, ThreatMost):
		return c, theirs, e, Refuse(Invalid, "threat.reason", "reason", "say in %d to %d characters why it is not yours: whoever gets it reads that", ThreatLeast, ThreatMost)
	case to.Authority == c.Authority:
		return c, theirs, e, Refuse(Invalid, "threat.self", "to", "report %s is with you: name another state", t.Ref)
	}
	from := c.Status
	if c, err = c.moved(t, ThreatMovePass); err != nil {
		return c, theirs, e, err
	}
	c.ClosedAt = now
	theirs = t.copyFor(to, due, now)
	if i := slices.IndexFunc(others, func(o ThreatCopy) bool { return o.Authority == to.Authority }); i >= 0 {
		if theirs = others[i]; !theirs.Open() {
			again, err := theirs.moved(t, ThreatMoveReturn)
			if err != nil {
				return c, theirs, e, err
			}
			again.ReceivedAt, again.DueAt, again.Warned, again.Taker, again.TakenAt, again.ClosedAt, again.Outcome = now, due, 0, "", time.Time{}, time.Time{}, ""
			theirs = again
		}
	}
	theirs.Reason = strings.TrimSpace(plainText(reason))
	e = c.event(EventThreatPassed, t, by, from, now, func(b *ThreatBody) { b.To, b.DueAt = []ThreatGoes{to}, Micros(due) }).WithSealed(GroundText{Ground: theirs.Reason})
	return c, theirs, e, nil
}

// NextLook is when a copy is next to be looked at: for an alarm; zero for never.
func (c ThreatCopy) NextLook() time.Time {
	if c.Status != ThreatReceived || c.Warned >= len(ThreatAlarms) {
		return time.Time{}
	}
	return c.DueAt.Add(-ThreatAlarms[c.Warned])
}

// Missed reports whether the copy waits and its last alarm was given.
func (c ThreatCopy) Missed() bool { return c.Status == ThreatReceived && c.Warned >= len(ThreatAlarms) }

// Alarmed gives the alarms that are due and were not given, each once. Where several are
// due at once, as after a node was down, people are told the last one alone; each stands
// in the log.
func (c ThreatCopy) Alarmed(t LifeThreat, now time.Time) (ThreatCopy, []Event) {
	var out []Event
	for at := c.NextLook(); !at.IsZero() && !now.Before(at); at = c.NextLook() {
		c.Warned++
		out = append(out, c.event(EventThreatAlarmed, t, House, c.Status, now, func(b *ThreatBody) {
			b.DueAt, b.Waited = Micros(c.DueAt), int(at.Sub(c.ReceivedAt)/time.Minute)
		}))
	}
	return c, out
}

// Escalated is the coordinators' copy of a report that nobody took within the hour;
// false where they have one.
func (t LifeThreat) Escalated(copies []ThreatCopy, due, now time.Time) (ThreatCopy, bool) {
	if slices.ContainsFunc(copies, func(c ThreatCopy) bool { return c.Authority == "" }) {
		return ThreatCopy{}, false
	}
	return t.copyFor(ThreatGoes{Why: ThreatUntaken}, due, now), true
}

// Settled is the report once a copy has moved: when nobody has it in hand its text is
// kept for a while, and erased.
func (t LifeThreat) Settled(copies []ThreatCopy, now time.Time) LifeThreat {
	t.EraseAt = time.Time{}
	if !slices.ContainsFunc(copies, ThreatCopy.Open) {
		t.EraseAt = now.AddDate(0, ThreatKeptMonths, 0)
	}
	return t
}

// Erased says that the report's text is gone.
func (t LifeThreat) Erased(now time.Time) (LifeThreat, Event) {
	t.ErasedAt, t.EraseAt, t.ThreatText = now, time.Time{}, ThreatText{}
	return t, t.event(EventThreatErased, House, now, func(*ThreatBody) {})
}
