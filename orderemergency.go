package concert

import (
	"strings"
	"time"
	"unicode/utf8"
)

// EmergencyReviewed is the review of an order that was issued in an emergency, within
// 48 hours (G32), by somebody without a part in it: a reviewer or issuer of its
// authority, or a coordinator. What it finds does not change the order; whoever finds
// it unjustified withdraws it.
func (o Order) EmergencyReviewed(by Actor, v Verdict, reason string, now time.Time) (Order, Event, error) {
	if err := o.MayReviewEmergency(by); err != nil {
		return o, Event{}, err
	}
	switch {
	case v != Justified && v != Unjustified:
		return o, Event{}, Refuse(Invalid, "order.verdict", "verdict", "a review finds an emergency %s or %s: got %q", Justified, Unjustified, v)
	case utf8.RuneCountInString(strings.TrimSpace(reason)) < OrderGroundLeast || len(reason) > OrderStatementMost:
		return o, Event{}, Refuse(Invalid, "order.reason", "reason", "say in %d to %d characters what the review found", OrderGroundLeast, OrderStatementMost)
	}
	o.EmergencyVerdict, o.EmergencyReviewer, o.EmergencyReviewedAt, o.UpdatedAt = v, by.Person, now, now
	o.EmergencyFound = strings.TrimSpace(reason)
	e, b := o.change(EventOrderEmergencyReviewed, by, o.Status, now)
	b.Verdict = v
	e.Body = b
	return o, e.WithSealed(GroundText{Ground: o.EmergencyFound}), nil
}

// MayReviewEmergency refuses who does not review the order's emergency, and the review
// of what was none or was reviewed.
func (o Order) MayReviewEmergency(by Actor) error {
	if !o.Mine(by) && !by.Has(RoleCoordinator) {
		return ErrNotFound
	}
	if err := by.Need(RoleReviewer, RoleIssuer, RoleCoordinator); err != nil {
		return err
	}
	switch {
	case by.Person == o.Drafter || by.Person == o.Reviewer || by.Person == o.Approver:
		return Refuse(Forbidden, "order.emergency_own", "", "you had a part in order %s: somebody without one reviews its emergency", o.Ref)
	case !o.Emergency || !o.Status.Out():
		return Refuse(Conflict, "order.no_emergency", "", "order %s was not issued in an emergency: there is nothing to review", o.Ref)
	case o.EmergencyVerdict != "":
		return Refuse(Conflict, "order.emergency_reviewed", "", "the emergency of order %s was reviewed and found %s already: nothing is changed", o.Ref, o.EmergencyVerdict)
	}
	return nil
}
