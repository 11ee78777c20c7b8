package concert

import (
	"strings"
	"time"
	"unicode/utf8"
)

// QuestionID names a Question.
type QuestionID string

// QuestionMost is the most characters of one message.
const QuestionMost = 4000

// Side is who writes in a thread.
type Side string

// The sides of a thread.
const (
	SideProvider  Side = "provider"
	SideAuthority Side = "authority"
)

// QuestionKind is what a message is.
type QuestionKind string

// The kinds of message.
const (
	QuestionMessage QuestionKind = "message"
	// QuestionWider asks, voluntarily, for a measure that hits others too; its text
	// is the proportionality that two people of the authority stand for.
	QuestionWider QuestionKind = "wider_request"
	// QuestionMail came by mail or through an answer link, so from nobody who is
	// known here.
	QuestionMail QuestionKind = "mail"
)

// Question is one message between a provider and the authority that judged: it
// always goes outward, both sides read it, and it is no internal note. Text is
// sealed under the item's key, else under the referral's.
type Question struct {
	ID       QuestionID
	Ref      string
	Referral ReferralID
	Item     ItemID // "" where it is about the referral as a whole
	Provider ProviderID
	Author   AuthorityID
	Side     Side
	Kind     QuestionKind
	Text     string
	By       PersonID
	At       time.Time
	Readers  int // people of the other side who have read it
	Erased   bool
}

// QuestionBody is the body of events on a thread: no text.
type QuestionBody struct {
	Ref       string       `json:"ref"`
	Referral  string       `json:"referral"`
	Item      string       `json:"item,omitempty"`
	Provider  ProviderID   `json:"provider"`
	Authority AuthorityID  `json:"authority"`
	Kind      QuestionKind `json:"kind"`
}

// Thread is the talk about one referral, as a list shows it.
type Thread struct {
	Referral ReferralID
	Provider ProviderID
	Author   AuthorityID
	Waits    Side // who has not yet written back; "" where nobody wrote
	Messages int
	LastAt   time.Time
}

// MayAsk refuses whoever neither answers for the referral's provider nor works
// on cases of the authority that judged, and says on which side the actor writes.
func (r Referral) MayAsk(by Actor) (Side, error) {
	if by.Provider != "" {
		return SideProvider, by.MayAnswer(r)
	}
	if by.Authority == "" || by.Authority != r.Author {
		return "", ErrNotFound
	}
	return SideAuthority, by.Need(RoleOfficer, RoleReviewer)
}

// Asked is a new message in a referral's thread; item is the zero one where it
// is about the referral as a whole.
func (r Referral) Asked(by Actor, q Question, item Item, now time.Time) (Question, Event, error) {
	side, err := r.MayAsk(by)
	if err != nil {
		return q, Event{}, err
	}
	if item.ID != "" {
		if item.Referral != r.ID {
			return q, Event{}, Refuse(Invalid, "question.item", "item", "item %s is not part of referral %s: take the reference from the referral", item.Ref, r.Ref)
		}
		if err := item.Standing(); err != nil {
			return q, Event{}, err
		}
	}
	q.Text = strings.TrimSpace(strings.ToValidUTF8(q.Text, "\uFFFD"))
	if n := utf8.RuneCountInString(q.Text); n < 3 || n > QuestionMost {
		return q, Event{}, Refuse(Invalid, "question.text", "text", "a message has 3 to %d characters, not %d", QuestionMost, n)
	}
	if q.Kind == "" {
		q.Kind = QuestionMessage
	}
	q.Referral, q.Item, q.Provider, q.Author, q.Side, q.By, q.At = r.ID, item.ID, r.Provider, r.Author, side, by.Person, now
	kind := EventQuestionAsked
	if side == SideAuthority {
		kind = EventQuestionReplied
	}
	e := NewEvent(kind, by, string(r.ID), now, QuestionBody{Ref: q.Ref, Referral: r.Ref, Item: item.Ref, Provider: r.Provider, Authority: r.Author, Kind: q.Kind})
	return q, e, nil
}

// Heard is what somebody of the provider wrote by mail or through the answer link
// of a referral, as its thread shows it. How it came is told by the message's own
// event.
func (r Referral) Heard(q Question, m Message, now time.Time) Question {
	q.Referral, q.Item, q.Provider, q.Author, q.Side, q.Kind, q.At = r.ID, m.Item, r.Provider, r.Author, SideProvider, QuestionMail, now
	q.Text = strings.TrimSpace(strings.ToValidUTF8(m.Text, "\uFFFD"))
	if text := []rune(q.Text); len(text) > QuestionMost {
		q.Text = string(text[:QuestionMost])
	}
	return q
}

// Other is the side across.
func (s Side) Other() Side {
	if s == SideProvider {
		return SideAuthority
	}
	return SideProvider
}
