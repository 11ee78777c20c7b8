package concert

import (
	"slices"
	"strings"
	"time"
)

// OverrideTerm is how soon an overridden hold is reviewed (G32).
const OverrideTerm = 48 * time.Hour

// Verdict is what a review finds of an override.
type Verdict string

// The verdicts.
const (
	Justified   Verdict = "justified"
	Unjustified Verdict = "unjustified"
)

// Override is a person's act that lets a threat to life pass other
// authorities' holds, with its review. No score and no clock makes one.
type Override struct {
	Item       ItemID
	Authority  AuthorityID // the item's author
	By         PersonID
	Reason     string // sealed
	At         time.Time
	DueAt      time.Time // for the review
	Verdict    Verdict   // "" until reviewed
	Reviewer   PersonID
	Ground     string // sealed
	ReviewedAt time.Time
	Version    int64
}

// MayOverride refuses whoever may not override the hold on the item: it takes a
// reviewer of its authority who did not assess it, and a threat to life.
func (it Item) MayOverride(by Actor, a Assessment) error {
	if err := by.MayApprove(); err != nil {
		return err
	}
	switch {
	case by.Authority != it.Author:
		return ErrNotFound
	case by.Person == it.Assessor:
		return Refuse(Forbidden, "override.same_person", "", "you assessed item %s yourself: a second person overrides a hold (four eyes)", it.Ref)
	case a.ID != it.Assessment || a.Severity != SeverityThreat || it.Priority < 9:
		return Refuse(Conflict, "override.severity", "", "only an item that was assessed as a threat to life passes a hold: call the contact instead")
	}
	return nil
}

// HoldOverridden lets a held item pass the holds of others: an explicit act of
// a reviewer who did not assess it, for a threat to life only.
func (it Item) HoldOverridden(by Actor, a Assessment, reason string, now time.Time) (Item, Override, Event, error) {
	if err := it.MayOverride(by, a); err != nil {
		return it, Override{}, Event{}, err
	}
	if len(strings.TrimSpace(reason)) < 20 {
		return it, Override{}, Event{}, Refuse(Invalid, "override.reason", "reason", "say in at least twenty characters why it cannot wait for the holder: it is reviewed within 48 hours")
	}
	before := it
	it, err := it.Moved(MoveRelease, now)
	if err != nil {
		return before, Override{}, Event{}, err
	}
	it.Overridden = true
	b := change(before, it)
	b.Author, b.Severity = it.Author, a.Severity
	o := Override{Item: it.ID, Authority: it.Author, By: by.Person, Reason: reason, At: now, DueAt: now.Add(OverrideTerm), Version: 1}
	return it, o, NewEvent(EventItemHoldOverridden, by, string(it.ID), now, b).WithSealed(GroundText{Ground: reason}), nil
}

// MayReview refuses whoever may not review the override: it takes a coordinator
// or a reviewer of the authority who neither assessed, nor approved, nor
// overrode.
func (o Override) MayReview(by Actor, it Item, approvals []Approval) error {
	ours := by.Authority != "" && by.Authority == o.Authority
	if !ours && !by.Has(RoleCoordinator) {
		return ErrNotFound
	}
	if err := by.Need(RoleCoordinator, RoleReviewer); err != nil {
		return err
	}
	if by.Person == o.By || by.Person == it.Assessor || slices.ContainsFunc(approvals, func(a Approval) bool { return a.Reviewer == by.Person }) {
		return Refuse(Forbidden, "override.same_person", "", "you had a part in item %s: somebody who neither assessed, approved nor overrode it reviews the override", it.Ref)
	}
	if o.Verdict != "" {
		return Refuse(Conflict, "override.reviewed", "", "this override is reviewed already: %s", o.Verdict)
	}
	return nil
}

// Reviewed records the verdict on the override.
func (o Override) Reviewed(by Actor, it Item, approvals []Approval, v Verdict, ground string, now time.Time) (Override, Event, error) {
	if err := o.MayReview(by, it, approvals); err != nil {
		return o, Event{}, err
	}
	if v != Justified && v != Unjustified {
		return o, Event{}, Refuse(Invalid, "override.verdict", "verdict", "a verdict is justified or unjustified: choose one")
	}
	if len(strings.TrimSpace(ground)) < 20 {
		return o, Event{}, Refuse(Invalid, "override.reason", "reason", "a review needs a reason of at least twenty characters")
	}
	o.Verdict, o.Reviewer, o.Ground, o.ReviewedAt = v, by.Person, ground, now
	return o, o.event(EventOverrideReviewed, by, it, now).WithSealed(GroundText{Ground: ground}), nil
}

// Unreviewed is what a review that nobody made in time leads to: an alarm.
func (o Override) Unreviewed(it Item, now time.Time) (Alarm, Event) {
	return Alarm{Kind: AlarmUnreviewed, Authority: o.Authority, Item: it.ID, At: now}, o.event(EventOverrideUnreviewed, House, it, now)
}

func (o Override) event(kind EventKind, by Actor, it Item, now time.Time) Event {
	return NewEvent(kind, by, string(it.ID), now, ItemBody{Ref: it.Ref, Action: it.Action, Authority: it.Authority, Author: o.Authority, Reason: string(o.Verdict)})
}
