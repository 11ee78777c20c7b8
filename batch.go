package concert

import (
	"slices"
	"strings"
	"time"
)

// BatchID names a Batch.
type BatchID string

// BatchUndo is how long a batch waits, on the wall's clock, before anything of
// it is done: until then its author takes it back and nothing has happened.
const BatchUndo = 30 * time.Second

// Limits of a batch.
const (
	BatchMost = 500 // items
	BatchStep = 100 // items done in one transaction
)

// BatchAct is what a batch does to each of its items. Approving is not among
// them: only copies of a work that was approved alone are approved together (G27).
type BatchAct string

// The acts.
const (
	BatchWithdraw BatchAct = "withdraw" // take the referral back
	BatchCorrect  BatchAct = "correct"  // put right what was said
	BatchHandling BatchAct = "handling" // change the handling code
)

// BatchActs lists them.
var BatchActs = []BatchAct{BatchWithdraw, BatchCorrect, BatchHandling}

// BatchStatus is where a batch stands.
type BatchStatus string

// The statuses. A batch is recalled while it waits, or runs to its end.
const (
	BatchWaiting  BatchStatus = "waiting"
	BatchRecalled BatchStatus = "recalled"
	BatchRunning  BatchStatus = "running"
	BatchDone     BatchStatus = "done"
)

// BatchPlan is what a batch is to do, the same for each item.
type BatchPlan struct {
	Act      BatchAct       `json:"act"`
	Reason   string         `json:"reason"`
	Category RemedyCategory `json:"category,omitempty"` // of a remedy
	Handling Handling       `json:"handling,omitempty"` // the new code
}

// BatchItem is one item of a batch: the version that its author saw, and what
// became of it.
type BatchItem struct {
	Ref     string
	Version int64
	Outcome string // a status, "" until done
	Code    string // of the refusal, "" for none
}

// Batch is one act on many items, previewed before and recallable for a while
// after it was given.
type Batch struct {
	ID        BatchID
	Ref       string
	Authority AuthorityID
	By        PersonID
	Plan      BatchPlan // its reason is sealed, and destroyed once the batch has ended
	Status    BatchStatus
	Items     int
	Done      int // items tried
	Refused   int // of those
	At        time.Time
	DueAt     time.Time // nothing happens before
	Version   int64
}

// BatchBody is the body of events on a batch.
type BatchBody struct {
	Ref       string      `json:"ref"`
	Act       BatchAct    `json:"act"`
	Authority AuthorityID `json:"authority"`
	Items     int         `json:"items"`
	Refused   int         `json:"refused,omitempty"`
}

// Planned is a batch over items of the actor's desk; wait is the undo window in
// case time.
func (b Batch) Planned(by Actor, items []BatchItem, now time.Time, wait time.Duration) (Batch, Event, error) {
	if err := by.Need(RoleOfficer, RoleReviewer); err != nil {
		return b, Event{}, err
	}
	b.Plan.Reason = strings.TrimSpace(b.Plan.Reason)
	switch {
	case !slices.Contains(BatchActs, b.Plan.Act):
		return b, Event{}, Refuse(Invalid, "batch.act", "act", "%q is nothing that is done to many items at once; the acts are %v", b.Plan.Act, BatchActs)
	case len(items) == 0:
		return b, Event{}, Refuse(Invalid, "batch.empty", "items", "no item is chosen: choose at least one")
	case len(items) > BatchMost:
		return b, Event{}, Refuse(TooLarge, "batch.large", "items", "%d items are too many at once: at most %d, the rest in another batch", len(items), BatchMost)
	}
	if err := Filled("reason", b.Plan.Reason); err != nil {
		return b, Event{}, err
	}
	b.Authority, b.By, b.Status, b.Items, b.At, b.DueAt = by.Authority, by.Person, BatchWaiting, len(items), now, now.Add(wait)
	return b, b.event(EventBatchPlanned, by, now), nil
}

func (b Batch) event(kind EventKind, by Actor, now time.Time) Event {
	return NewEvent(kind, by, string(b.ID), now, BatchBody{Ref: b.Ref, Act: b.Plan.Act, Authority: b.Authority, Items: b.Items, Refused: b.Refused})
}

// Recalled takes a batch back of which nothing was done yet.
func (b Batch) Recalled(by Actor, now time.Time) (Batch, Event, error) {
	if by.Authority == "" || by.Authority != b.Authority {
		return b, Event{}, ErrNotFound
	}
	if err := by.Need(RoleOfficer, RoleReviewer); err != nil {
		return b, Event{}, err
	}
	if b.Status != BatchWaiting {
		return b, Event{}, Refuse(Conflict, "batch.late", "", "batch %s is %s: what it did is undone item by item, by a correction or another change", b.Ref, b.Status)
	}
	b.Status = BatchRecalled
	return b, b.event(EventBatchRecalled, by, now), nil
}

// Stepped counts what one step did, and ends the batch with the last.
func (b Batch) Stepped(did []BatchItem, now time.Time) (Batch, *Event) {
	b.Status = BatchRunning
	for _, it := range did {
		b.Done++
		if it.Code != "" {
			b.Refused++
		}
	}
	if b.Done < b.Items {
		return b, nil
	}
	b.Status = BatchDone
	e := b.event(EventBatchDone, House, now)
	return b, &e
}
