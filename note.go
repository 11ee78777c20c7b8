package concert

import (
	"strings"
	"time"
	"unicode/utf8"
)

// NoteID names a Note.
type NoteID string

// NoteMost is how many characters an internal note may have.
const NoteMost = 4000

// Note is what one of an authority's people writes beside an item for its own
// colleagues. It is internal and nothing else: no way leads from it to a
// provider, who is written to in a referral's thread.
type Note struct {
	ID        NoteID
	Item      ItemID
	Authority AuthorityID // the only one that reads it
	Author    PersonID
	At        time.Time
	Text      string // sealed under the item's key
}

// Noted writes an internal note beside the item.
func (it Item) Noted(by Actor, text string, now time.Time) (Note, Event, error) {
	if err := by.needAuthority(RoleOfficer); err != nil {
		if err := by.needAuthority(RoleReviewer); err != nil {
			return Note{}, Event{}, err
		}
	}
	if err := it.Standing(); err != nil {
		return Note{}, Event{}, err
	}
	text = strings.TrimSpace(text)
	switch n := utf8.RuneCountInString(text); {
	case n == 0:
		return Note{}, Event{}, Refuse(Invalid, "note.empty", "note", "the note is empty: write what your colleagues should know")
	case n > NoteMost:
		return Note{}, Event{}, Refuse(TooLarge, "note.long", "note", "a note has at most %d characters, this one has %d: shorten it, or write two", NoteMost, n)
	}
	e := NewEvent(EventItemNoted, by, string(it.ID), now, ItemBody{Ref: it.Ref, Authority: by.Authority}).WithSealed(GroundText{Ground: text})
	return Note{Item: it.ID, Authority: by.Authority, Author: by.Person, At: now, Text: text}, e, nil
}
