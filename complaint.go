package concert

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	// ComplaintLeast is how many characters a complaint, or a decision on one, has at
	// least.
	ComplaintLeast = 20
	// ComplaintMost bounds them.
	ComplaintMost = 4000
	// ComplaintsMost bounds the complaints about one item of an order or referral.
	ComplaintsMost = 3
)

// ComplaintID names a Complaint.
type ComplaintID string

// ComplaintOutcome is how a complaint was decided.
type ComplaintOutcome string

// The outcomes.
const (
	ComplaintUpheld   ComplaintOutcome = "upheld"        // the order or the item's referral is taken back
	ComplaintPartly   ComplaintOutcome = "partly_upheld" // something said of it was wrong: it is put right, the rest stands
	ComplaintRejected ComplaintOutcome = "rejected"
)

// ComplaintOutcomes lists them.
var ComplaintOutcomes = []ComplaintOutcome{ComplaintUpheld, ComplaintPartly, ComplaintRejected}

// Complaint is what somebody whose content went says against it: to the authority that
// ordered or referred, which looks again by somebody who had no part in it.
type Complaint struct {
	ID        ComplaintID
	Ref       string
	Order     OrderID    // "" where it is about a referral
	Referral  ReferralID // "" where it is about an order
	Item      ItemID
	For       string // reference of the order or referral
	Authority AuthorityID
	Provider  ProviderID
	Through   ProviderID // the provider that handed it on; "" where it came from the content provider's page
	FiledAt   time.Time
	DueAt     time.Time
	Warned    int              // alarms so far, of ComplaintAlarms
	Outcome   ComplaintOutcome // "" while it is open
	DecidedAt time.Time
	DecidedBy PersonID
	Exercise  bool
	Version   int64
	ComplaintText
}

// ComplaintText is what of a complaint is written by hand, sealed under the item's key.
type ComplaintText struct {
	Text    string `json:"text"`
	Reasons string `json:"reasons,omitempty"` // of the decision: the complainant reads them
}

// ComplaintBody is the body of events on complaints: no text.
type ComplaintBody struct {
	Ref       string           `json:"ref"`
	For       string           `json:"for"` // reference of the order or referral
	Kind      AboutKind        `json:"kind"`
	Item      string           `json:"item"` // its reference
	Authority AuthorityID      `json:"authority"`
	Provider  ProviderID       `json:"provider"`
	Outcome   ComplaintOutcome `json:"outcome,omitempty"`
	Category  RemedyCategory   `json:"category,omitempty"`
	DueAt     int64            `json:"due_at"`         // microseconds UTC
	Left      int              `json:"left,omitempty"` // hours, of an alarm
	Late      bool             `json:"late,omitempty"`
	Exercise  bool             `json:"exercise,omitempty"`
}

// ComplaintAlarms are how long before the end its authority's people are warned.
var ComplaintAlarms = []time.Duration{72 * time.Hour, 24 * time.Hour, 0}

// Kind is what the complaint is about.
func (c Complaint) Kind() AboutKind {
	if c.Order != "" {
		return AboutOrder
	}
	return AboutReferral
}

// Open reports whether it waits for its decision.
func (c Complaint) Open() bool { return c.Outcome == "" }

// Late reports whether it was decided, or waits, after its end.
func (c Complaint) Late(now time.Time) bool {
	if !c.Open() {
		now = c.DecidedAt
	}
	return now.After(c.DueAt)
}

func (c Complaint) event(kind EventKind, by Actor, item string, now time.Time, more func(*ComplaintBody)) Event {
	b := ComplaintBody{Ref: c.Ref, For: c.For, Kind: c.Kind(), Item: item, Authority: c.Authority, Provider: c.Provider, Outcome: c.Outcome, DueAt: Micros(c.DueAt), Exercise: c.Exercise}
	if more != nil {
		more(&b)
	}
	return NewEvent(kind, by, string(c.Item), now, b)
}

// Filed checks a new complaint about the item; earlier are those about it already. What
// it says comes from outside and is anybody's: it is bounded, and kept without what
// could disguise it.
func (c Complaint) Filed(by Actor, item Item, earlier []Complaint, now time.Time) (Complaint, Event, error) {
	c.Text = plainText(c.Text)
	switch n := utf8.RuneCountInString(c.Text); {
	case n < ComplaintLeast:
		return c, Event{}, Refuse(Invalid, "complaint.text", "text", "say in at least %d characters why it was wrong", ComplaintLeast)
	case n > ComplaintMost:
		return c, Event{}, Refuse(TooLarge, "complaint.text", "text", "a complaint has at most %d characters", ComplaintMost)
	case slices.ContainsFunc(earlier, Complaint.Open):
		return c, Event{}, Refuse(Conflict, "complaint.open", "", "a complaint about this is open already: its answer stands on this page once it is decided")
	case len(earlier) >= ComplaintsMost:
		return c, Event{}, Refuse(Conflict, "complaint.most", "", "%d complaints about this were decided: the courts are the way to a review", ComplaintsMost)
	}
	if err := item.Standing(); err != nil {
		return c, Event{}, err
	}
	c.Item, c.FiledAt = item.ID, now
	return c, c.event(EventComplaintFiled, by, item.Ref, now, nil).WithSealed(GroundText{Ground: c.Text}), nil
}

// plainText is a text without control characters and marks of direction, which could
// make it look like something else than it is.
func plainText(s string) string {
	s = strings.ToValidUTF8(strings.ReplaceAll(s, "\r\n", "\n"), "\uFFFD")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t':
			return r
		case unicode.Is(unicode.Cc, r), r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069:
			return -1
		}
		return r
	}, s))
}

// Ruling is the decision on a complaint as somebody writes it.
type Ruling struct {
	Outcome  ComplaintOutcome
	Category RemedyCategory // for the error register, unless it is rejected
	Reasons  string         // the complainant, and of what is upheld the provider, read them
}

// Ruled decides the complaint. involved are the people who had a part in what it is
// about: none of them decides. One decided late is decided all the same.
func (c Complaint) Ruled(by Actor, item string, involved []PersonID, r Ruling, now time.Time) (Complaint, Event, error) {
	if by.Authority == "" || by.Authority != c.Authority {
		return c, Event{}, ErrNotFound
	}
	if err := by.Need(RoleReviewer); err != nil {
		return c, Event{}, err
	}
	switch {
	case !c.Open():
		return c, Event{}, Refuse(Conflict, "complaint.decided", "", "complaint %s was decided already", c.Ref)
	case slices.Contains(involved, by.Person):
		return c, Event{}, Refuse(Forbidden, "complaint.involved", "", "you had a part in what complaint %s is about: somebody who had none decides it", c.Ref)
	case !slices.Contains(ComplaintOutcomes, r.Outcome):
		return c, Event{}, Refuse(Invalid, "complaint.outcome", "outcome", "a complaint is decided as one of %v: choose one", ComplaintOutcomes)
	case r.Outcome != ComplaintRejected && r.Category == "":
		return c, Event{}, Refuse(Invalid, "complaint.category", "category", "what a complaint brought to light stands in the error register with a category: choose one")
	case !between(r.Reasons, ComplaintLeast, ComplaintMost):
		return c, Event{}, Refuse(Invalid, "complaint.reasons", "reasons", "give the reasons in %d to %d characters: the complainant reads them", ComplaintLeast, ComplaintMost)
	}
	if err := r.Category.check(); err != nil {
		return c, Event{}, err
	}
	if err := Filled("reasons", r.Reasons); err != nil {
		return c, Event{}, err
	}
	c.Outcome, c.DecidedAt, c.DecidedBy, c.Reasons = r.Outcome, now, by.Person, strings.TrimSpace(r.Reasons)
	return c, c.event(EventComplaintDecided, by, item, now, func(b *ComplaintBody) {
		b.Late = c.Late(now)
		if r.Outcome != ComplaintRejected {
			b.Category = r.Category
		}
	}).WithSealed(GroundText{Ground: c.Reasons}), nil
}

// NextLook is when an open complaint is next to be looked at: for an alarm; zero for
// never.
func (c Complaint) NextLook() time.Time {
	if !c.Open() || c.Warned >= len(ComplaintAlarms) {
		return time.Time{}
	}
	return c.DueAt.Add(-ComplaintAlarms[c.Warned])
}

// Alarmed gives the alarms that are due and were not given, each once: that its end is
// near, and that it has passed.
func (c Complaint) Alarmed(item string, now time.Time) (Complaint, []Event) {
	var out []Event
	for at := c.NextLook(); !at.IsZero() && !now.Before(at); at = c.NextLook() {
		left := ComplaintAlarms[c.Warned]
		out = append(out, c.event(EventComplaintAlarmed, House, item, now, func(b *ComplaintBody) { b.Left, b.Late = int(left/time.Hour), left == 0 }))
		c.Warned++
	}
	return c, out
}
