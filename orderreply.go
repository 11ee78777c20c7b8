package concert

import "time"

// ReplyOutcome is what became of a reply by mail to a removal order.
type ReplyOutcome string

// The outcomes.
const (
	ReplyAnswered ReplyOutcome = "answered" // Annex II or III, taken as if it had come by the interface
	ReplyRefused  ReplyOutcome = "refused"  // Annex II or III that cannot be taken so: the sender is told which field
	ReplyPerson   ReplyOutcome = "person"   // not understood, or not verified: a person of the authority reads it
)

// ReplyOutcomes lists them.
var ReplyOutcomes = []ReplyOutcome{ReplyAnswered, ReplyRefused, ReplyPerson}

// MailedReply is a reply by mail to a removal order, and the mail that answers it. The
// same mail a second time changes nothing.
type MailedReply struct {
	ID        string
	Order     OrderID
	Contact   ContactPointID
	Digest    [32]byte // of its Message-ID
	Sender    Sender
	Outcome   ReplyOutcome
	Code      string // of the refusal
	Field     string // that it concerns
	At        time.Time
	Tag       string // of the mail that it answers
	Attempts  int
	NextAt    time.Time // of the mail that answers it; zero when done, or where none goes
	SentAt    time.Time
	Evidence  string
	Version   int64
	ReplyText // sealed under the order's key
}

// ReplyText is what it says and what is said to it.
type ReplyText struct {
	MessageText
	Said string `json:"said,omitempty"` // the refusal, in words
}

// ReplyBody is the body of the event that a reply by mail came in: no word of it.
type ReplyBody struct {
	Ref       string       `json:"ref"` // of the order
	Authority AuthorityID  `json:"authority"`
	Provider  ProviderID   `json:"provider"`
	Sender    Sender       `json:"sender"`
	Outcome   ReplyOutcome `json:"outcome"`
	Code      string       `json:"code,omitempty"`
	Field     string       `json:"field,omitempty"`
	Exercise  bool         `json:"exercise,omitempty"`
}

// RepliesAnHour bounds the mails that answer replies to one order in an hour: two
// programs that answer each other end there, and people read the rest.
const RepliesAnHour = 20

// Replied records what became of a reply by mail to the order.
func (o Order) Replied(r MailedReply, now time.Time) (MailedReply, Event) {
	r.Order, r.At = o.ID, now
	return r, NewEvent(EventOrderReplied, House, string(o.ID), now, ReplyBody{Ref: o.Ref, Authority: o.Authority, Provider: o.Provider, Sender: r.Sender, Outcome: r.Outcome, Code: r.Code, Field: r.Field, Exercise: o.Exercise})
}
