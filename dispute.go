package concert

import (
	"strings"
	"time"
)

// DisputeKind is what was sought.
type DisputeKind string

// The kinds.
const (
	DisputeOfUser DisputeKind = "complaint" // the content provider's, Art. 10
	DisputeReview DisputeKind = "review"    // administrative or judicial proceedings, Art. 9
)

// DisputeKinds lists them.
var DisputeKinds = []DisputeKind{DisputeOfUser, DisputeReview}

// DisputeOutcome is how it ended.
type DisputeOutcome string

// The outcomes; "" while it is open.
const (
	DisputeUpheld     DisputeOutcome = "upheld"     // the measure stands
	DisputeReinstated DisputeOutcome = "reinstated" // the content is back
)

// DisputeOutcomes lists them.
var DisputeOutcomes = []DisputeOutcome{DisputeUpheld, DisputeReinstated}

// Dispute is a complaint to the host against a measure of its own, or a review of one: the
// register that Art. 7(3) reports from. It is no Complaint to an authority. That of a
// content provider is answered within two weeks (Art. 10(2)).
type Dispute struct {
	ID         string
	Ref        string
	Kind       DisputeKind
	Received   ReceivedID
	Item       string
	Outcome    DisputeOutcome
	ReceivedAt time.Time
	DecidedAt  time.Time
	Version    int64
	DisputeText
}

// DisputeText is who complained, of what, and what it was told; sealed.
type DisputeText struct {
	From   string `json:"from"`
	Text   string `json:"text"`
	Answer string `json:"answer,omitempty"`
}

func (c Dispute) event(kind EventKind, by Actor, now time.Time) Event {
	return NewEvent(kind, by, c.ID, now, ReceivedBody{Ref: c.Ref, Theirs: c.Item, Outcome: string(c.Outcome)})
}

// Entered is a complaint against a measure on an item of what was received.
func (c Dispute) Entered(by Actor, r Received, items []ReceivedItem, now time.Time) (Dispute, Event, error) {
	if err := by.MayReply(); err != nil {
		return c, Event{}, err
	}
	switch {
	case c.Kind != DisputeOfUser && c.Kind != DisputeReview:
		return c, Event{}, Refuse(Invalid, "dispute.kind", "kind", "%.40q is none of %v: choose one", c.Kind, DisputeKinds)
	case !between(c.From, 2, 400):
		return c, Event{}, Refuse(Invalid, "dispute.from", "from", "say in 2 to 400 characters who complains, as you can reach it")
	case !between(c.Text, 10, 20_000):
		return c, Event{}, Refuse(Invalid, "dispute.text", "text", "write in 10 to 20000 characters what the complaint says")
	case c.ReceivedAt.IsZero() || c.ReceivedAt.After(now.Add(time.Minute)):
		return c, Event{}, Refuse(Invalid, "dispute.at", "at", "say when the complaint came in, which is not yet to come: the two weeks run from then")
	}
	named, err := r.named([]string{c.Item}, items)
	if err != nil {
		return c, Event{}, err
	}
	if named[0].Code == "" {
		return c, Event{}, Refuse(Conflict, "dispute.nothing", "item", "nothing was done about item %s of %s: there is nothing to complain of", c.Item, r.Ref)
	}
	c.Received = r.ID
	return c, c.event(EventReceivedComplained, by, now).WithSealed(c.DisputeText), nil
}

// Decided is the answer to a complaint, as its author was told it.
func (c Dispute) Decided(by Actor, outcome DisputeOutcome, answer string, now time.Time) (Dispute, Event, error) {
	if err := by.MayReply(); err != nil {
		return c, Event{}, err
	}
	switch {
	case c.Outcome != "":
		return c, Event{}, Refuse(Conflict, "dispute.decided", "", "%s is decided already: %s", c.Ref, c.Outcome)
	case outcome != DisputeUpheld && outcome != DisputeReinstated:
		return c, Event{}, Refuse(Invalid, "dispute.outcome", "outcome", "%.40q is none of %v: choose one", outcome, DisputeOutcomes)
	case !between(strings.TrimSpace(answer), 20, 20_000):
		return c, Event{}, Refuse(Invalid, "dispute.answer", "answer", "write in 20 to 20000 characters what its author was told, with the reasons (Art. 10(2))")
	}
	c.Outcome, c.Answer, c.DecidedAt = outcome, answer, now
	return c, c.event(EventReceivedComplaintDecided, by, now).WithSealed(c.DisputeText), nil
}
