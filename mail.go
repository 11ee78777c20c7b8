package concert

import (
	"slices"
	"time"
)

// Mail is one message on its way to a contact point: a notice, or a digest of
// several. Its tag names it in every address that comes back to us.
type Mail struct {
	ID        MailID
	Tag       string // 80 random bits, lower-case base32
	Contact   ContactPointID
	Items     int
	Form      MailForm
	Urgent    bool
	Rung      Rung
	Attempts  int
	NextAt    time.Time // zero when done
	Evidence  string
	CreatedAt time.Time
	SentAt    time.Time
	Exercise  bool
	Version   int64
}

// Posting is one notice's way to a contact point; DueAt is zero once it is in a
// mail, or not to go.
type Posting struct {
	Delivery DeliveryID
	Contact  ContactPointID
	DueAt    time.Time
	Mail     MailID // "" until it is part of one
}

// MessageKind is what came back by mail, or through an answer link.
type MessageKind string

// The kinds of message that come in.
const (
	MessageQuestion  MessageKind = "question"  // asked through the answer link
	MessageReply     MessageKind = "reply"     // a person's mail: a note, never an answer
	MessageAutomatic MessageKind = "automatic" // out of office and the like: recorded, and nothing else
	MessageDelivered MessageKind = "delivered" // RFC 3464: it lies in the mailbox
	MessageRelayed   MessageKind = "relayed"   // RFC 3464: handed to a system that reports nothing
	MessageDelayed   MessageKind = "delayed"   // RFC 3464: not yet
	MessageBounced   MessageKind = "bounced"   // RFC 3464: it never will
	MessageRead      MessageKind = "read"      // RFC 8098: displayed, as a program says
	MessageComplaint MessageKind = "complaint" // RFC 5965: somebody marked it as unwanted
)

// MessageKinds lists them.
var MessageKinds = []MessageKind{MessageQuestion, MessageReply, MessageAutomatic, MessageDelivered, MessageRelayed, MessageDelayed, MessageBounced, MessageRead, MessageComplaint}

// Spoken reports whether a person wrote it.
func (k MessageKind) Spoken() bool { return k == MessageQuestion || k == MessageReply }

// Sender says how sure we are who wrote.
type Sender string

// The degrees.
const (
	SenderUnverified Sender = "unverified" // anybody can write a From line
	SenderDKIM       Sender = "dkim"       // signed by the domain of the contact point
	SenderLink       Sender = "link"       // came through the one-time link
)

// MessageText is the sealed part of a message.
type MessageText struct {
	From    string `json:"from,omitempty"`
	Subject string `json:"subject,omitempty"`
	Text    string `json:"text,omitempty"`
	Dropped string `json:"dropped,omitempty"` // what was taken away: kinds and sizes of attachments
}

// MessageMost is the most characters of a message's text that are kept.
const MessageMost = 20_000

// Message is what came in. It closes nothing and answers nothing by itself.
type Message struct {
	ID       MessageID
	Digest   [32]byte // of its Message-ID: the same mail twice is one
	Mail     MailID   // that it is about, "" where it came through a link
	Contact  ContactPointID
	Referral ReferralID // "" where a digest names none
	Item     ItemID     // "" for the referral as a whole
	Kind     MessageKind
	Code     string // enhanced status (RFC 3463), disposition or feedback type
	Sender   Sender
	MessageText
	At time.Time
}

// Received checks the message and records that it came, without a word of it.
func (m Message) Received(referral string, now time.Time) (Message, Event, error) {
	if !slices.Contains(MessageKinds, m.Kind) {
		return m, Event{}, Refuse(Invalid, "message.kind", "", "%q is no kind of message: choose another", m.Kind)
	}
	if len(m.Text) > 4*MessageMost {
		return m, Event{}, Refuse(TooLarge, "message.text", "text", "a message has at most %d characters", MessageMost)
	}
	m.At = now
	subject := string(m.Referral)
	if subject == "" {
		subject = string(m.Contact)
	}
	return m, NewEvent(EventMessageReceived, House, subject, now, MessageBody{Referral: referral, Kind: m.Kind, Code: m.Code, Sender: m.Sender}), nil
}

// MessageBody is the body of the event that a message came in.
type MessageBody struct {
	Referral string      `json:"referral,omitempty"`
	Kind     MessageKind `json:"kind"`
	Code     string      `json:"code,omitempty"`
	Sender   Sender      `json:"sender"`
}

// Rung is how far up the ladder a message proves the delivery to be; "" for
// none. A displayed message proves no more than that it arrived: programs
// display, too.
func (k MessageKind) Rung() Rung {
	switch k {
	case MessageDelivered, MessageRead:
		return RungDelivered
	}
	return ""
}

// AnswerLinkTerm is how long a one-time answer link is good for.
const AnswerLinkTerm = 30 * 24 * time.Hour

// AnswerLink lets whoever reads a contact point's mail see and answer one
// referral without an account. Only the digest of its token is kept.
type AnswerLink struct {
	ID         AnswerLinkID
	Digest     [32]byte
	Referral   ReferralID
	Contact    ContactPointID
	CreatedAt  time.Time
	ExpiresAt  time.Time
	OpenedAt   time.Time // shown to a person who asked for it
	FinishedAt time.Time // every item has its final answer
	RevokedAt  time.Time
	Version    int64
}

// Usable refuses a link that is over. A finished one still shows its receipt.
func (l AnswerLink) Usable(now time.Time) error {
	switch {
	case !l.RevokedAt.IsZero():
		return Refuse(NotFound, "link.over", "", "this link was revoked: ask for a new one by answering the mail it came in")
	case !now.Before(l.ExpiresAt):
		return Refuse(NotFound, "link.over", "", "this link has expired: ask for a new one by answering the mail it came in")
	}
	return nil
}

// Actor is whom the link speaks for: its provider, as one who may answer, and
// nobody else. name is the contact point's reference, shown in place of an
// operator number.
func (l AnswerLink) Actor(p ProviderID, name string) Actor {
	return Actor{Person: PersonID(name), Operator: name, Provider: p, Roles: []Role{RoleProviderAnswerer}}
}

// Revoked ends the link.
func (l AnswerLink) Revoked(by Actor, referral string, now time.Time) (AnswerLink, Event, error) {
	if err := by.Need(RoleAdministrator, RoleCoordinator, RoleReviewer, RoleOfficer); err != nil {
		return l, Event{}, err
	}
	l.RevokedAt = now
	return l, NewEvent(EventLinkRevoked, by, string(l.Referral), now, MessageBody{Referral: referral, Kind: MessageQuestion, Sender: SenderLink}), nil
}

// MayAnswer reports whether the link may still give a final answer on the item:
// once, and once more after each correction of what we said about it.
func (l AnswerLink) MayAnswer(it Item, answers []Answer, remedies []Remedy) bool {
	if it.Status == ItemWithdrawn || !it.ErasedAt.IsZero() {
		return false
	}
	if it.Silent() {
		return true
	}
	var last time.Time
	for _, a := range answers {
		if a.Code.Final() && a.At.After(last) {
			last = a.At
		}
	}
	return slices.ContainsFunc(remedies, func(m Remedy) bool { return m.Kind == RemedyCorrection && m.At.After(last) })
}
