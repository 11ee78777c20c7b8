package concert

import "time"

// HoldTerm is how long a hold stands.
const HoldTerm = 30 * 24 * time.Hour

// Hold asks every other authority to keep off a place, without telling why
// (G07). Others see only that there is one, and a contact.
type Hold struct {
	ID         HoldID
	Ref        string
	Authority  AuthorityID
	Place      [32]byte // keyed digest; the place itself is sealed to the holder
	Location   Location // sealed
	Contact    string
	Case       string // sealed: the holder's own reference
	PlacedBy   PersonID
	CreatedAt  time.Time
	ExpiresAt  time.Time
	ReleasedAt time.Time
	ReleasedBy PersonID
	Exercise   bool
	Version    int64
}

// Placed checks a new hold.
func (h Hold) Placed(by Actor, now time.Time) (Hold, Event, error) {
	if err := by.needAuthority(RoleOfficer); err != nil {
		return h, Event{}, err
	}
	if h.Contact == "" {
		return h, Event{}, Refuse(Invalid, "hold.contact", "contact", "a hold needs a contact that the others may call")
	}
	h.Authority, h.PlacedBy, h.CreatedAt, h.ExpiresAt = by.Authority, by.Person, now, now.Add(HoldTerm)
	return h, NewEvent(EventHoldPlaced, by, string(h.ID), now, RegisterBody{Ref: h.Ref, Authority: h.Authority}), nil
}

// Stands reports whether the hold stops this authority's dispatch now.
func (h Hold) Stands(author AuthorityID, now time.Time) bool {
	return h.Authority != author && h.ReleasedAt.IsZero() && now.Before(h.ExpiresAt)
}

// Released ends the hold.
func (h Hold) Released(by Actor, reason string, now time.Time) (Hold, Event, error) {
	if by.Authority == "" || by.Authority != h.Authority {
		return h, Event{}, ErrNotFound
	}
	if err := by.Need(RoleOfficer, RoleReviewer); err != nil {
		return h, Event{}, err
	}
	if !h.ReleasedAt.IsZero() {
		return h, Event{}, Refuse(Conflict, "hold.released", "", "this hold is released already")
	}
	if len(reason) < 5 {
		return h, Event{}, Refuse(Invalid, "hold.reason", "reason", "releasing a hold needs a reason")
	}
	h.ReleasedAt, h.ReleasedBy = now, by.Person
	return h, NewEvent(EventHoldReleased, by, string(h.ID), now, RegisterBody{Ref: h.Ref, Authority: h.Authority}), nil
}
