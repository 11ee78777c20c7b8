package store

import (
	"context"
	"fmt"
	"slices"

	"concert"
)

// often are the kinds of event that the index of the others leaves out: they
// are most of the log, and each page of them is near.
const often = "kind NOT IN ('item.submitted', 'item.joined', 'item.assessed', 'item.approved', 'item.referred', 'item.answered', 'item.rechecked', 'referral.sent', 'referral.acknowledged', 'delivery.moved', 'consulted')"

// oftenKinds are the same.
var oftenKinds = [...]concert.EventKind{concert.EventItemSubmitted, concert.EventItemJoined, concert.EventItemAssessed, concert.EventItemApproved, concert.EventItemReferred, concert.EventItemAnswered,
	concert.EventItemRechecked, concert.EventReferralSent, concert.EventReferralAcknowledged, concert.EventDeliveryMoved, concert.EventConsulted}

// ListedEvent is an event with the number of who did it.
type ListedEvent struct {
	concert.RecordedEvent
	Operator string // "" for the house, and for who is no longer known
}

// SearchEvents is one page of the log, newest first. The sealed parts stay where
// they are. The place in the log is -1 until the event has one.
func (tx *Tx) SearchEvents(ctx context.Context, s concert.Scope, q concert.EventSearch, p concert.Page) (concert.Listed[ListedEvent], error) {
	var none concert.Listed[ListedEvent]
	if err := s.Justified(); err != nil {
		return none, err
	}
	a, err := newestFirst("event e", "e.id", p.Order)
	if err != nil {
		return none, err
	}
	switch {
	case q.Subject != "":
		a.walks = []walk{{"e.subject = ?", []any{q.Subject}}}
		a.onlyIf(string(q.Kind), "e.kind = ?")
	case q.Kind == concert.EventConsulted:
		a.walks = []walk{{"e.kind = 'consulted'", nil}}
	case slices.Contains(oftenKinds[:], q.Kind):
		a.only("e.kind = ?", string(q.Kind))
	case q.Kind != "":
		a.walks = []walk{{"e.kind = ? AND e." + often, []any{string(q.Kind)}}}
	}
	a.onlyIf(string(q.Actor), "e.actor = ?")
	a.between("e.at", q.From, q.Until)
	found, err := tx.search(ctx, a, p)
	if err != nil {
		return none, err
	}
	return listed(found, func(ids []any) ([]ListedEvent, error) { return tx.placed(ctx, "e.id IN (%s)", ids) }, func(e ListedEvent) string { return string(e.ID) })
}

// placed are events with their places in the log: an act's events have
// neighbouring ids, so that its first one's place is enough.
func (tx *Tx) placed(ctx context.Context, where string, args []any) ([]ListedEvent, error) {
	out, err := in(ctx, tx, func(r rowScanner) (ListedEvent, error) {
		var e ListedEvent
		var body string
		var operator, first *string
		var position *int64
		err := r.Scan(&e.ID, &e.Kind, &e.Version, &e.Subject, &e.Actor, &e.At, &body, &e.Sealed, &e.Salt, &e.Commit, &operator, &first, &position)
		if err != nil {
			return e, err
		}
		e.Body, e.Index = []byte(body), -1
		if operator != nil {
			e.Operator = *operator
		}
		if first != nil && position != nil && *position >= 0 {
			if n, ok := concert.EventIDOffset(concert.EventID(*first), e.ID); ok {
				e.Index = *position + n
			}
		}
		return e, nil
	}, "SELECT e.id, e.kind, e.version, e.subject, e.actor, e.at, e.body, e.sealed, e.salt, e.leaf, p.operator, b.first, b.position FROM event e LEFT JOIN person p ON p.id = e.actor "+
		"LEFT JOIN log_batch b ON b.first = (SELECT max(f.first) FROM log_batch f WHERE f.first <= e.id) WHERE "+where, args)
	if err != nil {
		return nil, fmt.Errorf("events: %w", err)
	}
	return out, nil
}

// EventAt is the event at a place in the log.
func (tx *Tx) EventAt(ctx context.Context, index int64) (ListedEvent, error) {
	b, err := scanBatch(tx.row(ctx, "SELECT "+batchCols+" FROM log_batch WHERE position >= 0 AND position <= ? ORDER BY position DESC LIMIT 1", index))
	if err != nil {
		return ListedEvent{}, err
	}
	if index-b.position >= b.n {
		return ListedEvent{}, concert.ErrNotFound
	}
	var id string
	if err := tx.row(ctx, "SELECT id FROM event WHERE id >= ? AND id <= ? ORDER BY id LIMIT 1 OFFSET ?", b.first, b.last, index-b.position).Scan(&id); err != nil {
		return ListedEvent{}, err
	}
	got, err := tx.placed(ctx, "e.id IN (%s)", []any{id})
	if err != nil {
		return ListedEvent{}, err
	}
	if len(got) != 1 {
		return ListedEvent{}, concert.ErrNotFound
	}
	return got[0], nil
}
