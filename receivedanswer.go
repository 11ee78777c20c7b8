package concert

import (
	"encoding/json"
	"slices"
	"time"
)

// ReceivedWay is what an answer to a hub is.
type ReceivedWay string

// The ways.
const (
	WayFeedback   ReceivedWay = "feedback"   // Annex II
	WayImpossible ReceivedWay = "impossible" // Annex III
	WayResumed    ReceivedWay = "resumed"    // what hindered is over (Art. 3(7))
	WayReplies    ReceivedWay = "replies"    // to a referral
)

// ReceivedWays lists them.
var ReceivedWays = []ReceivedWay{WayFeedback, WayImpossible, WayResumed, WayReplies}

// PostState is where an answer stands on its way to the hub.
type PostState string

// The states.
const (
	PostWaiting   PostState = "waiting"   // not delivered yet: it is tried until the hub takes it
	PostDelivered PostState = "delivered" // the hub took it, and its receipt is kept
	PostRefused   PostState = "refused"   // the hub said no, for good
)

// PostStates lists them.
var PostStates = []PostState{PostWaiting, PostDelivered, PostRefused}

// ReceivedPost is an answer on its way to the hub. Its id is its idempotency key, so
// that however often it is sent it counts once.
type ReceivedPost struct {
	ID          string
	Received    ReceivedID
	Way         ReceivedWay
	State       PostState
	Attempts    int
	Person      PersonID
	CreatedAt   time.Time
	NextAt      time.Time // when it is tried next; zero when done
	DeliveredAt time.Time
	Version     int64
	PostText
}

// PostText is what it says and what the hub said, sealed.
type PostText struct {
	Body    json.RawMessage `json:"body"`
	Problem string          `json:"problem,omitempty"` // of the last try
	Receipt json.RawMessage `json:"receipt,omitempty"` // the hub's answer when it took it
}

// postWaits are the waits between the tries of an answer; the last goes on.
var postWaits = []time.Duration{2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute}

// Tried records a try that did not reach the hub: nothing is given up.
func (p ReceivedPost) Tried(problem string, now time.Time) ReceivedPost {
	p.NextAt = now.Add(postWaits[min(p.Attempts, len(postWaits)-1)])
	p.Attempts++
	p.Problem = problem
	return p
}

// Closed records what the hub said: it took the answer, or refused it for good.
func (p ReceivedPost) Closed(r Received, state PostState, said string, receipt json.RawMessage, now time.Time) (ReceivedPost, Event) {
	p.Attempts++
	p.State, p.NextAt, p.Problem, p.Receipt = state, time.Time{}, said, receipt
	if state == PostDelivered {
		p.DeliveredAt = now
	}
	e, b := r.event(EventReceivedDelivered, House, r.Status, now)
	b.Answer, b.Outcome = p.Way, string(state)
	e.Body = b
	return p, e
}

// answerable refuses whoever may not answer, and an answer without what section C of
// the annexes asks.
func (r Received) answerable(by Actor, kind ReceivedKind, a OrderAnswer) error {
	if err := by.MayReply(); err != nil {
		return err
	}
	if r.Kind != kind {
		return Refuse(Conflict, "received.kind", "", "%s is of the kind %s: an order is answered by Annex II or III, a referral by the answers to a referral", r.Ref, r.Kind)
	}
	if kind == ReceivedReferral {
		return nil
	}
	return a.contact()
}

// Fed is Annex II for some or all places of an order that was found valid. It gives the
// items that it changed. No other order can be carried out here.
func (r Received) Fed(by Actor, a OrderAnswer, items []ReceivedItem, now time.Time) (Received, []ReceivedItem, Event, error) {
	if err := r.answerable(by, ReceivedOrder, a); err != nil {
		return r, nil, Event{}, err
	}
	if r.Status == ReceivedUnproven {
		return r, nil, Event{}, Refuse(Conflict, "received.unproven", "", "%s is not valid and binds nobody: check it again with a newer register, or answer Annex III with what is wrong with it", r.Ref)
	}
	if err := a.feedback(now); err != nil {
		return r, nil, Event{}, err
	}
	named, err := r.named(a.Items, items)
	if err != nil {
		return r, nil, Event{}, err
	}
	var out []ReceivedItem
	for _, it := range named {
		if it.Code == "" {
			it.Code, it.At = string(a.Measure), a.MeasureAt
			out = append(out, it)
		}
	}
	if len(out) == 0 {
		return r, nil, Event{}, Refuse(Conflict, "received.answered", "", "%s was answered for these items already: nothing is changed", r.Ref)
	}
	from := r.Status
	if r.Done += len(out); r.Done >= r.Items {
		if r, err = r.moved(ReceivedAnswer, now); err != nil {
			return r, nil, Event{}, err
		}
		r.AnsweredAt = now
	} else if _, err = r.Status.After(ReceivedAnswer); err != nil {
		return r, nil, Event{}, err
	}
	r.UpdatedAt = now
	e, b := r.event(EventReceivedAnswered, by, from, now)
	b.Answer, b.Measure, b.Items = WayFeedback, a.Measure, len(out)
	e.Body = b
	return r, out, e, nil
}

// Impeded is Annex III: why an order cannot be carried out (Art. 3(7), 3(8)).
func (r Received) Impeded(by Actor, a OrderAnswer, now time.Time) (Received, Event, error) {
	if err := r.answerable(by, ReceivedOrder, a); err != nil {
		return r, Event{}, err
	}
	if err := a.impossible(); err != nil {
		return r, Event{}, err
	}
	from := r.Status
	r, err := r.moved(ReceivedImpede, now)
	if err != nil {
		return r, Event{}, err
	}
	e, b := r.event(EventReceivedAnswered, by, from, now)
	b.Answer, b.Why = WayImpossible, a.Reasons[0]
	e.Body = b
	return r, e, nil
}

// Resumed says that what hindered is over: the provider's word on a ground of its own
// (Art. 3(7)), or the authority's clarification (Art. 3(8)), which the house takes in.
func (r Received) Resumed(by Actor, text string, now time.Time) (Received, Event, error) {
	if by.Person != House.Person {
		if err := by.MayReply(); err != nil {
			return r, Event{}, err
		}
		if !between(text, OrderGroundLeast, 4000) {
			return r, Event{}, Refuse(Invalid, "received.over", "over", "say in %d to 4000 characters what hindered, and that it is over", OrderGroundLeast)
		}
	}
	from := r.Status
	r, err := r.moved(ReceivedResume, now)
	if err != nil {
		return r, Event{}, err
	}
	r.Note = text
	e, b := r.event(EventReceivedAnswered, by, from, now)
	b.Answer = WayResumed
	e.Body = b
	return r, e.WithSealed(GroundText{Ground: text}), nil
}

// ReceivedReply is what the provider says of one item of a referral.
type ReceivedReply struct {
	Item string // its reference
	Answer
}

// Replied records the answers to a referral, some or all. A later one replaces an
// earlier one.
func (r Received) Replied(by Actor, replies []ReceivedReply, items []ReceivedItem, now time.Time) (Received, []ReceivedItem, Event, error) {
	if err := r.answerable(by, ReceivedReferral, OrderAnswer{}); err != nil {
		return r, nil, Event{}, err
	}
	if len(replies) == 0 {
		return r, nil, Event{}, Refuse(Invalid, "answer.none", "", "no item has an answer: choose one for those you decided on, and leave the rest")
	}
	all := slices.Clone(items)
	var out []ReceivedItem
	for _, a := range replies {
		if err := a.check(); err != nil {
			return r, nil, Event{}, err
		}
		one, err := r.named([]string{a.Item}, items)
		if err != nil {
			return r, nil, Event{}, err
		}
		it := one[0]
		it.Code, it.At = string(a.Code), now
		all[it.Pos] = it
		out = append(out, it)
	}
	from := r.Status
	r.Done = 0
	for _, it := range all {
		if AnswerCode(it.Code).Final() {
			r.Done++
		}
	}
	next, err := r.moved(ReceivedAnswer, now)
	switch {
	case err != nil:
		return r, nil, Event{}, err
	case r.Done >= r.Items:
		r = next
		r.AnsweredAt = now
	}
	r.UpdatedAt = now
	e, b := r.event(EventReceivedAnswered, by, from, now)
	b.Answer, b.Items = WayReplies, len(out)
	e.Body = b
	return r, out, e, nil
}
