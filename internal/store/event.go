package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"concert"
	"concert/tlog"
)

// notice ties a delivery to the event that made it, so that its place in the
// inbox becomes known when the log is sequenced.
type notice struct {
	delivery concert.DeliveryID
	event    int // position among the act's events
}

// Record keeps events with the act: their rows, salted leaves and what they
// change in the running numbers are written when the act commits.
func (tx *Tx) Record(events ...concert.Event) {
	for _, e := range events {
		tx.deltas.Count(e.Kind, e.Body)
	}
	tx.events = append(tx.events, events...)
}

// RecordNotice records the event and makes its place in the log the place of
// the delivery in its provider's inbox.
func (tx *Tx) RecordNotice(e concert.Event, d concert.DeliveryID) {
	tx.notices = append(tx.notices, notice{d, len(tx.events)})
	tx.Record(e)
}

func (tx *Tx) flushEvents(ctx context.Context) error {
	if len(tx.events) == 0 {
		return nil
	}
	base, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("event id: %w", err)
	}
	salts := make([]byte, tlog.SaltSize*len(tx.events))
	rand.Read(salts)
	rows := make([][]any, len(tx.events))
	var first, last concert.EventID
	for i, e := range tx.events {
		body, err := concert.CanonicalJSON(e.Body)
		if err != nil {
			return fmt.Errorf("event %s: %w", e.Kind, err)
		}
		rec := concert.RecordedEvent{ID: concert.EventIDAt(base, i), Kind: e.Kind, Version: e.Version, Subject: e.Subject, Actor: e.Actor, At: concert.Micros(e.At), Body: body, Salt: salts[tlog.SaltSize*i : tlog.SaltSize*(i+1)]}
		if e.Sealed != nil {
			if rec.Sealed, err = tx.seal(ctx, e.Subject, "event", e.Sealed); err != nil {
				return err
			}
		}
		leaf := tlog.Commit(rec.Salt, rec.Canonical(sha256.Sum256(rec.Sealed)))
		if i == 0 {
			first = rec.ID
		}
		last = rec.ID
		rows[i] = []any{string(rec.ID), string(rec.Kind), rec.Version, rec.Subject, string(rec.Actor), rec.At, string(body), rec.Sealed, rec.Salt, leaf[:]}
	}
	if _, err := tx.insert(ctx, "event", "id, kind, version, subject, actor, at, body, sealed, salt, leaf", rows, ""); err != nil {
		return err
	}
	var notices strings.Builder
	for _, n := range tx.notices {
		fmt.Fprintf(&notices, "%s:%d,", n.delivery, n.event)
	}
	_, err = tx.exec(ctx, "INSERT INTO log_batch (first, last, n, at, notices, position) VALUES (?, ?, ?, ?, ?, -1)",
		string(first), string(last), len(rows), concert.Micros(tx.db.now()), notices.String())
	if err != nil {
		return fmt.Errorf("log batch: %w", err)
	}
	return nil
}

func parseNotices(s string) ([]notice, error) {
	var out []notice
	for part := range strings.SplitSeq(strings.TrimSuffix(s, ","), ",") {
		if part == "" {
			continue
		}
		id, pos, ok := strings.Cut(part, ":")
		n, err := strconv.Atoi(pos)
		if !ok || err != nil {
			return nil, fmt.Errorf("log batch: broken notice %q", part)
		}
		out = append(out, notice{concert.DeliveryID(id), n})
	}
	return out, nil
}

const eventCols = "id, kind, version, subject, actor, at, body, sealed, salt, leaf"

func scanEvent(r rowScanner) (concert.RecordedEvent, error) {
	var e concert.RecordedEvent
	var body string
	err := r.Scan(&e.ID, &e.Kind, &e.Version, &e.Subject, &e.Actor, &e.At, &body, &e.Sealed, &e.Salt, &e.Commit)
	e.Body, e.Index = []byte(body), -1
	return e, err
}

type batch struct {
	first, last string
	n           int64
	at          int64
	notices     string
	position    int64
}

func scanBatch(r rowScanner) (batch, error) {
	var b batch
	err := r.Scan(&b.first, &b.last, &b.n, &b.at, &b.notices, &b.position)
	return b, err
}

const batchCols = "first, last, n, at, notices, position"

// EventsFrom are the sequenced events from the log index on, in the log's
// order: the one cursor for streams and exports. It returns whole acts, at
// least limit events where there are so many.
func (tx *Tx) EventsFrom(ctx context.Context, index int64, limit int) ([]concert.RecordedEvent, error) {
	// The act that holds index may begin before it.
	var from int64
	err := tx.row(ctx, "SELECT position FROM log_batch WHERE position >= 0 AND position <= ? ORDER BY position DESC LIMIT 1", index).Scan(&from)
	if err == concert.ErrNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	batches, err := list(ctx, tx, scanBatch, "SELECT "+batchCols+" FROM log_batch WHERE position >= 0 AND position >= ? ORDER BY position LIMIT ?", from, max(limit/4, 16))
	if err != nil {
		return nil, err
	}
	var out []concert.RecordedEvent
	for _, b := range batches {
		if len(out) >= limit {
			break
		}
		events, err := list(ctx, tx, scanEvent, "SELECT "+eventCols+" FROM event WHERE id >= ? AND id <= ? ORDER BY id", b.first, b.last)
		if err != nil {
			return nil, err
		}
		for i := range events {
			events[i].Index = b.position + int64(i)
			if events[i].Index >= index {
				out = append(out, events[i])
			}
		}
	}
	return out, nil
}

// Unsequenced counts events that wait for their place in the log, and how
// long the oldest has waited since the microsecond now.
func (tx *Tx) Unsequenced(ctx context.Context) (n, oldest int64, first string, err error) {
	err = tx.row(ctx, "SELECT coalesce(sum(n), 0), coalesce(min(at), 0), coalesce(min(first), '') FROM log_batch WHERE position < 0").Scan(&n, &oldest, &first)
	return n, oldest, first, err
}
