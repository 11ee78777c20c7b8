package store

import (
	"context"
	"fmt"

	"concert"
)

const alarmCols = "id, kind, authority, item, met, at, ended_at, contact, witness"

func scanAlarm(r rowScanner) (concert.Alarm, error) {
	var a concert.Alarm
	var at, ended int64
	err := r.Scan(&a.ID, &a.Kind, &a.Authority, &a.Item, &a.Met, &at, &ended, &a.Contact, &a.Witness)
	a.At, a.EndedAt = concert.FromMicros(at), concert.FromMicros(ended)
	return a, err
}

// AddAlarm writes a new alarm; one like it that still lasts is CodeExists.
func (tx *Tx) AddAlarm(ctx context.Context, a concert.Alarm) error {
	tx.touch("alarm")
	_, err := tx.insert(ctx, "alarm", alarmCols, [][]any{{string(a.ID), string(a.Kind), string(a.Authority), string(a.Item), a.Met, concert.Micros(a.At), 0, string(a.Contact), a.Witness}}, "")
	return err
}

// EndAlarm writes that the alarm is over.
func (tx *Tx) EndAlarm(ctx context.Context, a concert.Alarm) error {
	tx.touch("alarm")
	n, err := tx.exec(ctx, "UPDATE alarm SET ended_at = ? WHERE id = ? AND ended_at = 0", concert.Micros(a.EndedAt), string(a.ID))
	if err == nil && n != 1 {
		return concert.ErrStale
	}
	return err
}

// OpenAlarm is the alarm of this kind about an authority and an item ("" for
// none) that lasts.
func (tx *Tx) OpenAlarm(ctx context.Context, kind concert.AlarmKind, a concert.AuthorityID, item concert.ItemID) (concert.Alarm, error) {
	return scanAlarm(tx.row(ctx, "SELECT "+alarmCols+" FROM alarm WHERE kind = ? AND authority = ? AND item = ? AND ended_at = 0", string(kind), string(a), string(item)))
}

// OpenContactAlarm is the alarm of this kind about a contact point that lasts.
func (tx *Tx) OpenContactAlarm(ctx context.Context, kind concert.AlarmKind, c concert.ContactPointID) (concert.Alarm, error) {
	return scanAlarm(tx.row(ctx, "SELECT "+alarmCols+" FROM alarm WHERE kind = ? AND contact = ? AND ended_at = 0", string(kind), string(c)))
}

// Paused are the authorities whose dispatch is paused.
func (tx *Tx) Paused(ctx context.Context) ([]concert.AuthorityID, error) {
	return list(ctx, tx, func(r rowScanner) (concert.AuthorityID, error) {
		var a concert.AuthorityID
		return a, r.Scan(&a)
	}, "SELECT authority FROM alarm WHERE kind = ? AND ended_at = 0", string(concert.AlarmProbed))
}

// Alarms are all of them, newest first.
func (tx *Tx) Alarms(ctx context.Context, before concert.AlarmID, limit int) ([]concert.Alarm, error) {
	where, args := "", []any{}
	if before != "" {
		where, args = "WHERE id < ? ", []any{string(before)}
	}
	got, err := list(ctx, tx, scanAlarm, "SELECT "+alarmCols+" FROM alarm "+where+"ORDER BY id DESC LIMIT ?", append(args, min(max(limit, 1), 500))...)
	if err != nil {
		return nil, fmt.Errorf("alarms: %w", err)
	}
	return got, nil
}

// AlarmsAbout are the alarms about these authorities, newest first.
func (tx *Tx) AlarmsAbout(ctx context.Context, kind concert.AlarmKind, as []concert.AuthorityID) (map[concert.AuthorityID][]concert.Alarm, error) {
	got, err := in(ctx, tx, scanAlarm, "SELECT "+alarmCols+" FROM alarm WHERE authority IN (%s) ORDER BY id DESC", anys(strs(as)))
	if err != nil {
		return nil, fmt.Errorf("alarms about authorities: %w", err)
	}
	out := map[concert.AuthorityID][]concert.Alarm{}
	for _, a := range got {
		if a.Kind == kind {
			out[a.Authority] = append(out[a.Authority], a)
		}
	}
	return out, nil
}
