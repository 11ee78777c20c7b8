package store

import (
	"context"
	"encoding/json"
	"fmt"

	"concert"
)

// Original is a referral's signed original, as far as it is still there.
type Original struct {
	Signed  concert.Envelope // the zero one once an item is erased: its signatures would say nothing
	Payload []byte           // with the items that are left
	Erased  int              // items that are not
}

// parting is how an original is taken apart: which list of its payload, and under
// which names its frame and the parts are sealed.
type parting struct{ field, frame, part string }

// partingOf is that of referrals, or of orders.
func partingOf(order bool) parting {
	if order {
		return parting{field: "places", frame: "order.frame", part: "order_item"}
	}
	return parting{field: "items", frame: "referral.frame", part: "referral_item"}
}

// sealParts seals an envelope: its frame under its own subject's key, each part
// under its item's.
func (tx *Tx) sealParts(ctx context.Context, p parting, id string, e concert.Envelope, items []concert.ItemID) (frame []byte, parts [][]byte, err error) {
	f, texts, err := e.Parted(p.field)
	if err != nil {
		return nil, nil, fmt.Errorf("envelope of %s: %w", id, err)
	}
	if len(texts) != len(items) {
		return nil, nil, fmt.Errorf("envelope of %s holds %d %s, its items are %d", id, len(texts), p.field, len(items))
	}
	if frame, err = tx.seal(ctx, id, p.frame, f); err != nil {
		return nil, nil, err
	}
	parts = make([][]byte, len(items))
	for i, item := range items {
		if parts[i], err = tx.sealBytes(ctx, string(item), p.part, texts[i]); err != nil {
			return nil, nil, err
		}
	}
	return frame, parts, nil
}

// partOriginal puts an original that was written whole, by an earlier version,
// into parts.
func (tx *Tx) partOriginal(ctx context.Context, id concert.ReferralID) error {
	var whole []byte
	if err := tx.row(ctx, "SELECT envelope FROM referral WHERE id = ?", string(id)).Scan(&whole); err != nil || len(whole) == 0 {
		return err
	}
	text, err := tx.openBytes(ctx, string(id), "referral", whole)
	if err != nil {
		return err
	}
	items, err := list(ctx, tx, func(r rowScanner) (concert.ItemID, error) {
		var item concert.ItemID
		return item, r.Scan(&item)
	}, "SELECT item FROM referral_item WHERE referral = ? ORDER BY pos", string(id))
	if err != nil {
		return err
	}
	var e concert.Envelope
	if err := json.Unmarshal(text, &e); err != nil {
		return fmt.Errorf("envelope of %s: %w", id, err)
	}
	frame, parts, err := tx.sealParts(ctx, partingOf(false), string(id), e, items)
	if err != nil {
		return err
	}
	n, err := tx.exec(ctx, "UPDATE referral SET envelope = NULL, frame = ? WHERE id = ? AND envelope IS NOT NULL", frame, string(id))
	if err != nil {
		return err
	}
	if n != 1 {
		return concert.ErrStale
	}
	for i, item := range items {
		if _, err := tx.exec(ctx, "UPDATE referral_item SET sealed = ? WHERE referral = ? AND item = ?", parts[i], string(id), string(item)); err != nil {
			return err
		}
	}
	return nil
}

// Original puts a referral's signed original together again.
func (tx *Tx) Original(ctx context.Context, id concert.ReferralID) (Original, error) {
	var o Original
	var whole, frame []byte
	if err := tx.row(ctx, "SELECT envelope, frame FROM referral WHERE id = ?", string(id)).Scan(&whole, &frame); err != nil {
		return o, err
	}
	if len(whole) > 0 {
		err := tx.open(ctx, string(id), "referral", whole, &o.Signed)
		o.Payload = o.Signed.Payload
		return o, err
	}
	return tx.joined(ctx, partingOf(false), string(id), frame, "SELECT r.item, r.sealed, k.wrapped FROM referral_item r LEFT JOIN subject_key k ON k.subject = r.item WHERE r.referral = ? ORDER BY r.pos")
}

// joined puts an original together from its frame and the parts that the query gives:
// item, sealed part and wrapped key.
func (tx *Tx) joined(ctx context.Context, p parting, id string, frame []byte, query string) (Original, error) {
	var o Original
	var f concert.Envelope
	if err := tx.open(ctx, id, p.frame, frame, &f); err != nil || f.Payload == nil {
		return o, err
	}
	type part struct {
		item            string
		sealed, wrapped []byte
	}
	parts, err := list(ctx, tx, func(r rowScanner) (part, error) {
		var w part
		return w, r.Scan(&w.item, &w.sealed, &w.wrapped)
	}, query, id)
	if err != nil {
		return o, err
	}
	var texts []json.RawMessage
	for _, w := range parts {
		if err := tx.knowKey(w.item, w.wrapped); err != nil {
			return o, err
		}
		text, err := tx.openBytes(ctx, w.item, p.part, w.sealed)
		if err != nil {
			return o, err
		}
		if text == nil {
			o.Erased++
			continue
		}
		texts = append(texts, text)
	}
	whole, err := f.Rejoined(p.field, texts)
	if err != nil {
		return o, fmt.Errorf("original of %s: %w", id, err)
	}
	o.Payload = whole.Payload
	if o.Erased == 0 {
		o.Signed = whole
	}
	return o, nil
}
