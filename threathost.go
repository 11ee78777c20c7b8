package concert

import (
	"encoding/json"
	"time"
)

// HostThreat is a report of a threat to life of a provider's own desk on its way to one
// hub. Its id is its idempotency key there. It is tried until the hub takes it, and then
// followed until it is closed there.
type HostThreat struct {
	ID          string
	Ref         string // of the report: the same for each hub
	Hub         HubID
	Theirs      string // reference at the hub; "" until it has it
	State       PostState
	There       ThreatStatus // where it stands at the hub; "" until it has it
	Attempts    int
	Person      PersonID
	CreatedAt   time.Time
	NextAt      time.Time // when it is sent, or followed, next; zero when done
	DeliveredAt time.Time
	EraseAt     time.Time
	Exercise    bool
	Version     int64
	PostText
}

// hostThreatFollow is how often it is asked how a report stands that a hub has.
const hostThreatFollow = 10 * time.Second

func (p HostThreat) event(kind EventKind, by Actor, now time.Time, more func(*ThreatBody)) Event {
	b := ThreatBody{Ref: p.Ref, Hub: p.Hub, Theirs: p.Theirs, Now: p.There, Exercise: p.Exercise}
	if more != nil {
		more(&b)
	}
	return NewEvent(kind, by, p.ID, now, b)
}

// Written is the report at the moment at which it is in the outbox.
func (p HostThreat) Written(by Actor, t LifeThreat, body json.RawMessage, now time.Time) (HostThreat, Event) {
	p.State, p.Person, p.CreatedAt, p.NextAt, p.Body = PostWaiting, by.Person, now, now, body
	return p, p.event(EventThreatWritten, by, now, func(b *ThreatBody) {
		b.Kind, b.States, b.Unknown, b.Content, b.Preserved, b.Places = t.Kind, t.States, len(t.States) == 0, t.Content, t.Preserved, len(t.Places)
	}).WithSealed(t.ThreatText)
}

// Tried records a try that did not reach the hub, to send it or to ask how it stands:
// nothing is given up.
func (p HostThreat) Tried(problem string, now time.Time) HostThreat {
	p.NextAt = now.Add(postWaits[min(p.Attempts, len(postWaits)-1)])
	p.Attempts++
	p.Problem = problem
	return p
}

// Delivered says that the hub has it, and how it stands there; it is followed until it is
// closed. The event is the zero one where nothing is new.
func (p HostThreat) Delivered(theirs string, there ThreatStatus, receipt json.RawMessage, now time.Time) (HostThreat, Event) {
	news := p.State != PostDelivered || p.There != there
	p.State, p.Theirs, p.There, p.Receipt, p.Problem, p.Attempts = PostDelivered, theirs, there, receipt, "", 0
	if p.DeliveredAt.IsZero() {
		p.DeliveredAt = now
	}
	p.NextAt, p.EraseAt = now.Add(hostThreatFollow), time.Time{}
	if there == ThreatClosed {
		p.EraseAt = now.AddDate(0, ThreatKeptMonths, 0)
		p.NextAt = now.Add(time.Hour) // it may be passed on, and opened again
	}
	if !news {
		return p, Event{}
	}
	return p, p.event(EventThreatDelivered, House, now, nil)
}

// Refused says that the hub does not take it: people write another one.
func (p HostThreat) Refused(code, problem string, now time.Time) (HostThreat, Event) {
	p.State, p.Problem, p.NextAt, p.EraseAt = PostRefused, problem, time.Time{}, now.AddDate(0, ThreatKeptMonths, 0)
	return p, p.event(EventThreatDelivered, House, now, func(b *ThreatBody) { b.Refused = code })
}

// Erased says that its term is over.
func (p HostThreat) Erased(now time.Time) Event { return p.event(EventThreatErased, House, now, nil) }
