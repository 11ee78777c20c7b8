package concert

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// BulletinKind is what a bulletin is for.
type BulletinKind string

// The kinds.
const (
	BulletinOrder      BulletinKind = "order"      // order of the day: pinned to the wall until taken down
	BulletinAnnotation BulletinKind = "annotation" // a mark on the timeline
	BulletinHandOver   BulletinKind = "hand_over"  // note to who coordinates next; taking it takes command
	BulletinRollCall   BulletinKind = "roll_call"  // everybody reports anew
)

// BulletinKinds lists them.
var BulletinKinds = []BulletinKind{BulletinOrder, BulletinAnnotation, BulletinHandOver, BulletinRollCall}

// Bulletin is a coordinator's word within an action. Orders and roll calls
// stand on the wall, so they name no person and no place.
type Bulletin struct {
	ID      BulletinID
	Ref     string
	Action  ActionID
	Kind    BulletinKind
	Text    string // sealed
	By      PersonID
	At      time.Time
	To      PersonID  // who takes over, for hand_over
	EndedBy PersonID  // took it down, or took command
	EndedAt time.Time // zero while it stands
	Version int64
}

// bulletinMost bounds a bulletin's text, in characters: what a wall can show,
// and what a shift has to say.
func (k BulletinKind) most() int {
	if k == BulletinHandOver {
		return 4000
	}
	return 280
}

// OnWall reports whether bulletins of the kind stand on the wall.
func (k BulletinKind) OnWall() bool { return k == BulletinOrder || k == BulletinRollCall }

// Posted checks a new bulletin; an annotation may still be made once the action
// is closed.
func (b Bulletin) Posted(by Actor, a Action, now time.Time) (Bulletin, Event, error) {
	err := a.running(by)
	if b.Kind == BulletinAnnotation {
		err = by.Need(RoleCoordinator)
	}
	if err != nil {
		return b, Event{}, err
	}
	b.Text = strings.TrimSpace(b.Text)
	switch n := utf8.RuneCountInString(b.Text); {
	case !slices.Contains(BulletinKinds, b.Kind):
		return b, Event{}, Refuse(Invalid, "bulletin.kind", "kind", "%q is no bulletin; the kinds are %v", b.Kind, BulletinKinds)
	case n < 3:
		return b, Event{}, Refuse(Invalid, "bulletin.text", "text", "a bulletin says something, in at least three characters")
	case n > b.Kind.most():
		return b, Event{}, Refuse(TooLarge, "bulletin.text_long", "text", "this has %d characters; at most %d are read", n, b.Kind.most())
	case b.Kind == BulletinHandOver && b.To == "":
		return b, Event{}, Refuse(Invalid, "bulletin.to", "to", "say who takes over: a coordinator, by operator number")
	case b.Kind == BulletinHandOver && b.To == by.Person:
		return b, Event{}, Refuse(Invalid, "bulletin.to_self", "to", "you hand over to another coordinator, not to yourself: name one")
	}
	b.Action, b.By, b.At = a.ID, by.Person, now
	e := NewEvent(EventBulletinPosted, by, string(b.ID), now, ActionBody{Action: a.ID, Ref: b.Ref, Kind: string(b.Kind), Person: b.To})
	return b, e.WithSealed(GroundText{Ground: b.Text}), nil
}

// TakenDown ends an order or a roll call.
func (b Bulletin) TakenDown(by Actor, now time.Time) (Bulletin, Event, error) {
	if err := by.Need(RoleCoordinator); err != nil {
		return b, Event{}, err
	}
	if !b.Kind.OnWall() || !b.EndedAt.IsZero() {
		return b, Event{}, Refuse(Conflict, "bulletin.ended", "", "bulletin %s does not stand on the wall: there is nothing to take down", b.Ref)
	}
	b.EndedBy, b.EndedAt = by.Person, now
	return b, NewEvent(EventBulletinTakenDown, by, string(b.ID), now, ActionBody{Action: b.Action, Ref: b.Ref, Kind: string(b.Kind)}), nil
}

// Taken is the new coordinator's word that the hand-over was read: from now on
// that person commands.
func (b Bulletin) Taken(by Actor, now time.Time) (Bulletin, Event, error) {
	if err := by.Need(RoleCoordinator); err != nil {
		return b, Event{}, err
	}
	switch {
	case b.Kind != BulletinHandOver || !b.EndedAt.IsZero():
		return b, Event{}, Refuse(Conflict, "bulletin.no_hand_over", "", "bulletin %s is no hand-over that waits: it was taken already, or is of another kind", b.Ref)
	case b.To != by.Person:
		return b, Event{}, Refuse(Forbidden, "bulletin.not_yours", "", "hand-over %s is addressed to another coordinator: that one takes it", b.Ref)
	}
	b.EndedBy, b.EndedAt = by.Person, now
	return b, NewEvent(EventCommandTaken, by, string(b.ID), now, ActionBody{Action: b.Action, Ref: b.Ref, Person: b.By}), nil
}
