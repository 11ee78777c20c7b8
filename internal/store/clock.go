package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"concert"
)

type clockKey struct {
	kind    concert.ClockKind
	subject string
}

// SetClock makes the clock fall due at the time, or earlier where it already
// does.
func (tx *Tx) SetClock(kind concert.ClockKind, subject string, due time.Time) {
	k := clockKey{kind, subject}
	if at, ok := tx.clocks[k]; !ok || due.Before(at) {
		tx.clocks[k] = due
	}
}

func (tx *Tx) flushClocks(ctx context.Context) error {
	rows := make([][]any, 0, len(tx.clocks))
	for k, due := range tx.clocks {
		rows = append(rows, []any{string(k.kind), k.subject, concert.Micros(due), 1})
	}
	slices.SortFunc(rows, func(a, b []any) int { return compareStrings(a[0], b[0], a[1], b[1]) })
	_, err := tx.insert(ctx, "clock", "kind, subject, due_at, version", rows,
		"ON CONFLICT (kind, subject) DO UPDATE SET due_at = CASE WHEN excluded.due_at < clock.due_at THEN excluded.due_at ELSE clock.due_at END, version = clock.version + 1")
	return err
}

func compareStrings(pairs ...any) int {
	for i := 0; i+1 < len(pairs); i += 2 {
		a, b := pairs[i].(string), pairs[i+1].(string)
		if a != b {
			if a < b {
				return -1
			}
			return 1
		}
	}
	return 0
}

// clocksMost bounds the clocks that one transaction takes.
const clocksMost = 200

// FireClocks takes the clocks that are due at the case time and enqueues their
// jobs in the same transaction, so that each fires once, on whichever node
// comes first. A clock whose job is under way asks again after the span.
// Clocks of the kinds in leave stay as they are, due or not. It returns how many
// fired.
func (db *DB) FireClocks(ctx context.Context, now time.Time, again time.Duration, leave ...concert.ClockKind) (int, error) {
	others, args := "", []any{concert.Micros(now)}
	if len(leave) > 0 {
		others = " AND kind NOT IN (?" + repeat(", ?", len(leave)-1) + ")"
	}
	for _, k := range leave {
		args = append(args, string(k))
	}
	var due int
	err := db.View(ctx, func(tx *Tx) error {
		return tx.row(ctx, "SELECT count(*) FROM (SELECT 1 FROM clock WHERE due_at <= ?"+others+" LIMIT 1) AS d", args...).Scan(&due)
	})
	if err != nil || due == 0 {
		return 0, err
	}
	var fired int
	err = db.Update(ctx, func(tx *Tx) error {
		clocks, err := list(ctx, tx, func(r rowScanner) (concert.Clock, error) {
			var c concert.Clock
			var at int64
			err := r.Scan(&c.Kind, &c.Subject, &at, &c.Version)
			c.DueAt = concert.FromMicros(at)
			return c, err
		}, "SELECT kind, subject, due_at, version FROM clock WHERE due_at <= ?"+others+" ORDER BY due_at LIMIT ?"+db.d.skipLocked, append(slices.Clip(args), clocksMost)...)
		if err != nil {
			return fmt.Errorf("read clocks: %w", err)
		}
		// A kind that this program does not know was set by a newer one, whose
		// nodes take it.
		jobs := make([]concert.Job, 0, len(clocks))
		clocks = slices.DeleteFunc(clocks, func(c concert.Clock) bool {
			j, unknown := c.JobFor()
			if unknown == nil {
				jobs = append(jobs, j)
			}
			return unknown != nil
		})
		taken, err := tx.enqueue(ctx, jobs)
		if err != nil {
			return err
		}
		fired = 0
		for i, c := range clocks {
			// One like it is under way and may have looked already: this clock
			// stays and asks again a little later, so that nothing is missed.
			text, args := "UPDATE clock SET due_at = ? WHERE kind = ? AND subject = ? AND version = ?", []any{concert.Micros(now.Add(again)), string(c.Kind), c.Subject, c.Version}
			if taken[i] {
				text, args = "DELETE FROM clock WHERE kind = ? AND subject = ? AND version = ?", args[1:]
				fired++
			}
			if _, err := tx.exec(ctx, text, args...); err != nil {
				return fmt.Errorf("take clock: %w", err)
			}
		}
		return nil
	})
	return fired, err
}
