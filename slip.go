package concert

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// How long what lies on an item binds others.
const (
	// KeptTerm is how long an item that was handed over or escalated to one
	// person waits for that person alone: afterwards others have it too, so that
	// nothing is lost with somebody who is away.
	KeptTerm = 24 * time.Hour
	// BackTerm is the same for who parked it, once it is back.
	BackTerm = time.Hour
	// ParkMost is how far ahead an item may be parked.
	ParkMost = 30 * 24 * time.Hour
	// SkipTerm is how long a skipped item is not offered again to who skipped it.
	SkipTerm = 24 * time.Hour
)

// noteLeast and noteMost bound a note or reason on a slip, in characters.
const (
	noteLeast = 10
	noteMost  = 4000
)

// Slip is what lies on an item while it waits for somebody: who has it in hand
// and until when, whether it is parked, whom it was handed to, whether it was
// escalated. It is about the work and not about the item: versions decide what
// is true, a slip only keeps two people from doing the same. It counts in the
// stage that it was written in and is gone once the item moves on.
type Slip struct {
	Item        ItemID
	Stage       ItemStatus  // open (to be assessed) or assessed (to be decided on)
	Authority   AuthorityID // of whose people it binds
	Holder      PersonID    // works on it until Until; "" for nobody
	Number      string      // the holder's operator number
	ClaimedAt   time.Time
	Until       time.Time
	ParkedBy    PersonID
	ParkedUntil time.Time
	Keeper      PersonID  // for whom it waits; "" for whoever comes first
	KeptUntil   time.Time // afterwards for others as well
	HandedBy    PersonID
	HandedAt    time.Time
	EscalatedBy PersonID
	EscalatedAt time.Time // zero while it is not
	Text        SlipText
	Version     int64 // 0 for one that is not kept yet
}

// SlipText is what people wrote on a slip; sealed under the item's key.
type SlipText struct {
	Park       string `json:"park,omitempty"`
	Note       string `json:"note,omitempty"`
	Escalation string `json:"escalation,omitempty"`
}

// SlipBody is the body of events on a slip. What was written is sealed.
type SlipBody struct {
	Ref       string      `json:"ref"`
	Authority AuthorityID `json:"authority"` // on whose desk
	Stage     ItemStatus  `json:"stage"`
	To        PersonID    `json:"to,omitempty"`    // "" for the pool, or for any lead
	From      PersonID    `json:"from,omitempty"`  // from whom it was taken
	Until     int64       `json:"until,omitempty"` // microseconds UTC
}

// Waits reports whether an item with the status waits for a person's work that
// can be claimed.
func (s ItemStatus) Waits() bool { return s == ItemOpen || s == ItemAssessed }

// At is the slip as it counts for the item now: an empty one where what lies
// there was written in an earlier stage.
func (s Slip) At(it Item) Slip {
	if s.Item == it.ID && s.Stage == it.Status {
		return s
	}
	return Slip{Item: it.ID, Stage: it.Status, Authority: it.Custodian(), Version: s.Version}
}

// Held reports whether somebody has the item in hand.
func (s Slip) Held(now time.Time) bool { return s.Holder != "" && now.Before(s.Until) }

// Parked reports whether the item is put aside.
func (s Slip) Parked(now time.Time) bool { return now.Before(s.ParkedUntil) }

// Kept reports whether the item waits for one person alone.
func (s Slip) Kept(now time.Time) bool { return s.Keeper != "" && now.Before(s.KeptUntil) }

// Escalated reports whether the item waits for a lead.
func (s Slip) Escalated() bool { return !s.EscalatedAt.IsZero() }

// Plain reports whether nothing on the slip is worth keeping it for.
func (s Slip) Plain() bool {
	return s.Holder == "" && s.Keeper == "" && s.ParkedBy == "" && !s.Escalated() && s.HandedBy == "" && s.Text == SlipText{}
}

// leads reports whether the actor is one that items of the slip's desk are
// escalated to.
func (s Slip) leads(by Actor) bool {
	return by.Authority != "" && by.Authority == s.Authority && (by.Has(RoleReviewer) || by.Has(RoleCoordinator))
}

// Bars refuses whoever must leave the item alone just now, saying who has it
// and until when. People of another authority learn no number. Who handed an
// item over or escalated it may take it back while nobody has it in hand.
func (s Slip) Bars(by Actor, it Item, now time.Time) error {
	s = s.At(it)
	if s.Held(now) && s.Holder != by.Person {
		if s.Authority != by.Authority {
			return Refuse(Conflict, "item.claimed", "", "somebody of another authority works on item %s until %s: take another one meanwhile", it.Ref, clockTime(s.Until))
		}
		return Refuse(Conflict, "item.claimed", "", "operator %s works on item %s until %s: take another one, or have a reviewer or coordinator of the authority take it over with a reason", s.Number, it.Ref, clockTime(s.Until))
	}
	if s.Held(now) {
		return nil
	}
	if s.Parked(now) && s.ParkedBy != by.Person {
		return Refuse(Conflict, "item.parked", "", "item %s is parked by a colleague until %s and comes back by itself: a reviewer or coordinator may take it over with a reason", it.Ref, clockTime(s.ParkedUntil))
	}
	if s.Kept(now) && !slices.Contains([]PersonID{s.Keeper, s.ParkedBy, s.HandedBy, s.EscalatedBy}, by.Person) {
		return Refuse(Conflict, "item.kept", "", "item %s waits for the colleague it was handed to until %s: a reviewer or coordinator may take it over with a reason", it.Ref, clockTime(s.KeptUntil))
	}
	if s.Escalated() && s.EscalatedBy != by.Person && !s.leads(by) {
		return Refuse(Conflict, "item.escalated", "", "item %s is escalated and waits for a reviewer or coordinator of the authority: take another one meanwhile", it.Ref)
	}
	return nil
}

// clockTime is a time as a refusal tells it: doors that know the reader's zone
// show the slip itself.
func clockTime(t time.Time) string {
	return t.UTC().Format("15:04") + " UTC (" + t.UTC().Format(time.DateOnly) + ")"
}

// mayWork lets an officer of an authority that found it work on an open item,
// a reviewer of its author's on an assessed one, and a lead on one that was
// escalated. Found says whether the actor's authority has found it.
func (s Slip) mayWork(by Actor, it Item, found bool) error {
	mine := by.Authority != "" && (found || by.Authority == it.Custodian())
	if !mine {
		return ErrNotFound
	}
	if err := it.Standing(); err != nil {
		return err
	}
	switch {
	case it.Status == ItemOpen && s.Escalated() && s.leads(by):
		return nil
	case it.Status == ItemOpen:
		return by.MaySubmit()
	case it.Status != ItemAssessed:
		return Refuse(Conflict, "claim.stage", "", "item %s is %s: it waits for nobody's assessment or decision, so that it cannot be claimed, parked, handed over or escalated", it.Ref, it.Status)
	case by.Authority != it.Author:
		return ErrNotFound
	case s.Escalated() && by.Has(RoleCoordinator):
		return nil
	}
	if err := by.MayApprove(); err != nil {
		return err
	}
	if by.Person == it.Assessor {
		return Refuse(Forbidden, "approval.same_person", "", "you assessed item %s yourself: a second person decides (four eyes)", it.Ref)
	}
	return nil
}

// works is the slip that counts, where the actor may work on the item now.
func (s Slip) works(by Actor, it Item, found bool, now time.Time) (Slip, error) {
	s = s.At(it)
	if err := s.mayWork(by, it, found); err != nil {
		return s, err
	}
	if err := s.Bars(by, it, now); err != nil {
		return s, err
	}
	return s, nil
}

// disposes is works for acts that keep the item from others for longer than a
// claim: they are for the authority that it is the work of.
func (s Slip) disposes(by Actor, it Item, found bool, now time.Time) (Slip, error) {
	s, err := s.works(by, it, found, now)
	if err == nil && by.Authority != it.Custodian() {
		err = Refuse(Forbidden, "claim.custodian", "", "item %s was found first by another authority: you may assess it, but only they park it, hand it over or escalate it", it.Ref)
	}
	s.Authority = it.Custodian()
	return s, err
}

// MayWork refuses whoever may not work on the item, or must leave it to
// somebody else just now.
func (s Slip) MayWork(by Actor, it Item, found bool, now time.Time) error {
	_, err := s.works(by, it, found, now)
	return err
}

// MaySkip refuses whoever the item would never be offered to.
func (s Slip) MaySkip(by Actor, it Item, found bool) error { return s.At(it).mayWork(by, it, found) }

// noted reports whether a note or reason says something and is not too long.
func noted(text string) bool {
	n := utf8.RuneCountInString(strings.TrimSpace(text))
	return n >= noteLeast && n <= noteMost
}

// free is the slip with nobody working on it and without what was parked or
// kept.
func (s Slip) free() Slip {
	s.Holder, s.Number, s.ClaimedAt, s.Until = "", "", time.Time{}, time.Time{}
	s.ParkedBy, s.ParkedUntil, s.Text.Park = "", time.Time{}, ""
	s.Keeper, s.KeptUntil = "", time.Time{}
	return s
}

func (s Slip) event(kind EventKind, by Actor, it Item, b SlipBody, text string, now time.Time) Event {
	b.Ref, b.Authority, b.Stage = it.Ref, s.Authority, it.Status
	e := NewEvent(kind, by, string(it.ID), now, b)
	if text != "" {
		e = e.WithSealed(GroundText{Ground: text})
	}
	return e
}

// ParkedFor puts the item aside until a time, with a reason. It comes back by
// itself, to who parked it first.
func (s Slip) ParkedFor(by Actor, it Item, found bool, until time.Time, reason string, now time.Time) (Slip, Event, error) {
	s, err := s.disposes(by, it, found, now)
	if err != nil {
		return s, Event{}, err
	}
	if !until.After(now) || until.After(now.Add(ParkMost)) {
		return s, Event{}, Refuse(Invalid, "park.until", "until", "say until when it waits: a time from now on, at most %d days ahead", int(ParkMost/(24*time.Hour)))
	}
	if !noted(reason) {
		return s, Event{}, Refuse(Invalid, "park.reason", "reason", "say what it waits for, in %d to %d characters: a colleague reads it", noteLeast, noteMost)
	}
	s = s.free()
	s.ParkedBy, s.ParkedUntil, s.Text.Park = by.Person, until, reason
	s.Keeper, s.KeptUntil = by.Person, until.Add(BackTerm)
	return s, s.event(EventItemParked, by, it, SlipBody{Until: Micros(until)}, reason, now), nil
}

// suits refuses to give the item to somebody who could not do the work. Done
// are those who decided on the assessment already.
func (s Slip) suits(by Actor, it Item, to Person, done []PersonID, lead bool) error {
	a := to.Actor()
	switch {
	case to.ID == by.Person:
		return Refuse(Invalid, "handover.to", "to", "you have it already: name a colleague, or give it back to all")
	case !to.InForce() || to.Authority == "" || to.Authority != s.Authority:
		return Refuse(Invalid, "handover.to", "to", "there is no colleague with this operator number on this desk who could take it: check the number")
	case lead && (a.Has(RoleReviewer) || a.Has(RoleCoordinator)) && to.ID != it.Assessor:
		return nil
	case lead:
		return Refuse(Invalid, "handover.to", "to", "an item is escalated to a reviewer or a coordinator who did not assess it: name one")
	case it.Status == ItemOpen && !a.Has(RoleOfficer):
		return Refuse(Invalid, "handover.to", "to", "item %s waits for an assessment: hand it to an officer", it.Ref)
	case it.Status == ItemAssessed && (!a.Has(RoleReviewer) || to.ID == it.Assessor || slices.Contains(done, to.ID)):
		return Refuse(Invalid, "handover.to", "to", "item %s waits for a decision: hand it to a reviewer who neither assessed it nor decided on it", it.Ref)
	}
	return nil
}

// HandedOver gives the item to a named colleague with a note, or to all (a zero
// to). Whoever it was escalated to answers so.
func (s Slip) HandedOver(by Actor, it Item, found bool, to Person, done []PersonID, note string, now time.Time) (Slip, Event, error) {
	s, err := s.disposes(by, it, found, now)
	if err != nil {
		return s, Event{}, err
	}
	if to.ID != "" {
		if err := s.suits(by, it, to, done, false); err != nil {
			return s, Event{}, err
		}
	}
	if note != "" || to.ID != "" || s.Escalated() {
		if !noted(note) {
			return s, Event{}, Refuse(Invalid, "handover.note", "note", "say what the one who takes it should know, in %d to %d characters", noteLeast, noteMost)
		}
	}
	s = s.free()
	s.EscalatedBy, s.EscalatedAt, s.Text.Escalation = "", time.Time{}, ""
	s.HandedBy, s.HandedAt, s.Text.Note = by.Person, now, note
	if to.ID != "" {
		s.Keeper, s.KeptUntil = to.ID, now.Add(KeptTerm)
	}
	return s, s.event(EventItemHandedOver, by, it, SlipBody{To: to.ID}, note, now), nil
}

// EscalatedTo gives the item to a lead, named or whoever comes first (a zero
// to), and raises its priority.
func (s Slip) EscalatedTo(by Actor, it Item, found bool, to Person, reason string, now time.Time) (Slip, Item, Event, error) {
	s, err := s.disposes(by, it, found, now)
	if err != nil {
		return s, it, Event{}, err
	}
	if s.Escalated() {
		return s, it, Event{}, Refuse(Conflict, "escalation.stands", "", "item %s is escalated already: answer it by handing it over with a note", it.Ref)
	}
	if to.ID != "" {
		if err := s.suits(by, it, to, nil, true); err != nil {
			return s, it, Event{}, err
		}
	}
	if !noted(reason) {
		return s, it, Event{}, Refuse(Invalid, "escalation.reason", "reason", "say what the lead should decide, in %d to %d characters", noteLeast, noteMost)
	}
	s = s.free()
	s.EscalatedBy, s.EscalatedAt, s.Text.Escalation = by.Person, now, reason
	if to.ID != "" {
		s.Keeper, s.KeptUntil = to.ID, now.Add(KeptTerm)
	}
	it.Escalated = true
	it = it.Raised(PriorityFacts{Escalated: true})
	it.UpdatedAt = now
	return s, it, s.event(EventItemEscalated, by, it, SlipBody{To: to.ID}, reason, now), nil
}
