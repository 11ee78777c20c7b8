package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"concert"
)

// EventsMade goes through the events that were recorded between two wall times,
// by id: not in the log's order. Zero times are no bound.
func (tx *Tx) EventsMade(ctx context.Context, from, until time.Time, fn func(concert.RecordedEvent) error) error {
	lo, hi := "", "~"
	if !from.IsZero() {
		lo = idAt(from.Add(-skew))
	}
	if !until.IsZero() {
		hi = idAt(until.Add(skew))
	}
	rows, err := tx.query(ctx, "SELECT id, kind, version, subject, actor, at, body FROM event WHERE id >= ? AND id < ? ORDER BY id", lo, hi)
	if err != nil {
		return fmt.Errorf("events by time: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var e concert.RecordedEvent
		var body string
		if err := rows.Scan(&e.ID, &e.Kind, &e.Version, &e.Subject, &e.Actor, &e.At, &body); err != nil {
			return err
		}
		e.Body, e.Index = []byte(body), -1
		if err := fn(e); err != nil {
			return err
		}
	}
	return rows.Err()
}

// wholeDay marks in tally_day that a day's numbers are all there.
const wholeDay = "whole"

// DayTallies are how the numbers of a side grew on a day that is over; ok is
// false where they were not made yet. For a unit, side is "a:" and its id, or
// "u:", its id and "/" for its numbers by provider.
func (tx *Tx) DayTallies(ctx context.Context, days []string, unit concert.AuthorityID) (whole map[string]bool, sums map[string]concert.Counts, err error) {
	whole, sums = map[string]bool{}, map[string]concert.Counts{}
	type row struct {
		day, side string
		metric    concert.Metric
		n         int64
	}
	rows, err := in(ctx, tx, func(r rowScanner) (row, error) {
		var w row
		return w, r.Scan(&w.day, &w.side, &w.metric, &w.n)
	}, "SELECT day, side, metric, n FROM tally_day WHERE day IN (%s)", anys(days))
	if err != nil {
		return nil, nil, fmt.Errorf("numbers by day: %w", err)
	}
	mine := []string{"a:" + string(unit), "u:" + string(unit) + "/"}
	for _, w := range rows {
		if w.side == "" {
			whole[w.day] = true
			continue
		}
		if w.side != mine[0] && !strings.HasPrefix(w.side, mine[1]) {
			continue
		}
		if sums[w.side] == nil {
			sums[w.side] = concert.Counts{}
		}
		sums[w.side][w.metric] += w.n
	}
	return whole, sums, nil
}

// KeepDay writes a day's numbers once and for all. They are the fold of events
// and no case data of their own: no event tells of it.
func (tx *Tx) KeepDay(ctx context.Context, day string, sides map[string]concert.Counts) error {
	rows := [][]any{{day, "", wholeDay, 1}}
	for side, c := range sides {
		for m, n := range c {
			if n != 0 {
				rows = append(rows, []any{day, side, string(m), n})
			}
		}
	}
	slices.SortFunc(rows, func(a, b []any) int { return compareStrings(a[1], b[1], a[2], b[2]) })
	_, err := tx.insert(ctx, "tally_day", "day, side, metric, n", rows, "ON CONFLICT DO NOTHING")
	return err
}
