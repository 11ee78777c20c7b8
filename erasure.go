package concert

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// ErasureTerm is how long what was found lawful, or never went out, is kept
// after that was said: long enough for redress (Directive (EU) 2016/680 Art. 5; G22).
const ErasureTerm = 30 * 24 * time.Hour

// ErasureCode says why an item is erased.
type ErasureCode string

// The house's own reasons, when a term is over.
const (
	ErasureLawful    ErasureCode = "judged_lawful" // found exempt under Art. 1(3), or rejected by a reviewer
	ErasureStopped   ErasureCode = "guard_stopped" // the guard stopped it, nobody judged it
	ErasureTakenBack ErasureCode = "taken_back"    // withdrawn before it went out; of captures: withdrawn
	ErasureTermOver  ErasureCode = "term_over"     // of captures: six months after the referral

	ErasureUnreviewed ErasureCode = "unreviewed" // a case's review did not come in time
)

// What people ask for. Each is confirmed by a second person.
const (
	ErasureSubject   ErasureCode = "data_subject" // the person concerned asked (Directive (EU) 2016/680 Art. 16(2))
	ErasureUnlawful  ErasureCode = "unlawful"     // it ought never to have been kept (Art. 16(2))
	ErasureNotNeeded ErasureCode = "not_needed"   // its purpose is over (Art. 4(1)(e))
	ErasureOrdered   ErasureCode = "ordered"      // a court or a supervisory authority ordered it
	ErasureMistaken  ErasureCode = "mistaken"     // handed in by mistake
)

// ErasureCodes lists what people may ask for.
var ErasureCodes = []ErasureCode{ErasureSubject, ErasureUnlawful, ErasureNotNeeded, ErasureOrdered, ErasureMistaken}

// Erasure is the erasure of one item: asked for by one person and confirmed by
// a second, or done by the house when a term was over. There is at most one a item.
type Erasure struct {
	Item        ItemID
	Code        ErasureCode
	Reason      string // sealed under the item's own key: gone with it
	AskedBy     PersonID
	AskedAt     time.Time
	ConfirmedBy PersonID  // "" while it waits, and where the house erased
	ErasedAt    time.Time // zero while it waits
	Captures    int       // how many captures' bytes went with it; known to its event only
}

// ErasureBody is the body of events on an item's erasure. Events and Remains
// bind what is left of the item's history (formats: docs/formats/event.md).
type ErasureBody struct {
	Ref       string      `json:"ref"`
	Authority AuthorityID `json:"authority"` // the item's custodian
	Code      ErasureCode `json:"code,omitempty"`
	AskedBy   PersonID    `json:"asked_by,omitempty"`
	Events    int         `json:"events,omitempty"`   // how many of the item's events it erased
	Remains   string      `json:"remains,omitempty"`  // SHA-256 over what remains of them, hex
	Captures  int         `json:"captures,omitempty"` // how many captures' bytes went with it
}

// Custodian is the authority that answers for the item: whose officer judged
// it, else who found it first.
func (it Item) Custodian() AuthorityID {
	if it.Author != "" {
		return it.Author
	}
	return it.Authority
}

// MayKeep refuses whoever is not of the item's custodian with one of the
// roles; others get the answer a missing item gets.
func (a Actor) MayKeep(it Item, roles ...Role) error {
	if a.Authority == "" || a.Authority != it.Custodian() {
		return ErrNotFound
	}
	return a.Need(roles...)
}

// Standing refuses whatever is to be done with an item that was erased.
func (it Item) Standing() error {
	if it.ErasedAt.IsZero() {
		return nil
	}
	return Refuse(Conflict, "item.erased", "", "item %s was erased on %s: nothing of it is kept and nothing can be done with it; the place, found anew, is a new item", it.Ref, it.ErasedAt.UTC().Format(time.DateOnly))
}

// Remaining is all that may still be shown of an erased item; other items stay
// as they are.
func (it Item) Remaining() Item {
	if it.ErasedAt.IsZero() {
		return it
	}
	return Item{ID: it.ID, Ref: it.Ref, Status: it.Status, Priority: it.Priority, Authority: it.Authority, Author: it.Author, ErasedAt: it.ErasedAt, Exercise: it.Exercise, CreatedAt: it.CreatedAt, UpdatedAt: it.ErasedAt, Version: it.Version}
}

// ErasureDue is when the house erases the item by itself, and why: what was
// found lawful, what the guard stopped, and what was taken back before it went
// out, ErasureTerm after that. Everything else stays until people ask.
func (it Item) ErasureDue() (at time.Time, code ErasureCode, due bool) {
	switch {
	case !it.ErasedAt.IsZero():
		return at, "", false
	case it.Status == ItemRejected:
		code = ErasureLawful
	case it.Status == ItemStopped:
		code = ErasureStopped
	case it.Status == ItemWithdrawn && it.Referral == "":
		code = ErasureTakenBack
	default:
		return at, "", false
	}
	return it.UpdatedAt.Add(ErasureTerm), code, true
}

// erasable refuses while a legal hold stands.
func (it Item) erasable() error {
	if err := it.Standing(); err != nil {
		return err
	}
	if !it.HeldLegal.IsZero() {
		return Refuse(Conflict, "erasure.legal_hold", "", "a legal hold keeps item %s since %s: lift it first, with its reason", it.Ref, it.HeldLegal.UTC().Format(time.DateOnly))
	}
	return nil
}

// ErasureAsked records that an officer or reviewer of the custodian asks for
// the item's erasure. A later request takes the place of one that waits.
func (it Item) ErasureAsked(by Actor, e Erasure, now time.Time) (Erasure, Event, error) {
	if err := by.MayKeep(it, RoleOfficer, RoleReviewer); err != nil {
		return e, Event{}, err
	}
	if err := it.erasable(); err != nil {
		return e, Event{}, err
	}
	if !slices.Contains(ErasureCodes, e.Code) {
		return e, Event{}, Refuse(Invalid, "erasure.code", "code", "%q is no reason to erase; the reasons are %v", e.Code, ErasureCodes)
	}
	if len(strings.TrimSpace(e.Reason)) < 10 {
		return e, Event{}, Refuse(Invalid, "erasure.reason", "reason", "say in at least ten characters why item %s is to be erased: whoever confirms it reads that, and it is erased with the item", it.Ref)
	}
	e.Item, e.AskedBy, e.AskedAt, e.ConfirmedBy, e.ErasedAt = it.ID, by.Person, now, "", time.Time{}
	return e, NewEvent(EventErasureAsked, by, string(it.ID), now, ErasureBody{Ref: it.Ref, Authority: it.Custodian(), Code: e.Code}).WithSealed(GroundText{Ground: e.Reason}), nil
}

// Erased confirms what another person asked for.
func (it Item) Erased(by Actor, e Erasure, now time.Time) (Item, Erasure, error) {
	if err := by.MayKeep(it, RoleReviewer); err != nil {
		return it, e, err
	}
	if err := it.erasable(); err != nil {
		return it, e, err
	}
	if e.AskedBy == "" {
		return it, e, Refuse(Conflict, "erasure.none", "", "nobody asked for the erasure of item %s: ask for it first, a second person confirms", it.Ref)
	}
	if e.AskedBy == by.Person {
		return it, e, Refuse(Forbidden, "erasure.same_person", "", "you asked for the erasure of item %s yourself: a second person confirms it", it.Ref)
	}
	it.ErasedAt, e.ConfirmedBy, e.ErasedAt = now, by.Person, now
	return it, e, nil
}

// Expired erases what the house keeps no longer; again is when to ask anew, or
// zero for never.
func (it Item) Expired(now time.Time) (next Item, e Erasure, again time.Time, err error) {
	at, code, due := it.ErasureDue()
	if !due {
		return it, e, again, Refuse(Conflict, "erasure.term", "", "item %s is %s: no term ends for it", it.Ref, it.Status)
	}
	if err := it.erasable(); err != nil {
		return it, e, again, err
	}
	if now.Before(at) {
		return it, e, at, Refuse(Conflict, "erasure.term", "", "item %s is kept until %s", it.Ref, at.Format(time.DateOnly))
	}
	it.ErasedAt = now
	return it, Erasure{Item: it.ID, Code: code, AskedBy: House.Person, AskedAt: now, ErasedAt: now}, again, nil
}

// Done is the event of an erasure that took n events, of which remains is the
// digest (RecordedEvent.Remains).
func (e Erasure) Done(by Actor, it Item, n int, remains [sha256.Size]byte) Event {
	return NewEvent(EventItemErased, by, string(it.ID), e.ErasedAt, ErasureBody{Ref: it.Ref, Authority: it.Custodian(), Code: e.Code, AskedBy: e.AskedBy, Events: n, Remains: hex.EncodeToString(remains[:]), Captures: e.Captures})
}

// LegallyHeld keeps the item from erasure: it is evidence somewhere
// (Directive (EU) 2016/680 Art. 16(3)).
func (it Item) LegallyHeld(by Actor, reason string, now time.Time) (Item, Event, error) {
	if err := it.legal(by, reason); err != nil {
		return it, Event{}, err
	}
	if !it.HeldLegal.IsZero() {
		return it, Event{}, Refuse(Conflict, "legal_hold.placed", "", "a legal hold stands on item %s already, since %s", it.Ref, it.HeldLegal.UTC().Format(time.DateOnly))
	}
	it.HeldLegal = now
	return it, NewEvent(EventLegalHoldPlaced, by, string(it.ID), now, ErasureBody{Ref: it.Ref, Authority: it.Custodian()}).WithSealed(GroundText{Ground: reason}), nil
}

// LegallyFree ends the legal hold.
func (it Item) LegallyFree(by Actor, reason string, now time.Time) (Item, Event, error) {
	if err := it.legal(by, reason); err != nil {
		return it, Event{}, err
	}
	if it.HeldLegal.IsZero() {
		return it, Event{}, Refuse(Conflict, "legal_hold.none", "", "no legal hold stands on item %s: there is nothing to lift", it.Ref)
	}
	it.HeldLegal = time.Time{}
	return it, NewEvent(EventLegalHoldLifted, by, string(it.ID), now, ErasureBody{Ref: it.Ref, Authority: it.Custodian()}).WithSealed(GroundText{Ground: reason}), nil
}

func (it Item) legal(by Actor, reason string) error {
	if err := by.MayKeep(it, RoleReviewer); err != nil {
		return err
	}
	if err := it.Standing(); err != nil {
		return err
	}
	if len(strings.TrimSpace(reason)) < 10 {
		return Refuse(Invalid, "legal_hold.reason", "reason", "a legal hold is placed and lifted with a reason of at least ten characters")
	}
	return nil
}

// ErasureProofFormat names the proof of an erasure, version 1
// (docs/formats/erasure.md).
const ErasureProofFormat = "concert-erasure/1"

// ErasureProof shows, offline, that an erasure stands in the log: the event as
// it was committed to, its place, and the signed head.
type ErasureProof struct {
	Format     string   `json:"format"`
	Origin     string   `json:"origin"`
	LogKey     string   `json:"log_key"`
	Exercise   bool     `json:"exercise"`
	Item       string   `json:"item"`
	Event      string   `json:"event"` // canonical text (RecordedEvent.Canonical)
	Salt       []byte   `json:"salt"`
	Index      int64    `json:"index"`
	Inclusion  [][]byte `json:"inclusion"` // RFC 6962 audit path
	Checkpoint string   `json:"checkpoint"`
}
