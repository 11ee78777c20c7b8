package concert

import (
	"encoding/json"
	"strings"
	"time"
)

// KeptContent is content that was removed, or access to which was disabled, and that is
// preserved with its related data (Regulation (EU) 2021/784 Art. 6). Its term is the
// deadline of its id.
type KeptContent struct {
	ID       string
	Ref      string
	Received ReceivedID
	Item     string // reference of the item
	Since    time.Time
	ErasedAt time.Time
	Version  int64
}

func (k KeptContent) event(kind EventKind, by Actor, d Deadline, now time.Time) Event {
	return NewEvent(kind, by, string(k.Received), now, ReceivedBody{Ref: k.Ref, Term: TermPreservation, DueAt: Micros(d.DueAt)})
}

// Prolonged says that it is kept longer: an authority or court asked, or a review goes on
// (Art. 6(2)). d is its deadline as prolonged.
func (k KeptContent) Prolonged(by Actor, d Deadline, now time.Time) (Event, error) {
	if err := by.MayReply(); err != nil {
		return Event{}, err
	}
	return k.event(EventKeptProlonged, by, d, now).WithSealed(GroundText{Ground: d.Extension}), nil
}

// Erased says that what was kept is erased, which its deadline allowed.
func (k KeptContent) Erased(by Actor, d Deadline, now time.Time) (KeptContent, Event, error) {
	if err := by.MayReply(); err != nil {
		return k, Event{}, err
	}
	if !k.ErasedAt.IsZero() {
		return k, Event{}, Refuse(Conflict, "kept.erased", "", "%s was erased on %s already", k.Ref, k.ErasedAt.UTC().Format(time.DateOnly))
	}
	k.ErasedAt = now
	return k, k.event(EventKeptErased, by, d, now), nil
}

// ComplaintKind is what was sought.
type ComplaintKind string

// The kinds.
const (
	ComplaintOfUser ComplaintKind = "complaint" // the content provider's, Art. 10
	ComplaintReview ComplaintKind = "review"    // administrative or judicial proceedings, Art. 9
)

// ComplaintKinds lists them.
var ComplaintKinds = []ComplaintKind{ComplaintOfUser, ComplaintReview}

// ComplaintOutcome is how it ended.
type ComplaintOutcome string

// The outcomes; "" while it is open.
const (
	ComplaintUpheld     ComplaintOutcome = "upheld"     // the measure stands
	ComplaintReinstated ComplaintOutcome = "reinstated" // the content is back
)

// ComplaintOutcomes lists them.
var ComplaintOutcomes = []ComplaintOutcome{ComplaintUpheld, ComplaintReinstated}

// Complaint is one against a measure: the register that Art. 7(3) reports from. That of a
// content provider is answered within two weeks (Art. 10(2)).
type Complaint struct {
	ID         string
	Ref        string
	Kind       ComplaintKind
	Received   ReceivedID
	Item       string
	Outcome    ComplaintOutcome
	ReceivedAt time.Time
	DecidedAt  time.Time
	Version    int64
	ComplaintText
}

// ComplaintText is who complained, of what, and what it was told; sealed.
type ComplaintText struct {
	From   string `json:"from"`
	Text   string `json:"text"`
	Answer string `json:"answer,omitempty"`
}

func (c Complaint) event(kind EventKind, by Actor, now time.Time) Event {
	return NewEvent(kind, by, c.ID, now, ReceivedBody{Ref: c.Ref, Theirs: c.Item, Outcome: string(c.Outcome)})
}

// Entered is a complaint against a measure on an item of what was received.
func (c Complaint) Entered(by Actor, r Received, items []ReceivedItem, now time.Time) (Complaint, Event, error) {
	if err := by.MayReply(); err != nil {
		return c, Event{}, err
	}
	switch {
	case c.Kind != ComplaintOfUser && c.Kind != ComplaintReview:
		return c, Event{}, Refuse(Invalid, "complaint.kind", "kind", "%.40q is none of %v: choose one", c.Kind, ComplaintKinds)
	case !between(c.From, 2, 400):
		return c, Event{}, Refuse(Invalid, "complaint.from", "from", "say in 2 to 400 characters who complains, as you can reach it")
	case !between(c.Text, 10, 20_000):
		return c, Event{}, Refuse(Invalid, "complaint.text", "text", "write in 10 to 20000 characters what the complaint says")
	case c.ReceivedAt.IsZero() || c.ReceivedAt.After(now.Add(time.Minute)):
		return c, Event{}, Refuse(Invalid, "complaint.at", "at", "say when the complaint came in, which is not yet to come: the two weeks run from then")
	}
	named, err := r.named([]string{c.Item}, items)
	if err != nil {
		return c, Event{}, err
	}
	if named[0].Code == "" {
		return c, Event{}, Refuse(Conflict, "complaint.nothing", "item", "nothing was done about item %s of %s: there is nothing to complain of", c.Item, r.Ref)
	}
	c.Received = r.ID
	return c, c.event(EventComplaintReceived, by, now).WithSealed(c.ComplaintText), nil
}

// Decided is the answer to a complaint, as its author was told it.
func (c Complaint) Decided(by Actor, outcome ComplaintOutcome, answer string, now time.Time) (Complaint, Event, error) {
	if err := by.MayReply(); err != nil {
		return c, Event{}, err
	}
	switch {
	case c.Outcome != "":
		return c, Event{}, Refuse(Conflict, "complaint.decided", "", "%s is decided already: %s", c.Ref, c.Outcome)
	case outcome != ComplaintUpheld && outcome != ComplaintReinstated:
		return c, Event{}, Refuse(Invalid, "complaint.outcome", "outcome", "%.40q is none of %v: choose one", outcome, ComplaintOutcomes)
	case !between(strings.TrimSpace(answer), 20, 20_000):
		return c, Event{}, Refuse(Invalid, "complaint.answer", "answer", "write in 20 to 20000 characters what its author was told, with the reasons (Art. 10(2))")
	}
	c.Outcome, c.Answer, c.DecidedAt = outcome, answer, now
	return c, c.event(EventComplaintDecided, by, now).WithSealed(c.ComplaintText), nil
}

// Article7 are the numbers of a year that Art. 7(3) asks a provider for. What the desk
// cannot know, as the measures against reappearance, is not among them.
type Article7 struct {
	Year                    int
	Orders, Valid, Unproven int // that came in; found valid; not
	Executed                int // orders carried out in full
	Force, Errors, Lacking  int // orders with Annex III, by its first ground (Art. 3(7), 3(8))
	Missed                  int // hours that were over without Annex II
	Removed, Disabled       int // places, after orders
	Ended                   int // orders that were taken back or lost their effect
	Referrals, Referred     int // referrals, and their items
	Acted, Refused          int // items of referrals: a measure taken, no violation found
	Complaints, Upheld      int
	Reinstated              int // after a complaint
	Reviews, ReviewsUpheld  int // proceedings under Art. 9
	ReviewsReinstated       int
}

// Counted is the year with something received in it, what was done about it, the answers
// that were given and its hour.
func (a Article7) Counted(r Received, items []ReceivedItem, posts []ReceivedPost, hour Deadline) Article7 {
	if r.Kind == ReceivedReferral {
		a.Referrals++
		a.Referred += len(items)
		for _, it := range items {
			switch c := AnswerCode(it.Code); {
			case c.Refusal():
				a.Refused++
			case c.Effect() && c != AnswerUnavailable:
				a.Acted++
			}
		}
		return a
	}
	a.Orders++
	if r.Verdict == "valid" {
		a.Valid++
	} else {
		a.Unproven++
	}
	for _, it := range items {
		switch OrderMeasure(it.Code) {
		case MeasureRemoved:
			a.Removed++
		case MeasureDisabled:
			a.Disabled++
		}
	}
	if len(items) > 0 && r.Done == r.Items {
		a.Executed++
	}
	if r.Status == ReceivedEnded {
		a.Ended++
	}
	if hour.State == DeadlineMissed {
		a.Missed++
	}
	return a.grounded(posts)
}

// grounded counts an order that was answered by Annex III, by the first ground of its
// first such answer.
func (a Article7) grounded(posts []ReceivedPost) Article7 {
	for _, p := range posts {
		if p.Way != WayImpossible {
			continue
		}
		var body struct {
			Reasons []ImpossibleReason `json:"reasons"`
		}
		if json.Unmarshal(p.Body, &body) != nil || len(body.Reasons) == 0 {
			continue
		}
		switch body.Reasons[0] {
		case ImpossibleForce:
			a.Force++
		case ImpossibleErrors:
			a.Errors++
		case ImpossibleInsufficient:
			a.Lacking++
		}
		return a
	}
	return a
}

// Complained is the year with a complaint or a review in it.
func (a Article7) Complained(c Complaint) Article7 {
	if c.Kind == ComplaintReview {
		a.Reviews++
		switch c.Outcome {
		case ComplaintUpheld:
			a.ReviewsUpheld++
		case ComplaintReinstated:
			a.ReviewsReinstated++
		}
		return a
	}
	a.Complaints++
	switch c.Outcome {
	case ComplaintUpheld:
		a.Upheld++
	case ComplaintReinstated:
		a.Reinstated++
	}
	return a
}
