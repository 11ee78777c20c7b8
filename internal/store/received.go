package store

import (
	"context"
	"fmt"
	"time"

	"concert"
)

const hubCols = "id, ref, url, origin, root, trust, addressee, webhook_key, keys, sealed_key, inbox, seen_at, problem, added_at, ended_at, version"

func scanHub(r rowScanner) (concert.Hub, error) {
	var h concert.Hub
	var seen, added, ended int64
	err := r.Scan(&h.ID, &h.Ref, &h.URL, &h.Origin, &h.Root, &h.Trust, &h.Addressee, &h.WebhookKey, &h.Keys, &h.SealedKey, &h.Cursor, &seen, &h.Problem, &added, &ended, &h.Version)
	h.SeenAt, h.AddedAt, h.EndedAt = concert.FromMicros(seen), concert.FromMicros(added), concert.FromMicros(ended)
	return h, err
}

// AddHub writes a new hub.
func (tx *Tx) AddHub(ctx context.Context, h concert.Hub) error {
	tx.touch("received_hub")
	_, err := tx.insert(ctx, "received_hub", hubCols, [][]any{{string(h.ID), h.Ref, h.URL, h.Origin, h.Root, h.Trust, h.Addressee, h.WebhookKey, h.Keys, h.SealedKey, h.Cursor, concert.Micros(h.SeenAt), h.Problem,
		concert.Micros(h.AddedAt), concert.Micros(h.EndedAt), 1}}, "")
	return err
}

// EndHub ends a hub: it is asked no more.
func (tx *Tx) EndHub(ctx context.Context, h concert.Hub) error {
	tx.touch("received_hub")
	return tx.update(ctx, "received_hub", []typed{{"ended_at", "BIGINT"}}, [][]any{{string(h.ID), h.Version, concert.Micros(h.EndedAt)}})
}

// SawHub writes down how the hub was met last: no case data, so it needs no event.
func (tx *Tx) SawHub(ctx context.Context, h concert.Hub) error {
	_, err := tx.exec(ctx, "UPDATE received_hub SET trust = ?, inbox = ?, seen_at = ?, problem = ? WHERE id = ?", h.Trust, h.Cursor, concert.Micros(h.SeenAt), h.Problem, string(h.ID))
	return err
}

// Hub is one, by reference or id.
func (tx *Tx) Hub(ctx context.Context, ref string) (concert.Hub, error) {
	return scanHub(tx.row(ctx, "SELECT "+hubCols+" FROM received_hub WHERE ref = ? OR id = ?", ref, ref))
}

// HubAt is the hub in force at the host, which stands in the address of its webhook.
func (tx *Tx) HubAt(ctx context.Context, host string) (concert.Hub, error) {
	return scanHub(tx.row(ctx, "SELECT "+hubCols+" FROM received_hub WHERE ended_at = 0 AND url IN (?, ?)", "https://"+host, "http://"+host))
}

// Hubs are all, those that ended last.
func (tx *Tx) Hubs(ctx context.Context) ([]concert.Hub, error) {
	return list(ctx, tx, scanHub, "SELECT "+hubCols+" FROM received_hub ORDER BY ended_at, id")
}

const (
	receivedCols   = "id, ref, hub, kind, theirs, their_version, status, verdict, items, done, received_at, answered_at, ended_at, updated_at, exercise, version"
	sealedReceived = "received.text"
)

type receivedRow struct {
	concert.Received
	sealed []byte
}

func scanReceived(r rowScanner) (receivedRow, error) {
	var w receivedRow
	var received, answered, ended, updated int64
	err := r.Scan(&w.ID, &w.Ref, &w.Hub, &w.Kind, &w.Theirs, &w.TheirVersion, &w.Status, &w.Verdict, &w.Items, &w.Done, &received, &answered, &ended, &updated, &w.Exercise, &w.Version, &w.sealed)
	w.ReceivedAt, w.AnsweredAt, w.EndedAt, w.UpdatedAt = concert.FromMicros(received), concert.FromMicros(answered), concert.FromMicros(ended), concert.FromMicros(updated)
	return w, err
}

func (tx *Tx) openReceived(ctx context.Context, in []receivedRow) ([]concert.Received, error) {
	out := make([]concert.Received, len(in))
	for i, w := range in {
		if err := tx.open(ctx, string(w.ID), sealedReceived, w.sealed, &w.ReceivedText); err != nil {
			return nil, err
		}
		out[i] = w.Received
	}
	return out, nil
}

// AddReceived writes what came in, with its original as it came.
func (tx *Tx) AddReceived(ctx context.Context, r concert.Received, items []concert.ReceivedItem, original []byte) error {
	tx.touch("received")
	if err := tx.newSubjects(ctx, string(r.ID)); err != nil {
		return err
	}
	sealed, err := tx.seal(ctx, string(r.ID), sealedReceived, r.ReceivedText)
	if err != nil {
		return err
	}
	kept, err := tx.sealBytes(ctx, string(r.ID), "received.original", original)
	if err != nil {
		return err
	}
	_, err = tx.insert(ctx, "received", receivedCols+", sealed, original", [][]any{{string(r.ID), r.Ref, string(r.Hub), string(r.Kind), r.Theirs, r.TheirVersion, string(r.Status), r.Verdict, r.Items, r.Done,
		concert.Micros(r.ReceivedAt), concert.Micros(r.AnsweredAt), concert.Micros(r.EndedAt), concert.Micros(r.UpdatedAt), flag(r.Exercise), 1, sealed, kept}}, "")
	if err != nil {
		return err
	}
	rows := make([][]any, len(items))
	for i, it := range items {
		place, err := tx.seal(ctx, string(r.ID), "received.place", it.Place)
		if err != nil {
			return err
		}
		rows[i] = []any{string(r.ID), i, it.Ref, it.Code, concert.Micros(it.At), place}
	}
	_, err = tx.insert(ctx, "received_item", "received, pos, ref, code, at, sealed", rows, "")
	return err
}

// SaveReceived writes it back, with those of its items that changed.
func (tx *Tx) SaveReceived(ctx context.Context, r concert.Received, items []concert.ReceivedItem) error {
	tx.touch("received")
	sealed, err := tx.seal(ctx, string(r.ID), sealedReceived, r.ReceivedText)
	if err != nil {
		return err
	}
	for _, it := range items {
		place, err := tx.seal(ctx, string(r.ID), "received.place", it.Place)
		if err != nil {
			return err
		}
		if _, err := tx.exec(ctx, "UPDATE received_item SET code = ?, at = ?, sealed = ? WHERE received = ? AND pos = ?", it.Code, concert.Micros(it.At), place, string(r.ID), it.Pos); err != nil {
			return fmt.Errorf("item of %s: %w", r.Ref, err)
		}
	}
	if _, err := tx.exec(ctx, "UPDATE received SET sealed = ? WHERE id = ? AND version = ?", sealed, string(r.ID), r.Version); err != nil {
		return fmt.Errorf("update %s: %w", r.Ref, err)
	}
	return tx.update(ctx, "received", []typed{{"their_version", "BIGINT"}, {"status", "TEXT"}, {"verdict", "TEXT"}, {"done", "BIGINT"}, {"received_at", "BIGINT"}, {"answered_at", "BIGINT"}, {"ended_at", "BIGINT"}, {"updated_at", "BIGINT"}},
		[][]any{{string(r.ID), r.Version, r.TheirVersion, string(r.Status), r.Verdict, r.Done, concert.Micros(r.ReceivedAt), concert.Micros(r.AnsweredAt), concert.Micros(r.EndedAt), concert.Micros(r.UpdatedAt)}})
}

// SawReceived notes which version of it the hub has: no case data.
func (tx *Tx) SawReceived(ctx context.Context, id concert.ReceivedID, version int64) error {
	_, err := tx.exec(ctx, "UPDATE received SET their_version = ? WHERE id = ?", version, string(id))
	return err
}

// Received is one, by reference or id.
func (tx *Tx) Received(ctx context.Context, ref string) (concert.Received, error) {
	w, err := scanReceived(tx.row(ctx, "SELECT "+receivedCols+", sealed FROM received WHERE ref = ? OR id = ?", ref, ref))
	if err != nil {
		return w.Received, err
	}
	out, err := tx.openReceived(ctx, []receivedRow{w})
	if err != nil {
		return w.Received, err
	}
	return out[0], nil
}

// ReceivedFrom is what the hub calls so.
func (tx *Tx) ReceivedFrom(ctx context.Context, hub concert.HubID, kind concert.ReceivedKind, theirs string) (concert.Received, error) {
	var id string
	if err := tx.row(ctx, "SELECT id FROM received WHERE hub = ? AND kind = ? AND theirs = ?", string(hub), string(kind), theirs).Scan(&id); err != nil {
		return concert.Received{}, err
	}
	return tx.Received(ctx, id)
}

// ReceivedOriginal is it as it came.
func (tx *Tx) ReceivedOriginal(ctx context.Context, id concert.ReceivedID) ([]byte, error) {
	var sealed []byte
	if err := tx.row(ctx, "SELECT original FROM received WHERE id = ?", string(id)).Scan(&sealed); err != nil {
		return nil, err
	}
	return tx.openBytes(ctx, string(id), "received.original", sealed)
}

// ReceivedList is what came in, newest first, at most limit, of the status or of any.
func (tx *Tx) ReceivedList(ctx context.Context, status concert.ReceivedStatus, limit int) ([]concert.Received, error) {
	text, args := "SELECT "+receivedCols+", sealed FROM received", []any{}
	if status != "" {
		text, args = text+" WHERE status = ?", append(args, string(status))
	}
	rows, err := list(ctx, tx, scanReceived, text+" ORDER BY received_at DESC, id DESC LIMIT ?", append(args, limit)...)
	if err != nil {
		return nil, err
	}
	return tx.openReceived(ctx, rows)
}

// ReceivedBetween is what came in from one moment up to before another.
func (tx *Tx) ReceivedBetween(ctx context.Context, from, to time.Time) ([]concert.Received, error) {
	rows, err := list(ctx, tx, scanReceived, "SELECT "+receivedCols+", sealed FROM received WHERE received_at >= ? AND received_at < ? ORDER BY received_at, id", concert.Micros(from), concert.Micros(to))
	if err != nil {
		return nil, err
	}
	return tx.openReceived(ctx, rows)
}

// ReceivedItems are its items in their order.
func (tx *Tx) ReceivedItems(ctx context.Context, id concert.ReceivedID) ([]concert.ReceivedItem, error) {
	type row struct {
		it     concert.ReceivedItem
		sealed []byte
	}
	got, err := list(ctx, tx, func(r rowScanner) (row, error) {
		var w row
		var at int64
		err := r.Scan(&w.it.Received, &w.it.Pos, &w.it.Ref, &w.it.Code, &at, &w.sealed)
		w.it.At = concert.FromMicros(at)
		return w, err
	}, "SELECT received, pos, ref, code, at, sealed FROM received_item WHERE received = ? ORDER BY pos", string(id))
	if err != nil {
		return nil, err
	}
	out := make([]concert.ReceivedItem, len(got))
	for i, w := range got {
		if err := tx.open(ctx, string(id), "received.place", w.sealed, &w.it.Place); err != nil {
			return nil, err
		}
		out[i] = w.it
	}
	return out, nil
}

const postCols = "p.id, p.received, p.way, p.state, p.attempts, p.person, p.created_at, p.next_at, p.delivered_at, p.version"

// AddPost writes an answer on its way to the hub.
func (tx *Tx) AddPost(ctx context.Context, p concert.ReceivedPost) error {
	tx.touch("received_post")
	sealed, err := tx.seal(ctx, string(p.Received), "received.post", p.PostText)
	if err != nil {
		return err
	}
	_, err = tx.insert(ctx, "received_post", "id, received, way, state, attempts, person, created_at, next_at, delivered_at, version, sealed", [][]any{{p.ID, string(p.Received), string(p.Way), string(p.State), p.Attempts, string(p.Person),
		concert.Micros(p.CreatedAt), concert.Micros(p.NextAt), concert.Micros(p.DeliveredAt), 1, sealed}}, "")
	return err
}

// SavePost writes how far it came. A try that reached nobody is no case data.
func (tx *Tx) SavePost(ctx context.Context, p concert.ReceivedPost) error {
	if p.State != concert.PostWaiting {
		tx.touch("received_post")
	}
	sealed, err := tx.seal(ctx, string(p.Received), "received.post", p.PostText)
	if err != nil {
		return err
	}
	n, err := tx.exec(ctx, "UPDATE received_post SET state = ?, attempts = ?, next_at = ?, delivered_at = ?, sealed = ?, version = version + 1 WHERE id = ? AND version = ?",
		string(p.State), p.Attempts, concert.Micros(p.NextAt), concert.Micros(p.DeliveredAt), sealed, p.ID, p.Version)
	if err == nil && n != 1 {
		err = concert.ErrStale
	}
	return err
}

func (tx *Tx) posts(ctx context.Context, rest string, args ...any) ([]concert.ReceivedPost, error) {
	type row struct {
		p      concert.ReceivedPost
		sealed []byte
	}
	got, err := list(ctx, tx, func(r rowScanner) (row, error) {
		var w row
		var created, next, delivered int64
		err := r.Scan(&w.p.ID, &w.p.Received, &w.p.Way, &w.p.State, &w.p.Attempts, &w.p.Person, &created, &next, &delivered, &w.p.Version, &w.sealed)
		w.p.CreatedAt, w.p.NextAt, w.p.DeliveredAt = concert.FromMicros(created), concert.FromMicros(next), concert.FromMicros(delivered)
		return w, err
	}, "SELECT "+postCols+", p.sealed FROM received_post p "+rest, args...)
	if err != nil {
		return nil, err
	}
	out := make([]concert.ReceivedPost, len(got))
	for i, w := range got {
		if err := tx.open(ctx, string(w.p.Received), "received.post", w.sealed, &w.p.PostText); err != nil {
			return nil, err
		}
		out[i] = w.p
	}
	return out, nil
}

// Posts are the answers to what was received, oldest first.
func (tx *Tx) Posts(ctx context.Context, id concert.ReceivedID) ([]concert.ReceivedPost, error) {
	return tx.posts(ctx, "WHERE p.received = ? ORDER BY p.id", string(id))
}

// DuePosts are the hub's answers that are to be tried by the moment, oldest first: of
// each thing the first that waits, since the hub is to hear them in their order.
func (tx *Tx) DuePosts(ctx context.Context, hub concert.HubID, now time.Time, limit int) ([]concert.ReceivedPost, error) {
	return tx.posts(ctx, "JOIN received r ON r.id = p.received WHERE r.hub = ? AND p.next_at > 0 AND p.next_at <= ? AND NOT EXISTS (SELECT 1 FROM received_post q WHERE q.received = p.received AND q.next_at > 0 AND q.id < p.id) ORDER BY p.id LIMIT ?",
		string(hub), concert.Micros(now), limit)
}

// WaitingPosts are how many answers have not reached their hub, by what they answer.
func (tx *Tx) WaitingPosts(ctx context.Context) (map[concert.ReceivedID]int, error) {
	type row struct {
		id concert.ReceivedID
		n  int
	}
	got, err := list(ctx, tx, func(r rowScanner) (w row, err error) { return w, r.Scan(&w.id, &w.n) }, "SELECT received, count(*) FROM received_post WHERE state = 'waiting' GROUP BY received")
	out := map[concert.ReceivedID]int{}
	for _, w := range got {
		out[w.id] = w.n
	}
	return out, err
}
