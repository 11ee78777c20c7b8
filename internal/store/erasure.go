package store

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"concert"
	"concert/tlog"
)

// ErrUnsequenced is what Erase finds when an event of the item has no place in
// the log yet: sequence, and try again.
var ErrUnsequenced = errors.New("an event of this item has no place in the log yet")

// SaveErasure writes a request, its confirmation, or the house's own erasure. A
// reason is sealed under the item's key, while it has one.
func (tx *Tx) SaveErasure(ctx context.Context, e concert.Erasure) error {
	tx.touch("erasure")
	var sealed []byte
	if e.ErasedAt.IsZero() {
		var err error
		if sealed, err = tx.seal(ctx, string(e.Item), "erasure", concert.GroundText{Ground: e.Reason}); err != nil {
			return err
		}
	}
	_, err := tx.insert(ctx, "erasure", "item, code, sealed, asked_by, asked_at, confirmed_by, erased_at",
		[][]any{{string(e.Item), string(e.Code), sealed, string(e.AskedBy), concert.Micros(e.AskedAt), string(e.ConfirmedBy), concert.Micros(e.ErasedAt)}},
		"ON CONFLICT (item) DO UPDATE SET code = excluded.code, sealed = excluded.sealed, asked_by = excluded.asked_by, asked_at = excluded.asked_at, confirmed_by = excluded.confirmed_by, erased_at = excluded.erased_at")
	return err
}

// Erasure is what is known of an item's erasure; the zero one where nobody
// asked.
func (tx *Tx) Erasure(ctx context.Context, item concert.ItemID) (concert.Erasure, error) {
	var e concert.Erasure
	var sealed []byte
	var asked, erased int64
	err := tx.row(ctx, "SELECT item, code, sealed, asked_by, asked_at, confirmed_by, erased_at FROM erasure WHERE item = ?", string(item)).Scan(&e.Item, &e.Code, &sealed, &e.AskedBy, &asked, &e.ConfirmedBy, &erased)
	if err == concert.ErrNotFound {
		return concert.Erasure{}, nil
	}
	if err != nil {
		return e, err
	}
	e.AskedAt, e.ErasedAt = concert.FromMicros(asked), concert.FromMicros(erased)
	var g concert.GroundText
	err = tx.open(ctx, string(item), "erasure", sealed, &g)
	e.Reason = g.Ground
	return e, err
}

// recorded is an event with the act that it belongs to.
type recorded struct {
	concert.RecordedEvent
	act      string // the act's first event
	position int64  // of the act; -1 until sequenced
}

// history are a subject's events in the log's order.
func (tx *Tx) history(ctx context.Context, subject, kinds string, args ...any) ([]recorded, error) {
	out, err := list(ctx, tx, func(r rowScanner) (recorded, error) {
		var e recorded
		var body string
		err := r.Scan(&e.ID, &e.Kind, &e.Version, &e.Subject, &e.Actor, &e.At, &body, &e.Sealed, &e.Salt, &e.Commit, &e.act, &e.position)
		e.Body, e.Index = []byte(body), -1
		return e, err
	}, "SELECT e.id, e.kind, e.version, e.subject, e.actor, e.at, e.body, e.sealed, e.salt, e.leaf, b.first, b.position FROM event e JOIN log_batch b ON b.first = (SELECT max(x.first) FROM log_batch x WHERE x.first <= e.id) WHERE e.subject = ?"+kinds,
		append([]any{subject}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("history of %s: %w", subject, err)
	}
	// Ids are in the order of time on one machine; between machines only the log
	// has one order.
	slices.SortFunc(out, func(a, b recorded) int {
		return cmp.Or(cmp.Compare(a.position, b.position), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}

// EventOf is a subject's last event of a kind, with its place in the log, -1
// until it has one.
func (tx *Tx) EventOf(ctx context.Context, subject string, kind concert.EventKind) (concert.RecordedEvent, error) {
	got, err := tx.history(ctx, subject, " AND e.kind = ?", string(kind))
	if err != nil {
		return concert.RecordedEvent{}, err
	}
	if len(got) == 0 {
		return concert.RecordedEvent{}, concert.ErrNotFound
	}
	e := got[len(got)-1]
	if e.position < 0 {
		return e.RecordedEvent, nil
	}
	var before int64
	err = tx.row(ctx, "SELECT count(*) FROM event WHERE id >= ? AND id < ?", e.act, string(e.ID)).Scan(&before)
	e.Index = e.position + before
	return e.RecordedEvent, err
}

// Erase destroys the item's key and everything that lay under it, the digests
// of its place and its bytes, and the salts of its events, and returns how many
// events those were and the digest of what remains of them, in the log's order.
// The caller saves the item (SaveItems) and records the erasure. An event that
// is not what its commitment commits to is refused: erasing it would hide that
// it was changed.
func (tx *Tx) Erase(ctx context.Context, it concert.Item) (n int, remains [sha256.Size]byte, err error) {
	tx.touch("item")
	id := string(it.ID)
	events, err := tx.history(ctx, id, "")
	if err != nil {
		return 0, remains, err
	}
	h := sha256.New()
	for _, e := range events {
		if e.position < 0 {
			return 0, remains, ErrUnsequenced
		}
		if c := tlog.Commit(e.Salt, e.Canonical(sha256.Sum256(e.Sealed))); len(e.Salt) != tlog.SaltSize || !bytes.Equal(c[:], e.Commit) {
			return 0, remains, concert.Refuse(concert.Conflict, "erasure.tampered", "", "item %s is not erased, since its event %s is not what its commitment commits to: run concert verify, and keep the evidence", it.Ref, e.ID)
		}
		h.Write(e.Remains())
	}
	h.Sum(remains[:0])
	if it.Referral != "" {
		if err := tx.partOriginal(ctx, it.Referral); err != nil {
			return 0, remains, err
		}
	}
	if err := tx.eraseQuestions(ctx, it.Referral); err != nil {
		return 0, remains, fmt.Errorf("erase the thread of %s: %w", it.Ref, err)
	}
	elsewhere := make([]byte, sha256.Size)
	rand.Read(elsewhere)
	gone, err := tx.exec(ctx, "UPDATE event SET sealed = NULL, salt = NULL WHERE subject = ?", id)
	if err != nil {
		return 0, remains, fmt.Errorf("erase events of %s: %w", it.Ref, err)
	}
	if gone != int64(len(events)) {
		return 0, remains, concert.ErrStale // one more was recorded meanwhile
	}
	for _, q := range []struct {
		text string
		args []any
	}{
		{"DELETE FROM subject_key WHERE subject = ?", []any{id}},
		{"UPDATE item SET sealed = NULL, content = NULL, place = ? WHERE id = ?", []any{elsewhere, id}},
		{"UPDATE assessment SET sealed = NULL WHERE item = ?", []any{id}},
		{"UPDATE approval SET sealed = NULL, content = NULL WHERE assessment IN (SELECT id FROM assessment WHERE item = ?)", []any{id}},
		{"UPDATE answer SET sealed = NULL WHERE item = ?", []any{id}},
		{"UPDATE remedy SET sealed = NULL WHERE item = ?", []any{id}},
		{"UPDATE second_look SET sealed = NULL WHERE item = ?", []any{id}},
		{"DELETE FROM note WHERE item = ?", []any{id}},
		{"UPDATE translation SET sealed = NULL WHERE item = ?", []any{id}},
		{"UPDATE recheck SET digest = '' WHERE item = ?", []any{id}},
		{"UPDATE referral_item SET sealed = NULL WHERE item = ?", []any{id}},
		{"UPDATE isolation SET sealed = NULL, area = NULL WHERE id = ?", []any{id}},
		{"DELETE FROM idempotency WHERE subject <> '' AND subject = ?", []any{it.Ref}},
		{"DELETE FROM clock WHERE kind = ? AND subject = ?", []any{string(concert.ClockErase), id}},
		{"DELETE FROM slip WHERE item = ?", []any{id}},
		{"DELETE FROM claim_end WHERE item = ?", []any{id}},
		{"DELETE FROM skip WHERE item = ?", []any{id}},
	} {
		if _, err := tx.exec(ctx, q.text, q.args...); err != nil {
			return 0, remains, fmt.Errorf("erase %s: %w", it.Ref, err)
		}
	}
	if err := tx.eraseMessages(ctx, it.ID, it.Referral); err != nil {
		return 0, remains, fmt.Errorf("erase %s: %w", it.Ref, err)
	}
	if err := tx.eraseExposure(ctx, it.ID); err != nil {
		return 0, remains, err
	}
	if err := tx.erasePrints(ctx, it.ID); err != nil {
		return 0, remains, err
	}
	if err := tx.eraseAudit(ctx, it.ID); err != nil {
		return 0, remains, err
	}
	delete(tx.keys, id)
	return len(events), remains, nil
}

// Scrub takes what was erased out of the embedded database's write-ahead file
// too, and says whether it could: readers of an older state may stand in the
// way for a moment. PostgreSQL does this itself, in its own time (docs/erasure.md).
func (db *DB) Scrub(ctx context.Context) (done bool, err error) {
	if db.d.scrub == "" {
		return true, nil
	}
	err = db.alone(ctx, func() error {
		done, err = db.scrub(ctx)
		return err
	})
	return done, err
}

func (db *DB) scrub(ctx context.Context) (done bool, err error) {
	conn, err := db.write.Conn(ctx)
	if err != nil {
		return false, fmt.Errorf("scrub: %w", err)
	}
	defer conn.Close()
	// Writers wait meanwhile, so it gives up soon instead of after ten seconds.
	if _, err := conn.ExecContext(ctx, "PRAGMA busy_timeout(200)"); err != nil {
		return false, fmt.Errorf("scrub: %w", err)
	}
	var busy, log, moved int
	err = conn.QueryRowContext(ctx, db.d.scrub).Scan(&busy, &log, &moved)
	if _, end := conn.ExecContext(context.WithoutCancel(ctx), "PRAGMA busy_timeout(10000)"); err == nil {
		err = end
	}
	if err != nil && db.d.retryable(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("scrub: %w", err)
	}
	return busy == 0, nil
}
