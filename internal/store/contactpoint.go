package store

import (
	"context"
	"encoding/json"
	"fmt"

	"concert"
)

const contactCols = "id, ref, provider, purpose, layer, channel, address, languages, zone, quiet_from, quiet_to, per_hour, messages, form, hour_start, hour_items, hour_messages, success_at, trouble_at, trouble, bounces, demoted_at, retired_at, exercise, created_at, version"

func scanContact(r rowScanner) (concert.ContactPoint, error) {
	var c concert.ContactPoint
	var hour, success, trouble, demoted, retired, created int64
	var languages string
	err := r.Scan(&c.ID, &c.Ref, &c.Provider, &c.Purpose, &c.Layer, &c.Channel, &c.Address, &languages, &c.Zone, &c.QuietFrom, &c.QuietTo, &c.PerHour, &c.Messages, &c.Form,
		&hour, &c.HourItems, &c.HourMessages, &success, &trouble, &c.Trouble, &c.Bounces, &demoted, &retired, &c.Exercise, &created, &c.Version)
	if err != nil {
		return c, err
	}
	c.HourStart, c.SuccessAt, c.TroubleAt = concert.FromMicros(hour), concert.FromMicros(success), concert.FromMicros(trouble)
	c.DemotedAt, c.RetiredAt, c.CreatedAt = concert.FromMicros(demoted), concert.FromMicros(retired), concert.FromMicros(created)
	return c, json.Unmarshal([]byte(languages), &c.Languages)
}

// AddContactPoint writes a new contact point and makes the key that seals what
// comes back from it without naming a referral.
func (tx *Tx) AddContactPoint(ctx context.Context, c concert.ContactPoint) error {
	tx.touch("contact_point")
	if err := tx.newSubjects(ctx, string(c.ID)); err != nil {
		return err
	}
	_, err := tx.insert(ctx, "contact_point", contactCols, [][]any{{string(c.ID), c.Ref, string(c.Provider), string(c.Purpose), string(c.Layer), string(c.Channel), c.Address, jsonText(c.Languages), c.Zone, c.QuietFrom, c.QuietTo,
		c.PerHour, c.Messages, string(c.Form), 0, 0, 0, 0, 0, "", 0, 0, 0, flag(c.Exercise), concert.Micros(c.CreatedAt), 1}}, "")
	return err
}

// SaveContactPoint writes what changes as a contact point is served: the hour's
// counts, how it last went, whether it is in use.
func (tx *Tx) SaveContactPoint(ctx context.Context, c concert.ContactPoint) error {
	return tx.update(ctx, "contact_point", []typed{{"hour_start", "BIGINT"}, {"hour_items", "BIGINT"}, {"hour_messages", "BIGINT"}, {"success_at", "BIGINT"}, {"trouble_at", "BIGINT"}, {"trouble", "TEXT"}, {"bounces", "BIGINT"}, {"demoted_at", "BIGINT"}, {"retired_at", "BIGINT"}},
		[][]any{{string(c.ID), c.Version, concert.Micros(c.HourStart), c.HourItems, c.HourMessages, concert.Micros(c.SuccessAt), concert.Micros(c.TroubleAt), c.Trouble, c.Bounces, concert.Micros(c.DemotedAt), concert.Micros(c.RetiredAt)}})
}

// ContactPoint is one, by reference or id.
func (tx *Tx) ContactPoint(ctx context.Context, ref string) (concert.ContactPoint, error) {
	return scanContact(tx.row(ctx, "SELECT "+contactCols+" FROM contact_point WHERE ref = ? OR id = ?", ref, ref))
}

// ContactPoints are a provider's, in the order of their registration.
func (tx *Tx) ContactPoints(ctx context.Context, p concert.ProviderID) ([]concert.ContactPoint, error) {
	return list(ctx, tx, scanContact, "SELECT "+contactCols+" FROM contact_point WHERE provider = ? ORDER BY id", string(p))
}

// ContactPointsByID are those with the ids, by id.
func (tx *Tx) ContactPointsByID(ctx context.Context, ids []concert.ContactPointID) (map[concert.ContactPointID]concert.ContactPoint, error) {
	got, err := in(ctx, tx, scanContact, "SELECT "+contactCols+" FROM contact_point WHERE id IN (%s)", anys(strs(ids)))
	if err != nil {
		return nil, fmt.Errorf("contact points: %w", err)
	}
	out := make(map[concert.ContactPointID]concert.ContactPoint, len(got))
	for _, c := range got {
		out[c.ID] = c
	}
	return out, nil
}

// Seat is where a provider is established and who represents it.
func (tx *Tx) Seat(ctx context.Context, p concert.ProviderID) (concert.Seat, error) {
	var s concert.Seat
	err := tx.row(ctx, "SELECT establishment, representative FROM provider WHERE id = ?", string(p)).Scan(&s.Establishment, &s.Representative)
	return s, err
}

// SaveSeat writes a provider's seat.
func (tx *Tx) SaveSeat(ctx context.Context, p concert.ProviderID, s concert.Seat) error {
	tx.touch("provider")
	_, err := tx.exec(ctx, "UPDATE provider SET establishment = ?, representative = ? WHERE id = ?", s.Establishment, s.Representative, string(p))
	return err
}

// ContactHealth is how the mail to one contact point goes.
type ContactHealth struct {
	Waiting int // notices that wait to be sent
	Sending int // mails whose sending was tried and is tried again
	Reached int // mails that its machine took
	Failed  int // mails that came back, or whose schedule ended
}

// ContactHealth counts what went, and waits to go, to a contact point.
func (tx *Tx) ContactHealth(ctx context.Context, c concert.ContactPointID) (ContactHealth, error) {
	var h ContactHealth
	if err := tx.row(ctx, "SELECT count(*) FROM posting WHERE contact = ? AND due_at > 0", string(c)).Scan(&h.Waiting); err != nil {
		return h, err
	}
	_, err := list(ctx, tx, func(r rowScanner) (struct{}, error) {
		var rung concert.Rung
		var n int
		err := r.Scan(&rung, &n)
		switch rung {
		case concert.RungFailed:
			h.Failed += n
		case concert.RungQueued, concert.RungSent:
			h.Sending += n
		default:
			h.Reached += n
		}
		return struct{}{}, err
	}, "SELECT rung, count(*) FROM mail_out WHERE contact = ? GROUP BY rung", string(c))
	return h, err
}
