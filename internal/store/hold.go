package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"concert"
	"concert/internal/identity"
)

const holdCols = "id, ref, authority, place, content, placed_by, created_at, expires_at, released_at, released_by, renewals, exercise, version"

// sealedHold is what lies under the hold's own key. Own is sealed once more,
// under a key that is derived for the holder: who opens it on behalf of another
// authority has the wrong key. Location and Case are those of holds that an
// older program wrote.
type sealedHold struct {
	Location concert.Location `json:"location"`
	Case     string           `json:"case,omitempty"`
	Own      []byte           `json:"own,omitempty"`
}

// ownHold is what only the holder may read.
type ownHold struct {
	Location concert.Location   `json:"location"`
	Hash     string             `json:"sha256,omitempty"`
	Case     string             `json:"case,omitempty"`
	Notes    []concert.HoldNote `json:"notes,omitempty"`
}

// holderKey is the holder's: what is sealed under it opens on its behalf only.
func (db *DB) holderKey(a concert.AuthorityID) identity.Key {
	return db.Keys.Derive("hold of " + string(a))
}

// contactKey is the house's own: it shows contacts to who meets a hold.
func (db *DB) contactKey() identity.Key { return db.Keys.Derive("hold contacts") }

// SealToHolder seals a text so that it opens on behalf of the hold's authority
// only; what names its use.
func (tx *Tx) SealToHolder(h concert.Hold, what, text string) []byte {
	return identity.Seal(tx.db.holderKey(h.Authority), []byte(text), []byte(what+":"+string(h.ID)))
}

// scanHold reads a hold without what is sealed.
func scanHold(r rowScanner) (concert.Hold, error) { return scanHoldAnd(r) }

func scanHoldAnd(r rowScanner, more ...any) (concert.Hold, error) {
	var h concert.Hold
	var at, content []byte
	var created, expires, released int64
	err := r.Scan(append([]any{&h.ID, &h.Ref, &h.Authority, &at, &content, &h.PlacedBy, &created, &expires, &released, &h.ReleasedBy, &h.Renewals, &h.Exercise, &h.Version}, more...)...)
	h.Place, h.Content, h.CreatedAt, h.ExpiresAt, h.ReleasedAt = place(at), place(content), concert.FromMicros(created), concert.FromMicros(expires), concert.FromMicros(released)
	return h, err
}

func (tx *Tx) sealHold(ctx context.Context, h concert.Hold) ([]byte, error) {
	raw, err := json.Marshal(ownHold{h.Location, h.Hash, h.Case, h.Notes})
	if err != nil {
		return nil, fmt.Errorf("seal hold %s: %w", h.Ref, err)
	}
	return tx.seal(ctx, string(h.ID), "hold", sealedHold{Own: tx.SealToHolder(h, "hold", string(raw))})
}

// AddHold writes a new hold.
func (tx *Tx) AddHold(ctx context.Context, h concert.Hold) error {
	tx.touch("hold")
	if err := tx.newSubjects(ctx, string(h.ID)); err != nil {
		return err
	}
	sealed, err := tx.sealHold(ctx, h)
	if err != nil {
		return err
	}
	contact, err := tx.sealBytes(ctx, string(h.ID), "hold contact", identity.Seal(tx.db.contactKey(), []byte(h.Contact), []byte(h.ID)))
	if err != nil {
		return err
	}
	at := digest(h.Place)
	if at == nil {
		at = []byte{} // the column of older programs is never NULL
	}
	_, err = tx.insert(ctx, "hold", holdCols+", sealed, contact, contact_sealed", [][]any{{string(h.ID), h.Ref, string(h.Authority), at, digest(h.Content), string(h.PlacedBy), concert.Micros(h.CreatedAt), concert.Micros(h.ExpiresAt), 0, "", 0, flag(h.Exercise), 1,
		sealed, "", contact}}, "")
	return err
}

// SaveHold writes a renewal or a release of a hold that HoldOf opened.
func (tx *Tx) SaveHold(ctx context.Context, h concert.Hold) error {
	tx.touch("hold")
	sealed, err := tx.sealHold(ctx, h)
	if err != nil {
		return err
	}
	if _, err := tx.exec(ctx, "UPDATE hold SET sealed = ? WHERE id = ?", sealed, string(h.ID)); err != nil {
		return fmt.Errorf("save hold: %w", err)
	}
	return tx.update(ctx, "hold", []typed{{"released_at", "BIGINT"}, {"released_by", "TEXT"}, {"expires_at", "BIGINT"}, {"renewals", "BIGINT"}},
		[][]any{{string(h.ID), h.Version, concert.Micros(h.ReleasedAt), string(h.ReleasedBy), concert.Micros(h.ExpiresAt), h.Renewals}})
}

// HoldsFor are the unreleased holds that cover each of the items, the oldest
// first, without what is sealed; whether one stands is the rule's to say.
func (tx *Tx) HoldsFor(ctx context.Context, items []concert.Item) (map[concert.ItemID][]concert.Hold, error) {
	places := make([]any, 0, len(items))
	var contents []any
	for i := range items {
		places = append(places, items[i].Place[:])
		if items[i].Content != [32]byte{} {
			contents = append(contents, items[i].Content[:])
		}
	}
	got, err := in(ctx, tx, scanHold, "SELECT "+holdCols+" FROM hold WHERE released_at = 0 AND place IN (%s)", places)
	if err != nil {
		return nil, fmt.Errorf("holds at places: %w", err)
	}
	more, err := in(ctx, tx, scanHold, "SELECT "+holdCols+" FROM hold WHERE released_at = 0 AND content IN (%s)", contents)
	if err != nil {
		return nil, fmt.Errorf("holds on bytes: %w", err)
	}
	out := map[concert.ItemID][]concert.Hold{}
	seen := map[concert.HoldID]bool{}
	for _, h := range append(got, more...) {
		if seen[h.ID] {
			continue
		}
		seen[h.ID] = true
		for _, it := range items {
			if h.Covers(it) {
				out[it.ID] = append(out[it.ID], h)
			}
		}
	}
	return out, nil
}

// Holds are an authority's own, newest first, with what is sealed to it.
func (tx *Tx) Holds(ctx context.Context, s concert.Scope, before concert.HoldID, limit int) ([]concert.Hold, error) {
	if err := s.Justified(); err != nil {
		return nil, err
	}
	where, args := "WHERE authority = ?", []any{string(s.Actor().Authority)}
	if before != "" {
		where += " AND id < ?"
		args = append(args, string(before))
	}
	out, err := list(ctx, tx, scanHold, "SELECT "+holdCols+" FROM hold "+where+" ORDER BY id DESC LIMIT ?", append(args, min(max(limit, 1), 500))...)
	if err != nil {
		return nil, fmt.Errorf("holds: %w", err)
	}
	for i, h := range out {
		if out[i], err = tx.OpenHold(ctx, h, s.Actor().Authority); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Hold is one hold by reference, or by id, without what is sealed.
func (tx *Tx) Hold(ctx context.Context, ref string) (concert.Hold, error) {
	return scanHold(tx.row(ctx, "SELECT "+holdCols+" FROM hold WHERE ref = ? OR id = ?", ref, ref))
}

// HoldOf is one of the reader's own holds by reference, with what is sealed to
// it; another's is not there.
func (tx *Tx) HoldOf(ctx context.Context, ref string, reader concert.AuthorityID) (concert.Hold, error) {
	h, err := tx.Hold(ctx, ref)
	if err != nil {
		return h, err
	}
	if reader == "" || h.Authority != reader {
		return concert.Hold{}, concert.ErrNotFound
	}
	return tx.OpenHold(ctx, h, reader)
}

// OpenHold is the hold with what is sealed to its holder, opened on behalf of
// the reader: another authority's key does not open it (identity.ErrOpen).
func (tx *Tx) OpenHold(ctx context.Context, h concert.Hold, reader concert.AuthorityID) (concert.Hold, error) {
	var sealed []byte
	if err := tx.row(ctx, "SELECT sealed FROM hold WHERE id = ?", string(h.ID)).Scan(&sealed); err != nil {
		return h, err
	}
	var s sealedHold
	if err := tx.open(ctx, string(h.ID), "hold", sealed, &s); err != nil {
		return h, err
	}
	h.Location, h.Case = s.Location, s.Case
	if len(s.Own) > 0 {
		raw, err := identity.Open(tx.db.holderKey(reader), s.Own, []byte("hold:"+string(h.ID)))
		if err != nil {
			return h, fmt.Errorf("open hold %s on behalf of %s: %w", h.Ref, reader, err)
		}
		var own ownHold
		if err := json.Unmarshal(raw, &own); err != nil {
			return h, fmt.Errorf("open hold %s: %w", h.Ref, err)
		}
		h.Location, h.Hash, h.Case, h.Notes = own.Location, own.Hash, own.Case, own.Notes
	}
	var err error
	h.Contact, err = tx.HoldContact(ctx, h.ID)
	return h, err
}

// HoldContact is whom to call about a hold: for its holder, and for who met it.
func (tx *Tx) HoldContact(ctx context.Context, id concert.HoldID) (string, error) {
	var clear string
	var sealed []byte
	if err := tx.row(ctx, "SELECT contact, contact_sealed FROM hold WHERE id = ?", string(id)).Scan(&clear, &sealed); err != nil {
		return "", err
	}
	inner, err := tx.openBytes(ctx, string(id), "hold contact", sealed)
	if err != nil || inner == nil {
		return clear, err // an older program wrote it in the clear
	}
	raw, err := identity.Open(tx.db.contactKey(), inner, []byte(id))
	if err != nil {
		return "", fmt.Errorf("open the contact of hold %s: %w", id, err)
	}
	return string(raw), nil
}

// under lists bare items that a hold covers, by its place and by its bytes,
// that fulfil a condition; each once, in pages of size after an id.
func (tx *Tx) under(ctx context.Context, h concert.Hold, condition string, args []any, after concert.ItemID, size int) ([]concert.Item, error) {
	var out []concert.Item
	for _, by := range []struct {
		column string
		digest [32]byte
	}{{"place", h.Place}, {"content", h.Content}} {
		if by.digest == [32]byte{} {
			continue
		}
		items, err := list(ctx, tx, scanBare, "SELECT "+bareCols+" FROM item i WHERE i."+by.column+" = ? AND "+condition+" AND i.id > ? ORDER BY i.id LIMIT ?",
			append(append([]any{by.digest[:]}, args...), string(after), size)...)
		if err != nil {
			return nil, fmt.Errorf("items under hold %s: %w", h.Ref, err)
		}
		for _, it := range items {
			if by.column == "place" || it.Place != h.Place {
				out = append(out, it)
			}
		}
	}
	return out, nil
}

// HeldUnder are the items that are held and that the hold covers, without what
// is sealed.
func (tx *Tx) HeldUnder(ctx context.Context, h concert.Hold, after concert.ItemID, size int) ([]concert.Item, error) {
	return tx.under(ctx, h, "i.status = 'held'", nil, after, size)
}

// ReferredUnder are other authorities' items that the hold covers, that went
// out, were not taken back, and that its holder was not told of yet.
func (tx *Tx) ReferredUnder(ctx context.Context, h concert.Hold, size int) ([]concert.Item, error) {
	return tx.under(ctx, h, "i.referral <> '' AND i.status <> 'withdrawn' AND i.author <> ? AND NOT EXISTS (SELECT 1 FROM hold_asked a WHERE a.hold = ? AND a.item = i.id)",
		[]any{string(h.Authority), string(h.ID)}, "", size)
}

// AddAsked writes that an item came upon a hold; fresh is false where that is
// written already.
func (tx *Tx) AddAsked(ctx context.Context, a concert.Asked) (fresh bool, err error) {
	tx.touch("hold_asked")
	n, err := tx.insert(ctx, "hold_asked", "hold, item, kind, authority, at", [][]any{{string(a.Hold), string(a.Item), string(a.Kind), string(a.Authority), concert.Micros(a.At)}}, "ON CONFLICT (hold, item, kind) DO NOTHING")
	return n == 1, err
}

// AskedAbout is who came upon the holds, the oldest first.
func (tx *Tx) AskedAbout(ctx context.Context, holds []concert.HoldID) (map[concert.HoldID][]concert.Asked, error) {
	got, err := in(ctx, tx, func(r rowScanner) (concert.Asked, error) {
		var a concert.Asked
		var at, referred int64
		err := r.Scan(&a.Hold, &a.Item, &a.ItemRef, &a.Authority, &a.Kind, &at, &referred)
		a.At, a.ReferredAt = concert.FromMicros(at), concert.FromMicros(referred)
		return a, err
	}, "SELECT a.hold, a.item, i.ref, a.authority, a.kind, a.at, coalesce(r.created_at, 0) FROM hold_asked a JOIN item i ON i.id = a.item LEFT JOIN referral r ON r.id = i.referral WHERE a.hold IN (%s) ORDER BY a.hold, a.at, a.item", anys(strs(holds)))
	if err != nil {
		return nil, fmt.Errorf("who asked: %w", err)
	}
	out := map[concert.HoldID][]concert.Asked{}
	for _, a := range got {
		out[a.Hold] = append(out[a.Hold], a)
	}
	return out, nil
}

// LateFor are the holds that were placed after the item had been referred and
// that are not released, the oldest first.
func (tx *Tx) LateFor(ctx context.Context, item concert.ItemID) ([]concert.Hold, error) {
	return list(ctx, tx, scanHold, "SELECT "+holdCols+" FROM hold WHERE released_at = 0 AND id IN (SELECT hold FROM hold_asked WHERE item = ? AND kind = 'late') ORDER BY id", string(item))
}

// Probe is what an authority met and had referred since the time. It waits for
// other dispatches of the authority that look at the same moment, so that all
// of them together keep the limit.
func (tx *Tx) Probe(ctx context.Context, author concert.AuthorityID, since time.Time) (concert.Probe, error) {
	var p concert.Probe
	var id string
	if err := tx.row(ctx, "SELECT id FROM authority WHERE id = ?"+tx.db.d.forUpdate, string(author)).Scan(&id); err != nil {
		return p, err
	}
	var err error
	p.Met, err = list(ctx, tx, func(r rowScanner) (time.Time, error) {
		var at int64
		err := r.Scan(&at)
		return concert.FromMicros(at), err
	}, "SELECT min(at) FROM hold_asked WHERE authority = ? AND kind = 'dispatch' AND at > ? GROUP BY item ORDER BY 1", string(author), concert.Micros(since))
	if err != nil {
		return p, fmt.Errorf("holds met: %w", err)
	}
	err = tx.row(ctx, "SELECT coalesce(sum(items), 0) FROM referral WHERE author = ? AND created_at > ?", string(author), concert.Micros(since)).Scan(&p.Referred)
	return p, err
}
