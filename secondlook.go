package concert

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"time"
)

// secondLookOneIn is how many approvals one is drawn of for a second look:
// two per cent.
const secondLookOneIn = 50

// Drawn reports whether the item with this keyed digest gets a second look
// when it is approved. Nobody without the key can foresee or choose it. The
// zero digest is none.
func Drawn(digest [32]byte) bool {
	return digest != [32]byte{} && binary.BigEndian.Uint64(digest[:8]) < math.MaxUint64/secondLookOneIn
}

// LookVerdict is what a second pair of eyes says of an item without knowing
// what the first said.
type LookVerdict string

// The verdicts.
const (
	LookAgree    LookVerdict = "agree"    // would refer it, too
	LookDisagree LookVerdict = "disagree" // exempt, or no terrorist content
)

// SecondLook is one approved assessment drawn to be looked at again, blind. It
// stops and sends nothing by itself (G27).
type SecondLook struct {
	Item       ItemID
	Assessment AssessmentID
	DrawnAt    time.Time
	By         PersonID
	Authority  AuthorityID // whose reviewer looked
	At         time.Time   // zero while it waits
	Verdict    LookVerdict
	Type       ContentType // of Art. 2(7), where the verdict is to agree
	Note       string      // sealed; why, where the verdict is to disagree

	Translations []Translation // of the item: what a reviewer may rest on who does not read its language
}

// Circle is who stands around an assessment that was drawn.
type Circle struct {
	Knowing   []PersonID    // assessed, decided or opened it: their look would not be blind
	Reviewers []PersonID    // the author authority's reviewers
	Parties   []AuthorityID // take part in the item's joint action
}

// third reports whether the author's authority has a reviewer who knows
// nothing of the assessment.
func (c Circle) third() bool {
	return slices.ContainsFunc(c.Reviewers, func(p PersonID) bool { return !slices.Contains(c.Knowing, p) })
}

// MayLook lets a reviewer look who neither assessed nor decided nor opened the
// assessment: one of the same authority, or, where that has nobody left, one of
// an authority that takes part in the same joint action and to whom the
// handling code lets the item be shown (G23).
func (l SecondLook) MayLook(by Actor, it Item, c Circle) error {
	if err := by.MayApprove(); err != nil {
		return err
	}
	switch {
	case by.Authority == it.Author:
		if slices.Contains(c.Knowing, by.Person) {
			return Refuse(Forbidden, "second_look.not_blind", "", "you assessed, decided or opened item %s: the second look comes from somebody who has not", it.Ref)
		}
	case c.third(), it.Handling == HandlingNotShared, it.Handling == HandlingRestricted, !slices.Contains(c.Parties, by.Authority):
		return ErrNotFound
	}
	if !l.At.IsZero() {
		return Refuse(Conflict, "second_look.done", "", "item %s has had its second look: take another one", it.Ref)
	}
	return nil
}

// Understands reports whether the actor can judge the item's words: it reads the
// language, or somebody other than the assessor translated them.
func (l SecondLook) Understands(by Actor, it Item) bool {
	_, foreign := by.understood([]string{it.Language}, l.Translations, it.Assessor)
	return foreign == ""
}

// Looked records what the second pair of eyes says, who must understand the
// item's words as whoever assesses and approves must.
func (l SecondLook) Looked(by Actor, it Item, c Circle, now time.Time) (SecondLook, Event, error) {
	if err := l.MayLook(by, it, c); err != nil {
		return l, Event{}, err
	}
	basis, foreign := by.understood([]string{it.Language}, l.Translations, it.Assessor)
	switch {
	case foreign != "":
		return l, Event{}, Refuse(Forbidden, "second_look.language", "", "item %s is in %q, and you say you read %v: leave it to a reader of it, or have a person's translation recorded into a language that you read (a machine's is a help, never enough); what you read you state under /languages", it.Ref, foreign, by.Languages)
	case l.Verdict != LookAgree && l.Verdict != LookDisagree:
		return l, Event{}, Refuse(Invalid, "second_look.verdict", "verdict", "a second look agrees (you would refer it) or disagrees (it is exempt, or no terrorist content)")
	case l.Verdict == LookAgree && !slices.Contains(ContentTypes, l.Type):
		return l, Event{}, Refuse(Invalid, "second_look.type", "type", "name the type of Art. 2(7) under which you would refer it: %v", ContentTypes)
	case l.Verdict == LookDisagree && len(strings.TrimSpace(l.Note)) < 20:
		return l, Event{}, Refuse(Invalid, "second_look.reason", "reason", "say in at least twenty characters why you would not refer it: its author's authority reads it")
	}
	if l.Verdict == LookDisagree {
		l.Type = ""
	}
	l.By, l.Authority, l.At = by.Person, by.Authority, now
	b := ItemBody{Ref: it.Ref, Action: it.Action, Authority: it.Authority, Provider: it.Provider, Assessment: l.Assessment, Author: it.Author, Assessor: it.Assessor, Look: l.Verdict, ContentType: l.Type, Translation: basis}
	e := NewEvent(EventItemSecondLook, by, string(it.ID), now, b)
	if l.Note != "" {
		e = e.WithSealed(GroundText{Ground: l.Note})
	}
	return l, e, nil
}
