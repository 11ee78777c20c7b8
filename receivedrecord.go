package concert

import (
	"encoding/json"
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
func (a Article7) Complained(c Dispute) Article7 {
	if c.Kind == DisputeReview {
		a.Reviews++
		switch c.Outcome {
		case DisputeUpheld:
			a.ReviewsUpheld++
		case DisputeReinstated:
			a.ReviewsReinstated++
		}
		return a
	}
	a.Complaints++
	switch c.Outcome {
	case DisputeUpheld:
		a.Upheld++
	case DisputeReinstated:
		a.Reinstated++
	}
	return a
}
