package concert

import (
	"slices"
	"time"
)

// Atrocity marks an item as evidence of an atrocity. While it stands the item is
// not referred before somebody preserves the content, since a removal destroys
// it (G26), and nothing of the item is erased. There is at most one an item; a
// lifted one may be placed again.
type Atrocity struct {
	Item           ItemID
	Authority      AuthorityID // whose officer or reviewer marked it
	By             PersonID
	Ground         string // sealed
	At             time.Time
	PreservedUntil time.Time // until when it is known to be preserved; zero for not at all
	LiftedBy       PersonID
	LiftedAt       time.Time
}

// Stands reports whether the item is marked.
func (m Atrocity) Stands() bool { return !m.At.IsZero() && m.LiftedAt.IsZero() }

// Blocks reports whether the mark keeps the item from being referred at the
// time: nobody is known to preserve it.
func (m Atrocity) Blocks(now time.Time) bool { return m.Stands() && !m.PreservedUntil.After(now) }

// Erasable refuses the erasure of an item while the mark stands.
func (m Atrocity) Erasable(it Item) error {
	if !m.Stands() {
		return nil
	}
	return Refuse(Conflict, "erasure.atrocity", "", "item %s is marked as evidence of an atrocity since %s and is not erased: a reviewer other than who marked it lifts the mark first, with a ground", it.Ref, m.At.UTC().Format(time.DateOnly))
}

// PreservationWay is who keeps the content.
type PreservationWay string

// The ways.
const (
	PreservedByProvider PreservationWay = "provider" // the provider, on request
	PreservedHere       PreservationWay = "own"      // the authority itself, in its capture
	PreservedElsewhere  PreservationWay = "other"    // another body, an archive or a mechanism with a mandate
)

// PreservationWays lists them.
var PreservationWays = []PreservationWay{PreservedByProvider, PreservedHere, PreservedElsewhere}

// Preservation records who preserves an item's content, on what request and
// until when. Records are never changed; a later one adds to them.
type Preservation struct {
	Ref       string
	Item      ItemID
	Authority AuthorityID
	By        PersonID
	Way       PreservationWay
	Holder    string // who preserves; sealed, as are the next two
	Reference string // of the request or the deposit
	Ground    string
	On        time.Time // the day of the request or the deposit
	Until     time.Time
	At        time.Time
}

// PreservationBody is the body of events on a mark of an atrocity and on
// preservation.
type PreservationBody struct {
	Ref          string          `json:"ref"` // of the item
	Authority    AuthorityID     `json:"authority"`
	Preservation string          `json:"preservation,omitempty"`
	Way          PreservationWay `json:"way,omitempty"`
	On           string          `json:"on,omitempty"`    // date
	Until        string          `json:"until,omitempty"` // date
	Late         bool            `json:"late,omitempty"`  // it had been referred already
}

// PreservationText is the sealed part of a preservation record.
type PreservationText struct {
	Holder    string `json:"holder"`
	Reference string `json:"reference"`
	Ground    string `json:"ground"`
}

// AtrocityMarked marks the item: m holds the ground, earlier is the mark so far.
// The caller has made sure that the actor's authority found or judged the item.
func (it Item) AtrocityMarked(by Actor, m, earlier Atrocity, now time.Time) (Atrocity, Event, error) {
	if err := by.MayCapture(); err != nil {
		return m, Event{}, err
	}
	if err := it.Standing(); err != nil {
		return m, Event{}, err
	}
	if earlier.Stands() {
		return m, Event{}, Refuse(Conflict, "atrocity.marked", "", "item %s is marked as evidence of an atrocity already, since %s", it.Ref, earlier.At.UTC().Format(time.DateOnly))
	}
	if !between(m.Ground, 10, 4000) {
		return m, Event{}, Refuse(Invalid, "atrocity.ground", "ground", "say in 10 to 4000 characters of what crime item %s may be evidence", it.Ref)
	}
	m = Atrocity{Item: it.ID, Authority: by.Authority, By: by.Person, Ground: m.Ground, At: now, PreservedUntil: earlier.PreservedUntil}
	return m, NewEvent(EventAtrocityMarked, by, string(it.ID), now, PreservationBody{Ref: it.Ref, Authority: by.Authority, Late: it.Referral != ""}).WithSealed(GroundText{Ground: m.Ground}), nil
}

// AtrocityLifted ends the mark: it was wrong. A reviewer of the item's custodian
// does, who did not place it.
func (it Item) AtrocityLifted(by Actor, m Atrocity, ground string, now time.Time) (Atrocity, Event, error) {
	if err := by.MayKeep(it, RoleReviewer); err != nil {
		return m, Event{}, err
	}
	if err := it.Standing(); err != nil {
		return m, Event{}, err
	}
	switch {
	case !m.Stands():
		return m, Event{}, Refuse(Conflict, "atrocity.none", "", "item %s is not marked as evidence of an atrocity: there is no mark to lift", it.Ref)
	case m.By == by.Person:
		return m, Event{}, Refuse(Forbidden, "atrocity.same_person", "", "you marked item %s yourself: another reviewer lifts the mark", it.Ref)
	case !between(ground, 10, 4000):
		return m, Event{}, Refuse(Invalid, "atrocity.ground", "ground", "say in 10 to 4000 characters why item %s is no evidence of an atrocity", it.Ref)
	}
	m.LiftedBy, m.LiftedAt = by.Person, now
	return m, NewEvent(EventAtrocityLifted, by, string(it.ID), now, PreservationBody{Ref: it.Ref, Authority: by.Authority}).WithSealed(GroundText{Ground: ground}), nil
}

// Preserved records who preserves a marked item. The authority's own capture
// counts only where it has one with its bytes: captures are its own.
func (it Item) Preserved(by Actor, m Atrocity, p Preservation, captures []Capture, now time.Time) (Atrocity, Preservation, Event, error) {
	if err := by.MayCapture(); err != nil {
		return m, p, Event{}, err
	}
	if err := it.Standing(); err != nil {
		return m, p, Event{}, err
	}
	live := slices.ContainsFunc(captures, func(c Capture) bool { return c.Authority == by.Authority && c.ErasedAt.IsZero() })
	switch {
	case !m.Stands():
		return m, p, Event{}, Refuse(Conflict, "atrocity.none", "", "item %s is not marked as evidence of an atrocity: mark it first, with its ground", it.Ref)
	case !slices.Contains(PreservationWays, p.Way):
		return m, p, Event{}, Refuse(Invalid, "preservation.way", "way", "%q is no way to preserve; the ways are %v", p.Way, PreservationWays)
	case p.Way == PreservedHere && !live:
		return m, p, Event{}, Refuse(Conflict, "preservation.capture", "way", "your authority holds no capture of item %s: add one first, or name who else preserves it", it.Ref)
	case !between(p.Holder, 2, 200):
		return m, p, Event{}, Refuse(Invalid, "preservation.holder", "holder", "name who preserves the content of item %s, in 2 to 200 characters", it.Ref)
	case !between(p.Reference, 2, 200):
		return m, p, Event{}, Refuse(Invalid, "preservation.reference", "reference", "give the reference of the request or the deposit, in 2 to 200 characters")
	case !between(p.Ground, 10, 4000):
		return m, p, Event{}, Refuse(Invalid, "preservation.ground", "ground", "say in 10 to 4000 characters on what ground it is preserved")
	case p.On.IsZero() || p.On.After(now):
		return m, p, Event{}, Refuse(Invalid, "preservation.on", "on", "give the day on which it was asked for or deposited, today at the latest")
	case !p.Until.After(now):
		return m, p, Event{}, Refuse(Invalid, "preservation.until", "until", "give the day until which the content of item %s is preserved: one that is yet to come", it.Ref)
	}
	p.Item, p.Authority, p.By, p.At = it.ID, by.Authority, by.Person, now
	if p.Until.After(m.PreservedUntil) {
		m.PreservedUntil = p.Until
	}
	b := PreservationBody{Ref: it.Ref, Authority: by.Authority, Preservation: p.Ref, Way: p.Way, On: p.On.Format(time.DateOnly), Until: p.Until.Format(time.DateOnly), Late: it.Referral != ""}
	return m, p, NewEvent(EventPreserved, by, string(it.ID), now, b).WithSealed(PreservationText{Holder: p.Holder, Reference: p.Reference, Ground: p.Ground}), nil
}
