package store

import (
	"context"
	"fmt"

	"concert"
)

const successionCols = "id, origin, log_key, size, root, checkpoint, successor, successor_key, sealed, person, at"

// SucceedLog writes that the log goes on under another name, whose checkpoint
// of the very same head takes the place of the old one. A node that still signs
// under the old name finds the head moved.
func (tx *Tx) SucceedLog(ctx context.Context, l concert.LogSuccession, checkpoint string) error {
	tx.touch("log_succession")
	if err := tx.newSubjects(ctx, string(l.ID)); err != nil {
		return err
	}
	sealed, err := tx.seal(ctx, string(l.ID), "reason", concert.SealedReason{Reason: l.Reason})
	if err != nil {
		return err
	}
	_, err = tx.insert(ctx, "log_succession", successionCols, [][]any{{string(l.ID), l.Origin, l.Key, l.Size, l.Root[:], l.Checkpoint, l.Successor, l.SuccessorKey, sealed, string(l.By), concert.Micros(l.At)}}, "")
	if err != nil {
		return err
	}
	if _, err := tx.exec(ctx, "UPDATE log_head SET checkpoint = ? WHERE id = 1", checkpoint); err != nil {
		return fmt.Errorf("log head: %w", err)
	}
	return nil
}

// LogSuccessions are the logs that this one goes on from, oldest first.
func (tx *Tx) LogSuccessions(ctx context.Context) ([]concert.LogSuccession, error) {
	return list(ctx, tx, func(r rowScanner) (concert.LogSuccession, error) {
		var l concert.LogSuccession
		var root, sealed []byte
		var at int64
		err := r.Scan(&l.ID, &l.Origin, &l.Key, &l.Size, &root, &l.Checkpoint, &l.Successor, &l.SuccessorKey, &sealed, &l.By, &at)
		l.Root, l.At = place(root), concert.FromMicros(at)
		return l, err
	}, "SELECT "+successionCols+" FROM log_succession ORDER BY id")
}
