package store

import (
	"context"
	"fmt"

	"concert"
)

// Atrocities are the marks on the items, those that were lifted, too, without
// what is sealed.
func (tx *Tx) Atrocities(ctx context.Context, items []concert.ItemID) (map[concert.ItemID]concert.Atrocity, error) {
	got, err := in(ctx, tx, func(r rowScanner) (concert.Atrocity, error) { return scanAtrocity(r) }, "SELECT "+atrocityCols+" FROM atrocity m WHERE m.item IN (%s)", anys(strs(items)))
	if err != nil {
		return nil, fmt.Errorf("marks of atrocities: %w", err)
	}
	out := make(map[concert.ItemID]concert.Atrocity, len(got))
	for _, m := range got {
		out[m.Item] = m
	}
	return out, nil
}

const atrocityCols = "m.item, m.authority, m.person, m.at, m.preserved_until, m.lifted_by, m.lifted_at"

func scanAtrocity(r rowScanner, more ...any) (concert.Atrocity, error) {
	var m concert.Atrocity
	var at, until, lifted int64
	err := r.Scan(append([]any{&m.Item, &m.Authority, &m.By, &at, &until, &m.LiftedBy, &lifted}, more...)...)
	m.At, m.PreservedUntil, m.LiftedAt = concert.FromMicros(at), concert.FromMicros(until), concert.FromMicros(lifted)
	return m, err
}

// Atrocity is the mark on an item with its ground; the zero one where there was
// never any.
func (tx *Tx) Atrocity(ctx context.Context, item concert.ItemID) (concert.Atrocity, error) {
	var sealed []byte
	m, err := scanAtrocity(tx.row(ctx, "SELECT "+atrocityCols+", m.sealed FROM atrocity m WHERE m.item = ?"+tx.lock(), string(item)), &sealed)
	if err == concert.ErrNotFound {
		return concert.Atrocity{}, nil
	}
	if err != nil {
		return m, fmt.Errorf("mark of an atrocity: %w", err)
	}
	var g concert.GroundText
	err = tx.open(ctx, string(item), "atrocity", sealed, &g)
	m.Ground = g.Ground
	return m, err
}

// lock makes others wait who read the row to change it.
func (tx *Tx) lock() string {
	if tx.ro {
		return ""
	}
	return tx.db.d.forUpdate
}

// SaveAtrocity writes a mark, its lifting, or until when it is preserved.
func (tx *Tx) SaveAtrocity(ctx context.Context, m concert.Atrocity) error {
	tx.touch("atrocity")
	sealed, err := tx.seal(ctx, string(m.Item), "atrocity", concert.GroundText{Ground: m.Ground})
	if err != nil {
		return err
	}
	_, err = tx.insert(ctx, "atrocity", "item, authority, person, sealed, at, preserved_until, lifted_by, lifted_at, version",
		[][]any{{string(m.Item), string(m.Authority), string(m.By), sealed, concert.Micros(m.At), concert.Micros(m.PreservedUntil), string(m.LiftedBy), concert.Micros(m.LiftedAt), 1}},
		"ON CONFLICT (item) DO UPDATE SET authority = excluded.authority, person = excluded.person, sealed = excluded.sealed, at = excluded.at, preserved_until = excluded.preserved_until, lifted_by = excluded.lifted_by, lifted_at = excluded.lifted_at, version = atrocity.version + 1")
	return err
}

// AddPreservation writes who preserves an item.
func (tx *Tx) AddPreservation(ctx context.Context, p concert.Preservation) error {
	tx.touch("preservation")
	sealed, err := tx.seal(ctx, string(p.Item), "preservation", concert.PreservationText{Holder: p.Holder, Reference: p.Reference, Ground: p.Ground})
	if err != nil {
		return err
	}
	_, err = tx.insert(ctx, "preservation", "ref, item, authority, person, way, sealed, asked_on, until, at",
		[][]any{{p.Ref, string(p.Item), string(p.Authority), string(p.By), string(p.Way), sealed, concert.Micros(p.On), concert.Micros(p.Until), concert.Micros(p.At)}}, "")
	return err
}

// Preservations are an item's records, the oldest first.
func (tx *Tx) Preservations(ctx context.Context, item concert.ItemID) ([]concert.Preservation, error) {
	return list(ctx, tx, func(r rowScanner) (concert.Preservation, error) {
		var p concert.Preservation
		var sealed, wrapped []byte
		var on, until, at int64
		if err := r.Scan(&p.Ref, &p.Item, &p.Authority, &p.By, &p.Way, &sealed, &on, &until, &at, &wrapped); err != nil {
			return p, err
		}
		p.On, p.Until, p.At = concert.FromMicros(on), concert.FromMicros(until), concert.FromMicros(at)
		if len(wrapped) == 0 {
			return p, nil
		}
		if err := tx.knowKey(string(p.Item), wrapped); err != nil {
			return p, err
		}
		var t concert.PreservationText
		err := tx.open(ctx, string(p.Item), "preservation", sealed, &t)
		p.Holder, p.Reference, p.Ground = t.Holder, t.Reference, t.Ground
		return p, err
	}, "SELECT p.ref, p.item, p.authority, p.person, p.way, p.sealed, p.asked_on, p.until, p.at, k.wrapped FROM preservation p LEFT JOIN "+keyTable+" k ON k.subject = p.item WHERE p.item = ? ORDER BY p.at, p.ref", string(item))
}
