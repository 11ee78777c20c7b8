package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"concert"
)

// Consulting makes sure that people have keys under which the justifications of
// their readings are sealed.
func (tx *Tx) Consulting(ctx context.Context, people []concert.PersonID) error {
	_, err := in(ctx, tx, func(r rowScanner) (struct{}, error) {
		var subject string
		var wrapped []byte
		if err := r.Scan(&subject, &wrapped); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, tx.knowKey(subject, wrapped)
	}, "SELECT subject, wrapped FROM subject_key WHERE subject IN (%s)", anys(strs(people)))
	if err != nil {
		return fmt.Errorf("keys of readers: %w", err)
	}
	var fresh []string
	for _, p := range people {
		if _, ok := tx.keys[string(p)]; !ok {
			fresh = append(fresh, string(p))
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	return tx.newSubjects(ctx, fresh...)
}

// ConsultationFilter chooses consultations; its zero value, all.
type ConsultationFilter struct {
	Before concert.EventID  // the last one of the page before; "" to begin with the newest
	Reader concert.PersonID // "" for everybody's
	Ref    string           // of a thing that was shown by reference: checked, since it goes into a pattern; "" for any
	Limit  int
}

// Consultations are who read what and why, newest first.
func (tx *Tx) Consultations(ctx context.Context, s concert.Scope, f ConsultationFilter) ([]concert.Consultation, error) {
	if err := s.Justified(); err != nil {
		return nil, err
	}
	where, args := "WHERE e.kind = 'consulted'", []any(nil)
	if f.Before != "" {
		where += " AND e.id < ?"
		args = append(args, string(f.Before))
	}
	if f.Reader != "" {
		where += " AND e.subject = ?"
		args = append(args, string(f.Reader))
	}
	if f.Ref != "" {
		where += " AND e.body LIKE ?"
		args = append(args, `%"`+f.Ref+`"%`)
	}
	scan := func(r rowScanner) (concert.Consultation, error) {
		var c concert.Consultation
		var at int64
		var subject, body string
		var operator *string
		var sealed, wrapped []byte
		if err := r.Scan(&c.Event, &subject, &at, &body, &sealed, &operator, &wrapped); err != nil {
			return c, err
		}
		c.At = concert.FromMicros(at)
		if operator != nil {
			c.Operator = *operator
		}
		if err := json.Unmarshal([]byte(body), &c.ConsultedBody); err != nil {
			return c, fmt.Errorf("body of event %s: %w", c.Event, err)
		}
		if len(wrapped) == 0 {
			return c, nil
		}
		if err := tx.knowKey(subject, wrapped); err != nil {
			return c, err
		}
		var g concert.GroundText
		err := tx.open(ctx, subject, "event", sealed, &g)
		c.Justification = g.Ground
		return c, err
	}
	return list(ctx, tx, scan, "SELECT e.id, e.subject, e.at, e.body, e.sealed, p.operator, k.wrapped FROM event e LEFT JOIN person p ON p.id = e.actor LEFT JOIN subject_key k ON k.subject = e.subject "+where+" ORDER BY e.id DESC LIMIT ?",
		append(args, min(max(f.Limit, 1), 500))...)
}

// ActedOn reports whether the actor has done something to the subject since wall
// time: ids of events begin with theirs (UUIDv7).
func (tx *Tx) ActedOn(ctx context.Context, subject string, by concert.PersonID, since time.Time) (bool, error) {
	ms := fmt.Sprintf("%012x", max(0, since.UnixMilli()))
	var n int
	err := tx.row(ctx, "SELECT 1 FROM event WHERE subject = ? AND id >= ? AND actor = ? AND kind <> ? LIMIT 1", subject, ms[:8]+"-"+ms[8:]+"-", string(by), string(concert.EventCaptureAdded)).Scan(&n)
	if err == concert.ErrNotFound {
		return false, nil
	}
	return n == 1, err
}

// CountItems counts what Items would list, up to most, and opens nothing.
func (tx *Tx) CountItems(ctx context.Context, s concert.Scope, f ItemFilter, most int) (int, error) {
	if err := s.Check(); err != nil {
		return 0, err
	}
	where, args := f.where()
	var n int
	err := tx.row(ctx, "SELECT count(*) FROM (SELECT 1 FROM item i "+where+" LIMIT ?) AS counted", append(args, most)...).Scan(&n)
	return n, err
}

// AllItems is how many items there are, for drawing among them.
func (tx *Tx) AllItems(ctx context.Context) (int64, error) {
	var n int64
	err := tx.row(ctx, "SELECT count(*) FROM item").Scan(&n)
	return n, err
}

// ItemRefAt is the reference of the item that stands n-th by reference, which
// is chance itself, from 0.
func (tx *Tx) ItemRefAt(ctx context.Context, n int64) (string, error) {
	return scanText(tx.row(ctx, "SELECT ref FROM item ORDER BY ref LIMIT 1 OFFSET ?", n))
}

// OpenActionsOf are the joint actions that an authority takes part in and that
// are not closed, newest first.
func (tx *Tx) OpenActionsOf(ctx context.Context, a concert.AuthorityID, limit int) ([]concert.Action, error) {
	return list(ctx, tx, scanAction, "SELECT "+actionCols+" FROM action WHERE phase <> 'close' AND (lead_authority = ? OR id IN (SELECT action FROM participant WHERE authority = ?)) ORDER BY id DESC LIMIT ?", string(a), string(a), limit)
}
