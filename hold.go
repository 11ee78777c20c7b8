package concert

import (
	"strings"
	"time"
)

const (
	// HoldTerm is how long a hold stands, and how long it stands on after a
	// renewal, counted from the renewal.
	HoldTerm = 30 * 24 * time.Hour
	// HoldRenewals is how often a hold may be renewed.
	HoldRenewals = 2
)

// Hold asks every other authority to keep off a place, or off the very bytes of
// a work wherever a copy lies, without telling why (G07). Others learn of it
// only when an approved item of theirs meets it at its dispatch, and then only
// that there is one, and a contact.
type Hold struct {
	ID         HoldID
	Ref        string
	Authority  AuthorityID
	Place      [32]byte   // keyed digest of the place; zero where it covers bytes only
	Content    [32]byte   // keyed digest of the bytes' SHA-256; zero where it covers a place only
	Location   Location   // sealed to the holder
	Hash       string     // SHA-256 in hex, sealed to the holder
	Contact    string     // sealed for the house, which shows it to who meets the hold
	Case       string     // sealed to the holder: its own reference
	Notes      []HoldNote // sealed to the holder: why it was renewed and released
	Renewals   int
	PlacedBy   PersonID
	CreatedAt  time.Time
	ExpiresAt  time.Time
	ReleasedAt time.Time
	ReleasedBy PersonID
	Exercise   bool
	Version    int64
}

// HoldNote is a reason given while a hold stood.
type HoldNote struct {
	What   string    `json:"what"` // renewed or released
	By     PersonID  `json:"by"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
}

// Placed checks a new hold.
func (h Hold) Placed(by Actor, now time.Time) (Hold, Event, error) {
	if err := by.needAuthority(RoleOfficer); err != nil {
		return h, Event{}, err
	}
	if h.Place == [32]byte{} && h.Content == [32]byte{} {
		return h, Event{}, Refuse(Invalid, "hold.subject", "location", "a hold covers a place, or the exact bytes by their SHA-256, or both: name one")
	}
	if strings.TrimSpace(h.Contact) == "" {
		return h, Event{}, Refuse(Invalid, "hold.contact", "contact", "a hold needs a contact that the others may call")
	}
	h.Authority, h.PlacedBy, h.CreatedAt, h.ExpiresAt = by.Authority, by.Person, now, now.Add(HoldTerm)
	return h, h.event(EventHoldPlaced, by, now), nil
}

func (h Hold) event(kind EventKind, by Actor, now time.Time) Event {
	return NewEvent(kind, by, string(h.ID), now, RegisterBody{Ref: h.Ref, Authority: h.Authority})
}

// Stands reports whether the hold stops this authority's dispatch now.
func (h Hold) Stands(author AuthorityID, now time.Time) bool {
	return h.Authority != author && h.InForce(now)
}

// InForce reports whether the hold is neither released nor over.
func (h Hold) InForce(now time.Time) bool { return h.ReleasedAt.IsZero() && now.Before(h.ExpiresAt) }

// Covers reports whether the item lies at the hold's place, or is a capture of
// its very bytes.
func (h Hold) Covers(it Item) bool {
	none := [32]byte{}
	return h.Place != none && h.Place == it.Place || h.Content != none && h.Content == it.Content
}

// may refuses whoever is not of the holder, as if there were no hold, and who
// of the holder has no part in it.
func (h Hold) may(by Actor) error {
	if by.Authority == "" || by.Authority != h.Authority {
		return ErrNotFound
	}
	return by.Need(RoleOfficer, RoleReviewer)
}

// noted is the hold with one more reason; the old notes stay as they are.
func (h Hold) noted(what string, by Actor, reason string, now time.Time) (Hold, error) {
	if len(strings.TrimSpace(reason)) < 5 {
		return h, Refuse(Invalid, "hold.reason", "reason", "a hold is placed, renewed and released with a reason of at least five characters: only your authority can read it")
	}
	h.Notes = append(h.Notes[:len(h.Notes):len(h.Notes)], HoldNote{What: what, By: by.Person, At: now, Reason: reason})
	return h, nil
}

// Released ends the hold.
func (h Hold) Released(by Actor, reason string, now time.Time) (Hold, Event, error) {
	if err := h.may(by); err != nil {
		return h, Event{}, err
	}
	if !h.ReleasedAt.IsZero() {
		return h, Event{}, Refuse(Conflict, "hold.released", "", "this hold is released already")
	}
	next, err := h.noted("released", by, reason, now)
	if err != nil {
		return h, Event{}, err
	}
	next.ReleasedAt, next.ReleasedBy = now, by.Person
	return next, next.event(EventHoldReleased, by, now), nil
}

// Renewed lets the hold stand for another term from now: twice at most, by a
// second person of the holder, while it stands.
func (h Hold) Renewed(by Actor, reason string, now time.Time) (Hold, Event, error) {
	if err := h.may(by); err != nil {
		return h, Event{}, err
	}
	switch {
	case !h.InForce(now):
		return h, Event{}, Refuse(Conflict, "hold.over", "", "this hold no longer stands: place a new one if the reason still stands")
	case h.Renewals >= HoldRenewals:
		return h, Event{}, Refuse(Conflict, "hold.renewals", "", "this hold was renewed %d times, which is the most: when it ends, judge anew whether to place another", HoldRenewals)
	case by.Person == h.PlacedBy:
		return h, Event{}, Refuse(Forbidden, "hold.same_person", "", "you placed this hold yourself: a second person of your authority renews it")
	}
	next, err := h.noted("renewed", by, reason, now)
	if err != nil {
		return h, Event{}, err
	}
	next.Renewals++
	next.ExpiresAt = now.Add(HoldTerm)
	return next, next.event(EventHoldRenewed, by, now), nil
}

// ShownTo is the item as an authority may see it: a hold shows to the item's
// author alone, since only dispatching an approved item asks for it. To others
// that found the item it stands as it stood before.
func (it Item) ShownTo(a AuthorityID) Item {
	if it.Status == ItemHeld && it.Author != a {
		it.Status, it.Version = ItemApproved, it.Version-1
	}
	return it
}

// AskedKind is how an item came upon a hold.
type AskedKind string

// The ways.
const (
	AskedDispatch AskedKind = "dispatch" // the hold stopped it
	AskedLate     AskedKind = "late"     // it had been referred when the hold was placed
	AskedOverride AskedKind = "override" // a threat to life let it pass
	AskedAlike    AskedKind = "alike"    // it holds a copy of what the hold covers; nothing stopped it, and its finder is told nothing
)

// Mirrored records that another authority captured a copy of what the hold covers,
// so that its holder knows and may call. A match decides nothing: neither is the
// item stopped nor is its finder told.
func (h Hold) Mirrored(it Item, by AuthorityID, now time.Time) (Asked, Event, bool) {
	if !h.Stands(by, now) {
		return Asked{}, Event{}, false
	}
	it.Author = by
	a, e := h.Asked(House, it, AskedAlike, now)
	return a, e, true
}

// Asked is one item of another authority that came upon a hold, as the holder
// learns it: who, which and when, nothing of what was judged.
type Asked struct {
	Hold       HoldID
	Item       ItemID
	ItemRef    string
	Authority  AuthorityID
	Kind       AskedKind
	At         time.Time
	ReferredAt time.Time // when the item went out, zero where it did not
}

// Asked records that another authority's item came upon the hold. What a late
// hold meets is the item's event, since its author is offered to withdraw.
func (h Hold) Asked(by Actor, it Item, kind AskedKind, now time.Time) (Asked, Event) {
	a := Asked{Hold: h.ID, Item: it.ID, ItemRef: it.Ref, Authority: it.Author, Kind: kind, At: now}
	if kind == AskedLate {
		return a, NewEvent(EventHoldLate, by, string(it.ID), now, ItemBody{Ref: it.Ref, Authority: it.Authority, Author: it.Author, Hold: h.Ref})
	}
	return a, NewEvent(EventHoldAsked, by, string(h.ID), now, RegisterBody{Ref: h.Ref, Kind: string(kind), Authority: it.Author})
}

// The limit on what one authority may learn of others' holds.
const (
	ProbeWindow = 24 * time.Hour // of case time
	ProbeLeast  = 20             // holds met in it that are always unsuspicious
	ProbeShare  = 10             // one in so many of the items referred in it is unsuspicious, too
)

// Probe is what an authority met and referred in the last ProbeWindow. Whoever
// meets holds far more often than work brings with it searches for them.
type Probe struct {
	Met      []time.Time // when each item first met a hold, oldest first
	Referred int         // items
}

// Allowed is how many holds the authority may meet in the window.
func (p Probe) Allowed() int { return max(ProbeLeast, p.Referred/ProbeShare) }

// Exceeded reports whether the authority met more: its items that are not
// urgent then stay approved, neither sent nor shown held, so that nothing more
// is learned.
func (p Probe) Exceeded() bool { return len(p.Met) > p.Allowed() }

// Resumes is when the window has moved so far that the authority may go on.
func (p Probe) Resumes() time.Time {
	if !p.Exceeded() {
		return time.Time{}
	}
	return p.Met[len(p.Met)-1-p.Allowed()].Add(ProbeWindow)
}
